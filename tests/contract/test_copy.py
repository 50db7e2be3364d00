"""A whole mirror can be copied to another database, even if the copy is interrupted anywhere."""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engines import POSTGRES, SQLITE_FILE, Engine
from support.items import MOVIES, SHOWS, cast, credit, episode, movie, person, season, show
from support.mirror import Clock, prepared, public, rows, value, write, written
from support.postgres import in_thread

import mediasync
from mediasync import Library, LibraryRun, MediaSync, Person, SaveStatus, Source, copy_mirror
from mediasync.backends.base import Remark
from mediasync.copying import copy as service
from mediasync.copying import statements as statements
from mediasync.database.schema import view_names
from mediasync.errors import ConfigurationError, DatabaseError, DatabaseMissing
from mediasync.repositories.runs import RunRepository
from mediasync.testing import FakeBackend
from mediasync.vocabulary import RunStatus

pytestmark = pytest.mark.slow

PAIRS = [(SQLITE_FILE, SQLITE_FILE), (SQLITE_FILE, POSTGRES), (POSTGRES, SQLITE_FILE), (POSTGRES, POSTGRES)]
SEED = int(os.environ.get("MEDIASYNC_TEST_SEED", "0")) or random.SystemRandom().randrange(10**9)

COUNTS = {"library_counts", "totals"}
"""The views that count the rows of others, which a copy does not compare apart."""

Tell = Callable[[str, int, int], None]


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0].name} to {pair[1].name}")
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The URLs of a new origin and a new target, for each combination of engines."""
    return new_urls(request.param, tmp_path)


def new_urls(engines: tuple[Engine, Engine], folder: Path) -> tuple[str, str]:
    found = []
    for name, engine in zip(("origin", "target"), engines, strict=True):
        (folder / name).mkdir()
        found.append(engine.new_url(folder / name))
    return found[0], found[1]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder with two films, and one whose file is broken."""
    folder = tmp_path / "films"
    for name in ("Heat", "Ronin"):
        write_film(folder, name, "Robert De Niro", "Zoë Ångström")
    (folder / "movies" / "Broken").mkdir()
    (folder / "movies" / "Broken" / "movie.nfo").write_text("<movie><title>")
    return folder


def write_film(folder: Path, title: str, *names: str) -> None:
    file = folder / "movies" / title / "movie.nfo"
    file.parent.mkdir(parents=True, exist_ok=True)
    actors = "".join(f"<actor><name>{name}</name><role>R</role></actor>" for name in names)
    file.write_text(f"<movie><title>{title}</title><year>1995</year>{actors}</movie>", encoding="utf-8")


RICH = movie(
    "rich",
    title="Łódź: “二”\tthe end",
    original_title="Original",
    sort_title="Sort",
    overview="Line one\nLine two",
    tagline="Tag",
    year=1999,
    premiere_date="1999-03-31",
    runtime_seconds=8160,
    content_rating="R",
    provider_ids={"imdb": "tt1", "tmdb": "2", "tvdb": "3", "wikidata": "Q1"},
    genres=["Drama", "Action"],
    ratings=[{"name": "imdb", "value": 8.7001, "votes": 12}, {"name": "critics", "value": 9}],
    images={"poster": "poster.jpg", "fanart": "fanart.jpg"},
    path="/films/rich.mkv",
    change_token="token",
    added_at="2020-01-02T03:04:05.678Z",
    changed_at="2021-01-02 03:04:05",
    credits=[
        *cast("a", "b"),
        credit("a", kind="director", order=2),
        credit("c", "Renée Žižek", kind="Key Grip", role="Grip", order=3, image_path="c.jpg"),
        credit(None, "Nameless Key", kind="writer", order=4),
    ],
)


async def fill(ms: MediaSync, clock: Clock, folder: Path | None = None) -> None:
    """Save a mirror with some of everything; by id, children come before their parents."""
    await prepared(ms)
    await ms.media.save_source(Source(id="away", kind="plex", name="Away", server_id="server-1"))
    await ms.media.save_library(Library(id="1", source_id="away", title="Empty", kind="mixed"))
    clock.tick(7)
    await ms.media.save_media_item(RICH, **MOVIES)
    for number in range(5):
        clock.tick(11)
        item = movie(f"m{number}", year=1990 + number, credits=cast(f"p{number}", f"p{number + 1}"))
        await ms.media.save_media_item(item, **MOVIES)
    await ms.media.save_media_item(movie("part", credits=cast("p1"), completeness="preview"), **MOVIES)
    await ms.media.save_media_item(movie("bare"), **MOVIES)
    await ms.media.save_media_items(
        [
            show("z", credits=cast("p1")),
            season("y", parent="z", number=0),
            episode("x", parent="y", credits=cast("guest"), episode_number_end=2),
            episode("a", parent="z", number=9),
        ],
        **SHOWS,
    )
    await ms.people.upsert(
        Person(name="Without Credits", remote_id="lonely", source_id="home", provider_ids={"imdb": "nm1"})
    )
    clock.tick()
    if folder is not None:
        await ms.sync(f"films=nfo:{folder}")
    await ms._database.write(record_runs)


async def record_runs(session: Any) -> None:
    """Record a run that ended with problems, and one that never ended."""
    runs = RunRepository(session)
    run = await runs.start("home", "", lambda _: True)
    counts = {"seen": 3, "saved": 1, "unchanged": 1, "failed": 1}
    await runs.finish(run, RunStatus.FAILED, **counts, error="gone")
    await runs.add_problems(run, [("failure", "home:1", "broken\nfile"), ("remark", "home", "„odd”")])
    seen = {"counted": 9, "seen": 3, "unseen": 2, "previews": 1, "complete": True}
    partly = {"seen": 1, "reason": "„odd”"}
    await runs.add_libraries(
        run,
        [
            LibraryRun.model_validate({"run_id": run, "library_id": f"home:{key}", **values})
            for key, values in (("movies", seen), ("shows", partly))
        ],
    )
    await runs.start("home", "", lambda _: True)


async def filled(url: str, folder: Path | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Fill a new database, and return the contents of its views."""
    clock = Clock()
    async with MediaSync(url, clock=clock) as ms:
        await fill(ms, clock, folder)
        return await public(ms)


async def shown(url: str) -> dict[str, list[tuple[Any, ...]]]:
    async with MediaSync(url, read_only=True) as ms:
        return await public(ms)


@asynccontextmanager
async def both(urls: tuple[str, str]) -> AsyncIterator[tuple[Any, Any, MediaSync]]:
    """Yield a session of each side, and the target."""
    async with (
        MediaSync(urls[0], read_only=True) as origin,
        MediaSync(urls[1]) as target,
        origin._database.read() as ours,
        target._database.read() as theirs,
    ):
        yield ours, theirs, target


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each page hold a few rows, so that there are many."""
    set_pages(monkeypatch, 2)


def set_pages(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(service, "KINDS", [replace(kind, size=size) for kind in statements.KINDS])
    monkeypatch.setattr(service, "COMPARED_ROWS", size)


def is_part(shown: dict[str, list[Any]], whole: dict[str, list[Any]]) -> bool:
    """Return whether everything shown is also in *whole*."""
    return all(set(found) <= set(whole[view]) for view, found in shown.items() if view not in COUNTS)


# What is there afterwards


async def test_both_show_the_same_and_the_copy_can_be_used(urls: tuple[str, str], library: Path) -> None:
    before = await filled(urls[0], library)
    assert all(before.values()), "each view has something to compare"
    report = await copy_mirror(*urls)
    assert report.rows == {view: len(found) for view, found in before.items() if view not in COUNTS}
    assert report.copied == {view: len(before[view]) for view in report.copied}
    assert not any(report.unchanged.values())
    assert await shown(urls[1]) == before
    assert await shown(urls[0]) == before

    async with MediaSync(urls[0], read_only=True) as ms:
        assert (await ms.check()).flaws == ()
    async with MediaSync(urls[1]) as ms:
        assert (await ms.check()).flaws == ()
        assert [found.name for found in await ms.people.search("zizek rene")] == ["Renée Žižek"]
        assert [found.name for found in await ms.people.search("with cred")] == ["Without Credits"]
        assert (await ms.media.save_media_item(RICH, **MOVIES)).status is SaveStatus.UNCHANGED
        again = await ms.sync(f"films=nfo:{library}")
        assert (again.saved, again.unchanged) == (0, 2)
        assert again.run.id == 1 + max(run_id for run_id, *_ in before["sync_runs"])
        await ms.media.save_media_item(movie("new", credits=cast("a", "new")), **MOVIES)
        assert (await ms.check()).flaws == ()


async def test_data_that_no_view_shows_is_copied_too(urls: tuple[str, str], library: Path) -> None:
    await filled(urls[0], library)
    await copy_mirror(*urls)
    hidden = "SELECT id, item_fingerprint, credits_fingerprint, change_token FROM media_item"
    words = "SELECT p.id, w.word FROM person_word w JOIN person p ON p.person_key = w.person_key"
    async with MediaSync(urls[0]) as origin, MediaSync(urls[1]) as target:
        for query in (hidden, words):
            ours, theirs = await rows(origin, query), await rows(target, query)
            assert len(ours) > 10
            assert sorted(ours, key=repr) == sorted(theirs, key=repr)


async def test_a_second_copy_writes_nothing(urls: tuple[str, str]) -> None:
    await filled(urls[0])
    first = await copy_mirror(*urls)
    async with MediaSync(urls[1]) as target:
        stored = await written(target)
        second = await copy_mirror(*urls)
        assert await written(target) == stored
    assert not any(second.copied.values())
    assert second.unchanged == first.copied
    assert second.rows == first.rows


async def test_the_origin_is_not_changed(urls: tuple[str, str]) -> None:
    await filled(urls[0])
    async with MediaSync(urls[0]) as origin:
        stored = await written(origin)
        await copy_mirror(*urls)
        assert await written(origin) == stored


async def test_the_origin_is_read_in_one_snapshot(urls: tuple[str, str]) -> None:
    before = await filled(urls[0])
    told: list[str] = []

    def tell(what: str, _done: int, _total: int) -> None:
        if what not in told:
            told.append(what)
            in_thread(write_anew(urls[0], f"a{len(told)}"))

    await copy_mirror(*urls, on_progress=tell)
    assert len(told) == 7
    assert await shown(urls[1]) == before
    assert (await copy_mirror(*urls)).copied["sources"] == 7


async def write_anew(url: str, source_id: str) -> None:
    """Save a source, a person and an item in addition to the stored ones."""
    async with MediaSync(url) as ms:
        await ms.media.save_source(Source(id=source_id, kind="nfo"))
        await ms.media.save_media_item(movie(source_id, credits=cast(source_id)), **MOVIES)


async def test_an_empty_mirror(urls: tuple[str, str]) -> None:
    async with MediaSync(urls[0]):
        pass
    report = await copy_mirror(*urls)
    assert not any(report.rows.values())
    async with MediaSync(urls[1]) as ms:
        await prepared(ms)
        await ms._database.write(record_runs)
        assert await value(ms, "SELECT min(id) AS first FROM sync_runs") == 1


async def test_changes_in_the_origin_are_copied(urls: tuple[str, str]) -> None:
    await filled(urls[0])
    await copy_mirror(*urls)
    clock = Clock()
    clock.tick(1_000_000)
    async with MediaSync(urls[0], clock=clock) as ms:
        changed = RICH.model_copy(update={"genres": ["Other"], "images": {}, "ratings": []})
        changed.credits = [credit("a", "Another Name"), credit("fresh")]
        await ms.media.save_media_item(changed, **MOVIES)
        await ms.media.save_source(Source(id="away", kind="plex", name="Far away"))
        [(run_id,)] = await rows(ms, "SELECT id FROM sync_runs WHERE status = 'running'")
        counts = {"seen": 1, "saved": 1, "unchanged": 0, "failed": 0}

        async def end(session: Any) -> None:
            runs = RunRepository(session)
            await runs.finish(run_id, RunStatus.SUCCEEDED, **counts, error=None)
            await runs.add_problems(run_id, [("remark", "a", "b")])

        await ms._database.write(end)
        now = await public(ms)
    report = await copy_mirror(*urls)
    assert report.copied == {
        "sources": 1,
        "libraries": 0,
        "people": 5,
        "media_items": 1,
        "sync_runs": 1,
        "changes": 6,
    }
    assert await shown(urls[1]) == now
    async with MediaSync(urls[1]) as ms:
        assert [found.name for found in await ms.people.search("another")] == ["Another Name"]
        assert (await ms.check()).flaws == ()


async def test_a_problem_that_has_ended_since_is_copied(urls: tuple[str, str]) -> None:
    clock = Clock()

    async def sync(*names: str) -> dict[str, list[tuple[Any, ...]]]:
        clock.tick()
        async with MediaSync(urls[0], clock=clock) as ms:
            await ms.sync(FakeBackend({"m": [Remark(name, "a video without an NFO file") for name in names]}))
            return await public(ms)

    await sync("a", "b")
    await sync("a", "b")
    await copy_mirror(*urls)
    now = await sync("b")
    report = await copy_mirror(*urls)
    assert (report.copied["sync_runs"], report.unchanged["sync_runs"]) == (2, 1)
    assert await shown(urls[1]) == now
    async with MediaSync(urls[1]) as ms:
        assert await value(ms, "SELECT count(*) FROM run_problem") == 2
        await ms.sync(FakeBackend({"m": [Remark("b", "a video without an NFO file")]}))
        assert await value(ms, "SELECT count(*) FROM run_problem") == 2, "the copy goes on where it ended"


# Ended in the middle


class Ended(Exception):
    """What ends a copy."""


def ending_at(step: int, end: Callable[[], None]) -> Tell:
    """Return what ends a copy at its step of this number."""
    steps = iter(range(10**9))

    def tell(_what: str, _done: int, _total: int) -> None:
        if next(steps) == step:
            end()

    return tell


async def cancel_a_copy(urls: tuple[str, str], step: int, turns: int) -> None:
    """Begin a copy, and cancel it some turns of the event loop after one of its steps."""
    ending: list[asyncio.Future[None]] = []

    async def end() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()

    tell = ending_at(step, lambda: ending.append(asyncio.ensure_future(end())))
    task = asyncio.ensure_future(copy_mirror(*urls, on_progress=tell))
    with pytest.raises(asyncio.CancelledError):
        await task
    await ending[0]


@pytest.mark.usefixtures("small_pages")
async def test_a_cancelled_copy_can_be_continued(urls: tuple[str, str]) -> None:
    before = await filled(urls[0])
    chance = random.Random(SEED)
    done = -1
    for _ in range(6):
        await cancel_a_copy(urls, chance.randrange(1, 25), chance.randrange(12))
        stored = sum(map(len, (await shown(urls[1])).values()))
        assert stored >= done, f"what was copied is lost (seed {SEED})"
        done = stored
    kept = {view: len(found) for view, found in (await shown(urls[1])).items()}
    report = await copy_mirror(*urls)
    assert report.unchanged == {view: kept[view] for view in report.unchanged}, f"seed {SEED}"
    assert await shown(urls[1]) == before


@settings(max_examples=25)
@given(
    stops=st.lists(st.integers(0, 40), max_size=4),
    size=st.integers(1, 4),
    names=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8), max_size=4
    ),
)
def test_a_copy_interrupted_anywhere_is_finished_by_the_next(
    stops: list[int], size: int, names: list[str]
) -> None:
    async def run(urls: tuple[str, str]) -> None:
        async with MediaSync(urls[0]) as ms:
            await prepared(ms)
            items = [
                movie(f"{number}{name}", title=f"T{name}", genres=[f"G{name}"], credits=[credit(None, name)])
                for number, name in enumerate(names)
                if name.strip()
            ]
            await ms.media.save_media_items([*items, show("z"), season("y", parent="z")], **MOVIES)
            before = await public(ms)

        def end() -> None:
            raise Ended

        for stop in stops:
            try:
                await copy_mirror(*urls, on_progress=ending_at(stop, end))
            except Ended:
                assert is_part(await shown(urls[1]), before)
        await copy_mirror(*urls)
        assert await shown(urls[1]) == before

    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        set_pages(patch, size)
        asyncio.run(run((f"sqlite:///{folder}/a.db", f"sqlite:///{folder}/b.db")))


COPYING = """
import asyncio, os, sys
from dataclasses import replace
from mediasync import copy_mirror
from mediasync.copying import copy
copy.KINDS = [replace(kind, size=1) for kind in copy.KINDS]
def step(*_):
    os.read(0, 1)
    os.write(1, b".")
asyncio.run(copy_mirror(*sys.argv[1:], on_progress=step))
"""


@pytest.mark.parametrize("engines", PAIRS[:3], ids=lambda pair: f"{pair[0].name} to {pair[1].name}")
async def test_a_killed_copy_can_be_continued(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    urls = new_urls(engines, tmp_path)
    before = await filled(urls[0])
    chance = random.Random(SEED)
    for _ in range(3):
        await asyncio.to_thread(kill_a_copy, urls, chance.randrange(4, 20), chance.uniform(0, 0.004))
        stored = await shown(urls[1])
        assert is_part(stored, before), f"seed {SEED}"
    report = await copy_mirror(*urls)
    assert sum(report.unchanged.values()) > 0
    assert sum(report.copied.values()) > 0
    assert await shown(urls[1]) == before
    async with MediaSync(urls[1]) as ms:
        assert (await ms.check()).flaws == ()


def kill_a_copy(urls: tuple[str, str], steps: int, seconds: float) -> None:
    """Let a copy in a process of its own take some steps, each when told to, and kill it in the last one."""
    path = str(Path(mediasync.__file__).parents[1])
    child = subprocess.Popen(
        [sys.executable, "-c", COPYING, *urls],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        for _ in range(steps):
            child.stdin.write(b"\n")
            assert child.stdout.read(1), "the copy ended by itself"
        # The instant is what is being tried: it is random, and nothing waits for it.
        time.sleep(seconds)
        child.kill()
        assert child.wait() == -9


# The comparison


OF_ITEM = "WHERE item_key = (SELECT item_key FROM media_item WHERE id = 'home:rich')"
TAMPERED = [
    ("sources", "away", "UPDATE source SET server_id = 'other' WHERE id = 'away'"),
    ("libraries", "home:movies", "UPDATE library SET title = 'Other' WHERE id = 'home:movies'"),
    ("people", "home:lonely", "DELETE FROM person_external_id"),
    ("people", "home:lonely", "DELETE FROM person WHERE id = 'home:lonely'"),
    (
        "people",
        "home:more",
        "INSERT INTO person (source_key, id, name, created_at, updated_at) "
        "SELECT source_key, 'home:more', 'More', 0, 0 FROM source WHERE id = 'home'",
    ),
    ("media_items", "home:rich", "UPDATE media_item SET tagline = NULL WHERE id = 'home:rich'"),
    ("media_items", "home:rich", "UPDATE media_item SET created_at = created_at + 1 WHERE id = 'home:rich'"),
    ("media_items", "home:x", "UPDATE media_item SET parent_key = NULL WHERE id = 'home:x'"),
    ("fingerprints", "home:rich", "UPDATE media_item SET item_fingerprint = 'x' WHERE id = 'home:rich'"),
    ("fingerprints", "home:rich", "UPDATE media_item SET change_token = NULL WHERE id = 'home:rich'"),
    ("external_ids", "home:rich", f"UPDATE item_external_id SET value = 'x' {OF_ITEM} AND provider = 'imdb'"),
    ("genres", "home:rich", f"DELETE FROM item_genre {OF_ITEM} AND position = 1"),
    ("ratings", "home:rich", f"UPDATE item_rating SET value = value + 0.0001 {OF_ITEM} AND position = 0"),
    ("images", "home:rich", f"UPDATE item_image SET path = 'x' {OF_ITEM} AND kind = 'poster'"),
    ("media_people", "home:rich", f"UPDATE credit SET role = 'x' {OF_ITEM} AND sort_order = 4"),
    ("media_people", "home:rich", f"DELETE FROM credit {OF_ITEM} AND sort_order = 4"),
    ("sync_runs", 1, "UPDATE sync_run SET saved = saved + 1 WHERE run_key = 1"),
    ("sync_run_problems", 1, "UPDATE run_problem SET reason = 'x' WHERE from_run = 1 AND position = 1"),
]


@pytest.mark.parametrize("engines", PAIRS[:2], ids=lambda pair: f"to {pair[1].name}")
async def test_each_difference_is_found_and_named(
    engines: tuple[Engine, Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = new_urls(engines, tmp_path)
    await filled(urls[0])
    await copy_mirror(*urls)
    for number, (view, row_id, tamper) in enumerate(TAMPERED):
        set_pages(monkeypatch, 1 + number % 5)
        async with both(urls) as (ours, theirs, target):

            async def compared(
                ours: Any = ours, target: MediaSync = target, tamper: str = tamper
            ) -> dict[str, int]:
                """Tamper, compare, and undo it."""

                async def work(session: Any) -> None:
                    assert await session.execute(tamper) == 1
                    raise Undone(await found_by(ours, session))

                with pytest.raises(Undone) as undone:
                    await target._database.write(work)
                return undone.value.args[0]

            assert await service.compare(ours, theirs, lambda *_: None)
            told = str(await compared())
        how = "differs at|lacks rows of|has rows too many of"
        assert re.search(rf"its origin: {view} ({how}) {row_id!r}\. ", told), told


class Undone(Exception):
    """Rolls a transaction back."""


async def found_by(ours: Any, theirs: Any) -> str:
    try:
        await service.compare(ours, theirs, lambda *_: None)
    except DatabaseError as error:
        return str(error)
    return "nothing was found"


async def change(url: str, sql: str, **params: Any) -> None:
    """Change the storage of a database, as another program might; `in_thread` runs it at once."""
    async with MediaSync(url) as ms:
        assert await write(ms, sql, **params) == 1


async def test_writes_of_another_program_during_the_copy_are_found(urls: tuple[str, str]) -> None:
    await filled(urls[0])
    sql = "UPDATE media_item SET title = 'Other' WHERE id = 'home:m3'"

    def tell(what: str, done: int, _total: int) -> None:
        if (what, done) == ("sync_runs", 0):
            in_thread(change(urls[1], sql))

    with pytest.raises(DatabaseError, match="media_items differs at 'home:m3'"):
        await copy_mirror(*urls, on_progress=tell)


async def test_the_counts_are_compared_as_well_as_the_pages(
    urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A difference is found even in a view whose pages show no rows."""
    await filled(urls[0])
    await copy_mirror(*urls)
    await change(urls[1], f"DELETE FROM item_image {OF_ITEM} AND kind = 'poster'")
    nothing = "SELECT v.* FROM @list(:ids) k JOIN images v ON v.media_item_id = k.id WHERE v.kind = 'none'"
    blind = [
        replace(one, below=[(name, nothing if name == "images" else query) for name, query in one.below])
        for one in statements.COMPARISONS
    ]
    monkeypatch.setattr(service, "COMPARISONS", blind)
    with pytest.raises(DatabaseError, match="images has 1 rows and not 2"):
        await copy_mirror(*urls)


def test_every_view_is_compared() -> None:
    names = [
        name
        for comparison in statements.COMPARISONS
        for name in (comparison.view, *(below for below, _ in comparison.below))
    ]
    assert sorted([*names, *COUNTS]) == sorted([*view_names(), "fingerprints"])


async def test_every_column_is_written(file_ms: MediaSync) -> None:
    for table, statement in {
        "source": statements.COPY_SOURCES_WRITE,
        "library": statements.COPY_LIBRARIES_WRITE,
        "person": statements.COPY_PEOPLE_WRITE,
        "media_item": statements.COPY_ITEMS_WRITE,
        "credit": statements.COPY_CREDITS_INSERT,
        "sync_run": statements.COPY_RUNS_WRITE,
        "run_problem": statements.COPY_PROBLEMS_INSERT,
        "sync_run_library": statements.COPY_RUN_LIBRARIES_INSERT,
    }.items():
        found = await rows(file_ms, f"SELECT name FROM pragma_table_info('{table}')")
        # Keys, who runs it, and the blocks of keys that writers took, belong to one database alone.
        others = {"source_key", "library_key", "key_blocks", "owner", "given_by"}
        columns = {name for (name,) in found if name not in others}
        inserted = statement[: statement.index("FROM")]
        missing = {name for name in columns if not re.search(rf"\b{name}\b", inserted)}
        assert missing <= {f"{table}_key"}, table


# Refusals


async def other_source(ms: MediaSync, _clock: Clock) -> None:
    await ms.media.save_source(Source(id="other", kind="nfo"))


async def same_source_made_elsewhere(ms: MediaSync, clock: Clock) -> None:
    clock.tick()
    await ms.media.save_source(Source(id="home", kind="jellyfin", name="Home"))


async def more_items(ms: MediaSync, clock: Clock) -> None:
    await fill(ms, clock)
    await ms.media.save_media_item(movie("more"), **MOVIES)


async def more_people(ms: MediaSync, clock: Clock) -> None:
    await fill(ms, clock)
    await ms.people.upsert(person("more", source_id="home"))


async def newer_item(ms: MediaSync, clock: Clock) -> None:
    await fill(ms, clock)
    clock.tick()
    await ms.media.save_media_item(RICH.model_copy(update={"title": "Newer"}), **MOVIES)


async def more_runs(ms: MediaSync, clock: Clock) -> None:
    await fill(ms, clock)
    clock.tick()
    await ms._database.write(record_runs)


REFUSED = [
    (other_source, "the target holds the source 'other', which the origin does not have"),
    (same_source_made_elsewhere, "the source 'home', which is not the origin's"),
    (more_items, "the item 'home:more', which the origin does not have"),
    (more_people, "the person 'home:more', which the origin does not have"),
    (newer_item, "the item 'home:rich', which is newer than the origin's"),
    (more_runs, "the run 2, which is newer than the origin's"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("engines", PAIRS[:2], ids=lambda pair: f"to {pair[1].name}")
async def test_a_target_with_other_data_is_refused(
    engines: tuple[Engine, Engine], tmp_path: Path, make: Any, message: str
) -> None:
    urls = new_urls(engines, tmp_path)
    await filled(urls[0])
    clock = Clock()
    async with MediaSync(urls[1], clock=clock) as target:
        await make(target, clock)
        stored, seen = await written(target), await public(target)
        with pytest.raises(ConfigurationError, match=message) as refused:
            await copy_mirror(*urls)
        assert "Nothing was changed" in str(refused.value)
        assert await written(target) == stored
        assert await public(target) == seen


async def test_rows_that_another_program_updated_meanwhile_are_not_overwritten(urls: tuple[str, str]) -> None:
    await filled(urls[0])
    await copy_mirror(*urls)
    sql = "UPDATE media_item SET title = :title, updated_at = updated_at + :more WHERE id = 'home:rich'"
    await change(urls[1], sql, title="Older", more=-1)

    def tell(what: str, done: int, _total: int) -> None:
        if (what, done) == ("sources", 0):
            in_thread(change(urls[1], sql, title="Newer", more=2))

    with pytest.raises(ConfigurationError, match="item 'home:rich', which is newer than the origin's"):
        await copy_mirror(*urls, on_progress=tell)
    async with MediaSync(urls[1], read_only=True) as target:
        assert await value(target, "SELECT title FROM media_items WHERE id = 'home:rich'") == "Newer"


async def test_a_missing_origin_creates_no_target(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing):
        await copy_mirror(f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db")
    assert list(tmp_path.iterdir()) == []


async def test_a_database_is_not_copied_into_itself(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    await filled(url)
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    for target in (url, f"sqlite:///{tmp_path}/../{tmp_path.name}/a.db", f"sqlite:///{tmp_path}/link.db"):
        with pytest.raises(ConfigurationError, match="the same database"):
            await copy_mirror(url, target)
