"""The sync service: one source, read through its backend and saved."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Final

from mediasync.aio import finish
from mediasync.backends.base import Backend, Enumerated, ReportsWaits
from mediasync.database.database import Database
from mediasync.errors import (
    ConfigurationError,
    LibraryUnreadable,
    SourceError,
    SourceForbidden,
    SourceHeld,
    SourceUnreadable,
)
from mediasync.events import (
    LibraryFailed,
    LibraryFinished,
    LibraryStarted,
    RunFinished,
    RunStarted,
    TargetDropped,
    TargetsTaken,
    Waiting,
)
from mediasync.ids import make_id
from mediasync.models import Library, Source
from mediasync.reports import SyncReport
from mediasync.repositories.inbox import TargetRow
from mediasync.repositories.items import MediaRepository
from mediasync.repositories.runs import RunRepository
from mediasync.saving.writer import Writer
from mediasync.services import MediaService
from mediasync.settings.defaults import DEFAULT_COMPARE_DAYS
from mediasync.syncing.counting import Counting
from mediasync.syncing.inbox import Batch, Dropped, Inbox, Outcome
from mediasync.syncing.leases import Lease, Leases
from mediasync.syncing.logs import log_failure, logged
from mediasync.syncing.mirror_view import SourceView
from mediasync.syncing.reader import Reading, Wanted
from mediasync.syncing.recognition import Recognition
from mediasync.syncing.recorder import RunRecorder
from mediasync.syncing.removal import DEFAULT_LIMIT, RemovalDecision, RemovalLimit
from mediasync.syncing.selection import Selection
from mediasync.syncing.sink import DryRun, Saving, Sink
from mediasync.syncing.tally import Emit, LibraryTally, Tally
from mediasync.text import storable
from mediasync.vocabulary import RunStatus

_REST_PER_SYNC: Final = 9
_SHORTEST_REST: Final = timedelta(seconds=5)
_LONGEST_REST: Final = timedelta(hours=1)
"""After a sync of a whole source, events cause the next one only after nine times its duration, within these
bounds: at most a tenth of the time is spent on such syncs. The schedule does not wait for that."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a source is synced.

    Attributes:
        full: read all items, changed or not.
        compare_days: how many days pass until every item was read again in turn; infinite for no turns.
        selection: the libraries and items to sync.
        dry: write nothing, and report what would be written.
        accept_new_server: go on although another server answers than the stored one.
        wait_if_busy: how long to wait while another worker syncs the source, in seconds.
        max_removals: how many items of each library may be removed.
    """

    full: bool = False
    compare_days: float = DEFAULT_COMPARE_DAYS
    selection: Selection = field(default_factory=Selection)
    dry: bool = False
    accept_new_server: bool = False
    wait_if_busy: float = 0.0
    max_removals: RemovalLimit = DEFAULT_LIMIT


class SyncService:
    """Runs syncs, and records them.

    Args:
        database: an open database.
        writer: the task that writes to it.
        media: saves and reads items.
        clock: tells the time in milliseconds since 1970, UTC.
        inbox: what events say has to be looked into.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        media: MediaService,
        clock: Callable[[], int],
        inbox: Inbox,
    ) -> None:
        self._database = database
        self._writer = writer
        self._media = media
        self._clock = clock
        self._inbox = inbox
        self._leases = Leases(database, database.options.lease_seconds)

    async def run(self, backend: Backend, emit: Emit, options: RunOptions) -> SyncReport:
        """Sync one source.

        Items that the source no longer has are marked as missing, if the run listed all libraries to their
        ends and they are not too many. Items that could not be read or stored are reported, and their stored
        rows stay.

        Args:
            backend: the source.
            emit: called with each event; it must not block.
            options: how it is synced.

        Returns:
            The report, when everything is committed and the run is recorded.

        Raises:
            SourceHeld: if another worker syncs the source for as long as this one may wait.
            LeaseLost: if this process was paused for so long that its lease has expired.
            ConfigurationError: if the source is not the stored one, or has none of the selected libraries.
            SourceError: if the source cannot be read; the run is recorded as failed.
            DatabaseError: if the database fails.
        """
        emit = logged(emit)
        source_id = backend.source.id
        if options.dry:
            return await self._run(backend, emit, options, None, Outcome())
        on_wait = partial(_report_holder, emit, source_id)
        try:
            async with self._leases.hold(source_id, options.wait_if_busy, on_wait) as lease:
                if options.selection.is_partial:
                    return await self._run(backend, emit, options, lease, Outcome())
                return await self._run_whole(backend, emit, options, lease)
        except SourceHeld as error:
            log_failure(source_id, error)
            raise

    async def work_off(self, backend: Backend, emit: Emit, options: RunOptions) -> None:
        """Look into what events say may have changed in one source, if anything is due.

        Single items are read in one run. If more may have changed, the whole source is synced, unless the
        last such sync ended so recently that syncs would run all the time: then it is put off. What cannot be
        read is tried again after growing pauses, and given up at last.

        Args:
            backend: the source.
            emit: called with each event; it must not block.
            options: how it is synced, without a selection for this run.

        Raises:
            SourceHeld: if another worker syncs the source.
            SourceError: if the source cannot be read; the run is recorded as failed.
            ConfigurationError: as `run` does.
            DatabaseError: if the database fails.
        """
        emit = logged(emit)
        source_id = backend.source.id
        async with self._leases.hold(source_id, 0.0, partial(_report_holder, emit, source_id)) as lease:
            batch = await self._inbox.take(source_id)
            if (whole := batch.whole) is not None:
                earliest = await self._earliest_whole(source_id)
                if batch.looked_at < earliest:
                    await self._inbox.put_off(source_id, whole, earliest)
                else:
                    emit(TargetsTaken(source_id, tuple(sorted(batch.keys)), whole=True))
                    await self._run_whole(backend, emit, options, lease)
                    return
            if not batch.item_rows:
                return
            outcome = Outcome()
            if batch.keys:
                emit(TargetsTaken(source_id, tuple(sorted(batch.keys)), whole=False))
                await self._run_targets(backend, emit, options, lease, batch, outcome)
            _report_dropped(emit, source_id, await self._inbox.settle(batch, outcome))

    async def _run_targets(
        self,
        backend: Backend,
        emit: Emit,
        options: RunOptions,
        lease: Lease,
        batch: Batch,
        outcome: Outcome,
    ) -> None:
        """Read the items of a batch, and note in *outcome* what this could not settle."""
        selection = replace(options.selection, keys=batch.keys)
        try:
            report = await self._run(backend, emit, replace(options, selection=selection), lease, outcome)
        except (SourceError, ConfigurationError) as error:
            await self._give_up(batch, batch.item_rows, storable(str(error)), emit)
            raise
        failed = dict(report.failed)
        for key in batch.keys:
            if (reason := failed.get(make_id(batch.source_id, storable(key)))) is not None:
                outcome.absent.setdefault(key, reason)

    async def _run_whole(self, backend: Backend, emit: Emit, options: RunOptions, lease: Lease) -> SyncReport:
        """Sync a whole source, which looks into all that events said of it before."""
        batch = await self._inbox.take(backend.source.id, everything=True)
        try:
            report = await self._run(backend, emit, options, lease, Outcome(), batch.keys)
        except (SourceError, ConfigurationError) as error:
            due = [row for row in batch.rows if row.due_at <= batch.looked_at]
            await self._give_up(batch, due, storable(str(error)), emit)
            raise
        await self._inbox.settle_all(batch)
        return report

    async def _give_up(self, batch: Batch, rows: Collection[TargetRow], reason: str, emit: Emit) -> None:
        _report_dropped(emit, batch.source_id, await self._inbox.fail(batch, rows, reason))

    async def _earliest_whole(self, source_id: str) -> int:
        """Return before when events sync a whole source not again, in milliseconds since 1970, UTC."""
        async with self._database.read() as session:
            runs = await RunRepository(session).list_runs(source_id, 1, None, whole=True)
        if not runs or runs[0].finished_at is None:
            return 0
        took = runs[0].finished_at - runs[0].started_at
        rest = min(max(took * _REST_PER_SYNC, _SHORTEST_REST), _LONGEST_REST)
        return round((runs[0].finished_at + rest).timestamp() * 1000)

    async def _run(
        self,
        backend: Backend,
        emit: Emit,
        options: RunOptions,
        lease: Lease | None,
        outcome: Outcome,
        hinted: Collection[str] = (),
    ) -> SyncReport:
        """Run one sync.

        Args:
            backend: the source.
            emit: called with each event.
            options: how it is synced.
            lease: the lease of the source; None for a dry run.
            outcome: where it is noted what a run of single items could not settle.
            hinted: keys of items that events named; they are read by a run of the whole source even if they
                seem not to have changed.
        """
        tally = Tally(backend.source.id, emit, lease=lease, selection=options.selection.digest)
        if isinstance(backend, ReportsWaits):
            backend.on_wait = lambda text: emit(Waiting(tally.source_id, storable(text)))
        sink: Sink = (
            DryRun(self._database, self._media, tally.source_id, self._clock)
            if options.dry
            else Saving(self._writer, self._media, tally.source_id, tally.fence)
        )
        counting = Counting(backend, tally, sink, dry=options.dry)
        tally.emit = counting.watching(emit)
        try:
            async with backend.open():
                source = _storable_source(backend.source)
                await sink.begin(source, tally, accept_new_server=options.accept_new_server)
                tally.emit(RunStarted(tally.source_id, tally.run_id))
                async with Recognition(self._database, sink, tally.source_id) as recognition:
                    await self._sync_libraries(backend, tally, options, sink, recognition, outcome, hinted)
            counts = await counting.finish(self._database)
        except BaseException as error:
            log_failure(tally.source_id, error)
            await sink.fail(tally, error)
            raise
        whole = tally.is_whole and not options.selection.is_partial
        run = await sink.finish(tally, tally.watermark if whole else "")
        report = SyncReport(
            run=run,
            failed=tally.failures,
            problems=(*tally.problems, *tally.saves.problems),
            remarks=tuple(tally.remarks),
            repeats=tally.saves.repeats,
            libraries=tuple(library.run(run.id) for library in tally.libraries),
            dry=options.dry,
            changes=tuple(sink.changes),
            removed=tuple(tally.removed),
            pending=tuple(tally.asked),
            purged=tally.purged,
            counts=counts,
        )
        emit(RunFinished(tally.source_id, report))
        return report

    async def refuse(
        self, source_id: str, error: ConfigurationError, emit: Emit, *, dry: bool = False
    ) -> SyncReport:
        """Record that the settings of a stored source are wrong, and raise *error*.

        Args:
            source_id: a source, stored or not.
            error: what is wrong with its settings.
            emit: not called; it makes the signature that of `run`.
            dry: record nothing.
        """
        log_failure(source_id, error)
        if not dry and await self._media.find_source(source_id) is not None:
            recorder = RunRecorder(self._writer, self._media)
            await finish(recorder.finish(Tally(source_id, emit), RunStatus.FAILED, storable(str(error))))
        raise error

    async def _sync_libraries(
        self,
        backend: Backend,
        tally: Tally,
        options: RunOptions,
        sink: Sink,
        recognition: Recognition,
        outcome: Outcome,
        hinted: Collection[str],
    ) -> None:
        selection = options.selection
        listed = _without_repeats(await backend.fetch_libraries(), tally)
        libraries, missing = selection.choose(tally.source_id, listed)
        for text in missing:
            tally.remark(tally.source_id, storable(text))
        wanted_keys, homes = await self._find_wanted(tally.source_id, selection)
        wanted = Wanted(wanted_keys)
        tally.number_of_libraries = len(libraries)
        anew = options.full or (options.dry and options.accept_new_server)
        watermark = "" if anew else await self._media.find_watermark(tally.source_id)
        view = SourceView(self._database, tally.source_id, anew=anew, watermark=watermark)
        if not selection.is_partial:
            tally.compared_at = self._clock()
            await view.begin(tally.run_id, tally.compared_at, options.compare_days)
        doubt: SourceError | None = (
            None  # an error that may concern the whole source: the next library decides
        )
        for named in libraries:
            library = _storable_library(named)
            only = wanted.of(library.full_id, homes) if selection.is_of_items else None
            if only is not None and not only:
                continue
            await sink.save_library(library)
            tally.emit(LibraryStarted(tally.source_id, library))
            stored = await view.find_library(library, hinted if only is None else only)
            reading = Reading(backend, named, stored, tally, only, wanted, sink.save_people)
            tally.current = reading.seen
            failure: LibraryUnreadable | None = None
            try:
                async with aclosing(reading.items()) as items:
                    passed_on = recognition.pass_on(items, library.full_id, stored.tokens)
                    await sink.save(passed_on, library.full_id, tally.saves)
            except SourceError as error:
                if doubt is not None and not _is_of_library(error):
                    _take_back_last_failure(tally)
                    raise doubt from None
                failure = _of_library(error, library)
                reading.fail(failure)
                doubt = None if _is_of_library(error) else error
            else:
                doubt = None
            if only is None:
                tally.libraries.append(reading.seen)
            tally.libraries_read += 1
            tally.tell()
            if failure is None:
                tally.emit(LibraryFinished(tally.source_id, library))
            else:
                tally.emit(LibraryFailed(tally.source_id, library, storable(failure.reason)))
        if doubt is not None:
            _take_back_last_failure(tally)
            raise doubt
        if tally.failed_libraries and len(tally.failed_libraries) == tally.libraries_read:
            raise tally.failed_libraries[0]
        if not selection.is_partial:
            await self._add_absent_libraries(tally, {_storable_library(one).full_id for one in listed})
        read = [library for library in tally.libraries if not library.is_absent]
        is_complete = not selection.is_partial and all(library.is_complete for library in read)
        if is_complete and not tally.failed_libraries:
            await recognition.settle(tally.libraries, tally.saves, tally.remark)
            await recognition.move_homes(tally.libraries)
            removal = RemovalDecision(self._database, sink, tally.source_id, options.max_removals)
            decided = await removal.decide(tally.run_id, tally.libraries, tally.remark)
            tally.removed, tally.asked = list(decided.marked), list(decided.asked)
        else:
            outcome.undecided = recognition.is_undecided
            recognition.leave(lambda subject, text: tally.remark(subject, storable(text)))
            if not selection.is_partial:
                await recognition.move_homes(tally.libraries)
                _remark_unlisted(tally)
        for remote_id, reason in wanted.missing():
            if remote_id in selection.keys:
                outcome.absent[remote_id] = reason
                tally.remark(make_id(tally.source_id, storable(remote_id)), reason)
                continue
            tally.seen += 1
            tally.fail(make_id(tally.source_id, storable(remote_id)), reason)

    async def _add_absent_libraries(self, tally: Tally, listed: set[str]) -> None:
        """Add tallies of the stored libraries that were not read."""
        read = {library.library_id for library in tally.libraries}
        for library in await self._media.list_libraries(tally.source_id):
            if library.full_id in read:
                continue
            absent = LibraryTally(
                library.full_id,
                set(await self._media.find_change_tokens(library.full_id)),
                is_absent=True,
                is_listed=library.full_id in listed,
            )
            reason = "it is excluded" if absent.is_listed else "the source does not list it any more"
            absent.enumerated = Enumerated(None, complete=False, reason=reason)
            tally.libraries.append(absent)

    async def _find_wanted(
        self, source_id: str, selection: Selection
    ) -> tuple[frozenset[str], dict[str, str]]:
        """Return the current keys of selected items, and the full ids of their home libraries by these keys.

        An item that is marked as missing may come back to any library.
        """
        remote_ids = selection.items
        if selection.keys:
            current = {make_id(source_id, key): key for key in sorted(selection.keys)}
            async with self._database.read() as session:
                states, _ = await MediaRepository(session).find_current_states(list(current))
            shown = ((one, state.library_id) for one, state in states.items() if not state.missing)
            return selection.keys, {current[one]: library_id for one, library_id in shown}
        if not remote_ids:
            return frozenset(), {}
        ids = {make_id(source_id, remote_id): remote_id for remote_id in sorted(remote_ids)}
        found = await self._media.find_media_items(list(ids))
        present = {item.id: item.remote_id for item in found}
        keys = frozenset(present.get(item_id, remote_id) for item_id, remote_id in ids.items())
        return keys, {item.remote_id: item.library_id for item in found if item.library_id}


def _report_holder(emit: Emit, source_id: str, holder: str) -> None:
    emit(Waiting(source_id, f"waiting: {holder} is syncing it"))


def _report_dropped(emit: Emit, source_id: str, dropped: Iterable[Dropped]) -> None:
    """Report what is not looked into any more, all that is dropped for one reason together."""
    targets: dict[str, list[str]] = {}
    for target, reason in dropped:
        targets.setdefault(reason, []).append(storable(target))
    for reason, named in targets.items():
        emit(TargetDropped(source_id, tuple(named), reason))


def _remark_unlisted(tally: Tally) -> None:
    """Remark on items that are not listed any more, where not all libraries were listed to their ends."""
    for library in tally.libraries:
        if library.proves and library.unnamed:
            number = len(library.unnamed)
            what = f"{number:,} stored items are" if number > 1 else "1 stored item is"
            tally.remark(
                library.library_id,
                f"{what} not listed any more. Nothing is removed until a sync lists all libraries of the "
                "source to their ends, because an item may have moved",
            )


def _without_repeats(libraries: list[Library], tally: Tally) -> list[Library]:
    """Return each library once. Two libraries are the same if they are stored under one id."""
    once: dict[str, Library] = {}
    for library in libraries:
        full_id = _storable_library(library).full_id
        if full_id in once:
            tally.remark(full_id, "the source lists this library more than once; it is read once")
        once.setdefault(full_id, library)
    return list(once.values())


def _take_back_last_failure(tally: Tally) -> None:
    """Forget that a library failed, because the whole source failed."""
    failure = tally.failed_libraries.pop()
    tally.libraries = [one for one in tally.libraries if one.library_id != failure.library_id]


def _is_of_library(error: SourceError) -> bool:
    """Return whether an error concerns one library only."""
    return isinstance(error, LibraryUnreadable | SourceUnreadable | SourceForbidden)


def _of_library(error: SourceError, library: Library) -> LibraryUnreadable:
    if isinstance(error, LibraryUnreadable):
        return error
    failure = LibraryUnreadable(error.source_id, library.full_id, library.title, error.reason)
    failure.__cause__ = error
    return failure


# Users cannot correct the names that a server gives itself and its libraries, so these are made storable.


def _storable_source(source: Source) -> Source:
    server_id = None if source.server_id is None else storable(source.server_id)
    return source.model_copy(update={"name": storable(source.name), "server_id": server_id})


def _storable_library(library: Library) -> Library:
    return library.model_copy(update={"id": storable(library.id), "title": storable(library.title)})
