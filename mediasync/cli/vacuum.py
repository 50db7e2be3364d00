"""``mediasync vacuum``."""

from __future__ import annotations

from mediasync.cli.context import CommandContext
from mediasync.cli.layout import faint, plain
from mediasync.cli.location import database_document, database_name
from mediasync.cli.options import OF_EVERY_COMMAND, with_options
from mediasync.wording import megabytes


@with_options(*OF_EVERY_COMMAND)
def vacuum(context: CommandContext) -> int:
    """Give unused space of the database back, and update the statistics of the query planner.

    A SQLite file is written anew and its write-ahead log is emptied. Nothing else can write meanwhile, so the
    command fails at once while a sync runs. The disk needs room for two more copies of the file. On
    PostgreSQL, VACUUM (ANALYZE) runs on the tables of the mirror, while others use them.

    [bold]Examples[/bold]
      mediasync vacuum
      mediasync vacuum --database media.db --json

    [bold]Exit codes[/bold]
      0  done
      2  wrong usage or configuration
      4  there is no database, it failed or is locked, or the disk has too little room
      6  SQLite only: a worker is syncing a source
      129, 130, 143  interrupted; nothing is lost
    """
    return context.run(_vacuum(context))


async def _vacuum(context: CommandContext) -> int:
    context.interrupted = "interrupted: nothing is lost"
    async with context.open_to_write() as ms:
        report = await ms.vacuum()
    if context.out.as_json:
        context.out.dump({"database": database_document(context.url()), **report.as_dict()})
        return 0
    before, after = megabytes(report.bytes_before), megabytes(report.bytes_after)
    context.out.print(plain(f"{before} before, {after} now."))
    if report.log_bytes:
        context.out.print(
            plain(
                f"{megabytes(report.log_bytes)} of it are still in the write-ahead log, because another "
                "program is reading. Run this again when it has ended."
            )
        )
    context.out.print(faint(f"Database: {database_name(context.url())}"))
    return 0
