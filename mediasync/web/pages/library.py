"""The list of items: filtered, sorted, page by page, as a grid of posters or as lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request

from mediasync.errors import UsageError
from mediasync.filters import ItemFilter, ItemSort
from mediasync.summaries import ItemSummary, Page, PersonSummary
from mediasync.vocabulary import Completeness, MediaType
from mediasync.web.forms import year_of
from mediasync.web.pages.names import find_names
from mediasync.web.pages.paging import read_page
from mediasync.web.queries import address, text_of, texts_of
from mediasync.web.rendering import Answer, wants_json
from mediasync.web.routing import page
from mediasync.web.site import Site

ITEMS: Final = 60
"""How many items one page shows."""

TYPES: Final = {
    "": ("Films and shows", (MediaType.MOVIE, MediaType.SHOW)),
    "movie": ("Films", (MediaType.MOVIE,)),
    "show": ("Shows", (MediaType.SHOW,)),
    "season": ("Seasons", (MediaType.SEASON,)),
    "episode": ("Episodes", (MediaType.EPISODE,)),
    "all": ("Everything", ()),
}
"""The choices of types: what each is called, and what it means."""

SORTS: Final = {
    "title": ("Title", ItemSort.TITLE, False),
    "newest": ("Year, newest first", ItemSort.YEAR, True),
    "oldest": ("Year, oldest first", ItemSort.YEAR, False),
    "added": ("Added last", ItemSort.ADDED, True),
    "changed": ("Changed last", ItemSort.CHANGED, True),
    "rating": ("Best rating", ItemSort.RATING, True),
    "worst": ("Worst rating", ItemSort.RATING, False),
}
"""The choices of orders: what each is called, what it sorts by, and whether the highest comes first."""

COMPLETENESS: Final = {
    Completeness.FULL: "Whole cast known",
    Completeness.PREVIEW: "Part of the cast known",
    Completeness.NONE: "Cast not known",
}
_MOST_GENRES: Final = 300
_MOST_PEOPLE: Final = 20
_PLAIN: Final = ("source", "library", "type", "from", "to", "genre", "rating", "completeness", "sort")


@dataclass(slots=True)
class Chosen:
    """The people whom the filter names.

    Attributes:
        people: who they are, by what the query said.
        unknown: what names nobody.
    """

    people: dict[str, PersonSummary] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


async def show(request: Request, site: Site) -> Answer:
    """Return a page of the list of items."""
    query: dict[str, Any] = {name: text_of(request, name) for name in _PLAIN}
    query["view"] = "list" if text_of(request, "view") == "list" else None
    after, is_stale, problem, total = text_of(request, "after"), False, None, None
    found: Page[ItemSummary] = Page([])
    given = {name: texts_of(request, name) for name in ("with", "without")}
    if sum(map(len, given.values())) > _MOST_PEOPLE:  # each one is searched for
        raise UsageError(f"with, without: give at most {_MOST_PEOPLE} people")
    source_id = query["source"] or (query["library"] or "").partition(":")[0]
    chosen = {name: await _choose(site, values, source_id) for name, values in given.items()}
    query |= {
        name: list(dict.fromkeys(one.id for one in who.people.values())) for name, who in chosen.items()
    }
    try:
        if unknown := [one for who in chosen.values() for one in who.unknown]:
            raise UsageError(f"Nobody is called {' or '.join(f'“{name[:80]}”' for name in unknown)}.")
        wanted, order = _filter(request, query), _order(query["sort"])

        async def read(cursor: str | None) -> Page[ItemSummary]:
            return await site.ms.library.list_items(
                wanted, sort=order[0], descending=order[1], after=cursor, limit=ITEMS
            )

        found, is_stale = await read_page(read, after, is_strict=wants_json(request))
        after = None if is_stale else after
        total = await site.memory.recall(("items", wanted), lambda: site.ms.library.count_items(wanted))
    except UsageError as error:
        if wants_json(request):
            raise
        problem = str(error)
    document = {
        "rows": [one.model_dump(mode="json") for one in found.rows],
        "next": found.next,
        "total": total,
    }
    if wants_json(request):
        return Answer("library.html", {}, document)
    genres = await site.memory.recall("genres", site.ms.library.list_genres)
    context = {
        "found": found,
        "total": total,
        "query": query,
        "chosen": chosen,
        "after": after,
        "problem": problem,
        "is_stale": is_stale,
        "is_filtered": any(value for name, value in query.items() if name not in ("view", "sort")),
        "start": address("/items", query),
        "next": address("/items", query, after=found.next) if found.next else None,
        "types": TYPES,
        "sorts": SORTS,
        "completeness": COMPLETENESS,
        "genres": genres[:_MOST_GENRES],
        "names": await find_names(site),
    }
    return Answer("library.html", context, document, status=400 if problem or is_stale else 200)


async def _choose(site: Site, values: list[str], source_id: str) -> Chosen:
    """Return the people whom ids, aliases or names mean.

    Of several with a name, the best known is meant, as the source knows them whose items are listed.
    """
    chosen = Chosen()
    for value in values:
        person = await site.ms.people.find_by_id(value)
        if person is not None and person.id is not None:
            found = await site.ms.library.find_people([person.id])
        else:
            answer = await site.ms.library.search(value, kinds=["person"], limit=1)
            ids = [one for hit in answer.people for one in (hit.id, *hit.other_ids)]
            own = [one for one in ids if one.startswith(f"{source_id}:")]
            found = await site.ms.library.find_people((own or ids)[:1])
        if found:
            chosen.people[value] = found[0]
        else:
            chosen.unknown.append(value)
    return chosen


def _filter(request: Request, query: dict[str, Any]) -> ItemFilter:
    kind = query["type"] or ""
    if kind not in TYPES:
        raise UsageError(f"type: “{kind[:50]}” is none of {', '.join(filter(None, TYPES))}")
    rating = query["rating"]
    try:
        least = None if rating is None else float(rating)
    except ValueError:
        raise UsageError(f"rating: “{rating[:50]}” is not a number from 0 to 10") from None
    return ItemFilter(
        source_id=query["source"],
        library_id=query["library"],
        media_types=TYPES[kind][1],
        year_from=year_of(request.query_params, "from"),
        year_to=year_of(request.query_params, "to"),
        genre=query["genre"],
        min_rating=least,
        completeness=query["completeness"],
        with_people=query["with"],
        without_people=query["without"],
    )


def _order(sort: str | None) -> tuple[ItemSort, bool]:
    if (sort or "title") not in SORTS:
        raise UsageError(f"sort: “{(sort or '')[:50]}” is none of {', '.join(SORTS)}")
    _, by, descending = SORTS[sort or "title"]
    return by, descending


routes = page("/items", show)
