"""Endpoints of runs, changes, and what can be taken back."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from mediasync.aio import take
from mediasync.models import PendingRemoval, RemovedItem, SyncRun
from mediasync.reports import UndoReport
from mediasync.text import check_texts
from mediasync.vocabulary import RunStatus
from mediasync.web.api.answers import ChangePage, HistoryPage, Restored, Rows, RunProblem
from mediasync.web.api.endpoints import Call, Endpoint, Reply, require
from mediasync.web.api.items import Limit, Offset, Text
from mediasync.web.api.requests import Flag, Query, Time
from mediasync.web.guard import Access

LARGEST: Final = 2**63 - 1

Number = Annotated[int, Field(ge=0, le=LARGEST)]


class RunsQuery(Query):
    """Which runs.

    Attributes:
        source_id: only runs of this source.
        status: only runs with this status.
        whole: whether runs of only some libraries or items are left out.
        before: only runs with lower numbers than this one.
        limit: the largest number of rows in the answer.
    """

    source_id: Text | None = None
    status: RunStatus | None = None
    whole: Flag = False
    before: Number | None = None
    limit: Limit = 20


class PageQuery(Query):
    """Which part of the list.

    Attributes:
        after: the number of the last change of the page before.
        limit: the largest number of rows in the answer.
    """

    after: Number | None = None
    limit: Limit = 100


class HistoryQuery(PageQuery):
    """Which changes: those that fit everything that is given.

    Attributes:
        source_id: only changes of this source, its libraries, items and people.
        item_id: only changes of this item.
        person_id: only changes of this person, and of the person's credits.
        since: only changes from this time on.
    """

    source_id: Text | None = None
    item_id: Text | None = None
    person_id: Text | None = None
    since: Time | None = None


class RemovedQuery(Query):
    """Which removed items.

    Attributes:
        source_id: only items of this source.
        offset: how many rows to skip.
        limit: the largest number of rows in the answer.
    """

    source_id: Text | None = None
    offset: Offset = 0
    limit: Limit = 50


class SourceQuery(Query):
    """Of which source.

    Attributes:
        source_id: only what belongs to this source.
    """

    source_id: Text | None = None


class RestoreBody(BaseModel):
    """What is to be brought back.

    Attributes:
        ids: ids of removed items.
    """

    ids: list[str] = Field(min_length=1, max_length=1_000)


class UndoQuery(Query):
    """How a run is undone.

    Attributes:
        dry_run: whether nothing is changed, and the answer says what would be.
    """

    dry_run: Flag = False


def _number(call: Call[Any, Any]) -> int:
    """Return the number of the run that the path names."""
    number: int = call.path["number"]
    if number > LARGEST:
        raise HTTPException(404, f"There is no run {number}.")
    return number


async def _find_run(call: Call[Any, Any]) -> SyncRun:
    number = _number(call)
    run: SyncRun = require(await call.site.ms.find_run(number), f"There is no run {number}.")
    return run


async def list_runs(call: Call[RunsQuery, None]) -> Reply:
    """List syncs, the newest first."""
    query = call.query
    runs = await call.site.ms.list_runs(
        query.source_id, limit=query.limit, status=query.status, whole=query.whole, before=query.before
    )
    return Reply(Rows(rows=runs), next={"before": runs[-1].id} if len(runs) == query.limit else {})


async def get_run(call: Call[Query, None]) -> SyncRun:
    """Return one sync."""
    return await _find_run(call)


async def list_problems(call: Call[Query, None]) -> Rows[RunProblem]:
    """List what a sync could not read or store, failures first."""
    run = await _find_run(call)
    found = await call.site.ms.list_problems(run.id)
    return Rows(rows=[RunProblem(kind=kind, subject=on, reason=reason) for kind, on, reason in found])


async def list_run_changes(call: Call[PageQuery, None]) -> Reply:
    """List what a sync changed, in order, with the values before and after each change."""
    run = await _find_run(call)
    return await _history(call, call.query, run_id=run.id)


async def list_history(call: Call[HistoryQuery, None]) -> Reply:
    """List changes in their order, with the values before and after each."""
    query = call.query
    return await _history(
        call,
        query,
        source_id=query.source_id,
        item_id=query.item_id,
        person_id=query.person_id,
        since=query.since,
    )


async def _history(call: Call[Any, None], query: PageQuery, **wanted: Any) -> Reply:
    entries = await take(call.site.ms.history(**wanted, after=query.after), query.limit)
    following = entries[-1].change.number if len(entries) == query.limit else None
    page = HistoryPage.model_construct(rows=entries, next=following)
    return Reply(page, next={} if following is None else {"after": following})


async def list_changes(call: Call[PageQuery, None]) -> Reply:
    """List committed changes in the order of their commits, for programs that follow the mirror.

    Whoever goes on after the number that an answer gives misses none, also with several writers. `/events`
    sends the same without being asked again.
    """
    ms, query = call.site.ms, call.query
    rows = await take(ms.changes(after=query.after, follow=False), query.limit)
    newest = await ms.newest_change()
    after = rows[-1].number if rows else newest if query.after is None else query.after
    more = len(rows) == query.limit and after < newest
    page = ChangePage.model_construct(rows=rows, after=after, more=more)
    return Reply(page, next={"after": after} if more else {})


async def undo_run(call: Call[UndoQuery, None]) -> UndoReport:
    """Undo what a sync changed, by a run of its own that can be undone as well.

    What was changed again since is left as it is, and reported.
    """
    await _find_run(call)
    return await call.site.ms.undo(_number(call), dry_run=call.query.dry_run)


async def list_removed(call: Call[RemovedQuery, None]) -> Reply:
    """List removed items that are not deleted yet, the newest first."""
    query = call.query
    rows = await call.site.ms.list_removed(query.source_id, limit=query.limit, offset=query.offset)
    following = {"offset": query.offset + query.limit} if len(rows) == query.limit else {}
    return Reply(Rows(rows=rows), next=following)


async def restore_removed(call: Call[Query, RestoreBody]) -> Restored:
    """Bring back removed items with their credits.

    The items above them come back too, and the items below them that were removed with them.
    """
    for item_id in call.body.ids:
        check_texts("item", {"id": item_id})
    return Restored(ids=await call.site.ms.restore(call.body.ids))


async def list_pending(call: Call[SourceQuery, None]) -> Rows[PendingRemoval]:
    """List removals that are so large, or so strange, that somebody has to confirm them."""
    return Rows(rows=await call.site.ms.list_pending_removals(call.query.source_id))


_RUN: Final = "the number of the run"

ENDPOINTS: Final = (
    Endpoint("/runs", list_runs, Rows[SyncRun], "runs", query=RunsQuery, has_pages=True),
    Endpoint("/runs/{number:number}", get_run, SyncRun, "runs", subject=_RUN),
    Endpoint("/runs/{number:number}/problems", list_problems, Rows[RunProblem], "runs", subject=_RUN),
    Endpoint(
        "/runs/{number:number}/changes",
        list_run_changes,
        HistoryPage,
        "runs",
        query=PageQuery,
        subject=_RUN,
        has_pages=True,
    ),
    Endpoint(
        "/runs/{number:number}/undo",
        undo_run,
        UndoReport,
        "runs",
        method="POST",
        query=UndoQuery,
        access=Access.WRITE,
        subject=_RUN,
        errors=(409,),
    ),
    Endpoint("/history", list_history, HistoryPage, "changes", query=HistoryQuery, has_pages=True),
    Endpoint("/changes", list_changes, ChangePage, "changes", query=PageQuery, errors=(410,), has_pages=True),
    Endpoint("/removed", list_removed, Rows[RemovedItem], "removed", query=RemovedQuery, has_pages=True),
    Endpoint(
        "/removed/restore",
        restore_removed,
        Restored,
        "removed",
        method="POST",
        body=RestoreBody,
        access=Access.WRITE,
        errors=(404,),
    ),
    Endpoint("/pending-removals", list_pending, Rows[PendingRemoval], "removed", query=SourceQuery),
)
