"""What differs between database engines, behind one protocol.

Repositories hold one SQL text for all engines. It may use seven macros, which each dialect writes out:

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

Parameters are named, ``:name``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mediasync.errors import DatabaseError
from mediasync.known import KnownPeople

Params = Mapping[str, Any]


def names_of(columns: str) -> list[str]:
    """Return the names in a list of columns with their types."""
    return [column.split()[0] for column in columns.split(",")]


def insertion(table: str, columns: str) -> str:
    """Return the statement that inserts the rows in the parameter ``rows`` into a table as they are."""
    names = ", ".join(names_of(columns))
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM @rows(:rows, {columns}) r"


class Session(Protocol):
    """An open transaction or snapshot: what repositories are given.

    Attributes:
        now: the time of the transaction, in milliseconds since 1970, UTC.
        known_people: who need not be looked up to be saved; of use in transactions only.
        clustered: whether a table without a row id keeps its rows in the order of its key, however they come.
        crowded: whether other transactions write at the same time. What they may have to wait for is then
            written as late as can be.
    """

    now: int
    known_people: KnownPeople
    clustered: bool
    crowded: bool

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
