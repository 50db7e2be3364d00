"""What is copied, and in which order: derived from the tables of ``schema.sql`` and their foreign keys.

Rows of most tables belong to a row of another one: they would be deleted with it, or their primary key names
it. They are copied with it, in one transaction. The other tables are walked page by page, each after those
that it refers to.

A table with a unique text ``id`` and a key that the engine makes is identified by the id. Its storage key
belongs to one database, so the target makes a new one, and every reference to it travels as the id. All other
keys are copied as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mediasync.copying import statements
from mediasync.copying.rules import (
    CLEARED_COLUMNS,
    COMPUTED,
    DESCRIPTIONS,
    KEPT_COLUMNS,
    KEYS_OF_WRITERS,
    NOT_COPIED,
    PAGE_SIZES,
    Description,
)
from mediasync.copying.statements import Shape
from mediasync.database.tables import Reference, Table, tables

Row = tuple[Any, ...]

_PAGE_SIZE: Final = 1_000
_LOWEST: Final[Mapping[str, Any]] = {"integer": -(2**63), "text": ""}


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a table that belong to rows of another one, and are written with them.

    Attributes:
        table: the name of the table.
        read: the query that reads those that belong to the rows with the keys ``:keys``, or a function that
            computes those that belong to one row.
        delete: the statement that deletes them; of computed ones its parameter is ``:rows``.
        insert: the statement that inserts ``:rows``.
    """

    table: str
    read: str | Callable[[Mapping[str, Any]], Iterable[Row]]
    delete: str
    insert: str


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table that is walked page by page.

    Attributes:
        table: the name of the table.
        description: what reports and messages call its rows, and their times.
        columns: the columns of a row as it is read and written, those of the key first.
        key: the columns that identify a row in both databases.
        start: values before those of any key.
        parent: the column that refers to another row of the table, and what it refers to.
        walk: the query for the rows after the key ``:after0``, ``:after1``, …, without its end.
        find: the query for the rows with the keys ``:keys``.
        write: the statement that inserts ``:rows``, or updates those that exist.
        draws_keys: whether a row is written with a new storage key before its other columns.
        numbered: the tables and columns whose numbers are copied although the engine makes new ones.
        parts: what belongs to the rows.
        size: the number of rows in a page.
    """

    table: str
    description: Description
    columns: tuple[str, ...]
    key: tuple[str, ...]
    start: Row
    parent: tuple[str, Reference] | None
    walk: str
    find: str
    write: str
    draws_keys: bool
    numbered: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    size: int

    def page(self, level: int | None = None) -> str:
        """Return the query for a page of rows.

        Args:
            level: how many rows are above each of them: 0 for rows without a parent. None for all rows.
        """
        beside = ""
        if level is not None and self.parent is not None:
            beside = f"AND {statements.at_level(self.table, *self.parent, level)} "
        return f"{self.walk} {beside}ORDER BY {statements.named('x', self.key)} LIMIT :limit"

    def key_of(self, row: Row) -> Row:
        """Return the key of a row."""
        return row[: len(self.key)]

    def created(self, row: Row) -> Any:
        """Return when a row was made, or None if that is not stored."""
        return self._first(row, (self.description.created,))

    def changed(self, row: Row) -> Any:
        """Return when a row was last changed, or None if that is not stored."""
        return self._first(row, self.description.changed)

    def _first(self, row: Row, columns: Sequence[str]) -> Any:
        values = (row[self.columns.index(column)] for column in columns if column in self.columns)
        return next((value for value in values if value is not None), None)


def copied_tables() -> list[CopiedTable]:
    """Return the tables that are walked, each after those that its rows and their parts refer to.

    Raises:
        ValueError: if a table can be copied by no rule and is not declared in `mediasync.copying.rules`.
    """
    return _Schema(tables()).in_order()


class _Schema:
    """The tables that are copied, with the references that have no foreign key."""

    def __init__(self, found: Sequence[Table]) -> None:
        self._tables = {table.name: _with_reference(table) for table in found if table.name not in NOT_COPIED}
        for name, table in self._tables.items():
            if not table.key:
                raise ValueError(
                    f"the table {name} cannot be copied: give it a primary key, or name it in NOT_COPIED of "
                    "mediasync/copying/rules.py"
                )

    def in_order(self) -> list[CopiedTable]:
        waiting = [table for table in self._tables.values() if self._owner_column(table) is None]
        found = []
        while waiting:
            names = {table.name for table in waiting}
            ready = next((table for table in waiting if not self._needs(table) & names), None)
            if ready is None:
                raise ValueError(f"the tables {', '.join(sorted(names))} refer to each other in a circle")
            waiting.remove(ready)
            found.append(self._copied(ready))
        return found

    def _owner_column(self, table: Table) -> str | None:
        """Return the column that refers to the row that a row belongs to, or None if it belongs to none."""
        if _storage_key(table):
            return None
        for column, reference in table.references.items():
            target = self._tables[reference.table]
            if (reference.cascades or column in table.key) and target is not table:
                return column if self._owner_column(target) is None else None
        return None

    def _parts(self, owner: Table) -> list[tuple[Table, str]]:
        """Return the tables whose rows belong to those of *owner*, with the columns that refer to it."""
        return [
            (table, column)
            for table in self._tables.values()
            if (column := self._owner_column(table)) and table.references[column].table == owner.name
        ]

    def _needs(self, table: Table) -> set[str]:
        """Return the tables that must be walked before a table."""
        needed = set()
        for one in (table, *(part for part, _ in self._parts(table))):
            for reference in one.references.values():
                target = self._tables[reference.table]
                column = self._owner_column(target)
                needed.add(target.references[column].table if column else target.name)
        return needed - {table.name}

    def _copied(self, table: Table) -> CopiedTable:
        shape, parts = self._shape(table), self._parts(table)
        storage_key = _storage_key(table) if table.name in KEYS_OF_WRITERS else None
        parents = [pair for pair in table.references.items() if pair[1].table == table.name]
        if len(parents) > 1:
            raise ValueError(f"rows of the table {table.name} refer to other rows of it by several columns")
        return CopiedTable(
            table=table.name,
            description=DESCRIPTIONS.get(
                table.name, Description(table.name, f"row of {table.name} with the key")
            ),
            columns=tuple(shape.columns),
            key=shape.key,
            start=tuple(_LOWEST[shape.columns[column]] for column in shape.key),
            parent=parents[0] if parents else None,
            walk=statements.walk(shape),
            find=statements.find(shape),
            write=statements.write(shape, storage_key, _of(table, CLEARED_COLUMNS)),
            draws_keys=storage_key is not None,
            numbered=tuple(
                (one.name, one.numbered)
                for one in (table, *(part for part, _ in parts))
                if one.numbered and not _storage_key(one)
            ),
            parts=tuple(self._part(part, column, shape) for part, column in parts),
            size=PAGE_SIZES.get(table.name, _PAGE_SIZE),
        )

    def _part(self, table: Table, column: str, owner: Shape) -> Part:
        shape, insert = self._shape(table), statements.insert_part(self._shape(table))
        if table.name in COMPUTED:
            return Part(table.name, COMPUTED[table.name].rows, statements.delete_given(shape), insert)
        of_owner = (shape, column, table.references[column], owner)
        return Part(table.name, statements.read_part(*of_owner), statements.delete_part(*of_owner), insert)

    def _shape(self, table: Table) -> Shape:
        storage_key = _storage_key(table)
        translated = {
            column: reference
            for column, reference in table.references.items()
            if reference.column == _storage_key(self._tables[reference.table])
        }
        key = ("id",) if storage_key else table.key
        left_out = {storage_key, *_of(table, KEPT_COLUMNS), *_of(table, CLEARED_COLUMNS)}
        columns = [*key, *(column for column in table.columns if column not in {*key, *left_out})]
        types = {column: "text" if column in translated else table.columns[column] for column in columns}
        return Shape(table.name, key, types, table.key, translated)


def _with_reference(table: Table) -> Table:
    """Return a table with the reference of computed rows to their owner."""
    if table.name not in COMPUTED:
        return table
    computed = COMPUTED[table.name]
    return replace(table, references={**table.references, computed.column: computed.reference})


def _storage_key(table: Table) -> str | None:
    """Return the key of a table that belongs to one database alone, or None if its keys are copied."""
    return table.numbered if "id" in table.unique else None


def _of(table: Table, columns: Iterable[tuple[str, str]]) -> list[str]:
    return [column for name, column in columns if name == table.name]
