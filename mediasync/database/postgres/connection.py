"""One connection to PostgreSQL that stays open, and the session that repositories get.

A connection that reaches the server itself keeps its prepared statements and its settings. Behind a pooler,
each transaction may reach another session of the server, so nothing relies on a session's state there:
statements have no names and run inside a transaction, and settings apply to the transaction only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import asyncpg
import databases

from mediasync.aio import finish
from mediasync.database.postgres.dialect import PostgresDialect
from mediasync.database.postgres.keys import Keys
from mediasync.database.session import NoPeopleCache, Params, PeopleCache, insertion, names_of
from mediasync.errors import CommitUnknown, DatabaseUnreachable, EncodingUnsupported, LifecycleError

_URL: Final = "postgresql://"  # the driver's options name the server and the user
_CONNECT_TIMEOUT: Final = 10.0
_ROLLBACK_TIMEOUT: Final = 10.0
_STATEMENTS: Final = 200
"""How many prepared statements a connection keeps; the package has about half as many."""

# Before a COPY the driver asks for the types of the columns, which takes one more round trip.
_WORTH_COPYING: Final = 200

_DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    EOFError,
    TimeoutError,
    UnicodeError,
    OverflowError,
)


class PostgresConnection:
    """One connection of `databases` that stays open, used through its asyncpg connection.

    It is opened at its first use, and opened again after it was lost.

    Args:
        options: the driver's options, which name the server and the user.
        subject: the name of the database in messages, without secrets.
        dialect: prepares statements.
        settings: what to set for all transactions, by the names of the server's settings.
    """

    def __init__(
        self, options: dict[str, Any], subject: str, dialect: PostgresDialect, settings: Mapping[str, str]
    ) -> None:
        self._options = options
        self._subject = subject
        self._dialect = dialect
        self._settings = settings
        self._pooled = False
        self._database: databases.Database | None = None
        self._held: Any = None
        self._closed = False
        self.changes_made = 0

    @property
    def raw(self) -> Any:
        """The asyncpg connection."""
        return self._held.raw_connection

    async def begin(self, mode: str) -> None:
        """Begin a transaction. If the connection turns out to be lost, it is opened again once.

        Args:
            mode: the isolation level, and whether the transaction only reads.

        Raises:
            DatabaseUnreachable: if no connection can be opened.
        """
        if self._held is not None and not self._closed:
            try:
                await self.run(self._beginning(mode))
            except DatabaseUnreachable:
                await finish(self._disconnect())
            else:
                return
        await self.open()
        await self.run(self._beginning(mode))

    def _beginning(self, mode: str) -> str:
        if not self._pooled:
            return f"BEGIN {mode}"
        return "; ".join(
            [f"BEGIN {mode}", *(f"SET LOCAL {name} = {value}" for name, value in self._settings.items())]
        )

    async def open(self) -> bool:
        """Open the connection, unless it is open.

        Returns:
            Whether it reaches the server itself: no pooler stands between.

        Raises:
            DatabaseUnreachable: if no connection can be opened.
        """
        if self._closed:
            raise LifecycleError(f"{self._subject} is closed")
        if self._held is None:
            await finish(self._connect())
        return not self._pooled

    async def _connect(self) -> None:
        """Connect; and if that turns out to reach a pooler, connect again, so that no statement is kept."""
        try:
            await self._connect_keeping(0 if self._pooled else _STATEMENTS)
            if not self._pooled and await self._finds_a_pooler():
                self._pooled = True
                await self._disconnect()
                await self._connect_keeping(0)
            if not self._pooled:
                settings = (f"SET {name} = {value}" for name, value in self._settings.items())
                await self.raw.execute("; ".join(settings))
        except BaseException as error:
            await self._disconnect()
            # As in `_translating`: a connection that is closed meanwhile may raise any error.
            if isinstance(error, _DRIVER_ERRORS) or (self._closed and isinstance(error, Exception)):
                raise self._translated(error) from error
            raise
        if self._closed:
            await self._disconnect()
            raise self._was_closed()

    async def _connect_keeping(self, statements: int) -> None:
        database = databases.Database(
            _URL,
            min_size=0,  # else the pool replaces a lost connection by itself, beside the one opened here
            max_size=1,
            max_inactive_connection_lifetime=0,
            statement_cache_size=statements,
            timeout=_CONNECT_TIMEOUT,
            **self._options,
        )
        try:
            await database.connect()
            held = database.connection()
            await held.__aenter__()
        except _DRIVER_ERRORS as error:
            if database.is_connected:
                await database.disconnect()
            if isinstance(error, asyncpg.FeatureNotSupportedError) and not self._closed:
                # The server cannot even convert texts between UTF8 and its own encoding.
                raise encoding_unsupported(self._subject, f"cannot be used: {error}") from error
            raise
        self._database, self._held = database, held

    async def _finds_a_pooler(self) -> bool:
        """Return whether a pooler stands between.

        A server names its process when a connection begins, so that the client can cancel what runs there. A
        pooler names something of its own instead.
        """
        await self.raw.execute("BEGIN READ ONLY")  # so that a pooler sends all that follows to one process
        statement = await self.raw.prepare("SELECT pg_backend_pid()", name="")
        process = await statement.fetchval()
        await self.raw.execute("ROLLBACK")
        return bool(process != self.raw.get_server_pid())

    async def _disconnect(self) -> None:
        if self._held is None:
            return
        held, self._held = self._held, None
        database, self._database = self._database, None
        # Not returned to the pool, which would wait for the running statement. It already has a lost one.
        with suppress(asyncpg.InterfaceError):
            held.raw_connection.terminate()
        try:
            await held.__aexit__()
        finally:
            if database is not None:
                await database.disconnect()

    async def close(self) -> None:
        """Disconnect; a statement that runs on the connection fails."""
        self._closed = True
        await finish(self._disconnect())

    def give_up(self) -> None:
        """Terminate the connection, whatever runs on it, and never open it again."""
        self._closed = True
        if self._held is not None:
            with suppress(asyncpg.InterfaceError):  # it is lost already
                self.raw.terminate()

    async def commit(self) -> None:
        """Commit.

        Raises:
            CommitUnknown: if the connection was lost before the server answered.
        """
        try:
            await self.run("COMMIT")
        except DatabaseUnreachable as error:
            raise CommitUnknown(
                f"{self._subject}: the connection was lost during a commit, which may or may not have "
                "happened; look at what is stored, or save again"
            ) from error

    async def roll_back(self) -> None:
        """Roll back an open transaction. If that fails, the connection is closed."""
        if self._held is None:
            return
        try:
            async with asyncio.timeout(_ROLLBACK_TIMEOUT):
                # After a cancelled BEGIN or COMMIT, only the next answer shows whether it happened. An empty
                # statement may be parsed in a failed transaction, too.
                nothing = await self.raw.prepare("", name="")
                if self.raw.is_in_transaction():
                    await self.raw.execute("ROLLBACK")
                else:
                    await nothing.fetch()  # the server waits for the end of what was begun by preparing
        except _DRIVER_ERRORS:
            await self._disconnect()

    def _was_closed(self) -> LifecycleError:
        return LifecycleError(f"{self._subject} was closed before this was done")

    def _translated(self, error: Exception) -> Exception:
        if self._closed:
            return self._was_closed()
        return self._dialect.translate_error(error, self._subject) or error

    async def run(self, sql: str, params: Params | None = None) -> int:
        """Run a statement and return how many rows it wrote."""
        return self._count(_number_in(await self._call("execute", sql, params)))

    async def copy(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
        """Insert rows by COPY and return how many."""
        with self._translating():
            status = await self._connected().copy_records_to_table(
                table, schema_name=self._dialect.schema, columns=columns, records=rows
            )
        return self._count(_number_in(status))

    async def rows_alone(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """Run a query outside any transaction, and once more if the connection turns out to be lost."""
        try:
            return await self.rows(sql, params)
        except DatabaseUnreachable:
            await finish(self._disconnect())
            if not await self.open():
                raise
        return await self.rows(sql, params)

    async def rows(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """Run a query and return the driver's rows, which can be read like tuples."""
        found = list(await self._call("fetch", sql, params))
        if "RETURNING" in sql:
            self._count(len(found))
        return found

    def _count(self, changes: int) -> int:
        self.changes_made += changes
        return changes

    async def _call(self, method: str, sql: str, params: Params | None) -> Any:
        with self._translating():
            raw = self._connected()
            text, values = self._dialect.prepare(sql, params)
            return await getattr(raw, method)(text, *values)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            # If a connection is terminated between two steps of a call, its parts are gone, and the driver
            # may raise any error.
            if not (self._closed or isinstance(error, _DRIVER_ERRORS)):
                raise
            raise self._translated(error) from error

    def _connected(self) -> Any:
        if self._held is None:
            raise ConnectionError("it was given up")
        return self.raw


def encoding_unsupported(subject: str, reason: str) -> EncodingUnsupported:
    """Return the error for a database whose encoding is not UTF8."""
    return EncodingUnsupported(
        f"{subject} {reason}; mediasync needs a database with the encoding UTF8: create one with "
        "`createdb --encoding UTF8 --template template0 NAME`, and name it in the URL"
    )


def _number_in(status: str) -> int:
    """Return how many rows a statement wrote, from the status that the server returned."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else 0


class PostgresSession:
    """A transaction on one connection, or queries that need none.

    Args:
        connection: an open connection.
        dialect: its dialect.
        now: the time, in milliseconds since 1970, UTC.
        keys: the storage keys for new rows.
        in_transaction: whether a transaction was begun.
    """

    keeps_primary_key_order = False
    has_concurrent_writers = True

    def __init__(
        self,
        connection: PostgresConnection,
        dialect: PostgresDialect,
        now: int,
        keys: Keys,
        *,
        in_transaction: bool = True,
    ) -> None:
        self._connection = connection
        self._rows = connection.rows if in_transaction else connection.rows_alone
        self._dialect = dialect
        self._keys = keys
        self.now = now
        # Other processes write too, so a person may have changed since the last transaction, and within one
        # transaction nobody is looked up twice.
        self.people_cache: PeopleCache = NoPeopleCache()

    def new_keys(self, source_id: str, count: int) -> Sequence[int]:
        return self._keys.take(source_id, count)

    async def execute(self, sql: str, params: Params | None = None) -> int:
        return await self._connection.run(sql, params)

    async def insert(self, table: str, columns: str, rows: list[Any]) -> int:
        if len(rows) < _WORTH_COPYING:
            return await self.execute(insertion(table, columns), {"rows": rows})
        return await self._connection.copy(table, names_of(columns), rows)

    async def fetch_all(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        return await self._rows(sql, params)

    async def fetch_many(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """Do as `fetch_all`: the driver reads rows as they arrive, and the event loop goes on in between."""
        return await self._rows(sql, params)
