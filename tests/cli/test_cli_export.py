"""``mediasync export``: its answers, its exit codes, and what a killed one leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import Run, process_environment, write

from mediasync.exports.staging import MANIFEST

POSIX = pytest.mark.skipif(os.name == "nt", reason="it needs POSIX")


@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet", "nfo", "singer"])
def test_each_format_is_written_and_summed_up(run: Run, synced: Path, name: str) -> None:
    ended = run("export", "--format", name, "out")
    assert ended.code == 0, ended
    assert ended.out.splitlines()[-1].startswith("Written to out, up to change ")
    assert ended.err.splitlines()[0].startswith("mediasync: writing ")
    document = run("export", "-f", name, "out", "--force", "--json", "--quiet").json
    assert list(document) == ["format", "change", "rows", "left_out", "problems", "target"]
    assert document["format"] == name
    assert document["target"] == str(Path("out").absolute())
    kept = json.loads(Path("out", MANIFEST).read_text())
    assert {key: kept[key] for key in ("format", "change", "rows")} == {
        key: document[key] for key in ("format", "change", "rows")
    }
    assert sorted(os.listdir("out")) == sorted([*kept["entries"], MANIFEST])


def test_standard_output_holds_nothing_else(run: Run, synced: Path) -> None:
    ended = run("export", "-f", "jsonl", "--type", "movie", "-")
    assert ended.code == 0
    items = [json.loads(line) for line in ended.out.splitlines()]
    assert {item["media_type"] for item in items} == {"movie"}
    ended = run("export", "-f", "singer", "-")
    kinds = [json.loads(line)["type"] for line in ended.out.splitlines()]
    assert kinds[:2] == ["SCHEMA", "SCHEMA"]
    assert kinds[-1] == "STATE"
    assert run("export", "-f", "csv", "-").code == 2
    assert run("export", "-f", "jsonl", "-", "--json").code == 2


def test_an_export_goes_on_after_a_state(run: Run, synced: Path) -> None:
    first = run("export", "-f", "singer", "-").out
    for content in (first, first.splitlines()[-1], '{"change": 0}', '{\n  "change": 0\n}\n'):
        Path("state.json").write_text(content)
        ended = run("export", "-f", "singer", "-", "--state", "state.json")
        assert ended.code == 0, ended
        assert ended.out.splitlines()[-1] == first.splitlines()[-1]
        assert ("RECORD" in ended.out) is ('{"change": 0}' in content or "\n  " in content)
    for content, message in (("", "holds no"), ('{"change": true}', "holds no"), ("[1]", "holds no")):
        Path("state.json").write_text(content)
        ended = run("export", "-f", "singer", "-", "--state", "state.json")
        assert ended.code == 2
        assert message in ended.err
    missing = run("export", "-f", "singer", "-", "--state", "none.json")
    assert "Leave --state out for the first export" in missing.err
    assert run("export", "-f", "csv", "out", "--state", "state.json").code == 2
    assert run("export", "-f", "singer", "-", "--state", "state.json", "--since", "1").code == 2


def test_what_was_left_out_is_told(run: Run, synced: Path) -> None:
    assert run("export", "-f", "nfo", "out", "--type", "episode").code == 2
    assert run("export", "-f", "nfo", "out", "--source", "other").code == 2
    assert run("export", "-f", "nfo", "out", "--layout", "flat").code == 0


def test_a_refused_folder(run: Run, synced: Path) -> None:
    write(Path("full") / "mine.txt", "mine")
    ended = run("export", "-f", "csv", "full", "--force")
    assert ended.code == 2
    assert "holds other things than an export (mine.txt)" in ended.err
    write(Path("file"), "mine")
    assert run("export", "-f", "csv", "file").code == 2
    assert run("export", "-f", "csv", "file/below").code == 74


@POSIX
def test_a_killed_export_leaves_no_file_with_its_name(synced: Path, home: Path) -> None:
    code = (
        "import sys, time\n"
        "from mediasync.exports import csv_tables\n"
        "def wait(self, change):\n"
        "    print('waiting', file=sys.stderr, flush=True)\n"
        "    time.sleep(60)\n"
        "csv_tables.CsvWriter.finish = wait\n"
        "from mediasync.cli import main\n"
        "main(['export', '-f', 'csv', 'out', '--quiet'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, env=process_environment()
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "waiting\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    [left] = os.listdir("out")
    assert left.startswith(".mediasync-export-")


@POSIX
def test_a_reader_that_leaves_ends_it_quietly(synced: Path, home: Path) -> None:
    command = f"{sys.executable} -m mediasync export -f singer - --quiet"
    done = subprocess.run(
        ["/bin/sh", "-c", f"({command}; echo $? >&2) | head -1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=process_environment(),
    )
    assert json.loads(done.stdout)["type"] == "SCHEMA"
    assert "Traceback" not in done.stderr
