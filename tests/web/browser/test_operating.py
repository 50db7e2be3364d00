"""Operating a site in a browser: signing in, a sync watched to its end, restoring, and find.

Each test drives a real ``mediasync serve`` in a process of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2] / "cli"))

from serving import Served, serving

EXAMPLES: Final = Path(__file__).parents[3] / "examples" / "library"
TOKEN: Final = "correct horse battery"
FILMS: Final = 400
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PAGES: Final = ("/sources", "/sources/films", "/runs", "/runs/1", "/removed", "/doctor", "/find", "/sign-in")


@pytest.fixture(autouse=True)
def no_leaks() -> None:
    """Replace the check for leaks after each test: the server and Playwright live as long as the module."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on the path: apt-get install chromium runs the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example library, to be changed."""
    folder = tmp_path_factory.mktemp("films")
    shutil.copytree(EXAMPLES, folder / "library")
    return folder / "library"


@pytest.fixture(scope="module")
def served(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of that library, which has been synced once."""
    database = tmp_path_factory.mktemp("database") / "media.db"
    environ = {"MEDIASYNC_DATABASE": str(database), "MEDIASYNC_WEB_TOKEN": TOKEN}
    with serving(f"films=nfo:{library}", "--every", "7d", environ=environ) as served:
        assert served.process.stdout is not None
        assert "34 saved" in served.process.stdout.readline()
        yield served


@pytest.fixture
def context(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    with chromium.new_context(base_url=served.url, reduced_motion="reduce") as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page on which somebody has signed in by the form."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto("/sources")
    page.get_by_role("link", name="Sign in", exact=True).first.click()
    page.get_by_label("Token or password").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sources")).to_be_visible()
    return page


def flaws_of(page: Page) -> list[Any]:
    """What axe finds on a page."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]]


def test_signing_in_and_out(page: Page, context: BrowserContext) -> None:
    other = context.new_page()
    other.goto("/sign-in?next=/runs")
    other.get_by_label("Token or password").fill("wrong")
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("alert")).to_have_text("This is not the token of this server.")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/sources")
    expect(page.get_by_role("button", name="Sync now")).to_have_count(0)


def test_a_sync_is_started_and_watched_to_its_end(page: Page, library: Path) -> None:
    for number in range(FILMS):
        folder = library / "movies" / f"Film {number} (2000)"
        folder.mkdir()
        (folder / "movie.nfo").write_text(f"<movie><title>Film {number}</title><year>2000</year></movie>")
    page.goto("/sources/films")
    page.get_by_role("button", name="Sync now").click()
    # The page shows the end without being loaded again.
    page.evaluate("window.wasNotLoadedAgain = true")
    expect(page.locator("#live")).to_contain_text(f"{FILMS} added")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    page.get_by_role("link", name="Run 2", exact=True).first.click()
    expect(page.get_by_role("link", name="Film 0 (2000)")).to_be_visible()
    page.get_by_role("link", name="Further changes").click()
    expect(page.locator(".lines li")).to_have_count(50)


def test_a_removed_item_is_restored(page: Page, library: Path) -> None:
    shutil.rmtree(library / "movies" / "Heat (1995)")
    page.goto("/sources/films")
    page.get_by_role("button", name="Sync now").click()
    expect(page.locator("#live")).to_contain_text("1 removed")
    page.get_by_role("link", name="Removed", exact=True).click()
    page.get_by_label("Heat (1995)").check()
    page.get_by_role("button", name="Restore the chosen items").click()
    expect(page.get_by_role("main").get_by_role("status")).to_have_text("1 item is back.")
    expect(page.locator("main")).to_contain_text("Nothing is removed.")
    shutil.copytree(EXAMPLES / "movies" / "Heat (1995)", library / "movies" / "Heat (1995)")


def test_find_by_keyboard(page: Page) -> None:
    page.goto("/find")
    page.get_by_label("Name").first.focus()
    page.keyboard.type("al pacno")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Nobody is called 'al pacno'; this is for Al Pacino.")
    expect(page.locator(".posters .title")).to_have_text(["Heat"])
    page.get_by_label("Name").nth(1).fill("al")
    page.get_by_label("Credits").nth(1).select_option("without")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Alan Mowbray").click()
    expect(page.locator(".posters .title")).to_have_text(["Heat"])


def test_the_doctor_shows_what_is_ready(page: Page) -> None:
    page.goto("/doctor")
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text(
        re.compile(r"As of \d+ \w+ 20\d\d, \d\d:\d\d")
    )


def test_undo_asks_first(page: Page) -> None:
    page.goto("/runs/1")
    page.get_by_role("link", name="Undo this run …").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Undo run 1?")
    page.get_by_role("link", name="Leave it as it is").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Run 1 of")


def test_pages_work_without_scripts(chromium: Browser, served: Served) -> None:
    with chromium.new_context(base_url=served.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/sign-in?next=/sources/films")
        page.get_by_label("Token or password").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Read everything again").click()
        while page.get_by_role("link", name="Show how far it is now").count():
            page.get_by_role("link", name="Show how far it is now").click()
        expect(page.locator("#live")).to_contain_text("The sync of")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_phone(chromium: Browser, served: Served, scheme: Any) -> None:
    with chromium.new_context(
        base_url=served.url, color_scheme=scheme, viewport={"width": 320, "height": 640}
    ) as context:
        page = context.new_page()
        page.goto("/sign-in?next=/find?who=al")
        assert flaws_of(page) == []
        page.get_by_label("Token or password").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        more = ("/find?who=al", "/find?who=al+pacino", "/runs/1/undo", "/runs?status=failed")
        for path in (*PAGES, *more) if scheme == "light" else PAGES[:5]:
            page.goto(path)
            assert flaws_of(page) == [], path
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 320, path


# Pictures for the docs

UNTIDY: Final = """<movie><title>Ronin</title><year>1998</year><director>John Frankenheimer</director>
<actor><name>Robert De Niro</name><role>Sam</role></actor>
<actor><name>Robert DeNiro</name><role>Sam</role></actor>
<actor><name>Natascha McElhone, Sean Bean</name><role>Deirdre</role></actor></movie>"""
MANY: Final = 6_000
_SHOWN: Final = {
    "sources": "/sources",
    "run": "/runs/2",
    "find": "/find?who=al+pacino&who=robert+de+niro",
    "removed": "/removed",
    "doctor": "/doctor",
}


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A server of two sources, one of which has lost a film and got an untidy one; and the other's folder."""
    folder = tmp_path_factory.mktemp("gallery")
    films, attic = folder / "films", folder / "attic"
    shutil.copytree(EXAMPLES, films)
    shutil.copytree(EXAMPLES / "movies", attic / "movies")
    (attic / "movies" / "Ronin (1998)").mkdir()
    (attic / "movies" / "Ronin (1998)" / "movie.nfo").write_text(UNTIDY)
    environ = {"MEDIASYNC_DATABASE": str(folder / "media.db"), "MEDIASYNC_WEB_TOKEN": TOKEN}
    sources = (f"films=nfo:{films}", f"attic=nfo:{attic}")
    with serving(*sources, "--every", "6h", "--no-events", environ=environ) as served:
        assert served.process.stdout is not None
        ended = [served.process.stdout.readline() for _ in sources]
        assert all(" 0 failed" in line for line in ended), ended
        shutil.rmtree(attic / "movies" / "Heat (1995)")
        yield served, films


@pytest.mark.timeout(120)
def test_the_pictures_of_the_docs_are_small(
    chromium: Browser, gallery: tuple[Served, Path], tmp_path: Path
) -> None:
    """With MEDIASYNC_SCREENSHOTS=docs/images they are written there, and that of a sync under way as well."""
    served, films = gallery
    target = os.environ.get("MEDIASYNC_SCREENSHOTS")
    folder = Path(target or tmp_path)

    def shoot(name: str) -> None:
        picture = folder / f"serve-{name}.png"
        page.screenshot(path=picture, full_page=name == "find")
        assert picture.stat().st_size < 150_000

    with chromium.new_context(
        base_url=served.url, reduced_motion="reduce", viewport={"width": 1000, "height": 640}
    ) as context:
        page = context.new_page()
        page.goto("/sign-in?next=/sources/attic")
        page.get_by_label("Token or password").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sync now").click()
        expect(page.locator("#live")).to_contain_text("1 removed")
        page.goto("/doctor")
        expect(page.get_by_role("main").get_by_role("status")).to_contain_text("As of ", timeout=20_000)
        for name, path in _SHOWN.items():
            page.goto(path)
            page.wait_for_load_state("networkidle")
            shoot(name)
        if target:
            for number in range(MANY):
                (films / "movies" / f"Film {number}").mkdir()
                (films / "movies" / f"Film {number}" / "movie.nfo").write_text(
                    f"<movie><title>Film {number}</title></movie>"
                )
            page.goto("/sources/films")
            page.get_by_role("button", name="Sync now").click()
            expect(page.locator("[data-field=saved]")).not_to_have_text("0")
            shoot("progress")
