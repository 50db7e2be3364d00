"""Time travel: items, people and filmographies as they were shown when a run had ended, or at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.items import MOVIES, SHOWS, credit, episode, movie, person, season, show
from support.mirror import Clock, write

from mediasync import Difference, MediaSync, SyncReport
from mediasync.backends.base import Enumerated
from mediasync.errors import TooLongAgo, UnknownItem, UnknownRun, UsageError
from mediasync.testing import FakeBackend

DAY = 86_400_000
FAKE = {"library_id": "a", "source_id": "fake"}


def now(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.now / 1000, UTC)


async def sync(ms: MediaSync, *films: Any) -> int:
    """Sync films, and return the number of the run."""
    report: SyncReport = await ms.sync(FakeBackend({"a": [*films, Enumerated(len(films))]}), full=True)
    return report.run.id


async def differences(ms: MediaSync, *points: Any, **wanted: Any) -> list[Difference]:
    return [one async for one in ms.diff(*points, **wanted)]


async def test_an_item_as_it_was_after_each_run(ms: MediaSync, clock: Clock) -> None:
    runs = []
    for title, role in (("Heat", "Vincent"), ("Heat 2", "Vincent"), ("Heat 2", "Lt. Hanna")):
        clock.tick(1_000)
        film = movie("1", title=title, credits=[credit("a", "Al", role=role)], change_token=f"{title}{role}")
        runs.append(await sync(ms, film))
        stored = await ms.media.get_media_item("fake:1")
        stored.change_token = None
        assert await ms.media.get_media_item("fake:1", as_of=runs[-1]) == stored
    shown = [await ms.media.get_media_item("fake:1", as_of=run) for run in runs]
    assert [(item.title, item.cast[0].role) for item in shown] == [
        ("Heat", "Vincent"),
        ("Heat 2", "Vincent"),
        ("Heat 2", "Lt. Hanna"),
    ]
    assert len({item.created_at for item in shown}) == 1
    assert len({item.updated_at for item in shown}) == 3


async def test_a_run_that_changed_nothing_ended_after_the_changes_of_others(ms: MediaSync) -> None:
    """The clock stands still: the numbers of the changes alone say what came before a run's end."""
    first = await sync(ms, movie("1", title="One"))
    await ms.media.save_media_item(movie("9", title="Nine"), **MOVIES)
    second = await sync(ms, movie("1", title="One"))
    await ms.media.save_media_item(movie("9", title="Ten"), **MOVIES)
    third = await sync(ms, movie("1", title="Two"))
    with pytest.raises(UnknownItem, match=f"'home:9' did not exist at the end of run {first}"):
        await ms.media.get_media_item("home:9", as_of=first)
    assert (await ms.media.get_media_item("home:9", as_of=second)).title == "Nine"
    assert (await ms.media.get_media_item("fake:1", as_of=second)).title == "One"
    assert (await ms.media.get_media_item("home:9", as_of=third)).title == "Ten"
    assert (await ms.media.get_media_item("fake:1", as_of=third)).title == "Two"


async def test_a_run_of_an_older_database_ended_with_its_last_change(ms: MediaSync, clock: Clock) -> None:
    first = await sync(ms, movie("1", title="One"))
    clock.tick(1_000)
    await ms.media.save_media_item(movie("9", title="Nine"), **MOVIES)
    clock.tick(1_000)
    second = await sync(ms, movie("1", title="One"))
    clock.tick(1_000)
    await ms.media.save_media_item(movie("9", title="Ten"), **MOVIES)
    await write(ms, "UPDATE sync_run SET last_change = NULL")
    assert await ms.media.find_media_items(["home:9"], as_of=first) == []
    assert (await ms.media.get_media_item("home:9", as_of=second)).title == "Nine"


async def test_a_run_that_was_killed_ended_when_the_next_one_noticed(ms: MediaSync) -> None:
    killed = await sync(ms, movie("1", title="One"))
    end = "UPDATE sync_run SET status = 'running', finished_at = NULL, last_change = NULL, fence = 0"
    await write(ms, end)
    await ms.media.save_media_item(movie("9", title="Nine"), **MOVIES)
    assert (await ms.media.get_media_item("fake:1", as_of=killed)).title == "One"
    assert await ms.media.find_media_items(["home:9"], as_of=killed) == []
    await sync(ms, movie("1", title="Two"))
    assert (await ms.media.get_media_item("fake:1", as_of=killed)).title == "One"
    assert (await ms.media.get_media_item("home:9", as_of=killed)).title == "Nine"


async def test_a_time(ms: MediaSync, clock: Clock) -> None:
    start = now(clock)
    clock.tick(1_000)
    await ms.media.save_media_item(movie("1", title="One"), **MOVIES)
    saved = now(clock)
    clock.tick(1_000)
    await ms.media.delete_media_item("home:1")
    deleted = now(clock)
    assert [item.title for item in await ms.media.find_media_items(["home:1"], as_of=saved)] == ["One"]
    almost = deleted - timedelta(milliseconds=1)
    found = await ms.media.get_media_item("home:1", as_of=almost)
    assert (found.created_at, found.updated_at) == (saved, saved)
    for moment in (start, deleted, deleted + timedelta(days=1)):
        with pytest.raises(UnknownItem, match="did not exist at 20"):
            await ms.media.get_media_item("home:1", as_of=moment)


async def test_what_cannot_be_read(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_media_item(movie("1", title="One"), **MOVIES)
    saved = now(clock)
    clock.tick(10 * DAY)
    run = await sync(ms, movie("1", title="Two"))
    assert await ms.prune_changes(keep_days=1) > 0
    with pytest.raises(TooLongAgo, match="no longer reaches back to 20") as error:
        await ms.media.get_media_item("home:1", as_of=saved)
    assert error.value.earliest == now(clock)
    assert (await ms.media.get_media_item("home:1", as_of=run)).title == "One"
    clock.tick(10 * DAY)
    await ms.prune_changes(keep_days=1)
    assert (await ms.media.get_media_item("home:1", as_of=run)).title == "One"
    clock.tick(1_000)
    assert (await ms.media.get_media_item("home:1", as_of=now(clock))).title == "One"
    with pytest.raises(TooLongAgo, match=r"reaches back to 20.*00$"):
        await ms.media.get_media_item("home:1", as_of=saved)
    with pytest.raises(UnknownRun, match="no run 77"):
        await ms.people.find_by_id("home:a", as_of=77)
    with pytest.raises(UsageError, match="zone"):
        await ms.people.filmography("home:a", as_of=datetime(2026, 1, 1))
    await write(ms, "UPDATE sync_run SET status = 'running'")
    await write(ms, "UPDATE lease SET expires_at = :at, fence = 5", at=2**60)
    await write(ms, "UPDATE sync_run SET fence = 5")
    with pytest.raises(UsageError, match="still running"):
        await differences(ms, run, saved)


async def test_people_have_the_names_and_credits_of_then(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_media_item(
        movie("1", title="Heat", year=1995, credits=[credit("a", "Ann")]), **MOVIES
    )
    await ms.media.save_media_item(movie("2", credits=[credit("a", "Ann"), credit("b", "Bo")]), **MOVIES)
    then = now(clock)
    clock.tick(1_000)
    await ms.media.save_media_item(movie("1", title="Heat", credits=[credit("a", "Anna")]), **MOVIES)
    await ms.media.save_media_item(movie("3", credits=[credit("a", "Anna"), credit("c", "Cy")]), **MOVIES)
    clock.tick(1_000)
    await ms.media.delete_media_item("home:2")
    await ms.people.delete("home:b")
    found = await ms.media.get_media_item("home:2", as_of=then)
    assert [one.person.name for one in found.credits or ()] == ["Ann", "Bo"]
    names = {}
    for person_id in ("home:a", "home:b", "home:c"):
        shown = await ms.people.find_by_id(person_id, as_of=then)
        names[person_id] = shown and shown.name
    assert names == {"home:a": "Ann", "home:b": "Bo", "home:c": None}
    films = await ms.people.filmography("home:a", as_of=then)
    assert [(film.title, film.year) for film in films] == [("Heat", 1995), ("Movie 2", None)]
    assert await ms.people.filmography("home:a", as_of=then, limit=1, offset=1) == films[1:]
    assert [one.name for one in await ms.people.search("an", as_of=then)] == ["Ann"]
    assert [one.id for one in await ms.people.search("bo", as_of=then)] == ["home:b"]
    assert await ms.people.search("cy", as_of=then) == []


async def test_merged_people_are_apart_before_they_were_merged(ms: MediaSync, clock: Clock) -> None:
    known = {"home:imdb:nm1": {"imdb": "nm1"}, "home:tmdb:1": {"tmdb": "1"}}
    for key, (name, ids) in zip("12", zip(("Ann", "Ann B"), known.values(), strict=True), strict=True):
        await ms.media.save_media_item(movie(key, credits=[credit(None, name, provider_ids=ids)]), **MOVIES)
    then = now(clock)
    clock.tick(1_000)
    both = credit(None, "Ann", provider_ids={"imdb": "nm1", "tmdb": "1"})
    await ms.media.save_media_item(movie("3", credits=[both]), **MOVIES)
    for person_id, ids in known.items():
        found = await ms.people.find_by_id(person_id, as_of=then)
        assert found is not None
        assert (found.id, found.provider_ids) == (person_id, ids)
        assert len(await ms.people.filmography(person_id, as_of=then)) == 1
    later = {
        found and found.id for one in known for found in [await ms.people.find_by_id(one, as_of=now(clock))]
    }
    assert len(later) == 1
    [merged] = [one for one in await differences(ms, then, now(clock)) if one.what == "merged"]
    assert {merged.entity_id, merged.other_id} == set(known)


async def test_items_are_found_by_the_titles_and_ids_of_then(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_media_item(movie("1", title="Heat", provider_ids={"imdb": "tt1"}), **MOVIES)
    await ms.media.save_media_item(movie("2", title="The Heat Wave"), **MOVIES)
    await ms.media.save_media_item(movie("3", title="Ronin"), **MOVIES)
    then = now(clock)
    clock.tick(1_000)
    await ms.media.save_media_item(movie("1", title="Cold", provider_ids={"imdb": "tt9"}), **MOVIES)
    await ms.media.delete_media_item("home:2")
    await ms.media.save_media_item(movie("3", title="Heat"), **MOVIES)

    async def titled(text: str, **wanted: Any) -> list[str | None]:
        return [item.id for item in await ms.media.find_by_title(text, as_of=then, **wanted)]

    assert await titled("heat") == ["home:1"]
    assert await titled("hea") == ["home:1", "home:2"]
    assert await titled("hea", limit=1) == ["home:1"]
    assert await titled("ronin") == ["home:3"]
    assert await titled("cold") == []
    for value, found in (("tt1", ["home:1"]), ("tt9", [])):
        items = await ms.media.find_by_provider_id("imdb", value, as_of=then)
        assert [item.id for item in items] == found


async def test_a_show_with_what_stood_below_it(ms: MediaSync, clock: Clock) -> None:
    family = [show(title="Dark"), season(), episode(credits=[credit("a", "Ann")])]
    await ms.media.save_media_items(family, **SHOWS)
    films = await ms.people.filmography("home:a")
    then = now(clock)
    clock.tick(1_000)
    await ms.media.save_media_item(show(title="Darker"), **SHOWS)
    await ms.media.delete_media_item("home:s-1")
    assert [item.id for item in await ms.media.list_children("home:s", as_of=then)] == ["home:s-1"]
    [below] = await ms.media.list_children("home:s-1", as_of=then)
    assert (below.id, below.model_dump()["parent_remote_id"]) == ("home:s-1-1", "s-1")
    assert await ms.people.filmography("home:a", as_of=then) == films
    assert (films[0].show_id, films[0].show_title) == ("home:s", "Dark")
    assert await ms.media.list_children("home:s", as_of=now(clock)) == []


async def test_an_item_that_is_only_marked_as_missing_is_not_shown(ms: MediaSync) -> None:
    one, two = movie("1", title="One", credits=[credit("a", "Ann")]), movie("2")
    first, gone, back = [await sync(ms, *films) for films in ((one, two), (two,), (one, two))]
    for run, titles in ((first, ["One"]), (gone, []), (back, ["One"])):
        assert [item.title for item in await ms.media.find_media_items(["fake:1"], as_of=run)] == titles
        assert [film.title for film in await ms.people.filmography("fake:a", as_of=run)] == titles
        assert (await ms.people.find_by_id("fake:a", as_of=run) is not None) == bool(titles)
    what = {one.entity_id: str(one.what) for one in await differences(ms, first, gone)}
    assert what == {"fake:1": "removed", "fake:a": "removed"}
    assert await differences(ms, first, back) == []


async def test_the_difference_of_two_runs_is_a_net_one(ms: MediaSync, clock: Clock) -> None:
    one, two = credit("a", "Ann", role="R"), credit("b", "Bo")
    first = await sync(ms, movie("1", title="A", year=1995, credits=[one]), movie("2", title="B"), movie("4"))
    await ms.media.save_media_item(movie("9"), **MOVIES)
    await sync(ms, movie("1", title="X", credits=[one]), movie("2", title="Y"), movie("4"))
    await ms.media.save_media_item(movie("5", title="Brief"), **FAKE)
    await ms.media.delete_media_item("fake:5")
    await ms.media.delete_media_item("fake:4")
    film = movie("1", title="Z", year=1995, credits=[two, credit("a", "Ann", role="S")])
    last = await sync(ms, film, movie("2", title="B"), movie("3", title="C"))
    found = {one.entity_id: one for one in await differences(ms, first, last) if one.entity == "item"}
    assert {key: (str(one.what), one.name) for key, one in found.items()} == {
        "home:9": ("added", "Movie 9"),
        "fake:4": ("removed", "Movie 4"),
        "fake:1": ("changed", "Z"),
        "fake:3": ("added", "C"),
    }
    changed = found["fake:1"]
    assert [(field.name, field.old, field.new) for field in changed.fields] == [("title", "A", "Z")]
    assert [(str(one.what), one.name, one.old_role, one.role) for one in changed.credits] == [
        ("added", "Bo", None, None),
        ("role", "Ann", "R", "S"),
    ]
    assert changed.year == 1995
    of_source = await differences(ms, first, last, source_id="home")
    assert [one.entity_id for one in of_source] == ["home:9"]
    back = {
        one.entity_id: str(one.what) for one in await differences(ms, last, first) if one.entity == "item"
    }
    assert back == {"home:9": "removed", "fake:4": "added", "fake:1": "changed", "fake:3": "removed"}
    assert await differences(ms, last, last) == []


async def test_people_and_sources_in_a_difference(ms: MediaSync, clock: Clock) -> None:
    await ms.people.upsert(person("a", "Ann"), source_id="home")
    await ms.people.upsert(person("b", "Bo"), source_id="home")
    start = now(clock)
    clock.tick(1_000)
    await ms.people.upsert(person("a", "Anna"), source_id="home")
    await ms.people.delete("home:b")
    await sync(ms, movie("1"))
    found = {one.entity_id: one for one in await differences(ms, start, now(clock))}
    assert {key: (str(one.what), one.name) for key, one in found.items() if one.entity == "person"} == {
        "home:a": ("changed", "Anna"),
        "home:b": ("removed", "Bo"),
    }
    assert [field.old for field in found["home:a"].fields] == ["Ann"]
    assert str(found["fake"].what) == "added"
    assert str(found["fake:a"].what) == "added"
