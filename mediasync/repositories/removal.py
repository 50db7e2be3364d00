"""Items that are missing from their source: marking them, and removals that wait for a confirmation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from mediasync.database.session import Session
from mediasync.models import PendingRemoval, RemovedItem
from mediasync.repositories.building import select_list
from mediasync.repositories.flaws import read_model
from mediasync.repositories.times import to_datetime

# Marks items as missing.
MARK_MISSING: Final = """
UPDATE media_item SET missing_since = :now, missing_run = :run_id
WHERE missing_since IS NULL AND id IN (SELECT l.id FROM @list(:ids) l)
"""

# Removes the marks of items.
UNMARK: Final = """
UPDATE media_item SET missing_since = NULL, missing_run = NULL
WHERE missing_since IS NOT NULL AND id IN (SELECT l.id FROM @list(:ids) l)
"""

# Finds the parents of shown items.
SELECT_ABOVE_SHOWN: Final = """
SELECT DISTINCT l.id FROM @list(:ids) l
JOIN media_item i ON i.id = l.id
JOIN media_item c ON c.parent_key = i.item_key
WHERE c.missing_since IS NULL
"""

# Finds the marked ones of some items and of all items above them, those above first.
SELECT_MISSING_ABOVE: Final = """
WITH RECURSIVE above (id, parent_key, missing_since, level) AS (
    SELECT i.id, i.parent_key, i.missing_since, 0 FROM @list(:ids) l JOIN media_item i ON i.id = l.id
    UNION
    SELECT p.id, p.parent_key, p.missing_since, a.level + 1
    FROM above a JOIN media_item p ON p.item_key = a.parent_key
)
SELECT a.id, max(a.level) AS level FROM above a
WHERE a.missing_since IS NOT NULL GROUP BY a.id ORDER BY 2 DESC, 1
"""

# Finds the items below some marked ones that the same run has marked.
SELECT_MISSING_BELOW: Final = """
WITH RECURSIVE below (id, item_key, missing_run, missing_since) AS (
    SELECT i.id, i.item_key, i.missing_run, i.missing_since
    FROM @list(:ids) l JOIN media_item i ON i.id = l.id WHERE i.missing_since IS NOT NULL
    UNION
    SELECT c.id, c.item_key, c.missing_run, c.missing_since
    FROM below b JOIN media_item c ON c.parent_key = b.item_key
    WHERE c.missing_run = b.missing_run OR (c.missing_run IS NULL AND c.missing_since = b.missing_since)
)
SELECT b.id FROM below b ORDER BY b.id
"""

_REMOVED: Final = {
    "id": "i.id",
    "source_id": "s.id",
    "library_id": "l.id",
    "media_type": "i.media_type",
    "title": "i.title",
    "year": "i.year",
    "season_number": "i.season_number",
    "episode_number": "i.episode_number",
    "show_title": "coalesce(upper.title, parent.title)",
    "credits": "(SELECT count(*) FROM credit c WHERE c.item_key = i.item_key)",
    "missing_since": "i.missing_since",
    "run_id": "i.missing_run",
}

# Reads the marked items of one source or of all, the newest marks first.
SELECT_REMOVED: Final = f"""
SELECT {select_list(_REMOVED)}
FROM media_item i
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
LEFT JOIN media_item parent ON parent.item_key = i.parent_key
LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
WHERE i.missing_since IS NOT NULL AND (:source_id IS NULL OR s.id = :source_id)
ORDER BY i.missing_since DESC, i.id LIMIT :limit OFFSET :offset
"""

# Finds items that were marked before a time, of one source or of all.
SELECT_EXPIRED: Final = """
SELECT i.id FROM media_item i
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
WHERE i.missing_since < :before AND (:source_id IS NULL OR s.id = :source_id)
ORDER BY i.missing_since, i.id LIMIT :limit
"""

# Counts them.
COUNT_EXPIRED: Final = """
SELECT count(*) AS items FROM media_item i
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
WHERE i.missing_since < :before AND (:source_id IS NULL OR s.id = :source_id)
"""

_PENDING: Final = {
    "library_id": "l.id",
    "source_id": "s.id",
    "run_id": "r.run_key",
    "asked_at": "r.asked_at",
    "items": "r.items",
    "stored": "r.stored",
    "reason": "r.reason",
}

# Reads the removals that wait for a confirmation, of one source or of all.
SELECT_PENDING: Final = f"""
SELECT {select_list(_PENDING)}
FROM pending_removal r
JOIN library l ON l.library_key = r.library_key
JOIN source s ON s.source_key = l.source_key
WHERE :source_id IS NULL OR s.id = :source_id ORDER BY l.id
"""

# Reads which items wait in each library of a source, as digests.
SELECT_PENDING_DIGESTS: Final = """
SELECT l.id AS library_id, r.digest
FROM pending_removal r
JOIN library l ON l.library_key = r.library_key
JOIN source s ON s.source_key = l.source_key
WHERE s.id = :source_id
"""

# Records that the removal of items waits for a confirmation.
UPSERT_PENDING: Final = """
INSERT INTO pending_removal (library_key, run_key, asked_at, items, stored, reason, digest)
SELECT l.library_key, :run_id, :now, r.items, r.stored, r.reason, r.digest
FROM @rows(:rows, library_id text, items integer, stored integer, reason text, digest text) r
JOIN library l ON l.id = r.library_id
WHERE true
ON CONFLICT (library_key) DO UPDATE
SET run_key = excluded.run_key, asked_at = excluded.asked_at, items = excluded.items,
    stored = excluded.stored, reason = excluded.reason, digest = excluded.digest
"""

# Deletes the records of libraries that no longer wait.
DELETE_PENDING: Final = """
DELETE FROM pending_removal WHERE library_key IN (
    SELECT l.library_key FROM @list(:ids) k JOIN library l ON l.id = k.id
)
"""


class RemovalRepository:
    """Marks items as missing, and reads the marked ones.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def mark(self, item_ids: Sequence[str], run_id: int | None) -> None:
        """Mark items as missing.

        Args:
            item_ids: stored items.
            run_id: the run that found it out.
        """
        params = {"ids": list(item_ids), "run_id": run_id, "now": self._session.now}
        await self._session.execute(MARK_MISSING, params)

    async def unmark(self, item_ids: Sequence[str]) -> None:
        """Remove the marks of items."""
        await self._session.execute(UNMARK, {"ids": list(item_ids)})

    async def find_above_shown(self, item_ids: Sequence[str]) -> set[str]:
        """Return those of the items that have items below them that are not marked."""
        rows = await self._session.fetch_all(SELECT_ABOVE_SHOWN, {"ids": list(item_ids)})
        return {item_id for (item_id,) in rows}

    async def find_missing_above(self, item_ids: Iterable[str]) -> list[str]:
        """Return the marked ones of the items and of all items above them, those above first."""
        rows = await self._session.fetch_all(SELECT_MISSING_ABOVE, {"ids": sorted(item_ids)})
        return [item_id for item_id, _ in rows]

    async def find_missing_below(self, item_ids: Sequence[str]) -> list[str]:
        """Return the marked ones of the items, and the items below them that were marked with them."""
        rows = await self._session.fetch_all(SELECT_MISSING_BELOW, {"ids": list(item_ids)})
        return [item_id for (item_id,) in rows]

    async def list_removed(self, source_id: str | None, *, limit: int, offset: int) -> list[RemovedItem]:
        """Return marked items of one source or of all, the newest marks first."""
        params = {"source_id": source_id, "limit": limit, "offset": offset}
        rows = await self._session.fetch_all(SELECT_REMOVED, params)
        return [item for row in rows if (item := _removed(row)) is not None]

    async def find_expired(self, source_id: str | None, before: int, limit: int) -> list[str]:
        """Return the ids of items that were marked before a time, the oldest marks first.

        Args:
            source_id: only items of this source; None for all.
            before: the time, in milliseconds since 1970, UTC.
            limit: at most so many.
        """
        params = {"source_id": source_id, "before": before, "limit": limit}
        return [item_id for (item_id,) in await self._session.fetch_all(SELECT_EXPIRED, params)]

    async def count_expired(self, source_id: str | None, before: int) -> int:
        """Return how many items were marked before a time."""
        params = {"source_id": source_id, "before": before}
        [(number,)] = await self._session.fetch_all(COUNT_EXPIRED, params)
        return int(number)

    async def list_pending(self, source_id: str | None) -> list[PendingRemoval]:
        """Return the removals that wait for a confirmation, of one source or of all, by library."""
        rows = await self._session.fetch_all(SELECT_PENDING, {"source_id": source_id})
        return [pending for row in rows if (pending := _pending(row)) is not None]

    async def find_digests(self, source_id: str) -> dict[str, str]:
        """Return the digests of the items that wait, by the full ids of their libraries."""
        return dict(await self._session.fetch_all(SELECT_PENDING_DIGESTS, {"source_id": source_id}))

    async def set_pending(self, rows: Sequence[tuple[str, int, int, str, str]], run_id: int) -> None:
        """Record removals that wait for a confirmation.

        Args:
            rows: (the library's full id, the number of items, the number of stored items, the reason, the
                digest of the items' ids) of each.
            run_id: the run that asks.
        """
        params = {"rows": list(rows), "run_id": run_id, "now": self._session.now}
        await self._session.execute(UPSERT_PENDING, params)

    async def clear_pending(self, library_ids: Sequence[str]) -> None:
        """Delete the records of libraries that no longer wait."""
        await self._session.execute(DELETE_PENDING, {"ids": list(library_ids)})


def _removed(row: Sequence[Any]) -> RemovedItem | None:
    values = dict(zip(_REMOVED, row, strict=True))
    values["missing_since"] = to_datetime(values["missing_since"])
    return read_model(RemovedItem, f"removed item {values['id']}", values)


def _pending(row: Sequence[Any]) -> PendingRemoval | None:
    values = dict(zip(_PENDING, row, strict=True))
    values["asked_at"] = to_datetime(values["asked_at"])
    return read_model(PendingRemoval, f"pending removal of {values['library_id']}", values)
