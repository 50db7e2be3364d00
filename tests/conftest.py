"""Fixtures for all tests: engines, a clock that stands still, an open mirror, and a check for leaks.

Helper modules are in ``tests/support`` and are imported as ``support.NAME``: pytest puts the folder of this
file on the path. CONTRIBUTING.md says what the markers mean.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import signal
import sys
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from support.engines import ENGINES, POSTGRES, SQLITE_FILE, SQLITE_MEMORY, Engine
from support.mirror import Clock, prepared

import mediasync
from mediasync import MediaSync

pytest_plugins = ["mediasync.pytest_plugin"]

HERE: Final = Path(__file__).parent

MEASURED_ONCE: Final = {"contract", "schema", "signing_in", "web"}
"""Folders whose tests have parameters that repeat a promise. Those of the other folders reach other lines."""

SURROUNDINGS: Final = {"client", "heard", "home", "jellyfin", "place", "proxy", "server"}
"""Fixtures that run a test again with another server, host or version. Each has tests of its own."""

settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "long", deadline=None, max_examples=1_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let more be tried than by default."""
    parser.addoption(
        "--simulation-seeds", type=int, default=40, metavar="N", help="how many simulated histories are tried"
    )
    parser.addoption(
        "--model-steps",
        type=int,
        default=3_000,
        metavar="N",
        help="how many steps the model is compared with",
    )
    parser.addoption(
        "--every-step",
        action="store_true",
        help="cancel at every step in every way; by default the ways share the steps among them",
    )
    parser.addoption(
        "--recipes-credits",
        type=int,
        default=10_000,
        metavar="N",
        help="how many credits the library has in which the recipes of plain SQL run",
    )


def parameter(item: pytest.Item, name: str) -> object:
    """Return one parameter of a test, or None if it has no such parameter."""
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        return item.callspec.params.get(name)
    return None


def is_counted(item: pytest.Item) -> bool:
    """Return whether coverage is measured in a test.

    Measuring doubles the time of a test. So it is not measured in tests that run the same lines as others:
    slow ones, property tests, those on SQLite in memory and on PostgreSQL, each of which also runs on a
    SQLite file, and those that run again with another server, host or version. Tests of PostgreSQL alone are
    measured. In the rooms of `MEASURED_ONCE`, each test is measured with its first parameters only.
    """
    function = getattr(item, "obj", None)
    return (
        item.get_closest_marker("slow") is None
        and not getattr(function, "is_hypothesis_test", False)
        and parameter(item, "engine") not in (SQLITE_MEMORY, POSTGRES)
        and not _is_repeated(item)
    )


def _is_repeated(item: pytest.Item) -> bool:
    """Return whether the same lines run in the same test with earlier parameters."""
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return False
    once = item.path.relative_to(HERE).parts[0] in MEASURED_ONCE
    return any(
        place > 0 and (once or name in SURROUNDINGS)
        for name, place in item.callspec.indices.items()
        if name != "engine"
    )


def is_needless_pair(item: pytest.Item) -> bool:
    """Return whether a test combines a further server with a further engine.

    What a backend reads depends on the server, and what is stored of it on the engine. So each server is read
    into a SQLite file, the first one into every engine.
    """
    return parameter(item, "engine") in (SQLITE_MEMORY, POSTGRES) and any(
        name in SURROUNDINGS and place > 0
        for name, place in item.callspec.indices.items()  # type: ignore[attr-defined]
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs on PostgreSQL, and put slow tests first: no process waits for one at the end."""
    needless = [item for item in items if is_needless_pair(item)]
    if needless:
        config.hook.pytest_deselected(items=needless)
        items[:] = [item for item in items if not is_needless_pair(item)]
    for item in items:
        if parameter(item, "engine") is POSTGRES:
            item.add_marker(pytest.mark.postgres)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@contextmanager
def unmeasured() -> Iterator[None]:
    """Switch the measurement of coverage off.

    pytest-cov's marker ``no_cover`` is not enough: in a worker of pytest-xdist a second measurement runs.
    """
    tracing, tracing_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        yield
    finally:
        sys.settrace(tracing)
        threading.settrace(tracing_threads)  # type: ignore[arg-type]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without measuring, which would take half as long again."""
    import_all()
    with unmeasured():
        return (yield)


def import_all() -> None:
    """Import what the package imports only when it is needed, before measuring is switched off.

    Otherwise the lines that define it are not counted, whichever test runs them.
    """
    if sys.gettrace() is None:
        return
    for module in pkgutil.walk_packages(mediasync.__path__, "mediasync."):
        if not module.name.endswith(("__main__", ".dlt")):  # dlt takes seconds, and one test
            importlib.import_module(module.name)


@pytest.fixture(autouse=True)
def not_counted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Switch the measurement of coverage off for a test that is not counted."""
    if is_counted(request.node):
        yield
        return
    with unmeasured():
        yield


@pytest.fixture
def measured_processes(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure coverage in the processes that a test starts as well, if it is measured in the test.

    It takes a process half a second more, so only tests of what has no other tests ask for it.
    """
    if sys.gettrace() is None:
        return
    data = pytestconfig.rootpath / os.environ.get("COVERAGE_FILE", ".coverage")
    monkeypatch.setenv("COVERAGE_FILE", str(data))
    monkeypatch.setenv("COVERAGE_PROCESS_START", str(pytestconfig.rootpath / "pyproject.toml"))


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """Restore signals that a shell made this process ignore; programs that the tests start inherit them."""
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
def url(request: pytest.FixtureRequest, engine: Engine, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that does not exist yet; where `ms` opens it, its tables may exist."""
    made = (engine.new_mirror_url if "ms" in request.fixturenames else engine.new_url)(tmp_path)
    yield made
    engine.drop(made)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a SQLite file that does not exist yet."""
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
async def file_ms(tmp_path: Path, clock: Clock) -> AsyncIterator[MediaSync]:
    """A mirror on the SQLite file `file`, for tests that open a second connection to it."""
    async with MediaSync(SQLITE_FILE.new_mirror_url(tmp_path), clock=clock) as mirror:
        yield await prepared(mirror)


@pytest.fixture(autouse=True)
def no_leaks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check after each test that no thread, task or open database file is left."""
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
    """Return (descriptor, path) of each open database file, on systems that list them."""
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
