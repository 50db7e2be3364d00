"""The time of each check of the doctor, in films and episodes of which a second source has a part."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.clock import WrongResultError, percentile
from benchmarks.data import SOURCE_ID, build_model, stream_movies
from benchmarks.product import url_of
from mediasync import Episode, Library, MediaSync, Movie, Season, Show, Source
from mediasync.library.doctor_checks import CHECKS

_OTHER_SOURCE = "other"
_SHARE = 5
"""One in so many items is an episode, and one in so many stands in the second source as well."""

_EPISODES_OF_SHOW = 40


async def fill_to_examine(path: str, movies: int) -> dict[str, Any]:
    """Save a library of so many items, each with 15 credits."""
    part = movies // _SHARE
    async with MediaSync(url_of(path)) as ms:
        for source_id in (SOURCE_ID, _OTHER_SOURCE):
            await ms.media.save_source(Source(id=source_id, kind="jellyfin"))
            await ms.media.save_library(Library(id="mixed", source_id=source_id, kind="mixed"))
        for source_id, items in (
            (SOURCE_ID, _films(movies, movies - 2 * part)),
            (SOURCE_ID, _shows(part)),
            (SOURCE_ID, _episodes(movies, movies - 2 * part, movies - part)),
            (_OTHER_SOURCE, _films(movies, part)),
        ):
            report = await ms.media.save_media_items(items, library_id="mixed", source_id=source_id)
            if report.failed:
                raise WrongResultError(f"{len(report.failed)} items failed, the first: {report.failed[0]}")
    return {}


async def examine(path: str, rounds: int = 3) -> dict[str, Any]:
    """Run each check several times, and report the median of each in milliseconds."""
    medians: dict[str, float] = {}
    async with MediaSync(url_of(path), read_only=True, readers=1) as ms:
        for check in CHECKS:
            took = []
            for _ in range(rounds):
                start = time.perf_counter()
                await ms.library.doctor(checks=[check.name])
                took.append(1000 * (time.perf_counter() - start))
            medians[check.name] = percentile(took, 50)
    slowest = max(medians, key=lambda name: medians[name])
    return {
        "p50_ms": medians,
        "slowest": slowest,
        "slowest_ms": medians[slowest],
        "all_ms": sum(medians.values()),
    }


def _films(movies: int, last: int) -> Iterator[Movie]:
    for number, row in enumerate(stream_movies(movies)):
        if number >= last:
            return
        movie = build_model(row)
        movie.provider_ids = {"imdb": f"tt{number}", "tmdb": f"{number}"}
        for credit in movie.credits or ():
            key = credit.person.remote_id or ""
            if key[-1:] in set("13579"):
                credit.person.provider_ids = {"tmdb": key.removeprefix("p")}
        yield movie


def _shows(episodes: int) -> Iterator[Show | Season]:
    for number in range(episodes // _EPISODES_OF_SHOW + 1):
        yield Show(remote_id=f"s{number}", title=f"Show {number}", credits=[])
        yield Season(
            remote_id=f"s{number}-1", title="Season 1", parent_remote_id=f"s{number}", season_number=1
        )


def _episodes(movies: int, first: int, last: int) -> Iterator[Episode]:
    for number, row in enumerate(stream_movies(movies)):
        if not first <= number < last:
            continue
        movie = build_model(row)
        show, episode = divmod(number - first, _EPISODES_OF_SHOW)
        yield Episode(
            remote_id=f"e{number}",
            title=movie.title,
            year=movie.year,
            parent_remote_id=f"s{show}-1",
            season_number=1,
            episode_number=episode + 1,
            credits=movie.credits,
        )
