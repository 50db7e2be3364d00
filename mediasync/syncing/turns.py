"""Turns: which items are read again although they did not change, so that each is compared every few days.

Each item has a place on a wheel, which follows from its key. The hand of the wheel goes round once in a
period. A sync of the whole source reads the items that the hand has passed since the sync before. So every
item is read once in each period, however often syncs run, and no single one reads them all.
"""

from __future__ import annotations

import asyncio
import math
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from mediasync.aio import batched
from mediasync.settings.defaults import DEFAULT_COMPARE_DAYS

MS_PER_DAY: Final = 86_400_000

_KEYS_AT_ONCE: Final = 2_000
_PLACES: Final = 2**32


@dataclass(frozen=True, slots=True)
class Turn:
    """The part of the wheel that the hand has passed between two times.

    Attributes:
        since: the beginning, in milliseconds since 1970, UTC; None if nothing was compared yet.
        until: the end, likewise: when the sync began.
        days: how many days the hand takes to go round; infinite if it stands still.

    Example:
        >>> week = [Turn(day * MS_PER_DAY, (day + 1) * MS_PER_DAY, days=7) for day in range(7)]
        >>> [turn.has("603") for turn in week].count(True)
        1
        >>> Turn(0, 7 * MS_PER_DAY, days=7).has("603"), Turn(None, 7 * MS_PER_DAY, days=7).has("603")
        (True, False)
    """

    since: int | None
    until: int
    days: float = DEFAULT_COMPARE_DAYS
    _taken: set[str] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        """Whether no item has its turn."""
        return self.since is None or self.since >= self.until or math.isinf(self.days)

    def has(self, remote_id: str) -> bool:
        """Return whether the item with this key has its turn."""
        if self.since is None or self.is_empty:
            return False
        period = max(1, round(self.days * MS_PER_DAY))
        place = zlib.crc32(remote_id.encode("utf-8", "surrogatepass")) * period // _PLACES
        return (place - self.since) % period < self.until - self.since

    async def take(self, tokens: Mapping[str, str], but: Collection[str] = ()) -> dict[str, str]:
        """Return those of a library's change tokens whose items have their turn, each item once in a run.

        Args:
            tokens: by the source's own keys. An item without a token is left out: it is read anyway.
            but: the keys of items that are left out.
        """
        due: dict[str, str] = {}
        if self.is_empty:
            return due
        for page in batched(tokens.items(), _KEYS_AT_ONCE):
            due.update(
                (key, token)
                for key, token in page
                if token and self.has(key) and key not in self._taken and key not in but
            )
            await asyncio.sleep(0)
        self._taken.update(due)
        return due
