"""Up to when a server's people have been compared, so that the next sync lists only who was saved since."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

OVERLAP: Final = timedelta(hours=1)
"""Listed again although it was listed: what was being saved meanwhile, under a clock that is not the server's
own where a proxy answers with its time."""

ALL_AGAIN: Final = timedelta(days=7)
"""After so long all people are listed again: that nobody is told to be new proves nothing."""


@dataclass(frozen=True, slots=True)
class PeopleWatermark:
    """What is kept of one sync for the next.

    Attributes:
        since: who was saved before that was compared.
        all_at: when all people were listed last.

    Example:
        >>> noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
        >>> mark = PeopleWatermark.after(noon, None)
        >>> str(mark)
        '{"people": "2026-11-22T11:00:00Z", "all_people": "2026-11-22T12:00:00Z"}'
        >>> PeopleWatermark.parse(str(mark)) == mark
        True
        >>> mark.holds(noon + timedelta(days=1)), mark.holds(noon + timedelta(days=8))
        (True, False)
    """

    since: datetime
    all_at: datetime

    @classmethod
    def after(cls, now: datetime, last: PeopleWatermark | None) -> PeopleWatermark:
        """Return the watermark of a sync that began at *now*, by the server's clock.

        Args:
            now: see there.
            last: the watermark since which people were listed; None if all were.
        """
        return cls(now - OVERLAP, last.all_at if last else now)

    @classmethod
    def parse(cls, text: str) -> PeopleWatermark | None:
        """Return what *text* says, or None if it is no watermark."""
        try:
            said = json.loads(text)
            times = [datetime.fromisoformat(said[name]) for name in ("people", "all_people")]
        except (ValueError, TypeError, KeyError):
            return None
        return cls(*times) if all(time.tzinfo for time in times) else None

    def __str__(self) -> str:
        return json.dumps({"people": iso(self.since), "all_people": iso(self.all_at)})

    def holds(self, now: datetime) -> bool:
        """Tell whether it is enough to list who was saved since; not if the server's clock was set back."""
        return self.since <= now < self.all_at + ALL_AGAIN


def iso(time: datetime) -> str:
    """Return a time as the server reads it."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
