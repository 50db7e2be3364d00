"""Reading the candidates of a search: few rows, found by words, which the search then ranks.

The number of rows that a statement reads is bounded, however many names and titles are stored. A CROSS JOIN
keeps the order of the tables in SQLite, which otherwise may scan the words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from mediasync.database.session import Session
from mediasync.repositories.search import count_words

Of = Literal["item", "person"]
"""Whether the words of titles or of names are meant."""

_AFTER_ALL_WORDS: Final = "\U0010ffff"
_MOST_CREDITS: Final = 1_000
MOST_CANDIDATES: Final = 600
"""At most so many rows are read by one statement. It stands in the text of the statement, because both
planners then know that it is small, and look the rows up instead of scanning the tables."""

MOST_ENTRIES: Final = 200


def _existing(of: Of) -> str:
    return f"""
SELECT r.id AS word, (
    SELECT count(*) FROM (SELECT 1 FROM {of}_word w WHERE w.word = r.id LIMIT {MOST_ENTRIES}) found
) AS entries
FROM @list(:words) r
WHERE EXISTS (SELECT 1 FROM {of}_word w WHERE w.word = r.id) @oneplan
"""


def _neighbours(of: Of) -> str:
    return f"""
SELECT r.n, (SELECT max(w.word) FROM {of}_word w WHERE w.word <= r.id) AS before,
       (SELECT min(w.word) FROM {of}_word w WHERE w.word >= r.id) AS after
FROM @list(:words) r @oneplan
"""


def _distinct(of: Of) -> str:
    return f"""
WITH RECURSIVE step (high, word) AS (
    SELECT r.high, (SELECT min(w.word) FROM {of}_word w WHERE w.word >= r.low AND w.word < r.high)
    FROM @rows(:ranges, low text, high text) r
    UNION ALL
    SELECT s.high, (SELECT min(w.word) FROM {of}_word w WHERE w.word > s.word AND w.word < s.high)
    FROM step s WHERE s.word IS NOT NULL
)
SELECT s.word FROM step s WHERE s.word IS NOT NULL LIMIT :most
"""


# Counts the entries that begin with each word, up to a limit.
COUNT_NAMES: Final = count_words("person")
# Counts the entries that begin with each word, up to a limit.
COUNT_TITLES: Final = count_words("item")

# Reads which of some words occur in names, and how often, up to a limit.
EXISTING_IN_NAMES: Final = _existing("person")
# Reads which of some words occur in titles, and how often, up to a limit.
EXISTING_IN_TITLES: Final = _existing("item")

# Reads the words of names before and after some words.
NEIGHBOURS_IN_NAMES: Final = _neighbours("person")
# Reads the words of titles before and after some words.
NEIGHBOURS_IN_TITLES: Final = _neighbours("item")

# Reads the different words of names in ranges, each by one look into the index.
DISTINCT_IN_NAMES: Final = _distinct("person")
# Reads the different words of titles in ranges, each by one look into the index.
DISTINCT_IN_TITLES: Final = _distinct("item")


def _people(credits_of_each: str) -> str:
    return f"""
SELECT p.person_key, p.id, p.source_key, p.name, {credits_of_each} AS credits
FROM (SELECT u.person_key FROM (@words) u LIMIT {MOST_CANDIDATES}) found CROSS JOIN person p
WHERE p.person_key = found.person_key AND p.uncredited_since IS NULL @oneplan
"""


def _credits_of(person: str) -> str:
    return f"""(
    SELECT count(*) FROM (
        SELECT 1 FROM credit c WHERE c.person_key = {person}.person_key LIMIT {_MOST_CREDITS}
    ) listed
)"""


# Reads people by the keys that their words gave, with the number of their credits.
PEOPLE_CANDIDATES: Final = _people(_credits_of("p"))
# Reads people by the keys that their words gave. To count the credits of all takes most of the time.
PEOPLE_NAMED_ALIKE: Final = _people("0")
# Counts the credits of people.
CREDITS_OF_PEOPLE: Final = f"""
SELECT r.person_key, {_credits_of("r")} AS credits FROM @rows(:people, person_key integer) r @oneplan
"""

# Reads the people with the most credits.
PROMINENT_PEOPLE: Final = """
SELECT p.person_key, p.id, p.source_key, p.name, c.credits
FROM (
    SELECT c.person_key, count(*) AS credits FROM credit c GROUP BY c.person_key
    ORDER BY count(*) DESC LIMIT :most
) c JOIN person p ON p.person_key = c.person_key
WHERE p.uncredited_since IS NULL
"""

# Reads items by the keys that the words of their titles gave.
ITEM_CANDIDATES: Final = f"""
SELECT i.item_key, i.id, l.source_key, i.title, i.original_title, i.sort_title, i.media_type, i.year,
       i.season_number, i.episode_number,
       CASE i.media_type WHEN 'season' THEN parent.title WHEN 'episode' THEN upper.title END AS show_title,
       (SELECT r.votes FROM item_rating r WHERE r.item_key = i.item_key AND r.position = 0) AS votes
FROM (SELECT u.item_key FROM (@words) u LIMIT {MOST_CANDIDATES}) found
CROSS JOIN media_item i CROSS JOIN library l
LEFT JOIN media_item parent ON parent.item_key = i.parent_key
LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
WHERE i.item_key = found.item_key AND l.library_key = i.library_key AND i.missing_since IS NULL @oneplan
"""

# Reads the ids of people at public providers.
PEOPLE_PROVIDERS: Final = """
SELECT r.person_key, e.provider, e.value
FROM @rows(:people, person_key integer) r JOIN person_external_id e ON e.person_key = r.person_key @oneplan
"""

# Reads the ids of items at public providers.
ITEM_PROVIDERS: Final = """
SELECT r.item_key, e.provider, e.value
FROM @rows(:items, item_key integer) r JOIN item_external_id e ON e.item_key = r.item_key @oneplan
"""


class PersonCandidate(NamedTuple):
    """A person whose name may fit.

    Attributes:
        key: the storage key.
        id: the full id.
        source_key: the storage key of the source.
        name: the name.
        credits: how many credits they have, counted up to a limit.
    """

    key: int
    id: str
    source_key: int
    name: str
    credits: int


class ItemCandidate(NamedTuple):
    """An item whose title may fit.

    Attributes:
        key: the storage key.
        id: the full id.
        source_key: the storage key of the source.
        title: the title.
        original_title: the title in the original language.
        sort_title: the title that lists are sorted by.
        media_type: what it is.
        year: the year of release.
        season_number: of seasons and episodes.
        episode_number: of episodes.
        show_title: the title of the show of a season or an episode.
        votes: how many people rated it.
    """

    key: int
    id: str
    source_key: int
    title: str
    original_title: str | None
    sort_title: str | None
    media_type: str
    year: int | None
    season_number: int | None
    episode_number: int | None
    show_title: str | None
    votes: int | None


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The forms of one word, one of which a name must have.

    Attributes:
        beginnings: words begin with one of these.
        words: words are one of these.
        pairs: there are both words of one of these.
        first: of the entries of each beginning, only so many, in the order of the index.
    """

    beginnings: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    first: int | None = None


class CandidateReader:
    """Reads the candidates of a search.

    Args:
        session: a snapshot.
        counted: remembers how many entries begin with a word, for the next steps of the same search. It is
            used for one kind of words only.
    """

    def __init__(self, session: Session, counted: dict[str, int] | None = None) -> None:
        self._session = session
        self._counted = {} if counted is None else counted

    async def count(self, of: Of, words: Sequence[str], most: int) -> dict[str, int]:
        """Return how many entries begin with each word, up to *most*."""
        new = [word for word in words if word not in self._counted]
        if new:
            query = COUNT_NAMES if of == "person" else COUNT_TITLES
            ranges = [(word, word + _AFTER_ALL_WORDS) for word in new]
            rows = await self._session.fetch_all(query, {"words": ranges, "most": most})
            self._counted.update((new[n], number) for n, number in rows)
        return {word: self._counted[word] for word in words}

    async def existing(self, of: Of, words: Iterable[str]) -> dict[str, int]:
        """Return those of some words that occur, with the number of their entries up to `MOST_ENTRIES`."""
        wanted = sorted(set(words))
        if not wanted:
            return {}
        query = EXISTING_IN_NAMES if of == "person" else EXISTING_IN_TITLES
        return dict(await self._session.fetch_all(query, {"words": wanted}))

    async def shared(self, of: Of, words: Sequence[str]) -> dict[str, int]:
        """Return how many letters at the beginning of each word some stored word begins with."""
        if not words:
            return {}
        query = NEIGHBOURS_IN_NAMES if of == "person" else NEIGHBOURS_IN_TITLES
        return {
            words[n]: max(_letters_shared(words[n], one or "") for one in near)
            for n, *near in await self._session.fetch_all(query, {"words": list(words)})
        }

    async def beginning(self, of: Of, beginnings: Iterable[str], most: int) -> list[str]:
        """Return the different words that begin with one of some texts, up to *most*."""
        ranges = [(text, text + _AFTER_ALL_WORDS) for text in sorted(set(beginnings))]
        if not ranges:
            return []
        query = DISTINCT_IN_NAMES if of == "person" else DISTINCT_IN_TITLES
        return [word for (word,) in await self._session.fetch_all(query, {"ranges": ranges, "most": most})]

    async def people(
        self, readings: Sequence[Sequence[Alternatives]], *, counted: bool = True
    ) -> dict[int, PersonCandidate]:
        """Return people who have all words of one of the readings, by key: of each reading equally many.

        Args:
            readings: the readings.
            counted: whether their credits are counted. Otherwise they seem to have none.
        """
        rows = await self._find(PEOPLE_CANDIDATES if counted else PEOPLE_NAMED_ALIKE, "person", readings)
        return {row[0]: PersonCandidate(*row) for row in rows}

    async def credits(self, keys: Collection[int]) -> dict[int, int]:
        """Return how many credits each of some people has, counted up to a limit."""
        if not keys:
            return {}
        return dict(await self._session.fetch_all(CREDITS_OF_PEOPLE, {"people": [(key,) for key in keys]}))

    async def items(self, readings: Sequence[Sequence[Alternatives]]) -> dict[int, ItemCandidate]:
        """Return items that have all words of one of the readings, by key: of each reading equally many."""
        rows = await self._find(ITEM_CANDIDATES, "item", readings)
        return {row[0]: ItemCandidate(*row) for row in rows}

    async def prominent(self, most: int) -> list[PersonCandidate]:
        """Return the people with the most credits. The work grows with the number of all credits."""
        return [
            PersonCandidate(*row) for row in await self._session.fetch_all(PROMINENT_PEOPLE, {"most": most})
        ]

    async def providers(self, of: Of, keys: Collection[int]) -> dict[int, dict[str, str]]:
        """Return the ids of people or items at public providers, by key."""
        found: dict[int, dict[str, str]] = {}
        if not keys:
            return found
        query, name = (PEOPLE_PROVIDERS, "people") if of == "person" else (ITEM_PROVIDERS, "items")
        for key, provider, value in await self._session.fetch_all(query, {name: [(key,) for key in keys]}):
            found.setdefault(key, {})[provider] = value
        return found

    async def _find(
        self, query: str, of: Of, readings: Sequence[Sequence[Alternatives]]
    ) -> list[tuple[Any, ...]]:
        params: dict[str, Any] = {}
        if not readings:
            return []
        most = MOST_CANDIDATES // len(readings)
        words = " UNION ".join(
            f"SELECT {of}_key FROM "
            f"(SELECT {of}_key FROM ({_all_of(of, groups, params)}) a{n} LIMIT {most:d}) r{n}"
            for n, groups in enumerate(readings)
        )
        return await self._session.fetch_all(query.replace("@words", words), params)


def _letters_shared(one: str, other: str) -> int:
    """Return how many letters two words begin with that are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _all_of(of: Of, groups: Sequence[Alternatives], params: dict[str, Any]) -> str:
    parts = []
    for group in groups:
        number = len(params)
        parts.append(f"SELECT {of}_key FROM ({_one_of(of, group, params)}) g{number}")
    return " INTERSECT ".join(parts) if len(parts) > 1 else parts[0].replace("SELECT", "SELECT DISTINCT", 1)


def _one_of(of: Of, group: Alternatives, params: dict[str, Any]) -> str:
    """Return the query for the keys of the rows that have one of the alternatives.

    Its text depends on which kinds of alternatives there are, not on their number: engines keep statements by
    their texts.
    """
    parts = []
    if group.words:
        name = f"words{len(params)}"
        params[name] = list(group.words)
        parts.append(f"SELECT w.{of}_key FROM @list(:{name}) v CROSS JOIN {of}_word w WHERE w.word = v.id")
    # One query for each: joined with all ranges, PostgreSQL would walk the whole index in its order.
    for text in group.beginnings:
        low, high = (f"{name}{len(params)}" for name in ("low", "high"))
        params |= {low: text, high: text + _AFTER_ALL_WORDS}
        begun = f"SELECT w.{of}_key FROM {of}_word w WHERE w.word >= :{low} AND w.word < :{high}"
        if group.first is not None:
            columns = "w.word, w.place, w.item_key" if of == "item" else "w.word, w.person_key"
            begun = f"SELECT {of}_key FROM ({begun} ORDER BY {columns} LIMIT {group.first:d}) {low}"
        parts.append(begun)
    if group.pairs:
        name = f"pairs{len(params)}"
        params[name] = list(group.pairs)
        same_place = "AND b.place = a.place " if of == "item" else ""  # the columns of the index in order
        parts.append(
            f"SELECT a.{of}_key FROM @rows(:{name}, one text, other text) v "
            f"CROSS JOIN {of}_word a CROSS JOIN {of}_word b "
            f"WHERE a.word = v.one AND b.word = v.other {same_place}AND b.{of}_key = a.{of}_key"
        )
    return " UNION ALL ".join(parts)
