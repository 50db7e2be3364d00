"""``mediasync copy``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated, Final

import typer

from mediasync.app import copy_mirror
from mediasync.cli.context import CommandContext
from mediasync.cli.layout import columns, faint, plain
from mediasync.cli.location import database_document, database_name
from mediasync.cli.options import OF_LONG_COMMANDS, with_options
from mediasync.cli.output import Output
from mediasync.cli.progress import steps_shown
from mediasync.copying.verification import Tell
from mediasync.reports import CopyReport
from mediasync.settings.database import database_url
from mediasync.wording import counted

_COMPARING: Final = "comparing"


@with_options("file_mode", "config", "as_json", "debug", *OF_LONG_COMMANDS)
def copy(
    context: CommandContext,
    target: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="URL|PATH",
            help="The database to write: empty, not existing yet, or an unfinished copy.",
            show_default=False,
        ),
    ],
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URL|PATH",
            help="The database to read. The default is the one that the other commands use.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Copy the whole mirror into another database, from SQLite to PostgreSQL or back.

    Copies sources, libraries, items, people, credits and the records of all syncs, page by page, then
    compares every row on both sides. The origin is only read. If it is interrupted, run it again to continue.
    A target with rows that are newer than the origin's, or are not in it, is refused and left as it is.

    [bold]Examples[/bold]
      mediasync copy --from media.db --to postgresql://me@host/media
      mediasync copy --from postgresql://me@host/media --to media.db
      mediasync copy --to copy.db

    [bold]Exit codes[/bold]
      0  copied; both databases are the same
      2  wrong usage or configuration, or a target that is refused
      4  a database failed, or the two differ
      129, 130, 143  interrupted; run it again to continue
    """
    if origin is not None:
        context.database = origin
    return context.run(_copy(context, target))


async def _copy(context: CommandContext, target: str) -> int:
    origin_url, target_url = context.url(), database_url(target, {}) or target
    context.interrupted = "interrupted: what was copied stays; run the same command again to continue"
    with telling(context.out) as tell:
        report = await copy_mirror(origin_url, target_url, file_mode=context.mode(), on_progress=tell)
    if context.out.as_json:
        context.out.dump(
            {
                "from": database_document(origin_url),
                "to": database_document(target_url),
                "copied": report.copied,
                "unchanged": report.unchanged,
                "rows": report.rows,
            }
        )
        return 0
    if context.out.quiet:
        return 0
    _show(context.out, report)
    context.out.print(faint(f"Database: {database_name(target_url)}"))
    return 0


def _show(out: Output, report: CopyReport) -> None:
    rows = [
        (view.replace("_", " "), f"{number:,} copied", f"{report.unchanged[view]:,} already there")
        for view, number in report.copied.items()
    ]
    out.print(columns(rows, right=(1, 2)))
    compared = sum(report.rows.values())
    out.print(plain(f"Both hold the same: {counted(compared, 'row')} of {len(report.rows)} views compared."))


def telling(out: Output) -> AbstractContextManager[Tell]:
    """Show how a copy gets on."""
    return steps_shown(out, "copying", _step, _label)


def _label(what: str) -> str:
    return what if what == _COMPARING else f"copying {what.replace('_', ' ')}"


def _step(what: str, total: int) -> str:
    if what == _COMPARING:
        return f"comparing {counted(total, 'row')}"
    return f"copying {total:,} {what.replace('_', ' ')}"
