"""How WebSockets are opened: certificates, headers, redirects, refusals, and without their package."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr
from transport_servers import EXTRA, TOKEN, free_port_url, opened, raw_server, until

from mediasync.backends.sockets import LARGEST_MESSAGE, Socket, open_socket
from mediasync.backends.transport import Transport
from mediasync.errors import (
    ConfigurationError,
    RequestRefused,
    SourceBusy,
    SourceError,
    SourceForbidden,
    SourceUnauthorised,
    SourceUnreachable,
    SourceUnreadable,
)
from mediasync.testing import FakeServer, Fault, Listener, Request, Response

SWITCHING = 101
PROXY_VARIABLES = (
    "http_proxy",
    "https_proxy",
    "ws_proxy",
    "wss_proxy",
    "all_proxy",
    "socks_proxy",
    "no_proxy",
)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the machine that tests run on are none of theirs."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Events(FakeServer):
    """Accepts every WebSocket."""

    async def handle(self, request: Request) -> Response:
        if request.path == "/elsewhere":
            return Response(302, {"Location": "/events"})
        if request.path == "/away":
            return Response(302, {"Location": "http://elsewhere.example/events?token=4711"})
        if request.path == "/loop":
            return Response(302, {"Location": "/loop"})
        if request.path == "/nowhere":
            return Response(302, {"Location": "http://host:port/"})
        if request.path == "/page":
            return Response.text("<html>Sign in</html>", kind="text/html")
        return Response(SWITCHING, listener=Listener())


@asynccontextmanager
async def listening(transport: Transport, server: FakeServer) -> AsyncIterator[tuple[Socket, Listener]]:
    """Open a WebSocket, and give both of its ends."""
    async with open_socket(transport, "/events") as socket:
        await until(lambda: bool(server.listeners))
        yield socket, server.listeners[-1]


def tls(ca: trustme.CA) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(made)
    return made


async def fails(transport: Transport, path: str = "/events") -> SourceError:
    """Return the error with which a WebSocket is not opened. It shows no secret."""
    with pytest.raises(SourceError) as caught:
        async with open_socket(transport, path):
            pass
    assert caught.value.source_id == "home"
    for secret in (TOKEN, EXTRA, "4711"):
        assert secret not in str(caught.value)
    return caught.value


async def test_headers_are_those_of_every_request() -> None:
    headers = {"X-Extra": SecretStr(EXTRA), "User-Agent": SecretStr("mine")}
    async with Events(base_path="/base") as server, opened(server.url, headers=headers) as transport:
        async with listening(transport, server) as (socket, listener):
            listener.send('{"hello": [1]}')
            assert await socket.read() == {"hello": [1]}
            await socket.send({"title": "Amélie"})
            await until(lambda: bool(listener.received))
        [request] = server.requests
        assert (request.path, listener.received) == ("/events", ['{"title":"Am\\u00e9lie"}'])
        assert request.headers["x-token"] == TOKEN
        assert request.headers["x-extra"] == EXTRA
        assert request.headers["user-agent"] == "mine"


async def test_a_bare_port_gets_no_secret() -> None:
    async with Events() as server, opened(server.url, headers={"X-Extra": SecretStr(EXTRA)}) as transport:
        port = await server.open_port()
        async with open_socket(transport, "/jsonrpc", port=port):
            await until(lambda: bool(server.listeners))
        [request] = server.requests
        assert request.port == port
        assert not {TOKEN, EXTRA} & set(request.headers.values())
        assert request.headers["user-agent"] == "mediasync"


async def test_a_secret_of_the_query_is_sent_and_never_told() -> None:
    async with Events() as server, opened(server.url) as transport:
        async with open_socket(transport, "/events", secret_query={"api_key": "4711"}):
            await until(lambda: bool(server.listeners))
        assert server.requests[0].query == {"api_key": ["4711"]}
        for fault in (Fault.status(500), Fault.status(401), Fault.reset(), Fault.html()):
            server.faults = [fault]
            with pytest.raises(SourceError) as caught:
                async with open_socket(transport, "/events", secret_query={"api_key": "4711"}):
                    pass
            error: BaseException | None = caught.value
            while error is not None:
                assert "4711" not in f"{error!s} {error!r}"
                error = error.__cause__


async def test_certificates_are_checked_as_those_of_other_requests(tmp_path: Path) -> None:
    ca = trustme.CA()
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    async with Events(tls=tls(ca)) as server:
        for verify in (path, False):
            async with (
                opened(server.url, verify=verify) as transport,
                listening(transport, server) as (socket, end),
            ):
                end.send("[]")
                assert await socket.read() == []
        async with opened(server.url) as transport:
            error = await fails(transport)
        assert isinstance(error, SourceUnreachable)
        assert "is not trusted" in str(error)


async def test_redirects_are_followed_on_the_same_server_alone() -> None:
    async with Events() as server, opened(server.url) as transport:
        async with open_socket(transport, "/elsewhere"):
            await until(lambda: bool(server.listeners))
        assert [request.path for request in server.requests] == ["/elsewhere", "/events"]
        assert server.requests[1].headers["x-token"] == TOKEN
        error = await fails(transport, "/away")
        assert isinstance(error, SourceUnreachable)
        assert "redirected to http://elsewhere.example" in str(error)
        assert "in a loop" in str(await fails(transport, "/loop"))
        assert isinstance(await fails(transport, "/nowhere"), SourceUnreadable)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, SourceUnauthorised),
        (403, SourceForbidden),
        (404, RequestRefused),
        (429, SourceBusy),
        (500, RequestRefused),
        (503, SourceBusy),
    ],
)
async def test_a_refusal_means_what_it_means_for_other_requests(status: int, kind: type[SourceError]) -> None:
    async with Events() as server, opened(server.url) as transport:
        server.faults = [Fault.status(status)]
        error = await fails(transport)
        assert type(error) is kind
        assert "the WebSocket /events was answered with" in str(error)


async def test_a_page_instead_of_a_websocket_is_refused() -> None:
    async with Events() as server, opened(server.url) as transport:
        error = await fails(transport, "/page")
        assert isinstance(error, RequestRefused)
        assert "answered with 200 instead of being opened" in str(error)


async def test_nobody_at_the_address_is_unreachable() -> None:
    async with opened(free_port_url()) as transport:
        error = await fails(transport)
    assert isinstance(error, SourceUnreachable)
    assert "no connection to 127.0.0.1" in str(error)


async def test_a_server_that_never_answers_is_given_up() -> None:
    async with Events() as server, opened(server.url, read_timeout=0.1, connect_timeout=0.1) as transport:
        server.faults = [Fault.hang()]
        error = await fails(transport)
    assert isinstance(error, SourceUnreachable)
    assert "nothing arrived for 0.1 s" in str(error)


async def test_something_that_does_not_speak_websocket_is_told_apart() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: something\r\nConnection: Upgrade\r\n\r\n")
        await writer.drain()

    async def no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()

    async with raw_server(nonsense) as url, opened(url) as transport:
        error = await fails(transport)
        assert isinstance(error, SourceUnreadable)
        assert "does not speak WebSocket" in str(error)
    async with raw_server(no_http) as url, opened(url) as transport:
        error = await fails(transport)
        assert isinstance(error, SourceUnreachable)
        assert "not HTTP" in str(error)


async def test_the_error_names_the_extra_of_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "websockets"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "mediasync.backends.websocket_client", raising=False)
    monkeypatch.setitem(sys.modules, "websockets", None)
    async with opened("http://127.0.0.1:1") as transport:
        with pytest.raises(ConfigurationError, match=r"mediasync-mirror\[live\]") as caught:
            async with open_socket(transport, "/events"):
                pass
    assert caught.value.source_id == "home"


@pytest.mark.parametrize(
    ("sent", "kind", "text"),
    [
        ("no JSON", SourceUnreadable, "broken JSON"),
        ("", SourceUnreadable, "nothing at all"),
        ("[" * 100_000, SourceUnreadable, "nested too deeply"),
        ("[" + "0," * 600_000 + "0]", SourceUnreadable, "more than 500,000 values"),
        ("x" * (LARGEST_MESSAGE + 1), SourceUnreadable, "more than 16 MiB"),
        (b"\x83\x00", SourceUnreadable, "not valid"),  # a frame of an unknown kind
        (b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", SourceUnreadable, "more than 16 MiB"),
        (b"\xc1\x04abcd", SourceUnreadable, "not valid"),  # claims to be compressed, and is not
    ],
)
async def test_what_cannot_be_read_ends_the_connection(
    sent: str | bytes, kind: type[SourceError], text: str
) -> None:
    async with (
        Events() as server,
        opened(server.url) as transport,
        listening(transport, server) as (socket, listener),
    ):
        listener.send(sent)
        with pytest.raises(kind, match=text) as caught:
            await socket.read()
        assert len(str(caught.value)) < 400


async def test_a_reason_of_the_server_is_shortened_and_shows_no_secret() -> None:
    async with (
        Events() as server,
        opened(server.url) as transport,
        listening(transport, server) as (socket, listener),
    ):
        listener.close(4000, "see http://host/?token=4711&" + "x" * 90)
        with pytest.raises(SourceUnreachable, match="4000") as caught:
            await socket.read()
        assert "4711" not in str(caught.value)
