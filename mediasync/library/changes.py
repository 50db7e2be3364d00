"""Following the change log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

from mediasync.aio import Signal
from mediasync.changes import Change
from mediasync.database.database import Database
from mediasync.errors import ChangesPruned, LifecycleError, UsageError
from mediasync.repositories.changes import ChangePage, ChangeRepository, Extent

_PAGE: Final = 500
_POLL_SECONDS: Final = 0.5
"""Other processes' commits are looked for this often."""


class ChangeReads:
    """Reads the change log.

    Args:
        database: an open database.
        committed: set after each commit of this process, and when the mirror is closed.
    """

    def __init__(self, database: Database, committed: Signal) -> None:
        self._database = database
        self._committed = committed

    async def find_newest(self) -> int:
        """Return the number of the newest change; 0 if there was none yet."""
        async with self._database.read() as session:
            return (await ChangeRepository(session).find_extent()).newest

    async def iterate(self, after: int | None, *, follow: bool) -> AsyncGenerator[Change]:
        """Iterate over the changes after a number; see `mediasync.MediaSync.changes`."""
        self._database.check_open()
        while True:
            committed = self._committed.next()
            try:
                after, page = await self._read(after)
            except LifecycleError:
                if follow and self._committed.closed:
                    return
                raise
            if page is not None:
                for change in page.changes:
                    yield change
                after = page.last
                continue
            if not follow:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(committed.wait(), _POLL_SECONDS)
            if self._committed.closed:
                return

    async def _read(self, after: int | None) -> tuple[int, ChangePage | None]:
        async with self._database.read(snapshot=True) as session:
            repository = ChangeRepository(session)
            extent = await repository.find_extent()
            after = extent.pruned if after is None else after
            _check(after, extent)
            if after == extent.newest:
                return after, None
            return after, await repository.find_page(after, _PAGE)


def _check(after: int, extent: Extent) -> None:
    if after < 0 or after > extent.newest:
        raise UsageError(
            f"there is no change {after}: the newest one is {extent.newest}. Was the number remembered of "
            "another database, or has this one been restored from an older copy?"
        )
    if after < extent.pruned:
        raise ChangesPruned(after, extent.pruned)
