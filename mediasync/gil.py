"""The GIL, given to the threads of short answers in time."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SHORT: Final = 0.0002
"""How long a thread holds the GIL while others want it, in seconds; Python's default is 0.005."""

_lock: Final = threading.Lock()
_shortening = 0
_before = 0.0


@contextmanager
def short_turns() -> Iterator[None]:
    """Let busy threads give the GIL away sooner; may be entered many times at once.

    A thread that runs SQLite gives the GIL away several times in each statement, and then waits for a busy
    event loop, for the whole interval each time: it made a search beside a save three times as long. The
    interval that was found is restored. A program's own one stays if it is as short.
    """
    global _shortening, _before
    with _lock:
        if not _shortening and sys.getswitchinterval() > _SHORT:
            _before = sys.getswitchinterval()
            sys.setswitchinterval(_SHORT)
        _shortening += 1
    try:
        yield
    finally:
        with _lock:
            _shortening -= 1
            if not _shortening and _before:
                if abs(sys.getswitchinterval() - _SHORT) < 1e-6:  # it is kept in whole microseconds
                    sys.setswitchinterval(_before)
                _before = 0.0


class RightOfWay:
    """Lets long work of the event loop wait for the short answers of other threads.

    Answers may come one after another without end. So the work waits at most as long as it has worked since
    it waited last: it keeps half of the time.

    Args:
        longest_wait: how long it waits at most at once, in seconds.

    Example:
        >>> async def save(parts, way: RightOfWay) -> None:
        ...     for part in parts:
        ...         await way.give()
        ...         part.write()
    """

    def __init__(self, longest_wait: float = 0.05) -> None:
        self._longest_wait = longest_wait
        self._answers = 0
        self._free = asyncio.Event()
        self._waited_until = 0.0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Have the right of way until the block ends, which is a short answer."""
        self._answers += 1
        self._free.clear()
        try:
            yield
        finally:
            self._answers -= 1
            if not self._answers:
                self._free.set()

    async def give(self) -> None:
        """Wait while others have the right of way, but not for longer than the work may wait."""
        if not self._answers:
            return
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(min(clock() - self._waited_until, self._longest_wait)):
                await self._free.wait()
        except TimeoutError:
            pass
        self._waited_until = clock()
