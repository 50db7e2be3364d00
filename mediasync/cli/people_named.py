"""The people whom an option or an argument names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mediasync.cli.errors import NotFound
from mediasync.errors import UsageError
from mediasync.library.lookup import look_up_people
from mediasync.models import Person
from mediasync.summaries import PersonSummary
from mediasync.text import words_of_name
from mediasync.wording import counted, joined, short, titled

if TYPE_CHECKING:
    from mediasync.app import MediaSync

_MOST: Final = 100
_CHOICE: Final = 6


async def find_one_human(ms: MediaSync, text: str, *, source_ids: Sequence[str] = ()) -> list[str]:
    """Return the ids of the one human whom a name or an id means: one for each source that knows the name.

    People of one name in different sources are taken for the same human; two in one source are not.

    Args:
        ms: an open mirror.
        text: an id, or words of a name or their beginnings.
        source_ids: only people of these sources; empty for all.

    Raises:
        NotFound: if nobody fits.
        UsageError: if several people fit; the message lists them with their ids.
    """
    matches = await look_up_people(ms.people, text, limit=_MOST)
    found = [one for one in matches.found if not source_ids or one.source_id in source_ids]
    if not found:
        where = f" in {', '.join(source_ids)}" if source_ids else ""
        raise NotFound(f"no stored person{where} is called {text!r}")
    exact = [one for one in found if words_of_name(one.name) == words_of_name(text)]
    candidates = exact or found
    if not _is_one_human(candidates) or (matches.more and not exact):
        raise UsageError(await _choice(ms, text, candidates, more=matches.more))
    return [one.id for one in candidates if one.id]


def told_apart(person: PersonSummary) -> str:
    """Return what tells a person apart from others of the same name.

    Example:
        >>> told_apart(PersonSummary(id="home:1", source_id="home", name="Al", works=2, first_year=1974,
        ...                          last_year=1995, known_for="Heat", known_for_year=1995))
        '2 works, 1974-1995, Heat (1995)'
    """
    first, last = person.first_year, person.last_year
    years = f"{first}-{last}" if first != last else str(first or "")
    best = titled(person.known_for, person.known_for_year) if person.known_for else ""
    return joined((counted(person.works, "work"), years, best))


def _is_one_human(people: Sequence[Person]) -> bool:
    names = {tuple(words_of_name(one.name)) for one in people}
    return len(names) == 1 and len({one.source_id for one in people}) == len(people)


async def _choice(ms: MediaSync, text: str, people: Sequence[Person], *, more: bool) -> str:
    found = await ms.library.find_people([one.id for one in people if one.id])
    shown = sorted(found, key=lambda one: -one.works)[:_CHOICE]
    told = "; ".join(f"{one.id} ({short(one.name)}: {told_apart(one)})" for one in shown)
    number = f"more than {len(people):,}" if more else f"{len(people):,}"
    rest = " and others" if more or len(people) > len(shown) else ""
    return f"{text!r} fits {number} people; name one by the id: {told}{rest}"
