"""What ``schema.sql`` says of its tables and views: columns, keys and references.

SQLite itself reads the text, into a database in memory. PostgreSQL gets the same tables from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mediasync.database import schema

_TYPES: Final = {"INTEGER": "integer", "REAL": "real", "TEXT": "text"}

_TABLES: Final = "SELECT name FROM sqlite_schema WHERE type = :type ORDER BY rowid"
_COLUMNS: Final = 'SELECT name, type, "notnull", pk FROM pragma_table_info(:name) ORDER BY cid'
_REFERENCES: Final = """
SELECT "from", "table", "to", on_delete = 'CASCADE', seq FROM pragma_foreign_key_list(:name)
"""
_UNIQUE: Final = """
SELECT min(i.name) FROM pragma_index_list(:name) l, pragma_index_info(l.name) i
WHERE l."unique" AND NOT l.partial GROUP BY l.name HAVING count(*) = 1
"""


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key of one column.

    Attributes:
        table: the table that it refers to.
        column: the column of that table.
        cascades: whether a row is deleted together with the one that it refers to.
    """

    table: str
    column: str
    cascades: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the schema.

    Attributes:
        name: its name.
        columns: its columns with their types (``integer``, ``real`` or ``text``), in order.
        key: the columns of the primary key.
        numbered: the column whose values the engine makes, if there is one.
        unique: the columns that are unique each for itself.
        references: the foreign keys by their columns, in the order of the columns.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    numbered: str | None
    unique: frozenset[str]
    references: Mapping[str, Reference]


def tables() -> list[Table]:
    """Return the tables of ``schema.sql``, in its order.

    Raises:
        ValueError: if a foreign key has several columns.
    """
    return list(_read(schema.schema_text())[0])


def view_columns() -> dict[str, dict[str, str]]:
    """Return the columns of each view of ``schema.sql`` with their types; a computed one has the type ''."""
    return _read(schema.schema_text())[1]


@lru_cache(maxsize=2)
def _read(text: str) -> tuple[tuple[Table, ...], dict[str, dict[str, str]]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in (*schema.statements("tables", text), *schema.statements("views", text)):
            connection.execute(statement)
        found = tuple(_table(connection, name) for (name,) in connection.execute(_TABLES, {"type": "table"}))
        views = {
            name: {
                column: _TYPES.get(kind, "")
                for column, kind, *_ in connection.execute(_COLUMNS, {"name": name})
            }
            for (name,) in connection.execute(_TABLES, {"type": "view"})
        }
    return found, views


def _table(connection: sqlite3.Connection, name: str) -> Table:
    named = {"name": name}
    columns = connection.execute(_COLUMNS, named).fetchall()
    references: dict[str, Reference] = {}
    for column, target, to, cascades, seq in connection.execute(_REFERENCES, named):
        if seq:
            raise ValueError(f"a foreign key of the table {name} has several columns, which nothing supports")
        references[column] = Reference(target, to, bool(cascades))
    key = tuple(column for column, *_, place in sorted(columns, key=lambda row: row[3]) if place)
    # An INTEGER PRIMARY KEY takes NULL: SQLite then makes the number. PostgreSQL gets a sequence for it.
    numbers = len(key) == 1 and (key[0], "INTEGER", 0, 1) in columns
    return Table(
        name,
        {column: _TYPES[kind] for column, kind, *_ in columns},
        key,
        key[0] if numbers else None,
        frozenset(column for (column,) in connection.execute(_UNIQUE, named)),
        {column: references[column] for column, *_ in columns if column in references},
    )
