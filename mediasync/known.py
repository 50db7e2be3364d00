"""People of whom is known that they are stored, so that they need not be looked up again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mediasync.normal import PersonRow

GENERATION: Final = 250_000
"""At some 200 bytes for a person."""

_HASH_BITS: Final = 64
_HASH: Final = (1 << _HASH_BITS) - 1


class KnownPeople:
    """The people that were saved last, with their storage keys.

    A person stands in it while saving that very row again would change nothing. Who lends it makes sure of
    that: it is cleared when a transaction is rolled back, and when anybody else has written.

    Of a row only a hash of 64 bits is kept, beside the key in one number. Python makes it with a key of its
    own for each process, so that no two rows of a person can be chosen to look the same.

    Two generations of at most *generation* people each are kept. Who is asked for moves to the younger one,
    and when that is full, the older one is dropped, so that those who play everywhere stay.

    Attributes:
        others_are_new: whether most of those who were not known lately were not stored either. It is quicker
            then to insert the next ones at once than to look them up before.

    Args:
        generation: how many people one generation holds; 0: nobody is remembered.
    """

    def __init__(self, generation: int = GENERATION) -> None:
        self._generation = generation
        self.others_are_new = False
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}

    @property
    def remembers(self) -> bool:
        """Whether anybody is remembered at all."""
        return self._generation > 0

    def split(self, people: Iterable[PersonRow]) -> tuple[dict[str, int], list[PersonRow]]:
        """Return the keys of those of *people* who are stored just so, and the rows of the others."""
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
        """Note that *people* are stored, with *keys* by their ids."""
        if len(self._young) >= self._generation:
            self._old, self._young = self._young, {}
        for row in people:
            self._young[row[0]] = keys[row[0]] << _HASH_BITS | hash(row) & _HASH

    def discard(self, person_id: str) -> None:
        """Forget one person."""
        self._young.pop(person_id, None)
        self._old.pop(person_id, None)

    def clear(self) -> None:
        """Forget all."""
        self.others_are_new = False
        self._young.clear()
        self._old.clear()
