"""Reading the bytes of an NFO file as a tree of elements, however they are wrapped. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import ParseError, fromstring

from mediasync.formats.nfo.cleaning import NfoError, decode, meaning
from mediasync.formats.nfo.elements import FOREIGN_ROOTS, HTML, HTML_BREAKS, OF_ITEMS, ROOTS, TEXTS
from mediasync.formats.nfo.tolerant import Reading, local_name, read_tolerantly

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_PAGE: Final = "html"
_TELLING: Final = frozenset({"title", "plot", "actor", "director", "uniqueid", "year", "season", "outline"})
_LOOSE: Final = OF_ITEMS - ROOTS - FOREIGN_ROOTS
_MAX_WRAPPERS: Final = 3
_MAX_DEPTH: Final = 8
_MAX_TAGS: Final = 100_000
_WRAPPER: Final = "mediasync-document"
_C1: Final = re.compile("[\x80-\x9f]|&#")


@dataclass(slots=True)
class Node:
    """An element of an NFO file. Names are in lower case and without namespaces.

    Attributes:
        name: the element's name.
        attributes: the values of its attributes, by name.
        text: its own text and that of HTML tags in it, trimmed.
        children: the elements in it, in the order of the file.
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, *names: str) -> Iterator[Node]:
        """Iterate over the children with one of these names, in the order of the file."""
        return (child for child in self.children if child.name in names)

    def first(self, *names: str) -> str:
        """Return the first text that is not empty among children with these names, in the order of *names*.

        Example:
            >>> Node("movie", children=[Node("plot"), Node("outline", text="Short.")]).first("outline")
            'Short.'
        """
        for name in names:
            for child in self.children:
                if child.name == name and child.text:
                    return child.text
        return ""


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
        >>> [root.first("title") for root in read_document(b"<movie><title>Heat</title></movie>").roots]
        ['Heat']
    """
    text, problems = decode(data)
    if not text.strip():
        raise NfoError("the file is empty")
    if text.count("<") > _MAX_TAGS:
        raise NfoError(f"it has more than {_MAX_TAGS} tags")
    reading = _parse(text) or read_tolerantly(text)
    clean = meaning if "&" in text or _C1.search(text) else _unchanged
    nodes = [_node(child, clean, 0) for child in reading.top]
    roots = _unwrap(nodes, 0, problems)
    loose = [node for node in nodes if node.name in _LOOSE and (node.text or node.children)]
    if not roots and not loose:
        return Document([], text, [])
    problems += reading.problems
    parts = (reading.top.text, *(child.tail for child in reading.top))
    outside = " ".join(part for part in parts if part and part.strip())
    if not roots:
        damage = reading.damage or "there is no root element"
        return Document([Node("", children=nodes)], outside, problems, damage, cut=True)
    damage = reading.damage or (f"<{loose[0].name}> is outside <{roots[0].name}>" if loose else "")
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


def _node(element: Element, clean: Callable[[str], str], depth: int) -> Node:
    """Copy an element; only text is kept below a depth that no NFO file reaches."""
    name, attributes, text = local_name(element.tag), {}, element.text or ""
    children: list[Node] = []
    if element.attrib:
        attributes = {local_name(key): clean(value).strip() for key, value in element.attrib.items()}
    if len(element):
        inside = [child for child in element if local_name(child.tag) not in HTML]
        if (name in TEXTS and depth) or len(inside) < len(element):
            text = _whole_text(element)
        if depth < _MAX_DEPTH:
            children = [_node(child, clean, depth + 1) for child in inside]
    return Node(name, attributes, clean(text).strip(), children)


def _whole_text(element: Element) -> str:
    """Return all text in an element, with line breaks for the HTML tags that end a line."""
    for inner in element.iter():
        if inner is not element and local_name(inner.tag) in HTML_BREAKS:
            inner.tail = "\n" + (inner.tail or "")
    return "".join(element.itertext())


def _unchanged(text: str) -> str:
    return text


def _unwrap(nodes: list[Node], depth: int, problems: list[str]) -> list[Node]:
    """Find the roots inside elements that only wrap them; a misspelt root becomes a problem."""
    roots: list[Node] = []
    for node in nodes:
        if node.name == _PAGE:
            raise NfoError("it is a web page")
        if node.name in FOREIGN_ROOTS or (node.name in ROOTS and (node.children or node.name != "season")):
            roots.append(node)  # a <season> with only a number in it belongs to an episode
        elif depth < _MAX_WRAPPERS and any(child.name in ROOTS and child.children for child in node.children):
            roots += _unwrap(node.children, depth + 1, problems)
        elif (node.name not in OF_ITEMS or node.name == "episode") and any(
            child.name in _TELLING for child in node.children
        ):
            problems.append(f"unknown root element <{node.name}>")
            roots.append(node)
    return roots
