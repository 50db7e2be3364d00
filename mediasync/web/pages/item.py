"""The page of an item: facts, cast and crew, seasons and episodes, the same elsewhere, last changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from mediasync.change_words import log_document
from mediasync.errors import UnknownItem
from mediasync.models import AnyMediaItem, Credit
from mediasync.summaries import ItemSummary, Page
from mediasync.vocabulary import CAST_TYPES, MediaType
from mediasync.web.forms import number_of
from mediasync.web.links import item_path
from mediasync.web.pages.names import find_names
from mediasync.web.pages.paging import read_page
from mediasync.web.queries import address, text_of
from mediasync.web.rendering import Answer, wants_json
from mediasync.web.routing import page
from mediasync.web.site import Site
from mediasync.works import CastMember

FIRST_CREDITS: Final = 24
"""How many people of each function the page shows at first."""

MORE_CREDITS: Final = 60
CHILDREN: Final = 60
_CHANGES: Final = 5
_FUNCTIONS: Final = 30


async def show(request: Request, site: Site) -> Answer:
    """Return the page of an item, or of one of its lists from a cursor on."""
    item_id: str = request.path_params["item_id"]
    item = await site.ms.library.get_details(item_id)
    after, function = text_of(request, "after"), text_of(request, "function")
    if function is not None:
        return await _more_credits(site, item, function, after)
    if after is not None:
        return await _more_children(site, item, after)
    if text_of(request, "cast") is not None:
        return await _whole_cast(request, site, item)
    return await _whole(request, site, item)


async def _whole(request: Request, site: Site, item: AnyMediaItem) -> Answer:
    library, item_id = site.ms.library, item.id or ""
    parts = await library.list_cast_by_function(item_id, limit=FIRST_CREDITS)
    members: list[CastMember] = []
    below: Page[ItemSummary] = Page([])
    counts: Mapping[str, int] = {}
    if item.media_type in (MediaType.SHOW, MediaType.SEASON):
        below = await library.list_children(item_id, limit=CHILDREN)
        counts = await library.count_children([item_id, *(one.id for one in below.rows)])
        members = await _members(site, item, FIRST_CREDITS + 1)
        parts = {name: part for name, part in parts.items() if name not in CAST_TYPES}
    above = await _above(site, item)
    same = await library.find_same_works(item_id)
    changes = await library.list_last_changes(item_id, limit=_CHANGES)
    document = {
        "item": item.model_dump(mode="json", exclude={"credits", "cast", "crew"}),
        "above": [one.model_dump(mode="json") for one in above],
        "credits": {name: _page(part) for name, part in parts.items()},
        "cast": [one.model_dump(mode="json") for one in members[:FIRST_CREDITS]],
        "children": _page(below),
        "same": [one.model_dump(mode="json") for one in same],
        "changes": [log_document(one) for one in changes],
    }
    if wants_json(request):
        return Answer("item.html", {}, document)
    context = {
        "item": item,
        "above": above,
        "path": item_path(item_id),
        "cast": {name: part for name, part in parts.items() if name in CAST_TYPES},
        "crew": [(name, part) for name, part in parts.items() if name not in CAST_TYPES][:_FUNCTIONS],
        "functions": len(parts),
        "most_functions": _FUNCTIONS,
        "members": members[:FIRST_CREDITS],
        "has_more_members": len(members) > FIRST_CREDITS,
        "below": below,
        "counts": counts,
        "same": same,
        "changes": changes,
        "names": await find_names(site),
    }
    return Answer("item.html", context, document)


async def _more_credits(site: Site, item: AnyMediaItem, function: str, after: str | None) -> Answer:
    item_id = item.id or ""
    part, is_stale = await read_page(
        lambda cursor: site.ms.library.list_cast(
            item_id, person_type=function, after=cursor, limit=MORE_CREDITS, with_total=True
        ),
        after,
    )
    path = item_path(item_id)
    context = {
        "item": item,
        "path": path,
        "function": function,
        "part": part,
        "after": None if is_stale else after,
        "is_stale": is_stale,
        "start": address(path, {"function": function}),
        "next": address(path, {"function": function}, after=part.next) if part.next else None,
    }
    return Answer("item-credits.html", context, _page(part), status=400 if is_stale else 200)


async def _more_children(site: Site, item: AnyMediaItem, after: str) -> Answer:
    library, item_id = site.ms.library, item.id or ""
    below, is_stale = await read_page(
        lambda cursor: library.list_children(item_id, after=cursor, limit=CHILDREN), after
    )
    context = {
        "item": item,
        "path": item_path(item_id),
        "below": below,
        "counts": await library.count_children([one.id for one in below.rows]),
        "is_stale": is_stale,
    }
    return Answer("item-children.html", context, _page(below), status=400 if is_stale else 200)


async def _whole_cast(request: Request, site: Site, item: AnyMediaItem) -> Answer:
    """Return the page of the cast of a show or a season, from one of its members on."""
    if item.media_type not in (MediaType.SHOW, MediaType.SEASON):
        raise UnknownItem(f"{item.id!r} is neither a show nor a season: its cast is on its own page")
    start = number_of(request.query_params, "from") or 0
    members = await _members(site, item, None)
    path = item_path(item.id or "")
    rows = members[start : start + MORE_CREDITS]
    more = address(path, {"cast": "all", "from": start + MORE_CREDITS})
    context = {
        "item": item,
        "path": path,
        "members": rows,
        "total": len(members),
        "start": start,
        "next": more if len(members) > start + MORE_CREDITS else None,
    }
    document = {
        "rows": [one.model_dump(mode="json") for one in rows],
        "total": len(members),
    }
    return Answer("item-cast.html", context, document)


async def _members(site: Site, item: AnyMediaItem, limit: int | None) -> list[CastMember]:
    item_id, library = item.id or "", site.ms.library
    find = library.show_cast if item.media_type == MediaType.SHOW else library.season_cast
    if limit is None:  # thousands of members of hundreds of shows would fill the memory
        return await find(item_id)
    return await site.memory.recall(("cast", item_id, limit), lambda: find(item_id, limit=limit))


async def _above(site: Site, item: AnyMediaItem) -> list[ItemSummary]:
    """Return the items above one, the highest first."""
    if item.parent_id is None:
        return []
    found = await site.ms.library.find_items([item.parent_id])
    if found and found[0].parent_id is not None:
        found = [*await site.ms.library.find_items([found[0].parent_id]), *found]
    return found


def _page(part: Page[Credit] | Page[ItemSummary]) -> dict[str, Any]:
    return {
        "rows": [one.model_dump(mode="json") for one in part.rows],
        "next": part.next,
        "total": part.total,
    }


routes = page("/items/{item_id:id}", show)
