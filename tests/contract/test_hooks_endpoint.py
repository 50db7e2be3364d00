"""The endpoint of webhooks: secrets, limits, and hints in the inbox."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from mediasync import MediaSync
from mediasync.hints import HintKind
from mediasync.web.hooks import LARGEST_BODY, SECRET_HEADER, hook_routes

SECRET = "correct-horse-battery"
NEW_FILM = {"event": "library.new", "Metadata": {"ratingKey": "812", "type": "movie"}}
IMPORTED = {"eventType": "Download", "movie": {"tmdbId": 603}}
WITH_SECRET = {SECRET_HEADER: SECRET}


@asynccontextmanager
async def client_of(ms: MediaSync) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=hook_routes(ms, {"home": SECRET, "open": ""}.get))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://mediasync.example"
    ) as client:
        yield client


def basic(password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'any:{password}'.encode()).decode()}"}


def is_problem(answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert words in problem["detail"]
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/hooks/home", WITH_SECRET),
        ("/hooks/home", basic(SECRET)),
        (f"/hooks/home/{SECRET}", {}),
    ],
    ids=["header", "basic", "path"],
)
async def test_a_webhook_with_its_secret_becomes_hints(
    ms: MediaSync, path: str, headers: dict[str, str]
) -> None:
    async with client_of(ms) as client:
        answer = await client.post(path, json=NEW_FILM, headers=headers)
    assert answer.status_code == 202
    assert answer.json() == {"sender": "plex", "event": "library.new", "hints": 1}
    [due] = await ms.list_due("home")
    assert (due.kind, due.remote_id) == (HintKind.CHANGED, "812")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/hooks/home", {}),
        ("/hooks/home", {SECRET_HEADER: "wrong"}),
        ("/hooks/home", {SECRET_HEADER: SECRET + "x"}),
        ("/hooks/home", basic("wrong")),
        ("/hooks/home", {"Authorization": "Basic %%%"}),
        ("/hooks/home", {"Authorization": f"Bearer {SECRET}"}),
        ("/hooks/home/wrong", WITH_SECRET),
        ("/hooks/home?secret=" + SECRET, {}),
        ("/hooks/nobody", WITH_SECRET),
        ("/hooks/nobody", {SECRET_HEADER: "-" * 32}),
        ("/hooks/open", {SECRET_HEADER: ""}),
        ("/hooks/open", {}),
    ],
)
async def test_without_its_secret_it_is_refused(ms: MediaSync, path: str, headers: dict[str, str]) -> None:
    async with client_of(ms) as client:
        answer = await client.post(path, json=NEW_FILM, headers=headers)
    is_problem(answer, 401, "the secret is wrong")
    assert "Basic" in answer.headers["WWW-Authenticate"]
    assert await ms.list_due() == []


@pytest.mark.parametrize("name", ["payload", "data"])
@pytest.mark.parametrize("as_file", [False, True])
async def test_forms_are_read(ms: MediaSync, name: str, as_file: bool) -> None:
    text = json.dumps(NEW_FILM)
    picture = ("thumb.jpg", b"\xff\xd8" * 30_000, "image/jpeg")
    part = ("x.json", text.encode(), "application/json") if as_file else (None, text.encode())
    parts: Any = {name: part, "thumb": picture}
    async with client_of(ms) as client:
        posted = await client.post("/hooks/home", files=parts, headers=WITH_SECRET)
        assert posted.json() == {"sender": "plex", "event": "library.new", "hints": 1}
        coded = await client.post("/hooks/home", data={name: text}, headers=WITH_SECRET)
        assert coded.status_code == 202
        empty = await client.post("/hooks/home", files={"thumb": picture}, headers=WITH_SECRET)
        is_problem(empty, 400, "no part payload or data; its parts are thumb")
        broken = {**WITH_SECRET, "Content-Type": "multipart/form-data"}
        is_problem(await client.post("/hooks/home", content=b"--x", headers=broken), 400, "the form cannot")


async def test_the_query_says_what_the_body_does_not(ms: MediaSync) -> None:
    async with client_of(ms) as client:
        path = "/hooks/home?from=radarr&wait=5"
        assert (await client.post(path, json=IMPORTED, headers=WITH_SECRET)).json()["hints"] == 1
        [due] = await ms.list_due()
        assert (due.provider_id, (due.due_at - due.first_at).total_seconds()) == ("tmdb:603", 5)
        for query, words in (
            ("from=kodi", "does not send webhooks"),
            ("wait=soon", "write a number of seconds"),
            ("wait=-1", "write a number of seconds"),
            ("wait=99999", "write a number from 0 to 86,400"),
        ):
            answer = await client.post(f"/hooks/home?{query}", json=IMPORTED, headers=WITH_SECRET)
            is_problem(answer, 400, words)


async def test_tests_and_playback_are_welcome_and_change_nothing(ms: MediaSync) -> None:
    async with client_of(ms) as client:
        for body in ({"eventType": "Test", "movie": {}}, {"event": "media.play"}, {"Event": "system.test"}):
            answer = await client.post("/hooks/home", json=body, headers=WITH_SECRET)
            assert (answer.status_code, answer.json()["hints"]) == (202, 0)
    assert await ms.list_due() == []


async def test_what_is_not_a_webhook_is_refused(ms: MediaSync) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 65_536 + 1):
            yield b" " * 65_536

    async with client_of(ms) as client:
        is_problem(await client.post("/hooks/home", content=b"<a/>", headers=WITH_SECRET), 400, "not JSON")
        large = b" " * (LARGEST_BODY + 1)
        is_problem(await client.post("/hooks/home", content=large, headers=WITH_SECRET), 413, "larger than")
        is_problem(await client.post("/hooks/home", content=endless(), headers=WITH_SECRET), 413, "larger")
        assert (await client.get("/hooks/home", headers=WITH_SECRET)).status_code == 405
        long_key = {"event": "library.new", "Metadata": {"ratingKey": "8" * 5_000, "type": "movie"}}
        answer = await client.post("/hooks/home", json=long_key, headers=WITH_SECRET)
        is_problem(answer, 400, "cannot be the key of an item")
    assert await ms.list_due() == []


async def test_a_mirror_that_cannot_be_written_asks_for_another_try(file_url: str) -> None:
    async with MediaSync(file_url):
        pass
    async with MediaSync(file_url, read_only=True) as ms, client_of(ms) as client:
        answer = await client.post("/hooks/home", json=NEW_FILM, headers=WITH_SECRET)
        is_problem(answer, 503, "send it again later")
        assert answer.headers["Retry-After"] == "30"
