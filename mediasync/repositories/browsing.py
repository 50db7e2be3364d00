"""Reading what a page about one item or one person shows, each part by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from mediasync.database.session import Session
from mediasync.models import Credit, Person
from mediasync.repositories.building import in_slices, select_list
from mediasync.repositories.credits import CREDIT, credits_of
from mediasync.repositories.lists import SELECT_GENRES
from mediasync.repositories.person_rows import PERSON, person_of
from mediasync.repositories.summaries import ITEM_SUMMARY, ITEM_SUMMARY_JOINS, item_summaries
from mediasync.summaries import ItemSummary

NO_NUMBER: Final = -(2**63)
"""Stands for a number that an item does not have: such items come first."""

# Reads the first credits of each function of an item, and how many credits each function has.
SELECT_FIRST_CREDITS: Final = f"""
SELECT listed.credits, {CREDIT}
FROM (
    SELECT o.item_key, o.sort_order,
        row_number() OVER (PARTITION BY o.person_type ORDER BY o.sort_order) AS place,
        count(*) OVER (PARTITION BY o.person_type) AS credits,
        min(o.sort_order) OVER (PARTITION BY o.person_type) AS first_order
    FROM media_item i JOIN credit o ON o.item_key = i.item_key
    WHERE i.id = :id AND i.missing_since IS NULL
) listed
JOIN credit c ON c.item_key = listed.item_key AND c.sort_order = listed.sort_order
JOIN person p ON p.person_key = c.person_key
WHERE listed.place <= :limit ORDER BY listed.first_order, c.sort_order LIMIT :most
"""

_SEASON: Final = "coalesce(i.season_number, :no_number)"
_EPISODE: Final = "coalesce(i.episode_number, :no_number)"

# Reads a page of what stands directly below an item, by number.
SELECT_CHILDREN: Final = f"""
SELECT {select_list(ITEM_SUMMARY)}
FROM media_item above JOIN media_item i ON i.parent_key = above.item_key {ITEM_SUMMARY_JOINS}
WHERE above.id = :id AND i.missing_since IS NULL
  AND ({_SEASON}, {_EPISODE}, i.id) > (:season, :episode, :last_id)
ORDER BY {_SEASON}, {_EPISODE}, i.id LIMIT :limit
"""

# Counts what stands directly below items.
COUNT_CHILDREN: Final = """
SELECT above.id, (
    SELECT count(*) FROM media_item i WHERE i.parent_key = above.item_key AND i.missing_since IS NULL
) AS children
FROM @list(:ids) g JOIN media_item above ON above.id = g.id
"""

# Finds the other items that are the same work: of the same type and numbers, with the same id at a provider.
SELECT_SAME_WORKS: Final = f"""
WITH same AS MATERIALIZED (
    SELECT DISTINCT i.item_key
    FROM media_item o CROSS JOIN item_external_id x CROSS JOIN item_external_id y CROSS JOIN media_item i
    WHERE o.id = :id AND x.item_key = o.item_key AND x.provider IN ('imdb', 'tmdb', 'tvdb')
      AND y.provider = x.provider AND y.value = x.value AND i.item_key = y.item_key
      AND i.item_key <> o.item_key AND i.missing_since IS NULL AND i.media_type = o.media_type
      AND coalesce(i.season_number, -1) = coalesce(o.season_number, -1)
      AND coalesce(i.episode_number, -1) = coalesce(o.episode_number, -1)
)
SELECT {select_list(ITEM_SUMMARY)}
FROM same w CROSS JOIN media_item i {ITEM_SUMMARY_JOINS}
WHERE i.item_key = w.item_key ORDER BY i.id LIMIT :limit
"""

# Reads the people of other sources who have the name of a person, or ids that the person would have there.
SELECT_NAMESAKES: Final = f"""
SELECT {PERSON}
FROM (
    SELECT o.person_key FROM person a JOIN person o ON o.sort_key = a.sort_key
    WHERE a.id = :id AND a.sort_key <> '' AND o.source_key <> a.source_key
    UNION
    SELECT o.person_key FROM @list(:ids) l JOIN person o ON o.id = l.id
    UNION
    SELECT o.person_key FROM @list(:ids) l JOIN person_alias o ON o.id = l.id WHERE o.shared = 0
) found
JOIN person p ON p.person_key = found.person_key
WHERE p.uncredited_since IS NULL ORDER BY p.id LIMIT :limit
"""

# Reads the other ids under which a person is known.
SELECT_ALIASES: Final = """
SELECT a.id AS alias FROM person p JOIN person_alias a ON a.person_key = p.person_key
WHERE p.id = :id AND a.shared = 0 ORDER BY a.id LIMIT :limit
"""


class FirstCredits(NamedTuple):
    """The first credits of one function of an item.

    Attributes:
        total: how many credits of this function the item has.
        credits: the first of them, in billing order.
        last: the position of the last of these.
    """

    total: int
    credits: list[Credit]
    last: int


class BrowsingReader:
    """Reads what pages about one item or one person show.

    Args:
        session: a snapshot, or an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find_first_credits(self, item_id: str, *, limit: int, most: int) -> dict[str, FirstCredits]:
        """Return the first credits of each function, by function, in billing order.

        Args:
            item_id: the item.
            limit: how many of each function.
            most: how many altogether.
        """
        params = {"id": item_id, "limit": limit, "most": most}
        rows = await self._session.fetch_all(SELECT_FIRST_CREDITS, params)
        made = await in_slices([row[1:] for row in rows], credits_of)
        found: dict[str, FirstCredits] = {}
        for (total, *columns), credit in zip(rows, made, strict=True):
            person_type, _, last = columns[:3]
            known = found.get(str(person_type), FirstCredits(total, [], last))
            listed = known.credits if credit is None else [*known.credits, credit]
            found[str(person_type)] = FirstCredits(total, listed, last)
        return found

    async def list_children(
        self, item_id: str, *, after: tuple[int, int, str], limit: int
    ) -> list[ItemSummary]:
        """Return a page of the items below one, by number, after a place."""
        season, episode, last_id = after
        params = {
            "id": item_id,
            "no_number": NO_NUMBER,
            "season": season,
            "episode": episode,
            "last_id": last_id,
            "limit": limit,
        }
        return await in_slices(await self._session.fetch_all(SELECT_CHILDREN, params), item_summaries)

    async def count_children(self, item_ids: Sequence[str]) -> dict[str, int]:
        """Return how many items stand directly below each of some items."""
        rows = await self._session.fetch_all(COUNT_CHILDREN, {"ids": list(dict.fromkeys(item_ids))})
        return {item_id: int(number) for item_id, number in rows}

    async def find_same_works(self, item_id: str, limit: int) -> list[ItemSummary]:
        """Return the other items that are the same work."""
        rows = await self._session.fetch_all(SELECT_SAME_WORKS, {"id": item_id, "limit": limit})
        return await in_slices(rows, item_summaries)

    async def find_namesakes(self, person_id: str, ids: Sequence[str], limit: int) -> list[Person]:
        """Return the people of other sources with the name of a person, and those with the given ids."""
        params = {"id": person_id, "ids": list(ids), "limit": limit}
        rows = await self._session.fetch_all(SELECT_NAMESAKES, params)
        return [person for row in rows if (person := person_of(row)) is not None]

    async def list_aliases(self, person_id: str, limit: int) -> list[str]:
        """Return the other ids of a person that are nobody else's."""
        rows = await self._session.fetch_all(SELECT_ALIASES, {"id": person_id, "limit": limit})
        return [str(alias) for (alias,) in rows]

    async def list_genres(self) -> list[str]:
        """Return the names of all genres, as the sources spell them, sorted."""
        return [str(name) for (name,) in await self._session.fetch_all(SELECT_GENRES)]
