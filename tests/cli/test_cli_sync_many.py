"""``mediasync sync`` of several sources, of parts of them, and without writing."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_backends import films, stand_in
from cli_runs import Run, write_movie
from rich.cells import cell_len
from rich.console import Console

from mediasync import Library, Movie, RunStatus, SyncReport, SyncRun, events
from mediasync.backends.base import Enumerated, Found, Unchanged
from mediasync.cli.output import Output
from mediasync.cli.progress import LiveReporter, PlainReporter
from mediasync.errors import SourceUnauthorised, SourceUnreadable
from mediasync.testing import FakeBackend

Serve = Callable[..., None]
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Let sources given by their bare id be these backends."""

    def serve_backends(*backends: FakeBackend) -> None:
        stand_in(monkeypatch.setattr, {backend.source.id: backend for backend in backends})

    return serve_backends


def test_the_highest_code_counts_and_all_sources_are_reported_in_the_order_given(
    run: Run, serve: Serve
) -> None:
    bad = films("bad", Found(Movie(remote_id="1", title="Film", year=2**40)))
    serve(bad, films("well"), films("shut", error=SourceUnauthorised("shut", "the token is wrong")))
    ended = run("sync", "bad", "shut", "well")
    assert ended.code == 3
    positions = [
        ended.out.index(text) for text in ("bad\n  1 item seen", "shut\n  not synced", "well\n  3 items")
    ]
    assert positions == sorted(positions)
    assert run("sync", "bad", "well").code == 1
    assert run("sync", "well").code == 0
    ended = run("sync", "bad", "shut", "well", "--json")
    assert ended.code == 3
    assert [source["status"] for source in ended.json["sources"]] == ["succeeded", "failed", "succeeded"]
    assert ended.json["sources"][1]["error"] == {
        "kind": "SourceUnauthorised",
        "message": "source 'shut': the token is wrong",
    }


def test_sources_have_their_turns(run: Run, serve: Serve) -> None:
    serve(*(films(name) for name in "abc"))
    ended = run("sync", "a", "b", "c", "--jobs", "1")
    assert ended.code == 0
    told = [line.split(":")[1:3] for line in ended.err.splitlines()]
    assert [name.strip() for name, what in told if what.startswith((" reading", " done"))] == list("aabbcc")
    assert run("sync", "a", "--jobs", "0").code == 2


def test_a_token_is_never_repeated(run: Run, home: Path) -> None:
    ended = run("sync", "home=plex+https://me:s3cr3t@host", "--json")
    assert ended.code == 2
    assert "s3cr3t" not in ended.out + ended.err
    assert list(home.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a thread which cores it may use")
def test_of_two_cores_the_command_leaves_one_to_others(
    run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[set[int]] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: kept.append(cores))
    serve(films("well"))
    assert run("sync", "well").code == 0
    assert kept == [{1}, {0, 1}]


# Parts


def test_one_library_or_one_item(run: Run, library: Path) -> None:
    [source] = run("sync", f"films=nfo:{library}", "--library", "MOVIES", "--json").json["sources"]
    assert [one["library_id"] for one in source["libraries"]] == ["films:movies"]
    assert source["run"]["saved"] == 2
    write_movie(library, "Heat (1995)", "<title>Heat again</title>")
    ended = run("sync", f"films=nfo:{library}", "--item", "films:movies/Heat (1995)")
    assert (ended.code, "1 item seen, 1 saved" in ended.out) == (0, True)
    ended = run("sync", f"films=nfo:{library}", "--item", "movies/Gone", "--item", "movies/Ronin (1998)")
    assert ended.code == 1
    assert "    films:movies/Gone  the source does not have it" in ended.out
    ended = run("sync", f"films=nfo:{library}", "--library", "Music")
    assert ended.code == 2
    assert "it has movies (films:movies), tvshows (films:tvshows)" in ended.out


def test_of_several_sources_only_those_of_what_is_selected(run: Run, serve: Serve) -> None:
    serve(films("a"), films("b"))
    for option in (["--item", "b:1"], ["--library", "b:movies"]):
        [source] = run("sync", "a", "b", *option, "--json").json["sources"]
        assert source["source_id"] == "b"
    assert len(run("sync", "a", "b", "--library", "movies", "--json").json["sources"]) == 2
    ended = run("sync", "a", "b", "--item", "1")
    assert ended.code == 2
    assert "'1' is no item of a, b: write its whole id, a:KEY" in ended.err


# Dry runs


def test_a_dry_run_makes_no_database(run: Run, home: Path, library: Path) -> None:
    ended = run("sync", f"films=nfo:{library}", "--dry-run")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[:3] == [
        "films",
        "  6 items seen, 6 would be saved, 0 unchanged, 0 failed",
        "  6 would be written:",
    ]
    assert lines[-1] == "Nothing was written: this was a dry run"
    assert list(home.iterdir()) == []


def test_a_dry_run_of_what_is_stored(run: Run, synced: Path, library: Path) -> None:
    write_movie(library, "Heat (1995)", "<title>Heat again</title>")
    for number in range(25):
        write_movie(library, f"New {number:02}", "<title>New</title>")
    before = synced.read_bytes()
    document = run("sync", f"films=nfo:{library}", "--dry-run", "--json").json
    assert document["dry_run"]
    [source] = document["sources"]
    assert len(source["changes"]) == 26
    assert {"id": "films:movies/Heat (1995)", "what": "its own fields"} in source["changes"]
    assert (source["run"]["id"], source["run"]["saved"], source["run"]["unchanged"]) == (0, 26, 5)
    ended = run("sync", f"films=nfo:{library}", "--dry-run")
    assert "    and 6 more: --json shows all" in ended.out
    assert synced.read_bytes() == before
    assert len(run("runs", "--json").json["runs"]) == 1


def test_another_server(run: Run, serve: Serve) -> None:
    first, second = films("a"), films("a")
    first.source = first.source.model_copy(update={"server_id": "one"})
    second.source = second.source.model_copy(update={"server_id": "two"})
    serve(first)
    run("sync", "a")
    serve(second)
    ended = run("sync", "a")
    assert ended.code == 2
    assert "--accept-new-server" in ended.out
    assert run("sync", "a", "--accept-new-server").code == 0
    assert run("sync", "a").code == 0


def test_seconds_to_wait_must_be_a_number(run: Run) -> None:
    assert run("sync", "nfo:x", "--wait-for-scan", "long").code == 2
    assert run("sync", "nfo:x", "--wait-for-scan", "-1").code == 2


# Status


def film(key: str, completeness: str | None = None) -> Movie:
    cast = [{"person": {"name": "Al"}, "person_type": "actor"}]
    return Movie.model_validate(
        {"remote_id": key, "title": f"Film {key}", "credits": cast, "completeness": completeness}
    )


def test_status_shows_what_is_counted_and_not_seen(run: Run, serve: Serve) -> None:
    serve(films("a", Found(film("1")), Found(film("2")), Enumerated(2)))
    run("sync", "a")
    assert "the source counts 2; all that is stored was seen in the last sync" in run("status").out
    serve(films("a", Unchanged("1"), Enumerated(1200)))
    run("sync", "a")
    assert "the source counts 1,200; 1 of what is stored not seen in the last sync" in run("status").out
    serve(films("a", Unchanged("1"), Enumerated(None, False, "a page came twice")))
    ended = run("sync", "a")
    assert "not all of it was listed: a page came twice" in ended.out
    assert "  the last sync was not told all: a page came twice\n" in run("status").out
    [source] = run("status", "--json").json["sources"]
    assert source["libraries"][0]["last_run"] == {
        "run_id": 3,
        "library_id": "a:movies",
        "counted": None,
        "seen": 1,
        "unseen": None,
        "previews": 0,
        "complete": False,
        "reason": "a page came twice",
    }
    assert run("check").code == 0


def test_status_names_libraries_that_stay_previews(run: Run, serve: Serve) -> None:
    def stays() -> bool:
        [source] = run("status", "--json").json["sources"]
        told: bool = source["libraries"][0]["stays_preview"]
        assert ("some cast lists are still cut short after two syncs" in run("status").out) is told
        return told

    serve(films("a", Found(film("1", "preview")), Enumerated(1)))
    run("sync", "a")
    assert not stays()
    run("sync", "a")
    assert stays()
    serve(films("a", Found(film("1")), Enumerated(1)))
    run("sync", "a")
    assert not stays()


# Progress


def test_several_lines_move_on_a_terminal() -> None:
    out = Output(as_json=True, debug=False)
    screen = io.StringIO()
    out.console = Console(file=screen, force_terminal=True, width=150, markup=False)
    with LiveReporter(out) as reporter:
        for name in ("a", "b"):
            reporter.start(name, f"plex+https://{name}")
        reporter.show(events.Progress("b", 20, 9, 0, 0))
        reporter.show(events.Progress("a", 7, 7, 0, 0))
        reporter._progress.refresh()
        reporter.show(events.Waiting("a", "it is starting; waiting for it"))
        reporter.fail("b", "it is gone")
        reporter.show(events.RunFailed("b", SourceUnreadable("b", "it is gone")))
        reporter.stopping()
        reporter.show(events.Progress("nobody", 1, 1, 0, 0))
    shown = screen.getvalue()
    for text in (
        "7 items, 7 saved",
        "20 items, 9 saved",
        "not synced",
        "mediasync: a: it is starting; waiting for it",
    ):
        assert text in shown
    last = shown[shown.rindex("stopping") - 100 :]
    assert last.count("stopping; again ends at once") == 1, "what has ended does not stop"


def drawn(width: int, *shown: events.Event) -> list[str]:
    """Return the lines of a terminal of so many columns while several sources are synced."""
    out = Output(as_json=True, debug=False)
    screen = io.StringIO()
    out.console = Console(file=screen, force_terminal=True, width=width, markup=False, color_system=None)
    reporter = LiveReporter(out)
    clock = iter(range(0, 10_000, 10))
    reporter._progress.get_time = lambda: float(next(clock))  # time passes as it is looked at
    for name in {event.source_id: None for event in shown}:
        reporter.start(name, f"plex+https://{name}")
    for event in shown:
        reporter.show(event)
    reporter._progress.console.print(reporter._progress.get_renderable())
    return screen.getvalue().splitlines()


def test_progress_has_totals_and_the_time_that_is_left() -> None:
    films = Library(id="1", source_id="home", title="Films", kind="movies")
    shown: list[events.Event] = [events.LibraryStarted("home", films)]
    shown += [
        events.Progress("home", seen, seen, 0, 0, "home:1", seen, 4_000, 0, 1) for seen in (1_000, 2_000)
    ]
    [line] = drawn(120, *shown)
    assert "home: Films" in line
    assert "2,000 of 4,000, 2,000 saved" in line
    assert line.rstrip().endswith(" left")
    [line] = drawn(120, events.Progress("home", 1_000, 1, 0, 0))
    assert "1,000 items, 1 saved" in line
    assert "left" not in line


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_bar_fits_a_narrow_terminal(width: int) -> None:
    long = Library(id="1", source_id="home", title="A library with a rather long title 千千千", kind="movies")
    report = SyncReport(
        SyncRun(
            id=1,
            source_id="done",
            status=RunStatus.SUCCEEDED,
            started_at=NOW,
            finished_at=NOW,
            seen=123_456,
            saved=123_456,
        )
    )
    lines = drawn(
        width,
        events.LibraryStarted("plex-in-the-living-room", long),
        events.Progress("plex-in-the-living-room", 20_000, 9_999, 0, 12, "x:1", 10_000, 36_000, 0, 1),
        events.Progress("plex-in-the-living-room", 30_000, 9_999, 0, 12, "x:1", 20_000, 36_000, 0, 1),
        events.RunFinished("done", report),
        events.Progress("b", 7, 7, 0, 0),
    )
    assert len(lines) == 3, "each source has one line"
    assert all(cell_len(line) <= width for line in lines)
    if width >= 60:
        assert lines[0].rstrip().endswith(" left")
        assert "20,000 of 36,000" in lines[0]
        assert "123,456 seen" in lines[1]


def test_waiting_is_reported_in_a_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    PlainReporter(Output(as_json=False, debug=False)).show(events.Waiting("a", "it is starting"))
    assert capsys.readouterr().err == "mediasync: a: it is starting\n"
