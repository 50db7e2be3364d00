"""``python dev.py reference``: make the part of ``docs/reference/database.md`` that describes the views.

The comments above the views in ``schema.sql`` are the source. Each has the text of the section, and below an
empty line one line for each column: its name, its type, and what it is. A text that ends with
``e.g. `VALUE` `` has its own example; the examples of all other columns are taken from ``examples/library``.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mediasync import MediaSync
from mediasync.database.schema import schema_text, view_names
from mediasync.testing import FakeClock

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "reference" / "database.md"
BEGIN: Final = "<!-- begin: made from schema.sql by `python dev.py reference` -->"
END: Final = "<!-- end: made from schema.sql -->"
TYPES: Final = {"text", "integer", "real", "time"}
LONGEST_EXAMPLE: Final = 48
"""In characters; of a longer value the page shows the beginning."""

_VIEW: Final = re.compile(r"((?:^--.*\n)+)CREATE VIEW (\w+) AS$", re.MULTILINE)
_COLUMN: Final = re.compile(r"--   (\w+) +(\w+) +(.+)")
_SAME: Final = re.compile(r"--   as in (\w+)")
_CONTINUED: Final = re.compile(r"-- {4,}(.+)")
_EXAMPLE: Final = re.compile(r"(.+); e\.g\. `(.+)`")


@dataclass(frozen=True)
class Column:
    """What the schema says of a column.

    Attributes:
        name: its name.
        kind: its type, one of `TYPES`.
        meaning: what it is, in Markdown.
        example: a value; None if one is to be taken from the examples.
        shown_in: the view whose values are the examples: its own, or the one whose columns it has.
    """

    name: str
    kind: str
    meaning: str
    example: str | None
    shown_in: str


@dataclass(frozen=True)
class View:
    """What the schema says of a view.

    Attributes:
        name: its name.
        text: what it shows, in Markdown: paragraphs.
        columns: its columns in order.
    """

    name: str
    text: tuple[str, ...]
    columns: tuple[Column, ...]


def described_views(text: str) -> list[View]:
    """Return the views of a schema as its comments describe them.

    Raises:
        ValueError: if a line of a comment cannot be understood.
    """
    found: dict[str, View] = {}
    for match in _VIEW.finditer(text):
        name = match[2]
        prose: list[str] = [""]
        columns: list[Column] = []
        for line in match[1].splitlines():
            if same := _SAME.fullmatch(line):
                columns += found[same[1]].columns
            elif column := _COLUMN.fullmatch(line):
                columns.append(_column(name, column[1], column[2], column[3]))
            elif columns and (more := _CONTINUED.fullmatch(line)):
                last = columns[-1]
                columns[-1] = _column(name, last.name, last.kind, f"{last.meaning} {more[1]}")
            elif columns:
                raise ValueError(
                    f"the comment of the view {name} has a line that is not a column's: {line!r}"
                )
            elif line == "--":
                prose.append("")
            else:
                prose[-1] = f"{prose[-1]} {line.removeprefix('-- ')}".strip()
        paragraphs = tuple(filter(None, prose))
        found[name] = View(name, paragraphs, tuple(columns))
    return list(found.values())


def _column(view: str, name: str, kind: str, text: str) -> Column:
    if kind not in TYPES:
        raise ValueError(f"the column {view}.{name} has the unknown type {kind!r}")
    own = _EXAMPLE.fullmatch(text)
    return Column(name, kind, own[1] if own else text, own[2] if own else None, view)


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


def lines_of(view: View, values: dict[str, dict[str, Any]]) -> Iterator[str]:
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
    """Return the page with its made part replaced.

    Raises:
        ValueError: if the page has no such part.
    """
    before, begin, rest = page.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no part between {BEGIN} and {END}")
    return f"{before}{begin}\n{made}\n{end}{after}"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page_with(made_part(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
