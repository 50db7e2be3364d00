"""Paging by what arrives, with smaller pages where large ones fail."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync.backends.base import Enumerated
from mediasync.backends.paging import MAX_BEYOND, Fetch, Hole, Page, pages
from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import (
    RequestRefused,
    SourceBusy,
    SourceError,
    SourceForbidden,
    SourceUnauthorised,
    SourceUnreachable,
    SourceUnreadable,
)

SIZE = 10


def listing(*answers: Page[str]) -> Fetch[str]:
    """Return a fetch that gives these pages in turn, then empty ones."""
    left = list(answers)

    async def fetch(_start: int, _size: int) -> Page[str]:
        return left.pop(0) if left else page("", answers[-1].total)

    return fetch


def page(keys: str, total: int | None) -> Page[str]:
    return Page([f"item {key}" for key in keys], list(keys), total)


async def collect(
    fetch: Fetch[str], size: int = SIZE, **options: Any
) -> tuple[list[str], list[Hole], Enumerated]:
    """Return the keys that were read, the holes, and how complete the listing was."""
    found = [each async for each in pages(fetch, size, **options)]
    end = found.pop()
    assert isinstance(end, Enumerated)
    keys: list[str] = []
    for each in found:
        if isinstance(each, Page):
            assert list(each.items) == [f"item {key}" for key in each.keys]
            assert each.items
            keys += each.keys
    return keys, [each for each in found if isinstance(each, Hole)], end


async def append_all(told: list[object], stream: AsyncIterator[object]) -> None:
    async for each in stream:
        told.append(each)


class Listed:
    """A listing of so many items, some of which make every page that holds them fail.

    Attributes:
        asked: the ranges that were asked for.
    """

    def __init__(
        self,
        count: int,
        bad: dict[int, Callable[[], SourceError]] | None = None,
        *,
        largest: int | None = None,
        total: int | None = -1,
        capped: int | None = None,
    ) -> None:
        self.count = count
        self.bad = bad or {}
        self.largest = largest
        self.total = count if total == -1 else total
        self.capped = capped
        self.asked: list[tuple[int, int]] = []

    async def fetch(self, start: int, size: int) -> Page[str]:
        self.asked.append((start, size))
        await asyncio.sleep(0)
        if self.largest is not None and size > self.largest:
            raise RequestRefused("home", "500", status=500)
        keys = range(start, min(start + min(size, self.capped or size), self.count))
        for key in keys:
            if key in self.bad:
                raise self.bad[key]()
        return Page([f"item {key}" for key in keys], [str(key) for key in keys], self.total)

    async def name(self, position: int) -> str | None:
        return str(position)


def refused() -> SourceError:
    return RequestRefused("home", "500", status=500)


def unreadable() -> SourceError:
    return SourceUnreadable("home", "broken JSON")


def silent() -> SourceError:
    return NoAnswerInTime("home", "nothing came")


@given(
    total=st.integers(0, 40),
    sizes=st.lists(st.integers(1, 9), min_size=41, max_size=41),
    tells=st.booleans(),
    prefetch=st.booleans(),
)
async def test_pages_of_any_size_are_put_together(
    total: int, sizes: list[int], tells: bool, prefetch: bool
) -> None:
    starts: list[int] = []

    async def fetch(start: int, _size: int) -> Page[str]:
        starts.append(start)
        keys = [str(key) for key in range(start, min(start + sizes[len(starts) - 1], total))]
        return Page([f"item {key}" for key in keys], keys, total if tells else None)

    keys, holes, end = await collect(fetch, 9, prefetch=prefetch)
    assert holes == []
    assert keys == [str(key) for key in range(total)]
    assert end == Enumerated(total if tells else None)
    assert starts == sorted(set(starts))
    assert len(starts) <= total + 1


@pytest.mark.parametrize(
    ("answers", "keys", "reason"),
    [
        pytest.param([page("ab", 4), page("ab", 4)], "ab", "the page at 2 brought only", id="repeated"),
        pytest.param([page("ab", 4), page("", 4)], "ab", "nothing came after item 2 of 4", id="early end"),
        pytest.param([page("", 4)], "", "nothing came after item 0 of 4", id="nothing"),
        pytest.param([page("ab", 4), page("cd", 5), page("e", 5)], "abcde", "from 4 to 5", id="grew"),
        pytest.param([page("ab", 4), page("c", 3)], "abc", "from 4 to 3", id="shrank"),
        pytest.param([page("ab", 4), page("bc", 4)], "abc", "3 different items came of 4", id="shifted"),
        pytest.param([page("aa", 2)], "a", "1 different items came of 2", id="twice in a page"),
        pytest.param([page("abc", 2)], "abc", "3 different items came of 2", id="too many"),
        pytest.param([page("ab", 0)], "ab", "2 different items came of 0", id="total of none"),
    ],
)
@pytest.mark.parametrize("prefetch", [False, True])
async def test_a_listing_that_is_not_whole_says_why(
    answers: list[Page[str]], keys: str, reason: str, prefetch: bool
) -> None:
    found, _, end = await collect(listing(*answers), prefetch=prefetch)
    assert found == list(keys)
    assert not end.complete
    assert reason in end.reason


async def test_a_pager_without_end_is_left() -> None:
    async def fetch(start: int, _size: int) -> Page[str]:
        return Page([f"item {start}"], [str(start)], None)

    keys, _, end = await collect(fetch, 1, most=50)
    assert len(keys) == 50
    assert not end.complete
    assert "no end" in end.reason


async def test_items_without_a_key_are_no_repeats() -> None:
    answer: Page[str] = Page(["item ", "item ", "item a"], ["", "", "a"], 3)
    keys, _, end = await collect(listing(answer))
    assert (keys, end.complete) == (["", "", "a"], True)


async def test_the_next_page_is_read_while_one_is_worked_on_and_given_up_when_the_loop_is_left() -> None:
    second_asked, cancelled = asyncio.Event(), asyncio.Event()

    async def fetch(start: int, _size: int) -> Page[str]:
        if start:
            second_asked.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
        return page("ab", 4)

    async with aclosing(pages(fetch, SIZE, prefetch=True)) as found:
        async for _ in found:
            await second_asked.wait()
            break
    assert cancelled.is_set()


@pytest.mark.parametrize("prefetch", [False, True])
async def test_what_a_page_raises_comes_after_the_pages_before_it(prefetch: bool) -> None:
    async def fetch(start: int, _size: int) -> Page[str]:
        if start:
            raise SourceUnreachable("home", "gone")
        return page("ab", 4)

    found: list[object] = []
    listed = pages(fetch, SIZE, prefetch=prefetch)
    found.append(await anext(listed))
    with pytest.raises(SourceUnreachable):
        await anext(listed)
    assert found == [page("ab", 4)]


# Totals that are wrong


@given(
    count=st.integers(0, 60),
    total=st.integers(0, 60) | st.none(),
    size=st.integers(1, 20),
    prefetch=st.booleans(),
)
async def test_all_comes_whatever_the_total_says(
    count: int, total: int | None, size: int, prefetch: bool
) -> None:
    server = Listed(count, total=total)
    keys, holes, end = await collect(server.fetch, size, prefetch=prefetch)
    # Only a page that is not full and ends where the listing is said to end is believed to be the last.
    assert keys == [str(key) for key in range(count)]
    assert holes == []
    assert end.complete == (total in (None, count))
    assert len(server.asked) <= count // size + 2


async def test_a_last_page_that_is_not_full_ends_the_listing_and_a_full_one_does_not() -> None:
    for count, requests in ((0, 1), (9, 1), (10, 2), (95, 10), (100, 11)):
        server = Listed(count)
        assert (await collect(server.fetch))[2] == Enumerated(count)
        assert len(server.asked) == requests


async def test_a_server_that_caps_its_pages_and_says_too_little() -> None:
    server = Listed(100, total=20, capped=5)
    keys, _, end = await collect(server.fetch)
    assert len(keys) == 100
    assert not end.complete
    assert "100 different items came of 20" in end.reason


async def test_what_is_refused_behind_the_stated_end_is_the_end() -> None:
    server = Listed(20, dict.fromkeys(range(20, 40), refused))
    server.count = 40
    keys, holes, end = await collect(server.fetch)
    assert len(keys) == 20
    assert (holes, end) == ([], Enumerated(20))


@pytest.mark.parametrize("prefetch", [False, True])
async def test_a_listing_that_goes_on_far_behind_its_total_is_left(prefetch: bool) -> None:
    server = Listed(10**9, total=100)
    keys, _, end = await collect(server.fetch, 500, prefetch=prefetch)
    assert 100 + MAX_BEYOND <= len(keys) <= 100 + MAX_BEYOND + 500
    assert not end.complete
    assert "it has no end: 10500 items came, though it says 100" in end.reason


async def test_a_total_that_grows_with_the_listing_does_not_keep_it_going() -> None:
    async def fetch(start: int, size: int) -> Page[str]:
        keys = [str(key) for key in range(start, start + size)]
        return Page([f"item {key}" for key in keys], keys, start + 2 * size)

    keys, _, end = await collect(fetch, 500)
    assert len(keys) <= 1000 + MAX_BEYOND + 500
    assert "no end" in end.reason


# Pages that fail


@given(
    count=st.integers(0, 60),
    bad=st.dictionaries(st.integers(0, 59), st.sampled_from([refused, unreadable]), max_size=4),
    size=st.integers(1, 40),
    prefetch=st.booleans(),
    named=st.booleans(),
)
async def test_each_good_item_is_read_once_and_each_bad_one_is_a_hole(
    count: int, bad: dict[int, Callable[[], SourceError]], size: int, prefetch: bool, named: bool
) -> None:
    wrong = sorted(key for key in bad if key < count)
    server = Listed(count, bad)
    name = server.name if named else None
    keys, holes, end = await collect(server.fetch, size, prefetch=prefetch, name=name)
    assert keys == [str(key) for key in range(count) if key not in bad]
    assert [hole.position for hole in holes] == wrong
    assert [hole.key for hole in holes] == [str(key) if named else "" for key in wrong]
    assert end.total == count
    assert end.complete == (named or not wrong)


@given(count=st.integers(1, 512), data=st.data())
async def test_one_bad_item_costs_few_requests(count: int, data: st.DataObject) -> None:
    server = Listed(count, {data.draw(st.integers(0, count - 1)): refused})
    await collect(server.fetch, 512)
    assert len(server.asked) <= 2 * math.ceil(math.log2(512)) + 2


@given(largest=st.integers(1, 512))
async def test_pages_stay_small_where_only_large_ones_fail(largest: int) -> None:
    server = Listed(1000, largest=largest)
    keys, holes, end = await collect(server.fetch, 512)
    assert len(keys) == 1000
    assert holes == []
    assert end == Enumerated(1000)
    refusals = sum(size > largest for _, size in server.asked)
    assert refusals <= math.ceil(math.log2(512 / largest))
    assert len(server.asked) <= refusals + 2 * math.ceil(1000 / largest) + 2


async def test_pages_that_do_not_come_in_time_get_small_fast() -> None:
    server = Listed(200, {7: silent})
    keys, holes, _ = await collect(server.fetch, 100, name=server.name)
    assert len(keys) == 199
    assert [hole.key for hole in holes] == ["7"]
    assert [size for _, size in server.asked][:4] == [100, 12, 1, 1]


@pytest.mark.parametrize(
    ("error", "most"), [(refused, 14), (unreadable, 14), (silent, 5)], ids=["500", "broken", "silent"]
)
async def test_a_listing_that_fails_whole_ends_in_its_error(
    error: Callable[[], SourceError], most: int
) -> None:
    server = Listed(1000, dict.fromkeys(range(1000), error))
    told: list[object] = []
    with pytest.raises(type(error())):
        await append_all(told, pages(server.fetch, 500))
    assert told == []
    assert len(server.asked) <= most


@pytest.mark.parametrize("prefetch", [False, True])
async def test_entries_at_the_start_that_fail_come_before_the_others(prefetch: bool) -> None:
    server = Listed(8, {0: refused, 1: refused})
    found = [each async for each in pages(server.fetch, 8, prefetch=prefetch)]
    assert [each.position for each in found if isinstance(each, Hole)] == [0, 1]
    assert [isinstance(each, Hole) for each in found[:3]] == [True, True, False]
    alone = Listed(2, {0: refused, 1: refused})
    found = [each async for each in pages(alone.fetch, 8, prefetch=prefetch)]
    assert [each.position for each in found if isinstance(each, Hole)] == [0, 1]


async def test_a_listing_that_fails_from_some_place_on_ends_in_its_error() -> None:
    server = Listed(1000, dict.fromkeys(range(600, 1000), refused))
    with pytest.raises(RequestRefused):
        await collect(server.fetch, 500)


@pytest.mark.parametrize("error", [SourceUnreachable, SourceUnauthorised, SourceForbidden, SourceBusy])
async def test_errors_of_the_whole_source_are_not_asked_about_again(error: type[SourceError]) -> None:
    server = Listed(100, {3: lambda: error("home", "no")})
    with pytest.raises(error):
        await collect(server.fetch)
    assert len(server.asked) == 1


async def test_a_listing_that_is_not_there_is_not_asked_for_again() -> None:
    server = Listed(100, {3: lambda: RequestRefused("home", "404", status=404)})
    with pytest.raises(RequestRefused):
        await collect(server.fetch)
    assert len(server.asked) == 1


async def test_a_hole_whose_key_cannot_be_asked_for_has_none() -> None:
    async def name(_position: int) -> str | None:
        raise unreadable()

    _, [hole], end = await collect(Listed(5, {2: refused}).fetch, name=name)
    assert (hole.position, hole.key) == (2, "")
    assert "entry 2 of the listing has a key that cannot be read" in end.reason
