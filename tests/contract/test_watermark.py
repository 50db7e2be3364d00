"""A source's watermark is stored with the run that it describes, and with no other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.items import movie
from support.mirror import refuse

from mediasync import MediaSync, RunStatus, Source
from mediasync.backends.base import Enumerated, Unreadable, Watermark
from mediasync.errors import DatabaseError, SourceUnreadable
from mediasync.testing import FakeBackend

WELL = [movie("m1", change_token="t"), Watermark("noon"), Enumerated(1)]


def source(*findings: object) -> FakeBackend:
    """Return a source with one library, which contains the given findings."""
    return FakeBackend({"l1": list(findings)})


async def told(ms: MediaSync, **options: Any) -> str:
    """Return the watermark that the next sync receives."""
    backend = source(*WELL)
    await ms.sync(backend, dry_run=True, **options)
    assert backend.watermark is not None
    return backend.watermark


async def test_the_next_sync_receives_the_watermark(ms: MediaSync) -> None:
    assert await told(ms) == ""
    await ms.sync(source(*WELL))
    assert await told(ms) == "noon"
    await ms.sync(source(movie("m1"), Watermark("first"), Enumerated(1), Watermark("last")))
    assert await told(ms) == "last"
    await ms.sync(source(movie("m1"), Enumerated(1)))
    assert await told(ms) == "last", "a sync that leaves none takes none away"


async def test_a_dry_run_stores_no_watermark(ms: MediaSync) -> None:
    await ms.sync(source(*WELL))
    await ms.sync(source(movie("m1"), Watermark("later"), Enumerated(1)), dry_run=True)
    assert await told(ms) == "noon"


@pytest.mark.parametrize(
    "findings",
    [
        [movie("m1"), Unreadable("m2", "broken"), Watermark("later"), Enumerated(2)],
        [movie("m1", year=2**40), Watermark("later"), Enumerated(1)],
        [movie("m1"), Watermark("later"), Enumerated(9, complete=False, reason="a page is missing")],
        [movie("m1"), Watermark("later")],
    ],
    ids=["unreadable", "not saved", "not complete", "not enumerated"],
)
async def test_an_incomplete_run_stores_no_watermark(ms: MediaSync, findings: list[Any]) -> None:
    await ms.sync(source(*WELL))
    await ms.sync(source(*findings))
    assert await told(ms) == "noon"


@pytest.mark.parametrize("options", [{"libraries": ["l1"]}, {"items": ["m1"]}], ids=["library", "item"])
async def test_a_selection_stores_no_watermark(ms: MediaSync, options: dict[str, Any]) -> None:
    await ms.sync(source(*WELL))
    await ms.sync(source(movie("m1"), Watermark("later"), Enumerated(1)), **options)
    assert await told(ms) == "noon"


async def test_a_failed_run_stores_no_watermark(ms: MediaSync) -> None:
    await ms.sync(source(*WELL))
    with pytest.raises(SourceUnreadable):
        await ms.sync(source(movie("m1"), Watermark("later"), SourceUnreadable("fake", "cut off")))
    assert await told(ms) == "noon"


async def test_a_cancelled_run_stores_no_watermark(ms: MediaSync) -> None:
    await ms.sync(source(*WELL))
    backend = source(movie("m1"), Watermark("later"), Enumerated(1), asyncio.Event())
    task = asyncio.create_task(_synced(ms, backend))
    await backend.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await told(ms) == "noon"


async def _synced(ms: MediaSync, backend: FakeBackend) -> None:
    await ms.sync(backend)


@pytest.mark.parametrize(
    ("event", "when"),
    [
        ("UPDATE ON source", "NEW.watermark = 'later'"),
        ("UPDATE ON sync_run", "NEW.status = 'succeeded'"),
    ],
    ids=["watermark", "run"],
)
async def test_the_watermark_is_committed_with_the_run_or_not_at_all(
    ms: MediaSync, event: str, when: str
) -> None:
    await ms.sync(source(*WELL))
    await refuse(ms, event, when=when, at_commit=True)
    with pytest.raises(DatabaseError):
        await ms.sync(source(movie("m1"), Watermark("later"), Enumerated(1)))
    assert [run.status for run in await ms.list_runs()] == [RunStatus.FAILED, RunStatus.SUCCEEDED]
    assert await told(ms) == "noon"


async def test_a_full_sync_receives_no_watermark_and_stores_one(ms: MediaSync) -> None:
    await ms.sync(source(*WELL))
    assert await told(ms, full=True) == ""
    backend = source(movie("m1"), Watermark("later"), Enumerated(1))
    await ms.sync(backend, full=True)
    assert backend.watermark == ""
    assert await told(ms) == "later"


async def test_another_server_does_not_receive_the_watermark(ms: MediaSync) -> None:
    first, second = source(*WELL), source(*WELL)
    first.source = Source(id="fake", kind="plex", server_id="one")
    second.source = Source(id="fake", kind="plex", server_id="two")
    await ms.sync(first)
    await ms.sync(second, accept_new_server=True)
    assert second.watermark == ""


async def test_each_source_has_its_own_watermark(ms: MediaSync) -> None:
    other = source(movie("m1"), Watermark("midnight"), Enumerated(1))
    other.source = Source(id="other", kind="plex")
    await ms.sync_all([source(*WELL), other])
    assert await told(ms) == "noon"


async def test_a_watermark_that_cannot_be_stored_fails_nothing(ms: MediaSync) -> None:
    report = await ms.sync(source(movie("m1"), Watermark("no\0on\ud800"), Enumerated(1)))
    assert report.failed == ()
    assert "\0" not in await told(ms)
