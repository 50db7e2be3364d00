"""People's names, folded for search."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NOT_WORD: Final = re.compile(r"[\W_]+")


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
    if name.isascii():
        folded = name.lower()
    else:
        decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
        folded = "".join(char for char in decomposed if not unicodedata.combining(char))
    return sorted(set(_NOT_WORD.sub(" ", folded).split()))
