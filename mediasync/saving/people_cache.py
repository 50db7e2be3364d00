"""A cache of people already in the database: saving one of them again needs no SELECT."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mediasync.rows import PersonRow

GENERATION: Final = 250_000
"""A person takes about 200 bytes."""

_HASH_BITS: Final = 64
_HASH: Final = (1 << _HASH_BITS) - 1


class RecentPeople:
    """The people who were saved last, with their storage keys.

    An entry means that the stored row equals this one. The owner clears the cache after a rollback and after
    any foreign write.

    The cache keeps only a hash of 64 bits of each row, in one number with the key. Python salts the hash anew
    in each process, so nobody can choose two rows of a person that look the same.

    There are two generations of at most *generation* people each. A person who is asked for moves to the
    younger one. When that is full, the older one is dropped, so that people who are credited everywhere stay.

    Attributes:
        others_are_new: whether most people who were not in the cache lately were not stored either. Inserting
            the next ones at once is then quicker than looking them up before.

    Args:
        generation: how many people one generation holds.
    """

    remembers: Final = True

    def __init__(self, generation: int = GENERATION) -> None:
        self._generation = generation
        self.others_are_new = False
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}

    def split(self, people: Iterable[PersonRow]) -> tuple[dict[str, int], list[PersonRow]]:
        """Return the storage keys, by id, of those whose very row is stored, and the rows of the others."""
        keys: dict[str, int] = {}
        others: list[PersonRow] = []
        for row in people:
            person_id = row[0]
            found = self._young.get(person_id)
            if found is None and (found := self._old.pop(person_id, None)) is not None:
                self._young[person_id] = found
            if found is not None and found & _HASH == hash(row) & _HASH:
                keys[person_id] = found >> _HASH_BITS
            else:
                others.append(row)
        return keys, others

    def add(self, people: Iterable[PersonRow], keys: dict[str, int]) -> None:
        """Note that the rows of *people* are stored, with *keys* by their ids."""
        if len(self._young) >= self._generation:
            self._old, self._young = self._young, {}
        for row in people:
            self._young[row[0]] = keys[row[0]] << _HASH_BITS | hash(row) & _HASH

    def discard(self, person_id: str) -> None:
        """Forget one person."""
        self._young.pop(person_id, None)
        self._old.pop(person_id, None)

    def clear(self) -> None:
        """Forget everybody."""
        self.others_are_new = False
        self._young.clear()
        self._old.clear()
