"""Reading how much is stored of each source."""

from __future__ import annotations

from mediasync.database.database import Database
from mediasync.reports import SourceSummary
from mediasync.repositories.source_summaries import SourceSummaries


class SourceReads:
    """Reads summaries of sources.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_summaries(self, source_id: str | None = None) -> list[SourceSummary]:
        """Return a summary of one source, if it is stored, or of all, by id."""
        async with self._database.read(snapshot=True) as session:
            return await SourceSummaries(session).list_summaries(source_id)
