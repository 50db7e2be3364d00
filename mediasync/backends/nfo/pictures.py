"""The pictures that lie beside NFO files."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

import anyio.to_thread

from mediasync.backends.nfo.folders.os_errors import reason
from mediasync.backends.nfo.loading import read_file
from mediasync.errors import SourceUnreadable
from mediasync.formats.nfo.cleaning import NfoError

_LARGEST: Final = 32 * 1024 * 1024


class NfoPictures:
    """Reads pictures below the root of a folder of NFO files. It follows no links out of it.

    Args:
        root: the folder.
        source_id: the source that errors name.
    """

    def __init__(self, root: Path | str, source_id: str) -> None:
        self._root = os.fspath(root)
        self._source_id = source_id

    def open(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which pictures can be read."""
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        yield

    def serves(self, reference: str) -> bool:
        """Return whether this is a path below the root."""
        path = PurePosixPath(reference)
        return (
            bool(path.parts) and "://" not in reference and not path.is_absolute() and ".." not in path.parts
        )

    async def fetch(self, reference: str, width: int) -> bytes:
        """Return the bytes of a picture, as they are in its file."""
        if not self.serves(reference):
            raise SourceUnreadable(self._source_id, "this is not the path of a picture below its folder")
        return await anyio.to_thread.run_sync(partial(self._read, reference))

    def _read(self, reference: str) -> bytes:
        root = os.path.realpath(self._root)
        try:
            folder = os.path.realpath(os.path.join(root, os.path.dirname(reference)))
            if os.path.commonpath([root, folder]) != root:
                raise SourceUnreadable(self._source_id, f"{reference}: is outside its folder")
            return read_file(folder, os.path.basename(reference), _LARGEST)[0]
        except (OSError, ValueError, NfoError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            raise SourceUnreadable(self._source_id, f"{reference}: {why}") from error
