"""What is read of one library, and in which order: the listings, then the details of what changed."""

from __future__ import annotations

import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from mediasync.backends.base import (
    ONLY_SOME,
    Enumerated,
    Finding,
    Stored,
    Unchanged,
    Unreadable,
    as_related,
    guarded,
)
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.paging import Hole, Totals, together
from mediasync.backends.plex.client import Client
from mediasync.backends.plex.parse import (
    KINDS_OF_LIBRARY,
    PARENTS,
    Listed,
    failed_finding,
    is_placeholder,
    lacks_people,
    parse_details,
    parse_listed,
)
from mediasync.backends.plex.values import usable_key
from mediasync.models import Library
from mediasync.vocabulary import MediaType


class LibraryReader:
    """Reads one library once.

    Args:
        client: the server.
        library: the library to read.
        stored: what the mirror holds of it.
        refreshing: whether the server said that it refreshes the library.
        ask_refreshing: asks the server again.
    """

    def __init__(
        self,
        client: Client,
        library: Library,
        stored: Stored,
        *,
        refreshing: bool,
        ask_refreshing: Callable[[], Awaitable[bool]],
    ) -> None:
        self._client = client
        self._library = library
        self._tokens = stored.tokens
        self._just_read = stored.just_read
        self._refreshing = refreshing
        self._ask_refreshing = ask_refreshing
        self._kinds = KINDS_OF_LIBRARY[library.kind]
        self._parents: set[str] = set()
        self._totals = Totals(self._kinds)

    async def read_all(self) -> AsyncGenerator[Iterable[Finding], None]:
        """Yield the findings of the whole library in batches; the last one is an `Enumerated`.

        A batch is parsed while it is iterated over: use it up before asking for the next one.
        """
        ends: list[Enumerated] = []
        for kind in self._kinds:
            async with aclosing(self._read_kind(kind, ends)) as batches:
                async for batch in batches:
                    yield batch
        yield [together(ends)]

    async def _read_kind(
        self, kind: MediaType, ends: list[Enumerated]
    ) -> AsyncGenerator[Iterable[Finding], None]:
        """Yield the findings of one kind; add to *ends* how completely it was listed."""
        changed: list[Listed] = []
        strange: list[str] = []
        at_once = self._client.details_at_once
        async with aclosing(self._client.list_items(self._library.id, kind, self._just_read)) as listing:
            async for page in listing:
                if isinstance(page, Enumerated):
                    end = page
                elif isinstance(page, Hole):
                    key = page.key or f"{self._library.id}/{kind}s[{page.position}]"
                    yield [Unreadable(key, page.reason)]
                else:
                    yield self._totals.note(kind, page.total)
                    yield self._compare(kind, page.items, changed, strange)
                    while len(changed) >= at_once:
                        yield await self._read_details(changed[:at_once])
                        del changed[:at_once]
        if changed:
            yield await self._read_details(changed)
        if strange and end.complete:
            more = f", and {len(strange) - 1} more like it" if strange[1:] else ""
            end = Enumerated(end.total, complete=False, reason=f"{strange[0]}{more}")
        ends.append(end if end.complete else replace(end, reason=f"{kind}s: {end.reason}"))

    def _compare(
        self,
        kind: MediaType,
        entries: Iterable[Mapping[str, Any] | Unchanged],
        changed: list[Listed],
        strange: list[str],
    ) -> Iterator[Finding]:
        """Yield a finding for each entry that needs no details.

        Adds new and changed items to *changed*, and descriptions of entries that are not items to *strange*.
        """
        for entry in entries:
            if isinstance(entry, Unchanged):
                if kind in PARENTS:
                    self._parents.add(entry.remote_id)
                yield entry
                continue
            if is_placeholder(entry):
                continue
            listed = self._parse_listed(kind, entry)
            if isinstance(listed, str):
                strange.append(listed)
            elif isinstance(listed, Unreadable):
                yield listed
            elif listed.token and self._tokens.get(listed.key) == listed.token:
                yield Unchanged(listed.key)
            else:
                changed.append(listed)

    def _parse_listed(self, kind: MediaType, entry: Mapping[str, Any]) -> Listed | Unreadable | str:
        listed = parse_listed(kind, entry, self._is_known, time.time())
        if isinstance(listed, Listed) and kind in PARENTS:
            self._parents.add(listed.key)
        return listed

    async def _read_details(self, items: Sequence[Listed]) -> Iterator[Finding]:
        """Read the details of *items*, and return their findings in the same order."""
        details = await self._client.fetch_details([item.key for item in items], files=False)
        # An answer without people replaces stored people only if the server is not about to add some.
        stored = [item for item in items if item.key in details.found and item.key in self._tokens]
        if any(lacks_people(item, details.found[item.key]) for item in stored):
            self._refreshing = await self._ask_refreshing()
        return self._findings(items, details.found, details.failed)

    def _findings(
        self, items: Sequence[Listed], found: dict[str, Mapping[str, Any]], failed: Mapping[str, str]
    ) -> Iterator[Finding]:
        for item in items:
            if item.key in failed:
                stored = item.key in self._tokens
                yield guarded(item.key, failed_finding, item, failed[item.key], stored=stored)
            else:
                details = found.pop(item.key)
                yield guarded(item.key, parse_details, item, details, refreshing=self._refreshing)

    async def read_only(self, keys: Collection[str]) -> AsyncGenerator[Iterable[Finding], None]:
        """Yield, in one batch, the findings for those of *keys* that are in this library.

        Shows and seasons above them that are not stored come before them.
        """
        details = await self._client.fetch_details(_usable(keys), files=True)
        here = self._here(details.found)
        above = {key for entry in here for key in _keys_above(entry)} - details.found.keys()
        parents = _usable(key for key in above if not self._is_known(key))
        if parents:
            here += self._here((await self._client.fetch_details(parents, files=True)).found)
        yield self._findings_here(here, details.failed, frozenset(parents))

    def _here(self, found: Mapping[str, Mapping[str, Any]]) -> list[JsonRecord]:
        entries = map(JsonRecord, found.values())
        return [entry for entry in entries if entry.key("librarySectionID") == self._library.id]

    def _findings_here(
        self, here: Sequence[JsonRecord], failed: Mapping[str, str], parents: Collection[str]
    ) -> Iterator[Finding]:
        for key, reason in failed.items():
            if key in self._tokens:
                yield Unreadable(key, reason)
        for kind in self._kinds:
            for entry in here:
                if entry.text("type") == kind:
                    item = self._parse_listed(kind, entry.data)
                    if isinstance(item, Listed):
                        finding = guarded(
                            item.key, parse_details, item, item.entry, refreshing=self._refreshing
                        )
                        yield as_related(finding) if item.key in parents else finding
        yield ONLY_SOME

    def _is_known(self, key: str) -> bool:
        return key in self._parents or key in self._tokens


def _usable(keys: Iterable[str]) -> list[str]:
    """Return the keys that can stand in a request, sorted."""
    return [key for one in sorted(keys) if (key := usable_key({"ratingKey": one}))]


def _keys_above(entry: JsonRecord) -> Iterator[str]:
    """Yield the keys of the season and the show of an item."""
    for name in ("parentRatingKey", "grandparentRatingKey"):
        if (key := entry.key(name)) is not None:
            yield key
