"""What NFO files say, as plain values.

Processes that parse files make and send these records. They start faster without the models, so this module
and those that parse import nothing but the standard library and the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, NamedTuple

from mediasync.vocabulary import Completeness, MediaType, PersonType


class NfoRating(NamedTuple):
    """A rating, as `mediasync.models.Rating` has it."""

    name: str
    value: float
    votes: int | None = None


@dataclass(slots=True)
class NfoCredit:
    """A person and a function; `mediasync.models.Credit` and `mediasync.models.Person` explain the fields."""

    name: str
    person_type: PersonType | str
    role: str | None = None
    image_path: str | None = None
    provider_ids: dict[str, str] = field(default_factory=dict)
    remote_id: ClassVar[None] = None
    """A folder has no ids of its own for people."""

    def __reduce__(self) -> tuple[object, ...]:
        # A tenth of the bytes and of the time that the default takes, which names every field.
        return NfoCredit, (self.name, self.person_type, self.role, self.image_path, self.provider_ids)


@dataclass(slots=True)
class NfoRecord:
    """What a file says of one item, without anything from outside of the file.

    Attributes:
        kind: what the item is.
        credits: the people, in billing order; None where the file proves nothing about them.
        completeness: whether ``credits`` is a full list or a preview.
        damage: the line and the nature of the file's first damage, behind which something may be missing;
            empty if the file is sound.
        cut: whether a part of the file is missing.
        season: the number of the season, or of the episode's season.
        episode: the number of the episode.
        episode_end: the number of the last episode, if the item is several.
        season_names: the names of a show's seasons, by number.
        exported: whether an export of mediasync wrote it, so that what it leaves out is not guessed.
        problems: what could not be understood, one line each.

    The other attributes are those of `mediasync.models.MediaItem`. ``title`` is empty if there is none.
    """

    kind: MediaType
    title: str = ""
    original_title: str | None = None
    sort_title: str | None = None
    overview: str | None = None
    tagline: str | None = None
    year: int | None = None
    premiere_date: date | None = None
    runtime_seconds: int | None = None
    content_rating: str | None = None
    ratings: list[NfoRating] = field(default_factory=list)
    genres: list[str] = field(default_factory=list)
    provider_ids: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    added_at: str | None = None
    credits: list[NfoCredit] | None = None
    completeness: Completeness | None = None
    damage: str = ""
    cut: bool = False
    season: int | None = None
    episode: int | None = None
    episode_end: int | None = None
    season_names: dict[int, str] = field(default_factory=dict)
    exported: bool = False
    problems: list[str] = field(default_factory=list)
