"""Lists of items and people, page by page."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from support.items import MOVIES, SHOWS, credit, episode, movie, season, show
from support.mirror import Clock, prepared

from mediasync import Credited, ItemFilter, MediaSync, Page, PersonFilter, Rating
from mediasync.errors import UnknownItem, UsageError

START = datetime(2024, 5, 1, tzinfo=UTC)


def titles(page: Page[Any]) -> list[str]:
    return [row.title for row in page.rows]


def ids(page: Page[Any]) -> list[str]:
    return [row.id for row in page.rows]


async def stored(ms: MediaSync) -> None:
    await prepared(ms)
    al, bo = credit("al", "Al Pacino"), credit("bo", "Bo Derek", kind="director", image_path="/bo")
    await ms.media.save_media_items(
        [
            movie("1", title="The Matrix", year=1999, credits=[al, bo], genres=["Action"], added_at=START,
                  ratings=[Rating(name="imdb", value=8.7)], provider_ids={"imdb": "tt0133093"}),
            movie("2", title="10 Things I Hate About You", year=1999, credits=[al], genres=["Comedy"],
                  added_at=START + timedelta(days=1), ratings=[Rating(name="imdb", value=7.3)]),
            movie("3", title="2 Fast 2 Furious", year=2003, added_at="2024-05-03"),
            movie("4", title="Élite", credits=[]),
            movie("5", title="Nikita", sort_title="Femme Nikita", year=1990, credits=[bo]),
        ],
        **MOVIES,
    )  # fmt: skip
    await ms.media.save_media_items(
        [
            show("s", title="Serial", year=2001, credits=[]),
            season("s1", parent="s", season_number=1, title="Season 1"),
            *(
                episode(
                    f"e{n}", parent="s1", season_number=1, episode_number=n, title=f"Part {n}", credits=[al]
                )
                for n in range(1, 4)
            ),
        ],
        **SHOWS,
    )


async def test_titles_are_sorted_as_people_sort_them(ms: MediaSync) -> None:
    await stored(ms)
    films = ItemFilter(media_types="movie")
    page = await ms.library.list_items(films, with_total=True)
    assert titles(page) == [
        "2 Fast 2 Furious", "10 Things I Hate About You", "Élite", "Nikita", "The Matrix"
    ]  # fmt: skip
    assert (page.next, page.total) == (None, 5)
    back = await ms.library.list_items(films, descending=True)
    assert titles(back) == titles(page)[::-1]
    [episode_one, *_] = (await ms.library.list_items(ItemFilter(media_types=["episode"]))).rows
    assert (episode_one.title, episode_one.show_title) == ("Part 1", "Serial")


async def test_what_is_not_known_comes_last_in_both_directions(ms: MediaSync) -> None:
    await stored(ms)
    films = ItemFilter(media_types="movie")
    for sort, rising in (
        ("year", ["5", "1", "2", "3", "4"]),
        ("rating", ["2", "1", "3", "4", "5"]),
        ("added", ["1", "2", "3", "4", "5"]),
    ):
        known = {"year": 4, "rating": 2, "added": 2}[sort]
        up = ids(await ms.library.list_items(films, sort=sort))
        down = ids(await ms.library.list_items(films, sort=sort, descending=True))
        assert up == [f"home:{n}" for n in rising], sort
        assert down == [*up[:known][::-1], *up[known:][::-1]], sort


async def test_the_first_page_leads_to_all_others(ms: MediaSync) -> None:
    await stored(ms)
    found = []
    after = None
    for size in (2, 1, 3, 2, 1, 1):
        page = await ms.library.list_items(sort="year", after=after, limit=size)
        found += ids(page)
        after = page.next
    assert (len(found), len(set(found)), after is None) == (10, 10, False)
    assert (await ms.library.list_items(sort="year", after=after, limit=5)).rows == []
    assert found == [item.id async for item in ms.library.iter_items(sort="year")]


async def test_filters_hold_together(ms: MediaSync) -> None:
    await stored(ms)

    async def listed(**given: Any) -> list[str]:
        wanted = ItemFilter(**given)
        found = ids(await ms.library.list_items(wanted, sort="changed"))
        assert await ms.library.count_items(wanted) == len(found)
        return [one.removeprefix("home:") for one in found]

    assert await listed(year_from=1999, year_to=1999, media_types="movie") == ["1", "2"]
    assert await listed(genre="Comedy") == ["2"]
    assert await listed(genre="comédy") == ["2"]
    assert await listed(genre="Comed") == []
    assert await listed(min_rating=8) == ["1"]
    assert await listed(provider_id="IMDb:tt0133093") == ["1"]
    assert await listed(with_provider="imdb", without_provider="tmdb") == ["1"]
    assert await listed(with_people="home:al", media_types="movie") == ["1", "2"]
    assert await listed(with_people=["home:al", "home:bo"]) == ["1"]
    assert await listed(with_people=[Credited("home:bo", "actor")]) == []
    assert await listed(with_people=[Credited("home:bo", "director")], without_people=["home:al"]) == ["5"]
    assert await listed(completeness="none", library_id="home:movies") == ["3", "4"]
    assert await listed(added_since=START + timedelta(hours=1)) == ["2"]
    assert await listed(source_id="elsewhere") == []


async def test_changes_count_since_a_time(ms: MediaSync, clock: Clock) -> None:
    await stored(ms)
    clock.now += 60_000
    later = datetime.fromtimestamp(clock.now / 1000, UTC)
    await ms.media.save_media_item(movie("4", title="Élite", year=2020, credits=[]), **MOVIES)
    await ms.media.save_media_item(movie("6", title="New"), **MOVIES)
    changed = await ms.library.list_items(ItemFilter(changed_since=later), sort="changed", descending=True)
    assert ids(changed) == ["home:6", "home:4"]
    assert ids(await ms.library.list_items(ItemFilter(created_since=later))) == ["home:6"]


async def test_removed_items_and_people_whom_nobody_credits_are_not_listed(ms: MediaSync) -> None:
    await stored(ms)
    assert ids(await ms.library.list_people()) == ["home:al", "home:bo"]
    await ms.media.delete_media_item("home:1")
    await ms.media.delete_media_item("home:5")
    assert ids(await ms.library.list_people(with_total=True)) == ["home:al"]
    assert await ms.library.count_people() == 1
    page = await ms.library.list_items(ItemFilter(media_types="movie"), with_total=True)
    assert (ids(page), page.total) == (["home:3", "home:2", "home:4"], 3)


async def test_people_are_found_by_what_they_did(ms: MediaSync) -> None:
    await stored(ms)

    async def listed(**given: Any) -> list[str]:
        wanted = PersonFilter(**given)
        found = ids(await ms.library.list_people(wanted))
        assert await ms.library.count_people(wanted) == len(found)
        assert [one.id async for one in ms.library.iter_people(wanted)] == found
        return found

    assert await listed(person_type="director") == ["home:bo"]
    assert await listed(name_prefix="AL P") == ["home:al"]
    assert await listed(item_id="home:2") == ["home:al"]
    assert await listed(library_id="home:shows") == ["home:al"]
    assert await listed(library_id="home:shows", person_type="director") == []
    assert await listed(min_works=3) == ["home:al"], "a show counts once"
    assert await listed(min_works=4) == []
    assert await listed(has_image=True) == ["home:bo"]
    assert await listed(source_id="home", has_image=False) == ["home:al"]


async def test_an_alias_of_a_person_finds_the_items(ms: MediaSync) -> None:
    await prepared(ms)
    named = credit(None, "Ann Lee", provider_ids={"tmdb": "7"})
    await ms.media.save_media_item(movie("1", credits=[named]), **MOVIES)
    [person] = (await ms.library.list_people()).rows
    alias = "home:name:ann lee"
    assert person.id != alias
    assert ids(await ms.library.list_items(ItemFilter(with_people=alias))) == ["home:1"]


async def test_items_are_counted_by_what_they_have(ms: MediaSync) -> None:
    await stored(ms)
    by = ms.library.count_items_by
    assert await by("type") == {"episode": 3, "movie": 5, "season": 1, "show": 1}
    assert await by("decade", ItemFilter(media_types="movie")) == {1990: 3, 2000: 1}
    assert await by("year", ItemFilter(genre="Action")) == {1999: 1}
    assert await by("genre") == {"Action": 1, "Comedy": 1}
    assert await by("library") == {"home:movies": 5, "home:shows": 5}
    assert await by("source") == {"home": 10}


async def test_an_item_of_two_libraries_is_listed_in_both_and_once_in_all(ms: MediaSync) -> None:
    await prepared(ms)
    for library in ("movies", "shows"):
        await ms.media.save_media_item(movie("1"), library_id=library, source_id="home")
        assert ids(await ms.library.list_items(ItemFilter(library_id=f"home:{library}"))) == ["home:1"]
    assert ids(await ms.library.list_items()) == ["home:1"]
    assert await ms.library.count_items_by("library") == {"home:movies": 1, "home:shows": 1}


async def test_a_cast_comes_page_by_page(ms: MediaSync) -> None:
    await prepared(ms)
    people = [credit(f"p{n}", f"Name {n}", kind="director" if n == 3 else "actor") for n in range(7)]
    await ms.media.save_media_items([movie("1", credits=people), movie("2", credits=[])], **MOVIES)
    first = await ms.library.list_cast("home:1", limit=4, with_total=True)
    assert [one.person.name for one in first.rows] == [f"Name {n}" for n in range(4)]
    assert first.total == 7
    second = await ms.library.list_cast("home:1", limit=4, after=first.next)
    assert [one.sort_order for one in second.rows] == [4, 5, 6]
    assert second.next is None
    whole = await ms.media.get_media_item("home:1")
    assert [*first.rows, *second.rows] == whole.credits
    [director] = (await ms.library.list_cast("home:1", person_type="director")).rows
    assert director.person.id == "home:p3"
    assert (await ms.library.list_cast("home:2")).rows == []
    with pytest.raises(UnknownItem, match="home:9"):
        await ms.library.list_cast("home:9")


async def test_items_are_found_by_a_provider_id_without_their_credits(ms: MediaSync) -> None:
    await stored(ms)
    [matrix] = await ms.library.find_by_provider_id("IMDb", "tt0133093")
    assert matrix == (await ms.library.find_items(["home:1"]))[0]
    assert await ms.library.find_by_provider_id("imdb", "tt0") == []


BAD_CURSORS: dict[str, tuple[Callable[[str], str], str]] = {
    "cut": (lambda cursor: cursor[:-3], "damaged"),
    "another letter": (lambda cursor: cursor[:20] + chr(ord(cursor[20]) ^ 1) + cursor[21:], "damaged"),
    "empty": (lambda _: "", "damaged"),
    "no cursor": (lambda _: "page 2", "damaged"),
    "not even ASCII": (lambda _: "é", "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CURSORS)
async def test_a_damaged_cursor_is_a_clear_error(ms: MediaSync, name: str) -> None:
    await stored(ms)
    page = await ms.library.list_items(limit=2)
    damage, message = BAD_CURSORS[name]
    with pytest.raises(UsageError, match=message):
        await ms.library.list_items(limit=2, after=damage(page.next or ""))


async def test_a_cursor_of_another_list_is_a_clear_error(ms: MediaSync) -> None:
    await stored(ms)
    films = ItemFilter(media_types="movie")
    after = (await ms.library.list_items(films, limit=2)).next
    assert ids(await ms.library.list_items(ItemFilter(media_types=("movie",)), limit=1, after=after))
    for wanted, options in (
        (ItemFilter(), {}),
        (films, {"sort": "year"}),
        (films, {"descending": True}),
    ):
        with pytest.raises(UsageError, match="another list"):
            await ms.library.list_items(wanted, after=after, **options)
    with pytest.raises(UsageError, match="another list"):
        await ms.library.list_people(after=after)
    with pytest.raises(UsageError, match="another list"):
        await ms.library.list_cast("home:1", after=after)


BAD_FILTERS: dict[str, tuple[Callable[[], Any], str]] = {
    "a type": (lambda: ItemFilter(media_types="film"), "'film' is none of movie, show, season, episode"),
    "years": (lambda: ItemFilter(year_from=2000, year_to=1990), "year_from 2000 is after year_to 1990"),
    "a year": (lambda: ItemFilter(year_from="1990"), "year_from '1990' is not a whole number"),
    "a rating": (lambda: ItemFilter(min_rating=11), "min_rating 11"),
    "a provider id": (lambda: ItemFilter(provider_id="tt0133093"), "not PROVIDER:ID"),
    "a time": (lambda: ItemFilter(added_since=datetime(2024, 1, 1)), "added_since .* has no zone"),
    "a library": (lambda: ItemFilter(library_id="movies"), "library_id 'movies' is not a full id"),
    "a genre": (lambda: ItemFilter(genre=" "), "genre is empty"),
    "a completeness": (lambda: ItemFilter(completeness="half"), "'half' is none of none, preview, full"),
    "people": (lambda: ItemFilter(with_people=["x"] * 51), "with_people has 51 people"),
    "a prefix": (lambda: PersonFilter(name_prefix=""), "name_prefix is empty"),
    "works": (lambda: PersonFilter(min_works=1.5), "min_works 1.5 is not a whole number"),
    "an image": (lambda: PersonFilter(has_image="yes"), "has_image 'yes'"),
    "a NUL": (lambda: PersonFilter(item_id="a\0"), "NUL"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_FILTERS)
def test_a_filter_says_what_is_wrong_with_it(name: str) -> None:
    make, message = BAD_FILTERS[name]
    with pytest.raises(UsageError, match=message):
        make()


async def test_a_list_says_what_is_wrong_with_its_arguments(ms: MediaSync) -> None:
    with pytest.raises(UsageError, match="'name' is none of title, year, added, changed, rating"):
        await ms.library.list_items(sort="name")
    with pytest.raises(UsageError, match="limit 0 is not a number from 1 to 1,000"):
        await ms.library.list_items(limit=0)
    with pytest.raises(UsageError, match=r"give ItemFilter\("):
        await ms.library.list_items(PersonFilter())  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="facet: 'colour' is none of"):
        await ms.library.count_items_by("colour")


async def test_a_cursor_is_a_short_text_for_addresses(ms: MediaSync) -> None:
    await stored(ms)
    cursor = (await ms.library.list_items(limit=1)).next
    assert cursor is not None
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert json.loads(json.dumps(cursor)) == cursor


def film(number: int, history: int) -> Any:
    return movie(
        str(number + 100 * history),
        title=f"Film {number % 7}",
        year=1990 + number % 5 if number % 4 else None,
        ratings=[Rating(name="imdb", value=number % 4)] if number % 3 else [],
        genres=[f"History {history}"],
    )


@pytest.mark.parametrize("sort", ["title", "year", "rating"])
async def test_what_is_saved_and_removed_between_pages_moves_nothing_else(ms: MediaSync, sort: str) -> None:
    await prepared(ms)
    for history in range(6):
        random = Random(history)
        wanted = ItemFilter(genre=f"History {history}")
        present = set(random.sample(range(40), 15))
        stayed = set(present)
        await ms.media.save_media_items([film(n, history) for n in present], **MOVIES)
        found: list[str] = []
        page = await ms.library.list_items(wanted, sort=sort, descending=history % 2 == 0, limit=3)
        while True:
            found += ids(page)
            if page.next is None:
                break
            for number in random.sample(range(40), 3):
                if number not in present:
                    await ms.media.save_media_item(film(number, history), **MOVIES)
                    present.add(number)
                elif random.random() < 0.5:
                    await ms.media.delete_media_item(f"home:{number + 100 * history}")
                    present.discard(number)
                    stayed.discard(number)
            page = await ms.library.list_items(
                wanted, sort=sort, descending=history % 2 == 0, limit=3, after=page.next
            )
        assert len(found) == len(set(found)), "nothing appears twice"
        assert {f"home:{n + 100 * history}" for n in stayed} <= set(found), "nothing that stayed is left out"
