"""What a list of items or people contains, and its order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from mediasync.errors import InvalidId, UsageError
from mediasync.ids import split_id
from mediasync.sorting import name_sort_key
from mediasync.text import find_text_flaw
from mediasync.vocabulary import Completeness, MediaType, PersonType

E = TypeVar("E", bound=StrEnum)

_LARGEST: Final = 2**63 - 1


class ItemSort(StrEnum):
    """What a list of items is sorted by. Items for which it is not known come last, in either direction."""

    TITLE = "title"
    YEAR = "year"
    ADDED = "added"
    CHANGED = "changed"
    RATING = "rating"


class Facet(StrEnum):
    """What the items of a list are counted by."""

    TYPE = "type"
    YEAR = "year"
    DECADE = "decade"
    GENRE = "genre"
    LIBRARY = "library"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Credited:
    """A person who is credited in an item.

    Attributes:
        person_id: the person's full id, or an alias.
        person_type: the function, such as ``director``; None for any.
    """

    person_id: str
    person_type: PersonType | str | None = None

    def __post_init__(self) -> None:
        _check_text("person_id", self.person_id)
        _set(self, "person_type", _parse_type(self.person_type))


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """Which items a list contains: those for which everything that is given holds.

    Attributes:
        source_id: of this source.
        library_id: listed by this library, a full id such as ``home:movies``.
        media_types: of one of these types. A single one may be given as itself. Empty: of any.
        year_from: of this year or a later one.
        year_to: of this year or an earlier one.
        genre: of this genre. Case, accents and punctuation do not matter.
        min_rating: with a main rating of at least so much, from 0 to 10.
        provider_id: with this id at a public provider: ``imdb:tt0133093``.
        with_provider: with any id at this provider: ``imdb``.
        without_provider: without an id at this provider.
        completeness: whose credit list is known so far.
        added_since: which the source got at this time or later. Items whose source does not say it, or says
            it without a zone, are left out.
        changed_since: stored or changed at this time or later.
        created_since: first stored at this time or later.
        with_people: which credit all of these people: full ids, or `Credited` for a function.
        without_people: which credit none of these people.

    Raises:
        UsageError: if a value cannot be used; the message names it.

    Example:
        >>> films = ItemFilter(media_types="movie", year_from=1990, with_people=["home:6384"])
        >>> films.media_types
        (<MediaType.MOVIE: 'movie'>,)
    """

    source_id: str | None = None
    library_id: str | None = None
    media_types: MediaType | str | Iterable[MediaType | str] = ()
    year_from: int | None = None
    year_to: int | None = None
    genre: str | None = None
    min_rating: float | None = None
    provider_id: str | None = None
    with_provider: str | None = None
    without_provider: str | None = None
    completeness: Completeness | str | None = None
    added_since: datetime | None = None
    changed_since: datetime | None = None
    created_since: datetime | None = None
    with_people: Iterable[Credited | str] = ()
    without_people: Iterable[Credited | str] = ()

    def __post_init__(self) -> None:
        types = [self.media_types] if isinstance(self.media_types, str) else self.media_types
        parsed = {parse_choice(MediaType, "media_types", one) for one in types}
        _set(self, "media_types", tuple(one for one in MediaType if one in parsed))
        if self.completeness is not None:
            _set(self, "completeness", parse_choice(Completeness, "completeness", self.completeness))
        for name in ("source_id", "genre", "provider_id", "with_provider", "without_provider"):
            _check_text(name, getattr(self, name))
        _check_id("library_id", self.library_id)
        for name in ("year_from", "year_to"):
            _check_number(name, getattr(self, name))
        if self.year_from is not None and self.year_to is not None and self.year_from > self.year_to:
            raise UsageError(f"year_from {self.year_from} is after year_to {self.year_to}")
        if self.min_rating is not None:
            if not isinstance(self.min_rating, int | float) or not 0 <= self.min_rating <= 10:
                raise UsageError(f"min_rating {self.min_rating!r} is not a number from 0 to 10")
            _set(self, "min_rating", float(self.min_rating))
        if self.provider_id is not None:
            provider, _, value = self.provider_id.partition(":")
            if not (provider and value):
                raise UsageError(
                    f"provider_id {self.provider_id!r} is not PROVIDER:ID, such as imdb:tt0133093"
                )
            _set(self, "provider_id", f"{provider.strip().lower()}:{value.strip()}")
        for name in ("with_provider", "without_provider"):
            if (given := getattr(self, name)) is not None:
                _set(self, name, given.strip().lower())
        for name in ("added_since", "changed_since", "created_since"):
            _check_time(name, getattr(self, name))
        for name in ("with_people", "without_people"):
            _set(self, name, _people(name, getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFilter:
    """Which people a list contains: those for whom everything that is given holds.

    ``person_type``, ``item_id`` and ``library_id`` are asked of one credit: together they mean the people
    with this function in that item, or in that library.

    Attributes:
        source_id: of this source.
        name_prefix: whose name begins with this text. Case, accents and punctuation do not matter.
        person_type: with this function, such as ``director``.
        item_id: credited in this item, a full id.
        library_id: credited in an item of this library, a full id such as ``home:movies``.
        min_works: credited in at least so many movies and shows. A show and its episodes count once.
        has_image: True for those with a picture, False for those without one.

    Raises:
        UsageError: if a value cannot be used; the message names it.
    """

    source_id: str | None = None
    name_prefix: str | None = None
    person_type: PersonType | str | None = None
    item_id: str | None = None
    library_id: str | None = None
    min_works: int | None = None
    has_image: bool | None = None

    def __post_init__(self) -> None:
        _check_text("source_id", self.source_id)
        _check_text("item_id", self.item_id)
        _check_id("library_id", self.library_id)
        _check_text("name_prefix", self.name_prefix)
        if self.name_prefix is not None and not name_sort_key(self.name_prefix):
            raise UsageError("name_prefix is empty: give the beginning of a name, or None for all")
        _set(self, "person_type", _parse_type(self.person_type))
        _check_number("min_works", self.min_works)
        if self.has_image is not None and not isinstance(self.has_image, bool):
            raise UsageError(f"has_image {self.has_image!r} is neither True, False nor None")


def parse_choice(choices: type[E], name: str, value: Any) -> E:
    """Return the member of an enum that *value* names.

    Raises:
        UsageError: if there is none; the message lists them all.
    """
    try:
        return choices(value)
    except ValueError:
        raise UsageError(f"{name}: {value!r} is none of {', '.join(choices)}") from None


def _set(target: object, name: str, value: Any) -> None:
    object.__setattr__(target, name, value)


def _parse_type(value: Any) -> PersonType | str | None:
    _check_text("person_type", value)
    return None if value is None else PersonType.parse(value)


def _people(name: str, given: Any) -> tuple[Credited, ...]:
    if isinstance(given, str | Credited):
        given = (given,)
    people = tuple(one if isinstance(one, Credited) else Credited(one) for one in given)
    if len(people) > 50:
        raise UsageError(f"{name} has {len(people)} people; give at most 50")
    return people


def _check_text(name: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise UsageError(f"{name} {value!r} is not a text")
    if not value.strip():
        raise UsageError(f"{name} is empty: give a value, or None for all")
    if flaw := find_text_flaw(value):
        raise UsageError(f"{name} {flaw}")


def _check_id(name: str, value: str | None) -> None:
    _check_text(name, value)
    if value is None:
        return
    try:
        split_id(value)
    except InvalidId as error:
        raise UsageError(f"{name} {value!r} is not a full id, such as home:movies") from error


def _check_number(name: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST:
        raise UsageError(f"{name} {value!r} is not a whole number")


def _check_time(name: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, datetime):
        raise UsageError(f"{name} {value!r} is not a datetime")
    if value.tzinfo is None:
        raise UsageError(f"{name} {value.isoformat()} has no zone: attach one, such as datetime.UTC")
