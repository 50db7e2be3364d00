"""The home page: the libraries, the last syncs, what changed lately, and what waits for a confirmation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from mediasync.change_words import log_document
from mediasync.filters import ItemFilter, ItemSort
from mediasync.history import HistoryEntry
from mediasync.vocabulary import ChangeKind, Completeness, MediaType
from mediasync.web.pages.names import find_names
from mediasync.web.rendering import Answer
from mediasync.web.routing import page
from mediasync.web.site import Site
from mediasync.web.words import title_in_show

_NEW: Final = 12
_CHANGES: Final = 60
_GROUPS: Final = 10
_RUNS: Final = 6


async def show(_request: Request, site: Site) -> Answer:
    """Return the home page."""
    ms = site.ms
    names = await find_names(site)
    counted = await site.memory.recall("libraries", ms.media.count_by_library)
    counts: dict[str, dict[str, Any]] = {
        library_id: {"library": library, "types": defaultdict(int), "items": 0, "full": 0}
        for library_id, library in names.libraries.items()
    }
    for library_id, media_type, completeness, number in counted:
        if library_id in counts:
            of_library = counts[library_id]
            of_library["types"][str(media_type)] += number
            of_library["items"] += number
            of_library["full"] += number if completeness is Completeness.FULL else 0
    runs = await ms.list_runs(limit=_RUNS, whole=True)
    pending = await ms.list_pending_removals()
    newest = await ms.library.list_items(
        ItemFilter(media_types=(MediaType.MOVIE, MediaType.SHOW)),
        sort=ItemSort.ADDED,
        descending=True,
        limit=_NEW,
    )
    changes = await ms.library.list_last_changes(limit=_CHANGES)
    document = {
        "sources": [one.model_dump(mode="json") for one in names.sources.values()],
        "libraries": [{**one, "library": one["library"].model_dump(mode="json")} for one in counts.values()],
        "runs": [one.model_dump(mode="json") for one in runs],
        "pending": [one.model_dump(mode="json") for one in pending],
        "newest": [one.model_dump(mode="json") for one in newest.rows],
        "changes": [log_document(one) for one in changes],
    }
    context = {
        "names": names,
        "libraries": list(counts.values()),
        "runs": runs,
        "pending": pending,
        "newest": newest.rows,
        "changes": await _grouped(site, changes),
    }
    return Answer("home.html", context, document)


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Changes of one kind that one sync made one after another, or a single one.

    Attributes:
        entries: the changes, the newest first.
        names: what items are called, by id, with their show.
    """

    entries: list[HistoryEntry]
    names: dict[str, str]


async def _grouped(site: Site, entries: list[HistoryEntry]) -> list[ChangeGroup]:
    found = await site.ms.library.find_items([entry.change.entity_id for entry in entries])
    names = {item.id: title_in_show(item) for item in found}
    groups: list[ChangeGroup] = []
    for entry in entries:
        change = entry.change
        last = groups[-1].entries[0].change if groups else None
        if (
            last is not None
            and change.what is not ChangeKind.CHANGED
            and (last.run_id, last.what) == (change.run_id, change.what)
        ):
            groups[-1].entries.append(entry)
        else:
            groups.append(ChangeGroup([entry], names))
    return groups[:_GROUPS]


routes = page("/", show)
