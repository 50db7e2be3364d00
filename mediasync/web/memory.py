"""Numbers that take long to count, remembered until the mirror changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from mediasync.app import MediaSync

T = TypeVar("T")

_MOST: Final = 500


class Memory:
    """Remembers answers about a mirror as long as its newest change is the same.

    Args:
        ms: the mirror.
    """

    def __init__(self, ms: MediaSync) -> None:
        self._ms = ms
        self._newest = -1
        self._kept: dict[Hashable, Any] = {}

    async def recall(self, question: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to a question, which is asked only if it may have changed.

        Args:
            question: what tells one question from another.
            find: finds the answer.
        """
        newest = await self._ms.newest_change()
        if newest != self._newest or len(self._kept) >= _MOST:
            self._kept.clear()
            self._newest = newest
        if question not in self._kept:
            found = await find()
            if newest == self._newest:  # nobody noticed a change meanwhile
                self._kept[question] = found
            return found
        known: T = self._kept[question]
        return known
