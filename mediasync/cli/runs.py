"""``mediasync runs``."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.errors import NotFound
from mediasync.cli.layout import columns, faint, heading, indented, plain, shortened
from mediasync.cli.options import OF_EVERY_COMMAND, AllOption, SourceOption, with_options
from mediasync.models import SyncRun
from mediasync.wording import duration, moment, run_counts

_EVERYTHING: Final = 2**62

_TITLES: Final = {
    "failure": "failed; what was stored of them before stays",
    "problem": "left out of items that are saved",
    "remark": "remarked",
}


@with_options(*OF_EVERY_COMMAND)
def runs(
    context: CommandContext,
    run_id: Annotated[
        int | None,
        typer.Argument(
            metavar="RUN_ID",
            min=1,
            max=_EVERYTHING,
            help="Show this run, with everything that it could not read or store.",
            show_default=False,
        ),
    ] = None,
    source: SourceOption = None,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", min=1, max=_EVERYTHING, metavar="N", help="Show at most this many lines of a list."
        ),
    ] = 20,
    everything: AllOption = False,
) -> int:
    """List the recorded syncs, the newest first; or show one, with what it could not read or store.

    Only reads the database.

    [bold]Examples[/bold]
      mediasync runs
      mediasync runs --source nfo-library --limit 5
      mediasync runs 12

    [bold]Exit codes[/bold]
      0  shown
      1  there is no such run or source
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    limit = _EVERYTHING if everything else limit
    if run_id is None:
        return context.run(_list_runs(context, source, limit))
    return context.run(_show_run(context, run_id, limit))


async def _list_runs(context: CommandContext, source_id: str | None, limit: int) -> int:
    async with context.open_to_read() as ms:
        if source_id is not None:
            await require_source(ms, source_id)
        found = await ms.list_runs(source_id, limit=limit + 1)
    shown, more = found[:limit], len(found) > limit
    if context.out.as_json:
        context.out.dump({"runs": [run.model_dump(mode="json") for run in shown], "more": more})
        return 0
    if not shown:
        context.out.print(plain("Nothing was synced yet: mediasync sync nfo:FOLDER"))
        return 0
    titles = ("run", "source", "status", "started", "took", "seen", "saved", "unchanged", "failed")
    rows = [tuple(map(heading, titles)), *map(_row, shown)]
    context.out.print(columns(rows, right=(0, 4, 5, 6, 7, 8)))
    if errors := [(f"run {run.id}:", run.error) for run in shown if run.error]:
        context.out.print(columns(errors))
    if more:
        context.out.print(faint(f"older runs are left out: --limit {2 * limit} shows more, --all shows all"))
    return 0


def _row(run: SyncRun) -> tuple[str, ...]:
    return (
        str(run.id),
        run.source_id,
        str(run.status),
        moment(run.started_at),
        duration(run.finished_at - run.started_at) if run.finished_at else "-",
        *(f"{number:,}" for number in (run.seen, run.saved, run.unchanged, run.failed)),
    )


async def _show_run(context: CommandContext, run_id: int, limit: int) -> int:
    async with context.open_to_read() as ms:
        run = await ms.find_run(run_id)
        entries = await ms.list_problems(run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id}; mediasync runs lists them")
    if context.out.as_json:
        lists = {
            kind: [{"subject": subject, "reason": reason} for of, subject, reason in entries if of == kind]
            for kind in _TITLES
        }
        context.out.dump(
            {
                "run": run.model_dump(mode="json"),
                "failures": lists["failure"],
                "problems": lists["problem"],
                "remarks": lists["remark"],
            }
        )
        return 0
    ended = f", ended {moment(run.finished_at)}" if run.finished_at else ""
    rows = [
        ("status", f"{run.status}, of selected libraries or items" if run.partial else str(run.status)),
        ("started", f"{moment(run.started_at)}{ended}"),
        ("items", run_counts(run)),
    ]
    if run.error:
        rows.append(("error", run.error))
    context.out.print(heading(f"Run {run.id} of {run.source_id}"), columns(rows, indent=2))
    for kind, title in _TITLES.items():
        of_kind = [entry[1:] for entry in entries if entry[0] == kind]
        context.out.print(*shortened(f"{title}:", of_kind, limit, "--all shows all"))
    if not entries:
        context.out.print(indented(plain("nothing failed, nothing was left out")))
    return 0
