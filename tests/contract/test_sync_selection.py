"""Selections, dry runs, and the record of each library in a run."""

from __future__ import annotations

from typing import Any

import pytest
from support.items import cast, credit, episode, movie, season, show
from support.mirror import Clock, public, rows, value, written

from mediasync import Library, LibraryRun, MediaSync, Person, RunStatus, Source, SourceConfig
from mediasync.backends.base import Enumerated, Found, FoundPerson, Remark, Unchanged, Unreadable
from mediasync.errors import ConfigurationError, SourceUnreachable, SourceUnreadable
from mediasync.events import ItemFailed, LibraryStarted, RunFinished, RunStarted, Waiting
from mediasync.syncing.selection import Selection
from mediasync.testing import FakeBackend

TITLES = {"1": "Films", "2": "Séries", "3": "Anime"}


def three(**libraries: list[object]) -> FakeBackend:
    """Return a source with the given libraries, or with three libraries of one item each."""
    found = {key: libraries.get(f"l{key}", [movie(f"m{key}", change_token="t")]) for key in TITLES}
    return FakeBackend(found, titles=TITLES)


async def read_libraries(ms: MediaSync, backend: FakeBackend, **options: Any) -> list[str]:
    return [
        event.library.id async for event in ms.sync(backend, **options) if isinstance(event, LibraryStarted)
    ]


# Libraries


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["1", "2", "3"]),
        (["films"], ["1"]),
        ([" SÉRIES "], ["2"]),
        (["3", "fake:1"], ["1", "3"]),
        (["Anime", "3"], ["3"]),
    ],
)
async def test_libraries_by_title_or_id(ms: MediaSync, names: list[str], expected: list[str]) -> None:
    assert await read_libraries(ms, three(), libraries=names) == expected
    assert [library.id for library in await ms.media.list_libraries("fake")] == expected


async def test_a_library_that_is_not_there(ms: MediaSync) -> None:
    with pytest.raises(ConfigurationError, match=r"no library 'Music'; it has Films \(fake:1\), Séries"):
        await ms.sync(three(), libraries=["Films", "Music"])
    assert [run.status for run in await ms.list_runs()] == [RunStatus.FAILED]
    assert await ms.media.list_libraries("fake") == []
    with pytest.raises(ConfigurationError, match="it has none"):
        await ms.sync(FakeBackend({}), libraries=["Films"])


@pytest.mark.parametrize(
    ("include", "exclude", "libraries", "expected", "remarks"),
    [
        ((), (), (), ["1", "2", "3"], 0),
        (("Films", "anime"), (), (), ["1", "3"], 0),
        ((), ("Films", "fake:2"), (), ["3"], 0),
        (("Films", "Anime"), ("Films",), (), ["3"], 0),
        (("Films",), ("Séries",), ("2",), ["2"], 0),
        (("Films", "Music"), ("Photos",), (), ["1"], 2),
        ((), ("1", "2", "3"), (), [], 0),
    ],
)
def test_include_and_exclude(
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    libraries: tuple[str, ...],
    expected: list[str],
    remarks: int,
) -> None:
    found = [Library(id=key, source_id="fake", title=title, kind="movies") for key, title in TITLES.items()]
    chosen, missing = Selection(include, exclude, libraries).choose("fake", found)
    assert [library.id for library in chosen] == expected
    assert len(missing) == remarks
    assert all("there is no library 'Music' to include" in text or "to exclude" in text for text in missing)


def test_no_included_library_exists() -> None:
    with pytest.raises(ConfigurationError, match=r"none of the libraries .* \(Music, Photos\); it has Films"):
        Selection(("Music", "Photos")).choose(
            "a", [Library(id="1", source_id="a", title="Films", kind="movies")]
        )


async def test_include_of_a_configured_source(ms: MediaSync, tmp_path: Any) -> None:
    for name in ("movies", "anime"):
        (tmp_path / name / "Film").mkdir(parents=True)
        (tmp_path / name / "Film" / "movie.nfo").write_text(f"<movie><title>{name}</title></movie>")
    given = SourceConfig.model_validate({"id": "a", "folder": tmp_path, "include": ["movies", "gone"]})
    report = await ms.sync(given)
    assert (report.saved, [library.library_id for library in report.libraries]) == (1, ["a:movies"])
    assert [subject for subject, text in report.remarks if "'gone'" in text] == ["a"]
    assert (await ms.sync(given, libraries=["anime"])).saved == 1


async def test_unselected_items_do_not_count_as_removed(ms: MediaSync) -> None:
    await ms.sync(three(l2=[movie("m2"), Enumerated(1)]))
    before = await ms.list_library_runs("fake")
    await ms.sync(three(), libraries=["Films"])
    after = await ms.list_library_runs("fake")
    assert [run.run_id for run in before] == [1, 1, 1]
    assert [run.run_id for run in after] == [2, 1, 1]
    assert after[1] == before[1]
    assert await value(ms, "SELECT count(*) FROM media_items") == 3


# Items


async def test_single_items_are_read_again_and_nothing_else_counts(ms: MediaSync) -> None:
    await ms.sync(three(l1=[movie("a", change_token="t"), movie("b", change_token="t"), Enumerated(2)]))
    backend = three(
        l1=[
            movie("a", title="New", change_token="t"),
            movie("b", title="Unasked"),
            Unreadable("b", "unasked"),
            Unchanged("b"),
            Remark("x", "told all the same"),
            Enumerated(2, False, "unasked"),
        ]
    )
    report = await ms.sync(backend, items=["fake:a"])
    assert backend.asked == {"1": {"a"}}
    assert backend.tokens == {"1": {"a": "", "b": "t"}}, "what is asked for is read again"
    assert (report.saved, report.run.seen, report.failed, report.libraries) == (1, 1, (), ())
    assert report.remarks == (("x", "told all the same"),)
    assert await rows(ms, "SELECT title FROM media_items WHERE library_id = 'fake:1' ORDER BY id") == [
        ("New",),
        ("Movie b",),
    ]
    assert [run.run_id for run in await ms.list_library_runs("fake", limit=5)] == [1, 1, 1], (
        "no library was gone through"
    )


async def test_an_item_that_is_not_stored_is_asked_of_every_library(ms: MediaSync) -> None:
    backend = three(
        l1=[Unreadable("a", "not in this library")],
        l2=[Found(movie("a"), ("odd",))],
        l3=[movie("a", title="Twice")],
    )
    events = [event async for event in ms.sync(backend, items=["a", "none"])]
    assert backend.asked == {"1": {"a", "none"}, "2": {"a", "none"}, "3": {"none"}}
    failed = [(event.item_id, event.reason) for event in events if isinstance(event, ItemFailed)]
    assert failed == [("fake:none", "the source does not have it, or not in a library that is selected")]
    assert isinstance(events[-1], RunFinished)
    report = events[-1].report
    assert (report.saved, report.run.seen, report.run.failed, report.failed) == (1, 2, 1, tuple(failed))
    assert report.problems == (("fake:a", "odd"),)
    assert await rows(ms, "SELECT id, library_id FROM media_items") == [("fake:a", "fake:2")]


async def test_the_reason_for_an_unreadable_item_is_reported(ms: MediaSync) -> None:
    backend = three(l1=[Unreadable("a", "half of it")], l2=[], l3=[])
    report = await ms.sync(backend, items=["a"], libraries=["1"])
    assert report.failed == (("fake:a", "half of it"),)


async def test_the_id_of_an_item_is_trimmed(ms: MediaSync) -> None:
    report = await ms.sync(three(), items=[" m1", "fake:m2\n"])
    assert (report.saved, report.failed) == (2, ())


@pytest.mark.parametrize("item_id", ["a\0b", "fake:a\ud800b"])
async def test_an_id_that_no_item_can_have(ms: MediaSync, item_id: str) -> None:
    with pytest.raises(ConfigurationError, match="id contains"):
        await ms.sync(three(), items=[item_id])
    assert await ms.list_runs() == []


async def test_an_unchanged_item_that_was_asked_for_is_found(ms: MediaSync) -> None:
    await ms.sync(three())
    report = await ms.sync(three(l1=[Unchanged("m1")]), items=["m1"])
    assert (report.failed, report.unchanged, report.run.seen) == ((), 1, 1)


# Another server


def server(server_id: str | None, *items: object) -> FakeBackend:
    return FakeBackend({"m": list(items)}, source=Source(id="fake", kind="plex", server_id=server_id))


async def test_another_server_stops_the_sync_before_it_writes(ms: MediaSync) -> None:
    await ms.sync(server("one", movie("1", change_token="t")))
    before = await public(ms)
    for options in ({}, {"dry_run": True}):
        with pytest.raises(
            ConfigurationError, match="is the server 'one', and what answers now is the server 'two'"
        ):
            await ms.sync(server("two", movie("1", title="Other")), **options)
        assert await public(ms) == before
    await ms.sync(server(None, Unchanged("1")))


async def test_an_accepted_new_server_is_read_in_full(ms: MediaSync) -> None:
    await ms.sync(server("one", movie("1", change_token="t")))
    dry = await ms.sync(
        server("two", movie("1", title="Other", change_token="t")), accept_new_server=True, dry_run=True
    )
    assert dry.changes == (("fake:1", "its own fields"),)
    backend = server("two", SourceUnreadable("fake", "in the middle"))
    with pytest.raises(SourceUnreadable):
        await ms.sync(backend, accept_new_server=True)
    assert backend.tokens == {"m": {"1": ""}}
    again = server("two", movie("1", title="Other", change_token="t"))
    report = await ms.sync(again)
    assert again.tokens == {"m": {"1": ""}}, (
        "the tokens of the other server are forgotten, whatever ended the sync"
    )
    assert report.saved == 1
    assert await value(ms, "SELECT server_id FROM sources WHERE id = 'fake'") == "two"
    same = server("two", movie("1", title="Other", change_token="t"))
    await ms.sync(same, accept_new_server=True)
    assert same.tokens == {"m": {"1": "t"}}


# Dry runs

DRY: list[object] = [
    movie("1", credits=cast("a"), change_token="t1"),
    movie("2", title="Other", credits=cast("a"), change_token="new"),
    movie("3", credits=cast("b"), change_token="new"),
    movie("4", title="Other", credits=cast("b")),
    movie("new", credits=[credit("x", " "), credit("a"), credit("a")]),
    movie("bad", year=2**40),
    movie("part", credits=cast("a"), completeness="preview"),
    season("s-1"),
    show("s"),
    episode("e", parent="stored"),
    episode("lost", parent="none"),
    Unreadable("5", "no XML"),
    Remark("x", "y"),
    FoundPerson(Person(remote_id="a", name="Renamed")),
    Enumerated(11),
]


async def test_a_dry_run_reports_changes_and_writes_nothing(ms: MediaSync, clock: Clock) -> None:
    stored = [movie(str(n), credits=cast("a"), change_token=f"t{n}") for n in range(1, 5)]
    full = movie("part", credits=cast("a", "b"))
    await ms.sync(FakeBackend({"m": [*stored, full, show("stored")]}))
    before, rows_written = await public(ms), await written(ms)
    clock.tick()
    sync = ms.sync(FakeBackend({"m": DRY, "other": []}), dry_run=True)
    events = [event async for event in sync]
    assert isinstance(events[0], RunStarted)
    assert events[0].run_id == 0
    report = sync.report
    assert sorted(report.changes) == [
        ("fake:2", "its own fields"),
        ("fake:3", "its credits"),
        ("fake:4", "its own fields and its credits"),
        ("fake:e", "new"),
        ("fake:new", "new"),
        ("fake:s", "new"),
        ("fake:s-1", "new"),
    ]
    assert report.dry
    assert sorted(item_id for item_id, _ in report.failed) == ["fake:5", "fake:bad", "fake:lost"]
    assert [item_id for item_id, _ in report.problems] == ["fake:new"]
    assert (report.saved, report.unchanged, report.repeats, report.run.seen) == (7, 2, 1, 12)
    assert (report.run.id, report.run.status) == (0, RunStatus.SUCCEEDED)
    assert round(report.run.started_at.timestamp() * 1000) == clock.now
    assert report.libraries[0].model_dump() == {
        "run_id": 0, "library_id": "fake:m", "counted": 11, "seen": 12, "unseen": 1, "previews": 1,
        "complete": True, "reason": None,
    }  # fmt: skip
    assert await public(ms) == before
    assert await written(ms) == rows_written


async def test_a_dry_run_agrees_with_the_run_that_follows(ms: MediaSync) -> None:
    items: list[object] = [movie(str(n), credits=cast(str(n % 7))) for n in range(450)]
    await ms.sync(FakeBackend({"m": items[:300]}))
    changed = [*(movie(str(n), title="Other") for n in range(10)), *items[10:]]
    dry = await ms.sync(FakeBackend({"m": changed}), dry_run=True)
    real = await ms.sync(FakeBackend({"m": changed}))
    assert (dry.saved, dry.unchanged) == (real.saved, real.unchanged) == (160, 290)
    assert (await ms.sync(FakeBackend({"m": changed}), dry_run=True)).changes == ()


async def test_a_dry_run_of_a_source_that_fails_is_not_recorded(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": [movie()]}))
    with pytest.raises(SourceUnreachable):
        await ms.sync(FakeBackend({"m": []}, open_error=SourceUnreachable("fake", "gone")), dry_run=True)
    with pytest.raises(ConfigurationError, match="stored as plex, not nfo"):
        await ms.sync(FakeBackend({"m": []}, source=Source(id="fake", kind="nfo")), dry_run=True)
    assert len(await ms.list_runs()) == 1


# What is told of libraries


async def test_a_run_records_what_it_saw_in_each_library(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": [movie("1"), movie("2"), movie("3")], "n": [movie("n1")]}))
    report = await ms.sync(
        FakeBackend(
            {
                "m": [
                    Unchanged("1"),
                    Unreadable("4", "bad"),
                    movie("5", credits=cast("a"), completeness="preview"),
                    Enumerated(7),
                ],
                "n": [Enumerated(None, False, "the pages never ended")],
            }
        )
    )
    expected = (
        LibraryRun(run_id=2, library_id="fake:m", counted=7, seen=3, unseen=2, previews=1, complete=True),
        LibraryRun(run_id=2, library_id="fake:n", complete=False, reason="the pages never ended"),
    )
    assert report.libraries == expected
    assert await ms.list_library_runs("fake") == list(expected)
    assert await ms.list_library_runs("home") == []
    assert [(run.run_id, run.library_id) for run in await ms.list_library_runs(limit=2)] == [
        (2, "fake:m"), (1, "fake:m"), (2, "fake:n"), (1, "fake:n"),
    ]  # fmt: skip
    assert await rows(ms, "SELECT * FROM sync_run_libraries WHERE run_id = 2 ORDER BY library_id") == [
        (2, "fake:m", 7, 3, 2, 1, 1, None),
        (2, "fake:n", None, 0, None, 0, 0, "the pages never ended"),
    ]
    first = (await ms.list_library_runs("fake", limit=2))[1]
    assert (first.seen, first.unseen, first.complete) == (3, None, False), "it did not say that it named all"


async def test_a_failed_run_records_only_complete_libraries(ms: MediaSync) -> None:
    backend = FakeBackend(
        {"m": [movie("1"), Enumerated(1)], "n": [movie("2"), SourceUnreachable("fake", "gone")]}
    )
    with pytest.raises(SourceUnreachable):
        await ms.sync(backend)
    assert [(run.library_id, run.seen) for run in await ms.list_library_runs()] == [("fake:m", 1)]
    assert (await ms.list_runs())[0].status is RunStatus.FAILED


class WaitingBackend(FakeBackend):
    """A source for which the sync has to wait."""

    on_wait: Any = None

    async def fetch_libraries(self) -> list[Library]:
        self.on_wait("it is starting;\x00 waiting")
        return await super().fetch_libraries()


async def test_waiting_for_a_source_is_reported(ms: MediaSync) -> None:
    events = [event async for event in ms.sync(WaitingBackend({"m": [movie()]}))]
    [waiting] = [event for event in events if isinstance(event, Waiting)]
    assert waiting.source_id == "fake"
    assert waiting.text.startswith("it is starting;")
    assert "\x00" not in waiting.text
