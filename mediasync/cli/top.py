"""``mediasync top``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer

from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.errors import NotFound
from mediasync.cli.layout import columns, heading
from mediasync.cli.options import OF_EVERY_COMMAND, LimitOption, SourceOption, with_options
from mediasync.cli.tables import CsvOption, check_format, write_csv
from mediasync.vocabulary import PersonType
from mediasync.wording import short, told_apart

DecadeOption = Annotated[
    int | None,
    typer.Option("--decade", metavar="YEAR", help="1990 for 1990 to 1999.", show_default=False),
]
GenreOption = Annotated[
    str | None,
    typer.Option("--genre", metavar="GENRE", help="Only items of this genre.", show_default=False),
]
LONGEST: Final = 10_000
_COLUMNS: Final = (
    "person_id", "name", "count", "works", "first_year", "last_year", "known_for", "source_id",
)  # fmt: skip


class By(StrEnum):
    """What people are ranked by."""

    ITEMS = "items"
    EPISODES = "episodes"


@with_options(*OF_EVERY_COMMAND)
def top(
    context: CommandContext,
    person_type: Annotated[
        str,
        typer.Argument(
            metavar="TYPE", help="The function: actor, guest_star, director, …", show_default=False
        ),
    ],
    by: Annotated[By, typer.Option("--by", help="Movies and shows, or episodes.")] = By.ITEMS,
    decade: DecadeOption = None,
    genre: GenreOption = None,
    source: SourceOption = None,
    limit: LimitOption = 20,
    as_csv: CsvOption = False,
) -> int:
    """List who is credited most often in a function: in most movies and shows, or in most episodes.

    Only reads the database. A show and its episodes count once. People of two sources are counted apart.

    [bold]Examples[/bold]
      mediasync top director
      mediasync top actor --decade 1990 --genre crime
      mediasync top guest_star --by episodes --csv

    [bold]Exit codes[/bold]
      0  listed
      1  nobody fits, or there is no such source
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    check_format(context.out, as_csv=as_csv)
    return context.run(
        _top(context, person_type, by, decade, genre, source, min(limit, LONGEST), as_csv=as_csv)
    )


async def _top(
    context: CommandContext,
    person_type: str,
    by: By,
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
        found = await ms.library.top(
            person_type, by=by.value, decade=decade, genre=genre, source_id=source, limit=limit
        )
    if not found:
        raise NotFound(nobody(person_type))
    people = [(one.person, one.count) for one in found]
    if as_csv:
        write_csv(
            context.out,
            _COLUMNS,
            [
                (
                    person.id, person.name, count, person.works, person.first_year, person.last_year,
                    person.known_for, person.source_id,
                )
                for person, count in people
            ],
        )  # fmt: skip
    elif context.out.as_json:
        context.out.dump({"by": by.value, "people": [one.model_dump(mode="json") for one in found]})
    else:
        titles = (by.value, "name", "in all", "id")
        rows = [(f"{count:,}", short(person.name), told_apart(person), person.id) for person, count in people]
        context.out.print(columns([tuple(map(heading, titles)), *rows], right=(0,)))
    return 0


def nobody(*person_types: str) -> str:
    """Return the message that nobody is credited in some functions, with those that are known."""
    unknown = [one for one in person_types if not isinstance(PersonType.parse(one), PersonType)]
    known = f"; the known functions are {', '.join(PersonType)}" if unknown else ""
    return f"nobody is credited as {' and '.join(map(repr, person_types))} there{known}"
