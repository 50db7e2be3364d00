"""A sync of one source: its events, its record, and its failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Any

import pytest
from support.items import cast, credit, movie, season, show
from support.mirror import Clock, pragma, public, rows, value, write

from mediasync import Credit, Library, MediaSync, Person, RunStatus, Source
from mediasync.backends.base import (
    Enumerated,
    Finding,
    Found,
    FoundPerson,
    Remark,
    Stored,
    Unchanged,
    Unreadable,
)
from mediasync.errors import ConfigurationError, DiskFull, LifecycleError, SourceUnreachable, SourceUnreadable
from mediasync.events import (
    Event,
    ItemFailed,
    ItemProblem,
    LibraryFinished,
    LibraryStarted,
    Progress,
    Remarked,
    RunFinished,
    RunStarted,
)
from mediasync.testing import FakeBackend

FINDINGS: list[object] = [
    movie("1", credits=cast("a", "b"), change_token="t1"),
    movie("2", credits=[credit("a"), credit("x", " "), credit("a")], change_token="t2"),
    Found(movie("3"), problems=("its year cannot be read",)),
    Unreadable("4", "it is no XML"),
    movie("bad", year=2**40),
    Remark("5.mkv", "a video without an NFO file"),
    season("s-1"),
    show("s"),
    season("lost", parent="none"),
]


async def last_run(ms: MediaSync) -> tuple[Any, ...]:
    [newest, *_] = await rows(
        ms,
        "SELECT status, seen, saved, unchanged, failed, error, finished_at IS NOT NULL "
        "FROM sync_runs ORDER BY id DESC",
    )
    return newest


async def test_a_sync_saves_what_it_finds_and_is_recorded(ms: MediaSync, clock: Clock) -> None:
    backend = FakeBackend({"m": FINDINGS, "empty": []})
    report = await ms.sync(backend)
    assert (report.status, report.saved, report.unchanged, report.repeats) == (RunStatus.SUCCEEDED, 5, 0, 1)
    assert sorted(item_id for item_id, _ in report.failed) == ["fake:4", "fake:bad", "fake:lost"]
    assert sorted(item_id for item_id, _ in report.problems) == ["fake:2", "fake:3"]
    assert report.remarks == (("5.mkv", "a video without an NFO file"),)
    assert (report.run.seen, report.run.failed, report.run.source_id) == (8, 3, "fake")
    assert await last_run(ms) == ("succeeded", 8, 5, 0, 3, None, 1)
    assert await ms.list_runs() == [report.run]
    assert await ms.list_runs("fake") == [report.run]
    assert await ms.list_runs("home") == []
    assert await ms.list_runs(before=report.run.id + 1) == [report.run]
    assert await ms.list_runs(before=report.run.id) == []
    assert round(report.run.started_at.timestamp() * 1000) == clock.now
    problems = await ms.list_problems(report.run.id)
    assert sorted((kind, subject) for kind, subject, _ in problems) == [
        ("failure", "fake:4"),
        ("failure", "fake:bad"),
        ("failure", "fake:lost"),
        ("problem", "fake:2"),
        ("problem", "fake:3"),
        ("remark", "5.mkv"),
    ]
    assert await value(ms, "SELECT count(*) FROM sync_run_problems") == 6
    assert (backend.opened, backend.closed) == (1, 1)
    assert [one.id for one in await ms.media.list_libraries("fake")] == ["empty", "m"]
    assert (await ms.check()).flaws == ()


async def test_the_events_agree_with_the_report(ms: MediaSync) -> None:
    sync = ms.sync(FakeBackend({"m": FINDINGS, "empty": []}))
    with pytest.raises(LifecycleError, match="not ended"):
        _ = sync.report
    events: list[Event] = [event async for event in sync]
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].report == sync.report
    assert events[0].run_id == sync.report.run.id
    assert {event.source_id for event in events} == {"fake"}
    kinds = [type(event) for event in events if not isinstance(event, Progress)]
    assert kinds.count(LibraryStarted) == kinds.count(LibraryFinished) == 2
    failed = sorted((event.item_id, event.reason) for event in events if isinstance(event, ItemFailed))
    assert failed == sorted(sync.report.failed)
    problems = sorted((event.item_id, event.reason) for event in events if isinstance(event, ItemProblem))
    assert problems == sorted(sync.report.problems)
    assert [(event.subject, event.text) for event in events if isinstance(event, Remarked)] == [
        ("5.mkv", "a video without an NFO file")
    ]
    progress = [event for event in events if isinstance(event, Progress)][-1]
    run = sync.report.run
    assert (progress.seen, progress.saved, progress.unchanged, progress.failed) == (
        (run.seen, run.saved, run.unchanged, run.failed)
    )


async def test_progress_is_reported_while_a_long_library_is_read(ms: MediaSync) -> None:
    backend = FakeBackend({"m": [movie(str(n)) for n in range(500)]})
    seen = [event.seen async for event in ms.sync(backend) if isinstance(event, Progress)]
    assert seen == sorted(seen)
    assert seen[-1] == 500
    assert len(seen) > 1


async def test_a_second_sync_reads_and_writes_nothing_that_has_not_changed(
    ms: MediaSync, clock: Clock
) -> None:
    items: list[object] = [movie("1", credits=cast("a"), change_token="t1"), movie("2", credits=cast("b"))]
    await ms.sync(FakeBackend({"m": items}))
    seen = await public(ms)
    clock.tick()
    backend = FakeBackend({"m": items})
    report = await ms.sync(backend)
    assert backend.tokens == {"m": {"1": "t1", "2": ""}}
    assert (report.saved, report.unchanged, report.run.seen, report.failed) == (0, 2, 2, ())
    after = await public(ms)
    assert after.pop("sync_runs") != seen.pop("sync_runs")
    assert after.pop("sync_run_libraries") != seen.pop("sync_run_libraries")
    assert after == seen


async def test_known_tokens_are_those_of_the_library(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"a": [movie("1", change_token="x")], "b": [movie("2", change_token="y")]}))
    again = FakeBackend({"a": [], "b": []})
    await ms.sync(again)
    assert again.tokens == {"a": {"1": "x"}, "b": {"2": "y"}}


async def test_full_passes_no_matching_token_and_reads_everything(ms: MediaSync) -> None:
    items: list[object] = [movie("1", change_token="t1")]
    await ms.sync(FakeBackend({"m": items}))
    backend = FakeBackend({"m": items})
    before = await mirrored(ms)
    report = await ms.sync(backend, full=True)
    assert backend.tokens == {"m": {"1": ""}}, "it is stored, and is to be read again"
    assert (report.saved, report.unchanged) == (0, 1)
    assert await mirrored(ms) == before, "only the run is written"


async def mirrored(ms: MediaSync) -> dict[str, list[tuple[Any, ...]]]:
    return {view: found for view, found in (await public(ms)).items() if not view.startswith("sync_run")}


async def test_an_item_that_is_found_but_not_readable_in_full_is_one_item(ms: MediaSync) -> None:
    backend = FakeBackend({"l1": [Found(show("s1"), failure="no people came"), movie("m1"), Enumerated(2)]})
    report = await ms.sync(backend)
    assert (report.run.seen, report.saved) == (2, 2)
    assert report.failed == (("fake:s1", "no people came"),)
    (library,) = report.libraries
    assert library.seen == 2


async def test_unchanged_keeps_what_is_stored(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": [movie("1", credits=cast("a"), change_token="t")]}))
    report = await ms.sync(FakeBackend({"m": [Unchanged("1")]}))
    assert (report.unchanged, report.run.seen) == (1, 1)
    assert [one.person.remote_id for one in await ms.people.find_by_media_item("fake:1")] == ["a"]


async def test_stale_credits_are_replaced_and_nothing_is_deleted(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": [movie("1", credits=cast("a", "b")), movie("2", credits=cast("c"))]}))
    await ms.sync(FakeBackend({"m": [movie("1", credits=cast("b"))]}))
    assert await rows(ms, "SELECT media_item_id, person_id FROM media_people ORDER BY 1") == [
        ("fake:1", "fake:b"),
        ("fake:2", "fake:c"),
    ]


async def test_a_preview_from_a_listing_leaves_the_full_list(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": [movie("1", credits=cast("a", "b", "c", "d"))]}))
    report = await ms.sync(FakeBackend({"m": [movie("1", credits=cast("a"), completeness="preview")]}))
    assert report.unchanged == 1
    assert await value(ms, "SELECT count(*) FROM media_people") == 4


@pytest.mark.parametrize("where", ["items", "listing", "closing"])
@pytest.mark.parametrize(
    "error",
    [SourceUnreadable("fake", "the answer was HTML"), RuntimeError("a bug"), ZeroDivisionError()],
    ids=repr,
)
async def test_a_source_that_fails_is_recorded_and_what_was_read_is_saved(
    ms: MediaSync, where: str, error: Exception
) -> None:
    backend = FakeBackend({"m": [*(movie(str(n)) for n in range(120)), season("lost", parent="none")]})
    if where == "items":
        backend.libraries["m"].append(error)
    elif where == "listing":
        backend.list_error = error
    else:
        backend.close_error = error
    with pytest.raises(type(error)) as caught:
        await ms.sync(backend)
    of_library = where == "items" and isinstance(error, SourceUnreadable)
    assert (caught.value.__cause__ if of_library else caught.value) is error
    saved = 0 if where == "listing" else 120
    assert await value(ms, "SELECT count(*) FROM media_items") == saved
    expected = str(caught.value) or type(error).__name__
    assert "fake:m" in expected or not of_library
    lost = 0 if where == "listing" else 1
    assert await last_run(ms) == ("failed", saved + lost, saved, 0, lost + of_library, expected, 1)
    assert backend.closed == 1


async def test_a_source_that_cannot_be_opened(ms: MediaSync) -> None:
    backend = FakeBackend({"m": []}, open_error=SourceUnreachable("fake", "no answer"))
    with pytest.raises(SourceUnreachable):
        await ms.sync(backend)
    assert await rows(ms, "SELECT id FROM sync_runs") == [], "nothing is known of it yet"
    backend.open_error = None
    await ms.sync(backend)
    backend.open_error = SourceUnreachable("fake", "no answer")
    with pytest.raises(SourceUnreachable):
        await ms.sync(backend)
    assert [run.status for run in await ms.list_runs()] == [RunStatus.FAILED, RunStatus.SUCCEEDED]
    assert "no answer" in (await ms.list_runs())[0].error  # type: ignore[operator]


async def test_a_source_of_another_kind_is_refused(ms: MediaSync) -> None:
    backend = FakeBackend({"m": [movie()]}, source=Source(id="home", kind="nfo"))
    seen = await public(ms)
    with pytest.raises(ConfigurationError, match="jellyfin"):
        await ms.sync(backend)
    assert await public(ms) == seen
    assert backend.closed == 1


@pytest.mark.parametrize("as_events", [False, True])
async def test_a_cancelled_sync_is_recorded(ms: MediaSync, as_events: bool) -> None:
    backend = FakeBackend({"m": [*(movie(str(n)) for n in range(60)), asyncio.Event()]})
    sync = ms.sync(backend)

    async def follow() -> None:
        async with aclosing(aiter(sync)) as events:  # type: ignore[type-var]
            async for _ in events:
                pass

    async def to_end() -> None:
        await sync

    task = asyncio.create_task(follow() if as_events else to_end())
    await backend.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    status, seen, *_, error, finished = await last_run(ms)
    assert (status, seen, error, finished) == ("cancelled", 60, None, 1)
    assert backend.closed == 1
    report = await ms.sync(FakeBackend({"m": [movie(str(n)) for n in range(60)]}))
    assert report.saved + report.unchanged == 60
    assert (await ms.check()).flaws == ()


async def test_a_sync_cancelled_while_its_source_closes_is_recorded(ms: MediaSync) -> None:
    backend = FakeBackend({"m": [movie()]}, close_error=asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await ms.sync(backend)
    assert (await last_run(ms))[0] == "cancelled"


async def test_leaving_the_events_early_cancels_the_sync(ms: MediaSync) -> None:
    backend = FakeBackend({"m": [movie("1"), asyncio.Event(), movie("2")]})
    async with aclosing(aiter(ms.sync(backend))) as events:  # type: ignore[type-var]
        async for event in events:
            if isinstance(event, LibraryStarted):
                await backend.waiting.wait()
                break
    assert backend.closed == 1
    assert (await last_run(ms))[0] == "cancelled"


async def test_a_run_that_never_ended_is_marked_by_the_next(ms: MediaSync) -> None:
    await ms.sync(FakeBackend())
    source_key = await value(ms, "SELECT source_key FROM source WHERE id = 'fake'")
    await write(
        ms,
        "INSERT INTO sync_run (source_key, status, started_at) VALUES (:key, 'running', 1)",
        key=source_key,
    )
    await ms.sync(FakeBackend())
    assert [run.status for run in await ms.list_runs()] == [
        RunStatus.SUCCEEDED,
        RunStatus.INTERRUPTED,
        RunStatus.SUCCEEDED,
    ]


async def test_a_full_disk_ends_the_sync(file_ms: MediaSync) -> None:
    big = [movie(str(n), overview="x" * 5_000) for n in range(3_000)]
    backend = FakeBackend({"m": big})
    [(pages,)] = await pragma(file_ms, "page_count")
    await pragma(file_ms, f"max_page_count = {pages + 200}")
    with pytest.raises(DiskFull):
        await file_ms.sync(backend)
    await pragma(file_ms, "max_page_count = 1000000")
    assert backend.closed == 1
    report = await file_ms.sync(FakeBackend({"m": big}))
    assert report.failed == ()
    assert (await file_ms.check()).flaws == ()


async def test_no_secret_is_stored_or_shown(ms: MediaSync) -> None:
    secret = "https://me:hunter2@host/x?X-Plex-Token=hunter2"
    findings: list[object] = [
        Unreadable("1", f"{secret} is no XML"),
        Remark(secret, f"nothing at {secret}"),
        Found(movie("2"), problems=(f"no picture at {secret}",)),
        SourceUnreadable("fake", f"{secret} sent HTML"),
    ]
    sync = ms.sync(FakeBackend({"m": findings}))
    with pytest.raises(SourceUnreadable):
        await sync
    [run] = await ms.list_runs()
    assert "hunter2" not in repr(await public(ms))
    assert "hunter2" not in repr((run, await ms.list_problems(run.id)))
    assert "host/x" in (run.error or "")


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"], ids=["nul", "surrogate"])
async def test_texts_that_cannot_be_stored_do_not_spoil_the_record(
    ms: MediaSync, bad: str, caplog: pytest.LogCaptureFixture
) -> None:
    findings: list[object] = [Unreadable(bad, bad), Remark(bad, bad), Found(movie("2"), problems=(bad,))]
    report = await ms.sync(FakeBackend({"m": findings}))
    assert (report.saved, len(report.failed)) == (1, 1)
    assert [subject for _, subject, _ in await ms.list_problems(report.run.id)] == [
        "fake:a\ufffdb",
        "fake:2",
        "a\ufffdb",
    ]
    with pytest.raises(RuntimeError):
        await ms.sync(FakeBackend({"m": [RuntimeError(bad)]}))
    assert (await last_run(ms))[5] == "a\ufffdb"
    assert "a\ufffdb" in caplog.text
    assert bad not in caplog.text


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"], ids=["nul", "surrogate"])
async def test_one_bad_person_does_not_spoil_the_others(ms: MediaSync, bad: str) -> None:
    people = [
        Person(remote_id="p1", name="Ann"),
        Person(remote_id="p2", name=bad),
        Person(remote_id="p3", name="Bob", image_path=bad),
        Person(remote_id=bad, name="Cid"),
        Person(name=" "),
        Person(remote_id="p4", name="Dan"),
    ]
    findings: list[object] = [movie("1"), *map(FoundPerson, people)]
    report = await ms.sync(FakeBackend({"m": findings}))
    assert (report.status, report.saved, report.failed) == (RunStatus.SUCCEEDED, 1, ())
    assert await rows(ms, "SELECT id FROM people ORDER BY id") == [("fake:p1",), ("fake:p4",)]
    noted = ["fake:p2", "fake:p3", "fake:a\ufffdb", "fake: "]
    assert [subject for subject, _ in report.problems] == noted
    assert [subject for _, subject, _ in await ms.list_problems(report.run.id)] == noted
    assert "image_path contains" in report.problems[1][1]
    assert (await ms.sync(FakeBackend({"m": findings}), dry_run=True)).problems == report.problems


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"], ids=["nul", "surrogate"])
async def test_names_of_a_server_and_its_libraries_are_made_storable(ms: MediaSync, bad: str) -> None:
    source = Source(id="fake", kind="plex", name=bad, server_id=bad)
    listed: list[object] = [movie("1"), Enumerated(3, complete=False, reason=bad)]
    backend = FakeBackend({"m": listed}, source=source, titles={"m": bad})
    for _ in range(2):
        report = await ms.sync(backend)
        assert (report.saved + report.unchanged, report.libraries[0].reason) == (1, "a\ufffdb")
        assert report.remarks == (("fake:m", "not all of it was listed: a\ufffdb"),)
    assert await rows(ms, "SELECT name, server_id FROM sources WHERE id = 'fake'") == [
        ("a\ufffdb", "a\ufffdb")
    ]
    assert await rows(ms, "SELECT id, title FROM libraries WHERE source_id = 'fake'") == [
        ("fake:m", "a\ufffdb")
    ]
    assert (await ms.sync(backend, dry_run=True)).changes == ()


async def test_the_keys_of_a_server_are_made_storable(ms: MediaSync) -> None:
    bad = "a\0b"
    backend = FakeBackend({bad: [Found(movie("1"), ("odd",)), Found(movie(bad), ("odd",))]})
    report = await ms.sync(backend)
    assert backend.tokens.keys() == {bad}, "the backend meets its own key"
    assert (report.saved, len(report.failed)) == (1, 1)
    assert report.problems == (("fake:1", "odd"), ("fake:a\ufffdb", "odd"))
    assert [library.library_id for library in report.libraries] == ["fake:a\ufffdb"]
    assert await value(ms, "SELECT library_id FROM media_items") == "fake:a\ufffdb"


async def test_a_library_whose_key_begins_like_its_source(ms: MediaSync) -> None:
    report = await ms.sync(FakeBackend({"fake:x": [movie()]}))
    assert report.saved == 1
    assert await value(ms, "SELECT library_id FROM media_items") == "fake:fake:x"


async def test_two_sources_at_once(ms: MediaSync) -> None:
    backends = [
        FakeBackend(
            {"m": [movie(str(n), credits=cast("a", str(n))) for n in range(80)]},
            source=Source(id=name, kind="plex"),
        )
        for name in ("one", "two", "three")
    ]
    reports = await asyncio.gather(*(ms.sync(backend) for backend in backends))
    assert [report.saved for report in reports] == [80, 80, 80]
    assert [run.source_id for run in await ms.list_runs(limit=2)] != []
    assert len(await ms.list_runs(limit=2)) == 2
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize(
    "text", ["", "nfo:", "plex:x", "no source", "https://me:hunter2@host", "UPPER=nfo:x"]
)
async def test_a_text_that_is_no_source_is_refused_at_once(ms: MediaSync, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ms.sync(text)
    assert "hunter2" not in str(caught.value)


async def test_find_run(ms: MediaSync) -> None:
    report = await ms.sync(FakeBackend())
    assert await ms.find_run(report.run.id) == report.run
    assert await ms.find_run(10_000) is None


class Asking(FakeBackend):
    """Asks what is stored before it reads."""

    people: dict[str, Person]
    items: set[str]

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        self.people = await stored.find_people(["p1", "p3", "nobody", "a\0b", "a\ud800b"])
        self.items = await stored.find_items_crediting(["p1", "nobody", "a\0b", "a\ud800b"])
        async for finding in super().iter_items(library, stored, only=only):
            yield finding


async def test_a_backend_can_ask_what_is_stored(ms: MediaSync) -> None:
    def credit_of(*keys: str) -> list[Credit]:
        return [Credit(person=Person(remote_id=key, name=key), person_type="actor") for key in keys]

    items: list[object] = [movie("1", credits=credit_of("p1", "p2")), movie("2", credits=credit_of("p2"))]
    other: list[object] = [movie("3", credits=credit_of("p1", "p3"))]
    await ms.sync(FakeBackend({"m": items, "other": other}))
    backend = Asking({"other": [], "m": []})
    await ms.sync(backend)
    assert {key: person.name for key, person in backend.people.items()} == {"p1": "p1", "p3": "p3"}
    assert backend.items == {"1"}, "of the library alone"


async def test_additional_data_of_a_person_is_saved_and_removes_nothing(ms: MediaSync) -> None:
    ann = [Credit(person=Person(remote_id="p1", name="Ann", image_path="a.jpg"), person_type="actor")]
    await ms.sync(FakeBackend({"m": [movie("1", credits=ann)]}))
    more = [Person(remote_id="p1", name="Ann", provider_ids={"tmdb": str(n)}) for n in range(600)]
    report = await ms.sync(FakeBackend({"m": [FoundPerson(person) for person in more]}))
    assert report.run.seen == 0, "people are no items"
    person = await ms.people.find_by_id("fake:p1")
    assert person is not None
    assert (person.image_path, person.provider_ids) == ("a.jpg", {"tmdb": "599"})


async def test_a_library_that_was_not_listed_to_its_end_is_remarked(ms: MediaSync) -> None:
    backend = FakeBackend({"m": [movie("1"), Enumerated(7, complete=False, reason="a page came twice")]})
    report = await ms.sync(backend)
    assert report.remarks == (("fake:m", "not all of it was listed: a page came twice"),)
    assert (await ms.sync(FakeBackend({"m": [movie("1"), Enumerated(1)]}))).remarks == ()
