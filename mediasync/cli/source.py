"""``mediasync source``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.layout import columns, heading, plain
from mediasync.cli.options import OF_EVERY_COMMAND, PLAIN, with_options
from mediasync.errors import UsageError
from mediasync.reports import SourceSummary
from mediasync.settings.environment import SETTINGS, source_variable
from mediasync.settings.file import Configuration
from mediasync.settings.file_search import FILE_NAME
from mediasync.wording import counted, joined, moment, short

source = typer.Typer(add_completion=False, **PLAIN)


@source.callback(invoke_without_command=True)
def manage(context: typer.Context) -> None:
    """List the stored sources, rename one, or remove one."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@source.command("list")
@with_options(*OF_EVERY_COMMAND)
def list_sources(context: CommandContext) -> int:
    """List the stored sources, and the sources of the configuration that were never synced.

    Only reads the database. A source that leaves the configuration stays stored until
    mediasync source remove.

    [bold]Examples[/bold]
      mediasync source list
      mediasync source list --json

    [bold]Exit codes[/bold]
      0  shown
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    return context.run(_list(context))


async def _list(context: CommandContext) -> int:
    configuration = context.configuration()
    async with context.open_to_read() as ms:
        found = await ms.list_source_summaries()
    stored = {one.source.id for one in found}
    never = [source_id for source_id in configuration.sources if source_id not in stored]
    if context.out.as_json:
        context.out.dump(
            {
                "configuration": _file(configuration),
                "sources": [_document(one, configuration) for one in found],
                "never_synced": never,
            }
        )
        return 0
    if found:
        titles = ["source", "kind", "name", "items", "removed", "people", "last sync"]
        if configuration.path is not None:
            titles.append(f"in {FILE_NAME}")
        rows = [tuple(map(heading, titles)), *(_row(one, configuration) for one in found)]
        context.out.print(columns(rows, right=(3, 4, 5)))
    else:
        context.out.print(plain("No source was synced yet: mediasync sync nfo:FOLDER"))
    if never:
        context.out.print(plain(f"Never synced: {joined(never)}"))
    return 0


def _file(configuration: Configuration) -> str | None:
    return str(configuration.path.absolute()) if configuration.path else None


def _document(summary: SourceSummary, configuration: Configuration) -> dict[str, Any]:
    counts = summary.as_dict()
    return {
        **counts.pop("source"),
        **counts,
        "configured": summary.source.id in configuration.sources if configuration.path else None,
    }


def _row(summary: SourceSummary, configuration: Configuration) -> tuple[str, ...]:
    one, run = summary.source, summary.last_run
    last = "never" if run is None else f"{run.status} {moment(run.finished_at or run.started_at)}"
    row = (
        one.id,
        str(one.kind),
        short(one.name),
        *(f"{number:,}" for number in (summary.items, summary.removed, summary.people)),
        last,
    )
    if configuration.path is None:
        return row
    return (*row, "yes" if one.id in configuration.sources else "no")


@source.command("rename")
@with_options(*OF_EVERY_COMMAND)
def rename(
    context: CommandContext,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The id of a stored source.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The id that it gets.", show_default=False)],
) -> int:
    """Give a source another id, with all its libraries, items and people, and their history.

    Contacts no server, and changes everything or nothing. Rename the source in mediasync.toml, too: the
    command says what to change. The next sync under the new id goes on where the last one ended.

    [bold]Examples[/bold]
      mediasync source rename nas films

    [bold]Exit codes[/bold]
      0  renamed
      1  there is no source OLD
      2  NEW is taken or cannot name a source; or wrong usage or configuration
      4  there is no database, or it failed; nothing was changed
      6  a worker is syncing the source
    """
    return context.run(_rename(context, old, new))


async def _rename(context: CommandContext, old: str, new: str) -> int:
    configuration = context.configuration()
    async with context.open_to_write() as ms:
        await require_source(ms, old)
        report = await ms.rename_source(old, new)
    to_do = _to_do(configuration, context.environ, old, new)
    if context.out.as_json:
        context.out.dump({**report.as_dict(), "to_do": to_do})
        return 0
    parts = (
        "1 library" if report.libraries == 1 else f"{report.libraries:,} libraries",
        counted(report.items, "item"),
        f"{report.people:,} people",
    )
    context.out.print(plain(f"Renamed {old} to {new}, with {joined(parts)}."), *map(plain, to_do))
    return 0


def _to_do(configuration: Configuration, environ: Mapping[str, str], old: str, new: str) -> list[str]:
    """Return what is to be changed after a renaming, in words."""
    texts = []
    if old in configuration.sources:
        texts.append(
            f"In {_file(configuration)}, rename the table [sources.{old}] to [sources.{new}] before the next "
            f"sync, which would otherwise read everything again as a new source {old}."
        )
    elif new not in configuration.sources:
        texts.append(
            f"Sync it under its new name from now on: mediasync sync {new}=KIND+URL or {new}=nfo:FOLDER"
        )
    for setting in SETTINGS:
        before, after = source_variable(old, setting), source_variable(new, setting)
        texts += [
            f"Rename the environment variable {before}{end} to {after}{end}."
            for end in ("", "_FILE")
            if environ.get(f"{before}{end}") and before != after
        ]
    return texts


@source.command("remove")
@with_options(*OF_EVERY_COMMAND)
def remove(
    context: CommandContext,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The id of a stored source.", show_default=False)
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Delete a source with everything that is stored of it: items, people, credits, records of syncs.

    Says what goes, and asks first; without a terminal it needs --yes. Contacts no server. The change log
    keeps what was deleted. If the command is interrupted, run it again to delete the rest.

    [bold]Examples[/bold]
      mediasync source remove old-nas
      mediasync source remove old-nas --yes --json

    [bold]Exit codes[/bold]
      0  removed
      1  there is no such source, or you said no
      2  it was not confirmed; or wrong usage or configuration
      4  there is no database, or it failed; run the command again to delete the rest
      6  a worker is syncing the source
      129, 130, 143  interrupted; run it again to delete the rest
    """
    found: list[SourceSummary] = []
    context.run(_find(context, name, found))
    if not yes:
        what = _what_goes(found[0])
        if context.out.as_json or not sys.stdin.isatty():
            raise UsageError(f"this deletes {what}: confirm it with --yes")
        if not _agrees(f"Delete {what}?"):
            context.out.print(plain("Nothing was deleted."))
            return 1
    context.interrupted = "interrupted: run the same command again to delete the rest"
    return context.run(_remove(context, name), knows_sources=True)


def _agrees(question: str) -> bool:
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


async def _find(context: CommandContext, name: str, found: list[SourceSummary]) -> int:
    async with context.open_to_read() as ms:
        await require_source(ms, name)
        found += await ms.list_source_summaries(name)
    return 0


def _what_goes(summary: SourceSummary) -> str:
    parts = (
        counted(summary.items, "item"),
        counted(summary.removed, "removed item") if summary.removed else "",
        f"{summary.people:,} people",
        counted(summary.credits, "credit"),
    )
    runs = f"the records of {counted(summary.runs, 'sync')}"
    return f"the source {summary.source.id} with {joined(parts)} and {runs}"


async def _remove(context: CommandContext, name: str) -> int:
    configuration = context.configuration()
    async with context.open_to_write() as ms:
        report = await ms.remove_source(name)
    configured = name in configuration.sources
    if context.out.as_json:
        context.out.dump({**report.as_dict(), "configured": configured if configuration.path else None})
        return 0
    parts = (
        counted(report.items, "item"),
        f"{report.people:,} people",
        counted(report.credits, "credit"),
    )
    runs = f"the records of {counted(report.runs, 'sync')}"
    context.out.print(plain(f"Removed {name}, with {joined(parts)} and {runs}."))
    if configured:
        context.out.print(
            plain(f"Remove [sources.{name}] from {_file(configuration)}, too: the next sync reads it again.")
        )
    return 0
