"""Undoing a run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.items import credit, episode, movie, season, show
from support.mirror import Clock, public, rows, written

from mediasync import MediaItem, MediaSync, RunStatus
from mediasync.backends.base import Enumerated
from mediasync.database.tables import view_columns
from mediasync.errors import SourceHeld, UsageError
from mediasync.testing import FakeBackend

STATE = (
    "media_items",
    "item_libraries",
    "media_people",
    "people",
    "external_ids",
    "genres",
    "ratings",
    "images",
    "libraries",
)


def whole(*items: MediaItem) -> list[Any]:
    return [*items, Enumerated(len(items))]


def film(key: str, *people: str, **fields: Any) -> MediaItem:
    credits_ = [credit(one, role=f"role of {one}") for one in people]
    return movie(key, **{"title": f"Film {key}", "credits": credits_, "completeness": "full", **fields})


async def state(ms: MediaSync) -> dict[str, Any]:
    """Return what the views show, but for the times at which the mirror wrote it."""
    columns = view_columns()
    found = {}
    for view in STATE:
        names = [name for name in columns[view] if name not in ("created_at", "updated_at")]
        found[view] = sorted(await rows(ms, f"SELECT {', '.join(names)} FROM {view}"), key=repr)
    return found


RICH = {
    "year": 1995,
    "overview": "A thief.",
    "tagline": "A saga",
    "genres": ["Crime", "Drama"],
    "ratings": [{"name": "imdb", "value": 8.3, "votes": 7}],
    "images": {"poster": "/p.jpg"},
    "provider_ids": {"imdb": "tt1", "tmdb": "949"},
    "premiere_date": "1995-12-15",
    "runtime_seconds": 10_200,
    "added_at": "2020-01-02T03:04:05.678Z",
    "changed_at": "2021-01-02 03:04:05",
    "path": "/films/heat.mkv",
}


async def test_everything_that_a_run_changed_is_as_before(ms: MediaSync, clock: Clock) -> None:
    before = {
        "m": whole(film("1", "ann", "bob", **RICH), film("2", "cid", "ann"), film("3", "dan")),
        "n": whole(film("4", "ann")),
    }
    await ms.sync(FakeBackend(before, titles={"m": "Films"}))
    old = await state(ms)
    clock.tick()
    changed = film("1", "bob", "eve", title="Other", year=None, genres=[], provider_ids={"imdb": "tt2"})
    after = {
        "m": whole(changed, film("5", "new")),
        "n": whole(film("4", "ann", images={"poster": "/new"}), film("2", "cid", "ann")),
    }
    report = await ms.sync(FakeBackend(after, titles={"m": "Movies"}), max_removals="all")
    new = await state(ms)
    clock.tick()
    planned = await ms.undo(report.run.id, dry_run=True)
    assert await state(ms) == new
    undone = await ms.undo(report.run.id)
    assert undone.refused == ()
    assert sorted(undone.undone) == sorted(planned.undone)
    assert {what for _, what in undone.undone} == {"back", "changed back", "removed"}
    assert await state(ms) == old
    assert (await ms.check()).flaws == ()
    assert undone.run is not None
    assert undone.run.status is RunStatus.SUCCEEDED
    assert {
        (reason,)
        for (reason,) in await rows(ms, "SELECT reason FROM changes WHERE run_id = :run", run=undone.run.id)
    } == {("undo",)}
    clock.tick()
    again = await ms.undo(undone.run.id)
    assert again.refused == ()
    assert await state(ms) == new
    assert (await ms.check()).flaws == ()


async def test_a_sync_of_unchanged_items_leaves_what_was_undone(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1", title="Old", change_token="a"))}))
    new = {"m": whole(film("1", title="New", change_token="b"))}
    report = await ms.sync(FakeBackend(new))
    await ms.undo(report.run.id)
    assert (await ms.sync(FakeBackend(new))).unchanged == 1
    assert (await ms.media.get_media_item("fake:1")).title == "Old"
    assert (await ms.sync(FakeBackend(new), full=True)).saved == 1
    assert (await ms.media.get_media_item("fake:1")).title == "New"


async def test_what_was_changed_again_is_refused_and_listed(ms: MediaSync, clock: Clock) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1"), film("2"), film("3"), film("4"))}))
    report = await ms.sync(
        FakeBackend(
            {"m": whole(film("1", title="One"), film("2", title="Two"), film("4"), film("5"), film("6"))}
        )
    )
    clock.tick()
    changed = film("1", title="Uno"), film("2", title="Two", year=1999), film("5", year=1)
    later = await ms.sync(FakeBackend({"m": whole(*changed, *map(film, "34"))}))
    undone = await ms.undo(report.run.id)
    assert dict(undone.undone) == {"fake:2": "changed back"}
    assert dict(undone.refused) == {
        "fake:1": f"run {later.run.id} changed it again since",
        "fake:3": f"run {later.run.id} brought it back since",
        "fake:5": f"run {later.run.id} changed it again since",
        "fake:6": f"run {later.run.id} removed it since",
    }
    two = await ms.media.get_media_item("fake:2")
    assert (two.title, two.year) == ("Film 2", 1999)
    assert undone.run is not None
    assert (undone.run.saved, undone.run.failed) == (1, 4)
    assert len(await ms.list_problems(undone.run.id)) == 4
    await ms.media.save_media_item(film("2", title="Mine"), library_id="m", source_id="fake")
    refused = dict((await ms.undo(report.run.id)).refused)
    assert refused["fake:2"] == f"run {undone.run.id} changed it again since"


async def test_items_that_were_purged_are_stored_again(ms: MediaSync, clock: Clock) -> None:
    tv = [
        show("s", title="Serial", credits=[credit("boss", "The Boss")], completeness="full"),
        season("s1", parent_remote_id="s", season_number=1),
        episode("e1", parent_remote_id="s1", season_number=1, episode_number=1, credits=[credit("guest")]),
    ]
    await ms.sync(FakeBackend({"m": whole(film("1", "ann", **RICH), film("2"), *tv)}))
    old = await state(ms)
    report = await ms.sync(FakeBackend({"m": whole(film("2"))}))
    assert len(report.removed) == 4
    clock.tick()
    assert (await ms.purge(0)).items == 4
    assert await ms.people.find_by_id("fake:boss") is None
    undone = await ms.undo(report.run.id)
    assert undone.refused == ()
    assert await state(ms) == old
    assert (await ms.check()).flaws == ()


async def test_previews_and_unknown_lists_are_given_back_as_such(ms: MediaSync) -> None:
    before = {
        "m": whole(
            movie("1", title="A", credits=[credit("ann")], completeness="preview"),
            movie("2", title="B"),
            film("3", "bob"),
        )
    }
    await ms.sync(FakeBackend(before))
    old = await state(ms)
    report = await ms.sync(
        FakeBackend({"m": whole(film("1", "ann", "bob", title="A"), film("2", "cid", title="B"), film("3"))})
    )
    undone = await ms.undo(report.run.id)
    assert undone.refused == ()
    assert await state(ms) == old
    assert (await ms.check()).flaws == ()


async def test_people_who_were_renamed_get_their_names_back(ms: MediaSync) -> None:
    def named(name: str, **fields: Any) -> MediaItem:
        return movie("1", title="A", credits=[credit("p", name, **fields)])

    await ms.sync(FakeBackend({"m": whole(named("Ann Lee"))}))
    old = await state(ms)
    report = await ms.sync(
        FakeBackend({"m": whole(named("Anna Lee", image_path="/a", provider_ids={"imdb": "nm1"}))})
    )
    undone = await ms.undo(report.run.id)
    assert undone.refused == ()
    assert await state(ms) == old
    assert [one.name for one in await ms.people.search("ann lee")] == ["Ann Lee"]
    assert await ms.people.search("anna") == []
    assert (await ms.check()).flaws == ()


async def test_an_item_whose_key_changed_gets_its_key_back(ms: MediaSync) -> None:
    same = {"path": "/x.mkv"}
    await ms.sync(FakeBackend({"m": whole(film("1", "ann", **same)), "n": whole(film("2"))}))
    old = await state(ms)
    report = await ms.sync(
        FakeBackend({"m": whole(film("3")), "n": whole(film("2"), film("9", "ann", title="New", **same))})
    )
    undone = await ms.undo(report.run.id)
    assert undone.refused == ()
    assert await state(ms) == old
    assert (await ms.check()).flaws == ()


async def test_a_show_to_which_somebody_added_is_kept(ms: MediaSync) -> None:
    serial, first = show("s"), season("s1", parent_remote_id="s", season_number=1)
    await ms.sync(FakeBackend({"m": whole(film("1"))}))
    report = await ms.sync(FakeBackend({"m": whole(film("1"), serial, first)}))
    await ms.media.save_media_item(
        season("s2", parent_remote_id="s", season_number=2), library_id="m", source_id="fake"
    )
    undone = await ms.undo(report.run.id)
    assert undone.undone == (("fake:s1", "removed"),)
    assert undone.refused == (("fake:s", "items below it, which others added, are still there"),)


async def test_a_run_that_cannot_be_undone(ms: MediaSync, clock: Clock) -> None:
    with pytest.raises(UsageError, match="there is no run 7"):
        await ms.undo(7)
    report = await ms.sync(FakeBackend({"m": whole(film("1"))}))
    nothing = await ms.sync(FakeBackend({"m": whole(film("1"))}))
    assert (await ms.undo(nothing.run.id)).undone == ()
    clock.tick(86_400_000)
    await ms.prune_changes(0)
    await ms.media.save_media_item(film("1", title="T"), library_id="m", source_id="fake")
    before = await written(ms)
    with pytest.raises(UsageError, match="no longer kept"):
        await ms.undo(report.run.id)
    assert await written(ms) == before


async def test_a_source_that_is_being_synced_is_not_touched(ms: MediaSync) -> None:
    report = await ms.sync(FakeBackend({"m": whole(film("1"))}))
    gate = asyncio.Event()
    backend = FakeBackend({"m": [film("1"), gate, Enumerated(1)]})

    async def sync() -> None:
        await ms.sync(backend)

    running = asyncio.create_task(sync())
    await backend.waiting.wait()
    with pytest.raises(SourceHeld):
        await ms.undo(report.run.id)
    gate.set()
    await running


PEOPLE = st.lists(st.sampled_from("abcd"), max_size=3, unique=True)
FIELDS = st.fixed_dictionaries(
    {"title": st.sampled_from(["T", "U"]), "year": st.sampled_from([None, 1, 2]), "people": PEOPLE}
)
LISTING = st.dictionaries(st.sampled_from(["1", "2", "3"]), FIELDS, max_size=3)


def listed(listing: dict[str, Any]) -> FakeBackend:
    items = [
        film(key, *one["people"], title=one["title"], year=one["year"], genres=[one["title"]])
        for key, one in listing.items()
    ]
    return FakeBackend({"m": whole(*items)})


@settings(max_examples=30, deadline=None)
@given(first=LISTING, second=LISTING)
def test_an_undo_of_the_last_run_gives_the_state_before_it_and_an_undo_of_that_the_state_after(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    async def check() -> None:
        async with MediaSync("sqlite:///:memory:") as ms:
            await ms.sync(listed(first))
            old = await state(ms)
            report = await ms.sync(listed(second), max_removals="all")
            new = await state(ms)
            undone = await ms.undo(report.run.id)
            assert undone.refused == ()
            assert await state(ms) == old
            assert undone.run is not None
            assert (await ms.undo(undone.run.id)).refused == ()
            assert await state(ms) == new
            assert (await ms.check()).flaws == ()

    asyncio.run(check())


async def test_a_dry_run_of_an_undo_writes_nothing(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1"))}))
    report = await ms.sync(FakeBackend({"m": whole(film("1", year=3), film("2"))}))
    before, shown = await written(ms), await public(ms)
    assert len((await ms.undo(report.run.id, dry_run=True)).undone) == 2
    assert await written(ms) == before
    assert await public(ms) == shown
