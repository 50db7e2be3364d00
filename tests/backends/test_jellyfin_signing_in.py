"""Who answers, and by what a fake Jellyfin lets the backend in."""

from __future__ import annotations

import pytest
from jellyfin_reading import KEY, QUICK, VERSIONS, Memory, jellyfin, read

from mediasync import MediaSync, Source
from mediasync.backends.base import NothingStored
from mediasync.backends.jellyfin import JellyfinBackend
from mediasync.errors import (
    LifecycleError,
    SourceBusy,
    SourceMismatch,
    SourceUnauthorised,
    SourceUnreadable,
    UnknownLibrary,
)
from mediasync.models import Library
from mediasync.testing import FakeServer, Fault, Response, make_catalogue
from mediasync.testing.jellyfin import FakeJellyfin
from mediasync.testing.jellyfin_rows import digest


@pytest.fixture(params=VERSIONS)
async def server(request):
    async with FakeJellyfin(make_catalogue(films=3, shows=1), version=request.param) as running:
        yield running


def posted(server):
    return [request.path for request in server.requests if request.method == "POST"]


async def test_the_header_names_the_token_the_client_and_a_stable_device(server):
    for _ in range(2):
        await read(jellyfin(server.url, client_id="attic 1"))
    (header,) = {request.headers["authorization"] for request in server.requests}
    assert header.startswith(f'MediaBrowser Token="{KEY}", Client="mediasync", Device="mediasync", ')
    assert 'DeviceId="attic%201"' in header
    assert all(KEY not in str(request.query) for request in server.requests)


async def test_the_servers_own_id_and_name(server):
    backend = jellyfin(server.url)
    async with backend.open():
        assert backend.source.server_id == server.server_id
        assert backend.source.name == "fixture"
    named = JellyfinBackend(
        server.url, source=Source(id="jf", kind="jellyfin", name="Den"), token=KEY, options=QUICK
    )
    async with named.open():
        assert named.source.name == "Den"


async def test_signing_in_with_name_and_password_and_out_again(server):
    backend = jellyfin(server.url, token=None, username="admin", password="fixture-password")
    reading = await read(backend)
    assert len(reading.items) == len(list(server.catalogue.items()))
    assert reading.remarks == []
    assert posted(server) == ["/Users/AuthenticateByName", "/Sessions/Logout"]
    assert set(server.tokens) == {KEY}, "the session is over"
    (introduction,) = [r.headers["authorization"] for r in server.requests if "ByName" in r.path]
    assert "Token" not in introduction
    assert len((await read(backend)).items) == len(reading.items), "it can be opened again"


@pytest.mark.parametrize("given", [{"username": "admin", "password": "wrong"}, {"username": "nobody"}])
async def test_a_wrong_password(server, given):
    with pytest.raises(SourceUnauthorised, match="does not accept the user") as raised:
        await read(jellyfin(server.url, token=None, **given))
    assert "wrong" not in str(raised.value).replace("missing, wrong or revoked", "")
    assert posted(server) == ["/Users/AuthenticateByName"]


async def test_signing_in_that_is_answered_without_a_token(server):
    server.faults.append(Fault.empty(at=lambda request: "ByName" in request.path, times=None))
    with pytest.raises(SourceUnreadable, match="without a token"):
        await read(jellyfin(server.url, token=None, username="admin", password="fixture-password"))


async def test_signing_out_that_fails_hides_nothing(server):
    server.faults.append(Fault.status(500, at=lambda request: "Logout" in request.path, times=None))
    reading = await read(jellyfin(server.url, token=None, username="admin", password="fixture-password"))
    assert reading.items
    assert posted(server)[-1] == "/Sessions/Logout"


async def test_a_user_token_is_not_signed_out(server):
    server.tokens["user-token"] = "admin"
    await read(jellyfin(server.url, token="user-token"))
    assert posted(server) == []


async def test_a_user_who_may_not_see_all_folders_is_asked_for_their_own(server):
    server.tokens["user-token"] = "admin"
    server.faults.append(Fault.status(403, at=lambda request: "MediaFolders" in request.path, times=None))
    reading = await read(jellyfin(server.url, token="user-token"))
    assert [library.kind for library in reading.libraries] == ["movies", "shows"]
    views = [request for request in server.requests if request.path == "/UserViews"]
    assert [request.first("userId") for request in views] == [digest("user", "admin")]


async def test_a_token_that_is_not_taken(server):
    with pytest.raises(SourceUnauthorised) as raised:
        await read(jellyfin(server.url, token="no-such-token"))
    assert "no-such-token" not in str(raised.value)
    assert len(server.requests) == 2, "it is not tried again"


async def test_neither_token_nor_user(server):
    with pytest.raises(SourceUnauthorised, match="MEDIASYNC_JF_TOKEN"):
        await read(jellyfin(server.url, token=None))


async def test_nothing_secret_is_shown():
    backend = jellyfin("http://127.0.0.1:1", token="s3cret-token", password="s3cret-password")
    assert "s3cret" not in repr(backend)
    assert "s3cret" not in repr(backend._transport)


async def test_a_key_that_is_revoked_between_two_pages(file_url):
    async with FakeJellyfin(make_catalogue(films=250, shows=0)) as server, MediaSync(file_url) as ms:

        def revoke(request):
            if request.first("startIndex") == "100" and request.first("includeItemTypes") == "Movie":
                server.tokens.clear()

        server.before = revoke
        with pytest.raises(SourceUnauthorised):
            await ms.sync(jellyfin(server.url))
        (run,) = await ms.list_runs()
        assert run.status == "failed"
        server.before = None
        server.tokens[KEY] = ""
        report = await ms.sync(jellyfin(server.url))
        assert (report.run.saved, report.run.failed) == (250, 0)


async def test_a_server_that_is_still_starting_is_waited_for(server):
    server.starting, server.retry_after = 3, "0"
    reading = await read(jellyfin(server.url))
    assert len(reading.items) == len(list(server.catalogue.items()))
    assert ["starting" in remark for remark in reading.remarks] == [True]


async def test_a_server_that_does_not_get_ready(server):
    server.starting = 1_000
    options = QUICK.model_copy(update={"patience": 0.0})
    with pytest.raises(SourceBusy):
        await read(jellyfin(server.url, options=options))


async def test_the_server_may_be_below_a_path():
    catalogue = make_catalogue(films=2, shows=0)
    async with FakeJellyfin(catalogue, base_path="/jellyfin") as server:
        assert server.url.endswith("/jellyfin")
        assert len((await read(jellyfin(f"{server.url}/"))).items) == 2
        with pytest.raises(SourceMismatch, match="not Jellyfin"):
            await read(jellyfin(server.url.removesuffix("/jellyfin")))


class Other(FakeServer):
    """A server of another kind."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    async def handle(self, _request):
        return Response.json(self.answer)


@pytest.mark.parametrize(
    "answer",
    [
        {"Id": "1", "ServerName": "den", "Version": "4.9.1"},
        {"Id": "1", "ProductName": "Emby Server"},
        {"ProductName": "Jellyfin Server"},
        {},
        ["Jellyfin"],
    ],
)
async def test_what_is_no_jellyfin(answer):
    async with Other(answer) as server:
        with pytest.raises(SourceMismatch, match="what answers"):
            await read(jellyfin(server.url))


async def test_a_page_in_html(server):
    server.faults.append(Fault.html(times=None))
    with pytest.raises(SourceMismatch):
        await read(jellyfin(server.url))


async def test_the_backend_must_be_open(server):
    backend = jellyfin(server.url)
    with pytest.raises(LifecycleError):
        await backend.fetch_libraries()
    async with backend.open():
        (library, _) = await backend.fetch_libraries()
    with pytest.raises(LifecycleError):
        await anext(backend.iter_items(library, NothingStored()))


async def test_a_library_that_is_not_there(server):
    backend = jellyfin(server.url)
    async with backend.open():
        with pytest.raises(UnknownLibrary):
            await anext(backend.iter_items(Library(id="no", source_id="jf", kind="movies"), Memory()))


async def test_two_versions_hold_the_same(file_url):
    catalogue = make_catalogue(films=5, shows=1)
    read_items = []
    for version in VERSIONS:
        async with FakeJellyfin(catalogue, version=version) as server:
            read_items.append((await read(jellyfin(server.url))).items)
    assert read_items[0] == read_items[1]
