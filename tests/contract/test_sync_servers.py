"""All kinds of sources at once, over real HTTP, as a user would name them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from support.engines import Engine
from support.mirror import Clock, public, rows, value

from mediasync import MediaItem, MediaSync, SourceConfig, SyncReport
from mediasync.errors import ConfigurationError
from mediasync.source_syncs import make_backend
from mediasync.testing import FakeEmby, FakeJellyfin, FakeKodi, FakePlex, FakeServer, make_catalogue

pytestmark = pytest.mark.slow

TOKEN = "s3cr3t-t0k3n"


@dataclass(frozen=True)
class Home:
    """Four servers with the same films, and the texts that name them."""

    servers: dict[str, FakeServer]

    @property
    def texts(self) -> list[str]:
        return [f"{kind}={kind}+{server.url}" for kind, server in self.servers.items()]


@pytest.fixture
async def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Home]:
    """Servers of all kinds; their tokens are in the environment."""
    servers: dict[str, FakeServer] = {
        "plex": FakePlex(make_catalogue(20, 2, seed=1), token=TOKEN),
        "jellyfin": FakeJellyfin(make_catalogue(20, 2, seed=1), api_key=TOKEN, base_path="/jellyfin"),
        "emby": FakeEmby(make_catalogue(20, 2, seed=1), api_key=TOKEN),
        "kodi": FakeKodi(make_catalogue(20, 2, seed=1), password=TOKEN),
    }
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("MEDIASYNC_PLEX_TOKEN", TOKEN)
    monkeypatch.setenv("MEDIASYNC_JELLYFIN_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("MEDIASYNC_EMBY_TOKEN", TOKEN)
    monkeypatch.setenv("MEDIASYNC_KODI_USERNAME", "kodi")
    monkeypatch.setenv("MEDIASYNC_KODI_PASSWORD", TOKEN)
    monkeypatch.setenv("MEDIASYNC_CLIENT_ID", "the-client")
    async with AsyncExitStack() as stack:
        for server in servers.values():
            await stack.enter_async_context(server)
        yield Home(servers)


async def test_all_kinds_at_once_and_no_token_anywhere(
    ms: MediaSync, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    running = ms.sync_all(home.texts)
    events = [event async for event in running]
    reports = [result for result in running.results if isinstance(result, SyncReport)]
    assert len(reports) == 4, running.results
    assert {report.run.source_id: report.failed for report in reports} == dict.fromkeys(home.servers, ())
    films = dict(
        await rows(
            ms, "SELECT source_id, count(*) FROM media_items WHERE media_type = 'movie' GROUP BY source_id"
        )  # type: ignore[arg-type]
    )
    assert films == dict.fromkeys(home.servers, 20)
    mixed = "SELECT count(*) AS n FROM media_people m JOIN people p ON p.id = m.person_id "
    mixed += "JOIN media_items i ON i.id = m.media_item_id WHERE p.source_id <> i.source_id"
    assert await value(ms, mixed) == 0
    again = await ms.sync_all(home.texts)
    assert [report.saved for report in again if isinstance(report, SyncReport)] == [0, 0, 0, 0], again
    for text in (repr(await public(ms)), repr(events), repr(running.results), repr(again), caplog.text):
        assert TOKEN not in text
    for server in home.servers.values():
        assert server.requests
        assert not any(TOKEN in request.path or TOKEN in repr(request.query) for request in server.requests)
    assert (await ms.check()).flaws == ()
    of_libraries = await ms.list_library_runs()
    assert {run.library_id.partition(":")[0] for run in of_libraries} == set(home.servers)
    assert all(run.complete and run.unseen == 0 and run.counted == run.seen for run in of_libraries), (
        of_libraries
    )


async def test_the_client_identifier_reaches_the_server(url: str, home: Home) -> None:
    server = home.servers["plex"]
    for given, expected in ((None, "the-client"), ("mine", "mine")):
        server.requests.clear()
        async with MediaSync(url, client_id=given) as ms:
            await ms.sync(f"plex=plex+{server.url}", libraries=["1"])
        assert {request.headers["x-plex-client-identifier"] for request in server.requests} == {expected}


async def test_a_wrong_token_fails_only_its_source(
    ms: MediaSync, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIASYNC_PLEX_TOKEN", "wr0ng")
    plex, *others = await ms.sync_all(home.texts)
    assert type(plex).__name__ == "SourceUnauthorised"
    assert "wr0ng" not in str(plex)
    assert all(isinstance(other, SyncReport) for other in others), others


@pytest.mark.parametrize("kind", ["plex", "jellyfin", "emby", "kodi"])
async def test_one_item_and_one_library_of_each_kind(ms: MediaSync, home: Home, kind: str) -> None:
    text = f"{kind}={kind}+{home.servers[kind].url}"
    [films, _] = (await ms.sync(text)).libraries
    [(film,), *_] = await rows(
        ms,
        "SELECT id FROM media_items WHERE library_id = :library AND media_type = 'movie'",
        library=films.library_id,
    )
    report = await ms.sync(text, items=[film])
    assert (report.run.seen, report.unchanged, report.failed, report.libraries) == (1, 1, (), ())
    report = await ms.sync(text, libraries=[films.library_id], full=True)
    assert [library.library_id for library in report.libraries] == [films.library_id]
    dry = await ms.sync(text, dry_run=True, full=True)
    assert dry.changes == ()
    gone = await ms.sync(text, items=["movie/999999" if kind == "kodi" else "999999"])
    assert (gone.saved, len(gone.failed)) == (0, 1)
    assert (await ms.list_library_runs(kind))[0].run_id == 3


Cast = list[tuple[str, str | None, str, str | None]]


def casts_of(server: FakePlex | FakeJellyfin) -> dict[str, Cast]:
    """Return the people in each item, by the server's key."""
    return {item.remote_id: _cast(item) for item in server.truth().items()}


def _cast(item: MediaItem) -> Cast:
    return [(str(c.person_type), c.person.remote_id, c.person.name, c.role) for c in item.credits or ()]


async def test_a_reader_beside_two_servers_that_hold_the_same_films(
    url: str, engine: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cast that is read belongs to one server, and is complete as of one moment."""
    servers = {
        "plex": FakePlex(make_catalogue(400, 0, seed=1), token=TOKEN),
        "jellyfin": FakeJellyfin(make_catalogue(400, 0, seed=1), api_key=TOKEN),
    }
    for name in servers:
        monkeypatch.setenv(f"MEDIASYNC_{name.upper()}_TOKEN", TOKEN)
    possible: dict[str, list[Cast]] = {}
    seen: Counter[str] = Counter()

    def note_truth() -> None:
        for name, server in servers.items():
            for key, cast in casts_of(server).items():
                possible.setdefault(f"{name}:{key}", []).append(cast)

    async def read_until(done: asyncio.Event, reader: MediaSync) -> None:
        ids, random = sorted(possible), Random(1)
        while not done.is_set():
            for item in await reader.media.find_media_items(random.sample(ids, 10)):
                assert item.id is not None
                assert _cast(item) in possible[item.id], item.id
                seen[item.id.partition(":")[0]] += 1

    async with AsyncExitStack() as stack:
        for server in servers.values():
            await stack.enter_async_context(server)
        ms = await stack.enter_async_context(MediaSync(url, clock=clock))
        reader = ms
        if engine.lasts:
            reader = await stack.enter_async_context(MediaSync(url, read_only=True))
        texts = [f"{name}={name}+{server.url}" for name, server in servers.items()]
        for expected in (400, 40):
            note_truth()
            done = asyncio.Event()
            reading = asyncio.create_task(read_until(done, reader))
            try:
                results = await ms.sync_all(texts)
            finally:
                done.set()
                await reading
            assert [result.saved for result in results if isinstance(result, SyncReport)] == [expected] * 2
            assert seen.keys() == servers.keys()
            seen.clear()
            for server in servers.values():
                for film in server.catalogue.libraries[0].items[::10]:
                    server.catalogue.edit_cast(film.remote_id, list(reversed(film.credits or [])))
        for item_id, casts in possible.items():
            item = await ms.media.get_media_item(item_id)
            assert item is not None
            assert _cast(item) == casts[-1]


def test_a_server_that_is_configured_needs_no_environment() -> None:
    source = SourceConfig.model_validate({"url": "plex+https://h", "token": TOKEN})
    backend = make_backend(source, client_id="mine")
    assert backend.source.id == "plex-h"
    assert TOKEN not in repr(backend)
    with pytest.raises(ConfigurationError, match="client identifier"):
        make_backend(source, client_id="not one")
