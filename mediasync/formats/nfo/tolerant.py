"""Reading markup that is not well-formed, as far as it can be read. Pure.

General parsers lose what matters here. The recovery mode of libxml2 nests everything behind an unclosed tag
inside it, so that one mismatched tag costs a film its title and its people. HTML parsers give ``<title>``,
``<link>`` and ``<credits/>`` meanings of their own. This reader knows which elements an NFO file has, and
that they are only a few levels deep. It expands nothing but character references and opens no files. The
length of the text bounds its work and its depth.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder

from mediasync.formats.nfo.cleaning import NfoError, resolve, unescape
from mediasync.formats.nfo.elements import (
    HTML,
    HTML_BREAKS,
    OF_ITEMS,
    OTHERS,
    PEOPLE_LISTS,
    PERSON_FIELDS,
    PERSONS,
    ROOTS,
    TEXTS,
)
from mediasync.formats.nfo.nodes import local_name

_KNOWN: Final = OF_ITEMS | PERSON_FIELDS | ROOTS | TEXTS
_NAMING: Final = frozenset({"name", "role", "character"})
_UNSURE: Final = PERSON_FIELDS - _NAMING - {"order", "sortorder", "type", "job", "department"}
_MAX_DEPTH: Final = 32
_TOP: Final = "document"

_NAME: Final = r"[^\W\d][\w:.-]{0,99}"
_OPENER: Final = re.compile(rf"<!--|<!\[CDATA\[|<\?|<!|<[ \t]{{0,3}}(/?)[ \t]{{0,3}}({_NAME})", re.IGNORECASE)
_TAGS: Final = re.compile(rf"<[ \t]{{0,3}}(/?)[ \t]{{0,3}}({_NAME})(?![^<>]*/>)")
_ATTRIBUTES: Final = re.compile(r"""(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'|[^\s"'<>]+))*""")
_ATTRIBUTE: Final = re.compile(r"""(?<![\w:.-])([\w:.-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)'|([^\s"'<>]+))""")
_END: Final = re.compile(r"\s*(/?)>")
_UNREADABLE_END: Final = re.compile(r"[^<>]*>")
_UP_TO_TAG: Final = re.compile(r"[^<>]*>?")
_UP_TO_LINE: Final = re.compile(r"[^<>\n]*>?")


@dataclass(slots=True)
class Reading:
    """The elements that could be read.

    Attributes:
        top: an element around everything.
        damage: where and how tags do not fit together for the first time; empty if they all fit, so that
            nothing is lost.
        cut: whether the text ends inside an item.
        problems: what was read although it is not XML, one line each.
    """

    top: Element
    damage: str = ""
    cut: bool = False
    problems: list[str] = field(default_factory=list)


def read_tolerantly(text: str) -> Reading:
    """Read any text as the elements of an NFO file.

    Raises:
        NfoError: if the text declares entities.

    Example:
        >>> reading = read_tolerantly("<movie><title>Heat</titel><year>1995</year></movie>")
        >>> [element.text for element in reading.top[0]], reading.damage
        (['Heat', '1995'], 'line 1: </titel> is where </title> should be')
    """
    return _Reader(text).read()


@dataclass(slots=True)
class _Tag:
    """A start tag or an end tag.

    Attributes:
        line: the line where it begins.
        name: its name in lower case and without a prefix.
        source: the text of the tag.
        closes: whether it is an end tag.
        empty: whether it closes itself.
        attributes: the attributes of a start tag.
        whole: whether it ends with ``>``.
    """

    line: int
    name: str
    source: str
    closes: bool
    empty: bool
    attributes: dict[str, str]
    whole: bool


class _Reader:
    def __init__(self, text: str) -> None:
        self._source = text
        self._line = 1
        self._counted = 0
        self._noted: dict[str, int] = {}
        self._damage = ""
        self._builder = TreeBuilder()
        self._open: list[Element] = []
        self._filled: list[bool] = []
        self._found: dict[str, int] = {}
        self._ahead = Counter((local_name(match[2]), bool(match[1])) for match in _TAGS.finditer(text))
        """How many start tags and end tags of each name are still to come."""

    def read(self) -> Reading:
        self._builder.start(_TOP, {})
        tokens = self._tokens()
        token = next(tokens, None)
        while token is not None:
            following = next(tokens, None)
            if isinstance(token, str):
                self._data(token)
            else:
                if not token.empty:
                    self._ahead[token.name, token.closes] -= 1
                if not token.whole:
                    self._note_damage(token.line, f"the tag {token.source!r} has no end")
                if token.closes:
                    self._close(token)
                else:
                    text_follows = isinstance(following, str) and bool(following.strip())
                    self._start(token, text_follows=text_follows)
            token = following
        cut = bool(self._open)
        if cut:
            line = self._line_at(len(self._source))
            self._note_damage(line, f"the file ends inside <{self._open[0].tag}>")
        broken_off = self._broken_off()
        while self._open:
            self._pop()
        self._builder.end(_TOP)
        top = self._builder.close()
        if broken_off:
            place, element = broken_off
            (place if place is not None else top).remove(element)
            self._noted[f"<{element.tag}>, in which the file ends, was left out"] = self._line
        problems = [f"line {line}: {what}" for what, line in self._noted.items()]
        return Reading(top, self._damage, cut, problems)

    def _broken_off(self) -> tuple[Element | None, Element] | None:
        """Return the element in which the file ends, if a part of its text may be missing, and its parent.

        If this text is the name of a person, return the element of the person.
        """
        last = len(self._open) - 1
        if last <= self._item() or len(self._open[last]):
            return None
        if self._open[last].tag == "name" and last - 1 > self._item():
            last -= 1
        return self._open[last - 1] if last else None, self._open[last]

    # Tokens

    def _tokens(self) -> Iterator[_Tag | str]:
        source, position = self._source, 0
        while match := _OPENER.search(source, position):
            if match.start() > position:
                yield self._text(position, match.start())
            if match[2]:
                token, position = self._tag(match)
            else:
                token, position = self._special(match)
            if token:
                yield token
        if position < len(source):
            yield self._text(position, len(source))

    def _text(self, start: int, end: int) -> str:
        text, loose, dropped = unescape(self._source[start:end])
        if loose:
            self._note(start, "an unescaped & was read as text")
        if dropped:
            self._note(start, "control characters were left out")
        return text

    def _special(self, match: re.Match[str]) -> tuple[str, int]:
        """Return the text of a comment, a CDATA section or a declaration, and the position behind it."""
        source, start, after = self._source, match.start(), match.end()
        opener = match[0].upper()
        if opener == "<![CDATA[":
            end = self._find("]]>", after)
            if end < 0 or source.find(match[0], after, end) >= 0:
                self._note_damage(self._line_at(start), "a CDATA section has no end")
                return "", after
            return unescape(source[after:end].replace("&", "&amp;"))[0], end + 3
        if opener == "<!--":
            end = self._find("-->", after)
            if end >= 0 and source.find(opener, after, end) < 0:
                return "", end + 3
            self._note_damage(self._line_at(start), "a comment has no end")
        elif opener == "<?":
            end = self._find("?>", after)
            if end >= 0 and source.find("<", after, end) < 0:
                return "", end + 2
        elif source[after : after + 7].upper() == "DOCTYPE":
            rest = _UP_TO_TAG.match(source, after)
            if rest and "[" in rest[0]:
                raise NfoError("a DOCTYPE with declarations of its own is not read", self._line_at(start))
            return "", rest.end() if rest else after
        else:
            self._note_damage(self._line_at(start), "it holds a declaration")
        rest = _UP_TO_LINE.match(source, after)
        return "", rest.end() if rest else after

    def _find(self, closer: str, after: int) -> int:
        """Return the position of the next *closer*, or -1; a search that found one ahead is not repeated."""
        found = self._found.get(closer, 0)
        if 0 <= found < after:
            found = self._found[closer] = self._source.find(closer, after)
        return found

    def _tag(self, match: re.Match[str]) -> tuple[_Tag | str, int]:
        source, name = self._source, local_name(match[2])
        known = name in _KNOWN or name in HTML
        plain = match[0] == f"<{match[1]}{match[2]}"
        if not (known or plain):
            return "<", match.start() + 1
        attributes = _ATTRIBUTES.match(source, match.end())
        after = attributes.end() if attributes else match.end()
        end, whole, empty = after, False, False
        if closing := _END.match(source, after):
            end, whole, empty = closing.end(), True, bool(closing[1])
        elif closing := _UNREADABLE_END.match(source, after):
            end, whole, empty = closing.end(), True, source[closing.end() - 2] == "/"
        elif not known:
            return "<", match.start() + 1
        found = {
            local_name(attribute[1]): resolve(attribute[2] or attribute[3] or attribute[4] or "")
            for attribute in _ATTRIBUTE.finditer(source, match.end(), end)
        }
        line = self._line_at(match.start())
        return _Tag(line, name, source[match.start() : end], bool(match[1]), empty, found, whole), end

    # The tree

    def _start(self, tag: _Tag, *, text_follows: bool) -> None:
        name = tag.name
        if name in HTML:
            self._html(tag)
            return
        if self._open and self._ends_top(name, text_follows=text_follows):
            self._note_damage(tag.line, f"<{name}> is where </{name}> should be")
            self._pop()
            return
        if self._in_text():
            if name not in _KNOWN:
                self._data(resolve(tag.source))
                return
            self._pop_unclosed(tag.line)
        item = self._item()
        if name in ROOTS and not (name == "season" and self._root() is not None):
            while self._root() is not None:
                self._pop_unclosed(tag.line)
        elif name in OF_ITEMS:
            while len(self._open) - 1 > item and not self._may_hold(name):
                self._pop_unclosed(tag.line)
        elif name in _NAMING and len(self._open) - 1 == item >= 0:
            self._note_damage(tag.line, f"<{name}> is outside a person")
            self._push("actor", {})
        if len(self._open) >= _MAX_DEPTH:
            self._note_damage(tag.line, f"elements are nested {_MAX_DEPTH} deep")
            return
        self._push(name, tag.attributes)
        if tag.empty:
            self._pop()

    def _close(self, tag: _Tag) -> None:
        name = tag.name
        place = next((at for at in reversed(range(len(self._open))) if self._open[at].tag == name), -1)
        last = len(self._open) - 1
        if place == last >= 0:
            self._pop()
        elif name in HTML:
            self._html(tag)
        elif place >= 0 and not self._is_closed_later(name):
            while len(self._open) > place + 1:
                self._pop_unclosed(tag.line)
            self._pop()
        elif place < 0 and name in _KNOWN and self._open and self._open[-1].tag not in _KNOWN:
            self._note_damage(tag.line, f"<{self._open[-1].tag}> is where <{name}> should be")
            self._open[-1].tag = name
            self._pop()
        elif self._in_text() or (last > self._item() and (place >= 0 or self._may_end_top(name))):
            self._note_damage(tag.line, f"</{name}> is where </{self._open[-1].tag}> should be")
            self._pop()
        else:
            self._note_damage(tag.line, f"</{name}> closes nothing")

    def _html(self, tag: _Tag) -> None:
        if self._open and (tag.name == "br" or (tag.closes and tag.name in HTML_BREAKS)):
            self._data("\n")
        self._noted.setdefault("tags of HTML were left out", tag.line)

    def _ends_top(self, name: str, *, text_follows: bool) -> bool:
        """Whether a start tag is meant to be the end tag of the open element and lacks its slash."""
        if self._open[-1].tag != name or text_follows:
            return False
        if name in OTHERS:
            return not self._is_closed_later(name)
        return self._filled[-1] and (name in TEXTS or name in PERSONS)

    def _may_end_top(self, name: str) -> bool:
        """Whether an end tag that fits nothing is the misspelt end tag of the open element."""
        return name not in _KNOWN and not self._is_closed_later(self._open[-1].tag)

    def _is_closed_later(self, name: str) -> bool:
        """Whether more end tags than start tags of this name are still to come."""
        return self._ahead[name, True] > self._ahead[name, False]

    def _in_text(self) -> bool:
        """Whether the open element holds nothing but text."""
        return bool(self._open) and self._open[-1].tag in TEXTS and len(self._open) - 1 > self._item()

    def _root(self) -> int | None:
        return next((place for place, element in enumerate(self._open) if element.tag in ROOTS), None)

    def _item(self) -> int:
        """Return the index of the open element that is an item or stands for one, or -1."""
        root = self._root()
        if root is not None:
            return root
        return 0 if self._open and self._open[0].tag not in OF_ITEMS | PERSON_FIELDS else -1

    def _may_hold(self, name: str) -> bool:
        """Whether the open element, which is not an item, may hold an element with this name."""
        top = self._open[-1].tag
        if top in PEOPLE_LISTS:
            return name in PERSONS
        return self._is_closed_later(top) and (top in OTHERS or top not in _KNOWN)

    def _data(self, text: str) -> None:
        self._builder.data(text)
        if self._filled and not text.isspace():
            self._filled[-1] = True

    def _push(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(self._builder.start(name, attributes))
        self._filled.append(False)

    def _pop(self) -> None:
        self._builder.end(self._open.pop().tag)
        self._filled.pop()

    def _pop_unclosed(self, line: int) -> None:
        """Close an element because another tag shows that it has ended somewhere before.

        Ids and pictures behind the end of a person belong to the item, so an unclosed person keeps none.
        """
        element = self._open[-1]
        self._note_damage(line, f"<{element.tag}> is not closed")
        self._pop()
        if element.tag in PERSONS:
            for child in [child for child in element if child.tag in _UNSURE]:
                element.remove(child)

    # Places

    def _line_at(self, position: int) -> int:
        self._line += self._source.count("\n", self._counted, position)
        self._counted = position
        return self._line

    def _note(self, position: int, what: str) -> None:
        if what not in self._noted:
            self._noted[what] = self._line_at(position)

    def _note_damage(self, line: int, what: str) -> None:
        self._damage = self._damage or f"line {line}: {what}"
