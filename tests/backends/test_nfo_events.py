"""Changes in a folder of NFO files: which items they concern, and how they are heard."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from mediasync import Source
from mediasync.backends.base import Enumerated, Found, NothingStored, ReportsEvents
from mediasync.backends.nfo import NfoBackend
from mediasync.backends.nfo.events import FileChange, find_hints
from mediasync.errors import ConfigurationError, SourceUnreachable
from mediasync.hints import Hint, HintKind

MOVIE = "<movie><title>{}</title></movie>"
EPISODE = "<episodedetails><title>{}</title><season>1</season><episode>{}</episode></episodedetails>"
FILES = {
    "movies/Heat (1995)/movie.nfo": MOVIE.format("Heat"),
    "movies/Heat (1995)/Heat.mkv": "",
    "movies/Heat (1995)/extras/making.mkv": "",
    "movies/Ronin (1998).nfo": MOVIE.format("Ronin"),
    "movies/Ronin (1998).mkv": "",
    "movies/Alone.mkv": "",
    "tv/Dark/tvshow.nfo": "<tvshow><title>Dark</title></tvshow>",
    "tv/Dark/Season 1/Dark S01E01.nfo": EPISODE.format("Secrets", 1),
    "tv/Dark/Season 1/Dark S01E02.nfo": EPISODE.format("Lies", 2),
    "tv/Lost/tvshow.nfo": "<tvshow><title>Lost</title></tvshow>",
}
CHANGED, REMOVED, SOURCE = HintKind.CHANGED, HintKind.REMOVED, HintKind.SOURCE


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    write(folder, FILES)
    return folder.resolve()


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("movies/Heat (1995)/movie.nfo", ["movies/Heat (1995)"]),
        ("movies/Heat (1995)/poster.jpg", ["movies/Heat (1995)"]),
        ("movies/Heat (1995)/.actors/Al_Pacino.jpg", ["movies/Heat (1995)"]),
        ("movies/Heat (1995)", ["movies/Heat (1995)"]),
        ("movies/Ronin (1998).nfo", ["movies/Ronin (1998)"]),
        ("movies/Ronin (1998)-poster.jpg", ["movies/Ronin (1998)"]),
        ("movies/Alone.mkv", []),
        ("tv/Dark/tvshow.nfo", ["tv/Dark"]),
        ("tv/Dark/Season 1/Dark S01E02.nfo", ["tv/Dark"]),
        ("tv/Dark/Season 1", ["tv/Dark"]),
        ("tv/banner.jpg", None),
        ("tv", None),
    ],
)
def test_a_changed_file_names_its_items_or_asks_for_a_sync(
    root: Path, path: str, keys: list[str] | None
) -> None:
    hints = find_hints(str(root), [FileChange(path, is_gone=False)])
    if keys is None:
        assert hints == [Hint(SOURCE)]
    else:
        assert hints == ([Hint(CHANGED, tuple(keys))] if keys else [])


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("movies/Heat (1995)", ["movies/Heat (1995)"]),
        ("movies/Heat (1995)/movie.nfo", ["movies/Heat (1995)"]),
        ("movies/Ronin (1998).nfo", ["movies/Ronin (1998)", "movies"]),
        ("tv/Lost/tvshow.nfo", ["tv/Lost/tvshow", "tv/Lost"]),
        ("tv/Lost", ["tv/Lost"]),
        ("tv/Dark/Season 1/Dark S01E02.nfo", None),
    ],
)
def test_a_deleted_file_is_a_suspicion(root: Path, path: str, keys: list[str] | None) -> None:
    target = root / path
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    hints = find_hints(str(root), [FileChange(path, is_gone=True)])
    assert hints == ([Hint(SOURCE)] if keys is None else [Hint(REMOVED, tuple(keys))])


def test_what_lies_behind_a_link_is_not_the_sources(root: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", {"Film/movie.nfo": MOVIE.format("Film")})
    (root / "movies" / "link").symlink_to(tmp_path / "elsewhere")
    assert find_hints(str(root), [FileChange("movies/link/Film/movie.nfo", is_gone=False)]) == []


def make_backend(root: Path, **options: float) -> NfoBackend:
    return NfoBackend(root, source=Source(id="films", kind="nfo"), processes=0, **options)  # type: ignore[arg-type]


async def read_only(root: Path, *keys: str) -> tuple[list[str], list[str]]:
    """Return the keys of the items that are found, and those of the folders that are listed."""
    listed: list[str] = []
    scandir = os.scandir

    def noting(path: str) -> object:
        listed.append(os.path.relpath(path, root))
        return scandir(path)

    found: list[str] = []
    backend = make_backend(root)
    async with backend.open():
        libraries = await backend.fetch_libraries()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "scandir", noting)
            for library in libraries:
                async for finding in backend.iter_items(library, NothingStored(), only=set(keys)):
                    if isinstance(finding, Found):
                        assert finding.is_related
                        found.append(finding.item.remote_id)
                    if isinstance(finding, Enumerated):
                        assert not finding.complete
    return found, listed


async def test_single_items_are_read_without_listing_the_rest(root: Path) -> None:
    write(root, {f"movies/Film {number}/movie.nfo": MOVIE.format(number) for number in range(40)})
    found, listed = await read_only(root, "movies/Heat (1995)")
    assert "movies/Heat (1995)" in found
    assert not [folder for folder in listed if folder.startswith("tv")]
    assert sum(folder.startswith("movies/Film") for folder in listed) <= 40, "to tell a show from a library"
    assert not [key for key in found if key.startswith("movies/Film")]
    found, _ = await read_only(root, "tv/Dark/Season 1/Dark S01E02#s01e02")
    assert set(found) == {
        "tv/Dark",
        "tv/Dark#s01",
        "tv/Dark/Season 1/Dark S01E01#s01e01",
        "tv/Dark/Season 1/Dark S01E02#s01e02",
    }


class Heard:
    """Hints as they are heard."""

    def __init__(self, backend: NfoBackend) -> None:
        self.hints: list[Hint] = []
        self._backend = backend

    async def until(self, kind: HintKind, key: str) -> None:
        """Wait for a hint of a kind that names a key."""
        while not any(hint.kind is kind and key in hint.remote_ids for hint in self.hints):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def heard(root: Path, probe: Path, **options: float) -> AsyncIterator[Heard]:
    """Listen to a folder; *probe* is written until that is heard, so that nothing is missed."""
    backend = make_backend(root, **options)
    assert isinstance(backend, ReportsEvents)
    heard_so_far = Heard(backend)

    async def listen() -> None:
        async with aclosing(backend.listen()) as hints:
            async for hint in hints:
                heard_so_far.hints.append(hint)

    async with asyncio.timeout(20), backend.open():
        listening = asyncio.create_task(listen())
        number = 0
        while not heard_so_far.hints and not listening.done():
            number += 1
            probe.write_text(MOVIE.format(f"Probe {number}"), encoding="utf-8")
            await asyncio.sleep(0.1)
        try:
            yield heard_so_far
        finally:
            listening.cancel()
            await asyncio.wait({listening})


@pytest.mark.parametrize("options", [{}, {"poll_seconds": 0.1}], ids=["reported", "polled"])
async def test_changes_are_heard(root: Path, options: dict[str, float]) -> None:
    async with heard(root, root / "movies/Ronin (1998).nfo", **options) as listening:
        (root / "movies/Heat (1995)/movie.nfo").write_text(MOVIE.format("Heat!"), encoding="utf-8")
        await listening.until(CHANGED, "movies/Heat (1995)")
        shutil.rmtree(root / "tv/Lost")
        await listening.until(REMOVED, "tv/Lost")


async def test_a_folder_that_disappears_ends_the_listening(root: Path) -> None:
    backend = make_backend(root, poll_seconds=0.1)
    async with asyncio.timeout(20), backend.open():
        hints = backend.listen()
        first = asyncio.ensure_future(anext(hints))
        while not first.done():
            (root / "movies/Ronin (1998).nfo").write_text(MOVIE.format(os.urandom(4).hex()), encoding="utf-8")
            await asyncio.sleep(0.1)
        shutil.rmtree(root)
        with pytest.raises(SourceUnreachable, match="its folder"):
            async for _ in hints:
                pass


async def test_the_package_is_missing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    backend = make_backend(root)
    async with backend.open():
        with pytest.raises(
            ConfigurationError, match=r"needs the package 'watchfiles': pip install .*\[live\]"
        ):
            await anext(backend.listen())
