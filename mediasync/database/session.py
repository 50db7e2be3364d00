"""What differs between database engines, behind one protocol.

Repositories hold one SQL text for all engines. It may use nine macros, which each dialect writes out:

``@rows(:name, id text, year integer)``
    a derived table of the rows in the parameter *name* (a list of equally long sequences), with these
    columns and ``n``, the row's position from 0.
``@list(:name)``
    a derived table of the texts in the parameter *name* (a list), with the columns ``n`` and ``id``.
``@lock(alias)``
    at the end of a query: its rows of that table are kept from other transactions until this one ends.
    Where only one transaction writes at a time, it says nothing.
``@lockfully(alias)``
    the same, and no other transaction can store what points at those rows.
``@inorder(alias)``
    at the end of a query over ``@rows``: its rows are written in the order in which they were given, whatever
    they are joined with. Where only one transaction writes at a time, it says nothing.
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

Parameters are named, ``:name``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol, TypeVar

from mediasync.errors import DatabaseError
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
    """A cache of people already in the database. The engine clears it after rollbacks and foreign writes.

    Attributes:
        others_are_new: whether most people who were not in the cache lately were not stored either. Inserting
            the next ones at once is then quicker than looking them up before.
    """

    others_are_new: bool

    @property
    def remembers(self) -> bool:
        """Whether anybody is remembered at all."""
        ...

    def split(self, people: Iterable[PersonRow]) -> tuple[dict[str, int], list[PersonRow]]:
        """Return the storage keys, by id, of those whose very row is stored, and the rows of the others."""
        ...

    def add(self, people: Iterable[PersonRow], keys: dict[str, int]) -> None:
        """Note that the rows of *people* are stored, with *keys* by their ids."""
        ...

    def discard(self, person_id: str) -> None:
        """Forget one person."""
        ...

    def clear(self) -> None:
        """Forget everybody."""
        ...


class NoPeopleCache:
    """A cache that remembers nobody: for engines where other processes may change any person meanwhile."""

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
    """An open transaction or snapshot: what repositories are given.

    Attributes:
        now: the time of the transaction, in milliseconds since 1970, UTC.
        people_cache: people whom a transaction can save without a SELECT.
        keeps_primary_key_order: whether a table without a row id keeps its rows in the order of its primary
            key, in whatever order they are inserted.
        has_concurrent_writers: whether other transactions write at the same time. Rows that make them wait
            are then written as late as possible.
    """

    now: int
    people_cache: PeopleCache
    keeps_primary_key_order: bool
    has_concurrent_writers: bool

    def new_keys(self, source_id: str, count: int) -> Sequence[int]:
        """Return storage keys for rows that will be new, ascending.

        Args:
            source_id: the source that they are of.
            count: how many.

        Raises:
            UnknownSource: if the source is not stored.
        """
        ...

    async def execute(self, sql: str, params: Params | None = None) -> int:
        """Run a statement and return the number of rows that it wrote."""
        ...

    async def insert(self, table: str, columns: str, rows: list[Any]) -> int:
        """Insert rows as they are, in the way that is quickest, and return how many there were.

        Args:
            table: into which.
            columns: and their types, as the macro ``@rows`` names them.
            rows: equally long sequences; none of them is in the table.
        """
        ...

    async def fetch_all(self, sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """Run a query, whose columns must have different names, and return its rows.

        They are tuples, or what can be read like tuples.
        """
        ...


class Dialect(Protocol):
    """One engine's way of saying what repositories say.

    Attributes:
        name: of the engine.
        integrity_checks: the engine's own checks of its storage: a name, and a query for (subject, reason)
            of what is broken.
    """

    name: str
    integrity_checks: tuple[tuple[str, str], ...]

    def translate(self, sql: str) -> str:
        """Return *sql* with the macros written out for this engine."""
        ...

    def continue_numbers(self, table: str, column: str) -> str | None:
        """Return the query after which new rows of a table are numbered behind those that are there.

        Args:
            table: whose rows the engine numbers, and into which numbered ones were inserted.
            column: of the numbers.

        Returns:
            None if the engine does so by itself.
        """
        ...

    def translate_error(self, error: Exception, subject: str) -> DatabaseError | None:
        """Return the error of this package that a driver's *error* means, or None if it is no driver's.

        Args:
            error: what was raised.
            subject: the database, as it may be named to people.
        """
        ...


T = TypeVar("T")


class Engine(Protocol):
    """The connections to one database.

    Attributes:
        longest_wait: the longest time, in seconds, that a transaction waited to begin.
    """

    longest_wait: float

    @property
    def dialect(self) -> Dialect:
        """How the engine says what repositories say."""
        ...

    @property
    def writers(self) -> int:
        """How many transactions can write at once."""
        ...

    @property
    def threaded(self) -> bool:
        """Whether threads of this process do the work, and need the interpreter's lock to take it up."""
        ...

    @property
    def max_group_items(self) -> int:
        """How many items one transaction saves at most."""
        ...

    @property
    def max_group_credits(self) -> int:
        """With how many credits a transaction takes no more items."""
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

    async def write(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run *work* in one transaction: committed if it returns, rolled back if it raises."""
        ...

    async def update_statistics(self) -> None:
        """Gather anew what the planner of queries knows of the tables, if they have grown much."""
        ...

    def changes_made(self) -> int:
        """Return how many rows this engine's connections have inserted, updated and deleted."""
        ...

    def give_up_waiting(self) -> None:
        """Wait no more for locks of others: what waits for one fails."""
        ...
