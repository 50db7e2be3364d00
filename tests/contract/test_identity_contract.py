"""People without an id at the source: which of them are one, on every engine."""

from __future__ import annotations

from pathlib import Path

from support.engines import POSTGRES
from support.identities import one, people, save
from support.items import MOVIES, credit, movie, person
from support.mirror import Clock, prepared, public, rows, written

from mediasync import MediaSync, copy_mirror


async def credits_of(ms: MediaSync, key: str) -> list[tuple[str, str, str | None]]:
    return [
        (found.person.id or "", str(found.person_type), found.role)
        for found in await ms.people.find_by_media_item(f"home:{key}")
    ]


async def test_an_id_and_then_that_id_with_another_are_one_person(ms: MediaSync) -> None:
    await save(ms, [one("Ada", imdb="nm1")], [one("Ada", imdb="nm1", tmdb="7")], [one("Ada L.", tmdb="7")])
    assert await people(ms) == {"home:imdb:nm1": ("Ada L.", {"imdb": "nm1", "tmdb": "7"})}
    for key in ("001", "002", "003"):
        assert await credits_of(ms, key) == [("home:imdb:nm1", "actor", None)]


async def test_two_people_who_are_one_become_the_one_first_seen(ms: MediaSync, clock: Clock) -> None:
    await save(ms, [one("Ada", tmdb="7")], [one("A. Lovelace", imdb="nm1"), one("Bo"), one("Ada", tmdb="7")])
    assert sorted(await people(ms)) == ["home:imdb:nm1", "home:name:bo", "home:tmdb:7"]
    before = {row[0]: row for row in await rows(ms, "SELECT id, created_at, updated_at FROM media_items")}
    clock.tick()
    await save(ms, [one("Ada", imdb="nm1", tmdb="7")])
    assert await people(ms) == {
        "home:name:bo": ("Bo", {}),
        "home:tmdb:7": ("Ada", {"imdb": "nm1", "tmdb": "7"}),
    }
    assert await credits_of(ms, "002") == [("home:tmdb:7", "actor", None), ("home:name:bo", "actor", None)]
    after = {row[0]: row for row in await rows(ms, "SELECT id, created_at, updated_at FROM media_items")}
    assert after["home:001"] == before["home:001"]
    assert after["home:002"][2] > before["home:002"][2]
    joined = await ms.people.find_by_id("home:imdb:nm1")
    assert joined is not None
    assert joined.id == "home:tmdb:7"
    assert [found.media_item_id for found in await ms.people.filmography("home:tmdb:7")] == [
        "home:001",
        "home:002",
        "home:003",
    ]
    assert [found.id for found in await ms.people.search("lovelace")] == []
    assert (await ms.check()).flaws == ()


async def test_data_of_the_merged_person_is_kept(ms: MediaSync) -> None:
    pictured = credit(name="Ada", provider_ids={"imdb": "nm1"}, image_path="ada.jpg")
    await save(ms, [one("Ada", tmdb="7")], [pictured], [one("Ada", imdb="nm1", tmdb="7")])
    [found] = [await ms.people.find_by_id(person_id) for person_id in await people(ms)]
    assert found is not None
    assert (found.id, found.image_path) == ("home:tmdb:7", "ada.jpg")


async def test_a_name_without_an_id_belongs_to_the_only_person_with_it(ms: MediaSync) -> None:
    await save(ms, [one("Danny Boil", tmdb="7")], [one("DANNY  boil", kind="director")])
    assert list(await people(ms)) == ["home:tmdb:7"]
    assert await credits_of(ms, "002") == [("home:tmdb:7", "director", None)]


async def test_a_person_known_by_name_gains_provider_ids_and_keeps_its_id(ms: MediaSync) -> None:
    await save(
        ms, [one("Danny Boil")], [one("Danny Boil", tmdb="7", imdb="nm1")], [one("D. Boil", imdb="nm1")]
    )
    assert await people(ms) == {"home:name:danny boil": ("Danny Boil", {"imdb": "nm1", "tmdb": "7"})}


async def test_people_of_one_name_with_different_ids_stay_apart(ms: MediaSync) -> None:
    await save(ms, [one("Jo", tmdb="1")], [one("Jo", tmdb="2")], [one("Jo", imdb="nm3")], [one("Jo")])
    assert await people(ms) == {
        "home:tmdb:1": ("Jo", {"tmdb": "1"}),
        "home:tmdb:2": ("Jo", {"tmdb": "2"}),
        "home:imdb:nm3": ("Jo", {"imdb": "nm3"}),
        "home:name:jo": ("Jo", {}),
    }
    await save(ms, [one("Jo", tmdb="4")], [one("Jo")])
    assert len(await people(ms)) == 5
    assert await credits_of(ms, "006") == [("home:name:jo", "actor", None)]


async def test_two_ids_at_one_provider_are_never_one_person(ms: MediaSync) -> None:
    await save(ms, [one("Jo", tmdb="1", imdb="nm1")], [one("Jo", tmdb="2", imdb="nm1")])
    await save(ms, [one("Jo", tmdb="1", imdb="nm2")])
    assert await people(ms) == {
        "home:tmdb:1": ("Jo", {"tmdb": "1", "imdb": "nm1"}),
        "home:tmdb:2": ("Jo", {"tmdb": "2", "imdb": "nm1"}),
        "home:imdb:nm2": ("Jo", {"tmdb": "1", "imdb": "nm2"}),
    }


async def test_homonyms_in_one_list_are_not_merged_with_a_name_without_ids(ms: MediaSync) -> None:
    await save(ms, [one("Jo")], [one("Jo", tmdb="1", role="a"), one("Jo", tmdb="2", role="b")])
    assert sorted(await people(ms)) == ["home:name:jo", "home:tmdb:1", "home:tmdb:2"]


async def test_a_name_without_ids_is_the_only_person_of_that_name_in_its_list(ms: MediaSync) -> None:
    await save(ms, [one("Jo", tmdb="1")], [one("Jo", tmdb="2")])
    for _ in range(2):
        await save(ms, [one("JO", kind="writer"), one("Jo", tmdb="2")])
    assert sorted(await people(ms)) == ["home:tmdb:1", "home:tmdb:2"]
    for key in ("003", "004"):
        assert await credits_of(ms, key) == [("home:tmdb:2", "writer", None), ("home:tmdb:2", "actor", None)]


async def test_credits_that_become_equal_are_one(ms: MediaSync) -> None:
    both = [one("Ada", tmdb="7", role="Neo"), one("Bo"), one("Ada", imdb="nm1", role="Neo"), one("Cy")]
    await save(ms, both)
    assert len(await credits_of(ms, "001")) == 4
    await save(ms, [one("Ada", tmdb="7", imdb="nm1")])
    ada = "home:tmdb:7"
    expected = [(ada, "actor", "Neo"), ("home:name:bo", "actor", None), ("home:name:cy", "actor", None)]
    assert await credits_of(ms, "001") == expected
    before = await written(ms)
    result = await ms.media.save_media_item(movie("001", credits=both), **MOVIES)
    assert str(result.status) == "unchanged"
    assert await written(ms) == before
    changed = await ms.media.save_media_item(movie("001", credits=[*both, one("Di")]), **MOVIES)
    assert str(changed.status) == "saved"
    assert await credits_of(ms, "001") == [*expected, ("home:name:di", "actor", None)]
    assert (await ms.check()).flaws == ()


async def test_saving_an_item_again_writes_nothing(ms: MediaSync, clock: Clock) -> None:
    lists = [
        [one("Ada", imdb="nm1")],
        [one("Ada", imdb="nm1", tmdb="7")],
        [one("ada")],
        [one("Ada", tmdb="7")],
    ]
    await save(ms, *lists)
    stored, before = await public(ms), await written(ms)
    clock.tick()
    films = [movie(f"{place:03}", credits=credits_) for place, credits_ in enumerate(lists, 1)]
    for _ in range(2):
        report = await ms.media.save_media_items(films, **MOVIES)
        assert (report.saved, report.unchanged) == (0, 4)
        report = await ms.media.save_media_items(
            await ms.media.find_media_items([f"home:{place:03}" for place in range(1, 5)]), **MOVIES
        )
        assert report.saved == 0
    assert (await public(ms), await written(ms)) == (stored, before)


async def test_people_with_source_ids_are_never_merged(ms: MediaSync) -> None:
    await ms.media.save_media_item(
        movie("1", credits=[credit("a", "Jo", provider_ids={"tmdb": "1"}), credit("b", "Jo")]), **MOVIES
    )
    await ms.media.save_media_item(
        movie("2", credits=[credit("c", "Jo", provider_ids={"tmdb": "1"}), one("Jo", tmdb="1")]), **MOVIES
    )
    assert sorted(await people(ms)) == ["home:a", "home:b", "home:c", "home:tmdb:1"]


async def test_people_who_are_saved_alone_are_found_in_the_same_way(ms: MediaSync) -> None:
    assert await ms.people.upsert_batch(
        [
            person(name="Ada", provider_ids={"imdb": "nm1"}),
            person(name="Ada", provider_ids={"imdb": "nm1", "tmdb": "7"}),
            person(name="Bo"),
            person(name="Ada", provider_ids={"tmdb": "7"}),
        ],
        source_id="home",
    ) == ["home:imdb:nm1", "home:imdb:nm1", "home:name:bo", "home:imdb:nm1"]
    assert await ms.people.upsert(person(name="bo", provider_ids={"tmdb": "2"}), source_id="home") == (
        "home:name:bo"
    )
    await save(ms, [one("Bo", tmdb="2")])
    assert await credits_of(ms, "001") == [("home:name:bo", "actor", None)]


async def test_a_list_that_is_saved_alone_is_found_in_the_same_way(ms: MediaSync) -> None:
    await save(ms, [one("Ada", imdb="nm1")], [])
    await ms.media.save_media_people("home:002", [one("Ada", imdb="nm1", tmdb="7")])
    assert list(await people(ms)) == ["home:imdb:nm1"]
    await ms.media.save_media_people("home:002", [one("A", tmdb="7"), one("Ada", kind="writer")])
    assert list(await people(ms)) == ["home:imdb:nm1"]


async def test_a_deleted_person_leaves_no_alias(ms: MediaSync) -> None:
    await save(ms, [one("Ada", imdb="nm1", tmdb="7")])
    await ms.media.delete_media_item("home:001")
    assert await ms.people.delete("home:tmdb:7")
    await save(ms, [one("Ada", imdb="nm1")])
    assert list(await people(ms)) == ["home:imdb:nm1"]
    assert (await ms.check()).flaws == ()


async def test_a_copy_knows_the_same_people(tmp_path: Path) -> None:
    origin, target = f"sqlite:///{tmp_path / 'origin.db'}", POSTGRES.new_mirror_url(tmp_path)
    async with MediaSync(origin) as ms:
        await prepared(ms)
        await save(ms, [one("Ada", imdb="nm1", tmdb="7")], [one("Jo", tmdb="1")], [one("Jo", tmdb="2")])
    await copy_mirror(origin, target)
    async with MediaSync(target) as copy:
        await save(copy, [one("A.", imdb="nm1"), one("A.", kind="writer"), one("Jo")])
        assert await credits_of(copy, "004") == [
            ("home:tmdb:7", "actor", None),
            ("home:tmdb:7", "writer", None),
            ("home:name:jo", "actor", None),
        ]


async def test_the_name_of_a_merged_person_and_of_another_is_nobodys_in_one_group_too(ms: MediaSync) -> None:
    """A group must decide as one save after the other does."""
    bare = one("Ann")
    lists = [
        [one("Bo"), bare],
        [bare, one("Ann", imdb="2")],
        [one("Bo", tmdb="2")],
        [one("Ann", tmdb="2", imdb="2")],  # now Ann is Bo
        [one("Ann", tmdb="1")],
        [bare],
    ]
    films = [movie(f"{place:03}", credits=credits_) for place, credits_ in enumerate(lists, 1)]
    report = await ms.media.save_media_items(films, **MOVIES)
    assert report.failed == []
    assert await credits_of(ms, "006") == [("home:name:ann", "actor", None)]
    assert await credits_of(ms, "005") == [("home:tmdb:1", "actor", None)]
    assert await people(ms) == {
        "home:name:bo": ("Bo", {"imdb": "2", "tmdb": "2"}),
        "home:tmdb:1": ("Ann", {"tmdb": "1"}),
        "home:name:ann": ("Ann", {}),
    }
