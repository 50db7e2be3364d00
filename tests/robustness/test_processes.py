"""Several processes on one file: nothing is lost, nobody starves, nobody is told "locked"."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from robustness_forks import Child, ForkServer
from robustness_world import (
    OLD_VERSION,
    PLACE,
    SOURCE,
    assert_idle,
    assert_sound,
    furnish,
    make_old_file_with_people,
    movie,
    plain,
    stored_version,
    url_of,
)

from mediasync import MediaSync
from mediasync.database.schema import CURRENT_VERSION
from mediasync.errors import DatabaseLocked, LifecycleError

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("MEDIASYNC_TEST_SECONDS", "5"))
OWN = 3_000
SHARED = 50


async def run_writers(forks: ForkServer, path: Path, names: str, seconds: float) -> list[dict]:
    """Let saturated writers save into one file for some seconds, and return how each went."""
    async with MediaSync(url_of(path)) as ms:
        await furnish(ms)
    children = [
        forks.run(
            "save_for", path=str(path), name=name, seconds=seconds, own=OWN, shared=SHARED, constants={}
        )
        for name in names
    ]
    for child in children:
        child.wait_for_lines(1)
    for child in children:
        child.tell()
    results = []
    for child in children:
        assert child.wait() == 0, child.errors
        results.append(json.loads(child.lines[-1]))
    return results


async def assert_nothing_lost(path: Path, results: list[dict]) -> None:
    """Each process' own items have the version that it saved last, and the shared ones that of one."""
    connection = plain(path)
    for result in results:
        for n in range(OWN):
            assert stored_version(connection, f"{result['name']}-{n}") == result["version"]
    newest = {result["version"] for result in results}
    for n in range(SHARED):
        assert stored_version(connection, f"shared-{n}") in range(1, max(newest) + 1)
    connection.close()
    async with MediaSync(url_of(path)) as ms:
        await assert_sound(ms)


async def test_two_processes_save_at_once(tmp_path: Path, forks: ForkServer, tell) -> None:
    path = tmp_path / "media.db"
    results = await run_writers(forks, path, "ab", SECONDS)
    for result in results:
        assert result["failed"] == []
    await assert_nothing_lost(path, results)
    shares = sorted(result["saved"] for result in results)
    assert shares[1] <= 3 * shares[0], f"one starved: {shares}"
    waits = " and ".join(f"{result['longest_wait']:.2f}" for result in results)
    tell(
        f"two processes for {SECONDS:.0f} s",
        f"{shares[0]} and {shares[1]} items saved, longest wait {waits} s",
    )


def go(children: list[Child], number: int) -> list[str]:
    """Let all go on at once, when all are ready; return what they tell of how it went."""
    for child in children:
        child.wait_for_lines(2 * number + 1)
    for child in children:
        child.tell()
    return [child.wait_for_lines(2 * number + 2)[2 * number + 1] for child in children]


async def test_four_processes_open_a_new_file_at_once(tmp_path: Path, forks: ForkServer) -> None:
    paths = [tmp_path / f"{n}.db" for n in range(80)]
    children = [forks.run("open_each", paths=[*map(str, paths)], save=True) for _ in range(4)]
    for number, path in enumerate(paths):
        told = go(children, number)
        assert all(line.startswith("done") for line in told), told
        connection = plain(path)
        for line in told:
            assert stored_version(connection, f"of{line.split()[1]}") == 1
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(CURRENT_VERSION,)]
        connection.close()
    for child in children:
        assert child.wait() == 0, child.errors
    async with MediaSync(url_of(paths[-1])) as ms:
        await assert_sound(ms)


async def test_four_processes_upgrade_a_file_at_once(tmp_path: Path, forks: ForkServer) -> None:
    model = tmp_path / "model.db"
    make_old_file_with_people(model)
    paths = [tmp_path / f"{n}.db" for n in range(40)]
    for path in paths:
        path.write_bytes(model.read_bytes())
    children = [forks.run("open_each", paths=[*map(str, paths)], save=False) for _ in range(4)]
    for number, path in enumerate(paths):
        told = go(children, number)
        assert all(line.startswith("done") for line in told), told
        [copy] = tmp_path.glob(f"{path.name}.*")
        assert copy.name == f"{path.name}.schema-{OLD_VERSION}.backup"
        connection = plain(copy)
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(OLD_VERSION,)]
        assert connection.execute("SELECT count(*) FROM person").fetchall() == [(400,)]
        connection.close()
    for child in children:
        assert child.wait() == 0, child.errors
    for path in paths[:3]:
        async with MediaSync(url_of(path)) as ms:
            await assert_sound(ms)


async def test_a_held_lock_is_waited_for_and_then_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "media.db"
    async with MediaSync(url_of(path), lock_timeout=0.3) as ms:
        await furnish(ms)
        await ms.media.save_media_item(movie("before"), **PLACE)
        holder = plain(path)
        holder.execute("BEGIN IMMEDIATE")
        save = asyncio.create_task(ms.media.save_media_item(movie("during"), **PLACE))
        reads = 0
        while not save.done():
            assert (await ms.media.get_media_item(f"{SOURCE}:before")).title == "before v1"
            reads += 1
        assert reads > 10
        with pytest.raises(DatabaseLocked, match=r"media\.db.*lock_timeout"):
            save.result()
        with pytest.raises(DatabaseLocked, match=r"media\.db"):
            await ms.media.save_media_items([movie(f"m{n}") for n in range(50)], **PLACE)
        holder.execute("ROLLBACK")
        await ms.media.save_media_item(movie("after"), **PLACE)
        assert [stored_version(holder, key) for key in ("before", "during", "m0", "after")] == [
            1,
            None,
            None,
            1,
        ]
        holder.close()
        assert_idle(ms)
        await assert_sound(ms)


async def test_a_lock_released_in_time_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "media.db"
    async with MediaSync(url_of(path), lock_timeout=60) as ms:
        await furnish(ms)
        holder = plain(path)
        holder.execute("BEGIN IMMEDIATE")
        saves = [asyncio.create_task(ms.media.save_media_item(movie(f"m{n}"), **PLACE)) for n in range(20)]
        for _ in range(5):
            await ms.people.count()
        assert not any(save.done() for save in saves)
        holder.execute("ROLLBACK")
        await asyncio.gather(*saves)
        assert ms._database.longest_wait > 0
        assert [stored_version(holder, f"m{n}") for n in range(20)] == [1] * 20
        holder.close()


async def test_the_lock_is_waited_for_on_opening_too(tmp_path: Path) -> None:
    """A new file that another process is making: its lock is waited for, and then the schema is seen."""
    path = tmp_path / "media.db"
    async with MediaSync(url_of(path)):
        pass
    holder = plain(path)
    holder.execute("BEGIN EXCLUSIVE")
    async with MediaSync(url_of(path), lock_timeout=0.2) as ms:
        with pytest.raises(DatabaseLocked, match=r"media\.db"):
            await furnish(ms)
        holder.execute("ROLLBACK")
        await furnish(ms)
    holder.close()


async def test_closing_gives_up_waiting_for_another_process(tmp_path: Path) -> None:
    """The lock may be waited for long, but closing only for as long as it was told to."""
    path = tmp_path / "media.db"
    ms = MediaSync(url_of(path), lock_timeout=600, close_timeout=0.05)
    await ms.open()
    await furnish(ms)
    holder = plain(path)
    holder.execute("BEGIN IMMEDIATE")
    saves = [asyncio.create_task(ms.media.save_media_item(movie(f"m{n}"), **PLACE)) for n in range(20)]
    many = asyncio.create_task(ms.media.save_media_items([movie(f"n{n}") for n in range(20)], **PLACE))
    source = asyncio.create_task(furnish(ms))
    while not ms._writer._waiting:
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await ms.close()
        outcomes = await asyncio.gather(*saves, many, source, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {LifecycleError}
    holder.execute("ROLLBACK")
    assert stored_version(holder, "m0") is None
    holder.close()
    async with MediaSync(url_of(path)) as again:
        await assert_sound(again)
