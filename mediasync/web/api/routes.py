"""All endpoints of the API, and their routes."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mediasync.web.api import items, people, runs, searching, sources
from mediasync.web.api.document import make_document
from mediasync.web.api.endpoints import PREFIX, Endpoint, make_routes
from mediasync.web.guard import Access
from mediasync.web.rendering import with_etag
from mediasync.web.routing import refuse
from mediasync.web.site import site_of

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *items.ENDPOINTS,
    *people.ENDPOINTS,
    *searching.ENDPOINTS,
    *sources.ENDPOINTS,
    *runs.ENDPOINTS,
)


async def show_document(request: Request) -> Response:
    """Return the OpenAPI document."""
    site = site_of(request)
    if await site.guard.find_access(request) < Access.READ:
        return refuse(request, site)
    root = request.scope.get("root_path", "")
    document = {**make_document(ENDPOINTS), "servers": [{"url": f"{root}{PREFIX}"}]}
    return with_etag(request, JSONResponse(document))


routes: Final[list[BaseRoute]] = [
    Route(f"{PREFIX}/openapi.json", show_document, name="openapi"),
    *make_routes(ENDPOINTS),
]
