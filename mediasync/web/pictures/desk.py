"""Finds a picture: on the disk, at its source, or at its public address."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import anyio.to_thread

from mediasync.display import safe
from mediasync.errors import MediaSyncError, SourceUnreachable
from mediasync.settings.source import FlawedSource, SourceConfig
from mediasync.settings.source_kinds import BackendContext
from mediasync.web.pictures.disk_cache import DiskCache
from mediasync.web.pictures.formats import find_media_type
from mediasync.web.pictures.open_source import OpenSource
from mediasync.web.pictures.public import PublicPictures

_log: Final = logging.getLogger("mediasync.web.pictures")

WIDTHS: Final = (120, 240, 480, 960)
"""The widths in pixels in which pictures are fetched, so that each is kept in few sizes."""

_MISSING_SECONDS: Final = 600.0
_UNREACHABLE_SECONDS: Final = 30.0
_MOST_FAILURES: Final = 10_000


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """How pictures are kept.

    Attributes:
        folder: where they are kept; by default the user's cache folder.
        most_bytes: how many bytes they may have together.
        days: after how many days a picture is fetched again.
        private_addresses: whether pictures may be fetched from addresses of the local network that an NFO
            file names. The addresses of the configured servers are always asked.
    """

    folder: Path | None = None
    most_bytes: int = 512_000_000
    days: float = 30.0
    private_addresses: bool = False

    def cache(self) -> DiskCache:
        """Return the cache that these options describe."""
        folder = self.folder
        if folder is None:
            import platformdirs

            folder = platformdirs.user_cache_path("mediasync", appauthor=False) / "pictures"
        return DiskCache(folder, self.most_bytes)


class NoPicture(Exception):
    """There is no such picture at present."""


def width_for(asked: int) -> int:
    """Return the width in which a picture is fetched that is shown *asked* CSS pixels wide.

    Screens may have two pixels for each CSS pixel.

    Example:
        >>> width_for(56), width_for(136), width_for(5000)
        (120, 480, 960)
    """
    return next((width for width in WIDTHS if width >= 2 * asked), WIDTHS[-1])


class PictureDesk:
    """Finds pictures by the references that the mirror has stored, and by nothing else.

    Args:
        sources: the configured sources, by id.
        options: how pictures are kept.
        clock: the time in seconds, for how long failures are remembered.
    """

    def __init__(
        self,
        sources: Mapping[str, SourceConfig | FlawedSource],
        options: PictureOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = sources
        self._cache = options.cache()
        self._longest_age = options.days * 86_400
        self._public = PublicPictures(private=options.private_addresses)
        self._clock = clock
        self._fetching: dict[str, asyncio.Task[bytes]] = {}
        self._failed: dict[str, float] = {}
        self._open_sources: dict[str, OpenSource] = {}
        self._context = BackendContext()

    async def close(self) -> None:
        """Close the connections to the sources."""
        for source in self._open_sources.values():
            await source.close()

    async def find(self, source_id: str, reference: str, width: int) -> bytes:
        """Return the bytes of a picture.

        Args:
            source_id: the source whose picture it is.
            reference: as it is stored.
            width: one of `WIDTHS`.

        Raises:
            NoPicture: if there is none, or it cannot be fetched at present.
        """
        key = f"{source_id}\0{reference}\0{width}"
        kept = await anyio.to_thread.run_sync(self._cache.find, key)
        if kept is not None and kept.age <= self._longest_age:
            return kept.content
        try:
            return await self._fetch_once(key, source_id, reference, width)
        except NoPicture:
            if kept is None:
                raise
            return kept.content

    async def _fetch_once(self, key: str, source_id: str, reference: str, width: int) -> bytes:
        """Fetch a picture. If several ask for it at the same time, it is fetched once."""
        if self._failed.get(key, 0.0) > self._clock() or self._failed.get(source_id, 0.0) > self._clock():
            raise NoPicture
        task = self._fetching.get(key)
        if task is None:
            task = asyncio.create_task(
                self._fetch(key, source_id, reference, width), name="mediasync picture"
            )
            self._fetching[key] = task
            task.add_done_callback(partial(self._forget, key))
        return await asyncio.shield(task)

    def _forget(self, key: str, task: asyncio.Task[bytes]) -> None:
        self._fetching.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waits for it raises it; if nobody does any more, that is no error

    async def _fetch(self, key: str, source_id: str, reference: str, width: int) -> bytes:
        try:
            content = await self._read(source_id, reference, width)
        except (MediaSyncError, OSError) as error:
            _log.debug("%s: no picture %s: %s", source_id, safe(reference, 200), error)
            unreachable = isinstance(error, SourceUnreachable)
            self._note_failure(
                source_id if unreachable else key, _UNREACHABLE_SECONDS if unreachable else _MISSING_SECONDS
            )
            raise NoPicture from error
        if find_media_type(content) is None:
            self._note_failure(key, _MISSING_SECONDS)
            raise NoPicture
        try:
            await anyio.to_thread.run_sync(self._cache.keep, key, content)
        except OSError as error:
            _log.warning("a picture cannot be kept on the disk: %s", error)
        return content

    def _note_failure(self, key: str, seconds: float) -> None:
        if len(self._failed) >= _MOST_FAILURES:
            self._failed.clear()
        self._failed[key] = self._clock() + seconds

    async def _read(self, source_id: str, reference: str, width: int) -> bytes:
        source = self._open(source_id)
        if source is not None and source.pictures.serves(reference):
            return await source.fetch(reference, width)
        if reference.startswith(("https://", "http://")):
            return await self._public.fetch(reference)
        raise OSError("its source is not configured here")

    def _open(self, source_id: str) -> OpenSource | None:
        """Return a source that takes orders; None if it is not configured, or has no pictures."""
        source = self._open_sources.get(source_id)
        if source is not None and not source.is_ended:
            return source
        config = self._sources.get(source_id)
        pictures = (
            config.spec.make_pictures(config, self._context) if isinstance(config, SourceConfig) else None
        )
        if pictures is None:
            return None
        source = self._open_sources[source_id] = OpenSource(pictures)
        return source
