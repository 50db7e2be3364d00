"""mediasync's side of the measurements. Each function runs in its own process."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from random import Random
from typing import Any

from benchmarks.clock import Stopwatch, WrongResultError, peak_memory_mb, percentile
from benchmarks.data import (
    CREDITS_PER_MOVIE,
    LIBRARY_ID,
    SOURCE_ID,
    build_model,
    build_models,
    change_movies,
    stream_movies,
)
from benchmarks.meeting import Meeting
from benchmarks.postgres import state
from mediasync import Library, MediaSync, Movie, Source
from mediasync.cli.affinity import one_core_left_free

TASKS = 1000
READ_PAUSE = 0.002
MIN_READS = 20


def url_of(path: str) -> str:
    """Return the database URL of a file; a URL stays as it is."""
    return path if "://" in path else f"sqlite:///{path}"


async def save(
    path: str, movies: int, *, how: str = "batch", changed: bool = False, first: int = 0, **options: Any
) -> dict[str, Any]:
    """Save a generated library; the clock runs from the first save until the database is closed."""
    rows = stream_movies(movies, first=first)
    models = build_models(change_movies(rows) if changed else rows)
    return await save_models(path, models, how=how, **options)


async def save_models(
    path: str, models: list[Movie], *, how: str = "batch", **options: Any
) -> dict[str, Any]:
    """Save models; the clock runs from the first save until the database is closed."""
    async with MediaSync(url_of(path), **options) as ms:
        await register(ms)
        watch = Stopwatch()
        counts = await _SAVERS[how](ms, models)
    return {**watch.read(), **counts}


async def resave(path: str, movies: int) -> dict[str, Any]:
    """Save a library that is already stored, and make sure that nothing was written."""
    models = build_models(stream_movies(movies))
    with closing(sqlite3.connect(path)) as witness:
        async with MediaSync(url_of(path)) as ms:
            await register(ms)
            before = _data_version(witness)
            watch = Stopwatch()
            counts = await save_batch(ms, models)
        timing = watch.read()
        after = _data_version(witness)
    if counts["saved"] or counts["unchanged"] != movies:
        raise WrongResultError(f"an unchanged resync of {movies} movies reports {counts}")
    if before != after:
        raise WrongResultError("an unchanged resync wrote to the database")
    return {**timing, **counts}


async def resave_postgres(path: str, movies: int, **options: Any) -> dict[str, Any]:
    """Do the same on PostgreSQL."""
    models = build_models(stream_movies(movies))
    before = await state(path)
    async with MediaSync(path, **options) as ms:
        await register(ms)
        watch = Stopwatch()
        counts = await save_batch(ms, models)
    timing = watch.read()
    if counts["saved"] or counts["unchanged"] != movies or before != await state(path):
        raise WrongResultError(f"an unchanged resync of {movies} movies reports {counts}, or wrote something")
    return {**timing, **counts}


async def save_stream(path: str, movies: int) -> dict[str, Any]:
    """Save a library from a stream, and return the peak memory of the process."""
    async with MediaSync(url_of(path)) as ms:
        await register(ms)
        before = peak_memory_mb()
        watch = Stopwatch()
        counts = await save_batch(ms, (build_model(row) for row in stream_movies(movies)))
    return {**watch.read(), **counts, "before_mb": before, "peak_mb": peak_memory_mb()}


def save_while_read(*, spare: bool, **parameters: Any) -> dict[str, Any]:
    """Save a second library as soon as the reader in the other process is ready.

    Args:
        spare: whether to leave a core free, as the command does.
        parameters: the parameters of `_save_while_read`.
    """
    with one_core_left_free() if spare else nullcontext():
        return asyncio.run(_save_while_read(**parameters))


async def _save_while_read(path: str, movies: int, first: int, signals: str) -> dict[str, Any]:
    meeting = Meeting(signals)
    models = build_models(stream_movies(movies, first=first))
    async with MediaSync(url_of(path)) as ms:
        await register(ms)
        meeting.tell("ready")
        await meeting.hear("go")
        watch = Stopwatch()
        meeting.tell("begun")
        counts = await save_batch(ms, models)
        meeting.tell("done")
    return {**watch.read(), **counts}


async def read_aside(path: str, movies: int, rest_reads: int, signals: str) -> dict[str, Any]:
    """Read casts at rest, then while the other process saves."""
    meeting = Meeting(signals)
    await meeting.hear("ready")
    async with MediaSync(url_of(path), read_only=True) as ms:
        await _read(ms, movies, MIN_READS, lambda: True)
        rest = await _read(ms, movies, rest_reads, lambda: True)
        meeting.tell("go")
        await meeting.hear("begun")
        busy = await _read(ms, movies, MIN_READS, lambda: meeting.heard("done"))
    return {"rest": _summary(rest), "busy": _summary(busy)}


async def read_within(path: str, movies: int, first: int, rest_reads: int) -> dict[str, Any]:
    """Read casts at rest, then in the process and the event loop that saves."""
    models = build_models(stream_movies(movies, first=first))
    async with MediaSync(url_of(path)) as ms:
        await register(ms)
        await _read(ms, movies, MIN_READS, lambda: True)
        rest = await _read(ms, movies, rest_reads, lambda: True)
        watch = Stopwatch()
        saving = asyncio.create_task(save_batch(ms, models))
        busy = await _read(ms, movies, MIN_READS, saving.done)
        await saving
    return {"rest": _summary(rest), "busy": _summary(busy), **watch.read()}


async def register(ms: MediaSync) -> None:
    """Save the source and the library of the generated items."""
    await ms.media.save_source(Source(id=SOURCE_ID, kind="nfo", name="Bench"))
    await ms.media.save_library(Library(id=LIBRARY_ID, source_id=SOURCE_ID, title="Movies", kind="movies"))


async def save_batch(ms: MediaSync, models: Iterable[Movie]) -> dict[str, int]:
    """Save movies in one call, and make sure that none failed."""
    report = await ms.media.save_media_items(models, library_id=LIBRARY_ID, source_id=SOURCE_ID)
    if report.failed:
        raise WrongResultError(f"{len(report.failed)} movies failed, the first: {report.failed[0]}")
    return {"saved": report.saved, "unchanged": report.unchanged}


async def _save_by_tasks(ms: MediaSync, models: Sequence[Movie]) -> dict[str, int]:
    queue = iter(models)
    await asyncio.gather(*(_save_each(ms, queue) for _ in range(TASKS)))
    return {"saved": len(models)}


async def _save_each(ms: MediaSync, queue: Iterator[Movie]) -> None:
    for movie in queue:
        await ms.media.save_media_item(movie, library_id=LIBRARY_ID, source_id=SOURCE_ID)


_SAVERS: dict[str, Callable[[MediaSync, list[Movie]], Awaitable[dict[str, int]]]] = {
    "batch": save_batch,
    "tasks": _save_by_tasks,
}


async def _read(
    ms: MediaSync, movies: int, at_least: int, enough: Callable[[], bool]
) -> list[tuple[float, float]]:
    """Read casts of random movies; return for each the seconds it took, and the seconds since it was due."""
    random = Random(at_least)
    times: list[tuple[float, float]] = []
    while len(times) < at_least or not enough():
        due = time.perf_counter() + READ_PAUSE
        await asyncio.sleep(READ_PAUSE)
        start = time.perf_counter()
        cast = await ms.people.find_by_media_item(f"{SOURCE_ID}:{random.randrange(movies)}")
        end = time.perf_counter()
        if len(cast) != CREDITS_PER_MOVIE:
            raise WrongResultError(f"a movie has {len(cast)} credits instead of {CREDITS_PER_MOVIE}")
        times.append((end - start, end - due))
    return times


def _summary(times: list[tuple[float, float]]) -> dict[str, float]:
    took = [1000 * seconds for seconds, _ in times]
    since_due = [1000 * seconds for _, seconds in times]
    return {
        "reads": len(times),
        "p50_ms": percentile(took, 50),
        "p99_ms": percentile(took, 99),
        "max_ms": max(took),
        "p99_since_due_ms": percentile(since_due, 99),
    }


def _data_version(witness: sqlite3.Connection) -> int:
    """Return SQLite's own count of what other connections committed."""
    return int(witness.execute("PRAGMA data_version").fetchone()[0])
