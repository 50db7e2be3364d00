"""Reading items with their people, and what is stored besides them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from mediasync.concurrency import batched
from mediasync.database import Database
from mediasync.dialects.base import Session
from mediasync.errors import InvalidId, UnknownItem, UnknownLibrary, UsageError
from mediasync.ids import check_source_id, make_id, split_id
from mediasync.models import AnyMediaItem, Library, Source
from mediasync.normal import check_texts
from mediasync.repositories.catalogue import CatalogueRepository
from mediasync.repositories.item_reading import ITEMS_AT_ONCE, ItemReader, as_limit
from mediasync.repositories.person_reading import PersonReader
from mediasync.vocabulary import Completeness, MediaType

_PAGE: Final = 50


class MediaReads:
    """The half of the media service that reads.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known_libraries: set[tuple[str, str]] = set()

    async def find_source(self, source_id: str) -> Source | None:
        """Return one source, or None."""
        async with self._database.read() as session:
            return await CatalogueRepository(session).find_source(source_id)

    async def list_sources(self) -> list[Source]:
        """Return all sources, by id."""
        async with self._database.read() as session:
            return await CatalogueRepository(session).list_sources()

    async def list_libraries(self, source_id: str | None = None) -> list[Library]:
        """Return the libraries of one source, or of all, by id."""
        async with self._database.read() as session:
            return await CatalogueRepository(session).list_libraries(source_id)

    async def _full_library_id(self, library_id: str, source_id: str) -> str:
        check_source_id(source_id)
        if not isinstance(library_id, str):
            raise UsageError(f"a {type(library_id).__name__} is not a library's id: give a text")
        full_id = library_id if library_id.startswith(source_id + ":") else make_id(source_id, library_id)
        if (full_id, source_id) not in self._known_libraries:
            async with self._database.read() as session:
                if not await CatalogueRepository(session).has_library(full_id, source_id):
                    raise UnknownLibrary(f"library {full_id!r} is not stored: save_library saves it")
            self._known_libraries.add((full_id, source_id))
        return full_id

    async def get_media_item(self, media_item_id: str) -> AnyMediaItem:
        """Return an item with its ``credits``, and so ``cast`` and ``crew``.

        Raises:
            UnknownItem: if it is not stored.

        Example:
            >>> item = await ms.media.get_media_item("home:603")  # doctest: +SKIP
            >>> [credit.person.name for credit in item.cast]  # doctest: +SKIP
            ['Keanu Reeves']
        """
        items = await self.find_media_items([media_item_id])
        if not items:
            raise UnknownItem(f"media item {media_item_id!r} is not stored")
        return items[0]

    async def find_media_items(self, media_item_ids: Sequence[str]) -> list[AnyMediaItem]:
        """Return those of the items that are stored, with their credits, in the order asked for.

        Raises:
            UsageError: if one of the ids holds what no database stores.
        """
        for item_id in media_item_ids:
            check_texts("media item", {"id": item_id})
        async with self._database.read(snapshot=True) as session:
            return await _with_credits(session, media_item_ids)

    async def find_by_title(self, text: str, *, limit: int = 50) -> list[AnyMediaItem]:
        """Return at most *limit* items with this title; if there are none, those whose titles have its words.

        A title is the same in any spelling: case, accents, spaces and punctuation do not matter, nor does an
        article at the beginning, nor whether it is the title or the original title. Movies come first, then
        shows, episodes and seasons, each by year, then by id.

        An item whose title is another one must have a word that begins with each word of *text*. Those that
        have the longest word of the text itself come first.
        """
        async with self._database.read(snapshot=True) as session:
            ids = await ItemReader(session).find_ids_by_title(text, limit)
            return await _with_credits(session, ids)

    async def find_by_provider_id(
        self, provider: str, value: str, *, limit: int | None = None, offset: int = 0
    ) -> list[AnyMediaItem]:
        """Return the items that a public provider knows by this id, of all sources, by id.

        Args:
            provider: ``imdb``, ``tmdb``, …
            value: the id there.
            limit: at most so many; None: all.
            offset: leave out the first so many.

        Example:
            >>> await ms.media.find_by_provider_id("imdb", "tt0133093")  # doctest: +SKIP
            [Movie(...)]
        """
        async with self._database.read(snapshot=True) as session:
            ids = await ItemReader(session).find_ids_by_provider_id(
                provider, value, limit=as_limit(limit), offset=offset
            )
            return await _with_credits(session, ids)

    async def list_children(
        self, media_item_id: str, *, limit: int | None = None, offset: int = 0
    ) -> list[AnyMediaItem]:
        """Return a show's seasons, or a season's episodes, by number.

        Args:
            media_item_id: the show, or the season.
            limit: at most so many; None: all.
            offset: leave out the first so many.
        """
        async with self._database.read(snapshot=True) as session:
            ids = await ItemReader(session).list_child_ids(
                media_item_id, limit=as_limit(limit), offset=offset
            )
            return await _with_credits(session, ids)

    async def iter_media_items(
        self, library_id: str | Library, *, media_type: MediaType | None = None
    ) -> AsyncIterator[AnyMediaItem]:
        """Iterate over the items of a library, by id, in pages; each page is one state of the database.

        Args:
            library_id: the library, or its full id (``home:movies``), which is `Library.full_id`.
            media_type: only items of this type.

        Raises:
            InvalidId: if *library_id* is not a full id.
            UnknownLibrary: if the library is not stored.
        """
        library_id = _full_id(library_id)
        await self._full_library_id(library_id, split_id(library_id)[0])
        after = ""
        while True:
            async with self._database.read(snapshot=True) as session:
                ids = await ItemReader(session).list_ids(library_id, media_type, after, _PAGE)
                page = await _with_credits(session, ids)
            for item in page:
                yield item
            if len(ids) < _PAGE or ids[-1] <= after:  # other hands may have stored ids that are not texts
                return
            after = ids[-1]

    async def find_watermark(self, source_id: str) -> str:
        """Return where the last sync of a source that ended well had come to; empty if it did not say."""
        async with self._database.read() as session:
            return await CatalogueRepository(session).find_watermark(source_id)

    async def find_change_tokens(self, library_id: str | Library) -> dict[str, str]:
        """Return the change tokens of a library's items, by the source's own keys; empty: none.

        Args:
            library_id: the library, or its full id.

        Raises:
            InvalidId: if *library_id* is not a full id.
        """
        library_id = _full_id(library_id)
        async with self._database.read(snapshot=True) as session:
            return await ItemReader(session).find_change_tokens(library_id)

    async def count_by_library(self) -> list[tuple[str, MediaType, Completeness, int]]:
        """Return how many items are stored, by library's full id, type and completeness."""
        async with self._database.read() as session:
            return await ItemReader(session).count_by_library()

    async def count_credits(self) -> int:
        """Return how many credits are stored."""
        async with self._database.read() as session:
            return await ItemReader(session).count_credits()


def _full_id(library: str | Library) -> str:
    if isinstance(library, Library):
        return library.full_id
    try:
        split_id(library)
    except InvalidId as error:
        raise InvalidId(
            f"{library!r} is not the full id of a library, SOURCE:{library}: Library.full_id is that id, "
            "and Library.id the source's own key"
        ) from error
    return library


async def _with_credits(session: Session, media_item_ids: Sequence[str]) -> list[AnyMediaItem]:
    item_reader, person_reader = ItemReader(session), PersonReader(session)
    items: list[AnyMediaItem] = []
    for ids in batched(dict.fromkeys(media_item_ids), ITEMS_AT_ONCE):
        found = await item_reader.find_items_with_counts(ids)
        credits_of = await person_reader.read_credits({item.id or "": count for item, count in found})
        for item, _ in found:
            item.credits = credits_of[item.id or ""]
            items.append(item)
    return items
