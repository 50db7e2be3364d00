"""Up to when a server was read, so that the next sync reads only what was saved since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

OVERLAP: Final = timedelta(hours=1)
"""Listed again although it was listed: what was being saved meanwhile, under a clock that is not the server's
own where a proxy answers with its time."""

ALL_AGAIN: Final = timedelta(days=7)
"""After so long all people are listed again, and all items without Etags are read again: that nothing is
listed as saved since proves nothing."""


@dataclass(frozen=True, slots=True)
class SavedWatermark:
    """What is kept of one sync for the next.

    Attributes:
        since: all that was saved before was read.
        all_at: when all people were listed last.
        items_at: when all items of a library were read last, by the library's id; of those libraries whose
            items have no Etags.

    Example:
        >>> noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
        >>> mark = SavedWatermark.after(noon, None)
        >>> str(mark)
        '{"people": "2026-11-22T11:00:00Z", "all_people": "2026-11-22T12:00:00Z"}'
        >>> SavedWatermark.parse(str(mark)) == mark
        True
        >>> mark.holds(noon + timedelta(days=1)), mark.holds(noon + timedelta(days=8))
        (True, False)
    """

    since: datetime
    all_at: datetime
    items_at: Mapping[str, datetime] = field(default_factory=dict)

    @classmethod
    def after(cls, now: datetime, last: SavedWatermark | None) -> SavedWatermark:
        """Return the watermark of a sync that began at *now*, by the server's clock.

        Args:
            now: see there.
            last: the watermark since which people were listed; None if all were.
        """
        return cls(now - OVERLAP, last.all_at if last else now)

    @classmethod
    def parse(cls, text: str) -> SavedWatermark | None:
        """Return what *text* says, or None if it is no watermark."""
        try:
            said = json.loads(text)
            since, all_at = (datetime.fromisoformat(said[name]) for name in ("people", "all_people"))
            items_at = {
                library_id: datetime.fromisoformat(text) for library_id, text in said.get("items", {}).items()
            }
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        known = all(time.tzinfo for time in (since, all_at, *items_at.values()))
        return cls(since, all_at, items_at) if known else None

    def __str__(self) -> str:
        items = {library_id: iso(time) for library_id, time in self.items_at.items()}
        said = {"people": iso(self.since), "all_people": iso(self.all_at)}
        return json.dumps(said | {"items": items} if items else said)

    def holds(self, now: datetime) -> bool:
        """Tell whether it is enough to list who was saved since; not if the server's clock was set back."""
        return self.since <= now < self.all_at + ALL_AGAIN

    def holds_for(self, library_id: str, now: datetime) -> bool:
        """Return whether it is enough to read those items of a library that were saved since."""
        read_at = self.items_at.get(library_id)
        return read_at is not None and self.since <= now < read_at + ALL_AGAIN


def iso(time: datetime) -> str:
    """Return a time as the server reads it."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
