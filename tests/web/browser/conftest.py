"""What the browser tests share: the example library as a running site, and Debian's Chromium.

The tests are plain functions: Playwright's synchronous interface runs an event loop of its own, so it ends
with each module, before asynchronous tests go on. What they ask of the mirror goes through ``site.run``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from support import chromium
from support.live_site import LiveSite, running_site
from web_library import EXAMPLES, TOKEN

from mediasync import MediaSync
from mediasync.web import Access, Guard, create_app

PHONE: Final = {"width": 320, "height": 640}
DESKTOP: Final = {"width": 1280, "height": 900}

_EXPECTED: Final = ("Failed to load resource", "htmx:afterRequest", "htmx:sendError")
"""What a browser says about an answer that a test prevents, or that is an error on purpose."""

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run each file in one process, so that one browser and one site are enough for it."""
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(autouse=True)
def no_leaks() -> None:
    """Replace the check for leaks after each test: the site and its threads live as long as a module."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for all browser tests."""
    if reason := chromium.why_not():
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find_chromium(), args=list(chromium.ARGUMENTS)
        )
        yield browser
        browser.close()


async def _sync_examples(ms: MediaSync) -> None:
    await ms.sync(f"examples=nfo:{EXAMPLES}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """The example library as a site. Everybody may read; who has `TOKEN` may write."""
    database = f"sqlite:///{tmp_path_factory.mktemp('site')}/media.db"
    with running_site(
        database,
        lambda ms: create_app(ms, guard=Guard(TOKEN, default=Access.READ)),
        _sync_examples,
    ) as site:
        yield site


@pytest.fixture
def open_page(browser: Browser, site: LiveSite) -> Iterator[OpenPage]:
    """Return a function that opens a page of the site.

    It takes the path, and ``base`` (the address of another site), ``phone``, ``dark`` and ``javascript``. A
    page that reports an error, or does what its content policy forbids, fails the test.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(
        path: str = "/",
        *,
        base: str = site.url,
        phone: bool = False,
        dark: bool = False,
        javascript: bool = True,
        **options: Any,
    ) -> Page:
        context = browser.new_context(
            viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if _is_problem(message) else None)
        page.goto(base + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def _is_problem(message: Any) -> bool:
    return message.type == "error" and not message.text.startswith(_EXPECTED)
