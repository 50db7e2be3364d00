"""A library scan that runs while a fake Jellyfin is read: nothing partial is taken for the whole."""

from __future__ import annotations

import pytest
from jellyfin_reading import (
    VERSIONS,
    Memory,
    all_credits,
    credits_of,
    jellyfin,
    of_type,
    read,
    true_credits,
    with_people,
)

from mediasync import MediaSync
from mediasync.testing import Fault, make_catalogue
from mediasync.testing.jellyfin import FakeJellyfin
from mediasync.vocabulary import Completeness


@pytest.fixture(params=VERSIONS)
async def server(request):
    catalogue = make_catalogue(films=12, shows=1, credits_each=18)
    async with FakeJellyfin(catalogue, version=request.param) as running:
        yield running


def is_tasks(request):
    return request.path == "/ScheduledTasks"


def is_full_page(request):
    return request.first("includeItemTypes") == "Movie" and "People" in request.first("fields")


async def test_the_end_of_a_scan_is_waited_for(server):
    server.start_scan(ends_after=3)
    reading = await read(jellyfin(server.url))
    assert not server.scanning
    assert all_credits(reading.items.values()) == true_credits(server.truth())
    assert [
        remark.startswith("the server is scanning its libraries: waiting") for remark in reading.remarks
    ] == [True]
    first_listing = server.requests.index(of_type(server.requests, "Movie")[0])
    assert sum(map(is_tasks, server.requests[:first_listing])) == 4


async def test_what_is_read_in_a_scan_that_does_not_end_is_a_preview(server):
    server.start_scan()
    reading = await read(jellyfin(server.url, wait_for_scan=0))
    assert {item.completeness for item in reading.items.values()} == {Completeness.PREVIEW}
    assert {item.change_token for item in reading.items.values()} == {None}
    assert ["preview" in remark for remark in reading.remarks] == [True]
    assert len(reading.items) == len(list(server.catalogue.items()))


async def test_a_scan_is_waited_for_no_longer_than_was_said(server):
    server.start_scan()
    reading = await read(jellyfin(server.url, wait_for_scan=0.01))
    assert [("waiting" in remark, "preview" in remark) for remark in reading.remarks] == [
        (True, False),
        (False, True),
    ]
    assert {item.completeness for item in reading.items.values()} == {Completeness.PREVIEW}


async def test_what_a_preview_left_open_is_read_by_the_next_sync(server, file_url):
    async with MediaSync(file_url) as ms:
        server.start_scan()
        first = await ms.sync(jellyfin(server.url, wait_for_scan=0))
        assert first.failed == ()
        film = await ms.media.get_media_item(f"jf:{server.item_id('1')}")
        assert film.credits == []
        server.end_scan()
        await ms.sync(jellyfin(server.url))
        for item in server.truth().items():
            stored = await ms.media.get_media_item(f"jf:{item.remote_id}")
            assert [c.person.name for c in stored.credits] == [c.person.name for c in item.credits]


async def test_a_scan_never_shortens_what_is_stored(server, file_url):
    async with MediaSync(file_url) as ms:
        await ms.sync(jellyfin(server.url))
        before = await ms.media.get_media_item(f"jf:{server.item_id('1')}")
        server.catalogue.touch(server.catalogue.item("1"))
        server.start_scan()
        report = await ms.sync(jellyfin(server.url, wait_for_scan=0))
        during = await ms.media.get_media_item(f"jf:{server.item_id('1')}")
        assert report.failed == ()
        assert during.credits == before.credits != []
        server.end_scan()
        assert (await ms.sync(jellyfin(server.url))).run.failed == 0
        after = await ms.media.get_media_item(f"jf:{server.item_id('1')}")
        assert after.credits == before.credits
        assert (await ms.sync(jellyfin(server.url))).run.saved == 0


async def test_a_scan_that_begins_between_two_pages(server):
    def begin(request):
        if is_full_page(request):
            server.before = None
            server.start_scan(ends_after=2)

    server.before = begin
    reading = await read(jellyfin(server.url))
    assert {item.completeness for item in reading.items.values()} == {Completeness.FULL}
    assert all_credits(reading.items.values()) == true_credits(server.truth())
    assert len(with_people(of_type(server.requests, "Movie"))) == 1
    assert [request for request in with_people(server.requests) if request.first("ids")]
    assert any("waiting" in remark for remark in reading.remarks)


async def test_a_scan_that_begins_and_ends_between_two_questions(server):
    def begin(request):
        if is_full_page(request):
            server.start_scan()
        elif is_tasks(request) and server.scanning:
            server.before = None
            server.end_scan()

    server.before = begin
    reading = await read(jellyfin(server.url))
    assert {item.completeness for item in reading.items.values()} == {Completeness.FULL}
    assert all_credits(reading.items.values()) == true_credits(server.truth())
    assert reading.remarks == []


async def test_scans_without_end_between_all_questions(server):
    def scan_once_more(request):
        if with_people([request]):
            server.start_scan()
        elif is_tasks(request) and server.scanning:
            server.end_scan()

    server.before = scan_once_more
    reading = await read(jellyfin(server.url))
    assert {item.completeness for item in reading.items.values()} == {Completeness.PREVIEW}
    assert len(reading.items) == len(list(server.catalogue.items()))


async def test_a_scan_that_begins_in_a_resync(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    film = server.catalogue.item("3")
    server.catalogue.edit_cast("3", film.credits[1:])

    def begin(request):
        if request.first("ids"):
            server.before = None
            server.start_scan(ends_after=1)

    server.before = begin
    reading = await read(jellyfin(server.url), memory)
    found = reading.items[server.item_id("3")]
    assert found.completeness is Completeness.FULL
    assert len(credits_of(found)) == 17
    assert len(reading.unchanged) == len(list(server.catalogue.items())) - 1


async def test_unchanged_items_stay_so_in_a_scan(server):
    memory = Memory()
    first = await read(jellyfin(server.url), memory)
    server.start_scan()
    reading = await read(jellyfin(server.url, wait_for_scan=0), memory)
    if server.version == "10.11":
        assert reading.unchanged == set(first.items)
    assert {item.completeness for item in reading.items.values()} <= {Completeness.PREVIEW}
    assert {item.change_token for item in reading.items.values()} <= {None}


async def test_some_items_only_in_a_scan(server):
    server.start_scan()
    key = server.item_id("1")
    reading = await read(jellyfin(server.url, wait_for_scan=0), only=[key])
    assert reading.items[key].completeness is Completeness.PREVIEW


@pytest.mark.parametrize(
    "fault",
    [
        Fault.status(403, at=is_tasks, times=None),
        Fault.status(404, at=is_tasks, times=None),
    ],
    ids=["forbidden", "not there"],
)
async def test_a_token_that_may_not_ask_for_scans_is_reported_once(server, fault):
    server.faults.append(fault)
    reading = await read(jellyfin(server.url))
    assert ["cannot be asked" in remark for remark in reading.remarks] == [True]
    assert sum(map(is_tasks, server.requests)) == 1
    assert {item.completeness for item in reading.items.values()} == {Completeness.FULL}


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_an_empty_cast_proves_nothing_while_scans_cannot_be_asked_for(server, status, file_url):
    async with MediaSync(file_url) as ms:
        await ms.sync(jellyfin(server.url))
        before = {item.remote_id: item.credits for item in await _stored(ms, server)}
        server.faults.append(Fault.status(status, at=is_tasks, times=None))
        server.faults.append(
            Fault.rewrite(_without_people, at=lambda request: bool(with_people([request])), times=None)
        )
        reading = await read(jellyfin(server.url))
        seasons = {key for key, item in reading.items.items() if item.media_type == "season"}
        full = {key for key, item in reading.items.items() if item.completeness is Completeness.FULL}
        assert full == seasons != set()
        assert {key for key, item in reading.items.items() if item.change_token} == seasons
        report = await ms.sync(jellyfin(server.url), full=True)
        assert report.failed == ()
        assert {item.remote_id: item.credits for item in await _stored(ms, server)} == before


def _without_people(answer):
    for item in answer["Items"]:
        item["People"] = []
    return answer


async def _stored(ms, server):
    return [await ms.media.get_media_item(f"jf:{item.remote_id}") for item in server.truth().items()]


async def test_a_question_that_fails_once_is_asked_again(server):
    server.start_scan(ends_after=3)
    server.faults.append(Fault.status(500, at=is_tasks, times=2))
    reading = await read(jellyfin(server.url))
    assert ["cannot be asked" in remark for remark in reading.remarks].count(True) == 1
    assert sum(map(is_tasks, server.requests)) > 3
    assert all_credits(reading.items.values()) == true_credits(server.truth())


async def test_a_wait_that_cannot_hear_of_the_end_is_left_at_once(server):
    server.start_scan()

    def after_the_first(request):
        return is_tasks(request) and sum(map(is_tasks, server.requests)) > 1

    server.faults.append(Fault.status(403, at=after_the_first, times=None))
    reading = await read(jellyfin(server.url, wait_for_scan=3_600))
    assert sum(map(is_tasks, server.requests)) == 2
    assert {item.completeness for item in reading.items.values()} == {Completeness.PREVIEW}
    assert any("preview" in remark for remark in reading.remarks)


async def test_a_user_who_is_no_administrator(server):
    server.users["guest"] = "pw"
    reading = await read(jellyfin(server.url, token=None, username="guest", password="pw"))
    assert ["cannot be asked" in remark for remark in reading.remarks] == [True]
    assert len(reading.items) == len(list(server.catalogue.items()))


async def test_tasks_that_are_no_list(server):
    server.faults.append(Fault.empty(at=is_tasks, times=None))
    reading = await read(jellyfin(server.url))
    assert ["cannot be asked" in remark for remark in reading.remarks] == [True]


async def test_a_server_without_a_task_for_scans(server):
    server.faults.append(Fault.rewrite(lambda _: [], at=is_tasks, times=None))
    reading = await read(jellyfin(server.url))
    assert reading.remarks == []
    assert {item.completeness for item in reading.items.values()} == {Completeness.FULL}


async def test_large_stretches_are_given_out_as_soon_as_they_are_certain(server):
    server.catalogue = make_catalogue(films=1_300, shows=0, credits_each=1)
    backend = jellyfin(server.url)
    found = 0
    async with backend.open():
        library = (await backend.fetch_libraries())[0]
        async for finding in backend.iter_items(library, Memory()):
            if found == 399:
                asked_so_far = len(with_people(server.requests))
            found += hasattr(finding, "item")
    assert found == 1_300
    assert asked_so_far < 10, "not everything is held until the end"
    assert len(with_people(server.requests)) == 14
    assert sum(map(is_tasks, server.requests)) == 4


async def test_the_time_to_wait_is_taken_beside_a_backend(server):
    server.start_scan()
    backend = jellyfin(server.url, wait_for_scan=3_600)
    async with MediaSync("sqlite:///:memory:") as ms:
        report = await ms.sync(backend, wait_for_scan=0)
        assert sum(library.previews for library in report.libraries)
        [report] = await ms.sync_all([backend], wait_for_scan=0, full=True)
        assert sum(library.previews for library in report.libraries)
    assert backend.wait_for_scan == 3_600, "it holds for this time alone"
