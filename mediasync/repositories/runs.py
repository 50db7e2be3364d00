"""Runs: the record of every sync, with what it saw of each library and the problems it had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mediasync.database.session import Session
from mediasync.errors import DataError
from mediasync.models import LibraryRun, SyncRun
from mediasync.repositories.building import select_list
from mediasync.repositories.flaws import read_model
from mediasync.repositories.times import to_datetime
from mediasync.vocabulary import RunStatus

_RUNS_PER_STEP: Final = 5_000

# Locks a source while a run of it starts.
LOCK_SOURCE: Final = "SELECT s.source_key FROM source s WHERE s.id = :source_id @lock(s)"

# Records that a sync starts.
INSERT_RUN: Final = """
INSERT INTO sync_run (source_key, status, started_at, fence, selection)
SELECT source_key, 'running', :now, CAST(:fence AS bigint), :selection FROM source WHERE id = :source_id
"""

# Reads the key of the run that was just inserted.
SELECT_NEWEST_RUN: Final = """
SELECT max(r.run_key) AS run_key FROM sync_run r JOIN source s ON s.source_key = r.source_key
WHERE s.id = :source_id
"""

# Marks the runs of a source that ended without recording it: they are recorded as running under older leases.
INTERRUPT_RUNS: Final = """
UPDATE sync_run
SET status = 'interrupted', finished_at = :now, last_change = (SELECT newest FROM change_counter)
WHERE status = 'running' AND source_key = (SELECT source_key FROM source WHERE id = :source_id)
  AND (fence IS NULL OR fence < CAST(:fence AS bigint))
"""

# Records how a sync ended.
FINISH_RUN: Final = """
UPDATE sync_run
SET status = :status, finished_at = :now, seen = :seen, saved = :saved, unchanged = :unchanged,
    failed = :failed, error = :error, last_change = (SELECT newest FROM change_counter)
WHERE run_key = :id
"""

# Locks the source of a run while the run joins a series.
LOCK_SOURCE_OF_RUN: Final = """
SELECT s.source_key FROM sync_run r JOIN source s ON s.source_key = r.source_key
WHERE r.run_key = :id @lock(s)
"""

# Reads the newest series of runs with the same source, status and selection.
SELECT_NEWEST_SERIES: Final = """
SELECT o.run_key, o.series
FROM sync_run r JOIN sync_run o ON o.source_key = r.source_key AND o.status = r.status
WHERE r.run_key = :id AND o.selection = r.selection AND o.series IS NOT NULL
ORDER BY o.run_key DESC LIMIT 1
"""

# Puts a run into a series.
SET_SERIES: Final = "UPDATE sync_run SET series = :series WHERE run_key = :id"

# Compares the problems of a run with those that its series has open: the rows are problems that ended (n is
# NULL) and new ones. It groups, because the time of grouping does not depend on the planner's statistics; a
# join might compare every problem with every other.
SELECT_CHANGED_PROBLEMS: Final = """
SELECT max(listed.from_run) AS from_run, max(listed.position) AS position, max(listed.n) AS n
FROM (
    SELECT p.kind, p.subject, p.reason, p.from_run, p.position, NULL AS n,
        row_number() OVER (
            PARTITION BY p.kind, p.subject, p.reason ORDER BY p.position, p.from_run
        ) AS occurrence
    FROM run_problem p WHERE p.series = :series AND p.until_run IS NULL
    UNION ALL
    SELECT r.kind, r.subject, r.reason, NULL AS from_run, NULL AS position, r.n,
        row_number() OVER (PARTITION BY r.kind, r.subject, r.reason ORDER BY r.n) AS occurrence
    FROM @rows(:problems, kind text, subject text, reason text) r
) listed
GROUP BY listed.kind, listed.subject, listed.reason, listed.occurrence
HAVING max(listed.n) IS NULL OR max(listed.from_run) IS NULL
"""

# Ends problems of a series that a run no longer has.
END_PROBLEMS: Final = """
UPDATE run_problem SET until_run = :run_id
WHERE series = :series
  AND (from_run, position) IN (SELECT r.from_run, r.position
                               FROM @rows(:ended, from_run integer, position integer) r)
"""

# Records new problems of a series.
INSERT_PROBLEMS: Final = """
INSERT INTO run_problem (series, from_run, position, kind, subject, reason)
SELECT :series, :run_id, r.position, r.kind, r.subject, r.reason
FROM @rows(:problems, position integer, kind text, subject text, reason text) r
"""

# Records what a run saw of each library.
INSERT_LIBRARIES: Final = """
INSERT INTO sync_run_library (run_key, library_key, counted, seen, unseen, previews, complete, reason)
SELECT :id, l.library_key, r.counted, r.seen, r.unseen, r.previews, r.complete, r.reason
FROM @rows(:libraries, library_id text, counted integer, seen integer, unseen integer, previews integer,
    complete integer, reason text) r
JOIN library l ON l.id = r.library_id
"""
_LIBRARY_RUN: Final = {
    "run_id": "x.run_key",
    "library_id": "l.id",
    "counted": "x.counted",
    "seen": "x.seen",
    "unseen": "x.unseen",
    "previews": "x.previews",
    "complete": "x.complete",
    "reason": "x.reason",
}

# Reads what the newest runs saw of each library.
SELECT_LIBRARIES: Final = f"""
SELECT {select_list(_LIBRARY_RUN)}
FROM library l
JOIN source s ON s.source_key = l.source_key
JOIN sync_run_library x ON x.library_key = l.library_key
WHERE (:source_id IS NULL OR s.id = :source_id) AND x.run_key IN (
    SELECT y.run_key FROM sync_run_library y
    WHERE y.library_key = l.library_key ORDER BY y.run_key DESC LIMIT :limit
)
ORDER BY l.id, x.run_key DESC
"""

_STATUS: Final = """CASE WHEN r.status <> 'running' OR EXISTS (
    SELECT 1 FROM lease h WHERE h.source_id = s.id AND h.fence = r.fence AND h.expires_at > @clock
) THEN r.status ELSE 'interrupted' END"""
_RUN: Final = {
    "id": "r.run_key",
    "source_id": "s.id",
    "status": _STATUS,
    "started_at": "r.started_at",
    "finished_at": "r.finished_at",
    "seen": "r.seen",
    "saved": "r.saved",
    "unchanged": "r.unchanged",
    "failed": "r.failed",
    "error": "r.error",
    "partial": "r.selection <> ''",
}

# Reads the newest runs, of one source, status or selection or of all.
SELECT_RUNS: Final = f"""
SELECT {select_list(_RUN)}
FROM sync_run r JOIN source s ON s.source_key = r.source_key
WHERE (:source_id IS NULL OR s.id = :source_id) AND (:status IS NULL OR :status = {_STATUS})
  AND (:selection IS NULL OR r.selection = :selection)
  AND (CAST(:before AS bigint) IS NULL OR r.run_key < CAST(:before AS bigint))
ORDER BY r.run_key DESC LIMIT :limit
"""

# Reads one run.
SELECT_RUN: Final = f"""
SELECT {select_list(_RUN)}
FROM sync_run r JOIN source s ON s.source_key = r.source_key
WHERE r.run_key = :id
"""

# Finds when the first of a source's newest runs that broke off one after the other began. Runs that were
# asked for some libraries or items only do not count.
SELECT_BROKEN_OFF: Final = """
SELECT min(r.started_at) AS started_at FROM sync_run r JOIN source s ON s.source_key = r.source_key
WHERE s.id = :source_id AND r.selection = '' AND r.run_key <> :run_id AND r.run_key > coalesce((
    SELECT max(e.run_key) FROM sync_run e
    WHERE e.source_key = s.source_key AND e.selection = '' AND e.status IN ('succeeded', 'needs confirmation')
), 0)
"""

# Finds old runs of single items that need not be kept: they are older than the change log, or saved nothing.
SELECT_OLD_RUNS_OF_ITEMS: Final = """
SELECT r.run_key, r.series FROM sync_run r JOIN source s ON s.source_key = r.source_key
WHERE s.id = :source_id AND r.started_at < :before AND r.run_key < :run_id AND r.selection <> ''
  AND r.status <> 'running' AND (r.saved = 0 OR r.started_at < :before_all)
  AND NOT EXISTS (SELECT 1 FROM sync_run_library x WHERE x.run_key = r.run_key)
ORDER BY r.run_key LIMIT :limit
"""

# Deletes these runs.
DELETE_OLD_RUNS: Final = """
DELETE FROM sync_run WHERE run_key IN (SELECT r.run_key FROM @rows(:runs, run_key integer) r)
"""

# Deletes the problems of series of a source that have no runs any more.
DELETE_PROBLEMS_WITHOUT_RUNS: Final = """
DELETE FROM run_problem
WHERE series IN (SELECT r.series FROM @rows(:series, series integer) r)
  AND series NOT IN (SELECT o.series FROM source s JOIN sync_run o ON o.source_key = s.source_key
                     WHERE s.id = :source_id AND o.series IS NOT NULL)
"""

# Reads the problems of a run, failures first.
SELECT_PROBLEMS: Final = """
SELECT p.kind, p.subject, p.reason
FROM sync_run r JOIN run_problem p ON p.series = r.series
WHERE r.run_key = :id AND p.from_run <= r.run_key AND (p.until_run IS NULL OR p.until_run > r.run_key)
ORDER BY p.kind, p.position, p.from_run
"""


class RunRepository:
    """The record of every sync.

    Args:
        session: an open transaction, or a snapshot for the methods that only read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def start(self, source_id: str, fence: int | None, selection: str = "") -> int:
        """Record that a sync of a stored source starts, and return the run's id.

        Runs of the source under older leases that are recorded as running are marked as interrupted.

        Args:
            source_id: a stored source.
            fence: the number of the run's lease; None for a run that ends in this transaction.
            selection: a digest of what the run is asked for; empty if that is the whole source.
        """
        # The lock lets one run start at a time, so that the newest run is this one.
        await self._session.fetch_all(LOCK_SOURCE, {"source_id": source_id})
        of_run = {"source_id": source_id, "now": self._session.now, "fence": fence}
        if fence is not None:
            await self._session.execute(INTERRUPT_RUNS, of_run)
        await self._session.execute(INSERT_RUN, {**of_run, "selection": selection})
        [(run_id,)] = await self._session.fetch_all(SELECT_NEWEST_RUN, {"source_id": source_id})
        return int(run_id)

    async def finish(
        self,
        run_id: int,
        status: RunStatus,
        *,
        seen: int,
        saved: int,
        unchanged: int,
        failed: int,
        error: str | None,
    ) -> None:
        """Record how a sync ended."""
        await self._session.execute(
            FINISH_RUN,
            {
                "id": run_id,
                "status": str(status),
                "now": self._session.now,
                "seen": seen,
                "saved": saved,
                "unchanged": unchanged,
                "failed": failed,
                "error": error,
            },
        )

    async def add_problems(self, run_id: int, problems: Sequence[tuple[str, str, str]]) -> None:
        """Record what a finished run could not read or store.

        Only differences from the previous run of its series are written.

        Args:
            run_id: a stored run.
            problems: (kind, subject, reason) of each.
        """
        # The lock lets one run join a series at a time.
        await self._session.fetch_all(LOCK_SOURCE_OF_RUN, {"id": run_id})
        newest = await self._session.fetch_all(SELECT_NEWEST_SERIES, {"id": run_id})
        # A run that ends after a newer one cannot be put before it. It starts a series of its own.
        series = next((series for run, series in newest if run < run_id), run_id)
        of_run = {"run_id": run_id, "series": series}
        await self._session.execute(SET_SERIES, {"id": run_id, "series": series})
        changed = await self._session.fetch_all(
            SELECT_CHANGED_PROBLEMS, {"series": series, "problems": list(problems)}
        )
        ended = [(from_run, position) for from_run, position, n in changed if n is None]
        added = [(n, *problems[n]) for _, _, n in changed if n is not None]
        if ended:
            await self._session.execute(END_PROBLEMS, {**of_run, "ended": ended})
        if added:
            await self._session.execute(INSERT_PROBLEMS, {**of_run, "problems": added})

    async def add_libraries(self, run_id: int, libraries: Sequence[LibraryRun]) -> None:
        """Record what a run saw of each library."""
        rows = [
            (
                library.library_id,
                library.counted,
                library.seen,
                library.unseen,
                library.previews,
                int(library.complete),
                library.reason,
            )
            for library in libraries
        ]
        await self._session.execute(INSERT_LIBRARIES, {"id": run_id, "libraries": rows})

    async def list_libraries(self, source_id: str | None, limit: int) -> list[LibraryRun]:
        """Return what the newest *limit* runs saw of each library, of one source or of all."""
        rows = await self._session.fetch_all(SELECT_LIBRARIES, {"source_id": source_id, "limit": limit})
        named = (dict(zip(_LIBRARY_RUN, row, strict=True)) for row in rows)
        read = (read_model(LibraryRun, f"run {values['run_id']}", values) for values in named)
        return [run for run in read if run is not None]

    async def get(self, run_id: int) -> SyncRun:
        """Return a run that is known to be stored.

        Raises:
            DataError: if its row cannot be read.
        """
        [row] = await self._session.fetch_all(SELECT_RUN, {"id": run_id, "now": self._session.now})
        if (run := _run(row)) is None:
            raise DataError(f"run {run_id} cannot be read as it is stored")
        return run

    async def find(self, run_id: int) -> SyncRun | None:
        """Return one run, or None."""
        rows = await self._session.fetch_all(SELECT_RUN, {"id": run_id, "now": self._session.now})
        return _run(rows[0]) if rows else None

    async def list_runs(
        self,
        source_id: str | None,
        limit: int,
        status: RunStatus | None = None,
        *,
        whole: bool = False,
        before: int | None = None,
    ) -> list[SyncRun]:
        """Return the newest runs.

        Args:
            source_id: only runs of this source; None for all.
            limit: at most so many.
            status: only runs with this status; None for any.
            whole: leave out runs that were asked for some libraries or items only.
            before: only runs that began before this one; None for any.
        """
        params = {
            "source_id": source_id,
            "limit": limit,
            "now": self._session.now,
            "status": status and str(status),
            "selection": "" if whole else None,
            "before": before,
        }
        rows = await self._session.fetch_all(SELECT_RUNS, params)
        return [run for row in rows if (run := _run(row)) is not None]

    async def find_broken_off(self, source_id: str, run_id: int) -> int | None:
        """Return when the first of the whole runs that broke off since the last one that ended well began.

        Args:
            source_id: the source.
            run_id: the run that is going on, which is left out.

        Returns:
            Milliseconds since 1970, UTC; None if none broke off.
        """
        rows = await self._session.fetch_all(SELECT_BROKEN_OFF, {"source_id": source_id, "run_id": run_id})
        return None if rows[0][0] is None else int(rows[0][0])

    async def prune_runs_of_items(self, source_id: str, run_id: int, keep_ms: int, keep_all_ms: int) -> int:
        """Delete old runs of single items, such as events cause, at most one step of them.

        Args:
            source_id: the source.
            run_id: the run that is going on; only older ones are deleted.
            keep_ms: for how long runs are kept that saved nothing, in milliseconds.
            keep_all_ms: for how long the others are kept, in milliseconds.

        Returns:
            How many were deleted.
        """
        now = self._session.now
        old = await self._session.fetch_all(
            SELECT_OLD_RUNS_OF_ITEMS,
            {
                "source_id": source_id,
                "run_id": run_id,
                "before": now - min(keep_ms, keep_all_ms),
                "before_all": now - keep_all_ms,
                "limit": _RUNS_PER_STEP,
            },
        )
        if old:
            await self._session.execute(DELETE_OLD_RUNS, {"runs": [(run,) for run, _ in old]})
        if series := sorted({series for _, series in old if series is not None}):
            await self._session.execute(
                DELETE_PROBLEMS_WITHOUT_RUNS,
                {"source_id": source_id, "series": [(one,) for one in series]},
            )
        return len(old)

    async def list_problems(self, run_id: int) -> list[tuple[str, str, str]]:
        """Return the problems of a run as (kind, subject, reason), failures first."""
        rows = await self._session.fetch_all(SELECT_PROBLEMS, {"id": run_id})
        return [(kind, subject, reason) for kind, subject, reason in rows]


def _run(row: Sequence[Any]) -> SyncRun | None:
    values = dict(zip(_RUN, row, strict=True))
    values["partial"] = bool(values["partial"])
    for name in ("started_at", "finished_at"):
        values[name] = to_datetime(values[name])
    return read_model(SyncRun, f"run {values['id']}", values)
