"""Reading NFO files safely, and only where they changed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.files import FilmFiles, NfoFile
from mediasync.backends.nfo.folders.os_errors import reason
from mediasync.backends.nfo.loading import OPEN_FLAGS, Failed, Loaded, parse_file
from mediasync.backends.nfo.tokens import StoredTokens
from mediasync.formats.nfo.cleaning import NfoError
from mediasync.formats.nfo.records import NfoRecord
from mediasync.vocabulary import MediaType

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
class Several:
    """Files that may describe the same film.

    Attributes:
        outcomes: what became of each, by path.
    """

    outcomes: dict[str, Loaded | Failed]


Outcome = Same | Loaded | Failed | Several


def find_unchanged(root: str, file: NfoFile, stored: StoredTokens) -> Same | Failed | None:
    """Return that a file is unchanged, or cannot be looked at; None if it is to be read. Blocks."""
    if stored.keys_of(file):
        try:
            state = _current_state(root, file, stored)
        except OSError as error:
            return Failed(f"{naming.nfc(file.path)}: {reason(error)}")
        if keys := stored.find_unchanged(file, state):
            return Same(keys, state)
    elif file.first and _is_unchanged(root, file.first, stored):
        return Same(())  # the token of the first file covers both
    return None


def find_unchanged_films(root: str, films: FilmFiles, stored: StoredTokens) -> Same | None:
    """Return that files which may describe the same film are all unchanged; None if they are to be read.

    Blocks.
    """
    try:
        states = {file.path: _current_state(root, file, stored) for file in films.files}
    except OSError:
        return None  # reading the file reports the error
    if unchanged := stored.find_unchanged_films(films, states):
        keys, left_out = unchanged
        return Same(keys, left_out=left_out)
    return None


def read(root: str, file: NfoFile, stored: StoredTokens, size_limit: int) -> Loaded | Failed:
    """Read and parse a file, whether it changed or not. Blocks; a bad file gives a `Failed`, no exception."""
    return settle(file, parse_file(root, file.path, file.kind, size_limit), stored)


def settle(file: NfoFile, outcome: Loaded | Failed, stored: StoredTokens) -> Loaded | Failed:
    """Return the outcome of a file; a damaged one failed if less could be read of it than is stored."""
    if isinstance(outcome, Loaded) and outcome.records[0].damage:
        try:
            _note_damage(file, outcome.records, stored)
        except NfoError as error:
            return Failed(f"{naming.nfc(file.path)}: {error}", state=outcome.state)
    return outcome


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
        descriptor = os.open(absolute, OPEN_FLAGS)
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
    keys = stored.keys_of(file)
    is_lacking = records[0].cut or not all(record.title for record in records)
    if file.kind is MediaType.EPISODE and len(records) < len(keys):
        is_lacking = True
    if is_lacking and any(stored.tokens[key] for key in keys):
        raise NfoError(f"{damage}; what is stored of it stays")
    records[0].problems.insert(
        0, f"{naming.nfc(file.path)}: {damage}: it was read as far as possible, and its people are a preview"
    )
