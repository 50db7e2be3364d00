"""The vocabularies that are written to and read from the database, as enums."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

SOURCE_KIND: Final = re.compile(r"[a-z][a-z0-9_-]+")
"""What can name a kind of source. A single letter cannot: on Windows it names a drive."""


class SourceKind(StrEnum):
    """The kinds of source that mediasync reads by itself.

    A plug-in may add others, so a source's ``kind`` is a ``SourceKind`` or a plain ``str``; both compare
    equal to their text.

    Example:
        >>> SourceKind.parse("plex"), SourceKind.parse("my-archive")
        (<SourceKind.PLEX: 'plex'>, 'my-archive')
    """

    PLEX = "plex"
    JELLYFIN = "jellyfin"
    EMBY = "emby"
    KODI = "kodi"
    NFO = "nfo"

    @classmethod
    def parse(cls, text: str) -> SourceKind | str:
        """Return the member that *text* names, else *text* itself.

        Raises:
            ValueError: if it cannot name a kind of source.
        """
        if text in _SOURCE_KINDS:
            return cls(text)
        if not SOURCE_KIND.fullmatch(text):
            raise ValueError(
                "a kind of source is named by at least two lower-case letters, digits, '-' and '_', starting "
                "with a letter"
            )
        return text


_SOURCE_KINDS: Final = frozenset(SourceKind)


class MediaType(StrEnum):
    """What a media item is."""

    MOVIE = "movie"
    SHOW = "show"
    SEASON = "season"
    EPISODE = "episode"

    @property
    def level(self) -> int:
        """How many levels of items stand above this type: parents have lower levels than their children."""
        return MEDIA_KINDS[self].level


@dataclass(frozen=True, slots=True)
class MediaKind:
    """What holds for all media items of one type.

    Attributes:
        rank: the position of the type in search results; 0 comes first.
        parents: the types that the parent of such an item may have; empty if it stands directly in a library.
        level: 0 for items directly in a library, else 1 more than the highest level of the parents.
    """

    rank: int
    parents: frozenset[MediaType] = frozenset()
    level: int = 0


MEDIA_KINDS: Final = {
    MediaType.MOVIE: MediaKind(rank=0),
    MediaType.SHOW: MediaKind(rank=1),
    MediaType.SEASON: MediaKind(rank=3, parents=frozenset({MediaType.SHOW}), level=1),
    MediaType.EPISODE: MediaKind(rank=2, parents=frozenset({MediaType.SEASON, MediaType.SHOW}), level=2),
}
"""The types of media items. A new one is added here, and its model to `mediasync.models.ITEM_MODELS`."""

PARENT_TYPES: Final = frozenset().union(*(kind.parents for kind in MEDIA_KINDS.values()))
"""The types whose items may have children."""

LEVELS: Final = range(1 + max(kind.level for kind in MEDIA_KINDS.values()))
"""The levels of items, parents first."""


class Completeness(StrEnum):
    """How much of an item's credit list is known."""

    NONE = "none"
    PREVIEW = "preview"
    FULL = "full"


class RunStatus(StrEnum):
    """Whether a sync of one source is running, or how it ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    NEEDS_CONFIRMATION = "needs confirmation"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class PersonType(StrEnum):
    """The function of a person in an item.

    The vocabulary is that of Jellyfin's ``PersonKind`` (the widest of the backends'), in lower case with
    underscores. A type outside it is kept as the source gave it, so a credit's ``person_type`` is a
    ``PersonType`` or a plain ``str``; both compare equal to their text.

    Example:
        >>> PersonType.parse("GuestStar")
        <PersonType.GUEST_STAR: 'guest_star'>
        >>> PersonType.parse(" Key Grip ")
        'Key Grip'
    """

    ACTOR = "actor"
    GUEST_STAR = "guest_star"
    DIRECTOR = "director"
    WRITER = "writer"
    PRODUCER = "producer"
    COMPOSER = "composer"
    CREATOR = "creator"
    EDITOR = "editor"
    CONDUCTOR = "conductor"
    LYRICIST = "lyricist"
    ARRANGER = "arranger"
    ENGINEER = "engineer"
    MIXER = "mixer"
    REMIXER = "remixer"
    ARTIST = "artist"
    ALBUM_ARTIST = "album_artist"
    AUTHOR = "author"
    ILLUSTRATOR = "illustrator"
    PENCILLER = "penciller"
    INKER = "inker"
    COLORIST = "colorist"
    LETTERER = "letterer"
    COVER_ARTIST = "cover_artist"
    TRANSLATOR = "translator"
    NARRATOR = "narrator"
    UNKNOWN = "unknown"

    @classmethod
    def parse(cls, text: str) -> PersonType | str:
        """Return the member that *text* names, else *text* itself, trimmed.

        A known type is recognised in any spelling: ``"Guest Star"``, ``"GuestStar"`` and ``"guest_star"``
        are the same. An unknown type is returned as it was given.
        """
        if isinstance(text, cls):
            return text
        return _parse_person_type(text)


_NOT_LETTERS: Final = re.compile(r"[\s_-]+")
_BY_LETTERS: Final = {member.value.replace("_", ""): member for member in PersonType}


@lru_cache(maxsize=1_000)  # a library names few types, each of them many times
def _parse_person_type(text: str) -> PersonType | str:
    trimmed = text.strip()
    return _BY_LETTERS.get(_NOT_LETTERS.sub("", trimmed).lower(), trimmed)


CAST_TYPES: Final = frozenset({PersonType.ACTOR, PersonType.GUEST_STAR})
"""The person types that are cast. All others are crew."""


class EntityKind(StrEnum):
    """What the change log is about."""

    SOURCE = "source"
    LIBRARY = "library"
    ITEM = "item"
    PERSON = "person"


class ChangeKind(StrEnum):
    """What happened to an entity."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    BACK = "back"
    MERGED = "merged"
