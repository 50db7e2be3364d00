"""``mediasync log``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from mediasync.aio import take
from mediasync.change_words import log_document, sentence
from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.layout import columns, faint, heading, plain
from mediasync.cli.options import (
    EVERYTHING,
    OF_EVERY_COMMAND,
    AllOption,
    ChangesOption,
    SourceOption,
    with_options,
)
from mediasync.cli.points import parse_time, require_run
from mediasync.history import HistoryEntry
from mediasync.wording import moment


@with_options(*OF_EVERY_COMMAND)
def log(
    context: CommandContext,
    run: Annotated[
        int | None,
        typer.Option(
            "--run",
            metavar="N",
            min=1,
            max=EVERYTHING,
            help="Only what this run changed.",
            show_default=False,
        ),
    ] = None,
    source: SourceOption = None,
    item: Annotated[
        str | None, typer.Option("--item", metavar="ID", help="Only this item.", show_default=False)
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person", metavar="ID", help="Only this person and the person's credits.", show_default=False
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Only changes since then: 1d, 12h; or 2026-01-31.",
            show_default=False,
        ),
    ] = None,
    limit: ChangesOption = 50,
    everything: AllOption = False,
) -> int:
    """Show what changed: items added, changed and removed, and credits added, removed and moved.

    Only reads the database. Without an option it shows what the last run changed. Options are combined.

    [bold]Examples[/bold]
      mediasync log
      mediasync log --run 12
      mediasync log --since 1d --source plex-home
      mediasync log --item "plex-home:603" --json

    [bold]Exit codes[/bold]
      0  shown
      1  there is no such run or source
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    wanted = {
        "run_id": run,
        "source_id": source,
        "item_id": item,
        "person_id": person,
        "since": None if since is None else parse_time(since, "--since"),
    }
    return context.run(_log(context, wanted, EVERYTHING if everything else limit))


async def _log(context: CommandContext, wanted: dict[str, Any], limit: int) -> int:
    async with context.open_to_read() as ms:
        if wanted["source_id"] is not None:
            await require_source(ms, wanted["source_id"])
        if not any(wanted.values()):
            newest = await ms.list_runs(limit=1)
            if not newest:
                return _nothing(context, "Nothing was synced yet: mediasync sync nfo:FOLDER")
            wanted["run_id"] = newest[0].id
        else:
            await require_run(ms, wanted["run_id"])
        found = await take(ms.history(**wanted), limit + 1)
    shown, more = found[:limit], len(found) > limit
    if context.out.as_json:
        context.out.dump({"entries": [log_document(entry) for entry in shown], "more": more})
    elif shown:
        context.out.print(*_lines(shown))
        if more:
            context.out.print(
                faint(f"more changes are left out: --limit {2 * limit} shows more, --all shows all")
            )
    else:
        run = wanted["run_id"]
        return _nothing(context, "nothing changed" if run is None else f"run {run} changed nothing")
    return 0


def _nothing(context: CommandContext, text: str) -> int:
    if context.out.as_json:
        context.out.dump({"entries": [], "more": False})
    else:
        context.out.print(plain(text))
    return 0


def _lines(entries: list[HistoryEntry]) -> Iterator[RenderableType]:
    """Yield the entries, below the runs that made them."""
    for run_id, of_run in groupby(entries, key=lambda entry: entry.change.run_id):
        listed = list(of_run)
        what = "Other changes" if run_id is None else f"Run {run_id}"
        yield heading(f"{what}, {moment(listed[0].change.at)}")
        yield columns([(str(entry.change.what), sentence(entry)) for entry in listed], indent=2)
