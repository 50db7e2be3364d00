"""Exit codes, and the errors that only the command line has."""

from __future__ import annotations

import signal
from enum import IntEnum

from mediasync.errors import DatabaseError, ExportFailed, LeaseError, MediaSyncError, SourceError


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    OK = 0
    INCOMPLETE = 1
    """Some items failed, or nothing was found."""
    USAGE = 2
    SOURCE = 3
    DATABASE = 4
    CONFIRMATION = 5
    """A removal has to be confirmed."""
    BUSY = 6
    """Another worker syncs the source."""
    INTERNAL = 70
    """An internal error (EX_SOFTWARE of ``sysexits.h``)."""
    OUTPUT = 74
    """The output could not be written (EX_IOERR)."""
    BROKEN_PIPE = 141
    """The reader of the output is gone. A shell reports this code for a program that SIGPIPE ended."""


class NotFound(MediaSyncError):
    """Nothing stored matches the request."""


class OutputFailed(Exception):
    """Standard output cannot be written."""


class ReaderGone(OutputFailed):
    """The reader of standard output is gone."""


class Interrupted(Exception):
    """A signal ended the command.

    Attributes:
        number: the number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.number = number


def exit_code(error: BaseException) -> int:
    """Return the exit code for *error*."""
    match error:
        case Interrupted(number=number):
            return 128 + number
        case KeyboardInterrupt():
            return 128 + signal.SIGINT
        case ReaderGone():
            return ExitCode.BROKEN_PIPE
        case OutputFailed() | ExportFailed():
            return ExitCode.OUTPUT
        case NotFound():
            return ExitCode.INCOMPLETE
        case SourceError():
            return ExitCode.SOURCE
        case DatabaseError():
            return ExitCode.DATABASE
        case LeaseError():
            return ExitCode.BUSY
        case MediaSyncError():
            return ExitCode.USAGE
        case _:
            return ExitCode.INTERNAL


def error_kind(error: BaseException) -> str:
    """Return the ``kind`` of *error* in JSON documents: the name of its class, unless it is internal."""
    if isinstance(error, MediaSyncError | OutputFailed | Interrupted):
        return type(error).__name__
    return "Interrupted" if isinstance(error, KeyboardInterrupt) else "InternalError"


def error_text(error: BaseException) -> str:
    """Return the message of *error* for people."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if exit_code(error) == ExitCode.INTERNAL:
        return (
            f"internal error, please report it: {type(error).__name__}: {error} "
            "(--debug shows where it happened)"
        )
    return str(error)
