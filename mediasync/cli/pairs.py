"""``mediasync pairs``."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.errors import NotFound
from mediasync.cli.layout import columns, heading
from mediasync.cli.options import OF_EVERY_COMMAND, LimitOption, SourceOption, with_options
from mediasync.cli.tables import CsvOption, check_format, write_csv
from mediasync.cli.top import LONGEST, DecadeOption, GenreOption, nobody
from mediasync.wording import short

_COLUMNS: Final = ("first_id", "first_name", "second_id", "second_name", "works", "source_id")


@with_options(*OF_EVERY_COMMAND)
def pairs(
    context: CommandContext,
    first_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="The function of the first: director.", show_default=False)
    ],
    second_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="The function of the second: actor.", show_default=False)
    ],
    decade: DecadeOption = None,
    genre: GenreOption = None,
    source: SourceOption = None,
    limit: LimitOption = 20,
    as_csv: CsvOption = False,
) -> int:
    """List which two people worked together most often, each in a function.

    Only reads the database. A show counts once. Two people are together if one item credits both.

    [bold]Examples[/bold]
      mediasync pairs director actor
      mediasync pairs director composer --decade 1970
      mediasync pairs actor actor --genre comedy --json

    [bold]Exit codes[/bold]
      0  listed
      1  there are no such pairs, or there is no such source
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    check_format(context.out, as_csv=as_csv)
    types = (first_type, second_type)
    return context.run(_pairs(context, types, decade, genre, source, min(limit, LONGEST), as_csv=as_csv))


async def _pairs(
    context: CommandContext,
    types: tuple[str, str],
    decade: int | None,
    genre: str | None,
    source: str | None,
    limit: int,
    *,
    as_csv: bool,
) -> int:
    async with context.open_to_read() as ms:
        if source is not None:
            await require_source(ms, source)
        found = await ms.library.pairs(*types, decade=decade, genre=genre, source_id=source, limit=limit)
    if not found:
        raise NotFound(nobody(*types))
    if as_csv:
        rows = [
            (one.first.id, one.first.name, one.second.id, one.second.name, one.works, one.first.source_id)
            for one in found
        ]
        write_csv(context.out, _COLUMNS, rows)
    elif context.out.as_json:
        context.out.dump({"pairs": [one.model_dump(mode="json") for one in found]})
    else:
        titles = ("works", *types, "ids")
        shown = [
            (
                f"{one.works:,}",
                short(one.first.name),
                short(one.second.name),
                f"{one.first.id}, {one.second.id}",
            )
            for one in found
        ]
        context.out.print(columns([tuple(map(heading, titles)), *shown], right=(0,)))
    return 0
