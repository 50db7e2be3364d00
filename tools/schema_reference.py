"""``python dev.py reference``: make the part of ``docs/reference/database.md`` that describes the views.

The comments above the views in ``schema.sql`` are the source. Each has the text of the section, and below an
empty line one line for each column: its name, its type, and what it is. A text that ends with
``e.g. `VALUE` `` has its own example; the examples of all other columns are taken from ``examples/library``.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from mediasync import MediaSync
from mediasync.database.schema import schema_text, view_names
from mediasync.database.views import ViewComment, described_views
from mediasync.testing import FakeClock
from tools.made_page import replace_made_part

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "reference" / "database.md"

BEGIN: Final = "<!-- begin: made from schema.sql by `python dev.py reference` -->"
END: Final = "<!-- end: made from schema.sql -->"
LONGEST_EXAMPLE: Final = 48
"""In characters; of a longer value the page shows the beginning."""


async def _sync_examples(database: Path) -> None:
    async with MediaSync(f"sqlite:///{database}", clock=FakeClock()) as ms:
        await ms.sync(f"nfo:{ROOT / 'examples' / 'library'}")


def example_values(database: Path, view: str) -> dict[str, Any]:
    """Return a value of each column of a view, as far as it has any, from as few of its rows as possible."""
    with closing(sqlite3.connect(database)) as connection:
        cursor = connection.execute(f"SELECT * FROM {view}")
        names = [column[0] for column in cursor.description]
        rows = sorted(cursor, key=lambda row: (row.count(None), repr(row)))
    found: dict[str, Any] = {}
    for row in rows:
        for name, value in zip(names, row, strict=True):
            if value is not None:
                found.setdefault(name, value)
    return found


def lines_of(view: ViewComment, values: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the section of one view.

    Args:
        view: the view.
        values: by view and column an example.

    Raises:
        ValueError: if a column has no example.
    """
    yield from (f"### {view.name}", "")
    for paragraph in view.text:
        yield from (paragraph, "")
    yield from ("| column | type | is | example |", "|---|---|---|---|")
    for column in view.columns:
        value = column.example
        if value is None:
            value = values[column.shown_in].get(column.name)
        if value is None:
            raise ValueError(
                f"examples/library has no value of {view.name}.{column.name}: let the comment in schema.sql "
                "end with an example, ; e.g. `VALUE`"
            )
        cells = (f"`{column.name}`", column.kind, column.meaning, f"`{_short(str(value))}`")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _short(value: str) -> str:
    return value if len(value) <= LONGEST_EXAMPLE else f"{value[: LONGEST_EXAMPLE - 1].rstrip()}…"


def examples() -> dict[str, dict[str, Any]]:
    """Return by view and column a value from ``examples/library``, as far as it has any."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "media.db"
        asyncio.run(_sync_examples(database))
        return {name: example_values(database, name) for name in view_names()}


def made_part() -> str:
    """Return the part of the page that is made."""
    views, values = described_views(schema_text()), examples()
    lines = [line for view in views for line in lines_of(view, values)]
    return "\n".join(lines)


def page_with(made: str, page: str) -> str:
    """Return the page with its made part replaced."""
    return replace_made_part(made, page, begin=BEGIN, end=END)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page_with(made_part(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
