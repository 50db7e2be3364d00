"""The backend for folders of NFO files."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Coroutine,
    Iterator,
    Mapping,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from mediasync.aio import batched, finish
from mediasync.backends.base import (
    ONLY_SOME,
    Enumerated,
    Finding,
    Remark,
    Stored,
    Unreadable,
    as_related,
    opened,
)
from mediasync.backends.nfo.events import find_hints, watch_folder
from mediasync.backends.nfo.film_findings import film_findings, films_findings
from mediasync.backends.nfo.folders.files import FilmFiles, FolderFailed, NfoFile, ShowUnit, Unit, VideoAlone
from mediasync.backends.nfo.folders.folder_kind import FolderKinds
from mediasync.backends.nfo.folders.listing import Listings, folder_subject, list_folder
from mediasync.backends.nfo.folders.os_errors import reason
from mediasync.backends.nfo.folders.walk import Libraries, LibraryFolder, find_libraries, walk
from mediasync.backends.nfo.loading import Failed, Loaded, parse_file
from mediasync.backends.nfo.parser_processes import ParserProcesses, count_spare_cores
from mediasync.backends.nfo.reading import (
    Outcome,
    Same,
    Several,
    find_unchanged,
    find_unchanged_films,
    look,
    read,
    settle,
)
from mediasync.backends.nfo.show_findings import show_findings
from mediasync.backends.nfo.tokens import StoredTokens
from mediasync.errors import SourceUnreachable, UnknownLibrary
from mediasync.hints import Hint
from mediasync.models import Library, Source

T = TypeVar("T")

_BATCH_FILES: Final = 64
_FIRST_FILES: Final = 16
_BATCHES_AHEAD: Final = 2
_FILES_PER_CALL: Final = 8
_FILES_PER_REQUEST: Final = 32
_QUICK_LOOK: Final = 0.0002
"""How many seconds a look at a file may take, on average, for one thread to go on alone."""
_SECONDS_ALONE: Final = 0.005
"""How long it goes on in any case."""
_QUICK_READ: Final = 0.004
"""How many seconds reading and parsing a file may take, on average, for one thread to do it alone."""
_MANY_FILES: Final = 128
_MOST_PROCESSES: Final = 4
_VIDEOS_NAMED: Final = 20

_Job = NfoFile | FilmFiles


class NfoBackend:
    """A folder of NFO files, as Kodi, Jellyfin, Emby, Sonarr, Radarr and tinyMediaManager write them.

    The backend writes nothing, follows no links, and opens only files that changed. Worker threads read
    folders and files a few ahead of the consumer, and an abandoned iteration leaves no thread behind. If
    there are many files to read, other processes parse them, which end when the backend is closed.

    Args:
        root: the folder. Keys of items are relative to it, so it may be moved or mounted elsewhere.
        source: the source that the folder is.
        threads: how many folders and files are read at the same time.
        processes: how many processes parse files beside this one, at most; by default, one for each further
            processor core, up to four. With 0, this process parses all files.
        size_limit: in bytes; a larger file is reported and not read.
        poll_seconds: how often `listen` looks at all files, where the system does not report changes, as on
            network mounts; None if it reports them.

    Raises:
        ValueError: if *threads* or *size_limit* is less than 1, or *processes* less than 0.

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
        processes: int | None = None,
        size_limit: int = 4 * 1024 * 1024,
        poll_seconds: float | None = None,
    ) -> None:
        if threads < 1 or size_limit < 1:
            raise ValueError("threads and size_limit must be 1 or more")
        if processes is not None and processes < 0:
            raise ValueError("processes must be 0 or more")
        self.source = source
        self._given_root = os.fspath(root)
        self._threads = threads
        self._processes = min(count_spare_cores(), _MOST_PROCESSES) if processes is None else processes
        self._size_limit = size_limit
        self._poll_seconds = poll_seconds
        self._root: str | None = None
        self._parsers: ParserProcesses | None = None
        self._files_read = 0
        self._alone = asyncio.Lock()
        self._is_slow = False
        self._executor: ThreadPoolExecutor | None = None
        self._libraries: Libraries | None = None
        self._listings = Listings()
        self._told_of_root = False

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which the folder can be read.

        Raises:
            SourceUnreachable: if the folder does not exist, is not a folder, or may not be read.
        """
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        self._executor = executor = ThreadPoolExecutor(self._threads, thread_name_prefix="mediasync nfo")
        try:
            self._root = await self._in_thread(partial(_check_root, self._given_root, self.source.id))
            self._files_read = 0
            self._alone = asyncio.Lock()  # it belongs to this event loop
            self._is_slow = False
            self._parsers = ParserProcesses(self._root, self._size_limit, self._processes)
            yield
        finally:
            if self._parsers is not None:
                await self._parsers.close()
            executor.shutdown()
            self._parsers = None
            self._root = self._executor = self._libraries = None
            self._listings = Listings()
            self._told_of_root = False

    async def fetch_libraries(self) -> list[Library]:
        """Return the libraries, found as `mediasync.backends.nfo.folders.walk.find_libraries` says.

        Raises:
            SourceUnreachable: if the folder can no longer be listed.
        """
        return [
            Library(id=found.key, source_id=self.source.id, title=found.title, kind=found.kind)
            for found in (await self._find_libraries()).folders
        ]

    async def _find_libraries(self) -> Libraries:
        root = opened(self._root)
        if self._libraries is None:
            nothing = StoredTokens({})
            # Names alone decide here. Files are opened only in folders that are named like a season.
            kinds = FolderKinds(root, nothing, lambda *_: None, partial(look, root, stored=nothing))
            with _ListingErrors(self.source.id):
                self._libraries = await self._in_thread(partial(find_libraries, root, kinds, self._listings))
        return self._libraries

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        """Read the items of a library: films by folder; each show with its seasons and then its episodes.

        Args:
            library: one of `fetch_libraries`.
            stored: what the mirror holds. An item that still has its change token is yielded as `Unchanged`,
                without opening its file.
            only: if given, only folders are listed that may hold these items. Whatever changed in one of
                these folders comes with them: a show is always read as a whole.

        Raises:
            UnknownLibrary: if the folder has no such library.
            SourceUnreachable: if the root no longer exists. If only the library's own folder cannot be
                listed, the library ends as not complete.
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
        tokens = StoredTokens({**stored.tokens, **stored.due}, stored.due.keys())
        if folder.items - len(tokens.tokens) > _MANY_FILES:
            opened(self._parsers).start()
        looking = partial(look, root, stored=tokens)
        kinds = FolderKinds(root, tokens, looking, looking)
        units = walk(root, folder.path, kinds, folder.others, only, self._listings)
        unlisted = 0
        alone = _VideosAlone()
        async with aclosing(self._loaded(root, units, tokens)) as batches:
            async for unit, outcomes in batches:
                unlisted += _count_failed(unit)
                for finding in await self._findings(root, folder, unit, outcomes, tokens, only or ()):
                    if isinstance(finding, VideoAlone):
                        alone.add(finding)
                    else:
                        yield finding if only is None else as_related(finding)
        if only is not None:
            yield ONLY_SOME
            return
        for video in alone.remarks(folder.key):
            yield video
        text = f"folders that cannot be listed: {unlisted:,}" if unlisted else ""
        may_be_unmounted = bool(tokens.tokens) or not folder.path
        if may_be_unmounted and await self._in_thread(partial(_is_empty, root, folder.path)):
            yield Remark(folder.key or self.source.id, "the folder is empty: is a disk not mounted?")
        yield Enumerated(None, not text, text)

    async def listen(self, on_start: Callable[[], None] | None = None) -> AsyncGenerator[Hint, None]:
        """Iterate over hints about the items whose files change.

        A changed file means the film whose own folder it is in or whose name it has, or the whole show that
        it is part of. Where that is not certain, the source is synced.

        Raises:
            SourceUnreachable: if the folder disappears, or cannot be watched.
            ConfigurationError: if the package ``watchfiles`` is not installed.
        """
        root = opened(self._root)
        async with aclosing(watch_folder(root, self.source.id, self._poll_seconds, on_start)) as changes:
            async for batch in changes:
                for hint in await self._in_thread(partial(find_hints, root, batch)):
                    yield hint

    async def _findings(
        self,
        root: str,
        library: LibraryFolder,
        unit: Unit,
        outcomes: Mapping[str, Outcome],
        stored: StoredTokens,
        only: Collection[str],
    ) -> list[Finding | VideoAlone]:
        """Return what was found in a unit.

        Args:
            root: the real path of the root.
            library: the library that is read.
            unit: a part of it.
            outcomes: what became of the unit's files, by the `_path_of` each job.
            stored: the stored change tokens.
            only: the keys of the items that were asked for.
        """
        match unit:
            case NfoFile():
                return list(film_findings(unit, outcomes[_path_of(unit)]))
            case FilmFiles():
                return list(films_findings(unit, outcomes[_path_of(unit)]))
            case ShowUnit():
                reread = partial(read, root, stored=stored, size_limit=self._size_limit)
                found: list[Finding | VideoAlone] = []
                found += await self._in_thread(lambda: list(show_findings(unit, outcomes, stored, reread)))
                for finding in unit.findings:
                    found += await self._findings(root, library, finding, outcomes, stored, only)
                return found
            case FolderFailed():
                await self._in_thread(partial(_check_root, root, self.source.id))
                text = f"the folder cannot be listed: {unit.reason}"
                if unit.path == library.path:
                    return [Unreadable(unit.key, text)]
                keys = stored.keys_below(unit.key)
                if unit.key not in keys:
                    keys.insert(0, unit.key if unit.key in only else folder_subject(unit.key))
                return [Unreadable(key, text) for key in keys]
            case _:
                return [unit]

    async def _loaded(
        self, root: str, units: Iterator[Unit], stored: StoredTokens
    ) -> AsyncGenerator[tuple[Unit, dict[str, Outcome]], None]:
        """Yield each unit with what became of its files. The next batches are loaded meanwhile."""
        walking = asyncio.Lock()
        is_over = False

        async def load_batch(files: int = _BATCH_FILES) -> tuple[list[Unit], dict[str, Outcome]]:
            nonlocal is_over
            async with walking:  # which lets them in one after the other
                batch = [] if is_over else await self._in_thread(partial(_take, units, files))
                if not batch:
                    is_over = True
                    return [], {}
                jobs = [job for unit in batch for job in _jobs(unit)]
                outcomes = await self._find_all_unchanged(root, jobs, stored)
            await self._read_all(
                root, [job for job in jobs if _path_of(job) not in outcomes], stored, outcomes
            )
            return batch, outcomes

        loading = deque([asyncio.ensure_future(load_batch(_FIRST_FILES))])
        try:
            while True:
                batch, outcomes = await loading[0]
                if not batch:
                    return
                loading.popleft()
                while len(loading) < _BATCHES_AHEAD:
                    loading.append(asyncio.ensure_future(load_batch()))
                for unit in batch:
                    yield unit, outcomes
        finally:
            for task in loading:
                task.cancel()
            await asyncio.gather(*loading, return_exceptions=True)

    async def _find_all_unchanged(
        self, root: str, jobs: list[_Job], stored: StoredTokens
    ) -> dict[str, Outcome]:
        """Return the outcomes of the jobs that need not be read, by their `_path_of`."""
        outcomes: dict[str, Outcome] = {}

        async def look_at(part: list[_Job], seconds: float = math.inf) -> int:
            looked_at, found = await self._in_thread(partial(_find_unchanged, root, part, stored, seconds))
            outcomes.update(found)
            return looked_at

        if stored.tokens:  # else every file is new
            # Threads wait for each other's GIL, which takes longer than a look at a file on a disk.
            near = await look_at(jobs, _SECONDS_ALONE)
            await self._side_by_side(look_at, jobs[near:], _FILES_PER_CALL)
        return outcomes

    async def _read_all(
        self, root: str, jobs: list[_Job], stored: StoredTokens, outcomes: dict[str, Outcome]
    ) -> None:
        """Read files, and note in *outcomes* what became of each job.

        Until other processes can read them, one thread does: threads that parse wait for each other's GIL. If
        that is slow, as on a network mount, the other threads help.
        """
        files = [file for job in jobs for file in _files_of(job, stored)]
        self._files_read += len(files)
        parsers = opened(self._parsers)
        if parsers.are_started or self._files_read > _MANY_FILES:
            parsers.start()
        waiting = deque(files)
        read: dict[str, Loaded | Failed] = {}

        def take(number: int) -> list[NfoFile]:
            return [waiting.popleft() for _ in range(min(number, len(waiting)))]

        async def read_part(part: list[NfoFile], parsed: list[Loaded | Failed] | None = None) -> None:
            if parsed is None:
                parsed = await self._in_thread(partial(_parse_files, root, part, self._size_limit))
            for file, outcome in zip(part, parsed, strict=True):
                read[file.path] = settle(file, outcome, stored)

        async def work_on() -> None:
            while waiting:
                if parsers.are_running:
                    part = take(_FILES_PER_REQUEST)
                    await read_part(part, await parsers.parse(part))
                else:
                    await read_part(take(_FILES_PER_CALL))

        async with self._alone:
            while waiting and not parsers.are_running and not self._is_slow:
                began = time.perf_counter()
                await read_part(part := take(_FILES_PER_CALL))
                self._is_slow = time.perf_counter() - began > len(part) * _QUICK_READ
        size = _FILES_PER_REQUEST if parsers.are_running else _FILES_PER_CALL
        await self._together(work_on, min(self._threads, -(-len(waiting) // size)))
        for job in jobs:
            if isinstance(job, FilmFiles):
                outcomes[_path_of(job)] = Several({file.path: read[file.path] for file in job.files})
            else:
                outcomes[job.path] = read[job.path]

    async def _side_by_side(
        self, work: Callable[[list[T]], Coroutine[Any, Any, Any]], values: list[T], size: int
    ) -> None:
        """Call *work* with parts of some values, with as many at the same time as there are threads.

        Args:
            work: what is done with a part.
            values: all values.
            size: how many values a part has, at most.
        """
        parts = batched(values, size)

        async def work_on() -> None:
            for part in parts:
                await work(part)

        await self._together(work_on, min(self._threads, -(-len(values) // size)))

    async def _together(self, work: Callable[[], Coroutine[Any, Any, None]], number: int) -> None:
        """Call *work* so many times at the same time, and wait until all have ended."""
        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(work())

    async def _in_thread(self, function: Callable[[], T]) -> T:
        """Return what *function* returns in a worker thread, where it runs to its end in any case."""
        return await finish(asyncio.get_running_loop().run_in_executor(opened(self._executor), function))


class _VideosAlone:
    """The videos without an NFO file: each is named, unless there are very many."""

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
        text = f"{self._count:,} videos without an NFO file; the first are {', '.join(self._first)}"
        return [Remark(library, text)]


def _find_unchanged(
    root: str, jobs: list[_Job], stored: StoredTokens, seconds: float = math.inf
) -> tuple[int, dict[str, Same | Failed]]:
    """Look at files until the time is over.

    Args:
        root: the real path of the root.
        jobs: the files.
        stored: the stored change tokens.
        seconds: how long it goes on even if a look at a file takes longer than `_QUICK_LOOK`.

    Returns:
        How many were looked at, and the outcomes of those that need not be read.
    """
    end = time.perf_counter() + seconds
    outcomes: dict[str, Same | Failed] = {}
    for number, job in enumerate(jobs):
        if time.perf_counter() > end + number * _QUICK_LOOK:
            return number, outcomes
        outcome = (
            find_unchanged_films(root, job, stored)
            if isinstance(job, FilmFiles)
            else find_unchanged(root, job, stored)
        )
        if outcome:
            outcomes[_path_of(job)] = outcome
    return len(jobs), outcomes


def _parse_files(root: str, files: list[NfoFile], size_limit: int) -> list[Loaded | Failed]:
    return [parse_file(root, file.path, file.kind, size_limit) for file in files]


def _files_of(job: _Job, stored: StoredTokens) -> list[NfoFile]:
    """Return the files of a job; those that may describe one film have its key if that is stored."""
    if isinstance(job, NfoFile):
        return [job]
    key = job.shared_key if job.shared_key in stored.tokens else None
    return [replace(file, key=key or file.key) for file in job.files]


def _path_of(job: _Job) -> str:
    """Return the path of a file; the first of several stands for all of them."""
    return job.files[0].path if isinstance(job, FilmFiles) else job.path


def _is_empty(root: str, path: str) -> bool:
    """Whether a folder is empty; a folder that cannot be listed is reported elsewhere."""
    try:
        folder = list_folder(root, path)
    except OSError:
        return False
    return not (folder.files or folder.dirs or folder.findings)


def _take(units: Iterator[Unit], files: int) -> list[Unit]:
    """Take the next units, up to so many files; a show is never split."""
    batch: list[Unit] = []
    size = 0
    for unit in units:
        batch.append(unit)
        size += max(1, sum(len(job.files) if isinstance(job, FilmFiles) else 1 for job in _jobs(unit)))
        if size >= files:
            break
    return batch


def _count_failed(unit: Unit) -> int:
    """Return how many of a unit's folders could not be listed."""
    if isinstance(unit, ShowUnit):
        return sum(map(_count_failed, unit.findings))
    return int(isinstance(unit, FolderFailed))


def _jobs(unit: Unit) -> list[_Job]:
    """Return the files of a unit that are to be loaded."""
    if isinstance(unit, ShowUnit):
        return [*unit.files()]
    return [unit] if isinstance(unit, NfoFile | FilmFiles) else []


def _check_root(root: str, source_id: str) -> str:
    """Return the real path of a root that can be listed."""
    with _ListingErrors(source_id):
        real = os.path.realpath(root)
        os.scandir(real).close()
    return real


class _ListingErrors:
    """Turns the errors of listing the root into errors of the source."""

    def __init__(self, source_id: str) -> None:
        self._source_id = source_id

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, OSError):
            raise SourceUnreachable(
                self._source_id, f"its folder {error.filename!r} cannot be listed: {reason(error)}"
            ) from error
