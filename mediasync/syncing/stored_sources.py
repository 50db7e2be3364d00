"""What is done to a whole stored source, under its lease: renaming and removing it."""

from __future__ import annotations

from functools import partial
from typing import Final

from mediasync.aio import finish
from mediasync.changes import WriteContext
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import UnknownSource
from mediasync.reports import RemovedSource, RenamedSource
from mediasync.repositories.leases import LeaseRepository
from mediasync.repositories.sources import SourceRepository
from mediasync.saving.outbox import Outbox
from mediasync.saving.source_removal import SourceRemoval
from mediasync.saving.source_renaming import check_renaming, rename_source
from mediasync.saving.writer import Writer
from mediasync.services import MediaService
from mediasync.syncing.leases import Leases

_AT_ONCE: Final = 0.0


class StoredSources:
    """Renames and removes stored sources.

    The row of a lease outlives its source: it keeps the number of the last lease, so that a worker that was
    paused all the while never takes itself for the holder of a new one.

    Args:
        database: an open database.
        writer: the task that writes to it.
        media: saves items, and remembers which libraries are stored.
    """

    def __init__(self, database: Database, writer: Writer, media: MediaService) -> None:
        self._database = database
        self._writer = writer
        self._media = media
        self._leases = Leases(database, database.options.lease_seconds)

    async def rename(self, old: str, new: str) -> RenamedSource:
        """Rename a source; see `mediasync.MediaSync.rename_source`."""
        async with self._database.read(snapshot=True) as session:
            await check_renaming(session, old, new)
        hold = partial(self._leases.hold, patience=_AT_ONCE, on_wait=_ignore)
        async with hold(old) as lease, hold(new) as other:

            async def work(session: Session, outbox: Outbox) -> RenamedSource:
                await LeaseRepository(session).require(other.fence)
                return await rename_source(session, outbox, old, new)

            try:
                return await finish(self._writer.record(work, WriteContext(fence=lease.fence)))
            finally:
                self._media.forget_libraries()

    async def remove(self, source_id: str) -> RemovedSource:
        """Remove a source; see `mediasync.MediaSync.remove_source`."""
        async with self._database.read() as session:
            if await SourceRepository(session).find_source(source_id) is None:
                raise UnknownSource(f"source {source_id!r} is not stored")
        async with self._leases.hold(source_id, _AT_ONCE, _ignore) as lease:
            try:
                return await SourceRemoval(self._writer, source_id, WriteContext(fence=lease.fence)).run()
            finally:
                self._media.forget_libraries()


def _ignore(_: str) -> None:
    """Nobody is told of the holder: nothing waits, and the error names it."""
