"""``mediasync watch``: a service that syncs sources on their schedules."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_runs import Run, process_environment

POSIX = pytest.mark.skipif(os.name == "nt", reason="it needs POSIX")


@contextmanager
def watching(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that watches until it is stopped."""
    with subprocess.Popen(
        [sys.executable, "-m", "mediasync", "watch", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=process_environment(),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], *parts: str) -> None:
    """Read standard error until lines with all of these parts came, in any order."""
    assert process.stderr is not None
    missing = set(parts)
    for line in process.stderr:
        missing = {part for part in missing if part not in line}
        if not missing:
            return
    raise AssertionError(f"the process ended without {missing}")


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_well(run: Run, home: Path, library: Path, number: int) -> None:
    with watching(f"films=nfo:{library}", "gone=nfo:missing", "--no-events") as process:
        assert process.stdout is not None
        lines = sorted(process.stdout.readline() for _ in range(2))
        assert any(" films: 6 items seen, 6 saved, " in line and "log --run 1" in line for line in lines)
        assert any(" gone: not synced: " in line for line in lines)
        read_until(process, "mediasync: films: next sync 20", "mediasync: gone: next sync 20")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "")
    assert err == "mediasync: stopped; what was saved stays\n"
    assert [item["status"] for item in run("runs", "--json").json["runs"]] == ["succeeded"]
    with watching(f"films=nfo:{library}", "--json", "--every", "1d") as process:
        read_until(process, "mediasync: films: next sync 20")
        process.send_signal(number)
        assert process.communicate(timeout=60)[0] == ""
    assert len(run("runs", "--json").json["runs"]) == 1


@POSIX
def test_what_events_name_is_read_at_once(home: Path, library: Path) -> None:
    film = next(library.rglob("movie.nfo"))
    with watching(f"films=nfo:{library}", "gone=nfo:missing") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.readline()
        read_until(
            process,
            "mediasync: films: listening to its events",
            "mediasync: gone: its events cannot be heard, it is synced on its schedule: source 'gone'",
        )
        film.write_text(film.read_text().replace("<title>", "<title>The "))
        line = process.stdout.readline()
        assert " films: 1 item seen, 1 saved, " in line, line
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert "mediasync: films: its events named " in err


@POSIX
def test_each_sync_is_a_json_object_of_one_line(home: Path, library: Path) -> None:
    with watching(f"films=nfo:{library}", "--json", "--quiet") as process:
        assert process.stdout is not None
        document = json.loads(process.stdout.readline())
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert (out, err) == ("", "")
    assert (document["source_id"], document["status"], document["run"]["saved"]) == ("films", "succeeded", 6)
    assert document["counts"]["added"] == 6


@POSIX
def test_the_schedule_is_that_of_the_file(home: Path, library: Path) -> None:
    (home / "mediasync.toml").write_text(f"[sources.films]\nfolder = '{library}'\nevery = '1m'\n")
    with watching() as process:
        assert process.stdout is not None
        assert "6 saved" in process.stdout.readline()
        read_until(process, "films: next sync ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no source is named, and there is no mediasync.toml"),
        (["films=nfo:x", "--every", "soon"], "--every: 'soon' is not a length of time"),
        (["films=nfo:x", "--every", "5s"], "every: is too short: at least a minute"),
        (["films=nfo:x", "--notify-on", "failure"], "--notify-on: nobody is told"),
        (["films"], "'films' is not a source"),
    ],
)
def test_what_cannot_be_watched_is_wrong_usage(run: Run, arguments: list[str], message: str) -> None:
    ended = run("watch", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err


def test_the_configuration_shows_the_schedule(run: Run, home: Path) -> None:
    (home / "mediasync.toml").write_text(
        "[sources.films]\nfolder = 'films'\nevery = '90 min'\nat = ['03:30', 15:00:00]\n"
        "[sources.shows]\nfolder = 'shows'\nat = 'noon'\n"
    )
    shown = run("config", "check")
    assert "  every   1 h 30 min\n  at      03:30, 15:00\n" in shown.out
    assert "[sources.shows] at: 'noon' is not a time of the day: write \"03:30\"" in shown.out
    films, _ = run("config", "check", "--json").json["sources"]
    assert (films["every"], films["at"]) == (5400.0, ["03:30", "15:00"])
