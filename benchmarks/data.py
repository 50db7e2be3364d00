"""Generated libraries: the same size always gives the same library.

The data consists of plain tuples with complete ids, as the hand-written loader needs them; pydantic models
are built from those. A movie has 12 actors, a director and two writers. People are drawn with a long tail, as
in real libraries: a person has about 4.6 credits on average, and a few hundred people have a hundred or more
(18,000 credits name some 3,960 people, 1,010,000 credits some 242,000).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import NamedTuple

from mediasync.models import Credit, Movie, Person

SOURCE_ID = "bench"
LIBRARY_ID = "movies"
CREDITS_PER_MOVIE = 15
CHANGED_SHARE = 0.01

_ACTORS = 12
_DRAWS_PER_PERSON = 4.5
_TAIL = 1.6
_ROLE_SHARE = 0.8
_SAME_WRITER_SHARE = 0.25

_SYLLABLE_TEXT = (
    "ka re mi to sa ni lo va den mar el os ri an je tur bel ha so gi le mon da fer ian qui pe ros ul dra"
)
_SYLLABLES = tuple(_SYLLABLE_TEXT.split())
_ACCENTED = ("é", "ö", "ñ", "ş", "č", "å", "í", "ü")
_CJK = tuple("山田太郎王李张伟佐藤木村陈明华金英俊林美香")
_JOBS = ("Screenplay", "Story", "Novel", "Writer")
_TITLES = ("The", "Last", "Return of the", "Night of the", "A", "Beyond the", "Le", "Der", "Los")
_RANKS = ("Captain", "Dr.", "Officer", "Queen", "Old", "Young", "Agent", "Uncle")


class CreditRow(NamedTuple):
    """One credit with all data about its person."""

    person_id: str
    name: str
    image: str | None
    person_type: str
    role: str | None
    sort_order: int


class MovieRow(NamedTuple):
    """One movie with its credits in billing order."""

    id: str
    title: str
    year: int
    credits: tuple[CreditRow, ...]


def movies_for(credit_count: int) -> int:
    """Return how many movies hold *credit_count* credits."""
    return max(credit_count // CREDITS_PER_MOVIE, 1)


def stream_movies(count: int, *, first: int = 0, seed: int = 7) -> Iterator[MovieRow]:
    """Yield *count* movies without holding them in memory.

    Args:
        count: the number of movies; it also determines the number of people.
        first: the number of the first movie; a second library of the same source begins elsewhere.
        seed: the seed of the random numbers.
    """
    random = Random(f"{seed}/{count}/{first}")
    pool = _pool(count)
    for number in range(first, first + count):
        yield MovieRow(
            id=f"{SOURCE_ID}:{number}",
            title=_title(random, number),
            year=1920 + int(106 * random.random() ** 0.5),
            credits=tuple(_credits(random, pool)),
        )


def most_directing(count: int) -> int:
    """Return the number of the person who directed the most of *count* movies; the next ones follow."""
    return _pool(count) // 3


def _pool(count: int) -> int:
    return max(int(count * CREDITS_PER_MOVIE / _DRAWS_PER_PERSON), 2 * CREDITS_PER_MOVIE)


def make_movies(count: int, *, first: int = 0, seed: int = 7) -> list[MovieRow]:
    """Return *count* movies as a list."""
    return list(stream_movies(count, first=first, seed=seed))


def change_movies(movies: Iterable[MovieRow], *, seed: int = 7) -> Iterator[MovieRow]:
    """Yield *movies* with one in a hundred changed: half of these by title, half by a credit."""
    random = Random(f"changed/{seed}")
    step = round(1 / CHANGED_SHARE)
    for position, movie in enumerate(movies):
        if position % step:
            yield movie
        elif position % (2 * step):
            yield movie._replace(title=f"{movie.title} (Restored)")
        else:
            yield _recast(random, movie)


def change_some(movies: Iterable[MovieRow], turn: int, *, every: int) -> Iterator[MovieRow]:
    """Yield *movies* as a source has them after some turns, in each of which one in *every* changes.

    Args:
        movies: as they were at first.
        turn: how many turns have passed. In each of them other movies change, until all have changed once.
        every: how many movies there are for each that changes. Three of four change by title, the fourth by
            its credits, since servers refresh fields more often than casts.
    """
    for position, movie in enumerate(movies):
        times, left = divmod(turn - 1 - position % every, every)
        changed = times + 1 if turn and left >= 0 else 0
        if not changed:
            yield movie
        elif position // every % 4:
            yield movie._replace(title=f"{movie.title} ({changed})")
        else:
            yield _recast(Random(f"{changed}/{position}"), movie)


def build_models(movies: Iterable[MovieRow]) -> list[Movie]:
    """Build new pydantic models of all *movies*."""
    return [build_model(movie) for movie in movies]


def build_model(movie: MovieRow) -> Movie:
    """Build a new pydantic model of one movie."""
    return Movie(
        remote_id=_remote_id(movie.id),
        title=movie.title,
        year=movie.year,
        credits=[
            Credit(
                person=Person(remote_id=_remote_id(row.person_id), name=row.name, image_path=row.image),
                person_type=row.person_type,
                role=row.role,
                sort_order=row.sort_order,
            )
            for row in movie.credits
        ],
    )


def person_name(index: int) -> str:
    """Return the name of a person by number: one to three words, some accented, some in CJK.

    It is computed from the number alone, so that a stream needs no table of people.
    """
    mixed = (index * 0x9E3779B97F4A7C15 + 0x7F4A7C15) & 0xFFFFFFFFFFFFFFFF
    kind = mixed % 100
    if kind < 4:
        return "".join(_digits(mixed >> 8, _CJK, 3))
    words = 1 if kind < 7 else 3 if kind < 22 else 2
    parts = [_word(mixed >> 7 + 19 * place) for place in range(words)]
    if kind >= 88:
        parts[-1] += _ACCENTED[mixed >> 9 & 7]
    return " ".join(parts)


def _credits(random: Random, pool: int) -> Iterator[CreditRow]:
    people: dict[int, None] = {}
    while len(people) < _ACTORS:
        people[_draw(random, pool)] = None
    for order, index in enumerate(people):
        role = _role(random) if random.random() < _ROLE_SHARE else None
        yield _credit(index, "actor", role, order)
    # Crews are mostly not the stars: they use the same long tail, shifted by a third of the pool.
    director = (_draw(random, pool) + pool // 3) % pool
    yield _credit(director, "director", None, _ACTORS)
    same = random.random() < _SAME_WRITER_SHARE
    first = director if same else (_draw(random, pool) + pool // 3) % pool
    second = (_draw(random, pool) + pool // 3) % pool
    yield _credit(first, "writer", _JOBS[0], _ACTORS + 1)
    yield _credit(second, "writer", _JOBS[1 + int(3 * random.random())], _ACTORS + 2)


def _draw(random: Random, pool: int) -> int:
    return int(pool * random.random() ** _TAIL)


def _credit(index: int, person_type: str, role: str | None, order: int) -> CreditRow:
    image = f"/people/{index:x}/primary.jpg" if index % 5 < 3 else None
    return CreditRow(f"{SOURCE_ID}:p{index}", person_name(index), image, person_type, role, order)


def _recast(random: Random, movie: MovieRow) -> MovieRow:
    """Return *movie* with its two stars in the other order, one role changed and one actor replaced."""
    number = int(_remote_id(movie.id))
    rows = list(movie.credits)
    rows[0], rows[1] = rows[1]._replace(sort_order=0), rows[0]._replace(sort_order=1)
    rows[2] = rows[2]._replace(role=f"{_role(random)} (uncredited)")
    rows[3] = rows[3]._replace(person_id=f"{SOURCE_ID}:new{number}", name=person_name(-1 - number))
    return movie._replace(credits=tuple(rows))


def _title(random: Random, number: int) -> str:
    words = " ".join(_word(random.getrandbits(19)) for _ in range(1 + number % 3))
    return f"{_TITLES[number % len(_TITLES)]} {words}"


def _role(random: Random) -> str:
    bits = random.getrandbits(24)
    name = _word(bits >> 3)
    return f"{_RANKS[bits & 7]} {name}" if bits & 0x300000 == 0 else name


def _word(bits: int) -> str:
    syllables = _digits(bits >> 1, _SYLLABLES, 2 + (bits & 1))
    return "".join(syllables).capitalize()


def _digits(number: int, alphabet: tuple[str, ...], count: int) -> list[str]:
    digits = []
    for _ in range(count):
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    return digits


def _remote_id(full_id: str) -> str:
    return full_id[len(SOURCE_ID) + 1 :]
