"""Views of one source and of one library in the mirror, for the backend that reads it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mediasync.database.database import Database
from mediasync.errors import UsageError
from mediasync.ids import make_id
from mediasync.models import Library, Person
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.item_reading import ItemReader
from mediasync.repositories.person_reading import PersonReader
from mediasync.repositories.runs import RunRepository
from mediasync.repositories.sources import SourceRepository
from mediasync.syncing.turns import Turn
from mediasync.text import check_texts

RESUMED_MS: Final = 3_600_000
"""How long ago an item was saved at most that counts as just read. A run without a break may take as long,
and does not see what changes meanwhile either."""


@dataclass(frozen=True, slots=True)
class StoredLibrary:
    """A `mediasync.backends.base.Stored` that asks the database.

    Attributes:
        database: an open database.
        library: the library that is read.
        tokens: the change tokens of its stored items, by the source's own keys.
        watermark: the source's position after its last good sync; empty if it has none.
        due: the items whose turn it is to be read again, with their stored change tokens.
        just_read: the keys of items that a run which broke off has just read.
    """

    database: Database
    library: Library
    tokens: Mapping[str, str]
    watermark: str
    due: Mapping[str, str]
    just_read: Collection[str]

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


@dataclass(slots=True)
class SourceView:
    """What the mirror holds of one source when a run begins.

    Attributes:
        database: an open database.
        source_id: the source.
        anew: whether all items are read, changed or not.
        watermark: the source's position after its last good sync; empty if it has none, or with *anew*.
        turn: which items are read again although they did not change.
        resumed_since: items saved since this time were just read, by runs that broke off; in milliseconds
            since 1970, UTC. None if there are no such runs.
    """

    database: Database
    source_id: str
    anew: bool = False
    watermark: str = ""
    turn: Turn = field(default_factory=lambda: Turn(None, 0))
    resumed_since: int | None = None

    async def begin(self, run_id: int, now: int, compare_days: float) -> None:
        """Find out what a run of the whole source reads again, and what it takes up.

        Args:
            run_id: the run; 0 if it is not recorded.
            now: in milliseconds since 1970, UTC.
            compare_days: how many days pass until every item was read again in turn.
        """
        if self.anew:
            return
        async with self.database.read() as session:
            sources = SourceRepository(session)
            self.turn = Turn(await sources.find_compared_at(self.source_id), now, compare_days)
            broken_off = await RunRepository(session).find_broken_off(self.source_id, run_id)
        if broken_off is not None:
            self.resumed_since = max(broken_off, now - RESUMED_MS)

    async def find_library(self, library: Library, only: Collection[str] | None) -> StoredLibrary:
        """Return what the mirror holds of a library.

        Args:
            library: a stored library of the source.
            only: the keys of the only items to read, whether they changed or not; None for all.
        """
        just_read: set[str] = set()
        async with self.database.read(snapshot=True) as session:
            items = ItemReader(session)
            tokens = await items.find_change_tokens(library.full_id)
            if self.resumed_since is not None:
                just_read = await items.find_saved_since(library.full_id, self.resumed_since)
        due = await self.turn.take(tokens, just_read)
        tokens |= dict.fromkeys(tokens if self.anew else [*due, *(set(only or ()) & tokens.keys())], "")
        return StoredLibrary(self.database, library, tokens, self.watermark, due, just_read)


def _may_be_stored(remote_id: str) -> bool:
    try:
        check_texts("person", {"id": remote_id})
    except UsageError:
        return False
    return True
