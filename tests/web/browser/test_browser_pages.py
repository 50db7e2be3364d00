"""The pages for browsing as people use them: in a browser, by keyboard, on a phone, and without a script."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect
from support.items import credit, movie
from support.live_site import LiveSite
from support.looking import is_wider_than_screen, violations

from mediasync import MediaSync

OpenPage = Callable[..., Page]

HEAT = "/items/examples:" + quote("movies/Heat (1995)")
SHOW = "/items/examples:" + quote("tvshows/Breaking Bad (2008)")
SEASON = SHOW + quote("#s02")
PAGES = {
    "home": "/",
    "library": "/items",
    "library as a list, filtered": "/items?view=list&type=all&with=michael+mann&genre=crime&from=1990",
    "a filter that cannot be used": "/items?from=2000&to=1990",
    "a film": HEAT,
    "a show": SHOW,
    "a season": SEASON,
    "an episode": SHOW + quote("/Season 02/Breaking Bad S02E02"),
    "people": "/people?name=a",
    "a person": "/people/examples:name:peter%20sellers",
    "a director of a show": "/people/examples:name:baran%20bo%20odar",
    "a search": "/search?q=da",
    "a search for nothing": "/search",
    "signing in": "/sign-in",
    "what is not there": "/items/examples:nothing",
}


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_a_page_is_accessible_and_fits(open_page: OpenPage, path: str) -> None:
    page = open_page(path)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, "color-contrast") == []
    for width in (320, 768, 1920):
        page.set_viewport_size({"width": width, "height": 700})
        assert not is_wider_than_screen(page), width
    page.set_viewport_size({"width": 320, "height": 640})
    assert violations(page, "target-size", "scrollable-region-focusable") == []


def test_the_first_tab_stop_leads_to_the_content(open_page: OpenPage) -> None:
    page = open_page("/items")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


# The search field


def test_search_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/")
    field = page.get_by_role("combobox", name="Search titles and people")
    field.focus()
    page.keyboard.type("heat", delay=10)
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("group", name="Titles")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Use the arrow keys.")
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    page.keyboard.press("ArrowUp")
    assert field.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    expect(options.last).to_contain_text("All results for “heat”")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert field.input_value() == "heat"
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Heat")


def test_escape_empties_the_field_when_the_list_is_closed(open_page: OpenPage) -> None:
    page = open_page("/")
    field = page.get_by_role("combobox")
    field.focus()
    page.keyboard.type("heat")
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert field.input_value() == ""


def test_enter_without_a_choice_shows_all_results(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_role("combobox").focus()
    page.keyboard.type("michael man")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=michael+man")
    expect(page.get_by_role("link", name="Michael Mann")).to_be_visible()


def test_a_suggestion_is_chosen_by_a_click(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_role("combobox").fill("pacino")
    page.get_by_role("option").filter(has_text="Al Pacino").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Al Pacino")


def test_nothing_found_is_announced_and_the_list_stays_closed(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_role("combobox").fill("zzzzqqqq")
    expect(page.get_by_role("status")).to_have_text("No title and no name is like this.")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_an_overtaken_answer_is_dropped(open_page: OpenPage) -> None:
    page = open_page("/")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "q=dark" in route.request.url:
            route.continue_()
        else:
            held.append(route)

    page.route("**/search.json**", hold)
    field = page.get_by_role("combobox")
    with page.expect_request("**/search.json?q=heat*"):
        field.fill("heat")
    field.fill("dark")
    expect(page.get_by_role("option").first).to_contain_text("Dark")
    for route in held:
        route.continue_()
    expect(page.get_by_role("option").first).to_contain_text("Dark")
    expect(page.get_by_role("option").last).to_contain_text("dark")


def test_suggestions_that_cannot_be_loaded_are_said(open_page: OpenPage) -> None:
    page = open_page("/")
    page.route("**/search.json**", lambda route: route.abort())
    page.get_by_role("combobox").fill("heat")
    expect(page.get_by_role("status")).to_contain_text("Press Enter to search.")


# Lists that grow


@pytest.fixture(scope="module")
def large(site: LiveSite) -> LiveSite:
    """The site with a second source: 150 films, one of which credits 90 people."""

    async def save(ms: MediaSync) -> None:
        from mediasync import Library, Source

        await ms.media.save_source(Source(id="many", kind="plex", name="Many"))
        await ms.media.save_library(Library(id="films", source_id="many", title="Many films", kind="movies"))
        cast = [credit(f"p{n}", f"Person {n:02}") for n in range(90)]
        await ms.media.save_media_items(
            [movie(str(n), title=f"Film {n:03}", credits=cast if n == 0 else []) for n in range(150)],
            library_id="films",
            source_id="many",
        )

    site.run(save(site.ms))
    return site


def test_a_list_grows_while_it_is_scrolled(open_page: OpenPage, large: LiveSite) -> None:
    page = open_page("/items?source=many")
    items = page.locator("#items > li")
    expect(items).to_have_count(60)
    for number in (120, 150):
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(items).to_have_count(number)
        expect(page.get_by_role("status")).to_contain_text(f"{number} in all")
    assert page.get_by_role("link", name="Show more items").count() == 0
    titles = [text.split()[1] for text in items.all_inner_texts()]
    assert titles == [f"{n:03}" for n in range(150)]


def test_more_people_come_by_keyboard_and_the_focus_goes_on(open_page: OpenPage, large: LiveSite) -> None:
    page = open_page("/items/many:0")
    people = page.locator("#credits-actor > li")
    expect(people).to_have_count(24)
    page.get_by_role("link", name="Show more people: Cast").focus()
    page.keyboard.press("Enter")
    expect(people).to_have_count(84)
    expect(page.locator(":focus")).to_have_text("Person 24")
    expect(page.get_by_role("status")).to_have_text("60 people more, 84 in all.")


def test_a_page_that_cannot_be_loaded_leaves_the_link(open_page: OpenPage, large: LiveSite) -> None:
    page = open_page("/items/many:0")
    page.route("**/items/many:0?function=actor**", lambda route: route.abort())
    more = page.get_by_role("link", name="Show more people: Cast")
    more.click()
    expect(page.get_by_role("status")).to_contain_text("More could not be loaded.")
    expect(more).to_be_visible()


# Without a script


def test_all_of_it_works_without_a_script(open_page: OpenPage, large: LiveSite) -> None:
    page = open_page("/", javascript=False)
    page.get_by_role("searchbox").fill("pacino")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Al Pacino").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Al Pacino")
    page.get_by_role("link", name="Heat").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Heat")
    page.goto(f"{large.url}/items")
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Source", exact=True).select_option("many")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#total")).to_have_text("150 items")
    page.get_by_role("link", name="Show more items").click()
    expect(page.locator("#items > li").first).to_contain_text("Film 060")
    page.get_by_role("link", name="Back to the start").click()
    expect(page.locator("#items > li").first).to_contain_text("Film 000")


# Pictures for the docs

SHOWN = {
    "home": ("/", False, False),
    "library-dark": ("/items", True, False),
    "item": (HEAT, False, False),
    "person-phone": ("/people/examples:name:peter%20sellers", False, True),
    "search": ("/", False, False),
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_pictures_of_the_docs_are_small(open_page: OpenPage, tmp_path: Path, name: str) -> None:
    """With MEDIASYNC_SCREENSHOTS=docs/images they are written there."""
    path, dark, phone = SHOWN[name]
    page = open_page(path, dark=dark, phone=phone)
    page.set_viewport_size({"width": 390 if phone else 1100, "height": 760})
    if name == "search":
        page.get_by_role("combobox").fill("pa")
        expect(page.get_by_role("option").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    target = Path(os.environ.get("MEDIASYNC_SCREENSHOTS", tmp_path)) / f"browse-{name}.png"
    page.screenshot(path=target)
    assert target.stat().st_size < 150_000
