"""What differs between database engines, behind one protocol.

Repositories contain one SQL text for all engines. It may use fourteen macros, which each dialect expands:

``@rows(:name, id text, year integer)``
    a derived table of the rows in the parameter *name* (a list of equally long sequences), with these
    columns and ``n``, the row's position from 0.
``@list(:name)``
    a derived table of the texts in the parameter *name* (a list), with the columns ``n`` and ``id``.
``@lock(alias)``
    at the end of a query: locks its rows of that table against changes until the transaction ends. Where only
    one transaction writes at a time, it expands to nothing.
``@lockfully(alias)``
    the same, and no other transaction can insert a reference to those rows.
``@keep(alias)``
    at the end of a query: until the transaction ends, no other one can lock its rows of that table fully.
    Where only one transaction writes at a time, it expands to nothing.
``@clock``
    the time in milliseconds since 1970, UTC: by the clock of a database server, else the parameter ``now``.
``@inorder(alias)``
    at the end of a query over ``@rows``: writes its rows in the order in which they were given, whatever
    they are joined with. Where only one transaction writes at a time, it expands to nothing.
``@array(a, b)``
    a JSON array of these values.
``@arrays(value)``
    the aggregate that makes one JSON array of the values of all rows, in the order of the rows; of no rows it
    is empty or NULL.
``@object(name, value)``
    the aggregate that makes one JSON object, without white space, of the texts *name* and *value* of all
    rows, in the order of the rows; of no rows it is empty or NULL.
``@entries(text) e``
    in a join: the entries of the JSON object in *text*, whose values are texts, with the columns ``key`` and
    ``value``.
``@time(column)``
    a time in milliseconds since 1970, UTC, as the views show it. It is what the indexes of times hold.
``@onlynull(value) ASC,``
    in ORDER BY: a value that is NULL in all rows. PostgreSQL uses an index of the value and further columns
    only with it, SQLite only without it.
``@oneplan``
    at the end of a query: its plan does not depend on the values of its parameters, so PostgreSQL plans it
    once for a connection. It may not know then how many rows a set has.

Parameters are named, ``:name``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from mediasync.errors import DatabaseError
from mediasync.reports import VacuumReport
from mediasync.rows import PersonRow

Params = Mapping[str, Any]


def names_of(columns: str) -> list[str]:
    """Return the names in a list of columns with their types."""
    return [column.split()[0] for column in columns.split(",")]


def insertion(table: str, columns: str) -> str:
    """Return the statement that inserts the rows in the parameter ``rows`` into a table as they are."""
    names = ", ".join(names_of(columns))
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM @rows(:rows, {columns}) r"


class PeopleCache(Protocol):
    """A cache of people already in the database.

    The engine clears it after a rollback, and after another process has written.

    Attributes:
        others_are_new: whether most of the latest people who were not in the cache were not in the database
            either. Inserting the next ones without a SELECT is then quicker.
    """

    others_are_new: bool

    @property
    def remembers(self) -> bool:
        """Whether the cache keeps anybody at all."""
        ...

    def split(self, people: Iterable[PersonRow]) -> tuple[dict[str, int], list[PersonRow]]:
        """Return the storage keys by id of people stored with exactly these rows, and the other rows."""
        ...

    def add(self, people: Iterable[PersonRow], keys: dict[str, int]) -> None:
        """Remember that the rows of *people* are stored. *keys* has their storage keys by id."""
        ...

    def discard(self, person_id: str) -> None:
        """Remove one person."""
        ...

    def clear(self) -> None:
        """Remove everybody."""
        ...


class NoPeopleCache:
    """A cache that stays empty, for engines where another process may change any person at any time."""

    remembers: Final = False

    def __init__(self) -> None:
        self.others_are_new = False

    def split(self, people: Iterable[PersonRow]) -> tuple[dict[str, int], list[PersonRow]]:
        return {}, list(people)

    def add(self, people: Iterable[PersonRow], keys: dict[str, int]) -> None:
        pass

    def discard(self, person_id: str) -> None:
        pass

    def clear(self) -> None:
        self.others_are_new = False


class Session(Protocol):
    """An open transaction or snapshot, which repositories work with.

    Attributes:
        now: the time of the transaction, in milliseconds since 1970, UTC.
        people_cache: people whom a transaction can save without a SELECT.
        keeps_primary_key_order: whether a table without a row id keeps its rows in the order of its primary
            key, in whatever order they are inserted.
        has_concurrent_writers: whether other transactions write at the same time. Rows that other
            transactions wait for are then written as late as possible.
    """

    now: int
    people_cache: PeopleCache
    keeps_primary_key_order: bool
    has_concurrent_writers: bool

    def new_keys(self, source_id: str, count: int) -> Sequence[int]:
        """Return *count* unused storage keys for new rows of a source, ascending.

        Raises:
            UnknownSource: if the source is not stored.
        """
        ...

    async def execute(self, sql: str, params: Params | None = None) -> int:
        """Run a statement and return the number of rows that it wrote."""
        ...

    async def insert(self, table: str, columns: str, rows: list[Any]) -> int:
        """Insert rows in the quickest way that the engine has, and return how many there were.

        Args:
            table: the name of the table.
            columns: its columns with their types, as in the macro ``@rows``.
            rows: sequences with a value for each column. None of them may be in the table.
        """
        ...

    async def fetch_all(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """Run a query and return its rows: tuples, or records that can be read like tuples.

        The columns must have different names. SQLite runs the query inside another one, which returns each
        column as one JSON array.
        """
        ...

    async def fetch_many(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """Run a query that may have any number of rows, as `fetch_all` does.

        The event loop goes on between some thousand rows. The rows come in no order.
        """
        ...


class Dialect(Protocol):
    """How one engine expresses the SQL of the repositories.

    Attributes:
        name: ``sqlite`` or ``postgresql``.
        integrity_checks: the engine's own checks of its storage. Each has a name, and a query that returns
            (subject, reason) for everything broken.
    """

    name: str
    integrity_checks: tuple[tuple[str, str], ...]

    def translate(self, sql: str) -> str:
        """Return *sql* with its macros expanded for this engine."""
        ...

    def continue_numbers(self, table: str, column: str) -> str | None:
        """Return a query that makes the engine number new rows after the highest number in a table.

        It is run after rows were inserted with numbers of their own.

        Args:
            table: a table whose rows the engine numbers.
            column: the column with the numbers.

        Returns:
            None if the engine needs no such query.
        """
        ...

    def translate_error(self, error: Exception, subject: str) -> DatabaseError | None:
        """Return the error of this package for a driver's *error*, or None if no driver raised it.

        Args:
            error: the exception.
            subject: the name of the database in messages, without secrets.
        """
        ...


T = TypeVar("T")


class Engine(Protocol):
    """The connections to one database.

    Attributes:
        longest_wait: the longest time, in seconds, that a transaction waited to begin.
        upgraded_from: the version of the schema that `open` has upgraded; None if it has upgraded nothing.
        kept_copy: the copy of the database that `open` has made before the upgrade; None if it has made none.
    """

    longest_wait: float
    upgraded_from: int | None
    kept_copy: Path | None

    @property
    def dialect(self) -> Dialect:
        """How the engine expresses the SQL of the repositories."""
        ...

    @property
    def writers(self) -> int:
        """How many transactions can write at once."""
        ...

    @property
    def threaded(self) -> bool:
        """Whether threads of this process do the work, which need the GIL to start it."""
        ...

    @property
    def has_concurrent_writers(self) -> bool:
        """Whether other transactions, also of other processes, write at the same time."""
        ...

    async def open(self) -> None:
        """Connect, and bring the schema up to date."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...

    def read(self, *, snapshot: bool = False) -> AbstractAsyncContextManager[Session]:
        """Lend a connection for reading."""
        ...

    async def give_way(self) -> None:
        """Wait a moment if `read_whole` needs the GIL. Long work of the event loop calls it now and then."""
        ...

    async def read_whole(self, work: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """Lend a connection to *work*, which awaits nothing else. A `threaded` engine runs it in a thread."""
        ...

    async def write(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run *work* in one transaction: committed if it returns, rolled back if it raises."""
        ...

    async def update_statistics(self) -> None:
        """Update the statistics of the query planner if the tables have grown much."""
        ...

    async def find_version(self) -> int:
        """Return the version of the stored schema. It is called instead of `open`, and writes nothing."""
        ...

    async def copy_into(self, file: Path) -> bool:
        """Write a snapshot of the whole database into an empty SQLite file, if the engine can do that."""
        ...

    async def vacuum(self) -> VacuumReport:
        """Give unused space back, and update the statistics of the query planner."""
        ...

    def changes_made(self) -> int:
        """Return how many rows this engine's connections have inserted, updated and deleted."""
        ...

    def give_up_waiting(self) -> None:
        """Stop waiting for locks of other processes: a write that waits for one fails."""
        ...
