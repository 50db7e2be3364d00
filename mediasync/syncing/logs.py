"""The log of syncs: one line for each run and each failed item, and everything else at DEBUG."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from mediasync import events
from mediasync.errors import SourceError
from mediasync.reports import SyncReport
from mediasync.syncing.tally import Emit
from mediasync.text import storable

_log: Final = logging.getLogger("mediasync.sync")


def logged(emit: Emit) -> Emit:
    """Return a function that logs each event and passes it on to *emit*."""

    def log_and_emit(event: events.Event) -> None:
        _log_event(event)
        emit(event)

    return log_and_emit


def log_failure(source_id: str, error: BaseException) -> None:
    """Log a run that failed or was cancelled, in one line."""
    if isinstance(error, asyncio.CancelledError):
        _log.info("%s: the sync was cancelled", source_id, extra={"source_id": source_id})
    else:
        reason = error.reason if isinstance(error, SourceError) else str(error) or type(error).__name__
        _log.warning("%s: not synced: %s", source_id, storable(reason), extra={"source_id": source_id})


def _log_event(event: events.Event) -> None:
    extra = {"source_id": event.source_id}
    match event:
        case events.RunFinished(source_id, report):
            _log.info("%s: %s", source_id, _summary(report), extra={**extra, "run_id": report.run.id})
        case events.ItemFailed(_, item_id, reason):
            _log.warning("failed: %s: %s", item_id, reason, extra=extra)
        case events.Waiting(source_id, text):
            _log.warning("%s: %s", source_id, text, extra=extra)
        case events.RunStarted(source_id, run_id):
            _log.debug("%s: run %d begins", source_id, run_id, extra={**extra, "run_id": run_id})
        case events.LibraryStarted(source_id, library):
            _log.debug("%s: library %s begins", source_id, library.title or library.id, extra=extra)
        case events.LibraryFinished(source_id, library):
            _log.debug("%s: library %s ends", source_id, library.title or library.id, extra=extra)
        case events.ItemProblem(_, item_id, reason):
            _log.debug("left out: %s: %s", item_id, reason, extra=extra)
        case events.Remarked(_, subject, text):
            _log.debug("remarked: %s: %s", subject, text, extra=extra)


def _summary(report: SyncReport) -> str:
    run = report.run
    saved = "would be saved" if report.dry else "saved"
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else 0.0
    counts = f"{run.seen} seen, {run.saved} {saved}, {run.unchanged} unchanged, {run.failed} failed"
    return f"{counts} in {seconds:.1f} s"
