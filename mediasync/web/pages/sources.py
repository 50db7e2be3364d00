"""The sources: what is stored of them, their last syncs, and a sync now with its progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mediasync.errors import UnknownSource
from mediasync.settings.source import FlawedSource, SourceConfig
from mediasync.vocabulary import Completeness
from mediasync.web.forms import number_of, see
from mediasync.web.guard import Access
from mediasync.web.rendering import Answer
from mediasync.web.routing import action, page, refuse
from mediasync.web.site import Site, site_of
from mediasync.web.streams import ServerEvent, stream
from mediasync.wording import running_time

if TYPE_CHECKING:
    from mediasync.models import Library, LibraryRun, PendingRemoval, SyncRun
    from mediasync.reports import SourceSummary
    from mediasync.web.syncing import SyncState

_RUNS: Final = 10
_OF_RUNS: Final = frozenset({"runs", "last_run"})
_SECONDS_BETWEEN_LOOKS: Final = 2.0
"""How often somebody who follows the sync of another worker is told whether it goes on."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source stands.

    Attributes:
        id: its id.
        name: its name.
        kind: its kind; empty if nothing is known of it.
        summary: what is stored of it; None if nothing is.
        last_run: its newest run.
        state: its newest sync in this process, if there was one.
        begins: whether a scheduled sync waits for its first answer.
        holder: another worker that syncs it.
        due_at: when the schedule has its next sync.
        flaw: why it cannot be synced from here; empty if it can.
    """

    id: str
    name: str
    kind: str
    summary: SourceSummary | None
    last_run: SyncRun | None
    state: SyncState | None
    begins: bool
    holder: str | None
    due_at: datetime | None
    flaw: str

    @property
    def is_running(self) -> bool:
        """Whether it is being synced, here or elsewhere."""
        return self.is_running_here or self.holder is not None

    @property
    def is_running_here(self) -> bool:
        """Whether this process syncs it."""
        return self.begins or (self.state is not None and self.state.is_running)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "stored": self._stored(),
            "last_run": self.last_run.model_dump(mode="json") if self.last_run else None,
            "sync": self.state.as_dict() if self.state else None,
            "running": self.is_running,
            "holder": self.holder,
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "can_be_synced": not self.flaw,
            "flaw": self.flaw or None,
        }

    def _stored(self) -> dict[str, Any] | None:
        if self.summary is None:
            return None
        # Counted before the newest run, perhaps.
        return {name: value for name, value in self.summary.as_dict().items() if name not in _OF_RUNS}


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """What is stored of a library.

    Attributes:
        library: the library.
        counts: the numbers of items by how much of their credits is known.
        last: what the last sync that read it saw.
        pending: the removal that waits for a confirmation.
    """

    library: Library
    counts: Counter[Completeness]
    last: LibraryRun | None
    pending: PendingRemoval | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "id": self.library.full_id,
            "title": self.library.title,
            "items": {str(known): self.counts[known] for known in Completeness},
            "last_run": self.last.model_dump(mode="json") if self.last else None,
            "pending_removal": self.pending.model_dump(mode="json") if self.pending else None,
        }


async def list_statuses(site: Site) -> list[SourceStatus]:
    """Return how each source stands: those that are stored, and those that can be synced."""
    stored = await _summaries(site)
    holders = await site.ms.list_holders()
    ids = list(dict.fromkeys((*site.sources, *stored)))
    return [_status(site, one, stored.get(one), holders.get(one), await _last_runs(site, one)) for one in ids]


async def _last_runs(site: Site, source_id: str) -> Sequence[SyncRun]:
    """Return the newest run of the whole source; the newest of all if there is none."""
    return await site.ms.list_runs(source_id, limit=1, whole=True) or await site.ms.list_runs(
        source_id, limit=1
    )


async def _summaries(site: Site) -> dict[str, SourceSummary]:
    found = await site.memory.recall("summaries", site.ms.list_source_summaries)
    return {one.source.id: one for one in found}


def _status(
    site: Site,
    source_id: str,
    summary: SourceSummary | None,
    holder: str | None,
    runs: Sequence[SyncRun] = (),
) -> SourceStatus:
    config, state, here = (
        site.sources.get(source_id),
        site.desk.find_state(source_id),
        site.desk.is_syncing(source_id),
    )
    if config is None:
        flaw = (
            "This server does not know where to read it. To sync it from here, list it in mediasync.toml, or "
            f"name it at the start: mediasync serve {source_id}={_example(summary)}"
        )
    else:
        flaw = str(config.error) if isinstance(config, FlawedSource) else ""
    name = summary.source.name if summary else getattr(config, "name", "")
    kind = summary.source.kind if summary else getattr(config, "kind", "")
    running = state is not None and state.is_running
    return SourceStatus(
        source_id,
        str(name or source_id),
        str(kind),
        summary,
        runs[0] if runs else None,
        state,
        here and not running,
        None if here else holder,
        site.desk.find_due(source_id),
        flaw,
    )


def _example(summary: SourceSummary | None) -> str:
    """Return what stands behind the id of a source on the command line."""
    kind = summary.source.kind if summary else "nfo"
    return "nfo:FOLDER" if kind == "nfo" else f"{kind}+https://HOST"


async def show_list(_request: Request, site: Site) -> Answer:
    """Return the page of all sources."""
    statuses = await list_statuses(site)
    document = {"sources": [one.as_dict() for one in statuses]}
    return Answer("sources.html", {"sources": statuses}, document)


async def show_one(request: Request, site: Site) -> Answer:
    """Return the page of one source."""
    source_id = str(request.path_params["source_id"])
    summary = (await _summaries(site)).get(source_id)
    if summary is None and source_id not in site.sources:
        raise UnknownSource(f"there is no source {source_id!r}")
    holder = (await site.ms.list_holders()).get(source_id)
    runs = await site.ms.list_runs(source_id, limit=_RUNS)
    status = _status(site, source_id, summary, holder, runs)
    libraries = await _libraries(site, source_id)
    config = site.sources.get(source_id)
    schedule = _schedule(config)
    document = {
        **status.as_dict(),
        "schedule": schedule,
        "libraries": [library.as_dict() for library in libraries],
        "runs": [run.model_dump(mode="json") for run in runs],
    }
    context = {"source": status, "schedule": schedule, "libraries": libraries, "runs": runs}
    return Answer("source.html", context, document)


async def _libraries(site: Site, source_id: str) -> list[LibraryStatus]:
    ms = site.ms
    counts: dict[str, Counter[Completeness]] = {}
    counted = await site.memory.recall("libraries", ms.media.count_by_library)
    for library_id, _, completeness, number in counted:
        counts.setdefault(library_id, Counter())[completeness] += number
    last = {run.library_id: run for run in await ms.list_library_runs(source_id, limit=1)}
    pending = {one.library_id: one for one in await ms.list_pending_removals(source_id)}
    return [
        LibraryStatus(
            library,
            counts.get(library.full_id, Counter()),
            last.get(library.full_id),
            pending.get(library.full_id),
        )
        for library in await ms.media.list_libraries(source_id)
    ]


def _schedule(config: SourceConfig | FlawedSource | None) -> str:
    """Return when a source is synced, in words; empty if its settings say nothing of it."""
    schedule = config.schedule if isinstance(config, SourceConfig) else None
    if schedule is None:
        return ""
    parts = [f"every {running_time(int(schedule.every.total_seconds()))}"] if schedule.every else []
    if schedule.at:
        parts.append("at " + ", ".join(moment.isoformat("minutes") for moment in schedule.at))
    return " and ".join(parts)


async def sync(request: Request, site: Site) -> Response:
    """Start a sync, or join the one that is going on."""
    source_id = str(request.path_params["source_id"])
    form = await request.form()
    most = number_of(form, "max_removals", least=1)
    site.desk.start(source_id, full=bool(form.get("full")), max_removals=most)
    return see(request, f"/sources/{source_id}")


async def cancel(request: Request, site: Site) -> Response:
    """Cancel the sync of this process that is going on."""
    source_id = str(request.path_params["source_id"])
    await site.desk.cancel(source_id)
    return see(request, f"/sources/{source_id}")


async def follow(request: Request) -> Response:
    """Send the progress of a sync as events, until it ends."""
    site = site_of(request)
    if await site.guard.find_access(request) < Access.READ:
        return refuse(request, site)
    source_id = str(request.path_params["source_id"])
    status = _status(site, source_id, None, (await site.ms.list_holders()).get(source_id))
    if not status.is_running:
        return Response(status_code=204)  # a browser then stops asking
    site.streams.check_room()
    return stream(_states(site, source_id) if status.is_running_here else _others(site, source_id))


async def _states(site: Site, source_id: str) -> AsyncGenerator[ServerEvent, None]:
    async with aclosing(site.desk.follow(source_id)) as states:
        async for state in states:
            yield ServerEvent(state.as_dict(), "state")


async def _others(site: Site, source_id: str) -> AsyncGenerator[ServerEvent, None]:
    """Yield whether another worker still syncs a source."""
    holder = None
    while (now := (await site.ms.list_holders()).get(source_id)) is not None:
        if now != holder:
            holder = now
            yield ServerEvent({"running": True, "share": None, "text": f"{holder} syncs it"}, "state")
        if await site.desk.wait_closed(_SECONDS_BETWEEN_LOOKS):
            return
    yield ServerEvent({"running": False, "share": 1.0, "text": "the sync ended"}, "state")


routes = [
    *page("/sources", show_list),
    *page("/sources/{source_id}", show_one),
    action("/sources/{source_id}/sync", sync),
    action("/sources/{source_id}/cancel", cancel),
    Route("/sources/{source_id}/progress", follow),
]
