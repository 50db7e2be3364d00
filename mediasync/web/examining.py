"""The examination: what the doctor finds, found in the background and kept until the mirror changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from mediasync.errors import MediaSyncError
from mediasync.syncing.handles import cancel_all

if TYPE_CHECKING:
    from mediasync.app import MediaSync
    from mediasync.findings import CastFinding

_log: Final = logging.getLogger("mediasync.web")

EXAMPLES: Final = 20
SECONDS_BETWEEN: Final = 60.0
"""How much time lies at least between the end of one examination and the beginning of the next."""


class Examination:
    """What the doctor found last, and what it has found so far if it is at work.

    Nothing is examined before somebody asks. One examination takes some seconds for a million credits, so
    there is at most one at a time, and a new one only if the mirror has changed since.

    Args:
        ms: the open mirror.
        clock: returns seconds.
    """

    def __init__(self, ms: MediaSync, clock: Callable[[], float] = time.monotonic) -> None:
        self._ms = ms
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._change = -1
        self._ended = -SECONDS_BETWEEN
        self.findings: list[CastFinding] = []
        self.began_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.error: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether the doctor is at work."""
        return self._task is not None

    async def look(self) -> None:
        """Begin an examination, if there was none since the last change of the mirror."""
        newest = await self._ms.newest_change()
        is_old = self.error is not None or newest != self._change
        if self._task is None and is_old and self._clock() - self._ended >= SECONDS_BETWEEN:
            self._change = newest
            self.findings, self.began_at, self.ended_at, self.error = [], datetime.now(UTC), None, None
            self._task = asyncio.create_task(self._examine(), name="mediasync examination")

    async def wait(self) -> None:
        """Wait until the examination that is going on has ended."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """Break off."""
        if self._task is not None:
            await cancel_all([self._task])

    async def _examine(self) -> None:
        try:
            async for finding in self._ms.library.iter_findings(examples=EXAMPLES):
                self.findings.append(finding)
        except MediaSyncError as error:
            _log.error("the examination failed: %s", error)
            self.error = "The examination failed. The log of the server says why."
        finally:
            self.ended_at, self._ended, self._task = datetime.now(UTC), self._clock(), None
