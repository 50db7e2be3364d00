"""Histories of workers, each from a seed: nothing that mediasync promises breaks in any of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from simulation.broken import Broken
from simulation.history import History
from simulation.loop import PROCESS, Process, SimulatedLoop

pytestmark = pytest.mark.slow


def test_nothing_breaks(seed: int, tmp_path: Path) -> None:
    history = History(seed, tmp_path)
    try:
        history.run()
    except Broken as broken:
        broken.add_note("\n".join(history.told))
        raise


def test_the_same_seed_gives_the_same_history(tmp_path: Path) -> None:
    def trace(name: str, seed: int) -> tuple[str, list[str]]:
        folder = tmp_path / name
        folder.mkdir()
        history = History(seed, folder)
        history.run()
        return history.trace, [line.replace(name, "") for line in history.told]

    first, other = trace("first", 1), trace("other", 2)
    assert trace("again", 1) == first
    assert first != other


def order(seed: int, process: Process | None = None) -> tuple[list[str], float]:
    """Return in which order three callers of two processes are served, and what the clock then shows."""
    loop = SimulatedLoop(seed)
    served: list[str] = []

    async def call(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        served.append(name)

    async def all_of_them() -> None:
        worker = process or Process(1)
        tasks = [
            loop.create_task(call("worker", 60), context=worker.run_in()),
            loop.create_task(call("one", 0)),
            loop.create_task(call("two", 0)),
        ]
        await asyncio.wait(tasks)

    loop.run_until_complete(all_of_them())
    loop.close()
    return served, loop.time()


def test_the_seed_decides_the_order_and_time_passes_by_itself() -> None:
    assert {tuple(order(seed)[0]) for seed in range(20)} == {
        ("one", "two", "worker"),
        ("two", "one", "worker"),
    }
    assert order(7) == order(7)
    assert 60 < order(1)[1] < 61


def test_a_paused_process_goes_on_later_and_a_killed_one_never() -> None:
    paused = Process(1, paused_until=3600)
    assert order(1, paused)[1] > 3600
    with pytest.raises(Broken, match="everybody waits"):
        order(1, Process(1, paused_until=float("inf"), killed=True))
    assert PROCESS.get().number == 0
