"""The settings of the garbage collector are given back."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from mediasync.garbage import deferred, paused


@pytest.fixture(autouse=True)
def settings() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield (700, 10, 10)
    gc.set_threshold(*before)
    gc.enable()


def test_collections_are_deferred_until_the_last_save_ends(settings: tuple[int, int, int]) -> None:
    with deferred():
        assert gc.get_threshold()[0] > 5_000
        with deferred():
            pass
        assert gc.get_threshold()[0] > 5_000
    assert gc.get_threshold() == settings


def test_collections_are_given_back_after_an_error(settings: tuple[int, int, int]) -> None:
    with pytest.raises(KeyError), deferred():
        raise KeyError
    assert gc.get_threshold() == settings


@pytest.mark.parametrize("own", [(0, 10, 10), (1_000_000, 5, 5)])
def test_what_a_program_has_set_stays(own: tuple[int, int, int]) -> None:
    gc.set_threshold(*own)
    with deferred():
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


def test_what_a_program_sets_meanwhile_stays() -> None:
    with deferred():
        gc.set_threshold(3, 2, 1)
    assert gc.get_threshold() == (3, 2, 1)
    with deferred():
        assert gc.get_threshold()[0] > 5_000
    assert gc.get_threshold() == (3, 2, 1)


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    with paused(), deferred():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_old_objects_are_left_out_until_the_last_save_ends() -> None:
    with deferred():
        frozen = gc.get_freeze_count()
        assert frozen > 1_000
        with deferred(), paused():
            pass
        assert gc.get_freeze_count() >= frozen
    assert gc.get_freeze_count() == 0


def test_what_a_program_has_frozen_stays_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    try:
        with deferred(), paused():
            assert gc.get_freeze_count() == frozen
        assert gc.get_freeze_count() == frozen
    finally:
        gc.unfreeze()


def test_many_results_become_old_at_once() -> None:
    before = gc.get_count()[0]
    with paused():
        results = [[number] for number in range(50_000)]
    assert gc.get_freeze_count() == 0
    assert gc.get_count()[0] <= before + 700
    del results
