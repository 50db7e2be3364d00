"""The options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Final

import typer

from mediasync.cli.context import CommandContext, LogFormat

PLAIN: Final[dict[str, Any]] = {"rich_markup_mode": None, "pretty_exceptions_enable": False}
"""For each Typer: it writes helps by itself. To have Rich do it would double the time to start."""

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL|PATH",
        help="The database: a URL (sqlite:///media.db) or a plain path (media.db). "
        "It overrides MEDIASYNC_DATABASE, which overrides the configuration file. The default is "
        "mediasync.db in your data folder.",
        show_default=False,
    ),
]
FileModeOption = Annotated[
    str | None,
    typer.Option(
        "--file-mode",
        metavar="MODE",
        help="The permissions of a new SQLite file, in octal: 0640 lets its group read it. It overrides "
        "MEDIASYNC_FILE_MODE, which overrides the configuration file. By default only its owner may read it.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Write one JSON object to standard output, and nothing else.")
]
DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show where an error happened. MEDIASYNC_DEBUG=1 does the same.")
]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration file. It overrides MEDIASYNC_CONFIG. The default is mediasync.toml in the "
        "working folder, or else in your configuration folder.",
        show_default=False,
    ),
]
SourceOption = Annotated[
    str | None, typer.Option("--source", metavar="ID", help="Only this source.", show_default=False)
]
EVERYTHING: Final = 2**62
"""A limit that nothing reaches."""
ChangesOption = Annotated[
    int,
    typer.Option("--limit", metavar="N", min=1, max=EVERYTHING, help="Show at most this many changes."),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print nothing unless something goes wrong.")
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show the log: each run, request and group of saves.")
]
LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option(
        "--log-format",
        help="How standard error is written: for people (text), or one JSON object a line (json).",
        show_default=False,
    ),
]
LimitOption = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, max=2**62, help="Show at most this many.")
]
AllOption = Annotated[bool, typer.Option("--all", "-a", help="Leave nothing out of long lists.")]

OF_EVERY_COMMAND: Final = ("database", "config", "as_json", "debug")
"""The names of the options of every command."""

OF_LONG_COMMANDS: Final = ("quiet", "verbose", "log_format")
"""The names of the further options of commands that report their progress."""

_OPTIONS: Final[dict[str, tuple[Any, Any]]] = {
    "database": (DatabaseOption, None),
    "file_mode": (FileModeOption, None),
    "config": (ConfigOption, None),
    "as_json": (JsonOption, False),
    "debug": (DebugOption, False),
    "quiet": (QuietOption, False),
    "verbose": (VerboseOption, False),
    "log_format": (LogFormatOption, None),
}
"""The annotation and the default of each shared option."""


def for_terminal(doc: str | None) -> str:
    """Return a docstring as a help: each paragraph fits any terminal, and lists stay as they are."""
    text = inspect.cleandoc(doc or "").replace("[bold]", "\x1b[1m").replace("[/bold]", "\x1b[0m")
    return "\n\n".join(f"\b\n{part}" if "\n  " in part else part for part in text.split("\n\n"))


def with_options(*names: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add shared options after a command's own, and pass it the `CommandContext` that they apply to.

    Its docstring becomes its help.

    Args:
        *names: the names of the shared options, in the order of ``--help``.
    """
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name in names
        for annotation, default in (_OPTIONS[name],)
    ]

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        @wraps(command)
        def run(context: typer.Context, **arguments: Any) -> int:
            given = {name: arguments.pop(name) for name in names}
            return command(CommandContext.of(context, **given), **arguments)

        run.__doc__ = for_terminal(command.__doc__)
        _, *own = inspect.signature(command, eval_str=True).parameters.values()
        first = inspect.Parameter(
            "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )
        parameters = [first, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *shared]
        # Typer reads the options from the signature, and their types from the annotations.
        run.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return run

    return decorate
