"""Storage keys where several processes number rows at once, without a sequence that all of them wait for.

A process takes a block of keys of a source by one small transaction, and numbers its new rows out of it. A
key is made of 15 bits for the source, 32 for the block and 16 for the row: keys of one source lie together,
rows that are saved together lie side by side in the indexes, and no key is ever given twice. What is left of
a block when the process ends is never used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

BLOCK_BITS: Final = 16
SOURCE_BITS: Final = 15
_BLOCKS_BITS: Final = 32


class Keys:
    """Gives out keys.

    Args:
        take_block: takes the next block of a source, and returns the source's key and the block's number,
            from 1.
    """

    def __init__(self, take_block: Callable[[str], Awaitable[tuple[int, int]]]) -> None:
        self._take_block = take_block
        self._turn = asyncio.Lock()
        self._left: dict[str, range] = {}

    async def take(self, source_id: str, count: int) -> Sequence[int]:
        """Return *count* keys that nobody else has.

        Raises:
            UnknownSource: if the source is not stored.
            DatabaseError: if no block can be taken.
        """
        keys: list[int] = []
        while len(keys) < count:
            async with self._turn:
                left = self._left.get(source_id) or self._block(*await self._take_block(source_id))
                taken = left[: count - len(keys)]
                self._left[source_id] = left[len(taken) :]
                keys += taken
        return keys

    @staticmethod
    def _block(source_key: int, number: int) -> range:
        if source_key >> SOURCE_BITS or number >> _BLOCKS_BITS:
            raise OverflowError(f"source {source_key} has no block {number} of keys")
        first = source_key << (_BLOCKS_BITS + BLOCK_BITS) | number << BLOCK_BITS
        return range(first, first + (1 << BLOCK_BITS))
