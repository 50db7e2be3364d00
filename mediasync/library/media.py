"""Reading items with their credits, sources and libraries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import InvalidId, UnknownItem
from mediasync.ids import split_id
from mediasync.models import AnyMediaItem, Library, Source
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.item_reading import WHOLE_ITEMS_AT_ONCE, ItemReader, as_limit
from mediasync.repositories.sources import SourceRepository
from mediasync.text import check_texts
from mediasync.vocabulary import Completeness, MediaType

# Rebuilding the past is imported when it is asked for.
if TYPE_CHECKING:
    from mediasync.library.time_travel import Past
    from mediasync.rewinding import AsOf

_PAGE: Final = 50


class MediaReads:
    """Reads media items, sources and libraries.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_source(self, source_id: str) -> Source | None:
        """Return one source, or None."""
        async with self._database.read() as session:
            return await SourceRepository(session).find_source(source_id)

    async def list_sources(self) -> list[Source]:
        """Return all sources, by id."""
        async with self._database.read() as session:
            return await SourceRepository(session).list_sources()

    async def list_libraries(self, source_id: str | None = None) -> list[Library]:
        """Return the libraries of one source, or of all, by id."""
        async with self._database.read() as session:
            return await SourceRepository(session).list_libraries(source_id)

    async def get_media_item(self, media_item_id: str, *, as_of: AsOf | None = None) -> AnyMediaItem:
        """Return an item with its ``credits``, and so ``cast`` and ``crew``.

        Args:
            media_item_id: its full id.
            as_of: the number of a run, for what was shown when that run had ended, or a time with a zone.
                The item is then rebuilt from the change log, with the people as they were named. Its
                ``change_token`` is None, and so are times that the log no longer tells.

        Raises:
            UnknownItem: if it is not stored, or did not exist then.
            UnknownRun: if there is no such run.
            TooLongAgo: if the change log no longer reaches back to that point.
            UsageError: if the run has not ended, or the time has no zone.

        Example:
            >>> item = await ms.media.get_media_item("home:603")  # doctest: +SKIP
            >>> [credit.person.name for credit in item.cast]  # doctest: +SKIP
            ['Keanu Reeves']
        """
        if as_of is not None:
            check_texts("media item", {"id": media_item_id})
            async with self._past(as_of) as past:
                return await past.get_item(media_item_id)
        items = await self.find_media_items([media_item_id])
        if not items:
            raise UnknownItem(f"media item {media_item_id!r} is not stored")
        return items[0]

    async def find_media_items(
        self, media_item_ids: Sequence[str], *, as_of: AsOf | None = None
    ) -> list[AnyMediaItem]:
        """Return the items that are stored, with their credits, in the order asked for.

        Args:
            media_item_ids: their full ids.
            as_of: a run or a time, as for `get_media_item`.

        Raises:
            UsageError: if an id holds a character that no database stores.
        """
        for item_id in media_item_ids:
            check_texts("media item", {"id": item_id})
        if as_of is not None:
            async with self._past(as_of) as past:
                return await past.find_items(media_item_ids)
        if len(media_item_ids) <= WHOLE_ITEMS_AT_ONCE:
            async with self._database.read() as session:
                if (items := await ItemReader(session).find_whole_items(media_item_ids)) is not None:
                    return items
        async with self._database.read(snapshot=True) as session:
            return await _with_credits(session, media_item_ids)

    async def find_by_title(
        self, text: str, *, limit: int = 50, as_of: AsOf | None = None
    ) -> list[AnyMediaItem]:
        """Return at most *limit* items with this title or, if there are none, with its words in their titles.

        Case, accents, spaces, punctuation and an article at the beginning do not matter. Original titles are
        searched too. Movies come first, then shows, episodes and seasons, each by year, then by id.

        If no item has this title, an item matches if its title has, for each word of *text*, a word that
        begins with it. Items with the longest word of the text itself come first.

        Args:
            text: a title or a part of one.
            limit: at most so many.
            as_of: a run or a time, as for `get_media_item`: the titles of then count.
        """
        if as_of is not None:
            async with self._past(as_of) as past:
                return await past.find_by_title(text, limit=limit)
        async with self._database.read(snapshot=True) as session:
            ids = await ItemReader(session).find_ids_by_title(text, limit)
            return await _with_credits(session, ids)

    async def find_by_provider_id(
        self,
        provider: str,
        value: str,
        *,
        limit: int | None = None,
        offset: int = 0,
        as_of: AsOf | None = None,
    ) -> list[AnyMediaItem]:
        """Return the items that have this id at a public provider, of all sources, sorted by id.

        Args:
            provider: ``imdb``, ``tmdb``, …
            value: the id there.
            limit: at most so many; None for all.
            offset: leave out the first so many.
            as_of: a run or a time, as for `get_media_item`.

        Example:
            >>> await ms.media.find_by_provider_id("imdb", "tt0133093")  # doctest: +SKIP
            [Movie(...)]
        """
        if as_of is not None:
            async with self._past(as_of) as past:
                return await past.find_by_provider_id(provider, value, limit=limit, offset=offset)
        async with self._database.read(snapshot=True) as session:
            ids = await ItemReader(session).find_ids_by_provider_id(
                provider, value, limit=as_limit(limit), offset=offset
            )
            return await _with_credits(session, ids)

    async def list_children(
        self, media_item_id: str, *, limit: int | None = None, offset: int = 0, as_of: AsOf | None = None
    ) -> list[AnyMediaItem]:
        """Return a show's seasons, or a season's episodes, by number.

        Args:
            media_item_id: the show, or the season.
            limit: at most so many; None for all.
            offset: leave out the first so many.
            as_of: a run or a time, as for `get_media_item`.
        """
        if as_of is not None:
            async with self._past(as_of) as past:
                return await past.list_children(media_item_id, limit=limit, offset=offset)
        async with self._database.read(snapshot=True) as session:
            ids = await ItemReader(session).list_child_ids(
                media_item_id, limit=as_limit(limit), offset=offset
            )
            return await _with_credits(session, ids)

    async def iter_media_items(
        self, library_id: str | Library, *, media_type: MediaType | None = None
    ) -> AsyncIterator[AnyMediaItem]:
        """Iterate over the items of a library, sorted by id.

        They are read in pages. Each page is a consistent snapshot of the database.

        Args:
            library_id: the library, or its full id (``home:movies``), which is `Library.full_id`.
            media_type: only items of this type.

        Raises:
            InvalidId: if *library_id* is not a full id.
            UnknownLibrary: if the library is not stored.
        """
        library_id = _full_id(library_id)
        async with self._database.read() as session:
            await SourceRepository(session).require_library(library_id, split_id(library_id)[0])
        after = ""
        while True:
            async with self._database.read(snapshot=True) as session:
                ids = await ItemReader(session).list_ids(library_id, media_type, after, _PAGE)
                page = await _with_credits(session, ids)
            for item in page:
                yield item
            if len(ids) < _PAGE or ids[-1] <= after:  # another program may have stored ids that are not texts
                return
            after = ids[-1]

    async def find_watermark(self, source_id: str) -> str:
        """Return the watermark of the last successful sync of a source; empty if there is none."""
        async with self._database.read() as session:
            return await SourceRepository(session).find_watermark(source_id)

    async def find_change_tokens(self, library_id: str | Library) -> dict[str, str]:
        """Return the change tokens of a library's items, by the source's own keys; '' where there is none.

        Args:
            library_id: the library, or its full id.

        Raises:
            InvalidId: if *library_id* is not a full id.
        """
        library_id = _full_id(library_id)
        async with self._database.read(snapshot=True) as session:
            return await ItemReader(session).find_change_tokens(library_id)

    async def count_by_library(self) -> list[tuple[str, MediaType, Completeness, int]]:
        """Return (library's full id, type, completeness, number of items) for each combination stored."""
        async with self._database.read() as session:
            return await ItemReader(session).count_by_library()

    async def count_credits(self) -> int:
        """Return how many credits are stored."""
        async with self._database.read() as session:
            return await CreditRepository(session).count()

    def _past(self, as_of: AsOf) -> AbstractAsyncContextManager[Past]:
        from mediasync.library.time_travel import reading_past

        return reading_past(self._database, as_of)


def _full_id(library: str | Library) -> str:
    if isinstance(library, Library):
        return library.full_id
    try:
        split_id(library)
    except InvalidId as error:
        raise InvalidId(
            f"{library!r} is not the full id of a library, SOURCE:{library}: give Library.full_id. "
            "Library.id is the source's own key"
        ) from error
    return library


async def _with_credits(session: Session, media_item_ids: Sequence[str]) -> list[AnyMediaItem]:
    found = await ItemReader(session).find_items_with_counts(media_item_ids)
    credits_of = await CreditRepository(session).read_lists({item.id or "": count for item, count in found})
    for item, _ in found:
        item.credits = credits_of[item.id or ""]
    return [item for item, _ in found]
