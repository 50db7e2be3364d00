"""``mediasync export``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from mediasync.cli.context import CommandContext
from mediasync.cli.layout import columns, faint, plain
from mediasync.cli.options import OF_EVERY_COMMAND, OF_LONG_COMMANDS, SourceOption, with_options
from mediasync.cli.output import Output
from mediasync.cli.progress import steps_shown
from mediasync.errors import UsageError
from mediasync.exports.export import ExportFormat
from mediasync.exports.nfo_layout import NfoLayout
from mediasync.reports import ExportReport
from mediasync.vocabulary import MediaType

_STDOUT: Final = "-"
_SHOWN_PROBLEMS: Final = 20

Tell = Callable[[str, int, int], None]


@with_options(*OF_EVERY_COMMAND, *OF_LONG_COMMANDS)
def export(
    context: CommandContext,
    target: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            help="The folder to write to, empty or not existing yet; - for standard output (jsonl, singer).",
            show_default=False,
        ),
    ],
    format: Annotated[  # noqa: A002
        ExportFormat, typer.Option("--format", "-f", help="What is written.", show_default=False)
    ],
    source: SourceOption = None,
    library: Annotated[
        str | None,
        typer.Option("--library", metavar="ID", help="Only this library; its full id.", show_default=False),
    ] = None,
    types: Annotated[
        list[MediaType] | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="Only movie, show, season or episode. Repeat it for several types.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        int | None,
        typer.Option(
            "--since",
            metavar="CHANGE",
            min=0,
            help="Only what changed after this change, and what was removed since (jsonl, singer).",
            show_default=False,
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="FILE",
            help="Go on after the state in this file, as Singer targets write it (singer).",
            show_default=False,
        ),
    ] = None,
    layout: Annotated[
        NfoLayout | None,
        typer.Option(
            "--layout",
            help="The folders of NFO files: those of the source's paths (the default), or one for each film "
            "and show.",
            show_default=False,
        ),
    ] = None,
    for_spreadsheets: Annotated[
        bool,
        typer.Option(
            "--for-spreadsheets", help="Write CSV of which no spreadsheet takes a cell for a formula."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export in the folder.")] = False,
) -> int:
    """Write items, people and credits as JSON lines, CSV, Parquet, NFO files or Singer messages.

    Only reads the database, all in one state, and does not hold up a sync. The files get their names when
    all of them are complete. NFO files give the same credits when they are synced again.

    [bold]Formats[/bold]
      jsonl    a line for each whole item, with its credits; a line for each person; their JSON schemas
      csv      items.csv, people.csv and credits.csv
      parquet  the same tables with typed columns; needs pyarrow
      nfo      Kodi's NFO files, of one source
      singer   Singer messages; the state is the number of the last change

    [bold]Examples[/bold]
      mediasync export --format csv tables
      mediasync export --format nfo --source plex-home nfo
      mediasync export --format jsonl --type movie - | head -1
      mediasync export --format singer --state state.json - | target-postgres

    [bold]Exit codes[/bold]
      0  written
      1  written, but some items could not be: the format does not hold them
      2  wrong usage or configuration, a folder that is refused, or changes that are no longer kept
      4  there is no database, or it failed
      74  the files cannot be written
    """
    streams = target == _STDOUT
    if streams and context.out.as_json:
        raise UsageError("the messages and a summary cannot both go to standard output: leave --json out")
    if state is not None:
        if format is not ExportFormat.SINGER:
            raise UsageError("only Singer messages have a state: give --since with the number of a change")
        if since is not None:
            raise UsageError("--state and --since exclude each other: give only one of them")
        from mediasync.exports.singer import read_state

        since = read_state(state)
    context.interrupted = "interrupted: nothing was written" + (" as a whole" if streams else "")
    return context.run(
        _export(
            context,
            format,
            target,
            source_id=source,
            library_id=library,
            media_types=types or [],
            since=since,
            layout=layout,
            for_spreadsheets=for_spreadsheets,
            overwrite=force,
        )
    )


async def _export(
    context: CommandContext,
    format: ExportFormat,  # noqa: A002
    target: str,
    *,
    source_id: str | None,
    library_id: str | None,
    media_types: list[MediaType],
    since: int | None,
    layout: NfoLayout | None,
    for_spreadsheets: bool,
    overwrite: bool,
) -> int:
    out = context.out
    streams = target == _STDOUT
    async with context.open_to_read() as ms:
        with steps_shown(out, "writing", _step, "writing {}".format) as tell:
            report = await ms.export(
                format.value,
                out.write if streams else target,
                source_id=source_id,
                library_id=library_id,
                media_types=media_types,
                since=since,
                layout=None if layout is None else layout.value,
                for_spreadsheets=for_spreadsheets,
                overwrite=overwrite,
                on_progress=tell,
            )
    if out.as_json:
        out.dump({**report.as_dict(), "target": str(Path(target).absolute())})
    elif not streams and not out.quiet:
        _show(out, report, target)
    for item_id, reason in report.problems[:_SHOWN_PROBLEMS]:
        out.note(f"{item_id}: {reason}")
    if len(report.problems) > _SHOWN_PROBLEMS:
        out.note(f"more problems are left out: --json has {len(report.problems)} of them")
    return 1 if report.left_out else 0


def _show(out: Output, report: ExportReport, target: str) -> None:
    rows = [(what, f"{number:,}") for what, number in report.rows.items()]
    out.print(columns(rows, right=(1,)))
    if report.left_out:
        out.print(plain(f"{report.left_out:,} items were left out"))
    out.print(faint(f"Written to {target}, up to change {report.change:,}"))


def _step(what: str, total: int) -> str:
    return f"writing {what}" if what == "people" else f"writing {total:,} {what}"
