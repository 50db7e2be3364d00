"""Building many models from stored rows, quickly and without blocking the event loop for long."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

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
            with _collector_paused():
                made += make(some)
    return made


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector while models are made, and put them among the old objects.

    It would scan new models again and again, and all of a large result at once (100 ms for 5,000 items), and
    could free none of them, because models have no cycles. Old objects are only scanned when their number has
    grown by a quarter.
    """
    if not gc.isenabled() or gc.get_freeze_count():  # a program that froze objects controls this itself
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
        gc.unfreeze()
    finally:
        gc.enable()
