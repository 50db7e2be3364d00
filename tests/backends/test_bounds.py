"""Answers without measure: each is left within bounds of bytes, values, time and memory."""

from __future__ import annotations

import asyncio
import gc
import gzip
import re
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.servers import make_server
from transport_servers import Echo, opened, raw_server

from mediasync.backends.json_body import LARGEST_ANSWER, Body, NotJson
from mediasync.backends.transport import LONGEST_ANSWER, NoAnswerInTime
from mediasync.errors import SourceUnreadable
from mediasync.testing import Fault, Request, Response

pytestmark = pytest.mark.slow

MEGABYTE = 1024 * 1024
MOST_MEMORY = 500 * MEGABYTE

SYNC = Path(__file__).with_name("sync_with_peak.py")


def compressed(start: bytes, times: int, unit: bytes) -> bytes:
    """Return gzip of *start* and *times* times *unit*, which is compressed once; its end is missing."""
    packer = zlib.compressobj(9, wbits=31)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + (packer.compress(unit) + packer.flush(zlib.Z_FULL_FLUSH)) * times


@cache
def zeros() -> bytes:
    """Return 6.4 GB in 6 MB."""
    return compressed(b'["', 6_400, b"a" * MEGABYTE)


@dataclass(frozen=True)
class Answer:
    """An answer that would take far too much memory; *make* returns its body."""

    make: Callable[[], bytes]
    encoding: str = "identity"

    def fault(self, is_met: Callable[[Request], bool] | None, times: int | None) -> Fault:
        headers = {"Content-Type": "application/json", "Content-Encoding": self.encoding}
        return Fault.status(200, headers, self.make(), at=is_met, times=times)


REFUSED = {
    "gzip, gzip": Answer(lambda: gzip.compress(zeros(), 1), "gzip, gzip"),
    "gzip": Answer(zeros, "gzip"),
    "objects": Answer(lambda: b"[" + b"{}," * (30 * MEGABYTE // 3)),
    "objects in gzip": Answer(lambda: compressed(b"[", 256, b"{}," * (MEGABYTE // 3)), "gzip"),
    "numbers": Answer(lambda: b"[" + b"1.5," * (30 * MEGABYTE // 4)),
    "lists in lists": Answer(lambda: b"[" * (30 * MEGABYTE)),
}
DECODED = {
    "objects within the bound": Answer(lambda: b"[" + b'{"a":1},' * 249_000 + b"{}]"),
    "one text": Answer(lambda: b'["' + "\N{GRINNING FACE}".encode() * (30 * MEGABYTE // 4) + b'"]'),
}
HOSTILE = REFUSED | DECODED
OPENING = re.compile(r"/(identity|library/sections|System/Info/Public|.*/(MediaFolders|ScheduledTasks))?")


def is_listing(request: Request) -> bool:
    """Return whether a request is none of those that come before the listings."""
    return not OPENING.fullmatch(request.path) and b"JSONRPC.Version" not in request.body


async def check_memory(kind: str, faults: list[Fault]) -> None:
    """Sync a server that answers with *faults*: all are met, the sync names the source, memory is bounded."""
    server = make_server(kind)
    assert server is not None
    async with server:
        server.faults = faults
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(SYNC), kind, server.url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert all(fault.met for fault in faults)
    peak, _, reason = out.decode().partition(" ")
    assert "here" in reason
    assert int(peak) < MOST_MEMORY


@pytest.mark.parametrize(
    ("names", "times"),
    [(REFUSED, 2), *([[name], 4] for name in DECODED)],
    ids=["refused", *DECODED],
)
@pytest.mark.parametrize("kind", ["plex", "jellyfin", "kodi"])  # Emby shares the listings of Jellyfin
async def test_memory_stays_bounded_whatever_the_listings_hold(
    kind: str, names: Iterable[str], times: int
) -> None:
    hostile = [HOSTILE[name].fault(is_listing, times) for name in names]
    # Dozens of ever smaller pages are asked for: the later ones are answered as wrongly, but shortly.
    await check_memory(kind, [*hostile, Answer(lambda: b"[]").fault(is_listing, None)])


@pytest.mark.parametrize("name", HOSTILE)
async def test_memory_stays_bounded_whatever_comes_first(name: str) -> None:
    await check_memory("emby", [HOSTILE[name].fault(None, None)])


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
        with pytest.raises(NotJson, match="more than"):
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
        with pytest.raises(NoAnswerInTime, match=r"did not end within 0\.3 s.*read_timeout"):
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
            with pytest.raises(SourceUnreadable, match="this is not a valid request"):
                await partial(transport.get_json, "/Items", {"ids": ids})()
        assert transport.requests == 0
