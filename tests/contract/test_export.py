"""Exports: all of one state, complete or absent, and read back as what was exported."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from pydantic import TypeAdapter
from support.engines import SQLITE_MEMORY, Engine
from support.items import MOVIES, SHOWS, credit, episode, movie, season, show
from support.mirror import prepared

from mediasync import (
    AnyMediaItem,
    Completeness,
    Library,
    MediaItem,
    MediaSync,
    Movie,
    Person,
    Rating,
    Source,
)
from mediasync.backends.jellyfin.parse import KINDS, parse_item
from mediasync.backends.json_record import JsonRecord
from mediasync.errors import (
    ChangesPruned,
    ConfigurationError,
    ExportFailed,
    UnknownLibrary,
    UnknownSource,
    UsageError,
)
from mediasync.testing import make_catalogue

ROOT = Path(__file__).parents[2]
ITEM: TypeAdapter[Any] = TypeAdapter(AnyMediaItem)
HARD = "Bad=\x01\n\u2028|\\ \u2029\x85,\"'&<"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for an export, beside the database of the mirror."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(count: int, first: int = 0) -> list[Any]:
    return [credit(f"p{n}", f"Person {n}", role=f"Role {n}") for n in range(first, first + count)]


async def stored(ms: MediaSync) -> None:
    await ms.media.save_media_items(
        [
            movie(
                "1",
                title="Heat",
                year=1995,
                premiere_date=date(1995, 12, 15),
                genres=["Crime", "Sci|Fi"],
                provider_ids={"imdb": "tt0113277", "tmdb": "949"},
                ratings=[Rating(name="imdb", value=8.3, votes=700), Rating(name="x", value=7)],
                images={"poster": "https://image.tmdb.org/a.jpg"},
                added_at=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
                path="/media/movies/Heat (1995)/Heat.mkv",
                credits=[credit("a", "Ada", provider_ids={"tmdb": "7"}), credit("b", "Bo", kind="Key Grip")],
            ),
            movie("2", title=HARD, overview=HARD, added_at="2024-01-02 03:04", credits=[credit("c", "=1+1")]),
        ],
        **MOVIES,
    )
    await ms.media.save_media_items(
        [
            show("s", title="Dark", year=2017, path="/media/tv/Dark (2017)", credits=[credit("a", "Ada")]),
            season("s1", parent_remote_id="s", season_number=1, title="Part One"),
            *(
                episode(
                    f"e{n}",
                    parent_remote_id="s1",
                    season_number=1,
                    episode_number=n,
                    title=f"Episode {n}",
                    path="/media/tv/Dark (2017)/Season 01/Dark S01E01-E02.mkv",
                    credits=numbers(2, n),
                )
                for n in (1, 2)
            ),
        ],
        **SHOWS,
    )


async def everything(ms: MediaSync) -> dict[str, MediaItem]:
    found = {}
    for library in await ms.media.list_libraries():
        async for item in ms.media.iter_media_items(library):
            found[item.id or ""] = item
    return found


# JSON lines


async def test_lines_are_the_models(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    report = await ms.export("jsonl", out)
    assert report.rows == {"items": 6, "people": 6}
    assert report.change == await ms.newest_change()
    written = lines(out / "items.jsonl")
    assert {one["id"]: ITEM.validate_python(one) for one in written} == {
        item_id: await ms.media.get_media_item(item_id) for item_id in await everything(ms)
    }
    people = [Person.model_validate(one) for one in lines(out / "people.jsonl")]
    assert people == [await ms.people.find_by_id(person.id or "") for person in people]
    for name in ("items", "people"):
        schema = json.loads((out / f"{name}.schema.json").read_text())
        for one in lines(out / f"{name}.jsonl"):
            jsonschema.validate(one, schema)


async def test_a_stream_has_the_lines_of_the_items(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    await ms.export("jsonl", out)
    written: list[str] = []
    report = await ms.export("jsonl", written.append)
    assert report.rows == {"items": 6}
    assert "".join(written) == (out / "items.jsonl").read_text()


async def test_what_is_selected(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    await ms.media.save_source(Source(id="home-2", kind="jellyfin"))
    await ms.media.save_library(Library(id="m", source_id="home-2", kind="movies"))
    await ms.media.save_media_item(
        movie("9", credits=[credit("z", "Zed")]), library_id="m", source_id="home-2"
    )

    async def ids(**selected: Any) -> tuple[list[str], list[str]]:
        await ms.export("jsonl", out, overwrite=True, **selected)
        return tuple([one["id"] for one in lines(out / name)] for name in ("items.jsonl", "people.jsonl"))

    assert await ids(source_id="home-2") == (["home-2:9"], ["home-2:z"])
    everybody = [f"home:{key}" for key in ("a", "b", "c", "p1", "p2", "p3")]
    assert (await ids(source_id="home"))[1] == everybody
    assert await ids(library_id="home:movies") == (["home:1", "home:2"], everybody[:3])
    assert await ids(media_types=["episode"]) == (["home:e1", "home:e2"], everybody[3:])
    assert len((await ids())[0]) == 7
    with pytest.raises(UnknownSource, match="there are: home, home-2"):
        await ids(source_id="other")
    with pytest.raises(UnknownLibrary, match="home-2:m"):
        await ids(library_id="home:m")
    with pytest.raises(ConfigurationError, match="give movie, show"):
        await ids(media_types=["film"])


async def test_removed_items_and_people_nobody_credits_are_left_out(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    await ms.media.delete_media_item("home:2")
    await ms.people.upsert(Person(id="home:nobody", name="Nobody"))
    await ms.export("jsonl", out)
    assert "home:2" not in {one["id"] for one in lines(out / "items.jsonl")}
    people = {one["id"] for one in lines(out / "people.jsonl")}
    assert "home:c" not in people


async def test_an_item_with_many_credits_is_exported_whole(ms: MediaSync, out: Path) -> None:
    await ms.media.save_media_items([movie(str(n), credits=numbers(7_000)) for n in range(3)], **MOVIES)
    report = await ms.export("csv", out)
    assert report.rows == {"items": 3, "people": 7_000, "credits": 21_000}


# One state


async def test_what_is_saved_meanwhile_is_not_in_it(ms: MediaSync, engine: Engine, out: Path) -> None:
    if engine is SQLITE_MEMORY:
        pytest.skip("a database in memory has one connection, so a save waits for the export")
    await stored(ms)
    saves: list[asyncio.Task[Any]] = []

    def save(what: str, done: int, _total: int) -> None:
        if not saves:
            saves.append(asyncio.ensure_future(ms.media.save_media_item(movie("3"), **MOVIES)))

    told: list[tuple[str, int, int]] = []

    async def export() -> Any:
        def tell(*progress: Any) -> None:
            told.append(progress)
            save(*progress)

        return await ms.export("jsonl", out, on_progress=tell)

    before = await ms.newest_change()
    report = await export()
    await saves[0]
    assert report.change == before
    assert len(lines(out / "items.jsonl")) == 6
    assert told[0] == ("items", 0, 6)
    assert ("items", 6, 6) in told
    assert told[-1] == ("people", 6, 6)


async def test_a_save_does_not_wait_for_an_export(ms: MediaSync, engine: Engine) -> None:
    if engine is SQLITE_MEMORY:
        pytest.skip("a database in memory has one connection, so a save waits for the export")
    await stored(ms)
    writing, saved = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def save() -> None:
        await writing.wait()
        await ms.media.save_media_item(movie("3"), **MOVIES)
        saved.set()

    def tell(*_: Any) -> None:
        loop.call_soon(writing.set)

    task = asyncio.create_task(save())
    pages: list[str] = []
    await ms.export("jsonl", pages.append, on_progress=tell)
    await asyncio.wait_for(saved.wait(), 30)
    await task
    assert "home:3" not in "".join(pages)


# Tables


async def test_csv(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    await ms.export("csv", out)
    items = {row["id"]: row for row in table(out / "items.csv")}
    heat = items["home:1"]
    assert heat["genres"] == "Crime|Sci\\|Fi"
    assert heat["provider_ids"] == "imdb=tt0113277|tmdb=949"
    assert heat["ratings"] == "imdb=8.3=700|x=7.0"
    assert heat["tmdb_id"] == "949"
    assert heat["added_at"] == "2024-01-02T03:04:05.000Z"
    assert heat["premiere_date"] == "1995-12-15"
    assert heat["tagline"] == ""
    assert items["home:2"]["title"] == HARD
    assert items["home:2"]["added_text"] == "2024-01-02 03:04"
    assert (out / "items.csv").read_bytes().startswith(b"id,source_id,")
    assert (out / "items.csv").read_bytes().endswith(b"\r\n")
    cast = table(out / "credits.csv")
    assert cast[0] == {
        "media_item_id": "home:1",
        "person_id": "home:a",
        "person_type": "actor",
        "role": cast[0]["role"],
        "sort_order": "0",
    }
    assert [row["person_type"] for row in cast if row["person_id"] == "home:b"] == ["Key Grip"]
    assert {row["name"] for row in table(out / "people.csv")} >= {"Ada", "=1+1"}


async def test_csv_for_spreadsheets_has_no_formula(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    await ms.export("csv", out, for_spreadsheets=True)
    assert (out / "people.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
    assert "'=1+1" in {row["name"] for row in table(out / "people.csv")}


async def test_parquet_has_typed_columns(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    await ms.export("parquet", out)
    items = {row["id"]: row for row in parquet.read_table(out / "items.parquet").to_pylist()}
    heat = items["home:1"]
    assert heat["premiere_date"] == date(1995, 12, 15)
    assert heat["added_at"] == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert heat["genres"] == ["Crime", "Sci|Fi"]
    assert dict(heat["provider_ids"]) == {"imdb": "tt0113277", "tmdb": "949"}
    assert heat["ratings"][0] == {"name": "imdb", "value": 8.3, "votes": 700}
    assert items["home:2"]["title"] == HARD
    assert items["home:e2"]["episode_number"] == 2
    assert parquet.read_table(out / "credits.parquet").num_rows == 8
    assert parquet.read_table(out / "people.parquet").column("name").to_pylist().count("Ada") == 1


async def test_without_pyarrow_the_error_says_what_to_install(
    ms: MediaSync, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "mediasync.exports.parquet", raising=False)
    with pytest.raises(ConfigurationError, match=r"pip install 'mediasync-mirror\[parquet\]'"):
        await ms.export("parquet", out)
    assert os.listdir(out) == []


# Singer, and what changed


def messages(texts: Sequence[str]) -> list[Any]:
    return [json.loads(line) for line in "".join(texts).splitlines()]


class Target:
    """What a Singer target would have stored."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.state: Any = None
        self.schemas: dict[str, Any] = {}

    def take(self, texts: Sequence[str]) -> None:
        for message in messages(texts):
            match message["type"]:
                case "SCHEMA":
                    assert message["key_properties"] == ["id"]
                    self.schemas[message["stream"]] = message["schema"]
                    self.rows.setdefault(message["stream"], {})
                case "RECORD":
                    record = message["record"]
                    jsonschema.validate(record, self.schemas[message["stream"]])
                    rows = self.rows[message["stream"]]
                    if "_sdc_deleted_at" in record:
                        assert record["_sdc_deleted_at"].endswith("Z")
                        rows.pop(record["id"], None)
                    else:
                        rows[record["id"]] = record
                case "STATE":
                    self.state = message["value"]["change"]


async def singer(ms: MediaSync, since: int | None = None) -> list[str]:
    texts: list[str] = []
    await ms.export("singer", texts.append, since=since)
    return texts


async def test_a_target_that_follows_has_what_a_new_one_gets(ms: MediaSync) -> None:
    await stored(ms)
    follower = Target()
    follower.take(await singer(ms))
    assert follower.state == await ms.newest_change()
    assert len(follower.rows["items"]) == 6
    steps = [
        lambda: ms.media.delete_media_item("home:2"),
        lambda: ms.media.save_media_item(movie("3", credits=[credit("n", "New")]), **MOVIES),
        lambda: ms.media.save_media_people("home:1", [credit("n", "New"), credit("m", "Mo")]),
        lambda: ms.people.upsert(Person(id="home:n", name="Newer")),
        lambda: ms.media.delete_media_item("home:s"),
        lambda: ms.media.save_media_item(movie("2"), **MOVIES),
    ]
    for step in steps:
        await step()
        follower.take(await singer(ms, follower.state))
        fresh = Target()
        fresh.take(await singer(ms))
        assert follower.rows == fresh.rows
        assert follower.state == fresh.state
    assert messages(await singer(ms, follower.state))[2:] == [
        {"type": "STATE", "value": {"change": follower.state}}
    ]


async def test_lines_of_what_changed(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    since = (await ms.export("jsonl", out / "all")).change
    await ms.media.delete_media_item("home:2")
    await ms.media.save_media_item(movie("1", title="Heat 2", credits=[credit("a", "Ada")]), **MOVIES)
    report = await ms.export("jsonl", out / "new", since=since)
    assert [one["title"] for one in lines(out / "new" / "items.jsonl")] == ["Heat 2"]
    removed = lines(out / "new" / "removed.jsonl")
    assert {(one["entity"], one["id"]) for one in removed} >= {("item", "home:2"), ("person", "home:c")}
    assert report.rows["removed"] == len(removed)
    schema = json.loads((out / "new" / "removed.schema.json").read_text())
    for one in removed:
        jsonschema.validate(one, schema)


async def test_a_change_that_is_unknown_or_pruned(ms: MediaSync, clock: Any) -> None:
    await stored(ms)
    with pytest.raises(UsageError, match="there is no change 999999"):
        await singer(ms, 999_999)
    clock.now += 86_400_000
    await ms.prune_changes(0)
    with pytest.raises(ChangesPruned):
        await singer(ms, 0)


# The folder


async def test_a_folder_with_other_things_is_refused(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    (out / "diary.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(ConfigurationError, match=r"holds other things than an export \(diary.txt\)"):
            await ms.export("csv", out, overwrite=overwrite)
    assert os.listdir(out) == ["diary.txt"]
    with pytest.raises(ConfigurationError, match="is not a folder"):
        await ms.export("csv", out / "diary.txt")


async def test_an_earlier_export_is_replaced_only_if_asked_for(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    await ms.export("csv", out)
    with pytest.raises(ConfigurationError, match="holds an export: name another folder, or replace it"):
        await ms.export("jsonl", out)
    await ms.export("jsonl", out, overwrite=True)
    assert sorted(os.listdir(out)) == [
        *("items.jsonl", "items.schema.json", "mediasync-export.json", "people.jsonl", "people.schema.json")
    ]
    await ms.export("nfo", out, overwrite=True)
    await ms.export("nfo", out, overwrite=True)
    (out / "Shows" / "Dark (2017)" / "poster.jpg").write_bytes(b"mine")
    with pytest.raises(ConfigurationError, match=r"poster\.jpg"):
        await ms.export("nfo", out, overwrite=True)
    manifest = out / "mediasync-export.json"
    assert json.loads(manifest.read_text())["entries"] == ["Movies", "Shows"]
    manifest.write_text("{")
    with pytest.raises(ConfigurationError, match="is damaged"):
        await ms.export("nfo", out, overwrite=True)


async def test_a_failed_export_leaves_nothing(ms: MediaSync, out: Path) -> None:
    await stored(ms)

    def fail(what: str, _done: int, _total: int) -> None:
        if what != "items":
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        await ms.export("jsonl", out, on_progress=fail)
    assert os.listdir(out) == []


async def test_a_cancelled_export_leaves_nothing(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    for name in ("csv", "nfo"):
        tasks: list[asyncio.Task[Any]] = []

        def cancel(what: str, done: int, _total: int, tasks: list[asyncio.Task[Any]] = tasks) -> None:
            if not done:
                tasks[0].cancel()

        exported: Any = ms.export(name, out, on_progress=cancel)  # type: ignore[arg-type]
        tasks.append(asyncio.create_task(exported))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert os.listdir(out) == []
    assert (await ms.export("csv", out)).rows["items"] == 6


async def test_what_an_interrupted_export_left_is_removed_if_asked_for(ms: MediaSync, out: Path) -> None:
    (out / ".mediasync-export-0").mkdir()
    (out / ".mediasync-export-0" / "items.csv").touch()
    with pytest.raises(ConfigurationError, match="the rest of an export that was interrupted"):
        await ms.export("csv", out)
    await ms.export("csv", out, overwrite=True)
    assert not (out / ".mediasync-export-0").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="it needs permissions")
async def test_a_folder_that_cannot_be_written(ms: MediaSync, out: Path) -> None:
    out.chmod(0o500)
    with pytest.raises(ExportFailed, match="Permission denied"):
        await ms.export("csv", out)
    out.chmod(0o700)


async def test_options_that_do_not_go_together(ms: MediaSync, out: Path) -> None:
    wrong: list[tuple[Any, dict[str, Any], str]] = [
        ("csv", {"since": 1}, "cannot say what was removed"),
        ("nfo", {"since": 1}, "cannot say what was removed"),
        ("jsonl", {"since": 0, "library_id": "home:movies"}, "give since without a library"),
        ("csv", {"layout": "flat"}, "no layout"),
        ("nfo", {"layout": "deep"}, "there is no layout 'deep': give source, flat"),
        ("xml", {}, "there is no format 'xml': give jsonl, csv"),
        ("nfo", {"for_spreadsheets": True}, "not for spreadsheets"),
        ("nfo", {"media_types": ["episode"]}, "give the type show"),
    ]
    for format_, options, message in wrong:
        with pytest.raises(UsageError, match=message):
            await ms.export(format_, out, **options)
    assert os.listdir(out) == []


async def test_what_cannot_be_a_stream(ms: MediaSync) -> None:
    with pytest.raises(UsageError, match="name a folder"):
        await ms.export("csv", print)
    with pytest.raises(UsageError, match="use singer"):
        await ms.export("jsonl", print, since=0)


# NFO files, there and back

FIELDS = (
    *("title", "original_title", "sort_title", "overview", "tagline", "year", "premiere_date"),
    *("runtime_seconds", "content_rating", "ratings", "genres", "provider_ids", "completeness", "added_at"),
)


def name_of(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def told(item: MediaItem) -> tuple[Any, ...]:
    """Return what an NFO file carries of an item."""
    return (
        *(getattr(item, name) for name in FIELDS),
        *(
            (name_of(one.person.name), one.person_type, one.role, one.sort_order, one.person.provider_ids)
            for one in item.credits or ()
        ),
    )


def place(item: MediaItem) -> tuple[Any, ...]:
    numbers_ = (
        getattr(item, name, None) for name in ("season_number", "episode_number", "episode_number_end")
    )
    return (str(item.media_type), item.title, item.year, *numbers_)


def compared(items: Iterator[MediaItem]) -> list[tuple[Any, ...]]:
    return sorted(((place(item), told(item)) for item in items), key=repr)


async def read_back(folder: Path) -> tuple[list[tuple[Any, ...]], Any]:
    async with MediaSync("sqlite:///:memory:") as other:
        report = await other.sync(f"nfo:{folder}")
        return compared(iter((await everything(other)).values())), report


@pytest.mark.parametrize("layout", ["source", "flat"])
async def test_the_example_library_there_and_back(ms: MediaSync, out: Path, layout: Any) -> None:
    await ms.sync(f"example=nfo:{ROOT / 'examples' / 'library'}")
    report = await ms.export("nfo", out, source_id="example", layout=layout)
    assert report.rows == {"movies": 15, "shows": 2, "seasons": 4, "episodes": 13}
    found, read = await read_back(out)
    assert found == compared(iter((await everything(ms)).values()))
    assert (read.failed, read.problems) == ((), ())


async def save_recorded_jellyfin(ms: MediaSync, version: str) -> int:
    """Save what a real server listed, and return the number of items."""
    import gzip

    with gzip.open(ROOT / "tests" / "data" / "jellyfin" / f"{version}.json.gz", "rt") as file:
        answers = {call["name"]: call["answer"] for call in json.load(file)}
    saved = 0
    for name, home in (
        ("095-movies-all", MOVIES),
        ("096-series-all", SHOWS),
        ("053-seasons", SHOWS),
        ("097-episodes-all", SHOWS),
    ):
        for record in answers[name]["Items"]:
            if record.get("Type") in KINDS:
                found: Any = parse_item(JsonRecord(record), trusted=True, people_ids={})
                await ms.media.save_media_item(found.item, **home)
                saved += 1
    return saved


@pytest.mark.parametrize("version", ["12.0", "10.11"])
@pytest.mark.parametrize("layout", ["source", "flat"])
async def test_a_recorded_server_there_and_back(
    engine: Engine, ms: MediaSync, out: Path, layout: Any, version: str
) -> None:
    if engine is not SQLITE_MEMORY and (version, layout) != ("12.0", "source"):
        pytest.skip("what is written is the same on every engine")
    number = await save_recorded_jellyfin(ms, version)
    assert number > 100
    report = await ms.export("nfo", out, layout=layout)
    assert sum(report.rows.values()) == number
    found, read = await read_back(out)
    assert found == compared(iter((await everything(ms)).values()))
    assert (read.failed, read.problems) == ((), ())


async def test_folders_are_those_of_the_source(ms: MediaSync, out: Path) -> None:
    await stored(ms)
    await ms.export("nfo", out)
    files = {str(path.relative_to(out)) for path in (out).rglob("*.nfo")}
    hard = next(name for name in files if "Bad=" in name)
    assert files - {hard} == {
        "Movies/Heat.nfo",
        "Shows/Dark (2017)/tvshow.nfo",
        "Shows/Dark (2017)/season01.nfo",
        "Shows/Dark (2017)/Season 01/Dark S01E01-E02.nfo",
    }
    assert hard.count("/") == 2
    both = (out / "Shows/Dark (2017)/Season 01/Dark S01E01-E02.nfo").read_text()
    assert both.count("<episodedetails") == 2
    found, read = await read_back(out)
    assert found == compared(iter((await everything(ms)).values()))
    assert read.failed == ()


async def test_nfo_files_are_of_one_source(ms: MediaSync, out: Path) -> None:
    await ms.media.save_source(Source(id="other", kind="jellyfin"))
    await ms.media.save_library(Library(id="m", source_id="other", kind="movies"))
    with pytest.raises(UsageError, match="name one of home, other"):
        await ms.export("nfo", out)
    await stored(ms)
    report = await ms.export("nfo", out, library_id="home:shows")
    assert report.rows == {"movies": 0, "shows": 1, "seasons": 1, "episodes": 2}
    assert sorted(os.listdir(out)) == ["Shows", "mediasync-export.json"]


async def test_what_nfo_files_cannot_hold_is_reported(ms: MediaSync, out: Path) -> None:
    await ms.media.save_media_items(
        [
            episode("lost", None, title="Lost"),
            show("s", title="Dark"),
            season("s1", "s", None),
            season("s2", parent_remote_id="s", season_number=2, title="Two"),
            season("s3", parent_remote_id="s", season_number=2, title="Again"),
            movie("long", overview="x" * (4 * 2**20)),
        ],
        **SHOWS,
    )
    report = await ms.export("nfo", out)
    assert report.left_out == 3
    assert dict(report.problems) == {
        "home:lost": "left out: it belongs to no show, and an NFO file of it would be no item",
        "home:s1": "left out: it has no number, by which NFO files tell seasons apart",
        "home:s3": "left out: another season of the show has the number 2",
        "home:long": "its NFO file has more than 4 MiB, and mediasync does not read it",
    }


TITLES = st.sampled_from(
    ["A", "B", "../x", ".x", "CON", "x" * 5_000, "Two\nLines", "\x01\x02", "Ä", "\u212b"]
)
CAST = st.lists(
    st.builds(
        credit,
        st.none(),
        st.sampled_from(["Ada One", "Ada One / Bob Two", "Tyler, The Creator", "x\ty", "R&amp;D", "<b>"]),
        kind=st.sampled_from(
            ["director", "actor", "guest_star", "writer", "Key Grip", "composer", "unknown"]
        ),
        role=st.none() | st.sampled_from(["Neo", "A / B", "&amp;", "\x1b"]),
    ),
    max_size=5,
)
PATHS = st.none() | st.sampled_from(
    [
        *("../../etc/passwd", "/", "//", "C:\\Films\\A.mkv", "smb://nas/A.mkv", "/m/CON/aux.mkv"),
        *("/m/A/A.mkv", "/m/B/a.mkv", "/m/A.mkv", "/m/A", "/m/C/VIDEO_TS/VIDEO_TS.IFO", "/m/.hidden/A.mkv"),
        *("/m/" + "x" * 300 + ".mkv", "/m/" + "/deep" * 500, "/m/\ufffd/A.mkv", "/m/a\\b.mkv"),
    ]
)
FILMS = st.lists(
    st.tuples(TITLES, PATHS, CAST, st.sampled_from(Completeness), st.none() | st.just(1999)), max_size=6
)


@given(films=FILMS, layout=st.sampled_from(["source", "flat"]))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_any_films_there_and_back(films: Any, layout: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("films")

    async def run() -> None:
        async with MediaSync("sqlite:///:memory:") as ms:
            await prepared(ms)
            made = [
                Movie(
                    remote_id=str(number),
                    title=title,
                    year=year,
                    path=path,
                    tagline=str(number),
                    provider_ids={"imdb": f"tt{number:07}"},
                    credits=cast,
                    completeness=completeness,
                )
                for number, (title, path, cast, completeness, year) in enumerate(films)
            ]
            await ms.media.save_media_items(made, **MOVIES)
            report = await ms.export("nfo", folder / "out", layout=layout)
            assert report.rows["movies"] == len(films)
            assert os.listdir(folder) == ["out"]
            found, _ = await read_back(folder / "out")
            assert found == compared(iter((await everything(ms)).values()))

    asyncio.run(run())


FILE_NAMES = st.none() | st.sampled_from(
    [
        "{show}/S{season}/e{episode}.mkv",
        "{show}/all.mkv",
        "/elsewhere/{episode}.mkv",
        "{show}/Season {season}/x.mkv",
    ]
)
EPISODES = st.tuples(st.sampled_from([0, 1, 2, 10]), st.integers(0, 3), FILE_NAMES, TITLES, CAST)
SHOWS_WITH_EPISODES = st.lists(
    st.tuples(
        TITLES,
        st.none() | st.sampled_from(["/tv/{number}", "/tv/Season {number}"]),
        CAST,
        st.lists(EPISODES, max_size=4, unique_by=lambda one: one[:2]),
    ),
    max_size=2,
)


@given(shows=SHOWS_WITH_EPISODES, layout=st.sampled_from(["source", "flat"]))
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_any_shows_there_and_back(shows: Any, layout: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("shows")

    async def run() -> None:
        async with MediaSync("sqlite:///:memory:") as ms:
            await prepared(ms)
            for number, (title, path, cast, episodes) in enumerate(shows):
                at = path and path.format(number=number)
                made: list[MediaItem] = [
                    show(
                        f"{number}",
                        title=title,
                        path=at,
                        year=1990 + number,
                        credits=cast,
                        completeness="full",
                    )
                ]
                for season_number in sorted({one[0] for one in episodes}):
                    key = f"{number}-{season_number}"
                    made.append(
                        season(key, f"{number}", season_number, title=f"Part {season_number}", credits=cast)
                    )
                for season_number, episode_number, file, name, people in episodes:
                    path = file and file.format(show=at or "/x", season=season_number, episode=episode_number)
                    made.append(
                        episode(
                            f"{number}-{season_number}-{episode_number}",
                            f"{number}-{season_number}",
                            episode_number,
                            season_number=season_number,
                            title=name,
                            path=path,
                            year=1990 + number,
                            credits=people,
                        )
                    )
                await ms.media.save_media_items(made, **SHOWS)
            report = await ms.export("nfo", folder / "out", layout=layout)
            assert report.left_out == 0
            found, read = await read_back(folder / "out")
            assert found == compared(iter((await everything(ms)).values()))
            assert read.failed == ()

    asyncio.run(run())


async def test_a_generated_library_there_and_back(ms: MediaSync, out: Path) -> None:
    catalogue = make_catalogue(films=20, shows=3, seasons=2, episodes=4)
    for library in catalogue.libraries:
        await ms.media.save_library(Library(id=library.id, source_id="home", kind=library.kind))
        await ms.media.save_media_items(library.items, library_id=library.id, source_id="home")
    await ms.export("nfo", out)
    found, read = await read_back(out)
    assert found == compared(iter((await everything(ms)).values()))
    assert read.failed == ()
