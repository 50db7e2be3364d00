"""The sync desk: one sync of each source at a time, followed by anybody, ended with the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from mediasync import MediaSync, Movie, RunStatus, Source
from mediasync.backends.base import Enumerated
from mediasync.errors import LifecycleError, SourceHeld, SourceUnreachable, UnknownSource
from mediasync.events import Event, RunFinished
from mediasync.testing import FakeBackend
from mediasync.web.syncing import SyncDesk, SyncState


def films(*steps: Any) -> FakeBackend:
    return FakeBackend({"m": list(steps)}, source=Source(id="films", kind="plex", name="Films"))


def movie(key: str) -> Movie:
    return Movie(remote_id=key, title=f"Film {key}")


def desk_of(ms: MediaSync, backend: FakeBackend) -> SyncDesk:
    return SyncDesk(ms, cast(Any, {"films": backend}))


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[MediaSync]:
    async with MediaSync(f"sqlite:///{tmp_path}/empty.db") as ms:
        yield ms


async def states(desk: SyncDesk) -> list[SyncState]:
    async with asyncio.timeout(30):
        return [state async for state in desk.follow("films")]


async def test_a_second_press_joins_the_sync_that_is_going_on(empty: MediaSync) -> None:
    gate = asyncio.Event()
    backend = films(movie("1"), gate, movie("2"), Enumerated(2))
    desk = desk_of(empty, backend)
    assert desk.start("films")
    await backend.waiting.wait()
    assert not desk.start("films", full=True)
    assert desk.is_syncing("films")
    with pytest.raises(SourceHeld, match="this server"):
        desk.start("films", max_removals=5)
    gate.set()
    last = (await states(desk))[-1]
    assert (last.status, last.text, last.is_running) == (RunStatus.SUCCEEDED, "2 added", False)
    assert (backend.opened, len(await empty.list_runs())) == (1, 1)
    assert desk.start("films")
    await states(desk)
    assert backend.opened == 2


async def test_a_follower_sees_the_newest_state_and_the_end(empty: MediaSync) -> None:
    gate = asyncio.Event()
    backend = films(*(movie(str(n)) for n in range(50)), gate, Enumerated(50))
    desk = desk_of(empty, backend)
    desk.start("films")
    await backend.waiting.wait()
    following = [asyncio.create_task(states(desk)) for _ in range(50)]
    slow = desk.follow("films")
    first = await anext(slow)
    assert first.is_running
    gate.set()
    for seen in await asyncio.gather(*following):
        assert not seen[-1].is_running
        assert [state.number for state in seen] == sorted({state.number for state in seen})
        assert len(seen) < 20
    assert not (await anext(slow)).is_running
    with pytest.raises(StopAsyncIteration):
        await anext(slow)


async def test_whoever_listens_gets_each_event(empty: MediaSync) -> None:
    desk = desk_of(empty, films(movie("1"), Enumerated(1)))
    events: list[Event] = []
    desk.listen(events.append)
    desk.start("films")
    await states(desk)
    assert isinstance(events[-1], RunFinished)


async def test_a_cancelled_sync_keeps_what_was_saved(empty: MediaSync) -> None:
    backend = films(movie("1"), asyncio.Event())
    desk = desk_of(empty, backend)
    desk.start("films")
    await backend.waiting.wait()
    assert await desk.cancel("films")
    assert not await desk.cancel("films")
    state = desk.find_state("films")
    assert state is not None
    assert (state.status, state.text) == (RunStatus.CANCELLED, "cancelled; what was saved stays")
    assert [run.status for run in await empty.list_runs()] == [RunStatus.CANCELLED]


async def test_what_fails_is_said(empty: MediaSync) -> None:
    backend = films()
    backend.open_error = SourceUnreachable("films", "it is off")
    desk = desk_of(empty, backend)
    desk.start("films")
    last = (await states(desk))[-1]
    assert (last.status, last.error) == (RunStatus.FAILED, "it is off")
    with pytest.raises(UnknownSource, match="'shows' cannot be synced from here; what can: films"):
        desk.start("shows")


async def test_another_worker_keeps_the_source(tmp_path: Path, empty: MediaSync) -> None:
    backend = films(movie("1"), asyncio.Event())
    async with MediaSync(f"sqlite:///{tmp_path}/empty.db") as other:
        running = asyncio.create_task(_synced(other, backend))
        await backend.waiting.wait()
        desk = desk_of(empty, films(movie("1"), Enumerated(1)))
        assert desk.start("films")
        last = (await states(desk))[-1]
        assert last.error is not None
        assert "is syncing it" in last.error
        running.cancel()
        await asyncio.wait({running})


async def _synced(ms: MediaSync, backend: FakeBackend) -> object:
    return await ms.sync(backend)


async def test_closing_the_desk_ends_syncs_and_lets_followers_go(empty: MediaSync) -> None:
    backend = films(movie("1"), asyncio.Event())
    desk = desk_of(empty, backend)
    desk.start("films")
    await backend.waiting.wait()
    following = asyncio.create_task(states(desk))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await desk.close()
        await following
    assert [run.status for run in await empty.list_runs()] == [RunStatus.CANCELLED]
    with pytest.raises(LifecycleError, match="stopping"):
        desk.start("films")


async def test_a_mirror_that_is_closed_while_a_sync_runs_does_not_hang(tmp_path: Path) -> None:
    gate = asyncio.Event()
    backend = films(movie("1"), gate, movie("2"), Enumerated(2))
    ms = MediaSync(f"sqlite:///{tmp_path}/closed.db")
    await ms.open()
    desk = desk_of(ms, backend)
    desk.start("films")
    await backend.waiting.wait()
    async with asyncio.timeout(30):
        await ms.close()
        gate.set()
        last = (await states(desk))[-1]
    assert last.status is RunStatus.FAILED


async def test_a_scheduled_sync_is_joined_and_can_be_cancelled(empty: MediaSync) -> None:
    backend = films(movie("1"), asyncio.Event())
    desk = desk_of(empty, backend)
    keeping = asyncio.create_task(desk.keep(empty.watch([backend], every="1h")))
    await backend.waiting.wait()
    assert not desk.start("films")
    following = desk.follow("films")
    assert (await anext(following)).scheduled
    assert await desk.cancel("films")
    async for last in following:
        assert last.status is RunStatus.CANCELLED
    assert backend.opened == 1
    keeping.cancel()
    await asyncio.wait({keeping})
    assert not desk.is_syncing("films")


async def test_the_next_scheduled_sync_is_known_after_a_sync_by_hand(empty: MediaSync) -> None:
    backend = films(movie("1"), Enumerated(1))
    await empty.sync(backend)
    desk = desk_of(empty, backend)
    scheduled = asyncio.Event()
    desk.listen(lambda event: scheduled.set() if type(event).__name__ == "SyncScheduled" else None)
    keeping = asyncio.create_task(desk.keep(empty.watch([backend], every="1h")))
    async with asyncio.timeout(20):
        await scheduled.wait()
        first = desk.find_due("films")
        scheduled.clear()
        desk.start("films")
        await states(desk)
        await scheduled.wait()
    second = desk.find_due("films")
    assert first is not None
    assert second is not None
    assert first != second
    keeping.cancel()
    await asyncio.wait({keeping})
