"""Looking up items and people by what somebody types, and filmographies by item."""

from __future__ import annotations

import pytest
from support.items import MOVIES, SHOWS, credit, episode, movie, person, season, show

from mediasync import MediaSync
from mediasync.errors import UsageError
from mediasync.library.filmography import by_item, titles
from mediasync.library.lookup import find_children, find_parents, look_up_items, look_up_people


async def ids(ms: MediaSync, text: str, limit: int = 20) -> list[str | None]:
    return [item.id for item in (await look_up_items(ms.media, text, limit=limit)).found]


async def save_films(ms: MediaSync) -> None:
    films = [
        movie("heat", title="Heat", year=1995, provider_ids={"imdb": "tt0113277"}),
        movie("heat86", title="Heat", year=1986),
        movie("sneakers", title="Sneakers", year=1992),
    ]
    await ms.media.save_media_items(films, **MOVIES)


async def save_show(ms: MediaSync) -> None:
    family = [
        show("dark", title="Dark"),
        season("d1", "dark", 1, title="Season 1"),
        episode("d1e2", "d1", 2, title="Lies", season_number=1),
        episode("d1e1", "d1", 1, title="Secrets", season_number=1),
        season("d2", "dark", 2, title="Season 2"),
        episode("extra", "dark", None, title="Extra"),
    ]
    report = await ms.media.save_media_items(family, **SHOWS)
    assert report.failed == []


async def test_items_are_found_by_id_provider_id_title_and_year(ms: MediaSync) -> None:
    await save_films(ms)
    assert await ids(ms, "home:heat") == ["home:heat"]
    assert await ids(ms, "IMDB:tt0113277") == ["home:heat"]
    assert await ids(ms, "heat") == ["home:heat86", "home:heat"]
    assert await ids(ms, "Heat (1995)") == ["home:heat"]
    assert await ids(ms, "sneak") == ["home:sneakers"]
    for nothing in ("Heat (2001)", "imdb:tt1", "home:none", "alien"):
        assert await ids(ms, nothing) == []
    with pytest.raises(UsageError):
        await ids(ms, "a\0b")


async def test_one_match_is_the_only_one_and_further_ones_are_announced(ms: MediaSync) -> None:
    await save_films(ms)
    matches = await look_up_items(ms.media, "home:heat", limit=1)
    assert matches.only == matches.found[0]
    assert not matches.more
    matches = await look_up_items(ms.media, "heat", limit=1)
    assert (len(matches.found), matches.more) == (1, True)
    assert matches.only is None
    matches = await look_up_items(ms.media, "heat", limit=2)
    assert (len(matches.found), matches.more, matches.only) == (2, False, None)


async def test_parents_and_children_of_an_item(ms: MediaSync) -> None:
    await save_show(ms)
    [dark] = await ms.media.find_media_items(["home:dark"])
    branches = await find_children(ms.media, dark)
    assert [(child.id, [one.id for one in below]) for child, below in branches] == [
        ("home:extra", []),
        ("home:d1", ["home:d1e1", "home:d1e2"]),
        ("home:d2", []),
    ]
    items = await ms.media.find_media_items(["home:d1e1", "home:d2", "home:dark", "home:extra"])
    parents = await find_parents(ms.media, items)
    assert {item_id: [one.id for one in above] for item_id, above in parents.items()} == {
        "home:d1e1": ["home:d1", "home:dark"],
        "home:d2": ["home:dark"],
        "home:dark": [],
        "home:extra": ["home:dark"],
    }
    assert await find_children(ms.media, items[0]) == []


async def test_people_are_found_by_id_and_by_name_an_exact_one_alone(ms: MediaSync) -> None:
    people = [person(f"{n}", name) for n, name in enumerate(("Al Pacino", "Al Pacino Jr", "Alba Pacino"))]
    await ms.people.upsert_batch(people, source_id="home")

    async def names(text: str) -> list[str]:
        return [one.name for one in (await look_up_people(ms.people, text, limit=20)).found]

    assert await names("home:2") == ["Alba Pacino"]
    assert await names("al PACINO") == ["Al Pacino"]
    assert await names("pacino al") == ["Al Pacino", "Al Pacino Jr", "Alba Pacino"]
    assert await names("nobody") == []
    matches = await look_up_people(ms.people, "pac", limit=2)
    assert (len(matches.found), matches.more) == (2, True)
    await ms.people.upsert(person("3", "Al Pacino"), source_id="home")
    assert await names("al pacino") == ["Al Pacino", "Al Pacino", "Al Pacino Jr", "Alba Pacino"]


async def test_a_person_with_the_very_name_is_found_behind_any_limit(ms: MediaSync) -> None:
    people = [person(f"{n}", f"Pacino Al {n}") for n in range(5)]
    await ms.people.upsert_batch([*people, person("z", "Pacino")], source_id="home")
    assert (await look_up_people(ms.people, "pacino", limit=1)).only is not None


async def test_a_filmography_by_item(ms: MediaSync) -> None:
    await save_show(ms)
    both = [credit("a", "Ann", kind="writer", order=0), credit("a", "Ann", kind="actor", role="X", order=1)]
    await ms.media.save_media_item(movie("m", title="Film", year=1990, credits=both), **MOVIES)
    for key in ("d1e1", "d1e2"):
        await ms.media.save_media_people(f"home:{key}", [credit("a", "Ann", kind="director")])
    filmography = await ms.people.filmography("home:a")
    assert [(own[0].title, [str(one.person_type) for one in own]) for own in by_item(filmography)] == [
        ("Film", ["writer", "actor"]),
        ("Lies", ["director"]),
        ("Secrets", ["director"]),
    ]
    assert titles(filmography) == ["Film", "Dark"]
    assert by_item([]) == []
