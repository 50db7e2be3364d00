"""The difference between what was shown at two points: entity by entity, from the rebuilt states."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mediasync.aio import batched
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.history import Difference, FieldChange, compare_credits
from mediasync.library.time_travel import Past, find_point, person_image
from mediasync.repositories.past import PastRepository
from mediasync.repositories.sources import SourceRepository
from mediasync.rewinding import AsOf, Image, credits_in, rewind
from mediasync.vocabulary import ChangeKind, EntityKind

_AT_ONCE: Final = 100
_PARTS: Final[dict[EntityKind, set[str]]] = {
    EntityKind.SOURCE: {"kind", "name", "server_id"},
    EntityKind.LIBRARY: {"title", "kind"},
}

Entity = tuple[EntityKind, str]


class DifferenceReads:
    """Compares what was shown at two points.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def iterate(self, first: AsOf, second: AsOf, source_id: str | None) -> AsyncGenerator[Difference]:
        """Iterate over the differences; see `mediasync.MediaSync.diff`."""
        self._database.check_open()
        async with self._database.read(snapshot=True) as session:
            points = [await find_point(session, one) for one in (first, second)]
            low, high = sorted(point.number for point in points)
            entities = await PastRepository(session).find_changed_entities(low, high)
        wanted = [one for one in entities if source_id is None or _is_of(one[1], source_id)]
        for some in batched(wanted, _AT_ONCE):
            async with self._database.read(snapshot=True) as session:
                old, new = [await _state(session, one, some) for one in (first, second)]
            for entity in some:
                if (found := _difference(entity, old, new)) is not None:
                    yield found


def _is_of(entity_id: str, source_id: str) -> bool:
    return entity_id == source_id or entity_id.startswith(f"{source_id}:")


@dataclass(frozen=True, slots=True)
class _State:
    """What was shown of some entities at a point.

    Attributes:
        images: their values; those that were not shown are missing.
        names: the names of people whom they credit, by id.
        merged: the people that others had become, by the others' ids.
    """

    images: Mapping[Entity, Image]
    names: Mapping[str, str]
    merged: Mapping[str, str]


async def _state(session: Session, as_of: AsOf, entities: Sequence[Entity]) -> _State:
    past = Past(session, await find_point(session, as_of))
    ids = {kind: [entity_id for one, entity_id in entities if one is kind] for kind in EntityKind}
    images: dict[Entity, Image] = {}
    items = await past.find_images(ids[EntityKind.ITEM])
    images |= {(EntityKind.ITEM, item_id): item.image for item_id, item in items.items()}
    people = await past.find_shown(ids[EntityKind.PERSON])
    images |= {(EntityKind.PERSON, one): person_image(found) or {} for one, found in people.items()}
    stored = await _stored(session) if ids[EntityKind.SOURCE] or ids[EntityKind.LIBRARY] else {}
    for kind in _PARTS:
        for one, (_, since) in (await past.split_changes(kind, ids[kind])).items():
            if (image := rewind(stored.get((kind, one)), since)) is not None:
                images[kind, one] = image
    credited = {one.person_id for item in items.values() for one in credits_in(item.image)}
    named = await past.find_people(credited)
    changes = await past.split_changes(EntityKind.PERSON, ids[EntityKind.PERSON])
    merged = {
        change.entity_id: change.other_id
        for until, _ in changes.values()
        for change in until
        if change.other_id
    }
    return _State(images, {one: person.name for one, person in named.items()}, merged)


async def _stored(session: Session) -> dict[Entity, Image]:
    """Return the sources and libraries that are stored."""
    sources = SourceRepository(session)
    return {
        (EntityKind.SOURCE, one.id): one.model_dump(mode="json", include=_PARTS[EntityKind.SOURCE])
        for one in await sources.list_sources()
    } | {
        (EntityKind.LIBRARY, one.full_id): one.model_dump(mode="json", include=_PARTS[EntityKind.LIBRARY])
        for one in await sources.list_libraries()
    }


def _difference(entity: Entity, old: _State, new: _State) -> Difference | None:
    """Return how an entity differs in two states; None if it does not."""
    before, after = old.images.get(entity), new.images.get(entity)
    other_id = None
    fields: tuple[FieldChange, ...] = ()
    credits_changed: tuple[Any, ...] = ()
    if before is None and after is None:
        return None
    if before is None:
        what = ChangeKind.ADDED
    elif after is None:
        other_id = new.merged.get(entity[1]) if entity[0] is EntityKind.PERSON else None
        what = ChangeKind.MERGED if other_id else ChangeKind.REMOVED
    else:
        what = ChangeKind.CHANGED
        fields = tuple(
            FieldChange(name, before.get(name), value)
            for name, value in after.items()
            if name != "credits" and before.get(name) != value
        )
        credits_changed = compare_credits(credits_in(before), credits_in(after), {**old.names, **new.names})
        if not fields and not credits_changed:
            return None
    image = (before if after is None else after) or {}
    name = image.get("name", image.get("title"))
    year = image.get("year")
    return Difference(
        entity[0],
        entity[1],
        what,
        name if isinstance(name, str) else entity[1],
        year if isinstance(year, int) else None,
        fields,
        credits_changed,
        other_id,
    )
