"""The servers that the backends read: a fake of each kind, and what its listings are asked by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediasync import Source
from mediasync.backends.base import Backend, Finding, Found, NothingStored
from mediasync.backends.jellyfin import EmbyBackend, JellyfinBackend
from mediasync.backends.kodi import KodiBackend
from mediasync.backends.nfo import NfoBackend
from mediasync.backends.plex import PlexBackend
from mediasync.settings.http import HttpOptions
from mediasync.testing import (
    Catalogue,
    FakeEmby,
    FakeJellyfin,
    FakeKodi,
    FakePlex,
    FakeServer,
    Request,
    make_catalogue,
)

EXAMPLES = Path(__file__).parents[2] / "examples" / "library"
SERVERS = ["plex", "jellyfin", "emby", "kodi"]
TOKEN = "s3cr3t"
PASSWORD = "fixture-password"
QUICK = HttpOptions(backoff=0.001)


@dataclass(frozen=True)
class Place:
    """A source to read, and the server behind it, if there is one; or its address, in another process."""

    kind: str
    server: FakeServer | None
    url: str = ""
    options: HttpOptions = QUICK

    def backend(self) -> Backend:
        source = Source(id="here", kind=self.kind)
        if self.kind == "nfo":
            return NfoBackend(EXAMPLES, source=source)
        url = self.server.url if self.server else self.url
        match self.kind:
            case "plex":
                return PlexBackend(url, source=source, token=TOKEN, client_id="test", options=self.options)
            case "jellyfin":
                return JellyfinBackend(url, source=source, token=TOKEN, options=self.options)
            case "emby":
                return EmbyBackend(url, source=source, token=TOKEN, options=self.options)
            case _:
                return KodiBackend(url, source=source, options=self.options)


def listening_backend(kind: str, server: FakeServer, options: HttpOptions = QUICK) -> Backend:
    """Return a backend that may listen to the events of a server: those of Jellyfin sign in as a user."""
    source = Source(id="here", kind=kind)
    match kind:
        case "plex":
            return PlexBackend(server.url, source=source, token=TOKEN, client_id="test", options=options)
        case "kodi":
            assert isinstance(server, FakeKodi)
            return KodiBackend(server.url, source=source, options=options, events_port=server.events_port)
        case _:
            made = JellyfinBackend if kind == "jellyfin" else EmbyBackend
            return made(server.url, source=source, username="admin", password=PASSWORD, options=options)


def make_server(kind: str, catalogue: Catalogue | None = None) -> FakeServer | None:
    catalogue = catalogue or make_catalogue(30, 2, seed=3)
    match kind:
        case "plex":
            return FakePlex(catalogue, token=TOKEN)
        case "jellyfin":
            return FakeJellyfin(catalogue, api_key=TOKEN)
        case "emby":
            return FakeEmby(catalogue, api_key=TOKEN)
        case "kodi":
            return FakeKodi(catalogue)
        case _:
            return None


def server_of(place: Place) -> FakeServer:
    """Return the server behind a place that has one."""
    assert place.server is not None
    return place.server


async def read(backend: Backend, known: dict[str, dict[str, str]] | None = None) -> dict[str, list[Finding]]:
    """Return the findings of each library."""
    async with backend.open():
        return {
            library.id: [
                finding
                async for finding in backend.iter_items(
                    library, NothingStored((known or {}).get(library.id, {}))
                )
            ]
            for library in await backend.fetch_libraries()
        }


def items(findings: list[Finding]) -> list[Found]:
    return [finding for finding in findings if isinstance(finding, Found)]


def lists_movies(kind: str) -> Callable[[Request], bool]:
    """Return what recognises the requests that list the films of a server of a kind."""
    return _lists(kind, "1", "VideoLibrary.GetMovies", "Movie")


def lists_episodes(kind: str) -> Callable[[Request], bool]:
    """Return what recognises the requests that list the episodes of a server of a kind."""
    return _lists(kind, "4", "VideoLibrary.GetEpisodes", "Episode")


def _lists(kind: str, plex: str, kodi: str, jellyfin: str) -> Callable[[Request], bool]:
    def matches(request: Request) -> bool:
        match kind:
            case "plex":
                return request.path.endswith("/all") and request.first("type") == plex
            case "kodi":
                asked = request.json() if request.method == "POST" else {}
                return isinstance(asked, dict) and asked.get("method") == kodi
            case _:
                return bool(request.first("parentId")) and request.first("includeItemTypes") == jellyfin

    return matches


def lists_libraries(request: Request) -> bool:
    """Return whether a request asks a Plex, Jellyfin or Emby for its libraries."""
    return request.path.endswith(("/library/sections", "/Library/MediaFolders"))


def entries(answer: Any) -> list[Any]:
    """Return the list that an answer of any kind of server holds, to be changed in place."""
    if "Items" in answer:
        found = answer["Items"]
    elif "MediaContainer" in answer:
        container = answer["MediaContainer"]
        found = container["Directory"] if "Directory" in container else container.setdefault("Metadata", [])
    else:
        result = answer["result"]
        name = next((name for name in result if name != "limits"), "movies")
        found = result.setdefault(name, [])
    assert isinstance(found, list)
    return found


def page_size(kind: str, request: Request) -> int:
    """Return how many items a request for a page of a listing asks for."""
    match kind:
        case "plex":
            return int(request.headers["x-plex-container-size"])
        case "kodi":
            limits = request.json()["params"]["limits"]
            return int(limits["end"] - limits["start"])
        case _:
            return int(request.first("limit"))


def page_start(kind: str, request: Request) -> int:
    """Return how many items stand before the page that a request asks for."""
    match kind:
        case "plex":
            return int(request.headers["x-plex-container-start"])
        case "kodi":
            return int(request.json()["params"]["limits"]["start"])
        case _:
            return int(request.first("startIndex"))
