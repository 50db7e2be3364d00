"""Copying a whole mirror from one database into another, page by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from mediasync.copying.plan import CopiedTable, Row, copied_tables
from mediasync.copying.repository import CopyRepository
from mediasync.copying.verification import Tell, compare, next_after
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import ConfigurationError
from mediasync.reports import CopyReport
from mediasync.repositories.changes import ChangeRepository


class CopyService:
    """Copies one mirror.

    Each page is one transaction: its rows, with all that belongs to them, are in the target or they are not.
    Rows that the target already has are compared with the origin's and not written again. So a copy that was
    interrupted at any moment is completed by running it again.

    Args:
        origin: the open database that is read, in one snapshot.
        target: the open database that is written. Nothing else may write to it meanwhile.
        tell: called with the progress: a view or ``comparing``, the rows done, and the rows in all.
    """

    def __init__(self, origin: Database, target: Database, tell: Tell) -> None:
        self._origin = origin
        self._target = target
        self._tell = tell
        self._copied: Counter[str] = Counter()
        self._unchanged: Counter[str] = Counter()

    async def run(self) -> CopyReport:
        """Copy everything that the target lacks, then compare every row of every public view.

        Raises:
            ConfigurationError: if the target has rows that the origin lacks, or newer ones; nothing changes.
            DatabaseError: if a database fails, or the copy differs from the origin; the message says where.
        """
        async with self._origin.read(snapshot=True) as session:
            origin = CopyRepository(session)
            extent = await ChangeRepository(session).find_extent()
            # What the origin has pruned may still be in a target that was copied before.
            tables = [
                replace(table, start=(extent.pruned,)) if table.table == "change" else table
                for table in copied_tables()
            ]
            await self._check_target(origin, tables)
            for table in tables:
                await self._copy_table(origin, table)
            await self._target.write(lambda copied: CopyRepository(copied).set_extent(extent))
            async with self._target.read(snapshot=True) as copied:
                rows = await compare(session, copied, self._tell)
        return CopyReport(dict(self._copied), dict(self._unchanged), rows)

    async def _check_target(self, origin: CopyRepository, tables: Sequence[CopiedTable]) -> None:
        """Refuse a target that is neither empty nor a copy of the origin, before anything is written."""
        async with self._target.read(snapshot=True) as session:
            target = CopyRepository(session)
            for table in tables:
                after = table.start
                while page := await target.read_page(table, after):
                    found = await origin.find(table, page)
                    for row in page:
                        if reason := _why_not(table, found.get(table.key_of(row)), row):
                            raise ConfigurationError(
                                f"{_refusal(table, row, reason)}. Nothing was changed: give an empty "
                                "database, or the one in which a copy of this origin was begun"
                            )
                    after = next_after(table.description.view, table.key_of(page[-1]), after)

    async def _copy_table(self, origin: CopyRepository, table: CopiedTable) -> None:
        """Copy all rows of a table; those that refer to other rows of it after those."""
        view = table.description.view
        total = await origin.count(table.table)
        self._copied[view] = self._unchanged[view] = 0
        self._tell(view, 0, total)
        for level in count():
            after = table.start
            while page := await origin.read_page(table, after, level):
                written = await self._copy_page(origin, table, page)
                self._copied[view] += written
                self._unchanged[view] += len(page) - written
                after = next_after(view, table.key_of(page[-1]), after)
                self._tell(view, self._copied[view] + self._unchanged[view], total)
            if table.parent is None or after == table.start:
                return

    async def _copy_page(self, origin: CopyRepository, table: CopiedTable, page: Sequence[Row]) -> int:
        """Write the rows of a page that the target lacks, in one transaction, and return their number."""

        async def work(session: Session) -> int:
            target = CopyRepository(session)
            found = await target.find(table, page)
            rows = [row for row in page if found.get(table.key_of(row)) != row]
            if not rows:
                return 0
            replaced = [found[key] for row in rows if (key := table.key_of(row)) in found]
            ours = {table.key_of(row): row for row in rows}
            for row in replaced:
                # The target was checked before, but another program may have written to it since.
                if reason := _why_not(table, ours[table.key_of(row)], row):
                    raise ConfigurationError(_refusal(table, row, reason))
            parts = await origin.read_parts(table, rows)
            await target.write(table, rows, parts, replaced=replaced)
            for numbered in table.numbered:
                if statement := self._target.dialect.continue_numbers(*numbered):
                    await session.fetch_all(statement)
            return len(rows)

        return await self._target.write(work)


def _why_not(table: CopiedTable, origin: Row | None, target: Row) -> str | None:
    """Return why no copy of the origin may contain a row of the target, or None if it may."""
    if origin is None:
        return "which the origin does not have"
    if origin == target:
        return None
    if table.created(origin) != table.created(target):
        return "which is not the origin's: it was made at another time"
    ours, theirs = table.changed(origin), table.changed(target)
    if theirs is not None and (ours is None or ours < theirs):
        return "which is newer than the origin's"
    return None


def _refusal(table: CopiedTable, row: Row, reason: str) -> str:
    key = ", ".join(map(repr, table.key_of(row)))
    return f"the target holds the {table.description.noun} {key}, {reason}"
