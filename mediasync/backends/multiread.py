"""Reading many things in few requests: halving what fails, and paging by what arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from mediasync.backends.base import Enumerated
from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import RequestRefused, SourceError, SourceUnreadable

T = TypeVar("T")

_GATEWAY: Final = frozenset({502, 504, *range(520, 528)})
_SILENT_IN_A_ROW: Final = 2
_BROKEN_IN_A_ROW: Final = 25


async def read_adaptively(
    ids: Sequence[str],
    read: Callable[[Sequence[str]], Awaitable[T]],
    *,
    refused: Callable[[str, SourceError], None],
) -> AsyncGenerator[T, None]:
    """Read *ids* with as few requests as possible, whichever of them fail.

    A request that is refused (404, 413, 414, 500, …), not answered in time, or answered with what cannot be
    read is halved, down to the one id that fails. One bad id of n costs about 2 log₂ n requests more.

    Args:
        ids: what to read: as many as one request may name.
        read: reads some of them with one request.
        refused: told of each id that cannot be read even alone, and why.

    Yields:
        What *read* returns, in the order of *ids*.

    Raises:
        SourceError: if the source as a whole cannot be read: it is unreachable, say, or so many ids fail one
            after the other, by its own fault, that it looks broken.

    Example::

        async for records in read_adaptively(ids, self._read_items, refused=note):
            ...
    """
    health = _Health()
    waiting = [list(dict.fromkeys(ids))] if ids else []
    while waiting:
        some = waiting.pop()
        try:
            result = await read(some)
        except (SourceUnreadable, NoAnswerInTime) as error:
            if len(some) > 1:
                middle = (len(some) + 1) // 2
                waiting += [some[middle:], some[:middle]]
                continue
            health.note(error)
            refused(some[0], error)
        else:
            health = _Health()
            yield result


@dataclass(slots=True)
class _Health:
    """How many lone ids failed in a row, by what looks like the server's fault and not theirs."""

    silent: int = 0
    broken: int = 0

    def note(self, error: SourceError) -> None:
        """Note that a lone id failed; raise *error* if the server is the one that fails."""
        status = error.status if isinstance(error, RequestRefused) else 0
        silent = isinstance(error, NoAnswerInTime) or status in _GATEWAY
        self.silent = self.silent + 1 if silent else 0
        self.broken = self.broken + 1 if silent or status >= 500 else 0
        if self.silent >= _SILENT_IN_A_ROW or self.broken >= _BROKEN_IN_A_ROW:
            raise error


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing.

    Attributes:
        items: what arrived.
        keys: the key of each of *items*, by which repeats are told; an empty one is nobody's.
        total: how many items the listing has, as the source says with this page; None where it does not.
    """

    items: Sequence[T]
    keys: Sequence[str]
    total: int | None


async def pages(
    fetch: Callable[[int], Awaitable[Page[T]]], *, prefetch: bool = False, most: int = 10_000_000
) -> AsyncGenerator[Page[T] | Enumerated, None]:
    """Read a listing page by page; each page begins after what has arrived.

    Use it with `contextlib.aclosing`, so that nothing is left behind when the loop is left early.

    Args:
        fetch: reads the page that begins at an offset.
        prefetch: whether the next page is read already while a page is worked on.
        most: how many items a listing may have before it counts as one without end.

    Yields:
        The pages, without items that came before (a page of nothing else is left out); at the end one
        `Enumerated`: the listing is complete if as many different items arrived as it has, and the total
        never moved.

    Raises:
        SourceError: what *fetch* raises.

    Example::

        async with aclosing(pages(self._fetch_page)) as listing:
            async for page in listing:
                ...
    """
    listing: _Listing[T] = _Listing(most)
    ahead: asyncio.Task[Page[T]] | None = None
    try:
        while not listing.ended:
            page = await (ahead or fetch(listing.arrived))
            ahead = None
            fresh = listing.add(page)
            if prefetch and not listing.ended:
                ahead = asyncio.ensure_future(_fetch(fetch, listing.arrived))
            if fresh.items:
                yield fresh
        yield listing.enumerated()
    finally:
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)


async def _fetch(fetch: Callable[[int], Awaitable[Page[T]]], start: int) -> Page[T]:
    return await fetch(start)


@dataclass(slots=True)
class _Listing(Generic[T]):
    """What has come of a listing.

    Attributes:
        most: how many items it may have.
        arrived: how many items came, repeats counted: where the next page begins.
        ended: whether there is nothing more to ask for.
    """

    most: int
    arrived: int = 0
    ended: bool = False
    _seen: set[str] = field(default_factory=set)
    _total: int | None = None
    _moved: str = ""
    _flaw: str = ""

    def add(self, page: Page[T]) -> Page[T]:
        """Note a page, and return it without what came before."""
        if page.total is not None:
            if self._total is not None and page.total != self._total and not self._moved:
                self._moved = f"the total moved from {self._total} to {page.total} while it was listed"
            self._total = page.total
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
        elif self._total is not None and self.arrived >= self._total:
            self.ended = True
        elif self.arrived >= self.most:
            self.ended = True
            self._flaw = f"it has no end: {self.arrived} items came"
        return Page([item for item, _ in fresh.values()], [key for _, key in fresh.values()], page.total)

    def enumerated(self) -> Enumerated:
        """Return how much of the listing came."""
        reason = self._flaw or self._moved
        if not reason and self._total is not None and len(self._seen) != self._total:
            reason = f"{len(self._seen)} different items came of {self._total}"
        return Enumerated(self._total, complete=not reason, reason=reason)


def together(ends: Sequence[Enumerated]) -> Enumerated:
    """Return how much came of several listings together."""
    totals = [end.total for end in ends if end.total is not None]
    return Enumerated(
        sum(totals) if len(totals) == len(ends) else None,
        complete=all(end.complete for end in ends),
        reason="; ".join(end.reason for end in ends if end.reason),
    )
