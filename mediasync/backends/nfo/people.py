"""The people of one NFO element as a list of credits in billing order. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mediasync.backends.nfo.document import Node
from mediasync.backends.nfo.values import image_reference, parse_number, parse_person_ids
from mediasync.models import Credit, Person
from mediasync.vocabulary import CAST_TYPES, PersonType

_CREW_ELEMENTS: Final = {
    "director": PersonType.DIRECTOR,
    "credits": PersonType.WRITER,
    "writer": PersonType.WRITER,
    "producer": PersonType.PRODUCER,
    "composer": PersonType.COMPOSER,
    "creator": PersonType.CREATOR,
    "editor": PersonType.EDITOR,
}
_GROUPS: Final = (PersonType.DIRECTOR, PersonType.WRITER, PersonType.PRODUCER)
_SEVERAL: Final = re.compile(r"\s/\s")
_STRAY: Final = " \t\r\n\u00a0,|"


@dataclass(slots=True)
class _Entry:
    element: str
    credit: Credit
    order: int | None

    def sort_key(self) -> tuple[int, bool, int]:
        kind = self.credit.person_type
        crew = _GROUPS.index(kind) if kind in _GROUPS else len(_GROUPS)
        group = 0 if kind in CAST_TYPES else 1 + crew
        last = self.order is None or self.order < 0
        return group, last, 0 if last or self.order is None else self.order


def parse_credits(node: Node) -> list[Credit]:
    """Return the credits of an element: cast, directors, writers, producers, others, numbered from 0.

    Inside each group the file's own order counts, entries without one last and as they stand. An ``<actor>``
    whose ``<type>`` is a crew function is crew. A writer in both ``<writer>`` and ``<credits>`` is one
    credit. Exact repeats stay, and so does an actor with a role but no name: the normal form of a list is
    another module's.

    Example:
        >>> movie = Node("movie", children=[Node("director", text="One / Two"),
        ...                                 Node("actor", children=[Node("name", text="Three")])])
        >>> [(credit.person.name, str(credit.person_type)) for credit in parse_credits(movie)]
        [('Three', 'actor'), ('One', 'director'), ('Two', 'director')]
    """
    entries: list[_Entry] = []
    writers = _Writers()
    for child in node.children:
        if child.name == "actor":
            entries += _actor_entries(child)
        elif child.name in _CREW_ELEMENTS:
            kind = _CREW_ELEMENTS[child.name]
            crew = _crew_entries(child, kind)
            entries += [entry for entry in crew if kind is not PersonType.WRITER or writers.is_new(entry)]
    entries.sort(key=_Entry.sort_key)
    for place, entry in enumerate(entries):
        entry.credit.sort_order = place
    return [entry.credit for entry in entries]


def _actor_entries(node: Node) -> Iterator[_Entry]:
    name = node.first("name") or ("" if node.children else node.text)
    roles: list[str | None] = [child.text for child in node.all("role") if child.text]
    if not name and not roles:
        return
    order = parse_number(node.first("order", "sortorder"))
    kind = PersonType.parse(node.first("type") or PersonType.ACTOR)
    for role in roles or [None]:
        person = Person(name=name, image_path=_picture(node), provider_ids=parse_person_ids(node))
        yield _Entry("actor", Credit(person=person, person_type=kind, role=role), order)


def _crew_entries(node: Node, kind: PersonType) -> Iterator[_Entry]:
    names = list(_names(node.first("name") or ("" if node.children else node.text)))
    single = len(names) == 1
    for name in names:
        person = Person(
            name=name,
            image_path=_picture(node) if single else None,
            provider_ids=parse_person_ids(node) if single else {},
        )
        role = node.first("role") or None
        yield _Entry(node.name, Credit(person=person, person_type=kind, role=role), None)


def _names(text: str) -> Iterator[str]:
    parts = text.split("|") if re.fullmatch(r"\|.*\|", text, re.DOTALL) else [text]
    for part in parts:
        for name in _SEVERAL.split(part):
            if trimmed := name.strip(_STRAY):
                yield trimmed


class _Writers:
    """The writers met so far, to recognise those that the other of the two elements repeats."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str | None], dict[tuple[tuple[str, str], ...], _Entry]] = {}

    def is_new(self, entry: _Entry) -> bool:
        """Remember *entry*; if the other element had it already, only its ids and picture are taken over."""
        person = entry.credit.person
        name = _folded(person.name)
        other = "credits" if entry.element == "writer" else "writer"
        same_name = self._known.get((other, name, entry.credit.role), {})
        ids = tuple(sorted(person.provider_ids.items()))
        match = (
            same_name.get(ids)
            or same_name.get(())
            or (next(iter(same_name.values()), None) if not ids else None)
        )
        if match is None:
            self._known.setdefault((entry.element, name, entry.credit.role), {}).setdefault(ids, entry)
            return True
        known = match.credit.person
        known.provider_ids = person.provider_ids | known.provider_ids
        known.image_path = known.image_path or person.image_path
        return False


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _picture(node: Node) -> str | None:
    return image_reference(node.first("thumb"))
