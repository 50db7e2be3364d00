"""How two measured processes wait for each other: by polling for empty files in a folder."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

_POLL = 0.01


class Meeting:
    """Lets two processes begin and end something together."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def tell(self, word: str) -> None:
        """Send *word* to the other process."""
        (self._directory / word).touch()

    def heard(self, word: str) -> bool:
        """Return whether the other process has sent *word*."""
        return (self._directory / word).exists()

    def wait_for(self, word: str) -> None:
        """Wait until the other process sends *word*."""
        while not self.heard(word):
            time.sleep(_POLL)

    async def hear(self, word: str) -> None:
        """Wait in an event loop until the other process sends *word*."""
        while not self.heard(word):  # noqa: ASYNC110
            await asyncio.sleep(_POLL)
