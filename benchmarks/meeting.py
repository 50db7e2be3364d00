"""How two measured processes wait for each other: by empty files in a folder, which can only be polled."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

_POLL = 0.01


class Meeting:
    """Two processes that begin and end something together."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def tell(self, word: str) -> None:
        """Say *word*."""
        (self._directory / word).touch()

    def heard(self, word: str) -> bool:
        """Return whether *word* was said."""
        return (self._directory / word).exists()

    def wait_for(self, word: str) -> None:
        """Wait until *word* is said."""
        while not self.heard(word):
            time.sleep(_POLL)

    async def hear(self, word: str) -> None:
        """Wait in an event loop until *word* is said."""
        while not self.heard(word):  # noqa: ASYNC110
            await asyncio.sleep(_POLL)
