"""Who worked on what, and with whom."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, overload

from mediasync.database.database import Database
from mediasync.errors import UsageError
from mediasync.library.filmography import (
    TALK_GENRES,
    Section,
    episode_key,
    fold,
    in_sections,
    most_frequent,
    title_id,
    title_type,
)
from mediasync.models import FilmographyCredit
from mediasync.repositories.summaries import SummaryReader
from mediasync.repositories.works import GUEST, NO_YEAR, Among, Asked, CreditBelow, WorksReader
from mediasync.summaries import ItemSummary, Page, PersonSummary
from mediasync.text import find_text_flaw
from mediasync.vocabulary import CAST_TYPES, MediaType, PersonType
from mediasync.works import (
    MAIN_SHARE,
    CastMember,
    Costar,
    Filmography,
    FilmographyTitle,
    FindQuery,
    PersonPair,
    RankedPerson,
    Who,
    WorkTitle,
)

_TITLES_OF_EACH = 3
_LARGEST_LIMIT = 10_000


class WorksReads:
    """Answers who worked on what, and with whom.

    A person belongs to one source, so every number counts the works of one source. Two items of one type with
    the same id at a provider (imdb, or else tmdb, or else tvdb) are one work: a film in two libraries counts
    once. `find` returns items, so it returns both.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @overload
    async def filmography(
        self,
        person_id: str,
        *,
        by: Literal["title"] = "title",
        person_types: Collection[str] | None = None,
        media_types: Collection[str] | None = None,
        self_apart: bool = True,
    ) -> Filmography[FilmographyTitle]: ...

    @overload
    async def filmography(
        self,
        person_id: str,
        *,
        by: Literal["credit"],
        person_types: Collection[str] | None = None,
        media_types: Collection[str] | None = None,
        self_apart: bool = True,
    ) -> Filmography[FilmographyCredit]: ...

    async def filmography(
        self,
        person_id: str,
        *,
        by: Literal["title", "credit"] = "title",
        person_types: Collection[str] | None = None,
        media_types: Collection[str] | None = None,
        self_apart: bool = True,
    ) -> Filmography[FilmographyTitle] | Filmography[FilmographyCredit]:
        """Return what a person did, the oldest first.

        Args:
            person_id: the person's id or an alias.
            by: ``title``: movies and shows, each once, with the number of its episodes that credit the
                person; ``credit``: each credit in each item.
            person_types: only in these functions; None for all.
            media_types: by title, only movies or only shows; by credit, only items of these types.
            self_apart: whether appearances as "self" and those in talk shows stand in sections of their own.

        Raises:
            UsageError: if *by* or a type is unknown.

        Example:
            >>> found = await ms.library.filmography("home:17419")  # doctest: +SKIP
            >>> [(title.title, title.episodes) for title in found.works]  # doctest: +SKIP
            [('Little Miss Sunshine', 0), ('Breaking Bad', 62)]
        """
        if by not in ("title", "credit"):
            raise UsageError(f"a filmography is by 'title' or by 'credit', not by {by!r}")
        kinds = _media_types(media_types)
        async with self._database.read(snapshot=True) as session:
            reader = WorksReader(session)
            found_id, found = await reader.find_filmography(person_id, _types(person_types))
            ids = list(dict.fromkeys(map(title_id, found)))
            facts = await reader.find_facts(ids, TALK_GENRES) if ids else {}
            people = await SummaryReader(session).find_people([found_id]) if found_id else []
        level = title_type if by == "title" else _own_type
        counted = [credit for credit in found if not kinds or level(credit) in kinds]
        sections = in_sections(counted, facts) if self_apart else {Section.WORKS: counted}
        parts = [sections.get(section, []) for section in (Section.WORKS, Section.SELF, Section.TALK)]
        person = people[0] if people else None
        if by == "credit":
            return Filmography(person, *parts)
        return Filmography(person, *(fold(part, facts) for part in parts))

    async def show_cast(
        self, show_id: str, *, person_types: Collection[str] | None = CAST_TYPES, limit: int | None = None
    ) -> list[CastMember]:
        """Return the cast of a whole show, the main cast first, then guest stars by their number of episodes.

        Whom the show or a season itself credits, and who is in at least a quarter of the episodes, belongs to
        the main cast. It stands in the order of the show's billing, then by the number of episodes. Two items
        with the same season and episode number are one episode.

        Args:
            show_id: the show's full id.
            person_types: in these functions; None for cast and crew.
            limit: at most so many people; None for all.

        Returns:
            An empty list if there is no such show.

        Example:
            >>> [(one.person.name, one.episodes) for one in await ms.library.show_cast("home:1396", limit=2)]
            ... # doctest: +SKIP
            [('Bryan Cranston', 62), ('Aaron Paul', 62)]
        """
        return await self._cast(show_id, MediaType.SHOW, person_types, limit)

    async def season_cast(
        self, season_id: str, *, person_types: Collection[str] | None = CAST_TYPES, limit: int | None = None
    ) -> list[CastMember]:
        """Return the cast of a season, as `show_cast` returns that of a show.

        Whom the season, or any of its episodes, credits is listed. Whom the show credits, too, belongs to the
        main cast.

        Args:
            season_id: the season's full id.
            person_types: in these functions; None for cast and crew.
            limit: at most so many people; None for all.
        """
        return await self._cast(season_id, MediaType.SEASON, person_types, limit)

    async def find(self, query: FindQuery, *, after: str | None = None, limit: int = 50) -> Page[ItemSummary]:
        """Return the items that credit all of some people and none of others, the oldest first.

        Seasons and episodes count as crediting also whom their season or show credits, except as guest stars.

        Args:
            query: which items.
            after: the cursor of the page before, ``page.next``.
            limit: at most so many on this page.

        Raises:
            UsageError: if the cursor is not one of this method, or the limit is not from 1 to 10,000.

        Example:
            >>> query = FindQuery(with_people=["home:1158", "home:380"], first_year=1990)
            >>> [item.title for item in (await ms.library.find(query)).rows]  # doctest: +SKIP
            ['Heat', 'Righteous Kill', 'The Irishman']
        """
        asked = [
            *(one for number, who in enumerate(query.with_people) for one in _asked(number, who)),
            *(one for who in query.without_people for one in _asked(-1, who)),
        ]
        among = Among(query.first_year, query.last_year, query.genres, query.source_ids)
        number = _limit(limit)
        async with self._database.read() as session:
            found = await WorksReader(session).find(
                asked,
                among,
                media_types=query.media_types,
                roll_up=query.roll_up,
                after=_parse_cursor(after),
                limit=number + 1,
            )
        rows = found[:number]
        return Page(rows, next=_make_cursor(rows[-1]) if len(found) > number else None)

    async def costars(
        self,
        person_id: str | Sequence[str],
        *,
        person_types: Collection[str] | None = CAST_TYPES,
        own_types: Collection[str] | None = None,
        limit: int = 50,
    ) -> list[Costar]:
        """Return those with whom a person worked most often.

        Two people are together in a movie or in an episode. An episode counts as crediting also whom its
        season or show credits, except as guest stars. A show counts once.

        Args:
            person_id: the person's id or an alias; or the ids of one human in several sources. Each of the
                others is counted within the source of theirs.
            person_types: the functions of the others; None for all.
            own_types: the functions of the person; None for all.
            limit: at most so many.

        Raises:
            UsageError: if a type is empty, or the limit is not a number from 1 to 10,000.

        Example:
            >>> [(one.person.name, one.works) for one in await ms.library.costars("home:1158", limit=2)]
            ... # doctest: +SKIP
            [('Robert De Niro', 4), ('Diane Keaton', 3)]
        """
        ids = [person_id] if isinstance(person_id, str) else list(person_id)
        async with self._database.read(snapshot=True) as session:
            rows = await WorksReader(session).list_costars(
                ids,
                person_types=_types(person_types),
                own_types=_types(own_types),
                limit=_limit(limit),
                titles=_TITLES_OF_EACH,
            )
            people = await _find_people(SummaryReader(session), (row.person_id for row in rows))
        found: dict[str, Costar] = {}
        for row in rows:
            if person := people.get(row.person_id):
                costar = found.setdefault(row.person_id, Costar(person=person, works=row.works))
                costar.titles.append(WorkTitle(media_item_id=row.item_id, title=row.title, year=row.year))
        return list(found.values())

    async def top(
        self,
        person_type: str | Collection[str],
        *,
        by: Literal["items", "episodes"] = "items",
        decade: int | None = None,
        genre: str | None = None,
        source_id: str | None = None,
        limit: int = 20,
    ) -> list[RankedPerson]:
        """Return the people with most works or most episodes in a function.

        All credits are read, which takes up to a second for a million.

        Args:
            person_type: the function, or several of them.
            by: ``items``: movies and shows, a show and its episodes counting once; ``episodes``.
            decade: its first year: 1990 for 1990 to 1999. A season or an episode without a year has that of
                its show.
            genre: only items that have it, or whose show has it.
            source_id: only people of this source.
            limit: at most so many.

        Raises:
            UsageError: if *by* is unknown, a type is empty, or the decade or the limit cannot be used.

        Example:
            >>> best = await ms.library.top("director", decade=1990, limit=1)  # doctest: +SKIP
            >>> [(one.person.name, one.count) for one in best]  # doctest: +SKIP
            [('Takashi Miike', 31)]
        """
        if by not in ("items", "episodes"):
            raise UsageError(f"people are ranked by 'items' or by 'episodes', not by {by!r}")
        types = _types([person_type] if isinstance(person_type, str) else person_type)
        among = _among(decade, genre, source_id)
        async with self._database.read(snapshot=True) as session:
            rows = await WorksReader(session).rank(
                types, among, by_episodes=by == "episodes", limit=_limit(limit)
            )
            people = await _find_people(SummaryReader(session), (row[0] for row in rows))
        return [RankedPerson(person=people[one], count=count) for one, count in rows if one in people]

    async def pairs(
        self,
        first_type: str,
        second_type: str,
        *,
        decade: int | None = None,
        genre: str | None = None,
        source_id: str | None = None,
        limit: int = 20,
    ) -> list[PersonPair]:
        """Return the pairs of people who worked together most often, each in a function.

        Only people whom one item itself credits are together. A show counts once. All credits are read: a
        million take one or two seconds, and more if both functions have many people, as two actors do.

        Args:
            first_type: the function of the first.
            second_type: the function of the second. If it is the same, each pair is listed once.
            decade: as for `top`.
            genre: as for `top`.
            source_id: only people of this source.
            limit: at most so many.

        Raises:
            UsageError: as for `top`.

        Example:
            >>> [pair] = await ms.library.pairs("director", "composer", limit=1)  # doctest: +SKIP
            >>> pair.first.name, pair.second.name, pair.works  # doctest: +SKIP
            ('Steven Spielberg', 'John Williams', 24)
        """
        [first], [second] = _types([first_type]), _types([second_type])
        among = _among(decade, genre, source_id)
        async with self._database.read(snapshot=True) as session:
            reader, number = WorksReader(session), _limit(limit)
            rows = await reader.rank_pairs(first, second, among, least=2, limit=number)
            if len(rows) < number:
                rows = await reader.rank_pairs(first, second, among, least=1, limit=number)
            people = await _find_people(SummaryReader(session), (one for row in rows for one in row[:2]))
        return [
            PersonPair(first=people[one], second=people[other], works=works)
            for one, other, works in rows
            if one in people and other in people
        ]

    async def _cast(
        self, item_id: str, media_type: MediaType, person_types: Collection[str] | None, limit: int | None
    ) -> list[CastMember]:
        number = None if limit is None else _limit(limit)
        async with self._database.read(snapshot=True) as session:
            found = await WorksReader(session).find_credits_below(item_id, media_type, _types(person_types))
            members = _ranked(found)[:number]
            people = await _find_people(SummaryReader(session), (member.person_id for member in members))
        return [member.as_model(people[member.person_id]) for member in members if member.person_id in people]


def _own_type(credit: FilmographyCredit) -> MediaType:
    return credit.media_type


class _Member:
    """All credits of one person in a show or a season."""

    def __init__(self, person_id: str, listed: Sequence[CreditBelow], episodes: int) -> None:
        below = [credit for credit in listed if not credit.above]
        own = [credit for credit in below if credit.media_type == MediaType.EPISODE]
        leading = {_episode(credit) for credit in own if credit.person_type != GUEST}
        billed = [
            (credit.media_type != MediaType.SHOW, credit.sort_order)
            for credit in listed
            if credit.media_type != MediaType.EPISODE and credit.person_type != GUEST
        ]
        self.person_id = person_id
        self._listed = below
        self._episodes = len({_episode(credit) for credit in own})
        self._years = [credit.year for credit in own if credit.year is not None]
        self._is_main = bool(billed) or (bool(leading) and len(leading) >= MAIN_SHARE * episodes)
        self.order = (not self._is_main, min(billed, default=(True, NO_YEAR)), -self._episodes, person_id)

    def as_model(self, person: PersonSummary) -> CastMember:
        return CastMember(
            person=person,
            person_types=[
                PersonType.parse(one) for one in most_frequent(credit.person_type for credit in self._listed)
            ],
            roles=most_frequent(credit.role for credit in self._listed),
            is_main=self._is_main,
            episodes=self._episodes,
            first_year=min(self._years, default=None),
            last_year=max(self._years, default=None),
        )


def _ranked(found: Sequence[CreditBelow]) -> list[_Member]:
    by_person: dict[str, list[CreditBelow]] = {}
    for credit in sorted(found, key=_in_order):
        by_person.setdefault(credit.person_id, []).append(credit)
    episodes = len({_episode(credit) for credit in found if credit.media_type == MediaType.EPISODE})
    members = [
        _Member(person_id, listed, episodes)
        for person_id, listed in by_person.items()
        if not all(credit.above for credit in listed)
    ]
    return sorted(members, key=lambda member: member.order)


def _in_order(credit: CreditBelow) -> tuple[str, int]:
    return (credit.item_id, credit.sort_order)


def _episode(credit: CreditBelow) -> object:
    return episode_key(credit.item_id, credit.season_number, credit.episode_number)


async def _find_people(reader: SummaryReader, ids: Iterable[str]) -> dict[str, PersonSummary]:
    asked = list(dict.fromkeys(ids))
    return {person.id: person for person in await reader.find_people(asked)} if asked else {}


def _asked(number: int, who: Who) -> list[Asked]:
    types = [str(person_type) for person_type in who.person_types] or [""]
    return [Asked(number, person_id, one) for person_id in who.person_ids for one in types]


def _types(person_types: Collection[str] | None) -> list[str]:
    """Return types as they are stored.

    Raises:
        UsageError: if a single text was given instead of several, or a type is empty.
    """
    if person_types is None:
        return []
    if isinstance(person_types, str):
        raise UsageError(f"person_types takes several types: write [{person_types!r}]")
    found = [str(PersonType.parse(one)) for one in person_types]
    if not found:
        raise UsageError("person_types is empty: leave it out, or name a type, such as 'actor'")
    if not all(found):
        raise UsageError("a person type is empty: name one, such as 'actor'")
    return sorted(found)


def _media_types(media_types: Collection[str] | None) -> set[MediaType]:
    if isinstance(media_types, str):
        raise UsageError(f"media_types takes several types: write [{media_types!r}]")
    try:
        return {MediaType(one) for one in media_types or ()}
    except ValueError as error:
        raise UsageError(f"{error}; there are: {', '.join(MediaType)}") from None


def _among(decade: int | None, genre: str | None, source_id: str | None) -> Among:
    if decade is not None and decade % 10:
        raise UsageError(f"a decade is named by its first year, such as 1990, not {decade}")
    return Among(
        first_year=decade,
        last_year=None if decade is None else decade + 9,
        genres=[] if genre is None else [genre],
        source_ids=[] if source_id is None else [source_id],
    )


def _limit(limit: int) -> int:
    if not 1 <= limit <= _LARGEST_LIMIT:
        raise UsageError(f"the limit is a number from 1 to {_LARGEST_LIMIT:,}, not {limit}")
    return limit


def _make_cursor(item: ItemSummary) -> str:
    place = [NO_YEAR if item.year is None else item.year, item.title, item.id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _parse_cursor(cursor: str | None) -> tuple[int, str, str]:
    if cursor is None:
        return (-NO_YEAR, "", "")
    try:
        year, title, item_id = json.loads(base64.urlsafe_b64decode(cursor))
        if (type(year), type(title), type(item_id)) != (int, str, str) or abs(year) > NO_YEAR:
            raise ValueError
        if find_text_flaw(title) or find_text_flaw(item_id):
            raise ValueError
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise UsageError(f"{cursor!r} is not a cursor of find: give the `next` of a page") from None
    return (year, title, item_id)
