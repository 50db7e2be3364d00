"""Media items and their details."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from operator import itemgetter
from typing import Any, Final, NamedTuple, NoReturn

from mediasync.errors import DataError, WriteConflict
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.item_reading import ItemReader
from mediasync.repositories.item_words import WORD_COLUMNS, find_item_words, replace_item_words
from mediasync.repositories.keys import new_keys
from mediasync.rows import NUMBER_FIELDS, VALUE_COLUMNS, NormalItem
from mediasync.sorting import title_sort_key
from mediasync.text import StoredWord, words_of_item
from mediasync.vocabulary import Completeness

_COMPLETENESS: Final[dict[str, Completeness]] = {member.value: member for member in Completeness}

_STATE: Final = """
    i.item_key, i.media_type, i.item_fingerprint, i.credits_fingerprint, i.completeness, i.change_token,
    h.id AS library_id,
    (SELECT o.id FROM library o WHERE o.library_key = x.library_key) AS other_library_id,
    EXISTS (SELECT 1 FROM person p WHERE p.given_by = i.item_key) AS gives,
    i.missing_since IS NOT NULL AS missing
"""
_LIBRARIES_OF_STATE: Final = """
JOIN library h ON h.library_key = i.library_key
LEFT JOIN item_library x ON x.item_key = i.item_key
"""

# Reads the states of items by their ids, with one row for each further library that lists an item.
SELECT_STATES: Final = f"""
SELECT i.id AS item_id, {_STATE}
FROM @list(:ids) l JOIN media_item i ON i.id = l.id {_LIBRARIES_OF_STATE}
"""

# Reads the same, and locks the items.
LOCK_STATES: Final = f"{SELECT_STATES}ORDER BY i.id @lock(i)"

# Reads the states of the items that have given keys now, whatever ids they have.
SELECT_CURRENT_STATES: Final = f"""
SELECT l.id AS current_id, r.id IS NULL AND a.id IS NOT NULL AS is_former, i.id AS item_id, {_STATE}
FROM @list(:ids) l
LEFT JOIN item_rekeyed r ON r.current_id = l.id
JOIN media_item i ON i.id = coalesce(r.id, l.id)
LEFT JOIN item_rekeyed a ON a.id = i.id {_LIBRARIES_OF_STATE}
"""

# Reads the same, and locks the items.
LOCK_CURRENT_STATES: Final = f"{SELECT_CURRENT_STATES}ORDER BY i.id @lock(i)"

# Records the ids of items that are not made of their present keys.
INSERT_REKEYED: Final = """
INSERT INTO item_rekeyed (current_id, id)
SELECT r.current_id, r.id FROM @rows(:rows, current_id text, id text) r
"""

# Records that further libraries list items.
INSERT_ITEM_LIBRARIES: Final = """
INSERT INTO item_library (item_key, library_key, id)
SELECT i.item_key, l.library_key, i.id
FROM @rows(:rows, item_id text, library_id text) r
JOIN media_item i ON i.id = r.item_id
JOIN library l ON l.id = r.library_id
WHERE l.library_key <> i.library_key
ON CONFLICT (item_key, library_key) DO NOTHING
"""

# Columns that most items fill come first: missing values at the end of a row are not sent at all.
OWN_COLUMNS: Final = (
    "remote_id",
    "media_type",
    "completeness",
    "item_fingerprint",
    "credits_fingerprint",
    "sort_key",
    *VALUE_COLUMNS,
    "rating",
    "change_token",
    "imdb_id",
    "tmdb_id",
    "tvdb_id",
)
"""The columns of an item except its keys, its id and its times."""

_NUMBERS: Final = frozenset({*NUMBER_FIELDS, "item_key", "added_at", "changed_at"})


def typed(columns: Sequence[str]) -> str:
    """Return columns of an item with their types, as the macro ``@rows`` takes them."""
    return ", ".join(f"{name} {_type(name)}" for name in columns)


def _type(column: str) -> str:
    if column == "rating":
        return "real"
    return "integer" if column in _NUMBERS else "text"


_ITEM_COLUMNS: Final = ("library_id", "parent_id", "item_key", "id", *OWN_COLUMNS)

_INSERT_ITEMS: Final = f"""
INSERT INTO media_item (library_key, parent_key, {", ".join(_ITEM_COLUMNS[2:])}, created_at, updated_at)
SELECT l.library_key, p.item_key, {", ".join(f"r.{column}" for column in _ITEM_COLUMNS[2:])}, :now, :now
FROM @rows(:items, {typed(_ITEM_COLUMNS)}) r
JOIN library l ON l.id = r.library_id
LEFT JOIN media_item p ON p.id = r.parent_id
WHERE r.parent_id IS NULL OR p.item_key IS NOT NULL @inorder(r)
ON CONFLICT (id)"""

# Inserts new items; one that is stored already, or whose library or parent is not, is left out.
INSERT_ITEMS: Final = f"{_INSERT_ITEMS} DO NOTHING"

# Inserts items or updates stored ones.
UPSERT_ITEMS: Final = f"""{_INSERT_ITEMS} DO UPDATE
SET library_key = excluded.library_key, parent_key = excluded.parent_key,
    {", ".join(f"{column} = excluded.{column}" for column in OWN_COLUMNS)},
    updated_at = excluded.updated_at
"""

# Updates fingerprints and change tokens of items that did not change otherwise.
UPDATE_STAMPS: Final = """
UPDATE media_item
SET item_fingerprint = r.item_fingerprint, credits_fingerprint = r.credits_fingerprint,
    change_token = r.change_token
FROM @rows(:items, id text, item_fingerprint text, credits_fingerprint text, change_token text) r
WHERE media_item.id = r.id
"""

_OF_ITEMS: Final = """
WHERE item_key IN (SELECT i.item_key FROM @list(:ids) l JOIN media_item i ON i.id = l.id)
"""

# Deletes all provider ids of items.
DELETE_EXTERNAL_IDS: Final = f"DELETE FROM item_external_id {_OF_ITEMS}"

# Deletes all genres of items.
DELETE_GENRES: Final = f"DELETE FROM item_genre {_OF_ITEMS}"

# Deletes all ratings of items.
DELETE_RATINGS: Final = f"DELETE FROM item_rating {_OF_ITEMS}"

# Deletes all images of items.
DELETE_IMAGES: Final = f"DELETE FROM item_image {_OF_ITEMS}"

# Deletes the records of the further libraries that list items.
DELETE_ITEM_LIBRARIES: Final = f"DELETE FROM item_library {_OF_ITEMS}"

# Deletes the records of the present keys of items.
DELETE_REKEYED: Final = "DELETE FROM item_rekeyed WHERE id IN (SELECT l.id FROM @list(:ids) l)"

# Sets the time of change of items whose credits changed.
UPDATE_TIMES: Final = """
UPDATE media_item SET updated_at = :now WHERE id IN (SELECT l.id FROM @list(:ids) l)
"""

# Inserts provider ids of new items.
INSERT_EXTERNAL_IDS: Final = """
INSERT INTO item_external_id (item_key, provider, value)
SELECT i.item_key, r.provider, r.value
FROM @rows(:rows, item_id text, provider text, value text) r JOIN media_item i ON i.id = r.item_id
"""

# Inserts genres of new items.
INSERT_GENRES: Final = """
INSERT INTO item_genre (item_key, position, name)
SELECT i.item_key, r.position, r.name
FROM @rows(:rows, item_id text, position integer, name text) r JOIN media_item i ON i.id = r.item_id
"""

# Inserts ratings of new items.
INSERT_RATINGS: Final = """
INSERT INTO item_rating (item_key, position, name, value, votes)
SELECT i.item_key, r.position, r.name, r.value, r.votes
FROM @rows(:rows, item_id text, position integer, name text, value real, votes integer) r
JOIN media_item i ON i.id = r.item_id
"""

# Inserts images of new items.
INSERT_IMAGES: Final = """
INSERT INTO item_image (item_key, kind, path)
SELECT i.item_key, r.kind, r.path
FROM @rows(:rows, item_id text, kind text, path text) r JOIN media_item i ON i.id = r.item_id
"""


# Of the details of stored items, only differences are written.
def _but_given(delete: str, column: str) -> str:
    """Return the statement *delete*, except for rows whose item and *column* are given."""
    name = column.split()[0]
    return f"""{delete} AND (item_key, {name}) NOT IN (
    SELECT i.item_key, r.{name}
    FROM @rows(:rows, item_id text, {column}) r JOIN media_item i ON i.id = r.item_id
)"""


# Deletes provider ids that items no longer have.
REMOVE_EXTERNAL_IDS: Final = _but_given(DELETE_EXTERNAL_IDS, "provider text")

# Deletes genres that items no longer have.
REMOVE_GENRES: Final = _but_given(DELETE_GENRES, "position integer")

# Deletes ratings that items no longer have.
REMOVE_RATINGS: Final = _but_given(DELETE_RATINGS, "position integer")

# Deletes images that items no longer have.
REMOVE_IMAGES: Final = _but_given(DELETE_IMAGES, "kind text")

# Inserts new provider ids of stored items, and updates those that differ.
UPSERT_EXTERNAL_IDS: Final = f"""{INSERT_EXTERNAL_IDS} WHERE true
ON CONFLICT (item_key, provider) DO UPDATE SET value = excluded.value
WHERE item_external_id.value <> excluded.value
"""

# Inserts new genres of stored items, and updates those that differ.
UPSERT_GENRES: Final = f"""{INSERT_GENRES} WHERE true
ON CONFLICT (item_key, position) DO UPDATE SET name = excluded.name
WHERE item_genre.name <> excluded.name
"""

# Inserts new ratings of stored items, and updates those that differ.
UPSERT_RATINGS: Final = f"""{INSERT_RATINGS} WHERE true
ON CONFLICT (item_key, position) DO UPDATE
SET name = excluded.name, value = excluded.value, votes = excluded.votes
WHERE item_rating.name <> excluded.name OR item_rating.value <> excluded.value
   OR coalesce(item_rating.votes, -1) <> coalesce(excluded.votes, -1)
"""

# Inserts new images of stored items, and updates those that differ.
UPSERT_IMAGES: Final = f"""{INSERT_IMAGES} WHERE true
ON CONFLICT (item_key, kind) DO UPDATE SET path = excluded.path
WHERE item_image.path <> excluded.path
"""

_DETAILS: Final[tuple[tuple[str, str, str, Callable[[NormalItem], Iterable[tuple[Any, ...]]]], ...]] = (
    (
        INSERT_EXTERNAL_IDS,
        REMOVE_EXTERNAL_IDS,
        UPSERT_EXTERNAL_IDS,
        lambda item: ((item.id, *pair) for pair in item.external_ids),
    ),
    (
        INSERT_GENRES,
        REMOVE_GENRES,
        UPSERT_GENRES,
        lambda item: ((item.id, n, name) for n, name in enumerate(item.genres)),
    ),
    (
        INSERT_RATINGS,
        REMOVE_RATINGS,
        UPSERT_RATINGS,
        lambda item: ((item.id, n, *rating) for n, rating in enumerate(item.ratings)),
    ),
    (
        INSERT_IMAGES,
        REMOVE_IMAGES,
        UPSERT_IMAGES,
        lambda item: ((item.id, *image) for image in item.images),
    ),
)
"""For each kind of detail: how it is inserted, removed and changed, and the rows of an item."""

# Stores how complete the credits of an item are, and clears their fingerprint.
SET_COMPLETENESS: Final = """
UPDATE media_item
SET completeness = :completeness, credits_fingerprint = NULL, updated_at = :now
WHERE id = :id
"""

# Reads the items directly below given items, with their types.
SELECT_BELOW: Final = """
SELECT l.id AS parent_id, c.id AS item_id, c.media_type
FROM @list(:ids) l JOIN media_item i ON i.id = l.id JOIN media_item c ON c.parent_key = i.item_key
"""

# Locks an item and everything below it, before it is deleted.
LOCK_BELOW: Final = """
WITH RECURSIVE below AS (
    SELECT item_key FROM media_item WHERE id = :id
    UNION ALL
    SELECT m.item_key FROM below l JOIN media_item m ON m.parent_key = l.item_key
)
SELECT i.id AS item_id, i.item_key FROM below l JOIN media_item i ON i.item_key = l.item_key @lockfully(i)
"""

# Deletes items; foreign keys delete their credits, their details and the items below them.
DELETE_ITEMS: Final = "DELETE FROM media_item WHERE id IN (SELECT l.id FROM @list(:ids) l)"

_TITLE_COLUMNS: Final = tuple(map(VALUE_COLUMNS.index, ("title", "original_title", "sort_title", "year")))
_SORTED_BY: Final = tuple(map(VALUE_COLUMNS.index, ("title", "sort_title")))
_PARENT: Final = _ITEM_COLUMNS.index("parent_id")
_KEY: Final = _ITEM_COLUMNS.index("item_key")
_ID: Final = _ITEM_COLUMNS.index("id")


def item_row(
    item: NormalItem, library_id: str, completeness: Completeness, credits_fingerprint: str | None
) -> list[Any]:
    """Return an item's own fields as `MediaRepository.upsert_items` takes them.

    Args:
        item: an item in normal form.
        library_id: the full id of its home library.
        completeness: how complete its stored credits will be.
        credits_fingerprint: the fingerprint of those credits.
    """
    ids = dict(item.external_ids)
    row = [
        library_id,
        item.parent_id,
        None,
        item.id,
        item.remote_id,
        item.media_type,
        completeness.value,
        item.item_fingerprint,
        credits_fingerprint,
        title_sort_key(*(item.values[column] for column in _SORTED_BY)),
        *item.values,
        item.ratings[0][1] if item.ratings else None,
        item.change_token,
        *(ids.get(provider) for provider in ("imdb", "tmdb", "tvdb")),
    ]
    while row[-1] is None:
        row.pop()
    return row


class ItemState(NamedTuple):
    """The stored values of an item that show whether a save changes it.

    Attributes:
        id: the item's id.
        key: its storage key.
        media_type: ``movie``, ``show``, ``season`` or ``episode``.
        item_fingerprint: the fingerprint of its own fields at its last save.
        credits_fingerprint: the fingerprint of its credits at the last save that wrote it or them.
        completeness: how complete its stored credits are.
        change_token: the source's token of its present version.
        library_id: the full id of its home library.
        library_ids: the full ids of all libraries that list it, including its home.
        gives: whether the stored fields of some person are this item's, although other items gave others.
        missing: whether it is marked as missing from its source.
    """

    id: str
    key: int
    media_type: str
    item_fingerprint: str | None
    credits_fingerprint: str | None
    completeness: Completeness
    change_token: str | None
    library_id: str
    library_ids: frozenset[str]
    gives: bool
    missing: bool


class MediaRepository(ItemReader):
    """Writes media items, and reads them.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    async def find_states(self, item_ids: Sequence[str], *, lock: bool = False) -> dict[str, ItemState]:
        """Return the states of the items that are stored, by id.

        Args:
            item_ids: ids of items, stored or not.
            lock: whether other transactions are kept from changing them.
        """
        query = LOCK_STATES if lock else SELECT_STATES
        states: dict[str, ItemState] = {}
        for row in await self._session.fetch_all(query, {"ids": list(item_ids)}):
            _add_state(states, row[0], row)
        return states

    async def find_current_states(
        self, current_ids: Sequence[str], *, lock: bool = False
    ) -> tuple[dict[str, ItemState], set[str]]:
        """Return the states of the stored items that have these keys now.

        Args:
            current_ids: ``{source_id}:{remote_id}`` of each item. An item whose key changed has another id.
            lock: whether other transactions are kept from changing the items.

        Returns:
            The states by the ids given; and the given ids that belong to items whose key has changed since,
            so that a new item cannot take them.
        """
        query = LOCK_CURRENT_STATES if lock else SELECT_CURRENT_STATES
        states: dict[str, ItemState] = {}
        former: set[str] = set()
        for current_id, is_former, *row in await self._session.fetch_all(query, {"ids": list(current_ids)}):
            if is_former:
                former.add(current_id)
            else:
                _add_state(states, current_id, row)
        return states, former

    async def find_free_ids(self, current_ids: Iterable[str], given: Container[str]) -> dict[str, str]:
        """Return an id for each new item whose own id belongs to an item that had its key before.

        The id is the item's own followed by ``~2``, or by the first higher number that is free.

        Args:
            current_ids: ``{source_id}:{remote_id}`` of each new item.
            given: the ids of other new items, which are not free either.
        """
        free: dict[str, str] = {}
        for current_id in sorted(current_ids):
            for number in count(2):
                item_id = f"{current_id}~{number}"
                if item_id not in given and not await self.find_states([item_id]):
                    free[current_id] = item_id
                    break
        return free

    async def add_rekeyed(self, ids: Mapping[str, str]) -> None:
        """Record stored items whose ids are not made of their present keys.

        Args:
            ids: the items' ids, by the ids that their keys would make.
        """
        await self._session.execute(INSERT_REKEYED, {"rows": sorted(ids.items())})

    async def add_libraries(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Record further libraries that list items.

        Args:
            pairs: (the item's id, the library's full id) of each.
        """
        await self._session.execute(INSERT_ITEM_LIBRARIES, {"rows": sorted(pairs)})

    async def find_below(self, item_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the items directly below each of the items: their types by their ids."""
        below: dict[str, dict[str, str]] = {item_id: {} for item_id in item_ids}
        rows = await self._session.fetch_all(SELECT_BELOW, {"ids": list(item_ids)})
        for parent_id, item_id, media_type in rows:
            below[parent_id][item_id] = media_type
        return below

    async def insert_items(self, rows: Sequence[list[Any]]) -> dict[str, int]:
        """Insert the own fields of new items. Parents are inserted by an earlier call than their children.

        Args:
            rows: made by `item_row`. Their storage keys are filled in.

        Returns:
            The storage keys of the items, by id.

        Raises:
            DataError: if a library is not stored.
            WriteConflict: if another transaction has stored one of the items, or deleted a parent.
        """
        if await self._write_items(INSERT_ITEMS, rows) != len(rows):
            if len(await self.find_states([row[_ID] for row in rows])) < len(rows):
                await self._raise_for_missing_parent(rows)
            raise WriteConflict(f"another transaction has stored one of {len(rows)} new items")
        return {row[_ID]: row[_KEY] for row in rows}

    async def upsert_items(self, rows: Sequence[list[Any]]) -> None:
        """Insert the own fields of items, or update those of stored ones. Parents are saved first.

        Args:
            rows: made by `item_row`.

        Raises:
            DataError: if a library is not stored.
            WriteConflict: if another transaction has deleted a parent.
        """
        if await self._write_items(UPSERT_ITEMS, rows) != len(rows):
            await self._raise_for_missing_parent(rows)

    async def _raise_for_missing_parent(self, rows: Sequence[list[Any]]) -> NoReturn:
        parents = {row[_PARENT] for row in rows} - {None}
        if len(await self.find_states(sorted(parents))) < len(parents):
            raise WriteConflict(f"another transaction has deleted a parent of {len(rows)} items")
        raise DataError(f"the library of {rows[0][_ID]!r} is no longer stored")

    async def _write_items(self, statement: str, rows: Sequence[list[Any]]) -> int:
        # All transactions lock rows in the same order, which prevents deadlocks.
        rows = sorted(rows, key=itemgetter(_ID))
        for row, key in zip(rows, new_keys(self._session, [row[_ID] for row in rows]), strict=True):
            row[_KEY] = key
        return await self._session.execute(statement, {"items": rows, "now": self._session.now})

    async def insert_details(self, items: Sequence[NormalItem]) -> None:
        """Insert the provider ids, genres, ratings and images of new items."""
        for insert, _, _, rows_of in _DETAILS:
            if rows := [row for item in items for row in rows_of(item)]:
                await self._session.execute(insert, {"rows": rows})

    async def change_details(self, items: Sequence[NormalItem]) -> None:
        """Replace the provider ids, genres, ratings and images of stored items.

        Only differences are written.
        """
        ids = [item.id for item in items]
        for _, remove, upsert, rows_of in _DETAILS:
            rows = [row for item in items for row in rows_of(item)]
            await self._session.execute(remove, {"ids": ids, "rows": rows})
            if rows:
                await self._session.execute(upsert, {"rows": rows})

    @staticmethod
    def title_words(items: Iterable[NormalItem], item_keys: Mapping[str, int]) -> list[StoredWord]:
        """Return the words of the titles of items, as `add_title_words` takes them.

        Args:
            items: items in normal form.
            item_keys: their storage keys, by id.
        """
        return [
            word
            for item in items
            for word in words_of_item(
                item_keys[item.id], item.media_type, *(item.values[column] for column in _TITLE_COLUMNS)
            )
        ]

    async def add_title_words(self, words: Iterable[StoredWord]) -> None:
        """Store the words of the titles of new items, made by `title_words`."""
        if rows := sorted(words):
            await self._session.insert("item_word", WORD_COLUMNS, rows)

    async def replace_title_words(self, items: Sequence[NormalItem], item_keys: Mapping[str, int]) -> None:
        """Replace the words of stored items' titles. Called before the new titles are stored."""
        old = await find_item_words(self._session, [item.id for item in items])
        new = self.title_words(items, item_keys)
        await replace_item_words(self._session, old, set(new))

    async def update_stamps(self, items: Sequence[tuple[NormalItem, str | None]]) -> None:
        """Update the fingerprints and change tokens of items that did not change otherwise.

        Args:
            items: each item with the fingerprint of its stored credits.
        """
        rows = [
            (item.id, item.item_fingerprint, fingerprint, item.change_token) for item, fingerprint in items
        ]
        await self._session.execute(UPDATE_STAMPS, {"items": rows})

    async def update_times(self, item_ids: Sequence[str]) -> None:
        """Set the time of change of items to now."""
        await self._session.execute(UPDATE_TIMES, {"ids": list(item_ids), "now": self._session.now})

    async def delete_media_people(self, media_item_id: str) -> int:
        """Delete the credits of one item, and set its completeness to none. Return how many there were."""
        number = await CreditRepository(self._session).delete([media_item_id])
        await self.set_completeness(media_item_id, Completeness.NONE)
        return number

    async def set_completeness(self, media_item_id: str, completeness: Completeness) -> None:
        """Store how complete an item's credits are, after they were changed apart from its own fields."""
        await self._session.execute(
            SET_COMPLETENESS,
            {"id": media_item_id, "completeness": str(completeness), "now": self._session.now},
        )

    async def lock_below(self, media_item_id: str) -> dict[str, int]:
        """Lock an item and everything below it, and return their storage keys by id.

        Until an item is locked, another transaction may put more items below it.
        """
        locked: dict[str, int] = {}
        while True:
            found = dict(await self._session.fetch_all(LOCK_BELOW, {"id": media_item_id}))
            if found == locked or not self._session.has_concurrent_writers:
                return found
            locked = found

    async def delete_items(self, media_item_ids: Sequence[str]) -> int:
        """Delete items, their credits and all items below them, but no people. Return how many there were."""
        words = await find_item_words(self._session, media_item_ids, below=True)
        await replace_item_words(self._session, words, set())
        return await self._session.execute(DELETE_ITEMS, {"ids": list(media_item_ids)})


def _add_state(states: dict[str, ItemState], asked: str, row: Sequence[Any]) -> None:
    """Add the state of a row to *states*.

    An item has one row for each further library that lists it. The rows after the first only add a library.
    """
    (
        item_id,
        key,
        media_type,
        item_fingerprint,
        credits_fingerprint,
        completeness,
        token,
        home,
        other,
        gives,
        missing,
    ) = row
    libraries = _one_library(home)
    if other is not None:
        known = states.get(asked)
        libraries = (known.library_ids if known else libraries) | {other}
    states[asked] = ItemState(
        item_id,
        key,
        media_type,
        item_fingerprint,
        credits_fingerprint,
        _COMPLETENESS.get(completeness, Completeness.NONE),
        token,
        home,
        libraries,
        bool(gives),
        bool(missing),
    )


@lru_cache(maxsize=256)
def _one_library(library_id: str) -> frozenset[str]:
    return frozenset((library_id,))
