"""Endpoints of people, and of who worked on what and with whom."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from mediasync.filters import PersonFilter
from mediasync.models import FilmographyCredit
from mediasync.summaries import ItemSummary, Page, PersonSummary
from mediasync.vocabulary import CAST_TYPES, MediaType
from mediasync.web.api.answers import PersonAnswer, Rows
from mediasync.web.api.endpoints import Call, Endpoint, Reply, require
from mediasync.web.api.items import FullId, Limit, Text, Year, find_item, function_and_id, only, page_reply
from mediasync.web.api.requests import Flag, Query
from mediasync.works import (
    CastMember,
    Costar,
    Filmography,
    FilmographyTitle,
    FindQuery,
    PersonPair,
    RankedPerson,
    Who,
)

Decade = Annotated[int, Field(ge=-9_990, le=9_990, multiple_of=10)]


class PeopleQuery(Query):
    """Which people.

    Attributes:
        source_id: only people of this source.
        name_prefix: only people whose name begins with this text. Case, accents and punctuation do not
            matter.
        person_type: only people with this function, such as ``director``.
        item_id: only people credited in this item, a full id.
        library_id: only people credited in an item of this library, a full id.
        min_works: only people credited in at least this many movies and shows.
        has_image: only people with a picture, or only those without one.
        descending: whether the list begins with the last name.
        after: ``next`` of the page before.
        limit: the largest number of rows in the answer.
        with_total: whether the people of all pages are counted as well.
    """

    source_id: Text | None = None
    name_prefix: Text | None = None
    person_type: Text | None = None
    item_id: Text | None = None
    library_id: FullId | None = None
    min_works: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    has_image: Flag | None = None
    descending: Flag = False
    after: Text | None = None
    limit: Limit = 50
    with_total: Flag = False

    def as_filter(self) -> PersonFilter:
        """Return the filter."""
        return PersonFilter(
            source_id=self.source_id,
            name_prefix=self.name_prefix,
            person_type=self.person_type,
            item_id=self.item_id,
            library_id=self.library_id,
            min_works=self.min_works,
            has_image=self.has_image,
        )


class FilmographyQuery(Query):
    """Which credits, and how they are listed.

    Attributes:
        by: ``title``: movies and shows, each once; ``credit``: each credit in each item.
        person_types: only credits with these functions.
        media_types: by title, only movies or only shows; by credit, only items of these types.
        self_apart: whether appearances as "self" and those in talk shows stand in sections of their own.
    """

    by: Literal["title", "credit"] = "title"
    person_types: list[Text] = Field(default_factory=list)
    media_types: list[MediaType] = Field(default_factory=list)
    self_apart: Flag = True


class CostarsQuery(Query):
    """Which others.

    Attributes:
        person_types: the functions of the others.
        own_types: the functions of the person.
        limit: the largest number of rows in the answer.
    """

    person_types: list[Text] = Field(default_factory=list)
    own_types: list[Text] = Field(default_factory=list)
    limit: Limit = 20


class CastQuery(Query):
    """Which members.

    Attributes:
        person_types: only members with these functions; those of the cast by default.
        limit: the largest number of rows in the answer.
    """

    person_types: list[Text] = Field(default_factory=list)
    limit: Limit = 200


class AmongQuery(Query):
    """Which credits count.

    Attributes:
        decade: only items of these ten years, named by the first one.
        genre: only items that have it, or whose show has it.
        source_id: only people of this source.
        limit: the largest number of rows in the answer.
    """

    decade: Decade | None = None
    genre: Text | None = None
    source_id: Text | None = None
    limit: Limit = 20


class TopQuery(AmongQuery):
    """How people are ranked.

    Attributes:
        person_types: the functions that count.
        by: what counts: ``items``, of which a show is one, or ``episodes``.
    """

    person_types: list[Text] = Field(default_factory=lambda: ["actor"], min_length=1)
    by: Literal["items", "episodes"] = "items"


class PairsQuery(AmongQuery):
    """Which pairs.

    Attributes:
        first_type: the function of the first person.
        second_type: the function of the second person.
    """

    first_type: Text = "director"
    second_type: Text = "actor"


class FoundQuery(Query):
    """Who is credited, and among which items.

    Attributes:
        with_people: only items that credit all of these people: full ids or aliases, or ``FUNCTION@ID``.
        without_people: only items that credit none of these people.
        media_types: only items of these types.
        year_from: only items of this year or later.
        year_to: only items of this year or earlier.
        genres: only items that have all of these genres, or whose show does.
        source_ids: only items of these sources.
        roll_up: whether seasons and episodes are replaced by their show.
        after: ``next`` of the page before.
        limit: the largest number of rows in the answer.
    """

    with_people: list[Text] = Field(min_length=1, max_length=50)
    without_people: list[Text] = Field(default_factory=list, max_length=50)
    media_types: list[MediaType] = Field(default_factory=list)
    year_from: Year | None = None
    year_to: Year | None = None
    genres: list[Text] = Field(default_factory=list)
    source_ids: list[Text] = Field(default_factory=list)
    roll_up: Flag = False
    after: Text | None = None
    limit: Limit = 50

    def as_query(self) -> FindQuery:
        """Return the question."""
        return FindQuery(
            with_people=[_who(one) for one in self.with_people],
            without_people=[_who(one) for one in self.without_people],
            media_types=self.media_types,
            first_year=self.year_from,
            last_year=self.year_to,
            genres=self.genres,
            source_ids=self.source_ids,
            roll_up=self.roll_up,
        )


def _who(text: str) -> Who:
    function, person_id = function_and_id(text)
    return Who(person_ids=[person_id], person_types=[] if function is None else [function])


async def list_people(call: Call[PeopleQuery, None]) -> Reply:
    """List people by name, page by page.

    ``person_type``, ``item_id`` and ``library_id`` are asked of one credit: together they mean the people
    with this function in that item.
    """
    query = call.query
    page = await call.site.ms.library.list_people(
        query.as_filter(),
        descending=query.descending,
        after=query.after,
        limit=query.limit,
        with_total=query.with_total,
    )
    return page_reply(page)


async def get_person(call: Call[Query, None]) -> PersonAnswer:
    """Return one person, by id or alias."""
    person = require(await call.site.ms.people.find_by_id(call.id), f"There is no person {call.id!r}.")
    known = {"provider_ids": person.provider_ids, "created_at": person.created_at}
    for summary in await call.site.ms.library.find_people([person.id]):
        return PersonAnswer(**summary.model_dump(), **known, updated_at=person.updated_at)
    return PersonAnswer(
        id=person.id,
        source_id=person.source_id,
        name=person.name,
        image_path=person.image_path,
        **known,
        updated_at=person.updated_at,
    )


async def get_filmography(
    call: Call[FilmographyQuery, None],
) -> Filmography[FilmographyTitle] | Filmography[FilmographyCredit]:
    """Return what a person did, the oldest first."""
    query = call.query
    library = call.site.ms.library
    types, media = query.person_types or None, query.media_types or None
    found = (
        await library.filmography(call.id, person_types=types, media_types=media, self_apart=query.self_apart)
        if query.by == "title"
        else await library.filmography(
            call.id, by="credit", person_types=types, media_types=media, self_apart=query.self_apart
        )
    )
    if found.person is None:
        await get_person(call)
    return found


async def list_costars(call: Call[CostarsQuery, None]) -> Rows[Costar]:
    """List with whom a person worked, those with most works first."""
    query = call.query
    found = await call.site.ms.library.costars(
        call.id,
        person_types=query.person_types or None,
        own_types=query.own_types or None,
        limit=query.limit,
    )
    if not found:
        await get_person(call)
    return Rows(rows=found)


async def list_cast(call: Call[CastQuery, None]) -> Rows[CastMember]:
    """List the cast of a whole show or season with their numbers of episodes, the main cast first."""
    item = await find_item(call)
    if item.media_type not in {MediaType.SHOW, MediaType.SEASON}:
        raise only(item.media_type, "a show or a season; /credits has whom it credits")
    library = call.site.ms.library
    cast = library.show_cast if item.media_type is MediaType.SHOW else library.season_cast
    types = call.query.person_types or CAST_TYPES
    return Rows(rows=await cast(item.id, person_types=types, limit=call.query.limit))


async def find(call: Call[FoundQuery, None]) -> Reply:
    """Find the items that credit all of some people and none of others, the oldest first.

    Seasons and episodes count as crediting also whom their show or season credits, except as guest stars.
    """
    query = call.query
    page = await call.site.ms.library.find(query.as_query(), after=query.after, limit=query.limit)
    return page_reply(page)


async def list_top(call: Call[TopQuery, None]) -> Rows[RankedPerson]:
    """List the people with most works or most episodes in a function."""
    query = call.query
    async with call.site.turns.take():
        found = await call.site.ms.library.top(
            query.person_types,
            by=query.by,
            decade=query.decade,
            genre=query.genre,
            source_id=query.source_id,
            limit=query.limit,
        )
    return Rows(rows=found)


async def list_pairs(call: Call[PairsQuery, None]) -> Rows[PersonPair]:
    """List the pairs of people who worked together most often, each in a function."""
    query = call.query
    async with call.site.turns.take():
        found = await call.site.ms.library.pairs(
            query.first_type,
            query.second_type,
            decade=query.decade,
            genre=query.genre,
            source_id=query.source_id,
            limit=query.limit,
        )
    return Rows(rows=found)


_PERSON: Final = "the full id of the person, or an alias"

ENDPOINTS: Final = (
    Endpoint("/people", list_people, Page[PersonSummary], "people", query=PeopleQuery, has_pages=True),
    Endpoint("/people/{id:path}", get_person, PersonAnswer, "people", subject=_PERSON),
    Endpoint(
        "/filmographies/{id:path}",
        get_filmography,
        Filmography[FilmographyTitle] | Filmography[FilmographyCredit],
        "people",
        query=FilmographyQuery,
        subject=_PERSON,
    ),
    Endpoint("/costars/{id:path}", list_costars, Rows[Costar], "people", query=CostarsQuery, subject=_PERSON),
    Endpoint(
        "/casts/{id:path}",
        list_cast,
        Rows[CastMember],
        "people",
        query=CastQuery,
        subject="the full id of the show or season",
        errors=(409,),
    ),
    Endpoint("/find", find, Page[ItemSummary], "people", query=FoundQuery, has_pages=True),
    Endpoint("/top", list_top, Rows[RankedPerson], "people", query=TopQuery),
    Endpoint("/pairs", list_pairs, Rows[PersonPair], "people", query=PairsQuery),
)
