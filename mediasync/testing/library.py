"""A small library of films and shows with their people: the content of the fakes, and the expected mirror.

It consists of models (`mediasync.Movie`, `mediasync.Credit`, …). Keys of items and people are texts of
digits, unique in the whole catalogue. A fake derives its own keys from them; `Catalogue.mapped` returns a
copy with those keys.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from mediasync.models import Credit, Episode, MediaItem, Person, Season

__all__ = ["Catalogue", "CatalogueChange", "MediaLibrary"]

_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
FIRST_PERSON: Final = 1_000_001
"""The key of the first person; lower keys belong to items."""


@dataclass(slots=True)
class MediaLibrary:
    """A section of a server.

    Attributes:
        id: its key.
        title: its name.
        kind: whether it holds films, shows or both.
        items: shows before their seasons, seasons before their episodes.
    """

    id: str
    title: str
    kind: Literal["movies", "shows"]
    items: list[MediaItem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """A change of one item.

    Attributes:
        kind: what happened to it.
        item: the item; one that is removed is still in its library when the change is told.
        library: the library that it belongs to.
    """

    kind: Literal["added", "updated", "removed"]
    item: MediaItem
    library: MediaLibrary


@dataclass(slots=True)
class Catalogue:
    """The contents of a server. Change it while a fake serves it, and sync again.

    All credits of a person share one `Person`, so renaming that person changes all of them.

    Attributes:
        libraries: the libraries, in the server's order.
        now: the server's clock, which shows the time of the last change; each change moves it by a minute.
        observers: called with each change of an item. Fakes that run tell their listeners of it.
    """

    libraries: list[MediaLibrary] = field(default_factory=list)
    now: datetime = _START
    observers: list[Callable[[CatalogueChange], None]] = field(
        default_factory=list, repr=False, compare=False
    )

    def state(self) -> tuple[object, ...]:
        """Return a value that differs after items were added or removed, or the clock moved."""
        return (
            id(self),
            self.now,
            *((library.id, id(library.items), len(library.items)) for library in self.libraries),
        )

    def library(self, library_id: str) -> MediaLibrary:
        """Return the library with this key."""
        return next(library for library in self.libraries if library.id == library_id)

    def items(self) -> Iterator[MediaItem]:
        """Iterate over the items of all libraries."""
        return itertools.chain.from_iterable(library.items for library in self.libraries)

    def item(self, key: str) -> MediaItem:
        """Return the item with this key."""
        return next(item for item in self.items() if item.remote_id == key)

    def titled(self, title: str) -> MediaItem:
        """Return the first item with this title."""
        return next(item for item in self.items() if item.title == title)

    def children(self, key: str) -> list[MediaItem]:
        """Return the seasons of a show, or the episodes of a season (or of a show without seasons)."""
        return [item for item in self.items() if parent_of(item) == key]

    def people(self) -> dict[str, Person]:
        """Return all credited people by key, in the order of their first credit."""
        return {
            person.remote_id: person
            for item in self.items()
            for credit in item.credits or ()
            if (person := credit.person).remote_id is not None
        }

    def credited(self, person_key: str) -> list[MediaItem]:
        """Return the items that credit a person."""
        return [
            item
            for item in self.items()
            if any(credit.person.remote_id == person_key for credit in item.credits or ())
        ]

    def new_key(self) -> str:
        """Return a key that no item has."""
        return str(max((int(item.remote_id) for item in self.items()), default=0) + 1)

    def new_person(self, name: str) -> Person:
        """Return a person with a new key. The person belongs to the catalogue once a credit refers to it."""
        return Person(remote_id=str(max([FIRST_PERSON - 1, *map(int, self.people())]) + 1), name=name)

    def touch(self, item: MediaItem) -> None:
        """Move the clock, and mark an item as changed now: ``changed_at`` and ``change_token``."""
        self._mark(item)
        self._tell("updated", item)

    def add(self, library_id: str, item: MediaItem) -> MediaItem:
        """Add an item to a library, with the current time as the time it was added and changed."""
        self._mark(item)
        item.added_at = self.now
        self.library(library_id).items.append(item)
        self._tell("added", item)
        return item

    def remove(self, key: str) -> None:
        """Remove an item and its descendants."""
        for child in self.children(key):
            self.remove(child.remote_id)
        for item in [item for item in self.items() if item.remote_id == key]:
            self._tell("removed", item)
        self.now += _MINUTE
        for library in self.libraries:
            library.items = [item for item in library.items if item.remote_id != key]

    def edit_cast(self, key: str, credits_now: Sequence[Credit]) -> MediaItem:
        """Give an item another credit list."""
        item = self.item(key)
        item.credits = in_billing_order(credits_now)
        self.touch(item)
        return item

    def rename_person(self, person_key: str, name: str) -> None:
        """Give a person another name. This does not mark the items that credit the person as changed."""
        self.now += _MINUTE
        self.people()[person_key].name = name

    def set_picture(self, person_key: str, path: str | None) -> None:
        """Give a person another picture. This does not mark the items that credit the person as changed."""
        self.now += _MINUTE
        self.people()[person_key].image_path = path

    def _mark(self, item: MediaItem) -> None:
        self.now += _MINUTE
        item.changed_at = self.now
        item.change_token = str(int(item.change_token or "0") + 1)

    def _tell(self, kind: Literal["added", "updated", "removed"], item: MediaItem) -> None:
        """Tell the observers of a change, for each library that lists the item."""
        if self.observers:
            for library in self.libraries:
                if any(one is item for one in library.items):
                    for observer in tuple(self.observers):
                        observer(CatalogueChange(kind, item, library))

    def mapped(
        self,
        item_key: Callable[[MediaItem], str] = lambda item: item.remote_id,
        person_key: Callable[[Person], str | None] = lambda person: person.remote_id,
    ) -> Catalogue:
        """Return a copy with the keys that a fake gives to items and people."""
        keys = {item.remote_id: item_key(item) for item in self.items()}
        return Catalogue(
            [
                MediaLibrary(
                    library.id,
                    library.title,
                    library.kind,
                    [_mapped_item(item, keys, person_key) for item in library.items],
                )
                for library in self.libraries
            ],
            self.now,
        )


def parent_of(item: MediaItem) -> str | None:
    """Return the key of the item's parent."""
    return item.parent_remote_id if isinstance(item, Season | Episode) else None


def in_billing_order(credits_given: Iterable[Credit]) -> list[Credit]:
    """Return copies of the credits, numbered 0, 1, 2, …; they share the same people."""
    return [credit.model_copy(update={"sort_order": order}) for order, credit in enumerate(credits_given)]


def _mapped_item(
    item: MediaItem, keys: dict[str, str], person_key: Callable[[Person], str | None]
) -> MediaItem:
    copy = item.model_copy(deep=True)
    copy.remote_id = keys[item.remote_id]
    if isinstance(copy, Season | Episode) and copy.parent_remote_id is not None:
        copy.parent_remote_id = keys.get(copy.parent_remote_id, copy.parent_remote_id)
    for credit, original in zip(copy.credits or (), item.credits or (), strict=True):
        credit.person.remote_id = person_key(original.person)
    return copy
