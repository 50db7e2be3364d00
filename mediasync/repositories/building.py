"""Building many models from stored rows, quickly and without blocking the event loop for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from mediasync.garbage import paused

T = TypeVar("T")
Row = Sequence[Any]

_SLICE: Final = 500
_WORTH_PAUSING: Final = 100


def select_list(columns: Mapping[str, str]) -> str:
    """Return the select list of a query.

    The mapping is also what names the values of the rows, so the two cannot differ.

    Args:
        columns: what is selected, by the names of the columns.

    Example:
        >>> select_list({"id": "i.id", "year": "i.year"})
        'i.id AS id, i.year AS year'
    """
    return ", ".join(f"{expression} AS {name}" for name, expression in columns.items())


async def in_slices(rows: Sequence[Row], make: Callable[[Sequence[Row]], list[T]]) -> list[T]:
    """Convert rows in slices, and yield to the event loop between them.

    Args:
        rows: any number of rows.
        make: converts some hundred rows, which should take a few milliseconds at most.

    Returns:
        The results of *make* for all rows, in their order.
    """
    made: list[T] = []
    for first in range(0, len(rows), _SLICE):
        if first:
            await asyncio.sleep(0)
        some = rows[first : first + _SLICE]
        if len(some) < _WORTH_PAUSING:
            made += make(some)
        else:
            with paused():
                made += make(some)
    return made
