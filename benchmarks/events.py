"""From an event to the committed row: a changed NFO file, and a webhook about an item of a Plex server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from starlette.applications import Starlette

from benchmarks.folders import write_library
from benchmarks.product import url_of
from mediasync import MediaSync, SourceConfig
from mediasync.changes import Change
from mediasync.events import Event, ListeningStarted, SyncScheduled
from mediasync.testing import FakePlex, make_catalogue
from mediasync.web.hooks import SECRET_HEADER, hook_routes

SECRET: Final = "a-secret-of-benchmarks"
_CREDITS: Final = 15
_REST_SECONDS: Final = 0.2
"""Between two events, so that none waits for the one before it."""


async def of_folder(path: str, folder: str, movies: int, rounds: int) -> dict[str, Any]:
    """Time how long a change of an NFO file takes to become a row.

    Args:
        path: the file of a new SQLite database.
        folder: a folder that does not exist yet.
        movies: how many films are in it.
        rounds: how many files are changed, one after the other.

    Returns:
        ``seconds``: of each round.
    """
    root = Path(folder)
    write_library(root, movies, _CREDITS)
    config = SourceConfig.model_validate({"id": "home", "folder": root})

    async def change(number: int) -> None:
        file = root / "movies" / f"Bulk Movie {number:05}" / "movie.nfo"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("<title>", "<title>Changed "), encoding="utf-8")

    async with MediaSync(url_of(path)) as ms:
        await ms.sync(config)
        return {"seconds": await _time(ms, config, change, rounds, until=ListeningStarted)}


async def of_webhook(path: str, movies: int, rounds: int) -> dict[str, Any]:
    """Time how long a webhook about a changed film takes to become a row, over real HTTP on loopback.

    Args:
        path: the file of a new SQLite database.
        movies: how many films the server has.
        rounds: how many events are posted, one after the other.

    Returns:
        ``seconds``: of each round.
    """
    catalogue = make_catalogue(movies, 0)
    async with FakePlex(catalogue, token=SECRET) as server, MediaSync(url_of(path)) as ms:
        config = SourceConfig.model_validate(
            {"id": "home", "kind": "plex", "url": server.url, "token": SECRET, "events": False}
        )
        await ms.sync(config)
        async with _served(ms) as url, httpx.AsyncClient(headers={SECRET_HEADER: SECRET}) as client:

            async def change(number: int) -> None:
                film = list(catalogue.items())[number]
                film.title = f"Changed {film.title}"
                catalogue.touch(film)
                body = {"event": "library.new", "Metadata": {"ratingKey": film.remote_id, "type": "movie"}}
                (await client.post(f"{url}/hooks/home", json=body)).raise_for_status()

            return {"seconds": await _time(ms, config, change, rounds, until=SyncScheduled)}


async def _time(
    ms: MediaSync,
    config: SourceConfig,
    change: Callable[[int], Awaitable[None]],
    rounds: int,
    *,
    until: type[Event],
) -> list[float]:
    """Return the seconds from each change to its row, in a mirror that watches the source."""
    ready = asyncio.Event()

    async def watch() -> None:
        async for event in ms.watch([config], every="1d"):
            if isinstance(event, until):
                ready.set()

    watching = asyncio.create_task(watch())
    seconds = []
    try:
        await ready.wait()
        await asyncio.sleep(1)  # the folder is watched when its listener has begun, which nothing reports
        async with aclosing(ms.changes(after=await ms.newest_change())) as changes:
            for number in range(rounds):
                begun = time.perf_counter()
                await change(number)
                await _next_item(changes)
                seconds.append(time.perf_counter() - begun)
                await asyncio.sleep(_REST_SECONDS)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    return seconds


async def _next_item(changes: AsyncGenerator[Change, None]) -> None:
    async for one in changes:
        if one.entity == "item":
            return


@asynccontextmanager
async def _served(ms: MediaSync) -> AsyncIterator[str]:
    app = Starlette(routes=hook_routes(ms, {"home": SECRET}.get))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn sets no event)
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving
