"""The worker in the docs as a process: it stops cleanly, and one bad source does not stop the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docs_pages
import pytest
from docs_pages import DOCS, ROOT

from mediasync import MediaSync, RunStatus

pytestmark = pytest.mark.slow

PAGE = DOCS / "how-to" / "run-a-sync-worker.md"
POSIX = pytest.mark.skipif(os.name == "nt", reason="it needs signals of POSIX")

STUCK = """
import sys
import worker
from cli_backends import StuckBackend
worker.SOURCES = [StuckBackend("stuck")]
import asyncio
asyncio.run(worker.main())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with the program of the page."""
    [block] = [block for block in docs_pages.blocks(PAGE) if block.title == "worker.py"]
    (tmp_path / "worker.py").write_text(block.text, encoding="utf-8")
    return tmp_path


@contextmanager
def worker(folder: Path, *arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Run the worker, and finally kill it if it is still running."""
    paths = os.pathsep.join(map(str, (folder, ROOT, ROOT / "tests" / "cli")))
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, **environ},
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], text: str) -> list[str]:
    """Return the lines that a process wrote to standard error, up to one with a text in it."""
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError("".join(lines))


async def statuses(folder: Path) -> list[tuple[str, RunStatus]]:
    """Return how the recorded runs ended, the newest first."""
    async with MediaSync(f"sqlite:///{folder}/media.db", read_only=True) as ms:
        assert (await ms.check()).flaws == ()
        return [(run.source_id, run.status) for run in await ms.list_runs()]


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_in_order_in_the_middle_of_a_sync(folder: Path, number: signal.Signals) -> None:
    with worker(folder, "-c", STUCK) as process:
        wait_for(process, "STUCK")
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (0, "")
    assert await statuses(folder) == [("stuck", RunStatus.CANCELLED)]


@POSIX
async def test_it_ends_in_order_between_two_syncs_and_a_bad_source_fails_alone(folder: Path) -> None:
    program = folder / "worker.py"
    sources = f'SOURCES = ["home=plex+http://127.0.0.1:1", "films=nfo:{ROOT}/examples/library"]'
    text = program.read_text(encoding="utf-8")
    program.write_text(text.replace('SOURCES = ["films=nfo:examples/library"]', sources), encoding="utf-8")
    with worker(folder, "worker.py", MEDIASYNC_HOME_TOKEN_FILE="/not/there") as process:
        lines = wait_for(process, "INFO films: ")
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (0, "")
    assert await statuses(folder) == [("films", RunStatus.SUCCEEDED)]
    assert "films: 34 seen, 34 saved, 0 unchanged, 0 failed" in lines[-1]
    [warning] = [line for line in lines if "WARNING" in line]
    assert "home: not synced: MEDIASYNC_HOME_TOKEN_FILE: '/not/there' cannot be read" in warning
