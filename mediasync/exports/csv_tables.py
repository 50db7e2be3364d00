"""CSV: the tables of items, people and credits, as RFC 4180 has it, in UTF-8 with a header.

A list is one cell: its values with ``|`` between them, each pair as ``key=value``. A backslash stands before
a ``|``, a ``=`` or a backslash that belongs to a value. A missing value is an empty cell.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from typing import Any, BinaryIO, Final, TextIO

from mediasync.exports.tables import TABLES, Kind, TablesWriter, values_of

_SPECIAL: Final = re.compile(r"[\\|=]")
_FORMULA: Final = re.compile(r"[=+\-@\t\r\n]")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_MARK: Final = "\ufeff"


def joined(values: Sequence[str]) -> str:
    """Return a list as one cell.

    Example:
        >>> joined(["Crime", "Sci|Fi"])
        'Crime|Sci\\\\|Fi'
    """
    return "|".join(map(_escaped, values))


def joined_pairs(pairs: Sequence[tuple[str, ...]]) -> str:
    """Return pairs as one cell.

    Example:
        >>> joined_pairs([("imdb", "tt0113277"), ("tmdb", "949")])
        'imdb=tt0113277|tmdb=949'
    """
    return "|".join("=".join(map(_escaped, pair)) for pair in pairs)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe before it, if need be.

    Example:
        >>> harmless("=1+1"), harmless("Heat"), harmless("-5")
        ("'=1+1", 'Heat', '-5')
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def cell(kind: Kind, value: Any) -> str:
    """Return the cell of a value."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    if isinstance(value, date):
        return value.isoformat()
    if kind is Kind.TEXTS:
        return joined(value)
    if kind is Kind.PAIRS:
        return joined_pairs(list(value.items()))
    if kind is Kind.RATINGS:
        return joined_pairs(
            [
                (one["name"], repr(one["value"]), *([] if one["votes"] is None else [str(one["votes"])]))
                for one in value
            ]
        )
    return str(value)


class CsvWriter(TablesWriter):
    """Writes ``items.csv``, ``people.csv`` and ``credits.csv``.

    Args:
        open_file: opens a new file.
        for_spreadsheets: make cells harmless that a spreadsheet would take for a formula, and begin each file
            with the mark by which Excel recognises UTF-8.
    """

    def __init__(self, open_file: Callable[[str], BinaryIO], *, for_spreadsheets: bool) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._harmless = harmless if for_spreadsheets else str
        self._files: dict[str, TextIO] = {}
        for name, columns in TABLES.items():
            file = io.TextIOWrapper(open_file(f"{name}.csv"), encoding="utf-8", newline="")
            self._files[name] = self._stack.enter_context(file)
            file.write(_MARK if for_spreadsheets else "")
            csv.writer(file).writerow(columns)

    def _add(self, name: str, models: Sequence[Any]) -> None:
        columns = TABLES[name]
        kinds = [kind for kind, _ in columns.values()]
        csv.writer(self._files[name]).writerows(
            [
                self._harmless(cell(kind, value))
                for kind, value in zip(kinds, values_of(columns, model), strict=True)
            ]
            for model in models
        )
        self.rows[name] += len(models)

    def finish(self, change: int) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()
