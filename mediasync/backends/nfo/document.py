"""From the bytes of a file to its elements, however they are wrapped. Pure, no files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from mediasync.backends.nfo.cleaning import NfoError, decode, drop_html_tags, repair

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ROOTS: Final = frozenset({"movie", "tvshow", "season", "episodedetails"})
FOREIGN_ROOTS: Final = frozenset({"album", "artist", "concert", "musicvideo", "set"})
_PAGE: Final = "html"
_TELLING: Final = frozenset({"title", "plot", "actor", "director", "uniqueid", "year", "season", "outline"})
_MAX_WRAPPERS: Final = 3
_MAX_DEPTH: Final = 8
_MAX_TAGS: Final = 200_000
_WRAPPER: Final = "mediasync-document"


@dataclass(slots=True)
class Node:
    """An element of an NFO file, its names in lower case and without namespaces.

    Attributes:
        name: of the element.
        attributes: by name.
        text: its own and its descendants' text, trimmed.
        children: in the order of the file.
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, *names: str) -> Iterator[Node]:
        """Yield the children with one of *names*, in the order of the file."""
        return (child for child in self.children if child.name in names)

    def first(self, *names: str) -> str:
        """Return the first text that is not empty of the children called *names*, in the order of *names*.

        Example:
            >>> Node("movie", children=[Node("plot"), Node("outline", text="Short.")]).first("outline")
            'Short.'
        """
        for name in names:
            for child in self.all(name):
                if child.text:
                    return child.text
        return ""


@dataclass(slots=True)
class Document:
    """What a file holds.

    Attributes:
        roots: its elements, several for a file with several episodes.
        outside: the text around them.
        problems: what had to be repaired.
    """

    roots: list[Node]
    outside: str
    problems: list[str]


def read_document(data: bytes) -> Document:
    """Read the bytes of an NFO file.

    Returns:
        Its root elements; none if it is plain text.

    Raises:
        NfoError: if the markup is cut off or does not fit together, or declares entities. What came before
            the break is not returned: a shortened list of people looks like a whole one.

    Example:
        >>> [root.first("title") for root in read_document(b"<movie><title>Heat</title></movie>").roots]
        ['Heat']
    """
    text, problems = decode(data)
    if not text.strip():
        raise NfoError("the file is empty")
    if text.count("<") > _MAX_TAGS:
        raise NfoError(f"it has more than {_MAX_TAGS} tags")
    text, repaired = repair(text)
    problems += repaired
    try:
        top = _parse(text)
    except NfoError as first_error:
        try:
            top = _parse(drop_html_tags(text))
        except NfoError:
            raise first_error from None
        problems.append("HTML that is no XML was read without its tags")
    outside = " ".join(part for part in (top.text, *(child.tail for child in top)) if part and part.strip())
    return Document(_unwrap([_node(child, 0) for child in top], 0, problems), outside, problems)


def _parse(text: str) -> Element:
    try:
        element: Element = fromstring(f"<{_WRAPPER}>{text}</{_WRAPPER}>", forbid_dtd=True)
    except ParseError as error:
        line, _ = error.position
        reason = str(error).partition(":")[0].replace(_WRAPPER, "document")
        raise NfoError(f"the XML does not fit together ({reason})", line) from error
    except DefusedXmlException as error:
        raise NfoError("declarations of entities are not read") from error
    return element


def _node(element: Element, depth: int) -> Node:
    """Copy an element; below a depth that no NFO file uses only the text is kept."""
    node = Node(
        _local(element.tag),
        {_local(name): value.strip() for name, value in element.attrib.items()} if element.attrib else {},
        ("".join(element.itertext()) if len(element) else element.text or "").strip(),
    )
    if depth < _MAX_DEPTH:
        node.children = [_node(child, depth + 1) for child in element]
    return node


def _local(name: str) -> str:
    return name.rpartition("}")[2].lower()


def _unwrap(nodes: list[Node], depth: int, problems: list[str]) -> list[Node]:
    """Find the roots inside elements that only wrap them, and name the misspelt ones."""
    roots: list[Node] = []
    for node in nodes:
        if node.name == _PAGE:
            raise NfoError("it is a web page")
        if node.name in ROOTS or node.name in FOREIGN_ROOTS:
            roots.append(node)
        elif depth < _MAX_WRAPPERS and any(child.name in ROOTS and child.children for child in node.children):
            roots += _unwrap(node.children, depth + 1, problems)
        elif any(child.name in _TELLING for child in node.children):
            problems.append(f"unknown root element <{node.name}>")
            roots.append(node)
    return roots
