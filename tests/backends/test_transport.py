"""Requests and answers of a source's client: addresses, headers, redirects, limits, cancelling, closing."""

from __future__ import annotations

import asyncio
import gzip
import json
import traceback
from collections.abc import Callable

import httpx
import pytest
from pydantic import SecretStr
from transport_servers import EXTRA, TOKEN, Echo, Gate, make, opened, until

from mediasync.backends.transport import Transport
from mediasync.errors import ConfigurationError, LifecycleError, SourceUnreachable, UsageError
from mediasync.settings.http import HttpOptions
from mediasync.testing import Fault, Request, Response


async def test_a_base_path_is_kept_and_headers_are_sent() -> None:
    async with Echo(base_path="/jellyfin") as server:
        extra = {"CF-Access": SecretStr(EXTRA)}
        async with opened(f"{server.url}/", headers=extra) as transport:
            answer = await transport.get_json("/Items", {"ids": "1,2", "limit": 2, "updatedAt>>": 5})
            posted = await transport.post_json("/jsonrpc", {"method": "Ping"}, headers={"X-Token": "other"})
    assert answer["path"] == "/Items"
    assert answer["query"] == {"ids": ["1,2"], "limit": ["2"], "updatedAt>>": ["5"]}
    assert (posted["method"], json.loads(posted["body"])) == ("POST", {"method": "Ping"})
    got, sent = server.requests
    assert got.headers["x-token"] == TOKEN
    assert got.headers["cf-access"] == EXTRA
    assert got.headers["accept"] == "application/json"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["x-token"] == "other"
    assert transport.requests == 2


async def test_a_header_can_be_set_after_signing_in() -> None:
    async with Echo() as server, opened(server.url) as transport:
        await transport.get_json("/before")
        transport.set_header("x-token", "signed-in")
        await transport.get_json("/after")
    assert [request.headers["x-token"] for request in server.requests] == [TOKEN, "signed-in"]


async def test_gzip_a_byte_order_mark_no_content_and_numbers_that_are_none() -> None:
    async def answer(request: Request) -> Response:
        assert "gzip" in request.headers["accept-encoding"]
        kind = {"Content-Type": "application/json"}
        return {
            "/gzip": Response(200, {**kind, "Content-Encoding": "gzip"}, gzip.compress(b'{"a": "b"}')),
            "/bom": Response(200, kind, b'\xef\xbb\xbf{"a": "b"}'),
            "/none": Response(204),
            "/nan": Response(200, kind, b'{"a": NaN, "b": -Infinity}'),
        }[request.path]

    async with Echo() as server, opened(server.url) as transport:
        server.answer = answer
        assert await transport.get_json("/gzip") == {"a": "b"}
        assert await transport.get_json("/bom") == {"a": "b"}
        assert await transport.post_json("/none", {}) is None
        assert await transport.get_json("/nan") == {"a": None, "b": None}


async def test_a_large_answer_is_decoded_while_the_loop_turns() -> None:
    large = [{"title": f"Film {number}", "cast": ["Ada"] * 20} for number in range(5_000)]

    async def answer(_request: Request) -> Response:
        return Response.json(large)

    async with Echo() as server, opened(server.url) as transport:
        server.answer = answer
        assert await transport.get_json("/Items") == large


# Redirects


def redirect(location: str, status: int = 302) -> Fault:
    return Fault.status(status, {"Location": location}, at=lambda request: request.path == "/old")


async def test_a_redirect_on_the_same_server_is_followed() -> None:
    async with Echo() as server, opened(server.url) as transport:
        server.faults += [redirect("/new?a=b", 307), redirect("new", 301), redirect("/new", 303)]
        answer = await transport.post_json("/old", {"x": 1})
        assert (answer["method"], answer["path"], answer["query"]) == ("POST", "/new", {"a": ["b"]})
        assert json.loads(answer["body"]) == {"x": 1}
        assert (await transport.get_json("/old"))["path"] == "/new"
        answer = await transport.post_json("/old", {"x": 1})
        assert (answer["method"], answer["body"]) == ("GET", "")
    assert all(request.headers["x-token"] == TOKEN for request in server.requests)


async def test_a_redirect_to_another_server_is_not_followed() -> None:
    async with Echo() as server, Echo() as other, opened(server.url) as transport:
        other_host = other.url.replace("127.0.0.1", "localhost")
        for address in (f"{other.url}/new?code=1", f"{other_host}/new", "https://user:pw@127.0.0.1/"):
            server.faults = [redirect(address)]
            with pytest.raises(SourceUnreachable, match="not sent to another server") as caught:
                await transport.get_json("/old")
            assert "code" not in str(caught.value)
            assert "pw" not in str(caught.value)
        assert other.requests == []
    assert transport.requests == 3


async def test_a_circle_of_redirects_is_left_and_a_broken_one_is_none() -> None:
    async with Echo() as server, opened(server.url) as transport:
        server.faults = [redirect("/old")]
        server.faults[0].times = None
        with pytest.raises(SourceUnreachable, match="redirected in a loop, at http://127"):
            await transport.get_json("/old")
        assert transport.requests == 1
        server.faults = [redirect("http://host:port/")]
        server.faults[0].times = None
        with pytest.raises(SourceUnreachable, match="Invalid URL in location header"):
            await transport.get_json("/old")


# How many at once


async def test_no_more_requests_than_the_limit_are_under_way() -> None:
    async with Gate(3) as server, opened(server.url, concurrency=3) as transport:
        await asyncio.gather(*(transport.get_json("/") for _ in range(12)))
        assert server.most_at_once == 3
        assert server.connections <= 3


async def test_the_options_beat_the_backends_limit() -> None:
    async with Gate(2) as server, opened(server.url, concurrency=8) as transport:
        assert transport.concurrency == 8
    async with Gate(2) as server:
        transport = Transport(
            "home", server.url, headers={}, concurrency=8, options=HttpOptions(concurrency=2)
        )
        async with transport.open():
            await asyncio.gather(*(transport.get_json("/") for _ in range(6)))
        assert server.most_at_once == 2


@pytest.mark.parametrize("fault", [Fault.busy, Fault.limit])
async def test_fewer_requests_are_sent_at_once_when_the_server_asks_for_it(
    fault: Callable[[float], Fault],
) -> None:
    async with Echo() as server, opened(server.url, concurrency=8) as transport:
        for left in (4, 2, 1, 1):
            server.faults.append(fault(0))
            await transport.get_json("/")
            assert transport.concurrency == left
        server.most_at_once = 0
        await asyncio.gather(*(transport.get_json("/") for _ in range(6)))
        assert server.most_at_once == 1
    async with transport.open():
        assert transport.concurrency == 8


async def test_requests_that_were_under_way_together_halve_the_limit_once() -> None:
    arrived = 0
    all_arrived = asyncio.Event()

    async def refuse_the_first_eight(_request: Request) -> Response:
        nonlocal arrived
        arrived += 1
        if arrived > 8:
            return Response.json({})
        if arrived == 8:
            all_arrived.set()
        await all_arrived.wait()
        return Response(429, {"Retry-After": "0"})

    async with Echo() as server, opened(server.url, concurrency=8) as transport:
        server.answer = refuse_the_first_eight
        await asyncio.gather(*(transport.get_json("/") for _ in range(8)))
        assert transport.concurrency == 4
        assert transport.requests == 16


# Cancelling and closing


async def test_a_cancelled_request_leaves_nothing_behind() -> None:
    async with Gate(2) as server, opened(server.url, concurrency=1) as transport:
        task = asyncio.create_task(transport.get_json("/hangs"))
        await until(lambda: server.waiting == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.connections == 0)
        assert await transport.get_json("/answered") == {}


async def test_a_request_that_is_cancelled_between_two_tries_leaves_nothing_behind() -> None:
    async with Echo() as server, opened(server.url, concurrency=1) as transport:
        server.faults.append(Fault.busy(60))
        waits = asyncio.Event()
        transport.on_wait = lambda _: waits.set()
        task = asyncio.create_task(transport.get_json("/"))
        await waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await transport.get_json("/again"))["path"] == "/again"


async def test_an_own_client_is_closed_and_an_injected_one_is_not() -> None:
    async with Echo() as server:
        async with opened(server.url) as transport:
            await transport.get_json("/")
            assert server.connections == 1
        await until(lambda: server.connections == 0)
        async with httpx.AsyncClient() as client:
            async with opened(server.url, client=client) as transport:
                await transport.get_json("/injected")
            assert not client.is_closed
            async with opened(server.url, client=client) as transport:
                await transport.get_json("/injected")
            assert server.connections == 1
        assert [request.headers["x-token"] for request in server.requests] == [TOKEN] * 3


async def test_an_own_client_is_closed_when_its_user_is_cancelled() -> None:
    async with Echo() as server:
        answered = asyncio.Event()

        async def use() -> None:
            async with opened(server.url) as transport:
                await transport.get_json("/")
                answered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(use())
        await answered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.connections == 0)


async def test_a_transport_is_used_while_it_is_open() -> None:
    async with Echo() as server:
        transport = make(server.url)
        with pytest.raises(LifecycleError, match="is not open"):
            await transport.get_json("/")
        async with transport.open():
            with pytest.raises(LifecycleError, match="is open already"):
                async with transport.open():
                    pass
            await transport.get_json("/")
        with pytest.raises(LifecycleError, match="is not open"):
            await transport.get_json("/")
        async with transport.open():
            await transport.get_json("/")


# What cannot be sent


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("http://me:hunter2@host", "user name and a password"),
        ("ftp://host", "does not name a server: write https://"),
        ("http://", "does not name a server: write https://"),
        ("host:8096", "does not name a server: write https://"),
        ("http://host/?X-Plex-Token=hunter2", "must not contain"),
        ("http://host/#a", "must not contain"),
        ("http://[::1", "no valid host and port"),
        ("http://host:port", "no valid host and port"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, what: str) -> None:
    with pytest.raises(ConfigurationError, match="source 'home'") as caught:
        make(address)
    assert what in str(caught.value)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", ["hunter2\nX: y", "hunter2\x00", "hunter2é"])
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(value: str) -> None:
    with pytest.raises(ConfigurationError, match="header X-Token") as caught:
        Transport("home", "http://host", headers={"X-Token": value}, concurrency=1)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(ConfigurationError, match="the name of a header"):
        make("http://host", headers={"X Token": SecretStr("hunter2")})


async def test_a_token_with_white_space_around_it_is_sent_without() -> None:
    async with Echo() as server:
        transport = Transport("home", server.url, headers={"X-Token": " abc\n"}, concurrency=1)
        async with transport.open():
            await transport.get_json("/")
    assert server.requests[0].headers["x-token"] == "abc"


async def test_a_path_begins_with_a_slash_and_no_secret_is_in_a_query() -> None:
    async with opened("http://127.0.0.1:1") as transport:
        with pytest.raises(UsageError, match="must begin with a slash"):
            await transport.get_json("Items")
        for name in ("X-Plex-Token", "api_key", "ApiKey"):
            with pytest.raises(UsageError, match="secrets are sent in headers") as caught:
                await transport.get_json("/Items", {name: "hunter2"})
            assert "hunter2" not in str(caught.value)
        assert transport.requests == 0
