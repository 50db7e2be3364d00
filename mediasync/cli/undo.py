"""``mediasync undo``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType

from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode, NotFound
from mediasync.cli.layout import faint, plain, shortened
from mediasync.cli.options import OF_EVERY_COMMAND, AllOption, with_options
from mediasync.reports import UndoReport

_SHOWN = 20
_EVERYTHING = 2**62


@with_options(*OF_EVERY_COMMAND)
def undo(
    context: CommandContext,
    run: Annotated[
        int,
        typer.Option(
            "--run", metavar="N", min=1, max=_EVERYTHING, help="The run to undo.", show_default=False
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing, and show what would be changed.")
    ] = False,
    everything: AllOption = False,
) -> int:
    """Undo what a run changed, by a run of its own that can be undone as well.

    Items that the run removed come back. Fields and credits that it changed get their earlier values. Items
    that it added are removed. What was changed again since is left as it is, and listed. The next sync that
    reads an item brings the values of the source.

    [bold]Examples[/bold]
      mediasync undo --run 12 --dry-run
      mediasync undo --run 12

    [bold]Exit codes[/bold]
      0  everything that the run changed is as before
      1  some of it was changed again since, and is listed; or there is no such run
      2  wrong usage or configuration, or its changes are no longer kept
      4  there is no database, or it failed
      6  a worker is syncing the source
    """
    return context.run(_undo(context, run, dry_run=dry_run, limit=_EVERYTHING if everything else _SHOWN))


async def _undo(context: CommandContext, run_id: int, *, dry_run: bool, limit: int) -> int:
    opened = context.open_to_read() if dry_run else context.open_to_write()
    async with opened as ms:
        if await ms.find_run(run_id) is None:
            raise NotFound(f"there is no run {run_id}; mediasync runs lists them")
        report = await ms.undo(run_id, dry_run=dry_run)
    if context.out.as_json:
        context.out.dump({"dry_run": dry_run, **report.as_dict()})
    else:
        context.out.print(*_lines(report, limit))
    return ExitCode.INCOMPLETE if report.refused else ExitCode.OK


def _lines(report: UndoReport, limit: int) -> list[RenderableType]:
    if not report.undone and not report.refused:
        return [plain(f"Run {report.run_id} changed nothing.")]
    would = "would be " if report.run is None else ""
    parts = shortened(f"{would}undone:", report.undone, limit, "--all shows all")
    parts += shortened("left as they are:", report.refused, limit, "--all shows all")
    if report.run is not None:
        number = report.run.id
        parts.append(faint(f"This is run {number}: mediasync undo --run {number} undoes it"))
    return parts
