"""The watermark: up to what time a server was read, so that the next sync reads only what was saved since."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

OVERLAP: Final = timedelta(hours=1)
"""How far before this sync's beginning the next one starts to read. A change that was being saved meanwhile
could otherwise be missed, and a proxy's ``Date`` may be ahead of the server's clock."""

LONGEST_PARTIAL: Final = timedelta(days=7)
"""After so long all people are listed: an empty answer to "saved since" proves nothing."""


@dataclass(frozen=True, slots=True)
class SavedWatermark:
    """What one sync leaves for the next.

    Attributes:
        since: everything saved before this time was read.
        all_at: when all people were last listed.
        libraries: the ids of the libraries that were read, of those whose items have no Etags.

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
    libraries: frozenset[str] = frozenset()

    @classmethod
    def after(cls, now: datetime, last: SavedWatermark | None) -> SavedWatermark:
        """Return the watermark of a sync.

        Args:
            now: when the sync began, by the server's clock.
            last: the watermark since which people were listed; None if all people were listed.
        """
        return cls(now - OVERLAP, last.all_at if last else now)

    @classmethod
    def parse(cls, text: str) -> SavedWatermark | None:
        """Return the watermark that `str` made *text* of, or None if it is not one."""
        try:
            said = json.loads(text)
            since, all_at = (datetime.fromisoformat(said[name]) for name in ("people", "all_people"))
            libraries = frozenset(map(str, said.get("items", ())))
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        return cls(since, all_at, libraries) if since.tzinfo and all_at.tzinfo else None

    def __str__(self) -> str:
        said = {"people": iso(self.since), "all_people": iso(self.all_at)}
        return json.dumps(said | {"items": sorted(self.libraries)} if self.libraries else said)

    def holds(self, now: datetime) -> bool:
        """Return whether listing the people saved since is enough. It is not if the clock was set back."""
        return self.since <= now < self.all_at + LONGEST_PARTIAL

    def holds_for(self, library_id: str, now: datetime) -> bool:
        """Return whether reading the items of a library that were saved since is enough."""
        return library_id in self.libraries and self.since <= now


def iso(time: datetime) -> str:
    """Return a time in the form that the server takes."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
