"""Reading the bytes of an NFO file as a tree of elements, however they are wrapped. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import ParseError, fromstring

from mediasync.formats.nfo.cleaning import NfoError, decode, meaning
from mediasync.formats.nfo.elements import FOREIGN_ROOTS, OF_ITEMS, ROOTS
from mediasync.formats.nfo.nodes import Node, make_node, tidy
from mediasync.formats.nfo.tolerant import Reading, read_tolerantly

_PAGE: Final = "html"
_TELLING: Final = frozenset({"title", "plot", "actor", "director", "uniqueid", "year", "season", "outline"})
_LOOSE: Final = OF_ITEMS - ROOTS - FOREIGN_ROOTS
_MAX_WRAPPERS: Final = 3
_MAX_TAGS: Final = 100_000
_WRAPPER: Final = "mediasync-document"
_C1: Final = re.compile("[\x80-\x9f]")


@dataclass(slots=True)
class Document:
    """The content of a file.

    Attributes:
        roots: its root elements; a file with several episodes has several.
        outside: the text around them, which is the whole text if there are none.
        problems: what had to be repaired, one line each.
        damage: the line and the nature of the first damage, behind which something may have been lost; empty
            if everything was read.
        cut: whether a part of the file is missing.
    """

    roots: list[Node]
    outside: str
    problems: list[str]
    damage: str = ""
    cut: bool = False


def read_document(data: bytes) -> Document:
    """Read the bytes of an NFO file.

    An XML parser reads what is well-formed. `read_tolerantly` reads anything else as far as it can.

    Returns:
        The document, which has no root elements if the file is plain text.

    Raises:
        NfoError: if the file is empty, has too many tags, is a web page, or declares entities.

    Example:
        >>> [root.findtext("title") for root in read_document(b"<movie><title>Heat</title></movie>").roots]
        ['Heat']
    """
    text, problems = decode(data)
    if not text.strip():
        raise NfoError("the file is empty")
    if text.count("<") > _MAX_TAGS:
        raise NfoError(f"it has more than {_MAX_TAGS} tags")
    reading = _parse(text) or read_tolerantly(text)
    parts = [reading.top.text, *(child.tail for child in reading.top)]
    has_more = "&" in text or not (text.isascii() or _C1.search(text) is None)
    nodes = tidy(reading.top, meaning if has_more else None)
    roots = _unwrap(nodes, 0, problems)
    loose = [node for node in nodes if node.tag in _LOOSE and (node.text or len(node))]
    if not roots and not loose:
        return Document([], text, [])
    problems += reading.problems
    outside = " ".join(part for part in parts if part and part.strip())
    if not roots:
        damage = reading.damage or "there is no root element"
        return Document([make_node("", children=nodes)], outside, problems, damage, cut=True)
    damage = reading.damage or (f"<{loose[0].tag}> is outside <{roots[0].tag}>" if loose else "")
    return Document(roots, outside, problems, damage, reading.cut)


def _parse(text: str) -> Reading | None:
    """Parse well-formed text, which may have text around its elements; return None if it is not well-formed.

    Wrapping the text in an element makes a DOCTYPE a syntax error, so that no entity can be declared.
    """
    if text.startswith("<?xml"):
        end = text.find("?>") + 2
        text = "\n" * text.count("\n", 0, end) + text[end:]
    try:
        return Reading(fromstring(f"<{_WRAPPER}>{text}</{_WRAPPER}>"))  # noqa: S314
    except ParseError:
        return None


def _unwrap(nodes: list[Node], depth: int, problems: list[str]) -> list[Node]:
    """Find the roots inside elements that only wrap them; a misspelt root becomes a problem."""
    roots: list[Node] = []
    for node in nodes:
        if node.tag == _PAGE:
            raise NfoError("it is a web page")
        if node.tag in FOREIGN_ROOTS or (node.tag in ROOTS and (len(node) or node.tag != "season")):
            roots.append(node)  # a <season> with only a number in it belongs to an episode
        elif depth < _MAX_WRAPPERS and any(child.tag in ROOTS and len(child) for child in node):
            roots += _unwrap(list(node), depth + 1, problems)
        elif (node.tag not in OF_ITEMS or node.tag == "episode") and any(
            child.tag in _TELLING for child in node
        ):
            problems.append(f"unknown root element <{node.tag}>")
            roots.append(node)
    return roots
