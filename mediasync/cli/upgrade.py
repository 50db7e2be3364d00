"""``mediasync upgrade``."""

from __future__ import annotations

from typing import Annotated

import typer

from mediasync.app import upgrade_mirror
from mediasync.cli.context import CommandContext
from mediasync.cli.errors import ExitCode
from mediasync.cli.layout import faint, plain
from mediasync.cli.location import database_document, database_name
from mediasync.cli.options import OF_EVERY_COMMAND, with_options
from mediasync.reports import UpgradeReport
from mediasync.settings.database import sqlite_path


@with_options(*OF_EVERY_COMMAND)
def upgrade(
    context: CommandContext,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing, and say whether an upgrade is needed.")
    ] = False,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="SQLite only: make no copy of the database before.")
    ] = False,
) -> int:
    """Upgrade the database to the schema of this version, after a copy was made.

    mediasync sync does that too. This command lets you choose the time. The upgrade is one transaction: it
    happens as a whole or not at all. Before it, a SQLite file is copied to a file beside it, which is kept;
    of a PostgreSQL database no copy is made, so dump it first (pg_dump). End other programs that use the
    database.

    [bold]Examples[/bold]
      mediasync upgrade --check
      mediasync upgrade
      mediasync upgrade --no-backup --database media.db

    [bold]Exit codes[/bold]
      0  upgraded, or nothing to do
      1  with --check: an upgrade is needed
      2  wrong usage or configuration
      4  there is no database, a newer mediasync wrote it, or it failed; nothing was changed
    """
    return context.run(_upgrade(context, check=check, backup=not no_backup))


async def _upgrade(context: CommandContext, *, check: bool, backup: bool) -> int:
    url = context.url()
    context.interrupted = "interrupted: the database is upgraded as a whole, or as it was"
    report = await upgrade_mirror(url, dry_run=check, backup=backup)
    if context.out.as_json:
        document = report.as_dict()
        context.out.dump({"database": database_document(url), "needed": report.is_needed, **document})
    else:
        context.out.print(plain(_said(report)))
        if report.is_needed and not check and report.backup is None and sqlite_path(url) is not None:
            context.out.print(plain("No copy of the old database was made."))
        context.out.print(faint(f"Database: {database_name(url)}"))
    return ExitCode.INCOMPLETE if check and report.is_needed else ExitCode.OK


def _said(report: UpgradeReport) -> str:
    if not report.is_needed:
        return f"The database has schema {report.after}, which this version needs."
    if report.dry_run:
        return (
            f"The database has schema {report.before}; this version needs {report.after}. "
            "mediasync upgrade upgrades it."
        )
    kept = f" The old database is kept in {report.backup}." if report.backup else ""
    return f"Upgraded from schema {report.before} to {report.after}.{kept}"
