"""Lists of items and people, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from mediasync.database.database import Database
from mediasync.errors import UnknownItem, UsageError
from mediasync.filters import Facet, ItemFilter, ItemSort, PersonFilter, parse_choice
from mediasync.library.cursors import decode_cursor, encode_cursor, list_digest
from mediasync.models import Credit
from mediasync.repositories.lists import ListReader, Place, Plan
from mediasync.summaries import ItemSummary, Page, PersonSummary
from mediasync.text import check_texts
from mediasync.vocabulary import PersonType

MOST_AT_ONCE: Final = 1_000
"""How many entries a page has at most."""

_ITEMS_AT_ONCE: Final = 500
_PEOPLE_AT_ONCE: Final = 200
_EVERYTHING: Final = ItemFilter()
_EVERYBODY: Final = PersonFilter()


class LibraryLists:
    """Lists items and people page by page, and counts them.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_items(
        self,
        items: ItemFilter = _EVERYTHING,
        *,
        sort: ItemSort | str = ItemSort.TITLE,
        descending: bool = False,
        after: str | None = None,
        limit: int = 50,
        with_total: bool = False,
    ) -> Page[ItemSummary]:
        """Return a page of a list of items, without their credits.

        A page costs the same wherever it is in the list. Items that are stored or removed between two pages
        never make another item appear twice, or be left out.

        Args:
            items: which items; all by default.
            sort: ``title`` (as people sort: without the article, accents folded, numbers by value), ``year``,
                ``added``, ``changed`` or ``rating``. Items that are equal in it are sorted by id. Those for
                which it is not known come last.
            descending: the highest first.
            after: `Page.next` of the page before; None for the first page.
            limit: how many, from 1 to 1,000.
            with_total: count the items of all pages, too.

        Raises:
            UsageError: if an argument cannot be used, or the cursor is damaged or of another list.

        Example:
            >>> films = ItemFilter(media_types="movie", year_from=1990, year_to=1999)  # doctest: +SKIP
            >>> page = await ms.library.list_items(films, sort="rating", descending=True)  # doctest: +SKIP
            >>> page = await ms.library.list_items(  # doctest: +SKIP
            ...     films, sort="rating", descending=True, after=page.next
            ... )
        """
        order = parse_choice(ItemSort, "sort", sort)
        _check_page(items, ItemFilter, limit)
        digest = list_digest("items", items, order, bool(descending))
        place = None if after is None else _place(decode_cursor(digest, after))
        async with self._database.read(snapshot=True) as session:
            reader = ListReader(session)
            rows = await reader.list_items(
                items,
                await reader.plan_items(items, order),
                sort=order,
                descending=descending,
                after=place,
                limit=limit,
                with_total=with_total,
            )
        return Page(rows.found, encode_cursor(digest, rows.last) if rows.full else None, rows.total)

    async def iter_items(
        self,
        items: ItemFilter = _EVERYTHING,
        *,
        sort: ItemSort | str = ItemSort.TITLE,
        descending: bool = False,
    ) -> AsyncIterator[ItemSummary]:
        """Iterate over a list of items in bounded memory.

        It is read in pages, each of which is a snapshot of its own.

        Args:
            items: which items; all by default.
            sort: as for `list_items`.
            descending: the highest first.

        Raises:
            UsageError: if an argument cannot be used.
        """
        order = parse_choice(ItemSort, "sort", sort)
        _check_page(items, ItemFilter, 1)
        place: Place | None = None
        plan: Plan | None = None
        while True:
            async with self._database.read(snapshot=True) as session:
                reader = ListReader(session)
                plan = plan or await reader.plan_items(items, order)
                rows = await reader.list_items(
                    items,
                    plan,
                    sort=order,
                    descending=descending,
                    after=place,
                    limit=_ITEMS_AT_ONCE,
                    with_total=False,
                )
            for item in rows.found:
                yield item
            if not rows.full:
                return
            place = rows.last

    async def list_people(
        self,
        people: PersonFilter = _EVERYBODY,
        *,
        descending: bool = False,
        after: str | None = None,
        limit: int = 50,
        with_total: bool = False,
    ) -> Page[PersonSummary]:
        """Return a page of a list of people, by name and then by id.

        Case, accents and punctuation of names do not matter for the order.

        Args:
            people: which people; all by default.
            descending: the last name first.
            after: `Page.next` of the page before; None for the first page.
            limit: how many, from 1 to 1,000.
            with_total: count the people of all pages, too.

        Raises:
            UsageError: if an argument cannot be used, or the cursor is damaged or of another list.

        Example:
            >>> directors = PersonFilter(person_type="director", name_prefix="k")  # doctest: +SKIP
            >>> [one.name for one in (await ms.library.list_people(directors)).rows]  # doctest: +SKIP
            ['Kathryn Bigelow', 'Krzysztof Kieślowski']
        """
        _check_page(people, PersonFilter, limit)
        digest = list_digest("people", people, bool(descending))
        place = None if after is None else _place(decode_cursor(digest, after))
        async with self._database.read(snapshot=True) as session:
            reader = ListReader(session)
            rows = await reader.list_people(
                await reader.plan_people(people),
                descending=descending,
                after=place,
                limit=limit,
                with_total=with_total,
            )
        return Page(rows.found, encode_cursor(digest, rows.last) if rows.full else None, rows.total)

    async def iter_people(
        self, people: PersonFilter = _EVERYBODY, *, descending: bool = False
    ) -> AsyncIterator[PersonSummary]:
        """Iterate over a list of people in bounded memory, by name and then by id.

        It is read in pages, each of which is a snapshot of its own.

        Args:
            people: which people; all by default.
            descending: the last name first.

        Raises:
            UsageError: if an argument cannot be used.
        """
        _check_page(people, PersonFilter, 1)
        place: Place | None = None
        plan: Plan | None = None
        while True:
            async with self._database.read(snapshot=True) as session:
                reader = ListReader(session)
                plan = plan or await reader.plan_people(people)
                rows = await reader.list_people(
                    plan, descending=descending, after=place, limit=_PEOPLE_AT_ONCE, with_total=False
                )
            for person in rows.found:
                yield person
            if not rows.full:
                return
            place = rows.last

    async def list_cast(
        self,
        media_item_id: str,
        *,
        person_type: PersonType | str | None = None,
        after: str | None = None,
        limit: int = 50,
        with_total: bool = False,
    ) -> Page[Credit]:
        """Return a page of the credits of one item, in billing order.

        Args:
            media_item_id: its full id.
            person_type: only credits with this function, such as ``director``.
            after: `Page.next` of the page before; None for the first page.
            limit: how many, from 1 to 1,000.
            with_total: count the credits of all pages, too.

        Raises:
            UnknownItem: if the item is not stored.
            UsageError: if an argument cannot be used, or the cursor is damaged or of another list.
        """
        check_texts("media item", {"id": media_item_id, "person_type": person_type})
        _check_limit(limit)
        kind = None if person_type is None else str(PersonType.parse(person_type))
        digest = list_digest("cast", media_item_id, kind)
        place = -1 if after is None else int(decode_cursor(digest, after))
        async with self._database.read(snapshot=True) as session:
            reader = ListReader(session)
            found = await reader.list_cast(media_item_id, kind, after=place, limit=limit)
            total = None
            if with_total or not found:
                total = await reader.count_cast(media_item_id, kind)
                if total is None:
                    raise UnknownItem(f"media item {media_item_id!r} is not stored")
        rows = [credit for credit in found if credit is not None]
        last = rows[-1].sort_order if rows and len(found) == limit else None
        return Page(
            rows, None if last is None else encode_cursor(digest, last), total if with_total else None
        )

    async def find_by_provider_id(self, provider: str, value: str) -> list[ItemSummary]:
        """Return the items that have this id at a public provider, of all sources, by id.

        `ms.media.find_by_provider_id` returns them with their credits.

        Args:
            provider: ``imdb``, ``tmdb``, …
            value: the id there.

        Example:
            >>> await ms.library.find_by_provider_id("imdb", "tt0133093")  # doctest: +SKIP
            [ItemSummary(id='home:603', ...)]
        """
        check_texts("provider id", {"provider": provider, "value": value})
        async with self._database.read() as session:
            return await ListReader(session).find_by_provider_id(provider.strip().lower(), value.strip())

    async def count_items(self, items: ItemFilter = _EVERYTHING) -> int:
        """Return how many items a list has.

        Args:
            items: which items; all by default.
        """
        _check_page(items, ItemFilter, 1)
        async with self._database.read(snapshot=True) as session:
            reader = ListReader(session)
            return await reader.count_items(await reader.plan_items(items, None))

    async def count_people(self, people: PersonFilter = _EVERYBODY) -> int:
        """Return how many people a list has.

        Args:
            people: which people; all by default.
        """
        _check_page(people, PersonFilter, 1)
        async with self._database.read(snapshot=True) as session:
            reader = ListReader(session)
            return await reader.count_people(await reader.plan_people(people))

    async def count_items_by(
        self, facet: Facet | str, items: ItemFilter = _EVERYTHING
    ) -> dict[str | int, int]:
        """Return how many items of a list there are of each type, year, decade, genre, library or source.

        Args:
            facet: ``type``, ``year``, ``decade``, ``genre``, ``library`` or ``source``.
            items: which items; all by default.

        Returns:
            The numbers by value, sorted by value. A decade is its first year. An item of several genres or
            libraries counts in each; one without a year in none.

        Raises:
            UsageError: if there is no such facet.

        Example:
            >>> await ms.library.count_items_by("decade", ItemFilter(media_types="movie"))  # doctest: +SKIP
            {1980: 12, 1990: 31}
        """
        by = parse_choice(Facet, "facet", facet)
        _check_page(items, ItemFilter, 1)
        async with self._database.read(snapshot=True) as session:
            reader = ListReader(session)
            return dict(await reader.count_items_by(by, await reader.plan_items(items, None)))


def _check_page(given: Any, kind: type[Any], limit: Any) -> None:
    if not isinstance(given, kind):
        raise UsageError(f"the filter is a {type(given).__name__}: give {kind.__name__}(...)")
    _check_limit(limit)


def _check_limit(limit: Any) -> None:
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_AT_ONCE:
        raise UsageError(f"limit {limit!r} is not a number from 1 to {MOST_AT_ONCE:,}")


def _place(given: Any) -> Place:
    value, row_id = given
    return value, str(row_id)
