"""Pictures on the disk, within a bound. Several processes may share the folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".picture"
_KEPT_AFTER_TIDYING: Final = 0.8


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture from the disk.

    Attributes:
        content: its bytes.
        age: how many seconds ago it was fetched.
    """

    content: bytes
    age: float


class DiskCache:
    """Keeps pictures in a folder. Its methods block.

    The time at which a file was last changed says when the picture was fetched, and that at which it was last
    read says when it was last shown: both are set here, so it does not matter how the folder is mounted.

    Args:
        folder: it is created when the first picture is kept.
        most_bytes: how many bytes all pictures may have together. Those that were not shown for longest are
            deleted first.
        clock: the time in seconds since 1970.
    """

    def __init__(self, folder: Path, most_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._clock = clock
        self._bytes: int | None = None

    def _file(self, key: str) -> Path:
        name = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
        return self._folder / name[:2] / f"{name}{_SUFFIX}"

    def find(self, key: str) -> Kept | None:
        """Return a picture by its key; None if it is not kept, or cannot be read."""
        file = self._file(key)
        try:
            content = file.read_bytes()
            fetched = file.stat().st_mtime
            os.utime(file, (self._clock(), fetched))
        except OSError:
            return None
        return Kept(content, max(0.0, self._clock() - fetched))

    def keep(self, key: str, content: bytes) -> None:
        """Keep a picture.

        Raises:
            OSError: if it cannot be written.
        """
        if len(content) > self._most_bytes:
            return
        file = self._file(key)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".new", delete=False) as new:
            try:
                new.write(content)
                new.close()
                now = self._clock()
                os.utime(new.name, (now, now))
                os.replace(new.name, file)
            except BaseException:
                with suppress(OSError):
                    os.unlink(new.name)
                raise
        if self._bytes is None:
            self._bytes = sum(size for _, size, _ in self._listed())
        else:
            self._bytes += len(content)
        if self._bytes > self._most_bytes:
            self._tidy()

    def _listed(self) -> list[tuple[float, int, Path]]:
        """Return when each picture was last shown, its size and its file, the oldest first."""
        found = []
        for file in self._folder.glob(f"*/*{_SUFFIX}"):
            with suppress(FileNotFoundError):  # another process has deleted it
                state = file.stat()
                found.append((state.st_atime, state.st_size, file))
        return sorted(found)

    def _tidy(self) -> None:
        """Delete what was not shown for longest. Other processes may have added pictures: list them anew."""
        listed = self._listed()
        left = sum(size for _, size, _ in listed)
        for _, size, file in listed:
            if left <= self._most_bytes * _KEPT_AFTER_TIDYING:
                break
            with suppress(FileNotFoundError):
                file.unlink()
            left -= size
        self._bytes = left
