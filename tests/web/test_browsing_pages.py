"""The pages for browsing: what each shows, each filter, each way from one page of a list to the next."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import httpx
import pytest
from support.html_document import Document
from support.items import credit, episode, movie, season, show

from mediasync import Credit, Library, MediaSync, Person, Rating, Source
from mediasync.backends.base import Enumerated, Found
from mediasync.testing import FakeBackend
from mediasync.web import create_app

HEAT = "/items/examples:" + quote("movies/Heat (1995)")
BREAKING_BAD = "/items/examples:" + quote("tvshows/Breaking Bad (2008)")
ATTIC = {"library_id": "films", "source_id": "attic"}


@pytest.fixture
async def attic(ms: MediaSync) -> MediaSync:
    """A second source beside the example library, with a film that both have."""
    await ms.media.save_source(Source(id="attic", kind="plex", name="The attic"))
    await ms.media.save_library(Library(id="films", source_id="attic", title="Old films", kind="movies"))
    await ms.media.save_media_items(
        [
            movie(
                "1",
                title="Heat",
                year=1995,
                provider_ids={"imdb": "tt0113277"},
                ratings=[Rating(name="imdb", value=8.3, votes=700_000)],
                credits=[
                    credit("p", "Al Pacino", role="Hanna"),
                    credit("d", "Michael Mann", kind="director"),
                ],
            ),
            movie("2", title="Without anybody", year=1950, credits=None, genres=["Short"]),
        ],
        **ATTIC,
    )
    return ms


async def see(client: httpx.AsyncClient, path: str, status: int = 200) -> Document:
    """Return a page, which must be valid."""
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    page = Document(answer.text)
    assert page.problems == []
    return page


def titles(page: Document, list_id: str) -> list[str]:
    """Return the titles or names in a list of a page."""
    start = next(at for at, one in enumerate(page.elements) if one.attributes.get("id") == list_id)
    depth = len(page.elements[start].parents)
    found = []
    for one in page.elements[start + 1 :]:
        if len(one.parents) <= depth:
            break
        if one.tag == "bdi" and ("title" in _classes(page, one) or "a" in one.parents):
            found.append(one.text)
    return found


def _classes(page: Document, element: object) -> str:
    at = page.elements.index(element)  # type: ignore[arg-type]
    return page.elements[at - 1].attributes.get("class", "")


# Home


async def test_home_has_libraries_with_counts_and_completeness(client: httpx.AsyncClient) -> None:
    page = await see(client, "/")
    cards = page.texts("li", class_="card linked")
    assert "movies" in cards[0]
    assert "15 films" in cards[0]
    assert "whole cast known everywhere" in cards[0]
    assert "2 shows · 4 seasons · 13 episodes" in cards[1]
    document = (await client.get("/index.json")).json()
    assert [one["items"] for one in document["libraries"]] == [15, 19]
    assert document["runs"][0]["status"] == "succeeded"


async def test_home_has_the_last_syncs_and_what_changed(ms: MediaSync, client: httpx.AsyncClient) -> None:
    page = await see(client, "/")
    lines = page.texts("ol", class_="lines")
    assert "Added: " in lines[0]
    assert "and 28 more" in lines[0]
    assert "examples" in lines[1] or "library" in lines[1]
    assert "succeeded 34 items written" in lines[1]
    heat = await ms.media.get_media_item("examples:movies/Heat (1995)")
    assert heat.credits is not None
    heat.credits.append(Credit(person=Person(name="Somebody New"), person_type="actor"))
    await ms.media.save_media_item(heat, library_id="movies", source_id="examples")
    assert "Heat (1995): cast: 1 added" in (await see(client, "/")).texts("ol", class_="lines")[0]


async def test_home_says_what_waits_for_a_confirmation(ms: MediaSync, client: httpx.AsyncClient) -> None:
    films = [Found(movie(str(n))) for n in range(40)]
    await ms.sync(FakeBackend({"m": [*films, Enumerated(40)]}))
    await ms.sync(FakeBackend({"m": [Enumerated(0)]}))
    page = await see(client, "/")
    assert "40 items of 40 would be removed" in " ".join(page.texts("div", class_="notice warn"))


async def test_home_of_an_empty_mirror_says_what_to_do(tmp_path) -> None:  # type: ignore[no-untyped-def]
    async with MediaSync(f"sqlite:///{tmp_path}/empty.db") as empty:
        transport = httpx.ASGITransport(app=create_app(empty))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for path in ("/", "/items", "/people", "/search?q=x"):
                await see(client, path)
            assert "Nothing is stored yet" in " ".join((await see(client, "/")).texts("p"))


# The list of items


async def test_find_and_the_list_offer_the_same_genres(client: httpx.AsyncClient) -> None:
    found = (await see(client, "/find")).texts("datalist")
    for _ in range(2):  # in either order: what is remembered for one page serves the other
        listed = (await see(client, "/items")).texts("select", id="genre")
        assert (await see(client, "/find")).texts("datalist") == found
        assert listed


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("from=1990&to=1999&source=examples", ["Heat", "The Parent Trap"]),
        ("source=attic", ["Heat", "Without anybody"]),
        ("library=attic:films&type=movie", ["Heat", "Without anybody"]),
        ("type=show", ["Breaking Bad", "Dark"]),
        ("type=season&sort=title", ["Season 1", "Season 1", "Season 2", "Season 2"]),
        ("genre=short", ["Without anybody"]),
        ("rating=8", ["Heat"]),
        ("completeness=none", ["Without anybody"]),
        ("with=attic:p", ["Heat"]),
        ("with=Al+Pacino&source=attic", ["Heat"]),
        ("with=attic:p&without=attic:d", []),
        ("source=attic&without=attic:p", ["Without anybody"]),
        ("source=attic&sort=oldest", ["Without anybody", "Heat"]),
        ("source=attic&sort=newest", ["Heat", "Without anybody"]),
        ("source=attic&sort=rating&view=list", ["Heat", "Without anybody"]),
    ],
)
async def test_each_filter_and_each_order(
    attic: MediaSync, client: httpx.AsyncClient, query: str, expected: list[str]
) -> None:
    page = await see(client, f"/items?{query}")
    assert titles(page, "items") == expected
    assert page.texts("p", id="total") == [f"{len(expected)} item{'' if len(expected) == 1 else 's'}"]
    document = (await client.get(f"/items.json?{query}")).json()
    assert [one["title"] for one in document["rows"]] == expected
    assert document["total"] == len(expected)


@pytest.mark.parametrize("sort", ["title", "newest", "oldest", "added", "changed", "rating", "worst"])
async def test_a_list_goes_on_and_back_to_its_start(
    ms: MediaSync, client: httpx.AsyncClient, sort: str
) -> None:
    await ms.media.save_media_items(
        [
            movie(str(n), title=f"Film {n:03}", year=1900 + n, ratings=[Rating(name="x", value=n % 10)])
            for n in range(130)
        ],
        library_id="movies",
        source_id="examples",
    )
    seen: list[str] = []
    page = await see(client, f"/items?type=movie&sort={sort}")
    while True:
        seen += titles(page, "items")
        [*more] = page.all("a", rel="next")
        if not more:
            break
        page = await see(client, more[0].attributes["href"])
    assert len(seen) == len(set(seen)) == 145
    [start] = [one for one in page.all("a") if one.text == "Back to the start"]
    assert titles(await see(client, start.attributes["href"]), "items") == seen[:60]


async def test_a_foreign_or_damaged_cursor_shows_the_start_and_says_so(client: httpx.AsyncClient) -> None:
    for path, list_id in (("/items", "items"), ("/people", "people")):
        page = await see(client, f"{path}?after=nonsense", 400)
        assert "belongs to another list" in page.texts("p", role="alert")[0]
        assert titles(page, list_id) == titles(await see(client, path), list_id)
        problem = await client.get(f"{path}.json?after=nonsense")
        assert (problem.status_code, problem.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from=abc", "from: 'abc' is not a whole number"),
        ("from=2000&to=1990", "year_from 2000 is after year_to 1990"),
        ("rating=11", "is not a number from 0 to 10"),
        ("rating=x", "“x” is not a number from 0 to 10"),
        ("type=album", "“album” is none of"),
        ("sort=colour", "“colour” is none of"),
        ("completeness=half", "'half' is none of"),
        ("library=x", "is not a full id"),
        ("with=Zzyzx+Qwrtp", "Nobody is called “Zzyzx Qwrtp”"),
    ],
)
async def test_a_filter_that_cannot_be_used_is_said_beside_the_form(
    client: httpx.AsyncClient, query: str, message: str
) -> None:
    page = await see(client, f"/items?{query}", 400)
    assert message in page.texts("p", role="alert")[0]
    assert page.all("select", id="type")
    assert (await client.get(f"/items.json?{query}")).status_code == 400


async def test_the_form_of_finding_and_the_list_offer_the_same_genres(client: httpx.AsyncClient) -> None:
    find = Document((await client.get("/find")).text)
    offered = [one.attributes["value"] for one in find.all("option") if one.parents[-1] == "datalist"]
    listed = (await see(client, "/items")).texts("option")
    assert "Crime" in offered
    assert set(offered) <= set(listed)


async def test_the_people_of_a_filter_can_be_taken_out(attic: MediaSync, client: httpx.AsyncClient) -> None:
    page = await see(client, "/items?with=Michael+Mann&source=examples")
    [chip] = page.all("li", class_="chip")
    assert chip.text.startswith("with Michael Mann")
    [remove] = page.all("a", class_="remove")
    assert titles(await see(client, remove.attributes["href"]), "items")[0] == "12 Years a Slave"


# An item


async def test_a_film_has_its_facts_its_cast_and_its_crew(client: httpx.AsyncClient) -> None:
    page = await see(client, HEAT)
    assert page.texts("h1") == ["Heat"]
    assert page.texts("title") == ["Heat (1995) · mediasync"]
    assert "Film · 1995 · 2 h 50 min · R" in page.texts("p", class_="facts")
    assert titles(page, "credits-actor")[:3] == [
        "Al Pacino",
        "Lt. Vincent Hanna",
        "Robert De Niro",
    ] or titles(page, "credits-actor")[:2] == ["Al Pacino", "Robert De Niro"]
    headings = page.texts("h3")
    assert headings[:3] == ["Directed by", "Written by", "Produced by"]
    assert "The whole cast and crew is known." in page.texts("dd")
    imdb = next(one for one in page.all("a") if one.text == "IMDb")
    assert imdb.attributes["href"] == "https://www.imdb.com/title/tt0113277/"
    assert "noreferrer" in imdb.attributes["rel"]
    assert "added" in page.texts("ol", class_="lines")[0]
    document = (await client.get(f"{HEAT}.json")).json()
    assert document["item"]["title"] == "Heat"
    assert document["credits"]["director"]["rows"][0]["person"]["name"] == "Michael Mann"


async def test_a_film_names_the_other_sources_that_have_it(
    attic: MediaSync, client: httpx.AsyncClient
) -> None:
    page = await see(client, HEAT)
    [link] = [one for one in page.all("a") if one.attributes.get("href") == "/items/attic:1"]
    assert link.text == "Old films"
    other = await see(client, "/items/attic:1")
    assert any(
        one.attributes.get("href") == HEAT.replace("(", "%28").replace(")", "%29") for one in other.all("a")
    )


async def test_completeness_is_said_in_words(attic: MediaSync, client: httpx.AsyncClient) -> None:
    page = await see(client, "/items/attic:2")
    assert "Nothing is known of the cast and crew yet." in page.texts("p", class_="notice")


async def test_a_long_cast_goes_on_by_the_cursor(ms: MediaSync, client: httpx.AsyncClient) -> None:
    await ms.media.save_media_item(
        movie("long", credits=[credit(f"p{n}", f"Actor {n:03}", role=f"Part {n}") for n in range(200)]),
        library_id="movies",
        source_id="examples",
    )
    page = await see(client, "/items/examples:long")
    seen: list[str] = []
    while True:
        seen += [name for name in titles(page, "credits-actor") if name.startswith("Actor")]
        [*more] = page.all("a", rel="next")
        if not more:
            break
        page = await see(client, more[0].attributes["href"])
    assert seen == [f"Actor {n:03}" for n in range(200)]
    stale = await see(client, "/items/examples:long?function=actor&after=nonsense", 400)
    assert "belongs to another list" in stale.texts("p", role="alert")[0]


async def test_a_show_leads_to_its_seasons_and_these_to_episodes(client: httpx.AsyncClient) -> None:
    page = await see(client, BREAKING_BAD)
    assert titles(page, "children") == ["Season 1", "Season 2"]
    assert "3 episodes" in page.texts("ul", id="children")[0]
    members = page.texts("ul", id="members")[0]
    assert "Max Arciniega Krazy-83 episodes · guest" in members
    link = next(one for one in page.all("a") if one.text.startswith("Season 2"))
    second = await see(client, link.attributes["href"])
    assert second.texts("title") == ["Breaking Bad: Season 2 · mediasync"]
    assert titles(second, "children") == ["Seven Thirty-Seven", "Grilled", "Bit by a Dead Bee", "Down"]
    link = next(one for one in second.all("a") if one.text == "Grilled")
    third = await see(client, link.attributes["href"])
    crumbs = third.texts("nav", aria_label="Breadcrumb")
    assert crumbs == ["tvshows Breaking Bad Season 2"]
    assert "Episode · S02E02 · 2009" in " ".join(third.texts("p", class_="facts"))


async def test_many_episodes_come_page_by_page(ms: MediaSync, client: httpx.AsyncClient) -> None:
    await ms.media.save_media_items(
        [
            show("s", title="Long"),
            season("s1", title="", parent_remote_id="s", season_number=1),
            *(
                episode(
                    f"e{n}",
                    title=f"Part {n}",
                    parent_remote_id="s1",
                    season_number=1,
                    episode_number=n,
                    credits=[credit(f"g{n}", f"Guest {n}", kind="guest_star")],
                )
                for n in range(1, 151)
            ),
        ],
        library_id="tvshows",
        source_id="examples",
    )
    page = await see(client, "/items/examples:s1")
    assert page.texts("h1") == ["Long: Season 1"]
    seen: list[str] = []
    while True:
        seen += titles(page, "children")
        [*more] = [one for one in page.all("a", rel="next") if "after" in one.attributes["href"]]
        if not more:
            break
        page = await see(client, more[0].attributes["href"])
    assert seen == [f"Part {n}" for n in range(1, 151)]
    stale = await see(client, "/items/examples:s1?after=nonsense", 400)
    assert titles(stale, "children")[0] == "Part 1"
    cast = await see(client, "/items/examples:s?cast=all")
    names = titles(cast, "members")
    [more_people] = cast.all("a", rel="next")
    names += titles(await see(client, more_people.attributes["href"]), "members")
    assert len({name for name in names if name.startswith("Guest")}) == 120
    await see(client, f"{HEAT}?cast=all", 404)


async def test_an_item_that_is_not_stored_is_not_found(client: httpx.AsyncClient) -> None:
    page = await see(client, "/items/examples:none", 404)
    assert "examples:none" in page.texts("p")[0]
    assert (await client.get("/items/examples:none.json")).json()["status"] == 404


# A person


async def test_a_filmography_is_folded_by_show_and_by_decade(client: httpx.AsyncClient) -> None:
    page = await see(client, "/people/examples:name:baran%20bo%20odar")
    assert page.texts("h1") == ["Baran bo Odar"]
    rows = page.texts("ul", class_="rows")
    assert len(rows) == 1
    assert "Dark" in rows[0]
    assert "6 episodes" in rows[0]
    assert page.texts("h3") == ["2010s"]


async def test_a_filmography_is_filtered_by_function_and_decade(
    ms: MediaSync, client: httpx.AsyncClient
) -> None:
    def by(kind: str, role: str | None = None) -> list[Credit]:
        return [credit("ann", "Ann Lee", role=role, kind=kind)]

    await ms.media.save_media_items(
        [
            movie("1", title="Played", year=1991, credits=by("actor", "Queen")),
            movie("2", title="Directed", year=2005, credits=[*by("director"), credit("bo", "Bo")]),
            movie("3", title="Herself", year=2006, credits=by("actor", "Self - Host")),
            show("4", title="Evening", year=2007, genres=["Talk Show"], credits=by("actor", "Guest")),
        ],
        library_id="movies",
        source_id="examples",
    )
    path = "/people/examples:ann"
    page = await see(client, path)
    assert [one.split()[0] for one in page.texts("h2")] == ["Films", "As", "Talk", "Worked"]
    assert page.texts("h3") == ["2000s", "1990s", "2000s", "2000s"]
    [function] = [one for one in page.all("a") if one.text == "Director 1"]
    directed = await see(client, function.attributes["href"])
    assert directed.texts("span", class_="title") == ["Directed"]
    [decade] = [one for one in page.all("a") if one.text == "1990s 1"]
    nineties = await see(client, decade.attributes["href"])
    assert nineties.texts("span", class_="title") == ["Played"]
    assert "Bo" in page.texts("ul", class_="people")[0]
    empty = await see(client, f"{path}?function=composer")
    assert "No title fits this choice." in empty.texts("p", class_="notice")
    assert (await client.get(f"{path}?decade=1995")).status_code == 400
    document = (await client.get(f"{path}.json?function=director")).json()
    assert [one["title"] for one in document["works"]] == ["Directed"]


async def test_a_long_filmography_comes_page_by_page(ms: MediaSync, client: httpx.AsyncClient) -> None:
    await ms.media.save_media_items(
        [
            movie(str(n), title=f"Film {n}", year=1800 + n, credits=[credit("ann", "Ann Lee")])
            for n in range(150)
        ],
        library_id="movies",
        source_id="examples",
    )
    page = await see(client, "/people/examples:ann")
    first = page.texts("span", class_="title")
    [more] = page.all("a", rel="next")
    second = await see(client, more.attributes["href"])
    assert len({*first, *second.texts("span", class_="title")}) == 150
    assert first[0] == "Film 149"


async def test_a_person_is_known_elsewhere_and_by_other_ids(
    attic: MediaSync, client: httpx.AsyncClient
) -> None:
    page = await see(client, "/people/attic:p")
    [other] = [
        one for one in page.all("a") if one.attributes.get("href") == "/people/examples:name:al%20pacino"
    ]
    assert "library" in other.text or "examples" in other.text
    ann = Person(name="Ann Lee", provider_ids={"tmdb": "1", "imdb": "nm1"})
    await attic.media.save_media_item(movie("9", credits=[Credit(person=ann, person_type="actor")]), **ATTIC)
    own = await client.get("/people/attic:imdb:nm1")
    assert own.status_code == 308
    page = await see(client, own.headers["location"])
    assert "attic:imdb:nm1" in page.texts("code")
    assert "https://www.imdb.com/name/nm1/" in page.links
    as_json = await client.get("/people/attic:imdb:nm1.json", follow_redirects=True)
    assert as_json.json()["person"]["name"] == "Ann Lee"


async def test_a_person_who_is_not_stored_is_not_found(client: httpx.AsyncClient) -> None:
    await see(client, "/people/examples:nobody", 404)


# The list of people


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=orson", ["Orson Welles"]),
        ("function=creator", ["Vince Gilligan"]),
        ("source=attic", ["Al Pacino", "Michael Mann"]),
        ("library=attic:films&function=Director", ["Michael Mann"]),
        ("source=attic&picture=yes", []),
        ("source=attic&picture=no", ["Al Pacino", "Michael Mann"]),
    ],
)
async def test_each_filter_of_people(
    attic: MediaSync, client: httpx.AsyncClient, query: str, expected: list[str]
) -> None:
    document = (await client.get(f"/people.json?{query}")).json()
    assert [one["name"] for one in document["rows"]] == expected
    page = await see(client, f"/people?{query}")
    assert [name for name in page.texts("bdi") if name in expected] == expected


async def test_the_list_of_people_goes_on(client: httpx.AsyncClient) -> None:
    seen: list[str] = []
    page = await see(client, "/people")
    while True:
        seen += [one.attributes["href"] for one in page.all("a") if "people" in _around(page, one)]
        [*more] = page.all("a", rel="next")
        if not more:
            break
        page = await see(client, more[0].attributes["href"])
    assert len(seen) == len(set(seen)) == 377
    assert (await client.get("/people?picture=maybe")).status_code == 400


def _around(page: Document, link: object) -> str:
    """Return "people" for a link to a person."""
    return "people" if link.attributes["href"].startswith("/people/") else ""  # type: ignore[attr-defined]


# The search


async def test_a_search_finds_titles_and_people_without_a_script(client: httpx.AsyncClient) -> None:
    page = await see(client, "/search?q=mann")
    assert "Michael Mann" in page.texts("ul", class_="people")[0]
    page = await see(client, "/search?q=heat+1995")
    assert "Heat" in page.texts("ul", class_="posters")[0]
    [field] = page.all("input", id="q")
    assert field.attributes["value"] == "heat 1995"
    assert "similar" in " ".join((await see(client, "/search?q=koyanisqatzi")).texts("p"))
    assert "No title" in " ".join((await see(client, "/search?q=zzzzzzzqqq")).texts("p"))
    assert (await see(client, "/search")).texts("h1") == ["Search"]
    assert (await client.get("/search?q=x&limit=0")).status_code == 400
    assert (await client.get("/search?q=x&kind=album")).status_code == 400
    only = (await client.get("/search.json?q=heat&kind=person")).json()
    assert only["titles"] == []


async def test_suggestions_have_what_the_search_field_shows(client: httpx.AsyncClient) -> None:
    found = (await client.get("/search.json?q=heat&limit=6")).json()
    [heat] = [one for one in found["titles"] if one["label"] == "Heat"]
    assert heat["facts"] == "Film · 1995"
    assert urlsplit(heat["page"]).path == HEAT.replace("(", "%28").replace(")", "%29")
    assert heat["picture"].startswith("/pictures/items/")


async def test_links_keep_the_root_path_of_an_outer_app(ms: MediaSync) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    outer = Starlette(routes=[Mount("/media", create_app(ms))])
    transport = httpx.ASGITransport(app=outer)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for path in ("/", "/items", "/search?q=heat", HEAT, "/people/examples:name:al%20pacino"):
            page = await see(client, f"/media{path}")
            own = [link for link in page.links if not link.startswith("https://")]
            assert [link for link in own if not link.startswith("/media/")] == []
        found = (await client.get("/media/search.json?q=heat")).json()
        assert found["titles"][0]["page"].startswith("/media/items/")


# Files


async def test_files_are_kept_by_their_version_and_compressed(client: httpx.AsyncClient) -> None:
    page = await see(client, "/")
    files = [link for link in page.links if link.startswith("/static/")]
    assert len(files) == 4
    for path in files:
        answer = await client.get(path, headers={"Accept-Encoding": "gzip"})
        assert "immutable" in answer.headers["cache-control"]
        assert "immutable" not in (await client.get(urlsplit(path).path)).headers["cache-control"]
    script = next(path for path in files if "htmx" in path)
    packed = await client.get(script, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    # A page holds the token of its forms beside what a link chose: its size must not tell about it.
    assert "content-encoding" not in (await client.get("/", headers={"Accept-Encoding": "gzip"})).headers


async def test_a_first_page_is_small(attic: MediaSync, client: httpx.AsyncClient) -> None:
    async def size(path: str) -> int:
        answer = await client.get(path, headers={"Accept-Encoding": "gzip"})
        return answer.num_bytes_downloaded

    for path in ("/", "/items", "/people", HEAT, BREAKING_BAD, "/search?q=a"):
        files = {
            link for link in Document((await client.get(path)).text).links if link.startswith("/static/")
        }
        assert await size(path) + sum([await size(file) for file in files]) <= 60_000, path
