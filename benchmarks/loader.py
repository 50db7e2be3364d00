"""The yardstick: a hand-written synchronous loader on ``sqlite3``, as a good engineer writes it in an hour.

It uses text keys, an auto-increment junction table with three indexes, and transactions of 500 movies. Each
transaction upserts the movies and the people, and deletes and inserts the credits. It has no fingerprints, no
search index and no history, checks nothing, and writes everything again in a resync.

It reads plain tuples with complete ids. `load_models` is the same loader for the pydantic models that
mediasync receives; it is slower, so it is only for information and never the divisor.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

from benchmarks.data import SOURCE_ID, MovieRow
from mediasync.models import Movie

_T = TypeVar("_T")

BATCH = 500
CACHE_KIB = 64 * 1024
"""The page cache, which is as large as mediasync's."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS media_items (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    year INTEGER,
    updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS people (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    image_url TEXT,
    updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS media_people (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    media_item_id TEXT NOT NULL REFERENCES media_items (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    person_type TEXT NOT NULL,
    role TEXT,
    sort_order INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS media_people_by_item ON media_people (media_item_id);
CREATE INDEX IF NOT EXISTS media_people_by_person ON media_people (person_id);
CREATE INDEX IF NOT EXISTS media_people_by_type ON media_people (person_type);
"""

UPSERT_ITEM = """
INSERT INTO media_items (id, title, year, updated_at) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE
SET title = excluded.title, year = excluded.year, updated_at = excluded.updated_at
"""

UPSERT_PERSON = """
INSERT INTO people (id, name, image_url, updated_at) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, image_url = excluded.image_url, updated_at = excluded.updated_at
"""

DELETE_CREDITS = "DELETE FROM media_people WHERE media_item_id = ?"

INSERT_CREDIT = """
INSERT INTO media_people (media_item_id, person_id, person_type, role, sort_order) VALUES (?, ?, ?, ?, ?)
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open a database with the settings of both sides."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


def open_database(path: Path) -> sqlite3.Connection:
    """Open the loader's database, and create its schema."""
    connection = connect(path)
    connection.executescript(SCHEMA)
    return connection


def load(connection: sqlite3.Connection, movies: Iterable[MovieRow]) -> None:
    """Write *movies*, stored or new."""
    for batch in _batches(movies):
        now = datetime.now(UTC).isoformat()
        people = {}
        credit_rows = []
        for movie in batch:
            for person_id, name, image, person_type, role, sort_order in movie.credits:
                people[person_id] = (person_id, name, image, now)
                credit_rows.append((movie.id, person_id, person_type, role, sort_order))
        items = [(movie.id, movie.title, movie.year, now) for movie in batch]
        _write(connection, items, people.values(), credit_rows)


def load_models(connection: sqlite3.Connection, movies: Iterable[Movie]) -> None:
    """Write the same from pydantic models."""
    for batch in _batches(movies):
        now = datetime.now(UTC).isoformat()
        items = []
        people = {}
        credit_rows = []
        for movie in batch:
            item_id = f"{SOURCE_ID}:{movie.remote_id}"
            items.append((item_id, movie.title, movie.year, now))
            for credit in movie.credits or ():
                person = credit.person
                person_id = f"{SOURCE_ID}:{person.remote_id}"
                people[person_id] = (person_id, person.name, person.image_path, now)
                credit_rows.append((item_id, person_id, credit.person_type, credit.role, credit.sort_order))
        _write(connection, items, people.values(), credit_rows)


def _write(
    connection: sqlite3.Connection,
    items: Sequence[tuple[object, ...]],
    people: Iterable[tuple[object, ...]],
    credit_rows: Iterable[tuple[object, ...]],
) -> None:
    with connection:
        connection.executemany(UPSERT_ITEM, items)
        connection.executemany(UPSERT_PERSON, people)
        connection.executemany(DELETE_CREDITS, [(item[0],) for item in items])
        connection.executemany(INSERT_CREDIT, credit_rows)


def _batches(rows: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch
