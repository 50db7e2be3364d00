"""The search over titles and people. Its JSON is what the search field shows while somebody types."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request

from mediasync.errors import UsageError
from mediasync.hits import Match, SearchAnswer
from mediasync.summaries import ItemSummary, PersonSummary
from mediasync.vocabulary import MediaType
from mediasync.web.forms import number_of
from mediasync.web.links import item_path, item_picture, person_path, person_picture
from mediasync.web.queries import address, text_of
from mediasync.web.rendering import Answer, wants_json
from mediasync.web.routing import page
from mediasync.web.site import Site
from mediasync.web.words import item_title, joined, person_name, type_name, years
from mediasync.wording import episode_code

HITS: Final = 10
"""How many titles, and how many people, the page shows at first."""

MOST_HITS: Final = 100
LONGEST_QUESTION: Final = 300
_PICTURE_WIDTH: Final = 40


async def show(request: Request, site: Site) -> Answer:
    """Return the page of a search."""
    asked = text_of(request, "q") or ""
    limit = number_of(request.query_params, "limit", least=1, most=MOST_HITS) or HITS
    kinds = None
    if (kind := text_of(request, "kind")) is not None:
        kinds = {"title": tuple(MediaType), "person": ("person",)}.get(kind)
        if kinds is None:
            raise UsageError(f"kind: “{kind[:50]}” is neither title nor person")
    # More letters than any title has tell no more, and would take long.
    found = (
        await site.ms.library.search(asked[:LONGEST_QUESTION], kinds=kinds, limit=limit)
        if asked
        else SearchAnswer([], [])
    )
    if wants_json(request):
        return Answer("search.html", {}, _document(request, asked, found))
    matches = [*(hit.match for hit in found.titles), *(hit.match for hit in found.people)]
    context = {
        "asked": asked,
        "found": found,
        "more": address("/search", {"q": asked, "limit": MOST_HITS})
        if limit < MOST_HITS and limit in (len(found.titles), len(found.people))
        else None,
        "is_similar": bool(matches) and all(match is Match.SIMILAR for match in matches),
    }
    return Answer("search.html", context, _document(request, asked, found))


def item_facts(item: ItemSummary) -> str:
    """Return a line that tells an item from others of the same title."""
    code = episode_code(item.season_number, item.episode_number)
    return joined([type_name(item.media_type).capitalize(), item.show_title, code, item.year])


def person_facts(person: PersonSummary) -> str:
    """Return a line that tells a person from others of the same name."""
    known = person.known_for and f"{person.known_for} ({person.known_for_year or '?'})"
    return joined([years(person.first_year, person.last_year), known])


def _document(request: Request, asked: str, found: SearchAnswer) -> dict[str, Any]:
    root = request.scope.get("root_path", "")
    return {
        "asked": asked,
        "titles": [
            {
                **hit.summary.model_dump(mode="json"),
                "match": hit.match,
                "other_ids": hit.other_ids,
                "label": item_title(hit.summary),
                "facts": item_facts(hit.summary),
                "page": root + item_path(hit.id),
                "picture": root + item_picture(hit.id, _PICTURE_WIDTH),
            }
            for hit in found.titles
        ],
        "people": [
            {
                **hit.summary.model_dump(mode="json"),
                "match": hit.match,
                "other_ids": hit.other_ids,
                "label": person_name(hit.summary.name),
                "facts": person_facts(hit.summary),
                "page": root + person_path(hit.id),
                "picture": root + person_picture(hit.id, _PICTURE_WIDTH),
            }
            for hit in found.people
        ],
    }


routes = page("/search", show)
