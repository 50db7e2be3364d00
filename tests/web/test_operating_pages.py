"""The pages by which a site is operated: sources, syncs, removed items, the doctor, and find."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from web_clients import Browser, signed_in
from web_library import TOKEN

from mediasync import MediaSync, Movie, Source, SourceConfig
from mediasync.backends.base import Enumerated
from mediasync.errors import ConfigurationError
from mediasync.settings.source import FlawedSource
from mediasync.testing import FakeBackend, make_credit
from mediasync.web import Access, Guard, create_app
from mediasync.web.examining import SECONDS_BETWEEN, Examination
from mediasync.web.site import Site

EXAMPLES = Path(__file__).parents[2] / "examples" / "library"


def site_of(app: Starlette) -> Site:
    return cast(Site, app.state.site)


@pytest.fixture
def app(ms: MediaSync) -> Starlette:
    source = SourceConfig(id="examples", kind="nfo", folder=EXAMPLES, every="6h", at="03:30")  # type: ignore[arg-type]
    flawed = FlawedSource("broken", ConfigurationError("broken: its token file is missing"))
    return create_app(ms, sources=[source, flawed], guard=Guard(TOKEN))


@pytest.fixture
async def browser(app: Starlette) -> AsyncIterator[Browser]:
    async with signed_in(app) as browser:
        yield browser


def text_of(page: str) -> str:
    """The text of a page as a person reads it."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


def fake(*steps: Any, **libraries: Any) -> FakeBackend:
    return FakeBackend({"m": list(steps), **libraries}, source=Source(id="fake", kind="plex", name="Fake"))


def app_of(ms: MediaSync, backend: FakeBackend) -> Starlette:
    return create_app(ms, sources=cast(Any, {"fake": backend}), guard=Guard(TOKEN))


async def ended(app: Starlette, source_id: str) -> None:
    async with asyncio.timeout(30):
        async for _ in site_of(app).desk.follow(source_id):
            pass


async def test_sources_are_shown_with_their_state(browser: Browser) -> None:
    page = text_of((await browser.get("/sources")).text)
    assert "34 items in 2 libraries" in page
    assert "broken: its token file is missing" in page
    examples, broken = (await browser.get("/sources.json")).json()["sources"]
    assert (examples["stored"]["items"], examples["can_be_synced"]) == (34, True)
    assert (broken["stored"], broken["can_be_synced"]) == (None, False)
    one = text_of((await browser.get("/sources/examples")).text)
    assert "every 6 h and at 03:30" in one
    assert "19 items; nothing is known of the cast of 3" in one
    assert (await browser.get("/sources/nothing")).status_code == 404


async def test_a_sync_is_started_by_a_form_and_watched_to_its_end(app: Starlette, browser: Browser) -> None:
    answer = await browser.submit("/sources/examples/sync", full="1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sources/examples")
    stream = await browser.get("/sources/examples/progress")
    assert stream.headers["content-type"].startswith("text/event-stream")
    states = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data: ")]
    assert states[0]["full"]
    assert (states[-1]["running"], states[-1]["status"], states[-1]["seen"]) == (False, "succeeded", 34)
    page = text_of((await browser.get("/sources/examples")).text)
    assert "nothing changed. Run 2" in page
    assert "Sync now" in page
    assert (await browser.get("/sources/examples/progress")).status_code == 204


async def test_a_running_sync_is_shown_without_scripts_and_can_be_cancelled(ms: MediaSync) -> None:
    backend = fake(Movie(remote_id="1", title="One"), asyncio.Event())
    app = app_of(ms, backend)
    async with signed_in(app) as browser:
        await browser.submit("/sources/fake/sync")
        await backend.waiting.wait()
        page = await browser.get("/sources/fake")
        assert "A sync is running" in text_of(page.text)
        assert "<progress" in page.text
        assert "Sync now" not in page.text
        assert 'href="/sources/fake">Show how far it is now' in page.text
        await browser.submit("/sources/fake/sync")  # a second press joins
        await browser.submit("/sources/fake/cancel")
        assert "cancelled; what was saved stays" in text_of((await browser.get("/sources/fake")).text)
    assert backend.opened == 1


async def test_the_sync_of_another_worker_is_shown_with_who_it_is(tmp_path: Path, ms: MediaSync) -> None:
    backend = fake(Movie(remote_id="1", title="One"), gate := asyncio.Event(), Enumerated(1))
    async with MediaSync(f"sqlite:///{tmp_path}/media.db") as other:

        async def sync() -> None:
            await other.sync(backend)

        running = asyncio.create_task(sync())
        await backend.waiting.wait()
        app = app_of(ms, fake())
        async with signed_in(app) as browser:
            assert re.search(
                r"process \d+ of \S+ syncs it", text_of((await browser.get("/sources/fake")).text)
            )
            following = asyncio.create_task(browser.get("/sources/fake/progress"))
            gate.set()
            await running
            async with asyncio.timeout(20):
                assert '"running":false' in (await following).text


async def test_runs_are_listed_page_by_page(ms: MediaSync, browser: Browser) -> None:
    for _ in range(31):
        await ms.sync(fake(Enumerated(0)), max_removals="all")
    first = (await browser.get("/runs.json")).json()
    assert len(first["runs"]) == 30
    second = (await browser.get(f"/runs.json?before={first['next']}")).json()
    assert [run["id"] for run in second["runs"]] == [2, 1]
    assert second["next"] is None
    assert "Older syncs" in (await browser.get("/runs")).text
    of_source = (await browser.get("/runs.json?source=examples&status=succeeded")).json()
    assert [run["id"] for run in of_source["runs"]] == [1]
    assert (await browser.get("/runs?status=nonsense")).status_code == 400
    assert (await browser.get("/runs?before=x")).status_code == 400


async def test_a_run_is_shown_with_what_it_changed(ms: MediaSync, browser: Browser) -> None:
    films = [Movie(remote_id=str(number), title=f"Film: {number}") for number in range(60)]
    run_id = (await ms.sync(fake(*films, Enumerated(60)))).run.id
    page = (await browser.get(f"/runs/{run_id}")).text
    assert '<a href="/items/fake:7"><bdi>Film: 7 [fake:7]</bdi></a>' in page
    document = (await browser.get(f"/runs/{run_id}.json")).json()
    assert len(document["changes"]) == 50
    rest = (await browser.get(f"/runs/{run_id}.json?after={document['next']}")).json()
    names = [one["name"] for one in (*document["changes"], *rest["changes"]) if one["entity"] == "item"]
    assert sorted(names) == sorted(film.title for film in films)
    for path in ("/runs/999", "/runs/99999999999999999999999999", "/runs/0"):
        assert (await browser.get(path)).status_code == 404


async def test_what_could_not_be_read_is_shown_with_advice(
    tmp_path: Path, ms: MediaSync, browser: Browser
) -> None:
    folder = tmp_path / "films" / "Heat (1995)"
    folder.mkdir(parents=True)
    (folder / "movie.nfo").write_text("<!DOCTYPE html><html></html>")
    report = await ms.sync(f"bad=nfo:{tmp_path / 'films'}")
    assert report.failed
    page = text_of((await browser.get(f"/runs/{report.run.id}")).text)
    assert "Could not be read or stored (1)" in page
    assert "What to do: have your media manager write the file anew" in page


async def test_a_run_is_undone_after_a_look_at_what_would_change(ms: MediaSync, browser: Browser) -> None:
    await ms.sync(fake(Movie(remote_id="1", title="One"), Enumerated(1)))
    run_id = (await ms.sync(fake(Movie(remote_id="1", title="Two"), Enumerated(1)), full=True)).run.id
    preview = await browser.get(f"/runs/{run_id}/undo")
    assert "fake:1: changed back" in text_of(preview.text)
    assert [item.title for item in await ms.media.find_media_items(["fake:1"])] == ["Two"]
    answer = await browser.submit(f"/runs/{run_id}/undo")
    assert answer.headers["location"] == f"/runs/{run_id + 1}?undone={run_id}"
    assert [item.title for item in await ms.media.find_media_items(["fake:1"])] == ["One"]
    assert f"This run undid run {run_id}" in text_of((await browser.get(answer.headers["location"])).text)
    async with Browser(create_app(ms, guard=Guard(TOKEN))) as reader:
        assert (await reader.get(f"/runs/{run_id}/undo")).headers["location"].startswith("/sign-in")


async def test_removed_items_are_restored_by_a_form(ms: MediaSync, browser: Browser) -> None:
    films = [Movie(remote_id=str(number), title=f"Film {number}") for number in range(10)]
    await ms.sync(fake(*films, Enumerated(10)))
    await ms.sync(fake(*films[:8], Enumerated(8)))
    page = (await browser.get("/removed?source=fake")).text
    assert "Film 8" in page
    assert 'value="fake:9"' in page
    answer = await browser.submit("/removed/restore", id=["fake:8", "fake:9"], source="fake")
    assert answer.headers["location"] == "/removed?restored=2&source=fake"
    assert "2 items are back." in text_of((await browser.get(answer.headers["location"])).text)
    assert await ms.list_removed() == []
    assert (await browser.submit("/removed/restore")).status_code == 400
    assert (await browser.submit("/removed/restore", id="fake:0")).status_code == 404


async def test_a_large_removal_is_confirmed_by_a_sync(ms: MediaSync) -> None:
    films = [Movie(remote_id=str(number), title=f"Film {number}") for number in range(40)]
    await ms.sync(fake(*films, Enumerated(40)))
    backend = fake(*films[:5], Enumerated(5))
    assert (await ms.sync(backend)).pending
    app = app_of(ms, backend)
    async with signed_in(app) as browser:
        page = (await browser.get("/removed")).text
        assert "35 items of 40" in text_of(page)
        assert 'name="max_removals" value="35"' in page
        answer = await browser.submit("/sources/fake/sync", max_removals="35")
        assert answer.headers["location"] == "/sources/fake"
        await ended(app, "fake")
        assert "waits for you" not in (await browser.get("/removed")).text
    assert len(await ms.list_removed("fake")) == 35


async def test_the_doctor_examines_once_and_again_when_something_changed(ms: MediaSync) -> None:
    now = [0.0]
    app = create_app(ms, guard=Guard(TOKEN))
    examination = Examination(ms, lambda: now[0])
    object.__setattr__(site_of(app), "examination", examination)
    crew = [make_credit("p1", "A B, C D, E F")]
    film = Movie(remote_id="1", title="One", credits=crew)
    await ms.sync(fake(film, Movie(remote_id="2", title="Two"), Enumerated(2)))
    async with Browser(app) as browser:
        begun = (await browser.get("/doctor.json")).json()
        assert begun["began_at"] is not None
        await examination.wait()
        page = (await browser.get("/doctor")).text
        found = (await browser.get("/doctor.json")).json()
        assert not found["running"]
        assert {"no-credits", "name-list"} & {one["check"] for one in found["findings"]}
        assert '<a href="/items/fake:2">' in page or '<a href="/people/fake:p1">' in page
        first = found["began_at"]
        await ms.sync(fake(film, Enumerated(1)))
        assert (await browser.get("/doctor.json")).json()["began_at"] == first  # not so soon
        now[0] += SECONDS_BETWEEN
        assert (await browser.get("/doctor.json")).json()["began_at"] != first
        await examination.wait()
        again = (await browser.get("/doctor.json")).json()["began_at"]
        now[0] += SECONDS_BETWEEN
        assert (await browser.get("/doctor.json")).json()["began_at"] == again  # nothing changed


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("who=al pacino&has=with&as=", ["Heat"]),
        ("who=AL PACINO", ["Heat"]),
        ("who=al pacino&has=with&as=actor", ["Heat"]),
        ("who=al pacino&has=with&as=director", []),
        ("who=al pacino&has=with&as=&who=michael mann&has=without&as=director", []),
        ("who=al pacino&from=1990&to=1999", ["Heat"]),
        ("who=al pacino&from=1996", []),
        ("who=al pacino&genre=western", []),
        ("who=al pacino&type=episode", []),
        ("who=al pacno", ["Heat"]),
    ],
)
async def test_find_answers_who_is_with_whom(browser: Browser, query: str, titles: list[str]) -> None:
    found = (await browser.get(f"/find.json?{query}")).json()
    assert [item["title"] for item in found["items"]] == titles
    page = text_of((await browser.get(f"/find?{query}")).text)
    assert ("Found" in page and "Heat" in page) if titles else "Nothing is found" in page


async def test_find_lets_choose_who_is_meant(browser: Browser) -> None:
    page = (await browser.get("/find?who=al&has=without&as=director&from=1990")).text
    assert "Several people fit 'al'. Choose one:" in text_of(page)
    [address] = re.findall(r'<a href="(/find\?[^"]+)#found"><bdi>Al Pacino', page)
    chosen = html.unescape(address)
    assert "has=without&as=director&who=examples" in chosen
    assert chosen.endswith("&from=1990")
    assert "Name at least one person who is credited." in text_of((await browser.get(chosen)).text)
    page = (await browser.get("/find?who=nobodyatall+qqqq")).text
    assert "Nobody is called 'nobodyatall qqqq'." in text_of(page)


async def test_find_has_one_more_field_than_names(browser: Browser) -> None:
    names = "&".join(f"has=with&as=&who=Person+{number}" for number in range(4))
    assert (await browser.get(f"/find?{names}")).text.count('name="who"') == 5
    assert (await browser.get("/find")).text.count('name="who"') == 2
    for query in ("who=x&from=abc", "who=x&from=2000&to=1990", "who=x&type=vhs", "who=al+pacino&after=x"):
        answer = await browser.get(f"/find?{query}")
        assert answer.status_code == 400, query


async def test_texts_of_servers_are_shown_as_texts(ms: MediaSync, browser: Browser) -> None:
    evil = "<script>alert(1)</script>\u202e\x1b[31m"
    credit = make_credit("p1", f"Al {evil}")
    backend = fake(Movie(remote_id="<b>", title=evil * 100, credits=[credit]), Enumerated(1))
    run_id = (await ms.sync(backend)).run.id
    await ms.sync(fake(Enumerated(0)), max_removals="all")
    runs = (f"/runs/{run_id}", f"/runs/{run_id + 1}")
    for path in (
        *runs,
        "/removed",
        "/find?who=al+script",
        "/doctor",
        "/sources/fake",
    ):
        page = (await browser.get(path)).text
        assert "<script>alert" not in page, path
        assert "\u202e" not in page, path
        assert "\x1b" not in page, path


async def test_the_token_of_a_source_is_shown_nowhere(
    ms: MediaSync, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "s3cret-t0ken"
    caplog.set_level("DEBUG")
    source = SourceConfig(
        id="home",
        kind="plex",
        url="http://127.0.0.1:9",
        token=secret,
        tries=1,
        headers={"X-Extra": secret},  # type: ignore[arg-type]
    )
    app = create_app(ms, sources=[source], guard=Guard(TOKEN))
    async with signed_in(app) as browser:
        await browser.submit("/sources/home/sync")
        stream = await browser.get("/sources/home/progress")
        await ended(app, "home")
        answers = [stream]
        for path in ("/sources", "/sources/home", "/runs", "/runs/1", "/doctor", "/removed", "/find?who=al"):
            answers.append(await browser.get(path))
            answers.append(await browser.get(path.replace("?", ".json?") if "?" in path else f"{path}.json"))
    assert "not synced" in stream.text or stream.status_code == 204
    shown = "".join(f"{answer.headers} {answer.text}" for answer in answers) + caplog.text
    assert "no connection to 127.0.0.1:9" in shown
    assert secret not in shown
    assert TOKEN not in shown


async def test_a_mounted_site_stays_below_its_path(ms: MediaSync) -> None:
    source = SourceConfig(id="examples", kind="nfo", folder=EXAMPLES)
    site = create_app(ms, sources=[source], guard=Guard(TOKEN, default=Access.NONE))
    app = Starlette(routes=[Mount("/apps/media", site)])
    async with Browser(app) as browser:
        browser.base_url = httpx.URL("http://localhost/apps/media")
        refused = await browser.get("/runs?before=9")
        asked = "next=%2Fapps%2Fmedia%2Fruns%3Fbefore%3D9"
        assert refused.headers["location"] == f"/apps/media/sign-in?{asked}"
        signed = await browser.sign_in(next="/apps/media/runs")
        assert signed.headers["location"] == "/apps/media/runs"
        assert "path=/apps/media;" in signed.headers["set-cookie"].lower()
        assert (await browser.sign_in(next="/apps/other")).headers["location"] == "/apps/media/"
        page = (await browser.get("/sources/examples")).text
        assert 'action="/apps/media/sources/examples/sync"' in page
        assert (await browser.submit("/sources/examples/sync")).headers[
            "location"
        ] == "/apps/media/sources/examples"
        assert '"status":"succeeded"' in (await browser.get("/sources/examples/progress")).text
        signed_out = await browser.submit("/sign-out")
        assert signed_out.headers["location"] == "/apps/media/"
        assert (await browser.get("/runs")).status_code == 303
