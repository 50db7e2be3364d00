"""The removed items, which can be restored, and the removals that wait for a confirmation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from mediasync.errors import UsageError
from mediasync.models import PendingRemoval
from mediasync.settings.source import FlawedSource
from mediasync.web.forms import number_of, see
from mediasync.web.rendering import Answer
from mediasync.web.routing import action, page
from mediasync.web.site import Site
from mediasync.wording import removed_title

_ITEMS: Final = 60


@dataclass(frozen=True, slots=True)
class PendingOfSource:
    """The removals of one source that wait for a confirmation.

    Attributes:
        source_id: the source.
        removals: one for each library.
        can_be_confirmed: whether the source can be synced from here.
    """

    source_id: str
    removals: list[PendingRemoval]
    can_be_confirmed: bool

    @property
    def most(self) -> int:
        """How many items of one library would be removed at most."""
        return max(one.items for one in self.removals)


async def show(request: Request, site: Site) -> Answer:
    """Return the page of removed items, the newest first."""
    source_id = request.query_params.get("source") or None
    offset = number_of(request.query_params, "offset") or 0
    found = await site.memory.recall(
        ("removed", source_id, offset),
        lambda: site.ms.list_removed(source_id, limit=_ITEMS + 1, offset=offset),
    )
    items, more = found[:_ITEMS], len(found) > _ITEMS
    pending = _by_source(site, await site.ms.list_pending_removals(source_id))
    context: dict[str, Any] = {
        "items": [(item, removed_title(item)) for item in items],
        "pending": pending,
        "source_id": source_id,
        "sources": await site.ms.media.list_sources(),
        "restored": number_of(request.query_params, "restored"),
        "offset": offset,
        "previous": max(0, offset - _ITEMS) if offset else None,
        "next": offset + _ITEMS if more else None,
    }
    document = {
        "items": [item.model_dump(mode="json") for item in items],
        "pending": [one.model_dump(mode="json") for of in pending for one in of.removals],
        "next": context["next"],
    }
    return Answer("removed.html", context, document)


def _by_source(site: Site, pending: list[PendingRemoval]) -> list[PendingOfSource]:
    by_source: dict[str, list[PendingRemoval]] = {}
    for one in pending:
        by_source.setdefault(one.source_id, []).append(one)
    return [
        PendingOfSource(source_id, removals, _can_be_synced(site, source_id))
        for source_id, removals in by_source.items()
    ]


def _can_be_synced(site: Site, source_id: str) -> bool:
    config = site.sources.get(source_id)
    return config is not None and not isinstance(config, FlawedSource)


async def restore(request: Request, site: Site) -> Response:
    """Bring back the chosen items."""
    form = await request.form()
    ids = [str(one) for one in form.getlist("id") if one]
    if not ids:
        raise UsageError("no item is chosen: go back, and choose some")
    restored = await site.ms.restore(ids)
    return see(request, "/removed", restored=len(restored), source=str(form.get("source") or "") or None)


routes = [*page("/removed", show), action("/removed/restore", restore)]
