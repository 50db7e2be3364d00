"""A source that is read by its real backend, from a fake server that is reached without sockets."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import httpx
from simulation.observer import Observer
from support.servers import SERVERS, TOKEN, make_server

from mediasync import MediaSync, Source
from mediasync.backends.base import Backend
from mediasync.backends.jellyfin import EmbyBackend, JellyfinBackend
from mediasync.backends.kodi import KodiBackend
from mediasync.backends.plex import PlexBackend
from mediasync.models import Episode, Movie, Season
from mediasync.settings.http import HttpOptions
from mediasync.testing import FakeServer, Request, Response, make_catalogue

KINDS: Final = SERVERS
TROUBLES: Final = ("flaky", "down", "error", "empty")

_URL: Final = "http://media.example"
_OPTIONS: Final = HttpOptions(backoff=0.05)
_LONGEST_ANSWER: Final = 0.02
_CHANGES: Final = ("edit", "edit", "recast", "recast", "add", "remove", "rekey", "rename")
_UNCOMPARED: Final = {"id", "parent_id", "created_at", "updated_at", "credits", "cast", "crew"}
"""What need not be the same in two mirrors of one source, and what is compared apart."""


class Wire(httpx.AsyncBaseTransport):
    """Passes requests to a fake server, and its answers back, each after some milliseconds.

    Args:
        server: answers the requests.
        random: decides how long that takes, and what goes wrong.
        trouble: one of `TROUBLES`, or nothing.
    """

    def __init__(self, server: FakeServer, random: Random, trouble: str) -> None:
        self._server = server
        self._random = random
        self._trouble = trouble
        self._left = random.randrange(12)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._random.random() * _LONGEST_ANSWER)
        self._left -= 1
        if self._trouble == "flaky" and self._random.random() < 0.15:
            raise httpx.ReadError("the connection was cut", request=request)
        if self._trouble == "down" and self._left < 0:
            raise httpx.ConnectError("nobody answers", request=request)
        if self._trouble == "error" and self._left == 0:
            response = Response(500)
        elif self._trouble == "empty" and self._left == 0:
            response = Response.json({})
        else:
            response = await self._server.handle(
                Request(
                    request.method,
                    unquote(request.url.path),
                    parse_qs(request.url.query.decode(), keep_blank_values=True),
                    {name.lower(): value for name, value in request.headers.items()},
                    await request.aread(),
                )
            )
        body = httpx.ByteStream(response.body)
        return httpx.Response(response.status, headers=dict(response.headers), stream=body, request=request)


class Served:
    """A source behind a fake server.

    Args:
        source_id: its id in the mirror.
        random: decides what it has, and how that changes.
        kind: one of `KINDS`.
    """

    calm_syncs: Final = 2  # the first one takes up what broke off, and may not see what changed since
    lists: Final[dict[str, Any]] = {}

    def __init__(self, source_id: str, random: Random, kind: str) -> None:
        self.id = source_id
        self.kind = kind
        self.random = random
        self.catalogue = make_catalogue(
            3, 1, seasons=1, episodes=2, credits_each=3, seed=random.randrange(99)
        )
        server = make_server(kind, self.catalogue)
        assert server is not None
        self._server = server

    def trouble(self, random: Random) -> str:
        """Return something that may go wrong."""
        return random.choice(TROUBLES)

    def backend(self, trouble: str) -> Backend:
        """Return what reads the source once."""
        client = httpx.AsyncClient(transport=Wire(self._server, self.random, trouble), trust_env=False)
        source = Source(id=self.id, kind=self.kind)
        given: dict[str, Any] = {"source": source, "options": _OPTIONS, "client": client}
        match self.kind:
            case "plex":
                return PlexBackend(_URL, token=TOKEN, client_id="test", **given)
            case "jellyfin":
                return JellyfinBackend(_URL, token=TOKEN, **given)
            case "emby":
                return EmbyBackend(_URL, token=TOKEN, **given)
        return KodiBackend(_URL, **given)

    def change(self) -> str:
        """Change something, and return what."""
        catalogue, random = self.catalogue, self.random
        what = random.choice(_CHANGES)
        item = random.choice([item for item in catalogue.items() if not isinstance(item, Season)])
        films = catalogue.libraries[0]
        match what:
            case "add":
                film = Movie(remote_id=catalogue.new_key(), title="New", credits=item.credits)
                film.title = f"New {film.remote_id}"
                film.path = f"/films/{film.title}.mkv"
                catalogue.add(films.id, film)
                return f"add {film.remote_id}"
            case "remove" if len(films.items) > 1:
                gone = random.choice(films.items).remote_id
                catalogue.remove(gone)
                return f"remove {gone}"
            case "rekey":
                before, item.remote_id = item.remote_id, catalogue.new_key()
                for child in catalogue.children(before):
                    assert isinstance(child, Season | Episode)
                    child.parent_remote_id = item.remote_id
                    catalogue.touch(child)
                catalogue.touch(item)
                return f"rekey {before} to {item.remote_id}"
            case "rename":
                key = random.choice(list(catalogue.people()))
                catalogue.rename_person(key, f"{catalogue.people()[key].name}'")
                for credited in catalogue.credited(key):
                    catalogue.touch(credited)
                return f"rename person {key}"
            case "recast":
                catalogue.edit_cast(
                    item.remote_id, random.sample(item.credits or [], len(item.credits or []))
                )
                return f"recast {item.remote_id}"
        item.title += "'"
        catalogue.touch(item)
        return f"edit {item.remote_id}"

    def heal(self) -> None:
        """Do nothing: the server takes and gives everything."""

    async def check(self, ms: MediaSync, observer: Observer) -> None:
        """Compare a mirror with one that was made of the present source at once."""
        async with MediaSync("sqlite:///:memory:") as fresh:
            await fresh.sync(self.backend(""))
            wanted = await self._contents(fresh)
        found = await self._contents(ms)
        for key in sorted(wanted.keys() | found.keys()):
            if found.get(key) != wanted.get(key):
                pairs = zip(found.get(key, ()), wanted.get(key, ()), strict=False)
                differing = [(old, new) for old, new in pairs if old != new]
                observer.note("the mirror differs from the server", f"{key}: {differing}")

    async def _contents(self, ms: MediaSync) -> dict[str, Any]:
        items = {
            item.id: item
            for library in await ms.media.list_libraries(self.id)
            async for item in ms.media.iter_media_items(library)
        }
        return {
            item.remote_id: (
                items[item.parent_id].remote_id if item.parent_id else None,
                item.model_dump(exclude=_UNCOMPARED),
                [(one.person.id, one.person.name, one.person_type, one.role) for one in item.credits or ()],
            )
            for item in items.values()
        }
