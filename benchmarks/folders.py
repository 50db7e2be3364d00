"""Folders of films with NFO files, as a media manager writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from xml.sax.saxutils import escape

from benchmarks.data import person_name

CREW = 2


def write_library(folder: Path, movies: int, credits_each: int) -> None:
    """Write films with a director, a writer and actors as NFO files, each beside an empty video."""
    random = Random(7)
    (folder / "tvshows").mkdir(parents=True)
    for number in range(movies):
        people = random.sample(range(max(movies * 4, credits_each)), credits_each)
        title = f"Bulk Movie {number:05}"
        path = folder / "movies" / title / "movie.nfo"
        path.parent.mkdir(parents=True)
        path.write_text(f"<movie>{''.join(_elements(title, number, people))}</movie>", encoding="utf-8")
        path.with_suffix(".mkv").touch()


def _elements(title: str, number: int, people: list[int]) -> Iterator[str]:
    yield f"<title>{title}</title><year>{1950 + number % 75}</year><plot>{'What happens. ' * 10}</plot>"
    yield f'<uniqueid type="imdb" default="true">tt8{number:06}</uniqueid><genre>Drama</genre>'
    yield f"<director>{escape(person_name(people[-1]))}</director>"
    yield f"<credits>{escape(person_name(people[-2]))}</credits>"
    for order, person in enumerate(people[:-CREW]):
        yield f"<actor><name>{escape(person_name(person))}</name><role>Role {order} of {number}</role>"
        yield f"<order>{order}</order><thumb>https://image.tmdb.org/t/p/original/{person:024x}.jpg</thumb></actor>"
