"""Whole syncs from a fake Plex: the first, an unchanged and a changed one, and what they cost."""

import importlib.metadata
import time
from datetime import UTC, datetime

import pytest
from findings import IMPATIENT, ends, found_items, read, unchanged, unreadable
from plex_syncing import TOKEN, asked_keys, assert_stored, cast_of, is_details, is_listing, make_backend

from mediasync import Credit, MediaSync, Movie
from mediasync.backends.base import Found, NothingStored, Remark
from mediasync.errors import (
    LifecycleError,
    RequestRefused,
    SourceMismatch,
    SourceUnauthorised,
    UnknownLibrary,
)
from mediasync.models import Library
from mediasync.testing import Fault, make_catalogue
from mediasync.testing.plex import FakePlex


@pytest.fixture
async def server():
    async with FakePlex(make_catalogue(films=5, shows=2, hard=True), token=TOKEN) as fake:
        yield fake


@pytest.fixture
async def mirror(file_url):
    async with MediaSync(file_url) as ms:
        yield ms


async def test_a_first_sync(server, mirror):
    report = await mirror.sync(make_backend(server))
    truth = server.truth()
    total = len(list(truth.items()))
    assert (report.run.seen, report.saved, report.failed, report.problems) == (total, total, (), ())
    assert report.remarks == ()
    await assert_stored(mirror, truth.items())
    source = await mirror.media.find_source("home")
    assert (source.server_id, source.name) == ("3f1c2a97b05d4f6e", "Fake Plex")


async def test_an_unchanged_library_is_listed_and_nothing_else(server, mirror):
    first = await mirror.sync(make_backend(server))
    server.requests.clear()
    report = await mirror.sync(make_backend(server))
    assert (report.saved, report.unchanged) == (0, first.saved)
    assert asked_keys(server.requests) == []


async def test_a_changed_library(server, mirror):
    await mirror.sync(make_backend(server))
    server.requests.clear()
    catalogue = server.catalogue
    matrix = catalogue.item("1")
    catalogue.edit_cast(
        "1", [*matrix.credits[1:], Credit(person=catalogue.new_person("New"), person_type="actor")]
    )
    catalogue.edit_cast("2", [])
    catalogue.item("3").title = "Another title"
    catalogue.touch(catalogue.item("3"))
    added = catalogue.add("1", Movie(remote_id=catalogue.new_key(), title="Added", credits=matrix.credits))
    catalogue.remove("4")
    report = await mirror.sync(make_backend(server))
    assert report.saved == 4
    assert report.failed == ()
    assert sorted(asked_keys(server.requests)) == sorted(["1", "2", "3", added.remote_id])
    await assert_stored(mirror, server.truth().items())


async def test_everything_is_read_again_when_asked_to(server, mirror):
    first = await mirror.sync(make_backend(server))
    person = next(iter(server.catalogue.people()))
    server.catalogue.rename_person(person, "Renamed")
    server.requests.clear()
    report = await mirror.sync(make_backend(server), full=True)
    assert len(asked_keys(server.requests)) == first.saved
    assert report.saved == 1  # the person's name is the person's: one item brought it
    await assert_stored(mirror, server.truth().items())


@pytest.mark.parametrize(
    "options", [{"old": True}, {"tag_keys": ["Role"]}, {"tag_keys": []}, {"page_limit": 3}]
)
async def test_other_servers(mirror, options):
    async with FakePlex(make_catalogue(films=4, shows=1, hard=True), token=TOKEN, **options) as server:
        assert (await mirror.sync(make_backend(server))).failed == ()
        await assert_stored(mirror, server.truth().items())
        assert (await mirror.sync(make_backend(server))).saved == 0


async def test_a_person_of_several_lists_is_one_where_there_is_a_tag_key(server, mirror):
    await mirror.sync(make_backend(server))
    item = server.catalogue.titled("An actor who also directs, writes and produces")
    stored = await mirror.media.get_media_item(f"home:{item.remote_id}")
    assert len(stored.credits) == 4
    assert len({credit.person.id for credit in stored.credits}) == 1


async def test_every_request_says_who_asks_and_no_address_holds_the_token(server, mirror):
    backend = make_backend(server)
    await mirror.sync(backend)
    assert server.requests
    for request in server.requests:
        assert TOKEN not in f"{request.path}{request.query}"
        assert request.headers["x-plex-token"] == TOKEN
        assert request.headers["x-plex-client-identifier"] == "test-client"
        assert request.headers["x-plex-product"] == "mediasync"
        assert request.headers["x-plex-version"]
        assert request.headers["accept"] == "application/json"
    assert TOKEN not in repr(backend)


async def test_the_version_of_a_program_that_is_not_installed(server, monkeypatch):
    def not_installed(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", not_installed)
    async with make_backend(server).open():
        assert server.requests[0].headers["x-plex-version"] == "0"


async def test_below_a_path_of_a_proxy():
    async with FakePlex(make_catalogue(films=2, shows=0), token=TOKEN, base_path="/plex") as server:
        assert len(found_items(await read(make_backend(server)))) == 2


async def test_only_libraries_of_films_and_shows(server):
    backend = make_backend(server, name="My Plex")
    async with backend.open():
        libraries = await backend.fetch_libraries()
    assert [(library.id, library.title, library.kind) for library in libraries] == [
        ("1", "Films", "movies"),
        ("2", "TV Shows", "shows"),
    ]
    assert backend.source.name == "My Plex"
    assert [request.path for request in server.requests] == ["/identity", "/library/sections"]


async def test_a_name_is_not_worth_failing_for(server):
    server.faults.append(Fault.status(401, at=lambda request: request.path == "/"))
    backend = make_backend(server)
    async with backend.open():
        assert (backend.source.name, backend.source.server_id) == ("", "3f1c2a97b05d4f6e")


async def test_listings_are_sorted_and_details_asked_for_what_is_needed(server):
    await read(make_backend(server))
    listings = [request for request in server.requests if is_listing(request)]
    assert {request.first("sort") for request in listings} == {"id"}
    assert {request.headers["x-plex-container-size"] for request in listings} == {"500"}
    for request in filter(is_details, server.requests):
        assert request.first("skipRefresh") == "1"
        assert "Media" in request.first("excludeElements").split(",")


async def test_parents_come_before_what_is_in_them(server):
    seen = set()
    for finding in await read(make_backend(server)):
        if isinstance(finding, Found):
            parent = getattr(finding.item, "parent_remote_id", None)
            assert parent is None or parent in seen
            seen.add(finding.item.remote_id)


@pytest.mark.slow
async def test_the_requests_for_ten_thousand_films():
    catalogue = make_catalogue(films=10_000, shows=0, credits_each=2)
    del catalogue.libraries[1]
    async with FakePlex(catalogue, token=TOKEN) as server:
        findings = await read(make_backend(server))
        items = found_items(findings)
        assert len(items) == 10_000
        assert len(server.requests) <= 80
        assert server.most_at_once <= 3
        server.requests.clear()
        tokens = {key: item.change_token for key, item in items.items()}
        findings = await read(make_backend(server), tokens)
        assert len(unchanged(findings)) == 10_000
        assert len(server.requests) <= 25


async def test_long_keys_do_not_make_a_long_address():
    catalogue = make_catalogue(films=300, shows=0, credits_each=1)
    for item in catalogue.items():
        item.remote_id = f"9000000000000000000000{int(item.remote_id):08}"
    async with FakePlex(catalogue, token=TOKEN, longest_url=4000) as server:
        assert len(found_items(await read(make_backend(server)))) == 300


class TestOnly:
    """Some items alone."""

    async def read(self, server, library, only, tokens):
        findings = []
        backend = make_backend(server)
        async with backend.open():
            libraries = {found.id: found for found in await backend.fetch_libraries()}
            async for finding in backend.iter_items(libraries[library], NothingStored(tokens), only=only):
                findings.append(finding)
        return findings

    async def test_they_are_read_without_a_listing(self, server):
        every = found_items(await read(make_backend(server)))
        tokens = {key: item.change_token for key, item in every.items()}
        server.requests.clear()
        findings = await self.read(server, "1", {"1", "3"}, tokens)
        found = found_items(findings)
        assert found.keys() == {"1", "3"}
        for key, item in found.items():  # a change token is made of the listing
            assert item.model_copy(update={"change_token": every[key].change_token}) == every[key]
        assert not ends(findings)[0].complete
        assert not any(map(is_listing, server.requests))

    async def test_what_is_in_another_library_is_left_out(self, server):
        show, season, episode = (item.remote_id for item in server.catalogue.library("2").items[:3])
        only = {episode, season, show, "1"}
        assert list(found_items(await self.read(server, "2", only, {}))) == [show, season, episode]
        assert list(found_items(await self.read(server, "1", only, {}))) == ["1"]

    async def test_a_stored_item_that_is_not_answered_is_reported(self, server):
        findings = await self.read(server, "1", {"77777", "88888", "a/b"}, {"77777": "1:1:x"})
        assert list(unreadable(findings)) == ["77777"]
        assert found_items(findings) == {}

    async def test_asking_for_no_items_finds_none(self, server):
        findings = await self.read(server, "1", set(), {})
        assert findings == ends(findings)

    async def test_an_item_that_cannot_be_read(self, server):
        def without_title(answer):
            del answer["MediaContainer"]["Metadata"][0]["title"]
            return answer

        server.faults.append(Fault.rewrite(without_title, at=is_details))
        findings = await self.read(server, "1", {"1"}, {})
        assert unreadable(findings) == {"1": "it has no title"}


async def test_an_item_that_changed_just_now_is_read_again(server):
    server.catalogue.item("1").changed_at = datetime.fromtimestamp(time.time(), UTC)
    items = found_items(await read(make_backend(server)))
    assert items["1"].change_token is None
    assert items["2"].change_token
    server.catalogue.item("2").changed_at = None
    assert found_items(await read(make_backend(server)))["2"].change_token is None


async def test_nobody_is_not_believed_while_a_library_is_refreshed(server, mirror):
    await mirror.sync(make_backend(server))
    before = cast_of(await mirror.media.get_media_item("home:1"))
    people = server.catalogue.item("1").credits
    server.catalogue.edit_cast("1", [])
    server.refreshing.add("1")
    report = await mirror.sync(make_backend(server))
    assert "its library was being refreshed" in dict(report.problems)["home:1"]
    assert cast_of(await mirror.media.get_media_item("home:1")) == before
    server.refreshing.clear()
    await mirror.sync(make_backend(server))
    assert cast_of(await mirror.media.get_media_item("home:1")) == []
    server.catalogue.edit_cast("1", people)
    await mirror.sync(make_backend(server))
    assert cast_of(await mirror.media.get_media_item("home:1")) == before


async def test_nobody_is_not_believed_when_a_refresh_begins_later(server, mirror):
    await mirror.sync(make_backend(server))
    before = cast_of(await mirror.media.get_media_item("home:1"))
    server.catalogue.edit_cast("1", [])

    def begin(answer):
        server.refreshing.add("1")
        return answer

    server.faults = [Fault.rewrite(begin, at=lambda request: request.path.endswith("/all"))]
    report = await mirror.sync(make_backend(server))
    assert "its library was being refreshed" in dict(report.problems)["home:1"]
    assert cast_of(await mirror.media.get_media_item("home:1")) == before


async def test_nobody_is_not_believed_of_what_changed_just_now(server, mirror):
    await mirror.sync(make_backend(server))
    before = cast_of(await mirror.media.get_media_item("home:1"))
    server.catalogue.edit_cast("1", [])
    server.catalogue.item("1").changed_at = datetime.fromtimestamp(time.time(), UTC)
    report = await mirror.sync(make_backend(server))
    assert "within the last minute" in dict(report.problems)["home:1"]
    assert cast_of(await mirror.media.get_media_item("home:1")) == before


async def test_an_item_asked_for_by_a_key_with_a_line_end(server, mirror):
    await mirror.sync(make_backend(server))
    items = found_items(await read(make_backend(server), only={"1\n"}))
    assert set(items) <= {"1"}


async def test_an_episode_without_a_season_belongs_to_its_show(server):
    episode = next(item for item in server.catalogue.library("2").items if item.media_type == "episode")
    season = server.catalogue.item(episode.parent_remote_id)
    episode.parent_remote_id = season.parent_remote_id
    item = found_items(await read(make_backend(server)))[episode.remote_id]
    assert item.parent_remote_id == season.parent_remote_id


async def test_a_season_that_is_not_listed(server, mirror):
    def without_seasons(answer):
        answer["MediaContainer"] |= {"Metadata": [], "size": 0, "totalSize": 0}
        return answer

    hide = Fault.rewrite(without_seasons, at=lambda request: request.first("type") == "3", times=None)
    server.faults.append(hide)
    assert (await mirror.sync(make_backend(server))).failed == ()
    episode = next(item for item in server.catalogue.library("2").items if item.media_type == "episode")
    season = server.catalogue.item(episode.parent_remote_id)
    stored = await mirror.media.get_media_item(f"home:{episode.remote_id}")
    assert stored.parent_id == f"home:{season.parent_remote_id}"
    server.faults.clear()
    assert (await mirror.sync(make_backend(server))).failed == ()
    await assert_stored(mirror, server.truth().items())


class TestOpening:
    """What is checked before anything is read."""

    async def test_a_wrong_token(self, server):
        with pytest.raises(SourceUnauthorised) as raised:
            async with make_backend(server, token="Wrong-9876").open():
                pass
        assert "Wrong-9876" not in str(raised.value)

    async def test_no_token(self, server):
        with pytest.raises(SourceUnauthorised):
            async with make_backend(server, token=None).open():
                pass
        assert "x-plex-token" not in server.requests[0].headers

    @pytest.mark.parametrize(
        "fault",
        [
            Fault.status(404),
            Fault.html(),
            Fault.empty(),
            Fault.rewrite(lambda _: {"MediaContainer": {"size": 0}}),
            Fault.rewrite(lambda _: {"_elementType": "MediaContainer", "_children": []}),
        ],
        ids=["404", "html", "empty", "no id", "ancient"],
    )
    async def test_what_is_no_plex(self, server, fault):
        fault.met = 0
        server.faults.append(fault)
        with pytest.raises(SourceMismatch, match="does not answer like a Plex Media Server"):
            async with make_backend(server, options=IMPATIENT).open():
                pass

    async def test_a_server_that_fails_is_no_other_server(self, server):
        server.faults.append(Fault.status(500, times=None))
        with pytest.raises(RequestRefused):
            async with make_backend(server, options=IMPATIENT).open():
                pass

    async def test_a_backend_that_is_not_open(self, server):
        with pytest.raises(LifecycleError):
            await make_backend(server).fetch_libraries()

    async def test_a_library_that_is_not_there(self, server):
        backend = make_backend(server)
        library = Library(id="77", source_id="home", kind="movies")
        async with backend.open():
            with pytest.raises(UnknownLibrary, match="'77'"):
                await anext(backend.iter_items(library, NothingStored()))

    async def test_a_server_that_starts_is_waited_for_and_reported(self, server):
        server.faults.append(Fault.busy(0, times=2))
        findings = await read(make_backend(server))
        assert [finding.subject for finding in findings if isinstance(finding, Remark)] == ["home"]
        assert len(found_items(findings)) == len(list(server.catalogue.items()))


@pytest.mark.parametrize(
    "change",
    [
        lambda film: film.genres.append("Noir"),
        lambda film: film.images.update(poster="/other"),
        lambda film: setattr(film, "overview", "Another text"),
        lambda film: setattr(film, "content_rating", "X"),
        lambda film: setattr(film, "sort_title", "Zz"),
    ],
)
async def test_a_changed_field_of_the_listing_is_seen_though_the_time_of_change_stays(file_url, change):
    catalogue = make_catalogue(films=3, shows=0)
    catalogue.titled("Film 2").genres = ["Drama"]
    async with FakePlex(catalogue, token=TOKEN) as server, MediaSync(file_url) as ms:
        await ms.sync(make_backend(server))
        moved = catalogue.titled("Film 2").changed_at
        change(catalogue.titled("Film 2"))
        assert catalogue.titled("Film 2").changed_at == moved
        report = await ms.sync(make_backend(server))
        assert (report.saved, report.unchanged) in {(1, 2), (0, 3)}
        await assert_stored(ms, server.truth().items())
        assert (await ms.sync(make_backend(server))).saved == 0
