"""The parser: the commands and their options, and how errors are reported."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import rich  # noqa: F401  (the commands need it: if it is missing, that shows before one of them begins)
import typer
from typer.core import TyperCommand

from mediasync.cli.context import CommandContext
from mediasync.cli.errors import Interrupted, OutputFailed, exit_code
from mediasync.cli.options import (
    PLAIN,
    ConfigOption,
    DatabaseOption,
    DebugOption,
    JsonOption,
    LogFormatOption,
    QuietOption,
    VerboseOption,
    for_terminal,
)
from mediasync.cli.output import Output
from mediasync.errors import UsageError
from mediasync.settings.distribution import version_text

COMMANDS: Final = {
    "init": "Set up a source: find it, sign in, and write it into mediasync.toml.",
    "sync": "Mirror sources into the database, all at once.",
    "watch": "Sync sources on their schedules and on events, until a signal ends it.",
    "serve": "Serve the mirror as a website, and keep it in sync, until a signal ends it.",
    "status": "Show what is stored: sources, libraries, items, people, and the last sync.",
    "runs": "List the recorded syncs, the newest first; or show one, with what it could not read or store.",
    "log": "Show what changed: items added, changed and removed, and credits added, removed and moved.",
    "diff": "Show the net difference between what was shown at two points, each a run or a time.",
    "undo": "Undo what a run changed, by a run of its own that can be undone as well.",
    "removed": "List the items that their source no longer has, since when, and which run found it out.",
    "restore": "Bring back removed items with their cast and crew.",
    "purge": "Delete items that were removed long ago, and the people whom nobody has credited since.",
    "show": "Show a movie, show, season or episode with its cast and crew.",
    "list": "List items or people, filtered and sorted, page by page.",
    "person": "Show a person with all they are credited for, the oldest first.",
    "search": "Find titles and people by what you type, also if it is misspelt.",
    "find": "Find the movies and shows that credit all of some people, and none of others, the oldest first.",
    "costars": "List with whom a person worked most often: in how many movies and shows, and in which.",
    "top": "List who is credited most often in a function: in most movies and shows, or in most episodes.",
    "pairs": "List which two people worked together most often, each in a function.",
    "check": "Check the database: its storage, and that its content is consistent.",
    "doctor": "Examine the cast data: what is wrong with it, with examples, and what to do.",
    "copy": "Copy the whole mirror into another database, from SQLite to PostgreSQL or back.",
    "backup": "Write a backup of the whole mirror to a SQLite file, while syncs go on.",
    "upgrade": "Upgrade the database to the schema of this version, after a copy was made.",
    "vacuum": "Give unused space of the database back, and update the statistics of the query planner.",
    "datasette-metadata": "Write the metadata with which datasette shows the database well.",
    "export": "Write items, people and credits as JSON lines, CSV, Parquet, NFO files or Singer messages.",
    "mcp": "Answer an assistant's questions about the mirror, by the Model Context Protocol.",
    "source": "List the stored sources, rename one, or remove one.",
    "config": "Look at the configuration.",
    "completion": "Print the script with which a shell completes commands, options and stored names.",
}
"""The commands, each of which is in the module of its name, and the first sentences of their helps."""

_MODULES: Final = {"list": "listing"}
"""The modules of commands whose names are those of Python's own functions."""

NAME: Final = "mediasync"

# Typer exports only this error of its parser, and has moved the others. Their common root is two bases up.
_ParserError: Final[type[Exception]] = typer.BadParameter.__mro__[2]


class DeferredCommand(TyperCommand):
    """A command whose module is imported when the command runs, or is asked for its help."""

    def load(self) -> Any:
        """Return the real command."""
        name = _MODULES.get(str(self.name), str(self.name).replace("-", "_"))
        found = getattr(import_module(f"mediasync.cli.{name}"), name)
        if not isinstance(found, typer.Typer):
            command, found = found, typer.Typer(add_completion=False, **PLAIN)
            found.command(self.name)(command)
        return typer.main.get_command(found)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Return the context of the real command, which runs it."""
        return self.load().make_context(*arguments, **options)


app = typer.Typer(
    name=NAME,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    **PLAIN,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(version_text())
        raise typer.Exit


def program(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_version)
    ] = False,
    database: DatabaseOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    log_format: LogFormatOption = None,
) -> None:
    """Mirror movie and TV libraries, with their full cast and crew, into one SQL database.

    [bold]Begin with[/bold]
      mediasync sync nfo:FOLDER       read a folder of NFO files
      mediasync sync KIND+URL         read a server: plex, jellyfin, emby or kodi, plex+https://HOST
      mediasync sync                  read all sources of mediasync.toml
      mediasync status                see what is stored
      mediasync show TITLE            see a film or series with its cast and crew
      mediasync person NAME           see what somebody is credited for

    [bold]The database[/bold] is the one that --database names, else MEDIASYNC_DATABASE (or the file that
    MEDIASYNC_DATABASE_FILE names holds its URL), else the one of mediasync.toml, else mediasync.db in your
    data folder; mediasync status shows where that is. Only sync creates it; copy moves it into another.

    Answers go to standard output, all else to standard error. Each command's --help lists its exit codes. In
    addition, 70 is an internal error, 74 an output that cannot be written, 141 an output that nobody reads.
    """
    CommandContext.of(
        context,
        database=database,
        config=config,
        as_json=as_json,
        debug=debug,
        quiet=quiet,
        verbose=verbose,
        log_format=log_format,
    )
    if context.invoked_subcommand is None:
        if any((as_json, database is not None, config is not None, debug, quiet, verbose, log_format)):
            raise UsageError("say what to do: mediasync --help lists the commands")
        typer.echo(context.get_help())


def _nothing() -> None:
    return


app.callback(invoke_without_command=True, help=for_terminal(program.__doc__))(program)
for name, summary in COMMANDS.items():
    app.command(name, cls=DeferredCommand, help=summary, short_help=summary)(_nothing)


def run_command(arguments: Sequence[str], out: Output) -> int:
    """Run the command that the arguments name, report its error if it fails, and return its exit code.

    Raises:
        OutputFailed: if the output cannot be written.
    """
    command = CommandContext(out, os.environ)
    try:
        return _invoke(arguments, command)
    except OutputFailed:
        raise
    except (Exception, KeyboardInterrupt) as error:
        return _report(error, command)


def _invoke(arguments: Sequence[str], command: CommandContext) -> int:
    program = typer.main.get_command(app)
    try:
        code = program.main(args=list(arguments), prog_name=NAME, standalone_mode=False, obj=command)
    except typer.Abort:
        raise KeyboardInterrupt from None
    if code == exit_code(KeyboardInterrupt()):
        # Typer returns a code, older versions raise an error. It is reported like every other end.
        raise KeyboardInterrupt
    return int(code or 0)


def _report(error: BaseException, command: CommandContext) -> int:
    if isinstance(error, _ParserError):
        error = UsageError(_parser_text(error)).with_traceback(error.__traceback__)
    text = command.interrupted if isinstance(error, Interrupted) else None
    command.out.fail(error, text=text, **command.partial)
    return exit_code(error)


def _parser_text(error: Exception) -> str:
    text: str = error.format_message()  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else NAME
    return f"{text.rstrip('.')} ({command} --help explains)"
