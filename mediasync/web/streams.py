"""Server-sent events, as the HTML standard describes them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_log: Final = logging.getLogger("mediasync.web")

HEARTBEAT_SECONDS: Final = 15.0
"""How often a comment is sent while nothing happens, so that proxies keep the connection."""

SEND_SECONDS: Final = 30.0
"""How long a client may take to accept what is sent, before it is dropped."""

MOST_STREAMS: Final = 2_000
"""How many streams one app sends at once."""

_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event.

    Attributes:
        data: what JSON can hold.
        name: the type of the event; empty for ``message``.
        id: with which a browser that lost the connection asks for what came after; empty for none. It is in
            one line.
    """

    data: Any
    name: str = ""
    id: str = ""

    def encode(self) -> bytes:
        """Return the event as it is sent.

        Example:
            >>> ServerEvent({"done": 3}, "progress", "7").encode()
            b'id: 7\\nevent: progress\\ndata: {"done":3}\\n\\n'
        """
        lines = []
        if self.id:
            lines.append(f"id: {self.id}")
        if self.name:
            lines.append(f"event: {self.name}")
        lines.append(f"data: {json.dumps(self.data, separators=(',', ':'))}")
        return ("\n".join(lines) + "\n\n").encode()


Events = AsyncGenerator[ServerEvent | bytes, None]
"""Events that are to be sent. One that many streams send may be encoded already."""

AnyEvents = AsyncGenerator[ServerEvent, None] | Events


class Streams:
    """The open streams of an app: how many there are, and how all of them end."""

    def __init__(self) -> None:
        self._most = MOST_STREAMS
        self._closing = asyncio.Event()
        self.count = 0

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Count a stream while it is open."""
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1

    def check_room(self) -> None:
        """Check that another stream may be opened.

        Raises:
            HTTPException: with status 503 if too many are open, or the app shuts down.
        """
        if self._closing.is_set() or self.count >= self._most:
            raise HTTPException(503, "Too many streams are open. Try again later.", {"Retry-After": "10"})

    def close(self) -> None:
        """End all streams, each with an event that says so. No new one is opened."""
        self._closing.set()

    async def wait_closed(self) -> None:
        """Wait until the streams are to end."""
        await self._closing.wait()


def stream(events: AnyEvents) -> Response:
    """Return the response that sends events as they come.

    It ends when the events end, the client goes away or accepts nothing for `SEND_SECONDS`, or the app shuts
    down; the events are closed then. A client that reconnects goes on where it was, if the events have ids.

    Args:
        events: the events.
    """
    return EventStream(events)


class EventStream(Response):
    """The response that sends events as they come; see `stream`.

    Args:
        events: the events.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AnyEvents) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        streams: Streams = scope["app"].state.site.streams
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        if scope["method"] == "HEAD":
            await self._events.aclose()
            await send({"type": "http.response.body", "body": b""})
            return
        with streams.opened():
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_cancel_when_gone, receive, tasks.cancel_scope)
                    await _Sending(self._events, streams, send).run()
                    tasks.cancel_scope.cancel()
            except* TimeoutError:
                _log.info("a client of %s accepts nothing, and is dropped", scope["path"])
            except* OSError:
                _log.debug("a client of %s went away", scope["path"])


async def _cancel_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


class _Sending:
    """Sends the events of one stream, and a comment whenever none came for a while.

    One task iterates over the events, from the first to their closing, so that they may hold what belongs to
    a task. Another one sends.
    """

    def __init__(self, events: AnyEvents, streams: Streams, send: Send) -> None:
        self._events = events
        self._streams = streams
        self._send = send
        self._last: ServerEvent | None = None
        self._reading = anyio.CancelScope()

    async def run(self) -> None:
        """Send the events to their end."""
        put, get = anyio.create_memory_object_stream[ServerEvent | bytes](0)
        async with put, get, anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, put)
            tasks.start_soon(self._end_with_app)
            await self._write(b": connected\n\n")
            while True:
                content = b": still here\n\n"
                with anyio.move_on_after(HEARTBEAT_SECONDS):
                    try:
                        event = await get.receive()
                    except anyio.EndOfStream:
                        break
                    content = event if isinstance(event, bytes) else event.encode()
                await self._write(content)
            await self._write(b"" if self._last is None else self._last.encode(), more=False)
            tasks.cancel_scope.cancel()

    async def _read(self, put: MemoryObjectSendStream[ServerEvent | bytes]) -> None:
        async with put:
            try:
                with self._reading:
                    async for event in self._events:
                        await put.send(event)
            except Exception:
                _log.exception("a stream of events failed")
                self._last = ServerEvent({"detail": "the log of the server says what went wrong"}, "failed")
            finally:
                with anyio.CancelScope(shield=True):
                    await self._events.aclose()

    async def _end_with_app(self) -> None:
        await self._streams.wait_closed()
        self._last = ServerEvent({"detail": "the server shuts down"}, "end")
        self._reading.cancel()

    async def _write(self, content: bytes, *, more: bool = True) -> None:
        with anyio.fail_after(SEND_SECONDS):
            await self._send({"type": "http.response.body", "body": content, "more_body": more})
