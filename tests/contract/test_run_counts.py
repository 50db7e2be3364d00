"""What a sync says that it did: to the source and to each library, in items, credits, time and requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from typing import Any

import pytest
from support.items import credit, episode, movie, season, show
from support.mirror import value, write
from support.servers import Place, server_of

from mediasync import Counts, Library, MediaSync, SyncReport
from mediasync.backends.base import Enumerated, Finding, Stored, Unreadable
from mediasync.errors import LibraryUnreadable
from mediasync.testing import FakeBackend

ITEMS = ("added", "changed", "unchanged", "removed", "back", "failed")
CREDITS = ("credits_added", "credits_removed")


def of(counts: Counts) -> dict[str, Any]:
    """Return the counts that are not 0."""
    return {name: number for name in (*ITEMS, *CREDITS) if (number := getattr(counts, name))}


def by_library(report: SyncReport) -> dict[str, dict[str, Any]]:
    """Return the same of each library."""
    return {library.library_id: of(library) for library in report.counts.libraries}


async def sync(ms: MediaSync, **libraries: Any) -> SyncReport:
    """Sync films and findings of libraries, each listed to its end."""
    return await ms.sync(FakeBackend({key: [*steps, Enumerated(None)] for key, steps in libraries.items()}))


class Meanwhile(FakeBackend):
    """A source during whose reading the mirror's log gets a row of the run."""

    ms: MediaSync
    what: str
    item_id: str
    before: str | None

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        async for finding in super().iter_items(library, stored, only=only):
            yield finding
        await write(self.ms, "UPDATE change_counter SET newest = newest + 1")
        await write(
            self.ms,
            "INSERT INTO change (number, changed_at, run_key, reason, entity, entity_id, what, before) "
            "SELECT newest, 1, (SELECT max(run_key) FROM sync_run), 'sync', 'item', :item_id, :what, :before "
            "FROM change_counter",
            item_id=self.item_id,
            what=self.what,
            before=self.before,
        )


async def test_a_first_sync_and_one_that_finds_the_same(ms: MediaSync) -> None:
    films = [movie("1", credits=[credit("a"), credit("b")]), movie("2", credits=[credit("a")])]
    shows = [show(), season(), episode(credits=[credit("c")])]
    first = await sync(ms, films=films, shows=shows)
    assert of(first.counts) == {"added": 5, "credits_added": 4}
    assert by_library(first) == {
        "fake:films": {"added": 2, "credits_added": 3},
        "fake:shows": {"added": 3, "credits_added": 1},
    }
    again = await sync(ms, films=films, shows=shows)
    assert of(again.counts) == {"unchanged": 5}
    assert by_library(again) == {"fake:films": {"unchanged": 2}, "fake:shows": {"unchanged": 3}}
    assert (first.counts.has_changes, again.counts.has_changes) == (True, False)
    assert again.counts.describe() == ""


async def test_credits_that_changed(ms: MediaSync) -> None:
    await sync(
        ms,
        films=[
            movie("1", credits=[credit("a", role="One"), credit("b"), credit("c")]),
            movie("2", credits=[credit("a")]),
            movie("3", credits=[credit("a")]),
        ],
    )
    report = await sync(
        ms,
        films=[
            movie("1", credits=[credit("c"), credit("a", role="Two"), credit("d"), credit("e")]),
            movie("2", title="Renamed", credits=[credit("a")]),
            movie("3", credits=[credit("a")]),
            movie("4", credits=[credit("a"), credit("b")]),
        ],
    )
    assert of(report.counts) == {
        "added": 1,
        "changed": 2,
        "unchanged": 1,
        "credits_added": 4,
        "credits_removed": 1,
    }, "d, e and the two of film 4 are new; b is gone; a role that changed and a move are neither"
    assert report.counts.describe() == "1 added, 2 changed; 4 credits added, 1 removed"


async def test_an_item_that_is_changed_twice_counts_once(ms: MediaSync) -> None:
    old = movie("1", title="One", credits=[credit("a"), credit("b")])
    between = movie("1", title="Two", credits=[credit("b"), credit("c"), credit("d")])
    new = movie("1", title="Three", credits=[credit("a"), credit("b"), credit("d")])
    await sync(ms, films=[old])
    report = await sync(ms, films=[between], more=[new])
    assert (report.counts.changed, report.counts.credits_added, report.counts.credits_removed) == (1, 1, 0)
    fresh = movie("2", credits=[credit("x")])
    changed = movie("2", title="Changed", credits=[credit("y"), credit("z")])
    report = await sync(ms, films=[new, fresh], more=[new, changed])
    assert (report.counts.added, report.counts.changed) == (1, 0)
    assert (report.counts.credits_added, report.counts.credits_removed) == (2, 0)


async def test_an_item_counts_in_its_home_library(ms: MediaSync) -> None:
    film = movie("1", credits=[credit("a")])
    report = await sync(ms, films=[film], more=[film])
    assert by_library(report)["fake:films"] == {"added": 1, "credits_added": 1}
    assert not report.counts.libraries[1].has_changes
    report = await sync(ms, more=[movie("1", credits=[credit("a"), credit("b")])])
    found = by_library(report)
    home = await value(ms, "SELECT library_id FROM media_items WHERE id = 'fake:1'")
    assert found[home]["changed"] == 1
    assert found[home]["credits_added"] == 1
    assert sum("changed" in counts for counts in found.values()) == 1


async def test_items_that_were_removed_or_came_back(ms: MediaSync) -> None:
    films = [movie("1", credits=[credit("a"), credit("b")]), movie("2", credits=[credit("a")])]
    serials = [show("s", credits=[credit("a"), credit("c")]), Enumerated(1)]
    await ms.sync(FakeBackend({"films": [*films, Enumerated(2)], "shows": serials}))
    report = await ms.sync(FakeBackend({"films": [films[1], Enumerated(1)], "shows": serials}))
    assert of(report.counts) == {"removed": 1, "unchanged": 2, "credits_removed": 2}
    report = await ms.sync(FakeBackend({"films": [*films, Enumerated(2)], "shows": serials}))
    assert of(report.counts) == {"back": 1, "unchanged": 2, "credits_added": 2}
    report = await ms.sync(FakeBackend({"films": [*films, Enumerated(2)]}), max_removals="all")
    assert by_library(report) == {
        "fake:films": {"unchanged": 2},
        "fake:shows": {"removed": 1, "credits_removed": 2},
    }, "the library of a removed item counts although it was not read"


async def test_what_another_run_or_program_changed_does_not_count(ms: MediaSync) -> None:
    await sync(ms, films=[movie("1")])
    await ms.media.save_media_item(movie("2"), library_id="films", source_id="fake")
    report = await sync(ms, films=[movie("1"), movie("2")])
    assert of(report.counts) == {"unchanged": 2}


async def test_failures_count_with_what_to_do(ms: MediaSync) -> None:
    reason = "movie.nfo: Permission denied"
    backend = FakeBackend(
        {
            "a": [movie("1"), Unreadable("2", reason), movie("3", title="\0"), Enumerated(3)],
            "b": [movie("4"), LibraryUnreadable("fake", "fake:b", "B", "is it mounted?")],
        }
    )
    report = await ms.sync(backend)
    assert of(report.counts) == {"added": 2, "failed": 3}
    assert by_library(report) == {
        "fake:a": {"added": 1, "failed": 2},
        "fake:b": {"added": 1, "failed": 1},
    }
    advice = {failure.id: failure.advice for failure in report.failures}
    assert advice["fake:2"] == "let the user that runs mediasync read it"
    assert advice["fake:b"] is None, "its reason says what to do"
    assert [(failure.id, failure.reason) for failure in report.failures] == list(report.failed)


async def test_a_dry_run_counts_what_it_can(ms: MediaSync) -> None:
    await sync(ms, films=[movie("1"), movie("2")])
    backend = FakeBackend({"films": [movie("1", title="New"), movie("2")], "more": [movie("3"), movie("4")]})
    report = await ms.sync(backend, dry_run=True)
    assert of(report.counts) == {"added": 2, "changed": 1, "unchanged": 1}
    assert by_library(report) == {"fake:films": {"changed": 1, "unchanged": 1}, "fake:more": {"added": 2}}
    assert {getattr(report.counts, name) for name in CREDITS} == {None}
    backend = FakeBackend({"films": [movie("2"), Enumerated(1)]})
    report = await ms.sync(backend, dry_run=True)
    assert of(report.counts) == {"removed": 1, "unchanged": 1}


async def test_a_log_that_cannot_be_read_is_left_out(ms: MediaSync, caplog: pytest.LogCaptureFixture) -> None:
    await sync(ms, films=[movie("1")])
    backend = Meanwhile({"films": [movie("1"), Enumerated(1)]})
    backend.ms, backend.what, backend.item_id, backend.before = ms, "removed", "fake:gone", "{"
    report = await ms.sync(backend)
    assert of(report.counts) == {"removed": 1, "unchanged": 1}
    assert "stored JSON cannot be read" in caplog.text


async def test_more_changes_than_one_page(ms: MediaSync) -> None:
    films = [movie(str(number), credits=[credit("a")]) for number in range(250)]
    await sync(ms, films=films)
    report = await sync(
        ms, films=[film.model_copy(update={"credits": [credit("b"), credit("c")]}) for film in films]
    )
    assert of(report.counts) == {"changed": 250, "credits_added": 500, "credits_removed": 250}


async def test_time_and_requests(place: Place) -> None:
    server, clock = server_of(place), asyncio.get_running_loop().time
    async with MediaSync("sqlite:///:memory:") as ms:
        backend = place.backend()
        for _ in range(2):
            before, began = len(server.requests), clock()
            report = await ms.sync(backend)
            took = clock() - began
            assert report.counts.requests == len(server.requests) - before
            of_libraries = [library.requests for library in report.counts.libraries]
            assert all(of_libraries)
            assert sum(number or 0 for number in of_libraries) <= report.counts.requests
            assert {library.title for library in report.counts.libraries} == {
                library.title for library in await ms.media.list_libraries("here")
            }
            assert 0 < sum(library.seconds for library in report.counts.libraries) <= took + 0.01
            assert 0 < report.counts.seconds <= took + 0.001


async def test_a_backend_without_http_reports_no_requests(ms: MediaSync) -> None:
    report = await sync(ms, films=[movie("1")])
    assert report.counts.requests is None
    assert [library.requests for library in report.counts.libraries] == [None]
