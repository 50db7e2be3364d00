"""Reports on syncs that a long-running command makes: a line for each that ends, and notifications."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from mediasync.cli.jobs import Job, find_runs, job_document, line_of
from mediasync.cli.layout import plain
from mediasync.cli.notices import Notices
from mediasync.cli.output import Output
from mediasync.events import (
    Event,
    ListeningEnded,
    ListeningStarted,
    RunFailed,
    RunFinished,
    RunStarted,
    SyncScheduled,
    TargetDropped,
    TargetsTaken,
)
from mediasync.wording import moment

if TYPE_CHECKING:  # few commands notify anybody
    from mediasync.app import MediaSync
    from mediasync.notifying import Notifier

_KEYS_NAMED: Final = 3


class SyncReports:
    """Reports how syncs begin and end.

    Args:
        out: standard output and standard error.
        ms: the open mirror.
        jobs: the sources that are synced.
        notifier: what tells somebody; None to tell nobody.
    """

    def __init__(self, out: Output, ms: MediaSync, jobs: Iterable[Job], notifier: Notifier | None) -> None:
        self._out = out
        self._ms = ms
        self._newest = {job.source_id: job for job in jobs}
        self._notifier = notifier
        self._unheard: dict[str, str] = {}

    def tell(self, text: str) -> None:
        """Write a line to standard error, unless the log or nothing is written there."""
        if not self._out.quiet and not self._out.tells_by_log:
            self._out.note(text)

    async def show(self, event: Event) -> None:
        """Report an event, if it is worth a line."""
        job = self._newest[event.source_id]
        match event:
            case RunStarted(run_id=run_id):
                self._newest[job.source_id] = _fresh(job, run_id=run_id)
                self.tell(f"{job.source_id}: reading {job.address}")
            case RunFinished(report=report):
                await self._report(replace(job, report=report, run=report.run))
            case RunFailed(error=error):
                await self._report(replace(job, error=error))
                self._newest[job.source_id] = _fresh(job)
            case SyncScheduled(due_at=due_at):
                self.tell(f"{job.source_id}: next sync {moment(due_at)}")
            case ListeningStarted():
                self._unheard.pop(job.source_id, None)
                self.tell(f"{job.source_id}: listening to its events")
            case ListeningEnded(reason=reason) if self._unheard.get(job.source_id) != reason:
                self._unheard[job.source_id] = reason
                text = "its events cannot be heard, it is synced on its schedule"
                self._out.note(f"{job.source_id}: {text}: {reason}")
            case TargetsTaken(keys=keys, whole=whole):
                self.tell(f"{job.source_id}: {_named(keys, whole=whole)}")
            case TargetDropped(targets=targets, reason=reason):
                what = "which is" if len(targets) == 1 else "which are"
                self.tell(f"{job.source_id}: events named {_some(targets)}, {what} left alone: {reason}")

    async def _report(self, job: Job) -> None:
        """Report a sync that has ended, and notify whoever wants to know."""
        out = self._out
        await find_runs(self._ms, [job])
        if out.as_json:
            out.dump_line(job_document(job))
        elif job.code or not out.quiet:
            ended = job.run.finished_at if job.run else None
            out.print(plain(f"{moment(ended or datetime.now(UTC))} {line_of(job)}"))
            out.flush()
        if job.error is not None:
            out.trace(job.error)
        async with Notices(out, self._notifier) as notices:
            if outcome := job.report or job.error:
                notices.tell(job.source_id, outcome)


def _named(keys: Sequence[str], *, whole: bool) -> str:
    """Return in words what events have named."""
    if whole:
        return "its events ask for a sync"
    return f"its events named {_some(keys)}"


def _some(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _KEYS_NAMED:,} more" if len(keys) > _KEYS_NAMED else ""
    return f"{', '.join(keys[:_KEYS_NAMED])}{more}"


def _fresh(job: Job, run_id: int | None = None) -> Job:
    """Return a job for the next sync of its source."""
    return Job(job.given, job.text, job.derived, run_id, begun=run_id is not None, may_be_skipped=True)
