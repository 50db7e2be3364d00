"""Reading the records of syncs."""

from __future__ import annotations

from mediasync.database.database import Database
from mediasync.models import LibraryRun, SyncRun
from mediasync.repositories.runs import RunRepository
from mediasync.vocabulary import RunStatus


class RunReads:
    """Reads runs, their problems, and what they saw of each library.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_runs(
        self,
        source_id: str | None = None,
        *,
        limit: int = 20,
        status: RunStatus | None = None,
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

        Example:
            >>> [run.status for run in await ms.list_runs("home", limit=1)]  # doctest: +SKIP
            [<RunStatus.SUCCEEDED: 'succeeded'>]
        """
        async with self._database.read() as session:
            return await RunRepository(session).list_runs(
                source_id, limit, status, whole=whole, before=before
            )

    async def find_run(self, run_id: int) -> SyncRun | None:
        """Return one run, or None."""
        async with self._database.read() as session:
            return await RunRepository(session).find(run_id)

    async def list_problems(self, run_id: int) -> list[tuple[str, str, str]]:
        """Return what a run could not read or store, as (kind, subject, reason), failures first.

        The kinds are ``failure`` (the item is not saved), ``problem`` (a part of it is not) and ``remark``.
        """
        async with self._database.read() as session:
            return await RunRepository(session).list_problems(run_id)

    async def list_library_runs(self, source_id: str | None = None, *, limit: int = 1) -> list[LibraryRun]:
        """Return what the newest *limit* runs saw of each library, of one source or of all.

        They are ordered by library, the newest run first. Runs of single items are not among them.
        """
        async with self._database.read() as session:
            return await RunRepository(session).list_libraries(source_id, limit)
