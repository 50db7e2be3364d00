"""Reading many ids in few requests, whichever of them fail; and paging by what arrives."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync.backends.base import Enumerated
from mediasync.backends.multiread import Page, pages, read_adaptively
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

ERRORS: dict[str, Callable[[], SourceError]] = {
    "404": lambda: RequestRefused("home", "404", status=404),
    "414": lambda: RequestRefused("home", "414", status=414),
    "500": lambda: RequestRefused("home", "500", status=500),
    "rpc": lambda: RequestRefused("home", "-32602", status=0),
    "unreadable": lambda: SourceUnreadable("home", "broken JSON"),
}


class Server:
    """Answers with the ids it is asked for, unless one of them fails."""

    def __init__(self, failing: dict[str, Callable[[], SourceError]], limit: int | None = None) -> None:
        self.failing = failing
        self.limit = limit
        self.asked: list[list[str]] = []

    async def read(self, ids: Sequence[str]) -> list[str]:
        self.asked.append(list(ids))
        await asyncio.sleep(0)
        if self.limit is not None and len(ids) > self.limit:
            raise RequestRefused("home", "413", status=413)
        for key in ids:
            if key in self.failing:
                raise self.failing[key]()
        return list(ids)


async def read_all(server: Server, ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the ids that were read and those that were refused, in order."""
    refused: list[str] = []
    read = [
        key
        async for some in read_adaptively(ids, server.read, refused=lambda key, _: refused.append(key))
        for key in some
    ]
    return read, refused


@given(
    count=st.integers(0, 70),
    bad=st.dictionaries(st.integers(0, 69), st.sampled_from(sorted(set(ERRORS) - {"500"}))),
    limit=st.none() | st.integers(1, 70),
)
async def test_each_good_id_is_read_once_and_each_bad_one_refused_once(
    count: int, bad: dict[int, str], limit: int | None
) -> None:
    ids = [str(number) for number in range(count)]
    failing = {str(number): ERRORS[kind] for number, kind in bad.items() if number < count}
    server = Server(failing, limit)
    read, refused = await read_all(server, ids)
    assert read == [key for key in ids if key not in failing]
    assert refused == [key for key in ids if key in failing]
    assert len(server.asked) <= max(2 * count - 1, 0)


@given(count=st.integers(1, 256), data=st.data())
async def test_one_bad_id_costs_few_requests(count: int, data: st.DataObject) -> None:
    bad = str(data.draw(st.integers(0, count - 1)))
    server = Server({bad: ERRORS["500"]})
    read, refused = await read_all(server, [str(number) for number in range(count)])
    assert (len(read), refused) == (count - 1, [bad])
    assert len(server.asked) <= 2 * math.ceil(math.log2(count)) + 1


async def test_nothing_is_asked_for_nothing_and_a_repeated_id_once() -> None:
    server = Server({})
    assert await read_all(server, []) == ([], [])
    assert server.asked == []
    assert await read_all(server, ["1", "2", "1"]) == (["1", "2"], [])


@pytest.mark.parametrize("error", [SourceUnreachable, SourceUnauthorised, SourceForbidden, SourceBusy])
async def test_errors_of_the_whole_source_pass(error: type[SourceError]) -> None:
    server = Server({"3": lambda: error("home", "no")})
    with pytest.raises(error):
        await read_all(server, ["1", "2", "3", "4"])
    assert len(server.asked) == 1


async def test_a_silent_id_is_refused_and_its_neighbours_are_read() -> None:
    server = Server({"2": lambda: NoAnswerInTime("home", "nothing came")})
    assert await read_all(server, ["1", "2", "3", "4"]) == (["1", "3", "4"], ["2"])


@pytest.mark.parametrize(
    "error",
    [
        lambda: NoAnswerInTime("home", "nothing came"),
        lambda: RequestRefused("home", "504", status=504),
    ],
)
async def test_a_server_that_is_silent_all_the_time_ends_the_reading(
    error: Callable[[], SourceError],
) -> None:
    ids = [str(number) for number in range(64)]
    server = Server(dict.fromkeys(ids, error))
    with pytest.raises(type(error())):
        await read_all(server, ids)
    assert len(server.asked) <= 8


async def test_a_server_that_fails_all_the_time_ends_the_reading() -> None:
    ids = [str(number) for number in range(1000)]
    server = Server(dict.fromkeys(ids, ERRORS["500"]))
    with pytest.raises(RequestRefused):
        await read_all(server, ids)
    assert len(server.asked) <= 70


async def test_bad_ids_between_good_ones_are_no_failing_server() -> None:
    ids = [str(number) for number in range(200)]
    bad = [key for key in ids if int(key) % 20]
    read, refused = await read_all(Server(dict.fromkeys(bad, ERRORS["500"])), ids)
    assert len(read) == 10
    assert refused == bad


# Paging


def listing(*answers: Page[str]) -> Callable[[int], Awaitable[Page[str]]]:
    """Return a fetch that gives these pages in turn."""
    left = list(answers)

    async def fetch(_start: int) -> Page[str]:
        return left.pop(0)

    return fetch


def page(keys: str, total: int | None) -> Page[str]:
    return Page([f"item {key}" for key in keys], list(keys), total)


async def collect(
    fetch: Callable[[int], Awaitable[Page[str]]], **options: int
) -> tuple[list[str], Enumerated]:
    found = [each async for each in pages(fetch, **options)]  # type: ignore[arg-type]
    end = found.pop()
    assert isinstance(end, Enumerated)
    keys: list[str] = []
    for each in found:
        assert isinstance(each, Page)
        assert list(each.items) == [f"item {key}" for key in each.keys]
        assert each.items
        keys += each.keys
    return keys, end


@given(
    total=st.integers(0, 40),
    sizes=st.lists(st.integers(1, 9), min_size=40, max_size=40),
    tells=st.booleans(),
    prefetch=st.booleans(),
)
async def test_pages_of_any_size_are_put_together(
    total: int, sizes: list[int], tells: bool, prefetch: bool
) -> None:
    starts: list[int] = []

    async def fetch(start: int) -> Page[str]:
        starts.append(start)
        keys = [str(key) for key in range(start, min(start + sizes[len(starts) - 1], total))]
        return Page([f"item {key}" for key in keys], keys, total if tells else None)

    keys, end = await collect(fetch, prefetch=prefetch)
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
    found, end = await collect(listing(*answers), prefetch=prefetch)
    assert found == list(keys)
    assert not end.complete
    assert reason in end.reason


async def test_a_pager_without_end_is_left() -> None:
    async def fetch(start: int) -> Page[str]:
        return Page([f"item {start}"], [str(start)], None)

    keys, end = await collect(fetch, most=50)
    assert len(keys) == 50
    assert not end.complete
    assert "no end" in end.reason


async def test_items_without_a_key_are_no_repeats() -> None:
    answer: Page[str] = Page(["item ", "item ", "item a"], ["", "", "a"], 3)
    keys, end = await collect(listing(answer))
    assert (keys, end.complete) == (["", "", "a"], True)


async def test_the_next_page_is_read_while_one_is_worked_on_and_given_up_when_the_loop_is_left() -> None:
    second_asked, cancelled = asyncio.Event(), asyncio.Event()

    async def fetch(start: int) -> Page[str]:
        if start:
            second_asked.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
        return page("ab", 4)

    async with aclosing(pages(fetch, prefetch=True)) as found:
        async for _ in found:
            await second_asked.wait()
            break
    assert cancelled.is_set()


@pytest.mark.parametrize("prefetch", [False, True])
async def test_what_a_page_raises_comes_after_the_pages_before_it(prefetch: bool) -> None:
    async def fetch(start: int) -> Page[str]:
        if start:
            raise SourceUnreachable("home", "gone")
        return page("ab", 4)

    found: list[object] = []
    listed = pages(fetch, prefetch=prefetch)
    found.append(await anext(listed))
    with pytest.raises(SourceUnreachable):
        await anext(listed)
    assert found == [page("ab", 4)]
