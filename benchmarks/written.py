"""The rows that a resync writes to storage, compared with the rows of the views that differ after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

from benchmarks.data import MovieRow, build_models, change_movies, stream_movies
from benchmarks.product import register, save_batch, url_of
from mediasync import MediaSync

_RENAMED = "77"
"""The end of the ids of the renamed people: one in a hundred."""

_TABLES = (
    "media_item",
    "item_external_id",
    "item_genre",
    "item_rating",
    "item_image",
    "item_library",
    "person",
    "credit",
)
_KEYS = {
    "media_items": ("id",),
    "people": ("id",),
    "media_people": ("media_item_id", "sort_order"),
    "external_ids": ("media_item_id", "provider"),
    "genres": ("media_item_id", "position"),
    "ratings": ("media_item_id", "position"),
    "images": ("media_item_id", "kind"),
}
"""The views that show the contents of the tables, each with the columns that identify a row."""


def rename_people(movies: Iterable[MovieRow]) -> Iterator[MovieRow]:
    """Yield *movies* with one in a hundred people renamed, in all of their credits."""
    for movie in movies:
        yield movie._replace(
            credits=tuple(
                row._replace(name=f"{row.name} Jr.") if row.person_id.endswith(_RENAMED) else row
                for row in movie.credits
            )
        )


async def rows_written(path: str, movies: int) -> dict[str, Any]:
    """Save a library, then the same with changed movies and renamed people, and count the rows.

    The words of the search index do not count: they have no view.
    """
    async with MediaSync(url_of(path)) as ms:
        await register(ms)
        await save_batch(ms, build_models(stream_movies(movies)))
    with closing(sqlite3.connect(path)) as witness:
        before = _shown(witness)
        _count_writes(witness)
    async with MediaSync(url_of(path)) as ms:
        await register(ms)
        await save_batch(ms, build_models(rename_people(change_movies(stream_movies(movies)))))
    with closing(sqlite3.connect(path)) as witness:
        [(written,)] = witness.execute("SELECT sum(rows) FROM benchmark_written")
        after = _shown(witness)
    differing = {
        view: sum(1 for key in rows.keys() | after[view].keys() if rows.get(key) != after[view].get(key))
        for view, rows in before.items()
    }
    return {"written": written, "differing": differing, "ratio": written / sum(differing.values())}


def _shown(witness: sqlite3.Connection) -> dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]:
    shown = {}
    for view, keys in _KEYS.items():
        cursor = witness.execute(f"SELECT {', '.join(keys)}, * FROM {view}")
        shown[view] = {row[: len(keys)]: row[len(keys) :] for row in cursor}
    return shown


def _count_writes(witness: sqlite3.Connection) -> None:
    """Create triggers that count every row that is written from now on."""
    witness.execute("CREATE TABLE benchmark_written (rows INTEGER NOT NULL)")
    witness.execute("INSERT INTO benchmark_written VALUES (0)")
    for table in _TABLES:
        for what in ("INSERT", "UPDATE", "DELETE"):
            witness.execute(
                f"CREATE TRIGGER benchmark_{table}_{what} AFTER {what} ON {table} "
                "BEGIN UPDATE benchmark_written SET rows = rows + 1; END"
            )
    witness.commit()
