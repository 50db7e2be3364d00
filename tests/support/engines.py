"""The database engines that every contract test runs on. PostgreSQL will be one more entry of `ENGINES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


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


SQLITE_FILE = Engine("sqlite-file", lambda folder: f"sqlite:///{folder / 'media.db'}", lasts=True)
SQLITE_MEMORY = Engine("sqlite-memory", lambda _: "sqlite:///:memory:", lasts=False)

ENGINES = [SQLITE_FILE, SQLITE_MEMORY]
