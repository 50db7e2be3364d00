"""A save writes only differences: single credits and details, and people's fields on their own."""

from __future__ import annotations

from typing import Any

import pytest
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, season, show
from support.mirror import Clock, public, rows, value, written

from mediasync import Credit, MediaItem, MediaSync, Movie, SaveStatus
from mediasync.copying.rules import NOT_COMPARED

FILMS = 30

LOGGED = 2
"""The rows that logging one change writes: the change, and the counter of changes."""


def films(name: str = "Ann Lee", image: str | None = None, *, one: int | None = None) -> list[MediaItem]:
    """Return films that all credit person ``a``: as *name* with *image*, or only number *one* of them."""
    return [
        movie(
            str(n),
            credits=[
                *cast(f"own{n}"),
                credit(
                    "a",
                    name if one in (None, n) else "Ann Lee",
                    image_path=image if one in (None, n) else None,
                ),
            ],
        )
        for n in range(FILMS)
    ]


async def differing(ms: MediaSync, before: dict[str, Any]) -> dict[str, int]:
    """Return how many rows of each view are new or changed, without views that show rows of others."""
    after = await public(ms)
    found = {view: len(set(after[view]) - set(before[view])) for view in after.keys() - NOT_COMPARED.keys()}
    return {view: number for view, number in found.items() if number}


async def name_of(ms: MediaSync, person_id: str = "home:a") -> str:
    return await value(ms, "SELECT name FROM people WHERE id = :id", id=person_id)


@pytest.mark.parametrize("of_one_film", [False, True])
@pytest.mark.parametrize("change", [{"image": "new"}, {"name": "Lee Ann"}, {"name": "Anna Lee"}])
async def test_a_change_of_a_person_is_written_once_and_moves_no_item(
    ms: MediaSync, clock: Clock, change: dict[str, str], of_one_film: bool
) -> None:
    await ms.media.save_media_items(films(), **MOVIES)
    for given in (change, {}, change):  # there, back, and there again
        before, count = await public(ms), await written(ms)
        clock.tick()
        if "image" in change and not given:
            given = {"image": "old"}
        again = films(**given, one=7 if of_one_film and given else None)
        report = await ms.media.save_media_items(again, **MOVIES)
        assert (report.saved, report.unchanged) == (1, FILMS - 1)
        assert await differing(ms, before) == {"people": 1, "changes": 1}
        if isinstance(count, int):
            words = 2 if change.get("name") == "Anna Lee" else 0
            assert await written(ms) - count == LOGGED + 1 + words
        if "name" in change:
            assert await name_of(ms) == given.get("name", "Ann Lee")
        seen, count = await public(ms), await written(ms)
        clock.tick()
        report = await ms.media.save_media_items(again, **MOVIES)
        assert report.unchanged == FILMS
        assert (await public(ms), await written(ms)) == (seen, count)
    assert (await ms.check()).flaws == ()


def numbered(number: int, **changes: Credit) -> list[Credit]:
    return [changes.get(f"n{n}", credit(f"{n}", role=f"Role {n}")) for n in range(number)]


@pytest.mark.parametrize(
    ("after", "differ"),
    [
        (numbered(209, n77=credit("77", role="Another")), 1),
        (numbered(209, n77=credit("77", kind="director", role="Role 77")), 1),
        (numbered(208), 1),
        (numbered(210), 1),
        (numbered(207)[::-1] + numbered(209)[207:], 206),
    ],
    ids=["role", "type", "one less", "one more", "other order"],
)
async def test_only_differing_credits_are_written(
    ms: MediaSync, clock: Clock, after: list[Credit], differ: int
) -> None:
    await ms.media.save_media_item(movie(credits=numbered(209)), **MOVIES)
    before, count = await public(ms), await written(ms)
    clock.tick()
    await ms.media.save_media_item(movie(credits=after), **MOVIES)
    shown = await rows(
        ms, "SELECT person_id, person_type, role FROM media_people ORDER BY media_item_id, sort_order"
    )
    assert shown == [(f"home:{one.person.remote_id}", str(one.person_type), one.role) for one in after]
    if isinstance(count, int):
        people = abs(len(after) - 209)  # one more, or one who is not shown any more
        words = 2 * (len(after) > 209)
        hidden = int(len(after) < 209)  # the change log names the person who is not shown any more
        assert await written(ms) - count == LOGGED + 1 + differ + people + words + hidden
    assert (await differing(ms, before))["media_items"] == 1
    assert (await ms.check()).flaws == ()


DETAILS: dict[str, Any] = {
    "genres": ["A", "B", "C"],
    "provider_ids": {"imdb": "tt1", "tmdb": "1"},
    "images": {"poster": "p", "fanart": "f"},
    "ratings": [{"name": "imdb", "value": 7.5, "votes": None}, {"name": "tmdb", "value": 7, "votes": 3}],
}


@pytest.mark.parametrize(
    ("change", "differ"),
    [
        ({"genres": ["A", "X", "C"]}, 1),
        ({"genres": ["A"]}, 2),
        ({"genres": ["A", "B", "C", "D"]}, 1),
        ({"provider_ids": {"imdb": "tt1", "tmdb": "2"}}, 1),
        ({"provider_ids": {"imdb": "tt1"}}, 1),
        ({"images": {"poster": "q", "fanart": "f", "logo": "l"}}, 2),
        ({"ratings": [{"name": "imdb", "value": 7.5, "votes": 9}, DETAILS["ratings"][1]]}, 1),
        ({"ratings": []}, 2),
        ({"year": 2000}, 0),
    ],
    ids=str,
)
async def test_only_differing_details_are_written(
    ms: MediaSync, clock: Clock, change: dict[str, Any], differ: int
) -> None:
    await ms.media.save_media_item(movie(**DETAILS, credits=cast("a")), **MOVIES)
    count = await written(ms)
    clock.tick()
    given = movie(**{**DETAILS, **change}, credits=cast("a"))
    await ms.media.save_media_item(given, **MOVIES)
    if isinstance(count, int):
        words = await value(ms, "SELECT count(*) FROM item_word") if "year" in change else 0
        assert await written(ms) - count == LOGGED + 1 + differ + 2 * words
    found = await ms.media.get_media_item("home:1")
    for name in DETAILS:
        assert getattr(found, name) == getattr(given, name)


# Items that do not agree on a person


async def test_an_unchanged_item_does_not_bring_its_spelling_back(ms: MediaSync, clock: Clock) -> None:
    given = [
        movie("1", credits=[credit("a", "Ann")]),
        movie("2", credits=[credit("a", "Anna", image_path="i")]),
    ]
    await ms.media.save_media_items(given, **MOVIES)
    assert await name_of(ms) == "Anna"
    for _ in range(2):
        seen, count = await public(ms), await written(ms)
        clock.tick()
        assert (await ms.media.save_media_items(given[::-1], **MOVIES)).unchanged == 2
        assert (await public(ms), await written(ms)) == (seen, count)


async def test_the_last_new_or_changed_item_names_a_person(ms: MediaSync) -> None:
    names = ["Ann", "Anna", "Ann", "Anne", "Anna"]
    await ms.media.save_media_items(
        [movie(f"{n}", credits=[credit("a", name)]) for n, name in enumerate(names)], **MOVIES
    )
    assert await name_of(ms) == "Anna"
    await ms.media.save_media_item(movie("0", credits=[credit("a", "Ann"), *cast("b")]), **MOVIES)
    assert await name_of(ms) == "Ann", "its list changed"


async def test_another_item_may_name_a_person_once_the_first_is_removed(ms: MediaSync) -> None:
    given = [movie("1", credits=[credit("a", "Ann")]), movie("2", credits=[credit("a", "Anna")])]
    await ms.media.save_media_items(given, **MOVIES)
    await ms.media.delete_media_item("home:2")
    assert await name_of(ms) == "Anna"
    assert (await ms.media.save_media_item(given[0], **MOVIES)).status is SaveStatus.SAVED
    assert await name_of(ms) == "Ann"
    assert (await ms.media.save_media_item(given[0], **MOVIES)).status is SaveStatus.UNCHANGED


async def test_a_spelling_that_differs_in_case_alone_does_not_come_back(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_media_item(movie("1", credits=[credit("a", "ann lee")]), **MOVIES)
    await ms.media.save_media_item(movie("2", credits=[credit("a", "Ann Lee")]), **MOVIES)
    assert await name_of(ms) == "Ann Lee"
    await ms.media.save_media_item(movie("3", credits=[credit("a", "ann lee", image_path="i")]), **MOVIES)
    assert await rows(ms, "SELECT name, image_path FROM people") == [("Ann Lee", "i")]
    seen, count = await public(ms), await written(ms)
    clock.tick()
    for key, name, image in (("1", "ann lee", None), ("2", "Ann Lee", None), ("3", "ann lee", "i")):
        given = movie(key, credits=[credit("a", name, image_path=image)])
        assert (await ms.media.save_media_item(given, **MOVIES)).status is SaveStatus.UNCHANGED
    assert (await public(ms), await written(ms)) == (seen, count)


# People without credits


async def people(ms: MediaSync) -> list[str]:
    found = [person_id for (person_id,) in await rows(ms, "SELECT id FROM people ORDER BY id")]
    assert await ms.people.count() == len(found)
    for key in "abc":
        searched = await ms.people.search(f"Person {key}")
        assert [one.id for one in searched] == [one for one in found if one == f"home:{key}"]
        assert (await ms.people.find_by_id(f"home:{key}") is not None) == (f"home:{key}" in found)
    return [person_id.removeprefix("home:") for person_id in found]


@pytest.mark.parametrize(
    "remove",
    [
        lambda ms: ms.media.save_media_item(movie("1", credits=cast("a")), **MOVIES),
        lambda ms: ms.media.save_media_people("home:1", cast("a")),
        lambda ms: ms.media.save_media_item(movie("1", credits=[], completeness="full"), **MOVIES),
        lambda ms: ms.media.delete_media_people("home:1"),
        lambda ms: ms.media.delete_media_item("home:1"),
    ],
    ids=["another list", "save_media_people", "cleared", "delete_media_people", "delete_media_item"],
)
async def test_people_without_credits_are_no_longer_shown(ms: MediaSync, clock: Clock, remove: Any) -> None:
    await ms.people.upsert(credit("c").person, source_id="home")
    await ms.media.save_media_items(
        [movie("1", credits=cast("a", "b")), movie("2", credits=cast("a"))], **MOVIES
    )
    assert await people(ms) == ["a", "b", "c"]
    await remove(ms)
    assert await people(ms) == ["a", "c"], "who never had credits stays"
    assert (await ms.check()).flaws == ()
    clock.tick()
    await ms.media.save_media_item(movie("3", credits=cast("b")), **MOVIES)
    assert await people(ms) == ["a", "b", "c"]
    await ms.media.delete_media_item("home:3")
    assert await people(ms) == ["a", "c"]
    await ms.people.upsert(credit("b").person, source_id="home")
    assert await people(ms) == ["a", "b", "c"], "saved on purpose"
    assert (await ms.check()).flaws == ()


async def test_a_person_who_moves_from_one_item_to_another_in_one_call_stays(ms: MediaSync) -> None:
    await ms.media.save_media_items(
        [movie("1", credits=cast("a", "b")), movie("2", credits=cast("c"))], **MOVIES
    )
    await ms.media.save_media_items([movie("1", credits=cast("a")), movie("2", credits=cast("b"))], **MOVIES)
    assert await people(ms) == ["a", "b"]


# What stands below an item


@pytest.mark.parametrize("in_one_call", [True, False])
async def test_a_show_with_seasons_does_not_become_a_movie(ms: MediaSync, in_one_call: bool) -> None:
    await ms.media.save_media_items([show(), season(), episode(), episode("x", parent="s")], **SHOWS)
    seen = await public(ms)
    given: list[MediaItem] = [movie("s", title="Film"), movie("other")]
    if in_one_call:
        report = await ms.media.save_media_items(given, **SHOWS)
        assert report.saved == 1
        [(item_id, reason)] = report.failed
        assert item_id == "home:s"
        assert "stored as a show" in reason
        assert "stands below it" in reason
        await ms.media.delete_media_item("home:other")
        assert (await differing(ms, seen)).keys() == {"changes"}
    await ms.media.delete_media_item("home:s-1")
    await ms.media.delete_media_item("home:x")
    assert (await ms.media.save_media_items(given, **SHOWS)).saved == 2
    assert (await ms.media.get_media_item("home:s")).title == "Film"
    assert (await ms.check()).flaws == ()


async def test_a_show_can_become_a_movie_once_its_seasons_moved_away(ms: MediaSync) -> None:
    await ms.media.save_media_items([show("s"), show("t"), season("s-1", parent="s")], **SHOWS)
    given = [season("s-1", parent="t"), Movie(remote_id="s", title="Film")]
    report = await ms.media.save_media_items(given, **SHOWS)
    assert (report.saved, report.failed) == (2, [])
    assert (await ms.check()).flaws == ()
