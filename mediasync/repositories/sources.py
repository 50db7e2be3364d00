"""Sources and libraries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mediasync.database.session import Session
from mediasync.errors import UnknownLibrary
from mediasync.models import Library, Source
from mediasync.repositories.flaws import read_model
from mediasync.repositories.times import to_datetime

# Saves a source; an empty name and a missing server id leave the stored ones.
UPSERT_SOURCE: Final = """
INSERT INTO source (id, kind, name, server_id, created_at, updated_at)
VALUES (:id, :kind, coalesce(nullif(:name, ''), :id), :server_id, :now, :now)
ON CONFLICT (id) DO UPDATE
SET kind = excluded.kind, name = coalesce(nullif(:name, ''), source.name),
    server_id = coalesce(excluded.server_id, source.server_id), updated_at = excluded.updated_at
WHERE source.kind <> excluded.kind OR source.name <> coalesce(nullif(:name, ''), source.name)
   OR coalesce(excluded.server_id, source.server_id, '') <> coalesce(source.server_id, '')
"""

# Reads the watermark of the last successful sync of a source.
SELECT_WATERMARK: Final = "SELECT watermark FROM source WHERE id = :source_id"

# Stores the watermark of a source, if it moved.
UPDATE_WATERMARK: Final = """
UPDATE source SET watermark = :watermark
WHERE id = :source_id AND coalesce(watermark, '') <> coalesce(:watermark, '')
"""

# Reads up to when the items of a source were read again in turn.
SELECT_COMPARED_AT: Final = "SELECT compared_at FROM source WHERE id = :source_id"

# Stores up to when the items of a source were read again in turn.
UPDATE_COMPARED_AT: Final = "UPDATE source SET compared_at = :compared_at WHERE id = :source_id"

# Clears the change tokens of all items of a source, so that the next sync reads all of them again.
CLEAR_CHANGE_TOKENS: Final = """
UPDATE media_item SET change_token = NULL
WHERE change_token IS NOT NULL AND library_key IN (
    SELECT l.library_key FROM library l JOIN source s ON s.source_key = l.source_key WHERE s.id = :source_id
)
"""

# Reads one source, or all.
SELECT_SOURCES: Final = """
SELECT id, kind, name, server_id, created_at, updated_at FROM source
WHERE :id IS NULL OR id = :id ORDER BY id
"""

# Saves a library of a stored source; an empty title leaves the stored one.
UPSERT_LIBRARY: Final = """
INSERT INTO library (source_key, id, remote_id, title, kind, created_at, updated_at)
SELECT s.source_key, :id, :remote_id, coalesce(nullif(:title, ''), :remote_id), :kind, :now, :now
FROM source s WHERE s.id = :source_id
ON CONFLICT (id) DO UPDATE
SET title = coalesce(nullif(:title, ''), library.title), kind = excluded.kind,
    updated_at = excluded.updated_at
WHERE library.title <> coalesce(nullif(:title, ''), library.title) OR library.kind <> excluded.kind
"""

# Reads the libraries of one source, or all.
SELECT_LIBRARIES: Final = """
SELECT l.id, s.id AS source_id, l.remote_id, l.title, l.kind, l.created_at, l.updated_at
FROM library l JOIN source s ON s.source_key = l.source_key
WHERE :source_id IS NULL OR s.id = :source_id ORDER BY l.id
"""

# Reads one library.
SELECT_LIBRARY: Final = """
SELECT l.id, s.id AS source_id, l.remote_id, l.title, l.kind, l.created_at, l.updated_at
FROM library l JOIN source s ON s.source_key = l.source_key
WHERE l.id = :id
"""

# Finds out whether a source has a library.
LIBRARY_IS_STORED: Final = """
SELECT l.library_key FROM library l JOIN source s ON s.source_key = l.source_key
WHERE l.id = :id AND s.id = :source_id
"""


class SourceRepository:
    """Sources and their libraries.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def upsert_source(self, source: Source) -> bool:
        """Save a source; a server id that is missing never overwrites one. Return whether a row changed."""
        return bool(
            await self._session.execute(
                UPSERT_SOURCE,
                {
                    "id": source.id,
                    "kind": str(source.kind),
                    "name": source.name,
                    "server_id": source.server_id,
                    "now": self._session.now,
                },
            )
        )

    async def find_watermark(self, source_id: str) -> str:
        """Return the watermark of the last successful sync of a source; empty if there is none."""
        rows = await self._session.fetch_all(SELECT_WATERMARK, {"source_id": source_id})
        return (rows[0][0] or "") if rows else ""

    async def set_watermark(self, source_id: str, watermark: str | None) -> None:
        """Store the watermark of a source; None clears it."""
        await self._session.execute(UPDATE_WATERMARK, {"source_id": source_id, "watermark": watermark})

    async def find_compared_at(self, source_id: str) -> int | None:
        """Return up to when the items of a source were read again in turn, in milliseconds; None if never."""
        rows = await self._session.fetch_all(SELECT_COMPARED_AT, {"source_id": source_id})
        return rows[0][0] if rows else None

    async def set_compared_at(self, source_id: str, compared_at: int) -> None:
        """Store up to when the items of a source were read again in turn, in milliseconds since 1970, UTC."""
        await self._session.execute(UPDATE_COMPARED_AT, {"source_id": source_id, "compared_at": compared_at})

    async def clear_change_tokens(self, source_id: str) -> None:
        """Clear the watermark of a source and all change tokens, so that the next sync reads everything."""
        await self._session.execute(CLEAR_CHANGE_TOKENS, {"source_id": source_id})
        await self.set_watermark(source_id, None)

    async def upsert_library(self, library: Library) -> bool:
        """Save a library of a stored source. Return whether a row changed."""
        return bool(
            await self._session.execute(
                UPSERT_LIBRARY,
                {
                    "id": library.full_id,
                    "remote_id": library.id,
                    "source_id": library.source_id,
                    "title": library.title,
                    "kind": library.kind,
                    "now": self._session.now,
                },
            )
        )

    async def find_source(self, source_id: str) -> Source | None:
        """Return one source, or None."""
        rows = await self._session.fetch_all(SELECT_SOURCES, {"id": source_id})
        return _source(rows[0]) if rows else None

    async def list_sources(self) -> list[Source]:
        """Return all sources, by id."""
        rows = await self._session.fetch_all(SELECT_SOURCES, {"id": None})
        return [source for row in rows if (source := _source(row)) is not None]

    async def list_libraries(self, source_id: str | None = None) -> list[Library]:
        """Return the libraries of one source, or all, by id."""
        rows = await self._session.fetch_all(SELECT_LIBRARIES, {"source_id": source_id})
        return [library for row in rows if (library := _library(row)) is not None]

    async def find_library(self, library_id: str) -> Library | None:
        """Return the library with this full id, or None."""
        rows = await self._session.fetch_all(SELECT_LIBRARY, {"id": library_id})
        return _library(rows[0]) if rows else None

    async def require_library(self, library_id: str, source_id: str) -> None:
        """Check that the library with this full id is stored under the source.

        Raises:
            UnknownLibrary: if it is not.
        """
        if not await self._session.fetch_all(LIBRARY_IS_STORED, {"id": library_id, "source_id": source_id}):
            raise UnknownLibrary(f"library {library_id!r} is not stored: save_library saves it")


def _source(row: Sequence[Any]) -> Source | None:
    source_id, kind, name, server_id, created_at, updated_at = row
    values = {
        "id": source_id,
        "kind": kind,
        "name": name,
        "server_id": server_id,
        "created_at": to_datetime(created_at),
        "updated_at": to_datetime(updated_at),
    }
    return read_model(Source, f"source {source_id}", values)


def _library(row: Sequence[Any]) -> Library | None:
    library_id, source_id, remote_id, title, kind, created_at, updated_at = row
    values = {
        "id": remote_id,
        "source_id": source_id,
        "title": title,
        "kind": kind,
        "created_at": to_datetime(created_at),
        "updated_at": to_datetime(updated_at),
    }
    return read_model(Library, f"library {library_id}", values)
