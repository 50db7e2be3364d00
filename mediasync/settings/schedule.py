"""When a source is synced: every so often, or at times of the day."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Final

from mediasync.settings.durations import parse_duration

SHORTEST_EVERY: Final = timedelta(minutes=1)
DEFAULT_EVERY: Final = timedelta(hours=6)
"""How often a source is synced whose settings say nothing of it."""

_JITTER: Final = 0.05
"""By how much of the interval a sync may be late, so that not all sources are synced in the same moment."""
_MOST_JITTER: Final = timedelta(minutes=5)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a source is synced.

    Attributes:
        every: the time from the beginning of one sync to the beginning of the next; None if only *at* counts.
        at: times of the day. If *every* is given, too, whatever comes first counts.

    Example:
        >>> Schedule(every=timedelta(hours=6))
        Schedule(every=datetime.timedelta(seconds=21600), at=())
    """

    every: timedelta | None = None
    at: tuple[time, ...] = ()

    def next_after(self, last: datetime, source_id: str, zone: tzinfo | None = None) -> datetime:
        """Return when the sync after the one that began at *last* is due, in UTC.

        It is late by up to five minutes, and by at most a twentieth of the interval. How late follows from
        the source and *last*, so all workers agree about it.

        Args:
            last: when the last sync began, with a zone.
            source_id: the source.
            zone: the time zone of *at*; None for that of the machine.

        Raises:
            ValueError: if neither *every* nor *at* is given.

        Example:
            >>> daily = Schedule(at=(time(3, 30),))
            >>> daily.next_after(datetime(2026, 1, 1, 12, tzinfo=UTC), "home", UTC).strftime("%d %H:%M")
            '02 03:30'
        """
        due = [] if self.every is None else [(last + self.every, self.every)]
        due += [(self._next_time(last, moment, zone), _DAY) for moment in self.at]
        if not due:
            raise ValueError("the schedule has neither an interval nor a time of the day")
        first, interval = min(due)
        jitter = min(_MOST_JITTER, interval * _JITTER)
        return (first + jitter * _share(f"{source_id} {first.timestamp():.3f}")).astimezone(UTC)

    @staticmethod
    def _next_time(last: datetime, moment: time, zone: tzinfo | None) -> datetime:
        local = last.astimezone(zone)
        # A sync that began at 03:32 because it was late has served 03:30.
        days = (local.date() + timedelta(days=number) for number in range(3))
        moments = (_on_day(datetime.combine(day, moment), zone) for day in days)
        return next(at for at in moments if at > last)


def _share(text: str) -> float:
    """Return a number from 0 to 1 that follows from a text, and that similar texts do not share."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest()) / 2**32


def _on_day(naive: datetime, zone: tzinfo | None) -> datetime:
    """Return a local time in UTC. Where the clock is put forward, a time that is left out counts as later."""
    return (naive.astimezone() if zone is None else naive.replace(tzinfo=zone)).astimezone(UTC)


def read_interval(value: Any) -> timedelta | None:
    """Return how often a source is synced.

    Args:
        value: ``6h``, ``90 min``; or a `timedelta`.

    Raises:
        ValueError: if it is not a length of time, or less than a minute.
    """
    if value is None:
        return None
    interval = parse_duration(value) if isinstance(value, str) else value
    if not isinstance(interval, timedelta):
        raise ValueError('is not a length of time: write "6h" or "90min"')  # noqa: TRY004 (pydantic reports it)
    if interval < SHORTEST_EVERY:
        raise ValueError("is too short: at least a minute must lie between two syncs")
    return interval


def read_times(value: Any) -> tuple[time, ...]:
    """Return times of the day.

    Args:
        value: ``03:30``, several of them with commas between, a `time`, or a list of these.

    Raises:
        ValueError: if one of them is not a time of the day.
    """
    if isinstance(value, str):
        value = [part for part in value.split(",") if part.strip()]
    elif not isinstance(value, Sequence):
        value = [value]
    return tuple(sorted({_read_time(one) for one in value}))


def _read_time(value: Any) -> time:
    if isinstance(value, str):
        try:
            value = time.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f'{value.strip()!r} is not a time of the day: write "03:30"') from None
    if not isinstance(value, time) or value.tzinfo is not None:
        raise ValueError('is not a time of the day, without a zone: write "03:30"')
    return value
