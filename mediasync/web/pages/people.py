"""The list of people: by the beginning of the name, function, source, library and picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from string import ascii_uppercase
from typing import Any, Final

from starlette.requests import Request

from mediasync.errors import UsageError
from mediasync.filters import PersonFilter
from mediasync.summaries import Page, PersonSummary
from mediasync.web.pages.names import find_names
from mediasync.web.pages.paging import read_page
from mediasync.web.queries import address, text_of
from mediasync.web.rendering import Answer, wants_json
from mediasync.web.routing import page
from mediasync.web.site import Site
from mediasync.web.words import OFFERED_FUNCTIONS

PEOPLE: Final = 60
"""How many people one page shows."""


async def show(request: Request, site: Site) -> Answer:
    """Return a page of the list of people."""
    query: dict[str, Any] = {
        name: text_of(request, name) for name in ("name", "function", "source", "library", "picture")
    }
    after, problem, is_stale = text_of(request, "after"), None, False
    found: Page[PersonSummary] = Page([])
    total = None
    try:
        wanted = _filter(query)
        found, is_stale = await read_page(
            lambda cursor: site.ms.library.list_people(wanted, after=cursor, limit=PEOPLE),
            after,
            is_strict=wants_json(request),
        )
        after = None if is_stale else after
        if wanted.person_type is None and wanted.library_id is None:  # else all credits would be read
            total = await site.memory.recall(("people", wanted), _counting(site, wanted))
    except UsageError as error:
        if wants_json(request):
            raise
        problem = str(error)
    document = {
        "rows": [one.model_dump(mode="json") for one in found.rows],
        "next": found.next,
        "total": total,
    }
    context = {
        "found": found,
        "total": total,
        "query": query,
        "after": after,
        "problem": problem,
        "is_stale": is_stale,
        "start": address("/people", query),
        "next": address("/people", query, after=found.next) if found.next else None,
        "letters": ascii_uppercase,
        "functions": OFFERED_FUNCTIONS,
        "names": await find_names(site),
    }
    return Answer("people.html", context, document, status=400 if problem or is_stale else 200)


def _counting(site: Site, wanted: PersonFilter) -> Callable[[], Awaitable[int]]:
    return lambda: site.ms.library.count_people(wanted)


def _filter(query: dict[str, Any]) -> PersonFilter:
    choices = {None: None, "yes": True, "no": False}
    if query["picture"] not in choices:
        raise UsageError("picture: give yes or no, or leave it out")
    return PersonFilter(
        name_prefix=query["name"],
        person_type=query["function"],
        source_id=query["source"],
        library_id=query["library"],
        has_image=choices[query["picture"]],
    )


routes = page("/people", show)
