"""One search over titles and people, which forgives misspellings.

It goes in stages, each only if the one before found too little: words and their beginnings; then words that
are joined, split or misspelt by a letter; then words that are left out, or misspelt by two letters. The
candidates that a stage reads are few, and are ranked here.
"""

from __future__ import annotations

import asyncio
import re
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from math import log2
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.hits import Match, SearchAnswer, SearchHit
from mediasync.library import likeness as like
from mediasync.library.likeness import SMALL_WORDS, Likeness, Query
from mediasync.repositories.candidates import (
    MOST_CANDIDATES,
    Alternatives,
    CandidateReader,
    ItemCandidate,
    Of,
    PersonCandidate,
)
from mediasync.repositories.summaries import SummaryReader
from mediasync.summaries import ItemSummary, PersonSummary
from mediasync.text import check_texts, searchable_words, title_key, words_in_order
from mediasync.vocabulary import MEDIA_KINDS, MediaType

_RARE: Final = MOST_CANDIDATES
"""All rows of a word are read if at most this many entries begin with it."""
_COMMON: Final = 10_000
"""A word with more entries than this is not intersected with others by the database."""
_WALKED: Final = 100
_FEW: Final = 5
"""A stage that found at least this many is the last one."""
_MISSPELT_WORDS: Final = 3
_SHORT: Final = 6
"""A word of more letters is looked up among the stored ones before all its misspellings are."""
_COMPARED: Final = 40
_GROUPED: Final = 6
"""So many times the wanted number of rows is looked at for further ids of the same human or film."""
_KNOWN: Final = 3
"""A name as it was typed ends the search if the person has so many credits: it is hardly misspelt."""
_WHOLE_WORD: Final = 2
"""A name with the very word counts as much as a beginning of a word with four times the credits."""
_PROMINENT: Final = 3_000
_SUMMARY_SECONDS: Final = 10.0
_MOST_SUMMARIES: Final = 2_000
_PROMINENT_SECONDS: Final = 600.0
_GOOD: Final = 0.82
_BEHIND: Final = 0.22
"""What is less like the text than the best hit by more than this is not shown."""

_MATCHES: Final = tuple(Match)
_EXACT, _BEGINNING, _WORDS, _PREFIXES, _SIMILAR = range(len(_MATCHES))
_RANKS: Final[dict[str, int]] = {media_type: kind.rank for media_type, kind in MEDIA_KINDS.items()}

_SIGNS: Final = re.compile("[!$@]")
_SUBTITLE: Final = re.compile(r"[:(–—]|\s-\s")

C = TypeVar("C", PersonCandidate, ItemCandidate)
T = TypeVar("T")
U = TypeVar("U")
S = TypeVar("S", PersonSummary, ItemSummary)


class _Stage(Enum):
    """What a step of the search looks for."""

    NONE = 0
    STRICT = 1
    """Words and their beginnings."""
    FORGIVING = 2
    """Words that are joined, split or misspelt by a letter."""
    THOROUGH = 3
    """Also words that are left out, or misspelt by two letters."""


class _Found(NamedTuple, Generic[C]):
    """A candidate that fits.

    Attributes:
        row: the candidate.
        match: how it fits.
        rank: what orders hits, the best first.
        likeness: how much it is like what was typed, from 0 to 1.
    """

    row: C
    match: Match
    rank: tuple[object, ...]
    likeness: float = 1.0


@dataclass(slots=True)
class _Prominence:
    """The people with the most credits, by the words of their names.

    Attributes:
        people: these people, the ones with the most credits first.
        words: their words, sorted, each with the position of the person.
        until: when they are read again, by the monotonic clock.
    """

    people: list[PersonCandidate]
    words: list[tuple[str, int]] = field(default_factory=list)
    until: float = 0.0

    def with_words(self, words: Sequence[str]) -> list[PersonCandidate]:
        """Return those who have, for each of *words*, a word that begins with it."""
        found: set[int] | None = None
        for word in words:
            at = bisect_left(self.words, (word, -1))
            have = set()
            while at < len(self.words) and self.words[at][0].startswith(word):
                have.add(self.words[at][1])
                at += 1
            found = have if found is None else found & have
        return [self.people[n] for n in sorted(found or ())[:_WALKED]]


_Lend = Callable[[], AbstractAsyncContextManager[Session]]


class _Both(Protocol):
    def __call__(
        self, one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, U], /
    ) -> Coroutine[Any, Any, tuple[T, U]]: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What somebody searches for.

    Attributes:
        query: what was typed.
        types: the types of items that are searched.
        people: whether people are searched.
        limit: at most so many titles, and so many people.
    """

    query: Query
    types: frozenset[str]
    people: bool
    limit: int


class _Summaries:
    """Summaries of people, kept for some seconds: who types on is mostly shown the same people again.

    A summary of somebody with hundreds of credits takes longer than all else of a search.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, int], tuple[float, PersonSummary]] = {}

    async def find(self, reader: SummaryReader, rows: Sequence[PersonCandidate]) -> list[PersonSummary]:
        """Return the summaries of people, in their order. Those who are credited no more have none."""
        found: dict[str, PersonSummary] = {}
        since = time.monotonic() - _SUMMARY_SECONDS
        for row in rows:
            kept = self._kept.get(_kept_as(row))
            if kept is not None and kept[0] >= since:
                found[row.id] = kept[1]
        missing = {row.id: row for row in rows if row.id not in found}
        if missing:
            if len(self._kept) > _MOST_SUMMARIES:
                self._kept.clear()
            now = time.monotonic()
            for summary in await reader.find_people([*missing]):
                found[summary.id] = summary
                self._kept[_kept_as(missing[summary.id])] = (now, summary)
        return [found[row.id] for row in rows if row.id in found]


def _kept_as(row: PersonCandidate) -> tuple[str, str, int]:
    return row.id, row.name, row.credits


class Searcher:
    """Searches titles and people, and remembers the people with the most credits.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._prominence: _Prominence | None = None
        self._summaries = _Summaries()

    async def search(self, text: str, kinds: Collection[str] | None, limit: int) -> SearchAnswer:
        """Do what `LibrarySearch.search` says."""
        check_texts("search", {"the text": text})
        if limit < 1 or not text.strip():
            return SearchAnswer([], [])
        types = frozenset(kind.value for kind in MediaType if kinds is None or kind.value in kinds)
        wanted = _Wanted(like.parse_query(text), types, kinds is None or "person" in kinds, limit)
        if not self._database.threaded:
            return await self._answer(wanted, self._database.read, _at_once)

        async def work(session: Session) -> SearchAnswer:
            return await self._answer(wanted, lambda: nullcontext(session), _one_by_one)

        return await self._database.read_whole(work)

    async def _answer(self, wanted: _Wanted, lend: _Lend, both: _Both) -> SearchAnswer:
        """Search with the connections that *lend* lends, titles and people as *both* does."""
        query, types = wanted.query, wanted.types
        title_words: dict[str, int] = {}
        name_words: dict[str, int] = {}

        async def titles(stage: _Stage) -> list[_Found[ItemCandidate]]:
            if stage is _Stage.NONE or not types:
                return []
            async with lend() as session:
                return await _Titles(CandidateReader(session, title_words), query, types).find(stage)

        async def people(stage: _Stage) -> list[_Found[PersonCandidate]]:
            if stage is _Stage.NONE or not wanted.people:
                return []
            async with lend() as session:
                reader = CandidateReader(session, name_words)
                return await _People(reader, query, self._prominent).find(stage)

        found_titles, found_people = await both(titles(_Stage.STRICT), people(_Stage.STRICT))
        exact = any(one.match is Match.EXACT for one in found_titles) or any(
            one.match is Match.EXACT and one.row.credits >= _KNOWN for one in found_people
        )
        then = _Stage.FORGIVING if found_titles or found_people else _Stage.THOROUGH
        more_titles, more_people = await both(
            titles(then if _too_little(found_titles, exact) else _Stage.NONE),
            people(then if _too_little(found_people, exact) else _Stage.NONE),
        )
        found_titles, found_people = _merged(found_titles, more_titles), _merged(found_people, more_people)
        likest = [one.likeness for one in found_titles] + [one.likeness for one in found_people]
        best = max(likest, default=0.0)
        found_titles = [one for one in found_titles if one.likeness >= best - _BEHIND]
        found_people = [one for one in found_people if one.likeness >= best - _BEHIND]
        title_hits, people_hits = await both(
            _title_hits(lend, found_titles, wanted.limit),
            self._people_hits(lend, found_people, wanted.limit),
        )
        return SearchAnswer(title_hits, people_hits)

    async def _people_hits(
        self, lend: _Lend, found: Sequence[_Found[PersonCandidate]], limit: int
    ) -> list[SearchHit[PersonSummary]]:
        if not found:
            return []
        async with lend() as session:
            groups = await _groups(CandidateReader(session), "person", found, limit, _same_human)
            rows = [group[0].row for group in groups]
            return _hits(groups, await self._summaries.find(SummaryReader(session), rows))

    async def _prominent(self, reader: CandidateReader) -> _Prominence:
        """Return the people with the most credits, as they were some minutes ago at most."""
        known = self._prominence
        if known is None or known.until < time.monotonic():
            started = time.monotonic()
            people = sorted(await reader.prominent(_PROMINENT), key=lambda one: (-one.credits, one.id))
            words = sorted((word, n) for n, one in enumerate(people) for word in searchable_words(one.name))
            took = time.monotonic() - started
            self._prominence = known = _Prominence(
                people, words, time.monotonic() + max(_PROMINENT_SECONDS, 100 * took)
            )
        return known


async def _title_hits(
    lend: _Lend, found: Sequence[_Found[ItemCandidate]], limit: int
) -> list[SearchHit[ItemSummary]]:
    if not found:
        return []
    async with lend() as session:
        groups = await _groups(CandidateReader(session), "item", found, limit, _same_film)
        ids = [group[0].row.id for group in groups]
        return _hits(groups, await SummaryReader(session).find_items(ids))


async def _at_once(one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """Run two coroutines at once, on two connections, and both to their ends."""
    first = asyncio.ensure_future(one)
    try:
        second = await other
    finally:
        found = await first
    return found, second


async def _one_by_one(one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """Run two coroutines one after the other, on one connection."""
    try:
        return await one, await other
    finally:
        other.close()


def _too_little(found: Sequence[_Found[C]], exact: bool) -> bool:
    if exact:
        return False
    return len(found) < _FEW


def _merged(first: list[_Found[C]], then: list[_Found[C]]) -> list[_Found[C]]:
    known = {one.row.key for one in first}
    return first + [one for one in then if one.row.key not in known]


# Titles


class _Titles:
    """The search among titles.

    Args:
        reader: reads candidates.
        query: what was typed.
        types: the types of items that are searched.
    """

    def __init__(self, reader: CandidateReader, query: Query, types: frozenset[str]) -> None:
        self._reader = reader
        self._query = query
        self._types = types

    async def find(self, stage: _Stage) -> list[_Found[ItemCandidate]]:
        """Return what a stage finds, the best first."""
        if stage is _Stage.STRICT:
            return await self._strict()
        return await self._forgiving(thorough=stage is _Stage.THOROUGH)

    async def _strict(self) -> list[_Found[ItemCandidate]]:
        """Return the items whose titles have all words, or words that begin with them."""
        found: dict[int, _Found[ItemCandidate]] = {}
        for words in _readings(self._query):
            rows = await self._candidates(words)
            for key, one in self._fitting(rows.values(), words).items():
                if key not in found or one.rank < found[key].rank:
                    found[key] = one
        return sorted(found.values(), key=lambda one: one.rank)

    async def _candidates(self, words: Sequence[str]) -> dict[int, ItemCandidate]:
        keys = _keys(self._query, words)
        readings = [[Alternatives(words=tuple(f"={key}" for key in keys))]]
        if begun := tuple(f"={key}" for key in keys[:4] if len(key) > 1):
            readings.append([Alternatives(beginnings=begun, first=_WALKED)])
        if required := _required(words, self._query.year):
            counts = await self._reader.count("item", required, _COMMON + 1)
            readings += _selective(required, counts, forms=True)
        return await self._reader.items(readings)

    def _fitting(
        self, rows: Iterable[ItemCandidate], words: Sequence[str]
    ) -> dict[int, _Found[ItemCandidate]]:
        keys = _keys(self._query, words)
        year = self._query.year
        typed = _Typed(words, keys)
        without_year = _Typed(words[:-1], keys) if year else None
        found = {}
        for row in rows:
            if row.media_type not in self._types:
                continue
            fit = typed.fit(row)
            if without_year and year and (other := without_year.fit(row)):
                if row.year == year:
                    fit = min(fit, other) if fit else other
                elif fit is None or fit == other:
                    fit = (_SIMILAR, abs((row.year or 0) - year))
            if fit is not None:
                found[row.key] = _Found(row, _MATCHES[fit[0]], (*fit, *_title_order(row)))
        return found

    async def _forgiving(self, *, thorough: bool) -> list[_Found[ItemCandidate]]:
        """Return the items whose titles are like what was typed; *thorough*: also those that are less so."""
        words = _required(self._query.latin, self._query.year) or list(self._query.latin)
        if not words:
            return []
        likeness = Likeness(words, of_titles=True)

        async def read(readings: Sequence[Sequence[Alternatives]]) -> dict[int, float]:
            found = await self._reader.items(readings)
            rows.update({key: row for key, row in found.items() if row.media_type in self._types})
            named = ((key, list(_names(row))) for key, row in found.items() if key in rows)
            return like.likest(likeness, named, _COMPARED)

        rows: dict[int, ItemCandidate] = {}
        scores = await _Forgiving(self._reader, "item", words, read).run(thorough=thorough)
        year = self._query.year
        found = [
            _Found(
                rows[key],
                Match.SIMILAR,
                (_SIMILAR, 0, -score - (0.1 if year and rows[key].year == year else 0)),
                score,
            )
            for key, score in _best(_near_the_best(scores), lambda key: _title_order(rows[key]))
        ]
        return sorted(found, key=lambda one: one.rank)  # stable: equally like titles keep their order


def _readings(query: Query) -> list[tuple[str, ...]]:
    return list(dict.fromkeys((query.words, query.latin)))


def _keys(query: Query, words: Sequence[str]) -> list[str]:
    if not words:
        return [query.text.strip().casefold()[:200]]
    keys = like.title_keys(words)
    if query.year:
        keys += like.title_keys(words[:-1])
    return keys


def _required(words: Sequence[str], year: int | None) -> list[str]:
    """Return the words that a title must have, without those that say little if there are others."""
    if year:
        words = words[:-1]
    distinct = list(dict.fromkeys(words))
    telling = [word for word in distinct if word not in SMALL_WORDS and len(word) > 1]
    return telling or distinct


def _selective(
    required: Sequence[str], counts: Mapping[str, int], *, forms: bool
) -> list[list[Alternatives]]:
    """Return the readings that find the rows with all words, as long as the words are not too common."""

    def group(word: str, first: int | None = None) -> Alternatives:
        other = tuple(like.number_forms(word) + like.digit_forms(word)) if forms else ()
        return Alternatives(beginnings=(word,) if counts[word] else (), words=other, first=first)

    if any(not counts[word] and group(word) == Alternatives() for word in required):
        return []
    ordered = sorted(required, key=lambda word: counts[word])
    rarest = ordered[0]
    if len(ordered) == 1:
        return [[group(rarest, None if counts[rarest] <= _RARE else _WALKED)]]
    if counts[rarest] <= _RARE // 4 and (counts[rarest] or not forms):
        # The other words of an episode may be those of its show.
        rare = [word for word in ordered[1:3] if forms and 0 < counts[word] <= _RARE // 4]
        return [[group(word)] for word in (rarest, *rare)]
    if counts[rarest] <= _COMMON:
        within = [group(word) for word in ordered if counts[word] <= _COMMON]
        return [within if len(within) > 1 or counts[rarest] <= _RARE else [group(rarest, _RARE)]]
    return [[group(rarest, _RARE)]]


def _names(row: ItemCandidate) -> Iterable[Sequence[str]]:
    for title in (row.title, row.original_title, row.sort_title):
        if title:
            yield like.own_words(title)
    if row.show_title:
        yield (*like.own_words(row.show_title), *like.own_words(row.title))


class _Title(NamedTuple):
    """A title, folded.

    Attributes:
        key: all its letters without an article.
        begun: the keys of its first words.
        main: the key of what is before its subtitle; empty without one.
        words: its words without the small ones, in order.
        every: all words that it is found by.
    """

    key: str
    begun: frozenset[str]
    main: str
    words: tuple[str, ...]
    every: tuple[str, ...]


@lru_cache(maxsize=8192)
def _folded(title: str) -> _Title:
    own = words_in_order(title)
    key = title_key(title) or title.strip().casefold()[:200]
    first = 1 if len(own) > 1 and own[0] in SMALL_WORDS and key == title_key(" ".join(own[1:])) else 0
    main = _SUBTITLE.split(title, maxsplit=1)[0]
    return _Title(
        key,
        frozenset("".join(own[first:last]) for last in range(first + 1, len(own) + 1)),
        title_key(main) if main != title else "",
        tuple([word for word in own if word not in SMALL_WORDS] or own),
        tuple(own if title.isascii() and not _SIGNS.search(title) else {*own, *searchable_words(title)}),
    )


class _Typed:
    """What was typed, as titles are compared with it.

    Args:
        words: the words.
        keys: the keys of the whole titles that they may be.
    """

    def __init__(self, words: Sequence[str], keys: Collection[str]) -> None:
        self._keys = frozenset(keys)
        self._long = tuple(key for key in self._keys if len(key) > 2)
        self._words = [word for word in words if word not in SMALL_WORDS] or list(words)

    def fit(self, row: ItemCandidate) -> tuple[int, int] | None:
        """Return how the best title of an item fits: the place of the match, and what orders equal ones."""
        best = self._fit_title(row.title)
        if best == (_EXACT, 0):
            return best
        for title in (row.original_title, row.sort_title):
            if title and title != row.title and (one := self._fit_title(title)):
                best = min(best or one, one)
        if best is None and row.show_title and (one := self._fit_title(f"{row.show_title} {row.title}")):
            best = (max(one[0], _WORDS), one[1])
        return best

    def _fit_title(self, title: str) -> tuple[int, int] | None:
        own = _folded(title)
        if own.key in self._keys:
            return (_EXACT, 0)
        best = self._fit_words(own)
        if best and best[0] == _BEGINNING:
            return (_BEGINNING, -1) if own.main and own.main in self._keys else best
        if not own.begun.isdisjoint(self._keys):
            return (_BEGINNING, 0)
        if best is None and own.key.startswith(self._long):
            return (_BEGINNING, 1)
        return best

    def _fit_words(self, own: _Title) -> tuple[int, int] | None:
        typed, telling = self._words, own.words
        if not typed:
            return None
        if len(typed) <= len(telling) and all(map(like.same_word, typed[:-1], telling)):
            last = telling[len(typed) - 1]
            if like.begins(typed[-1], last):
                return (_BEGINNING, int(not like.same_word(typed[-1], last)))
        whole = True
        for word in typed:
            if word in own.every:
                continue
            begun = False
            for one in own.every:
                if like.same_word(word, one):
                    break
                begun = begun or one.startswith(word)
            else:
                if not begun:
                    return None
                whole = False
        return (_WORDS if whole else _PREFIXES, 0)


def _title_order(row: ItemCandidate) -> tuple[object, ...]:
    kind = _RANKS.get(row.media_type, 9)
    return (kind > 1, -(row.votes or 0), kind, len(row.title), -(row.year or 0), row.id)


# People


class _People:
    """The search among people.

    Args:
        reader: reads candidates.
        query: what was typed.
        prominent: reads the people with the most credits.
    """

    def __init__(
        self,
        reader: CandidateReader,
        query: Query,
        prominent: Callable[[CandidateReader], Awaitable[_Prominence]],
    ) -> None:
        self._reader = reader
        self._query = query
        self._prominent = prominent

    async def find(self, stage: _Stage) -> list[_Found[PersonCandidate]]:
        """Return what a stage finds, the best first."""
        if stage is _Stage.STRICT:
            return await self._strict()
        return await self._forgiving(thorough=stage is _Stage.THOROUGH)

    async def _strict(self) -> list[_Found[PersonCandidate]]:
        """Return the people whose names have all words, or words that begin with them."""
        found: dict[int, _Found[PersonCandidate]] = {}
        for words in _readings(self._query):
            for row in await self._candidates(words):
                fit = _fit_name(row.name, words)
                if fit is None:
                    continue
                match, place = fit
                whole = 0 if match is Match.PREFIXES else _WHOLE_WORD
                weight = round(log2(1 + row.credits) + (whole if place == 1 else 0), 1)
                one = _Found(row, match, (min(place, 1), -weight, -row.credits, row.name, row.id))
                if row.key not in found or one.rank < found[row.key].rank:
                    found[row.key] = one
        return sorted(found.values(), key=lambda one: one.rank)

    async def _candidates(self, words: Sequence[str]) -> list[PersonCandidate]:
        distinct = list(dict.fromkeys(words))
        required = [word for word in distinct if len(word) > 1] or distinct
        if not required:
            return []
        counts = await self._reader.count("person", required, _COMMON + 1)
        readings = _selective(required, counts, forms=False)
        rows = await self._reader.people(readings)
        if readings and min(counts.values()) > _RARE:
            prominence = await self._prominent(self._reader)
            rows |= {one.key: one for one in prominence.with_words(required)}
        return list(rows.values())

    async def _forgiving(self, *, thorough: bool) -> list[_Found[PersonCandidate]]:
        """Return the people whose names are like what was typed; *thorough*: also those that are less so."""
        words = list(dict.fromkeys(self._query.latin))
        telling = [word for word in words if len(word) > 1]
        if not words:
            return []
        likeness = Likeness(self._query.latin, of_titles=False)

        async def read(readings: Sequence[Sequence[Alternatives]]) -> dict[int, float]:
            found = await self._reader.people(readings, counted=False)
            rows.update(found)
            named = ((key, [like.own_words(row.name)]) for key, row in found.items())
            return like.likest(likeness, named, _COMPARED)

        rows: dict[int, PersonCandidate] = {}
        scores = await _Forgiving(self._reader, "person", telling or words, read).run(thorough=thorough)
        scores = _near_the_best(scores)
        for key, number in (await self._reader.credits(scores)).items():
            rows[key] = rows[key]._replace(credits=number)
        return [
            _Found(rows[key], Match.SIMILAR, (_SIMILAR, -score), score)
            for key, score in _best(scores, lambda key: (-rows[key].credits, rows[key].id))
        ]


@lru_cache(maxsize=8192)
def _name_words(name: str) -> tuple[list[str], Collection[str]]:
    """Return the words of a name in order, and all words that it is found by."""
    own = words_in_order(name)
    return own, own if name.isascii() and not _SIGNS.search(name) else {*own, *searchable_words(name)}


def _fit_name(name: str, words: Sequence[str]) -> tuple[Match, int] | None:
    """Return how a name fits, and the place of that among the hits."""
    own, every = _name_words(name)
    for word in words:
        for one in every:
            if one.startswith(word):
                break
        else:
            return (Match.EXACT, 0) if "".join(own) == "".join(words) else None
    typed, joined = "".join(words), "".join(own)
    if joined == typed or sorted(own) == sorted(words):
        return Match.EXACT, 0
    if not name.isascii() and "".join(like.own_words(name)) == typed:
        return Match.EXACT, 0
    begun = joined.startswith(typed)
    if all(word in every for word in words):
        return (Match.BEGINNING if begun else Match.WORDS), 1
    return (Match.BEGINNING if begun else Match.PREFIXES), 2


# Misspellings

_Read = Callable[[Sequence[Sequence[Alternatives]]], Awaitable[dict[int, float]]]


class _Forgiving:
    """Finds rows whose words are joined, split, misspelt or left out.

    Args:
        reader: reads words.
        of: whose words these are.
        words: the words that were typed, in Latin letters.
        read: reads the rows of readings, and returns how much those that fit are like what was typed.
    """

    def __init__(self, reader: CandidateReader, of: Of, words: Sequence[str], read: _Read) -> None:
        self._reader = reader
        self._of: Of = of
        self._words = list(dict.fromkeys(words))[:6]
        self._read = read
        self._groups: dict[str, Alternatives] = {}
        self._entries: dict[str, int] = {}

    async def run(self, *, thorough: bool) -> dict[int, float]:
        """Return the likeness of the rows found, by key.

        Args:
            thorough: whether words may also be left out, or be misspelt by two letters.
        """
        counts = await self._reader.count(self._of, self._words, _COMMON + 1)
        joined = [(n, a + b) for n, (a, b) in enumerate(zip(self._words, self._words[1:], strict=False))]
        unknown = [word for word in self._words if not counts.get(word)]
        shortest = 2 if thorough else 3  # half of all short words are one letter apart
        misspelt = sorted(
            (word for word in unknown or self._words if len(word) > shortest), key=len, reverse=True
        )[:_MISSPELT_WORDS]
        splits = {
            word: [(word[:n], word[n:]) for n in range(1, len(word))] for word in self._words if len(word) > 3
        }
        edits = {
            word: set(like.joined_forms(*self._words[n : n + 2])) for n, word in joined[:_MISSPELT_WORDS]
        }
        edited = misspelt + [
            word
            for n, word in joined[:_MISSPELT_WORDS]
            if len(word) > 4 and (len(joined) < 3 or not {*self._words[n : n + 2]}.isdisjoint(unknown))
        ]
        # Whatever is wrong behind the letters with which some stored word begins, the result is not stored.
        shared = await self._reader.shared(self._of, [word for word in edited if len(word) > _SHORT])
        for word in edited:
            edits[word] = edits.get(word, set()) | like.one_edit(word, shared.get(word))
        others = {word: like.other_forms(word) for word in self._words}
        existing = await self._reader.existing(
            self._of,
            {
                *self._words,
                *(word for _, word in joined),
                *(part for pairs in splits.values() for pair in pairs for part in pair),
                *(word for some in edits.values() for word in some),
                *(word for some in others.values() for word in some),
            },
        )
        for word in self._words:
            near = [one for one in (*edits.get(word, ()), *others[word]) if one in existing]
            pairs = [
                (a, b) if existing[a] <= existing[b] else (b, a)  # the rarer one is read first
                for a, b in splits.get(word, ())
                if a in existing and b in existing
            ]
            exact = (word,) if word in existing else ()
            begun = (word,) if 0 < counts.get(word, 0) <= _RARE and len(word) > 2 else ()
            self._groups[word] = Alternatives(begun, (*exact, *sorted(near)), tuple(_likely(pairs)))
            self._entries[word] = sum(existing[one] for one in near) + max(
                counts.get(word, 0) if begun else 0, existing.get(word, 0)
            )
        readings = [[self._groups[word] for word in self._words]]
        for n, word in joined:
            whole = tuple(sorted({one for one in (word, *edits.get(word, ())) if one in existing}))
            rest = [self._groups[one] for m, one in enumerate(self._words) if m not in (n, n + 1)]
            readings.append([Alternatives(words=whole), *rest])
        scores = await self._find(readings)
        if not thorough:
            return scores
        if max(scores.values(), default=0.0) < _GOOD and len(self._words) > 1:
            scores |= await self._find(self._without_one(counts))
        if max(scores.values(), default=0.0) < _GOOD:
            scores |= await self._find_far([word for word in misspelt if word in unknown])
        if not scores and len(self._words) > 2:
            telling = [word for word in self._words if len(word) > 3 and self._entries[word] <= _WALKED]
            scores |= await self._find([[self._groups[word]] for word in telling])
        return scores

    async def _find(self, readings: Sequence[Sequence[Alternatives]]) -> dict[int, float]:
        possible = [
            groups
            for groups in readings
            if groups and all(one.words or one.beginnings or one.pairs for one in groups)
        ]
        return await self._read(possible) if possible else {}

    def _without_one(self, counts: Mapping[str, int]) -> list[list[Alternatives]]:
        """Return the readings in which one of the words is left out, or only its first letter is right."""
        readings = []
        for left in self._words:
            rest = [word for word in self._words if word != left]
            if all(self._groups[word] == Alternatives() for word in rest):
                continue
            groups = [self._groups[word] for word in rest]
            if len(rest) == 1 and self._entries[rest[0]] > _RARE:
                exact = Alternatives(words=(rest[0],))
                common = counts.get(rest[0], 0) > 4 * _RARE
                groups = [exact, Alternatives(beginnings=(left[:2],) if common else tuple(_starts(left)))]
            readings.append(groups)
        return readings

    async def _find_far(self, misspelt: Sequence[str]) -> dict[int, float]:
        """Find rows with a word that differs by two letters."""
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract

        groups = dict(self._groups)
        for word in misspelt:
            if len(word) < 6:
                continue
            start = word[:4]
            starts = {start, *(one for one in like.one_edit(start) if len(one) > 3), *_shorter(word[:5])}
            stored = await self._reader.beginning(self._of, starts, 4_000)
            near = [one for one, *_ in extract(word, stored, scorer=OSA.distance, score_cutoff=2, limit=20)]
            if near:
                old = groups[word]
                groups[word] = Alternatives(old.beginnings, (*old.words, *near), old.pairs)
        if groups == self._groups:
            return {}
        return await self._find([[groups[word] for word in self._words]])


def _starts(word: str) -> list[str]:
    """Return how a word may begin whose vowels are wrong."""
    return [word[0] + vowel for vowel in "aeiouy"] if word[1:2] in "aeiouy" else [word[:2]]


def _shorter(word: str) -> set[str]:
    return {word[:n] + word[n + 1 :] for n in range(len(word))}


def _likely(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the most balanced splits, and those at an apostrophe's usual places."""
    return sorted(pairs, key=lambda pair: -min(len(pair[0]), len(pair[1])))[:6]


def _near_the_best(scores: Mapping[int, float]) -> dict[int, float]:
    top = max(scores.values(), default=0.0)
    return {key: round(score, 2) for key, score in scores.items() if score >= top - _BEHIND}


def _best(scores: Mapping[int, float], order: Callable[[int], tuple[object, ...]]) -> list[tuple[int, float]]:
    return sorted(scores.items(), key=lambda one: (-one[1], order(one[0])))


# One human, one film


async def _groups(
    reader: CandidateReader,
    of: Of,
    found: Sequence[_Found[C]],
    limit: int,
    same: Callable[[C, C], bool],
) -> list[list[_Found[C]]]:
    """Return the hits, each with the others that are the same human or film."""
    looked_at = found[: limit * _GROUPED]
    sources = {one.row.source_key for one in looked_at}
    # Within one source, one human has one id; a film may be in several libraries.
    names = {one.row.name if isinstance(one.row, PersonCandidate) else one.row.title for one in looked_at}
    may_be_one = len(sources) > 1 or (of == "item" and len(names) < len(looked_at))
    ids = await reader.providers(of, [one.row.key for one in looked_at]) if may_be_one else {}
    if not ids and len(sources) == 1:
        return [[one] for one in looked_at[:limit]]
    groups: list[list[_Found[C]]] = []
    for one in looked_at:
        own = ids.get(one.row.key, {})
        for group in groups:
            if any(
                _are_one(own, ids.get(other.row.key, {}), same(one.row, other.row)) for other in group
            ) and not any(_contradict(own, ids.get(other.row.key, {})) for other in group):
                group.append(one)
                break
        else:
            if len(groups) < limit:
                groups.append([one])
    return groups


def _are_one(own: Mapping[str, str], other: Mapping[str, str], alike: bool) -> bool:
    return alike or any(other.get(provider) == value for provider, value in own.items())


def _contradict(own: Mapping[str, str], other: Mapping[str, str]) -> bool:
    shared = own.keys() & other.keys()
    return bool(shared) and not any(own[provider] == other[provider] for provider in shared)


def _same_human(one: PersonCandidate, other: PersonCandidate) -> bool:
    """Return whether two people of different sources have the same name."""
    return one.source_key != other.source_key and sorted(like.own_words(one.name)) == sorted(
        like.own_words(other.name)
    )


def _same_film(one: ItemCandidate, other: ItemCandidate) -> bool:
    """Return whether two items of different sources have the same title, year and numbers."""
    return (
        one.source_key != other.source_key
        and (one.media_type, one.year, one.season_number, one.episode_number)
        == (other.media_type, other.year, other.season_number, other.episode_number)
        and title_key(one.title) == title_key(other.title)
        and title_key(one.show_title or "") == title_key(other.show_title or "")
    )


def _hits(groups: Sequence[Sequence[_Found[C]]], summaries: Sequence[S]) -> list[SearchHit[S]]:
    by_id = {summary.id: summary for summary in summaries}
    return [
        SearchHit(by_id[group[0].row.id], group[0].match, tuple(one.row.id for one in group[1:]))
        for group in groups
        if group[0].row.id in by_id
    ]
