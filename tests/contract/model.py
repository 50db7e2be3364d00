"""What a mirror must hold after each call, in plain Python: written from the design alone, with no SQL.

One `Model` is one state. Every operation is a small object with a method ``apply`` that changes a model and
returns what the caller must be told. `explain` looks for a serial order of concurrent operations that gives
the state and the answers that were seen.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mediasync import Credit, MediaItem, Person

SOURCE = "home"
DERIVED = "name:"

PersonRow = tuple[str, str, str, tuple[tuple[str, str], ...]]
"""id, name, picture or '', provider ids."""


def iso(milliseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def person_row(person: Person) -> PersonRow:
    name = person.name.strip()
    key = person.remote_id or DERIVED + " ".join(name.casefold().split())
    return (f"{SOURCE}:{key}", name, person.image_path or "", tuple(sorted(person.provider_ids.items())))


def is_derived(person_id: str) -> bool:
    return person_id.startswith(f"{SOURCE}:{DERIVED}")


def merged(first: PersonRow, second: PersonRow) -> PersonRow:
    """Missing never overwrites present; the last name wins, but for a derived key the first stays."""
    name = first[1] if is_derived(first[0]) else second[1]
    ids = tuple(sorted({**dict(first[3]), **dict(second[3])}.items()))
    return (first[0], name, second[2] or first[2], ids)


def normal_form(given: Sequence[Credit]) -> list[tuple[PersonRow, str, str | None]]:
    """Trim, sort stably, leave nameless credits out, drop exact repeats; the position is the number."""
    ordered = sorted(
        given,
        key=lambda one: (1, 0) if one.sort_order is None or one.sort_order < 0 else (0, one.sort_order),
    )
    people: dict[str, PersonRow] = {}
    kept: list[tuple[str, str, str | None]] = []
    for one in ordered:
        row = person_row(one.person)
        if not row[1]:
            continue
        people[row[0]] = merged(people[row[0]], row) if row[0] in people else row
        key = (row[0], str(one.person_type), (one.role or "").strip() or None)
        if key not in kept:
            kept.append(key)
    return [(people[person_id], kind, role) for person_id, kind, role in kept]


@dataclass
class StoredPerson:
    row: PersonRow
    created: int
    updated: int


@dataclass
class StoredItem:
    fields: tuple[Any, ...]
    parent: str | None
    token: str | None
    completeness: str
    credits: list[tuple[str, str, str | None]]
    last_given: list[tuple[PersonRow, str, str | None]] | None
    """The credits of the last save in normal form; None where the list was changed outside a save."""
    created: int
    updated: int


@dataclass
class Model:
    """One state of a mirror."""

    now: int = 0
    people: dict[str, StoredPerson] = field(default_factory=dict)
    items: dict[str, StoredItem] = field(default_factory=dict)

    def upsert(self, given: Iterable[PersonRow]) -> None:
        batch: dict[str, PersonRow] = {}
        for row in given:
            batch[row[0]] = merged(batch[row[0]], row) if row[0] in batch else row
        for person_id, row in batch.items():
            stored = self.people.get(person_id)
            if stored is None:
                self.people[person_id] = StoredPerson(row, self.now, self.now)
            elif (after := merged(stored.row, row)) != stored.row:
                stored.row, stored.updated = after, self.now

    def is_stored(self, item: StoredItem, given: list[tuple[PersonRow, str, str | None]]) -> bool:
        """Tell by values whether storing this list would change nothing."""
        return item.credits == [(row[0], kind, role) for row, kind, role in given] and all(
            merged(self.people[row[0]].row, row) == self.people[row[0]].row for row, _, _ in given
        )

    def replace(self, item: StoredItem, given: list[tuple[PersonRow, str, str | None]]) -> None:
        self.upsert(row for row, _, _ in given)
        item.credits = [(row[0], kind, role) for row, kind, role in given]

    def views(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return what the public views must show."""
        return {
            "media_items": sorted(
                (item_id, one.parent, *one.fields, one.completeness, iso(one.created), iso(one.updated))
                for item_id, one in self.items.items()
            ),
            "media_people": sorted(
                (item_id, person_id, kind, role or "", order)
                for item_id, one in self.items.items()
                for order, (person_id, kind, role) in enumerate(one.credits)
            ),
            "people": sorted(
                (person_id, *one.row[1:], iso(one.created), iso(one.updated))
                for person_id, one in self.people.items()
            ),
            "tokens": sorted((item_id, one.token) for item_id, one in self.items.items() if one.token),
        }


@dataclass(frozen=True)
class SaveItem:
    item: MediaItem

    def apply(self, model: Model) -> str:
        given, now = self.item, model.now
        item_id = f"{SOURCE}:{given.remote_id}"
        parent = getattr(given, "parent_remote_id", None)
        parent = f"{SOURCE}:{parent}" if parent else None
        if parent is not None and parent not in model.items:
            return "orphan"
        fields = (given.title, given.year, given.overview or None)
        known = normal_form(given.credits or [])
        completeness = (
            str(given.completeness or ("full" if known else "none")) if given.credits is not None else "none"
        )
        if not known and completeness != "full":
            completeness = "none"
        stored = model.items.get(item_id)
        if stored is None:
            stored = StoredItem(fields, parent, given.change_token, completeness, [], None, now, now)
            model.items[item_id] = stored
            if completeness != "none":
                model.replace(stored, known)
                stored.last_given = known
            return "saved"
        changed = (stored.fields, stored.parent) != (fields, parent)
        stored.fields, stored.parent, stored.token = fields, parent, given.change_token
        if (
            completeness == "none"
            or (completeness, stored.completeness) == ("preview", "full")
            or (completeness, known) == (stored.completeness, stored.last_given)
        ):
            pass
        elif (
            stored.last_given is None
            and completeness == stored.completeness
            and model.is_stored(stored, known)
        ):
            stored.last_given = known
        else:
            model.replace(stored, known)
            stored.completeness, stored.last_given = completeness, known
            changed = True
        if changed:
            stored.updated = now
        return "saved" if changed else "unchanged"


@dataclass(frozen=True)
class SavePeopleOfItem:
    item_id: str
    credits: tuple[Credit, ...]

    def apply(self, model: Model) -> str:
        stored = model.items.get(self.item_id)
        if stored is None:
            return "unknown item"
        known = normal_form(self.credits)
        if stored.completeness == "full" and model.is_stored(stored, known):
            return "unchanged"
        model.replace(stored, known)
        stored.completeness, stored.last_given, stored.updated = "full", None, model.now
        return "saved"


@dataclass(frozen=True)
class DeletePeopleOfItem:
    item_id: str

    def apply(self, model: Model) -> str | int:
        stored = model.items.get(self.item_id)
        if stored is None:
            return "unknown item"
        number = len(stored.credits)
        if stored.completeness != "none":
            stored.credits, stored.completeness, stored.last_given = [], "none", None
            stored.updated = model.now
        return number


@dataclass(frozen=True)
class DeleteItem:
    item_id: str

    def apply(self, model: Model) -> bool:
        below = {self.item_id}
        while more := {key for key, one in model.items.items() if one.parent in below} - below:
            below |= more
        was_there = self.item_id in model.items
        for item_id in below & model.items.keys():
            del model.items[item_id]
        return was_there


@dataclass(frozen=True)
class UpsertPeople:
    people: tuple[Person, ...]

    def apply(self, model: Model) -> list[str]:
        rows = [person_row(person) for person in self.people]
        model.upsert(rows)
        return [row[0] for row in rows]


@dataclass(frozen=True)
class DeletePerson:
    person_id: str

    def apply(self, model: Model) -> str | bool:
        if any(
            self.person_id == person_id for one in model.items.values() for person_id, _, _ in one.credits
        ):
            return "in use"
        return model.people.pop(self.person_id, None) is not None


Operation = SaveItem | SavePeopleOfItem | DeletePeopleOfItem | DeleteItem | UpsertPeople | DeletePerson


@dataclass(frozen=True)
class Step:
    """One operation that ran beside others.

    Attributes:
        operation: what was asked for.
        answer: what the caller was told; ``...`` if nobody knows.
        optional: it was cancelled, so that it may be wholly there or wholly absent.
        stream: the operations of one call, of which those on one item keep their order.
    """

    operation: Operation
    answer: Any = ...
    optional: bool = False
    stream: int | None = None


def without_times(views: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Leave out when people changed: of two renames in one transaction only the outcome is written."""
    return {**views, "people": [row[:-2] for row in views["people"]]}


def explain(
    before: Model, steps: Sequence[Step], seen: dict[str, list[tuple[Any, ...]]], *, strict: bool
) -> Model | None:
    """Return the model after a serial order of *steps* that gives what was seen, or None if there is none."""
    optional = [index for index, step in enumerate(steps) if step.optional]
    for absent in itertools.chain.from_iterable(
        itertools.combinations(optional, size) for size in range(len(optional) + 1)
    ):
        present = [step for index, step in enumerate(steps) if index not in absent]
        for order in itertools.permutations(present):
            if not _keeps_streams(order, present):
                continue
            model = copy.deepcopy(before)
            answers = [(step.answer, step.operation.apply(model)) for step in order]
            if any(told is not ... and told != right for told, right in answers):
                continue
            views = model.views()
            if views == seen or (not strict and without_times(views) == without_times(seen)):
                return model
    return None


def _keeps_streams(order: Sequence[Step], given: Sequence[Step]) -> bool:
    def of_one_item(steps: Sequence[Step]) -> list[tuple[int, str, int]]:
        found = [
            (step.stream, step.operation.item.remote_id, id(step))
            for step in steps
            if step.stream is not None and isinstance(step.operation, SaveItem)
        ]
        return sorted(found, key=lambda one: one[:2])

    return of_one_item(order) == of_one_item(given)
