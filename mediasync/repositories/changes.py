"""The change log: the outbox of every write that changes what the public views show.

Numbers are drawn from one counter row. Its lock is taken by the last statements of a transaction and held
until the commit, so numbers ascend in the order of commits: whoever sees a number sees all lower ones. A
transaction that rolls back returns its numbers, so there are no gaps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from mediasync.changes import Change
from mediasync.database.session import Session
from mediasync.repositories.flaws import note_flaw, read_json
from mediasync.repositories.times import to_datetime
from mediasync.rows import VALUE_COLUMNS
from mediasync.vocabulary import ChangeKind, EntityKind

# Draws numbers, and makes every other transaction that draws some wait for this one's end.
DRAW_NUMBERS: Final = "UPDATE change_counter SET newest = newest + :number"

# Appends rows under the numbers that were drawn last.
INSERT_CHANGES: Final = """
INSERT INTO change (number, changed_at, run_key, reason, entity, entity_id, what, before, other_id)
SELECT counter.newest - :number + r.n + 1, :now, r.run_key, r.reason, r.entity, r.entity_id, r.what, r.before,
    r.other_id
FROM change_counter counter CROSS JOIN @rows(:rows, entity text, entity_id text, what text, reason text,
    run_key integer, before text, other_id text) r
"""

# The newest number, and the highest number that was pruned.
SELECT_EXTENT: Final = "SELECT newest, pruned FROM change_counter"

_COLUMNS: Final = (
    "c.number, c.changed_at, c.run_key, c.reason, c.entity, c.entity_id, c.what, c.before, c.other_id"
)

# The changes after a number, in order.
SELECT_CHANGES: Final = f"""
SELECT {_COLUMNS}
FROM change c WHERE c.number > :after ORDER BY c.number LIMIT :limit
"""

# The changes of one run after a number, in order.
SELECT_CHANGES_OF_RUN: Final = f"""
SELECT {_COLUMNS}
FROM change c WHERE c.run_key = :run_id AND c.number > :after ORDER BY c.number LIMIT :limit
"""

# The changes of entities after a number, in order.
SELECT_CHANGES_OF_ENTITIES: Final = f"""
SELECT {_COLUMNS}
FROM @list(:ids) l JOIN change c ON c.entity_id = l.id
WHERE c.number > :after ORDER BY c.number LIMIT :limit
"""

# The newest changes of one entity, the newest first.
SELECT_LAST_CHANGES_OF_ENTITY: Final = f"""
SELECT {_COLUMNS}
FROM change c WHERE c.entity_id = :id ORDER BY c.number DESC LIMIT :limit
"""

# The newest changes of items after a number, the newest first.
SELECT_LAST_CHANGES_OF_ITEMS: Final = f"""
SELECT {_COLUMNS}
FROM change c WHERE c.number > :after AND c.entity = 'item' ORDER BY c.number DESC LIMIT :limit
"""

# The time of the first change from a number on.
SELECT_TIME_OF_CHANGE: Final = """
SELECT c.changed_at FROM change c WHERE c.number >= :number ORDER BY c.number LIMIT 1
"""

# The number up to which one step of pruning may delete.
SELECT_LAST_OLD: Final = """
SELECT coalesce(max(o.number), 0) AS last FROM (
    SELECT c.number, c.changed_at FROM change c WHERE c.number > :after ORDER BY c.number LIMIT :limit
) o
WHERE o.changed_at < :moment
"""

# Prunes the log up to a number.
DELETE_CHANGES: Final = "DELETE FROM change WHERE number <= :last"

# Remembers up to which number the log was pruned.
SET_PRUNED: Final = "UPDATE change_counter SET pruned = :last WHERE pruned < :last"

# Everything that the views show of items, besides their credits and their times in the mirror.
SELECT_ITEM_IMAGES: Final = f"""
SELECT i.id AS item_id, p.id AS parent_id, i.remote_id, i.media_type,
    {", ".join(f"i.{column}" for column in VALUE_COLUMNS)}, i.completeness, h.id AS library_id,
    (SELECT @arrays(listed.id) FROM (
        SELECT (SELECT o.id FROM library o WHERE o.library_key = x.library_key) AS id
        FROM item_library x WHERE x.item_key = i.item_key
    ) listed) AS other_libraries,
    (SELECT @arrays(@array(listed.provider, listed.value)) FROM (
        SELECT e.provider, e.value FROM item_external_id e WHERE e.item_key = i.item_key ORDER BY e.provider
    ) listed) AS provider_ids,
    (SELECT @arrays(listed.name) FROM (
        SELECT e.name FROM item_genre e WHERE e.item_key = i.item_key ORDER BY e.position
    ) listed) AS genres,
    (SELECT @arrays(@array(listed.name, listed.value, listed.votes)) FROM (
        SELECT e.name, e.value, e.votes FROM item_rating e WHERE e.item_key = i.item_key ORDER BY e.position
    ) listed) AS ratings,
    (SELECT @arrays(@array(listed.kind, listed.path)) FROM (
        SELECT e.kind, e.path FROM item_image e WHERE e.item_key = i.item_key ORDER BY e.kind
    ) listed) AS images
FROM @list(:ids) g
JOIN media_item i ON i.id = g.id
JOIN library h ON h.library_key = i.library_key
LEFT JOIN media_item p ON p.item_key = i.parent_key
ORDER BY g.n
"""

ROWS_PER_STEP: Final = 5_000
"""One step of pruning deletes at most so many rows, so that it holds nobody up for long."""

_PLAIN: Final = ("parent_id", "remote_id", "media_type", *VALUE_COLUMNS, "completeness", "library_id")
_LISTS: Final = ("libraries", "provider_ids", "genres", "ratings", "images")


class LoggedChange(NamedTuple):
    """A change that is to be logged.

    The fields that most rows lack stand last: what is missing at the end of a row is not even sent.
    """

    entity: str
    entity_id: str
    what: str
    reason: str
    run_id: int | None = None
    before: str | None = None
    other_id: str | None = None


class Extent(NamedTuple):
    """How far the log reaches.

    Attributes:
        newest: the number of the newest change; 0 if there was none yet.
        pruned: the highest number that was pruned; 0 if none was.
    """

    newest: int
    pruned: int


class ChangePage(NamedTuple):
    """Successive changes of the log.

    Attributes:
        first, last: the numbers of the first and the last change, also if those cannot be read.
        changes: the changes that can be read, in order.
    """

    first: int
    last: int
    changes: list[Change]


class ChangeRepository:
    """Writes and reads the change log.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def append(self, changes: Sequence[LoggedChange]) -> None:
        """Append changes to the log, as the last statements of the transaction.

        Other transactions that append wait from here on until this one ends. So nothing follows that could
        itself have to wait.
        """
        if not changes:
            return
        number = len(changes)
        await self._session.execute(DRAW_NUMBERS, {"number": number})
        rows = list(map(_without_trailing_nulls, changes))
        await self._session.execute(
            INSERT_CHANGES, {"rows": rows, "number": number, "now": self._session.now}
        )

    async def find_extent(self) -> Extent:
        """Return how far the log reaches."""
        [(newest, pruned)] = await self._session.fetch_all(SELECT_EXTENT)
        return Extent(newest, pruned)

    async def find_page(self, after: int, limit: int) -> ChangePage | None:
        """Return the first *limit* changes with higher numbers than *after*, or None if there are none."""
        return _page(await self._session.fetch_all(SELECT_CHANGES, {"after": after, "limit": limit}))

    async def find_page_of_run(self, run_id: int, after: int, limit: int) -> ChangePage | None:
        """Return the same of the changes that one run made."""
        params = {"run_id": run_id, "after": after, "limit": limit}
        return _page(await self._session.fetch_all(SELECT_CHANGES_OF_RUN, params))

    async def find_page_of_entities(self, ids: Sequence[str], after: int, limit: int) -> ChangePage | None:
        """Return the same of the changes of some entities."""
        params = {"ids": list(ids), "after": after, "limit": limit}
        return _page(await self._session.fetch_all(SELECT_CHANGES_OF_ENTITIES, params))

    async def list_last_of_entity(self, entity_id: str, limit: int) -> list[Change]:
        """Return the newest changes of one entity, the newest first."""
        params = {"id": entity_id, "limit": limit}
        return _changes(await self._session.fetch_all(SELECT_LAST_CHANGES_OF_ENTITY, params))

    async def list_last_of_items(self, after: int, limit: int) -> list[Change]:
        """Return the newest changes of items with higher numbers than *after*, the newest first."""
        params = {"after": after, "limit": limit}
        return _changes(await self._session.fetch_all(SELECT_LAST_CHANGES_OF_ITEMS, params))

    async def find_time(self, number: int) -> datetime | None:
        """Return when the first change from a number on was written; None if there is none."""
        rows = await self._session.fetch_all(SELECT_TIME_OF_CHANGE, {"number": number})
        return to_datetime(rows[0][0]) if rows else None

    async def find_number_before(self, moment: int) -> int:
        """Return the number of the last change before a time; times ascend with the numbers.

        Args:
            moment: in milliseconds since 1970, UTC.
        """
        newest, low = await self.find_extent()
        high = newest
        while low < high:
            middle = (low + high) // 2
            rows = await self._session.fetch_all(SELECT_TIME_OF_CHANGE, {"number": middle + 1})
            low, high = (middle + 1, high) if rows and rows[0][0] < moment else (low, middle)
        return low

    async def prune(self, before: int) -> int:
        """Delete the oldest changes, as far as they were written before a time, and at most one step.

        Args:
            before: the time, in milliseconds since 1970, UTC.

        Returns:
            How many were deleted.
        """
        _, pruned = await self.find_extent()
        params = {"after": pruned, "limit": ROWS_PER_STEP, "moment": before}
        [(last,)] = await self._session.fetch_all(SELECT_LAST_OLD, params)
        if not last:
            return 0
        deleted = await self._session.execute(DELETE_CHANGES, {"last": last})
        await self._session.execute(SET_PRUNED, {"last": last})
        return deleted

    async def find_item_images(self, item_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return what the views show of items besides their credits: by item, by the names of the columns."""
        rows = await self._session.fetch_all(SELECT_ITEM_IMAGES, {"ids": list(item_ids)})
        return {row[0]: _item_image(row[1:]) for row in rows}


def _page(rows: Sequence[Sequence[Any]]) -> ChangePage | None:
    if not rows:
        return None
    return ChangePage(rows[0][0], rows[-1][0], _changes(rows))


def _changes(rows: Sequence[Sequence[Any]]) -> list[Change]:
    return [change for row in rows if (change := _change(row)) is not None]


def _without_trailing_nulls(change: LoggedChange) -> Sequence[Any]:
    if change.other_id is not None:
        return change
    if change.before is not None:
        return change[:6]
    return change[:5] if change.run_id is not None else change[:4]


def _item_image(row: Sequence[Any]) -> dict[str, Any]:
    image = dict(zip(_PLAIN, row, strict=False))
    lists = [json.loads(text) if text else [] for text in row[len(_PLAIN) :]]
    others, provider_ids, genres, ratings, images = lists
    image["libraries"] = sorted({image["library_id"], *others})
    image["provider_ids"] = dict(provider_ids)
    image["genres"] = genres
    image["ratings"] = ratings
    image["images"] = dict(images)
    return image


def _change(row: Sequence[Any]) -> Change | None:
    number, changed_at, run_id, reason, entity, entity_id, what, before, other_id = row
    subject = f"change {number}"
    try:
        kinds = EntityKind(entity), ChangeKind(what)
    except ValueError as error:
        note_flaw(subject, f"it cannot be read at all and is left out ({error})")
        return None
    at = to_datetime(changed_at)
    if at is None:
        note_flaw(subject, "the stored changed_at cannot be read and is left out")
    values = None if before is None else read_json(subject, before, dict)
    return Change(number, at, run_id, reason, kinds[0], entity_id, kinds[1], values, other_id)
