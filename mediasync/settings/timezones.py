"""Time zones by name."""

from __future__ import annotations

from zoneinfo import ZoneInfo


def find_timezone(name: str) -> ZoneInfo:
    """Return the time zone of a name such as ``Europe/Berlin``.

    Raises:
        ValueError: if this machine knows no such time zone.

    Example:
        >>> find_timezone("UTC")
        zoneinfo.ZoneInfo(key='UTC')
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is not a time zone that this machine knows: write Europe/Berlin, or UTC"
        ) from None
