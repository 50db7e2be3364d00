"""The interval in which threads give the GIL away is given back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest

from mediasync.gil import RightOfWay, short_turns


@pytest.fixture(autouse=True)
def interval() -> Iterator[float]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    yield 0.005
    sys.setswitchinterval(before)


def test_turns_are_short_until_the_last_answer_ends(interval: float) -> None:
    with short_turns():
        assert sys.getswitchinterval() < 0.001
        with short_turns():
            pass
        assert sys.getswitchinterval() < 0.001
    assert sys.getswitchinterval() == pytest.approx(interval)


def test_the_interval_is_given_back_after_an_error(interval: float) -> None:
    with pytest.raises(KeyError), short_turns():
        raise KeyError
    assert sys.getswitchinterval() == pytest.approx(interval)


def test_an_interval_that_is_as_short_stays() -> None:
    sys.setswitchinterval(0.0001)
    with short_turns():
        assert sys.getswitchinterval() == pytest.approx(0.0001)
    assert sys.getswitchinterval() == pytest.approx(0.0001)


def test_what_a_program_sets_meanwhile_stays() -> None:
    with short_turns():
        sys.setswitchinterval(0.003)
    assert sys.getswitchinterval() == pytest.approx(0.003)
    with short_turns():
        assert sys.getswitchinterval() < 0.001


async def test_work_waits_until_the_last_answer_has_ended() -> None:
    way = RightOfWay(longest_wait=60)
    with way.take():
        with way.take():
            working = asyncio.create_task(way.give())
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not working.done()
    async with asyncio.timeout(30):
        await working


async def test_work_does_not_wait_for_answers_without_end() -> None:
    way = RightOfWay(longest_wait=0.001)
    with way.take():
        async with asyncio.timeout(30):
            await way.give()


async def test_work_waits_no_longer_than_it_has_worked() -> None:
    way = RightOfWay(longest_wait=60)
    with way.take():
        working = asyncio.create_task(way.give())
        await asyncio.sleep(0)
    await working
    with way.take():
        async with asyncio.timeout(30):
            await way.give()


async def test_cancelled_work_stops_waiting() -> None:
    way = RightOfWay(longest_wait=60)
    with way.take():
        working = asyncio.create_task(way.give())
        await asyncio.sleep(0)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
