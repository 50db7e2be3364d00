"""The requests that are sent to a Jellyfin or Emby server, and what both of them call things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mediasync.backends.json_record import JsonRecord, expect_record
from mediasync.backends.paging import Page
from mediasync.backends.transport import Transport
from mediasync.errors import SourceUnreadable

PAGE_WITH_PEOPLE: Final = 100
"""People cost the server half a millisecond a credit: larger pages take longer for the same."""

PAGE_OF_ETAGS: Final = 1_000
PAGE_OF_PERSONS: Final = 1_000

IDS_PER_REQUEST: Final = 110
"""With ids of 32 digits a request line of 4 kB; the servers refuse it from 8 kB on."""

FULL_FIELDS: Final = (
    "People,ProviderIds,Etag,Path,OriginalTitle,SortName,Overview,Genres,Taglines,DateCreated"
)
"""What is asked for of an item that is read."""


@dataclass(frozen=True, slots=True)
class ApiVariant:
    """What differs between the two kinds of server.

    Attributes:
        name: what people call the server.
        prefix: the path that everything lies below.
        token_header: the header that carries a token, whose value is `token_format` with the token in it.
        token_format: see there.
        scheme: how the header that introduces the client begins.
        sign_in_header: the header that introduces the client when a user signs in.
        persons_path: where persons are listed.
        persons_query: with which parameters.
        persons_since: the parameter that leaves out who was saved before a time; empty if there is none.
        views_path: where a user's libraries are listed.
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
)


class Client:
    """What is asked of one server.

    Args:
        transport: what sends the requests.
        variant: the kind of server.
    """

    def __init__(self, transport: Transport, variant: ApiVariant) -> None:
        self.transport = transport
        self.variant = variant

    @property
    def source_id(self) -> str:
        """The id of the source that is read."""
        return self.transport.source_id

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """Return the decoded answer to a GET below the variant's prefix."""
        return await self.transport.get_json(self.variant.prefix + path, query)

    async def post(
        self, path: str, body: Any, *, idempotent: bool = True, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Return the decoded answer to a POST below the variant's prefix."""
        return await self.transport.post_json(
            self.variant.prefix + path, body, idempotent=idempotent, headers=headers
        )

    async def fetch_full(self, library_id: str, kind: str, start: int, size: int) -> Page[JsonRecord]:
        """Return a page of a library's items of one type, with their people."""
        query = _listing(library_id, kind) | {"fields": FULL_FIELDS}
        return await self._page("/Items", query | _place(start, size))

    async def fetch_etags(
        self, library_id: str, kind: str, start: int, size: int, *, since: str | None = None
    ) -> Page[JsonRecord]:
        """Return a page of a library's items of one type, with little more than their Etags.

        Args:
            library_id: the library.
            kind: the type.
            start: how many items stand before the page.
            size: how many it has at most.
            since: leave out what was saved before that time.
        """
        query = _listing(library_id, kind) | {"fields": "Etag", "enableImages": "false"}
        if since is not None:
            query["minDateLastSaved"] = since
        return await self._page("/Items", query | _place(start, size))

    async def fetch_by_ids(self, ids: Sequence[str]) -> Sequence[JsonRecord]:
        """Return items with their people. The server leaves out what it does not know, or adds what nobody
        asked for: hold the answer against *ids*."""
        query = {"ids": ",".join(ids), "fields": FULL_FIELDS, "enableUserData": "false"}
        return (await self._page("/Items", query)).items

    async def fetch_persons(self, start: int, size: int, *, since: str | None = None) -> Page[JsonRecord]:
        """Return a page of the persons, with their pictures and provider ids.

        Args:
            start: how many stand before the page.
            size: how many it has at most.
            since: leave out who was saved before that time.
        """
        query = {**self.variant.persons_query, "fields": "ProviderIds", "enableUserData": "false"}
        if since is not None:
            query[self.variant.persons_since] = since
        return await self._page(self.variant.persons_path, query | _place(start, size))

    async def fetch_persons_by_ids(self, ids: Sequence[str]) -> Sequence[JsonRecord]:
        """Return persons with their pictures and provider ids; hold the answer against *ids*."""
        query = {"ids": ",".join(ids), "fields": "ProviderIds", "enableUserData": "false"}
        return (await self._page("/Items", query)).items

    async def fetch_items_of_person(
        self, person_id: str, kinds: Sequence[str], start: int, size: int
    ) -> Page[JsonRecord]:
        """Return a page of the items that the server knows to credit a person, in all libraries."""
        query = {
            "personIds": person_id,
            "recursive": "true",
            "includeItemTypes": ",".join(kinds),
            "enableUserData": "false",
            "enableImages": "false",
        }
        return await self._page("/Items", query | _place(start, size))

    async def fetch_media_folders(self) -> list[JsonRecord]:
        """Return all folders of media, of whatever kind."""
        return list((await self._page("/Library/MediaFolders", None)).items)

    async def fetch_views(self, user_id: str) -> list[JsonRecord]:
        """Return the folders of media that a user sees."""
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
        if not isinstance(answer.data.get("Items"), list):
            raise SourceUnreadable(self.source_id, f"GET {path} was answered without a list of items")
        # Each item is a record of its own, so that its problems are its own.
        items = [JsonRecord(item.data) for item in answer.records("Items")]
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
