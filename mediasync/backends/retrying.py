"""How long to wait before a request is sent again, and the times that servers tell."""

from __future__ import annotations

import math
import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_PAUSE: Final = 30.0

_SECONDS: Final = re.compile(r"\d{1,9}(\.\d+)?")
_LARGEST_EXPONENT: Final = 32


def pause(failures: int, first: float) -> float:
    """Return the seconds to wait after so many failures in a row: doubling, bounded, with jitter.

    Args:
        failures: 1 after the first failure.
        first: the longest pause after the first failure.

    Example:
        >>> 0.25 <= pause(1, 0.5) <= 0.5
        True
    """
    longest = min(first * math.ldexp(1, min(failures - 1, _LARGEST_EXPONENT)), LONGEST_PAUSE)
    return longest * (0.5 + random.random() / 2)  # noqa: S311


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks to wait, or None if it says nothing.

    Args:
        value: the header: a number of seconds, or a date.
        now: against which a date is held.

    Example:
        >>> retry_after("120", datetime.now(UTC))
        120.0
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    date = http_date(text)
    return None if date is None else max((date - now).total_seconds(), 0.0)


def http_date(text: str) -> datetime | None:
    """Return the time of a header like ``Date``, or None if it is none.

    Example:
        >>> http_date("Sun, 22 Nov 2026 15:18:16 GMT")
        datetime.datetime(2026, 11, 22, 15, 18, 16, tzinfo=datetime.timezone.utc)
    """
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
