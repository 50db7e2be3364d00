"""One held connection to PostgreSQL, and what repositories are given of it.

Nothing of a session is relied upon, so that a pooler may stand between: statements have no names, every
statement runs inside a transaction, and settings are made for the transaction only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import asyncpg
import databases

from mediasync.concurrency import finish
from mediasync.dialects.base import Params
from mediasync.dialects.postgres import PostgresDialect
from mediasync.errors import CommitUnknown, DatabaseUnreachable, LifecycleError
from mediasync.known import KnownPeople

_CONNECT_TIMEOUT: Final = 10.0

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
    """One held connection of `databases`, spoken to through its asyncpg connection.

    It is made when it is first used, and made again when it was lost.
    """

    def __init__(self, url: str, options: dict[str, Any], subject: str, dialect: PostgresDialect) -> None:
        self._url = url
        self._options = options
        self._subject = subject
        self._dialect = dialect
        self._database: databases.Database | None = None
        self._held: Any = None
        self._closed = False

    @property
    def raw(self) -> Any:
        """The asyncpg connection."""
        return self._held.raw_connection

    async def begin(self, how: str) -> None:
        """Begin a transaction; a connection that turns out to be lost is made again, once.

        Args:
            how: the statement, or several.

        Raises:
            DatabaseUnreachable: if there is no connection to be had.
        """
        if self._closed:
            raise LifecycleError(f"{self._subject} is closed")
        if self._held is not None and not self.raw.is_closed():
            try:
                await self.run(how)
            except DatabaseUnreachable:
                pass
            else:
                return
        await finish(self._connect())
        await self.run(how)

    async def _connect(self) -> None:
        await self._disconnect()
        database = databases.Database(
            self._url,
            min_size=1,
            max_size=1,
            max_inactive_connection_lifetime=0,
            statement_cache_size=0,
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
            raise self._translated(error) from error
        self._database, self._held = database, held

    async def _disconnect(self) -> None:
        if self._held is None:
            return
        held, self._held = self._held, None
        database, self._database = self._database, None
        # Not given back to the pool: that would wait for what runs on it.
        held.raw_connection.terminate()
        try:
            await held.__aexit__()
        finally:
            if database is not None:
                await database.disconnect()

    async def close(self) -> None:
        """Disconnect; what runs on the connection fails."""
        self._closed = True
        await finish(self._disconnect())

    def give_up(self) -> None:
        """Cut what runs on the connection short, and make no other."""
        self._closed = True
        if self._held is not None:
            self.raw.terminate()

    async def commit(self) -> None:
        """Commit.

        Raises:
            CommitUnknown: if the connection was lost before the answer came.
        """
        try:
            await self.run("COMMIT")
        except DatabaseUnreachable as error:
            raise CommitUnknown(
                f"{self._subject}: the connection was lost during a commit, and whether that happened cannot "
                "be told; look at what is stored, or save again"
            ) from error

    async def roll_back(self) -> None:
        """Roll back what is open; a connection on which that fails is given up."""
        if self._held is None:
            return
        try:
            if self.raw.is_closed():
                await self._disconnect()
            elif self.raw.is_in_transaction():
                await self.raw.execute("ROLLBACK")
        except _DRIVER_ERRORS:
            await self._disconnect()

    def _translated(self, error: BaseException) -> BaseException:
        if self._closed:
            return LifecycleError(f"{self._subject} was closed before this was done")
        if not isinstance(error, Exception):
            return error
        return self._dialect.translate_error(error, self._subject) or error

    async def run(self, sql: str, params: Params | None = None) -> int:
        """Run a statement and return how many rows it wrote."""
        status = await self._call(self.raw.execute, sql, params)
        number = status.rpartition(" ")[2]
        return int(number) if number.isdigit() else 0

    async def rows(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""
        return [tuple(row) for row in await self._call(self.raw.fetch, sql, params)]

    async def _call(self, method: Callable[..., Awaitable[Any]], sql: str, params: Params | None) -> Any:
        try:
            text, values = self._dialect.prepare(sql, params)
            return await method(text, *values)
        except _DRIVER_ERRORS as error:
            raise self._translated(error) from error


class PostgresSession:
    """A transaction on one connection."""

    def __init__(
        self,
        connection: PostgresConnection,
        dialect: PostgresDialect,
        now: int,
        new_keys: Callable[[str, int], Awaitable[Sequence[int]]],
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._new_keys = new_keys
        self.now = now
        # Other processes write too: who was stored a transaction ago may be another person now.
        self.known_people = KnownPeople()

    async def new_keys(self, source_id: str, count: int) -> Sequence[int | None]:
        return await self._new_keys(source_id, count)

    async def execute(self, sql: str, params: Params | None = None) -> int:
        return await self._connection.run(sql, params)

    def encode(self, rows: Sequence[Any]) -> Any:
        return self._dialect.encode(rows)

    async def fetch_all(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        return await self._connection.rows(sql, params)
