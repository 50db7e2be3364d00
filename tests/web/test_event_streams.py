"""The changes as server-sent events: resuming, many followers, slow ones, and the end of the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message
from support.engines import Engine
from support.items import MOVIES, movie
from support.mirror import prepared, write
from web_library import TOKEN, client_of, on_both_engines

from mediasync import MediaSync
from mediasync.changes import Change
from mediasync.web import Access, Guard, create_app, feed, shut_down, streams


class CountingMirror(MediaSync):
    """A mirror that counts who follows its changes."""

    following = 0

    def changes(self, *, after: int | None = None, follow: bool = True) -> AsyncGenerator[Change]:
        self.following += follow
        return super().changes(after=after, follow=follow)


@pytest.fixture
async def ms(engine: Engine, tmp_path: Path) -> AsyncIterator[CountingMirror]:
    """A mirror with a source and two libraries, which are three changes."""
    async with CountingMirror(engine.new_mirror_url(tmp_path)) as ms:
        await prepared(ms)
        yield ms


class Follower:
    """A client of ``/events``, as the server of an ASGI app sees it."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.sent = b""
        self.ended = False
        self.gone = asyncio.Event()
        self._asked = False
        self.reads = asyncio.Event()
        self.reads.set()
        self._moved = asyncio.Event()

    async def call(self, app: Any, query: str = "", **headers: str) -> None:
        """Call the app, until it has answered or the client goes away."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": headers.pop("method", "GET"),
            "scheme": "http",
            "path": "/events",
            "raw_path": b"/events",
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode())
                for name, value in {"host": "localhost", **headers}.items()
            ],
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
        }
        await app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.sent += message.get("body", b"")
            self.ended = not message.get("more_body", False)
        self._moved.set()

    @property
    def events(self) -> list[tuple[str, str, Any]]:
        """The events that were sent whole, as (id, name, data)."""
        found = []
        for block in self.sent.decode().split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if fields:
                found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
        return found

    @property
    def numbers(self) -> list[int]:
        """The numbers of the changes that were sent."""
        return [data["number"] for _, name, data in self.events if name == "change"]

    async def until(self, number: int) -> None:
        """Wait until a change was sent."""
        await self.wait(lambda: b"\nid: %d\nevent: change\n" % number in self.sent)

    async def wait(self, is_so: Any) -> None:
        """Wait until something about what was sent is so."""
        async with asyncio.timeout(30):
            while not is_so():
                self._moved.clear()
                await self._moved.wait()


@asynccontextmanager
async def followed(app: Starlette, query: str = "", **headers: str) -> AsyncIterator[Follower]:
    """A client that follows, and goes away in the end."""
    follower = Follower()
    task = asyncio.create_task(follower.call(app, query, **headers))
    try:
        yield follower
        follower.gone.set()
        await task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def save(ms: MediaSync, *keys: object) -> int:
    """Save movies, each of which is one change, and return the number of the newest change."""
    for key in keys:
        await ms.media.save_media_item(movie(str(key)), **MOVIES)
    return await ms.newest_change()


@on_both_engines
async def test_stored_changes_come_first_and_then_those_that_are_committed(ms: MediaSync) -> None:
    async with followed(create_app(ms), "after=0") as follower:
        await follower.until(3)
        newest = await save(ms, "a", "b")
        await follower.until(newest)
    assert follower.numbers == list(range(1, newest + 1))
    assert [int(one) for one, name, _ in follower.events if name == "change"] == follower.numbers
    assert follower.events[0] == ("0", "ready", {"after": 0})
    assert follower.headers["content-type"].startswith("text/event-stream")
    assert follower.headers["cache-control"] == "no-store"


async def test_without_a_number_only_new_changes_come(ms: MediaSync) -> None:
    async with followed(create_app(ms)) as follower:
        await follower.wait(lambda: follower.events)
        newest = await save(ms, "a")
        await follower.until(newest)
    assert follower.events[0] == ("3", "ready", {"after": 3})
    assert follower.numbers == [newest]


async def test_who_comes_again_gets_what_came_meanwhile(ms: MediaSync) -> None:
    app = create_app(ms)
    async with followed(app, "after=2") as follower:
        await follower.until(3)
    newest = await save(ms, "a", "b", "c")
    last = follower.events[-1][0]
    async with followed(app, "after=0", last_event_id=last) as again:
        await again.until(newest)
    assert follower.numbers + again.numbers == list(range(3, newest + 1))


@on_both_engines
async def test_whoever_joins_while_others_write_misses_nothing(ms: CountingMirror) -> None:
    app = create_app(ms)
    writing = asyncio.gather(*(save(ms, *range(10 * one, 10 * one + 10)) for one in range(6)))
    async with followed(app, "after=0") as first:
        await first.until(10)
        async with followed(app, "after=5") as second, followed(app, "after=9") as third:
            await writing
            newest = await ms.newest_change()
            for follower in (first, second, third):
                await follower.until(newest)
    assert first.numbers == list(range(1, newest + 1))
    assert second.numbers == list(range(6, newest + 1))
    assert third.numbers == list(range(10, newest + 1))
    assert ms.following == 1


@on_both_engines
async def test_three_hundred_followers_cost_one_reader(ms: CountingMirror) -> None:
    app = create_app(ms)
    followers = [Follower() for _ in range(300)]
    tasks = [asyncio.create_task(follower.call(app)) for follower in followers]
    for follower in followers:
        await follower.wait(lambda follower=follower: follower.events)
    newest = await save(ms, *range(20))
    for follower in followers:
        await follower.until(newest)
        assert follower.numbers == list(range(4, newest + 1))
    assert ms.following == 1
    assert app.state.site.streams.count == 300
    for follower in followers:
        follower.gone.set()
    await asyncio.gather(*tasks)
    assert app.state.site.streams.count == 0


async def test_a_slow_follower_is_dropped_and_may_come_again(
    ms: MediaSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST_WAITING", 5)
    app = create_app(ms)
    async with followed(app) as slow, followed(app) as quick:
        for follower in (slow, quick):
            await follower.wait(lambda follower=follower: follower.events)
        await quick.until(await save(ms, "first"))
        slow.reads.clear()
        for key in range(20):
            newest = await save(ms, key)
            await quick.until(newest)
        slow.reads.set()
        await slow.wait(lambda: slow.ended)
        assert slow.events[-1][1] == "dropped"
        got = slow.numbers[-1]
        async with followed(app, last_event_id=str(got)) as again:
            await again.wait(lambda: again.ended or newest in again.numbers)
    assert slow.numbers + again.numbers == quick.numbers == list(range(4, newest + 1))


async def test_a_client_that_accepts_nothing_is_dropped(
    ms: MediaSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SEND_SECONDS", 0.01)
    app = create_app(ms)
    follower = Follower()
    task = asyncio.create_task(follower.call(app))
    await follower.wait(lambda: follower.events)
    follower.reads.clear()
    await save(ms, "a")
    await task
    assert not follower.ended
    assert app.state.site.streams.count == 0


async def test_a_quiet_stream_says_that_it_lives(ms: MediaSync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.01)
    async with followed(create_app(ms)) as follower:
        await follower.wait(lambda: follower.sent.count(b": still here\n\n") >= 3)


async def test_streams_end_when_the_server_does(ms: MediaSync) -> None:
    app = create_app(ms)
    async with followed(app) as follower:
        await follower.wait(lambda: follower.events)
        await shut_down(app)
        await follower.wait(lambda: follower.ended)
    assert follower.events[-1] == ("", "end", {"detail": "the server shuts down"})
    async with client_of(app) as client:
        late = await client.get("/events")
    assert (late.status_code, late.headers["retry-after"]) == (503, "10")


async def test_streams_end_when_the_mirror_is_closed(ms: MediaSync) -> None:
    async with followed(create_app(ms)) as follower:
        await follower.wait(lambda: follower.events)
        await ms.close()
        await follower.wait(lambda: follower.ended)
    assert follower.events[-1] == ("", "end", {"detail": "the mirror was closed"})


@on_both_engines
async def test_a_log_that_cannot_be_read_ends_the_streams(ms: CountingMirror) -> None:
    app = create_app(ms)
    async with followed(app) as follower:
        await follower.wait(lambda: follower.events)
        await write(ms, "ALTER TABLE change_counter RENAME COLUMN pruned TO other")
        await follower.wait(lambda: follower.ended)
    assert follower.events[-1][1:] == (
        "dropped",
        {"detail": "the database does not answer: reconnect to go on"},
    )
    await write(ms, "ALTER TABLE change_counter RENAME COLUMN other TO pruned")
    async with followed(app) as again:
        await again.wait(lambda: again.events)
        await again.until(await save(ms, "a"))


@on_both_engines
async def test_the_first_change_that_is_no_longer_kept_is_told(ms: CountingMirror) -> None:
    events = create_app(ms).state.site.feed.follow(1)
    assert (await anext(events)).name == "ready"
    await save(ms, "a")
    await ms.prune_changes(0)
    told = [event async for event in events]
    assert [(event.name, event.data["after"]) for event in told] == [("pruned", await ms.newest_change())]


async def test_a_fault_ends_a_stream_with_an_event(ms: MediaSync, caplog: pytest.LogCaptureFixture) -> None:
    async def faulty() -> AsyncGenerator[streams.ServerEvent]:
        yield streams.ServerEvent({"done": 1}, "progress")
        raise ValueError("a secret")

    app = create_app(ms)
    app.router.routes.insert(0, Route("/events", lambda _: streams.stream(faulty())))
    async with followed(app) as follower:
        await follower.wait(lambda: follower.ended)
    assert [name for _, name, _ in follower.events] == ["progress", "failed"]
    assert b"secret" not in follower.sent
    assert "a stream of events failed" in caplog.text


async def test_too_many_streams_are_refused(ms: MediaSync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_STREAMS", 1)
    app = create_app(ms)
    async with followed(app) as follower, client_of(app) as client:
        await follower.wait(lambda: follower.events)
        assert (await client.get("/events")).status_code == 503


async def test_what_cannot_be_followed_is_a_problem(ms: MediaSync) -> None:
    async with client_of(create_app(ms, guard=Guard(TOKEN, default=Access.NONE))) as client:
        assert (await client.get("/events")).status_code == 401
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        for query, headers, status in (
            ("after=9999", {}, 400),
            ("after=x", {}, 422),
            ("before=1", {}, 422),
            ("", {"Last-Event-ID": "x"}, 400),
            ("", {"Last-Event-ID": "9" * 40}, 400),
        ):
            answer = await client.get(f"/events?{query}", headers=headers)
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
        head = await client.head("/events")
        assert (head.status_code, head.content) == (200, b"")
        assert sorted((await client.post("/events")).headers["allow"].split(", ")) == ["GET", "HEAD"]
