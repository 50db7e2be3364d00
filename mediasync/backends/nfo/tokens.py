"""Change tokens: recognising from outside that an NFO file, and what lies around it, did not change."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from mediasync.backends.nfo.folders.files import FilmFiles, NfoFile
from mediasync.backends.nfo.folders.listing import describe_state
from mediasync.vocabulary import MediaType

_EPISODE_ID: Final = re.compile(r"(.*)#s\d+e\d+", re.DOTALL)
_SEASON_ID: Final = re.compile(r"(.*)#s\d+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FileToken:
    """The change token of an item that is described by an NFO file.

    Its text is ``SIZE-MTIME-COUNT-SURROUNDINGS-KIND``, with ``COUNT.LEFT_OUT`` for a film that is one of
    several files'.

    Attributes:
        size: the file's size in bytes.
        mtime_ns: when the file was last modified, in nanoseconds since 1970.
        count: how many items the file describes, each with a token of its own; of a film among several files,
            how many of the files describe it.
        surroundings: a digest of everything else that the item depends on.
        kind: what the item is.
        left_out: a bit for each of several files that describes nothing; None for a file on its own.

    Example:
        >>> token = FileToken.parse("120-1700000000000000000-2-0f3a-episode")
        >>> token.count, token.kind, str(token)
        (2, <MediaType.EPISODE: 'episode'>, '120-1700000000000000000-2-0f3a-episode')
        >>> FileToken.parse("made-0f3a") is None
        True
    """

    size: int
    mtime_ns: int
    count: int
    surroundings: str
    kind: MediaType
    left_out: int | None = None

    @classmethod
    def of_file(cls, file: NfoFile, state: os.stat_result, count: int, kind: MediaType | None = None) -> Self:
        """Compose the token of the items in a file.

        Args:
            file: the file that describes them.
            state: of the file when it was read.
            count: how many items it describes.
            kind: what they are, if they are not what the file should describe.
        """
        return cls(state.st_size, state.st_mtime_ns, count, file.surroundings, kind or file.kind)

    @classmethod
    def of_film(
        cls, films: FilmFiles, file: NfoFile, states: Mapping[str, os.stat_result], count: int, left_out: int
    ) -> Self:
        """Compose the token of a film that is described by one of several files.

        Whether these files describe one film or several depends on all of them, so the token covers all.

        Args:
            films: the files.
            file: the one that describes the film.
            states: of all files when they were read, by path.
            count: how many of the files describe the film.
            left_out: see `FileToken`.
        """
        parts = [films.shared_key or "", *sorted(films.shared_images.values())]
        parts += [f"{other.surroundings}-{describe_state(states[other.path])}" for other in films.files]
        own = states[file.path]
        return cls(own.st_size, own.st_mtime_ns, count, _digest(parts), file.kind, left_out)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the token with this text, None if it is not the text of one."""
        parts = text.split("-")
        if len(parts) != 5:
            return None
        size, mtime_ns, counts, surroundings, kind = parts
        count, dot, left_out = counts.partition(".")
        try:
            return cls(
                int(size),
                int(mtime_ns),
                int(count),
                surroundings,
                MediaType(kind),
                int(left_out) if dot else None,
            )
        except ValueError:
            return None

    def __str__(self) -> str:
        counts = str(self.count) if self.left_out is None else f"{self.count}.{self.left_out}"
        return f"{self.size}-{self.mtime_ns}-{counts}-{self.surroundings}-{self.kind}"

    def has_state(self, state: os.stat_result) -> bool:
        """Whether the file had this size and time of modification."""
        return self.size == state.st_size and self.mtime_ns == state.st_mtime_ns


def season_token(file: NfoFile, state: os.stat_result, surroundings: Sequence[str]) -> str:
    """Compose the change token of a season without a file of its own.

    Args:
        file: the show's file, which may name the season.
        state: of that file when it was read.
        surroundings: the season's folder and artwork.
    """
    return f"made-{_digest([describe_state(state), file.surroundings, *surroundings])}"


def _digest(parts: Sequence[str]) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class StoredTokens:
    """The stored change tokens of a library, indexed by the files and folders that they belong to.

    Attributes:
        tokens: change tokens by item key.
        due: the keys of items that are read again although they did not change.
        episodes: keys of episodes, by their part before ``#``.
        seasons: keys of seasons, by the key of their show.
        parents: the keys of the folders in which films and shows lie.
        states: of files that were looked at and are about to be loaded, by path.
    """

    tokens: Mapping[str, str]
    due: Collection[str] = ()
    episodes: dict[str, list[str]] = field(default_factory=dict)
    seasons: dict[str, list[str]] = field(default_factory=dict)
    parents: set[str] = field(default_factory=set)
    states: dict[str, os.stat_result] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in self.tokens:
            if "#" not in key:
                self.parents.add(key.rpartition("/")[0] or ".")
            elif match := _EPISODE_ID.fullmatch(key):
                self.episodes.setdefault(match[1], []).append(key)
            elif match := _SEASON_ID.fullmatch(key):
                self.seasons.setdefault(match[1], []).append(key)
            else:
                self.parents.add(key.rpartition("/")[0] or ".")

    def was_show(self, key: str) -> bool:
        """Whether a folder was a show with seasons."""
        return key in self.seasons

    def was_related(self, key: str) -> bool:
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

    def keys_below(self, key: str) -> list[str]:
        """Return the stored keys of all items in and below a folder."""
        return [
            stored for stored in self.tokens if stored == key or stored.startswith((f"{key}/", f"{key}#"))
        ]

    def find_unchanged(self, file: NfoFile, state: os.stat_result) -> tuple[str, ...]:
        """Return the keys of the items in an unchanged file; none if any of them may have changed."""
        keys: list[str] = []
        count = 0
        usual = str(FileToken.of_file(file, state, 1))
        for key in self.keys_of(file):
            if key in self.due:
                return ()
            if self.tokens[key] == usual:
                keys.append(key)
                count = 1
                continue
            token = FileToken.parse(self.tokens[key])
            if token and token == FileToken.of_file(file, state, token.count, token.kind):
                keys.append(key)
                count = token.count
        return tuple(keys) if len(keys) == count else ()

    def find_unchanged_films(
        self, films: FilmFiles, states: Mapping[str, os.stat_result]
    ) -> tuple[tuple[str, ...], tuple[NfoFile, ...]] | None:
        """Return the keys of the films that unchanged files describe, and the files that describe nothing.

        Args:
            films: the files.
            states: of all of them now, by path.

        Returns:
            None unless every file is accounted for.
        """
        keys: list[str] = []
        described = left_out = 0
        for key in dict.fromkeys([films.shared_key or "", *(file.key for file in films.files)]):
            if key in self.due:
                return None
            token = FileToken.parse(self.tokens.get(key, ""))
            if token is None or token.left_out is None:
                continue
            if any(
                token == FileToken.of_film(films, file, states, token.count, token.left_out)
                for file in films.files
            ):
                keys.append(key)
                described += token.count
                left_out |= token.left_out
        if described + left_out.bit_count() != len(films.files):
            return None
        return tuple(keys), tuple(file for place, file in enumerate(films.files) if left_out >> place & 1)

    def kind_of(self, keys: Collection[str], state: os.stat_result) -> MediaType | None:
        """Return the kind of the items in an unchanged file, None if it changed or is new.

        Args:
            keys: the keys that its items may have; of episodes the part before ``#``.
            state: of the file now.
        """
        for key in keys:
            for stored in (key, *self.episodes.get(key, ())):
                token = FileToken.parse(self.tokens.get(stored, ""))
                if token and token.has_state(state):
                    return token.kind
        return None
