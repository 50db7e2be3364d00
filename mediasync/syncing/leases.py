"""Leases of sources: a sync takes one before it writes, and renews it until it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from mediasync.aio import finish
from mediasync.changes import Fence
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import LeaseLost, MediaSyncError, SourceHeld
from mediasync.repositories.leases import LeaseRepository
from mediasync.syncing.processes import at_work, describe, has_ended

_LOG: Final = logging.getLogger(__name__)
_SECONDS_BETWEEN_LOOKS: Final = 1.0
_RENEWALS: Final = 3
"""How often a lease is renewed while it lasts. A renewal may be late by two thirds of that time."""


class Lease:
    """The lease of a source, held by this run.

    Args:
        fence: what shows it.
    """

    def __init__(self, fence: Fence) -> None:
        self.fence = fence
        self.lost = False

    def check(self) -> None:
        """Raise `LeaseLost` if the lease is known to have ended."""
        if self.lost:
            raise LeaseLost(self.fence.source_id)


class Leases:
    """The leases that the syncs of one `mediasync.MediaSync` hold.

    Args:
        database: an open database. Leases do not queue behind the saves that wait for the writer.
        seconds: how long a lease lasts unless it is renewed.
    """

    def __init__(self, database: Database, seconds: float) -> None:
        self._database = database
        self._seconds = seconds
        self._released: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def hold(
        self, source_id: str, patience: float, on_wait: Callable[[str], None]
    ) -> AsyncGenerator[Lease, None]:
        """Hold the lease of a source.

        Args:
            source_id: a source, stored or not.
            patience: how long to wait while another worker holds it, in seconds.
            on_wait: called once with the holder, in words, if there is one.

        Raises:
            SourceHeld: if it is still held after that time.
        """
        with at_work() as name:
            lease = Lease(await self._take(source_id, name, patience, on_wait))
            released = self._released[source_id] = asyncio.Event()
            renewing = asyncio.create_task(self._renew(lease), name=f"mediasync lease of {source_id}")
            try:
                yield lease
            finally:
                renewing.cancel()
                await finish(self._release(lease, renewing))
                if self._released.get(source_id) is released:
                    del self._released[source_id]
                released.set()

    async def _take(
        self, source_id: str, name: str, patience: float, on_wait: Callable[[str], None]
    ) -> Fence:
        clock = asyncio.get_running_loop().time
        deadline = clock() + patience
        reported = False

        async def work(session: Session) -> Fence | str:
            return await LeaseRepository(session).take(source_id, name, self._milliseconds, has_ended)

        while isinstance(taken := await self._try(work), str):
            holder = describe(taken)
            left = deadline - clock()
            if left <= 0:
                raise SourceHeld(source_id, holder)
            if not reported:
                reported = True
                on_wait(holder)
            await self._wait(source_id, min(left, _SECONDS_BETWEEN_LOOKS))
        return taken

    async def _try(self, work: Callable[[Session], Coroutine[Any, Any, Fence | str]]) -> Fence | str:
        taking = asyncio.ensure_future(self._database.write(work))
        try:
            return await finish(taking)
        except asyncio.CancelledError:
            taken = None if taking.cancelled() or taking.exception() else taking.result()
            if isinstance(taken, Fence):
                await finish(self._end(taken))
            raise

    async def _wait(self, source_id: str, seconds: float) -> None:
        """Wait until this process releases the lease, or it is time to look at what others did."""
        released = self._released.get(source_id) or asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await released.wait()

    async def _renew(self, lease: Lease) -> None:
        async def work(session: Session) -> bool:
            return await LeaseRepository(session).renew(lease.fence, self._milliseconds)

        while not lease.lost:
            await asyncio.sleep(self._seconds / _RENEWALS)
            try:
                lease.lost = not await self._database.write(work)
            except MediaSyncError as error:  # the next renewal may succeed; if none does, the lease expires
                _LOG.warning("%s: its lease could not be renewed: %s", lease.fence.source_id, error)

    async def _release(self, lease: Lease, renewing: asyncio.Task[None]) -> None:
        await asyncio.wait({renewing})
        await self._end(lease.fence)

    async def _end(self, fence: Fence) -> None:
        with suppress(MediaSyncError):  # of a database that is closed or does not answer, it expires
            await self._database.write(lambda session: LeaseRepository(session).release(fence))

    @property
    def _milliseconds(self) -> int:
        return round(self._seconds * 1000)


async def list_holders(database: Database) -> dict[str, str]:
    """Return who holds the lease of which source: the worker in words, by the id of the source.

    Leases of workers that have provably ended are left out.
    """
    async with database.read() as session:
        held = await LeaseRepository(session).list_held()
    return {source_id: describe(holder) for source_id, holder in held if not has_ended(holder)}
