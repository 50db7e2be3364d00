"""What a run that broke off has just read is listed by its keys alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from support.servers import QUICK, Place

from mediasync import Source
from mediasync.backends.base import Backend, Enumerated, Finding, Found, NothingStored, Unchanged
from mediasync.backends.kodi import KodiBackend
from mediasync.testing import FakeKodi, FakePlex, FakeServer, Fault, Request, make_catalogue

FILMS, SHOWS = 100, 5
ALL = FILMS + SHOWS * (1 + 2 + 2 * 6)


@dataclass
class Home:
    """A server whose pages have 20 items, except those of keys alone."""

    kind: str
    server: FakeServer

    def backend(self) -> Backend:
        if self.kind == "kodi":
            source = Source(id="here", kind="kodi")
            return KodiBackend(self.server.url, source=source, options=QUICK, page_size=20)
        return Place(self.kind, self.server).backend()

    def is_brief(self, request: Request) -> bool:
        """Return whether a request lists items by their keys alone."""
        if self.kind == "plex":
            return request.path.endswith("/all") and bool(request.first("excludeElements"))
        asked = request.json()
        return isinstance(asked, dict) and "limits" in asked["params"] and not asked["params"]["properties"]

    async def read(self, just_read: list[str]) -> list[Finding]:
        self.server.requests.clear()
        backend = self.backend()
        found: list[Finding] = []
        async with backend.open():
            for library in await backend.fetch_libraries():
                stored = NothingStored(dict.fromkeys(just_read, "old"), just_read=frozenset(just_read))
                found += [finding async for finding in backend.iter_items(library, stored)]
        return found


@pytest.fixture(params=["plex", "kodi"])
async def home(request: pytest.FixtureRequest) -> AsyncIterator[Home]:
    catalogue = make_catalogue(FILMS, SHOWS, episodes=6, seed=5)
    server: FakeServer = (
        FakePlex(catalogue, token="s3cr3t") if request.param == "plex" else FakeKodi(catalogue)
    )
    async with server:
        yield Home(request.param, server)


def keys(findings: list[Finding], kind: type[Found] | type[Unchanged]) -> list[str]:
    return [
        finding.item.remote_id if isinstance(finding, Found) else finding.remote_id
        for finding in findings
        if isinstance(finding, kind) and isinstance(finding, Found | Unchanged)
    ]


def assert_complete(findings: list[Finding]) -> None:
    ends = [finding for finding in findings if isinstance(finding, Enumerated)]
    assert all(end.complete for end in ends), ends
    assert sum(end.total or 0 for end in ends) == ALL


async def test_items_that_come_first_and_were_just_read_are_not_read_again(home: Home) -> None:
    first = keys(await home.read([]), Found)
    assert not [request for request in home.server.requests if home.is_brief(request)]
    before = len(home.server.requests)
    known = first[:70]
    again = await home.read(known)
    assert keys(again, Unchanged) == known
    assert keys(again, Found) == first[70:]
    assert_complete(again)
    assert [request for request in home.server.requests if home.is_brief(request)]
    assert home.kind == "plex" or len(home.server.requests) < before


async def test_episodes_are_skipped_and_stay_below_their_shows(home: Home) -> None:
    first = await home.read([])
    known = [key for key in keys(first, Found) if key != keys(first, Found)[-1]]
    again = await home.read(known)
    [last] = [one for one in again if isinstance(one, Found) and one.item.remote_id not in known]
    [expected] = [one for one in first if isinstance(one, Found) and one.item == last.item]
    assert last == expected
    assert_complete(again)


async def test_items_behind_new_ones_are_read(home: Home) -> None:
    first = keys(await home.read([]), Found)
    again = await home.read(first[1:50])
    assert set(keys(again, Found)) == set(first)
    assert_complete(again)


async def test_a_server_that_cannot_list_keys_is_read_as_usual(home: Home) -> None:
    first = keys(await home.read([]), Found)
    home.server.faults = [Fault.status(500, at=home.is_brief, times=None)]
    again = await home.read(first[:70])
    assert set(keys(again, Found)) | set(keys(again, Unchanged)) == set(first)
    assert_complete(again)
