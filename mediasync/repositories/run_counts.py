"""Counting what a run changed, from the change log and the stored credits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from mediasync.database.session import Session
from mediasync.history import CreditTriple
from mediasync.repositories.flaws import read_json
from mediasync.vocabulary import ChangeKind

_KINDS: Final = (ChangeKind.ADDED, ChangeKind.BACK, ChangeKind.CHANGED)

# Counts the items that a run added, brought back or changed (0, 1, 2), by home library, each item once. Those
# that it added or brought back are counted with their credits. The items that it removed are left out.
COUNT_SHOWN: Final = """
SELECT w.library_id, w.kind, count(*) AS items, CAST(sum(w.credits) AS bigint) AS credits
FROM (
    SELECT l.id AS library_id, g.kind, CASE WHEN g.kind < 2
        THEN (SELECT count(*) FROM credit n WHERE n.item_key = i.item_key) ELSE 0 END AS credits
    FROM (
        SELECT c.entity_id,
            min(CASE c.what WHEN 'removed' THEN -1 WHEN 'added' THEN 0 WHEN 'back' THEN 1 ELSE 2 END) AS kind
        FROM change c WHERE c.run_key = :run_id AND c.entity = 'item' GROUP BY c.entity_id
    ) g
    LEFT JOIN media_item i ON i.id = g.entity_id
    LEFT JOIN library l ON l.library_key = i.library_key
    WHERE g.kind >= 0
) w
GROUP BY w.library_id, w.kind
"""

# Reads what a run logged of items that it removed, and of items that were shown before and after it.
SELECT_IMAGES: Final = """
SELECT c.number, c.entity_id, c.what, c.before
FROM change c
WHERE c.run_key = :run_id AND c.number > :after AND c.entity = 'item'
  AND (c.what = 'removed' OR c.what = 'changed' AND NOT EXISTS (
      SELECT 1 FROM change o
      WHERE o.entity_id = c.entity_id AND o.run_key = :run_id AND o.what IN ('added', 'back', 'removed')
  ))
ORDER BY c.number LIMIT :limit
"""

# Reads the home libraries of items and their credits, as the log holds credits; an item without credits has
# one row.
SELECT_LISTS: Final = """
SELECT i.id AS item_id, l.id AS library_id, p.id AS person_id, c.person_type, c.role
FROM @list(:ids) k
JOIN media_item i ON i.id = k.id
JOIN library l ON l.library_key = i.library_key
LEFT JOIN credit c ON c.item_key = i.item_key
LEFT JOIN person p ON p.person_key = c.person_key
ORDER BY k.n, c.sort_order
"""


class ShownCount(NamedTuple):
    """How many items of one library a run added, brought back or changed.

    Attributes:
        library_id: None for items that are no longer stored.
        kind: which of the three.
        items: how many.
        credits: how many credits they have; 0 for changed ones.
    """

    library_id: str | None
    kind: ChangeKind
    items: int
    credits: int


class LoggedImage(NamedTuple):
    """What a run logged of an item that was shown before it.

    Attributes:
        number: of the change.
        item_id: the item.
        removed: whether the item was removed; it was changed if not.
        library_id: of a removed item, its home library.
        credits: its credits before; None if they did not change.
    """

    number: int
    item_id: str
    removed: bool
    library_id: str | None
    credits: list[CreditTriple] | None


@dataclass(slots=True)
class CreditList:
    """The credits of an item.

    Attributes:
        library_id: the home library of the item.
        credits: in billing order.
    """

    library_id: str
    credits: list[CreditTriple] = field(default_factory=list)


class RunCountRepository:
    """Counts what runs changed.

    Args:
        session: an open transaction, or a snapshot.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def count_shown(self, run_id: int) -> list[ShownCount]:
        """Return how many items a run added, brought back and changed, by library."""
        rows = await self._session.fetch_all(COUNT_SHOWN, {"run_id": run_id})
        return [
            ShownCount(library_id, _KINDS[kind], items, number) for library_id, kind, items, number in rows
        ]

    async def find_images(self, run_id: int, after: int, limit: int) -> list[LoggedImage]:
        """Return what a run logged of items that were shown before it: removed and changed ones.

        Args:
            run_id: the run.
            after: only changes with higher numbers.
            limit: at most so many.
        """
        params = {"run_id": run_id, "after": after, "limit": limit}
        return [_image(row) for row in await self._session.fetch_all(SELECT_IMAGES, params)]

    async def find_lists(self, item_ids: Sequence[str]) -> dict[str, CreditList]:
        """Return the stored credits of items, by the items' ids."""
        found: dict[str, CreditList] = {}
        for item_id, library_id, person_id, person_type, role in await self._session.fetch_all(
            SELECT_LISTS, {"ids": list(item_ids)}
        ):
            listed = found.setdefault(item_id, CreditList(library_id)).credits
            if person_id is not None:
                listed.append(CreditTriple(person_id, person_type, role))
        return found


def _image(row: Sequence[Any]) -> LoggedImage:
    number, item_id, what, before = row
    values = read_json(f"change {number}", before, dict)
    removed, library_id, listed = what == ChangeKind.REMOVED, values.get("library_id"), values.get("credits")
    return LoggedImage(
        number,
        item_id,
        removed,
        library_id if removed and isinstance(library_id, str) else None,
        [CreditTriple(*one) for one in listed if isinstance(one, list) and len(one) == 3]
        if isinstance(listed, list)
        else None,
    )
