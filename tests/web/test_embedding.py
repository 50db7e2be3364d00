"""The app inside others: FastAPI, Starlette and Litestar, with their lifespans and their users."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import litestar
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from web_library import EXAMPLES

from mediasync import MediaSync
from mediasync.web import Access, Guard, create_app, shut_down

USERS = {"reader": Access.READ, "owner": Access.WRITE}


def authorize(request: Request) -> Access:
    """Let the users of the host in."""
    return USERS.get(request.headers.get("x-user", ""), Access.NONE)


Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


def in_starlette(ms: MediaSync, lifespan: Lifespan) -> Any:
    """Mount it, with a name, beside a route that is called like one of its own."""
    site = create_app(ms, guard=Guard(authorize=authorize))

    async def home(_: Request) -> PlainTextResponse:
        return PlainTextResponse("the host")

    return Starlette(routes=[Route("/", home, name="home"), Mount("/media", site, "site")], lifespan=lifespan)


def in_fastapi(ms: MediaSync, lifespan: Lifespan) -> Any:
    """Mount it below a path."""
    host = FastAPI(lifespan=lifespan)

    @host.get("/", name="home")
    async def home() -> str:
        return "the host"

    host.mount("/media", create_app(ms, guard=Guard(authorize=authorize)))
    return host


def in_litestar(ms: MediaSync, lifespan: Lifespan) -> Any:
    """Mount it below a path, which Litestar does not tell."""

    @litestar.get("/", name="home", media_type="text/plain")
    async def home() -> str:
        return "the host"

    site = create_app(ms, guard=Guard(authorize=authorize), root_path="/media")
    mounted = litestar.asgi("/media", is_mount=True, copy_scope=True)(site)
    # Its own logging keeps a thread after the end.
    return litestar.Litestar([home, mounted], lifespan=[lifespan], logging_config=None)


@pytest.fixture(params=[in_starlette, in_fastapi, in_litestar])
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of each host, whose lifespan has opened the mirror."""
    ms = MediaSync(f"sqlite:///{tmp_path}/media.db")

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        async with ms:
            await ms.sync(f"examples=nfo:{EXAMPLES}")
            yield

    host = request.param(ms, lifespan)
    transport = httpx.ASGITransport(app=host, raise_app_exceptions=False)
    async with lifespan(host), httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        client.headers["X-User"] = "reader"
        yield client


async def test_every_link_of_a_page_stays_below_the_path(client: httpx.AsyncClient) -> None:
    page = await client.get("/media/")
    assert page.status_code == 200
    links = re.findall(r'(?:href|src|action)="([^"]+)"', page.text)
    inside = [link for link in links if not link.startswith("#")]
    assert len(inside) > 3
    assert all(link.startswith("/media/") for link in inside), inside
    for link in inside:
        if "/static/" in link:
            assert (await client.get(link)).status_code == 200
    assert "the host" in (await client.get("/")).text


async def test_the_api_is_below_the_path_and_ids_keep_their_slashes(client: httpx.AsyncClient) -> None:
    page = await client.get("/media/api/v1/items?limit=1")
    assert page.links["next"]["url"].startswith("/media/api/v1/items?")
    second = await client.get(page.links["next"]["url"])
    assert second.status_code == 200
    item = await client.get("/media/api/v1/items/examples%3Amovies%2FCitizen%20Kane%20%281941%29")
    assert item.json()["title"] == "Citizen Kane"
    document = await client.get("/media/api/v1/openapi.json")
    assert document.json()["servers"] == [{"url": "/media/api/v1"}]


async def test_the_users_of_the_host_decide(client: httpx.AsyncClient) -> None:
    place, body = "/media/api/v1/removed/restore", {"ids": ["examples:nothing"]}
    assert (await client.post(place, json=body)).status_code == 403
    stranger = await client.get("/media/api/v1/items", headers={"X-User": "nobody"})
    assert stranger.status_code == 403
    allowed = await client.post(place, json=body, headers={"X-User": "owner"})
    assert allowed.status_code == 404


async def test_cookies_are_for_the_path_alone(tmp_path: Path) -> None:
    async with MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
        site = create_app(ms, guard=Guard("secret"))
        transport = httpx.ASGITransport(app=Starlette(routes=[Mount("/media", site)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            page = await client.get("/media/sign-in")
            assert "Path=/media;" in page.headers["set-cookie"]
            token = re.search(r'name="form_token" value="([^"]+)"', page.text)
            assert token is not None
            form = {"form_token": token[1], "token": "secret"}
            answer = await client.post("/media/sign-in", data=form)
            assert answer.status_code == 303
            assert answer.headers["location"].endswith("/media/")
            assert "Path=/media;" in answer.headers["set-cookie"]
        await shut_down(site)
