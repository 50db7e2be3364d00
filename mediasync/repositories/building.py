"""Making many models of stored rows, quickly and without holding up the event loop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
Row = Sequence[Any]

_SLICE: Final = 500
_WORTH_A_REST: Final = 100
_set: Final = object.__setattr__


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


def model_maker(cls: type[M]) -> Callable[[dict[str, Any]], M]:
    """Return what makes models of a class of values that are known to be valid, without looking at them.

    It is `pydantic.BaseModel.model_construct` without defaults and aliases, in a third of its time. What
    is returned is given the values of all fields, in their order, in a dict that the model keeps.

    Args:
        cls: a class of models that has no private attributes.
    """
    fields = set(cls.model_fields)  # one for all: what is assigned later is among them already
    new = cls.__new__

    def make(values: dict[str, Any]) -> M:
        model = new(cls)
        _set(model, "__dict__", values)
        _set(model, "__pydantic_fields_set__", fields)
        _set(model, "__pydantic_extra__", None)
        _set(model, "__pydantic_private__", None)
        return model

    return make


async def in_slices(rows: Sequence[Row], make: Callable[[Sequence[Row]], list[T]]) -> list[T]:
    """Make something of many rows, and let the event loop turn in between.

    Args:
        rows: any number of them.
        make: makes a list of some hundred rows, which should take no more than a few milliseconds.

    Returns:
        What was made of all of them.
    """
    made: list[T] = []
    for first in range(0, len(rows), _SLICE):
        if first:
            await asyncio.sleep(0)
        some = rows[first : first + _SLICE]
        if len(some) < _WORTH_A_REST:
            made += make(some)
        else:
            with _collector_at_rest():
                made += make(some)
    return made


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the collector of garbage from looking at what is made.

    It would go through new models time and again, and through all of a large answer at once: 100 ms for
    5,000 items. It can free none of them, as models hold no cycles. What is made is put among the old objects
    at once, which the collector looks at when their number has grown by a quarter.
    """
    if not gc.isenabled() or gc.get_freeze_count():  # who has frozen objects has a plan of their own
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
        gc.unfreeze()
    finally:
        gc.enable()
