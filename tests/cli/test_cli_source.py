"""``mediasync source``."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import Run, process_environment

from mediasync.syncing.processes import at_work

POSIX = pytest.mark.skipif(os.name == "nt", reason="needs a terminal of POSIX")


@pytest.fixture
def configured(run: Run, home: Path, library: Path) -> Path:
    """A configuration of two sources, of which one was synced."""
    (home / "empty").mkdir()
    file = home / "mediasync.toml"
    file.write_text(
        f'[sources.films]\nkind = "nfo"\nfolder = "{library}"\n\n'
        f'[sources.later]\nkind = "nfo"\nfolder = "{home}/empty"\n'
    )
    assert run("sync", "films").code == 0
    return file


def hold(database: Path, source_id: str, holder: str) -> None:
    """Let a worker hold a source."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute(
        "INSERT INTO lease VALUES (?, 9, ?, ?) ON CONFLICT (source_id) DO UPDATE "
        "SET holder = excluded.holder, expires_at = excluded.expires_at",
        (source_id, holder, 2**52),
    )
    connection.close()


def test_the_list(run: Run, configured: Path, library: Path) -> None:
    assert run("sync", f"other=nfo:{library}").code == 0
    ended = run("source", "list")
    assert ended.code == 0
    head, films, other, never = ended.out.splitlines()
    assert head.split("  ")[0] == "source"
    assert head.endswith("in mediasync.toml")
    assert films.split()[:6] == ["films", "nfo", "films", "6", "0", "8"]
    assert "succeeded" in films
    assert [line.split()[-1] for line in (films, other)] == ["yes", "no"]
    assert never == "Never synced: later"


def test_the_list_as_json(run: Run, configured: Path) -> None:
    document = run("source", "list", "--json").json
    assert (document["configuration"], document["never_synced"]) == (str(configured), ["later"])
    [source] = document["sources"]
    assert {
        key: source[key] for key in ("id", "kind", "libraries", "items", "removed", "runs", "configured")
    } == {
        "id": "films",
        "kind": "nfo",
        "libraries": 2,
        "items": 6,
        "removed": 0,
        "runs": 1,
        "configured": True,
    }
    assert source["last_run"]["status"] == "succeeded"


def test_the_list_without_a_configuration(run: Run, synced: Path) -> None:
    assert "mediasync.toml" not in run("source", "list").out
    document = run("source", "list", "--json").json
    assert (document["configuration"], document["sources"][0]["configured"]) == (None, None)


def test_the_list_of_an_empty_database(run: Run, synced: Path) -> None:
    assert run("source", "remove", "films", "--yes").code == 0
    assert run("source", "list").out == "No source was synced yet: mediasync sync nfo:FOLDER\n"


def test_a_source_is_renamed_and_its_next_sync_goes_on(
    run: Run, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIASYNC_FILMS_TIMEZONE", "UTC")
    ended = run("source", "rename", "films", "nas-2")
    assert ended.code == 0
    first, table, variable = ended.out.splitlines()
    assert first == "Renamed films to nas-2, with 2 libraries, 6 items, 8 people."
    assert table.startswith(f"In {configured}, rename the table [sources.films] to [sources.nas-2] before")
    assert variable == "Rename the environment variable MEDIASYNC_FILMS_TIMEZONE to MEDIASYNC_NAS_2_TIMEZONE."
    monkeypatch.delenv("MEDIASYNC_FILMS_TIMEZONE")
    configured.write_text(configured.read_text().replace("sources.films", "sources.nas-2"))
    assert "6 unchanged" in run("sync", "nas-2").out
    assert [one["id"] for one in run("source", "list", "--json").json["sources"]] == ["nas-2"]
    assert "films → nas-2" in " ".join(run("log", "--all", "--since", "1d").out.replace("'", "").split())


def test_renaming_as_json(run: Run, synced: Path) -> None:
    document = run("source", "rename", "films", "nas", "--json").json
    assert document == {
        "old_id": "films",
        "new_id": "nas",
        "libraries": 2,
        "items": 6,
        "people": 8,
        "changes": document["changes"],
        "to_do": ["Sync it under its new name from now on: mediasync sync nas=KIND+URL or nas=nfo:FOLDER"],
    }
    assert document["changes"] == 9


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["rename", "none", "nas"], 1, "there is no source 'none'; there are: films"),
        (["rename", "films", "films"], 2, "there is a source 'films' already"),
        (["rename", "films", "Nas"], 2, "cannot name a source"),
        (["rename", "films"], 2, "NEW"),
        (["remove", "none"], 1, "there is no source 'none'; there are: films"),
        (["remove", "none", "--yes"], 1, "there is no source 'none'"),
    ],
)
def test_what_cannot_be_done(run: Run, synced: Path, arguments: list[str], code: int, text: str) -> None:
    before = synced.read_bytes()
    ended = run("source", *arguments)
    assert (ended.code, text in ended.err) == (code, True), ended
    assert synced.read_bytes() == before


@pytest.mark.parametrize("arguments", [["rename", "films", "nas"], ["remove", "films", "--yes"]])
def test_a_source_that_is_being_synced(run: Run, synced: Path, arguments: list[str]) -> None:
    with at_work() as holder:
        hold(synced, "films", holder)
        ended = run("source", *arguments)
    assert (ended.code, "is syncing it" in ended.err) == (6, True)
    assert "films" in run("source", "list").out


@pytest.mark.parametrize("arguments", [["rename", "films", "nas"], ["remove", "films", "--yes"]])
def test_no_database_is_created(run: Run, home: Path, arguments: list[str]) -> None:
    assert run("source", *arguments).code == 4
    assert list(home.iterdir()) == []


WHAT_GOES = "the source films with 6 items, 8 people, 13 credits and the records of 1 sync"


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_without_a_terminal_a_removal_needs_yes(
    run_process: Run, synced: Path, more: tuple[str, ...]
) -> None:
    ended = run_process("source", "remove", "films", *more, stdin=subprocess.DEVNULL)
    assert ended.code == 2
    assert ended.err.endswith(f"this deletes {WHAT_GOES}: confirm it with --yes\n")
    if more:
        assert ended.json["error"]["kind"] == "UsageError"
    assert run_process("status", "--source", "films").code == 0


def test_a_source_is_removed(run: Run, configured: Path) -> None:
    ended = run("source", "remove", "films", "--yes")
    assert (ended.code, ended.out.splitlines()) == (
        0,
        [
            "Removed films, with 6 items, 8 people, 13 credits and the records of 1 sync.",
            f"Remove [sources.films] from {configured}, too: the next sync reads it again.",
        ],
    )
    assert run("source", "list", "--json").json["sources"] == []
    assert run("check").code == 0
    assert "removed  Heat (1995)" in run("log", "--since", "1d", "--all").out


def test_removing_as_json(run: Run, synced: Path) -> None:
    assert run("source", "remove", "films", "--yes", "--json").json == {
        "source_id": "films",
        "libraries": 2,
        "items": 6,
        "people": 8,
        "credits": 13,
        "runs": 1,
        "configured": None,
    }


@POSIX
@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 1), (b"\n", 1), (b"y\n", 0)])
def test_on_a_terminal_it_asks(run: Run, synced: Path, answer: bytes, code: int) -> None:
    import pty

    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mediasync", "source", "remove", "films"],
        stdin=child,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=process_environment(),
    )
    os.write(parent, answer)
    out, err = process.communicate(timeout=60)
    os.close(child)
    os.close(parent)
    assert process.returncode == code
    assert err.decode().startswith(f"Delete {WHAT_GOES}? [y/N] ")
    assert out.decode().startswith("Removed films, " if answer == b"y\n" else "Nothing was deleted.")
    assert len(run("source", "list", "--json").json["sources"]) == code


def test_the_group_alone_shows_its_help(run: Run) -> None:
    shown = run("source").out
    for name in ("list", "rename", "remove"):
        assert name in shown
