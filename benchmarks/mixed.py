"""A library of films and of shows with episodes, for the recipes of ``docs/how-to/query-with-sql.md``.

Of its credits, 70 % belong to films and 30 % to episodes. Items have what recipes ask about: genres, years,
times and a main rating. The people, films and shows that the recipes name are in it, and these people have
more credits than almost all others: a recipe is measured with the names that are the hardest for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final

from benchmarks.clock import WrongResultError
from benchmarks.data import CREDITS_PER_MOVIE, MovieRow, build_model, most_directing, stream_movies
from mediasync import Credit, Episode, Library, MediaSync, Movie, Rating, Season, Show, Source
from mediasync.testing import FakeClock

SOURCE_ID: Final = "nfo-library"
SHARE_OF_FILMS: Final = 0.7
SEASONS: Final = 4
EPISODES: Final = 10
"""Of each season."""

GENRES: Final = (
    "Drama", "Comedy", "Thriller", "Crime", "Science Fiction", "Documentary", "Horror", "Romance",
    "Adventure", "Family", "Animation", "War", "History", "Music", "Mystery", "Western",
)  # fmt: skip
MONTHS: Final = 60
"""In so many months the films came, in each of them as many."""

MONTH: Final = 30 * 24 * 60 * 60 * 1_000
"""In milliseconds."""

NEWEST: Final = datetime(2026, 1, 15, tzinfo=UTC)
"""When the last films came."""


@dataclass(frozen=True)
class Names:
    """Names that recipes ask for.

    Attributes:
        people: the names of those with the most credits, the first one for the one with the most.
        directors: the names of those who directed the most films.
        films: titles that films get.
        shows: titles that shows get.
    """

    people: tuple[str, ...]
    directors: tuple[str, ...]
    films: tuple[str, ...]
    shows: tuple[str, ...]

    def by_number(self, film_count: int) -> dict[str, str]:
        """Return the new names by the keys that the generator gives to people."""
        directors = {
            f"p{most_directing(film_count) + place}": name for place, name in enumerate(self.directors)
        }
        return {f"p{place}": name for place, name in enumerate(self.people)} | directors


async def save_library(url: str, credit_count: int, names: Names) -> None:
    """Save a library with about *credit_count* credits.

    Raises:
        WrongResultError: if an item could not be saved.
    """
    film_count = max(int(credit_count * SHARE_OF_FILMS) // CREDITS_PER_MOVIE, 1)
    show_count = max(int(credit_count * (1 - SHARE_OF_FILMS)) // (CREDITS_PER_MOVIE * SEASONS * EPISODES), 1)
    clock = FakeClock(int(NEWEST.timestamp() * 1_000) - MONTHS * MONTH)
    films = _films(film_count, names)
    async with MediaSync(url, clock=clock) as ms:
        await ms.media.save_source(Source(id=SOURCE_ID, kind="nfo"))
        for library, kind in (("movies", "movies"), ("tvshows", "shows")):
            await ms.media.save_library(Library(id=library, source_id=SOURCE_ID, title=library, kind=kind))
        report = await ms.media.save_media_items(
            _shows(show_count, names, names.by_number(film_count)), library_id="tvshows", source_id=SOURCE_ID
        )
        for month in range(MONTHS):
            clock.tick(MONTH)
            some = islice(films, (month + 1) * film_count // MONTHS - month * film_count // MONTHS)
            report = await ms.media.save_media_items(
                some, library_id="movies", source_id=SOURCE_ID, report=report
            )
    if report.failed:
        raise WrongResultError(f"{len(report.failed)} items were not saved: {report.failed[0]}")


def _films(count: int, names: Names) -> Iterator[Movie]:
    random, people = Random("films"), names.by_number(count)
    for number, row in enumerate(stream_movies(count)):
        update = _details(random, row.year) | {"credits": _credits(row, people)}
        if number < len(names.films):
            update["title"] = names.films[number]
        if number % 50 == 49:  # nobody is said to have directed it
            update["credits"] = [credit for credit in update["credits"] if credit.person_type != "director"]
        yield build_model(row._replace(credits=())).model_copy(update=update)


def _shows(count: int, names: Names, people: Mapping[str, str]) -> Iterator[Show | Season | Episode]:
    random = Random("shows")
    rows = stream_movies(count * SEASONS * EPISODES, first=10_000_000)
    for number in range(count):
        first = next(rows)
        year, title = first.year, names.shows[number] if number < len(names.shows) else first.title
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


def _credits(row: MovieRow, people: Mapping[str, str]) -> list[Credit]:
    found = build_model(row).credits or []
    for place, credit in enumerate(found):
        if name := people.get(credit.person.remote_id or ""):
            found[place] = credit.model_copy(
                update={"person": credit.person.model_copy(update={"name": name})}
            )
    return found


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
