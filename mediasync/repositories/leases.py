"""Leases: only one worker at a time syncs a source, over tasks, processes and hosts.

A lease is a row, and time passes by the clock of the database server, if there is one. Advisory locks are not
used: a pooler gives their connection to others, and some distributed engines ignore them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from mediasync.changes import Fence
from mediasync.database.session import Session
from mediasync.errors import LeaseLost

# Makes the row of a source that was never leased.
INSERT_LEASE: Final = """
INSERT INTO lease (source_id, fence, holder, expires_at) VALUES (:source_id, 0, NULL, 0)
ON CONFLICT (source_id) DO NOTHING
"""

# Locks the lease of a source. It waits for the transactions that keep the lease.
LOCK_LEASE: Final = "SELECT h.source_id FROM lease h WHERE h.source_id = :source_id @lockfully(h)"

# Reads who holds the lease of a source.
SELECT_HOLDER: Final = """
SELECT h.fence, h.holder, CASE WHEN h.expires_at > @clock THEN 1 ELSE 0 END AS alive
FROM lease h WHERE h.source_id = :source_id
"""

# Gives the lease of a source to a new holder.
TAKE_LEASE: Final = """
UPDATE lease SET fence = fence + 1, holder = :holder, expires_at = @clock + CAST(:duration AS bigint)
WHERE source_id = :source_id
"""

# Extends a lease that has not expired.
RENEW_LEASE: Final = """
UPDATE lease SET expires_at = @clock + CAST(:duration AS bigint)
WHERE source_id = :source_id AND fence = CAST(:fence AS bigint) AND expires_at > @clock
"""

# Ends a lease.
RELEASE_LEASE: Final = """
UPDATE lease SET holder = NULL, expires_at = 0 WHERE source_id = :source_id AND fence = CAST(:fence AS bigint)
"""

# Reads which of some leases are still held, and lets nobody else take them until the transaction ends.
KEEP_LEASES: Final = """
SELECT h.source_id, h.fence FROM @rows(:leases, source_id text, fence integer) r
JOIN lease h ON h.source_id = r.source_id AND h.fence = r.fence
WHERE h.expires_at > @clock @keep(h)
"""

# Reads who holds leases that have not expired.
SELECT_HELD: Final = """
SELECT h.source_id, h.holder FROM lease h
WHERE h.holder IS NOT NULL AND h.expires_at > @clock
ORDER BY h.source_id
"""


class LeaseRepository:
    """The leases of sources.

    Args:
        session: an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(
        self, source_id: str, holder: str, duration: int, has_ended: Callable[[str], bool]
    ) -> Fence | str:
        """Take the lease of a source, or return the name of its holder.

        Args:
            source_id: a source, stored or not.
            holder: identifies the process, and the run in it.
            duration: how long the lease lasts unless it is renewed, in milliseconds.
            has_ended: returns whether the work of a holder has provably ended.
        """
        of_source = {"source_id": source_id, "now": self._session.now}
        await self._session.execute(INSERT_LEASE, of_source)
        await self._session.fetch_all(LOCK_LEASE, of_source)
        [(fence, other, alive)] = await self._session.fetch_all(SELECT_HOLDER, of_source)
        if other is not None and alive and not has_ended(other):
            return str(other)
        await self._session.execute(TAKE_LEASE, {**of_source, "holder": holder, "duration": duration})
        return Fence(source_id, int(fence) + 1)

    async def list_held(self) -> list[tuple[str, str]]:
        """Return the sources whose lease is held, each with the name of its holder."""
        rows = await self._session.fetch_all(SELECT_HELD, {"now": self._session.now})
        return [(str(source_id), str(holder)) for source_id, holder in rows]

    async def renew(self, fence: Fence, duration: int) -> bool:
        """Extend a lease to *duration* milliseconds from now. Return whether it was still held."""
        renewed = {**_params(fence), "duration": duration, "now": self._session.now}
        return bool(await self._session.execute(RENEW_LEASE, renewed))

    async def release(self, fence: Fence) -> None:
        """End a lease, if it is still the newest one of its source."""
        await self._session.execute(RELEASE_LEASE, _params(fence))

    async def keep(self, fences: Iterable[Fence]) -> set[Fence]:
        """Return the leases that have ended. The others are held until the transaction ends."""
        wanted = set(fences)
        rows = await self._session.fetch_all(
            KEEP_LEASES, {"leases": sorted(wanted), "now": self._session.now}
        )
        return wanted - {Fence(source_id, int(number)) for source_id, number in rows}

    async def require(self, fence: Fence) -> None:
        """Hold a lease until the transaction ends.

        Raises:
            LeaseLost: if it has ended.
        """
        if await self.keep([fence]):
            raise LeaseLost(fence.source_id)


def _params(fence: Fence) -> dict[str, str | int]:
    return {"source_id": fence.source_id, "fence": fence.number}
