"""The tables of items, people and credits: their columns, and the rows that models make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TypeVar

from mediasync.models import AnyMediaItem, Credit, Person
from mediasync.repositories.exporting import LastChange

T = TypeVar("T")


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    DATE = "date"
    TIME = "time"
    TEXTS = "texts"
    PAIRS = "pairs"
    RATINGS = "ratings"


Columns = Mapping[str, tuple[Kind, Callable[[T], Any]]]


def _field(name: str) -> Callable[[Any], Any]:
    return lambda model: getattr(model, name, None)


def _provider(name: str) -> Callable[[Any], Any]:
    return lambda model: model.provider_ids.get(name)


def _time(name: str) -> Callable[[Any], Any]:
    return lambda model: _utc(getattr(model, name))


def _text_of_time(name: str) -> Callable[[Any], Any]:
    return lambda model: value if isinstance(value := getattr(model, name), str) else None


def _utc(value: datetime | str | None) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None


ITEMS: Final[Columns[AnyMediaItem]] = {
    **{
        name: (Kind.TEXT, _field(name))
        for name in ("id", "source_id", "library_id", "parent_id", "remote_id", "media_type", "title")
    },
    "original_title": (Kind.TEXT, _field("original_title")),
    "sort_title": (Kind.TEXT, _field("sort_title")),
    "overview": (Kind.TEXT, _field("overview")),
    "tagline": (Kind.TEXT, _field("tagline")),
    "year": (Kind.INTEGER, _field("year")),
    "premiere_date": (Kind.DATE, _field("premiere_date")),
    "runtime_seconds": (Kind.INTEGER, _field("runtime_seconds")),
    "content_rating": (Kind.TEXT, _field("content_rating")),
    "season_number": (Kind.INTEGER, _field("season_number")),
    "episode_number": (Kind.INTEGER, _field("episode_number")),
    "episode_number_end": (Kind.INTEGER, _field("episode_number_end")),
    **{f"{name}_id": (Kind.TEXT, _provider(name)) for name in ("imdb", "tmdb", "tvdb")},
    "provider_ids": (Kind.PAIRS, _field("provider_ids")),
    "genres": (Kind.TEXTS, _field("genres")),
    "ratings": (Kind.RATINGS, lambda item: [rating.model_dump() for rating in item.ratings]),
    "images": (Kind.PAIRS, _field("images")),
    "path": (Kind.TEXT, _field("path")),
    "added_at": (Kind.TIME, _time("added_at")),
    "added_text": (Kind.TEXT, _text_of_time("added_at")),
    "changed_at": (Kind.TIME, _time("changed_at")),
    "changed_text": (Kind.TEXT, _text_of_time("changed_at")),
    "completeness": (Kind.TEXT, _field("completeness")),
    "created_at": (Kind.TIME, _time("created_at")),
    "updated_at": (Kind.TIME, _time("updated_at")),
}
"""The columns of items, which have the names of those of the view ``media_items``."""

PEOPLE: Final[Columns[Person]] = {
    "id": (Kind.TEXT, _field("id")),
    "source_id": (Kind.TEXT, _field("source_id")),
    "remote_id": (Kind.TEXT, _field("remote_id")),
    "name": (Kind.TEXT, _field("name")),
    "image_path": (Kind.TEXT, _field("image_path")),
    **{f"{name}_id": (Kind.TEXT, _provider(name)) for name in ("imdb", "tmdb", "tvdb")},
    "provider_ids": (Kind.PAIRS, _field("provider_ids")),
    "created_at": (Kind.TIME, _time("created_at")),
    "updated_at": (Kind.TIME, _time("updated_at")),
}
"""The columns of people."""

ItemCredit = tuple[AnyMediaItem, Credit]

CREDITS: Final[Columns[ItemCredit]] = {
    "media_item_id": (Kind.TEXT, lambda pair: pair[0].id),
    "person_id": (Kind.TEXT, lambda pair: pair[1].person.id),
    "person_type": (Kind.TEXT, lambda pair: str(pair[1].person_type)),
    "role": (Kind.TEXT, lambda pair: pair[1].role),
    "sort_order": (Kind.INTEGER, lambda pair: pair[1].sort_order),
}
"""The columns of credits, which are those of the view ``media_people``."""

TABLES: Final[dict[str, Columns[Any]]] = {"items": ITEMS, "people": PEOPLE, "credits": CREDITS}


def credits_of(items: Iterable[AnyMediaItem]) -> list[ItemCredit]:
    """Return the credits of items, each with its item."""
    return [(item, credit) for item in items for credit in item.credits or ()]


def values_of(columns: Columns[T], model: T) -> list[Any]:
    """Return the values of a row, in the order of the columns."""
    return [value(model) for _, value in columns.values()]


class TablesWriter:
    """The common part of writers that write `TABLES`, each into a file of its own.

    Attributes:
        rows: how many rows were written, by table.
    """

    def __init__(self) -> None:
        self.rows = dict.fromkeys(TABLES, 0)

    def add_items(self, items: Sequence[AnyMediaItem]) -> None:
        self._add("items", items)
        self._add("credits", credits_of(items))

    def add_people(self, people: Sequence[Person]) -> None:
        self._add("people", people)

    def add_removed(self, changes: Sequence[LastChange]) -> None:
        raise AssertionError("tables cannot say what no longer exists")

    def _add(self, name: str, models: Sequence[Any]) -> None:
        raise NotImplementedError
