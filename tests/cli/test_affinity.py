"""A sync leaves a core free on a machine of two."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from mediasync.cli.affinity import one_core_left_free

if sys.platform != "linux":
    pytest.skip("only Linux tells a thread which cores it may use", allow_module_level=True)


@pytest.fixture
def cores() -> Iterator[set[int]]:
    """All cores of this thread, given back afterwards."""
    allowed = os.sched_getaffinity(0)
    yield set(allowed)
    os.sched_setaffinity(0, allowed)


def _of_a_new_thread() -> set[int]:
    found: list[set[int]] = []
    thread = threading.Thread(target=lambda: found.append(os.sched_getaffinity(0)))
    thread.start()
    thread.join()
    return found[0]


def test_of_two_cores_one_is_left_to_others(cores: set[int]) -> None:
    if len(cores) < 2:
        pytest.skip("this machine lets the tests use one core only")
    two = set(sorted(cores)[:2])
    os.sched_setaffinity(0, two)
    with one_core_left_free():
        assert os.sched_getaffinity(0) == {max(two)}
        assert _of_a_new_thread() == {max(two)}
    assert os.sched_getaffinity(0) == two
    with pytest.raises(RuntimeError, match="work"), one_core_left_free():
        raise RuntimeError("work")
    assert os.sched_getaffinity(0) == two


def test_one_core_is_all_there_is(cores: set[int]) -> None:
    os.sched_setaffinity(0, {min(cores)})
    with one_core_left_free():
        assert os.sched_getaffinity(0) == {min(cores)}
    assert os.sched_getaffinity(0) == {min(cores)}


def test_of_many_cores_none_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: pytest.fail("the cores were changed"))
    with one_core_left_free():
        pass


def test_a_system_that_forbids_it_hinders_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[int]] = []

    def forbidden(_: int, cores: set[int]) -> None:
        asked.append(cores)
        raise PermissionError

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 7})
    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    with one_core_left_free():
        assert asked == [{7}]
