"""A fake Jellyfin that fails, lies, or tells half: nothing is lost, and everything is told."""

from __future__ import annotations

from contextlib import suppress

import pytest
from jellyfin_reading import QUICK, VERSIONS, Memory, all_credits, jellyfin, read, true_credits

from mediasync import MediaSync
from mediasync.errors import LibraryUnreadable, SourceError, SourceUnreachable
from mediasync.testing import Fault, make_catalogue
from mediasync.testing.jellyfin import FakeJellyfin
from mediasync.vocabulary import Completeness

pytestmark = pytest.mark.slow


@pytest.fixture(params=VERSIONS)
async def server(request):
    async with FakeJellyfin(make_catalogue(films=25, shows=1), version=request.param) as running:
        yield running


def listing(kind, *, people=True):
    def met(request):
        return request.first("includeItemTypes") == kind and ("People" in request.first("fields")) is people

    return met


def by_ids(request):
    return bool(request.first("ids"))


def persons(request):
    return request.first("includeItemTypes") == "Person"


def film(server, number):
    return server.item_id(server.catalogue.titled(f"Film {number}").remote_id)


@pytest.mark.parametrize(
    "fault",
    [Fault.reset, Fault.truncated, Fault.cut_json, Fault.html],
    ids=lambda fault: fault.__name__,
)
async def test_a_fault_that_passes_is_not_noticed(server, fault):
    server.faults.append(fault(at=listing("Movie")))
    reading = await read(jellyfin(server.url))
    assert all_credits(reading.items.values()) == true_credits(server.truth())
    assert [end.complete for end in reading.ends] == [True, True]


async def test_a_page_that_is_always_refused_is_read_item_by_item(server):
    server.broken = {film(server, 7)}
    reading = await read(jellyfin(server.url))
    assert set(reading.unreadable) == server.broken
    assert "500" in reading.unreadable[film(server, 7)]
    assert len(reading.items) == len(list(server.catalogue.items())) - 1
    assert [end.complete for end in reading.ends] == [True, True], "all of them were named"


async def test_one_broken_item_of_many_that_changed(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    for number in range(1, 26):
        server.catalogue.touch(server.catalogue.titled(f"Film {number}"))
    server.broken = {film(server, 7)}
    reading = await read(jellyfin(server.url), memory)
    assert set(reading.unreadable) == server.broken
    assert set(reading.items) == {film(server, number) for number in range(1, 26)} - server.broken


async def test_an_item_that_is_left_out_of_the_answer_is_no_empty_one(server, file_url):
    async with MediaSync(file_url) as ms:
        await ms.sync(jellyfin(server.url))
        key = film(server, 7)
        before = await ms.media.get_media_item(f"jf:{key}")
        server.catalogue.touch(server.catalogue.titled("Film 7"))
        server.missing = {key}
        report = await ms.sync(jellyfin(server.url))
        assert [failed for failed, _ in report.failed] == [f"jf:{key}"]
        assert "left out of the answer" in report.failed[0][1]
        assert (await ms.media.get_media_item(f"jf:{key}")).credits == before.credits != []
        server.missing = set()
        assert (await ms.sync(jellyfin(server.url))).failed == ()


async def test_an_answer_to_ids_with_what_nobody_asked_for(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    server.catalogue.touch(server.catalogue.titled("Film 7"))

    def other(answer):
        answer["Items"] = [{"Id": "f" * 32, "Type": "Folder", "Name": "movies"}]
        return answer

    server.faults.append(Fault.rewrite(other, at=by_ids, times=None))
    reading = await read(jellyfin(server.url), memory)
    assert set(reading.unreadable) == {film(server, 7)}
    assert reading.items == {}


async def test_a_listing_that_was_not_filtered(server):
    def all_films(answer):
        for item in answer["Items"]:
            item["Type"] = "Movie"
        return answer

    server.faults.append(Fault.rewrite(all_films, at=listing("Series"), times=None))
    reading = await read(jellyfin(server.url))
    films, shows = reading.ends
    assert films.complete
    assert not shows.complete
    assert "type 'Movie' was listed where Series was asked for" in shows.reason


async def test_a_listing_without_a_list(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    server.faults.append(Fault.empty(at=listing("Movie", people=False), times=None))
    with pytest.raises(LibraryUnreadable, match=r"Films.*/Items was answered without a list of items"):
        await read(jellyfin(server.url), memory)


async def test_items_without_ids_or_names_or_objects(server):
    def damage(answer):
        answer["Items"][0] = "no object"
        answer["Items"][1].pop("Id")
        answer["Items"][2].pop("Name")
        return answer

    server.faults.append(Fault.rewrite(damage, at=listing("Movie")))
    reading = await read(jellyfin(server.url))
    films, shows = reading.ends
    assert (films.complete, shows.complete) == (False, True)
    assert "without an id" in films.reason
    assert ["without a name" in reason for reason in reading.unreadable.values()] == [True]
    assert sum(item.media_type == "movie" for item in reading.items.values()) == 22


async def test_ids_and_titles_that_cannot_be_stored(server):
    def damage(answer):
        for folder in answer["Items"]:
            field = {"movies": "Id", "tvshows": "Name"}.get(folder.get("CollectionType"))
            if field:
                folder[field] = "a\0b"
        return answer

    server.faults.append(
        Fault.rewrite(damage, at=lambda request: request.path == "/Library/MediaFolders", times=None)
    )
    reading = await read(jellyfin(server.url))
    assert [(library.kind, library.title) for library in reading.libraries] == [("shows", "")]
    assert sorted(reading.remarks) == [
        "a library's Id is a text, not an id",
        "a library's Name is a text, not one that can be stored",
    ]


async def test_an_item_whose_id_cannot_be_stored(server):
    def damage(answer):
        answer["Items"][0]["Id"] = "a\0b"
        return answer

    server.faults.append(Fault.rewrite(damage, at=listing("Movie"), times=None))
    films, shows = (await read(jellyfin(server.url))).ends
    assert (films.complete, shows.complete) == (False, True)
    assert "without an id" in films.reason


async def test_people_of_wrong_types_are_never_taken_for_all(server):
    def damage(answer):
        first, second, third, *_ = answer["Items"]
        first["People"] = {"0": first["People"]}
        second["People"] = None
        third["People"][0] = 7
        return answer

    server.faults.append(Fault.rewrite(damage, at=listing("Movie")))
    reading = await read(jellyfin(server.url))
    problems = {
        found.item.remote_id: found.problems for found in reading.findings if getattr(found, "problems", ())
    }
    assert len(problems) == 3
    known = {reading.items[key].completeness for key in problems}
    assert known == {None, Completeness.PREVIEW}
    assert {reading.items[key].change_token for key in problems} == {None}
    whole = [item for key, item in reading.items.items() if key not in problems]
    assert {item.completeness for item in whole} == {Completeness.FULL}


@pytest.mark.parametrize("key", ["Role", "Name", "ProviderIds", "Genres", "RunTimeTicks", "CommunityRating"])
async def test_one_wrong_field_is_a_problem_of_its_item(server, key):
    server.faults.append(Fault.wrong_types(key, at=listing("Movie")))
    reading = await read(jellyfin(server.url))
    assert len(reading.items) == len(list(server.catalogue.items()))
    films = [
        found
        for found in reading.findings
        if getattr(getattr(found, "item", None), "media_type", "") == "movie"
    ]
    assert all(found.problems for found in films)
    assert {found.item.change_token for found in films} == {None}, "they are read again"


async def test_everything_of_wrong_types(server, file_url):
    async with MediaSync(file_url) as ms:
        await ms.sync(jellyfin(server.url))
        before = {
            item.remote_id: (await ms.media.get_media_item(f"jf:{item.remote_id}")).credits
            for item in server.truth().items()
        }
        server.faults.append(
            Fault.wrong_types(
                "People",
                "Genres",
                "Role",
                "ProviderIds",
                at=lambda r: "People" in r.first("fields"),
                times=None,
            )
        )
        await ms.sync(jellyfin(server.url), full=True)
        for key, credits_before in before.items():
            assert (await ms.media.get_media_item(f"jf:{key}")).credits == credits_before


async def test_a_deleted_library_is_not_an_empty_one(server):
    memory = Memory()
    backend = jellyfin(server.url)
    await read(backend, memory)
    async with backend.open():
        films = (await backend.fetch_libraries())[0]
        del server.catalogue.libraries[0]
        found = [finding async for finding in backend.iter_items(films, memory)]
    assert len(found) == 1
    assert not found[0].complete
    assert "does not list the library any more" in found[0].reason


async def test_a_library_that_was_emptied_is_empty(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    server.catalogue.library("1").items.clear()
    films, _ = (await read(jellyfin(server.url), memory)).ends
    assert films.complete
    assert films.total == 0


async def test_a_listing_that_is_refused_because_the_library_is_gone(server):
    memory = Memory()
    backend = jellyfin(server.url)
    await read(backend, memory)
    async with backend.open():
        films, shows = await backend.fetch_libraries()
        gone = server.catalogue.libraries.pop(0)
        server.faults.append(
            Fault.status(400, at=lambda r: r.first("parentId") == server.library_id(gone.id), times=None)
        )
        found = [finding async for finding in backend.iter_items(films, memory)]
        assert not found[-1].complete
        assert "any more" in found[-1].reason
        assert [f async for f in backend.iter_items(shows, memory)][-1].complete


async def test_a_listing_that_is_refused_though_the_library_is_there(server):
    server.faults.append(Fault.status(500, at=lambda request: bool(request.first("parentId")), times=None))
    with pytest.raises(LibraryUnreadable, match=r"Films.*GET /Items was answered with 500"):
        await read(jellyfin(server.url))


async def test_a_list_of_people_that_cannot_be_read(server):
    server.faults.append(Fault.status(403, at=persons, times=None))
    reading = await read(jellyfin(server.url))
    assert ["list of people cannot be read" in remark for remark in reading.remarks] == [True]
    assert all_credits(reading.items.values()) == true_credits(server.truth())


async def test_a_list_of_people_that_ends_early(server):
    def lose(answer):
        answer["TotalRecordCount"] += 5
        return answer

    server.faults.append(Fault.rewrite(lose, at=persons, times=None))
    reading = await read(jellyfin(server.url))
    assert ["not all people could be compared" in remark for remark in reading.remarks] == [True]


async def test_persons_without_an_id_or_of_another_type(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)

    def damage(answer):
        answer["Items"][0].pop("Id")
        answer["Items"][1]["Name"] = " "
        answer["Items"][2]["Type"] = "Movie"
        return answer

    server.faults.append(Fault.rewrite(damage, at=persons, times=None))
    assert (await read(jellyfin(server.url), memory)).people == {}


async def test_episodes_without_a_file_are_left_out():
    catalogue = make_catalogue(films=0, shows=1, seasons=1, episodes=3)
    async with FakeJellyfin(catalogue) as server:

        def lose_file(answer):
            answer["Items"][1]["LocationType"] = "Virtual"
            return answer

        server.faults.append(Fault.rewrite(lose_file, at=listing("Episode"), times=None))
        reading = await read(jellyfin(server.url))
        assert sum(item.media_type == "episode" for item in reading.items.values()) == 2
        assert ["1 episodes without a file" in remark for remark in reading.remarks] == [True]
        assert [(end.total, end.complete) for end in reading.ends] == [(0, True), (4, True)]


async def test_what_was_counted_is_counted_anew_when_it_is_read_again():
    catalogue = make_catalogue(films=0, shows=1, seasons=1, episodes=3)
    async with FakeJellyfin(catalogue) as server:

        def lose_file(answer):
            answer["Items"][1]["LocationType"] = "Virtual"
            return answer

        def begin(request):
            if listing("Episode")(request):
                server.before = None
                server.start_scan(ends_after=1)

        for people in (True, False):
            at = listing("Episode", people=people)
            server.faults.append(Fault.rewrite(lose_file, at=at, times=None))
        server.before = begin
        reading = await read(jellyfin(server.url))
        assert [remark for remark in reading.remarks if "without a file" in remark] == [
            "1 episodes without a file are listed by the server, and left out"
        ]
        assert [(end.total, end.complete) for end in reading.ends] == [(0, True), (4, True)]


async def test_episodes_of_a_season_that_is_not_listed_belong_to_their_show():
    catalogue = make_catalogue(films=0, shows=1, seasons=2, episodes=2)
    async with FakeJellyfin(catalogue) as server:
        gone = server.item_id(next(item for item in catalogue.items() if item.title == "Season 2").remote_id)

        def forget(answer):
            answer["Items"] = [item for item in answer["Items"] if item["Id"] != gone]
            answer["TotalRecordCount"] = len(answer["Items"])
            return answer

        server.faults.append(Fault.rewrite(forget, at=listing("Season"), times=None))
        reading = await read(jellyfin(server.url))
        show = next(item for item in reading.items.values() if item.media_type == "show")
        second = [
            item
            for item in reading.items.values()
            if item.media_type == "episode" and item.season_number == 2
        ]
        assert {item.parent_remote_id for item in second} == {show.remote_id}


async def test_a_total_that_is_not_reached(server):
    def more(answer):
        answer["TotalRecordCount"] += 10
        return answer

    server.faults.append(Fault.rewrite(more, at=listing("Movie"), times=None))
    films, _ = (await read(jellyfin(server.url))).ends
    assert not films.complete


async def test_a_server_that_answers_too_late_is_asked_for_less(server):
    server.faults.append(Fault.hang(at=listing("Movie"), times=None))
    options = QUICK.model_copy(update={"read_timeout": 1.0, "tries": 1})
    reading = await read(jellyfin(server.url, options=options))
    assert all_credits(reading.items.values()) == true_credits(server.truth())


async def test_a_server_that_went_away(server):
    server.faults.append(Fault.reset(at=listing("Movie"), times=None))
    with pytest.raises(SourceUnreachable):
        await read(jellyfin(server.url))


@pytest.mark.parametrize("number", range(3, 10))
@pytest.mark.parametrize("kind", ["reset", "html", "cut_json", "empty", "status"])
@pytest.mark.parametrize("server", VERSIONS[:1], indirect=True)  # both versions get the same requests
async def test_whatever_fails_for_good_nothing_is_spoilt(server, number, kind, file_url):
    async with MediaSync(file_url) as ms:
        make = getattr(Fault, kind)
        fault = make(500, at=number, times=None) if kind == "status" else make(at=number, times=None)
        server.faults.append(fault)
        with suppress(SourceError):
            await ms.sync(jellyfin(server.url))
        for run in await ms.list_runs():
            assert "fixture-api-key" not in (run.error or "")
        server.faults.clear()
        report = await ms.sync(jellyfin(server.url))
        assert report.failed == ()
        for item in server.truth().items():
            stored = await ms.media.get_media_item(f"jf:{item.remote_id}")
            assert [c.person.name for c in stored.credits] == [c.person.name for c in item.credits or ()]


async def test_leaving_in_the_middle_leaves_nothing_behind(server):
    backend = jellyfin(server.url)
    async with backend.open():
        library = (await backend.fetch_libraries())[0]
        stream = backend.iter_items(library, Memory())
        await anext(stream)
        await stream.aclose()
