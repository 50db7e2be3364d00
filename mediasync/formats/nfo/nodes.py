"""The elements of an NFO file: ElementTree's, tidied up. Pure.

Their names and those of their attributes are in lower case and without namespaces. Their texts are trimmed,
and include those of HTML tags. They are tidied up in place, because copying them took longer than parsing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element

from mediasync.formats.nfo.elements import (
    FOREIGN_ROOTS,
    HTML,
    HTML_BREAKS,
    OF_ITEMS,
    PERSON_FIELDS,
    ROOTS,
    TEXTS,
    WITHOUT_PEOPLE,
)

if TYPE_CHECKING:

    class Node(Element[str]):
        """An element whose text is never None. At run time it is ElementTree's own element."""

        text: str

        def __iter__(self) -> Iterator[Node]: ...
        def findall(self, path: str, namespaces: None = None) -> list[Node]: ...  # type: ignore[override]

else:
    Node = Element

_MAX_DEPTH: Final = 8
_PLAIN_NAMES: Final = ROOTS | FOREIGN_ROOTS | OF_ITEMS | PERSON_FIELDS | WITHOUT_PEOPLE | TEXTS
_NO_HTML: Final = _PLAIN_NAMES - HTML


def make_node(
    name: str, text: str = "", attributes: Mapping[str, str] | None = None, children: Iterable[Node] = ()
) -> Node:
    """Return an element that no parser made.

    Args:
        name: its name, in lower case.
        text: its text, trimmed.
        attributes: its attributes.
        children: the elements in it.
    """
    node = Node(name, dict(attributes or {}))
    node.text = text
    node.extend(children)
    return node


def first_text(node: Node, *names: str) -> str:
    """Return the first text that is not empty among children with these names, in the order of *names*.

    Example:
        >>> movie = make_node("movie", children=[make_node("plot"), make_node("outline", "Short.")])
        >>> first_text(movie, "plot", "outline")
        'Short.'
    """
    for name in names:
        text = node.findtext(name)
        if text:
            return text
        if text is not None:
            for child in node.findall(name):
                if child.text:
                    return child.text
    return ""


@lru_cache(maxsize=1024)
def local_name(name: str) -> str:
    """Return the name of an element or attribute in lower case, without a namespace or prefix.

    Example:
        >>> local_name("xsi:Type"), local_name("{urn:x}Title")
        ('type', 'title')
    """
    return name.rpartition("}")[2].rpartition(":")[2].lower()


def tidy(top: Element, clean: Callable[[str], str] | None) -> list[Node]:
    """Tidy up the elements in *top*, and return them.

    Args:
        top: an element around everything, as a parser made it.
        clean: applied to each text and to the value of each attribute, if given.
    """
    nodes: list[Node] = list(top)  # type: ignore[arg-type]
    _tidy_all(nodes, clean, 0)
    return nodes


def _tidy_all(nodes: list[Node], clean: Callable[[str], str] | None, depth: int) -> None:
    for node in nodes:
        if node.tag not in _PLAIN_NAMES:
            node.tag = local_name(node.tag)
        if given := node.items():
            node.attrib = {
                local_name(key): (clean(value) if clean else value).strip() for key, value in given
            }
        text = node.text
        if len(node):
            children = list(node)
            inside = [
                child for child in children if child.tag in _NO_HTML or local_name(child.tag) not in HTML
            ]
            if (depth and node.tag in TEXTS) or len(inside) < len(children):
                text = _whole_text(node)
                node[:] = inside
            if depth < _MAX_DEPTH:
                _tidy_all(inside, clean, depth + 1)
            else:
                node[:] = []  # only text is kept below a depth that no NFO file reaches
        node.text = (clean(text) if clean else text).strip() if text else ""


def _whole_text(element: Element) -> str:
    """Return all text in an element, with line breaks for the HTML tags that end a line."""
    for inner in element.iter():
        if inner is not element and local_name(inner.tag) in HTML_BREAKS:
            inner.tail = "\n" + (inner.tail or "")
    return "".join(element.itertext())
