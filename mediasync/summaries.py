"""Short answers: items and people without their lists, and pages of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from mediasync.models import Model, SourceTime
from mediasync.vocabulary import Completeness, MediaType

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list.

    Attributes:
        rows: the entries of this page.
        next: the cursor of the page after this one; None on the last page. It is an opaque text.
        total: how many entries all pages have together; None unless the caller asked for it.
    """

    rows: list[T]
    next: str | None = None
    total: int | None = None


class ItemSummary(Model):
    """A media item without its credits.

    Attributes:
        id: the full id.
        source_id: the source that has it.
        library_id: the full id of its library.
        parent_id: the id of the show of a season, or of the season of an episode.
        media_type: whether it is a movie, show, season or episode.
        title: the title.
        original_title: the title in the original language.
        year: the year of release.
        premiere_date: the day of release.
        runtime_seconds: the duration.
        season_number: set for seasons and episodes; 0 for specials.
        episode_number: set for episodes.
        show_id: the id of the show of a season or an episode.
        show_title: the title of that show.
        rating: the main rating, from 0 to 10.
        poster: a reference to its poster, as in the images of the item.
        completeness: how much of its credit list is known.
        added_at: when the source got it.
        created_at: when it was first stored.
        updated_at: when it was last changed.
    """

    id: str
    source_id: str
    library_id: str
    parent_id: str | None = None
    media_type: MediaType
    title: str
    original_title: str | None = None
    year: int | None = None
    premiere_date: date | None = None
    runtime_seconds: int | None = None
    season_number: int | None = None
    episode_number: int | None = None
    show_id: str | None = None
    show_title: str | None = None
    rating: float | None = None
    poster: str | None = None
    completeness: Completeness
    added_at: SourceTime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class PersonSummary(Model):
    """A person with what tells people of the same name apart.

    Attributes:
        id: the full id.
        source_id: the source that knows them.
        name: the name.
        image_path: a reference to a picture.
        works: in how many movies and shows they are credited. A show and its episodes count once.
        first_year: the earliest year of these.
        last_year: the latest year of these.
        known_for: the title of the movie or show that most people voted for; if the votes are not known, the
            one that bills them first.
        known_for_year: its year.
    """

    id: str
    source_id: str
    name: str
    image_path: str | None = None
    works: int = 0
    first_year: int | None = None
    last_year: int | None = None
    known_for: str | None = None
    known_for_year: int | None = None
