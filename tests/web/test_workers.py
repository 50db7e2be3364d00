"""Several worker processes on one database, with a sync meanwhile; and the end of a server that streams."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from support.engines import POSTGRES, SQLITE_FILE, Engine
from support.items import MOVIES, movie
from support.mirror import prepared

from mediasync import MediaSync

HERE = Path(__file__).parent
WORKERS = 2


@pytest.fixture(params=[SQLITE_FILE, POSTGRES], ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine."""
    return request.param


@asynccontextmanager
async def process(
    *command: str, fd: int | None = None, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process, which is ended by a signal if it has not ended by itself."""
    running = await asyncio.create_subprocess_exec(
        *command,
        cwd=HERE,
        env={**os.environ, **environment},
        pass_fds=[] if fd is None else [fd],
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
        await running.communicate()


async def answered(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """Return the first answer of a server that is just starting."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await client.get(path)
            except httpx.TransportError:
                await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_workers_share_a_database_while_another_process_writes(engine: Engine, tmp_path: Path) -> None:
    url = engine.new_mirror_url(tmp_path)
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/media"
    command = ["-m", "uvicorn", "workers_app:app", "--workers", str(WORKERS), "--fd", str(listening.fileno())]
    async with MediaSync(url) as ms:
        await prepared(ms)
        async with (
            process(sys.executable, *command, fd=listening.fileno(), TEST_DATABASE=url),
            httpx.AsyncClient(base_url=address, timeout=60) as client,
        ):
            listening.close()
            # Whoever connects waits until a worker has started.
            assert (await client.get(f"{address}/readyz")).status_code == 200

            async def follow() -> list[int]:
                numbers: list[int] = []
                async with (
                    httpx.AsyncClient(timeout=60) as own,
                    own.stream("GET", f"{address}/events?after=3") as answer,
                ):
                    async for line in answer.aiter_lines():
                        if line.startswith("id: ") and line != "id: 3":
                            numbers.append(int(line[4:]))
                            if numbers[-1] == 43:
                                return numbers
                return numbers

            async def read() -> set[int]:
                # A connection of its own each time, so that both workers are asked.
                statuses = set()
                while not writing.done():
                    async with httpx.AsyncClient(timeout=60) as own:
                        for path in ("/api/v1/items", "/api/v1/changes?after=3", "/metrics", "/"):
                            statuses.add((await own.get(address + path)).status_code)
                return statuses

            async def write() -> None:
                for number in range(40):
                    await ms.media.save_media_item(movie(str(number)), **MOVIES)

            following = [asyncio.create_task(follow()) for _ in range(4)]
            writing = asyncio.create_task(write())
            assert await read() == {200}
            await writing
            for found in await asyncio.gather(*following):
                assert found == list(range(4, 44))
            page = (await client.get(f"{address}/api/v1/items?limit=100&with_total=true")).json()
            assert page["total"] == 40


@pytest.mark.slow
async def test_a_server_that_streams_ends_at_a_signal(tmp_path: Path) -> None:
    async with MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
        await prepared(ms)
    command = ["-m", "mediasync", "serve", "--database", f"{tmp_path}/media.db", "--port", "0"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command[-1] = str(port)
    async with process(sys.executable, *command) as server, httpx.AsyncClient(timeout=60) as client:
        address = f"http://127.0.0.1:{port}"
        await answered(client, f"{address}/readyz")
        async with client.stream("GET", f"{address}/events") as answer:
            lines = answer.aiter_lines()
            async for line in lines:
                if line == "event: ready":
                    break
            server.send_signal(signal.SIGTERM)
            rest = [line async for line in lines]
        assert "event: end" in rest
        async with asyncio.timeout(30):
            await server.wait()
        assert server.returncode in {0, 128 + signal.SIGTERM}
