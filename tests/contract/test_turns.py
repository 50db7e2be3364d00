"""Every item is read again once in some days, a part of them in each sync, although their tokens agree."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from support.items import movie
from support.mirror import Clock, refuse, value, write
from support.servers import SERVERS, Place, make_server

from mediasync import Library, MediaSync, Source, SourceConfig
from mediasync.backends.base import Backend, Enumerated, Finding, Found, Stored, Unreadable
from mediasync.backends.nfo import NfoBackend
from mediasync.errors import ConfigurationError, DatabaseError, SourceUnreadable
from mediasync.testing import FakeBackend, FakeServer, make_catalogue

DAY = 86_400_000
KEYS = [f"m{number}" for number in range(200)]


def films(*more: object) -> FakeBackend:
    return FakeBackend(
        {"l1": [*(movie(key, change_token="t") for key in KEYS), *more, Enumerated(len(KEYS))]}
    )


async def due(ms: MediaSync, **options: object) -> set[str]:
    """Sync, and return the keys of the items that were to be read although they had not changed."""
    backend = films()
    await ms.sync(backend, **options)  # type: ignore[arg-type]
    return {key for key, token in backend.tokens["l1"].items() if not token}


async def test_each_item_has_one_turn_in_seven_days_however_often_syncs_run(
    ms: MediaSync, clock: Clock
) -> None:
    assert await due(ms) == set(), "the first sync reads everything anyway"
    assert await due(ms) == set()
    turns: Counter[str] = Counter()
    for step in (0.5, 0.5, 0.01, 0.99, 2, 1, 1, 0.25, 0.75):
        clock.tick(round(step * DAY))
        share = await due(ms)
        assert abs(len(share) - step * len(KEYS) / 7) < 20
        turns.update(share)
    assert turns == dict.fromkeys(KEYS, 1)


async def test_after_a_longer_time_all_items_have_their_turn_at_once(ms: MediaSync, clock: Clock) -> None:
    await due(ms)
    clock.tick(8 * DAY)
    assert await due(ms) == set(KEYS)
    assert await due(ms) == set()


async def test_an_upgraded_database_begins_with_the_first_night(ms: MediaSync, clock: Clock) -> None:
    await due(ms)
    await write(ms, "UPDATE source SET compared_at = NULL")
    clock.tick(30 * DAY)
    assert await due(ms) == set()
    clock.tick(DAY)
    assert 0 < len(await due(ms)) < len(KEYS) / 3


async def test_a_clock_that_was_set_back_delays_no_turn(ms: MediaSync, clock: Clock) -> None:
    await due(ms)
    clock.tick(-300 * DAY)
    assert await due(ms) == set()
    clock.tick(7 * DAY)
    assert await due(ms) == set(KEYS)


@pytest.mark.parametrize("options", [{"libraries": ["l1"]}, {"items": ["m1"]}], ids=["library", "item"])
async def test_a_selection_takes_no_turn(ms: MediaSync, clock: Clock, options: dict[str, list[str]]) -> None:
    await due(ms)
    clock.tick(DAY)
    assert await due(ms, **options) == set(options.get("items", ()))
    assert await due(ms) != set()


async def test_a_dry_run_takes_a_turn_away_from_nobody(ms: MediaSync, clock: Clock) -> None:
    await due(ms)
    clock.tick(DAY)
    share = await due(ms, dry_run=True)
    assert share
    assert await due(ms) == share


async def test_a_full_sync_counts_as_a_turn_of_all(ms: MediaSync, clock: Clock) -> None:
    await due(ms)
    clock.tick(6 * DAY)
    assert await due(ms, full=True) == set(KEYS)
    assert await due(ms) == set()


async def test_the_turns_of_a_run_that_failed_are_taken_by_the_next(ms: MediaSync, clock: Clock) -> None:
    await due(ms)
    clock.tick(DAY)
    backend = films(SourceUnreadable("fake", "cut off"))
    with pytest.raises(SourceUnreadable):
        await ms.sync(backend)
    failed = {key for key, token in backend.tokens["l1"].items() if not token}
    clock.tick(DAY)
    assert failed < await due(ms)


async def test_an_item_that_fails_does_not_hold_up_the_others(ms: MediaSync, clock: Clock) -> None:
    await due(ms)
    for _ in range(20):
        clock.tick(DAY)
        backend = films(Unreadable("broken", "it is broken"))
        await ms.sync(backend)
        assert [*backend.tokens["l1"].values()].count("") < len(KEYS) / 3


async def test_the_hand_moves_with_the_run_or_not_at_all(ms: MediaSync, clock: Clock) -> None:
    await due(ms)
    clock.tick(DAY)
    await refuse(ms, "UPDATE ON sync_run", when="NEW.status = 'succeeded'", at_commit=True)
    with pytest.raises(DatabaseError):
        await due(ms)
    assert await value(ms, "SELECT compared_at FROM source WHERE id = 'fake'") == clock.now - DAY


async def test_an_item_of_two_libraries_has_one_turn(ms: MediaSync, clock: Clock) -> None:
    both = [*(movie(key, change_token="t") for key in KEYS), Enumerated(len(KEYS))]
    await ms.sync(FakeBackend({"l1": both, "l2": both}))
    clock.tick(DAY)
    backend = FakeBackend({"l1": both, "l2": both})
    await ms.sync(backend)
    assert [token for token in backend.tokens["l1"].values() if not token]
    assert [token for token in backend.tokens["l2"].values() if not token] == []


@dataclass
class Watched:
    """A backend that is watched: which items it has read.

    Attributes:
        backend: reads the source.
        read: the keys of the items that were read, not found unchanged.
    """

    backend: Backend
    read: list[str] = field(default_factory=list)

    @property
    def source(self) -> Source:
        return self.backend.source

    def open(self) -> AbstractAsyncContextManager[None]:
        return self.backend.open()

    async def fetch_libraries(self) -> list[Library]:
        return await self.backend.fetch_libraries()

    async def iter_items(
        self, library: Library, stored: Stored, *, only: Collection[str] | None = None
    ) -> AsyncGenerator[Finding, None]:
        async with aclosing(self.backend.iter_items(library, stored, only=only)) as findings:
            async for finding in findings:
                if isinstance(finding, Found):
                    self.read.append(finding.item.remote_id)
                yield finding


@dataclass
class Home:
    """A source of 120 films and a show, and a way to change a film without its change token."""

    kind: str
    server: FakeServer | None
    folder: Path

    def backend(self) -> Watched:
        if self.server is None:
            return Watched(NfoBackend(self.folder, source=Source(id="here", kind="nfo"), processes=0))
        return Watched(Place(self.kind, self.server).backend())

    def change(self) -> str:
        """Change the last actor of "Film 33", whom no listing names, and return the name of the new one."""
        if self.server is None:
            path = self.folder / "movies" / "Film 33" / "movie.nfo"
            state = path.stat()
            path.write_text(path.read_text().replace("Ada One", "Eva Two"))
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
            return "Eva Two"
        catalogue = self.server.catalogue  # type: ignore[attr-defined]
        film = catalogue.titled("Film 33")
        person = catalogue.new_person("Eva Two")
        last = max(n for n, credit in enumerate(film.credits) if credit.person_type == "actor")
        film.credits[last] = film.credits[last].model_copy(update={"person": person})
        catalogue.now += timedelta(minutes=1)
        return "Eva Two"


@pytest.fixture(params=[*SERVERS, "nfo"])
async def home(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Home]:
    server = make_server(request.param, make_catalogue(120, 1, credits_each=9, seed=7))
    for number in range(1, 121):
        folder = tmp_path / "movies" / f"Film {number}"
        folder.mkdir(parents=True)
        cast = "<actor><name>Ada One</name></actor>"
        (folder / "movie.nfo").write_text(f"<movie><title>Film {number}</title>{cast}</movie>")
    show = tmp_path / "shows" / "Show"
    (show / "Season 1").mkdir(parents=True)
    (show / "tvshow.nfo").write_text("<tvshow><title>Show</title></tvshow>")
    for number in (1, 2, 3):
        about = f"<title>{number}</title><season>1</season><episode>{number}</episode>"
        (show / "Season 1" / f"Show S01E0{number}.nfo").write_text(
            f"<episodedetails>{about}</episodedetails>"
        )
    async with server or nullcontext():
        yield Home(request.param, server, tmp_path)


async def names(ms: MediaSync) -> set[str]:
    """Return the people whom the mirror credits in "Film 33"."""
    [film] = [item for item in await ms.media.find_by_title("Film 33") if item.title == "Film 33"]
    return {each.person.name for each in (*film.cast, *film.crew)}


async def test_every_backend_reads_each_item_once_in_seven_days(
    ms: MediaSync, clock: Clock, home: Home
) -> None:
    first = home.backend()
    await ms.sync(first)
    requests = len(home.server.requests) if home.server else 0
    turns: Counter[str] = Counter()
    for _ in range(14):
        clock.tick(DAY // 2)
        backend = home.backend()
        if home.server:
            home.server.requests.clear()
        report = await ms.sync(backend)
        assert (report.saved, report.failed) == (0, ())
        assert len(backend.read) < len(first.read) / 4
        assert home.server is None or len(home.server.requests) <= requests + 4
        turns.update(backend.read)
    assert turns == dict.fromkeys(first.read, 1)


async def test_a_change_that_no_token_shows_is_found_in_its_turn(
    ms: MediaSync, clock: Clock, home: Home
) -> None:
    if home.kind == "kodi":
        pytest.skip("its change token is a fingerprint of the whole item")
    await ms.sync(home.backend())
    name = home.change()
    await ms.sync(home.backend())
    found = [name in await names(ms)]
    for _ in range(7):
        clock.tick(DAY)
        await ms.sync(home.backend())
        found.append(name in await names(ms))
    assert found == sorted(found)
    assert (found[0], found[-1]) == (False, True)


async def test_what_another_program_changed_in_the_mirror_is_put_right_in_its_turn(
    ms: MediaSync, clock: Clock, home: Home
) -> None:
    await ms.sync(home.backend())
    [film] = [item for item in await ms.media.find_by_title("Film 33") if item.title == "Film 33"]
    wrong = film.model_copy(update={"overview": "not what the source says"})
    await ms.media.save_media_item(wrong, library_id=film.library_id or "", source_id="here")
    overviews = []
    for _ in range(7):
        clock.tick(DAY)
        await ms.sync(home.backend())
        overviews.append((await ms.media.get_media_item(film.id or "")).overview)
    assert overviews[-1] == film.overview
    assert overviews == sorted(overviews, key=lambda text: text == film.overview)


async def test_a_damaged_file_does_not_replace_what_is_stored_because_it_has_its_turn(
    ms: MediaSync, clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "movies" / "Heat" / "movie.nfo"
    path.parent.mkdir(parents=True)
    path.write_text("<movie><title>Heat</title><plot>A thief.</plot></movie>")
    state = path.stat()
    source = Source(id="here", kind="nfo")
    await ms.sync(NfoBackend(tmp_path, source=source))
    path.write_text(path.read_text()[: state.st_size // 2].ljust(state.st_size))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    clock.tick(7 * DAY)
    report = await ms.sync(NfoBackend(tmp_path, source=source))
    assert len(report.failed) == 1
    [film] = await ms.media.find_by_title("Heat")
    assert film.overview == "A thief."


@pytest.mark.parametrize(
    ("days", "share"), [(1, 1.0), (2, 0.5), ("never", 0.0), (math.inf, 0.0)], ids=["1", "2", "never", "inf"]
)
async def test_each_source_has_its_own_number_of_days(
    ms: MediaSync, clock: Clock, tmp_path: Path, days: float | str, share: float
) -> None:
    for number in range(100):
        folder = tmp_path / "movies" / f"Film {number}"
        folder.mkdir(parents=True)
        (folder / "movie.nfo").write_text(f"<movie><title>Film {number}</title></movie>")
    config = SourceConfig.model_validate({"id": "here", "folder": tmp_path, "compare_days": days})
    await ms.sync(config)
    for path in tmp_path.rglob("*.nfo"):
        state = path.stat()
        path.write_text(path.read_text().replace("Film", "Kino"))
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    clock.tick(DAY)
    saved = (await ms.sync(config)).saved
    assert abs(saved - 100 * share) <= (20 if 0 < share < 1 else 0)


@pytest.mark.parametrize("days", [0, -1, math.nan, "weekly"])
def test_days_must_be_more_than_none(tmp_path: Path, days: float | str) -> None:
    with pytest.raises((ValueError, ConfigurationError)):
        SourceConfig.model_validate({"folder": tmp_path, "compare_days": days})
