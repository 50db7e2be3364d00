"""The backend for folders of NFO files."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from mediasync.backends.base import Enumerated, Finding, Remark, Stored, Unreadable, opened
from mediasync.backends.nfo.folders.files import FilmFiles, FolderFailed, NfoFile, ShowUnit, Unit, VideoAlone
from mediasync.backends.nfo.folders.folder_kind import Shapes
from mediasync.backends.nfo.folders.listing import list_folder, reason
from mediasync.backends.nfo.folders.scan import Libraries, LibraryFolder, find_libraries, walk
from mediasync.backends.nfo.items import film_findings, films_findings
from mediasync.backends.nfo.reading import Known, Outcome, load, load_films, look, read
from mediasync.backends.nfo.show_items import show_findings
from mediasync.errors import SourceUnreachable, UnknownLibrary
from mediasync.models import Library, Source

T = TypeVar("T")

_BATCH_FILES: Final = 64
_FILES_PER_CALL: Final = 8
_VIDEOS_NAMED: Final = 20

_Job = NfoFile | FilmFiles


class NfoBackend:
    """A folder of NFO files, as Kodi, Jellyfin, Emby, Sonarr, Radarr and tinyMediaManager write them.

    Nothing is written, no link is followed, and files are opened only when they changed. Folders and files
    are read in worker threads, a few ahead of the consumer; an abandoned iteration leaves nothing behind.

    Args:
        root: the folder. Keys of items are relative to it, so it may be moved and mounted anywhere.
        source: the source it is.
        threads: how many folders and files are read at once.
        size_limit: bytes; a larger file is reported and not read.

    Example:
        >>> import asyncio
        >>> from mediasync import Source
        >>> from mediasync.backends.base import NothingStored
        >>> async def titles(root):
        ...     backend = NfoBackend(root, source=Source(id="films", kind="nfo"))
        ...     async with backend.open():
        ...         for library in await backend.fetch_libraries():
        ...             async for finding in backend.iter_items(library, NothingStored()):
        ...                 print(finding)
        >>> asyncio.run(titles("examples/library"))  # doctest: +SKIP
    """

    def __init__(
        self,
        root: Path | str,
        *,
        source: Source,
        threads: int = 8,
        size_limit: int = 4 * 1024 * 1024,
    ) -> None:
        if threads < 1 or size_limit < 1:
            raise ValueError("threads and size_limit must be 1 or more")
        self.source = source
        self._given_root = os.fspath(root)
        self._threads = threads
        self._size_limit = size_limit
        self._root: str | None = None
        self._limiter: anyio.CapacityLimiter | None = None
        self._libraries: Libraries | None = None
        self._told_of_root = False

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which the folder can be read.

        Raises:
            SourceUnreachable: if the folder is not there, is no folder, or may not be read.
        """
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        self._limiter = anyio.CapacityLimiter(self._threads)
        try:
            self._root = await self._in_thread(partial(_check_root, self._given_root, self.source.id))
            yield
        finally:
            self._root = self._limiter = self._libraries = None
            self._told_of_root = False

    async def fetch_libraries(self) -> list[Library]:
        """Return the libraries, by id; see `mediasync.backends.nfo.folders.scan.find_libraries` for the rule.

        Raises:
            SourceUnreachable: if the folder cannot be listed any more.
        """
        return [
            Library(id=found.key, source_id=self.source.id, title=found.title, kind=found.kind)
            for found in (await self._find_libraries()).folders
        ]

    async def _find_libraries(self) -> Libraries:
        root = opened(self._root)
        if self._libraries is None:
            nothing = Known({})
            # Names alone decide here, but for folders that are named like a season: no other file is opened.
            shapes = Shapes(root, nothing, lambda *_: None, partial(look, root, known=nothing))
            with _Listing(self.source.id):
                self._libraries = await self._in_thread(partial(find_libraries, root, shapes))
        return self._libraries

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        """Read the items of a library: films by folder; of each show the show, its seasons, its episodes.

        Args:
            library: one of `fetch_libraries`.
            stored: what the mirror holds. An item whose change token is the same is yielded as `Unchanged`,
                its file unopened.
            only: others may be left out, and are not: a folder is read as a whole.

        Raises:
            UnknownLibrary: if the folder has no such library.
            SourceUnreachable: if the root is not there any more. A library whose own folder cannot be listed
                ends as not complete.
        """
        root = opened(self._root)
        libraries = await self._find_libraries()
        folder = next((found for found in libraries.folders if found.key == library.id), None)
        if folder is None:
            raise UnknownLibrary(f"there is no library {library.id!r} in source {self.source.id!r}")
        if not self._told_of_root:
            self._told_of_root = True
            for remark in libraries.findings:
                yield remark
        known = Known(stored.tokens)
        looking = partial(look, root, known=known)
        units = walk(root, folder.path, Shapes(root, known, looking, looking), folder.others)
        unlisted = 0
        alone = _VideosAlone()
        while True:
            batch = await self._in_thread(partial(_take, units))
            if not batch:
                break
            results = iter(await self._load_all(root, [job for unit in batch for job in _jobs(unit)], known))
            for unit in batch:
                unlisted += _count_failed(unit)
                for finding in await self._findings(root, folder, unit, results, known):
                    if isinstance(finding, VideoAlone):
                        alone.add(finding)
                    else:
                        yield finding
        for video in alone.remarks(folder.key):
            yield video
        text = f"folders that cannot be listed: {unlisted:,}" if unlisted else ""
        may_be_unmounted = bool(known.tokens) or not folder.path
        if may_be_unmounted and await self._in_thread(partial(_is_empty, root, folder.path)):
            text = "the folder is empty: is a disk not mounted?"
            if known.tokens:
                yield Unreadable(folder.key, f"{text} {len(known.tokens):,} items of it are stored")
        yield Enumerated(None, not text, text)

    async def _findings(
        self, root: str, library: LibraryFolder, unit: Unit, results: Iterator[Outcome], known: Known
    ) -> list[Finding | VideoAlone]:
        match unit:
            case NfoFile():
                return list(film_findings(unit, next(results)))
            case FilmFiles():
                return list(films_findings(unit, next(results)))
            case ShowUnit():
                outcomes = [next(results) for _ in unit.files()]
                reread = partial(read, root, known=known, size_limit=self._size_limit)
                found: list[Finding | VideoAlone] = []
                found += await self._in_thread(lambda: list(show_findings(unit, outcomes, known, reread)))
                for finding in unit.findings:
                    found += await self._findings(root, library, finding, results, known)
                return found
            case FolderFailed():
                await self._in_thread(partial(_check_root, root, self.source.id))
                text = f"the folder cannot be listed: {unit.reason}"
                below = known.below(unit.key) if unit.path != library.path else []
                return [Unreadable(key, text) for key in dict.fromkeys([unit.key, *below])]
            case _:
                return [unit]

    async def _load_all(self, root: str, jobs: list[_Job], known: Known) -> list[Outcome]:
        """Load files side by side; their order is kept."""
        results: dict[int, list[Outcome]] = {}
        starts = iter(range(0, len(jobs), _FILES_PER_CALL))

        async def load_some() -> None:
            for start in starts:
                some = jobs[start : start + _FILES_PER_CALL]
                results[start] = await self._in_thread(partial(_load, root, some, known, self._size_limit))

        async with anyio.create_task_group() as group:
            for _ in range(min(self._threads, -(-len(jobs) // _FILES_PER_CALL))):
                group.start_soon(load_some)
        return [result for start in sorted(results) for result in results[start]]

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(function, limiter=self._limiter)


class _VideosAlone:
    """Videos without an NFO file: each is named, unless there are very many."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._count = 0

    def add(self, video: VideoAlone) -> None:
        self._count += 1
        if len(self._first) < _VIDEOS_NAMED:
            self._first.append(video.key)

    def remarks(self, library: str) -> list[Remark]:
        if self._count <= _VIDEOS_NAMED:
            return [Remark(key, "a video without an NFO file") for key in self._first]
        text = f"{self._count:,} videos without an NFO file, the first are {', '.join(self._first)}"
        return [Remark(library, text)]


def _load(root: str, jobs: list[_Job], known: Known, size_limit: int) -> list[Outcome]:
    return [
        load_films(root, job, known, size_limit)
        if isinstance(job, FilmFiles)
        else load(root, job, known, size_limit)
        for job in jobs
    ]


def _is_empty(root: str, path: str) -> bool:
    """Whether there is nothing in a folder; one that cannot be listed is reported elsewhere."""
    try:
        folder = list_folder(root, path)
    except OSError:
        return False
    return not (folder.files or folder.dirs or folder.findings)


def _take(units: Iterator[Unit]) -> list[Unit]:
    """Take the next units, with as many files as are read side by side; a show is never split."""
    batch: list[Unit] = []
    size = 0
    for unit in units:
        batch.append(unit)
        size += max(1, sum(len(job.files) if isinstance(job, FilmFiles) else 1 for job in _jobs(unit)))
        if size >= _BATCH_FILES:
            break
    return batch


def _count_failed(unit: Unit) -> int:
    """Return how many folders could not be listed."""
    if isinstance(unit, ShowUnit):
        return sum(map(_count_failed, unit.findings))
    return int(isinstance(unit, FolderFailed))


def _jobs(unit: Unit) -> list[_Job]:
    """Return what of a unit is loaded."""
    if isinstance(unit, ShowUnit):
        return [*unit.files()]
    return [unit] if isinstance(unit, NfoFile | FilmFiles) else []


def _check_root(root: str, source_id: str) -> str:
    """Return the real path of a root that can be listed."""
    with _Listing(source_id):
        real = os.path.realpath(root)
        os.scandir(real).close()
    return real


class _Listing:
    """Turns the errors of listing a root or a library's folder into those of the source."""

    def __init__(self, source_id: str) -> None:
        self._source_id = source_id

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, OSError):
            raise SourceUnreachable(
                self._source_id, f"its folder {error.filename!r} cannot be listed: {reason(error)}"
            ) from error
