"""Reading NFO files safely, and only where they changed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.files import FilmFiles, NfoFile
from mediasync.backends.nfo.folders.listing import reason
from mediasync.backends.nfo.tokens import StoredTokens
from mediasync.formats.nfo.cleaning import EmptyNfoError, ForeignNfoError, NfoError
from mediasync.formats.nfo.parse import NfoRecord, parse_nfo
from mediasync.vocabulary import MediaType

_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)
_COMMENT_OR_DECLARATION: Final = re.compile(rb"<!--.*?(?:-->|$)|<[?!][^>]*", re.DOTALL)
_ROOTS: Final = {
    b"movie": MediaType.MOVIE,
    b"tvshow": MediaType.SHOW,
    b"season": MediaType.SEASON,
    b"episodedetails": MediaType.EPISODE,
}
_ELEMENT: Final = re.compile(rb"<(?:[\w.-]+:)?(" + b"|".join(_ROOTS) + rb")[\s/>]")
_HEAD: Final = 4096


@dataclass(frozen=True, slots=True)
class Same:
    """A file that did not change, or several that belong together.

    Attributes:
        ids: the keys of the items in it.
        state: of the file.
        left_out: of several files, those that describe nothing.
    """

    ids: tuple[str, ...]
    state: os.stat_result | None = None
    left_out: tuple[NfoFile, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Several:
    """Files that may describe the same film.

    Attributes:
        outcomes: what became of each, by path.
    """

    outcomes: dict[str, Loaded | Failed]


Outcome = Same | Loaded | Failed | Several


def load(root: str, file: NfoFile, stored: StoredTokens, size_limit: int) -> Same | Loaded | Failed:
    """Read and parse a file unless it is unchanged. Blocks; a bad file gives a `Failed`, not an exception."""
    if stored.keys_of(file):
        try:
            state = _current_state(root, file, stored)
        except OSError as error:
            return Failed(f"{naming.nfc(file.path)}: {reason(error)}")
        if keys := stored.find_unchanged(file, state):
            return Same(keys, state)
    elif file.first and _is_unchanged(root, file.first, stored):
        return Same(())  # the token of the first file covers both
    return read(root, file, stored, size_limit)


def load_films(root: str, films: FilmFiles, stored: StoredTokens, size_limit: int) -> Same | Several:
    """Read and parse files that may describe the same film, unless all are unchanged. Blocks, like `load`."""
    try:
        states = {file.path: _current_state(root, file, stored) for file in films.files}
    except OSError:
        states = {}  # reading the file reports the error
    if states and (unchanged := stored.find_unchanged_films(films, states)):
        keys, left_out = unchanged
        return Same(keys, left_out=left_out)
    key = films.shared_key if films.shared_key in stored.tokens else None
    files = [replace(file, key=key or file.key) for file in films.files]
    return Several({file.path: read(root, file, stored, size_limit) for file in files})


def read(root: str, file: NfoFile, stored: StoredTokens, size_limit: int) -> Loaded | Failed:
    """Read and parse a file, whether it changed or not. Blocks; never raises, like `load`."""
    where = naming.nfc(file.path)
    try:
        data, state = read_file(root, file.path, size_limit)
    except OSError as error:
        return Failed(f"{where}: {reason(error)}")
    except NfoError as error:
        return Failed(f"{where}: {error}")
    try:
        records = parse_nfo(data, file.kind)
        _note_damage(file, records, stored)
    except NfoError as error:
        is_foreign, is_empty = isinstance(error, ForeignNfoError), isinstance(error, EmptyNfoError)
        return Failed(f"{where}: {error}", is_foreign, is_empty, state)
    return Loaded(records, state)


def read_file(root: str, path: str, size_limit: int) -> tuple[bytes, os.stat_result]:
    """Read a whole file below *root* without following links.

    Returns:
        Its bytes, and its state, which was the same before and after reading.

    Raises:
        OSError: if it cannot be read.
        NfoError: if it is not a regular file, is too large, or changed while it was being read.
    """
    descriptor = os.open(os.path.join(root, path), _FLAGS)
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


def look(root: str, path: str, keys: Collection[str], *, stored: StoredTokens) -> MediaType | None:
    """Return what an NFO file describes: what is stored of it, else what its beginning says.

    Args:
        root: the real path of the root.
        path: of the file, relative to the root.
        keys: the keys that its items may have; see `StoredTokens.kind_of`.
        stored: the stored change tokens.

    Returns:
        The kind, None if the beginning of the file names none or cannot be read, which is reported when the
        file is loaded.
    """
    absolute = os.path.join(root, path)
    try:
        state = os.stat(absolute, follow_symlinks=False)
        if not stat.S_ISREG(state.st_mode):
            return None
        if kind := stored.kind_of(keys, state):
            stored.states[path] = state
            return kind
        descriptor = os.open(absolute, _FLAGS)
        try:
            head = os.read(descriptor, _HEAD)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    head = _COMMENT_OR_DECLARATION.sub(b"", head.replace(b"\0", b"").lower())
    match = _ELEMENT.search(head)
    return _ROOTS[match[1]] if match else None


def _current_state(root: str, file: NfoFile, stored: StoredTokens) -> os.stat_result:
    """Return the state that a look has just seen, else ask for it."""
    looked_at = stored.states.pop(file.path, None)
    return looked_at or os.stat(os.path.join(root, file.path), follow_symlinks=False)


def _is_unchanged(root: str, file: NfoFile, stored: StoredTokens) -> bool:
    try:
        state = os.stat(os.path.join(root, file.path), follow_symlinks=False)
    except OSError:
        return False
    return bool(stored.find_unchanged(file, state))


def _note_damage(file: NfoFile, records: list[NfoRecord], stored: StoredTokens) -> None:
    """Add the problem that a file is damaged, unless less could be read of it than is stored.

    Raises:
        NfoError: if a part of the file is missing that was there before: what is stored stays.
    """
    damage = records[0].damage
    if not damage:
        return
    keys = stored.keys_of(file)
    is_lacking = records[0].cut or not all(record.title for record in records)
    if file.kind is MediaType.EPISODE and len(records) < len(keys):
        is_lacking = True
    if is_lacking and any(stored.tokens[key] for key in keys):
        raise NfoError(f"{damage}; what is stored of it stays")
    records[0].problems.insert(
        0, f"{naming.nfc(file.path)}: {damage}: it was read as far as possible, and its people are a preview"
    )
