"""Reads many things by their ids with few requests: a request that fails is halved."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import RequestRefused, SourceError, SourceUnreadable

T = TypeVar("T")

_GATEWAY: Final = frozenset({502, 504, *range(520, 528)})
SILENT_IN_A_ROW: Final = 2
BROKEN_IN_A_ROW: Final = 25
"""If so many single ids in a row time out, or fail with server errors, the server itself has failed."""


async def read_adaptively(
    ids: Sequence[str],
    read: Callable[[Sequence[str]], Awaitable[T]],
    *,
    refused: Callable[[str, SourceError], None],
) -> AsyncGenerator[T, None]:
    """Read *ids* with as few requests as possible, even if some of them fail.

    A request that is refused (404, 413, 414, 500, …), times out or gets an unreadable answer is halved, down
    to the single id that fails. One bad id among n costs about 2 log₂ n more requests.

    Args:
        ids: the ids to read, at most as many as one request may name.
        read: reads some of them with one request.
        refused: called with each id that cannot be read even on its own, and the error.

    Yields:
        What *read* returns, in the order of *ids*.

    Raises:
        SourceError: if the source as a whole cannot be read: it is unreachable, or so many single ids in a
            row failed with server errors that the server looks broken.

    Example::

        async for records in read_adaptively(ids, self._read_items, refused=note):
            ...
    """
    health = _Health()
    waiting = [list(dict.fromkeys(ids))] if ids else []
    while waiting:
        some = waiting.pop()
        try:
            result = await read(some)
        except (SourceUnreadable, NoAnswerInTime) as error:
            if len(some) > 1:
                middle = (len(some) + 1) // 2
                waiting += [some[middle:], some[:middle]]
                continue
            health.note(error)
            refused(some[0], error)
        else:
            health = _Health()
            yield result


@dataclass(slots=True)
class _Health:
    """Counts the single ids that failed in a row, apparently by the server's fault.

    Attributes:
        silent: those that were not answered.
        broken: those, and the ones answered with a server error.
    """

    silent: int = 0
    broken: int = 0

    def note(self, error: SourceError) -> None:
        """Count a single id that failed, and raise *error* if the server itself has failed."""
        silent = is_silent(error)
        failed = silent or (isinstance(error, RequestRefused) and error.status >= 500)
        self.silent = self.silent + 1 if silent else 0
        self.broken = self.broken + 1 if failed else 0
        if self.silent >= SILENT_IN_A_ROW or self.broken >= BROKEN_IN_A_ROW:
            raise error


def is_silent(error: SourceError) -> bool:
    """Return whether the server, or the one behind a gateway, did not answer in time."""
    status = error.status if isinstance(error, RequestRefused) else 0
    return isinstance(error, NoAnswerInTime) or status in _GATEWAY
