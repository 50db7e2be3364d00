"""Syncs one server into a database in memory, and prints the peak of its memory and how it ended.

Called as ``python sync_with_peak.py KIND URL``.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.servers import Place

from mediasync import MediaSync
from mediasync.errors import SourceError


async def sync(kind: str, url: str) -> str:
    """Return the error that a sync ends in, or what it could not read."""
    async with MediaSync("sqlite:///:memory:") as ms:
        try:
            report = await ms.sync(Place(kind, None, url).backend())
        except SourceError as error:
            return str(error)
        return f"{report.failed}{report.problems}{report.remarks}"


def peak() -> int:
    """Return the peak of this process's memory in bytes.

    The peak that ``getrusage`` gives is on Linux at least that of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    reason = asyncio.run(sync(sys.argv[1], sys.argv[2]))
    print(peak(), reason)
