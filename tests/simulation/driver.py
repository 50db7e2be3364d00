"""SQLite connections whose statements run when the simulated loop says so, in no thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final, Protocol

from simulation.loop import PROCESS, Process, SimulatedLoop

LONGEST_STATEMENT: Final = 0.002
PATIENCE: Final = 0.008
"""How long SQLite itself waits for a lock, in seconds."""


class Faults(Protocol):
    """What can happen to statements."""

    def before(self, process: Process, sql: str, raw: sqlite3.Connection) -> None:
        """Raise what a statement fails with, before it runs."""
        ...

    def after(self, process: Process, sql: str) -> None:
        """Note a statement that has run, and raise what its answer is lost with."""
        ...


class SimulatedConnection:
    """Has the methods of an aiosqlite connection that the engine uses.

    A statement runs within some milliseconds. Its caller goes on later, in its turn. When its process is
    killed, the connection is closed, which rolls its transaction back.
    """

    def __init__(self, uri: str, faults: Faults) -> None:
        self._raw = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)
        self._faults = faults
        self._process = PROCESS.get()

    async def execute(self, sql: str, params: Any = ()) -> Any:
        return await self._do(sql, partial(self._raw.execute, sql, params))

    async def executemany(self, sql: str, params: Iterable[Any]) -> Any:
        return await self._do(sql, partial(self._raw.executemany, sql, params))

    async def execute_fetchall(self, sql: str, params: Any = ()) -> list[Any]:
        return await self._do(sql, lambda: self._raw.execute(sql, params).fetchall())

    async def _do(self, sql: str, work: Callable[[], Any]) -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        answer: asyncio.Future[Any] = loop.create_future()
        delay = loop.random.random() * LONGEST_STATEMENT
        loop.call_later(delay, self._run, sql, work, answer, PATIENCE)
        return await answer

    def _run(self, sql: str, work: Callable[[], Any], answer: asyncio.Future[Any], patience: float) -> None:
        try:
            self._faults.before(self._process, sql, self._raw)
            result = work()
            self._faults.after(self._process, sql)
        except Exception as error:
            if patience and getattr(error, "sqlite_errorname", "") == "SQLITE_BUSY":
                answer.get_loop().call_later(patience, self._run, sql, work, answer, 0.0)
            elif not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(result)

    async def interrupt(self) -> None:
        """Do nothing: no statement is ever under way."""

    async def close(self) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the connection at once, as the end of a process does."""
        self._raw.close()

    @property
    def in_transaction(self) -> bool:
        return self._raw.in_transaction

    @property
    def total_changes(self) -> int:
        return self._raw.total_changes

    @property
    def text_factory(self) -> Any:
        return self._raw.text_factory

    @text_factory.setter
    def text_factory(self, factory: Any) -> None:
        self._raw.text_factory = factory


class Driver:
    """Opens connections, and closes those of a process that is killed.

    Args:
        faults: what happens to their statements.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._connections: dict[Process, list[SimulatedConnection]] = {}

    async def connect(self, uri: str, held: AsyncExitStack, *, writes: bool) -> SimulatedConnection:
        """Take the place of `mediasync.database.sqlite.connection.connect`."""
        connection = SimulatedConnection(uri, self._faults)
        self._connections.setdefault(PROCESS.get(), []).append(connection)
        held.push_async_callback(connection.close)
        return connection

    def kill(self, process: Process) -> None:
        """Close the connections of a process."""
        for connection in self._connections.pop(process, ()):
            connection.stop()

    def close(self) -> None:
        """Close whatever is open."""
        for process in list(self._connections):
            self.kill(process)
