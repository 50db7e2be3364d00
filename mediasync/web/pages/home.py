"""The home page: the libraries, the last syncs, what changed lately, and what waits for a confirmation."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from starlette.requests import Request

from mediasync.filters import ItemFilter, ItemSort
from mediasync.vocabulary import Completeness, MediaType
from mediasync.web.documents import change_document
from mediasync.web.pages.names import find_names
from mediasync.web.rendering import Answer
from mediasync.web.routing import page
from mediasync.web.site import Site

_NEW: Final = 12
_CHANGES: Final = 12
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
    runs = await ms.list_runs(limit=_RUNS)
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
        "libraries": [
            {**one, "library": one["library"].model_dump(mode="json")} for one in counts.values()
        ],
        "runs": [one.model_dump(mode="json") for one in runs],
        "pending": [one.model_dump(mode="json") for one in pending],
        "newest": [one.model_dump(mode="json") for one in newest.rows],
        "changes": [change_document(one) for one in changes],
    }
    context = {
        "names": names,
        "libraries": list(counts.values()),
        "runs": runs,
        "pending": pending,
        "newest": newest.rows,
        "changes": changes,
    }
    return Answer("home.html", context, document)


routes = page("/", show)
