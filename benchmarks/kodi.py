"""A first sync of a Kodi ÷ the bare bulk call that lists the same films with their casts.

``python -m benchmarks.kodi`` measures against the fake Kodi and, where one is installed, against a real one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import httpx

from benchmarks.data import person_name
from mediasync import MediaSync, Source
from mediasync.backends.kodi import KodiBackend
from mediasync.backends.kodi.parse import MOVIE_PROPERTIES
from mediasync.testing import make_catalogue
from mediasync.testing.kodi import FakeKodi

ACTORS = 15
_CREW = 2


@dataclass
class KodiFigure:
    """What one Kodi took.

    Attributes:
        name: which Kodi.
        movies: how many films it has.
        bulk: seconds of one bulk call of all films with their casts, each time.
        first: seconds of a first sync into an empty database, each time.
        again: seconds of a sync of the same, unchanged, each time.
    """

    name: str
    movies: int
    bulk: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """A first sync ÷ the bare call: at most 4, better 2."""
        return statistics.median(self.first) / statistics.median(self.bulk)

    @property
    def ratio_again(self) -> float:
        """An unchanged sync ÷ the bare call."""
        return statistics.median(self.again) / statistics.median(self.bulk)


async def measure_fake(movies: int = 1_000, rounds: int = 5) -> KodiFigure:
    """Measure against the fake; it runs in the same process, so that its own work counts in both."""
    catalogue = make_catalogue(movies, 0, credits_each=ACTORS + _CREW)
    async with FakeKodi(catalogue, password="secret") as server:
        return await _measure("fake", server.url, "kodi", "secret", movies, rounds)


def measure_real(movies: int = 1_000, rounds: int = 5) -> KodiFigure | None:
    """Measure against a real Kodi; None where none is installed."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    from support.kodi import RealKodi, why_not

    if why_not():
        return None
    with tempfile.TemporaryDirectory(prefix="mediasync-bench-kodi-") as folder:
        library, home = Path(folder, "library"), Path(folder, "home")
        write_library(library, movies)
        home.mkdir()
        with RealKodi(library, home) as kodi:
            return asyncio.run(_measure("real", kodi.url, kodi.username, kodi.password, movies, rounds))


def write_library(folder: Path, movies: int) -> None:
    """Write NFO files of films with 15 actors, one director and one writer each, and empty videos."""
    rng = random.Random(7)
    (folder / "tvshows").mkdir(parents=True)
    for number in range(movies):
        people = rng.sample(range(movies * 4), ACTORS + _CREW)
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
    for order, person in enumerate(people[:ACTORS]):
        yield f"<actor><name>{escape(person_name(person))}</name><role>Role {order} of {number}</role>"
        yield f"<order>{order}</order><thumb>https://image.tmdb.org/t/p/original/{person:024x}.jpg</thumb></actor>"


async def _measure(name: str, url: str, username: str, password: str, movies: int, rounds: int) -> KodiFigure:
    figure = KodiFigure(name, movies)
    for _ in range(rounds):
        figure.bulk.append(await _bulk_call(url, username, password, movies))
        with tempfile.TemporaryDirectory(prefix="mediasync-bench-kodi-") as folder:
            async with MediaSync(f"sqlite:///{folder}/media.db") as ms:
                for seconds, wanted in ((figure.first, movies), (figure.again, 0)):
                    backend = KodiBackend(
                        url, source=Source(id="kodi", kind="kodi"), username=username, password=password
                    )
                    start = time.perf_counter()
                    report = await ms.sync(backend)
                    seconds.append(time.perf_counter() - start)
                    assert report.run.saved == wanted, report
    return figure


async def _bulk_call(url: str, username: str, password: str, movies: int) -> float:
    """Return how long one call of everything takes, until its JSON is decoded."""
    params: dict[str, Any] = {"properties": list(MOVIE_PROPERTIES)}
    call = {"jsonrpc": "2.0", "id": 1, "method": "VideoLibrary.GetMovies", "params": params}
    credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
    async with httpx.AsyncClient(headers={"Authorization": f"Basic {credentials}"}, timeout=120) as client:
        start = time.perf_counter()
        answer = await client.post(f"{url}/jsonrpc", json=call)
        decoded = json.loads(answer.content)
        seconds = time.perf_counter() - start
    assert len(decoded["result"]["movies"]) == movies
    return seconds


def main() -> None:
    """Print the figures."""
    figures = [asyncio.run(measure_fake())]
    with contextlib.suppress(ImportError):
        if real := measure_real():
            figures.append(real)
    for figure in figures:
        seconds = ", ".join(
            f"{what} {statistics.median(getattr(figure, what)):.3f} s" for what in ("bulk", "first", "again")
        )
        print(f"{figure.name}: {figure.movies:,} films × {ACTORS}: {seconds}", end="; ")
        print(f"first ÷ bulk {figure.ratio:.2f}, unchanged ÷ bulk {figure.ratio_again:.2f}")


if __name__ == "__main__":
    main()
