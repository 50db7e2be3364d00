"""Syncing sources on their schedules and on events, until whoever watches stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from mediasync.backends.base import Backend
from mediasync.errors import ConfigurationError, DatabaseError, SourceError, SourceHeld
from mediasync.events import Event, RunFailed, RunFinished, SyncScheduled, TargetsTaken
from mediasync.listening import Listener
from mediasync.models import SyncRun
from mediasync.settings.schedule import Schedule
from mediasync.syncing.handles import EventQueue, SyncAll, cancel_all
from mediasync.syncing.inbox import Inbox
from mediasync.syncing.tally import Emit
from mediasync.vocabulary import RunStatus

_LONGEST_NAP: Final = timedelta(minutes=1)
"""How long a wait is at most before the clock is read again: timers stand still while a machine sleeps."""
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=1)
"""How long a source that failed is left alone. Each failure in a row doubles the pause up to this."""
_SECONDS_BETWEEN_LOOKS: Final = 0.5
"""How often the inbox is read, into which other processes may write."""
_PAUSE_AFTER_LOOK: Final = timedelta(seconds=2)
"""How long nobody looks into a source that another worker holds; and the first pause after a failure."""
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_LOG: Final = logging.getLogger(__name__)
_BROKEN_OFF: Final = frozenset({RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED})

FindLastRun = Callable[[str], Awaitable[SyncRun | None]]


@dataclass(slots=True)
class WatchedSource:
    """One source that is synced on a schedule and on events.

    Attributes:
        sync: returns a new sync of this source alone, which does not wait for other workers.
        schedule: when it is synced.
        work_off: looks into what events have named, if anything is due; None if the source cannot be used.
        make_backend: returns a backend of its own, to listen to its events; None if nobody listens.
        failures: how many of its syncs have failed in a row.
        tried_at: when the last one ended.
        running: the sync that is going on.
        failed_looks: how often in a row looking into what events have named has failed.
        look_after: before this time nobody looks again.
    """

    sync: Callable[[], SyncAll]
    schedule: Schedule
    work_off: Callable[[Emit], Awaitable[None]] | None = None
    make_backend: Callable[[], Backend] | None = None
    failures: int = 0
    tried_at: datetime = field(default=_LONG_AGO)
    failed_looks: int = 0
    look_after: datetime = field(default=_LONG_AGO)
    running: asyncio.Task[None] | None = None

    @property
    def earliest(self) -> datetime:
        """Before this time it is left alone, because its last syncs failed."""
        if not self.failures:
            return self.tried_at
        pause: timedelta = _FIRST_PAUSE * 2 ** min(self.failures - 1, 10)
        return self.tried_at + min(_LONGEST_PAUSE, pause)


class Watch:
    """Sources that are synced on their schedules and on events while somebody iterates over what happens.

    When a source is due follows from its last recorded run, whichever worker made it. So a restart syncs
    nothing twice, and several workers that watch the same sources divide them. A run that failed or broke off
    is tried again after a minute, then after two, and so on, up to an hour.

    What `mediasync.MediaSync.hint` has noted is looked into when it is due, by one of the workers. The watch
    itself notes what sources report to which it listens.

    Leaving the iteration cancels the syncs. Saved items stay.

    Example:
        >>> async for event in ms.watch(["nfo:examples/library"]):  # doctest: +SKIP
        ...     print(event)

    Args:
        sources: what to sync, by source id.
        find_last_run: finds the newest run of a whole source.
        clock: returns the time in milliseconds since 1970, UTC.
        inbox: what events have named.
        jobs: how many sources are synced at once.

    Raises:
        ConfigurationError: if there are no sources.
    """

    def __init__(
        self,
        sources: Mapping[str, WatchedSource],
        find_last_run: FindLastRun,
        clock: Callable[[], int],
        inbox: Inbox,
        *,
        jobs: int,
    ) -> None:
        if not sources:
            raise ConfigurationError("there is nothing to watch: name a source")
        self._sources = sources
        self._find_last_run = find_last_run
        self._clock = clock
        self._inbox = inbox
        self._due: dict[str, datetime] = {}
        self._turns = asyncio.Semaphore(jobs)
        self._looks = asyncio.Condition()

    async def look(self) -> None:
        """Look at once which sources are due. Without it, that happens at least once a minute."""
        async with self._looks:
            self._looks.notify_all()

    def is_syncing(self, source_id: str) -> bool:
        """Return whether a source is being synced by this watch."""
        source = self._sources.get(source_id)
        return source is not None and source.running is not None

    async def cancel(self, source_id: str) -> None:
        """Cancel the sync of a source, if there is one, and sync it no sooner than its schedule says.

        Without this, a source whose last run broke off is synced again at once.
        """
        if (source := self._sources.get(source_id)) is None:
            return
        source.failures, source.tried_at = 0, source.schedule.next_after(self._now(), source_id)
        if source.running is not None:
            await cancel_all([source.running])
        await self.look()

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        events = EventQueue()
        tasks = [
            asyncio.create_task(
                self._keep(source_id, source, events.put), name=f"mediasync watch of {source_id}"
            )
            for source_id, source in self._sources.items()
        ]
        tasks.append(asyncio.create_task(self._follow_inbox(), name="mediasync inbox"))
        tasks += [
            asyncio.create_task(
                Listener(source_id, source.make_backend, self._inbox, self._clock).run(events.put),
                name=f"mediasync events of {source_id}",
            )
            for source_id, source in self._sources.items()
            if source.make_backend is not None
        ]
        for task in tasks:
            task.add_done_callback(lambda _: events.wake())
        try:
            while True:
                while events:
                    yield events.take()
                for task in tasks:
                    if task.done():
                        task.result()
                await events.movement()
        finally:
            await cancel_all(tasks)

    async def _keep(self, source_id: str, source: WatchedSource, emit: Callable[[Event], None]) -> None:
        """Sync one source whenever it is due."""
        announced = None
        while True:
            try:
                due = max(source.earliest, await self._find_due(source_id, source.schedule))
            except DatabaseError as error:
                self._note_failure(source)
                emit(RunFailed(source_id, error))
                due = source.earliest
            now = self._now()
            if due <= now:
                async with self._turns:
                    await self._run_alone(source_id, source, self._sync(source, emit))
                await self._read_inbox()
                continue
            if due != announced:
                announced = due
                emit(SyncScheduled(source_id, due))
            named = self._due.get(source_id)
            if named is not None and source.work_off is not None:
                named = max(named, source.look_after)
                if named <= now:
                    async with self._turns:
                        look = self._work_off(source_id, source, source.work_off, emit)
                        await self._run_alone(source_id, source, look)
                    await self._read_inbox()
                    continue
                due = min(due, named)
            await self._nap(due - now)

    async def _follow_inbox(self) -> None:
        """Keep up with when what events have named is due, whichever process notes it."""
        hinted = asyncio.Event()
        forget = self._inbox.watch(hinted.set)
        try:
            while True:
                hinted.clear()
                await self._read_inbox()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_SECONDS_BETWEEN_LOOKS):
                        await hinted.wait()
        finally:
            forget()

    async def _read_inbox(self) -> None:
        try:
            found = await self._inbox.find_next()
        except DatabaseError as error:  # the next look may succeed; nothing is forgotten
            _LOG.warning("the inbox cannot be read: %s", error)
            return
        due = {source_id: datetime.fromtimestamp(at / 1000, UTC) for source_id, at in found.items()}
        if due != self._due:
            self._due = due
            await self.look()

    async def _work_off(
        self,
        source_id: str,
        source: WatchedSource,
        work_off: Callable[[Emit], Awaitable[None]],
        emit: Callable[[Event], None],
    ) -> None:
        """Look into what events have named, and note how a sync of the whole source went."""
        is_whole = False

        def tell(event: Event) -> None:
            nonlocal is_whole
            if isinstance(event, TargetsTaken):
                is_whole = event.whole
            if isinstance(event, RunFinished) and is_whole:
                source.failures, source.tried_at = 0, self._now()
            emit(event)

        try:
            await work_off(tell)
        except SourceHeld:
            source.look_after = self._now() + _PAUSE_AFTER_LOOK
        except Exception as error:
            # The inbox puts off what a source fails to give. Anything else is put off here.
            source.failed_looks = 1 if isinstance(error, SourceError) else source.failed_looks + 1
            pause: timedelta = _PAUSE_AFTER_LOOK * 2 ** min(source.failed_looks - 1, 10)
            source.look_after = self._now() + min(pause, _LONGEST_PAUSE)
            if is_whole:
                self._note_failure(source)
            emit(RunFailed(source_id, error))
        else:
            source.failed_looks = 0

    async def _find_due(self, source_id: str, schedule: Schedule) -> datetime:
        run = await self._find_last_run(source_id)
        if run is None:
            return self._now()
        if run.status in _BROKEN_OFF:
            return run.started_at
        return schedule.next_after(run.started_at, source_id)

    async def _run_alone(
        self, source_id: str, source: WatchedSource, work: Coroutine[None, None, None]
    ) -> None:
        """Read a source in a task that can be cancelled without ending the watch over the source."""
        task = asyncio.create_task(work, name=f"mediasync watch reads {source_id}")
        source.running = task
        try:
            await asyncio.wait({task})
        finally:
            source.running = None
            await cancel_all([task])
        if not task.cancelled():
            task.result()

    async def _sync(self, source: WatchedSource, emit: Callable[[Event], None]) -> None:
        """Sync a source, and note how that went."""
        async for event in source.sync():
            match event:
                case RunFailed(error=SourceHeld()):
                    # Another worker syncs it. Its run shows when the next one is due.
                    source.tried_at = self._now() + _LONGEST_NAP
                    continue
                case RunFailed():
                    self._note_failure(source)
                case RunFinished():
                    source.failures, source.tried_at = 0, self._now()
            emit(event)

    def _note_failure(self, source: WatchedSource) -> None:
        source.failures += 1
        source.tried_at = self._now()

    async def _nap(self, longest: timedelta) -> None:
        async with self._looks:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(longest, _LONGEST_NAP).total_seconds()):
                    await self._looks.wait()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock() / 1000, UTC)
