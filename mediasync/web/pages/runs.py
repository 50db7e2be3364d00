"""The runs: what each sync did, what it could not read, and how to undo it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response

from mediasync.advice import advice_for
from mediasync.aio import take
from mediasync.change_words import effect, log_document, subject
from mediasync.errors import UnknownRun, UsageError
from mediasync.vocabulary import ChangeKind, EntityKind, MediaType, RunStatus
from mediasync.web.forms import LARGEST_NUMBER, number_of, see
from mediasync.web.links import item_path, person_path
from mediasync.web.rendering import Answer
from mediasync.web.routing import action, page, refuse
from mediasync.web.site import Site
from mediasync.web.words import item_title, title_in_show
from mediasync.wording import run_counts

if TYPE_CHECKING:
    from mediasync.history import HistoryEntry
    from mediasync.models import SyncRun
    from mediasync.summaries import ItemSummary

_RUNS: Final = 30
_CHANGES: Final = 50
_PROBLEMS: Final = 200
_PARTS: Final = frozenset({MediaType.SEASON, MediaType.EPISODE})
_KINDS: Final = {
    "failure": "Could not be read or stored",
    "problem": "Left out of items that are saved",
    "remark": "Remarked",
}


async def show_list(request: Request, site: Site) -> Answer:
    """Return the page of runs, the newest first."""
    source_id = request.query_params.get("source") or None
    before = number_of(request.query_params, "before", least=1)
    status = _status_of(request)
    found = await site.ms.list_runs(source_id, limit=_RUNS + 1, status=status, before=before)
    runs, more = found[:_RUNS], len(found) > _RUNS
    sources = await site.ms.media.list_sources()
    context = {
        "runs": runs,
        "next": runs[-1].id if more else None,
        "source_id": source_id,
        "status": status,
        "statuses": list(RunStatus),
        "sources": sources,
    }
    document = {
        "runs": [run.model_dump(mode="json") for run in runs],
        "next": context["next"],
    }
    return Answer("runs.html", context, document)


def _status_of(request: Request) -> RunStatus | None:
    text = request.query_params.get("status") or None
    try:
        return None if text is None else RunStatus(text)
    except ValueError:
        known = ", ".join(RunStatus)
        raise UsageError(f"status: {text!r} is not the status of a run; there are: {known}") from None


async def find_run(request: Request, site: Site) -> SyncRun:
    """Return the run that the path names.

    Raises:
        UnknownRun: if there is none.
    """
    number = int(request.path_params["run_id"])
    run = await site.ms.find_run(number) if number <= LARGEST_NUMBER else None
    if run is None:
        raise UnknownRun(f"there is no run {str(number)[:30]}")
    return run


async def show_one(request: Request, site: Site) -> Answer:
    """Return the page of a run: its report, and a page of its changes."""
    run = await find_run(request, site)
    after = number_of(request.query_params, "after")
    problems = await site.ms.list_problems(run.id)
    lists = {
        kind: [
            {"subject": subject, "reason": reason, "advice": advice_for(reason)}
            for subject, reason in islice(
                ((subject, reason) for of, subject, reason in problems if of == kind), _PROBLEMS
            )
        ]
        for kind in _KINDS
    }
    totals = {kind: sum(of == kind for of, _, _ in problems) for kind in _KINDS}
    async with aclosing(site.ms.history(run_id=run.id, after=after)) as entries:
        found = await take(entries, _CHANGES + 1)
    changes, more = found[:_CHANGES], len(found) > _CHANGES
    following = changes[-1].change.number if more else None
    items = [entry.change.entity_id for entry in changes if entry.change.entity is EntityKind.ITEM]
    names = {
        item.id: _name(item) for item in await site.ms.library.find_items(items) if item.media_type in _PARTS
    }
    context = {
        "run": run,
        "counts": run_counts(run),
        "kinds": _KINDS,
        "problems": lists,
        "totals": totals,
        "changes": [_change(entry, names) for entry in changes],
        "after": after,
        "next": following,
        "can_be_undone": run.status is not RunStatus.RUNNING,
    }
    document = {
        "run": run.model_dump(mode="json"),
        "problems": {kind: {"total": totals[kind], "entries": lists[kind]} for kind in _KINDS},
        "changes": [log_document(entry) for entry in changes],
        "next": following,
    }
    return Answer("run.html", context, document)


def _name(item: ItemSummary) -> str:
    """Return what a season or an episode is called: ``Fargo S01E01: Pilot``."""
    name, title = title_in_show(item), item_title(item)
    return name if item.media_type is MediaType.SEASON or name == title else f"{name}: {title}"


def _change(entry: HistoryEntry, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a change as the page shows it: what happened, in words, and where to look."""
    change = entry.change
    path = None
    if change.what not in (ChangeKind.REMOVED, ChangeKind.MERGED):
        if change.entity is EntityKind.ITEM:
            path = item_path(change.entity_id)
        elif change.entity is EntityKind.PERSON:
            path = person_path(change.entity_id)
    return {
        "what": str(change.what),
        "name": names.get(change.entity_id) or subject(entry),
        "rest": effect(entry),
        "path": path,
    }


async def preview_undo(request: Request, site: Site) -> Answer | Response:
    """Return what undoing a run would change, with the form that does it."""
    if not await site.may_write(request):
        return refuse(request, site)
    run = await find_run(request, site)
    report = await site.ms.undo(run.id, dry_run=True)
    context = {"run": run, "report": report, "most": _PROBLEMS}
    return Answer("undo.html", context, {"dry_run": True, **report.as_dict()})


async def undo(request: Request, site: Site) -> Response:
    """Undo a run, and show the run that did it."""
    run = await find_run(request, site)
    report = await site.ms.undo(run.id)
    if report.run is None:
        return see(request, f"/runs/{run.id}")
    return see(request, f"/runs/{report.run.id}", undone=run.id, left=len(report.refused) or None)


routes = [
    *page("/runs", show_list),
    *page("/runs/{run_id:number}", show_one),
    *page("/runs/{run_id:number}/undo", preview_undo),
    action("/runs/{run_id:number}/undo", undo),
]
