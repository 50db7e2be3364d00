"""Reading rows of the views by id, for programs that keep a copy of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from mediasync.database.session import Session

ITEM_COLUMNS: Final = (
    "id",
    "source_id",
    "library_id",
    "parent_id",
    "remote_id",
    "media_type",
    "title",
    "original_title",
    "sort_title",
    "overview",
    "tagline",
    "year",
    "premiere_date",
    "runtime_seconds",
    "content_rating",
    "season_number",
    "episode_number",
    "episode_number_end",
    "imdb_id",
    "tmdb_id",
    "tvdb_id",
    "path",
    "added_at",
    "added_text",
    "changed_at",
    "changed_text",
    "completeness",
    "created_at",
    "updated_at",
)
"""The columns of the view ``media_items``."""

PERSON_COLUMNS: Final = (
    "id",
    "source_id",
    "name",
    "image_path",
    "provider_ids",
    "created_at",
    "updated_at",
)
"""The columns of the view ``people``."""

CREDIT_COLUMNS: Final = ("media_item_id", "person_id", "person_type", "role", "sort_order")
"""The columns of the view ``media_people``."""

TIMES: Final = frozenset({"added_at", "changed_at", "created_at", "updated_at"})
"""Those of the columns that hold times."""

# Reads the ids of the next items that are shown.
SELECT_NEXT_ITEMS: Final = """
SELECT i.id FROM media_item i WHERE i.id > :after_id AND i.missing_since IS NULL ORDER BY i.id LIMIT :limit
"""

# Reads the ids of the next people who are shown.
SELECT_NEXT_PEOPLE: Final = """
SELECT p.id FROM person p WHERE p.id > :after_id AND p.uncredited_since IS NULL ORDER BY p.id LIMIT :limit
"""

# Reads items as the view shows them.
SELECT_ITEM_ROWS: Final = f"""
SELECT {", ".join(f"v.{name}" for name in ITEM_COLUMNS)}
FROM @list(:ids) g JOIN media_items v ON v.id = g.id ORDER BY v.id
"""

# Reads people as the view shows them.
SELECT_PERSON_ROWS: Final = f"""
SELECT {", ".join(f"v.{name}" for name in PERSON_COLUMNS)}
FROM @list(:ids) g JOIN people v ON v.id = g.id ORDER BY v.id
"""

# Reads the credits of items as the view shows them.
SELECT_CREDIT_ROWS: Final = f"""
SELECT {", ".join(f"v.{name}" for name in CREDIT_COLUMNS)}
FROM @list(:ids) g JOIN media_people v ON v.media_item_id = g.id ORDER BY v.media_item_id, v.sort_order
"""

# Reads the items in which people are credited.
SELECT_ITEMS_OF_PEOPLE: Final = """
SELECT DISTINCT i.id
FROM @list(:ids) g
JOIN person p ON p.id = g.id
JOIN credit c ON c.person_key = p.person_key
JOIN media_item i ON i.item_key = c.item_key
WHERE i.missing_since IS NULL
"""

Row = dict[str, Any]


class ReplicationRepository:
    """Rows of the views, by id.

    Args:
        session: an open session.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list_next_items(self, after: str, limit: int) -> list[str]:
        """Return the ids of at most *limit* items whose id comes after *after*."""
        return await self._list(SELECT_NEXT_ITEMS, after, limit)

    async def list_next_people(self, after: str, limit: int) -> list[str]:
        """Return the ids of at most *limit* people whose id comes after *after*."""
        return await self._list(SELECT_NEXT_PEOPLE, after, limit)

    async def _list(self, sql: str, after: str, limit: int) -> list[str]:
        return [
            item_id for (item_id,) in await self._session.fetch_all(sql, {"after_id": after, "limit": limit})
        ]

    async def find_items(self, ids: Sequence[str]) -> list[Row]:
        """Return those of the items that are shown."""
        return await self._find(SELECT_ITEM_ROWS, ITEM_COLUMNS, ids)

    async def find_people(self, ids: Sequence[str]) -> list[Row]:
        """Return those of the people who are shown."""
        return await self._find(SELECT_PERSON_ROWS, PERSON_COLUMNS, ids)

    async def find_credits(self, item_ids: Sequence[str]) -> list[Row]:
        """Return the credits of those of the items that are shown, in billing order."""
        return await self._find(SELECT_CREDIT_ROWS, CREDIT_COLUMNS, item_ids)

    async def list_items_of_people(self, person_ids: Sequence[str]) -> list[str]:
        """Return the ids of the items in which people are credited."""
        rows = await self._session.fetch_all(SELECT_ITEMS_OF_PEOPLE, {"ids": list(person_ids)})
        return [item_id for (item_id,) in rows]

    async def _find(self, sql: str, columns: Sequence[str], ids: Sequence[str]) -> list[Row]:
        rows = await self._session.fetch_all(sql, {"ids": list(ids)})
        return [
            {name: _time(value) if name in TIMES else value for name, value in zip(columns, row, strict=True)}
            for row in rows
        ]


def _time(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
