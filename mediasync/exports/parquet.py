"""Parquet: the tables of items, people and credits with typed columns, by pyarrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO, Final

from mediasync.aio import batched
from mediasync.errors import ConfigurationError
from mediasync.exports.tables import TABLES, Kind, TablesWriter, values_of
from mediasync.settings.distribution import install_command

try:
    import pyarrow as pa
    from pyarrow import parquet as pq
except ImportError as error:
    raise ConfigurationError(
        f"to write Parquet files, pyarrow is needed: {install_command('parquet')}"
    ) from error

ROWS_IN_GROUP: Final = 50_000
"""How many rows a row group has. They are in memory until it is written, in Arrow's compact form."""

_ROWS_AT_ONCE: Final = 2_000
"""How many rows are converted to that form at a time."""

_RATING: Final = pa.struct(
    [pa.field("name", pa.string()), pa.field("value", pa.float64()), pa.field("votes", pa.int64())]
)
_TYPES: Final = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int32(),
    Kind.DATE: pa.date32(),
    Kind.TIME: pa.timestamp("ms", tz="UTC"),
    Kind.TEXTS: pa.list_(pa.string()),
    Kind.PAIRS: pa.map_(pa.string(), pa.string()),
    Kind.RATINGS: pa.list_(_RATING),
}


class ParquetWriter(TablesWriter):
    """Writes ``items.parquet``, ``people.parquet`` and ``credits.parquet``.

    Args:
        open_file: opens a new file.
    """

    def __init__(self, open_file: Callable[[str], BinaryIO]) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._schemas = {
            name: pa.schema([pa.field(column, _TYPES[kind]) for column, (kind, _) in columns.items()])
            for name, columns in TABLES.items()
        }
        self._files = {
            name: self._stack.enter_context(
                pq.ParquetWriter(self._stack.enter_context(open_file(f"{name}.parquet")), schema)
            )
            for name, schema in self._schemas.items()
        }
        self._converted: dict[str, list[Any]] = {name: [] for name in TABLES}

    def _add(self, name: str, models: Sequence[Any]) -> None:
        columns, schema, converted = TABLES[name], self._schemas[name], self._converted[name]
        for some in batched(models, _ROWS_AT_ONCE):
            values = zip(*(values_of(columns, model) for model in some), strict=True)
            arrays = [
                pa.array(map(_plain, column), field.type)
                for column, field in zip(values, schema, strict=True)
            ]
            converted.append(pa.Table.from_arrays(arrays, schema=schema))
            if sum(map(len, converted)) >= ROWS_IN_GROUP:
                self._write(name)
        self.rows[name] += len(models)

    def _write(self, name: str) -> None:
        if converted := self._converted[name]:
            self._files[name].write_table(pa.concat_tables(converted))
            converted.clear()

    def finish(self, change: int) -> None:
        for name in TABLES:
            self._write(name)
        self.close()

    def close(self) -> None:
        self._stack.close()


def _plain(value: Any) -> Any:
    """Return a value as pyarrow takes it: a map as its entries."""
    if isinstance(value, dict):
        return list(value.items())
    return str(value) if isinstance(value, str) else value  # an enum's member is not a plain text
