"""A fake Plex Media Server."""

from __future__ import annotations

import ssl
from collections.abc import Collection, Sequence
from html import escape
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from mediasync.models import MediaItem
from mediasync.testing.library import Catalogue, MediaLibrary
from mediasync.testing.listeners import Listener
from mediasync.testing.pictures import picture
from mediasync.testing.plex_entries import LISTS, PlexEntries
from mediasync.testing.plex_events import STREAM, PlexEvents
from mediasync.testing.plex_queries import COLLECTIONS, TYPES, Query, UnknownQueryError, choices, is_tag, meta
from mediasync.testing.plex_xml import to_xml
from mediasync.testing.server import SWITCHING, Request, Response
from mediasync.vocabulary import MediaType

__all__ = ["FakePlex"]

_MUSIC: Final = {"key": "99", "type": "artist", "title": "Music", "refreshing": False}
_REFUSED: Final = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class _Answer(NamedTuple):
    """An answer before its encoding as JSON or XML."""

    container: dict[str, Any]
    headers: dict[str, str]


class FakePlex(PlexEvents):
    """A Plex Media Server that serves a catalogue.

    It was built from documentation and recorded answers. Listings name three roles without ids; details name
    all people. Each list of people has its own ids, which ``tagKey`` connects. Answers to requests for
    details leave out unknown ids, and are 404 only if no known id is left. People of a type for which Plex
    has no list are not served. The server answers JSON on request, and XML otherwise. An unknown path is
    answered with 404, and an unknown filter with 400; both answers name it. Changes of the catalogue are
    reported as notifications: see `PlexEvents`.

    Args:
        catalogue: the content; change it between two syncs.
        token: the required ``X-Plex-Token``, as a header or in the query.
        machine_id: the server's own id.
        name: its friendly name.
        old: whether it imitates a server with the agents of 2019: their guids, no ``Guid``, no ``tagKey``.
        tag_keys: the lists whose people have a ``tagKey``.
        page_limit: the largest page; None for no limit.
        longest_url: the longest URL in characters; a longer one is answered with 414.
        base_path: the path below which everything is served.
        tls: the TLS context; None for plain HTTP.

    Attributes:
        catalogue: the content, as given.
        token: the token, as given; assign another one to revoke it.
        other_tokens: further tokens that it accepts; a `FakePlexTv` adds those that it gives.
        without_details: the keys of items that it lists, but whose details it does not find.
        refreshing: the ids of the libraries that it reports as refreshing.

    Example::

        async with FakePlex(make_catalogue(films=100), token="secret") as server:
            print(server.url)
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        token: str,
        machine_id: str = "3f1c2a97b05d4f6e",
        name: str = "Fake Plex",
        old: bool = False,
        tag_keys: Collection[str] = tuple(LISTS),
        page_limit: int | None = None,
        longest_url: int = 4096,
        base_path: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(base_path=base_path, tls=tls)
        self.catalogue = catalogue
        self.token = token
        self.other_tokens: set[str] = set()
        self.without_details: set[str] = set()
        self.refreshing: set[str] = set()
        self._machine_id = machine_id
        self._name = name
        self._old = old
        self._tag_keys = () if old else tag_keys
        self._page_limit = page_limit
        self._longest_url = longest_url
        self._made: tuple[object, PlexEntries | None] = (None, None)

    async def handle(self, request: Request) -> Response:
        """Answer a request; see `FakeServer`."""
        if len(request.path) + len(urlencode(request.query, doseq=True)) > self._longest_url:
            return _refusal(414, "URI Too Long")
        token = request.headers.get("x-plex-token") or request.first("X-Plex-Token")
        if request.path != "/identity" and token != self.token and token not in self.other_tokens:
            return _refusal(401, "Unauthorized")
        if request.method not in {"GET", "HEAD"}:
            return _refusal(501, f"Not Implemented: this fake does not change anything by {request.method}")
        if request.path == "/photo/:/transcode":
            return self._transcoded(request)
        if request.path in self.notification_paths:
            if request.path == STREAM:
                return Response(200, {"Content-Type": "text/event-stream"}, listener=self.stream_listener())
            return Response(SWITCHING, listener=Listener())
        try:
            answer = self._answer_to(request)
        except UnknownQueryError as error:
            return _refusal(400, f"Bad Request: this fake does not know the filter {error}")
        if answer is None:
            return _refusal(404, f"Not Found: {request.path}")
        if "application/json" in request.headers.get("accept", ""):
            return Response.json({"MediaContainer": answer.container}, headers=answer.headers)
        headers = {**answer.headers, "Content-Type": "text/xml; charset=utf-8"}
        return Response(200, headers, to_xml(answer.container))

    def _transcoded(self, request: Request) -> Response:
        """Return a picture of an item that exists, or of a public address."""
        match request.first("url").split("/"):
            case ["", "library", "metadata", key, "thumb" | "art", _] if key in self._entries().index.items:
                return picture()
            case ["http:" | "https:", "", *_]:
                return picture()
        return _refusal(404, f"Not Found: {request.first('url')}")

    def _answer_to(self, request: Request) -> _Answer | None:
        match request.path.strip("/").split("/"):
            case [""]:
                return self._root()
            case ["identity"]:
                return _container({"claimed": True, **self._identity()}, 0)
            case ["library"]:
                return self._library()
            case ["library", "sections"]:
                return self._sections()
            case ["library", "all"]:
                return self._everywhere(request)
            case ["library", "sections", key, "all"] if key == _MUSIC["key"]:  # it is empty
                return self._page([], None, request)
            case ["library", "sections", key, *rest] if library := self._section(key):
                return self._of_section(library, rest, request)
            case ["hubs", "search"]:
                return self._hubs(request)
            case ["library", "metadata", keys]:
                return self._details(keys.split(","), request)
            case ["library", "metadata", key, "children" | "allLeaves" as what]:
                return self._below(key, what, request)
        return None

    @property
    def machine_id(self) -> str:
        """The server's own id."""
        return self._machine_id

    @property
    def name(self) -> str:
        """The friendly name."""
        return self._name

    def truth(self) -> Catalogue:
        """Return the expected mirror: with Plex's keys, and without data that Plex cannot express."""
        return self._entries().truth()

    def metadata_of(self, item: MediaItem) -> dict[str, Any]:
        """Return an item of the catalogue as listings and webhooks show it."""
        return self._entries().entry(item, full=False, guids=True)

    @property
    def title_and_id(self) -> tuple[str, str]:
        """The server's friendly name and its own id."""
        return self._name, self._machine_id

    def _entries(self) -> PlexEntries:
        state = self.catalogue.state()
        known, entries = self._made
        if entries is None or known != state:
            entries = PlexEntries(self.catalogue, old=self._old, tag_keys=self._tag_keys)
            self._made = state, entries
        return entries

    def _section(self, key: str) -> MediaLibrary | None:
        return next((library for library in self.catalogue.libraries if library.id == key), None)

    def _identity(self) -> dict[str, Any]:
        return {"machineIdentifier": self._machine_id, "version": "1.43.0"}

    def _root(self) -> _Answer:
        directories = [{"key": key, "title": key} for key in ("identity", "library")]
        names = {"friendlyName": self._name, "platform": "Linux", "myPlex": False, **self._identity()}
        return _container({**names, "Directory": directories}, len(directories))

    def _library(self) -> _Answer:
        directories = [{"key": "sections", "title": "Library Sections"}, {"key": "all", "title": "All"}]
        identity = {"identifier": "com.plexapp.plugins.library", "title1": "Plex Library"}
        return _container({**identity, "Directory": directories}, len(directories))

    def _sections(self) -> _Answer:
        sections: list[dict[str, Any]] = [
            {
                "key": library.id,
                "type": library.kind.removesuffix("s"),
                "title": library.title,
                "agent": f"tv.plex.agents.{library.kind.removesuffix('s')}",
                "uuid": f"0000-{library.id}",
                "refreshing": library.id in self.refreshing,
                "updatedAt": int(self.catalogue.now.timestamp()),
                "Location": [{"id": int(library.id), "path": f"/media/{library.title}"}],
            }
            for library in self.catalogue.libraries
        ]
        sections.append(_MUSIC)
        return _container({"Directory": sections, "title1": "Plex Library"}, len(sections))

    def _of_section(self, library: MediaLibrary, rest: list[str], request: Request) -> _Answer | None:
        match rest:
            case []:
                directories = [{"key": "all", "title": f"All {library.title}"}]
                title = {"librarySectionID": int(library.id), "title1": library.title}
                return _container({**title, "Directory": directories}, len(directories))
            case ["all"]:
                return self._listing(library, request)
            case ["collections"]:
                return self._page([], library, request)
            case [field] if is_tag(field):
                kind = self._kind(library, request)
                items = self._entries().index.listing(library, kind, by_id=False)
                found = choices(items, field, library.id)
                return _container({"Directory": found, "title1": library.title}, len(found))
        return None

    def _kind(self, library: MediaLibrary, request: Request) -> MediaType:
        number = request.first("type")
        if not number:
            return MediaType(library.kind.removesuffix("s"))
        if number not in TYPES:
            raise UnknownQueryError(f"type={number}")
        return TYPES[number]

    def _listing(self, library: MediaLibrary, request: Request) -> _Answer:
        if request.first("type") == COLLECTIONS:
            return self._page([], library, request)
        entries = self._entries()
        by_id = request.first("sort") == "id"
        items = entries.index.listing(library, self._kind(library, request), by_id=by_id)
        return self._page(Query(entries, request.query).select(items), library, request)

    def _everywhere(self, request: Request) -> _Answer:
        entries = self._entries()
        items = [
            item
            for library in self.catalogue.libraries
            for item in entries.index.listing(library, self._kind(library, request), by_id=False)
        ]
        return self._page(Query(entries, request.query).select(items), None, request)

    def _hubs(self, request: Request) -> _Answer:
        """Return the items whose title contains the searched text, in one hub for each kind."""
        entries, sought = self._entries(), request.first("query").casefold()
        limit, section = int(request.first("limit") or 10), request.first("sectionId")
        hubs: list[dict[str, Any]] = []
        for kind in (MediaType.MOVIE, MediaType.SHOW, MediaType.EPISODE):
            found = [
                entries.entry(item, full=False)
                for library in self.catalogue.libraries
                if section in {"", library.id}
                for item in entries.index.listing(library, kind, by_id=False)
                if sought in item.title.casefold()
            ][:limit]
            names = {"type": str(kind), "hubIdentifier": str(kind), "title": f"{kind.title()}s"}
            hubs.append({**names, "size": len(found), "Metadata": found})
        return _container({"Hub": hubs}, len(hubs))

    def _below(self, key: str, what: str, request: Request) -> _Answer | None:
        index = self._entries().index
        if key not in index.items:
            return None
        library, item = index.items[key]
        return self._page(
            index.children(item) if what == "children" else index.leaves(item), library, request
        )

    def _page(self, items: Sequence[MediaItem], library: MediaLibrary | None, request: Request) -> _Answer:
        start, size = _paging(request)
        page = items[start:] if size is None else items[start : start + min(size, self._page_limit or size)]
        entries, guids = self._entries(), request.first("includeGuids") == "1"
        content: dict[str, Any] = {}
        if library is not None:
            content |= {"librarySectionID": int(library.id), "title1": library.title}
        if page:
            content["Metadata"] = [entries.entry(item, full=False, guids=guids) for item in page]
        if library is not None and request.first("includeMeta") == "1":
            content["Meta"] = meta(library)
        headers = {}
        if size is not None:
            content |= {"totalSize": len(items), "offset": start}
            headers = {"X-Plex-Container-Start": str(start), "X-Plex-Container-Total-Size": str(len(items))}
        return _container(content, len(page), headers)

    def _details(self, keys: Sequence[str], request: Request) -> _Answer | None:
        entries = self._entries()
        found = [
            entries.index.items[key][1]
            for key in dict.fromkeys(keys)
            if key in entries.index.items and key not in self.without_details
        ]
        if not found:
            return None
        left_out = request.first("excludeElements").split(",")
        listed = [entries.entry(item, full=True, guids=True, left_out=left_out) for item in found]
        return _container({"Metadata": listed}, len(listed))


def _paging(request: Request) -> tuple[int, int | None]:
    start = request.headers.get("x-plex-container-start") or request.first("X-Plex-Container-Start") or "0"
    size = request.headers.get("x-plex-container-size") or request.first("X-Plex-Container-Size")
    return int(start), int(size) if size else None


def _container(content: dict[str, Any], size: int, headers: dict[str, str] | None = None) -> _Answer:
    return _Answer({"size": size, **content}, headers or {})


def _refusal(status: int, text: str) -> Response:
    return Response.text(_REFUSED.format(escape(f"{status} {text}")), status, "text/html")
