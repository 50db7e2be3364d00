"""A watch that is killed while it looks into what events have named, and one that takes its place."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing

import pytest
from support.items import movie

from mediasync import MediaSync, RunStatus, Source
from mediasync.backends.base import Enumerated
from mediasync.events import Event, RunFinished, TargetsTaken
from mediasync.hints import Hint, HintKind
from mediasync.testing import FakeBackend

WATCHING = """
import asyncio, sys, time
from mediasync import MediaSync, Source
from mediasync.backends.base import Enumerated
from mediasync.events import RunFinished, TargetsTaken
from mediasync.testing import FakeBackend, make_movie

url, moment = sys.argv[1:]

async def main():
    found = [make_movie("1", title="Read before the kill"), Enumerated(None)]
    if moment == "while reading":
        found.insert(0, asyncio.Event())
    backend = FakeBackend({"m": found}, Source(id="home", kind="plex"))
    async with MediaSync(url, lease_seconds=1) as ms:
        async for event in ms.watch([backend], every="24h"):
            if isinstance(event, RunFinished if moment == "after the run" else TargetsTaken):
                print("now", flush=True)
                if moment != "while reading":
                    time.sleep(600)

asyncio.run(main())
"""


def backend(title: str) -> FakeBackend:
    return FakeBackend({"m": [movie("1", title=title), Enumerated(None)]}, Source(id="home", kind="plex"))


@pytest.mark.parametrize("moment", ["before reading", "while reading", "after the run"])
async def test_a_watch_takes_over_what_a_killed_one_was_looking_into(file_url: str, moment: str) -> None:
    async with MediaSync(file_url, lease_seconds=1) as ms:
        await ms.sync(backend("Heat"))
        await ms.hint("home", [Hint(HintKind.CHANGED, remote_ids=("1",))])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WATCHING, file_url, moment, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"now\n"
            process.kill()
            await process.wait()
            told: list[Event] = []
            async with aclosing(ms.watch([backend("Heat (1995)")], every="24h").__aiter__()) as events:
                async for event in events:
                    told.append(event)
                    if isinstance(event, RunFinished):
                        break
        assert (await ms.media.get_media_item("home:1")).title == "Heat (1995)"
        assert len([event for event in told if isinstance(event, TargetsTaken)]) == 1
        statuses = [run.status for run in await ms.list_runs("home")]
        assert statuses[0] is RunStatus.SUCCEEDED
        assert RunStatus.RUNNING not in statuses
