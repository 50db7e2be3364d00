"""The settings of the database: its URL and how it is opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote, unquote

from mediasync.errors import ConfigurationError
from mediasync.settings.environment import DATABASE_VARIABLE, FILE_MODE_VARIABLE, read_setting

PRIVATE: Final = 0o600
"""The permissions of a new database file: only its owner can read and write it."""

IN_MEMORY: Final = ":memory:"
"""The name of a SQLite database that is not stored in a file."""

_SCHEMA: Final = re.compile("[a-z_][a-z0-9_]{0,62}")
_OCTAL: Final = re.compile(r"(?:0o?)?([0-7]{3})")
_MISSING_SLASHES: Final = re.compile(r"(?i)(sqlite|postgres|postgresql)(\+\w+)?:")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseOptions:
    """How a database is opened and used.

    Attributes:
        readers: the number of connections for reading.
        writers: PostgreSQL only: the number of connections for writing. SQLite has one.
        postgres_schema: the PostgreSQL schema that holds the tables.
        lock_timeout: seconds that a write waits for another process's lock before it fails.
        close_timeout: seconds that closing waits for accepted saves and running reads.
        synchronous: SQLite only. ``normal`` survives a crash of the program; a power failure may lose the
            last commits, but does not damage the database. ``full`` waits for the disk at each commit.
        writer_cache_kib: SQLite only: the size of the writing connection's page cache.
        reader_cache_kib: SQLite only: the size of each reading connection's page cache.
        keep_changes: days for which changes are kept in the change log.
        keep_removed: days for which items are kept that their source no longer has. Each sync deletes those
            of its source that were missing for longer; with ``math.inf`` it deletes none.
        lease_seconds: how long the lease of a source lasts. A sync renews it three times as often. After a
            sync has died on another host, others wait this long.
        file_mode: SQLite only: the permissions of a new file, its log and its copies. An existing file keeps
            its permissions. ``0o640`` lets the group read it.

    Raises:
        ConfigurationError: if an option cannot be used.
    """

    readers: int = 4
    writers: int = 2
    postgres_schema: str = "mediasync"
    lock_timeout: float = 30.0
    close_timeout: float = 30.0
    synchronous: Literal["normal", "full"] = "normal"
    writer_cache_kib: int = 32 * 1024
    reader_cache_kib: int = 4 * 1024
    keep_changes: float = 400
    keep_removed: float = 7
    lease_seconds: float = 60.0
    file_mode: int = PRIVATE

    def __post_init__(self) -> None:
        flaws = [
            f"{name} must be {limits}, not {getattr(self, name)!r}"
            for name, (is_valid, limits) in _LIMITS.items()
            if not is_valid(getattr(self, name))
        ]
        if flaws:
            raise ConfigurationError(f"options of the database: {'; '.join(flaws)}")


def _whole(low: int, high: float = inf) -> Callable[[object], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _is_length_of_time(value: object) -> bool:
    return type(value) in (int, float) and value >= 0  # type: ignore[operator]


_LIMITS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "readers": (_whole(1, 64), "a whole number from 1 to 64"),
    "writers": (_whole(1, 64), "a whole number from 1 to 64"),
    "postgres_schema": (
        lambda value: isinstance(value, str) and _SCHEMA.fullmatch(value) is not None,
        "at most 63 lower-case letters, digits and '_', and not begin with a digit",
    ),
    "lock_timeout": (_is_length_of_time, "a number of seconds, 0 or more"),
    "close_timeout": (_is_length_of_time, "a number of seconds, 0 or more"),
    "synchronous": (lambda value: value in ("normal", "full"), "'normal' or 'full'"),
    "writer_cache_kib": (_whole(64), "a whole number of 64 or more"),
    "reader_cache_kib": (_whole(64), "a whole number of 64 or more"),
    "keep_changes": (_is_length_of_time, "a number of days, 0 or more"),
    "keep_removed": (_is_length_of_time, "a number of days, 0 or more"),
    "lease_seconds": (
        lambda value: type(value) in (int, float) and 0.1 <= value <= 86_400,  # type: ignore[operator]
        "a number of seconds from 0.1 to 86400",
    ),
    "file_mode": (_whole(0o600, 0o777), "from 0o600 to 0o777"),
}
"""What each option may be: the check, and the words for it."""


def database_url(option: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the configured URL of the database, or None if none is configured.

    Args:
        option: a URL or a plain path; it overrides the environment.
        environ: ``MEDIASYNC_DATABASE`` has the URL, or ``MEDIASYNC_DATABASE_FILE`` names a file with it.

    Raises:
        ConfigurationError: if the URL cannot be used.

    Example:
        >>> database_url("films/media.db", {"MEDIASYNC_DATABASE": "sqlite:///other.db"})
        'sqlite:///films/media.db'
    """
    text = option if option is not None else read_setting(DATABASE_VARIABLE, environ)
    if text is None:
        return None
    if not text.strip():
        raise ConfigurationError(
            "the database has no name: give a URL (sqlite:///media.db) or a path (media.db)"
        )
    if "://" in text:
        return text
    if _MISSING_SLASHES.match(text):
        raise ConfigurationError(
            "a database URL has slashes after its scheme: write sqlite:///media.db or "
            "postgresql://user@host/database"
        )
    return sqlite_url(text)


def file_mode(option: str | None, environ: Mapping[str, str]) -> int | None:
    """Return the configured permissions of a new database file, or None if none are configured.

    Args:
        option: permissions in octal; they override the environment.
        environ: ``MEDIASYNC_FILE_MODE`` has them, or ``MEDIASYNC_FILE_MODE_FILE`` names a file with them.

    Raises:
        ConfigurationError: if the permissions cannot be used.

    Example:
        >>> oct(file_mode(None, {"MEDIASYNC_FILE_MODE": "0640"}))
        '0o640'
    """
    if option is not None:
        return parse_file_mode(option, "--file-mode")
    text = read_setting(FILE_MODE_VARIABLE, environ)
    return None if text is None else parse_file_mode(text, FILE_MODE_VARIABLE)


def parse_file_mode(value: object, subject: str) -> int:
    """Return permissions from a text in octal, or from a number.

    Args:
        value: ``"0640"``, ``"640"`` or ``"0o640"``; or the number itself.
        subject: names the setting in the message of the error.

    Raises:
        ConfigurationError: if the value is not valid, or the owner could not read and write the file.
    """
    octal = _OCTAL.fullmatch(value.strip()) if isinstance(value, str) else None
    mode = int(octal[1], 8) if octal else value
    if not isinstance(mode, int) or not PRIVATE <= mode <= 0o777:
        raise ConfigurationError(
            f"{subject}: {value!r} cannot be the permissions of a database: write them in octal, "
            '"0640" to let its group read it'
        )
    return mode


def sqlite_url(path: str | Path) -> str:
    """Return the URL of the SQLite database in a file. ``~`` stands for the user's home.

    Raises:
        ConfigurationError: if the path cannot be used.

    Example:
        >>> sqlite_url("/srv/my films.db")
        'sqlite:////srv/my%20films.db'
    """
    if str(path) == IN_MEMORY:
        return f"sqlite:///{IN_MEMORY}"
    try:
        return "sqlite:///" + quote(Path(path).expanduser().as_posix(), safe="/:")
    except UnicodeError as error:
        raise ConfigurationError(
            f"{str(path)!r} cannot be a database: its path is not valid UTF-8"
        ) from error
    except RuntimeError as error:
        raise ConfigurationError(f"{str(path)!r} cannot be a database: {error}") from error


def sqlite_path(url: str) -> Path | None:
    """Return the file of a SQLite database; None if it has no file, or the URL is that of another engine.

    Example:
        >>> sqlite_path("sqlite:///films/media.db").name
        'media.db'
    """
    name = sqlite_name(url)
    return None if name in {None, IN_MEMORY} else Path(str(name))


def sqlite_name(url: str) -> str | None:
    """Return what SQLite calls a database: its path, or `IN_MEMORY`; None for another engine.

    Example:
        >>> sqlite_name("sqlite:////srv/my%20films.db"), sqlite_name("sqlite://")
        ('/srv/my films.db', ':memory:')
    """
    if not url.startswith("sqlite://"):
        return None
    return unquote(url.removeprefix("sqlite://").removeprefix("/")) or IN_MEMORY
