"""Searching by the beginnings of words. The work is bounded, however many names match.

The words of names and titles are stored in tables of their own, sorted. If a word of the search text is rare,
all rows of the rare words are read, and filtered and sorted here. If all words are common, the word table is
walked in the order of the result until the page is full.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mediasync.database.session import Session
from mediasync.text import words_of_name

MAX_SEARCH_WORDS: Final = 8
RARE: Final = 500
"""A word is rare if at most this many rows of the word table begin with it."""

_FEWEST_ROWS: Final = 100
_MOST_ROWS: Final = 500
_AFTER_ALL_WORDS: Final = "\U0010ffff"

Row = Sequence[Any]


def count_words(of: str) -> str:
    """Return the query `WordIndex.count` for the word table of ``item`` or ``person``."""
    return f"""
SELECT r.n, (
    SELECT count(*) FROM (
        SELECT w.{of}_key FROM {of}_word w WHERE w.word >= r.low AND w.word < r.high LIMIT :most
    ) begun
) AS matches
FROM @rows(:words, low text, high text) r @oneplan
"""


def keys_of_word(of: str) -> str:
    """Return the query `WordIndex.keys` for the word table of ``item`` or ``person``."""
    return f"SELECT {of}_key FROM {of}_word WHERE word >= :low{{n}} AND word < :high{{n}}"


@dataclass(frozen=True, slots=True)
class WordIndex:
    """A table of words, and the queries that find rows by it.

    Attributes:
        count: counts, for each of the ``words``, the entries that begin with it, up to ``most``.
        keys: finds the storage keys of the rows that have a word; ``{n}`` is the number of the word.
        few: reads the rows whose keys the query ``@words`` gives. The first column is the row's id.
        many: walks the entries from ``low`` to ``high`` in the order of the result; its columns are the word
            and those of *few*. ``@others`` is replaced by further conditions.
        key: the name of the column with the storage keys.
        words: returns the folded words of a row of *few*.
        order: returns what orders rows that match by the same word. No two rows have the same.
    """

    count: str
    keys: str
    few: str
    many: str
    key: str
    words: Callable[[Row], Collection[str]]
    order: Callable[[Row], tuple[Any, ...]]


def search_words(text: str) -> list[str]:
    """Return the folded words of a text that are searched for, the longest first."""
    return sorted(words_of_name(text), key=len, reverse=True)[:MAX_SEARCH_WORDS]


async def find_by_words(
    session: Session, index: WordIndex, text: str, params: Mapping[str, Any], *, skip: int, limit: int
) -> list[Row]:
    """Return the rows that have, for each word of *text*, a word that begins with it.

    They are ordered by their first word that begins with the longest word of the text, so that rows with that
    very word come first, and then by `WordIndex.order`.

    Args:
        session: a snapshot.
        index: the words that are searched.
        text: its longest words are used, at most `MAX_SEARCH_WORDS`.
        params: further parameters of the queries.
        skip: leave out the first so many rows.
        limit: at most so many rows.
    """
    words = search_words(text)
    if not words or limit < 1:
        return []
    ranges = [(word, word + _AFTER_ALL_WORDS) for word in words]
    counted = await session.fetch_all(index.count, {"words": ranges, "most": RARE + 1})
    numbers = dict(counted)
    if not min(numbers.values()):
        return []
    rare = [words[n] for n, number in sorted(numbers.items()) if number <= RARE]
    if rare:
        return (await _find_few(session, index, words, rare, params))[skip : skip + limit]
    return await _find_many(session, index, words, params, skip, limit)


async def _find_few(
    session: Session, index: WordIndex, words: list[str], rare: list[str], params: Mapping[str, Any]
) -> list[Row]:
    keys, given = _keys_of_all(index, rare, params)
    if len(rare) == 1:
        keys = keys.replace("SELECT", "SELECT DISTINCT", 1)
    found: list[tuple[str, tuple[Any, ...], Row]] = []
    for row in await session.fetch_all(index.few.replace("@words", keys), given):
        first = first_match(index.words(row), words)
        if first is not None:
            found.append((first, index.order(row), row))
    return [row for *_, row in sorted(found, key=lambda one: one[:2])]


async def _find_many(
    session: Session, index: WordIndex, words: list[str], params: Mapping[str, Any], skip: int, limit: int
) -> list[Row]:
    keys, given = _keys_of_all(index, words[1:], params)
    given |= {"low": words[0], "high": words[0] + _AFTER_ALL_WORDS}
    query = index.many.replace("@others", "")
    # If the first rows do not fill the page, few rows have all words: the engine intersects the words then.
    of_few = index.many.replace("@others", f"AND w.{index.key} IN ({keys})") if keys else query
    found: dict[Any, Row] = {}
    read, size = 0, min(max(skip + limit, _FEWEST_ROWS), _MOST_ROWS)
    while len(found) < skip + limit:
        rows = await session.fetch_all(query, {**given, "limit": size, "offset": read})
        for _, *row in rows:
            # A row with several such words was found by the first of them already.
            if row[0] not in found and (len(words) == 1 or first_match(index.words(row), words) is not None):
                found[row[0]] = row
        if len(rows) < size:
            break
        if query != of_few:
            query, read = of_few, 0
        else:
            read, size = read + size, _MOST_ROWS
    return list(found.values())[skip : skip + limit]


def _keys_of_all(index: WordIndex, words: list[str], params: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a query for the keys of the rows that have all of these words, and its parameters."""
    given = dict(params)
    for number, word in enumerate(words):
        given |= {f"low{number}": word, f"high{number}": word + _AFTER_ALL_WORDS}
    return " INTERSECT ".join(index.keys.format(n=number) for number in range(len(words))), given


def first_match(own: Collection[str], words: list[str]) -> str | None:
    """Return a row's first word that begins with the longest of *words*; None unless all of *words* match."""
    if not all(any(one.startswith(word) for one in own) for word in words[1:]):
        return None
    return min((one for one in own if one.startswith(words[0])), default=None)
