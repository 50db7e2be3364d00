"""Storage keys where several processes number rows at once, without a sequence that all of them wait for.

A process takes a block of keys of a source by one small transaction, and numbers its new rows out of it. A
key is made of 15 bits for the source, 32 for the block and 16 for the row: keys of one source lie together,
rows that are saved together lie side by side in the indexes, and no key is ever given twice. What is left of
a block when the process ends is never used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mediasync.errors import DatabaseError

BLOCK_BITS: Final = 16
SOURCE_BITS: Final = 15
_BLOCKS_BITS: Final = 32


class KeysMissing(Exception):
    """A transaction needs more keys than there are: a block is to be taken, and the transaction run again.

    Attributes:
        source_id: the source whose keys are missing.
    """

    def __init__(self, source_id: str) -> None:
        super().__init__(f"source {source_id!r} has no keys left")
        self.source_id = source_id


class Keys:
    """The keys that this process may give out."""

    def __init__(self) -> None:
        self._left: dict[str, list[int]] = {}

    def take(self, source_id: str, count: int) -> Sequence[int]:
        """Return *count* keys that nobody else has.

        Raises:
            KeysMissing: if there are not as many.
        """
        left = self._left.get(source_id, [])
        if len(left) < count:
            raise KeysMissing(source_id)
        taken, self._left[source_id] = left[:count], left[count:]
        return taken

    def add_block(self, source_id: str, source_key: int, number: int) -> None:
        """Add a block that was taken.

        Args:
            source_id: the source that it is of.
            source_key: the source's own key.
            number: of the block, from 1.

        Raises:
            DatabaseError: if keys have no room for that.
        """
        if source_key >> SOURCE_BITS or number >> _BLOCKS_BITS:
            raise DatabaseError(
                f"source {source_id!r} is the {source_key}th of the database and asks for block {number} of "
                f"keys: there is room for {1 << SOURCE_BITS:,} sources with {1 << _BLOCKS_BITS:,} blocks each"
            )
        first = source_key << (_BLOCKS_BITS + BLOCK_BITS) | number << BLOCK_BITS
        self._left.setdefault(source_id, []).extend(range(first, first + (1 << BLOCK_BITS)))
