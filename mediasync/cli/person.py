"""``mediasync person``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer
from rich.console import RenderableType

from mediasync.cli.context import CommandContext, words
from mediasync.cli.errors import NotFound
from mediasync.cli.formatting import counted, episode_code, joined, short, titled, type_name
from mediasync.cli.layout import columns, faint, heading, indented, plain
from mediasync.cli.options import OF_EVERY_COMMAND, AllOption, with_options
from mediasync.cli.points import AsOfOption, parse_point, point_in_words, require_run
from mediasync.library.filmography import Work, titles, works
from mediasync.library.lookup import Matches, look_up_people
from mediasync.models import FilmographyCredit, Person
from mediasync.rewinding import AsOf
from mediasync.summaries import PersonSummary
from mediasync.vocabulary import CAST_TYPES, MediaType, PersonType

_MATCHES: Final = 20
_OTHERS: Final = 5
_ITEMS: Final = 50
_MOST: Final = 10_000


@with_options(*OF_EVERY_COMMAND)
def person(
    context: CommandContext,
    name_or_id: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME-OR-ID...",
            help="Words of a name or their beginnings; or an id as this program shows it.",
            show_default=False,
        ),
    ],
    as_of: AsOfOption = None,
    everything: AllOption = False,
) -> int:
    """Show a person with all they are credited for, the oldest first.

    Only reads the database. Accents and case do not matter. If no name fits, similar ones are found. Where
    several people fit, and not exactly one has just this name, they are listed with their ids, to choose
    from: each source has its own people. With --as-of, what was shown then is rebuilt from the change log.

    [bold]Examples[/bold]
      mediasync person al pacino
      mediasync person paci
      mediasync person "nfo-library:name:al pacino" --json
      mediasync person al pacino --as-of 12

    [bold]Exit codes[/bold]
      0  shown, or several listed
      1  nobody who is stored, or was shown then, fits; or there is no such run
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    point = None if as_of is None else parse_point(as_of, "--as-of")
    return context.run(_person(context, words(name_or_id, "name"), point, everything=everything))


async def _person(context: CommandContext, text: str, as_of: AsOf | None, *, everything: bool) -> int:
    limit = _MOST if everything else _MATCHES
    async with context.open_to_read() as ms:
        await require_run(ms, as_of)
        matches = await look_up_people(ms.people, text, limit=_MOST, as_of=as_of, search=ms.library)
        only = matches.only
        filmography = await ms.people.filmography(only.id or "", as_of=as_of) if only else []
        known_for: dict[str | None, str] = {}
        listed = [one.id or "" for one in (matches.others if only else matches.found)[:_MATCHES]]
        if not context.out.as_json and as_of is None:
            known_for = {one.id: _told_by(one) for one in await ms.library.find_people(listed)}
        elif not context.out.as_json:
            for one in listed:
                known_for[one] = _known_for(titles(await ms.people.filmography(one, as_of=as_of)))
    if not matches.found:
        who = "stored person is" if as_of is None else f"person who was shown at {point_in_words(as_of)} was"
        raise NotFound(f"no {who} called {text!r}")
    shown = matches.found[:limit]
    if context.out.as_json:
        context.out.dump(
            {
                "matches": [
                    {"id": found.id, "name": found.name, "source_id": found.source_id} for found in shown
                ],
                "more": matches.more or len(matches.found) > limit,
                "others": [
                    {"id": one.id, "name": one.name, "source_id": one.source_id}
                    for one in matches.others[:limit]
                ],
                "similar": matches.similar,
                "person": only.model_dump(mode="json") if only else None,
                "filmography": [credit.model_dump(mode="json") for credit in filmography],
            }
        )
    elif only:
        if as_of is not None:
            context.out.print(faint(f"as shown at {point_in_words(as_of)}"))
        if matches.similar:
            context.out.print(faint(f"nobody is called {text!r}; this name is like it"))
        context.out.print(*_page(only, filmography, everything=everything))
        if matches.others:
            context.out.print(plain(""), *_others(matches.others, known_for))
    else:
        context.out.print(*_choice(matches, shown, known_for))
    return 0


def _choice(
    matches: Matches[Person], shown: Sequence[Person], known_for: Mapping[str | None, str]
) -> list[RenderableType]:
    number = len(matches.found)
    how_many = f"more than {number:,} people" if matches.more else f"{number:,} people"
    fit = "have names like this" if matches.similar else "fit"
    rows = [(short(one.name), known_for.get(one.id, ""), one.id) for one in shown]
    parts: list[RenderableType] = [
        plain(f"{how_many} {fit}; show one by the id:"),
        columns(rows, indent=2),
    ]
    if matches.more or number > len(shown):
        parts.append(
            indented(faint("others are left out: --all shows them, more of the name narrows it down"))
        )
    return parts


def _others(others: Sequence[Person], known_for: Mapping[str | None, str]) -> list[RenderableType]:
    shown = others[:_OTHERS]
    number = len(others)
    others_match = "1 other matches" if number == 1 else f"{number:,} others match"
    left = f", of which {len(shown)} are shown" if number > len(shown) else ""
    rows = [(short(one.name), known_for.get(one.id, ""), one.id) for one in shown]
    return [
        faint(f"{others_match}{left}:"),
        columns(rows, indent=2),
    ]


def _told_by(summary: PersonSummary) -> str:
    """Return what tells people of one name apart: the best-known title, the number of works, the years."""
    if summary.known_for is None:
        return ""
    best = titled(summary.known_for, summary.known_for_year)
    if summary.works < 2:
        return best
    first, last = summary.first_year, summary.last_year
    years = f", {first}-{last}" if first and last and first != last else ""
    return f"{best} and {summary.works - 1:,} more{years}"


def _known_for(found: Sequence[str]) -> str:
    if not found:
        return ""
    return short(found[0]) + (f" and {len(found) - 1:,} more" if len(found) > 1 else "")


def _page(
    found: Person, filmography: Sequence[FilmographyCredit], *, everything: bool
) -> list[RenderableType]:
    parts: list[RenderableType] = [heading(short(found.name))]
    items = works(filmography)
    parts.append(plain(f"{counted(len(filmography), 'credit')} in {counted(len(items), 'item')}"))
    rows = [_row(work) for work in items]
    shown = rows if everything else rows[:_ITEMS]
    if shown:
        parts += [plain(""), columns(shown, indent=2)]
    if left := len(rows) - len(shown):
        parts.append(indented(faint(f"and {counted(left, 'item')} more: --all shows all")))
    ids = joined(f"{provider}:{value}" for provider, value in found.provider_ids.items())
    rows_below = [("Id", found.id or ""), ("Providers", ids), ("Source", found.source_id or "")]
    parts += [plain(""), columns([row for row in rows_below if row[1]])]
    return parts


def _row(work: Work) -> tuple[str, str, str]:
    return (str(work.item.year or ""), _title(work.item), joined(map(_function, work.credits)))


def _title(item: FilmographyCredit) -> str:
    title = titled(item.title, None)
    if item.media_type is MediaType.SHOW:
        return f"{title} (show)"
    code = episode_code(item.season_number, item.episode_number)
    show = joined((short(item.show_title or ""), code), " ")
    return joined((show, title), ": ")


def _function(credit: FilmographyCredit) -> str:
    kind = type_name(credit.person_type)
    role = credit.role or ""
    if credit.person_type in CAST_TYPES:
        suffix = "" if credit.person_type == PersonType.ACTOR else f" ({kind})"
        return f"as {short(role)}{suffix}" if role else kind
    return f"{kind} ({short(role)})" if role and role.casefold() != kind.casefold() else kind
