"""An event loop whose time and order of callbacks come from one seed."""

from __future__ import annotations

import asyncio
import heapq
import threading
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from hashlib import blake2b
from math import inf
from random import Random
from typing import Any, Final

from simulation.broken import Broken

SECONDS_PER_STEP: Final = 0.0002
"""How far the clock moves with each callback."""

MOST_STEPS: Final = 200_000


@dataclass(eq=False)
class Process:
    """What can be paused and killed: everything that was scheduled by it, directly or not.

    Attributes:
        number: names it in the trace; 0 is the world around the workers.
        paused_until: the moment until which none of its callbacks runs.
        killed: whether none of them will run before the history is over.
    """

    number: int
    paused_until: float = -inf
    killed: bool = False

    def run_in(self) -> Context:
        """Return a context in which a task belongs to the process, with all that it starts."""
        context = copy_context()
        context.run(PROCESS.set, self)
        return context


WORLD: Final = Process(0)
PROCESS: Final[ContextVar[Process]] = ContextVar("process", default=WORLD)


@dataclass(order=True)
class _Timer:
    when: float
    number: int
    handle: asyncio.TimerHandle = field(compare=False)
    process: Process = field(compare=False)


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs one ready callback after another, in an order that its seed decides.

    The clock moves a little with each callback. If none is ready, it jumps to the next timer.

    Args:
        seed: decides the order, and how long things take.

    Attributes:
        random: what decides.
        steps: how many callbacks have run.
        most_steps: after how many it is given up.
        failures: what nobody has handled.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = Random(seed)
        self.steps = 0
        self.most_steps = MOST_STEPS
        self.failures: list[dict[str, Any]] = []
        self._home = threading.get_ident()
        self._moment = 0.0
        self._waiting: list[tuple[Process, asyncio.Handle]] = []
        self._timers: list[_Timer] = []
        self._timer_number = 0
        self._trace = blake2b(digest_size=16)
        self.set_exception_handler(lambda _, failure: self.failures.append(failure))

    def time(self) -> float:
        return self._moment

    def trace(self) -> str:
        """Return a digest of all that has run so far, in its order and at its time."""
        return self._trace.hexdigest()

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        context = copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self, context)
        self._waiting.append((context.get(PROCESS, WORLD), handle))
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if threading.get_ident() != self._home:
            raise AssertionError("a thread takes part that the seed does not control")
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        context = copy_context() if context is None else context
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timer_number += 1
        timer = _Timer(when, self._timer_number, handle, context.get(PROCESS, WORLD))
        heapq.heappush(self._timers, timer)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: a timer that was cancelled is dropped when it is due."""

    def _run_once(self) -> None:
        """Run one callback, or move the clock to the next moment at which one may run."""
        while self._timers and self._timers[0].when <= self._moment:
            timer = heapq.heappop(self._timers)
            if not timer.handle.cancelled():
                self._waiting.append((timer.process, timer.handle))
        ready = [
            place for place, (process, _) in enumerate(self._waiting) if process.paused_until <= self._moment
        ]
        if not ready:
            self._moment = self._next_moment()
            return
        place = ready[int(self.random.random() * len(ready))]
        process, handle = self._waiting.pop(place)
        if handle.cancelled():
            return
        self.steps += 1
        if self.steps > self.most_steps:
            raise Broken("a history does not end", f"{self.steps} steps")
        self._moment += SECONDS_PER_STEP
        self._trace.update(b"%d %d %d %.6f\n" % (process.number, place, len(ready), self._moment))
        handle._run()

    def _next_moment(self) -> float:
        moments = [process.paused_until for process, handle in self._waiting if not handle.cancelled()]
        moments += [
            max(timer.when, timer.process.paused_until)
            for timer in self._timers
            if not timer.handle.cancelled()
        ]
        moment = min(moments, default=inf)
        if moment == inf:
            raise Broken("everybody waits for something that does not come")
        return moment
