"""Listening to servers: the same tests run over all kinds whose events are heard."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import pytest
from support.servers import PASSWORD, QUICK, SERVERS, TOKEN, listening_backend, make_server

from mediasync import Movie, Source
from mediasync.backends.base import ReportsEvents
from mediasync.backends.jellyfin import JellyfinBackend
from mediasync.errors import (
    ConfigurationError,
    LifecycleError,
    RequestRefused,
    SourceUnauthorised,
    SourceUnreachable,
)
from mediasync.hints import Hint, HintKind
from mediasync.settings.http import HttpOptions
from mediasync.settings.source import SourceConfig
from mediasync.settings.source_kinds import BackendContext
from mediasync.testing import Catalogue, FakeEmby, FakeJellyfin, FakeKodi, FakePlex, make_catalogue

Server = FakePlex | FakeJellyfin | FakeKodi
FILM = "Film 1"
IMPATIENT = HttpOptions(backoff=0.001, read_timeout=0.3)
PATIENT = HttpOptions(backoff=0.001, read_timeout=0.6)


@dataclass
class Heard:
    """A server, and the hints of a backend that listens to it."""

    kind: str
    server: Server
    hints: AsyncGenerator[Hint, None]

    @property
    def catalogue(self) -> Catalogue:
        return self.server.catalogue

    def key(self, title: str) -> str:
        """Return the server's key of a film."""
        [wanted] = [item for item in self.catalogue.items() if item.title == title]
        if isinstance(self.server, FakeJellyfin):
            return self.server.item_id(wanted.remote_id)
        return (
            f"movie/{self.server.number_of(wanted)}"
            if isinstance(self.server, FakeKodi)
            else wanted.remote_id
        )

    async def read_to_the_end(self, found: list[Hint] | None = None) -> None:
        """Read hints until there are no more, into *found*."""
        async with asyncio.timeout(20):
            async for hint in self.hints:
                if found is not None:
                    found.append(hint)

    async def until(self, *wanted: Hint) -> None:
        """Read hints until all that are wanted have come."""
        missing = set(wanted)
        async with asyncio.timeout(20):
            while missing:
                missing.discard(await anext(self.hints))


@asynccontextmanager
async def listening(
    kind: str, server: Server | None = None, options: HttpOptions = QUICK
) -> AsyncIterator[Heard]:
    """Run a server and listen to it."""
    made = server or make_server(kind, make_catalogue(films=3, shows=1, seasons=1, episodes=2))
    assert isinstance(made, Server)
    async with made:
        backend = listening_backend(kind, made, options)
        assert isinstance(backend, ReportsEvents)
        async with backend.open(), aclosing(backend.listen()) as hints:
            heard = Heard(kind, made, hints)
            await begun(heard)
            yield heard


async def begun(heard: Heard) -> None:
    """Wait until the server knows of its listener, and a change has come through."""
    reading = asyncio.ensure_future(heard.until(Hint(HintKind.CHANGED, (heard.key("Film 3"),))))
    while not heard.server.listeners and not reading.done():
        await asyncio.sleep(0.001)
    heard.catalogue.touch(heard.catalogue.titled("Film 3"))
    await reading


@pytest.fixture(params=SERVERS)
async def heard(request: pytest.FixtureRequest) -> AsyncIterator[Heard]:
    async with listening(request.param) as found:
        yield found


async def test_a_changed_item_is_hinted_at(heard: Heard) -> None:
    film = heard.catalogue.titled(FILM)
    heard.catalogue.edit_cast(film.remote_id, (film.credits or [])[:1])
    await heard.until(Hint(HintKind.CHANGED, (heard.key(FILM),)))


async def test_a_new_item_is_hinted_at(heard: Heard) -> None:
    heard.catalogue.add("1", Movie(remote_id=heard.catalogue.new_key(), title="A new one"))
    # Kodi finds it with a scan, which is over when all of it may be read.
    scanned = Hint(HintKind.SOURCE)
    await heard.until(scanned if heard.kind == "kodi" else Hint(HintKind.CHANGED, (heard.key("A new one"),)))


async def test_a_removed_item_is_hinted_at(heard: Heard) -> None:
    key = heard.key(FILM)
    heard.catalogue.remove(heard.catalogue.titled(FILM).remote_id)
    await heard.until(Hint(HintKind.REMOVED, (key,)))


async def test_hints_name_the_keys_that_are_read(heard: Heard) -> None:
    """The key of a hint is one by which the backend reads the item."""
    heard.catalogue.touch(heard.catalogue.titled(FILM))
    await heard.until(Hint(HintKind.CHANGED, (heard.key(FILM),)))
    truth = {item.remote_id for item in heard.server.truth().items()}
    assert heard.key(FILM) in truth


async def test_a_server_that_ends_is_unreachable(heard: Heard) -> None:
    heard.server.close_listeners(reason="the server ends")
    with pytest.raises(SourceUnreachable, match="here"):
        await heard.read_to_the_end()


async def test_a_connection_that_breaks_is_unreachable(heard: Heard) -> None:
    heard.server.drop_listeners()
    with pytest.raises(SourceUnreachable, match="here"):
        await heard.read_to_the_end()


async def test_hints_before_the_end_are_not_lost(heard: Heard) -> None:
    heard.catalogue.touch(heard.catalogue.titled(FILM))
    if isinstance(heard.server, FakeJellyfin):  # it gathers changes for a moment
        await heard.until(Hint(HintKind.CHANGED, (heard.key(FILM),)))
        heard.catalogue.touch(heard.catalogue.titled(FILM))
        await asyncio.sleep(heard.server.calm_seconds * 3)
    heard.server.close_listeners()
    await heard.until(Hint(HintKind.CHANGED, (heard.key(FILM),)))
    with pytest.raises(SourceUnreachable):
        await heard.read_to_the_end()


async def test_whoever_stops_listening_leaves(heard: Heard) -> None:
    await heard.hints.aclose()
    await gone(heard.server)


async def test_a_cancelled_listener_leaves(heard: Heard) -> None:
    waiting = asyncio.ensure_future(anext(heard.hints))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await gone(heard.server)


async def gone(server: Server) -> None:
    """Wait until nobody listens to a server any more."""
    async with asyncio.timeout(20):
        while server.listeners:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("kind", ["plex", "jellyfin", "kodi"])  # Emby is spoken to like Jellyfin
async def test_a_server_that_falls_silent_is_noticed(kind: str) -> None:
    async with listening(kind, options=IMPATIENT) as heard:
        heard.server.be_silent()
        with pytest.raises(SourceUnreachable):
            await heard.read_to_the_end()


@pytest.mark.parametrize("kind", ["plex", "jellyfin", "kodi"])  # Emby is spoken to like Jellyfin
async def test_a_server_that_has_nothing_to_say_is_listened_to(kind: str) -> None:
    async with listening(kind, options=PATIENT) as heard:
        await asyncio.sleep(1.6 * PATIENT.read_timeout)
        heard.catalogue.touch(heard.catalogue.titled(FILM))
        await heard.until(Hint(HintKind.CHANGED, (heard.key(FILM),)))


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_server_that_does_not_listen_is_unreachable(kind: str) -> None:
    server = make_server(kind)
    assert isinstance(server, Server)
    async with server:
        backend = listening_backend(kind, server)
        assert isinstance(backend, ReportsEvents)
        async with backend.open():
            await server.__aexit__(None, None, None)
            with pytest.raises(SourceUnreachable):
                await anext(backend.listen())
            await server.__aenter__()


@pytest.mark.parametrize("kind", SERVERS)
async def test_only_an_open_backend_listens(kind: str) -> None:
    server = make_server(kind)
    assert isinstance(server, Server)
    async with server:
        backend = listening_backend(kind, server)
        assert isinstance(backend, ReportsEvents)
        with pytest.raises(LifecycleError):
            await anext(backend.listen())


@pytest.mark.parametrize("kind", SERVERS)
async def test_lost_events_are_not_heard_and_others_are(kind: str) -> None:
    async with listening(kind) as heard:
        heard.server.event_loss = 1.0
        heard.catalogue.touch(heard.catalogue.titled(FILM))
        if isinstance(heard.server, FakeJellyfin):
            await asyncio.sleep(heard.server.calm_seconds * 5)
        heard.server.event_loss = 0.0
        heard.catalogue.touch(heard.catalogue.titled("Film 2"))
        kinds_and_keys = set()
        async with asyncio.timeout(20):
            while (hint := await anext(heard.hints)).remote_ids != (heard.key("Film 2"),):
                kinds_and_keys.add(hint.remote_ids)
        assert (heard.key(FILM),) not in kinds_and_keys


@pytest.mark.parametrize("kind", SERVERS)
async def test_changes_that_nobody_takes_for_a_while_become_one_hint_about_the_source(kind: str) -> None:
    server = make_server(kind, make_catalogue(films=1_200, shows=0, credits_each=0))
    assert isinstance(server, Server)
    async with listening(kind, server) as heard:
        before = len(server.requests)
        for item in list(heard.catalogue.items()):
            heard.catalogue.touch(item)
        if isinstance(server, FakeJellyfin):
            await asyncio.sleep(server.calm_seconds * 3)
        for listener in server.listeners:
            listener.close()
        await gone(server)
        hints: list[Hint] = []
        with pytest.raises(SourceUnreachable):
            await heard.read_to_the_end(hints)
        assert HintKind.SOURCE in {hint.kind for hint in hints}
        assert len(hints) < 50
        assert len(server.requests) == before  # listening asks for nothing


@pytest.mark.parametrize("kind", SERVERS)
async def test_no_secret_is_logged(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("websockets", "websockets.client", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    async with listening(kind) as heard:
        heard.server.close_listeners()
        with pytest.raises(SourceUnreachable) as caught:
            await heard.read_to_the_end()
    secrets = {TOKEN, PASSWORD}
    for request in heard.server.requests:
        secrets.update(request.query.get("api_key", ()))
        secrets.update(re.findall('Token="([^"]+)"', request.headers.get("authorization", "")))
    # httpcore logs the headers of requests, which are not part of listening.
    records = [record for record in caplog.records if not record.name.startswith("httpcore")]
    told = [*(record.getMessage() for record in records), str(caught.value), repr(caught.value)]
    assert [text for text in told if any(secret in text for secret in secrets)] == []


# What only some servers do


async def test_an_api_key_of_jellyfin_is_refused_because_it_would_hear_nothing() -> None:

    async with FakeJellyfin(make_catalogue(films=1), api_key=TOKEN) as server:
        backend = JellyfinBackend(server.url, source=Source(id="here", kind="jellyfin"), token=TOKEN)
        async with backend.open():
            with pytest.raises(ConfigurationError, match="sign in as a user") as caught:
                await anext(backend.listen())
        assert caught.value.source_id == "here"
        assert TOKEN not in str(caught.value)


async def test_an_access_token_of_a_user_of_jellyfin_hears() -> None:

    async with FakeJellyfin(make_catalogue(films=3), api_key=TOKEN) as server:
        server.tokens["of a user"] = "admin"
        backend = JellyfinBackend(server.url, source=Source(id="here", kind="jellyfin"), token="of a user")
        async with backend.open(), aclosing(backend.listen()) as hints:
            heard = Heard("jellyfin", server, hints)
            await begun(heard)
            server.catalogue.touch(server.catalogue.titled(FILM))
            await heard.until(Hint(HintKind.CHANGED, (heard.key(FILM),)))


@pytest.mark.parametrize("make", [FakeJellyfin, FakeEmby])
async def test_jellyfin_and_emby_are_told_that_somebody_listens(make: type[FakeJellyfin]) -> None:
    server = make(make_catalogue(films=3), api_key=TOKEN)
    server.keep_alive_seconds = 0.4
    async with listening("emby" if make is FakeEmby else "jellyfin", server) as heard:
        [listener] = server.listeners
        async with asyncio.timeout(20):
            while len(listener.received) < 4:
                await asyncio.sleep(0.01)
        assert server.listeners == [listener]
        server.catalogue.touch(server.catalogue.titled(FILM))
        await heard.until(Hint(HintKind.CHANGED, (heard.key(FILM),)))


@pytest.mark.parametrize(
    "path", ["/:/websockets/notifications", "/:/websocket/notifications", "/:/eventsource/notifications"]
)
async def test_plex_is_listened_to_in_each_way_that_it_offers(path: str) -> None:
    server = FakePlex(make_catalogue(films=3), token=TOKEN)
    server.notification_paths = {path}
    async with listening("plex", server) as heard:
        server.catalogue.touch(server.catalogue.titled(FILM))
        await heard.until(Hint(HintKind.CHANGED, (heard.key(FILM),)))
        server.catalogue.remove(server.catalogue.titled("Film 2").remote_id)
        await heard.until(Hint(HintKind.REMOVED, ("2",)))
        server.close_listeners()
        with pytest.raises(SourceUnreachable):
            await heard.read_to_the_end()


@pytest.mark.parametrize("how", ["drop_listeners", "be_silent"])
async def test_a_stream_of_plexs_events_that_ends_or_falls_silent_is_unreachable(how: str) -> None:
    server = FakePlex(make_catalogue(films=3), token=TOKEN)
    server.notification_paths = {"/:/eventsource/notifications"}
    async with listening("plex", server, IMPATIENT) as heard:
        if how == "be_silent":
            server.be_silent()
        else:
            server.drop_listeners()
        with pytest.raises(SourceUnreachable):
            await heard.read_to_the_end()


async def test_a_plex_that_offers_no_way_to_listen_says_so() -> None:
    server = FakePlex(make_catalogue(films=3), token=TOKEN)
    server.notification_paths = set()
    async with server:
        backend = listening_backend("plex", server)
        assert isinstance(backend, ReportsEvents)
        async with backend.open(), aclosing(backend.listen()) as hints:
            with pytest.raises(RequestRefused, match="/:/eventsource/notifications was answered with 404"):
                await anext(hints)
        assert [request.path for request in server.requests][-3:] == [
            "/:/websockets/notifications",
            "/:/websocket/notifications",
            "/:/eventsource/notifications",
        ]


async def test_a_refused_token_of_plex_is_not_tried_in_other_ways() -> None:
    async with FakePlex(make_catalogue(films=3), token=TOKEN) as server:
        backend = listening_backend("plex", server)
        assert isinstance(backend, ReportsEvents)
        async with backend.open(), aclosing(backend.listen()) as hints:
            server.token = "another"
            before = len(server.requests)
            with pytest.raises(SourceUnauthorised):
                await anext(hints)
        assert len(server.requests) == before + 1


async def test_a_new_item_of_plex_in_a_library_without_an_agent_is_hinted_at_later() -> None:
    server = FakePlex(make_catalogue(films=3), token=TOKEN)
    server.without_agent = {"1"}
    async with listening("plex", server) as heard:
        item = server.catalogue.add("1", Movie(remote_id=server.catalogue.new_key(), title="A home video"))
        async with asyncio.timeout(20):
            while (hint := await anext(heard.hints)).remote_ids != (item.remote_id,):
                pass
        assert (hint.kind, hint.seconds > 0) == (HintKind.CHANGED, True)


async def test_the_port_of_kodis_notifications_is_a_setting() -> None:
    async with FakeKodi(make_catalogue(films=3)) as server:
        for port in (server.events_port, 1):
            config = SourceConfig(kind="kodi", url=server.url, events_port=port)
            backend = config.spec.make(config, BackendContext())
            assert isinstance(backend, ReportsEvents)
            async with backend.open(), aclosing(backend.listen()) as hints:
                if port == 1:
                    with pytest.raises(SourceUnreachable, match=r"127\.0\.0\.1:1 "):
                        await anext(hints)
                else:
                    await begun(Heard("kodi", server, hints))
    assert SourceConfig(kind="kodi", url="http://den").events_port == 9090


async def test_a_film_that_is_played_in_kodi_is_not_hinted_at() -> None:
    async with listening("kodi") as heard:
        assert isinstance(heard.server, FakeKodi)
        heard.server.announce_play(heard.catalogue.titled(FILM))
        heard.catalogue.touch(heard.catalogue.titled("Film 2"))
        seen = set()
        async with asyncio.timeout(20):
            while (hint := await anext(heard.hints)) != Hint(HintKind.CHANGED, (heard.key("Film 2"),)):
                seen.update(hint.remote_ids)
        assert heard.key(FILM) not in seen


async def test_a_scan_of_kodi_is_one_hint() -> None:
    async with listening("kodi") as heard:
        assert isinstance(heard.server, FakeKodi)
        with heard.server.scan():
            for number in range(3):
                heard.catalogue.add("1", Movie(remote_id=heard.catalogue.new_key(), title=f"New {number}"))
            heard.catalogue.remove(heard.catalogue.titled(FILM).remote_id)
        async with asyncio.timeout(20):
            assert await anext(heard.hints) == Hint(HintKind.SOURCE)
        heard.catalogue.touch(heard.catalogue.titled("Film 2"))
        async with asyncio.timeout(20):
            assert (await anext(heard.hints)).kind is HintKind.REMOVED
