"""What was shown earlier: reading of stored rows and of the change log for points in time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from mediasync.database.session import Session
from mediasync.models import ITEM_MODELS, AnyMediaItem, Credit, Rating
from mediasync.repositories.changes import ChangeRepository
from mediasync.repositories.flaws import note_flaw, read_json, read_model
from mediasync.repositories.times import to_datetime, to_text
from mediasync.rewinding import Image
from mediasync.vocabulary import EntityKind

# Reads when a run ended, and which change was the newest one then.
SELECT_END_OF_RUN: Final = """
SELECT r.finished_at, r.started_at, r.last_change, (
    SELECT max(c.number) FROM change c WHERE c.run_key = r.run_key
) AS own
FROM sync_run r WHERE r.run_key = :run_id
"""

# Counts the runs that had ended at a time and after a change.
COUNT_RUNS_ENDED: Final = """
SELECT count(*) AS runs FROM sync_run r WHERE r.finished_at <= :moment AND r.last_change >= :number
"""

# Reads the time of the first change after a number.
SELECT_TIME_AFTER: Final = """
SELECT c.changed_at FROM change c WHERE c.number > :after ORDER BY c.number LIMIT 1
"""

# Reads the entities that changed after one number and up to another, in the order of their last changes.
SELECT_CHANGED_ENTITIES: Final = """
SELECT c.entity, c.entity_id, max(c.number) AS last
FROM change c WHERE c.number > :after AND c.number <= :last
GROUP BY c.entity, c.entity_id ORDER BY last
"""

# Reads those changes after a number of one kind of entity whose values before them hold a text.
SELECT_CHANGES_WITH: Final = """
SELECT c.number, c.entity_id, c.before FROM change c
WHERE c.number > :after AND c.entity = :entity AND c.before LIKE :pattern ESCAPE '!'
ORDER BY c.number LIMIT :limit
"""

# Reads when items were stored and written, and whether they are shown.
SELECT_ITEM_TIMES: Final = """
SELECT i.id AS item_id, i.created_at, i.updated_at, i.missing_since IS NULL AS shown
FROM @list(:ids) l JOIN media_item i ON i.id = l.id
"""

# Reads which people are shown.
SELECT_SHOWN_PEOPLE: Final = """
SELECT p.id AS person_id FROM @list(:ids) l JOIN person p ON p.id = l.id WHERE p.uncredited_since IS NULL
"""

# Reads the items that credit people.
SELECT_ITEMS_OF_PEOPLE: Final = """
SELECT DISTINCT i.id AS item_id
FROM @list(:ids) l
JOIN person p ON p.id = l.id
JOIN credit c ON c.person_key = p.person_key
JOIN media_item i ON i.item_key = c.item_key
WHERE i.missing_since IS NULL
"""

# Finds the person who alone has an alias, shown or not.
SELECT_HOLDER: Final = """
SELECT p.id AS person_id FROM person_alias a JOIN person p ON p.person_key = a.person_key
WHERE a.id = :id AND a.shared = 0
"""

_PAGE: Final = 500
_TIMES: Final = ("added_at", "changed_at")


class StoredTimes(NamedTuple):
    """When a stored item was stored and written, and whether it is shown.

    Attributes:
        created_at: when it was stored.
        updated_at: when it was last written.
        shown: whether its source still has it.
    """

    created_at: datetime | None
    updated_at: datetime | None
    shown: bool


@dataclass(frozen=True, slots=True)
class EndOfRun:
    """When a recorded run ended.

    Attributes:
        finished_at: None if the end was not recorded.
        started_at: when it began.
        last_change: the number of the newest change when it had ended; None if that was not recorded.
        own: the number of its own last change; None if the log has none of it.
    """

    finished_at: int | None
    started_at: int
    last_change: int | None
    own: int | None


class PastRepository:
    """Reads what is needed to rebuild what was shown earlier.

    Args:
        session: a snapshot.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find_end_of_run(self, run_id: int) -> EndOfRun | None:
        """Return when a run ended, or None if it is not recorded."""
        rows = await self._session.fetch_all(SELECT_END_OF_RUN, {"run_id": run_id})
        return EndOfRun(*rows[0]) if rows else None

    async def has_run_since(self, number: int, moment: int) -> bool:
        """Return whether a run had ended at a time, after the change with a number."""
        params = {"number": number, "moment": moment}
        [(runs,)] = await self._session.fetch_all(COUNT_RUNS_ENDED, params)
        return bool(runs)

    async def find_time_after(self, number: int) -> datetime | None:
        """Return the time of the first change after a number, or None if there is none."""
        rows = await self._session.fetch_all(SELECT_TIME_AFTER, {"after": number})
        return to_datetime(rows[0][0]) if rows else None

    async def find_changed_entities(self, after: int, last: int) -> list[tuple[EntityKind, str]]:
        """Return the entities that changed after one number and up to another, by their last changes."""
        rows = await self._session.fetch_all(SELECT_CHANGED_ENTITIES, {"after": after, "last": last})
        kinds = {kind.value: kind for kind in EntityKind}  # the check reports all others
        return [(kinds[entity], entity_id) for entity, entity_id, _ in rows if entity in kinds]

    async def iter_images_with(
        self, entity: EntityKind, text: str, after: int
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Iterate over the ids and the values before them of changes whose values hold a text.

        Args:
            entity: what kind of thing changed.
            text: a part of the values' JSON; case does not count everywhere.
            after: only changes with higher numbers.
        """
        escaped = text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        params = {"entity": entity.value, "pattern": f"%{escaped}%", "limit": _PAGE}
        while rows := await self._session.fetch_all(SELECT_CHANGES_WITH, {**params, "after": after}):
            for number, entity_id, before in rows:
                yield entity_id, read_json(f"change {number}", before, dict)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    async def find_item_times(self, item_ids: Sequence[str]) -> dict[str, StoredTimes]:
        """Return when items were stored and written, of those that are stored."""
        rows = await self._session.fetch_all(SELECT_ITEM_TIMES, {"ids": list(item_ids)})
        return {
            item_id: StoredTimes(to_datetime(created_at), to_datetime(updated_at), bool(shown))
            for item_id, created_at, updated_at, shown in rows
        }

    async def find_item_images(self, item_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return what is stored of items besides their credits, with times as the log holds them."""
        images = await ChangeRepository(self._session).find_item_images(item_ids)
        for image in images.values():
            for name in _TIMES:
                if isinstance(at := image[name], int):
                    image[name] = to_text(at)
        return images

    async def find_shown_people(self, person_ids: Sequence[str]) -> set[str]:
        """Return those of some people who are shown."""
        rows = await self._session.fetch_all(SELECT_SHOWN_PEOPLE, {"ids": list(person_ids)})
        return {person_id for (person_id,) in rows}

    async def find_items_of_people(self, person_ids: Sequence[str]) -> list[str]:
        """Return the ids of the shown items that credit any of some people."""
        rows = await self._session.fetch_all(SELECT_ITEMS_OF_PEOPLE, {"ids": list(person_ids)})
        return [item_id for (item_id,) in rows]

    async def find_holder(self, alias: str) -> str | None:
        """Return the id of the person who alone has an alias, or None."""
        rows = await self._session.fetch_all(SELECT_HOLDER, {"id": alias})
        return str(rows[0][0]) if rows else None


def json_part(name: str, value: str) -> str:
    """Return a name and a value as the JSON of the log has them.

    Example:
        >>> json_part("parent_id", "home:1")
        '"parent_id":"home:1"'
    """
    return json.dumps({name: value}, ensure_ascii=False, separators=(",", ":"))[1:-1]


def item_of_image(
    item_id: str,
    image: Image,
    credits_then: list[Credit],
    *,
    parent_remote_id: str | None,
    created_at: datetime | None,
    updated_at: datetime | None,
) -> AnyMediaItem | None:
    """Return the item of an image, or None if it cannot be read.

    Args:
        item_id: its id.
        image: what was shown of it, as the log holds it.
        credits_then: its credits, in billing order.
        parent_remote_id: the source's own key of its parent.
        created_at: when it was stored; None if that is not known.
        updated_at: when it was last written; None if that is not known.
    """
    subject = f"media item {item_id}"
    media_type = image.get("media_type")
    if media_type not in ITEM_MODELS:
        note_flaw(subject, f"it was a {media_type!r}, which is unknown, and is left out")
        return None
    cls = ITEM_MODELS[media_type]
    values: dict[str, Any] = {name: value for name, value in image.items() if name in cls.model_fields}
    for name in ("added", "changed"):
        at = image.get(f"{name}_at")
        values[f"{name}_at"] = image.get(f"{name}_text") if at is None else at
    values["ratings"] = _ratings(subject, image.get("ratings"))
    if "parent_remote_id" in cls.model_fields:
        values["parent_remote_id"] = parent_remote_id
    values |= {
        "id": item_id,
        "source_id": item_id.partition(":")[0],
        "credits": credits_then,
        "created_at": created_at,
        "updated_at": updated_at,
    }
    return read_model(cls, subject, values)


def _ratings(subject: str, listed: Any) -> list[Rating]:
    names = ("name", "value", "votes")
    given = (dict(zip(names, one, strict=False)) for one in listed or () if isinstance(one, list | tuple))
    read = (read_model(Rating, subject, values) for values in given)
    return [rating for rating in read if rating is not None]
