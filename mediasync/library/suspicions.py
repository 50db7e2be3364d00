"""Pure rules of the doctor: what is wrong with a name, and whether two names can be one person's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from mediasync.text import title_key, words_of_name

Facts = Mapping[str, Any]

_MARKUP: Final = re.compile(
    r"(?i)</?[a-z][^<>]*>|&(?:[a-z]{2,8}|#\d{1,6}|#x[0-9a-f]{1,6});|[a-z]{2,}://|^www\.\S+\."
)
_ENTITY: Final = re.compile(r"(?i)&(?:[a-z]{2,8}|#\w{1,7});")
_CLEAR_SEPARATOR: Final = re.compile(r"\s[/|]\s|\s?;\s")
_SEPARATOR: Final = re.compile(r"[,;/|]")
_NOT_NAMES: Final = frozenset({
    "jr", "sr", "esq", "ph", "phd", "md", "inc", "ltd", "llc", "corp", "gmbh", "the",
})  # fmt: skip
"""Words after a comma that belong to the name before it."""

_RANKS: Final = frozenset({
    "duke", "duchess", "prince", "princess", "baron", "baroness", "viscount", "viscountess", "earl", "count",
    "countess", "marquess", "marquis", "lord", "lady", "king", "queen", "1st", "2nd", "3rd", "4th", "5th",
})  # fmt: skip
"""Words with which a title after a comma begins: "Prince Harry, Duke of Sussex"."""

_MANY_NAMES: Final = 12
_FEWEST_LETTERS: Final = 8
_LETTERS_FOR_TWO: Final = 14


def has_markup(facts: Facts) -> bool:
    """Return whether a name has a tag, a character entity, or an address in it.

    Example:
        >>> names = ("<b>Al Pacino</b>", "Tom &amp; Jerry", "Simon & Garfunkel")
        >>> [has_markup({"name": name}) for name in names]
        [True, True, False]
    """
    return _MARKUP.search(facts["name"]) is not None


def is_list(facts: Facts) -> bool:
    """Return whether a name is a list of several names.

    A slash or a bar with spaces around it, or a semicolon, always separates names. A comma separates them if
    every part has at least two words, none of them is a suffix or a title of nobility, and there is no "&",
    as in the names of companies and bands.

    Example:
        >>> [is_list({"name": name}) for name in ("Al Pacino, Val Kilmer", "Writer One / Writer Two")]
        [True, True]
        >>> [is_list({"name": name}) for name in ("Robert Downey, Jr.", "Earl, Grey & Co", "AC/DC")]
        [False, False, False]
    """
    name = _ENTITY.sub(" ", facts["name"])
    if "://" in name or "</" in name:
        return False  # that is markup
    clear = [part for part in _CLEAR_SEPARATOR.split(name) if words_of_name(part)]
    if len(clear) > 1:
        return True
    parts = [[title_key(word) for word in part.split()] for part in _SEPARATOR.split(name) if part.strip()]
    if "&" in name or any(words[0] in _RANKS or "of" in words[1:2] for words in parts[1:]):
        return False
    return len(parts) > 1 and all(len(words) > 1 and not _NOT_NAMES.intersection(words) for words in parts)


def are_spellings(facts: Facts) -> bool:
    """Return whether two names have the same letters in the same order, whatever accents and marks they have.

    Example:
        >>> are_spellings({"name": "Renée Zellweger", "other_name": "Renee Zellweger"})
        True
        >>> are_spellings({"name": "Dean James", "other_name": "James Dean"})
        False
    """
    key = title_key(facts["name"])
    return bool(key) and key == title_key(facts["other_name"])


def are_nearly_equal(facts: Facts) -> bool:
    """Return whether two names differ by a slip of the keyboard or by an initial.

    Example:
        >>> are_nearly_equal({"name": "Bryan Cranston", "other_name": "Brian Cranston"})
        True
        >>> are_nearly_equal({"name": "Samuel L. Jackson", "other_name": "Samuel Jackson"})
        True
        >>> are_nearly_equal({"name": "Ashley Olsen", "other_name": "Mary-Kate Olsen"})
        False
    """
    first, second = (facts["name"], facts["other_name"])
    keys = title_key(first), title_key(second)
    if keys[0] == keys[1]:
        return False  # these are spellings of one name
    longer = [{word for word in words_of_name(name) if len(word) > 1} for name in (first, second)]
    if longer[0] == longer[1] and len(longer[0]) > 1:
        return True
    least = min(map(len, keys))
    return least >= _FEWEST_LETTERS and OSA.distance(*keys) <= (2 if least >= _LETTERS_FOR_TWO else 1)


def are_unlike(facts: Facts) -> bool:
    """Return whether two names have no word in common and do not sound alike.

    Names that are not written in Latin letters cannot be compared, and are never unlike.

    Example:
        >>> are_unlike({"name": "Tom Hanks", "other_name": "Keanu Reeves"})
        True
        >>> are_unlike({"name": "三船 敏郎", "other_name": "Toshiro Mifune"})
        False
    """
    return _unlike(facts["name"], facts["other_name"])


def are_unlike_titles(facts: Facts) -> bool:
    """Return whether two titles are unlike, and neither is the other's original title or a part of it."""
    titles = [
        [title_key(facts[f"{side}{name}"] or "") for name in ("name", "original_title")]
        for side in ("", "other_")
    ]
    known = [[key for key in keys if key] for keys in titles]
    return all(known) and not any(
        key in other
        or other in key
        or not key.isascii()
        or not other.isascii()
        or fuzz.ratio(key, other) >= 60
        for key in known[0]
        for other in known[1]
    )


def have_nobody_in_common(facts: Facts) -> bool:
    """Return whether no name of one JSON list resembles a name of another one.

    Lists with names in other scripts are not compared.
    """
    first, second = (json.loads(facts[side] or "[]")[:_MANY_NAMES] for side in ("names", "other_names"))
    return bool(first) and bool(second) and all(_unlike(name, other) for name in first for other in second)


def _unlike(name: str, other: str) -> bool:
    first, second = set(words_of_name(name)), set(words_of_name(other))
    if not first or not second or not all(word.isascii() for word in first | second):
        return False
    shared = {word for word in first & second if len(word) > 2}
    return not shared and fuzz.token_sort_ratio(" ".join(first), " ".join(second)) < 70
