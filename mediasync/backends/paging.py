"""Reads a listing page by page, and with smaller pages if large ones fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from mediasync.backends.base import Enumerated, Expected
from mediasync.backends.multiread import BROKEN_IN_A_ROW, SILENT_IN_A_ROW, is_silent
from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import RequestRefused, SourceError, SourceUnreadable

T = TypeVar("T")

MAX_ITEMS: Final = 1_000_000
"""The most items of a listing that gives no total. Their keys are held in memory."""

MAX_BEYOND: Final = 10_000
"""How many items a listing may have beyond its first total, or as many as that total if that is more."""

_BROKEN_AT_THE_START: Final = 5
_FEWER: Final = 2
_FEWER_IN_TIME: Final = 8
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing.

    Attributes:
        items: the items that arrived.
        keys: the key of each item, by which repeats are recognised; empty for an item without a key.
        total: how many items the listing has, by what the source says with this page; None if it does not
            say.
        last: whether the source says that this is the last page.
    """

    items: Sequence[T]
    keys: Sequence[str]
    total: int | None
    last: bool = False


@dataclass(frozen=True, slots=True)
class Hole:
    """An entry of a listing that cannot be read even with a request of its own.

    Attributes:
        position: how many entries come before it.
        key: the item's key; empty if it is not known.
        reason: why it cannot be read.
    """

    position: int
    key: str
    reason: str


Fetch = Callable[[int, int], Awaitable[Page[T]]]


def is_lasting(error: SourceError) -> bool:
    """Return whether a smaller page would be refused, too: the listing does not exist."""
    return isinstance(error, RequestRefused) and error.status == _NOT_FOUND


async def pages(
    fetch: Fetch[T],
    size: int,
    *,
    prefetch: bool = False,
    most: int = MAX_ITEMS,
    name: Callable[[int], Awaitable[str | None]] | None = None,
    lasting: Callable[[SourceError], bool] = is_lasting,
) -> AsyncGenerator[Page[T] | Hole | Enumerated, None]:
    """Read a listing page by page. Each page begins after the items that have arrived.

    A page that is refused, times out or gets an unreadable answer is asked for again in smaller parts, down
    to the single entry that is at fault. If all the parts can be read, later pages are as small as they.

    The stated total is not taken for the end: after a full page the next one is always asked for.

    Use it with `contextlib.aclosing`, so that no task is left behind when the loop ends early.

    Args:
        fetch: reads the page that begins at an offset and has at most a number of items.
        size: how many items a page has at most.
        prefetch: whether to read the next page while a page is being processed.
        most: how many items a listing may have before it counts as endless.
        name: finds the key of an item that cannot be read, by its position; returns None if it cannot.
        lasting: returns whether a smaller page would meet the same error.

    Yields:
        The pages without repeated items (a page of nothing else is left out), and the holes; at the end an
        `Enumerated`. The listing is complete if the number of different items equals the total, the total
        never changed, and every item has a key.

    Raises:
        SourceError: the error of *fetch*, if smaller pages do not help or too many entries fail in a row.

    Example::

        async with aclosing(pages(self._fetch_page, 500)) as listing:
            async for page in listing:
                ...
    """
    listing: _Received[T] = _Received(most)
    pager = _Pager(fetch, size, name, lasting)
    ahead: asyncio.Task[tuple[Page[T] | Hole, int]] | None = None
    early: list[Hole] = []  # if no page ever arrives, the listing is at fault and not its first entries
    arrived = False
    try:
        while not listing.ended:
            page, asked = await (ahead or pager.next(listing.arrived, beyond=listing.is_beyond))
            ahead = None
            fresh = listing.add_hole(page) if isinstance(page, Hole) else listing.add(page, asked)
            if prefetch and not listing.ended:
                ahead = asyncio.ensure_future(pager.next(listing.arrived, beyond=listing.is_beyond))
            arrived = arrived or listing.ended or isinstance(page, Page)
            if isinstance(fresh, Hole) and not arrived:
                early.append(fresh)
                continue
            for hole in early:
                yield hole
            early.clear()
            if isinstance(fresh, Hole) or fresh.items:
                yield fresh
        yield listing.enumerated()
    finally:
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)


@dataclass(slots=True)
class _Failed:
    """A range of a listing that could not be read with one request.

    Attributes:
        end: the position after its last entry.
        step: how many of its entries are now asked for at once.
        explained: whether it contains an entry that cannot be read at all.
    """

    end: int
    step: int
    explained: bool = False


class _Pager(Generic[T]):
    """Asks for pages, and for smaller ones if large ones fail."""

    def __init__(
        self,
        fetch: Fetch[T],
        size: int,
        name: Callable[[int], Awaitable[str | None]] | None,
        lasting: Callable[[SourceError], bool],
    ) -> None:
        self._fetch = fetch
        self._largest = size
        self._name = name
        self._lasting = lasting
        self._failed: list[_Failed] = []
        self._arrived = False
        self._holes = 0
        self._silent = 0

    async def next(self, start: int, *, beyond: bool) -> tuple[Page[T] | Hole, int]:
        """Return the page or hole at a position, and how many items were asked for.

        Args:
            start: the position: how many entries come before it.
            beyond: whether as many items as the total says have arrived. A failure is then the end.
        """
        self._leave_ranges(start)
        while True:
            size = self._size(start)
            try:
                page = await self._fetch(start, size)
            except (SourceUnreadable, NoAnswerInTime) as error:
                if self._lasting(error):
                    raise
                if beyond:
                    return Page([], [], None, last=True), size
                if size == 1:
                    return await self._hole(start, error), size
                fewer = _FEWER_IN_TIME if isinstance(error, NoAnswerInTime) else _FEWER
                self._failed.append(_Failed(start + size, max(1, size // fewer)))
            else:
                self._arrived = True
                self._holes = self._silent = 0
                return page, size

    def _size(self, start: int) -> int:
        if not self._failed:
            return self._largest
        inner = self._failed[-1]
        return min(inner.step, self._largest, inner.end - start)

    def _leave_ranges(self, start: int) -> None:
        """Forget the failed ranges that end here. If no entry of one was at fault, its size was."""
        while self._failed and start >= self._failed[-1].end:
            left = self._failed.pop()
            if not left.explained:
                self._largest = min(self._largest, left.step)

    async def _hole(self, start: int, error: SourceError) -> Hole:
        self._holes += 1
        self._silent = self._silent + 1 if is_silent(error) else 0
        most = BROKEN_IN_A_ROW if self._arrived else _BROKEN_AT_THE_START
        if self._silent >= SILENT_IN_A_ROW or self._holes >= most:
            raise error
        for failed in self._failed:
            failed.explained = True
        return Hole(start, await self._key(start), f"it is listed, but cannot be read: {error.reason}")

    async def _key(self, start: int) -> str:
        if self._name is None:
            return ""
        try:
            return await self._name(start) or ""
        except (SourceUnreadable, NoAnswerInTime):
            return ""  # a hole without a key makes the listing incomplete


@dataclass(slots=True)
class _Received(Generic[T]):
    """What has arrived of a listing.

    Attributes:
        most: how many items it may have before it counts as endless.
        arrived: how many items have arrived, repeats included: the position of the next page.
        ended: whether there is no further page to ask for.
    """

    most: int
    arrived: int = 0
    ended: bool = False
    _seen: set[str] = field(default_factory=set)
    _first_total: int | None = None
    _total: int | None = None
    _largest: int = 0
    _moved: str = ""
    _flaw: str = ""
    _nameless: str = ""

    @property
    def is_beyond(self) -> bool:
        """Whether as many items as the total says have arrived."""
        return bool(self._total) and self.arrived >= (self._total or 0)

    def add(self, page: Page[T], asked: int) -> Page[T]:
        """Note a page, and return it without repeated items.

        Args:
            page: the page that arrived.
            asked: how many items were asked for.
        """
        if page.total is not None:
            if self._total is not None and page.total != self._total and not self._moved:
                self._moved = f"the total moved from {self._total} to {page.total} while it was listed"
            self._total = page.total
            if self._first_total is None:
                self._first_total = page.total
        fresh: dict[str, tuple[T, str]] = {}
        for place, (item, key) in enumerate(zip(page.items, page.keys, strict=True), self.arrived):
            known_by = key or f"\0{place}"
            if known_by not in self._seen:
                fresh.setdefault(known_by, (item, key))
        self._seen.update(fresh)
        start, self.arrived = self.arrived, self.arrived + len(page.items)
        if not page.items:
            self.ended = True
            if self._total is not None and start < self._total:
                self._flaw = f"nothing came after item {start} of {self._total}"
        elif not fresh:
            self.ended = True
            self._flaw = f"the page at {start} brought only what had come before"
        elif page.last or (self.arrived == self._total and not self._is_full(page, asked)):
            self.ended = True
        else:
            self._look_for_an_end()
        self._largest = max(self._largest, len(page.items))
        return Page([item for item, _ in fresh.values()], [key for _, key in fresh.values()], page.total)

    def add_hole(self, hole: Hole) -> Hole:
        """Note an entry that cannot be read, and return it."""
        self._seen.add(hole.key or f"\0{hole.position}")
        if not hole.key and not self._nameless:
            self._nameless = f"entry {hole.position} of the listing has a key that cannot be read"
        self.arrived += 1
        self._look_for_an_end()
        return hole

    def _is_full(self, page: Page[T], asked: int) -> bool:
        """Return whether a page has as many items as were asked for, or as the server gives at most."""
        return len(page.items) >= (min(asked, self._largest) if self._largest else asked)

    def _look_for_an_end(self) -> None:
        most = self.most
        if self._first_total:
            most = min(most, self._first_total + max(self._first_total, MAX_BEYOND))
        if self.arrived >= most:
            self.ended = True
            said = f", though it says {self._first_total}" if self._first_total else ""
            self._flaw = f"it has no end: {self.arrived} items came{said}"

    def enumerated(self) -> Enumerated:
        """Return how completely the listing was read."""
        reason = self._flaw or self._moved or self._nameless
        if not reason and self._total is not None and len(self._seen) != self._total:
            reason = f"{len(self._seen)} different items came of {self._total}"
        return Enumerated(self._total, complete=not reason, reason=reason)


class Totals:
    """The totals of one library's listings, added up once all of them are known.

    Args:
        listings: the names of the listings.

    Example:
        >>> totals = Totals(["show", "episode"])
        >>> list(totals.note("show", 2)), list(totals.note("episode", 40)), list(totals.note("episode", 40))
        ([], [Expected(total=42)], [])
    """

    def __init__(self, listings: Iterable[str]) -> None:
        self._totals: dict[str, int | None] = dict.fromkeys(listings)

    def note(self, listing: str, total: int | None) -> Iterator[Expected]:
        """Note the total that came with a page, and yield the sum if it was the last one missing.

        Only the first total of each listing counts.
        """
        if total is None or self._totals[listing] is not None:
            return
        self._totals[listing] = total
        known = [each for each in self._totals.values() if each is not None]
        if len(known) == len(self._totals):
            yield Expected(sum(known))


def together(ends: Sequence[Enumerated]) -> Enumerated:
    """Return how completely several listings were read, as one."""
    totals = [end.total for end in ends if end.total is not None]
    return Enumerated(
        sum(totals) if len(totals) == len(ends) else None,
        complete=all(end.complete for end in ends),
        reason="; ".join(end.reason for end in ends if end.reason),
    )
