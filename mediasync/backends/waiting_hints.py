"""Listening to the events of a server: the hints that wait for their reader, and how many there may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from typing import Any, Final

from mediasync.aio import end_task
from mediasync.hints import Hint, HintKind

MAX_WAITING_KEYS: Final = 1_000
"""How many keys of items wait at most. With more, the whole source may as well be synced."""

LONGEST_KEY: Final = 64
"""How many characters the key of an item has at most. Servers use up to 32."""


class WaitingHints:
    """Hints that wait until somebody takes them. Those about the same items become one.

    A hint about the whole source takes the place of all others, and so do more than `MAX_WAITING_KEYS` keys.

    Example:
        >>> waiting = WaitingHints()
        >>> waiting.add([Hint(HintKind.CHANGED, ("7",)), Hint(HintKind.CHANGED, ("8", "7"))])
        >>> [hint.remote_ids for hint in waiting.take()]
        [('7', '8')]
    """

    def __init__(self, on_start: Callable[[], None] | None = None) -> None:
        self._on_start = on_start
        self._seconds: dict[tuple[HintKind, str], float] = {}
        self._whole_source: float | None = None
        self._arrived = asyncio.Event()

    def begin(self) -> None:
        """Say that the connection stands."""
        if self._on_start is not None:
            self._on_start()

    def add(self, hints: Iterable[Hint]) -> None:
        """Add hints; an item that is hinted at twice waits for the shorter of the two times."""
        for hint in hints:
            if hint.kind is HintKind.SOURCE:
                self._put_whole_source(hint.seconds)
            elif self._whole_source is None:
                for key in hint.remote_ids:
                    known = self._seconds.get((hint.kind, key), hint.seconds)
                    self._seconds[hint.kind, key] = min(known, hint.seconds)
                    if len(self._seconds) > MAX_WAITING_KEYS:
                        self._put_whole_source(hint.seconds)
                        break
            self._arrived.set()

    def take(self) -> list[Hint]:
        """Return the waiting hints, which then wait no more: one for each kind and time to wait."""
        if self._whole_source is not None:
            hints = [Hint(HintKind.SOURCE, seconds=self._whole_source)]
        else:
            keys: dict[tuple[HintKind, float], list[str]] = {}
            for (kind, key), seconds in self._seconds.items():
                keys.setdefault((kind, seconds), []).append(key)
            hints = [Hint(kind, tuple(found), seconds=seconds) for (kind, seconds), found in keys.items()]
        self._seconds, self._whole_source = {}, None
        self._arrived.clear()
        return hints

    async def wait(self) -> None:
        """Wait until there is a hint."""
        await self._arrived.wait()

    def _put_whole_source(self, seconds: float) -> None:
        self._whole_source = seconds if self._whole_source is None else min(self._whole_source, seconds)
        self._seconds = {}


async def iter_hints(
    read: Callable[[WaitingHints], Coroutine[Any, Any, None]],
    on_start: Callable[[], None] | None = None,
) -> AsyncGenerator[Hint, None]:
    """Iterate over the hints that *read* adds, in a task of its own, until it ends or the caller stops.

    The server is read even while the caller is busy with a hint: otherwise the connection would look dead.

    Args:
        read: calls `WaitingHints.begin`, reads events and adds the hints. What it raises is raised here,
            after the hints before it.
        on_start: called when *read* says that events arrive from now on.
    """
    waiting = WaitingHints(on_start)
    reading = asyncio.ensure_future(read(waiting))
    try:
        while not reading.done():
            arrived = asyncio.ensure_future(waiting.wait())
            try:
                await asyncio.wait({reading, arrived}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                arrived.cancel()
            for hint in waiting.take():
                yield hint
        for hint in waiting.take():
            yield hint
        reading.result()
    finally:
        await end_task(reading)
