"""Reading many ids in few requests, whichever of them fail."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasync.backends.multiread import read_adaptively
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
