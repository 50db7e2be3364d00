"""Leases: one worker at a time syncs a source, and a worker that lost its lease writes nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support.items import movie
from support.mirror import Clock, public, rows, value, write

from mediasync import MediaSync, RunStatus
from mediasync.backends.base import Enumerated
from mediasync.changes import Fence, WriteContext
from mediasync.errors import ConfigurationError, LeaseLost, SourceHeld
from mediasync.events import Waiting
from mediasync.models import Library, Source
from mediasync.syncing.processes import at_work
from mediasync.testing import FakeBackend, count_waiting_writes, database_of, hold_writes
from mediasync.vocabulary import EntityKind

OWNER_PARTS = ("host", "boot", "namespace", "pid", "started", "token")


def elsewhere() -> str:
    """Return the name of work on another machine, of which nothing can be proved."""
    with at_work() as name:
        parts = dict(zip(OWNER_PARTS, name.split("\n"), strict=True))
    return "\n".join((parts | {"host": "nas", "pid": "4711"}).values())


async def now_of(ms: MediaSync, clock: Clock) -> int:
    """Return the time by which leases expire."""
    if database_of(ms).dialect.name == "sqlite":
        return clock.now
    return int(await value(ms, "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS now"))


async def give(ms: MediaSync, clock: Clock, seconds: float, source_id: str = "fake") -> None:
    """Let a worker on another machine hold a source for some seconds from now."""
    expires_at = await now_of(ms, clock) + round(seconds * 1000)
    await write(
        ms,
        "INSERT INTO lease (source_id, fence, holder, expires_at) "
        "VALUES (:source_id, 7, :holder, :expires_at) ON CONFLICT (source_id) DO UPDATE "
        "SET fence = lease.fence + 7, holder = excluded.holder, expires_at = excluded.expires_at",
        source_id=source_id,
        holder=elsewhere(),
        expires_at=expires_at,
    )


async def expire(ms: MediaSync) -> None:
    """Let all leases expire, as if their workers had been paused."""
    await write(ms, "UPDATE lease SET expires_at = 1")


def whole(*keys: str) -> list[Any]:
    return [*map(movie, keys), Enumerated(len(keys))]


async def test_two_syncs_of_a_source_take_turns(ms: MediaSync) -> None:
    gate = asyncio.Event()
    first = FakeBackend({"a": [movie("1"), gate, Enumerated(1)]})
    second = FakeBackend({"a": whole("1", "2")})
    events: list[Any] = []
    waits = asyncio.Event()

    async def follow() -> None:
        async for event in ms.sync(second):
            events.append(event)
            if isinstance(event, Waiting):
                waits.set()

    running = asyncio.create_task(_report(ms, first))
    await first.waiting.wait()
    other = asyncio.create_task(follow())
    await waits.wait()
    assert second.opened == 0
    gate.set()
    await asyncio.gather(running, other)
    assert [event.text for event in events if isinstance(event, Waiting)] == [
        f"waiting: {await _holder()} is syncing it"
    ]
    assert [run.saved for run in await ms.list_runs()] == [1, 1]


async def _report(ms: MediaSync, backend: FakeBackend) -> Any:
    return await ms.sync(backend)


async def _holder() -> str:
    with at_work() as name:
        host, _, _, pid, *_ = name.split("\n")
    return f"process {pid} of {host}"


async def test_different_sources_are_synced_at_once(ms: MediaSync) -> None:
    gate = asyncio.Event()
    first = FakeBackend({"a": [movie("1"), gate, Enumerated(1)]})
    running = asyncio.create_task(_report(ms, first))
    await first.waiting.wait()
    assert (await ms.sync(FakeBackend({"a": whole("1")}, source=Source(id="other", kind="plex")))).saved == 1
    gate.set()
    await running


async def test_a_source_that_is_held_for_too_long_is_reported_with_its_holder(
    ms: MediaSync, clock: Clock
) -> None:
    await give(ms, clock, 3600)
    backend = FakeBackend({"a": whole("1")})
    with pytest.raises(SourceHeld, match="'fake': process 4711 of nas is syncing it") as caught:
        await ms.sync(backend, wait_if_busy=0)
    assert (caught.value.source_id, caught.value.holder) == ("fake", "process 4711 of nas")
    assert (backend.opened, await ms.list_runs()) == (0, [])
    [result] = await ms.sync_all([backend], wait_if_busy=0)
    assert isinstance(result, SourceHeld)


async def test_who_syncs_what_can_be_listed(ms: MediaSync, clock: Clock) -> None:
    assert await ms.list_holders() == {}
    await give(ms, clock, 3600)
    gate = asyncio.Event()
    backend = FakeBackend({"a": [movie("1"), gate, Enumerated(1)]}, source=Source(id="other", kind="plex"))
    running = asyncio.create_task(_report(ms, backend))
    await backend.waiting.wait()
    assert await ms.list_holders() == {"fake": "process 4711 of nas", "other": await _holder()}
    gate.set()
    await running
    await expire(ms)
    assert await ms.list_holders() == {}


async def test_a_lease_that_has_expired_is_taken_over(ms: MediaSync, clock: Clock) -> None:
    await give(ms, clock, -1)
    assert (await ms.sync(FakeBackend({"a": whole("1")}), wait_if_busy=0)).saved == 1
    assert await rows(ms, "SELECT fence, holder, expires_at FROM lease") == [(8, None, 0)]


async def test_the_lease_of_a_process_that_is_proved_dead_is_taken_over_at_once(ms: MediaSync) -> None:
    with at_work() as ended:
        pass
    await write(
        ms,
        "INSERT INTO lease (source_id, fence, holder, expires_at) VALUES ('fake', 1, :holder, :never)",
        holder=ended,
        never=2**52,
    )
    assert (await ms.sync(FakeBackend({"a": whole("1")}), wait_if_busy=0)).saved == 1


async def test_a_dry_run_needs_no_lease(ms: MediaSync, clock: Clock) -> None:
    await give(ms, clock, 3600)
    assert (await ms.sync(FakeBackend({"a": whole("1")}), dry_run=True, wait_if_busy=0)).saved == 1


@pytest.mark.parametrize("ended", ["expired", "taken over"])
async def test_a_run_that_lost_its_lease_writes_nothing_more(ms: MediaSync, clock: Clock, ended: str) -> None:
    gate = asyncio.Event()
    backend = FakeBackend({"a": [movie("1"), gate, *whole("2", "3")], "b": whole("4")})
    running = asyncio.create_task(_report(ms, backend))
    await backend.waiting.wait()
    async for change in ms.changes():
        if change.entity is EntityKind.ITEM:
            break
    await (expire(ms) if ended == "expired" else give(ms, clock, 3600))
    before = await public(ms)
    gate.set()
    with pytest.raises(LeaseLost, match="writes nothing more"):
        await running
    after = await public(ms)
    assert {view: after[view] for view in after if view != "sync_runs"} == {
        view: before[view] for view in before if view != "sync_runs"
    }
    [run] = await ms.list_runs()
    assert (run.status, run.finished_at) == (RunStatus.INTERRUPTED, None)


async def test_saves_of_other_sources_in_the_same_group_are_written(ms: MediaSync, clock: Clock) -> None:
    """One lost lease costs only the saves that were made under it."""
    await give(ms, clock, 3600, "home")
    lost, held = WriteContext(fence=Fence("fake", 1)), WriteContext(fence=Fence("home", 7))
    await ms.media.save_source(Source(id="fake", kind="plex"))
    await ms.media.save_library(Library(id="a", source_id="fake", title="A", kind="movies"))

    async def save(context: WriteContext, library_id: str, source_id: str) -> Any:
        return await ms.media.save_media_items(
            [movie("1")], library_id=library_id, source_id=source_id, context=context
        )

    with hold_writes(ms):
        saves = [
            asyncio.create_task(save(lost, "a", "fake")),
            asyncio.create_task(save(held, "movies", "home")),
        ]
        while count_waiting_writes(ms) < 2:
            await asyncio.sleep(0)
    one, other = await asyncio.gather(*saves, return_exceptions=True)
    assert isinstance(one, LeaseLost)
    assert other.saved == 1
    assert await rows(ms, "SELECT id FROM media_items") == [("home:1",)]


@pytest.mark.parametrize(
    "act",
    [
        lambda ms, context: ms.media.save_source(
            Source(id="home", kind="jellyfin", name="New"), context=context
        ),
        lambda ms, context: ms.media.save_library(
            Library(id="x", source_id="home", title="X", kind="movies"), context=context
        ),
    ],
    ids=["a source", "a library"],
)
async def test_other_writes_check_the_lease_too(ms: MediaSync, act: Callable[..., Any]) -> None:
    before = await public(ms)
    with pytest.raises(LeaseLost):
        await act(ms, WriteContext(fence=Fence("home", 1)))
    assert await public(ms) == before


async def test_a_lease_is_renewed_while_the_run_lasts(url: str) -> None:
    gate = asyncio.Event()
    backend = FakeBackend({"a": [movie("1"), gate, Enumerated(1)]})
    async with MediaSync(url, lease_seconds=0.3) as ms:
        running = asyncio.create_task(_report(ms, backend))
        await backend.waiting.wait()
        first = await value(ms, "SELECT expires_at FROM lease")
        while await value(ms, "SELECT expires_at FROM lease") < first + 400:
            await asyncio.sleep(0.02)
        gate.set()
        assert (await running).saved == 1


async def test_a_cancelled_sync_releases_its_lease(ms: MediaSync) -> None:
    backend = FakeBackend({"a": [movie("1"), asyncio.Event(), Enumerated(1)]})
    running = asyncio.create_task(_report(ms, backend))
    await backend.waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await rows(ms, "SELECT holder, expires_at FROM lease") == [(None, 0)]
    assert (await ms.sync(FakeBackend({"a": whole("1")}), wait_if_busy=0)).status is RunStatus.SUCCEEDED


async def test_a_run_is_running_only_while_its_lease_lives(ms: MediaSync) -> None:
    gate = asyncio.Event()
    backend = FakeBackend({"a": [movie("1"), gate, Enumerated(1)]})
    running = asyncio.create_task(_report(ms, backend))
    await backend.waiting.wait()
    assert [run.status for run in await ms.list_runs(status=RunStatus.RUNNING)] == [RunStatus.RUNNING]
    await expire(ms)
    [run] = await ms.list_runs(status=RunStatus.INTERRUPTED)
    assert (await ms.find_run(run.id)).status is RunStatus.INTERRUPTED  # type: ignore[union-attr]
    assert await rows(ms, "SELECT status FROM sync_runs") == [("interrupted",)]
    assert await ms.list_runs(status=RunStatus.RUNNING) == []
    gate.set()
    with pytest.raises(LeaseLost):
        await running
    await ms.sync(FakeBackend({"a": whole("1")}))
    assert [run.status for run in await ms.list_runs()] == [RunStatus.SUCCEEDED, RunStatus.INTERRUPTED]
    assert (await ms.list_runs())[1].finished_at is not None


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
async def test_a_time_to_wait_that_is_none_is_refused(ms: MediaSync, seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="wait_if_busy"):
        ms.sync(FakeBackend(), wait_if_busy=seconds)


@pytest.mark.parametrize("seconds", [0, 0.05, 90_000, "60", None, float("nan")])
def test_a_lease_that_cannot_be_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="lease_seconds must be a number of seconds"):
        MediaSync("sqlite:///:memory:", lease_seconds=seconds)
