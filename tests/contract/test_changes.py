"""The change log: every write of what the views show, once, with what was there before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from support.engines import Engine
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, person, season, show
from support.mirror import Clock, prepared, rows, value, write

from mediasync import Library, MediaSync, Rating, Source
from mediasync.backends.base import Enumerated
from mediasync.changes import Change, WriteContext
from mediasync.database.session import Session
from mediasync.errors import ChangesPruned, DatabaseError, LifecycleError, PersonInUse, UsageError
from mediasync.saving.outbox import Outbox
from mediasync.testing import FakeBackend, count_waiting_writes, database_of, hold_writes

DAY = 86_400_000
WAITING = "SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted"


async def log(ms: MediaSync, after: int | None = None) -> list[Change]:
    """Return the changes after a number."""
    return [change async for change in ms.changes(after=after, follow=False)]


def brief(changes: Iterable[Change]) -> list[tuple[Any, ...]]:
    """Return what happened to what, and the values before where something changed."""
    return [
        (change.what.value, change.entity.value, change.entity_id)
        if change.what == "added"
        else (change.what.value, change.entity.value, change.entity_id, change.before)
        for change in changes
    ]


async def newest(ms: MediaSync) -> int:
    return await ms.newest_change()


async def test_an_item_that_is_new_is_one_short_row_and_its_people_are_none(
    ms: MediaSync, clock: Clock
) -> None:
    start = await newest(ms)
    await ms.media.save_media_item(movie(credits=cast("a", "b")), **MOVIES)
    [change] = await log(ms, start)
    at = datetime.fromtimestamp(clock.now / 1000, UTC)
    assert change == Change(start + 1, at, None, "api", "item", "home:1", "added", None)  # type: ignore[arg-type]


async def test_sources_and_libraries_are_logged(ms: MediaSync) -> None:
    assert brief(await log(ms)) == [
        ("added", "source", "home"),
        ("added", "library", "home:movies"),
        ("added", "library", "home:shows"),
    ]
    start = await newest(ms)
    await prepared(ms)
    await ms.media.save_source(Source(id="home", kind="jellyfin", name="Attic", server_id="x"))
    await ms.media.save_library(Library(id="movies", source_id="home", title="Films", kind="movies"))
    assert brief(await log(ms, start)) == [
        ("changed", "source", "home", {"name": "Home", "server_id": None}),
        ("changed", "library", "home:movies", {"title": "Movies"}),
    ]


async def test_saving_what_is_stored_logs_nothing(ms: MediaSync) -> None:
    films = [movie(str(n), credits=cast("a", "b")) for n in range(3)]
    await ms.media.save_media_items(films, **MOVIES)
    start = await newest(ms)
    await ms.media.save_media_items(films, **MOVIES)
    await ms.media.save_media_item(films[0], **MOVIES)
    await ms.media.save_media_people("home:1", cast("a", "b"))
    await ms.people.upsert(person("a"), source_id="home")
    await prepared(ms)
    assert await log(ms, start) == []


async def test_of_changed_fields_the_old_values_are_kept(ms: MediaSync) -> None:
    old = movie(
        title="Alien",
        year=1979,
        added_at=datetime(2020, 1, 2, 3, 4, 5, 678_000, UTC),
        genres=["Horror"],
        ratings=[Rating(name="imdb", value=8.5, votes=3)],
        provider_ids={"imdb": "tt1", "tmdb": "7"},
        images={"poster": "/p"},
    )
    await ms.media.save_media_item(old, **MOVIES)
    start = await newest(ms)
    new = movie(
        title="Alien",
        year=1980,
        genres=["Horror", "Space"],
        provider_ids={"imdb": "tt2"},
        images={"poster": "/q"},
    )
    await ms.media.save_media_item(new, **MOVIES)
    [change] = await log(ms, start)
    assert change.what == "changed"
    assert change.before == {
        "year": 1979,
        "added_at": "2020-01-02T03:04:05.678Z",
        "genres": ["Horror"],
        "ratings": [["imdb", 8.5, 3]],
        "provider_ids": {"imdb": "tt1", "tmdb": "7"},
        "images": {"poster": "/p"},
    }
    assert await value(ms, "SELECT before FROM changes WHERE number = 4") is None


async def test_of_changed_credits_the_whole_old_list_is_kept(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie(credits=cast("a", "b")), **MOVIES)
    start = await newest(ms)
    await ms.media.save_media_item(movie(credits=cast("b")), **MOVIES)
    await ms.media.save_media_people("home:1", [credit("b", kind="writer")])
    assert brief(await log(ms, start)) == [
        (
            "changed",
            "item",
            "home:1",
            {"credits": [["home:a", "actor", "Role of a"], ["home:b", "actor", "Role of b"]]},
        ),
        (
            "removed",
            "person",
            "home:a",
            {"name": "Person a", "image_path": None, "provider_ids": {}},
        ),
        ("changed", "item", "home:1", {"credits": [["home:b", "actor", "Role of b"]]}),
    ]


async def test_a_list_that_was_unknown_is_logged_with_what_was_known(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie(), **MOVIES)
    start = await newest(ms)
    await ms.media.save_media_item(movie(credits=cast("a"), completeness="preview"), **MOVIES)
    await ms.media.delete_media_people("home:1")
    assert brief(await log(ms, start))[:2] == [
        ("changed", "item", "home:1", {"completeness": "none", "credits": []}),
        (
            "changed",
            "item",
            "home:1",
            {"completeness": "preview", "credits": [["home:a", "actor", "Role of a"]]},
        ),
    ]


async def test_a_deleted_show_is_logged_with_all_below_it(ms: MediaSync) -> None:
    await ms.media.save_media_items(
        [show(), season(), episode(credits=[credit("a", "Ann", image_path="/ann")])], **SHOWS
    )
    start = await newest(ms)
    assert await ms.media.delete_media_item("home:s")
    changes = await log(ms, start)
    assert [change[:3] for change in brief(changes)] == [
        ("removed", "item", "home:s-1-1"),
        ("removed", "item", "home:s-1"),
        ("removed", "item", "home:s"),
        ("removed", "person", "home:a"),
    ]
    before = changes[0].before
    assert before is not None
    assert before["parent_id"] == "home:s-1"
    assert before["credits"] == [["home:a", "actor", None]]
    assert before["library_id"] == "home:shows"
    assert before["libraries"] == ["home:shows"]
    assert changes[3].before == {"name": "Ann", "image_path": "/ann", "provider_ids": {}}


async def test_a_further_library_of_an_item_is_logged(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie(), **MOVIES)
    start = await newest(ms)
    await ms.media.save_media_item(movie(), library_id="shows", source_id="home")
    assert brief(await log(ms, start)) == [("changed", "item", "home:1", {"libraries": ["home:movies"]})]


async def test_people_saved_apart_are_logged(ms: MediaSync) -> None:
    start = await newest(ms)
    await ms.people.upsert(person("a", "Ann", provider_ids={"imdb": "nm1"}), source_id="home")
    await ms.people.upsert(person("a", "Anna", image_path="/a"), source_id="home")
    await ms.media.save_media_item(movie(credits=[credit("a", "Anne")]), **MOVIES)
    await ms.media.delete_media_item("home:1")
    await ms.people.upsert(person("a", "Anne"), source_id="home")
    await ms.people.delete("home:a")
    whole = {"name": "Anne", "image_path": "/a", "provider_ids": {"imdb": "nm1"}}
    changes = brief(await log(ms, start))
    assert [change for change in changes if change[1] == "person"] == [
        ("added", "person", "home:a"),
        ("changed", "person", "home:a", {"name": "Ann", "image_path": None}),
        ("changed", "person", "home:a", {"name": "Anna"}),
        ("removed", "person", "home:a", whole),
        ("added", "person", "home:a"),
        ("removed", "person", "home:a", whole),
    ]


async def test_merged_people_are_logged(ms: MediaSync) -> None:
    both = {"imdb": "nm1", "tmdb": "1"}
    await ms.media.save_media_items(
        [
            movie("1", credits=[credit(None, "Ann", provider_ids={"imdb": "nm1"})]),
            movie("2", credits=[credit(None, "Ann B", provider_ids={"tmdb": "1"})]),
        ],
        **MOVIES,
    )
    people = {name: item_id for item_id, name in await rows(ms, "SELECT id, name FROM people")}
    start = await newest(ms)
    await ms.media.save_media_item(movie("3", credits=[credit(None, "Ann", provider_ids=both)]), **MOVIES)
    changes = await log(ms, start)
    merged = next(change for change in changes if change.what == "merged")
    assert {merged.entity_id, merged.other_id} == set(people.values())
    assert merged.before is not None
    assert {"name", "image_path", "provider_ids"} == set(merged.before)
    moved = next(change for change in changes if change.what == "changed" and change.entity == "item")
    assert moved.before == {"credits": [[merged.entity_id, "actor", None]]}
    assert await value(ms, "SELECT count(*) FROM people") == 1


async def test_a_context_is_logged_of_each_item_of_a_group(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie("2", credits=[credit("a", "Ann")]), **MOVIES)
    start = await newest(ms)
    context = WriteContext(7, reason="sync")
    await asyncio.gather(
        ms.media.save_media_item(movie("1"), **MOVIES),
        ms.media.save_media_items([movie("2", credits=[credit("a", "Anna")])], **MOVIES, context=context),
        ms.media.save_media_item(movie("3"), **MOVIES),
    )
    assert {(one.entity_id, one.reason, one.run_id) for one in await log(ms, start)} == {
        ("home:1", "api", None),
        ("home:a", "sync", 7),
        ("home:3", "api", None),
    }


async def test_what_fails_leaves_no_row(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie("1", credits=cast("a")), **MOVIES)
    start = await newest(ms)
    with pytest.raises(UsageError):
        await ms.media.save_media_item(movie("2", title="\0"), **MOVIES)
    with pytest.raises(UsageError):
        await ms.media.save_media_item(season(parent="none"), **SHOWS)
    assert not await ms.media.delete_media_item("home:none")

    with pytest.raises(PersonInUse):
        await ms.people.delete("home:a")

    async def fail(session: Session) -> None:
        outbox = Outbox(session)
        outbox.add_item("home:9")
        await outbox.write()
        raise DatabaseError("no")

    with pytest.raises(DatabaseError):
        await database_of(ms).write(fail)
    assert await log(ms, start) == []
    await ms.media.save_media_item(movie("2"), **MOVIES)
    assert [change.number for change in await log(ms, start)] == [start + 1]


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 10, 20, 50])
async def test_a_cancelled_save_leaves_rows_exactly_if_it_was_committed(ms: MediaSync, turns: int) -> None:
    await ms.media.save_media_item(movie("b", credits=cast("a")), **MOVIES)
    start = await newest(ms)
    changed = movie("b", title="New", credits=cast("c"))
    saves = [asyncio.create_task(ms.media.save_media_item(item, **MOVIES)) for item in (movie("a"), changed)]
    for _ in range(turns):
        await asyncio.sleep(0)
    for save in saves:
        save.cancel()
    ended = await asyncio.gather(*saves, return_exceptions=True)
    assert await ms.people.upsert(person("last"), source_id="home"), "the writer has ended what it had begun"
    committed = []
    if await rows(ms, "SELECT id FROM media_items WHERE id = 'home:a'"):
        committed.append(("added", "home:a"))
    if await rows(ms, "SELECT id FROM media_items WHERE title = 'New'"):
        committed += [("removed", "home:a"), ("changed", "home:b")]
    logged = [(change.what.value, change.entity_id) for change in await log(ms, start)]
    assert sorted(logged) == sorted([*committed, ("added", "home:last")])
    for save, outcome in zip(("a", "b"), ended, strict=True):
        assert isinstance(outcome, asyncio.CancelledError) or f"home:{save}" in {one for _, one in committed}


async def test_a_save_that_is_cancelled_while_it_waits_leaves_no_row(ms: MediaSync) -> None:
    start = await newest(ms)
    with hold_writes(ms):
        save = asyncio.create_task(ms.media.save_media_item(movie(credits=cast("a")), **MOVIES))
        while not count_waiting_writes(ms):
            await asyncio.sleep(0)
        save.cancel()
        with pytest.raises(asyncio.CancelledError):
            await save
    assert await log(ms, start) == []
    await ms.media.save_media_item(movie(), **MOVIES)
    assert [change.number for change in await log(ms, start)] == [start + 1]


async def test_a_reader_gets_what_is_committed_meanwhile(ms: MediaSync) -> None:
    start, found = await newest(ms), []

    async def read() -> None:
        async for change in ms.changes(after=start):
            found.append(change.entity_id)
            if len(found) == 40:
                return

    reader = asyncio.create_task(read())
    for n in range(40):
        await ms.media.save_media_item(movie(str(n)), **MOVIES)
    async with asyncio.timeout(20):
        await reader
    assert found == [f"home:{n}" for n in range(40)]


async def test_a_reader_gets_what_other_processes_commit(ms: MediaSync, url: str, engine: Engine) -> None:
    if not engine.lasts:
        pytest.skip("nobody else reads a database in memory")
    start = await newest(ms)
    async with MediaSync(url, read_only=True) as other:
        reader = other.changes(after=start)
        first = asyncio.create_task(anext(reader))
        await asyncio.sleep(0)
        await ms.media.save_media_item(movie(), **MOVIES)
        async with asyncio.timeout(20):
            assert (await first).entity_id == "home:1"
        await reader.aclose()


async def test_closing_the_mirror_ends_the_iteration(url: str, engine: Engine) -> None:
    ms = MediaSync(url)
    await ms.open()
    reader = asyncio.create_task(_all(ms))
    await asyncio.sleep(0.01)
    await ms.close()
    async with asyncio.timeout(20):
        assert await reader == 0
    with pytest.raises(LifecycleError):
        await anext(ms.changes())


async def _all(ms: MediaSync) -> int:
    return len([change async for change in ms.changes(after=0)])


async def test_many_changes_are_read_page_by_page(ms: MediaSync) -> None:
    start = await newest(ms)
    await ms.media.save_media_items([movie(f"{n:04}") for n in range(1_203)], **MOVIES)
    changes = await log(ms, start)
    assert [change.number for change in changes] == list(range(start + 1, start + 1_204))
    assert {change.entity_id for change in changes} == {f"home:{n:04}" for n in range(1_203)}


async def test_a_number_that_is_not_there_is_an_error(ms: MediaSync) -> None:
    start = await newest(ms)
    for number in (-1, start + 1):
        with pytest.raises(UsageError, match=f"no change {number}: the newest one is {start}"):
            await log(ms, number)


async def test_pruned_changes_are_not_a_silent_gap(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_media_item(movie("1"), **MOVIES)
    old = await newest(ms)
    clock.tick(30 * DAY)
    await ms.media.save_media_item(movie("2"), **MOVIES)
    assert await ms.prune_changes() == 0
    assert await ms.prune_changes(31) == 0
    assert await ms.prune_changes(29) == old
    assert [change.entity_id for change in await log(ms)] == ["home:2"]
    assert [change.entity_id for change in await log(ms, old)] == ["home:2"]
    with pytest.raises(ChangesPruned, match=f"changes 1 to {old} are no longer kept") as caught:
        await log(ms, 0)
    assert (caught.value.after, caught.value.pruned) == (0, old)
    clock.tick(30 * DAY)
    assert await ms.prune_changes(1) == 1
    assert await log(ms) == []
    await ms.media.save_media_item(movie("3"), **MOVIES)
    assert [change.number for change in await log(ms)] == [old + 2]
    with pytest.raises(UsageError, match="keep_days is -1"):
        await ms.prune_changes(-1)


async def test_pruning_takes_more_than_one_step(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_media_items([movie(f"{n:04}") for n in range(6_000)], **MOVIES)
    clock.tick(DAY)
    assert await ms.prune_changes(0.5) == await newest(ms)


async def test_the_view_shows_the_log(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie(), **MOVIES)
    await ms.media.save_media_item(movie(title="Other"), **MOVIES)
    found = await rows(
        ms,
        "SELECT changed_at, run_id, reason, entity, entity_id, what, before, other_id FROM changes "
        "WHERE entity_id = :id ORDER BY number",
        id="home:1",
    )
    assert found == [
        ("2023-11-14T22:13:20.123Z", None, "api", "item", "home:1", "added", None, None),
        ("2023-11-14T22:13:20.123Z", None, "api", "item", "home:1", "changed", '{"title":"Movie 1"}', None),
    ]


async def test_a_row_written_by_another_program_does_not_hide_the_log(ms: MediaSync) -> None:
    start = await newest(ms)
    await ms.media.save_media_item(movie("1"), **MOVIES)
    await write(ms, "UPDATE media_item SET added_at = 1 WHERE id = 'home:1'")
    await ms.media.save_media_item(movie("1", title="X"), **MOVIES)
    changes = await log(ms, start)
    assert changes[1].before == {"title": "Movie 1", "added_at": "1970-01-01T00:00:00.001Z"}


async def test_a_sync_logs_its_run_and_what_it_recognises(ms: MediaSync, clock: Clock) -> None:
    def listing(*films: Any) -> FakeBackend:
        return FakeBackend({"m": [*films, Enumerated(len(films))]})

    first = await ms.sync(listing(movie("old", title="X", path="/x.mkv")))
    logged = [
        (one.entity, one.what, one.reason, one.run_id) for one in await log(ms) if "fake" in one.entity_id
    ]
    assert logged == [
        ("source", "added", "sync", None),
        ("library", "added", "sync", first.run.id),
        ("item", "added", "sync", first.run.id),
    ]
    start = await newest(ms)
    again = await ms.sync(listing(movie("new", title="X", path="/x.mkv")))
    changes = await log(ms, start)
    assert brief(changes) == [("changed", "item", "fake:old", {"remote_id": "old"})]
    assert {(change.reason, change.run_id) for change in changes} == {("sync", again.run.id)}
    start = await newest(ms)
    await ms.sync(listing(movie("new", title="X", path="/x.mkv")))
    assert await log(ms, start) == [], "nothing changed"
    clock.tick(401 * DAY)
    await ms.sync(listing(movie("new", title="X", path="/x.mkv")))
    with pytest.raises(ChangesPruned):
        await log(ms, 0)


async def test_a_writer_that_is_held_up_before_its_commit_hides_no_change(
    ms: MediaSync, url: str, engine: Engine
) -> None:
    if engine.is_sqlite:
        pytest.skip("one transaction writes at a time")
    start = await newest(ms)
    drawn, commit = asyncio.Event(), asyncio.Event()

    async def held_up(session: Any) -> None:
        outbox = Outbox(session)
        outbox.add_item("home:slow")
        await outbox.write()
        drawn.set()
        await commit.wait()

    async with MediaSync(url) as other:
        slow = asyncio.create_task(database_of(other).write(held_up))
        await drawn.wait()
        quick = asyncio.create_task(ms.media.save_media_item(movie("quick"), **MOVIES))
        while not await value(ms, WAITING):
            await asyncio.sleep(0.01)
        assert await log(ms, start) == [], "neither is committed, and no higher number is visible"
        commit.set()
        await asyncio.gather(slow, quick)
    assert [(change.number, change.entity_id) for change in await log(ms, start)] == [
        (start + 1, "home:slow"),
        (start + 2, "home:quick"),
    ]


async def test_a_long_transaction_delays_nobody_before_it_logs(
    ms: MediaSync, url: str, engine: Engine
) -> None:
    if engine.is_sqlite:
        pytest.skip("one transaction writes at a time")
    start = await newest(ms)
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def long(session: Any) -> None:
        await session.execute("UPDATE library SET title = 'x' WHERE id = 'home:shows'")
        outbox = Outbox(session)
        outbox.add_item("home:long")
        begun.set()
        await goes_on.wait()
        await outbox.write()

    async with MediaSync(url) as other:
        slow = asyncio.create_task(database_of(other).write(long))
        await begun.wait()
        async with asyncio.timeout(20):
            await ms.media.save_media_item(movie("quick"), **MOVIES)
        assert [change.entity_id for change in await log(ms, start)] == ["home:quick"]
        goes_on.set()
        await slow
    assert [change.entity_id for change in await log(ms, start)] == ["home:quick", "home:long"]


async def test_a_reader_beside_several_writers_misses_nothing(
    ms: MediaSync, url: str, engine: Engine
) -> None:
    if not engine.lasts:
        pytest.skip("nobody else writes to a database in memory")
    start, found = await newest(ms), []

    async def read() -> None:
        async for change in ms.changes(after=start):
            found.append(change)
            if len(found) == 120:
                return

    async with MediaSync(url) as second, MediaSync(url) as third:
        reader = asyncio.create_task(read())
        await asyncio.gather(
            *(
                writer.media.save_media_item(movie(f"{name}{n}", credits=cast("a")), **MOVIES)
                for n in range(40)
                for name, writer in (("x", ms), ("y", second), ("z", third))
            )
        )
        async with asyncio.timeout(30):
            await reader
    assert [change.number for change in found] == list(range(start + 1, start + 121))
    assert {change.entity_id for change in found} == {f"home:{name}{n}" for n in range(40) for name in "xyz"}
