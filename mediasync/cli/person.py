"""``mediasync person``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer
from rich.console import RenderableType

from mediasync.cli.context import CommandContext, words
from mediasync.cli.errors import NotFound
from mediasync.cli.layout import columns, faint, heading, indented, plain
from mediasync.cli.options import OF_EVERY_COMMAND, AllOption, with_options
from mediasync.cli.points import AsOfOption, parse_point, point_in_words, require_run
from mediasync.library.filmography import Section, by_item, fold, in_sections, titles
from mediasync.library.lookup import Matches, look_up_people
from mediasync.models import FilmographyCredit, Person
from mediasync.rewinding import AsOf
from mediasync.summaries import PersonSummary
from mediasync.vocabulary import CAST_TYPES, MediaType, PersonType
from mediasync.wording import counted, episode_code, joined, person_type_name, short, titled
from mediasync.works import Filmography, FilmographyTitle, WorkFunction

_MATCHES: Final = 20
_OTHERS: Final = 5
_ITEMS: Final = 50
_MOST: Final = 10_000
_ROLES: Final = 3
_SECTIONS: Final = {Section.SELF: "As self", Section.TALK: "Talk shows"}


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
    episodes: Annotated[
        bool, typer.Option("--episodes", help="List each season and episode instead of its show.")
    ] = False,
    everything: AllOption = False,
) -> int:
    """Show a person with all they are credited for, the oldest first.

    Only reads the database. A show and its episodes are one line. Appearances as "self" and in talk shows
    stand below everything else. Accents and case do not matter. If no name fits, similar ones are found.
    Where several people fit, and not exactly one has just this name, they are listed with their ids, to
    choose from: each source has its own people. With --as-of, what was shown then is rebuilt from the
    change log.

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
    text = words(name_or_id, "name")
    return context.run(_person(context, text, point, episodes=episodes, everything=everything))


async def _person(
    context: CommandContext, text: str, as_of: AsOf | None, *, episodes: bool, everything: bool
) -> int:
    limit = _MOST if everything else _MATCHES
    async with context.open_to_read() as ms:
        await require_run(ms, as_of)
        matches = await look_up_people(ms.people, text, limit=_MOST, as_of=as_of, search=ms.library)
        only = matches.only
        filmography = await ms.people.filmography(only.id or "", as_of=as_of) if only else []
        if only and as_of is None:
            folded = await ms.library.filmography(only.id or "")
        else:
            folded = _folded(filmography)
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
                "works": [title.model_dump(mode="json") for title in folded.works],
                "as_self": [title.model_dump(mode="json") for title in folded.as_self],
                "talk_shows": [title.model_dump(mode="json") for title in folded.talk_shows],
            }
        )
    elif only:
        if as_of is not None:
            context.out.print(faint(f"as shown at {point_in_words(as_of)}"))
        if matches.similar:
            context.out.print(faint(f"nobody is called {text!r}; this name is like it"))
        sections = _of_items(filmography) if episodes else _of_titles(folded)
        how_much = _how_much(filmography, folded, episodes=episodes)
        context.out.print(*_page(only, how_much, sections, everything=everything))
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


def _folded(filmography: Sequence[FilmographyCredit]) -> Filmography[FilmographyTitle]:
    """Return what is known without the genres of shows, which no filmography of then has."""
    sections = in_sections(filmography, {})
    return Filmography(None, *(fold(sections[one]) for one in (Section.WORKS, Section.SELF, Section.TALK)))


def _how_much(
    filmography: Sequence[FilmographyCredit], folded: Filmography[FilmographyTitle], *, episodes: bool
) -> str:
    if episodes:
        what = counted(len(by_item(filmography)), "item")
    else:
        sections = (folded.works, folded.as_self, folded.talk_shows)
        what = counted(len({title.media_item_id for part in sections for title in part}), "title")
    return f"{counted(len(filmography), 'credit')} in {what}"


def _page(
    found: Person,
    how_much: str,
    sections: Mapping[str, Sequence[tuple[str, str, str]]],
    *,
    everything: bool,
) -> list[RenderableType]:
    parts: list[RenderableType] = [heading(short(found.name)), plain(how_much)]
    for title, rows in sections.items():
        shown = rows if everything else rows[:_ITEMS]
        if shown:
            parts += [plain(""), *([plain(title)] if title else []), columns(shown, indent=2)]
        if left := len(rows) - len(shown):
            parts.append(indented(faint(f"and {left:,} more: --all shows all")))
    ids = joined(f"{provider}:{value}" for provider, value in found.provider_ids.items())
    rows_below = [("Id", found.id or ""), ("Providers", ids), ("Source", found.source_id or "")]
    parts += [plain(""), columns([row for row in rows_below if row[1]])]
    return parts


def _of_titles(folded: Filmography[FilmographyTitle]) -> dict[str, list[tuple[str, str, str]]]:
    return {
        "": list(map(_title_row, folded.works)),
        _SECTIONS[Section.SELF]: list(map(_title_row, folded.as_self)),
        _SECTIONS[Section.TALK]: list(map(_title_row, folded.talk_shows)),
    }


def _title_row(title: FilmographyTitle) -> tuple[str, str, str]:
    first, last = title.first_year, title.last_year
    years = f"{first}-{last}" if first != last else str(first or "")
    name = titled(title.title, None)
    in_all = 0 if any(function.on_title for function in title.functions) else title.episodes
    if title.media_type is MediaType.SHOW:
        name += f" ({joined(('show', counted(in_all, 'episode') if in_all else ''))})"
    return (years, name, joined(_done(function, in_all) for function in title.functions))


def _done(function: WorkFunction, in_all: int) -> str:
    """Return what somebody did in one function, with its number of episodes unless the title has it."""
    kind = person_type_name(function.person_type)
    roles = " / ".join(map(short, function.roles[:_ROLES])) + (" / …" if function.roles[_ROLES:] else "")
    few = counted(function.episodes, "episode") if function.episodes not in (0, in_all) else ""
    if function.person_type in CAST_TYPES:
        details = joined(("" if function.person_type == PersonType.ACTOR or not roles else kind, few))
        text = f"as {roles}" if roles else kind
    else:
        details = joined((roles if roles.casefold() != kind.casefold() else "", few))
        text = kind
    return f"{text} ({details})" if details else text


def _of_items(filmography: Sequence[FilmographyCredit]) -> dict[str, list[tuple[str, str, str]]]:
    items = by_item(filmography)
    return {
        "": [(str(own[0].year or ""), _title(own[0]), joined(map(_function, own))) for own in items],
    }


def _title(item: FilmographyCredit) -> str:
    title = titled(item.title, None)
    if item.media_type is MediaType.SHOW:
        return f"{title} (show)"
    code = episode_code(item.season_number, item.episode_number)
    show = joined((short(item.show_title or ""), code), " ")
    return joined((show, title), ": ")


def _function(credit: FilmographyCredit) -> str:
    kind = person_type_name(credit.person_type)
    role = credit.role or ""
    if credit.person_type in CAST_TYPES:
        suffix = "" if credit.person_type == PersonType.ACTOR else f" ({kind})"
        return f"as {short(role)}{suffix}" if role else kind
    return f"{kind} ({short(role)})" if role and role.casefold() != kind.casefold() else kind
