"""``mediasync sync`` of a source that another worker is syncing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cli_runs import Run, write_movie

ELSEWHERE = "\n".join(("nas", "boot", "namespace", "4711", "1", "ab"))
HELD = "process 4711 of nas is syncing it"


@pytest.fixture
def held(synced: Path, library: Path) -> Path:
    """A mirror whose source ``films`` is held by a worker of another machine, and has a new film."""
    with closing(sqlite3.connect(synced)) as connection, connection:
        connection.execute(
            "UPDATE lease SET holder = ?, fence = fence + 1, expires_at = ?", (ELSEWHERE, 2**52)
        )
    write_movie(library, "New", "<title>New</title>")
    return synced


def test_a_source_that_is_held_is_an_error_with_a_code_of_its_own(
    run: Run, held: Path, library: Path
) -> None:
    ended = run("sync", f"films=nfo:{library}", "--if-busy", "fail")
    assert ended.code == 6
    assert f"films\n  not synced: {HELD}" in ended.out
    assert f"mediasync: films: {HELD}" in ended.err
    document = run("sync", f"films=nfo:{library}", "--if-busy", "fail", "--json").json
    assert document["sources"][0]["status"] == "failed"
    assert document["sources"][0]["error"] == {"kind": "SourceHeld", "message": f"source 'films': {HELD}"}


def test_a_source_that_is_held_can_be_skipped(run: Run, held: Path, library: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_movie(other, "Heat", "<title>Heat</title>")
    ended = run("sync", f"films=nfo:{library}", f"other=nfo:{other}", "--if-busy", "skip")
    assert ended.code == 0
    assert f"films\n  skipped: {HELD}" in ended.out
    assert "other\n  1 item seen, 1 saved" in ended.out
    document = run("sync", f"films=nfo:{library}", "--if-busy", "skip", "--json").json
    assert [source["status"] for source in document["sources"]] == ["skipped"]
    ended = run("sync", f"films=nfo:{library}", "--if-busy", "skip", "--quiet")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_a_dry_run_shows_what_a_held_source_would_bring(run: Run, held: Path, library: Path) -> None:
    ended = run("sync", f"films=nfo:{library}", "--if-busy", "fail", "--dry-run")
    assert ended.code == 0
    assert "films:movies/New" in ended.out


def test_only_what_is_known_can_be_done_about_a_held_source(run: Run, held: Path, library: Path) -> None:
    ended = run("sync", f"films=nfo:{library}", "--if-busy", "hope")
    assert ended.code == 2
    assert "'wait', 'skip', 'fail'" in ended.err
