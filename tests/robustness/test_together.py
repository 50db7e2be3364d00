"""Many tasks at once in one process, looked at from inside and outside; and closing in the middle of it."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import anyio
import pytest
from robustness_forks import ForkServer
from robustness_world import (
    PLACE,
    SOURCE,
    Footprint,
    assert_idle,
    assert_sound,
    credit_names,
    engine_of,
    furnish,
    movie,
    plain,
    stored_version,
    url_of,
    watched,
)

from mediasync import Credit, MediaSync, Movie, Person
from mediasync.errors import LifecycleError, MediaSyncError

pytestmark = pytest.mark.slow


async def test_200_tasks_save_one_item_with_different_lists(tmp_path: Path, forks: ForkServer) -> None:
    """The list is one of them, whole, at every moment: seen from inside, and by another process."""
    path = tmp_path / "media.db"
    versions = [*range(1, 201)]
    random.Random(7).shuffle(versions)
    async with watched(path) as (ms, outside):
        witness = forks.run("poll_lists", path=str(path), key="one")
        witness.wait_for_lines(1)
        ended = asyncio.Event()

        async def look() -> int:
            looks = 0
            while not ended.is_set():
                listed = await ms.people.find_by_media_item(f"{SOURCE}:one")
                if listed:
                    version = int(listed[0].role.split()[1][1:])
                    assert [(c.person.id, c.person_type, c.role) for c in listed] == credit_names(
                        "one", version
                    )
                for item in await ms.media.find_media_items([f"{SOURCE}:one"]):
                    version = int(item.title.split()[1][1:])
                    found = [(c.person.id, c.person_type, c.role) for c in item.credits]
                    assert found == credit_names("one", version)
                looks += 1
            return looks

        async with asyncio.TaskGroup() as group:
            looking = [group.create_task(look()) for _ in range(2)]

            async def save_all() -> None:
                saves = [
                    asyncio.create_task(ms.media.save_media_item(movie("one", version), **PLACE))
                    for version in versions
                ]
                await asyncio.gather(*saves)
                ended.set()

            group.create_task(save_all())
        assert min(task.result() for task in looking) > 5
        assert stored_version(outside, "one") in versions
        witness.tell()
        assert witness.wait() == 0, witness.errors
        assert int(witness.lines[-1].split()[-1]) >= 2, witness.lines
        assert_idle(ms)
        await assert_sound(ms)


async def test_saves_of_one_item_end_in_their_order(tmp_path: Path) -> None:
    """Submitted one after the other, the last one stays, whatever else is saved between."""
    async with watched(tmp_path / "media.db") as (ms, outside):
        await ms.media.save_media_item(movie("one", 99), **PLACE)
        saves = []
        for version in range(1, 60):
            saves += [
                asyncio.create_task(ms.media.save_media_item(movie(key, version), **PLACE))
                for key in ("one", f"other{version}", "two")
            ]
        await asyncio.gather(*saves)
        assert [stored_version(outside, key) for key in ("one", "two")] == [59, 59]


async def test_1000_tasks_save_different_items(tmp_path: Path) -> None:
    async with watched(tmp_path / "media.db") as (ms, outside):
        before = Footprint()
        results = await asyncio.gather(
            *(ms.media.save_media_item(movie(f"m{n}"), **PLACE) for n in range(1_000))
        )
        assert {result.status for result in results} == {"saved"}
        assert [result.id for result in results] == [f"{SOURCE}:m{n}" for n in range(1_000)]
        assert all(stored_version(outside, f"m{n}") == 1 for n in range(1_000))
        again = await asyncio.gather(
            *(ms.media.save_media_item(movie(f"m{n}"), **PLACE) for n in range(1_000))
        )
        assert {result.status for result in again} == {"unchanged"}
        await before.assert_unchanged()
        assert_idle(ms)
        await assert_sound(ms)


async def test_streams_save_the_same_items_at_once(tmp_path: Path) -> None:
    async with watched(tmp_path / "media.db") as (ms, outside):
        reports = await asyncio.gather(
            *(
                ms.media.save_media_items(
                    [movie(f"m{n}", version) for n in range(200)], concurrency=17 * version, **PLACE
                )
                for version in range(1, 6)
            )
        )
        assert all(report.saved + report.unchanged == 200 and not report.failed for report in reports)
        assert all(stored_version(outside, f"m{n}") in range(1, 6) for n in range(200))
        await assert_sound(ms)


async def test_reads_go_on_while_a_stream_is_saved(tmp_path: Path) -> None:
    async with watched(tmp_path / "media.db") as (ms, _):
        await ms.media.save_media_item(movie("fixed"), **PLACE)
        save = asyncio.create_task(ms.media.save_media_items((movie(f"m{n}") for n in range(3_000)), **PLACE))
        reads = 0
        while not save.done():
            item = await ms.media.get_media_item(f"{SOURCE}:fixed")
            assert len(item.credits) == len(movie("fixed").credits)
            reads += 1
        assert save.result().saved == 3_000
        assert reads > 10


async def test_more_readers_than_connections(tmp_path: Path) -> None:
    async with watched(tmp_path / "media.db", readers=2) as (ms, _):
        await ms.media.save_media_item(movie("fixed"), **PLACE)
        items = await asyncio.gather(*(ms.media.get_media_item(f"{SOURCE}:fixed") for _ in range(200)))
        assert all(item == items[0] for item in items)
        assert_idle(ms)


async def test_a_reader_that_raises_gives_its_connection_back(tmp_path: Path) -> None:
    async with watched(tmp_path / "media.db", readers=1) as (ms, _):
        for _ in range(5):
            with pytest.raises(MediaSyncError):
                await ms.media.get_media_item(f"{SOURCE}:nothing")
        pages = ms.media.iter_media_items(f"{SOURCE}:movies")
        await ms.media.save_media_items([movie(f"m{n}") for n in range(3)], **PLACE)
        assert (await anext(pages)).remote_id == "m0"
        assert_idle(ms)
        await pages.aclose()
        assert_idle(ms)


# Closing


async def test_closing_finishes_what_was_accepted(tmp_path: Path) -> None:
    path = tmp_path / "media.db"
    ms = MediaSync(url_of(path))
    await ms.open()
    await furnish(ms)
    saves = [asyncio.create_task(ms.media.save_media_item(movie(f"m{n}"), **PLACE)) for n in range(300)]
    while len(ms._writer._waiting) < 300 and not saves[-1].done():
        await asyncio.sleep(0)
    await ms.close()
    results = await asyncio.gather(*saves)
    assert {result.status for result in results} == {"saved"}
    with pytest.raises(LifecycleError, match="closed"):
        await ms.media.save_media_item(movie("late"), **PLACE)
    with pytest.raises(LifecycleError, match="closed"):
        await ms.people.count()
    assert [file.name for file in tmp_path.iterdir()] == ["media.db"], "the log was not emptied into the file"
    connection = plain(path)
    assert all(stored_version(connection, f"m{n}") == 1 for n in range(300))
    connection.close()


async def test_closing_stops_a_stream_with_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "media.db"
    before = Footprint()
    ms = MediaSync(url_of(path))
    await ms.open()
    await furnish(ms)
    taken: list[int] = []

    def items():
        for n in range(200_000):
            taken.append(n)
            yield movie(f"m{n}")

    stream = asyncio.create_task(ms.media.save_media_items(items(), **PLACE))
    while len(taken) < 500:
        await asyncio.sleep(0)
    await ms.close()
    with pytest.raises(LifecycleError, match="clos"):
        await stream
    assert len(taken) < 100_000
    await before.assert_unchanged()
    async with MediaSync(url_of(path)) as again:
        await assert_sound(again)


async def test_closing_twice_and_from_two_tasks(tmp_path: Path) -> None:
    """Each close returns when the database is closed, not before."""
    before = Footprint()
    ms = MediaSync(url_of(tmp_path / "media.db"))
    await ms.open()
    await furnish(ms)
    await ms.media.save_media_item(movie("first"), **PLACE)
    saves = [asyncio.create_task(ms.media.save_media_item(movie(f"m{n}"), **PLACE)) for n in range(50)]
    await asyncio.sleep(0)
    open_at_return: list[int] = []

    async def close() -> None:
        await ms.close()
        engine = engine_of(ms)
        open_at_return.append(len(engine._readers) + (engine._writer is not None))

    await asyncio.gather(*(close() for _ in range(4)))
    await ms.close()
    assert open_at_return == [0] * 4
    assert ms._database.state.name == "CLOSED"
    await asyncio.gather(*saves)
    await before.assert_unchanged()


async def test_closing_while_reads_run_and_wait(tmp_path: Path) -> None:
    """What is read already is read to its end, what waits for a connection too."""
    ms = MediaSync(url_of(tmp_path / "media.db"), readers=1)
    await ms.open()
    await furnish(ms)
    await ms.media.save_media_item(movie("fixed"), **PLACE)
    reads = [asyncio.create_task(ms.media.get_media_item(f"{SOURCE}:fixed")) for _ in range(30)]
    await asyncio.sleep(0)
    await ms.close()
    items = await asyncio.gather(*reads)
    assert all(item.title == "fixed v1" for item in items)


SLOW = """
WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000000000)
SELECT count(*) AS n FROM c
"""


async def test_closing_cuts_reads_short_that_take_too_long(tmp_path: Path) -> None:
    """A query of hours does not keep `close` from returning; whoever asked gets a clear error."""
    before = Footprint()
    ms = MediaSync(url_of(tmp_path / "media.db"), readers=2, close_timeout=0.05)
    await ms.open()

    async def read() -> None:
        async with ms._database.read() as session:
            await session.fetch_all(SLOW)

    reads = [asyncio.create_task(read()) for _ in range(4)]
    while ms._database._reads < 4:
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await ms.close()
        outcomes = await asyncio.gather(*reads, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {LifecycleError}
    await before.assert_unchanged()


async def test_a_cancelled_query_is_cut_short(tmp_path: Path) -> None:
    async with watched(tmp_path / "media.db", readers=1) as (ms, _):

        async def read(snapshot: bool) -> None:
            async with ms._database.read(snapshot=snapshot) as session:
                await session.fetch_all(SLOW)

        for snapshot in (False, True):
            task = asyncio.create_task(read(snapshot))
            while engine_of(ms)._free.qsize():
                await asyncio.sleep(0)
            with anyio.move_on_after(0.05):
                await task
            async with asyncio.timeout(20):
                task.cancel()
                await asyncio.wait({task})
                assert await ms.people.count() == 0
            assert task.cancelled()
            assert_idle(ms)


async def test_closing_as_nothing_was_opened(tmp_path: Path) -> None:
    ms = MediaSync(url_of(tmp_path / "media.db"))
    await ms.close()
    async with ms:
        await furnish(ms)
        await ms.media.save_media_item(movie("one"), **PLACE)


async def test_failed_groups_leave_no_transaction_open(tmp_path: Path) -> None:
    """Whatever goes wrong inside a transaction, the next one begins."""
    async with watched(tmp_path / "media.db") as (ms, outside):

        async def fail(session: object) -> None:
            await session.execute("UPDATE media_item SET title = 'half'")
            raise KeyError("inside")

        await ms.media.save_media_item(movie("one"), **PLACE)
        for _ in range(3):
            with pytest.raises(KeyError):
                await ms._writer.run(fail)
        assert stored_version(outside, "one") == 1
        writer = engine_of(ms)._writer
        rows = writer.rows

        async def failing(sql: str, params: object = None) -> object:
            if "data_version" in sql:
                writer.rows = rows
                raise MediaSyncError("disk I/O error")
            return await rows(sql, params)

        writer.rows = failing
        with pytest.raises(MediaSyncError):
            await ms.media.save_media_item(movie("two"), **PLACE)
        await ms.media.save_media_item(movie("two"), **PLACE)
        assert stored_version(outside, "two") == 1


async def test_credits_of_one_item_by_two_ways_at_once(tmp_path: Path) -> None:
    """`save_media_people` and whole saves of one item are serial too."""
    async with watched(tmp_path / "media.db") as (ms, outside):
        await ms.media.save_media_item(movie("one"), **PLACE)
        lists = [
            [
                Credit(person=Person(remote_id=f"q{n}", name=f"Q {n}"), person_type="actor")
                for n in range(size)
            ]
            for size in range(1, 20)
        ]
        await asyncio.gather(
            *(ms.media.save_media_people(f"{SOURCE}:one", given) for given in lists),
            *(
                ms.media.save_media_item(Movie(remote_id="one", title="one", credits=given), **PLACE)
                for given in lists
            ),
            *(ms.media.delete_media_people(f"{SOURCE}:one") for _ in range(5)),
        )
        found = outside.execute("SELECT person_id FROM media_people ORDER BY sort_order").fetchall()
        assert found == [(f"{SOURCE}:q{n}",) for n in range(len(found))]
        await assert_sound(ms)
