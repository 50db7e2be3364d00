"""Looking up the one human whom a name or an id means."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mediasync.library.lookup import look_up_people
from mediasync.library.people import PeopleReads
from mediasync.models import Person
from mediasync.text import words_of_name

if TYPE_CHECKING:
    from mediasync.library.search import LibrarySearch

_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class HumanMatches:
    """The people whom a name or an id may mean.

    Attributes:
        people: if `is_one`, that human: one person for each source that knows the name. Otherwise all who
            fit; nobody, if it is empty.
        is_one: whether they are one human.
        more: whether more people fit than these.
        similar: whether nobody has the words that were typed, and these names are only spelt like them.
    """

    people: tuple[Person, ...]
    is_one: bool
    more: bool = False
    similar: bool = False


async def look_up_human(
    people: PeopleReads,
    text: str,
    *,
    source_ids: Collection[str] = (),
    search: LibrarySearch | None = None,
) -> HumanMatches:
    """Find the one human whom a text means, or those to choose from.

    People of one name in different sources are taken for the same human; two in one source are not. Who has
    just the words of the text as a name is preferred to those who have more words.

    Args:
        people: reads people.
        text: an id or an alias, or words of a name or their beginnings.
        source_ids: only people of these sources; empty for all.
        search: finds similar names, if nobody has the words; None to leave them out.

    Example:
        >>> (await look_up_human(ms.people, "al pacino")).people[0].id  # doctest: +SKIP
        'home:1158'
    """
    matches = await look_up_people(people, text, limit=_MOST, search=search)
    found = [one for one in matches.found if not source_ids or one.source_id in source_ids]
    exact = [one for one in found if words_of_name(one.name) == words_of_name(text)]
    candidates = exact or found
    more = matches.more and not exact
    return HumanMatches(
        tuple(candidates), _is_one_human(candidates) and not more, more, matches.similar and bool(candidates)
    )


def _is_one_human(people: Sequence[Person]) -> bool:
    names = {tuple(words_of_name(one.name)) for one in people}
    return len(names) == 1 and len({one.source_id for one in people}) == len(people)
