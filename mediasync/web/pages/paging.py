"""Pages of lists, of which the beginning is shown if the cursor is of another list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from mediasync.errors import UsageError
from mediasync.summaries import Page

T = TypeVar("T")


async def read_page(
    read: Callable[[str | None], Awaitable[Page[T]]], after: str | None, *, is_strict: bool = False
) -> tuple[Page[T], bool]:
    """Return the page after a cursor, and whether the cursor was stale, so that it is the first page.

    Args:
        read: reads the page after a cursor; None gives the first page.
        after: the cursor.
        is_strict: whether a stale cursor is an error: a program must not begin anew without noticing.

    Raises:
        UsageError: as *read* does, if the cursor is not the reason.
    """
    try:
        return await read(after), False
    except UsageError:
        if after is None or is_strict:
            raise
    return await read(None), True
