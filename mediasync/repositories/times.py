"""Stored times as Python's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, overload

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@overload
def to_datetime(milliseconds: int) -> datetime: ...
@overload
def to_datetime(milliseconds: None) -> None: ...
@lru_cache(maxsize=4_096)  # the rows of a page were mostly saved together
def to_datetime(milliseconds: int | None) -> datetime | None:
    """Return the time *milliseconds* after the beginning of 1970, UTC.

    Example:
        >>> to_datetime(1500).isoformat()
        '1970-01-01T00:00:01.500000+00:00'
    """
    return None if milliseconds is None else _EPOCH + timedelta(milliseconds=milliseconds)
