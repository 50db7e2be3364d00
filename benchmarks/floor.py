"""What SQLite alone needs for the rows of a mirror: a plain script writes all of them again.

It reads the rows before the clock starts. Then it writes them as they are stored, by one ``executemany`` for
each table, in one transaction. It parses, compares and looks up nothing. That is about the least that any
program needs to store these rows in these tables.

Given the models, it also makes the rows of items, people, credits and words from them, by the functions that
a save calls. That is about the least that a save by these functions needs: it still compares nothing, answers
no caller, and writes one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.clock import Stopwatch, WrongResultError
from benchmarks.data import LIBRARY_ID, SOURCE_ID, build_models, stream_movies
from benchmarks.loader import connect
from mediasync.garbage import deferred
from mediasync.ids import make_id
from mediasync.models import Movie
from mediasync.repositories.items import MediaRepository, item_row
from mediasync.saving.normal import normal_item
from mediasync.sorting import name_sort_key
from mediasync.text import searchable_words

_TABLES = """
SELECT name, sql FROM sqlite_master
WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid
"""
_INDEXES = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid"


def write_again(mirror: str, path: str, movies: int = 0) -> dict[str, Any]:
    """Write the rows of a mirror into an empty file with the same tables and indexes.

    Args:
        mirror: the path of the mirror.
        path: the path of the other file, which does not exist yet.
        movies: of how many movies the rows are made from models first, while the clock runs.
    """
    models = build_models(stream_movies(movies))
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
    if models:
        with deferred():  # as the writer does
            _make_rows(models)
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


def _make_rows(models: Sequence[Movie]) -> None:
    """Make what a cold save makes of models before it writes: normal forms, fingerprints, words and rows."""
    library_id = make_id(SOURCE_ID, LIBRARY_ID)
    items = [normal_item(model, SOURCE_ID, library_id) for model in models]
    keys = {item.id: key for key, item in enumerate(items)}
    made: list[Any] = [item_row(item, library_id, item.completeness, item.item_fingerprint) for item in items]
    made += MediaRepository.title_words(items, keys)
    people = {row[0]: row for item in items for row in item.credits}
    person_keys = {person_id: key for key, person_id in enumerate(people)}
    made += [(person_keys[row[0]], SOURCE_ID, *row[:3], name_sort_key(row[1])) for row in people.values()]
    made += [(word, person_keys[row[0]]) for row in people.values() for word in searchable_words(row[1])]
    made += [
        (keys[item.id], order, person_keys[row[0]], row[4], row[5] or None)
        for item in items
        for order, row in enumerate(item.credits)
    ]
