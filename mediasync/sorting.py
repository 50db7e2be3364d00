"""The order in which people sort titles and names, as texts that a database compares byte by byte."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from mediasync.text import fold

_LONGEST_KEY: Final = 200
_LONGEST_NUMBER: Final = 99

_ARTICLES: Final = frozenset({
    "a", "an", "the", "der", "die", "das", "ein", "eine", "le", "la", "les", "un", "une", "el", "los", "las",
    "una", "il", "lo", "gli", "een", "het", "de", "den", "det",
})  # fmt: skip
"""The articles of English, German, French, Spanish, Italian, Dutch and the Nordic languages, but for "l'"."""

_ENGLISH: Final = frozenset({
    "again", "alone", "and", "another", "by", "fighting", "for", "hard", "is", "laughing", "like", "my", "of",
    "or", "screaming", "to", "trying", "with", "you", "young", "your",
})  # fmt: skip
"""Words that show that the word before is not an article: "Die Hard", "Den of Thieves"."""

_NAMES: Final = {
    "a": frozenset({"and", "as", "bout", "for", "is", "la", "nous", "to", "x"}),
    "de": frozenset({"gaulle", "niro", "palma"}),
    "el": frozenset({"paso"}),
    "la": frozenset({"confidential", "la", "paz"}),
    "las": frozenset({"palmas", "vegas"}),
    "le": frozenset({"mans"}),
    "los": frozenset({"alamos", "angeles"}),
}
"""Words that make a name or a phrase with the word before, which is then not an article: "Los Angeles"."""

_FIRST: Final = re.compile(r"\W*(?:(\w+)\s+(?=\W*(\w+))|l['’]\s*(?=\w))", re.IGNORECASE)
_LAST: Final = re.compile(r",\s*(?:(\w+)|l['’])\s*$", re.IGNORECASE)
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBER: Final = re.compile(r"\d+")


def title_sort_key(title: str, sort_title: str | None = None) -> str:
    """Return the text by which a title is sorted.

    Case, accents and punctuation do not count, and numbers compare by their value. An article at the
    beginning, or after a comma at the end, does not count either, unless the next word shows that it is
    another word.

    Args:
        title: the title.
        sort_title: the title by which the source sorts. If it has one, nothing is left out of it.

    Example:
        >>> sorted(["10 Things", "2 Fast", "The Apartment", "Élite", "Die Hard"], key=title_sort_key)
        ['2 Fast', '10 Things', 'The Apartment', 'Die Hard', 'Élite']
    """
    if sort_title and (key := _key(sort_title)):
        return key
    return _key(_without_article(title)) or _key(title) or title.strip().casefold()[:_LONGEST_KEY]


def name_sort_key(name: str) -> str:
    """Return the text by which a name is sorted: without case, accents and punctuation.

    Example:
        >>> sorted(["Zoe Bell", "Émile Zola", "Emile Hirsch"], key=name_sort_key)
        ['Emile Hirsch', 'Émile Zola', 'Zoe Bell']
    """
    return _key(name) or name.strip().casefold()[:_LONGEST_KEY]


def _without_article(title: str) -> str:
    if first := _FIRST.match(title):
        if first[1] is None:
            return title[first.end() :]
        article, following = first[1].lower(), first[2].lower()
        if (
            article in _ARTICLES
            and following not in _NAMES.get(article, ())
            and (article in {"a", "an", "the"} or following not in _ENGLISH)
        ):
            return title[first.end() :]
    if (last := _LAST.search(title)) and (last[1] is None or last[1].lower() in _ARTICLES):
        return title[: last.start()]
    return title


def _key(text: str) -> str:
    if text.isascii() and text.replace(" ", "").isalpha():
        return " ".join(text.lower().split())[:_LONGEST_KEY]
    words = " ".join(fold(_THOUSANDS.sub("", text) if "," in text else text).split())
    return _NUMBER.sub(_padded, words)[:_LONGEST_KEY]


def _padded(number: re.Match[str]) -> str:
    """Return a number after the number of its digits: then its text sorts by its value."""
    digits = (
        "".join(str(unicodedata.digit(digit)) for digit in number[0]).lstrip("0")[:_LONGEST_NUMBER] or "0"
    )
    return f"{len(digits):02}{digits}"
