"""The inbox: what events name waits in a table, and is looked into once, by one worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.items import episode, movie, season, show
from support.mirror import Clock

from mediasync import MediaItem, MediaSync, RunStatus, Source
from mediasync.backends.base import Enumerated, Found
from mediasync.errors import InvalidId, SourceUnreachable, UsageError
from mediasync.events import Event, RunFailed, RunFinished, SyncScheduled, TargetDropped, TargetsTaken
from mediasync.hints import Hint, HintKind
from mediasync.syncing.debounce import (
    LONGEST_MS,
    MOST_ATTEMPTS,
    MOST_SEARCHES,
    MOST_TARGETS,
    note_event,
    note_look,
    quiet_ms,
)
from mediasync.testing import FakeBackend
from mediasync.watching import Watch

SECOND = timedelta(seconds=1)


def changed(*keys: str, seconds: float = 0.0) -> Hint:
    return Hint(HintKind.CHANGED, remote_ids=keys, seconds=seconds)


def removed(*keys: str) -> Hint:
    return Hint(HintKind.REMOVED, remote_ids=keys)


def backend(*found: Any) -> FakeBackend:
    return FakeBackend({"m": [*found, Enumerated(None)]}, Source(id="home", kind="jellyfin"))


class Watched:
    """A watch whose clock the test moves."""

    def __init__(self, ms: MediaSync, clock: Clock, watch: Watch, events: AsyncGenerator[Event]) -> None:
        self.ms = ms
        self.watch = watch
        self.clock = clock
        self._events = events

    async def next(self, *kinds: type[Event]) -> Any:
        """Return the next event of one of these kinds."""
        async for event in self._events:
            if isinstance(event, kinds):
                return event
        raise AssertionError("the watch ended")

    async def hint(self, *hints: Hint, later: float = 20.0) -> None:
        """Note hints, and move the clock until they are due."""
        await self.ms.hint("home", hints)
        await self.later(later)

    async def later(self, seconds: float) -> None:
        """Move the clock, and let the watch look at it."""
        self.clock.now += round(seconds * 1000)
        await self.watch.look()

    async def ended(self) -> Any:
        return await self.next(RunFinished, RunFailed)


@asynccontextmanager
async def watched(ms: MediaSync, clock: Clock, source: FakeBackend) -> AsyncIterator[Watched]:
    """Watch a source that was synced just before."""
    watch = ms.watch([source], every="24h")
    async with asyncio.timeout(20), aclosing(watch.__aiter__()) as events:
        followed = Watched(ms, clock, watch, events)
        await followed.next(SyncScheduled)
        yield followed


async def titles(ms: MediaSync) -> dict[str, str]:
    return {item.remote_id: item.title async for item in ms.media.iter_media_items("home:m")}


async def due_kinds(ms: MediaSync, *kinds: HintKind) -> None:
    """Wait until targets of just these kinds wait: a run ends before its targets are settled."""
    while [due.kind for due in await ms.list_due("home")] != list(kinds):
        await asyncio.sleep(0.001)


async def test_hints_wait_and_are_debounced(ms: MediaSync, clock: Clock) -> None:
    assert await ms.list_due() == []
    assert await ms.hint("home", [changed("1", "2"), changed("1"), removed("2")]) == 2
    first, second = await ms.list_due("home")
    assert (first.remote_id, first.kind, second.remote_id, second.kind) == (
        "1", HintKind.CHANGED, "2", HintKind.REMOVED,
    )  # fmt: skip
    clock.now += 400
    await ms.hint("home", [changed("1")])
    await ms.hint("den", [Hint(HintKind.SOURCE)])
    again = {due.remote_id: due for due in await ms.list_due("home")}
    assert again["1"].due_at - first.due_at == timedelta(milliseconds=400)
    assert again["1"].first_at == first.first_at
    assert again["2"].due_at == second.due_at
    [whole] = await ms.list_due("den")
    assert (whole.kind, whole.remote_id, whole.provider_id) == (HintKind.SOURCE, "", "")


async def test_hints_survive_a_restart(file_url: str, clock: Clock) -> None:
    async with MediaSync(file_url, clock=clock) as ms:
        await ms.sync(backend(movie("1", title="Heat")))
        await ms.hint("home", [changed("1")])
    clock.now += 60_000
    async with (
        MediaSync(file_url, clock=clock) as ms,
        watched(ms, clock, backend(movie("1", title="Heat (1995)"))) as watch,
    ):
        assert (await watch.next(TargetsTaken)).keys == ("1",)
        await watch.ended()
        assert await titles(ms) == {"1": "Heat (1995)"}
        await due_kinds(ms)


@pytest.mark.parametrize(
    ("hint", "problem"),
    [
        (changed(""), "cannot be the key"),
        (changed("x" * 3_000), "cannot be the key"),
        (changed("a\0b"), "NUL"),
        (changed("1", seconds=-1), "waits -1"),
        (changed("1", seconds=float("nan")), "waits nan"),
        (Hint(HintKind.CHANGED, provider_ids=("603",)), "write it like tmdb:603"),
    ],
)
async def test_what_cannot_be_an_id_is_refused(ms: MediaSync, hint: Hint, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        await ms.hint("home", [changed("1"), hint])
    assert await ms.list_due() == []
    with pytest.raises(InvalidId):
        await ms.hint("no id", [changed("1")])
    assert await ms.hint("home", [Hint(HintKind.CHANGED)]) == 0, "it names nothing"


async def test_very_many_hints_become_one_sync(ms: MediaSync) -> None:
    await ms.hint("home", [changed(*map(str, range(MOST_TARGETS - 1)))])
    assert len(await ms.list_due()) == MOST_TARGETS - 1
    await ms.hint("home", [changed("x", "y")])
    [whole] = await ms.list_due()
    assert whole.kind is HintKind.SOURCE


async def test_single_items_are_read_in_one_run(ms: MediaSync, clock: Clock) -> None:
    source = backend(movie("1", title="Heat", change_token="a"), movie("2", title="Ronin", change_token="b"))
    await ms.sync(source)
    source.libraries = {
        "m": [
            movie("1", title="Heat (1995)", change_token="a"),
            movie("2", title="Not read", change_token="c"),
            movie("3", title="New", change_token="d"),
        ]
    }
    async with watched(ms, clock, source) as watch:
        await watch.hint(changed("1"), changed("3"))
        taken = await watch.next(TargetsTaken)
        assert (taken.keys, taken.whole) == (("1", "3"), False)
        finished = await watch.ended()
        assert isinstance(finished, RunFinished)
        assert finished.report.saved == 2
        await due_kinds(ms)
    assert source.asked == {"m": {"1", "3"}}
    assert await titles(ms) == {"1": "Heat (1995)", "2": "Ronin", "3": "New"}
    assert len(await ms.list_runs("home")) == 2
    assert len(await ms.list_runs("home", whole=True)) == 1, "the schedule is not disturbed"


async def test_parents_that_are_not_stored_are_read_too(ms: MediaSync, clock: Clock) -> None:
    source = backend(show("s", title="Dark"))
    await ms.sync(source)
    source.libraries = {
        "m": [
            Found(season("s-1", parent="s"), is_related=True),
            episode("s-1-1", parent="s-1", title="Secrets"),
        ]
    }
    async with watched(ms, clock, source) as watch:
        await watch.hint(changed("s-1-1"))
        assert (await watch.ended()).report.saved == 2
    assert set(await titles(ms)) == {"s", "s-1", "s-1-1"}


async def test_a_removal_is_proved_by_a_listing(ms: MediaSync, clock: Clock) -> None:
    source = backend(movie("1"), movie("2"), movie("3"))
    await ms.sync(source)
    async with watched(ms, clock, source) as watch:
        await watch.hint(removed("1"))
        assert not (await watch.next(TargetsTaken)).whole
        await watch.ended()
        await due_kinds(ms)  # it is still there: the suspicion is cleared
        source.libraries = {"m": [movie("2"), movie("3"), Enumerated(None)]}
        await watch.hint(removed("1"))
        assert not (await watch.next(TargetsTaken)).whole
        assert (await watch.ended()).report.removed == ()
        assert set(await titles(ms)) == {"1", "2", "3"}, "an event removes nothing"
        await due_kinds(ms, HintKind.SOURCE)
        await watch.later(10)
        assert (await watch.next(TargetsTaken)).whole
        assert (await watch.ended()).report.removed == ("home:1",)
        await due_kinds(ms)


async def test_an_item_that_the_source_does_not_have_is_looked_for_a_few_times(
    ms: MediaSync, clock: Clock
) -> None:
    source = backend(movie("1"))
    await ms.sync(source)
    async with watched(ms, clock, source) as watch:
        await watch.hint(changed("9"))
        for search in range(MOST_SEARCHES):
            await watch.next(TargetsTaken)
            assert (await watch.ended()).report.failed == ()
            if search < MOST_SEARCHES - 1:
                while not (due := await ms.list_due()) or due[0].attempts != search + 1:
                    await asyncio.sleep(0.001)
                await watch.later(3600)
        dropped = await watch.next(TargetDropped)
        assert dropped.targets == ("9",)
        assert "does not have it" in dropped.reason
    assert await ms.list_due() == []
    await ms.hint("home", [removed("9")])
    clock.now += 5_000
    async with watched(ms, clock, source) as watch:
        await watch.ended()
        await due_kinds(ms)  # what was never stored needs no proof


async def test_provider_ids_mean_stored_items_or_a_sync(ms: MediaSync, clock: Clock) -> None:
    source = backend(
        movie("1", title="Heat", provider_ids={"tmdb": "949"}),
        show("s", title="Dark", provider_ids={"tvdb": "949"}),
        movie("2", title="Ronin", provider_ids={"tmdb": "8195"}),
    )
    await ms.sync(source)
    async with watched(ms, clock, source) as watch:
        await watch.hint(
            Hint(HintKind.CHANGED, provider_ids=("TMDB:949", "tvdb:949"), media_type="movie"), later=0
        )
        await watch.later(0.7)
        assert (await watch.next(TargetsTaken)).keys == ("1",)
        await watch.ended()
        await due_kinds(ms, HintKind.SOURCE)
        await watch.later(20)
        assert (await watch.next(TargetsTaken)).whole, "no film has the other id"
        await watch.ended()
        source.libraries = {"m": [movie("3", title="New", provider_ids={"tmdb": "1"}), Enumerated(None)]}
        await watch.hint(Hint(HintKind.CHANGED, provider_ids=("tmdb:1",), seconds=60), later=59)
        [due] = await ms.list_due()
        assert due.due_at == datetime.fromtimestamp(clock.now / 1000, UTC) + SECOND
        await watch.later(2)
        await due_kinds(ms, HintKind.SOURCE)
        await watch.later(20)
        assert (await watch.next(TargetsTaken)).whole
        await watch.ended()
    assert "3" in await titles(ms)


async def test_failures_back_off_and_end(ms: MediaSync, clock: Clock) -> None:
    source = backend(movie("1"))
    await ms.sync(source)
    source.open_error = SourceUnreachable("home", "it is off")
    pauses = []
    async with watched(ms, clock, source) as watch:
        await watch.hint(changed("1"))
        for attempt in range(1, MOST_ATTEMPTS):
            assert isinstance(await watch.ended(), RunFailed)
            [due] = await ms.list_due()
            assert due.attempts == attempt
            pauses.append((due.due_at - datetime.fromtimestamp(clock.now / 1000, UTC)).total_seconds())
            clock.now = round(due.due_at.timestamp() * 1000) + 1
            await watch.watch.look()
        assert (await watch.next(TargetDropped)).targets == ("1",)
        assert isinstance(await watch.ended(), RunFailed)
    assert pauses == [5, 10, 20, 40, 80, 160, 320]
    assert await ms.list_due() == []
    assert [run.status for run in await ms.list_runs("home", whole=True)] == [RunStatus.SUCCEEDED]


async def test_a_program_fault_ends_neither_the_watch_nor_the_hint(ms: MediaSync, clock: Clock) -> None:
    source = backend(movie("1"))
    await ms.sync(source)
    source.open_error = RuntimeError("a bug")
    async with watched(ms, clock, source) as watch:
        await watch.hint(changed("1"))
        assert isinstance((await watch.ended()).error, RuntimeError)
        assert [due.attempts for due in await ms.list_due()] == [0]
        opened = source.opened
        await watch.later(1)
        for _ in range(20):
            await asyncio.sleep(0)
        assert source.opened == opened, "it is left alone for a while"
        source.open_error = None
        await watch.later(60)
        assert isinstance(await watch.ended(), RunFinished)
        await due_kinds(ms)


async def test_a_new_hint_ends_the_pause_after_a_failure(ms: MediaSync, clock: Clock) -> None:
    source = backend(movie("1"))
    await ms.sync(source)
    source.open_error = SourceUnreachable("home", "it is off")
    async with watched(ms, clock, source) as watch:
        await watch.hint(changed("1"))
        await watch.ended()
    source.open_error = None
    await ms.hint("home", [changed("1")])
    [due] = await ms.list_due()
    assert due.attempts == 0
    assert due.due_at - datetime.fromtimestamp(clock.now / 1000, UTC) <= SECOND


async def test_every_sync_of_the_whole_source_looks_into_what_was_named_before(
    ms: MediaSync, clock: Clock
) -> None:
    source = backend(movie("1", title="Heat", change_token="a"))
    await ms.sync(source)
    source.libraries = {
        "m": [movie("1", title="Changed without a trace", change_token="a"), Enumerated(None)]
    }
    await ms.hint("home", [changed("1"), Hint(HintKind.SOURCE), changed("2", seconds=600)])
    await ms.sync(source, dry_run=True)
    assert len(await ms.list_due()) == 3
    await ms.sync(source)
    assert await titles(ms) == {"1": "Changed without a trace"}
    assert [due.remote_id for due in await ms.list_due()] == ["2"], "its wait is not over"


async def test_a_hint_that_comes_while_its_item_is_read_is_not_lost(ms: MediaSync, clock: Clock) -> None:
    gate = asyncio.Event()
    source = backend(movie("1"))
    await ms.sync(source)
    source.libraries = {"m": [gate, movie("1", title="First")]}
    async with watched(ms, clock, source) as watch:
        await watch.hint(changed("1"))
        await watch.next(TargetsTaken)
        ended = asyncio.ensure_future(watch.ended())
        await source.waiting.wait()
        await ms.hint("home", [changed("1")])
        gate.set()
        await ended
        await due_kinds(ms, HintKind.CHANGED)
        source.libraries = {"m": [movie("1", title="Second")]}
        await watch.later(20)
        await watch.ended()
        await due_kinds(ms)
    assert await titles(ms) == {"1": "Second"}


async def test_two_watches_do_not_both_read(ms: MediaSync, clock: Clock) -> None:
    gate = asyncio.Event()
    first, second = backend(movie("1")), backend(movie("1"))
    await ms.sync(first)
    for source in (first, second):
        source.libraries = {"m": [gate, movie("1", title="Read once")]}
    opened = first.opened + second.opened
    async with watched(ms, clock, first) as one, watched(ms, clock, second) as other:
        await one.hint(changed("1"))
        ends = [asyncio.ensure_future(one.ended()), asyncio.ensure_future(other.ended())]
        waits = [asyncio.ensure_future(source.waiting.wait()) for source in (first, second)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        await one.later(10)
        await other.later(0)
        gate.set()
        done, left = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        await due_kinds(ms)
        for task in (*left, *waits):
            task.cancel()
        await asyncio.wait([*left, *waits])
    assert first.opened + second.opened == opened + 1
    assert len(await ms.list_runs("home")) == 2


async def test_events_do_not_sync_a_source_all_the_time(ms: MediaSync, clock: Clock) -> None:
    source = backend(movie("1"))
    await ms.sync(source)
    async with watched(ms, clock, source) as watch:
        await ms.hint("home", [Hint(HintKind.SOURCE)])
        await watch.later(1)
        while (await ms.list_due())[0].due_at.timestamp() * 1000 <= clock.now:
            await asyncio.sleep(0.001)
        [due] = await ms.list_due()
        assert due.due_at - datetime.fromtimestamp(clock.now / 1000, UTC) > 3 * SECOND
        assert source.opened == 1
        await watch.later(6)
        assert (await watch.next(TargetsTaken)).whole
        await watch.ended()


async def test_lost_events_cost_nothing_but_time(ms: MediaSync, clock: Clock) -> None:
    films: dict[str, MediaItem] = {
        str(n): movie(str(n), title=f"Film {n}", change_token="a") for n in range(20)
    }
    source = backend(*films.values())
    await ms.sync(source)
    for n in range(20):
        films[str(n)] = movie(str(n), title=f"Other {n}", change_token="b")
    films["new"] = movie("new", title="New", change_token="a")
    del films["3"], films["4"]
    source.libraries = {"m": [*films.values(), Enumerated(None)]}
    heard = [changed(str(n)) for n in range(0, 20, 2) if n != 4] + [removed("4")]
    async with watched(ms, clock, source) as watch:
        await watch.hint(*heard)
        await watch.ended()
    await ms.sync(source)
    assert await titles(ms) == {key: item.title for key, item in films.items()}
    assert await ms.list_due() == []


@given(
    st.lists(
        st.tuples(st.integers(0, 20_000), st.integers(0, 40_000), st.integers(1, 40)), min_size=1, max_size=30
    ),
    st.data(),
)
def test_every_hint_is_looked_into_after_it_came_and_within_the_bound(
    steps: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    """Whenever workers look, each hint is looked into after its wait, and within the longest delay."""
    now, row = 0, None
    waiting: list[tuple[int, int]] = []
    longest = max(wait for _, wait, _ in steps)
    name = ("key", "1", "")

    def look(at: int) -> None:
        nonlocal row
        assert row is not None
        looked = [hint for hint in waiting if hint[0] + hint[1] <= at]
        for came, wait in looked:
            assert at - came <= 2 * max(LONGEST_MS, longest), (came, wait, at)
            waiting.remove((came, wait))
        row = note_look(row, at)
        assert (row is None) == (not waiting), "what waits has a row, and nothing else has"

    for pause, wait, others in steps:
        later = now + pause
        while row is not None and row.due_at <= later:
            look(row.due_at)
        if row is not None and data.draw(st.booleans()):
            at = data.draw(st.integers(now, later))
            if row.ripe_at <= at:
                look(at)
        now = later
        row = note_event(name, "changed", row, now, wait, quiet_ms(others))
        waiting.append((now, wait))
    looks = 0
    while row is not None:
        look(row.due_at)
        looks += 1
        assert looks <= 2, "nothing is looked into for ever"
    assert not waiting


async def test_runs_of_single_items_that_saved_nothing_are_kept_for_two_days(
    ms: MediaSync, clock: Clock
) -> None:
    source = backend(movie("1"))
    await ms.sync(source)
    async with watched(ms, clock, source) as watch:
        await watch.hint(changed("1", "9"))
        run = (await watch.ended()).report.run
    assert await ms.list_problems(run.id), "it remarks on what the source does not have"
    await ms.sync(source)
    assert [one.id for one in await ms.list_runs("home") if one.partial] == [run.id]
    clock.now += 3 * 86_400_000
    await ms.sync(source)
    assert [one.id for one in await ms.list_runs("home") if one.partial] == []
    assert await ms.list_problems(run.id) == []
    assert (await ms.check()).flaws == ()
