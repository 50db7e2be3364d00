"""What a database engine offers: the protocol that each implements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from mediasync.dialects.base import Dialect, Session

T = TypeVar("T")


class Engine(Protocol):
    """The connections to one database.

    Attributes:
        longest_wait: the longest time, in seconds, that a transaction waited to begin.
    """

    longest_wait: float

    @property
    def dialect(self) -> Dialect:
        """How the engine says what repositories say."""
        ...

    @property
    def writers(self) -> int:
        """How many transactions can write at once."""
        ...

    @property
    def threaded(self) -> bool:
        """Whether threads of this process do the work, and need the interpreter's lock to take it up."""
        ...

    @property
    def max_group_items(self) -> int:
        """How many items one transaction saves at most."""
        ...

    @property
    def max_group_credits(self) -> int:
        """With how many credits a transaction takes no more items."""
        ...

    async def open(self) -> None:
        """Connect, and bring the schema up to date."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...

    def read(self, *, snapshot: bool = False) -> AbstractAsyncContextManager[Session]:
        """Lend a connection for reading."""
        ...

    async def write(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run *work* in one transaction: committed if it returns, rolled back if it raises."""
        ...

    async def update_statistics(self) -> None:
        """Gather anew what the planner of queries knows of the tables, if they have grown much."""
        ...

    def give_up_waiting(self) -> None:
        """Wait no more for locks of others: what waits for one fails."""
        ...
