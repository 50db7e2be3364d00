"""Recording runs: their beginning, and how they ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from mediasync.database.session import Session
from mediasync.errors import DatabaseError, LeaseLost, MediaSyncError, SourceError
from mediasync.models import SyncRun
from mediasync.repositories.leases import LeaseRepository
from mediasync.repositories.runs import RunRepository
from mediasync.repositories.sources import SourceRepository
from mediasync.saving.pruning import prune_runs, prune_step
from mediasync.saving.writer import Writer
from mediasync.services import MediaService
from mediasync.syncing.tally import Tally
from mediasync.text import storable
from mediasync.vocabulary import RunStatus

_BROKEN_OFF: Final = frozenset({RunStatus.FAILED, RunStatus.CANCELLED})


class RunRecorder:
    """Records the runs of syncs.

    Args:
        writer: the task that writes to the database.
        media: reads the stored source.
    """

    def __init__(self, writer: Writer, media: MediaService) -> None:
        self._writer = writer
        self._media = media

    async def start(self, tally: Tally) -> None:
        """Record that a run begins, and note its id in *tally*. What is too old is pruned.

        That is changes, and when a run of the whole source begins, runs of single items.
        """

        async def work(session: Session) -> int:
            await _hold_lease(session, tally)
            run_id = await _start(session, tally)
            await prune_step(session, self._writer.keep_changes)
            if not tally.selection:
                await prune_runs(session, tally.source_id, run_id, self._writer.keep_changes)
            return run_id

        tally.run_id = await self._writer.run(work)

    async def finish(
        self,
        tally: Tally,
        status: RunStatus,
        error: str | None = None,
        watermark: str = "",
        *,
        briefly: bool = False,
    ) -> SyncRun:
        """Record how a run ended.

        Args:
            tally: what the run found.
            status: how it ended.
            error: why it failed as a whole.
            watermark: where the source has come to, if the next sync may begin there.
            briefly: leave out its libraries and problems.
        """

        async def work(session: Session) -> SyncRun:
            await _hold_lease(session, tally)
            runs = RunRepository(session)
            run_id = tally.run_id or await _start(session, tally)
            await runs.finish(
                run_id,
                status,
                seen=tally.seen,
                saved=tally.saves.saved,
                unchanged=tally.unchanged,
                failed=len(tally.failures),
                error=error,
            )
            if not briefly:
                await runs.add_problems(run_id, tally.rows())
                await runs.add_libraries(run_id, [library.run(run_id) for library in tally.libraries])
            if watermark:
                await SourceRepository(session).set_watermark(tally.source_id, watermark)
            if tally.compared_at is not None and status not in _BROKEN_OFF:
                await SourceRepository(session).set_compared_at(tally.source_id, tally.compared_at)
            return await runs.get(run_id)

        return await self._writer.run(work)

    async def fail(self, tally: Tally, error: BaseException) -> None:
        """Record a run that *error* ended, if its source is stored and the database still works.

        A run that has lost its lease writes nothing more.
        """
        if isinstance(error, LeaseLost):
            return
        if isinstance(error, asyncio.CancelledError):
            status, reason = RunStatus.CANCELLED, None
        else:
            status, reason = RunStatus.FAILED, storable(str(error)) or type(error).__name__
        with suppress(MediaSyncError):
            if not tally.run_id and (
                not isinstance(error, SourceError) or await self._media.find_source(tally.source_id) is None
            ):
                return
            try:
                await self.finish(tally, status, reason)
            except DatabaseError:
                # A run that has ended must not stay "running", whatever part of its record cannot be stored.
                await self.finish(tally, status, reason, briefly=True)


async def _start(session: Session, tally: Tally) -> int:
    number = tally.fence.number if tally.fence is not None else None
    return await RunRepository(session).start(tally.source_id, number, tally.selection)


async def _hold_lease(session: Session, tally: Tally) -> None:
    if tally.fence is not None:
        await LeaseRepository(session).require(tally.fence)
