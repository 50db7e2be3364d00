"""Pages as the tests read them: parsed strictly, with their links, texts, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from typing import Final

_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_NEEDS_PARENT: Final = {
    "li": {"ul", "ol", "menu"},
    "dt": {"dl", "div"},
    "dd": {"dl", "div"},
    "tr": {"tbody", "thead", "tfoot", "table"},
    "td": {"tr"},
    "th": {"tr"},
    "option": {"select", "optgroup", "datalist"},
    "summary": {"details"},
}
_ONLY: Final = {
    "ul": {"li"},
    "ol": {"li"},
    "dl": {"dt", "dd", "div"},
    "select": {"option", "optgroup"},
    "tr": {"td", "th"},
}
_NO_BLOCKS: Final = frozenset({"p", "h1", "h2", "h3", "span", "bdi", "dt", "label", "button"})
_BLOCKS: Final = frozenset(
    {"p", "div", "ul", "ol", "dl", "section", "nav", "header", "footer", "main", "form", "table", "details"}
    | {"h1", "h2", "h3", "h4"}
)
_INTERACTIVE: Final = frozenset({"a", "button", "select", "input", "textarea", "details"})


@dataclass
class Element:
    """One element of a page.

    Attributes:
        tag: its name.
        attributes: its attributes; those without a value have an empty one.
        parents: the names of the elements around it, the outermost first.
        text: its text, with that of the elements in it; white space is single spaces.
    """

    tag: str
    attributes: dict[str, str]
    parents: list[str]
    _parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self._parts).split())


class Document(HTMLParser):
    """A parsed page.

    Args:
        text: the page.

    Attributes:
        elements: all elements, in order.
        problems: what is wrong with the page; empty if nothing is.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.problems: list[str] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        self.problems += [f"<{one.tag}> is not closed" for one in self._open]
        self._check_whole(text)

    @property
    def links(self) -> list[str]:
        """The addresses of all links, pictures, scripts and style sheets."""
        return [
            one.attributes[name]
            for one in self.elements
            for name in ("href", "src", "hx-get", "action")
            if name in one.attributes and not one.attributes[name].startswith("#")
        ]

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements with a name, and with attributes (``class_`` for ``class``)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            one
            for one in self.elements
            if one.tag == tag and all(one.attributes.get(name) == value for name, value in wanted.items())
        ]

    def texts(self, tag: str, **attributes: str) -> list[str]:
        """Return the texts of the elements that `all` finds."""
        return [one.text for one in self.all(tag, **attributes)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.problems.append(f"<{tag}> has an attribute twice: {names}")
        element = Element(tag, {name: value or "" for name, value in attrs}, [one.tag for one in self._open])
        self._check_place(element)
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            around = self._open[-1].tag if self._open else "nothing"
            self.problems.append(f"</{tag}> closes <{around}>")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one._parts.append(data)
        if self._open and self._open[-1].tag in _ONLY and data.strip():
            self.problems.append(f"<{self._open[-1].tag}> has text of its own: {data.strip()[:50]!r}")

    def _check_place(self, element: Element) -> None:
        parent = element.parents[-1] if element.parents else ""
        if element.tag in _NEEDS_PARENT and parent not in _NEEDS_PARENT[element.tag]:
            self.problems.append(f"<{element.tag}> in <{parent}>")
        if parent in _ONLY and element.tag not in _ONLY[parent]:
            self.problems.append(f"<{element.tag}> in <{parent}>")
        if element.tag in _BLOCKS and (found := _NO_BLOCKS.intersection(element.parents)):
            self.problems.append(f"<{element.tag}> in {found}")
        if element.tag in _INTERACTIVE - {"details"} and {"a", "button"}.intersection(element.parents):
            self.problems.append(f"<{element.tag}> in a link or a button")
        for name in element.attributes:
            if name.startswith("on") or name == "style":
                self.problems.append(f"<{element.tag}> has {name}, which the content policy forbids")
        if element.tag == "img" and not {"alt", "width", "height", "loading"} <= element.attributes.keys():
            self.problems.append(f"a picture lacks an attribute: {element.attributes}")

    def _check_whole(self, text: str) -> None:
        if not text.startswith("<!doctype html>"):
            self.problems.append("there is no doctype")
        ids = [one.attributes["id"] for one in self.elements if "id" in one.attributes]
        self.problems += [f"two elements have the id {one!r}" for one in {*ids} if ids.count(one) > 1]
        for one in self.elements:
            for name in ("for", "aria-labelledby", "aria-controls", "aria-describedby"):
                for given in one.attributes.get(name, "").split():
                    if given not in ids:
                        self.problems.append(f"{name}={given!r} names no element")
            if one.tag == "script" and "src" not in one.attributes:
                self.problems.append("there is a script in the page")
            if one.tag == "style":
                self.problems.append("there is a style sheet in the page")
        levels = [int(one.tag[1]) for one in self.elements if one.tag in {"h1", "h2", "h3", "h4"}]
        if levels.count(1) != 1 or levels[0] != 1:
            self.problems.append(f"the page has not one heading at its beginning: {levels}")
        self.problems += [
            f"a heading of level {after} follows one of level {before}"
            for before, after in pairwise(levels)
            if after > before + 1
        ]
        if not self.texts("title")[:1] or not self.texts("title")[0]:
            self.problems.append("there is no title")
        if self.all("html")[0].attributes.get("lang") != "en":
            self.problems.append("the language is not named")
