"""The fake Jellyfin's ways that no recorded library shows."""

from __future__ import annotations

import time

import httpx
import pytest
from jellyfin_reading import KEY, VERSIONS

from mediasync import Credit, Person
from mediasync.testing import make_catalogue
from mediasync.testing.jellyfin import FakeJellyfin

HEADERS = {"Authorization": f'MediaBrowser Token="{KEY}"'}


@pytest.fixture(params=VERSIONS)
async def server(request):
    async with FakeJellyfin(make_catalogue(films=8, shows=1), version=request.param) as running:
        yield running


@pytest.fixture
async def client(server):
    async with httpx.AsyncClient(base_url=server.url, headers=HEADERS) as running:
        yield running


async def films(client, server, **query):
    query = {
        "parentId": server.library_id("1"),
        "includeItemTypes": "Movie",
        "fields": "People,Etag",
        **query,
    }
    return (await client.get("/Items", params=query)).json()["Items"]


async def test_an_unknown_type_filters_nothing(client, server):
    answer = (await client.get("/Items", params={"includeItemTypes": "Nonsense"})).json()
    assert {item["Type"] for item in answer["Items"]} == {"Movie", "Series", "Season", "Episode"}


async def test_a_deleted_library_answers_with_nothing(client, server):
    assert await films(client, server)
    key = server.library_id("1")
    del server.catalogue.libraries[0]
    answer = await client.get("/Items", params={"parentId": key})
    assert (answer.status_code, answer.json()["TotalRecordCount"]) == (200, 0)


async def test_the_listing_of_a_show_lies_on_the_old_version(client, server):
    show = next(item for item in server.catalogue.items() if item.media_type == "show")
    key = server.item_id(show.remote_id)
    for path, count in (("Episodes", 6), ("Seasons", 2)):
        told = (await client.get(f"/Shows/{key}/{path}")).json()["Items"]
        assert len(told) == (0 if server.old else count)
    assert (await client.get("/Shows/nothing/Episodes")).status_code == 404


async def test_persons_have_no_second_page_on_the_old_version(client, server):
    query = {"startIndex": 5, "limit": 5}
    answer = (await client.get("/Persons", params=query)).json()
    first = (await client.get("/Persons", params={"limit": 5})).json()
    everybody = (await client.get("/Persons")).json()
    if server.old:
        assert answer["Items"] == first["Items"]
        assert answer["TotalRecordCount"] == 5
    else:
        assert answer["Items"] != first["Items"]
        assert answer["TotalRecordCount"] == len(everybody["Items"])


async def test_a_time_since_is_ignored_beside_a_library_on_the_old_version(client, server):
    since = {"minDateLastSaved": "2100-01-01T00:00:00Z"}
    assert len(await films(client, server, **since)) == (8 if server.old else 0)
    anywhere = await client.get("/Items", params={"includeItemTypes": "Movie", **since})
    assert anywhere.json()["Items"] == []
    server.catalogue.touch(server.catalogue.item("1"))
    recent = {"includeItemTypes": "Movie", "minDateLastSaved": "2024-01-01T00:00:00Z"}
    assert len((await client.get("/Items", params=recent)).json()["Items"]) == 1


async def test_a_renamed_person_is_absent_under_an_etag_that_stays(client, server):
    film = server.catalogue.item("1")
    person = film.credits[0].person
    row = server.person_row(person)
    before = {item["Id"]: item for item in await films(client, server)}[server.item_id("1")]
    assert {row.id} <= {entry["Id"] for entry in before["People"]}
    server.catalogue.rename_person(person.remote_id, "Renamed")
    after = {item["Id"]: item for item in await films(client, server)}[server.item_id("1")]
    assert row.id not in {entry["Id"] for entry in after["People"]}
    assert after["Etag"] == before["Etag"]
    query = {"personIds": row.id, "includeItemTypes": "Movie,Series,Episode"}
    assert (await client.get("/Items", params=query)).json()["Items"] == []
    (told,) = (await client.get("/Items", params={"ids": row.id})).json()["Items"]
    assert told["Name"] == "Renamed"


async def test_people_grow_while_a_scan_runs(client, server):
    server.catalogue.edit_cast("1", server.catalogue.item("1").credits * 3)
    whole = len({(c.person.name, c.role, c.person_type) for c in server.catalogue.item("1").credits})
    etags = [(await films(client, server, fields="Etag"))[0]["Etag"]]
    server.start_scan()
    counts = []
    for _ in range(4):
        film = (await films(client, server))[0]
        counts.append(len(film["People"]))
        etags.append(film["Etag"])
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, whole)
    assert (len(set(etags)) == 1) is server.old
    server.end_scan()
    assert (await films(client, server))[0]["Etag"] == etags[0]


async def test_names_that_are_lost(client, server):
    people = [
        Person(remote_id=str(9_000_000 + n), name=name)
        for n, name in enumerate(["x" * 300, " Trim ", "TRIM"])
    ]
    server.catalogue.edit_cast("1", [Credit(person=person, person_type="actor") for person in people])
    told = {item["Id"]: item for item in await films(client, server)}[server.item_id("1")]["People"]
    assert [entry["Name"] for entry in told] == ["Trim"]


async def test_what_telling_people_costs(client, server):
    server.seconds_per_credit = 0.002
    begun = time.perf_counter()
    credits_told = sum(len(film["People"]) for film in await films(client, server))
    took = time.perf_counter() - begun
    assert took >= 0.002 * credits_told


async def test_one_item_alone(client, server):
    key = server.item_id("1")
    assert (await client.get(f"/Items/{key}")).status_code == 400, "a key has no user"
    answer = await client.get(f"/Items/{key}", params={"userId": "u"})
    assert answer.json()["Id"] == key
    query = {"userId": "u"}
    assert (await client.get(f"/Items/{'0' * 31}2", params=query)).status_code == 404
    assert (await client.get(f"/Items/{'0' * 31}1", params=query)).status_code == (500 if server.old else 404)


async def test_other_requests(client, server):
    assert (await client.get("/System/Info")).json()["Version"].startswith(server.version)
    assert (await client.get("/Nonsense")).status_code == 404
    assert (await client.get("/UserViews", params={"userId": "u"})).json()["TotalRecordCount"] == 3
    assert (
        await client.get("/Items", params={"ApiKey": KEY}, headers={"Authorization": ""})
    ).status_code == 200
    old_ways = await client.get("/Items", headers={"Authorization": "", "X-Emby-Token": KEY})
    assert old_ways.status_code == (200 if server.old else 401)


async def test_the_truth_is_made_of_the_servers_own_keys(server):
    truth = server.truth()
    assert [item.remote_id for item in truth.items()] == [
        server.item_id(item.remote_id) for item in server.catalogue.items()
    ]
    assert [library.id for library in truth.libraries] == [server.library_id("1"), server.library_id("2")]
