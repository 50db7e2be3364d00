"""What events say has to be looked into: the table of due targets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from mediasync.database.session import Session

# Reads what is due of a source, in a stable order.
SELECT_TARGETS: Final = """
SELECT d.named_by, d.target, d.media_type, d.kind, d.due_at, d.ripe_at, d.first_at, d.events, d.attempts
FROM due_target d WHERE d.source_id = :source_id
ORDER BY d.named_by, d.target, d.media_type
"""

# Reads the same, and locks it.
LOCK_TARGETS: Final = f"{SELECT_TARGETS} @lockfully(d)"

# Writes what is due. A row that another writer has just added keeps the earlier and the later of its times.
UPSERT_TARGETS: Final = """
INSERT INTO due_target (
    source_id, named_by, target, media_type, kind, due_at, ripe_at, first_at, events, attempts
)
SELECT :source_id, r.named_by, r.target, r.media_type, r.kind, r.due_at, r.ripe_at, r.first_at, r.events,
       r.attempts
FROM @rows(:rows, named_by text, target text, media_type text, kind text, due_at integer, ripe_at integer,
    first_at integer, events integer, attempts integer) r
WHERE true
ON CONFLICT (source_id, named_by, target, media_type) DO UPDATE SET
    kind = excluded.kind, due_at = excluded.due_at, attempts = excluded.attempts,
    ripe_at = CASE WHEN excluded.ripe_at < due_target.ripe_at THEN due_target.ripe_at
                   ELSE excluded.ripe_at END,
    first_at = excluded.first_at,
    events = CASE WHEN excluded.events <= due_target.events THEN due_target.events + 1
                  ELSE excluded.events END
"""

# Changes when targets are looked into next, where no event came meanwhile.
UPDATE_TARGETS: Final = """
UPDATE due_target SET due_at = r.due_at, first_at = r.first_at, attempts = r.attempts
FROM @rows(:rows, named_by text, target text, media_type text, due_at integer, first_at integer,
    events integer, attempts integer) r
WHERE due_target.source_id = :source_id AND due_target.named_by = r.named_by
  AND due_target.target = r.target AND due_target.media_type = r.media_type AND due_target.events = r.events
"""

# Deletes targets of which no event came meanwhile.
DELETE_TARGETS: Final = """
DELETE FROM due_target WHERE source_id = :source_id AND EXISTS (
    SELECT 1 FROM @rows(:rows, named_by text, target text, media_type text, events integer) r
    WHERE due_target.named_by = r.named_by AND due_target.target = r.target
      AND due_target.media_type = r.media_type AND due_target.events = r.events
)
"""

# Deletes all targets of a source.
DELETE_ALL_TARGETS: Final = "DELETE FROM due_target WHERE source_id = :source_id"

# Reads when the next target of each source is due.
SELECT_NEXT: Final = """
SELECT d.source_id, min(d.due_at) AS due_at FROM due_target d GROUP BY d.source_id ORDER BY d.source_id
"""

# Reads which sources have targets.
SELECT_SOURCES: Final = "SELECT DISTINCT d.source_id FROM due_target d ORDER BY d.source_id"

# Finds the items of a source that have ids at public providers.
SELECT_BY_PROVIDER_IDS: Final = """
SELECT r.provider, r.value, i.media_type, i.remote_id
FROM @rows(:ids, provider text, value text) r
JOIN item_external_id x ON x.provider = r.provider AND x.value = r.value
JOIN media_item i ON i.item_key = x.item_key
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
WHERE s.id = :source_id AND i.missing_since IS NULL
ORDER BY i.id
"""


class TargetRow(NamedTuple):
    """A row of the table, without its source.

    Attributes:
        named_by: ``key``, ``provider`` or ``source``.
        target: the source's own key, a provider's id, or empty.
        media_type: of what a provider's id names; empty if it is not known.
        kind: a `mediasync.hints.HintKind`.
        due_at: when it is looked into, in milliseconds since 1970, UTC, as all times here.
        ripe_at: when the wait of every event is over.
        first_at: when the first event came that was not looked into since.
        events: how many came.
        attempts: how often it was looked into in vain.
    """

    named_by: str
    target: str
    media_type: str
    kind: str
    due_at: int
    ripe_at: int
    first_at: int
    events: int
    attempts: int

    @property
    def name(self) -> tuple[str, str, str]:
        """What tells it from the others of its source."""
        return self.named_by, self.target, self.media_type


class InboxRepository:
    """The due targets.

    Args:
        session: an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list_targets(self, source_id: str, *, lock: bool = False) -> list[TargetRow]:
        """Return what is due of a source, now or later.

        Args:
            source_id: a source, stored or not.
            lock: whether other transactions are kept from changing the rows.
        """
        query = LOCK_TARGETS if lock else SELECT_TARGETS
        rows = await self._session.fetch_all(query, {"source_id": source_id})
        return [TargetRow(*row) for row in rows]

    async def list_sources(self) -> list[str]:
        """Return the sources of which anything is due, now or later."""
        return [str(source_id) for (source_id,) in await self._session.fetch_all(SELECT_SOURCES)]

    async def find_next(self) -> dict[str, int]:
        """Return when the next target of each source is due, in milliseconds since 1970, UTC."""
        return {str(source_id): int(due) for source_id, due in await self._session.fetch_all(SELECT_NEXT)}

    async def upsert(self, source_id: str, rows: Sequence[TargetRow]) -> None:
        """Store targets."""
        params = {"source_id": source_id, "rows": [tuple(row) for row in sorted(rows)]}
        await self._session.execute(UPSERT_TARGETS, params)

    async def postpone(self, source_id: str, rows: Sequence[TargetRow]) -> None:
        """Change when targets are looked into next, unless an event has come since *rows* were read."""
        changed = [(*row.name, row.due_at, row.first_at, row.events, row.attempts) for row in sorted(rows)]
        await self._session.execute(UPDATE_TARGETS, {"source_id": source_id, "rows": changed})

    async def delete(self, source_id: str, rows: Sequence[TargetRow]) -> None:
        """Delete targets, unless an event has come since *rows* were read."""
        gone = [(*row.name, row.events) for row in sorted(rows)]
        await self._session.execute(DELETE_TARGETS, {"source_id": source_id, "rows": gone})

    async def delete_all(self, source_id: str) -> None:
        """Delete all targets of a source."""
        await self._session.execute(DELETE_ALL_TARGETS, {"source_id": source_id})

    async def find_keys(
        self, source_id: str, ids: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], list[tuple[str, str]]]:
        """Return (type, own key) of the stored items of a source by ids at public providers.

        Args:
            source_id: a stored source.
            ids: pairs of a provider and the id there. Those that no item has are left out of the result.
        """
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}
        params = {"source_id": source_id, "ids": sorted(ids)}
        for provider, value, media_type, key in await self._session.fetch_all(SELECT_BY_PROVIDER_IDS, params):
            found.setdefault((provider, value), []).append((media_type, key))
        return found
