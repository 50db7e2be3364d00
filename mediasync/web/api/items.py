"""Endpoints of items, their credits, and what stands below them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field
from starlette.exceptions import HTTPException

from mediasync.errors import UnknownItem
from mediasync.filters import Credited, Facet, ItemFilter, ItemSort
from mediasync.library.lists import MOST_AT_ONCE
from mediasync.models import Credit
from mediasync.summaries import ItemSummary, Page
from mediasync.vocabulary import Completeness, MediaType
from mediasync.web.api.answers import Counted, ItemAnswer, Rows, as_answer
from mediasync.web.api.endpoints import Call, Endpoint, Reply
from mediasync.web.api.requests import Flag, Query, Time

Limit = Annotated[int, Field(ge=1, le=MOST_AT_ONCE)]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Year = Annotated[int, Field(ge=-9_999, le=9_999)]
Offset = Annotated[int, Field(ge=0, le=2**31 - 1)]
FullId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*:.", max_length=4_000)]

_SEVERAL: Final = 50


def function_and_id(text: str) -> tuple[str | None, str]:
    """Return whom a parameter names: ``ID``, or ``FUNCTION@ID``. No id has an at sign before its first colon.

    Example:
        >>> function_and_id("director@home:1158"), function_and_id("home:a@b")
        (('director', 'home:1158'), (None, 'home:a@b'))
    """
    function, at, _ = text.partition(":")[0].rpartition("@")
    return (function, text[len(function) + 1 :]) if at else (None, text)


def _credited(text: str) -> Credited:
    function, person_id = function_and_id(text)
    return Credited(person_id, function)


class ItemsQuery(Query):
    """Which items.

    Attributes:
        source_id: only items of this source.
        library_id: only items that this library lists; its full id.
        media_types: only items of these types.
        year_from: only items of this year or a later one.
        year_to: only items of this year or an earlier one.
        genre: only items of this genre. Case, accents and punctuation do not matter.
        min_rating: only items whose main rating is at least this.
        provider_id: only items with this id at a public provider: ``imdb:tt0133093``.
        with_provider: only items with any id at this provider: ``imdb``.
        without_provider: only items without an id at this provider.
        completeness: only items of whose credit list this much is known.
        added_since: only items that were added to the source at this time or later.
        changed_since: only items that were stored or changed at this time or later.
        created_since: only items that were first stored at this time or later.
        with_people: only items that credit all of these people: full ids, or ``FUNCTION@ID``, as in
            ``director@home:1158``.
        without_people: only items that credit none of these people.
    """

    source_id: Text | None = None
    library_id: FullId | None = None
    media_types: list[MediaType] = Field(default_factory=list)
    year_from: Year | None = None
    year_to: Year | None = None
    genre: Text | None = None
    min_rating: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] | None = None
    provider_id: Annotated[str, Field(pattern=r"^[^:]*[^:\s][^:]*:\s*\S")] | None = None
    with_provider: Text | None = None
    without_provider: Text | None = None
    completeness: Completeness | None = None
    added_since: Time | None = None
    changed_since: Time | None = None
    created_since: Time | None = None
    with_people: list[Text] = Field(default_factory=list, max_length=_SEVERAL)
    without_people: list[Text] = Field(default_factory=list, max_length=_SEVERAL)

    def as_filter(self) -> ItemFilter:
        """Return the filter.

        Raises:
            UsageError: if values do not go together.
        """
        given = {name: getattr(self, name) for name in ItemsQuery.model_fields}
        for name in ("with_people", "without_people"):
            given[name] = [_credited(one) for one in given[name]]
        return ItemFilter(**given)


class ItemListQuery(ItemsQuery):
    """Which items, and in which order.

    Attributes:
        sort: what they are sorted by. Items for which it is not known come last.
        descending: whether the highest comes first.
        after: ``next`` of the page before.
        limit: the largest number of rows in the answer.
        with_total: whether the items of all pages are counted as well.
    """

    sort: ItemSort = ItemSort.TITLE
    descending: Flag = False
    after: Text | None = None
    limit: Limit = 50
    with_total: Flag = False


class CountQuery(ItemsQuery):
    """Which items, and what they are counted by.

    Attributes:
        facet: what they are counted by. An item of several genres counts in each.
    """

    facet: Facet


class CreditsQuery(Query):
    """Which credits.

    Attributes:
        person_type: only those with this function, such as ``director``.
        after: ``next`` of the page before.
        limit: the largest number of rows in the answer.
        with_total: whether the credits of all pages are counted as well.
    """

    person_type: Text | None = None
    after: Text | None = None
    limit: Limit = 50
    with_total: Flag = False


class ChildrenQuery(Query):
    """Which part of the list.

    Attributes:
        offset: how many rows to skip.
        limit: the largest number of rows in the answer.
    """

    offset: Offset = 0
    limit: Limit = 200


def page_reply(page: Page[Any]) -> Reply:
    """Return the answer with a page, which links to the next one."""
    return Reply(page, next={} if page.next is None else {"after": page.next})


async def list_items(call: Call[ItemListQuery, None]) -> Reply:
    """List items, filtered and sorted, page by page.

    Items that are stored or removed between two pages never make another item appear twice, or be left out.
    """
    query = call.query
    page = await call.site.ms.library.list_items(
        query.as_filter(),
        sort=query.sort,
        descending=query.descending,
        after=query.after,
        limit=query.limit,
        with_total=query.with_total,
    )
    return page_reply(page)


async def count_items(call: Call[CountQuery, None]) -> Rows[Counted]:
    """Count items by type, year, decade, genre, library or source."""
    found = await call.site.ms.library.count_items_by(call.query.facet, call.query.as_filter())
    return Rows(rows=[Counted(value=value, count=count) for value, count in found.items()])


async def get_item(call: Call[Query, None]) -> ItemAnswer:
    """Return one item with its cast and crew."""
    return as_answer(await call.site.ms.media.get_media_item(call.id))


async def list_credits(call: Call[CreditsQuery, None]) -> Reply:
    """List the credits of one item in billing order, page by page."""
    query = call.query
    page = await call.site.ms.library.list_cast(
        call.id,
        person_type=query.person_type,
        after=query.after,
        limit=query.limit,
        with_total=query.with_total,
    )
    return page_reply(page)


async def list_children(call: Call[ChildrenQuery, None]) -> Rows[ItemSummary]:
    """List the seasons of a show, or the episodes of a season, by number."""
    query = call.query
    found = await call.site.ms.media.list_children(call.id, limit=query.limit, offset=query.offset)
    if not found:
        await find_item(call)
    ids = [item.id for item in found if item.id is not None]
    return Rows(rows=await call.site.ms.library.find_items(ids))


async def find_item(call: Call[Query, None]) -> ItemSummary:
    """Return the item that the path names.

    Raises:
        UnknownItem: if it is not stored.
    """
    found = await call.site.ms.library.find_items([call.id])
    if not found:
        raise UnknownItem(f"media item {call.id!r} is not stored")
    return found[0]


def only(media_type: MediaType, allowed: str) -> HTTPException:
    """Return the refusal of an item of a type that has no such part."""
    return HTTPException(409, f"A {media_type} is not {allowed}.")


_ITEM: Final = "the full id of the item"

ENDPOINTS: Final = (
    Endpoint("/items", list_items, Page[ItemSummary], "items", query=ItemListQuery, has_pages=True),
    Endpoint("/counts", count_items, Rows[Counted], "items", query=CountQuery),
    Endpoint("/items/{id:path}", get_item, ItemAnswer, "items", subject=_ITEM),
    Endpoint(
        "/credits/{id:path}",
        list_credits,
        Page[Credit],
        "items",
        query=CreditsQuery,
        subject=_ITEM,
        has_pages=True,
    ),
    Endpoint(
        "/children/{id:path}",
        list_children,
        Rows[ItemSummary],
        "items",
        query=ChildrenQuery,
        subject="the full id of the show or season",
    ),
)
