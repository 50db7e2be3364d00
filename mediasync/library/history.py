"""Reading the history: the changes of the log with the values before and after them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mediasync.changes import Change
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import UsageError
from mediasync.history import CreditChange, CreditTriple, FieldChange, HistoryEntry, compare_credits
from mediasync.models import Person
from mediasync.repositories.changes import ChangePage, ChangeRepository
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.past import PastRepository
from mediasync.repositories.person_reading import PersonReader
from mediasync.repositories.sources import SourceRepository
from mediasync.rewinding import credit_triples
from mediasync.vocabulary import ChangeKind, EntityKind

_PAGE: Final = 200
_EVERYTHING: Final = 2**62
_OF_PERSON: Final = {"name", "image_path", "provider_ids"}

Image = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which changes are asked for; each attribute that is given narrows them.

    Attributes:
        run_id: only those that this run made.
        source_id: only those of this source, its libraries, items and people.
        item_id: only those of this item.
        person_id: only those of this person, and of the person's credits.
        since: only those from this time on; it has a zone.
        after: only those with higher numbers.
    """

    run_id: int | None = None
    source_id: str | None = None
    item_id: str | None = None
    person_id: str | None = None
    since: datetime | None = None
    after: int | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.since.tzinfo is None:
            raise UsageError(f"since is {self.since.isoformat()}: give a time with a zone")

    def takes(self, entry: HistoryEntry) -> bool:
        """Return whether an entry fits everything that is given but the run."""
        change = entry.change
        if self.source_id is not None and not _is_of(change, self.source_id):
            return False
        if self.item_id is not None and change.entity_id != self.item_id:
            return False
        if self.since is not None and (change.at is None or change.at < self.since):
            return False
        return self.person_id is None or self.person_id in {
            change.entity_id,
            change.other_id,
            *(one.person_id for one in entry.credits),
        }


class HistoryReads:
    """Reads the history.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def iterate(self, wanted: HistoryFilter) -> AsyncGenerator[HistoryEntry]:
        """Iterate over changes in their order; see `mediasync.MediaSync.history`."""
        self._database.check_open()
        after: int | None = None
        while True:
            async with self._database.read(snapshot=True) as session:
                page, after = await _find_page(session, wanted, after)
                entries = await _entries(session, page.changes) if page else []
            if page is None:
                return
            after = page.last
            for entry in entries:
                if wanted.takes(entry):
                    yield entry


async def _find_page(
    session: Session, wanted: HistoryFilter, after: int | None
) -> tuple[ChangePage | None, int]:
    repository = ChangeRepository(session)
    if after is None:
        after = max((await repository.find_extent()).pruned, wanted.after or 0)
        if wanted.since is not None:
            moment = round(wanted.since.timestamp() * 1000)
            after = max(after, await repository.find_number_before(moment))
    if wanted.run_id is not None:
        return await repository.find_page_of_run(wanted.run_id, after, _PAGE), after
    if wanted.item_id is not None:
        return await repository.find_page_of_entities([wanted.item_id], after, _PAGE), after
    return await repository.find_page(after, _PAGE), after


async def _entries(session: Session, changes: Sequence[Change]) -> list[HistoryEntry]:
    """Return changes with the values after them: those before the next change of the same field, or the
    stored ones."""
    later = await _later(session, changes)
    stored = await _stored(session, changes)
    lists = [_credits(change, later, stored) for change in changes]
    names = await _names(session, {one.person_id for old, new in lists for one in (*old, *new)})
    return [
        _entry(change, later, stored, compare_credits(old, new, names))
        for change, (old, new) in zip(changes, lists, strict=True)
    ]


async def _later(session: Session, changes: Sequence[Change]) -> dict[tuple[EntityKind, str], list[Change]]:
    """Return all changes of the same entities from the first of *changes* on, in order."""
    found: defaultdict[tuple[EntityKind, str], list[Change]] = defaultdict(list)
    if changes:
        ids = sorted({change.entity_id for change in changes})
        page = await ChangeRepository(session).find_page_of_entities(ids, changes[0].number - 1, _EVERYTHING)
        for change in page.changes if page else ():
            found[change.entity, change.entity_id].append(change)
    return found


async def _stored(session: Session, changes: Sequence[Change]) -> dict[tuple[EntityKind, str], Image]:
    """Return the current values of the entities that are stored."""
    ids: defaultdict[EntityKind, set[str]] = defaultdict(set)
    for change in changes:
        ids[change.entity].add(change.entity_id)
    found: dict[tuple[EntityKind, str], Image] = {}
    if items := sorted(ids[EntityKind.ITEM]):
        images = await PastRepository(session).find_item_images(items)
        credit_lists = await CreditRepository(session).find_by_media_items(list(images))
        for item_id, image in images.items():
            listed = [(one.person.id, str(one.person_type), one.role) for one in credit_lists[item_id]]
            found[EntityKind.ITEM, item_id] = {**image, "credits": listed}
    for person_id, person in (await find_people(session, ids[EntityKind.PERSON])).items():
        found[EntityKind.PERSON, person_id] = person.model_dump(
            include={"name", "image_path", "provider_ids"}
        )
    sources = SourceRepository(session)
    if ids[EntityKind.SOURCE]:
        for source in await sources.list_sources():
            found[EntityKind.SOURCE, source.id] = source.model_dump(
                include={"id", "kind", "name", "server_id"}
            )
    if ids[EntityKind.LIBRARY]:
        for library in await sources.list_libraries():
            found[EntityKind.LIBRARY, library.full_id] = library.model_dump(include={"title", "kind"})
    return found


async def find_people(session: Session, ids: Iterable[str]) -> dict[str, Person]:
    """Return the people who are stored, shown or not, by id."""
    by_source: defaultdict[str, list[str]] = defaultdict(list)
    for person_id in sorted(ids):
        by_source[person_id.partition(":")[0]].append(person_id)
    found: dict[str, Person] = {}
    for of_source in by_source.values():
        people = (await PersonReader(session).find_by_ids(of_source)).values()
        found |= {person.id: person for person in people if person.id is not None}
    return found


async def _names(session: Session, ids: set[str]) -> dict[str, str]:
    """Return the names of people: current ones, or those that the log has of people who were removed."""
    names = {person_id: person.name for person_id, person in (await find_people(session, ids)).items()}
    if missing := sorted(ids - names.keys()):
        page = await ChangeRepository(session).find_page_of_entities(missing, 0, _EVERYTHING)
        for change in page.changes if page else ():
            if change.before and isinstance(name := change.before.get("name"), str):
                names[change.entity_id] = name
    return names


def _entry(
    change: Change,
    later: Mapping[tuple[EntityKind, str], Sequence[Change]],
    stored: Mapping[tuple[EntityKind, str], Image],
    credits_changed: tuple[CreditChange, ...],
) -> HistoryEntry:
    key = change.entity, change.entity_id
    before: Image = change.before or {}
    ends = change.what in (ChangeKind.REMOVED, ChangeKind.MERGED)

    def shown(field: str) -> Any:
        return before.get(field) if ends else _after(change, field, later[key], stored.get(key, {}))

    name = shown("title" if change.entity in (EntityKind.ITEM, EntityKind.LIBRARY) else "name")
    year = shown("year") if change.entity is EntityKind.ITEM else None
    fields = (
        FieldChange(field, value, None if ends else shown(field))
        for field, value in before.items()
        if field != "credits" and change.what is ChangeKind.CHANGED
    )
    return HistoryEntry(
        change,
        name if isinstance(name, str) else change.entity_id,
        year if isinstance(year, int) else None,
        tuple(fields),
        credits_changed,
    )


def _after(change: Change, field: str, later: Sequence[Change], stored: Image) -> Any:
    """Return the value of a field after a change."""
    for other in later:
        if other.number > change.number and other.before is not None and field in other.before:
            return other.before[field]
    return stored.get(field)


def _credits(
    change: Change,
    later: Mapping[tuple[EntityKind, str], Sequence[Change]],
    stored: Mapping[tuple[EntityKind, str], Image],
) -> tuple[list[CreditTriple], list[CreditTriple]]:
    """Return the credit lists of an item before and after a change of them; empty ones if they stayed."""
    key = change.entity, change.entity_id
    if change.what is not ChangeKind.CHANGED or not change.before or "credits" not in change.before:
        return [], []
    after = _after(change, "credits", later[key], stored.get(key, {}))
    return credit_triples(change.before["credits"]), credit_triples(after)


def _is_of(change: Change, source_id: str) -> bool:
    return change.entity_id == source_id or change.entity_id.startswith(f"{source_id}:")
