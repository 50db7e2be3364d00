"""``mediasync search``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType

from mediasync.cli.context import CommandContext, words
from mediasync.cli.errors import NotFound
from mediasync.cli.layout import columns, faint, heading, plain
from mediasync.cli.options import OF_EVERY_COMMAND, LimitOption, with_options
from mediasync.hits import Match, SearchHit
from mediasync.summaries import ItemSummary, PersonSummary
from mediasync.wording import counted, episode_code, joined, short, titled


@with_options(*OF_EVERY_COMMAND)
def search(
    context: CommandContext,
    text: Annotated[
        list[str],
        typer.Argument(metavar="TEXT...", help="Words of a title or a name, or their beginnings."),
    ],
    limit: LimitOption = 10,
) -> int:
    """Find titles and people by what you type, also if it is misspelt.

    Only reads the database. The best match comes first. Case, accents, punctuation, articles and the order of
    words do not matter. The same film or human from several sources is listed once.

    [bold]Examples[/bold]
      mediasync search heat
      mediasync search al pacno
      mediasync search oceans 11 --json

    [bold]Exit codes[/bold]
      0  something was found
      1  nothing that is stored is like this
      2  wrong usage or configuration
      4  there is no database, or it failed
    """
    return context.run(_search(context, words(text, "text"), limit))


async def _search(context: CommandContext, text: str, limit: int) -> int:
    async with context.open_to_read() as ms:
        answer = await ms.library.search(text, limit=limit)
    if not answer.titles and not answer.people:
        raise NotFound(f"no stored title or name is like {text!r}")
    if context.out.as_json:
        context.out.dump(
            {
                "titles": [_document(hit) for hit in answer.titles],
                "people": [_document(hit) for hit in answer.people],
            }
        )
        return 0
    parts: list[RenderableType] = []
    if answer.titles:
        rows = [(_title(hit.summary), _similar(hit), hit.id, _others(hit)) for hit in answer.titles]
        parts += [heading("Titles"), columns(rows, indent=2)]
    if answer.people:
        if parts:
            parts.append(plain(""))
        people = [
            (short(hit.summary.name), _known_for(hit.summary), _similar(hit), hit.id, _others(hit))
            for hit in answer.people
        ]
        parts += [heading("People"), columns(people, indent=2)]
    context.out.print(*parts, faint("mediasync show ID and mediasync person ID show one"))
    return 0


def _document(hit: SearchHit[ItemSummary] | SearchHit[PersonSummary]) -> dict[str, object]:
    return {
        "match": str(hit.match),
        "other_ids": list(hit.other_ids),
        **hit.summary.model_dump(mode="json"),
    }


def _title(item: ItemSummary) -> str:
    code = episode_code(item.season_number, item.episode_number) if item.show_title else ""
    show = joined((short(item.show_title or ""), code), " ")
    return joined((show, titled(item.title, item.year)), ": ")


def _known_for(person: PersonSummary) -> str:
    if person.known_for is None:
        return ""
    more = f" and {counted(person.works - 1, 'other')}" if person.works > 1 else ""
    return titled(person.known_for, person.known_for_year) + more


def _similar(hit: SearchHit[ItemSummary] | SearchHit[PersonSummary]) -> str:
    return "similar" if hit.match is Match.SIMILAR else ""


def _others(hit: SearchHit[ItemSummary] | SearchHit[PersonSummary]) -> str:
    others: Sequence[str] = hit.other_ids
    return f"also {counted(len(others), 'other id')}" if others else ""
