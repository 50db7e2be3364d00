"""Time travel: what was shown at an earlier point, rebuilt from what is stored and from the change log.

Whatever changed since the point is walked back, entity by entity. A walk begins at what is shown now.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from mediasync.aio import batched
from mediasync.changes import Change
from mediasync.construction import make_credit
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import TooLongAgo, UnknownItem, UnknownRun, UsageError
from mediasync.library.history import find_people
from mediasync.models import AnyMediaItem, Credit, FilmographyCredit, Person
from mediasync.repositories.changes import ChangeRepository, Extent
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.flaws import read_model
from mediasync.repositories.item_reading import ItemReader, as_limit
from mediasync.repositories.past import PastRepository, item_of_image, json_part
from mediasync.repositories.person_reading import PersonReader
from mediasync.repositories.runs import RunRepository
from mediasync.repositories.search import first_match, search_words
from mediasync.repositories.times import to_datetime
from mediasync.rewinding import AsOf, Image, appeared, credits_in, last_added, last_written, rewind
from mediasync.text import place, searchable_words, whole
from mediasync.vocabulary import EntityKind, PersonType, RunStatus

_AT_ONCE: Final = 100
_EVERYTHING: Final = 2**62
_MOST_CANDIDATES: Final = 10_000
_OF_PERSON: Final = {"name", "image_path", "provider_ids"}


class Point(NamedTuple):
    """A point in time, as the change log counts it.

    Attributes:
        number: the number of the last change before it.
        at: its time.
        words: what messages call it.
        log_begins: the time of the oldest change that is kept; None if there is none.
    """

    number: int
    at: datetime
    words: str
    log_begins: datetime | None


class PastItem(NamedTuple):
    """What was shown of an item.

    Attributes:
        image: its values, with its credits.
        created_at: when it was stored; None if that is not known.
        updated_at: when it was last written; None if that is not known.
    """

    image: Image
    created_at: datetime | None
    updated_at: datetime | None


async def find_point(session: Session, as_of: AsOf) -> Point:
    """Return the point that a run or a time means.

    The state when a run had ended is what a reader saw then, with the changes that other runs had made.

    Raises:
        UnknownRun: if there is no such run.
        UsageError: if the run has not ended, or the time has no zone.
        TooLongAgo: if changes after the point are no longer kept.
    """
    past = PastRepository(session)
    extent = await ChangeRepository(session).find_extent()
    if isinstance(as_of, datetime):
        if as_of.tzinfo is None:
            raise UsageError(f"as_of is {as_of.isoformat()}: give a time with a zone")
        at, words = as_of, as_of.astimezone(UTC).isoformat(sep=" ", timespec="seconds")
        number = await _number_at(session, int(as_of.timestamp() * 1000) + 1, extent)
    else:
        run, end = await RunRepository(session).find(as_of), await past.find_end_of_run(as_of)
        if run is None or end is None:
            raise UnknownRun(f"there is no run {as_of}")
        if run.status is RunStatus.RUNNING:
            raise UsageError(f"run {as_of} is still running: its state is known when it has ended")
        ended = end.started_at if end.finished_at is None else end.finished_at
        at, words = to_datetime(ended) or run.started_at, f"the end of run {as_of}"
        if end.last_change is None and end.own is None:
            number = await _number_at(session, ended, extent)
        else:
            number = max(end.last_change or 0, end.own or 0)
    begins = await past.find_time_after(extent.pruned)
    if number is None or number < extent.pruned:
        raise TooLongAgo(words, begins)
    return Point(number, at, words, begins)


async def _number_at(session: Session, moment: int, extent: Extent) -> int | None:
    """Return the number of the last change before a time; None if it may have been pruned.

    The times of pruned changes are not known, but runs tell of a time when all of them had been made.
    """
    number = await ChangeRepository(session).find_number_before(moment)
    if not extent.pruned or number > extent.pruned:
        return number
    return number if await PastRepository(session).has_run_since(number, moment - 1) else None


@asynccontextmanager
async def reading_past(database: Database, as_of: AsOf) -> AsyncGenerator[Past]:
    """Read, in one snapshot, what was shown at a point; see `find_point`."""
    async with database.read(snapshot=True) as session:
        yield Past(session, await find_point(session, as_of))


class Past:
    """Rebuilds what was shown at a point.

    Args:
        session: a snapshot.
        point: not before the part of the log that is kept.
    """

    def __init__(self, session: Session, point: Point) -> None:
        self._session = session
        self._point = point
        self._repository = PastRepository(session)

    # Items

    async def get_item(self, item_id: str) -> AnyMediaItem:
        """Return an item with its credits.

        Raises:
            UnknownItem: if it was not shown.
        """
        items = await self.find_items([item_id])
        if not items:
            raise UnknownItem(f"media item {item_id!r} did not exist at {self._point.words}")
        return items[0]

    async def find_items(self, item_ids: Iterable[str]) -> list[AnyMediaItem]:
        """Return the items that were shown, with their credits, in the order asked for."""
        found: list[AnyMediaItem] = []
        for ids in batched(dict.fromkeys(item_ids), _AT_ONCE):
            found += await self._items_of(await self.find_images(ids))
        return found

    async def _items_of(self, items: Mapping[str, PastItem]) -> list[AnyMediaItem]:
        lists = {item_id: credits_in(item.image) for item_id, item in items.items()}
        people = await self.find_people({one.person_id for listed in lists.values() for one in listed})
        parents = await self._find_parents(items)
        made = []
        for item_id, (image, created_at, updated_at) in items.items():
            parent = parents.get(image.get("parent_id") or "")
            listed: list[Credit] = [
                make_credit(people[one.person_id], PersonType.parse(one.person_type), one.role, order)
                for order, one in enumerate(lists[item_id])
            ]
            made.append(
                item_of_image(
                    item_id,
                    image,
                    listed,
                    parent_remote_id=parent.image.get("remote_id") if parent else None,
                    created_at=created_at,
                    updated_at=updated_at,
                )
            )
        return [item for item in made if item is not None]

    async def find_images(self, item_ids: Iterable[str]) -> dict[str, PastItem]:
        """Return what was shown of items, by id, in the order asked for."""
        ids = list(dict.fromkeys(item_ids))
        times = await self._repository.find_item_times(ids)
        shown = [item_id for item_id in ids if item_id in times and times[item_id].shown]
        stored = await self._repository.find_item_images(shown)
        lists = await CreditRepository(self._session).find_by_media_items(list(stored))
        for item_id, listed in lists.items():
            stored[item_id]["credits"] = [[one.person.id, str(one.person_type), one.role] for one in listed]
        found: dict[str, PastItem] = {}
        for item_id, (until, since) in (await self.split_changes(EntityKind.ITEM, ids)).items():
            image = rewind(stored.get(item_id), since)
            if image is not None:
                row = times.get(item_id)
                found[item_id] = PastItem(
                    image,
                    self._known(row and row.created_at, last_added(until)),
                    self._known(row and row.updated_at, last_written(until)),
                )
        return found

    def _known(self, stored: datetime | None, logged: Change | None = None) -> datetime | None:
        """Return a stored time unless it is later than the point, else that of a change."""
        if stored is not None and stored <= self._point.at:
            return stored
        return logged.at if logged else None

    async def split_changes(
        self, entity: EntityKind, ids: Sequence[str]
    ) -> dict[str, tuple[list[Change], list[Change]]]:
        """Return the changes of entities before the point, and those since then, by id."""
        found: dict[str, tuple[list[Change], list[Change]]] = {one: ([], []) for one in ids}
        page = await ChangeRepository(self._session).find_page_of_entities(ids, 0, _EVERYTHING)
        for change in page.changes if page else ():
            if change.entity is entity:
                found[change.entity_id][change.number > self._point.number].append(change)
        return found

    # Finding items

    async def list_children(self, parent_id: str, *, limit: int | None, offset: int) -> list[AnyMediaItem]:
        """Return the items directly below an item, by number."""
        reader = ItemReader(self._session)
        ids = await reader.list_child_ids(parent_id, limit=as_limit(None), offset=0)
        ids += await self._logged(EntityKind.ITEM, json_part("parent_id", parent_id))
        found = [item for item in await self.find_items(ids) if item.parent_id == parent_id]
        found.sort(key=lambda item: (*_numbers(item), item.id))
        return found[offset : offset + as_limit(limit)]

    async def find_by_provider_id(
        self, provider: str, value: str, *, limit: int | None, offset: int
    ) -> list[AnyMediaItem]:
        """Return the items that had this id at a public provider, sorted by id."""
        reader = ItemReader(self._session)
        ids = await reader.find_ids_by_provider_id(provider, value, limit=as_limit(None), offset=0)
        ids += await self._logged(EntityKind.ITEM, json_part(provider, value))
        images = await self._images(ids)
        having = sorted(
            item_id
            for item_id, item in images.items()
            if (item.image.get("provider_ids") or {}).get(provider) == value
        )
        return await self.find_items(having[offset : offset + as_limit(limit)])

    async def find_by_title(self, text: str, *, limit: int) -> list[AnyMediaItem]:
        """Return items that had this title or, if there were none, its words in their titles."""
        reader, words = ItemReader(self._session), search_words(text)
        exact: list[str] = []
        similar: list[str] = []
        pages = self._repository.iter_images_with(EntityKind.ITEM, 'title":', self._point.number)
        async for item_id, before in pages:
            titles = _titles(before)
            if whole(text) in map(whole, titles):
                exact.append(item_id)
            elif any(first_match(searchable_words(title), [word]) for title in titles for word in words):
                similar.append(item_id)
        exact += await reader.find_ids_by_whole_title(text, _MOST_CANDIDATES)
        images = await self._images(exact)
        ranked = {
            item_id: ("", *_rank(item_id, item.image))
            for item_id, item in images.items()
            if whole(text) in map(whole, _titles(item.image))
        }
        if not ranked and words:
            similar += await reader.find_ids_by_words(text, _MOST_CANDIDATES)
            for ids in batched(dict.fromkeys([*similar, *exact]), _AT_ONCE):
                for item_id, item in (await self.find_images(ids)).items():
                    own = {word for title in _titles(item.image) for word in searchable_words(title)}
                    if (first := first_match(own, words)) is not None:
                        ranked[item_id] = (first, *_rank(item_id, item.image))
                if len(ranked) >= limit:
                    break
        return await self.find_items(sorted(ranked, key=ranked.__getitem__)[:limit])

    async def _images(self, item_ids: Iterable[str]) -> dict[str, PastItem]:
        found: dict[str, PastItem] = {}
        for ids in batched(dict.fromkeys(item_ids), _AT_ONCE):
            found |= await self.find_images(ids)
        return found

    async def _logged(self, entity: EntityKind, text: str) -> list[str]:
        """Return the entities of which a text was shown that changed since the point."""
        pages = self._repository.iter_images_with(entity, text, self._point.number)
        return [entity_id async for entity_id, _ in pages]

    # People

    async def find_person(self, person_id: str) -> Person | None:
        """Return a person who was shown, by id or present alias, or None."""
        if found := await self.find_shown([person_id]):
            return found[person_id]
        holder = await self._repository.find_holder(person_id)
        return (await self.find_shown([holder])).get(holder) if holder else None

    async def find_people(self, person_ids: Collection[str]) -> dict[str, Person]:
        """Return people as they were named, shown or not, by id."""
        stored = await find_people(self._session, person_ids)
        changes = await self.split_changes(EntityKind.PERSON, sorted(person_ids))
        return {
            person_id: self._person(person_id, stored.get(person_id), since)
            for person_id, (_, since) in changes.items()
        }

    def _person(self, person_id: str, stored: Person | None, since: Sequence[Change]) -> Person:
        image = rewind(person_image(stored), since) or {}
        source_id, _, remote_id = person_id.partition(":")
        values = {
            "name": person_id,
            **image,
            "id": person_id,
            "source_id": source_id,
            "remote_id": remote_id,
            "created_at": self._known(stored.created_at) if stored else None,
            "updated_at": self._known(stored.updated_at) if stored else None,
        }
        person = read_model(Person, f"person {person_id}", values)
        return person or Person(id=person_id, source_id=source_id, remote_id=remote_id, name=person_id)

    async def find_shown(self, person_ids: Sequence[str]) -> dict[str, Person]:
        """Return those of some people who were shown, by id, as they were named."""
        shown_now = await self._repository.find_shown_people(person_ids)
        stored = await find_people(self._session, person_ids)
        found: dict[str, Person] = {}
        in_doubt: dict[str, bool] = {}
        for person_id, (until, since) in (await self.split_changes(EntityKind.PERSON, person_ids)).items():
            person = stored.get(person_id)
            if rewind(person_image(person) if person_id in shown_now else None, since) is None:
                continue
            found[person_id] = self._person(person_id, person, since)
            logged = appeared(until)
            if not logged:
                in_doubt[person_id] = logged is None and self._is_older_than_log(person)
        credited = await self._find_credited(list(in_doubt))
        hidden = {person_id for person_id, is_old in in_doubt.items() if not is_old} - credited
        return {person_id: person for person_id, person in found.items() if person_id not in hidden}

    def _is_older_than_log(self, person: Person | None) -> bool:
        begins = self._point.log_begins
        return (
            person is not None
            and person.created_at is not None
            and (begins is None or person.created_at < begins)
        )

    async def _find_credited(self, person_ids: Sequence[str]) -> set[str]:
        """Return those of some people whom an item credited."""
        wanted = set(person_ids)
        found: set[str] = set()
        for ids in batched(await self._find_crediting(person_ids), _AT_ONCE):
            for item in (await self.find_images(ids)).values():
                found |= {one.person_id for one in credits_in(item.image)} & wanted
            if found == wanted:
                break
        return found

    async def _find_crediting(self, person_ids: Sequence[str]) -> list[str]:
        """Return the items that credit any of some people, or did so at the point or since then."""
        if not person_ids:
            return []
        found = dict.fromkeys(await self._repository.find_items_of_people(person_ids))
        wanted = set(person_ids)
        text = '"credits":'
        if len(person_ids) == 1:
            text = f"[{json.dumps(person_ids[0], ensure_ascii=False)},"
        pages = self._repository.iter_images_with(EntityKind.ITEM, text, self._point.number)
        async for item_id, before in pages:
            if any(one.person_id in wanted for one in credits_in(before)):
                found[item_id] = None
        return list(found)

    async def find_filmography(
        self, person_id: str, *, limit: int | None, offset: int
    ) -> list[FilmographyCredit]:
        """Return the credits that a person had, the oldest item first."""
        images: dict[str, PastItem] = {}
        for ids in batched(await self._find_crediting([person_id]), _AT_ONCE):
            for item_id, item in (await self.find_images(ids)).items():
                if any(one.person_id == person_id for one in credits_in(item.image)):
                    images[item_id] = item
        above = await self._find_above(images)
        made = [
            credit
            for item_id, item in images.items()
            for credit in _filmography(item_id, item.image, person_id, above)
        ]
        made.sort(key=_filmography_order)
        return made[offset : offset + as_limit(limit)]

    async def _find_above(self, items: Mapping[str, PastItem]) -> dict[str, PastItem]:
        """Return the parents of items, and the parents of those."""
        found: dict[str, PastItem] = {}
        below = items
        for _ in range(2):
            below = await self._find_parents(below)
            found |= below
        return found

    async def _find_parents(self, items: Mapping[str, PastItem]) -> dict[str, PastItem]:
        ids = {parent_id for item in items.values() if (parent_id := item.image.get("parent_id"))}
        return await self._images(sorted(ids))

    async def search_people(
        self, text: str, source_id: str | None, *, limit: int, offset: int
    ) -> list[Person]:
        """Return the people who had, for each word of *text*, a word that begins with it in their names."""
        words = search_words(text)
        if not words:
            return []
        reader = PersonReader(self._session)
        ids = [person.id for person in await reader.search(text, source_id, _MOST_CANDIDATES, 0) if person.id]
        pages = self._repository.iter_images_with(EntityKind.PERSON, '"name":', self._point.number)
        async for person_id, before in pages:
            name = before.get("name")
            is_wanted = source_id is None or person_id.startswith(f"{source_id}:")
            if is_wanted and isinstance(name, str) and first_match(searchable_words(name), words) is not None:
                ids.append(person_id)
        ranked: list[tuple[str, str, str]] = []
        for some in batched(dict.fromkeys(ids), _AT_ONCE):
            for person_id, person in (await self.find_people(some)).items():
                if (first := first_match(searchable_words(person.name), words)) is not None:
                    ranked.append((first, person.name, person_id))
        found: list[Person] = []
        for some_ranked in batched(sorted(ranked), _AT_ONCE):
            found += (await self.find_shown([person_id for *_, person_id in some_ranked])).values()
            if len(found) >= offset + limit:
                break
        return found[offset : offset + limit]


def person_image(person: Person | None) -> Image | None:
    """Return what is shown of a person, as the log holds it; None for None."""
    return None if person is None else person.model_dump(include=_OF_PERSON)


def _titles(image: Image) -> list[str]:
    titles = (image.get(name) for name in ("title", "original_title"))
    return [title for title in titles if isinstance(title, str)]


def _rank(item_id: str, image: Image) -> tuple[int, str]:
    return place(str(image.get("media_type")), image.get("year")), item_id


def _numbers(item: Any) -> tuple[tuple[bool, int], tuple[bool, int]]:
    """Return what orders items by season and episode; those without numbers come first."""
    numbers = (getattr(item, name, None) for name in ("season_number", "episode_number"))
    season, episode = ((number is not None, number or 0) for number in numbers)
    return season, episode


def _filmography(
    item_id: str, image: Image, person_id: str, above: Mapping[str, PastItem]
) -> list[FilmographyCredit]:
    parent_id = image.get("parent_id") or ""
    show_id = parent_id
    if parent_id in above and above[parent_id].image.get("parent_id") in above:
        show_id = above[parent_id].image["parent_id"]
    made = (
        read_model(
            FilmographyCredit,
            f"a credit in {item_id}",
            {
                "media_item_id": item_id,
                **{name: image.get(name) for name in _OF_ITEM},
                "show_id": show_id if show_id in above else None,
                "show_title": above[show_id].image.get("title") if show_id in above else None,
                "person_type": one.person_type,
                "role": one.role,
                "sort_order": order,
            },
        )
        for order, one in enumerate(credits_in(image))
        if one.person_id == person_id
    )
    return [credit for credit in made if credit is not None]


_OF_ITEM: Final = ("media_type", "title", "year", "season_number", "episode_number")


def _filmography_order(credit: FilmographyCredit) -> tuple[Any, ...]:
    return (
        credit.year is None,
        credit.year or 0,
        credit.title,
        *_numbers(credit),
        credit.media_item_id,
        credit.sort_order,
    )
