"""What a program reads that keeps a copy of the views: first everything, then what changed since."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from mediasync.database.database import Database
from mediasync.errors import UsageError
from mediasync.library.changes import ChangeReads
from mediasync.repositories.replication import ReplicationRepository, Row
from mediasync.vocabulary import ChangeKind, EntityKind

PAGE: Final = 1_000
"""How many items or people are read at a time."""


@dataclass(slots=True)
class Changed:
    """What changed after a number of the change log.

    Attributes:
        newest: the number of the last change that was looked at.
        items: the ids of items whose rows or credits may have changed, and of those that are gone.
        people: the same of people.
    """

    newest: int
    items: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)


class ReplicationReads:
    """Reads rows of the views in pages, each with what was asked for and is not there any more.

    Args:
        database: an open database.
        changes: reads its change log.
    """

    def __init__(self, database: Database, changes: ChangeReads) -> None:
        self._database = database
        self._changes = changes

    async def find_newest(self) -> int:
        """Return the number of the newest change; 0 if there was none yet."""
        return await self._changes.find_newest()

    async def find_changed(self, after: int) -> Changed:
        """Return what may differ from what was shown after the change *after*.

        People who come with an item have no change of their own. They are found by comparing the credit list
        before the first change of the item with the one of today.

        Raises:
            ChangesPruned: if changes after that number are no longer kept.
            UsageError: if there is no change with that number, or a source was renamed since, which changed
                all its ids.
        """
        changed = Changed(after)
        before: dict[str, set[str]] = {}
        merged: set[str] = set()
        async for change in self._changes.iterate(after, follow=False):
            changed.newest = change.number
            old = change.before or {}
            if change.entity is EntityKind.ITEM:
                changed.items.add(change.entity_id)
                if change.what in (ChangeKind.ADDED, ChangeKind.BACK) or "credits" in old:
                    credited = {person_id for person_id, *_ in old.get("credits") or ()}
                    before.setdefault(change.entity_id, credited)
            elif change.entity is EntityKind.PERSON:
                changed.people.add(change.entity_id)
                if change.other_id is not None:
                    changed.people.add(change.other_id)
                    merged.add(change.other_id)
            elif change.entity is EntityKind.SOURCE and "id" in old and change.what is ChangeKind.CHANGED:
                raise UsageError(
                    f"the source {old['id']!r} was renamed, so all ids of its rows are others now"
                )
        await self._add_items_of(merged, changed)
        await self._add_people_of(before, changed)
        return changed

    async def _add_items_of(self, people: set[str], changed: Changed) -> None:
        for page in _pages(people):
            async with self._database.read() as session:
                changed.items.update(await ReplicationRepository(session).list_items_of_people(page))

    async def _add_people_of(self, before: dict[str, set[str]], changed: Changed) -> None:
        for page in _pages(set(before)):
            now: dict[str, set[str]] = {item_id: set() for item_id in page}
            for row in await self.find_credits(page):
                now[row["media_item_id"]].add(row["person_id"])
            for item_id, credited in now.items():
                changed.people |= credited - before[item_id]

    async def iter_item_ids(self) -> AsyncIterator[list[str]]:
        """Yield the ids of all items that are shown, page by page."""
        async for page in self._iterate(ReplicationRepository.list_next_items):
            yield page

    async def iter_person_ids(self) -> AsyncIterator[list[str]]:
        """Yield the ids of all people who are shown, page by page."""
        async for page in self._iterate(ReplicationRepository.list_next_people):
            yield page

    async def _iterate(
        self, read: Callable[[ReplicationRepository, str, int], Awaitable[list[str]]]
    ) -> AsyncIterator[list[str]]:
        after = ""
        while True:
            async with self._database.read() as session:
                page = await read(ReplicationRepository(session), after, PAGE)
            if not page:
                return
            yield page
            after = page[-1]

    async def find_items(self, ids: list[str]) -> list[Row]:
        """Return those of the items that are shown, as the view ``media_items`` shows them."""
        async with self._database.read() as session:
            return await ReplicationRepository(session).find_items(ids)

    async def find_people(self, ids: list[str]) -> list[Row]:
        """Return those of the people who are shown, as the view ``people`` shows them."""
        async with self._database.read() as session:
            return await ReplicationRepository(session).find_people(ids)

    async def find_credits(self, item_ids: list[str]) -> list[Row]:
        """Return the credits of items, as the view ``media_people`` shows them."""
        async with self._database.read() as session:
            return await ReplicationRepository(session).find_credits(item_ids)


def _pages(ids: set[str]) -> list[list[str]]:
    ordered = sorted(ids)
    return [ordered[at : at + PAGE] for at in range(0, len(ordered), PAGE)]
