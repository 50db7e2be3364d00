"""Items that their source no longer has: marked on proof, back with everything, deleted at last."""

from __future__ import annotations

import asyncio
from math import inf
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.items import credit, episode, movie, season, show
from support.mirror import Clock, prepared, public, rows, value, written

from mediasync import MediaItem, MediaSync, MediaType, RunStatus
from mediasync.backends.base import Enumerated, Unreadable
from mediasync.database.tables import view_columns
from mediasync.errors import SourceUnreadable, UnknownItem, UsageError
from mediasync.reports import PurgeReport
from mediasync.testing import FakeBackend

DAY = 86_400_000


def whole(*items: MediaItem) -> list[Any]:
    return [*items, Enumerated(len(items))]


def film(key: str, *people: str, **fields: Any) -> MediaItem:
    credits_ = [credit(one, role=f"role of {one}") for one in people]
    return movie(key, title=fields.pop("title", f"Film {key}"), credits=credits_, **fields)


def films(number: int) -> list[MediaItem]:
    return [film(f"{n:03}") for n in range(number)]


def series() -> list[MediaItem]:
    return [
        show("s", title="Serial", credits=[credit("boss", role="x")]),
        season("s1", parent_remote_id="s", season_number=1),
        episode("e1", parent_remote_id="s1", season_number=1, episode_number=1, credits=[credit("guest")]),
        episode("e2", parent_remote_id="s1", season_number=1, episode_number=2, credits=[credit("boss")]),
    ]


async def shown(ms: MediaSync) -> set[str]:
    return {item_id for (item_id,) in await rows(ms, "SELECT id FROM media_items")}


async def removed(ms: MediaSync) -> set[str]:
    return {item_id for (item_id,) in await rows(ms, "SELECT id FROM removed_items")}


async def logged(ms: MediaSync, after: int = 0) -> list[tuple[str, str]]:
    return await rows(  # type: ignore[return-value]
        ms, "SELECT what, entity_id FROM changes WHERE number > :after ORDER BY number", after=after
    )


async def test_a_removed_item_leaves_the_views_and_comes_back_with_its_credits(
    ms: MediaSync, clock: Clock
) -> None:
    one, two = film("1", "ann"), film("2", "ann", "bob", path="/2.mkv")
    await ms.sync(FakeBackend({"m": whole(one, two)}))
    before = await rows(ms, "SELECT * FROM media_items WHERE id = 'fake:2'")
    number = await ms.newest_change()
    clock.tick()
    report = await ms.sync(FakeBackend({"m": whole(one)}))
    assert (report.status, report.removed, report.pending) == (RunStatus.SUCCEEDED, ("fake:2",), ())
    assert [run.unseen for run in report.libraries] == [0]
    assert (await shown(ms), await removed(ms)) == ({"fake:1"}, {"fake:2"})
    assert await rows(ms, "SELECT missing_since, missing_run FROM removed_items") == [
        ("2023-11-14T22:13:21.123Z", report.run.id)
    ]
    assert await rows(ms, "SELECT person_name, role FROM removed_media_people ORDER BY sort_order") == [
        ("Person ann", "role of ann"),
        ("Person bob", "role of bob"),
    ]
    assert await ms.people.find_by_id("fake:bob") is None
    assert await ms.people.find_by_id("fake:ann") is not None
    assert await logged(ms, number) == [("removed", "fake:2"), ("removed", "fake:bob")]
    [item] = await ms.list_removed()
    assert (item.id, item.credits, item.run_id) == ("fake:2", 2, report.run.id)
    with pytest.raises(UnknownItem):
        await ms.media.get_media_item("fake:2")

    clock.tick()
    number = await ms.newest_change()
    report = await ms.sync(FakeBackend({"m": whole(one, two)}))
    assert (report.saved, report.unchanged, report.removed) == (1, 1, ())
    assert await rows(ms, "SELECT * FROM media_items WHERE id = 'fake:2'") == before
    assert len((await ms.media.get_media_item("fake:2")).credits or ()) == 2
    assert await ms.people.find_by_id("fake:bob") is not None
    assert await logged(ms, number) == [("back", "fake:2")]
    assert await ms.list_removed() == []
    assert (await ms.check()).flaws == ()


async def test_a_resync_after_a_removal_writes_nothing_but_its_run(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1", "ann"), film("2", "bob"))}))
    await ms.sync(FakeBackend({"m": whole(film("1", "ann"))}))
    before = await public(ms)
    report = await ms.sync(FakeBackend({"m": whole(film("1", "ann"))}))
    assert (report.saved, report.unchanged, report.removed) == (0, 1, ())
    after = await public(ms)
    assert {view for view in before if before[view] != after[view]} == {"sync_runs", "sync_run_libraries"}


NEVER_SHOWN = (
    "media_items",
    "item_libraries",
    "library_counts",
    "totals",
    "media_people",
    "people",
    "external_ids",
    "genres",
    "ratings",
    "images",
)


async def test_nothing_shows_a_removed_item(ms: MediaSync, clock: Clock) -> None:
    """Every view and every reader answers as if the items had never been there."""
    extra = {"provider_ids": {"imdb": "tt9"}, "genres": ["Noir"], "images": {"poster": "/p"}}
    gone = [film("9", "ann", "zoe", title="The Gone Film", **extra), *series()]
    left = [film("1", "ann", title="The Film that Stays", provider_ids={"imdb": "tt1"})]
    await ms.sync(FakeBackend({"m": whole(*left), "n": whole(*left)}))
    await ms.sync(FakeBackend({"m": whole(*left, *gone), "n": whole(*left)}))
    await ms.sync(FakeBackend({"m": whole(*left), "n": whole(*left)}))
    assert len(await ms.list_removed()) == len(gone)

    async def answers(mirror: MediaSync) -> dict[str, Any]:
        views = {}
        for view in NEVER_SHOWN:
            columns = [name for name in view_columns()[view] if not name.endswith("_at")]
            views[view] = sorted(await rows(mirror, f"SELECT {', '.join(columns)} FROM {view}"), key=repr)
        media, people = mirror.media, mirror.people
        reads = {
            "ids": [item.id for item in await media.find_media_items(["fake:9", "fake:1", "fake:s"])],
            "title": [item.id for item in await media.find_by_title("the gone film")],
            "words": [item.id for item in await media.find_by_title("fil")],
            "provider": [item.id for item in await media.find_by_provider_id("imdb", "tt9")],
            "children": [item.id for item in await media.list_children("fake:s")],
            "library": [item.id async for item in media.iter_media_items("fake:m")],
            "episodes": [
                item.id async for item in media.iter_media_items("fake:m", media_type=MediaType.EPISODE)
            ],
            "tokens": await media.find_change_tokens("fake:m"),
            "counts": (await media.count_by_library(), await media.count_credits(), await people.count()),
            "cast": len(await people.find_by_media_item("fake:9")),
            "casts": {k: len(v) for k, v in (await people.find_by_media_items(["fake:9"])).items()},
            "search": [one.id for one in await people.search("")]
            + [one.id for one in await people.search("zoe")],
            "filmography": [one.media_item_id for one in await people.filmography("fake:ann")],
            "of a hidden person": [one.media_item_id for one in await people.filmography("fake:zoe")],
            "aliases": await people.find_by_id("fake:zoe"),
        }
        return views | reads

    async with MediaSync("sqlite:///:memory:", clock=clock) as other:
        await prepared(other)
        await other.sync(FakeBackend({"m": whole(*left), "n": whole(*left)}))
        assert await answers(ms) == await answers(other)


@pytest.mark.parametrize(
    ("stored", "left", "asks"),
    [(30, 10, False), (30, 9, True), (105, 84, False), (104, 83, True), (3, 1, False), (1, 0, True)],
)
async def test_more_than_20_items_and_20_percent_are_asked_for(
    ms: MediaSync, stored: int, left: int, asks: bool
) -> None:
    """All items of a library are asked for, however few they are."""
    await ms.sync(FakeBackend({"m": whole(*films(stored)), "n": whole(film("x"))}))
    report = await ms.sync(FakeBackend({"m": whole(*films(stored)[:left]), "n": whole(film("x"))}))
    if not asks:
        assert (report.status, len(report.removed)) == (RunStatus.SUCCEEDED, stored - left)
        return
    assert (report.status, report.removed) == (RunStatus.NEEDS_CONFIRMATION, ())
    [pending] = report.pending
    assert (pending.library_id, pending.items, pending.stored) == ("fake:m", stored - left, stored)
    assert len(pending.item_ids) == stored - left
    assert await value(ms, "SELECT count(*) FROM media_items") == stored + 1
    [kept] = await ms.list_pending_removals("fake")
    assert kept.model_dump(exclude={"asked_at", "item_ids"}) == pending.model_dump(
        exclude={"asked_at", "item_ids"}
    )


@pytest.mark.parametrize("limit", [2, "2", "100%", "all", "ALL "])
@pytest.mark.parametrize(
    "now", [{"n": whole(film("x"))}, {"m": whole(), "n": whole(film("x"))}], ids=["vanished", "empty"]
)
async def test_a_library_that_is_gone_or_empty_is_removed_when_confirmed(
    ms: MediaSync, now: Any, limit: Any
) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1", "ann"), film("2")), "n": whole(film("x"))}))
    report = await ms.sync(FakeBackend(now))
    assert (report.status, len(report.pending)) == (RunStatus.NEEDS_CONFIRMATION, 1)
    report = await ms.sync(FakeBackend(now), max_removals=1)
    assert (report.status, report.removed) == (RunStatus.SUCCEEDED, ())
    report = await ms.sync(FakeBackend(now), max_removals=limit)
    assert (report.status, report.removed) == (RunStatus.SUCCEEDED, ("fake:1", "fake:2"))
    assert await ms.list_pending_removals() == []
    assert await shown(ms) == {"fake:x"}


async def test_an_empty_source_is_not_taken_at_its_word(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1")), "n": whole(film("2"))}))
    before = (await public(ms))["media_items"]
    report = await ms.sync(FakeBackend({}))
    assert report.status is RunStatus.NEEDS_CONFIRMATION
    assert [pending.library_id for pending in report.pending] == ["fake:m", "fake:n"]
    assert (await public(ms))["media_items"] == before


async def test_the_same_question_is_asked_once_and_another_one_anew(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(*films(50))}))
    asked = [
        await ms.sync(FakeBackend({"m": whole(*films(50)[first:])})) for first in (30, 30, 31, 30, 0, 30)
    ]
    statuses = [report.status is RunStatus.NEEDS_CONFIRMATION for report in asked]
    assert statuses == [True, False, True, True, False, True]
    assert all(report.removed == () for report in asked)
    assert [bool(report.remarks) for report in asked] == [True, True, True, True, False, True]
    assert len(await ms.list_pending_removals()) == 1


@pytest.mark.parametrize("text", ["", "some", "-1", "101%", "1.5", "20 %%"])
async def test_a_limit_that_is_none_is_refused(ms: MediaSync, text: str) -> None:
    with pytest.raises(UsageError, match="is not a limit of removals"):
        ms.sync(FakeBackend({}), max_removals=text)


async def test_without_proof_nothing_is_removed(ms: MediaSync) -> None:
    both = {"m": whole(film("1"), film("2")), "n": whole(film("3"))}
    await ms.sync(FakeBackend(both))
    incomplete = [film("1"), Enumerated(2, complete=False, reason="it was cut")]
    for libraries, options in (
        ({"m": incomplete, "n": whole(film("3"))}, {}),
        ({"m": [film("1")], "n": whole(film("3"))}, {}),
        ({"m": whole(film("1")), "n": [SourceUnreadable("fake", "HTML")]}, {}),
        ({"m": [film("1"), Unreadable("some file", "it is damaged"), Enumerated(2)], "n": both["n"]}, {}),
        ({"m": whole(film("1")), "n": both["n"]}, {"libraries": ["m"]}),
        ({"m": whole(film("1")), "n": both["n"]}, {"items": ["fake:1"]}),
        ({"m": whole(film("1")), "n": both["n"]}, {"dry_run": True}),
    ):
        report = await ms.sync(FakeBackend(libraries), max_removals="all", **options)  # type: ignore[arg-type]
        assert (await shown(ms), await removed(ms)) == ({"fake:1", "fake:2", "fake:3"}, set()), libraries
        assert report.pending == ()
    assert report.removed == ("fake:2",)
    assert ("fake:2", "removed") in report.changes


async def test_an_unreadable_item_that_is_listed_is_not_removed(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1"), film("2"))}))
    report = await ms.sync(FakeBackend({"m": [film("1"), Unreadable("2", "damaged"), Enumerated(2)]}))
    assert (report.removed, len(report.failed)) == ((), 1)


async def test_an_item_that_another_library_lists_is_not_removed(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1"), film("2")), "n": whole(film("3"))}))
    report = await ms.sync(FakeBackend({"m": whole(film("1")), "n": whole(film("3"), film("2"))}))
    assert report.removed == ()
    assert (await ms.media.get_media_item("fake:2")).library_id == "fake:n"


async def test_an_item_that_comes_back_under_another_key_is_the_same(ms: MediaSync) -> None:
    same = {"path": "/x.mkv", "provider_ids": {"imdb": "tt1"}}
    await ms.sync(FakeBackend({"m": whole(film("1", "ann", **same), film("2"))}))
    await ms.sync(FakeBackend({"m": whole(film("2"))}))
    await ms.sync(FakeBackend({"m": whole(film("9", "ann", **same), film("2"))}))
    assert await rows(ms, "SELECT id, remote_id FROM media_items ORDER BY id") == [
        ("fake:1", "9"),
        ("fake:2", "2"),
    ]
    assert await removed(ms) == set()
    log = [change async for change in ms.changes(follow=False) if change.entity_id == "fake:1"]
    assert [(str(change.what), change.before) for change in log if change.what != "removed"] == [
        ("added", None),
        ("back", None),
        ("changed", {"remote_id": "1"}),  # when the item is shown again
        ("changed", {"title": "Film 1"}),
    ]
    assert (await ms.check()).flaws == ()


async def test_a_preview_of_an_item_that_comes_back_does_not_shrink_it(ms: MediaSync) -> None:
    full = film("1", "ann", "bob", "cid")
    await ms.sync(FakeBackend({"m": whole(full, film("2"))}))
    await ms.sync(FakeBackend({"m": whole(film("2"))}))
    preview = movie("1", title="Film 1", credits=[credit("ann")], completeness="preview")
    await ms.sync(FakeBackend({"m": whole(preview, film("2"))}))
    item = await ms.media.get_media_item("fake:1")
    assert (item.completeness, len(item.credits or ())) == ("full", 3)
    assert await ms.people.find_by_id("fake:cid") is not None


async def test_a_show_goes_and_comes_back_with_all_below_it(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1"), *series())}))
    report = await ms.sync(FakeBackend({"m": whole(film("1"))}))
    assert len(report.removed) == 4
    assert await shown(ms) == {"fake:1"}
    number = await ms.newest_change()
    assert sorted(await ms.restore(["fake:s"])) == ["fake:e1", "fake:e2", "fake:s", "fake:s1"]
    assert {what for what, _ in await logged(ms, number)} == {"back"}
    assert await value(ms, "SELECT count(*) FROM changes WHERE what = 'back' AND reason = 'api'") == 4
    await ms.sync(FakeBackend({"m": whole(film("1"))}))
    assert await ms.restore(["fake:e1"]) == ["fake:s", "fake:s1", "fake:e1"]
    assert await shown(ms) == {"fake:1", "fake:s", "fake:s1", "fake:e1"}
    assert (await ms.people.find_by_id("fake:guest")) is not None


async def test_a_parent_stays_while_an_item_below_it_is_listed(ms: MediaSync) -> None:
    serial, first, one, two = series()
    await ms.sync(FakeBackend({"m": whole(serial, first, one, two)}))
    report = await ms.sync(FakeBackend({"m": [one, Enumerated(1)]}))
    assert report.removed == ("fake:e2",)
    await ms.sync(FakeBackend({"m": whole(film("1"), serial, first, one)}))
    await ms.sync(FakeBackend({"m": whole(film("1"))}))
    report = await ms.sync(FakeBackend({"m": [film("1"), two, Enumerated(2)]}))
    assert report.failed == ()
    assert await shown(ms) == {"fake:1", "fake:s", "fake:s1", "fake:e2"}


async def test_what_is_restored_stays_until_it_is_proved_to_be_missing_again(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1"), film("2"))}))
    await ms.sync(FakeBackend({"m": whole(film("1"))}))
    with pytest.raises(UnknownItem, match="fake:1"):
        await ms.restore(["fake:2", "fake:1"])
    with pytest.raises(UnknownItem, match="fake:7"):
        await ms.restore(["fake:7"])
    assert await removed(ms) == {"fake:2"}
    await ms.restore(["fake:2"])
    assert await removed(ms) == set()
    assert (await ms.sync(FakeBackend({"m": whole(film("1"))}))).removed == ("fake:2",)


async def test_after_the_grace_period_items_and_their_people_are_deleted(ms: MediaSync, clock: Clock) -> None:
    libraries = {"m": whole(film("1", "ann"))}
    await ms.sync(FakeBackend({"m": whole(film("1", "ann"), film("2", "ann", "bob"))}))
    await ms.sync(FakeBackend(libraries))
    clock.now += 7 * DAY - 1
    report = await ms.sync(FakeBackend(libraries))
    assert (report.purged.items, await removed(ms)) == (0, {"fake:2"})
    clock.now += 2
    number = await ms.newest_change()
    assert await ms.purge(dry_run=True) == PurgeReport(items=1, people=1)
    report = await ms.sync(FakeBackend(libraries))
    assert (report.purged.items, report.purged.people) == (1, 1)
    assert await ms.list_removed() == []
    assert await ms.newest_change() == number
    assert await ms.people.find_by_id("fake:ann") is not None
    with pytest.raises(UnknownItem):
        await ms.restore(["fake:2"])
    assert (await ms.check()).flaws == ()
    report = await ms.sync(FakeBackend({"m": whole(film("1", "ann"), film("2", "bob"))}))
    assert report.saved == 1
    assert (await logged(ms, number)) == [("added", "fake:2")]


async def test_a_purge_can_be_left_to_the_user(url: str, clock: Clock) -> None:
    async with MediaSync(url, clock=clock, keep_removed=inf) as ms:
        await ms.sync(FakeBackend({"m": whole(film("1"), film("2"))}))
        await ms.sync(FakeBackend({"m": whole(film("1"))}))
        clock.now += 1000 * DAY
        await ms.sync(FakeBackend({"m": whole(film("1"))}))
        assert await removed(ms) == {"fake:2"}
        assert (await ms.purge()).items == 0
        assert (await ms.purge(1, source_id="other")).items == 0
        assert (await ms.purge(1, source_id="fake")).items == 1
        with pytest.raises(UsageError, match="keep_days"):
            await ms.purge(-1)


async def test_a_removed_item_is_not_stored_for_those_who_write(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(film("1"), film("2", "ann"))}))
    await ms.sync(FakeBackend({"m": whole(film("1"))}))
    with pytest.raises(UnknownItem):
        await ms.media.save_media_people("fake:2", [credit("bob")])
    with pytest.raises(UnknownItem):
        await ms.media.delete_media_people("fake:2")
    number = await ms.newest_change()
    result = await ms.media.save_media_item(film("2", "ann"), library_id="m", source_id="fake")
    assert str(result.status) == "saved"
    assert await logged(ms, number) == [("back", "fake:2")]
    await ms.sync(FakeBackend({"m": whole(film("1"))}))
    number = await ms.newest_change()
    assert await ms.media.delete_media_item("fake:2")
    assert await logged(ms, number) == []


async def test_people_who_turn_out_to_be_one_are_one_in_removed_items_too(ms: MediaSync) -> None:
    def named(key: str, **fields: Any) -> MediaItem:
        return movie(key, title=key, credits=[credit(name="Ann Lee", **fields)])

    await ms.sync(
        FakeBackend(
            {"m": whole(named("1", provider_ids={"imdb": "nm1"}), named("2", provider_ids={"tmdb": "5"}))}
        )
    )
    await ms.sync(FakeBackend({"m": whole(named("1", provider_ids={"imdb": "nm1"}))}))
    await ms.sync(
        FakeBackend({"m": whole(named("1", provider_ids={"imdb": "nm1", "tmdb": "5"}))}),
    )
    assert (await ms.check()).flaws == ()
    await ms.restore(["fake:2"])
    ids = [(await ms.people.find_by_media_item(f"fake:{key}"))[0].person.id for key in "12"]
    assert ids[0] == ids[1]


PEOPLE = st.lists(st.sampled_from("abcd"), max_size=3, unique=True)
LISTINGS = st.lists(
    st.dictionaries(st.sampled_from(["1", "2", "3", "4"]), PEOPLE, max_size=4), min_size=1, max_size=5
)


@settings(max_examples=25, deadline=None)
@given(listings=LISTINGS)
def test_the_views_show_what_the_source_has_and_the_rest_is_kept(
    listings: list[dict[str, list[str]]],
) -> None:
    async def check() -> None:
        async with MediaSync("sqlite:///:memory:") as ms:
            known: dict[str, list[str]] = {}
            for listing in listings:
                items = [film(key, *people, completeness="full") for key, people in listing.items()]
                await ms.sync(FakeBackend({"m": whole(*items)}), max_removals="all")
                known |= listing
                gone = sorted(known.keys() - listing.keys())
                assert await shown(ms) == {f"fake:{key}" for key in listing}
                assert await removed(ms) == {f"fake:{key}" for key in gone}
                for view, keys in (("media_people", sorted(listing)), ("removed_media_people", gone)):
                    found = await rows(ms, f"{OF_VIEW} {view} ORDER BY media_item_id, sort_order")
                    assert found == [(f"fake:{key}", f"fake:{one}") for key in keys for one in known[key]]
                people = {one for (one,) in await rows(ms, "SELECT id FROM people")}
                assert people == {f"fake:{one}" for named in listing.values() for one in named}
                assert (await ms.check()).flaws == ()

    asyncio.run(check())


OF_VIEW = "SELECT media_item_id, person_id FROM"


async def test_a_dry_run_writes_nothing(ms: MediaSync) -> None:
    await ms.sync(FakeBackend({"m": whole(*films(50))}))
    before = await written(ms)
    report = await ms.sync(FakeBackend({"m": whole(*films(2))}), dry_run=True)
    assert (report.status, len(report.pending[0].item_ids)) == (RunStatus.NEEDS_CONFIRMATION, 48)
    report = await ms.sync(FakeBackend({"m": whole(*films(2))}), dry_run=True, max_removals="all")
    assert (report.status, len(report.removed)) == (RunStatus.SUCCEEDED, 48)
    assert await written(ms) == before
