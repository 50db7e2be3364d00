"""Compare two databases, and time plain SQL, through the public views."""

from __future__ import annotations

import sqlite3
import statistics
import time
from contextlib import closing
from typing import Any

COLUMNS = {
    "media_items": "id, title, year",
    "people": "id, name",
    "media_people": "media_item_id, person_id, person_type, role, sort_order",
}

FILMOGRAPHY = """
SELECT media_items.id, media_items.title, media_items.year, media_people.person_type, media_people.role
FROM media_people
JOIN media_items ON media_items.id = media_people.media_item_id
WHERE media_people.person_id = ?
ORDER BY media_items.year, media_items.title, media_people.sort_order
"""

BY_CREDITS = "SELECT person_id FROM media_people GROUP BY person_id ORDER BY count(*) DESC, person_id"

REPEATS = 21


def compare(ours: str, theirs: str) -> dict[str, Any]:
    """Compare mediasync's public views with the loader's tables.

    Returns:
        the number of rows of each table, and ``problems``: descriptions of the differences.
    """
    counts = {}
    problems = []
    with closing(sqlite3.connect(f"file:{ours}?mode=ro", uri=True)) as connection:
        connection.execute("ATTACH ? AS loader", (f"file:{theirs}?mode=ro",))
        for table, columns in COLUMNS.items():
            sides = [f"SELECT {columns} FROM {schema}.{table}" for schema in ("main", "loader")]
            if table == "people":  # mediasync hides people without credits
                sides[1] += " WHERE id IN (SELECT person_id FROM loader.media_people)"
            ours_count, theirs_count = (_count(connection, side) for side in sides)
            counts[table] = ours_count
            if ours_count != theirs_count:
                problems.append(f"{table}: {ours_count} rows, but the loader has {theirs_count}")
            problems += _difference(connection, f"{table}: only mediasync has", *sides)
            problems += _difference(connection, f"{table}: only the loader has", *reversed(sides))
    return {"counts": counts, "problems": problems}


def filmographies(path: str) -> dict[str, Any]:
    """Time the filmography of the person with most credits, and of one in the middle."""
    with closing(_open(path)) as connection:
        people = [person_id for (person_id,) in connection.execute(BY_CREDITS)]
    return {
        "popular": _time_filmography(path, people[0]),
        "median": _time_filmography(path, people[len(people) // 2]),
    }


def _time_filmography(path: str, person_id: str) -> dict[str, float]:
    with closing(_open(path)) as connection:
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            rows = connection.execute(FILMOGRAPHY, (person_id,)).fetchall()
            times.append(1000 * (time.perf_counter() - start))
    return {
        "credits": len(rows),
        "first_ms": times[0],
        "p50_ms": statistics.median(times),
        "max_ms": max(times),
    }


def _open(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _count(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM ({query})").fetchone()[0])


def _difference(connection: sqlite3.Connection, words: str, side: str, other: str) -> list[str]:
    rows = connection.execute(f"{side} EXCEPT {other} LIMIT 3").fetchall()
    return [f"{words}, for example: {row}" for row in rows]
