"""Texts and ids that a hostile server may give: the pages stay valid, small, and what they are."""

from __future__ import annotations

import json

import httpx
import pytest
from support.html_document import Document
from support.items import credit, episode, movie, season, show

from mediasync import Credit, MediaSync, Person, Rating
from mediasync.web.links import item_path, person_path

FILMS = {"library_id": "movies", "source_id": "examples"}
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"
TURNED = "\u202egnp.exe\u2066\u0007\u001b[31m\u0000".replace("\u0000", "")
LONG = "Ж" * 1_000_000
LONG_NAME = "Ж" * 490
CONTROLS = {*map(chr, range(32)), "\x7f", *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"} - {"\n"}


async def see(client: httpx.AsyncClient, path: str, status: int = 200) -> Document:
    """Return a page, which must be valid, small, and free of what can change how it is shown."""
    answer = await client.get(path)
    assert answer.status_code == status, answer.text[:500]
    assert len(answer.content) < 400_000
    assert CONTROLS.isdisjoint(answer.text)
    page = Document(answer.text)
    assert page.problems == []
    scripts = [one.attributes.get("src", "") for one in page.all("script")]
    assert all(src.startswith("/static/") for src in scripts)
    assert len(scripts) == 2
    return page


@pytest.mark.parametrize(
    "text",
    [SCRIPT, TURNED, LONG, "", " ", "\u05d0\u05d1", "\u202e"],
    ids=["script", "turned", "long", "empty", "blank", "hebrew", "invisible"],
)
async def test_texts_of_servers_are_only_texts(ms: MediaSync, client: httpx.AsyncClient, text: str) -> None:
    name = (text if text is not LONG else LONG_NAME).strip() or "x"
    brief = text[:10_000]
    given = movie(
        "bad",
        title=text,
        original_title=brief,
        overview=text,
        tagline=brief,
        content_rating=brief,
        path=brief,
        genres=[name],
        provider_ids={"imdb": name, "tmdb": "javascript:alert(1)", "x": name},
        ratings=[Rating(name=name[:400].strip() or "x", value=1)],
        images={"poster": brief},
        credits=[
            Credit(person=Person(remote_id="p", name=name, image_path=brief), person_type="actor", role=text),
            Credit(person=Person(remote_id="q", name=name), person_type=name.strip() or "x", role=text),
        ],
    )
    await ms.media.save_media_item(given, **FILMS)
    page = await see(client, "/items/examples:bad")
    assert not [link for link in page.links if link.startswith("javascript:")]
    assert "49" not in page.texts("h1")[0]
    for path in ("/", "/items", "/items?view=list&with=examples:p", "/people", "/people/examples:p"):
        await see(client, path)
    await see(client, "/items/examples:bad?function=actor")
    if text is SCRIPT:
        assert page.texts("h1") == [SCRIPT]
    document = (await client.get("/items/examples:bad.json")).json()
    assert document["item"]["title"] == text.strip() or document["item"]["title"] == text


async def test_what_is_asked_for_is_only_text(client: httpx.AsyncClient) -> None:
    for text in (SCRIPT, "\u202eevil", "%00", "x" * 5_000, "\ud83d"):
        query = httpx.QueryParams({"q": text.encode("utf-8", "replace").decode()})
        await see(client, f"/search?{query}")
        for name in ("genre", "with", "sort", "library", "from", "after"):
            answer = await client.get("/items", params={name: text.encode("utf-8", "replace").decode()})
            assert answer.status_code in (200, 400)
            assert Document(answer.text).problems == []
            assert "<script>alert" not in answer.text
    page = await see(client, "/items/examples:%3Cscript%3Ealert(1)%3C/script%3E", 404)
    assert "<script>alert(1)</script>" in page.texts("p")[0]
    assert (await client.get("/search?q=%00")).status_code == 400
    assert (await client.get("/items/examples:%00")).status_code == 400
    assert (await client.get("/people/examples:%00")).status_code in (400, 404)


IDS = [
    "a/b c?d#e%20&f=g;h+i",
    "x.json",
    "x",
    ".json",
    "a/../b/./c",
    "..",
    "./",
    "//double",
    "trailing/",
    "line\nbreak",
    "ünï…😀",
    "%2E%2E",
    "index.html?format=html",
]


@pytest.mark.parametrize("key", IDS)
async def test_an_id_may_hold_any_character(ms: MediaSync, client: httpx.AsyncClient, key: str) -> None:
    people = [Credit(person=Person(remote_id=key, name="Ann"), person_type="actor")]
    for one in dict.fromkeys([key, "x", "x.json"]):
        await ms.media.save_media_item(movie(one, title=f"Film {one!r}", credits=people), **FILMS)
    page = await see(client, item_path(f"examples:{key}"))
    assert page.texts("h1") == [f"Film {key!r}"]
    person = await see(client, person_path(f"examples:{key}"))
    assert person.texts("h1") == ["Ann"]
    # The links of a page lead to the same items.
    listed = await see(client, "/items?with=examples:" + str(httpx.QueryParams({"": key}))[1:] + "&type=all")
    links = {one.attributes["href"] for one in listed.all("a") if one.text.startswith("Film")}
    assert item_path(f"examples:{key}") in links
    as_json = next(one.attributes["href"] for one in page.all("a") if one.text == "This page as JSON")
    assert (await client.get(as_json)).json()["item"]["id"] == f"examples:{key}"


@pytest.mark.slow
async def test_an_item_with_fifty_thousand_credits(ms: MediaSync, client: httpx.AsyncClient) -> None:
    people = [credit(f"p{n}", f"Person {n}") for n in range(50_000)]
    await ms.media.save_media_item(movie("huge", title="Huge", credits=people), **FILMS)
    page = await see(client, "/items/examples:huge")
    assert "50,000" in page.texts("h2")[0]
    [more] = page.all("a", rel="next")
    second = await see(client, more.attributes["href"])
    assert second.texts("bdi").count("Person 24") == 1
    odd = [credit(f"p{n}", f"Person {n}", kind=f"Function {n}") for n in range(3_000)]
    await ms.media.save_media_item(movie("odd", title="Odd", credits=odd), **FILMS)
    page = await see(client, "/items/examples:odd")
    assert "more functions than the page shows" in " ".join(page.texts("p"))
    assert "cast and crew: 3,000 added" not in page.texts("ol", class_="lines")[0]


@pytest.mark.slow
async def test_a_show_with_ten_thousand_episodes(ms: MediaSync, client: httpx.AsyncClient) -> None:
    below = [
        episode(f"e{n}", parent_remote_id="s1", season_number=1, episode_number=n) for n in range(10_000)
    ]
    await ms.media.save_media_items(
        [show("s", title="Endless"), season("s1", parent_remote_id="s", season_number=1), *below],
        library_id="tvshows",
        source_id="examples",
    )
    assert "10,000 episodes" in (await see(client, "/items/examples:s")).texts("ul", id="children")[0]
    page = await see(client, "/items/examples:s1")
    assert page.texts("h2")[0] == "10,000 episodes"
    document = json.loads((await client.get("/items/examples:s1.json")).text)
    assert len(document["children"]["rows"]) == 60
