"""Backups and vacuums: what is in a backup, what is left of one that fails, and what a vacuum gives back."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from support.engines import Engine
from support.items import MOVIES, cast, movie
from support.mirror import public

from mediasync import MediaSync, copy_mirror
from mediasync.errors import (
    ConfigurationError,
    DatabaseError,
    DatabaseReadOnly,
    LifecycleError,
    SourceHeld,
)
from mediasync.testing import FakeBackend, hold_writes

POSIX = pytest.mark.skipif(os.name == "nt", reason="it needs POSIX")


async def fill(ms: MediaSync, first: int, last: int) -> None:
    films = [movie(str(number), credits=cast("a", "b", f"c{number}")) for number in range(first, last)]
    report = await ms.media.save_media_items(films, **MOVIES)
    assert report.saved == len(films)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The path of a backup, in a folder of its own."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "backup.db"


# Backups


async def test_a_backup_holds_what_the_mirror_shows(ms: MediaSync, target: Path) -> None:
    await fill(ms, 0, 20)
    report = await ms.backup(target)
    assert report.path == str(target)
    assert report.bytes == target.stat().st_size > 0
    assert report.newest_change == await ms.newest_change() > 0
    assert not report.replaced
    assert os.listdir(target.parent) == ["backup.db"]
    async with MediaSync(f"sqlite:///{target}", read_only=True) as backup:
        assert await public(backup) == await public(ms)
        assert (await backup.check()).flaws == ()


async def test_a_backup_can_be_restored_and_written_on(
    ms: MediaSync, engine: Engine, target: Path, tmp_path: Path
) -> None:
    await fill(ms, 0, 5)
    shown = await public(ms)
    await ms.backup(target)
    url = engine.new_url(tmp_path / "backups") if engine.lasts else f"sqlite:///{tmp_path / 'restored.db'}"
    await copy_mirror(f"sqlite:///{target}", url)
    async with MediaSync(url) as restored:
        assert await public(restored) == shown
        await fill(restored, 5, 6)
        assert (await restored.check()).flaws == ()


async def test_a_backup_holds_one_moment_while_others_save(ms: MediaSync, target: Path) -> None:
    await fill(ms, 0, 50)
    saving = asyncio.create_task(fill(ms, 50, 250))
    try:
        report = await ms.backup(target)
    finally:
        await saving
    async with MediaSync(f"sqlite:///{target}", read_only=True) as backup:
        assert (await backup.check()).flaws == ()
        assert report.newest_change == await backup.newest_change()
        items = (await public(backup))["media_items"]
    assert 50 <= len(items) <= 250


async def test_a_backup_does_not_wait_for_writes(file_ms: MediaSync, target: Path) -> None:
    with hold_writes(file_ms):
        saving = asyncio.create_task(file_ms.media.save_media_item(movie("1"), **MOVIES))
        await file_ms.backup(target)
        assert not saving.done()
    await saving


async def test_an_existing_file_is_replaced_only_if_that_is_asked_for(ms: MediaSync, target: Path) -> None:
    await fill(ms, 0, 2)
    await ms.backup(target)
    before = target.read_bytes()
    await fill(ms, 2, 4)
    with pytest.raises(ConfigurationError, match=r"exists already; give another file, or --force"):
        await ms.backup(target)
    assert target.read_bytes() == before
    assert (await ms.backup(target, force=True)).replaced
    assert os.listdir(target.parent) == ["backup.db"]
    async with MediaSync(f"sqlite:///{target}", read_only=True) as backup:
        assert len((await public(backup))["media_items"]) == 4


async def test_files_that_no_backup_may_replace(file_ms: MediaSync, file: Path, target: Path) -> None:
    with pytest.raises(ConfigurationError, match="the database itself"):
        await file_ms.backup(file, force=True)
    with pytest.raises(ConfigurationError, match="is a folder"):
        await file_ms.backup(target.parent, force=True)
    with pytest.raises(ConfigurationError, match="create it first"):
        await file_ms.backup(target.parent / "nowhere" / "backup.db")
    async with MediaSync(f"sqlite:///{target}") as other:
        await other.newest_change()
        with pytest.raises(ConfigurationError, match=r"a database in use: backup\.db-wal lies beside it"):
            await file_ms.backup(target, force=True)
    assert (await file_ms.check()).flaws == ()


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640])
async def test_a_backup_has_the_permissions_of_the_database(
    file_ms: MediaSync, file: Path, target: Path, mode: int
) -> None:
    file.chmod(mode)
    await file_ms.backup(target)
    assert stat.S_IMODE(target.stat().st_mode) == mode


async def test_a_cancelled_backup_leaves_nothing(ms: MediaSync, target: Path) -> None:
    await fill(ms, 0, 50)
    await ms.backup(target)
    before = target.read_bytes()
    for turns in (0, 1, 2, 3, 5, 8, 13, 21):
        backing_up = asyncio.create_task(ms.backup(target, force=True))
        for _ in range(turns):
            await asyncio.sleep(0)
        backing_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await backing_up
        assert os.listdir(target.parent) == ["backup.db"]
        assert target.read_bytes() == before
    assert (await ms.check()).flaws == ()


async def test_what_a_killed_backup_left_is_replaced(ms: MediaSync, target: Path) -> None:
    (target.parent / "backup.db.partial").write_bytes(b"half of a backup")
    (target.parent / "backup.db.partial-wal").write_bytes(b"its log")
    await ms.backup(target)
    assert os.listdir(target.parent) == ["backup.db"]


async def test_two_backups_to_one_file_at_once(file_ms: MediaSync, target: Path) -> None:
    await fill(file_ms, 0, 50)
    ended = await asyncio.gather(*(file_ms.backup(target) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in ended if isinstance(one, Exception)] == [DatabaseError]
    assert os.listdir(target.parent) == ["backup.db"]
    async with MediaSync(f"sqlite:///{target}", read_only=True) as backup:
        assert (await backup.check()).flaws == ()


async def test_a_damaged_database_does_not_replace_a_good_backup(
    file_ms: MediaSync, file_url: str, file: Path, target: Path
) -> None:
    await fill(file_ms, 0, 50)
    await file_ms.backup(target)
    before = target.read_bytes()
    await file_ms.close()
    with closing(sqlite3.connect(file)) as raw:
        [(page, size)] = raw.execute(
            "SELECT m.rootpage, p.page_size FROM sqlite_master m, pragma_page_size p WHERE m.name = 'credit'"
        )
    with file.open("r+b") as damaged:
        damaged.seek((page - 1) * size)
        damaged.write(b"\xff" * size)
    async with MediaSync(file_url, read_only=True) as ms:
        with pytest.raises(DatabaseError, match="damaged"):
            await ms.backup(target, force=True)
    assert target.read_bytes() == before
    assert os.listdir(target.parent) == ["backup.db"]


async def test_a_mirror_that_is_closed_makes_no_backup(file_url: str, target: Path) -> None:
    async with MediaSync(file_url) as ms:
        pass
    with pytest.raises(LifecycleError):
        await ms.backup(target)
    assert os.listdir(target.parent) == []


# Vacuums


async def test_a_vacuum_gives_back_and_changes_nothing(ms: MediaSync, engine: Engine) -> None:
    await fill(ms, 0, 400)
    await ms.remove_source("home")
    before = await public(ms)
    report = await ms.vacuum()
    assert report.log_bytes == 0
    if engine.is_sqlite:
        assert report.bytes_after < report.bytes_before
    assert await public(ms) == before
    assert (await ms.check()).flaws == ()


async def test_the_file_is_as_small_as_the_report_says(file_ms: MediaSync, file: Path) -> None:
    await fill(file_ms, 0, 400)
    report = await file_ms.vacuum()
    assert file.stat().st_size == report.bytes_after
    assert Path(f"{file}-wal").stat().st_size == 0
    await fill(file_ms, 400, 402)
    assert (await file_ms.check()).flaws == ()


async def test_saves_wait_for_a_vacuum(file_ms: MediaSync) -> None:
    await fill(file_ms, 0, 100)
    await asyncio.gather(file_ms.vacuum(), fill(file_ms, 100, 200), file_ms.vacuum())
    assert (await file_ms.check()).flaws == ()
    assert len((await public(file_ms))["media_items"]) == 200


async def test_a_log_that_a_reader_needs_stays(file_ms: MediaSync, file: Path) -> None:
    await fill(file_ms, 0, 100)
    with closing(sqlite3.connect(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM credit").fetchall()
        report = await file_ms.vacuum()
    assert report.log_bytes == Path(f"{file}-wal").stat().st_size > 0
    assert (await file_ms.vacuum()).log_bytes == 0


async def test_a_vacuum_is_refused_while_a_sync_runs(ms: MediaSync, engine: Engine) -> None:
    go_on = asyncio.Event()
    backend = FakeBackend({"films": [movie("1"), go_on]})
    syncing = asyncio.create_task(_synced(ms, backend))
    await backend.waiting.wait()
    try:
        if engine.is_sqlite:
            with pytest.raises(SourceHeld, match=r"source 'fake': process .* is syncing it"):
                await ms.vacuum()
        else:
            await ms.vacuum()
    finally:
        go_on.set()
        await syncing
    await ms.vacuum()


async def _synced(ms: MediaSync, backend: FakeBackend) -> None:
    await ms.sync(backend)


async def test_a_mirror_that_only_reads_is_not_vacuumed(ms: MediaSync, engine: Engine, url: str) -> None:
    if not engine.lasts:
        pytest.skip("a database in memory is never opened for reading only")
    async with MediaSync(url, read_only=True) as reader:
        with pytest.raises(DatabaseReadOnly):
            await reader.vacuum()
