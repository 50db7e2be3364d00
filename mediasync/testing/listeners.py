"""Clients that listen to the events of a fake server: over a WebSocket, or by server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import h11

__all__ = ["Listener"]

_CHUNK: Final = 64 * 1024
_GOING_AWAY: Final = 1001
_SILENT: Final = logging.Logger("mediasync.testing", logging.CRITICAL + 1)
"""What the fake receives is of no interest in the log of a test, and holds tokens."""


class _Closing(NamedTuple):
    """What ends a connection.

    Attributes:
        code: the code of the WebSocket's closing; None to abort the connection.
        reason: the reason in words.
    """

    code: int | None
    reason: str


@dataclass(slots=True, eq=False)
class Listener:
    """A client that listens.

    Attributes:
        user: the name of the user who listens; empty if it is nobody in particular.
        delay: how many seconds each message waits before it is sent; their order stays.
        is_silent: whether the server neither sends anything nor answers pings.
        received: the messages that the client has sent.
    """

    user: str = ""
    delay: float = 0.0
    is_silent: bool = False
    received: list[str] = field(default_factory=list)
    _outbox: asyncio.Queue[str | bytes | _Closing] = field(default_factory=asyncio.Queue)

    def send(self, message: str | bytes) -> None:
        """Send a message after those before it; bytes are sent as they are, without a frame."""
        self._outbox.put_nowait(message)

    def close(self, code: int = _GOING_AWAY, reason: str = "") -> None:
        """Close the connection after the messages before, as a server does that ends."""
        self._outbox.put_nowait(_Closing(code, reason))

    def drop(self) -> None:
        """Abort the connection after the messages before, as if a cable was pulled out."""
        self._outbox.put_nowait(_Closing(None, ""))

    async def take(self) -> str | bytes | _Closing:
        """Return what is to be sent next, when it is time."""
        message = await self._outbox.get()
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.is_silent:
            await asyncio.get_running_loop().create_future()
        return message


async def serve_socket(
    listener: Listener,
    headers: Mapping[str, str],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    heard: Callable[[Listener, str], None],
) -> None:
    """Speak WebSocket with a client until one of the two closes the connection.

    Args:
        listener: the client.
        headers: those of its request.
        reader: what it sends.
        writer: what is sent to it.
        heard: called with each message of the client.
    """
    from websockets.frames import Frame, Opcode
    from websockets.http11 import Request
    from websockets.server import ServerProtocol

    protocol = ServerProtocol(max_size=None, logger=_SILENT)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    protocol.receive_data(f"GET / HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
    [asked] = protocol.events_received()
    assert isinstance(asked, Request)
    protocol.send_response(protocol.accept(asked))

    async def flush() -> None:
        for data in protocol.data_to_send():
            if data:
                writer.write(data)
            elif writer.can_write_eof():
                writer.write_eof()
            else:  # TLS has no half-closed connections
                writer.close()
        await writer.drain()

    async def send_all() -> None:
        while True:
            match await listener.take():
                case str(text):
                    protocol.send_text(text.encode("utf-8", "surrogatepass"))
                case bytes(raw):
                    writer.write(raw)
                case _Closing(None):
                    writer.transport.abort()
                case _Closing(int(code), reason):
                    protocol.send_close(code, reason)
            await flush()

    await flush()
    sending = asyncio.create_task(send_all())
    try:
        while data := await reader.read(_CHUNK):
            if listener.is_silent:
                continue
            protocol.receive_data(data)
            for event in protocol.events_received():
                if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                    message = bytes(event.data).decode()
                    listener.received.append(message)
                    heard(listener, message)
            await flush()
    finally:
        await _end(sending)


async def serve_stream(
    listener: Listener,
    headers: Mapping[str, str],
    connection: h11.Connection,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Send a client the answer to its request, whose body is events, until one of the two ends it.

    Args:
        listener: the client.
        headers: those of the answer.
        connection: the state of the connection.
        reader: what the client sends, which is nothing more.
        writer: what is sent to it.
    """
    head = h11.Response(status_code=200, headers=[*headers.items(), ("Transfer-Encoding", "chunked")])
    writer.write(connection.send(head) or b"")
    await writer.drain()

    async def send_all() -> None:
        while not isinstance(message := await listener.take(), _Closing):
            data = message.encode() if isinstance(message, str) else message
            writer.write(connection.send(h11.Data(data=data)) or b"")
            await writer.drain()
        if message.code is None:
            writer.transport.abort()
        else:
            writer.write(connection.send(h11.EndOfMessage()) or b"")
            await writer.drain()

    sending = asyncio.create_task(send_all())
    reading = asyncio.create_task(reader.read(_CHUNK))
    try:
        await asyncio.wait({sending, reading}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(sending)
        await _end(reading)


async def _end(task: asyncio.Task[None] | asyncio.Task[bytes]) -> None:
    """Cancel a task. That the client has disconnected is not an error of the server."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, ConnectionError):
        await task
