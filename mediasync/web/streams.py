"""Server-sent events, as the HTML standard describes them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import anyio
from starlette.responses import StreamingResponse

HEARTBEAT_SECONDS: Final = 15.0
"""How often a comment is sent while nothing happens, so that proxies keep the connection."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event.

    Attributes:
        data: what JSON can hold.
        name: the type of the event; empty for ``message``.
        id: with which a browser that lost the connection asks for what came after; empty for none.
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


def stream(events: AsyncGenerator[ServerEvent, None]) -> StreamingResponse:
    """Return the response that sends events as they come, until they end or the client goes away."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_with_heartbeats(events), media_type="text/event-stream", headers=headers)


async def _with_heartbeats(events: AsyncGenerator[ServerEvent, None]) -> AsyncIterator[bytes]:
    """Iterate over the encoded events, with a comment whenever none came for a while."""
    send, receive = anyio.create_memory_object_stream[ServerEvent](0)

    async def pass_on() -> None:
        async with send, aclosing(events):
            async for event in events:
                await send.send(event)

    async with anyio.create_task_group() as tasks, receive:
        tasks.start_soon(pass_on)
        yield b": connected\n\n"
        while True:
            with anyio.move_on_after(HEARTBEAT_SECONDS):
                try:
                    event = await receive.receive()
                except anyio.EndOfStream:
                    break
                yield event.encode()
                continue
            yield b": still here\n\n"
        tasks.cancel_scope.cancel()
