"""What a sync would write, found out without writing: the dry run."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Final

from mediasync.database.database import Database
from mediasync.errors import InvalidItem
from mediasync.ids import make_id
from mediasync.models import MediaItem
from mediasync.reports import SaveReport, SaveResult, SaveStatus
from mediasync.repositories.items import MediaRepository
from mediasync.rows import NormalItem
from mediasync.saving.normal import normal_item
from mediasync.saving.plan import describe_change
from mediasync.saving.stream import as_async
from mediasync.vocabulary import PARENT_TYPES

_PAGE: Final = 200


class Comparison:
    """Compares items with what is stored, by their fingerprints: a `Keeper` that writes nothing.

    Args:
        database: an open database, which is only read.
        source_id: of the items.

    Attributes:
        changes: (id, what) of each item that would be written.
    """

    def __init__(self, database: Database, source_id: str) -> None:
        self._database = database
        self._source_id = source_id
        self.changes: list[tuple[str, str]] = []
        self._parents: set[str] = set()
        self._recognised: dict[str, str] = {}

    async def take_over(self, taken: Sequence[tuple[str, str, str]]) -> None:
        """Note that stored items have other keys now; see `Keeper.take_over`."""
        for item_id, remote_id, _ in taken:
            self._recognised[make_id(self._source_id, remote_id)] = item_id

    def stored_id(self, item_id: str) -> str:
        """Return the id of the stored item that was recognised in one with a new key, or *item_id* itself."""
        return self._recognised.get(item_id, item_id)

    async def save(
        self, items: Iterable[MediaItem] | AsyncIterable[MediaItem], library_id: str, report: SaveReport
    ) -> None:
        """Compare items of a library, and count in *report* as if they were saved."""
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
