"""Long random runs against the model of a mirror: 3,000 steps by default.

The steps are those of ``test_stateful.py``, which runs fewer of them on each engine, and shrinks what fails.
Here a seed chooses the steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from contract.model import (
    DeleteItem,
    DeletePeopleOfItem,
    DeletePerson,
    Operation,
    SaveItem,
    SavePeopleOfItem,
    UpsertPeople,
)
from contract.test_stateful import ITEM_IDS, MOVIE_KEYS, PERSON_IDS, Mirror

from mediasync import Credit, MediaItem, Movie, Person, Season, Show

pytestmark = pytest.mark.slow

STEPS_PER_MIRROR = 100
PARTS = 10


class Choice:
    """Chooses what is saved and deleted.

    Args:
        random: what decides.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._of = random.choice

    def person(self) -> Person:
        if self._random.random() < 0.4:
            name = self._of(["Ann Lee", "ANN  lee", "Bo"])
            return Person(name=name, image_path=self._of([None, "i"]))
        return Person(
            remote_id=self._of("abc"),
            name=self._of(["Ann", "Bo", " Bo ", "Ćelia O'Neil", "三船 敏郎"]),
            image_path=self._of([None, None, "i", "j"]),
            provider_ids=self._of([{}, {}, {"imdb": "1"}, {"imdb": "2", "tmdb": "3"}]),
        )

    def credits(self) -> list[Credit]:
        return [
            Credit(
                person=self.person(),
                person_type=self._of(["actor", "director", "Key Grip"]),
                role=self._of([None, "", "Neo", " Neo", "Trinity"]),
                sort_order=self._of([None, None, 0, 0, 1, 5, -1]),
            )
            for _ in range(self._random.randrange(5))
        ]

    def item(self) -> MediaItem:
        common: dict[str, Any] = {
            "title": self._of("AB"),
            "year": self._of([None, 1999]),
            "overview": self._of([None, "", "O"]),
            "change_token": self._of([None, "t", "u"]),
            "credits": None if self._random.random() < 0.2 else self.credits(),
            "completeness": self._of([None, None, None, "full", "preview"]),
        }
        match self._random.randrange(5):
            case 0:
                return Show(remote_id="s", **common)
            case 1:
                return Season(remote_id="s-1", parent_remote_id="s", **common)
        return Movie(remote_id=self._of(MOVIE_KEYS), **common)

    def items(self, least: int) -> list[MediaItem]:
        return [self.item() for _ in range(self._random.randint(least, 4))]

    def operation(self) -> Operation:
        match self._random.randrange(8):
            case 0:
                return SavePeopleOfItem(self._of(ITEM_IDS), tuple(self.credits()))
            case 1:
                return DeletePeopleOfItem(self._of(ITEM_IDS))
            case 2:
                return DeleteItem(self._of(ITEM_IDS))
            case 3:
                return UpsertPeople(tuple(self.person() for _ in range(self._random.randint(1, 3))))
            case 4:
                return DeletePerson(self._of(PERSON_IDS))
        return SaveItem(self.item())

    def operations(self, least: int) -> list[Operation]:
        return [self.operation() for _ in range(self._random.randint(least, 4))]

    def turns(self) -> int | None:
        return self._of([None, self._random.randrange(13)])

    def step(self, mirror: Mirror) -> Callable[[], None]:
        """Return one step, with what it is given."""
        match self._random.randrange(7):
            case 0:
                given = self.operations(2)
                return lambda: mirror.several_at_once(given)
            case 1:
                item = self.item()
                versions = [(self._of("ABC"), self.credits()) for _ in range(self._random.randint(2, 4))]
                return lambda: mirror.one_item_at_once(item, versions)
            case 2:
                chosen = [(operation, self.turns()) for operation in self.operations(1)]
                return lambda: mirror.some_cancelled(chosen)
            case 3:
                items, other = self.items(0), self.operation()
                concurrency = self._of([1, 2, 100])
                return lambda: mirror.a_stream_beside_another(items, concurrency, other)
            case 4:
                stream, turns = self.items(1), self._random.randrange(21)
                return lambda: mirror.a_stream_cancelled(stream, turns)
            case 5 if self._random.random() < 0.5:
                return mirror.everything_again
        operation = self.operation()
        return lambda: mirror.one(operation)


class LongMirror(Mirror):
    """A mirror that is checked less often than it is compared."""

    steps_per_check = 10


@contextmanager
def open_mirror() -> Iterator[Mirror]:
    """Return a context with an empty mirror in memory."""
    mirror = LongMirror()
    try:
        mirror.start()
        yield mirror
    finally:
        mirror.teardown()


@pytest.mark.parametrize("part", range(PARTS))
def test_the_mirror_is_what_the_model_says(
    part: int, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = pytestconfig.getoption("model_steps") // PARTS
    began = time.monotonic()
    for first in range(0, steps, STEPS_PER_MIRROR):
        seed = part * 1_000_000 + first
        choice = Choice(Random(seed))
        with open_mirror() as mirror:
            for _ in range(min(STEPS_PER_MIRROR, steps - first)):
                choice.step(mirror)()
    if pytestconfig.getoption("verbose") >= 0:
        with capsys.disabled():
            print(f"{steps:,} steps took {time.monotonic() - began:.1f} s")
