"""Interrupted: a source is renamed as a whole or not at all, and a removal is completed by another one."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from robustness_forks import ForkServer
from robustness_steps import run_native, stepping
from robustness_world import assert_idle, assert_sound, plain, url_of, watched
from support.items import MOVIES, credit, movie
from support.mirror import rows, write
from support.stored_sources import filled, source

from mediasync import EntityKind, MediaSync
from mediasync.errors import DatabaseError
from mediasync.saving import source_removal

PATIENCE = 20
MOST_STEPS = 2_000
STEPS = ("ITEMS_PER_STEP", "PEOPLE_PER_STEP", "RUNS_PER_STEP", "ROWS_PER_STEP")


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal in many transactions."""
    for name in STEPS:
        monkeypatch.setattr(source_removal, name, 3)


async def remove_until(ms: MediaSync, stop: int) -> bool:
    """Remove the source ``fake``, stopped after some transactions. Return whether it was."""
    record, done = ms._writer.record, 0

    async def stopping(*arguments: Any) -> Any:
        nonlocal done
        if done == stop:
            raise DatabaseError("stopped")
        done += 1
        return await record(*arguments)

    ms._writer.record = stopping  # type: ignore[method-assign]
    try:
        await ms.remove_source("fake")
    except DatabaseError:
        return True
    finally:
        ms._writer.record = record  # type: ignore[method-assign]
    return False


async def removed_items(ms: MediaSync, after: int) -> Counter[str]:
    """Return how often each item was logged as removed after a change."""
    return Counter(
        [
            change.entity_id
            async for change in ms.changes(after=after, follow=False)
            if change.entity is EntityKind.ITEM and change.what == "removed"
        ]
    )


@pytest.mark.usefixtures("small_steps")
async def test_a_removal_that_is_stopped_after_any_transaction_is_completed_by_another(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie("1", credits=[credit("ann", "Ann")]), **MOVIES)
    stop, stopped = 0, True
    while stopped:
        stop += 1
        await filled(ms)
        await write(ms, "UPDATE source SET watermark = 'far' WHERE id = 'fake'")
        items = [item_id for (item_id,) in await rows(ms, "SELECT id FROM media_items") if "fake" in item_id]
        newest = await ms.newest_change()
        stopped = await remove_until(ms, stop)
        assert (await ms.check()).flaws == ()
        if stopped:
            assert await ms.media.find_watermark("fake") == ""
            await ms.remove_source("fake")
            assert (await ms.check()).flaws == ()
        assert [one.source.id for one in await ms.list_source_summaries()] == ["home"]
        assert await removed_items(ms, newest) == Counter(items), "each item is logged once"
    assert stop > 10


@pytest.mark.usefixtures("small_steps")
async def test_a_sync_after_an_interrupted_removal_reads_what_is_missing(ms: MediaSync) -> None:
    await filled(ms)
    assert await remove_until(ms, 3)
    assert (await ms.sync(source())).saved > 0
    assert {"fake:e1", "fake:s1", "fake:s", "fake:1"} <= {
        item_id for (item_id,) in await rows(ms, "SELECT id FROM media_items")
    }
    assert (await ms.check()).flaws == ()


async def prefixes(ms: MediaSync) -> set[str]:
    """Return the sources that ids of all kinds begin with."""
    found = set()
    for table, column in (
        ("source", "id"), ("library", "id"), ("media_item", "id"), ("item_library", "id"),
        ("item_rekeyed", "id"), ("item_rekeyed", "current_id"), ("person", "id"), ("person_alias", "id"),
    ):  # fmt: skip
        found |= {one.partition(":")[0] for (one,) in await rows(ms, f"SELECT {column} FROM {table}")}
    return found


@pytest.mark.slow
async def test_a_renaming_that_is_cancelled_at_any_step_is_whole_or_nothing(tmp_path: Path) -> None:
    async with watched(tmp_path / "media.db") as (ms, _):
        await filled(ms)
        old, cancelled = "fake", 0
        with stepping() as stepper:
            for at in range(1, MOST_STEPS):
                new = f"name-{at}"
                async with asyncio.timeout(PATIENCE):
                    cancelled += await run_native(
                        stepper, lambda old=old, new=new: ms.rename_source(old, new), at
                    )
                ended = stepper.count < at
                found = await prefixes(ms) - {"home"}
                assert found in ({old}, {new})
                await assert_sound(ms)
                assert_idle(ms)
                [old] = found
                if ended:
                    break
        assert ended
        assert cancelled > 10
        assert (await ms.sync(source(old), wait_if_busy=0)).saved == 0


@pytest.mark.slow
@pytest.mark.usefixtures("small_steps")
async def test_a_removal_that_is_cancelled_at_any_step_is_completed_by_another(tmp_path: Path) -> None:
    async with watched(tmp_path / "media.db") as (ms, _):
        cancelled = 0
        with stepping() as stepper:
            for at in range(1, MOST_STEPS, 3):
                await filled(ms)
                newest = await ms.newest_change()
                items = {item_id for (item_id,) in await rows(ms, "SELECT id FROM media_items")}
                async with asyncio.timeout(PATIENCE):
                    cancelled += await run_native(stepper, lambda: ms.remove_source("fake"), at)
                ended = stepper.count < at
                await assert_sound(ms)
                assert_idle(ms)
                if await ms.media.find_source("fake") is not None:
                    await ms.remove_source("fake")
                assert await prefixes(ms) == {"home"}
                assert await removed_items(ms, newest) == Counter(items)
                await assert_sound(ms)
                if ended:
                    break
        assert ended
        assert cancelled > 10


@pytest.mark.slow
async def test_killed_while_renaming(tmp_path: Path, forks: ForkServer) -> None:
    chance = random.Random(4)
    path = tmp_path / "media.db"
    async with MediaSync(url_of(path)) as ms:
        await filled(ms)
    for _ in range(12):
        child = forks.run("rename_forever", path=str(path))
        child.wait_for_lines(1 + chance.randrange(5))
        # The instant is what is being tried: it is random, and nothing waits for it.
        time.sleep(chance.uniform(0, 0.01))
        child.kill()
        assert child.wait() == -9, child.errors
        async with MediaSync(url_of(path)) as ms:
            assert len(await prefixes(ms)) == 1
            await assert_sound(ms)


@pytest.mark.slow
async def test_killed_while_removing(tmp_path: Path, forks: ForkServer) -> None:
    chance = random.Random(5)
    left: list[int] = []
    for number in range(12):
        path = tmp_path / f"{number}.db"
        async with MediaSync(url_of(path)) as ms:
            await filled(ms)
        child = forks.run("remove_source", path=str(path), constants=dict.fromkeys(STEPS, 1))
        child.wait_for_lines(1 + chance.randrange(30))
        child.kill()
        assert child.wait() == -9, child.errors
        connection = plain(path)
        left += connection.execute("SELECT count(*) FROM media_item").fetchall()[0]
        connection.close()
        async with MediaSync(url_of(path)) as ms:
            await assert_sound(ms)
            if await ms.media.find_source("fake") is not None:
                await ms.remove_source("fake")
            assert await prefixes(ms) == set()
            await assert_sound(ms)
    assert len(set(left)) > 2, "it was killed at different places"
