"""``mediasync status`` for monitors: its exit code, the last good sync, and how old that may be."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_runs import Run

from mediasync.settings.durations import parse_duration


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


def source_of(run: Run, *arguments: str) -> dict[str, Any]:
    [source] = run("status", "--json", *arguments).json["sources"]
    return dict(source)


def test_a_failed_sync_sets_the_exit_code_and_the_last_good_one_is_still_shown(
    run: Run, synced: Path, library: Path
) -> None:
    assert run("status").code == 0
    shutil.move(library, library.with_name("away"))
    assert run("sync", f"films=nfo:{library}").code == 3
    ended = run("status")
    assert ended.code == 1
    failed, good = ended.out.splitlines()[-2:]
    assert failed.startswith("  last sync  failed ")
    assert "(run 2): " in failed
    assert good.startswith("  last good  succeeded ")
    assert good.endswith("6 seen, 6 saved, 0 unchanged, 0 failed (run 1)")
    document = run("status", "--json").json
    assert (document["ok"], document["sources"][0]["ok"]) == (False, False)
    assert document["sources"][0]["last_run"]["id"] == 2
    assert document["sources"][0]["last_good_run"]["id"] == 1
    shutil.move(library.with_name("away"), library)
    assert run("sync", f"films=nfo:{library}").code == 0
    ended = run("status")
    assert (ended.code, "last good" in ended.out) == (0, False)


@pytest.mark.parametrize(
    ("status", "code"), [("failed", 1), ("interrupted", 1), ("cancelled", 0), ("succeeded", 0)]
)
def test_what_counts_as_failed(run: Run, synced: Path, library: Path, status: str, code: int) -> None:
    run("sync", f"films=nfo:{library}")
    change(synced, f"UPDATE sync_run SET status = '{status}' WHERE run_key = 2")
    assert run("status").code == code
    assert source_of(run)["last_good_run"]["id"] == (2 if status == "succeeded" else 1)
    run("sync", f"films=nfo:{library}")
    change(synced, "UPDATE sync_run SET status = 'running', finished_at = NULL WHERE run_key = 3")
    change(synced, f"UPDATE lease SET expires_at = {2**52}")
    assert run("status").code == code, "a run that goes on tells nothing yet"


def test_the_last_good_sync_may_be_too_old(run: Run, synced: Path) -> None:
    assert run("status", "--max-age", "26h").code == 0
    change(
        synced, "UPDATE sync_run SET started_at = started_at - 97200000, finished_at = finished_at - 97200000"
    )
    ended = run("status", "--max-age", "26h")
    assert ended.code == 1
    assert ended.out.splitlines()[-1] == "  too old    the last good sync is 27 h 0 min old"
    assert source_of(run, "--max-age", "26h")["too_old"] is True
    assert run("status", "--max-age", "28h").code == 0
    assert run("status").code == 0
    change(synced, "UPDATE sync_run SET status = 'cancelled'")
    ended = run("status", "--max-age", "28h")
    assert ended.code == 1
    assert ended.out.splitlines()[-1] == "  too old    no sync has ended well yet"
    for text in ("26", "h", "26x", "1h30", "-1h", ""):
        ended = run("status", "--max-age", text)
        assert (ended.code, "write 26h, 90min or 2d" in ended.err) == (2, True), text
    assert run("status", "--max-age", "9" * 400 + "d").code == 2
    assert run("status", "--max-age", "99999999d").code == 2


def test_a_sync_of_one_item_or_library_does_not_make_a_source_look_fresh(
    run: Run, synced: Path, library: Path
) -> None:
    change(
        synced, "UPDATE sync_run SET started_at = started_at - 97200000, finished_at = finished_at - 97200000"
    )
    source = f"films=nfo:{library}"
    heat = "films:movies/Heat (1995)"
    for part in (["--item", heat], ["--library", "tvshows"]):
        assert run("sync", source, *part).code == 0
        assert run("status").code == 0
        ended = run("status", "--max-age", "26h")
        assert (ended.code, "the last good sync is 27 h" in ended.out) == (1, True)
        assert "of selected libraries or items)\n" in ended.out
        assert source_of(run)["last_good_run"]["id"] == 1
        assert source_of(run)["last_run"]["partial"] is True
    assert [one["partial"] for one in run("runs", "--json").json["runs"]] == [True, True, False]
    assert "succeeded, of selected libraries or items" in run("runs", "2").out
    assert run("sync", source).code == 0
    assert run("status", "--max-age", "26h").code == 0


def test_a_sync_of_one_item_does_not_hide_that_the_source_failed(
    run: Run, synced: Path, library: Path
) -> None:
    shutil.move(library, library.with_name("away"))
    assert run("sync", f"films=nfo:{library}").code == 3
    shutil.move(library.with_name("away"), library)
    assert run("sync", f"films=nfo:{library}", "--item", "films:movies/Heat (1995)").code == 0
    assert run("status").code == 1
    assert run("sync", f"films=nfo:{library}").code == 0
    assert run("status").code == 0
    assert run("sync", f"films=nfo:{library}", "--library", "nothing of the kind").code == 2
    assert run("status").code == 1, "the last sync failed, whatever it was asked for"


def test_status_and_runs_of_one_source(run: Run, synced: Path, library: Path) -> None:
    assert run("sync", f"more=nfo:{library}").code == 0
    change(synced, "UPDATE sync_run SET status = 'failed' WHERE run_key = 2")
    assert run("status").code == 1
    ended = run("status", "--source", "films")
    assert (ended.code, "more (nfo)" in ended.out) == (0, False)
    assert run("status", "--source", "more").code == 1
    assert [one["source_id"] for one in run("runs", "--source", "films", "--json").json["runs"]] == ["films"]
    for command in ("status", "runs"):
        ended = run(command, "--source", "gone")
        assert (ended.code, ended.err) == (
            1,
            "mediasync: there is no source 'gone'; there are: films, more\n",
        )


def test_a_source_that_cannot_be_used_any_more_is_a_failed_sync(
    run: Run, synced: Path, library: Path, home: Path
) -> None:
    (home / "mediasync.toml").write_text(f"[sources.films]\nfolder = '{library}'\nadress = 'x'\n")
    assert run("sync").code == 2
    ended = run("status")
    assert ended.code == 1
    assert "adress: is not a setting; did you mean url?" in ended.out
    assert run("sync", "--dry-run").code == 2
    assert len(run("runs", "--json").json["runs"]) == 2


def test_lengths_of_time() -> None:
    for text, expected in (
        ("26h", timedelta(hours=26)),
        ("1.5 h", timedelta(minutes=90)),
        ("90min", timedelta(minutes=90)),
        ("1d12h", timedelta(hours=36)),
        ("2 days 3 hours", timedelta(days=2, hours=3)),
        ("30s", timedelta(seconds=30)),
        ("1W", timedelta(weeks=1)),
    ):
        assert parse_duration(text) == expected


def test_sources_of_the_file_that_were_never_synced_are_named(
    run: Run, synced: Path, library: Path, home: Path
) -> None:
    text = f"[sources.films]\nfolder = '{library}'\n[sources.away]\nfolder = 'away'\n[sources.bad]\nurl = 5\n"
    (home / "mediasync.toml").write_text(text)
    assert run("sync").code == 3
    ended = run("status")
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "Never synced: away, bad")
    assert run("status", "--json").json["never_synced"] == ["away", "bad"]
    assert run("status", "--max-age", "1h").code == 1
    for other in (["--source", "films"], ["--database", str(synced)]):
        ended = run("status", "--max-age", "1h", *other)
        assert (ended.code, "Never synced" in ended.out) == (0, False)
