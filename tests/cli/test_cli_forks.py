"""The stand-in that starts the command line by a fork acts as a new process does."""

from __future__ import annotations

import json
import select
import signal
import subprocess
from pathlib import Path

import pytest
from cli_runs import Run, process_environment
from support import forked

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not forked.IS_POSSIBLE, reason="this system has no pidfd_open"),
]


def test_output_and_exit_code_are_those_of_a_new_process(run_fork: Run, run_process: Run) -> None:
    for words in (["--version"], ["status", "--database", "none.db"], ["no-such-command"]):
        forked_one, new_one = run_fork(*words), run_process(*words)
        assert forked_one == new_one, words


def test_it_runs_in_the_folder_and_environment_of_its_caller(
    program: list[str], library: Path, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    done = subprocess.run(
        [*program, "sync", f"nfo:{library}"],
        cwd=tmp_path / "here",
        env=process_environment({"MEDIASYNC_DATABASE": "sqlite:///of-the-environment.db"}),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here" / "of-the-environment.db").is_file()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_fork_ends_when_the_stand_in_is_killed(
    program: list[str], run_fork: Run, library: Path, tmp_path: Path, number: signal.Signals
) -> None:
    database = tmp_path / "media.db"
    assert run_fork("sync", f"nfo:{library}", "--database", str(database)).code == 0
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    command = [*program, "mcp", "--database", str(database)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=process_environment()
    ) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        started.stdin.write(json.dumps(hello).encode() + b"\n")
        started.stdin.flush()
        assert json.loads(started.stdout.readline())["id"] == 1
        started.send_signal(number)
        assert started.wait(30) == -number
        ready, _, _ = select.select([started.stdout], [], [], 30)
        assert ready, "the fork still holds its output"
        assert started.stdout.read() == b""
