"""An explicit upgrade: what it reports, what it keeps, and what it refuses."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.engines import Engine
from support.mirror import public, write
from support.old_databases import VERSIONS, make_old_file, make_old_postgres

from mediasync import MediaSync, upgrade_mirror
from mediasync.database.schema import CURRENT_VERSION
from mediasync.errors import DatabaseMissing, SchemaForeign, SchemaOutdated, SchemaTooNew


def version_in(file: Path) -> int:
    with closing(sqlite3.connect(file)) as raw:
        [(version,)] = raw.execute("SELECT version FROM schema_version")
    return version


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_old_file_is_upgraded_once_and_kept(file: Path, file_url: str, version: int) -> None:
    make_old_file(file, version)
    checked = await upgrade_mirror(file_url, dry_run=True)
    assert (checked.before, checked.after, checked.dry_run) == (version, CURRENT_VERSION, True)
    assert checked.is_needed
    assert version_in(file) == version
    with pytest.raises(SchemaOutdated, match=f"has schema {version}.*run `mediasync upgrade`"):
        async with MediaSync(file_url, read_only=True):
            pass
    done = await upgrade_mirror(file_url)
    assert (done.before, done.after, done.dry_run) == (version, CURRENT_VERSION, False)
    assert done.backup == f"{file}.schema-{version}.backup"
    assert version_in(Path(done.backup)) == version
    assert version_in(file) == CURRENT_VERSION
    again = await upgrade_mirror(file_url)
    assert (again.is_needed, again.backup) == (False, None)
    async with MediaSync(file_url, read_only=True) as ms:
        assert (await ms.check()).flaws == ()


async def test_without_a_copy(file: Path, file_url: str) -> None:
    make_old_file(file)
    assert (await upgrade_mirror(file_url, backup=False)).backup is None
    assert not [name for name in os.listdir(file.parent) if "backup" in name]
    assert version_in(file) == CURRENT_VERSION


@pytest.mark.postgres
async def test_an_old_database_on_postgres_is_upgraded(tmp_path: Path) -> None:
    from support.engines import POSTGRES

    url = POSTGRES.new_url(tmp_path)
    await make_old_postgres(url, 8)
    assert (await upgrade_mirror(url, dry_run=True)).is_needed
    done = await upgrade_mirror(url)
    assert (done.before, done.after, done.backup) == (8, CURRENT_VERSION, None)
    assert not (await upgrade_mirror(url, dry_run=True)).is_needed


async def test_a_current_database_stays_as_it_is(ms: MediaSync, engine: Engine, url: str) -> None:
    if not engine.lasts:
        pytest.skip("a database in memory is always new")
    before = await public(ms)
    report = await upgrade_mirror(url)
    assert (report.before, report.after, report.is_needed) == (CURRENT_VERSION, CURRENT_VERSION, False)
    assert await public(ms) == before


async def test_a_newer_database_is_refused(ms: MediaSync, engine: Engine, url: str) -> None:
    if not engine.lasts:
        pytest.skip("a database in memory is always new")
    await write(ms, "UPDATE schema_version SET version = 99")
    for dry_run in (True, False):
        with pytest.raises(SchemaTooNew, match="upgrade mediasync to use it"):
            await upgrade_mirror(url, dry_run=dry_run)


async def test_no_database_is_created(engine: Engine, url: str, tmp_path: Path) -> None:
    before = os.listdir(tmp_path)
    with pytest.raises(DatabaseMissing):
        await upgrade_mirror(url)
    assert os.listdir(tmp_path) == before


async def test_a_foreign_file_is_refused(file: Path, file_url: str) -> None:
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("CREATE TABLE note (text TEXT)")
    with pytest.raises(SchemaForeign):
        await upgrade_mirror(file_url)
