"""Changes for many followers: one task reads the change log, and every follower gets what it reads."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from mediasync.aio import finish
from mediasync.changes import Change
from mediasync.errors import ChangesPruned, DatabaseError, LifecycleError
from mediasync.web.streams import Events, ServerEvent

if TYPE_CHECKING:
    from mediasync.app import MediaSync

_log: Final = logging.getLogger("mediasync.web")

MOST_WAITING: Final = 5_000
"""How many changes wait for one follower before it is dropped. All followers share each of them."""

_TOO_SLOW: Final = ServerEvent(
    {"detail": "changes came faster than they were taken: reconnect to go on"}, "dropped"
)
_NO_ANSWER: Final = ServerEvent({"detail": "the database does not answer: reconnect to go on"}, "dropped")
_CLOSED: Final = ServerEvent({"detail": "the mirror was closed"}, "end")

_CHANGE: Final[TypeAdapter[Change]] = TypeAdapter(Change)


class _Follower:
    """What waits for one follower."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, bytes]] = deque()
        self.moved = asyncio.Event()
        self.end: ServerEvent | None = None

    def put(self, number: int, encoded: bytes) -> None:
        """Append a change, or drop the follower if too many wait."""
        if len(self.waiting) >= MOST_WAITING:
            self.waiting.clear()
            self.close(_TOO_SLOW)
        elif self.end is None:
            self.waiting.append((number, encoded))
            self.moved.set()

    def close(self, end: ServerEvent) -> None:
        """Let the follower end when it has taken what waits."""
        self.end = self.end or end
        self.moved.set()


class ChangeFeed:
    """Sends the changes of a mirror to followers.

    What was committed before a follower came is read from the log for it alone. From then on one task reads
    for all of them. It runs as long as there are followers.

    Args:
        ms: the open mirror.
    """

    def __init__(self, ms: MediaSync) -> None:
        self._ms = ms
        self._followers: set[_Follower] = set()
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    async def check(self, after: int) -> None:
        """Check that the log still has everything after a number.

        Raises:
            ChangesPruned: if it has not.
            UsageError: if there is no change with that number.
        """
        async with aclosing(self._ms.changes(after=after, follow=False)) as changes:
            async for _ in changes:
                return

    async def follow(self, after: int | None) -> Events:
        """Iterate over changes as events, each with the number of the change as its id.

        The first event is ``ready``, whose id is the number after which changes follow. An event ``pruned``
        says that the log no longer has the next ones; ``dropped``, that this follower was too slow or the
        database failed; ``end``, that the mirror was closed. Each of these is the last one.

        Args:
            after: the number of the last change that the follower has; None to begin with the next one.
        """
        try:
            if after is not None:
                yield ServerEvent({"after": after}, "ready", str(after))
                async with aclosing(self._ms.changes(after=after, follow=False)) as stored:
                    async for change in stored:
                        after = change.number
                        yield encode(change)
            with self._joined() as follower:
                await self._start()
                async with aclosing(self._since_joining(follower, after)) as events:
                    async for event in events:
                        yield event
        except ChangesPruned as error:
            yield ServerEvent({"detail": str(error), "after": error.pruned}, "pruned")
        except LifecycleError:
            yield _CLOSED
        except DatabaseError as error:
            _log.error("a follower of changes cannot be served: %s", error)
            yield _NO_ANSWER
        finally:
            await self._stop_if_unused()

    async def _since_joining(self, follower: _Follower, last: int | None) -> Events:
        if last is None:
            last = await self._ms.newest_change()
            yield ServerEvent({"after": last}, "ready", str(last))
        else:
            # What was committed after the log was read, and before this follower joined.
            async with aclosing(self._ms.changes(after=last, follow=False)) as stored:
                async for change in stored:
                    last = change.number
                    yield encode(change)
        while True:
            while follower.waiting:
                number, encoded = follower.waiting.popleft()
                if number > last:
                    yield encoded
            if follower.end is not None:
                yield follower.end
                return
            follower.moved.clear()
            await follower.moved.wait()

    @contextmanager
    def _joined(self) -> Iterator[_Follower]:
        follower = _Follower()
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.remove(follower)

    async def _start(self) -> None:
        async with self._starting:
            if self._reading is None:
                after = await self._ms.newest_change()
                self._reading = asyncio.create_task(self._read(after), name="mediasync changes for followers")

    async def _stop_if_unused(self) -> None:
        if not self._followers and self._reading is not None:
            reading, self._reading = self._reading, None
            reading.cancel()
            await finish(asyncio.wait({reading}))

    async def _read(self, after: int) -> None:
        end = _CLOSED
        try:
            async with aclosing(self._ms.changes(after=after)) as changes:
                async for change in changes:
                    encoded = encode(change)
                    for follower in self._followers:
                        follower.put(change.number, encoded)
        except Exception as error:
            _log.error("the change log cannot be followed: %s", error)
            end = _NO_ANSWER
        self._reading = None
        for follower in self._followers:
            follower.close(end)


def encode(change: Change) -> bytes:
    """Return a change as it is sent."""
    return b"id: %d\nevent: change\ndata: %s\n\n" % (change.number, _CHANGE.dump_json(change))
