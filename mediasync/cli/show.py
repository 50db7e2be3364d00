"""``mediasync show``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from mediasync.cli.wording import counted, item_code, joined, running_time, short, titled, type_name
from mediasync.models import AnyMediaItem, Credit, Season
from mediasync.vocabulary import Completeness, MediaType, PersonType

_MATCHES: Final = 20
_CREDITS: Final = 20
_CHILDREN: Final = 100
_MOST: Final = 10_000

_SUMMARY: Final = (
    "id",
    "media_type",
    "title",
    "year",
    "season_number",
    "episode_number",
    "source_id",
    "library_id",
)

_WITH_YEAR: Final = re.compile(r"(?P<title>.+?)\s*\((?P<year>\d{4})\)")


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked for.

    Attributes:
        matches: the items that fit.
        more: whether there are more than these.
        names: what each of several matches is called, by its id.
        parents: the show and season of the only match, the nearest first.
        children: what is below the only match, with what is below that.
    """

    matches: list[AnyMediaItem]
    more: bool = False
    names: dict[str, str] = field(default_factory=dict)
    parents: list[AnyMediaItem] = field(default_factory=list)
    children: list[tuple[AnyMediaItem, list[AnyMediaItem]]] = field(default_factory=list)


def show(
    context: typer.Context,
    title_or_id: Annotated[
        list[str],
        typer.Argument(
            metavar="TITLE-OR-ID...",
            help="A title or part of one, with its year if need be: 'Heat (1995)'; an id as this program "
            "shows it; or a provider's: imdb:tt0113277.",
            show_default=False,
        ),
    ],
    everything: AllOption = False,
    database: DatabaseOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Show a movie, show, season or episode with its cast and crew.

    Only reads the database. Where several items fit, they are listed with their ids, to choose from. Case
    and accents do not matter.

    [bold]Examples[/bold]
      mediasync show heat
      mediasync show "Parasite (2019)" --all
      mediasync show imdb:tt0113277 --json

    [bold]Exit codes[/bold]
      0  shown, or several listed
      1  nothing that is stored fits
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    state = State.of(context, database=database, config=config, as_json=as_json, debug=debug)
    return state.run(_show(state, words(title_or_id, "title"), everything=everything))


async def _show(state: State, text: str, *, everything: bool) -> int:
    async with state.open_to_read() as ms:
        found = await _find(ms, text, _MOST if everything else _MATCHES)
    if not found.matches:
        raise NotFound(f"nothing that is stored is called {text!r}, wholly or in part")
    if state.out.as_json:
        state.out.dump(_document(found))
    elif len(found.matches) == 1:
        state.out.print(*_page(found, everything=everything))
    else:
        state.out.print(*_choice(found))
    return 0


async def _find(ms: MediaSync, text: str, limit: int) -> Found:
    matches = await ms.media.find_media_items([text])
    if not matches:
        provider, colon, value = text.partition(":")
        if colon:
            matches = await ms.media.find_by_provider_id(provider.lower(), value)
    if not matches:
        matches = await ms.media.find_by_title(text, limit=limit + 1)
    if not matches and (parts := _WITH_YEAR.fullmatch(text)):
        named = await ms.media.find_by_title(parts["title"], limit=_MOST)
        matches = [item for item in named if item.year == int(parts["year"])]
    if len(matches) != 1:
        return Found(matches[:limit], more=len(matches) > limit, names=await _names(ms, matches[:limit]))
    [item] = matches
    parents: list[AnyMediaItem] = []
    while (parent_id := (parents or matches)[-1].parent_id) is not None:
        parents += await ms.media.find_media_items([parent_id])
    children = []
    if item.media_type in {MediaType.SHOW, MediaType.SEASON}:
        for child in await ms.media.list_children(item.id or ""):
            below = await ms.media.list_children(child.id or "") if isinstance(child, Season) else []
            children.append((child, below))
    return Found(matches, parents=parents, children=children)


async def _names(ms: MediaSync, items: Sequence[AnyMediaItem]) -> dict[str, str]:
    """Return what items are called beside others: seasons and episodes with the title of their show."""
    above: dict[str, AnyMediaItem] = {}
    missing = {item.parent_id for item in items if item.parent_id}
    while missing:
        found = await ms.media.find_media_items(sorted(missing))
        above |= {item.id: item for item in found if item.id}
        missing = {item.parent_id for item in found if item.parent_id}
    names = {}
    for item in items:
        parents = []
        parent = item
        while parent.parent_id in above:
            parent = above[parent.parent_id]
            parents.append(parent)
        names[item.id or ""] = _name(item, parents)
    return names


def _name(item: AnyMediaItem, parents: Sequence[AnyMediaItem]) -> str:
    shows = [short(parent.title) for parent in parents if parent.media_type is MediaType.SHOW]
    return joined((joined((*shows, item_code(item)), " "), titled(item.title, item.year)), ": ")


# Several matches


def _choice(found: Found) -> list[RenderableType]:
    more = " or more" if found.more else ""
    parts: list[RenderableType] = [plain(f"{len(found.matches):,}{more} fit; show one by its id:")]
    rows = [(found.names[item.id or ""], str(item.media_type), item.id) for item in found.matches]
    parts.append(columns(rows, indent=2))
    if found.more:
        parts.append(indented(faint("more are left out: --all shows them, a longer title narrows it down")))
    return parts


# One item


def _page(found: Found, *, everything: bool) -> list[RenderableType]:
    [item] = found.matches
    parts: list[RenderableType] = [heading(_name(item, found.parents))]
    parts.append(plain(_facts(item)))
    if item.original_title and item.original_title != item.title:
        parts.append(plain(f"original title: {item.original_title}"))
    for text in (item.tagline, item.overview):
        if text:
            parts += [plain(""), plain(text)]
    parts += _cast(item, everything=everything)
    parts += _crew(item, everything=everything)
    if item.completeness is Completeness.PREVIEW:
        parts += [plain(""), faint("Only the first of the cast and crew are known.")]
    elif item.completeness is Completeness.NONE:
        parts += [plain(""), faint("The cast and crew are not known.")]
    elif not item.credits:
        parts += [plain(""), faint("There are no cast and crew.")]
    parts += _children(found, everything=everything)
    parts += [plain(""), columns(_whereabouts(item))]
    return parts


def _facts(item: AnyMediaItem) -> str:
    ratings = [
        f"{rating.name} {rating.value:g}" + (f" ({counted(rating.votes, 'vote')})" if rating.votes else "")
        for rating in item.ratings
    ]
    return joined(
        (
            str(item.media_type),
            str(item.premiere_date or ""),
            running_time(item.runtime_seconds) if item.runtime_seconds else "",
            item.content_rating or "",
            joined(item.genres),
            joined(ratings),
        ),
        " | ",
    )


def _cast(item: AnyMediaItem, *, everything: bool) -> list[RenderableType]:
    if not item.cast:
        return []
    shown = item.cast if everything else item.cast[:_CREDITS]
    parts: list[RenderableType] = [plain(""), heading(f"Cast ({len(item.cast):,})")]
    parts.append(columns([(short(credit.person.name), _part(credit)) for credit in shown], indent=2))
    if left := len(item.cast) - len(shown):
        parts.append(indented(faint(f"and {left:,} more: --all shows all")))
    return parts


def _part(credit: Credit) -> str:
    guest = "(guest star)" if credit.person_type == PersonType.GUEST_STAR else ""
    return joined((f"as {short(credit.role)}" if credit.role else "", guest), " ")


def _crew(item: AnyMediaItem, *, everything: bool) -> list[RenderableType]:
    if not item.crew:
        return []
    groups: dict[str, list[Credit]] = {}
    for credit in item.crew:
        groups.setdefault(type_name(credit.person_type), []).append(credit)
    rows = [
        (
            kind if not number else "",
            joined((short(credit.person.name), _job(credit, kind)), " "),
        )
        for kind, members in groups.items()
        for number, credit in enumerate(members)
    ]
    shown = rows if everything else rows[:_CREDITS]
    parts: list[RenderableType] = [plain(""), heading(f"Crew ({len(rows):,})"), columns(shown, indent=2)]
    if left := len(rows) - len(shown):
        parts.append(indented(faint(f"and {left:,} more: --all shows all")))
    return parts


def _job(credit: Credit, kind: str) -> str:
    """Return the words of a job where they say more than its kind."""
    tells_more = credit.role is not None and credit.role.casefold() != kind.casefold()
    return f"({short(credit.role)})" if tells_more else ""


def _children(found: Found, *, everything: bool) -> list[RenderableType]:
    parts: list[RenderableType] = []
    left = _MOST if everything else _CHILDREN
    hidden = 0
    loose = [child for child, _ in found.children if not isinstance(child, Season)]
    seasons = [(child, below) for child, below in found.children if isinstance(child, Season)]
    for season, episodes in seasons:
        parts += [plain(""), heading(f"{short(season.title)} ({counted(len(episodes), 'episode')})")]
        parts += _episodes(episodes[:left])
        hidden += len(episodes[left:])
        left -= len(episodes[:left])
    if loose:
        parts += [plain(""), heading(f"Episodes ({len(loose):,})"), *_episodes(loose[:left])]
        hidden += len(loose[left:])
    if hidden:
        parts.append(indented(faint(f"{counted(hidden, 'episode')} left out: --all shows all")))
    return parts


def _episodes(episodes: Sequence[AnyMediaItem]) -> list[RenderableType]:
    if not episodes:
        return []
    return [columns([(item_code(item), titled(item.title, item.year)) for item in episodes], indent=2)]


def _whereabouts(item: AnyMediaItem) -> list[tuple[str, str]]:
    ids = joined(f"{provider}:{value}" for provider, value in item.provider_ids.items())
    rows = [
        ("Id", item.id or ""),
        ("Providers", ids),
        ("Library", item.library_id or ""),
        ("Path", item.path or ""),
    ]
    return [row for row in rows if row[1]]


# JSON


def _document(found: Found) -> dict[str, Any]:
    only = found.matches[0] if len(found.matches) == 1 else None
    return {
        "matches": [_summary(item) for item in found.matches],
        "more": found.more,
        "item": only.model_dump(mode="json") if only else None,
        "parents": [_summary(parent) for parent in found.parents],
        "children": [
            {
                **child.model_dump(mode="json"),
                "children": [episode.model_dump(mode="json") for episode in below],
            }
            for child, below in found.children
        ],
    }


def _summary(item: AnyMediaItem) -> dict[str, Any]:
    fields = item.model_dump(mode="json", include=set(_SUMMARY))
    return {name: fields.get(name) for name in _SUMMARY}
