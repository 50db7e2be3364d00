"""Names and titles, folded for search."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NOT_WORD: Final = re.compile(r"[\W_]+")
_SELECTORS: Final = frozenset((0x034F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
"""Signs that choose between forms of the letter before them."""


class _Letters(dict[int, int | None]):
    """What `str.translate` makes of each character of a name, worked out when it is first met."""

    def __missing__(self, code: int) -> int | None:
        char = chr(code)
        made: int | None = ord(" ")
        if unicodedata.combining(char) or code in _SELECTORS:
            made = None
        elif char.isalnum() or unicodedata.category(char) in {"Mn", "Mc"}:
            made = code
        self[code] = made
        return made


_LETTERS: Final = _Letters()


def words_of_name(name: str) -> list[str]:
    """Return the different words of a name, with accents and case folded, sorted.

    Letters, digits and combining signs of any script make words; all else stands between them. Accents
    that Unicode can take apart from their letters are dropped ("é" is "e"), compatibility forms are made
    plain ("ﬁ" is "fi"), and case is folded fully ("ß" is "ss").

    Example:
        >>> words_of_name("Renée O'Connor-Zellweger")
        ['connor', 'o', 'renee', 'zellweger']
        >>> words_of_name("三船 敏郎")
        ['三船', '敏郎']
    """
    return sorted(set(_letters(name).split()))


def fold(text: str) -> str:
    """Return the words of a text in their order, folded as those of a name, with one space between them.

    Example:
        >>> fold("Amélie: Le  fabuleux destin")
        'amelie le fabuleux destin'
    """
    return " ".join(_letters(text).split())


def _letters(text: str) -> str:
    if text.isascii():
        return _NOT_WORD.sub(" ", text.lower())
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return folded.translate(_LETTERS)
