"""Reading everything that an export writes, page by page, in the order of ids or of changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from mediasync.aio import batched
from mediasync.database.session import Session
from mediasync.models import AnyMediaItem, Person
from mediasync.repositories.building import in_slices
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.item_reading import ITEMS_AT_ONCE, ItemReader
from mediasync.repositories.person_rows import PERSON, person_of
from mediasync.repositories.times import to_datetime
from mediasync.vocabulary import ChangeKind, EntityKind, MediaType

_SELECTED: Final = """
i.missing_since IS NULL
AND i.media_type IN (SELECT t.id FROM @list(:types) t)
AND (
    :library_id IS NULL
    OR i.library_key = (SELECT l.library_key FROM library l WHERE l.id = :library_id)
    OR EXISTS (
        SELECT 1 FROM item_library x JOIN library l ON l.library_key = x.library_key
        WHERE x.item_key = i.item_key AND l.id = :library_id
    )
)
"""

# Walks the ids of the items that an export writes.
SELECT_EXPORTED_ITEMS: Final = f"""
SELECT i.id AS item_id FROM media_item i
WHERE i.id > :above AND i.id < :end AND {_SELECTED}
ORDER BY i.id LIMIT :limit
"""

# Counts the items that an export writes.
COUNT_EXPORTED_ITEMS: Final = f"""
SELECT count(*) AS items FROM media_item i WHERE i.id > :above AND i.id < :end AND {_SELECTED}
"""

# Walks the people who are shown.
SELECT_EXPORTED_PEOPLE: Final = f"""
SELECT {PERSON} FROM person p
WHERE p.id > :above AND p.id < :end AND p.uncredited_since IS NULL
ORDER BY p.id LIMIT :limit
"""

# Walks the people whom selected items credit.
SELECT_PEOPLE_OF_EXPORTED_ITEMS: Final = f"""
SELECT {PERSON} FROM person p
WHERE p.id > :above AND p.id < :end AND p.uncredited_since IS NULL AND EXISTS (
    SELECT 1 FROM credit c JOIN media_item i ON i.item_key = c.item_key
    WHERE c.person_key = p.person_key AND {_SELECTED}
)
ORDER BY p.id LIMIT :limit
"""

# Reads those of some people who are shown.
SELECT_SHOWN_PEOPLE: Final = f"""
SELECT {PERSON} FROM @list(:ids) l JOIN person p ON p.id = l.id
WHERE p.uncredited_since IS NULL ORDER BY l.n
"""

# Walks the last change of each item and person that changed after a number. The ids are compared as
# expressions: by the index of ids SQLite would read and sort all changes of a source for each page.
SELECT_LAST_CHANGES: Final = """
SELECT c.number, c.changed_at, c.entity, c.entity_id, c.what FROM change c
WHERE c.number > :after AND c.entity IN ('item', 'person')
  AND c.entity_id || '' > :low AND c.entity_id || '' < :end
  AND NOT EXISTS (
    SELECT 1 FROM change d
    WHERE d.entity_id = c.entity_id AND d.number > c.number AND d.entity = c.entity
)
ORDER BY c.number LIMIT :limit
"""

# Reads the first and the last path of the items of each library, which begin as all of its paths do.
SELECT_EXPORTED_PATHS: Final = """
SELECT l.id AS library_id, found.first, found.last
FROM (
    SELECT i.library_key, min(i.path) AS first, max(i.path) AS last FROM media_item i
    WHERE i.missing_since IS NULL AND i.path IS NOT NULL AND i.id > :above AND i.id < :end
    GROUP BY i.library_key
) found
JOIN library l ON l.library_key = found.library_key
"""

# Finds seasons and episodes that belong to no show.
SELECT_EXPORTED_ORPHANS: Final = f"""
SELECT i.id AS item_id FROM media_item i
WHERE i.parent_key IS NULL AND i.id > :above AND i.id < :end AND {_SELECTED}
ORDER BY i.id LIMIT :limit
"""

# Reads what tells the seasons and episodes directly below an item apart, by number.
SELECT_EXPORTED_CHILDREN: Final = """
SELECT i.id AS item_id, i.media_type, i.season_number, i.title
FROM media_item i JOIN media_item p ON p.item_key = i.parent_key
WHERE p.id = :parent_id AND i.missing_since IS NULL
ORDER BY i.season_number NULLS FIRST, i.episode_number NULLS FIRST, i.id
"""

CREDITS_IN_PAGE: Final = 20_000
"""Items are read together as long as they have no more credits than this."""

_IDS_AT_ONCE: Final = 1_000
_PEOPLE_AT_ONCE: Final = 1_000
_CHANGES_AT_ONCE: Final = 500
_AFTER_ALL: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items an export writes, and with them which people.

    Attributes:
        source_id: only items of this source.
        library_id: only items that this library lists; its full id.
        media_types: only items of these types.
    """

    source_id: str | None = None
    library_id: str | None = None
    media_types: frozenset[MediaType] = frozenset(MediaType)

    @property
    def takes_all_of_source(self) -> bool:
        """Whether nothing of the sources is left out."""
        return self.library_id is None and self.media_types == frozenset(MediaType)

    def params(self, types: Collection[MediaType] | None = None) -> dict[str, Any]:
        """Return the parameters of the queries.

        Args:
            types: only items of these types, if given.
        """
        wanted = self.media_types if types is None else types
        return {**self.bounds(), "library_id": self.library_id, "types": sorted(map(str, wanted))}

    def bounds(self) -> dict[str, str]:
        """Return between which ids the items and people of the source lie."""
        if self.source_id is None:
            return {"above": "", "end": _AFTER_ALL}
        return {"above": f"{self.source_id}:", "end": f"{self.source_id};"}  # ; comes after :


class Child(NamedTuple):
    """A season or an episode."""

    id: str
    media_type: str
    season_number: int | None
    title: str


@dataclass(frozen=True, slots=True)
class LastChange:
    """The last change of an item or a person."""

    number: int
    at: datetime | None
    entity: EntityKind
    entity_id: str
    what: ChangeKind | str


class ExportReader:
    """Reads what an export writes.

    Args:
        session: a snapshot.
        selection: which items are written.
    """

    def __init__(self, session: Session, selection: Selection) -> None:
        self._session = session
        self._selection = selection

    async def count_items(self, types: Collection[MediaType] | None = None) -> int:
        """Return how many items are selected."""
        params = self._selection.params(types)
        [(number,)] = await self._session.fetch_all(COUNT_EXPORTED_ITEMS, params)
        return int(number)

    async def iter_items(
        self, types: Collection[MediaType] | None = None
    ) -> AsyncIterator[list[AnyMediaItem]]:
        """Iterate over the selected items with their credits, by id, in lists of limited size."""
        params = self._selection.params(types)
        async for ids in self._iter_ids(SELECT_EXPORTED_ITEMS, params):
            async for items in self.iter_whole_items(ids):
                yield items

    async def iter_orphans(self) -> AsyncIterator[list[str]]:
        """Iterate over the ids of the selected seasons and episodes that belong to no show."""
        params = self._selection.params((MediaType.SEASON, MediaType.EPISODE))
        async for ids in self._iter_ids(SELECT_EXPORTED_ORPHANS, params):
            yield ids

    async def _iter_ids(self, query: str, params: dict[str, Any]) -> AsyncIterator[list[str]]:
        params = {**params, "limit": _IDS_AT_ONCE}
        while rows := await self._session.fetch_all(query, params):
            ids = [item_id for (item_id,) in rows]
            yield ids
            if len(ids) < _IDS_AT_ONCE or ids[-1] <= params["above"]:
                return  # another program may have stored ids that are not texts
            params["above"] = ids[-1]

    async def iter_whole_items(self, item_ids: Sequence[str]) -> AsyncIterator[list[AnyMediaItem]]:
        """Iterate over items with their credits, in the order asked for, in lists of limited size."""
        reader, lists = ItemReader(self._session), CreditRepository(self._session)
        for ids in batched(item_ids, ITEMS_AT_ONCE):
            page: list[AnyMediaItem] = []
            counts: dict[str, int] = {}
            for item, count in await reader.find_items_with_counts(ids):
                if page and sum(counts.values()) + count > CREDITS_IN_PAGE:
                    yield await _with_credits(lists, page, counts)
                    page, counts = [], {}
                page.append(item)
                counts[item.id or ""] = count
            if page:
                yield await _with_credits(lists, page, counts)

    async def list_children(self, item_id: str) -> list[Child]:
        """Return what tells the items directly below an item apart, by number."""
        rows = await self._session.fetch_all(SELECT_EXPORTED_CHILDREN, {"parent_id": item_id})
        return [Child(*row) for row in rows]

    async def iter_people(self) -> AsyncIterator[list[Person]]:
        """Iterate over the people whom the selected items credit, by id."""
        params: dict[str, Any] = {**self._selection.bounds(), "limit": _PEOPLE_AT_ONCE}
        query = SELECT_EXPORTED_PEOPLE
        if not self._selection.takes_all_of_source:
            query = SELECT_PEOPLE_OF_EXPORTED_ITEMS
            params |= self._selection.params()
        while rows := await self._session.fetch_all(query, params):
            yield await in_slices(rows, _people)
            last = rows[-1][0]
            if len(rows) < _PEOPLE_AT_ONCE or last <= params["above"]:
                return
            params["above"] = last

    async def find_shown_people(self, person_ids: Sequence[str]) -> list[Person]:
        """Return those of some people whom an item credits, in the order asked for."""
        found: list[Person] = []
        for ids in batched(person_ids, _PEOPLE_AT_ONCE):
            rows = await self._session.fetch_all(SELECT_SHOWN_PEOPLE, {"ids": ids})
            found += await in_slices(rows, _people)
        return found

    async def iter_changes(self, after: int) -> AsyncIterator[list[LastChange]]:
        """Iterate over the last change of each item and person that changed after a number, in order."""
        bounds = self._selection.bounds()
        params = {
            "low": bounds["above"],
            "end": bounds["end"],
            "after": after,
            "limit": _CHANGES_AT_ONCE,
        }
        while rows := await self._session.fetch_all(SELECT_LAST_CHANGES, params):
            yield [
                LastChange(number, to_datetime(at), EntityKind(entity), entity_id, what)
                for number, at, entity, entity_id, what in rows
            ]
            params["after"] = rows[-1][0]

    async def find_paths(self) -> dict[str, tuple[str, str]]:
        """Return the first and the last path of the items of each library, sorted as texts, by its id."""
        rows = await self._session.fetch_all(SELECT_EXPORTED_PATHS, self._selection.bounds())
        return {library_id: (first, last) for library_id, first, last in rows}


async def _with_credits(
    lists: CreditRepository, items: list[AnyMediaItem], counts: dict[str, int]
) -> list[AnyMediaItem]:
    credits_of = await lists.read_lists(counts)
    for item in items:
        item.credits = credits_of[item.id or ""]
    return items


def _people(rows: Sequence[Sequence[Any]]) -> list[Person]:
    return [person for row in rows if (person := person_of(row)) is not None]
