"""Removing a source in transactions of bounded size."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from mediasync.changes import WriteContext
from mediasync.database.session import Session
from mediasync.errors import UnknownSource
from mediasync.reports import RemovedSource
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.items import MediaRepository
from mediasync.repositories.people import PeopleRepository
from mediasync.repositories.source_removal import SourceRemovalRepository
from mediasync.repositories.sources import SourceRepository
from mediasync.saving.missing import hide_uncredited
from mediasync.saving.outbox import Outbox
from mediasync.saving.writer import Writer
from mediasync.vocabulary import MEDIA_KINDS

ITEMS_PER_STEP: Final = 200
"""One transaction deletes at most so many items, so that it holds nobody up for long."""

PEOPLE_PER_STEP: Final = 1_000
RUNS_PER_STEP: Final = 200
ROWS_PER_STEP: Final = 5_000

_LOWEST_FIRST: Final = sorted(MEDIA_KINDS, key=lambda media_type: -MEDIA_KINDS[media_type].level)
_Step = Callable[[SourceRemovalRepository], Awaitable[int]]


class SourceRemoval:
    """Deletes a source with everything that is stored of it, and logs what the views no longer show.

    The source itself goes last. So a removal that was interrupted can be run again, and completes.

    Args:
        writer: the task that writes to the database.
        source_id: the source.
        context: why, and under which lease.
    """

    def __init__(self, writer: Writer, source_id: str, context: WriteContext) -> None:
        self._writer = writer
        self._source_id = source_id
        self._context = context
        self._report = RemovedSource(source_id)

    async def run(self) -> RemovedSource:
        """Delete the source.

        Raises:
            UnknownSource: if it is not stored.
            LeaseLost: if the lease of the context has ended. What was deleted before stays deleted.
        """
        await self._writer.record(self._begin, self._context)
        for media_type in _LOWEST_FIRST:
            await self._delete_items(media_type)
        await self._delete_people()
        await self._repeat(lambda of_source: of_source.delete_problems(ROWS_PER_STEP))
        await self._repeat(lambda of_source: of_source.clear_runs_of_changes(ROWS_PER_STEP))
        self._report.runs = await self._repeat(lambda of_source: of_source.delete_runs(RUNS_PER_STEP))
        self._report.libraries = await self._writer.record(self._end, self._context)
        return self._report

    async def _begin(self, session: Session, _: Outbox) -> None:
        """Clear the watermark: a sync after an interrupted removal must read what is deleted here."""
        sources = SourceRepository(session)
        if await sources.find_source(self._source_id) is None:
            raise UnknownSource(f"source {self._source_id!r} is not stored")
        await sources.set_watermark(self._source_id, None)

    async def _delete_items(self, media_type: str) -> None:
        after: int | None = 0
        while after is not None:
            step = partial(self._delete_page_of_items, media_type=media_type, after=after)
            after, items, credits_deleted = await self._writer.record(step, self._context)
            self._report.items += items
            self._report.credits += credits_deleted

    async def _delete_page_of_items(
        self, session: Session, outbox: Outbox, *, media_type: str, after: int
    ) -> tuple[int | None, int, int]:
        """Delete items of one type, and hide the people whom nothing else credits.

        Returns:
            The storage key after which the next page begins, or None; the number of items; that of credits.
        """
        repository = SourceRemovalRepository(session, self._source_id)
        page = await repository.find_items(media_type, after, ITEMS_PER_STEP)
        if not page:
            return None, 0, 0
        found = await repository.lock_items([item_id for _, item_id in page])
        ids = list(reversed(found))  # children before their parents
        shown = [item_id for item_id in ids if found[item_id][1]]
        images = await outbox.find_item_images(shown)
        lists = await CreditRepository(session).find_stored_lists(ids)
        await MediaRepository(session).delete_items(ids)
        for item_id in shown:
            outbox.remove_item(item_id, images[item_id], lists[item_id])
        await hide_uncredited(session, outbox, lists, {item_id: key for item_id, (key, _) in found.items()})
        return page[-1][0], len(ids), sum(map(len, lists.values()))

    async def _delete_people(self) -> None:
        after: int | None = 0
        while after is not None:
            step = partial(self._delete_page_of_people, after=after)
            after, people = await self._writer.record(step, self._context)
            self._report.people += people

    async def _delete_page_of_people(
        self, session: Session, outbox: Outbox, *, after: int
    ) -> tuple[int | None, int]:
        repository = SourceRemovalRepository(session, self._source_id)
        people = await repository.lock_people(after, PEOPLE_PER_STEP)
        if not people:
            return None, 0
        await PeopleRepository(session).delete_people(people)
        for person in people:
            if not person.uncredited:
                outbox.remove_person(person.row)
        return people[-1].key, len(people)

    async def _repeat(self, step: _Step) -> int:
        """Run a step in one transaction after the other, until it finds nothing. Return how much it found."""

        async def work(session: Session, _: Outbox) -> int:
            return await step(SourceRemovalRepository(session, self._source_id))

        total = 0
        while done := await self._writer.record(work, self._context):
            total += done
        return total

    async def _end(self, session: Session, outbox: Outbox) -> int:
        """Delete the source with its libraries, and return how many libraries there were."""
        sources = SourceRepository(session)
        source = await sources.find_source(self._source_id)
        libraries = await sources.list_libraries(self._source_id)
        await SourceRemovalRepository(session, self._source_id).delete_source()
        for library in libraries:
            outbox.remove_library(library)
        if source is not None:
            outbox.remove_source(source)
        return len(libraries)
