"""Files that only their owner may read."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


class StagedFile:
    """A file that is written under another name, and gets its own name when it is complete.

    The new name is in the same folder, so the rename is atomic: whoever opens the file reads the old content
    or the new one, also if the process is killed.

    Args:
        path: the file; a symbolic link is followed.
        content: what it will hold.
        mode: its permissions.

    Raises:
        OSError: if it cannot be written.

    Example::

        staged = StagedFile(Path("home.token"), "secret")
        staged.publish()
    """

    def __init__(self, path: Path, content: str, mode: int = 0o600) -> None:
        self.path = Path(os.path.realpath(path))
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
        self.staged = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            self.staged.chmod(mode)
        except BaseException:
            self.discard()
            raise

    def publish(self) -> None:
        """Give the file its name. It replaces one that had it.

        Raises:
            OSError: if that is not possible.
        """
        os.replace(self.staged, self.path)

    def discard(self) -> None:
        """Delete what was written, unless it was published."""
        with suppress(FileNotFoundError):
            self.staged.unlink()


def write_secret(path: Path, content: str) -> None:
    """Write a file that only its owner may read, atomically.

    Raises:
        OSError: if it cannot be written; the file is then as it was.
    """
    staged = StagedFile(path, f"{content}\n")
    try:
        staged.publish()
    finally:
        staged.discard()
