"""Several sources at once: each is independent, and all share one writer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from support.items import cast, movie
from support.mirror import rows, value

from mediasync import MediaSync, RunStatus, Source, SourceConfig, SyncReport
from mediasync.errors import (
    ConfigurationError,
    LibraryUnreadable,
    LifecycleError,
    SourceError,
    SourceUnreachable,
    SourceUnreadable,
)
from mediasync.events import LibraryStarted, Progress, RunFailed, RunFinished, RunStarted
from mediasync.settings.file import read_configuration
from mediasync.syncing.selection import share_items, share_libraries
from mediasync.testing import FakeBackend


def backend(source_id: str, *found: object, **options: Any) -> FakeBackend:
    return FakeBackend(
        {"m": list(found)}, source=Source(id=source_id, kind="plex", name=source_id), **options
    )


async def test_all_are_synced_at_once_and_reported_in_the_order_given(ms: MediaSync) -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    first = backend("b", gates[0], movie("1", credits=cast("p")))
    second = backend("a", gates[1], movie("1", credits=cast("p")))
    running = ms.sync_all([first, second])
    task = asyncio.ensure_future(_awaited(running))
    await first.waiting.wait()
    await second.waiting.wait()
    with pytest.raises(LifecycleError, match="not ended"):
        _ = running.results
    gates[1].set()
    gates[0].set()
    results = await task
    assert results == running.results
    assert [result.run.source_id for result in results if isinstance(result, SyncReport)] == ["b", "a"]
    assert await rows(ms, "SELECT media_item_id, person_id FROM media_people ORDER BY 1") == [
        ("a:1", "a:p"),
        ("b:1", "b:p"),
    ]


async def _awaited(running: Any) -> Any:
    return await running


async def test_one_that_fails_does_not_stop_the_others(ms: MediaSync) -> None:
    errors = [
        SourceUnreachable("gone", "no answer"),
        SourceUnreadable("html", "it is HTML"),
        ZeroDivisionError(),
    ]
    results = await ms.sync_all(
        [
            backend("gone", open_error=errors[0]),
            backend("well", *(movie(str(n)) for n in range(300))),
            backend("html", movie("1"), errors[1]),
            backend("bug", movie("1"), errors[2]),
        ]
    )
    gone, well, html, bug = results
    assert [gone, bug] == [errors[0], errors[2]]
    assert isinstance(html, LibraryUnreadable)  # the only library of its source
    assert (html.library_id, html.__cause__) == ("html:m", errors[1])
    assert isinstance(well, SyncReport)
    assert (well.saved, well.status) == (300, RunStatus.SUCCEEDED)
    assert await value(ms, "SELECT count(*) FROM media_items") == 302
    statuses = {run.source_id: str(run.status) for run in await ms.list_runs()}
    assert statuses == {"well": "succeeded", "html": "failed", "bug": "failed"}


async def test_one_that_is_misconfigured_fails_alone(
    ms: MediaSync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "films" / "Film").mkdir(parents=True)
    (tmp_path / "films" / "Film" / "movie.nfo").write_text("<movie><title>Film</title></movie>")
    file = tmp_path / "mediasync.toml"
    file.write_text(
        """
        [sources.films]
        folder = "films"
        [sources.tokenless]
        url = "plex+http://127.0.0.1:1"
        token_file = "gone"
        [sources.misspelt]
        url = "plex+http://127.0.0.1:1"
        tries = "many"
        """
    )
    monkeypatch.setenv("MEDIASYNC_WRONG_TRIES", "many")
    texts = ["wrong=plex+http://127.0.0.1:1", "named=plex+https://me:s3cr3t@127.0.0.1:1"]
    await ms.media.save_source(Source(id="tokenless", kind="plex"))
    sources = [*read_configuration(file).sources.values(), *texts, backend("well", movie("1"))]
    running = ms.sync_all(sources)
    told = {event.source_id: event for event in [event async for event in running]}
    films, tokenless, misspelt, wrong, named, well = running.results
    assert isinstance(films, SyncReport)
    assert isinstance(well, SyncReport)
    assert (films.saved, well.saved) == (1, 1)
    for error, source_id, text in (
        (tokenless, "tokenless", "'tokenless': "),
        (misspelt, "misspelt", f"{file}: [sources.misspelt] tries: "),
        (wrong, "wrong", "MEDIASYNC_WRONG_TRIES: "),
        (named, "named", "source 'named': "),
    ):
        assert isinstance(error, ConfigurationError)
        assert text in str(error)
        assert "s3cr3t" not in str(error)
        assert told[source_id] == RunFailed(source_id, error)
    [run] = await ms.list_runs("tokenless")
    assert (run.status, run.error) == (RunStatus.FAILED, str(tokenless)), (
        "a source that is stored has a record"
    )
    dry = await ms.sync_all(sources, dry_run=True)
    assert [type(result) for result in dry] == [type(result) for result in running.results]
    assert len(await ms.list_runs("tokenless")) == 1
    with pytest.raises(ConfigurationError, match="MEDIASYNC_WRONG_TRIES"):
        ms.sync(texts[0])


async def test_each_event_names_its_source(ms: MediaSync) -> None:
    running = ms.sync_all(
        [backend("a", *(movie(str(n)) for n in range(200))), backend("b", SourceUnreadable("b", "HTML"))]
    )
    events = [event async for event in running]
    of_a = [event for event in events if event.source_id == "a"]
    of_b = [event for event in events if event.source_id == "b"]
    assert isinstance(of_a[0], RunStarted)
    assert isinstance(of_a[-1], RunFinished)
    assert of_a[-1].report is running.results[0]
    assert isinstance(of_b[-1], RunFailed)
    assert of_b[-1].error is running.results[1]
    progress = [event.seen for event in of_a if isinstance(event, Progress)]
    assert progress[-1] == 200


async def test_progress_that_nobody_fetches_does_not_pile_up(ms: MediaSync) -> None:
    gate = asyncio.Event()
    many = [backend(name, *(movie(str(n)) for n in range(500)), gate) for name in ("a", "b")]
    async with aclosing(aiter(ms.sync_all(many))) as events:  # type: ignore[type-var]
        first = await anext(events)
        for one in many:
            await one.waiting.wait()
        gate.set()
        rest = [event async for event in events]
    told = [type(event) for event in (first, *rest)]
    assert told.count(LibraryStarted) == 2
    assert told.count(Progress) <= 4, "one that waits is replaced by the next of its source"


@pytest.mark.parametrize("as_events", [False, True])
async def test_cancelling_ends_them_all(ms: MediaSync, as_events: bool) -> None:
    stuck = [backend(name, *(movie(str(n)) for n in range(60)), asyncio.Event()) for name in ("a", "b", "c")]
    running = ms.sync_all([*stuck, backend("done", movie("1"))])

    async def follow() -> None:
        async with aclosing(aiter(running)) as events:  # type: ignore[type-var]
            async for _ in events:
                pass

    task = asyncio.ensure_future(follow() if as_events else _awaited(running))
    for one in stuck:
        await one.waiting.wait()
    while (await ms.list_runs("done")) == [] or (await ms.list_runs("done"))[0].finished_at is None:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [one.closed for one in stuck] == [1, 1, 1]
    assert {run.source_id: str(run.status) for run in await ms.list_runs()} == {
        "a": "cancelled",
        "b": "cancelled",
        "c": "cancelled",
        "done": "succeeded",
    }
    assert await value(ms, "SELECT count(*) FROM media_items") == 181
    assert (await ms.check()).flaws == ()


async def test_leaving_the_events_early_ends_them_all(ms: MediaSync) -> None:
    stuck = [backend(name, asyncio.Event()) for name in ("a", "b")]
    async with aclosing(aiter(ms.sync_all(stuck))) as events:  # type: ignore[type-var]
        async for _ in events:
            break
    assert {str(run.status) for run in await ms.list_runs()} <= {"cancelled"}
    assert [one.opened - one.closed for one in stuck] == [0, 0]


async def test_a_source_that_cancels_itself_is_an_error_of_its_own(ms: MediaSync) -> None:
    cancelled, well = await ms.sync_all([backend("a", asyncio.CancelledError()), backend("b", movie("1"))])
    assert isinstance(cancelled, SourceError)
    assert "cancelled" in str(cancelled)
    assert isinstance(well, SyncReport)


async def test_readers_go_on_meanwhile(ms: MediaSync) -> None:
    """Two sources hold the same films; a reader sees whole items of either, and never a mixture."""
    films = [movie(str(n), credits=cast(f"p{n}", f"p{n + 1}")) for n in range(400)]
    running = asyncio.ensure_future(_awaited(ms.sync_all([backend("a", *films), backend("b", *films)])))
    looks = 0
    while not running.done():
        for item in await ms.media.find_media_items([f"{name}:{n}" for name in "ab" for n in (0, 200, 399)]):
            looks += 1
            assert item.credits is not None
            assert len(item.credits) == 2
            assert {credit.person.source_id for credit in item.credits} == {item.source_id}
        await asyncio.sleep(0)
    first, second = await running
    assert (first.saved, second.saved) == (400, 400)
    assert await value(ms, "SELECT count(*) FROM media_people") == 1600
    mixed = (
        "SELECT count(*) AS n FROM media_people WHERE substr(media_item_id, 1, 2) <> substr(person_id, 1, 2)"
    )
    assert await value(ms, mixed) == 0
    assert (await ms.check()).flaws == ()


async def test_no_more_are_synced_at_once_than_there_are_jobs(ms: MediaSync) -> None:
    gates = {name: asyncio.Event() for name in "abcd"}
    backends = {name: backend(name, gate, movie("1")) for name, gate in gates.items()}
    task = asyncio.ensure_future(_awaited(ms.sync_all(backends.values(), jobs=2)))

    def opened() -> str:
        return "".join(name for name, one in backends.items() if one.opened)

    await backends["a"].waiting.wait()
    for ending, last, expected in (("a", "b", "ab"), ("b", "c", "abc"), ("c", "d", "abcd")):
        await backends[last].waiting.wait()
        assert opened() == expected
        gates[ending].set()
    gates["d"].set()
    assert [result.saved for result in await task] == [1, 1, 1, 1]
    with pytest.raises(ConfigurationError, match="jobs is 0"):
        ms.sync_all([], jobs=0)


async def test_no_sources(ms: MediaSync) -> None:
    assert await ms.sync_all([]) == []


# What is refused at once


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ms: ms.sync_all(["nfo:x", "sonarr:y"]), "'sonarr:y' is not a source"),
        (lambda ms: ms.sync_all(["a=nfo:x", backend("a")]), "two sources are both called 'a'"),
        (
            lambda ms: ms.sync_all([backend("a"), backend("b")], items=["a:1"]),
            "nothing that is selected is of the source 'b'",
        ),
        (lambda ms: ms.sync_all([backend("a"), backend("b")], libraries=["b:1"]), "is of the source 'a'"),
        (
            lambda ms: ms.sync_all([backend("a"), backend("b")], items=["1"]),
            "'1' is no item of a, b: write its whole id",
        ),
        (lambda ms: ms.sync(backend("a"), items=[""]), "'' is no item of a"),
    ],
)
async def test_impossible_calls_are_refused_before_anything_is_read(
    ms: MediaSync, call: Callable[[MediaSync], Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        call(ms)


def test_selections_are_passed_to_the_right_sources() -> None:
    assert share_libraries(["Films", "a:1", "c:1"], ["a", "b"]) == {
        "a": ("Films", "a:1", "c:1"),
        "b": ("Films", "c:1"),
    }
    assert share_items(["a:1", "b:x:y", "a:2"], ["a", "b"]) == {"a": {"1", "2"}, "b": {"x:y"}}
    assert share_items(["movie/1", "x:1"], ["a"]) == {"a": {"movie/1", "x:1"}}


async def test_texts_and_configurations_go_together(ms: MediaSync, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "Film").mkdir(parents=True)
        (tmp_path / name / "Film" / "movie.nfo").write_text(f"<movie><title>{name}</title></movie>")
    two = SourceConfig.model_validate({"folder": tmp_path / "two"})
    results = await ms.sync_all([f"nfo:{tmp_path / 'one'}", two, backend("three", movie("1"))])
    assert [result.saved for result in results if isinstance(result, SyncReport)] == [1, 1, 1]
    assert [source.id for source in await ms.media.list_sources() if source.id != "home"] == [
        "nfo-one",
        "nfo-two",
        "three",
    ]
