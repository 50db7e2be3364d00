"""Parsing the people of an item in an NFO file into credits in billing order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from mediasync.formats.nfo import marks
from mediasync.formats.nfo.cleaning import one_line
from mediasync.formats.nfo.elements import (
    MEMBERS,
    OF_ITEMS,
    PEOPLE_LISTS,
    PERSON_FIELDS,
    PERSONS,
    WITHOUT_PEOPLE,
)
from mediasync.formats.nfo.jobs import parse_job
from mediasync.formats.nfo.namelists import KnownNames, folded, is_one_name, split_names
from mediasync.formats.nfo.nodes import Node, first_text, make_node
from mediasync.formats.nfo.records import NfoCredit
from mediasync.formats.nfo.values import image_reference, parse_number, parse_person_ids
from mediasync.vocabulary import CAST_TYPES, PersonType

_GROUPS: Final = (PersonType.DIRECTOR, PersonType.WRITER, PersonType.PRODUCER)
_SHARED: Final = frozenset({"type", "job", "department", "order", "sortorder", "role", "character"})
_ROLES: Final = ("role", "character")
_NO_ROLE: Final = (None,)
_PLAIN_FIELDS: Final = frozenset({"name", "role", "type", "order", "sortorder", "thumb"})
"""What nearly all actors of nearly all files consist of."""
_REST_OF_TAG: Final = re.compile("[<>]")
"""Text between the fields of a person that is left of a damaged tag and is not a name."""
_NO_WORDS: Final = frozenset({"true", "false", "yes", "no", "none", "null", "n/a"})
_MAX_DEPTH: Final = 3
MOST_CREDITS: Final = 10_000
"""How many credits are read from one file; the longest real lists have a few hundred."""
MOST_FIELDS: Final = 200
"""How many elements are read inside the element of one person."""
MOST_IDS: Final = 50
"""How many ids of one person are read."""
_PEOPLE: Final = re.compile(
    r"(?:\w+[_-])?(?:guest|main|full|supporting|lead|voice|co|executive|associate)?[_-]?"
    r"(?:cast|crew|actor|actress|director|writer|producer|composer|creator|editor|star|performer|person|people"
    r"|credit|screenplay|author|screenwriter|cinematographer|narrator|musician|talent"
    r"|(?:direct|writt?en|produc|creat)(?:ed)?[_-]?by|darsteller|schauspieler|besetzung|regie|regisseur|drehbuch"
    r"|autor|produzent|acteur|actrice|r[ée]alisat(?:eur|rice|ion)|sc[ée]nariste|sc[ée]nario"
    r"|producteur|reparto|actores|elenco|guion|guionista|ator|diretor|roteiro|attor[ei]|attric[ei]|interpret[ei]"
    r"|regi(?:a|st[aie])|sceneggiat(?:ura|or[ei])|regissör|skådespelare|acteren|obsada|reżyseria|актеры|актёры"
    r"|режисс[её]р|сценарист)"
    r"(?:s|es|in|innen|en|list|info|members?)?\d*"
)


@dataclass(slots=True)
class _Entry:
    element: str
    credit: NfoCredit
    order: int | None = None
    billing: int | None = None

    def sort_key(self) -> tuple[int, bool, int]:
        if self.billing is not None:
            return -1, False, self.billing
        kind = self.credit.person_type
        crew = _GROUPS.index(kind) if kind in _GROUPS else len(_GROUPS)
        group = 0 if kind in CAST_TYPES else 1 + crew
        last = self.order is None or self.order < 0
        return group, last, 0 if last or self.order is None else self.order


@dataclass(frozen=True, slots=True)
class People:
    """The people of an item.

    Attributes:
        credits: the cast, directors, writers, producers and others.
        doubts: why the list may not be complete, one line for each element that may hold people and was not
            understood, and for each limit that was reached.
        has_unknown: whether there are unknown elements with words in them, so that an empty list proves
            nothing.
    """

    credits: list[NfoCredit]
    doubts: list[str]
    has_unknown: bool


def parse_people(node: Node, most: int = MOST_CREDITS, *, marked: bool = False) -> People:
    """Return the people of an item.

    Each group is sorted by the ``<order>`` that the file states; people without one follow in the order of
    the file. An ``<actor>`` whose ``<type>`` is a crew function is crew. A writer in both ``<writer>`` and
    ``<credits>`` is one credit. Exact repeats stay, and so does an actor with a role but without a name: they
    are left to the normal form of lists. Whatever exceeds `MOST_CREDITS`, `MOST_FIELDS` or `MOST_IDS` is left
    out and becomes a doubt.

    Args:
        node: the element of the item.
        most: how many credits are read.
        marked: whether the marks of an export count; see `mediasync.formats.nfo.marks`.

    Example:
        >>> movie = make_node("movie", children=[make_node("director", "One / Two"),
        ...                                      make_node("actor", children=[make_node("name", "Three")])])
        >>> [(credit.name, str(credit.person_type)) for credit in parse_people(movie).credits]
        [('Three', 'actor'), ('One', 'director'), ('Two', 'director')]
    """
    reader = _Reader(node, most)
    for child in node:
        if reader.is_full:
            break
        if not (marked and child.get(marks.CREDIT) and reader.read_marked(child)):
            reader.read_child(child)
    credits_ = [entry.credit for entry in sorted(reader.entries, key=_Entry.sort_key)]
    return People(credits_, [*reader.limits, *reader.doubts], reader.has_unknown)


class _Reader:
    """Collects the people of one item."""

    def __init__(self, root: Node, most: int) -> None:
        self._root = root
        self._most = most
        self._known: KnownNames | None = None
        self._writers = _Writers()
        self.entries: list[_Entry] = []
        self.doubts: dict[str, None] = {}
        """A dictionary, because it keeps the order in which the doubts arose."""
        self.limits: dict[str, None] = {}
        """The limits that were reached, one line each."""
        self.is_full = False
        """Whether there are more credits than may be read."""
        self.has_unknown = False
        """Whether there are unknown elements with words in them."""

    def read_child(self, node: Node) -> None:
        """Read an element directly inside the item's."""
        if kind := PERSONS.get(node.tag):
            self._read_person(node, kind, 0)
        elif node.tag in PEOPLE_LISTS:
            self._read_list(node, PEOPLE_LISTS[node.tag], 0)
        elif node.tag in OF_ITEMS or node.tag in WITHOUT_PEOPLE:
            return
        elif any(child.tag in PERSONS for child in node):
            self._read_list(node, None, 0)
        elif node.tag in PERSON_FIELDS:
            return
        elif _may_hold_people(node):
            self._doubt(node)
        elif _holds_words(node):
            self.has_unknown = True

    def read_marked(self, node: Node) -> bool:
        """Read an element that an export wrote for one credit; return False if its mark was damaged."""
        pairs = marks.decode_pairs(node.get(marks.CREDIT, ""))
        billing = parse_number(pairs.get("billing", ""))
        name = _marked(pairs.get("name"), first_text(node, "name") or node.text)
        if billing is None or not name:
            return False
        kind = PersonType.parse(pairs.get("type", "")) or PERSONS.get(node.tag, PersonType.UNKNOWN)
        role = _marked(pairs.get("role"), node.findtext("role"))
        picture = _picture(node) or image_reference(pairs.get("image", ""))
        ids = {
            key.removeprefix(marks.ID_PREFIX): value
            for key, value in pairs.items()
            if key.startswith(marks.ID_PREFIX)
        }
        credit = NfoCredit(name, kind, role or None, picture, ids or self._ids(node))
        self._append(_Entry(node.tag, credit, billing=billing))
        return True

    def _read_list(self, node: Node, kind: PersonType | None, depth: int) -> None:
        """Read an element that wraps people, or holds their names as text.

        Args:
            node: the element.
            kind: the function of people in it who have none of their own.
            depth: how many such elements it lies in.
        """
        if node.text and kind:
            self._add_names(node, node.text, kind, None)
        elif node.text:
            self._doubt(node)
        for child in node:
            if self.is_full:
                return
            stated = PERSONS.get(child.tag)
            if depth < _MAX_DEPTH and (stated or child.tag in MEMBERS):
                self._read_person(child, stated or kind, depth + 1)
            elif depth < _MAX_DEPTH and child.tag in PEOPLE_LISTS:
                self._read_list(child, PEOPLE_LISTS[child.tag] or kind, depth + 1)
            elif kind and child.tag == "name":
                self._add_names(child, child.text, kind, None)
            elif _holds_text(child):
                self._doubt(child)

    def _read_person(self, node: Node, kind: PersonType | None, depth: int) -> None:
        """Read an element that is meant to hold one person."""
        if kind in CAST_TYPES and self._read_plain(node, kind):
            return
        inside = [child.tag for child in node]
        if not (PERSONS.keys().isdisjoint(inside) and MEMBERS.isdisjoint(inside)):
            self._read_list(node, kind, depth)
            return
        if len(inside) > MOST_FIELDS:
            self._note_limit(f"<{node.tag}> holds more than {MOST_FIELDS} elements")
            node = make_node(node.tag, node.text, node.attrib, list(node)[:MOST_FIELDS])
            inside = inside[:MOST_FIELDS]
        if inside.count("name") < 2:
            self._read_one(node, kind)
        else:
            for one in _one_name_each(node):
                self._read_one(one, kind)

    def _read_plain(self, node: Node, kind: PersonType | None) -> bool:
        """Read an actor with a name and a few other fields, each of them once; return False for any other.

        It finds what `_read_one` finds, in a third of the time, which is most of the time of most files.
        """
        fields = {child.tag: child.text for child in node}
        given = fields.get("name")
        if not given or len(fields) < len(node) or not fields.keys() <= _PLAIN_FIELDS or node.keys():
            return False
        role, job = fields.get("role"), fields.get("type")
        function: PersonType | str = kind or PersonType.UNKNOWN
        roles: list[str] = [one_line(role)] if role else []
        if job:
            function, roles = _with_job(job, roles)
        picture = image_reference(fields.get("thumb", ""))
        order = parse_number(fields.get("order") or fields.get("sortorder", ""))
        name = one_line(given)
        for one in roles or _NO_ROLE:
            self._add(_Entry(node.tag, NfoCredit(name, function, one, picture, {}), order))
        return True

    def _read_one(self, node: Node, kind: PersonType | None) -> None:
        """Read an element that holds at most one name."""
        given = first_text(node, "name") or node.get("name", "")
        function, roles = _function_and_roles(node, kind)
        if not given and not (len(node) and _REST_OF_TAG.search(node.text)):
            given = node.text
        if not given and not (roles and kind in CAST_TYPES):
            if node.text or any(child.tag not in PERSON_FIELDS and _holds_text(child) for child in node):
                self._doubt(node)
        elif kind in CAST_TYPES and (len(node) or node.get("name")):
            picture, ids = _picture(node), self._ids(node)
            order = parse_number(first_text(node, "order", "sortorder"))
            for role in roles or _NO_ROLE:
                credit = NfoCredit(one_line(given), function, role, picture, ids.copy())
                self._add(_Entry(node.tag, credit, order))
        else:
            self._add_names(node, given, function, roles[0] if roles else None)

    def _add_names(self, node: Node, text: str, kind: PersonType | str, role: str | None) -> None:
        """Add all names in *text*; the element's ids and picture count only if it holds one person."""
        ids = self._ids(node) if len(node) or node.keys() else {}
        split = split_names(text, self._known_names, one_person=bool(ids))
        names = list(islice(split, self._most - len(self.entries) + 1))
        alone = len({named.name for named in names}) == 1
        picture, ids = (_picture(node), ids) if alone else (None, {})
        for named in names:
            kind_, role_ = named.kind or kind, named.role or role
            self._add(_Entry(node.tag, NfoCredit(named.name, kind_, role_, picture, ids.copy())))

    def _ids(self, node: Node) -> dict[str, str]:
        ids = parse_person_ids(node)
        if len(ids) > MOST_IDS:
            self._note_limit(f"<{node.tag}> holds more than {MOST_IDS} ids")
            ids = dict(islice(ids.items(), MOST_IDS))
        return ids

    def _add(self, entry: _Entry) -> None:
        is_full = len(self.entries) >= self._most
        if is_full or entry.credit.person_type is not PersonType.WRITER or self._writers.is_new(entry):
            self._append(entry)

    def _append(self, entry: _Entry) -> None:
        if len(self.entries) >= self._most:
            self._note_limit(f"the file holds more than {MOST_CREDITS} credits")
            self.is_full = True
        else:
            self.entries.append(entry)

    def _known_names(self) -> KnownNames:
        """Return the names that are alone in an element: those of actors, and those with a comma."""
        if self._known is None:
            self._known = KnownNames(map(one_line, _names_alone(self._root, 0)))
        return self._known

    def _doubt(self, node: Node) -> None:
        self.doubts[f"<{node.tag}> may hold people and is not understood"] = None

    def _note_limit(self, what: str) -> None:
        self.limits[f"{what}: the others were left out"] = None


def _names_alone(node: Node, depth: int) -> Iterator[str]:
    for child in node:
        if PERSONS.get(child.tag) in CAST_TYPES:
            yield from (name.text for name in child.findall("name"))
        elif child.tag in PERSONS:
            yield from filter(is_one_name, (child.text, *(name.text for name in child.findall("name"))))
        elif child.tag in PEOPLE_LISTS and depth < _MAX_DEPTH:
            yield from _names_alone(child, depth + 1)


def _one_name_each(node: Node) -> Iterator[Node]:
    """Split an element that holds several names into one element for each.

    The fields behind a name belong to that person. If all names come first, the fields of a kind are dealt
    out in order if there is one for each name. Otherwise everybody gets those that people can share, and
    nobody gets ids and pictures.
    """
    first, *runs = _runs(list(node))
    if first and len(runs[-1]) == 1:  # the fields of each person come before the name
        befores = [first, *(run[1:] for run in runs[:-1])]
        runs = [[run[0], *before] for run, before in zip(runs, befores, strict=True)]
        first = []
    if any(len(run) > 1 for run in runs[:-1]):
        yield from (make_node(node.tag, children=[*run, *first]) for run in runs)
        return
    fields: dict[str, list[Node]] = {}
    for child in (*first, *runs[-1][1:]):
        fields.setdefault(child.tag, []).append(child)
    one_each = [all_ for all_ in fields.values() if len(all_) == len(runs)]
    shared = [
        one for name, all_ in fields.items() if len(all_) != len(runs) for one in all_ if name in _SHARED
    ]
    for place, run in enumerate(runs):
        own = [all_[place] for all_ in one_each]
        yield make_node(node.tag, children=[run[0], *own, *shared])


def _runs(children: list[Node]) -> list[list[Node]]:
    """Return the elements before the first name, and then each name with the elements behind it."""
    runs: list[list[Node]] = [[]]
    for child in children:
        if child.tag == "name":
            runs.append([])
        runs[-1].append(child)
    return runs


def _function_and_roles(node: Node, kind: PersonType | None) -> tuple[PersonType | str, list[str]]:
    """Return the function and the roles of the person in an element.

    Args:
        node: the element.
        kind: the function that the element or the list around it states.
    """
    if not (len(node) or node.keys()):
        return kind or PersonType.UNKNOWN, []
    roles = [one_line(child.text) for child in node if child.tag in _ROLES and child.text]
    if not roles and (role := node.get("role")):
        roles = [one_line(role)]
    job = first_text(node, "job") or node.get("job", "")
    if kind in CAST_TYPES or kind is None:
        job = first_text(node, "type") or node.get("type", "") or job
    if not job and kind is None and roles:
        job = roles.pop(0)
    return _with_job(job, roles) if job else (kind or PersonType.UNKNOWN, roles)


def _with_job(job: str, roles: list[str]) -> tuple[PersonType | str, list[str]]:
    """Return the function that a job means, and the roles. Without a role, the words of the job are one."""
    function, words = parse_job(job)
    return function or PersonType.parse(job), [*roles, *([words] if words and not roles else [])]


def _marked(exact: str | None, text: str | None) -> str:
    """Return the exact form of a text, or the text if there is none or it was edited since."""
    if text is None:
        return exact or ""
    kept = None if exact is None else marks.unless_edited(exact, text)
    return one_line(text) if kept is None else kept


def _may_hold_people(node: Node) -> bool:
    """Whether an unknown element looks as if it held people."""
    return (bool(_PEOPLE.fullmatch(node.tag)) and _holds_text(node)) or _holds_names(node)


def _holds_names(node: Node) -> bool:
    return any(
        ((child.tag == "name" or child.tag in PERSONS) and _holds_text(child)) or _holds_names(child)
        for child in node
    )


def _holds_text(node: Node) -> bool:
    return bool(node.text) or any(map(_holds_text, node))


def _holds_words(node: Node) -> bool:
    """Whether an element holds text that could be a name."""
    is_word = node.text.lower() not in _NO_WORDS and "://" not in node.text
    return (is_word and any(map(str.isalpha, node.text))) or any(map(_holds_words, node))


def _picture(node: Node) -> str | None:
    return image_reference(first_text(node, "thumb"))


class _Writers:
    """The writers found so far, to recognise those who are in both ``<writer>`` and ``<credits>``."""

    def __init__(self) -> None:
        self._known: dict[tuple[bool, str, str | None], dict[tuple[tuple[str, str], ...], NfoCredit]] = {}

    def is_new(self, entry: _Entry) -> bool:
        """Remember a writer. One that the other element has already gets only the ids and the picture."""
        credit = entry.credit
        name = folded(credit.name)
        in_credits = entry.element == "credits"
        same_name = self._known.get((not in_credits, name, credit.role), {})
        ids = tuple(sorted(credit.provider_ids.items()))
        match = (
            same_name.get(ids)
            or same_name.get(())
            or (next(iter(same_name.values()), None) if not ids else None)
        )
        if match is None:
            self._known.setdefault((in_credits, name, credit.role), {}).setdefault(ids, credit)
            return True
        match.provider_ids = credit.provider_ids | match.provider_ids
        match.image_path = match.image_path or credit.image_path
        return False


def join_people(lists: Iterable[list[NfoCredit]]) -> None:
    """Give people without ids in a file the ids of the one person of the same name who has some.

    People of one name with ids are the same person if the ids that they share link them all, and no provider
    has two ids for them. Otherwise nobody knows whom a bare name means, and everybody stays unchanged.

    Example:
        >>> ada, bare = NfoCredit("Ada", "writer", provider_ids={"tmdb": "1"}), NfoCredit("ADA", "actor")
        >>> join_people([[ada], [bare]])
        >>> bare.provider_ids
        {'tmdb': '1'}
    """
    people = [credit for credits_ in lists for credit in credits_]
    if not any(person.provider_ids for person in people) or all(person.provider_ids for person in people):
        return
    by_name: dict[str, list[NfoCredit]] = {}
    for person in people:
        by_name.setdefault(folded(person.name), []).append(person)
    for same_name in by_name.values():
        if len(same_name) > 1 and any(person.provider_ids for person in same_name):
            _join_same_name(same_name)


def _join_same_name(people: list[NfoCredit]) -> None:
    ids = {pair for person in people for pair in person.provider_ids.items()}
    if len(dict(ids)) == len(ids) and _are_linked([person for person in people if person.provider_ids]):
        for person in people:
            person.provider_ids = dict(sorted(ids))


def _are_linked(people: list[NfoCredit]) -> bool:
    """Whether shared ids link all people, directly or through others."""
    holders: dict[tuple[str, str], list[int]] = {}
    for place, person in enumerate(people):
        for pair in person.provider_ids.items():
            holders.setdefault(pair, []).append(place)
    reached = {0}
    open_ = [0]
    while open_:
        for pair in people[open_.pop()].provider_ids.items():
            found = [place for place in holders.pop(pair, ()) if place not in reached]
            reached.update(found)
            open_ += found
    return len(reached) == len(people)
