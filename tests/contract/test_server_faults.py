"""How the backends of servers handle failing and lying servers: the same tests run over all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
from pydantic import SecretStr
from support.mirror import rows
from support.servers import (
    SERVERS,
    TOKEN,
    Place,
    items,
    lists_movies,
    make_server,
    page_size,
    page_start,
    server_of,
)

from mediasync import MediaSync, Source
from mediasync.backends.base import Enumerated, Finding, NothingStored, Unreadable
from mediasync.backends.jellyfin import EmbyBackend, JellyfinBackend
from mediasync.backends.plex import PlexBackend
from mediasync.errors import (
    ConfigurationError,
    LibraryUnreadable,
    SourceError,
    SourceMismatch,
    SourceUnauthorised,
)
from mediasync.settings.http import HttpOptions
from mediasync.testing import Catalogue, FakeJellyfin, FakeKodi, FakePlex, Fault, Request, make_catalogue

pytestmark = pytest.mark.slow

FILMS = 30


@pytest.fixture
async def mirror() -> AsyncIterator[MediaSync]:
    """A mirror on one engine: the effect of a failing server does not depend on the engine."""
    async with MediaSync("sqlite:///:memory:") as ms:
        yield ms


def catalogue_of(place: Place) -> Catalogue:
    server = server_of(place)
    assert isinstance(server, FakePlex | FakeJellyfin | FakeKodi)
    return server.catalogue


async def names_of(ms: MediaSync) -> set[str]:
    return {str(name) for (name,) in await rows(ms, "SELECT name FROM people")}


async def read_each(place: Place) -> dict[str, list[Finding] | LibraryUnreadable]:
    """Return the findings of each library, or the error that its reading ends in."""
    backend = place.backend()
    found: dict[str, list[Finding] | LibraryUnreadable] = {}
    async with backend.open():
        for library in await backend.fetch_libraries():
            try:
                found[library.kind] = [each async for each in backend.iter_items(library, NothingStored())]
            except LibraryUnreadable as error:
                found[library.kind] = error
    return found


async def films_of(place: Place) -> list[Finding]:
    """Return the findings of the library of films."""
    found = (await read_each(place))["movies"]
    assert isinstance(found, list)
    return found


def end_of(findings: list[Finding]) -> Enumerated:
    [end] = [finding for finding in findings if isinstance(finding, Enumerated)]
    return end


@pytest.mark.parametrize(
    "fault",
    [
        Fault.status(401),
        Fault.busy(1),
        Fault.limit(1),
        Fault.reset(),
        Fault.status(302, {"Location": "http://elsewhere.example/"}),
    ],
    ids=["401", "503", "429", "reset", "redirected"],
)
async def test_a_refused_library_does_not_stop_the_others(
    place: Place, fault: Fault, mirror: MediaSync
) -> None:
    server_of(place).faults = [replace(fault, at=lists_movies(place.kind), times=None)]
    patient = replace(place, options=HttpOptions(backoff=0.001, patience=0.1, tries=2))
    report = await mirror.sync(patient.backend())
    [(_, reason)] = report.failed
    assert "could not be read" in reason
    assert [library.complete for library in report.libraries] == [False, True]
    assert report.saved == 18
    server_of(place).faults = []
    assert (await mirror.sync(place.backend())).saved == FILMS


@pytest.mark.parametrize("status", [500, 502, 504, 522])
async def test_a_failing_server_is_not_mistaken_for_another_kind(place: Place, status: int) -> None:
    server_of(place).faults = [Fault.status(status, times=None)]
    with pytest.raises(SourceError, match=str(status)) as raised:
        async with place.backend().open():
            pass
    assert not isinstance(raised.value, SourceMismatch)
    assert "check the address" not in str(raised.value)


@pytest.mark.parametrize("fault", [Fault.status(500), Fault.status(403), Fault.cut_json(), Fault.empty()])
async def test_a_library_whose_listing_fails_is_named_and_the_others_are_read(
    place: Place, fault: Fault
) -> None:
    fault = Fault(fault.kind, at=lists_movies(place.kind), times=None, code=fault.code)
    server_of(place).faults = [fault]
    found = await read_each(place)
    error, shows = found["movies"], found["shows"]
    assert isinstance(error, LibraryUnreadable)
    title = "Movies" if place.kind == "kodi" else "Films"
    assert f"the library '{title}' (here:" in str(error)
    assert error.library_id.startswith("here:")
    assert {"plex": "/library/sections/", "kodi": "/jsonrpc"}.get(place.kind, "/Items") in str(error)
    assert isinstance(shows, list)
    assert len(items(shows)) > 2
    assert end_of(shows).complete


async def test_pages_get_smaller_where_only_large_ones_fail(place: Place) -> None:
    listed = lists_movies(place.kind)
    server_of(place).faults = [
        Fault.status(500, at=lambda one: listed(one) and page_size(place.kind, one) > 7, times=None)
    ]
    findings = await films_of(place)
    assert len(items(findings)) == FILMS
    assert end_of(findings) == Enumerated(FILMS)


async def test_one_entry_that_breaks_its_pages_loses_only_itself(place: Place) -> None:
    listed = lists_movies(place.kind)

    def holds_the_bad_one(request: Request) -> bool:
        if not listed(request):
            return False
        start = page_start(place.kind, request)
        return start <= 11 < start + page_size(place.kind, request)

    server_of(place).faults = [Fault.cut_json(at=holds_the_bad_one, times=None)]
    findings = await films_of(place)
    assert len(items(findings)) == FILMS - 1
    [bad] = [finding for finding in findings if isinstance(finding, Unreadable)]
    assert "[11]" in bad.remote_id
    assert "it is listed, but cannot be read" in bad.reason
    assert not end_of(findings).complete


@pytest.mark.parametrize("total", [0, 1, FILMS - 1])
async def test_a_total_that_is_too_small_is_not_believed(place: Place, total: int) -> None:
    # As many films as one page of each kind of server holds: the first page is full.
    count = 1_000
    server = make_server(place.kind, make_catalogue(count, 1, credits_each=1, seed=3))
    assert server is not None
    async with server:
        server.faults = [Fault.rewrite(_saying(total), at=lists_movies(place.kind), times=None)]
        findings = await films_of(Place(place.kind, server))
    assert len(items(findings)) == count
    assert not end_of(findings).complete
    assert f"{count} different items came of {total}" in end_of(findings).reason


def _saying(total: int):  # type: ignore[no-untyped-def]
    def change(answer):  # type: ignore[no-untyped-def]
        if "MediaContainer" in answer:
            answer["MediaContainer"]["totalSize"] = total
        elif "TotalRecordCount" in answer:
            answer["TotalRecordCount"] = total
        else:
            answer["result"]["limits"]["total"] = total
        return answer

    return change


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [(b"\xff", "a byte that is not UTF-8"), (b"\x00", "a NUL character")],
    ids=["byte", "NUL"],
)
async def test_a_bad_byte_affects_only_its_item(
    place: Place, ms: MediaSync, spoilt: bytes, words: str
) -> None:
    server_of(place).faults = [
        Fault.damage(lambda body: body.replace(b'"Film 12"', b'"Film' + spoilt + b' 12"'), times=None)
    ]
    report = await ms.sync(place.backend())
    [(item_id, reason)] = report.failed
    assert item_id.startswith("here:")
    assert f"title contains {words}" in reason
    server_of(place).faults = []
    assert report.saved == sum(1 for _ in catalogue_of(place).items()) - 1
    again = await ms.sync(place.backend())
    assert (again.saved, again.failed) == (1, ())


async def test_a_raw_control_character_does_no_harm(place: Place, ms: MediaSync) -> None:
    server_of(place).faults = [
        Fault.damage(lambda body: body.replace(b'"Film 12"', b'"Film\t\x01 12"'), times=None)
    ]
    report = await ms.sync(place.backend())
    assert report.failed == ()
    assert report.saved == sum(1 for _ in catalogue_of(place).items())


async def test_a_bad_byte_in_a_listing_loses_no_item_with_correct_details(ms: MediaSync) -> None:
    server = make_server("plex")
    assert server is not None
    async with server:
        server.faults = [
            Fault.damage(
                lambda body: body.replace(b'"Film 12"', b'"Film\xff 12"'),
                at=lists_movies("plex"),
                times=None,
            )
        ]
        report = await ms.sync(Place("plex", server).backend())
    assert report.failed == ()
    assert report.saved == sum(1 for _ in catalogue_of(Place("plex", server)).items())


@pytest.mark.parametrize("expected", SERVERS)
async def test_another_kind_of_server_is_named(place: Place, expected: str) -> None:
    if expected == place.kind:
        pytest.skip("the right kind")
    server = server_of(place)
    backend = Place(expected, server).backend()
    with pytest.raises(SourceMismatch) as raised:
        async with backend.open():
            pass
    assert f"(write {place.kind}+{server.url}, or kind = " in str(raised.value)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("plex", "X-Plex-Token"), ("jellyfin", "authorization"), ("emby", "x-emby-token"), ("plex", "Accept")],
)
async def test_an_extra_header_never_replaces_the_one_with_the_token(kind: str, name: str) -> None:
    options = HttpOptions(headers={name: SecretStr("other")})
    backends = {"plex": partial(PlexBackend, client_id="test"), "jellyfin": JellyfinBackend}
    make = backends.get(kind, EmbyBackend)
    with pytest.raises(ConfigurationError, match=f"the extra header {name} "):
        make("http://host", source=Source(id="here", kind=kind), token=TOKEN, options=options)


@pytest.mark.parametrize(
    "name", ["Content-Length", "transfer-encoding", "Connection", "content-type", "Content-Encoding"]
)
def test_an_extra_header_never_describes_the_request_itself(place: Place, name: str) -> None:
    """Otherwise it would break every request, and the error would blame the server or its address."""
    bad = Place(place.kind, None, "http://host", HttpOptions(headers={name: SecretStr("3")}))
    with pytest.raises(ConfigurationError, match=f"the extra header {name} describes a request"):
        bad.backend()


async def test_a_refusal_names_the_login_of_the_kind_of_server(place: Place) -> None:
    server_of(place).faults = [Fault.status(401, at=lambda one: one.path != "/identity", times=None)]
    with pytest.raises(SourceUnauthorised) as raised:
        async with place.backend().open():
            pass
    said = str(raised.value)
    assert ("PASSWORD" in said) == (place.kind == "kodi")
    assert ("TOKEN" in said) == (place.kind != "kodi")
    assert "requires secure connections, write https://" in said


@pytest.mark.parametrize("kind", ["jellyfin", "emby"])
async def test_a_spelling_that_differs_only_in_case_is_not_a_renaming(kind: str, ms: MediaSync) -> None:
    server = make_server(kind)
    assert server is not None
    async with server:
        backend = Place(kind, server).backend
        first = await ms.sync(backend())

        def shout(answer):  # type: ignore[no-untyped-def]
            for person in answer["Items"]:
                person["Name"] = person["Name"].upper()
                person["ImageTags"] = {"Primary": "another"}
            return answer

        def lists_persons(request: Request) -> bool:
            return request.path.endswith("/Persons") or request.first("includeItemTypes") == "Person"

        for _ in range(2):
            server.requests.clear()
            server.faults = [Fault.rewrite(shout, at=lists_persons, times=None)]
            report = await ms.sync(backend(), full=False)
            assert (report.saved, report.unchanged) == (0, first.saved)
            assert not [request for request in server.requests if "People" in request.first("fields")]
            assert all(name == name.upper() for name in await names_of(ms))  # the list's spelling, once
