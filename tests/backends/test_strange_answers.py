"""Answers with random wrong values: a sync copes with each of them, and right answers repair everything."""

from __future__ import annotations

import logging
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from support.mirror import rows
from support.servers import SERVERS, Place, make_server, server_of

from mediasync import MediaSync
from mediasync.backends.base import Found, Unreadable, guarded
from mediasync.errors import MediaSyncError
from mediasync.models import Movie
from mediasync.testing import Fault, make_catalogue

SHARES = (0.001, 0.004, 0.02)
STRANGE: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**31, 2**63, 10**40, 1.5, 1e308),
    *("", " ", "0", "-5", "abc", "\0", "\ud800", "x" * 70_000, "\u202e"),
    *("2020-13-45", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z", "1e5", "１２３"),
    *("plex://", "imdb://", "tt", "http://[::1", "%zz"),
    *([], {}, [None], [[]], [{}], [1, "a", None], {"id": None}),
)


class Strange:
    """Replaces values in answers.

    Attributes:
        share: the share of the values that are replaced.
        replaced: how many were replaced.
    """

    def __init__(self, seed: int) -> None:
        self.share = 0.0
        self.replaced = 0
        self._random = Random(seed)

    def replace(self, value: Any) -> Any:
        """Return a value of an answer with some of the values in it replaced."""
        if self._random.random() < self.share:
            self.replaced += 1
            return deepcopy(self._random.choice(STRANGE))
        if isinstance(value, dict):
            return {name: self.replace(inner) for name, inner in value.items()}
        return [self.replace(inner) for inner in value] if isinstance(value, list) else value


async def content(ms: MediaSync) -> list[Any]:
    """Return the items and their credits as a program sees them."""
    return [
        *await rows(ms, "SELECT id, title, year, parent_id, completeness FROM media_items ORDER BY id"),
        *await rows(
            ms,
            "SELECT media_item_id, sort_order, person_id, person_type, role FROM media_people "
            "ORDER BY media_item_id, sort_order",
        ),
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", SERVERS)
async def test_wrong_values_anywhere_in_the_answers(kind: str, seed: int) -> None:
    place = Place(kind, make_server(kind, make_catalogue(6, 2, seed=1)))
    async with server_of(place) as server, MediaSync("sqlite:///:memory:") as ms:
        strange = Strange(seed)
        server.faults.append(Fault.rewrite(strange.replace, times=None))
        await ms.sync(place.backend())
        before = await content(ms)
        for strange.share in SHARES:
            try:
                await ms.sync(place.backend(), full=True)
            except MediaSyncError as error:
                logging.getLogger(__name__).info("the sync ended: %s", error)
        assert strange.replaced
        strange.share = 0.0
        report = await ms.sync(place.backend(), full=True)
        assert not report.failed, report.failed
        assert await content(ms) == before


def test_an_error_that_no_parser_expects_costs_one_item(caplog: pytest.LogCaptureFixture) -> None:
    found = Found(Movie(remote_id="1", title="Heat"))
    assert guarded("1", lambda: found) is found

    def fail(year: str) -> Found:
        return Found(Movie(remote_id="2", title="Ronin", year=int(year)))

    failed = guarded("2", fail, "MCMXCVIII")
    assert isinstance(failed, Unreadable)
    assert failed.remote_id == "2"
    assert "bug" in failed.reason
    assert "MCMXCVIII" in failed.reason
    [record] = caplog.records
    assert record.exc_info


async def test_the_picture_of_a_rating_that_names_no_rater() -> None:
    place = Place("plex", make_server("plex", make_catalogue(1, 0, seed=1)))
    async with server_of(place) as server, MediaSync("sqlite:///:memory:") as ms:
        server.faults.append(
            Fault.damage(lambda body: body.replace(b"imdb://image", b"\\ud800://image"), times=None)
        )
        report = await ms.sync(place.backend())
        assert report.saved == 1
        assert not report.failed
