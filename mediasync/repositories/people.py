"""Writing people and the words of their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, NoReturn

from mediasync.aio import overlap
from mediasync.claims import Claim, ItemClaims, StoredPerson, gather, join, settle
from mediasync.errors import PersonInUse, UnknownSource, WriteConflict
from mediasync.repositories.credits import CreditRepository, RemovedCredit
from mediasync.repositories.keys import new_keys
from mediasync.repositories.person_reading import PersonReader
from mediasync.repositories.person_rows import PERSON_STATE, stored_person
from mediasync.rows import PersonRow, merge_people, provider_ids_json
from mediasync.sorting import name_sort_key
from mediasync.text import searchable_words

_IS_CREDITED: Final = """EXISTS (
    SELECT 1 FROM credit c JOIN media_item i ON i.item_key = c.item_key
    WHERE c.person_key = p.person_key AND i.missing_since IS NULL
)"""

# Reads people by id, to compare them with the people to be saved.
SELECT_PEOPLE: Final = f"SELECT {PERSON_STATE} FROM @list(:ids) l JOIN person p ON p.id = l.id"

# Locks people, in the order of their ids.
LOCK_PEOPLE: Final = """
SELECT p.person_key FROM @list(:ids) l JOIN person p ON p.id = l.id ORDER BY p.id @lock(p)
"""

# Reads which of a range of new storage keys were inserted.
SELECT_KEYS: Final = "SELECT p.person_key FROM person p WHERE p.person_key BETWEEN :first AND :last"

# Inserts new people; one who is stored already is left out.
INSERT_PEOPLE: Final = """
INSERT INTO person (
    person_key, source_key, id, name, image_path, sort_key, replaced, given_by, created_at, updated_at
)
SELECT r.person_key, s.source_key, r.id, r.name, r.image_path, r.sort_key, r.replaced, r.given_by, :now, :now
FROM @rows(:people, person_key integer, source_id text, id text, name text, image_path text, sort_key text,
    replaced text, given_by integer) r
JOIN source s ON s.id = r.source_id
WHERE true @inorder(r)
ON CONFLICT (id) DO NOTHING
"""

# Updates stored people.
UPDATE_PEOPLE: Final = """
UPDATE person
SET name = r.name, image_path = r.image_path, sort_key = r.sort_key, replaced = r.replaced,
    given_by = r.given_by, updated_at = :now,
    uncredited_since = CASE WHEN r.uncredited = 1 THEN person.uncredited_since END
FROM @rows(:people, person_key integer, name text, image_path text, sort_key text, uncredited integer,
    replaced text, given_by integer) r
WHERE person.person_key = r.person_key
"""

# Inserts the ids of people at public providers, which come as the JSON of their rows.
INSERT_PROVIDER_IDS: Final = """
INSERT INTO person_external_id (person_key, provider, value)
SELECT r.person_key, e.key, e.value
FROM @rows(:people, person_key integer, ids text) r CROSS JOIN @entries(r.ids) e
"""

# Deletes the ids of people at public providers.
DELETE_PROVIDER_IDS: Final = """
DELETE FROM person_external_id
WHERE person_key IN (SELECT r.person_key FROM @rows(:people, person_key integer) r)
"""

# Locks people whose credits were removed.
LOCK_REMOVED: Final = """
SELECT p.person_key FROM @rows(:people, person_key integer) r
JOIN person p ON p.person_key = r.person_key ORDER BY p.person_key @lock(p)
"""

# Locks those of them who have no credit left, so that no other transaction can credit them.
LOCK_UNCREDITED: Final = f"""
SELECT p.person_key FROM @rows(:people, person_key integer) r
JOIN person p ON p.person_key = r.person_key
WHERE NOT {_IS_CREDITED}
ORDER BY p.person_key @lockfully(p)
"""

# Replaces an item that no longer credits a person, as the giver of the person's fields, by one that does.
CHANGE_GIVER: Final = """
UPDATE person SET given_by = (
    SELECT c.item_key FROM credit c JOIN media_item i ON i.item_key = c.item_key
    WHERE c.person_key = person.person_key ORDER BY i.missing_since IS NOT NULL, i.id LIMIT 1
)
WHERE (person_key, given_by) IN (
    SELECT r.person_key, r.item_key FROM @rows(:removed, person_key integer, item_key integer) r
)
"""

# Reads the people who are shown and have no credit left.
SELECT_UNCREDITED: Final = f"""
SELECT {PERSON_STATE} FROM @rows(:people, person_key integer) r
JOIN person p ON p.person_key = r.person_key
WHERE p.uncredited_since IS NULL AND NOT {_IS_CREDITED}
ORDER BY p.id
"""

# Marks people who have no credit left; they are not shown.
MARK_UNCREDITED: Final = """
UPDATE person SET uncredited_since = :now
WHERE person_key IN (SELECT r.person_key FROM @rows(:people, person_key integer) r)
"""

# Removes the mark from people who are credited again.
UNMARK_CREDITED: Final = """
UPDATE person SET uncredited_since = NULL, updated_at = :now
WHERE uncredited_since IS NOT NULL
  AND person_key IN (SELECT r.person_key FROM @rows(:people, person_key integer) r)
"""

# Locks the hidden people whom items credit, in the order of their ids.
LOCK_HIDDEN: Final = """
SELECT p.person_key FROM person p
WHERE p.uncredited_since IS NOT NULL AND p.person_key IN (
    SELECT c.person_key FROM @list(:ids) l
    JOIN media_item i ON i.id = l.id JOIN credit c ON c.item_key = i.item_key
)
ORDER BY p.id @lock(p)
"""

_LONG_HIDDEN: Final = """
p.uncredited_since < :before
AND (:source_id IS NULL OR p.source_key = (SELECT s.source_key FROM source s WHERE s.id = :source_id))
"""

# Locks people whose last credit went before a time, so that no other transaction can credit them.
LOCK_PURGED: Final = f"""
SELECT {PERSON_STATE} FROM person p
WHERE {_LONG_HIDDEN} AND NOT EXISTS (SELECT 1 FROM credit c WHERE c.person_key = p.person_key)
ORDER BY p.person_key LIMIT :limit @lockfully(p)
"""

# Counts them, and the people whom only items credit that were marked as missing before that time, too.
COUNT_PURGED: Final = f"""
SELECT count(*) AS people FROM person p
WHERE {_LONG_HIDDEN} AND NOT EXISTS (
    SELECT 1 FROM credit c JOIN media_item i ON i.item_key = c.item_key
    WHERE c.person_key = p.person_key AND (i.missing_since IS NULL OR i.missing_since >= :before)
)
"""

# Deletes people whom no credit points at; foreign keys delete their aliases and provider ids.
DELETE_PEOPLE: Final = """
DELETE FROM person WHERE person_key IN (SELECT r.person_key FROM @rows(:people, person_key integer) r)
"""

_WORD_COLUMNS: Final = "word text, person_key integer"
_WORDS_PER_STATEMENT: Final = 5_000

# Deletes words of names.
DELETE_WORDS: Final = f"""
DELETE FROM person_word
WHERE (word, person_key) IN (SELECT r.word, r.person_key FROM @rows(:words, {_WORD_COLUMNS}) r)
"""

# Stores words of names.
INSERT_WORDS: Final = f"""
INSERT INTO person_word (word, person_key)
SELECT r.word, r.person_key FROM @rows(:words, {_WORD_COLUMNS}) r
WHERE true
ON CONFLICT (word, person_key) DO NOTHING
"""

# Locks a person, and reads what is stored of them: the words of the name are deleted with the person.
LOCK_PERSON: Final = f"SELECT {PERSON_STATE} FROM person p WHERE p.id = :id @lockfully(p)"

# Deletes a person whom no credit points at.
DELETE_PERSON: Final = "DELETE FROM person WHERE id = :id"

# Finds out which sources are stored.
SOURCES_STORED: Final = "SELECT s.id AS source_id FROM @list(:ids) l JOIN source s ON s.id = l.id"

_WORTH_OVERLAPPING: Final = 300

ClaimsOf = Callable[[Set[str]], Mapping[str, Sequence[Claim]]]
"""Returns the claims about people, by their ids, in the order in which they were made."""


@dataclass(frozen=True, slots=True)
class PeopleDraft:
    """People prepared for saving.

    Attributes:
        keys: the storage keys of people whose stored rows equal theirs, by id.
        rows: the rows of all other people.
        disputed: the ids of people about whom several items disagree, so that their claims decide.
        claims: returns the claims about people.
        credited: whether credits of these people are saved with them.
        first_seen: the order in which new people get their storage keys, by id.
    """

    keys: dict[str, int]
    rows: list[PersonRow]
    disputed: Set[str]
    claims: ClaimsOf
    credited: bool
    first_seen: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SavedPeople:
    """The result of saving people.

    Attributes:
        keys: the storage keys of all of them, by id.
        found: the storage keys of people who were looked up and were stored before.
        written: how many rows were written.
        inserted: the ids of new people.
        changed: (the person as stored before, the person as stored now) of each who was changed.
        believed: the storage keys of the items that changed stored people.
        renamed: whether the name of a stored person changed.
        old_words: (word, the person's storage key) of names that people no longer have.
        new_words: (word, the person's storage key) of new names.
    """

    keys: dict[str, int]
    found: Collection[int]
    written: int
    inserted: Sequence[str]
    changed: Sequence[tuple[StoredPerson, StoredPerson]]
    believed: Set[int]
    renamed: bool
    old_words: list[tuple[str, int]]
    new_words: list[tuple[str, int]]


class MergedPeople(NamedTuple):
    """The result of merging a person into another one.

    Attributes:
        before: the person who stays, as stored before.
        after: the person who stays, as stored now.
        other: the person who was deleted.
    """

    before: StoredPerson
    after: StoredPerson
    other: StoredPerson


class _Inserted(NamedTuple):
    """The result of inserting people.

    Attributes:
        keys: the storage keys of the people who were inserted, by id.
        words: (word, the person's id) of their names, in the order of the index.
        met: the people who were stored already, by id.
    """

    keys: dict[str, int]
    words: list[tuple[str, str]]
    met: dict[str, StoredPerson]


_NOBODY: Final = _Inserted({}, [], {})


class _Changed(NamedTuple):
    """The result of updating people.

    Attributes:
        before: all stored people of the draft, by id, as they were before.
        after: the people who were changed, as they are now.
        believed: the storage keys of the items that changed them.
    """

    before: dict[str, StoredPerson]
    after: list[StoredPerson]
    believed: set[int]

    @property
    def rows(self) -> list[PersonRow]:
        """The rows of the people who were changed, as they are now."""
        return [person.row for person in self.after]


class PeopleRepository(PersonReader):
    """Writes people, and reads them.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    async def upsert(self, person: PersonRow) -> bool:
        """Save one person. Return whether a row changed."""
        return bool((await self.upsert_batch([person])).written)

    async def upsert_batch(
        self,
        people: Sequence[PersonRow],
        *,
        shown: bool = True,
        first_seen: Mapping[str, int] | None = None,
    ) -> SavedPeople:
        """Save people and the words of their names.

        Only people who are new or differ are written. A missing value never replaces a stored one. Where the
        key is derived from the name, the first stored spelling stays.

        Args:
            people: rows with different ids, sorted by id, as `merge_all` makes them.
            shown: whether people whose last credit was removed are shown again.
            first_seen: the order in which new people get their storage keys, by id.

        Raises:
            UnknownSource: if the source of one of them is not stored.
        """
        claims = {row[0]: [Claim(row, None, fresh=True)] for row in people}
        keys, rows = self._session.people_cache.split(people)
        draft = PeopleDraft(keys, rows, frozenset(), lambda _: claims, shown, first_seen or {})
        saved = await self.upsert_rows(draft, await self.find_stored(draft))
        await self.index_names(saved)
        return saved

    def draft(
        self,
        items: Sequence[ItemClaims],
        item_keys: Mapping[str, int],
        first_seen: Mapping[str, int] | None = None,
    ) -> PeopleDraft:
        """Prepare the people whom items credit for `upsert_rows` in the same transaction.

        Args:
            items: the claims of items, in the order in which they came.
            item_keys: the storage keys of the items, by id. Those of new items may be added later, before the
                people are saved.
            first_seen: the order in which new people get their storage keys, by id.
        """
        rows, disputed = gather(items)
        known = self._session.people_cache
        if not disputed:
            keys, others = known.split(rows)
        else:
            keys, others = known.split(row for row in rows if row[0] not in disputed)
            others = sorted(others + [row for row in rows if row[0] in disputed])

        def claims(wanted: Set[str]) -> dict[str, list[Claim]]:
            found: dict[str, list[Claim]] = {}
            for item in items:
                rows_of_item = {credit[0]: credit[:4] for credit in item.credits if credit[0] in wanted}
                for person_id, row in rows_of_item.items():
                    claim = Claim(row, item_keys[item.item_id], item.fresh)
                    found.setdefault(person_id, []).append(claim)
            return found

        return PeopleDraft(keys, others, disputed, claims, True, first_seen or {})

    async def find_stored(self, draft: PeopleDraft) -> dict[str, StoredPerson]:
        """Return the people of a draft who are stored, by id, as `upsert_rows` takes them.

        If most people were new lately, nobody is looked up: inserting shows who is stored already.
        """
        if not draft.rows or self._session.people_cache.others_are_new:
            return {}
        return await self._find(SELECT_PEOPLE, [row[0] for row in draft.rows])

    async def upsert_rows(self, draft: PeopleDraft, stored: Mapping[str, StoredPerson]) -> SavedPeople:
        """Save people as `upsert_batch` does, but leave the words of their names to `index_names`.

        Args:
            draft: the people, made by `draft`.
            stored: those of them who are stored, found by `find_stored`.
        """
        people, cache = draft.rows, self._session.people_cache
        if not people:
            return SavedPeople(draft.keys, (), 0, (), (), frozenset(), False, [], [])
        new = [row for row in people if row[0] not in stored] if stored else people
        inserted = await self._insert(new, draft) if new else _NOBODY
        cache.others_are_new = 2 * len(inserted.keys) > len(people)
        changed = await self._change({**stored, **inserted.met}, draft)
        found = {person_id: person.key for person_id, person in changed.before.items()}
        keys = draft.keys | inserted.keys | found
        if cache.remembers:
            now = changed.before | {person.row[0]: person for person in changed.after}
            cache.add(_as_stored(people, now, draft.disputed), keys)
        renamed = [row for row in changed.rows if row[1] != changed.before[row[0]].row[1]]
        old_words = set(_words([changed.before[row[0]].row for row in renamed]))
        new_words = set(_words(renamed))
        return SavedPeople(
            keys=keys,
            found=found.values(),
            written=len(inserted.keys) + len(changed.after),
            inserted=sorted(inserted.keys),
            changed=[(changed.before[person.row[0]], person) for person in changed.after],
            believed=changed.believed,
            renamed=bool(renamed),
            old_words=[(word, keys[person_id]) for word, person_id in sorted(old_words - new_words)],
            new_words=[
                (word, keys[person_id])
                for word, person_id in (*inserted.words, *sorted(new_words - old_words))
            ],
        )

    async def _find(self, query: str, ids: Any) -> dict[str, StoredPerson]:
        rows = await self._session.fetch_all(query, {"ids": ids})
        return {row[0]: stored_person(row) for row in rows}

    async def _insert(self, people: list[PersonRow], draft: PeopleDraft) -> _Inserted:
        """Insert people of a draft, except those whom another transaction has stored."""
        settled: dict[str, StoredPerson] = {}
        met: dict[str, StoredPerson] = {}
        if disputed := {row[0] for row in people} & draft.disputed:
            settled = {
                person_id: settle(None, claims) for person_id, claims in draft.claims(disputed).items()
            }
            people = [settled[row[0]].row if row[0] in settled else row for row in people]
        ids = sorted((row[0] for row in people), key=lambda person_id: draft.first_seen.get(person_id, 0))
        own = dict(zip(ids, new_keys(self._session, ids), strict=True))
        given = [own[row[0]] for row in people]
        rows: list[tuple[Any, ...]] = [
            (key, row[0].partition(":")[0], *row[:3], name_sort_key(row[1]))
            for key, row in zip(given, people, strict=True)
        ]
        if settled:
            rows = [
                (*row, settled[row[2]].replaced, settled[row[2]].given_by) if row[2] in settled else row
                for row in rows
            ]
        insert = self._session.execute(INSERT_PEOPLE, {"people": rows, "now": self._session.now})
        if len(people) < _WORTH_OVERLAPPING:
            written, words = await insert, _words(people)
        else:
            written, words = await overlap(insert, lambda: _words(people))
        if written < len(people):
            found = await self._session.fetch_all(SELECT_KEYS, {"first": min(given), "last": max(given)})
            written_keys = {key for (key,) in found}
            own = {person_id: key for person_id, key in own.items() if key in written_keys}
            others = [person_id for person_id in ids if person_id not in own]
            met = await self._find(SELECT_PEOPLE, others)
            if len(met) < len(others):
                await self._raise_for_missing_source({person_id.partition(":")[0] for person_id in others})
            words = [pair for pair in words if pair[1] in own]
            people = [row for row in people if row[0] in own]
        await self._insert_provider_ids(people, own)
        return _Inserted(own, words, met)

    async def _change(self, stored: dict[str, StoredPerson], draft: PeopleDraft) -> _Changed:
        """Update the stored people whom a draft changes."""
        after, believed = _settled(stored, draft)
        if after:
            # Everybody is read again under a lock: another transaction may have changed the people meanwhile,
            # also those who seemed to need no change.
            locked = await self._lock(sorted(stored))
            if len(locked) < len(stored):
                raise WriteConflict(f"another transaction has deleted one of {len(stored)} people")
            stored = locked
            after, believed = _settled(stored, draft)
            await self._update(after, stored)
        return _Changed(stored, after, believed)

    async def _insert_provider_ids(self, people: Iterable[PersonRow], keys: Mapping[str, int]) -> None:
        """Insert the ids of people at public providers, in the order of the people's storage keys."""
        if rows := sorted((keys[row[0]], row[3]) for row in people if row[3]):
            await self._session.execute(INSERT_PROVIDER_IDS, {"people": rows})

    async def _lock(self, ids: list[str]) -> dict[str, StoredPerson]:
        """Lock people until this transaction ends, and return them as they are then, by id."""
        if self._session.has_concurrent_writers:
            # In a statement of its own: a query that waits for a lock sees the new row of the person, but the
            # other tables as they were when it began.
            await self._session.fetch_all(LOCK_PEOPLE, {"ids": ids})
        return await self._find(SELECT_PEOPLE, ids)

    async def _update(self, people: Sequence[StoredPerson], before: Mapping[str, StoredPerson]) -> None:
        rows = [
            (
                person.key,
                *person.row[1:3],
                name_sort_key(person.row[1]),
                int(person.uncredited),
                person.replaced,
                person.given_by,
            )
            for person in people
        ]
        await self._session.execute(UPDATE_PEOPLE, {"people": rows, "now": self._session.now})
        changed = [person for person in people if person.row[3] != before[person.row[0]].row[3]]
        if changed:
            await self._session.execute(
                DELETE_PROVIDER_IDS, {"people": [(person.key,) for person in changed]}
            )
            await self._insert_provider_ids(
                [person.row for person in changed], {person.row[0]: person.key for person in changed}
            )

    async def note_removed(self, removed: Sequence[RemovedCredit]) -> list[StoredPerson]:
        """Hide the people who have no credit left, after credits were removed or their items were marked.

        If an item gave a person's fields and no longer credits the person, another item takes its place.

        Args:
            removed: the credits, which are deleted already, or whose items are marked as missing.

        Returns:
            The people who are hidden from now on.
        """
        if not removed:
            return []
        for person_id, _, _ in removed:
            self._session.people_cache.discard(person_id)
        people = [(key,) for key in sorted({key for _, key, _ in removed})]
        if self._session.has_concurrent_writers:
            # The first lock makes a second transaction that removes credits of these people wait, so that it
            # sees which credits are left. The second one also waits for transactions that credit them, and so
            # is only taken for people without credits: popular people are credited all the time.
            await self._session.fetch_all(LOCK_REMOVED, {"people": people})
            await self._session.fetch_all(LOCK_UNCREDITED, {"people": people})
        pairs = [(key, item_key) for _, key, item_key in removed]
        await self._session.execute(CHANGE_GIVER, {"removed": pairs})
        uncredited = await self._session.fetch_all(SELECT_UNCREDITED, {"people": people})
        hidden = [stored_person(row) for row in uncredited]
        if hidden:
            rows = [(person.key,) for person in hidden]
            await self._session.execute(MARK_UNCREDITED, {"people": rows, "now": self._session.now})
        return hidden

    async def show_credited(self, person_keys: Iterable[int]) -> None:
        """Show people again whom another transaction has hidden while this one saved credits of them.

        Args:
            person_keys: the storage keys of the people whose credits this transaction saved.
        """
        if self._session.has_concurrent_writers and (rows := [(key,) for key in sorted(set(person_keys))]):
            await self._session.execute(UNMARK_CREDITED, {"people": rows, "now": self._session.now})

    async def show_people_of(self, item_ids: Sequence[str]) -> None:
        """Show people again whom items credit that were marked as missing."""
        hidden = [(key,) for (key,) in await self._session.fetch_all(LOCK_HIDDEN, {"ids": list(item_ids)})]
        if hidden:
            await self._session.execute(UNMARK_CREDITED, {"people": hidden, "now": self._session.now})

    async def purge_uncredited(self, source_id: str | None, before: int, limit: int) -> int:
        """Delete people whose last credit went before a time, and whom no removed item credits either.

        Args:
            source_id: only people of this source; None for all.
            before: the time, in milliseconds since 1970, UTC.
            limit: at most so many.

        Returns:
            How many were deleted.
        """
        params = {"source_id": source_id, "before": before, "limit": limit}
        rows = await self._session.fetch_all(LOCK_PURGED, params)
        people = [stored_person(row) for row in rows]
        await self.delete_people(people)
        return len(people)

    async def delete_people(self, people: Sequence[StoredPerson]) -> None:
        """Delete people who are locked and whom no credit points at, with the words of their names."""
        if not people:
            return
        words = sorted({(word, person.key) for person in people for word in searchable_words(person.row[1])})
        await self._session.execute(DELETE_WORDS, {"words": words})
        await self._session.execute(DELETE_PEOPLE, {"people": [(person.key,) for person in people]})
        for person in people:
            self._session.people_cache.discard(person.row[0])

    async def count_uncredited(self, source_id: str | None, before: int) -> int:
        """Return how many people `purge_uncredited` would delete, once the removed items are deleted."""
        params = {"source_id": source_id, "before": before}
        [(number,)] = await self._session.fetch_all(COUNT_PURGED, params)
        return int(number)

    async def index_names(self, saved: SavedPeople) -> None:
        """Save the words of the names of people whom `upsert_rows` saved."""
        if not saved.renamed:
            await self.add_words(saved.new_words)
            return
        await self._change_words(saved.old_words, saved.new_words)

    async def _change_words(self, old: list[tuple[str, int]], new: list[tuple[str, int]]) -> None:
        if old:
            await self._session.execute(DELETE_WORDS, {"words": old})
        if new:
            await self._session.execute(INSERT_WORDS, {"words": new})

    async def add_words(self, words: Iterable[tuple[str, int]]) -> None:
        """Save the words of new people's names.

        They are written in the order of the index, and sorted letter by letter, because sorting all words of
        a group at once would block the event loop.

        Args:
            words: (word, the person's storage key) of each.
        """
        by_letter: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for row in words:
            by_letter[row[0][0]].append(row)
        rows: list[tuple[str, int]] = []
        for letter in sorted(by_letter):
            rows += sorted(by_letter.pop(letter))
            if len(rows) >= _WORDS_PER_STATEMENT or not by_letter:
                await self._session.insert("person_word", _WORD_COLUMNS, rows)
                rows = []

    async def _raise_for_missing_source(self, source_ids: set[str]) -> NoReturn:
        stored = await self._session.fetch_all(SOURCES_STORED, {"ids": sorted(source_ids)})
        missing = sorted(source_ids - {source_id for (source_id,) in stored})
        if not missing:
            raise WriteConflict("another transaction has stored and deleted a person")
        raise UnknownSource(f"source {', '.join(map(repr, missing))} is not stored: save it first")

    async def merge(self, person_id: str, into: str, item_key: int | None) -> MergedPeople:
        """Merge a person into another one: the other gains the person's fields, and the person is deleted.

        Args:
            person_id: the id of a person without credits.
            into: the id of the person who stays.
            item_key: the storage key of the first item that credited the deleted person, if there was one.

        Returns:
            What was stored of both, and what is stored now.

        Raises:
            WriteConflict: if one of them is no longer stored.
        """
        stored = await self._lock(sorted((person_id, into)))
        if len(stored) < 2:
            raise WriteConflict(f"another transaction has deleted {person_id!r} or {into!r}")
        before = stored[into]
        joined = join(before, stored[person_id], item_key)
        self._session.people_cache.discard(into)
        if joined != before:
            await self._update([joined], stored)
            old, new = (
                {(word, before.key) for word in searchable_words(one.row[1])} for one in (before, joined)
            )
            await self._change_words(sorted(old - new), sorted(new - old))
        await self.delete(person_id)
        return MergedPeople(before, joined, stored[person_id])

    async def rewrite(
        self, person_id: str, fields: Mapping[str, Any]
    ) -> tuple[StoredPerson, StoredPerson] | None:
        """Give a person values, whatever is stored. Missing ones replace those that are there.

        Args:
            person_id: the person.
            fields: ``name``, ``image_path`` and ``provider_ids``, as far as they are to change.

        Returns:
            The person as stored before and as stored now, or None if the person is not stored.
        """
        stored = await self._lock([person_id])
        if not stored:
            return None
        before = stored[person_id]
        _, name, image_path, provider_ids = before.row
        if "provider_ids" in fields:
            ids = fields["provider_ids"] or {}
            provider_ids = provider_ids_json(ids) if ids else ""
        if "image_path" in fields:
            image_path = fields["image_path"] or ""
        row = (person_id, fields.get("name") or name, image_path, provider_ids)
        after = before._replace(row=row)
        self._session.people_cache.discard(person_id)
        await self._update([after], stored)
        old, new = ({(word, before.key) for word in searchable_words(one.row[1])} for one in (before, after))
        await self._change_words(sorted(old - new), sorted(new - old))
        return before, after

    async def delete(self, person_id: str) -> StoredPerson | None:
        """Delete a person whom no credit points at. Return what was stored of the person, if there was one.

        Raises:
            PersonInUse: if credits point at the person.
        """
        # No foreign key deletes the words. The lock ensures that the name they are computed from is the last.
        locked = await self._session.fetch_all(LOCK_PERSON, {"id": person_id})
        if credits_left := await CreditRepository(self._session).count_of_person(person_id):
            raise PersonInUse(f"person {person_id!r} has {credits_left} credits: delete those items first")
        self._session.people_cache.discard(person_id)
        if not locked:
            return None
        person = stored_person(locked[0])
        words = [(word, person.key) for word in searchable_words(person.row[1])]
        await self._session.execute(DELETE_WORDS, {"words": words})
        await self._session.execute(DELETE_PERSON, {"id": person_id})
        return person


def _settled(stored: Mapping[str, StoredPerson], draft: PeopleDraft) -> tuple[list[StoredPerson], set[int]]:
    """Return the stored people whom a draft changes, as they are afterwards, and the items that change them.

    The items are given by their storage keys.
    """
    believed: set[int] = set()
    in_doubt = {
        row[0]
        for row in draft.rows
        if (person := stored.get(row[0])) is not None
        and (
            row[0] in draft.disputed
            or (person.uncredited and draft.credited)
            or (person.row != row and merge_people(person.row, row) != person.row)
        )
    }
    if not in_doubt:
        return [], believed
    claims = draft.claims(in_doubt)
    changed = []
    for person_id in sorted(in_doubt):
        before = stored[person_id]
        after = settle(before, claims[person_id], believed)
        if before.uncredited and draft.credited:
            after = after._replace(uncredited=False)
        if after != before:
            changed.append(after)
    return changed, believed


def _as_stored(
    people: Sequence[PersonRow], stored: Mapping[str, StoredPerson], disputed: Set[str]
) -> list[PersonRow]:
    """Return a row of each person that would change nothing if it were saved now."""
    if not stored and not disputed:
        return list(people)
    rows = []
    for row in people:
        person = stored.get(row[0])
        if person is None and row[0] not in disputed:
            rows.append(row)
        elif person is not None and not person.uncredited:
            rows.append(row if merge_people(person.row, row) == person.row else person.row)
    return rows


def _words(people: Sequence[PersonRow]) -> list[tuple[str, str]]:
    """Return the words of people's names with the people's ids, in the order of the index."""
    return sorted((word, row[0]) for row in people for word in searchable_words(row[1]))
