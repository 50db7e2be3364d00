"""A watch over each kind of server: what happens there becomes rows, by events alone."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.live import Live, Server, live, live_config, live_server, stored, true
from support.mirror import Clock
from support.servers import SERVERS

from mediasync import Episode, MediaItem, MediaSync, Movie, RunStatus, Season, Show, SourceConfig, listening
from mediasync.events import (
    Hinted,
    ListeningEnded,
    ListeningStarted,
    RunFailed,
    TargetDropped,
    TargetsTaken,
)
from mediasync.hints import Hint, HintKind
from mediasync.testing import Catalogue, FakeEmby, FakeJellyfin, FakePlex, make_catalogue
from mediasync.testing.webhooks import Webhook, emby_webhook, jellyfin_webhook, plex_webhook
from mediasync.web import create_app
from mediasync.web.hooks import SECRET_HEADER

HOOK_SECRET = "correct-horse-battery"


@asynccontextmanager
async def watched(
    ms: MediaSync,
    clock: Clock,
    kind: str,
    catalogue: Catalogue | None = None,
    *,
    listens: bool = True,
    **settings: Any,
) -> AsyncIterator[tuple[Server, Live, Any]]:
    """Run a server, sync it, and watch it."""
    server = live_server(kind, catalogue or make_catalogue(films=6, shows=1, seasons=1, episodes=2))
    async with server:
        config = live_config(kind, server, **settings)
        await ms.sync(config)
        clock.tick(60_000)
        async with live(ms, clock, config, listens=listens) as (told, watch):
            yield server, told, watch


async def follows(ms: MediaSync, server: Server, told: Live, watch: Any) -> None:
    """Let events be worked off until the rows are what the server has, and nothing waits."""

    async def is_same() -> bool:
        return await stored(ms) == true(server) and not await ms.list_due()

    await told.work_off(watch, until=is_same)


def key_of(server: Server, item: MediaItem) -> str:
    """Return the server's own key of an item."""
    for own, found in zip(server.catalogue.items(), server.truth().items(), strict=True):
        if own is item:
            return found.remote_id
    raise AssertionError(item)


def new_show(catalogue: Catalogue) -> None:
    """Add a show with a season and two episodes."""
    cast = catalogue.titled("Film 1").credits
    show = catalogue.add("2", Show(remote_id=catalogue.new_key(), title="New show", credits=cast))
    season = Season(
        remote_id=catalogue.new_key(), title="Season 1", season_number=1, parent_remote_id=show.remote_id
    )
    catalogue.add("2", season)
    for number in (1, 2):
        episode = Episode(
            remote_id=catalogue.new_key(),
            title=f"New episode {number}",
            season_number=1,
            episode_number=number,
            parent_remote_id=season.remote_id,
            credits=cast,
        )
        catalogue.add("2", episode)


def new_film(catalogue: Catalogue, title: str = "A new film") -> MediaItem:
    cast = catalogue.titled("Film 2").credits
    return catalogue.add("1", Movie(remote_id=catalogue.new_key(), title=title, credits=cast))


@pytest.fixture
async def ms(file_url: str, clock: Clock) -> AsyncIterator[MediaSync]:
    """A mirror in a file of SQLite. The inbox and the watch have tests of their own on every engine."""
    async with MediaSync(file_url, clock=clock) as mirror:
        yield mirror


@pytest.mark.parametrize("kind", SERVERS)
async def test_rows_follow_a_server_by_its_events(ms: MediaSync, clock: Clock, kind: str) -> None:
    async with watched(ms, clock, kind) as (server, told, watch):
        catalogue = server.catalogue
        before = len(server.requests)
        film = catalogue.titled("Film 1")
        catalogue.edit_cast(film.remote_id, (film.credits or [])[:2])
        await follows(ms, server, told, watch)
        assert len(server.requests) - before <= 10
        assert not [event for event in told.of(TargetsTaken) if event.whole] or kind == "kodi"
        before = len(server.requests)
        new_film(catalogue)
        await follows(ms, server, told, watch)
        new_show(catalogue)
        await follows(ms, server, told, watch)
        assert len(server.requests) - before <= 50
        catalogue.remove(catalogue.titled("Film 3").remote_id)
        await follows(ms, server, told, watch)
        catalogue.remove(catalogue.titled("New show").remote_id)
        await follows(ms, server, told, watch)
        assert [report.failed for report in told.reports if report.failed] == []
        assert told.of(RunFailed) == []
        removed = {item_id for report in told.reports for item_id in report.removed}
    assert len(removed) == 5
    listed = {run.id for run in await ms.list_runs("here", whole=True)}
    assert {report.run.id for report in told.reports if report.removed} <= listed


@pytest.mark.parametrize("kind", SERVERS)
async def test_what_was_changed_and_removed_at_once_is_gone(ms: MediaSync, clock: Clock, kind: str) -> None:
    async with watched(ms, clock, kind) as (server, told, watch):
        film = server.catalogue.titled("Film 4")
        key = key_of(server, film)
        server.catalogue.touch(film)
        server.catalogue.remove(film.remote_id)
        for hints in ([HintKind.REMOVED, HintKind.CHANGED], [HintKind.CHANGED, HintKind.REMOVED]):
            await ms.hint("here", [Hint(hint, (key,)) for hint in hints])
        await follows(ms, server, told, watch)
        assert [report.failed for report in told.reports if report.failed] == []


@pytest.mark.parametrize("kind", SERVERS)
async def test_lost_events_cost_nothing_but_time(ms: MediaSync, clock: Clock, kind: str) -> None:
    async with watched(ms, clock, kind, make_catalogue(films=20, shows=1)) as (server, told, watch):
        server.event_loss = 0.5
        catalogue = server.catalogue
        for number in range(8):
            film = catalogue.titled(f"Film {number + 1}")
            catalogue.edit_cast(film.remote_id, (film.credits or [])[: number % 3])
            new_film(catalogue, f"New {number}")
            catalogue.remove(catalogue.titled(f"Film {number + 11}").remote_id)
            await told.settle(watch)
        config = live_config(kind, server)
    async with server:
        await ms.sync(config.model_copy(update={"url": server.url}))
        assert await stored(ms) == true(server)


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_lost_connection_is_made_again_and_the_source_synced(
    ms: MediaSync, clock: Clock, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_FIRST_PAUSE", timedelta(milliseconds=20))
    async with watched(ms, clock, kind) as (server, told, watch):
        server.drop_listeners()
        film = server.catalogue.titled("Film 1")
        server.catalogue.edit_cast(film.remote_id, [])
        new_film(server.catalogue)
        await told.until_told(ListeningStarted, 2)
        await follows(ms, server, told, watch)
        assert len(told.of(ListeningEnded)) == 1
        assert [event.whole for event in told.of(TargetsTaken)] == [True]
        film.title = "Heard again"
        server.catalogue.touch(film)
        await follows(ms, server, told, watch)


async def test_a_server_whose_events_cannot_be_heard_is_not_synced_for_each_attempt(
    ms: MediaSync, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kodi is often read over HTTP while the port of its notifications is closed."""
    monkeypatch.setattr(listening, "_FIRST_PAUSE", timedelta(milliseconds=5))
    async with watched(ms, clock, "kodi", listens=False, events_port=1) as (_, told, _watch):
        await told.until_told(ListeningEnded, 4)
        assert told.of(ListeningStarted) == []
        assert await ms.list_due() == []
    assert len({event.reason for event in told.of(ListeningEnded)}) == 1
    assert len(await ms.list_runs("here")) == 1


async def test_a_server_that_is_away_for_an_hour_is_left_alone_for_most_of_it(
    ms: MediaSync, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = live_server("plex", make_catalogue(films=3, shows=0))
    async with server:
        config = live_config("plex", server)
        await ms.sync(config)
    until, sleep = clock.now + 3_600_000, asyncio.sleep
    hour = asyncio.Event()

    async def pass_time(seconds: float) -> None:
        clock.tick(round(seconds * 1000))
        if clock.now > until:
            hour.set()
            await asyncio.Future()
        await sleep(0)

    monkeypatch.setattr(listening, "_sleep", pass_time)
    async with live(ms, clock, config, listens=False) as (told, _):
        await hour.wait()
    assert 5 <= len(told.of(ListeningEnded)) <= 25
    assert await ms.list_due() == []
    assert len(await ms.list_runs("here")) == 1


async def test_rows_follow_a_folder_by_its_events(ms: MediaSync, clock: Clock, tmp_path: Path) -> None:
    root = tmp_path / "media"

    def write(path: str, text: str) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")

    def film(title: str) -> str:
        return f"<movie><title>{title}</title></movie>"

    for name in ("Heat (1995)", "Ronin (1998)"):
        write(f"movies/{name}/movie.nfo", film(name))
    config = SourceConfig.model_validate({"id": "here", "folder": root})
    await ms.sync(config)
    clock.tick(60_000)

    async with live(ms, clock, config) as (told, watch):

        async def shows(*titles: str) -> None:
            async def are_shown() -> bool:
                return {title for title, _ in (await stored(ms)).values()} == set(titles)

            await told.work_off(watch, until=are_shown)

        write("movies/Heat (1995)/movie.nfo", film("Heat"))
        await shows("Heat", "Ronin (1998)")
        write("tv/Dark/tvshow.nfo", "<tvshow><title>Dark</title></tvshow>")
        episode = (
            "<episodedetails><title>Secrets</title><season>1</season><episode>1</episode></episodedetails>"
        )
        write("tv/Dark/Season 1/Dark S01E01.nfo", episode)
        await shows("Heat", "Ronin (1998)", "Dark", "Season 1", "Secrets")
        shutil.rmtree(root / "movies/Ronin (1998)")
        await shows("Heat", "Dark", "Season 1", "Secrets")
        assert all(report.failed == () for report in told.reports)


# Folders that look like items, and libraries that are left out


@pytest.mark.parametrize("kind", ["jellyfin", "emby"])
async def test_folders_on_the_disk_are_let_be(ms: MediaSync, clock: Clock, kind: str) -> None:
    async with watched(ms, clock, kind) as (server, told, watch):
        assert isinstance(server, FakeJellyfin)
        folders = [f"{number:032x}" for number in range(1, 6)]
        changed = {"ItemsAdded": folders, "ItemsUpdated": folders[:2], "ItemsRemoved": [], "IsEmpty": False}
        server.announce({"MessageType": "LibraryChanged", "Data": changed})
        await told.until_told(Hinted)
        await told.work_off(watch, until=lambda: told.of(TargetDropped))
        [dropped] = told.of(TargetDropped)
        assert set(dropped.targets) == set(folders)
        await told.settle(watch)
    assert all(run.failed == 0 and run.status == RunStatus.SUCCEEDED for run in await ms.list_runs("here"))
    assert len(await ms.list_runs("here")) == 3


@pytest.mark.parametrize("kind", SERVERS)
async def test_events_of_an_excluded_library_change_nothing(ms: MediaSync, clock: Clock, kind: str) -> None:
    catalogue = make_catalogue(films=3, shows=1, seasons=1, episodes=2)
    excluded = catalogue.library("2").title
    exclude = ["shows"] if kind == "kodi" else [excluded]
    async with watched(ms, clock, kind, catalogue, exclude=exclude) as (server, told, watch):
        before = await stored(ms)
        assert len(before) == 3
        server.catalogue.touch(next(item for item in catalogue.items() if isinstance(item, Episode)))
        await told.until_told(Hinted)
        await told.settle(watch)
        assert await stored(ms) == before
        assert all(report.failed == () for report in told.reports)
        assert len(told.of(TargetDropped)) <= 1


# Webhooks


def arr(agent: str, **document: Any) -> Webhook:
    request = httpx.Request("POST", "http://x/", json=document, headers={"User-Agent": agent})
    return Webhook({"Content-Type": "application/json", "User-Agent": agent}, request.read())


def plex_body(server: Any, item: MediaItem) -> Webhook:
    assert isinstance(server, FakePlex)
    return plex_webhook(server, item)


def jellyfin_body(server: Any, item: MediaItem) -> Webhook:
    assert isinstance(server, FakeJellyfin)
    return jellyfin_webhook(server, item, "added", hyphens=True)


def emby_body(server: Any, item: MediaItem) -> Webhook:
    assert isinstance(server, FakeEmby)
    return emby_webhook(server, item, "added")


def radarr_body(_server: Any, _item: MediaItem) -> Webhook:
    return arr("Radarr/5.2", eventType="Download", movie={"id": 1, "title": "A new film", "tmdbId": 424242})


def sonarr_body(_server: Any, _item: MediaItem) -> Webhook:
    series = {"id": 1, "title": "New show", "tvdbId": 171717}
    return arr("Sonarr/4.0", eventType="Download", series=series, episodes=[{"id": 5}])


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("plex", plex_body),
        ("jellyfin", jellyfin_body),
        ("emby", emby_body),
        ("kodi", radarr_body),
        ("jellyfin", radarr_body),
        ("plex", sonarr_body),
    ],
    ids=["plex", "jellyfin", "emby", "radarr-kodi", "radarr-jellyfin", "sonarr-plex"],
)
async def test_webhooks_to_the_app_become_rows(
    ms: MediaSync, clock: Clock, kind: str, body: Callable[[Any, MediaItem], Webhook]
) -> None:
    settings = {"events": False, "hook_secret": HOOK_SECRET}
    async with watched(ms, clock, kind, listens=False, **settings) as (server, told, watch):
        app = create_app(ms, sources=[live_config(kind, server, **settings)])
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            new_show(server.catalogue)
            webhook = body(server, new_film(server.catalogue))
            if body in (plex_body, jellyfin_body, emby_body):
                episode = next(one for one in server.catalogue.items() if one.title == "New episode 1")
                others = [body(server, episode)]
                second = next(one for one in server.catalogue.items() if one.title == "New episode 2")
                others.append(body(server, second))
            else:
                others = []
            for secret in ("wrong-secret-of-the-hook", HOOK_SECRET):
                answers = [
                    await client.post(
                        "/hooks/here", content=one.body, headers={**one.headers, SECRET_HEADER: secret}
                    )
                    for one in (webhook, *others)
                ]
                statuses = {answer.status_code for answer in answers}
                assert statuses == ({202} if secret == HOOK_SECRET else {401}), answers[0].text
                if secret != HOOK_SECRET:
                    assert await ms.list_due() == []
            stranger = await client.post(
                "/hooks/nobody", content=webhook.body, headers={SECRET_HEADER: HOOK_SECRET}
            )
            assert stranger.status_code == 401
        await follows(ms, server, told, watch)
        assert told.of(ListeningStarted) == []
        assert all(report.failed == () for report in told.reports)


# Many


async def test_a_burst_of_a_thousand_events_is_a_few_syncs(ms: MediaSync, clock: Clock) -> None:
    catalogue = make_catalogue(films=1_500, shows=0, credits_each=0)
    async with watched(ms, clock, "plex", catalogue) as (server, told, watch):
        before = len(server.requests)
        for item in list(catalogue.items())[:1_000]:
            catalogue.touch(item)
        await told.until_told(Hinted)
        await told.settle(watch)
        assert len(told.reports) <= 5
        assert len(server.requests) - before <= 60
        assert all(report.failed == () for report in told.reports)


async def test_old_runs_of_single_items_are_pruned(ms: MediaSync, clock: Clock) -> None:
    async with watched(ms, clock, "plex") as (server, told, watch):
        film = server.catalogue.titled("Film 1")
        server.catalogue.edit_cast(film.remote_id, [])
        await follows(ms, server, told, watch)
        changing = told.reports[-1].run.id
        for _ in range(3):
            await ms.hint("here", [Hint(HintKind.CHANGED, (film.remote_id, "999"))])
            await told.settle(watch)
        assert len(await ms.list_runs("here")) >= 5
        config = live_config("plex", server)
        [summary] = await ms.list_source_summaries("here")
        assert summary.last_run is not None
        assert not summary.last_run.partial, "runs of single items do not hide it"
    async with server:
        config = config.model_copy(update={"url": server.url})
        clock.tick(3 * 86_400_000)
        await ms.sync(config)
        partial = [run.id for run in await ms.list_runs("here") if run.partial]
        assert partial == [changing], "what saved something stays as long as its changes"
        clock.tick(401 * 86_400_000)
        await ms.sync(config)
        assert [run.id for run in await ms.list_runs("here") if run.partial] == []
    assert (await ms.check()).flaws == ()
