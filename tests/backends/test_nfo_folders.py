"""Which file describes which item, in folders of all kinds that each test writes."""

import os

import pytest
from nfo_reading import actor, episode, make_backend, movie, people, read, write

from mediasync.backends.base import NothingStored
from mediasync.backends.nfo import NfoBackend
from mediasync.errors import LifecycleError, SourceUnreachable, UnknownLibrary
from mediasync.models import Library, Source

SHOW = "<tvshow><title>Dark</title><year>2017</year></tvshow>"


def libraries(reading):
    return {library.id: library.kind for library in reading.libraries}


# Libraries


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, {".": "mixed"}),
        ({"movie.nfo": movie("A")}, {".": "movies"}),
        ({"Heat.nfo": movie("Heat")}, {".": "movies"}),
        ({"tvshow.nfo": SHOW}, {".": "shows"}),
        ({"Season 1/D S01E01.nfo": episode("A")}, {".": "shows"}),
        ({"Heat (1995)/Heat.nfo": movie("Heat"), "Ran/movie.nfo": movie("Ran")}, {".": "movies"}),
        (
            {"Heat (1995)/movie.nfo": movie("Heat"), "Dark/tvshow.nfo": SHOW, "a.nfo": movie("A")},
            {".": "mixed"},
        ),
        (
            {"movies/A/movie.nfo": movie("A"), "tvshows/D/tvshow.nfo": SHOW},
            {"movies": "movies", "tvshows": "shows"},
        ),
        (
            {"Action/A/movie.nfo": movie("A"), "Drama/B/movie.nfo": movie("B")},
            {"Action": "movies", "Drama": "movies"},
        ),
        ({"Action/A/movie.nfo": movie("A"), "B/movie.nfo": movie("B")}, {".": "movies"}),
        ({"Movies/A/movie.nfo": movie("A"), "B/movie.nfo": movie("B")}, {".": "movies", "Movies": "movies"}),
        ({"all/A/movie.nfo": movie("A"), "all/D/tvshow.nfo": SHOW, "docs/a/b.txt": ""}, {"all": "mixed"}),
        ({"movies/.keep": "", "TV/x.txt": ""}, {"movies": "movies", "TV": "shows"}),
        ({"deep/er/and/A/movie.nfo": movie("A")}, {"deep": "movies"}),
        ({"movies/Only.nfo": movie("Only")}, {"movies": "movies"}),
        ({"a/b.txt": "", "c/d/e.txt": ""}, {".": "mixed"}),
        ({"videos/a/A.mkv": "", "videos/b/B.mkv": ""}, {"videos": "movies"}),
    ],
)
async def test_libraries(tmp_path, files, expected):
    write(tmp_path, files)
    reading = await read(tmp_path)
    assert libraries(reading) == expected
    described = sum(path.endswith(".nfo") for path in files)
    read_items = [item for item in reading.items.values() if item.change_token]
    assert len(read_items) == described
    assert reading.unreadable == {}


async def test_library_ids_and_keys_do_not_depend_on_the_mount(tmp_path):
    files = {
        "Heat.nfo": movie("Heat"),
        "Heat.mkv": "",
        "movies/movie.nfo": movie("stray"),
        "movies/A.nfo": movie("A"),
        "movies/B/movie.nfo": movie("B"),
    }
    readings = []
    for name in ("Heat", "movies", "x"):
        write(tmp_path / name, files)
        readings.append(await read(tmp_path / name))
    assert {tuple(reading.items) for reading in readings} == {("Heat", "movies/A", "movies/B")}
    assert {tuple(libraries(reading)) for reading in readings} == {(".", "movies")}
    assert readings[0].library_of == {"Heat": ".", "movies/A": "movies", "movies/B": "movies"}


async def test_an_unknown_library_and_a_closed_backend_are_errors(tmp_path):
    backend = make_backend(tmp_path)
    with pytest.raises(LifecycleError, match="not open"):
        await backend.fetch_libraries()
    async with backend.open():
        with pytest.raises(UnknownLibrary, match="'nothing'"):
            await anext(
                backend.iter_items(Library(id="nothing", source_id="folder", kind="movies"), NothingStored())
            )
    with pytest.raises(ValueError, match="1 or more"):
        NfoBackend(tmp_path, source=Source(id="a", kind="nfo"), threads=0)


async def test_a_root_that_is_not_there_is_unreachable(tmp_path):
    write(tmp_path, {"file": ""})
    for root in (tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(SourceUnreachable, match="'folder'"):
            async with make_backend(root).open():
                pass


async def test_a_root_that_goes_away_is_unreachable(tmp_path):
    root = tmp_path / "root"
    write(root, {f"movies/{name}/movie.nfo": movie(name) for name in "AB"})
    backend = make_backend(root)
    async with backend.open():
        [library] = await backend.fetch_libraries()
        root.rename(tmp_path / "elsewhere")
        with pytest.raises(SourceUnreachable):
            await anext(backend.iter_items(library, NothingStored()))
    backend = make_backend(tmp_path / "elsewhere")
    async with backend.open():
        (tmp_path / "elsewhere").rename(root)
        with pytest.raises(SourceUnreachable):
            await backend.fetch_libraries()


# Films


@pytest.mark.parametrize(
    ("files", "key", "path"),
    [
        (["Heat (1995)/movie.nfo", "Heat (1995)/Heat.mkv"], "Heat (1995)", "Heat (1995)/Heat.mkv"),
        (["Heat (1995)/movie.nfo"], "Heat (1995)", "Heat (1995)/movie.nfo"),
        (["Heat (1995)/Heat.nfo"], "Heat (1995)", "Heat (1995)/Heat.nfo"),
        (
            ["Heat (1995)/heat.1995.x264-grp.nfo"],
            "Heat (1995)",
            "Heat (1995)/heat.1995.x264-grp.nfo",
        ),
        (
            ["Heat (1995)/Heat (1995) - 1080p.nfo", "Heat (1995)/Heat (1995) - 4K.mkv"],
            "Heat (1995)",
            "Heat (1995)/Heat (1995) - 4K.mkv",
        ),
        (["Heat (1995)/Heat.nfo", "Heat (1995)/other.mkv"], "Heat (1995)", "Heat (1995)/other.mkv"),
        (["Heat/Heat.nfo", "Heat/Heat - My Own Cut.mkv"], "Heat", "Heat/Heat - My Own Cut.mkv"),
        (
            ["Heat/Heat - cd1.nfo", "Heat/Heat - cd1.avi", "Heat/Heat - cd2.avi"],
            "Heat",
            "Heat/Heat - cd1.avi",
        ),
        (["Heat/VIDEO_TS/VIDEO_TS.nfo", "Heat/VIDEO_TS/VTS_01_1.VOB"], "Heat", "Heat/VIDEO_TS"),
        (["Heat/BDMV/index.nfo", "Heat/BDMV/STREAM/0.m2ts"], "Heat", "Heat/BDMV"),
        (["Heat/movie.nfo", "Heat/CD1/a.avi", "Heat/CD2/b.avi"], "Heat", "Heat/movie.nfo"),
        (["Heat.nfo", "Heat.mkv"], "Heat", "Heat.mkv"),
        (["movie.nfo", "Heat.mkv"], ".", "Heat.mkv"),
        (["VIDEO_TS/VIDEO_TS.nfo"], ".", "VIDEO_TS"),
        (["...And Justice/movie.nfo"], "...And Justice", "...And Justice/movie.nfo"),
        (["Me\u0301lo/movie.nfo"], "M\u00e9lo", "Me\u0301lo/movie.nfo"),
        (["Heat/Heat.nfo", "Heat/odd folder/readme.txt"], "Heat", "Heat/Heat.nfo"),
        (["Folder/Heat.nfo", "Folder/odd folder/readme.txt"], "Folder/Heat", "Folder/Heat.nfo"),
    ],
)
async def test_the_key_and_path_of_a_film(tmp_path, files, key, path):
    write(tmp_path, {file: movie("T") if file.endswith(".nfo") else "" for file in files})
    reading = await read(tmp_path)
    assert list(reading.items) == [key]
    assert reading.items[key].path == path
    assert (reading.unreadable, reading.remarks) == ({}, {})


async def test_movie_nfo_wins_in_a_films_own_folder(tmp_path):
    write(tmp_path, {"Heat/movie.nfo": movie("New"), "Heat/Heat.nfo": movie("Old"), "Heat/Heat.mkv": ""})
    reading = await read(tmp_path)
    assert [item.title for item in reading.items.values()] == ["New"]
    assert reading.remarks == {}


async def test_movie_nfo_is_nobodys_in_a_folder_of_many(tmp_path):
    write(
        tmp_path, {"all/movie.nfo": movie("Stray"), "all/A.nfo": movie("A"), "all/A.mkv": "", "all/B.mkv": ""}
    )
    write(tmp_path, {"none/movie.nfo": movie("Stray"), "none/C/movie.nfo": movie("C")})
    write(tmp_path, {"two/movie.nfo": movie("Stray"), "two/X.nfo": movie("X"), "two/Y.nfo": movie("Y")})
    reading = await read(tmp_path)
    assert list(reading.items) == ["all/A", "none/C", "two/X", "two/Y"]
    nobodys = "movie.nfo in a folder of many films describes none of them"
    assert reading.remarks == {
        "all/movie.nfo": nobodys,
        "all/B.mkv": "a video without an NFO file",
        "none/movie.nfo": nobodys,
        "two/movie.nfo": nobodys,
    }


async def test_versions_parts_trailers_and_extras_are_no_films(tmp_path):
    names = [
        "Heat - 1080p.nfo",
        "Heat - 1080p.mkv",
        "Heat - 4K HDR.mkv",
        "Heat [Extended Cut].mkv",
        "Heat-trailer.mkv",
    ]
    names += ["sample.mkv", "Heat.sample.mkv", "Heat-behindthescenes.mkv", "Heat-trailer.nfo"]
    write(tmp_path, {f"Heat/{name}": movie("Heat") if name.endswith(".nfo") else "" for name in names})
    for folder in (
        "behind the scenes",
        "Deleted Scenes",
        "extras",
        "featurettes",
        "interviews",
        "scenes",
        "shorts",
    ):
        write(tmp_path, {f"Heat/{folder}/x.nfo": movie("No"), f"Heat/{folder}/x.mkv": ""})
    for folder in (
        "trailers",
        "other",
        "samples",
        "sample",
        ".hidden",
        "@eaDir",
        "lost+found",
        "$RECYCLE.BIN",
    ):
        write(tmp_path, {f"Heat/{folder}/x.nfo": movie("No")})
    write(tmp_path, {"Heat/._Heat.nfo": b"\x00\x05\x16\x07", "Heat/.nfo": ""})
    reading = await read(tmp_path)
    assert list(reading.items) == ["Heat"]
    assert reading.unreadable == {}
    assert reading.remarks.pop("Heat/Heat-trailer.nfo") == "the NFO file of an extra is not read"
    assert reading.remarks["Heat/behind the scenes"] == "extras: their NFO files are not read (1: x.nfo)"
    assert len(reading.remarks) == 12


async def test_parts_with_an_nfo_file_each_are_films(tmp_path):
    write(
        tmp_path,
        {
            f"all/Hallows - Part {n}.{suffix}": movie(f"Hallows {n}")
            for n in (1, 2)
            for suffix in ("nfo", "mkv")
        },
    )
    write(tmp_path, {"all/Ran pt1.nfo": movie("Ran"), "all/Ran pt1.mkv": "", "all/Ran pt2.mkv": ""})
    reading = await read(tmp_path)
    assert list(reading.items) == ["all/Hallows - Part 1", "all/Hallows - Part 2", "all/Ran"]


async def test_a_stray_file_in_a_films_own_folder_is_named(tmp_path):
    write(
        tmp_path,
        {"Heat (1995)/Heat.nfo": movie("Heat"), "Heat (1995)/scene.nfo": "text", "Heat (1995)/Heat.mkv": ""},
    )
    write(tmp_path, {"Ran/VIDEO_TS/VIDEO_TS.nfo": movie("Ran"), "Ran/bonus.nfo": movie("Bonus")})
    reading = await read(tmp_path)
    assert list(reading.items) == ["Heat (1995)", "Ran"]
    assert reading.remarks == {
        "Heat (1995)/scene.nfo": "not read: it does not describe a film",
        "Ran/bonus.nfo": "not read: the folder belongs to another film",
    }


async def test_a_film_without_a_title_is_called_like_its_folder(tmp_path):
    write(tmp_path, {"The Thing (1982)/movie.nfo": "<movie><title/><plot>Cold.</plot></movie>"})
    write(tmp_path, {"Heat (1995)/movie.nfo": "https://www.imdb.com/title/tt0113277/"})
    write(tmp_path, {"Ran.1985.1080p/movie.nfo": f"<movie>{actor('A')}</movie>"})
    reading = await read(tmp_path)
    ran = reading.items["Ran.1985.1080p"]
    assert (ran.title, ran.year, len(ran.credits)) == ("Ran", 1985, 1)
    assert reading.problems == {"Ran.1985.1080p": ("no title: the name of the folder or file is used",)}
    thing, heat = reading.items["The Thing (1982)"], reading.items["Heat (1995)"]
    assert (thing.title, thing.year, heat.title, heat.year) == ("The Thing", 1982, "Heat", 1995)
    assert (heat.credits, heat.completeness, heat.provider_ids) == (None, None, {"imdb": "tt0113277"})


async def test_a_loose_film_beside_a_folder_of_its_name_is_reported(tmp_path):
    write(
        tmp_path,
        {
            "Heat.nfo": movie("Loose"),
            "Heat/movie.nfo": movie("Own"),
            "Ran.nfo": movie("Ran"),
            "Ran/x.txt": "",
        },
    )
    reading = await read(tmp_path)
    assert {key: item.title for key, item in reading.items.items()} == {"Ran": "Ran", "Heat": "Own"}
    assert "'Heat'" in reading.unreadable["Heat.nfo"]


async def test_several_films_in_one_file_and_things_that_are_no_films(tmp_path):
    write(
        tmp_path,
        {"A/movie.nfo": movie("One") + movie("Two"), "B/movie.nfo": "<album><title>T</title></album>"},
    )
    write(tmp_path, {"C/movie.nfo": SHOW})
    reading = await read(tmp_path)
    assert reading.items["A"].title == "One"
    assert reading.problems == {"A": ("2 films in one file: only the first is used",)}
    assert reading.remarks == {"B/movie.nfo": "<album> is about neither a film nor a show"}
    assert reading.unreadable == {"C": "C/movie.nfo: it describes a show, which does not belong here"}


async def test_artwork_and_actors_pictures(tmp_path):
    people_ = actor("Ann Lee") + actor("Bo", thumb="https://x.org/b.jpg") + actor("Cy")
    thumb = (
        "<thumb aspect='poster'>https://x.org/p.jpg</thumb><thumb aspect='banner'>https://x.org/b.jpg</thumb>"
    )
    write(tmp_path, {"Heat/movie.nfo": movie("Heat", people_ + thumb)})
    write(
        tmp_path,
        {
            f"Heat/{name}": ""
            for name in ("folder.jpg", "backdrop.png", "Heat-poster.jpg", "Heat.mkv", "x.jpg")
        },
    )
    write(tmp_path, {"Heat/.actors/Ann_Lee.jpg": "", "Heat/.actors/Bo.jpg": ""})
    write(tmp_path, {"all/A.nfo": movie("A"), "all/B.nfo": movie("B"), "all/A.jpg": "", "all/poster.jpg": ""})
    reading = await read(tmp_path)
    heat = reading.items["Heat"]
    assert heat.images == {
        "poster": "Heat/Heat-poster.jpg",
        "fanart": "Heat/backdrop.png",
        "banner": "https://x.org/b.jpg",
    }
    assert [credit.person.image_path for credit in heat.credits] == [
        "Heat/.actors/Ann_Lee.jpg",
        "https://x.org/b.jpg",
        None,
    ]
    assert (reading.items["all/A"].images, reading.items["all/B"].images) == ({"poster": "all/A.jpg"}, {})


# Shows


async def test_a_show_its_seasons_and_episodes_in_order(tmp_path):
    show = "Dark (2017)"
    write(tmp_path, {f"{show}/tvshow.nfo": SHOW, f"{show}/season02-poster.jpg": "", f"{show}/poster.jpg": ""})
    write(
        tmp_path,
        {f"{show}/Season 02/D S02E01.nfo": episode("Two", 2, 1), f"{show}/Season 02/D S02E01-thumb.jpg": ""},
    )
    write(tmp_path, {f"{show}/Season 01/D S01E01.nfo": episode("One"), f"{show}/Season 01/D S01E01.mkv": ""})
    write(tmp_path, {f"{show}/Season 01/season.nfo": "<season><title>First</title><plot>P</plot></season>"})
    write(tmp_path, {f"{show}/Specials/Making.nfo": episode("Making", 0, 1)})
    write(tmp_path, {f"{show}/Season 01/D S01E02.mkv": "", f"{show}/Season 01/D S01E01 - 4K.mkv": ""})
    write(tmp_path, {f"{show}/extras/x.mkv": "", f"{show}/movie.nfo": movie("Stray")})
    reading = await read(tmp_path)
    assert list(reading.items) == [
        show,
        f"{show}#s00",
        f"{show}#s01",
        f"{show}#s02",
        f"{show}/Season 01/D S01E01#s01e01",
        f"{show}/Season 02/D S02E01#s02e01",
        f"{show}/Specials/Making#s00e01",
    ]
    items = reading.items
    assert items[show].images == {"poster": f"{show}/poster.jpg"}
    assert [items[f"{show}#s0{n}"].title for n in range(3)] == ["Specials", "First", "Season 2"]
    assert items[f"{show}#s02"].images == {"poster": f"{show}/season02-poster.jpg"}
    assert items[f"{show}#s02"].path == f"{show}/Season 02"
    one, two = items[f"{show}/Season 01/D S01E01#s01e01"], items[f"{show}/Season 02/D S02E01#s02e01"]
    assert (one.season_number, one.episode_number, one.parent_remote_id) == (1, 1, f"{show}#s01")
    assert one.path == f"{show}/Season 01/D S01E01.mkv"
    assert (two.path, two.images) == (
        f"{show}/Season 02/D S02E01.nfo",
        {"thumb": f"{show}/Season 02/D S02E01-thumb.jpg"},
    )
    assert reading.remarks == {
        f"{show}/movie.nfo": "movie.nfo in a show's folder describes nothing",
        f"{show}/Season 01/D S01E02.mkv": "a video without an NFO file",
    }


async def test_a_show_without_its_own_file_is_made_from_the_folder(tmp_path):
    write(tmp_path, {"tv/Dark (2017)/Season 1/D S01E01.nfo": episode("A")})
    write(tmp_path, {"tv/Flat (2001)/Flat S02E03.nfo": episode("B"), "tv/Odd/first.nfo": episode("C", 1, 1)})
    write(tmp_path, {"tv/Odd/second.nfo": episode("D", 1, 2), "tv/Ten/Ten 10x10.nfo": episode("E")})
    write(
        tmp_path, {"tv/10x10 (2018)/10x10 (2018).nfo": movie("10x10"), "tv/Empty/Season 1/E S01E01.mkv": ""}
    )
    reading = await read(tmp_path)
    made = {key: (item.title, item.year) for key, item in reading.items.items() if item.media_type == "show"}
    assert made == {
        "tv/Dark (2017)": ("Dark", 2017),
        "tv/Flat (2001)": ("Flat", 2001),
        "tv/Odd": ("Odd", None),
        "tv/Ten": ("Ten", None),
    }
    assert reading.items["tv/Ten/Ten 10x10#s10e10"].parent_remote_id == "tv/Ten#s10"
    assert reading.items["tv/10x10 (2018)"].media_type == "movie"
    assert all(reading.items[key].credits is None for key in made)
    assert reading.remarks == {"tv/Empty/Season 1/E S01E01.mkv": "a video without an NFO file"}
    second = await read(tmp_path, reading.tokens)
    assert set(second.unchanged) == set(reading.tokens)


async def test_numbers_from_the_name_where_the_file_has_none(tmp_path):
    write(
        tmp_path,
        {"D/tvshow.nfo": SHOW, "D/Season 3/x.nfo": episode("By folder", extra="<episode>7</episode>")},
    )
    write(
        tmp_path,
        {"D/D s01e02-e04.nfo": episode("Range"), "D/D S01E05E06.nfo": episode("Five") + episode("Six")},
    )
    write(
        tmp_path,
        {"D/D 2x07-08.nfo": episode(""), "D/pilot.nfo": episode("Pilot"), "D/blank.nfo": episode("")},
    )
    write(
        tmp_path,
        {"D/twice S01E09.nfo": episode("A", 1, 9) + episode("B", 1, 9), "D/S01E10-720p.nfo": episode("Ten")},
    )
    reading = await read(tmp_path)
    items = {
        key.removeprefix("D/"): item for key, item in reading.items.items() if item.media_type == "episode"
    }
    assert {
        key: (item.episode_number, item.episode_number_end, item.title) for key, item in items.items()
    } == {
        "blank": (None, None, "blank"),
        "D 2x07-08#s02e07": (7, 8, "Episode 7"),
        "D s01e02-e04#s01e02": (2, 4, "Range"),
        "D S01E05E06#s01e05": (5, None, "Five"),
        "D S01E05E06#s01e06": (6, None, "Six"),
        "pilot": (None, None, "Pilot"),
        "S01E10-720p#s01e10": (10, None, "Ten"),
        "twice S01E09#s01e09": (9, None, "A"),
        "Season 3/x#s03e07": (7, None, "By folder"),
    }
    assert items["pilot"].parent_remote_id == "D"
    assert list(reading.problems) == ["D/twice S01E09#s01e09"]
    assert set((await read(tmp_path, reading.tokens)).unchanged) == set(reading.tokens)


async def test_other_kinds_in_a_show(tmp_path):
    write(tmp_path, {"D/tvshow.nfo": movie("Dark"), "D/D S01E01.nfo": movie("Taken as an episode")})
    write(
        tmp_path,
        {"D/Film.nfo": movie("Film"), "D/Show.nfo": SHOW, "D/theme.nfo": "<album><title>T</title></album>"},
    )
    write(tmp_path, {"D/The Film/movie.nfo": movie("Own folder"), "D/Spin-off/tvshow.nfo": SHOW})
    reading = await read(tmp_path)
    kinds = {key: str(item.media_type) for key, item in reading.items.items()}
    assert kinds == {
        "D": "show",
        "D#s01": "season",
        "D/D S01E01#s01e01": "episode",
        "D/Film": "movie",
        "D/Spin-off": "show",
        "D/The Film": "movie",
    }
    assert list(reading.problems) == ["D", "D/D S01E01#s01e01"]
    assert list(reading.unreadable) == ["D/Show"]
    assert list(reading.remarks) == ["D/theme.nfo"]
    assert set((await read(tmp_path, reading.tokens)).unchanged) == set(reading.tokens)


async def test_season_files_without_and_with_the_same_number(tmp_path):
    season = "<season><title>T</title><seasonnumber>1</seasonnumber></season>"
    write(tmp_path, {"D/tvshow.nfo": SHOW, "D/a/season.nfo": season, "D/b/season.nfo": season})
    write(tmp_path, {"D/c/season.nfo": "<season><title>T</title></season>", "D/d/season.nfo": "<season>"})
    reading = await read(tmp_path)
    assert list(reading.items) == ["D", "D#s01"]
    assert list(reading.unreadable) == ["D/c/season.nfo", "D/d/season.nfo"]
    assert reading.remarks == {"D/b/season.nfo": "another file already describes season 1"}
    assert set((await read(tmp_path, reading.tokens)).unchanged) == {"D", "D#s01"}


async def test_a_broken_show_is_made_from_its_folder_while_it_is_not_stored(tmp_path):
    write(tmp_path, {"Dark (2017)/tvshow.nfo": "<tvshow>", "Dark (2017)/Season 1/season.nfo": "<season>"})
    write(
        tmp_path,
        {"Dark (2017)/Season 1/D S01E01.nfo": episode("A"), "Dark (2017)/Season 1/D S01E02.nfo": "<episode"},
    )
    show = "Dark (2017)"
    first = await read(tmp_path)
    assert (first.items[show].title, first.items[show].credits) == ("Dark", None)
    assert list(first.items) == [show, f"{show}#s01", f"{show}/Season 1/D S01E01#s01e01"]
    assert list(first.failed) == [show, f"{show}#s01", f"{show}/Season 1/D S01E02"]
    known = {show: "old", f"{show}#s01": "old", f"{show}/Season 1/D S01E02#s01e02": "old"}
    second = await read(tmp_path, known)
    assert list(second.items) == [f"{show}/Season 1/D S01E01#s01e01"]
    assert list(second.unreadable) == [show, f"{show}#s01", f"{show}/Season 1/D S01E02#s01e02"]


async def test_an_unreadable_episode_keeps_its_season(tmp_path):
    write(tmp_path, {"D/tvshow.nfo": SHOW, "D/D S01E01.nfo": "<episodedetails>"})
    reading = await read(tmp_path, {"D/D S01E01#s01e01": "old"})
    assert list(reading.items) == ["D", "D#s01"]
    assert list(reading.unreadable) == ["D/D S01E01#s01e01"]


async def test_actors_pictures_of_a_show_serve_its_episodes(tmp_path):
    write(
        tmp_path,
        {"D/tvshow.nfo": SHOW, "D/S1/x S01E01.nfo": episode("A", extra=actor("Ann Lee") + actor("Bo"))},
    )
    write(tmp_path, {"D/.actors/Ann_Lee.jpg": "", "D/S1/.actors/Bo.png": ""})
    item = (await read(tmp_path)).items["D/S1/x S01E01#s01e01"]
    assert [credit.person.image_path for credit in item.credits] == [
        "D/.actors/Ann_Lee.jpg",
        "D/S1/.actors/Bo.png",
    ]
    assert people(item) == [("actor", "Ann Lee", None), ("actor", "Bo", None)]


# Links, names, rights


async def test_links_out_of_the_root_are_not_followed(tmp_path):
    write(
        tmp_path, {"outside/movie.nfo": movie("Secret"), "root/A/movie.nfo": movie("A"), "root/B/B.mkv": ""}
    )
    root = tmp_path / "root"
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "B" / "movie.nfo").symlink_to(tmp_path / "outside" / "movie.nfo")
    (root / "A" / "poster.jpg").symlink_to(tmp_path / "outside" / "movie.nfo")
    (root / "A" / "A.mkv").symlink_to(tmp_path / "gone")
    (root / "A" / ".actors").symlink_to(tmp_path / "outside")
    reading = await read(root)
    assert list(reading.items) == ["A"]
    assert (reading.items["A"].images, reading.items["A"].path) == ({}, "A/A.mkv")
    text = "a link that leads out of the root is not followed"
    assert reading.remarks == {"out": text, "B/movie.nfo": text, "B/B.mkv": "a video without an NFO file"}


async def test_links_inside_the_root_are_not_read_twice_and_loops_end(tmp_path):
    write(tmp_path, {"A/movie.nfo": movie("A"), "B/B.mkv": ""})
    (tmp_path / "again").symlink_to(tmp_path / "A")
    (tmp_path / "A" / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "B" / "movie.nfo").symlink_to(tmp_path / "A" / "movie.nfo")
    reading = await read(tmp_path)
    assert list(reading.items) == ["A"]
    assert reading.remarks["again"] == "a link to A, which is read in its own place"
    assert reading.remarks["A/loop"] == "a link to ., which is read in its own place"
    assert reading.remarks["B/movie.nfo"] == "a link to A/movie.nfo, which is read in its own place"


async def test_a_root_that_is_a_link_is_read(tmp_path):
    write(tmp_path, {"real/A/movie.nfo": movie("A")})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert list((await read(tmp_path / "link")).items) == ["A"]


async def test_names_that_are_no_text_are_named_and_left(tmp_path):
    write(tmp_path, {"A/movie.nfo": movie("A")})
    raw = os.fsencode(tmp_path)
    try:
        os.mkdir(raw + b"/caf\xe9")
    except OSError:
        pytest.skip("this file system takes valid names only")
    for name in (b"/bad\xff.nfo", b"/bad\xff.jpg"):
        with open(raw + name, "w") as file:
            file.write(movie("Bad"))
    reading = await read(tmp_path)
    assert list(reading.items) == ["A"]
    reason = "the name is not valid text (UTF-8)"
    assert reading.unreadable == {"bad\\udcff.nfo": reason, "caf\\udce9": reason}


async def test_folders_that_differ_in_their_unicode_form_only(tmp_path):
    write(tmp_path, {"Me\u0301lo/movie.nfo": movie("One")})
    if (tmp_path / "M\u00e9lo").exists():
        pytest.skip("this file system takes both forms for one name")
    write(tmp_path, {"M\u00e9lo/movie.nfo": movie("Two")})
    reading = await read(tmp_path)
    assert list(reading.items) == ["M\u00e9lo"]
    assert list(reading.unreadable) == ["M\u00e9lo/"]


async def test_a_folder_that_is_a_pipe_or_a_file_that_is_a_folder(tmp_path):
    write(tmp_path, {"A/movie.nfo": movie("A")})
    os.mkfifo(tmp_path / "pipe.nfo")
    (tmp_path / "folder.nfo").mkdir()
    assert list((await read(tmp_path)).items) == ["A"]
