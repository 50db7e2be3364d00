"""The parts of an answer for people: headings, texts, columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mediasync.display import LONGEST_CELL, safe


def heading(text: str) -> Text:
    """Return a heading."""
    return Text(safe(text), style="bold")


def plain(text: str) -> Text:
    """Return a text that is safe to print. Nothing in it is taken for markup."""
    return Text(safe(text))


def faint(text: str) -> Text:
    """Return a less important text."""
    return Text(safe(text), style="dim")


def columns(
    rows: Iterable[Sequence[object]], *, indent: int = 0, right: Sequence[int] = ()
) -> RenderableType:
    """Return rows in columns. Columns at the end whose cells are all empty are left out.

    Args:
        rows: all with the same number of cells. A cell is a `Text`, or a text that is made safe and cut if it
            is very long.
        indent: the number of spaces before each row.
        right: the numbers of the columns that are aligned to the right.
    """
    cells = [
        [cell if isinstance(cell, Text) else Text(safe(cell, LONGEST_CELL)) for cell in row] for row in rows
    ]
    # Rich folds the column before one that has no width.
    filled = [number for number, column in enumerate(zip(*cells, strict=True)) if any(column)]
    table = Table.grid(padding=(0, 2))
    for number in range(max(filled, default=-1) + 1):
        table.add_column(overflow="fold", justify="right" if number in right else "left")
    for row in cells:
        table.add_row(*row[: len(table.columns)])
    return Padding(table, (0, 0, 0, indent), expand=False)


def indented(text: RenderableType, indent: int = 2) -> RenderableType:
    """Return something indented."""
    return Padding(text, (0, 0, 0, indent), expand=False)


def shortened(title: str, entries: Sequence[tuple[str, str]], limit: int, where: str) -> list[RenderableType]:
    """Return a title with the number of entries, and the first entries. Without entries, return nothing.

    Args:
        title: what the entries are, ending in a colon.
        entries: all entries, each with a text or each without one.
        limit: how many are shown.
        where: the command or option that shows the others.
    """
    if not entries:
        return []
    rows = [entry if entry[1] else entry[:1] for entry in entries[:limit]]
    parts = [indented(plain(f"{len(entries):,} {title}")), columns(rows, indent=4)]
    if (left := len(entries) - limit) > 0:
        parts.append(indented(faint(f"and {left:,} more: {where}"), 4))
    return parts
