"""People: saved alone and in batches, found by id, item and name, deleted if no credit refers to them."""

from __future__ import annotations

import pytest
from support.engines import POSTGRES, SQLITE_FILE
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, person, season, show
from support.mirror import Clock, prepared, public, rows, value, written

from mediasync import MediaSync, Person, PersonType, Source
from mediasync.database.session import Session
from mediasync.errors import InvalidId, PersonInUse, UnknownSource, UsageError
from mediasync.repositories.people import PeopleRepository
from mediasync.saving.normal import normal_person
from mediasync.testing import database_of


async def names(ms: MediaSync, text: str, **options: object) -> list[str]:
    return [found.name for found in await ms.people.search(text, **options)]  # type: ignore[arg-type]


async def test_upsert_returns_the_id_and_stores_every_field(ms: MediaSync, clock: Clock) -> None:
    given = person(
        "7", "Keanu Reeves", image_path="people/7.jpg", provider_ids={"TMDB": " 6384 ", "imdb": "nm1"}
    )
    assert await ms.people.upsert(given, source_id="home") == "home:7"
    found = await ms.people.find_by_id("home:7")
    assert found is not None
    assert found.model_dump(exclude={"created_at", "updated_at"}) == {
        "id": "home:7",
        "source_id": "home",
        "remote_id": "7",
        "name": "Keanu Reeves",
        "image_path": "people/7.jpg",
        "provider_ids": {"imdb": "nm1", "tmdb": "6384"},
    }
    assert found.created_at == found.updated_at
    assert found.created_at is not None
    assert round(found.created_at.timestamp() * 1000) == clock.now


async def test_upsert_of_what_is_stored_writes_nothing(ms: MediaSync, clock: Clock) -> None:
    given = person("7", "Keanu Reeves", image_path="a", provider_ids={"imdb": "nm1"})
    await ms.people.upsert(given, source_id="home")
    before, changes = await public(ms), await written(ms)
    clock.tick()
    await ms.people.upsert(given, source_id="home")
    await ms.people.upsert(person("7", " Keanu Reeves "), source_id="home")
    assert (await public(ms), await written(ms)) == (before, changes)


async def test_missing_never_overwrites_present(ms: MediaSync, clock: Clock) -> None:
    await ms.people.upsert(
        person("7", "Keanu", image_path="a", provider_ids={"imdb": "nm1", "tmdb": "1"}), source_id="home"
    )
    clock.tick()
    await ms.people.upsert(person("7", "Keanu Reeves", provider_ids={"tmdb": "2"}), source_id="home")
    found = await ms.people.find_by_id("home:7")
    assert found is not None
    assert (found.name, found.image_path) == ("Keanu Reeves", "a")
    assert found.provider_ids == {"imdb": "nm1", "tmdb": "2"}
    assert found.created_at is not None
    assert found.updated_at is not None
    assert found.updated_at > found.created_at


async def test_upsert_takes_the_source_from_the_person(ms: MediaSync) -> None:
    assert await ms.people.upsert(Person(id="home:a:b", name="A")) == "home:a:b"
    assert await ms.people.upsert(Person(source_id="home", remote_id="c", name="C")) == "home:c"
    assert await ms.people.upsert(Person(source_id="home", name=" D  d ")) == "home:name:d d"
    with pytest.raises(UsageError, match="source"):
        await ms.people.upsert(Person(remote_id="c", name="C"))
    with pytest.raises(InvalidId, match="other"):
        await ms.people.upsert(Person(id="other:c", name="C"), source_id="home")
    with pytest.raises(UnknownSource, match="other"):
        await ms.people.upsert(Person(id="other:c", name="C"))
    with pytest.raises(UsageError, match="empty"):
        await ms.people.upsert(person("c", " \u00a0"), source_id="home")


async def test_upsert_batch_saves_all_or_nobody_and_returns_ids_in_order(ms: MediaSync) -> None:
    given = [person(key) for key in ("b", "a", "c", "a")]
    assert await ms.people.upsert_batch(given, source_id="home") == ["home:b", "home:a", "home:c", "home:a"]
    assert await ms.people.count() == 3
    with pytest.raises(UsageError):
        await ms.people.upsert_batch([person("x"), person("y", " ")], source_id="home")
    with pytest.raises(UnknownSource):
        await ms.people.upsert_batch([Person(id="home:x", name="X"), Person(id="nowhere:1", name="N")])
    assert await ms.people.count() == 3
    assert await ms.people.upsert_batch([], source_id="home") == []


async def test_upsert_batch_of_thousands(ms: MediaSync) -> None:
    given = [person(f"{number:05}") for number in range(5_000)]
    await ms.people.upsert_batch(given, source_id="home")
    before = await written(ms)
    await ms.people.upsert_batch(given, source_id="home")
    assert (await ms.people.count("home"), await written(ms)) == (5_000, before)


async def test_one_person_twice_in_a_batch_is_merged(ms: MediaSync) -> None:
    await ms.people.upsert_batch(
        [person("a", "First", image_path="i"), person("a", "Last", provider_ids={"imdb": "nm1"})],
        source_id="home",
    )
    found = await ms.people.find_by_id("home:a")
    assert found is not None
    assert (found.name, found.image_path, found.provider_ids) == ("Last", "i", {"imdb": "nm1"})


async def test_upsert_people_streams_pages(ms: MediaSync) -> None:
    async def stream() -> object:
        for number in range(2_500):
            yield person(str(number))

    assert await ms.media.upsert_people(stream(), source_id="home") == 2_500  # type: ignore[arg-type]
    assert await ms.media.upsert_people((person(str(n)) for n in range(3)), source_id="home") == 0
    assert await ms.media.upsert_people([], source_id="home") == 0
    with pytest.raises(UnknownSource):
        await ms.media.upsert_people([person("1")], source_id="nowhere")


async def test_an_upsert_returns_whether_a_row_changed(ms: MediaSync) -> None:
    async def upsert(name: str) -> bool:
        row = normal_person(person("a", name), "home")
        return await database_of(ms).write(lambda session: PeopleRepository(session).upsert(row))

    assert await upsert("A")
    assert not await upsert("A")
    assert await upsert("B")


async def test_find_by_id_of_an_unknown_person(ms: MediaSync) -> None:
    assert await ms.people.find_by_id("home:nobody") is None
    assert await ms.people.find_by_id("no id at all") is None


async def test_find_by_media_item_is_in_billing_order(ms: MediaSync) -> None:
    given = [credit("z", role="Z"), credit("a", kind="director"), credit("m", kind="GuestStar", role="M")]
    await ms.media.save_media_item(movie(credits=given), **MOVIES)
    found = await ms.people.find_by_media_item("home:1")
    assert [(one.person.id, one.person_type, one.role, one.sort_order) for one in found] == [
        ("home:z", PersonType.ACTOR, "Z", 0),
        ("home:a", PersonType.DIRECTOR, None, 1),
        ("home:m", PersonType.GUEST_STAR, "M", 2),
    ]
    assert await ms.people.find_by_media_item("home:2") == []


async def test_find_by_media_items_answers_for_each(ms: MediaSync) -> None:
    for key in ("1", "2"):
        await ms.media.save_media_item(movie(key, credits=cast(key, "both")), **MOVIES)
    found = await ms.people.find_by_media_items(["home:2", "home:none", "home:1", "home:2"])
    assert list(found) == ["home:2", "home:none", "home:1"]
    assert [one.person.id for one in found["home:2"]] == ["home:2", "home:both"]
    assert found["home:none"] == []
    assert await ms.people.find_by_media_items([]) == {}


async def test_delete_refuses_while_credits_point_at_the_person(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie(credits=cast("a", "b")), **MOVIES)
    with pytest.raises(PersonInUse, match="home:a"):
        await ms.people.delete("home:a")
    assert await ms.people.count() == 2
    await ms.media.save_media_item(movie(credits=cast("b")), **MOVIES)
    assert await ms.people.delete("home:a")
    assert not await ms.people.delete("home:a")
    assert await ms.people.find_by_id("home:a") is None
    assert await names(ms, "person a") == []
    assert (await ms.check()).flaws == ()


async def test_count_is_of_all_or_of_one_source(ms: MediaSync) -> None:
    await ms.media.save_source(Source(id="other", kind="plex"))
    await ms.people.upsert_batch([person("a"), person("b")], source_id="home")
    await ms.people.upsert(person("a"), source_id="other")
    assert [await ms.people.count(source) for source in (None, "home", "other", "none")] == [3, 2, 1, 0]


async def test_filmography_is_the_oldest_first_with_shows(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie("new", year=2020, credits=cast("a")), **MOVIES)
    await ms.media.save_media_item(
        movie("old", year=1980, credits=[credit("a", kind="director"), credit("a", role="Himself")]), **MOVIES
    )
    report = await ms.media.save_media_items(
        [
            show("s", title="The Show", year=2000, credits=[credit("a", kind="Key Grip")]),
            season("s-1", credits=cast("a")),
            episode("e", year=1990, season_number=1, credits=cast("a")),
            episode("f", parent="s", number=2, credits=cast("a")),
        ],
        **SHOWS,
    )
    assert report.failed == []
    found = await ms.people.filmography("home:a")
    assert [(one.media_item_id, one.person_type, one.role, one.show_title) for one in found] == [
        ("home:old", PersonType.DIRECTOR, None, None),
        ("home:old", PersonType.ACTOR, "Himself", None),
        ("home:e", PersonType.ACTOR, "Role of a", "The Show"),
        ("home:s", "Key Grip", None, None),
        ("home:new", PersonType.ACTOR, "Role of a", None),
        ("home:f", PersonType.ACTOR, "Role of a", "The Show"),
        ("home:s-1", PersonType.ACTOR, "Role of a", "The Show"),
    ]
    assert await ms.people.filmography("home:nobody") == []


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("Renée Zellweger", ["ren", "zell", "RENÉE", "renee zellweger", "zell ren", "reneé", "z"]),
        ("Miles O'Brien", ["o'b", "O’Brien", "brien", "o", "obrien"[:1], "miles o'brien"]),
        ("三船 敏郎", ["三船", "敏", "三船 敏郎", "敏郎　三船"]),
        ("宮崎駿", ["宮", "宮崎"]),
        ("Łukasz Żal", ["łuk", "zal", "ŻAL"]),
        ("Jean-Claude Van Damme", ["claude", "jean-claude", "van jean", "damme van claude jean"]),
        ("İbrahim Çelikkol", ["ibrahim", "celik"]),
        ("Weiß", ["weiss", "WEISS", "weiß"]),
        ("अमिताभ बच्चन", ["अमिताभ", "बच्चन अमि"]),
        ("Пётр Фёдоров", ["петр", "ФЕД"]),
        ("Ｆｕｌｌｗｉｄｔｈ Ｎａｍｅ", ["full", "name"]),
        ("50 Cent", ["50", "cent 5"]),
        ("R2_D2", ["d2", "r2"]),
    ],
)
async def test_search_finds_by_the_beginning_of_any_word(
    ms: MediaSync, name: str, queries: list[str]
) -> None:
    await ms.people.upsert_batch([person("x", name), person("y", "Nobody Else")], source_id="home")
    for query in queries:
        assert await names(ms, query) == [name], query


async def test_search_takes_all_words_and_not_their_middles(ms: MediaSync) -> None:
    await ms.people.upsert_batch([person("1", "Ann Lee"), person("2", "Annabel Leeds")], source_id="home")
    assert await names(ms, "ann lee") == ["Ann Lee", "Annabel Leeds"]
    assert await names(ms, "annab lee") == ["Annabel Leeds"]
    assert await names(ms, "nabel") == []
    assert await names(ms, "ann smith") == []
    for nothing in ("", "  ", "!?", "%", "_"):
        assert await names(ms, nothing) == []
    assert await names(ms, "ann' OR 1=1 --") == []


async def test_search_does_not_cut_words_at_vowel_signs(ms: MediaSync) -> None:
    await ms.people.upsert_batch([person("1", "अमिताभ"), person("2", "พนม ยีรัมย์")], source_id="home")
    assert await names(ms, "ताभ") == []
    assert await names(ms, "तभ") == []
    assert await names(ms, "ยี") == ["พนม ยีรัมย์"]


async def test_search_with_more_words_than_it_uses(ms: MediaSync) -> None:
    name = "One Two Three Four Five Six Seven Eight Nine Ten"
    await ms.people.upsert(person("1", name), source_id="home")
    assert await names(ms, name) == [name]


async def test_search_pages_by_name_and_keeps_sources_apart(ms: MediaSync) -> None:
    await ms.media.save_source(Source(id="other", kind="plex"))
    await ms.people.upsert_batch([person(f"{n}", f"Ann {n}") for n in range(5)], source_id="home")
    await ms.people.upsert(person("0", "Ann 0"), source_id="other")
    found = await ms.people.search("ann")
    assert [one.id for one in found] == ["home:0", "other:0", "home:1", "home:2", "home:3", "home:4"]
    assert await names(ms, "ann", limit=2, offset=3) == ["Ann 2", "Ann 3"]
    assert await names(ms, "ann", source_id="other") == ["Ann 0"]


async def test_a_rename_moves_the_person_in_the_index_at_once(ms: MediaSync) -> None:
    await ms.people.upsert(person("a", "Larry Wachowski"), source_id="home")
    await ms.media.save_media_item(movie(credits=[credit("a", "Lana Wachowski")]), **MOVIES)
    assert await names(ms, "larry") == []
    assert await names(ms, "lana") == await names(ms, "wach") == ["Lana Wachowski"]
    assert (await ms.check()).flaws == ()


async def test_a_refused_rename_leaves_the_index(ms: MediaSync) -> None:
    await ms.people.upsert(person("a", "Old Name"), source_id="home")
    row = normal_person(person("a", "New Name"), "home")

    async def work(session: object) -> None:
        await PeopleRepository(session).upsert_batch([row])  # type: ignore[arg-type]
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await database_of(ms).write(work)
    assert await names(ms, "old") == ["Old Name"]
    assert await names(ms, "new") == []


async def test_homonyms_stay_apart(ms: MediaSync) -> None:
    await ms.media.save_media_item(
        movie(credits=[credit("1", "Chris Evans", role="A"), credit("2", "Chris Evans", role="B")]), **MOVIES
    )
    assert [one.id for one in await ms.people.search("chris evans")] == ["home:1", "home:2"]


async def test_names_that_differ_in_case_or_accents_are_different_people(ms: MediaSync) -> None:
    await ms.people.upsert_batch(
        [person(None, "Sandra Rodriguez"), person(None, "Sandra Rodríguez"), person(None, "LiSA")],
        source_id="home",
    )
    assert await ms.people.upsert(person(None, "Lisa"), source_id="home") == "home:name:lisa"
    assert await names(ms, "sandra rodri") == ["Sandra Rodriguez", "Sandra Rodríguez"]
    assert await names(ms, "lisa") == ["LiSA"], "a derived key keeps its first spelling"


@pytest.mark.parametrize("field", ["name", "remote_id", "image_path", "provider_ids"])
@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"], ids=["nul", "surrogate"])
async def test_text_that_cannot_be_stored_is_refused_by_name(ms: MediaSync, field: str, bad: str) -> None:
    fields: dict[str, object] = {"name": "Bad", "remote_id": "x"}
    fields[field] = {"imdb": bad} if field == "provider_ids" else bad
    with pytest.raises(UsageError, match=field):
        await ms.people.upsert(Person(**fields), source_id="home")  # type: ignore[arg-type]
    assert await ms.people.count() == 0


@pytest.mark.parametrize("text", ["C:\\u0000dir\\x.jpg", "\\ud800", "\\u0000"])
async def test_a_backslash_and_digits_are_only_text(ms: MediaSync, text: str) -> None:
    await ms.people.upsert(person("x", text, image_path=text, provider_ids={"imdb": text}), source_id="home")
    found = await ms.people.find_by_id("home:x")
    assert found is not None
    assert (found.name, found.image_path, found.provider_ids) == (text, text, {"imdb": text})


async def test_people_can_be_read_by_plain_sql(ms: MediaSync) -> None:
    await ms.people.upsert(person("a", "A", image_path="i", provider_ids={"imdb": "nm1"}), source_id="home")
    await ms.people.upsert(person("b", "B"), source_id="home")
    assert await rows(ms, "SELECT id, source_id, name, image_path, provider_ids FROM people ORDER BY id") == [
        ("home:a", "home", "A", "i", '{"imdb":"nm1"}'),
        ("home:b", "home", "B", None, None),
    ]
    assert await value(ms, "SELECT created_at FROM people WHERE id = 'home:a'") == "2023-11-14T22:13:20.123Z"


async def test_secrets_in_a_picture_are_cut(ms: MediaSync) -> None:
    url = "https://me:pw@host/p.jpg?X-Plex-Token=abc&width=1"
    await ms.people.upsert(person("a", image_path=url), source_id="home")
    found = await ms.people.find_by_id("home:a")
    assert found is not None
    assert found.image_path == "https://host/p.jpg?width=1"


@pytest.mark.parametrize("engine", [SQLITE_FILE, POSTGRES], ids=lambda one: one.name, indirect=True)
async def test_people_are_there_after_opening_again(url: str) -> None:
    async with MediaSync(url) as ms:
        await prepared(ms)
        await ms.people.upsert(person("a", "Ann"), source_id="home")
    async with MediaSync(url, read_only=True) as ms:
        assert await names(ms, "ann") == ["Ann"]


async def test_people_of_a_transaction_that_was_rolled_back_are_saved_again(ms: MediaSync) -> None:
    class Refused(Exception):
        pass

    async def save_and_fail(session: Session) -> None:
        await PeopleRepository(session).upsert_batch([normal_person(person("7", "Keanu"), "home")])
        raise Refused

    with pytest.raises(Refused):
        await database_of(ms).write(save_and_fail)
    await ms.media.save_media_item(movie("1", credits=[credit("7", "Keanu")]), **MOVIES)
    assert [found.person.name for found in await ms.people.find_by_media_item("home:1")] == ["Keanu"]


async def test_a_deleted_person_is_saved_anew(ms: MediaSync) -> None:
    await ms.people.upsert(person("7", "Keanu"), source_id="home")
    assert await ms.people.delete("home:7")
    await ms.media.save_media_item(movie("1", credits=[credit("7", "Keanu")]), **MOVIES)
    assert await names(ms, "keanu") == ["Keanu"]


@pytest.mark.parametrize("engine", [SQLITE_FILE, POSTGRES], ids=lambda one: one.name, indirect=True)
async def test_the_next_save_sees_changes_of_people_by_another_process(
    ms: MediaSync, url: str, clock: Clock
) -> None:
    await ms.people.upsert_batch(
        [person("7", "Keanu"), person("8", "Carrie-Anne"), person("9", "Hugo")], source_id="home"
    )
    async with MediaSync(url, clock=clock) as other:
        await other.people.upsert(person("7", "Another name"), source_id="home")
        assert await other.people.delete("home:8")
        await ms.media.save_media_item(
            movie("1", credits=[credit("7", "Keanu"), credit("8", "Carrie-Anne")]), **MOVIES
        )
        assert await names(other, "keanu") == ["Keanu"]
        assert await names(other, "carrie") == ["Carrie-Anne"]
        assert await names(other, "another") == []
