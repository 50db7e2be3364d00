"""The expected state of a mirror after each call, in plain Python, written from the design without SQL.

One `Model` is one state. Every operation is a small object with a method ``apply`` that changes a model and
returns the expected answer. `explain` looks for a serial order of concurrent operations that gives
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
    """Missing never overwrites present; the last name wins, except that the first stays for a derived key."""
    name = first[1] if is_derived(first[0]) else second[1]
    ids = tuple(sorted({**dict(first[3]), **dict(second[3])}.items()))
    return (first[0], name, second[2] or first[2], ids)


def normal_form(given: Sequence[Credit]) -> list[tuple[PersonRow, str, str | None]]:
    """Trim, sort stably, leave out credits without a name, drop exact repeats, and number the rest."""
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
    replaced: set[tuple[str, str]] = field(default_factory=set)
    given_by: str | None = None
    hidden: bool = False
    """Whether the last credit of this person was removed."""


def values_of(row: PersonRow) -> set[tuple[str, str]]:
    return {("name", row[1]), *([("picture", row[2])] if row[2] else []), *row[3]}


def is_respelled(first: PersonRow, second: PersonRow) -> bool:
    return first[1] != second[1] and first[1].casefold() == second[1].casefold()


@dataclass
class StoredItem:
    fields: tuple[Any, ...]
    parent: str | None
    token: str | None
    completeness: str
    credits: list[tuple[str, str, str | None]]
    created: int
    updated: int


@dataclass
class Model:
    """One state of a mirror."""

    now: int = 0
    people: dict[str, StoredPerson] = field(default_factory=dict)
    items: dict[str, StoredItem] = field(default_factory=dict)

    def upsert(self, given: Iterable[PersonRow]) -> None:
        """Save people on their own."""
        batch: dict[str, PersonRow] = {}
        for row in given:
            batch[row[0]] = merged(batch[row[0]], row) if row[0] in batch else row
        for row in batch.values():
            self.claim(row, None, fresh=True)
            self.show(row[0])

    def show(self, person_id: str) -> None:
        person = self.people[person_id]
        if person.hidden:
            person.hidden, person.updated = False, self.now

    def claim(self, row: PersonRow, item_id: str | None, *, fresh: bool) -> bool:
        """Make a claim about a person; return whether it changed anything."""
        person = self.people.get(row[0])
        if person is None:
            self.people[row[0]] = StoredPerson(row, self.now, self.now)
            return True
        before, after = person.row, merged(person.row, row)
        if before == after:
            return False
        giver = person.given_by
        gives = item_id is None or giver == item_id
        given_by = item_id
        if not gives:
            if not fresh and values_of(after) - values_of(before) <= person.replaced:
                return False
            if is_respelled(before, after) and ("name", after[1]) in person.replaced:
                after, given_by = (after[0], before[1], *after[2:]), None
                if after == before:
                    return False
        person.replaced = (person.replaced | values_of(before)) - values_of(after)
        person.row, person.given_by, person.updated = after, given_by, self.now
        return True

    def credits(self, item_id: str, person_id: str) -> bool:
        return item_id in self.items and any(one[0] == person_id for one in self.items[item_id].credits)

    def save_list(
        self, item_id: str, given: list[tuple[PersonRow, str, str | None]], completeness: str, *, fresh: bool
    ) -> tuple[bool, bool]:
        """Replace an item's list; return whether the list, and whether a person, changed."""
        item = self.items[item_id]
        credits_given = [(row[0], kind, role) for row, kind, role in given]
        changes = (item.credits, item.completeness) != (credits_given, completeness)
        claims = [
            self.claim(row, item_id, fresh=fresh or changes)
            for row in {row[0]: row for row, _, _ in given}.values()
        ]
        before, item.credits, item.completeness = item.credits, credits_given, completeness
        for person_id, _, _ in credits_given:
            self.show(person_id)
        self.hide_uncredited(person_id for person_id, _, _ in before)
        return changes, any(claims)

    def hide_uncredited(self, person_ids: Iterable[str]) -> None:
        """Record that credits of these people were removed."""
        for person_id in person_ids:
            person = self.people[person_id]
            crediting = sorted(item_id for item_id in self.items if self.credits(item_id, person_id))
            person.hidden = not crediting
            if person.given_by is not None and person.given_by not in crediting:
                person.given_by = crediting[0] if crediting else None

    def adopt_givers(self, before: Model, givers: dict[str, str]) -> None:
        """Take over the givers of people whose giver of before no longer credits them.

        Of several items that credit such a person, the transaction chooses among those that do so at its end,
        and nobody sees a person without credits whom another save in the same transaction credits.
        """
        for person_id, person in self.people.items():
            old, giver = before.people.get(person_id), givers.get(person_id, "")
            if old is None or old.given_by is None or self.credits(old.given_by, person_id):
                continue
            if self.credits(giver, person_id):
                person.given_by = giver

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
                if not one.hidden
            ),
            "behind": sorted(
                (
                    person_id,
                    *one.row[1:],
                    one.hidden,
                    one.given_by if one.given_by in self.items else "",
                    len(one.replaced),
                )
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
            stored = StoredItem(fields, parent, given.change_token, completeness, [], now, now)
            model.items[item_id] = stored
            if completeness != "none":
                model.save_list(item_id, known, completeness, fresh=True)
            return "saved"
        changed = (stored.fields, stored.parent) != (fields, parent)
        stored.fields, stored.parent, stored.token = fields, parent, given.change_token
        people = False
        if completeness != "none" and (completeness, stored.completeness) != ("preview", "full"):
            listed, people = model.save_list(item_id, known, completeness, fresh=False)
            changed = changed or listed
        if changed:
            stored.updated = now
        return "saved" if changed or people else "unchanged"


@dataclass(frozen=True)
class SavePeopleOfItem:
    item_id: str
    credits: tuple[Credit, ...]

    def apply(self, model: Model) -> str:
        stored = model.items.get(self.item_id)
        if stored is None:
            return "unknown item"
        known = normal_form(self.credits)
        listed, people = model.save_list(self.item_id, known, "full", fresh=True)
        if listed:
            stored.updated = model.now
        return "saved" if listed or people else "unchanged"


@dataclass(frozen=True)
class DeletePeopleOfItem:
    item_id: str

    def apply(self, model: Model) -> str | int:
        stored = model.items.get(self.item_id)
        if stored is None:
            return "unknown item"
        number = len(stored.credits)
        if stored.completeness != "none":
            before, stored.credits, stored.completeness = stored.credits, [], "none"
            stored.updated = model.now
            model.hide_uncredited(person_id for person_id, _, _ in before)
        return number


@dataclass(frozen=True)
class DeleteItem:
    item_id: str

    def apply(self, model: Model) -> bool:
        below = {self.item_id}
        while more := {key for key, one in model.items.items() if one.parent in below} - below:
            below |= more
        was_there = self.item_id in model.items
        gone = [model.items.pop(item_id) for item_id in below & model.items.keys()]
        model.hide_uncredited(person_id for one in gone for person_id, _, _ in one.credits)
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
    """One operation that ran at the same time as others.

    Attributes:
        operation: the operation.
        answer: what the call returned; ``...`` if that is unknown.
        optional: whether it was cancelled, so that it may be stored completely or not at all.
        stream: the operations of one call, of which those on one item keep their order.
    """

    operation: Operation
    answer: Any = ...
    optional: bool = False
    stream: int | None = None


def without_times(views: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Leave out the times at which people changed: two renames in one transaction write only the result."""
    return {**views, "people": [row[:-2] for row in views["people"]]}


def explain(
    before: Model, steps: Sequence[Step], seen: dict[str, list[tuple[Any, ...]]], *, strict: bool
) -> Model | None:
    """Return the model after a serial order of *steps* that explains the result; None if there is none."""
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
            if not strict:
                model.adopt_givers(before, {row[0]: row[-2] for row in seen["behind"]})
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
