"""Answers about people and their work: filmographies, casts of shows, and who worked with whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import Field, field_validator

from mediasync.models import Model, PersonKind
from mediasync.summaries import PersonSummary
from mediasync.vocabulary import MediaType

T = TypeVar("T")

MAIN_SHARE: Final = 0.25
"""The share of a show's episodes that makes somebody a member of its main cast."""


class WorkFunction(Model):
    """One function of a person in a movie, or in a show with its seasons and episodes.

    Attributes:
        person_type: the function.
        roles: the characters, or the words of the crew job, without repetition; in a show the one of most
            episodes first.
        episodes: how many episodes credit the person in this function.
        on_title: whether the movie or the show itself credits the person, or one of its seasons does.
    """

    person_type: PersonKind
    roles: list[str] = Field(default_factory=list)
    episodes: int = 0
    on_title: bool = False


class FilmographyTitle(Model):
    """A movie, or a show with its seasons and episodes, with what one person did in it.

    Attributes:
        media_item_id: the full id of the movie or show.
        media_type: ``movie`` or ``show``.
        title: its title.
        year: the year of release.
        poster: a reference to its poster.
        episodes: how many episodes credit the person. Two items with the same season and episode number are
            one episode.
        first_year: the year of the first of these credits.
        last_year: the year of the last of these credits.
        functions: what the person did, in billing order.
    """

    media_item_id: str
    media_type: MediaType
    title: str
    year: int | None = None
    poster: str | None = None
    episodes: int = 0
    first_year: int | None = None
    last_year: int | None = None
    functions: list[WorkFunction] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Filmography(Generic[T]):
    """What one person did, the oldest first, in three sections.

    Attributes:
        person: who it is; None if nobody with that id is credited.
        works: everything that is in no other section.
        as_self: credits of the cast outside of talk shows whose role is the person, such as "Self - Host", or
            is archive footage.
        talk_shows: all credits of the cast in shows of the genres talk, news, reality and game show. Crew of
            such shows is among the works.
    """

    person: PersonSummary | None
    works: list[T]
    as_self: list[T]
    talk_shows: list[T]


class CastMember(Model):
    """One person in the cast of a show or a season.

    Attributes:
        person: who it is.
        person_types: the functions, the one of most credits first.
        roles: the characters, or the words of the crew job, the one of most credits first.
        is_main: whether the person belongs to the main cast: the show or a season itself credits them, or a
            quarter of the episodes does, other than as a guest star.
        episodes: how many episodes credit the person.
        first_year: the year of the first of these episodes.
        last_year: the year of the last of these episodes.
    """

    person: PersonSummary
    person_types: list[PersonKind]
    roles: list[str] = Field(default_factory=list)
    is_main: bool
    episodes: int = 0
    first_year: int | None = None
    last_year: int | None = None


class Who(Model):
    """One human in a question.

    Attributes:
        person_ids: the full ids or aliases of this human. There are several if several sources know them:
            each has its own people.
        person_types: only in these functions; empty for any.

    Example:
        >>> Who(person_ids=["home:1158"], person_types=["director"]).person_ids
        ['home:1158']
    """

    person_ids: list[str] = Field(min_length=1)
    person_types: list[PersonKind] = Field(default_factory=list)


def _as_who(value: Any) -> Any:
    return {"person_ids": [value]} if isinstance(value, str) else value


class FindQuery(Model):
    """Which items to find. An id in place of a `Who` is that person in any function.

    Seasons and episodes count as crediting also whom their show or season credits, except as guest stars.

    Attributes:
        with_people: each of these people is credited.
        without_people: none of these people is credited.
        media_types: only results of these types.
        first_year: only items of this year or later. A season or an episode without a year has that of its
            show.
        last_year: only items of this year or earlier.
        genres: the item, or its show, has all of these genres. Case does not matter in English letters.
        source_ids: only items of these sources.
        roll_up: whether seasons and episodes are replaced by their show, once each.

    Example:
        >>> FindQuery(with_people=["home:1158", Who(person_ids=["home:380"], person_types=["actor"])],
        ...           first_year=1990).with_people[0].person_ids
        ['home:1158']
    """

    with_people: list[Who] = Field(min_length=1)
    without_people: list[Who] = Field(default_factory=list)
    media_types: list[MediaType] = Field(default_factory=list)
    first_year: int | None = None
    last_year: int | None = None
    genres: list[str] = Field(default_factory=list)
    source_ids: list[str] = Field(default_factory=list)
    roll_up: bool = False

    @field_validator("with_people", "without_people", mode="before")
    @classmethod
    def _ids_are_people(cls, value: Any) -> Any:
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        return [_as_who(one) for one in value] if is_list else value


class WorkTitle(Model):
    """A movie or show that an answer names.

    Attributes:
        media_item_id: its full id.
        title: its title.
        year: the year of release.
    """

    media_item_id: str
    title: str
    year: int | None = None


class Costar(Model):
    """Somebody with whom a person worked.

    Attributes:
        person: who it is.
        works: in how many movies and shows the two are credited together.
        titles: some of these, the newest first.
    """

    person: PersonSummary
    works: int
    titles: list[WorkTitle] = Field(default_factory=list)


class PersonPair(Model):
    """Two people who worked together.

    Attributes:
        first: who has the first function.
        second: who has the second function.
        works: in how many movies and shows an item credits both, each in that function.
    """

    first: PersonSummary
    second: PersonSummary
    works: int


class RankedPerson(Model):
    """A person with the number that they are ranked by.

    Attributes:
        person: who it is.
        count: the number of movies and shows, or of episodes.
    """

    person: PersonSummary
    count: int
