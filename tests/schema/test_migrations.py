"""Older, newer and foreign databases: upgraded with a copy, or refused without a change."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from support import postgres
from support.engines import POSTGRES
from support.items import MOVIES, cast, credit, movie
from support.mirror import Clock, prepared, public, value
from support.old_databases import OLDEST, VERSIONS, make_old_file, make_old_postgres

from mediasync import Library, MediaSync, MediaSyncError
from mediasync.database import schema
from mediasync.database.migrations import Migration
from mediasync.database.session import Session
from mediasync.errors import DatabaseCorrupt, DatabaseError, SchemaForeign, SchemaOutdated, SchemaTooNew

SORT_KEYS_SINCE = 9
"""The version that added four columns to items."""


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> int:
    """An older version of the schema that can be upgraded."""
    chosen: int = request.param
    return chosen


@pytest.fixture
def old(file: Path) -> Path:
    """A database of the oldest version, with data."""
    make_old_file(file)
    return file


def tables(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every table."""
    connection = sqlite3.connect(file)
    names = [
        n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
    ]
    found = {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in names}
    connection.close()
    return found


def shape(file: Path) -> list[tuple[str, str, str]]:
    """Return the contents of ``sqlite_master``, without comments and white space."""
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    connection.close()
    return [(kind, name, re.sub(r"\s+", "", re.sub(r"--.*", "", sql or ""))) for kind, name, sql in found]


def everything(folder: Path) -> dict[str, str]:
    """Return a hash of each file in a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def public_rows(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every view that the file itself defines and that is not empty."""
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row
    names = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]
    found = {
        name: sorted((dict(row) for row in connection.execute(f"SELECT * FROM {name}")), key=repr)
        for name in names
    }
    connection.close()
    return {name: rows for name, rows in found.items() if rows}


async def refused(url: str, kind: type[MediaSyncError], **options: Any) -> str:
    ms = MediaSync(url, **options)
    with pytest.raises(kind) as caught:
        await ms.open()
    assert type(caught.value) is kind
    return str(caught.value)


async def assert_as_it_was(ms: MediaSync) -> None:
    """The mirror holds what the older mediasync stored, and finds it in every way."""
    matrix = await ms.media.get_media_item("home:603")
    assert [one.person.name for one in matrix.cast] == ["Keanu Reeves", "Laurence Fishburne"]
    assert matrix.credits[0].person.provider_ids == {"imdb": "nm0000206", "tmdb": "6384"}
    assert matrix.genres == ["Action", "Science Fiction"]
    [audrey] = await ms.people.search("tau aud")
    assert (audrey.name, audrey.provider_ids) == ("Audrey Tautou", {"wikidata": 'Q"1\\2'})
    assert [one.id for one in await ms.media.find_by_title("amelie")] == ["home:194"]
    rated = await value(ms, "SELECT count(*) AS n FROM media_item WHERE rating IS NOT NULL")
    assert rated == await value(ms, "SELECT count(*) AS n FROM item_rating WHERE position = 0") > 0
    assert [one.id for one in await ms.media.find_by_title("七人")] == ["films:Seven Samurai (1954)"]
    assert await ms.people.search("o connor") == [], "nobody credits her"
    assert [one.id for one in await ms.people.search("敏")] == ["films:tmdb:7450"]
    [run] = await ms.list_runs()
    assert [subject for _, subject, _ in await ms.list_problems(run.id)] == ["No Description.mkv"]
    assert (await ms.check()).flaws == ()


async def test_an_old_database_is_upgraded_with_a_copy_beside_it(
    file: Path, file_url: str, tmp_path: Path, clock: Clock, version: int
) -> None:
    make_old_file(file, version)
    before = tables(file)
    async with MediaSync(file_url, clock=clock) as ms:
        await assert_as_it_was(ms)
    after = tables(file)
    assert after["schema_version"] == [(schema.CURRENT_VERSION, clock.now)]
    for name in ("library", "credit", "item_external_id", "item_genre", "item_rating"):
        assert after[name] == before[name], name
    added = [row[-4:] for row in after["media_item"]]
    has_them = version >= SORT_KEYS_SINCE
    assert [row if has_them else row[:-4] for row in after["media_item"]] == before["media_item"]
    assert {row[:2] for row in added} == {(None, None)}, "nothing is missing yet"
    assert all(row[2] for row in added), "each has its place in lists"
    copy = tmp_path / f"media.db.schema-{version}.backup"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["media.db", copy.name]
    assert tables(copy) == before


async def test_people_see_the_same_after_an_upgrade(file: Path, file_url: str, version: int) -> None:
    """The rows of the views that an older mediasync showed are shown today; views gain columns only."""
    make_old_file(file, version)
    before = public_rows(file)
    async with MediaSync(file_url):
        pass
    after = public_rows(file)
    uncredited = [row for row in before["people"] if row["id"] == "home:77"]
    if version == OLDEST:
        assert len(uncredited) == 1, "it showed people without credits"
        before["people"].remove(uncredited[0])
    for name, rows in before.items():
        assert [{key: row[key] for key in rows[0]} for row in after[name]] == rows, name


async def test_a_database_that_is_too_old_says_what_to_do(old: Path, file_url: str, tmp_path: Path) -> None:
    connection = sqlite3.connect(old)
    connection.execute("UPDATE schema_version SET version = ?", [OLDEST - 1])
    connection.commit()
    connection.close()
    before = everything(tmp_path)
    message = await refused(file_url, SchemaOutdated)
    assert f"schema {OLDEST - 1}" in message
    assert "mediasync sync" in message
    assert everything(tmp_path) == before


async def test_the_copy_can_itself_be_upgraded(old: Path, file_url: str, tmp_path: Path) -> None:
    async with MediaSync(file_url) as ms:
        first = await public(ms)
    copy = tmp_path / f"media.db.schema-{OLDEST}.backup"
    async with MediaSync(f"sqlite:///{copy}") as ms:
        assert await public(ms) == first
    assert (tmp_path / f"{copy.name}.schema-{OLDEST}.backup").exists()


async def test_an_upgraded_database_has_the_shape_of_a_new_one(
    file: Path, file_url: str, tmp_path: Path, version: int
) -> None:
    make_old_file(file, version)
    async with MediaSync(file_url):
        pass
    async with MediaSync(f"sqlite:///{tmp_path / 'new.db'}"):
        pass
    assert shape(file) == shape(tmp_path / "new.db")


async def test_an_upgrade_happens_once(old: Path, file_url: str, tmp_path: Path) -> None:
    for _ in range(3):
        async with MediaSync(file_url):
            pass
    assert len(list(tmp_path.glob("*.backup"))) == 1


async def test_a_copy_that_is_there_already_is_not_overwritten(
    old: Path, file_url: str, tmp_path: Path
) -> None:
    precious = tmp_path / f"media.db.schema-{OLDEST}.backup"
    precious.write_bytes(b"precious")
    async with MediaSync(file_url):
        pass
    assert precious.read_bytes() == b"precious"
    assert (tmp_path / f"media.db.schema-{OLDEST}.1.backup").exists()


async def test_after_an_upgrade_unchanged_items_are_unchanged(
    file: Path, file_url: str, clock: Clock, version: int
) -> None:
    make_old_file(file, version)
    async with MediaSync(file_url, clock=clock) as ms:
        before = await public(ms)
        clock.tick()
        items = [item async for item in ms.media.iter_media_items("home:movies")]
        report = await ms.media.save_media_items(items, **MOVIES)
        assert items
        assert (report.saved, report.unchanged) == (0, len(items))
        assert await public(ms) == before


async def test_people_of_nfo_files_are_known_by_their_other_ids_after_an_upgrade(
    old: Path, file_url: str
) -> None:
    connection = sqlite3.connect(old)
    connection.execute(
        "INSERT INTO source (source_key, id, kind, name, created_at, updated_at) "
        "VALUES (9, 'other', 'nfo', '', 1, 1)"
    )
    connection.executemany(
        "INSERT INTO person (source_key, id, name, provider_ids, created_at, updated_at) "
        "VALUES (9, ?, ?, ?, 1, 1)",
        [
            ("other:tmdb:1", "Jo", '{"imdb":"nm1","tmdb":"1"}'),
            ("other:tmdb:2", "Jo", '{"tmdb":"2"}'),
            ("other:tmdb:3", "Ada", '{"tmdb":"3"}'),
            ("other:tmdb:4", "Bo", '{"tmdb":"4"}'),
            ("other:name:bo", "Bo", ""),
        ],
    )
    connection.commit()
    connection.close()
    async with MediaSync(file_url) as ms:
        await ms.media.save_library(Library(id="movies", source_id="other", title="Films", kind="movies"))
        given = [credit(name=name) for name in ("Jo", "Ada", "Bo")]
        given.insert(0, credit(name="J.", provider_ids={"imdb": "nm1"}))
        await ms.media.save_media_item(movie("1", credits=given), library_id="movies", source_id="other")
        found = await ms.people.find_by_media_item("other:1")
        assert [one.person.id for one in found] == [
            "other:tmdb:1",
            "other:name:jo",
            "other:tmdb:3",
            "other:name:bo",
        ]
        assert (await ms.check()).flaws == ()


async def test_provider_ids_that_cannot_be_read_are_named_and_left_out(
    old: Path, file_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = {"home:6384": "{broken", "home:2975": "[1]", "films:tmdb:84": '{"imdb":7}'}
    connection = sqlite3.connect(old)
    connection.executemany(
        "UPDATE person SET provider_ids = ? WHERE id = ?", [(text, key) for key, text in damaged.items()]
    )
    connection.commit()
    connection.close()
    async with MediaSync(file_url) as ms:
        for person_id in damaged:
            found = await ms.people.find_by_id(person_id)
            assert found is not None
            assert found.provider_ids == {}
            assert any(f"person {person_id}:" in record.getMessage() for record in caplog.records)
        [untouched] = await ms.people.search("tautou")
        assert untouched.provider_ids == {"wikidata": 'Q"1\\2'}
        assert (await ms.check()).flaws == ()


async def test_without_upgrade_an_old_database_is_refused_unchanged(
    old: Path, file_url: str, tmp_path: Path
) -> None:
    before = everything(tmp_path)
    message = await refused(file_url, SchemaOutdated, upgrade=False)
    assert "upgrade" in message
    await refused(file_url, SchemaOutdated, read_only=True)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("options", [{}, {"upgrade": False}, {"read_only": True}], ids=str)
@pytest.mark.parametrize("mode", ["delete", "wal"])
async def test_a_newer_database_is_refused_unchanged(
    old: Path, file_url: str, tmp_path: Path, options: dict[str, bool], mode: str
) -> None:
    connection = sqlite3.connect(old)
    connection.execute("UPDATE schema_version SET version = 99")
    connection.commit()
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.close()
    before = hashlib.sha256(old.read_bytes()).hexdigest()
    message = await refused(file_url, SchemaTooNew, **options)
    assert "99" in message
    assert hashlib.sha256(old.read_bytes()).hexdigest() == before
    assert not list(tmp_path.glob("*.backup"))


FOREIGN: dict[str, str] = {
    "another program's table": "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)",
    "only a view": "CREATE VIEW v AS SELECT 1",
    "a schema_version of its own": "CREATE TABLE schema_version (version INTEGER); "
    "INSERT INTO schema_version VALUES (2); CREATE TABLE users (id INTEGER PRIMARY KEY)",
    "an older schema_version of its own": "CREATE TABLE schema_version (version INTEGER, x); "
    "INSERT INTO schema_version VALUES (1, 0); CREATE TABLE person (id INTEGER PRIMARY KEY)",
    "a schema_version of text": "CREATE TABLE schema_version (version TEXT); "
    "INSERT INTO schema_version VALUES ('2.0.1')",
    "a schema_version without a version": "CREATE TABLE schema_version (name TEXT)",
    "an empty schema_version": "CREATE TABLE schema_version (version INTEGER)",
    "a view called so": "CREATE VIEW schema_version AS SELECT 'x' AS version",
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("options", [{}, {"upgrade": False}, {"read_only": True}], ids=str)
async def test_a_foreign_database_is_refused_unchanged(
    file: Path, file_url: str, tmp_path: Path, name: str, options: dict[str, bool]
) -> None:
    connection = sqlite3.connect(file)
    connection.executescript(FOREIGN[name])
    connection.close()
    before = everything(tmp_path)
    message = await refused(file_url, SchemaForeign, **options)
    assert "not mediasync's" in message
    assert everything(tmp_path) == before


async def test_a_cut_off_file_is_refused_unchanged(old: Path, file_url: str, tmp_path: Path) -> None:
    old.write_bytes(old.read_bytes()[:5_000])
    before = everything(tmp_path)
    with pytest.raises(DatabaseError):
        await MediaSync(file_url, upgrade=False).open()
    assert everything(tmp_path) == before


# The machinery of upgrades, by a step of the tests' own behind the real ones


def artificial(*statements: str, fails: bool = False) -> Callable[[pytest.MonkeyPatch], None]:
    """Return a function that adds a step, which creates a table, runs *statements*, and may then fail."""

    async def upgrade(session: Session) -> None:
        for statement in ("CREATE TABLE later (item_key INTEGER PRIMARY KEY)", *statements):
            await session.execute(statement)
        if fails:
            raise RuntimeError("in the middle")

    def add(monkeypatch: pytest.MonkeyPatch) -> None:
        step = Migration(schema.CURRENT_VERSION + 1, upgrade)
        monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
        monkeypatch.setattr(schema, "CURRENT_VERSION", step.version)

    return add


BREAKS = {
    "a wrong statement": (artificial("DELETE FROM credit", "CREATE TABLE person (x)"), DatabaseError),
    "a step that raises": (artificial("DELETE FROM credit", fails=True), RuntimeError),
    "rows that point at nothing": (artificial("DELETE FROM person"), DatabaseCorrupt),
}


@pytest.mark.parametrize("name", BREAKS)
async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    old: Path, file_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    add, kind = BREAKS[name]
    before, before_shape = tables(old), shape(old)
    with monkeypatch.context() as patched:
        add(patched)
        with pytest.raises(kind) as caught:
            await MediaSync(file_url).open()
        assert type(caught.value) is kind
    assert tables(old) == before
    assert shape(old) == before_shape
    named = re.findall(r"\S+\.backup", str(caught.value))
    assert all(Path(path).exists() for path in named), "a copy that is spoken of is there"
    assert {path.name for path in tmp_path.iterdir()} <= {"media.db", *(Path(path).name for path in named)}
    async with MediaSync(file_url) as ms:
        assert (await ms.check()).flaws == ()


# PostgreSQL

LASTING_POSTGRES = pytest.mark.parametrize("engine", [POSTGRES], ids=["postgresql"], indirect=True)


async def stored(url: str) -> dict[str, Any]:
    """Return the columns and the rows of every table and view in the database."""
    connection = await asyncpg.connect(url)
    try:
        columns = await connection.fetch(
            "SELECT table_name, column_name, data_type, collation_name, is_nullable "
            "FROM information_schema.columns WHERE table_schema = 'mediasync' "
            "ORDER BY table_name, ordinal_position"
        )
        indexes = await connection.fetch(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'mediasync' ORDER BY indexdef"
        )
        found: dict[str, Any] = {
            "columns": [tuple(row) for row in columns],
            "indexes": [r[0] for r in indexes],
        }
        for table in sorted({row["table_name"] for row in columns}):
            rows = await connection.fetch(f"SELECT * FROM mediasync.{table}")
            found[table] = sorted((dict(row) for row in rows), key=repr)
        return found
    finally:
        await connection.close()


@LASTING_POSTGRES
async def test_an_old_database_on_postgres_is_upgraded(
    url: str, tmp_path: Path, clock: Clock, version: int
) -> None:
    await make_old_postgres(url, version)
    before = await stored(url)
    assert [row["version"] for row in before["schema_version"]] == [version]
    async with MediaSync(url, clock=clock) as ms:
        await assert_as_it_was(ms)
        items = [item async for item in ms.media.iter_media_items("home:movies")]
        report = await ms.media.save_media_items(items, **MOVIES)
        assert items
        assert (report.saved, report.unchanged) == (0, len(items))
        upgraded = await public(ms)
    after = await stored(url)
    assert after["schema_version"] == [{"version": schema.CURRENT_VERSION, "upgraded_at": clock.now}]
    for name in ("library", "credit", "item_external_id", "item_genre", "item_rating", "item_image"):
        assert after[name] == before[name], name
    file = tmp_path / "media.db"
    make_old_file(file, version)
    async with MediaSync(f"sqlite:///{file}") as ms:
        assert await public(ms) == upgraded
    new_url = POSTGRES.new_url(tmp_path)
    async with MediaSync(new_url):
        pass
    new = await stored(new_url)
    assert (after["columns"], after["indexes"]) == (new["columns"], new["indexes"])


@LASTING_POSTGRES
async def test_without_upgrade_an_old_database_on_postgres_is_refused_unchanged(url: str) -> None:
    await make_old_postgres(url)
    before = await stored(url)
    assert "upgrade" in await refused(url, SchemaOutdated, upgrade=False)
    await refused(url, SchemaOutdated, read_only=True)
    assert await stored(url) == before


@LASTING_POSTGRES
async def test_a_newer_database_on_postgres_is_refused_unchanged(url: str) -> None:
    await make_old_postgres(url)
    postgres.server().run("UPDATE mediasync.schema_version SET version = 99", database=urlsplit(url).path[1:])
    before = await stored(url)
    assert "99" in await refused(url, SchemaTooNew)
    assert await stored(url) == before


POSTGRES_BREAKS = {
    "a wrong statement": (artificial("DELETE FROM credit", "CREATE TABLE person (x TEXT)"), DatabaseError),
    "a step that raises": (artificial("DELETE FROM credit", fails=True), RuntimeError),
    "rows that point at nothing": (artificial("DELETE FROM person"), MediaSyncError),
}


@LASTING_POSTGRES
@pytest.mark.parametrize("name", POSTGRES_BREAKS)
async def test_an_upgrade_that_fails_leaves_a_database_on_postgres_as_it_was(
    url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    add, kind = POSTGRES_BREAKS[name]
    await make_old_postgres(url)
    before = await stored(url)
    with monkeypatch.context() as patched:
        add(patched)
        with pytest.raises(kind):
            await MediaSync(url).open()
    assert await stored(url) == before
    async with MediaSync(url) as ms:
        assert (await ms.check()).flaws == ()


@LASTING_POSTGRES
async def test_two_processes_upgrade_a_database_on_postgres_once(url: str) -> None:
    await make_old_postgres(url)
    both = [MediaSync(url), MediaSync(url)]
    await asyncio.gather(*(ms.open() for ms in both))
    try:
        for ms in both:
            assert (await ms.check()).flaws == ()
    finally:
        for ms in both:
            await ms.close()


async def test_a_database_with_views_of_the_user_keeps_working(old: Path, file_url: str) -> None:
    connection = sqlite3.connect(old)
    connection.execute("DROP VIEW people")
    connection.execute("CREATE VIEW people AS SELECT 'an older definition' AS id")
    connection.commit()
    connection.close()
    async with MediaSync(file_url) as ms:
        assert len((await public(ms))["people"]) == 9
    assert ("view", "people") in [(kind, name) for kind, name, _ in shape(old)]


async def test_read_only_of_a_file_in_a_folder_that_others_write(
    file: Path, file_url: str, tmp_path: Path
) -> None:
    async with MediaSync(file_url) as ms:
        await prepared(ms)
        await ms.media.save_media_item(movie(credits=cast("a")), **MOVIES)
        copy = tmp_path / "copy"
        copy.mkdir()
        for path in tmp_path.glob("media.db*"):
            shutil.copy(path, copy / path.name)
    async with MediaSync(f"sqlite:///{copy / 'media.db'}", read_only=True) as ms:
        assert (await ms.media.get_media_item("home:1")).cast[0].person.remote_id == "a"


async def test_the_schema_is_found_with_its_sections() -> None:
    assert len(schema.statements("tables")) > 10
    assert schema.statements("tables", "-- section: tables\nA; -- x\nB;\n\n-- section: views\nC") == [
        "A",
        "B",
    ]
    with pytest.raises(KeyError):
        schema.statements("nothing")
