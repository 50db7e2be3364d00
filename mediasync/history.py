"""The history of the mirror: each change of the log with the values before and after it."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from mediasync.changes import Change
from mediasync.vocabulary import ChangeKind, EntityKind


class CreditChangeKind(StrEnum):
    """What happened to one credit of an item."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that changed.

    Attributes:
        name: the column of the view.
        old: its value before.
        new: its value after; None also if the log no longer shows it.
    """

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class CreditChange:
    """One credit that changed.

    Attributes:
        what: what happened to it.
        person_id: the person.
        name: the person's current name, or the id if the person is no longer stored.
        person_type: the function.
        role: the character or job, after the change; before it if the credit was removed.
        old_role: before the change, if the role changed.
    """

    what: CreditChangeKind
    person_id: str
    name: str
    person_type: str
    role: str | None
    old_role: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change, with what it changed.

    Attributes:
        change: as the log holds it.
        name: the title or name of the entity after the change; before it if the entity was removed.
        year: of an item.
        fields: the fields that changed, besides the credits.
        credits: the credits that changed: removed ones first, then the others in billing order.
    """

    change: Change
    name: str
    year: int | None
    fields: tuple[FieldChange, ...]
    credits: tuple[CreditChange, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One entity that was shown otherwise at two points in time.

    Attributes:
        entity: what kind of thing it is.
        entity_id: its text id.
        what: ``added``, ``changed`` or ``removed`` from the first point to the second, or ``merged`` for a
            person who became another one.
        name: its title or name at the second point; at the first one if it was removed.
        year: of an item.
        fields: the fields that differ, besides the credits.
        credits: the credits that differ: removed ones first, then the others in billing order.
        other_id: the person that a merged person became; else None.
    """

    entity: EntityKind
    entity_id: str
    what: ChangeKind
    name: str
    year: int | None
    fields: tuple[FieldChange, ...]
    credits: tuple[CreditChange, ...]
    other_id: str | None = None


class CreditTriple(NamedTuple):
    """A credit as the log holds it."""

    person_id: str
    person_type: str
    role: str | None


def compare_credits(
    old: Sequence[CreditTriple], new: Sequence[CreditTriple], names: Mapping[str, str]
) -> tuple[CreditChange, ...]:
    """Return what changed between two credit lists in billing order.

    A credit of the same person and function that is in only one of the lists by its role has a new role. Of
    the others that are in both, the fewest possible count as moved.

    Args:
        old: the list before.
        new: the list after.
        names: the names of people, by id.

    Example:
        >>> heat = [CreditTriple("1", "actor", "Vincent"), CreditTriple("2", "actor", None)]
        >>> now = [CreditTriple("2", "actor", None), CreditTriple("1", "actor", "Lt. Hanna")]
        >>> [(one.what.value, one.name, one.old_role, one.role) for one in compare_credits(heat, now, {})]
        [('role', '1', 'Vincent', 'Lt. Hanna')]
    """
    places = {one: place for place, one in enumerate(old)}
    present = set(new)
    gone = {one: None for one in old if one not in present}
    of_person: defaultdict[tuple[str, str], deque[CreditTriple]] = defaultdict(deque)
    for one in gone:
        of_person[one[:2]].append(one)
    renamed: dict[CreditTriple, CreditTriple] = {}
    for one in new:
        if one not in places and of_person[one[:2]]:
            renamed[one] = of_person[one[:2]].popleft()
            del gone[renamed[one]]
    kept = [one for one in new if one in places]
    moved = set(kept) - set(_longest_ascending(kept, places))

    def made(one: CreditTriple, what: CreditChangeKind, old_role: str | None = None) -> CreditChange:
        return CreditChange(what, one[0], names.get(one[0], one[0]), one[1], one[2], old_role)

    changes = [made(one, CreditChangeKind.REMOVED) for one in gone]
    for one in new:
        if one in renamed:
            changes.append(made(one, CreditChangeKind.ROLE, renamed[one].role))
        elif one in moved:
            changes.append(made(one, CreditChangeKind.MOVED))
        elif one not in places:
            changes.append(made(one, CreditChangeKind.ADDED))
    return tuple(changes)


def _longest_ascending(
    kept: Sequence[CreditTriple], places: Mapping[CreditTriple, int]
) -> list[CreditTriple]:
    """Return the longest part of *kept* whose old places ascend, by patience sorting."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, one in enumerate(kept):
        pile = bisect_left(ends, places[one])
        ends[pile : pile + 1] = [places[one]]
        last[pile : pile + 1] = [number]
        before.append(last[pile - 1] if pile else -1)
    found: list[CreditTriple] = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(kept[number])
        number = before[number]
    return found
