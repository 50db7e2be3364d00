"""``mediasync status``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.console import RenderableType

from mediasync.app import MediaSync
from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.errors import ExitCode
from mediasync.cli.layout import columns, faint, heading, indented, plain
from mediasync.cli.location import database_document, database_name
from mediasync.cli.options import OF_EVERY_COMMAND, SourceOption, with_options
from mediasync.errors import UsageError
from mediasync.models import Library, LibraryRun, PendingRemoval, Source, SyncRun
from mediasync.settings.database import database_url, sqlite_path
from mediasync.settings.durations import parse_duration
from mediasync.vocabulary import Completeness, MediaType, RunStatus
from mediasync.wording import (
    counted,
    duration,
    joined,
    moment,
    run_counts,
    short,
    size,
)

_BAD: Final = frozenset({RunStatus.FAILED, RunStatus.INTERRUPTED})
_GOOD: Final = (RunStatus.SUCCEEDED, RunStatus.NEEDS_CONFIRMATION)

Counts = dict[MediaType, Counter[Completeness]]


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """What is stored of one library.

    Attributes:
        library: the stored library.
        counts: the numbers of items, by type and completeness.
        runs: what the newest two runs that read the library saw of it.
        pending: the removal that waits for a confirmation.
    """

    library: Library
    counts: Counts
    runs: list[LibraryRun]
    pending: PendingRemoval | None = None

    @property
    def stays_preview(self) -> bool:
        """Whether previews are stored, and the last two runs were given previews again."""
        stored = any(by_known[Completeness.PREVIEW] for by_known in self.counts.values())
        return stored and len(self.runs) == 2 and all(run.previews for run in self.runs)


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What is stored of one source.

    Attributes:
        source: the stored source.
        people: the number of people.
        last_run: the newest run.
        last_ended: the newest run that has ended, and the newest one of the whole source.
        last_good: the newest run of the whole source that succeeded, whether or not a removal has to be
            confirmed.
        libraries: the status of each library.
        too_old: why the last successful run is too old; empty if it is not.
    """

    source: Source
    people: int
    last_run: SyncRun | None
    last_ended: list[SyncRun]
    last_good: SyncRun | None
    libraries: list[LibraryStatus]
    too_old: str

    @property
    def is_well(self) -> bool:
        """Whether the last finished syncs did not fail, and the last successful one is not too old."""
        return not self.too_old and not any(run.status in _BAD for run in self.last_ended)


@with_options(*OF_EVERY_COMMAND)
def status(
    context: CommandContext,
    source: SourceOption = None,
    max_age: Annotated[
        str | None,
        typer.Option(
            "--max-age",
            metavar="TIME",
            help="Exit with 1 if the last successful sync of a source is older: 26h, 90min, 2d.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Show what is stored: sources, libraries, items, people, and the last sync.

    Only reads the database. Items are counted by how much of their cast and crew is known: all of it (full),
    only the first names (preview), or nothing (none). For each library it shows how many items the source
    has, if the source says so, and how many stored items were not listed in the last sync. If the last sync
    of a source did not succeed, the last one that did is shown, too. A sync of only some libraries or items
    (--library, --item) does not count as successful, because it says nothing about the others.

    [bold]Examples[/bold]
      mediasync status
      mediasync status --source home --max-age 26h
      mediasync status --database media.db --json

    [bold]Exit codes[/bold]
      0  shown, and the last syncs succeeded
      1  the last sync of a source failed or was cut off, or its last good one is too old; or there is no such
         source
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    try:
        oldest = None if max_age is None else datetime.now(UTC) - parse_duration(max_age)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--max-age: {error}") from None
    return context.run(_status(context, source, oldest))


async def _status(context: CommandContext, source_id: str | None, oldest: datetime | None) -> int:
    url = context.url()
    async with context.open_to_read() as ms:
        if source_id is not None:
            await require_source(ms, source_id)
        sources = await _sources(ms, source_id, oldest)
        credits_stored = await ms.media.count_credits()
        people = await ms.people.count()
    never = _never_synced(context, source_id, sources)
    well = all(source.is_well for source in sources) and not (never and oldest)
    code = ExitCode.OK if well else ExitCode.INCOMPLETE
    path = sqlite_path(url)
    size_bytes = path.stat().st_size if path else None
    if context.out.as_json:
        context.out.dump(
            {
                "database": {**database_document(url), "size_bytes": size_bytes, "schema": "current"},
                "ok": well,
                "people": people,
                "credits": credits_stored,
                "sources": [_document(source) for source in sources],
                "never_synced": never,
            }
        )
        return code
    how_big = "" if size_bytes is None else f" ({size(size_bytes)})"
    rows = [
        ("Database", f"{database_name(url)}{how_big}, schema up to date"),
        ("People", f"{people:,} with {counted(credits_stored, 'credit')}"),
    ]
    context.out.print(columns(rows), *(part for source in sources for part in _lines(source)))
    if never:
        context.out.print(plain(""), plain(f"Never synced: {joined(never)}"))
    elif not sources:
        context.out.print(plain("No source was synced yet: mediasync sync nfo:FOLDER"))
    return code


async def _sources(ms: MediaSync, source_id: str | None, oldest: datetime | None) -> list[SourceStatus]:
    counts: dict[str, Counts] = {}
    for library_id, media_type, completeness, number in await ms.media.count_by_library():
        counts.setdefault(library_id, {}).setdefault(media_type, Counter())[completeness] = number
    seen: dict[str, list[LibraryRun]] = {}
    for run in await ms.list_library_runs(source_id, limit=2):
        seen.setdefault(run.library_id, []).append(run)
    found = []
    for source in await ms.media.list_sources():
        if source_id not in {None, source.id}:
            continue
        # At most one run of a source is running.
        runs = await ms.list_runs(source.id, limit=2)
        whole = await ms.list_runs(source.id, limit=2, whole=True)
        good = [
            run for well in _GOOD for run in await ms.list_runs(source.id, limit=1, status=well, whole=True)
        ]
        good.sort(key=lambda run: run.id, reverse=True)
        libraries = await ms.media.list_libraries(source.id)
        pending = {one.library_id: one for one in await ms.list_pending_removals(source.id)}
        found.append(
            SourceStatus(
                source,
                await ms.people.count(source.id),
                runs[0] if runs else None,
                [*_newest_ended(runs), *_newest_ended(whole)],
                good[0] if good else None,
                [
                    LibraryStatus(
                        library,
                        counts.get(library.full_id, {}),
                        seen.get(library.full_id, []),
                        pending.get(library.full_id),
                    )
                    for library in libraries
                ],
                _too_old(good[0] if good else None, oldest),
            )
        )
    return found


def _newest_ended(runs: Sequence[SyncRun]) -> list[SyncRun]:
    return [run for run in runs if run.status is not RunStatus.RUNNING][:1]


def _never_synced(
    context: CommandContext, source_id: str | None, stored: Sequence[SourceStatus]
) -> list[str]:
    """Return the sources of the configuration file that are not in the database of that file."""
    if source_id is not None or database_url(context.database, context.environ) is not None:
        return []
    known = {one.source.id for one in stored}
    return [name for name in context.configuration().sources if name not in known]


def _too_old(good: SyncRun | None, oldest: datetime | None) -> str:
    if oldest is None:
        return ""
    if good is None:
        return "no sync has ended well yet"
    ended = good.finished_at or good.started_at
    return f"the last good sync is {duration(datetime.now(UTC) - ended)} old" if ended < oldest else ""


def _document(status: SourceStatus) -> dict[str, Any]:
    return {
        **status.source.model_dump(mode="json"),
        "ok": status.is_well,
        "too_old": bool(status.too_old),
        "people": status.people,
        "last_run": status.last_run.model_dump(mode="json") if status.last_run else None,
        "last_good_run": status.last_good.model_dump(mode="json") if status.last_good else None,
        "libraries": [
            {
                **one.library.model_dump(mode="json", exclude={"full_id"}),
                "id": one.library.full_id,
                "items": {
                    str(media_type): {str(known): by_known[known] for known in Completeness}
                    for media_type, by_known in one.counts.items()
                },
                "last_run": one.runs[0].model_dump(mode="json") if one.runs else None,
                "stays_preview": one.stays_preview,
                "pending_removal": one.pending.model_dump(mode="json") if one.pending else None,
            }
            for one in status.libraries
        ],
    }


def _lines(status: SourceStatus) -> list[RenderableType]:
    source = status.source
    facts = joined((str(source.kind), short(source.name) if source.name != source.id else ""))
    parts: list[RenderableType] = [plain(""), heading(f"{source.id} ({facts})")]
    rows = [row for library in status.libraries for row in _rows(library)]
    rows += [("people", f"{status.people:,}"), ("last sync", _last_run(status.last_run))]
    if status.last_good is not None and status.last_good != status.last_run:
        rows.append(("last good", _last_run(status.last_good)))
    if status.too_old:
        rows.append(("too old", status.too_old))
    parts.append(columns(rows, indent=2))
    if not status.libraries:
        parts.append(indented(faint("no libraries")))
    return parts


def _rows(status: LibraryStatus) -> list[tuple[str, str]]:
    rows = [(short(status.library.title), _contents(status.counts))]
    if status.runs:
        rows.append(("", _seen(status.runs[0])))
    if status.pending is not None:
        rows.append(("", _pending(status.pending)))
    if status.stays_preview:
        rows.append(("", "some cast lists are still cut short after two syncs: is the server done scanning?"))
    return rows


def _pending(pending: PendingRemoval) -> str:
    return (
        f"needs confirmation: {counted(pending.items, 'item')} of {pending.stored:,} would be removed, but "
        f"{pending.reason}; mediasync sync {pending.source_id} --max-removals {pending.items} confirms it"
    )


def _seen(run: LibraryRun) -> str:
    counted_there = "" if run.counted is None else f"the source counts {run.counted:,}"
    if not run.complete:
        seen = joined(("the last sync was not told all", run.reason or ""), ": ")
    elif run.unseen:
        seen = f"{run.unseen:,} of what is stored not seen in the last sync"
    else:
        seen = "all that is stored was seen in the last sync"
    return joined((counted_there, seen), "; ")


def _contents(counts: Counts) -> str:
    texts = []
    for media_type in MediaType:
        if by_known := counts.get(media_type):
            number = by_known.total()
            texts.append(f"{counted(number, media_type)} ({_known(by_known, number)})")
    return joined(texts) or "no items"


def _known(by_known: Counter[Completeness], number: int) -> str:
    if by_known[Completeness.FULL] == number:
        return "cast and crew full"
    return "cast and crew: " + joined(
        f"{by_known[known]:,} {known}" for known in reversed(Completeness) if by_known[known]
    )


def _last_run(run: SyncRun | None) -> str:
    if run is None:
        return "never"
    text = f"{run.status} {moment(run.finished_at or run.started_at)}"
    if run.finished_at is not None:
        text += f" after {duration(run.finished_at - run.started_at)}"
    if run.status is not RunStatus.RUNNING:
        text += f": {run_counts(run)}"
    part = ", of selected libraries or items" if run.partial else ""
    return f"{text} (run {run.id}{part})" + (f": {run.error}" if run.error else "")
