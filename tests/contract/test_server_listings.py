"""Listings that repeat themselves or arrive very slowly: whole syncs of all kinds of servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.mirror import public, value
from support.servers import (
    Place,
    entries,
    lists_episodes,
    lists_libraries,
    lists_movies,
    make_server,
    server_of,
)

from mediasync import MediaSync, RunStatus
from mediasync.settings.http import HttpOptions
from mediasync.testing import Fault, make_catalogue
from mediasync.testing.library import MediaLibrary

pytestmark = pytest.mark.slow

FILMS = 30
PARENTS = ("parentRatingKey", "SeasonId", "tvshowid")
EPISODES = "SELECT count(*) FROM media_items WHERE media_type = 'episode'"
PREVIEWS = "SELECT count(*) FROM media_items WHERE completeness <> 'full' AND media_type <> 'season'"
RUNS = ("sync_runs", "sync_run_libraries", "sync_run_problems")


async def stored(ms: MediaSync) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the public views except those of runs."""
    return {view: found for view, found in (await public(ms)).items() if view not in RUNS}


async def incomplete(ms: MediaSync) -> list[str]:
    """Return the reasons of the libraries whose listing was not complete."""
    return [run.reason or "" for run in await ms.list_library_runs("here") if not run.complete]


def repeat_all(answer: Any) -> Any:
    listed = entries(answer)
    listed += [dict(entry) for entry in listed]
    return answer


def repeat_first(answer: Any) -> Any:
    """List the first entry once more at the end, and count it."""
    listed = entries(answer)
    if listed:
        listed.append(dict(listed[0]))
        count_one_more(answer)
    return answer


def repeat_below_another_parent(answer: Any) -> Any:
    """List the first entry once more, as a child of the last one's parent, and count it."""
    listed = entries(answer)
    if listed:
        parent = {name: listed[-1][name] for name in PARENTS if name in listed[-1]}
        assert any(listed[0][name] != key for name, key in parent.items())
        listed.append({**listed[0], **parent})
        count_one_more(answer)
    return answer


def count_one_more(answer: Any) -> None:
    if "MediaContainer" in answer:
        answer["MediaContainer"]["totalSize"] += 1
    elif "TotalRecordCount" in answer:
        answer["TotalRecordCount"] += 1
    else:
        answer["result"]["limits"]["total"] += 1


@pytest.mark.parametrize("kind", ["plex", "jellyfin", "emby"])
async def test_a_library_that_a_server_lists_twice_is_read_once_and_reported(
    kind: str, ms: MediaSync
) -> None:
    server = make_server(kind)
    assert server is not None
    async with server:
        server.faults = [Fault.rewrite(repeat_all, at=lists_libraries, times=None)]
        first = await ms.sync(Place(kind, server).backend())
        state = await stored(ms)
        again = await ms.sync(Place(kind, server).backend())
    for report in (first, again):
        assert (report.status, report.failed) == (RunStatus.SUCCEEDED, ())
        twice = [subject for subject, text in report.remarks if "more than once" in text]
        assert len(twice) == len(set(twice)) == 2
    assert first.saved == await value(ms, "SELECT count(*) FROM media_items")
    assert (again.saved, again.unchanged) == (0, first.saved)
    assert await stored(ms) == state


@pytest.mark.parametrize(
    ("change", "lists"),
    [(repeat_first, lists_movies), (repeat_below_another_parent, lists_episodes)],
    ids=["id", "parent"],
)
async def test_an_item_that_is_listed_twice_is_stored_once_and_reported(
    place: Place, ms: MediaSync, change: Callable[[Any], Any], lists: Any
) -> None:
    server_of(place).faults = [Fault.rewrite(change, at=lists(place.kind), times=None)]
    first = await ms.sync(place.backend())
    assert (first.status, first.failed) == (RunStatus.SUCCEEDED, ())
    assert first.saved == await value(ms, "SELECT count(*) FROM media_items") == FILMS + 18
    assert await value(ms, PREVIEWS) == 0
    state = await stored(ms)
    for full in (False, True):
        report = await ms.sync(place.backend(), full=full)
        assert (report.status, report.failed, report.saved) == (RunStatus.SUCCEEDED, (), 0)
        assert await stored(ms) == state
        [reason] = await incomplete(ms)
        assert "different items came of" in reason
    server_of(place).faults = []
    assert (await ms.sync(place.backend())).saved == 0
    assert await stored(ms) == state


@pytest.mark.parametrize("kind", ["jellyfin", "emby"])
async def test_an_item_that_two_libraries_list_is_one_item_in_both(kind: str, ms: MediaSync) -> None:
    catalogue = make_catalogue(FILMS, 2, seed=3)
    both = catalogue.titled("Film 3")
    catalogue.libraries.append(MediaLibrary("3", "Best", "movies", [both, catalogue.titled("Film 4")]))
    server = make_server(kind, catalogue)
    assert server is not None
    async with server:
        first = await ms.sync(Place(kind, server).backend())
        assert first.failed == ()
        assert await value(ms, "SELECT count(*) FROM media_items") == FILMS + 18
        assert await value(ms, "SELECT count(*) FROM item_libraries") == FILMS + 18 + 2
        state = await stored(ms)
        for full in (False, True):
            again = await ms.sync(Place(kind, server).backend(), full=full)
            assert (again.saved, again.failed) == (0, ())
            assert await stored(ms) == state
        catalogue.edit_cast(both.remote_id, (both.credits or [])[1:])
        assert (await ms.sync(Place(kind, server).backend())).saved == 1
        assert (await ms.sync(Place(kind, server).backend())).saved == 0


@pytest.fixture
async def mirror(tmp_path: Path) -> AsyncIterator[MediaSync]:
    """A mirror on one engine: a backend gives up at the same point on every engine."""
    async with MediaSync(f"sqlite:///{tmp_path}/media.db") as ms:
        yield ms


async def test_a_listing_that_comes_byte_by_byte_fails_in_time_and_other_libraries_are_synced(
    place: Place, mirror: MediaSync
) -> None:
    server_of(place).faults = [Fault.drip(0.05, at=lists_movies(place.kind), times=None)]
    hasty = replace(place, options=HttpOptions(tries=3, read_timeout=0.25, backoff=0.001))
    report = await mirror.sync(hasty.backend())
    assert report.status is RunStatus.SUCCEEDED
    [unread] = await incomplete(mirror)
    assert "the library '" in unread
    assert "did not end within 0.75 s" in unread
    assert "read_timeout" in unread
    assert unread in [reason for _, reason in report.failed]
    assert await value(mirror, EPISODES) == 12
