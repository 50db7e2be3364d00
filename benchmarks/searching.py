"""How long a search takes while somebody types, at rest and while the same process saves."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.clock import peak_memory_mb, percentile
from benchmarks.data import LIBRARY_ID, SOURCE_ID, build_model
from benchmarks.data import stream_movies as stream_other_movies
from benchmarks.product import register, save_batch, url_of
from benchmarks.search_data import cases, stream_movies
from mediasync import MediaSync
from mediasync.testing import database_of

_BATCH = 500
_CASES = ("real.tsv", "more.tsv", "held.tsv")
_TYPED = "real.tsv"
_AMONG = 5


async def save_searched(path: str, movies: int, people: int) -> dict[str, Any]:
    """Save the library that is searched."""
    async with MediaSync(url_of(path)) as ms:
        await register(ms)
        batch = []
        for movie in stream_movies(cases(*_CASES), movies, people):
            batch.append(movie)
            if len(batch) == _BATCH:
                await save_batch(ms, batch)
                batch = []
        await save_batch(ms, batch)
        await database_of(ms).update_statistics()
        return {"people": await ms.people.count()}


async def search_typed(path: str, *, saves: int = 0, step: int = 1) -> dict[str, Any]:
    """Search for every beginning of the queries, letter by letter, and return the milliseconds that it took.

    Args:
        path: the database, saved by `save_searched`.
        saves: how many movies are saved meanwhile by the same process, again and again; 0 for none.
        step: only every so many of the beginnings.
    """
    some = cases(_TYPED)
    typed = [case.query[:end] for case in some for end in range(1, len(case.query) + 1)][::step]
    async with MediaSync(url_of(path)) as ms:
        for text in typed[:20]:
            await ms.library.search(text)
        saving = asyncio.create_task(_save(ms, saves)) if saves else None
        took, cpu = [], []
        for text in typed:
            start, used = time.perf_counter(), time.process_time()
            await ms.library.search(text, limit=_AMONG)
            took.append(1000 * (time.perf_counter() - start))
            cpu.append(1000 * (time.process_time() - used))
        if saving:
            saving.cancel()
            await asyncio.gather(saving, return_exceptions=True)
        found = 0
        every = cases(*_CASES)
        for case in every if not saves else ():
            answer = await ms.library.search(case.query, limit=_AMONG)
            names = [hit.summary.name for hit in answer.people]
            titles = [hit.summary.title for hit in answer.titles]
            found += not set(names if case.kind == "person" else titles).isdisjoint(case.answers)
    return {
        "p50_ms": percentile(took, 50),
        "p95_ms": percentile(took, 95),
        "p99_ms": percentile(took, 99),
        "p95_cpu_ms": percentile(cpu, 95),
        "found": found,
        "of": len(every),
        "peak_mb": peak_memory_mb(),
    }


async def _save(ms: MediaSync, movies: int) -> None:
    while True:
        rows = stream_other_movies(movies, first=10_000_000)
        await ms.media.save_media_items(map(build_model, rows), library_id=LIBRARY_ID, source_id=SOURCE_ID)
