"""A hint of one process is looked into by another one, also if the first is killed right after it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing

from support.items import movie

from mediasync import MediaSync, Source
from mediasync.backends.base import Enumerated
from mediasync.events import RunFinished, SyncScheduled
from mediasync.testing import FakeBackend

HINTING = """
import asyncio, os, signal, sys
from mediasync import MediaSync
from mediasync.hints import Hint, HintKind

async def main():
    async with MediaSync(sys.argv[1]) as ms:
        await ms.hint("home", [Hint(HintKind.CHANGED, remote_ids=("1",))])
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def backend(title: str) -> FakeBackend:
    return FakeBackend({"m": [movie("1", title=title), Enumerated(None)]}, Source(id="home", kind="plex"))


async def killed_after_a_hint(url: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HINTING, url)
    assert await process.wait() < 0


async def test_a_watch_reads_what_a_killed_process_has_noted(file_url: str) -> None:
    async with MediaSync(file_url) as ms:
        await ms.sync(backend("Heat"))
        hinting = None
        async with asyncio.timeout(60), aclosing(ms.watch([backend("Heat (1995)")]).__aiter__()) as events:
            async for event in events:
                if isinstance(event, SyncScheduled) and hinting is None:
                    hinting = asyncio.create_task(killed_after_a_hint(file_url))
                if isinstance(event, RunFinished):
                    break
        assert hinting is not None
        await hinting
        assert (await ms.media.get_media_item("home:1")).title == "Heat (1995)"


async def test_what_a_killed_process_has_noted_waits_for_the_next_watch(file_url: str) -> None:
    async with MediaSync(file_url) as ms:
        await ms.sync(backend("Heat"))
    await killed_after_a_hint(file_url)
    async with MediaSync(file_url) as ms:
        assert [due.remote_id for due in await ms.list_due()] == ["1"]
