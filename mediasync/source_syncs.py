"""From the sources that a caller names to the syncs that read them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from mediasync.backends.base import Backend, WaitsForScan
from mediasync.errors import ConfigurationError
from mediasync.reports import SyncReport
from mediasync.settings.defaults import DEFAULT_COMPARE_DAYS
from mediasync.syncing.handles import Run, Sync, SyncAll
from mediasync.syncing.inbox import Inbox
from mediasync.syncing.removal import DEFAULT_LIMIT, RemovalLimit
from mediasync.syncing.selection import Selection, share_selection
from mediasync.syncing.sync import RunOptions, SyncService
from mediasync.syncing.tally import Emit

if TYPE_CHECKING:  # a sync of a backend needs none of these, which take a third of the time of its imports
    from typing_extensions import TypeIs

    from mediasync.settings.source import FlawedSource, SourceConfig
    from mediasync.watching import FindLastRun, Watch


class SourceSyncs:
    """Makes the syncs of sources, as `mediasync.MediaSync` offers them.

    Args:
        syncs: runs them.
        client_id: the identifier by which servers know this installation; None for that of
            `mediasync.settings.installation`.
    """

    def __init__(self, syncs: SyncService, client_id: str | None) -> None:
        self._syncs = syncs
        self._client_id = client_id

    def sync(
        self,
        source: str | SourceConfig | Backend,
        *,
        libraries: Collection[str],
        items: Collection[str],
        wait_for_scan: float | None,
        full: bool,
        dry_run: bool,
        accept_new_server: bool,
        wait_if_busy: float,
        max_removals: int | str | None,
    ) -> Sync:
        """Return the sync of one source."""
        options = _options(full, dry_run, accept_new_server, wait_if_busy, max_removals)
        made = self._make(source, wait_for_scan)
        if not isinstance(made, _Made):
            raise made.error
        [run] = self._runs([made], libraries, items, options).values()
        return Sync(run)

    def sync_all(
        self,
        sources: Iterable[str | SourceConfig | FlawedSource | Backend],
        *,
        libraries: Collection[str],
        items: Collection[str],
        wait_for_scan: float | None,
        full: bool,
        dry_run: bool,
        accept_new_server: bool,
        wait_if_busy: float,
        max_removals: int | str | None,
        jobs: int,
    ) -> SyncAll:
        """Return the syncs of several sources, as one."""
        _check_jobs(jobs)
        options = _options(full, dry_run, accept_new_server, wait_if_busy, max_removals)
        made = [self._make(source, wait_for_scan) for source in sources]
        return SyncAll(self._runs(made, libraries, items, options), jobs=jobs)

    def watch(
        self,
        sources: Iterable[str | SourceConfig | FlawedSource | Backend],
        *,
        every: timedelta | str,
        find_last_run: FindLastRun,
        clock: Callable[[], int],
        inbox: Inbox,
        events: bool,
        jobs: int,
    ) -> Watch:
        """Return the watch over several sources."""
        from mediasync.settings.file import Configuration, choose_source
        from mediasync.settings.schedule import Schedule, read_interval
        from mediasync.settings.source import FlawedSource, SourceConfig
        from mediasync.watching import Watch, WatchedSource

        _check_jobs(jobs)
        try:
            usual = Schedule(read_interval(every))
        except ValueError as error:
            raise ConfigurationError(f"every: {error}") from None
        watched: dict[str, WatchedSource] = {}
        for given in sources:
            source = choose_source(given, Configuration(), os.environ) if isinstance(given, str) else given
            schedule = source.schedule if isinstance(source, SourceConfig) else None
            source_id = source.id if isinstance(source, SourceConfig | FlawedSource) else source.source.id
            if source_id in watched:
                raise _named_twice(source_id)
            watched[source_id] = WatchedSource(
                partial(self._sync_alone, source),
                schedule or usual,
                None if isinstance(source, FlawedSource) else partial(self._work_off, source),
                partial(make_backend, source, client_id=self._client_id)
                if events and isinstance(source, SourceConfig) and source.events
                else None,
            )
        return Watch(watched, find_last_run, clock, inbox, jobs=jobs)

    async def _work_off(self, source: SourceConfig | Backend, emit: Emit) -> None:
        """Look into what events have named in one source."""
        made = self._make(source, None)
        if not isinstance(made, _Made):
            raise made.error
        options = RunOptions(
            selection=Selection(include=made.include, exclude=made.exclude), compare_days=made.compare_days
        )
        await self._syncs.work_off(made.backend, emit, options)

    def _sync_alone(self, source: SourceConfig | FlawedSource | Backend) -> SyncAll:
        """Return a sync that leaves the source to a worker who syncs it already."""
        return self.sync_all(
            [source],
            libraries=(),
            items=(),
            wait_for_scan=None,
            full=False,
            dry_run=False,
            accept_new_server=False,
            wait_if_busy=0.0,
            max_removals=None,
            jobs=1,
        )

    def _make(
        self, source: str | SourceConfig | FlawedSource | Backend, wait_for_scan: float | None
    ) -> _Made | FlawedSource:
        """Return the backend of a source with its settings, or why it cannot be used."""
        if _is_backend(source):
            return _Made(source, wait_for_scan=wait_for_scan)
        from mediasync.settings.file import Configuration, choose_source
        from mediasync.settings.source import FlawedSource

        if isinstance(source, str):
            source = choose_source(source, Configuration(), os.environ)
        if isinstance(source, FlawedSource):
            return source
        try:
            backend = make_backend(source, client_id=self._client_id, wait_for_scan=wait_for_scan)
        except ConfigurationError as error:
            return FlawedSource(source.id, error)
        return _Made(backend, source.include, source.exclude, source.compare_days)

    def _runs(
        self,
        sources: Iterable[_Made | FlawedSource],
        libraries: Collection[str],
        items: Collection[str],
        options: RunOptions,
    ) -> dict[str, Run]:
        """Return the function that runs each sync, by source id."""
        by_id: dict[str, _Made | FlawedSource] = {}
        for source in sources:
            if source.id in by_id:
                raise _named_twice(source.id)
            by_id[source.id] = source
        selected = share_selection(libraries, items, list(by_id))
        runs: dict[str, Run] = {}
        for source_id, made in by_id.items():
            if not isinstance(made, _Made):
                runs[source_id] = partial(self._syncs.refuse, made.id, made.error, dry=options.dry)
                continue
            if source_id not in selected:
                raise ConfigurationError(
                    f"nothing that is selected is of the source {source_id!r}: leave it out"
                )
            selection = replace(selected[source_id], include=made.include, exclude=made.exclude)
            of_source = replace(options, selection=selection, compare_days=made.compare_days)
            run = partial(self._syncs.run, made.backend, options=of_source)
            runs[source_id] = partial(made.run, run)
        return runs


def _is_backend(source: str | SourceConfig | FlawedSource | Backend) -> TypeIs[Backend]:
    return hasattr(source, "iter_items")


def _check_jobs(jobs: int) -> None:
    if jobs < 1:
        raise ConfigurationError(f"jobs is {jobs}, but at least one source must be synced at once")


def _named_twice(source_id: str) -> ConfigurationError:
    return ConfigurationError(f"two sources are both called {source_id!r}: give one of them another name")


def _options(
    full: bool, dry: bool, accept_new_server: bool, wait_if_busy: float, max_removals: int | str | None
) -> RunOptions:
    if not wait_if_busy >= 0:
        raise ConfigurationError(f"wait_if_busy is {wait_if_busy}: it is a number of seconds, 0 or more")
    limit = DEFAULT_LIMIT if max_removals is None else RemovalLimit.parse(str(max_removals))
    return RunOptions(
        full,
        dry=dry,
        accept_new_server=accept_new_server,
        wait_if_busy=wait_if_busy,
        max_removals=limit,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """A source with its backend.

    Attributes:
        backend: reads the source.
        include: the only libraries that are read; all if there are none.
        exclude: libraries that are not read.
        compare_days: within how many days every item is read again although it did not change.
        wait_for_scan: seconds to wait for a scan in this sync; None for the backend's own setting.
    """

    backend: Backend
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    compare_days: float = DEFAULT_COMPARE_DAYS
    wait_for_scan: float | None = None

    @property
    def id(self) -> str:
        return self.backend.source.id

    async def run(self, run: Run, emit: Emit) -> SyncReport:
        """Run a sync of the backend, and restore its own ``wait_for_scan`` afterwards."""
        backend = self.backend
        if self.wait_for_scan is None or not isinstance(backend, WaitsForScan):
            return await run(emit)
        own, backend.wait_for_scan = backend.wait_for_scan, self.wait_for_scan
        try:
            return await run(emit)
        finally:
            backend.wait_for_scan = own


def make_backend(
    source: str | SourceConfig, *, client_id: str | None = None, wait_for_scan: float | None = None
) -> Backend:
    """Return the backend of a source.

    Args:
        source: a text as `mediasync.settings.source.parse_source` takes it, whose token and other settings
            come from the environment; or a `SourceConfig`, which is used as it is.
        client_id: the identifier by which servers know this installation; by default that of
            `mediasync.settings.installation`.
        wait_for_scan: seconds; overrides the setting of the source.

    Raises:
        ConfigurationError: if the source cannot be used.
    """
    from mediasync.settings.file import with_environment
    from mediasync.settings.source import parse_source
    from mediasync.settings.source_kinds import BackendContext

    if isinstance(source, str):
        source = with_environment(parse_source(source), os.environ)
    if wait_for_scan is not None:
        source = source.model_copy(update={"wait_for_scan": wait_for_scan})
    return source.spec.make(source, BackendContext(client_id))
