"""The GIL, given to the threads of short answers in time."""

from __future__ import annotations

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
