"""Telling the names apart that one text holds: ``Ada One, Bob Two (Producer)``. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from mediasync.backends.nfo.cleaning import html_breaks_to_lines, one_line
from mediasync.vocabulary import PersonType

_STRAY: Final = " \t\r\n\u00a0,;|、，；｜"
_SEPARATOR: Final = re.compile(r"[,;/|｜；、，،／]")
_ALWAYS: Final = re.compile(r"[|｜；、，،／]|(?<=\s)/(?=\s)")
_SEMICOLON: Final = re.compile(";")
_SLASH: Final = re.compile("/")
_COMMA: Final = re.compile(",")
_REFERENCE: Final = re.compile(r"&#?\w{1,32};")
_BRACKETED: Final = re.compile(r"\([^()]*\)")
_FUNCTION: Final = re.compile(r"(.*\S)\s*\(([^()]{1,60})\)", re.DOTALL)
_SUFFIX: Final = re.compile(
    r"(?:(?i:[js]n?r|ph\.?\s?d|esq|inc|incorporated|llc|ltd|limited|corp|gmbh|plc)|[IVX]{1,4}|(?:[A-Z]\.){2,}[A-Z]?"
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
_TEAM: Final = re.compile(r"\s(?:&|and|und|et|y)\s", re.IGNORECASE)
_JOBS: Final[tuple[tuple[re.Pattern[str], PersonType], ...]] = (
    (re.compile(r"(?:.+ )?producer", re.IGNORECASE), PersonType.PRODUCER),
    (
        re.compile(
            r"(?:tele|screen)play(?: by)?|story(?: by| editor)?|(?:original )?(?:story|novel|book)"
            r"|characters?|written by|(?:staff|head|co-?)[ -]?writer|screen ?writer|dialogues?|adaptation"
            r"|based on.*",
            re.IGNORECASE,
        ),
        PersonType.WRITER,
    ),
)
_FUNCTION_WORDS: Final = {"guest": PersonType.GUEST_STAR, "written by": PersonType.WRITER}
_MOST_JOINED: Final = 4


@dataclass(frozen=True, slots=True)
class Named:
    """One name of a list.

    Attributes:
        name: of the person.
        kind: the function that stands in brackets behind the name, ``None`` if there is none.
        role: the job's own words, where they say more than the function.
    """

    name: str
    kind: PersonType | None = None
    role: str | None = None


def split_names(
    text: str, is_known: Callable[[str], bool] = lambda _: False, *, one_person: bool = False
) -> Iterator[Named]:
    """Yield the names in *text*, which may be a list of several.

    Bars, semicolons and slashes with spaces separate names always; a comma or a slash without spaces where
    what it separates is made of whole names; the end of a line where each line is one.

    Args:
        text: one name or several.
        is_known: whether a text is known to be the name of one person. A name with a comma that is known
            is not taken apart, and parts that are known are names.
        one_person: whether there is other evidence that it is one: then only what always separates does.

    Example:
        >>> [named.name for named in split_names("Shane One, Pamela Two; Hank Six, III / Cher")]
        ['Shane One', 'Pamela Two', 'Hank Six, III', 'Cher']
        >>> names = split_names("Ada One (Story) / Bo (Guest)")
        >>> [(named.name, str(named.kind), named.role) for named in names]
        [('Ada One', 'writer', 'Story'), ('Bo', 'guest_star', None)]
    """
    text = html_breaks_to_lines(text)
    lines = [line.strip(_STRAY) for line in text.splitlines() if line.strip(_STRAY)]
    if one_person:
        parts = _cut(one_line(text), _ALWAYS)
    elif len(lines) > 1 and all(_is_one_name(line, is_known) for line in lines):
        parts = lines
    else:
        parts = _split_line(one_line(text), is_known)
    for part in parts:
        yield from _with_function(part)


def _is_one_name(line: str, is_known: Callable[[str], bool]) -> bool:
    parts = _split_line(line, is_known)
    return len(parts) == 1 and (_is_full(parts[0]) or is_known(parts[0]))


def _split_line(text: str, is_known: Callable[[str], bool]) -> list[str]:
    if not _SEPARATOR.search(text) or is_known(text):
        return [trimmed] if (trimmed := text.strip(_STRAY)) else []
    parts = _cut(text, _ALWAYS)
    if not _REFERENCE.search(text):
        parts = [piece for part in parts for piece in _cut(part, _SEMICOLON)]
    parts = [piece for part in parts for piece in _split_slashes(part, is_known)]
    return [piece for part in parts for piece in _split_commas(part, is_known)]


def _cut(text: str, separator: re.Pattern[str]) -> list[str]:
    """Cut *text* where *separator* stands outside of brackets."""
    brackets = [match.span() for match in _BRACKETED.finditer(text)] if "(" in text else []
    parts, start, nearest = [], 0, 0
    for match in separator.finditer(text):
        while nearest < len(brackets) and brackets[nearest][1] <= match.start():
            nearest += 1
        if nearest < len(brackets) and brackets[nearest][0] < match.start():
            continue
        parts.append(text[start : match.start()])
        start = match.end()
    parts.append(text[start:])
    return [trimmed for part in parts if (trimmed := part.strip(_STRAY))]


def _split_slashes(text: str, is_known: Callable[[str], bool]) -> list[str]:
    """Take ``Ada One/Bob Two`` apart, and not ``AC/DC``."""
    parts = _cut(text, _SLASH)
    return parts if all(_is_full(part) or is_known(part) for part in parts) else [text.strip(_STRAY)]


def _split_commas(text: str, is_known: Callable[[str], bool]) -> list[str]:
    """Take ``Ada One, Bob Two`` apart, and not ``Robert Five, Jr.`` or ``Lucas, George``."""
    if "," not in text:
        return [text]
    parts = _join_known(_cut(text, _COMMA), is_known)
    pieces: list[list[str]] = []
    for part in parts:
        if pieces and _SUFFIX.fullmatch(part):
            pieces[-1].append(part)
        else:
            pieces.append([part])
    names = [", ".join(one) for one in pieces]
    return names if _is_list(names, is_known) else [text]


def _join_known(parts: list[str], is_known: Callable[[str], bool]) -> list[str]:
    """Join those neighbours again that are known to be one name with a comma in it."""
    joined: list[str] = []
    place = 0
    while place < len(parts):
        for end in range(min(len(parts), place + _MOST_JOINED), place, -1):
            whole = ", ".join(parts[place:end])
            if end == place + 1 or is_known(whole):
                joined.append(whole)
                place = end
                break
    return joined


def _is_list(names: list[str], is_known: Callable[[str], bool]) -> bool:
    if len(names) < 2:
        return True
    whole = [_is_full(name) or is_known(name) for name in names]
    if all(whole):
        return True
    if len(names) == 2:  # "Lucas, George", "Van Damme, Jean-Claude"
        return whole[0] and names[0].split(maxsplit=1)[0].lower() not in _PARTICLES
    return sum(whole) * 2 > len(names) or not any(map(_TEAM.search, names))  # "Crosby, Stills & Nash"


def _is_full(name: str) -> bool:
    """Whether a name looks like that of one whole person: of several words, or in a script without spaces."""
    name = _BRACKETED.sub(" ", name).strip()
    return len(name.split(maxsplit=1)) > 1 or bool(_SCRIPT_WITHOUT_SPACES.search(name))


def _with_function(text: str) -> Iterator[Named]:
    """Take the functions off that stand in brackets behind a name, each a credit of its own."""
    if text.endswith(")") and (match := _FUNCTION.fullmatch(text)):
        found = [parse_job(word) for word in re.split(r"\s*[,/&;]\s*", match[2].strip())]
        if all(kind for kind, _ in found):
            yield from (Named(match[1].strip(_STRAY), kind, role) for kind, role in found)
            return
    yield Named(text)


def parse_job(text: str) -> tuple[PersonType | None, str | None]:
    """Return the function that a job's words name, and the words where they say more than the function.

    Example:
        >>> parse_job("Executive Producer"), parse_job("II")
        ((<PersonType.PRODUCER: 'producer'>, 'Executive Producer'), (None, None))
    """
    text = " ".join(text.split())
    kind = PersonType.parse(text)
    if isinstance(kind, PersonType) and kind is not PersonType.UNKNOWN:
        return kind, None
    if text.lower() in _FUNCTION_WORDS:
        return _FUNCTION_WORDS[text.lower()], None
    return next(((job, text) for pattern, job in _JOBS if pattern.fullmatch(text)), (None, None))


def folded(name: str) -> str:
    """Return *name* in the form in which equal names are equal.

    Example:
        >>> folded("Ada  ONE")
        'ada one'
    """
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
