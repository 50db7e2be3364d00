"""The transport: messages on standard input and output, of which nothing else is written there."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from queue import SimpleQueue
from typing import Any, Final, TypeVar, cast

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

T = TypeVar("T")

_STDIN: Final = 0
_STDOUT: Final = 1
_GONE: Final = (BrokenPipeError, anyio.BrokenResourceError, anyio.ClosedResourceError)
"""What is raised where the client, or the other end of a stream inside the server, is gone."""


async def serve_stdio(server: Server[Any, Any]) -> None:
    """Serve on standard input and output, until the client closes either of them.

    What other code prints meanwhile goes to standard error. It can be cancelled at any time, also while it
    waits for the client to write or to read.

    Args:
        server: made by `make_server`.
    """
    client = _Client()
    # stdio_server iterates over one, and writes to the other.
    streams = cast("anyio.AsyncFile[str]", client)
    with client, redirect_stdout(sys.stderr):
        try:
            async with stdio_server(streams, streams) as (received, sent):
                await server.run(received, sent, server.create_initialization_options())
        except BaseExceptionGroup as group:
            if group.split(_GONE)[1] is not None:
                raise


class _Client:
    """The client at the other end of standard input and output."""

    def __init__(self) -> None:
        self._input = _Thread("mediasync-mcp-input")
        self._output = _Thread("mediasync-mcp-output")
        # A reader of its own: a thread that waits in sys.stdin would be in the way of the end of the process.
        self._lines = open(_STDIN, "rb", closefd=False)  # noqa: SIM115

    def __enter__(self) -> _Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._input.end()
        self._output.end()

    def __aiter__(self) -> _Client:
        return self

    async def __anext__(self) -> str:
        line = await self._input.call(self._lines.readline)
        if not line:
            raise StopAsyncIteration
        return line.decode("utf-8", "replace")

    async def write(self, text: str) -> None:
        await self._output.call(lambda: _write(text.encode("utf-8", "replace")))

    async def flush(self) -> None:
        """Do nothing: what is written is not held back."""


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(_STDOUT, data) :]


class _Thread:
    """A thread that makes blocking calls, one after the other. Neither a task nor the process waits for it.

    A call in a thread of the event loop could not be cancelled: the loop would wait until the client writes.
    """

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def call(self, function: Callable[[], T]) -> T:
        """Call a function in the thread, and return what it returns."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if done.cancelled():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(cast("T", result))

        def run() -> None:
            result, failure = None, None
            try:
                result = function()
            except Exception as error:
                failure = error
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, result, failure)

        self._calls.put(run)
        return await done

    def end(self) -> None:
        """Let the thread end after the call that it makes."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
