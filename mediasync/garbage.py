"""The garbage collector, kept from scanning what it cannot free.

It looks for cycles. Models, rows and plans have none: they are freed as soon as nobody refers to them. But it
scans them all the same, and more often the more of them a program makes.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_DEFERRED: Final = 15_000
"""So many more objects than before start a collection in a bulk save; Python's default is 700.

A collection of 50,000 takes as much time for each of them, and blocks the event loop for 30 ms.
"""
_FULL: Final = 3
"""Collections of all objects start after so many times as many others as before."""

_lock: Final = threading.Lock()
_deferring = 0
_before = (0, 0, 0)


@contextmanager
def paused() -> Iterator[None]:
    """Pause the collector while many models are made, and put them among the old objects.

    It would scan new models again and again, and all of a large result at once (100 ms for 5,000 items). Old
    objects are only scanned when their number has grown by a quarter.
    """
    if not gc.isenabled() or gc.get_freeze_count():  # a program that froze objects controls this itself
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
        gc.unfreeze()
    finally:
        gc.enable()


@contextmanager
def deferred() -> Iterator[None]:
    """Let the collector run less often; may be entered many times at once.

    In a save of 10,000 films it took 4 to 15 % of the time. The settings that were found are restored. A
    program's own settings stay if they let it run as rarely, or never.
    """
    global _deferring, _before
    with _lock:
        if not _deferring and 0 < gc.get_threshold()[0] < _DEFERRED:
            _before = gc.get_threshold()
            gc.set_threshold(*_during(_before))
        _deferring += 1
    try:
        yield
    finally:
        with _lock:
            _deferring -= 1
            if not _deferring and _before[0]:
                if gc.get_threshold() == _during(_before):
                    gc.set_threshold(*_before)
                _before = (0, 0, 0)


def _during(before: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the settings during a bulk save."""
    return _DEFERRED, before[1], _FULL * before[2]
