"""``mediasync watch``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mediasync.app import SOURCES_AT_ONCE, MediaSync
from mediasync.cli.affinity import one_core_left_free
from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.jobs import Job, jobs_of
from mediasync.cli.notices import find_notifier
from mediasync.cli.options import OF_LONG_COMMANDS, with_options
from mediasync.cli.sync_reports import SyncReports
from mediasync.errors import UsageError
from mediasync.settings.notify import NotifyOn
from mediasync.settings.schedule import DEFAULT_EVERY, read_interval

if TYPE_CHECKING:  # few commands notify anybody
    from mediasync.notifying import Notifier

DEFAULT_INTERVAL: Final = f"{DEFAULT_EVERY.total_seconds() / 3600:g}h"

SourcesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SOURCE]...",
        help="As sync takes them. Without any: all of mediasync.toml.",
        show_default=False,
    ),
]
EveryOption = Annotated[
    str,
    typer.Option(
        "--every",
        metavar="DURATION",
        help="How often a source is synced that has neither every nor at in mediasync.toml: 6h, 90min.",
    ),
]
NotifyOption = Annotated[
    str | None, typer.Option("--notify", metavar="URL", help="As for sync.", show_default=False)
]
NotifyOnOption = Annotated[
    list[NotifyOn] | None, typer.Option("--notify-on", help="As for sync.", show_default=False)
]
NoEventsOption = Annotated[
    bool, typer.Option("--no-events", help="Do not listen to sources that report events.")
]


def check_interval(every: str) -> None:
    """Check the value of ``--every``.

    Raises:
        UsageError: if it is not a length of time.
    """
    try:
        read_interval(every)
    except ValueError as error:
        raise UsageError(f"--every: {error}") from None


@with_options("database", "file_mode", "config", "as_json", "debug", *OF_LONG_COMMANDS)
def watch(
    context: CommandContext,
    sources: SourcesArgument = None,
    every: EveryOption = DEFAULT_INTERVAL,
    notify: NotifyOption = None,
    notify_on: NotifyOnOption = None,
    no_events: NoEventsOption = False,
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
    check_interval(every)
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
    url = context.url()
    ms = MediaSync(url, file_mode=context.mode(), keep_removed=context.keep_removed())
    reports = SyncReports(context.out, ms, jobs, notifier)
    watched = ms.watch([job.given for job in jobs], every=every, events=events, jobs=at_once)
    context.make_folder(url)
    async with ms:
        known = {source.id for source in await ms.media.list_sources()}
        context.warn_of_variables(sorted(known | {job.source_id for job in jobs}))
        try:
            async with aclosing(watched.__aiter__()) as happenings:
                async for event in happenings:
                    await reports.show(event)
        except asyncio.CancelledError:
            reports.tell("stopped; what was saved stays")
    return ExitCode.OK
