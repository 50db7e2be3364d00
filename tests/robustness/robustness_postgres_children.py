"""Processes that work on one database of a PostgreSQL server, forked from one that has imported everything.

The tasks of `robustness_children` run here too: their paths are URLs.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import sys

import databases.backends.postgres  # noqa: F401  (else each child imports it)
import robustness_children
from robustness_children import TASKS, Out, serve
from robustness_postgres import renamed
from robustness_world import PLACE

import mediasync.database.postgres.engine  # noqa: F401
from mediasync import MediaSync


async def hammer(out: Out, url: str, first: int, rounds: int, items: int) -> None:
    """Save the same items as other processes, repeatedly, each time as another version."""
    chance = random.Random(first)
    async with MediaSync(url) as ms:
        out.tell("ready")
        await asyncio.to_thread(sys.stdin.buffer.read, 1)
        saved = 0
        failed: list[tuple[str, str]] = []
        for version in range(first, first + rounds):
            movies = [renamed(f"shared{n}", version) for n in range(items)]
            chance.shuffle(movies)
            alone, together = movies[: items // 5], movies[items // 5 :]
            report, *_ = await asyncio.gather(
                ms.media.save_media_items(together, **PLACE),
                *(ms.media.save_media_item(movie, **PLACE) for movie in alone),
            )
            saved += report.saved
            failed += report.failed
        out.tell(json.dumps({"saved": saved, "failed": failed}))


if __name__ == "__main__":
    robustness_children.url_of = str
    TASKS["hammer"] = hammer
    serve(socket.socket(fileno=int(sys.argv[1])))
