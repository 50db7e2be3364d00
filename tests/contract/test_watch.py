"""Watching: each source is synced when its schedule says so, by one of the workers that watch it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.items import movie
from support.mirror import Clock, write

from mediasync import MediaSync, RunStatus, Source, SourceConfig
from mediasync.errors import ConfigurationError, SourceUnreachable
from mediasync.events import Event, RunFailed, RunFinished, SyncScheduled
from mediasync.settings.schedule import Schedule
from mediasync.testing import FakeBackend
from mediasync.watching import Watch


def backend(source_id: str, *found: object) -> FakeBackend:
    return FakeBackend({"m": list(found)}, source=Source(id=source_id, kind="jellyfin", name=source_id))


def as_time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class Followed:
    """The events of a watch, as they are asked for."""

    def __init__(self, watch: Watch, clock: Clock, events: AsyncGenerator[Event]) -> None:
        self.watch = watch
        self._clock = clock
        self._events = events

    async def ended(self) -> RunFinished | RunFailed:
        """Return the next sync that ends."""
        async for event in self._events:
            if isinstance(event, RunFinished | RunFailed):
                return event
        raise AssertionError("the watch ended")

    async def scheduled(self, source_id: str = "home") -> datetime:
        """Return when the next sync of a source is due, as it is announced next."""
        async for event in self._events:
            if isinstance(event, SyncScheduled) and event.source_id == source_id:
                return event.due_at
            assert not isinstance(event, RunFinished | RunFailed), event
        raise AssertionError("the watch ended")

    async def at(self, moment: datetime) -> None:
        """Move the clock, and let the watch look at it."""
        self._clock.now = round(moment.timestamp() * 1000)
        await self.watch.look()


@asynccontextmanager
async def followed(ms: MediaSync, clock: Clock, *sources: Any, **options: Any) -> AsyncIterator[Followed]:
    watch = ms.watch(sources, **options)
    async with asyncio.timeout(20), aclosing(watch.__aiter__()) as events:
        yield Followed(watch, clock, events)


async def test_a_source_is_synced_at_once_and_then_on_its_schedule(ms: MediaSync, clock: Clock) -> None:
    source = backend("home", movie("1"))
    async with followed(ms, clock, source, every="1h") as watch:
        first = await watch.ended()
        assert isinstance(first, RunFinished)
        due = await watch.scheduled()
        started = first.report.run.started_at
        assert timedelta(hours=1) <= due - started <= timedelta(hours=1, minutes=3)
        await watch.at(due - timedelta(milliseconds=2))
        await watch.at(due + timedelta(milliseconds=1))
        second = await watch.ended()
        assert isinstance(second, RunFinished)
        assert second.report.run.started_at >= due - timedelta(milliseconds=1)
    assert [run.status for run in await ms.list_runs("home")] == [RunStatus.SUCCEEDED] * 2


async def test_a_restarted_watch_goes_on_from_the_last_run(ms: MediaSync, clock: Clock) -> None:
    await ms.sync(backend("home", movie("1")))
    async with followed(ms, clock, backend("home", movie("1")), every="2h") as watch:
        due = await watch.scheduled()
        assert due - as_time(clock.now) > timedelta(hours=1, minutes=59)
    assert len(await ms.list_runs("home")) == 1


async def test_what_broke_off_is_taken_up_at_once(ms: MediaSync, clock: Clock) -> None:
    await ms.sync(backend("home", movie("1")))
    await write(ms, "UPDATE sync_run SET status = 'cancelled'")
    async with followed(ms, clock, backend("home", movie("1"))) as watch:
        assert isinstance(await watch.ended(), RunFinished)


async def test_a_sync_that_is_cancelled_waits_for_its_schedule(ms: MediaSync, clock: Clock) -> None:
    source = backend("home", movie("1"), asyncio.Event())
    async with followed(ms, clock, source, every="1h") as watch:
        next_one = asyncio.create_task(watch.scheduled())
        await source.waiting.wait()
        assert watch.watch.is_syncing("home")
        await watch.watch.cancel("home")
        assert not watch.watch.is_syncing("home")
        assert await next_one - as_time(clock.now) > timedelta(minutes=59)
        await watch.watch.cancel("nobody")
    assert [run.status for run in await ms.list_runs("home")] == [RunStatus.CANCELLED]


async def test_a_source_that_fails_is_tried_again_after_growing_pauses(ms: MediaSync, clock: Clock) -> None:
    gone, well = backend("home"), backend("well", movie("1"))
    gone.open_error = SourceUnreachable("home", "it is off")
    await ms.sync(well)
    async with followed(ms, clock, gone, well, every="12h") as watch:
        waits = []
        for _ in range(8):
            failed = await watch.ended()
            assert isinstance(failed, RunFailed)
            assert failed.source_id == "home"
            now = as_time(clock.now)
            due = await watch.scheduled("home")
            waits.append(round((due - now).total_seconds() / 60))
            await watch.at(due + timedelta(milliseconds=1))
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
        gone.open_error = None
        assert isinstance(await watch.ended(), RunFinished)
        assert await watch.scheduled("home") - as_time(clock.now) > timedelta(hours=11)


async def test_workers_that_watch_the_same_sources_divide_them(ms: MediaSync, clock: Clock) -> None:
    gate = asyncio.Event()
    first, second = backend("home", gate, movie("1")), backend("home", movie("1"))
    async with followed(ms, clock, first) as watch, followed(ms, clock, second) as other:
        ended = asyncio.ensure_future(watch.ended())
        await first.waiting.wait()
        # The other finds the run of the first one, and waits for the time after it.
        assert await other.scheduled() - as_time(clock.now) > timedelta(hours=5)
        gate.set()
        assert isinstance(await ended, RunFinished)
    assert (first.opened, second.opened) == (1, 0)


async def test_a_source_that_another_worker_syncs_is_left_to_it(ms: MediaSync, clock: Clock) -> None:
    await ms.sync(backend("home", movie("1")))
    gate = asyncio.Event()
    first, second = backend("home", gate, movie("1")), backend("home", movie("1"))
    running = asyncio.ensure_future(_awaited(ms.sync(first, items=["home:1"])))
    await first.waiting.wait()
    # A run of single items is no reason to wait; only its lease is.
    await write(ms, "UPDATE sync_run SET status = 'failed' WHERE finished_at IS NOT NULL")
    async with followed(ms, clock, second) as watch:
        assert await watch.scheduled() - as_time(clock.now) == timedelta(minutes=1)
        gate.set()
        await running
        await watch.at(as_time(clock.now) + timedelta(minutes=1))
        assert isinstance(await watch.ended(), RunFinished)


async def _awaited(running: Any) -> Any:
    return await running


async def test_leaving_cancels_the_sync_and_keeps_what_is_saved(ms: MediaSync, clock: Clock) -> None:
    stuck = backend("home", movie("1"), asyncio.Event())
    async with followed(ms, clock, stuck) as watch:
        ended = asyncio.ensure_future(watch.ended())
        await stuck.waiting.wait()
        ended.cancel()
        await asyncio.wait({ended})
    [run] = await ms.list_runs("home")
    assert run.status is RunStatus.CANCELLED


async def test_settings_choose_the_schedule(ms: MediaSync, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "Heat (1995)").mkdir()
    (tmp_path / "Heat (1995)" / "movie.nfo").write_text("<movie><title>Heat</title></movie>")
    source = SourceConfig(id="films", folder=tmp_path, every="2h")
    async with followed(ms, clock, source, every="1h") as watch:
        assert isinstance(await watch.ended(), RunFinished)
        due = await watch.scheduled("films")
        assert timedelta(hours=2) <= due - as_time(clock.now) <= timedelta(hours=2, minutes=5)


@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        ([], {}, "there is nothing to watch"),
        (["nfo:x"], {"every": "soon"}, "every: 'soon' is not a length of time"),
        (["nfo:x"], {"every": "10s"}, "at least a minute"),
        (["nfo:x"], {"jobs": 0}, "jobs is 0"),
        (["a=nfo:x", "a=nfo:y"], {}, "two sources are both called 'a'"),
        (["x"], {}, "'x' is not a source"),
    ],
)
async def test_what_cannot_be_watched_is_refused_at_once(
    sources: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        MediaSync("sqlite:///:memory:").watch(sources, **options)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"every": "often"}, "'often' is not a length of time"),
        ({"every": "59s"}, "at least a minute"),
        ({"every": 6}, "is not a length of time"),
        ({"at": "25:00"}, "'25:00' is not a time of the day"),
        ({"at": ["03:30", "noon"]}, "'noon' is not a time of the day"),
        ({"at": "03:30+01:00"}, "without a zone"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SourceConfig.model_validate({"folder": "films", **values})


@pytest.mark.parametrize("given_times", ["03:30, 15:00", ["15:00", "03:30"], [time(3, 30), time(15)]])
def test_times_of_the_day_are_read_in_every_form(given_times: Any) -> None:
    config = SourceConfig.model_validate({"folder": "films", "at": given_times})
    assert config.schedule == Schedule(at=(time(3, 30), time(15)))


def test_a_time_of_the_day_is_one_in_local_time() -> None:
    zone = ZoneInfo("Europe/Berlin")
    nightly = Schedule(at=(time(2, 30),))
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    # On this night the clock is put forward from 02:00 to 03:00.
    forward = nightly.next_after(before, "home", zone)
    assert datetime(2026, 3, 29, 0, 30, tzinfo=UTC) <= forward <= datetime(2026, 3, 29, 1, 35, tzinfo=UTC)
    after = nightly.next_after(forward, "home", zone)
    assert datetime(2026, 3, 30, 0, 30, tzinfo=UTC) <= after <= datetime(2026, 3, 30, 0, 35, tzinfo=UTC)


@given(
    last=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    every=st.none() | st.timedeltas(timedelta(minutes=1), timedelta(days=60)),
    at=st.lists(st.times().map(lambda one: one.replace(microsecond=0)), max_size=3),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_a_sync_is_due_after_the_last_one_and_within_its_interval(
    last: datetime, every: timedelta | None, at: list[time], zone: str
) -> None:
    schedule = Schedule(every, tuple(at))
    if every is None and not at:
        with pytest.raises(ValueError, match="neither"):
            schedule.next_after(last, "home")
        return
    due = schedule.next_after(last, "home", ZoneInfo(zone))
    longest = min([*([every] if every else []), *([timedelta(days=1, hours=1)] if at else [])])
    assert last < due <= last + longest + timedelta(minutes=5)
    assert due == schedule.next_after(last, "home", ZoneInfo(zone))
