"""Problems of runs: each run lists its own, and problems that runs share are stored once."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.items import movie
from support.mirror import rows, value

from mediasync import MediaSync, Source
from mediasync.backends.base import Found, Remark, Unreadable
from mediasync.database.session import Session
from mediasync.errors import SourceUnreadable
from mediasync.repositories.runs import RunRepository
from mediasync.testing import FakeBackend, database_of
from mediasync.vocabulary import RunStatus

STORED = "SELECT count(*) FROM run_problem"
Problem = tuple[str, str, str]


def remarks(*names: object) -> list[object]:
    return [Remark(f"{name}.mkv", "a video without an NFO file") for name in names]


def told(*names: object) -> list[Problem]:
    return [("remark", f"{name}.mkv", "a video without an NFO file") for name in names]


async def sync(ms: MediaSync, findings: list[object], **options: object) -> int:
    """Sync a library and return the run's id."""
    report = await ms.sync(FakeBackend({"m": findings}), **options)  # type: ignore[arg-type]
    return report.run.id


async def shown(ms: MediaSync, run_id: int) -> list[Problem]:
    """Return the problems of a run as the view shows them, which are those of `list_problems`."""
    found = await rows(
        ms,
        "SELECT kind, subject, reason FROM sync_run_problems WHERE run_id = :id ORDER BY position",
        id=run_id,
    )
    listed = await ms.list_problems(run_id)
    assert sorted(listed) == sorted(found)
    return listed  # type: ignore[return-value]


async def test_remarks_that_repeat_are_stored_once(ms: MediaSync) -> None:
    names = range(1_000)
    runs = [await sync(ms, remarks(*names)) for _ in range(5)]
    assert await value(ms, STORED) == 1_000
    for run in runs:
        assert await shown(ms, run) == told(*names)
    changed = await sync(ms, remarks(*range(1, 1_001)))
    assert await value(ms, STORED) == 1_001
    assert sorted(await shown(ms, changed)) == sorted(told(*range(1, 1_001)))
    for run in runs:
        assert await shown(ms, run) == told(*names)
    assert (await ms.check()).flaws == ()


async def test_a_remark_that_vanishes_and_comes_back(ms: MediaSync) -> None:
    lists: list[tuple[object, ...]] = [("a", "b"), ("b",), (), ("b", "a"), ("a", "b", "c")]
    runs = [await sync(ms, remarks(*names)) for names in lists]
    for run, names in zip(runs, lists, strict=True):
        assert sorted(await shown(ms, run)) == sorted(told(*names))
    assert await value(ms, STORED) == 5


async def test_failures_and_problems_are_kept_alike(ms: MediaSync) -> None:
    findings = [
        Unreadable("bad", "it is no XML"),
        Found(movie("odd", change_token=""), problems=("its year cannot be read",)),
        *remarks("a", "a"),
    ]
    expected = [
        ("failure", "fake:bad", "it is no XML"),
        ("problem", "fake:odd", "its year cannot be read"),
        *told("a", "a"),
    ]
    runs = [await sync(ms, findings) for _ in range(3)]
    less = await sync(ms, findings[:-1])
    for run in runs:
        assert await shown(ms, run) == expected
    assert await shown(ms, less) == expected[:-1], "of two equal remarks one is left"
    assert await value(ms, STORED) == 4
    again = await sync(ms, remarks("b"))
    assert await shown(ms, again) == told("b")


async def test_runs_of_a_part_are_compared_with_their_like(ms: MediaSync) -> None:
    both = {"m": remarks("a", "b"), "n": remarks("c")}
    found: list[tuple[int, list[Problem]]] = []
    for _ in range(3):
        for options, names in (
            ({}, "abc"),
            ({"libraries": ["n"]}, "c"),
            ({"libraries": ["m"]}, "ab"),
            ({"libraries": ["m", "n"]}, "abc"),
            ({"libraries": ["N", "m", "n"]}, "abc"),
        ):
            report = await ms.sync(FakeBackend(both), **options)  # type: ignore[arg-type]
            found.append((report.run.id, told(*names)))
    for run, expected in found:
        assert sorted(await shown(ms, run)) == expected
    assert await value(ms, STORED) == 3 + 1 + 2 + 3


async def test_a_run_that_fails_does_not_end_the_problems_of_others(ms: MediaSync) -> None:
    first = await sync(ms, remarks("a", "b"))
    with pytest.raises(SourceUnreadable):
        await sync(ms, [*remarks("a"), SourceUnreadable("fake", "gone")])
    failed = await value(ms, "SELECT max(id) FROM sync_runs")
    last = await sync(ms, remarks("a", "b"))
    assert await shown(ms, first) == await shown(ms, last) == told("a", "b")
    assert ("remark", "a.mkv", "a video without an NFO file") in await shown(ms, failed)
    shown_by_both = "SELECT count(*) FROM run_problem WHERE series = :first"
    assert await value(ms, shown_by_both, first=first) == 2


async def test_a_run_that_has_not_ended_has_no_problems(ms: MediaSync) -> None:
    await sync(ms, remarks("a"))
    running = await database_of(ms).write(lambda session: RunRepository(session).start("fake", None))
    assert await shown(ms, running) == []


histories = st.lists(
    st.tuples(st.sampled_from(["", "part"]), st.lists(st.sampled_from("abcd"), max_size=5)), max_size=8
).flatmap(lambda ends: st.tuples(st.just(ends), st.permutations(range(len(ends)))))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories)
async def test_each_run_lists_exactly_its_own_in_whatever_order_runs_end(
    ms: MediaSync, history: tuple[list[tuple[str, list[str]]], list[int]]
) -> None:
    ends, order = history
    source = f"s{await value(ms, 'SELECT count(*) FROM sources')}"
    await ms.media.save_source(Source(id=source, kind="nfo"))

    async def start(session: Session, selection: str) -> int:
        return await RunRepository(session).start(source, None, selection)

    async def end(session: Session, run: int, problems: list[Problem]) -> None:
        runs = RunRepository(session)
        await runs.finish(run, RunStatus.SUCCEEDED, seen=0, saved=0, unchanged=0, failed=0, error=None)
        await runs.add_problems(run, problems)

    started = [await database_of(ms).write(partial(start, selection=selection)) for selection, _ in ends]
    expected: dict[int, list[Problem]] = {}
    for number in order:
        run, problems = started[number], told(*ends[number][1])
        await database_of(ms).write(partial(end, run=run, problems=problems))
        expected[run] = sorted(problems)
        for known, listed in expected.items():
            assert sorted(await shown(ms, known)) == listed
