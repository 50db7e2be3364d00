"""The endpoint of the search."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from mediasync.hits import SearchAnswer
from mediasync.web.api.endpoints import Call, Endpoint
from mediasync.web.api.requests import Query


class SearchQuery(Query):
    """What is searched for.

    Attributes:
        q: words or their beginnings, of a title or a name. A year at the end prefers items of that year.
        kinds: what to look for; everything by default.
        limit: the largest number of titles, and of people, in the answer.
    """

    q: Annotated[str, Field(max_length=1_000)]
    kinds: list[Literal["movie", "show", "season", "episode", "person"]] = Field(default_factory=list)
    limit: Annotated[int, Field(ge=1, le=100)] = 10


async def search(call: Call[SearchQuery, None]) -> SearchAnswer:
    """Find titles and people by what somebody types, the best first. Misspellings are forgiven."""
    query = call.query
    return await call.site.ms.library.search(query.q, kinds=query.kinds or None, limit=query.limit)


ENDPOINTS: Final = (Endpoint("/search", search, SearchAnswer, "search", query=SearchQuery),)
