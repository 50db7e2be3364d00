"""Media items as they are read: whole ones, pages of them, and what is counted of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mediasync.aio import batched
from mediasync.database.session import Session
from mediasync.errors import DatabaseError, DataError
from mediasync.models import ITEM_MODELS, AnyMediaItem, Rating
from mediasync.repositories.building import in_slices
from mediasync.repositories.search import WordIndex, count_words, find_by_words, keys_of_word
from mediasync.repositories.stored import note_flaw, read_json, read_model
from mediasync.repositories.times import to_datetime
from mediasync.rows import VALUE_COLUMNS
from mediasync.text import place, whole, words_of_title
from mediasync.vocabulary import Completeness, MediaType

SELECT_ITEMS: Final = f"""
SELECT i.id AS item_id, s.id AS source_id, l.id AS library_id, p.id AS parent_id,
    p.remote_id AS parent_remote_id, i.remote_id, i.media_type,
    {", ".join(f"i.{column}" for column in VALUE_COLUMNS)},
    i.completeness, i.change_token, i.created_at, i.updated_at,
    (SELECT @arrays(@array(listed.provider, listed.value)) FROM (
        SELECT e.provider, e.value FROM item_external_id e WHERE e.item_key = i.item_key ORDER BY e.provider
    ) listed) AS provider_ids,
    (SELECT @arrays(listed.name) FROM (
        SELECT e.name FROM item_genre e WHERE e.item_key = i.item_key ORDER BY e.position
    ) listed) AS genres,
    (SELECT @arrays(@array(listed.name, listed.value, listed.votes)) FROM (
        SELECT e.name, e.value, e.votes FROM item_rating e WHERE e.item_key = i.item_key ORDER BY e.position
    ) listed) AS ratings,
    (SELECT @arrays(@array(listed.kind, listed.path)) FROM (
        SELECT e.kind, e.path FROM item_image e WHERE e.item_key = i.item_key ORDER BY e.kind
    ) listed) AS images,
    (SELECT count(*) FROM credit c WHERE c.item_key = i.item_key) AS credits
FROM @list(:ids) g
JOIN media_item i ON i.id = g.id
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
LEFT JOIN media_item p ON p.item_key = i.parent_key
ORDER BY g.n
"""
SELECT_EXTERNAL_IDS: Final = """
SELECT i.id AS item_id, x.provider, x.value FROM @list(:ids) l
JOIN media_item i ON i.id = l.id JOIN item_external_id x ON x.item_key = i.item_key
ORDER BY l.n, x.provider
"""
SELECT_IMAGES: Final = """
SELECT i.id AS item_id, x.kind, x.path FROM @list(:ids) l
JOIN media_item i ON i.id = l.id JOIN item_image x ON x.item_key = i.item_key
ORDER BY l.n, x.kind
"""

FIND_ITEMS_BY_TITLE: Final = """
SELECT i.id AS item_id FROM item_word w JOIN media_item i ON i.item_key = w.item_key
WHERE w.word = :word ORDER BY w.place, i.id LIMIT :limit
"""
COUNT_ITEM_WORDS: Final = count_words("item")
_TITLES: Final = "i.id AS item_id, i.title, i.original_title, i.media_type, i.year"
SEARCH_FEW_ITEMS: Final = f"SELECT {_TITLES} FROM (@words) w JOIN media_item i ON i.item_key = w.item_key"
SEARCH_MANY_ITEMS: Final = f"""
SELECT w.word, {_TITLES} FROM item_word w JOIN media_item i ON i.item_key = w.item_key
WHERE w.word >= :low AND w.word < :high @others
ORDER BY w.word, w.place, i.id LIMIT :limit OFFSET :offset
"""

FIND_BY_PROVIDER_ID: Final = """
SELECT i.id AS item_id FROM item_external_id x JOIN media_item i ON i.item_key = x.item_key
WHERE x.provider = :provider AND x.value = :value ORDER BY i.id
LIMIT :limit OFFSET :offset
"""


def _page_of_library(columns: str) -> str:
    """Return the query for the next items of a library, by id, bounded at every size of the library.

    Each type stands in the index by id. A page is what comes first of the first rows of all types, and of the
    items whose home is another library.
    """
    of_library = "library_key = (SELECT l.library_key FROM library l WHERE l.id = :library_id)"
    parts = [
        f"""
        SELECT * FROM (
            SELECT {columns} FROM media_item i
            WHERE i.{of_library} AND i.media_type = '{media_type}' AND i.id > :above
              AND (:media_type IS NULL OR :media_type = '{media_type}')
            ORDER BY i.id LIMIT :limit
        ) of_{media_type}"""
        for media_type in MediaType
    ]
    others = f"""
        SELECT * FROM (
            SELECT {columns} FROM item_library x JOIN media_item i ON i.item_key = x.item_key
            WHERE x.{of_library} AND x.id > :above AND (:media_type IS NULL OR i.media_type = :media_type)
            ORDER BY x.id LIMIT :limit
        ) of_others"""
    return f"""
    SELECT * FROM ({" UNION ALL ".join([*parts, others])}) found ORDER BY item_id LIMIT :limit
    """


LIST_ITEM_IDS: Final = _page_of_library("i.id AS item_id")
SELECT_CHANGE_TOKENS: Final = _page_of_library("i.id AS item_id, i.remote_id, i.change_token")

LIST_CHILD_IDS: Final = """
SELECT i.id AS item_id FROM media_item i JOIN media_item p ON p.item_key = i.parent_key
WHERE p.id = :parent_id ORDER BY i.season_number NULLS FIRST, i.episode_number NULLS FIRST, i.id
LIMIT :limit OFFSET :offset
"""

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
    words=lambda row: {*words_of_title(row[1]), *words_of_title(row[2] or "")},
    order=lambda row: (place(row[3], row[4]), row[0]),
)

ITEMS_AT_ONCE: Final = 100
"""One query reads so many items."""

_NO_LIMIT: Final = 2**53
_TOKENS_AT_ONCE: Final = 2_000

_FIELDS: Final = {media_type: frozenset(cls.model_fields) for media_type, cls in ITEM_MODELS.items()}


def as_limit(limit: int | None) -> int:
    """Return a limit as queries take it; None: all rows."""
    return _NO_LIMIT if limit is None else limit


class ItemReader:
    """Reads media items.

    Args:
        session: a snapshot, or an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find_items(self, item_ids: Sequence[str]) -> list[AnyMediaItem]:
        """Return those of the items that are stored, without their credits, in the order asked for."""
        return [item for item, _ in await self.find_items_with_counts(item_ids)]

    async def find_items_with_counts(self, item_ids: Sequence[str]) -> list[tuple[AnyMediaItem, int]]:
        """Return items as `find_items` does, and how many credits each has."""
        found: list[tuple[AnyMediaItem, int]] = []
        for ids in batched(dict.fromkeys(item_ids), ITEMS_AT_ONCE):
            rows = await self._rows_of(ids)
            found += await in_slices(rows, _items_with_counts)
        return found

    async def _rows_of(self, ids: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the rows of items. One whose row cannot be fetched at all is left out and logged."""
        try:
            return await self._session.fetch_all(SELECT_ITEMS, {"ids": list(ids)})
        except DatabaseError as error:
            if type(error) not in (DatabaseError, DataError) or not ids:  # the database as a whole fails
                raise
            if len(ids) == 1:
                note_flaw(f"media item {ids[0]}", f"it cannot be read and is left out ({error})")
                return []
        middle = len(ids) // 2
        return await self._rows_of(ids[:middle]) + await self._rows_of(ids[middle:])

    async def find_ids_by_title(self, text: str, limit: int) -> list[str]:
        """Return the ids of items with this title, or, if there are none, with a title that has its words."""
        params = {"word": whole(text), "limit": limit}
        if rows := await self._session.fetch_all(FIND_ITEMS_BY_TITLE, params):
            return [item_id for (item_id,) in rows]
        return [row[0] for row in await find_by_words(self._session, _INDEX, text, {}, skip=0, limit=limit)]

    async def find_ids_by_provider_id(
        self, provider: str, value: str, *, limit: int, offset: int
    ) -> list[str]:
        """Return the ids of items that a public provider knows by this id, by id."""
        params = {"provider": provider, "value": value, "limit": limit, "offset": offset}
        rows = await self._session.fetch_all(FIND_BY_PROVIDER_ID, params)
        return [item_id for (item_id,) in rows]

    async def list_ids(
        self, library_id: str, media_type: MediaType | None, after: str, limit: int
    ) -> list[str]:
        """Return a page of the ids of a library's items, by id, beginning behind *after*."""
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
        """Return the change tokens of a library's items, by the source's own keys; empty: none."""
        tokens: dict[str, str] = {}
        params: dict[str, Any] = {
            "library_id": library_id,
            "media_type": None,
            "above": "",
            "limit": _TOKENS_AT_ONCE,
        }
        while rows := await self._session.fetch_all(SELECT_CHANGE_TOKENS, params):
            tokens.update((remote_id, token or "") for _, remote_id, token in rows)
            last = rows[-1][0]
            if last <= params["above"]:  # other hands may have stored ids that are not texts
                break
            params["above"] = last
        return tokens

    async def count_by_library(self) -> list[tuple[str, MediaType, Completeness, int]]:
        """Return how many items there are, by library's id, type and completeness."""
        return [
            (library_id, MediaType(media_type), Completeness(completeness), number)
            for library_id, media_type, completeness, number in await self._session.fetch_all(
                COUNT_BY_LIBRARY
            )
            if media_type in ITEM_MODELS and completeness in {*Completeness}  # else by other hands: see check
        ]


def _items_with_counts(rows: Sequence[Sequence[Any]]) -> list[tuple[AnyMediaItem, int]]:
    read = ((_item(row[:-1]), row[-1] or 0) for row in rows)
    return [(item, count) for item, count in read if item is not None]


def _item(row: Sequence[Any]) -> AnyMediaItem | None:
    item_id, source_id, library_id, parent_id, parent_remote_id, remote_id, media_type = row[:7]
    values = dict(zip(VALUE_COLUMNS, row[7:-8], strict=True))
    completeness, change_token, created_at, updated_at = row[-8:-4]
    subject = f"media item {item_id}"
    provider_ids, genres, ratings, images = (read_json(subject, text, list) for text in row[-4:])
    for name in ("added", "changed"):
        at, text = values.pop(f"{name}_at"), values.pop(f"{name}_text")
        values[f"{name}_at"] = text if at is None else to_datetime(at)
        if at is not None and values[f"{name}_at"] is None:
            note_flaw(subject, f"the stored {name}_at cannot be read and is left out ({at!r} is not a time)")
    if media_type not in ITEM_MODELS:
        note_flaw(subject, f"it is stored as a {media_type!r}, which is unknown, and is left out")
        return None
    cls = ITEM_MODELS[media_type]
    known = _FIELDS[media_type]
    fields = {name: value for name, value in values.items() if name in known}
    if "parent_remote_id" in known:
        fields["parent_remote_id"] = parent_remote_id
    read = (
        read_model(Rating, subject, {"name": name, "value": value, "votes": votes})
        for name, value, votes in ratings
    )
    values = {
        "remote_id": remote_id,
        "change_token": change_token,
        "completeness": completeness,
        "id": item_id,
        "source_id": source_id,
        "library_id": library_id,
        "parent_id": parent_id,
        "created_at": to_datetime(created_at),
        "updated_at": to_datetime(updated_at),
        "provider_ids": dict(provider_ids),
        "genres": genres,
        "ratings": [rating for rating in read if rating is not None],
        "images": dict(images),
        **fields,
    }
    return read_model(cls, subject, values)
