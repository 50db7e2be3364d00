"""Maintenance of the whole database."""

from __future__ import annotations

from mediasync.database.database import Database
from mediasync.errors import SourceHeld
from mediasync.reports import VacuumReport
from mediasync.repositories.leases import LeaseRepository
from mediasync.syncing.processes import describe, has_ended


async def vacuum(database: Database) -> VacuumReport:
    """Give unused space back, and update the statistics of the query planner.

    Raises:
        SourceHeld: SQLite only: if a worker syncs a source, which could not write meanwhile.
        DatabaseError: if the database fails.
    """
    if not database.has_concurrent_writers:
        async with database.read() as session:
            held = await LeaseRepository(session).list_held()
        for source_id, holder in held:
            if not has_ended(holder):
                raise SourceHeld(source_id, describe(holder))
    return await database.vacuum()
