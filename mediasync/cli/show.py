"""``mediasync show``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import RenderableType

from mediasync.cli.context import CommandContext, words
from mediasync.cli.errors import NotFound
from mediasync.cli.layout import columns, faint, heading, indented, plain
from mediasync.cli.options import OF_EVERY_COMMAND, AllOption, with_options
from mediasync.cli.points import AsOfOption, parse_point, point_in_words, require_run
from mediasync.library.lookup import Branch, Matches, find_children, find_parents, look_up_items
from mediasync.models import AnyMediaItem, Credit, Season
from mediasync.rewinding import AsOf
from mediasync.vocabulary import Completeness, MediaType, PersonType
from mediasync.wording import counted, item_code, joined, person_type_name, running_time, short, titled

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


@with_options(*OF_EVERY_COMMAND)
def show(
    context: CommandContext,
    title_or_id: Annotated[
        list[str],
        typer.Argument(
            metavar="TITLE-OR-ID...",
            help="A title or part of one, with its year if need be: 'Heat (1995)'; an id as this program "
            "shows it; or a provider's: imdb:tt0113277.",
            show_default=False,
        ),
    ],
    as_of: AsOfOption = None,
    everything: AllOption = False,
) -> int:
    """Show a movie, show, season or episode with its cast and crew.

    Only reads the database. Where several items fit, they are listed with their ids, to choose from. Case
    and accents do not matter. If no title fits, those that are spelt like this are found. With --as-of, what
    was shown then is rebuilt from the change log.

    [bold]Examples[/bold]
      mediasync show heat
      mediasync show "Parasite (2019)" --all
      mediasync show imdb:tt0113277 --json
      mediasync show heat --as-of 1d

    [bold]Exit codes[/bold]
      0  shown, or several listed
      1  nothing that is stored, or was shown then, fits; or there is no such run
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    point = None if as_of is None else parse_point(as_of, "--as-of")
    return context.run(_show(context, words(title_or_id, "title"), point, everything=everything))


async def _show(context: CommandContext, text: str, as_of: AsOf | None, *, everything: bool) -> int:
    async with context.open_to_read() as ms:
        await require_run(ms, as_of)
        limit = _MOST if everything else _MATCHES
        matches = await look_up_items(ms.media, text, limit=limit, as_of=as_of, search=ms.library)
        parents = await find_parents(ms.media, [*matches.found, *matches.others], as_of=as_of)
        branches = await find_children(ms.media, matches.only, as_of=as_of) if matches.only else []
    if not matches.found:
        when = (
            "no stored item is" if as_of is None else f"no item that was shown at {point_in_words(as_of)} was"
        )
        raise NotFound(f"{when} called {text!r}, wholly or in part")
    if context.out.as_json:
        context.out.dump(_document(matches, parents, branches))
    elif matches.only:
        item = matches.only
        if as_of is not None:
            context.out.print(faint(f"as shown at {point_in_words(as_of)}"))
        if matches.similar:
            context.out.print(faint(f"nothing is called {text!r}; this is like it"))
        context.out.print(*_page(item, parents[item.id or ""], branches, everything=everything))
        if matches.others:
            context.out.print(plain(""), *_others(matches, parents))
    else:
        context.out.print(*_choice(matches, parents))
    return 0


def _name(item: AnyMediaItem, parents: Sequence[AnyMediaItem]) -> str:
    shows = [short(parent.title) for parent in parents if parent.media_type is MediaType.SHOW]
    return joined((joined((*shows, item_code(item)), " "), titled(item.title, item.year)), ": ")


# Several matches


def _choice(
    matches: Matches[AnyMediaItem], parents: Mapping[str, Sequence[AnyMediaItem]]
) -> list[RenderableType]:
    more = " or more" if matches.more else ""
    fit = "are spelt like this" if matches.similar else "fit"
    parts: list[RenderableType] = [plain(f"{len(matches.found):,}{more} {fit}; show one by its id:")]
    rows = [(_name(item, parents[item.id or ""]), str(item.media_type), item.id) for item in matches.found]
    parts.append(columns(rows, indent=2))
    if matches.more:
        parts.append(indented(faint("more are left out: --all shows them, a longer title narrows it down")))
    return parts


def _others(
    matches: Matches[AnyMediaItem], parents: Mapping[str, Sequence[AnyMediaItem]]
) -> list[RenderableType]:
    number = len(matches.others)
    rows = [(_name(item, parents[item.id or ""]), str(item.media_type), item.id) for item in matches.others]
    others = "1 other matches" if number == 1 else f"{number} others match"
    return [faint(f"{others}:"), columns(rows, indent=2)]


# One item


def _page(
    item: AnyMediaItem, parents: Sequence[AnyMediaItem], branches: Sequence[Branch], *, everything: bool
) -> list[RenderableType]:
    parts: list[RenderableType] = [heading(_name(item, parents))]
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
    parts += _children(branches, everything=everything)
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
        groups.setdefault(person_type_name(credit.person_type), []).append(credit)
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
    """Return the role of a crew member, if it says more than the function."""
    says_more = credit.role is not None and credit.role.casefold() != kind.casefold()
    return f"({short(credit.role)})" if says_more else ""


def _children(branches: Sequence[Branch], *, everything: bool) -> list[RenderableType]:
    parts: list[RenderableType] = []
    left = _MOST if everything else _CHILDREN
    hidden = 0
    loose = [child for child, _ in branches if not isinstance(child, Season)]
    seasons = [(child, below) for child, below in branches if isinstance(child, Season)]
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


def _document(
    matches: Matches[AnyMediaItem],
    parents: Mapping[str, Sequence[AnyMediaItem]],
    branches: Sequence[Branch],
) -> dict[str, Any]:
    only = matches.only
    return {
        "matches": [_summary(item) for item in matches.found],
        "more": matches.more,
        "others": [_summary(item) for item in matches.others],
        "similar": matches.similar,
        "item": only.model_dump(mode="json") if only else None,
        "parents": [_summary(parent) for parent in parents[only.id or ""]] if only else [],
        "children": [
            {
                **child.model_dump(mode="json"),
                "children": [episode.model_dump(mode="json") for episode in below],
            }
            for child, below in branches
        ],
    }


def _summary(item: AnyMediaItem) -> dict[str, Any]:
    fields = item.model_dump(mode="json", include=set(_SUMMARY))
    return {name: fields.get(name) for name in _SUMMARY}
