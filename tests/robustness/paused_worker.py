"""A worker that can be stopped in the middle of a sync: ``python paused_worker.py URL LEASE_SECONDS``.

It says ``began`` when it has saved its first film, goes on when a byte comes, and says how it ended.
"""

from __future__ import annotations

import asyncio
import sys

from mediasync import MediaSync, Movie
from mediasync.backends.base import Enumerated
from mediasync.errors import MediaSyncError
from mediasync.testing import FakeBackend


async def main(url: str, lease_seconds: float) -> None:
    gate = asyncio.Event()
    films = [Movie(remote_id=key, title=f"{key} of the paused worker") for key in "123"]
    backend = FakeBackend({"films": [films[0], gate, *films[1:], Enumerated(3)]})
    async with MediaSync(url, lease_seconds=lease_seconds) as ms:
        events = ms.sync(backend)
        running = asyncio.ensure_future(_report(events))
        async for _ in ms.changes():
            if backend.waiting.is_set():
                break
        print("began", flush=True)
        await asyncio.to_thread(sys.stdin.buffer.read, 1)
        gate.set()
        try:
            print("saved", (await running).saved, flush=True)
        except MediaSyncError as error:
            print(type(error).__name__, flush=True)


async def _report(sync: object) -> object:
    return await sync


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
