"""How long to wait before a retry, and the times in servers' headers."""

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
    """Return how long to wait, in seconds: exponential backoff with jitter and a limit.

    Args:
        failures: how many tries have failed in a row, at least 1.
        first: the longest pause after the first failure, in seconds.

    Example:
        >>> 0.25 <= pause(1, 0.5) <= 0.5
        True
    """
    longest = min(first * math.ldexp(1, min(failures - 1, _LARGEST_EXPONENT)), LONGEST_PAUSE)
    return longest * (0.5 + random.random() / 2)  # noqa: S311


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks to wait, or None if it gives none.

    Args:
        value: the header: a number of seconds, or a date.
        now: the time from which a date is counted.

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
    """Return the time in a header like ``Date``, or None if it holds none.

    Example:
        >>> http_date("Sun, 22 Nov 2026 15:18:16 GMT")
        datetime.datetime(2026, 11, 22, 15, 18, 16, tzinfo=datetime.timezone.utc)
    """
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
