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

_DEFERRED: Final = 7_000
"""So many more objects than before start a collection in a bulk save; Python's default is 700.

A collection of 50,000 takes as much time for each of them, and blocks the event loop for 30 ms. So each
second collection includes the middle generation: Python's tenth would scan ten times as many objects at once.
"""
_FULL: Final = 3
"""Collections of all objects start after so many times as many others as before."""

_FROZEN_BY_PYTHON: Final = 1_000
"""Python 3.12 freezes some 400 objects when it starts. A program that freezes its own has many more."""

_lock: Final = threading.Lock()
_deferring = 0
_before = (0, 0, 0)
_frozen = False


@contextmanager
def paused() -> Iterator[None]:
    """Pause the collector while many models are made, and put them among the old objects.

    It would scan new models again and again, and all of a large result at once (100 ms for 5,000 items). Old
    objects are only scanned when their number has grown by a quarter.
    """
    if not gc.isenabled() or _frozen_by_others():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
        if not _frozen:
            gc.unfreeze()
    finally:
        gc.enable()


@contextmanager
def deferred() -> Iterator[None]:
    """Let the collector run less often, and only on objects made since; may be entered many times at once.

    In a save of 10,000 films it took 4 to 15 % of the time. The settings that were found are restored. A
    program's own settings stay if they let it run as rarely, or never.

    Objects that are there before are frozen until the end. Else a collection of all objects would scan them
    too, and block the event loop for 20 to 40 ms. A program that froze objects keeps them as they are.
    """
    global _deferring, _before, _frozen
    with _lock:
        if not _deferring:
            if 0 < gc.get_threshold()[0] < _DEFERRED:
                _before = gc.get_threshold()
                gc.set_threshold(*_during(_before))
            if gc.isenabled() and not _frozen_by_others():
                gc.freeze()
                _frozen = True
        _deferring += 1
    try:
        yield
    finally:
        with _lock:
            _deferring -= 1
            if not _deferring:
                if _before[0] and gc.get_threshold() == _during(_before):
                    gc.set_threshold(*_before)
                _before = (0, 0, 0)
                if _frozen:
                    gc.unfreeze()
                _frozen = False


def _frozen_by_others() -> bool:
    """Return whether the program froze objects, and so controls this itself."""
    return gc.get_freeze_count() > _FROZEN_BY_PYTHON and not _frozen


def _during(before: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the settings during a bulk save."""
    return _DEFERRED, 0, _FULL * before[2]
