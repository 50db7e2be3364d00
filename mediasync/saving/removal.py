"""Removal: marking items that their source no longer has, bringing them back, and deleting them at last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

from mediasync.aio import batched
from mediasync.changes import API, WriteContext
from mediasync.database.session import Session
from mediasync.errors import UnknownItem
from mediasync.reports import PurgeReport
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.items import MediaRepository
from mediasync.repositories.people import PeopleRepository
from mediasync.repositories.removal import RemovalRepository
from mediasync.saving.missing import bring_back, hide_uncredited, mark_missing
from mediasync.saving.outbox import Outbox
from mediasync.saving.writer import Writer

ITEMS_AT_ONCE: Final = 200
"""How many items one transaction marks or deletes at most."""

_PEOPLE_AT_ONCE: Final = 1_000
_MILLISECONDS_PER_DAY: Final = 86_400_000


class Removal:
    """Marks items as missing, brings them back, and deletes those that were missing for long enough.

    Args:
        writer: the task that writes to the database.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def mark(self, item_ids: Collection[str], context: WriteContext) -> list[str]:
        """Mark items as missing. Views and readers no longer show them, nor the people whom only they credit.

        An item that stands above shown items stays. Items of one call may stand above each other.

        Args:
            item_ids: ids of items, stored or not.
            context: the run that found them missing.

        Returns:
            The ids of the items that were shown before and are marked now.
        """

        marked: list[str] = []
        left = sorted(item_ids)
        while left:
            before = len(marked)
            for page in batched(left, ITEMS_AT_ONCE):
                work = partial(mark_missing, item_ids=page, run_id=context.run_id)
                marked += await self._writer.record(work, context)
            if len(marked) == before:
                break
            left = sorted(set(left).difference(marked))
        return marked

    async def restore(self, item_ids: Sequence[str]) -> list[str]:
        """Bring back marked items, with the items above them, and those below that were marked with them.

        Raises:
            UnknownItem: if one of them is not a removed item; nothing is then brought back.
        """

        async def work(session: Session, outbox: Outbox) -> list[str]:
            states = await MediaRepository(session).find_states(item_ids, lock=True)
            for item_id in item_ids:
                if item_id not in states or not states[item_id].missing:
                    what = "is not removed" if item_id in states else "is not stored"
                    raise UnknownItem(f"media item {item_id!r} {what}: mediasync removed lists what is")
            below = await RemovalRepository(session).find_missing_below(item_ids)
            restored = await bring_back(session, outbox, below)
            await PeopleRepository(session).show_people_of(restored)
            return restored

        return await self._writer.record(work)

    async def purge(
        self, keep_days: float, *, source_id: str | None = None, context: WriteContext = API
    ) -> PurgeReport:
        """Delete what was removed longer than *keep_days* days ago, in short transactions.

        Args:
            keep_days: for how many days removed items are kept.
            source_id: only items and people of this source; None for all.
            context: under which lease, if there is one.
        """
        report = PurgeReport()

        async def items(session: Session, outbox: Outbox) -> int:
            before = session.now - round(keep_days * _MILLISECONDS_PER_DAY)
            ids = await RemovalRepository(session).find_expired(source_id, before, ITEMS_AT_ONCE)
            return await _delete(session, outbox, ids)

        async def people(session: Session, _: Outbox) -> int:
            before = session.now - round(keep_days * _MILLISECONDS_PER_DAY)
            return await PeopleRepository(session).purge_uncredited(source_id, before, _PEOPLE_AT_ONCE)

        while deleted := await self._writer.record(items, context):
            report.items += deleted
        while deleted := await self._writer.record(people, context):
            report.people += deleted
        return report


async def _delete(session: Session, outbox: Outbox, item_ids: Sequence[str]) -> int:
    if not item_ids:
        return 0
    media = MediaRepository(session)
    states = await media.find_states(item_ids, lock=True)
    lists = await CreditRepository(session).find_stored_lists(list(states))
    await media.delete_items(list(states))
    await hide_uncredited(session, outbox, lists, {state.id: state.key for state in states.values()})
    return len(states)
