"""Reading removed items, and the removals that wait for a confirmation."""

from __future__ import annotations

from math import inf
from typing import Final

from mediasync.database.database import Database
from mediasync.models import PendingRemoval, RemovedItem
from mediasync.reports import PurgeReport
from mediasync.repositories.item_reading import as_limit
from mediasync.repositories.people import PeopleRepository
from mediasync.repositories.removal import RemovalRepository

_MILLISECONDS_PER_DAY: Final = 86_400_000


class RemovalReads:
    """Reads removed items.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_removed(
        self, source_id: str | None, *, limit: int | None, offset: int
    ) -> list[RemovedItem]:
        """Return removed items of one source or of all, the newest first."""
        async with self._database.read() as session:
            return await RemovalRepository(session).list_removed(
                source_id, limit=as_limit(limit), offset=offset
            )

    async def list_pending(self, source_id: str | None) -> list[PendingRemoval]:
        """Return the removals that wait for a confirmation, of one source or of all, by library."""
        async with self._database.read() as session:
            return await RemovalRepository(session).list_pending(source_id)

    async def count_expired(self, keep_days: float, source_id: str | None) -> PurgeReport:
        """Return what a purge would delete now."""
        if keep_days == inf:
            return PurgeReport()
        async with self._database.read(snapshot=True) as session:
            before = session.now - round(keep_days * _MILLISECONDS_PER_DAY)
            items = await RemovalRepository(session).count_expired(source_id, before)
            people = await PeopleRepository(session).count_uncredited(source_id, before)
            return PurgeReport(items, people)
