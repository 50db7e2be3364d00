"""The server that the fakes are made of: what a client sees of each fault, and what the server notes."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from transport_servers import until

from mediasync.testing import FakeServer, Fault, Request, Response

FILM = {
    "Name": "Amélie",
    "Year": 2001,
    "Seen": True,
    "Tagline": None,
    "People": [{"Name": "Audrey Tautou", "Role": "Amélie Poulain"}],
    "ProviderIds": {"Imdb": "tt0211915"},
}


class Films(FakeServer):
    """Answers every request with one film."""

    async def handle(self, request: Request) -> Response:
        if request.method == "POST":
            return Response.json(request.json())
        if request.path == "/broken":
            raise RuntimeError("a flaw of the fake")
        return Response.json(FILM)


@pytest.fixture
async def server() -> AsyncIterator[Films]:
    """A running server."""
    async with Films() as running:
        yield running


@pytest.fixture
async def client(server: Films) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `server`."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=20) as made:
        yield made


# Requests and answers


async def test_requests_are_noted_in_order(server: Films, client: httpx.AsyncClient) -> None:
    await client.get("/Items%20all", params={"ids": "1,2", "Fields": ["People", "Etag"], "empty": ""})
    answer = await client.post("/jsonrpc", json={"method": "ä"}, headers={"X-Token": "abc"})
    assert answer.json() == {"method": "ä"}
    first, second = server.requests
    assert (first.method, first.path) == ("GET", "/Items all")
    assert first.query == {"ids": ["1,2"], "Fields": ["People", "Etag"], "empty": [""]}
    assert (first.first("IDS"), first.first("fields"), first.first("none", "x")) == ("1,2", "People", "x")
    assert (second.method, second.json()) == ("POST", {"method": "ä"})
    assert second.headers["x-token"] == "abc"


async def test_connections_are_kept_and_a_head_has_no_body(server: Films, client: httpx.AsyncClient) -> None:
    for _ in range(3):
        assert (await client.get("/")).json() == FILM
    answer = await client.head("/")
    assert answer.content == b""
    assert int(answer.headers["Content-Length"]) > 0
    assert server.connections == 1


async def test_a_base_path_is_served_and_nothing_else() -> None:
    async with Films(base_path="/emby/") as server, httpx.AsyncClient(trust_env=False) as client:
        assert server.url.endswith("/emby")
        assert (await client.get(f"{server.url}/Items")).json() == FILM
        assert (await client.get(server.url)).json() == FILM
        root = server.url.removesuffix("/emby")
        assert (await client.get(f"{root}/Items")).status_code == 404
        assert (await client.get(f"{root}/embyx")).status_code == 404
        assert [request.path for request in server.requests] == ["/Items", "/", "/Items", "/embyx"]


async def test_a_client_that_leaves_or_speaks_no_http_does_no_harm(server: Films) -> None:
    for sent in (b"", b"GET / HT", b"\x16\x03\x01 no http\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        writer.write(sent)
        writer.write_eof()
        await reader.read()
        writer.close()
        await writer.wait_closed()
    await until(lambda: server.connections == 0)
    assert server.requests == []


async def test_two_requests_in_one_go_are_both_answered(server: Films) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    server.faults.append(Fault.slow(0.01))
    writer.write(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: len(server.requests) == 1)
    writer.write(b"GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    assert answer.count(b"HTTP/1.1 200") == 2
    assert [request.path for request in server.requests] == ["/1", "/2"]
    writer.close()
    await writer.wait_closed()


async def test_a_flaw_of_the_fake_is_not_hidden() -> None:
    server = Films()
    await server.__aenter__()
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{server.url}/broken")).status_code == 500
        assert (await client.get(f"{server.url}/broken")).status_code == 500
    with pytest.raises(RuntimeError, match="a flaw of the fake"):
        await server.__aexit__(None, None, None)


async def test_a_base_server_answers_nothing() -> None:
    with pytest.raises(NotImplementedError):
        await FakeServer().handle(Request("GET", "/"))


async def test_the_end_of_the_server_ends_its_connections() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        async with Films() as server:
            server.faults.append(Fault.hang())
            hanging = asyncio.create_task(client.get(server.url))
            await until(lambda: len(server.requests) == 1)
        with pytest.raises(httpx.TransportError):
            await hanging
        with socket.socket() as sock:
            assert sock.connect_ex(("127.0.0.1", int(server.url.rpartition(":")[2]))) != 0


# Faults


async def get(client: httpx.AsyncClient) -> Any:
    return (await client.get("/Items")).json()


async def test_statuses(server: Films, client: httpx.AsyncClient) -> None:
    server.faults = [
        Fault.status(404, {"X-Why": "gone"}, b"no film"),
        Fault.busy(5),
        Fault.busy(None),
        Fault.limit(1.5),
    ]
    answers = [await client.get("/Items") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [404, 503, 503, 429, 200]
    assert (answers[0].content, answers[0].headers["X-Why"]) == (b"no film", "gone")
    assert [answer.headers.get("Retry-After") for answer in answers] == [None, "5", None, "1.5", None]


async def test_html_and_nothing(server: Films, client: httpx.AsyncClient) -> None:
    server.faults = [Fault.html(), Fault.empty()]
    page = await client.get("/Items")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.text.startswith("<!DOCTYPE html>")
    assert await get(client) == {}
    assert await get(client) == FILM


async def test_answers_that_break_off(server: Films, client: httpx.AsyncClient) -> None:
    server.faults = [Fault.truncated(), Fault.cut_json(), Fault.reset()]
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection without sending complete"):
        await client.get("/Items")
    answer = await client.get("/Items")
    assert len(answer.content) == int(answer.headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    with pytest.raises(httpx.ReadError):
        await client.get("/Items")
    assert await get(client) == FILM


async def test_no_answer_until_the_client_leaves(server: Films, client: httpx.AsyncClient) -> None:
    server.faults = [Fault.hang()]
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/Items", timeout=0.05)
    await until(lambda: server.connections == 0)
    assert await get(client) == FILM


async def test_a_later_answer(server: Films, client: httpx.AsyncClient) -> None:
    server.faults = [Fault.slow(0.01)]
    assert await get(client) == FILM
    assert server.faults[0].met == 1


async def test_wrong_encoding(server: Films, client: httpx.AsyncClient) -> None:
    server.faults = [Fault.latin1(), Fault.latin1(at=lambda request: request.method == "POST", times=None)]
    for answer in (
        await client.get("/Items"),
        await client.post("/", json={}),
        await client.post("/", json=[1, "a"]),
    ):
        with pytest.raises(UnicodeDecodeError):
            answer.content.decode()
        assert json.loads(answer.content.decode("latin-1"))


async def test_wrong_types(server: Films, client: httpx.AsyncClient) -> None:
    server.faults = [
        Fault.wrong_types(),
        Fault.wrong_types("People", "ProviderIds", "Tagline"),
        Fault.wrong_types("Role"),
    ]
    assert await get(client) == {
        "Name": 7,
        "Year": {"value": 2001},
        "Seen": {"value": True},
        "Tagline": {"value": None},
        "People": [{"Name": 7, "Role": 7}],
        "ProviderIds": {"Imdb": 7},
    }
    assert await get(client) == {
        **FILM,
        "Tagline": {"value": None},
        "People": {"0": FILM["People"]},
        "ProviderIds": [FILM["ProviderIds"]],
    }
    assert (await get(client))["People"] == [{"Name": "Audrey Tautou", "Role": 7}]


async def test_a_rewritten_answer(server: Films, client: httpx.AsyncClient) -> None:
    server.faults = [Fault.rewrite(lambda film: {**film, "People": []})]
    assert await get(client) == {**FILM, "People": []}
    assert await get(client) == FILM


async def test_which_requests_a_fault_meets(server: Films, client: httpx.AsyncClient) -> None:
    server.faults = [
        Fault.status(500, at=lambda request: request.path == "/2", times=None),
        Fault.status(501, at=4, times=2),
    ]
    paths = ["/1", "/2", "/2", "/3", "/2", "/3", "/3"]
    statuses = [(await client.get(path)).status_code for path in paths]
    assert statuses == [200, 500, 500, 501, 500, 501, 200]
    assert [fault.met for fault in server.faults] == [3, 2]


async def test_how_many_requests_were_at_work_at_once(server: Films, client: httpx.AsyncClient) -> None:
    server.faults = [Fault.hang(times=3)]
    hanging = [asyncio.create_task(client.get("/")) for _ in range(3)]
    await until(lambda: len(server.requests) == 3)
    assert server.most_at_once == 3
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    await until(lambda: server.connections == 0)
    server.most_at_once = 0
    await client.get("/")
    assert server.most_at_once == 1
