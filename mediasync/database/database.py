"""The one owner of database connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeVar

from mediasync.aio import finish
from mediasync.database import schema
from mediasync.database.session import Dialect, Engine, NoPeopleCache, PeopleCache, Session
from mediasync.database.sqlite.engine import SQLiteEngine
from mediasync.errors import ConfigurationError, LifecycleError
from mediasync.gil import short_turns
from mediasync.reports import VacuumReport
from mediasync.settings.database import DatabaseOptions, sqlite_name
from mediasync.settings.distribution import install_command

T = TypeVar("T")

_PAUSE: Final = 0.0005


class State(Enum):
    """Where a database is in its life."""

    NEW = "not open yet: use it inside `async with`"
    OPENING = "being opened"
    OPEN = "open"
    CLOSING = "being closed"
    CLOSED = "closed: make a new one"


def system_clock() -> int:
    """Return the time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


class Database:
    """A database that is opened once, used from one event loop, and closed once.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``sqlite:///:memory:`` or
            ``postgresql://user:password@host/database``.
        options: timeouts, pools and caches.
        read_only: never write; the database must exist.
        upgrade: create a missing database, and upgrade an older one.
        keep_copy: SQLite only: make a copy beside the file before it is upgraded.
        clock: returns the time in milliseconds since 1970, UTC.
        people_cache: a cache for engines with one writer; by default none is kept.

    Raises:
        ConfigurationError: if the URL cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        options: DatabaseOptions | None = None,
        read_only: bool = False,
        upgrade: bool = True,
        keep_copy: bool = True,
        clock: Callable[[], int] = system_clock,
        people_cache: PeopleCache | None = None,
    ) -> None:
        self.options = options or DatabaseOptions()
        people_cache = people_cache or NoPeopleCache()
        self._engine = _make_engine(url, self.options, clock, read_only, upgrade, keep_copy, people_cache)
        self._state = State.NEW
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Future[None] | None = None
        self._reads = 0
        self._writes = 0
        self._transactions = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def state(self) -> State:
        """Where the database is in its life."""
        return self._state

    @property
    def dialect(self) -> Dialect:
        """How the engine expresses the SQL of the repositories."""
        return self._engine.dialect

    @property
    def writers(self) -> int:
        """How many transactions can write at once."""
        return self._engine.writers

    @property
    def has_concurrent_writers(self) -> bool:
        """Whether other transactions, also of other processes, write at the same time."""
        return self._engine.has_concurrent_writers

    @property
    def longest_wait(self) -> float:
        """The longest time, in seconds, that a transaction waited to begin."""
        return self._engine.longest_wait

    @property
    def upgraded_from(self) -> int | None:
        """The version of the schema that `open` has upgraded; None if it has upgraded nothing."""
        return self._engine.upgraded_from

    @property
    def kept_copy(self) -> Path | None:
        """The copy that `open` has made before an upgrade; None if it has made none."""
        return self._engine.kept_copy

    async def give_way(self) -> None:
        """Let threads and other tasks go on. Work that computes in the event loop calls it now and then.

        ``sleep(0)`` releases the GIL too briefly for a waiting thread to grab it, so this takes 0.5 ms while
        threads of this process read or write. It waits for `read_whole`, within bounds.
        """
        await self._engine.give_way()
        await asyncio.sleep(_PAUSE if self._engine.threaded and (self._reads or self._writes) else 0)

    async def open(self) -> None:
        """Connect, and create or upgrade the schema.

        Raises:
            LifecycleError: if it was opened before, or no asyncio event loop is running.
            DatabaseError: as its subclasses say.
        """
        if self._state is not State.NEW:
            raise LifecycleError(f"the database cannot be opened: it is {self._state.value}")
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            raise LifecycleError(
                "mediasync needs a running asyncio event loop, and there is none here; under trio, run it in "
                "a thread, with asyncio.run"
            ) from None
        self._state = State.OPENING
        try:
            await self._engine.open()
        except BaseException:
            self._state = State.CLOSED
            raise
        self._state = State.OPEN

    async def close(self) -> None:
        """Refuse new reads, wait up to ``close_timeout`` seconds for the running ones, and disconnect.

        Closing a database that is not open does nothing.

        Raises:
            LifecycleError: if it is called from another event loop.
        """
        if self._state is State.OPEN:
            self.check_loop()
            self._state = State.CLOSING
            self._closing = asyncio.ensure_future(self._close())
        if self._state is State.CLOSING and self._closing is not None:
            await finish(self._closing)

    def changes_made(self) -> int:
        """Return how many rows this object has inserted, updated and deleted, rolled back or not.

        A test that reads it before and after a call proves that the call wrote nothing.
        """
        return self._engine.changes_made()

    def transactions_begun(self) -> int:
        """Return how many transactions this object was asked to run, whether they succeeded or not.

        A test that reads it before and after a call knows how often the call tried to write.
        """
        return self._transactions

    def give_up_waiting(self) -> None:
        """Stop waiting for locks of other processes: a write that waits for one fails."""
        self._engine.give_up_waiting()

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(self.options.close_timeout):
                await self._idle.wait()
        except TimeoutError:
            # Closing the connections makes the reads that are still running fail with a clear error.
            pass
        finally:
            try:
                await self._engine.close()
            finally:
                self._state = State.CLOSED

    def check_open(self) -> None:
        """Raise `LifecycleError` unless the database is open and belongs to the running event loop."""
        if self._state is not State.OPEN:
            raise LifecycleError(f"the database is {self._state.value}")
        self.check_loop()

    def check_loop(self) -> None:
        """Raise `LifecycleError` unless the running event loop is the one that opened the database."""
        if asyncio.get_running_loop() is not self._loop:
            raise LifecycleError(
                "the database was opened in another event loop; open one in each loop that uses it"
            )

    @asynccontextmanager
    async def read(self, *, snapshot: bool = False) -> AsyncIterator[Session]:
        """Lend a session for reading.

        Args:
            snapshot: let all queries see the same state of the database. Needed for more than one query.

        Raises:
            LifecycleError: if the database is not open, or is used from another loop.
        """
        with self._reading():
            async with self._engine.read(snapshot=snapshot) as session:
                yield session

    @contextmanager
    def _reading(self) -> Iterator[None]:
        self.check_open()
        self._reads += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._reads -= 1
            if not self._reads:
                self._idle.set()

    async def read_whole(self, work: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """Run *work*, which reads by several statements and awaits nothing but the session it is given.

        On SQLite it runs in the thread of a connection, and other threads take shorter turns meanwhile. A
        process that saves has long steps of its event loop, and each statement would wait for one of them.
        Each statement sees a state of its own.

        Raises:
            LifecycleError: if the database is not open, or is used from another loop.
            DatabaseError: as its subclasses say.
        """
        with self._reading(), short_turns():
            return await self._engine.read_whole(work)

    @property
    def threaded(self) -> bool:
        """Whether `read_whole` uses a thread of this process."""
        return self._engine.threaded

    async def write(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run *work* in one transaction: committed if it returns, rolled back if it raises.

        Cancelling the caller does not interrupt the transaction; the cancellation is raised afterwards.

        Raises:
            LifecycleError: if the database is not open, or is used from another loop.
            DatabaseError: as its subclasses say.
        """
        with self._writing():
            self._transactions += 1
            return await self._engine.write(work)

    async def update_statistics(self) -> None:
        """Update the statistics of the query planner if the tables have grown much.

        Raises:
            LifecycleError: if the database is not open, or is used from another loop.
            DatabaseError: as its subclasses say.
        """
        with self._writing():
            await self._engine.update_statistics()

    async def find_version(self) -> int:
        """Return the version of the stored schema. This object cannot be opened afterwards.

        Raises:
            LifecycleError: if it was opened before.
            DatabaseMissing: if there is no database.
            SchemaError: if this program can neither use nor upgrade it.
            DatabaseError: as its other subclasses say.
        """
        if self._state is not State.NEW:
            raise LifecycleError(f"the database cannot be looked at: it is {self._state.value}")
        self._state = State.CLOSED
        return await self._engine.find_version()

    async def check_schema(self) -> None:
        """Check that the open database answers, and still has the schema of this version.

        Raises:
            LifecycleError: if the database is not open, or is used from another loop.
            SchemaError: if another program has changed the schema.
            DatabaseError: as its other subclasses say.
        """
        async with self.read() as session:
            rows = await session.fetch_all(schema.SELECT_VERSION)
        schema.needs_work(schema.stored_version(rows), 1, "the database", upgrade=False)

    async def copy_into(self, file: Path) -> bool:
        """Write a snapshot of the whole database into an empty SQLite file, if the engine can do that.

        Returns:
            Whether it did.

        Raises:
            LifecycleError: if the database is not open, or is used from another loop.
            DiskFull: if the disk has no room for it.
            DatabaseError: as its other subclasses say.
        """
        self.check_open()
        return await self._engine.copy_into(file)

    async def vacuum(self) -> VacuumReport:
        """Give unused space back, and update the statistics of the query planner.

        Raises:
            LifecycleError: if the database is not open, or is used from another loop.
            DatabaseError: as its subclasses say.
        """
        with self._writing():
            return await self._engine.vacuum()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.check_open()
        self._writes += 1
        try:
            yield
        finally:
            self._writes -= 1


def _make_engine(
    url: str,
    options: DatabaseOptions,
    clock: Callable[[], int],
    read_only: bool,
    upgrade: bool,
    keep_copy: bool,
    people_cache: PeopleCache,
) -> Engine:
    scheme, separator, _ = url.partition("://")
    if (name := sqlite_name(url)) is not None:
        if "?" in url or "#" in url:
            raise ConfigurationError(
                "a database URL must not contain '?' or '#': give options to MediaSync, and write %3F or %23 "
                "in a name"
            )
        return SQLiteEngine(
            name,
            options=options,
            clock=clock,
            read_only=read_only,
            upgrade=upgrade,
            keep_copy=keep_copy,
            people_cache=people_cache,
        )
    if separator and scheme in {"postgresql", "postgres"}:
        try:
            from mediasync.database.postgres.engine import PostgresEngine
        except ImportError as error:
            raise ConfigurationError(
                f"PostgreSQL needs a driver that is not installed: {install_command('postgres')}"
            ) from error
        return PostgresEngine(url, options=options, clock=clock, read_only=read_only, upgrade=upgrade)
    found = f", not with {scheme[:20]!r}" if separator else ""
    raise ConfigurationError(
        f"a database URL begins with sqlite:/// or postgresql://{found}: write sqlite:///media.db, "
        "sqlite:////full/path/media.db, sqlite:///:memory: or postgresql://user@host/database"
    )
