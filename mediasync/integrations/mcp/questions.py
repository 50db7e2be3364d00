"""The arguments of the tools. Their descriptions are written for an assistant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LONGEST_TEXT = 2_000
MOST_PEOPLE = 20

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
Year = Annotated[int, Field(ge=0, le=9_999)]
ItemType = Literal["movie", "show", "season", "episode"]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[Text], BeforeValidator(_as_list), Field(max_length=MOST_PEOPLE)]
Types = Annotated[list[ItemType], BeforeValidator(_as_list)]

_PERSON = "A person: an id from an earlier answer, or a name or a part of it; misspellings are forgiven."
_ITEM = (
    "A title: an id from an earlier answer, an id at a provider (imdb:tt0113277, tmdb:949), or a title, with "
    "the year if known: Heat (1995)."
)
_FUNCTIONS = (
    "Functions such as actor, guest_star, director, writer, producer, composer, creator, editor. "
    "Empty for any."
)
_CURSOR = (
    "The `next` of the page before, with all other arguments unchanged. Leave it out for the first page."
)
_SOURCE = "Only this source, by its id; get_status lists them."


class Question(BaseModel):
    """The base of arguments: an unknown one is an error, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class Search(Question):
    """The arguments of ``search``."""

    text: Text = Field(description="Words of a title or a name, or their beginnings; may be misspelt.")
    kinds: Annotated[
        list[Literal["movie", "show", "season", "episode", "person"]], BeforeValidator(_as_list)
    ] = Field(default=[], description="Only these kinds. Empty for all.")
    limit: int = Field(default=10, ge=1, le=50, description="At most so many titles, and so many people.")


class GetItem(Question):
    """The arguments of ``get_item``."""

    item: Text = Field(description=_ITEM)
    cast_limit: int = Field(default=20, ge=0, le=100, description="At most so many of the cast.")


class GetCast(Question):
    """The arguments of ``get_cast``."""

    item: Text = Field(description=_ITEM)
    function: Text | None = Field(default=None, description="Only this function, such as director.")
    cursor: Text | None = Field(default=None, description=_CURSOR)
    limit: int = Field(default=50, ge=1, le=200, description="At most so many credits.")


class GetChildren(Question):
    """The arguments of ``get_children``."""

    item: Text = Field(description=f"{_ITEM} It is a show or a season.")
    cursor: Text | None = Field(default=None, description=_CURSOR)
    limit: int = Field(default=50, ge=1, le=100, description="At most so many seasons or episodes.")


class GetPerson(Question):
    """The arguments of ``get_person``."""

    person: Text = Field(description=_PERSON)


class GetFilmography(Question):
    """The arguments of ``get_filmography``."""

    person: Text = Field(description=_PERSON)
    functions: Texts = Field(default=[], description=_FUNCTIONS)
    types: Annotated[list[Literal["movie", "show"]], BeforeValidator(_as_list)] = Field(
        default=[], description="Only movies, or only shows. Empty for both."
    )
    section: Literal["works", "as_self", "talk_shows"] = Field(
        default="works",
        description="as_self: appearances as themselves; talk_shows: talk shows and news; works: the rest.",
    )
    cursor: Text | None = Field(default=None, description=_CURSOR)
    limit: int = Field(default=50, ge=1, le=200, description="At most so many titles.")


class FindTitles(Question):
    """The arguments of ``find_titles``."""

    with_people: Annotated[Texts, Field(min_length=1)] = Field(
        description="Every one of these people is credited. Each is an id, or a name or a part of it. To ask "
        "for a function, write FUNCTION=PERSON: director=Michael Mann."
    )
    without_people: Texts = Field(
        default=[], description="None of these people is credited; written as in with_people."
    )
    types: Types = Field(
        default=[], description="Only these types. With season or episode, shows are not folded."
    )
    first_year: Year | None = Field(default=None, description="Only of this year or later.")
    last_year: Year | None = Field(default=None, description="Only of this year or earlier.")
    genres: Texts = Field(default=[], description="All of these genres, as the library spells them.")
    source: Text | None = Field(default=None, description=_SOURCE)
    episodes: bool = Field(
        default=False, description="List seasons and episodes; otherwise their show is listed once."
    )
    cursor: Text | None = Field(default=None, description=_CURSOR)
    limit: int = Field(default=50, ge=1, le=200, description="At most so many titles.")


class GetCostars(Question):
    """The arguments of ``get_costars``."""

    person: Text = Field(description=_PERSON)
    functions: Texts = Field(
        default=[], description="The functions of the others: director, writer, … Empty for the cast."
    )
    limit: int = Field(default=20, ge=1, le=100, description="At most so many people.")


class _Among(Question):
    decade: Year | None = Field(default=None, description="Only of this decade, by its first year: 1990.")
    genre: Text | None = Field(default=None, description="Only of this genre.")
    source: Text | None = Field(default=None, description=_SOURCE)
    limit: int = Field(default=20, ge=1, le=100, description="At most so many.")


class TopPeople(_Among):
    """The arguments of ``top_people``."""

    function: Text = Field(description="The function: actor, director, writer, composer, …")
    by: Literal["items", "episodes"] = Field(
        default="items", description="Count movies and shows (items), or episodes."
    )


class TopPairs(_Among):
    """The arguments of ``top_pairs``."""

    first_function: Text = Field(description="The function of one: director, …")
    second_function: Text = Field(description="The function of the other: composer, …; may be the same.")


class _Filter(Question):
    types: Types = Field(default=[], description="Only these types. Empty for all.")
    source: Text | None = Field(default=None, description=_SOURCE)
    library: Text | None = Field(default=None, description="Only this library, by its id or its title.")
    first_year: Year | None = Field(default=None, description="Only of this year or later.")
    last_year: Year | None = Field(default=None, description="Only of this year or earlier.")
    genre: Text | None = Field(default=None, description="Only of this genre.")
    min_rating: float | None = Field(
        default=None, ge=0, le=10, description="Only with a main rating of at least so much, from 0 to 10."
    )


class ListItems(_Filter):
    """The arguments of ``list_items``."""

    sort: Literal["title", "year", "added", "changed", "rating"] = Field(
        default="title",
        description="added: when the source got it; changed: when the mirror last stored a change.",
    )
    descending: bool = Field(default=False, description="The highest or newest first.")
    cursor: Text | None = Field(default=None, description=_CURSOR)
    limit: int = Field(default=50, ge=1, le=200, description="At most so many items.")


class CountItems(_Filter):
    """The arguments of ``count_items``."""

    by: Literal["type", "year", "decade", "genre", "library", "source"] = Field(
        default="type", description="What is counted apart."
    )


class ListChanges(Question):
    """The arguments of ``list_changes``."""

    after: int | None = Field(
        default=None,
        ge=0,
        le=2**63 - 1,
        description="Only changes after this number: the `next_after` of an earlier answer.",
    )
    since: datetime | None = Field(
        default=None, description="Only changes from this time on, with a zone: 2026-05-01T00:00:00Z."
    )
    source: Text | None = Field(default=None, description=_SOURCE)
    limit: int = Field(default=50, ge=1, le=200, description="At most so many changes.")


class ListRemoved(Question):
    """The arguments of ``list_removed``."""

    source: Text | None = Field(default=None, description=_SOURCE)
    cursor: Text | None = Field(default=None, description=_CURSOR)
    limit: int = Field(default=50, ge=1, le=200, description="At most so many items.")


class GetStatus(Question):
    """``get_status`` takes no arguments."""
