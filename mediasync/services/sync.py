"""The sync service: one source, read through its backend and saved."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from mediasync.backends.base import (
    Backend,
    Enumerated,
    Found,
    FoundPerson,
    Remark,
    Unchanged,
    Unreadable,
)
from mediasync.concurrency import finish
from mediasync.database import Database
from mediasync.dialects.base import Session
from mediasync.errors import LifecycleError, MediaSyncError, SourceError
from mediasync.events import (
    Event,
    ItemFailed,
    ItemProblem,
    LibraryFinished,
    LibraryStarted,
    Progress,
    Remarked,
    RunFinished,
    RunStarted,
)
from mediasync.ids import make_id
from mediasync.models import Library, MediaItem, Person, SyncRun
from mediasync.normal import storable
from mediasync.reports import SaveReport, SyncReport
from mediasync.repositories.runs import RunRepository
from mediasync.services.media import MediaService
from mediasync.services.stored import StoredLibrary
from mediasync.services.writer import Writer
from mediasync.vocabulary import RunStatus

Emit = Callable[[Event], None]

_FINDINGS_PER_PROGRESS: Final = 50
_PEOPLE_PAGE: Final = 500


@dataclass(slots=True)
class _Tally:
    """What one run has found so far.

    Attributes:
        run_id: of the run, 0 until it is recorded.
        saves: what became of the items that were read.
        seen: items that the source named.
        unread: items that had not changed and were not read.
        unreadable: items that could not be read.
        problems: what could not be understood of items that were read.
        remarks: what people should know.
        told_failures, told_problems: how many of the saves' failures and problems were told as events.
    """

    run_id: int = 0
    saves: SaveReport = field(default_factory=SaveReport)
    seen: int = 0
    unread: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)
    told_failures: int = 0
    told_problems: int = 0

    @property
    def unchanged(self) -> int:
        return self.unread + self.saves.unchanged

    @property
    def failed(self) -> int:
        return len(self.unreadable) + len(self.saves.failed)

    def rows(self) -> list[tuple[str, str, str]]:
        """Return what is recorded beside the run, as (kind, subject, reason)."""
        return [
            *(("failure", subject, reason) for subject, reason in (*self.unreadable, *self.saves.failed)),
            *(("problem", subject, reason) for subject, reason in (*self.problems, *self.saves.problems)),
            *(("remark", subject, text) for subject, text in self.remarks),
        ]


class SyncService:
    """Runs syncs, and records them.

    Args:
        database: an open database.
        writer: the task that writes to it.
        media: what saves the items.
    """

    def __init__(self, database: Database, writer: Writer, media: MediaService) -> None:
        self._database = database
        self._writer = writer
        self._media = media

    async def run(self, backend: Backend, emit: Emit, *, full: bool = False) -> SyncReport:
        """Sync one source.

        Nothing is deleted. Items that could not be read or stored are reported, and what is stored of them
        stays.

        Args:
            backend: the source.
            emit: called with each event; it must not block.
            full: read everything, changed or not.

        Returns:
            The report, when everything is committed and the run is recorded.

        Raises:
            SourceError: if the source cannot be read; the run is recorded as failed.
            DatabaseError: if the database fails.
        """
        tally = _Tally()
        try:
            async with backend.open():
                source = backend.source
                await self._media.save_source(source)
                await finish(self._start(source.id, tally))
                emit(RunStarted(source.id, tally.run_id))
                for library in await backend.fetch_libraries():
                    await self._media.save_library(library)
                    emit(LibraryStarted(source.id, library))
                    await self._sync_library(backend, library, tally, emit, full=full)
                    emit(LibraryFinished(source.id, library))
        except BaseException as error:
            await finish(self._record_failure(backend.source.id, tally, error))
            raise
        run = await finish(self._finish(source.id, RunStatus.SUCCEEDED, tally, None))
        report = SyncReport(
            run=run,
            failed=(*tally.unreadable, *tally.saves.failed),
            problems=(*tally.problems, *tally.saves.problems),
            remarks=tuple(tally.remarks),
            repeats=tally.saves.repeats,
        )
        emit(RunFinished(source.id, report))
        return report

    async def list_runs(self, source_id: str | None = None, *, limit: int = 20) -> list[SyncRun]:
        """Return the newest *limit* runs, of one source or of all."""
        async with self._database.read() as session:
            return await RunRepository(session).list_runs(source_id, limit)

    async def find_run(self, run_id: int) -> SyncRun | None:
        """Return one run, or None."""
        async with self._database.read() as session:
            return await RunRepository(session).find(run_id)

    async def list_problems(self, run_id: int) -> list[tuple[str, str, str]]:
        """Return what a run could not read or store, as (kind, subject, reason).

        The kinds are ``failure`` (the item is not saved), ``problem`` (part of it is not) and ``remark``.
        """
        async with self._database.read() as session:
            return await RunRepository(session).list_problems(run_id)

    async def _sync_library(
        self, backend: Backend, library: Library, tally: _Tally, emit: Emit, *, full: bool
    ) -> None:
        known = await self._media.find_change_tokens(library.full_id)
        if full:
            known = dict.fromkeys(known, "")
        stored = StoredLibrary(self._database, library, known)
        async with aclosing(self._found_items(backend, library, stored, tally, emit)) as items:
            await self._media.save_media_items(
                items, library_id=library.full_id, source_id=library.source_id, report=tally.saves
            )
        _tell(tally, library.source_id, emit)

    async def _found_items(
        self, backend: Backend, library: Library, stored: StoredLibrary, tally: _Tally, emit: Emit
    ) -> AsyncGenerator[MediaItem, None]:
        source_id = library.source_id
        findings = 0
        people: list[Person] = []
        async with aclosing(backend.iter_items(library, stored)) as stream:
            async for finding in stream:
                findings += 1
                match finding:
                    case Found(item, problems):
                        tally.seen += 1
                        item_id = make_id(source_id, item.remote_id)
                        for problem in map(storable, problems):
                            tally.problems.append((item_id, problem))
                            emit(ItemProblem(source_id, item_id, problem))
                        yield item
                    case Unchanged():
                        tally.seen += 1
                        tally.unread += 1
                    case Unreadable():
                        tally.seen += 1
                        item_id = make_id(source_id, storable(finding.remote_id))
                        reason = storable(finding.reason)
                        tally.unreadable.append((item_id, reason))
                        emit(ItemFailed(source_id, item_id, reason))
                    case Remark():
                        subject, text = storable(finding.subject), storable(finding.text)
                        tally.remarks.append((subject, text))
                        emit(Remarked(source_id, subject, text))
                    case FoundPerson(person):
                        people.append(person)
                        if len(people) == _PEOPLE_PAGE:
                            await self._media.upsert_people(people, source_id=source_id)
                            people = []
                    case Enumerated():
                        if not finding.complete:
                            reason = storable(f"not all of it was listed: {finding.reason}")
                            tally.remarks.append((library.full_id, reason))
                            emit(Remarked(source_id, library.full_id, reason))
                if findings % _FINDINGS_PER_PROGRESS == 0:
                    _tell(tally, source_id, emit)
        if people:
            await self._media.upsert_people(people, source_id=source_id)

    async def _start(self, source_id: str, tally: _Tally) -> None:
        tally.run_id = await self._writer.run(lambda session: RunRepository(session).start(source_id))

    async def _finish(self, source_id: str, status: RunStatus, tally: _Tally, error: str | None) -> SyncRun:
        async def work(session: Session) -> SyncRun:
            runs = RunRepository(session)
            known = tally.run_id or await runs.start(source_id)
            await runs.finish(
                known,
                status,
                seen=tally.seen,
                saved=tally.saves.saved,
                unchanged=tally.unchanged,
                failed=tally.failed,
                error=error,
            )
            await runs.add_problems(known, tally.rows())
            return await runs.get(known)

        return await self._writer.run(work)

    async def _record_failure(self, source_id: str, tally: _Tally, error: BaseException) -> None:
        """Record a run that did not end well, if its source is known and the database still works."""
        if isinstance(error, asyncio.CancelledError):
            status, reason = RunStatus.CANCELLED, None
        else:
            status, reason = RunStatus.FAILED, storable(str(error)) or type(error).__name__
        with suppress(MediaSyncError):
            if not tally.run_id and (
                not isinstance(error, SourceError) or await self._media.find_source(source_id) is None
            ):
                return
            await self._finish(source_id, status, tally, reason)


def _tell(tally: _Tally, source_id: str, emit: Emit) -> None:
    saves = tally.saves
    for item_id, reason in saves.failed[tally.told_failures :]:
        emit(ItemFailed(source_id, item_id, reason))
    for item_id, reason in saves.problems[tally.told_problems :]:
        emit(ItemProblem(source_id, item_id, reason))
    tally.told_failures, tally.told_problems = len(saves.failed), len(saves.problems)
    emit(Progress(source_id, tally.seen, saves.saved, tally.unchanged, tally.failed))


class Sync:
    """A sync that has been asked for: await it for its report, or iterate over its events.

    Leaving the iteration early cancels the sync; what was saved stays.

    Example:
        >>> report = await ms.sync("nfo:examples/library")  # doctest: +SKIP
        >>> sync = ms.sync("nfo:examples/library")  # doctest: +SKIP
        >>> async for event in sync:  # doctest: +SKIP
        ...     print(event)
        >>> sync.report.saved  # doctest: +SKIP
        14
    """

    def __init__(self, run: Callable[[Emit], Coroutine[Any, Any, SyncReport]]) -> None:
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

    def __await__(self) -> Generator[Any, None, SyncReport]:
        return self._to_end(lambda _: None).__await__()

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        events: deque[Event] = deque()
        moved = asyncio.Event()

        def emit(event: Event) -> None:
            if isinstance(event, Progress) and events and isinstance(events[-1], Progress):
                events.pop()
            events.append(event)
            moved.set()

        task = asyncio.create_task(self._to_end(emit))
        task.add_done_callback(lambda _: moved.set())
        try:
            while not task.done() or events:
                while events:
                    yield events.popleft()
                if not task.done():
                    await moved.wait()
                    moved.clear()
            await task
        finally:
            if not task.done():
                task.cancel()
                await finish(_ended(task))

    async def _to_end(self, emit: Emit) -> SyncReport:
        self._report = await self._run(emit)
        return self._report


async def _ended(task: asyncio.Task[SyncReport]) -> None:
    await asyncio.wait({task})
