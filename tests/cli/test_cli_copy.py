"""``mediasync copy``: its answers, its exit codes, and that it shows no secret."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import Run, process_environment
from rich.console import Console
from support.engines import POSTGRES

from mediasync import MediaSync, Source, cli, copy_mirror
from mediasync.cli import copy as command
from mediasync.cli.output import Output
from mediasync.copying.rules import NOT_COMPARED
from mediasync.database.schema import view_names
from mediasync.reports import CopyReport

POSIX = pytest.mark.skipif(os.name == "nt", reason="it needs POSIX")
KINDS = ["sources", "libraries", "people", "media_items", "sync_runs", "sync_run_problems", "changes"]


def test_a_copy_is_reported_and_can_be_read(run: Run, synced: Path) -> None:
    ended = run("copy", "--from", synced, "--to", "copy.db")
    assert ended.code == 0, ended
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert lines[0] == "sources 1 copied 0 already there"
    assert lines[3] == "media items 6 copied 0 already there"
    assert lines[7].startswith("Both hold the same: ")
    assert lines[7].endswith(" rows of 17 views compared.")
    assert lines[8] == f"Database: {Path('copy.db').absolute()}"
    told = ended.err.splitlines()
    assert told[0] == "mediasync: copying 1 sources"
    assert told[3] == "mediasync: copying 6 media items"
    assert told[-1].startswith("mediasync: comparing ")
    assert len(told) == 8
    assert run("show", "heat", "--database", "copy.db").out == run("show", "heat").out
    assert run("check", "--database", "copy.db").code == 0


def test_the_origin_is_the_database_of_the_other_commands(run: Run, synced: Path) -> None:
    assert run("copy", "--to", "one.db").code == 0
    assert run("--database", "one.db", "copy", "--to", "two.db").code == 0
    assert run("status", "--database", "two.db", "--json").json["people"] > 0
    assert synced.exists()


def test_json(run: Run, synced: Path) -> None:
    first = run("copy", "--from", synced, "--to", "copy.db", "--json")
    assert first.code == 0
    document = first.json
    assert list(document) == ["from", "to", "copied", "unchanged", "rows"]
    assert document["from"] == {"url": f"sqlite:///{synced}", "path": str(synced)}
    assert document["to"] == {"url": "sqlite:///copy.db", "path": str(Path("copy.db").absolute())}
    assert list(document["copied"]) == list(document["unchanged"]) == KINDS
    # What shows or counts the rows of other views is not compared apart from them.
    assert {*document["rows"], *NOT_COMPARED} == set(view_names())
    assert document["copied"]["media_items"] == document["rows"]["media_items"] == 6
    again = run("copy", "--from", synced, "--to", "copy.db", "--json").json
    assert set(again["copied"].values()) == {0}
    assert again["unchanged"] == document["copied"]
    assert again["rows"] == document["rows"]


def test_there_and_back(run: Run, synced: Path, tmp_path: Path) -> None:
    url = POSTGRES.new_url(tmp_path)
    there = run("copy", "--from", synced, "--to", url, "--json")
    back = run("copy", "--from", url, "--to", "back.db", "--json")
    assert (there.code, back.code) == (0, 0)
    assert there.json["rows"] == back.json["rows"]
    assert there.json["copied"] == back.json["copied"]
    assert run("person", "de niro", "--database", "back.db").out == run("person", "de niro").out
    assert run("status", "--database", url, "--json").json["people"] > 0


def test_a_refused_target_is_wrong_usage(run: Run, synced: Path) -> None:
    async def other() -> None:
        async with MediaSync("sqlite:///other.db") as ms:
            await ms.media.save_source(Source(id="other", kind="nfo"))

    asyncio.run(other())
    before = Path("other.db").read_bytes()
    ended = run("copy", "--from", synced, "--to", "other.db", "--json")
    assert ended.code == 2
    assert ended.json["error"]["kind"] == "ConfigurationError"
    assert "holds the source 'other', which the origin does not have" in ended.json["error"]["message"]
    assert Path("other.db").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "Missing option '--to'"),
        (["--to", ""], 2, "the database has no name"),
        (["--from", "", "--to", "b.db"], 2, "the database has no name"),
        (["--from", "a.db", "--to", "sqlite:///a.db"], 2, "the same database"),
        (["--from", "a.db", "--to", "mysql://host/a"], 2, "a database URL begins with sqlite"),
        (["--from", "a.db", "--to", "b.db"], 4, "database a.db does not exist"),
    ],
)
def test_a_failed_copy_is_reported_in_one_line(
    run: Run, home: Path, arguments: list[str], code: int, message: str
) -> None:
    ended = run("copy", *arguments, "--json")
    assert ended.code == code
    assert message in ended.err.splitlines()[0]
    assert message in ended.json["error"]["message"]
    assert list(home.iterdir()) == []


def test_a_copy_that_differs_is_reported_with_the_first_id(run: Run, synced: Path, home: Path) -> None:
    assert run("copy", "--from", synced, "--to", "copy.db").code == 0

    async def tamper() -> None:
        async with MediaSync("sqlite:///copy.db") as ms:
            heat = "SELECT item_key FROM media_item WHERE title = 'Heat'"
            sql = f"DELETE FROM credit WHERE item_key IN ({heat})"
            await ms._database.write(lambda session: session.execute(sql))

    asyncio.run(tamper())
    ended = run("copy", "--from", synced, "--to", "copy.db")
    assert ended.code == 4
    assert "media_people lacks rows of 'films:movies/Heat (1995)'" in ended.err.splitlines()[-1]
    assert ended.out == ""


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_no_password_is_shown_by_a_copy_that_fails(run: Run, synced: Path, option: str) -> None:
    url = "postgresql://me:s3cret@127.0.0.1:1/media"
    other = ["--to", "copy.db"] if option == "--from" else ["--from", str(synced)]
    ended = run("copy", option, url, *other, "--json")
    assert ended.code == 4
    assert ended.json["error"]["kind"] == "DatabaseUnreachable"
    assert "s3cret" not in ended.out + ended.err


def test_no_password_is_shown_by_a_copy_that_succeeds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def copied(_origin: str, _target: str, **_: object) -> CopyReport:
        return CopyReport({"people": 2}, {"people": 1}, {"people": 3})

    monkeypatch.setattr(command, "copy_mirror", copied)
    arguments = ("copy", "--from", "postgresql://me:s3cret@one/a", "--to", "postgresql://me:s3cret@two/b")
    for ended in (run(*arguments), run(*arguments, "--json")):
        assert ended.code == 0
        assert "two/b" in ended.out
        assert "s3cret" not in ended.out + ended.err


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    out = Output(as_json=False, debug=False)
    monkeypatch.setattr(out, "console", Console(file=screen, force_terminal=True, width=100))
    with command.telling(out) as tell:
        tell("media_items", 0, 4_000)
        tell("media_items", 1_200, 4_000)
        tell("comparing", 10, 20)
    shown = screen.getvalue()
    assert "comparing" in shown
    assert "10 of 20" in shown


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_the_next_goes_on(
    run: Run, synced: Path, number: signal.Signals, code: int
) -> None:
    stopping = (
        "import os, sys\n"
        "from mediasync import cli\n"
        "from mediasync.cli import copy as command\n"
        "real = command.copy_mirror\n"
        "def copying(origin, target, on_progress, **options):\n"
        "    def tell(what, done, total):\n"
        "        if what == 'media_items':\n"
        f"            os.kill(os.getpid(), {int(number)})\n"
        "    return real(origin, target, on_progress=tell, **options)\n"
        "command.copy_mirror = copying\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", stopping, "copy", "--from", str(synced), "--to", "copy.db", "--json"],
        capture_output=True,
        timeout=60,
        check=False,
        env=process_environment(),
    )
    assert done.returncode == code, done.stderr
    assert b"interrupted: what was copied stays; run the same command again to continue" in done.stderr
    assert b'"Interrupted"' in done.stdout
    went_on = run("copy", "--from", synced, "--to", "copy.db", "--json")
    assert went_on.code == 0
    assert went_on.json["unchanged"]["people"] > 0
    assert went_on.json["copied"]["sync_runs"] == 1


def test_the_command_is_the_function(run: Run, synced: Path) -> None:
    report = asyncio.run(copy_mirror(f"sqlite:///{synced}", "sqlite:///copy.db"))
    document = run("copy", "--from", synced, "--to", "copy.db", "--json").json
    assert document["rows"] == report.rows
    assert document["unchanged"] == report.copied


def test_help_teaches(run: Run) -> None:
    ended = run("copy", "--help")
    assert (ended.code, ended.err) == (0, "")
    for part in ("Examples", "Exit codes", "mediasync copy --from media.db --to", "--from", "--to"):
        assert part in ended.out
    assert cli.main(["copy", "-h"]) == 0
