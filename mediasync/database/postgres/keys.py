"""Storage keys for processes that number new rows at the same time.

A process reserves a block of keys of one source with a small transaction, and numbers its new rows from that
block. A key has 15 bits for the source, 32 for the block and 16 for the row. So the keys of one source are a
range, which partitions can use; rows that are saved together are neighbours in the indexes; and no key is
given twice. The rest of a block is lost when the process ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mediasync.errors import DatabaseError

BLOCK_BITS: Final = 16
SOURCE_BITS: Final = 15
_BLOCKS_BITS: Final = 32


class KeysMissing(Exception):
    """A transaction needs more keys than are reserved. It is run again after another block is reserved.

    Attributes:
        source_id: the source whose keys have run out.
    """

    def __init__(self, source_id: str) -> None:
        super().__init__(f"source {source_id!r} has no keys left")
        self.source_id = source_id


class Keys:
    """The keys that this process has reserved."""

    def __init__(self) -> None:
        self._left: dict[str, list[int]] = {}

    def take(self, source_id: str, count: int) -> Sequence[int]:
        """Return *count* keys that no other row has.

        Raises:
            KeysMissing: if fewer are reserved.
        """
        left = self._left.get(source_id, [])
        if len(left) < count:
            raise KeysMissing(source_id)
        taken, self._left[source_id] = left[:count], left[count:]
        return taken

    def add_block(self, source_id: str, source_key: int, number: int) -> None:
        """Add a reserved block.

        Args:
            source_id: the id of the source.
            source_key: the storage key of the source.
            number: the number of the block within the source, from 1.

        Raises:
            DatabaseError: if a key has not enough bits for one of the numbers.
        """
        if source_key >> SOURCE_BITS or number >> _BLOCKS_BITS:
            raise DatabaseError(
                f"source {source_id!r} is the {source_key}th of the database and asks for block {number} of "
                f"keys: there is room for {1 << SOURCE_BITS:,} sources with {1 << _BLOCKS_BITS:,} blocks each"
            )
        first = source_key << (_BLOCKS_BITS + BLOCK_BITS) | number << BLOCK_BITS
        self._left.setdefault(source_id, []).extend(range(first, first + (1 << BLOCK_BITS)))
