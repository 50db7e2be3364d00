"""The recipes of ``docs/how-to/query-with-sql.md``, and how long each takes in a big library."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg

from benchmarks import mixed
from benchmarks.mixed import Names
from benchmarks.product import url_of

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "how-to" / "query-with-sql.md"
ROUNDS: Final = 5
DIRECTING: Final = "Steve McQueen"
"""The recipes ask for this person's work as a director."""

_HEADING: Final = re.compile(r"#{2,3} (.+)")
_PERSON: Final = re.compile(r"person_name = '([^']+)'")
_TITLE: Final = re.compile(r"(?<!_)\btitle = '([^']+)'")
_SHOW: Final = re.compile(r"show_title = '([^']+)'|title = '([^']+)' AND s\.media_type = 'show'")


@dataclass(frozen=True)
class Recipe:
    """One query of the page.

    Attributes:
        title: the heading above it, with a number from the second query below the same heading on.
        sql: the query.
    """

    title: str
    sql: str


def recipes(page: str | None = None) -> list[Recipe]:
    """Return the queries of the page in order."""
    found: list[Recipe] = []
    heading, block = "", None
    for line in (page or PAGE.read_text(encoding="utf-8")).splitlines():
        if block is not None and line == "```":
            same = sum(one.title.partition(" (")[0] == heading for one in found)
            found.append(Recipe(f"{heading} ({same + 1})" if same else heading, "\n".join(block)))
            block = None
        elif block is not None:
            block.append(line)
        elif line == "```sql":
            block = []
        elif match := _HEADING.fullmatch(line):
            heading = match[1]
    return found


def names(found: Iterable[Recipe]) -> Names:
    """Return the names and titles that recipes ask for."""
    text = "\n".join(one.sql for one in found)
    people = dict.fromkeys(_PERSON.findall(text))
    shows = dict.fromkeys(first or second for first, second in _SHOW.findall(text))
    films = dict.fromkeys(title for title in _TITLE.findall(text) if title not in shows)
    return Names(
        tuple(name for name in people if name != DIRECTING), (DIRECTING,), tuple(films), tuple(shows)
    )


def save_library(path: str, credit_count: int) -> dict[str, Any]:
    """Save a library in which the recipes find something.

    Args:
        path: the file of a SQLite database, or the URL of a PostgreSQL database.
        credit_count: about how many credits the library has.
    """
    asyncio.run(mixed.save_library(url_of(path), credit_count, names(recipes())))
    return {}


def time_recipes(path: str) -> dict[str, Any]:
    """Run each recipe once, and then `ROUNDS` times.

    Args:
        path: the file of a SQLite database, or the URL of a PostgreSQL database.

    Returns:
        ``recipes``: by title the shortest time of the rounds (``ms``), the time of the first run
        (``first_ms``), both in milliseconds, and the number of ``rows``.
    """
    if "://" in path:
        return {"recipes": asyncio.run(_time_postgres(path))}
    return {"recipes": _time_sqlite(path)}


def _time_sqlite(path: str) -> dict[str, Any]:
    found = {}
    with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as connection:
        for recipe in recipes():
            timing = Timing()
            for _ in range(ROUNDS + 1):
                begun = time.perf_counter()
                timing.note(begun, connection.execute(recipe.sql).fetchall())
            found[recipe.title] = timing.result()
    return found


async def _time_postgres(url: str) -> dict[str, Any]:
    found = {}
    connection = await asyncpg.connect(url, server_settings={"search_path": "mediasync"})
    try:
        for recipe in recipes():
            timing = Timing()
            for _ in range(ROUNDS + 1):
                begun = time.perf_counter()
                timing.note(begun, await connection.fetch(recipe.sql))
            found[recipe.title] = timing.result()
    finally:
        await connection.close()
    return found


@dataclass
class Timing:
    """The times of the runs of one recipe."""

    times: list[float] = field(default_factory=list)
    rows: int = 0

    def note(self, begun: float, rows: Sequence[Any]) -> None:
        """Note a run that ends now."""
        self.times.append((time.perf_counter() - begun) * 1_000)
        self.rows = len(rows)

    def result(self) -> dict[str, Any]:
        """Return the figures of the recipe."""
        return {"ms": min(self.times[1:]), "first_ms": self.times[0], "rows": self.rows}
