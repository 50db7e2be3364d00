"""Workers that are stopped past their lease and let go on, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.engines import Engine
from support.mirror import rows

from mediasync import MediaSync, Movie, RunStatus
from mediasync.backends.base import Enumerated
from mediasync.errors import SourceHeld
from mediasync.testing import FakeBackend

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be stopped here")

LEASE_SECONDS = 3
WORKER = Path(__file__).with_name("paused_worker.py")


@contextmanager
def worker(url: str) -> Iterator[subprocess.Popen[str]]:
    """Start a worker, and yield it when it is in the middle of its sync."""
    pipe = subprocess.PIPE
    command = [sys.executable, str(WORKER), url, str(LEASE_SECONDS)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "began\n"
            yield process
        finally:
            process.kill()


def go_on(process: subprocess.Popen[str]) -> str:
    """Let a worker finish, and return how it ended."""
    process.send_signal(signal.SIGCONT)
    told, _ = process.communicate("!", timeout=60)
    return told.strip()


def films(*keys: str) -> FakeBackend:
    given = [Movie(remote_id=key, title=f"{key} of the other worker") for key in keys]
    return FakeBackend({"films": [*given, Enumerated(len(given))]})


@pytest.fixture
def url(engine: Engine, tmp_path: Path) -> str:
    if not engine.lasts:
        pytest.skip("two processes cannot share a database in memory")
    return engine.new_mirror_url(tmp_path)


async def test_a_worker_that_was_paused_past_its_lease_writes_nothing_more(url: str) -> None:
    async with MediaSync(url) as ms:
        with worker(url) as paused:
            paused.send_signal(signal.SIGSTOP)
            with pytest.raises(SourceHeld, match=f"process {paused.pid} of"):
                await ms.sync(films("1", "4"), wait_if_busy=0)
            report = await ms.sync(films("1", "4"), wait_if_busy=60)
            assert report.saved == 2
            assert go_on(paused) == "LeaseLost"
        assert await rows(ms, "SELECT title FROM media_items ORDER BY id") == [
            ("1 of the other worker",),
            ("4 of the other worker",),
        ]
        assert [run.status for run in await ms.list_runs()] == [RunStatus.SUCCEEDED, RunStatus.INTERRUPTED]
        assert (await ms.check()).flaws == ()


async def test_a_worker_that_was_paused_for_less_than_its_lease_goes_on(url: str) -> None:
    async with MediaSync(url) as ms:
        with worker(url) as paused:
            paused.send_signal(signal.SIGSTOP)
            assert go_on(paused) == "saved 3"
        assert [run.status for run in await ms.list_runs()] == [RunStatus.SUCCEEDED]


async def test_a_worker_that_was_killed_is_replaced_at_once_on_its_machine(url: str) -> None:
    async with MediaSync(url) as ms:
        with worker(url) as killed:
            killed.kill()
            killed.wait()
            [run] = await ms.list_runs()
            report = await ms.sync(films("1", "4"), wait_if_busy=0)
        assert report.saved == 2
        assert (await ms.find_run(run.id)).status is RunStatus.INTERRUPTED  # type: ignore[union-attr]
