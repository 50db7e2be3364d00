"""The statements that copy the rows of a table, made from its shape.

In each of them ``x`` is the table itself, ``k`` are given keys, and ``r`` are given rows. Where a reference
is translated, the row has the text id in place of the storage key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mediasync.database.tables import Reference


@dataclass(frozen=True, slots=True)
class Shape:
    """How the rows of a table travel.

    Attributes:
        table: the name of the table.
        key: the columns that identify a row in both databases.
        columns: the columns of a row with the types of their values, those of the key first.
        primary_key: the columns of the primary key.
        translated: the references whose storage keys travel as text ids, by column.
    """

    table: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    primary_key: tuple[str, ...]
    translated: Mapping[str, Reference]


def walk(shape: Shape) -> str:
    """Return the query for the rows after a key, without its end."""
    after = ", ".join(f":after{place}" for place in range(len(shape.key)))
    rows = f"{shape.table} x{_targets(shape)}"
    return f"SELECT {_read(shape)} FROM {rows} WHERE ({named('x', shape.key)}) > ({after})"


def at_level(table: str, column: str, reference: Reference, level: int) -> str:
    """Return the condition that so many rows are above a row ``x``.

    Planners cannot use any index for it, so they walk the table in the order of its keys.
    """
    above, cases = f"x.{column}", []
    for number in range(level + 1):
        cases.append(f"WHEN {above} IS NULL THEN {number}")
        above = (
            f"(SELECT p{number}.{column} FROM {table} p{number} WHERE p{number}.{reference.column} = {above})"
        )
    return f"CASE {' '.join(cases)} END = {level}"


def find(shape: Shape) -> str:
    """Return the query for the rows with given keys."""
    return f"SELECT {_read(shape)} {_from_keys(shape, 'x', _targets(shape))}"


def write(shape: Shape, drawn: str | None, cleared: Iterable[str]) -> str:
    """Return the statement that inserts rows, or updates those that exist.

    Args:
        shape: the shape of the table.
        drawn: the storage key that stands before the other columns of a row.
        cleared: the columns that are set to NULL in rows that exist.
    """
    columns = {drawn: "integer", **shape.columns} if drawn else shape.columns
    changes = [f"{column} = excluded.{column}" for column in shape.columns if column not in shape.key]
    changes += [f"{column} = NULL" for column in cleared]
    return _insert(shape, columns, shape.key, changes)


def read_part(part: Shape, column: str, reference: Reference, owner: Shape) -> str:
    """Return the query for the rows that belong to rows with given keys.

    Args:
        part: the shape of the table.
        column: its column that refers to the owner.
        reference: what that column refers to.
        owner: the shape of the owner's table.
    """
    return f"""
    SELECT {_read(part, {column: f"o.{owner.key[0]}"} if column in part.translated else None)}
    {_from_keys(owner, "o", f" CROSS JOIN {part.table} x{_targets(part, column)}")}
    AND x.{column} = o.{reference.column}
    """


def delete_part(part: Shape, column: str, reference: Reference, owner: Shape) -> str:
    """Return the statement that deletes the rows that belong to rows with given keys."""
    return f"""
    DELETE FROM {part.table} WHERE {column} IN (
        SELECT o.{reference.column} {_from_keys(owner, "o")}
    )
    """


def delete_given(part: Shape) -> str:
    """Return the statement that deletes given rows, whose owner has no index."""
    return f"""
    DELETE FROM {part.table} WHERE ({", ".join(part.primary_key)}) IN (
        SELECT {_given(part, part.primary_key)} FROM {_rows(part, part.columns)}
    )
    """


def insert_part(part: Shape) -> str:
    """Return the statement that inserts rows, which may have belonged to another row before."""
    changes = [f"{column} = excluded.{column}" for column in part.columns if column not in part.primary_key]
    return _insert(part, part.columns, part.primary_key, changes)


def named(alias: str, columns: Iterable[str]) -> str:
    """Return a list of columns of a table."""
    return ", ".join(f"{alias}.{column}" for column in columns)


def _insert(shape: Shape, columns: Mapping[str, str], unique: Iterable[str], changes: Iterable[str]) -> str:
    action = f"UPDATE SET {', '.join(changes)}" if changes else "NOTHING"
    return f"""
    INSERT INTO {shape.table} ({", ".join(columns)})
    SELECT {_given(shape, columns)} FROM {_rows(shape, columns)}
    WHERE true
    ON CONFLICT ({", ".join(unique)}) DO {action}
    """


def _read(shape: Shape, known: Mapping[str, str] | None = None) -> str:
    """Return the columns of a row as it travels; *known* has the expressions of some."""
    values = {column: f"x.{column}" for column in shape.columns}
    values |= {column: f"t_{column}.id" for column in shape.translated}
    values |= known or {}
    return ", ".join(f"{value} AS {column}" for column, value in values.items())


def _given(shape: Shape, columns: Iterable[str]) -> str:
    """Return columns of given rows as they are stored."""
    return ", ".join(
        f"t_{column}.{target.column}" if (target := shape.translated.get(column)) else f"r.{column}"
        for column in columns
    )


def _rows(shape: Shape, columns: Mapping[str, str]) -> str:
    """Return the given rows, joined with what they refer to: PostgreSQL is slower if it looks up each one."""
    joins = (
        f" LEFT JOIN {target.table} t_{column} ON t_{column}.id = r.{column}"
        for column, target in shape.translated.items()
    )
    return f"@rows(:rows, {_typed(columns)}) r{''.join(joins)}"


def _from_keys(shape: Shape, alias: str, others: str = "") -> str:
    """Return where the rows with given keys are read from. CROSS: SQLite keeps this order."""
    keys = _typed({column: shape.columns[column] for column in shape.key})
    same = " AND ".join(f"{alias}.{column} = k.{column}" for column in shape.key)
    return f"FROM @rows(:keys, {keys}) k CROSS JOIN {shape.table} {alias}{others} WHERE {same}"


def _targets(shape: Shape, known: str = "") -> str:
    """Return joins with what the rows refer to, except by the column *known*."""
    return "".join(
        f" LEFT JOIN {target.table} t_{column} ON t_{column}.{target.column} = x.{column}"
        for column, target in shape.translated.items()
        if column != known
    )


def _typed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{column} {kind}" for column, kind in columns.items())
