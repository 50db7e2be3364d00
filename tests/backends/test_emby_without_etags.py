"""An Emby that gives no Etags: of the items that are stored only those are read that were saved since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from jellyfin_reading import KEY, Memory, emby, read, with_people

from mediasync import MediaSync, SourceConfig
from mediasync.testing import FakeEmby, Fault, make_catalogue
from mediasync.vocabulary import Completeness

DAY = timedelta(days=1)


@pytest.fixture
async def server():
    async with FakeEmby(make_catalogue(films=30, shows=2)) as running:
        running.etags = False
        yield running


@pytest.fixture
async def memory(server):
    """A mirror of the server as it was a day ago."""
    stored = Memory()
    await read(emby(server.url), stored)
    server.catalogue.now += DAY
    server.requests.clear()
    return stored


def asked_for(server):
    """Return the ids of the items that were read with their people."""
    return {key for request in with_people(server.requests) for key in request.listed("ids")}


def since(server):
    """Return the times since which saved items were asked for."""
    return {time for request in server.requests if (time := request.first("minDateLastSaved"))}


async def test_the_first_sync_reads_all_and_says_once_how_later_ones_read(server):
    reading = await read(emby(server.url))
    [remark] = reading.remarks
    assert "the server gives no Etags" in remark
    assert "those whose turn it is to be compared" in remark
    assert {item.completeness for item in reading.items.values()} == {Completeness.FULL}
    assert since(server) == set()


async def test_only_what_was_saved_since_is_read_and_all_is_listed(server, memory):
    film = server.catalogue.titled("Film 3")
    server.catalogue.edit_cast(film.remote_id, film.credits[1:])
    gone = server.catalogue.titled("Film 5").remote_id
    server.catalogue.remove(gone)
    reading = await read(emby(server.url), memory)
    assert since(server) == {"2023-12-31T23:00:00Z"}, "an hour before the last sync"
    assert set(reading.items) == asked_for(server) == {film.remote_id}
    assert reading.unchanged == set(memory.items) - {film.remote_id, gone}
    assert [end.complete for end in reading.ends] == [True, True]
    assert ["no Etags" in remark for remark in reading.remarks] == [True]


async def test_a_clock_that_was_set_back_is_not_believed(server, memory):
    server.catalogue.now -= 30 * DAY
    assert set((await read(emby(server.url), memory)).items) == set(memory.items)


async def test_a_server_that_does_not_filter_is_read_in_full(server, memory):
    known = FakeEmby.handle

    async def handle(request):
        request.query.pop("minDateLastSaved", None)
        return await known(server, request)

    server.handle = handle
    assert set((await read(emby(server.url), memory)).items) == set(memory.items)


async def test_a_server_that_cannot_say_what_was_saved_is_read_in_full(server, memory):
    server.faults = [Fault.status(500, at=lambda one: bool(one.first("minDateLastSaved")), times=None)]
    reading = await read(emby(server.url), memory)
    assert set(reading.items) == set(memory.items)
    assert sum("the items saved since the last sync cannot be listed" in one for one in reading.remarks) == 1
    assert [end.complete for end in reading.ends] == [True, True]


async def test_items_that_credit_a_renamed_person_are_read(server, memory):
    person = server.catalogue.titled("Film 1").credits[0].person
    credited = {item.remote_id for item in server.catalogue.credited(person.remote_id)}
    person.name = "Renamed Player"
    assert credited <= set((await read(emby(server.url), memory)).items)


async def test_etags_that_come_later_are_used(server, memory):
    server.etags = True
    assert set((await read(emby(server.url), memory)).items) == set(memory.items)
    server.catalogue.now += DAY
    server.requests.clear()
    reading = await read(emby(server.url), memory)
    assert (reading.items, reading.remarks, since(server)) == ({}, [], set())


async def test_the_mirror_keeps_when_a_library_was_read(server, file_url):
    async with MediaSync(file_url) as ms:
        first = await ms.sync(emby(server.url))
        server.catalogue.now += DAY
        film, show = server.catalogue.titled("Film 3"), server.catalogue.titled("Show 1")
        server.catalogue.edit_cast(film.remote_id, film.credits[1:])
        server.requests.clear()
        second = await ms.sync(emby(server.url))
        assert (second.saved, second.unchanged) == (1, first.saved - 1)
        assert asked_for(server) == {film.remote_id}

        # A library that a sync leaves out has changes that are older than the next watermark.
        server.catalogue.now += DAY
        server.catalogue.edit_cast(show.remote_id, show.credits[1:])
        shows = (server.library_id("2"),)
        config = SourceConfig(id="emby", kind="emby", url=server.url, token=KEY, exclude=shows)
        assert (await ms.sync(config)).saved == 0
        server.catalogue.now += DAY
        third = await ms.sync(emby(server.url))
        assert third.saved == 1
        stored = await ms.media.get_media_item(f"emby:{show.remote_id}")
        assert len(stored.cast) + len(stored.crew) == len(show.credits)

        server.requests.clear()
        await ms.sync(emby(server.url), full=True)
        assert since(server) == set()
