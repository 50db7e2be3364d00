"""What pages about one item or one person show."""

from __future__ import annotations

import pytest
from support.items import MOVIES, SHOWS, credit, episode, movie, person, season, show
from support.mirror import prepared

from mediasync import ChangeKind, Credit, Library, MediaSync, Source
from mediasync.errors import UnknownItem, UsageError


async def two_sources(ms: MediaSync) -> None:
    await prepared(ms)
    await ms.media.save_source(Source(id="attic", kind="plex", name="Attic"))
    await ms.media.save_library(Library(id="films", source_id="attic", title="Films", kind="movies"))


ATTIC = {"library_id": "films", "source_id": "attic"}


async def test_details_are_the_item_without_its_credits(ms: MediaSync) -> None:
    await prepared(ms)
    saved = movie("1", title="Heat", genres=["Crime"], credits=[credit("a")], provider_ids={"imdb": "tt1"})
    await ms.media.save_media_item(saved, **MOVIES)
    found = await ms.library.get_details("home:1")
    assert (found.title, found.genres, found.provider_ids) == ("Heat", ["Crime"], {"imdb": "tt1"})
    assert (found.credits, found.completeness) == (None, "full")
    with pytest.raises(UnknownItem, match="home:2"):
        await ms.library.get_details("home:2")


async def test_a_cast_by_function_goes_on_with_the_cursor_of_each(ms: MediaSync) -> None:
    await prepared(ms)
    cast = [credit(f"a{n}") for n in range(5)]
    crew = [credit("d", kind="director"), credit("k", kind="Key Grip")]
    await ms.media.save_media_item(movie("1", credits=[*cast, *crew]), **MOVIES)
    parts = await ms.library.list_cast_by_function("home:1", limit=2)
    assert {person_type: part.total for person_type, part in parts.items()} == {
        "actor": 5,
        "director": 1,
        "Key Grip": 1,
    }
    seen, after = [one.person.id for one in parts["actor"].rows], parts["actor"].next
    while after is not None:
        page = await ms.library.list_cast("home:1", person_type="actor", after=after, limit=2)
        seen += [one.person.id for one in page.rows]
        after = page.next
    assert seen == [f"home:a{n}" for n in range(5)]
    assert parts["director"].next is None
    assert await ms.library.list_cast_by_function("home:nowhere") == {}


async def test_children_come_by_number_page_by_page(ms: MediaSync) -> None:
    await prepared(ms)
    await ms.media.save_media_items(
        [
            show("s"),
            season("s0", parent_remote_id="s", season_number=0),
            season("sx", parent_remote_id="s", season_number=None),
            season("s1", parent_remote_id="s", season_number=1),
            *(
                episode(f"e{n}", parent_remote_id="s1", season_number=1, episode_number=n)
                for n in (3, 1, 10, 2)
            ),
        ],
        **SHOWS,
    )
    assert [one.id for one in (await ms.library.list_children("home:s")).rows] == [
        "home:sx",
        "home:s0",
        "home:s1",
    ]
    first = await ms.library.list_children("home:s1", limit=3)
    assert [one.episode_number for one in first.rows] == [1, 2, 3]
    second = await ms.library.list_children("home:s1", after=first.next, limit=3)
    assert ([one.episode_number for one in second.rows], second.next) == ([10], None)
    assert (second.rows[0].show_id, second.rows[0].parent_id) == ("home:s", "home:s1")
    assert await ms.library.count_children(["home:s", "home:s1", "home:s0", "home:no"]) == {
        "home:s": 3,
        "home:s1": 4,
        "home:s0": 0,
    }
    with pytest.raises(UsageError, match="another list"):
        await ms.library.list_children("home:s", after=first.next)


async def test_the_same_work_has_an_id_at_a_provider_in_common(ms: MediaSync) -> None:
    await two_sources(ms)
    heat = {"imdb": "tt0113277", "tmdb": "949"}
    await ms.media.save_media_items(
        [
            movie("1", provider_ids=heat),
            movie("2", provider_ids={"tmdb": "1"}),
            show("3", provider_ids={"tmdb": "949"}),
            movie("4", provider_ids={"rating-key": "7"}),
        ],
        **MOVIES,
    )
    await ms.media.save_media_items(
        [movie("x", provider_ids=heat), movie("y", provider_ids={"rating-key": "7"})], **ATTIC
    )
    assert [one.id for one in await ms.library.find_same_works("home:1")] == ["attic:x"]
    assert [one.id for one in await ms.library.find_same_works("attic:x")] == ["home:1"]
    assert await ms.library.find_same_works("home:4") == []
    assert await ms.library.find_same_works("home:none") == []


async def test_the_same_human_has_the_same_ids_or_the_same_name(ms: MediaSync) -> None:
    await two_sources(ms)
    await ms.media.save_media_item(
        movie(
            "1",
            credits=[
                credit("k", "Keanu Reeves"),
                credit("j1", "Jo Li", provider_ids={"tmdb": "1"}),
                credit("j2", "Jo  LI", provider_ids={"tmdb": "2"}),
            ],
        ),
        **MOVIES,
    )
    await ms.media.save_media_item(
        movie(
            "1",
            credits=[
                credit("K", "keanu reeves"),
                credit("J", "Jo Li", provider_ids={"tmdb": "2"}),
                credit("tmdb:1", "J. Li", provider_ids={"tmdb": "1"}),
            ],
        ),
        **ATTIC,
    )

    async def same(person_id: str) -> list[str]:
        return [one.id for one in await ms.library.find_same_people(person_id)]

    assert await same("home:k") == ["attic:K"]
    assert await same("home:j1") == ["attic:tmdb:1"]
    assert await same("home:j2") == ["attic:J"]
    assert await same("home:nobody") == []


async def test_aliases_are_the_other_ids_of_a_person(ms: MediaSync) -> None:
    await prepared(ms)
    ann = person(None, "Ann Lee", provider_ids={"tmdb": "1", "imdb": "nm1"})
    await ms.media.save_media_item(movie("1", credits=[Credit(person=ann, person_type="actor")]), **MOVIES)
    [found] = await ms.people.search("ann lee")
    aliases = await ms.library.list_aliases(found.id or "")
    assert "home:imdb:nm1" in aliases
    for alias in aliases:
        assert (await ms.people.find_by_id(alias)) == found


async def test_genres_are_those_of_all_items(ms: MediaSync) -> None:
    await prepared(ms)
    await ms.media.save_media_items(
        [movie("1", genres=["Drama", "Crime"]), movie("2", genres=["Drama"])], **MOVIES
    )
    assert await ms.library.list_genres() == ["Crime", "Drama"]


async def test_the_last_changes_come_first(ms: MediaSync) -> None:
    await prepared(ms)
    await ms.media.save_media_item(movie("1", title="Heat", credits=[credit("a", "Ann")]), **MOVIES)
    await ms.media.save_media_item(movie("2", title="Dark"), **MOVIES)
    await ms.media.save_media_item(
        movie("1", title="Heat", credits=[credit("a", "Ann"), credit("b", "Bo")]), **MOVIES
    )
    last = await ms.library.list_last_changes(limit=2)
    assert [(one.change.what, one.name) for one in last] == [
        (ChangeKind.CHANGED, "Heat"),
        (ChangeKind.ADDED, "Dark"),
    ]
    assert [(str(one.what), one.name) for one in last[0].credits] == [("added", "Bo")]
    assert [one.change.what for one in await ms.library.list_last_changes("home:1")] == ["changed", "added"]
    with pytest.raises(UsageError, match="limit 0"):
        await ms.library.list_last_changes(limit=0)
