"""The recipes of ``docs/how-to/query-with-sql.md``, and how long each takes in a big library."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import statistics
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import mixed
from benchmarks.mixed import Names

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


def save_library(url: str, credit_count: int) -> dict[str, Any]:
    """Save a library in which the recipes find something."""
    asyncio.run(mixed.save_library(url, credit_count, names(recipes())))
    return {}


def time_recipes(path: str) -> dict[str, Any]:
    """Run each recipe several times.

    Args:
        path: the file of a SQLite database, or the URL of a PostgreSQL database.

    Returns:
        ``recipes``: by title the median ``wall`` time in milliseconds after a first run, that of the ``first``
        run, and the number of ``rows``.
    """
    if "://" in path:
        return {"recipes": asyncio.run(_time_postgres(path))}
    return {"recipes": _time_sqlite(path)}


def _time_sqlite(path: str) -> dict[str, Any]:
    found = {}
    with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as connection:
        for recipe in recipes():
            walls, rows = [], []
            for _ in range(ROUNDS + 1):
                begun = time.perf_counter()
                rows = connection.execute(recipe.sql).fetchall()
                walls.append((time.perf_counter() - begun) * 1_000)
            found[recipe.title] = _timing(walls, len(rows))
    return found


async def _time_postgres(url: str) -> dict[str, Any]:
    import asyncpg

    found = {}
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET search_path = mediasync")
        for recipe in recipes():
            walls, rows = [], []
            for _ in range(ROUNDS + 1):
                begun = time.perf_counter()
                rows = await connection.fetch(recipe.sql)
                walls.append((time.perf_counter() - begun) * 1_000)
            found[recipe.title] = _timing(walls, len(rows))
    finally:
        await connection.close()
    return found


def _timing(walls: list[float], rows: int) -> dict[str, Any]:
    return {"wall": statistics.median(walls[1:]), "first": walls[0], "rows": rows}
