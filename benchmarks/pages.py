"""All calls that return a page, and how long a step blocks the event loop; each in its own process."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from benchmarks.clock import WrongResultError, peak_memory_mb, percentile
from benchmarks.data import LIBRARY_ID, SOURCE_ID, build_model, stream_movies
from benchmarks.product import register, save_batch, url_of
from mediasync import Credit, FindQuery, ItemFilter, MediaSync, Movie, Person

PAGE = 50
_LIBRARY = f"{SOURCE_ID}:{LIBRARY_ID}"
_PREFIXES = ("jo", "ka", "s", "mi", "den")

Call = Callable[[int], Awaitable[Any]]


async def read_pages(path: str, movies: int, calls: int = 20) -> dict[str, Any]:
    """Make each call that returns a page several times, and report the median of each in milliseconds."""
    async with MediaSync(url_of(path), read_only=True) as ms:
        before = peak_memory_mb()
        medians: dict[str, float] = {}
        for name, call in (await _calls(ms, movies, calls)).items():
            took = []
            for number in range(calls):
                start = time.perf_counter()
                await call(number)
                took.append(1000 * (time.perf_counter() - start))
            medians[name] = percentile(took, 50)
    slowest = max(medians, key=lambda name: medians[name])
    return {
        "p50_ms": medians,
        "slowest": slowest,
        "slowest_ms": medians[slowest],
        "more_mb": peak_memory_mb() - before,
    }


async def _calls(ms: MediaSync, movies: int, calls: int) -> dict[str, Call]:
    random = Random(movies)
    ids = [f"{SOURCE_ID}:{random.randrange(movies)}" for _ in range(calls + PAGE)]
    items = await ms.media.find_media_items(ids[:calls])
    titles = [item.title for item in items]
    names = [(item.credits or [])[0].person.name for item in items]
    popular = f"{SOURCE_ID}:p7"
    films = ItemFilter(media_types="movie")
    pages = ms.media.iter_media_items(_LIBRARY)

    async def iterate(_: int) -> None:
        for _ in range(min(PAGE, movies // calls)):
            await anext(pages)

    return {
        "iter_media_items": iterate,
        "find_media_items": lambda n: ms.media.find_media_items(ids[n : n + PAGE]),
        "get_media_item": lambda n: ms.media.get_media_item(ids[n]),
        "find_by_title, whole": lambda n: ms.media.find_by_title(titles[n % len(titles)]),
        "find_by_title, a word": lambda n: ms.media.find_by_title(titles[n % len(titles)].split()[-1]),
        "find_by_title, a beginning": lambda n: ms.media.find_by_title(
            titles[n % len(titles)].split()[-1][:3]
        ),
        "find_by_title, a common word": lambda _: ms.media.find_by_title("the"),
        "find_by_title, two common words": lambda _: ms.media.find_by_title("night of"),
        "find_by_title, nothing": lambda _: ms.media.find_by_title("the qqqq"),
        "find_by_provider_id": lambda n: ms.media.find_by_provider_id("imdb", f"tt{n}", limit=PAGE),
        "list_children": lambda n: ms.media.list_children(ids[n], limit=PAGE),
        "list_items, by title": lambda _: ms.library.list_items(films, limit=PAGE),
        "list_items, by year": lambda _: ms.library.list_items(
            films, sort="year", descending=True, limit=PAGE
        ),
        "list_items, of a person": lambda _: ms.library.list_items(ItemFilter(with_people=popular)),
        "list_people": lambda _: ms.library.list_people(limit=PAGE),
        "list_cast": lambda n: ms.library.list_cast(ids[n], limit=PAGE),
        "search, a beginning": lambda n: ms.people.search(_PREFIXES[n % len(_PREFIXES)]),
        "search, two beginnings": lambda _: ms.people.search("ka re"),
        "search, of a source": lambda n: ms.people.search(_PREFIXES[n % 5], source_id=SOURCE_ID),
        "search, a later page": lambda n: ms.people.search(_PREFIXES[n % 5], offset=500),
        "search, a word": lambda n: ms.people.search(names[n % len(names)].split()[0]),
        "search, a name": lambda n: ms.people.search(names[n % len(names)]),
        "filmography": lambda _: ms.people.filmography(popular, limit=PAGE),
        "find_by_media_item": lambda n: ms.people.find_by_media_item(ids[n]),
        "find_by_media_items": lambda n: ms.people.find_by_media_items(ids[n : n + PAGE]),
    }


async def ask_who(path: str, movies: int, calls: int = 7) -> dict[str, Any]:
    """Ask who worked with whom, and report the median of each call in milliseconds.

    Returns:
        besides these medians, ``one_ms``, the slowest call about one or two people, and ``all_ms``, the
        slowest call that reads all credits.
    """
    async with MediaSync(url_of(path), read_only=True) as ms:
        library = ms.library
        [best] = await library.top("actor", limit=1)
        popular = best.person.id
        [other] = await library.costars(popular, limit=1)
        both = FindQuery(with_people=[popular, other.person.id])
        one: dict[str, Callable[[], Awaitable[Any]]] = {
            "filmography": lambda: library.filmography(popular),
            "find": lambda: library.find(both),
            "costars": lambda: library.costars(popular),
        }
        everybody: dict[str, Callable[[], Awaitable[Any]]] = {
            "top": lambda: library.top("actor"),
            "top, a decade": lambda: library.top("director", decade=1990),
            "pairs": lambda: library.pairs("director", "actor", limit=min(10, movies)),
        }
        medians: dict[str, float] = {}
        for name, call in (one | everybody).items():
            took = []
            for _ in range(calls):
                start = time.perf_counter()
                if not await call():
                    raise WrongResultError(f"{name} found nothing")
                took.append(1000 * (time.perf_counter() - start))
            medians[name] = percentile(took, 50)
    return {
        "p50_ms": medians,
        "one_ms": max(medians[name] for name in one),
        "all_ms": max(medians[name] for name in everybody),
    }


async def loop_steps(path: str, movies: int, credit_count: int) -> dict[str, Any]:
    """Save a library and an item with many credits, read both, and report the longest step of the loop.

    Args:
        path: the path of a new database.
        movies: the number of movies in the library.
        credit_count: the number of credits of the one item.
    """
    models = map(build_model, stream_movies(movies))
    ids = [f"{SOURCE_ID}:{n}" for n in range(min(movies, 5_000))]
    found: dict[str, Any] = {}
    async with MediaSync(url_of(path)) as ms:
        await register(ms)

        async def iterate() -> int:
            return len([item.id async for item in ms.media.iter_media_items(_LIBRARY)])

        with _steps() as steps:
            await save_batch(ms, models)
            found["saving"] = _longest(steps)
        people = (Person(remote_id=f"p{n}", name=f"Person {n}") for n in range(credit_count))
        large = Movie(
            remote_id="large",
            title="Large",
            credits=[Credit(person=person, person_type="actor", role="Part") for person in people],
        )
        await save_batch(ms, [large])
        with _steps() as steps:
            if await iterate() != movies + 1:
                raise WrongResultError("not all items were iterated over")
            found["iterating"] = _longest(steps)
        for name, read in (
            (f"reading {len(ids):,} items", lambda: ms.media.find_media_items(ids)),
            (f"reading {credit_count:,} credits", lambda: ms.media.get_media_item(f"{SOURCE_ID}:large")),
            ("reading change tokens", lambda: ms.media.find_change_tokens(_LIBRARY)),
        ):
            with _steps() as steps:
                await read()
                found[name] = _longest(steps)
    return found


@contextmanager
def _steps() -> Iterator[list[float]]:
    """Record the milliseconds of CPU time that the loop's thread spends in each step.

    Full garbage collections are left out: they scan the whole heap, and may happen in any step.
    """
    steps: list[float] = []
    run = asyncio.Handle._run
    began = collected = 0

    def note_collection(phase: str, info: dict[str, int]) -> None:
        nonlocal began, collected
        if info["generation"] == 2:
            if phase == "start":
                began = time.thread_time_ns()
            else:
                collected += time.thread_time_ns() - began

    def timed(handle: asyncio.Handle) -> None:
        start, before = time.thread_time_ns(), collected
        run(handle)
        steps.append((time.thread_time_ns() - start - (collected - before)) / 1e6)

    asyncio.Handle._run = timed  # type: ignore[method-assign]
    gc.callbacks.append(note_collection)
    try:
        yield steps
    finally:
        gc.callbacks.remove(note_collection)
        asyncio.Handle._run = run  # type: ignore[method-assign]


def _longest(steps: list[float]) -> dict[str, float]:
    return {"steps": len(steps), "p99_ms": percentile(steps, 99), "max_ms": max(steps)}
