"""Counting what a run changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.history import CreditChangeKind, compare_credits
from mediasync.repositories.run_counts import LoggedImage, RunCountRepository
from mediasync.repositories.sources import SourceRepository
from mediasync.vocabulary import ChangeKind

_PAGE: Final = 100

ByLibrary = dict[str | None, Counter[str]]
"""Counts by the full id of the home library; None stands for items that are no longer stored.

The keys of the counts are the fields of `mediasync.reports.Counts`.
"""


class RunCountReads:
    """Counts what runs changed.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, run_id: int) -> ByLibrary:
        """Count the items and credits that a run added, changed and removed.

        An item counts once, by what it was before the run and is now. Credits are compared with the stored
        ones, so this is to be called when the run ends.
        """
        counts: ByLibrary = defaultdict(Counter)
        async with self._database.read(snapshot=True) as session:
            repository = RunCountRepository(session)
            for library_id, kind, items, number in await repository.count_shown(run_id):
                counts[library_id][kind.value] += items
                if kind is not ChangeKind.CHANGED:
                    counts[library_id]["credits_added"] += number
            seen: set[str] = set()
            after = 0
            while page := await repository.find_images(run_id, after, _PAGE):
                after = page[-1].number
                await _count_images(session, _first(page, seen), counts)
        return counts

    async def find_titles(self, source_id: str) -> dict[str, str]:
        """Return the titles of a source's libraries, by their full ids."""
        async with self._database.read() as session:
            libraries = await SourceRepository(session).list_libraries(source_id)
        return {library.full_id: library.title for library in libraries}


def _first(page: Sequence[LoggedImage], seen: set[str]) -> list[LoggedImage]:
    """Return the first image of each item that is about its credits, and note the item in *seen*."""
    first = []
    for image in page:
        if (image.removed or image.credits is not None) and image.item_id not in seen:
            seen.add(image.item_id)
            first.append(image)
    return first


async def _count_images(session: Session, images: Sequence[LoggedImage], counts: ByLibrary) -> None:
    changed = [image.item_id for image in images if not image.removed]
    now = await RunCountRepository(session).find_lists(changed) if changed else {}
    for image in images:
        before = image.credits or []
        if image.removed:
            counts[image.library_id]["removed"] += 1
            counts[image.library_id]["credits_removed"] += len(before)
        elif current := now.get(image.item_id):
            kinds = Counter(one.what for one in compare_credits(before, current.credits, {}))
            counts[current.library_id]["credits_added"] += kinds[CreditChangeKind.ADDED]
            counts[current.library_id]["credits_removed"] += kinds[CreditChangeKind.REMOVED]
