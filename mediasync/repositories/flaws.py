"""Reading stored values that another program, or a damaged file, may have changed.

A value that cannot be read is left out and noted as a flaw, so that one bad row never fails a page.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from mediasync.text import storable

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)

_flaws: ContextVar[list[tuple[str, str]] | None] = ContextVar("flaws", default=None)


@contextmanager
def collecting_flaws() -> Iterator[list[tuple[str, str]]]:
    """Collect the flaws that are noted meanwhile, as (subject, reason), instead of logging them."""
    flaws: list[tuple[str, str]] = []
    token = _flaws.set(flaws)
    try:
        yield flaws
    finally:
        _flaws.reset(token)


def note_flaw(subject: str, reason: str) -> None:
    """Note that a stored value cannot be read: it is logged as a warning, or collected.

    Args:
        subject: the row, as the log names it.
        reason: which value is left out, and why.
    """
    if (flaws := _flaws.get()) is not None:
        flaws.append((subject, reason))
    else:
        text = storable(f"{subject}: {reason}")
        _LOG.warning("%s; mediasync check lists all that cannot be read", text)


def read_model(cls: type[M], subject: str, values: dict[str, Any]) -> M | None:
    """Return a model of stored values. Invalid values are left out and noted as flaws.

    Args:
        cls: the class of the model.
        subject: the row, as the log names it.
        values: the values by the names of the model's fields.

    Returns:
        None if a required field cannot be read.
    """
    flaws: dict[str, str] = {}
    for _ in range(2):
        try:
            return cls(**{name: value for name, value in values.items() if name not in flaws})
        except ValidationError as error:
            found = {str(flaw["loc"][0]): flaw["msg"] for flaw in error.errors(include_url=False)}
            flaws |= found
            for name, reason in found.items():
                note_flaw(subject, f"the stored {name} cannot be read and is left out ({reason})")
    note_flaw(subject, "it cannot be read at all and is left out")
    return None


def read_json(subject: str, text: str | None, expected: type[T]) -> T:
    """Return the value of a stored JSON text.

    A text that cannot be read, or holds a value of another type than *expected*, is noted as a flaw and read
    as an empty value.
    """
    if not text or (text == "[]" and expected is list):
        return expected()
    try:
        found = json.loads(text)
    except ValueError as error:
        note_flaw(subject, f"stored JSON cannot be read and is left out ({error})")
        return expected()
    if isinstance(found, expected):
        return found
    note_flaw(subject, f"stored JSON is not a {expected.__name__} and is left out")
    return expected()
