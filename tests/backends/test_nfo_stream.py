"""The stream of findings: unchanged files, failures on the way, laziness, cancellation."""

import asyncio
import os
import threading
import tracemalloc

import pytest
from nfo_reading import actor, episode, make_backend, movie, read, write

from mediasync.backends.base import Enumerated, Found, NothingStored, Unreadable
from mediasync.backends.nfo import loading, reading
from mediasync.backends.nfo.folders import listing as folders
from mediasync.backends.nfo.tokens import StoredTokens
from mediasync.models import Source

SHOW = "<tvshow><title>Dark</title><year>2017</year></tvshow>"


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


def library_of_everything(root):
    write(root, {"movies/A/movie.nfo": movie("A"), "movies/B.nfo": movie("B"), "movies/C.nfo": movie("C")})
    write(
        root,
        {
            "tv/D/tvshow.nfo": SHOW,
            "tv/D/Season 1/season.nfo": "<season><title>S</title><plot>P</plot></season>",
        },
    )
    write(root, {"tv/D/Season 1/D S01E01-E02.nfo": episode("1", 1, 1) + episode("2", 1, 2)})
    write(root, {"tv/D/Season 2/D S02E01.nfo": episode("3", 2, 1), "tv/E/odd.nfo": episode("4", 1, 1)})


async def test_unchanged_files_are_not_opened(tmp_path, opened):
    library_of_everything(tmp_path)
    first = await read(tmp_path)
    assert len(opened) == 8
    opened.clear()
    second = await read(tmp_path, first.tokens)
    assert opened == []
    assert set(second.unchanged) == set(first.tokens)
    assert set(second.items) == {"tv/E", "tv/E#s01"}
    order = [getattr(finding, "remote_id", None) or finding.item.remote_id for finding in second.findings]
    assert order == list(first.items)


@pytest.mark.parametrize(
    "path", ["movies/A/movie.nfo", "movies/B.nfo", "tv/D/tvshow.nfo", "tv/D/Season 1/season.nfo"]
)
async def test_a_file_with_another_time_is_read_again(tmp_path, opened, path):
    library_of_everything(tmp_path)
    first = await read(tmp_path)
    opened.clear()
    state = (tmp_path / path).stat()
    os.utime(tmp_path / path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    second = await read(tmp_path, first.tokens)
    assert opened == [path]
    named_by_the_show = 1 if path.endswith("tvshow.nfo") else 0
    assert len(second.unchanged) == len(first.tokens) - 1 - named_by_the_show


async def test_a_file_whose_number_of_episodes_changed_is_read_again(tmp_path, opened):
    library_of_everything(tmp_path)
    tokens = (await read(tmp_path)).tokens
    path = "tv/D/Season 1/D S01E01-E02.nfo"
    stem = path.removesuffix(".nfo")
    opened.clear()
    missing = {key: token for key, token in tokens.items() if key != f"{stem}#s01e02"}
    assert f"{stem}#s01e02" in (await read(tmp_path, missing)).items
    assert opened == [path]
    opened.clear()
    stale = tokens | {f"{stem}#s01e09": "1-2-3-4", f"{stem}#s01e10": "gone", "movies/Z": "x"}
    assert set((await read(tmp_path, stale)).unchanged) == set(tokens)
    assert opened == []


async def test_a_film_with_a_new_video_or_picture_is_read_again(tmp_path, opened):
    library_of_everything(tmp_path)
    tokens = (await read(tmp_path)).tokens
    opened.clear()
    write(tmp_path, {"movies/A/poster.jpg": "", "movies/B.mkv": "", "movies/unrelated.txt": ""})
    second = await read(tmp_path, tokens)
    assert sorted(opened) == ["movies/A/movie.nfo", "movies/B.nfo"]
    assert second.items["movies/A"].images == {"poster": "movies/A/poster.jpg"}
    assert second.items["movies/B"].path == "movies/B.mkv"


async def test_a_deleted_file_is_not_yielded(tmp_path):
    library_of_everything(tmp_path)
    tokens = (await read(tmp_path)).tokens
    (tmp_path / "movies/A/movie.nfo").unlink()
    (tmp_path / "tv/D/Season 1/D S01E01-E02.nfo").unlink()
    second = await read(tmp_path, tokens)
    gone = set(tokens) - set(second.unchanged)
    assert gone == {"movies/A", "tv/D/Season 1/D S01E01-E02#s01e01", "tv/D/Season 1/D S01E01-E02#s01e02"}


# Failures on the way


async def test_a_file_over_the_limit_is_not_read(tmp_path):
    write(tmp_path, {"A/movie.nfo": movie("A"), "B/movie.nfo": movie("B", "<plot>" + "x" * 500 + "</plot>")})
    result = await read(tmp_path, size_limit=300)
    assert list(result.items) == ["A"]
    assert result.unreadable["B"].startswith("B/movie.nfo: it is too large (")


async def test_a_huge_hole_of_a_file_takes_no_memory(tmp_path):
    write(tmp_path, {"A/movie.nfo": movie("A")})
    os.truncate(tmp_path / "A/movie.nfo", 1 << 40)
    tracemalloc.start()
    try:
        result = await read(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert list(result.unreadable) == ["A"]
    assert peak < 10_000_000


@pytest.mark.parametrize("growth", [b"x", b"x" * 100_000])
async def test_a_file_that_changes_while_it_is_read_is_unreadable(tmp_path, monkeypatch, growth):
    write(tmp_path, {"A/movie.nfo": movie("A")})
    real = os.read

    def growing(descriptor, size):
        data = real(descriptor, size)
        with open(tmp_path / "A/movie.nfo", "ab") as file:
            file.write(growth)
        return data

    monkeypatch.setattr(loading.os, "read", growing)
    result = await read(tmp_path)
    assert result.unreadable == {"A": "A/movie.nfo: it changed while it was being read"}


async def test_a_file_that_vanishes_or_may_not_be_read_is_unreadable(tmp_path, monkeypatch):
    write(tmp_path, {"A/movie.nfo": movie("A"), "B/movie.nfo": movie("B"), "C/movie.nfo": movie("C")})
    tokens = (await read(tmp_path)).tokens
    real = os.open

    def failing(path, flags):
        if path.endswith("A/movie.nfo"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, flags)

    monkeypatch.setattr(loading.os, "open", failing)
    backend = make_backend(tmp_path)
    async with backend.open():
        [library] = await backend.fetch_libraries()
        folders_listed = folders.list_folder

        def list_then_delete(root, path):
            listing = folders_listed(root, path)
            if path == "B":
                (tmp_path / "B/movie.nfo").unlink()
            return listing

        monkeypatch.setattr("mediasync.backends.nfo.folders.listing.list_folder", list_then_delete)
        findings = [
            finding async for finding in backend.iter_items(library, NothingStored({"B": tokens["B"]}))
        ]
    assert findings[:2] == [
        Unreadable("A", "A/movie.nfo: Permission denied"),
        Unreadable("B", "B/movie.nfo: No such file or directory"),
    ]
    assert isinstance(findings[2], Found)


async def test_a_file_that_becomes_a_link_or_a_pipe_is_not_opened(tmp_path):
    write(tmp_path, {"secret": "<movie><title>Secret</title></movie>", "root/x": ""})
    (tmp_path / "root/link.nfo").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "root/pipe.nfo")
    with pytest.raises(OSError, match=r"link\.nfo"):
        loading.read_file(str(tmp_path / "root"), "link.nfo", 1000)
    with pytest.raises(loading.NfoError, match="not a regular file"):
        loading.read_file(str(tmp_path / "root"), "pipe.nfo", 1000)


@pytest.fixture
def forbid(monkeypatch):
    """Makes the listing of some folders fail."""
    names = set()
    real = os.scandir

    def failing(path):
        # pytest deletes the test's folder by descriptors.
        if not isinstance(path, int) and os.path.basename(path) in names:
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(folders.os, "scandir", failing)
    return names.add


async def test_a_folder_that_cannot_be_listed_keeps_what_is_stored_below_it(tmp_path, forbid):
    library_of_everything(tmp_path)
    tokens = (await read(tmp_path)).tokens
    forbid("A")
    forbid("Season 1")
    second = await read(tmp_path, tokens)
    assert second.unreadable == dict.fromkeys(
        [
            "movies/A",
            "tv/D/Season 1/",
            "tv/D/Season 1/D S01E01-E02#s01e01",
            "tv/D/Season 1/D S01E01-E02#s01e02",
        ],
        "the folder cannot be listed: Permission denied",
    )
    assert "tv/D" in second.unchanged


async def test_folders_that_cannot_be_listed_elsewhere(tmp_path, forbid):
    write(tmp_path, {"A/VIDEO_TS/VIDEO_TS.nfo": movie("A"), "B/movie.nfo": movie("B"), "B/.actors/x.jpg": ""})
    write(
        tmp_path,
        {
            "C/movie.nfo": movie("C"),
            "C/closed/D.nfo": movie("D"),
            "E.nfo": movie("E"),
            "E/movie.nfo": movie("E2"),
        },
    )
    for name in ("VIDEO_TS", ".actors", "closed", "E"):
        forbid(name)
    result = await read(tmp_path)
    assert set(result.items) == {"B", "C", "E"}
    reason = "Permission denied"
    assert result.unreadable == {
        "A": f"A/VIDEO_TS: {reason}",
        "C/closed/": f"the folder cannot be listed: {reason}",
        "E/": f"the folder cannot be listed: {reason}",
    }
    assert result.remarks == {"B/.actors": f"the actors' pictures cannot be listed: {reason}"}


async def test_an_item_that_was_asked_for_lies_in_a_folder_that_cannot_be_listed(tmp_path, forbid):
    write(tmp_path, {"A/movie.nfo": movie("A"), "B/movie.nfo": movie("B")})
    forbid("A")
    backend = make_backend(tmp_path)
    async with backend.open():
        [library] = await backend.fetch_libraries()
        findings = [one async for one in backend.iter_items(library, NothingStored(), only=["A"])]
    assert Unreadable("A", "the folder cannot be listed: Permission denied") in findings


async def test_closed_libraries_are_libraries_still(tmp_path, forbid):
    write(
        tmp_path,
        {"one/A/movie.nfo": movie("A"), "two/x/y.txt": "", "three/x.txt": "", "three/z/B.nfo": movie("B")},
    )
    for name in ("two", "z"):
        forbid(name)
    backend = make_backend(tmp_path)
    async with backend.open():
        found = await backend.fetch_libraries()
        assert [library.id for library in found] == ["one", "three", "two"]
        assert [finding async for finding in backend.iter_items(found[2], NothingStored({"two/x": ""}))] == [
            Unreadable("two", "the folder cannot be listed: Permission denied"),
            Enumerated(None, False, "folders that cannot be listed: 1"),
        ]
        assert [finding async for finding in backend.iter_items(found[1], NothingStored())] == [
            Unreadable("three/z/", "the folder cannot be listed: Permission denied"),
            Enumerated(None, False, "folders that cannot be listed: 1"),
        ]


async def test_a_look_at_a_file_that_cannot_be_opened_says_no(tmp_path):
    assert reading.look(str(tmp_path), "gone.nfo", ["a"], stored=StoredTokens({})) is None


# Laziness


async def test_the_first_item_of_a_big_tree_does_not_read_all(tmp_path, opened):
    for number in range(1000):
        write(tmp_path, {f"Film {number:04}/movie.nfo": movie(str(number))})
    backend = make_backend(tmp_path)
    async with backend.open():
        [library] = await backend.fetch_libraries()
        findings = backend.iter_items(library, NothingStored())
        await anext(findings)
        assert len(opened) <= 64
        await findings.aclose()
    assert len(opened) <= 64


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_library(tmp_path):
    people = "".join(actor(f"Person {number}", "x" * 50) for number in range(30))
    for number in range(640):
        write(tmp_path, {f"Film {number:04}/movie.nfo": movie(str(number), people)})
    backend = make_backend(tmp_path)

    async def peak_after(count):
        async with backend.open():
            [library] = await backend.fetch_libraries()
            tracemalloc.start()
            seen = 0
            findings = backend.iter_items(library, NothingStored())
            async for _ in findings:
                seen += 1
                if seen == count:
                    break
            await findings.aclose()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return peak

    await peak_after(10)
    # Up to three batches of 64 files are in memory.
    assert await peak_after(640) < 1.2 * await peak_after(320)


async def test_no_more_files_are_read_at_once_than_allowed(tmp_path, monkeypatch):
    for number in range(100):
        write(tmp_path, {f"Film {number:04}/movie.nfo": movie(str(number))})
    running, most = set(), []
    real = loading.read_file

    def watching(root, path, size_limit):
        running.add(threading.get_ident())
        most.append(len(running))
        try:
            return real(root, path, size_limit)
        finally:
            running.discard(threading.get_ident())

    monkeypatch.setattr(loading, "read_file", watching)
    assert len((await read(tmp_path, threads=2)).items) == 100
    assert max(most) <= 2


async def test_an_abandoned_or_cancelled_iteration_leaves_nothing(tmp_path):
    library_of_everything(tmp_path)
    for number in range(200):
        write(tmp_path, {f"movies/Film {number:04}/movie.nfo": movie(str(number))})
    backend = make_backend(tmp_path, processes=0)
    async with backend.open():
        library = (await backend.fetch_libraries())[0]
        before = asyncio.all_tasks()

        async def consume():
            while True:
                async for _ in backend.iter_items(library, NothingStored()):
                    await asyncio.sleep(0)

        for delay in range(12):
            task = asyncio.create_task(consume())
            for _ in range(delay * 3):
                await asyncio.sleep(0.0005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        abandoned = backend.iter_items(library, NothingStored())
        await anext(abandoned)
        del abandoned
        await asyncio.sleep(0)  # then the event loop closes the abandoned generator
        if closing := asyncio.all_tasks() - before:
            await asyncio.wait(closing, timeout=60)
        assert asyncio.all_tasks() == before
        assert len([finding async for finding in backend.iter_items(library, NothingStored())]) == 204


async def test_an_iteration_may_go_on_in_another_task(tmp_path):
    library_of_everything(tmp_path)
    backend = make_backend(tmp_path)
    async with backend.open():
        library = (await backend.fetch_libraries())[0]
        findings = backend.iter_items(library, NothingStored())
        await asyncio.create_task(anext(findings))
        assert [type(finding) async for finding in findings] == [Found, Found, Enumerated]


async def test_two_iterations_side_by_side(tmp_path):
    library_of_everything(tmp_path)
    backend = make_backend(tmp_path)
    async with backend.open():
        found = await backend.fetch_libraries()

        async def keys(library):
            found = [finding async for finding in backend.iter_items(library, NothingStored())]
            assert found.pop() == Enumerated(None)
            return [finding.item.remote_id for finding in found]

        movies, shows = await asyncio.gather(*map(keys, found))
    assert (len(movies), len(shows)) == (3, 9)


def test_the_source_is_the_given_one(tmp_path):
    source = Source(id="films", kind="nfo")
    assert make_backend(tmp_path).source.kind == source.kind


async def test_a_flaw_of_the_parser_costs_one_file_and_not_the_library(tmp_path, monkeypatch):
    write(tmp_path, {f"movies/{name}/movie.nfo": movie(name) for name in "ABC"})
    real = loading.parse_nfo

    def flawed(data, kind):
        return [][0] if b"<title>B</title>" in data else real(data, kind)

    monkeypatch.setattr(loading, "parse_nfo", flawed)
    reading = await read(tmp_path)
    assert [item.title for item in reading.items.values()] == ["A", "C"]
    [reason] = reading.unreadable.values()
    assert reason.startswith("movies/B/movie.nfo: it could not be parsed (IndexError in test_nfo_stream.py, ")
    assert reason.endswith("please report that, with the file")
