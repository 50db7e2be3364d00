"""``mediasync sync``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from mediasync.app import MediaSync, make_backend
from mediasync.cli.errors import ExitCode, error_kind, error_text, exit_code
from mediasync.cli.output import columns, faint, heading, indented, plain
from mediasync.cli.progress import Reporter, make_reporter, summary
from mediasync.cli.state import (
    DatabaseOption,
    DebugOption,
    JsonOption,
    State,
    database_document,
    database_name,
)
from mediasync.cli.text import counted
from mediasync.errors import ConfigurationError, DatabaseError, MediaSyncError, SourceError
from mediasync.events import RunStarted
from mediasync.models import SyncRun
from mediasync.redaction import without_secrets
from mediasync.reports import SyncReport
from mediasync.vocabulary import RunStatus

_SHOWN = 20
"""How many failures, problems and remarks of each source are shown; `mediasync runs` lists all."""


@dataclass(slots=True)
class Job:
    """One source of the command, and what became of it.

    Attributes:
        given: the source as it was given.
        text: the same, as it may be shown.
        source_id: its id.
        derived: whether the id was derived from the text.
        run_id: the recorded run, once it has begun.
        run: the run as it is recorded.
        report: if it ended well.
        error: if it did not.
        begun: whether its turn came.
    """

    given: str
    text: str
    source_id: str
    derived: bool
    run_id: int | None = None
    run: SyncRun | None = None
    report: SyncReport | None = None
    error: Exception | None = None
    begun: bool = False

    @property
    def code(self) -> int:
        """The exit code that tells what became of it."""
        if self.error is not None:
            return exit_code(self.error)
        if self.report is None:
            return ExitCode.OK
        return ExitCode.INCOMPLETE if self.report.failed else ExitCode.OK

    @property
    def status(self) -> str:
        """How it ended: a run's status, or ``not_started``."""
        if self.run is not None:
            return str(self.run.status)
        if self.error is not None:
            return str(RunStatus.FAILED)
        return str(RunStatus.CANCELLED) if self.begun else "not_started"


def sync(
    context: typer.Context,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="nfo:FOLDER, or NAME=nfo:FOLDER to choose the source's id.",
            show_default=False,
        ),
    ],
    full: Annotated[bool, typer.Option("--full", help="Read everything again, changed or not.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Mirror sources into the database.

    Reads each source, one after another, and saves what is new or changed, with the full cast and crew.
    Besides [bold]copy[/bold], only this command writes the database; where there is none it makes one. A
    source keeps its id: without a name it is the kind and the folder's name, [bold]nfo-library[/bold] for
    nfo:examples/library.

    [bold]Examples[/bold]
      mediasync sync nfo:/media/films
      mediasync sync films=nfo:/media/films series=nfo:/media/series
      mediasync sync nfo:examples/library --database media.db

    [bold]Exit codes[/bold]
      0  all is well; parts that were left out of an item are shown
      1  some items failed, and are listed; the others are saved
      2  wrong usage or configuration
      3  a source could not be reached or read
      4  the database failed
      130, 143  interrupted; what was saved stays, the run is recorded as cancelled

    Of several sources the highest counts; one that fails does not keep the next from being synced.
    """
    state = State.of(context, database=database, as_json=as_json, debug=debug)
    return state.run(_sync(state, _jobs(sources), full=full))


def _jobs(sources: Sequence[str]) -> list[Job]:
    jobs: dict[str, Job] = {}
    for text in sources:
        backend = make_backend(text)
        source_id = backend.source.id
        shown = without_secrets(text)
        if source_id in jobs:
            raise ConfigurationError(
                f"{jobs[source_id].text} and {shown} are both called {source_id!r}: "
                "give one of them another name, NAME=nfo:FOLDER"
            )
        jobs[source_id] = Job(text, shown, source_id, derived=not text.startswith(f"{source_id}="))
    return list(jobs.values())


async def _sync(state: State, jobs: Sequence[Job], *, full: bool) -> int:
    out = state.out
    ms = state.open_to_write()
    url = state.url()
    async with ms:
        try:
            with make_reporter(out) as reporter:
                state.when_interrupted = reporter.stopping
                for job in jobs:
                    job.begun = True
                    await _sync_one(ms, job, reporter, full=full)
                    if isinstance(job.error, DatabaseError):
                        break
        except asyncio.CancelledError:
            for job in jobs:
                if job.status == RunStatus.CANCELLED:
                    state.interrupted = (
                        f"interrupted: the sync of {job.source_id} is cancelled; what was saved stays"
                    )
                    with suppress(MediaSyncError):
                        await _find_run(ms, job)
            raise
        finally:
            state.partial = _document(url, jobs)
    if out.as_json:
        out.dump(state.partial)
    else:
        out.print(*(part for job in jobs for part in _lines(job)), faint(f"Database: {database_name(url)}"))
    for job in jobs:
        if job.error is not None:
            out.trace(job.error)
    return max(job.code for job in jobs)


async def _sync_one(ms: MediaSync, job: Job, reporter: Reporter, *, full: bool) -> None:
    reporter.start(job.source_id, job.text.removeprefix(f"{job.source_id}="))
    try:
        running = ms.sync(job.given, full=full)
        async with aclosing(running.__aiter__()) as events:
            async for event in events:
                if isinstance(event, RunStarted):
                    job.run_id = event.run_id
                reporter.show(event)
        job.report, job.run = running.report, running.report.run
    except Exception as error:
        # A fault of one backend's code must not keep the next source from being synced either.
        job.error = error
        reporter.fail(job.source_id, _reason(error))
        if not isinstance(error, DatabaseError):
            await _find_run(ms, job)


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, SourceError) else error_text(error)


async def _find_run(ms: MediaSync, job: Job) -> None:
    if job.run_id is not None:
        job.run = await ms.find_run(job.run_id)


def _lines(job: Job) -> list[RenderableType]:
    named = f"{job.source_id} (from {job.text})" if job.derived else job.source_id
    report = job.report
    if report is None:
        why = _reason(job.error) if job.error else "not synced, because the database failed"
        return [heading(named), indented(plain(f"not synced: {why}" if job.error else why))]
    found = summary(report) if report.run.seen else "no items were found"
    parts: list[RenderableType] = [heading(named), indented(plain(found))]
    parts += _list("failed; what was stored of them before stays:", report.failed, report)
    parts += _list("left out of items that are saved:", report.problems, report)
    parts += _list("remarked:", report.remarks, report)
    if report.repeats:
        parts.append(indented(plain(f"{counted(report.repeats, 'exact repeat')} of credits dropped")))
    return parts


def _list(title: str, entries: Sequence[tuple[str, str]], report: SyncReport) -> list[RenderableType]:
    if not entries:
        return []
    parts: list[RenderableType] = [
        indented(plain(f"{len(entries):,} {title}")),
        columns(entries[:_SHOWN], indent=4),
    ]
    if (left := len(entries) - _SHOWN) > 0:
        parts.append(indented(faint(f"and {left:,} more: mediasync runs {report.run.id} --all"), 4))
    return parts


def _document(url: str, jobs: Sequence[Job]) -> dict[str, Any]:
    return {"database": database_document(url), "sources": [_job_document(job) for job in jobs]}


def _job_document(job: Job) -> dict[str, Any]:
    report = job.report
    return {
        "source": job.text,
        "source_id": job.source_id,
        "derived": job.derived,
        "status": job.status,
        "run": job.run.model_dump(mode="json") if job.run else None,
        "failed": [{"id": item_id, "reason": reason} for item_id, reason in report.failed] if report else [],
        "problems": [{"id": item_id, "reason": reason} for item_id, reason in report.problems]
        if report
        else [],
        "remarks": [{"subject": subject, "text": text} for subject, text in report.remarks] if report else [],
        "repeats": report.repeats if report else 0,
        "error": {"kind": error_kind(job.error), "message": error_text(job.error)} if job.error else None,
    }
