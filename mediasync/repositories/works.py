"""Reading who worked on what, and with whom: across items, seasons and shows.

Where the order of joins decides between milliseconds and seconds, they are written as ``CROSS JOIN``: SQLite
then keeps the order, and PostgreSQL makes no difference. What is read by the keys of a temporary table is
filtered one step later, after ``MATERIALIZED``: with a filter SQLite would first read the whole table, to
make a Bloom filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from mediasync.database.session import Session
from mediasync.models import FilmographyCredit
from mediasync.repositories.building import in_slices, select_list
from mediasync.repositories.credits import FILMOGRAPHY
from mediasync.repositories.flaws import read_model
from mediasync.repositories.summaries import ITEM_SUMMARY, ITEM_SUMMARY_JOINS, item_summaries
from mediasync.summaries import ItemSummary

GUEST: Final = "guest_star"


def _same_work(item: str) -> str:
    """Return what is equal for two items that are one work: their type, and their id at a provider."""
    return (
        f"coalesce('imdb:' || {item}.imdb_id, 'tmdb:' || {item}.tmdb_id, 'tvdb:' || {item}.tvdb_id, "
        f"'id:' || {item}.id) || ' ' || {item}.media_type"
    )


_UPWARDS: Final = """
LEFT JOIN media_item parent ON parent.item_key = i.parent_key
LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
"""

_TOP: Final = "coalesce(upper.item_key, parent.item_key, i.item_key)"
_YEAR: Final = "coalesce(i.year, upper.year, parent.year)"


def _of_type(credit: str) -> str:
    return f"(:any_type = 1 OR {credit}.person_type IN (SELECT t.id FROM @list(:types) t))"


_YEARS: Final = f"(:any_year = 1 OR {_YEAR} BETWEEN :first_year AND :last_year)"

# Of an item and its show, since sources give genres to shows rather than to episodes.
_GENRES: Final = """
(:any_genre = 1 OR NOT EXISTS (
    SELECT 1 FROM @list(:genres) x WHERE NOT EXISTS (
        SELECT 1 FROM item_genre n
        WHERE n.item_key IN (i.item_key, parent.item_key, upper.item_key) AND lower(n.name) = x.id
    )
))
"""

_SOURCES: Final = """
(:any_source = 1 OR i.library_key IN (
    SELECT l.library_key FROM library l JOIN source s ON s.source_key = l.source_key
    JOIN @list(:sources) x ON x.id = s.id
))
"""

_NAMED: Final = """
SELECT r.who, p.person_key, r.person_type FROM @rows(:asked, who integer, id text, person_type text) r
JOIN person p ON p.id = r.id
UNION
SELECT r.who, a.person_key, r.person_type FROM @rows(:asked, who integer, id text, person_type text) r
JOIN person_alias a ON a.id = r.id
WHERE a.shared = 0 AND NOT EXISTS (SELECT 1 FROM person o WHERE o.id = r.id)
"""

# Reads the filmography of a person by id or alias, the oldest item first, with the person's id.
SELECT_WORKS_OF_PERSON: Final = f"""
SELECT p.id AS person_id, {select_list(FILMOGRAPHY)}
FROM ({_NAMED}) a
JOIN person p ON p.person_key = a.person_key
JOIN credit c ON c.person_key = a.person_key
JOIN media_item i ON i.item_key = c.item_key
{_UPWARDS}
WHERE i.missing_since IS NULL AND {_of_type("c")}
ORDER BY i.year IS NULL, i.year, i.title, i.season_number NULLS FIRST,
    i.episode_number NULLS FIRST, i.id, c.sort_order
"""

# Reads of movies and shows what a filmography says of them beside the title.
SELECT_TITLE_FACTS: Final = f"""
SELECT i.id, i.year, {ITEM_SUMMARY["poster"]} AS poster, {_same_work("i")} AS same_work,
       CASE WHEN i.media_type = 'show' AND EXISTS (
           SELECT 1 FROM item_genre n WHERE n.item_key = i.item_key
             AND lower(replace(replace(n.name, ' ', ''), '-', '')) IN (SELECT t.id FROM @list(:talk_genres) t)
       ) THEN 1 ELSE 0 END AS is_talk_show
FROM @list(:ids) g JOIN media_item i ON i.id = g.id
"""

# Reads the credits of a show or season, of everything below it, and of the show above it.
SELECT_CREDITS_BELOW: Final = f"""
WITH asked AS (
    SELECT i.item_key, i.parent_key FROM media_item i
    WHERE i.id = :id AND i.media_type = :media_type AND i.missing_since IS NULL
), places AS (
    SELECT a.item_key, 0 AS above FROM asked a
    UNION
    SELECT i.item_key, 0 FROM asked a CROSS JOIN media_item i WHERE i.parent_key = a.item_key
    UNION
    SELECT i.item_key, 0 FROM asked a CROSS JOIN media_item m CROSS JOIN media_item i
    WHERE m.parent_key = a.item_key AND i.parent_key = m.item_key
    UNION
    SELECT a.parent_key, 1 FROM asked a
), read AS MATERIALIZED (
    SELECT c.person_key, c.person_type, c.role, c.sort_order, b.item_key, b.above
    FROM places b CROSS JOIN credit c WHERE c.item_key = b.item_key
)
SELECT p.id, r.person_type, r.role, r.sort_order, i.id AS item_id, i.media_type, i.season_number,
       i.episode_number, i.year, r.above
FROM read r CROSS JOIN media_item i CROSS JOIN person p
WHERE i.item_key = r.item_key AND p.person_key = r.person_key AND i.missing_since IS NULL AND {_of_type("r")}
"""

# Finds items that credit all of some people and none of others, by year, title and id.
FIND_WORKS: Final = f"""
WITH asked AS ({_NAMED}), own AS (
    SELECT a.who, c.item_key, c.person_type
    FROM asked a CROSS JOIN credit c
    WHERE c.person_key = a.person_key AND (a.person_type = '' OR c.person_type = a.person_type)
), led AS (
    SELECT DISTINCT w.who, w.item_key FROM own w WHERE w.person_type <> '{GUEST}'
), spread AS (
    SELECT w.who, w.item_key FROM own w
    UNION
    SELECT l.who, i.item_key FROM led l CROSS JOIN media_item i WHERE i.parent_key = l.item_key
    UNION
    SELECT l.who, i.item_key FROM led l CROSS JOIN media_item m CROSS JOIN media_item i
    WHERE m.parent_key = l.item_key AND i.parent_key = m.item_key
), agreed AS (
    SELECT s.item_key FROM spread s GROUP BY s.item_key
    HAVING min(s.who) >= 0 AND count(DISTINCT s.who) = :number
), shown AS (
    SELECT DISTINCT CASE WHEN :roll_up = 1 THEN {_TOP} ELSE i.item_key END AS item_key
    FROM agreed s JOIN media_item i ON i.item_key = s.item_key
    {_UPWARDS}
    WHERE i.missing_since IS NULL AND {_YEARS} AND {_GENRES} AND {_SOURCES}
), listed AS (
    SELECT i.*, coalesce(i.year, :no_year) AS place_year FROM shown s
    JOIN media_item i ON i.item_key = s.item_key
    WHERE i.missing_since IS NULL
      AND (:any_media_type = 1 OR i.media_type IN (SELECT t.id FROM @list(:media_types) t))
)
SELECT {select_list(ITEM_SUMMARY)}
FROM listed i {ITEM_SUMMARY_JOINS}
WHERE (i.place_year, i.title, i.id) > (:after_year, :after_title, :after_id)
ORDER BY i.place_year, i.title, i.id LIMIT :limit
"""

# Finds the people who are credited together with a person in most works, each with the newest of these.
LIST_COSTARS: Final = f"""
WITH asked AS (SELECT DISTINCT g.person_key FROM ({_NAMED}) g), own AS (
    SELECT i.item_key, i.parent_key, max(CASE WHEN c.person_type = '{GUEST}' THEN 0 ELSE 1 END) AS leads
    FROM asked a CROSS JOIN credit c CROSS JOIN media_item i
    WHERE c.person_key = a.person_key AND i.item_key = c.item_key AND i.missing_since IS NULL AND (
        :any_own_type = 1 OR c.person_type IN (SELECT t.id FROM @list(:own_types) t)
    )
    GROUP BY i.item_key, i.parent_key
), places AS (
    SELECT w.item_key, 1 AS guests FROM own w
    UNION
    SELECT w.parent_key, 0 FROM own w
    UNION
    SELECT m.parent_key, 0 FROM own w CROSS JOIN media_item m WHERE m.item_key = w.parent_key
    UNION
    SELECT i.item_key, 1 FROM own w CROSS JOIN media_item i WHERE i.parent_key = w.item_key AND w.leads = 1
    UNION
    SELECT i.item_key, 1 FROM own w CROSS JOIN media_item m CROSS JOIN media_item i
    WHERE m.parent_key = w.item_key AND i.parent_key = m.item_key AND w.leads = 1
), read AS MATERIALIZED (
    SELECT c.person_key, c.person_type, i.missing_since, b.guests, {_TOP} AS work_key
    FROM places b CROSS JOIN media_item i {_UPWARDS} CROSS JOIN credit c
    WHERE i.item_key = b.item_key AND c.item_key = b.item_key
), met AS (
    SELECT DISTINCT r.person_key, r.work_key FROM read r
    WHERE r.missing_since IS NULL AND {_of_type("r")} AND (r.guests = 1 OR r.person_type <> '{GUEST}')
      AND r.person_key NOT IN (SELECT a.person_key FROM asked a)
), works AS (
    SELECT g.work_key, min(g.work_key) OVER (PARTITION BY {_same_work("w")}) AS first_key
    FROM (SELECT DISTINCT s.work_key FROM met s) g CROSS JOIN media_item w WHERE w.item_key = g.work_key
), together AS (
    SELECT DISTINCT s.person_key, l.first_key AS work_key
    FROM met s JOIN works l ON l.work_key = s.work_key
), best AS (
    SELECT p.person_key, p.id, f.works
    FROM (SELECT g.person_key, count(*) AS works FROM together g GROUP BY g.person_key) f
    JOIN person p ON p.person_key = f.person_key
    ORDER BY f.works DESC, p.id LIMIT :limit
), placed AS (
    SELECT b.id AS person_id, b.works, w.id, w.title, w.year,
           row_number() OVER (PARTITION BY b.person_key ORDER BY w.year DESC NULLS LAST, w.id) AS place
    FROM best b CROSS JOIN together g CROSS JOIN media_item w
    WHERE g.person_key = b.person_key AND w.item_key = g.work_key
)
SELECT f.person_id, f.works, f.id, f.title, f.year FROM placed f WHERE f.place <= :titles
ORDER BY f.works DESC, f.person_id, f.place
"""

# Each item with its work.
_PLACES: Final = f"""
first AS MATERIALIZED (
    SELECT w.item_key, min(w.item_key) OVER (PARTITION BY {_same_work("w")}) AS first_key
    FROM media_item w WHERE w.media_type IN ('movie', 'show') AND w.missing_since IS NULL
), places AS MATERIALIZED (
    SELECT i.item_key, i.media_type, i.season_number, i.episode_number,
           coalesce(f.first_key, {_TOP}) AS work_key
    FROM media_item i {_UPWARDS}
    LEFT JOIN first f ON f.item_key = {_TOP}
    WHERE i.missing_since IS NULL AND {_YEARS} AND {_GENRES} AND {_SOURCES}
)
"""

_BEST: Final = """
SELECT p.id, b.number FROM counted b JOIN person p ON p.person_key = b.person_key
WHERE b.number >= coalesce((SELECT g.number FROM counted g ORDER BY g.number DESC LIMIT 1 OFFSET :rank), 0)
ORDER BY b.number DESC, p.id LIMIT :limit
"""

# Ranks people by the number of movies and shows that credit them.
RANK_BY_WORKS: Final = f"""
WITH {_PLACES}, counted AS MATERIALIZED (
    SELECT c.person_key, count(DISTINCT l.work_key) AS number
    FROM places l CROSS JOIN credit c WHERE c.item_key = l.item_key AND {_of_type("c")}
    GROUP BY c.person_key
)
{_BEST}
"""

# Ranks people by the number of episodes that credit them.
RANK_BY_EPISODES: Final = f"""
WITH {_PLACES}, episodes AS MATERIALIZED (
    SELECT l.item_key, CASE WHEN l.season_number IS NULL OR l.episode_number IS NULL THEN l.item_key ELSE
           min(l.item_key) OVER (PARTITION BY l.work_key, l.season_number, l.episode_number)
           END AS episode_key
    FROM places l WHERE l.media_type = 'episode'
), counted AS MATERIALIZED (
    SELECT c.person_key, count(DISTINCT l.episode_key) AS number
    FROM episodes l CROSS JOIN credit c WHERE c.item_key = l.item_key AND {_of_type("c")}
    GROUP BY c.person_key
)
{_BEST}
"""

# Ranks pairs of people by the number of works in which an item credits both, each in a function. If it is the
# same function, each pair has one row.
RANK_PAIRS: Final = f"""
WITH {_PLACES}, counted AS MATERIALIZED (
    SELECT a.person_key AS first_key, b.person_key AS second_key, count(DISTINCT l.work_key) AS number
    FROM places l CROSS JOIN credit a CROSS JOIN credit b
    WHERE a.item_key = l.item_key AND b.item_key = a.item_key
      AND a.person_type = :first_type AND b.person_type = :second_type
      AND (a.person_key < b.person_key OR (a.person_key > b.person_key AND :first_type <> :second_type))
    GROUP BY a.person_key, b.person_key HAVING count(DISTINCT l.work_key) >= :least
)
SELECT p.id AS first_id, o.id AS second_id, b.number
FROM counted b JOIN person p ON p.person_key = b.first_key JOIN person o ON o.person_key = b.second_key
WHERE b.number >= coalesce((SELECT g.number FROM counted g ORDER BY g.number DESC LIMIT 1 OFFSET :rank), 0)
ORDER BY b.number DESC, first_id, second_id LIMIT :limit
"""

NO_YEAR: Final = 2**62
"""Where items without a year stand: after all others."""


@dataclass(frozen=True, slots=True)
class Among:
    """Which items count. Each filter that is empty or None lets all items through.

    Attributes:
        first_year: of this year or later.
        last_year: of this year or earlier.
        genres: which they all have.
        source_ids: of these sources.
    """

    first_year: int | None = None
    last_year: int | None = None
    genres: Sequence[str] = ()
    source_ids: Sequence[str] = ()

    def params(self) -> dict[str, Any]:
        """Return the parameters of a query."""
        return {
            "any_year": int(self.first_year is None and self.last_year is None),
            "first_year": -NO_YEAR if self.first_year is None else self.first_year,
            "last_year": NO_YEAR if self.last_year is None else self.last_year,
            "genres": [_lower(genre) for genre in self.genres],
            "any_genre": int(not self.genres),
            "sources": list(self.source_ids),
            "any_source": int(not self.source_ids),
        }


class Asked(NamedTuple):
    """A person in a question, in one function.

    Attributes:
        who: the number of the human; -1 for somebody who must not be credited.
        id: the person's id or alias.
        person_type: the function; empty for any.
    """

    who: int
    id: str
    person_type: str = ""


@dataclass(frozen=True, slots=True)
class TitleFacts:
    """What a filmography says of a movie or show beside the credits.

    Attributes:
        year: the year of release.
        poster: a reference to its poster.
        same_work: what is equal for items that are the same work.
        is_talk_show: whether it is a show with a genre of talk shows.
    """

    year: int | None
    poster: str | None
    same_work: str
    is_talk_show: bool


class CreditBelow(NamedTuple):
    """A credit of a show or season, or of an item below or above it.

    Attributes:
        person_id: the person's id.
        person_type: the function.
        role: the role.
        sort_order: the place in the billing.
        item_id: the item's id.
        media_type: the item's type.
        season_number: the item's number of the season.
        episode_number: the item's number of the episode.
        year: the item's year.
        above: 1 for a credit of the show of the season that was asked for, else 0.
    """

    person_id: str
    person_type: str
    role: str | None
    sort_order: int
    item_id: str
    media_type: str
    season_number: int | None
    episode_number: int | None
    year: int | None
    above: int


class CostarRow(NamedTuple):
    """A work of a person and somebody else.

    Attributes:
        person_id: the other person's id.
        works: in how many works they are together.
        item_id: the id of one of these.
        title: its title.
        year: its year.
    """

    person_id: str
    works: int
    item_id: str
    title: str
    year: int | None


class WorksReader:
    """Reads who worked on what, and with whom.

    Args:
        session: a snapshot, or an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find_filmography(
        self, person_id: str, person_types: Sequence[str]
    ) -> tuple[str | None, list[FilmographyCredit]]:
        """Return the id of a person, who may be named by an alias, and the credits, the oldest item first."""
        params = {"asked": [Asked(0, person_id)], **_types(person_types)}
        rows = await self._session.fetch_all(SELECT_WORKS_OF_PERSON, params)
        found = await in_slices([row[1:] for row in rows], _credits)
        return (rows[0][0] if rows else None), found

    async def find_facts(self, item_ids: Sequence[str], talk_genres: Sequence[str]) -> dict[str, TitleFacts]:
        """Return what is stored of movies and shows, by id.

        Args:
            item_ids: their ids.
            talk_genres: the genres of talk shows, in lower case, without spaces and hyphens.
        """
        params = {"ids": list(item_ids), "talk_genres": list(talk_genres)}
        return {
            item_id: TitleFacts(year, poster, same_work, bool(is_talk_show))
            for item_id, year, poster, same_work, is_talk_show in await self._session.fetch_all(
                SELECT_TITLE_FACTS, params
            )
        }

    async def find_credits_below(
        self, item_id: str, media_type: str, person_types: Sequence[str]
    ) -> list[CreditBelow]:
        """Return the credits of a show or season and of everything below it, in no order."""
        params = {"id": item_id, "media_type": str(media_type), **_types(person_types)}
        rows = await self._session.fetch_all(SELECT_CREDITS_BELOW, params)
        return await in_slices(rows, lambda some: [CreditBelow(*row) for row in some])

    async def find(
        self,
        asked: Sequence[Asked],
        among: Among,
        *,
        media_types: Sequence[str],
        roll_up: bool,
        after: tuple[int, str, str],
        limit: int,
    ) -> list[ItemSummary]:
        """Return the items that credit all of some people and none of others, by year, title and id.

        Args:
            asked: the people, those who must be credited numbered from 0 without gaps.
            among: which items count.
            media_types: the types of the results; empty for all.
            roll_up: whether seasons and episodes are replaced by their show.
            after: the year, title and id of the last result that is left out.
            limit: at most so many.
        """
        year, title, item_id = after
        params = {
            "asked": list(asked),
            "number": len({one.who for one in asked if one.who >= 0}),
            "roll_up": int(roll_up),
            "media_types": [str(media_type) for media_type in media_types],
            "any_media_type": int(not media_types),
            "no_year": NO_YEAR,
            "after_year": year,
            "after_title": title,
            "after_id": item_id,
            "limit": limit,
            **among.params(),
        }
        return await in_slices(await self._session.fetch_all(FIND_WORKS, params), item_summaries)

    async def list_costars(
        self,
        person_ids: Sequence[str],
        *,
        person_types: Sequence[str],
        own_types: Sequence[str],
        limit: int,
        titles: int,
    ) -> list[CostarRow]:
        """Return those with whom a person is credited in most works, each with the newest of these."""
        params = {
            "asked": [Asked(0, person_id) for person_id in person_ids],
            "own_types": [str(one) for one in own_types],
            "any_own_type": int(not own_types),
            "limit": limit,
            "titles": titles,
            **_types(person_types),
        }
        return [CostarRow(*row) for row in await self._session.fetch_all(LIST_COSTARS, params)]

    async def rank(
        self, person_types: Sequence[str], among: Among, *, by_episodes: bool, limit: int
    ) -> list[tuple[str, int]]:
        """Return the ids of the people with most works or episodes, with these numbers."""
        params = {**_types(person_types), **among.params(), "limit": limit, "rank": limit - 1}
        statement = RANK_BY_EPISODES if by_episodes else RANK_BY_WORKS
        return [(row[0], row[1]) for row in await self._session.fetch_all(statement, params)]

    async def rank_pairs(
        self, first_type: str, second_type: str, among: Among, *, least: int, limit: int
    ) -> list[tuple[str, str, int]]:
        """Return the ids of two people who worked together in most works, with that number.

        Args:
            first_type: the function of the first.
            second_type: the function of the second.
            among: which items count.
            least: only pairs with so many works. Most pairs have one: without them it takes half the time.
            limit: at most so many.
        """
        params = {
            "first_type": str(first_type),
            "second_type": str(second_type),
            "least": least,
            "limit": limit,
            "rank": limit - 1,
            **among.params(),
        }
        return [(row[0], row[1], row[2]) for row in await self._session.fetch_all(RANK_PAIRS, params)]


def _types(person_types: Sequence[str]) -> dict[str, Any]:
    return {"types": [str(one) for one in person_types], "any_type": int(not person_types)}


def _lower(text: str) -> str:
    """Return a text with its English letters in lower case, as both engines fold it."""
    return "".join(char.lower() if char.isascii() else char for char in text)


def _credits(rows: Sequence[Sequence[Any]]) -> list[FilmographyCredit]:
    read = (
        read_model(FilmographyCredit, f"a credit in {row[0]}", dict(zip(FILMOGRAPHY, row, strict=True)))
        for row in rows
    )
    return [credit for credit in read if credit is not None]
