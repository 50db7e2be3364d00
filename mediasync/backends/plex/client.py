"""The requests for the items of a Plex server: listings page by page, details of many items at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

import anyio

from mediasync.backends.base import Enumerated
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.multiread import read_adaptively
from mediasync.backends.paging import Hole, Page, pages
from mediasync.backends.plex.answers import list_entries, open_container, usable_key
from mediasync.backends.transport import Transport
from mediasync.errors import SourceError
from mediasync.vocabulary import MediaType

PAGE_SIZE: Final = 500
MOST_IDS: Final = 200
MOST_ID_CHARACTERS: Final = 3_000

_TYPE_NUMBERS: Final = {
    MediaType.MOVIE: 1,
    MediaType.SHOW: 2,
    MediaType.SEASON: 3,
    MediaType.EPISODE: 4,
}
_UNUSED: Final = (
    "Country,Collection,Similar,Image,UltraBlurColors,Review,Extras,Related,Preferences,Chapter,Marker,Field"
)
LEFT_OUT: Final = "it is listed, but was left out of the answer to a request for its details"


@dataclass(slots=True)
class Details:
    """What became of a request for details.

    Attributes:
        found: the entries that came, by key.
        failed: why the others did not, by key.
    """

    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def list_kind(
    transport: Transport, section: str, kind: MediaType
) -> AsyncGenerator[Page[Mapping[str, Any]] | Hole | Enumerated, None]:
    """List the items of one kind of a section; their lists of people are previews.

    Yields:
        Pages of entries, each entry once, and holes; at the end how complete they are.
    """
    path = f"/library/sections/{section}/all"
    request = f"GET {path}?type={_TYPE_NUMBERS[kind]}"
    params: dict[str, str | int] = {"type": _TYPE_NUMBERS[kind], "includeGuids": 1, "sort": "id"}

    async def fetch(start: int, size: int) -> Page[Mapping[str, Any]]:
        paging = {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)}
        answer = await transport.get_json(path, params, headers=paging)
        container = open_container(answer, transport.source_id, request)
        entries = list_entries(container, "Metadata", transport.source_id, request)
        total = container.integer("totalSize")
        unpaged = total is None and start == 0 and container.data.get("offset") is None
        keys = [usable_key(entry) or f"?{start + place}" for place, entry in enumerate(entries)]
        return Page(entries, keys, len(entries) if unpaged else total, last=unpaged)

    return pages(fetch, PAGE_SIZE, prefetch=True)


async def read_details(
    transport: Transport, keys: Sequence[str], *, files: bool, width: int
) -> list[Details]:
    """Read the details of items, some hundred with one request, some requests at once.

    Args:
        transport: of the source.
        keys: the items' keys.
        files: whether their files are wanted as well; they are most of an answer.
        width: how many requests at once.

    Raises:
        SourceError: if the source as a whole cannot be read.
    """
    batches = iter(list(_batches(keys)))
    read: list[Details] = []
    errors: list[SourceError] = []

    async with anyio.create_task_group() as group:

        async def work() -> None:
            try:
                for batch in batches:
                    read.append(await _read_batch(transport, batch, files=files))
            except SourceError as error:
                errors.append(error)
                group.cancel_scope.cancel()

        for _ in range(min(width, -(-len(keys) // MOST_IDS) + 1)):
            group.start_soon(work)
    if errors:
        raise errors[0]
    return read


async def _read_batch(transport: Transport, keys: Sequence[str], *, files: bool) -> Details:
    details = Details()
    params: dict[str, str | int] = {
        "includeGuids": 1,
        "skipRefresh": 1,
        "excludeElements": _UNUSED if files else f"Media,{_UNUSED}",
    }

    async def read(some: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        path = f"/library/metadata/{','.join(some)}"
        answer = await transport.get_json(path, params)
        request = f"GET /library/metadata/{some[0]}" + (f" and {len(some) - 1} more" if some[1:] else "")
        container = open_container(answer, transport.source_id, request)
        section = container.data.get("librarySectionID")
        entries = list_entries(container, "Metadata", transport.source_id, request)
        wanted = set(some)
        return {
            key: {"librarySectionID": section, **entry}
            for entry in entries
            if (key := JsonRecord(entry).key("ratingKey")) in wanted and key is not None
        }

    def refused(key: str, error: SourceError) -> None:
        details.failed[key] = f"its details cannot be read: {error.reason}"

    async with aclosing(read_adaptively(keys, read, refused=refused)) as answers:
        async for answer in answers:
            details.found.update(answer)
    for key in keys:
        if key not in details.found:
            details.failed.setdefault(key, LEFT_OUT)
    return details


def _batches(keys: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    length = 0
    for key in keys:
        if batch and (len(batch) == MOST_IDS or length + len(key) > MOST_ID_CHARACTERS):
            yield batch
            batch, length = [], 0
        batch.append(key)
        length += len(key) + 1
    if batch:
        yield batch
