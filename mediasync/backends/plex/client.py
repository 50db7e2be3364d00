"""The requests to a Plex server, and the parts that all of its answers share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Final

import anyio

from mediasync.backends.base import Enumerated, Unchanged
from mediasync.backends.json_record import JsonRecord, expect_record
from mediasync.backends.multiread import read_adaptively
from mediasync.backends.paging import Hole, Page, pages
from mediasync.backends.plex.values import usable_key
from mediasync.backends.transport import Transport
from mediasync.errors import SourceError, SourceForbidden, SourceUnauthorised, SourceUnreadable
from mediasync.vocabulary import MediaType

PAGE_SIZE: Final = 500
KNOWN_PAGE_SIZE: Final = 5_000
MAX_IDS: Final = 200
MAX_ID_CHARACTERS: Final = 3_000

_TYPE_NUMBERS: Final = {
    MediaType.MOVIE: 1,
    MediaType.SHOW: 2,
    MediaType.SEASON: 3,
    MediaType.EPISODE: 4,
}
_UNUSED: Final = (
    "Country,Collection,Similar,Image,UltraBlurColors,Review,Extras,Related,Preferences,Chapter,Marker,Field"
)
_USED: Final = "Media,Genre,Guid,Rating,Director,Writer,Producer,Role,Location"
LEFT_OUT: Final = "it is listed, but was left out of the answer to a request for its details"


@dataclass(slots=True)
class Details:
    """The outcome of requests for details.

    Attributes:
        found: the entries that arrived, by key.
        failed: why the others did not arrive, by key.
    """

    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


class Client:
    """Sends requests to one Plex server.

    Args:
        transport: an open transport.
        width: how many requests for details run at once.
    """

    def __init__(self, transport: Transport, width: int) -> None:
        self.transport = transport
        self._width = width

    @property
    def source_id(self) -> str:
        """The id of the source, which errors name."""
        return self.transport.source_id

    @property
    def details_at_once(self) -> int:
        """How many items `fetch_details` reads with one round of requests."""
        return self._width * MAX_IDS

    async def fetch_identity(self) -> JsonRecord:
        """Return what the server says of itself; no token is needed."""
        return open_container(await self.transport.get_json("/identity"), self.source_id, "GET /identity")

    async def find_name(self) -> str | None:
        """Return the server's name, or None if it does not give one."""
        # Only the owner's token may read the root. A missing name is not worth failing for.
        with suppress(SourceUnauthorised, SourceForbidden, SourceUnreadable):
            answer = await self.transport.get_json("/")
            return open_container(answer, self.source_id, "GET /").text("friendlyName")
        return None

    async def fetch_sections(self) -> list[JsonRecord]:
        """Return the server's libraries of every type."""
        request = "GET /library/sections"
        container = open_container(
            await self.transport.get_json("/library/sections"), self.source_id, request
        )
        return [JsonRecord(entry) for entry in list_entries(container, "Directory", self.source_id, request)]

    def list_items(
        self, section: str, kind: MediaType, just_read: Collection[str] = ()
    ) -> AsyncGenerator[Page[Mapping[str, Any] | Unchanged] | Hole | Enumerated, None]:
        """List the items of one kind in a section. Their lists of people are cut short.

        Args:
            section: the key of the section.
            kind: the kind to list.
            just_read: the keys of items that need not be read again. As far as they come first, they are
                listed in large pages of little more than keys, and yielded as `Unchanged`.

        Yields:
            Pages of entries, each entry once, and holes; at the end an `Enumerated`.
        """
        path = f"/library/sections/{section}/all"
        request = f"GET {path}?type={_TYPE_NUMBERS[kind]}"
        wanted: dict[str, str | int] = {"type": _TYPE_NUMBERS[kind], "sort": "id"}
        whole: dict[str, str | int] = {**wanted, "includeGuids": 1}
        brief: dict[str, str | int] = {**wanted, "excludeElements": f"{_USED},{_UNUSED}"}
        skips = bool(just_read)

        async def fetch(start: int, size: int) -> Page[Mapping[str, Any] | Unchanged]:
            nonlocal skips
            if skips:
                skips = False  # if it fails, the page is read in the usual way
                page = await ask(start, KNOWN_PAGE_SIZE, brief)
                known = list(takewhile(just_read.__contains__, page.keys))
                skips = bool(known) and known == page.keys
                if known:
                    return replace(page, items=[Unchanged(key) for key in known], keys=known)
            return await ask(start, size, whole)

        async def ask(
            start: int, size: int, params: Mapping[str, str | int]
        ) -> Page[Mapping[str, Any] | Unchanged]:
            paging = {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)}
            answer = await self.transport.get_json(path, params, headers=paging)
            container = open_container(answer, self.source_id, request)
            entries = list_entries(container, "Metadata", self.source_id, request)
            total = container.integer("totalSize")
            unpaged = total is None and start == 0 and container.data.get("offset") is None
            keys = [usable_key(entry) or f"?{start + place}" for place, entry in enumerate(entries)]
            return Page(entries, keys, len(entries) if unpaged else total, last=unpaged)

        return pages(fetch, PAGE_SIZE, prefetch=True)

    async def fetch_details(self, keys: Sequence[str], *, files: bool) -> Details:
        """Read the details of items, up to 200 with one request and several requests at once.

        Args:
            keys: the items' keys.
            files: whether to ask for the items' files, too. They make up most of an answer.

        Raises:
            SourceError: if the source as a whole cannot be read.
        """
        details = Details()
        errors: list[SourceError] = []
        batches = list(_batches(keys))
        waiting = iter(batches)

        async with anyio.create_task_group() as group:

            async def work() -> None:
                try:
                    for batch in waiting:
                        await self._fetch_batch(batch, details, files=files)
                except SourceError as error:
                    errors.append(error)
                    group.cancel_scope.cancel()

            for _ in range(min(self._width, len(batches))):
                group.start_soon(work)
        if errors:
            raise errors[0]
        return details

    async def _fetch_batch(self, keys: Sequence[str], details: Details, *, files: bool) -> None:
        params: dict[str, str | int] = {
            "includeGuids": 1,
            "skipRefresh": 1,
            "excludeElements": _UNUSED if files else f"Media,{_UNUSED}",
        }

        async def read(some: Sequence[str]) -> None:
            answer = await self.transport.get_json(f"/library/metadata/{','.join(some)}", params)
            request = f"GET /library/metadata/{some[0]}" + (f" and {len(some) - 1} more" if some[1:] else "")
            container = open_container(answer, self.source_id, request)
            section = container.data.get("librarySectionID")
            wanted = set(some)
            for entry in list_entries(container, "Metadata", self.source_id, request):
                key = JsonRecord(entry).key("ratingKey")
                if key is not None and key in wanted:
                    entry.setdefault("librarySectionID", section)
                    details.found[key] = entry

        def refused(key: str, error: SourceError) -> None:
            details.failed[key] = f"its details cannot be read: {error.reason}"

        async with aclosing(read_adaptively(keys, read, refused=refused)) as answers:
            async for _ in answers:
                pass
        for key in keys:
            if key not in details.found:
                details.failed.setdefault(key, LEFT_OUT)


def open_container(answer: Any, source_id: str, request: str) -> JsonRecord:
    """Return the ``MediaContainer`` of a decoded answer.

    Args:
        answer: the decoded JSON.
        source_id: the source that the error names.
        request: what was asked for: ``GET /identity``.

    Raises:
        SourceUnreadable: if it has none.
    """
    outer = expect_record(answer, source_id, request)
    container = outer.data.get("MediaContainer")
    if isinstance(container, Mapping):
        return JsonRecord(container)
    if "_children" in outer.data:
        raise SourceUnreadable(
            source_id,
            f"{request} was answered in a format that Plex dropped in 2016: update the server to 1.3 or "
            "newer",
        )
    raise SourceUnreadable(
        source_id, f"{request} was answered without a MediaContainer, which every answer of a Plex server has"
    )


def list_entries(container: JsonRecord, name: str, source_id: str, request: str) -> list[dict[str, Any]]:
    """Return the entries of a container. An entry that is not an object is returned as an empty one.

    Raises:
        SourceUnreadable: if they are not a list, or are missing although the container counts some.
    """
    entries = container.data.get(name)
    if entries is None and not container.integer("size"):
        return []
    if not isinstance(entries, list):
        raise SourceUnreadable(
            source_id, f"{request} was answered without the list of {name} that it says it holds"
        )
    return [entry if isinstance(entry, dict) else {} for entry in entries]


def _batches(keys: Sequence[str]) -> Iterator[list[str]]:
    """Divide *keys* into lists that fit into the path of one request each."""
    batch: list[str] = []
    length = 0
    for key in keys:
        if batch and (len(batch) == MAX_IDS or length + len(key) > MAX_ID_CHARACTERS):
            yield batch
            batch, length = [], 0
        batch.append(key)
        length += len(key) + 1
    if batch:
        yield batch
