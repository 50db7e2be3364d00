"""``mediasync person``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import RenderableType

from mediasync.app import MediaSync
from mediasync.cli.context import (
    AllOption,
    ConfigOption,
    DatabaseOption,
    DebugOption,
    JsonOption,
    State,
    words,
)
from mediasync.cli.errors import NotFound
from mediasync.cli.output import columns, faint, heading, indented, plain
from mediasync.cli.wording import counted, episode_code, joined, short, titled, type_name
from mediasync.models import Person
from mediasync.vocabulary import CAST_TYPES, MediaType

_MATCHES: Final = 20
_ITEMS: Final = 50
_MOST: Final = 10_000

Film = dict[str, Any]
"""One credit of a person as ``--json`` shows it: the fields of what ``people.filmography`` returns."""


def person(
    context: typer.Context,
    name_or_id: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME-OR-ID...",
            help="Words of a name or their beginnings; or an id as this program shows it.",
            show_default=False,
        ),
    ],
    everything: AllOption = False,
    database: DatabaseOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Show a person with all they are credited for, the oldest first.

    Only reads the database. Accents and case do not matter. Where several people fit, and not exactly one has
    just this name, they are listed with their ids, to choose from: each source has its own people.

    [bold]Examples[/bold]
      mediasync person al pacino
      mediasync person paci
      mediasync person "nfo-library:name:al pacino" --json

    [bold]Exit codes[/bold]
      0  shown, or several listed
      1  nobody who is stored fits
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    state = State.of(context, database=database, config=config, as_json=as_json, debug=debug)
    return state.run(_person(state, words(name_or_id, "name"), everything=everything))


async def _person(state: State, text: str, *, everything: bool) -> int:
    limit = _MOST if everything else _MATCHES
    async with state.open_to_read() as ms:
        matches = await _find(ms, text)
        films = await _filmography(ms, matches[0]) if len(matches) == 1 else []
        known_for: dict[str | None, list[Film]] = {}
        if len(matches) > 1 and not state.out.as_json:
            known_for = {one.id: await _filmography(ms, one) for one in matches[:_MATCHES]}
    if not matches:
        raise NotFound(f"nobody who is stored is called {text!r}")
    more = len(matches) > limit
    if state.out.as_json:
        state.out.dump(
            {
                "matches": [
                    {"id": found.id, "name": found.name, "source_id": found.source_id}
                    for found in matches[:limit]
                ],
                "more": more,
                "person": matches[0].model_dump(mode="json") if len(matches) == 1 else None,
                "filmography": films,
            }
        )
    elif len(matches) == 1:
        state.out.print(*_page(matches[0], films, everything=everything))
    else:
        state.out.print(*_choice(matches[:limit], len(matches), known_for))
    return 0


async def _find(ms: MediaSync, text: str) -> list[Person]:
    by_id = await ms.people.find_by_id(text)
    if by_id is not None:
        return [by_id]
    found = await ms.people.search(text, limit=_MOST + 1)
    exact = [one for one in found if one.name.casefold() == text.casefold()]
    return exact if len(exact) == 1 else found


async def _filmography(ms: MediaSync, found: Person) -> list[Film]:
    return [film.model_dump(mode="json") for film in await ms.people.filmography(found.id or "")]


def _choice(
    shown: Sequence[Person], number: int, known_for: Mapping[str | None, Sequence[Film]]
) -> list[RenderableType]:
    how_many = f"{number:,} people" if number <= _MOST else f"more than {_MOST:,} people"
    rows = [(short(one.name), _known_for(known_for.get(one.id, ())), one.id) for one in shown]
    parts: list[RenderableType] = [
        plain(f"{how_many} fit; show one by the id:"),
        columns(rows, indent=2),
    ]
    if number > len(shown):
        parts.append(
            indented(faint("others are left out: --all shows them, more of the name narrows it down"))
        )
    return parts


def _known_for(films: Sequence[Film]) -> str:
    titles = list(dict.fromkeys(film["show_title"] or film["title"] for film in films))
    if not titles:
        return ""
    return short(titles[0]) + (f" and {len(titles) - 1:,} more" if len(titles) > 1 else "")


def _page(found: Person, films: Sequence[Film], *, everything: bool) -> list[RenderableType]:
    parts: list[RenderableType] = [heading(short(found.name))]
    items: dict[str, list[Film]] = {}
    for film in films:
        items.setdefault(film["media_item_id"], []).append(film)
    parts.append(plain(f"{counted(len(films), 'credit')} in {counted(len(items), 'item')}"))
    rows = [_row(of_item) for of_item in items.values()]
    shown = rows if everything else rows[:_ITEMS]
    if shown:
        parts += [plain(""), columns(shown, indent=2)]
    if left := len(rows) - len(shown):
        parts.append(indented(faint(f"and {counted(left, 'item')} more: --all shows all")))
    ids = joined(f"{provider}:{value}" for provider, value in found.provider_ids.items())
    rows_below = [("Id", found.id or ""), ("Providers", ids), ("Source", found.source_id or "")]
    parts += [plain(""), columns([row for row in rows_below if row[1]])]
    return parts


def _row(of_item: Sequence[Film]) -> tuple[str, str, str]:
    film = of_item[0]
    return (str(film["year"] or ""), _title(film), joined(map(_function, of_item)))


def _title(film: Film) -> str:
    title = titled(film["title"], None)
    if film["media_type"] == MediaType.SHOW:
        return f"{title} (show)"
    code = episode_code(film["season_number"], film["episode_number"])
    show = joined((short(film["show_title"] or ""), code), " ")
    return joined((show, title), ": ")


def _function(film: Film) -> str:
    if film["person_type"] in CAST_TYPES:
        kind = "" if film["person_type"] == "actor" else f" ({type_name(film['person_type'])})"
        return f"as {short(film['role'])}{kind}" if film["role"] else type_name(film["person_type"])
    kind = type_name(film["person_type"])
    role = film["role"] or ""
    return f"{kind} ({short(role)})" if role and role.casefold() != kind.casefold() else kind
