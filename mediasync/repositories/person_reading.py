"""People as they are read, and the credits of items with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import NoneType
from typing import Any, Final

from mediasync.aio import batched
from mediasync.database.session import Session
from mediasync.models import Credit, Person
from mediasync.repositories.building import in_slices, model_maker
from mediasync.repositories.search import WordIndex, count_words, find_by_words, keys_of_word
from mediasync.repositories.stored import note_flaw, read_json, read_model
from mediasync.repositories.times import to_datetime
from mediasync.text import words_of_name
from mediasync.vocabulary import PersonType

_PERSON: Final = "p.id AS person_id, p.name, p.image_path, p.provider_ids, p.created_at, p.updated_at"
_OF_SOURCE: Final = """
(:source_id IS NULL OR p.source_key = (SELECT s.source_key FROM source s WHERE s.id = :source_id))
"""

SELECT_PERSON: Final = f"""
SELECT {_PERSON} FROM person p WHERE p.id = :id AND p.uncredited_since IS NULL
"""
SELECT_PERSON_BY_ALIAS: Final = f"""
SELECT {_PERSON}
FROM person_alias a JOIN person p ON p.person_key = a.person_key
WHERE a.id = :id AND a.shared = 0 AND p.uncredited_since IS NULL
"""

SELECT_PERSONS: Final = f"""
SELECT {_PERSON} FROM @list(:ids) l JOIN person p ON p.id = l.id
"""

_CREDIT: Final = f"i.id AS item_id, c.person_type, c.role, c.sort_order, {_PERSON}"
SELECT_CREDITS: Final = f"""
SELECT {_CREDIT}
FROM @rows(:parts, id text, low integer, high integer) r
JOIN media_item i ON i.id = r.id
JOIN credit c ON c.item_key = i.item_key AND c.sort_order >= r.low AND c.sort_order < r.high
JOIN person p ON p.person_key = c.person_key
"""

SELECT_SHORT_LIST: Final = f"""
SELECT {_CREDIT}
FROM media_item i
JOIN credit c ON c.item_key = i.item_key
JOIN person p ON p.person_key = c.person_key
WHERE i.id = :id LIMIT :limit
"""

COUNT_CREDITS_OF_ITEMS: Final = """
SELECT i.id AS item_id, (SELECT count(*) FROM credit c WHERE c.item_key = i.item_key) AS credits
FROM @list(:ids) l JOIN media_item i ON i.id = l.id
"""

COUNT_PEOPLE: Final = """
SELECT (
    SELECT count(*) FROM person
    WHERE :source_id IS NULL OR source_key = (SELECT source_key FROM source WHERE id = :source_id)
) - (
    SELECT count(*) FROM person
    WHERE uncredited_since IS NOT NULL
      AND (:source_id IS NULL OR source_key = (SELECT source_key FROM source WHERE id = :source_id))
) AS people
"""

COUNT_PERSON_WORDS: Final = count_words("person")
SEARCH_FEW_PEOPLE: Final = f"""
SELECT {_PERSON}
FROM (@words) w
JOIN person p ON p.person_key = w.person_key
WHERE p.uncredited_since IS NULL AND {_OF_SOURCE}
"""
SEARCH_MANY_PEOPLE: Final = f"""
SELECT w.word, {_PERSON}
FROM person_word w
JOIN person p ON p.person_key = w.person_key
WHERE w.word >= :low AND w.word < :high AND p.uncredited_since IS NULL AND {_OF_SOURCE} @others
ORDER BY w.word, p.name, p.id LIMIT :limit OFFSET :offset
"""

_NAME: Final = 1
_INDEX: Final = WordIndex(
    COUNT_PERSON_WORDS,
    keys_of_word("person"),
    SEARCH_FEW_PEOPLE,
    SEARCH_MANY_PEOPLE,
    "person_key",
    words=lambda row: words_of_name(row[_NAME]),
    order=lambda row: (row[_NAME], row[0]),
)


CREDITS_AT_ONCE: Final = 2_000
"""One query reads so many credits."""
_ITEMS_AT_ONCE: Final = 500
_LAST: Final = 2**63 - 1


class PersonReader:
    """Reads people and credits.

    Args:
        session: a snapshot, or an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find_by_id(self, person_id: str) -> Person | None:
        """Return one person, by the id or an alias, or None."""
        rows = await self._session.fetch_all(SELECT_PERSON, {"id": person_id})
        if not rows:
            rows = await self._session.fetch_all(SELECT_PERSON_BY_ALIAS, {"id": person_id})
        return _person(rows[0]) if rows else None

    async def find_by_ids(self, person_ids: Sequence[str]) -> dict[str, Person]:
        """Return those of the people who are stored, credited or not, by the source's own keys."""
        found = map(_person, await self._session.fetch_all(SELECT_PERSONS, {"ids": list(person_ids)}))
        return {person.remote_id or "": person for person in found if person is not None}

    async def find_by_media_item(self, media_item_id: str) -> list[Credit]:
        """Return the credits of one item in billing order; an empty list if it has none or is not stored."""
        return (await self.find_by_media_items([media_item_id]))[media_item_id]

    async def find_short_list(self, media_item_id: str) -> list[Credit] | None:
        """Return the same by one query, or None if there are too many credits for that."""
        params = {"id": media_item_id, "limit": CREDITS_AT_ONCE}
        rows = await self._session.fetch_all(SELECT_SHORT_LIST, params)
        if len(rows) == CREDITS_AT_ONCE:
            return None
        made = await in_slices(rows, _credits)
        return sorted((credit for credit in made if credit is not None), key=_billing)

    async def find_by_media_items(self, media_item_ids: Sequence[str]) -> dict[str, list[Credit]]:
        """Return the credits of many items, by the items' ids, in the order asked for."""
        found: dict[str, list[Credit]] = {item_id: [] for item_id in media_item_ids}
        for ids in batched(found, _ITEMS_AT_ONCE):
            counted = await self._session.fetch_all(COUNT_CREDITS_OF_ITEMS, {"ids": ids})
            found |= await self.read_credits({item_id: number or 0 for item_id, number in counted})
        return found

    async def read_credits(self, counts: Mapping[str, int]) -> dict[str, list[Credit]]:
        """Return the credits of items in billing order, by the items' ids.

        They are read and made some thousand at a time, so that no item keeps the event loop for long, however
        many credits it has.

        Args:
            counts: how many credits each item has.
        """
        found: dict[str, list[Credit]] = {item_id: [] for item_id in counts}
        for parts in _parts(counts):
            rows = await self._session.fetch_all(SELECT_CREDITS, {"parts": parts})
            made = await in_slices(rows, _credits)
            for row, credit in zip(rows, made, strict=True):
                if credit is not None:
                    found[row[0]].append(credit)
        for credits_of_item in found.values():
            credits_of_item.sort(key=_billing)  # mostly sorted already; the engine sorts no wide rows for it
        return found

    async def search(self, text: str, source_id: str | None, limit: int, offset: int) -> list[Person]:
        """Return the people each of whose names has a word beginning with each word of *text*.

        They are ordered by their first word that begins with the longest word of the text, then by name.
        """
        params = {"source_id": source_id}
        rows = await find_by_words(self._session, _INDEX, text, params, skip=offset, limit=limit)
        return [person for row in rows if (person := _person(row)) is not None]

    async def count(self, source_id: str | None = None) -> int:
        """Return how many people are stored, of one source or of all."""
        [(number,)] = await self._session.fetch_all(COUNT_PEOPLE, {"source_id": source_id})
        return int(number)


# The types of the columns of a person, and of a credit, as every save stores them. Anything else that a row
# may hold, changed by other hands, goes through the model's own checks.
_PERSON_TYPES: Final = (str, str, str, str, int, int)
_CREDIT_TYPES: Final = frozenset((str, str, role, int, *_PERSON_TYPES) for role in (str, NoneType))

_make_person: Final = model_maker(Person)
_make_credit: Final = model_maker(Credit)


def _billing(credit: Credit) -> int:
    return credit.sort_order or 0


def _person(row: Sequence[Any]) -> Person | None:
    if tuple(map(type, row)) != _PERSON_TYPES:
        return read_model(Person, f"person {row[0]}", _values_of_person(*row))
    return _make_person(_values_of_person(*row))


def _values_of_person(
    person_id: str, name: str, image_path: str, provider_ids: str, created_at: int, updated_at: int
) -> dict[str, Any]:
    source_id, _, remote_id = person_id.partition(":")
    return {
        "name": name,
        "remote_id": remote_id,
        "image_path": image_path or None,
        "provider_ids": _read_ids(person_id, provider_ids) if provider_ids else {},
        "source_id": source_id,
        "id": person_id,
        "created_at": to_datetime(created_at),
        "updated_at": to_datetime(updated_at),
    }


def _parts(counts: Mapping[str, int]) -> Iterator[list[tuple[str, int, int]]]:
    """Yield the parts of lists of credits (the item's id, from, up to), some thousand credits at a time.

    The last part of a list has no end, for lists that other hands have left with gaps.
    """
    parts: list[tuple[str, int, int]] = []
    room = CREDITS_AT_ONCE
    for item_id, count in counts.items():
        low = 0
        while low < count:
            high = min(count, low + room)
            parts.append((item_id, low, high if high < count else _LAST))
            room -= high - low
            low = high
            if not room:
                yield parts
                parts, room = [], CREDITS_AT_ONCE
    if parts:
        yield parts


def _credits(rows: Sequence[Sequence[Any]]) -> list[Credit | None]:
    return [_credit(tuple(row)) for row in rows]


def _credit(row: tuple[Any, ...]) -> Credit | None:
    _, person_type, role, sort_order, *person = row
    if tuple(map(type, row)) not in _CREDIT_TYPES:
        values = {
            "person": _person(person),
            "person_type": person_type,
            "role": role,
            "sort_order": sort_order,
        }
        return read_model(Credit, f"a credit of person {person[0]}", values)
    return _make_credit(
        {
            "person": _make_person(_values_of_person(*person)),
            "person_type": _parse_type(person_type),
            "role": role,
            "sort_order": sort_order,
        }
    )


def _read_ids(person_id: str, text: str) -> dict[str, str]:
    subject = f"person {person_id}"
    ids: dict[str, str] = read_json(subject, text, dict)
    if all(type(value) is str for value in ids.values()):
        return ids
    note_flaw(subject, "the stored provider_ids cannot be read and are left out (an id is not a text)")
    return {}


@lru_cache(maxsize=1_000)
def _parse_type(person_type: str) -> PersonType | str:
    return PersonType.parse(person_type)
