"""SQLite and PostgreSQL hold the same rows, and give the same answers, after the same calls."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from support.engines import POSTGRES
from support.items import credit, movie, season, show
from support.mirror import Clock, prepared, rows

from mediasync import (
    Credit,
    Episode,
    Library,
    MediaItem,
    MediaSync,
    MediaSyncError,
    Movie,
    Person,
    SaveReport,
    Season,
    Show,
    Source,
    SyncReport,
)
from mediasync.backends.base import Remark, Unreadable
from mediasync.database.schema import table_and_view_names, view_names
from mediasync.database.session import Session
from mediasync.errors import SourceUnreachable
from mediasync.testing import FakeBackend, database_of

pytestmark = pytest.mark.slow

# What is given

TEXTS = [
    "A", "a", "B", "É", "é", "e\u0301", "E\u0301migré", "ÉMIGRÉ", "émigré", "straße", "STRASSE", "İstanbul",
    "ISTANBUL", "istanbul", "ıstanbul", "三船 敏郎", "ﬁlm", "Ｆｉｌｍ", "100%", "1_0", "\\", "a'b\"c", "𝔊𝔬𝔱𝔥",
    "👩‍👩‍👧", "\uffff", "\U00010000", "\U0010ffff", "Дюна",
    "שלום", "a\tb", " a ", "Zoë", "Zoe", "Ærø", "ǅ", "",
]  # fmt: skip
"""Texts that engines may order, fold or match in ways of their own."""

NAMES = [
    "Ann Lee", "ann lee", "Anne Leé", "Ánn", "Ånn", "An", "Renée O'Connor-Zellweger",
    "RENE\u0301E", "İpek Işık", "ipek isik", "Strauß", "Strauss", "三船 敏郎", "三船敏郎", "Ольга",
    "ОЛЬГА", "100% Ann", "Ann_Lee", "A\\nn", "𝔄𝔫𝔫", "👑 Ann", "ﬁona", "Fiona", "Σίσυφος",
    "ΣΊΣΥΦΟΣ", " Bo ", "ກ້າ", "हिन्दी",
]  # fmt: skip

some_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
texts = st.one_of(st.sampled_from(TEXTS), some_text)
optional_texts = st.one_of(st.none(), texts, st.sampled_from(["x" * 70_000, "ü" * 5_000]))
names = st.one_of(st.sampled_from(NAMES), some_text)
numbers = st.one_of(st.none(), st.integers(-2, 30), st.sampled_from([-(2**31) + 1, 2**31 - 1]))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.one_of(
    st.none(),
    st.datetimes(datetime(1700, 1, 1), datetime(2240, 1, 1), timezones=zones),
    st.sampled_from(
        ["2001-04-25 20:00:00", "yesterday", " ", "2020-02-30T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)]
    ),
)
provider_ids = st.dictionaries(
    st.sampled_from(["imdb", "TMDB", " tvdb ", "Ünï", "x"]),
    st.sampled_from(["1", "tt1", "TT1", " 1 ", "", "é", "\\u0041", '"']),
    max_size=3,
)
people = st.builds(
    Person,
    remote_id=st.sampled_from([None, None, "a", "b", "B", "é", "a:b", "%"]),
    name=names,
    image_path=st.sampled_from([None, None, "", "i", "https://u:p@h/i?X-Plex-Token=s&é=1"]),
    provider_ids=provider_ids,
)
one_credit = st.builds(
    Credit,
    person=people,
    person_type=st.sampled_from(
        ["actor", "guest_star", "director", "Key Grip", "KEY GRIP", "Второй режиссёр"]
    ),
    role=st.one_of(st.none(), texts),
    sort_order=st.sampled_from([None, -1, 0, 0, 1, 2, 99]),
)
credit_lists = st.lists(one_credit, max_size=4)
common: dict[str, Any] = {
    "title": texts,
    "original_title": st.one_of(st.none(), texts),
    "sort_title": st.one_of(st.none(), texts),
    "overview": optional_texts,
    "tagline": st.one_of(st.none(), texts),
    "year": numbers,
    "premiere_date": st.one_of(st.none(), st.dates(date(1, 1, 1), date(9999, 12, 31))),
    "runtime_seconds": numbers,
    "content_rating": st.one_of(st.none(), texts),
    "ratings": st.lists(
        st.fixed_dictionaries(
            {
                "name": st.sampled_from(["imdb", "ü", "Critics"]),
                "value": st.floats(0, 10),
                "votes": st.one_of(st.none(), st.integers(0, 2**53)),
            }
        ),
        max_size=2,
    ),
    "genres": st.lists(texts, max_size=3),
    "provider_ids": provider_ids,
    "images": st.dictionaries(st.sampled_from(["poster", "Fanart", "ü", "Z"]), texts, max_size=3),
    "path": st.one_of(st.none(), texts, st.just("smb://me:secret@nas/films/é.mkv")),
    "added_at": times,
    "changed_at": times,
    "change_token": st.sampled_from([None, "", "t", "T", "é"]),
    "credits": st.one_of(st.none(), credit_lists),
    "completeness": st.sampled_from([None, None, "none", "preview", "full"]),
}
MOVIE_KEYS = ["1", "m", "M", "é", "e\u0301", "a/b", "ﬁ"]
SHOW_KEYS, SEASON_KEYS, EPISODE_KEYS = ["s", "S"], ["s-1", "s-2"], ["s-1-1", "s-1-2", "s-2-1"]
items: st.SearchStrategy[MediaItem] = st.one_of(
    st.builds(Movie, remote_id=st.sampled_from(MOVIE_KEYS), **common),
    st.builds(Movie, remote_id=st.sampled_from(MOVIE_KEYS), **common),
    st.builds(Show, remote_id=st.sampled_from(SHOW_KEYS), **common),
    st.builds(
        Season,
        remote_id=st.sampled_from(SEASON_KEYS),
        parent_remote_id=st.sampled_from([*SHOW_KEYS, "1", None]),
        season_number=numbers,
        **common,
    ),
    st.builds(
        Episode,
        remote_id=st.sampled_from(EPISODE_KEYS),
        parent_remote_id=st.sampled_from([*SEASON_KEYS, *SHOW_KEYS, None]),
        season_number=numbers,
        episode_number=numbers,
        episode_number_end=numbers,
        **common,
    ),
)
ITEM_IDS = [f"home:{key}" for key in (*MOVIE_KEYS, *SHOW_KEYS, *SEASON_KEYS, *EPISODE_KEYS)]
item_ids = st.sampled_from([*ITEM_IDS, "home:nowhere"])


# What is done


@dataclass(frozen=True)
class Call:
    """One call of the public API; each engine gets its own copies of *arguments*."""

    method: str
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    async def make(self, ms: MediaSync) -> Any:
        target: Any = ms
        for name in self.method.split("."):
            target = getattr(target, name)
        try:
            return plain(await target(*map(copied, self.arguments), **self.options))
        except MediaSyncError as error:
            return type(error), str(error)


@dataclass(frozen=True)
class SyncCall:
    """One sync of a source that finds *script*."""

    script: tuple[Any, ...]
    fails_to_open: bool
    full: bool

    async def make(self, ms: MediaSync) -> Any:
        backend = FakeBackend(
            {"mixed": list(self.script), "empty": []},
            source=Source(id="fake", kind="plex"),
            open_error=SourceUnreachable("fake", "nobody answers") if self.fails_to_open else None,
        )
        try:
            return plain(await ms.sync(backend, full=self.full)), backend.tokens
        except MediaSyncError as error:
            return type(error), str(error), backend.tokens


def copied(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_copy(deep=True)
    return [copied(one) for one in value] if isinstance(value, list | tuple) else value


def plain(value: Any) -> Any:
    """Return the contents of an answer in a comparable form."""
    if isinstance(value, BaseModel):
        return type(value).__name__, value.model_dump()
    if isinstance(value, SaveReport):
        return value.saved, value.unchanged, value.failed, value.problems, value.repeats
    if isinstance(value, SyncReport):
        counts = value.counts
        timeless = [replace(one, seconds=0.0) for one in counts.libraries]
        return replace(value, counts=replace(counts, seconds=0.0, libraries=tuple(timeless)))
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


HOME = {"library_id": "movies", "source_id": "home"}
steps: st.SearchStrategy[Any] = st.one_of(
    st.builds(lambda item: Call("media.save_media_item", (item,), HOME), items),
    st.builds(
        lambda given: Call("media.save_media_items", (given,), HOME), st.lists(items, min_size=2, max_size=6)
    ),
    st.builds(
        lambda given: Call("media.save_media_items", (given,), HOME), st.lists(items, min_size=2, max_size=6)
    ),
    st.builds(
        lambda given: Call("people.upsert_batch", (given,), {"source_id": "home"}),
        st.lists(people, max_size=4),
    ),
    st.builds(lambda *given: Call("media.save_media_people", given), item_ids, credit_lists),
    st.builds(lambda item_id: Call("media.delete_media_people", (item_id,)), item_ids),
    st.builds(lambda item_id: Call("media.delete_media_item", (item_id,)), item_ids),
    st.builds(
        lambda key: Call("people.delete", (f"home:{key}",)), st.sampled_from(["a", "b", "name:ann lee", "é"])
    ),
    st.builds(
        lambda **fields: Call("media.save_source", (Source(**fields),)),
        id=st.sampled_from(["home", "b", "b-1", "b_1", "0"]),
        kind=st.sampled_from(["jellyfin", "nfo"]),
        name=texts,
        server_id=st.sampled_from([None, "x", "y"]),
    ),
    st.builds(
        lambda **fields: Call("media.save_library", (Library(**fields),)),
        id=st.sampled_from(["movies", "shows", "Shows", "é"]),
        source_id=st.sampled_from(["home", "b", "nowhere"]),
        title=texts,
        kind=st.sampled_from(["movies", "mixed"]),
    ),
    st.builds(
        SyncCall,
        st.lists(
            st.one_of(
                items,
                items,
                st.builds(Unreadable, texts, texts),
                st.builds(Remark, texts, texts),
                st.just(SourceUnreachable("fake", "gone")),
            ),
            max_size=4,
        ).map(tuple),
        fails_to_open=st.sampled_from([False, False, False, True]),
        full=st.booleans(),
    ),
)
histories = st.lists(steps, min_size=1, max_size=10)


# What is compared

ORDER = {
    "sources": "name, id",
    "libraries": "title, id",
    "media_items": "title, id",
    "people": "name, id",
    "media_people": "person_type, person_id, media_item_id, sort_order",
    "external_ids": "value, provider, media_item_id",
    "genres": "name, media_item_id, position",
    "ratings": "value, name, media_item_id, position",
    "images": "path, kind, media_item_id",
    "sync_runs": "status, id",
    "sync_run_problems": "reason, subject, run_id, position",
    "sync_run_libraries": "run_id, library_id",
    "item_libraries": "media_item_id, library_id",
    "library_counts": "library_id, media_type, completeness",
    "totals": "media_items",
    "removed_items": "id",
    "removed_media_people": "media_item_id, sort_order",
    "pending_removals": "library_id",
    "credits_flat": "media_item_id, sort_order",
    "filmographies": "person_id, title_id",
    "show_cast": "show_id, person_id",
}
"""Columns that are never NULL, texts first: the engines' own order is compared, too."""

SEARCHES = [
    "a", "an", "ann", "ANN", "Ánn", "lee ann", "le an", "l", "ann lee x", "rene", "renée",
    "o connor", "zell", "i", "I", "İ", "ı", "ipek", "ss", "ß", "strauß", "straus", "三",
    "三船", "船", "敏", "ол", "ОЛ", "%", "_", "\\", "ann%", "ann_", "1", "100", "𝔄", "👑", "fi",
    "ﬁ", "σίσυφος", "σ", "हि", "हिन्दी", "ກ້າ", "", " ", "\U0010ffff", "e\u0301",
]  # fmt: skip


async def views(ms: MediaSync) -> dict[str, Any]:
    """Return all rows of all views, but for the change log: it depends on what was committed together."""
    return {
        view: await rows(ms, f"SELECT * FROM {view} ORDER BY {ORDER[view]}")
        for view in view_names()
        if view != "changes"
    }


async def answers(ms: MediaSync) -> dict[str, Any]:
    """Return the public API's answers for everything that is stored."""
    media, folk = ms.media, ms.people
    found: dict[str, Any] = {}
    stored_people = [person_id for (person_id,) in await rows(ms, "SELECT id FROM people ORDER BY id")]
    names = [name for (name,) in await rows(ms, "SELECT DISTINCT name FROM people ORDER BY name")]
    titles = await rows(ms, "SELECT DISTINCT title FROM media_items ORDER BY title")
    every_id = [*ITEM_IDS, *(item_id.replace("home", "fake") for item_id in ITEM_IDS)]
    found["items"] = plain(await media.find_media_items(every_id))
    for item_id in every_id:
        found[f"one {item_id}"] = await Call("media.get_media_item", (item_id,)).make(ms)
        found[f"below {item_id}"] = [item.id for item in await media.list_children(item_id)]
    for library in await media.list_libraries():
        for media_type in (None, "movie", "episode"):
            listed = media.iter_media_items(library.full_id, media_type=media_type)  # type: ignore[arg-type]
            found[f"ids {library.full_id} {media_type}"] = [item.id async for item in listed]
        found[f"tokens {library.full_id}"] = await media.find_change_tokens(library.full_id)
    for title in {
        form
        for (stored,) in titles
        for form in (stored, stored.upper(), stored.lower(), stored.casefold(), stored[:1], stored[1:])
    }:
        for limit in (100, 2):
            found[f"title {title} {limit}"] = [
                item.id for item in await media.find_by_title(title, limit=limit)
            ]
    for provider, value in product(["imdb", "tmdb", "tvdb", "ünï", "x"], ["1", "tt1", "TT1", "é"]):
        items_found = await media.find_by_provider_id(provider, value)
        found[f"provider {provider} {value}"] = [item.id for item in items_found]
    for person_id in stored_people:
        found[f"person {person_id}"] = plain(await folk.find_by_id(person_id))
        found[f"films {person_id}"] = plain(await folk.filmography(person_id))
    for text in {*SEARCHES, *names, *(name[:2] for name in names), *(name[-3:].upper() for name in names)}:
        found[f"search {text}"] = [one.id for one in await folk.search(text)]
    for text, limit, offset in product(("a", "an", "s"), (1, 2), (0, 1, 2)):
        page = await folk.search(text, source_id="home", limit=limit, offset=offset)
        found[f"search {text} {limit} {offset}"] = [one.id for one in page]
    found["sources"] = plain(await media.list_sources())
    found["libraries"] = plain(await media.list_libraries())
    found["counts"] = (
        await folk.count(),
        await folk.count("home"),
        await folk.count("fake"),
        await folk.count("nowhere"),
        await media.count_credits(),
        await media.count_by_library(),
    )
    runs = await ms.list_runs()
    found["runs"] = plain(runs), plain(await ms.list_runs("fake", limit=1))
    found["problems"] = [await ms.list_problems(run.id) for run in runs]
    found["flaws"] = (await ms.check()).flaws
    return found


@pytest.fixture(scope="module")
def postgres_url() -> str:
    """The URL of one database for all histories; it is emptied before each."""
    return POSTGRES.new_url(Path())


@dataclass
class Pair:
    """The two engines, which must not differ."""

    folder: Path
    postgres_url: str
    number: int = 0

    async def compare(self, history: list[Any]) -> None:
        self.number += 1
        file = self.folder / f"{self.number}.db"
        await self._empty()
        sqlite, postgresql = [
            await self._run(url, history) for url in (f"sqlite:///{file}", self.postgres_url)
        ]
        for path in self.folder.glob(f"{file.name}*"):
            path.unlink()
        for name, told in sqlite.items():
            assert told == postgresql[name], name
        assert sqlite.keys() == postgresql.keys()
        assert sqlite["flaws"] == ()

    async def _empty(self) -> None:
        async with MediaSync(self.postgres_url, writers=1) as ms:
            tables = [name for name in table_and_view_names() if name not in view_names()]
            for table_of_one_row in ("schema_version", "change_counter"):
                tables.remove(table_of_one_row)
            schema = database_of(ms).options.postgres_schema

            async def work(session: Session) -> None:
                await session.execute(
                    f"TRUNCATE {', '.join(f'{schema}.{table}' for table in tables)} RESTART IDENTITY"
                )
                await session.execute("UPDATE change_counter SET newest = 0, pruned = 0")

            await database_of(ms).write(work)

    async def _run(self, url: str, history: list[Any]) -> dict[str, Any]:
        clock = Clock()
        # A serial history: one transaction at a time.
        async with MediaSync(url, clock=clock, writers=1, readers=1) as ms:
            await prepared(ms)
            told: dict[str, Any] = {}
            for number, step in enumerate(history):
                clock.tick(1_001)
                told[f"answer {number} of {type(step).__name__}"] = await step.make(ms)
            shown = await views(ms)
            return {**told, **shown, **await answers(ms)}


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str) -> Pair:
    return Pair(tmp_path, postgres_url)


SAVED = [movie(key, title=title, year=year) for key, title, year in (
    ("1", "Émigré", None), ("m", "émigré", 1), ("M", "ÉMIGRÉ", -1), ("é", "emigre", 0), ("ﬁ", "EMIGRE", 2),
)]  # fmt: skip

TIMED = [
    movie(str(n), added_at=datetime.fromisoformat(text), changed_at=text)
    for n, text in enumerate(
        ["0001-01-01T00:00:00.001Z", "1716-01-01T00:00:00.001+02:00", "9999-12-31T23:59:59.999Z"]
    )
]


def test_the_same_calls_give_the_same_rows(pair: Pair) -> None:
    with asyncio.Runner() as runner:

        @settings(max_examples=max(settings.default.max_examples // 3, 1))  # each asks hundreds of things
        @given(history=histories)
        @example(history=[Call("media.save_media_items", (TIMED,), HOME)])
        @example(history=[Call("media.save_media_items", (SAVED,), HOME)])
        @example(
            history=[
                Call("media.save_media_item", (movie(credits=[credit(str(n), name)]),), HOME)
                for n, name in enumerate(NAMES)
            ]
        )
        def check(history: list[Any]) -> None:
            runner.run(pair.compare(history))

        check()


# The order of a stream

STREAM = 1_000
SEEDS = range(1, 9 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 2)


def spelled(random: Random, number: int) -> list[Credit]:
    """Return credits of people whom items spell in different ways, some of them a few hundred items apart."""
    given = [
        credit(
            random.choice(["a", "b", "c"]),
            random.choice(["Ann", "Anna", "ANN", "Anne"]),
            image_path=random.choice([None, None, "i", "j"]),
            provider_ids=random.choice([{}, {}, {"imdb": "1"}, {"imdb": "2"}]),
        ),
        credit(None, random.choice(["Bo Lee", "BO LEE", "bo lee"]), image_path=random.choice([None, "i"])),
        # Those who are spelled differently a few hundred items later: in the next group.
        credit(f"p{number}", random.choice(["Cy", "Cyd"])),
        credit(f"p{number - 300}", random.choice(["Cyra", "Cyn"])),
        credit(None, f"{random.choice(['Di', 'DI'])} {number}"),
        credit(None, f"{random.choice(['di', 'dI'])} {number - 450}"),
    ]
    # Those of whom it is found out a few hundred items later who they are.
    given += [
        credit(None, "Ed", provider_ids=random.choice([{"tmdb": f"{number}"}, {"imdb": f"nm{number}"}])),
        credit(None, "Ed", provider_ids={"tmdb": f"{number - 450}", "imdb": f"nm{number - 450}"}),
        credit(None, f"Flo {number}", provider_ids=random.choice([{}, {"tvdb": f"{number}"}])),
        credit(None, f"flo {number - 300}", provider_ids=random.choice([{}, {"tvdb": f"{number - 300}"}])),
    ]
    # The first group is the largest, so that others overtake it if they can.
    alone = [credit(f"own {number}-{n}") for n in range(15 if number < 500 else 1)]
    return [*alone, *given[:: random.choice([1, -1])]]


def stream(seed: int, share: float) -> Iterator[MediaItem]:
    """Yield shows with seasons and films, some of them twice; *share* of them spell people in other ways."""
    random, spelling = Random(seed), Random(0)
    for number in range(STREAM):
        credits_given = spelled(spelling, number)
        if random.random() < share:
            credits_given = spelled(random, number)
        kind, again = number % 10, spelling.random() < 0.02
        if kind == 0:
            yield show(f"s{number}", credits=credits_given)
        elif kind == 1:
            yield season(f"s{number}", parent=f"s{number - 1}", credits=credits_given)
        else:
            yield movie(f"{number}", credits=credits_given)
            if again:
                yield movie(f"{number}", credits=spelled(spelling, number))


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_order_of_a_stream_decides_whatever_the_writers(
    tmp_path: Path, clock: Clock, seed: int
) -> None:
    shown = []
    for url, writers in (
        (f"sqlite:///{tmp_path / 'media.db'}", 1),
        (POSTGRES.new_mirror_url(tmp_path), 1),
        (POSTGRES.new_mirror_url(tmp_path), 4),
    ):
        now = Clock(clock.now)
        async with MediaSync(url, clock=now, writers=writers) as ms:
            await prepared(ms)
            for share in (0.0, 0.01, 0.5):
                now.tick()
                report = await ms.media.save_media_items(stream(seed, share), **HOME)
                assert report.failed == []
                shown.append((writers, await views(ms)))
            assert (await ms.check()).flaws == ()
    for turn in range(3):
        (_, sqlite), *others = shown[turn::3]
        for writers, views_of_postgres in others:
            for view, told in sqlite.items():
                assert told == views_of_postgres[view], (turn, writers, view)
