"""Streams: one call that saves many items, with a bounded number of them in memory."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from typing import Final, TypeVar

from mediasync.changes import WriteContext
from mediasync.errors import DataError, InvalidItem, MediaSyncError, UnknownParent, UsageError
from mediasync.models import MediaItem
from mediasync.reports import SaveReport, SaveResult
from mediasync.rows import NormalItem
from mediasync.saving.normal import normal_item
from mediasync.saving.writer import Save, Writer

T = TypeVar("T")

_ITEMS_PER_TURN: Final = 32
_SECONDS_PER_TURN: Final = 0.005
"""Others get a turn after so many items, which take tens of microseconds each, or after so long."""


async def as_async(values: Iterable[T] | AsyncIterable[T]) -> AsyncGenerator[T, None]:
    """Iterate over *values*, which may be any kind of iterable."""
    if isinstance(values, AsyncIterable):
        async for value in values:
            yield value
    else:
        for value in values:
            yield value


class SaveStream:
    """Saves a stream of items through the writer, holding a bounded number of them.

    Args:
        writer: the task that writes.
        report: counts the outcomes.
        concurrency: how many items may be in memory before their commit.
        orphan_window: how many items may wait for their parents.
        context: why the items are saved.
    """

    def __init__(
        self,
        writer: Writer,
        report: SaveReport,
        concurrency: int,
        orphan_window: int,
        context: WriteContext,
    ) -> None:
        self._writer = writer
        self._report = report
        self._concurrency = concurrency
        self._orphan_window = orphan_window
        self._context = context
        self._under_way: set[Save] = set()
        self._newest: dict[str, Save] = {}
        self._orphans: dict[str, tuple[NormalItem, UnknownParent]] = {}
        self._children: dict[str, list[str]] = {}
        self._children_under_way: defaultdict[str, set[Save]] = defaultdict(set)
        self._overtaken: set[Save] = set()
        self._moved = asyncio.Event()
        self._fatal: Exception | None = None

    async def save(self, items: AsyncIterator[MediaItem], source_id: str, library_id: str) -> None:
        """Save all of *items*, and return when they are committed or reported.

        Raises:
            MediaSyncError: if the database fails as a whole; nothing more is then taken from *items*.
            BaseException: if *items* raises it; items that were taken before are saved.
        """
        try:
            position = 0
            clock = asyncio.get_running_loop().time
            end = clock() + _SECONDS_PER_TURN
            async for item in items:
                if self._fatal is not None:
                    break
                self._take(item, position, source_id, library_id)
                position += 1
                if position % _ITEMS_PER_TURN == 0 or clock() > end:
                    await self._writer.give_way()
                    end = clock() + _SECONDS_PER_TURN
                while len(self._under_way) >= self._concurrency:
                    await self._movement()
        except asyncio.CancelledError:
            self._abandon()
            raise
        except BaseException:
            await self._drain()
            raise
        await self._drain()
        if self._fatal is not None:
            raise self._fatal

    def _take(self, item: MediaItem, position: int, source_id: str, library_id: str) -> None:
        if not isinstance(item, MediaItem):
            raise UsageError(f"item {position} of the stream is a {type(item).__name__}, not a media item")
        try:
            normal = normal_item(item, source_id, library_id)
        except InvalidItem as error:
            self._report.failed.append((error.item_id, error.reason))
        else:
            self._orphans.pop(normal.id, None)
            self._submit(normal)

    def _submit(self, item: NormalItem) -> None:
        save = Save(item, self._done, self._context)
        self._under_way.add(save)
        self._newest[item.id] = save
        if item.parent_id:
            self._children_under_way[item.parent_id].add(save)
        try:
            self._writer.submit(save)
        except MediaSyncError as error:
            save.answer(error)

    def _done(self, save: Save, outcome: SaveResult | Exception) -> None:
        self._under_way.discard(save)
        self._moved.set()
        parent_came = self._forget_child(save)
        newest = self._newest.get(save.item.id) is save
        if newest:
            del self._newest[save.item.id]
        if isinstance(outcome, SaveResult):
            self._report.add(outcome)
            self._overtaken |= self._children_under_way.get(save.item.id, set())
            for child_id in self._children.pop(save.item.id, ()):
                if child_id in self._orphans and not save.abandoned:
                    self._submit(self._orphans.pop(child_id)[0])
        elif isinstance(outcome, UnknownParent):
            if newest and parent_came:
                self._submit(save.item)
            elif newest:
                self._hold(save.item, outcome)
        elif isinstance(outcome, InvalidItem | DataError | UsageError):
            reason = outcome.reason if isinstance(outcome, InvalidItem) else str(outcome)
            self._report.failed.append((save.item.id, reason))
        elif self._fatal is None:
            self._fatal = outcome
            self._abandon()

    def _forget_child(self, save: Save) -> bool:
        """Note that a save has ended. Return whether its parent was saved meanwhile."""
        parent_id = save.item.parent_id
        if not parent_id:
            return False
        self._children_under_way[parent_id].discard(save)
        if not self._children_under_way[parent_id]:
            del self._children_under_way[parent_id]
        came = save in self._overtaken
        self._overtaken.discard(save)
        return came

    def _hold(self, item: NormalItem, error: UnknownParent) -> None:
        if len(self._orphans) >= self._orphan_window:
            oldest, old_error = self._orphans.pop(next(iter(self._orphans)))
            self._report.failed.append((oldest.id, old_error.reason))
        self._orphans[item.id] = (item, error)
        self._children.setdefault(item.parent_id or "", []).append(item.id)

    def _abandon(self) -> None:
        for save in self._under_way:
            save.abandoned = True

    async def _movement(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    async def _drain(self) -> None:
        try:
            while self._under_way:
                await self._movement()
        except asyncio.CancelledError:
            self._abandon()
            raise
        self._report.failed += [(orphan.id, error.reason) for orphan, error in self._orphans.values()]
