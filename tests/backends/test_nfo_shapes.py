"""What a folder is, by all that lies in it, by what its files say, and by what was stored."""

import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nfo_reading import episode, make_backend, movie, read, write

from mediasync.backends.base import Enumerated, NothingStored, Remark

SHOW = "<tvshow><title>Dark</title><plot>P</plot></tvshow>"
FILMS = {f"movies/{name}/{name}.nfo": movie(name) for name in ("Alpha", "Beta", "Gamma")}
SHOWS = {f"tv/{name}/tvshow.nfo": SHOW for name in ("Dark", "Lost", "Rome")}
KEYS = {"movies/Alpha", "movies/Beta", "movies/Gamma"}


def season(title, number=None):
    return (
        f"<season><title>{title}</title>{f'<seasonnumber>{number}</seasonnumber>' if number else ''}</season>"
    )


def kinds(reading):
    return {key: str(item.media_type) for key, item in reading.items.items()}


@pytest.mark.parametrize(
    "title",
    ["Open Season 2", "S21", "Series 7", "Staffel 1", "Season 1", "第1季", "8. Staffel", "S01E01", "10x10"],
)
@pytest.mark.parametrize("file", ["{}.nfo", "movie.nfo"])
async def test_a_film_with_the_name_of_a_season_is_a_film_and_changes_no_other(tmp_path, title, file):
    write(tmp_path, FILMS | {f"movies/{title}/{file.format(title)}": movie(title)})
    reading = await read(tmp_path)
    assert kinds(reading) == dict.fromkeys([*KEYS, f"movies/{title}"], "movie")
    assert [library.id for library in reading.libraries] == ["movies"]
    assert set((await read(tmp_path, reading.tokens)).unchanged) == set(reading.tokens)


async def test_films_that_are_all_named_like_seasons_are_films(tmp_path):
    write(tmp_path, {f"Kino/{name}/{name}.nfo": movie(name) for name in ("Series 7", "S21", "Open Season 2")})
    assert set(kinds(await read(tmp_path)).values()) == {"movie"}


@pytest.mark.parametrize("folder", ["movies", "Kino"])
@pytest.mark.parametrize("stray", ["Some Show S01E01.nfo", "0 first.nfo"])
async def test_a_lone_episode_among_films_is_reported_and_changes_no_film(tmp_path, folder, stray):
    files = {path.replace("movies", folder): text for path, text in FILMS.items()}
    write(tmp_path, files | SHOWS | {f"{folder}/{stray}": episode("Stray", 1, 1)})
    reading = await read(tmp_path)
    assert {key for key, kind in kinds(reading).items() if kind == "movie"} == {
        key.replace("movies", folder) for key in KEYS
    }
    assert list(reading.unreadable) == [f"{folder}/{stray.removesuffix('.nfo')}"]


async def test_a_lone_film_in_a_shows_folder_is_a_film(tmp_path):
    write(tmp_path, {"tv/Dark/Season 1/Dark S01E01.nfo": episode("One", 1, 1), "tv/Dark/Season 2/x.txt": ""})
    alone = await read(tmp_path)
    write(tmp_path, {"tv/Dark/The Film/The Film.nfo": movie("The Film"), "tv/Dark/Dark - A.nfo": movie("A")})
    reading = await read(tmp_path)
    assert kinds(reading) == kinds(alone) | {"tv/Dark/The Film": "movie", "tv/Dark/Dark - A": "movie"}


@pytest.mark.parametrize(
    ("stray", "text"),
    [("tvshow.nfo", SHOW), ("movie.nfo", movie("Stray")), ("season.nfo", season("Stray", 1))],
)
@pytest.mark.parametrize("where", ["", "movies/", "tv/"])
async def test_a_stray_file_in_a_root_or_library_describes_nothing(tmp_path, stray, text, where):
    write(tmp_path, FILMS | SHOWS)
    before = await read(tmp_path)
    write(tmp_path, {where + stray: text})
    reading = await read(tmp_path)
    assert kinds(reading) == kinds(before)
    assert reading.libraries == before.libraries
    assert list(reading.remarks) == [where + stray]


@pytest.mark.parametrize("folder", ["movies", "Kino"])
@pytest.mark.parametrize(
    ("stray", "text"),
    [
        ("tvshow.nfo", SHOW),
        ("season.nfo", season("Stray", 1)),
        ("season01.nfo", season("Stray", 1)),
        ("Alpha S01E01.nfo", episode("Stray", 1, 1)),
        ("Other 1x02.nfo", episode("Stray", 1, 2)),
    ],
)
async def test_a_stray_file_in_a_films_own_folder_changes_no_film(tmp_path, folder, stray, text):
    files = {path.replace("movies", folder): content for path, content in FILMS.items()}
    write(tmp_path, files | SHOWS)
    before = await read(tmp_path)
    write(tmp_path, {f"{folder}/Alpha/{stray}": text})
    reading = await read(tmp_path)
    assert kinds(reading) == kinds(before)
    stem = stray.removesuffix(".nfo")
    assert {*reading.remarks, *reading.unreadable} <= {f"{folder}/Alpha/{stray}", f"{folder}/Alpha/{stem}"}
    assert reading.remarks or reading.unreadable


async def test_a_stray_episode_beside_two_versions_of_a_film(tmp_path):
    write(tmp_path, {f"movies/Alpha/Alpha - {label}.nfo": movie("Alpha") for label in ("1080p", "4K")})
    write(tmp_path, {"movies/Alpha/Show S01E01.nfo": episode("E", 1, 1), "movies/Beta/Beta.nfo": movie("B")})
    reading = await read(tmp_path)
    assert set(reading.items) == {"movies/Alpha", "movies/Beta"}
    assert list(reading.unreadable) == ["movies/Alpha/Show S01E01"]


async def test_loose_episodes_in_a_library_of_shows_are_reported(tmp_path):
    write(tmp_path, SHOWS | {f"tv/Dark S01E0{n}.nfo": episode("E", 1, n) for n in (1, 2, 3)})
    reading = await read(tmp_path)
    assert set(reading.items) == {"tv/Dark", "tv/Lost", "tv/Rome"}
    assert list(reading.unreadable) == [f"tv/Dark S01E0{n}" for n in (1, 2, 3)]


async def test_a_disc_in_a_library_is_not_the_library(tmp_path):
    write(tmp_path, FILMS | {"movies/VIDEO_TS/VIDEO_TS.nfo": movie("Disc")})
    reading = await read(tmp_path)
    assert set(reading.items) == KEYS
    assert list(reading.remarks) == ["movies/VIDEO_TS"]


async def test_an_episode_in_the_root_beside_libraries_is_reported(tmp_path):
    write(tmp_path, FILMS | SHOWS | {"Some Show S01E01.nfo": episode("Stray", 1, 1)})
    reading = await read(tmp_path)
    assert [library.id for library in reading.libraries] == [".", "movies", "tv"]
    assert list(reading.unreadable) == ["Some Show S01E01"]


async def test_a_film_in_the_root_leaves_the_libraries(tmp_path):
    write(
        tmp_path, {f"{genre}/{name}/movie.nfo": movie(name) for genre in ("Action", "Drama") for name in "AB"}
    )
    before = await read(tmp_path)
    write(tmp_path, {"Stray.nfo": movie("Stray")})
    after = await read(tmp_path)
    assert before.library_of.items() < after.library_of.items()
    assert after.library_of["Stray"] == "."


async def test_seasons_of_several_shows_side_by_side_are_not_one_show(tmp_path):
    write(
        tmp_path,
        {
            f"{library}/{name}/{name}E01.nfo": episode(name, 1, 1)
            for library in ("tv", "Serials")
            for name in ("Dark.S01", "Lost.S01")
        },
    )
    write(tmp_path, {"flat/Dark S01E01.nfo": episode("D", 1, 1), "flat/Lost S01E01.nfo": episode("L", 1, 1)})
    found = kinds(await read(tmp_path))
    assert list(found.values()).count("episode") == 6
    assert {"tv/Dark.S01", "tv/Lost.S01", "Serials/Dark.S01", "Serials/Lost.S01"} <= set(found)


async def test_what_was_stored_stays_where_the_weights_are_even(tmp_path):
    write(tmp_path, {"x/Dark/Season 1/Dark S01E01.nfo": episode("One", 1, 1), "x/Film/movie.nfo": movie("F")})
    first = await read(tmp_path)
    assert "x/Dark" in first.items
    write(tmp_path, {f"x/Dark/Film {n}/Film {n}.nfo": movie(f"Film {n}") for n in (1, 2)})
    stored = {key: item.change_token or "" for key, item in first.items.items()}
    assert kinds(await read(tmp_path, stored | dict.fromkeys(stored, ""))).items() >= kinds(first).items()


async def test_a_file_that_changes_its_kind_is_looked_at_again(tmp_path):
    write(tmp_path, {"x/Odd/first.nfo": movie("Film"), "x/Other/movie.nfo": movie("O")})
    tokens = (await read(tmp_path)).tokens
    write(tmp_path, {"x/Odd/first.nfo": episode("An episode now", 1, 1)})
    assert kinds(await read(tmp_path, tokens))["x/Odd"] == "show"


# Extras


@pytest.mark.parametrize(
    "name", ["Extras", "Interviews", "Trailers", "Sample", "Featurettes", "Shorts", "Other"]
)
async def test_films_and_shows_may_be_called_like_extras(tmp_path, name):
    write(tmp_path, {f"tv/{name}/tvshow.nfo": SHOW, f"tv/{name}/Season 1/x S01E01.nfo": episode("A", 1, 1)})
    write(tmp_path, {f"movies/{name}/{name}.nfo": movie(name), "movies/Heat/movie.nfo": movie("Heat")})
    reading = await read(tmp_path)
    assert {f"tv/{name}", f"movies/{name}", "movies/Heat"} <= set(reading.items)
    assert len(reading.items) == 5


@pytest.mark.parametrize("title", ["Trailer", "The Sample", "Interview", "Sample", "Deleted"])
@pytest.mark.parametrize("form", ["D S01E03 - {}", "D - S01E03-{}", "D.S01E03.{}"])
async def test_episodes_may_be_called_like_extras(tmp_path, title, form):
    name = form.format(title)
    write(tmp_path, {"D/tvshow.nfo": SHOW, f"D/Season 1/{name}.nfo": episode(title, 1, 3)})
    reading = await read(tmp_path)
    assert f"D/Season 1/{name}#s01e03" in reading.items
    write(
        tmp_path,
        {"D/Season 1/D S01E02.nfo": episode("Two", 1, 2), "D/Season 1/D S01E02-trailer.nfo": movie("T")},
    )
    reading = await read(tmp_path)
    assert [key for key, kind in kinds(reading).items() if kind == "episode"] == [
        f"D/Season 1/{key}" for key in sorted([f"{name}#s01e03", "D S01E02#s01e02"], key=str.casefold)
    ]
    assert list(reading.remarks) == ["D/Season 1/D S01E02-trailer.nfo"]


async def test_a_shows_extras_folder_may_hold_episodes(tmp_path):
    write(tmp_path, {"D/tvshow.nfo": SHOW, "D/Extras/D S00E01.nfo": episode("Special", 0, 1)})
    write(tmp_path, {"D/Featurettes/a.nfo": movie("A"), "D/Featurettes/deep/b.nfo": movie("B")})
    reading = await read(tmp_path)
    assert "D/Extras/D S00E01#s00e01" in reading.items
    assert reading.remarks == {"D/Featurettes": "extras: their NFO files are not read (2: a.nfo, deep/b.nfo)"}


async def test_a_film_called_trailer_lies_among_others(tmp_path):
    write(tmp_path, {"movies/Trailer.nfo": movie("Trailer"), "movies/Heat.nfo": movie("Heat")})
    write(tmp_path, {"movies/Heat-trailer.nfo": movie("No"), "movies/Heat-trailer.mkv": ""})
    reading = await read(tmp_path)
    assert set(reading.items) == {"movies/Trailer", "movies/Heat"}
    assert reading.remarks == {"movies/Heat-trailer.nfo": "the NFO file of an extra is not read"}


async def test_the_trailer_of_a_show_is_an_extra(tmp_path):
    write(tmp_path, {"D/tvshow.nfo": SHOW, "D/tvshow-trailer.nfo": movie("No"), "D/tvshow-trailer.mp4": ""})
    reading = await read(tmp_path)
    assert (list(reading.items), list(reading.remarks)) == (["D"], ["D/tvshow-trailer.nfo"])


# Seasons


async def test_files_of_seasons_in_all_places(tmp_path):
    write(
        tmp_path,
        {"D/tvshow.nfo": SHOW, "D/season1.nfo": season("One"), "D/season-specials.nfo": season("Zero")},
    )
    write(tmp_path, {"D/Season 02.nfo": season("Two"), "D/Staffel 3/Staffel 3.nfo": season("Drei")})
    write(tmp_path, {"D/odd.nfo": season("Four", 4)})
    reading = await read(tmp_path)
    assert {key: item.title for key, item in reading.items.items() if "#" in key} == {
        "D#s00": "Zero",
        "D#s01": "One",
        "D#s02": "Two",
        "D#s03": "Drei",
        "D#s04": "Four",
    }
    assert reading.unreadable == {}


async def test_a_show_may_have_season_nfo_only(tmp_path):
    write(tmp_path, {"tv/A/Season 1/season.nfo": season("One"), "tv/B/season.nfo": season("Two", 2)} | SHOWS)
    assert {"tv/A", "tv/A#s01", "tv/B", "tv/B#s02"} <= set((await read(tmp_path)).items)


@pytest.mark.parametrize(
    "path",
    [
        *("season01.nfo", "Season 01.nfo", "SEASON1.NFO", "Season 1/season01.nfo", "Season 1/Season 1.nfo"),
        *("Staffel 1/season.nfo", "1/season.nfo"),
    ],
)
@pytest.mark.parametrize("number", [1, None])
async def test_a_show_may_have_any_one_file_of_a_season_only(tmp_path, path, number):
    write(tmp_path, SHOWS | {f"tv/A/{path}": season("One", number)})
    assert {"tv/A": "show", "tv/A#s01": "season"}.items() <= kinds(await read(tmp_path)).items()


@pytest.mark.parametrize("folder", ["02", "2", "Dark.S02.1080p", "Season 2", "Zweite Staffel", "T02"])
@pytest.mark.parametrize("described", [True, False])
async def test_the_folder_of_a_season_numbers_its_files(tmp_path, folder, described):
    names = ("E01", "02 - Two", "Episode 3", "Dark - 04", "Dark 05", "Dark.06.Six")
    write(tmp_path, {f"x/Dark/{folder}/{name}.nfo": episode(name) for name in names})
    if described:
        write(tmp_path, {"x/Dark/tvshow.nfo": SHOW})
    else:
        write(tmp_path, {"x/Dark/S01E01.nfo": episode("Pilot", 1, 1)})
    items = (await read(tmp_path)).items.values()
    numbers = [(item.season_number, item.episode_number) for item in items if item.media_type == "episode"]
    assert sorted(pair for pair in numbers if pair[0] == 2) == [(2, number) for number in range(1, 7)]


@pytest.mark.parametrize(
    ("path", "numbers"),
    [
        ("Сезон 1/X - 1 сезон 2 серия", (1, 2)),
        ("第2期/第3話", (2, 3)),
        ("第一季/第二集", (1, 2)),
        ("시즌 2/X.제3회", (2, 3)),
        ("1. Staffel/X - Folge 1", (1, 1)),
        ("2e saison/X 02", (2, 2)),
        ("Hors-série/X 01", (0, 1)),
        ("Temporada 1/X [Cap.102]", (1, 2)),
        ("2. série/3. díl", (2, 3)),
        ("3. évad/4. rész", (3, 4)),
        ("1. Sezon/2. Bölüm", (1, 2)),
        ("Κύκλος 2/Επεισόδιο 3", (2, 3)),
        ("עונה 3/פרק 4", (3, 4)),
        ("الموسم 4/الحلقة 5", (4, 5)),
        ("Säsong 1/Avsnitt 2", (1, 2)),
        ("4. kausi/Jakso 5", (4, 5)),
    ],
)
async def test_numbers_from_folders_and_files_in_many_languages(tmp_path, path, numbers):
    write(tmp_path, {"tv/X/tvshow.nfo": SHOW, f"tv/X/{path}.nfo": episode("E")})
    [item] = [item for item in (await read(tmp_path)).items.values() if item.media_type == "episode"]
    assert (item.season_number, item.episode_number) == numbers
    assert item.parent_remote_id == f"tv/X#s{numbers[0]:02}"


async def test_the_root_may_be_a_show_with_numbers_for_its_seasons(tmp_path):
    write(tmp_path, {"tvshow.nfo": SHOW, "1/E01.nfo": episode("A"), "2/E01.nfo": episode("B")})
    reading = await read(tmp_path)
    assert set(reading.items) == {".", ".#s01", ".#s02", "1/E01#s01e01", "2/E01#s02e01"}


async def test_a_show_may_have_a_number_for_its_title(tmp_path):
    for title in ("24", "1883"):
        write(tmp_path, {f"x/{title}/{title} S01E01.nfo": episode("A", 1, 1)})
    write(tmp_path, {"x/Heat/movie.nfo": movie("Heat")})
    assert {"x/24", "x/1883", "x/Heat"} <= set((await read(tmp_path)).items)


async def test_the_folder_of_a_season_may_hold_the_only_file_of_the_show(tmp_path):
    for number in (1, 2):
        write(tmp_path, {f"tv/Dark/Season {number}/tvshow.nfo": SHOW.replace("Dark", f"Dark {number}")})
        write(tmp_path, {f"tv/Dark/Season {number}/D S0{number}E01.nfo": episode("E", number, 1)})
    reading = await read(tmp_path)
    assert [key for key, kind in kinds(reading).items() if kind == "show"] == ["tv/Dark"]
    assert reading.items["tv/Dark"].title == "Dark 1"
    assert list(reading.remarks) == ["tv/Dark/Season 2/tvshow.nfo"]


async def test_tvshow_nfo_in_the_folder_of_a_season_that_is_named_like_a_release(tmp_path):
    write(tmp_path, {"tv/Dark/tvshow.nfo": SHOW, "tv/Dark/Dark.S01.1080p/tvshow.nfo": SHOW})
    write(tmp_path, {"tv/Dark/Dark.S01.1080p/Dark.S01E01.nfo": episode("E", 1, 1)})
    reading = await read(tmp_path)
    assert [key for key, kind in kinds(reading).items() if kind == "show"] == ["tv/Dark"]
    assert list(reading.remarks) == ["tv/Dark/Dark.S01.1080p/tvshow.nfo"]


async def test_strays_in_the_folder_of_a_season(tmp_path):
    write(
        tmp_path,
        {"D/tvshow.nfo": SHOW, "D/Season 1/tvshow.nfo": SHOW, "D/Season 1/movie.nfo": movie("Stray")},
    )
    write(tmp_path, {"D/Season 1/D S01E01.nfo": episode("One", 1, 1), "D/Season 2/tvshow.nfo": SHOW})
    reading = await read(tmp_path)
    assert list(reading.items) == ["D", "D#s01", "D/Season 1/D S01E01#s01e01"]
    assert list(reading.remarks) == ["D/Season 1/movie.nfo", "D/Season 1/tvshow.nfo", "D/Season 2/tvshow.nfo"]


async def test_the_show_names_its_seasons_and_is_not_read_again_for_it(tmp_path):
    named = '<namedseason number="1">First Light</namedseason><namedseason number="x">No</namedseason>'
    write(tmp_path, {"D/tvshow.nfo": f"<tvshow><title>Dark</title><plot>P</plot>{named}</tvshow>"})
    write(tmp_path, {f"D/D S0{n}E01.nfo": episode("A", n, 1) for n in (1, 2)})
    first = await read(tmp_path)
    assert [first.items[f"D#s0{n}"].title for n in (1, 2)] == ["First Light", "Season 2"]
    assert set((await read(tmp_path, first.tokens)).unchanged) == set(first.items)
    write(tmp_path, {"D/season01-poster.jpg": ""})
    second = await read(tmp_path, first.tokens)
    assert (list(second.items), second.items["D#s01"].title) == (["D#s01"], "First Light")
    write(tmp_path, {"D/tvshow.nfo": "<tvshow"})
    broken = await read(tmp_path, first.tokens)
    assert (broken.items, list(broken.unreadable)) == ({}, ["D"])


@pytest.mark.parametrize(
    "named",
    [
        '<namedseasons><namedseason number="1">First</namedseason></namedseasons>',
        '<namedSeason season="1">First</namedSeason>',
    ],
)
async def test_names_of_seasons_in_other_spellings(tmp_path, named):
    write(tmp_path, {"D/tvshow.nfo": f"<tvshow><title>D</title>{named}</tvshow>"})
    write(tmp_path, {"D/D S01E01.nfo": episode("A", 1, 1)})
    assert (await read(tmp_path)).items["D#s01"].title == "First"


# What cannot be read


async def test_entries_of_the_root_that_are_left_out_are_named(tmp_path):
    write(tmp_path, {"outside/Dark/tvshow.nfo": SHOW})
    root = tmp_path / "root"
    write(root, FILMS)
    (root / "tv").symlink_to(tmp_path / "outside")
    os.mkfifo(root / "pipe.nfo")
    (root / "gone.nfo").symlink_to(tmp_path / "nowhere")
    (root / "anime").symlink_to(tmp_path / "nowhere")
    (root / "clip.mkv").symlink_to(tmp_path / "nowhere")
    (root / "movies" / "Alpha" / "gone.nfo").symlink_to("nowhere")
    for _ in range(2):
        reading = await read(root)
        assert set(reading.items) == KEYS
        assert reading.remarks == {
            "anime": "a link that leads nowhere",
            "clip.mkv": "a video without an NFO file",
            "gone.nfo": "a link that leads nowhere",
            "movies/Alpha/gone.nfo": "a link that leads nowhere",
            "pipe.nfo": "a pipe, a socket or a device is not read",
            "tv": "a link that leads out of the root is not followed",
        }


@pytest.fixture
def unprivileged():
    """A folder in which permissions are checked, whoever runs the tests."""
    root = Path(tempfile.mkdtemp())
    nobody, uid = 65534, os.geteuid()
    if uid == 0:
        os.chown(root, nobody, nobody)
        os.seteuid(nobody)
    yield root
    if uid == 0:
        os.seteuid(0)
    for path in root.rglob("*"):
        path.chmod(0o700)
    shutil.rmtree(root)


async def test_a_locked_library_fails_alone(unprivileged):
    write(unprivileged, FILMS | SHOWS)
    tokens = (await read(unprivileged)).tokens
    (unprivileged / "movies").chmod(0)
    reading = await read(unprivileged, tokens)
    assert reading.unreadable == {"movies": "the folder cannot be listed: Permission denied"}
    assert reading.enumerated == {
        "movies": Enumerated(None, False, "folders that cannot be listed: 1"),
        "tv": Enumerated(None),
    }
    assert set(reading.unchanged) == {key for key in tokens if key.startswith("tv/")}


async def test_an_empty_folder_is_remarked_where_items_are_stored(tmp_path):
    write(tmp_path, FILMS | SHOWS)
    tokens = (await read(tmp_path)).tokens
    shutil.rmtree(tmp_path / "movies")
    (tmp_path / "movies").mkdir()
    backend = make_backend(tmp_path)
    async with backend.open():
        library = next(one for one in await backend.fetch_libraries() if one.id == "movies")
        text = "the folder is empty: is a disk not mounted?"
        films = {key: token for key, token in tokens.items() if key in KEYS}
        assert [finding async for finding in backend.iter_items(library, NothingStored(films))] == [
            Remark("movies", text),
            Enumerated(None),
        ]
        assert [finding async for finding in backend.iter_items(library, NothingStored())] == [
            Enumerated(None)
        ]


async def test_many_videos_without_an_nfo_file_are_one_remark(tmp_path):
    write(tmp_path, FILMS | {f"movies/Film {n:03}/Film {n:03}.mkv": "" for n in range(20)})
    assert len((await read(tmp_path)).remarks) == 20
    write(tmp_path, {"movies/Film 999/Film 999.mkv": ""})
    for _ in range(2):
        remarks = (await read(tmp_path)).remarks
        assert list(remarks) == ["movies"]
        assert remarks["movies"].startswith(
            "21 videos without an NFO file; the first are movies/Film 000/Film"
        )


# Laws

ODD = {
    "movies/Series 7/Series 7.nfo": movie("Series 7"),
    "movies/S21/movie.nfo": movie("S21"),
    "movies/Stray S01E01.nfo": episode("Stray", 1, 1),
    "movies/tvshow.nfo": SHOW,
    "movies/movie.nfo": movie("Stray"),
    "movies/Extras/Extras.nfo": movie("Extras"),
    "movies/Trailer.nfo": movie("Trailer"),
    "movies/Alpha/Alpha-trailer.nfo": movie("T"),
    "movies/Alpha/extras/x.nfo": movie("X"),
    "movies/Alpha/Alpha.UNCUT.nfo": movie("Alpha"),
    "movies/Alpha/Another (2002).nfo": movie("Another"),
    "movies/Alpha/tvshow.nfo": SHOW,
    "movies/Alpha/season.nfo": season("Stray", 1),
    "movies/Beta/Stray S01E01.nfo": episode("Stray", 1, 1),
    "movies/1917/1917.nfo": movie("1917"),
    "movies/season01.nfo": season("Stray", 1),
    "tv/Dark/300/300.nfo": movie("300"),
    "tv/Dark/03/E01.nfo": episode("E", 3, 1),
    "tv/Dark/Season 2/season02.nfo": season("Two", 2),
    "tv/Bare S01E01.nfo": episode("Stray", 1, 1),
    "movies/Season 1/Show S01E01.nfo": episode("E", 1, 1),
    "movies/VIDEO_TS/VIDEO_TS.nfo": movie("Disc"),
    "tv/tvshow.nfo": SHOW,
    "tv/Dark/movie.nfo": movie("Stray"),
    "tv/Dark/Film/Film.nfo": movie("Film"),
    "tv/Dark/Season 1/tvshow.nfo": SHOW,
    "tv/Lone Film/movie.nfo": movie("Lone"),
    "movie.nfo": movie("Stray"),
    "tvshow.nfo": SHOW,
    "Season 1/X S01E01.nfo": episode("X", 1, 1),
    "Stray S01E01.nfo": episode("Stray", 1, 1),
}
USUAL = (
    FILMS
    | SHOWS
    | {f"tv/Dark/Season {n}/Dark S0{n}E01.nfo": episode("E", n, 1) for n in (1, 2)}
    | {f"tv/Bare/Season {n}/Bare S0{n}E01.nfo": episode("E", n, 1) for n in (1, 2)}
)


@given(st.sets(st.sampled_from(sorted(ODD)), max_size=6))
@settings(deadline=None, max_examples=60)
async def test_odd_entries_never_change_the_others(odd):
    root = Path(tempfile.mkdtemp())
    try:
        write(root, USUAL)
        usual = await read(root)
        write(root, {path: ODD[path] for path in odd})
        reading = await read(root)
        assert kinds(reading).items() >= kinds(usual).items()
        assert reading.library_of.items() >= usual.library_of.items()
        again = await read(root, {key: item.change_token or "" for key, item in reading.items.items()})
        assert set(again.items) | set(again.unchanged) == set(reading.items)
        assert (again.remarks, again.unreadable) == (reading.remarks, reading.unreadable)
        new = reading.items.keys() - usual.items.keys()
        named = [*new, *reading.remarks, *reading.unreadable]
        merged = {"movies/Alpha/Alpha.UNCUT.nfo", "tv/Dark/Season 2/season02.nfo"}
        for path in odd - merged:
            assert any(path.startswith(key.partition("#")[0].removesuffix(".nfo")) for key in named), path
    finally:
        shutil.rmtree(root)


@given(st.sets(st.sampled_from(sorted(ODD)), max_size=8), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
async def test_the_order_of_a_listing_does_not_matter(odd, order: random.Random):
    root = Path(tempfile.mkdtemp())
    real = os.scandir

    class Shuffled:
        def __init__(self, path):
            with real(path) as entries:
                self.entries = list(entries)
            order.shuffle(self.entries)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            pass

        def close(self):
            pass

    try:
        write(root, USUAL | {path: ODD[path] for path in odd})
        straight = await read(root)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("mediasync.backends.nfo.folders.listing.os.scandir", Shuffled)
            assert (await read(root)).findings == straight.findings
    finally:
        shutil.rmtree(root)
