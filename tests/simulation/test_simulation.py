"""Histories of workers, each from a seed: nothing that mediasync promises breaks in any of them."""

from __future__ import annotations

import asyncio
from math import inf
from pathlib import Path

import pytest
from simulation.broken import Broken
from simulation.history import History
from simulation.loop import Process, SimulatedLoop

pytestmark = pytest.mark.slow


def test_nothing_breaks(seed: int, tmp_path: Path) -> None:
    history = History(seed, tmp_path)
    try:
        history.run()
    except Broken as broken:
        broken.add_note("\n".join(history.told))
        raise


def test_the_same_seed_gives_the_same_history(tmp_path: Path) -> None:
    def trace(name: str, seed: int) -> str:
        folder = tmp_path / name
        folder.mkdir()
        history = History(seed, folder)
        history.run()
        return history.trace

    first, other = trace("first", 1), trace("other", 2)
    assert trace("again", 1) == first
    assert first != other


def order(seed: int, process: Process) -> tuple[list[str], float]:
    """Return in which order three callers are served, one of them by a process, and how late it is then."""
    loop = SimulatedLoop(seed)
    served: list[str] = []

    async def call(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        served.append(name)

    async def all_of_them() -> None:
        tasks = [
            loop.create_task(call("worker", 60), context=process.run_in()),
            loop.create_task(call("one", 0)),
            loop.create_task(call("two", 0)),
        ]
        await asyncio.wait(tasks)

    try:
        whole = loop.create_task(all_of_them())
        try:
            loop.run_until_complete(whole)
        finally:
            process.paused_until = 0
            loop.run_until_complete(whole)
        return served, loop.time()
    finally:
        loop.close()


def test_the_seed_decides_the_order_and_time_passes_by_itself() -> None:
    assert {tuple(order(seed, Process(1))[0]) for seed in range(20)} == {
        ("one", "two", "worker"),
        ("two", "one", "worker"),
    }
    assert order(7, Process(1)) == order(7, Process(1))
    assert 60 < order(1, Process(1))[1] < 61


def test_a_paused_process_goes_on_later_and_a_killed_one_never() -> None:
    assert order(1, Process(1, paused_until=3600))[1] > 3600
    with pytest.raises(Broken, match="everybody waits"):
        order(1, Process(1, paused_until=inf))
