"""The home page: the libraries, the last syncs, and what changed."""

from __future__ import annotations

from starlette.requests import Request

from mediasync.web.rendering import Answer
from mediasync.web.routing import page
from mediasync.web.site import Site


async def show(_request: Request, site: Site) -> Answer:
    """Return the home page."""
    sources = await site.ms.list_source_summaries()
    return Answer("home.html", {"sources": sources}, {"sources": [source.as_dict() for source in sources]})


routes = page("/", show)
