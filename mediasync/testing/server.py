"""A small HTTP/1.1 server on loopback, the base of the fake media servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import Coroutine
from dataclasses import replace
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote

import h11

from mediasync.testing.faults import Fault, accented, scrambled
from mediasync.testing.listeners import Listener, serve_socket, serve_stream
from mediasync.testing.messages import Request, Response

__all__ = ["FakeServer", "Fault", "Request", "Response"]

SWITCHING: Final = HTTPStatus.SWITCHING_PROTOCOLS
_CHUNK: Final = 64 * 1024
_HTML: Final = (
    "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"
)
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class FakeServer:
    """A server on a free port of 127.0.0.1. A subclass answers requests in `handle`.

    Args:
        base_path: the path below which everything is served (``/jellyfin``); other paths answer 404.
        tls: the TLS context; None for plain HTTP.

    Attributes:
        url: the server's address with the base path, available once it runs.
        requests: all received requests in order, including those outside the base path.
        faults: the faults to apply; the first one that affects a request is used.
        most_at_once: the largest number of requests that were handled at the same time.
        connections: the number of open connections.
        listeners: the clients that listen to events at the moment.

    Example::

        class Hello(FakeServer):
            async def handle(self, request: Request) -> Response:
                return Response.json({"hello": request.path})

        async with Hello() as server:
            print(server.url)
    """

    def __init__(self, *, base_path: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.base_path = base_path.rstrip("/")
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.listeners: list[Listener] = []
        self.most_at_once = 0
        self._at_once = 0
        self._tls = tls
        self._port = 0
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._error: Exception | None = None

    @property
    def url(self) -> str:
        """The address, with the base path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}{self.base_path}"

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._tasks)

    async def handle(self, request: Request) -> Response:
        """Return the response to *request*."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        self._port = await self.open_port()
        return self

    async def open_port(self) -> int:
        """Listen on another free port, and return it. Those after the first have no TLS."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
        if self._error is not None and error is None:
            raise self._error

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port: int = writer.get_extra_info("sockname")[1]
        if self._tls is not None and port == self._port:
            try:
                await writer.start_tls(self._tls)
            except OSError:  # for example, the client does not trust the certificate; the transport is closed
                return
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._serve_one(connection, reader, writer, port):
                connection.start_next_cycle()
        except (ConnectionError, h11.ProtocolError, ssl.SSLError):
            pass  # the client disconnected, or does not speak HTTP
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _serve_one(
        self,
        connection: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        port: int,
    ) -> bool:
        request = await _read_request(connection, reader, port)
        if request is None:
            return False
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            response, fault = await _while_there(self._answer(request), connection, reader)
        finally:
            self._at_once -= 1
        kind = fault.kind if fault else ""
        if response is None:
            if kind == "reset":
                _reset(writer)
            return False
        if response.listener is not None:
            await self._serve_listener(request, response, connection, reader, writer)
            return False
        headers = {"Content-Length": str(len(response.body)), **response.headers}
        if kind == "truncated":
            headers["Connection"] = "close"
        head = h11.Response(status_code=response.status, headers=list(headers.items()))
        writer.write(connection.send(head) or b"")
        if kind == "truncated":
            writer.write(response.body[: len(response.body) // 2])
            await writer.drain()
            return False
        if fault is not None and kind == "drip":
            for byte in response.body:
                writer.write(connection.send(h11.Data(data=bytes([byte]))) or b"")
                await writer.drain()
                await asyncio.sleep(fault.seconds)
        elif request.method != "HEAD":
            writer.write(connection.send(h11.Data(data=response.body)) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    async def _serve_listener(
        self,
        request: Request,
        response: Response,
        connection: h11.Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Keep a connection open for events, until one of the two sides closes it."""
        listener = response.listener
        assert listener is not None
        self.listeners.append(listener)
        try:
            self.listened(listener)
            if response.status == SWITCHING:
                await serve_socket(listener, request.headers, reader, writer, self.heard)
            else:
                await serve_stream(listener, response.headers, connection, reader, writer)
        finally:
            self.listeners.remove(listener)
            self.left(listener)

    def listened(self, listener: Listener) -> None:
        """Called when a client begins to listen to events."""

    def heard(self, listener: Listener, message: str) -> None:
        """Called with a message that a client sends over its WebSocket."""

    def left(self, listener: Listener) -> None:
        """Called when a client listens no more."""

    async def _answer(self, request: Request) -> tuple[Response | None, Fault | None]:
        inside = _below(request, self.base_path)
        self.requests.append(inside or request)
        number = len(self.requests)
        fault = next((fault for fault in self.faults if fault.meets(self.requests[-1], number)), None)
        kind = fault.kind if fault else ""
        if fault is not None:
            if kind in {"status", "busy", "limit"}:
                return Response(fault.code, fault.headers, fault.body), fault
            if kind == "reset":
                return None, fault
            if kind == "hang":
                await asyncio.get_running_loop().create_future()
            if kind == "html":
                return Response.text(_HTML, kind="text/html"), fault
            if kind == "empty":
                return Response.json({}), fault
            if kind == "slow":
                await asyncio.sleep(fault.seconds)
        response = await self._handled(inside)
        return (_faulty(response, fault) if fault and not response.listener else response), fault

    async def _handled(self, request: Request | None) -> Response:
        if request is None:
            return Response(404)
        try:
            return await self.handle(request)
        except Exception as error:
            self._error = self._error or error
            return Response.text(f"the fake server failed: {error!r}", 500)


def _faulty(response: Response, fault: Fault) -> Response:
    if fault.kind == "cut_json":
        return Response(response.status, response.headers, response.body[: len(response.body) // 2])
    if fault.kind == "damage":
        return Response(response.status, response.headers, fault.damaged(response.body))
    if fault.kind not in {"latin1", "wrong_types", "rewrite"}:
        return response
    value: Any = json.loads(response.body)
    if fault.kind == "latin1":
        text = json.dumps(accented(value), ensure_ascii=False)
        return Response(response.status, response.headers, text.encode("latin-1", "replace"))
    value = fault.change(value) if fault.kind == "rewrite" else scrambled(value, fault.keys)
    return Response.json(value, response.status, response.headers)


async def _read_request(
    connection: h11.Connection, reader: asyncio.StreamReader, port: int
) -> Request | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            break
        else:
            return None
    assert head is not None
    target, _, query = head.target.decode("ascii").partition("?")
    return Request(
        method=head.method.decode("ascii"),
        path=unquote(target),
        query=parse_qs(query, keep_blank_values=True),
        headers={name.decode("ascii"): value.decode("latin-1") for name, value in head.headers},
        body=bytes(body),
        port=port,
    )


async def _while_there(
    work: Coroutine[Any, Any, tuple[Response | None, Fault | None]],
    connection: h11.Connection,
    reader: asyncio.StreamReader,
) -> tuple[Response | None, Fault | None]:
    """Return the result of *work*; cancel it if the client disconnects."""
    working = asyncio.ensure_future(work)
    reading = asyncio.ensure_future(reader.read(_CHUNK))
    try:
        await asyncio.wait({working, reading}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            data = reading.result()
            if not data and not working.done():
                return None, None
            connection.receive_data(data)
        return await working
    finally:
        working.cancel()
        reading.cancel()
        await asyncio.gather(working, reading, return_exceptions=True)


def _below(request: Request, base_path: str) -> Request | None:
    if not base_path:
        return request
    if request.path != base_path and not request.path.startswith(f"{base_path}/"):
        return None
    path = request.path.removeprefix(base_path) or "/"
    return replace(request, path=path)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection so that the client sees a reset, not a normal end."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
