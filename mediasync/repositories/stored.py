"""Stored rows as models, although other hands may have changed a row, or a bit of the file has flipped."""

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
    """Collect what cannot be read, as (subject, reason), instead of logging it."""
    flaws: list[tuple[str, str]] = []
    token = _flaws.set(flaws)
    try:
        yield flaws
    finally:
        _flaws.reset(token)


def note_flaw(subject: str, reason: str) -> None:
    """Log what cannot be read of a row, or collect it."""
    if (flaws := _flaws.get()) is not None:
        flaws.append((subject, reason))
    else:
        text = storable(f"{subject}: {reason}")
        _LOG.warning("%s; mediasync check lists all that cannot be read", text)


def read_model(cls: type[M], subject: str, values: dict[str, Any]) -> M | None:
    """Return a model of stored values, so that one bad row never fails a page.

    What a field may not hold is left out and logged as a warning. `mediasync.MediaSync.check` finds it, too.

    Args:
        cls: the model.
        subject: the row, as the log names it.
        values: of its fields.

    Returns:
        None if a field that the model needs cannot be read.
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
    """Return what a stored text says in JSON; what is not of the *expected* type is left out."""
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
