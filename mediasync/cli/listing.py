"""``mediasync list``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mediasync.cli.context import CommandContext, require_source
from mediasync.cli.errors import NotFound
from mediasync.cli.layout import columns, faint, heading, plain
from mediasync.cli.options import OF_EVERY_COMMAND, AllOption, SourceOption, with_options
from mediasync.cli.points import parse_time, parse_years
from mediasync.cli.tables import write_csv, write_rows
from mediasync.errors import UsageError
from mediasync.filters import ItemFilter, ItemSort, PersonFilter
from mediasync.library.lookup import look_up_people
from mediasync.summaries import ItemSummary, Page, PersonSummary
from mediasync.wording import counted, episode_code, joined, short, titled

if TYPE_CHECKING:
    from mediasync.app import MediaSync

_PEOPLE_OF_ONE_NAME: Final = 1_000
_CHOICES: Final = 5

Summary = ItemSummary | PersonSummary


class Listed(StrEnum):
    """What is listed."""

    ITEMS = "items"
    PEOPLE = "people"


def _text(name: str, metavar: str, help_text: str) -> Any:
    return typer.Option(name, metavar=metavar, help=help_text, show_default=False)


@with_options(*OF_EVERY_COMMAND)
def listing(
    context: CommandContext,
    what: Annotated[Listed, typer.Argument(help="What is listed.")] = Listed.ITEMS,
    media_types: Annotated[
        list[str] | None,
        _text("--type", "TYPE", "Only items of this type: movie, show, season or episode. May be repeated."),
    ] = None,
    library: Annotated[
        str | None, _text("--library", "ID", "Only this library, or the people credited in its items.")
    ] = None,
    source: SourceOption = None,
    genre: Annotated[str | None, _text("--genre", "NAME", "Only items of this genre.")] = None,
    year: Annotated[
        str | None, _text("--year", "YEARS", "Only items of these years: 1999, 1990..1999, 2000.. or ..1949.")
    ] = None,
    with_people: Annotated[
        list[str] | None,
        _text("--with", "NAME|ID", "Only items that credit this person. May be repeated: all of them."),
    ] = None,
    without_people: Annotated[
        list[str] | None,
        _text("--without", "NAME|ID", "Only items that do not credit this person. May be repeated."),
    ] = None,
    min_rating: Annotated[
        float | None, _text("--min-rating", "NUMBER", "Only items rated at least so, from 0 to 10.")
    ] = None,
    added_since: Annotated[
        str | None,
        _text("--added-since", "TIME", "Only items that the source got since then: 7d; or 2026-01-31."),
    ] = None,
    changed_since: Annotated[
        str | None,
        _text("--changed-since", "TIME", "Only items that were stored or changed since then."),
    ] = None,
    function: Annotated[
        str | None, _text("--function", "NAME", "Only people with this function, such as director.")
    ] = None,
    name: Annotated[str | None, _text("--name", "TEXT", "Only people whose name begins with this.")] = None,
    min_works: Annotated[
        int | None, _text("--min-works", "N", "Only people credited in at least so many movies and shows.")
    ] = None,
    sort: Annotated[
        str | None,
        _text(
            "--sort",
            "BY",
            "How items are sorted: title, year, added, changed or rating. By default by title; people are "
            "sorted by name.",
        ),
    ] = None,
    descending: Annotated[bool, typer.Option("--desc", help="Sort downwards: the highest first.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=1_000, help="Show at most this many.")
    ] = 50,
    after: Annotated[
        str | None,
        _text("--after", "CURSOR", "Go on after this cursor, which the page before has shown."),
    ] = None,
    everything: AllOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write rows of CSV to standard output.")] = False,
) -> int:
    """List items or people, filtered and sorted, page by page.

    Only reads the database. Titles are sorted as people sort them: without the article, accents folded,
    numbers by value. What a sort does not know comes last. All filters hold together.

    [bold]Examples[/bold]
      mediasync list --type movie --year 1990..1999 --sort rating --desc
      mediasync list --with "al pacino" --without "robert de niro"
      mediasync list --added-since 7d --sort added --desc
      mediasync list people --function director --min-works 3
      mediasync list --type movie --all --csv > movies.csv

    [bold]Exit codes[/bold]
      0  listed, or nothing fits
      1  there is no such source, or nobody has this name, or several people have it
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    if as_csv and context.out.as_json:
        raise UsageError("--csv and --json: give one of them")
    if everything and after is not None:
        raise UsageError("--all and --after: give one of them")
    of_items = {
        "--type": media_types, "--genre": genre, "--year": year, "--with": with_people,
        "--without": without_people, "--min-rating": min_rating, "--added-since": added_since,
        "--changed-since": changed_since, "--sort": sort,
    }  # fmt: skip
    of_people = {"--function": function, "--name": name, "--min-works": min_works}
    strange = of_people if what is Listed.ITEMS else of_items
    if given := [option for option, value in strange.items() if value]:
        raise UsageError(f"{', '.join(given)}: cannot be used to list {what}")
    page: dict[str, Any] = {"descending": descending, "after": after, "limit": limit}
    if what is Listed.PEOPLE:
        people = PersonFilter(
            source_id=source, library_id=library, person_type=function, name_prefix=name, min_works=min_works
        )
        return context.run(_list_people(context, people, page, everything=everything, as_csv=as_csv))
    years = _years(year)
    fields: dict[str, Any] = {
        "source_id": source,
        "library_id": library,
        "media_types": media_types or (),
        "genre": genre,
        "year_from": years[0],
        "year_to": years[1],
        "min_rating": min_rating,
        "added_since": None if added_since is None else parse_time(added_since, "--added-since"),
        "changed_since": None if changed_since is None else parse_time(changed_since, "--changed-since"),
    }
    ItemFilter(**fields)  # so that wrong values are reported before the database is opened
    page["sort"] = sort or ItemSort.TITLE
    wanted = (fields, with_people or [], without_people or [])
    return context.run(_list_items(context, wanted, page, everything=everything, as_csv=as_csv))


def _years(text: str | None) -> tuple[int | None, int | None]:
    years = (None, None) if text is None else parse_years(text)
    if years is None:
        raise UsageError(f"--year: {text!r} names no years: write 1999, 1990..1999, 2000.. or ..1949")
    return years


async def _list_items(
    context: CommandContext, wanted: Any, page: dict[str, Any], *, everything: bool, as_csv: bool
) -> int:
    fields, with_people, without_people = wanted
    async with context.open_to_read() as ms:
        if fields["source_id"] is not None:
            await require_source(ms, fields["source_id"])
        items = ItemFilter(
            **fields,
            with_people=[await _person_id(ms, text, fields["source_id"]) for text in with_people],
            without_people=[await _person_id(ms, text, fields["source_id"]) for text in without_people],
        )
        if everything:
            rows = ms.library.iter_items(items, sort=page["sort"], descending=page["descending"])
            return await _show_all(context, "items", ItemSummary, rows, as_csv=as_csv)
        found = await ms.library.list_items(items, **page, with_total=not as_csv)
    return _show(context, "items", ItemSummary, found, as_csv=as_csv)


async def _list_people(
    context: CommandContext, people: PersonFilter, page: dict[str, Any], *, everything: bool, as_csv: bool
) -> int:
    async with context.open_to_read() as ms:
        if people.source_id is not None:
            await require_source(ms, people.source_id)
        if everything:
            rows = ms.library.iter_people(people, descending=page["descending"])
            return await _show_all(context, "people", PersonSummary, rows, as_csv=as_csv)
        found = await ms.library.list_people(people, **page, with_total=not as_csv)
    return _show(context, "people", PersonSummary, found, as_csv=as_csv)


async def _person_id(ms: MediaSync, text: str, source_id: str | None) -> str:
    """Return the id of the one person whom a text names."""
    matches = await look_up_people(ms.people, text, limit=_PEOPLE_OF_ONE_NAME)
    found = [one for one in matches.found if source_id in (None, one.source_id)]
    found = [one for one in found if one.name.casefold() == text.strip().casefold()] or found
    if not found:
        raise NotFound(f"no stored person is called {text!r}")
    if len(found) > 1:
        listed = ", ".join(f"{one.id} ({one.name})" for one in found[:_CHOICES])
        more = f" and {len(found) - _CHOICES:,} more" if len(found) > _CHOICES else ""
        raise NotFound(
            f"{len(found):,} people fit {text!r}: give the id of one, or --source; there are {listed}{more}"
        )
    return found[0].id or ""


async def _show_all(
    context: CommandContext,
    what: str,
    model: type[Summary],
    rows: AsyncIterator[Any],
    *,
    as_csv: bool,
) -> int:
    if not as_csv:
        return _show(context, what, model, Page([row async for row in rows]), as_csv=False)
    write_rows(context.out, [[*model.model_fields]])
    async for row in rows:
        write_rows(context.out, [[*row.model_dump(mode="json").values()]])
    return 0


def _show(context: CommandContext, what: str, model: type[Summary], page: Page[Any], *, as_csv: bool) -> int:
    dumped = [row.model_dump(mode="json") for row in page.rows] if as_csv or context.out.as_json else []
    total = len(page.rows) if page.total is None else page.total
    if as_csv:
        write_csv(context.out, [*model.model_fields], ([*row.values()] for row in dumped))
    elif context.out.as_json:
        context.out.dump({what: dumped, "next": page.next, "total": total})
    elif page.rows:
        titles = ("title", "year", "type", "rating", "id")
        numbers: tuple[int, ...] = (3,)
        if model is PersonSummary:
            titles, numbers = ("name", "works", "years", "known for", "id"), (1,)
        rows = [_item(row) if isinstance(row, ItemSummary) else _person(row) for row in page.rows]
        context.out.print(columns([tuple(map(heading, titles)), *rows], right=numbers))
        noun = ("item",) if model is ItemSummary else ("person", "people")
        context.out.print(faint(counted(total, *noun)))
        if page.next is not None:
            context.out.print(faint(f"--after {page.next} shows the next"))
    else:
        context.out.print(plain("Nothing fits."))
    return 0


def _item(row: ItemSummary) -> tuple[str, ...]:
    code = episode_code(row.season_number, row.episode_number)
    show = joined((short(row.show_title or ""), code), " ")
    rating = "" if row.rating is None else f"{row.rating:.1f}"
    title = joined((show, titled(row.title, None)), ": ")
    return (title, str(row.year or ""), row.media_type, rating, row.id)


def _person(row: PersonSummary) -> tuple[str, ...]:
    years = {str(year) for year in (row.first_year, row.last_year) if year is not None}
    known_for = titled(row.known_for, row.known_for_year) if row.known_for else ""
    return (short(row.name), f"{row.works:,}", "-".join(sorted(years)), known_for, row.id)
