"""Saving sources, libraries and items with their people."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence
from contextlib import aclosing, suppress
from typing import Final

from mediasync.changes import API, WriteContext
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import (
    ConfigurationError,
    DatabaseError,
    UnknownItem,
    UnknownSource,
    UsageError,
)
from mediasync.garbage import deferred
from mediasync.ids import check_source_id, make_id
from mediasync.models import Credit, Library, MediaItem, Person, Source
from mediasync.reports import SaveReport, SaveResult, SaveStatus
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.items import ItemState, MediaRepository
from mediasync.repositories.sources import SourceRepository
from mediasync.saving.identities import save_people
from mediasync.saving.missing import hide_uncredited
from mediasync.saving.normal import check_model, normal_credits, normal_item, normal_people
from mediasync.saving.outbox import Image, Outbox, credits_image
from mediasync.saving.store import replace_credits
from mediasync.saving.stream import SaveStream, as_async
from mediasync.saving.writer import Writer
from mediasync.vocabulary import Completeness

DEFAULT_CONCURRENCY: Final = 6_000
DEFAULT_ORPHAN_WINDOW: Final = 5_000
_PEOPLE_PAGE: Final = 1_000
_WORTH_NEW_STATISTICS: Final = 500


class MediaSaves:
    """Saves items with their people and credits.

    Saves of different items run concurrently and share transactions; saves of one item happen one after
    the other, so the deletion and insertion of its credits is never interleaved with another's.

    Args:
        database: an open database.
        writer: the task that writes to it.
    """

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._known_libraries: set[tuple[str, str]] = set()

    # Sources and libraries

    async def save_source(
        self, source: Source, *, accept_new_server: bool = False, context: WriteContext = API
    ) -> bool:
        """Save a source. Return whether anything changed.

        Args:
            source: the source.
            accept_new_server: whether another server may take the place of the stored one. The change tokens
                of its items are then cleared, so that the next sync reads all of them again.
            context: why it is saved, for the change log.

        Raises:
            ConfigurationError: if the source is stored as one of another kind, or as another server.
            UsageError: if a field cannot be stored.

        Example:
            >>> await ms.media.save_source(Source(id="home", kind="jellyfin", name="Home"))  # doctest: +SKIP
            True
        """
        source = check_model(source)

        async def work(session: Session, outbox: Outbox) -> bool:
            repository = SourceRepository(session)
            stored = await repository.find_source(source.id)
            if is_new_server(stored, source, accepted=accept_new_server):
                await repository.clear_change_tokens(source.id)
            if not await repository.upsert_source(source):
                return False
            outbox.save_source(stored, await repository.find_source(source.id))
            return True

        return await self._writer.record(work, context)

    async def save_library(self, library: Library, *, context: WriteContext = API) -> bool:
        """Save a library of a stored source. Return whether anything changed.

        Args:
            library: the library.
            context: why it is saved, for the change log.

        Raises:
            UnknownSource: if its source is not stored.
            UsageError: if a field cannot be stored.
        """
        library = check_model(library)

        async def work(session: Session, outbox: Outbox) -> bool:
            repository = SourceRepository(session)
            if await repository.find_source(library.source_id) is None:
                raise UnknownSource(
                    f"source {library.source_id!r} is not stored: save it first with save_source"
                )
            stored = await repository.find_library(library.full_id)
            if not await repository.upsert_library(library):
                return False
            outbox.save_library(stored, await repository.find_library(library.full_id))
            return True

        return await self._writer.record(work, context)

    def forget_libraries(self) -> None:
        """Look up libraries again at the next saves, because some may have gone or have other ids."""
        self._known_libraries.clear()

    # Saving

    async def save_media_item(self, item: MediaItem, *, library_id: str, source_id: str) -> SaveResult:
        """Save one item with its people and credits; returns when that is committed.

        Args:
            item: see `mediasync.MediaItem` for what its `credits` and `completeness` mean.
            library_id: the library's own key (``movies``) or full id (``home:movies``).
            source_id: the source.

        Raises:
            InvalidItem: if a field cannot be stored, or the parent is not stored (`UnknownParent`).
            UnknownLibrary: if the library is not stored.
            LifecycleError: if the database is not open, or is closed before the save was taken up.
            DatabaseError: if the database fails.

        If the call is cancelled, the item is saved completely or not at all.

        Example:
            >>> await ms.media.save_media_item(movie, library_id="movies",
            ...                                source_id="home")  # doctest: +SKIP
            SaveResult(id='home:603', status=<SaveStatus.SAVED: 'saved'>, problems=(), repeats=0)
        """
        self._database.check_open()
        full_id = await self._full_library_id(library_id, source_id)
        return await self._writer.save(normal_item(item, source_id, full_id))

    async def save_media_items(
        self,
        items: Iterable[MediaItem] | AsyncIterable[MediaItem],
        *,
        library_id: str,
        source_id: str,
        concurrency: int = DEFAULT_CONCURRENCY,
        orphan_window: int = DEFAULT_ORPHAN_WINDOW,
        report: SaveReport | None = None,
        context: WriteContext = API,
    ) -> SaveReport:
        """Save many items as a stream: at most *concurrency* of them are in memory at once.

        An item that cannot be stored is reported, and disturbs no other item. Shows, seasons and episodes may
        come in any order: up to *orphan_window* items wait for their parents. If an item is given twice, the
        last one wins.

        Args:
            items: any iterable or async iterable.
            library_id: the library's own key or full id.
            source_id: the source.
            concurrency: how many items may be read ahead of their commit.
            orphan_window: how many items may wait for parents that have not come yet.
            report: counts the outcomes while the call runs; by default a new one.
            context: why they are saved, for the change log.

        Returns:
            The report, when all is committed.

        Raises:
            UnknownLibrary: if the library is not stored.
            UsageError: if *concurrency* or *orphan_window* is not positive.
            LifecycleError, DatabaseError: if the database fails; nothing more is then taken from *items*.

        Example:
            >>> report = await ms.media.save_media_items(movies, library_id="movies",
            ...                                          source_id="home")  # doctest: +SKIP
            >>> report.saved, report.unchanged, report.failed  # doctest: +SKIP
            (2, 0, [])
        """
        if concurrency < 1 or orphan_window < 1:
            raise UsageError("concurrency and orphan_window must be at least 1")
        self._database.check_open()
        full_id = await self._full_library_id(library_id, source_id)
        report = SaveReport() if report is None else report
        stream = SaveStream(self._writer, report, concurrency, orphan_window, context)
        with deferred():
            async with aclosing(as_async(items)) as taken:
                await stream.save(taken, source_id, full_id)
        if report.saved >= _WORTH_NEW_STATISTICS:
            # Everything is saved. If new statistics for the planner fail, the next large save gathers them.
            with suppress(DatabaseError):
                await self._database.update_statistics()
        return report

    async def upsert_people(
        self,
        people: Iterable[Person] | AsyncIterable[Person],
        *,
        source_id: str,
        context: WriteContext = API,
    ) -> int:
        """Save people of one source in pages, apart from any item. Return how many rows were written.

        People whose last credit was removed stay hidden.

        Raises:
            UnknownSource: if the source is not stored.
            UsageError: if one of them cannot be stored; the pages before it are saved.
        """
        written = 0
        page: list[Person] = []
        async with aclosing(as_async(people)) as taken:
            async for person in taken:
                page.append(person)
                if len(page) == _PEOPLE_PAGE:
                    written += await self._upsert_page(page, source_id, context)
                    page = []
        return written + (await self._upsert_page(page, source_id, context) if page else 0)

    async def _upsert_page(self, page: Sequence[Person], source_id: str, context: WriteContext) -> int:
        rows, derived = normal_people(page, source_id)

        async def work(session: Session, outbox: Outbox) -> int:
            _, written = await save_people(session, rows, derived, outbox, shown=False)
            return written

        return await self._writer.record(work, context)

    async def save_media_people(self, media_item_id: str, credits_given: Sequence[Credit]) -> SaveResult:
        """Replace the credit list of a stored item by a full one, leaving the item's own fields.

        A list that is stored already is not written again.

        Raises:
            UnknownItem: if the item is not stored.
            InvalidItem: if a text cannot be stored.
        """
        normal = normal_credits(media_item_id, credits_given)

        async def work(session: Session, outbox: Outbox) -> SaveStatus:
            state = await _require(MediaRepository(session), media_item_id)
            changed = await replace_credits(session, media_item_id, normal, state, outbox)
            return SaveStatus.SAVED if changed else SaveStatus.UNCHANGED

        status = await self._writer.record(work)
        return SaveResult(media_item_id, status, tuple(normal.problems), normal.repeats)

    async def delete_media_people(self, media_item_id: str) -> int:
        """Empty an item's credit list; nothing is then known of it. Return how many credits went.

        Raises:
            UnknownItem: if the item is not stored.
        """

        async def work(session: Session, outbox: Outbox) -> int:
            media = MediaRepository(session)
            state = await _require(media, media_item_id)
            if state.completeness is Completeness.NONE:
                return 0
            lists = await CreditRepository(session).find_stored_lists([media_item_id])
            number = await media.delete_media_people(media_item_id)
            before: Image = {"completeness": state.completeness.value}
            if stored := lists[media_item_id]:
                before["credits"] = credits_image(stored)
            outbox.change_item(media_item_id, before)
            await hide_uncredited(session, outbox, lists, {media_item_id: state.key})
            return number

        return await self._writer.record(work)

    async def delete_media_item(self, media_item_id: str) -> bool:
        """Delete an item with its credits and all below it. Return whether it was there.

        People whom nothing else credits are not shown any more, until something credits them again.
        """

        async def work(session: Session, outbox: Outbox) -> bool:
            media = MediaRepository(session)
            below = await media.lock_below(media_item_id)
            images = await outbox.find_item_images(list(below))
            lists = await CreditRepository(session).find_stored_lists(list(below))
            states = await media.find_states(list(below))
            was_there = bool(await media.delete_items([media_item_id]))
            for item_id in reversed(below):  # children before their parents
                if not states[item_id].missing:
                    outbox.remove_item(item_id, images[item_id], lists[item_id])
            await hide_uncredited(session, outbox, lists, below)
            return was_there

        return await self._writer.record(work)

    async def _full_library_id(self, library_id: str, source_id: str) -> str:
        check_source_id(source_id)
        if not isinstance(library_id, str):
            raise UsageError(f"a {type(library_id).__name__} is not a library's id: give a text")
        full_id = library_id if library_id.startswith(source_id + ":") else make_id(source_id, library_id)
        if (full_id, source_id) not in self._known_libraries:
            async with self._database.read() as session:
                await SourceRepository(session).require_library(full_id, source_id)
            self._known_libraries.add((full_id, source_id))
        return full_id


def is_new_server(stored: Source | None, source: Source, *, accepted: bool) -> bool:
    """Return whether *source* is another server than the one that is stored under its id.

    Raises:
        ConfigurationError: if it is and that is not *accepted*, or if it is of another kind.
    """
    if stored is None:
        return False
    if stored.kind != source.kind:
        raise ConfigurationError(
            f"source {source.id!r} is stored as {stored.kind}, not {source.kind}: give it another name"
        )
    is_new = bool(stored.server_id) and source.server_id not in (None, stored.server_id)
    if is_new and not accepted:
        raise ConfigurationError(
            f"source {source.id!r} is the server {stored.server_id!r}, and what answers now is the server "
            f"{source.server_id!r}: give the new one another name, or, if it is to take the place of the old "
            "one, say so once: --accept-new-server, accept_new_server=True"
        )
    return is_new


async def _require(media: MediaRepository, media_item_id: str) -> ItemState:
    states = await media.find_states([media_item_id], lock=True)
    if not states or states[media_item_id].missing:
        raise UnknownItem(f"media item {media_item_id!r} is not stored")
    return states[media_item_id]
