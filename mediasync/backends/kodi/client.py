"""Listings of Kodi, page by page.

A page is asked for with ``limits``, in the order of Kodi's database. Any ``sort`` would make Kodi load and
sort the whole library for each page: as the order is not promised, it is checked instead. Each page but the
first begins with the last item of the one before, so that an item that came or went on the way is noticed;
and what arrives is counted against the total.

A page that cannot be read is asked for again in smaller parts, down to the one item that is at fault; that
one is `Unreadable`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from mediasync.backends.base import Enumerated, Unreadable
from mediasync.backends.kodi.kinds import KodiKind
from mediasync.backends.kodi.rpc import INVALID_PARAMS, METHOD_NOT_FOUND, KodiRefused, Rpc
from mediasync.backends.paging import Hole, Page, pages
from mediasync.errors import SourceError, SourceUnreadable

_READS: Final = 3

# Work on a page leaves the event loop few turns. The request for the next one takes some to be sent: it gets
# them first, so that Kodi works at the same time.
_HEAD_START: Final = 0.001


@dataclass(slots=True)
class Listing:
    """One listing of Kodi.

    Args:
        rpc: asks Kodi.
        kind: of the items.
        page_size: how many items are asked for at once, at most.

    Attributes:
        oddities: why it is not certain that all items were listed.
        total: how many there are, as Kodi said last; None before it has said so.
    """

    rpc: Rpc
    kind: KodiKind
    page_size: int
    oddities: list[str] = field(default_factory=list)
    total: int | None = None
    _last: str | None = None

    async def read(
        self, check: Callable[[Sequence[Mapping[str, Any]]], Awaitable[bool]] | None = None
    ) -> AsyncGenerator[Sequence[Mapping[str, Any] | Unreadable] | Enumerated, None]:
        """Read it all.

        Args:
            check: called with the records of each page when it has arrived, without items that came before.
                It says whether they may be used; else the page is read again, and used after the third time.

        Yields:
            The pages, and `Enumerated` at the end.

        Raises:
            SourceError: if Kodi cannot be read on.
        """

        checked: set[str] = set()

        async def fetch(offset: int, size: int) -> Page[Mapping[str, Any] | Unreadable]:
            for _ in range(_READS):
                page = await self._fetch(offset, size)
                if check is None or await check(_first_of_each(page, checked)):
                    break
            if check is not None:
                checked.update(page.keys)
            named = page.items and not isinstance(page.items[-1], Unreadable)
            self._last = page.keys[-1] if named else None
            return page

        listing = pages(fetch, self.page_size, prefetch=True, name=self._name, lasting=_is_lasting)
        async with aclosing(listing) as stream:
            async for page in stream:
                if isinstance(page, Page):
                    await asyncio.sleep(_HEAD_START)
                    yield page.items
                elif isinstance(page, Hole):
                    yield [Unreadable(page.key or f"{self.kind.plural}[{page.position}]", page.reason)]
                elif page.complete and self.oddities:
                    yield Enumerated(page.total, complete=False, reason="; ".join(self.oddities))
                else:
                    yield page

    async def _fetch(self, offset: int, size: int) -> Page[Mapping[str, Any] | Unreadable]:
        overlap = 1 if offset and self._last is not None else 0
        records, total = await self._ask(offset - overlap, offset + size, self.kind.properties)
        self.total = total
        if overlap and (not records or self.kind.key(records[0]) != self._last):
            self._note("items came, went or moved while they were listed")
        items: list[Mapping[str, Any] | Unreadable] = []
        keys: list[str] = []
        for position, record in enumerate(records[overlap:], offset):
            key = self.kind.key(record)
            place = f"{self.kind.plural}[{position}]"
            unnamed = Unreadable(place, f"Kodi listed it without an id: {_named(record)}")
            if key is None:
                self._note(unnamed.reason)
            items.append(record if key else unnamed)
            keys.append(key or place)
        return Page(items, keys, total)

    async def _name(self, offset: int) -> str | None:
        """Return the key of the one item that cannot be read in full."""
        self._last = None
        records, _ = await self._ask(offset, offset + 1, ())
        return self.kind.key(records[0]) if records else None

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


def _first_of_each(
    page: Page[Mapping[str, Any] | Unreadable], before: Collection[str]
) -> list[Mapping[str, Any]]:
    """Return the records of a page, each item once and none whose key is among *before*."""
    records: dict[str, Mapping[str, Any]] = {}
    for key, item in zip(page.keys, page.items, strict=True):
        if key not in before and not isinstance(item, Unreadable):
            records.setdefault(key, item)
    return list(records.values())


def _named(record: Mapping[str, Any]) -> str:
    label = record.get("label") or record.get("title")
    return repr(label) if isinstance(label, str) else "nor with a name"


def _is_lasting(error: SourceError) -> bool:
    """Return whether Kodi lacks the method or does not take what it is asked, however few items they are."""
    return isinstance(error, KodiRefused) and error.code in {METHOD_NOT_FOUND, INVALID_PARAMS}
