"""Pruning the change log."""

from __future__ import annotations

from typing import Final

from mediasync.database.session import Session
from mediasync.repositories.changes import ROWS_PER_STEP, ChangeRepository
from mediasync.repositories.runs import RunRepository
from mediasync.saving.writer import Writer

_MILLISECONDS_PER_DAY: Final = 86_400_000
_DAYS_OF_IDLE_RUNS: Final = 2
"""How long a run of single items is kept that saved nothing. Events may cause one every few seconds."""


async def prune_step(session: Session, keep_days: float) -> int:
    """Delete the oldest changes, at most one step of them. Return how many were deleted.

    Args:
        session: an open transaction.
        keep_days: how old the changes are that are kept.
    """
    return await ChangeRepository(session).prune(session.now - round(keep_days * _MILLISECONDS_PER_DAY))


async def prune_runs(session: Session, source_id: str, run_id: int, keep_days: float) -> int:
    """Delete old runs of single items of a source, at most one step of them. Return how many were deleted.

    Args:
        session: an open transaction.
        source_id: the source.
        run_id: the run that is going on.
        keep_days: how old the runs are that are kept, like their changes. Of those that saved nothing, only
            the ones of the last two days are.
    """
    idle = _DAYS_OF_IDLE_RUNS * _MILLISECONDS_PER_DAY
    runs = RunRepository(session)
    return await runs.prune_runs_of_items(source_id, run_id, idle, round(keep_days * _MILLISECONDS_PER_DAY))


async def prune_changes(writer: Writer, keep_days: float) -> int:
    """Delete all changes older than *keep_days* days, each step in its own transaction.

    Returns:
        How many were deleted.
    """
    total = 0
    while True:
        deleted = await writer.run(lambda session: prune_step(session, keep_days))
        total += deleted
        if deleted < ROWS_PER_STEP:
            return total
