"""A run learns which items an earlier one, which broke off, has just read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from typing import Any

import pytest
from support.items import movie
from support.mirror import Clock

from mediasync import Library, MediaSync
from mediasync.backends.base import Enumerated, Finding, Stored
from mediasync.errors import SourceUnreadable
from mediasync.testing import FakeBackend

HOUR = 3_600_000
READ = [movie("1", change_token="a"), movie("2"), movie("3", change_token="c")]


class Told(FakeBackend):
    """A backend that notes what it is told."""

    just_read: frozenset[str] | None = None

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        self.just_read = frozenset(stored.just_read)
        async for finding in super().iter_items(library, stored, only=only):
            yield finding


async def told(ms: MediaSync, **options: Any) -> set[str]:
    """Return which items a dry run is told that were just read."""
    backend = Told({"l1": [*READ, Enumerated(3)]})
    await ms.sync(backend, dry_run=True, **options)
    assert backend.just_read is not None
    return set(backend.just_read)


async def break_off(ms: MediaSync, *steps: Any, **options: Any) -> None:
    with pytest.raises(SourceUnreadable):
        await ms.sync(FakeBackend({"l1": [*steps, SourceUnreadable("fake", "cut off")]}), **options)


async def test_what_a_failed_run_has_saved_with_its_token_was_just_read(ms: MediaSync) -> None:
    assert await told(ms) == set()
    await break_off(ms, *READ)
    assert await told(ms) == {"1", "3"}


async def test_runs_that_broke_off_one_after_the_other_count_together(ms: MediaSync, clock: Clock) -> None:
    for number in range(3):
        await break_off(ms, *READ, movie(f"more{number}", change_token="m"))
        clock.tick(1_000)
    assert await told(ms) == {"1", "3", "more0", "more1", "more2"}


async def test_a_cancelled_run_is_taken_up(ms: MediaSync) -> None:
    backend = FakeBackend({"l1": READ, "l2": [asyncio.Event()]})

    async def sync() -> None:
        await ms.sync(backend)

    task = asyncio.create_task(sync())
    await backend.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await told(ms) == {"1", "3"}


async def test_after_an_hour_everything_is_read_again(ms: MediaSync, clock: Clock) -> None:
    await break_off(ms, *READ)
    clock.tick(HOUR)
    assert await told(ms) == {"1", "3"}
    clock.tick(1)
    assert await told(ms) == set()


async def test_a_run_that_ended_well_leaves_nothing_to_take_up(ms: MediaSync) -> None:
    await break_off(ms, *READ)
    await ms.sync(FakeBackend({"l1": [*READ, Enumerated(3)]}))
    assert await told(ms) == set()
    await break_off(ms, *READ)
    assert await told(ms) == {"1", "3"}


@pytest.mark.parametrize("options", [{"full": True}, {"libraries": ["l1"]}, {"items": ["1"]}])
async def test_a_full_sync_and_a_selection_take_nothing_up(ms: MediaSync, options: dict[str, Any]) -> None:
    await break_off(ms, *READ)
    assert await told(ms, **options) == set()


async def test_a_selection_that_broke_off_is_not_taken_up(ms: MediaSync) -> None:
    await break_off(ms, *READ, libraries=["l1"])
    assert await told(ms) == set()


async def test_what_was_just_read_has_no_turn(ms: MediaSync, clock: Clock) -> None:
    await ms.sync(FakeBackend({"l1": [*READ, Enumerated(3)]}))
    clock.tick(8 * 24 * HOUR)
    await break_off(ms, movie("1", year=1999, change_token="changed"))
    backend = FakeBackend({"l1": [*READ, Enumerated(3)]})
    await ms.sync(backend)
    assert backend.tokens["l1"] == {"1": "changed", "2": "", "3": ""}
