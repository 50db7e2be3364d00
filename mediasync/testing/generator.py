"""Generated catalogues, the same in every run, and a catalogue of hard cases."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from mediasync.models import Credit, Episode, MediaItem, Movie, Person, Rating, Season, Show
from mediasync.testing.library import FIRST_PERSON, Catalogue, MediaLibrary, in_billing_order
from mediasync.vocabulary import Completeness, PersonType

__all__ = ["hard_catalogue", "make_catalogue"]

_ADDED: Final = datetime(2023, 1, 1, tzinfo=UTC)
_GENRES: Final = ("Drama", "Comedy", "Crime", "Science Fiction", "Animation", "Documentary")
_CREW: Final = (PersonType.DIRECTOR, PersonType.WRITER)
_FIRST_NAMES: Final = (
    "Ada",
    "Björn",
    "Chiwetel",
    "Đặng",
    "Eva",
    "Françoise",
    "Gong",
    "Hélène",
    "Iñaki",
    "Jürgen",
)
_LAST_NAMES: Final = (
    "Almodóvar",
    "Bergman",
    "Campion",
    "Dreyer",
    "Eastwood",
    "Fellini",
    "Kurosawa",
    "Miyazaki",
)


def make_catalogue(
    films: int = 10,
    shows: int = 2,
    *,
    seasons: int = 2,
    episodes: int = 3,
    credits_each: int = 6,
    people: int | None = None,
    seed: int = 0,
    hard: bool = False,
) -> Catalogue:
    """Return a catalogue with a library ``1`` of films and a library ``2`` of shows.

    Some people have many credits and most have few, as in real libraries. The first credit of each item is a
    director, the second a writer, and the others are actors. In every fifth item the director also acts.

    Args:
        films: the number of films.
        shows: the number of shows.
        seasons: the number of seasons in each show.
        episodes: the number of episodes in each season.
        credits_each: the number of credits of each film, show and episode; seasons have none.
        people: the number of people to choose from; None for a quarter of the number of credits.
        seed: the same seed gives the same catalogue, another one gives another.
        hard: whether to append the items of `hard_catalogue`.

    Example:
        >>> [len(library.items) for library in make_catalogue(films=3, shows=1).libraries]
        [3, 9]
    """
    credited = films + shows * (1 + seasons * episodes)
    maker = _Maker(random.Random(seed), people or max(credited * credits_each // 4, credits_each * 2))  # noqa: S311
    catalogue = Catalogue(
        [MediaLibrary("1", "Films", "movies"), MediaLibrary("2", "TV Shows", "shows")],
    )
    for number in range(1, films + 1):
        catalogue.libraries[0].items.append(maker.film(number, credits_each))
    for number in range(1, shows + 1):
        catalogue.libraries[1].items += maker.show(number, seasons, episodes, credits_each)
    if hard:
        _add_hard_cases(catalogue, maker)
    return catalogue


def hard_catalogue() -> Catalogue:
    """Return a catalogue of items that are easy to get wrong; their titles describe the cases."""
    return make_catalogue(0, 0, hard=True)


class _Maker:
    """Makes items and people with ascending keys."""

    def __init__(self, rng: random.Random, people: int) -> None:
        self._rng = rng
        self._people: list[Person | None] = [None] * people
        self._next_item = 1
        self._next_person = FIRST_PERSON + people

    def fields(self, title: str, number: int) -> dict[str, Any]:
        """Return the fields that every item has."""
        key = self._next_item
        self._next_item += 1
        added = _ADDED + timedelta(minutes=key)
        year = 1950 + number % 70
        return {
            "remote_id": str(key),
            "title": title,
            "overview": f"What happens in {title}.",
            "year": year,
            "premiere_date": date(year, 1 + number % 12, 1 + number % 28),
            "added_at": added,
            "changed_at": added,
            "change_token": "1",
            "provider_ids": {"tmdb": str(10_000 + key), "imdb": f"tt{1_000_000 + key}"},
        }

    def film(self, number: int, credits_each: int) -> Movie:
        """Return a film."""
        title = f"Film {number}"
        return Movie(
            **self.fields(title, number),
            runtime_seconds=60 * (80 + number % 60),
            tagline=f"The {number}. of its kind.",
            content_rating="PG-13",
            genres=self._rng.sample(_GENRES, 2),
            ratings=[Rating(name="imdb", value=round(5 + number % 50 / 10, 1), votes=100 + number)],
            images={"poster": f"poster-{number}.jpg"},
            path=f"/media/films/{title}/{title}.mkv",
            credits=self.credits(number, credits_each),
        )

    def show(self, number: int, seasons: int, episodes: int, credits_each: int) -> list[MediaItem]:
        """Return a show, and its seasons each with its episodes."""
        title = f"Show {number}"
        folder = f"/media/shows/{title}"
        show = Show(
            **self.fields(title, number),
            content_rating="TV-14",
            genres=self._rng.sample(_GENRES, 2),
            images={"poster": f"show-{number}.jpg"},
            path=folder,
            credits=self.credits(number, credits_each),
        )
        items: list[MediaItem] = [show]
        for season_number in range(1, seasons + 1):
            season = self.season(show, season_number)
            items.append(season)
            items += [
                self.episode(season, f"{title}, {season_number}x{each}", each, folder, credits_each)
                for each in range(1, episodes + 1)
            ]
        return items

    def season(self, show: Show, number: int) -> Season:
        """Return a season of *show*."""
        title = f"Season {number}" if number else "Specials"
        return Season(
            **self.fields(title, number),
            parent_remote_id=show.remote_id,
            season_number=number,
            path=show.path,
        )

    def episode(
        self, season: Season, title: str, number: int, folder: str, credits_each: int, **fields: Any
    ) -> Episode:
        """Return an episode of *season*."""
        name = f"S{season.season_number:02}E{number:02}"
        return Episode(
            **{
                **self.fields(title, number),
                "parent_remote_id": season.remote_id,
                "season_number": season.season_number,
                "episode_number": number,
                "runtime_seconds": 60 * 42,
                "path": f"{folder}/{name}.mkv",
                "credits": self.credits(number, credits_each, guests=1),
                **fields,
            }
        )

    def credits(self, number: int, count: int, *, guests: int = 0) -> list[Credit]:
        """Return *count* credits in the order actors, guest stars, directors, writers."""
        people = self._some(count)
        crew = [Credit(person=person, person_type=kind) for person, kind in zip(people, _CREW, strict=False)]
        actors = people[len(crew) :]
        if number % 5 == 0 and actors:
            actors[0] = people[0]
        cast = [
            Credit(person=person, person_type=PersonType.ACTOR, role=f"Role {place} of {person.name}")
            for place, person in enumerate(actors, 1)
        ]
        for credit in cast[len(cast) - guests :] if guests else ():
            credit.person_type = PersonType.GUEST_STAR
        return in_billing_order([*cast, *crew])

    def named(self, name: str) -> Person:
        """Return a new person."""
        key = self._next_person
        self._next_person += 1
        return Person(remote_id=str(key), name=name)

    def _some(self, count: int) -> list[Person]:
        chosen: dict[int, Person] = {}
        while len(chosen) < min(count, len(self._people)):
            index = int(self._rng.random() ** 2 * len(self._people))
            chosen[index] = self._person(index)
        return list(chosen.values())

    def _person(self, index: int) -> Person:
        known = self._people[index]
        if known is not None:
            return known
        first, last = _FIRST_NAMES[index % len(_FIRST_NAMES)], _LAST_NAMES[index % len(_LAST_NAMES)]
        person = Person(
            remote_id=str(FIRST_PERSON + index),
            name=f"{first} {last} {index}",
            image_path=f"person-{index}.jpg" if index % 3 else None,
        )
        self._people[index] = person
        return person


def _add_hard_cases(catalogue: Catalogue, maker: _Maker) -> None:
    films, shows = catalogue.libraries
    for number, (title, credits_given) in enumerate(_hard_films(maker).items(), 1):
        nobody = {"completeness": Completeness.FULL} if not credits_given else {}
        path = f"/media/films/hard-{number}.mkv"
        films.items.append(
            Movie(**maker.fields(title, number), path=path, credits=in_billing_order(credits_given), **nobody)
        )
    shows.items += _hard_show(maker)


def _hard_films(maker: _Maker) -> dict[str, list[Credit]]:
    double, both, gaffer = (
        maker.named("Peter Sellers"),
        maker.named("Clint Eastwood"),
        maker.named("Gil Gaffer"),
    )
    namesakes = [maker.named("Steve McQueen") for _ in range(2)]
    return {
        "Two roles of one person": [
            _credit(double, "Group Captain Lionel Mandrake"),
            _credit(double, "President Merkin Muffley"),
            _credit(maker.named("George C. Scott"), "Gen. Buck Turgidson"),
        ],
        "An actor who also directs, writes and produces": [
            _credit(both, "Walt Kowalski"),
            _credit(both, kind=PersonType.DIRECTOR),
            _credit(both, "Screenplay", PersonType.WRITER),
            _credit(both, kind=PersonType.PRODUCER),
        ],
        "Two people of one name": [
            _credit(namesakes[0], "Frank Bullitt"),
            _credit(namesakes[1], kind=PersonType.DIRECTOR),
        ],
        "Nobody has a role": [_credit(maker.named(f"Silent {name}")) for name in ("One", "Two", "Three")],
        "Nobody is credited": [],
        "Two hundred are credited": [
            _credit(maker.named(f"Extra {place}"), "Additional Voices (voice)") for place in range(200)
        ],
        "Types that no vocabulary has": [
            _credit(maker.named("Olga Operator"), "Camera", "Key Grip"),
            _credit(gaffer, kind="Gaffer"),
            _credit(maker.named("Nino Rota"), kind=PersonType.COMPOSER),
        ],
        "Any script: 千と千尋 · Ёлки · أحلام · 🎬": [
            _credit(maker.named("宮崎 駿"), "湯婆婆 / 銭婆"),
            _credit(maker.named("يوسف شاهين"), "قناوي"),
            _credit(maker.named("Zoe\u0308 Kravitz"), "decomposed"),
            _credit(maker.named("Robert Downey, Jr."), 'Tony "Iron Man" Stark, CEO\t(uncredited)'),
            _credit(maker.named("O’Brien\u00a0& Sons 👩‍🎤"), "Prince/King <b>Joffrey</b> &amp; \\ %20"),
            _credit(maker.named("x" * 300), "y" * 600),
        ],
    }


def _hard_show(maker: _Maker) -> Sequence[MediaItem]:
    show = Show(**maker.fields("A show with specials", 1), path="/media/shows/Specials")
    regular, guest = maker.named("Regular Person"), maker.named("Guest Person")
    show.credits = in_billing_order(
        [_credit(regular, "Lead"), _credit(maker.named("Second Regular"), "Friend")]
    )
    specials, first = maker.season(show, 0), maker.season(show, 1)
    folder = str(show.path)
    return [
        show,
        specials,
        maker.episode(specials, "A special", 1, folder, 3),
        first,
        maker.episode(
            first,
            "Guest stars",
            1,
            folder,
            0,
            credits=in_billing_order(
                [
                    _credit(guest, "Villain", PersonType.GUEST_STAR),
                    _credit(guest, "Villain's twin", PersonType.GUEST_STAR),
                    _credit(regular, "Lead"),
                    _credit(regular, kind=PersonType.DIRECTOR),
                ]
            ),
        ),
        maker.episode(first, "Two in one file", 2, folder, 3, episode_number_end=3),
        maker.episode(
            first, "An episode with nobody", 4, folder, 0, credits=[], completeness=Completeness.FULL
        ),
    ]


def _credit(person: Person, role: str | None = None, kind: PersonType | str = PersonType.ACTOR) -> Credit:
    return Credit(person=person, person_type=kind, role=role)
