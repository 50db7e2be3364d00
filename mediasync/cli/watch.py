"""``mediasync watch``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mediasync.app import SOURCES_AT_ONCE, MediaSync
from mediasync.cli.affinity import one_core_left_free
from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.formatting import moment
from mediasync.cli.jobs import Job, find_runs, job_document, jobs_of, line_of
from mediasync.cli.layout import plain
from mediasync.cli.notices import Notices, find_notifier
from mediasync.cli.options import OF_LONG_COMMANDS, with_options
from mediasync.cli.output import Output
from mediasync.errors import UsageError
from mediasync.events import (
    ListeningEnded,
    ListeningStarted,
    RunFailed,
    RunFinished,
    RunStarted,
    SyncScheduled,
    TargetDropped,
    TargetsTaken,
)
from mediasync.settings.notify import NotifyOn
from mediasync.settings.schedule import DEFAULT_EVERY, read_interval

if TYPE_CHECKING:  # few commands notify anybody
    from mediasync.notifying import Notifier

_KEYS_NAMED: Final = 3
_DEFAULT_EVERY: Final = f"{DEFAULT_EVERY.total_seconds() / 3600:g}h"


@with_options("database", "file_mode", "config", "as_json", "debug", *OF_LONG_COMMANDS)
def watch(
    context: CommandContext,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="As sync takes them. Without any: all of mediasync.toml.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        str,
        typer.Option(
            "--every",
            metavar="DURATION",
            help="How often a source is synced that has neither every nor at in mediasync.toml: 6h, 90min.",
        ),
    ] = _DEFAULT_EVERY,
    notify: Annotated[
        str | None,
        typer.Option("--notify", metavar="URL", help="As for sync.", show_default=False),
    ] = None,
    notify_on: Annotated[
        list[NotifyOn] | None,
        typer.Option("--notify-on", help="As for sync.", show_default=False),
    ] = None,
    no_events: Annotated[
        bool, typer.Option("--no-events", help="Do not listen to sources that report events.")
    ] = False,
    at_once: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", min=1, help="Sync at most this many sources at once.")
    ] = SOURCES_AT_ONCE,
) -> int:
    """Sync sources on their schedules and on events, until a signal ends it.

    A source that was never synced, or whose last sync broke off, is synced at once. After that, its settings
    [bold]every[/bold] and [bold]at[/bold] in mediasync.toml say when. Restarting syncs nothing twice, and
    several hosts that watch the same sources divide them. A source that fails is tried again after a minute,
    then after two, up to an hour.

    Sources that report events are listened to, unless their settings say [bold]events = false[/bold]: what an
    event names is read within seconds. So is what webhooks have reported to this database. Listening needs
    the extra [bold]live[/bold].

    Each sync that ends is one line on standard output; with --json it is one JSON object, as in the sources
    of sync --json. A removal that has to be confirmed waits for mediasync sync --max-removals.

    [bold]Examples[/bold]
      mediasync watch
      mediasync watch films=nfo:/media/films --every 1h

    [bold]Exit codes[/bold]
      0  ended by SIGINT, SIGTERM or SIGHUP; a sync under way is cancelled, what was saved stays
      2  wrong usage or configuration
      4  the database failed when it was opened; later failures are tried again
    """
    try:
        read_interval(every)
    except ValueError as error:
        raise UsageError(f"--every: {error}") from None
    jobs = jobs_of(context, sources or [], [], [], may_be_skipped=True)
    notifier = find_notifier(context, notify, notify_on or [])
    with one_core_left_free():
        return context.run(
            _watch(context, jobs, every, at_once, notifier, events=not no_events), knows_sources=True
        )


async def _watch(
    context: CommandContext,
    jobs: Sequence[Job],
    every: str,
    at_once: int,
    notifier: Notifier | None,
    *,
    events: bool,
) -> int:
    out, url = context.out, context.url()
    tell = _silent if out.quiet or out.tells_by_log else out.note
    newest = {job.source_id: job for job in jobs}
    unheard: dict[str, str] = {}
    ms = MediaSync(url, file_mode=context.mode(), keep_removed=context.keep_removed())
    watched = ms.watch([job.given for job in jobs], every=every, events=events, jobs=at_once)
    context.make_folder(url)
    async with ms:
        known = {source.id for source in await ms.media.list_sources()}
        context.warn_of_variables(sorted(known | newest.keys()))
        try:
            async with aclosing(watched.__aiter__()) as happenings:
                async for event in happenings:
                    job = newest[event.source_id]
                    match event:
                        case RunStarted(run_id=run_id):
                            newest[job.source_id] = _fresh(job, run_id=run_id)
                            tell(f"{job.source_id}: reading {job.address}")
                        case RunFinished(report=report):
                            await _report(out, ms, replace(job, report=report, run=report.run), notifier)
                        case RunFailed(error=error):
                            await _report(out, ms, replace(job, error=error), notifier)
                            newest[job.source_id] = _fresh(job)
                        case SyncScheduled(due_at=due_at):
                            tell(f"{job.source_id}: next sync {moment(due_at)}")
                        case ListeningStarted():
                            unheard.pop(job.source_id, None)
                            tell(f"{job.source_id}: listening to its events")
                        case ListeningEnded(reason=reason) if unheard.get(job.source_id) != reason:
                            unheard[job.source_id] = reason
                            text = "its events cannot be heard, it is synced on its schedule"
                            out.note(f"{job.source_id}: {text}: {reason}")
                        case TargetsTaken(keys=keys, whole=whole):
                            tell(f"{job.source_id}: {_named(keys, whole=whole)}")
                        case TargetDropped(target=target, reason=reason):
                            out.note(f"{job.source_id}: events named {target}, which is left alone: {reason}")
        except asyncio.CancelledError:
            tell("stopped; what was saved stays")
    return ExitCode.OK


def _named(keys: Sequence[str], *, whole: bool) -> str:
    """Return in words what events have named."""
    if whole:
        return "its events ask for a sync"
    more = f" and {len(keys) - _KEYS_NAMED:,} more" if len(keys) > _KEYS_NAMED else ""
    return f"its events named {', '.join(keys[:_KEYS_NAMED])}{more}"


def _silent(text: str) -> None:
    """Write nothing."""


def _fresh(job: Job, run_id: int | None = None) -> Job:
    """Return a job for the next sync of its source."""
    return Job(job.given, job.text, job.derived, run_id, begun=run_id is not None, may_be_skipped=True)


async def _report(out: Output, ms: MediaSync, job: Job, notifier: Notifier | None) -> None:
    """Report a sync that has ended, and notify whoever wants to know."""
    await find_runs(ms, [job])
    if out.as_json:
        out.dump_line(job_document(job))
    elif job.code or not out.quiet:
        ended = job.run.finished_at if job.run else None
        out.print(plain(f"{moment(ended or datetime.now(UTC))} {line_of(job)}"))
        out.flush()
    if job.error is not None:
        out.trace(job.error)
    async with Notices(out, notifier) as notices:
        if outcome := job.report or job.error:
            notices.tell(job.source_id, outcome)
