"""Reading a fake Jellyfin: everything at first, then what changed."""

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

from mediasync import Credit, MediaSync, Movie, Person, PersonType
from mediasync.backends.base import FoundPerson
from mediasync.backends.jellyfin import person_list
from mediasync.testing import make_catalogue
from mediasync.testing.jellyfin import FakeJellyfin
from mediasync.vocabulary import Completeness, MediaType


@pytest.fixture(params=VERSIONS)
async def server(request):
    async with FakeJellyfin(make_catalogue(films=30, shows=3, hard=True), version=request.param) as running:
        yield running


async def test_all_items_and_all_people_of_a_first_reading(server):
    reading = await read(jellyfin(server.url))
    truth = server.truth()
    assert [(library.id, library.title, library.kind) for library in reading.libraries] == [
        (library.id, library.title, library.kind) for library in truth.libraries
    ]
    assert list(reading.items) != []
    assert all_credits(reading.items.values()) == true_credits(truth)
    for item in truth.items():
        found = reading.items[item.remote_id]
        same = ("title", "overview", "tagline", "year", "premiere_date", "runtime_seconds", "content_rating")
        same += ("genres", "provider_ids", "path", "added_at", "media_type")
        assert {name: getattr(found, name) for name in same} == {name: getattr(item, name) for name in same}
        for name in ("parent_remote_id", "season_number", "episode_number", "episode_number_end"):
            assert getattr(found, name, None) == getattr(item, name, None), (item.title, name)
        assert found.completeness is Completeness.FULL
        assert found.change_token.startswith("1:")
    assert (reading.remarks, reading.unreadable) == ([], {})
    assert [(end.total, end.complete) for end in reading.ends] == [
        (len(library.items), True) for library in truth.libraries
    ]


async def test_ratings_and_pictures(server):
    reading = await read(jellyfin(server.url))
    film = reading.items[server.item_id("1")]
    assert [(rating.name, rating.value) for rating in film.ratings] == [("community", 5.1)]
    assert film.images["poster"].startswith(f"Items/{film.remote_id}/Images/Primary?tag=")


async def test_shows_come_before_their_seasons_and_those_before_their_episodes(server):
    kinds = [item.media_type for item in (await read(jellyfin(server.url))).items.values()]
    order = [MediaType.MOVIE, MediaType.SHOW, MediaType.SEASON, MediaType.EPISODE]
    assert kinds == sorted(kinds, key=order.index)


async def test_the_mirror_holds_what_the_server_has(server, file_url):
    async with MediaSync(file_url) as ms:
        report = await ms.sync(jellyfin(server.url))
        assert (report.failed, report.problems, report.remarks) == ((), (), ())
        for item in server.truth().items():
            stored = await ms.media.get_media_item(f"jf:{item.remote_id}")
            expected = [
                (str(credit.person_type), credit.person.name, credit.role) for credit in item.credits or ()
            ]
            assert [(str(c.person_type), c.person.name, c.role) for c in stored.credits] == expected
        before = len(server.requests)
        again = await ms.sync(jellyfin(server.url))
        assert (again.run.saved, again.run.unchanged) == (0, report.run.saved)
        assert with_people(server.requests[before:]) == []
        assert (await ms.check()).flaws == ()


async def test_an_unchanged_resync_reads_nobody(server):
    memory = Memory()
    first = await read(jellyfin(server.url), memory)
    before = len(server.requests)
    second = await read(jellyfin(server.url), memory)
    assert second.unchanged == set(first.items)
    assert (second.items, second.people) == ({}, {})
    assert with_people(server.requests[before:]) == []
    assert [end.complete for end in second.ends] == [True, True]


async def test_only_what_changed_is_read_again(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    film = server.catalogue.titled("Film 7")
    new = server.catalogue.new_person("New Player")
    server.catalogue.edit_cast(film.remote_id, [Credit(person=new, person_type="actor", role="Lead")])
    added = server.catalogue.add("1", Movie(remote_id=server.catalogue.new_key(), title="Added", credits=[]))
    before = len(server.requests)
    reading = await read(jellyfin(server.url), memory)
    assert set(reading.items) == {server.item_id(film.remote_id), server.item_id(added.remote_id)}
    assert [c[2:4] for c in credits_of(reading.items[server.item_id(film.remote_id)])] == [
        ("New Player", "Lead")
    ]
    assert reading.items[server.item_id(added.remote_id)].completeness is Completeness.FULL
    assert len(with_people(server.requests[before:])) == 1


async def test_a_removed_item_is_not_named_any_more(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    gone = server.catalogue.titled("Film 3").remote_id
    server.catalogue.remove(gone)
    reading = await read(jellyfin(server.url), memory)
    assert server.item_id(gone) not in reading.unchanged
    films, shows = reading.ends
    assert films.complete
    assert films.total == len(memory.items) - shows.total - 1


async def test_a_new_picture_comes_from_the_list_of_people(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    person = server.catalogue.titled("Film 1").credits[0].person
    server.catalogue.set_picture(person.remote_id, "new.jpg")
    row = server.person_row(person)
    reading = await read(jellyfin(server.url), memory)
    assert reading.items == {}
    assert {key: other.image_path for key, other in reading.people.items()} == {
        row.id: f"Items/{row.id}/Images/Primary?tag={row.tag}"
    }
    assert (await read(jellyfin(server.url), memory)).people == {}


async def test_provider_ids_come_with_the_first_reading_and_later_ones_from_the_list(server):
    person = server.catalogue.titled("Film 1").credits[0].person
    person.provider_ids = {"imdb": "nm0000501"}
    memory = Memory()
    await read(jellyfin(server.url), memory)
    key = server.person_row(person).id
    assert memory.people[key].provider_ids == {"imdb": "nm0000501"}
    person.provider_ids = {"imdb": "nm0000501", "tmdb": "501"}
    reading = await read(jellyfin(server.url), memory)
    assert {key: other.provider_ids for key, other in reading.people.items()} == {key: person.provider_ids}
    assert reading.items == {}


async def test_a_renamed_person_makes_their_items_be_read_again(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    person = server.catalogue.titled("Film 1").credits[0].person
    old_name, key = person.name, server.person_row(person).id
    credited = {server.item_id(item.remote_id) for item in server.catalogue.credited(person.remote_id)}
    server.catalogue.rename_person(person.remote_id, "Renamed Player")
    renamed = await read(jellyfin(server.url), memory)
    assert set(renamed.items) == credited
    assert all(key != credit[1] for item in renamed.items.values() for credit in credits_of(item))
    assert renamed.people[key].name == "Renamed Player"
    assert (await read(jellyfin(server.url), memory)).items == {}

    server.catalogue.rename_person(person.remote_id, old_name)
    back = await read(jellyfin(server.url), memory)
    assert set(back.items) == credited, "the mirror knows none of them now: the server names them"
    assert all_credits(memory.items.values()) == true_credits(server.truth())
    assert memory.people[key].name == old_name


async def test_a_renaming_is_reported_when_its_items_were_read_again(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    person = next(
        person
        for person in server.catalogue.people().values()
        if {item.media_type for item in server.catalogue.credited(person.remote_id)} >= {"movie", "episode"}
    )
    server.catalogue.rename_person(person.remote_id, "Renamed Player")
    reading = await read(jellyfin(server.url), memory)
    (told,) = reading.of(FoundPerson)
    place = reading.findings.index(told)
    assert reading.findings.index(reading.ends[0]) == place + 1, "after the items of the first library"
    assert any(item.media_type == "episode" for item in reading.items.values()), "and in the second one too"


async def test_a_renaming_is_seen_if_only_one_library_is_read(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    person = server.catalogue.titled("Film 1").credits[0].person
    old_name = person.name
    for name in ("Renamed Player", old_name):
        server.catalogue.rename_person(person.remote_id, name)
        backend = jellyfin(server.url)
        async with backend.open():
            films = (await backend.fetch_libraries())[0]
            memory.take([finding async for finding in backend.iter_items(films, memory)])
    film = memory.items[server.item_id(server.catalogue.titled("Film 1").remote_id)]
    assert old_name in {credit.person.name for credit in film.credits}


async def test_a_renaming_reaches_the_mirror_and_back(server, file_url):
    person = server.catalogue.titled("Film 1").credits[0].person
    old_name = person.name
    async with MediaSync(file_url) as ms:
        await ms.sync(jellyfin(server.url))
        for name in ("Renamed Player", old_name, "Third Name", old_name):
            server.catalogue.rename_person(person.remote_id, name)
            report = await ms.sync(jellyfin(server.url))
            assert report.run.saved == len(server.catalogue.credited(person.remote_id))
            for item in server.truth().items():
                stored = await ms.media.get_media_item(f"jf:{item.remote_id}")
                assert [c.person.name for c in stored.credits] == [c.person.name for c in item.credits]
            found = await ms.people.find_by_id(f"jf:{server.person_row(person).id}")
            assert found is None or found.name == name, "items may credit another row of the server"
            assert (await ms.sync(jellyfin(server.url))).run.saved == 0


async def test_after_very_many_renamings_everything_is_read_again(server):
    memory = Memory()
    first = await read(jellyfin(server.url), memory)
    for person in list(server.catalogue.people().values()):
        person.name = f"{person.name} II"
    before = len(server.requests)
    second = await read(jellyfin(server.url), memory)
    assert set(second.items) == set(first.items)
    assert not [request for request in server.requests[before:] if request.first("personIds")]
    assert all_credits(second.items.values()) == true_credits(server.truth())


async def test_everything_is_read_when_no_token_is_known(server):
    memory = Memory()
    first = await read(jellyfin(server.url), memory)
    for item in memory.items.values():
        item.change_token = None
    second = await read(jellyfin(server.url), memory)
    assert set(second.items) == set(first.items)


async def test_an_interrupted_first_sync_is_carried_on_with(server):
    memory = Memory()
    first = await read(jellyfin(server.url), memory)
    for key in list(memory.items)[10:]:
        del memory.items[key]
    before = len(server.requests)
    second = await read(jellyfin(server.url), memory)
    assert second.unchanged == set(list(first.items)[:10])
    assert set(second.items) == set(first.items) - second.unchanged
    assert all(request.first("ids") for request in with_people(server.requests[before:]))


async def test_some_items_only(server):
    memory = Memory()
    await read(jellyfin(server.url), memory)
    episode = next(item for item in server.catalogue.items() if item.media_type is MediaType.EPISODE)
    show = next(item for item in server.catalogue.items() if item.media_type is MediaType.SHOW)
    wanted = [server.item_id(item.remote_id) for item in (episode, show)]
    backend = jellyfin(server.url)
    async with backend.open():
        library = (await backend.fetch_libraries())[1]
        found = [
            finding async for finding in backend.iter_items(library, memory, only=[*wanted, "0" * 31 + "2"])
        ]
    unknown, *items, end = found
    assert [finding.item.remote_id for finding in items] == [wanted[1], wanted[0]], "the show comes first"
    assert unknown.remote_id == "0" * 31 + "2"
    assert (end.complete, end.total) == (False, None)


async def test_an_item_of_another_library_is_not_taken_for_one_of_this(server):
    server.kinds = {"1": "mixed", "2": "mixed"}
    film = server.item_id("1")
    reading = await read(jellyfin(server.url), only=[film])
    libraries = [library.id for library in reading.libraries]
    places = [
        [type(finding).__name__ for finding in reading.findings].index(name)
        for name in ("Found", "Enumerated", "Unreadable")
    ]
    assert len(libraries) == 2
    assert places == sorted(places), "the first library gives it, the second one does not"
    assert set(reading.items) == {film}
    assert "does not list it" in reading.unreadable[film]


async def test_a_library_without_a_kind_may_hold_films_and_shows():
    catalogue = make_catalogue(films=2, shows=1)
    catalogue.libraries[0].items += catalogue.libraries.pop().items
    async with FakeJellyfin(catalogue) as server:
        server.kinds["1"] = None
        reading = await read(jellyfin(server.url))
        assert [library.kind for library in reading.libraries] == ["mixed"]
        assert set(reading.items) == {server.item_id(item.remote_id) for item in catalogue.items()}


async def test_libraries_of_other_kinds_are_not_listed(server):
    server.kinds["1"] = "music"
    reading = await read(jellyfin(server.url))
    assert [library.kind for library in reading.libraries] == ["shows"]
    assert of_type(server.requests, "Movie") == []


async def test_two_roles_of_one_person(server):
    reading = await read(jellyfin(server.url))
    film = next(item for item in reading.items.values() if item.title == "Two roles of one person")
    roles = [credit.role for credit in film.credits if credit.person.name == "Peter Sellers"]
    both = ["Group Captain Lionel Mandrake", "President Merkin Muffley"]
    assert roles == (both if server.version == "12.0" else both[:1])


async def test_one_person_in_several_functions_and_one_nobody_knows(server):
    reading = await read(jellyfin(server.url))
    films = {item.title: item for item in reading.items.values()}
    eastwood = films["An actor who also directs, writes and produces"]
    assert [credit.person_type for credit in eastwood.credits] == [
        PersonType.ACTOR,
        PersonType.DIRECTOR,
        PersonType.WRITER,
        PersonType.PRODUCER,
    ]
    odd = films["Types that no vocabulary has"]
    assert {credit.person_type for credit in odd.credits} == {PersonType.UNKNOWN, PersonType.COMPOSER}


async def test_homonyms_are_one_person_to_the_server(server):
    reading = await read(jellyfin(server.url))
    film = next(item for item in reading.items.values() if item.title == "Two people of one name")
    assert len({credit.person.remote_id for credit in film.credits}) == 1


async def test_more_people_than_one_page_of_them(monkeypatch):
    monkeypatch.setattr(person_list, "PAGE_OF_PERSONS", 1_000)
    films = [
        Movie(
            remote_id=str(number),
            title=f"Film {number}",
            credits=[
                Credit(
                    person=Person(
                        remote_id=str(1_000_000 + number * 100 + place), name=f"Player {number}.{place}"
                    ),
                    person_type="actor",
                )
                for place in range(30)
            ],
        )
        for number in range(50)
    ]
    catalogue = make_catalogue(films=0, shows=0)
    catalogue.libraries[0].items += films
    async with FakeJellyfin(catalogue) as server:
        memory = Memory()
        await read(jellyfin(server.url), memory)
        films[49].credits[0].person.image_path = "new.jpg"
        reading = await read(jellyfin(server.url), memory)
        assert len(of_type(server.requests, "Person")) == 4
        assert [person.name for person in reading.people.values()] == ["Player 49.0"]
