"""PostgreSQL: connections that write, one group of saves at a time each, and connections that read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from mediasync.aio import finish
from mediasync.database import schema
from mediasync.database.postgres.connection import PostgresConnection, PostgresSession, encoding_unsupported
from mediasync.database.postgres.dialect import PostgresDialect
from mediasync.database.postgres.keys import Keys, KeysMissing
from mediasync.database.postgres.url import parse_url
from mediasync.database.session import Session
from mediasync.errors import DatabaseReadOnly, UnknownSource, WriteConflict
from mediasync.reports import VacuumReport
from mediasync.settings.database import DatabaseOptions

T = TypeVar("T")

MAX_ATTEMPTS: Final = 10
"""How often a transaction is tried that conflicts with others."""

# The server's default, 4, is meant for disks that seek. With it, the planner reads whole tables for rows that
# indexes find in a tenth of the time: reading the states of 233 of 20,000 items took 20 ms, and takes 2.
_PLANNER: Final = {"random_page_cost": "1.1"}
_ONLY_READ: Final = {"default_transaction_read_only": "on"}
_WRITE: Final = "ISOLATION LEVEL READ COMMITTED"
_READ: Final = "ISOLATION LEVEL READ COMMITTED READ ONLY"
_SNAPSHOT: Final = "ISOLATION LEVEL REPEATABLE READ READ ONLY"

_LOCK_UPGRADE: Final = """
SELECT pg_advisory_xact_lock(hashtextextended('mediasync ' || :schema, 0)) IS NULL AS locked
"""
_ENCODING: Final = "SELECT current_setting('server_encoding') AS encoding"
_TABLES: Final = """
SELECT c.relname::text AS name, c.relkind::text AS kind
FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE s.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_GROWN: Final = """
SELECT c.relname::text AS name,
    (c.reltuples < 0 OR pg_relation_size(c.oid) > 2 * c.relpages * current_setting('block_size')::bigint)
    AND pg_relation_size(c.oid) > :least AS grown
FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE s.nspname = :schema AND c.relkind = 'r'
"""
_WORTH_ANALYZING: Final = 1_000_000
_TAKE_BLOCK: Final = """
UPDATE source SET key_blocks = key_blocks + 1 WHERE id = :id RETURNING source_key, key_blocks
"""
_BYTES: Final = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes
FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE s.nspname = :schema AND c.relkind = 'r'
"""
_OWN_TABLES: Final = frozenset({"schema_version", "source", "media_item", "person", "credit"})


class PostgresEngine:
    """The connections to one PostgreSQL database.

    Args:
        url: ``postgresql://user:password@host:port/database``. ``?host=/folder`` names the folder of a Unix
            socket, ``?sslmode=…`` says how TLS is used.
        options: timeouts and pools.
        clock: returns the time in milliseconds since 1970, UTC.
        read_only: never write; the schema must exist.
        upgrade: create a missing schema, and upgrade an older one.
    """

    threaded: Final = False
    has_concurrent_writers: Final = True

    def __init__(
        self,
        url: str,
        *,
        options: DatabaseOptions,
        clock: Callable[[], int],
        read_only: bool,
        upgrade: bool,
    ) -> None:
        connect_options, self._subject = parse_url(url)
        self._options = options
        self._clock = clock
        self._read_only = read_only
        self._upgrade = upgrade
        self.upgraded_from: int | None = None
        self.kept_copy: Path | None = None
        self.dialect = PostgresDialect(options.postgres_schema, schema.names_in_any_version())
        self.writers = options.writers

        def connections(count: int, settings: dict[str, str]) -> list[PostgresConnection]:
            return [
                PostgresConnection(connect_options, self._subject, self.dialect, settings)
                for _ in range(count)
            ]

        lock_timeout = {"lock_timeout": str(max(1, round(options.lock_timeout * 1000)))}
        self._writers = connections(0 if read_only else options.writers, _PLANNER | lock_timeout)
        self._readers = connections(options.readers, _PLANNER | _ONLY_READ)
        self._free_writers: asyncio.LifoQueue[PostgresConnection] = asyncio.LifoQueue()
        self._free_readers: asyncio.LifoQueue[PostgresConnection] = asyncio.LifoQueue()
        self._keys = Keys()
        self.longest_wait = 0.0

    # Opening and closing

    async def open(self) -> None:
        """Connect once, and bring the schema up to date. Further connections are opened when they are needed.

        Raises:
            EncodingUnsupported: if the encoding of the database is not UTF8.
            DatabaseError: as its other subclasses say.
        """
        try:
            for queue, connections in (
                (self._free_readers, self._readers),
                (self._free_writers, self._writers),
            ):
                for connection in reversed(connections):
                    queue.put_nowait(connection)
            async with self._transaction(self._readers[0], _READ) as session:
                await self._check_encoding(session)
                version, tables = await self._version(session)
            upgrade = self._upgrade and not self._read_only
            if schema.needs_work(version, len(tables), self._subject, upgrade=upgrade):
                await finish(self._create_or_upgrade())
        except BaseException:
            await self.close()
            raise

    async def find_version(self) -> int:
        """Return the version of the stored schema. It is called instead of `open`, and writes nothing.

        Raises:
            DatabaseMissing: if the schema is empty.
            SchemaError: if this program can neither use nor upgrade it.
            DatabaseError: as its other subclasses say.
        """
        try:
            async with self._transaction(self._readers[0], _READ) as session:
                version, tables = await self._version(session)
        finally:
            await self.close()
        return schema.check_version(version, len(tables), self._subject)

    async def _check_encoding(self, session: PostgresSession) -> None:
        [(encoding,)] = await session.fetch_all(_ENCODING)
        if encoding != "UTF8":
            raise encoding_unsupported(self._subject, f"has the encoding {encoding}")

    async def _version(self, session: PostgresSession) -> tuple[int | None, list[tuple[str, str]]]:
        """Return the version of the schema, or None if it has none, and its tables and views."""
        tables = await session.fetch_all(_TABLES, {"schema": self.dialect.schema})
        if not {name for name, _ in tables} >= _OWN_TABLES:
            return None, tables
        versions = await session.fetch_all(schema.SELECT_VERSION)
        return schema.stored_version(versions), tables

    async def _create_or_upgrade(self) -> None:
        """Create or upgrade the schema; of several processes that want to, one does."""
        async with self._transaction(self._writers[0], _WRITE) as session:
            await session.fetch_all(_LOCK_UPGRADE, {"schema": self.dialect.schema})
            version, tables = await self._version(session)
            if not schema.needs_work(version, len(tables), self._subject, upgrade=True):
                return
            if version is None:
                await session.execute(f"CREATE SCHEMA IF NOT EXISTS {self.dialect.quoted_schema}")
                await schema.create(session)
            else:
                await schema.upgrade(session, version, [name for name, kind in tables if kind == "v"])
        self.upgraded_from = version

    async def close(self) -> None:
        """Close all connections; statements that still run on them fail."""
        await finish(self._close())

    async def _close(self) -> None:
        connections = [*self._writers, *self._readers]
        self._writers, self._readers = [], []
        for result in await asyncio.gather(
            *(connection.close() for connection in connections), return_exceptions=True
        ):
            if isinstance(result, BaseException):
                raise result

    # Reading

    @asynccontextmanager
    async def read(self, *, snapshot: bool = False) -> AsyncIterator[Session]:
        """Lend a connection for reading: in a read-only transaction, unless single queries need none.

        Args:
            snapshot: let all queries see the same state of the database. Needed for more than one query.
        """
        reader = await self._free_readers.get()
        try:
            if snapshot or not await reader.open():
                reading = self._transaction(reader, _SNAPSHOT if snapshot else _READ)
            else:
                reading = self._queries(reader)
            async with reading as session:
                yield session
        finally:
            self._free_readers.put_nowait(reader)

    async def give_way(self) -> None:
        """Return at once: no thread of this process reads."""

    async def read_whole(self, work: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """Lend a connection to *work*. Its statements wait for the server anyway."""
        async with self.read() as session:
            return await work(session)

    @asynccontextmanager
    async def _queries(self, connection: PostgresConnection) -> AsyncIterator[PostgresSession]:
        try:
            yield PostgresSession(connection, self.dialect, self._clock(), self._keys, in_transaction=False)
        except BaseException:
            await finish(connection.roll_back())
            raise

    @asynccontextmanager
    async def _transaction(
        self, connection: PostgresConnection, how: str, *, writes: bool = False
    ) -> AsyncIterator[PostgresSession]:
        """Run a transaction.

        Args:
            connection: the connection to run it on.
            how: its isolation level, and whether it only reads.
            writes: whether callers must know that the commit happened.
        """
        try:
            await connection.begin(how)
            yield PostgresSession(connection, self.dialect, self._clock(), self._keys)
            await (connection.commit() if writes else connection.run("COMMIT"))
        except BaseException:
            await finish(connection.roll_back())
            raise

    # Writing

    async def write(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run *work* in one transaction: committed if it returns, rolled back if it raises.

        Cancellation interrupts neither *work* nor begin, commit and rollback. *work* is run again after a
        conflict with another transaction, so it must not change anything but the database.

        Raises:
            DatabaseLocked: if another transaction held a lock for longer than ``lock_timeout``.
            WriteConflict: if every attempt conflicted with other transactions.
            CommitUnknown: if the connection was lost during the commit.
            DatabaseReadOnly: if the database was opened for reading only.
        """
        if not self._writers:
            raise DatabaseReadOnly(f"{self._subject} was opened for reading only")
        return await finish(self._write(work))

    async def _write(self, work: Callable[[Session], Awaitable[T]]) -> T:
        clock = asyncio.get_running_loop().time
        asked = clock()
        writer = await self._free_writers.get()
        self.longest_wait = max(self.longest_wait, clock() - asked)
        try:
            attempt = 1
            while True:
                try:
                    async with self._transaction(writer, _WRITE, writes=True) as session:
                        return await work(session)
                except KeysMissing as missing:
                    await self._take_block(writer, missing.source_id)
                except WriteConflict:
                    if attempt == MAX_ATTEMPTS:
                        raise
                    attempt += 1
                    await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311
        finally:
            self._free_writers.put_nowait(writer)

    async def update_statistics(self) -> None:
        """Analyse the tables if one has doubled in size since the server did that last.

        The server does it by itself too, but some minutes later.
        """

        async def work(session: Session) -> None:
            given = {"schema": self.dialect.schema, "least": _WORTH_ANALYZING}
            tables = await session.fetch_all(_GROWN, given)
            if any(grown for _, grown in tables):
                for name, _ in tables:
                    await session.execute(f"ANALYZE (SKIP_LOCKED) {self.dialect.quoted_schema}.{name}")

        await self.write(work)

    async def copy_into(self, file: Path) -> bool:
        """Return False: the server writes no SQLite file."""
        return False

    async def vacuum(self) -> VacuumReport:
        """Vacuum and analyse the tables of the mirror, one after another; nothing waits for it.

        The room of deleted rows is used again. Only empty pages at the end of a table go back to the system.

        Raises:
            DatabaseReadOnly: if the database was opened for reading only.
            DatabaseError: as its other subclasses say.
        """
        if not self._writers:
            raise DatabaseReadOnly(f"{self._subject} was opened for reading only")
        writer = await self._free_writers.get()
        try:
            await writer.open()
            given = {"schema": self.dialect.schema}
            [(before,)] = await writer.rows(_BYTES, given)
            for name in schema.table_names():
                await writer.run(f"VACUUM (ANALYZE) {self.dialect.quoted_schema}.{name}")
            [(after,)] = await writer.rows(_BYTES, given)
            return VacuumReport(before, after)
        except BaseException:
            await finish(writer.roll_back())
            raise
        finally:
            self._free_writers.put_nowait(writer)

    def changes_made(self) -> int:
        """Return how many rows this engine's connections have inserted, updated and deleted."""
        return sum(writer.changes_made for writer in self._writers)

    def give_up_waiting(self) -> None:
        """Stop waiting: a write that waits for a lock of another process fails."""
        for writer in self._writers:
            writer.give_up()

    async def _take_block(self, connection: PostgresConnection, source_id: str) -> None:
        async with self._transaction(connection, _WRITE) as session:
            taken = await session.fetch_all(_TAKE_BLOCK, {"id": source_id})
        if not taken:
            raise UnknownSource(f"source {source_id!r} is not stored: save it first")
        [(source_key, number)] = taken
        self._keys.add_block(source_id, source_key, number)
