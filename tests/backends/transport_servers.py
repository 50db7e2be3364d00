"""Servers and transports for the tests of `mediasync.backends.transport`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from mediasync.backends.transport import Transport
from mediasync.settings.http import HttpOptions
from mediasync.testing import FakeServer, Request, Response

TOKEN = "T0ken-of-the-backend"
EXTRA = "Extra-secret-of-the-options"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Echo(FakeServer):
    """Answers with what it was asked, or with what `answer` says."""

    answer: Callable[[Request], Awaitable[Response]] | None = None

    async def handle(self, request: Request) -> Response:
        if self.answer is not None:
            return await self.answer(request)
        return Response.json(
            {
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "title": "Amélie",
                "body": request.body.decode(),
            }
        )


class Gate(Echo):
    """Answers nothing until so many requests are at work at once."""

    def __init__(self, opens_at: int) -> None:
        super().__init__()
        self.opens_at = opens_at
        self.waiting = 0
        self.opened = asyncio.Event()

    async def handle(self, request: Request) -> Response:
        self.waiting += 1
        if self.waiting >= self.opens_at:
            self.opened.set()
        await self.opened.wait()
        return Response.json({})


def options(**fields: Any) -> HttpOptions:
    """Return options with short pauses."""
    return HttpOptions(**{"backoff": 0.001, **fields})


def make(url: str, *, concurrency: int = 4, client: Any = None, **fields: Any) -> Transport:
    """Return a transport of source ``home`` with a secret header."""
    return Transport(
        "home",
        url,
        headers={"X-Token": TOKEN},
        concurrency=concurrency,
        options=options(**fields),
        client=client,
    )


@asynccontextmanager
async def opened(url: str, **fields: Any) -> AsyncIterator[Transport]:
    """Open a transport of source ``home``."""
    transport = make(url, **fields)
    async with transport.open():
        yield transport


@asynccontextmanager
async def raw_server(handler: Handler) -> AsyncIterator[str]:
    """Run a server that speaks whatever *handler* says, and give its address."""
    tasks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.get_running_loop().create_task(serve(reader, writer)))

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.wait_for(asyncio.gather(*tasks), 20)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another task does; fail if it does not."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def free_port_url() -> str:
    """Return an address at which nobody listens."""
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"
