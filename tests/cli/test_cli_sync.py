"""What ``mediasync sync`` does, tells, and ends with."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_backends import films, stand_in
from cli_runs import Run, write_movie
from rich.console import Console

from mediasync import Library, Movie, SyncReport, SyncRun, events
from mediasync.backends.base import Found, Remark
from mediasync.cli.output import Output
from mediasync.cli.progress import LiveReporter, PlainReporter, make_reporter
from mediasync.errors import DiskFull, SourceUnreachable
from mediasync.testing import FakeBackend
from mediasync.vocabulary import SourceKind

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "library"

Serve = Callable[..., None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Let sources given by their bare id be these backends."""

    def serve_backends(*backends: FakeBackend) -> None:
        stand_in(monkeypatch.setattr, {backend.source.id: backend for backend in backends})

    return serve_backends


def test_a_first_sync(run: Run, home: Path, library: Path) -> None:
    ended = run("sync", f"nfo:{library}")
    assert ended.code == 0
    assert ended.out == (
        f"nfo-library (from nfo:{library})\n"
        "  6 items seen, 6 saved, 0 unchanged, 0 failed\n"
        "  movies: 2 added; 7 credits added\n"
        "  tvshows: 4 added; 6 credits added\n"
        "  6 added; 13 credits added: mediasync log --run 1\n"
        f"Database: {home}/data/mediasync/mediasync.db\n"
    )
    first, movies, shows, last = ended.err.splitlines()
    assert first == f"mediasync: nfo-library: reading nfo:{library}"
    assert movies == "mediasync: nfo-library: library movies"
    assert shows == "mediasync: nfo-library: library tvshows"
    assert last.startswith("mediasync: nfo-library: done in ")


def test_the_next_sync_writes_nothing_and_a_full_one_reads_all(run: Run, library: Path) -> None:
    run("sync", f"films=nfo:{library}")
    for arguments in ([], ["--full"]):
        ended = run("sync", f"films=nfo:{library}", *arguments)
        assert ended.code == 0
        assert "6 items seen, 0 saved, 6 unchanged, 0 failed" in ended.out
        assert ended.out.startswith("films\n")
        assert "  nothing changed\n" in ended.out


def test_a_sync_as_json(run: Run, home: Path, library: Path) -> None:
    ended = run("--json", "sync", f"films=nfo:{library}", "--database", "media.db")
    assert ended.code == 0
    document = ended.json
    assert document["database"] == {"url": "sqlite:///media.db", "path": f"{home}/media.db"}
    [source] = document["sources"]
    run_document, counts = source.pop("run"), source.pop("counts")
    assert counts.pop("seconds") >= 0
    of_libraries = counts.pop("libraries")
    assert counts == {
        **dict.fromkeys(("changed", "unchanged", "removed", "back", "failed", "credits_removed"), 0),
        "added": 6,
        "credits_added": 13,
        "requests": None,
    }
    assert [
        (one["library_id"], one["title"], one["added"], one["credits_added"]) for one in of_libraries
    ] == [
        ("films:movies", "movies", 2, 7),
        ("films:tvshows", "tvshows", 4, 6),
    ]
    assert source == {
        "source": f"films=nfo:{library}",
        "source_id": "films",
        "derived": False,
        "status": "succeeded",
        "failed": [],
        "problems": [],
        "remarks": [],
        "repeats": 0,
        "libraries": [
            {
                "run_id": 1,
                "library_id": f"films:{name}",
                "counted": None,
                "seen": seen,
                "unseen": 0,
                "previews": 0,
                "complete": True,
                "reason": None,
            }
            for name, seen in (("movies", 2), ("tvshows", 4))
        ],
        "changes": [],
        "removed": [],
        "pending_removals": [],
        "purged": {"items": 0, "people": 0},
        "error": None,
    }
    assert run_document["saved"] == 6
    assert run_document.keys() == SyncRun.model_fields.keys()


def test_what_changed_is_said_in_one_line_with_the_command_that_shows_it(run: Run, library: Path) -> None:
    run("sync", f"films=nfo:{library}")
    write_movie(library, "Heat (1995)", "<title>Heat</title><actor><name>Al Pacino</name></actor>")
    ended = run("sync", f"films=nfo:{library}")
    assert ended.out.splitlines()[2:4] == [
        "  movies: 1 changed; 3 credits removed",
        "  1 changed; 3 credits removed: mediasync log --run 2",
    ]
    assert run("log", "--run", 2).out.startswith("Run 2, ")
    write_movie(library, "Thief (1981)", "<title>Thief</title>")
    write_movie(library, "Heat (1995)", "<title>Heat 2</title>")
    ended = run("sync", f"films=nfo:{library}", "--dry-run")
    assert "  would change: 1 added, 1 changed\n" in ended.out
    assert "log --run" not in ended.out
    assert (
        "  nothing would change\n"
        in run("sync", f"films=nfo:{library}", "--dry-run", "--item", "films:x").out
    )


def test_items_that_fail_are_listed_and_the_others_saved(run: Run, library: Path) -> None:
    for number in range(22):
        write_movie(library, f"Broken {number:02}", "<title>")
    ended = run("sync", f"films=nfo:{library}")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert "  28 items seen, 6 saved, 0 unchanged, 22 failed" in lines
    assert "  22 failed; what was stored of them before stays:" in lines
    assert lines[3].startswith("    films:movies/Broken 00  ")
    assert "    and 2 more: mediasync runs 1 --all" in lines
    assert len([line for line in ended.err.splitlines() if ": failed: " in line]) == 22
    assert len(run("sync", f"films=nfo:{library}", "--json").json["sources"][0]["failed"]) == 22


def test_problems_and_remarks_alone_are_no_failure(run: Run, serve: Serve) -> None:
    movie = Movie.model_validate(
        {
            "remote_id": "1",
            "title": "Film",
            "credits": [
                {"person": {"name": " "}, "person_type": "actor"},
                {"person": {"name": "Al"}, "person_type": "actor"},
                {"person": {"name": "Al"}, "person_type": "actor"},
            ],
        }
    )
    serve(films("home", Found(movie, ("its year is no number",)), Remark("a.mkv", "it has no NFO file")))
    ended = run("sync", "home")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert "  2 left out of items that are saved:" in lines
    assert "    home:1  its year is no number" in lines
    assert "  1 remarked:" in lines
    assert "    a.mkv  it has no NFO file" in lines
    assert "  1 exact repeat of credits dropped" in lines
    [source] = run("sync", "home", "--full", "--json").json["sources"]
    assert len(source["problems"]) == 2
    assert source["remarks"] == [{"subject": "a.mkv", "text": "it has no NFO file"}]
    assert source["repeats"] == 1


def test_a_source_without_items(run: Run, home: Path) -> None:
    (home / "empty").mkdir()
    ended = run("sync", "nfo:empty")
    assert ended.code in {0, 3}
    assert "no items were found" in ended.out or "not synced" in ended.out


def test_one_source_that_fails_does_not_keep_the_next_from_being_synced(run: Run, library: Path) -> None:
    ended = run("sync", "nfo:missing", f"films=nfo:{library}")
    assert ended.code == 3
    assert "nfo-missing (from nfo:missing)\n  not synced: " in ended.out
    assert "films\n  6 items seen, 6 saved" in ended.out
    ended = run("sync", "nfo:missing", f"films=nfo:{library}", "--json")
    assert [source["status"] for source in ended.json["sources"]] == ["failed", "succeeded"]
    assert ended.json["sources"][0]["error"]["kind"] == "SourceUnreachable"
    assert ended.json["sources"][0]["run"] is None


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (SourceUnreachable("a", "the server is gone"), 3, "SourceUnreachable"),
        (ZeroDivisionError("by zero"), 70, "InternalError"),
    ],
)
def test_a_source_that_fails_midway(run: Run, serve: Serve, error: Exception, code: int, kind: str) -> None:
    serve(films("a", error=error), films("b"))
    ended = run("sync", "a", "b", "--json")
    assert ended.code == code
    first, second = ended.json["sources"]
    assert (first["status"], first["error"]["kind"]) == ("failed", kind)
    assert (first["run"]["status"], first["run"]["error"] is None) == ("failed", False)
    assert second["status"] == "succeeded"
    ended = run("sync", "a", "b")
    assert f"  not synced: {'the server is gone' if code == 3 else 'internal error'}" in ended.out
    debugged = run("sync", "a", "b", "--debug")
    assert f"{type(error).__name__}: " in debugged.err
    assert "Traceback" in debugged.err


def test_a_database_that_fails_for_one_source(run: Run, serve: Serve) -> None:
    serve(films("a"), films("b", error=DiskFull("no room is left")), films("c"))
    ended = run("sync", "a", "b", "c")
    assert ended.code == 4
    assert "b\n  not synced: no room is left\n" in ended.out
    ended = run("sync", "a", "b", "c", "--json")
    assert [source["status"] for source in ended.json["sources"]] == ["succeeded", "failed", "succeeded"]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["plex:films"], "'plex:films' is not a source: write nfo:FOLDER"),
        (["http://me:secret@host"], "'http://host' is not a source"),
        (["nfo:~nobody-of-this-name"], "is not the path of a folder"),
        (["a=nfo:x", "a=nfo:y"], "a=nfo:x and a=nfo:y are both called 'a'"),
        (["nfo:x/films", "nfo:y/films"], "are both called 'nfo-films'"),
    ],
)
def test_sources_that_cannot_be_are_refused_before_anything_is_made(
    run: Run, home: Path, sources: list[str], message: str
) -> None:
    ended = run("sync", *sources, "--json")
    assert ended.code == 2
    assert ended.json["error"]["kind"] == "ConfigurationError"
    assert message in ended.json["error"]["message"]
    assert ended.err == f"mediasync: {ended.json['error']['message']}\n"
    assert list(home.iterdir()) == []


def test_a_source_of_another_kind_under_the_same_name(run: Run, serve: Serve) -> None:
    serve(films("a"))
    assert run("sync", "a").code == 0
    other = films("a")
    other.source = other.source.model_copy(update={"kind": SourceKind.PLEX})
    serve(other)
    ended = run("sync", "a")
    assert ended.code == 2
    assert "give it another name" in ended.out


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not here")
def test_the_example_library(run: Run) -> None:
    ended = run("sync", f"nfo:{EXAMPLES}")
    assert ended.code == 0
    assert ended.out.startswith("nfo-library (from ")
    assert "  Al Pacino           as Lt. Vincent Hanna\n" in run("show", "heat").out
    assert run("person", "al pacino").out.startswith("Al Pacino\n")
    assert run("check").code == 0


# Progress


def test_progress_without_a_terminal_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = make_reporter(Output(as_json=False, debug=False))
    assert isinstance(reporter, PlainReporter)
    tell(reporter)
    assert capsys.readouterr().err.splitlines() == [
        "mediasync: a: reading nfo:a",
        "mediasync: a: library Films",
        "mediasync: a: failed: a:1: [31mno title",
        "mediasync: a: done in 2.0 s: 1,234 items seen, 1,230 saved, 3 unchanged, 1 failed",
        "mediasync: b: reading nfo:b",
        "mediasync: b: it is gone",
    ]


@pytest.mark.parametrize("no_color", [True, False])
def test_what_moves_on_a_terminal(no_color: bool) -> None:
    out = Output(as_json=True, debug=False)
    screen = io.StringIO()
    out.console = Console(file=screen, force_terminal=True, width=150, no_color=no_color, markup=False)
    reporter = make_reporter(out)
    assert isinstance(reporter, LiveReporter)
    reporter.stopping()
    tell(reporter)
    shown = screen.getvalue()
    for text in (
        "mediasync: failed: a:1: [31mno title\n",
        "1,234 items seen, 1,230 saved, 3 unchanged, 1 failed",
        "mediasync: b: it is gone\n",
        "not synced",
        "stopping; again ends at once",
    ):
        assert text in shown
    assert ("\x1b[3" in shown) is not no_color


def tell(reporter: PlainReporter | LiveReporter) -> None:
    """Tell all kinds of events of two sources."""
    library = Library(id="films", source_id="a", title="Films", kind="movies")
    began = datetime(2026, 1, 1, tzinfo=UTC)
    run = SyncRun(
        id=1,
        source_id="a",
        status="succeeded",
        started_at=began,
        finished_at=began.replace(second=2),
        seen=1234,
        saved=1230,
        unchanged=3,
        failed=1,
    )
    with reporter:
        reporter.start("a", "nfo:a")
        reporter.show(events.RunStarted("a", 1))
        reporter.show(events.LibraryStarted("a", library))
        reporter.show(events.Progress("a", 10, 9, 0, 0))
        reporter.show(events.Progress("a", 20, 9, 0, 1))
        reporter.show(events.ItemFailed("a", "a:1", "\x1b[31mno title"))
        reporter.show(events.ItemProblem("a", "a:1", "no year"))
        reporter.show(events.LibraryFinished("a", library))
        reporter.show(events.RunFinished("a", SyncReport(run)))
        reporter.start("b", "nfo:b")
        reporter.stopping()
        reporter.fail("b", "it is gone")


def test_a_run_without_an_end_has_no_length(capsys: pytest.CaptureFixture[str]) -> None:
    run = SyncRun(id=1, source_id="a", status="succeeded", started_at=datetime(2026, 1, 1, tzinfo=UTC))
    PlainReporter(Output(as_json=False, debug=False)).show(events.RunFinished("a", SyncReport(run)))
    assert capsys.readouterr().err.startswith("mediasync: a: done: 0 items seen")


def test_what_strangers_wrote_does_nothing_to_a_terminal(run: Run, serve: Serve, home: Path) -> None:
    evil = "\x1b]0;owned\x07[red]Evil\x9b31m\u202e\nTitle[/red]"
    movie = Movie.model_validate(
        {
            "remote_id": f"{evil}1",
            "title": evil,
            "overview": evil,
            "original_title": f"{evil}2",
            "genres": [evil],
            "provider_ids": {"imdb": evil},
            "credits": [
                {"person": {"name": evil}, "person_type": "actor", "role": evil},
                {"person": {"name": evil}, "person_type": evil, "role": evil},
            ],
        }
    )
    serve(films("a", Found(movie, (evil,)), Remark(evil, evil)))
    for arguments in (["sync", "a"], ["show", "evil"], ["person", "owned"], ["status"], ["runs", "1"]):
        ended = run(*arguments)
        assert ended.code == 0, ended
        written = ended.out + ended.err
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(written)
        if arguments[0] in {"show", "person"}:
            assert "]0;owned[red]Evil31m Title[/red]" in written
    document = run("show", "evil", "--json")
    assert document.json["item"]["title"] == evil
    assert document.out.isascii()
    assert json.loads(document.out)["item"]["credits"][0]["role"] == evil
    assert os.linesep in document.out
