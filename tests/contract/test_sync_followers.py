"""One sync that several tasks follow, and its progress."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from support.items import movie

from mediasync import MediaSync, RunStatus
from mediasync.backends.base import Enumerated, Expected
from mediasync.errors import LifecycleError, SourceUnreachable
from mediasync.events import Event, Progress, RunFinished
from mediasync.testing import FakeBackend


async def listen(sync: Any) -> list[Event]:
    return [event async for event in sync]


async def result(sync: Any) -> Any:
    return await sync


async def test_two_listeners_and_a_waiter_follow_one_run(ms: MediaSync) -> None:
    backend = FakeBackend({"m": [movie(str(n)) for n in range(120)]})
    sync = ms.sync(backend)
    first, second, report = await asyncio.gather(listen(sync), listen(sync), result(sync))
    assert backend.opened == 1
    assert [run.id for run in await ms.list_runs()] == [report.run.id]
    assert report is sync.report
    for events in (first, second):
        assert isinstance(events[-1], RunFinished)
        assert events[-1].report is report
    assert [event for event in first if not isinstance(event, Progress)] == [
        event for event in second if not isinstance(event, Progress)
    ]


async def test_followers_of_several_sources(ms: MediaSync) -> None:
    backend = FakeBackend({"m": [movie()]})
    running = ms.sync_all([backend])
    first, second, results = await asyncio.gather(listen(running), listen(running), result(running))
    assert first == second
    assert results is running.results
    assert backend.opened == 1


async def test_a_follower_who_leaves_does_not_stop_the_others(ms: MediaSync) -> None:
    gate = asyncio.Event()
    backend = FakeBackend({"m": [movie("1"), gate, movie("2")]})
    sync = ms.sync(backend)
    waiter = asyncio.create_task(result(sync))
    listener = asyncio.create_task(listen(sync))
    async with aclosing(aiter(sync)) as events:
        async for _ in events:
            await backend.waiting.wait()
            break
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
    gate.set()
    assert (await waiter).saved == 2


async def test_the_last_follower_who_leaves_cancels_the_sync(ms: MediaSync) -> None:
    backend = FakeBackend({"m": [movie("1"), asyncio.Event()]})
    sync = ms.sync(backend)
    followers = [asyncio.create_task(result(sync)), asyncio.create_task(listen(sync))]
    await backend.waiting.wait()
    for follower in followers:
        follower.cancel()
        with pytest.raises(asyncio.CancelledError):
            await follower
    assert [run.status for run in await ms.list_runs()] == [RunStatus.CANCELLED]
    with pytest.raises(LifecycleError, match="was cancelled"):
        await sync
    with pytest.raises(LifecycleError, match="not ended"):
        _ = sync.report


async def test_all_followers_get_the_error(ms: MediaSync) -> None:
    error = SourceUnreachable("fake", "no answer")
    sync = ms.sync(FakeBackend({}, open_error=error))
    assert await asyncio.gather(listen(sync), result(sync), return_exceptions=True) == [error, error]
    with pytest.raises(SourceUnreachable):
        await sync


async def test_a_sync_that_has_ended_is_not_run_again(ms: MediaSync) -> None:
    backend = FakeBackend({"m": [movie()]})
    sync = ms.sync(backend)
    report = await sync
    assert await sync is report
    assert await listen(sync) == []
    assert backend.opened == 1


async def test_progress_says_how_much_of_the_run_is_done(ms: MediaSync) -> None:
    of_first = [Expected(200), *(movie(f"a{n}") for n in range(200)), Enumerated(200)]
    of_second = [movie(f"b{n}") for n in range(60)]
    told = [
        event
        for event in await listen(ms.sync(FakeBackend({"a": of_first, "b": of_second})))
        if isinstance(event, Progress)
    ]
    assert {event.library_total for event in told if event.library_id == "fake:a"} == {200}
    assert {event.library_total for event in told if event.library_id == "fake:b"} == {None}
    for event in told:
        if event.library_id == "fake:a" and not event.libraries_read:
            assert event.share == event.library_seen / 400
    assert told[-1].share == 1.0
    assert (told[-1].libraries_read, told[-1].libraries) == (2, 2)


@pytest.mark.parametrize(
    ("fields", "share"),
    [
        ({}, None),
        ({"libraries": 2}, None),
        ({"libraries": 2, "library_total": 0}, 0.5),
        ({"libraries": 2, "library_total": 10, "library_seen": 20}, 0.5),
        ({"libraries": 2, "libraries_read": 1, "library_total": 4, "library_seen": 1}, 0.625),
        ({"libraries": 2, "libraries_read": 2}, 1.0),
    ],
)
def test_the_share(fields: dict[str, Any], share: float | None) -> None:
    assert Progress("s", 1, 1, 0, 0, **fields).share == share
