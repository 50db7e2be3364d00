"""The history: changes with the values before and after them, rebuilt from the log and the stored rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from support.items import MOVIES, credit, movie
from support.mirror import Clock

from mediasync import ChangeKind, Completeness, EntityKind, HistoryEntry, MediaSync, Source
from mediasync.backends.base import Enumerated
from mediasync.errors import UsageError
from mediasync.testing import FakeBackend


async def history(ms: MediaSync, **wanted: Any) -> list[HistoryEntry]:
    return [entry async for entry in ms.history(**wanted)]


def brief(entries: list[HistoryEntry]) -> list[tuple[Any, ...]]:
    """Return what happened, to what, and how."""
    return [
        (
            str(entry.change.what),
            entry.name,
            *((field.name, field.old, field.new) for field in entry.fields),
            *((str(one.what), one.name, one.old_role, one.role) for one in entry.credits),
        )
        for entry in entries
    ]


async def save(ms: MediaSync, *credits_given: Any, key: str = "1", **fields: Any) -> None:
    await ms.media.save_media_item(movie(key, credits=list(credits_given), **fields), **MOVIES)


async def test_each_change_has_the_values_before_and_after_it(ms: MediaSync) -> None:
    start = await ms.newest_change()
    await save(ms, credit("a"), credit("b"), title="Heat", year=1995)
    await save(ms, credit("a"), credit("b"), title="Heat 2", year=1995)
    await save(ms, credit("a"), credit("b"), title="Heat 3", year=1996)
    await ms.media.delete_media_item("home:1")
    entries = [entry for entry in await history(ms) if entry.change.number > start]
    assert brief([entry for entry in entries if entry.change.entity is EntityKind.ITEM]) == [
        ("added", "Heat"),
        ("changed", "Heat 2", ("title", "Heat", "Heat 2")),
        ("changed", "Heat 3", ("title", "Heat 2", "Heat 3"), ("year", 1995, 1996)),
        ("removed", "Heat 3"),
    ]
    assert [entry.year for entry in entries][:4] == [1995, 1995, 1996, 1996]


async def test_credits_that_changed_are_named(ms: MediaSync) -> None:
    await save(ms, credit("a", role="One"), credit("b"), credit("c"))
    await save(ms, credit("c"), credit("a", role="Two"), credit("d", role="New"))
    await save(ms, credit("c"))
    first, second = [entry for entry in await history(ms, item_id="home:1") if entry.credits]
    assert [(str(one.what), one.person_id, one.old_role, one.role) for one in first.credits] == [
        ("removed", "home:b", None, None),
        ("role", "home:a", "One", "Two"),
        ("added", "home:d", None, "New"),
    ]
    assert [(str(one.what), one.person_id) for one in second.credits] == [
        ("removed", "home:a"),
        ("removed", "home:d"),
    ]
    assert "credits" not in {field.name for entry in (first, second) for field in entry.fields}


async def test_people_and_sources_are_named(ms: MediaSync) -> None:
    await save(ms, credit("a", "Ann"))
    await save(ms, credit("a", "Anna"))
    await save(ms, completeness=Completeness.FULL)
    await ms.media.save_source(Source(id="home", kind="jellyfin", name="New home"))
    found = brief(await history(ms, person_id="home:a"))
    assert found == [
        ("changed", "Anna", ("name", "Ann", "Anna")),
        ("changed", "Movie 1", ("removed", "Anna", None, None)),
        ("removed", "Anna"),
    ]
    [renamed] = [entry for entry in await history(ms) if entry.change.entity is EntityKind.SOURCE][1:]
    assert brief([renamed]) == [("changed", "New home", ("name", "Home", "New home"))]


async def test_what_is_asked_for(ms: MediaSync, clock: Clock) -> None:
    await save(ms, key="1")
    clock.tick(3_600_000)
    moment = datetime.fromtimestamp(clock.now / 1000, UTC)
    report = await ms.sync(FakeBackend({"a": [movie("1"), movie("2"), Enumerated(2)]}))
    await save(ms, key="3")
    of_run = await history(ms, run_id=report.run.id)
    assert [entry.change.entity_id for entry in of_run if entry.change.entity is EntityKind.ITEM] == [
        "fake:1",
        "fake:2",
    ]
    assert {entry.change.run_id for entry in of_run} == {report.run.id}
    of_source = await history(ms, source_id="home", since=moment)
    assert [entry.change.entity_id for entry in of_source] == ["home:3"]
    assert await history(ms, run_id=report.run.id, source_id="home") == []
    assert await history(ms, run_id=report.run.id + 1) == []
    assert await history(ms, item_id="home:none") == []
    with pytest.raises(UsageError, match="zone"):
        ms.history(since=datetime(2026, 1, 1))


async def test_more_than_a_page_of_changes(ms: MediaSync, clock: Clock) -> None:
    films = [movie(str(number)) for number in range(450)]
    await ms.media.save_media_items(films, **MOVIES)
    clock.tick(60_000)
    moment = datetime.fromtimestamp(clock.now / 1000, UTC)
    await ms.media.save_media_items([movie(str(n), title="New") for n in range(0, 450, 2)], **MOVIES)
    entries = await history(ms)
    assert sum(entry.change.what is ChangeKind.ADDED for entry in entries) >= 450
    changed = await history(ms, since=moment)
    assert len(changed) == 225
    assert {entry.name for entry in changed} == {"New"}
    assert [entry.change.number for entry in entries] == sorted(entry.change.number for entry in entries)


async def test_the_history_goes_on_after_a_change(ms: MediaSync) -> None:
    backend = FakeBackend({"a": [*(movie(str(number)) for number in range(5)), Enumerated(5)]})
    run_id = (await ms.sync(backend)).run.id
    entries = await history(ms, run_id=run_id)
    assert len(entries) > 5
    third = entries[2].change.number
    assert await history(ms, run_id=run_id, after=third) == entries[3:]
    assert await history(ms, after=third) == entries[3:]
    assert await history(ms, after=entries[-1].change.number) == []


async def test_changes_that_are_no_longer_kept_are_left_out(ms: MediaSync, clock: Clock) -> None:
    await save(ms, title="One")
    clock.tick(10 * 86_400_000)
    await save(ms, title="Two")
    assert await ms.prune_changes(keep_days=1) > 0
    assert brief(await history(ms)) == [("changed", "Two", ("title", "One", "Two"))]
