"""A law of lists: the pages put together are the filtered and sorted list, whichever way a page is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engines import POSTGRES, SQLITE_FILE, Engine
from support.items import credit, episode, movie, season, show
from support.mirror import Clock

from mediasync import Credited, ItemFilter, ItemSort, Library, MediaSync, PersonFilter, Rating, Source
from mediasync.ids import split_id
from mediasync.models import AnyMediaItem
from mediasync.repositories import lists
from mediasync.sorting import name_sort_key, title_sort_key

TITLES = (
    "The Apartment",
    "Apartment",
    "10 Things",
    "2 Fast",
    "Élite",
    "Elite",
    "Die Hard",
    "Das Boot",
    "¡Ay!",
)
NAMES = ("Émile Zola", "Emile Hirsch", "Al Pacino", "al pacino", "三船 敏郎", "50 Cent", "4 Tet", "Zoe Bell")
GENRES = ("Drama", "Comedy", "Noir")
FUNCTIONS = ("actor", "director", "writer")
SOURCES = ("home", "other")
DAY = timedelta(days=1)
START = datetime(2024, 1, 1, tzinfo=UTC)


class World:
    """A mirror with random content, and the same content in plain Python."""

    def __init__(self, ms: MediaSync, runner: asyncio.Runner) -> None:
        self.ms = ms
        self.run = runner.run
        self.items: dict[str, AnyMediaItem] = {}
        self.libraries: dict[str, set[str]] = {}

    def works_of(self, person_id: str, items: Any = None) -> set[str]:
        return {self.top(item) for item, _ in self.credits_of(person_id, items)}

    def top(self, item: AnyMediaItem) -> str:
        while item.parent_id in self.items:
            item = self.items[item.parent_id]
        return item.id or ""

    def credits_of(self, person_id: str, items: Any = None) -> list[tuple[AnyMediaItem, Any]]:
        return [
            (item, one)
            for item in (items if items is not None else self.items.values())
            for one in item.credits or ()
            if one.person.id == person_id
        ]


async def filled(ms: MediaSync, clock: Clock, seed: int) -> dict[str, set[str]]:
    """Store a random library, and return the further libraries of items."""
    random = Random(seed)
    libraries: dict[str, set[str]] = {}
    for source in SOURCES:
        await ms.media.save_source(Source(id=source, kind="jellyfin", name=source))
        for library in ("a", "b"):
            await ms.media.save_library(Library(id=library, source_id=source, title=library, kind="mixed"))
        made = [anything(random, kind, n) for n, kind in enumerate([movie] * 25 + [show] * 5)]
        for n in range(5):
            made.append(season(f"s{n}", parent=str(25 + n), season_number=n, title=f"Season {n * 3}"))
            made += [anything(random, episode, 100 * n + k + 100, parent=f"s{n}") for k in range(3)]
        for some in (made[:15], made[15:]):
            clock.now += 86_400_000
            library = random.choice("ab")
            await ms.media.save_media_items(some, library_id=library, source_id=source)
            for one in some:
                libraries[f"{source}:{one.remote_id}"] = {f"{source}:{library}"}
        twice = made[:4]
        await ms.media.save_media_items(twice, library_id="b", source_id=source)
        for one in twice:
            libraries[f"{source}:{one.remote_id}"].add(f"{source}:b")
        clock.now += 86_400_000
        changed = random.sample(made[:25], 5)
        for one in changed:
            one.tagline = "Changed"
        await ms.media.save_media_items(changed, library_id="b", source_id=source)
        for one in changed:
            libraries[f"{source}:{one.remote_id}"].add(f"{source}:b")
        for one in random.sample(made[5:25], 2):
            await ms.media.delete_media_item(f"{source}:{one.remote_id}")
            del libraries[f"{source}:{one.remote_id}"]
    return libraries


def anything(random: Random, make: Callable[..., Any], number: int, **fields: Any) -> Any:
    people = random.sample(range(len(NAMES)), random.randrange(4))
    value = random.choice([0, 5.5, 7, 7, 9.3, None])
    ratings = [] if value is None else [Rating(name="imdb", value=value)]
    added: Any = random.choice([None, "2024-01-01", START + random.randrange(4) * DAY])
    return make(
        str(number),
        **fields,
        title=random.choice(TITLES),
        sort_title=random.choice([None, None, None, "Boot 3"]),
        year=random.choice([None, 1949, 1994, 1995, 2010]),
        ratings=ratings,
        genres=random.sample(GENRES, random.randrange(3)),
        provider_ids=random.choice([{}, {"imdb": f"tt{number % 7}"}, {"tmdb": "5", "imdb": "tt1"}]),
        added_at=added,
        credits=random.choice([None, [
            credit(f"p{n}", NAMES[n], kind=random.choice(FUNCTIONS), image_path="/x" if n % 2 else None)
            for n in people
        ]]),
    )  # fmt: skip


@contextmanager
def open_world(engine: Engine, folder: Any, seed: int) -> Iterator[World]:
    with asyncio.Runner() as runner:
        clock = Clock()
        ms = MediaSync(engine.new_mirror_url(folder), clock=clock)
        runner.run(ms.open())
        try:
            world = World(ms, runner)
            world.libraries = runner.run(filled(ms, clock, seed))
            found = runner.run(ms.media.find_media_items(list(world.libraries)))
            world.items = {item.id or "": item for item in found}
            yield world
        finally:
            runner.run(ms.close())


@pytest.fixture(scope="module", params=[SQLITE_FILE, POSTGRES], ids=lambda engine: engine.name)
def worlds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[World]]:
    folders = [tmp_path_factory.mktemp("lists") for _ in range(2)]
    with open_world(request.param, folders[0], 1) as one, open_world(request.param, folders[1], 2) as two:
        yield [one, two]


PEOPLE = st.sampled_from([f"{source}:p{n}" for source in SOURCES for n in range(len(NAMES))])
CREDITED = st.builds(Credited, PEOPLE, st.none() | st.sampled_from(FUNCTIONS)) | PEOPLE
TIMES = st.sampled_from([START + n * DAY for n in range(-1, 6)])


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.none() | st.none() | values


FILTERS = st.builds(
    lambda years, **given: ItemFilter(year_from=years[0], year_to=years[1], **given),
    years=st.sampled_from([(None, None)] * 5 + [(1990, 1999), (1995, None), (None, 1994), (1995, 1995)]),
    source_id=maybe(st.sampled_from([*SOURCES, "nowhere"])),
    library_id=maybe(st.sampled_from(["home:a", "home:b", "other:b"])),
    media_types=st.lists(st.sampled_from(["movie", "show", "season", "episode"]), max_size=2),
    genre=maybe(st.sampled_from(GENRES)),
    min_rating=maybe(st.sampled_from([0, 5.5, 7, 10])),
    provider_id=maybe(st.sampled_from(["imdb:tt1", "tmdb:5", "x:1"])),
    with_provider=maybe(st.sampled_from(["imdb", "tmdb"])),
    without_provider=maybe(st.sampled_from(["imdb", "tmdb"])),
    completeness=maybe(st.sampled_from(["none", "full"])),
    added_since=maybe(TIMES),
    changed_since=maybe(TIMES),
    created_since=maybe(TIMES),
    with_people=st.lists(CREDITED, max_size=1) | st.just([]),
    without_people=st.lists(CREDITED, max_size=1) | st.just([]),
)
PERSON_FILTERS = st.builds(
    PersonFilter,
    source_id=maybe(st.sampled_from(SOURCES)),
    name_prefix=maybe(st.sampled_from(["E", "émile", "al p", "50", "三"])),
    person_type=maybe(st.sampled_from(FUNCTIONS)),
    item_id=maybe(st.sampled_from(["home:1", "home:2", "other:7", "home:100"])),
    library_id=maybe(st.sampled_from(["home:a", "home:b", "other:a"])),
    min_works=maybe(st.integers(0, 6)),
    has_image=maybe(st.booleans()),
)


def credits_one(item: AnyMediaItem, wanted: Credited) -> bool:
    return any(
        one.person.id == wanted.person_id and wanted.person_type in (None, one.person_type)
        for one in item.credits or ()
    )


def fits(world: World, item: AnyMediaItem, wanted: ItemFilter) -> bool:
    item_id = item.id or ""
    provider, _, value = (wanted.provider_id or "").partition(":")
    rating = item.ratings[0].value if item.ratings else None
    added = item.added_at if isinstance(item.added_at, datetime) else None

    def since(time: datetime | None, limit: datetime | None) -> bool:
        return limit is None or (time is not None and time >= limit)

    return all(
        (
            wanted.source_id in (None, split_id(item_id)[0]),
            wanted.library_id is None or wanted.library_id in world.libraries[item_id],
            not wanted.media_types or item.media_type in list(wanted.media_types),
            wanted.year_from is None or (item.year is not None and item.year >= wanted.year_from),
            wanted.year_to is None or (item.year is not None and item.year <= wanted.year_to),
            wanted.genre is None or wanted.genre in item.genres,
            wanted.min_rating is None or (rating is not None and rating >= wanted.min_rating),
            wanted.provider_id is None or item.provider_ids.get(provider) == value,
            wanted.with_provider is None or wanted.with_provider in item.provider_ids,
            wanted.without_provider is None or wanted.without_provider not in item.provider_ids,
            wanted.completeness in (None, item.completeness),
            since(added, wanted.added_since),
            since(item.updated_at, wanted.changed_since),
            since(item.created_at, wanted.created_since),
            all(credits_one(item, one) for one in wanted.with_people if isinstance(one, Credited)),
            not any(credits_one(item, one) for one in wanted.without_people if isinstance(one, Credited)),
        )
    )


VALUES: dict[ItemSort, Callable[[AnyMediaItem], Any]] = {
    ItemSort.TITLE: lambda item: title_sort_key(item.title, item.sort_title),
    ItemSort.YEAR: lambda item: item.year,
    ItemSort.RATING: lambda item: item.ratings[0].value if item.ratings else None,
    ItemSort.ADDED: lambda item: item.added_at if isinstance(item.added_at, datetime) else None,
    ItemSort.CHANGED: lambda item: item.updated_at,
}


def sorted_ids(pairs: list[tuple[Any, str]], descending: bool) -> list[str]:
    known = sorted((pair for pair in pairs if pair[0] is not None), reverse=descending)
    unknown = sorted((pair[1] for pair in pairs if pair[0] is None), reverse=descending)
    return [one for _, one in known] + unknown


async def pages(call: Callable[..., Any]) -> tuple[list[str], set[int]]:
    """Return the ids of all pages, and the totals that they gave."""
    ids: list[str] = []
    totals = set()
    after = None
    for number in count():
        page = await call(after=after, with_total=number % 2 == 0)
        ids += [row.id for row in page.rows]
        totals.add(page.total)
        if (after := page.next) is None:
            return ids, totals - {None}
    raise AssertionError("a list ends")


LAW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@LAW
@given(
    which=st.integers(0, 1),
    wanted=FILTERS,
    sort=st.sampled_from(ItemSort),
    descending=st.booleans(),
    size=st.sampled_from([1, 3, 7, 50]),
    rare=st.sampled_from([-1, 3, 2_000]),
)
def test_the_pages_of_items_are_the_filtered_and_sorted_list(
    worlds: list[World],
    which: int,
    wanted: ItemFilter,
    sort: ItemSort,
    descending: bool,
    size: int,
    rare: int,
) -> None:
    world = worlds[which]
    fitting = [item for item in world.items.values() if fits(world, item, wanted)]
    expected = sorted_ids([(VALUES[sort](item), item.id or "") for item in fitting], descending)
    library = world.ms.library

    async def run() -> None:
        found, totals = await pages(
            lambda **place: library.list_items(wanted, sort=sort, descending=descending, limit=size, **place)
        )
        assert found == expected
        assert totals == {len(expected)}
        assert await library.count_items(wanted) == len(expected)
        by_type = await library.count_items_by("type", wanted)
        assert sum(by_type.values()) == len(expected)
        by_genre = await library.count_items_by("genre", wanted)
        assert by_genre == {
            genre: number
            for genre in sorted(GENRES)
            if (number := sum(genre in item.genres for item in fitting))
        }
        by_library = await library.count_items_by("library", wanted)
        assert sum(by_library.values()) == sum(len(world.libraries[item.id or ""]) for item in fitting)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lists, "RARE", rare)
        world.run(run())


@LAW
@given(
    which=st.integers(0, 1),
    wanted=PERSON_FILTERS,
    descending=st.booleans(),
    size=st.sampled_from([1, 3, 50]),
    rare=st.sampled_from([-1, 3, 2_000]),
)
def test_the_pages_of_people_are_the_filtered_and_sorted_list(
    worlds: list[World], which: int, wanted: PersonFilter, descending: bool, size: int, rare: int
) -> None:
    world = worlds[which]
    people = {one.person.id: one.person for item in world.items.values() for one in item.credits or ()}

    def fits_person(person: Any) -> bool:
        of_one_credit = [
            one
            for item, one in world.credits_of(person.id)
            if wanted.person_type in (None, one.person_type)
            and wanted.item_id in (None, item.id)
            and (wanted.library_id is None or wanted.library_id in world.libraries[item.id or ""])
        ]
        return all(
            (
                wanted.source_id in (None, split_id(person.id)[0]),
                wanted.name_prefix is None
                or name_sort_key(person.name).startswith(name_sort_key(wanted.name_prefix)),
                of_one_credit,
                len(world.works_of(person.id)) >= (wanted.min_works or 0),
                wanted.has_image in (None, bool(person.image_path)),
            )
        )

    fitting = [person for person in people.values() if fits_person(person)]
    expected = sorted_ids([(name_sort_key(one.name), one.id or "") for one in fitting], descending)
    library = world.ms.library

    async def run() -> None:
        found, totals = await pages(
            lambda **place: library.list_people(wanted, descending=descending, limit=size, **place)
        )
        assert found == expected
        assert totals == {len(expected)}
        assert await library.count_people(wanted) == len(expected)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lists, "RARE", rare)
        world.run(run())
