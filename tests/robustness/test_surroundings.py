"""A full disk, a file that cannot be written, is gone or damaged: a clear error, and nothing half written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from robustness_forks import ForkServer
from robustness_world import (
    OLD_VERSION,
    PLACE,
    SOURCE,
    assert_idle,
    assert_sound,
    engine_of,
    furnish,
    make_old_file_with_people,
    movie,
    plain,
    stored_version,
    url_of,
    watched,
)

from mediasync import MediaSync
from mediasync.errors import DatabaseCorrupt, DatabaseError, DatabaseMissing, DiskFull, MediaSyncError

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of three megabytes, apart from the folders that pytest cleans up, as a killed run leaves it."""
    folder = Path(tempfile.mkdtemp(prefix="mediasync-disk-"))
    mount = shutil.which("mount")
    if (
        not mount
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    ):
        folder.rmdir()
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


async def test_a_group_that_does_not_fit_fails_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "media.db"
    async with watched(path) as (ms, outside):
        await ms.media.save_media_item(movie("before"), **PLACE)
        writer = engine_of(ms)._writer
        [(pages,)] = await writer.rows("PRAGMA page_count")
        await writer.rows(f"PRAGMA max_page_count = {pages + 20}")
        taken: list[int] = []

        def items():
            for n in range(50_000):
                taken.append(n)
                yield movie(f"m{n}")

        with pytest.raises(DiskFull, match=r"media\.db.*disk is full"):
            await ms.media.save_media_items(items(), concurrency=500, **PLACE)
        assert len(taken) < 10_000, "more was taken although nothing can be saved"
        assert_idle(ms)
        [(number,)] = outside.execute("SELECT count(*) FROM media_items").fetchall()
        assert number < 500, "more than the first groups, that found room"
        for (item_id,) in outside.execute("SELECT id FROM media_items").fetchall():
            assert stored_version(outside, item_id.partition(":")[2]) == 1
        await assert_sound(ms)
        await writer.rows("PRAGMA max_page_count = 1073741823")
        report = await ms.media.save_media_items([movie(f"m{n}") for n in range(500)], **PLACE)
        assert not report.failed
        await assert_sound(ms)


async def test_a_full_disk(small_disk: Path) -> None:
    path = small_disk / "media.db"
    async with MediaSync(url_of(path)) as ms:
        await furnish(ms)
        await ms.media.save_media_item(movie("before"), **PLACE)
        with pytest.raises(DiskFull, match=r"media\.db.*disk is full"):
            await ms.media.save_media_items((movie(f"m{n}") for n in range(100_000)), **PLACE)
        assert_idle(ms)
        with pytest.raises(DiskFull):
            await ms.media.save_media_item(movie("single", size=20_000), **PLACE)
        item = await ms.media.get_media_item(f"{SOURCE}:before")
        assert len(item.credits) == len(movie("before").credits)
        await assert_sound(ms)
    async with MediaSync(url_of(path)) as ms:
        await assert_sound(ms)


def fill(file: Path, leave: int = 0) -> None:
    """Fill the disk with a file, but for some bytes."""
    room = os.statvfs(file.parent)
    file.write_bytes(bytes(room.f_bavail * room.f_frsize - leave))


async def test_a_new_file_on_a_full_disk(small_disk: Path) -> None:
    filler = small_disk / "filler"
    fill(filler)
    with pytest.raises(DatabaseError, match=r"media\.db"):
        async with MediaSync(url_of(small_disk / "media.db")):
            pass
    filler.unlink()
    async with MediaSync(url_of(small_disk / "media.db")) as ms:
        await furnish(ms)
        await assert_sound(ms)


async def test_no_room_for_the_copy_that_an_upgrade_makes(small_disk: Path) -> None:
    path = small_disk / "media.db"
    make_old_file_with_people(path)
    fill(small_disk / "filler", leave=150_000)
    for _ in range(2):
        with pytest.raises(DiskFull, match=r"media\.db"):
            async with MediaSync(url_of(path)):
                pass
        assert not [*small_disk.glob("*backup*")], "a part of a copy is left"
    connection = plain(path)
    assert connection.execute("SELECT version FROM schema_version").fetchall() == [(OLD_VERSION,)]
    connection.close()
    (small_disk / "filler").unlink()
    async with MediaSync(url_of(path)) as ms:
        await assert_sound(ms)
    assert [file.name for file in small_disk.glob("*backup*")] == [f"media.db.schema-{OLD_VERSION}.backup"]


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to become nobody")
@pytest.mark.parametrize("left", ["closed", "open"])
async def test_a_folder_that_cannot_be_written(public_folder: Path, forks: ForkServer, left: str) -> None:
    path = public_folder / "media.db"
    async with MediaSync(url_of(path), file_mode=0o644) as ms:
        await furnish(ms)
        await ms.media.save_media_item(movie("one"), **PLACE)
        if left == "open":
            child = forks.run("read_as_nobody", path=str(path))
            assert child.wait() == 0, child.errors
    if left == "closed":
        child = forks.run("read_as_nobody", path=str(path))
        assert child.wait() == 0, child.errors
    read, written = child.lines
    people = len({credit.person.remote_id for credit in movie("one").credits})
    assert read == f"people {people}"
    assert written.startswith(("DatabaseReadOnly database", "DatabaseError database")), written
    assert "media.db" in written


@pytest.mark.parametrize("how", ["deleted", "replaced", "moved away"])
async def test_the_file_goes_while_it_is_open(tmp_path: Path, how: str) -> None:
    """A save into a file that nobody will ever find must not be told as saved."""
    path = tmp_path / "media.db"
    other = tmp_path / "other.db"
    async with MediaSync(url_of(other)) as ms:
        await furnish(ms)
    async with MediaSync(url_of(path)) as ms:
        await furnish(ms)
        await ms.media.save_media_item(movie("before"), **PLACE)
        match how:
            case "deleted":
                path.unlink()
            case "replaced":
                other.replace(path)
            case "moved away":
                path.rename(tmp_path / "away.db")
        with pytest.raises(DatabaseMissing, match=r"media\.db.*deleted or replaced"):
            await ms.media.save_media_item(movie("after"), **PLACE)
        with pytest.raises(DatabaseMissing, match=r"media\.db"):
            await ms.media.save_media_items([movie("many")], **PLACE)


async def filled(path: Path) -> None:
    async with MediaSync(url_of(path)) as ms:
        await furnish(ms)
        await ms.media.save_media_items((movie(f"m{n}") for n in range(300)), **PLACE)


@pytest.mark.parametrize("page", [0, 1, 5, 20, 40])
async def test_a_damaged_page(tmp_path: Path, page: int) -> None:
    path = tmp_path / "media.db"
    await filled(path)
    size = 4096
    content = bytearray(path.read_bytes())
    content[page * size + 100 * (not page) : (page + 1) * size] = os.urandom(size - 100 * (not page))
    path.write_bytes(content)
    noticed = 0
    try:
        async with MediaSync(url_of(path)) as ms:
            for work in (
                ms.check,
                lambda: ms.media.save_media_items((movie(f"m{n}", 2) for n in range(300)), **PLACE),
                lambda: ms.people.search("person"),
            ):
                try:
                    result = await work()
                except DatabaseCorrupt as error:
                    assert "media.db" in str(error)  # noqa: PT017
                    noticed += 1
                except MediaSyncError:
                    pass
                else:
                    noticed += bool(getattr(result, "flaws", ()))
            assert_idle(ms)
    except MediaSyncError as error:
        assert "media.db" in str(error)  # noqa: PT017
        noticed += 1
    assert noticed


async def test_a_file_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "media.db"
    await filled(path)
    os.truncate(path, 4096 * 30)
    try:
        async with MediaSync(url_of(path)) as ms:
            report = await ms.check()
    except DatabaseCorrupt as error:
        assert "media.db" in str(error)  # noqa: PT017
    else:
        assert report.flaws


async def test_the_log_of_a_killed_writer_ends_in_garbage(tmp_path: Path, forks: ForkServer) -> None:
    path = tmp_path / "media.db"
    child = forks.run("save_forever", path=str(path), first=0)
    child.wait_for_lines(60)
    child.kill()
    child.wait()
    log = path.with_name("media.db-wal")
    assert log.stat().st_size > 0
    with log.open("ab") as file:
        file.write(os.urandom(10_000))
    async with MediaSync(url_of(path)) as ms:
        await assert_sound(ms)
        connection = plain(path)
        for line in child.lines:
            if " " in line:
                key, version = line.split()
                assert (stored_version(connection, key) or 0) >= int(version)
        connection.close()
        await furnish(ms)
        await ms.media.save_media_item(movie("after"), **PLACE)


async def test_a_killed_writer_can_be_read_at_once(tmp_path: Path, forks: ForkServer) -> None:
    """Read-only, with the log that the killed writer left beside the file."""
    path = tmp_path / "media.db"
    child = forks.run("save_forever", path=str(path), first=0)
    child.wait_for_lines(60)
    child.kill()
    child.wait()
    async with MediaSync(url_of(path), read_only=True) as ms:
        await assert_sound(ms)
        for line in child.lines:
            if " " in line:
                await ms.media.get_media_item(f"{SOURCE}:{line.split()[0]}")


async def test_values_too_long_for_the_database_spoil_only_their_item(tmp_path: Path) -> None:
    async with watched(tmp_path / "media.db") as (ms, _):
        raw = engine_of(ms)._writer.raw
        await raw._execute(raw._conn.setlimit, sqlite3.SQLITE_LIMIT_LENGTH, 100_000)
        items = [movie("1"), movie("bad").model_copy(update={"overview": "x" * 200_000}), movie("2")]
        report = await ms.media.save_media_items(items, **PLACE)
        assert (report.saved, [item_id for item_id, _ in report.failed]) == (2, [f"{SOURCE}:bad"])
