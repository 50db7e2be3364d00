"""The database of a mirror: to look into it, and to hold up what is written."""

from __future__ import annotations

from contextlib import AbstractContextManager

from mediasync.app import MediaSync
from mediasync.database.database import Database

__all__ = ["count_waiting_writes", "database_of", "hold_writes"]

# The attributes of `MediaSync` are private, so that programs use the services. Tests reach them through these
# functions alone.


def database_of(ms: MediaSync) -> Database:
    """Return the database of a mirror.

    Its ``read`` lends a session for plain SQL, its ``write`` runs a transaction, and its ``changes_made`` and
    ``transactions_begun`` prove that nothing was written. Programs should not depend on it: it is internal,
    and any version may change it.

    Args:
        ms: the mirror; it need not be open.

    Example:
        >>> import asyncio
        >>> async def main() -> list[tuple[int]]:
        ...     async with MediaSync("sqlite:///:memory:") as ms:
        ...         async with database_of(ms).read() as session:
        ...             return await session.fetch_all("SELECT count(*) AS items FROM media_items")
        >>> asyncio.run(main())
        [(0,)]
    """
    return ms._database


def count_waiting_writes(ms: MediaSync) -> int:
    """Return how many saves and other writes of an open mirror wait for their turn.

    Those that a transaction has begun to write are not among them.
    """
    return ms._writer.waiting


def hold_writes(ms: MediaSync) -> AbstractContextManager[None]:
    """Return a context manager that holds up all writes of an open mirror until its block ends.

    Saves are accepted and wait; `count_waiting_writes` counts them. A transaction that has begun goes on, and
    so do reads.

    Example:
        >>> import asyncio
        >>> from mediasync import Source
        >>> async def main() -> tuple[int, int]:
        ...     async with MediaSync("sqlite:///:memory:") as ms:
        ...         with hold_writes(ms):
        ...             saving = asyncio.create_task(ms.media.save_source(Source(id="home", kind="plex")))
        ...             await asyncio.sleep(0)
        ...             held = count_waiting_writes(ms)
        ...         await saving
        ...         return held, count_waiting_writes(ms)
        >>> asyncio.run(main())
        (1, 0)
    """
    return ms._writer.hold()
