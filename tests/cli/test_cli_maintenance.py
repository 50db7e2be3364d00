"""``mediasync backup``, ``upgrade`` and ``vacuum``: answers and exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import Run, process_environment
from support.old_databases import make_old_file

from mediasync.database.schema import CURRENT_VERSION


def test_a_backup_is_reported_and_can_be_read(run: Run, synced: Path) -> None:
    ended = run("backup", "backup.db")
    assert ended.code == 0, ended
    first, second = ended.out.splitlines()
    assert first.startswith(f"Backup: {Path('backup.db').absolute()} (")
    assert second == f"Database: {synced}"
    assert run("check", "--database", "backup.db").code == 0
    assert run("show", "heat", "--database", "backup.db").out == run("show", "heat").out


def test_a_backup_in_json(run: Run, synced: Path) -> None:
    document = run("backup", "backup.db", "--json").json
    assert document["database"]["path"] == str(synced)
    assert document["path"] == str(Path("backup.db").absolute())
    assert document["bytes"] == Path("backup.db").stat().st_size
    assert document["newest_change"] > 0
    assert document["replaced"] is False
    refused = run("backup", "backup.db", "--json")
    assert refused.code == 2
    assert "exists already" in refused.json["error"]["message"]
    assert run("backup", "backup.db", "--json", "--force").json["replaced"] is True
    assert run("backup", "backup.db", "--quiet", "--force").out == ""


def test_a_backup_of_nothing(run: Run) -> None:
    ended = run("backup", "backup.db")
    assert ended.code == 4
    assert "run `mediasync sync` to create it" in ended.err
    assert not Path("backup.db").exists()


@pytest.mark.skipif(os.name == "nt", reason="it needs POSIX")
def test_an_interrupted_backup_leaves_nothing(synced: Path) -> None:
    code = (
        "import os, signal, sys, threading\n"
        "from mediasync import cli\n"
        "from mediasync.database.database import Database\n"
        "real = Database.copy_into\n"
        "async def copy_into(self, file):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return await real(self, file)\n"
        "Database.copy_into = copy_into\n"
        "sys.exit(cli.main(['backup', 'backup.db']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=60, check=False, env=process_environment()
    )
    assert done.returncode == 128 + signal.SIGTERM, done
    assert b"no backup was written" in done.stderr
    assert not [name for name in os.listdir() if name.startswith("backup.db")]


def test_an_upgrade(run: Run, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    make_old_file(old, 8)
    reading = run("status", "--database", old)
    assert reading.code == 4
    assert "run `mediasync upgrade`" in reading.err
    checked = run("upgrade", "--check", "--database", old)
    assert checked.code == 1
    assert checked.out.splitlines()[0] == (
        f"The database has schema 8; this version needs {CURRENT_VERSION}. mediasync upgrade upgrades it."
    )
    done = run("upgrade", "--database", old)
    assert done.code == 0
    assert done.out.splitlines()[0] == (
        f"Upgraded from schema 8 to {CURRENT_VERSION}. The old database is kept in {old}.schema-8.backup."
    )
    for options in ([], ["--check"]):
        again = run("upgrade", *options, "--database", old)
        assert again.code == 0
        assert again.out.startswith(f"The database has schema {CURRENT_VERSION}, which this version needs.")
    assert run("status", "--database", old).code == 0


def test_an_upgrade_in_json(run: Run, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    make_old_file(old, 8)
    checked = run("upgrade", "--check", "--json", "--database", old)
    assert checked.code == 1
    assert (checked.json["needed"], checked.json["before"], checked.json["dry_run"]) == (True, 8, True)
    done = run("upgrade", "--no-backup", "--json", "--database", old).json
    assert (done["after"], done["backup"], done["dry_run"]) == (CURRENT_VERSION, None, False)
    assert done["database"]["path"] == str(old)


def test_an_upgrade_without_a_copy_says_so(run: Run, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    make_old_file(old, 8)
    assert "No copy of the old database was made." in run("upgrade", "--no-backup", "--database", old).out


def test_a_vacuum(run: Run, synced: Path) -> None:
    ended = run("vacuum")
    assert ended.code == 0, ended
    assert ended.out.splitlines()[0].endswith(" MB now.")
    document = run("vacuum", "--json").json
    assert document["bytes_before"] >= document["bytes_after"] == synced.stat().st_size
    assert document["log_bytes"] == 0
    assert run("check").code == 0
    assert run("vacuum", "--database", "nowhere.db").code == 4


def test_metadata_for_datasette(run: Run, synced: Path) -> None:
    shown = run("datasette-metadata")
    assert shown.code == 0
    [(name, database)] = shown.json["databases"].items()
    assert name == synced.stem
    assert database["tables"]["media_item"] == {"hidden": True}
    written = run("datasette-metadata", "--output", "metadata.json")
    assert written.code == 0
    assert written.out == (
        f"Metadata: {Path('metadata.json').absolute()}, for a database that datasette calls {name!r}\n"
    )
    assert json.loads(Path("metadata.json").read_text(encoding="utf-8")) == shown.json
    again = run("datasette-metadata", "--output", "metadata.json")
    assert again.code == 2
    assert "exists already" in again.err
    forced = run("datasette-metadata", "--output", "metadata.json", "--force", "--name", "films", "--json")
    assert forced.json["name"] == "films"
    assert "cast_of_title" in forced.json["queries"]
    assert list(json.loads(Path("metadata.json").read_text(encoding="utf-8"))["databases"]) == ["films"]
    assert run("datasette-metadata", "--output", "nowhere/metadata.json").code == 2
    on_a_server = run("datasette-metadata", "--database", "postgresql://me@host/media")
    assert on_a_server.code == 2
    assert "datasette reads SQLite files" in on_a_server.err
