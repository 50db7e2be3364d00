"""What is read of one library, in which requests, and which of its lists of people can be trusted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from mediasync.backends.base import (
    ONLY_SOME,
    Enumerated,
    Finding,
    Found,
    Remark,
    Stored,
    Unchanged,
    Unreadable,
    as_related,
    guarded,
)
from mediasync.backends.jellyfin.client import IDS_PER_REQUEST, PAGE_OF_ETAGS, PAGE_WITH_PEOPLE, Client
from mediasync.backends.jellyfin.parse import KINDS, TYPES_OF_LIBRARY, change_token, parse_item
from mediasync.backends.jellyfin.people import count_people
from mediasync.backends.jellyfin.person_list import MAX_RENAMED, PersonList, find_items_of
from mediasync.backends.jellyfin.scans import ScanWatch
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.multiread import read_adaptively
from mediasync.backends.paging import Hole, Page, Totals, pages
from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import RequestRefused, SourceError, SourceUnreadable
from mediasync.models import Library

T = TypeVar("T")

_ATTEMPTS: Final = 3
_FIRST_STRETCH: Final = 400
_LONGEST_STRETCH: Final = 1_000
"""How many items are held until the server has said that no scan ran. A sync that is killed loses them."""

_MAX_CREDITS_HELD: Final = 48_000


@dataclass(slots=True)
class _Batch:
    """The outcome of one step of reading.

    Attributes:
        records: items with their people, and items that could not be read.
        findings: findings that do not depend on whether a scan is running.
        trusted: whether no scan ran while *records* were read.
    """

    records: list[JsonRecord | Unreadable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    trusted: bool = True


class LibraryReader:
    """Reads one library once.

    If nothing of the library is stored, its pages are read with all people. Otherwise the Etags are listed,
    and people are read only for items that are new, whose Etag changed, or that credit a renamed person.

    Records are held until the server has said that no scan ran while they were read. If one ran, the reader
    waits for its end and reads the records again.

    Args:
        client: the server.
        library: the library to read.
        stored: what the mirror holds of it.
        since: a time in the server's form: the last sync read everything saved before it. None if all items
            without Etags must be read.
        people: what the list of persons said.
        watch: asks for scans. It must have been asked once already.
        is_listed: asks whether the server still lists the library.

    Attributes:
        lacks_etags: whether items without Etags were listed.
    """

    def __init__(
        self,
        client: Client,
        library: Library,
        stored: Stored,
        since: str | None,
        people: PersonList,
        watch: ScanWatch,
        is_listed: Callable[[], Awaitable[bool]],
    ) -> None:
        self._client = client
        self._library = library
        self._stored = stored
        self._since = since
        self._people = people
        self._watch = watch
        self._is_listed = is_listed
        self._kinds = TYPES_OF_LIBRARY[library.kind]
        self._compare = any(stored.tokens.values())
        self._reread: set[str] = set()
        self._reread_all = False
        self._reported: dict[str, str | None] = {}
        self._seasons: set[str] = set()
        self._stretch = _FIRST_STRETCH
        self._total = 0
        self._totals = Totals(self._kinds)
        self._any_listed = False
        self._etags = False
        self.lacks_etags = False
        self._missing_episodes = 0
        self._reasons: list[str] = []

    async def read_all(self) -> AsyncGenerator[Iterable[Finding], None]:
        """Yield the findings of the whole library in batches; the last one is an `Enumerated`.

        A batch is parsed while it is iterated over: use it up before asking for the next one.
        """
        if self._people.renamed and self._compare:
            await self._find_items_of_renamed()
        for kind in self._kinds:
            async with aclosing(self._read_kind(kind)) as batches:
                async for batch in batches:
                    yield batch
        if self._any_listed and not self._etags:
            self._watch.remark(
                "the server gives no Etags, by which changed items are recognised: each sync lists every "
                "item and reads those that were saved since the last complete sync, and those whose turn "
                "it is to be compared",
                "no Etags",
            )
        yield self._remarks()
        if self._missing_episodes:
            text = f"{self._missing_episodes} episodes without a file are listed by the server, and left out"
            yield [Remark(self._library.full_id, text)]
        if not self._any_listed and self._stored.tokens and not await self._is_listed():
            self._reasons.append(
                "the server does not list the library any more, and answers as if it were empty"
            )
        reason = "; ".join(dict.fromkeys(self._reasons))
        yield [Enumerated(self._total - self._missing_episodes, complete=not reason, reason=reason)]

    async def read_only(self, keys: Collection[str]) -> AsyncGenerator[Iterable[Finding], None]:
        """Yield the findings for these items, whether they changed or not.

        Shows and seasons above them that are not stored come before them.
        """
        before = self._watch.last
        wanted = list(dict.fromkeys(keys))
        records, unreadable = await self._read_wanted(wanted)
        yield unreadable
        above = {key for record in records for key in _keys_above(record)}
        parents = sorted(above - set(wanted) - self._stored.tokens.keys())
        records += (await self._read_wanted(parents))[0]
        here = await self._find_listed(records)
        after = await self._watch.look()
        yield self._remarks()
        async for remark in self._people.find_ids(records, self._client, self._stored):
            yield [remark]
        records.sort(key=lambda record: self._kinds.index(record.data["Type"]))
        trusted = after == before and not after.running
        for record in records:
            key = record.key("Id") or ""
            if key in here:
                finding = self._parse(record, trusted=trusted, seasons=None)
                yield [as_related(finding) if key in parents else finding]
            elif key not in parents:
                yield [Unreadable(key, f"the library {self._library.title!r} does not list it")]
        yield [ONLY_SOME]

    async def _read_wanted(self, ids: Sequence[str]) -> tuple[list[JsonRecord], list[Unreadable]]:
        records: list[JsonRecord] = []
        unreadable: list[Unreadable] = []
        for start in range(0, len(ids), IDS_PER_REQUEST):
            batch = await self._read_ids(ids[start : start + IDS_PER_REQUEST], self._kinds)
            for record in batch.records:
                if isinstance(record, Unreadable):
                    unreadable.append(record)
                else:
                    records.append(record)
        return records, unreadable

    async def _find_listed(self, records: Sequence[JsonRecord]) -> set[str]:
        """Return the ids of those items that the library lists. Items of any library can be read by id.

        What is stored of this library is in it, and so is what lies below that. For all others the library
        is listed, what was added last at the beginning, until they are found.
        """
        listed = {record.key("Id") or "" for record in records} & self._stored.tokens.keys()
        for kind in self._kinds:
            own = [record for record in records if record.data["Type"] == kind]
            below = {record.key("Id") or "" for record in own if listed.intersection(_keys_above(record))}
            listed |= below
            missing = {record.key("Id") or "" for record in own} - listed
            if not missing:
                continue
            fetch = partial(self._client.fetch_etags, self._library.id, kind, newest_first=True)
            async with aclosing(pages(fetch, PAGE_OF_ETAGS)) as listing:
                async for page in listing:
                    if isinstance(page, Page):
                        found = missing & {record.key("Id") or "" for record in self._own(page, kind)}
                        listed |= found
                        missing -= found
                    if not missing:
                        break
        return listed

    async def _find_items_of_renamed(self) -> None:
        renamed = list(self._people.renamed)
        if len(renamed) > MAX_RENAMED:
            self._reread_all = True
        else:
            self._reread = await find_items_of(renamed, self._client, self._stored, list(KINDS))

    async def _read_kind(self, kind: str) -> AsyncGenerator[Iterable[Finding], None]:
        """Read the items of one type; start over if a scan ran meanwhile or a page was refused."""
        compare = self._compare
        for attempt in range(_ATTEMPTS):
            last = attempt == _ATTEMPTS - 1
            reasons, counts = len(self._reasons), (self._total, self._missing_episodes)
            disturbed = False
            try:
                batches = self._list_changed(kind) if compare else self._list_full(kind)
                async with aclosing(self._hold(_one_ahead(batches))) as held:
                    async for batch in held:
                        yield batch.findings
                        if not batch.trusted and not last and self._watch.can_wait:
                            disturbed = True
                            break
                        async for remark in self._people.find_ids(batch.records, self._client, self._stored):
                            yield [remark]
                        yield self._findings(batch, kind)
            except (SourceUnreadable, NoAnswerInTime) as error:
                if compare:
                    await self._explain(error)
                    return
                disturbed = True
            yield self._remarks()
            if not disturbed:
                return
            del self._reasons[reasons:]
            self._total, self._missing_episodes = counts
            compare = True
            if self._watch.last.running:
                self._watch.announce()
                yield self._remarks()
                await self._watch.wait()

    async def _explain(self, error: SourceError) -> None:
        """Note that the server no longer lists the library, if that is why listing it failed; else raise."""
        if not isinstance(error, RequestRefused) or await self._is_listed():
            raise error
        self._reasons.append(f"the server does not list the library any more ({error.reason})")

    async def _hold(self, batches: AsyncGenerator[_Batch, None]) -> AsyncGenerator[_Batch, None]:
        """Yield findings at once, and records when it is known whether a scan ran while they were read."""
        held: list[JsonRecord | Unreadable] = []
        credits_held = 0
        async with aclosing(batches):
            async for batch in batches:
                if batch.findings:
                    yield _Batch(findings=batch.findings)
                held += batch.records
                credits_held += sum(
                    count_people(record) for record in batch.records if isinstance(record, JsonRecord)
                )
                if len(held) >= self._stretch or credits_held >= _MAX_CREDITS_HELD:
                    trusted = await self._is_undisturbed()
                    self._stretch = min(self._stretch * 2, _LONGEST_STRETCH)
                    yield _Batch(held, trusted=trusted)
                    held, credits_held = [], 0
        if held:
            yield _Batch(held, trusted=await self._is_undisturbed())

    async def _is_undisturbed(self) -> bool:
        """Ask the server, and return whether no scan has run since it was asked last."""
        before = self._watch.last
        after = await self._watch.look()
        return after == before and not after.running

    async def _list_full(self, kind: str) -> AsyncGenerator[_Batch, None]:
        """Yield all items of one type, with their people."""
        fetch = partial(self._client.fetch_full, self._library.id, kind)
        name = partial(self._find_id, kind)
        async with aclosing(pages(fetch, PAGE_WITH_PEOPLE, prefetch=True, name=name)) as listing:
            async for page in listing:
                if isinstance(page, Enumerated):
                    self._note_end(page)
                elif isinstance(page, Hole):
                    yield _Batch([self._hole(page, kind)])
                else:
                    yield _Batch([*self._own(page, kind)], [*self._totals.note(kind, page.total)])

    async def _list_changed(self, kind: str) -> AsyncGenerator[_Batch, None]:
        """Yield the new and changed items of one type with their people, and findings for the others."""
        wanted: list[str] = []
        saved = await self._saved_since(kind)
        fetch = partial(self._client.fetch_etags, self._library.id, kind)
        async with aclosing(pages(fetch, PAGE_OF_ETAGS, prefetch=True)) as listing:
            async for page in listing:
                if isinstance(page, Enumerated):
                    self._note_end(page)
                    continue
                if isinstance(page, Hole):
                    yield _Batch([self._hole(page, kind)])
                    continue
                findings: list[Finding] = [*self._totals.note(kind, page.total)]
                for record in self._own(page, kind):
                    key, etag = record.key("Id") or "", record.text("Etag")
                    token = change_token(etag)
                    if key in self._reported and self._reported[key] == token:
                        continue
                    unsaved = bool(etag) or (saved is not None and key not in saved)
                    if unsaved and self._is_stored(key, token):
                        self._reported[key] = token
                        findings.append(Unchanged(key))
                    else:
                        wanted.append(key)
                yield _Batch(findings=findings)
                while len(wanted) >= IDS_PER_REQUEST:
                    yield await self._read_ids(wanted[:IDS_PER_REQUEST], (kind,))
                    del wanted[:IDS_PER_REQUEST]
        if wanted:
            yield await self._read_ids(wanted, (kind,))

    async def _saved_since(self, kind: str) -> set[str] | None:
        """Return the ids of the items of one type that were saved since the last sync.

        None if the server does not say, or if every stored item has an Etag.
        """
        if self._since is None or change_token(None) not in self._stored.tokens.values():
            return None
        fetch = partial(self._client.fetch_etags, self._library.id, kind, since=self._since)
        saved: set[str] = set()
        try:
            async with aclosing(pages(fetch, PAGE_OF_ETAGS)) as listing:
                async for page in listing:
                    if isinstance(page, Page):
                        saved.update(page.keys)
                    elif isinstance(page, Hole) or not page.complete:
                        raise SourceUnreadable(self._client.source_id, page.reason)
        except (SourceUnreadable, NoAnswerInTime) as error:
            self._watch.remark(
                f"the items saved since the last sync cannot be listed ({error.reason}): every item without "
                "an Etag is read again",
                "nothing saved",
            )
            return None
        return saved

    async def _find_id(self, kind: str, position: int) -> str | None:
        """Return the id of the item at a position in the listing, for one that cannot be read in full."""
        page = await self._client.fetch_etags(self._library.id, kind, position, 1)
        return page.keys[0] if len(page.keys) == 1 else None

    def _hole(self, hole: Hole, kind: str) -> Unreadable:
        self._any_listed = True
        return Unreadable(hole.key or f"{self._library.id}/{kind}[{hole.position}]", hole.reason)

    def _is_stored(self, key: str, token: str) -> bool:
        if self._reread_all or key in self._reread:
            return False
        return self._stored.tokens.get(key) == token

    async def _read_ids(self, ids: Sequence[str], kinds: Sequence[str]) -> _Batch:
        """Read items by their ids. One that is missing from the answer is `Unreadable`."""
        batch = _Batch()
        answered: dict[str, JsonRecord] = {}
        failed: dict[str, str] = {}
        asked = set(ids)

        def refused(key: str, error: SourceError) -> None:
            asked.discard(key)
            failed[key] = error.reason

        async with aclosing(read_adaptively(ids, self._client.fetch_by_ids, refused=refused)) as answers:
            async for records in answers:
                for record in records:
                    if (key := record.key("Id")) in asked and record.data.get("Type") in kinds:
                        answered[key or ""] = record
        for key in ids:
            if key in answered:
                batch.records.append(answered[key])
            else:
                reason = failed.get(key, "listed, but left out of the answer when it was read by its id")
                batch.records.append(Unreadable(key, reason))
        return batch

    def _note_end(self, listed: Enumerated) -> None:
        self._total += listed.total or 0
        if not listed.complete:
            self._reasons.append(listed.reason)

    def _own(self, page: Page[JsonRecord], kind: str) -> list[JsonRecord]:
        """Return the items of a page that were asked for; note whatever else the server listed."""
        own: list[JsonRecord] = []
        self._any_listed |= bool(page.items)
        for record in page.items:
            if record.key("Id") is None:
                self._reasons.append("an item without an id was listed")
            elif record.data.get("Type") != kind:
                self._reasons.append(
                    f"an item of type {record.data.get('Type')!r} was listed where {kind} was asked for"
                )
            elif kind == "Episode" and record.data.get("LocationType") == "Virtual":
                self._missing_episodes += 1
            else:
                own.append(record)
                has_etag = bool(record.data.get("Etag"))
                self._etags |= has_etag
                self.lacks_etags |= not has_etag
                if kind == "Season":
                    self._seasons.add(record.key("Id") or "")
        return own

    def _findings(self, batch: _Batch, kind: str) -> Iterator[Finding]:
        seasons = self._seasons if kind == "Episode" else None
        for record in batch.records:
            if isinstance(record, Unreadable):
                yield record
                continue
            key = record.key("Id") or ""
            finding = guarded(key, self._parse, record, trusted=batch.trusted, seasons=seasons)
            self._reported[key] = finding.item.change_token if isinstance(finding, Found) else None
            yield finding

    def _parse(self, record: JsonRecord, *, trusted: bool, seasons: set[str] | None) -> Found | Unreadable:
        if not self._watch.answered and not count_people(record) and record.data["Type"] != "Season":
            trusted = False  # a scan may be running unseen, which lists items before it knows their people
        return parse_item(record, trusted=trusted, people_ids=self._people.ids, seasons=seasons)

    def _remarks(self) -> list[Remark]:
        return [Remark(self._library.full_id, text) for text in self._watch.take_remarks()]


async def _one_ahead(source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield what *source* yields, and let it prepare its next value meanwhile."""
    async with aclosing(source):
        step = asyncio.ensure_future(anext(source, None))
        try:
            while (value := await step) is not None:
                step = asyncio.ensure_future(anext(source, None))
                yield value
        finally:
            step.cancel()
            await asyncio.wait({step})
            if not step.cancelled():
                step.exception()


def _keys_above(record: JsonRecord) -> Iterator[str]:
    """Yield the keys of the season and the show of an item."""
    for name in ("SeasonId", "SeriesId"):
        if (key := record.key(name)) is not None:
            yield key
