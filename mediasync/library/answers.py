"""Short answers about items and people."""

from __future__ import annotations

from collections.abc import Sequence

from mediasync.database.database import Database
from mediasync.repositories.summaries import SummaryReader
from mediasync.summaries import ItemSummary, PersonSummary


class LibraryReads:
    """Reads items and people without their lists.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_items(self, media_item_ids: Sequence[str]) -> list[ItemSummary]:
        """Return the items that are stored, without their credits, in the order asked for.

        Args:
            media_item_ids: their full ids.

        Example:
            >>> await ms.library.find_items(["home:603"])  # doctest: +SKIP
            [ItemSummary(id='home:603', ...)]
        """
        async with self._database.read() as session:
            return await SummaryReader(session).find_items(media_item_ids)

    async def find_people(self, person_ids: Sequence[str]) -> list[PersonSummary]:
        """Return people with what tells those of the same name apart, in the order asked for.

        Args:
            person_ids: their full ids, not aliases.

        Example:
            >>> await ms.library.find_people(["home:6384"])  # doctest: +SKIP
            [PersonSummary(id='home:6384', name='Keanu Reeves', works=12, ...)]
        """
        async with self._database.read() as session:
            return await SummaryReader(session).find_people(person_ids)
