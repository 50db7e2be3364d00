"""``mediasync find``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.layout import columns, faint, plain
from mediasync.cli.options import EVERYTHING, OF_EVERY_COMMAND, AllOption, LimitOption, with_options
from mediasync.cli.people_named import find_one_human
from mediasync.cli.points import parse_years
from mediasync.cli.tables import CsvOption, check_format, write_csv
from mediasync.errors import UsageError
from mediasync.summaries import ItemSummary
from mediasync.vocabulary import MediaType, PersonType
from mediasync.wording import episode_code, joined, short, titled
from mediasync.works import FindQuery, Who

_PAGE: Final = 1_000
_Named = tuple[str, Sequence[str]]
"""A name, and the functions that count; none for any."""
_COLUMNS: Final = (
    "id", "media_type", "title", "year", "show_title", "season_number", "episode_number", "rating",
    "source_id",
)  # fmt: skip


def _names(flag: str, text: str) -> object:
    return typer.Option(flag, metavar="NAME|ID", help=text, show_default=False)


@with_options(*OF_EVERY_COMMAND)
def find(
    context: CommandContext,
    with_people: Annotated[list[str] | None, _names("--with", "Credits this person; repeat it.")] = None,
    directed_by: Annotated[list[str] | None, _names("--directed-by", "Directed by this person.")] = None,
    written_by: Annotated[list[str] | None, _names("--written-by", "Written by this person.")] = None,
    credited: Annotated[
        list[str] | None,
        typer.Option(
            "--credited",
            metavar="TYPE=NAME",
            help="Credits this person in this function: composer=hans zimmer.",
            show_default=False,
        ),
    ] = None,
    without: Annotated[list[str] | None, _names("--without", "Does not credit this person.")] = None,
    not_directed_by: Annotated[
        list[str] | None, _names("--not-directed-by", "Not directed by this person.")
    ] = None,
    not_written_by: Annotated[
        list[str] | None, _names("--not-written-by", "Not written by this person.")
    ] = None,
    year: Annotated[
        str | None,
        typer.Option(
            "--year", metavar="YEARS", help="1995, 1990..1999, 1990.. or ..1999.", show_default=False
        ),
    ] = None,
    genre: Annotated[
        list[str] | None,
        typer.Option("--genre", metavar="GENRE", help="Has this genre; repeat it.", show_default=False),
    ] = None,
    media_type: Annotated[
        list[MediaType] | None,
        typer.Option("--type", help="Only items of this type; repeat it.", show_default=False),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="ID", help="Only this source; repeat it.", show_default=False),
    ] = None,
    episodes: Annotated[
        bool, typer.Option("--episodes", help="List seasons and episodes instead of their show.")
    ] = False,
    limit: LimitOption = 50,
    everything: AllOption = False,
    as_csv: CsvOption = False,
) -> int:
    """Find the movies and shows that credit all of some people, and none of others, the oldest first.

    Only reads the database. A show is found by its episodes, each of which counts as crediting also whom the
    show or its season credits, except as guest stars. A name means the people of that name in all sources; if
    a source has two of them, the command lists them with their ids, to choose from.

    [bold]Examples[/bold]
      mediasync find --with "al pacino" --with "robert de niro"
      mediasync find --with "al pacino" --not-directed-by "michael mann" --year 1990..1999
      mediasync find --credited "composer=nino rota" --genre drama --csv

    [bold]Exit codes[/bold]
      0  listed, or nothing is found
      1  nobody who is stored has such a name, or there is no such source
      2  wrong usage or configuration, or a name that several people have
      4  there is no database, or it failed
    """
    check_format(context.out, as_csv=as_csv)
    director, writer = [PersonType.DIRECTOR], [PersonType.WRITER]
    wanted: list[_Named] = [
        *((name, []) for name in with_people or ()),
        *((name, director) for name in directed_by or ()),
        *((name, writer) for name in written_by or ()),
        *map(_credited, credited or ()),
    ]
    unwanted: list[_Named] = [
        *((name, []) for name in without or ()),
        *((name, director) for name in not_directed_by or ()),
        *((name, writer) for name in not_written_by or ()),
    ]
    if not wanted:
        raise UsageError("name at least one person: --with NAME, --directed-by NAME, --credited TYPE=NAME")
    types = list(media_type or ())
    question = _Question(
        wanted,
        unwanted,
        years=_years(year),
        genres=list(genre or ()),
        types=types,
        sources=list(source or ()),
        roll_up=not episodes and not {MediaType.SEASON, MediaType.EPISODE} & set(types),
    )
    return context.run(_find(context, question, EVERYTHING if everything else limit, as_csv=as_csv))


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked for.

    Attributes:
        wanted: the names of people who are credited, each with functions.
        unwanted: the same of people who are not.
        years: the first and the last year.
        genres: all of which an item has.
        types: the types of the results.
        sources: only of these.
        roll_up: whether episodes are replaced by their show.
    """

    wanted: Sequence[_Named]
    unwanted: Sequence[_Named]
    years: tuple[int | None, int | None]
    genres: list[str]
    types: list[MediaType]
    sources: list[str]
    roll_up: bool


async def _find(context: CommandContext, question: _Question, limit: int, *, as_csv: bool) -> int:
    found: list[ItemSummary] = []
    async with context.open_to_read() as ms:
        for source_id in question.sources:
            await require_source(ms, source_id)

        async def who(name: str, types: Sequence[str]) -> Who:
            ids = await find_one_human(ms, name, source_ids=question.sources)
            return Who(person_ids=ids, person_types=list(types))

        query = FindQuery(
            with_people=[await who(*one) for one in question.wanted],
            without_people=[await who(*one) for one in question.unwanted],
            media_types=question.types,
            first_year=question.years[0],
            last_year=question.years[1],
            genres=question.genres,
            source_ids=question.sources,
            roll_up=question.roll_up,
        )
        after = None
        while len(found) < limit:
            page = await ms.library.find(query, after=after, limit=min(limit - len(found), _PAGE))
            found += page.rows
            after = page.next
            if after is None:
                break
    if as_csv:
        write_csv(context.out, _COLUMNS, [[getattr(item, name) for name in _COLUMNS] for item in found])
    elif context.out.as_json:
        context.out.dump(
            {
                "query": query.model_dump(mode="json"),
                "items": [item.model_dump(mode="json") for item in found],
                "more": after is not None,
            }
        )
    elif found:
        context.out.print(columns([_row(item) for item in found]))
        if after is not None:
            context.out.print(faint("others are left out: --all shows them"))
    else:
        context.out.print(plain("Nothing is found."))
    return 0


def _row(item: ItemSummary) -> tuple[str, str, str]:
    code = episode_code(item.season_number, item.episode_number)
    show = joined((short(item.show_title or ""), code), " ")
    title = joined((show, titled(item.title, None)), ": ")
    return (str(item.year or ""), f"{title} (show)" if item.media_type is MediaType.SHOW else title, item.id)


def _credited(text: str) -> _Named:
    person_type, equals, name = text.partition("=")
    if not (equals and person_type.strip() and name.strip()):
        raise UsageError(f"--credited: {text!r} is not TYPE=NAME; write composer=hans zimmer")
    return name.strip(), [PersonType.parse(person_type)]


def _years(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return (None, None)
    years = parse_years(text)
    if years is None:
        raise UsageError(
            f"--year: {text!r} is not a year or a range: write 1995, 1990..1999, 1990.. or ..1999"
        )
    first, last = years
    if first is not None and last is not None and first > last:
        raise UsageError(f"--year: {text!r} ends before it begins")
    return years
