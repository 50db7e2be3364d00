"""Copying a whole mirror from one database into another, page by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any, Final

from mediasync.copying.statements import COMPARISONS, KINDS, Comparison, CopyRepository, Kind, Row
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import ConfigurationError, DatabaseCorrupt, DatabaseError
from mediasync.reports import CopyReport
from mediasync.repositories.changes import ChangeRepository

COMPARED_ROWS: Final = 500
"""How many rows of a view are compared at a time, with the rows that belong to them."""

Tell = Callable[[str, int, int], None]


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
        self._continue_runs = target.dialect.continue_numbers("sync_run", "run_key")

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
            kinds = [replace(kind, start=extent.pruned) if kind.view == "changes" else kind for kind in KINDS]
            await self._check_target(origin, kinds)
            total = await origin.count(list(dict.fromkeys(kind.view for kind in KINDS)))
            copied, unchanged = Counter(dict.fromkeys(total, 0)), Counter(dict.fromkeys(total, 0))
            for kind in kinds:
                view, after = kind.view, kind.start
                self._tell(view, copied[view] + unchanged[view], total[view])
                while page := await origin.read_page(kind, after):
                    written = await self._copy_page(origin, kind, page)
                    copied[view] += written
                    unchanged[view] += len(page) - written
                    after = _last_of(view, page, after)
                    self._tell(view, copied[view] + unchanged[view], total[view])
            await self._target.write(lambda copied: CopyRepository(copied).set_extent(extent))
            rows = await self._compare(session)
        return CopyReport(dict(copied), dict(unchanged), rows)

    async def _check_target(self, origin: CopyRepository, kinds: Sequence[Kind]) -> None:
        """Refuse a target that is neither empty nor a copy of the origin, before anything is written."""
        async with self._target.read(snapshot=True) as session:
            target = CopyRepository(session)
            for kind in kinds:
                after = kind.start
                while page := await target.read_page(kind, after):
                    found = await origin.find(kind, page)
                    for row in page:
                        if reason := _why_not(found.get(row[0]), row):
                            raise ConfigurationError(
                                f"{_refusal(kind, row, reason)}. Nothing was changed: give an empty "
                                "database, or the one in which a copy of this origin was begun"
                            )
                    after = _last_of(kind.view, page, after)

    async def _copy_page(self, origin: CopyRepository, kind: Kind, page: Sequence[Row]) -> int:
        """Write the rows of a page that the target lacks, in one transaction, and return their number."""

        async def work(session: Session) -> int:
            target = CopyRepository(session)
            found = await target.find(kind, page)
            rows = [row for row in page if found.get(row[0]) != row]
            if not rows:
                return 0
            for row in rows:
                # The target was checked before, but another program may have written to it since.
                if row[0] in found and (reason := _why_not(row, found[row[0]])):
                    raise ConfigurationError(_refusal(kind, row, reason))
            parts = await origin.read_parts(kind, rows)
            await target.write(kind, rows, parts, replaced=[found[row[0]] for row in rows if row[0] in found])
            if kind.view == "sync_runs":
                await target.continue_numbers(self._continue_runs)
            return len(rows)

        return await self._target.write(work)

    async def _compare(self, origin: Session) -> dict[str, int]:
        async with self._target.read(snapshot=True) as target:
            return await compare(origin, target, self._tell)


def _why_not(origin: Row | None, target: Row) -> str | None:
    """Return why no copy of the origin may contain a row of the target, or None if it may."""
    if origin is None:
        return "which the origin does not have"
    if origin[1] != target[1]:
        return "which is not the origin's: it was made at another time"
    if origin[2] < target[2]:
        return "which is newer than the origin's"
    return None


def _refusal(kind: Kind, row: Row, reason: str) -> str:
    return f"the target holds the {kind.noun} {row[0]!r}, {reason}"


async def compare(origin: Session, target: Session, tell: Tell) -> dict[str, int]:
    """Compare every row of every public view, and the fingerprints of the items.

    Args:
        origin: a snapshot of the origin.
        target: a snapshot of the copy.
        tell: called with ``comparing``, the rows done, and the rows in all.

    Returns:
        The number of rows of each view, which is the same in both.

    Raises:
        DatabaseError: if they differ; the message names the view and the first id.
    """
    ours, theirs = CopyRepository(origin), CopyRepository(target)
    views = [view for comparison in COMPARISONS for view in (comparison.view, *_views_below(comparison))]
    counts, copied = await ours.count(views), await theirs.count(views)
    total, done = sum(counts.values()), 0
    for comparison in COMPARISONS:
        after = comparison.start
        tell("comparing", done, total)
        while True:
            page = await ours.compare_page(comparison, after, COMPARED_ROWS)
            _check_same(comparison.view, page, await theirs.compare_page(comparison, after, COMPARED_ROWS))
            if not page:
                break
            done += len(page)
            for name, query in comparison.below:
                rows = await ours.compare_below(query, page)
                _check_same(name, rows, await theirs.compare_below(query, page))
                done += len(rows) if name in counts else 0
            after = _last_of(comparison.view, page, after)
            tell("comparing", done, total)
    _check_counts(counts, copied)
    return counts


def _last_of(view: str, page: Sequence[Row], after: Any) -> Any:
    """Return the key of a page's last row, after which the next page begins.

    Raises:
        DatabaseCorrupt: if it is the last key of the page before, since other values sort after all texts.
    """
    last = page[-1][0]
    if last == after:
        raise DatabaseCorrupt(
            f"the view {view} has a row whose key {last!r} is not stored as a text: "
            "correct or delete that row first"
        )
    return last


def _views_below(comparison: Comparison) -> list[str]:
    return [name for name, _ in comparison.below if name != "fingerprints"]


def _check_same(view: str, origin: Sequence[Row], target: Sequence[Row]) -> None:
    if origin == target:
        return
    row_id, how = next(
        _difference(ours, theirs) for ours, theirs in zip_longest(origin, target) if ours != theirs
    )
    raise DatabaseError(
        f"the copy is not the same as its origin: {view} {how} {row_id!r}. Nothing but the copy may write to "
        "the target; copy again, into an empty database if that does not help"
    )


def _difference(ours: Row | None, theirs: Row | None) -> tuple[Any, str]:
    """Return the id of the first of two rows that differ, and how they differ."""
    if theirs is None or (ours is not None and ours[0] < theirs[0]):
        assert ours is not None
        return ours[0], "lacks rows of"
    if ours is None or theirs[0] < ours[0]:
        return theirs[0], "has rows too many of"
    return ours[0], "differs at"


def _check_counts(origin: Mapping[str, int], target: Mapping[str, int]) -> None:
    for view, number in origin.items():
        if target[view] != number:
            raise DatabaseError(
                f"the copy is not the same as its origin: {view} has {target[view]:,} rows and not {number:,}"
            )
