"""Items: every field is read back as it was saved; parents, deletion, and searches."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import anyio
import pytest
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, person, season, show
from support.mirror import Clock, public, rows, value, written

from mediasync import (
    Completeness,
    Credit,
    Episode,
    Library,
    MediaItem,
    MediaSync,
    MediaType,
    Movie,
    PersonType,
    Rating,
    SaveReport,
    SaveResult,
    SaveStatus,
    Season,
    Show,
    Source,
)
from mediasync.errors import InvalidId, UnknownItem, UnknownLibrary, UnknownParent, UsageError

EVERYTHING: dict[str, Any] = {
    "title": "Amélie",
    "original_title": "Le Fabuleux Destin d'Amélie Poulain",
    "sort_title": "amelie",
    "overview": "Eine Kellnerin.\n\tZweite Zeile  ",
    "tagline": "One \"person\" can change 'everything'.",
    "year": 2001,
    "premiere_date": date(2001, 4, 25),
    "runtime_seconds": 7_320,
    "content_rating": "FSK 6",
    "ratings": [
        Rating(name="imdb", value=8.3, votes=700_000),
        Rating(name="critics", value=10),
        Rating(name="x", value=0.0001, votes=0),
    ],
    "genres": ["Romance", "comedy", "Aventure"],
    "provider_ids": {"imdb": "tt0211843", "tmdb": "194", "tvdb": "5", "odd": "☃"},
    "images": {"poster": "image/poster.jpg", "fanart": "https://host/f.jpg?width=3"},
    "path": "/films/Amélie (2001)/Amélie.mkv",
    "added_at": datetime(2020, 2, 29, 23, 59, 59, 999_000, tzinfo=UTC),
    "changed_at": "2020-03-01 12:00:00",
    "change_token": 'W/"etag"',
    "credits": [
        Credit(
            person=person("a", "Audrey Tautou", image_path="p/a.jpg", provider_ids={"imdb": "nm0851582"}),
            person_type="actor",
            role='Amélie, la "serveuse"',
        ),
        credit("j", "Jean-Pierre Jeunet", kind="director"),
        credit("j", "Jean-Pierre Jeunet", kind="writer", role="Scenario"),
    ],
    "completeness": Completeness.FULL,
}
ONLY_STORED = {"id", "source_id", "library_id", "parent_id", "created_at", "updated_at"}


def content(item: MediaItem) -> dict[str, Any]:
    """Return an item without the fields of a stored one, with its credits in normal form."""
    fields = item.model_dump(exclude=ONLY_STORED | {"credits", "cast", "crew"})
    fields["credits"] = [
        (
            one.person.model_dump(include={"remote_id", "name", "image_path", "provider_ids"}),
            one.person_type,
            one.role,
        )
        for one in item.credits or ()
    ]
    return fields


FOUR = [
    Movie(remote_id="m/1:2 ☃", **EVERYTHING),
    Show(remote_id="s", **EVERYTHING),
    Season(remote_id="s-0", parent_remote_id="s", season_number=0, **EVERYTHING),
    Episode(
        remote_id="s-0-1",
        parent_remote_id="s-0",
        season_number=0,
        episode_number=1,
        episode_number_end=2,
        **EVERYTHING,
    ),
]


async def test_every_field_of_every_type_comes_back(ms: MediaSync, clock: Clock) -> None:
    report = await ms.media.save_media_items(FOUR, **SHOWS)
    assert report == SaveReport(saved=4)
    for given in FOUR:
        found = await ms.media.get_media_item(f"home:{given.remote_id}")
        assert type(found) is type(given)
        assert content(found) == content(given)
        assert (found.source_id, found.library_id) == ("home", "home:shows")
        assert found.created_at == found.updated_at
        assert round(found.created_at.timestamp() * 1000) == clock.now  # type: ignore[union-attr]
    assert (await ms.media.get_media_item("home:s-0-1")).parent_id == "home:s-0"


async def test_an_item_with_only_a_title_comes_back(ms: MediaSync) -> None:
    result = await ms.media.save_media_item(Movie(remote_id="1", title=""), **MOVIES)
    assert result == SaveResult("home:1", SaveStatus.SAVED)
    found = await ms.media.get_media_item("home:1")
    assert found.completeness is Completeness.NONE
    assert content(found) == content(Movie(remote_id="1", title="", completeness="none"))


async def test_saving_a_read_item_again_is_unchanged(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_media_items(FOUR, **SHOWS)
    before, changes = await public(ms), await written(ms)
    clock.tick()
    found = await ms.media.find_media_items([f"home:{item.remote_id}" for item in FOUR])
    report = await ms.media.save_media_items(found, **SHOWS)
    assert (report.saved, report.unchanged) == (0, 4)
    assert (await public(ms), await written(ms)) == (before, changes)


async def test_a_read_item_can_be_changed_and_saved(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie(), **MOVIES)
    item = await ms.media.get_media_item("home:1")
    item.credits = cast("a", "b")
    item.title = "Other"
    assert (await ms.media.save_media_item(item, **MOVIES)).status is SaveStatus.SAVED
    found = await ms.media.get_media_item("home:1")
    assert (found.title, found.completeness, len(found.cast)) == ("Other", Completeness.FULL, 2)


async def test_fields_assigned_as_plain_words_are_understood(ms: MediaSync) -> None:
    item, preview, cleared = movie("1", credits=cast("a")), movie("2"), movie("3", credits=cast("a"))
    item.credits[0].person_type = "GuestStar"  # type: ignore[index]
    preview.credits, preview.completeness = cast("a"), "preview"  # type: ignore[assignment]
    await ms.media.save_media_item(cleared, **MOVIES)
    cleared.credits, cleared.completeness = [], "full"  # type: ignore[assignment]
    report = await ms.media.save_media_items([item, preview, cleared], **MOVIES)
    assert (report.saved, report.failed) == (3, [])
    assert await rows(ms, "SELECT media_item_id, person_type FROM media_people ORDER BY media_item_id") == [
        ("home:1", "guest_star"),
        ("home:2", "actor"),
    ]
    kinds = dict(await rows(ms, "SELECT id, completeness FROM media_items"))
    assert kinds == {"home:1": "full", "home:2": "preview", "home:3": "full"}


@pytest.mark.parametrize(
    ("field", "assigned"),
    [
        ("year", "1999"),
        ("title", None),
        ("completeness", "whole"),
        ("added_at", datetime(2020, 1, 1)),
        ("genres", [None]),
        ("provider_ids", {"imdb": None}),
        ("credits", [None]),
        ("premiere_date", "2020-01-01"),
    ],
)
async def test_a_wrong_type_in_a_field_fails_only_its_item(
    ms: MediaSync, field: str, assigned: object
) -> None:
    bad = movie("bad")
    setattr(bad, field, assigned)
    report = await ms.media.save_media_items([movie("1"), bad, movie("2")], **MOVIES)
    assert report.saved == 2
    assert [item_id for item_id, _ in report.failed] == ["home:bad"]
    assert await value(ms, "SELECT count(*) FROM media_items") == 2


async def test_a_plain_date_as_added_at_is_not_a_time_with_a_zone(ms: MediaSync) -> None:
    with pytest.raises(ValueError, match="zone"):
        movie(added_at=date(2020, 1, 1))


async def test_an_item_of_the_base_class_comes_back_as_its_type(ms: MediaSync) -> None:
    await ms.media.save_media_item(MediaItem(media_type="movie", remote_id="1", title="A"), **MOVIES)
    assert type(await ms.media.get_media_item("home:1")) is Movie


async def test_cast_and_crew_are_views_over_credits(ms: MediaSync) -> None:
    kinds = ["director", "actor", "GuestStar", "Stunt Pilot", "writer", "actor"]
    given = [credit(str(n), kind=kind) for n, kind in enumerate(kinds)]
    await ms.media.save_media_item(movie(credits=given), **MOVIES)
    found = await ms.media.get_media_item("home:1")
    assert [one.person.remote_id for one in found.cast] == ["1", "2", "5"]
    assert [one.person_type for one in found.crew] == [PersonType.DIRECTOR, "Stunt Pilot", PersonType.WRITER]
    assert [one.sort_order for one in found.credits or ()] == [0, 1, 2, 3, 4, 5]


async def test_an_unknown_person_type_is_kept_verbatim(ms: MediaSync) -> None:
    given = ["Key Grip", "KEY GRIP", "keygrip", "Второй режиссёр", "actor/singer", "1"]
    await ms.media.save_media_item(movie(credits=[credit("a", kind=kind) for kind in given]), **MOVIES)
    stored = await rows(ms, "SELECT person_type FROM media_people ORDER BY sort_order")
    assert [kind for (kind,) in stored] == given
    assert [one.person_type for one in await ms.people.find_by_media_item("home:1")] == given


@pytest.mark.parametrize("kind", list(PersonType))
async def test_every_person_type_is_written_as_its_text(ms: MediaSync, kind: PersonType) -> None:
    await ms.media.save_media_item(movie(credits=[credit("a", kind=kind)]), **MOVIES)
    assert await value(ms, "SELECT person_type FROM media_people") == kind.value
    [found] = await ms.people.find_by_media_item("home:1")
    assert found.person_type is kind


async def test_homonyms_two_roles_and_an_actor_who_directs_are_all_kept(ms: MediaSync) -> None:
    given = [
        credit("1", "Chris", role="Dunning"),
        credit("1", "Chris", role="Dunning (uncredited)"),
        credit("1", "Chris"),
        credit("1", "Chris", kind="director"),
        credit("2", "Chris", role="Dunning"),
    ]
    result = await ms.media.save_media_item(movie(credits=given), **MOVIES)
    assert (result.problems, result.repeats) == ((), 0)
    assert await rows(
        ms, "SELECT person_id, person_type, role, sort_order FROM media_people ORDER BY sort_order"
    ) == [
        ("home:1", "actor", "Dunning", 0),
        ("home:1", "actor", "Dunning (uncredited)", 1),
        ("home:1", "actor", None, 2),
        ("home:1", "director", None, 3),
        ("home:2", "actor", "Dunning", 4),
    ]


PLANES = [
    "".join(chr(plane * 0x10000 + offset) for offset in (0x41, 0x300, 0xFFFD, 0xFFFE, 0xFFFF))
    for plane in range(17)
]


@pytest.mark.parametrize(
    "text",
    [
        *PLANES,
        "name\u200bwith\u200ezero\u202ewidth",
        "e\u0301 is not é",
        "\ufeffbom",
        "line\nfeed\rtab\t\x01\x1f\x7f\x85",
        "'; DROP TABLE person; -- \" \\ % _ {} [] null",
        "x" * 1_000,
        "👩‍👩‍👧‍👦🏳️‍🌈",
    ],
    ids=lambda text: f"{len(text)}-{ord(text[0]):x}",
)
async def test_every_text_is_kept_as_it_came(ms: MediaSync, text: str) -> None:
    given = movie(
        text,
        title=text,
        overview=text,
        genres=[text],
        images={text: text},
        path=text,
        change_token=text,
        added_at=text,
        provider_ids={"odd": text},
        credits=[credit(text, text, role=text, kind=text, image_path=text)],
    )
    await ms.media.save_media_item(given, **MOVIES)
    found = await ms.media.get_media_item(f"home:{text}")
    trimmed = text.strip()
    assert (found.remote_id, found.title, found.overview, found.path) == (text,) * 4
    assert (found.genres, found.images, found.change_token) == ([trimmed], {text: text}, text)
    assert found.provider_ids == {"odd": trimmed}
    [one] = found.credits or []
    assert (one.person.remote_id, one.person.image_path) == (text, text)
    assert (one.person.name, one.role, one.person_type) == (trimmed,) * 3
    assert (await ms.media.save_media_item(given, **MOVIES)).status is SaveStatus.UNCHANGED
    assert (await ms.check()).flaws == ()


async def test_text_that_is_not_nfc_is_not_normalised(ms: MediaSync) -> None:
    decomposed = unicodedata.normalize("NFD", "Amélie")
    await ms.media.save_media_item(movie(title=decomposed, credits=[credit("a", decomposed)]), **MOVIES)
    found = await ms.media.get_media_item("home:1")
    assert (found.title, found.cast[0].person.name) == (decomposed, decomposed)


async def test_700_credits_in_one_item(ms: MediaSync) -> None:
    given = [credit(str(n % 350), kind="actor" if n < 350 else "Stunt", role=f"{n}") for n in range(700)]
    await ms.media.save_media_item(movie(credits=given), **MOVIES)
    found = await ms.people.find_by_media_item("home:1")
    assert [one.role for one in found] == [str(n) for n in range(700)]
    assert await ms.media.count_credits() == 700
    assert await ms.people.count() == 350


async def test_a_time_that_utc_does_not_have_is_refused_by_name(ms: MediaSync) -> None:
    zone = timezone(timedelta(hours=2))
    given = [movie("1", added_at=datetime(1, 1, 1, tzinfo=zone)), movie("2")]
    report = await ms.media.save_media_items(given, **MOVIES)
    assert report.saved == 1
    [(item_id, reason)] = report.failed
    assert item_id == "home:1"
    assert "0001-01-01T00:00:00+02:00 is out of range" in reason


async def test_times_with_a_zone_are_kept_in_utc_milliseconds(ms: MediaSync) -> None:
    zone = timezone(timedelta(hours=5, minutes=45))
    await ms.media.save_media_items(
        [
            movie("1", added_at=datetime(2020, 1, 1, 5, 45, 0, 123_999, tzinfo=zone)),
            movie("2", added_at="2023-12-11T12:10:40.7607527Z", changed_at="2023-12-11T12:10:40+01:00"),
            movie(
                "3",
                added_at=datetime(1, 1, 1, tzinfo=UTC),
                changed_at=datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            ),
            movie("4", added_at="2020-01-01 00:00:00", changed_at="yesterday"),
            movie("5", added_at="2020-01-01", changed_at=""),
        ],
        **MOVIES,
    )
    found = await rows(
        ms, "SELECT added_at, added_text, changed_at, changed_text FROM media_items ORDER BY id"
    )
    assert found == [
        ("2020-01-01T00:00:00.123Z", None, None, None),
        ("2023-12-11T12:10:40.760Z", None, "2023-12-11T11:10:40.000Z", None),
        ("0001-01-01T00:00:00.000Z", None, "1969-12-31T23:59:59.999Z", None),
        (None, "2020-01-01 00:00:00", None, "yesterday"),
        (None, "2020-01-01", None, None),
    ]
    item = await ms.media.get_media_item("home:2")
    assert item.added_at == datetime(2023, 12, 11, 12, 10, 40, 760_000, tzinfo=UTC)


async def test_derived_keys_of_people(ms: MediaSync) -> None:
    long_name = "ß" * 300
    await ms.media.save_media_item(
        movie(
            credits=[
                credit(None, "Keanu  Reeves"),
                credit(None, "KEANU REEVES", kind="producer"),
                credit(None, "Carrie", provider_ids={"imdb": "nm2", "tmdb": "2"}),
                credit(None, long_name),
                credit(None, long_name + "x"),
            ]
        ),
        **MOVIES,
    )
    found = [one.person.id for one in await ms.people.find_by_media_item("home:1")]
    assert found[:3] == ["home:name:keanu reeves", "home:name:keanu reeves", "home:tmdb:2"]
    assert len(set(found)) == 4
    assert all(one is not None and len(one.encode()) <= len("home:") + 200 for one in found)


async def test_save_media_people_replaces_the_whole_list(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_media_item(movie(title="T", credits=cast("a", "b"), completeness="preview"), **MOVIES)
    clock.tick()
    result = await ms.media.save_media_people(
        "home:1", [credit("c", role=" C ", order=5), credit("b", order=1), credit("b"), credit("x", " ")]
    )
    assert (result.status, result.repeats, len(result.problems)) == (SaveStatus.SAVED, 1, 1)
    item = await ms.media.get_media_item("home:1")
    assert (item.title, item.completeness) == ("T", Completeness.FULL)
    assert [(one.person.remote_id, one.role) for one in item.credits or ()] == [("b", None), ("c", "C")]
    assert await value(ms, "SELECT updated_at > created_at FROM media_items")
    assert (await ms.check()).flaws == ()


async def test_save_media_people_of_what_is_stored_writes_nothing(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_media_item(movie(credits=cast("a", "b")), **MOVIES)
    before, changes = await public(ms), await written(ms)
    clock.tick()
    result = await ms.media.save_media_people("home:1", cast("a", "b"))
    assert result.status is SaveStatus.UNCHANGED
    assert (await public(ms), await written(ms)) == (before, changes)


async def test_saving_an_item_with_the_list_that_save_media_people_stored_is_unchanged(
    ms: MediaSync, clock: Clock
) -> None:
    await ms.media.save_media_item(movie(), **MOVIES)
    await ms.media.save_media_people("home:1", cast("a", "b"))
    before = await public(ms)
    clock.tick()
    result = await ms.media.save_media_item(movie(credits=cast("a", "b")), **MOVIES)
    assert result.status is SaveStatus.UNCHANGED
    assert await public(ms) == before


async def test_save_media_people_of_a_changed_item_is_noticed_by_the_next_save(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie(credits=cast("a", "b")), **MOVIES)
    await ms.media.save_media_people("home:1", cast("c"))
    result = await ms.media.save_media_item(movie(credits=cast("a", "b")), **MOVIES)
    assert result.status is SaveStatus.SAVED
    assert [one.person.remote_id for one in await ms.people.find_by_media_item("home:1")] == ["a", "b"]


async def test_save_media_people_with_an_empty_list_clears(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie(credits=cast("a", "b")), **MOVIES)
    await ms.media.save_media_people("home:1", [])
    item = await ms.media.get_media_item("home:1")
    assert (item.credits, item.completeness) == ([], Completeness.FULL)


async def test_people_of_items_that_are_not_stored(ms: MediaSync) -> None:
    with pytest.raises(UnknownItem, match="home:9"):
        await ms.media.save_media_people("home:9", cast("a"))
    with pytest.raises(UnknownItem, match="home:9"):
        await ms.media.delete_media_people("home:9")
    with pytest.raises(UnknownItem, match="home:9"):
        await ms.media.get_media_item("home:9")
    with pytest.raises(UsageError):
        await ms.media.save_media_people("no id", [])
    assert not await ms.media.delete_media_item("home:9")
    assert await ms.people.count() == 0


async def test_delete_media_people_empties_the_list(ms: MediaSync, clock: Clock) -> None:
    await ms.media.save_media_item(movie(credits=cast("a", "b")), **MOVIES)
    clock.tick()
    assert await ms.media.delete_media_people("home:1") == 2
    item = await ms.media.get_media_item("home:1")
    assert (item.credits, item.completeness) == ([], Completeness.NONE)
    assert await ms.people.count() == 0, "whom nobody credits is not shown"
    before, changes = await public(ms), await written(ms)
    clock.tick()
    assert await ms.media.delete_media_people("home:1") == 0
    assert (await public(ms), await written(ms)) == (before, changes)


async def test_deleting_an_item_deletes_its_descendants_and_hides_its_people(ms: MediaSync) -> None:
    await ms.media.save_media_items([*FOUR[1:], show("other", credits=cast("a"))], **SHOWS)
    assert await ms.media.delete_media_item("home:s")
    assert await rows(ms, "SELECT id FROM media_items") == [("home:other",)]
    for view in ("genres", "ratings", "images", "external_ids"):
        assert await value(ms, f"SELECT count(*) FROM {view}") == 0, view
    assert await rows(ms, "SELECT media_item_id FROM media_people") == [("home:other",)]
    assert await rows(ms, "SELECT id FROM people") == [("home:a",)]
    assert not await ms.media.delete_media_item("home:s")
    assert (await ms.check()).flaws == ()
    report = await ms.media.save_media_items(FOUR[1:], **SHOWS)
    assert report.saved == 3, "deleted items can be saved anew"


FAMILY = [
    show(),
    season("s-1"),
    season("s-2", number=2),
    episode("s-1-1"),
    episode("s-2-1", parent="s-2"),
    episode("s-x", parent="s", number=None),
]


@pytest.mark.parametrize(
    "order", [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [3, 0, 4, 1, 5, 2], [4, 3, 1, 5, 2, 0]]
)
@pytest.mark.parametrize("concurrency", [1, 2, 4_000])
async def test_parents_may_come_in_any_order(ms: MediaSync, order: list[int], concurrency: int) -> None:
    report = await ms.media.save_media_items([FAMILY[n] for n in order], concurrency=concurrency, **SHOWS)
    assert report == SaveReport(saved=6)
    assert dict(await rows(ms, "SELECT id, parent_id FROM media_items")) == {
        "home:s": None,
        "home:s-1": "home:s",
        "home:s-2": "home:s",
        "home:s-1-1": "home:s-1",
        "home:s-2-1": "home:s-2",
        "home:s-x": "home:s",
    }


async def test_an_orphan_is_reported_and_its_neighbours_are_saved(ms: MediaSync) -> None:
    given = [episode("e", parent="none"), show(), season("x", parent="lost"), episode("y", parent="x")]
    report = await ms.media.save_media_items(given, **SHOWS)
    assert (report.saved, sorted(item_id for item_id, _ in report.failed)) == (
        1,
        ["home:e", "home:x", "home:y"],
    )
    reasons = dict(report.failed)
    assert "home:none" in reasons["home:e"]
    assert "home:lost" in reasons["home:x"]
    assert "home:x" in reasons["home:y"]
    assert await rows(ms, "SELECT id FROM media_items") == [("home:s",)]


async def test_an_orphan_alone_raises(ms: MediaSync) -> None:
    with pytest.raises(UnknownParent, match="home:s") as caught:
        await ms.media.save_media_item(season(credits=cast("a")), **SHOWS)
    assert caught.value.item_id == "home:s-1"
    assert await ms.people.count() == 0


async def test_an_orphan_whose_item_is_stored_leaves_it_as_it_was(ms: MediaSync) -> None:
    await ms.media.save_media_items(FAMILY, **SHOWS)
    before = await public(ms)
    report = await ms.media.save_media_items([season("s-1", parent="gone", title="New")], **SHOWS)
    assert [item_id for item_id, _ in report.failed] == ["home:s-1"]
    assert await public(ms) == before


async def test_more_orphans_than_the_window_holds(ms: MediaSync) -> None:
    given = [*(season(f"x{n}", number=n) for n in range(8)), show()]
    report = await ms.media.save_media_items(given, concurrency=1, orphan_window=5, **SHOWS)
    assert report.saved == 6
    assert [item_id for item_id, _ in report.failed] == ["home:x0", "home:x1", "home:x2"]


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (season("c", parent="m"), movie("m")),
        (episode("c", parent="m"), movie("m")),
        (season("c", parent="m"), season("m", parent="s")),
        (episode("c", parent="m"), episode("m", parent="s")),
        (season("c", parent="c"), show("m")),
    ],
    ids=["season of movie", "episode of movie", "season of season", "episode of episode", "itself"],
)
async def test_a_parent_of_the_wrong_type_is_refused(
    ms: MediaSync, child: MediaItem, parent: MediaItem
) -> None:
    report = await ms.media.save_media_items([child, show(), parent], **SHOWS)
    assert (report.saved, [item_id for item_id, _ in report.failed]) == (2, ["home:c"])
    with pytest.raises(UnknownParent):
        await ms.media.save_media_item(child, **SHOWS)
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize("concurrency", [1, 6000])
async def test_several_items_under_a_parent_of_the_wrong_type_are_refused(
    ms: MediaSync, concurrency: int
) -> None:
    items = [movie("m"), *(season(f"x{number}", parent="m", number=number) for number in range(5))]
    with anyio.fail_after(60):  # each saw the parent come, and kept the others waiting for it
        report = await ms.media.save_media_items(items, **MOVIES, concurrency=concurrency)
    assert report.saved == 1
    assert [reason for _, reason in report.failed] == ["its parent 'home:m' is a movie, not a show"] * 5


async def test_a_parent_may_be_stored_before_the_call(ms: MediaSync) -> None:
    await ms.media.save_media_item(show(), **SHOWS)
    await ms.media.save_media_item(season(), **SHOWS)
    await ms.media.save_media_item(episode(), **SHOWS)
    assert [item.id for item in await ms.media.list_children("home:s")] == ["home:s-1"]


async def test_an_item_can_change_its_parent_and_be_in_another_library(ms: MediaSync) -> None:
    await ms.media.save_media_items([show("s"), show("t"), season("x", parent="s")], **SHOWS)
    await ms.media.save_media_item(season("x", parent="t"), **SHOWS)
    assert (await ms.media.get_media_item("home:x")).parent_id == "home:t"
    await ms.media.save_media_item(season("x", parent=None), **MOVIES)
    item = await ms.media.get_media_item("home:x")
    assert (item.parent_id, item.library_id) == (None, "home:shows"), "its home stays"
    in_movies = [item.id async for item in ms.media.iter_media_items("home:movies")]
    assert in_movies == ["home:x"]


async def test_list_children_by_number(ms: MediaSync) -> None:
    given = [
        show(),
        *(season(f"n{n}", number=n) for n in (10, 2, 0)),
        episode("b", parent="n2", number=11),
        episode("a", parent="n2", number=9),
    ]
    await ms.media.save_media_items(given, **SHOWS)
    assert [item.id for item in await ms.media.list_children("home:s")] == ["home:n0", "home:n2", "home:n10"]
    assert [item.id for item in await ms.media.list_children("home:n2")] == ["home:a", "home:b"]
    assert await ms.media.list_children("home:nothing") == []


async def test_find_media_items_in_the_order_asked_for(ms: MediaSync) -> None:
    await ms.media.save_media_items([movie(str(n), credits=cast(str(n))) for n in range(5)], **MOVIES)
    found = await ms.media.find_media_items(["home:4", "home:9", "home:0", "home:4"])
    assert [item.id for item in found] == ["home:4", "home:0"]
    assert [item.cast[0].person.remote_id for item in found] == ["4", "0"]
    assert await ms.media.find_media_items([]) == []


async def test_find_by_title(ms: MediaSync) -> None:
    await ms.media.save_media_items(
        [
            movie("1", title="Heat", year=1995),
            movie("2", title="HEAT", year=1986),
            movie("3", title="In the Heat of the Night"),
            movie("4", title="100% Wolf"),
            movie("5", title="Other", original_title="Heat"),
            movie("6", title="back\\slash_"),
            show("7", title="Heat"),
        ],
        **MOVIES,
    )

    async def ids(text: str, **options: int) -> list[str | None]:
        return [item.id for item in await ms.media.find_by_title(text, **options)]

    assert await ids("heat") == ["home:5", "home:2", "home:1", "home:7"]
    assert await ids("heat", limit=1) == ["home:5"]
    assert await ids("the night") == ["home:3"]
    assert await ids("0%") == []
    assert await ids("100%") == ["home:4"]
    assert await ids("back\\s") == ["home:6"]
    assert await ids("slash back") == ["home:6"]
    assert await ids("_") == []
    await ms.media.save_media_item(movie("8", title="Le Fabuleux Destin d'Amélie"), **MOVIES)
    assert await ids("AMELIE") == ["home:8"]
    assert await ids("le fabuleux destin d amelie") == ["home:8"]
    assert await ids("nothing") == []


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("Salome", ["Salome", "Salomé"]),
        ("godfather", ["Godfather", "The Godfather"]),
        ("Godfather, The", ["Godfather", "The Godfather"]),
        ("wall-e", ["Wall-E", "WALL·E"]),
        ("walle", ["Wall-E", "WALL·E"]),
        ("oceans eleven", ["Ocean's Eleven", "Oceans Eleven"]),
        ("m.a.s.h.", ["M*A*S*H", "MASH"]),
        ("Blod", ["Blod", "Blød"]),
        ("Lodz", ["Lodz", "Łódź"]),
        ("Kirmizi", ["Kirmizi", "Kırmızı"]),
        ("Aeon", ["Aeon", "Æon"]),
        ("Dorde", ["Dorde", "Đorđe"]),
        ("Thor", ["Thor", "Þór"]),
        ("Strasse", ["Strasse", "Straße"]),
        ("$", ["$"]),
    ],
)
async def test_an_exact_title_match_does_not_hide_variants(
    ms: MediaSync, text: str, titles: list[str]
) -> None:
    items = [movie(str(n), title=title) for n, title in enumerate(titles)]
    await ms.media.save_media_items([*items, movie("x", title="Other")], **MOVIES)
    for spelling in (text, *titles):
        assert [item.title for item in await ms.media.find_by_title(spelling)] == titles, spelling


async def test_a_title_is_found_by_its_words(ms: MediaSync) -> None:
    titles = {
        "1": ("The Lord of the Rings: The Return of the King", 2003, None),
        "2": ("The Lord of the Rings: The Two Towers", 2002, None),
        "3": ("Spirited Away", 2001, "千と千尋の神隠し"),
        "4": ("Ringing Bell", 1978, None),
    }
    await ms.media.save_media_items(
        (
            movie(key, title=title, year=year, original_title=original)
            for key, (title, year, original) in titles.items()
        ),
        **MOVIES,
    )

    async def found(text: str, **options: int) -> list[str | None]:
        return [item.remote_id for item in await ms.media.find_by_title(text, **options)]

    assert await found("lord of the rings") == ["2", "1"]
    assert await found("rings lord") == ["2", "1"]
    assert await found("king ret") == ["1"]
    assert await found("ring") == ["4", "2", "1"]
    assert await found("ring", limit=1) == ["4"]
    assert await found("神隠し") == ["3"]
    assert await found("away 千尋") == ["3"]
    assert await found("ing") == []


async def test_words_follow_titles(ms: MediaSync) -> None:
    async def found(text: str) -> list[str | None]:
        return [item.id for item in await ms.media.find_by_title(text)]

    await ms.media.save_media_item(show("s", title="Old Name", year=1999), **SHOWS)
    await ms.media.save_media_item(season("s1", parent="s", title="Chapter"), **SHOWS)
    await ms.media.save_media_item(episode("e1", parent="s1", title="Pilot"), **SHOWS)
    assert await found("old") == await found("Old Name") == ["home:s"]
    await ms.media.save_media_item(show("s", title="New Name", year=2000), **SHOWS)
    assert await found("old") == await found("old name") == []
    assert await found("new") == await found("new name") == ["home:s"]
    assert (await ms.check()).flaws == ()
    await ms.media.delete_media_item("home:s")
    assert [await found(text) for text in ("new", "Chapter", "pilot")] == [[], [], []]
    assert (await ms.check()).flaws == ()


async def test_find_by_provider_id_searches_all_sources(ms: MediaSync) -> None:
    await ms.media.save_source(Source(id="other", kind="plex"))
    await ms.media.save_library(Library(id="l", source_id="other", kind="movies"))
    matrix = movie(provider_ids={"imdb": "tt0133093", "trakt": "x"})
    await ms.media.save_media_item(matrix, **MOVIES)
    await ms.media.save_media_item(matrix, library_id="l", source_id="other")
    found = await ms.media.find_by_provider_id("imdb", "tt0133093")
    assert [item.id for item in found] == ["home:1", "other:1"]
    assert len(await ms.media.find_by_provider_id("trakt", "x")) == 2
    assert await ms.media.find_by_provider_id("tmdb", "tt0133093") == []
    await ms.media.save_media_item(movie(provider_ids={"tvdb": "7"}), **MOVIES)
    assert [item.id for item in await ms.media.find_by_provider_id("imdb", "tt0133093")] == ["other:1"]
    assert await rows(ms, "SELECT imdb_id, tmdb_id, tvdb_id FROM media_items WHERE id = 'home:1'") == [
        (None, None, "7")
    ]


async def test_long_credit_lists_are_read_whole(ms: MediaSync) -> None:
    names = [f"Person {n}" for n in range(4_100)]
    items = [
        movie("long", credits=[credit(f"p{n}", name, role=f"r{n}") for n, name in enumerate(names)]),
        *(movie(str(n), credits=[credit(f"p{k}", names[k]) for k in range(n)]) for n in range(3)),
    ]
    await ms.media.save_media_items(items, **MOVIES)
    found = await ms.media.find_media_items(
        ["home:2", "home:long", "home:0", "home:none", "home:1", "home:2"]
    )
    assert [item.id for item in found] == ["home:2", "home:long", "home:0", "home:1"]
    assert [len(item.credits or []) for item in found] == [2, 4_100, 0, 1]
    whole = found[1].credits or []
    assert [(one.person.name, one.role, one.sort_order) for one in whole] == [
        (name, f"r{n}", n) for n, name in enumerate(names)
    ]
    assert await ms.people.find_by_media_item("home:long") == whole
    assert whole[0] == Credit.model_validate(whole[0].model_dump())
    assert whole[0].model_fields_set == set(Credit.model_fields)


async def test_items_read_by_one_query_are_those_read_by_several(ms: MediaSync) -> None:
    """One query brings an item with a cast of usual length; longer casts take more."""
    saved = [
        movie("none"),
        movie("empty", credits=[]),
        movie("some", credits=cast("a", "b"), images={"poster": "p"}),
        movie("long", credits=[credit(f"p{n}", role=f"Role {n}") for n in range(2_001)]),
        movie("just", credits=[credit(f"p{n}") for n in range(1_999)]),
    ]
    await ms.media.save_media_items(saved, **MOVIES)
    ids = [f"home:{item.remote_id}" for item in saved]
    padding = [f"home:nothing{n}" for n in range(10)]
    together = await ms.media.find_media_items([*ids, *padding])
    assert [item.id for item in together] == ids
    assert [len(item.credits or []) for item in together] == [0, 0, 2, 2_001, 1_999]
    assert [await ms.media.get_media_item(item_id) for item_id in ids] == together
    assert await ms.media.find_media_items([ids[2], *padding[:2], ids[0]]) == [together[2], together[0]]


async def test_limit_and_offset_of_lists(ms: MediaSync) -> None:
    await ms.media.save_media_item(show("s"), **SHOWS)
    seasons = [season(f"s{n}", parent="s", season_number=n, credits=cast("a")) for n in range(5)]
    await ms.media.save_media_items(seasons, **SHOWS)
    films = [movie(str(n), year=2000 + n, provider_ids={"imdb": "tt1"}, credits=cast("a")) for n in range(5)]
    await ms.media.save_media_items(films, **MOVIES)
    for page in ({}, {"limit": 2}, {"limit": 2, "offset": 4}, {"offset": 3}, {"limit": 0}):
        part = slice(page.get("offset", 0), page.get("offset", 0) + page.get("limit", 99))
        children = await ms.media.list_children("home:s", **page)
        assert [item.remote_id for item in children] == [f"s{n}" for n in range(5)][part]
        found = await ms.media.find_by_provider_id("imdb", "tt1", **page)
        assert [item.remote_id for item in found] == [str(n) for n in range(5)][part]
        roles = await ms.people.filmography("home:a", **page)
        assert [role.media_item_id for role in roles] == [
            role.media_item_id for role in await ms.people.filmography("home:a")
        ][part]


async def test_a_library_is_read_by_id_whatever_the_type_and_the_home(ms: MediaSync) -> None:
    await ms.media.save_library(Library(id="all", source_id="home", kind="mixed"))
    both = {"library_id": "all", "source_id": "home"}
    await ms.media.save_media_items([movie(f"{n:03}") for n in range(0, 250, 2)], **MOVIES)
    await ms.media.save_media_items([show(f"{n:03}") for n in range(1, 250, 2)], **both)
    await ms.media.save_media_items([movie(f"{n:03}") for n in range(0, 250, 4)], **both)
    found = [item.remote_id async for item in ms.media.iter_media_items("home:all")]
    assert found == [f"{n:03}" for n in range(250) if n % 2 or not n % 4]
    movies = [
        item.remote_id async for item in ms.media.iter_media_items("home:all", media_type=MediaType.MOVIE)
    ]
    assert movies == [f"{n:03}" for n in range(0, 250, 4)]
    assert list(await ms.media.find_change_tokens("home:all")) == found
    assert [row[0] for row in await ms.media.count_by_library()] == ["home:all", "home:all", "home:movies"]
    assert [row[-1] for row in await ms.media.count_by_library()] == [63, 125, 125]
    [totals] = await rows(ms, "SELECT media_items, people, media_people FROM totals")
    assert tuple(totals) == (250, 0, 0)


async def test_iter_media_items_in_pages(ms: MediaSync) -> None:
    await ms.media.save_media_items((movie(f"{n:04}", credits=cast("a")) for n in range(1_001)), **MOVIES)
    await ms.media.save_media_item(show("9999"), **MOVIES)
    everything = [item.id async for item in ms.media.iter_media_items("home:movies")]
    assert everything == [f"home:{n:04}" for n in (*range(1_001), 9999)]
    shows = [item.id async for item in ms.media.iter_media_items("home:movies", media_type=MediaType.SHOW)]
    assert shows == ["home:9999"]
    with pytest.raises(UnknownLibrary, match="'home:none' is not stored"):
        await anext(aiter(ms.media.iter_media_items("home:none")))
    [library] = [library for library in await ms.media.list_libraries("home") if library.id == "movies"]
    assert [item.id async for item in ms.media.iter_media_items(library)] == everything
    assert await ms.media.find_change_tokens(library) == await ms.media.find_change_tokens("home:movies")
    for read in (anext(aiter(ms.media.iter_media_items(library.id))), ms.media.find_change_tokens("movies")):
        with pytest.raises(InvalidId, match=r"'movies' is not the full id of a library.*Library.full_id"):
            await read


async def test_items_can_be_saved_while_they_are_iterated(ms: MediaSync) -> None:
    await ms.media.save_media_items((movie(f"{n:04}") for n in range(501)), **MOVIES)
    async for item in ms.media.iter_media_items("home:movies"):
        if item.remote_id in {"0000", "0499"}:
            item.title = "Changed"
            await ms.media.save_media_item(item, **MOVIES)
    assert await value(ms, "SELECT count(*) FROM media_items WHERE title = 'Changed'") == 2


async def test_counts(ms: MediaSync) -> None:
    await ms.media.save_media_items(
        [
            movie("1", credits=cast("a", "b")),
            movie("2"),
            movie("3", credits=cast("a"), completeness="preview"),
        ],
        **MOVIES,
    )
    await ms.media.save_media_item(show(), **SHOWS)
    assert await ms.media.count_by_library() == [
        ("home:movies", MediaType.MOVIE, Completeness.FULL, 1),
        ("home:movies", MediaType.MOVIE, Completeness.NONE, 1),
        ("home:movies", MediaType.MOVIE, Completeness.PREVIEW, 1),
        ("home:shows", MediaType.SHOW, Completeness.NONE, 1),
    ]
    assert await ms.media.count_credits() == 3


async def test_change_tokens_by_the_sources_keys(ms: MediaSync) -> None:
    await ms.media.save_media_items(
        [movie("a:b", change_token="t"), movie("2"), movie("3", change_token="")], **MOVIES
    )
    await ms.media.save_media_item(show(change_token="s"), **SHOWS)
    assert await ms.media.find_change_tokens("home:movies") == {"a:b": "t", "2": "", "3": ""}


@pytest.mark.parametrize("odd", ["\x1f", "a\x1fb", "\x1a", "a\x1a\x1f", "None", ",", "\\", "\\N", "{}", '"'])
async def test_texts_that_look_like_separators(ms: MediaSync, odd: str) -> None:
    given = movie(
        "1",
        title=f"x{odd}",
        tagline=odd,
        genres=[odd.strip() or "none", "b"],
        credits=[credit("p", "Ann", role=odd)],
    )
    await ms.media.save_media_items(
        [given, movie("2", title="y"), movie("3", title="z", tagline=odd)], **MOVIES
    )
    first, second, third = await ms.media.find_media_items(["home:1", "home:2", "home:3"])
    assert (first.title, first.tagline, first.genres) == (f"x{odd}", odd, [odd.strip() or "none", "b"])
    assert [one.role for one in first.credits or ()] == [odd.strip() or None]
    assert (second.tagline, third.tagline) == (None, odd)


async def test_a_library_may_be_named_by_its_key_or_its_full_id(ms: MediaSync) -> None:
    await ms.media.save_media_item(movie("1"), library_id="home:movies", source_id="home")
    assert (await ms.media.get_media_item("home:1")).library_id == "home:movies"


@pytest.mark.parametrize(
    ("library_id", "source_id"),
    [("nothing", "home"), ("movies", "nowhere"), ("home:movies", "other"), ("", "home")],
)
async def test_an_unknown_library_is_refused(ms: MediaSync, library_id: str, source_id: str) -> None:
    await ms.media.save_source(Source(id="other", kind="plex"))
    with pytest.raises(UnknownLibrary, match=library_id or "home"):
        await ms.media.save_media_item(movie(), library_id=library_id, source_id=source_id)
    taken = iter([movie()])
    with pytest.raises(UnknownLibrary):
        await ms.media.save_media_items(taken, library_id=library_id, source_id=source_id)
    assert len(list(taken)) == 1, "nothing was taken from the stream"


async def test_items_of_two_sources_do_not_collide(ms: MediaSync) -> None:
    await ms.media.save_source(Source(id="other", kind="plex"))
    await ms.media.save_library(Library(id="movies", source_id="other", kind="movies"))
    await ms.media.save_media_item(movie(title="A", credits=cast("x")), **MOVIES)
    await ms.media.save_media_item(
        movie(title="B", credits=cast("x")), library_id="movies", source_id="other"
    )
    assert await rows(ms, "SELECT id, title FROM media_items ORDER BY id") == [
        ("home:1", "A"),
        ("other:1", "B"),
    ]
    assert await rows(ms, "SELECT id FROM people ORDER BY id") == [("home:x",), ("other:x",)]
