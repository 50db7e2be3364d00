"""A view of one library in the mirror, for the backend that reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mediasync.database.database import Database
from mediasync.errors import UsageError
from mediasync.ids import make_id
from mediasync.models import Library, Person
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.person_reading import PersonReader
from mediasync.text import check_texts


@dataclass(frozen=True, slots=True)
class StoredLibrary:
    """A `mediasync.backends.base.Stored` that asks the database.

    Attributes:
        database: an open database.
        library: the library that is read.
        tokens: the change tokens of its stored items, by the source's own keys.
        watermark: the source's position after its last good sync; empty if it has none.
    """

    database: Database
    library: Library
    tokens: Mapping[str, str]
    watermark: str

    async def find_people(self, remote_ids: Sequence[str]) -> dict[str, Person]:
        """Return those of the source's people who are stored, by the source's own keys."""
        async with self.database.read() as session:
            return await PersonReader(session).find_by_ids(self._ids(remote_ids))

    async def find_items_crediting(self, remote_ids: Sequence[str]) -> set[str]:
        """Return the source's own keys of the library's items that credit any of these people."""
        async with self.database.read() as session:
            return await CreditRepository(session).find_items_crediting(
                self.library.full_id, self._ids(remote_ids)
            )

    def _ids(self, remote_ids: Sequence[str]) -> list[str]:
        source_id = self.library.source_id
        return [make_id(source_id, remote_id) for remote_id in remote_ids if _may_be_stored(remote_id)]


def _may_be_stored(remote_id: str) -> bool:
    try:
        check_texts("person", {"id": remote_id})
    except UsageError:
        return False
    return True
