"""People as they are read, and the credits of items with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from mediasync.dialects.base import Session
from mediasync.models import Credit, Person
from mediasync.names import words_of_name
from mediasync.repositories.times import to_datetime
from mediasync.repositories.word_search import WordIndex, find_by_words

_PERSON: Final = """
p.id AS person_id, s.id AS source_id, p.name, p.image_path, p.provider_ids, p.created_at, p.updated_at
"""

SELECT_PERSON: Final = f"""
SELECT {_PERSON} FROM person p JOIN source s ON s.source_key = p.source_key WHERE p.id = :id
"""

SELECT_PERSONS: Final = f"""
SELECT {_PERSON} FROM @list(:ids) l JOIN person p ON p.id = l.id JOIN source s ON s.source_key = p.source_key
"""

SELECT_CREDITS: Final = f"""
SELECT i.id AS item_id, c.person_type, c.role, c.sort_order, {_PERSON}
FROM @list(:ids) l
JOIN media_item i ON i.id = l.id
JOIN credit c ON c.item_key = i.item_key
JOIN person p ON p.person_key = c.person_key
JOIN source s ON s.source_key = p.source_key
ORDER BY l.n, c.sort_order
"""

COUNT_PEOPLE: Final = """
SELECT count(*) AS people FROM person
WHERE :source_id IS NULL OR source_key = (SELECT source_key FROM source WHERE id = :source_id)
"""

COUNT_PERSON_WORDS: Final = """
SELECT r.n, (
    SELECT count(*) FROM (
        SELECT w.person_key FROM person_word w WHERE w.word >= r.low AND w.word < r.high LIMIT :most
    ) begun
) AS matches
FROM @rows(:words, low text, high text) r
"""
_KEYS_OF_WORD: Final = "SELECT person_key FROM person_word WHERE word >= :low{n} AND word < :high{n}"
SEARCH_FEW_PEOPLE: Final = f"""
SELECT {_PERSON}
FROM (@words) w
JOIN person p ON p.person_key = w.person_key
JOIN source s ON s.source_key = p.source_key
WHERE :source_id IS NULL OR s.id = :source_id
"""
SEARCH_MANY_PEOPLE: Final = f"""
SELECT w.word, {_PERSON}
FROM person_word w
JOIN person p ON p.person_key = w.person_key
JOIN source s ON s.source_key = p.source_key
WHERE w.word >= :low AND w.word < :high AND (:source_id IS NULL OR s.id = :source_id)
ORDER BY w.word, p.name, p.id LIMIT :limit OFFSET :offset
"""

_NAME: Final = 2
_INDEX: Final = WordIndex(
    COUNT_PERSON_WORDS,
    _KEYS_OF_WORD,
    SEARCH_FEW_PEOPLE,
    SEARCH_MANY_PEOPLE,
    words=lambda row: words_of_name(row[_NAME]),
    order=lambda row: (row[_NAME], row[0]),
)


class PersonReader:
    """Reads people and credits.

    Args:
        session: a snapshot, or an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find_by_id(self, person_id: str) -> Person | None:
        """Return one person, or None."""
        rows = await self._session.fetch_all(SELECT_PERSON, {"id": person_id})
        return _person(rows[0]) if rows else None

    async def find_by_ids(self, person_ids: Sequence[str]) -> dict[str, Person]:
        """Return those of the people who are stored, by the source's own keys."""
        found = map(_person, await self._session.fetch_all(SELECT_PERSONS, {"ids": list(person_ids)}))
        return {person.remote_id or "": person for person in found}

    async def find_by_media_item(self, media_item_id: str) -> list[Credit]:
        """Return the credits of one item in billing order; an empty list if it has none or is not stored."""
        rows = await self._session.fetch_all(SELECT_CREDITS, {"ids": [media_item_id]})
        return [_credit(row) for row in rows]

    async def find_by_media_items(self, media_item_ids: Sequence[str]) -> dict[str, list[Credit]]:
        """Return the credits of many items in one query, by the items' ids, in the order asked for."""
        found: dict[str, list[Credit]] = {item_id: [] for item_id in media_item_ids}
        for row in await self._session.fetch_all(SELECT_CREDITS, {"ids": list(found)}):
            found[row[0]].append(_credit(row))
        return found

    async def search(self, text: str, source_id: str | None, limit: int, offset: int) -> list[Person]:
        """Return the people each of whose names has a word beginning with each word of *text*.

        They are ordered by their first word that begins with the longest word of the text, then by name.
        """
        params = {"source_id": source_id}
        rows = await find_by_words(self._session, _INDEX, text, params, skip=offset, limit=limit)
        return [_person(row) for row in rows]

    async def count(self, source_id: str | None = None) -> int:
        """Return how many people are stored, of one source or of all."""
        [(number,)] = await self._session.fetch_all(COUNT_PEOPLE, {"source_id": source_id})
        return int(number)


def _person(row: Sequence[Any]) -> Person:
    person_id, source_id, name, image_path, provider_ids, created_at, updated_at = row
    return Person(
        id=person_id,
        source_id=source_id,
        remote_id=person_id[len(source_id) + 1 :],
        name=name,
        image_path=image_path or None,
        provider_ids=json.loads(provider_ids) if provider_ids else {},
        created_at=to_datetime(created_at),
        updated_at=to_datetime(updated_at),
    )


def _credit(row: Sequence[Any]) -> Credit:
    return Credit(person=_person(row[4:]), person_type=row[1], role=row[2], sort_order=row[3])
