"""Stored times, as datetimes."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, overload

_LOG: Final = logging.getLogger(__name__)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@overload
def to_datetime(milliseconds: int) -> datetime | None: ...
@overload
def to_datetime(milliseconds: None) -> None: ...
@lru_cache(maxsize=4_096)  # the rows of a page were mostly saved together
def to_datetime(milliseconds: int | None) -> datetime | None:
    """Return the time *milliseconds* after the beginning of 1970, UTC.

    A number that is not a time, which another program has stored, is logged and read as None.

    Example:
        >>> to_datetime(1500).isoformat()
        '1970-01-01T00:00:01.500000+00:00'
    """
    if milliseconds is None:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except (OverflowError, TypeError) as error:
        _LOG.warning("the stored time %r cannot be read and is left out (%s)", milliseconds, error)
        return None


def to_text(milliseconds: int) -> str | None:
    """Return the same time as the views show it, or None if it cannot be read.

    Example:
        >>> to_text(1500)
        '1970-01-01T00:00:01.500Z'
    """
    if (time := to_datetime(milliseconds)) is None:
        return None
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
