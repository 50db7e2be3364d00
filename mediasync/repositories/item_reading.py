"""Reading media items: single ones, pages of them, and counts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from mediasync.database.session import Session
from mediasync.errors import DatabaseError, DataError
from mediasync.models import ITEM_MODELS, AnyMediaItem, Rating
from mediasync.repositories.building import in_slices, select_list
from mediasync.repositories.credits import (
    CREDITS_AT_ONCE,
    FIRST_CREDITS,
    billing_order,
    credits_of,
    listed_credits,
)
from mediasync.repositories.flaws import note_flaw, read_json, read_model
from mediasync.repositories.search import WordIndex, count_words, find_by_words, keys_of_word
from mediasync.repositories.times import to_datetime
from mediasync.rows import VALUE_COLUMNS
from mediasync.text import place, searchable_words, whole
from mediasync.vocabulary import Completeness, MediaType


def _list_of(table: str, columns: str, order: str) -> str:
    """Return the subquery for a JSON array with the rows of a detail table that belong to an item."""
    names = columns.split(", ")
    listed = ", ".join(f"listed.{name}" for name in names)
    return f"""(SELECT @arrays({listed if len(names) == 1 else f"@array({listed})"}) FROM (
        SELECT {", ".join(f"e.{name}" for name in names)} FROM {table} e
        WHERE e.item_key = i.item_key ORDER BY e.{order}
    ) listed)"""


_ITEM: Final = {
    "id": "i.id",
    "source_id": "s.id",
    "library_id": "l.id",
    "parent_id": "p.id",
    "parent_remote_id": "p.remote_id",
    "remote_id": "i.remote_id",
    "media_type": "i.media_type",
    **{column: f"i.{column}" for column in VALUE_COLUMNS},
    "completeness": "i.completeness",
    "change_token": "i.change_token",
    "created_at": "i.created_at",
    "updated_at": "i.updated_at",
    "provider_ids": _list_of("item_external_id", "provider, value", "provider"),
    "genres": _list_of("item_genre", "name", "position"),
    "ratings": _list_of("item_rating", "name, value, votes", "position"),
    "images": _list_of("item_image", "kind, path", "kind"),
}


def _items_with(credits_column: str) -> str:
    """Return the query for items with their details, in the order asked for."""
    return f"""
    SELECT {select_list({**_ITEM, "credits": credits_column})}
    FROM @list(:ids) g
    JOIN media_item i ON i.id = g.id
    JOIN library l ON l.library_key = i.library_key
    JOIN source s ON s.source_key = l.source_key
    LEFT JOIN media_item p ON p.item_key = i.parent_key
    WHERE i.missing_since IS NULL ORDER BY g.n
    """


# Reads items with their details and the number of their credits, in the order asked for.
SELECT_ITEMS: Final = _items_with("(SELECT count(*) FROM credit c WHERE c.item_key = i.item_key)")

# Reads items with their details and the first of their credits, in the order asked for.
SELECT_WHOLE_ITEMS: Final = _items_with(FIRST_CREDITS)

# Reads the provider ids of items.
SELECT_EXTERNAL_IDS: Final = """
SELECT i.id AS item_id, x.provider, x.value FROM @list(:ids) l
JOIN media_item i ON i.id = l.id JOIN item_external_id x ON x.item_key = i.item_key
ORDER BY l.n, x.provider
"""

# Reads the images of items.
SELECT_IMAGES: Final = """
SELECT i.id AS item_id, x.kind, x.path FROM @list(:ids) l
JOIN media_item i ON i.id = l.id JOIN item_image x ON x.item_key = i.item_key
ORDER BY l.n, x.kind
"""

# Finds items by a whole title, in any spelling.
FIND_ITEMS_BY_TITLE: Final = """
SELECT i.id AS item_id FROM item_word w JOIN media_item i ON i.item_key = w.item_key
WHERE w.word = :word AND i.missing_since IS NULL ORDER BY w.place, i.id LIMIT :limit
"""

# Counts the words of titles that begin with each word of a search.
COUNT_ITEM_WORDS: Final = count_words("item")
_TITLES: Final = "i.id AS item_id, i.title, i.original_title, i.media_type, i.year"

# Reads all items with the keys that a search for rare words found.
SEARCH_FEW_ITEMS: Final = f"""
SELECT {_TITLES} FROM (@words) w JOIN media_item i ON i.item_key = w.item_key WHERE i.missing_since IS NULL
"""

# Walks the words of titles in the order of the result of a search for common words.
SEARCH_MANY_ITEMS: Final = f"""
SELECT w.word, {_TITLES} FROM item_word w JOIN media_item i ON i.item_key = w.item_key
WHERE w.word >= :low AND w.word < :high AND i.missing_since IS NULL @others
ORDER BY w.word, w.place, i.id LIMIT :limit OFFSET :offset
"""

# Finds items by their id at a public provider.
FIND_BY_PROVIDER_ID: Final = """
SELECT i.id AS item_id FROM item_external_id x JOIN media_item i ON i.item_key = x.item_key
WHERE x.provider = :provider AND x.value = :value AND i.missing_since IS NULL ORDER BY i.id
LIMIT :limit OFFSET :offset
"""


def _page_of_library(columns: str) -> str:
    """Return the query for the next items of a library, by id.

    Its work does not grow with the library: the index sorts the items of each type by id, so a page is merged
    from the first rows of each type and the first items whose home is another library.
    """
    of_library = "library_key = (SELECT l.library_key FROM library l WHERE l.id = :library_id)"
    parts = [
        f"""
        SELECT * FROM (
            SELECT {columns} FROM media_item i
            WHERE i.{of_library} AND i.media_type = '{media_type}' AND i.id > :above
              AND i.missing_since IS NULL
              AND (:media_type IS NULL OR :media_type = '{media_type}')
            ORDER BY i.id LIMIT :limit
        ) of_{media_type}"""
        for media_type in MediaType
    ]
    others = f"""
        SELECT * FROM (
            SELECT {columns} FROM item_library x JOIN media_item i ON i.item_key = x.item_key
            WHERE x.{of_library} AND x.id > :above AND (:media_type IS NULL OR i.media_type = :media_type)
              AND i.missing_since IS NULL
            ORDER BY x.id LIMIT :limit
        ) of_others"""
    return f"""
    SELECT * FROM ({" UNION ALL ".join([*parts, others])}) found ORDER BY item_id LIMIT :limit
    """


# Reads a page of the ids of a library's items.
LIST_ITEM_IDS: Final = _page_of_library("i.id AS item_id")

# Reads a page of the change tokens of a library's items.
SELECT_CHANGE_TOKENS: Final = _page_of_library("i.id AS item_id, i.remote_id, i.change_token")

# Reads a page of the times at which a library's items were saved, with their change tokens.
SELECT_SAVED_AT: Final = _page_of_library("i.id AS item_id, i.remote_id, i.change_token, i.updated_at")

# Finds the items directly below an item, by number.
LIST_CHILD_IDS: Final = """
SELECT i.id AS item_id FROM media_item i JOIN media_item p ON p.item_key = i.parent_key
WHERE p.id = :parent_id AND i.missing_since IS NULL
ORDER BY i.season_number NULLS FIRST, i.episode_number NULLS FIRST, i.id
LIMIT :limit OFFSET :offset
"""

# Reads how many items of each type and completeness each library lists.
COUNT_BY_LIBRARY: Final = """
SELECT library_id, media_type, completeness, items FROM library_counts
ORDER BY library_id, media_type, completeness
"""

_INDEX: Final = WordIndex(
    COUNT_ITEM_WORDS,
    keys_of_word("item"),
    SEARCH_FEW_ITEMS,
    SEARCH_MANY_ITEMS,
    "item_key",
    words=lambda row: _title_words(*row),
    order=lambda row: _title_order(*row),
)

ITEMS_AT_ONCE: Final = 100
"""How many items are read without letting the event loop go on in between."""

WHOLE_ITEMS_AT_ONCE: Final = 5
"""How many items are read with their credits by one query; for more, two queries are quicker."""

_NO_LIMIT: Final = 2**53
_TOKENS_AT_ONCE: Final = 2_000

_READ_AS_STORED: Final = {
    media_type: [name for name in cls.model_fields if name in _ITEM and name != "media_type"]
    for media_type, cls in ITEM_MODELS.items()
}
"""The columns of items of each type whose values are those of the model's fields."""


def as_limit(limit: int | None) -> int:
    """Return a limit as queries take it; None means all rows."""
    return _NO_LIMIT if limit is None else limit


class ItemReader:
    """Reads media items.

    Args:
        session: a snapshot, or an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find_items(self, item_ids: Sequence[str]) -> list[AnyMediaItem]:
        """Return the items that are stored, without their credits, in the order asked for."""
        return [item for item, _ in await self.find_items_with_counts(item_ids)]

    async def find_items_with_counts(self, item_ids: Sequence[str]) -> list[tuple[AnyMediaItem, int]]:
        """Return items as `find_items` does, and how many credits each has."""
        ids = list(dict.fromkeys(item_ids))
        return await in_slices(await self._rows_of(ids), _items_with_counts)

    async def find_whole_items(self, item_ids: Sequence[str]) -> list[AnyMediaItem] | None:
        """Return the items that are stored with their credits, by a single query.

        Args:
            item_ids: at most `WHOLE_ITEMS_AT_ONCE` ids.

        Returns:
            The items in the order asked for, or None if a single query does not bring them all: an item has
            too many credits, or a value that another program has stored cannot be fetched.
        """
        ids = list(dict.fromkeys(item_ids))
        params = {"ids": ids, "credits_of_each": CREDITS_AT_ONCE}
        try:
            rows = await self._session.fetch_all(SELECT_WHOLE_ITEMS, params)
            listed = [listed_credits(row[-1]) for row in rows]
        except (DatabaseError, json.JSONDecodeError) as error:
            if type(error) not in (DatabaseError, json.JSONDecodeError):  # the database as a whole fails
                raise
            return None
        if any(len(some) == CREDITS_AT_ONCE for some in listed):
            return None
        found = await in_slices(rows, _items)
        made = iter(await in_slices([row for some in listed for row in some], credits_of))
        for item, some in zip(found, listed, strict=True):
            own = [credit for credit in islice(made, len(some)) if credit is not None]
            if item is not None:
                item.credits = sorted(own, key=billing_order)
        return [item for item in found if item is not None]

    async def _rows_of(self, ids: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the rows of items. A row that cannot be fetched at all is left out and noted as a flaw."""
        try:
            if len(ids) <= ITEMS_AT_ONCE:
                return await self._session.fetch_all(SELECT_ITEMS, {"ids": list(ids)})
            rows = {row[0]: row for row in await self._session.fetch_many(SELECT_ITEMS, {"ids": list(ids)})}
            return [rows[item_id] for item_id in ids if item_id in rows]
        except DatabaseError as error:
            if type(error) not in (DatabaseError, DataError) or not ids:  # the database as a whole fails
                raise
            if len(ids) == 1:
                note_flaw(f"media item {ids[0]}", f"it cannot be read and is left out ({error})")
                return []
        middle = len(ids) // 2
        return await self._rows_of(ids[:middle]) + await self._rows_of(ids[middle:])

    async def find_ids_by_title(self, text: str, limit: int) -> list[str]:
        """Return the ids of items with this title or, if there are none, with a title that has its words."""
        return await self.find_ids_by_whole_title(text, limit) or await self.find_ids_by_words(text, limit)

    async def find_ids_by_whole_title(self, text: str, limit: int) -> list[str]:
        """Return the ids of items with this title, in any spelling."""
        rows = await self._session.fetch_all(FIND_ITEMS_BY_TITLE, {"word": whole(text), "limit": limit})
        return [item_id for (item_id,) in rows]

    async def find_ids_by_words(self, text: str, limit: int) -> list[str]:
        """Return the ids of items whose titles have, for each word of *text*, a word that begins with it."""
        return [row[0] for row in await find_by_words(self._session, _INDEX, text, {}, skip=0, limit=limit)]

    async def find_ids_by_provider_id(
        self, provider: str, value: str, *, limit: int, offset: int
    ) -> list[str]:
        """Return the ids of the items that have this id at a public provider, sorted."""
        params = {"provider": provider, "value": value, "limit": limit, "offset": offset}
        rows = await self._session.fetch_all(FIND_BY_PROVIDER_ID, params)
        return [item_id for (item_id,) in rows]

    async def list_ids(
        self, library_id: str, media_type: MediaType | None, after: str, limit: int
    ) -> list[str]:
        """Return a page of the ids of a library's items, sorted, beginning after the id *after*."""
        params = {
            "library_id": library_id,
            "media_type": str(media_type) if media_type else None,
            "above": after,
            "limit": limit,
        }
        rows = await self._session.fetch_all(LIST_ITEM_IDS, params)
        return [item_id for (item_id,) in rows]

    async def list_child_ids(self, parent_id: str, *, limit: int, offset: int) -> list[str]:
        """Return the ids of a show's seasons or a season's episodes, by number."""
        params = {"parent_id": parent_id, "limit": limit, "offset": offset}
        rows = await self._session.fetch_all(LIST_CHILD_IDS, params)
        return [item_id for (item_id,) in rows]

    async def find_change_tokens(self, library_id: str) -> dict[str, str]:
        """Return the change tokens of a library's items, by the source's own keys; '' where there is none."""
        tokens: dict[str, str] = {}
        async for rows in self._pages(SELECT_CHANGE_TOKENS, library_id):
            tokens.update((remote_id, token or "") for _, remote_id, token in rows)
        return tokens

    async def find_saved_since(self, library_id: str, since: int) -> set[str]:
        """Return the source's own keys of a library's items that were saved with a change token since a time.

        Args:
            library_id: the full id of the library.
            since: in milliseconds since 1970, UTC.
        """
        saved: set[str] = set()
        async for rows in self._pages(SELECT_SAVED_AT, library_id):
            saved.update(
                remote_id for _, remote_id, token, updated_at in rows if token and updated_at >= since
            )
        return saved

    async def _pages(self, query: str, library_id: str) -> AsyncIterator[Sequence[Any]]:
        """Iterate over the pages of a query for all items of a library; the first column is an item's id."""
        params: dict[str, Any] = {
            "library_id": library_id,
            "media_type": None,
            "above": "",
            "limit": _TOKENS_AT_ONCE,
        }
        while rows := await self._session.fetch_all(query, params):
            yield rows
            last = rows[-1][0]
            if last <= params["above"]:  # another program may have stored ids that are not texts
                break
            params["above"] = last

    async def count_by_library(self) -> list[tuple[str, MediaType, Completeness, int]]:
        """Return the number of items of each library, type and completeness."""
        return [
            (library_id, MediaType(media_type), Completeness(completeness), number)
            for library_id, media_type, completeness, number in await self._session.fetch_all(
                COUNT_BY_LIBRARY
            )
            if media_type in ITEM_MODELS and completeness in {*Completeness}  # the check reports all others
        ]


def _title_words(_id: str, title: str, original_title: str | None, *_: Any) -> set[str]:
    return {*searchable_words(title), *searchable_words(original_title or "")}


def _title_order(item_id: str, _title: str, _original: str | None, media_type: str, year: int | None) -> Any:
    return place(media_type, year), item_id


def _items(rows: Sequence[Sequence[Any]]) -> list[AnyMediaItem | None]:
    return [_item(dict(zip(_ITEM, row[:-1], strict=True))) for row in rows]


def _items_with_counts(rows: Sequence[Sequence[Any]]) -> list[tuple[AnyMediaItem, int]]:
    read = zip(_items(rows), (row[-1] or 0 for row in rows), strict=True)
    return [(item, count) for item, count in read if item is not None]


def _item(stored: Mapping[str, Any]) -> AnyMediaItem | None:
    subject = f"media item {stored['id']}"
    media_type = stored["media_type"]
    if media_type not in ITEM_MODELS:
        note_flaw(subject, f"it is stored as a {media_type!r}, which is unknown, and is left out")
        return None
    values = {name: stored[name] for name in _READ_AS_STORED[media_type]}
    for name in ("created_at", "updated_at"):
        values[name] = to_datetime(stored[name])
    for name in ("added", "changed"):
        at = stored[f"{name}_at"]
        values[f"{name}_at"] = stored[f"{name}_text"] if at is None else to_datetime(at)
        if at is not None and values[f"{name}_at"] is None:
            note_flaw(subject, f"the stored {name}_at cannot be read and is left out ({at!r} is not a time)")
    values["provider_ids"] = dict(read_json(subject, stored["provider_ids"], list))
    values["genres"] = read_json(subject, stored["genres"], list)
    values["images"] = dict(read_json(subject, stored["images"], list))
    ratings = (
        read_model(Rating, subject, {"name": name, "value": value, "votes": votes})
        for name, value, votes in read_json(subject, stored["ratings"], list)
    )
    values["ratings"] = [rating for rating in ratings if rating is not None]
    return read_model(ITEM_MODELS[media_type], subject, values)
