"""Filmographies by title, casts of shows, and who worked with whom."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

import pytest
from support.items import MOVIES, SHOWS, credit, episode, movie, season, show
from support.mirror import prepared

from mediasync import FindQuery, Library, MediaItem, MediaSync, PersonType, Source, Who
from mediasync.errors import UsageError

ANN = credit("a", "Ann")
BO = credit("b", "Bo")
CY = credit("c", "Cy")


def part(number: int, *listed: Any, season: int = 1, **fields: Any) -> MediaItem:
    """Return an episode of the season ``s-1``, or of another one of the show ``s``."""
    key = f"s-{season}-{number}"
    named = {"season_number": season, "year": 2000 + season, "credits": list(listed), **fields}
    return episode(key, f"s-{season}", number, **named)


async def stored(ms: MediaSync, *items: MediaItem) -> MediaSync:
    """Save movies, and a show with its seasons and episodes."""
    await prepared(ms)
    for item in items:
        place = MOVIES if item.media_type == "movie" else SHOWS
        await ms.media.save_media_item(item, **place)
    return ms


def serial(*parts: MediaItem, seasons: int = 1, **fields: Any) -> list[MediaItem]:
    """Return the show ``s`` with its seasons and these episodes."""
    return [show("s", **fields), *(season(f"s-{n}", "s", n) for n in range(1, seasons + 1)), *parts]


# Filmographies


async def test_episodes_fold_into_their_show(ms: MediaSync) -> None:
    walter, himself = credit("a", "Ann", role="Walter"), credit("a", "Ann", role="Himself")
    behind = credit("a", "Ann", kind="director")
    await stored(
        ms,
        movie("1", title="Old", year=1990, credits=[credit("a", "Ann", role="Cop")]),
        *serial(
            part(1, walter),
            part(2, walter, behind, season=2),
            part(3, himself, season=2),
            seasons=2,
            title="Bad",
            year=1999,
            images={"poster": "p"},
            credits=[BO],
        ),
    )
    found = await ms.library.filmography("home:a")
    assert found.person is not None
    assert (found.person.name, found.person.works) == ("Ann", 2)
    old, bad = found.works
    assert (old.title, old.year, old.episodes, old.first_year) == ("Old", 1990, 0, 1990)
    assert (bad.media_item_id, bad.media_type, bad.title, bad.year) == ("home:s", "show", "Bad", 1999)
    assert (bad.poster, bad.episodes, bad.first_year, bad.last_year) == ("p", 2, 2001, 2002)
    assert [(one.person_type, one.roles, one.episodes, one.on_title) for one in bad.functions] == [
        (PersonType.ACTOR, ["Walter"], 2, False),
        (PersonType.DIRECTOR, [], 1, False),
    ]
    [self] = found.as_self
    assert (self.title, self.episodes, self.functions[0].roles) == ("Bad", 1, ["Himself"])
    whole = await ms.library.filmography("home:a", self_apart=False)
    assert [(title.title, title.episodes) for title in whole.works] == [("Old", 0), ("Bad", 3)]
    assert (whole.as_self, whole.talk_shows) == ([], [])


async def test_a_guest_star_has_the_episodes_and_not_the_show(ms: MediaSync) -> None:
    guest = credit("a", "Ann", kind="guest_star", role="Cop")
    await stored(ms, *serial(part(1, guest), part(2), part(3, BO)))
    [title] = (await ms.library.filmography("home:a")).works
    assert (title.episodes, [one.on_title for one in title.functions]) == (1, [False])


async def test_who_is_credited_on_the_show_itself_has_no_episodes(ms: MediaSync) -> None:
    await stored(ms, *serial(part(1), credits=[ANN], year=2001))
    [title] = (await ms.library.filmography("home:a")).works
    assert (title.episodes, [one.on_title for one in title.functions]) == (0, [True])
    assert (title.first_year, title.last_year) == (2001, 2001)


@pytest.mark.parametrize("genre", ["Talk", "Talk-Show", "talk show", "News", "Reality-TV", "Game Show"])
async def test_talk_shows_stand_apart_but_their_crew_does_not(ms: MediaSync, genre: str) -> None:
    host, writer = credit("a", "Ann", role="Self - Host"), credit("b", "Bo", kind="writer")
    await stored(ms, *serial(part(1, host, writer, CY), genres=["Comedy", genre]))
    by_section = [await ms.library.filmography(f"home:{key}") for key in "abc"]
    assert [len(found.talk_shows) for found in by_section] == [1, 0, 1]
    assert [len(found.works) for found in by_section] == [0, 1, 0]


async def test_a_film_with_such_a_genre_is_not_a_talk_show(ms: MediaSync) -> None:
    await stored(ms, movie("1", genres=["News"], credits=[ANN]))
    assert len((await ms.library.filmography("home:a")).works) == 1


async def test_filters_of_filmographies(ms: MediaSync) -> None:
    behind = credit("a", "Ann", kind="director")
    await stored(ms, movie("1", year=1990, credits=[ANN]), *serial(part(1, behind), part(2, ANN)))

    async def titles(**options: Any) -> list[str]:
        return [one.media_item_id for one in (await ms.library.filmography("home:a", **options)).works]

    assert await titles() == ["home:1", "home:s"]
    assert await titles(person_types=["director"]) == ["home:s"]
    assert await titles(media_types=["movie"]) == ["home:1"]
    assert await titles(media_types=["show"]) == ["home:s"]
    assert await titles(by="credit") == ["home:1", "home:s-1-1", "home:s-1-2"]
    assert await titles(by="credit", media_types=["episode"], person_types=["Actor"]) == ["home:s-1-2"]


async def test_one_film_in_two_libraries_counts_once(ms: MediaSync) -> None:
    await stored(
        ms,
        movie("1", year=1990, title="Heat", provider_ids={"imdb": "tt1"}, credits=[ANN, BO]),
        movie("2", year=1990, title="Heat", provider_ids={"imdb": "tt1", "tmdb": "1"}, credits=[ANN, BO]),
        movie("3", year=1991, provider_ids={"tmdb": "1"}, credits=[ANN]),
    )
    assert [one.media_item_id for one in (await ms.library.filmography("home:a")).works] == [
        "home:1",
        "home:3",
    ]
    assert [(one.person.id, one.works) for one in await ms.library.costars("home:a")] == [("home:b", 1)]
    assert [one.count for one in await ms.library.top("actor")] == [2, 1]
    assert [one.works for one in await ms.library.pairs("actor", "actor")] == [1]
    found = await ms.library.find(FindQuery(with_people=["home:a", "home:b"]))
    assert [item.id for item in found.rows] == ["home:1", "home:2"], "find returns items"


async def test_nobody_has_an_empty_filmography(ms: MediaSync) -> None:
    await stored(ms)
    found = await ms.library.filmography("home:nobody")
    assert (found.person, found.works, found.as_self, found.talk_shows) == (None, [], [], [])


# Casts of shows


async def test_the_main_cast_comes_first_and_guests_by_episodes(ms: MediaSync) -> None:
    many, few = (credit(key, key.upper(), kind="guest_star", role="Cop") for key in ("many", "few"))
    often = credit("often", "Often", role="Neighbour")
    once = credit("once", "Once", role="Waiter")
    await stored(
        ms,
        *serial(
            *(part(n, ANN, *([many] if n > 4 else []), *([often] if n > 5 else [])) for n in range(1, 8)),
            part(8, few, once, credit("d", "Di", kind="director")),
            part(9),
            part(8, ANN, season=2, year=2009),
            seasons=2,
            credits=[BO, ANN],
        ),
    )
    found = await ms.library.show_cast("home:s")
    assert [(one.person.id, one.is_main, one.episodes) for one in found] == [
        ("home:b", True, 0),
        ("home:a", True, 8),
        ("home:many", False, 3),
        ("home:often", False, 2),
        ("home:few", False, 1),
        ("home:once", False, 1),
    ]
    assert (found[1].first_year, found[1].last_year) == (2001, 2009)
    assert (found[2].person_types, found[2].roles) == ([PersonType.GUEST_STAR], ["Cop"])
    assert await ms.library.show_cast("home:s", limit=2) == found[:2]
    crew = await ms.library.show_cast("home:s", person_types=["director"])
    assert [(one.person.name, one.is_main) for one in crew] == [("Di", True)]
    assert len(await ms.library.show_cast("home:s", person_types=None)) == 7


async def test_a_quarter_of_the_episodes_makes_the_main_cast(ms: MediaSync) -> None:
    await stored(ms, *serial(part(1, ANN, BO), *(part(n, BO) for n in (2, 3, 4)), part(5, CY)))
    cast = await ms.library.show_cast("home:s")
    assert [(one.person.id, one.is_main) for one in cast] == [
        ("home:b", True),
        ("home:a", False),
        ("home:c", False),
    ]


async def test_the_cast_of_a_season(ms: MediaSync) -> None:
    await stored(ms, *serial(part(1, ANN), part(2, CY), part(1, BO, season=2), seasons=2, credits=[BO, ANN]))
    cast = await ms.library.season_cast("home:s-1")
    assert [(one.person.id, one.is_main, one.episodes) for one in cast] == [
        ("home:a", True, 1),
        ("home:c", True, 1),
    ]
    assert [one.person.id for one in await ms.library.season_cast("home:s-2")] == ["home:b"]
    assert await ms.library.season_cast("home:s") == []
    assert await ms.library.show_cast("home:s-1") == []
    assert await ms.library.show_cast("home:nowhere") == []


# Find


async def found_by(ms: MediaSync, *people: Any, **fields: Any) -> list[str]:
    query = FindQuery(with_people=list(people), **fields)
    return [item.id.removeprefix("home:") for item in (await ms.library.find(query)).rows]


async def test_items_with_all_of_these_people_and_none_of_those(ms: MediaSync) -> None:
    director = credit("a", "Ann", kind="director")
    await stored(
        ms,
        movie("1", year=1990, credits=[ANN, BO]),
        movie("2", year=1980, credits=[director, BO, CY]),
        movie("3", credits=[ANN]),
        movie("4", year=1995, genres=["Crime", "Drama"], credits=[BO, ANN]),
    )
    directing = Who(person_ids=["home:a"], person_types=["director"])
    assert await found_by(ms, "home:a") == ["2", "1", "4", "3"]
    assert await found_by(ms, "home:a", "home:b") == ["2", "1", "4"]
    assert await found_by(ms, directing, "home:b") == ["2"]
    assert await found_by(ms, "home:b", without_people=[directing]) == ["1", "4"]
    assert await found_by(ms, "home:b", without_people=["home:c", "home:nobody"]) == ["1", "4"]
    assert await found_by(ms, "home:b", "home:nobody") == []
    assert await found_by(ms, Who(person_ids=["home:c", "home:nobody", "home:b"])) == ["2", "1", "4"]
    assert await found_by(ms, "home:a", first_year=1990) == ["1", "4"]
    assert await found_by(ms, "home:a", first_year=1981, last_year=1990) == ["1"]
    assert await found_by(ms, "home:a", genres=["crime", "DRAMA"]) == ["4"]
    assert await found_by(ms, "home:a", genres=["crime", "horror"]) == []
    assert await found_by(ms, "home:a", media_types=["show"]) == []
    assert await found_by(ms, "home:a", source_ids=["elsewhere"]) == []
    assert await found_by(ms, "home:a", source_ids=["home"], media_types=["movie"]) == ["2", "1", "4", "3"]


async def test_whom_a_show_credits_its_episodes_credit_but_guests_are_not_passed_on(ms: MediaSync) -> None:
    guest = credit("c", "Cy", kind="guest_star")
    await stored(ms, *serial(part(1, BO), part(2, guest), genres=["Crime"], year=2000, credits=[ANN, guest]))
    assert await found_by(ms, "home:a", "home:b") == ["s-1-1"]
    assert await found_by(ms, "home:b", "home:c") == []
    assert await found_by(ms, "home:a", "home:b", roll_up=True, genres=["crime"]) == ["s"]
    assert await found_by(ms, "home:c") == ["s", "s-1-2"]
    assert await found_by(ms, "home:c", roll_up=True) == ["s"]
    assert await found_by(ms, "home:b", roll_up=True, without_people=["home:a"]) == []
    assert await found_by(ms, "home:a", media_types=["season"], first_year=2000) == ["s-1"]


async def test_pages_of_what_is_found(ms: MediaSync) -> None:
    years = [1990, None, 1980, 1990, None]
    await stored(ms, *(movie(f"{n}", title="Same", year=year, credits=[ANN]) for n, year in enumerate(years)))
    query = FindQuery(with_people=["home:a"])
    ids: list[str] = []
    after = None
    while True:
        page = await ms.library.find(query, after=after, limit=2)
        ids += [item.id for item in page.rows]
        after = page.next
        if after is None:
            break
    assert ids == [f"home:{n}" for n in (2, 0, 3, 1, 4)]
    assert (await ms.library.find(query, limit=5)).next is None


# With whom


async def test_costars_with_the_works_they_share(ms: MediaSync) -> None:
    await stored(
        ms,
        movie("1", year=1990, title="One", credits=[ANN, BO, credit("d", "Di", kind="director")]),
        movie("2", year=1999, title="Two", credits=[ANN, BO, CY]),
        movie("3", year=2000, title="Three", credits=[BO, CY]),
    )
    bo, cy = await ms.library.costars("home:a")
    assert (bo.person.name, bo.works, cy.person.name, cy.works) == ("Bo", 2, "Cy", 1)
    assert [(title.title, title.year) for title in bo.titles] == [("Two", 1999), ("One", 1990)]
    assert [one.person.id for one in await ms.library.costars("home:a", limit=1)] == ["home:b"]
    everybody = await ms.library.costars("home:a", person_types=None)
    assert [one.person.id for one in everybody] == ["home:b", "home:c", "home:d"]
    assert [one.person.id for one in await ms.library.costars("home:a", person_types=["director"])] == [
        "home:d"
    ]
    assert await ms.library.costars("home:d", own_types=["actor"]) == []
    assert await ms.library.costars("home:nobody") == []


async def test_two_guests_of_different_episodes_did_not_work_together(ms: MediaSync) -> None:
    guests = [credit(key, key.upper(), kind="guest_star") for key in ("g", "h", "i")]
    await stored(ms, *serial(part(1, guests[0], guests[1]), part(2, guests[2]), credits=[ANN]))

    async def with_whom(key: str) -> list[str]:
        return [one.person.id.removeprefix("home:") for one in await ms.library.costars(f"home:{key}")]

    assert await with_whom("g") == ["a", "h"]
    assert await with_whom("i") == ["a"]
    assert await with_whom("a") == ["g", "h", "i"]


async def test_top_by_items_and_by_episodes(ms: MediaSync) -> None:
    await stored(
        ms,
        movie("1", year=1990, genres=["Crime"], credits=[ANN, BO]),
        movie("2", year=2005, credits=[ANN]),
        *serial(part(1, BO), part(2, BO), part(3, BO, CY, year=None), year=2001, genres=["Crime"]),
    )

    async def best(person_type: Any = "actor", **options: Any) -> list[tuple[str, int]]:
        return [(one.person.name, one.count) for one in await ms.library.top(person_type, **options)]

    assert await best() == [("Ann", 2), ("Bo", 2), ("Cy", 1)]
    assert await best(limit=1) == [("Ann", 2)]
    assert await best(by="episodes") == [("Bo", 3), ("Cy", 1)]
    assert await best(decade=1990) == [("Ann", 1), ("Bo", 1)]
    assert await best(decade=2000, by="episodes") == [("Bo", 3), ("Cy", 1)]
    assert await best(genre="crime") == [("Bo", 2), ("Ann", 1), ("Cy", 1)]
    assert await best(source_id="elsewhere") == []
    assert await best("director") == []
    assert await best(["director", "actor"], source_id="home", limit=1) == [("Ann", 2)]


async def test_pairs_of_functions(ms: MediaSync) -> None:
    director = credit("d", "Di", kind="director")
    await stored(
        ms,
        movie("1", year=1990, credits=[ANN, BO, director]),
        movie("2", year=1991, credits=[ANN, director]),
        movie("3", year=2001, credits=[BO, CY, credit("a", "Ann", kind="director")]),
    )

    async def most(*types: str, **options: Any) -> list[tuple[str, str, int]]:
        found = await ms.library.pairs(*types, **options)
        return [(pair.first.name, pair.second.name, pair.works) for pair in found]

    assert await most("director", "actor") == [
        ("Di", "Ann", 2),
        ("Ann", "Bo", 1),
        ("Ann", "Cy", 1),
        ("Di", "Bo", 1),
    ]
    assert await most("director", "actor", limit=1) == [("Di", "Ann", 2)]
    assert await most("actor", "director", decade=2000) == [("Bo", "Ann", 1), ("Cy", "Ann", 1)]
    assert {tuple(sorted(pair[:2])) for pair in await most("actor", "actor")} == {("Ann", "Bo"), ("Bo", "Cy")}


# What no answer shows


async def test_removed_items_and_people_count_nowhere(ms: MediaSync) -> None:
    await stored(ms, movie("1", credits=[ANN, BO]), movie("2", credits=[ANN, CY]), *serial(part(1, ANN, BO)))
    await ms.media.delete_media_item("home:1")
    await ms.media.delete_media_item("home:s-1-1")
    assert [one.media_item_id for one in (await ms.library.filmography("home:a")).works] == ["home:2"]
    assert (await ms.library.filmography("home:b")).person is None
    assert await found_by(ms, "home:a") == ["2"]
    assert await found_by(ms, "home:b") == []
    assert await found_by(ms, "home:a", without_people=["home:b"]) == ["2"]
    assert [one.person.id for one in await ms.library.costars("home:a")] == ["home:c"]
    assert await ms.library.costars("home:b") == []
    assert {one.person.id for one in await ms.library.top("actor")} == {"home:a", "home:c"}
    assert await ms.library.top("actor", by="episodes") == []
    assert len(await ms.library.pairs("actor", "actor")) == 1
    assert await ms.library.show_cast("home:s") == []


async def test_aliases_name_the_person(ms: MediaSync) -> None:
    await stored(ms)
    named = credit(None, "Al Pacino", provider_ids={"imdb": "nm1", "tmdb": "2"})
    await ms.media.save_media_item(movie("1", credits=[named, BO]), **MOVIES)
    [person] = await ms.people.search("pacino")
    assert person.id is not None
    derived = [f"home:{key}" for key in ("imdb:nm1", "tmdb:2", "name:al pacino")]
    [alias, *_] = [one for one in derived if one != person.id and await ms.people.find_by_id(one)]
    assert (await ms.library.filmography(alias)).person == (await ms.library.find_people([person.id]))[0]
    assert await found_by(ms, alias) == ["1"]
    assert await found_by(ms, "home:b", without_people=[alias]) == []
    assert [one.person.id for one in await ms.library.costars(alias)] == ["home:b"]


async def test_one_human_of_two_sources(ms: MediaSync) -> None:
    await stored(ms, movie("1", title="Heat", year=1995, provider_ids={"imdb": "tt1"}, credits=[ANN, BO]))
    await ms.media.save_source(Source(id="other", kind="nfo"))
    await ms.media.save_library(Library(id="films", source_id="other", kind="movies"))
    again = movie("9", title="Heat", year=1995, provider_ids={"imdb": "tt1"}, credits=[ANN, BO])
    await ms.media.save_media_item(again, library_id="films", source_id="other")
    both = Who(person_ids=["home:a", "other:a"])
    found = await ms.library.find(FindQuery(with_people=[both]))
    assert [item.id for item in found.rows] == ["home:1", "other:9"]
    assert [one.person.id for one in await ms.library.costars(both.person_ids)] == ["home:b", "other:b"]
    assert [(one.person.id, one.count) for one in await ms.library.top("actor", source_id="other")] == [
        ("other:a", 1),
        ("other:b", 1),
    ]


# Wrong questions


async def test_wrong_questions_are_refused(ms: MediaSync) -> None:
    library = (await stored(ms)).library
    query = FindQuery(with_people=["home:a"])
    wrong: list[Any] = [
        (lambda: library.filmography("home:a", by="year"), "by 'title' or by 'credit', not by 'year'"),
        (lambda: library.filmography("home:a", person_types="actor"), r"write \['actor'\]"),
        (lambda: library.filmography("home:a", person_types=[]), "person_types is empty"),
        (lambda: library.filmography("home:a", media_types="movie"), r"write \['movie'\]"),
        (lambda: library.filmography("home:a", media_types=["film"]), "there are: movie, show"),
        (lambda: library.show_cast("home:s", limit=0), "from 1 to 10,000, not 0"),
        (lambda: library.find(query, limit=0), "from 1 to 10,000"),
        (lambda: library.find(query, after="x"), "'x' is not a cursor"),
        (lambda: library.find(query, after="WzFd"), "is not a cursor"),
        (lambda: library.find(query, after="MQ=="), "is not a cursor"),
        *(
            (partial(library.find, query, after=base64.urlsafe_b64encode(text).decode()), "is not a cursor")
            for text in (b'[1, "\\ud800", "x"]', b'[1, "", "\\u0000"]', b"[" * 100_000, b"\xff")
        ),
        (
            partial(library.find, query, after=base64.urlsafe_b64encode(b'[%d, "", ""]' % 2**64).decode()),
            "is not a cursor",
        ),
        (lambda: library.top("actor", by="years"), "by 'items' or by 'episodes'"),
        (lambda: library.top("actor", decade=1995), "such as 1990, not 1995"),
        (lambda: library.top(""), "a person type is empty"),
        (lambda: library.pairs("", "actor"), "a person type is empty"),
    ]
    for ask, message in wrong:
        with pytest.raises(UsageError, match=message):
            await ask()
    with pytest.raises(ValueError, match="at least 1 item"):
        FindQuery(with_people=[])
