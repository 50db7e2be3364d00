"""The requests to a Jellyfin or Emby server, and what differs between the two APIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from mediasync.backends.json_record import JsonRecord, expect_record
from mediasync.backends.paging import Page
from mediasync.backends.transport import Transport
from mediasync.errors import SourceUnreadable
from mediasync.settings.distribution import find_version

PAGE_WITH_PEOPLE: Final = 100
"""The server spends half a millisecond on each credit, so larger pages would only take longer."""

PAGE_OF_ETAGS: Final = 5_000
PAGE_OF_PERSONS: Final = 10_000
"""A sync that takes up another one lists both again, so the pages are large. An entry has some 200 bytes."""

IDS_PER_REQUEST: Final = 110
"""With ids of 32 digits the request line has 4 kB; the servers refuse one of 8 kB."""

FULL_FIELDS: Final = (
    "People,ProviderIds,Etag,Path,OriginalTitle,SortName,Overview,Genres,Taglines,DateCreated"
)
"""The fields that are asked for when an item is read."""


@dataclass(frozen=True, slots=True)
class ApiVariant:
    """One of the two variants of the API.

    Attributes:
        name: the product, as messages name it.
        prefix: begins every path.
        token_header: the header that carries the token.
        token_format: that header's value, with placeholders for the token and the client's introduction.
        scheme: the word before the client's introduction, when a user signs in.
        sign_in_header: the header that carries the introduction then.
        persons_path: lists the persons.
        persons_query: the parameters of that request.
        persons_since: the parameter that restricts it to persons saved since a time; empty if there is none.
        views_path: lists a user's libraries.
        socket_path: the path of the WebSocket, below which no prefix stands.
        socket_query: its parameters, with placeholders for the token and the id of the client.
    """

    name: str
    prefix: str
    token_header: str
    token_format: str
    scheme: str
    sign_in_header: str
    persons_path: str
    persons_query: Mapping[str, str]
    persons_since: str
    views_path: str
    socket_path: str
    socket_query: Mapping[str, str]


JELLYFIN: Final = ApiVariant(
    name="Jellyfin",
    prefix="",
    token_header="Authorization",  # noqa: S106
    token_format='MediaBrowser Token="{token}", {client}',  # noqa: S106
    scheme="MediaBrowser",
    sign_in_header="Authorization",
    persons_path="/Items",
    persons_query={"includeItemTypes": "Person", "recursive": "true", "sortBy": "SortName"},
    persons_since="minDateLastSaved",
    views_path="/UserViews?userId={user}",
    socket_path="/socket",
    socket_query={},
)


def introduction(client_id: str) -> str:
    """Return how mediasync introduces itself to the servers, as their headers have it.

    Args:
        client_id: identifies this installation.

    Example:
        >>> introduction("den").partition(", Version")[0]
        'Client="mediasync", Device="mediasync", DeviceId="den"'
    """
    version = find_version() or "0"
    return f'Client="mediasync", Device="mediasync", DeviceId="{quote(client_id)}", Version="{version}"'


class Client:
    """Sends requests to one server.

    Args:
        transport: an open transport.
        variant: the server's variant of the API.
    """

    def __init__(self, transport: Transport, variant: ApiVariant) -> None:
        self.transport = transport
        self.variant = variant

    @property
    def source_id(self) -> str:
        """The id of the source, which errors name."""
        return self.transport.source_id

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """Return the decoded answer to a GET."""
        return await self.transport.get_json(self.variant.prefix + path, query)

    async def post(
        self, path: str, body: Any, *, idempotent: bool = True, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Return the decoded answer to a POST."""
        return await self.transport.post_json(
            self.variant.prefix + path, body, idempotent=idempotent, headers=headers
        )

    async def fetch_full(self, library_id: str, kind: str, start: int, size: int) -> Page[JsonRecord]:
        """Return a page of a library's items of one type, with their people."""
        query = _listing(library_id, kind) | {"fields": FULL_FIELDS}
        return await self._page("/Items", query | _place(start, size))

    async def fetch_etags(
        self,
        library_id: str,
        kind: str,
        start: int,
        size: int,
        *,
        since: str | None = None,
        newest_first: bool = False,
    ) -> Page[JsonRecord]:
        """Return a page of a library's items of one type, with little more than their Etags.

        Args:
            library_id: the library's own id.
            kind: one of the servers' types.
            start: how many items come before the page.
            size: how many items the page has at most.
            since: if given, only items saved since then are listed.
            newest_first: whether the items that were added last come first.
        """
        query = _listing(library_id, kind) | {"fields": "Etag", "enableImages": "false"}
        if newest_first:
            query |= {"sortBy": "DateCreated,SortName", "sortOrder": "Descending"}
        if since is not None:
            query["minDateLastSaved"] = since
        return await self._page("/Items", query | _place(start, size))

    async def fetch_by_ids(self, ids: Sequence[str]) -> Sequence[JsonRecord]:
        """Return items with their people.

        The server leaves out ids that it does not know, and may add other items: compare the answer with
        *ids*.
        """
        query = {"ids": ",".join(ids), "fields": FULL_FIELDS, "enableUserData": "false"}
        return (await self._page("/Items", query)).items

    async def fetch_persons(self, start: int, size: int, *, since: str | None = None) -> Page[JsonRecord]:
        """Return a page of the persons, with their pictures and provider ids.

        Args:
            start: how many persons come before the page.
            size: how many persons the page has at most.
            since: if given, only persons saved since then are listed.
        """
        query = {**self.variant.persons_query, "fields": "ProviderIds", "enableUserData": "false"}
        if since is not None:
            query[self.variant.persons_since] = since
        return await self._page(self.variant.persons_path, query | _place(start, size))

    async def fetch_persons_by_ids(self, ids: Sequence[str]) -> Sequence[JsonRecord]:
        """Return persons with their pictures and provider ids; see `fetch_by_ids`."""
        query = {"ids": ",".join(ids), "fields": "ProviderIds", "enableUserData": "false"}
        return (await self._page("/Items", query)).items

    async def fetch_items_of_person(
        self, person_id: str, kinds: Sequence[str], start: int, size: int
    ) -> Page[JsonRecord]:
        """Return a page of the items in all libraries that, by the server's index, credit a person."""
        query = {
            "personIds": person_id,
            "recursive": "true",
            "includeItemTypes": ",".join(kinds),
            "enableUserData": "false",
            "enableImages": "false",
        }
        return await self._page("/Items", query | _place(start, size))

    async def fetch_media_folders(self) -> list[JsonRecord]:
        """Return all folders of media, of every kind."""
        return list((await self._page("/Library/MediaFolders", None)).items)

    async def fetch_views(self, user_id: str) -> list[JsonRecord]:
        """Return the folders of media that a user may see."""
        path, _, name = self.variant.views_path.partition("?")
        query = {name.partition("=")[0]: user_id} if name else None
        return list((await self._page(path.format(user=user_id), query)).items)

    async def fetch_tasks(self) -> list[JsonRecord]:
        """Return the server's scheduled tasks."""
        answer = await self.get("/ScheduledTasks")
        if not isinstance(answer, list):
            raise SourceUnreadable(self.source_id, "GET /ScheduledTasks was not answered with a list")
        return JsonRecord({"tasks": answer}).records("tasks")

    async def _page(self, path: str, query: Mapping[str, str | int] | None) -> Page[JsonRecord]:
        answer = expect_record(await self.get(path, query), self.source_id, f"GET {path}")
        entries = answer.data.get("Items")
        if not isinstance(entries, list):
            raise SourceUnreadable(self.source_id, f"GET {path} was answered without a list of items")
        # Each item keeps its own problems. An entry that is not an object is left out, which the total shows.
        items = [JsonRecord(entry) for entry in entries if isinstance(entry, Mapping)]
        keys = [item.key("Id") or "" for item in items]
        return Page(items, keys, answer.integer("TotalRecordCount"))


def _listing(library_id: str, kind: str) -> dict[str, str | int]:
    return {
        "parentId": library_id,
        "recursive": "true",
        "includeItemTypes": kind,
        "sortBy": "SortName,DateCreated",
        "sortOrder": "Ascending",
        "enableUserData": "false",
        "collapseBoxSetItems": "false",
    }


def _place(start: int, limit: int) -> dict[str, str | int]:
    return {"startIndex": start, "limit": limit}
