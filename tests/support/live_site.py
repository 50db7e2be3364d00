"""A site that a browser can open: uvicorn on a free port of loopback, in a thread with its own event loop."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp

from mediasync import MediaSync

T = TypeVar("T")


@dataclass(frozen=True)
class LiveSite:
    """A running site.

    Attributes:
        url: its address, without a slash at the end.
        ms: its mirror; use it through `run`.
    """

    url: str
    ms: MediaSync
    _loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the event loop of the site, and return its result.

        Example:
            >>> site.run(site.ms.list_runs())  # doctest: +SKIP
        """
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextmanager
def running_site(
    database: str,
    make_app: Callable[[MediaSync], ASGIApp],
    prepare: Callable[[MediaSync], Awaitable[object]] | None = None,
) -> Iterator[LiveSite]:
    """Run a site until the context ends.

    Args:
        database: the URL of its mirror.
        make_app: makes the app around the open mirror.
        prepare: fills the mirror before the site answers.
    """
    started: Future[tuple[MediaSync, asyncio.AbstractEventLoop, uvicorn.Server]] = Future()
    listener = socket.create_server(("127.0.0.1", 0))

    async def serve() -> None:
        async with MediaSync(database) as ms:
            if prepare is not None:
                await prepare(ms)
            server = uvicorn.Server(uvicorn.Config(make_app(ms), log_config=None, lifespan="off", ws="none"))
            started.set_result((ms, asyncio.get_running_loop(), server))
            await server.serve(sockets=[listener])

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="site")
    thread.start()
    try:
        ms, loop, server = started.result()
        # The socket listens already: who connects before the server accepts is answered when it does.
        yield LiveSite(f"http://127.0.0.1:{listener.getsockname()[1]}", ms, loop)
        server.should_exit = True
    finally:
        thread.join()
        listener.close()
