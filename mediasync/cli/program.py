"""The program: its commands, and how it reports errors."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Final

import typer

from mediasync.cli import config as configuration
from mediasync.cli.check import check
from mediasync.cli.context import CommandContext, environment, is_debugging
from mediasync.cli.copy import copy
from mediasync.cli.errors import Interrupted, OutputFailed, ReaderGone, exit_code
from mediasync.cli.logs import logging_to
from mediasync.cli.options import (
    ConfigOption,
    DatabaseOption,
    DebugOption,
    JsonOption,
    LogFormatOption,
    QuietOption,
    VerboseOption,
)
from mediasync.cli.output import Output
from mediasync.cli.person import person
from mediasync.cli.runs import runs
from mediasync.cli.show import show
from mediasync.cli.status import status
from mediasync.cli.sync import sync
from mediasync.errors import UsageError
from mediasync.settings.installation import find_version

NAME: Final = "mediasync"

# Typer exports only this error of its parser, and has moved the others. Their common root is two bases up.
_ParserError: Final[type[Exception]] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name=NAME,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {find_version() or '(not installed)'}")
        raise typer.Exit


def unwrapped(doc: str | None) -> str:
    """Return a docstring with each paragraph in one line, to fit any terminal. Lists stay as they are."""
    paragraphs = inspect.cleandoc(doc or "").split("\n\n")
    return "\n\n".join(text if "\n  " in text else text.replace("\n", " ") for text in paragraphs)


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


app.callback(invoke_without_command=True, help=unwrapped(program.__doc__))(program)
for command in (sync, status, runs, show, person, check, copy):
    app.command(help=unwrapped(command.__doc__))(command)
app.add_typer(configuration.config, name="config")


def run(arguments: Sequence[str]) -> int:
    """Run the program, and return its exit code. An error is reported in one line."""
    environ = environment()
    options = list(arguments)[: arguments.index("--")] if "--" in arguments else arguments
    out = Output(as_json="--json" in options, debug="--debug" in options or is_debugging(environ))
    # Set here, too, so that errors in the arguments are written in the requested format.
    out.logs_as_json = "--log-format=json" in options or ("--log-format", "json") in pairwise(options)
    command = CommandContext(out, environ)
    try:
        with out.installed(), logging_to(out):
            try:
                code = _invoke(arguments, command)
            except OutputFailed:
                raise
            except (Exception, KeyboardInterrupt) as error:
                code = _tell(error, command)
            out.flush()
    except OutputFailed as error:
        out.abandon()
        if not isinstance(error, ReaderGone):
            out.note(str(error))
        return exit_code(error)
    return code


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


def _tell(error: BaseException, command: CommandContext) -> int:
    if isinstance(error, _ParserError):
        told: BaseException = UsageError(_parser_text(error))
        told.__traceback__ = error.__traceback__
    else:
        told = error
    text = command.interrupted if isinstance(error, Interrupted) else None
    command.out.fail(told, text=text, **command.partial)
    return exit_code(told)


def _parser_text(error: Exception) -> str:
    text: str = error.format_message()  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else NAME
    return f"{text.rstrip('.')} ({command} --help explains)"
