"""Clients that are slow, or do nothing at all, stop neither a sync nor anybody else."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))

from serving import serving

from mediasync.web.server import WebServer, bind

CLIENTS = 1_000
TOKEN = "correct horse battery"
EXAMPLES = Path(__file__).parents[2] / "examples" / "library"


@contextmanager
def many_files(number: int) -> Iterator[None]:
    """Let this process open more files."""
    if os.name == "nt":
        pytest.skip("Windows does not wait for so many sockets")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < number:
        pytest.skip(f"this user may open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
def test_a_thousand_slow_clients_stop_neither_a_sync_nor_others(tmp_path: Path) -> None:
    begin = (
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\ntok",
        b"GET /static/htmx.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20,  # and reads nothing of it
    )
    environ = {"MEDIASYNC_WEB_TOKEN": TOKEN, "MEDIASYNC_DATABASE": str(tmp_path / "media.db")}
    with many_files(CLIENTS + 500), ExitStack() as stack:
        served = stack.enter_context(serving(f"films=nfo:{EXAMPLES}", "--no-watch", environ=environ))
        address = ("127.0.0.1", int(served.url.rpartition(":")[2]))
        slow = []
        for number in range(CLIENTS):
            client = stack.enter_context(socket.create_connection(address, timeout=30))
            client.sendall(begin[number % len(begin)])
            slow.append(client)
        with httpx.Client(base_url=served.url, timeout=30) as client:
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            assert client.post("/sources/films/sync", headers=bearer).status_code == 303
            assert served.process.stdout is not None
            assert "34 items seen, 34 saved" in served.process.stdout.readline()
            for one in slow[1::4]:
                with suppress(OSError):  # the server may have given it up
                    one.sendall(b"x")
            assert client.get("/sources.json").json()["sources"][0]["stored"]["items"] == 34
            assert client.get("/runs").status_code == 200
        served.process.terminate()
        assert served.process.wait(timeout=60) == 0


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with 8 MB, which no socket buffers."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8388608")]})
    for number in range(128):
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": number < 127})


@asynccontextmanager
async def running() -> AsyncIterator[int]:
    """A server in this process; the value is its port."""
    listening = asyncio.Event()
    sockets = bind("127.0.0.1", 0)
    server = WebServer(_answer, on_listening=listening.set)
    task = asyncio.create_task(server.serve(sockets))
    await listening.wait()
    try:
        yield sockets[0].getsockname()[1]
    finally:
        server.stop()
        await task


@pytest.mark.parametrize(
    "begin", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]
)
async def test_a_connection_without_a_request_or_a_reader_ends(
    monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    monkeypatch.setattr("mediasync.web.server.REQUEST_SECONDS", 0.1)
    monkeypatch.setattr("mediasync.web.server.WRITE_SECONDS", 0.1)
    async with asyncio.timeout(30), running() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
        writer.write(begin)
        # Somebody who reads nothing: the buffers of the two sockets are all that is sent.
        sock = writer.get_extra_info("socket")
        if begin.endswith(b"\r\n\r\n"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            while True:
                try:
                    writer.write(b"x")
                    await writer.drain()
                except ConnectionError:
                    break
                await asyncio.sleep(0.05)
        else:
            assert await reader.read(1) == b""
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_second_request_on_a_connection_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediasync.web.server.REQUEST_SECONDS", 0.3)
    async with running() as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(3):
            assert len((await client.get("/")).content) == 8_388_608
