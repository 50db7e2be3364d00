"""A real Kodi: its library is mirrored with every person, role and order; then it changes.

Needs Kodi installed: ``python tests/support/kodi.py install`` does it as root on Debian and Ubuntu.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from support.kodi import RealKodi, why_not
from support.mirror import rows
from support.typed_kodi import LIBRARY, MANIFEST, folded, people_of, typed_people

from mediasync import MediaSync, Source
from mediasync.backends.kodi import KodiBackend
from mediasync.errors import SourceUnauthorised
from mediasync.hints import Hint, HintKind
from mediasync.settings.http import HttpOptions
from mediasync.vocabulary import Completeness

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_kodi,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
    # One Kodi for all of them, which each finds as the last one left it.
    pytest.mark.xdist_group("kodi"),
]

ADDED = datetime(2024, 1, 1, 12, tzinfo=UTC)
SHOW = "Breaking Bad"
FOLDER = f"tvshows/{SHOW} (2008)/Season 01"
STARS = [
    (entry["name"], entry["role"])
    for entry in next(show for show in MANIFEST["tvshows"] if show["title"] == SHOW)["cast"]
]
OWN_CASTS = {
    "It credits the first of the show": STARS[:1],
    "It credits all of the show": STARS,
    "It credits all of the show and a guest": [*STARS, ("A Guest", "Guest")],
    "It credits a guest and the second of the show": [("A Guest", "Guest"), STARS[1]],
    "It credits nobody": [],
}
"""Episodes of the show whose own casts Kodi's list alone does not tell."""


def write_nfo(path: Path, root: str, cast: list[tuple[str, str]], **fields: object) -> None:
    """Write an NFO file."""
    lines = [f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items()]
    lines += [
        f"<actor><name>{escape(name)}</name><role>{escape(role)}</role><order>{order}</order></actor>"
        for order, (name, role) in enumerate(cast)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<{root}>{''.join(lines)}</{root}>", encoding="utf-8")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the typed library with some more episodes."""
    folder = tmp_path_factory.mktemp("kodi-library") / "library"
    shutil.copytree(LIBRARY, folder)
    for number, (title, cast) in enumerate(OWN_CASTS.items(), 11):
        path = folder / FOLDER / f"{SHOW} S01E{number}.nfo"
        write_nfo(path, "episodedetails", cast, title=title, season=1, episode=number)
        path.with_suffix(".mkv").touch()
    for path in folder.rglob("*.mkv"):
        os.utime(path, (ADDED.timestamp(), ADDED.timestamp()))
    return folder


@pytest.fixture(scope="module")
def kodi(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKodi]:
    """A running Kodi that has scanned the library."""
    with RealKodi(library, tmp_path_factory.mktemp("kodi")) as running:
        yield running


def backend_for(kodi: RealKodi, **options: object) -> KodiBackend:
    """Return a backend for the running Kodi."""
    given = {"username": kodi.username, "password": kodi.password, "timezone": "UTC", **options}
    return KodiBackend(kodi.url, source=Source(id="kodi", kind="kodi"), **given)  # type: ignore[arg-type]


async def mirrored(ms: MediaSync, kodi: RealKodi, kind: str) -> dict[tuple[object, ...], object]:
    """Return the mirrored items that Kodi lists now, by title and what else tells them apart."""
    fields = {"movie": ("year",), "tvshow": (), "episode": ("showtitle", "season", "episode")}[kind]
    records = kodi.call(
        f"VideoLibrary.Get{'TVShow' if kind == 'tvshow' else kind.capitalize()}s",
        properties=["title", *fields],
    )
    items = {}
    for record in records[f"{kind}s"]:
        key = f"{'show' if kind == 'tvshow' else kind}/{record[f'{kind}id']}"
        [(item_id,)] = await rows(ms, "SELECT id FROM media_items WHERE remote_id = :key", key=key)
        items[(record["title"], *(record[name] for name in fields))] = await ms.media.get_media_item(item_id)
    return items


@pytest.mark.parametrize("page_size", [250, 7])
async def test_every_person_role_and_order_of_a_real_kodi_is_mirrored(
    kodi: RealKodi, file_url: str, page_size: int
) -> None:
    async with MediaSync(file_url) as ms:
        report = await ms.sync(backend_for(kodi, page_size=page_size))
        assert (report.failed, report.problems, report.remarks) == ((), (), ())
        films = await mirrored(ms, kodi, "movie")
        assert len(films) == len(MANIFEST["movies"]) + 1  # with the film whose NFO file is broken
        for entry in MANIFEST["movies"]:
            item = films[entry["title"], entry["year"]]
            assert folded(people_of(item)) == folded(typed_people(entry)), entry["title"]
            assert item.completeness is Completeness.FULL
            assert item.provider_ids == {"imdb": entry["imdb"], "tmdb": str(entry["tmdb"])}
            assert (item.overview, item.genres) == (entry["plot"], entry["genres"])
            assert item.added_at == ADDED
        shows, episodes = await mirrored(ms, kodi, "tvshow"), await mirrored(ms, kodi, "episode")
        for entry in MANIFEST["tvshows"]:
            show = shows[(entry["title"],)]
            assert folded(people_of(show)) == folded(typed_people(entry))
            for typed in entry["episodes"]:
                item = episodes[typed["title"], entry["title"], typed["season"], typed["episode"]]
                assert folded(people_of(item)) == folded(typed_people(typed)), typed["title"]
                season = await ms.media.get_media_item(item.parent_id)
                assert (season.season_number, season.parent_id) == (typed["season"], show.id)
        again = await ms.sync(backend_for(kodi))
        assert (again.run.saved, again.run.unchanged) == (0, report.run.saved)


async def test_own_casts_that_begin_as_the_shows_are_told_apart(kodi: RealKodi, file_url: str) -> None:
    async with MediaSync(file_url) as ms:
        await ms.sync(backend_for(kodi))
        episodes = await mirrored(ms, kodi, "episode")
    for number, (title, cast) in enumerate(OWN_CASTS.items(), 11):
        item = episodes[title, SHOW, 1, number]
        assert people_of(item) == [("actor", name, role) for name, role in cast], title
        assert item.completeness is Completeness.FULL


async def test_a_wrong_password_is_refused(kodi: RealKodi, file_url: str) -> None:
    async with MediaSync(file_url) as ms:
        with pytest.raises(SourceUnauthorised):
            await ms.sync(backend_for(kodi, password="wrong"))


async def test_a_library_that_changes(kodi: RealKodi, library: Path, file_url: str) -> None:
    """A cast is edited, a film comes and one goes; Kodi gives what it refreshes another id."""
    heat, volver = library / "movies/Heat (1995)", library / "movies/Volver (2006)"
    async with MediaSync(file_url) as ms:
        await ms.sync(backend_for(kodi))
        before = await mirrored(ms, kodi, "movie")
        cast = [
            ("Val Kilmer", "Chris Shiherlis"),
            ("A Newcomer", "Somebody"),
            ("Al Pacino", "Vincent Hanna"),
        ]
        write_nfo(heat / "movie.nfo", "movie", cast, title="Heat", year=1995)
        new = library / "movies/New (2024)/New.nfo"
        write_nfo(new, "movie", cast[1:2], title="New", year=2024)
        new.with_suffix(".mkv").touch()
        shutil.rmtree(volver)
        refresh(kodi, before["Heat", 1995].remote_id)
        kodi.scan()
        kodi.clean()
        report = await ms.sync(backend_for(kodi))
        assert (report.failed, report.problems, report.remarks) == ((), (), ())
        after = await mirrored(ms, kodi, "movie")
        assert ("Volver", 2006) not in after
        assert after["Heat", 1995].id == before["Heat", 1995].id
        assert after["Heat", 1995].remote_id != before["Heat", 1995].remote_id
        assert people_of(after["Heat", 1995]) == [("actor", name, role) for name, role in cast]
        assert people_of(after["New", 2024]) == [("actor", *cast[1])]
        others = after.keys() - {("Heat", 1995), ("New", 2024)}
        assert len(others) == len(before) - 2
        for key in others:
            assert people_of(after[key]) == people_of(before[key])
        assert report.run.saved == 2
        assert (await ms.sync(backend_for(kodi))).run.saved == 0


def refresh(kodi: RealKodi, key: str) -> None:
    """Let Kodi read a film's NFO file again, and return when it has."""

    def is_read() -> bool:
        films = kodi.call("VideoLibrary.GetMovies", properties=["cast"])["movies"]
        return any(actor["name"] == "A Newcomer" for film in films for actor in film["cast"])

    kodi.call("VideoLibrary.RefreshMovie", movieid=int(key.partition("/")[2]), ignorenfo=False)
    kodi.until(is_read)


async def test_what_kodi_announces_is_heard(kodi: RealKodi, library: Path) -> None:
    """A scan that finds a film, a film that is played, a refresh, a cleaning, and a film that is removed."""
    options = HttpOptions(read_timeout=2)  # so it is asked every second whether it is still there
    backend = backend_for(kodi, events_port=kodi.tcp_port, options=options)
    heard: asyncio.Queue[Hint] = asyncio.Queue()

    async def listen() -> None:
        async with aclosing(backend.listen()) as hints:
            async for hint in hints:
                await heard.put(hint)

    async def next_hint() -> Hint:
        async with asyncio.timeout(60):
            return await heard.get()

    async with backend.open():
        listening = asyncio.create_task(listen())
        try:
            await asyncio.sleep(4)  # nothing happens, and the connection stays
            assert not listening.done()
            assert heard.empty()

            new = library / "movies/Heard (2025)/Heard.nfo"
            write_nfo(new, "movie", [("A Newcomer", "Somebody")], title="Heard", year=2025)
            new.with_suffix(".mkv").touch()
            await asyncio.to_thread(kodi.scan)
            assert await next_hint() == Hint(HintKind.SOURCE)
            films = kodi.call("VideoLibrary.GetMovies", properties=["title"])["movies"]
            [number] = [film["movieid"] for film in films if film["title"] == "Heard"]

            await asyncio.to_thread(kodi.scan)  # finds nothing
            kodi.call("VideoLibrary.SetMovieDetails", movieid=number, playcount=1)
            kodi.call("VideoLibrary.RefreshMovie", movieid=number, ignorenfo=False)
            assert await next_hint() == Hint(HintKind.REMOVED, (f"movie/{number}",))
            assert (await next_hint()).kind is HintKind.CHANGED

            shutil.rmtree(new.parent)
            await asyncio.to_thread(kodi.clean)
            cleaned = await next_hint()
            while cleaned.kind is HintKind.CHANGED:  # Kodi says twice that an item is new
                cleaned = await next_hint()
            assert cleaned == Hint(HintKind.SOURCE)

            film = kodi.call("VideoLibrary.GetMovies")["movies"][0]["movieid"]
            kodi.call("VideoLibrary.RemoveMovie", movieid=film)
            assert await next_hint() == Hint(HintKind.REMOVED, (f"movie/{film}",))
        finally:
            listening.cancel()
            await asyncio.wait({listening})
