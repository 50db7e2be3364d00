"""Reading one NFO file, safely, and telling from outside whether it changed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mediasync.backends.nfo import naming
from mediasync.backends.nfo.cleaning import ForeignNfoError, NfoError
from mediasync.backends.nfo.folders import reason
from mediasync.backends.nfo.parse import Record, parse_nfo
from mediasync.backends.nfo.units import NfoFile
from mediasync.vocabulary import MediaType

_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)
_EPISODE_ID: Final = re.compile(r"(.*)#s\d+e\d+", re.DOTALL)
_SEASON_ID: Final = re.compile(r"(.*)#s\d+", re.DOTALL)
_COUNT: Final = re.compile(r"\d+-\d+-(\d{1,6})-[0-9a-f]+")
_HEAD: Final = 4096


@dataclass(frozen=True, slots=True)
class Same:
    """A file that did not change; the ids of the items in it."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file that was read, and its state then."""

    records: list[Record]
    state: os.stat_result


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that could not be read, and why.

    Attributes:
        reason: what is wrong, and where.
        foreign: whether the file is whole, but about neither films nor shows.
    """

    reason: str
    foreign: bool = False


Outcome = Same | Loaded | Failed


def read_file(root: str, path: str, size_limit: int) -> tuple[bytes, os.stat_result]:
    """Read a file below *root* whole, following no link.

    Returns:
        Its bytes, and its state, which was the same before and after reading.

    Raises:
        OSError: if it cannot be read.
        NfoError: if it is no regular file, too large, or changed while it was being read.
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
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(
        data
    ) != after.st_size:
        raise NfoError("it changed while it was being read")
    return bytes(data), after


def make_token(file: NfoFile, state: os.stat_result, count: int) -> str:
    """Compose the change token of the items in a file.

    ``SIZE-MTIME-COUNT-SURROUNDINGS``: of the file its size and time of change in nanoseconds, the number of
    items in it, and `NfoFile.surroundings`.
    """
    return f"{state.st_size}-{state.st_mtime_ns}-{count}-{file.surroundings}"


@dataclass(slots=True)
class Known:
    """The change tokens that are stored, ready to be asked about files.

    Attributes:
        tokens: by item key.
        episodes: the part of episodes' keys before ``#`` to those keys.
        seasons: shows' keys to their seasons' keys.
    """

    tokens: Mapping[str, str]
    episodes: dict[str, list[str]] = field(default_factory=dict)
    seasons: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in self.tokens:
            if match := _EPISODE_ID.fullmatch(key):
                self.episodes.setdefault(match[1], []).append(key)
            elif match := _SEASON_ID.fullmatch(key):
                self.seasons.setdefault(match[1], []).append(key)

    def keys_of(self, file: NfoFile) -> list[str]:
        """Return the stored keys that the items of a file may have."""
        if file.kind is MediaType.SEASON:
            return self.seasons.get(file.key, [])
        keys = [file.key] if file.key in self.tokens else []
        if file.kind is MediaType.EPISODE:
            keys += self.episodes.get(file.key, [])
        return keys

    def unchanged(self, file: NfoFile, state: os.stat_result) -> tuple[str, ...]:
        """Return the keys of the items in an unchanged file; none if any of them may have changed."""
        same: list[str] = []
        count = 0
        for key in self.keys_of(file):
            token = self.tokens[key]
            if (match := _COUNT.fullmatch(token)) and token == make_token(file, state, int(match[1])):
                same.append(key)
                count = int(match[1])
        return tuple(same) if len(same) == count else ()

    def below(self, key: str) -> list[str]:
        """Return the stored keys of all items in and below a folder."""
        return [known for known in self.tokens if known == key or known.startswith((f"{key}/", f"{key}#"))]


def load(root: str, file: NfoFile, known: Known, size_limit: int) -> Outcome:
    """Read and parse a file, unless it is unchanged. Blocks; never raises for what is wrong with the file."""
    try:
        if known.keys_of(file):
            state = os.stat(os.path.join(root, file.path), follow_symlinks=False)
            if same := known.unchanged(file, state):
                return Same(same)
        data, state = read_file(root, file.path, size_limit)
        records = parse_nfo(data, file.kind)
        _note_damage(file, records, known)
    except NfoError as error:
        return Failed(f"{naming.nfc(file.path)}: {error}", isinstance(error, ForeignNfoError))
    except OSError as error:
        return Failed(f"{naming.nfc(file.path)}: {reason(error)}")
    return Loaded(records, state)


def _note_damage(file: NfoFile, records: list[Record], known: Known) -> None:
    """Say of a damaged file that it is, unless what could be read of it is less than what is stored.

    Raises:
        NfoError: if a part of the file is missing, and it was read whole before: what is stored of it stays.
    """
    damage = records[0].damage
    if not damage:
        return
    keys = known.keys_of(file)
    lacking = records[0].cut or not all(record.title for record in records)
    if file.kind is MediaType.EPISODE and len(records) < len(keys):
        lacking = True
    if lacking and any(known.tokens[key] for key in keys):
        raise NfoError(f"{damage}; what is stored of it stays")
    records[0].problems.insert(
        0, f"{naming.nfc(file.path)}: {damage}: it was read as far as it could be, its people as a preview"
    )


def describes_episode(root: str, film_key: str, episode_key: str, path: str, known: Known) -> bool:
    """Whether an NFO file describes an episode: as it is stored, else by a look at its beginning."""
    if episode_key in known.episodes:
        return True
    if film_key in known.tokens:
        return False
    try:
        descriptor = os.open(os.path.join(root, path), _FLAGS)
        try:
            head = os.read(descriptor, _HEAD)
        finally:
            os.close(descriptor)
    except OSError:
        return False  # reading the file will report it
    return b"<episodedetails" in head.replace(b"\0", b"").lower()
