"""Safe by default: who may read and write, where a form may come from, and what every answer says."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route
from web_clients import Browser, signed_in
from web_library import TOKEN

from mediasync import MediaSync
from mediasync.web import Access, Guard, create_app
from mediasync.web.access_log import shown_path
from mediasync.web.hosts import HostCheck, host_name
from mediasync.web.limits import GUESSES_OF_ALL, GUESSES_OF_CLIENT, SECONDS_PER_GUESS, GuessLimit

HEADERS = (
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
)


@pytest.fixture
async def ms() -> AsyncIterator[MediaSync]:
    """An empty mirror: what is safe does not depend on what is stored."""
    async with MediaSync("sqlite:///:memory:") as ms:
        yield ms


@pytest.fixture
def app(ms: MediaSync) -> Starlette:
    return create_app(ms, guard=Guard(TOKEN, default=Access.READ), hosts=["media.example.org", "*.home.arpa"])


@pytest.fixture
async def browser(app: Starlette) -> AsyncIterator[Browser]:
    async with signed_in(app) as browser:
        yield browser


def routes_of(app: Starlette, method: str) -> Iterator[Route]:
    for route in app.routes:
        if isinstance(route, Route) and method in (route.methods or ()):
            yield route


def path_of(route: Route) -> str:
    """A path that the route takes."""
    values: dict[str, Any] = {}
    for name, convertor in route.param_convertors.items():
        values[name] = 1 if isinstance(convertor, IntegerConvertor) else "examples"
    return str(route.url_path_for(route.name, **values))


OPEN_TO_ALL = {"/sign-in", "/sign-out"}
"""Whoever is not signed in may sign in. Signing out harms nobody."""


async def test_nothing_is_written_without_signing_in(app: Starlette) -> None:
    """Every route that takes a POST, so that a new one is covered, too."""
    paths = [path_of(route) for route in routes_of(app, "POST")]
    assert {"/removed/restore", "/sources/examples/sync", "/runs/1/undo"} <= {*paths}
    async with Browser(app) as reader:
        token = await reader.form_token()
        for path in paths:
            if path in OPEN_TO_ALL or path.startswith("/hooks/"):  # hooks have a secret of their own
                continue
            answer = await reader.post(path, data={"form_token": token})
            assert answer.status_code in {401, 403}, path
            wrong = await reader.post(path, headers={"Authorization": "Bearer wrong"})
            assert wrong.status_code in {401, 403, 429}, path


async def test_no_page_is_read_without_signing_in_if_reading_needs_it(ms: MediaSync) -> None:
    app = create_app(ms, guard=Guard(TOKEN, default=Access.NONE))
    known = {"/sign-in", "/healthz", "/readyz", "/static"}
    async with Browser(app) as stranger:
        for route in routes_of(app, "GET"):
            path = path_of(route)
            if path in known:
                continue
            answer = await stranger.get(path)
            assert answer.status_code in {303, 401, 404}, path
            assert "examples" not in answer.text.replace(path, ""), path
    async with signed_in(app) as browser:
        assert (await browser.get("/sources")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "https://localhost"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": "http://localhost:81"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
async def test_a_form_comes_from_our_own_pages(
    browser: Browser, headers: dict[str, str], allowed: bool
) -> None:
    fields = {"form_token": await browser.form_token(), "id": "examples:none"}
    answer = await browser.post("/removed/restore", data=fields, headers=headers)
    assert answer.status_code == (404 if allowed else 403)


async def test_a_form_needs_its_token_and_a_program_does_not(app: Starlette, browser: Browser) -> None:
    for fields in ({}, {"form_token": ""}, {"form_token": "wrong"}):
        assert (await browser.post("/removed/restore", data={"id": "x", **fields})).status_code == 403
    async with Browser(app) as program:
        header = {"Authorization": f"Bearer {TOKEN}"}
        answer = await program.post("/removed/restore", data={"id": "x"}, headers=header)
        assert answer.status_code == 404


async def test_tokens_are_compared_in_constant_time(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr("mediasync.web.guard.hmac.compare_digest", compare)
    assert hmac.compare_digest is compare
    async with Browser(app) as browser:
        await browser.sign_in("wrong")
        await browser.get("/", headers={"Authorization": "Bearer wrong"})
    assert compared.count(TOKEN.encode()) == 2


async def test_cookies_cannot_be_read_by_scripts_or_sent_by_other_sites(app: Starlette) -> None:
    async with Browser(app) as browser:
        page = await browser.get("/sign-in")
        assert "httponly" in page.headers["set-cookie"].lower()
        assert "samesite=strict" in page.headers["set-cookie"].lower()
        signed = await browser.sign_in()
        cookie = signed.headers["set-cookie"].lower()
        assert "mediasync_session=" in cookie
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "secure" not in cookie
        assert TOKEN not in cookie
    async with Browser(app) as browser:
        browser.base_url = httpx.URL("https://localhost")
        assert "secure" in (await browser.sign_in()).headers["set-cookie"].lower()


async def test_a_session_ends_with_signing_out_or_with_another_token(ms: MediaSync, browser: Browser) -> None:
    assert "Sign out" in (await browser.get("/sources")).text
    other = create_app(ms, guard=Guard("another token", default=Access.NONE))
    async with Browser(other, cookies=dict(browser.cookies)) as with_old_cookie:
        assert (await with_old_cookie.get("/sources")).status_code == 303
    await browser.submit("/sign-out")
    assert "Sign out" not in (await browser.get("/sources")).text


@pytest.mark.parametrize(
    ("asked", "to"),
    [
        ("/runs", "/runs"),
        ("/items?type=movie&page=2", "/items?type=movie&page=2"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
async def test_signing_in_leads_to_a_page_of_this_site(app: Starlette, asked: str, to: str) -> None:
    async with Browser(app) as browser:
        assert (await browser.sign_in(next=asked)).headers["location"] == to


async def test_guesses_are_bounded_for_each_client(app: Starlette) -> None:
    async with Browser(app) as guesser, Browser(app, address="198.51.100.9") as other:
        for _ in range(GUESSES_OF_CLIENT):
            assert (await guesser.sign_in("wrong")).status_code == 401
        refused = await guesser.sign_in()
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= SECONDS_PER_GUESS + 1
        bearer = await guesser.get("/runs", headers={"Authorization": f"Bearer {TOKEN}"})
        assert bearer.status_code == 429
        assert (await guesser.get("/runs")).status_code == 200
        assert (await other.sign_in()).status_code == 303


def request_from(address: str) -> Request:
    return Request({"type": "http", "headers": [], "client": (address, 1)})


def test_guesses_come_back_with_time_and_all_clients_share_some() -> None:
    now = [0.0]
    limit = GuessLimit(lambda: now[0])

    def is_refused(address: str) -> bool:
        try:
            limit.check(request_from(address))
        except Exception as error:
            assert getattr(error, "status_code", None) == 429  # noqa: PT017
            return True
        return False

    for _ in range(GUESSES_OF_CLIENT):
        limit.note_wrong(request_from("2001:db8::1"))
    assert is_refused("2001:db8::ffff")  # of the same network
    assert not is_refused("2001:db8:0:1::1")
    now[0] += SECONDS_PER_GUESS
    assert not is_refused("2001:db8::1")
    for number in range(GUESSES_OF_ALL + 20):
        limit.note_wrong(request_from(f"203.0.113.{number}"))
    assert is_refused("192.0.2.1")
    now[0] += 10
    assert not is_refused("192.0.2.1")


async def test_every_answer_has_the_headers(app: Starlette, ms: MediaSync) -> None:
    def fail(_request: Request) -> None:
        raise RuntimeError("a bug")

    app.router.routes.insert(0, Route("/bug", fail))
    async with Browser(app) as browser:
        answers = [
            await browser.get(path)
            for path in ("/", "/runs.json", "/nowhere", "/nowhere.json", "/static/mediasync.css", "/bug")
        ]
        answers.append(await browser.get("/", headers={"Host": "evil.example"}))
        answers.append(await browser.post("/removed/restore", data={"x": "y"}))
        answers.append(await browser.get("/sources/examples/progress"))
    assert [answer.status_code for answer in answers] == [200, 200, 404, 404, 200, 500, 421, 401, 204]
    for answer in answers:
        assert not [name for name in HEADERS if name not in answer.headers], answer.url
        assert "unsafe" not in answer.headers["content-security-policy"]
    assert "a bug" not in answers[5].text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8765", 200),
        ("127.0.0.1:8765", 200),
        ("[::1]:8765", 200),
        ("192.168.1.5", 200),
        ("media.example.org", 200),
        ("MEDIA.example.org.:443", 200),
        ("nas.home.arpa", 200),
        ("home.arpa", 421),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("media.example.org.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
async def test_the_server_answers_to_its_own_names_only(app: Starlette, host: str, status: int) -> None:
    async with Browser(app) as browser:
        assert (await browser.get("/", headers={"Host": host})).status_code == status


async def test_an_embedded_app_leaves_names_to_the_app_around_it(ms: MediaSync) -> None:
    async with Browser(create_app(ms)) as browser:
        assert (await browser.get("/", headers={"Host": "anything.example"})).status_code == 200
    assert host_name("[::1]") == "::1"
    assert HostCheck is not None


async def test_a_form_that_is_too_large_is_refused(browser: Browser) -> None:
    large = {"form_token": await browser.form_token(), "id": "x" * 70_000}
    assert (await browser.post("/removed/restore", data=large)).status_code == 413

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"id=" + b"x" * 1_000 + b"&"

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await browser.post("/removed/restore", content=in_pieces(), headers=kind)
    assert answer.status_code == 413
    assert (await browser.post("/sign-in", data={"token": "x" * 70_000})).status_code == 413


async def test_a_body_that_does_not_arrive_is_given_up(
    app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediasync.web.limits.BODY_SECONDS", 0.05)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    form = (b"content-type", b"application/x-www-form-urlencoded")
    headers = [(b"host", b"localhost"), (b"content-length", b"10"), (b"accept", b"application/json"), form]
    scope = {
        "type": "http", "method": "POST", "path": "/sign-in", "raw_path": b"/sign-in", "root_path": "",
        "query_string": b"", "headers": headers, "scheme": "http", "client": ("192.0.2.7", 1),
        "server": ("localhost", 80), "asgi": {"version": "3.0"}, "http_version": "1.1",
    }  # fmt: skip
    await app(scope, receive, send)
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["title"] == "Request Timeout"


def test_secrets_are_not_logged() -> None:
    scope = {"path": "/hooks/home/s3cret", "query_string": b"X-Plex-Token=s3cret&password=s3cret&q=heat"}
    shown = shown_path(scope)
    assert "s3cret" not in shown
    assert "q=heat" in shown
    assert shown_path({"path": "/items/a\x1b[2J\n", "query_string": b""}) == "/items/a[2J"


def test_all_routes_are_looked_at(app: Starlette) -> None:
    """A kind of route that the tests above do not know would not be tested."""
    others: list[BaseRoute] = [route for route in app.routes if not isinstance(route, Route)]
    assert [route.path for route in others if isinstance(route, Mount)] == ["/static"]
    assert len(others) == 1
