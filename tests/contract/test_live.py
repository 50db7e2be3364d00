"""A watch over each kind of server: what happens there becomes rows, by events alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.live import Live, Server, live, live_config, live_server, stored, true
from support.mirror import Clock
from support.servers import SERVERS

from mediasync import Episode, MediaSync, Movie, Season, Show
from mediasync.events import Hinted, TargetDropped, TargetsTaken
from mediasync.testing import Catalogue, make_catalogue


@asynccontextmanager
async def watched(
    ms: MediaSync, clock: Clock, kind: str, catalogue: Catalogue | None = None, **settings: Any
) -> AsyncIterator[tuple[Server, Live, Any]]:
    server = live_server(kind, catalogue or make_catalogue(films=6, shows=1, seasons=1, episodes=2))
    async with server:
        config = live_config(kind, server, **settings)
        await ms.sync(config)
        assert await stored(ms) == true(server)
        clock.tick(60_000)
        async with live(ms, clock, config) as (told, watch):
            yield server, told, watch


async def follows(ms: MediaSync, server: Server, told: Live, watch: Any) -> None:
    """Let events be worked off until the rows are what the server has, and nothing waits."""

    async def is_same() -> bool:
        return await stored(ms) == true(server) and not await ms.list_due()

    await told.work_off(watch, until=is_same)


def new_show(catalogue: Catalogue) -> None:
    """Add a show with a season and two episodes."""
    credits = catalogue.titled("Film 1").credits
    show = catalogue.add("2", Show(remote_id=catalogue.new_key(), title="New show", credits=credits))
    season = catalogue.add(
        "2",
        Season(
            remote_id=catalogue.new_key(), title="Season 1", season_number=1, parent_remote_id=show.remote_id
        ),
    )
    for number in (1, 2):
        catalogue.add(
            "2",
            Episode(
                remote_id=catalogue.new_key(),
                title=f"New episode {number}",
                season_number=1,
                episode_number=number,
                parent_remote_id=season.remote_id,
                credits=credits,
            ),
        )


@pytest.mark.parametrize("kind", SERVERS)
async def test_rows_follow_a_server_by_its_events(ms: MediaSync, clock: Clock, kind: str) -> None:
    async with watched(ms, clock, kind) as (server, told, watch):
        catalogue = server.catalogue
        film = catalogue.titled("Film 1")
        server.requests.clear()
        catalogue.edit_cast(film.remote_id, (film.credits or [])[:2])
        await follows(ms, server, told, watch)
        print("CHANGED", kind, len(server.requests), [(r.path, r.query) for r in server.requests][-12:])
        server.requests.clear()
        catalogue.add(
            "1", Movie(remote_id=catalogue.new_key(), title="A new film", credits=film.credits)
        )
        await follows(ms, server, told, watch)
        print("ADDED", kind, len(server.requests))
        new_show(catalogue)
        await follows(ms, server, told, watch)
        print("SHOW", [type(e).__name__ for e in told.told])
        catalogue.remove(catalogue.titled("Film 3").remote_id)
        await follows(ms, server, told, watch)
        catalogue.remove(catalogue.titled("New show").remote_id)
        await follows(ms, server, told, watch)
        for r in await ms.list_runs("here"):
            print(r, await ms.list_problems(r.id))
        for e in told.told: print(str(e)[:300])
    assert 0
