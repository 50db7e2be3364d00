"""Databases of older versions, as the mediasync of that time made them.

``tests/data`` holds a dump of each, for both engines. They are never changed.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import asyncpg

DATA = Path(__file__).parent.parent / "data"
VERSIONS = (5, 6, 7, 8, 9)
OLDEST = VERSIONS[0]


def sqlite_dump(version: int) -> str:
    return (DATA / f"schema_v{version}.sqlite.sql").read_text(encoding="utf-8")


def make_old_file(file: Path, version: int = OLDEST) -> None:
    """Make a SQLite database of an older version, with data, in the journal mode that it had."""
    connection = sqlite3.connect(file)
    try:
        connection.executescript(sqlite_dump(version))
    finally:
        connection.close()


async def make_old_postgres(url: str, version: int = OLDEST, schema: str = "mediasync") -> None:
    """Make the tables of an older version, with data, in an empty PostgreSQL database."""
    dump = (DATA / f"schema_v{version}.postgres.sql").read_text(encoding="utf-8")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(dump)
        if schema != "mediasync":
            await connection.execute(f'ALTER SCHEMA mediasync RENAME TO "{schema}"')
    finally:
        await connection.close()
