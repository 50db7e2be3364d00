"""The people of a record as credits, and the seam between an episode's own cast and its show's. Pure.

When Kodi is asked for an episode's cast, it returns the episode's own cast followed by the show's, each in
its own order. Of the show's cast it leaves out everybody who is in the episode's own cast with the same role
(before Kodi 19: with any role). Nothing marks the seam between the two. If an episode's own cast begins like
the show's, the list alone does not show where the seam is: an episode that itself credits the show's first
actor has the same list as one that credits nobody. `seams` returns every place where the seam can be, and
`seam_by_links` chooses one of them once it is known whom the episode itself credits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from mediasync.backends.json_record import JsonRecord
from mediasync.backends.kodi.values import image_reference
from mediasync.construction import make_credit, make_credits, make_person
from mediasync.models import Credit
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
        """What identifies a credit in Kodi's list. The picture belongs to the person, not to the credit."""
        return self[:3]


@dataclass(frozen=True, slots=True)
class OwnCast:
    """The cast of an episode, without its show's.

    Attributes:
        actors: the episode's own cast; everybody whom Kodi listed, if the seam was not found.
        problem: why the seam was not found; empty if it was.
    """

    actors: Sequence[Actor]
    problem: str = ""


def parse_cast(record: JsonRecord) -> tuple[list[Actor], bool]:
    """Return the cast of a record, and whether it is complete.

    It is not if there is no list, or if an entry of it is not an actor. The record notes which.
    """
    entries = record.data.get("cast")
    if not isinstance(entries, list):
        record.note("the cast is missing" if entries is None else "the cast is not a list")
        return [], False
    cast: list[Actor] = []
    for position, entry in enumerate(entries):
        if (actor := _read_actor(entry)) is not None:
            cast.append(actor)
        else:
            record.note(f"cast[{position}] is not an actor")
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


def parse_crew(record: JsonRecord, behind: int) -> tuple[list[Credit], bool]:
    """Return the directors and writers as credits, and whether they are complete; see `parse_cast`.

    Args:
        record: the record of a film or an episode.
        behind: how many credits come before them.
    """
    crew: list[Credit] = []
    whole = True
    for key, person_type in _CREW:
        names = record.data.get(key)
        if not isinstance(names, list):
            record.note(f"the list of {key}s is missing" if names is None else f"{key} is not a list")
            whole = False
            continue
        texts = record.texts(key)
        whole = whole and len(texts) == len(names)
        crew += [
            make_credit(make_person(name, None, None, {}), person_type, None, place)
            for place, name in enumerate(texts, behind + len(crew))
        ]
    return crew, whole


def cast_credits(cast: Iterable[Actor]) -> list[Credit]:
    """Return a cast as credits. The order of the list is the billing order: Kodi has sorted it."""
    return make_credits(
        (
            actor.name,
            None,
            image_reference(actor.thumbnail) if actor.thumbnail else None,
            {},
            PersonType.ACTOR,
            actor.role or None,
        )
        for actor in cast
    )


def seams(listed: Sequence[Actor], show: Sequence[Actor], *, roles_matter: bool = True) -> list[int]:
    """Return the lengths that an episode's own cast can have, shortest first.

    Args:
        listed: the list that Kodi gives for the episode: its own cast and what is left of the show's.
        show: the cast of its show.
        roles_matter: whether Kodi leaves out only those of the show's cast who are in the episode's own with
            the same role (since Kodi 19), or with any role.

    Returns:
        An empty list if no length fits: the list does not end with this cast of the show.

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
    """Return the length of an episode's own cast, or None if more than one of *possible* still fits.

    Args:
        listed: the list that Kodi gives for the episode.
        possible: the lengths that `seams` returned.
        linked: those of `doubtful_names` whom the episode itself credits.
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
