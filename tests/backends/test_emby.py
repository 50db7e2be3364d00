"""Reading a fake Emby, which is made of what is documented of Emby."""

from __future__ import annotations

import pytest
from jellyfin_reading import KEY, Memory, all_credits, emby, read, true_credits, with_people

from mediasync import MediaSync
from mediasync.errors import SourceForbidden, SourceMismatch, SourceUnauthorised
from mediasync.testing import make_catalogue
from mediasync.testing.emby import FakeEmby
from mediasync.testing.jellyfin import FakeJellyfin


@pytest.fixture
async def server():
    async with FakeEmby(make_catalogue(films=30, shows=2, hard=True)) as running:
        yield running


async def test_all_items_and_all_people(server):
    reading = await read(emby(server.url))
    assert all_credits(reading.items.values()) == true_credits(server.truth())
    assert [end.complete for end in reading.ends] == [True, True]
    assert (reading.remarks, reading.unreadable) == ([], {})
    assert set(reading.items) == {item.remote_id for item in server.catalogue.items()}


async def test_everything_lies_below_emby_and_the_token_in_its_header(server):
    backend = emby(server.url)
    await read(backend)
    assert {request.path.split("/")[1] for request in server.requests} == {"emby"}
    assert {request.headers["x-emby-token"] for request in server.requests} == {KEY}
    assert all(KEY not in str(request.query) for request in server.requests)
    assert backend.source.server_id == server.server_id
    before = len(server.requests)
    await read(emby(f"{server.url}/emby"))
    assert {request.path.split("/")[2] for request in server.requests[before:]} <= {
        "System",
        "Library",
        "ScheduledTasks",
        "Items",
        "Persons",
    }


async def test_people_of_one_name_are_two_people(server):
    reading = await read(emby(server.url))
    film = next(item for item in reading.items.values() if item.title == "Two people of one name")
    assert len({credit.person.remote_id for credit in film.credits}) == 2


async def test_a_resync_reads_what_changed(server, file_url):
    async with MediaSync(file_url) as ms:
        first = await ms.sync(emby(server.url))
        server.requests.clear()
        second = await ms.sync(emby(server.url))
        assert (second.run.saved, second.run.unchanged) == (0, first.run.saved)
        assert with_people(server.requests) == []
        film = server.catalogue.titled("Film 3")
        server.catalogue.edit_cast(film.remote_id, film.credits[1:])
        person = film.credits[2].person
        server.catalogue.set_picture(person.remote_id, "new.jpg")
        third = await ms.sync(emby(server.url))
        assert third.run.saved == 1
        stored = await ms.media.get_media_item(f"emby:{film.remote_id}")
        assert [c.person.name for c in stored.credits] == [c.person.name for c in film.credits]
        known = await ms.people.find_by_id(f"emby:{person.remote_id}")
        assert (
            known.image_path == f"Items/{person.remote_id}/Images/Primary?tag={server.person_row(person).tag}"
        )


async def test_a_renamed_person(server):
    memory = Memory()
    await read(emby(server.url), memory)
    person = server.catalogue.titled("Film 1").credits[0].person
    server.catalogue.rename_person(person.remote_id, "Renamed Player")
    reading = await read(emby(server.url), memory)
    assert set(reading.items) == {item.remote_id for item in server.catalogue.credited(person.remote_id)}
    assert memory.people[person.remote_id].name == "Renamed Player"


async def test_a_scan_is_waited_for(server):
    server.start_scan(ends_after=2)
    reading = await read(emby(server.url))
    assert all_credits(reading.items.values()) == true_credits(server.truth())
    assert len(reading.remarks) == 1


async def test_signing_in_with_name_and_password(server):
    reading = await read(emby(server.url, token=None, username="admin", password="fixture-password"))
    assert reading.items
    assert [r.path for r in server.requests if r.method == "POST"] == [
        "/emby/Users/AuthenticateByName",
        "/emby/Sessions/Logout",
    ]
    (introduction,) = [r.headers["x-emby-authorization"] for r in server.requests if "ByName" in r.path]
    assert introduction.startswith('Emby Client="mediasync"')
    assert set(server.tokens) == {KEY}


async def test_a_user_who_may_not_see_all_folders_has_views(server):
    server.folders_forbidden = True
    server.tokens["user-token"] = "admin"
    with pytest.raises(SourceForbidden, match="give an API key, or the user's name and password"):
        await read(emby(server.url, token="user-token"))
    reading = await read(emby(server.url, token=None, username="admin", password="fixture-password"))
    assert len(reading.libraries) == 2
    assert not any("/Users/Me" in request.path for request in server.requests)


async def test_a_token_that_is_not_taken(server):
    with pytest.raises(SourceUnauthorised):
        await read(emby(server.url, token="other"))


async def test_a_jellyfin_is_no_emby():
    async with FakeJellyfin(make_catalogue(films=1, shows=0), base_path="/emby") as server:
        with pytest.raises(SourceMismatch, match="what answers is Jellyfin"):
            await read(emby(server.url))
