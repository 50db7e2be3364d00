"""Mirrors for the tests of copies: filled with some of everything, and looked at as a whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.engines import POSTGRES, SQLITE_FILE, Engine
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, season, show
from support.mirror import Clock, prepared, public, write

from mediasync import Library, LibraryRun, MediaSync, Person, Source
from mediasync.backends.base import Enumerated
from mediasync.copying import copy as service
from mediasync.copying import verification
from mediasync.copying.plan import copied_tables
from mediasync.repositories.runs import RunRepository
from mediasync.testing import FakeBackend, database_of
from mediasync.vocabulary import RunStatus

PAIRS = [(SQLITE_FILE, SQLITE_FILE), (SQLITE_FILE, POSTGRES), (POSTGRES, SQLITE_FILE), (POSTGRES, POSTGRES)]
COUNTS = {"library_counts", "totals", "credits_flat", "filmographies", "show_cast"}
"""The views that show, group or count the rows of others, which a copy does not compare apart."""


def new_urls(engines: tuple[Engine, Engine], folder: Path) -> tuple[str, str]:
    found = []
    for name, engine in zip(("origin", "target"), engines, strict=True):
        (folder / name).mkdir()
        found.append(engine.new_url(folder / name))
    return found[0], found[1]


def write_film(folder: Path, title: str, *names: str) -> None:
    file = folder / "movies" / title / "movie.nfo"
    file.parent.mkdir(parents=True, exist_ok=True)
    actors = "".join(f"<actor><name>{name}</name><role>R</role></actor>" for name in names)
    file.write_text(f"<movie><title>{title}</title><year>1995</year>{actors}</movie>", encoding="utf-8")


RICH = movie(
    "rich",
    title="Łódź: “二”\tthe end",
    original_title="Original",
    sort_title="Sort",
    overview="Line one\nLine two",
    tagline="Tag",
    year=1999,
    premiere_date="1999-03-31",
    runtime_seconds=8160,
    content_rating="R",
    provider_ids={"imdb": "tt1", "tmdb": "2", "tvdb": "3", "wikidata": "Q1"},
    genres=["Drama", "Action"],
    ratings=[{"name": "imdb", "value": 8.7001, "votes": 12}, {"name": "critics", "value": 9}],
    images={"poster": "poster.jpg", "fanart": "fanart.jpg"},
    path="/films/rich.mkv",
    change_token="token",
    added_at="2020-01-02T03:04:05.678Z",
    changed_at="2021-01-02 03:04:05",
    credits=[
        *cast("a", "b"),
        credit("a", kind="director", order=2),
        credit("c", "Renée Žižek", kind="Key Grip", role="Grip", order=3, image_path="c.jpg"),
        credit(None, "Nameless Key", kind="writer", order=4),
    ],
)


def _listed(*keys: str) -> list[Any]:
    return [*(movie(key, credits=cast(key)) for key in keys), Enumerated(len(keys))]


async def fill(ms: MediaSync, clock: Clock, folder: Path | None = None) -> None:
    """Save a mirror with some of everything; by id, children come before their parents."""
    await prepared(ms)
    await ms.media.save_source(Source(id="away", kind="plex", name="Away", server_id="server-1"))
    await ms.media.save_library(Library(id="1", source_id="away", title="Empty", kind="mixed"))
    clock.tick(7)
    await ms.media.save_media_item(RICH, **MOVIES)
    for number in range(5):
        clock.tick(11)
        item = movie(f"m{number}", year=1990 + number, credits=cast(f"p{number}", f"p{number + 1}"))
        await ms.media.save_media_item(item, **MOVIES)
    await ms.media.save_media_item(movie("part", credits=cast("p1"), completeness="preview"), **MOVIES)
    await ms.media.save_media_item(movie("bare"), **MOVIES)
    await ms.media.save_media_items(
        [
            show("z", credits=cast("p1")),
            season("y", parent="z", number=0),
            episode("x", parent="y", credits=cast("guest"), episode_number_end=2),
            episode("a", parent="z", number=9),
        ],
        **SHOWS,
    )
    await ms.people.upsert(
        Person(name="Without Credits", remote_id="lonely", source_id="home", provider_ids={"imdb": "nm1"})
    )
    clock.tick()
    if folder is not None:
        await ms.sync(f"films=nfo:{folder}")
    await database_of(ms).write(record_runs)
    await ms.sync(FakeBackend({"kept": _listed("r1", "r2"), "asked": _listed("r3")}))
    clock.tick()
    await ms.sync(FakeBackend({"kept": _listed("r1"), "asked": _listed()}))


async def record_runs(session: Any) -> None:
    """Record a run that ended with problems, and one that never ended."""
    runs = RunRepository(session)
    run = await runs.start("home", 1)
    counts = {"seen": 3, "saved": 1, "unchanged": 1, "failed": 1}
    await runs.finish(run, RunStatus.FAILED, **counts, error="gone")
    await runs.add_problems(run, [("failure", "home:1", "broken\nfile"), ("remark", "home", "„odd”")])
    seen = {"counted": 9, "seen": 3, "unseen": 2, "previews": 1, "complete": True}
    partly = {"seen": 1, "reason": "„odd”"}
    await runs.add_libraries(
        run,
        [
            LibraryRun.model_validate({"run_id": run, "library_id": f"home:{key}", **values})
            for key, values in (("movies", seen), ("shows", partly))
        ],
    )
    await runs.start("home", None)


async def filled(url: str, folder: Path | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Fill a new database, and return the contents of its views."""
    clock = Clock()
    async with MediaSync(url, clock=clock) as ms:
        await fill(ms, clock, folder)
        return await public(ms)


async def shown(url: str) -> dict[str, list[tuple[Any, ...]]]:
    async with MediaSync(url, read_only=True) as ms:
        return await public(ms)


def set_pages(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(
        service, "copied_tables", lambda: [replace(table, size=size) for table in copied_tables()]
    )
    monkeypatch.setattr(verification, "COMPARED_ROWS", size)


def is_part(shown: dict[str, list[Any]], whole: dict[str, list[Any]]) -> bool:
    """Return whether everything shown is also in *whole*."""
    return all(set(found) <= set(whole[view]) for view, found in shown.items() if view not in COUNTS)


async def change(url: str, sql: str, **params: Any) -> None:
    """Change the storage of a database, as another program might; `in_thread` runs it at once."""
    async with MediaSync(url) as ms:
        assert await write(ms, sql, **params) == 1
