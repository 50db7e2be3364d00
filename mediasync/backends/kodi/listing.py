"""Listings of Kodi, page by page.

A page is asked for with ``limits``, in the order of Kodi's database. Any ``sort`` would make Kodi load and
sort the whole library for each page: as the order is not promised, it is checked instead. Each page but the
first begins with the last item of the one before, so that an item that came or went on the way is noticed;
and what arrives is counted against the total.

A page that cannot be read is asked for again in smaller parts, down to the one item that is at fault; that
one is a `Hole`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from mediasync.backends.base import Enumerated
from mediasync.backends.kodi.kinds import Kind
from mediasync.backends.kodi.rpc import INVALID_PARAMS, METHOD_NOT_FOUND, KodiRefused, Rpc
from mediasync.backends.multiread import Page, pages
from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import RequestRefused, SourceError, SourceUnreadable

_READS: Final = 3
_FEWER: Final = 4

# Work on a page leaves the event loop few turns. The request for the next one takes some to be sent: it gets
# them first, so that Kodi works at the same time.
_HEAD_START: Final = 0.001


@dataclass(frozen=True, slots=True)
class Hole:
    """An item that is listed and cannot be read.

    Attributes:
        key: its key, or where it stands if even that cannot be read.
        reason: why it cannot be read.
    """

    key: str
    reason: str


@dataclass(slots=True)
class Listing:
    """One listing of Kodi.

    Args:
        rpc: asks Kodi.
        kind: of the items.
        page_size: how many items are asked for at once, at most.

    Attributes:
        oddities: why it is not certain that all items were listed.
    """

    rpc: Rpc
    kind: Kind
    page_size: int
    oddities: list[str] = field(default_factory=list)
    _last: str | None = None
    _size: int = 0

    def __post_init__(self) -> None:
        self._size = self.page_size

    async def read(
        self, check: Callable[[Sequence[Mapping[str, Any]]], Awaitable[bool]] | None = None
    ) -> AsyncGenerator[Sequence[Mapping[str, Any] | Hole] | Enumerated, None]:
        """Read it all.

        Args:
            check: called with the records of each page when it has arrived. It tells whether they may be
                used; else the page is read again, and used after the third time.

        Yields:
            The pages, and `Enumerated` at the end.

        Raises:
            SourceError: if Kodi cannot be read on.
        """

        async def fetch(offset: int) -> Page[Mapping[str, Any] | Hole]:
            for _ in range(_READS):
                page = await self._fetch(offset)
                if check is None or await check([item for item in page.items if not isinstance(item, Hole)]):
                    break
            self._last = page.keys[-1] if page.keys and not isinstance(page.items[-1], Hole) else None
            return page

        async with aclosing(pages(fetch, prefetch=True)) as stream:
            async for page in stream:
                if isinstance(page, Page):
                    await asyncio.sleep(_HEAD_START)
                    yield page.items
                elif page.complete and self.oddities:
                    yield Enumerated(page.total, complete=False, reason="; ".join(self.oddities))
                else:
                    yield page

    async def _fetch(self, offset: int) -> Page[Mapping[str, Any] | Hole]:
        overlap = 1 if offset and self._last is not None else 0
        while True:
            try:
                records, total = await self._ask(offset - overlap, offset + self._size, self.kind.properties)
                break
            except KodiRefused as error:
                if error.code in {METHOD_NOT_FOUND, INVALID_PARAMS}:
                    raise
                failure: SourceError = error
            except (RequestRefused, SourceUnreadable, NoAnswerInTime) as error:
                failure = error
            if self._size == 1:
                return await self._fetch_hole(offset, failure)
            self._size = max(1, self._size // _FEWER)
        self._size = min(self.page_size, self._size * _FEWER)
        if overlap and (not records or self.kind.key(records[0]) != self._last):
            self._note("items came, went or moved while they were listed")
        items: list[Mapping[str, Any] | Hole] = []
        keys: list[str] = []
        for position, record in enumerate(records[overlap:], offset):
            key = self.kind.key(record)
            hole = Hole(f"{self.kind.plural}[{position}]", f"Kodi listed it without an id: {_named(record)}")
            if key is None:
                self._note(hole.reason)
            items.append(record if key else hole)
            keys.append(key or hole.key)
        return Page(items, keys, total)

    async def _fetch_hole(self, offset: int, error: SourceError) -> Page[Mapping[str, Any] | Hole]:
        """Ask for the id of the one item that cannot be read in full."""
        records, total = await self._ask(offset, offset + 1, ())
        key = self.kind.key(records[0]) if records else None
        hole = Hole(
            key or f"{self.kind.plural}[{offset}]", f"it is listed, but cannot be read: {error.reason}"
        )
        return Page([hole], [hole.key], total)

    async def _ask(
        self, start: int, end: int, properties: Sequence[str]
    ) -> tuple[list[Mapping[str, Any]], int]:
        result = await self.rpc.call(
            self.kind.method, properties=list(properties), limits={"start": start, "end": end}
        )
        limits = result.get("limits") if isinstance(result, Mapping) else None
        total = limits.get("total") if isinstance(limits, Mapping) else None
        if not isinstance(result, Mapping) or not isinstance(total, int) or isinstance(total, bool):
            raise SourceUnreadable(
                self.rpc.source_id, f"{self.kind.method}: the answer does not say how many there are"
            )
        records = result.get(self.kind.plural, [] if total <= start else None)
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise SourceUnreadable(
                self.rpc.source_id, f"{self.kind.method}: the answer holds no list of {self.kind.plural}"
            )
        return records, total

    def _note(self, oddity: str) -> None:
        if oddity not in self.oddities:
            self.oddities.append(oddity)


def _named(record: Mapping[str, Any]) -> str:
    label = record.get("label") or record.get("title")
    return repr(label) if isinstance(label, str) else "nor with a name"
