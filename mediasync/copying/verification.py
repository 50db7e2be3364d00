"""The comparison of a copy with its origin, through the public views.

It shares nothing with the way in which rows are copied, so that a mistake there is found here. The views to
compare and their columns are read from ``schema.sql``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mediasync.copying.plan import Row
from mediasync.copying.repository import CopyRepository
from mediasync.copying.rules import HIDDEN, NOT_COMPARED, OWNERS_IN_VIEWS, OWNERS_OF_VIEWS
from mediasync.database.session import Session
from mediasync.database.tables import view_columns
from mediasync.errors import DatabaseCorrupt, DatabaseError

COMPARED_ROWS: Final = 500
"""How many rows of a view are compared at a time, with the rows that belong to them."""

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A public view that is compared row by row.

    Attributes:
        view: its name.
        page: the query for its rows after the one that ``:after`` identifies, in order.
        start: a value before those that identify rows.
        below: what is compared with each page: names, and queries for the rows that belong to its rows, which
            come after ``:after``, and up to ``:last``.
    """

    view: str
    page: str
    start: Row
    below: tuple[tuple[str, str], ...]


def comparisons() -> list[Comparison]:
    """Return how each public view is compared, and with it what no view shows.

    The first column of a view identifies its row, or names the row of another view that it belongs to.

    Raises:
        ValueError: if a view has another first column and is not declared in `mediasync.copying.rules`.
    """
    columns = {view: found for view, found in view_columns().items() if view not in NOT_COMPARED}
    first = {view: next(iter(found)) for view, found in columns.items()}
    walked = [view for view, column in first.items() if column in {"id", "number"}]
    hidden, of_view, query = HIDDEN
    below: dict[str, list[tuple[str, str]]] = {view: [] for view in walked}
    below[of_view].append((hidden, query))
    for view, column in first.items():
        if view in below:
            continue
        owner = OWNERS_OF_VIEWS.get(view) or OWNERS_IN_VIEWS.get(column)
        if owner is None:
            raise ValueError(
                f"nothing says how to compare the view {view}: let its first column be id, number or one of "
                f"{', '.join(OWNERS_IN_VIEWS)}, or name it in NOT_COMPARED of mediasync/copying/rules.py"
            )
        # By the range of a page, not by its keys: then SQLite uses indexes also below a union.
        below[owner].append(
            (view, f"SELECT v.* FROM {view} v WHERE v.{column} > :after AND v.{column} <= :last")
        )
    return [
        Comparison(
            view,
            f"SELECT v.* FROM {view} v WHERE v.{key} > :after ORDER BY v.{key} LIMIT :limit",
            ("",) if columns[view][key] == "text" else (-1,),
            tuple(below[view]),
        )
        for view in walked
        for key in (first[view],)
    ]


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
    compared = comparisons()
    views = [view for view in view_columns() if view not in NOT_COMPARED]
    counts = {view: await ours.count(view) for view in views}
    copied = {view: await theirs.count(view) for view in views}
    total, done = sum(counts.values()), 0
    for comparison in compared:
        after = comparison.start
        tell("comparing", done, total)
        while True:
            params = {"after": after[0], "limit": COMPARED_ROWS}
            page = list(map(_readable, await ours.fetch(comparison.page, params)))
            copy = list(map(_readable, await theirs.fetch(comparison.page, params)))
            _check_same(comparison.view, page, copy)
            if not page:
                break
            done += len(page)
            for name, query in comparison.below:
                extent = {"after": after[0], "last": page[-1][0]}
                rows = list(map(_readable, await ours.fetch(query, extent)))
                _check_same(name, rows, list(map(_readable, await theirs.fetch(query, extent))))
                done += len(rows) if name in counts else 0
            after = next_after(comparison.view, page[-1][:1], after)
            tell("comparing", done, total)
    _check_counts(counts, copied)
    return counts


def next_after(view: str, last: Row, after: Row) -> Row:
    """Return the key of a page's last row, after which the next page begins.

    Raises:
        DatabaseCorrupt: if it is the last key of the page before, since other values sort after all texts.
    """
    if last == after:
        raise DatabaseCorrupt(
            f"the view {view} has a row whose key {', '.join(map(repr, last))} is not stored as a text: "
            "correct or delete that row first"
        )
    return last


def _check_same(view: str, origin: Sequence[Row], target: Sequence[Row]) -> None:
    """Check that both have the same rows. The engines may return those of one owner in another order."""
    if origin == target:
        return
    ours, theirs = Counter(origin), Counter(target)
    if ours == theirs:
        return
    lacking, too_many = {row[0] for row in ours - theirs}, {row[0] for row in theirs - ours}
    first = min(lacking | too_many)
    how = "differs at"
    if first not in too_many:
        how = "lacks rows of"
    elif first not in lacking:
        how = "has rows too many of"
    raise DatabaseError(
        f"the copy is not the same as its origin: {view} {how} {first!r}. Nothing but the copy may write to "
        "the target; copy again, into an empty database if that does not help"
    )


def _check_counts(origin: Mapping[str, int], target: Mapping[str, int]) -> None:
    for view, number in origin.items():
        if target[view] != number:
            raise DatabaseError(
                f"the copy is not the same as its origin: {view} has {target[view]:,} rows and not {number:,}"
            )


def _readable(row: Row) -> Row:
    """Return a row with times as SQLite's views show them."""
    return tuple(map(_plain, row))


def _plain(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    rounded = value.astimezone(UTC) + timedelta(microseconds=500)
    return f"{rounded.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
