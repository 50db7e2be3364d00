"""A source that is open as long as pictures are asked of it."""

from __future__ import annotations

import asyncio
from typing import Final

import anyio

from mediasync.backends.base import PictureSource
from mediasync.errors import MediaSyncError
from mediasync.syncing.handles import cancel_all

_IDLE_SECONDS: Final = 30.0


class OpenSource:
    """Opens a source for a first picture, and closes it when none was asked for during a while.

    An app that is mounted into another one is not told when that ends. So a task holds the source open: the
    event loop cancels it at its end, and the connections are closed.

    Args:
        pictures: the source.
    """

    def __init__(self, pictures: PictureSource) -> None:
        self.pictures = pictures
        self._jobs: asyncio.Queue[tuple[str, int, asyncio.Future[bytes]]] = asyncio.Queue()
        self._is_closing = False
        self._task = asyncio.create_task(self._work(), name="mediasync pictures of a source")

    @property
    def is_ended(self) -> bool:
        """Whether it takes no more orders."""
        return self._is_closing or self._task.done()

    async def close(self) -> None:
        """Close the source; pictures that are still being fetched are given up."""
        await cancel_all([self._task])

    async def fetch(self, reference: str, width: int) -> bytes:
        """Return the bytes of a picture.

        Raises:
            MediaSyncError: as the source says.
        """
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._jobs.put_nowait((reference, width, answer))
        return await answer

    async def _work(self) -> None:
        try:
            async with self.pictures.open(), anyio.create_task_group() as tasks:
                while not self._is_closing:
                    try:
                        async with asyncio.timeout(_IDLE_SECONDS):
                            job = await self._jobs.get()
                    except TimeoutError:
                        self._is_closing = True
                    else:
                        tasks.start_soon(self._do, *job)
        except MediaSyncError as error:
            self._refuse(error)
        finally:
            self._is_closing = True
            self._refuse(None)

    async def _do(self, reference: str, width: int, answer: asyncio.Future[bytes]) -> None:
        try:
            content = await self.pictures.fetch(reference, width)
        except (MediaSyncError, OSError) as error:
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(content)
        finally:
            answer.cancel()  # no effect unless this task is cancelled

    def _refuse(self, error: MediaSyncError | None) -> None:
        """Answer all orders that are left: with an error, or by cancelling them."""
        while not self._jobs.empty():
            _, _, answer = self._jobs.get_nowait()
            if answer.done():
                continue
            if error is None:
                answer.cancel()
            else:
                answer.set_exception(error)
