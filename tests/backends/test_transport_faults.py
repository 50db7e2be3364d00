"""Each fault of a server, met once and met always: what is tried again, and what error it ends in."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transport_servers import Echo, free_port_url, opened, raw_server, until

from mediasync.backends.retrying import LONGEST_PAUSE, pause, retry_after
from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import (
    RequestRefused,
    SourceBusy,
    SourceError,
    SourceForbidden,
    SourceUnauthorised,
    SourceUnreachable,
    SourceUnreadable,
)
from mediasync.testing import Fault, Request, Response

MakeFault = Callable[..., Fault]

PASSING: dict[str, MakeFault] = {
    "reset": Fault.reset,
    "truncated": Fault.truncated,
    "cut_json": Fault.cut_json,
    "html": Fault.html,
    "busy": Fault.busy,
    "busy, not said how long": lambda **at: Fault.busy(None, **at),
    "limit": Fault.limit,
    "limit, not said how long": lambda **at: Fault.limit(None, **at),
    "nothing": lambda **at: Fault.status(200, **at),
    **{
        str(status): lambda status=status, **at: Fault.status(status, **at)
        for status in (408, 425, 500, 502, 504, 524)
    },
}

LASTING: dict[str, tuple[MakeFault, type[SourceError], int, str]] = {
    "reset": (Fault.reset, SourceUnreachable, 3, "the connection ended, or the response is not HTTP"),
    "truncated": (Fault.truncated, SourceUnreadable, 3, "an answer that was cut off"),
    "cut_json": (Fault.cut_json, SourceUnreadable, 3, "broken JSON"),
    "html": (Fault.html, SourceUnreadable, 3, "an HTML page where JSON was expected"),
    "nothing": (lambda **at: Fault.status(200, **at), SourceUnreadable, 3, "nothing at all"),
    "busy": (lambda **at: Fault.busy(None, **at), SourceBusy, 3, "503 Service Unavailable: the server is"),
    "limit": (lambda **at: Fault.limit(None, **at), SourceBusy, 3, "429 Too Many Requests: the server asks"),
    "401": (lambda **at: Fault.status(401, **at), SourceUnauthorised, 1, "MEDIASYNC_HOME_TOKEN"),
    "403": (lambda **at: Fault.status(403, **at), SourceForbidden, 1, "may not read this"),
    "400": (lambda **at: Fault.status(400, **at), RequestRefused, 1, "400 Bad Request"),
    "404": (lambda **at: Fault.status(404, **at), RequestRefused, 1, "404 Not Found"),
    "413": (lambda **at: Fault.status(413, **at), RequestRefused, 1, "too large for it"),
    "414": (lambda **at: Fault.status(414, **at), RequestRefused, 1, "too large for it"),
    "304": (lambda **at: Fault.status(304, **at), RequestRefused, 1, "304 Not Modified"),
    "499": (lambda **at: Fault.status(499, **at), RequestRefused, 1, "answered with 499"),
    "500": (lambda **at: Fault.status(500, **at), RequestRefused, 2, "500 Internal Server Error"),
    "501": (lambda **at: Fault.status(501, **at), RequestRefused, 2, "501 Not Implemented"),
    "502": (lambda **at: Fault.status(502, **at), RequestRefused, 3, "502 Bad Gateway"),
    "504": (lambda **at: Fault.status(504, **at), RequestRefused, 3, "504 Gateway Timeout"),
}


@pytest.mark.parametrize("name", PASSING)
async def test_what_passes_is_tried_again(name: str) -> None:
    async with Echo() as server, opened(server.url, tries=3) as transport:
        server.faults = [PASSING[name](at=1)]
        assert (await transport.get_json("/Items"))["title"] == "Amélie"
        assert transport.requests == len(server.requests) == 2


@pytest.mark.parametrize("name", LASTING)
async def test_what_lasts_ends_in_an_error_that_says_what_it_is(name: str) -> None:
    fault, error, requests, words = LASTING[name]
    async with Echo() as server, opened(server.url, tries=3) as transport:
        server.faults = [fault(times=None)]
        with pytest.raises(SourceError) as caught:
            await transport.get_json("/Items", {"userId": "4711"})
        assert type(caught.value) is error
        assert str(caught.value).startswith("source 'home': GET /Items")
        assert words in str(caught.value)
        assert words in caught.value.reason
        assert "4711" not in str(caught.value)
        assert ("tried" in str(caught.value)) == (requests > 1)
        assert transport.requests == len(server.requests) == requests
        if isinstance(caught.value, RequestRefused):
            assert caught.value.status == int(name)
        server.faults = []
        assert (await transport.get_json("/Items"))["title"] == "Amélie"


async def test_an_answer_that_does_not_come_in_time() -> None:
    async with Echo() as server, opened(server.url, tries=5, read_timeout=0.05) as transport:
        server.faults = [Fault.hang(times=None)]
        with pytest.raises(NoAnswerInTime, match=r"nothing arrived for 0\.05 s.*read_timeout.*tried 2 times"):
            await transport.get_json("/Items")
        await until(lambda: server.connections == 0)


async def test_a_body_that_does_not_come_in_time() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')
        await reader.read()

    async with raw_server(handler) as url, opened(url, read_timeout=0.05, tries=1) as transport:
        with pytest.raises(NoAnswerInTime, match="nothing arrived"):
            await transport.get_json("/Items")


async def test_a_server_that_speaks_no_http() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 smtp.example ESMTP\r\n")
        await writer.drain()

    async with raw_server(handler) as url, opened(url, tries=2) as transport:
        with pytest.raises(SourceUnreachable, match="the connection ended, or the response is not HTTP"):
            await transport.get_json("/Items")
        assert transport.requests == 2


@pytest.mark.parametrize(
    ("body", "kind", "words", "requests"),
    [
        (b"\n<html>", "text/plain", "an HTML page", 2),
        (b"{}", "text/html; charset=utf-8", "an HTML page", 2),
        (b'<?xml version="1.0"?><MediaContainer/>', "application/xml", "XML where JSON", 2),
        (b"   \n", "application/json", "nothing at all", 2),
        (b'{"a": 1} trailing', "application/json", "broken JSON (Extra data at character 9; 17 bytes)", 2),
        (b"[" * 200_000, "application/json", "nested too deeply", 1),
        (b"9" * 5000, "application/json", "a number with too many digits", 2),
        (b'["\xff"', "application/json", "4 bytes, not UTF-8 from byte 2 on)", 2),
        ('"x"'.encode("utf-16"), "application/json", "8 bytes, not UTF-8 from byte 0 on)", 2),
        (b"[" + b"{}," * 500_000 + b"{}]", "application/json", "more than 500,000 values", 1),
        (b'"' + b"a" * 300_000, "application/json", "broken JSON (Unterminated string", 2),
    ],
)
async def test_what_is_no_json(body: bytes, kind: str, words: str, requests: int) -> None:
    async with Echo() as server, opened(server.url, tries=2) as transport:
        server.faults = [Fault.status(200, {"Content-Type": kind}, body, times=None)]
        with pytest.raises(SourceUnreadable) as caught:
            await transport.get_json("/Items")
        assert words in str(caught.value)
        assert transport.requests == requests


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": "J\xfcrgen", "b": 1}', {"a": "J\udcfcrgen", "b": 1}),
        (b'{"a": "one\x01two\x00", "b": 1}', {"a": "one\x01two\0", "b": 1}),
        (b'["' + b"a" * 300_000 + b'\xff"]', ["a" * 300_000 + "\udcff"]),
        (b'\xef\xbb\xbf{"a": NaN}', {"a": None}),
    ],
)
async def test_a_text_that_is_spoilt_spoils_nothing_else(body: bytes, value: object) -> None:
    async with Echo() as server, opened(server.url, tries=1) as transport:
        server.faults = [Fault.status(200, {"Content-Type": "application/json"}, body)]
        assert await transport.get_json("/Items") == value


async def test_nobody_listens_and_an_unknown_host() -> None:
    for url, words in (
        (free_port_url(), "is it running, and is its address right?"),
        (free_port_url().replace("127.0.0.1", "localhost"), "is it running"),
        ("http://no-such-host.invalid:8096", "the host no-such-host.invalid is not known"),
        (f"http://{'a' * 64}.example", "is not known"),
    ):
        async with opened(url, tries=3) as transport:
            with pytest.raises(SourceUnreachable, match="GET /Items") as caught:
                await transport.get_json("/Items")
            assert words in str(caught.value)
            assert transport.requests == 3


async def test_no_connection_in_time() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):  # they fill the queue of the one that accepts nobody
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        async with opened(url, connect_timeout=0.05, tries=2) as transport:
            with pytest.raises(SourceUnreachable, match=r"no connection to 127\.0\.0\.1:\d+ in time"):
                await transport.get_json("/Items")
            assert transport.requests == 2


async def test_an_injected_client_that_has_no_connection_left() -> None:
    async with Echo() as server, httpx.AsyncClient(limits=httpx.Limits(max_connections=1)) as client:
        server.faults = [Fault.hang()]
        hanging = asyncio.create_task(client.get(server.url))
        await until(lambda: len(server.requests) == 1)
        async with opened(server.url, client=client, read_timeout=0.05, tries=2) as transport:
            with pytest.raises(SourceUnreachable, match="no free connection"):
                await transport.get_json("/Items")
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging


# Requests that must not be sent twice


@pytest.mark.parametrize("name", ["reset", "truncated", "cut_json", "500", "504"])
async def test_what_may_have_arrived_is_not_sent_again_unless_it_may(name: str) -> None:
    async with Echo() as server, opened(server.url) as transport:
        server.faults = [PASSING[name](at=1)]
        with pytest.raises(SourceError):
            await transport.post_json("/Sessions", {}, idempotent=False)
        assert transport.requests == 1
        server.faults = [PASSING[name]()]
        await transport.post_json("/Sessions", {})
        assert transport.requests == 3


@pytest.mark.parametrize("name", ["busy", "limit"])
async def test_what_was_certainly_not_done_is_sent_again(name: str) -> None:
    async with Echo() as server, opened(server.url) as transport:
        server.faults = [PASSING[name](at=1)]
        await transport.post_json("/Sessions", {}, idempotent=False)
        assert transport.requests == 2
    async with opened(free_port_url(), tries=2) as transport:
        with pytest.raises(SourceUnreachable):
            await transport.post_json("/Sessions", {}, idempotent=False)
        assert transport.requests == 2


# Servers that ask for time


async def test_a_starting_server_is_waited_for_longer_than_there_are_tries_and_one_word_is_said() -> None:
    said: list[str] = []
    async with Echo() as server, opened(server.url, tries=2) as transport:
        transport.on_wait = said.append
        server.faults = [Fault.busy(0.001, times=5), Fault.limit(0.001, times=5)]
        assert (await transport.get_json("/Items"))["title"] == "Amélie"
        assert transport.requests == 11
    assert len(said) == 1
    assert "GET /Items was answered with 503" in said[0]
    assert "waiting up to 120 s" in said[0]


async def test_a_server_that_wants_more_time_than_there_is_patience() -> None:
    async with Echo() as server, opened(server.url, patience=100) as transport:
        server.faults = [Fault.busy(3600, times=None)]
        with pytest.raises(SourceBusy, match="still starting"):
            await transport.get_json("/Items")
        assert transport.requests == 1
    async with Echo() as server, opened(server.url, patience=0.01) as transport:
        server.faults = [Fault.busy(0.002, times=None)]
        with pytest.raises(SourceBusy, match="tried"):
            await transport.get_json("/Items")
        assert 2 <= transport.requests <= 6


async def test_a_retry_after_that_is_a_date_is_waited_for() -> None:
    past = format_datetime(datetime.now(UTC) - timedelta(minutes=1), usegmt=True)
    future = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    async with Echo() as server, opened(server.url) as transport:
        server.faults = [Fault.status(503, {"Retry-After": past})]
        await transport.get_json("/")
        server.faults = [Fault.status(503, {"Retry-After": future})]
        with pytest.raises(SourceBusy):
            await transport.get_json("/")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 60.0),
        ("Wed, 21 Oct 2015 07:28:00", 60.0),
        ("Wed, 21 Oct 2015 07:26:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:26:00 GMT", None),
        ("Wed, 21 Oct 99999999999999999999 07:26:00 GMT", None),
    ],
)
def test_what_retry_after_says(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, datetime(2015, 10, 21, 7, 27, tzinfo=UTC)) == seconds


@given(failures=st.integers(1, 10_000), first=st.floats(0.001, 30))
def test_pauses_grow_and_are_bounded(failures: int, first: float) -> None:
    longest = min(first * 2 ** min(failures - 1, 60), LONGEST_PAUSE)
    assert longest / 2 <= pause(failures, first) <= longest


def test_pauses_differ() -> None:
    assert len({pause(3, 0.5) for _ in range(20)}) > 1


async def test_a_connection_that_the_server_closed_meanwhile_is_made_again() -> None:
    async def answer(_request: Request) -> Response:
        return Response.json({}, headers={"Connection": "close"})

    async with Echo() as server, opened(server.url) as transport:
        server.answer = answer
        for _ in range(3):
            assert await transport.get_json("/") == {}
        assert transport.requests == 3
