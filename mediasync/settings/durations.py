"""Lengths of time as people write them: ``6h``, ``1d 12h``, ``90 min``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_LENGTHS: Final = re.compile(
    r"(?i)(\d+(?:\.\d+)?)\s*(weeks?|w|days?|d|hours?|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])"
)
_SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


def parse_duration(text: str) -> timedelta:
    """Parse a length of time.

    Raises:
        ValueError: if the text is not a length of time.

    Example:
        >>> parse_duration("26h") == parse_duration("1d 2h") == parse_duration("1560 min")
        True
    """
    parts = _LENGTHS.findall(text)
    if not parts or _LENGTHS.sub("", text).strip():
        raise ValueError(f"{text!r} is not a length of time: write 26h, 90min or 2d")
    try:
        return timedelta(seconds=sum(float(number) * _SECONDS[unit[0].lower()] for number, unit in parts))
    except OverflowError:
        raise ValueError(f"{text!r} is too long a time") from None
