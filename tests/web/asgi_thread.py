"""An app in an event loop of its own, for programs that call it without one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediasync import MediaSync
from mediasync.web import Guard, create_app


@contextmanager
def running_app(library: str, guard: Guard) -> Iterator[ASGIApp]:
    """Run a thread with the app around a mirror of a library, and give what passes requests on to it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="app")
    thread.start()
    ms = MediaSync("sqlite:///:memory:")

    async def begin() -> Starlette:
        await ms.open()
        await ms.sync(f"examples=nfo:{library}")
        return create_app(ms, guard=guard)

    app = asyncio.run_coroutine_threadsafe(begin(), loop).result()

    async def passed_on(scope: Scope, receive: Receive, send: Send) -> None:
        here = asyncio.get_running_loop()

        async def receive_there() -> Message:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_whole(receive), here))

        async def send_there(message: Message) -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_whole_send(send, message), here))

        there = asyncio.run_coroutine_threadsafe(_call(app, scope, receive_there, send_there), loop)
        await asyncio.wrap_future(there)

    try:
        yield passed_on
    finally:
        asyncio.run_coroutine_threadsafe(ms.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _call(app: Starlette, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


async def _whole(receive: Receive) -> Message:
    return await receive()


async def _whole_send(send: Send, message: Message) -> None:
    await send(message)
