"""Credits, names, the normal form, and saves that change nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, season, show
from support.mirror import Clock, public, rows, second_connection, value, write, written

from mediasync import Completeness, Credit, MediaItem, MediaSync, SaveReport, SaveStatus
from mediasync.copying.rules import NOT_COMPARED
from mediasync.testing import count_waiting_writes, database_of


async def stored(ms: MediaSync, item_id: str = "home:1") -> list[str]:
    """Return the people of an item by their own keys, in order."""
    found = await rows(
        ms, "SELECT person_id FROM media_people WHERE media_item_id = :id ORDER BY sort_order", id=item_id
    )
    return [person_id.removeprefix("home:") for (person_id,) in found]


async def completeness(ms: MediaSync) -> str:
    return await value(ms, "SELECT completeness FROM media_items WHERE id = 'home:1'")


async def save(ms: MediaSync, **fields: Any) -> SaveStatus:
    return (await ms.media.save_media_item(movie(**fields), **MOVIES)).status


# Credits given


@pytest.mark.parametrize(
    ("before", "given", "people", "known", "status"),
    [
        # nothing stored yet
        (None, {"credits": None}, "", "none", "saved"),
        (None, {"credits": []}, "", "none", "saved"),
        (None, {"credits": [], "completeness": "preview"}, "", "none", "saved"),
        (None, {"credits": [], "completeness": "full"}, "", "full", "saved"),
        (None, {"credits": None, "completeness": "full"}, "", "none", "saved"),
        (None, {"credits": cast("a")}, "a", "full", "saved"),
        (None, {"credits": cast("a"), "completeness": "full"}, "a", "full", "saved"),
        (None, {"credits": cast("a"), "completeness": "preview"}, "a", "preview", "saved"),
        (None, {"credits": cast("a"), "completeness": "none"}, "a", "full", "saved"),
        # over a full list
        ("full", {"credits": None}, "abc", "full", "unchanged"),
        ("full", {"credits": []}, "abc", "full", "unchanged"),
        ("full", {"credits": [], "completeness": "none"}, "abc", "full", "unchanged"),
        ("full", {"credits": [], "completeness": "preview"}, "abc", "full", "unchanged"),
        ("full", {"credits": None, "completeness": "full"}, "abc", "full", "unchanged"),
        ("full", {"credits": [], "completeness": "full"}, "", "full", "saved"),
        ("full", {"credits": cast("x")}, "x", "full", "saved"),
        ("full", {"credits": cast("c", "b", "a")}, "cba", "full", "saved"),
        ("full", {"credits": cast("x"), "completeness": "preview"}, "abc", "full", "unchanged"),
        ("full", {"credits": cast("x"), "completeness": "preview", "title": "New"}, "abc", "full", "saved"),
        ("full", {"credits": None, "title": "New"}, "abc", "full", "saved"),
        # over a preview
        ("preview", {"credits": None}, "abc", "preview", "unchanged"),
        ("preview", {"credits": []}, "abc", "preview", "unchanged"),
        ("preview", {"credits": [], "completeness": "preview"}, "abc", "preview", "unchanged"),
        ("preview", {"credits": [], "completeness": "full"}, "", "full", "saved"),
        ("preview", {"credits": cast("x"), "completeness": "preview"}, "x", "preview", "saved"),
        ("preview", {"credits": cast("x")}, "x", "full", "saved"),
        ("preview", {"credits": cast("a", "b", "c")}, "abc", "full", "saved"),
        # over an empty list that is known to be full
        ("cleared", {"credits": None}, "", "full", "unchanged"),
        ("cleared", {"credits": [], "completeness": "full"}, "", "full", "unchanged"),
        ("cleared", {"credits": cast("x"), "completeness": "preview"}, "", "full", "unchanged"),
        ("cleared", {"credits": cast("x")}, "x", "full", "saved"),
    ],
)
async def test_credits_given(
    ms: MediaSync,
    clock: Clock,
    before: str | None,
    given: dict[str, Any],
    people: str,
    known: str,
    status: str,
) -> None:
    if before == "cleared":
        await save(ms, credits=[], completeness="full")
    elif before is not None:
        await save(ms, credits=cast("a", "b", "c"), completeness=before)
    clock.tick()
    seen = await public(ms)
    assert await save(ms, **given) == status
    assert ("".join(await stored(ms)), await completeness(ms)) == (people, known)
    assert await value(ms, "SELECT title FROM media_items") == given.get("title", "Movie 1")
    assert (await ms.check()).flaws == ()
    if status == "unchanged":
        assert await public(ms) == seen


async def test_a_preview_over_a_full_list_adds_no_people(ms: MediaSync) -> None:
    await save(ms, credits=cast("a"))
    await save(
        ms, title="New", credits=[credit("a", "Another Spelling"), credit("x")], completeness="preview"
    )
    assert await rows(ms, "SELECT id, name FROM people") == [("home:a", "Person a")]


async def test_no_stale_credits(ms: MediaSync) -> None:
    await save(ms, credits=cast("a", "b", "c", "d"))
    await save(ms, credits=[credit("d", kind="director"), credit("b", role="New")])
    assert await rows(
        ms, "SELECT person_id, person_type, role, sort_order FROM media_people ORDER BY sort_order"
    ) == [("home:d", "director", None, 0), ("home:b", "actor", "New", 1)]
    assert await ms.people.count() == 2, "whom nobody credits any more is not shown"


# Normal form


@pytest.mark.parametrize(
    ("orders", "result"),
    [
        ([None, None, None], "abc"),
        ([2, 1, 0], "cba"),
        ([1, 1, 1], "abc"),
        ([10, 0, 5], "bca"),
        ([None, 0, -1], "bac"),
        ([-1, 3, None], "bac"),
        ([0, None, 1], "acb"),
        ([3, 1, 1], "bca"),
        ([2**70, 2**69, 0], "cba"),
    ],
)
async def test_credits_are_sorted_stably_and_renumbered(
    ms: MediaSync, orders: list[int | None], result: str
) -> None:
    await save(ms, credits=[credit(key, order=order) for key, order in zip("abc", orders, strict=True)])
    assert "".join(await stored(ms)) == result
    assert await rows(ms, "SELECT sort_order FROM media_people ORDER BY sort_order") == [(0,), (1,), (2,)]


async def test_names_and_roles_are_trimmed_and_an_empty_role_is_none(ms: MediaSync) -> None:
    given = [
        credit("a", " \u00a0Ann\t Lee\n", role=" \tNeo "),
        credit("b", "B", role=" \u3000 "),
        credit("c", "C", role=""),
    ]
    await save(ms, credits=given)
    assert await rows(ms, "SELECT name FROM people ORDER BY name") == [("Ann\t Lee",), ("B",), ("C",)]
    assert await rows(ms, "SELECT role FROM media_people ORDER BY sort_order") == [("Neo",), (None,), (None,)]


async def test_items_are_compared_in_their_normal_form(ms: MediaSync, clock: Clock) -> None:
    await save(ms, credits=[credit("a", "Ann", role="Neo"), credit("b", "B")])
    clock.tick()
    seen, changes = await public(ms), await written(ms)
    again = [
        credit("b", " B ", role=" ", order=7),
        credit("a", "Ann ", role=" Neo", order=3),
        credit("a", "Ann", role="Neo", order=9),
    ]
    result = await ms.media.save_media_item(movie(credits=again), **MOVIES)
    assert (result.status, result.repeats) == (SaveStatus.UNCHANGED, 1)
    assert (await public(ms), await written(ms)) == (seen, changes)


async def test_an_empty_name_or_type_is_left_out_and_reported_and_the_item_is_saved(ms: MediaSync) -> None:
    given = [credit("a"), credit("x", " \t", role="Ghost"), credit("b", kind=" "), credit("c")]
    report = await ms.media.save_media_items([movie(credits=given), movie("2")], **MOVIES)
    assert (report.saved, report.failed) == (2, [])
    assert [item_id for item_id, _ in report.problems] == ["home:1", "home:1"]
    assert "1" in report.problems[0][1]
    assert "Ghost" in report.problems[0][1]
    assert await stored(ms) == ["a", "c"]
    assert await rows(ms, "SELECT sort_order FROM media_people ORDER BY sort_order") == [(0,), (1,)]
    again = await ms.media.save_media_items([movie(credits=given)], **MOVIES)
    assert (again.unchanged, len(again.problems)) == (1, 2), "it is reported each time"


async def test_a_list_of_only_empty_names_removes_nothing(ms: MediaSync) -> None:
    await save(ms, credits=cast("a"))
    result = await ms.media.save_media_item(movie(credits=[credit("x", " ")]), **MOVIES)
    assert len(result.problems) == 1
    assert await stored(ms) == ["a"]


async def test_exact_repeats_are_dropped_and_counted(ms: MediaSync) -> None:
    given = [
        credit("a", role="Neo"),
        credit("a", role=" Neo "),
        credit("a", role="neo"),
        credit("a"),
        credit("a", role=" "),
        credit("a", kind="Actor", role="Neo"),
        credit("a", kind="director"),
    ]
    report = await ms.media.save_media_items([movie(credits=given), movie("2", credits=given)], **MOVIES)
    assert (report.saved, report.repeats, report.problems) == (2, 6, [])
    assert await rows(
        ms, "SELECT person_type, role FROM media_people WHERE media_item_id = 'home:1' ORDER BY sort_order"
    ) == [("actor", "Neo"), ("actor", "neo"), ("actor", None), ("director", None)]


async def test_the_last_of_two_saves_of_an_item_in_one_call_wins(ms: MediaSync) -> None:
    given = [movie(title="A", credits=cast("a")), movie("2"), movie(title="B", credits=cast("b"))]
    report = await ms.media.save_media_items(given, **MOVIES)
    assert (report.saved, report.failed) == (3, [])
    assert (await value(ms, "SELECT title FROM media_items WHERE id = 'home:1'"), await stored(ms)) == (
        "B",
        ["b"],
    )


@pytest.mark.parametrize("concurrency", [1, 2, 3, 1_000])
async def test_the_last_of_many_saves_of_an_item_in_one_call_wins(ms: MediaSync, concurrency: int) -> None:
    given = [movie(str(n % 3), title=f"{n}", credits=cast(str(n))) for n in range(30)]
    report = await ms.media.save_media_items(given, concurrency=concurrency, **MOVIES)
    assert report.saved == 30
    assert await rows(ms, "SELECT id, title FROM media_items ORDER BY id") == [
        ("home:0", "27"),
        ("home:1", "28"),
        ("home:2", "29"),
    ]
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize(
    "wait", ["before the parent", "while the first is tried", "before the second", "never"]
)
async def test_the_last_save_wins_when_the_first_waits_for_its_parent(ms: MediaSync, wait: str) -> None:
    async def stream() -> Any:
        yield season(title="First")
        if wait == "before the parent":
            await ms.people.upsert_batch([])
        if wait == "while the first is tried":
            while not count_waiting_writes(ms):
                await asyncio.sleep(0)
            while count_waiting_writes(ms):
                await asyncio.sleep(0)
        yield show()
        if wait == "before the second":
            await ms.people.upsert_batch([])
        yield season(title="Last")

    report = await ms.media.save_media_items(stream(), **SHOWS)
    assert report.failed == []
    assert await value(ms, "SELECT title FROM media_items WHERE id = 'home:s-1'") == "Last"


async def test_the_last_save_wins_when_the_first_parent_comes_late(ms: MediaSync) -> None:
    async def stream() -> Any:
        yield show("t")
        yield season(title="First", parent="s")
        await ms.people.upsert_batch([])
        yield season(title="Last", parent="t")
        await ms.people.upsert_batch([])
        yield show("s")

    report = await ms.media.save_media_items(stream(), **SHOWS)
    assert report.failed == []
    item = await ms.media.get_media_item("home:s-1")
    assert (item.title, item.parent_id) == ("Last", "home:t")


# Unchanged


FULL: dict[str, Any] = {
    "overview": "O",
    "year": 1999,
    "genres": ["A", "B"],
    "provider_ids": {"imdb": "tt1"},
    "images": {"poster": "p"},
    "added_at": "2020-01-01T00:00:00Z",
    "change_token": "t",
}


async def test_an_unchanged_item_writes_no_row(ms: MediaSync, clock: Clock) -> None:
    given = [movie(str(n), credits=cast("a", "b", f"own{n}"), **FULL) for n in range(20)]
    await ms.media.save_media_items(given, **MOVIES)
    seen, changes = await public(ms), await written(ms)
    clock.tick()
    report = await ms.media.save_media_items([item.model_copy(deep=True) for item in given], **MOVIES)
    assert report == SaveReport(unchanged=20)
    assert await save(ms, **{**FULL, "credits": cast("a", "b", "own1")}, title="Movie 1") == "unchanged"
    assert (await public(ms), await written(ms)) == (seen, changes)


async def test_an_unchanged_item_begins_no_write_transaction(
    file_ms: MediaSync, clock: Clock, file: Any
) -> None:
    given = [movie(str(n), credits=cast("a", "b", f"own{n}"), **FULL) for n in range(20)]
    await file_ms.media.save_media_items(given, **MOVIES)
    seen, changes = await public(file_ms), await written(file_ms)
    with second_connection(file) as second:
        version = second.execute("PRAGMA data_version").fetchone()
        clock.tick()
        report = await file_ms.media.save_media_items(
            [item.model_copy(deep=True) for item in given], **MOVIES
        )
        assert report == SaveReport(unchanged=20)
        assert (
            await save(file_ms, **{**FULL, "credits": cast("a", "b", "own1")}, title="Movie 1") == "unchanged"
        )
        assert second.execute("PRAGMA data_version").fetchone() == version
    assert (await public(file_ms), await written(file_ms)) == (seen, changes)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"overview": None},
        {"overview": "o"},
        {"year": 2000},
        {"year": None},
        {"genres": ["B", "A"]},
        {"genres": ["A"]},
        {"provider_ids": {"imdb": "tt2"}},
        {"provider_ids": {"tmdb": "tt1"}},
        {"provider_ids": {}},
        {"images": {"poster": "q"}},
        {"images": {"fanart": "p"}},
        {"ratings": [{"name": "imdb", "value": 1}]},
        {"added_at": "2020-01-01T00:00:01Z"},
        {"added_at": "2020-01-01 00:00:00"},
        {"changed_at": "2020-01-01T00:00:00Z"},
        {"credits": cast("b", "a")},
        {"credits": cast("a")},
        {"credits": [credit("a", role="Role of a"), credit("b", role="other")]},
        {"credits": [credit("a", role="Role of a"), credit("b", kind="director", role="Role of b")]},
        {"credits": [credit("a", "New Name", role="Role of a"), credit("b", role="Role of b")]},
        {"credits": [credit("a", image_path="i", role="Role of a"), credit("b", role="Role of b")]},
        {
            "credits": [
                credit("a", provider_ids={"imdb": "1"}, role="Role of a"),
                credit("b", role="Role of b"),
            ]
        },
    ],
    ids=str,
)
async def test_each_change_is_noticed_and_stamped(
    ms: MediaSync, clock: Clock, change: dict[str, Any]
) -> None:
    await save(ms, credits=cast("a", "b"), **FULL)
    before = await public(ms)
    clock.tick()
    given = movie(**{"credits": cast("a", "b"), **FULL, **change})
    assert (await ms.media.save_media_item(given, **MOVIES)).status is SaveStatus.SAVED
    after = await public(ms)
    shown = after.keys() - NOT_COMPARED.keys() - {"changes"}
    changed = {view for view in shown if after[view] != before[view]}
    assert changed
    # A person's fields are the person's: they move nothing of the item.
    of_person = all(one.person.image_path or one.person.provider_ids for one in change.get("credits", [])[:1])
    of_person = (of_person and "credits" in change) or "New Name" in str(change)
    assert changed == {"people"} if of_person else "media_items" in changed
    assert bool(await value(ms, "SELECT updated_at > created_at FROM media_items")) is not of_person
    found = await ms.media.get_media_item("home:1")
    for field in change.keys() - {"credits"}:
        assert getattr(found, field) == getattr(given, field)
    expected = [(one.person.name, one.person_type, one.role) for one in given.credits or ()]
    assert [(one.person.name, one.person_type, one.role) for one in found.credits or ()] == expected
    assert await save(ms, **{"credits": cast("a", "b"), **FULL, **change}) is SaveStatus.UNCHANGED


async def test_a_change_token_alone_is_stored_and_counted_as_unchanged(ms: MediaSync, clock: Clock) -> None:
    await save(ms, credits=cast("a"), change_token="1")
    seen = await public(ms)
    clock.tick()
    for token in ("2", None, "3"):
        assert await save(ms, credits=cast("a"), change_token=token) is SaveStatus.UNCHANGED
        tokens = await ms.media.find_change_tokens("home:movies")
        assert tokens == {"1": token or ""}
    assert await public(ms) == seen
    assert await ms.media.save_media_items(
        [movie(credits=cast("a"), change_token="4")], **MOVIES
    ) == SaveReport(unchanged=1)
    assert await public(ms) == seen


async def outdate(ms: MediaSync) -> None:
    """Turn all stored fingerprints into those of another version."""
    await write(
        ms,
        "UPDATE media_item SET item_fingerprint = '0:' || substr(item_fingerprint, 3), "
        "credits_fingerprint = '0:' || substr(credits_fingerprint, 3)",
    )


@pytest.mark.parametrize("known", ["full", "preview", None])
async def test_a_fingerprint_of_another_version_compares_values(
    ms: MediaSync, clock: Clock, known: str | None
) -> None:
    people = [
        credit("a", role="Role of a", image_path="i", provider_ids={"imdb": "1"}),
        credit(None, "Ann Lee"),
        credit("a", kind="Odd Type"),
    ]
    fields = {**FULL, "credits": people if known else None, "completeness": known}
    await save(ms, **fields)
    fingerprints = "SELECT item_fingerprint, credits_fingerprint FROM media_item"
    of_this_rule = await rows(ms, fingerprints)
    await outdate(ms)
    seen = await public(ms)
    clock.tick()
    assert await save(ms, **fields) is SaveStatus.UNCHANGED
    assert await public(ms) == seen
    assert await rows(ms, fingerprints) == of_this_rule
    changes = await written(ms)
    assert await save(ms, **fields) is SaveStatus.UNCHANGED
    assert await written(ms) == changes


async def test_a_fingerprint_of_another_version_still_sees_changes(ms: MediaSync, clock: Clock) -> None:
    for key in ("1", "2", "3"):
        await ms.media.save_media_item(movie(key, credits=cast("a", "b")), **MOVIES)
    await outdate(ms)
    clock.tick()
    given = [movie("1", title="New", credits=cast("a", "b")), movie("2", credits=cast("b", "a")), movie("3")]
    assert await ms.media.save_media_items(given, **MOVIES) == SaveReport(saved=2, unchanged=1)
    assert (await stored(ms, "home:2"), await stored(ms, "home:3")) == (["b", "a"], ["a", "b"])
    assert await rows(ms, "SELECT id FROM media_items WHERE updated_at > created_at ORDER BY id") == [
        ("home:1",),
        ("home:2",),
    ]


async def test_delete_media_people_makes_the_next_save_write_the_list_again(ms: MediaSync) -> None:
    fields = {"credits": cast("a", "b")}
    await save(ms, **fields)
    await ms.media.delete_media_people("home:1")
    assert await value(ms, "SELECT credits_fingerprint FROM media_item") is None
    assert await save(ms, **fields) is SaveStatus.SAVED
    assert await stored(ms) == ["a", "b"]


async def test_delete_media_people_lets_a_preview_in_again(ms: MediaSync) -> None:
    await save(ms, credits=cast("a", "b"))
    await ms.media.delete_media_people("home:1")
    assert await save(ms, credits=cast("x"), completeness="preview") is SaveStatus.SAVED
    assert (await stored(ms), await completeness(ms)) == (["x"], "preview")


# A person named differently by two items


async def name(ms: MediaSync, person_id: str) -> str:
    return await value(ms, "SELECT name FROM people WHERE id = :id", id=person_id)


async def test_with_a_key_of_the_source_the_last_commit_wins(ms: MediaSync) -> None:
    await save(ms, credits=[credit("p", "First")])
    await ms.media.save_media_item(movie("2", credits=[credit("p", "Second")]), **MOVIES)
    assert await name(ms, "home:p") == "Second"


async def test_an_unchanged_item_does_not_bring_its_spelling_back(ms: MediaSync, clock: Clock) -> None:
    await save(ms, credits=[credit("p", "First", image_path="1")])
    await ms.media.save_media_item(movie("2", credits=[credit("p", "Second", image_path="2")]), **MOVIES)
    seen = await public(ms)
    clock.tick()
    assert await save(ms, credits=[credit("p", "First", image_path="1")]) is SaveStatus.UNCHANGED
    assert await public(ms) == seen
    assert await save(ms, title="New") is SaveStatus.SAVED
    assert await name(ms, "home:p") == "Second", "nor does one whose credits are not given"


async def test_with_a_derived_key_the_first_spelling_stays(ms: MediaSync) -> None:
    await save(ms, credits=[credit(None, "LiSA"), credit(None, "lisa", kind="director")])
    await ms.media.save_media_item(movie("2", credits=[credit(None, "Lisa", image_path="i")]), **MOVIES)
    assert await rows(ms, "SELECT id, name, image_path FROM people") == [("home:name:lisa", "LiSA", "i")]


async def test_missing_never_overwrites_present(ms: MediaSync) -> None:
    known = credit("p", "P", image_path="i", provider_ids={"imdb": "1", "tmdb": "2"})
    await save(ms, credits=[known])
    await ms.media.save_media_item(
        movie("2", credits=[credit("p", "P", provider_ids={"tmdb": "3"})]), **MOVIES
    )
    await ms.media.save_media_item(movie("3", credits=[credit("p", "P", image_path=" ")]), **MOVIES)
    [found] = (await ms.media.get_media_item("home:1")).credits or []
    assert found.person.provider_ids == {"imdb": "1", "tmdb": "3"}
    assert found.person.image_path == "i"


async def test_one_person_spelt_twice_in_one_item(ms: MediaSync, clock: Clock) -> None:
    given = [credit("p", "First", image_path="i"), credit("p", "Last", kind="director")]
    await save(ms, credits=given)
    assert await rows(ms, "SELECT id, name, image_path FROM people") == [("home:p", "Last", "i")]
    clock.tick()
    assert await save(ms, credits=given) is SaveStatus.UNCHANGED


async def test_the_last_spelling_of_many_items_in_one_call_wins(ms: MediaSync) -> None:
    given = [movie(str(n), credits=[credit("p", f"Name {n}")]) for n in range(50)]
    await ms.media.save_media_items(given, **MOVIES)
    stored = await name(ms, "home:p")
    if database_of(ms).writers == 1:
        assert stored == "Name 49"
    else:
        assert stored in {f"Name {n}" for n in range(50)}, "of several writers either may commit last"
    assert (await ms.media.save_media_items(given, **MOVIES)).unchanged == 50
    assert await name(ms, "home:p") == stored


# Secrets


@pytest.mark.parametrize("field", ["path", "images", "person"])
async def test_secrets_are_cut_before_storing(ms: MediaSync, field: str) -> None:
    secret = "smb://me:hunter2@nas/x.mkv?X-Plex-Token=hunter2"
    fields: dict[str, Any] = {
        "path": {"path": secret},
        "images": {"images": {"poster": secret}},
        "person": {"credits": [credit("a", image_path=secret)]},
    }[field]
    assert await save(ms, **fields) is SaveStatus.SAVED
    assert "hunter2" not in repr(await public(ms))
    assert "smb://nas/x.mkv" in repr(await public(ms))
    assert await save(ms, **fields) is SaveStatus.UNCHANGED
    report = await ms.media.save_media_items([movie("2", **fields, year=2**40)], **MOVIES)
    assert "hunter2" not in repr(report)


async def test_all_types_keep_credits(ms: MediaSync) -> None:
    given: list[MediaItem] = [
        show(credits=cast("a")),
        season(credits=cast("a", "b")),
        episode(credits=cast("c")),
    ]
    assert (await ms.media.save_media_items(given, **SHOWS)).saved == 3
    assert await stored(ms, "home:s") == ["a"]
    assert await stored(ms, "home:s-1") == ["a", "b"]
    assert await stored(ms, "home:s-1-1") == ["c"]


async def test_a_credit_of_another_sources_person_is_refused(ms: MediaSync) -> None:
    one = credit("a")
    one.person.source_id = "other"
    report = await ms.media.save_media_items([movie(credits=[one]), movie("2")], **MOVIES)
    assert (report.saved, [item_id for item_id, _ in report.failed]) == (1, ["home:1"])


async def test_credits_read_from_one_item_can_be_saved_with_another(ms: MediaSync) -> None:
    await save(ms, credits=[*cast("a", "b"), credit(None, "Ann")])
    found: list[Credit] = await ms.people.find_by_media_item("home:1")
    await ms.media.save_media_item(movie("2", credits=found), **MOVIES)
    assert await stored(ms, "home:2") == await stored(ms)
    assert (await ms.media.get_media_item("home:2")).completeness is Completeness.FULL
