"""Folders of plain films, which take a shorter way, and listings that are used twice."""

import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nfo_reading import actor, make_backend, movie, read, write

from mediasync.backends.base import Found, NothingStored, Unchanged
from mediasync.backends.nfo.folders.listing import Folder, Listings, list_folder
from mediasync.models import Movie

CAST = actor("Al Pacino", "Hanna", thumb="https://example.org/1.jpg") + "<director>Michael Mann</director>"
NAMES = (
    *("movie.nfo", "movie.nfo", "Movie.nfo", "Heat.nfo", "season.nfo", "tvshow.nfo", "movie-trailer.nfo"),
    *("Heat.mkv", "Heat.mkv", "heat.1995.mkv", "Heat - 4K.mkv", "Heat part 2.avi", "Heat-trailer.mp4"),
    *("sample.mkv", "movie.mkv", "S01E01.mkv"),
    *("poster.jpg", "Heat-fanart.jpg", "movie-poster.png", "Heat.jpg", "Heat.srt", ".hidden"),
    *(".actors/Al_Pacino.jpg", "CD1/Heat.mkv", "Extras/a.nfo", "VIDEO_TS/VIDEO_TS.IFO"),
)
PLACES = ("Heat (1995)", "movies/Heat (1995)", "movies", "Season 1", "tv/Heat", "Ran", "trailer")


@given(
    st.dictionaries(st.sampled_from(PLACES), st.sets(st.sampled_from(NAMES), min_size=1), min_size=1),
    st.booleans(),
)
@settings(deadline=None, max_examples=150)
async def test_a_plain_film_is_what_the_longer_way_finds(folders, is_plain):
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        for folder, names in folders.items():
            names = names | ({"movie.nfo", "Heat.mkv"} if is_plain else set())
            write(Path(place), {f"{folder}/{name}": movie("Heat", CAST) for name in names})
        short = await read(place, processes=0)
        again = await read(place, short.tokens, processes=0)
        patch.setattr(Folder, "plain_film", None)
        long = await read(place, processes=0)
        assert short == long
        assert again == await read(place, short.tokens, processes=0)


async def test_nearly_all_films_take_the_shorter_way(tmp_path):
    write(tmp_path, {"movies/Heat (1995)/movie.nfo": movie("Heat"), "movies/Heat (1995)/Heat.mkv": ""})
    assert list_folder(str(tmp_path), "movies/Heat (1995)").plain_film == ("movie.nfo", "Heat.mkv")


@pytest.mark.parametrize("added", ["2020-01-02 03:04:05", "2020-01-02T03:04:05+02:00", "yesterday", ""])
async def test_a_film_that_is_not_validated_is_valid(tmp_path, added):
    text = (
        f"{CAST}<dateadded>{added}</dateadded><plot>P</plot><rating>7.5</rating><premiered>1995-12-15</premiered>"
        '<runtime>170</runtime><genre>Drama</genre><uniqueid type="imdb">tt0113277</uniqueid><mpaa>R</mpaa>'
    )
    write(
        tmp_path,
        {"movies/A/movie.nfo": movie("Heat", text), "movies/B/movie.nfo": "<movie><year>1990</year></movie>"},
    )
    items = (await read(tmp_path)).items
    assert len(items) == 2
    for item in items.values():
        validated = Movie.model_validate(item.model_dump())
        assert validated == item
        assert repr(validated) == repr(item)
        assert validated.model_dump_json() == item.model_dump_json()


def settled(root: Path) -> None:
    """Set the times of all folders to an hour ago."""
    hour_ago = time.time() - 3600
    for place, _, _ in os.walk(root):
        os.utime(place, (hour_ago, hour_ago))


def test_a_kept_listing_is_used_once(tmp_path):
    write(tmp_path, {"A/movie.nfo": ""})
    settled(tmp_path)
    listings = Listings()
    kept = listings.keep(str(tmp_path), "A")
    assert listings.take(str(tmp_path), "A") is kept
    assert listings.take(str(tmp_path), "A") is not kept


@pytest.mark.parametrize("change", ["add", "remove", "rename", "replace"])
def test_a_kept_listing_is_not_used_if_the_folder_changed(tmp_path, change):
    write(tmp_path, {"A/movie.nfo": "", "A/Heat.mkv": ""})
    settled(tmp_path)
    listings = Listings()
    listings.keep(str(tmp_path), "A")
    folder = tmp_path / "A"
    match change:
        case "add":
            (folder / "Ran.mkv").touch()
        case "remove":
            (folder / "Heat.mkv").unlink()
        case "rename":
            (folder / "Heat.mkv").rename(folder / "Ran.mkv")
        case "replace":
            folder.rename(tmp_path / "B")
            write(tmp_path, {"A/Ran.mkv": ""})
            settled(tmp_path)
    expected = list_folder(str(tmp_path), "A")
    assert "Heat.mkv" not in expected.files or change == "add"
    assert listings.take(str(tmp_path), "A") == expected


def test_a_listing_of_a_folder_that_has_just_changed_is_not_kept(tmp_path):
    write(tmp_path, {"A/movie.nfo": ""})
    listings = Listings()
    kept = listings.keep(str(tmp_path), "A")
    assert listings.take(str(tmp_path), "A") is not kept


async def test_what_changes_after_the_libraries_were_found_is_seen(tmp_path):
    write(tmp_path, {f"movies/{name}/movie.nfo": movie(name) for name in ("Alpha", "Beta", "Gamma")})
    tokens = (await read(tmp_path)).tokens
    settled(tmp_path)
    backend = make_backend(tmp_path)
    async with backend.open():
        [library] = await backend.fetch_libraries()
        (tmp_path / "movies/Beta/movie.nfo").unlink()
        write(tmp_path, {"movies/Delta/movie.nfo": movie("Delta"), "movies/Gamma/poster.jpg": ""})
        stored = NothingStored(tokens)
        findings = [finding async for finding in backend.iter_items(library, stored)]
    assert [one.remote_id for one in findings if isinstance(one, Unchanged)] == ["movies/Alpha"]
    found = {one.item.remote_id: one.item.images for one in findings if isinstance(one, Found)}
    assert found == {"movies/Delta": {}, "movies/Gamma": {"poster": "movies/Gamma/poster.jpg"}}
