"""The files of a SQLite database: who may read them, what replaces them, what damages them."""

from __future__ import annotations

import asyncio
import os
import random
import stat
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.items import MOVIES, cast, movie
from support.mirror import prepared, second_connection
from support.old_databases import OLDEST, make_old_file

from mediasync import MediaSync
from mediasync.errors import DatabaseError, DatabaseMissing, MediaSyncError, SchemaForeign

pytestmark = pytest.mark.slow


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize(("options", "mode"), [({}, 0o600), ({"file_mode": 0o640}, 0o640)])
async def test_only_its_owner_may_read_a_new_file(
    tmp_path: Path, file_url: str, options: dict[str, Any], mode: int
) -> None:
    async with MediaSync(file_url, **options) as ms:
        await prepared(ms)
        assert set(modes(tmp_path)) == {"media.db", "media.db-wal", "media.db-shm"}
        assert set(modes(tmp_path).values()) == {mode}


@pytest.mark.usefixtures("open_umask")
async def test_a_file_that_is_there_keeps_its_permissions_and_its_copy_gets_them(
    tmp_path: Path, file: Path, file_url: str
) -> None:
    make_old_file(file)
    file.chmod(0o640)
    async with MediaSync(file_url):
        pass
    assert modes(tmp_path) == {"media.db": 0o640, f"media.db.schema-{OLDEST}.backup": 0o640}


async def test_upgrades_that_fail_leave_no_copy(tmp_path: Path, file: Path, file_url: str) -> None:
    async with MediaSync(file_url):
        pass
    with second_connection(file) as connection:
        connection.execute("UPDATE schema_version SET version = 5")  # so that the tables are there already
    for _ in range(3):
        with pytest.raises(DatabaseError):
            await MediaSync(file_url).open()
    assert [path.name for path in tmp_path.iterdir()] == ["media.db"]


async def test_reads_and_saves_say_alike_that_the_file_was_replaced(
    tmp_path: Path, file: Path, file_url: str
) -> None:
    other = tmp_path / "other.db"
    async with MediaSync(f"sqlite:///{other}") as ms:
        await prepared(ms)
    async with MediaSync(file_url) as ms:
        await prepared(ms)
        await ms.media.save_media_item(movie(), **MOVIES)
        other.rename(file)
        calls: tuple[Callable[[], Awaitable[Any]], ...] = (
            lambda: ms.media.get_media_item("home:1"),
            lambda: ms.people.search("a"),
            lambda: ms.media.save_media_item(movie("2"), **MOVIES),
            lambda: ms.check(),
        )
        for call in calls:
            with pytest.raises(DatabaseMissing, match="deleted or replaced while it was open"):
                await call()


@pytest.mark.parametrize("version", ["'five'", "NULL", "-3", "0", "2.5", "x'00'"])
async def test_a_schema_version_that_is_none_is_a_named_error(
    file: Path, file_url: str, version: str
) -> None:
    async with MediaSync(file_url):
        pass
    with second_connection(file) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name LIKE '%version'"
        )
    with second_connection(file) as connection:
        connection.execute(f"UPDATE schema_version SET version = {version}")
    for read_only in (False, True):
        with pytest.raises(SchemaForeign, match="does not say which schema"):
            await MediaSync(file_url, read_only=read_only).open()


DAMAGED = 150
TESTS = Path(__file__).parent.parent


async def _use(url: str) -> None:
    """Do with a mirror what programs do; every operation works or gives an error of this package."""

    async def tolerated(call: Callable[[], Awaitable[Any]]) -> None:
        with suppress(MediaSyncError):
            await call()

    async def iterate() -> None:
        async for _ in ms.media.iter_media_items("home:movies"):
            pass

    ms = MediaSync(url, close_timeout=5)
    try:
        await ms.open()
    except MediaSyncError:
        return
    try:
        for call in (
            lambda: ms.media.list_sources(),
            lambda: ms.media.list_libraries(),
            lambda: ms.list_runs(),
            lambda: ms.list_library_runs(),
            lambda: ms.media.get_media_item("home:7"),
            lambda: ms.media.find_by_title("Movie 7"),
            lambda: ms.media.find_by_provider_id("imdb", "tt7"),
            lambda: ms.media.count_by_library(),
            lambda: ms.media.find_change_tokens("home:movies"),
            lambda: ms.people.search("person"),
            lambda: ms.people.filmography("home:p7"),
            iterate,
            lambda: ms.media.save_media_items(
                [movie(str(n), credits=cast("p7", "new")) for n in range(9)], **MOVIES
            ),
            lambda: ms.media.save_media_item(movie("new", credits=cast("p7")), **MOVIES),
            lambda: ms.media.save_media_people("home:7", cast("p1")),
            lambda: ms.people.delete("home:p9"),
            lambda: ms.media.delete_media_item("home:8"),
            lambda: ms.check(),
        ):
            await tolerated(call)
    finally:
        await tolerated(ms.close)


def _damage(content: bytes, seed: int) -> bytes:
    """Return a file with flipped bits, a page of zeros, or cut off; the header is spared in most."""
    rng = random.Random(seed)
    damaged = bytearray(content)
    first = 0 if seed % 10 == 0 else 100
    match seed % 4:
        case 0 | 1:
            for _ in range(rng.choice([1, 3, 30, 300])):
                damaged[rng.randrange(first, len(damaged))] ^= 1 << rng.randrange(8)
        case 2:
            page = 4096 * rng.randrange(0 if first == 0 else 1, len(damaged) // 4096)
            damaged[page : page + 4096] = bytes(4096)
        case _:
            del damaged[rng.randrange(first, len(damaged)) :]
    return bytes(damaged)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a database with some rows in every table."""
    file = tmp_path_factory.mktemp("sound") / "media.db"

    async def fill() -> None:
        async with MediaSync(f"sqlite:///{file}") as ms:
            await prepared(ms)
            items = [
                movie(
                    str(number),
                    year=1990,
                    genres=["Drama"],
                    ratings=[{"name": "imdb", "value": 7}],
                    images={"poster": "/p"},
                    provider_ids={"imdb": f"tt{number}"},
                    credits=cast(*(f"p{(number + n) % 60}" for n in range(8))),
                )
                for number in range(60)
            ]
            await ms.media.save_media_items(items, **MOVIES)

    asyncio.run(fill())
    return file.read_bytes()


@pytest.mark.parametrize("part", range(5))
def test_a_damaged_file_works_or_gives_a_named_error(sound: bytes, tmp_path: Path, part: int) -> None:
    for seed in range(part, DAMAGED, 5):
        file = tmp_path / f"{seed}.db"
        file.write_bytes(_damage(sound, seed))
        try:
            asyncio.run(asyncio.wait_for(_use(f"sqlite:///{file}"), 60))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
