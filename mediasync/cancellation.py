"""Finishing what was begun although the caller was cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* to its end in a task of its own, whatever happens to the caller.

    A caller that is cancelled meanwhile gets its `asyncio.CancelledError` only when *work* has ended. Both
    kinds of cancellation are met: asyncio's, which comes once, and anyio's, which comes again until the
    cancelled scope is left.

    Args:
        work: the coroutine to run.

    Returns:
        What *work* returns.

    Raises:
        asyncio.CancelledError: if the caller was cancelled; what *work* raised is then dropped.
        BaseException: what *work* raised.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            raise
        with anyio.CancelScope(shield=True):
            while not task.done():
                try:
                    await asyncio.wait({task})
                except asyncio.CancelledError:
                    continue
        if not task.cancelled():
            task.exception()
        raise
