"""The sync desk: starts syncs from the pages, keeps how far they are, and tells everybody who looks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from mediasync.errors import LeaseError, LifecycleError, SourceError, SourceHeld, UnknownSource
from mediasync.events import (
    Event,
    ItemFailed,
    ItemProblem,
    LibraryFailed,
    LibraryFinished,
    LibraryStarted,
    Progress,
    Remarked,
    RunFailed,
    RunFinished,
    RunStarted,
    SyncScheduled,
    Waiting,
)
from mediasync.syncing.handles import cancel_all
from mediasync.vocabulary import RunStatus

if TYPE_CHECKING:
    from mediasync.app import MediaSync
    from mediasync.settings.source import FlawedSource, SourceConfig
    from mediasync.syncing.handles import SyncAll
    from mediasync.watching import Watch

_log: Final = logging.getLogger("mediasync.web")

SECONDS_BETWEEN_LOOKS: Final = 0.25
"""How soon after one state a follower is told the next one. What happens in between is left out."""
_NOTES: Final = 20
"""How many of the newest failures and problems are kept; the run has all of them."""
_LONGEST_NOTE: Final = 500


@dataclass(frozen=True, slots=True)
class SyncState:
    """How far the newest sync of a source is. It is replaced as a whole by the next state.

    Attributes:
        source_id: the source.
        number: counts the states of all sources.
        began_at: when the sync was asked for.
        scheduled: whether the schedule began it, and not a person.
        full: whether everything is read again.
        ended_at: when it ended; None while it is going on.
        run_id: the recorded run; None until the source has answered.
        status: how it ended; None while it is going on.
        text: what it does, or how it ended, in words.
        error: why it failed.
        progress: how far it is.
        library: the title of the library that is being read.
        notes: (subject, text) of the newest failures, problems and remarks.
    """

    source_id: str
    number: int
    began_at: datetime
    scheduled: bool = False
    full: bool = False
    ended_at: datetime | None = None
    run_id: int | None = None
    status: RunStatus | None = None
    text: str = "waiting for the source to answer"
    error: str | None = None
    progress: Progress | None = None
    library: str | None = None
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    @property
    def share(self) -> float | None:
        """The fraction that is done, 0 to 1; None if unknown."""
        return None if self.progress is None else self.progress.share

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON has it."""
        counts = self.progress
        return {
            "source_id": self.source_id,
            "running": self.is_running,
            "began_at": self.began_at.isoformat(),
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "scheduled": self.scheduled,
            "full": self.full,
            "run_id": self.run_id,
            "status": str(self.status) if self.status else None,
            "text": self.text,
            "error": self.error,
            "share": self.share,
            "library": self.library,
            "seen": counts.seen if counts else 0,
            "saved": counts.saved if counts else 0,
            "unchanged": counts.unchanged if counts else 0,
            "failed": counts.failed if counts else 0,
            "libraries_read": counts.libraries_read if counts else 0,
            "libraries": counts.libraries if counts else 0,
            "notes": [{"subject": subject, "text": text} for subject, text in self.notes],
        }


class SyncDesk:
    """Starts and follows the syncs of a site, at most one of each source.

    It needs no task of its own: a sync is a task from when it is asked for until it ends. Followers are told
    the newest state, so a slow one misses states in between, and neither costs memory nor holds a sync up.

    Args:
        ms: the open mirror.
        sources: the sources that can be synced, by id.
    """

    def __init__(self, ms: MediaSync, sources: Mapping[str, SourceConfig | FlawedSource]) -> None:
        self._ms = ms
        self._sources = sources
        self._states: dict[str, SyncState] = {}
        self._due: dict[str, datetime] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._moved: dict[str, asyncio.Event] = {}
        self._listeners: list[Callable[[Event], None]] = []
        self._watch: Watch | None = None
        self._number = 0
        self._closed = asyncio.Event()

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call a function with each event of each sync from now on. It must not block."""
        self._listeners.append(listener)

    def find_state(self, source_id: str) -> SyncState | None:
        """Return how the newest sync of a source in this process stands; None if there was none yet."""
        return self._states.get(source_id)

    def find_due(self, source_id: str) -> datetime | None:
        """Return when the schedule has the next sync of a source; None if it has none, or one is going on."""
        return self._due.get(source_id)

    def is_syncing(self, source_id: str) -> bool:
        """Return whether this process syncs a source."""
        state = self._states.get(source_id)
        scheduled = self._watch is not None and self._watch.is_syncing(source_id)
        return scheduled or (state is not None and state.is_running)

    def start(self, source_id: str, *, full: bool = False, max_removals: int | None = None) -> bool:
        """Start to sync a source in the background.

        Args:
            source_id: a source of this site.
            full: read everything again.
            max_removals: confirms that so many items of each library may be removed.

        Returns:
            Whether it was started; False if a sync of this process is going on, which then serves instead.

        Raises:
            UnknownSource: if the site does not have the source.
            SourceHeld: if removals are confirmed while a sync is going on, which cannot be told of it.
            LifecycleError: if the desk is closed.
        """
        if source_id not in self._sources:
            known = ", ".join(self._sources) or "none"
            raise UnknownSource(f"{source_id!r} cannot be synced from here; what can: {known}")
        if self._closed.is_set():
            raise LifecycleError("the server is stopping: nothing is synced any more")
        if self.is_syncing(source_id):
            if max_removals is not None:
                raise SourceHeld(source_id, "this server")
            return False
        running = self._ms.sync_all(
            [self._sources[source_id]], full=full, max_removals=max_removals, wait_if_busy=0.0
        )
        self._begin(source_id, full=full)
        task = asyncio.create_task(self._run(running), name=f"mediasync desk syncs {source_id}")
        self._tasks[source_id] = task
        task.add_done_callback(lambda task: self._end(source_id, task))
        return True

    async def cancel(self, source_id: str) -> bool:
        """Cancel the sync of a source by this process. What was saved stays.

        A schedule does not begin it again before the next sync is due.

        Returns:
            Whether there was one.
        """
        if not self.is_syncing(source_id):
            return False
        if task := self._tasks.get(source_id):
            await cancel_all([task])
        if self._watch is not None:
            await self._watch.cancel(source_id)
        self._end_cancelled(source_id)
        return True

    async def follow(self, source_id: str) -> AsyncGenerator[SyncState, None]:
        """Iterate over the states of a source's newest sync, from the present one to its end.

        It ends at once if there was no sync, and early if the desk is closed.
        """
        seen = 0
        while not self._closed.is_set():
            state = self._states.get(source_id)
            begins = self.is_syncing(source_id)
            if begins and (state is None or not state.is_running):
                # A scheduled sync whose source has not answered yet; it may also find that it is not needed.
                await self.wait_closed(SECONDS_BETWEEN_LOOKS)
            elif state is None:
                return
            elif state.number == seen:
                await self._moved.setdefault(source_id, asyncio.Event()).wait()
            else:
                seen = state.number
                yield state
                if not state.is_running:
                    return
                await self.wait_closed(SECONDS_BETWEEN_LOOKS)

    async def wait_closed(self, seconds: float) -> bool:
        """Wait until the desk is closed, and return whether it is; at most so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        return self._closed.is_set()

    async def keep(self, watch: Watch) -> None:
        """Sync on schedules until it is cancelled.

        Args:
            watch: of sources of this site.
        """
        self._watch = watch
        try:
            async with aclosing(watch.__aiter__()) as events:
                async for event in events:
                    self._note(event, scheduled=True)
        finally:
            self._watch = None

    async def close(self) -> None:
        """Cancel the syncs that were started here, and let everybody go who follows one."""
        self._closed.set()
        if tasks := list(self._tasks.values()):
            await cancel_all(tasks)
        for moved in self._moved.values():
            moved.set()

    async def _run(self, running: SyncAll) -> None:
        async with aclosing(running.__aiter__()) as events:
            async for event in events:
                self._note(event)
        if self._watch is not None:
            await self._watch.look()

    def _end(self, source_id: str, task: asyncio.Task[None]) -> None:
        """Note that the task of a sync has ended, which it may do without an event."""
        del self._tasks[source_id]
        if task.cancelled():
            self._end_cancelled(source_id)
        elif error := task.exception():
            _log.error("%s: its sync ended with an error", source_id, exc_info=error)
            self._note(RunFailed(source_id, error if isinstance(error, Exception) else Exception(str(error))))

    def _begin(self, source_id: str, *, scheduled: bool = False, full: bool = False) -> SyncState:
        self._due.pop(source_id, None)
        state = SyncState(source_id, 0, datetime.now(UTC), scheduled=scheduled, full=full)
        self._set(state)
        return state

    def _end_cancelled(self, source_id: str) -> None:
        state = self._states.get(source_id)
        if state is not None and state.is_running:
            self._set(
                replace(
                    state,
                    ended_at=datetime.now(UTC),
                    status=RunStatus.CANCELLED,
                    text="cancelled; what was saved stays",
                )
            )

    def _set(self, state: SyncState) -> None:
        self._number += 1
        self._states[state.source_id] = replace(state, number=self._number)
        if moved := self._moved.pop(state.source_id, None):
            moved.set()

    def _note(self, event: Event, *, scheduled: bool = False) -> None:
        """Change the state as an event says."""
        for listener in self._listeners:
            listener(event)
        if isinstance(event, SyncScheduled):
            self._due[event.source_id] = event.due_at
            return
        state = self._states.get(event.source_id)
        if state is None or not state.is_running:
            if not isinstance(event, _BEGINNINGS):
                return
            state = self._begin(event.source_id, scheduled=scheduled)
        self._set(_after(state, event))


_BEGINNINGS: Final = (RunStarted, Waiting, RunFailed)
"""The events that may be the first of a sync."""


def _after(state: SyncState, event: Event) -> SyncState:
    """Return the state after an event of a sync."""
    match event:
        case RunStarted(run_id=run_id):
            return replace(state, run_id=run_id or None, text="the source answered")
        case Waiting(text=text):
            return replace(state, text=text)
        case LibraryStarted(library=library):
            title = library.title or library.full_id
            return replace(state, library=title, text=f"reading {title}")
        case LibraryFinished(library=library):
            return replace(state, text=f"read {library.title or library.full_id}")
        case Progress():
            return replace(state, progress=event)
        case ItemFailed(item_id=subject, reason=text) | ItemProblem(item_id=subject, reason=text):
            return _noted(state, subject, text)
        case Remarked(subject=subject, text=text):
            return _noted(state, subject, text)
        case LibraryFailed(library=library, reason=reason):
            return _noted(state, library.title or library.full_id, reason)
        case RunFinished(report=report):
            changes = report.counts.describe() or "nothing changed"
            return replace(
                state,
                ended_at=report.run.finished_at or datetime.now(UTC),
                run_id=report.run.id or None,
                status=report.status,
                text=changes,
                library=None,
            )
        case RunFailed(error=error):
            reason = error.reason if isinstance(error, SourceError | LeaseError) else str(error)
            return replace(
                state,
                ended_at=datetime.now(UTC),
                status=RunStatus.FAILED,
                text="not synced",
                error=reason,
                library=None,
            )
        case _:
            return state


def _noted(state: SyncState, subject: str, text: str) -> SyncState:
    note = (subject[:_LONGEST_NOTE], text[:_LONGEST_NOTE])
    return replace(state, notes=(*state.notes, note)[-_NOTES:])
