"""A clock that a test moves."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FakeClock"]


@dataclass
class FakeClock:
    """A clock that stands still until `tick` moves it; pass it as ``MediaSync(url, clock=…)``.

    Attributes:
        now: milliseconds since 1970, UTC.

    Example:
        >>> clock = FakeClock(1_700_000_000_000)
        >>> clock.tick(500), clock()
        (1700000000500, 1700000000500)
    """

    now: int = 1_700_000_000_123

    def __call__(self) -> int:
        """Return the time."""
        return self.now

    def tick(self, milliseconds: int = 1_000) -> int:
        """Move on, and return the time."""
        self.now += milliseconds
        return self.now
