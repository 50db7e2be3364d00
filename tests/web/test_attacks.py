"""What hostile clients and hostile sources send: an error says what is wrong, and takes bounded time."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from web_clients import TOKEN, Browser, signed_in

from mediasync import MediaSync
from mediasync.settings.source import SourceConfig
from mediasync.testing import FakeServer, Request, Response
from mediasync.testing.pictures import PICTURE, picture
from mediasync.web import Access, Guard, create_app
from mediasync.web.hooks import SECRET_HEADER
from mediasync.web.limits import GUESSES_OF_CLIENT, MOST_TURNS
from mediasync.web.pictures.public import PublicPictures

HOOK_SECRET = "correct-horse-battery"


@pytest.fixture
def app(ms: MediaSync, tmp_path: Path) -> Starlette:
    source = SourceConfig(id="examples", kind="nfo", folder=tmp_path, hook_secret=HOOK_SECRET)
    return create_app(ms, sources=[source], guard=Guard(TOKEN, default=Access.READ))


@pytest.fixture
async def browser(app: Starlette) -> AsyncIterator[Browser]:
    async with signed_in(app) as browser:
        yield browser


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/runs/{'9' * 5_000}", 404),
        (f"/runs/{'9' * 25}", 404),
        (f"/api/v1/runs/{'9' * 5_000}", 404),
        (f"/removed?offset={'0' * 5_000}", 400),
        (f"/removed?offset={'0' * 19}1{'9' * 25}", 400),
        (f"/runs?before={'0' * 19}1{'9' * 25}", 400),
        (f"/find?from={'0' * 5_000}", 400),
    ],
)
async def test_a_number_may_have_any_number_of_digits(browser: Browser, path: str, status: int) -> None:
    assert (await browser.get(path)).status_code == status


async def test_pages_do_not_mix_what_they_remember(browser: Browser) -> None:
    for _ in range(2):
        for path in ("/find", "/items"):
            page = await browser.get(path)
            assert page.status_code == 200
            assert "Science Fiction</option>" in page.text or 'value="Science Fiction"' in page.text


async def test_few_people_are_searched_for_by_one_request(browser: Browser) -> None:
    for name in ("with", "without"):
        answer = await browser.get("/items", params={name: [f"zz{number}" for number in range(200)]})
        assert answer.status_code == 400
        assert "at most 20 people" in answer.text


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/removed/restore"])
@pytest.mark.parametrize("charset", ["utf-8", "undefined", "utf-7", "unicode_escape"])
async def test_forms_are_not_decoded_as_the_client_likes(browser: Browser, path: str, charset: str) -> None:
    part = b'--B\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n\\ud800\r\n--B--\r\n'
    kind = {"Content-Type": f"multipart/form-data; boundary=B; charset={charset}"}
    answer = await browser.post(path, content=part, headers=kind)
    assert answer.status_code == 415
    assert "application/x-www-form-urlencoded" in answer.text


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (
            "multipart/form-data; boundary=B; charset=undefined",
            b'--B\r\nContent-Disposition: form-data; name="payload"\r\n\r\n{}\r\n--B--\r\n',
        ),
        ("application/x-www-form-urlencoded", b"a&" * 300_000),
        ("application/json", b'{"event":"\\ud800","Metadata":{}}'),
        ("application/json", b'{"eventType":"\\ud800"}'),
        ("application/json", b"[" * 300_000),
    ],
)
async def test_a_webhook_that_cannot_be_read_is_refused(app: Starlette, kind: str, content: bytes) -> None:
    headers = {"Content-Type": kind, SECRET_HEADER: HOOK_SECRET}
    async with Browser(app) as sender:
        answer = await sender.post("/hooks/examples", content=content, headers=headers)
    assert answer.status_code < 500
    assert answer.json()


async def test_who_follows_a_sync_counts_as_a_stream(
    app: Starlette, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = app.state.site
    monkeypatch.setattr(site.streams, "count", 2_000)
    monkeypatch.setattr(site.desk, "is_syncing", lambda _source_id: True)
    with anyio.fail_after(20):
        assert (await browser.get("/sources/examples/progress")).status_code == 503


async def test_ipv4_clients_of_a_socket_for_both_families_do_not_share_guesses(app: Starlette) -> None:
    async with Browser(app, address="::ffff:198.51.100.1") as guesser:
        for _ in range(GUESSES_OF_CLIENT):
            await guesser.sign_in("wrong")
        assert (await guesser.sign_in()).status_code == 429
    async with Browser(app, address="::ffff:198.51.100.2") as other:
        assert (await other.sign_in()).status_code == 303


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::1]",
        "[2002:c0a8:101::1]",
        "[fec0::1]",
        "169.254.169.254",
        "user@192.0.2.1",
    ],
)
async def test_no_form_of_a_local_address_is_asked_for_a_picture(host: str) -> None:
    with pytest.raises(OSError, match=r"local network|not the address of a public picture"):
        await PublicPictures().fetch(f"http://{host}:9/x.png")


class Compressed(FakeServer):
    """A server whose pictures are compressed, however often a path says."""

    async def handle(self, request: Request) -> Response:
        size, times = map(int, request.path.strip("/").split("/"))
        content = PICTURE + b"\0" * size
        for _ in range(times):
            content = gzip.compress(content)
        return Response(200, {"Content-Encoding": ", ".join(["gzip"] * times)}, content)


async def test_a_picture_is_not_decompressed_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[httpx.Headers] = []
    send = httpx.AsyncClient.send

    async def note(self: httpx.AsyncClient, request: httpx.Request, **options: object) -> httpx.Response:
        asked.append(request.headers)
        return await send(self, request, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(httpx.AsyncClient, "send", note)
    pictures = PublicPictures(private=True)
    async with Compressed() as server:
        assert await pictures.fetch(f"{server.url}/10/1") == PICTURE + b"\0" * 10
        with pytest.raises(OSError, match="more than 16 MiB"):
            await pictures.fetch(f"{server.url}/20000000/1")
        with pytest.raises(OSError, match="compressed 2 times"):
            await pictures.fetch(f"{server.url}/10/2")
    assert {one["accept-encoding"] for one in asked} == {"gzip"}


class Crowded(FakeServer):
    """A server that answers when it has been asked for some pictures at once."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once = self.most = 0
        self.enough = anyio.Event()

    async def handle(self, request: Request) -> Response:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        if self.at_once == 8:
            self.enough.set()
        await self.enough.wait()
        await anyio.lowlevel.checkpoint()
        self.at_once -= 1
        return picture()


async def test_few_public_pictures_are_in_memory_at_once() -> None:
    pictures = PublicPictures(private=True)
    async with Crowded() as server, anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(pictures.fetch, f"{server.url}/{number}.png")
    assert server.most == 8


@pytest.mark.parametrize("question", ["top", "pairs"])
async def test_questions_that_take_seconds_are_asked_one_by_one(
    app: Starlette, ms: MediaSync, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    asked = 0
    refused, may_end = anyio.Event(), anyio.Event()
    statuses: list[int] = []

    async def ask_for_long(*_given: object, **_options: object) -> list[object]:
        nonlocal asked
        asked += 1
        await may_end.wait()
        return []

    monkeypatch.setattr(ms.library, question, ask_for_long)
    async with Browser(app) as browser, anyio.create_task_group() as tasks:

        async def call() -> None:
            answer = await browser.get(f"/api/v1/{question}")
            statuses.append(answer.status_code)
            refused.set()

        for _ in range(MOST_TURNS + 1):
            tasks.start_soon(call)
        with anyio.fail_after(20):
            await refused.wait()
        assert (statuses, asked) == ([503], 1)
        assert (await browser.get("/items")).status_code == 200
        may_end.set()
    assert sorted(statuses) == [200] * MOST_TURNS + [503]
