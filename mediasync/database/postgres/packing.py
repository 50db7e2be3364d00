"""Sets of rows as parameters: each column travels as one value.

A column of numbers or texts is packed into one text, which costs the driver far less than an array of the
values. Commas separate numbers; a control character that hardly any text contains separates texts. Where a
text contains it, the columns travel as arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Final

TYPES: Final = {"integer": "bigint", "text": "text", "real": "float8"}
"""PostgreSQL's types for those that the macro ``@rows`` names."""

_SEPARATOR: Final = "\x1f"
_MISSING: Final = "\x1a"

UNPACKED: Final = {
    "integer": "string_to_array({0}, ',', 'None')::bigint[]",
    "real": "string_to_array({0}, ',', 'None')::float8[]",
    "text": "string_to_array({0}, E'\\x1f', E'\\x1a')",
}
"""The expression that unpacks the parameter ``{0}`` into an array, by the column's type."""


class CannotBePacked(Exception):
    """A text contains the character that would separate it from the next."""


def columns_of(rows: Sequence[Any]) -> tuple[list[Any], ...] | list[Any]:
    """Return rows as columns; a list of plain values stays as it is."""
    if not rows or not isinstance(rows[0], list | tuple):
        return list(rows)
    return tuple(map(list, zip_longest(*rows)))


def column(columns: Sequence[list[Any]], index: int) -> list[Any]:
    """Return a column; one that no row has is empty in all rows."""
    if index < len(columns):
        return columns[index]
    return [None] * len(columns[0]) if columns else []


def pack_numbers(numbers: Sequence[Any]) -> str:
    """Return a column of numbers as one text."""
    return ",".join(map(str, numbers))


def pack_texts(texts: list[Any]) -> str:
    """Return a column of texts as one text.

    Raises:
        CannotBePacked: if a text contains one of the two control characters.
    """
    missing = texts.count(None)
    known = [_MISSING if text is None else text for text in texts] if missing else texts
    packed = _SEPARATOR.join(known)
    if (
        packed.count(_SEPARATOR) != max(len(texts) - 1, 0)
        or packed.count(_MISSING) != missing
        or (not packed and texts)  # one empty text would be unpacked as no text
    ):
        raise CannotBePacked
    return packed
