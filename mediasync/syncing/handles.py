"""Handles of syncs: they can be awaited, or followed event by event."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from mediasync.aio import finish
from mediasync.errors import LifecycleError, SourceError
from mediasync.events import Event, Progress, RunFailed
from mediasync.reports import SyncReport
from mediasync.syncing.tally import Emit

T = TypeVar("T")
Run = Callable[[Emit], Coroutine[Any, Any, SyncReport]]


class EventQueue:
    """Events that wait to be fetched. Newer progress of a source replaces older progress."""

    def __init__(self) -> None:
        self._waiting: deque[list[Event]] = deque()
        self._newest: dict[str, list[Event]] = {}
        self._moved = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, event: Event) -> None:
        """Append an event, or replace waiting progress of its source by newer progress."""
        newest = self._newest.get(event.source_id)
        if newest and isinstance(event, Progress) and isinstance(newest[0], Progress):
            newest[0] = event
        else:
            place = self._newest[event.source_id] = [event]
            self._waiting.append(place)
        self._moved.set()

    def take(self) -> Event:
        """Return the oldest event that waits."""
        return self._waiting.popleft().pop()

    def wake(self) -> None:
        """Wake who waits for a movement, because something else has happened."""
        self._moved.set()

    async def movement(self) -> None:
        """Wait until an event is put, or somebody wakes this."""
        await self._moved.wait()
        self._moved.clear()


class _Running(Generic[T]):
    """The common part of `Sync` and `SyncAll`: one run that any number of tasks await or iterate over.

    The run begins with the first task, and is cancelled when the last one leaves before its end.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None
        self._followers = 0
        self._listeners: list[EventQueue] = []

    def __await__(self) -> Generator[Any, None, T]:
        return self._result().__await__()

    async def _result(self) -> T:
        task = self._follow()
        try:
            await asyncio.wait({task})
        finally:
            await self._leave(task)
        return task.result()

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        events = EventQueue()
        self._listeners.append(events)
        task = self._follow()
        task.add_done_callback(lambda _: events.wake())
        try:
            while not task.done() or events:
                while events:
                    yield events.take()
                if not task.done():
                    await events.movement()
            task.result()
        finally:
            self._listeners.remove(events)
            await self._leave(task)

    def _follow(self) -> asyncio.Task[T]:
        if self._task is None:
            self._task = asyncio.create_task(self._to_end(self._emit))
        elif self._task.cancelled():
            raise LifecycleError("this sync was cancelled: ask for a new one")
        self._followers += 1
        return self._task

    async def _leave(self, task: asyncio.Task[T]) -> None:
        self._followers -= 1
        if not self._followers and not task.done():
            await cancel_all([task])

    def _emit(self, event: Event) -> None:
        for events in self._listeners:
            events.put(event)

    async def _to_end(self, emit: Emit) -> T:
        raise NotImplementedError


class Sync(_Running[SyncReport]):
    """A sync: await it for its report, or iterate over its events.

    It runs once, however many tasks await it or iterate over it. Each iteration gets the events from its own
    beginning on. The sync is cancelled when the last task leaves early or is cancelled. Saved items stay.

    Example:
        >>> report = await ms.sync("nfo:examples/library")  # doctest: +SKIP
        >>> sync = ms.sync("nfo:examples/library")  # doctest: +SKIP
        >>> async for event in sync:  # doctest: +SKIP
        ...     print(event)
        >>> sync.report.saved  # doctest: +SKIP
        14
    """

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._report: SyncReport | None = None

    @property
    def report(self) -> SyncReport:
        """The report of a sync that has ended.

        Raises:
            LifecycleError: if it has not ended.
        """
        if self._report is None:
            raise LifecycleError("the sync has not ended: await it, or iterate over its events to the end")
        return self._report

    async def _to_end(self, emit: Emit) -> SyncReport:
        self._report = await self._run(emit)
        return self._report


class SyncAll(_Running[list[SyncReport | Exception]]):
    """Syncs of several sources at once: await it for the result of each, or iterate over all their events.

    A sync that fails does not stop the others. They run once, and several tasks may follow them, as with
    `Sync`. When the last task leaves early, all syncs are cancelled.

    Example:
        >>> films, shows = await ms.sync_all(["nfo:films", "nfo:shows"])  # doctest: +SKIP
    """

    def __init__(self, runs: Mapping[str, Run], *, jobs: int) -> None:
        super().__init__()
        self._runs = runs
        self._turns = asyncio.Semaphore(jobs)
        self._results: list[SyncReport | Exception] | None = None

    @property
    def results(self) -> list[SyncReport | Exception]:
        """The report of each source in the order given, or the error of one that could not be synced.

        Raises:
            LifecycleError: if they have not all ended.
        """
        if self._results is None:
            raise LifecycleError("the syncs have not ended: await them, or iterate over all their events")
        return self._results

    async def _to_end(self, emit: Emit) -> list[SyncReport | Exception]:
        tasks = [
            asyncio.create_task(self._in_turn(source_id, run, emit), name=f"mediasync sync of {source_id}")
            for source_id, run in self._runs.items()
        ]
        try:
            if tasks:
                await asyncio.wait(tasks)
        finally:
            if left := [task for task in tasks if not task.done()]:
                await cancel_all(left)
        self._results = [task.result() for task in tasks]
        return self._results

    async def _in_turn(self, source_id: str, run: Run, emit: Emit) -> SyncReport | Exception:
        async with self._turns:
            return await _one(source_id, run, emit)


async def _one(source_id: str, run: Run, emit: Emit) -> SyncReport | Exception:
    try:
        return await run(emit)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        failure: Exception = SourceError(source_id, "its sync was cancelled, and not by whoever asked for it")
        failure.__cause__ = error
    except Exception as error:
        failure = error
    emit(RunFailed(source_id, failure))
    return failure


async def cancel_all(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait for their ends even if the caller is cancelled meanwhile."""
    for task in tasks:
        task.cancel()
    await finish(asyncio.wait(tasks))
