"""What the change log costs: its statements, the reads of what stood before, and its room on the disk."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks import product
from benchmarks.data import build_models, change_some, stream_movies
from mediasync.repositories.changes import ChangeRepository

_METHODS = ("append", "find_item_images")

RESYNCS: Final = 50
CHANGED_BY_A_RESYNC: Final = 0.02


async def share(path: str, movies: int) -> dict[str, Any]:
    """Save a library, then one with a hundredth of it changed, and time the statements of the change log."""
    with timed_log() as spent:
        cold = await product.save(path, movies)
        of_cold = spent() / cold["wall"]
        before = spent()
        changed = await product.save(path, movies, changed=True)
        of_changed = (spent() - before) / changed["wall"]
    if not (of_cold and of_changed) or changed["saved"] != -(-movies // 100):
        raise product.WrongResultError(f"{Path(path).name}: {cold}, {changed}")
    return {"cold": of_cold, "changed": of_changed}


async def history(path: str, movies: int) -> dict[str, Any]:
    """Save a library and resync it 50 times, each time with 2 % of the items changed.

    Returns:
        ``time``: the share of the resyncs that the change log takes. ``disk``: its size, as a share of the
        size of everything else in the file.
    """
    await product.save(path, movies)
    wall, saved = 0.0, 0
    with timed_log() as spent:
        for turn in range(1, RESYNCS + 1):
            rows = change_some(stream_movies(movies), turn, every=round(1 / CHANGED_BY_A_RESYNC))
            run = await product.save_models(path, build_models(rows))
            wall += run["wall"]
            saved += run["saved"]
        share_of_time = spent() / wall
    if not RESYNCS * (movies // 50) <= saved <= RESYNCS * (movies // 50 + 1):
        raise product.WrongResultError(f"{Path(path).name}: {saved} items were saved")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        whole = _vacuumed(connection)
        connection.execute("DELETE FROM change")
        rest = _vacuumed(connection)
    return {"time": share_of_time, "disk": whole / rest - 1}


def _vacuumed(connection: sqlite3.Connection) -> int:
    """Return the number of pages of a file without unused ones."""
    connection.execute("VACUUM")
    [(pages,)] = connection.execute("PRAGMA page_count")
    return int(pages)


@contextmanager
def timed_log() -> Iterator[Callable[[], float]]:
    """Time the statements of the change log; yields a function that returns the seconds so far.

    A statement's time runs until its answer is taken up, so that what else happens meanwhile counts as well:
    the true share is smaller.
    """
    spent = 0.0

    def timed(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*arguments: Any) -> Any:
            nonlocal spent
            start = time.perf_counter()
            try:
                return await method(*arguments)
            finally:
                spent += time.perf_counter() - start

        return run

    methods = {name: getattr(ChangeRepository, name) for name in _METHODS}
    for name, method in methods.items():
        setattr(ChangeRepository, name, timed(method))
    try:
        yield lambda: spent
    finally:
        for name, method in methods.items():
            setattr(ChangeRepository, name, method)
