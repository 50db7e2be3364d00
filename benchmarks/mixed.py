"""A library of films and of shows with episodes, for the recipes of ``docs/how-to/query-with-sql.md``.

Of its credits, 70 % belong to films and 30 % to episodes. Items have what recipes ask about: genres, years, times
and a main rating. The people, films and shows that the recipes name are in it, and these people have more credits
than almost all others: a recipe is measured with the names that are the hardest for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final

from benchmarks.clock import WrongResultError
from benchmarks.data import CREDITS_PER_MOVIE, MovieRow, build_model, stream_movies
from mediasync import Credit, Episode, Library, MediaSync, Movie, Rating, Season, Show, Source

SOURCE_ID: Final = "nfo-library"
SHARE_OF_FILMS: Final = 0.7
SEASONS: Final = 4
EPISODES: Final = 10
"""Of each season."""

GENRES: Final = (
    "Drama", "Comedy", "Thriller", "Crime", "Science Fiction", "Documentary", "Horror", "Romance", "Adventure",
    "Family", "Animation", "War", "History", "Music", "Mystery", "Western",
)  # fmt: skip
NEWEST: Final = datetime(2026, 11, 30, tzinfo=UTC)


async def save_library(
    url: str, credit_count: int, *, people: Sequence[str], films: Sequence[str], shows: Sequence[str]
) -> None:
    """Save a library with about *credit_count* credits.

    Args:
        url: the database.
        credit_count: how many credits the library has.
        people: names that the people with the most credits get, the first one for the one with the most.
        films: titles that films get.
        shows: titles that shows get.
    """
    film_count = max(int(credit_count * SHARE_OF_FILMS) // CREDITS_PER_MOVIE, 1)
    show_count = max(int(credit_count * (1 - SHARE_OF_FILMS)) // (CREDITS_PER_MOVIE * SEASONS * EPISODES), 1)
    async with MediaSync(url) as ms:
        await ms.media.save_source(Source(id=SOURCE_ID, kind="nfo"))
        for library, kind in (("movies", "movies"), ("tvshows", "shows")):
            await ms.media.save_library(Library(id=library, source_id=SOURCE_ID, title=library, kind=kind))
        found = _films(film_count, list(people), list(films))
        report = await ms.media.save_media_items(found, library_id="movies", source_id=SOURCE_ID)
        family = _shows(show_count, list(people), list(shows))
        report = await ms.media.save_media_items(
            family, library_id="tvshows", source_id=SOURCE_ID, report=report
        )
        if report.failed:
            raise WrongResultError(f"{len(report.failed)} items were not saved: {report.failed[0]}")


def _films(count: int, people: list[str], titles: list[str]) -> Iterator[Movie]:
    random = Random("films")
    for number, row in enumerate(stream_movies(count)):
        update = _details(random, row.year) | {"credits": _credits(row, people)}
        if number < len(titles):
            update["title"] = titles[number]
        if number % 50 == 49:  # nobody is said to have directed it
            update["credits"] = [credit for credit in update["credits"] if credit.person_type != "director"]
        yield build_model(row._replace(credits=())).model_copy(update=update)


def _shows(count: int, people: list[str], titles: list[str]) -> Iterator[Show | Season | Episode]:
    random = Random("shows")
    rows = stream_movies(count * SEASONS * EPISODES, first=10_000_000)
    for number in range(count):
        first = next(rows)
        year, title = first.year, titles[number] if number < len(titles) else first.title
        cast = _credits(first, people)
        yield Show(remote_id=f"s{number}", title=title, credits=cast[:12], **_details(random, year))
        for season in range(SEASONS):
            key = f"s{number}-{season + 1}"
            yield Season(
                remote_id=key, parent_remote_id=f"s{number}", title=f"Season {season + 1}",
                season_number=season + 1, credits=[],
            )  # fmt: skip
            for episode in range(EPISODES):
                row = first if season == episode == 0 else next(rows)
                # Half of the cast stays, the others are guests of this episode.
                guests = [
                    credit.model_copy(update={"person_type": "guest_star", "sort_order": 6 + place})
                    for place, credit in enumerate(_credits(row, people)[:6])
                    if credit.person.remote_id not in {main.person.remote_id for main in cast[:6]}
                ]
                crew = [one.model_copy(update={"sort_order": None}) for one in _credits(row, people)[12:]]
                yield Episode(
                    remote_id=f"{key}-{episode + 1}", parent_remote_id=key, title=row.title,
                    season_number=season + 1, episode_number=episode + 1,
                    credits=[*cast[:6], *guests, *crew], **_details(random, year + season),
                )  # fmt: skip


def _credits(row: MovieRow, people: list[str]) -> list[Credit]:
    credits = build_model(row).credits or []
    for place, credit in enumerate(credits):
        number = (credit.person.remote_id or "").removeprefix("p")
        if number.isdecimal() and int(number) < len(people):
            person = credit.person.model_copy(update={"name": people[int(number)]})
            credits[place] = credit.model_copy(update={"person": person})
    return credits


def _details(random: Random, year: int) -> dict[str, Any]:
    premiere = date(year, 1, 1) + timedelta(days=random.randrange(365))
    return {
        "year": year,
        "premiere_date": premiere,
        "genres": random.sample(GENRES, random.randint(1, 3)),
        "ratings": [Rating(name="imdb", value=round(random.triangular(2, 10, 6.5), 1))],
        "added_at": NEWEST - timedelta(minutes=random.randrange(5 * 365 * 24 * 60)),
        "runtime_seconds": random.randrange(1200, 9000),
    }
