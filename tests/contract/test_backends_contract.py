"""The contract of every backend: the same tests run over all five."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.mirror import public, rows, value
from support.servers import (
    SERVERS,
    TOKEN,
    Place,
    items,
    lists_movies,
    make_server,
    page_size,
    page_start,
    read,
    server_of,
)

from mediasync import Library, MediaSync, Source
from mediasync.backends.base import Enumerated, Expected, Found, NothingStored, ReportsWaits, Unchanged
from mediasync.backends.nfo import NfoBackend
from mediasync.errors import LifecycleError, SourceUnreachable, UnknownLibrary
from mediasync.events import Progress, Waiting
from mediasync.models import Episode, Movie, Season, Show
from mediasync.testing import FakeJellyfin, FakePlex, Fault, Request, make_catalogue


@pytest.fixture(params=["nfo", *SERVERS])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    server = make_server(request.param)
    if server is None:
        yield Place(request.param, None)
        return
    async with server:
        yield Place(request.param, server)


async def test_libraries_are_listed_in_the_same_order_each_time(place: Place) -> None:
    backend = place.backend()
    async with backend.open():
        libraries = await backend.fetch_libraries()
        assert {library.kind for library in libraries} <= {"movies", "shows", "mixed"}
        assert len({library.id for library in libraries}) == len(libraries) >= 2
        assert all(library.source_id == backend.source.id for library in libraries)
        assert await backend.fetch_libraries() == libraries


async def test_each_item_comes_once_after_its_parent_with_all_its_people(place: Place) -> None:
    credited = 0
    for findings in (await read(place.backend())).values():
        seen: set[str] = set()
        for found in items(findings):
            assert found.item.remote_id not in seen
            if isinstance(found.item, Season | Episode):
                assert found.item.parent_remote_id in seen
            seen.add(found.item.remote_id)
            credited += bool(found.item.credits)
            assert found.problems == ()
            # A season that only its episodes tell of has no file, and so nothing that could change.
            assert found.item.change_token or (place.kind, found.item.media_type) == ("nfo", "season")
        [enumerated] = [finding for finding in findings if isinstance(finding, Enumerated)]
        assert findings[-1] is enumerated
        assert enumerated.complete
        assert enumerated.total in (None, len(seen))
    assert credited


async def test_items_with_the_same_token_are_not_read_again(place: Place) -> None:
    backend = place.backend()
    first = await read(backend)
    tokens = {
        key: {found.item.remote_id: found.item.change_token or "" for found in items(findings)}
        for key, findings in first.items()
    }
    again = await read(place.backend(), tokens)
    for key, findings in again.items():
        told = {key for key, token in tokens[key].items() if token}
        assert {found.item.remote_id for found in items(findings)} == set(tokens[key]) - told
        assert {one.remote_id for one in findings if isinstance(one, Unchanged)} == told
    emptied = {key: dict.fromkeys(known, "") for key, known in tokens.items()}
    assert [items(findings) for findings in (await read(place.backend(), emptied)).values()] == [
        items(findings) for findings in first.values()
    ]


async def test_servers_report_the_number_of_items_once_per_library(place: Place) -> None:
    first = await read(place.backend())
    tokens = {
        key: {found.item.remote_id: found.item.change_token or "" for found in items(findings)}
        for key, findings in first.items()
    }
    for told in (first, await read(place.backend(), tokens)):
        for key, findings in told.items():
            expected = [finding for finding in findings if isinstance(finding, Expected)]
            if place.kind == "nfo":  # its folders are walked while their files are read
                assert expected == []
                continue
            assert expected == [Expected(len(tokens[key]))]
            episodes = [
                place
                for place, finding in enumerate(findings)
                if isinstance(finding, Found) and isinstance(finding.item, Movie | Episode)
            ]
            assert findings.index(expected[0]) <= min(episodes, default=len(findings))


async def test_progress_has_the_totals_of_the_server(place: Place, ms: MediaSync) -> None:
    libraries: dict[str | None, list[Progress]] = {}
    async for event in ms.sync(place.backend()):
        if isinstance(event, Progress):
            libraries.setdefault(event.library_id, []).append(event)
    for told in libraries.values():
        if place.kind == "nfo":
            assert {event.library_total for event in told} == {None}
        else:
            assert told[-1].library_total == told[-1].library_seen > 0


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_total_smaller_than_the_items_seen_is_not_shown(kind: str, ms: MediaSync) -> None:
    server = make_server(kind, make_catalogue(120, 0))
    assert server is not None

    def say_less(answer: Any) -> Any:
        if "MediaContainer" in answer:
            answer["MediaContainer"]["totalSize"] = 7
        elif "result" in answer:
            answer["result"]["limits"]["total"] = 7
        else:
            answer["TotalRecordCount"] = 7
        return answer

    async with server:
        server.faults = [Fault.rewrite(say_less, at=lists_movies(kind), times=None)]
        events = [event async for event in ms.sync(Place(kind, server).backend())]
    told = [event for event in events if isinstance(event, Progress)]
    assert max(event.library_seen for event in told) == 120
    for event in told:
        assert event.library_total is None or event.library_seen <= event.library_total == 7


async def test_a_library_that_is_not_there(place: Place) -> None:
    backend = place.backend()
    async with backend.open():
        with pytest.raises(UnknownLibrary):
            await anext(
                backend.iter_items(Library(id="none", source_id="here", kind="movies"), NothingStored())
            )


async def test_a_backend_that_is_not_open(place: Place) -> None:
    backend = place.backend()
    with pytest.raises(LifecycleError):
        await backend.fetch_libraries()
    async with backend.open():
        await backend.fetch_libraries()
    with pytest.raises(LifecycleError):
        await backend.fetch_libraries()


async def test_leaving_a_reading_early_releases_everything(place: Place) -> None:
    backend = place.backend()
    before = asyncio.all_tasks()
    async with backend.open():
        library = (await backend.fetch_libraries())[0]
        async with aclosing(backend.iter_items(library, NothingStored())) as stream:
            await anext(stream)
    assert asyncio.all_tasks() - before <= server_tasks(place)


def server_tasks(place: Place) -> set[asyncio.Task[object]]:
    """Return the tasks of the fake server, which runs in the same loop."""
    if place.server is None:
        return set()
    return {task for task in asyncio.all_tasks() if "mediasync/testing" in repr(task.get_coro())} | {
        task for task in asyncio.all_tasks() if "FakeServer" in repr(task.get_coro())
    }


async def test_a_sync_and_a_resync(place: Place, ms: MediaSync) -> None:
    first = await ms.sync(place.backend())
    assert first.saved
    assert first.failed == ()
    stored = await public(ms)
    again = await ms.sync(place.backend())
    assert (again.saved, again.failed, again.unchanged) == (0, (), first.saved)
    after = await public(ms)
    for view in ("sync_runs", "sync_run_libraries", "sync_run_problems"):
        stored.pop(view), after.pop(view)
    assert after == stored
    unknown = "SELECT count(*) AS n FROM media_items WHERE completeness <> 'full' AND media_type <> 'season'"
    assert await value(ms, unknown) == 0
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_sync_waits_for_a_starting_server_and_reports_it(kind: str, ms: MediaSync) -> None:
    server = make_server(kind)
    assert server is not None
    async with server:
        server.faults = [Fault.busy(0, times=2)]
        backend = Place(kind, server).backend()
        assert isinstance(backend, ReportsWaits)
        events = [event async for event in ms.sync(backend)]
    [waiting] = [event for event in events if isinstance(event, Waiting)]
    assert "waiting" in waiting.text
    assert TOKEN not in waiting.text


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_server_that_does_not_answer(kind: str) -> None:
    server = make_server(kind)
    assert server is not None
    async with server:
        backend = Place(kind, server).backend()
    with pytest.raises(SourceUnreachable, match="here"):
        async with backend.open():
            pass


# Counting


def broken_folder(root: Path) -> Path:
    """Write a folder in which a file of every kind cannot be read, and return it."""
    film = "<movie><title>Film</title><year>2000</year></movie>"
    season = "<season><title>One</title><seasonnumber>1</seasonnumber></season>"
    one = "<episodedetails><title>One</title></episodedetails>"
    files = {
        "movies/Film.nfo": film,
        "movies/Film - 4K.nfo": "",
        "movies/Other.nfo": "",
        "movies/Other - 4K.nfo": "",
        "tv/Dark/tvshow.nfo": "<tvshow>",
        "tv/Dark/season01.nfo": "<season>",
        "tv/Dark/Season 1/season.nfo": season,
        "tv/Dark/Season 1/Dark S01E01.nfo": one,
        "tv/Dark/Season 1/Dark S01E01 copy.nfo": "",
        "tv/Dark/Season 1/Dark S01E02.nfo": "",
        "tv/Dark/Season 2/season.nfo": "<season>",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.with_suffix(".mkv").touch()
    return root


def break_some(place: Place) -> None:
    """Make a server fail whenever it is asked for the people of its first film and its first show."""
    server = server_of(place)
    found = server.truth().items()
    keys = {next(item.remote_id for item in found if isinstance(item, kind)) for kind in (Movie, Show)}
    if isinstance(server, FakeJellyfin):
        server.broken = keys
    elif isinstance(server, FakePlex):

        def asks_for_them(request: Request) -> bool:
            asked = request.path.removeprefix("/library/metadata/")
            return asked != request.path and bool(keys & set(asked.split(",")))

        server.faults = [Fault.status(500, at=asks_for_them, times=None)]
    else:
        lists_films = lists_movies(place.kind)

        def lists_the_third(request: Request) -> bool:
            start = page_start(place.kind, request) if lists_films(request) else 3
            return start <= 2 < start + page_size(place.kind, request)

        server.faults = [Fault.cut_json(at=lists_the_third, times=None)]


async def test_an_unreadable_or_partly_readable_item_is_counted_once(
    place: Place, ms: MediaSync, tmp_path: Path
) -> None:
    if place.kind == "nfo":
        backend = partial(NfoBackend, broken_folder(tmp_path), source=Source(id="here", kind="nfo"))
    else:
        break_some(place)
        backend = place.backend
    for _ in range(2):
        report = await ms.sync(backend())
        failed = [subject for subject, _ in report.failed]
        assert len(failed) == len(set(failed)) > 0
        stored = {one for (one,) in await rows(ms, "SELECT id FROM media_items")}
        assert report.run.seen == len(stored.union(failed))
        assert sum(library.seen for library in report.libraries) == report.run.seen
