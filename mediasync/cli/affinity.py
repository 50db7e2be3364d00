"""Leaving a processor core to other processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def one_core_left_free() -> Iterator[None]:
    """Keep this thread, and the threads that it starts in this context, to one core of two.

    A sync keeps two threads busy: one runs Python, the other SQL. On a machine with two cores, another
    process that reads the database then waits for a core each time it wakes up, and takes several times as
    long. On one core the sync takes about a tenth longer, and the other process does not wait. With more
    cores, with one, and on systems other than Linux this does nothing.

    Enter it before starting the event loop and opening `MediaSync`: running threads are not affected.

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
    # A sandbox may forbid it. It is optional, so the sync goes on without it.
    with suppress(PermissionError):
        os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.sched_setaffinity(0, allowed)
