"""``mediasync backup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mediasync.cli.context import CommandContext
from mediasync.cli.copy import telling
from mediasync.cli.layout import faint, plain
from mediasync.cli.location import database_document, database_name
from mediasync.cli.options import OF_EVERY_COMMAND, OF_LONG_COMMANDS, with_options
from mediasync.wording import megabytes


@with_options(*OF_EVERY_COMMAND, *OF_LONG_COMMANDS)
def backup(
    context: CommandContext,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.", show_default=False)],
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that exists, once the backup is complete.")
    ] = False,
) -> int:
    """Write a backup of the whole mirror to a SQLite file, while syncs go on.

    The backup holds one moment. It appears under its name when it is complete and checked; if that fails or
    is interrupted, nothing of it is left. A PostgreSQL database is copied row by row; mediasync copy brings
    it back.

    [bold]Examples[/bold]
      mediasync backup backup.db
      mediasync backup --force backup.db
      mediasync backup --database postgresql://me@host/media backup.db

    [bold]Exit codes[/bold]
      0  written
      2  wrong usage or configuration, or a file that is not replaced
      4  there is no database, it failed or is damaged, or the disk has too little room
      129, 130, 143  interrupted; nothing was written
    """
    return context.run(_backup(context, file, force=force))


async def _backup(context: CommandContext, file: Path, *, force: bool) -> int:
    context.interrupted = "interrupted: no backup was written"
    async with context.open_to_read() as ms:
        with telling(context.out) as tell:
            report = await ms.backup(file, force=force, on_progress=tell)
    if context.out.as_json:
        context.out.dump({"database": database_document(context.url()), **report.as_dict()})
        return 0
    if context.out.quiet:
        return 0
    how = ", in place of an older file" if report.replaced else ""
    context.out.print(plain(f"Backup: {report.path} ({megabytes(report.bytes)}{how})"))
    context.out.print(faint(f"Database: {database_name(context.url())}"))
    return 0
