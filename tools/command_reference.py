"""``python dev.py reference``: make the man page and the data of the shell completion from the commands.

The page is made of the helps of all commands. The data says which options and arguments there are, and of
which kind their values are, so that a shell gets an answer without the program being imported.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, get_args

import typer

from mediasync.cli.completing import COMMANDS_FILE
from mediasync.cli.parser import app

ROOT: Final = Path(__file__).resolve().parent.parent
MAN_PAGE: Final = ROOT / "man" / "mediasync.1"

KINDS: Final[Mapping[str, str]] = {
    "sync [SOURCE]...": "sources",
    "watch [SOURCE]...": "sources",
    "source remove NAME": "sources",
    "source rename OLD": "sources",
    "--source ID": "sources",
    "--library TITLE|ID": "libraries",
    "--library ID": "library ids",
    "show TITLE-OR-ID...": "items",
    "--item ID": "item ids",
    "restore ID...": "removed",
    "person NAME-OR-ID...": "people",
    "costars NAME-OR-ID...": "people",
    "NAME|ID": "people",
    "--person ID": "person ids",
    "--genre NAME": "genres",
    "--genre GENRE": "genres",
}
"""The kinds of values: by the command or the option and the placeholder, or by the placeholder alone."""

_BOLD: Final = re.compile("\x1b\\[1m(.*?)\x1b\\[0m")


def program() -> Any:
    """Return the parser of the program."""
    return typer.main.get_command(app)


def completion_data() -> str:
    """Return the content of ``mediasync/cli/commands.json``."""
    return json.dumps(_entry(program(), ""), indent=1, ensure_ascii=False) + "\n"


def _entry(command: Any, path: str) -> dict[str, Any]:
    real = _loaded(command)
    arguments = [each for each in real.params if each.param_type_name == "argument"]
    below = getattr(real, "commands", {})
    return {
        "help": _plain(real.help).partition("\n\n")[0].replace("\n", " ").strip().rstrip("."),
        "options": {
            name: {"help": _short(option.help), "value": _kind(option, path)}
            for option in _options(real)
            for name in (*option.opts, *option.secondary_opts)
        },
        "arguments": [_kind(argument, path) for argument in arguments],
        "many": any(argument.nargs < 0 for argument in arguments),
        "commands": {name: _entry(each, f"{path} {name}".strip()) for name, each in below.items()},
    }


def _loaded(command: Any) -> Any:
    return command.load() if hasattr(command, "load") else command


def _options(command: Any) -> Iterator[Any]:
    for each in command.params:
        if each.param_type_name == "option" and not each.hidden:
            yield each


def _kind(parameter: Any, path: str) -> Any:
    """Return the kind of a parameter's value, or the list of its choices; None for a flag."""
    if getattr(parameter, "is_flag", False):
        return None
    if choices := _choices(parameter.type_descriptor.annotation):
        return choices
    owner = path if parameter.param_type_name == "argument" else parameter.opts[0]
    placeholder = parameter.metavar or ""
    return KINDS.get(f"{owner} {placeholder}") or KINDS.get(placeholder) or ""


def _choices(annotation: Any) -> list[str]:
    """Return the values of the enumeration in an annotation; an empty list if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(member.value) for member in annotation]
    return next(filter(None, map(_choices, get_args(annotation))), [])


def _short(text: str | None) -> str:
    return " ".join((text or "").split()).partition(". ")[0].rstrip(".")


def _plain(text: str | None) -> str:
    return _BOLD.sub(r"\1", (text or "").replace("\b\n", ""))


# The man page


def man_page() -> str:
    """Return the man page ``mediasync(1)``."""
    whole = program()
    lines = [
        ".\\\" Made by 'python dev.py reference' from the helps of the commands. Do not edit.",
        '.TH MEDIASYNC 1 "" mediasync "User commands"',
        ".SH NAME",
        "mediasync \\- mirror movie and TV libraries, with cast and crew, into SQL",
        ".SH SYNOPSIS",
        ".B mediasync",
        "[\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]",
        ".SH DESCRIPTION",
        *_body(whole.help, skip=0),
        ".SH OPTIONS",
        *_option_lines(whole),
        ".SH COMMANDS",
    ]
    for path, command in _commands(whole, ""):
        lines += [f".SS mediasync {path}", *_usage(path, command), *_body(command.help, skip=0)]
        if not getattr(command, "commands", {}):
            lines += [*_option_lines(command)]
    lines += [
        ".SH FILES",
        ".TP",
        ".I mediasync.toml",
        "The configuration, in the working folder or in the user's configuration folder.",
        ".SH SEE ALSO",
        ".BR sqlite3 (1)",
    ]
    return "\n".join(lines) + "\n"


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, each in getattr(command, "commands", {}).items():
        real = _loaded(each)
        inner = f"{path} {name}".strip()
        yield inner, real
        yield from _commands(real, inner)


def _usage(path: str, command: Any) -> list[str]:
    arguments = " ".join(
        f"\\fI{_escaped(each.metavar or each.name.upper())}\\fR"
        for each in command.params
        if each.param_type_name == "argument"
    )
    rest = "\\fIcommand\\fR" if getattr(command, "commands", {}) else arguments
    return [f"\\fBmediasync {_escaped(path)}\\fR [\\fIoptions\\fR] {rest}".rstrip(), ".PP"]


def _paragraphs(text: str | None) -> list[str]:
    return _plain(text).strip().split("\n\n")


def _body(text: str | None, *, skip: int) -> list[str]:
    """Return paragraphs; one with indented lines stays as it is."""
    lines: list[str] = []
    for paragraph in _paragraphs(text)[skip:]:
        first, *rest = paragraph.split("\n")
        lines += [] if not lines else [".PP"]
        if any(line.startswith("  ") for line in rest):
            headed = not first.startswith("  ")
            lines += [f"\\fB{_escaped(first)}\\fR"] if headed else []
            plain = rest if headed else [first, *rest]
            indented = [line for line in plain if line.startswith("  ")]
            lines += [".RS 4", ".nf", *(_line(line[2:]) for line in indented), ".fi", ".RE"]
            lines += [_line(line) for line in plain if not line.startswith("  ")]
        else:
            lines += _folded(paragraph)
    return lines


def _option_lines(command: Any) -> list[str]:
    lines: list[str] = []
    for option in _options(command):
        names = ", ".join(f"\\fB{_escaped(name)}\\fR" for name in (*option.opts, *option.secondary_opts))
        kind = _kind(option, "")
        value = option.metavar or ("|".join(kind) if isinstance(kind, list) else "")
        shown = "" if kind is None or not value else f" \\fI{_escaped(value)}\\fR"
        lines += [".TP", f"{names}{shown}", *_folded(option.help or "")]
    return lines


def _folded(text: str) -> list[str]:
    """Return a text as source lines of at most 70 characters, before escaping."""
    return [_line(line) for line in textwrap.wrap(" ".join(text.split()), 70, break_on_hyphens=False)]


def _line(text: str) -> str:
    """Return a line of text that cannot be taken for a request."""
    escaped = _escaped(text)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")


def main() -> None:
    """Write both files."""
    MAN_PAGE.parent.mkdir(exist_ok=True)
    MAN_PAGE.write_text(man_page(), encoding="utf-8")
    COMMANDS_FILE.write_text(completion_data(), encoding="utf-8")


if __name__ == "__main__":
    main()
