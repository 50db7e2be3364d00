"""Reading people: by id, by search, and counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mediasync.database.session import Session
from mediasync.models import Credit, Person
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.person_rows import PERSON, person_of
from mediasync.repositories.search import WordIndex, count_words, find_by_words, keys_of_word
from mediasync.text import searchable_words

_OF_SOURCE: Final = """
(:source_id IS NULL OR p.source_key = (SELECT s.source_key FROM source s WHERE s.id = :source_id))
"""

# Reads a person by id, unless the person's last credit was removed.
SELECT_PERSON: Final = f"""
SELECT {PERSON} FROM person p WHERE p.id = :id AND p.uncredited_since IS NULL
"""

# Reads the person who alone has an alias.
SELECT_PERSON_BY_ALIAS: Final = f"""
SELECT {PERSON}
FROM person_alias a JOIN person p ON p.person_key = a.person_key
WHERE a.id = :id AND a.shared = 0 AND p.uncredited_since IS NULL
"""

# Reads people by id, credited or not.
SELECT_PERSONS: Final = f"""
SELECT {PERSON} FROM @list(:ids) l JOIN person p ON p.id = l.id
"""

# Counts people who are shown, of one source or of all: all people minus the few who are not shown, which an
# index counts.
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

# Counts the words of names that begin with each word of a search.
COUNT_PERSON_WORDS: Final = count_words("person")

# Reads all people with the keys that a search for rare words found.
SEARCH_FEW_PEOPLE: Final = f"""
SELECT {PERSON}
FROM (@words) w
JOIN person p ON p.person_key = w.person_key
WHERE p.uncredited_since IS NULL AND {_OF_SOURCE}
"""

# Walks the words of names in the order of the result of a search for common words.
SEARCH_MANY_PEOPLE: Final = f"""
SELECT w.word, {PERSON}
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
    words=lambda row: searchable_words(row[_NAME]),
    order=lambda row: (row[_NAME], row[0]),
)


class PersonReader:
    """Reads people.

    Args:
        session: a snapshot, or an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find_by_id(self, person_id: str) -> Person | None:
        """Return one person, by id or alias, or None."""
        rows = await self._session.fetch_all(SELECT_PERSON, {"id": person_id})
        if not rows:
            rows = await self._session.fetch_all(SELECT_PERSON_BY_ALIAS, {"id": person_id})
        return person_of(rows[0]) if rows else None

    async def find_by_ids(self, person_ids: Sequence[str]) -> dict[str, Person]:
        """Return the people who are stored, credited or not, by the source's own keys."""
        found = map(person_of, await self._session.fetch_all(SELECT_PERSONS, {"ids": list(person_ids)}))
        return {person.remote_id or "": person for person in found if person is not None}

    async def find_by_media_item(self, media_item_id: str) -> list[Credit]:
        """Return the credits of one item in billing order; an empty list if it has none or is not stored."""
        return await CreditRepository(self._session).find_by_media_item(media_item_id)

    async def search(self, text: str, source_id: str | None, limit: int, offset: int) -> list[Person]:
        """Return the people whose names have, for each word of *text*, a word that begins with it.

        They are ordered by their first word that begins with the longest word of the text, then by name.
        """
        params = {"source_id": source_id}
        rows = await find_by_words(self._session, _INDEX, text, params, skip=offset, limit=limit)
        return [person for row in rows if (person := person_of(row)) is not None]

    async def count(self, source_id: str | None = None) -> int:
        """Return how many people are stored, of one source or of all."""
        [(number,)] = await self._session.fetch_all(COUNT_PEOPLE, {"source_id": source_id})
        return int(number)
