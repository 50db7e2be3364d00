"""A folder of NFO files that is watched: from a changed file to the row."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

from mediasync import MediaSync, SourceConfig
from mediasync.events import Event, Hinted, ListeningStarted, RunFinished

MOVIE = "<movie><title>{}</title></movie>"
EPISODE = "<episodedetails><title>{}</title><season>1</season><episode>{}</episode></episodedetails>"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


async def titles(ms: MediaSync) -> set[str]:
    libraries = await ms.media.list_libraries("films")
    return {item.title for library in libraries async for item in ms.media.iter_media_items(library)}


async def test_changes_of_files_become_rows(file_url: str, tmp_path: Path) -> None:
    root = tmp_path / "media"
    write(root / "movies/Heat (1995)/movie.nfo", MOVIE.format("Heat"))
    write(root / "movies/Ronin (1998)/movie.nfo", MOVIE.format("Ronin"))
    write(root / "tv/Dark/tvshow.nfo", "<tvshow><title>Dark</title></tvshow>")
    write(root / "tv/Dark/Season 1/Dark S01E01.nfo", EPISODE.format("Secrets", 1))
    config = SourceConfig.model_validate({"id": "films", "folder": root})
    heard: asyncio.Queue[Event] = asyncio.Queue()

    async def watch(ms: MediaSync) -> None:
        async with aclosing(ms.watch([config]).__aiter__()) as events:
            async for event in events:
                heard.put_nowait(event)

    async def until(ms: MediaSync, *wanted: str) -> None:
        while not set(wanted) <= await titles(ms):
            while not isinstance(await heard.get(), RunFinished):
                pass

    async with asyncio.timeout(60), MediaSync(file_url) as ms:
        await ms.sync(config)
        watching = asyncio.create_task(watch(ms))
        try:
            while not isinstance(await heard.get(), ListeningStarted):
                pass
            number = 0
            while heard.empty() or not isinstance(heard.get_nowait(), Hinted):
                number += 1  # until the system reports what happens
                write(root / "movies/Heat (1995)/movie.nfo", MOVIE.format(f"Probe {number}"))
                await asyncio.sleep(0.2)
            write(root / "movies/Heat (1995)/movie.nfo", MOVIE.format("Heat (1995)"))
            await until(ms, "Heat (1995)")
            write(root / "tv/Dark/Season 1/Dark S01E02.nfo", EPISODE.format("Lies", 2))
            await until(ms, "Secrets", "Lies")
            write(root / "tv/Fresh/tvshow.nfo", "<tvshow><title>Fresh</title></tvshow>")
            write(root / "tv/Fresh/Season 1/Fresh S01E01.nfo", EPISODE.format("Pilot", 1))
            await until(ms, "Fresh", "Pilot")
        finally:
            watching.cancel()
            await asyncio.wait({watching})
        runs = await ms.list_runs("films")
        assert len(runs) > len(await ms.list_runs("films", whole=True)), "single items were read"
