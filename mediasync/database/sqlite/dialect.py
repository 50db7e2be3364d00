"""SQLite's dialect."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from pydantic_core import PydanticSerializationError, to_json

from mediasync.database.session import Params, names_of
from mediasync.errors import (
    DatabaseCorrupt,
    DatabaseError,
    DatabaseLocked,
    DatabaseReadOnly,
    DataError,
    DiskFull,
)

MINIMUM_VERSION: Final = (3, 38, 0)
"""The first SQLite with ``->>`` and with the JSON functions built in."""

_ROWS: Final = re.compile(r"@rows\(:(\w+),([^)]*)\)")
_OF_SEVERAL_WRITERS: Final = re.compile(r"@(?:lock|lockfully|keep|inorder)\(\w+\)")
_LIST: Final = re.compile(r"@list\(:(\w+)\)")
# JSON has no BLOBs, which another program may have stored. The concatenation turns the object into a text:
# an array around it would otherwise contain the object itself.
_ONLY_NULL: Final = re.compile(r"@onlynull\((?:@time\([\w.]+\)|[\w.]+)\) (?:ASC|DESC),")
_TIME: Final = re.compile(r"@time\(([\w.:-]+)\)")
_OBJECT: Final = re.compile(r"@object\(([\w.]+), ([\w.]+)\)")

_ERRORS: Final[dict[str, tuple[type[DatabaseError], str]]] = {
    "SQLITE_BUSY": (DatabaseLocked, "another process holds the lock"),
    "SQLITE_LOCKED": (DatabaseLocked, "another connection holds the lock"),
    "SQLITE_READONLY": (DatabaseReadOnly, "it can only be read"),
    "SQLITE_PERM": (DatabaseReadOnly, "access is not permitted"),
    "SQLITE_FULL": (DiskFull, "the disk is full; free some space and run again"),
    "SQLITE_CORRUPT": (DatabaseCorrupt, "the file is damaged; restore it from a copy"),
    "SQLITE_NOTADB": (DatabaseCorrupt, "the file is not a SQLite database"),
    "SQLITE_CANTOPEN": (DatabaseError, "the file cannot be opened; check its folder and permissions"),
    "SQLITE_IOERR": (DatabaseError, "reading or writing the file failed"),
    "SQLITE_TOOBIG": (DataError, "a value is too long"),
    "SQLITE_CONSTRAINT": (DataError, "a constraint does not hold"),
    "SQLITE_MISMATCH": (DataError, "a value has the wrong type"),
    "SQLITE_RANGE": (DataError, "a parameter is out of range"),
}


class SQLiteDialect:
    """SQL for SQLite. A set of rows travels as one JSON parameter, so a page of rows takes one statement."""

    name = "sqlite"
    integrity_checks: tuple[tuple[str, str], ...] = (
        (
            "integrity",
            "SELECT 'database' AS subject, integrity_check AS reason FROM pragma_integrity_check "
            "WHERE integrity_check <> 'ok'",
        ),
        (
            "foreign keys",
            "SELECT \"table\" || ' ' || coalesce(rowid, '') AS subject, "
            "'refers to a ' || \"parent\" || ' that does not exist' AS reason FROM pragma_foreign_key_check",
        ),
    )

    @staticmethod
    @lru_cache(maxsize=512)
    def translate(sql: str) -> str:
        """Expand the macros with ``json_each``."""
        sql = _OF_SEVERAL_WRITERS.sub("", sql).replace("@clock", ":now").replace("@oneplan", "")
        sql = sql.replace("@entries(", "json_each(")
        sql = sql.replace("@arrays(", "json_group_array(").replace("@array(", "json_array(")
        sql = _OBJECT.sub(r"(json_group_object(CAST(\1 AS text), CAST(\2 AS text)) || '')", sql)
        sql = _ONLY_NULL.sub("", sql)
        sql = _TIME.sub(r"strftime('%Y-%m-%dT%H:%M:%fZ', \1 / 1000.0, 'unixepoch')", sql)
        sql = _LIST.sub(r"(SELECT key AS n, value AS id FROM json_each(:\1))", sql)
        return _ROWS.sub(_expand_rows, sql)

    @staticmethod
    def encode(rows: Sequence[Any]) -> str:
        """Return rows as JSON.

        Raises:
            DataError: if a text contains half of a surrogate pair, or JSON has no such value.
        """
        try:
            return to_json(rows).decode()
        except PydanticSerializationError as error:
            raise DataError(str(error)) from error

    @classmethod
    def encode_params(cls, params: Params | None) -> dict[str, Any]:
        """Return *params* with each list encoded."""
        return {
            name: cls.encode(value) if isinstance(value, list) else value
            for name, value in (params or {}).items()
        }

    @staticmethod
    def continue_numbers(table: str, column: str) -> str | None:
        """Return None: SQLite numbers a new row after the highest one by itself."""
        return None

    @staticmethod
    def translate_error(error: Exception, subject: str) -> DatabaseError | None:
        """Classify an error by its name in SQLite, never by its message."""
        if isinstance(error, OverflowError | UnicodeError | sqlite3.IntegrityError):
            return DataError(f"{subject}: {error}")
        if not isinstance(error, sqlite3.Error):
            return None
        name = getattr(error, "sqlite_errorname", "")
        kind, meaning = _ERRORS.get("_".join(name.split("_")[:2]), (DatabaseError, ""))
        return kind(f"{subject}: {meaning} ({name}: {error})" if meaning else f"{subject}: {error}")


def _expand_rows(match: re.Match[str]) -> str:
    values = ", ".join(f"value ->> {index} AS {name}" for index, name in enumerate(names_of(match[2])))
    return f"(SELECT key AS n, {values} FROM json_each(:{match[1]}))"
