"""A mirror that nobody closes keeps no process from ending, and what was awaited is stored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.mirror import second_connection

pytestmark = pytest.mark.slow

_STEPS = """
ms = MediaSync({url!r})
await ms.open()
await ms.media.save_source(Source(id="home", kind="nfo"))
"""

_BY_HAND = """
import asyncio
from mediasync import MediaSync, Source

async def main():
    global ms
    ms = MediaSync({url!r})
    await ms.open()
    await ms.media.save_source(Source(id="home", kind="nfo"))

loop = asyncio.new_event_loop()
{before}
loop.run_until_complete(main())
{after}
"""


def _run(file: Path, *arguments: str, text: str = "") -> None:
    done = subprocess.run(
        [sys.executable, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Exception in thread" not in done.stderr
    with second_connection(file) as connection:
        assert connection.execute("SELECT id FROM sources").fetchall() == [("home",)]


def test_the_prompt_that_awaits(file: Path, file_url: str) -> None:
    text = "from mediasync import MediaSync, Source\n" + _STEPS.format(url=file_url).lstrip()
    _run(file, "-m", "asyncio", text=text)


@pytest.mark.parametrize("before", ["", "asyncio.set_event_loop(loop)"], ids=["own", "set"])
@pytest.mark.parametrize("after", ["", "loop.close()"], ids=["left", "closed"])
def test_a_loop_that_is_run_by_hand(file: Path, file_url: str, before: str, after: str) -> None:
    _run(file, "-c", _BY_HAND.format(url=file_url, before=before, after=after))
