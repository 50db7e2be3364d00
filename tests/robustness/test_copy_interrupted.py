"""A copy that is cancelled, fails or is killed anywhere is completed by the next one."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.copies import PAIRS, filled, is_part, new_urls, set_pages, shown
from support.engines import Engine
from support.items import MOVIES, credit, movie, season, show
from support.mirror import prepared, public, value

import mediasync
from mediasync import MediaSync, copy_mirror

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("MEDIASYNC_TEST_SEED", "0")) or random.SystemRandom().randrange(10**9)


Tell = Callable[[str, int, int], None]


class Ended(Exception):
    """What ends a copy."""


def ending_at(step: int, end: Callable[[], None]) -> Tell:
    """Return what ends a copy at its step of this number."""
    steps = iter(range(10**9))

    def tell(_what: str, _done: int, _total: int) -> None:
        if next(steps) == step:
            end()

    return tell


async def cancel_a_copy(urls: tuple[str, str], step: int, turns: int) -> None:
    """Begin a copy, and cancel it some turns of the event loop after one of its steps."""
    ending: list[asyncio.Future[None]] = []

    async def end() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()

    tell = ending_at(step, lambda: ending.append(asyncio.ensure_future(end())))
    task = asyncio.ensure_future(copy_mirror(*urls, on_progress=tell))
    with pytest.raises(asyncio.CancelledError):
        await task
    await ending[0]


@pytest.mark.parametrize("engines", PAIRS, ids=lambda pair: f"{pair[0].name} to {pair[1].name}")
async def test_a_cancelled_copy_can_be_continued(
    engines: tuple[Engine, Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_pages(monkeypatch, 2)
    urls = new_urls(engines, tmp_path)
    before = await filled(urls[0])
    chance = random.Random(SEED)
    done = -1
    for _ in range(6):
        await cancel_a_copy(urls, chance.randrange(1, 25), chance.randrange(12))
        stored = sum(map(len, (await shown(urls[1])).values()))
        assert stored >= done, f"what was copied is lost (seed {SEED})"
        done = stored
    kept = {view: len(found) for view, found in (await shown(urls[1])).items()}
    async with MediaSync(urls[1], read_only=True) as ms:
        for view, table in (("media_items", "media_item"), ("people", "person")):
            kept[view] = await value(ms, f"SELECT count(*) FROM {table}")  # removed and hidden ones included
    report = await copy_mirror(*urls)
    assert report.unchanged == {view: kept[view] for view in report.unchanged}, f"seed {SEED}"
    assert await shown(urls[1]) == before


@settings(max_examples=25)
@given(
    stops=st.lists(st.integers(0, 40), max_size=4),
    size=st.integers(1, 4),
    names=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8), max_size=4
    ),
)
def test_a_copy_interrupted_anywhere_is_finished_by_the_next(
    stops: list[int], size: int, names: list[str]
) -> None:
    async def run(urls: tuple[str, str]) -> None:
        async with MediaSync(urls[0]) as ms:
            await prepared(ms)
            items = [
                movie(f"{number}{name}", title=f"T{name}", genres=[f"G{name}"], credits=[credit(None, name)])
                for number, name in enumerate(names)
                if name.strip()
            ]
            await ms.media.save_media_items([*items, show("z"), season("y", parent="z")], **MOVIES)
            before = await public(ms)

        def end() -> None:
            raise Ended

        for stop in stops:
            try:
                await copy_mirror(*urls, on_progress=ending_at(stop, end))
            except Ended:
                assert is_part(await shown(urls[1]), before)
        await copy_mirror(*urls)
        assert await shown(urls[1]) == before

    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        set_pages(patch, size)
        asyncio.run(run((f"sqlite:///{folder}/a.db", f"sqlite:///{folder}/b.db")))


COPYING = """
import asyncio, os, sys
from dataclasses import replace
from mediasync import copy_mirror
from mediasync.copying import copy, plan
copy.copied_tables = lambda: [replace(table, size=1) for table in plan.copied_tables()]
def step(*_):
    os.read(0, 1)
    os.write(1, b".")
asyncio.run(copy_mirror(*sys.argv[1:], on_progress=step))
"""


@pytest.mark.parametrize("engines", PAIRS[:3], ids=lambda pair: f"{pair[0].name} to {pair[1].name}")
async def test_a_killed_copy_can_be_continued(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    urls = new_urls(engines, tmp_path)
    before = await filled(urls[0])
    chance = random.Random(SEED)
    for _ in range(3):
        await asyncio.to_thread(kill_a_copy, urls, chance.randrange(4, 20), chance.uniform(0, 0.004))
        stored = await shown(urls[1])
        assert is_part(stored, before), f"seed {SEED}"
    report = await copy_mirror(*urls)
    assert sum(report.unchanged.values()) > 0
    assert sum(report.copied.values()) > 0
    assert await shown(urls[1]) == before
    async with MediaSync(urls[1]) as ms:
        assert (await ms.check()).flaws == ()


def kill_a_copy(urls: tuple[str, str], steps: int, seconds: float) -> None:
    """Let a copy in a process of its own take some steps, each when told to, and kill it in the last one."""
    path = str(Path(mediasync.__file__).parents[1])
    child = subprocess.Popen(
        [sys.executable, "-c", COPYING, *urls],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        for _ in range(steps):
            child.stdin.write(b"\n")
            assert child.stdout.read(1), "the copy ended by itself"
        # The instant is what is being tried: it is random, and nothing waits for it.
        time.sleep(seconds)
        child.kill()
        assert child.wait() == -9
