"""A later sync of a Jellyfin asks only for people who were saved since the last one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from jellyfin_reading import VERSIONS, Memory, emby, jellyfin, of_type, read

from mediasync import Credit, MediaSync, Movie, Person
from mediasync.backends.base import Watermark
from mediasync.backends.jellyfin.watermark import SavedWatermark
from mediasync.testing import FakeEmby, Fault, Request, Response, make_catalogue
from mediasync.testing.jellyfin import FakeJellyfin

DAY = timedelta(days=1)


@pytest.fixture(params=VERSIONS)
async def server(request):
    async with FakeJellyfin(make_catalogue(films=30, shows=3, hard=True), version=request.param) as running:
        yield running


@pytest.fixture
async def memory(server):
    """A mirror of the server as it was a day ago."""
    stored = Memory()
    await read(jellyfin(server.url), stored)
    server.catalogue.now += DAY
    server.requests.clear()
    return stored


def since(server):
    """Return since when people were asked for; empty where it was for all of them."""
    return {request.first("minDateLastSaved") for request in of_type(server.requests, "Person")}


async def test_who_was_not_saved_since_is_not_listed(server, memory):
    reading = await read(jellyfin(server.url), memory)
    assert since(server) == {"2023-12-31T23:00:00Z"}, "an hour before the last sync"
    assert (reading.items, reading.people, reading.remarks) == ({}, {}, [])
    server.catalogue.now += DAY
    server.requests.clear()
    await read(jellyfin(server.url), memory)
    assert since(server) == {"2024-01-01T23:00:00Z"}
    (asked, *more) = of_type(server.requests, "Person")
    assert not more
    assert asked.first("startIndex") == "0"


async def test_what_changed_of_people_is_seen(server, memory):
    people = [credit.person for credit in server.catalogue.titled("Film 1").credits[:3]]
    server.catalogue.rename_person(people[0].remote_id, "Renamed Player")
    server.catalogue.set_picture(people[1].remote_id, "new.jpg")
    people[2].provider_ids = {"tmdb": "501"}
    rows = [server.person_row(person) for person in people]
    reading = await read(jellyfin(server.url), memory)
    assert since(server) == {"2023-12-31T23:00:00Z"}
    assert set(reading.people) == {row.id for row in rows}
    assert reading.people[rows[0].id].name == "Renamed Player"
    assert reading.people[rows[1].id].image_path.endswith(rows[1].tag)
    assert reading.people[rows[2].id].provider_ids == {"tmdb": "501"}
    credited = {server.item_id(item.remote_id) for item in server.catalogue.credited(people[0].remote_id)}
    assert set(reading.items) == credited


async def test_the_provider_ids_of_people_that_the_server_knew_before(server, memory):
    """Somebody of another library, or whom nothing that is mirrored credited."""
    known = Person(remote_id="9999999", name="Known Before", provider_ids={"imdb": "nm0000123"})
    row = server.person_row(known)
    row.save(server.catalogue.now - 30 * DAY)
    stored = server.catalogue.titled("Film 1").credits[0].person
    film = Movie(remote_id=server.catalogue.new_key(), title="New Film")
    film.credits = [
        Credit(person=known, person_type="actor", role="One"),
        Credit(person=known, person_type="director"),
        Credit(person=stored, person_type="actor"),
    ]
    server.catalogue.add("1", film)
    reading = await read(jellyfin(server.url), memory)
    (found,) = reading.items.values()
    assert {credit.person.name: credit.person.provider_ids for credit in found.credits} == {
        "Known Before": {"imdb": "nm0000123"},
        stored.name: {},
    }
    asked = [request for request in server.requests if request.first("fields") == "ProviderIds"]
    assert [request.first("ids") for request in asked if request.first("ids")] == [row.id]
    server.requests.clear()
    assert (await read(jellyfin(server.url), memory)).items == {}
    assert not any(request.first("ids") for request in server.requests)


async def test_people_who_cannot_be_listed_are_reported(server, memory):
    known = Person(remote_id="9999999", name="Known Before", provider_ids={"imdb": "nm0000123"})
    row = server.person_row(known)
    row.save(server.catalogue.now - 30 * DAY)
    server.broken.add(row.id)
    film = Movie(remote_id=server.catalogue.new_key(), title="New Film")
    film.credits = [Credit(person=known, person_type="actor")]
    server.catalogue.add("1", film)
    reading = await read(jellyfin(server.url), memory)
    assert [credit.person.name for found in reading.items.values() for credit in found.credits] == [
        "Known Before"
    ]
    (remark,) = reading.remarks
    assert "the provider ids of 1 people cannot be read (GET /Items was answered with 500" in remark


async def test_an_item_that_is_asked_for_alone_brings_its_peoples_ids(server):
    film = server.catalogue.titled("Film 1")
    film.credits[0].person.provider_ids = {"imdb": "nm0000501"}
    reading = await read(jellyfin(server.url), only=[server.item_id(film.remote_id)])
    (found,) = reading.items.values()
    assert found.credits[0].person.provider_ids == {"imdb": "nm0000501"}
    assert reading.of(Watermark) == []


async def test_after_a_week_everybody_is_listed_again(server, memory):
    asked = []
    for _ in range(8):
        server.requests.clear()
        await read(jellyfin(server.url), memory)
        asked += since(server)
        server.catalogue.now += DAY
    days = ["2023-12-31", *(f"2024-01-0{day}" for day in range(1, 6)), "", "2024-01-07"]
    assert asked == [day and f"{day}T23:00:00Z" for day in days]


@pytest.mark.parametrize("mark", ["", "yesterday", "{}", '{"people": 3, "all_people": null}', "[]", "null"])
async def test_without_a_watermark_everybody_is_listed(server, memory, mark):
    memory.watermark = mark
    await read(jellyfin(server.url), memory)
    assert since(server) == {""}


async def test_a_clock_that_was_set_back_is_not_believed(server, memory):
    server.catalogue.now -= 30 * DAY
    await read(jellyfin(server.url), memory)
    assert since(server) == {""}


async def test_a_server_that_sends_no_time_gives_no_watermark(server, memory, monkeypatch):
    told = FakeJellyfin.handle

    async def handle(self, request: Request) -> Response:
        response = await told(self, request)
        return Response(
            response.status,
            {name: value for name, value in response.headers.items() if name != "Date"},
            response.body,
        )

    monkeypatch.setattr(FakeJellyfin, "handle", handle)
    reading = await read(jellyfin(server.url), memory)
    assert since(server) == {""}
    assert reading.of(Watermark) == []


async def test_a_library_that_is_not_stored_yet_wants_everybody(server, memory):
    person = server.catalogue.titled("Film 1").credits[0].person
    shows = {item.remote_id for item in server.truth().libraries[1].items}
    memory.items = {key: item for key, item in memory.items.items() if key not in shows}

    class OneLibrary(Memory):
        """What the mirror holds of one library."""

        @property
        def tokens(self):
            return {key: item.change_token for key, item in memory.items.items() if key in self.keys}

    backend = jellyfin(server.url)
    person.provider_ids = {"imdb": "nm0000501"}
    async with backend.open():
        asked = []
        for library in await backend.fetch_libraries():
            own = OneLibrary(memory.items, memory.people, memory.watermark)
            own.keys = set() if library.kind == "shows" else set(memory.items)
            findings = [finding async for finding in backend.iter_items(library, own)]
            asked.append([r.first("minDateLastSaved") for r in of_type(server.requests, "Person")])
            server.requests.clear()
            marks = [finding.text for finding in findings if isinstance(finding, Watermark)]
    assert asked == [["2023-12-31T23:00:00Z"], [""]]
    assert SavedWatermark.parse(marks[-1]).all_at == server.catalogue.now


@pytest.mark.parametrize("status", [403, 500])
async def test_a_list_that_cannot_be_read_leaves_no_watermark(server, memory, status):
    at = lambda request: request.first("includeItemTypes") == "Person"  # noqa: E731
    server.faults = [Fault.status(status, at=at, times=None)]
    reading = await read(jellyfin(server.url), memory)
    assert reading.of(Watermark) == []
    assert any("the list of people cannot be read" in remark for remark in reading.remarks)


async def test_emby_lists_everybody():
    async with FakeEmby(make_catalogue(films=3, shows=0)) as server:
        memory = Memory()
        await read(emby(server.url), memory)
        server.catalogue.now += DAY
        server.requests.clear()
        await read(emby(server.url), memory)
        asked = [request for request in server.requests if request.path.endswith("/Persons")]
        assert asked
        assert not any("minDateLastSaved" in request.query for request in asked)


async def test_the_mirror_keeps_it(server, file_url):
    async with MediaSync(file_url) as ms:
        await ms.sync(jellyfin(server.url))
        server.catalogue.now += DAY
        server.requests.clear()
        await ms.sync(jellyfin(server.url))
        assert since(server) == {"2023-12-31T23:00:00Z"}
        server.catalogue.now += DAY
        person = server.catalogue.titled("Film 1").credits[0].person
        server.catalogue.rename_person(person.remote_id, "Renamed Player")
        server.requests.clear()
        report = await ms.sync(jellyfin(server.url))
        assert since(server) == {"2024-01-01T23:00:00Z"}
        assert report.run.saved == len(server.catalogue.credited(person.remote_id))
        found = await ms.people.find_by_id(f"jf:{server.person_row(person).id}")
        assert found is None, "the items credit another row of the server"
        server.requests.clear()
        await ms.sync(jellyfin(server.url), full=True)
        assert since(server) == {""}
