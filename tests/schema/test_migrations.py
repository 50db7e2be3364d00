"""Older, newer and foreign databases: upgraded with a copy, or refused without a change."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from support import postgres
from support.engines import POSTGRES
from support.items import MOVIES, cast, credit, movie
from support.mirror import Clock, prepared, public

from mediasync import Library, MediaSync, MediaSyncError
from mediasync.database import schema
from mediasync.database.postgres.dialect import PostgresDialect
from mediasync.errors import DatabaseCorrupt, DatabaseError, SchemaForeign, SchemaOutdated, SchemaTooNew

V1 = Path(__file__).parent.parent / "data" / "schema_v1.sql"


@pytest.fixture
def old(file: Path) -> Path:
    """A database of schema 1, with data."""
    connection = sqlite3.connect(file)
    connection.executescript(V1.read_text(encoding="utf-8"))
    connection.close()
    return file


def tables(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every table of schema 1."""
    connection = sqlite3.connect(file)
    names = [
        n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
    ]
    found = {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in names}
    connection.close()
    return found


def shape(file: Path) -> list[tuple[str, str, str]]:
    """Return what ``sqlite_master`` says, without comments and white space."""
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    connection.close()
    return [(kind, name, re.sub(r"\s+", "", re.sub(r"--.*", "", sql or ""))) for kind, name, sql in found]


def everything(folder: Path) -> dict[str, str]:
    """Return a hash of each file in a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


async def refused(url: str, kind: type[MediaSyncError], **options: Any) -> str:
    ms = MediaSync(url, **options)
    with pytest.raises(kind) as caught:
        await ms.open()
    assert type(caught.value) is kind
    return str(caught.value)


async def test_an_old_database_is_upgraded_with_a_copy_beside_it(
    old: Path, file_url: str, tmp_path: Path, clock: Clock
) -> None:
    before = tables(old)
    async with MediaSync(file_url, clock=clock) as ms:
        item = await ms.media.get_media_item("home:603")
        assert [one.person.name for one in item.cast] == ["Keanu Reeves", "Laurence Fishburne"]
        assert [one.name for one in await ms.people.search("tau aud")] == ["Audrey Tautou"]
        assert await ms.people.search("o ren") == [], "nobody credits her"
        assert [one.name for one in await ms.people.search("敏")] == ["三船 敏郎"]
        assert (await ms.check()).flaws == ()
    after = tables(old)
    assert after.pop("schema_version") == [(schema.CURRENT_VERSION, clock.now)]
    assert before.pop("schema_version") == [(1, 1_700_000_000_000)]
    assert [row[2] for row in after["person"] if row[8] is not None] == ["home:77"]
    # without the columns that are new
    after["source"] = [row[:-2] for row in after["source"]]
    after["person"] = [row[:8] for row in after["person"]]
    after["sync_run"] = [row[:-3] for row in after["sync_run"]]
    problem = ("remark", "x.mkv", "a video without an NFO file")
    assert before["sync_run_problem"] == [(1, 0, *problem)]
    assert after["run_problem"] == [(1, 1, 0, None, *problem)]
    names = before.keys() - {"sync_run_problem"}
    assert after.keys() & before.keys() == names
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    copy = tmp_path / "media.db.schema-1.backup"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["media.db", copy.name]
    kept = tables(copy)
    assert kept.pop("schema_version") == [(1, 1_700_000_000_000)]
    assert kept == before


async def test_the_copy_can_itself_be_upgraded(old: Path, file_url: str, tmp_path: Path) -> None:
    async with MediaSync(file_url) as ms:
        first = await public(ms)
    copy = tmp_path / "media.db.schema-1.backup"
    async with MediaSync(f"sqlite:///{copy}") as ms:
        assert await public(ms) == first
    assert (tmp_path / "media.db.schema-1.backup.schema-1.backup").exists()


async def test_an_upgraded_database_has_the_shape_of_a_new_one(
    old: Path, file_url: str, tmp_path: Path
) -> None:
    async with MediaSync(file_url):
        pass
    async with MediaSync(f"sqlite:///{tmp_path / 'new.db'}"):
        pass
    assert shape(old) == shape(tmp_path / "new.db")


async def test_an_upgrade_happens_once(old: Path, file_url: str, tmp_path: Path) -> None:
    for _ in range(3):
        async with MediaSync(file_url):
            pass
    assert len(list(tmp_path.glob("*.backup"))) == 1


async def test_a_copy_that_is_there_already_is_not_overwritten(
    old: Path, file_url: str, tmp_path: Path
) -> None:
    precious = tmp_path / "media.db.schema-1.backup"
    precious.write_bytes(b"precious")
    async with MediaSync(file_url):
        pass
    assert precious.read_bytes() == b"precious"
    assert (tmp_path / "media.db.schema-1.1.backup").exists()


async def test_after_an_upgrade_unchanged_items_are_unchanged(old: Path, file_url: str, clock: Clock) -> None:
    async with MediaSync(file_url, clock=clock) as ms:
        before = await public(ms)
        clock.tick()
        items = [item async for item in ms.media.iter_media_items("home:movies")]
        report = await ms.media.save_media_items(items, **MOVIES)
        assert (report.saved, report.unchanged) == (0, 2)
        assert await public(ms) == before


async def test_people_of_nfo_files_are_known_by_their_other_ids_after_an_upgrade(
    old: Path, file_url: str
) -> None:
    connection = sqlite3.connect(old)
    connection.execute(
        "INSERT INTO source (source_key, id, kind, name, created_at, updated_at) "
        "VALUES (9, 'films', 'nfo', '', 1, 1)"
    )
    connection.executemany(
        "INSERT INTO person (source_key, id, name, provider_ids, created_at, updated_at) "
        "VALUES (9, ?, ?, ?, 1, 1)",
        [
            ("films:tmdb:1", "Jo", '{"imdb":"nm1","tmdb":"1"}'),
            ("films:tmdb:2", "Jo", '{"tmdb":"2"}'),
            ("films:tmdb:3", "Ada", '{"tmdb":"3"}'),
            ("films:tmdb:4", "Bo", '{"tmdb":"4"}'),
            ("films:name:bo", "Bo", ""),
        ],
    )
    connection.commit()
    connection.close()
    async with MediaSync(file_url) as ms:
        await ms.media.save_library(Library(id="movies", source_id="films", title="Films", kind="movies"))
        given = [credit(name=name) for name in ("Jo", "Ada", "Bo")]
        given.insert(0, credit(name="J.", provider_ids={"imdb": "nm1"}))
        await ms.media.save_media_item(movie("1", credits=given), library_id="movies", source_id="films")
        found = await ms.people.find_by_media_item("films:1")
        assert [one.person.id for one in found] == [
            "films:tmdb:1",
            "films:name:jo",
            "films:tmdb:3",
            "films:name:bo",
        ]
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


def broken(statements: tuple[str, ...] = (), fill: Any = None) -> Callable[[pytest.MonkeyPatch], None]:
    def change(monkeypatch: pytest.MonkeyPatch) -> None:
        *others, migration = schema.MIGRATIONS
        changed = replace(
            migration,
            statements=(*migration.statements, *statements),
            fills=(*migration.fills, *([fill] if fill else [])),
        )
        monkeypatch.setattr(schema, "MIGRATIONS", (*others, changed))

    return change


async def fails(session: Any) -> None:
    await session.execute("DELETE FROM credit")
    raise RuntimeError("in the middle")


BREAKS = {
    "a wrong statement": (broken(("DELETE FROM credit", "CREATE TABLE person (x)")), DatabaseError),
    "a step that raises": (broken(fill=fails), RuntimeError),
    "rows that point at nothing": (broken(("DELETE FROM person WHERE person_key = 1",)), DatabaseCorrupt),
}


@pytest.mark.parametrize("name", BREAKS)
async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    old: Path, file_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    change, kind = BREAKS[name]
    before, before_shape = tables(old), shape(old)
    with monkeypatch.context() as patched:
        change(patched)
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


async def old_postgres(url: str) -> None:
    """Make a database of schema 1, with data."""
    dialect = PostgresDialect("mediasync", schema.names_in_any_version())
    script = re.sub(r"--.*", "", V1.read_text(encoding="utf-8")).split(";\n")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE SCHEMA mediasync")
        for sql in filter(None, map(str.strip, script)):
            await connection.execute(dialect.translate(sql))
    finally:
        await connection.close()


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
async def test_an_old_database_on_postgres_is_upgraded(url: str, tmp_path: Path, clock: Clock) -> None:
    await old_postgres(url)
    before = await stored(url)
    assert before["schema_version"] == [{"version": 1, "upgraded_at": 1_700_000_000_000}]
    async with MediaSync(url, clock=clock) as ms:
        item = await ms.media.get_media_item("home:603")
        assert [one.person.name for one in item.cast] == ["Keanu Reeves", "Laurence Fishburne"]
        assert await ms.people.search("o ren") == [], "nobody credits her"
        assert [one.name for one in await ms.people.search("敏")] == ["三船 敏郎"]
        assert (await ms.check()).flaws == ()
        items = [item async for item in ms.media.iter_media_items("home:movies")]
        report = await ms.media.save_media_items(items, **MOVIES)
        assert (report.saved, report.unchanged) == (0, 2)
        upgraded = await public(ms)
    after = await stored(url)
    assert after["schema_version"] == [{"version": schema.CURRENT_VERSION, "upgraded_at": clock.now}]
    # The save above has stored fingerprints of the present rule.
    fingerprints = {"item_fingerprint": None, "credits_fingerprint": None}
    for rows in (before["media_item"], after["media_item"]):
        rows[:] = [row | fingerprints for row in rows]
    new = dict.fromkeys(("uncredited_since", "given_by", "replaced"))
    uncredited = {"home:77"}
    before["people"] = [row for row in before["people"] if row["id"] not in uncredited]
    before["person"] = [
        {**row, **new, "uncredited_since": clock.now if row["id"] in uncredited else None}
        for row in before["person"]
    ]
    for run in before["sync_run"]:
        run |= {"owner": None, "selection": "", "series": run["run_key"]}
    [problem] = before.pop("sync_run_problem")
    kept = {name: problem[name] for name in ("position", "kind", "subject", "reason")}
    assert after["run_problem"] == [{"series": 1, "from_run": 1, "until_run": None, **kept}]
    for table in before.keys() - {"columns", "indexes", "schema_version", "source"}:
        assert after[table] == before[table], table
    assert [{**row, "key_blocks": 0, "watermark": None} for row in before["source"]] == after["source"]
    file = tmp_path / "media.db"
    connection = sqlite3.connect(file)
    connection.executescript(V1.read_text(encoding="utf-8"))
    connection.close()
    async with MediaSync(f"sqlite:///{file}") as ms:
        assert await public(ms) == upgraded
    new_url = POSTGRES.new_url(tmp_path)
    async with MediaSync(new_url):
        pass
    new = await stored(new_url)
    assert (after["columns"], after["indexes"]) == (new["columns"], new["indexes"])


@LASTING_POSTGRES
async def test_without_upgrade_an_old_database_on_postgres_is_refused_unchanged(url: str) -> None:
    await old_postgres(url)
    before = await stored(url)
    assert "upgrade" in await refused(url, SchemaOutdated, upgrade=False)
    await refused(url, SchemaOutdated, read_only=True)
    assert await stored(url) == before


@LASTING_POSTGRES
async def test_a_newer_database_on_postgres_is_refused_unchanged(url: str) -> None:
    await old_postgres(url)
    postgres.server().run("UPDATE mediasync.schema_version SET version = 99", database=urlsplit(url).path[1:])
    before = await stored(url)
    assert "99" in await refused(url, SchemaTooNew)
    assert await stored(url) == before


POSTGRES_BREAKS = {
    "a wrong statement": (broken(("DELETE FROM credit", "CREATE TABLE person (x TEXT)")), DatabaseError),
    "a step that raises": (broken(fill=fails), RuntimeError),
    "rows that point at nothing": (broken(("DELETE FROM person WHERE person_key = 1",)), MediaSyncError),
}


@LASTING_POSTGRES
@pytest.mark.parametrize("name", POSTGRES_BREAKS)
async def test_an_upgrade_that_fails_leaves_a_database_on_postgres_as_it_was(
    url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    change, kind = POSTGRES_BREAKS[name]
    await old_postgres(url)
    before = await stored(url)
    with monkeypatch.context() as patched:
        change(patched)
        with pytest.raises(kind):
            await MediaSync(url).open()
    assert await stored(url) == before
    async with MediaSync(url) as ms:
        assert (await ms.check()).flaws == ()


@LASTING_POSTGRES
async def test_two_processes_upgrade_a_database_on_postgres_once(url: str) -> None:
    await old_postgres(url)
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
        assert len((await public(ms))["people"]) == 6 or (await public(ms))["people"]
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
