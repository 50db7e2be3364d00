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
        lasts: whether it can be closed and opened again, and be looked at by a second connection.
    """

    name: str
    new_url: Callable[[Path], str]
    lasts: bool

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite, in a file or in memory."""
        return self.name.startswith("sqlite")


SQLITE_FILE = Engine("sqlite-file", lambda folder: f"sqlite:///{folder / 'media.db'}", lasts=True)
SQLITE_MEMORY = Engine("sqlite-memory", lambda _: "sqlite:///:memory:", lasts=False)


def _new_postgres(_: Path) -> str:
    if reason := postgres.is_available():
        pytest.skip(reason)
    return postgres.server().new_database()


POSTGRES = Engine("postgresql", _new_postgres, lasts=True)

ENGINES = [SQLITE_FILE, SQLITE_MEMORY, POSTGRES]
