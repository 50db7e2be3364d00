"""What SQLite alone needs for the rows of a mirror: a plain script writes all of them again.

It reads the rows before the clock starts. Then it writes them as they are stored, by one ``executemany`` for
each table, in one transaction. It parses, compares and looks up nothing. That is about the least that any
program needs to store these rows in these tables.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.clock import Stopwatch, WrongResultError
from benchmarks.loader import connect

_TABLES = """
SELECT name, sql FROM sqlite_master
WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid
"""
_INDEXES = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid"


def write_again(mirror: str, path: str) -> dict[str, Any]:
    """Write the rows of a mirror into an empty file with the same tables and indexes.

    Args:
        mirror: the path of the mirror.
        path: the path of the other file, which does not exist yet.
    """
    with closing(sqlite3.connect(f"file:{mirror}?mode=ro", uri=True)) as connection:
        tables = dict(connection.execute(_TABLES).fetchall())
        indexes = [sql for (sql,) in connection.execute(_INDEXES)]
        rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    connection = connect(Path(path))
    connection.execute("PRAGMA foreign_keys = ON")
    for statement in (*tables.values(), *indexes):
        connection.execute(statement)
    written = 0
    watch = Stopwatch()
    with connection:
        for name, some in rows.items():
            if some:
                marks = ", ".join("?" * len(some[0]))
                written += connection.executemany(f"INSERT INTO {name} VALUES ({marks})", some).rowcount
    connection.close()
    timing = watch.read()
    if written != sum(map(len, rows.values())):
        raise WrongResultError(f"{written} rows were written")
    return {**timing}
