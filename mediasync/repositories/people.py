"""People, their names' words, and their credits seen from their side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from mediasync.concurrency import overlap
from mediasync.dialects.base import Session
from mediasync.errors import PersonInUse, UnknownSource
from mediasync.models import Credit, Person
from mediasync.names import words_of_name
from mediasync.normal import PersonRow, merge_people
from mediasync.repositories.times import to_datetime

_PERSON: Final = """
p.id AS person_id, s.id AS source_id, p.name, p.image_path, p.provider_ids, p.created_at, p.updated_at
"""

# Which of the rows are new, or differ from what is stored by more than missing fields.
FIND_DIFFERENT: Final = """
SELECT r.n, p.person_key, p.name, p.image_path, p.provider_ids
FROM @rows(:people, id text, name text, image_path text, provider_ids text) r
LEFT JOIN person p ON p.id = r.id
WHERE p.person_key IS NULL
   OR r.name <> p.name
   OR (r.image_path <> '' AND r.image_path <> p.image_path)
   OR (r.provider_ids <> '' AND r.provider_ids <> p.provider_ids)
ORDER BY r.n
"""

UPSERT_PEOPLE: Final = """
INSERT INTO person (source_key, id, name, image_path, provider_ids, created_at, updated_at)
SELECT s.source_key, r.id, r.name, r.image_path, r.provider_ids, :now, :now
FROM @rows(:people, source_id text, id text, name text, image_path text, provider_ids text) r
JOIN source s ON s.id = r.source_id
WHERE true
ON CONFLICT (id) DO UPDATE
SET name = excluded.name,
    image_path = excluded.image_path,
    provider_ids = excluded.provider_ids,
    updated_at = excluded.updated_at
"""

DELETE_WORDS: Final = """
DELETE FROM person_word
WHERE (word, person_key) IN (SELECT r.word, r.person_key FROM @rows(:words, word text, person_key integer) r)
"""

INSERT_WORDS: Final = """
INSERT INTO person_word (word, person_key)
SELECT r.word, p.person_key
FROM @rows(:words, word text, person_id text) r JOIN person p ON p.id = r.person_id
WHERE true
ON CONFLICT (word, person_key) DO NOTHING
"""

SELECT_PERSON: Final = f"""
SELECT {_PERSON} FROM person p JOIN source s ON s.source_key = p.source_key WHERE p.id = :id
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

COUNT_CREDITS_OF_PERSON: Final = """
SELECT count(*) AS credits FROM credit
WHERE person_key = (SELECT person_key FROM person WHERE id = :id)
"""

DELETE_PERSON: Final = "DELETE FROM person WHERE id = :id"

SOURCES_STORED: Final = "SELECT s.id AS source_id FROM @list(:ids) l JOIN source s ON s.id = l.id"

_WORD_RANGE: Final = "SELECT person_key FROM person_word WHERE word >= :low{n} AND word < :high{n}"

SEARCH_PEOPLE: Final = f"""
SELECT {_PERSON}
FROM (@words) w
JOIN person p ON p.person_key = w.person_key
JOIN source s ON s.source_key = p.source_key
WHERE :source_id IS NULL OR s.id = :source_id
ORDER BY p.name, p.id LIMIT :limit OFFSET :offset
"""

MAX_SEARCH_WORDS: Final = 8
_WORTH_OVERLAPPING: Final = 300
_AFTER_ALL_WORDS: Final = "\U0010ffff"


class PeopleRepository:
    """People and their credits.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def upsert(self, person: PersonRow) -> bool:
        """Save one person. Return whether a row changed."""
        return bool(await self.upsert_batch([person]))

    async def upsert_batch(self, people: Sequence[PersonRow]) -> int:
        """Save people, and the words by which they are found.

        Only people that are new or differ are written. What is missing never overwrites what is there. Where
        the key is derived from the name, the first stored spelling stays.

        Args:
            people: of different ids, in their order, as `merge_all` makes them.

        Returns:
            How many rows were written.

        Raises:
            UnknownSource: if the source of one of them is not stored.
        """
        if not people:
            return 0
        different = await self._session.fetch_all(FIND_DIFFERENT, {"people": list(people)})
        rows: list[tuple[str, ...]] = []
        renamed: list[tuple[str, int | None, str, str]] = []
        for position, key, stored_name, stored_image, stored_ids in different:
            person = people[position]
            if key is not None:
                stored = (person[0], stored_name, stored_image, stored_ids)
                person = merge_people(stored, person)
                if person == stored:
                    continue
            rows.append((person[0].partition(":")[0], *person))
            if person[1] != stored_name:
                renamed.append((person[0], key, stored_name, person[1]))
        if not rows:
            return 0
        upsert = self._session.execute(UPSERT_PEOPLE, {"people": rows, "now": self._session.now})
        if len(rows) < _WORTH_OVERLAPPING:
            written, (old_words, new_words) = await upsert, _words(renamed)
        else:
            written, (old_words, new_words) = await overlap(upsert, lambda: _words(renamed))
        if written != len(rows):
            await self._raise_unknown_source({row[0] for row in rows})
        if old_words:
            await self._session.execute(DELETE_WORDS, {"words": old_words})
        if new_words:
            await self._session.execute(INSERT_WORDS, {"words": new_words})
        return written

    async def _raise_unknown_source(self, source_ids: set[str]) -> None:
        stored = await self._session.fetch_all(SOURCES_STORED, {"ids": sorted(source_ids)})
        missing = sorted(source_ids - {source_id for (source_id,) in stored})
        raise UnknownSource(f"source {', '.join(map(repr, missing))} is not stored: save it first")

    async def find_by_id(self, person_id: str) -> Person | None:
        """Return one person, or None."""
        rows = await self._session.fetch_all(SELECT_PERSON, {"id": person_id})
        return _person(rows[0]) if rows else None

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
        """Return the people each of whose names has a word beginning with each word of *text*, by name."""
        words = sorted(words_of_name(text), key=len, reverse=True)[:MAX_SEARCH_WORDS]
        if not words:
            return []
        params: dict[str, Any] = {"source_id": source_id, "limit": limit, "offset": offset}
        for number, word in enumerate(words):
            params |= {f"low{number}": word, f"high{number}": word + _AFTER_ALL_WORDS}
        ranges = " INTERSECT ".join(_WORD_RANGE.format(n=number) for number in range(len(words)))
        if len(words) == 1:
            ranges = ranges.replace("SELECT", "SELECT DISTINCT", 1)
        rows = await self._session.fetch_all(SEARCH_PEOPLE.replace("@words", ranges), params)
        return [_person(row) for row in rows]

    async def delete(self, person_id: str) -> bool:
        """Delete a person whom no credit points at. Return whether there was one.

        Raises:
            PersonInUse: if credits point at the person.
        """
        [(credits_left,)] = await self._session.fetch_all(COUNT_CREDITS_OF_PERSON, {"id": person_id})
        if credits_left:
            raise PersonInUse(f"person {person_id!r} has {credits_left} credits: delete those items first")
        return bool(await self._session.execute(DELETE_PERSON, {"id": person_id}))

    async def count(self, source_id: str | None = None) -> int:
        """Return how many people are stored, of one source or of all."""
        [(number,)] = await self._session.fetch_all(COUNT_PEOPLE, {"source_id": source_id})
        return int(number)


def _words(
    renamed: Sequence[tuple[str, int | None, str, str]],
) -> tuple[list[tuple[str, int]], list[tuple[str, str]]]:
    """Return the words to delete, by key, and those to insert, by id, in the order of the index."""
    old = [(word, key) for _, key, name, _ in renamed if key is not None for word in words_of_name(name)]
    new = [(word, person_id) for person_id, _, _, name in renamed for word in words_of_name(name)]
    return sorted(old), sorted(new)


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
