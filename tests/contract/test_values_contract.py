"""A save validates the same as the creation of a model, whatever was assigned to its fields since.

An item that cannot be stored fails alone, with the name of the field; accepted values are read back.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import POSTGRES, SQLITE_FILE, Engine
from support.items import MOVIES, SHOWS, credit, episode, movie, person, season, show
from support.mirror import prepared, value

from mediasync import (
    Credit,
    Library,
    MediaItem,
    MediaSync,
    MediaType,
    Movie,
    PersonType,
    Rating,
    Source,
    SourceKind,
)
from mediasync.errors import InvalidItem, UsageError
from mediasync.rows import NormalItem
from mediasync.saving.normal import normal_item

pytestmark = pytest.mark.slow


class Text(str):
    pass


class Word(enum.StrEnum):
    ONE = "one"


class Number(enum.IntEnum):
    ONE = 1


class Strange:
    """An object whose every operation raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __eq__ = __str__ = __bool__ = __len__ = __iter__ = __repr__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


class Contrary(str):
    """A text that can be neither compared nor trimmed."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    strip = __eq__  # type: ignore[assignment]
    __hash__ = str.__hash__


class Nowhere(tzinfo):
    """A time zone that does not know its offset."""

    def utcoffset(self, when: datetime | None) -> timedelta:
        raise RuntimeError("no")


NEST: list[Any] = []
NEST.append(NEST)

WILD: tuple[Any, ...] = (
    *(7, 0, -1, 1, 55, 2**31, 2**63, 10**5000, -(10**400), True, False),
    *(1999.0, 5400.7, -0.0, float("nan"), float("inf"), 1e300, Decimal(3), Decimal("NaN"), 3j),
    *("", " ", "zzz", "5", "full", "movie", "2020-01-01", "2020-01-01T00:00:00+00:00", "a\0b", "\ud800"),
    *("x" * 9_000, "ﷺ" * 400, "x" * 100_000, b"bytes", b"", bytearray(b"x")),
    *(date(2020, 1, 1), datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC), timedelta(1)),
    *(datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), datetime.max.replace(tzinfo=UTC)),
    *([], [None], [[]], ["x"], ["x", 3], [b"x"], ["x" * 9_000], NEST, (), ("x",), {"x"}, range(3)),
    *(Contrary("x"), [Contrary("x")], {"imdb": Contrary("x")}, datetime(2020, 1, 1, tzinfo=Nowhere())),
    *({}, {"poster": 3}, {3: "x"}, {"imdb": None}, {"x": "y"}, {"x" * 9_000: "y"}, {"x": "y" * 9_000}),
    *(Path("/films"), Text("text"), Word.ONE, Number.ONE, MediaType.SHOW, PersonType.ACTOR, SourceKind.NFO),
    *(object(), Strange(), int, len, NotImplemented, ..., movie("inner"), person("inner"), credit("inner")),
    *(Rating(name="x", value=1), [Rating(name="x", value=1)], [credit("1")], [person("1")], {"name": "x"}),
)

FIELDS = (
    *(name for name in MediaItem.model_fields if name not in MediaItem.filled_on_reading),
    *("parent_remote_id", "season_number", "episode_number", "episode_number_end"),
)


@pytest.fixture(params=[SQLITE_FILE, POSTGRES], ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine once: SQLite in memory and in a file validate alike."""
    return request.param


def _credit(name: str) -> Callable[[Any, Any], None]:
    return lambda item, wild: setattr(item.credits[1], name, wild)


def _person(name: str) -> Callable[[Any, Any], None]:
    return lambda item, wild: setattr(item.credits[1].person, name, wild)


def _rating(name: str) -> Callable[[Any, Any], None]:
    return lambda item, wild: setattr(item.ratings[0], name, wild)


def _own(name: str) -> Callable[[Any, Any], None]:
    return lambda item, wild: setattr(item, name, wild)


PLACES: dict[str, Callable[[Any, Any], None]] = {
    **{name: _own(name) for name in FIELDS},
    **{f"ratings[0].{name}": _rating(name) for name in Rating.model_fields},
    **{f"credits[1].{name}": _credit(name) for name in Credit.model_fields},
    **{f"person {name}": _person(name) for name in ("name", "remote_id", "image_path", "provider_ids")},
    "person source_id": _person("source_id"),
    "ratings[1]": lambda item, wild: item.ratings.append(wild),
    "genres[1]": lambda item, wild: item.genres.append(wild),
    "credits[3]": lambda item, wild: item.credits.append(wild),
    "images[fanart]": lambda item, wild: item.images.update(fanart=wild),
    "provider_ids[tmdb]": lambda item, wild: item.provider_ids.update(tmdb=wild),
    "person's id at imdb": lambda item, wild: item.credits[1].person.provider_ids.update(imdb=wild),
}


def an_episode(key: str) -> MediaItem:
    return episode(
        key,
        parent=None,
        genres=["Drama"],
        ratings=[{"name": "imdb", "value": 7.5, "votes": 3}],
        images={"poster": "/p"},
        provider_ids={"imdb": "tt1"},
        credits=[credit(f"{key}-{number}", role="R", order=number) for number in range(3)],
    )


def form(item: MediaItem, library: str = "home:shows") -> NormalItem:
    """Return the normal form by which two items are the same."""
    normal = normal_item(item, "home", library)
    normal.problems, normal.repeats = [], 0
    normal.genres, normal.images, normal.external_ids = (
        list(normal.genres),
        list(normal.images),
        list(normal.external_ids),
    )
    return normal


async def read_back(ms: MediaSync, item: MediaItem, library: str = "home:shows") -> None:
    """Fail unless a saved item is read as it was saved."""
    given_ = form(item, library)
    stored = await ms.media.get_media_item(given_.id)
    found = form(stored, library)
    assert type(stored) is type(item)
    if not given_.credits_fingerprint:
        found.credits, found.completeness, found.credits_fingerprint = [], given_.completeness, ""
    assert found == given_


@pytest.mark.parametrize("place", PLACES)
async def test_an_invalid_field_fails_only_its_item(ms: MediaSync, place: str) -> None:
    items = []
    for number, wild in enumerate(WILD):
        item = an_episode(f"wild {number}")
        PLACES[place](item, wild)
        items.append(item)
    good = [an_episode(f"good {number}") for number in range(len(items))]
    stream = [item for pair in zip(good, items, strict=True) for item in pair]
    outcomes = await asyncio.gather(
        *(ms.media.save_media_item(item, **SHOWS) for item in stream), return_exceptions=True
    )
    saved = []
    for item, outcome in zip(stream, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            assert isinstance(outcome, InvalidItem), repr(outcome)
            assert not any(item is one for one in good), outcome
            assert outcome.reason
            assert len(str(outcome)) < 1_000
        else:
            saved.append(item)
    assert len(saved) < len(stream), "some of the values cannot be right in any place"
    for item in saved:
        await read_back(ms, item)
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize("place", ["ratings[0].value", "title", "year", "credits[1].sort_order"])
async def test_a_call_with_many_items_names_what_is_wrong_with_each(ms: MediaSync, place: str) -> None:
    items = [an_episode(f"{number}") for number in range(20)]
    PLACES[place](items[7], object())
    report = await ms.media.save_media_items(items, **SHOWS)
    [(item_id, reason)] = report.failed
    assert (report.saved, item_id) == (19, "home:7")
    assert reason.startswith(place)
    assert "object" in reason


@pytest.mark.parametrize(
    ("place", "wild", "reason"),
    [
        ("runtime_seconds", 5400.7, "runtime_seconds should be a valid integer, not 5400.7"),
        ("year", True, "year should be a valid integer, not True"),
        ("premiere_date", datetime(2020, 1, 1), "premiere_date should be a valid date, not datetime"),
        ("media_type", "zzz", "media_type should be <MediaType.EPISODE: 'episode'>, not 'zzz'"),
        ("ratings[0].value", 55, "ratings[0].value should be less than or equal to 10, not 55"),
        ("ratings[0].votes", -1, "ratings[0].votes should be greater than or equal to 0, not -1"),
        ("genres[1]", None, "genres[1] should be a valid string, not None"),
        ("images[fanart]", 3, "images['fanart'] should be a valid string, not 3"),
        ("credits[1].person", None, "credits[1].person should be"),
        ("credits[1].sort_order", "x", "credits[1].sort_order should be a valid integer, not 'x'"),
        ("person name", 7, "credits[1].person.name should be a valid string, not 7"),
        ("added_at", datetime(2020, 1, 1), "added_at: a time without a zone is ambiguous"),
        ("remote_id", "k" * 100_000, "remote_id is 100,005 bytes long, and at most 1,600 can be stored"),
        ("genres", ["ä" * 600], "a genre is 1,200 bytes long, and at most 1,000 can be stored"),
        ("person name", "n" * 1_001, "credits[1].person.name is 1,001 bytes long"),
        ("person remote_id", "n" * 1_600, "credits[1].person.remote_id is 1,605 bytes long"),
        ("provider_ids", {"imdb": "n" * 1_001}, "provider_ids['imdb'] is 1,001 bytes long"),
    ],
)
def test_an_error_names_the_field_and_its_value(place: str, wild: Any, reason: str) -> None:
    item = an_episode("1")
    PLACES[place](item, wild)
    with pytest.raises(InvalidItem) as caught:
        normal_item(item, "home", "home:shows")
    assert caught.value.reason.startswith(reason)


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(InvalidItem, match="title is missing"):
        normal_item(Movie.model_construct(remote_id="1"), "home", "home:movies")


async def test_texts_as_long_as_they_may_be_are_stored_on_both_engines(ms: MediaSync) -> None:
    def text(size: int) -> str:
        """Return a text of this many bytes that hardly compresses."""
        return "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(size // 3)) + "x" * (size % 3)

    name = text(1_000)
    item = movie(
        text(1_590),
        title=text(1_000_000),
        original_title=text(100_000),
        overview=text(1_000_000),
        genres=[name],
        provider_ids={"imdb": name, "p" * 100: name},
        credits=[credit(text(1_590), name, role=text(100_000))],
    )
    await ms.media.save_media_item(item, **MOVIES)
    await read_back(ms, item, "home:movies")
    [found] = await ms.people.search(name)
    assert found.name == name
    assert [found.title for found in await ms.media.find_by_provider_id("imdb", name)] == [item.title]
    assert [found.title for found in await ms.media.find_by_title(item.title)] == [item.title]
    assert (await ms.check()).flaws == ()


async def test_words_that_grow_when_they_are_folded_are_cut(ms: MediaSync) -> None:
    name = "㌀" * 300  # each of them is folded to several letters
    await ms.people.upsert(person("1", name), source_id="home")
    assert [found.name for found in await ms.people.search(name)] == [name]
    assert (await ms.check()).flaws == ()


async def test_an_empty_title_is_stored_as_it_is(ms: MediaSync) -> None:
    await ms.media.save_media_items([movie("1", title=""), movie("2", title=" ")], **MOVIES)
    assert [(await ms.media.get_media_item(f"home:{key}")).title for key in "12"] == ["", " "]


async def test_people_sources_and_libraries_are_validated_like_items(ms: MediaSync) -> None:
    source, library = Source(id="new", kind="nfo"), Library(id="l", source_id="home", kind="movies")
    one = person("1")
    for model, name, wild in (
        (source, "kind", "z z"),
        (source, "kind", 7),
        (source, "name", 7),
        (source, "id", "Not an id"),
        (library, "kind", "zzz"),
        (library, "title", None),
        (library, "id", ""),
        (library, "id", "l" * 2_000),
        (one, "name", 7),
        (one, "name", "n" * 2_000),
        (one, "remote_id", "k" * 2_000),
        (one, "provider_ids", {"imdb": 3}),
        (one, "source_id", 3),
    ):
        changed = model.model_copy(update={name: wild})
        if isinstance(changed, Source):
            saving: Coroutine[Any, Any, Any] = ms.media.save_source(changed)
        elif isinstance(changed, Library):
            saving = ms.media.save_library(changed)
        else:
            saving = ms.people.upsert(changed, source_id=None if name == "source_id" else "home")
        with pytest.raises(UsageError, match=name):
            await saving
    assert [stored.id for stored in await ms.media.list_sources()] == ["home"]
    assert await value(ms, "SELECT count(*) AS n FROM people") == 0
    odd = source.model_copy(update={"name": Contrary("New"), "server_id": Contrary("s")})
    assert [await ms.media.save_source(odd), await ms.media.save_source(odd)] == [True, False]
    with pytest.raises(UsageError):
        await ms.media.save_media_item({"title": "x"}, **MOVIES)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        await ms.media.save_media_item(movie(), library_id=7, source_id="home")  # type: ignore[arg-type]


TEXTS = st.text(max_size=8).filter(lambda text: "\0" not in text)
NUMBERS = st.none() | st.integers(-(2**31) + 1, 2**31 - 1)
TIMES = st.none() | TEXTS | st.datetimes(timezones=st.just(UTC), min_value=datetime(1, 1, 2))
CREDITS = st.lists(
    st.builds(
        credit,
        st.none() | st.sampled_from("abc"),
        TEXTS,
        kind=st.sampled_from(["actor", "Director", "Key Grip"]),
        role=st.none() | TEXTS,
        order=st.none() | st.integers(-3, 2**70),
        image_path=st.none() | TEXTS,
        provider_ids=st.dictionaries(st.sampled_from(["imdb", " TMDB", "x"]), TEXTS, max_size=2),
    ),
    max_size=6,
)
COMMON: dict[str, Any] = {
    "title": TEXTS,
    **{
        name: st.none() | TEXTS
        for name in ("original_title", "sort_title", "overview", "tagline", "content_rating", "path")
    },
    "year": NUMBERS,
    "premiere_date": st.none() | st.dates(),
    "runtime_seconds": NUMBERS,
    "ratings": st.lists(
        st.builds(
            Rating,
            name=TEXTS.filter(lambda text: bool(text.strip())),
            value=st.floats(0, 10),
            votes=st.none() | st.integers(0, 2**53),
        ),
        max_size=3,
    ),
    "genres": st.lists(TEXTS, max_size=4),
    "provider_ids": st.dictionaries(TEXTS, TEXTS, max_size=3),
    "images": st.dictionaries(TEXTS, TEXTS, max_size=3),
    "added_at": TIMES,
    "changed_at": TIMES,
    "change_token": st.none() | TEXTS,
    "credits": st.none() | CREDITS,
    "completeness": st.none() | st.sampled_from(["none", "preview", "full"]),
}
ITEMS = st.one_of(
    st.builds(movie, st.just("1"), **COMMON),
    st.builds(show, st.just("1"), **COMMON),
    st.builds(season, st.just("1"), parent=st.none(), number=NUMBERS, **COMMON),
    st.builds(episode, st.just("1"), parent=st.none(), number=NUMBERS, episode_number_end=NUMBERS, **COMMON),
)


@given(item=ITEMS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_accepted_values_are_read_back(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, item: MediaItem
) -> None:
    async def run() -> None:
        async with MediaSync(engine.new_mirror_url(tmp_path_factory.mktemp("values"))) as ms:
            await prepared(ms)
            await ms.media.save_media_item(item, **SHOWS)
            await read_back(ms, item)
            assert (await ms.check()).flaws == ()

    asyncio.run(run())
