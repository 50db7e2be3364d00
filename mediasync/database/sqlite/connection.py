"""One SQLite connection that stays open, and the session that repositories get.

Every result is fetched as one row, with one JSON array for each column. A cursor releases the GIL at each
row, and a thread that needs it back from a busy event loop may wait for the switch interval (5 ms) each time.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeVar
from urllib.parse import quote
from weakref import WeakSet

import aiosqlite

from mediasync.aio import finish
from mediasync.database.session import NoPeopleCache, Params, PeopleCache, insertion, names_of
from mediasync.database.sqlite.dialect import SQLiteDialect
from mediasync.errors import DatabaseError, LifecycleError

T = TypeVar("T")

POLL_MS: Final = 8
"""How long SQLite itself waits for a lock, in milliseconds. It retries after 1, 2 and 5 ms."""

_ROWS_PER_STATEMENT: Final = (500, 50)

_ROWS_PER_PART: Final = 1_000
"""How many rows of a large result are one row of JSON arrays."""

_FETCHES: dict[str, str] = {}


def _decoded(text: bytes) -> str:
    """Decode a stored text. One damaged byte in the file does not make a whole page unreadable."""
    return text.decode(errors="replace")


_open_connections: Final[WeakSet[Any]] = WeakSet()


def _stop_threads() -> None:
    """Close connections that were never closed: the interpreter waits for their threads before it exits.

    Committed transactions stay, and an open one is rolled back.
    """
    asyncio.set_event_loop(None)  # else the threads would report to a loop that no longer runs
    for connection in list(_open_connections):
        connection.stop()


# `atexit` functions run after the interpreter has waited for all threads; this one runs before.
threading._register_atexit(_stop_threads)  # type: ignore[attr-defined]


class SQLiteConnection:
    """One connection that stays open, used through aiosqlite.

    Args:
        uri: what SQLite opens: ``file:…``.
        subject: the name of the database in messages.
        dialect: encodes parameters, and translates errors.
        writes: whether it is the connection that writes. `databases` opens that one. Its import takes a third
            of the time of all others together, so a program that only reads does without it.
    """

    def __init__(self, uri: str, subject: str, dialect: SQLiteDialect, *, writes: bool = False) -> None:
        self._uri = uri
        self._subject = subject
        self._dialect = dialect
        self._writes = writes
        self._held: AsyncExitStack | None = None
        self._closed = False
        self.raw: Any = None

    async def open(self, pragmas: tuple[str, ...]) -> None:
        await finish(self._open(pragmas))

    async def _open(self, pragmas: tuple[str, ...]) -> None:
        async with AsyncExitStack() as held:
            try:
                self.raw = await connect(self._uri, held, writes=self._writes)
            except sqlite3.Error as error:
                raise self._dialect.translate_error(error, self._subject) or error from error
            self._held = held.pop_all()
        _open_connections.add(self.raw)
        self.raw.text_factory = _decoded
        for pragma in ("foreign_keys = ON", "temp_store = MEMORY", *pragmas):
            await self.rows(f"PRAGMA {pragma}")

    async def close(self) -> None:
        self._closed = True
        if self._held is not None:
            held, self._held = self._held, None
            _open_connections.discard(self.raw)
            await finish(held.aclose())

    async def interrupt(self) -> None:
        """Interrupt the statement that runs on the connection, if it is open."""
        if self._held is not None:
            await self.raw.interrupt()

    def _translated(self, error: Exception) -> Exception:
        if self._closed:
            return LifecycleError(f"{self._subject} was closed before this was done")
        return self._dialect.translate_error(error, self._subject) or error

    async def run(self, sql: str, params: Params | None = None) -> int:
        """Run a statement and return how many rows it wrote."""
        return int((await self._execute(sql, params)).rowcount)

    async def run_many(self, sql: str, several: Sequence[Sequence[Any]]) -> int:
        """Run a statement with each of several lists of parameters, and return how many rows it wrote."""
        try:
            return int((await self.raw.executemany(sql, several)).rowcount)
        except (sqlite3.Error, OverflowError, ValueError) as error:
            raise self._translated(error) from error

    async def columns(self, sql: str, params: Params | None = None) -> list[str]:
        """Return the names of a query's columns."""
        return [column[0] for column in (await self._execute(sql, params)).description]

    async def _execute(self, sql: str, params: Params | None) -> Any:
        try:
            return await self.raw.execute(sql, self._dialect.encode_params(params))
        except (sqlite3.Error, OverflowError, ValueError) as error:
            raise self._translated(error) from error

    async def rows(self, sql: str, params: Params | None = None) -> list[Any]:
        """Run a query and return the driver's rows."""
        try:
            return list(await self.raw.execute_fetchall(sql, self._dialect.encode_params(params)))
        except (sqlite3.Error, OverflowError, ValueError) as error:
            raise self._translated(error) from error

    async def in_thread(self, work: Callable[[SQLiteConnection], Coroutine[Any, Any, T]]) -> T:
        """Run *work* in the connection's thread, so that its statements do not wait for the event loop.

        Args:
            work: is given a connection whose methods end at once, and awaits nothing else.
        """

        def run() -> T:
            direct = SQLiteConnection(self._uri, self._subject, self._dialect)
            direct.raw = _Direct(self.raw._conn)
            return run_to_end(work(direct))

        try:
            found: T = await self.raw._execute(run)
        except ValueError as error:
            if self._closed:
                raise self._translated(error) from error
            raise
        return found

    @property
    def changes_made(self) -> int:
        """How many rows the connection has inserted, updated and deleted."""
        return int(self.raw.total_changes)

    async def settled(self) -> bool:
        """Wait for the running statement, and return whether a transaction is open."""
        await self.rows("SELECT 1")
        return bool(self.raw.in_transaction)


class _Direct:
    """The driver's connection, as its own thread uses it. Nothing of it waits.

    Args:
        connection: belongs to the running thread.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, parameters: Any) -> sqlite3.Cursor:
        return self._connection.execute(sql, parameters or ())

    async def execute_fetchall(self, sql: str, parameters: Any) -> list[Any]:
        return self._connection.execute(sql, parameters or ()).fetchall()


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine that waits for nothing, without an event loop.

    Example:
        >>> run_to_end(asyncio.sleep(0, "done"))
        'done'
    """
    try:
        while True:
            if work.send(None) is not None:
                raise AssertionError(f"{work} waits for something else than its connection")
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        work.close()


async def connect(uri: str, held: AsyncExitStack, *, writes: bool) -> Any:
    """Return a new connection of the driver, which runs statements in a thread of its own.

    No other code starts such a thread. A test that replaces this function decides when statements run.

    Args:
        uri: what SQLite opens.
        held: what closes the connection, and ends its thread.
        writes: whether it is the connection that writes.
    """
    return await (_connect_to_write if writes else _connect_to_read)(uri, held)


async def _connect_to_read(uri: str, held: AsyncExitStack) -> Any:
    return await held.enter_async_context(
        aiosqlite.connect(uri, uri=True, timeout=POLL_MS / 1000, isolation_level=None)
    )


async def _connect_to_write(uri: str, held: AsyncExitStack) -> Any:
    from databases import Database

    # `databases` unquotes the path once, SQLite's URI parser a second time.
    path, mark, options = uri.partition("?")
    url = f"sqlite:///{quote(path, safe='/:')}{mark}{options}"
    database = await held.enter_async_context(Database(url, uri=True, timeout=POLL_MS / 1000))
    return (await held.enter_async_context(database.connection())).raw_connection


HIGHEST_KEY: Final = """
SELECT max(coalesce((SELECT max(person_key) FROM person), 0),
    coalesce((SELECT max(item_key) FROM media_item), 0)) AS highest
"""


@dataclass(slots=True)
class WriterCache:
    """What the single writer knows about the database, valid until another process writes to it.

    Attributes:
        people: people already in the database.
        next_key: the storage key of the next new row; 0 if it is not known.
    """

    people: PeopleCache = field(default_factory=NoPeopleCache)
    next_key: int = 0

    def clear(self) -> None:
        """Forget everything."""
        self.people.clear()
        self.next_key = 0


@lru_cache(maxsize=64)
def _insertion_of_values(table: str, columns: str, rows: int) -> str:
    names = names_of(columns)
    row = f"({', '.join('?' * len(names))})"
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {', '.join([row] * rows)}"


def _as_text(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


async def _go_on() -> None:
    """Wait for nobody."""


class SQLiteSession:
    """A transaction or a snapshot on one connection.

    Args:
        connection: the connection on which it is open.
        now: the time of the transaction, in milliseconds since 1970, UTC.
        cache: the cache of the writer, which is needed to save new items and people.
        give_way: awaited before each statement, so that others read first.
    """

    keeps_primary_key_order = True
    has_concurrent_writers = False

    def __init__(
        self,
        connection: SQLiteConnection,
        dialect: SQLiteDialect,
        now: int,
        cache: WriterCache | None = None,
        give_way: Callable[[], Awaitable[None]] = _go_on,
    ) -> None:
        self._give_way = give_way
        self._connection = connection
        self._dialect = dialect
        self.now = now
        self._cache = cache or WriterCache()
        self.people_cache = self._cache.people

    async def in_thread(self, work: Callable[[SQLiteSession], Coroutine[Any, Any, T]]) -> T:
        """Run *work*, which awaits only the session that it is given, in the connection's thread."""

        def given(connection: SQLiteConnection) -> Coroutine[Any, Any, T]:
            return work(SQLiteSession(connection, self._dialect, self.now, self._cache))

        return await self._connection.in_thread(given)

    def new_keys(self, source_id: str, count: int) -> Sequence[int]:
        first = self._cache.next_key
        self._cache.next_key += count
        return range(first, first + count)

    async def execute(self, sql: str, params: Params | None = None) -> int:
        await self._give_way()
        return await self._connection.run(self._dialect.translate(sql), params)

    async def insert(self, table: str, columns: str, rows: list[Any]) -> int:
        """Insert most rows as bound values: that takes a third of the time that reading them from JSON takes.

        A statement holds many rows, so that the thread rarely waits for the GIL, and has one of few sizes, so
        that SQLite compiles it once.
        """
        await self._give_way()
        written = done = 0
        for size in _ROWS_PER_STATEMENT:
            end = len(rows) - (len(rows) - done) % size
            if end > done:
                bound = [list(chain.from_iterable(rows[n : n + size])) for n in range(done, end, size)]
                written += await self._connection.run_many(_insertion_of_values(table, columns, size), bound)
                done = end
        if done < len(rows):
            written += await self.execute(insertion(table, columns), {"rows": rows[done:]})
        return written

    async def fetch_all(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        await self._give_way()
        fetch = _FETCHES.get(sql)
        if fetch is None:
            fetch = _FETCHES[sql] = await self._wrap(sql, params)
        try:
            [columns] = await self._connection.rows(fetch, params)
            return list(zip(*map(json.loads, columns), strict=True))
        except (DatabaseError, json.JSONDecodeError) as error:
            if type(error) not in (DatabaseError, json.JSONDecodeError):
                raise
            # JSON has neither BLOBs nor infinite numbers, and another program may have stored one.
            rows = await self._connection.rows(self._dialect.translate(sql), params)
            return [tuple(map(_as_text, row)) for row in rows]

    async def fetch_many(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        await self._give_way()
        key = f"many: {sql}"
        fetch = _FETCHES.get(key)
        if fetch is None:
            fetch = _FETCHES[key] = await self._wrap(sql, params, of_parts=True)
        rows: list[tuple[Any, ...]] = []
        try:
            for columns in await self._connection.rows(fetch, params):
                rows += zip(*map(json.loads, columns), strict=True)
                await asyncio.sleep(0)
        except (DatabaseError, json.JSONDecodeError) as error:
            if type(error) not in (DatabaseError, json.JSONDecodeError):
                raise
            return await self.fetch_all(sql, params)  # it reads what JSON does not have
        return rows

    async def _wrap(self, sql: str, params: Params | None, *, of_parts: bool = False) -> str:
        query = f"(\n{self._dialect.translate(sql)}\n)"
        names = await self._connection.columns(f"SELECT * FROM {query} LIMIT 0", params)
        columns = ", ".join(f'json_group_array("{name}")' for name in names)
        if not of_parts:
            return f"SELECT {columns} FROM {query}"
        numbered = f"SELECT *, (row_number() OVER () - 1) / {_ROWS_PER_PART} AS part FROM {query}"
        return f"SELECT {columns} FROM ({numbered}) GROUP BY part"
