"""One reading of one library: what is listed, what of it changed, and the details of that."""

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
from typing import Any, Final

from mediasync.backends.base import ONLY_SOME, Enumerated, Finding, Stored, Unchanged, Unreadable
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.paging import Hole, Totals, together
from mediasync.backends.plex.answers import SECTION_KINDS, usable_key
from mediasync.backends.plex.client import MOST_IDS, list_kind, read_details
from mediasync.backends.plex.findings import (
    PARENTS,
    Listed,
    failed_findings,
    full_finding,
    is_no_item,
    listed_item,
    names_nobody,
)
from mediasync.backends.transport import Transport
from mediasync.models import Library
from mediasync.vocabulary import MediaType

_KINDS: Final = dict(SECTION_KINDS.values())


class LibraryReading:
    """One reading of one library.

    Args:
        transport: of the source.
        width: how many requests for details at once.
        library: what is read.
        stored: what the mirror holds of it.
        refreshing: whether the server said that it refreshes the library.
        ask_refreshing: asks it again.
    """

    def __init__(
        self,
        transport: Transport,
        width: int,
        library: Library,
        stored: Stored,
        *,
        refreshing: bool,
        ask_refreshing: Callable[[], Awaitable[bool]],
    ) -> None:
        self._transport = transport
        self._width = width
        self._library = library
        self._tokens = stored.tokens
        self._refreshing = refreshing
        self._ask_refreshing = ask_refreshing
        self._parents: set[str] = set()
        self._totals = Totals(_KINDS[library.kind])

    async def all_findings(self) -> AsyncGenerator[Finding, None]:
        """Yield everything, and at the end how complete it is."""
        ends: list[Enumerated] = []
        for kind in _KINDS[self._library.kind]:
            async with aclosing(self._findings_of_kind(kind)) as findings:
                async for finding in findings:
                    if not isinstance(finding, Enumerated):
                        yield finding
                    elif finding.complete:
                        ends.append(finding)
                    else:
                        ends.append(replace(finding, reason=f"{kind}s: {finding.reason}"))
        yield together(ends)

    async def _findings_of_kind(self, kind: MediaType) -> AsyncGenerator[Finding, None]:
        """Yield the findings of one kind, changed items in rounds of as many as are read at once."""
        changed: list[Listed] = []
        strange: list[str] = []
        at_once = self._width * MOST_IDS
        async with aclosing(list_kind(self._transport, self._library.id, kind)) as listing:
            async for page in listing:
                if isinstance(page, Enumerated):
                    end = page
                    continue
                if isinstance(page, Hole):
                    yield Unreadable(page.key or f"{self._library.id}/{kind}s[{page.position}]", page.reason)
                    continue
                for expected in self._totals.note(kind, page.total):
                    yield expected
                for listed in self._look_at(kind, page.items):
                    match listed:
                        case Listed():
                            changed.append(listed)
                        case str():
                            strange.append(listed)
                        case _:
                            yield listed
                while len(changed) >= at_once:
                    async with aclosing(self._read(changed[:at_once])) as findings:
                        async for finding in findings:
                            yield finding
                    del changed[:at_once]
        async with aclosing(self._read(changed)) as findings:
            async for finding in findings:
                yield finding
        if strange and end.complete:
            more = f", and {len(strange) - 1} more like it" if strange[1:] else ""
            end = Enumerated(end.total, complete=False, reason=f"{strange[0]}{more}")
        yield end

    def _look_at(
        self, kind: MediaType, entries: Iterable[Mapping[str, Any]]
    ) -> Iterator[Listed | Unchanged | Unreadable | str]:
        for entry in entries:
            if is_no_item(entry):
                continue
            listed = self._listed(kind, entry)
            if isinstance(listed, Listed) and listed.token and self._tokens.get(listed.key) == listed.token:
                yield Unchanged(listed.key)
            else:
                yield listed

    def _listed(self, kind: MediaType, entry: Mapping[str, Any]) -> Listed | Unreadable | str:
        listed = listed_item(kind, entry, self._is_known, time.time())
        if isinstance(listed, Listed) and kind in PARENTS:
            self._parents.add(listed.key)
        return listed

    async def _read(self, items: Sequence[Listed]) -> AsyncGenerator[Finding, None]:
        """Read the details of items and tell of them in their order."""
        if not items:
            return
        keys = [item.key for item in items]
        found: dict[str, Mapping[str, Any]] = {}
        failed: dict[str, str] = {}
        for details in await read_details(self._transport, keys, files=False, width=self._width):
            found.update(details.found)
            failed.update(details.failed)
        # That nobody plays in what is stored is believed only if the server is not about to say more.
        stored = [item for item in items if item.key in found and self._is_stored(item.key)]
        if any(names_nobody(item, found[item.key]) for item in stored):
            self._refreshing = await self._ask_refreshing()
        for item in items:
            if item.key in failed:
                for finding in failed_findings(item, failed[item.key], stored=self._is_stored(item.key)):
                    yield finding
            else:
                yield full_finding(item, found.pop(item.key), refreshing=self._refreshing)

    async def findings_of(self, only: Collection[str]) -> AsyncGenerator[Finding, None]:
        """Yield those of *only* that are in this library."""
        keys = [key for one in sorted(only) if (key := usable_key({"ratingKey": one}))]
        entries: list[JsonRecord] = []
        for details in await read_details(self._transport, keys, files=True, width=self._width):
            entries += map(JsonRecord, details.found.values())
            for key, reason in details.failed.items():
                if self._is_stored(key):
                    yield Unreadable(key, reason)
        here = [entry for entry in entries if entry.key("librarySectionID") == self._library.id]
        for kind in _KINDS[self._library.kind]:
            for entry in here:
                if entry.text("type") == kind and isinstance(item := self._listed(kind, entry.data), Listed):
                    yield full_finding(item, item.entry, refreshing=self._refreshing)
        yield ONLY_SOME

    def _is_stored(self, key: str) -> bool:
        return key in self._tokens

    def _is_known(self, key: str) -> bool:
        return key in self._parents or self._is_stored(key)
