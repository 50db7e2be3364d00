"""Credits: the junction between items and people, written, read by item and read by person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from types import NoneType
from typing import Any, Final, NamedTuple

from mediasync.aio import batched
from mediasync.claims import StoredPerson
from mediasync.construction import make_credit
from mediasync.database.session import Session
from mediasync.errors import DataError
from mediasync.models import Credit, FilmographyCredit
from mediasync.repositories.building import in_slices, select_list
from mediasync.repositories.flaws import read_model
from mediasync.repositories.person_rows import (
    PERSON,
    PERSON_COLUMNS,
    PERSON_STATE,
    PERSON_TYPES,
    person_of,
    stored_person,
    valid_person,
)
from mediasync.rows import CreditRow
from mediasync.vocabulary import PersonType

StoredCredit = tuple[int, int, int, str, str | None]
"""The item's storage key, the place in its billing, the person's storage key, the type, the role.

It is a plain tuple, since a group has hundreds of thousands of them: CPython's garbage collector stops
tracking plain tuples of numbers and texts, but not named ones.
"""

CREDITS_AT_ONCE: Final = 2_000
"""How many credits are read without letting the event loop go on in between."""

_CREDITS_PER_STATEMENT: Final = 5_000
_ROWS_AT_ONCE: Final = 1_000
_PERSON_KEY: Final = itemgetter(2)

_COLUMNS: Final = "item_key integer, sort_order integer, person_key integer, person_type text, role text"

# Replaces the credits at places of lists that have other credits there.
UPDATE_CREDITS: Final = f"""
UPDATE credit SET person_key = r.person_key, person_type = r.person_type, role = r.role
FROM @rows(:rows, {_COLUMNS}) r
WHERE credit.item_key = r.item_key AND credit.sort_order = r.sort_order
"""

# Deletes the credits beyond the ends of lists that became shorter.
DELETE_CREDITS_AT: Final = """
DELETE FROM credit WHERE (item_key, sort_order) IN (
    SELECT r.item_key, r.sort_order FROM @rows(:rows, item_key integer, sort_order integer) r
)
"""

# Deletes all credits of items.
DELETE_CREDITS: Final = """
DELETE FROM credit
WHERE item_key IN (SELECT i.item_key FROM @list(:ids) l JOIN media_item i ON i.id = l.id)
"""

CREDIT: Final = f"c.person_type, c.role, c.sort_order, {PERSON}"
_CREDIT_COLUMNS: Final = ("person_type", "role", "sort_order", *PERSON_COLUMNS)

# Reads the whole list of one item, if it has fewer than :limit credits, in no order.
SELECT_SHORT_LIST: Final = f"""
SELECT {CREDIT}
FROM media_item i
JOIN credit c ON c.item_key = i.item_key
JOIN person p ON p.person_key = c.person_key
WHERE i.id = :id AND i.missing_since IS NULL LIMIT :limit
"""

# Reads the lists of items, in no order.
SELECT_CREDITS: Final = f"""
SELECT i.id AS item_id, {CREDIT}
FROM @rows(:items, id text) r
JOIN media_item i ON i.id = r.id
JOIN credit c ON c.item_key = i.item_key
JOIN person p ON p.person_key = c.person_key
"""

FIRST_CREDITS: Final = f"""
(SELECT @array({", ".join(f"@arrays(f.{name})" for name in _CREDIT_COLUMNS)}) FROM (
    SELECT {CREDIT}
    FROM credit c JOIN person p ON p.person_key = c.person_key
    WHERE c.item_key = i.item_key ORDER BY c.sort_order LIMIT :credits_of_each
) f)
"""
"""The first credits of an item *i*, for `listed_credits`: each column as a JSON array, all of them in one."""

# Counts the credits of each of some items.
COUNT_CREDITS_OF_ITEMS: Final = """
SELECT i.id AS item_id, (SELECT count(*) FROM credit c WHERE c.item_key = i.item_key) AS credits
FROM @list(:ids) l JOIN media_item i ON i.id = l.id
WHERE i.missing_since IS NULL
"""

# Reads the lists of items with what is stored of their people, to compare them with new lists.
SELECT_STORED_LISTS: Final = f"""
SELECT i.id AS item_id, c.person_type, coalesce(c.role, '') AS role, {PERSON_STATE}
FROM @list(:ids) l
JOIN media_item i ON i.id = l.id
JOIN credit c ON c.item_key = i.item_key
JOIN person p ON p.person_key = c.person_key
ORDER BY l.n, c.sort_order
"""

FILMOGRAPHY: Final = {
    "media_item_id": "i.id",
    "media_type": "i.media_type",
    "title": "i.title",
    "year": "i.year",
    "season_number": "i.season_number",
    "episode_number": "i.episode_number",
    "show_id": "coalesce(upper.id, parent.id)",
    "show_title": "coalesce(upper.title, parent.title)",
    "person_type": "c.person_type",
    "role": "c.role",
    "sort_order": "c.sort_order",
}

# Reads the filmography of a person, the oldest item first; episodes come with their show.
SELECT_FILMOGRAPHY: Final = f"""
SELECT {select_list(FILMOGRAPHY)}
FROM credit c
JOIN media_item i ON i.item_key = c.item_key
LEFT JOIN media_item parent ON parent.item_key = i.parent_key
LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
WHERE c.person_key = (SELECT person_key FROM person WHERE id = :person_id) AND i.missing_since IS NULL
ORDER BY i.year IS NULL, i.year, i.title, i.season_number NULLS FIRST,
    i.episode_number NULLS FIRST, i.id, c.sort_order
LIMIT :limit OFFSET :offset
"""

# Finds the items of a library that credit any of some people.
SELECT_ITEMS_CREDITING: Final = """
SELECT DISTINCT i.remote_id
FROM @list(:ids) k
JOIN person p ON p.id = k.id
JOIN credit c ON c.person_key = p.person_key
JOIN media_item i ON i.item_key = c.item_key
JOIN library l ON l.id = :library_id
WHERE i.missing_since IS NULL AND (i.library_key = l.library_key OR EXISTS (
    SELECT 1 FROM item_library x WHERE x.item_key = i.item_key AND x.library_key = l.library_key
))
"""

# Locks the items that credit a person, before their lists are changed.
LOCK_CREDITING: Final = """
SELECT i.id AS item_id, i.item_key, i.missing_since IS NOT NULL AS missing FROM media_item i
WHERE i.item_key IN (
    SELECT c.item_key FROM credit c JOIN person p ON p.person_key = c.person_key WHERE p.id = :person_id
)
ORDER BY i.id @lock(i)
"""

# Counts the credits of a person, who is only deleted if there are none.
COUNT_CREDITS_OF_PERSON: Final = """
SELECT count(*) AS credits FROM credit
WHERE person_key = (SELECT person_key FROM person WHERE id = :id)
"""

# Counts all credits of the mirror.
COUNT_CREDITS: Final = "SELECT media_people FROM totals"


class CreditedPerson(NamedTuple):
    """A stored credit with the person it points at.

    Attributes:
        person: what is stored of the person.
        person_type: the function.
        role: the role, or ''.
    """

    person: StoredPerson
    person_type: str
    role: str


class CreditingItem(NamedTuple):
    """An item that credits a person.

    Attributes:
        id: the item's id.
        key: the item's storage key.
        missing: whether it is marked as missing from its source.
    """

    id: str
    key: int
    missing: bool


class RemovedCredit(NamedTuple):
    """A credit that was removed, or whose item was marked as missing.

    Attributes:
        person_id: the person's id.
        person_key: the person's storage key.
        item_key: the item's storage key.
    """

    person_id: str
    person_key: int
    item_key: int


@dataclass(frozen=True, slots=True)
class CreditChange:
    """A stored credit list and the one that replaces it.

    Attributes:
        item_key: the item's storage key.
        before: (the person's id, person type, role or '') of each stored credit, in billing order.
        after: the new list, in normal form.
    """

    item_key: int
    before: Sequence[tuple[str, str, str]]
    after: Sequence[CreditRow]


class CreditRepository:
    """Writes credits, and reads them from the side of the item and from that of the person.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    # Written

    def make_rows(
        self,
        lists: Iterable[tuple[int, int, Sequence[CreditRow]]],
        person_keys: Mapping[str, int],
        without: Container[str] = frozenset(),
    ) -> list[StoredCredit]:
        """Return credits as `insert` takes them.

        Args:
            lists: each item's storage key, the number of its first credit that is to be inserted, and its
                credits in normal form.
            person_keys: the storage keys of the people, by id.
            without: the people whose credits are left out.
        """
        rows = [
            (item_key, order, person_keys[row[0]], row[4], row[5] or None)
            for item_key, first, credit_rows in lists
            for order, row in enumerate(credit_rows[first:] if first else credit_rows, first)
            if row[0] not in without
        ]
        self._sort(rows)
        return rows

    async def insert(self, rows: list[StoredCredit]) -> None:
        """Insert credits of items.

        Args:
            rows: made by one or several calls of `make_rows`. They are sorted in place.

        Raises:
            DataError: if an item or a person is not stored.
        """
        self._sort(rows)
        for first in range(0, len(rows), _CREDITS_PER_STATEMENT):
            some = rows[first : first + _CREDITS_PER_STATEMENT]
            if await self._session.insert("credit", _COLUMNS, some) != len(some):
                raise DataError("not all credits were stored")

    async def change(self, changes: Sequence[CreditChange], person_keys: Mapping[str, int]) -> None:
        """Update the credits that have a place in the stored lists, and delete those beyond the new ends.

        Credits beyond the ends of the stored lists are left to `insert`.

        Args:
            changes: of stored items.
            person_keys: the storage keys of the people, by id.
        """
        updated = [
            (change.item_key, order, person_keys[new[0]], new[4], new[5] or None)
            for change in changes
            for order, (old, new) in enumerate(zip(change.before, change.after, strict=False))
            if old != (new[0], *new[4:])
        ]
        deleted = [
            (change.item_key, order)
            for change in changes
            for order in range(len(change.after), len(change.before))
        ]
        if updated:
            await self._session.execute(UPDATE_CREDITS, {"rows": updated})
        if deleted:
            await self._session.execute(DELETE_CREDITS_AT, {"rows": deleted})

    async def delete(self, item_ids: Sequence[str]) -> int:
        """Delete all credits of items. Return how many there were."""
        return await self._session.execute(DELETE_CREDITS, {"ids": list(item_ids)})

    def _sort(self, rows: list[StoredCredit]) -> None:
        # Such an engine clusters the table by item whatever the order of insertion. Sorted by person, the
        # secondary index and the foreign key checks are walked sequentially instead of at random.
        if self._session.keeps_primary_key_order:
            rows.sort(key=_PERSON_KEY)

    # Read by item

    async def find_by_media_item(self, media_item_id: str) -> list[Credit]:
        """Return the credits of one item in billing order; an empty list if it has none or is not stored."""
        return (await self.find_by_media_items([media_item_id]))[media_item_id]

    async def find_short_list(self, media_item_id: str) -> list[Credit] | None:
        """Return the credits of one item by a single query, or None if it has too many for that."""
        params = {"id": media_item_id, "limit": CREDITS_AT_ONCE}
        rows = await self._session.fetch_all(SELECT_SHORT_LIST, params)
        if len(rows) == CREDITS_AT_ONCE:
            return None
        made = await in_slices(rows, credits_of)
        return sorted((credit for credit in made if credit is not None), key=billing_order)

    async def find_by_media_items(self, media_item_ids: Sequence[str]) -> dict[str, list[Credit]]:
        """Return the credits of many items, by the items' ids, in the order asked for."""
        found: dict[str, list[Credit]] = {item_id: [] for item_id in media_item_ids}
        counted = await self._session.fetch_many(COUNT_CREDITS_OF_ITEMS, {"ids": list(found)})
        return found | await self.read_lists({item_id: number or 0 for item_id, number in counted})

    async def read_lists(self, counts: Mapping[str, int]) -> dict[str, list[Credit]]:
        """Return the credits of items in billing order, by the items' ids.

        One query reads them all.

        Args:
            counts: how many credits each item has, by id.
        """
        found: dict[str, list[Credit]] = {item_id: [] for item_id in counts}
        ids = [(item_id,) for item_id, count in counts.items() if count]
        if not ids:
            return found
        few = sum(counts.values()) <= CREDITS_AT_ONCE
        fetch = self._session.fetch_all if few else self._session.fetch_many
        rows = await fetch(SELECT_CREDITS, {"items": ids})
        for some in batched(rows, _ROWS_AT_ONCE):
            made = await in_slices([row[1:] for row in some], credits_of)
            for (item_id, *_), credit in zip(some, made, strict=True):
                if credit is not None:
                    found[item_id].append(credit)
            await asyncio.sleep(0)
        for lists in batched(found.values(), _ROWS_AT_ONCE):
            for credits_of_item in lists:
                # They are mostly sorted already; the engine would sort wide rows.
                credits_of_item.sort(key=billing_order)
            await asyncio.sleep(0)
        return found

    async def find_stored_lists(self, item_ids: Sequence[str]) -> dict[str, list[CreditedPerson]]:
        """Return the stored credits of items with their people, by the items' ids, in billing order."""
        found: dict[str, list[CreditedPerson]] = {item_id: [] for item_id in item_ids}
        rows = await self._session.fetch_all(SELECT_STORED_LISTS, {"ids": list(item_ids)})
        for item_id, person_type, role, *person in rows:
            found[item_id].append(CreditedPerson(stored_person(person), person_type, role))
        return found

    # Read by person

    async def find_filmography(self, person_id: str, *, limit: int, offset: int) -> list[FilmographyCredit]:
        """Return credits of a person, the oldest item first."""
        params = {"person_id": person_id, "limit": limit, "offset": offset}
        rows = await self._session.fetch_all(SELECT_FILMOGRAPHY, params)
        return await in_slices(rows, _filmography)

    async def find_items_crediting(self, library_id: str, person_ids: Sequence[str]) -> set[str]:
        """Return the source's own keys of a library's items that credit any of these people."""
        rows = await self._session.fetch_all(
            SELECT_ITEMS_CREDITING, {"library_id": library_id, "ids": list(person_ids)}
        )
        return {remote_id for (remote_id,) in rows}

    async def lock_crediting(self, person_id: str) -> list[CreditingItem]:
        """Lock the items that credit a person, and return them by id."""
        rows = await self._session.fetch_all(LOCK_CREDITING, {"person_id": person_id})
        return [CreditingItem(item_id, key, bool(missing)) for item_id, key, missing in rows]

    async def count_of_person(self, person_id: str) -> int:
        """Return how many credits a person has."""
        [(number,)] = await self._session.fetch_all(COUNT_CREDITS_OF_PERSON, {"id": person_id})
        return int(number)

    async def count(self) -> int:
        """Return how many credits are stored."""
        [(number,)] = await self._session.fetch_all(COUNT_CREDITS)
        return int(number)


# The types of the columns of a credit, as every save stores them. The model validates rows with other types,
# which another program has stored.
_CREDIT_TYPES: Final = frozenset((str, role, int, *PERSON_TYPES) for role in (str, NoneType))


def billing_order(credit: Credit) -> int:
    """Return the place of a credit in the billing of its item."""
    return credit.sort_order or 0


def listed_credits(text: str) -> list[tuple[Any, ...]]:
    """Return the rows of a list that the query selected as `FIRST_CREDITS`."""
    columns = json.loads(text)
    return list(zip(*columns, strict=True)) if columns[0] else []


def credits_of(rows: Iterable[Sequence[Any]]) -> list[Credit | None]:
    """Return the credit of each row of a list, or None if it cannot be read."""
    return [_credit(row) for row in rows]


def _credit(row: Sequence[Any]) -> Credit | None:
    person_type, role, sort_order, person_id, name, image_path, provider_ids, created_at, updated_at = row
    if tuple(map(type, row)) not in _CREDIT_TYPES:
        values = {
            "person": person_of(row[3:]),
            "person_type": person_type,
            "role": role,
            "sort_order": sort_order,
        }
        return read_model(Credit, f"a credit of person {person_id}", values)
    person = valid_person(person_id, name, image_path, provider_ids, created_at, updated_at)
    return make_credit(person, PersonType.parse(person_type), role, sort_order)


def _filmography(rows: Sequence[Sequence[Any]]) -> list[FilmographyCredit]:
    read = (
        read_model(FilmographyCredit, f"a credit in {row[0]}", dict(zip(FILMOGRAPHY, row, strict=True)))
        for row in rows
    )
    return [credit for credit in read if credit is not None]
