"""Kodi's casts: reading them, and telling an episode's own cast from its show's. Pure.

Kodi answers an episode's cast with the episode's own, then the show's, both by their orders, with nothing
between them; of the show's it leaves out who stands in the episode's own already, with the same role (before
Kodi 19: with any role). So the seam is not marked, and where an episode's own cast begins as the show's does,
the list alone cannot tell where it lies: an episode that credits the show's first actor itself has the same
list as one that credits nobody. `seams` names every place that the seam can have; `seam_by_links` chooses
among them once it is known of whom Kodi has credits of the episode itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from mediasync.backends.json_record import JsonRecord
from mediasync.backends.kodi.values import image_reference
from mediasync.models import Credit, Person
from mediasync.vocabulary import PersonType

_CREW: Final = (("director", PersonType.DIRECTOR), ("writer", PersonType.WRITER))


class Actor(NamedTuple):
    """One entry of a cast."""

    name: str
    role: str
    order: int
    thumbnail: str = ""

    @property
    def credit(self) -> tuple[str, str, int]:
        """What tells one credit of Kodi's from another: the picture is the person's."""
        return self[:3]


def read_cast(record: JsonRecord) -> tuple[list[Actor], bool]:
    """Return the cast of a record, and whether it is the whole of it.

    Not the whole of it: the list is missing, is none, or holds what is no actor. That is noted.
    """
    entries = record.data.get("cast")
    if not isinstance(entries, list):
        record.note("the cast is missing" if entries is None else "the cast is no list")
        return [], False
    cast: list[Actor] = []
    for position, entry in enumerate(entries):
        if (actor := _read_actor(entry)) is not None:
            cast.append(actor)
        else:
            record.note(f"cast[{position}] is no actor")
    return cast, len(cast) == len(entries)


def _read_actor(entry: Any) -> Actor | None:
    if not isinstance(entry, dict):
        return None
    name, role, order = entry.get("name"), entry.get("role", ""), entry.get("order", 0)
    thumbnail = entry.get("thumbnail", "")
    if (
        isinstance(name, str)
        and isinstance(role, str)
        and isinstance(order, int)
        and isinstance(thumbnail, str)
    ):
        return Actor(name, role, order, thumbnail)
    return None


def read_crew(record: JsonRecord, behind: int) -> tuple[list[Credit], bool]:
    """Return directors and writers as credits, and whether they are all of them; what is not, is noted.

    Args:
        record: of a film or an episode.
        behind: how many credits stand before them.
    """
    crew: list[Credit] = []
    whole = True
    for key, person_type in _CREW:
        names = record.data.get(key)
        if not isinstance(names, list):
            record.note(f"the list of {key}s is missing" if names is None else f"{key} is no list")
            whole = False
            continue
        texts = record.texts(key)
        whole = whole and len(texts) == len(names)
        crew += [
            Credit(person=Person(name=name), person_type=person_type, sort_order=place)
            for place, name in enumerate(texts, behind + len(crew))
        ]
    return crew, whole


def cast_credits(cast: Iterable[Actor]) -> list[Credit]:
    """Return a cast as credits. Its own order is the billing: Kodi has sorted it by its orders."""
    return [
        Credit(
            person=Person(
                name=actor.name, image_path=image_reference(actor.thumbnail) if actor.thumbnail else None
            ),
            person_type=PersonType.ACTOR,
            role=actor.role or None,
            sort_order=place,
        )
        for place, actor in enumerate(cast)
    ]


def seams(listed: Sequence[Actor], show: Sequence[Actor], *, roles_matter: bool = True) -> list[int]:
    """Return how long an episode's own cast can be, shortest first, by the list that Kodi gives for it.

    Args:
        listed: the episode's own cast and what Kodi appends to it.
        show: the cast of its show.
        roles_matter: whether Kodi leaves out of the show's cast only who stands in the episode's own with the
            same role (since Kodi 19), or with any.

    Returns:
        Nothing where no length fits: the show's cast is not the one that was appended.

    Example:
        >>> guest, star = Actor("Raymond Cruz", "Tuco", 0), Actor("Bryan Cranston", "Walter", 0)
        >>> second = Actor("Aaron Paul", "Jesse", 1)
        >>> seams([guest, Actor("Mark Margolis", "Hector", 1), star, second], [star, second])
        [2]
        >>> seams([star, second], [star, second])
        [0, 1, 2]
    """

    def key(actor: Actor) -> tuple[str, ...]:
        return actor[:2] if roles_matter else actor[:1]

    of_show = {key(actor) for actor in show}
    own: set[tuple[str, ...]] = set()
    repeated = 0
    found: list[int] = []
    for length in range(len(listed) + 1):
        if length:
            actor = listed[length - 1]
            if key(actor) in own or (length > 1 and actor.order < listed[length - 2].order):
                break
            own.add(key(actor))
            repeated += key(actor) in of_show
        if len(listed) - length == len(show) - repeated:
            appended = [actor.credit for actor in show if key(actor) not in own]
            if appended == [actor.credit for actor in listed[length:]]:
                found.append(length)
    return found


def seam_by_links(listed: Sequence[Actor], possible: Sequence[int], linked: Collection[str]) -> int | None:
    """Return which of the *possible* lengths an episode's own cast has, None if that is still open.

    Args:
        listed: as in `seams`.
        possible: what that returned.
        linked: those of `doubtful_names` of whom Kodi has a credit of the episode itself.
    """
    doubtful = set(doubtful_names(listed, possible))
    fitting = [
        length
        for length in possible
        if {actor.name for actor in listed[:length]} & doubtful == doubtful & set(linked)
    ]
    return fitting[0] if len(fitting) == 1 else None


def doubtful_names(listed: Sequence[Actor], possible: Sequence[int]) -> list[str]:
    """Return the names between the first and the last possible seam."""
    return list(dict.fromkeys(actor.name for actor in listed[possible[0] : possible[-1]]))
