"""Servers that send nonsense and floods to those who listen: memory and time stay bounded."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from support.servers import QUICK, SERVERS, TOKEN, listening_backend, make_server

from mediasync.backends.base import ReportsEvents
from mediasync.backends.waiting_hints import MAX_WAITING_KEYS
from mediasync.errors import SourceError, SourceUnreadable
from mediasync.hints import Hint, HintKind
from mediasync.settings.http import HttpOptions
from mediasync.testing import FakeJellyfin, FakeKodi, FakePlex, Listener, make_catalogue

Server = FakePlex | FakeJellyfin | FakeKodi
STREAM = "/:/eventsource/notifications"


def flood(kind: str, number: int, keys: int = 50) -> str:
    """Return a message of a server that names items which no other message names."""
    ids = [str(number * keys + one) for one in range(keys)]
    message: dict[str, object]
    if kind == "plex":
        entries = [
            {"identifier": "com.plexapp.plugins.library", "type": 1, "state": 5, "itemID": key} for key in ids
        ]
        message = {"NotificationContainer": {"type": "timeline", "TimelineEntry": entries}}
    elif kind == "kodi":
        data = {"item": {"id": number + 1, "type": "movie"}, "added": True}
        message = {"method": "VideoLibrary.OnUpdate", "params": {"data": data}}
    else:
        message = {"MessageType": "LibraryChanged", "Data": {"ItemsAdded": ids}}
    return json.dumps(message)


@asynccontextmanager
async def listening(
    kind: str, server: Server | None = None, options: HttpOptions = QUICK
) -> AsyncIterator[tuple[Listener, AsyncGenerator[Hint, None]]]:
    """Listen to a server, and give both ends of the connection."""
    made = server or make_server(kind, make_catalogue(films=1, shows=0))
    assert isinstance(made, Server)
    async with made:
        backend = listening_backend(kind, made, options)
        assert isinstance(backend, ReportsEvents)
        async with backend.open(), aclosing(backend.listen()) as hints:
            # The first hint proves that the connection stands, and leaves the generator waiting for the next.
            first = asyncio.ensure_future(anext(hints))
            async with asyncio.timeout(20):
                while not made.listeners:
                    await asyncio.sleep(0.001)
                [listener] = made.listeners
                message = flood(kind, 0, keys=1)
                listener.send(f"data: {message}\n\n" if is_stream(made) else message)
                await first
            yield listener, hints


def is_stream(server: Server) -> bool:
    return isinstance(server, FakePlex) and server.notification_paths == {STREAM}


async def closed(listener: Listener, hints: AsyncGenerator[Hint, None]) -> list[Hint]:
    """Return all hints until the connection, which the server closes, has ended."""
    listener.close()
    found: list[Hint] = []
    with pytest.raises(SourceError):
        await read(hints, found)
    return found


async def read(hints: AsyncGenerator[Hint, None], found: list[Hint]) -> None:
    """Read hints until there are no more."""
    async with asyncio.timeout(60):
        async for hint in hints:
            found.append(hint)


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_flood_becomes_a_hint_about_the_source_and_takes_little_memory(kind: str) -> None:
    server = make_server(kind, make_catalogue(films=1, shows=0))
    assert isinstance(server, Server)
    async with listening(kind, server) as (listener, hints):
        for number in range(1_500 if kind == "kodi" else 400):
            listener.send(flood(kind, number))
        listener.close()
        # Nothing is taken until all has been read and the connection has ended.
        tracemalloc.start()
        try:
            async with asyncio.timeout(60):
                while server.listeners:
                    await asyncio.sleep(0.001)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        found = await closed(listener, hints)
    assert HintKind.SOURCE in {hint.kind for hint in found}
    assert len(found) < 50
    assert all(len(hint.remote_ids) <= MAX_WAITING_KEYS for hint in found)
    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize("kind", SERVERS)
async def test_other_work_goes_on_during_a_flood(kind: str) -> None:
    async with listening(kind) as (listener, hints):
        for number in range(500):
            listener.send(flood(kind, number))
        turns, reading = 0, asyncio.ensure_future(closed(listener, hints))
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
        await reading
    assert turns > 100


@pytest.mark.parametrize("kind", SERVERS)
async def test_messages_of_other_shapes_are_passed_over(kind: str) -> None:
    shapes = [
        "null",
        "[]",
        "17",
        '"text"',
        '{"MessageType": {}, "Data": [], "method": 7, "NotificationContainer": null}',
        json.dumps({"a": [[[[[]]]]] * 1000}),
        '{"MessageType": "ForceKeepAlive", "Data": 1e308}',
        '{"MessageType": "ForceKeepAlive", "Data": NaN}',
        '{"MessageType": "LibraryChanged", "Data": {"ItemsAdded": ["\\ud800"]}}',
    ]
    async with listening(kind) as (listener, hints):
        for shape in shapes:
            listener.send(shape)
        listener.send(flood(kind, 1, keys=1))
        async with asyncio.timeout(20):
            assert (await anext(hints)).kind is HintKind.CHANGED


async def test_a_server_that_wants_signs_of_life_all_the_time_gets_ten_a_second_at_most() -> None:
    async with listening("jellyfin") as (listener, hints):
        for _ in range(2_000):
            listener.send('{"MessageType": "ForceKeepAlive", "Data": 0}')
        await closed(listener, hints)
        assert len(listener.received) < 100


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"data: no JSON\n\n", "broken JSON"),
        (b"x" * (17 * 1024 * 1024), "a line of more than 16 MiB"),
        (b"data: " + b"[" * 100_000 + b"\n\n", "nested too deeply"),
    ],
)
async def test_an_event_stream_that_cannot_be_read_ends(sent: bytes, text: str) -> None:
    server = FakePlex(make_catalogue(films=1, shows=0), token=TOKEN)
    server.notification_paths = {STREAM}
    async with listening("plex", server) as (listener, hints):
        listener.send(sent)
        with pytest.raises(SourceUnreadable, match=text):
            async with asyncio.timeout(20):
                await anext(hints)


async def test_an_event_stream_in_small_pieces_is_read() -> None:
    server = FakePlex(make_catalogue(films=1, shows=0), token=TOKEN)
    server.notification_paths = {STREAM}
    async with listening("plex", server) as (listener, hints):
        entry = json.loads(flood("plex", 7, keys=1))["NotificationContainer"]["TimelineEntry"][0]
        data = json.dumps({"TimelineEntry": entry})
        text = f": a comment\r\nretry: 5\r\nevent: timeline\r\ndata: {data}\r\n\r\n"
        for byte in text.encode():
            listener.send(bytes([byte]))
        async with asyncio.timeout(20):
            assert await anext(hints) == Hint(HintKind.CHANGED, ("7",))
