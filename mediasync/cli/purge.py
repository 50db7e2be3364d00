"""``mediasync purge``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.layout import plain
from mediasync.cli.options import OF_EVERY_COMMAND, SourceOption, with_options
from mediasync.cli.removed import counts_of
from mediasync.errors import UsageError
from mediasync.settings.durations import parse_duration


@with_options(*OF_EVERY_COMMAND)
def purge(
    context: CommandContext,
    source: SourceOption = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="TIME",
            help="Delete what was removed longer ago than this: 7d, 12h, 0d. The default is keep_removed of "
            "mediasync.toml, else 7d.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Delete nothing, and show how much would be deleted.")
    ] = False,
) -> int:
    """Delete items that were removed long ago, and the people whom nobody has credited since.

    Each sync of a whole source does this for its own items, so this command is for the impatient.

    [bold]Examples[/bold]
      mediasync purge --dry-run
      mediasync purge --source plex-home --older-than 0d

    [bold]Exit codes[/bold]
      0  deleted, or there was nothing to delete
      1  there is no such source
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    return context.run(_purge(context, source, _days(context, older_than), dry_run=dry_run))


def _days(context: CommandContext, text: str | None) -> float | None:
    if text is None:
        return context.configuration().keep_removed
    try:
        return parse_duration(text) / timedelta(days=1)
    except ValueError as error:
        raise UsageError(f"--older-than: {error}") from None


async def _purge(
    context: CommandContext, source_id: str | None, keep_days: float | None, *, dry_run: bool
) -> int:
    opened = context.open_to_read() if dry_run else context.open_to_write()
    async with opened as ms:
        if source_id is not None:
            await require_source(ms, source_id)
        report = await ms.purge(keep_days, source_id=source_id, dry_run=dry_run)
    if context.out.as_json:
        context.out.dump({"dry_run": dry_run, "items": report.items, "people": report.people})
        return 0
    what = counts_of(report.items, report.people)
    context.out.print(plain(f"{what} would be deleted." if dry_run else f"{what} deleted."))
    return 0
