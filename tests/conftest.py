"""Fixtures for all tests: engines, a clock that only moves when told, an open mirror, and a watch for leaks.

Modules of helpers lie in ``tests/support`` and are imported as ``support.NAME``: pytest puts the folder of
this file on the path.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support.engines import ENGINES, SQLITE_MEMORY, Engine
from support.mirror import Clock, prepared

from mediasync import MediaSync

pytest_plugins = ["mediasync.pytest_plugin"]

settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long", deadline=None, max_examples=1_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

TESTS = Path(__file__).parent
LONG = (
    "test_benchmarks_smoke.py",
    "contract/test_engines_agree.py",
    "robustness/test_processes.py",
    "contract/test_stateful.py",
)
"""The longest come first: at the end one process would wait for another."""

NOT_COUNTED = (
    "docs",
    "robustness",
    "whole",
    "test_benchmarks_smoke.py",
    "contract/test_copy.py",
    "contract/test_engines_agree.py",
    "contract/test_groups_contract.py",
    "contract/test_server_faults.py",
    "contract/test_server_listings.py",
    "contract/test_server_recognition.py",
    "contract/test_stateful.py",
    "contract/test_sync_servers.py",
    "contract/test_transactions_at_once.py",
    "contract/test_values_contract.py",
    "backends/test_bounds.py",
    "backends/test_jellyfin_budget.py",
    "backends/test_jellyfin_faults.py",
    "backends/test_kodi_faults.py",
    "backends/test_nfo_limits.py",
    "backends/test_plex_faults.py",
)
"""Where the same code runs many times over, and others cover it: counting doubles the time of a test."""


def is_counted(item: pytest.Item) -> bool:
    """Tell whether the lines that a test runs are counted: of the two places of SQLite, those of one are."""
    parameters = (
        item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    )
    return not lies_in(item.path, NOT_COUNTED) and parameters.get("engine") is not SQLITE_MEMORY


def lies_in(path: Path, places: tuple[str, ...]) -> bool:
    """Tell whether a test's file is one of *places*, or in one of them."""
    return any(path.is_relative_to(TESTS / place) for place in places)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first."""
    items.sort(key=lambda item: not lies_in(item.path, LONG))


@pytest.fixture(autouse=True)
def not_counted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave a test out of the coverage if that would only slow it down."""
    if is_counted(request.node):
        yield
        return
    # The marker ``no_cover`` does not help: in a process of pytest-xdist a second measurement goes on.
    tracing, tracing_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    yield
    sys.settrace(tracing)
    threading.settrace(tracing_threads)  # type: ignore[arg-type]


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """Take the signals that a shell lets programs in the background ignore: their children would, too."""
    handlers = {signal.SIGINT: signal.default_int_handler}
    if hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = signal.SIG_DFL
    ignored = [number for number in handlers if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, handlers[number])
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn; every contract test runs on all of them."""
    return request.param


@pytest.fixture
def url(request: pytest.FixtureRequest, engine: Engine, tmp_path: Path) -> str:
    """The URL of a database that is not there yet; for `ms`, which opens it, its tables may be."""
    return (engine.new_mirror_url if "ms" in request.fixturenames else engine.new_url)(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a SQLite file that is not there yet."""
    return tmp_path / "media.db"


@pytest.fixture
def file_url(file: Path) -> str:
    """The URL of `file`."""
    return f"sqlite:///{file}"


@pytest.fixture
def clock(mediasync_clock: Clock) -> Clock:
    """A clock that stands still until a test moves it."""
    return mediasync_clock


@pytest.fixture
async def ms(url: str, clock: Clock) -> AsyncIterator[MediaSync]:
    """A mirror on a fresh database of each engine, with a source ``home`` and two libraries."""
    async with MediaSync(url, clock=clock) as mirror:
        yield await prepared(mirror)


@pytest.fixture
async def file_ms(file_url: str, clock: Clock) -> AsyncIterator[MediaSync]:
    """The same, always on the SQLite file `file`, for tests that look at it from a second connection."""
    async with MediaSync(file_url, clock=clock) as mirror:
        yield await prepared(mirror)


@pytest.fixture(autouse=True)
def no_leaks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After each test: no thread, no task and no open file of a database may be left."""
    threads = set(threading.enumerate())
    files = _database_files()
    tasks: list[asyncio.Task[object]] = []
    cancel_all_tasks = asyncio.runners._cancel_all_tasks  # type: ignore[attr-defined]

    def note_tasks(loop: asyncio.AbstractEventLoop) -> None:
        tasks.extend(asyncio.all_tasks(loop))
        cancel_all_tasks(loop)

    monkeypatch.setattr(asyncio.runners, "_cancel_all_tasks", note_tasks)
    yield
    left = [thread for thread in threading.enumerate() if thread not in threads]
    for thread in left:
        thread.join(timeout=2)
    assert not [thread for thread in left if thread.is_alive()], "threads are left"
    assert not tasks, "tasks were left when their event loop was closed"
    assert _database_files() <= files, "files of a database are still open"


def _database_files() -> set[tuple[str, str]]:
    """Return (descriptor, path) of each open file of a database, where the system tells them."""
    descriptors = Path("/proc/self/fd")
    found: set[tuple[str, str]] = set()
    for descriptor in descriptors.iterdir() if descriptors.is_dir() else ():
        try:
            path = os.readlink(descriptor)
        except OSError:
            continue
        if ".db" in Path(path).name:
            found.add((descriptor.name, path))
    return found
