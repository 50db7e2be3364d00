"""What events name is read from every kind of server by its keys, with what lies above it, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from support.mirror import Clock
from support.servers import SERVERS, Place, lists_episodes, lists_movies, make_server, server_of

from mediasync import Episode, MediaSync, Movie, Season, Show
from mediasync.events import RunFailed, RunFinished, SyncScheduled, TargetsTaken
from mediasync.hints import Hint, HintKind
from mediasync.testing import Catalogue, make_catalogue


@pytest.fixture(params=SERVERS)
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    server = make_server(request.param, make_catalogue(30, 2, seed=3))
    assert server is not None
    async with server:
        yield Place(request.param, server)


def catalogue_of(place: Place) -> Catalogue:
    catalogue: Catalogue = server_of(place).catalogue  # type: ignore[attr-defined]
    return catalogue


async def keys_by_title(place: Place, titles: list[str]) -> dict[str, str]:
    """Return the keys that the server gives to items, as a mirror of its own shows them."""
    async with MediaSync("sqlite:///:memory:") as ms:
        await ms.sync(place.backend())
        found = {title: await ms.media.find_by_title(title) for title in titles}
    return {title: one.remote_id for title, items in found.items() for one in items[:1]}


def without_lists(place: Place) -> int:
    """Return how many requests have listed films or episodes since they were cleared."""
    films, episodes = lists_movies(place.kind), lists_episodes(place.kind)
    return sum(films(request) or episodes(request) for request in server_of(place).requests)


async def look(ms: MediaSync, clock: Clock, place: Place, *keys: str) -> RunFinished:
    """Let a watch look into items, and return the run."""
    watch = ms.watch([place.backend()], every="1d")
    async with aclosing(watch.__aiter__()) as events:
        async for event in events:
            match event:
                case SyncScheduled():
                    server_of(place).requests.clear()
                    await ms.hint("here", [Hint(HintKind.CHANGED, remote_ids=keys)])
                    clock.now += 20_000
                    await watch.look()
                case TargetsTaken(whole=whole):
                    assert not whole
                case RunFinished():
                    return event
                case RunFailed(error=error):
                    raise error
    raise AssertionError("the watch ended")


async def test_a_stored_film_is_read_without_a_listing(ms: MediaSync, clock: Clock, place: Place) -> None:
    await ms.sync(place.backend())
    catalogue = catalogue_of(place)
    film = catalogue.titled("Film 7")
    [stored] = await ms.media.find_by_title("Film 7")
    assert isinstance(film, Movie)
    film.title = "Renamed"
    catalogue.touch(film)
    finished = await look(ms, clock, place, stored.remote_id)
    assert finished.report.saved == 1
    assert (await ms.media.get_media_item(stored.id)).title == "Renamed"
    assert without_lists(place) == 0


async def test_a_new_episode_brings_its_season_and_show(ms: MediaSync, clock: Clock, place: Place) -> None:
    await ms.sync(place.backend())
    catalogue = catalogue_of(place)
    shows = next(library.id for library in catalogue.libraries if library.kind == "shows")
    show = catalogue.add(shows, Show(remote_id=catalogue.new_key(), title="Fresh"))
    season = catalogue.add(
        shows,
        Season(
            remote_id=catalogue.new_key(),
            title="Season 1",
            parent_remote_id=show.remote_id,
            season_number=1,
        ),
    )
    catalogue.add(
        shows,
        Episode(
            remote_id=catalogue.new_key(),
            title="Fresh Episode",
            parent_remote_id=season.remote_id,
            season_number=1,
            episode_number=1,
        ),
    )
    keys = await keys_by_title(place, ["Fresh Episode"])
    finished = await look(ms, clock, place, keys["Fresh Episode"])
    assert (finished.report.saved, finished.report.failed) == (3, ())
    [episode] = await ms.media.find_by_title("Fresh Episode")
    assert isinstance(episode, Episode)
    above = await ms.media.get_media_item(str(episode.parent_id))
    assert isinstance(above, Season)
    assert (await ms.media.get_media_item(str(above.parent_id))).title == "Fresh"
    if place.kind in {"plex", "kodi"}:
        assert without_lists(place) == 0
    else:
        assert not any(map(lists_episodes(place.kind), server_of(place).requests)), "its show was found"
    assert (await ms.sync(place.backend())).saved == 0, "a sync finds the same"
