"""The database engines that every contract test runs on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from support import postgres
from support.mirror import Clock

from mediasync import MediaSync


@dataclass(frozen=True)
class Engine:
    """One way of holding a database.

    Attributes:
        name: as the test's id shows it.
        new_url: returns the URL of a database that is not there yet.
        new_mirror_url: returns the URL of one that is quickly made a mirror.
        drop: removes one, unless it goes with the folder of its test.
        lasts: whether it can be closed and opened again, and be looked at by a second connection.
    """

    name: str
    new_url: Callable[[Path], str]
    new_mirror_url: Callable[[Path], str]
    drop: Callable[[str], None]
    lasts: bool

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite, in a file or in memory."""
        return self.name.startswith("sqlite")


def _file(folder: Path) -> str:
    return f"sqlite:///{folder / 'media.db'}"


def _mirror_file(folder: Path) -> str:
    """Write a file with the tables of a mirror, unless there is one: creating them takes half of a set-up."""
    file = folder / "media.db"
    if not file.exists():
        file.touch(0o600)
        file.write_bytes(_mirror())
    return _file(folder)


@cache
def _mirror() -> bytes:
    """Return the file of a mirror in which nothing was stored yet."""

    async def make(url: str) -> None:
        async with MediaSync(url, clock=Clock()):
            pass

    with tempfile.TemporaryDirectory() as folder:
        postgres.in_thread(make(_file(Path(folder))))
        return (Path(folder) / "media.db").read_bytes()


def _memory(_: Path) -> str:
    return "sqlite:///:memory:"


def _goes_with_its_folder(_: str) -> None:
    pass


def _server() -> postgres.Server:
    if reason := postgres.is_available():
        pytest.skip(reason)
    return postgres.server()


SQLITE_FILE = Engine("sqlite-file", _file, _mirror_file, _goes_with_its_folder, lasts=True)
SQLITE_MEMORY = Engine("sqlite-memory", _memory, _memory, _goes_with_its_folder, lasts=False)
POSTGRES = Engine(
    "postgresql",
    lambda _: _server().new_database(),
    lambda _: _server().new_mirror(),
    lambda url: _server().drop(url),
    lasts=True,
)

ENGINES = [SQLITE_FILE, SQLITE_MEMORY, POSTGRES]
