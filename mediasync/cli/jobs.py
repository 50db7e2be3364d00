"""The sources of one ``mediasync sync``, and the report on each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from mediasync.app import MediaSync
from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode, error_kind, error_text, exit_code
from mediasync.cli.layout import heading, indented, plain, shortened
from mediasync.cli.location import database_document
from mediasync.cli.progress import summary
from mediasync.errors import (
    ConfigurationError,
    DatabaseError,
    LeaseError,
    SourceError,
    SourceHeld,
    UsageError,
)
from mediasync.models import SyncRun
from mediasync.reports import Failure, SyncReport
from mediasync.settings.file import choose_source
from mediasync.settings.source import FlawedSource, SourceConfig
from mediasync.syncing.selection import share_selection
from mediasync.text import without_secrets
from mediasync.vocabulary import RunStatus
from mediasync.wording import counted, short

_SHOWN = 20
"""How many failures, problems and remarks of each source are shown; `mediasync runs` lists all."""


@dataclass(slots=True)
class Job:
    """One source of the command, and its result.

    Attributes:
        given: the settings of the source.
        text: the source as it was given, without secrets.
        derived: whether the id was derived from the text.
        run_id: the number of the recorded run, once it has begun.
        run: the recorded run.
        report: the report, if the sync succeeded.
        error: the error, if it failed.
        begun: whether the sync was started.
        may_be_skipped: whether it is well if another worker syncs the source.
    """

    given: SourceConfig | FlawedSource
    text: str
    derived: bool
    run_id: int | None = None
    run: SyncRun | None = None
    report: SyncReport | None = None
    error: Exception | None = None
    begun: bool = False
    may_be_skipped: bool = False

    @property
    def source_id(self) -> str:
        """The id of the source."""
        return self.given.id

    @property
    def address(self) -> str:
        """The address of the source, for people."""
        if self.text == self.source_id and isinstance(self.given, SourceConfig):
            return self.given.location
        return self.text.removeprefix(f"{self.source_id}=")

    @property
    def code(self) -> int:
        """The exit code of this source."""
        if self.is_skipped:
            return ExitCode.OK
        if self.error is not None:
            return exit_code(self.error)
        if self.report is None:
            return ExitCode.OK
        if self.report.pending:
            return ExitCode.CONFIRMATION
        return ExitCode.INCOMPLETE if self.report.failed else ExitCode.OK

    @property
    def is_skipped(self) -> bool:
        """Whether another worker syncs the source, which is well."""
        return self.may_be_skipped and isinstance(self.error, SourceHeld)

    @property
    def status(self) -> str:
        """How it ended: a run's status, ``skipped`` or ``not_started``."""
        if self.is_skipped:
            return "skipped"
        if self.run is not None:
            return str(self.run.status)
        if self.error is not None:
            return str(RunStatus.FAILED)
        return str(RunStatus.CANCELLED) if self.begun else "not_started"


def jobs_of(
    context: CommandContext,
    sources: Sequence[str],
    libraries: Sequence[str],
    items: Sequence[str],
    *,
    may_be_skipped: bool,
) -> list[Job]:
    """Return the sources to sync: those of which something is selected.

    Args:
        context: the running command.
        sources: as they were given; if there are none, all of the configuration file.
        libraries: the only libraries to read.
        items: the only items to read.
        may_be_skipped: whether it is well if another worker syncs a source.

    Raises:
        UsageError: if there are no sources.
        ConfigurationError: if a text does not name a source, or two sources have the same id.
    """
    configuration = context.configuration()
    texts = sources or list(configuration.sources)
    if not texts:
        where = f"{configuration.path} has none" if configuration.path else "there is no mediasync.toml"
        raise UsageError(
            f"no source is named, and {where} (mediasync init sets one up; mediasync sync --help explains)"
        )
    jobs: dict[str, Job] = {}
    for text in texts:
        source = choose_source(text, configuration, context.environ)
        source_id, shown = source.id, without_secrets(text)
        if source_id in jobs:
            raise ConfigurationError(
                f"{jobs[source_id].text} and {shown} are both called {source_id!r}: "
                f"give one of them another name, NAME={shown.removeprefix(f'{source_id}=')}"
            )
        derived = text != source_id and not text.startswith(f"{source_id}=")
        jobs[source_id] = Job(source, shown, derived, may_be_skipped=may_be_skipped)
    selected = share_selection(libraries, items, list(jobs))
    return [job for source_id, job in jobs.items() if source_id in selected]


def reason_of(error: Exception) -> str:
    """Return why a source was not synced."""
    return error.reason if isinstance(error, SourceError | LeaseError) else error_text(error)


def lines_of(job: Job) -> list[RenderableType]:
    """Return the report on a finished job, for people."""
    named = f"{job.source_id} (from {job.text})" if job.derived else job.source_id
    report = job.report
    if report is None:
        why = reason_of(job.error) if job.error else "it has not ended"
        what = "skipped" if job.is_skipped else "not synced"
        return [heading(named), indented(plain(f"{what}: {why}"))]
    found = summary(report) if report.run.seen or report.removed else "no items were found"
    parts: list[RenderableType] = [heading(named), indented(plain(found))]
    if report.pending:
        number = sum(pending.items for pending in report.pending)
        text = f"needs confirmation: {counted(number, 'item')} would be removed; see the remarks below"
        parts.append(indented(Text(text, "bold")))
    where = "--json shows all" if report.dry else f"mediasync runs {report.run.id} --all"
    for title, entries in (
        ("would be written:", report.changes),
        ("removed, because the source no longer has them:", _removed(report)),
        ("failed; what was stored of them before stays:", [*map(_failure, report.failures)]),
        ("left out of items that are saved:", report.problems),
        ("remarked:", report.remarks),
    ):
        parts += shortened(title, entries, _SHOWN, where)
    if report.repeats:
        parts.append(indented(plain(f"{counted(report.repeats, 'exact repeat')} of credits dropped")))
    return [*parts, *map(indented, map(plain, _changes(report)))]


def line_of(job: Job) -> str:
    """Return the report on a finished job in one line."""
    if job.report is None:
        return f"{job.source_id}: not synced: {reason_of(job.error) if job.error else 'it has not ended'}"
    parts = [summary(job.report)]
    if job.report.pending:
        number = sum(pending.items for pending in job.report.pending)
        parts.append(
            f"needs confirmation: {counted(number, 'item')} would be removed: mediasync status shows how"
        )
    parts.extend(list(_changes(job.report))[-1:])
    if job.report.failed:
        parts.append(f"mediasync runs {job.report.run.id} lists what failed")
    return f"{job.source_id}: {'; '.join(parts)}"


def _failure(failure: Failure) -> tuple[str, str]:
    return failure.id, failure.reason if failure.advice is None else f"{failure.reason}; {failure.advice}"


def _changes(report: SyncReport) -> Iterator[str]:
    """Yield what changed in each library, if there are several, and in the source."""
    if len(report.counts.libraries) > 1:
        for library in report.counts.libraries:
            if library.has_changes:
                yield f"{short(library.title or library.library_id)}: {library.describe()}"
    changes = report.counts.describe()
    if report.dry:
        yield f"would change: {changes}" if changes else "nothing would change"
    else:
        yield f"{changes}: mediasync log --run {report.run.id}" if changes else "nothing changed"


def _removed(report: SyncReport) -> list[tuple[str, str]]:
    return [] if report.dry else [(item_id, "") for item_id in report.removed]


async def find_runs(ms: MediaSync, jobs: Sequence[Job]) -> None:
    """Read the recorded runs of the jobs that have no report."""
    for job in jobs:
        if job.run is None and job.run_id is not None:
            with suppress(DatabaseError):
                job.run = await ms.find_run(job.run_id)


def document_of(url: str, jobs: Sequence[Job], *, dry: bool) -> dict[str, Any]:
    """Return the JSON document of the command."""
    return {
        "database": database_document(url),
        "dry_run": dry,
        "sources": [job_document(job) for job in jobs],
    }


def job_document(job: Job) -> dict[str, Any]:
    """Return the part of the JSON document about one source."""
    report = job.report
    return {
        "source": job.text,
        "source_id": job.source_id,
        "derived": job.derived,
        "status": job.status,
        "run": job.run.model_dump(mode="json") if job.run else None,
        "failed": [failure.as_dict() for failure in report.failures] if report else [],
        "problems": [{"id": item_id, "reason": reason} for item_id, reason in report.problems]
        if report
        else [],
        "remarks": [{"subject": subject, "text": text} for subject, text in report.remarks] if report else [],
        "repeats": report.repeats if report else 0,
        "libraries": [library.model_dump(mode="json") for library in report.libraries] if report else [],
        "removed": list(report.removed) if report else [],
        "pending_removals": [one.model_dump(mode="json") for one in report.pending] if report else [],
        "purged": report.purged.as_dict() if report else None,
        "changes": [{"id": item_id, "what": what} for item_id, what in report.changes] if report else [],
        "counts": report.counts.as_dict() if report else None,
        "error": {"kind": error_kind(job.error), "message": error_text(job.error)} if job.error else None,
    }
