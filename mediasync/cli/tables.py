"""Answers as CSV, for commands that list rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from mediasync.cli.output import Output
from mediasync.display import safe
from mediasync.errors import UsageError

CsvOption = Annotated[
    bool,
    typer.Option("--csv", help="Write the rows as CSV to standard output, with the names of the columns."),
]


def check_format(out: Output, *, as_csv: bool) -> None:
    """Raise `UsageError` if both ``--json`` and ``--csv`` were given."""
    if as_csv and out.as_json:
        raise UsageError("--json and --csv exclude each other: give only one of them")


def write_csv(out: Output, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows as CSV, below the names of their columns; see `write_rows`."""
    write_rows(out, [header, *rows])


def write_rows(out: Output, rows: Iterable[Sequence[Any]]) -> None:
    """Write rows as CSV. A missing value is an empty cell. For a terminal, control characters are shown.

    Raises:
        OutputFailed: as `Output.print` does.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        cells = ("" if cell is None else str(cell) for cell in row)
        writer.writerow(list(map(safe, cells)) if out.is_screen else list(cells))
    out.write(text.getvalue())
