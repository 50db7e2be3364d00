"""``mediasync costars``."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from mediasync.cli.context import CommandContext, require_source, words
from mediasync.cli.layout import columns, heading, plain
from mediasync.cli.options import OF_EVERY_COMMAND, LimitOption, SourceOption, with_options
from mediasync.cli.people_named import find_one_human
from mediasync.cli.tables import CsvOption, check_format, write_csv
from mediasync.vocabulary import CAST_TYPES
from mediasync.wording import joined, short, titled
from mediasync.works import Costar

_COLUMNS: Final = ("person_id", "name", "works", "source_id", "titles")


@with_options(*OF_EVERY_COMMAND)
def costars(
    context: CommandContext,
    name_or_id: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME-OR-ID...", help="Words of a name or their beginnings; or an id.", show_default=False
        ),
    ],
    person_type: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="The function of the others: director, writer, …; repeat it. Default: the cast.",
            show_default=False,
        ),
    ] = None,
    source: SourceOption = None,
    limit: LimitOption = 20,
    as_csv: CsvOption = False,
) -> int:
    """List with whom a person worked most often: in how many movies and shows, and in which.

    Only reads the database. A show counts once, and guest stars only with those of the same episodes.

    [bold]Examples[/bold]
      mediasync costars al pacino
      mediasync costars al pacino --type director
      mediasync costars al pacino --limit 100 --csv

    [bold]Exit codes[/bold]
      0  listed, or there is nobody
      1  nobody who is stored has such a name, or there is no such source
      2  wrong usage or configuration, or a name that several people have
      4  there is no database, or it failed
    """
    check_format(context.out, as_csv=as_csv)
    text = words(name_or_id, "name")
    types = person_type or [str(one) for one in sorted(CAST_TYPES)]
    return context.run(_costars(context, text, types, source, limit, as_csv=as_csv))


async def _costars(
    context: CommandContext, text: str, types: list[str], source: str | None, limit: int, *, as_csv: bool
) -> int:
    async with context.open_to_read() as ms:
        if source is not None:
            await require_source(ms, source)
        ids = await find_one_human(ms, text, source_ids=[source] if source else [])
        found = await ms.library.costars(ids, person_types=types, limit=min(limit, 10_000))
    if as_csv:
        write_csv(context.out, _COLUMNS, [_cells(one) for one in found])
    elif context.out.as_json:
        context.out.dump({"person_ids": ids, "costars": [costar.model_dump(mode="json") for costar in found]})
    elif found:
        titles = ("works", "name", "newest works", "id")
        context.out.print(columns([tuple(map(heading, titles)), *map(_row, found)], right=(0,)))
    else:
        context.out.print(plain("Nobody is credited together with this person."))
    return 0


def _row(costar: Costar) -> tuple[str, ...]:
    newest = joined(titled(title.title, title.year) for title in costar.titles)
    return (f"{costar.works:,}", short(costar.person.name), newest, costar.person.id)


def _cells(costar: Costar) -> tuple[object, ...]:
    person = costar.person
    titles = "; ".join(title.title for title in costar.titles)
    return (person.id, person.name, costar.works, person.source_id, titles)
