"""``mediasync sync``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing, suppress
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from mediasync.app import SOURCES_AT_ONCE, WAIT_IF_BUSY, MediaSync
from mediasync.cli.affinity import one_core_left_free
from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.jobs import Job, document_of, find_runs, jobs_of, lines_of, reason_of
from mediasync.cli.layout import faint
from mediasync.cli.location import database_name
from mediasync.cli.notices import Notices, find_notifier
from mediasync.cli.options import OF_LONG_COMMANDS, with_options
from mediasync.cli.progress import Reporter, make_reporter
from mediasync.errors import ConfigurationError, DatabaseError, DatabaseMissing, MediaSyncError
from mediasync.events import RunFailed, RunFinished, RunStarted
from mediasync.settings.notify import NotifyOn
from mediasync.settings.source import FlawedSource, SourceConfig
from mediasync.syncing.handles import SyncAll
from mediasync.vocabulary import RunStatus

if TYPE_CHECKING:
    from mediasync.notifying import Notifier


class IfBusy(StrEnum):
    """What to do about a source that another worker is syncing."""

    WAIT = "wait"
    SKIP = "skip"
    FAIL = "fail"


@with_options("database", "file_mode", "config", "as_json", "debug", *OF_LONG_COMMANDS)
def sync(
    context: CommandContext,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="nfo:FOLDER, or KIND+URL (plex+https://HOST), with NAME= before it to choose the source's "
            "id; or the name of one in mediasync.toml. Without any: all of mediasync.toml.",
            show_default=False,
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything again, changed or not.")] = False,
    library: Annotated[
        list[str] | None,
        typer.Option(
            "--library",
            metavar="TITLE|ID",
            help="Only this library; may be repeated. It overrides include and exclude of mediasync.toml.",
            show_default=False,
        ),
    ] = None,
    item: Annotated[
        list[str] | None,
        typer.Option(
            "--item",
            metavar="ID",
            help="Only this item, changed or not; may be repeated.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing, and show what would be written.")
    ] = False,
    wait_for_scan: Annotated[
        float | None,
        typer.Option(
            "--wait-for-scan",
            metavar="SECONDS",
            min=0,
            help="Wait this long for a server that is scanning its files. After that its lists of people are "
            "treated as previews. The default is 900.",
            show_default=False,
        ),
    ] = None,
    accept_new_server: Annotated[
        bool,
        typer.Option(
            "--accept-new-server", help="Continue even if a different server answers than the stored one."
        ),
    ] = False,
    if_busy: Annotated[
        IfBusy,
        typer.Option(
            "--if-busy",
            help="What to do if another worker is syncing a source: wait for up to 10 minutes, skip the "
            "source, or fail at once.",
        ),
    ] = IfBusy.WAIT,
    max_removals: Annotated[
        str | None,
        typer.Option(
            "--max-removals",
            metavar="N|P%|all",
            help="Confirm that so many items of each library may be removed. Without it, more than 20 items "
            "that are also more than 20% of a library are not removed, nor are all items of a library that "
            "lists none, or that the source no longer lists.",
            show_default=False,
        ),
    ] = None,
    notify: Annotated[
        str | None,
        typer.Option(
            "--notify",
            metavar="URL",
            help="Post the report on each source to this webhook: any, or one of ntfy, Gotify or Discord. It "
            "overrides MEDIASYNC_NOTIFY_URL and mediasync.toml, where the URL is not seen by other users.",
            show_default=False,
        ),
    ] = None,
    notify_on: Annotated[
        list[NotifyOn] | None,
        typer.Option(
            "--notify-on",
            help="What is posted; may be repeated. By default failures and what wants a confirmation.",
            show_default=False,
        ),
    ] = None,
    at_once: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", min=1, help="Sync at most this many sources at once.")
    ] = SOURCES_AT_ONCE,
) -> int:
    """Mirror sources into the database, all at once.

    Reads each source, and saves what is new or changed, with the full cast and crew. The database is created
    if it does not exist. A source without a name gets its id from its kind and its host or folder:
    [bold]nfo-library[/bold] for nfo:examples/library. What --library and --item do not select stays as it is.

    Items that a source no longer has are removed: they are no longer shown, but kept for 7 days, and come
    back if the source has them again ([bold]removed[/bold] lists them). If so many are missing that something
    else may be wrong, nothing is removed until you confirm it with --max-removals.

    A token is never part of a URL. It comes from MEDIASYNC_<SOURCE>_TOKEN, from the file that
    MEDIASYNC_<SOURCE>_TOKEN_FILE names, or from mediasync.toml. <SOURCE> is the source's id in capitals, with
    _ for -.

    [bold]Examples[/bold]
      mediasync sync nfo:/media/films
      mediasync sync home=plex+https://plex.example:32400 kodi+http://127.0.0.1
      mediasync sync
      mediasync sync home --library Films --dry-run
      mediasync sync home --max-removals all

    [bold]Exit codes[/bold]
      0  everything was saved; parts that were left out of an item are shown
      1  some items failed, and are listed; the others are saved
      2  wrong usage or configuration
      3  a source could not be reached or read, or refused access
      4  the database failed
      5  a removal has to be confirmed; everything else was saved
      6  another worker was still syncing a source
      129, 130, 143  interrupted; what was saved stays, the runs are recorded as cancelled

    With several sources the highest code from 1 to 5 counts. A source that fails does not stop the others.
    """
    libraries, items = library or [], item or []
    jobs = jobs_of(context, sources or [], libraries, items, may_be_skipped=if_busy is IfBusy.SKIP)
    options: dict[str, Any] = {
        "full": full,
        "libraries": libraries,
        "items": items,
        "dry_run": dry_run,
        "wait_for_scan": wait_for_scan,
        "accept_new_server": accept_new_server,
        "wait_if_busy": WAIT_IF_BUSY if if_busy is IfBusy.WAIT else 0.0,
        "max_removals": max_removals,
        "jobs": at_once,
    }
    notifier = find_notifier(context, notify, notify_on or [])
    with one_core_left_free():
        return context.run(_sync(context, jobs, options, notifier), knows_sources=True)


def sync_named(context: CommandContext, sources: Sequence[str]) -> int:
    """Sync sources as ``mediasync sync SOURCE...`` does without options, and return the exit code.

    Args:
        context: the command.
        sources: the ids of sources in the configuration file.
    """
    jobs = jobs_of(context, sources, [], [], may_be_skipped=False)
    options: dict[str, Any] = {"dry_run": False, "wait_if_busy": WAIT_IF_BUSY, "jobs": SOURCES_AT_ONCE}
    notifier = find_notifier(context, None, [])
    with one_core_left_free():
        return context.run(_sync(context, jobs, options, notifier), knows_sources=True)


async def _sync(
    context: CommandContext, jobs: Sequence[Job], options: dict[str, Any], notifier: Notifier | None
) -> int:
    out, url, dry = context.out, context.url(), bool(options["dry_run"])
    sources = [job.given for job in jobs]
    known = {*(job.source_id for job in jobs), *context.configuration().sources}
    if flawed := _all_flawed(sources):
        context.warn_of_variables(sorted(known))
        await _refuse(url, flawed, Notices(out, None if dry else notifier), dry=dry)
    ms = MediaSync(url, read_only=dry, file_mode=context.mode(), keep_removed=context.keep_removed())
    running = ms.sync_all(sources, **options)
    if not dry:
        context.make_folder(url)
    try:
        await ms.open()
    except DatabaseMissing:
        if not dry:
            raise
        # There is no database yet, so everything would be new.
        ms = MediaSync("sqlite:///:memory:")
        running = ms.sync_all(sources, **options)
        await ms.open()
    try:
        known |= {source.id for source in await ms.media.list_sources()}
        context.warn_of_variables(sorted(known))
        async with Notices(out, None if dry else notifier) as notices:
            with make_reporter(out) as reporter:
                context.when_interrupted = reporter.stopping
                await _follow(running, jobs, reporter, notices, options["jobs"])
        await find_runs(ms, jobs)
    except asyncio.CancelledError:
        cancelled = [job.source_id for job in jobs if job.status == RunStatus.CANCELLED]
        if cancelled:
            are = "is" if len(cancelled) == 1 else "are"
            context.interrupted = (
                f"interrupted: the sync of {', '.join(cancelled)} {are} cancelled; what was saved stays"
            )
        with suppress(MediaSyncError):
            await find_runs(ms, jobs)
        raise
    finally:
        context.partial = document_of(url, jobs, dry=dry)
        await ms.close()
    if out.as_json:
        out.dump(context.partial)
    elif out.quiet:
        out.print(*(part for job in jobs if job.code for part in lines_of(job)))
    else:
        last = "Nothing was written: this was a dry run" if dry else f"Database: {database_name(url)}"
        out.print(*(part for job in jobs for part in lines_of(job)), faint(last))
    for job in jobs:
        if job.error is not None:
            out.trace(job.error)
    return _code(job.code for job in jobs)


def _code(codes: Iterable[int]) -> int:
    """Return the code of several sources. That another worker syncs one of them counts least."""
    found = list(codes)
    return max((code for code in found if code != ExitCode.BUSY), default=0) or max(found, default=0)


def _all_flawed(sources: Sequence[SourceConfig | FlawedSource]) -> list[FlawedSource]:
    """Return all sources if none of them can be used, else an empty list."""
    flawed = [source for source in sources if isinstance(source, FlawedSource)]
    return flawed if len(flawed) == len(sources) else []


async def _refuse(url: str, flawed: Sequence[FlawedSource], notices: Notices, *, dry: bool) -> NoReturn:
    """Raise the errors of sources of which none can be used.

    If there is a database, it records the failed runs. It is not created.
    """
    async with notices:
        for source in flawed:
            notices.tell(source.id, source.error)
    if not dry:
        with suppress(DatabaseError):
            async with MediaSync(url, upgrade=False) as ms:
                await ms.sync_all(flawed)
    if len(flawed) == 1:
        raise flawed[0].error
    raise ConfigurationError("; ".join(str(source.error) for source in flawed))


async def _follow(
    running: SyncAll, jobs: Sequence[Job], reporter: Reporter, notices: Notices, at_once: int
) -> None:
    """Report the progress of the syncs, tell how they ended, and store their results in the jobs."""
    by_id = {job.source_id: job for job in jobs}
    waiting = iter(jobs)

    def begin(number: int) -> None:
        # Sources are started in the order given.
        for job in islice(waiting, number):
            job.begun = True
            reporter.start(job.source_id, job.address)

    begin(at_once)
    async with aclosing(running.__aiter__()) as events:
        async for event in events:
            job = by_id[event.source_id]
            match event:
                case RunStarted(run_id=run_id):
                    job.run_id = run_id or None
                case RunFinished(report=report):
                    job.report, job.run = report, report.run
                    notices.tell(job.source_id, report)
                case RunFailed(error=error):
                    job.error = error
                    (reporter.skip if job.is_skipped else reporter.fail)(job.source_id, reason_of(error))
                    if not job.is_skipped:
                        notices.tell(job.source_id, error)
            reporter.show(event)
            if isinstance(event, RunFinished | RunFailed):
                begin(1)
