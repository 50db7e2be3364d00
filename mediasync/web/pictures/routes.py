"""``/pictures/items/{id}`` and ``/pictures/people/{id}``: the picture, or a drawn one with the initials."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mediasync.web.guard import Access
from mediasync.web.pictures.desk import NoPicture, width_for
from mediasync.web.pictures.formats import find_media_type
from mediasync.web.pictures.placeholder import draw
from mediasync.web.rendering import with_etag
from mediasync.web.routing import refuse
from mediasync.web.site import Site, site_of

_DEFAULT_WIDTH: Final = 136
_WIDEST: Final = 2_000
_KEPT_BY_BROWSERS: Final = "private, max-age=86400"
_DRAWN_KEPT_BY_BROWSERS: Final = "private, max-age=300"
_NOTHING_RUNS: Final = "default-src 'none'; sandbox"


async def item_picture(request: Request) -> Response:
    """Answer with the poster of an item; that of its show, if a season or an episode has none."""
    site = site_of(request)
    width = _width(request)
    if await site.guard.find_access(request) < Access.READ:
        return refuse(request, site)
    found = await site.ms.library.find_items([request.path_params["item_id"]])
    if not found:
        raise HTTPException(404, "There is no such item.")
    item = found[0]
    reference = item.poster
    if reference is None and item.show_id is not None and item.show_id != item.id:
        above = await site.ms.library.find_items([item.show_id])
        reference = above[0].poster if above else None
    return await _answer(request, site, item.source_id, reference, item.title, width)


async def person_picture(request: Request) -> Response:
    """Answer with the picture of a person."""
    site = site_of(request)
    width = _width(request)
    if await site.guard.find_access(request) < Access.READ:
        return refuse(request, site)
    found = await site.ms.library.find_people([request.path_params["person_id"]])
    if not found:
        raise HTTPException(404, "There is no such person.")
    person = found[0]
    return await _answer(request, site, person.source_id, person.image_path, person.name, width)


def _width(request: Request) -> int:
    text = request.query_params.get("width", str(_DEFAULT_WIDTH))
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 0 < int(text) <= _WIDEST):
        raise HTTPException(400, f"width is not a number of pixels from 1 to {_WIDEST:,}.")
    return int(text)


async def _answer(
    request: Request, site: Site, source_id: str, reference: str | None, name: str, width: int
) -> Response:
    headers = {"Content-Security-Policy": _NOTHING_RUNS}
    try:
        if reference is None:
            raise NoPicture
        content = await site.pictures.find(source_id, reference, width_for(width))
    except NoPicture:
        headers["Cache-Control"] = _DRAWN_KEPT_BY_BROWSERS
        response = Response(draw(name, width), media_type="image/svg+xml", headers=headers)
    else:
        headers["Cache-Control"] = _KEPT_BY_BROWSERS
        response = Response(content, media_type=find_media_type(content), headers=headers)
    return with_etag(request, response)


routes = [
    Route("/pictures/items/{item_id:path}", item_picture, name="item picture"),
    Route("/pictures/people/{person_id:path}", person_picture, name="person picture"),
]
