"""Leaving a processor core to others while this process works."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def one_core_left_free() -> Iterator[None]:
    """On two cores, keep to one of them what this thread does, and the threads that it starts meanwhile.

    A sync keeps two threads busy, one that runs Python and one that runs SQL. On a machine of two cores
    everybody else then waits for a turn at each awakening: what another process reads of the database takes
    several times as long. On one core the sync takes about a tenth longer, and nobody waits. With more cores
    there is nothing to leave, with one nothing can be left: then, and on systems other than Linux, this does
    nothing.

    Enter it before the event loop is started and `MediaSync` opened: a thread that runs already keeps its
    cores. The command ``mediasync sync`` does so by itself.

    Example:
        ```python
        with one_core_left_free():
            asyncio.run(main())
        ```
    """
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    if len(allowed) != 2:
        yield
        return
    # A sandbox may forbid it. It is a courtesy, no need: the sync then works as it would without.
    with suppress(PermissionError):
        os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.sched_setaffinity(0, allowed)
