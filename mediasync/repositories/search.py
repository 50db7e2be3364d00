"""Searching by the beginnings of words, bounded however many names a text fits.

The words of names and titles stand in an index of their own, in order. A text of which some word is rare is
answered from the rows of its rare words alone: they are all read, filtered and sorted here. A text of common
words only is answered by going through the index in the order of the answer until the page is full.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mediasync.database.session import Session
from mediasync.text import words_of_name

MAX_SEARCH_WORDS: Final = 8
RARE: Final = 500
"""A word is rare if no more than so many rows of the index begin with it."""

_FEWEST_ROWS: Final = 100
_MOST_ROWS: Final = 500
_AFTER_ALL_WORDS: Final = "\U0010ffff"

Row = Sequence[Any]


def count_words(of: str) -> str:
    """Return the query `WordIndex.count` for the words of ``item`` or ``person``."""
    return f"""
SELECT r.n, (
    SELECT count(*) FROM (
        SELECT w.{of}_key FROM {of}_word w WHERE w.word >= r.low AND w.word < r.high LIMIT :most
    ) begun
) AS matches
FROM @rows(:words, low text, high text) r
"""


def keys_of_word(of: str) -> str:
    """Return the query `WordIndex.keys` for the words of ``item`` or ``person``."""
    return f"SELECT {of}_key FROM {of}_word WHERE word >= :low{{n}} AND word < :high{{n}}"


@dataclass(frozen=True, slots=True)
class WordIndex:
    """An index of words, and how rows are found by it.

    Attributes:
        count: the query for how many rows of the index begin with each of the ``words``, up to ``most``.
        keys: the query for the storage keys of the rows of one word, with its number as ``{n}``.
        few: the query for all rows with the keys that ``@words`` gives.
        many: the query for rows of the index from ``low`` to ``high`` in the order of the answer: the word,
            then the columns of *few*. ``@others`` is where conditions are added.
        key: the column of the index that has the storage keys.
        words: the words of a row of *few*, folded.
        order: by what rows that match by the same word are ordered. No two rows have the same.
    """

    count: str
    keys: str
    few: str
    many: str
    key: str
    words: Callable[[Row], Collection[str]]
    order: Callable[[Row], tuple[Any, ...]]


async def find_by_words(
    session: Session, index: WordIndex, text: str, params: Mapping[str, Any], *, skip: int, limit: int
) -> list[Row]:
    """Return the rows each of whose words begins with each word of *text*.

    They are ordered by their first word that begins with the longest word of the text, so that those which
    have the word itself come first, then by the order of the index.

    Args:
        session: a snapshot.
        index: where to look.
        text: at most `MAX_SEARCH_WORDS` words of it are looked at, the longest.
        params: of the queries, besides the words.
        skip: leave out the first so many.
        limit: at most so many.
    """
    words = sorted(words_of_name(text), key=len, reverse=True)[:MAX_SEARCH_WORDS]
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
        first = _first_match(index.words(row), words)
        if first is not None:
            found.append((first, index.order(row), row))
    return [row for *_, row in sorted(found, key=lambda one: one[:2])]


async def _find_many(
    session: Session, index: WordIndex, words: list[str], params: Mapping[str, Any], skip: int, limit: int
) -> list[Row]:
    keys, given = _keys_of_all(index, words[1:], params)
    given |= {"low": words[0], "high": words[0] + _AFTER_ALL_WORDS}
    query = index.many.replace("@others", "")
    # Where the first rows show that few have all words, those few are found by the engine and not row by row.
    of_few = index.many.replace("@others", f"AND w.{index.key} IN ({keys})") if keys else query
    found: dict[Any, Row] = {}
    read, size = 0, min(max(skip + limit, _FEWEST_ROWS), _MOST_ROWS)
    while len(found) < skip + limit:
        rows = await session.fetch_all(query, {**given, "limit": size, "offset": read})
        for _, *row in rows:
            # One that has several such words was found by its first already.
            if row[0] not in found and (len(words) == 1 or _first_match(index.words(row), words) is not None):
                found[row[0]] = row
        if len(rows) < size:
            break
        read, size = read + size, _MOST_ROWS
        if query != of_few:
            query, read = of_few, 0
    return list(found.values())[skip : skip + limit]


def _keys_of_all(index: WordIndex, words: list[str], params: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the query for the keys that have words with all of these beginnings, and its parameters."""
    given = dict(params)
    for number, word in enumerate(words):
        given |= {f"low{number}": word, f"high{number}": word + _AFTER_ALL_WORDS}
    return " INTERSECT ".join(index.keys.format(n=number) for number in range(len(words))), given


def _first_match(own: Collection[str], words: list[str]) -> str | None:
    """Return the first of a row's own words that begins with the longest of *words*, if all of them match."""
    if not all(any(one.startswith(word) for one in own) for word in words[1:]):
        return None
    return min((one for one in own if one.startswith(words[0])), default=None)
