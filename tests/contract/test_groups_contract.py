"""Saves that are written together: the event loop goes on, and the last save of an item wins."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from support.items import MOVIES, movie
from support.mirror import prepared

from mediasync import MediaItem, MediaSync
from mediasync.errors import ConfigurationError
from mediasync.source_syncs import make_backend
from mediasync.testing import FakeClock, count_waiting_writes, hold_writes

pytestmark = pytest.mark.slow


class _Answers:
    """Counts the answers that come in one turn of the event loop."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0

    def note(self, _: object) -> None:
        if not self._now:
            asyncio.get_running_loop().call_soon(self._end)
        self._now += 1

    def _end(self) -> None:
        self.most, self._now = max(self.most, self._now), 0


async def test_the_answers_of_a_large_group_do_not_block_the_event_loop(ms: MediaSync) -> None:
    with hold_writes(ms):
        saves = [asyncio.create_task(ms.media.save_media_item(movie(f"{n}"), **MOVIES)) for n in range(3_000)]
        while count_waiting_writes(ms) < len(saves):
            await asyncio.sleep(0)
    answers = _Answers()
    for save in saves:
        save.add_done_callback(answers.note)
    await asyncio.gather(*saves)
    await asyncio.sleep(0)
    assert 0 < answers.most <= 1_000


class _WatchingClock(FakeClock):
    """Notes the settings of the garbage collector at each transaction, which asks for the time."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[int, int, int]] = set()

    def __call__(self) -> int:
        self.seen.add(gc.get_threshold())
        return super().__call__()


@pytest.mark.parametrize(("number", "deferred"), [(2, False), (300, True)])
async def test_the_garbage_collector_runs_less_often_while_many_are_saved_at_once(
    url: str, number: int, deferred: bool
) -> None:
    before, clock = gc.get_threshold(), _WatchingClock()
    async with MediaSync(url, clock=clock) as ms:
        await prepared(ms)
        clock.seen.clear()
        with hold_writes(ms):
            saves = [
                asyncio.create_task(ms.media.save_media_item(movie(f"{n}"), **MOVIES)) for n in range(number)
            ]
            while count_waiting_writes(ms) < len(saves):
                await asyncio.sleep(0)
        await asyncio.gather(*saves)
    assert clock.seen
    assert any(settings > before for settings in clock.seen) is deferred
    assert gc.get_threshold() == before


async def test_the_last_save_of_an_item_wins_beyond_one_group(ms: MediaSync) -> None:
    all_taken = asyncio.Event()

    async def stream() -> AsyncIterator[MediaItem]:
        yield movie("a", title="First")
        yield movie("a", title="Second")
        for n in range(1_200):
            yield movie(f"{n}")
        yield movie("a", title="Last")
        all_taken.set()

    with hold_writes(ms):
        saving = asyncio.create_task(ms.media.save_media_items(stream(), concurrency=10_000, **MOVIES))
        await all_taken.wait()
    report = await saving
    assert report.saved == 1_203
    assert (await ms.media.get_media_item("home:a")).title == "Last"


@pytest.mark.parametrize(
    ("text", "source_id"),
    [
        ("nfo:films", "nfo-films"),
        ("nfo:some/My Library", "nfo-my-library"),
        ("home=nfo:films", "home"),
        ("nfo:Ünïcödé", "nfo-unicode"),
    ],
)
def test_a_source_without_a_name_gets_one_by_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, source_id: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make: Callable[[str], Any] = make_backend
    assert make(text).source.id == source_id
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert make(text).source.id == source_id


def test_a_folder_without_a_usable_name() -> None:
    with pytest.raises(ConfigurationError, match="NAME=nfo"):
        make_backend("nfo:/映画")
