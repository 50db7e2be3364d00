"""Output: the answer goes to standard output, everything else to standard error."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeVar, cast

from mediasync.cli.errors import OutputFailed, ReaderGone, error_kind, error_text
from mediasync.display import safe

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

T = TypeVar("T")

# Output to a program or a file is never wrapped, so that one thing stays in one line.
_UNFOLDED: Final = 1_000_000
_SHOW_CURSOR: Final = "\x1b[?25h"


class _Guarded:
    """A stream that raises this package's errors when writing fails.

    The parser and Rich write to it, too. Without it both would exit at a broken pipe, with the exit code of
    failed items.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        return self._guard(partial(self._stream.write, text))

    def flush(self) -> None:
        self._guard(self._stream.flush)

    @staticmethod
    def _guard(write: Callable[[], T]) -> T:
        try:
            return write()
        except BrokenPipeError as error:
            raise ReaderGone("nobody reads the output") from error
        except OSError as error:
            raise OutputFailed(f"the output cannot be written: {error.strerror or error}") from error


class Output:
    """Standard output and standard error, as a command uses them.

    With ``--json`` one JSON object is written to standard output, and nothing else.

    Attributes:
        as_json: whether ``--json`` was given.
        debug: whether errors are shown with their traceback.
        quiet: whether only problems are reported.
        verbose: whether the whole log is written.
        logs_as_json: whether each line on standard error is a JSON object.
    """

    def __init__(self, *, as_json: bool, debug: bool) -> None:
        self.as_json = as_json
        self.debug = debug
        self.quiet = False
        self.verbose = False
        self.logs_as_json = False
        self._stdout = cast("TextIO", _Guarded(_harmless_stream(sys.stdout)))
        self._stderr = _harmless_stream(sys.stderr)

    @cached_property
    def console(self) -> Console:
        """Standard error, for progress."""
        return _console(self._stderr)

    @cached_property
    def _screen(self) -> Console:
        return _console(self._stdout)

    @property
    def is_screen(self) -> bool:
        """Whether standard output is a terminal."""
        return self._screen.is_terminal

    @property
    def tells_by_log(self) -> bool:
        """Whether the log replaces the progress."""
        return self.verbose or self.logs_as_json

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Replace ``sys.stdout``, so that writing to it raises the same errors as `print`."""
        before = sys.stdout
        sys.stdout = self._stdout
        try:
            yield
        finally:
            sys.stdout = before

    def print(self, *parts: RenderableType) -> None:
        """Write for people, on standard output.

        Raises:
            OutputFailed: if it cannot be written; `ReaderGone` if the reader is gone.
        """
        if self._screen.is_terminal:
            for part in parts:
                self._screen.print(part)
            return
        paper = io.StringIO()
        console = _console(paper, width=_UNFOLDED)
        for part in parts:
            console.print(part)
        self.write("\n".join(line.rstrip() for line in paper.getvalue().split("\n")))

    def write(self, text: str) -> None:
        """Write a text to standard output as it is.

        Raises:
            OutputFailed: as `print` does.
        """
        self._stdout.write(text)

    def dump(self, document: dict[str, Any]) -> None:
        """Write a JSON object to standard output, in ASCII, so that no encoding or terminal changes it.

        Raises:
            OutputFailed: as `print` does.
        """
        self.write(json.dumps(document, indent=2) + "\n")

    def dump_line(self, document: dict[str, Any]) -> None:
        """Write a JSON object to standard output at once, as one line of several.

        Raises:
            OutputFailed: as `print` does.
        """
        self.write(json.dumps(document) + "\n")
        self.flush()

    def note(
        self, text: str, *, level: int = logging.INFO, logger: str = "mediasync.cli", **fields: Any
    ) -> None:
        """Write one line to standard error.

        Args:
            text: the message.
            level: a level of `logging`. Like the following arguments it appears only in JSON lines.
            logger: the name of the logger.
            **fields: further fields.
        """
        if not self.logs_as_json:
            self._tell(f"mediasync: {safe(text)}\n")
            return
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": logging.getLevelName(level).lower(),
            "logger": logger,
            "message": safe(text),
            **fields,
        }
        self._tell(json.dumps(line) + "\n")

    def fail(self, error: BaseException, *, text: str | None = None, **partial: Any) -> None:
        """Report an error: one line on standard error, and with ``--json`` an object on standard output.

        Args:
            error: the error.
            text: the message, if it is not the error's own.
            **partial: further fields of the object.
        """
        message = safe(error_text(error) if text is None else text)
        self.note(message, level=logging.ERROR)
        self.trace(error)
        if self.as_json:
            self.dump({**partial, "error": {"kind": error_kind(error), "message": message}})

    def trace(self, error: BaseException) -> None:
        """With ``--debug``, write the traceback of an error."""
        if not self.debug:
            return
        lines = "".join(traceback.format_exception(error))
        if self.logs_as_json:
            self.note(str(error), level=logging.DEBUG, traceback=lines)
        else:
            self._tell(lines)

    def flush(self) -> None:
        """Flush standard output.

        Raises:
            OutputFailed: as `print` does.
        """
        self._stdout.flush()

    def abandon(self) -> None:
        """Discard all further output, including what the interpreter would flush at exit."""
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stdout.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            # A stream without a file descriptor cannot fail at exit.
            return

    def leave_screen(self) -> None:
        """Restore the terminal while progress is shown."""
        if self.console.is_terminal:
            self._tell(f"{_SHOW_CURSOR}\n")

    def _tell(self, text: str) -> None:
        try:
            self._stderr.write(text)
            self._stderr.flush()
        except (OSError, ValueError):
            # Standard error is gone, so there is nowhere to report it.
            return


def _harmless_stream(stream: TextIO | None) -> TextIO:
    """Return *stream*, set to replace characters that its encoding lacks; a sink for None."""
    if stream is None:
        return io.StringIO()
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    return stream


def _console(file: TextIO, width: int | None = None) -> Console:
    from rich.console import Console  # not every command writes for people

    return Console(file=file, width=width, markup=False, emoji=False, highlight=False)
