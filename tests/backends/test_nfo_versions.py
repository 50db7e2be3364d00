"""Several NFO files of one film or episode are one item; two films or episodes are two."""

import os

import pytest
from nfo_reading import actor, episode, movie, read, write

from mediasync.backends.nfo import loading

SHOW = "<tvshow><title>S</title><plot>P</plot></tvshow>"


@pytest.fixture
def opened(monkeypatch):
    """The paths of the files that are opened, in order."""
    paths = []
    real = loading.read_file

    def counting(root, path, size_limit):
        paths.append(path)
        return real(root, path, size_limit)

    monkeypatch.setattr(loading, "read_file", counting)
    return paths


def with_id(title, imdb, year=2000):
    return f"<movie><title>{title}</title><year>{year}</year><uniqueid type='imdb'>{imdb}</uniqueid></movie>"


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (["Heat/Heat.EXTENDED", "Heat/Heat.THEATRICAL"], "Heat"),
        (["Heat/Heat", "Heat/Heat - My Own Cut", "Heat/Heat [Fan Edit]"], "Heat"),
        (["Heat (1995)/Heat (1995) {edition-Long}", "Heat (1995)/Heat (1995)"], "Heat (1995)"),
        (["Heat/Heat - 1080p", "Heat/Heat - 4K"], "Heat"),
        (["Heat/Heat cd1", "Heat/Heat cd2"], "Heat"),
        (["Heat/Heat - Part 1", "Heat/Heat - Part 2"], "Heat"),
        (["Heat/htx-720p", "Heat/grp.heat.x264"], "Heat"),
        (["all/Heat (1995)", "all/Heat (1995) - My Cut", "all/Ran"], "all/Heat (1995)"),
        (["all/Heat", "all/Heat.EXTENDED", "all/Ran"], "all/Heat"),
        (["all/Heat part1", "all/Heat part2", "all/Ran"], "all/Heat part1"),
    ],
)
@pytest.mark.parametrize("suffixes", [("nfo",), ("nfo", "mkv")])
async def test_versions_of_one_film_are_one_item(tmp_path, opened, names, key, suffixes):
    write(
        tmp_path,
        {
            f"x/{name}.{suffix}": movie(name[-3:] if name.endswith("Ran") else "Heat")
            if suffix == "nfo"
            else ""
            for name in names
            for suffix in suffixes
        },
    )
    write(tmp_path, {"x/Other/movie.nfo": movie("Other")})
    first = await read(tmp_path)
    assert set(first.items) - {"x/Other", "x/all/Ran"} == {f"x/{key}"}
    assert (first.unreadable, first.problems) == ({}, {})
    assert (first.items[f"x/{key}"].path or "").endswith(suffixes[-1])
    opened.clear()
    again = await read(tmp_path, first.tokens)
    assert (opened, set(again.unchanged)) == ([], set(first.items))


async def test_what_versions_differ_in_is_a_problem(tmp_path):
    write(tmp_path, {"Heat/Heat.nfo": movie("Heat", "<runtime>170</runtime>" + actor("Al", "V"))})
    write(tmp_path, {"Heat/Heat - Cut.nfo": movie("Heat", "<runtime>150</runtime>" + actor("Bo", "V"))})
    reading = await read(tmp_path)
    assert reading.problems == {
        "Heat": ("Heat/Heat - Cut.nfo describes the same item, but differs in: length, people",)
    }
    assert reading.items["Heat"].runtime_seconds == 170 * 60


async def test_ids_decide_before_titles(tmp_path):
    write(
        tmp_path, {"A/Heat (1995).nfo": with_id("Heat", "tt0000001"), "A/b.nfo": with_id("Fire", "tt0000001")}
    )
    write(
        tmp_path, {"C/Heat (1995).nfo": with_id("Heat", "tt0000002"), "C/d.nfo": with_id("Heat", "tt0000003")}
    )
    reading = await read(tmp_path)
    assert set(reading.items) == {"A", "C/Heat (1995)", "C/d"}
    assert list(reading.problems) == ["A"]


async def test_two_films_in_one_folder_are_two(tmp_path):
    write(tmp_path, {"A/Alpha (2001).nfo": movie("Alpha"), "A/Asylum (2002).nfo": movie("Asylum")})
    write(tmp_path, {"Beta (2001)/Beta (2001).nfo": movie("Beta"), "Beta (2001)/Other.nfo": movie("Other")})
    reading = await read(tmp_path)
    assert set(reading.items) == {"A/Alpha (2001)", "A/Asylum (2002)", "Beta (2001)", "Beta (2001)/Other"}
    assert set((await read(tmp_path, reading.tokens)).unchanged) == set(reading.items)


async def test_a_film_without_a_title_among_others_is_not_lost(tmp_path):
    write(
        tmp_path, {"x/Some/a.nfo": movie("Alpha"), "x/Some/b.nfo": "<movie><title/><year>1999</year></movie>"}
    )
    assert set((await read(tmp_path)).items) == {"x/Some/a", "x/Some/b"}


async def test_a_second_film_leaves_the_path_of_the_first(tmp_path):
    write(tmp_path, {"x/A/Alpha (2001).nfo": movie("Alpha"), "x/Heat/Heat.nfo": movie("Heat")})
    before = await read(tmp_path)
    write(tmp_path, {"x/A/Asylum (2002).nfo": movie("Asylum")})
    after = await read(tmp_path, before.tokens)
    assert before.items["x/A"].path == after.items["x/A/Alpha (2001)"].path == "x/A/Alpha (2001).nfo"


async def test_a_changed_version_is_read_again_with_the_others(tmp_path, opened):
    write(tmp_path, {"Heat/Heat.nfo": movie("Heat"), "Heat/Heat - Cut.nfo": movie("Heat")})
    tokens = (await read(tmp_path)).tokens
    write(tmp_path, {"Heat/Heat - Cut.nfo": movie("Another film")})
    opened.clear()
    reading = await read(tmp_path, tokens)
    assert len(opened) == 2
    assert {key: item.title for key, item in reading.items.items()} == {
        "Heat": "Heat",
        "Heat/Heat - Cut": "Another film",
    }


async def test_a_note_beside_a_film_is_named_each_time_and_opened_once(tmp_path, opened):
    write(tmp_path, {"Heat/Heat.nfo": movie("Heat"), "Heat/grp.nfo": "text art", "Heat/z.nfo": "<album/>"})
    write(tmp_path, {"Ran/Ran.nfo": movie("Ran"), "Ran/grp.nfo": "https://www.imdb.com/title/tt0089881/"})
    first = await read(tmp_path)
    assert set(first.items) == {"Heat", "Ran"}
    assert first.items["Ran"].provider_ids == {"imdb": "tt0089881"}
    text = "not read: it does not describe a film"
    assert first.remarks == {"Heat/grp.nfo": text, "Heat/z.nfo": text}
    opened.clear()
    again = await read(tmp_path, first.tokens)
    assert (opened, again.remarks, set(again.unchanged)) == ([], first.remarks, {"Heat", "Ran"})


async def test_others_wait_while_the_folders_own_file_cannot_be_read(tmp_path):
    write(tmp_path, {"Heat/Heat.nfo": movie("Heat"), "Heat/Heat - Cut.nfo": movie("Heat")})
    stored = dict.fromkeys((await read(tmp_path)).tokens, "old")
    os.truncate(tmp_path / "Heat" / "Heat.nfo", 12)
    reading = await read(tmp_path, stored)
    assert (list(reading.items), list(reading.unreadable)) == ([], ["Heat"])
    assert list(reading.remarks) == ["Heat/Heat - Cut.nfo"]


async def test_a_part_without_an_nfo_file_is_not_described_by_the_next(tmp_path):
    write(tmp_path, {"all/Bird - Part 1.mkv": "", "all/Bird - Part 2.mkv": "", "all/Z.nfo": movie("Z")})
    write(tmp_path, {"all/Bird - Part 2.nfo": movie("Bird: Part 2")})
    reading = await read(tmp_path)
    assert reading.items["all/Bird - Part 2"].path == "all/Bird - Part 2.mkv"
    assert reading.remarks == {"all/Bird - Part 1.mkv": "a video without an NFO file"}


# Beside the folder


@pytest.mark.parametrize("inside", ["BDMV/index.bdmv", "VIDEO_TS/VIDEO_TS.IFO", "Heat.mkv", "movie.mkv"])
async def test_a_films_file_may_lie_beside_its_folder(tmp_path, inside):
    write(
        tmp_path,
        {"movies/Heat.nfo": movie("Heat"), f"movies/Heat/{inside}": "", "movies/Heat/poster.jpg": ""},
    )
    reading = await read(tmp_path)
    assert (list(reading.items), reading.remarks, reading.unreadable) == (["movies/Heat"], {}, {})
    heat = reading.items["movies/Heat"]
    assert heat.images == {"poster": "movies/Heat/poster.jpg"}
    assert heat.path == f"movies/Heat/{inside.split('/')[0]}"


async def test_any_nfo_file_in_a_disc_describes_it(tmp_path):
    write(tmp_path, {"Heat/BDMV/Heat.nfo": movie("Heat"), "Ran/VIDEO_TS/movie.nfo": movie("Ran")})
    assert set((await read(tmp_path)).items) == {"Heat", "Ran"}


# Episodes


@pytest.mark.parametrize(
    "names",
    [("S - S01E01 - One HDTV-720p", "S - S01E01 - One WEBDL-1080p"), ("S S01E01 - 720p", "S S01E01 - 4K")],
)
async def test_versions_of_an_episode_are_one_item(tmp_path, opened, names):
    write(
        tmp_path, {"S/tvshow.nfo": SHOW} | {f"S/Season 1/{name}.nfo": episode("One", 1, 1) for name in names}
    )
    write(tmp_path, {f"S/Season 1/{names[1]}.nfo": episode("Uno", 1, 1), f"S/Season 1/{names[1]}.mkv": ""})
    first = await read(tmp_path)
    [found] = [item for item in first.items.values() if item.media_type == "episode"]
    assert first.problems[found.remote_id][0].endswith("describes the same item, but differs in: title")
    opened.clear()
    again = await read(tmp_path, first.tokens)
    assert (opened, set(again.unchanged)) == ([], set(first.items))
    write(tmp_path, {f"S/Season 1/{names[0]}.nfo": episode("Changed", 1, 1)})
    assert list((await read(tmp_path, first.tokens)).items) == [found.remote_id]


@pytest.mark.parametrize("copy", ["Season 01 4K/S S01E01", "Season 1/E01", "1/S 01", "S - 1x01 - One"])
async def test_a_copy_of_an_episode_in_another_folder_is_not_opened_again(tmp_path, opened, copy):
    write(tmp_path, {"S/tvshow.nfo": SHOW, "S/Season 1/S S01E01.nfo": episode("One")})
    write(tmp_path, {f"S/{copy}.nfo": episode("Uno")})
    first = await read(tmp_path)
    [found] = [item for item in first.items.values() if item.media_type == "episode"]
    assert (found.season_number, found.episode_number) == (1, 1)
    opened.clear()
    again = await read(tmp_path, first.tokens)
    assert (opened, set(again.unchanged)) == ([], set(first.items))
    write(tmp_path, {f"S/{copy}.nfo": episode("Another title")})
    assert list((await read(tmp_path, first.tokens)).items) == [found.remote_id]
    (tmp_path / f"S/{copy}.nfo").unlink()
    last = await read(tmp_path, first.tokens)
    assert [item.media_type for item in last.items.values()] == ["episode"]


async def test_a_broken_version_of_an_episode_fails_each_time(tmp_path):
    write(tmp_path, {"S/tvshow.nfo": SHOW, "S/S S01E01 a.nfo": episode("One", 1, 1), "S/S S01E01 b.nfo": ""})
    first = await read(tmp_path)
    second = await read(tmp_path, first.tokens)
    assert first.failed == second.failed
    assert first.failed == {"S/S S01E01 a#s01e01": "S/S S01E01 b.nfo: the file is empty"}


async def test_files_of_two_episodes_with_one_number_stay_two(tmp_path):
    write(tmp_path, {"S/tvshow.nfo": SHOW, "S/S S01E01.nfo": episode("One", 1, 1)})
    write(tmp_path, {"S/S S01E02.nfo": episode("Two", 1, 1), "S/copy of one.nfo": episode("One", 1, 1)})
    reading = await read(tmp_path)
    episodes = [key for key, item in reading.items.items() if item.media_type == "episode"]
    assert episodes == ["S/S S01E01#s01e01", "S/S S01E02#s01e01"]
    stored = {key: item.change_token or "" for key, item in reading.items.items()}
    assert set((await read(tmp_path, stored)).unchanged) == set(reading.items)
