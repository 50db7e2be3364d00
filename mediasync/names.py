"""Names and titles, folded for search."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NOT_WORD: Final = re.compile(r"[\W_]+")
_SELECTORS: Final = frozenset((0x034F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
"""Signs that choose between forms of the letter before them."""


_SEPARATE_LETTERS: Final = {
    "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ŋ": "n", "ĸ": "k", "ə": "a", "ɛ": "e", "ɔ": "o",
    "ʼ": " ", "ʻ": None, "ʽ": None, "ʾ": None, "ʿ": None, "ـ": None,
}  # fmt: skip
"""Letters that Unicode does not decompose, and what people type for them.

Half rings and the like, which transliterations write, are left out. The letter apostrophe separates, as the
apostrophe does.
"""

_LONGEST_WORD: Final = 64
"""Words are cut to so many characters: an index of PostgreSQL takes no key of several thousand bytes."""

_LONGEST_KEY: Final = 200

_ARTICLES: Final = frozenset({
    "a", "an", "the", "der", "die", "das", "ein", "eine", "le", "la", "les", "l", "un", "une", "el", "los",
    "las", "il", "lo", "gli", "een", "het", "de", "den", "det", "en", "ett",
})  # fmt: skip
"""What titles begin with in English, German, French, Spanish, Italian, Dutch and the Nordic languages."""

_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Letters of scripts whose words are written without spaces: Thai, Khmer, Burmese, Han, kana, hangul."""


class _Letters(dict[int, "int | str | None"]):
    """What `str.translate` makes of each character of a name, worked out when it is first met."""

    def __missing__(self, code: int) -> int | str | None:
        char = chr(code)
        made: int | str | None = " "
        if char in _SEPARATE_LETTERS:
            made = _SEPARATE_LETTERS[char]
        elif unicodedata.combining(char) or code in _SELECTORS:
            made = None
        elif char.isalnum():
            made = _without_stroke(char)
        elif unicodedata.category(char) in {"Mn", "Mc"}:
            made = code
        self[code] = made
        return made


def _without_stroke(char: str) -> str | None:
    """Return the letter that Unicode's name of a letter says it is a variant of: "l" for "ł", "o" for "ø"."""
    name, separator, _ = unicodedata.name(char, "").partition(" WITH ")
    if not separator:
        return char
    try:
        letter = unicodedata.normalize("NFKD", unicodedata.lookup(name))[0]
    except KeyError:
        return char
    return _SEPARATE_LETTERS.get(letter, letter) if letter.isalpha() else char


_LETTERS: Final = _Letters()


def words_of_name(name: str) -> list[str]:
    """Return the different words of a name, with accents and case folded, sorted.

    Letters, digits and combining signs of any script make words; all else stands between them. Accents
    that Unicode can take apart from their letters are dropped ("é" is "e"), and so are strokes and hooks
    ("ø" is "o"). Letters that have a usual spelling in plain ones get it ("æ" is "ae"), compatibility forms
    are made plain ("ﬁ" is "fi"), and case is folded fully ("ß" is "ss").

    Example:
        >>> words_of_name("Renée O'Connor-Zellweger")
        ['connor', 'o', 'renee', 'zellweger']
        >>> words_of_name("Łukasz Simlat")
        ['lukasz', 'simlat']
        >>> words_of_name("三船 敏郎")
        ['三船', '敏郎']
    """
    return sorted({word[:_LONGEST_WORD] for word in _letters(name).split()})


def words_of_title(title: str) -> list[str]:
    """Return the words by the beginnings of which a title is found, folded as those of a name, sorted.

    Where a script writes no spaces, a word may begin at any letter.

    Example:
        >>> words_of_title("WALL·E")
        ['e', 'wall']
        >>> words_of_title("七人の侍")
        ['の侍', '七人の侍', '人の侍', '侍']
    """
    words: set[str] = set()
    for word in _letters(title).split():
        words.add(word[:_LONGEST_WORD])
        if not word.isascii() and _UNSPACED.search(word):
            whole = unicodedata.normalize("NFC", word)[:_LONGEST_WORD]
            ends = (whole[first:] for first in range(1, len(whole)) if _UNSPACED.match(whole, first))
            words.update(unicodedata.normalize("NFKD", end)[:_LONGEST_WORD] for end in ends)
    return sorted(words)


def title_key(title: str) -> str:
    """Return what different spellings of one title have in common: its letters and digits, folded.

    Spaces and punctuation do not count, nor does an article at the beginning or, behind a comma, at the end.

    Example:
        >>> title_key("The Godfather"), title_key("Godfather, The"), title_key("WALL·E")
        ('godfather', 'godfather', 'walle')
    """
    words = _letters(title).split()
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    elif (
        len(words) > 1 and words[-1] in _ARTICLES and _letters(title.rpartition(",")[2]).split() == words[-1:]
    ):
        words = words[:-1]
    return "".join(words)[:_LONGEST_KEY]


def _letters(text: str) -> str:
    if text.isascii():
        return _NOT_WORD.sub(" ", text.lower())
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return folded.translate(_LETTERS)
