"""The marks in NFO files that an export of mediasync wrote, by which they are read back exactly. Pure.

The files are NFO files as Kodi knows them. The marks are attributes, which other programs ignore:

``mediasync`` of the root element
    how complete the credits are. Without it, no other mark counts.
``exact`` of an element
    its value, percent-encoded, where reading its text would change it.
``credit`` of a person's element
    ``key=value`` pairs, percent-encoded, with a space between them: the place in the billing, the ids, and
    whatever of the name, the type and the role the element itself does not say.

Whoever edits the text of an element wins over its mark: a mark counts only as long as it stands beside the
text that was written with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final
from urllib.parse import quote, unquote

from mediasync.formats.nfo.cleaning import ILLEGAL, meaning
from mediasync.formats.nfo.nodes import Node

ROOT: Final = "mediasync"
EXACT: Final = "exact"
CREDIT: Final = "credit"
ID_PREFIX: Final = "id."
"""What the key of a person's id begins with, before the provider."""

_READABLE: Final = "/:,!()*'@+?"
_MOST_PAIRS: Final = 100


def visible(text: str) -> str:
    """Return a text without the characters that XML cannot hold.

    Example:
        >>> visible("Heat\\x01")
        'Heat'
    """
    return ILLEGAL.sub("", text)


def encode(text: str) -> str:
    """Return a text as a mark holds it.

    Example:
        >>> encode("Key Grip")
        'Key%20Grip'
    """
    return quote(text, safe=_READABLE, errors="replace")


def decode(text: str) -> str:
    """Return the text that `encode` was given. NUL, which no database stores, is left out.

    Example:
        >>> decode("Key%20Grip")
        'Key Grip'
    """
    return unquote(text).replace("\0", "")


def encode_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Return pairs as a mark holds them.

    Example:
        >>> encode_pairs([("billing", "3"), ("type", "Key Grip")])
        'billing=3 type=Key%20Grip'
    """
    return " ".join(f"{encode(key)}={encode(value)}" for key, value in pairs)


def decode_pairs(text: str) -> dict[str, str]:
    """Return the pairs in a mark; more than a hundred are not read.

    Example:
        >>> decode_pairs("billing=3 type=Key%20Grip")
        {'billing': '3', 'type': 'Key Grip'}
    """
    split = (part.partition("=") for part in islice(text.split(), _MOST_PAIRS))
    return {decode(key): decode(value) for key, _, value in split}


def exact_value(node: Node) -> str | None:
    """Return the exact value of an element; None if its text is the value, or was edited since."""
    mark = node.get(EXACT)
    return None if mark is None else unless_edited(decode(mark), node.text)


def unless_edited(exact: str, text: str) -> str | None:
    """Return an exact value if *text* is what reading its visible form gives, else None.

    Example:
        >>> unless_edited("Heat\\x01", "Heat") == "Heat\\x01", unless_edited("Heat\\x01", "Ran")
        (True, None)
    """
    return exact if meaning(visible(exact)).strip() == text else None


def first_exact(node: Node, *names: str) -> str | None:
    """Return the exact value of the first child with one of these names that has one."""
    for name in names:
        for child in node.findall(name):
            if (value := exact_value(child)) is not None:
                return value
    return None
