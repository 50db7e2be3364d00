"""The log on standard error, as text or as JSON, while a command runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from mediasync.cli.output import Output

PACKAGE: Final = logging.getLogger("mediasync")
_OF_SYNCS: Final = "mediasync.sync"


@contextmanager
def logging_to(out: Output) -> Iterator[None]:
    """Write the log to *out*: all records of this package, and warnings of other packages.

    httpx and other libraries log each request or statement below WARNING. Those records are dropped.
    """
    handler, root, before = _Handler(out), logging.getLogger(), PACKAGE.level
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        PACKAGE.setLevel(before)


def set_level(out: Output) -> None:
    """Set the level of the package's log to what *out* writes."""
    if out.verbose:
        PACKAGE.setLevel(logging.DEBUG)
    elif out.logs_as_json and not out.quiet:
        PACKAGE.setLevel(logging.INFO)
    else:
        PACKAGE.setLevel(logging.WARNING)


class _Handler(logging.Handler):
    def __init__(self, out: Output) -> None:
        super().__init__()
        self._out = out

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(PACKAGE.name):
            return record.levelno >= logging.WARNING
        # The progress reports on syncs, unless the log replaces it.
        return self._out.tells_by_log or record.name != _OF_SYNCS

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: vars(record)[name] for name in ("source_id", "run_id") if name in vars(record)}
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not record.name.startswith(PACKAGE.name):
            # The web server says no more. What the error says is for --debug: it may hold an address.
            text += f": {type(error).__name__} (--debug shows where)"
        self._out.note(text, level=record.levelno, logger=record.name, **fields)
        if error is not None:
            self._out.trace(error)
