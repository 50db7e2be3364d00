"""Cancelled at every suspension, in six ways: wholly there or wholly absent, and nothing is lost or left."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path

import anyio
import pytest
from robustness_steps import KINDS, Stepper, run_native, stepping
from robustness_world import (
    LIBRARY,
    PLACE,
    SOURCE,
    Footprint,
    assert_idle,
    assert_sound,
    furnish,
    movie,
    plain,
    stored_version,
    url_of,
    watched,
)

from mediasync import MediaSync, Person, Source
from mediasync.aio import finish
from mediasync.testing import FakeBackend

pytestmark = pytest.mark.slow

PATIENCE = 20
MOST_STEPS = 2_000
SHARE = 3
"""Each way of cancelling takes the first steps, then one in so many. Together they take each step twice."""


def source_of(versions: Mapping[str, int]) -> FakeBackend:
    """Return a source of a few items in memory, each with a version as its change token."""
    items = []
    for key, version in versions.items():
        item = movie(key, version)
        item.change_token = str(version)
        items.append(item)
    return FakeBackend({LIBRARY: items}, Source(id=SOURCE, kind="jellyfin", name="Home"), kind="movies")


class Case:
    """One operation that is cancelled again and again, each time with another number.

    Attributes:
        keys: the items that it saves.
    """

    keys: tuple[str, ...] = ()

    def __init__(self, ms: MediaSync) -> None:
        self.ms = ms

    async def work(self, number: int) -> object:
        """Do it."""
        raise NotImplementedError

    async def after(self, number: int) -> None:
        """Check what only this operation promises."""


class SaveNew(Case):
    async def work(self, number: int) -> object:
        self.keys = (f"new{number}",)
        return await self.ms.media.save_media_item(movie(self.keys[0]), **PLACE)


class SaveAgain(Case):
    keys = ("again",)

    async def work(self, number: int) -> object:
        return await self.ms.media.save_media_item(movie("again", number + 1), **PLACE)


class SaveMany(Case):
    keys = ("many1", "many2", "many3")

    async def work(self, number: int) -> object:
        items = [movie(key, number + 1) for key in self.keys]
        return await self.ms.media.save_media_items(items, concurrency=2, **PLACE)


class UpsertPerson(Case):
    async def work(self, number: int) -> object:
        return await self.ms.people.upsert(Person(remote_id="ann", name=f"Ann {number}"), source_id=SOURCE)

    async def after(self, number: int) -> None:
        found = await self.ms.people.find_by_id(f"{SOURCE}:ann")
        if found is not None:
            assert found.name in {f"Ann {n}" for n in range(1, number + 1)}
            assert found in await self.ms.people.search(found.name)


class GetItem(Case):
    async def work(self, number: int) -> object:
        item = await self.ms.media.get_media_item(f"{SOURCE}:fixed")
        assert len(item.credits) == len(movie("fixed").credits)
        return item


class FindCredits(Case):
    async def work(self, number: int) -> object:
        found = await self.ms.people.find_by_media_item(f"{SOURCE}:fixed")
        assert len(found) == len(movie("fixed").credits)
        return found


class SyncSource(Case):
    keys = ("synced1", "synced2", "synced3")
    backend = FakeBackend({})

    async def work(self, number: int) -> object:
        self.backend = source_of(dict.fromkeys(self.keys, number + 1))
        report = await self.ms.sync(self.backend)
        assert report.run.saved == len(self.keys)
        return report

    async def after(self, number: int) -> None:
        assert self.backend.opened == self.backend.closed
        running = [run for run in await self.ms.list_runs() if run.status == "running"]
        assert len(running) <= 1


class SyncWithEvents(SyncSource):
    keys = ("told1", "told2", "told3")

    async def work(self, number: int) -> object:
        self.backend = source_of(dict.fromkeys(self.keys, number + 1))
        return [event async for event in self.ms.sync(self.backend)]


@pytest.fixture
def steps(pytestconfig: pytest.Config, kind: str) -> Iterable[int]:
    """The steps at which one way of cancelling is tried. The first that is never reached ends the test."""
    if pytestconfig.getoption("every_step"):
        return range(1, MOST_STEPS)
    first = 1 + SHARE + [*KINDS].index(kind) % SHARE
    return [*range(1, 1 + SHARE), *range(first, MOST_STEPS, SHARE)]


CASES = (SaveNew, SaveAgain, SaveMany, UpsertPerson, GetItem, FindCredits, SyncSource, SyncWithEvents)


@pytest.fixture
async def stepper() -> AsyncGenerator[Stepper, None]:
    with stepping() as steps:
        yield steps


async def assert_law_7(
    ms: MediaSync, outside: sqlite3.Connection, keys: tuple[str, ...], before: Footprint
) -> None:
    """The next save works, everything is whole, and everything is given back."""
    async with asyncio.timeout(PATIENCE):
        stored_before = stored_version(outside, "next") or 0
        await ms.media.save_media_item(movie("next", stored_before + 1), **PLACE)
        assert stored_version(outside, "next") == stored_before + 1
        for key in keys:
            stored_version(outside, key)
        await before.assert_unchanged()
        assert_idle(ms)
        await assert_sound(ms)
        await before.assert_unchanged()


@pytest.mark.parametrize(
    ("case_type", "kind"),
    # A sync that is iterated over is the same sync: two kinds show that its end is the same too.
    [
        (case, kind)
        for case in CASES
        for kind in KINDS
        if case is not SyncWithEvents or kind in {"native", "anyio scope"}
    ],
)
async def test_cancelled_at_every_step(
    tmp_path: Path, stepper: Stepper, case_type: type[Case], kind: str, steps: Iterable[int]
) -> None:
    path = tmp_path / "media.db"
    async with watched(path, readers=2) as (ms, outside):
        await ms.media.save_media_item(movie("fixed"), **PLACE)
        case = case_type(ms)
        before = Footprint()
        cancelled = 0
        for at in steps:
            ms.media._known_libraries.clear()
            async with asyncio.timeout(PATIENCE):
                cancelled += await KINDS[kind](stepper, lambda at=at: case.work(at), at)
            ended = stepper.count < at
            await assert_law_7(ms, outside, case.keys, before)
            await case.after(at)
            await ms.prune_changes(0)  # They are sound, and each check reads all that there are.
            if ended:
                break
        assert ended
        assert cancelled
        async with asyncio.timeout(PATIENCE):
            await case.work(at + 1)
        assert all(stored_version(outside, key) for key in case.keys)


@pytest.mark.parametrize("kind", KINDS)
async def test_open_cancelled_at_every_step(
    tmp_path: Path, stepper: Stepper, kind: str, steps: Iterable[int]
) -> None:
    before = Footprint()
    cancelled = 0
    for at in steps:
        path = tmp_path / f"{at}.db"
        ms = MediaSync(url_of(path), readers=3)
        async with asyncio.timeout(PATIENCE):
            given_up = await KINDS[kind](stepper, ms.open, at)
        ended = stepper.count < at
        if not given_up:
            await ms.close()
        cancelled += given_up
        await before.assert_unchanged()
        async with MediaSync(url_of(path)) as again:
            await furnish(again)
            await assert_sound(again)
        await before.assert_unchanged()
        if ended:
            break
    assert ended
    assert cancelled >= 10 // SHARE


@pytest.mark.parametrize("kind", KINDS)
async def test_close_cancelled_at_every_step(
    tmp_path: Path, stepper: Stepper, kind: str, steps: Iterable[int]
) -> None:
    path = tmp_path / "media.db"
    before = Footprint()
    for at in steps:
        ms = MediaSync(url_of(path), readers=3)
        await ms.open()
        await furnish(ms)
        saves = [
            asyncio.create_task(ms.media.save_media_item(movie(f"last{n}", at), **PLACE)) for n in range(3)
        ]
        await asyncio.sleep(0)
        ms_people = asyncio.create_task(ms.people.count())
        await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            await KINDS[kind](stepper, ms.close, at)
            ended = stepper.count < at
            await ms.close()
            outcomes = await asyncio.gather(*saves, ms_people, return_exceptions=True)
        await before.assert_unchanged()
        connection = plain(path)
        for n, outcome in enumerate(outcomes[:3]):
            version = stored_version(connection, f"last{n}")
            assert isinstance(outcome, Exception) or version == at
        connection.close()
        if ended:
            break
    assert ended
    async with MediaSync(url_of(path)) as ms:
        await assert_sound(ms)


@pytest.mark.parametrize("kind", KINDS)
async def test_neighbours_in_the_group_are_unharmed(
    tmp_path: Path, stepper: Stepper, kind: str, steps: Iterable[int]
) -> None:
    path = tmp_path / "media.db"
    async with watched(path) as (ms, outside):
        before = Footprint()
        for at in steps:
            neighbours = [f"neighbour{n}" for n in range(12)]

            def save(key: str, at: int = at) -> Awaitable[object]:
                return ms.media.save_media_item(movie(key, at), **PLACE)

            left = [asyncio.create_task(save(key)) for key in neighbours[:6]]
            victim = asyncio.create_task(KINDS[kind](stepper, lambda at=at: save(f"victim{at}"), at))
            await asyncio.sleep(0)
            right = [asyncio.create_task(save(key)) for key in neighbours[6:]]
            async with asyncio.timeout(PATIENCE):
                results = await asyncio.gather(*left, *right)
                await victim
            assert [result.status for result in results] == ["saved"] * 12
            assert [stored_version(outside, key) for key in neighbours] == [at] * 12
            ended = stepper.count < at
            await assert_law_7(ms, outside, (f"victim{at}",), before)
            if ended:
                break
        assert ended


async def test_the_one_cancelled_before_its_turn_is_never_written(tmp_path: Path) -> None:
    path = tmp_path / "media.db"
    async with MediaSync(url_of(path)) as ms:
        await furnish(ms)
        holder = plain(path)
        holder.execute("BEGIN IMMEDIATE")
        first = asyncio.create_task(ms.media.save_media_item(movie("first"), **PLACE))
        while ms._writer._waiting or not engine_turn_taken(ms):
            await asyncio.sleep(0)
        second = asyncio.create_task(ms.media.save_media_item(movie("second"), **PLACE))
        third = asyncio.create_task(ms.media.save_media_item(movie("third"), **PLACE))
        while len(ms._writer._waiting) < 2:
            await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait({second})
        holder.execute("ROLLBACK")
        await asyncio.gather(first, third)
        assert [stored_version(holder, key) for key in ("first", "second", "third")] == [1, None, 1]
        holder.close()


def engine_turn_taken(ms: MediaSync) -> bool:
    """Whether a transaction is waiting or under way."""
    return ms._database._engine._turn.locked()


async def test_an_abandoned_stream_submits_nothing_more(tmp_path: Path) -> None:
    """Cancelled, a stream takes nothing more, and what it handed over and nobody took up is dropped."""
    path = tmp_path / "media.db"
    taken: list[int] = []

    def items():
        for n in range(100_000):
            taken.append(n)
            yield movie(f"stream{n}")

    async with MediaSync(url_of(path)) as ms:
        await furnish(ms)
        task = asyncio.create_task(ms.media.save_media_items(items(), concurrency=50, **PLACE))
        while len(taken) < 200:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        at_cancel = len(taken)
        await ms.media.save_media_item(movie("after"), **PLACE)
        assert len(taken) == at_cancel
        assert not ms._writer._waiting
        await assert_sound(ms)
        [(_, _, _, stored)] = await ms.media.count_by_library()
        assert 100 <= stored <= at_cancel + 1


RANDOM_OPERATIONS: tuple[Callable[[MediaSync, int], Awaitable[object]], ...] = (
    lambda ms, n: ms.media.save_media_item(movie(f"r{n % 20}", n + 1), **PLACE),
    lambda ms, n: ms.media.save_media_items([movie(f"s{n}-{m}") for m in range(30)], concurrency=7, **PLACE),
    lambda ms, n: ms.people.upsert_batch(
        [Person(remote_id=f"u{m}", name=f"U{n} {m}") for m in range(20)], source_id=SOURCE
    ),
    lambda ms, n: ms.media.find_media_items([f"{SOURCE}:r{m}" for m in range(20)]),
    lambda ms, n: ms.people.find_by_media_item(f"{SOURCE}:r{n % 20}"),
    lambda ms, n: ms.people.search("Person"),
    lambda ms, n: ms.media.delete_media_item(f"{SOURCE}:r{n % 20}"),
    lambda ms, n: ms.sync(source_of({f"r{m}": n + 1 for m in range(20)})),
    lambda ms, n: ms.check(),
)


async def test_nothing_leaks_after_200_cancelled_operations(tmp_path: Path, stepper: Stepper) -> None:
    path = tmp_path / "media.db"
    chance = random.Random(20)
    unopened = Footprint()
    async with watched(path, readers=2) as (ms, outside):
        before = Footprint()
        cancelled = 0
        number = 0
        while cancelled < 200:
            number += 1
            operation = RANDOM_OPERATIONS[number % len(RANDOM_OPERATIONS)]
            kind = chance.choice([*KINDS])
            at = min(int(chance.expovariate(1 / 12)) + 1, 60)
            async with asyncio.timeout(PATIENCE):
                cancelled += await KINDS[kind](stepper, lambda o=operation, n=number: o(ms, n), at)
            assert number < 1_000
        await assert_law_7(ms, outside, tuple(f"r{n}" for n in range(20)), before)
    await unopened.assert_unchanged()


async def test_200_concurrent_operations_cancelled_at_random(tmp_path: Path, stepper: Stepper) -> None:
    """All at once, so that they are cancelled in each other's groups and while they wait for readers."""
    path = tmp_path / "media.db"
    chance = random.Random(21)
    async with watched(path, readers=2) as (ms, outside):
        before = Footprint()
        waiting: list[asyncio.Task] = []

        async def one(number: int) -> None:
            await RANDOM_OPERATIONS[number % len(RANDOM_OPERATIONS)](ms, number)

        def strike() -> None:
            if waiting:
                waiting.pop(chance.randrange(len(waiting))).cancel()

        tasks = [asyncio.create_task(one(number)) for number in range(1, 400)]
        waiting += tasks
        stepper.arm(range(1, 10**9, 3), strike, late=False)
        async with asyncio.timeout(60):
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        stepper.disarm()
        assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) >= 100
        assert not [o for o in outcomes if isinstance(o, Exception)]
        await assert_law_7(ms, outside, tuple(f"r{n}" for n in range(20)), before)


async def test_a_cancelled_scope_of_anyio_hurts_no_later_call(tmp_path: Path) -> None:
    """A scope that stays cancelled round `async with MediaSync`: closing still closes everything."""
    before = Footprint()
    path = tmp_path / "media.db"
    with anyio.CancelScope() as scope:
        async with MediaSync(url_of(path)) as ms:
            await furnish(ms)
            scope.cancel()
            await ms.media.save_media_item(movie("late"), **PLACE)
    assert scope.cancelled_caught
    await before.assert_unchanged()
    with anyio.move_on_after(0):
        async with MediaSync(url_of(path)) as ms:
            await ms.media.save_media_item(movie("late"), **PLACE)
    await before.assert_unchanged()
    async with MediaSync(url_of(path)) as ms:
        await assert_sound(ms)


async def test_native_cancel_inside_a_scope_of_anyio(tmp_path: Path, stepper: Stepper) -> None:
    """Both kinds at once, and one after the other."""
    path = tmp_path / "media.db"
    async with watched(path) as (ms, outside):
        before = Footprint()
        for at in range(1, 40, 2):

            async def both(at: int = at) -> None:
                async with anyio.create_task_group() as group:
                    group.start_soon(lambda: ms.media.save_media_item(movie("both", at), **PLACE))
                    group.start_soon(lambda: ms.media.get_media_item(f"{SOURCE}:next"))
                    await ms.media.save_media_item(movie("both", at), **PLACE)

            async with asyncio.timeout(PATIENCE):
                await ms.media.save_media_item(movie("next", 1), **PLACE)
                await run_native(stepper, both, at, times=5)
            await assert_law_7(ms, outside, ("both",), before)


async def test_a_cancelled_scope_is_not_fought_while_work_is_finished(stepper: Stepper) -> None:
    """The scope cancels again and again; what waits for the work to end must not wake up each time."""
    steps = 300

    async def work() -> None:
        for _ in range(steps):
            await asyncio.sleep(0)

    async def scoped() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await finish(work())

    task = asyncio.create_task(scoped())
    stepper.arm(range(0), lambda: None, late=False)
    await task
    assert steps <= stepper.count < steps + 20
