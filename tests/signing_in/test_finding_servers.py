"""Finding servers: at an address that somebody typed, and on the network."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from mediasync.discovery import QUESTIONS, DiscoveredServer, Question, discover_servers
from mediasync.errors import ConfigurationError, MediaSyncError, SourceMismatch, SourceUnreachable
from mediasync.settings.addresses import server_url
from mediasync.settings.http import HttpOptions
from mediasync.signing_in.servers import candidates, find_first, find_server
from mediasync.testing import FakeEmby, FakeJellyfin, FakeKodi, FakePlex, FakeServer, make_catalogue
from mediasync.testing.messages import Request, Response

CATALOGUE = make_catalogue(films=1)


def servers(**options: Any) -> dict[str, FakeServer]:
    return {
        "plex": FakePlex(CATALOGUE, token="t", **options),
        "jellyfin": FakeJellyfin(CATALOGUE, **options),
        "emby": FakeEmby(CATALOGUE, **options),
        "kodi": FakeKodi(CATALOGUE, password="secret", **options),
    }


@pytest.mark.parametrize("kind", ["plex", "jellyfin", "emby", "kodi"])
async def test_the_kind_of_a_server_is_found_without_a_scheme_and_without_secrets(kind: str) -> None:
    async with servers()[kind] as server:
        place = server.url.removeprefix("http://")
        for text in (place, f"{server.url}/", f"{kind}+{server.url}", f"{place}/web/index.html#!/home?x=1"):
            found = await find_server(text)
            assert (found.kind, found.url) == (kind, server.url)
        assert not [one for one in server.requests if {"authorization", "x-plex-token"} & set(one.headers)]


async def test_another_kind_is_named() -> None:
    async with servers()["plex"] as server:
        with pytest.raises(
            SourceMismatch, match=f"this is a Plex Media Server .at {server.url}., not Jellyfin"
        ):
            await find_server(server.url, "jellyfin")


class NoMediaServer(FakeServer):
    async def handle(self, request: Request) -> Response:
        return Response.text("hello")


async def test_what_is_no_media_server_is_named() -> None:
    async with NoMediaServer() as server:
        with pytest.raises(SourceMismatch, match="is not a server that mediasync knows"):
            await find_server(server.url)
        with pytest.raises(SourceMismatch, match="is not Kodi"):
            await find_server(server.url, "kodi")


async def test_nothing_answers() -> None:
    async with NoMediaServer() as server:
        url = server.url
    with pytest.raises(SourceUnreachable, match="no connection to 127"):
        await find_server(url)
    with pytest.raises(
        SourceUnreachable, match=f"no server answers at {url.replace('http', 'https')}, {url}"
    ):
        await find_server(url.removeprefix("http://"))


async def test_a_self_signed_certificate_is_explained_and_can_be_given(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    async with servers(tls=context)["jellyfin"] as server:
        for text in (server.url, server.url.removeprefix("https://")):
            with pytest.raises(SourceUnreachable, match=r"is not trusted .*: give the file of the CA"):
                await find_server(text)
            assert (await find_server(text, options=HttpOptions(verify=file))).url == server.url
            assert (await find_server(text, options=HttpOptions(verify=False))).url == server.url


async def test_the_first_address_that_answers_is_used_in_the_given_order() -> None:
    async with servers()["plex"] as server, servers()["plex"] as other, servers()["kodi"] as kodi:
        gone = server.url.replace("127.0.0.1", "127.0.0.2")
        for urls, first in (
            ((gone, other.url, server.url), other.url),
            ((kodi.url, server.url, other.url), server.url),
        ):
            options = HttpOptions(connect_timeout=1)
            found = await find_first(urls, "plex", source_id="home", options=options)
            assert found.url == first


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("nas", "plex", ["https://nas", "https://nas:32400", "http://nas:32400", "http://nas:80"]),
        ("http://nas", "jellyfin", ["http://nas:8096", "http://nas:80"]),
        ("https://nas", "jellyfin", ["https://nas", "https://nas:8920"]),
        ("HTTPS://Media.Example/jellyfin/web/#/home.html", "jellyfin", None),
        ("[::1]:8096", "emby", ["https://[::1]:8096", "http://[::1]:8096"]),
        (" kodi+http://den/jsonrpc ", "kodi", ["http://den:8080", "http://den:80"]),
        ("http://nas:8096/?api_key=secret", None, ["http://nas:8096"]),
    ],
)
def test_what_an_address_may_mean(text: str, kind: str | None, found: list[str] | None) -> None:
    given = ["https://media.example/jellyfin", "https://media.example:8920/jellyfin"]
    assert candidates(text, kind) == (given if found is None else found)


@pytest.mark.parametrize(
    "text", ["", "http://", "http://nas:port", "na s", "http://me:secret@nas", "ftp://nas"]
)
def test_what_is_not_an_address(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        candidates(text)
    assert "secret" not in str(raised.value)


@given(st.text(max_size=60), st.sampled_from([None, "plex", "jellyfin", "emby", "kodi"]))
def test_any_text_gives_canonical_addresses_or_one_clear_error(text: str, kind: str | None) -> None:
    try:
        found = candidates(text, kind)
    except MediaSyncError:
        return
    assert found
    assert all(server_url(url) == url or url.endswith(":443") for url in found)


# The network: here it is loopback alone.


class Answering(asyncio.DatagramProtocol):
    """Answers each datagram with the same one."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heard: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard.append(data)
        self.transport.sendto(self.answer, addr)


@asynccontextmanager
async def listening(question: Question, answer: bytes) -> AsyncIterator[tuple[Question, Answering]]:
    """A machine that answers a question, which is then sent to it alone."""
    loop = asyncio.get_running_loop()
    endpoint = loop.create_datagram_endpoint(lambda: Answering(answer), local_addr=("127.0.0.1", 0))
    transport, listener = await endpoint
    try:
        yield replace(question, address=transport.get_extra_info("sockname")), listener
    finally:
        transport.close()


JELLYFIN, EMBY, PLEX, _, KODI = QUESTIONS
PLEX_ANSWER = (
    b"HTTP/1.0 200 OK\r\nContent-Type: plex/media-server\r\nName: Living Room\r\nPort: 32400\r\n\r\n"
)
KODI_ANSWER = b"HTTP/1.1 200 OK\r\nST: x\r\nSERVER: UPnP/1.0 DLNADOC/1.50 Kodi\r\n\r\n"


async def test_servers_of_each_kind_answer() -> None:
    jellyfin = json.dumps({"Address": "http://127.0.0.1:8096/", "Id": "1", "Name": "Den"}).encode()
    answers = (
        (JELLYFIN, jellyfin),
        (EMBY, b"{}"),
        (PLEX, PLEX_ANSWER),
        (PLEX, PLEX_ANSWER),
        (KODI, KODI_ANSWER),
    )
    async with AsyncExitStack() as stack:
        asked = [await stack.enter_async_context(listening(*pair)) for pair in answers]
        found = await discover_servers(0.3, [question for question, _ in asked])
    assert found == [
        DiscoveredServer("jellyfin", "http://127.0.0.1:8096", "Den"),
        DiscoveredServer("kodi", "http://127.0.0.1:8080", ""),
        DiscoveredServer("plex", "http://127.0.0.1:32400", "Living Room"),
    ]
    heard = [listener.heard for _, listener in asked]
    assert heard[0] == [b"Who is JellyfinServer?"]
    assert all(len(each) == 1 for each in heard)


@pytest.mark.parametrize(
    "answer",
    [
        *(
            b"",
            b"\xff\x00",
            b"[]",
            b'"x"',
            b"{}",
            b'{"Address": 7}',
            b'{"Address": "file:///etc"}',
            b"[" * 5_000,
        ),
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 200 OK\r\nContent-Type: plex/media-server\r\nPort: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSERVER: Kodiak\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nSERVER: Kodi\r\n\r\n",
    ],
)
async def test_any_other_answer_is_no_server(answer: bytes) -> None:
    for question in QUESTIONS:
        assert question.parse(answer, "127.0.0.1") is None


def test_the_questions_go_to_groups_of_the_local_network_alone() -> None:
    assert {question.address[0] for question in QUESTIONS} == {
        "255.255.255.255",
        "239.0.0.250",
        "239.255.255.250",
    }
