"""The database engines that every contract test runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import postgres


@dataclass(frozen=True)
class Engine:
    """One way of holding a database.

    Attributes:
        name: as the test's id shows it.
        new_url: returns the URL of a database that is not there yet.
        new_mirror_url: returns the URL of one that is quickly made a mirror.
        lasts: whether it can be closed and opened again, and be looked at by a second connection.
    """

    name: str
    new_url: Callable[[Path], str]
    new_mirror_url: Callable[[Path], str]
    lasts: bool

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite, in a file or in memory."""
        return self.name.startswith("sqlite")


def _file(folder: Path) -> str:
    return f"sqlite:///{folder / 'media.db'}"


def _memory(_: Path) -> str:
    return "sqlite:///:memory:"


def _server() -> postgres.Server:
    if reason := postgres.is_available():
        pytest.skip(reason)
    return postgres.server()


SQLITE_FILE = Engine("sqlite-file", _file, _file, lasts=True)
SQLITE_MEMORY = Engine("sqlite-memory", _memory, _memory, lasts=False)
POSTGRES = Engine(
    "postgresql", lambda _: _server().new_database(), lambda _: _server().new_mirror(), lasts=True
)

ENGINES = [SQLITE_FILE, SQLITE_MEMORY, POSTGRES]
