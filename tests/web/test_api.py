"""The API for programs, on both engines: what each endpoint answers, pages, and what is refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import httpx
import pytest
from support.engines import Engine
from support.items import movie
from web_library import EXAMPLES, TOKEN, client_of, on_both_engines

from mediasync import MediaSync
from mediasync.settings.file import parse_source
from mediasync.web import Access, Guard, create_app, shut_down
from mediasync.web.api import ENDPOINTS

API = "/api/v1"
DARK = "examples:tvshows/Dark (2017)"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def client(ms: MediaSync) -> AsyncIterator[httpx.AsyncClient]:
    """A program without a token, which may read."""
    app = create_app(
        ms, sources=[parse_source(f"examples=nfo:{EXAMPLES}")], guard=Guard(TOKEN, default=Access.READ)
    )
    async with client_of(app) as client:
        yield client
    await shut_down(app)


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    """Return the content of an answer, which is no error."""
    answer = await client.get(API + path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def full(item_id: str) -> str:
    """Return an id as it stands in a path."""
    return quote(item_id, safe="")


@on_both_engines
async def test_every_endpoint_answers(client: httpx.AsyncClient) -> None:
    [run] = (await get(client, "/runs"))["rows"]
    person = (await get(client, "/search", q="louis hofmann"))["people"][0]["summary"]["id"]
    needed = {
        "/counts": {"facet": "decade"},
        "/find": {"with_people": person},
        "/search": {"q": "dark"},
    }
    parts = {
        "/people/{id:path}": person,
        "/filmographies/{id:path}": person,
        "/costars/{id:path}": person,
        "/sources/{id}": "examples",
        "/sources/{id}/sync": "examples",
    }
    started = await client.post(f"{API}/sources/examples/sync", headers=BEARER)
    assert started.status_code == 202
    for endpoint in ENDPOINTS:
        if endpoint.method == "GET":
            path = endpoint.path.replace("{number:number}", str(run["id"]))
            path = re.sub(r"\{id.*\}", full(parts.get(endpoint.path, DARK)), path)
            found = await get(client, path, **needed.get(endpoint.path, {}))
            assert found, endpoint.path
    await until_ended(client, started.headers["location"])


async def until_ended(client: httpx.AsyncClient, place: str) -> dict[str, Any]:
    """Return the state of a sync at its end."""
    while True:
        await asyncio.sleep(0)
        state = (await client.get(place)).json()
        if not state["running"]:
            found: dict[str, Any] = state
            return found


async def test_an_item_has_its_cast_and_crew_once(client: httpx.AsyncClient) -> None:
    found = await get(client, f"/items/{full('examples:movies/Citizen Kane (1941)')}")
    assert found["cast"][0]["person"]["name"] == "Orson Welles"
    assert {credit["person_type"] for credit in found["crew"]} >= {"director"}
    assert "credits" not in found


@on_both_engines
async def test_an_id_may_hold_any_character(ms: MediaSync, client: httpx.AsyncClient) -> None:
    keys = ["a/b", "a//b", "a/../b", "a b?c#d%20e&f", "日本/é", "credits/x", "x.json", "%2F", "a\\b", "+"]
    for key in keys:
        await ms.media.save_media_item(movie(key), library_id="movies", source_id="examples")
    for key in keys:
        answer = await client.get(httpx.URL(f"http://localhost{API}/items/{full(f'examples:{key}')}"))
        assert (answer.status_code, answer.json()["remote_id"]) == (200, key)


LISTS = [
    ("/items", {"limit": 5}, "after"),
    ("/items", {"limit": 7, "sort": "year", "descending": "true"}, "after"),
    ("/people", {"limit": 100}, "after"),
    ("/find", {"limit": 1, "with_people": "examples:name:steve mcqueen"}, "after"),
    (f"/credits/{full(DARK)}", {"limit": 2}, "after"),
    ("/changes", {"limit": 50}, "after"),
    ("/history", {"limit": 200}, "after"),
    ("/runs", {"limit": 1}, "before"),
    ("/removed", {"limit": 1}, "offset"),
]


@on_both_engines
async def test_the_links_walk_through_all_pages(ms: MediaSync, client: httpx.AsyncClient) -> None:
    for path, query, name in LISTS:
        await ms.sync(f"examples=nfo:{EXAMPLES}")
        whole = await get(client, path, **{**query, "limit": 1000})
        place: str | None = str(httpx.URL(f"{API}{path}", params=query))
        rows: list[Any] = []
        while place is not None:
            answer = await client.get(place)
            assert answer.status_code == 200, answer.text
            rows += answer.json()["rows"]
            following = answer.links.get("next")
            place = urljoin(place, following["url"]) if following else None
            assert following is None or f"{name}=" in following["url"]
        assert rows == whole["rows"]


@on_both_engines
async def test_the_filters_of_the_library_are_parameters(client: httpx.AsyncClient) -> None:
    query = {"media_types": ["movie", "show"], "year_from": 2000, "sort": "year", "with_total": "true"}
    page = await get(client, "/items", **query)
    assert page["total"] == len(page["rows"])
    assert {row["media_type"] for row in page["rows"]} == {"movie", "show"}
    assert [row["year"] for row in page["rows"]] == sorted(row["year"] for row in page["rows"])
    crew = await get(client, "/items", with_people="director@examples:name:orson welles")
    assert [row["title"] for row in crew["rows"]] == ["Citizen Kane"]
    cast = await get(client, "/items", with_people="composer@examples:name:orson welles")
    assert cast["rows"] == []


async def test_a_time_may_have_a_plus_that_is_not_encoded(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{API}/items?changed_since=2020-01-31T12:00:00+02:00")
    assert answer.status_code == 200
    assert (await client.get(f"{API}/items?changed_since=2020-01-31T12:00:00")).status_code == 422


REFUSED = [
    ("/items?limit=0", 422, "limit", "1000"),
    ("/items?limit=5&limit=6", 422, "limit", "more than once"),
    ("/items?sort=age", 422, "sort", "rating"),
    ("/items?limt=5", 422, "limt", "did you mean limit"),
    ("/items?descending=yes", 422, "descending", "true or false"),
    ("/items?min_rating=nan", 422, "min_rating", "finite"),
    ("/items?genre=%00", 422, "genre", "NUL"),
    ("/find", 422, "with_people", "required"),
    ("/top?decade=1995", 422, "decade", "multiple"),
]


async def test_a_parameter_that_is_refused_is_named(client: httpx.AsyncClient) -> None:
    for path, status, name, word in REFUSED:
        answer = await client.get(API + path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status
        assert problem["errors"][0]["name"] == name
        assert word.lower() in str(problem["errors"][0]).lower()


UNANSWERED = [
    ("/items?after=nonsense", 400),
    ("/items?year_from=2000&year_to=1990", 400),
    ("/items/examples%3Anothing", 404),
    ("/items/a%00b", 400),
    ("/credits/examples%3Anothing", 404),
    ("/children/examples%3Anothing", 404),
    ("/casts/examples%3Anothing", 404),
    ("/people/examples%3Anobody", 404),
    ("/filmographies/examples%3Anobody", 404),
    ("/costars/examples%3Anobody", 404),
    ("/sources/nothing", 404),
    ("/sources/examples/sync", 404),
    ("/runs/99", 404),
    (f"/runs/{10**30}", 404),
    ("/changes?after=1000000", 400),
    ("/nowhere", 404),
    (f"/casts/{full('examples:movies/Citizen Kane (1941)')}", 409),
]


@on_both_engines
async def test_what_cannot_be_answered_is_a_problem(client: httpx.AsyncClient) -> None:
    for path, status in UNANSWERED:
        answer = await client.get(API + path)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


async def test_a_cursor_of_another_list_is_refused(client: httpx.AsyncClient) -> None:
    cursor = (await get(client, "/items", limit=1))["next"]
    answer = await client.get(f"{API}/items", params={"after": cursor, "sort": "year"})
    assert (answer.status_code, "another list" in answer.json()["detail"]) == (400, True)


async def test_an_answer_is_sent_once_to_whom_has_it(client: httpx.AsyncClient) -> None:
    first = await client.get(f"{API}/items")
    again = await client.get(f"{API}/items", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "private, no-cache"
    other = await client.get(f"{API}/items?limit=1", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


async def test_each_path_says_its_methods(client: httpx.AsyncClient) -> None:
    place = f"{API}/sources/examples/sync"
    assert (await client.options(place)).headers["allow"] == "GET, HEAD, OPTIONS, POST"
    refused = await client.delete(place)
    assert refused.status_code == 405
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    head, whole = await client.head(f"{API}/items"), await client.get(f"{API}/items")
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert head.headers["etag"] == whole.headers["etag"]


@on_both_engines
async def test_changes_can_be_followed_by_asking_again(ms: MediaSync, client: httpx.AsyncClient) -> None:
    page = await get(client, "/changes", after=0, limit=3)
    assert ([row["number"] for row in page["rows"]], page["more"]) == ([1, 2, 3], True)
    end = await get(client, "/changes", after=await ms.newest_change())
    assert end == {"rows": [], "after": await ms.newest_change(), "more": False}
    await ms.media.save_media_item(movie("new"), library_id="movies", source_id="examples")
    [change] = (await get(client, "/changes", after=end["after"]))["rows"]
    assert (change["what"], change["entity_id"]) == ("added", "examples:new")


@on_both_engines
async def test_changes_that_are_no_longer_kept_are_gone(engine: Engine, tmp_path: Path) -> None:
    now = 1_700_000_000_000
    async with MediaSync(engine.new_mirror_url(tmp_path), clock=lambda: now) as ms:
        await ms.sync(f"examples=nfo:{EXAMPLES}")
        now += 10 * 86_400_000
        await ms.prune_changes(1)
        async with client_of(create_app(ms)) as client:
            for path in (f"{API}/changes?after=1", "/events?after=1"):
                answer = await client.get(path)
                assert answer.status_code == 410
                assert "read the views anew" in answer.json()["detail"]
            anew = await get(client, "/changes")
            assert anew == {"rows": [], "after": await ms.newest_change(), "more": False}


async def test_a_sync_is_started_and_followed_to_its_end(client: httpx.AsyncClient) -> None:
    started = await client.post(f"{API}/sources/examples/sync?full=true", headers=BEARER)
    assert (started.status_code, started.json()["running"]) == (202, True)
    state = await until_ended(client, started.headers["location"])
    assert (state["status"], state["full"], state["error"]) == ("succeeded", True, None)
    unknown = await client.post(f"{API}/sources/other/sync", headers=BEARER)
    assert unknown.status_code == 404


@on_both_engines
async def test_a_removed_item_is_listed_and_restored(ms: MediaSync, client: httpx.AsyncClient) -> None:
    await ms.undo((await ms.list_runs(limit=1))[0].id)
    [kane] = [
        row["id"]
        for row in (await get(client, "/removed", limit=100))["rows"]
        if row["title"] == "Citizen Kane"
    ]
    wrong = await client.post(f"{API}/removed/restore", json={"ids": ["examples:x"]}, headers=BEARER)
    assert wrong.status_code == 404
    back = await client.post(f"{API}/removed/restore", json={"ids": [kane]}, headers=BEARER)
    assert back.json() == {"ids": [kane]}
    assert (await get(client, f"/items/{full(kane)}"))["title"] == "Citizen Kane"


@on_both_engines
async def test_a_run_is_undone(ms: MediaSync, client: httpx.AsyncClient) -> None:
    [run] = await ms.list_runs()
    place = f"{API}/runs/{run.id}/undo"
    planned = (await client.post(f"{place}?dry_run=true", headers=BEARER)).json()
    assert planned["run"] is None
    assert await ms.library.count_items() == 34
    done = (await client.post(place, headers=BEARER)).json()
    assert done["run"]["id"] > run.id
    assert await ms.library.count_items() == 0


WRITES = [
    (endpoint.path.replace("{id}", "examples").replace("{number:number}", "1"), {"ids": ["examples:x"]})
    for endpoint in ENDPOINTS
    if endpoint.access is Access.WRITE
]


async def test_nobody_writes_without_being_allowed_to(ms: MediaSync, client: httpx.AsyncClient) -> None:
    for path, body in WRITES:
        before = await ms.newest_change()
        unsigned = await client.post(API + path, json=body)
        wrong = await client.post(API + path, json=body, headers={"Authorization": "Bearer wrong"})
        assert (unsigned.status_code, wrong.status_code) == (401, 401)
        assert "Bearer" in unsigned.headers["www-authenticate"]
        assert await ms.newest_change() == before


async def test_no_page_of_another_site_writes_with_the_session_of_a_browser(ms: MediaSync) -> None:
    app = create_app(ms, guard=Guard(authorize=lambda _: Access.WRITE))
    async with client_of(app) as client:
        for path, body in WRITES:
            foreign = await client.post(API + path, json=body, headers={"Origin": "https://evil.example"})
            fetched = await client.post(API + path, json=body, headers={"Sec-Fetch-Site": "cross-site"})
            form = await client.post(API + path, data={"ids": "x"}, headers={"Origin": "http://localhost"})
            ours = await client.post(API + path, json=body, headers={"Origin": "http://localhost"})
            assert [answer.status_code for answer in (foreign, fetched, form)] == [403, 403, 403]
            assert ours.status_code != 403


BODIES = [
    (b'{"ids": ["\\ud800"]}', {"Content-Type": "application/json"}, 422),
    (b'{"ids": []}', {"Content-Type": "application/json"}, 422),
    (b'{"ids": ["x\\u0000"]}', {"Content-Type": "application/json"}, 400),
    (b"[" * 100_000, {"Content-Type": "application/json"}, 413),
    (b"[" * 60_000, {"Content-Type": "application/json"}, 422),
    (b'{"ids": ["examples:x"]}', {"Content-Type": "text/plain"}, 415),
    (b"", {}, 415),
]


@on_both_engines
async def test_a_body_that_cannot_be_used_is_refused(client: httpx.AsyncClient) -> None:
    for content, headers, status in BODIES:
        answer = await client.post(f"{API}/removed/restore", content=content, headers={**BEARER, **headers})
        assert answer.status_code == status, answer.text


HOSTILE = [
    "<script>alert(1)</script>",
    "\u202egnp.exe",
    "a\x1b[31m\x07\u0085b",
    "N" * 1_000_000,
    "🎬" * 1_000,
]


@on_both_engines
async def test_a_text_of_a_server_comes_through_as_it_is(ms: MediaSync, client: httpx.AsyncClient) -> None:
    for title in HOSTILE:
        film = movie("film", title=title)
        await ms.media.save_media_item(film, library_id="movies", source_id="examples")
        stored = await ms.media.get_media_item("examples:film")
        answer = await client.get(f"{API}/items/examples%3Afilm")
        assert answer.json()["title"] == stored.title
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"


@on_both_engines
async def test_a_hostile_question_is_answered(client: httpx.AsyncClient) -> None:
    texts = [*HOSTILE[:3], "N" * 10_000, "🎬", "%ED%A0%80", "\x00"]
    paths = ("/search?q=", "/items?genre=", "/people?name_prefix=", "/items/", "/people/")
    for path, text in product(paths, texts):
        sent = text if text.startswith("%") else quote(text, safe="")
        answer = await client.get(httpx.URL(f"http://localhost{API}{path}{sent}"))
        assert answer.status_code in {200, 400, 404, 422}, (path, answer.text)
        assert "\x1b" not in answer.text


async def test_other_origins_are_let_in_only_if_they_are_named(ms: MediaSync) -> None:
    origin = {"Origin": "https://films.example"}
    ask = {
        **origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    async with client_of(create_app(ms)) as client:
        answer = await client.get(f"{API}/items", headers=origin)
        assert "access-control-allow-origin" not in answer.headers
    async with client_of(create_app(ms, cors_origins=["https://films.example"])) as client:
        answer = await client.get(f"{API}/items?limit=0", headers=origin)
        assert answer.status_code == 422
        assert answer.headers["access-control-allow-origin"] == "https://films.example"
        assert "access-control-allow-credentials" not in answer.headers
        asked = await client.options(f"{API}/items", headers=ask)
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (
            200,
            "https://films.example",
        )
        other = await client.get(f"{API}/items", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
        page = await client.get("/", headers=origin)
        assert "access-control-allow-origin" not in page.headers


@on_both_engines
async def test_a_database_that_does_not_answer_is_no_fault_of_the_client(
    engine: Engine, tmp_path: Path
) -> None:
    ms = MediaSync(engine.new_mirror_url(tmp_path))
    async with client_of(create_app(ms)) as client:
        answer = await client.get(f"{API}/items")
    assert answer.status_code == 503
