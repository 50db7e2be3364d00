"""Progress of a sync: a live line for each source on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Protocol, Self

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from mediasync import events
from mediasync.cli.output import Output
from mediasync.display import safe
from mediasync.reports import SyncReport
from mediasync.wording import counted, duration

_WIDE: Final = 100
"""The width of a terminal from which all counts fit beside a bar of full length."""
_WIDE_BAR: Final = 20
_NARROW_BAR: Final = 6
_COUNTS: Final = 60
_LEAST: Final = 8
_WIDE_OTHERS: Final = 84
_NARROW_OTHERS: Final = 51
"""The width of a line without its description: bar, counts, time, and the spaces between."""


class Reporter(Protocol):
    """Reports the progress of syncs."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start(self, source_id: str, what: str) -> None:
        """Report that the sync of a source starts."""
        ...

    def show(self, event: events.Event) -> None:
        """Report an event."""
        ...

    def fail(self, source_id: str, reason: str) -> None:
        """Report that a source was not synced."""
        ...

    def skip(self, source_id: str, reason: str) -> None:
        """Report that a source is left to another worker, as it was asked for."""
        ...

    def stopping(self) -> None:
        """Report that a signal was received."""
        ...


def make_reporter(out: Output) -> Reporter:
    """Return the reporter that fits standard error and the options."""
    if out.quiet or out.tells_by_log:
        return QuietReporter(out)
    return LiveReporter(out) if out.console.is_terminal else PlainReporter(out)


def summary(report: SyncReport) -> str:
    """Return the counts of a sync in one line."""
    run = report.run
    saved = "would be saved" if report.dry else "saved"
    return (
        f"{counted(run.seen, 'item')} seen, {run.saved:,} {saved}, {run.unchanged:,} unchanged, "
        f"{run.failed:,} failed{_removed(report)}"
    )


def _removed(report: SyncReport) -> str:
    if not report.removed:
        return ""
    return f", {len(report.removed):,} {'would be removed' if report.dry else 'removed'}"


class PlainReporter:
    """Writes a line when a source or a library starts, for each failure, and when a source ends."""

    def __init__(self, out: Output) -> None:
        self._out = out

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def start(self, source_id: str, what: str) -> None:
        self._out.note(f"{source_id}: reading {what}")

    def show(self, event: events.Event) -> None:
        match event:
            case events.LibraryStarted(source_id, library):
                self._out.note(f"{source_id}: library {library.title}")
            case events.ItemFailed(source_id, item_id, reason):
                self._out.note(f"{source_id}: failed: {item_id}: {reason}")
            case events.Waiting(source_id, text):
                self._out.note(f"{source_id}: {text}")
            case events.RunFinished(source_id, report):
                run = report.run
                took = f" in {duration(run.finished_at - run.started_at)}" if run.finished_at else ""
                self._out.note(f"{source_id}: done{took}: {summary(report)}")

    def fail(self, source_id: str, reason: str) -> None:
        self._out.note(f"{source_id}: {reason}")

    def skip(self, source_id: str, reason: str) -> None:
        self._out.note(f"{source_id}: skipped: {reason}")

    def stopping(self) -> None:
        return


class QuietReporter(PlainReporter):
    """Writes a line for each source that was not synced, unless the log does."""

    def start(self, source_id: str, what: str) -> None:
        return

    def show(self, event: events.Event) -> None:
        return

    def fail(self, source_id: str, reason: str) -> None:
        if not self._out.tells_by_log:
            super().fail(source_id, reason)

    def skip(self, source_id: str, reason: str) -> None:
        return


def _cut(width: int) -> Column:
    """Return a column whose texts are cut to a width."""
    return Column(no_wrap=True, overflow="ellipsis", max_width=max(width, _LEAST))


class _TimeColumn(ProgressColumn):
    """The remaining time of a source if it can be estimated, else the time it has taken."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        left = None if task.finished else task.time_remaining
        if left is not None:
            return Text(f"{timedelta(seconds=int(left))} left", style="progress.remaining")
        return Text(str(timedelta(seconds=int(task.elapsed or 0))), style="progress.elapsed")


class LiveReporter:
    """Shows a live line for each source. Failures are written above."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._is_wide = out.console.width >= _WIDE
        others = _WIDE_OTHERS if self._is_wide else _NARROW_OTHERS
        self._progress = Progress(
            SpinnerColumn("line", finished_text=" "),
            TextColumn("{task.description}", markup=False, table_column=_cut(out.console.width - others)),
            BarColumn(bar_width=_WIDE_BAR if self._is_wide else _NARROW_BAR),
            TextColumn("{task.fields[counts]}", markup=False, table_column=_cut(_COUNTS)),
            _TimeColumn(table_column=Column(no_wrap=True)),
            console=out.console,
            # Remove the progress if the answer goes to the same screen.
            transient=out.is_screen and not out.as_json,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def start(self, source_id: str, what: str) -> None:
        self._tasks[source_id] = self._progress.add_task(safe(source_id), total=None, counts="")

    def show(self, event: events.Event) -> None:
        source_id = event.source_id
        match event:
            case events.LibraryStarted(_, library):
                self._update(source_id, description=safe(f"{source_id}: {library.title}"))
            case events.Progress():
                total = None if event.share is None else 1.0
                self._update(source_id, counts=self._counts(event), total=total, completed=event.share or 0.0)
            case events.Waiting(_, text):
                self._above(f"{source_id}: {text}")
            case events.ItemFailed(_, item_id, reason):
                self._above(f"failed: {item_id}: {reason}")
            case events.RunFinished(_, report):
                run = report.run
                counts = summary(report) if self._is_wide else f"{run.seen:,} seen, {run.failed:,} failed"
                self._update(source_id, description=safe(source_id), counts=counts, total=1, completed=1)

    def _counts(self, event: events.Progress) -> str:
        if event.library_total is None:
            seen = counted(event.seen, "item")
        else:
            seen = f"{event.library_seen:,} of {event.library_total:,}"
        saved = f", {event.saved:,} saved" if self._is_wide else ""
        failed = f", {event.failed:,} failed" if event.failed else ""
        return f"{seen}{saved}{failed}"

    def fail(self, source_id: str, reason: str) -> None:
        self._stop(source_id, reason, "not synced")

    def skip(self, source_id: str, reason: str) -> None:
        self._stop(source_id, reason, "skipped")

    def _stop(self, source_id: str, reason: str, counts: str) -> None:
        self._above(f"{source_id}: {reason}")
        self._update(source_id, description=safe(source_id), counts=counts, total=1, completed=0)
        if source_id in self._tasks:
            self._progress.stop_task(self._tasks[source_id])

    def stopping(self) -> None:
        for task in self._progress.tasks:
            if not task.finished and task.stop_time is None:
                self._progress.update(task.id, counts="stopping; again ends at once")
        self._progress.refresh()

    def _update(self, source_id: str, **changes: Any) -> None:
        if source_id in self._tasks:
            self._progress.update(self._tasks[source_id], **changes)

    def _above(self, text: str) -> None:
        self._progress.console.print(Text(f"mediasync: {safe(text)}"), soft_wrap=True)


@contextmanager
def steps_shown(
    out: Output, work: str, line: Callable[[str, int], str], label: Callable[[str], str]
) -> Iterator[Callable[[str, int, int], None]]:
    """Show the steps of a long piece of work: a bar on a terminal, and a line for each step elsewhere.

    Args:
        out: where it is shown.
        work: what is shown before the first step.
        line: returns the line of a step, from its name and how much it has to do.
        label: returns what stands beside the bar, from the name of the step.

    Yields:
        A function that is called with the name of a step, how much of it is done, and how much it has to do.
    """
    if out.quiet:
        yield lambda _what, _done, _total: None
        return
    if out.tells_by_log or not out.console.is_terminal:
        noted: set[str] = set()

        def write(what: str, _done: int, total: int) -> None:
            if what not in noted:
                noted.add(what)
                out.note(line(what, total))

        yield write
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=_WIDE_BAR),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}", markup=False),
        TimeElapsedColumn(),
        console=out.console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as progress:
        task = progress.add_task(work, total=0)

        def show(what: str, done: int, total: int) -> None:
            progress.update(task, description=label(what), completed=done, total=total)

        yield show
