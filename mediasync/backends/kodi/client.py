"""The requests for the items of a Kodi: listings page by page, and single items by their ids.

A page is asked for with ``limits``, in the order of Kodi's database. A ``sort`` would make Kodi load and sort
the whole library for each page. As the order is not promised, it is checked instead: each page but the first
begins with the last item of the one before, which shows whether an item was added or removed meanwhile. And
the items that arrive are counted and compared with the total.

Items at the beginning of a listing that a run which broke off has just read are listed by their ids alone.

A page that cannot be read is asked for again in smaller parts, down to the one item that is at fault, which
becomes an `Unreadable`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from itertools import takewhile
from typing import Any, Final, NamedTuple

from mediasync.backends.base import Enumerated, Unchanged, Unreadable
from mediasync.backends.kodi.kinds import EPISODES, SHOWS, KodiKind
from mediasync.backends.kodi.rpc import INVALID_PARAMS, METHOD_NOT_FOUND, Call, KodiRefused, Result, Rpc
from mediasync.backends.kodi.values import parse_id
from mediasync.backends.multiread import read_adaptively
from mediasync.backends.paging import Hole, Page, pages
from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import RequestRefused, SourceError, SourceUnreadable

_READS: Final = 3
_ITEMS_PER_REQUEST: Final = 50
_IDS_PER_REQUEST: Final = 5_000
_SHOWS_PER_REQUEST: Final = 100
_LARGEST_ID: Final = 2**31 - 1
_FRIENDLY_NAME: Final = "System.FriendlyName"

# Parsing a page keeps the event loop busy. This pause lets the request for the next page be sent first, so
# that Kodi works at the same time.
_HEAD_START: Final = 0.001

Item = Mapping[str, Any] | Unreadable | Unchanged
"""A record of Kodi's, an item that cannot be read, or one that was just read."""

Check = Callable[[Sequence[Mapping[str, Any]]], Awaitable[bool]]


class Greeting(NamedTuple):
    """What Kodi says of itself.

    Attributes:
        api_version: the major version of its API; None if it does not say.
        application: the application's name; None if it does not say.
        name: what its owner calls it; empty if nothing.
    """

    api_version: int | None
    application: str | None
    name: str


class Client:
    """Sends requests to one Kodi.

    Args:
        rpc: calls Kodi's methods.
        page_size: how many items a page of a listing has at most.
    """

    def __init__(self, rpc: Rpc, page_size: int) -> None:
        self._rpc = rpc
        self._page_size = page_size

    async def fetch_greeting(self) -> Greeting:
        """Return what Kodi says of itself.

        Raises:
            SourceError: as `Rpc.call_all` says.
        """
        version, application, labels = await self._rpc.call_all(
            [
                Call("JSONRPC.Version", {}),
                Call("Application.GetProperties", {"properties": ["name", "version"]}),
                Call("XBMC.GetInfoLabels", {"labels": [_FRIENDLY_NAME]}),
            ]
        )
        number = _field(_field(version, "version"), "major")
        product = _field(application, "name")
        name = _field(labels, _FRIENDLY_NAME)
        return Greeting(
            number if isinstance(number, int) else None,
            product if isinstance(product, str) else None,
            name.strip() if isinstance(name, str) and name.strip() != "Busy" else "",
        )

    def list_items(
        self, kind: KodiKind, check: Check | None = None, just_read: Collection[str] = ()
    ) -> AsyncGenerator[Page[Item] | Enumerated, None]:
        """List the items of one kind.

        Args:
            kind: the kind to list.
            check: called with the new records of each page, and returns whether they can be used. A page that
                cannot is read again, up to three times, and then used anyway.
            just_read: the keys of items that need not be read again.

        Yields:
            Pages, each item once; at the end an `Enumerated`.

        Raises:
            SourceError: if reading from Kodi fails.
        """
        return _Listing(self._rpc, kind, self._page_size, just_read).read(check)

    async def fetch_items(self, kind: KodiKind, keys: Collection[str]) -> list[Item]:
        """Return those items of *keys* that are of one kind, in the order of their ids.

        Raises:
            SourceError: if reading from Kodi fails.
        """
        ids = sorted({item_id for key in keys if (item_id := kind.id_of(key)) is not None})
        found: dict[str, Item] = {}

        async def read(names: Sequence[str]) -> None:
            calls = [
                Call(kind.details, {kind.id_name: int(name), "properties": list(kind.properties)})
                for name in names
            ]
            for name, result in zip(names, await self._rpc.call_all(calls), strict=True):
                found[name] = _item(kind, name, result)

        def refused(name: str, error: SourceError) -> None:
            found[name] = Unreadable(f"{kind.name}/{name}", f"it cannot be read: {error.reason}")

        names = [str(item_id) for item_id in ids if 0 < item_id <= _LARGEST_ID]
        for start in range(0, len(names), _ITEMS_PER_REQUEST):
            async for _ in read_adaptively(names[start : start + _ITEMS_PER_REQUEST], read, refused=refused):
                pass
        unusable = [
            Unreadable(f"{kind.name}/{item_id}", "Kodi has no ids that are 0 or so large")
            for item_id in ids
            if str(item_id) not in names
        ]
        return [*unusable, *(found[name] for name in names)]

    async def fetch_show_casts(self, show_ids: Iterable[int]) -> dict[int, Mapping[str, Any] | None]:
        """Return records of shows that hold their casts, by id; None for a show that cannot be read.

        Raises:
            SourceError: if reading from Kodi fails.
        """
        shows: dict[int, Mapping[str, Any] | None] = dict.fromkeys(show_ids)

        async def read(ids: Sequence[str]) -> None:
            calls = [
                Call(SHOWS.details, {SHOWS.id_name: int(show_id), "properties": ["cast"]}) for show_id in ids
            ]
            for show_id, result in zip(ids, await self._rpc.call_all(calls), strict=True):
                record = _field(result, SHOWS.details_name)
                if isinstance(record, Mapping):
                    shows[int(show_id)] = record

        def refused(_show_id: str, _error: SourceError) -> None:
            """Leave the show None. Its episodes then keep their casts as previews, with a problem noted."""

        known = [str(show_id) for show_id in shows if show_id > 0]
        for start in range(0, len(known), _SHOWS_PER_REQUEST):
            part = known[start : start + _SHOWS_PER_REQUEST]
            async for _ in read_adaptively(part, read, refused=refused):
                pass
        return shows

    async def find_crediting(self, questions: Sequence[tuple[int, list[str]]]) -> list[set[int] | None]:
        """Return the ids of the episodes that themselves credit people by name.

        Args:
            questions: pairs of a show's id and names. An episode counts if it credits one of them.

        Returns:
            For each question a set; None if Kodi gave no usable answer.
        """
        calls = [
            Call(
                EPISODES.method,
                {SHOWS.id_name: show_id, "filter": {"field": "actor", "operator": "is", "value": names}},
            )
            for show_id, names in questions
        ]
        try:
            return [_episode_ids(result) for result in await self._rpc.call_all(calls)]
        except (RequestRefused, SourceUnreadable, NoAnswerInTime):
            return [None] * len(calls)


class _Listing:
    """The listing of one kind.

    Args:
        rpc: calls Kodi's methods.
        kind: the kind to list.
        page_size: how many items a page has at most.
        just_read: the keys of items that need not be read again, if they come first.
    """

    def __init__(self, rpc: Rpc, kind: KodiKind, page_size: int, just_read: Collection[str]) -> None:
        self._rpc = rpc
        self._kind = kind
        self._page_size = page_size
        self._just_read = just_read
        self._skips = bool(just_read)
        self._oddities: list[str] = []
        self._last: str | None = None

    async def read(self, check: Check | None) -> AsyncGenerator[Page[Item] | Enumerated, None]:
        """Read all pages; see `Client.list_items`."""
        checked: set[str] = set()

        async def fetch(offset: int, size: int) -> Page[Item]:
            for _ in range(_READS):
                page = await self._fetch(offset, size)
                if check is None or await check(_new_records(page, checked)):
                    break
            if check is not None:
                checked.update(page.keys)
            named = page.items and not isinstance(page.items[-1], Unreadable)
            self._last = page.keys[-1] if named else None
            return page

        listing = pages(fetch, self._page_size, prefetch=True, name=self._find_key, lasting=_is_lasting)
        async with aclosing(listing) as stream:
            async for page in stream:
                if isinstance(page, Page):
                    await asyncio.sleep(_HEAD_START)
                    yield page
                elif isinstance(page, Hole):
                    key = page.key or f"{self._kind.plural}[{page.position}]"
                    yield Page([Unreadable(key, page.reason)], [key], None)
                elif page.complete and self._oddities:
                    yield Enumerated(page.total, complete=False, reason="; ".join(self._oddities))
                else:
                    yield page

    async def _fetch(self, offset: int, size: int) -> Page[Item]:
        if self._skips and (page := await self._skip(offset)):
            return page
        records, total = await self._next(offset, size, self._kind.properties)
        items: list[Item] = []
        keys: list[str] = []
        for position, record in enumerate(records, offset):
            key = self._kind.key(record)
            place = f"{self._kind.plural}[{position}]"
            unnamed = Unreadable(place, f"Kodi listed it without an id: {_label(record)}")
            if key is None:
                self._note(unnamed.reason)
            items.append(record if key else unnamed)
            keys.append(key or place)
        return Page(items, keys, total)

    async def _skip(self, offset: int) -> Page[Item] | None:
        """Return the next items that were just read, listed by their ids alone; None if there are none."""
        self._skips = False  # if it fails, the page is read in the usual way
        records, total = await self._next(offset, _IDS_PER_REQUEST, ())
        found = [self._kind.key(record) for record in records]
        keys = list(takewhile(self._just_read.__contains__, filter(None, found)))
        self._skips = bool(keys) and keys == found
        return Page([Unchanged(key) for key in keys], keys, total) if keys else None

    async def _next(
        self, offset: int, size: int, properties: Sequence[str]
    ) -> tuple[list[Mapping[str, Any]], int]:
        """Return the records from a position on, and the total."""
        overlap = 1 if offset and self._last is not None else 0
        records, total = await self._ask(offset - overlap, offset + size, properties)
        if overlap and (not records or self._kind.key(records[0]) != self._last):
            self._note("items were added, removed or moved while they were listed")
        return records[overlap:], total

    async def _find_key(self, offset: int) -> str | None:
        """Return the key of an item that cannot be read in full."""
        self._last = None
        records, _ = await self._ask(offset, offset + 1, ())
        return self._kind.key(records[0]) if records else None

    async def _ask(
        self, start: int, end: int, properties: Sequence[str]
    ) -> tuple[list[Mapping[str, Any]], int]:
        result = await self._rpc.call(
            self._kind.method, properties=list(properties), limits={"start": start, "end": end}
        )
        total = _field(_field(result, "limits"), "total")
        if not isinstance(result, Mapping) or not isinstance(total, int) or isinstance(total, bool):
            raise SourceUnreadable(
                self._rpc.source_id, f"{self._kind.method}: the answer does not say how many there are"
            )
        records = result.get(self._kind.plural, [] if total <= start else None)
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise SourceUnreadable(
                self._rpc.source_id, f"{self._kind.method}: the answer holds no list of {self._kind.plural}"
            )
        return records, total

    def _note(self, oddity: str) -> None:
        if oddity not in self._oddities:
            self._oddities.append(oddity)


def _new_records(page: Page[Item], before: Collection[str]) -> list[Mapping[str, Any]]:
    """Return the records of a page, each item once, without those whose keys are in *before*."""
    records: dict[str, Mapping[str, Any]] = {}
    for key, item in zip(page.keys, page.items, strict=True):
        if key not in before and isinstance(item, Mapping):
            records.setdefault(key, item)
    return list(records.values())


def _item(kind: KodiKind, name: str, result: Result | KodiRefused) -> Item:
    key = f"{kind.name}/{name}"
    if isinstance(result, KodiRefused):
        missing = result.code == INVALID_PARAMS
        return Unreadable(
            key, f"Kodi has no such {kind.name}" if missing else f"it cannot be read: {result.reason}"
        )
    record = _field(result, kind.details_name)
    if isinstance(record, dict) and kind.key(record) == key:
        return record
    return Unreadable(key, "asked for, but left out of the answer")


def _episode_ids(result: Result | KodiRefused) -> set[int] | None:
    limits = _field(result, "limits")
    if not isinstance(result, Mapping) or not isinstance(limits, Mapping):
        return None
    episodes = result.get(EPISODES.plural, [])
    if not isinstance(episodes, list) or not all(isinstance(episode, dict) for episode in episodes):
        return None
    ids = {parse_id(episode, EPISODES.id_name) for episode in episodes}
    return ids if len(ids) == limits.get("total") and 0 not in ids else None


def _field(value: Any, name: str) -> Any:
    """Return a field of an object; None if it is absent, or *value* is not an object."""
    return value.get(name) if isinstance(value, Mapping) else None


def _label(record: Mapping[str, Any]) -> str:
    label = record.get("label") or record.get("title")
    return repr(label) if isinstance(label, str) else "nor with a name"


def _is_lasting(error: SourceError) -> bool:
    """Return whether Kodi lacks the method, or refuses its parameters, whatever the size of the page."""
    return isinstance(error, KodiRefused) and error.code in {METHOD_NOT_FOUND, INVALID_PARAMS}
