"""Splitting a text that holds several names (``Ada One, Bob Two (Producer)``). Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from mediasync.formats.nfo.cleaning import html_breaks_to_lines, one_line
from mediasync.formats.nfo.jobs import parse_job
from mediasync.vocabulary import PersonType

_STRAY: Final = " \t\r\n\u00a0,;|、，；｜"
_TEAM: Final = re.compile(r"(?:(?<=\s)[,;]?|[,;]\s*)(?:[&+·]|and|und|et|och|og|en|y|и)\s", re.IGNORECASE)
_SEPARATOR: Final = re.compile(rf"[,;/|｜；、，،／•]|{_TEAM.pattern}", re.IGNORECASE)
_ALWAYS: Final = re.compile(r"[|｜；、，،／•]|(?<=\s)/(?=\s)")
_SEMICOLON: Final = re.compile(";")
_SLASH: Final = re.compile("/")
_COMMA: Final = re.compile(",")
_COMMA_OR_TEAM: Final = re.compile(rf"{_TEAM.pattern}|,", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"&#?\w{1,32};")
_BRACKETED: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_FUNCTION: Final = re.compile(
    r"(.*\S)(?:\s*\(([^()]{1,60})\)|\s*\[([^\[\]]{1,60})\]|\s[-–]\s([^()\[\]]{1,60}))", re.DOTALL
)
_FUNCTION_BEFORE: Final = re.compile(r"([^:()]{1,60}):\s*(\S.*)", re.DOTALL)
_FUNCTIONS: Final = re.compile(r"\s*[,/&;]\s*|\s(?:and|und|et|y)\s", re.IGNORECASE)
_AND_OTHERS: Final = re.compile(r"\.{2,}|…|(?:et al|etc|u\. ?a)\.?|and others", re.IGNORECASE)
_SUFFIX: Final = re.compile(
    r"(?:(?i:[js]n?r|jun|sen|d\.\s?[jä]|2nd|3rd|ph\.?\s?d|esq|inc|incorporated|llc|ltd|limited|corp|gmbh|plc)|[IVX]{1,4}|(?:[A-Z]\.){2,}[A-Z]?"
    r"|M\.?D|DDS|OBE|CBE|MBE|KBE|ASC|BSC|ACE|CSA|Co|S\.?A|B\.?V|A\.?G)\.?"
)
_PARTICLES: Final = frozenset(
    {
        *(
            "van",
            "von",
            "vom",
            "zu",
            "de",
            "da",
            "di",
            "du",
            "del",
            "della",
            "der",
            "den",
            "des",
            "dos",
            "das",
        ),
        *("do", "la", "le", "lo", "ter", "ten", "el", "al", "bin", "ibn", "st", "st.", "san"),
    }
)
_SCRIPT_WITHOUT_SPACES: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}")
_NO_PERSON: Final = frozenset(
    {*("the", "der", "die", "das", "les", "los", "las", "his", "her"), *("sons", "co", "co.", "friends")}
)
"""Words that begin the second part of the name of a band or company, as in ``Ann Lee & The Others``."""
_MOST_JOINED: Final = 4
_LONGEST_NAME: Final = 100
_MOST_PARTS: Final = 20_000
"""How many parts between commas are looked at, which is twice the number of names read from a file."""


@dataclass(frozen=True, slots=True)
class Named:
    """One name of a list.

    Attributes:
        name: the person's name.
        kind: the function beside the name, None if there is none.
        role: the words of the job, where they say more than the function.
    """

    name: str
    kind: PersonType | None = None
    role: str | None = None


class KnownNames:
    """Names of which each is known to be one person's.

    Args:
        names: the names, as they are written.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(map(folded, names))
        self.has_joined = any(map(_COMMA_OR_TEAM.search, self._names))
        """Whether any of the names holds a comma, or a word like ``and``."""

    def __contains__(self, name: str) -> bool:
        return folded(name) in self._names


def split_names(
    text: str, known: Callable[[], KnownNames] = KnownNames, *, one_person: bool = False
) -> Iterator[Named]:
    """Iterate over the names in *text*, which may hold one or several.

    Bars, semicolons and slashes with spaces around them always separate names. A comma, an ``&`` or a slash
    without spaces separates them only if whole names stand on both sides, and a line break only if each line
    is one name.

    Args:
        text: one name or several.
        known: returns the known names. A known name with a comma is not split, and a known part is a name.
        one_person: whether there is other evidence that the text is one name. Then only what always separates
            names does.

    Example:
        >>> [named.name for named in split_names("Shane One, Pamela Two; Hank Six, III & Ann Lee / Cher")]
        ['Shane One', 'Pamela Two', 'Hank Six, III', 'Ann Lee', 'Cher']
        >>> names = split_names("Ada One (Story) / Bo (Guest)")
        >>> [(named.name, str(named.kind), named.role) for named in names]
        [('Ada One', 'writer', 'Story'), ('Bo', 'guest_star', None)]
    """
    text = html_breaks_to_lines(text)
    if one_person:
        parts: Iterable[str] = _cut(one_line(text), _ALWAYS)
    elif "\n" not in text and "\r" not in text and not _SEPARATOR.search(text):
        parts = [text.strip(_STRAY)] if text.strip(_STRAY) else []
    else:
        parts = _Splitter(known()).split(text)
    for part in parts:
        yield from _with_function(part)


class _Splitter:
    """Splits lists of names."""

    def __init__(self, known: KnownNames) -> None:
        self._known = known

    def split(self, text: str) -> Iterator[str]:
        """Iterate over the names in *text*."""
        lines = [line.strip(_STRAY) for line in text.splitlines() if line.strip(_STRAY)]
        if len(lines) > 1 and all(map(self._is_one_name, lines)):
            yield from lines
        else:
            yield from self._split_line(one_line(text))

    def _is_name(self, text: str) -> bool:
        return _is_full(text) or text in self._known

    def _is_one_name(self, line: str) -> bool:
        first, second = [*islice(self._split_line(line), 2), "", ""][:2]
        return not second and self._is_name(first)

    def _split_line(self, text: str) -> Iterator[str]:
        if not _SEPARATOR.search(text) or text in self._known:
            if trimmed := text.strip(_STRAY):
                yield trimmed
            return
        has_reference = _REFERENCE.search(text) is not None
        for part in _cut(text, _ALWAYS):
            for piece in [part] if has_reference else _cut(part, _SEMICOLON):
                for one in self._split_slashes(piece):
                    yield from self._split_commas(one)

    def _split_slashes(self, text: str) -> list[str]:
        """Split ``Ada One/Bob Two``, but not ``AC/DC``."""
        if "/" not in text:
            return [text]
        parts = list(islice(_cut(text, _SLASH), _MOST_PARTS))
        return parts if all(map(self._is_name, parts)) else [text.strip(_STRAY)]

    def _split_commas(self, text: str) -> list[str]:
        """Split ``Ada One, Bob Two & Cy Three``, but not ``Robert Five, Jr.`` or ``Lucas, George``."""
        if not _COMMA_OR_TEAM.search(text):
            return [text]
        if _TEAM.search(text):
            names = self._names_between(text, _COMMA_OR_TEAM)
            if all(_is_person(name) or name in self._known for name in names):
                return names
        names = self._names_between(text, _COMMA)
        if len(names) > 2 and _AND_OTHERS.fullmatch(names[-1]):
            names.pop()
        return names if self._is_list(names) else [text]

    def _names_between(self, text: str, separator: re.Pattern[str]) -> list[str]:
        """Cut *text*, but keep together neighbours that are one known name, and ``Jr.`` and the like."""
        spans = list(islice(_spans(text, separator), _MOST_PARTS))
        names: list[list[str]] = []
        place = 0
        while place < len(spans):
            most = min(len(spans), place + _MOST_JOINED) if self._known.has_joined else place + 1
            for end in range(most, place, -1):
                name = text[spans[place][0] : spans[end - 1][1]].strip(_STRAY)
                if end == place + 1 or name in self._known:
                    break
            place = end
            if names and _SUFFIX.fullmatch(name):
                names[-1].append(name)
            elif name:
                names.append([name])
        return [", ".join(one) for one in names]

    def _is_list(self, names: list[str]) -> bool:
        if len(names) < 2:
            return True
        whole = [self._is_name(name) for name in names]
        if all(whole):
            return True
        if len(names) == 2:  # "Lucas, George", "Van Damme, Jean-Claude"
            return whole[0] and names[0].split(maxsplit=1)[0].lower() not in _PARTICLES
        return sum(whole) * 2 > len(names) or not any(map(_TEAM.search, names))  # "Crosby, Stills & Nash"


def _is_person(name: str) -> bool:
    """Whether a text is the whole name of a person and not a part of a team's name."""
    words = name.split(maxsplit=1)
    return _is_full(name) and words[0].lower() not in _NO_PERSON


def _cut(text: str, separator: re.Pattern[str]) -> Iterator[str]:
    """Cut *text* at every *separator* outside of brackets."""
    for start, end in _spans(text, separator):
        if trimmed := text[start:end].strip(_STRAY):
            yield trimmed


def _spans(text: str, separator: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Iterate over the spans between the separators that are outside of brackets."""
    brackets = (match.span() for match in _BRACKETED.finditer(text))
    bracket = next(brackets, None)
    start = 0
    for match in separator.finditer(text):
        while bracket and bracket[1] <= match.start():
            bracket = next(brackets, None)
        if bracket and bracket[0] < match.start():
            continue
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _is_full(name: str) -> bool:
    """Whether a name looks complete: it has several words, or is in a script without spaces."""
    name = _BRACKETED.sub(" ", name).strip()
    return len(name.split(maxsplit=1)) > 1 or bool(_SCRIPT_WITHOUT_SPACES.search(name))


def _with_function(text: str) -> Iterator[Named]:
    """Separate a name from the functions beside it, and yield one `Named` for each function."""
    if match := _FUNCTION.fullmatch(text):
        name, words = match[1], match[2] or match[3] or match[4]
    elif match := _FUNCTION_BEFORE.fullmatch(text):
        words, name = match[1], match[2]
    else:
        yield Named(text)
        return
    found = [parse_job(word) for word in _FUNCTIONS.split(words.strip())]
    if all(kind for kind, _ in found):
        yield from (Named(name.strip(_STRAY), kind, role) for kind, role in found)
    else:
        yield Named(text)


def is_one_name(text: str) -> bool:
    """Whether a text with a comma is one name, so that it is one name in longer lists as well.

    Example:
        >>> is_one_name("Tyler, The Creator"), is_one_name("Ada One, Bob Two")
        (True, False)
    """
    return "," in text and len(text) <= _LONGEST_NAME and len(list(split_names(text))) == 1


def folded(name: str) -> str:
    """Return *name* in a form that is the same for all spellings of one name.

    Example:
        >>> folded("Ada  ONE")
        'ada one'
    """
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
