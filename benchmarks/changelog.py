"""The share of a save that the change log takes: its statements, and the reads of what stood before."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks import product
from mediasync.repositories.changes import ChangeRepository

_METHODS = ("append", "find_item_images")


async def share(path: str, movies: int) -> dict[str, Any]:
    """Save a library, then one with a hundredth of it changed, and time the statements of the change log.

    A statement's time runs until its answer is taken up, so that what else happens meanwhile counts as well:
    the true share is smaller.
    """
    spent = 0.0

    def timed(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*arguments: Any) -> Any:
            nonlocal spent
            start = time.perf_counter()
            try:
                return await method(*arguments)
            finally:
                spent += time.perf_counter() - start

        return run

    methods = {name: getattr(ChangeRepository, name) for name in _METHODS}
    for name, method in methods.items():
        setattr(ChangeRepository, name, timed(method))
    try:
        cold = await product.save(path, movies)
        of_cold, spent = spent / cold["wall"], 0.0
        changed = await product.save(path, movies, changed=True)
        of_changed = spent / changed["wall"]
    finally:
        for name, method in methods.items():
            setattr(ChangeRepository, name, method)
    if not (of_cold and of_changed) or changed["saved"] != -(-movies // 100):
        raise product.WrongResultError(f"{Path(path).name}: {cold}, {changed}")
    return {"cold": of_cold, "changed": of_changed}
