"""Endpoints of sources, their libraries, and syncs that are started from here."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException

from mediasync.models import Library
from mediasync.reports import SourceSummary
from mediasync.web.api.answers import Rows, SyncAnswer
from mediasync.web.api.endpoints import Call, Endpoint, Reply, require
from mediasync.web.api.requests import Flag, Query
from mediasync.web.api.runs import SourceQuery
from mediasync.web.guard import Access


class SyncQuery(Query):
    """How a source is synced.

    Attributes:
        full: whether everything is read again, changed or not.
    """

    full: Flag = False


async def list_sources(call: Call[Query, None]) -> Rows[SourceSummary]:
    """List the sources that are stored, with how much is stored of each."""
    return Rows(rows=await call.site.ms.list_source_summaries())


async def get_source(call: Call[Query, None]) -> SourceSummary:
    """Return one source, with how much is stored of it."""
    found = await call.site.ms.list_source_summaries(call.id)
    return require(found[0] if found else None, f"There is no source {call.id!r}.")  # type: ignore[no-any-return]


async def list_libraries(call: Call[SourceQuery, None]) -> Rows[Library]:
    """List the libraries of one source, or of all, by id."""
    return Rows(rows=await call.site.ms.media.list_libraries(call.query.source_id))


async def start_sync(call: Call[SyncQuery, None]) -> Reply:
    """Start a sync of a source, and answer at once. The header `Location` says where its state is.

    If this server already syncs the source, no second sync is started.
    """
    call.site.desk.start(call.id, full=call.query.full)
    return Reply(_state(call), {"Location": call.place(f"/sources/{call.id}/sync")})


async def get_sync(call: Call[Query, None]) -> SyncAnswer:
    """Return the state of the newest sync of a source that this server has begun."""
    return _state(call)


def _state(call: Call[Query, None]) -> SyncAnswer:
    state = call.site.desk.find_state(call.id)
    if state is None:
        raise HTTPException(404, f"This server has not synced {call.id!r} yet.")
    return SyncAnswer.model_validate(state.as_dict())


_SOURCE: Final = "the id of the source"

ENDPOINTS: Final = (
    Endpoint("/sources", list_sources, Rows[SourceSummary], "sources"),
    Endpoint("/sources/{id}", get_source, SourceSummary, "sources", subject=_SOURCE),
    Endpoint("/libraries", list_libraries, Rows[Library], "sources", query=SourceQuery),
    Endpoint(
        "/sources/{id}/sync",
        start_sync,
        SyncAnswer,
        "sources",
        method="POST",
        query=SyncQuery,
        status=202,
        access=Access.WRITE,
        subject=_SOURCE,
    ),
    Endpoint("/sources/{id}/sync", get_sync, SyncAnswer, "sources", subject=_SOURCE),
)
