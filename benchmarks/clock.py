"""Measuring tools: a stopwatch that treats both sides alike, peak memory, and percentiles."""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from typing import TypedDict


class WrongResultError(Exception):
    """The work was not done as the row describes, so its time means nothing."""


class Timing(TypedDict):
    """Wall-clock seconds, and CPU seconds of the process and of those that it started and that ended."""

    wall: float
    cpu: float


class Stopwatch:
    """Runs a garbage collection, then starts. The collector stays enabled, as in any program."""

    def __init__(self) -> None:
        gc.collect()
        self._cpu = _processor_time()
        self._wall = time.perf_counter()

    def read(self) -> Timing:
        """Return the time since the start."""
        return Timing(wall=time.perf_counter() - self._wall, cpu=_processor_time() - self._cpu)


def _processor_time() -> float:
    return time.process_time() + processor_time_of_children()


def processor_time_of_children() -> float:
    """Return the CPU seconds of the processes that this one started and that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_memory_mb() -> float:
    """Return the most memory that this process ever had resident."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of *values*."""
    ordered = sorted(values)
    rank = max(-(-len(ordered) * percent // 100), 1)
    return ordered[int(rank) - 1]


def median_ratio(dividends: Sequence[float], divisors: Sequence[float]) -> float:
    """Return the median of the ratios of each round."""
    return statistics.median(a / b for a, b in zip(dividends, divisors, strict=True))
