"""A Plex that fails, lies or changes while it is read: no stored cast gets shorter, and it is told."""

import pytest
from findings import IMPATIENT, ends, found_items, read, unreadable
from plex_syncing import (
    TOKEN,
    asked_keys,
    assert_stored,
    cast_of,
    casts,
    is_details,
    is_listing,
    make_backend,
    stored_casts,
)

from mediasync import Credit, MediaSync
from mediasync.backends.base import NothingStored
from mediasync.backends.plex.client import LEFT_OUT
from mediasync.errors import LibraryUnreadable, SourceBusy, SourceError, SourceUnauthorised
from mediasync.testing import Fault, make_catalogue
from mediasync.testing.plex import FakePlex
from mediasync.vocabulary import Completeness

pytestmark = pytest.mark.slow

FAULTS = {
    "status 500": Fault.status(500),
    "status 404": Fault.status(404),
    "status 403": Fault.status(403),
    "busy": Fault.busy(60),
    "limit": Fault.limit(60),
    "html": Fault.html(),
    "truncated": Fault.truncated(),
    "cut_json": Fault.cut_json(),
    "reset": Fault.reset(),
    "latin1": Fault.latin1(),
    "wrong_types": Fault.wrong_types(),
    "wrong lists": Fault.wrong_types("Metadata", "Role"),
    "empty": Fault.empty(),
}


@pytest.fixture
async def mirror(file_url):
    async with MediaSync(file_url) as ms:
        yield ms


def films(count):
    catalogue = make_catalogue(films=count, shows=0)
    del catalogue.libraries[1]
    return catalogue


def change(catalogue):
    """Change one item of each kind that has people."""
    for kind in ("movie", "show", "episode"):
        item = next(item for item in catalogue.items() if item.media_type == kind)
        added = Credit(person=catalogue.new_person(f"New in {kind}"), person_type="actor", role="Newcomer")
        catalogue.edit_cast(item.remote_id, [added, *item.credits[1:]])


def rewrite_container(change_container, at):
    def rewrite(answer):
        change_container(answer["MediaContainer"])
        return answer

    return Fault.rewrite(rewrite, at=at)


def page_at(start):
    return lambda request: is_listing(request) and request.headers["x-plex-container-start"] == str(start)


@pytest.mark.parametrize("kind", FAULTS)
async def test_every_fault_at_every_request_of_a_sync(mirror, kind):
    """After each fault each cast is the old or the new one; and if it is not the new one, that was told."""
    server = FakePlex(make_catalogue(films=2, shows=1, seasons=1, episodes=2), token=TOKEN)
    async with server:
        await mirror.sync(make_backend(server, name="Plex"))
        old = casts(server.truth().items())
        change(server.catalogue)
        new = casts(server.truth().items())
        server.requests.clear()
        await read(make_backend(server, name="Plex"), {"1": "0"})
        requests = len(server.requests)
        for number in range(1, requests + 1):
            fault = FAULTS[kind]
            fault.met = 0
            server.faults = [fault]
            server.requests.clear()
            told = ""
            fault.at = number
            try:
                report = await mirror.sync(make_backend(server, name="Plex", options=IMPATIENT))
                told = f"{report.failed}{report.problems}{report.remarks}"
            except SourceError as error:
                told = str(error)
            assert TOKEN not in told
            stored = await stored_casts(mirror, server.catalogue.items())
            assert all(stored[key] in (old[key], new[key]) for key in old), number
            assert stored == new or len(told) > 10, number
        server.faults = []
        report = await mirror.sync(make_backend(server, name="Plex"), full=True)
        assert report.failed == ()
        await assert_stored(mirror, server.truth().items())


async def test_one_bad_id_among_two_hundred():
    async with FakePlex(films(200), token=TOKEN) as server:
        server.faults.append(Fault.status(500, at=lambda request: "77" in asked_keys([request]), times=None))
        findings = await read(make_backend(server, options=IMPATIENT))
        assert list(unreadable(findings)) == ["77"]
        assert "500" in unreadable(findings)["77"]
        assert len(found_items(findings)) == 199
        assert ends(findings)[0].complete
        assert len(server.requests) <= 4 + 2 * 8 + 1


async def test_an_address_that_is_too_long_for_a_proxy():
    async with FakePlex(films(50), token=TOKEN, longest_url=300) as server:
        findings = await read(make_backend(server, options=IMPATIENT))
        assert len(found_items(findings)) == 50
        assert unreadable(findings) == {}


async def test_an_item_that_is_left_out_of_the_answer_stays_as_it_is(mirror):
    async with FakePlex(films(5), token=TOKEN) as server:
        await mirror.sync(make_backend(server))
        before = cast_of(await mirror.media.get_media_item("home:3"))
        for key in ("2", "3"):
            server.catalogue.edit_cast(key, [])
        server.without_details.add("3")
        report = await mirror.sync(make_backend(server))
        assert report.failed == (("home:3", LEFT_OUT),)
        assert cast_of(await mirror.media.get_media_item("home:3")) == before
        assert cast_of(await mirror.media.get_media_item("home:2")) == []
        server.without_details.clear()
        assert (await mirror.sync(make_backend(server))).saved == 1
        await assert_stored(mirror, server.truth().items())


async def test_no_details_at_all(mirror):
    async with FakePlex(films(5), token=TOKEN) as server:
        server.without_details = {item.remote_id for item in server.catalogue.items()}
        report = await mirror.sync(make_backend(server))
        assert report.saved == 0
        assert [key for key, _ in report.failed] == [f"home:{key}" for key in "12345"]
        assert all("404" in reason for _, reason in report.failed)


async def test_a_huge_show_that_is_not_found_in_detail(mirror):
    async with FakePlex(make_catalogue(films=0, shows=2), token=TOKEN) as server:
        show = next(server.catalogue.items())
        season = server.catalogue.children(show.remote_id)[0]
        server.without_details = {show.remote_id, season.remote_id}
        report = await mirror.sync(make_backend(server))
        assert sorted(key for key, _ in report.failed) == sorted(
            f"home:{key}" for key in server.without_details
        )
        stored = await mirror.media.get_media_item(f"home:{show.remote_id}")
        assert (stored.title, stored.completeness) == (show.title, Completeness.NONE)
        rest = [item for item in server.truth().items() if item.remote_id not in server.without_details]
        await assert_stored(mirror, rest)
        server.without_details.clear()
        assert (await mirror.sync(make_backend(server))).saved == 2
        await assert_stored(mirror, server.truth().items())
        server.without_details = {show.remote_id}
        server.catalogue.edit_cast(show.remote_id, [])
        assert len((await mirror.sync(make_backend(server))).failed) == 1
        stored = await mirror.media.get_media_item(f"home:{show.remote_id}")
        assert len(stored.credits) == 6


class TestListings:
    """A listing that does not name everything is told to be incomplete."""

    async def reason(self, fault, *, count=9, page_limit=3):
        async with FakePlex(films(count), token=TOKEN, page_limit=page_limit) as server:
            server.faults.append(fault)
            findings = await read(make_backend(server, options=IMPATIENT))
            [end] = ends(findings)
            assert not end.complete
            return end.reason, set(found_items(findings))

    async def test_pages_shorter_than_asked_for_are_no_fault(self):
        async with FakePlex(films(9), token=TOKEN, page_limit=2) as server:
            findings = await read(make_backend(server))
            assert (ends(findings)[0].total, ends(findings)[0].complete) == (9, True)

    async def test_one_that_ends_early(self):
        def nothing(container):
            del container["Metadata"]
            container["size"] = 0

        reason, found = await self.reason(rewrite_container(nothing, page_at(6)))
        assert reason == "movies: nothing came after item 6 of 9"
        assert len(found) == 6

    async def test_a_page_that_repeats(self):
        async with FakePlex(films(9), token=TOKEN, page_limit=3) as server:
            pages = []

            def first_again(answer):
                pages.append(answer)
                return pages[0]

            server.faults.append(Fault.rewrite(first_again, at=is_listing, times=None))
            [end] = ends(await read(make_backend(server)))
            assert not end.complete
            assert "brought only what had come before" in end.reason

    async def test_a_total_that_moves(self):
        fault = rewrite_container(lambda container: container.update(totalSize=8), page_at(3))
        reason, _ = await self.reason(fault)
        assert "the total moved from 9 to 8" in reason

    async def test_an_item_without_a_key(self):
        reason, found = await self.reason(
            rewrite_container(lambda container: container["Metadata"][0].pop("ratingKey"), page_at(3))
        )
        assert reason == "movies: Film 4 has no ratingKey"
        assert len(found) == 8

    async def test_items_of_another_type(self):
        def all_shows(container):
            for entry in container["Metadata"]:
                entry["type"] = "show"

        reason, found = await self.reason(rewrite_container(all_shows, page_at(3)))
        assert reason.startswith("movies: 4 is of type 'show', though only items of type 'movie' were asked")
        assert reason.endswith(", and 2 more like it")
        assert len(found) == 6

    async def test_a_key_that_no_request_can_name(self):
        def odd(container):
            container["Metadata"][0]["ratingKey"] = "../1"

        async with FakePlex(films(3), token=TOKEN) as server:
            server.faults.append(rewrite_container(odd, is_listing))
            findings = await read(make_backend(server))
            assert list(unreadable(findings)) == ["../1"]
            assert len(found_items(findings)) == 2

    async def test_what_is_no_item_is_passed_over(self):
        def more(container):
            container["Metadata"].append({"title": "All episodes", "key": "/library/metadata/1/allLeaves"})
            container["totalSize"] += 1

        async with FakePlex(films(3), token=TOKEN) as server:
            server.faults.append(rewrite_container(more, is_listing))
            findings = await read(make_backend(server))
            assert ends(findings)[0].complete
            assert len(found_items(findings)) == 3

    async def test_an_answer_that_is_not_paged(self):
        def whole(container):
            del container["totalSize"], container["offset"]

        async with FakePlex(films(3), token=TOKEN) as server:
            server.faults.append(rewrite_container(whole, is_listing))
            [end] = ends(await read(make_backend(server)))
            assert (end.total, end.complete) == (3, True)

    async def test_no_total(self):
        async with FakePlex(films(3), token=TOKEN) as server:
            rewrite = rewrite_container(lambda container: container.pop("totalSize"), is_listing)
            rewrite.times = None
            server.faults.append(rewrite)
            [end] = ends(await read(make_backend(server)))
            assert (end.total, end.complete) == (None, True)

    async def test_a_library_that_is_gone_meanwhile(self):
        async with FakePlex(films(3), token=TOKEN) as server:
            backend = make_backend(server)
            async with backend.open():
                libraries = await backend.fetch_libraries()
                server.catalogue.libraries.clear()
                with pytest.raises(LibraryUnreadable, match=r"'Films' \(home:1\).*/all was .* 404") as raised:
                    async for _ in backend.iter_items(libraries[0], NothingStored()):
                        pass
                assert raised.value.library_id == "home:1"
                assert len([request for request in server.requests if is_listing(request)]) == 1


async def test_the_token_is_revoked_between_two_pages(mirror):
    async with FakePlex(films(9), token=TOKEN, page_limit=3) as server:
        await mirror.sync(make_backend(server))
        for key in range(1, 10):
            server.catalogue.edit_cast(str(key), [])
        before = await stored_casts(mirror, server.catalogue.items())
        server.faults.append(Fault.status(401, at=page_at(6), times=None))
        with pytest.raises(SourceUnauthorised) as raised:
            await mirror.sync(make_backend(server))
        assert TOKEN not in str(raised.value)
        assert await stored_casts(mirror, server.catalogue.items()) == before


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.html(at=is_listing, times=None), LibraryUnreadable),
        (Fault.truncated(at=is_listing, times=None), LibraryUnreadable),
        (Fault.hang(at=is_listing, times=None), LibraryUnreadable),
        (Fault.status(403, at=is_listing), LibraryUnreadable),
        (Fault.status(401, at=is_details), SourceUnauthorised),
        (Fault.busy(60, at=is_details), SourceBusy),
    ],
    ids=["html", "truncated", "hang", "403", "401", "busy"],
)
async def test_what_ends_a_reading(fault, error):
    fault.met = 0
    async with FakePlex(films(3), token=TOKEN) as server:
        server.faults.append(fault)
        with pytest.raises(error, match="home"):
            await read(make_backend(server, options=IMPATIENT))


async def test_a_failed_request_ends_those_beside_it():
    """The other reads of a round are not waited for: one of them never ends."""
    async with FakePlex(films(600), token=TOKEN) as server:
        server.faults += [
            Fault.status(401, at=lambda request: "1" in asked_keys([request])),
            Fault.hang(at=lambda request: "600" in asked_keys([request])),
        ]
        with pytest.raises(SourceUnauthorised):
            await read(make_backend(server))


async def test_xml_is_no_answer():
    async with FakePlex(films(3), token=TOKEN) as server:
        xml = {"Content-Type": "text/xml"}
        server.faults.append(Fault.status(200, xml, b"<MediaContainer/>", at=is_listing, times=None))
        with pytest.raises(LibraryUnreadable, match="sections/1/all"):
            await read(make_backend(server, options=IMPATIENT))
