"""Cancelling at a chosen suspension: of the caller, or of any task that works for it."""

from __future__ import annotations

import asyncio
import time
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any

import anyio


class Stepper:
    """Counts the suspensions of all tasks that are created while it is installed, and acts at chosen ones.

    Attributes:
        count: the suspensions since `arm`.
    """

    def __init__(self) -> None:
        self.count = 0
        self._at: range = range(0)
        self._act: Callable[[], object] | None = None
        self._late = False

    def arm(self, at: range, act: Callable[[], object], *, late: bool) -> None:
        """Call *act* at the suspensions numbered *at*; or *late*, once the awaited result is there."""
        self.count, self._at, self._act, self._late = 0, at, act, late

    def disarm(self) -> None:
        """Stop acting."""
        self._act = None

    def suspended(self, waiting: Any) -> None:
        """Record that a task is about to wait."""
        if self._act is None:
            return
        self.count += 1
        if self.count in self._at:
            act = self._act
            if self._late and asyncio.isfuture(waiting):
                waiting.add_done_callback(lambda _: act())
            else:
                act()

    def factory(self, loop: asyncio.AbstractEventLoop, coro: Coroutine, **options: Any) -> asyncio.Task:
        """Make a task whose suspensions are counted."""
        task = asyncio.Task(_run(coro, self), loop=loop, **options)
        task.add_done_callback(lambda _: coro.close())  # one that is cancelled before it began never ran
        return task


async def _run(coro: Coroutine, stepper: Stepper) -> Any:
    return await _watched(coro, stepper)


@types.coroutine
def _watched(coro: Coroutine, stepper: Stepper) -> Generator[Any, Any, Any]:
    error: BaseException | None = None
    try:
        while True:
            try:
                waiting = coro.send(None) if error is None else coro.throw(error)
            except StopIteration as stop:
                return stop.value
            error = None
            stepper.suspended(waiting)
            try:
                yield waiting
            except BaseException as thrown:
                error = thrown
    finally:
        coro.close()


@contextmanager
def stepping() -> Generator[Stepper, None, None]:
    """Count the suspensions of all tasks that the running loop makes from now on."""
    loop = asyncio.get_running_loop()
    stepper = Stepper()
    loop.set_task_factory(stepper.factory)
    try:
        yield stepper
    finally:
        stepper.disarm()
        loop.set_task_factory(None)


NEVER = 10**9

Work = Callable[[], Awaitable[Any]]


async def run_native(stepper: Stepper, work: Work, at: int, *, late: bool = False, times: int = 1) -> bool:
    """Run *work* in a task that is cancelled at suspension *at*, *times* in a row.

    A loop in which a task is cancelled again and again is never idle, and would keep the GIL from the threads
    that the task waits for. So each cancellation releases the GIL for a moment.

    Returns:
        Whether it was cancelled; if not, it ended without ever getting so far, or just before.
    """
    task = asyncio.create_task(_as_coroutine(work))

    def cancel() -> None:
        task.cancel()
        time.sleep(0.0001)

    stepper.arm(range(at, at + times), cancel, late=late)
    await asyncio.wait({task})
    stepper.disarm()
    if task.cancelled():
        return True
    task.result()
    return False


async def run_scope(stepper: Stepper, work: Work, at: int) -> bool:
    """Run *work* in a scope of anyio that is cancelled at suspension *at*, and stays cancelled."""

    async def scoped() -> bool:
        with anyio.CancelScope() as scope:
            stepper.arm(range(at, at + 1), scope.cancel, late=False)
            await work()
        stepper.disarm()
        return scope.cancelled_caught

    return await asyncio.create_task(scoped())


async def run_timeout(stepper: Stepper, work: Work, at: int) -> bool:
    """Run *work* under a timeout that comes at suspension *at*."""

    async def timed() -> bool:
        try:
            async with asyncio.timeout(None) as limit:
                now = asyncio.get_running_loop().time()
                stepper.arm(range(at, at + 1), lambda: limit.expired() or limit.reschedule(now), late=False)
                await work()
                stepper.disarm()
        except TimeoutError:
            stepper.disarm()
            return True
        return False

    return await asyncio.create_task(timed())


async def _as_coroutine(work: Work) -> Any:
    return await work()


async def _late(stepper: Stepper, work: Work, at: int) -> bool:
    return await run_native(stepper, work, at, late=True)


async def _thrice(stepper: Stepper, work: Work, at: int) -> bool:
    return await run_native(stepper, work, at, times=3)


async def _always(stepper: Stepper, work: Work, at: int) -> bool:
    return await run_native(stepper, work, at, times=NEVER)


KINDS: dict[str, Callable[[Stepper, Work, int], Awaitable[bool]]] = {
    "native": run_native,
    "native, late": _late,
    "native, three in a row": _thrice,
    "native, at every step from there": _always,
    "anyio scope": run_scope,
    "asyncio timeout": run_timeout,
}
