"""Removing a source: what is stored of it, page by page, and its deletion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mediasync.claims import StoredPerson
from mediasync.database.session import Session
from mediasync.repositories.person_rows import PERSON_STATE, stored_person

# Finds a page of the items of a source of one type. CROSS: SQLite walks the items in the order of their keys.
SELECT_ITEMS_OF_TYPE: Final = """
SELECT i.item_key, i.id FROM media_item i CROSS JOIN library l CROSS JOIN source s
WHERE i.item_key > :after AND i.media_type = :media_type AND l.library_key = i.library_key
  AND s.source_key = l.source_key AND s.id = :source_id
ORDER BY i.item_key LIMIT :limit
"""

# Locks items and everything below them, before they are deleted.
LOCK_ITEMS_BELOW: Final = """
WITH RECURSIVE below AS (
    SELECT i.item_key FROM @list(:ids) l JOIN media_item i ON i.id = l.id
    UNION
    SELECT m.item_key FROM below l JOIN media_item m ON m.parent_key = l.item_key
)
SELECT i.id AS item_id, i.item_key, i.missing_since
FROM below l JOIN media_item i ON i.item_key = l.item_key @lockfully(i)
"""

# Locks a page of the people of a source, and reads what is stored of them.
LOCK_PEOPLE_OF_SOURCE: Final = f"""
SELECT {PERSON_STATE} FROM person p
WHERE p.source_key = (SELECT s.source_key FROM source s WHERE s.id = :source_id) AND p.person_key > :after
ORDER BY p.person_key LIMIT :limit @lockfully(p)
"""

_RUNS_OF_SOURCE: Final = "sync_run r JOIN source s ON s.source_key = r.source_key"

# Deletes a page of the problems of a source's runs.
DELETE_PROBLEMS: Final = f"""
DELETE FROM run_problem WHERE (series, from_run, position) IN (
    SELECT p.series, p.from_run, p.position FROM run_problem p
    WHERE p.series IN (SELECT r.series FROM {_RUNS_OF_SOURCE} WHERE s.id = :source_id) LIMIT :limit
)
"""

# Clears the runs of a source in a page of the change log: a later run may get the number of a deleted one.
CLEAR_RUNS_OF_CHANGES: Final = f"""
UPDATE change SET run_key = NULL WHERE number IN (
    SELECT c.number FROM {_RUNS_OF_SOURCE} JOIN change c ON c.run_key = r.run_key
    WHERE s.id = :source_id LIMIT :limit
)
"""

# Deletes a page of a source's runs.
DELETE_RUNS: Final = f"""
DELETE FROM sync_run WHERE run_key IN (
    SELECT r.run_key FROM {_RUNS_OF_SOURCE} WHERE s.id = :source_id ORDER BY r.run_key LIMIT :limit
)
"""

# Deletes the libraries of a source, which have no items.
DELETE_LIBRARIES: Final = """
DELETE FROM library WHERE source_key = (SELECT s.source_key FROM source s WHERE s.id = :source_id)
"""

# Deletes what is due of a source.
DELETE_DUE: Final = "DELETE FROM due_target WHERE source_id = :source_id"

# Deletes a source of which nothing else is stored.
DELETE_SOURCE: Final = "DELETE FROM source WHERE id = :source_id"


class SourceRemovalRepository:
    """Deletes one source.

    Args:
        session: an open transaction.
        source_id: the source.
    """

    def __init__(self, session: Session, source_id: str) -> None:
        self._session = session
        self._source_id = source_id

    async def find_items(self, media_type: str, after: int, limit: int) -> list[tuple[int, str]]:
        """Return the storage keys and ids of items of one type, in the order of their storage keys.

        Args:
            media_type: ``movie``, ``show``, ``season`` or ``episode``.
            after: the storage key after which they begin.
            limit: at most so many.
        """
        params = {"source_id": self._source_id, "media_type": media_type, "after": after, "limit": limit}
        return [(key, one) for key, one in await self._session.fetch_all(SELECT_ITEMS_OF_TYPE, params)]

    async def lock_items(self, item_ids: Sequence[str]) -> dict[str, tuple[int, bool]]:
        """Lock items and everything below them.

        Until an item is locked, another transaction may put more items below it.

        Returns:
            The storage key of each, and whether it is shown, by id.
        """
        locked: dict[str, tuple[int, bool]] = {}
        while True:
            rows = await self._session.fetch_all(LOCK_ITEMS_BELOW, {"ids": list(item_ids)})
            found = {item_id: (key, missing is None) for item_id, key, missing in rows}
            if found == locked or not self._session.has_concurrent_writers:
                return found
            locked = found

    async def lock_people(self, after: int, limit: int) -> list[StoredPerson]:
        """Lock people, and return what is stored of them, in the order of their storage keys.

        Args:
            after: the storage key after which they begin.
            limit: at most so many.
        """
        params = {"source_id": self._source_id, "after": after, "limit": limit}
        return [stored_person(row) for row in await self._session.fetch_all(LOCK_PEOPLE_OF_SOURCE, params)]

    async def delete_problems(self, limit: int) -> int:
        """Delete at most *limit* problems of its runs, and return how many there were."""
        return await self._session.execute(DELETE_PROBLEMS, self._page(limit))

    async def clear_runs_of_changes(self, limit: int) -> int:
        """Clear its runs in at most *limit* entries of the change log, and return how many there were."""
        return await self._session.execute(CLEAR_RUNS_OF_CHANGES, self._page(limit))

    async def delete_runs(self, limit: int) -> int:
        """Delete at most *limit* of its runs, which have no problems, and return how many there were."""
        return await self._session.execute(DELETE_RUNS, self._page(limit))

    async def delete_source(self) -> None:
        """Delete the source, its libraries and what is due of it; nothing else of it is stored."""
        await self._session.execute(DELETE_DUE, {"source_id": self._source_id})
        await self._session.execute(DELETE_LIBRARIES, {"source_id": self._source_id})
        await self._session.execute(DELETE_SOURCE, {"source_id": self._source_id})

    def _page(self, limit: int) -> dict[str, Any]:
        return {"source_id": self._source_id, "limit": limit}
