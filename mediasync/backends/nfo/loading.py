"""Reading and parsing one NFO file. Processes that do only this import little else, and so start fast."""

from __future__ import annotations

import os
import stat
import traceback
import unicodedata
from dataclasses import dataclass
from typing import Final

from mediasync.backends.nfo.folders.os_errors import reason
from mediasync.formats.nfo.cleaning import EmptyNfoError, ForeignNfoError, NfoError
from mediasync.formats.nfo.parse import parse_nfo
from mediasync.formats.nfo.records import NfoRecord
from mediasync.vocabulary import MediaType

OPEN_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file that was read, and its state at that time."""

    records: list[NfoRecord]
    state: os.stat_result


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that could not be read.

    Attributes:
        reason: what is wrong, and where.
        foreign: whether the file is sound, but about neither films nor shows.
        is_empty: whether it describes nothing at all, like a plain text.
        state: of the file, if its bytes could be read.
    """

    reason: str
    foreign: bool = False
    is_empty: bool = False
    state: os.stat_result | None = None


def parse_file(root: str, path: str, kind: MediaType, size_limit: int) -> Loaded | Failed:
    """Read and parse a file, whatever is stored of it. Blocks, like `read`.

    Args:
        root: the real path of the root.
        path: of the file, relative to the root.
        kind: what it should describe.
        size_limit: in bytes.
    """
    where = unicodedata.normalize("NFC", path)
    try:
        data, state = read_file(root, path, size_limit)
    except OSError as error:
        return Failed(f"{where}: {reason(error)}")
    except NfoError as error:
        return Failed(f"{where}: {error}")
    try:
        return Loaded(parse_nfo(data, kind), state)
    except NfoError as error:
        is_foreign, is_empty = isinstance(error, ForeignNfoError), isinstance(error, EmptyNfoError)
        return Failed(f"{where}: {error}", is_foreign, is_empty, state)
    except Exception as error:  # a flaw of the parser must not cost the rest of the library
        return Failed(f"{where}: {_flaw(error)}", state=state)


def _flaw(error: Exception) -> str:
    """Describe an error that no file should cause, so that it can be reported."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}, line {frame.lineno}"
    return f"it could not be parsed ({type(error).__name__} in {place}): please report that, with the file"


def read_file(root: str, path: str, size_limit: int) -> tuple[bytes, os.stat_result]:
    """Read a whole file below *root* without following links.

    Returns:
        Its bytes, and its state, which was the same before and after reading.

    Raises:
        OSError: if it cannot be read.
        NfoError: if it is not a regular file, is too large, or changed while it was being read.
    """
    descriptor = os.open(os.path.join(root, path), OPEN_FLAGS)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise NfoError("it is not a regular file")
        if before.st_size > size_limit:
            raise NfoError(f"it is too large ({before.st_size} bytes; the limit is {size_limit})")
        data = bytearray()
        while len(data) <= before.st_size and (chunk := os.read(descriptor, before.st_size + 1 - len(data))):
            data += chunk
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    is_same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not is_same or len(data) != after.st_size:
        raise NfoError("it changed while it was being read")
    return bytes(data), after
