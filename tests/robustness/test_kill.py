"""Killed with SIGKILL at random instants: the database is whole, and every save that returned is there."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from pathlib import Path

import pytest
from robustness_forks import Child, ForkServer
from robustness_world import (
    OLD_VERSION,
    assert_sound,
    make_old_file_with_people,
    plain,
    stored_version,
    url_of,
)

from mediasync import MediaSync
from mediasync.database.schema import CURRENT_VERSION

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("MEDIASYNC_TEST_KILLS", "40"))
KILLS_A_FILE = 6
SEED = int(os.environ.get("MEDIASYNC_TEST_SEED", "0")) or random.SystemRandom().randrange(10**9)


def returned(child: Child) -> dict[str, int]:
    """Return the newest version of each item whose save had returned."""
    told = (line.rsplit(" ", 1) for line in child.lines if " " in line)
    newest: dict[str, int] = {}
    for key, version in told:
        newest[key] = max(newest.get(key, 0), int(version))
    return newest


async def assert_all_there(path: Path, expected: dict[str, int]) -> None:
    """Nothing that had returned is lost, all that is stored is whole, and the database checks clean."""
    async with MediaSync(url_of(path)) as ms:
        await assert_sound(ms)
    connection = plain(path)
    for key, version in expected.items():
        stored = stored_version(connection, key)
        assert stored is not None, f"{key} is lost"
        assert stored >= version, f"{key} has version {stored}, but {version} had returned"
    others = {
        item_id.partition(":")[2] for (item_id,) in connection.execute("SELECT id FROM media_items")
    } - set(expected)
    for key in others:
        assert stored_version(connection, key)
    connection.close()


@pytest.mark.parametrize("moment", ["after some saves", "at any time"])
async def test_killed_while_saving(tmp_path: Path, forks: ForkServer, tell, moment: str) -> None:
    chance = random.Random(SEED)
    survived = kills = 0
    for file in range(-(-KILLS // KILLS_A_FILE // 2)):
        path = tmp_path / f"{file}.db"
        expected: dict[str, int] = {}
        for number in range(KILLS_A_FILE):
            child = forks.run("save_forever", path=str(path), first=number * 10_000, batch=number % 2 * 300)
            if moment == "after some saves":
                child.wait_for_lines(chance.randrange(1, 400))
            # The instant is what is being tried: it is random, and nothing waits for it.
            time.sleep(chance.uniform(0, 0.02 if moment == "after some saves" else 0.15))
            child.kill()
            assert child.wait() == -9, child.errors
            kills += 1
            for key, version in returned(child).items():
                expected[key] = version
            survived = survived + len(child.lines)
            if path.exists():
                await assert_all_there(path, expected)
    assert moment != "after some saves" or survived > kills
    tell(f"SIGKILL {moment}", f"{kills} kills, {survived} saves had returned, none lost (seed {SEED})")


async def test_killed_while_upgrading(tmp_path: Path, forks: ForkServer, tell) -> None:
    chance = random.Random(SEED + 1)
    model = tmp_path / "model.db"
    make_old_file_with_people(model, people=3_000)
    outcomes: list[str] = []
    for number in range(max(4, KILLS // 3)):
        path = tmp_path / f"{number}.db"
        path.write_bytes(model.read_bytes())
        child = forks.run("upgrade", path=str(path))
        child.wait_for_lines(1)
        time.sleep(chance.uniform(0, 0.12))
        child.kill()
        child.wait()
        connection = plain(path)
        [(version,)] = connection.execute("SELECT version FROM schema_version")
        [(words,)] = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'item_word'")
        connection.close()
        assert (version, words) in {(OLD_VERSION, 0), (CURRENT_VERSION, 1)}
        outcomes.append("upgraded" if version == CURRENT_VERSION else "left as it was")
        async with MediaSync(url_of(path)) as ms:
            await assert_sound(ms)
        connection = plain(path)
        assert connection.execute("SELECT count(*) FROM person").fetchall() == [(3_000,)]
        assert connection.execute("SELECT count(*) FROM person_word WHERE word = 'old'").fetchall() == [
            (3_000,)
        ]
        connection.close()
        copies = [file.name for file in tmp_path.glob(f"{number}.db.*backup*")]
        assert len(copies) == 1, "the upgraded database has one copy of what it was"
        for copy in copies:
            # Killed right after the commit, a process has not given the copy its name.
            assert re.fullmatch(rf"{number}\.db\.schema-{OLD_VERSION}\.backup(\.partial)?", copy)
            connection = plain(tmp_path / copy)
            assert connection.execute("SELECT version FROM schema_version").fetchall() == [(OLD_VERSION,)]
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("SELECT count(*) FROM person").fetchall() == [(3_000,)]
            connection.close()
    tell("SIGKILL while upgrading", f"{len(outcomes)} kills, {outcomes.count('upgraded')} after the commit")


async def test_a_part_of_a_copy_is_no_copy(tmp_path: Path) -> None:
    """What a process that was killed while it copied has left is neither kept nor taken for the copy."""
    path = tmp_path / "media.db"
    make_old_file_with_people(path)
    (tmp_path / f"media.db.schema-{OLD_VERSION}.backup.partial").write_bytes(b"half")
    async with MediaSync(url_of(path)) as ms:
        await assert_sound(ms)
    [copy] = tmp_path.glob("*backup*")
    assert copy.name == f"media.db.schema-{OLD_VERSION}.backup"
    assert copy.stat().st_size > 100_000


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("cancelled", 1),
        ("all cancelled", 1),
        ("raising", 1),
        ("exiting", 7),
        ("left open", 0),
        ("left open, raising", 7),
        ("left open at once", 7),
    ],
)
async def test_the_program_ends_in_the_middle_of_a_big_save(
    tmp_path: Path, forks: ForkServer, how: str, code: int
) -> None:
    path = tmp_path / "media.db"
    child = forks.run("be_interrupted", path=str(path), how=how)
    assert child.wait() == code, child.errors
    assert "never awaited" not in child.errors
    assert "was destroyed" not in child.errors
    await assert_all_there(path, {})


@pytest.mark.parametrize("times", [1, 2])
async def test_interrupted_from_the_keyboard(tmp_path: Path, forks: ForkServer, times: int) -> None:
    path = tmp_path / "media.db"
    child = forks.run("be_interrupted", path=str(path), how="interrupted")
    child.wait_for_lines(1)
    for _ in range(times):
        child.kill(signal.SIGINT)
    assert child.wait() != 0
    assert "KeyboardInterrupt" in child.errors
    assert "was destroyed" not in child.errors
    await assert_all_there(path, {})
