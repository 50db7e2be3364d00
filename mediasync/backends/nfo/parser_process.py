"""The program of a process that reads and parses NFO files for another process.

It reads requests from its standard input and writes an answer to each of them to its standard output. Both
are pickled, behind their length in four bytes. It ends when its input ends.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from contextlib import suppress
from typing import Any, BinaryIO, Final

from mediasync.backends.nfo.loading import Failed, Loaded, parse_file
from mediasync.vocabulary import MediaType

_PIPE_BYTES: Final = 1 << 20

READY: Final = b"\n"
"""What the process writes when it can take requests."""

Request = list[tuple[str, MediaType]]
"""The path of each file, relative to the root, and what it should describe."""

Answer = list[Loaded | Failed]
"""The outcome of each file, in the order of the request."""


def write_message(message: Any) -> bytes:
    """Return a message as its length and its bytes."""
    text = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(text).to_bytes(4, "big") + text


def _read_message(source: BinaryIO) -> Any | None:
    head = source.read(4)
    return pickle.loads(source.read(int.from_bytes(head, "big"))) if head else None  # noqa: S301


def _enlarge_pipe(descriptor: int) -> None:
    """Make room for whole answers, so that this process need not wait until they are read."""
    import fcntl

    with suppress(OSError):  # more than this user's pipes may have
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def main() -> None:
    """Answer requests until the input ends. The arguments are the root's real path and the size limit."""
    root, size_limit = sys.argv[1], int(sys.argv[2])
    if sys.platform == "linux":
        with suppress(
            OSError
        ):  # the other process may have kept itself to one core, and this one uses another
            os.sched_setaffinity(0, range(os.cpu_count() or 1))
        _enlarge_pipe(sys.stdout.fileno())
    gc.freeze()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    target.write(READY)
    target.flush()
    request: Request | None
    while (request := _read_message(source)) is not None:
        answer: Answer = [parse_file(root, path, kind, size_limit) for path, kind in request]
        target.write(write_message(answer))
        target.flush()


if __name__ == "__main__":
    main()
