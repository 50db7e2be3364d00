"""Texts that are safe to show: in one line, of a bounded length, without control characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Bidirectional overrides and isolates affect the text after them, and can make one line look like another.
# The plain marks (LRM, RLM) and the joiners are part of normal text and stay.
_DIRECTIONS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_HARMLESS: Final = re.compile(r"[ -~]*")
LONGEST_CELL: Final = 1_000
LONGEST_TEXT: Final = 4_000


def safe(text: object, longest: int = LONGEST_TEXT) -> str:
    """Return *text* in one line that cannot change the state of a terminal or the direction of a page.

    White space becomes single spaces. Control characters and bidirectional overrides are removed. A text
    longer than *longest* characters is cut.

    Example:
        >>> safe("Neo\\x1b[31m\\n  (the One)")
        'Neo[31m (the One)'
    """
    plain = str(text)[: 4 * longest]  # the rest of a very long text is not needed
    if not _HARMLESS.fullmatch(plain):
        plain = "".join(map(_safe_character, plain))
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def _safe_character(character: str) -> str:
    if character.isspace():
        return " "
    if character in _DIRECTIONS or unicodedata.category(character) == "Cc":
        return ""
    return "\N{REPLACEMENT CHARACTER}" if "\ud800" <= character <= "\udfff" else character
