"""Recognising a stored item whose key has changed in its source, and storing the new key."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mediasync.database.session import Session
from mediasync.ids import make_id
from mediasync.repositories.items import DELETE_ITEM_LIBRARIES, DELETE_REKEYED, MediaRepository

_OF_MANY: Final = re.compile(r"collection|set$")
_PLACEHOLDER: Final = re.compile(r"(tt)?0*|-\d+")

# Finds out whether any item of a source is stored.
SELECT_ANY_ITEM: Final = """
SELECT i.item_key FROM source s
JOIN library l ON l.source_key = s.source_key
JOIN media_item i ON i.library_key = l.library_key
WHERE s.id = :source_id LIMIT 1
"""

_OF_SOURCE: Final = """
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
WHERE s.id = :source_id"""

# Finds stored items of the same type in the same file.
MATCH_PATHS: Final = f"""
SELECT r.place, i.id, i.remote_id, i.season_number, i.episode_number
FROM @rows(:rows, place integer, media_type text, path text) r
JOIN media_item i ON substr(i.path, 1, 200) = substr(r.path, 1, 200)
    AND i.path = r.path AND i.media_type = r.media_type
{_OF_SOURCE} ORDER BY r.place, i.id
"""

# Finds stored items of the same type with the same id at a public provider.
MATCH_PROVIDER_IDS: Final = f"""
SELECT r.place, i.id, i.remote_id, x.provider, i.season_number, i.episode_number
FROM @rows(:rows, place integer, media_type text, provider text, value text) r
JOIN item_external_id x ON x.provider = r.provider AND x.value = r.value
JOIN media_item i ON i.item_key = x.item_key AND i.media_type = r.media_type
{_OF_SOURCE} ORDER BY r.place, i.id, x.provider
"""

# Reads all provider ids of items, to find contradictions.
SELECT_PROVIDER_IDS: Final = """
SELECT i.id, x.provider, x.value
FROM @list(:ids) k JOIN media_item i ON i.id = k.id JOIN item_external_id x ON x.item_key = i.item_key
"""

_SHOWS: Final = """
FROM @rows(:rows, place integer, media_type text, parent_id text, season integer, episode integer) r
LEFT JOIN item_rekeyed k ON k.current_id = r.parent_id
JOIN media_item p ON p.id = coalesce(k.id, r.parent_id)
JOIN media_item u ON u.item_key = coalesce(p.parent_key, p.item_key)
"""
_SAME_NUMBERS: Final = """
AND i.media_type = r.media_type
AND coalesce(i.season_number, -1) = coalesce(r.season, -1)
AND coalesce(i.episode_number, -1) = coalesce(r.episode, -1)
"""

# Finds stored seasons or episodes of the same show with the same numbers.
MATCH_NUMBERS: Final = f"""
SELECT r.place, i.id, i.remote_id {_SHOWS}
JOIN media_item i ON i.parent_key = u.item_key {_SAME_NUMBERS}
UNION ALL
SELECT r.place, i.id, i.remote_id {_SHOWS}
JOIN media_item m ON m.parent_key = u.item_key
JOIN media_item i ON i.parent_key = m.item_key {_SAME_NUMBERS}
ORDER BY 1, 2
"""

# Stores the present key of items whose key changed, and the library that lists them.
UPDATE_KEYS: Final = """
UPDATE media_item
SET remote_id = r.remote_id, library_key = l.library_key, change_token = NULL, updated_at = :now
FROM @rows(:rows, id text, remote_id text, library_id text) r JOIN library l ON l.id = r.library_id
WHERE media_item.id = r.id
"""

# Gives items another home library.
UPDATE_HOMES: Final = """
UPDATE media_item SET library_key = l.library_key
FROM @rows(:rows, id text, library_id text) r JOIN library l ON l.id = r.library_id
WHERE media_item.id = r.id
"""

# Removes items from libraries that no longer list them.
LEAVE_LIBRARIES: Final = """
DELETE FROM item_library WHERE (item_key, library_key) IN (
    SELECT i.item_key, l.library_key FROM @rows(:rows, id text, library_id text) r
    JOIN media_item i ON i.id = r.id JOIN library l ON l.id = r.library_id
)
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The properties by which an item with a new key can be recognised.

    Attributes:
        media_type: ``movie``, ``show``, ``season`` or ``episode``.
        path: its file, or None.
        provider_ids: its ids at public providers, by provider.
        parent_id: ``{source_id}:{remote_id}`` of its parent, or None.
        season_number, episode_number: None where the item has none.
    """

    media_type: str
    path: str | None
    provider_ids: Mapping[str, str]
    parent_id: str | None
    season_number: int | None
    episode_number: int | None


@dataclass(frozen=True, slots=True)
class Match:
    """A stored item that may be the one with the new key.

    Attributes:
        place: the position of the item with the new key in the list that was given.
        rank: the strength of the evidence: 0 for the same file and numbers, 1 for the same file, 2 for the
            same provider ids, 3 for the same show and numbers.
        item_id: the id of the stored item.
        remote_id: the stored key of that item.
    """

    place: int
    rank: int
    item_id: str
    remote_id: str


class RecognitionRepository:
    """Finds stored items by properties that do not depend on their key.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def has_items(self, source_id: str) -> bool:
        """Return whether any item of a source is stored."""
        return bool(await self._session.fetch_all(SELECT_ANY_ITEM, {"source_id": source_id}))

    async def find_matches(self, source_id: str, items: Sequence[Evidence]) -> list[Match]:
        """Return stored items of a source that may be one of *items*, the strongest evidence first."""
        found = [
            *await self._match_paths(source_id, items),
            *await self._match_provider_ids(source_id, items),
            *await self._match_numbers(items),
        ]
        best: dict[tuple[int, str], Match] = {}
        for match in found:
            key = (match.place, match.item_id)
            if key not in best or match.rank < best[key].rank:
                best[key] = match
        return sorted(best.values(), key=lambda match: (match.rank, match.place, match.item_id))

    async def _match_paths(self, source_id: str, items: Sequence[Evidence]) -> Iterable[Match]:
        rows = [(n, item.media_type, item.path) for n, item in enumerate(items) if item.path]
        if not rows:
            return ()
        found = await self._session.fetch_all(MATCH_PATHS, {"rows": rows, "source_id": source_id})
        return (
            Match(n, 0 if _numbers(items[n]) == (season, episode) else 1, item_id, remote_id)
            for n, item_id, remote_id, season, episode in found
        )

    async def _match_provider_ids(self, source_id: str, items: Sequence[Evidence]) -> Iterable[Match]:
        rows = [
            (n, item.media_type, provider, value)
            for n, item in enumerate(items)
            for provider, value in item.provider_ids.items()
            if _names_one_item(provider, value)
        ]
        if not rows:
            return ()
        found = await self._session.fetch_all(MATCH_PROVIDER_IDS, {"rows": rows, "source_id": source_id})
        stored: dict[str, dict[str, str]] = {}
        ids = sorted({item_id for _, item_id, *_ in found})
        # Some files give the ids of a show to its episodes. An id that items with other numbers have as well
        # only identifies the show.
        numbers: defaultdict[tuple[int, str], set[tuple[int | None, int | None]]] = defaultdict(set)
        for n, _, _, provider, season, episode in found:
            numbers[n, provider].add((season, episode))
        for item_id, provider, value in await self._session.fetch_all(SELECT_PROVIDER_IDS, {"ids": ids}):
            stored.setdefault(item_id, {})[provider] = value
        return (
            Match(n, 2, item_id, remote_id)
            for n, item_id, remote_id, provider, season, episode in found
            if (_numbers(items[n]) == (season, episode) or len(numbers[n, provider]) == 1)
            and all(
                stored[item_id].get(name, value) == value for name, value in items[n].provider_ids.items()
            )
        )

    async def _match_numbers(self, items: Sequence[Evidence]) -> Iterable[Match]:
        rows = [
            (n, item.media_type, item.parent_id, *_numbers(item))
            for n, item in enumerate(items)
            if item.parent_id and (item.season_number is not None or item.episode_number is not None)
        ]
        if not rows:
            return ()
        found = await self._session.fetch_all(MATCH_NUMBERS, {"rows": rows})
        return (Match(n, 3, item_id, remote_id) for n, item_id, remote_id in found)

    async def take_over(self, source_id: str, taken: Sequence[tuple[str, str, str]]) -> None:
        """Store the present keys of items; their ids stay.

        Args:
            source_id: the source of the items.
            taken: (the item's id, its new key, the full id of the library that lists it) of each.
        """
        ids = [item_id for item_id, _, _ in taken]
        await self._session.execute(DELETE_REKEYED, {"ids": ids})
        current = {make_id(source_id, key): item_id for item_id, key, _ in taken}
        if rekeyed := {
            current_id: item_id for current_id, item_id in current.items() if current_id != item_id
        }:
            await MediaRepository(self._session).add_rekeyed(rekeyed)
        await self._session.execute(DELETE_ITEM_LIBRARIES, {"ids": ids})
        await self._session.execute(UPDATE_KEYS, {"rows": sorted(taken), "now": self._session.now})

    async def move(self, homes: Sequence[tuple[str, str]], left: Sequence[tuple[str, str]]) -> None:
        """Give items other home libraries, and remove items from libraries.

        Args:
            homes: (the item's id, the full id of its new home) of each.
            left: (the item's id, the full id of a library that no longer lists it) of each.
        """
        await self._session.execute(UPDATE_HOMES, {"rows": sorted(homes)})
        await self._session.execute(LEAVE_LIBRARIES, {"rows": sorted({*homes, *left})})


def _names_one_item(provider: str, value: str) -> bool:
    """Return whether an id names one item; a placeholder or the id of a collection does not."""
    return not (_OF_MANY.search(provider) or _PLACEHOLDER.fullmatch(value))


def _numbers(item: Evidence) -> tuple[int | None, int | None]:
    return (item.season_number, item.episode_number)
