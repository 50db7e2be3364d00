"""What a page about one item or one person shows, beside its lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from mediasync.database.database import Database
from mediasync.errors import UnknownItem, UsageError
from mediasync.ids import make_id, provider_keys
from mediasync.library.cursors import decode_cursor, encode_cursor, list_digest
from mediasync.models import AnyMediaItem, Credit, Person
from mediasync.repositories.browsing import NO_NUMBER, BrowsingReader
from mediasync.repositories.item_reading import ItemReader
from mediasync.repositories.person_reading import PersonReader
from mediasync.repositories.sources import SourceRepository
from mediasync.repositories.summaries import SummaryReader
from mediasync.sorting import name_sort_key
from mediasync.summaries import ItemSummary, Page, PersonSummary
from mediasync.text import check_texts

# The change log is read only when it is asked for.
if TYPE_CHECKING:
    from mediasync.history import HistoryEntry

_MOST_CREDITS: Final = 2_000
_MOST_SAME: Final = 50
_MOST_NAMESAKES: Final = 200
_MOST_AT_ONCE: Final = 1_000


class BrowsingReads:
    """Reads what pages about one item or one person show.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_details(self, media_item_id: str) -> AnyMediaItem:
        """Return an item with everything but its credits, which are None.

        It takes the same time for an item with 50,000 credits.

        Args:
            media_item_id: its full id.

        Raises:
            UnknownItem: if it is not stored.
            UsageError: if the id holds a character that no database stores.

        Example:
            >>> item = await ms.library.get_details("home:603")  # doctest: +SKIP
            >>> item.genres, item.credits  # doctest: +SKIP
            (['Action', 'Science Fiction'], None)
        """
        check_texts("media item", {"id": media_item_id})
        async with self._database.read() as session:
            found = await ItemReader(session).find_items([media_item_id])
        if not found:
            raise UnknownItem(f"media item {media_item_id!r} is not stored")
        return found[0]

    async def list_cast_by_function(self, media_item_id: str, *, limit: int = 24) -> dict[str, Page[Credit]]:
        """Return the first credits of each function of an item.

        An item with thousands of functions is cut after the first ones.

        Args:
            media_item_id: its full id.
            limit: how many credits of each function, from 1 to 1,000.

        Returns:
            By function, in billing order, a page of its credits, with their total. `list_cast` with this
            function and `Page.next` goes on.

        Raises:
            UsageError: if an argument cannot be used.

        Example:
            >>> parts = await ms.library.list_cast_by_function("home:949")  # doctest: +SKIP
            >>> {person_type: page.total for person_type, page in parts.items()}  # doctest: +SKIP
            {'actor': 31, 'director': 1, 'writer': 1}
        """
        check_texts("media item", {"id": media_item_id})
        number = _limit(limit)
        async with self._database.read() as session:
            found = await BrowsingReader(session).find_first_credits(
                media_item_id, limit=number, most=_MOST_CREDITS
            )
        parts: dict[str, Page[Credit]] = {}
        for person_type, first in found.items():
            digest = list_digest("cast", media_item_id, person_type)
            more = first.total > len(first.credits)
            parts[person_type] = Page(
                first.credits, encode_cursor(digest, first.last) if more else None, first.total
            )
        return parts

    async def list_children(
        self, media_item_id: str, *, after: str | None = None, limit: int = 50
    ) -> Page[ItemSummary]:
        """Return a page of a show's seasons, or of a season's episodes, by number, without their credits.

        `ms.media.list_children` returns them with their credits.

        Args:
            media_item_id: the show, or the season.
            after: `Page.next` of the page before; None for the first page.
            limit: how many, from 1 to 1,000.

        Raises:
            UsageError: if an argument cannot be used, or the cursor is damaged or of another list.
        """
        check_texts("media item", {"id": media_item_id})
        digest = list_digest("children", media_item_id)
        place = (NO_NUMBER, NO_NUMBER, "") if after is None else _place(decode_cursor(digest, after))
        number = _limit(limit)
        async with self._database.read() as session:
            found = await BrowsingReader(session).list_children(media_item_id, after=place, limit=number + 1)
        rows = found[:number]
        return Page(rows, encode_cursor(digest, _number_of(rows[-1])) if len(found) > number else None)

    async def count_children(self, media_item_ids: Sequence[str]) -> dict[str, int]:
        """Return how many seasons or episodes stand directly below each of some items, by id.

        Args:
            media_item_ids: full ids of shows and seasons. Those that are not stored are left out.
        """
        async with self._database.read() as session:
            return await BrowsingReader(session).count_children(media_item_ids)

    async def find_same_works(self, media_item_id: str) -> list[ItemSummary]:
        """Return the other items that are the same film, show, season or episode, at most 50, by id.

        They have the same type and numbers, and the same id at imdb, tmdb or tvdb.

        Args:
            media_item_id: the full id of an item of any source.

        Example:
            >>> [item.id for item in await ms.library.find_same_works("home:603")]  # doctest: +SKIP
            ['attic:17']
        """
        check_texts("media item", {"id": media_item_id})
        async with self._database.read() as session:
            return await BrowsingReader(session).find_same_works(media_item_id, _MOST_SAME)

    async def find_same_people(self, person_id: str) -> list[PersonSummary]:
        """Return the same human as other sources know them, at most 50, by id.

        These are people of other sources with the same id at a public provider, as far as their ids in the
        mirror tell it, and people of the same name whose ids at providers do not contradict.

        Args:
            person_id: the full id of a person, not an alias.
        """
        check_texts("person", {"id": person_id})
        async with self._database.read(snapshot=True) as session:
            person = await PersonReader(session).find_by_id(person_id)
            if person is None:
                return []
            keys = provider_keys(person.provider_ids).values()
            sources = await SourceRepository(session).list_sources()
            ids = [make_id(source.id, key) for source in sources for key in keys]
            found = await BrowsingReader(session).find_namesakes(person_id, ids, _MOST_NAMESAKES)
            same = [one.id for one in found if one.id is not None and _are_one_human(person, one)]
            return await SummaryReader(session).find_people(same[:_MOST_SAME]) if same else []

    async def list_aliases(self, person_id: str) -> list[str]:
        """Return the other ids under which a person is found, at most 50, sorted.

        Args:
            person_id: the full id of a person.
        """
        check_texts("person", {"id": person_id})
        async with self._database.read() as session:
            return await BrowsingReader(session).list_aliases(person_id, _MOST_SAME)

    async def list_genres(self) -> list[str]:
        """Return the names of all genres, as the sources spell them, sorted."""
        async with self._database.read() as session:
            return await BrowsingReader(session).list_genres()

    async def list_last_changes(
        self, media_item_id: str | None = None, *, limit: int = 10
    ) -> list[HistoryEntry]:
        """Return the newest changes of one item, or of all items, the newest first.

        `mediasync.MediaSync.history` iterates over all changes, the oldest first. Of all items, only those
        among the newest 5,000 changes of the log are returned.

        Args:
            media_item_id: the full id of an item; None for all items.
            limit: at most so many, from 1 to 1,000.

        Example:
            >>> [(one.change.what, one.name) for one in await ms.library.list_last_changes(limit=1)]
            ... # doctest: +SKIP
            [('added', 'Heat')]
        """
        from mediasync.library.history import HistoryReads

        check_texts("media item", {"id": media_item_id})
        return await HistoryReads(self._database).list_last(media_item_id, _limit(limit))


def _limit(limit: Any) -> int:
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= _MOST_AT_ONCE:
        raise UsageError(f"limit {limit!r} is not a number from 1 to {_MOST_AT_ONCE:,}")
    return limit


def _number_of(item: ItemSummary) -> tuple[int, int, str]:
    season = NO_NUMBER if item.season_number is None else item.season_number
    return season, NO_NUMBER if item.episode_number is None else item.episode_number, item.id


def _place(given: Any) -> tuple[int, int, str]:
    season, episode, last_id = given
    return int(season), int(episode), str(last_id)


def _are_one_human(one: Person, other: Person) -> bool:
    if one.source_id == other.source_id:
        return False
    shared = one.provider_ids.keys() & other.provider_ids.keys()
    if shared:
        return any(one.provider_ids[provider] == other.provider_ids[provider] for provider in shared)
    return name_sort_key(one.name) == name_sort_key(other.name)
