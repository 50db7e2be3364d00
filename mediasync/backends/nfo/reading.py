"""Reading one NFO file, safely, and telling from outside whether it changed."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from mediasync.backends.nfo.folders import naming
from mediasync.backends.nfo.folders.files import FilmFiles, NfoFile
from mediasync.backends.nfo.folders.listing import reason
from mediasync.formats.nfo.cleaning import EmptyNfoError, ForeignNfoError, NfoError
from mediasync.formats.nfo.parse import Record, parse_nfo
from mediasync.vocabulary import MediaType

_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)
_EPISODE_ID: Final = re.compile(r"(.*)#s\d+e\d+", re.DOTALL)
_SEASON_ID: Final = re.compile(r"(.*)#s\d+", re.DOTALL)
_TOKEN: Final = re.compile(r"(\d+-\d+)-(\d{1,6})(?:\.(\d+))?-[0-9a-f]+-([a-z]+)")
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
    """A file, or some that belong together, that did not change.

    Attributes:
        ids: the keys of the items in it.
        state: of the file.
        left_out: of several files those that describe nothing.
    """

    ids: tuple[str, ...]
    state: os.stat_result | None = None
    left_out: tuple[NfoFile, ...] = ()


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
        is_empty: whether it describes nothing at all: a text, say.
        state: of the file, if it could be read.
    """

    reason: str
    foreign: bool = False
    is_empty: bool = False
    state: os.stat_result | None = None


@dataclass(frozen=True, slots=True)
class Several:
    """Files that may describe the same film: what became of each."""

    outcomes: list[Loaded | Failed]


Outcome = Same | Loaded | Failed | Several


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


def make_token(file: NfoFile, state: os.stat_result, count: int, kind: MediaType | None = None) -> str:
    """Compose the change token of the items in a file.

    ``SIZE-MTIME-COUNT-SURROUNDINGS-KIND``: of the file its size and time of change in nanoseconds, the number
    of items in it, `NfoFile.surroundings`, and the kind of its items.

    Args:
        file: the file.
        state: of the file when it was read.
        count: how many items it describes.
        kind: of the items, if it is not the one that the file should describe.
    """
    return f"{_state(state)}-{count}-{file.surroundings}-{kind or file.kind}"


def make_season_token(file: NfoFile, state: os.stat_result, surroundings: list[str]) -> str:
    """Compose the change token of a season without a file of its own.

    Args:
        file: the show's file, which may name the season.
        state: of that file.
        surroundings: the season's folder and artwork.
    """
    text = "\0".join([_state(state), file.surroundings, *surroundings])
    return f"made-{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


def make_film_token(
    films: FilmFiles, file: NfoFile, states: list[os.stat_result], count: int, left_out: int
) -> str:
    """Compose the change token of a film that is one of several NFO files' in its folder.

    Whether these files describe one film or several depends on all of them, so each token covers all.

    Args:
        films: the files.
        file: the one that describes the film.
        states: of all files, in their order.
        count: how many of the files describe the film.
        left_out: of the files a bit for each that describes nothing, at its place.
    """
    parts = [films.shared_key or "", *sorted(films.shared_images.values())]
    parts += [
        f"{other.surroundings}-{_state(state)}" for other, state in zip(films.files, states, strict=True)
    ]
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
    state = _state(states[films.files.index(file)])
    return f"{state}-{count}.{left_out}-{digest}-{file.kind}"


def _state(state: os.stat_result) -> str:
    return f"{state.st_size}-{state.st_mtime_ns}"


@dataclass(slots=True)
class Known:
    """The change tokens that are stored, ready to be asked about files.

    Attributes:
        tokens: by item key.
        episodes: the part of episodes' keys before ``#`` to those keys.
        seasons: shows' keys to their seasons' keys.
        parents: the keys of the folders in which films and shows lie.
        states: of files that were looked at and are about to be loaded, by their paths.
    """

    tokens: Mapping[str, str]
    episodes: dict[str, list[str]] = field(default_factory=dict)
    seasons: dict[str, list[str]] = field(default_factory=dict)
    parents: set[str] = field(default_factory=set)
    states: dict[str, os.stat_result] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in self.tokens:
            if match := _EPISODE_ID.fullmatch(key):
                self.episodes.setdefault(match[1], []).append(key)
            elif match := _SEASON_ID.fullmatch(key):
                self.seasons.setdefault(match[1], []).append(key)
            else:
                self.parents.add(key.rpartition("/")[0] or ".")

    def was_show(self, key: str) -> bool:
        """Whether a folder was a show, with seasons."""
        return key in self.seasons

    def was_parent(self, key: str) -> bool:
        """Whether films or shows lay in a folder."""
        return key in self.parents

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
            if (match := _TOKEN.fullmatch(token)) and token == make_token(
                file, state, int(match[2]), _kind(match[4])
            ):
                same.append(key)
                count = int(match[2])
        return tuple(same) if len(same) == count else ()

    def unchanged_films(self, films: FilmFiles, states: list[os.stat_result]) -> Same | None:
        """Return the films that unchanged files describe; ``None`` unless all files are accounted for."""
        same: list[str] = []
        described = left_out = 0
        for key in dict.fromkeys([films.shared_key or "", *(file.key for file in films.files)]):
            match = _TOKEN.fullmatch(self.tokens.get(key, ""))
            if match is None or match[3] is None:
                continue
            count, mask = int(match[2]), int(match[3])
            if any(match[0] == make_film_token(films, file, states, count, mask) for file in films.files):
                same.append(key)
                described += count
                left_out |= mask
        if described + left_out.bit_count() != len(films.files):
            return None
        left = (file for place, file in enumerate(films.files) if left_out >> place & 1)
        return Same(tuple(same), left_out=tuple(left))

    def kind_of(self, keys: Collection[str], state: os.stat_result) -> MediaType | None:
        """Return the kind of an unchanged file's items, ``None`` if it changed or is not known.

        Args:
            keys: those that its items may have; of episodes the part before ``#``.
            state: of the file now.
        """
        for key in keys:
            for stored in (key, *self.episodes.get(key, ())):
                match = _TOKEN.fullmatch(self.tokens.get(stored, ""))
                if match and match[1] == _state(state):
                    return _kind(match[4])
        return None

    def below(self, key: str) -> list[str]:
        """Return the stored keys of all items in and below a folder."""
        return [known for known in self.tokens if known == key or known.startswith((f"{key}/", f"{key}#"))]


def load(root: str, file: NfoFile, known: Known, size_limit: int) -> Same | Loaded | Failed:
    """Read and parse a file, unless it is unchanged. Blocks; never raises for what is wrong with the file."""
    if known.keys_of(file):
        try:
            state = _current_state(root, file, known)
        except OSError as error:
            return Failed(f"{naming.nfc(file.path)}: {reason(error)}")
        if same := known.unchanged(file, state):
            return Same(same, state)
    elif file.first and _is_unchanged(root, file.first, known):
        return Same(())  # the first file's token stands for both
    return read(root, file, known, size_limit)


def _current_state(root: str, file: NfoFile, known: Known) -> os.stat_result:
    """Return the state of a file, as it was looked at just now or as it is."""
    looked_at = known.states.pop(file.path, None)
    return looked_at or os.stat(os.path.join(root, file.path), follow_symlinks=False)


def _is_unchanged(root: str, file: NfoFile, known: Known) -> bool:
    try:
        return bool(known.unchanged(file, os.stat(os.path.join(root, file.path), follow_symlinks=False)))
    except OSError:
        return False


def state_of(root: str, path: str) -> str:
    """Return what tells whether a file changed; empty if nobody knows."""
    try:
        return _state(os.stat(os.path.join(root, path), follow_symlinks=False))
    except OSError:
        return ""


def read(root: str, file: NfoFile, known: Known, size_limit: int) -> Loaded | Failed:
    """Read and parse a file, whether it changed or not. Blocks; never raises, as `load`."""
    where = naming.nfc(file.path)
    try:
        data, state = read_file(root, file.path, size_limit)
    except OSError as error:
        return Failed(f"{where}: {reason(error)}")
    except NfoError as error:
        return Failed(f"{where}: {error}")
    try:
        records = parse_nfo(data, file.kind)
        _note_damage(file, records, known)
    except NfoError as error:
        is_foreign, is_empty = isinstance(error, ForeignNfoError), isinstance(error, EmptyNfoError)
        return Failed(f"{where}: {error}", is_foreign, is_empty, state)
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


def load_films(root: str, films: FilmFiles, known: Known, size_limit: int) -> Same | Several:
    """Read and parse files that may describe the same film, unless all are unchanged. Blocks, as `load`."""
    try:
        states = [_current_state(root, file, known) for file in films.files]
    except OSError:
        states = []  # reading will report it
    if states and (same := known.unchanged_films(films, states)):
        return same
    key = films.shared_key if films.shared_key in known.tokens else None
    files = [replace(file, key=key or file.key) for file in films.files]
    return Several([read(root, file, known, size_limit) for file in files])


def look(root: str, path: str, keys: Collection[str], *, known: Known) -> MediaType | None:
    """Say what an NFO file describes: as it is stored, else by a look at its beginning.

    Args:
        root: the real path of the root.
        path: of the file, relative to it.
        keys: see `Known.kind_of`.
        known: the stored change tokens.

    Returns:
        The kind, ``None`` if the file's beginning does not name one, or cannot be read: that is reported
        when the file is read.
    """
    absolute = os.path.join(root, path)
    try:
        state = os.stat(absolute, follow_symlinks=False)
        if not stat.S_ISREG(state.st_mode):
            return None
        if kind := known.kind_of(keys, state):
            known.states[path] = state
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


def _kind(text: str) -> MediaType | None:
    return next((kind for kind in MediaType if kind == text), None)
