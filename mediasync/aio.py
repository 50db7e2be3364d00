"""Helpers for asyncio: finishing work that was begun, taking a part, and computing while a thread works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from contextlib import aclosing
from itertools import islice
from typing import Any, Final, TypeVar

import anyio

T = TypeVar("T")
U = TypeVar("U")


async def finish(work: Coroutine[Any, Any, T] | asyncio.Future[T]) -> T:
    """Run *work* to its end in a task of its own, whatever happens to the caller.

    A caller that is cancelled meanwhile gets its `asyncio.CancelledError` only when *work* has ended. This
    holds for both kinds of cancellation: asyncio's, which is delivered once, and anyio's, which is delivered
    again and again until the cancelled scope is left.

    Args:
        work: the coroutine to run, or a task that runs it already.

    Returns:
        What *work* returns.

    Raises:
        asyncio.CancelledError: if the caller was cancelled; an error of *work* is then dropped.
        BaseException: what *work* raised.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            raise
        with anyio.CancelScope(shield=True):
            while not task.done():
                try:
                    await asyncio.wait({task})
                except asyncio.CancelledError:
                    continue
        if not task.cancelled():
            task.exception()
        raise


async def end_task(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait until it has ended, whatever happens to the caller. Its error is dropped.

    Raises:
        asyncio.CancelledError: if the caller was cancelled meanwhile.
    """
    task.cancel()
    try:
        await finish(asyncio.wait({task}))
    finally:
        if task.done() and not task.cancelled():
            task.exception()


def batched(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the values in lists of *size*; the last one may be shorter."""
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch


async def take(values: AsyncGenerator[T], number: int) -> list[T]:
    """Return the first *number* values of a generator, which is then closed."""
    found: list[T] = []
    async with aclosing(values):
        async for value in values:
            found.append(value)
            if len(found) == number:
                break
    return found


# The GIL: a worker thread that was just handed work cannot start while the event loop computes, for up to
# sys.getswitchinterval() (5 ms). Sleeping 0.1 ms here releases the GIL at once.
_HAND_OVER: Final = 0.0001


async def overlap(work: Coroutine[Any, Any, T], meanwhile: Callable[[], U]) -> tuple[T, U]:
    """Start *work*, which waits for another thread, and call *meanwhile* while it waits.

    This pays off for work of several milliseconds.

    Args:
        work: a coroutine, which is always run to its end.
        meanwhile: computes in this thread.

    Returns:
        The results of both.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.sleep(0)
        time.sleep(_HAND_OVER)  # noqa: ASYNC251
        computed = meanwhile()
    finally:
        result = await task
    return result, computed


class Signal:
    """Wakes everybody who waits for the next time that something happens.

    Attributes:
        closed: whether it happens no more.

    Example:
        >>> async def wait_for_next(signal: Signal) -> None:
        ...     happened = signal.next()   # before looking whether there is something to do
        ...     await happened.wait()
    """

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self.closed = False

    def next(self) -> asyncio.Event:
        """Return the event that is set the next time."""
        return self._next

    def set(self) -> None:
        """Wake everybody who waits."""
        happened, self._next = self._next, asyncio.Event()
        happened.set()

    def close(self) -> None:
        """Wake everybody who waits, for the last time."""
        self.closed = True
        self.set()
