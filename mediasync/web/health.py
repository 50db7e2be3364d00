"""For those who watch the server: is it alive, is it ready, what does it measure."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mediasync.errors import DatabaseError, LifecycleError, SchemaError
from mediasync.web.guard import Access
from mediasync.web.metrics import StoredState
from mediasync.web.routing import refuse
from mediasync.web.site import site_of

READY_SECONDS: Final = 5.0
"""How long the database may take to answer."""

_NO_STORE: Final = {"Cache-Control": "no-store"}
_log: Final = logging.getLogger("mediasync.web")


async def show_alive(_request: Request) -> Response:
    """Answer that the process lives."""
    return JSONResponse({"status": "ok"}, headers=_NO_STORE)


async def show_ready(request: Request) -> Response:
    """Answer whether the database can be used: 200, or 503 with the reason.

    Everybody may ask, so the reason names nothing. The log has the error.
    """
    try:
        async with asyncio.timeout(READY_SECONDS):
            await site_of(request).ms.check_schema()
    except (DatabaseError, LifecycleError, TimeoutError) as error:
        if isinstance(error, SchemaError):
            reason = "the schema of the database is not the one of this version"
        elif isinstance(error, LifecycleError):
            reason = "the mirror is not open"
        else:
            reason = "the database does not answer"
        _log.warning("not ready: %s", error or reason)
        return JSONResponse({"status": "not ready", "reason": reason}, 503, _NO_STORE)
    return JSONResponse({"status": "ready"}, headers=_NO_STORE)


async def show_metrics(request: Request) -> Response:
    """Answer with the metrics, as Prometheus reads them."""
    site = site_of(request)
    if not site.metrics.is_public and await site.guard.find_access(request) < Access.READ:
        return refuse(request, site)
    state = StoredState(await site.ms.list_source_summaries(), await site.ms.list_pending_removals())
    accept = request.headers.get("accept", "")
    syncs = sum(map(site.desk.is_syncing, site.sources))
    content, content_type = site.metrics.render(state, accept, syncs=syncs, streams=site.streams.count)
    return Response(content, headers={"Content-Type": content_type, **_NO_STORE})


routes: Final = [
    Route("/healthz", show_alive, name="healthz"),
    Route("/readyz", show_ready, name="readyz"),
    Route("/metrics", show_metrics, name="metrics"),
]
