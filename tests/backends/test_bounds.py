"""Answers without measure: each is left within bounds of bytes, values, time and memory."""

from __future__ import annotations

import asyncio
import gc
import gzip
import sys
import zlib
from collections import deque
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.servers import make_server
from transport_servers import Echo, opened, raw_server

from mediasync.backends.decoding import LARGEST_ANSWER, Body, NoJson
from mediasync.backends.transport import LONGEST_ANSWER, NoAnswerInTime
from mediasync.errors import SourceUnreadable
from mediasync.testing import Fault, Request, Response

MEGABYTE = 1024 * 1024
MOST_MEMORY = 500 * MEGABYTE

SYNC = Path(__file__).with_name("sync_with_peak.py")


def compressed(kind: str, times: int, unit: bytes) -> bytes:
    """Return *times* times *unit* as gzip, made piece by piece."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(kind.encode())] if kind else []
    parts += [packer.compress(unit) for _ in range(times)]
    return b"".join([*parts, packer.flush()])


ZEROS = compressed('["', 6_400, b"a" * MEGABYTE)
"""6.4 GB in 6 MB."""

HOSTILE: dict[str, tuple[dict[str, str], bytes]] = {
    "gzip, gzip": ({"Content-Encoding": "gzip, gzip"}, gzip.compress(ZEROS)),
    "gzip": ({"Content-Encoding": "gzip"}, ZEROS),
    "objects": ({}, b"[" + b"{}," * (30 * MEGABYTE // 3)),
    "objects in gzip": ({"Content-Encoding": "gzip"}, compressed("[", 256, b"{}," * (MEGABYTE // 3))),
    "objects within the bound": ({}, b"[" + b'{"a":1},' * 249_000 + b"{}]"),
    "numbers": ({}, b"[" + b"1.5," * (30 * MEGABYTE // 4)),
    "one text": ({}, b'["' + "\N{GRINNING FACE}".encode() * (30 * MEGABYTE // 4) + b'"]'),
    "lists in lists": ({}, b"[" * (30 * MEGABYTE)),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("plex", "in listings"),
        ("jellyfin", "in listings"),
        ("kodi", "in listings"),
        ("emby", "everywhere"),  # it shares the listings of Jellyfin
    ],
)
async def test_memory_stays_bounded_whatever_a_server_sends(kind: str, name: str, where: str) -> None:
    headers, body = HOSTILE[name]
    server = make_server(kind)
    assert server is not None

    def is_met(request: Request) -> bool:
        opening = request.path in {"/", "/identity", "/library/sections"} or "Info/Public" in request.path
        opening = opening or request.path.endswith(("/Library/MediaFolders", "/ScheduledTasks"))
        opening = opening or b"JSONRPC.Version" in request.body
        return where == "everywhere" or not opening

    async with server:
        headers = {"Content-Type": "application/json", **headers}
        server.faults = [Fault.status(200, headers, body, at=is_met, times=None)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(SYNC), kind, server.url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    peak, _, reason = out.decode().partition(" ")
    assert "here" in reason
    assert int(peak) < MOST_MEMORY


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("gzip, gzip", "compressed 2 times"),
        ("gzip,deflate", "compressed 2 times"),
        ("br", "compressed as 'br', though only gzip was asked for"),
    ],
)
async def test_other_encodings_are_not_undone(encoding: str, words: str) -> None:
    async with Echo() as server, opened(server.url) as transport:
        headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
        server.faults = [Fault.status(200, headers, b"x", times=None)]
        with pytest.raises(SourceUnreadable, match=words):
            await transport.get_json("/Items")
        assert transport.requests == 1
        assert server.requests[0].headers["accept-encoding"] == "gzip"


async def test_what_says_that_it_is_gzip_and_is_not_is_tried_again() -> None:
    async with Echo() as server, opened(server.url, tries=2) as transport:
        whole = gzip.compress(b'{"a": [1, 2, 3]}')
        for body, words in ((b"{}", "not gzip, though it says so"), (whole[:-9], "cut off")):
            headers = {"Content-Type": "application/json", "Content-Encoding": "GZIP"}
            server.faults = [Fault.status(200, headers, body, times=2)]
            with pytest.raises(SourceUnreadable, match=f"{words}.*tried 2 times"):
                await transport.get_json("/Items")
        server.faults = [Fault.status(200, {"Content-Encoding": "identity, x-gzip"}, whole)]
        assert await transport.get_json("/Items") == {"a": [1, 2, 3]}


@given(
    content=st.binary(max_size=3_000),
    cuts=st.lists(st.integers(0, 3_100), max_size=5),
    largest=st.integers(1, 3_000),
    packed=st.booleans(),
)
def test_a_body_is_what_was_sent_or_too_much(
    content: bytes, cuts: list[int], largest: int, packed: bool
) -> None:
    sent = gzip.compress(content) if packed else content
    body = Body("gzip" if packed else "", largest)
    places = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    chunks = [sent[start:end] for start, end in pairwise(places)]
    if max(len(content), len(sent)) > largest:
        with pytest.raises(NoJson, match="more than"):
            deque(map(body.add, chunks))
        assert len(body.content) <= largest + max(map(len, chunks)) + 1
    else:
        for chunk in chunks:
            body.add(chunk)
        body.finish()
        assert body.content == content


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    sent = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
        with suppress(ConnectionError):
            while True:
                writer.write(b" " * MEGABYTE)
                sent += MEGABYTE
                await writer.drain()

    async with raw_server(handler) as url, opened(url) as transport:
        with pytest.raises(SourceUnreadable, match="GET /Items was answered with more than 32 MiB"):
            await transport.get_json("/Items")
        assert transport.requests == 1
    gc.collect()  # the client's generators end in tasks of their own, which are given a turn
    await asyncio.sleep(0)
    assert sent < 2 * LARGEST_ANSWER


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\nX-Endless: ",
        b"HTTP/1.1 ",
    ],
    ids=["body", "header", "status"],
)
async def test_an_answer_that_comes_byte_by_byte_for_ever(start: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(start)
        with suppress(ConnectionError):
            while True:
                writer.write(b"1")
                await writer.drain()
                await asyncio.sleep(0.01)

    async with raw_server(handler) as url, opened(url, read_timeout=0.1) as transport:
        with pytest.raises(NoAnswerInTime, match=r"had not ended after 0\.3 s.*read_timeout"):
            await transport.get_json("/Items")
        assert transport.requests == 1
    assert LONGEST_ANSWER == 3


async def test_a_slow_answer_that_ends_in_time_is_taken() -> None:
    async def answer(_request: Request) -> Response:
        await asyncio.sleep(0.15)
        return Response.json({"slow": True})

    async with Echo() as server, opened(server.url, read_timeout=0.2) as transport:
        server.answer = answer
        assert await transport.get_json("/Items") == {"slow": True}


async def test_an_address_that_no_client_sends() -> None:
    async with Echo() as server, opened(server.url) as transport:
        for ids in ("a" * 70_000, "\udcff"):
            with pytest.raises(SourceUnreadable, match="this cannot be asked for"):
                await partial(transport.get_json, "/Items", {"ids": ids})()
        assert transport.requests == 0
