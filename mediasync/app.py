"""The composition root: `MediaSync` wires everything together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from functools import cached_property
from math import inf
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self

from mediasync.aio import finish
from mediasync.database.database import Database, State, system_clock
from mediasync.errors import ConfigurationError, UsageError
from mediasync.library.changes import ChangeReads
from mediasync.library.removed import RemovalReads
from mediasync.library.runs import RunReads
from mediasync.saving.people_cache import RecentPeople
from mediasync.saving.pruning import prune_changes
from mediasync.saving.removal import Removal
from mediasync.saving.writer import Writer
from mediasync.services import LibraryService, MediaService, PeopleService
from mediasync.settings.database import DatabaseOptions, sqlite_path
from mediasync.text import prepare_words

# A program that only reads does not wait for what follows: each method below imports what only it needs.
if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path

    from mediasync.backends.base import Backend
    from mediasync.changes import Change
    from mediasync.hints import DueTarget, Hint
    from mediasync.history import Difference, HistoryEntry
    from mediasync.models import Library, LibraryRun, PendingRemoval, RemovedItem, SyncRun
    from mediasync.reports import (
        BackupReport,
        CheckReport,
        CopyReport,
        ExportReport,
        PurgeReport,
        RemovedSource,
        RenamedSource,
        SourceSummary,
        UndoReport,
        UpgradeReport,
        VacuumReport,
    )
    from mediasync.rewinding import AsOf
    from mediasync.settings.source import FlawedSource, SourceConfig
    from mediasync.source_syncs import SourceSyncs
    from mediasync.syncing.handles import Sync, SyncAll
    from mediasync.syncing.inbox import Inbox
    from mediasync.syncing.stored_sources import StoredSources
    from mediasync.vocabulary import MediaType, RunStatus
    from mediasync.watching import Watch

SOURCES_AT_ONCE: Final = 8
"""How many sources are synced at once by default."""

WAIT_IF_BUSY: Final = 600.0
"""How long a sync waits while another worker syncs its source, by default, in seconds."""

_DEFAULTS: Final = DatabaseOptions()

# The application decides where the log goes; by default it goes nowhere.
logging.getLogger("mediasync").addHandler(logging.NullHandler())


class MediaSync:
    """A mirror of media libraries in one SQL database.

    Open it with ``async with``, use it from the event loop that opened it, and share it between tasks.

    Args:
        url: ``sqlite:///media.db`` (relative), ``sqlite:////full/path/media.db`` or ``sqlite:///:memory:``.
        read_only: only read. The database must exist and have the current schema.
        upgrade: create the database if there is none, and upgrade an older schema.
        clock: returns the time in milliseconds since 1970, UTC.
        client_id: the identifier by which servers know this installation. Without one it is
            ``MEDIASYNC_CLIENT_ID``, or a generated one that is kept in the user's data folder.
        readers: the number of connections for reading, 1 to 64.
        writers: PostgreSQL only: the number of connections for writing, 1 to 64.
        postgres_schema: PostgreSQL only: the schema that holds the tables.
        lock_timeout: seconds that a write waits for another process's lock before it fails.
        close_timeout: seconds that closing waits for accepted saves and running reads.
        keep_changes: days for which changes are kept in the change log.
        keep_removed: days for which items are kept that their source no longer has; see `purge`. With
            ``math.inf`` no sync deletes them.
        lease_seconds: how long the lease of a source lasts unless the sync renews it; see
            `mediasync.settings.database.DatabaseOptions`.
        synchronous: SQLite only: ``normal`` or ``full``; see `mediasync.settings.database.DatabaseOptions`.
        writer_cache_kib: SQLite only: the size of the writing connection's page cache.
        reader_cache_kib: SQLite only: the size of each reading connection's page cache.
        file_mode: SQLite only: the permissions of a new file; by default only its owner may read it.

    Attributes:
        media: saves and reads items.
        people: saves and reads people.
        library: answers questions about the mirror.

    Raises:
        ConfigurationError: if the URL or an option cannot be used.

    Example:
        >>> async with MediaSync("sqlite:///media.db") as ms:  # doctest: +SKIP
        ...     report = await ms.sync("nfo:examples/library")
    """

    def __init__(
        self,
        url: str,
        *,
        read_only: bool = False,
        upgrade: bool = True,
        clock: Callable[[], int] = system_clock,
        client_id: str | None = None,
        readers: int = _DEFAULTS.readers,
        writers: int = _DEFAULTS.writers,
        postgres_schema: str = _DEFAULTS.postgres_schema,
        lock_timeout: float = _DEFAULTS.lock_timeout,
        close_timeout: float = _DEFAULTS.close_timeout,
        keep_changes: float = _DEFAULTS.keep_changes,
        keep_removed: float = _DEFAULTS.keep_removed,
        lease_seconds: float = _DEFAULTS.lease_seconds,
        synchronous: Literal["normal", "full"] = _DEFAULTS.synchronous,
        writer_cache_kib: int = _DEFAULTS.writer_cache_kib,
        reader_cache_kib: int = _DEFAULTS.reader_cache_kib,
        file_mode: int = _DEFAULTS.file_mode,
    ) -> None:
        self._database = Database(
            url,
            options=DatabaseOptions(
                readers=readers,
                writers=writers,
                postgres_schema=postgres_schema,
                lock_timeout=lock_timeout,
                close_timeout=close_timeout,
                keep_changes=keep_changes,
                keep_removed=keep_removed,
                lease_seconds=lease_seconds,
                synchronous=synchronous,
                writer_cache_kib=writer_cache_kib,
                reader_cache_kib=reader_cache_kib,
                file_mode=file_mode,
            ),
            read_only=read_only,
            upgrade=upgrade,
            clock=clock,
            people_cache=RecentPeople(),
        )
        self._file = sqlite_path(url)
        self._read_only = read_only
        self._writer = Writer(self._database)
        self.media = MediaService(self._database, self._writer)
        self.people = PeopleService(self._database, self._writer)
        self.library = LibraryService(self._database)
        self._changes = ChangeReads(self._database, self._writer.committed)
        self._records = RunReads(self._database)
        self._removed = RemovalReads(self._database)
        self._removal = Removal(self._writer)
        self._clock = clock
        self._client_id = client_id
        if client_id is not None:
            from mediasync.settings.installation import check_client_id

            check_client_id(client_id)

    @cached_property
    def _sources(self) -> SourceSyncs:
        from mediasync.source_syncs import SourceSyncs
        from mediasync.syncing.sync import SyncService

        syncs = SyncService(self._database, self._writer, self.media, self._clock, self._inbox)
        return SourceSyncs(syncs, self._client_id)

    @cached_property
    def _inbox(self) -> Inbox:
        from mediasync.syncing.inbox import Inbox

        return Inbox(self._database)

    @cached_property
    def _stored_sources(self) -> StoredSources:
        from mediasync.syncing.stored_sources import StoredSources

        return StoredSources(self._database, self._writer, self.media)

    async def open(self) -> None:
        """Connect, and create or upgrade the schema. `async with` calls this.

        Raises:
            LifecycleError: if it was opened before, or no asyncio event loop is running.
            DatabaseError: if the database cannot be used; its subclasses say why.
        """
        await self._database.open()
        if not self._read_only:
            prepare_words()
        self._writer.start()
        try:
            # The writer task starts here. It closes what an ending event loop would leave open.
            await asyncio.sleep(0)
        except BaseException:
            await finish(self.close())
            raise

    async def close(self) -> None:
        """Refuse new saves, finish the accepted ones up to ``close_timeout``, and disconnect.

        If it is not open, this does nothing.

        Raises:
            LifecycleError: if it is called from another event loop.
        """
        if self._database.state in {State.NEW, State.CLOSED}:
            return
        self._database.check_loop()
        try:
            await self._writer.close(self._database.options.close_timeout)
        finally:
            self._writer.committed.close()
            await self._database.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def sync(
        self,
        source: str | SourceConfig | Backend,
        *,
        full: bool = False,
        libraries: Collection[str] = (),
        items: Collection[str] = (),
        dry_run: bool = False,
        wait_for_scan: float | None = None,
        accept_new_server: bool = False,
        wait_if_busy: float = WAIT_IF_BUSY,
        max_removals: int | str | None = None,
    ) -> Sync:
        """Sync one source. Await the result for the report, or iterate over it for events.

        Args:
            source: a text (``nfo:FOLDER``, ``home=plex+https://HOST``; see
                `mediasync.settings.source.parse_source`), whose token comes from the environment; a
                `SourceConfig`; or an object that implements `mediasync.backends.base.Backend`.
            full: read everything again, changed or not.
            libraries: the only libraries to read, by title or id. They override the ``include`` and
                ``exclude`` of the source.
            items: the only items to read, by id. They are read again, changed or not.
            dry_run: write nothing, and report what would be written.
            wait_for_scan: seconds to wait for a server that is scanning its files. It overrides the setting
                of the source or backend.
            accept_new_server: continue even if a different server answers than the stored one.
            wait_if_busy: seconds to wait while another worker syncs the source. Only one does at a time.
                A dry run does not wait.
            max_removals: confirms that so many items of each library may be removed: a number, a percentage
                (``"20%"``) or ``"all"``. Without it, more than 20 items that are also more than 20 % of a
                library are not removed, nor is a library that lists nothing or is not listed any more. The
                run then needs confirmation; see `mediasync.reports.SyncReport.pending`.

        Raises:
            SourceHeld: when awaited, if another worker still syncs the source after that time.
            LeaseLost: when awaited, if this process was paused for so long that its lease has expired. It
                writes nothing more.
            ConfigurationError: at once, if the source cannot be used; when awaited, if it is stored with
                another kind or server, or does not have what is selected.
            SourceError: when awaited, if the source cannot be read.
            DatabaseError: when awaited, if the database fails.
        """
        return self._sources.sync(
            source,
            full=full,
            libraries=libraries,
            items=items,
            dry_run=dry_run,
            wait_for_scan=wait_for_scan,
            accept_new_server=accept_new_server,
            wait_if_busy=wait_if_busy,
            max_removals=max_removals,
        )

    def sync_all(
        self,
        sources: Iterable[str | SourceConfig | FlawedSource | Backend],
        *,
        full: bool = False,
        libraries: Collection[str] = (),
        items: Collection[str] = (),
        dry_run: bool = False,
        wait_for_scan: float | None = None,
        accept_new_server: bool = False,
        wait_if_busy: float = WAIT_IF_BUSY,
        max_removals: int | str | None = None,
        jobs: int = SOURCES_AT_ONCE,
    ) -> SyncAll:
        """Sync several sources at once. Await the result for all reports, or iterate over it for events.

        A source that fails does not stop the others. Neither does one whose settings cannot be used (its
        token file is missing, say); its error is a `ConfigurationError`. Cancelling stops all of them. What
        was saved stays.

        Args:
            sources: each as `sync` takes it, or as `mediasync.settings.file.read_configuration` returns it.
                No two may have the same id.
            full: as for `sync`.
            libraries: as for `sync`. A full id selects a library of its own source only.
            items: as for `sync`; full ids.
            dry_run: as for `sync`.
            wait_for_scan: as for `sync`, for each source.
            accept_new_server: as for `sync`, for each source.
            wait_if_busy: as for `sync`, for each source.
            max_removals: as for `sync`, for each source.
            jobs: how many sources are synced at once. The others wait, in the order given.

        Returns:
            An object to await or iterate over. Awaited, it gives a list in the order of the sources, with
            the `SyncReport` of each, or the error of one that could not be synced.

        Raises:
            ConfigurationError: at once, if a text does not name a source, two sources have the same id,
                nothing of a source is selected, or *jobs* is less than 1.
        """
        return self._sources.sync_all(
            sources,
            full=full,
            libraries=libraries,
            items=items,
            dry_run=dry_run,
            wait_for_scan=wait_for_scan,
            accept_new_server=accept_new_server,
            wait_if_busy=wait_if_busy,
            max_removals=max_removals,
            jobs=jobs,
        )

    def watch(
        self,
        sources: Iterable[str | SourceConfig | FlawedSource | Backend],
        *,
        every: timedelta | str = "6h",
        events: bool = True,
        jobs: int = SOURCES_AT_ONCE,
    ) -> Watch:
        """Sync sources on their schedules and on events, as long as somebody iterates over the result.

        A source is due at once if it was never synced or its last run broke off, else ``every`` and ``at``
        of its settings count from its last run, whichever worker made that. A source that another worker
        syncs is left to it. One that fails is tried again after a minute, then after two, up to an hour.

        What `hint` has noted, in this process or another, is looked into when it is due: single items are
        read, or the whole source is synced. The watch also listens to sources that report events, through a
        backend of its own; a source that is given as a backend is not listened to.

        Args:
            sources: each as `sync_all` takes it.
            every: how often a source is synced whose settings have neither ``every`` nor ``at``; at least a
                minute.
            events: listen to sources that report events, unless their settings say ``events = false``.
            jobs: how many sources are synced at once.

        Returns:
            An object to iterate over: it gives the events of all syncs, and a
            `mediasync.events.SyncScheduled` whenever a source begins to wait. Leaving the iteration cancels
            the syncs.

        Raises:
            ConfigurationError: at once, if a text does not name a source, two sources have the same id,
                there are no sources, *every* is not a length of time of at least a minute, or *jobs* is
                less than 1.

        Example:
            >>> async for event in ms.watch(["films=nfo:examples/library"], every="1h"):  # doctest: +SKIP
            ...     print(event)
        """
        return self._sources.watch(
            sources,
            every=every,
            find_last_run=self._find_last_run,
            clock=self._clock,
            inbox=self._inbox,
            events=events,
            jobs=jobs,
        )

    async def hint(self, source_id: str, hints: Iterable[Hint]) -> int:
        """Note what events say may have changed in a source. A watch of the source looks into it soon.

        Nothing is believed: items are read again, and removals are proved by a listing. The hints are stored,
        so the watch may be in another process, and neither has to run all the time. Several hints about an
        item are looked into once. A sync of the whole source looks into all that was noted before it began.

        Args:
            source_id: the source, which need not be stored yet.
            hints: what the events say.

        Returns:
            How many items, or whole sources, they name.

        Raises:
            InvalidId: if no source can have the id.
            UsageError: if a hint names something that cannot be an id, or waits longer than a day.
            DatabaseError: if the database fails.

        Example:
            >>> await ms.hint("home", [Hint(HintKind.CHANGED, remote_ids=("603",))])  # doctest: +SKIP
            1
        """
        return await self._inbox.hint(source_id, hints)

    async def list_due(self, source_id: str | None = None) -> list[DueTarget]:
        """Return what events have named and nobody has looked into yet, what is due first at the beginning.

        Args:
            source_id: only of this source; None for all.

        Example:
            >>> await ms.list_due("home")  # doctest: +SKIP
            [DueTarget(source_id='home', kind=<HintKind.CHANGED: 'changed'>, remote_id='603', ...)]
        """
        return await self._inbox.list_due(source_id)

    async def _find_last_run(self, source_id: str) -> SyncRun | None:
        runs = await self._records.list_runs(source_id, limit=1, whole=True)
        return runs[0] if runs else None

    async def list_source_summaries(self, source_id: str | None = None) -> list[SourceSummary]:
        """Return how much is stored of one source, if it is stored, or of each, by id."""
        from mediasync.library.sources import SourceReads

        return await SourceReads(self._database).list_summaries(source_id)

    async def rename_source(self, old: str, new: str) -> RenamedSource:
        """Give a source another id, in one transaction: it is renamed as a whole or not at all.

        The ids of its libraries, items and people begin with the new id from then on, also in the change log.
        A sync under the new id goes on where the last one ended. Programs that save items of the source
        themselves, without a sync, must not do so meanwhile.

        Args:
            old: the id of a stored source.
            new: the id that it gets.

        Raises:
            UnknownSource: if *old* is not stored.
            InvalidId: if *new* cannot name a source.
            ConfigurationError: if there is a source *new* already, or one of the ids would be too long.
            SourceHeld: if a worker syncs the source, or one called *new*.
            DatabaseError: if the database fails.

        Example:
            >>> await ms.rename_source("nas", "films")  # doctest: +SKIP
            RenamedSource(old_id='nas', new_id='films', libraries=2, items=34, people=377, changes=37)
        """
        return await self._stored_sources.rename(old, new)

    async def remove_source(self, source_id: str) -> RemovedSource:
        """Delete a source with everything that is stored of it.

        It is deleted in short transactions, the source itself last. If that is interrupted, the database is
        consistent, and another call deletes the rest. The change log keeps what was deleted.

        Args:
            source_id: a stored source.

        Returns:
            What this call deleted.

        Raises:
            UnknownSource: if the source is not stored.
            SourceHeld: if a worker syncs it.
            LeaseLost: if this process was paused for so long that a worker may sync it again.
            DatabaseError: if the database fails.
        """
        return await self._stored_sources.remove(source_id)

    async def list_runs(
        self,
        source_id: str | None = None,
        *,
        limit: int = 20,
        status: RunStatus | None = None,
        whole: bool = False,
        before: int | None = None,
    ) -> list[SyncRun]:
        """Return the newest *limit* runs, of one source or of all, with one status or with any.

        Args:
            source_id: the source; None for all sources.
            limit: the maximum number of runs.
            status: only runs with this status; None for any.
            whole: leave out runs of only some libraries or items.
            before: only runs with lower numbers than this one, for the next page; None for any.
        """
        return await self._records.list_runs(
            source_id, limit=limit, status=status, whole=whole, before=before
        )

    async def list_holders(self) -> dict[str, str]:
        """Return who syncs which source now: the worker in words, by the id of the source.

        Example:
            >>> await ms.list_holders()  # doctest: +SKIP
            {'home': 'process 4711 of nas'}
        """
        from mediasync.syncing.leases import list_holders

        return await list_holders(self._database)

    async def find_run(self, run_id: int) -> SyncRun | None:
        """Return a run by its number, or None."""
        return await self._records.find_run(run_id)

    async def list_problems(self, run_id: int) -> list[tuple[str, str, str]]:
        """Return what a run could not read or store, as (kind, subject, reason).

        The kinds are ``failure`` (the item is not saved), ``problem`` (part of it is not) and ``remark``.
        """
        return await self._records.list_problems(run_id)

    async def list_library_runs(self, source_id: str | None = None, *, limit: int = 1) -> list[LibraryRun]:
        """Return what the newest *limit* runs saw of each library, of one source or of all.

        The result is ordered by library, the newest run first. Runs of single items are left out.
        """
        return await self._records.list_library_runs(source_id, limit=limit)

    def changes(self, *, after: int | None = None, follow: bool = True) -> AsyncGenerator[Change]:
        """Iterate over committed changes of what the public views show, in the order of their commits.

        Changes of this process come at once, those of other processes within a second. Whoever goes on after
        the number of the last change that was handled misses none, also with several writers. The iteration
        ends when the mirror is closed.

        Args:
            after: the number of the last change that was handled; 0 for the first one ever. Without it the
                iteration begins at the oldest change that is kept.
            follow: wait for further changes. Otherwise the iteration ends at the newest one.

        Raises:
            ChangesPruned: if changes after that number are no longer kept.
            UsageError: if there is no change with that number.
            LifecycleError: if the mirror is not open.
            DatabaseError: if the database fails.

        Example:
            >>> async for change in ms.changes(after=number):  # doctest: +SKIP
            ...     print(change.what, change.entity, change.entity_id)
            ...     number = change.number
        """
        return self._changes.iterate(after, follow=follow)

    def history(
        self,
        *,
        run_id: int | None = None,
        source_id: str | None = None,
        item_id: str | None = None,
        person_id: str | None = None,
        since: datetime | None = None,
        after: int | None = None,
    ) -> AsyncGenerator[HistoryEntry]:
        """Iterate over changes in their order, each with the values before and after it.

        All changes that the log keeps, or those that fit every argument that is given.

        Args:
            run_id: changes that this run made.
            source_id: changes of this source, its libraries, items and people.
            item_id: changes of this item.
            person_id: changes of this person, and of items that gained, lost or changed a credit of the
                person. All other changes in question are read for this.
            since: changes from this time on; it has a zone.
            after: changes after the one with this number, to go on where an earlier iteration ended.

        Raises:
            UsageError: if *since* has no zone.
            LifecycleError: if the mirror is not open.
            DatabaseError: if the database fails.

        Example:
            >>> async for entry in ms.history(run_id=12):  # doctest: +SKIP
            ...     print(entry.change.what, entry.name, entry.fields, entry.credits)
        """
        from mediasync.library.history import HistoryFilter, HistoryReads

        wanted = HistoryFilter(run_id, source_id, item_id, person_id, since, after)
        return HistoryReads(self._database).iterate(wanted)

    def diff(self, first: AsOf, second: AsOf, *, source_id: str | None = None) -> AsyncGenerator[Difference]:
        """Iterate over the net differences between what was shown at two points in time.

        What changed and changed back between them is left out. The entities come in the order of their last
        changes between the points.

        Args:
            first: the number of a run, for what was shown when that run had ended, or a time with a zone.
            second: the same. It may be the earlier point: the differences are then those of going back.
            source_id: only differences of this source, its libraries, items and people.

        Raises:
            UnknownRun: if there is no such run.
            TooLongAgo: if the change log no longer reaches back to one of the points.
            UsageError: if a run has not ended, or a time has no zone.
            LifecycleError: if the mirror is not open.
            DatabaseError: if the database fails.

        Example:
            >>> async for one in ms.diff(11, 12):  # doctest: +SKIP
            ...     print(one.what, one.name, one.fields, one.credits)
        """
        from mediasync.library.differences import DifferenceReads

        return DifferenceReads(self._database).iterate(first, second, source_id)

    async def newest_change(self) -> int:
        """Return the number of the newest change; 0 if there was none yet."""
        return await self._changes.find_newest()

    async def prune_changes(self, keep_days: float | None = None) -> int:
        """Delete changes that are older than *keep_days* days, and return how many there were.

        Each run of a sync deletes some thousands of them. This deletes all of them, in short transactions.

        Args:
            keep_days: ``keep_changes``, if it is not given.

        Raises:
            UsageError: if *keep_days* is negative.
            DatabaseError: if the database fails.
        """
        if keep_days is not None and keep_days < 0:
            raise UsageError(f"keep_days is {keep_days}: it is a number of days, 0 or more")
        keep_days = self._database.options.keep_changes if keep_days is None else keep_days
        return await prune_changes(self._writer, keep_days)

    async def undo(self, run_id: int, *, dry_run: bool = False) -> UndoReport:
        """Undo what a run changed, by a run of its own that can be undone as well.

        Items that the run removed come back. Fields and credits that it changed get their earlier values.
        Items that it added are removed: they are marked, as `list_removed` shows. What was changed again
        since is left as it is, and reported. The next sync that reads an item brings the source's values.

        Args:
            run_id: the run; any whose changes the change log still holds.
            dry_run: change nothing, and report what would be changed.

        Raises:
            UsageError: if there is no such run, it is still running, or its changes are no longer kept.
            SourceHeld: if a worker syncs the source.
            DatabaseError: if the database fails.

        Example:
            >>> report = await ms.undo(12)  # doctest: +SKIP
            >>> report.undone, report.refused  # doctest: +SKIP
            ((('home:603', 'changed back'),), ())
        """
        from mediasync.syncing.undo import UndoService

        return await UndoService(self._database, self._writer, self.media).undo(run_id, dry=dry_run)

    async def list_removed(
        self, source_id: str | None = None, *, limit: int | None = None, offset: int = 0
    ) -> list[RemovedItem]:
        """Return items that their source no longer has and that are not deleted yet, the newest first.

        Args:
            source_id: only items of this source; None for all.
            limit: at most so many; None for all.
            offset: leave out the first so many.
        """
        return await self._removed.list_removed(source_id, limit=limit, offset=offset)

    async def list_pending_removals(self, source_id: str | None = None) -> list[PendingRemoval]:
        """Return the removals that wait for a confirmation, of one source or of all, by library.

        A sync with ``max_removals`` confirms them. One that finds the items again withdraws them.
        """
        return await self._removed.list_pending(source_id)

    async def restore(self, item_ids: Sequence[str]) -> list[str]:
        """Bring back removed items with their credits.

        The items above them come back too, and the items below them that were removed with them. A later sync
        that proves that the source does not have them removes them again.

        Args:
            item_ids: ids of removed items.

        Returns:
            The ids of all items that are back.

        Raises:
            UnknownItem: if one of them is not a removed item; nothing is then brought back.

        Example:
            >>> await ms.restore(["home:603"])  # doctest: +SKIP
            ['home:603']
        """
        return await self._removal.restore(list(item_ids))

    async def purge(
        self, keep_days: float | None = None, *, source_id: str | None = None, dry_run: bool = False
    ) -> PurgeReport:
        """Delete items that were removed long ago, and the people whom nobody has credited since.

        Each sync of a whole source does this for its own items.

        Args:
            keep_days: for how many days removed items are kept; ``keep_removed``, if it is not given.
            source_id: only items and people of this source; None for all.
            dry_run: delete nothing, and report what would be deleted.

        Raises:
            UsageError: if *keep_days* is negative.
        """
        keep_days = self._database.options.keep_removed if keep_days is None else keep_days
        if not keep_days >= 0:
            raise UsageError(f"keep_days is {keep_days}: it is a number of days, 0 or more")
        if dry_run or keep_days == inf:
            return await self._removed.count_expired(keep_days, source_id)
        return await self._removal.purge(keep_days, source_id=source_id)

    async def export(
        self,
        format: Literal["jsonl", "csv", "parquet", "nfo", "singer"],  # noqa: A002
        target: str | Path | Callable[[str], object],
        *,
        source_id: str | None = None,
        library_id: str | Library | None = None,
        media_types: Collection[MediaType | Literal["movie", "show", "season", "episode"]] = (),
        since: int | None = None,
        layout: Literal["source", "flat"] | None = None,
        for_spreadsheets: bool = False,
        overwrite: bool = False,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> ExportReport:
        """Write what the mirror shows into files, all of one state of the database, in limited memory.

        The files lie in a hidden folder inside the target until all of them are complete. A sync may write
        meanwhile; only a database in memory, which has one connection, lets it wait.

        Args:
            format: ``jsonl``, ``csv``, ``parquet`` (needs the extra ``parquet``), ``nfo`` or ``singer``;
                [Export](../../how-to/export.md) describes the files.
            target: a folder, which is created if it does not exist; or, for JSON lines and Singer messages,
                a function that takes the text, such as ``sys.stdout.write``.
            source_id: only what is of this source. NFO files are always of one source.
            library_id: only what this library lists; the library, or its full id.
            media_types: only items of these types. NFO files of shows include their seasons and episodes.
            since: JSON lines and Singer messages only: only what changed after the change with this number,
                which an earlier report has, and what was removed since.
            layout: NFO files only: ``source`` for the folders that the source's paths have (the default), or
                ``flat`` for one folder for each film and show.
            for_spreadsheets: CSV only: put an apostrophe before each value that a spreadsheet would take for
                a formula, and begin each file with the mark by which Excel recognises UTF-8.
            overwrite: replace an earlier export in the folder.
            on_progress: called with what is being written, the number that is done, and the number in total.

        Raises:
            UsageError: if the arguments do not go together, or name what is not stored.
            ConfigurationError: if the folder holds other things than an export, or an export that is not to
                be replaced; or pyarrow is not installed.
            ChangesPruned: if the change log no longer reaches back to *since*: export everything.
            ExportFailed: if the files cannot be written. Nothing of the export then stays.

        Example:
            >>> report = await ms.export("csv", "tables")  # doctest: +SKIP
            >>> report.rows  # doctest: +SKIP
            {'items': 42, 'people': 180, 'credits': 230}
        """
        from pathlib import Path

        from mediasync.exports.export import ExportOptions, ExportService, as_format, as_layout, as_types
        from mediasync.repositories.exporting import Selection

        library = library_id if library_id is None or isinstance(library_id, str) else library_id.full_id
        options = ExportOptions(
            as_format(format),
            Selection(source_id, library, as_types(media_types)),
            since,
            as_layout(layout),
            for_spreadsheets,
            overwrite,
        )
        place = Path(target) if isinstance(target, str | Path) else target
        return await ExportService(self._database, on_progress or _tell_nobody).run(options, place)

    async def check_schema(self) -> None:
        """Check that the database answers, and still has the schema of this version.

        It reads one row, so a server can ask often whether it is ready.

        Raises:
            LifecycleError: if the mirror is not open.
            SchemaTooNew: if a newer mediasync has upgraded the database since it was opened.
            SchemaError: if the schema is not the one of this version for another reason.
            DatabaseError: if the database fails.
        """
        await self._database.check_schema()

    async def check(self) -> CheckReport:
        """Check the database: its storage, its foreign keys, and the invariants that every save keeps."""
        from mediasync.repositories.checks import CheckRepository

        async with self._database.read(snapshot=True) as session:
            return await CheckRepository(session, self._database.dialect.integrity_checks).run()

    async def backup(
        self,
        path: str | Path,
        *,
        force: bool = False,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> BackupReport:
        """Write a backup of the whole mirror: a SQLite file that holds one moment. Syncs go on meanwhile.

        The file appears under its name when it is complete, checked and on the disk. If that fails or is
        cancelled, nothing of it is left. A backup of a SQLite database is an exact copy, and has the
        permissions of its file. A PostgreSQL database is copied row by row, as `copy_mirror` does.

        Args:
            path: the file. Its folder must exist, and have room for the whole database.
            force: replace a file that exists. It is replaced at the end, by the complete backup.
            on_progress: PostgreSQL only: called as `copy_mirror` calls it.

        Raises:
            ConfigurationError: if the file exists and *force* is not given, or is a folder, the database
                itself or another database in use.
            DiskFull: if the disk has no room for it.
            DatabaseCorrupt: if the database is damaged. An older backup is not replaced then.
            DatabaseError: if the database fails, or the file cannot be written.

        Example:
            >>> report = await ms.backup("backup.db")  # doctest: +SKIP
            >>> report.bytes, report.newest_change  # doctest: +SKIP
            (1654784, 61)
        """
        from mediasync.copying.backup import BackupService

        service = BackupService(self._database, self._file, on_progress or _tell_nobody)
        return await service.write(Path(path), force=force)

    async def vacuum(self) -> VacuumReport:
        """Give unused space back to the system, and update the statistics of the query planner.

        A SQLite file is written anew, which blocks other writers meanwhile, and its write-ahead log is
        emptied; the disk needs room for two more copies of it. On PostgreSQL, the tables of the mirror are
        vacuumed and analysed while others use them.

        Raises:
            SourceHeld: SQLite only: if a worker syncs a source.
            DatabaseLocked: if another process held the write lock for longer than ``lock_timeout``.
            DatabaseReadOnly: if the mirror was opened for reading only.
            DiskFull: if the disk has too little room; nothing was changed.
            DatabaseError: if the database fails.

        Example:
            >>> report = await ms.vacuum()  # doctest: +SKIP
            >>> report.bytes_before - report.bytes_after  # doctest: +SKIP
            40960
        """
        from mediasync.syncing.maintenance import vacuum

        return await vacuum(self._database)


async def upgrade_mirror(url: str, *, dry_run: bool = False, backup: bool = True) -> UpgradeReport:
    """Upgrade the schema of a database to the one that this version needs.

    `MediaSync` does that too when it opens a database. This never creates one, and reports what it did. A
    SQLite file is first copied to a file beside it. No copy of a PostgreSQL database is made; dump it before.

    Args:
        url: the URL of the database.
        dry_run: change nothing, and report whether an upgrade is needed.
        backup: SQLite only: whether the copy is made.

    Raises:
        ConfigurationError: if the URL cannot be used.
        DatabaseMissing: if there is no database.
        SchemaTooNew: if a newer mediasync wrote it.
        SchemaOutdated: if it is too old to be upgraded.
        SchemaForeign: if it holds another program's tables.
        DatabaseError: if the database fails; nothing is then changed.

    Example:
        >>> await upgrade_mirror("sqlite:///media.db", dry_run=True)  # doctest: +SKIP
        UpgradeReport(before=8, after=9, dry_run=True, backup=None)
    """
    from mediasync.database.schema import CURRENT_VERSION
    from mediasync.reports import UpgradeReport

    found = await Database(url, read_only=True).find_version()
    if dry_run or found == CURRENT_VERSION:
        return UpgradeReport(found, CURRENT_VERSION, dry_run)
    database = Database(url, keep_copy=backup, options=DatabaseOptions(readers=1))
    await database.open()
    await database.close()
    # Another process may have upgraded it meanwhile.
    before = CURRENT_VERSION if database.upgraded_from is None else database.upgraded_from
    copy = database.kept_copy
    return UpgradeReport(before, CURRENT_VERSION, backup=None if copy is None else str(copy))


async def copy_mirror(
    origin: str,
    target: str,
    *,
    file_mode: int = _DEFAULTS.file_mode,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> CopyReport:
    """Copy a whole mirror into another database, of the same engine or the other, and compare the two.

    The origin is read in one snapshot, and may be used meanwhile. Nothing else may write to the target.
    Calling this again completes a copy that was cancelled, or whose process was killed.

    Args:
        origin: the URL of the database to read.
        target: the URL of an empty database, which is created if it does not exist, or of an earlier copy of
            this origin, which is updated.
        file_mode: SQLite only: the permissions of a new target file.
        on_progress: called with the name of the view that is being copied (or ``comparing``), the number of
            rows done, and the number of rows in total.

    Raises:
        ConfigurationError: if a URL cannot be used, both name the same database, or the target has rows that
            are newer than the origin's or are not in it.
        DatabaseError: if a database fails, or the two differ in the end; the message says where.

    Example:
        >>> report = await copy_mirror("sqlite:///media.db", "postgresql://me@host/media")  # doctest: +SKIP
    """
    from mediasync.copying.copy import CopyService

    if origin == target or _same_file(origin, target):
        raise ConfigurationError("the origin and the target of a copy are the same database")
    source, copy = MediaSync(origin, read_only=True), MediaSync(target, file_mode=file_mode)
    async with source, copy:
        return await CopyService(source._database, copy._database, on_progress or _tell_nobody).run()


def _same_file(origin: str, target: str) -> bool:
    paths = [path.resolve() for url in (origin, target) if (path := sqlite_path(url)) is not None]
    return len(paths) == 2 and paths[0] == paths[1]


def _tell_nobody(_what: str, _done: int, _total: int) -> None:
    return
