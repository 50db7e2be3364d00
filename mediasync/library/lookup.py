"""Looking up items and people by what somebody types: an id, a provider's id, a title or a name."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from mediasync.library.media import MediaReads
from mediasync.library.people import PeopleReads
from mediasync.models import AnyMediaItem, Person, Season, Show
from mediasync.rewinding import AsOf
from mediasync.text import words_of_name
from mediasync.vocabulary import MediaType

if TYPE_CHECKING:
    from mediasync.library.search import LibrarySearch

T = TypeVar("T", AnyMediaItem, Person)

_WITH_YEAR: Final = re.compile(r"(?P<title>.+?)\s*\((?P<year>\d{4})\)")
_ITEMS_OF_ONE_TITLE: Final = 10_000
_PEOPLE_OF_ONE_NAME: Final = 10_000
_OTHERS: Final = 5
_PEOPLE_NAMED: Final = 100
_PEOPLE_THEN: Final = 200
"""Each of these is rebuilt, with the items that credited them."""


@dataclass(frozen=True, slots=True)
class Matches(Generic[T]):
    """The items or people that match a text.

    Attributes:
        found: the matches, the best first.
        more: whether there are more than these.
        others: further matches, if *found* has just the title or the name that was typed.
        similar: whether nothing has the words that were typed, and these are only spelt like them.
    """

    found: list[T]
    more: bool
    others: tuple[T, ...] = ()
    similar: bool = False

    @property
    def only(self) -> T | None:
        """The match, if there is exactly one."""
        return self.found[0] if len(self.found) == 1 and not self.more else None


@dataclass(frozen=True, slots=True)
class NamedPeople:
    """The people whom a name or an id may mean.

    Attributes:
        people: those of the very name, if there are any, else all that fit.
        is_one_human: whether they are taken for one human: people of one name, at most one of each source.
        more: whether there are more than these.
        similar: whether nobody has that name, and these are only spelt like it.
    """

    people: list[Person]
    is_one_human: bool
    more: bool = False
    similar: bool = False


class Branch(NamedTuple):
    """An item below another one.

    Attributes:
        item: a season or an episode.
        children: the episodes of the season; empty for an episode.
    """

    item: AnyMediaItem
    children: list[AnyMediaItem]


async def look_up_items(
    media: MediaReads,
    text: str,
    *,
    limit: int,
    as_of: AsOf | None = None,
    search: LibrarySearch | None = None,
) -> Matches[AnyMediaItem]:
    """Find items by the first of these that fits: id, provider id, title, title with year, similar title.

    Args:
        media: reads items.
        text: ``home:603``, ``imdb:tt0113277``, ``Heat`` or ``Heat (1995)``.
        limit: at most so many.
        as_of: a run or a time: what was shown then. Similar titles are not found then.
        search: finds similar titles, and others beside an exact one; None to leave them out.

    Raises:
        UsageError: if the text holds a character that no database stores.

    Example:
        >>> (await look_up_items(ms.media, "Heat (1995)", limit=20)).only.id  # doctest: +SKIP
        'home:949'
    """
    found = await media.find_media_items([text], as_of=as_of)
    if found:
        return Matches(found, more=False)
    provider, colon, value = text.partition(":")
    if not found and colon:
        found = await media.find_by_provider_id(provider.lower(), value, limit=limit + 1, as_of=as_of)
    if not found:
        found = await media.find_by_title(text, limit=limit + 1, as_of=as_of)
    if not found and (parts := _WITH_YEAR.fullmatch(text)):
        named = await media.find_by_title(parts["title"], limit=_ITEMS_OF_ONE_TITLE, as_of=as_of)
        found = [item for item in named if item.year == int(parts["year"])]
    if search is None or as_of is not None or len(found) > 1:
        return Matches(found[:limit], more=len(found) > limit)
    return await _with_similar(media, text, found, search, limit)


async def _with_similar(
    media: MediaReads, text: str, found: list[AnyMediaItem], search: LibrarySearch, limit: int
) -> Matches[AnyMediaItem]:
    """Add what a search finds besides one item, or instead of none."""
    from mediasync.hits import Match  # only a text that is not an id needs it

    answer = await search.search(text, kinds=tuple(MediaType), limit=limit)
    known = {item.id for item in found}
    hits = [hit for hit in answer.titles if hit.id not in known]
    if parts := _WITH_YEAR.fullmatch(text):
        hits = [hit for hit in hits if hit.summary.year == int(parts["year"])]
    if found:
        hits = [hit for hit in hits if hit.match is not Match.SIMILAR][:_OTHERS]
    ids = [one for hit in hits for one in (hit.id, *hit.other_ids) if one not in known]
    items = await media.find_media_items(ids[:limit])
    if found:
        return Matches(found, more=False, others=tuple(items))
    similar = all(hit.match is Match.SIMILAR for hit in hits)
    return Matches(items, more=len(ids) > limit, similar=bool(items) and similar)


async def find_parents(
    media: MediaReads, items: Sequence[AnyMediaItem], *, as_of: AsOf | None = None
) -> dict[str, list[AnyMediaItem]]:
    """Return the items above each of *items*, by its id: the season of an episode first, then the show."""
    above: dict[str, AnyMediaItem] = {}
    missing = {item.parent_id for item in items if item.parent_id}
    while missing:
        found = await media.find_media_items(sorted(missing), as_of=as_of)
        above |= {item.id: item for item in found if item.id}
        missing = {item.parent_id for item in found if item.parent_id} - above.keys()
    parents: dict[str, list[AnyMediaItem]] = {}
    for item in items:
        line = parents[item.id or ""] = []
        below = item
        while below.parent_id in above and above[below.parent_id] not in line:
            below = above[below.parent_id]
            line.append(below)
    return parents


async def find_children(media: MediaReads, item: AnyMediaItem, *, as_of: AsOf | None = None) -> list[Branch]:
    """Return the seasons of a show with their episodes, or the episodes of a season, by number."""
    if not isinstance(item, Show | Season):
        return []
    return [
        Branch(
            child,
            await media.list_children(child.id or "", as_of=as_of) if isinstance(child, Season) else [],
        )
        for child in await media.list_children(item.id or "", as_of=as_of)
    ]


async def look_up_people(
    people: PeopleReads,
    text: str,
    *,
    limit: int,
    as_of: AsOf | None = None,
    search: LibrarySearch | None = None,
) -> Matches[Person]:
    """Find people by id or alias, else by the beginnings of words of their names, else by similar names.

    If exactly one of several matches has the very name, only that person is found, and the others stand
    beside. Case does not matter.

    Args:
        people: reads people.
        text: ``home:6384``, ``Keanu Reeves`` or ``keanu``.
        limit: at most so many.
        as_of: a run or a time: who was shown then. Similar names are not found then.
        search: finds similar names; None to leave them out.

    Example:
        >>> (await look_up_people(ms.people, "keanu", limit=20)).only.name  # doctest: +SKIP
        'Keanu Reeves'
    """
    if (person := await people.find_by_id(text, as_of=as_of)) is not None:
        return Matches([person], more=False)
    if as_of is not None:
        limit = min(limit, _PEOPLE_THEN)
    most = max(limit, _PEOPLE_OF_ONE_NAME) if as_of is None else limit
    found = await people.search(text, limit=most + 1, as_of=as_of)
    exact = [one for one in found if one.name.casefold() == text.casefold()]
    if len(exact) == 1:
        others = tuple(one for one in found if one is not exact[0])
        return Matches(exact, more=False, others=others[:limit])
    if found or search is None or as_of is not None:
        return Matches(found[:limit], more=len(found) > limit)
    answer = await search.search(text, kinds=("person",), limit=limit)
    ids = [one for hit in answer.people for one in (hit.id, *hit.other_ids)]
    similar = [one for person_id in ids[:limit] if (one := await people.find_by_id(person_id)) is not None]
    return Matches(similar, more=len(ids) > limit, similar=bool(similar))


async def look_up_human(
    people: PeopleReads, text: str, *, source_ids: Collection[str] = (), search: LibrarySearch | None = None
) -> NamedPeople:
    """Find the one human whom a name or an id means: a person of each source that knows the name.

    People of one name in different sources are taken for the same human; two in one source are not.

    Args:
        people: reads people.
        text: an id, or words of a name or their beginnings.
        source_ids: only people of these sources; empty for all.
        search: finds similar names; None to leave them out.

    Example:
        >>> (await look_up_human(ms.people, "al pacino")).is_one_human  # doctest: +SKIP
        True
    """
    matches = await look_up_people(people, text, limit=_PEOPLE_NAMED, search=search)
    found = [one for one in matches.found if not source_ids or one.source_id in source_ids]
    exact = [one for one in found if words_of_name(one.name) == words_of_name(text)]
    candidates = exact or found
    more = matches.more and not exact
    names = {tuple(words_of_name(one.name)) for one in candidates}
    is_one = len(names) == 1 and len({one.source_id for one in candidates}) == len(candidates)
    return NamedPeople(candidates, is_one and not more, more, matches.similar)
