"""Answers with random wrong values: a sync copes with each of them, and right answers repair everything."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from support.mirror import rows

from mediasync import MediaSync
from mediasync.backends.base import Found, Unreadable, guarded
from mediasync.errors import MediaSyncError
from mediasync.models import Movie
from mediasync.testing import (
    FakeEmby,
    FakeJellyfin,
    FakeKodi,
    FakePlex,
    FakeServer,
    Request,
    Response,
    make_catalogue,
)

TOKEN = "s3cr3t-t0k3n"
SHARES = (0.001, 0.004, 0.02)
STRANGE: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**31, 2**63, 10**40, 1.5, 1e308),
    *("", " ", "0", "-5", "abc", "\0", "\ud800", "x" * 70_000, "\u202e"),
    *("2020-13-45", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z", "1e5", "１２３"),
    *("plex://", "imdb://", "tt", "http://[::1", "%zz"),
    *([], {}, [None], [[]], [{}], [1, "a", None], {"id": None}),
)

SERVERS: dict[str, Callable[[], FakeServer]] = {
    "plex": lambda: FakePlex(make_catalogue(6, 2, seed=1), token=TOKEN),
    "jellyfin": lambda: FakeJellyfin(make_catalogue(6, 2, seed=1), api_key=TOKEN),
    "emby": lambda: FakeEmby(make_catalogue(6, 2, seed=1), api_key=TOKEN),
    "kodi": lambda: FakeKodi(make_catalogue(6, 2, seed=1), password=TOKEN),
}


class Strange:
    """Replaces values in the answers of a server.

    Attributes:
        share: the share of the values that are replaced.
        replaced: how many were replaced.
    """

    def __init__(self, server: FakeServer, seed: int) -> None:
        self.share = 0.0
        self.replaced = 0
        self._random = Random(seed)
        self._handle = server.handle
        server.handle = self._answer  # type: ignore[method-assign]

    async def _answer(self, request: Request) -> Response:
        response = await self._handle(request)
        if not response.body.startswith((b"{", b"[")):
            return response
        body = json.dumps(self._replace(json.loads(response.body))).encode()
        return Response(response.status, response.headers, body, response.listener)

    def _replace(self, value: Any) -> Any:
        if self._random.random() < self.share:
            self.replaced += 1
            return deepcopy(self._random.choice(STRANGE))
        if isinstance(value, dict):
            return {name: self._replace(inner) for name, inner in value.items()}
        return [self._replace(inner) for inner in value] if isinstance(value, list) else value


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
async def test_wrong_values_anywhere_in_the_answers(
    kind: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MEDIASYNC_HOME_{'PASSWORD' if kind == 'kodi' else 'TOKEN'}", TOKEN)
    async with SERVERS[kind]() as server, MediaSync("sqlite:///:memory:") as ms:
        strange = Strange(server, seed)
        source = f"home={kind}+{server.url}"
        await ms.sync(source)
        before = await content(ms)
        for strange.share in SHARES:
            try:
                await ms.sync(source, full=True)
            except MediaSyncError as error:
                logging.getLogger(__name__).info("the sync ended: %s", error)
        assert strange.replaced
        strange.share = 0.0
        report = await ms.sync(source, full=True)
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


async def test_the_picture_of_a_rating_that_names_no_rater(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIASYNC_HOME_TOKEN", TOKEN)
    async with FakePlex(make_catalogue(1, 0, seed=1), token=TOKEN) as server:
        handle = server.handle

        async def answer(request: Request) -> Response:
            response = await handle(request)
            body = response.body.replace(b"imdb://image", b"\\ud800://image")
            return Response(response.status, response.headers, body, response.listener)

        server.handle = answer  # type: ignore[method-assign]
        async with MediaSync("sqlite:///:memory:") as ms:
            report = await ms.sync(f"home=plex+{server.url}")
            assert report.saved == 1
            assert not report.failed
