"""Summaries of sources: how much is stored of each."""

from __future__ import annotations

from typing import Final

from mediasync.database.session import Session
from mediasync.reports import SourceSummary
from mediasync.repositories.runs import RunRepository
from mediasync.repositories.sources import SourceRepository

_ITEMS: Final = """
FROM library l JOIN media_item i ON i.library_key = l.library_key WHERE l.source_key = s.source_key
"""

# Counts what is stored of one source, or of all.
COUNT_CONTENTS: Final = f"""
SELECT s.id,
    (SELECT count(*) FROM library l WHERE l.source_key = s.source_key) AS libraries,
    (SELECT count(*) {_ITEMS}) AS items,
    (SELECT count(*) {_ITEMS} AND i.missing_since IS NOT NULL) AS removed,
    (SELECT count(*) FROM person p
     WHERE p.source_key = s.source_key AND p.uncredited_since IS NULL) AS people,
    (SELECT count(*) FROM library l JOIN media_item i ON i.library_key = l.library_key
     JOIN credit c ON c.item_key = i.item_key WHERE l.source_key = s.source_key) AS credits,
    (SELECT count(*) FROM sync_run r WHERE r.source_key = s.source_key) AS runs
FROM source s WHERE :source_id IS NULL OR s.id = :source_id
"""


class SourceSummaries:
    """Summarises sources.

    Args:
        session: a snapshot.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list_summaries(self, source_id: str | None) -> list[SourceSummary]:
        """Return a summary of one source, if it is stored, or of all, by id."""
        rows = await self._session.fetch_all(COUNT_CONTENTS, {"source_id": source_id})
        counts = {one: numbers for one, *numbers in rows}
        found = []
        for source in await SourceRepository(self._session).list_sources():
            if source.id not in counts:
                continue
            libraries, items, removed, people, credits_stored, runs = counts[source.id]
            of_source = RunRepository(self._session)
            last = await of_source.list_runs(source.id, 1, whole=True) or await of_source.list_runs(
                source.id, 1
            )
            found.append(
                SourceSummary(
                    source,
                    libraries=libraries,
                    items=items - removed,
                    removed=removed,
                    people=people,
                    credits=credits_stored,
                    runs=runs,
                    last_run=last[0] if last else None,
                )
            )
        return found
