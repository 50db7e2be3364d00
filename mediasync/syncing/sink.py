"""Sinks: what becomes of the libraries, items and people that a sync reads.

`Saving` stores them. `DryRun` only compares them with what is stored.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from dataclasses import replace
from math import inf
from typing import Final, Protocol

from mediasync.aio import finish
from mediasync.changes import Fence, WriteContext
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import InvalidItem
from mediasync.ids import make_id
from mediasync.models import Library, MediaItem, Person, Source, SyncRun
from mediasync.reports import SaveReport, SaveResult, SaveStatus
from mediasync.repositories.items import MediaRepository
from mediasync.repositories.people import PeopleRepository
from mediasync.repositories.recognition import RecognitionRepository
from mediasync.repositories.removal import RemovalRepository
from mediasync.repositories.times import to_datetime
from mediasync.rows import NormalItem
from mediasync.saving.media import is_new_server
from mediasync.saving.missing import bring_back
from mediasync.saving.normal import normal_item
from mediasync.saving.outbox import Outbox
from mediasync.saving.plan import describe_change
from mediasync.saving.removal import Removal
from mediasync.saving.stream import as_async
from mediasync.saving.writer import Writer
from mediasync.services import MediaService
from mediasync.syncing.recorder import RunRecorder
from mediasync.syncing.tally import Tally
from mediasync.vocabulary import PARENT_TYPES, RunStatus

_PAGE: Final = 200

PendingRow = tuple[str, int, int, str, str]
"""The library's full id, the number of items, the number of stored items, the reason, a digest of the ids."""


def status_of(tally: Tally) -> RunStatus:
    """Return the status of a run that ends well."""
    return RunStatus.NEEDS_CONFIRMATION if tally.asked else RunStatus.SUCCEEDED


class Sink(Protocol):
    """Where a sync of one source hands everything that it reads.

    Attributes:
        changes: (id, description) of each item that would be written, where nothing is written.
    """

    changes: list[tuple[str, str]]

    async def begin(self, source: Source, tally: Tally, *, accept_new_server: bool) -> None:
        """Check that the stored source is the one that answers, and begin the run.

        Raises:
            ConfigurationError: if it is another kind of source, or another server.
        """
        ...

    async def save_library(self, library: Library) -> None:
        """Save a library that is about to be read."""
        ...

    async def save(
        self, items: Iterable[MediaItem] | AsyncIterable[MediaItem], library_id: str, report: SaveReport
    ) -> None:
        """Save items of a library, and count the outcomes in *report*."""
        ...

    async def save_people(self, people: Sequence[Person]) -> None:
        """Save people about whom the source gives more than their credits do."""
        ...

    async def take_over(self, taken: Sequence[tuple[str, str, str]]) -> None:
        """Give stored items the keys that the source has for them now.

        Args:
            taken: of each item its id, its new key, and the full id of the library that lists it.
        """
        ...

    def stored_id(self, item_id: str) -> str:
        """Return the id under which the database knows an item whose current id is given."""
        ...

    async def move(self, homes: Sequence[tuple[str, str]], left: Sequence[tuple[str, str]]) -> None:
        """Move items between libraries.

        Args:
            homes: item ids, each with the full id of its new home.
            left: item ids, each with the full id of a library that no longer lists the item.
        """
        ...

    async def mark_missing(self, item_ids: Sequence[str]) -> list[str]:
        """Mark items as missing from the source, and return those that were not marked before."""
        ...

    async def note_pending(self, asked: Sequence[PendingRow], ended: Sequence[str]) -> None:
        """Record removals that wait for a confirmation.

        Args:
            asked: those that this run is the first to find.
            ended: the full ids of libraries of which none waits any more.
        """
        ...

    async def finish(self, tally: Tally, watermark: str) -> SyncRun:
        """End the run well, and return its record."""
        ...

    async def fail(self, tally: Tally, error: BaseException) -> None:
        """End the run that *error* ended."""
        ...


class Saving:
    """A `Sink` that saves everything, and records the run.

    Args:
        writer: the task that writes to the database.
        media: saves sources, libraries, items and people.
        source_id: the source that is synced.
        fence: the lease of the source.
    """

    def __init__(self, writer: Writer, media: MediaService, source_id: str, fence: Fence | None) -> None:
        self._writer = writer
        self._media = media
        self._source_id = source_id
        self._recorder = RunRecorder(writer, media)
        self._removal = Removal(writer)
        self._context = WriteContext(fence=fence, reason="sync")
        self.changes: list[tuple[str, str]] = []

    async def begin(self, source: Source, tally: Tally, *, accept_new_server: bool) -> None:
        await self._media.save_source(source, accept_new_server=accept_new_server, context=self._context)
        await finish(self._recorder.start(tally))
        self._context = replace(self._context, run_id=tally.run_id)

    async def save_library(self, library: Library) -> None:
        await self._media.save_library(library, context=self._context)

    async def save(
        self, items: Iterable[MediaItem] | AsyncIterable[MediaItem], library_id: str, report: SaveReport
    ) -> None:
        await self._media.save_media_items(
            items, library_id=library_id, source_id=self._source_id, report=report, context=self._context
        )

    async def save_people(self, people: Sequence[Person]) -> None:
        await self._media.upsert_people(people, source_id=self._source_id, context=self._context)

    async def take_over(self, taken: Sequence[tuple[str, str, str]]) -> None:
        ids = [item_id for item_id, _, _ in taken]

        async def work(session: Session, outbox: Outbox) -> None:
            # A removed item is listed again under the new key. It is shown before its change is logged.
            back = await bring_back(session, outbox, ids)
            async with outbox.comparing(ids):
                await RecognitionRepository(session).take_over(self._source_id, taken)
            if back:
                await PeopleRepository(session).show_people_of(back)

        await self._writer.record(work, self._context)

    def stored_id(self, item_id: str) -> str:
        return item_id  # the database itself knows the new keys of items that were taken over

    async def move(self, homes: Sequence[tuple[str, str]], left: Sequence[tuple[str, str]]) -> None:
        async def work(session: Session, outbox: Outbox) -> None:
            async with outbox.comparing([item_id for item_id, _ in (*homes, *left)]):
                await RecognitionRepository(session).move(homes, left)

        await self._writer.record(work, self._context)

    async def mark_missing(self, item_ids: Sequence[str]) -> list[str]:
        return await self._removal.mark(item_ids, self._context)

    async def note_pending(self, asked: Sequence[PendingRow], ended: Sequence[str]) -> None:
        run_id = self._context.run_id
        if run_id is None or not (asked or ended):
            return

        async def work(session: Session, _: Outbox) -> None:
            repository = RemovalRepository(session)
            await repository.clear_pending(ended)
            await repository.set_pending(asked, run_id)

        await self._writer.record(work, self._context)

    async def finish(self, tally: Tally, watermark: str) -> SyncRun:
        try:
            if self._writer.keep_removed < inf and not tally.selection:
                tally.purged = await self._removal.purge(
                    self._writer.keep_removed, source_id=self._source_id, context=self._context
                )
            status = status_of(tally)
            return await finish(self._recorder.finish(tally, status, watermark=watermark))
        except Exception as error:
            await finish(self._recorder.fail(tally, error))
            raise

    async def fail(self, tally: Tally, error: BaseException) -> None:
        await finish(self._recorder.fail(tally, error))


class DryRun:
    """A `Sink` that writes nothing: it compares items with the stored ones by their fingerprints.

    Args:
        database: an open database, which is only read.
        media: reads the stored source.
        source_id: the source that is synced.
        clock: returns the time in milliseconds since 1970, UTC.
    """

    def __init__(
        self, database: Database, media: MediaService, source_id: str, clock: Callable[[], int]
    ) -> None:
        self._database = database
        self._media = media
        self._source_id = source_id
        self._clock = clock
        self._started = clock()
        self.changes: list[tuple[str, str]] = []
        self._parents: set[str] = set()
        self._recognised: dict[str, str] = {}

    async def begin(self, source: Source, tally: Tally, *, accept_new_server: bool) -> None:
        is_new_server(await self._media.find_source(source.id), source, accepted=accept_new_server)

    async def save_library(self, library: Library) -> None:
        pass

    async def save_people(self, people: Sequence[Person]) -> None:
        pass

    async def move(self, homes: Sequence[tuple[str, str]], left: Sequence[tuple[str, str]]) -> None:
        pass

    async def mark_missing(self, item_ids: Sequence[str]) -> list[str]:
        marked = sorted(item_ids)
        self.changes += [(item_id, "removed") for item_id in marked]
        return marked

    async def note_pending(self, asked: Sequence[PendingRow], ended: Sequence[str]) -> None:
        pass

    async def fail(self, tally: Tally, error: BaseException) -> None:
        pass

    async def finish(self, tally: Tally, watermark: str) -> SyncRun:
        return SyncRun(
            id=0,
            source_id=tally.source_id,
            status=status_of(tally),
            started_at=to_datetime(self._started),
            finished_at=to_datetime(self._clock()),
            seen=tally.seen,
            saved=tally.saves.saved,
            unchanged=tally.unchanged,
            failed=len(tally.failures),
            partial=bool(tally.selection),
        )

    async def take_over(self, taken: Sequence[tuple[str, str, str]]) -> None:
        for item_id, remote_id, _ in taken:
            self._recognised[make_id(self._source_id, remote_id)] = item_id

    def stored_id(self, item_id: str) -> str:
        return self._recognised.get(item_id, item_id)

    async def save(
        self, items: Iterable[MediaItem] | AsyncIterable[MediaItem], library_id: str, report: SaveReport
    ) -> None:
        page: list[NormalItem] = []
        orphans: list[NormalItem] = []
        async for item in as_async(items):
            try:
                normal = normal_item(item, self._source_id, library_id)
            except InvalidItem as error:
                report.failed.append((error.item_id, error.reason))
                continue
            if normal.media_type in PARENT_TYPES:
                self._parents.add(normal.id)
            if normal.id in self._recognised:
                self._count(normal, self._recognised[normal.id], f"its key, now {item.remote_id!r}", report)
                continue
            if normal.parent_id and normal.parent_id not in self._parents:
                orphans.append(normal)
                continue
            page.append(normal)
            if len(page) == _PAGE:
                await self._look(page, report)
                page = []
        stored = await self._find_stored({orphan.parent_id for orphan in orphans if orphan.parent_id})
        for orphan in orphans:
            if orphan.parent_id in self._parents or orphan.parent_id in stored:
                page.append(orphan)
            else:
                report.failed.append((orphan.id, f"its parent {orphan.parent_id!r} is not stored"))
        await self._look(page, report)

    async def _find_stored(self, ids: set[str]) -> set[str]:
        async with self._database.read() as session:
            return set((await MediaRepository(session).find_current_states(sorted(ids)))[0])

    async def _look(self, page: list[NormalItem], report: SaveReport) -> None:
        async with self._database.read() as session:
            changes = await describe_change(session, page)
        for item, (item_id, what) in zip(page, changes, strict=True):
            self._count(item, item_id, what, report)

    def _count(self, item: NormalItem, item_id: str, what: str | None, report: SaveReport) -> None:
        status = SaveStatus.UNCHANGED if what is None else SaveStatus.SAVED
        report.add(SaveResult(item_id, status, tuple(item.problems), item.repeats))
        if what is not None:
            self.changes.append((item_id, what))
