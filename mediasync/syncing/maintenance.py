"""Maintenance of the whole database."""

from __future__ import annotations

from mediasync.database.database import Database
from mediasync.errors import SourceHeld
from mediasync.reports import VacuumReport
from mediasync.syncing.leases import list_holders


async def vacuum(database: Database) -> VacuumReport:
    """Give unused space back, and update the statistics of the query planner.

    Raises:
        SourceHeld: SQLite only: if a worker syncs a source, which could not write meanwhile.
        DatabaseError: if the database fails.
    """
    if not database.has_concurrent_writers:
        for source_id, holder in (await list_holders(database)).items():
            raise SourceHeld(source_id, holder)
    return await database.vacuum()
