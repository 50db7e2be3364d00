"""SQLite: one connection that writes, and a pool of open connections that read.

`databases` gives every task a connection of its own and begins deferred transactions, so concurrent writers
fail with "database is locked" when a transaction that has read begins to write. Here one connection writes,
always with ``BEGIN IMMEDIATE``. The others only read, each time in one statement or one snapshot.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from mediasync.aio import finish
from mediasync.database import schema
from mediasync.database.session import PeopleCache, Session
from mediasync.database.sqlite.connection import HIGHEST_KEY, SQLiteConnection, SQLiteSession, WriterCache
from mediasync.database.sqlite.dialect import MINIMUM_VERSION, SQLiteDialect
from mediasync.errors import (
    DatabaseCorrupt,
    DatabaseError,
    DatabaseLocked,
    DatabaseMissing,
    DatabaseReadOnly,
    DiskFull,
    LifecycleError,
)
from mediasync.gil import RightOfWay
from mediasync.reports import VacuumReport
from mediasync.settings.database import IN_MEMORY, DatabaseOptions

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)


# SQLite's busy handler is unfair: a process that writes group after group starves the others. So a waiting
# process polls often, and a writing process pauses for longer than the longest interval of such a poll
# (SQLite waits 1, 2 and 5 ms): after each group while other processes write, else now and then, to notice
# them.
_GAP: Final = 0.008
_CONTENDED_FOR: Final = 2.0
_HELD_BEFORE_GAP: Final = 0.25

_WAL_PAGES: Final = 10_000
_READER_PATIENCE: Final = "busy_timeout = 5000"
_CHECKPOINT_PATIENCE: Final = "busy_timeout = 500"

_VERSION: Final = """
SELECT (SELECT count(*) FROM sqlite_master) AS tables,
       (SELECT count(*) = 5 FROM sqlite_master WHERE type = 'table'
        AND name IN ('schema_version', 'source', 'media_item', 'person', 'credit')) AS has_version
"""
_ANALYSED_AT_ALL: Final = "SELECT count(*) AS found FROM sqlite_master WHERE name = 'sqlite_stat1'"
_ANALYSED: Final = """
SELECT coalesce(sum(rows), 0) AS rows
FROM (
    SELECT max(CAST(stat AS integer)) AS rows FROM sqlite_stat1
    WHERE tbl IN ('media_item', 'person') GROUP BY tbl
)
"""
# With a limit, ANALYZE does not read whole indexes and takes a few milliseconds.
_ANALYZE: Final = ("PRAGMA analysis_limit = 1000", "ANALYZE")
_WORTH_ANALYZING: Final = 1_000
_USED: Final = """
SELECT (p.page_count - f.freelist_count) * s.page_size AS used, p.page_count * s.page_size AS size
FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s
"""
_TEMPORARY_FOLDERS: Final = ("/var/tmp", "/usr/tmp", "/tmp", ".")  # noqa: S108  (where SQLite looks)
_VIEWS: Final = "SELECT name FROM sqlite_master WHERE type = 'view'"


class SQLiteEngine:
    """The connections to one SQLite file, or to one database in memory.

    Args:
        path: the file, or ``:memory:``.
        options: timeouts, pools and caches.
        clock: returns the time in milliseconds since 1970, UTC.
        read_only: never write; the file must exist.
        upgrade: create a missing database, and upgrade an older one.
        keep_copy: make a copy beside the file before it is upgraded.
        people_cache: the cache that sessions for writing get.
    """

    writers: Final = 1
    threaded: Final = True
    has_concurrent_writers: Final = False

    def __init__(
        self,
        path: str,
        *,
        options: DatabaseOptions,
        clock: Callable[[], int],
        read_only: bool,
        upgrade: bool,
        keep_copy: bool,
        people_cache: PeopleCache,
    ) -> None:
        self._in_memory = path == IN_MEMORY
        self._reader_mode = "rw"
        self._path = path if self._in_memory else str(Path(path).absolute())
        self._subject = f"database {path}"
        self._options = options
        self._clock = clock
        self._read_only = read_only
        self._upgrade = upgrade
        self._keep_copy = keep_copy
        self.upgraded_from: int | None = None
        self.kept_copy: Path | None = None
        self.dialect = SQLiteDialect()
        self._writer: SQLiteConnection | None = None
        self._readers: list[SQLiteConnection] = []
        self._free: asyncio.LifoQueue[SQLiteConnection] = asyncio.LifoQueue()
        self._turn = asyncio.Lock()
        self._way = RightOfWay()
        self._contended_until = 0.0
        self._held = 0.0
        self._data_version = -1
        self._cache = WriterCache(people_cache)
        self._gives_up = False
        self._file: tuple[int, int] | None = None
        self.longest_wait = 0.0

    # Opening and closing

    async def open(self) -> None:
        """Connect, and bring the schema up to date.

        Raises:
            DatabaseError: as its subclasses say.
        """
        if sqlite3.sqlite_version_info < MINIMUM_VERSION:
            raise DatabaseError(
                f"SQLite {sqlite3.sqlite_version} is too old: mediasync needs "
                f"{'.'.join(map(str, MINIMUM_VERSION))} or newer"
            )
        self._check_file()
        try:
            if self._read_only:
                await self._open_read_only()
            else:
                self._make_file()
                self._writer = await self._connect(
                    "rwc" if self._upgrade else "rw", self._writer_pragmas(), writes=True
                )
                await self._prepare(self._writer)
            await self._open_readers()
            self._file = self._find_file()
        except BaseException:
            await self.close()
            raise

    def _check_file(self) -> None:
        if self._in_memory:
            if self._read_only or not self._upgrade:
                raise DatabaseMissing("a database in memory is always new: there is nothing to read in it")
            return
        path = Path(self._path)
        if path.is_dir():
            raise DatabaseError(f"{self._subject} is a folder; give the name of a file in it")
        if not path.exists():
            if self._read_only or not self._upgrade:
                raise DatabaseMissing(f"{self._subject} does not exist; run `mediasync sync` to create it")
            if not path.parent.is_dir():
                raise DatabaseMissing(
                    f"{self._subject}: the folder {path.parent} does not exist; create it first"
                )

    def _make_file(self) -> None:
        """Create a missing file with the permissions that were asked for. SQLite gives its log the same."""
        if self._in_memory or not self._upgrade:
            return
        mode = self._options.file_mode
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))
            os.chmod(self._path, mode)  # whatever the umask is
        except FileExistsError:
            return
        except OSError as error:
            raise DatabaseError(f"{self._subject}: the file cannot be created: {error.strerror}") from error

    def _uri(self, mode: str) -> str:
        return "file::memory:" if self._in_memory else f"file:{quote(self._path)}?mode={mode}"

    def _writer_pragmas(self) -> tuple[str, ...]:
        return (
            f"cache_size = -{self._options.writer_cache_kib}",
            f"synchronous = {self._options.synchronous}",
            f"wal_autocheckpoint = {_WAL_PAGES}",
        )

    async def _connect(
        self, mode: str, pragmas: tuple[str, ...], *, writes: bool = False
    ) -> SQLiteConnection:
        """Open a connection, and retry while other processes create or recover the file."""
        deadline = self._deadline()
        while True:
            connection = SQLiteConnection(self._uri(mode), self._subject, self.dialect, writes=writes)
            try:
                await connection.open(pragmas)
            except BaseException as error:
                await connection.close()
                if not isinstance(error, DatabaseLocked) or asyncio.get_running_loop().time() > deadline:
                    raise
            else:
                return connection
            await asyncio.sleep(random.uniform(0.001, 0.02))  # noqa: S311

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + max(self._options.lock_timeout, 5.0)

    async def _open_readers(self) -> None:
        if self._in_memory:
            return
        pragmas = (
            _READER_PATIENCE,
            f"cache_size = -{self._options.reader_cache_kib}",
            "query_only = ON",
        )
        while len(self._readers) < self._options.readers:
            reader = await self._connect(self._reader_mode, pragmas)
            self._readers.append(reader)
            self._free.put_nowait(reader)

    async def _open_read_only(self) -> None:
        version, tables = await self._look()
        schema.needs_work(version, tables, self._subject, upgrade=False)

    async def find_version(self) -> int:
        """Return the version of the stored schema. It is called instead of `open`, and writes nothing.

        Raises:
            DatabaseMissing: if there is no database.
            SchemaError: if this program can neither use nor upgrade it.
            DatabaseError: as its other subclasses say.
        """
        self._check_file()
        return schema.check_version(*await self._look(), self._subject)

    async def _look(self) -> tuple[int | None, int]:
        """Choose how the file is opened for reading, and return its version and its number of tables."""
        self._reader_mode = "ro"
        try:
            return await self._probe()
        except (DatabaseLocked, DatabaseCorrupt):
            raise
        except DatabaseError:
            # In a read-only folder, SQLite opens a WAL database only as an immutable one. Without a log
            # beside the file, no process writes to it.
            if Path(self._path + "-wal").exists():
                raise
            self._reader_mode = "ro&immutable=1"
            return await self._probe()

    async def _probe(self) -> tuple[int | None, int]:
        probe = await self._connect(self._reader_mode, (_READER_PATIENCE,))
        try:
            return await self._version(probe)
        finally:
            await probe.close()

    async def _version(self, connection: SQLiteConnection) -> tuple[int | None, int]:
        [(tables, has_version)] = await connection.rows(_VERSION)
        if not has_version:
            return None, tables
        try:
            found = await connection.rows(schema.SELECT_VERSION)
        except (DatabaseLocked, DatabaseCorrupt):
            raise
        except DatabaseError:
            return None, tables
        return schema.stored_version(found), tables

    async def _prepare(self, writer: SQLiteConnection) -> None:
        """Switch to WAL and bring the schema up to date, retried while other processes do the same."""
        deadline = self._deadline()
        while True:
            try:
                version, tables = await self._version(writer)
                work = schema.needs_work(version, tables, self._subject, upgrade=self._upgrade)
                if not self._in_memory:
                    [(mode,)] = await writer.rows("PRAGMA journal_mode = WAL")
                    if mode != "wal":
                        raise DatabaseError(
                            f"{self._subject}: this file system cannot hold a write-ahead log; "
                            "put the database on a local disk"
                        )
                if work:
                    await finish(self._create_or_upgrade(writer, version))
            except DatabaseLocked:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(random.uniform(0.001, 0.02))  # noqa: S311
            else:
                return

    async def _create_or_upgrade(self, writer: SQLiteConnection, version: int | None) -> None:
        copy: Path | None = None
        await writer.run("PRAGMA foreign_keys = OFF")
        try:
            await writer.run("BEGIN IMMEDIATE")
            session = SQLiteSession(writer, self.dialect, self._clock())
            version, tables = await self._version(writer)
            if schema.needs_work(version, tables, self._subject, upgrade=self._upgrade):
                if version is None:
                    await schema.create(session)
                else:
                    copy = await self._copy(version) if self._keep_copy else None
                    views = [name for (name,) in await writer.rows(_VIEWS)]
                    await schema.upgrade(session, version, views)
                    if broken := await writer.rows("PRAGMA foreign_key_check"):
                        raise DatabaseCorrupt(
                            f"{self._subject}: {len(broken)} rows refer to rows that do not exist; "
                            "it was not upgraded, and nothing was changed"
                        )
            await writer.run("COMMIT")
        except BaseException:
            if copy is not None:
                copy.unlink(missing_ok=True)
            await self._roll_back(writer)
            raise
        else:
            self.upgraded_from = version
            if copy is not None:
                self.kept_copy = self._name_copy(copy)
        finally:
            await writer.run("PRAGMA foreign_keys = ON")

    async def _copy(self, version: int) -> Path:
        """Copy the database to a file beside it, while the caller's transaction blocks all other writers.

        The copy gets its final name when the upgrade is committed. If the upgrade fails, the copy is removed.
        If the process is killed, the next upgrade overwrites the copy, so at most one is left.
        """
        partial = Path(f"{self._path}.schema-{version}.backup.partial")
        partial.unlink(missing_ok=True)
        try:
            make_empty_file(partial, os.stat(self._path).st_mode & 0o777)
        except OSError as error:
            raise DatabaseError(
                f"{self._subject} was not upgraded: no copy can be made beside it ({error.strerror})"
            ) from error
        try:
            await self._vacuum_into(partial, "rw")
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return partial

    async def _vacuum_into(self, file: Path, mode: str) -> None:
        """Write a snapshot into an empty file, and see that it is on the disk."""
        reader = await self._connect(mode, (_READER_PATIENCE,))
        try:
            [(used, _)] = await reader.rows(_USED)
            _check_room(file.parent, used, f"a copy of {self._subject}")
            await reader.run("VACUUM INTO :file", {"file": str(file)})
        except BaseException:
            await reader.interrupt()
            raise
        finally:
            await reader.close()
        await asyncio.to_thread(_sync_to_disk, file)

    def _name_copy(self, partial: Path) -> Path:
        copy, number = partial.with_suffix(""), 0
        while copy.exists():
            number += 1
            copy = partial.with_suffix("").with_suffix(f".{number}.backup")
        try:
            partial.rename(copy)
        except OSError as error:
            _LOG.warning(
                "%s was upgraded; the copy of the old one keeps the name %s (%s)",
                self._subject,
                partial,
                error,
            )
            return partial
        return copy

    async def close(self) -> None:
        """Close all connections. An open transaction is finished first; running reads are interrupted."""
        await finish(self._close())

    async def _close(self) -> None:
        async with AsyncExitStack() as stack:
            if self._writer is not None:
                # Closed last: only a connection that may write can move the log into the file.
                stack.push_async_callback(self._writer.close)
                self._writer = None
            for reader in self._readers:
                stack.push_async_callback(reader.close)
                stack.push_async_callback(reader.interrupt)
            self._readers.clear()

    # Reading

    def read(self, *, snapshot: bool = False) -> AbstractAsyncContextManager[Session]:
        """Lend a connection for reading.

        Args:
            snapshot: let all queries see the same state of the database. Needed for more than one query.
        """
        return self._lend(snapshot=snapshot)

    @asynccontextmanager
    async def _lend(self, *, snapshot: bool) -> AsyncIterator[SQLiteSession]:
        if self._in_memory:
            async with self._turn:
                if self._writer is None:
                    raise LifecycleError("the database is closed")
                yield SQLiteSession(self._writer, self.dialect, self._clock())
            return
        self._check_same_file("read")
        reader = await self._free.get()
        clean = not snapshot
        try:
            if snapshot:
                await reader.run("BEGIN")
            yield SQLiteSession(reader, self.dialect, self._clock())
        except BaseException:
            clean = False
            await reader.interrupt()
            raise
        finally:
            if clean:
                self._free.put_nowait(reader)
            else:
                await finish(self._release(reader))

    async def read_whole(self, work: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """Run *work* in the thread of a connection, which waits for the event loop only once."""
        async with self._lend(snapshot=False) as session:
            with self._way.take():
                return await session.in_thread(work)

    async def give_way(self) -> None:
        """Wait a moment if `read_whole` needs the GIL."""
        await self._way.give()

    async def _release(self, reader: SQLiteConnection) -> None:
        try:
            with suppress(LifecycleError):
                if await reader.settled():
                    await reader.run("ROLLBACK")
        finally:
            self._free.put_nowait(reader)

    # Writing

    async def write(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run *work* in one transaction: committed if it returns, rolled back if it raises.

        Cancellation interrupts neither *work* nor begin, commit and rollback.

        Raises:
            DatabaseLocked: if another process held the lock for longer than ``lock_timeout``.
            DatabaseReadOnly: if the database was opened for reading only.
        """
        return await finish(self._write(work))

    async def _write(self, work: Callable[[Session], Awaitable[T]]) -> T:
        if self._writer is None:
            raise DatabaseReadOnly(f"{self._subject} was opened for reading only")
        writer = self._writer
        async with self._turn:
            clock = asyncio.get_running_loop().time
            began = None
            try:
                await self._begin(writer)
                began = clock()
                result = await work(
                    SQLiteSession(writer, self.dialect, self._clock(), self._cache, self._way.give)
                )
                await writer.run("COMMIT")
            except BaseException:
                self._cache.clear()
                await finish(self._roll_back(writer))
                raise
            finally:
                if began is not None:
                    self._held += clock() - began
            return result

    def _find_file(self) -> tuple[int, int] | None:
        try:
            status = None if self._in_memory else os.stat(self._path)
        except OSError:
            status = None
        return status and (status.st_dev, status.st_ino)

    def _check_same_file(self, what: str) -> None:
        if self._find_file() != self._file:
            raise DatabaseMissing(
                f"{self._subject}: the file was deleted or replaced while it was open, so nothing more can "
                f"be {what}; close the database and open it again"
            )

    async def _begin(self, writer: SQLiteConnection) -> None:
        self._check_same_file("saved")
        clock = asyncio.get_running_loop().time
        began = clock()
        if began < self._contended_until or self._held > _HELD_BEFORE_GAP:
            self._held = 0.0
            if not self._in_memory:
                await asyncio.sleep(_GAP)
        while True:
            try:
                await writer.run("BEGIN IMMEDIATE")
            except DatabaseLocked as error:
                waited = clock() - began
                self._contended_until = clock() + _CONTENDED_FOR
                if self._gives_up:
                    raise LifecycleError(
                        f"{self._subject} was closed while this waited for another process that holds the "
                        "write lock; nothing of it is stored"
                    ) from error
                if waited > self._options.lock_timeout:
                    raise DatabaseLocked(
                        f"{self._subject}: another process has held the write lock for "
                        f"{waited:.0f} s; end it, or raise lock_timeout"
                    ) from error
                await asyncio.sleep(random.uniform(0, 0.002))  # noqa: S311
            else:
                break
        self.longest_wait = max(self.longest_wait, clock() - began)
        [(version,)] = await writer.rows("PRAGMA data_version")
        if self._data_version not in (-1, version):
            self._contended_until = clock() + _CONTENDED_FOR
            self._cache.clear()
        self._data_version = version
        if not self._cache.next_key:
            [(highest,)] = await writer.rows(HIGHEST_KEY)
            self._cache.next_key = highest + 1

    async def update_statistics(self) -> None:
        """Analyse the tables if the items and people have doubled since that was done last."""

        async def work(session: Session) -> None:
            [(highest,)] = await session.fetch_all(HIGHEST_KEY)
            if highest < _WORTH_ANALYZING:
                return
            [(analysed_at_all,)] = await session.fetch_all(_ANALYSED_AT_ALL)
            if analysed_at_all:
                [(rows,)] = await session.fetch_all(_ANALYSED)
                if highest < 2 * rows:
                    return
            for statement in _ANALYZE:
                await session.execute(statement)

        await self.write(work)

    # The file as a whole

    async def copy_into(self, file: Path) -> bool:
        """Write a snapshot of the whole database into an empty SQLite file.

        ``VACUUM INTO`` reads in one snapshot, so other processes may write meanwhile.

        Raises:
            DiskFull: if the disk has no room for it.
            DatabaseError: as its other subclasses say.
        """
        if not self._in_memory:
            self._check_same_file("read")
            await self._vacuum_into(file, self._reader_mode)
            return True
        async with self._turn:
            if self._writer is None:
                raise LifecycleError("the database is closed")
            await finish(self._writer.run("VACUUM INTO :file", {"file": str(file)}))
        await asyncio.to_thread(_sync_to_disk, file)
        return True

    async def vacuum(self) -> VacuumReport:
        """Write the database anew without unused pages, analyse it, and empty its write-ahead log.

        Raises:
            DatabaseLocked: if another process held the write lock for longer than ``lock_timeout``.
            DatabaseReadOnly: if the database was opened for reading only.
            DiskFull: if the disk has no room for a second copy.
        """
        if self._writer is None:
            raise DatabaseReadOnly(f"{self._subject} was opened for reading only")
        async with self._turn:
            if self._in_memory:
                return await finish(self._vacuum_in_memory(self._writer))
            self._check_same_file("saved")
            return await self._vacuum_file()

    async def _vacuum_in_memory(self, writer: SQLiteConnection) -> VacuumReport:
        [(_, before)] = await writer.rows(_USED)
        for statement in ("VACUUM", *_ANALYZE):
            await writer.run(statement)
        [(_, after)] = await writer.rows(_USED)
        return VacuumReport(before, after)

    async def _vacuum_file(self) -> VacuumReport:
        before = self._bytes() + self._log_bytes()
        patience = f"busy_timeout = {round(self._options.lock_timeout * 1000)}"
        # All other connections keep temporary tables in memory; this one's is as large as the database.
        vacuuming = await self._connect("rw", ("temp_store = FILE", patience))
        try:
            [(used, _)] = await vacuuming.rows(_USED)
            self._check_room_to_vacuum(used)
            for statement in ("VACUUM", *_ANALYZE):
                await vacuuming.run(statement)
            await vacuuming.rows(f"PRAGMA {_CHECKPOINT_PATIENCE}")
            await vacuuming.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        except BaseException:
            await vacuuming.interrupt()
            raise
        finally:
            await vacuuming.close()
        return VacuumReport(before, self._bytes() + self._log_bytes(), self._log_bytes())

    def _check_room_to_vacuum(self, used: int) -> None:
        """Check that there is room for a temporary copy, and for the log through which it is written back."""
        folder, temporary = Path(self._path).parent, _temporary_folder()
        what = f"{self._subject} to be written anew; nothing was changed"
        if os.stat(folder).st_dev == os.stat(temporary).st_dev:
            _check_room(folder, 2 * used, what)
            return
        _check_room(folder, used, what)
        _check_room(temporary, used, what)

    def _bytes(self) -> int:
        return os.stat(self._path).st_size

    def _log_bytes(self) -> int:
        try:
            return os.stat(f"{self._path}-wal").st_size
        except FileNotFoundError:
            return 0

    def changes_made(self) -> int:
        """Return how many rows the writing connection has inserted, updated and deleted."""
        return 0 if self._writer is None else self._writer.changes_made

    def give_up_waiting(self) -> None:
        """Stop waiting for locks of other processes: a write that waits for one fails."""
        self._gives_up = True

    async def _roll_back(self, writer: SQLiteConnection) -> None:
        with suppress(DatabaseError):
            if await writer.settled():
                await writer.run("ROLLBACK")


def make_empty_file(path: Path, mode: int) -> None:
    """Create a file that nobody else can read meanwhile, with these permissions whatever the umask is.

    Raises:
        OSError: if it exists, or cannot be created.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    os.chmod(path, mode)


def _check_room(folder: Path, needed: int, what: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(
            f"{folder} has {free / 1e6:,.0f} MB free, and {needed / 1e6:,.0f} MB are needed for {what}"
        )


def _temporary_folder() -> Path:
    """Return the folder in which SQLite puts temporary files."""
    named = (os.environ.get(name) for name in ("SQLITE_TMPDIR", "TMPDIR"))
    found = (Path(name) for name in (*named, *_TEMPORARY_FOLDERS) if name)
    return next((path for path in found if path.is_dir() and os.access(path, os.W_OK | os.X_OK)), Path())


def _sync_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
