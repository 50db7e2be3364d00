"""``mediasync completion``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer

from mediasync.cli.context import CommandContext
from mediasync.cli.options import OF_EVERY_COMMAND, with_options


class Shell(StrEnum):
    """The shells that can complete commands."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


_SCRIPTS: Final = {
    Shell.BASH: """\
_mediasync() {
    local IFS=$'\\n'
    COMPREPLY=($(mediasync completion --answer bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
}
complete -o default -o nosort -F _mediasync mediasync
""",
    Shell.ZSH: """\
#compdef mediasync
_mediasync() {
    local -a given lines values
    given=("${(@Q)words[1,CURRENT-1]}" "${words[CURRENT]}")
    lines=("${(@f)$(mediasync completion --answer zsh "${(@)given}" 2>/dev/null)}")
    values=("${(@)lines%%$'\\t'*}")
    lines=("${(@)lines/$'\\t'/  }")
    if [[ -n "${values[1]}" ]]; then
        compadd -U -l -d lines -a values
    else
        _files
    fi
}
if [[ "${funcstack[1]}" == _mediasync ]]; then _mediasync; else compdef _mediasync mediasync; fi
""",
    Shell.FISH: """\
function __mediasync_answers
    set -l answers (mediasync completion --answer fish (commandline -opc) (commandline -ct) 2>/dev/null)
    if test -n "$answers"
        printf '%s\\n' $answers
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c mediasync -f -a '(__mediasync_answers)'
""",
}


@with_options(*OF_EVERY_COMMAND)
def completion(
    context: CommandContext,
    shell: Annotated[Shell, typer.Argument(help="The shell to complete in.", show_default=False)],
) -> int:
    """Print the script with which a shell completes commands, options and stored names.

    It completes commands, options and their values; the ids of sources; titles and ids of libraries and
    items; names and ids of people; and genres. Those come from the SQLite database that the command would
    use, which is only read. Names in a PostgreSQL database are not completed.

    [bold]Examples[/bold]
      mediasync completion bash > ~/.local/share/bash-completion/completions/mediasync
      mediasync completion zsh > ~/.zfunc/_mediasync
      mediasync completion fish > ~/.config/fish/completions/mediasync.fish
      source <(mediasync completion bash)

    [bold]Exit codes[/bold]
      0  printed
      2  wrong usage
    """
    script = _SCRIPTS[shell]
    if context.out.as_json:
        context.out.dump({"shell": str(shell), "script": script})
    else:
        context.out.write(script)
    return 0
