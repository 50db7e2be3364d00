"""When a target is looked into: pure rules for what waits, and for how long."""

from __future__ import annotations

from typing import Final

from mediasync.repositories.inbox import TargetRow

QUIET_MS: Final = 500
"""How long an event waits for further ones."""
BURST: Final = 20
"""If more targets of a source wait, many events come at once, as during a scan."""
QUIET_IN_BURST_MS: Final = 3_000
"""How long an event waits for further ones then."""
LONGEST_MS: Final = 15_000
"""Further events of a target put it off for at most so long after the first."""
MOST_TARGETS: Final = 500
"""If more targets of a source wait, one sync of the whole source replaces them."""

FIRST_PAUSE_MS: Final = 5_000
LONGEST_PAUSE_MS: Final = 3_600_000
MOST_ATTEMPTS: Final = 8
"""How often a source that cannot be read is asked for the same targets. The pauses between double."""
MOST_SEARCHES: Final = 2
"""How often an item is looked for that is not stored and that the source does not have (yet)."""


def quiet_ms(waiting: int) -> int:
    """Return how long an event waits for further ones while *waiting* targets of its source wait."""
    return QUIET_IN_BURST_MS if waiting > BURST else QUIET_MS


def note_event(
    name: tuple[str, str, str], kind: str, row: TargetRow | None, now: int, wait: int, quiet: int
) -> TargetRow:
    """Return the row of a target after an event.

    Every event is looked into when its own wait is over, or later. Further events put a target off, but not
    for ever. An event that need not wait is not held up by an earlier one that must: both are looked into.

    Args:
        name: what tells the target from the others of its source.
        kind: what the event says.
        row: the target's row; None if there is none.
        now: when the event came, in milliseconds since 1970, UTC.
        wait: how long its source may need before looking is of use, in milliseconds.
        quiet: how long to wait for further events, in milliseconds.
    """
    due, ripe = now + max(wait, quiet), now + wait
    if row is None:
        return TargetRow(*name, kind, due, ripe, now, 1, 0)
    is_sooner, ripe = ripe < row.ripe_at, max(ripe, row.ripe_at)
    if row.attempts:  # its pause is over: something has happened
        return TargetRow(*name, kind, max(due, ripe), ripe, now, row.events + 1, 0)
    due = min(due, row.first_at + LONGEST_MS)
    due = min(row.due_at, due) if is_sooner else max(row.due_at, due)
    return TargetRow(*name, kind, due, ripe, row.first_at, row.events + 1, 0)


def note_look(row: TargetRow, looked_at: int) -> TargetRow | None:
    """Return what waits of a target that was looked into, or None if nothing does.

    Args:
        row: the target, as it was when somebody looked.
        looked_at: when that was, in milliseconds since 1970, UTC.
    """
    if row.ripe_at <= looked_at:
        return None
    return row._replace(due_at=row.ripe_at, first_at=looked_at)


def note_failure(row: TargetRow, now: int) -> TargetRow:
    """Return a target that was looked into in vain: it is tried again after a pause, which doubles."""
    pause = min(FIRST_PAUSE_MS * 2 ** min(row.attempts, 20), LONGEST_PAUSE_MS)
    return row._replace(due_at=now + pause, attempts=row.attempts + 1)
