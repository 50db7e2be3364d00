"""People, their names' words, and their credits seen from their side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from mediasync.concurrency import overlap
from mediasync.errors import PersonInUse, UnknownSource, WriteConflict
from mediasync.names import words_of_name
from mediasync.normal import PersonRow, merge_people
from mediasync.repositories.keys import new_keys
from mediasync.repositories.person_reading import PersonReader

SELECT_PEOPLE: Final = """
SELECT p.person_key, p.id AS person_id, p.name, p.image_path, p.provider_ids
FROM @list(:ids) l JOIN person p ON p.id = l.id
"""
LOCK_PEOPLE: Final = f"{SELECT_PEOPLE}ORDER BY p.id @lock(p)"

SELECT_KEYS: Final = "SELECT p.person_key FROM person p WHERE p.person_key BETWEEN :first AND :last"

_INSERT_PEOPLE: Final = """
INSERT INTO person (person_key, source_key, id, name, image_path, provider_ids, created_at, updated_at)
SELECT r.person_key, s.source_key, r.id, r.name, r.image_path, r.provider_ids, :now, :now
FROM @rows(:people, person_key integer, source_id text, id text, name text, image_path text,
    provider_ids text) r
JOIN source s ON s.id = r.source_id
WHERE true @inorder(r)
ON CONFLICT (id)"""
INSERT_PEOPLE: Final = f"{_INSERT_PEOPLE} DO NOTHING"
UPSERT_PEOPLE: Final = f"""{_INSERT_PEOPLE} DO UPDATE
SET name = excluded.name,
    image_path = excluded.image_path,
    provider_ids = excluded.provider_ids,
    updated_at = excluded.updated_at
"""

_WORD_COLUMNS: Final = "word text, person_key integer"
DELETE_WORDS: Final = f"""
DELETE FROM person_word
WHERE (word, person_key) IN (SELECT r.word, r.person_key FROM @rows(:words, {_WORD_COLUMNS}) r)
"""
INSERT_WORDS: Final = f"""
INSERT INTO person_word (word, person_key)
SELECT r.word, r.person_key FROM @rows(:words, {_WORD_COLUMNS}) r
WHERE true
ON CONFLICT (word, person_key) DO NOTHING
"""

COUNT_CREDITS_OF_PERSON: Final = """
SELECT count(*) AS credits FROM credit
WHERE person_key = (SELECT person_key FROM person WHERE id = :id)
"""

SELECT_NAME: Final = "SELECT person_key, name FROM person WHERE id = :id"
DELETE_PERSON: Final = "DELETE FROM person WHERE id = :id"

SOURCES_STORED: Final = "SELECT s.id AS source_id FROM @list(:ids) l JOIN source s ON s.id = l.id"

_WORTH_OVERLAPPING: Final = 300


@dataclass(frozen=True, slots=True)
class PeopleDraft:
    """People made ready to be saved.

    Attributes:
        keys: the storage keys of those who are known to be stored just so.
        rows: the others.
    """

    keys: dict[str, int]
    rows: list[PersonRow]


@dataclass(frozen=True, slots=True)
class SavedPeople:
    """What saving people did.

    Attributes:
        keys: the storage key of each person, by id.
        written: how many rows were written.
        renamed: whether some of them had another name before.
        old_words: (word, key) of names that are not theirs any more.
        new_words: (word, key) of names that are new.
    """

    keys: dict[str, int]
    written: int
    renamed: bool
    old_words: list[tuple[str, int]]
    new_words: list[tuple[str, int]]


class PeopleRepository(PersonReader):
    """Writes people, and reads them and their credits.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    async def upsert(self, person: PersonRow) -> bool:
        """Save one person. Return whether a row changed."""
        return bool(await self.upsert_batch([person]))

    async def upsert_batch(self, people: Sequence[PersonRow]) -> int:
        """Save people, and the words by which they are found. Return how many rows were written.

        Only people that are new or differ are written. What is missing never overwrites what is there. Where
        the key is derived from the name, the first stored spelling stays.

        Args:
            people: of different ids, in their order, as `merge_all` makes them.

        Raises:
            UnknownSource: if the source of one of them is not stored.
        """
        saved = await self.upsert_rows(self.draft(people))
        await self.index_names(saved)
        return saved.written

    def draft(self, people: Sequence[PersonRow]) -> PeopleDraft:
        """Make people ready for `upsert_rows`, in the transaction in which that is called."""
        keys, rows = self._session.known_people.split(people)
        return PeopleDraft(keys, rows)

    async def upsert_rows(
        self, draft: PeopleDraft, use: Callable[[dict[str, int]], Awaitable[None]] | None = None
    ) -> SavedPeople:
        """Save people as `upsert_batch` does, and leave the words to `index_names`.

        Args:
            draft: the people.
            use: called with the keys of those who are stored already, before new ones are inserted, which may
                have to wait for other transactions, and makes others wait.
        """
        keys, people = draft.keys, draft.rows
        if not people:
            return SavedPeople(keys, 0, False, [], [])
        known = self._session.known_people
        stored = {} if known.others_are_new else await self._find(SELECT_PEOPLE, [row[0] for row in people])
        if use is not None:
            await use(keys | {person_id: key for person_id, (key, _) in stored.items()})
        new = [row for row in people if row[0] not in stored] if stored else people
        new_words: list[tuple[str, str]] = []
        if new:
            new, new_words = await self._insert(new, keys, stored)
        known.others_are_new = 2 * len(new) > len(people)
        written = len(new)
        renamed: list[PersonRow] = []
        old_words: list[tuple[str, int]] = []
        if stored:
            changed = self._merge(stored, [row for row in people if row[0] in stored])
            if changed:
                # Read again, now that nobody else can change them; all of them, as those who seemed to need
                # no change may need one by what another transaction has made of them together with others.
                locked = await self._find(LOCK_PEOPLE, sorted(stored))
                if len(locked) < len(stored):
                    raise WriteConflict(f"another transaction deleted one of {len(stored)} people meanwhile")
                stored = locked
                changed = self._merge(stored, [row for row in people if row[0] in stored])
                await self._write(UPSERT_PEOPLE, changed)
            written += len(changed)
            keys.update((person_id, key) for person_id, (key, _) in stored.items())
            renamed = [row for row in changed if row[1] != stored[row[0]][1][1]]
            new_words += _words(renamed)
            old_words = [
                (word, keys[row[0]]) for row in renamed for word in words_of_name(stored[row[0]][1][1])
            ]
        known.add(people, keys)
        return SavedPeople(
            keys,
            written,
            bool(renamed),
            old_words,
            [(word, keys[person_id]) for word, person_id in new_words],
        )

    async def _find(self, query: str, ids: Any) -> dict[str, tuple[int, PersonRow]]:
        rows = await self._session.fetch_all(query, {"ids": ids})
        return {row[1]: (row[0], row[1:]) for row in rows}

    @staticmethod
    def _merge(stored: dict[str, tuple[int, PersonRow]], people: Sequence[PersonRow]) -> list[PersonRow]:
        """Return those of *people* that change what is stored, merged with it."""
        pairs = ((stored[row[0]][1], row) for row in people)
        merged = ((before, merge_people(before, row)) for before, row in pairs if before != row)
        return [after for before, after in merged if after != before]

    async def _insert(
        self, people: list[PersonRow], keys: dict[str, int], stored: dict[str, tuple[int, PersonRow]]
    ) -> tuple[list[PersonRow], list[tuple[str, str]]]:
        """Insert people who are not stored, and return those who were not, with the words of their names.

        Their keys are put into *keys*. Who was stored by another transaction meanwhile is put into *stored*.
        """
        insert = self._write(INSERT_PEOPLE, people)
        if len(people) < _WORTH_OVERLAPPING:
            (written, given), words = await insert, _words(people)
        else:
            (written, given), words = await overlap(insert, lambda: _words(people))
        ids = [row[0] for row in people]
        own = dict(zip(ids, given, strict=True))
        if written < len(people):
            found = await self._session.fetch_all(SELECT_KEYS, {"first": min(given), "last": max(given)})
            written_keys = {key for (key,) in found}
            own = {person_id: key for person_id, key in own.items() if key in written_keys}
            others = [person_id for person_id in ids if person_id not in own]
            stored |= (were_stored := await self._find(SELECT_PEOPLE, others))
            if len(were_stored) < len(others):
                await self._raise_what_is_gone({person_id.partition(":")[0] for person_id in others})
            people = [row for row in people if row[0] in own]
            words = [pair for pair in words if pair[1] in own]
        keys |= own
        return people, words

    async def _write(self, statement: str, people: list[PersonRow]) -> tuple[int, list[int]]:
        given = new_keys(self._session, [row[0] for row in people])
        rows = [(key, row[0].partition(":")[0], *row) for key, row in zip(given, people, strict=True)]
        return await self._session.execute(statement, {"people": rows, "now": self._session.now}), given

    async def index_names(self, saved: SavedPeople) -> None:
        """Save the words by which the people of `upsert_rows` are found."""
        if not saved.renamed:
            await self.add_words(saved.new_words)
            return
        if saved.old_words:
            await self._session.execute(DELETE_WORDS, {"words": saved.old_words})
        if saved.new_words:
            await self._session.execute(INSERT_WORDS, {"words": saved.new_words})

    async def add_words(self, words: list[tuple[str, int]]) -> None:
        """Save the words of new people's names, each with the key of the person."""
        if words:
            await self._session.insert("person_word", _WORD_COLUMNS, words)

    async def _raise_what_is_gone(self, source_ids: set[str]) -> NoReturn:
        stored = await self._session.fetch_all(SOURCES_STORED, {"ids": sorted(source_ids)})
        missing = sorted(source_ids - {source_id for (source_id,) in stored})
        if not missing:
            raise WriteConflict("another transaction stored and deleted a person meanwhile")
        raise UnknownSource(f"source {', '.join(map(repr, missing))} is not stored: save it first")

    async def delete(self, person_id: str) -> bool:
        """Delete a person whom no credit points at. Return whether there was one.

        Raises:
            PersonInUse: if credits point at the person.
        """
        [(credits_left,)] = await self._session.fetch_all(COUNT_CREDITS_OF_PERSON, {"id": person_id})
        if credits_left:
            raise PersonInUse(f"person {person_id!r} has {credits_left} credits: delete those items first")
        self._session.known_people.discard(person_id)
        for person_key, name in await self._session.fetch_all(SELECT_NAME, {"id": person_id}):
            words = [(word, person_key) for word in words_of_name(name)]
            await self._session.execute(DELETE_WORDS, {"words": words})
        return bool(await self._session.execute(DELETE_PERSON, {"id": person_id}))


def _words(people: Sequence[PersonRow]) -> list[tuple[str, str]]:
    """Return the words of people's names with the people's ids, in the order of the index."""
    return sorted((word, row[0]) for row in people for word in words_of_name(row[1]))
