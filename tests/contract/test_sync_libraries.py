"""Libraries that fail, were removed, are empty or are listed twice; and runs that fail."""

from __future__ import annotations

import os
from typing import Any

import pytest
from support.items import movie
from support.mirror import refuse, value

from mediasync import Library, MediaSync, RunStatus
from mediasync.backends.base import Enumerated
from mediasync.errors import (
    DataError,
    LibraryUnreadable,
    SourceBusy,
    SourceForbidden,
    SourceUnauthorised,
    SourceUnreachable,
    SourceUnreadable,
)
from mediasync.events import LibraryFailed, LibraryFinished
from mediasync.syncing.processes import at_work, has_ended
from mediasync.testing import FakeBackend


def whole(*keys: str) -> list[object]:
    return [*map(movie, keys), Enumerated(len(keys))]


@pytest.mark.parametrize(
    "error",
    [
        SourceUnreadable("fake", "HTML"),
        SourceForbidden("fake", "not yours"),
        LibraryUnreadable("fake", "fake:a", "A", "HTML"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_library_that_fails_does_not_stop_the_later_ones(ms: MediaSync, error: Exception) -> None:
    backend = FakeBackend({"a": [movie("1"), error], "b": whole("2"), "c": whole("3")})
    events = [event async for event in ms.sync(backend)]
    report = events[-1].report
    assert (report.status, report.saved) == (RunStatus.SUCCEEDED, 3)
    [(subject, reason)] = report.failed
    assert subject == "fake:a"
    assert error.reason in reason
    [failed] = [event for event in events if isinstance(event, LibraryFailed)]
    assert (failed.library.full_id, failed.reason) == (subject, reason)
    assert sum(isinstance(event, LibraryFinished) for event in events) == 2
    runs = {run.library_id: run for run in await ms.list_library_runs("fake")}
    assert [runs[one].complete for one in ("fake:a", "fake:b", "fake:c")] == [False, True, True]
    assert error.reason in (runs["fake:a"].reason or "")
    assert runs["fake:a"].unseen is None
    assert ("failure", subject, reason) in await ms.list_problems(report.run.id)


async def test_if_all_fail_so_does_the_run(ms: MediaSync) -> None:
    backend = FakeBackend({"a": [SourceUnreadable("fake", "one")], "b": [SourceUnreadable("fake", "two")]})
    with pytest.raises(LibraryUnreadable, match=r"fake:a.*one"):
        await ms.sync(backend)
    [run] = await ms.list_runs()
    assert run.status is RunStatus.FAILED
    assert [subject for _, subject, _ in await ms.list_problems(run.id)] == ["fake:a", "fake:b"]


OF_THE_SOURCE = pytest.mark.parametrize("kind", [SourceUnreachable, SourceUnauthorised, SourceBusy])


@OF_THE_SOURCE
async def test_an_error_that_may_affect_the_source_stops_it_if_the_next_library_fails_too(
    ms: MediaSync, kind: type[Any]
) -> None:
    fails = [kind("fake", "no")]
    backend = FakeBackend({"a": whole("1"), "b": fails, "c": [kind("fake", "later")], "d": whole("4")})
    with pytest.raises(kind, match="no"):
        await ms.sync(backend)
    assert await value(ms, "SELECT count(*) FROM media_items") == 1
    [run] = await ms.list_runs()
    assert (run.status, run.error) == (RunStatus.FAILED, f"{fails[0]}")
    assert [one.library_id for one in await ms.list_library_runs()] == ["fake:a"]
    assert await ms.list_problems(run.id) == []


@OF_THE_SOURCE
async def test_an_error_that_may_affect_the_source_fails_one_library_if_the_next_is_readable(
    ms: MediaSync, kind: type[Any]
) -> None:
    await ms.sync(FakeBackend({"a": whole("1"), "b": whole("2"), "c": whole("3")}))
    backend = FakeBackend({"a": whole("1"), "b": [kind("fake", "no")], "c": whole("3", "4")})
    report = await ms.sync(backend)
    assert (report.status, report.saved, report.unchanged) == (RunStatus.SUCCEEDED, 1, 2)
    [(subject, reason)] = report.failed
    assert subject == "fake:b"
    assert "no" in reason
    assert [one.complete for one in await ms.list_library_runs()] == [True, False, True]
    assert await value(ms, "SELECT count(*) FROM media_items") == 4


class Repeating(FakeBackend):
    """A source that lists each library twice."""

    async def fetch_libraries(self) -> list[Library]:
        return [library for library in await super().fetch_libraries() for _ in range(2)]


async def test_a_library_that_is_listed_twice_is_read_once_and_remarked(ms: MediaSync) -> None:
    report = await ms.sync(Repeating({"a": whole("1")}))
    assert (report.status, report.saved, report.run.seen) == (RunStatus.SUCCEEDED, 1, 1)
    assert report.remarks == (("fake:a", "the source lists this library more than once; it is read once"),)


async def test_a_removed_library_is_recorded_with_its_unseen_items(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"a": whole("1", "2"), "b": whole("3")}))
    report = await ms.sync(FakeBackend({"b": whole("3")}))
    [run] = [run for run in await ms.list_library_runs("fake") if run.library_id == "fake:a"]
    assert (run.run_id, run.seen, run.unseen, run.complete) == (report.run.id, 0, 2, False)
    assert run.reason == "the source does not list it any more"
    assert report.status is RunStatus.NEEDS_CONFIRMATION
    assert [subject for subject, _ in report.remarks] == ["fake:a"]
    assert await value(ms, "SELECT count(*) FROM media_items") == 3


async def test_an_excluded_library_is_recorded_and_a_selection_records_no_other(
    ms: MediaSync,
) -> None:
    await ms.sync(FakeBackend({"a": whole("1"), "b": whole("3")}))
    await ms.sync(FakeBackend({"a": whole("1"), "b": whole("3")}), libraries=["b"])
    assert {run.library_id: run.run_id for run in await ms.list_library_runs("fake")} == {
        "fake:a": 1,
        "fake:b": 2,
    }


async def test_a_run_that_fails_at_its_end_is_not_left_running(ms: MediaSync) -> None:
    await refuse(ms, "INSERT ON sync_run_library")
    with pytest.raises(DataError):
        await ms.sync(FakeBackend({"a": whole("1")}))
    [run] = await ms.list_runs()
    assert (run.status, run.saved) == (RunStatus.FAILED, 1)
    assert "refused" in (run.error or "")


def dead(owner: str, **fields: str) -> str:
    names = ("host", "boot", "namespace", "pid", "started", "token")
    return "\n".join((dict(zip(names, owner.split("\n"), strict=True)) | fields).values())


OWNERS = {
    "ended here": ({}, True),
    "no such process": ({"pid": "4194304", "started": "1"}, True),
    "another process now": ({"started": "1"}, True),
    "before the machine started": ({"boot": "another"}, True),
    "another machine": ({"host": "elsewhere", "boot": "another"}, False),
    "alive": ({"pid": str(os.getppid()), "started": ""}, False),
}


@pytest.mark.parametrize(("fields", "ended"), OWNERS.values(), ids=OWNERS)
def test_what_is_proved_about_the_work_of_other_processes(fields: dict[str, str], ended: bool) -> None:
    with at_work() as owner:
        pass
    assert has_ended(dead(owner, **fields)) is ended


def test_work_under_way_has_not_ended() -> None:
    with at_work() as owner:
        assert not has_ended(owner)
    assert has_ended(owner)
