"""Removing a source: all of it goes, what was shown is logged, and an interrupted removal is completed."""

from __future__ import annotations

from typing import Any

import pytest
from support.items import MOVIES, credit, movie
from support.mirror import public, rows, value, write
from support.stored_sources import filled, source

from mediasync import EntityKind, MediaSync, RemovedSource, RunStatus, Source, SourceSummary
from mediasync.database.tables import tables
from mediasync.errors import SourceHeld, UnknownLibrary, UnknownSource
from mediasync.syncing.processes import at_work


async def stored(ms: MediaSync) -> dict[str, int]:
    """Return how many rows each table has, without the log and the leases."""
    kept = {"change", "change_counter", "lease", "schema_version"}
    return {
        table.name: await value(ms, f"SELECT count(*) FROM {table.name}")
        for table in tables()
        if table.name not in kept
    }


async def mark(ms: MediaSync, item_id: str) -> None:
    """Mark an item as one that its source no longer has."""
    await write(ms, "UPDATE media_item SET missing_since = 1, missing_run = 1 WHERE id = :id", id=item_id)


async def changes(ms: MediaSync, after: int) -> list[Any]:
    return [change async for change in ms.changes(after=after, follow=False)]


async def test_everything_of_the_source_goes_and_nothing_else(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie("1", credits=[credit("ann", "Old: Ann")]), **MOVIES)
    before, views = await stored(ms), await public(ms)
    await filled(ms)
    [summary] = [one for one in await ms.list_source_summaries() if one.source.id == "fake"]
    report = await ms.remove_source("fake")
    assert await stored(ms) == before
    after = await public(ms)
    assert {view: after[view] for view in after if view != "changes"} == {
        view: views[view] for view in views if view != "changes"
    }
    assert (await ms.check()).flaws == ()
    assert report == RemovedSource(
        "fake", summary.libraries, summary.items, report.people, summary.credits, summary.runs
    )
    assert report.people >= summary.people > 0
    assert await ms.list_source_summaries("fake") == []


async def test_what_was_shown_is_logged_as_removed_with_what_it_was(ms: MediaSync) -> None:
    await filled(ms)
    await ms.people.upsert_batch([credit("alone", "Alone").person], source_id="fake")
    await mark(ms, "fake:2")
    shown = {
        EntityKind.ITEM: {item_id for (item_id,) in await rows(ms, "SELECT id FROM media_items")},
        EntityKind.PERSON: {person_id for (person_id,) in await rows(ms, "SELECT id FROM people")},
        EntityKind.LIBRARY: {f"fake:{name}" for name in ("films", "more", "shows")},
        EntityKind.SOURCE: {"fake"},
    }
    list_of_film = await rows(
        ms,
        "SELECT person_id, person_type, role FROM media_people WHERE media_item_id = 'fake:1' "
        "ORDER BY sort_order",
    )
    newest = await ms.newest_change()
    await ms.remove_source("fake")
    logged = await changes(ms, newest)
    assert {(change.what, change.reason, change.run_id) for change in logged} == {("removed", "api", None)}
    found = {kind: [change.entity_id for change in logged if change.entity is kind] for kind in shown}
    assert {kind: sorted(ids) for kind, ids in found.items()} == {
        kind: sorted(ids) for kind, ids in shown.items()
    }
    images = {change.entity_id: change.before for change in logged}
    assert images["fake:1"]["title"] == "fake:1"
    assert [tuple(one) for one in images["fake:1"]["credits"]] == list_of_film
    assert images["fake:alone"] == {"name": "Alone", "image_path": None, "provider_ids": {}}
    assert images["fake:shows"] == {"title": "shows", "kind": "mixed"}
    assert images["fake"] == {"kind": "plex", "name": "fake", "server_id": None}
    places = {change.entity_id: change.number for change in logged}
    assert places["fake:e1"] < places["fake:s1"] < places["fake:s"] < places["fake:shows"] < places["fake"]


async def test_a_run_that_gets_the_number_of_a_removed_one_has_its_own_changes_only(ms: MediaSync) -> None:
    await ms.sync(source())
    await ms.remove_source("fake")
    assert await value(ms, "SELECT count(*) FROM changes WHERE run_id IS NOT NULL") == 0
    report = await ms.sync(source("other"))
    entries = [entry async for entry in ms.history(run_id=report.run.id)]
    assert {entry.change.entity_id.partition(":")[0] for entry in entries} == {"other"}


async def test_the_source_can_be_synced_anew(ms: MediaSync) -> None:
    await filled(ms)
    await ms.remove_source("fake")
    report = await ms.sync(source())
    assert (report.status, report.saved, report.unchanged) == (RunStatus.SUCCEEDED, 7, 0)
    assert (await ms.check()).flaws == ()


async def test_the_same_process_goes_on(ms: MediaSync) -> None:
    ann = [credit("ann", "Ann")]
    await ms.media.save_media_item(movie("1", credits=ann), **MOVIES)
    await ms.remove_source("home")
    assert await ms.people.search("ann") == []
    with pytest.raises(UnknownLibrary):
        await ms.media.save_media_item(movie("1", credits=ann), **MOVIES)


async def test_what_cannot_be_removed(ms: MediaSync) -> None:
    with pytest.raises(UnknownSource, match="'none' is not stored"):
        await ms.remove_source("none")
    before = await public(ms)
    with at_work() as holder:
        await write(
            ms,
            "INSERT INTO lease (source_id, fence, holder, expires_at) VALUES ('home', 7, :holder, :never)",
            holder=holder,
            never=2**52,
        )
        with pytest.raises(SourceHeld):
            await ms.remove_source("home")
    assert await public(ms) == before
    await ms.remove_source("home")
    # The number of the lease stays: a worker that was paused all the while does not hold a new one.
    assert await rows(ms, "SELECT source_id, fence, holder FROM lease") == [("home", 8, None)]


async def test_summaries(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie("1", credits=[credit("ann", "Ann"), credit("bo")]), **MOVIES)
    await ms.media.save_media_item(movie("2", credits=[credit("ann", "Ann")]), **MOVIES)
    await mark(ms, "home:2")
    report = await ms.sync(source("other"))
    home, other = await ms.list_source_summaries()
    assert home == SourceSummary(
        (await ms.media.find_source("home")) or Source(id="x", kind="nfo"),
        libraries=2,
        items=1,
        removed=1,
        people=2,
        credits=3,
        runs=0,
        last_run=None,
    )
    assert (other.source.id, other.libraries, other.items, other.runs) == ("other", 3, 6, 1)
    assert other.last_run == report.run
    assert await ms.list_source_summaries("other") == [other]
