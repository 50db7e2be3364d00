"""Running a coroutine so that SIGINT, SIGTERM and SIGHUP cancel it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from mediasync.cli.errors import Interrupted

SIGNALS: Final = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in signal.Signals.__members__
)


def run_async(
    work: Coroutine[Any, Any, int], *, on_first: Callable[[], None], on_second: Callable[[], None]
) -> int:
    """Run *work* in an event loop of its own.

    The first signal cancels *work*, whose cleanup is awaited. A second signal ends the process at once. A
    signal that was ignored when the program started stays ignored.

    Args:
        work: the coroutine to run.
        on_first: called in the loop at the first signal.
        on_second: called right before a second signal ends the process.

    Raises:
        Interrupted: if a signal ended *work*.
    """
    caught: list[int] = []
    try:
        return asyncio.run(_run(work, caught, on_first, on_second))
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise Interrupted(caught[0] if caught else signal.SIGINT) from None


async def _run(
    work: Coroutine[Any, Any, int],
    caught: list[int],
    on_first: Callable[[], None],
    on_second: Callable[[], None],
) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)

    def stop() -> None:
        on_first()
        task.cancel()

    # Windows lacks `loop.add_signal_handler`, and its handlers run only when the loop is not busy.
    def handle(number: int, _: FrameType | None) -> None:
        if caught:
            on_second()
            os._exit(128 + number)
        caught.append(number)
        loop.call_soon_threadsafe(stop)

    with _handled(handle):
        return await task


@contextmanager
def _handled(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    taken = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
    for number in taken:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)
