"""Settings: which database is used and how it is opened, and how a source is asked over HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from mediasync.errors import ConfigurationError

DATABASE_VARIABLE: Final = "MEDIASYNC_DATABASE"
FILE_MODE_VARIABLE: Final = "MEDIASYNC_FILE_MODE"
PRIVATE: Final = 0o600
"""The permissions of a new database file: its owner alone can read and write it."""

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_OCTAL: Final = re.compile(r"(?:0o?)?([0-7]{3})")
_MISSING_SLASHES: Final = re.compile(r"(?i)(sqlite|postgres|postgresql)(\+\w+)?:")


class DatabaseOptions(BaseModel):
    """How a database is opened and used.

    Attributes:
        readers: connections that are held for reading.
        writers: connections that write at once, each one group of saves; PostgreSQL only, SQLite has one.
        postgres_schema: the PostgreSQL schema that holds the tables.
        lock_timeout: seconds that a write waits for another process's lock before it fails.
        close_timeout: seconds that closing waits for accepted saves and running reads.
        synchronous: SQLite only. ``normal`` survives a crash of the program, and may lose the last commits
            (never the consistency) when the power fails; ``full`` waits for the disk at each commit.
        writer_cache_kib: SQLite only: page cache of the writing connection.
        reader_cache_kib: SQLite only: page cache of each reading connection.
        file_mode: SQLite only: the permissions of a new file, of its log and of copies of it. A file that is
            there keeps its own. ``0o640`` lets its group read it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    readers: int = Field(default=4, ge=1, le=64)
    writers: int = Field(default=2, ge=1, le=64)
    postgres_schema: str = Field(default="mediasync", pattern="^[a-z_][a-z0-9_]{0,62}$")
    lock_timeout: float = Field(default=30.0, ge=0)
    close_timeout: float = Field(default=30.0, ge=0)
    synchronous: Literal["normal", "full"] = "normal"
    writer_cache_kib: int = Field(default=32 * 1024, ge=64)
    reader_cache_kib: int = Field(default=4 * 1024, ge=64)
    file_mode: int = Field(default=PRIVATE, ge=0o600, le=0o777)


class HttpOptions(BaseModel):
    """How a source is asked over HTTP.

    Attributes:
        verify: whether the server's certificate is checked; or the file of the CA that signed it.
        headers: sent with every request; secret like a token.
        connect_timeout: seconds that making a connection may take.
        read_timeout: seconds that the server may be silent in; a whole answer may take three times as long.
        tries: how often a request that may be repeated is sent before it counts as failed.
        concurrency: how many requests are under way at once; None: as fits the kind of source.
        patience: seconds in all that one request waits for a server that starts or asks for fewer requests
            and says how long (``Retry-After``).
        backoff: seconds of the first pause between two tries; each further one is up to twice as long.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    verify: bool | Path = True
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    connect_timeout: float = Field(default=10.0, gt=0)
    read_timeout: float = Field(default=60.0, gt=0)
    tries: int = Field(default=4, ge=1, le=20)
    concurrency: int | None = Field(default=None, ge=1, le=64)
    patience: float = Field(default=120.0, ge=0)
    backoff: float = Field(default=0.5, gt=0, le=30)


def source_variable(source_id: str, setting: str) -> str:
    """Return the name of the variable that says a setting of a source.

    Example:
        >>> source_variable("plex-home", "token")
        'MEDIASYNC_PLEX_HOME_TOKEN'
    """
    return f"MEDIASYNC_{source_id.upper().replace('-', '_')}_{setting.upper()}"


def read_setting(name: str, environ: Mapping[str, str]) -> str | None:
    """Return what the environment sets: the variable *name*, or the content of the file ``{name}_FILE``.

    An empty variable counts as one that is not set.

    Raises:
        ConfigurationError: if both are set, or the file cannot be read.
    """
    value, file = environ.get(name), environ.get(f"{name}_FILE")
    if not file:
        return value or None
    if value:
        raise ConfigurationError(f"{name} and {name}_FILE are both set: set only one of them")
    return read_value(file, f"{name}_FILE")


def read_value(file: str | Path, subject: str) -> str:
    """Return what a file holds, without white space around it.

    Args:
        file: holds one value.
        subject: what it is told of if it cannot be read.

    Raises:
        ConfigurationError: if it cannot be read, or is empty.
    """
    try:
        content = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(
            f"{subject}: {str(file)!r} cannot be read: {error.strerror or error}"
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"{subject}: {str(file)!r} cannot be read: it is no text in UTF-8"
        ) from error
    if not content:
        raise ConfigurationError(f"{subject}: {str(file)!r} is empty")
    return content


def database_url(option: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the URL of the database that was asked for, or None if nothing asks for one.

    Args:
        option: a URL or a plain path; it beats the environment.
        environ: ``MEDIASYNC_DATABASE``, or ``MEDIASYNC_DATABASE_FILE`` with a file that holds it.

    Raises:
        ConfigurationError: if it is none that can be used.

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
            "a database URL has slashes behind its scheme: write sqlite:///media.db or "
            "postgresql://user@host/database"
        )
    return sqlite_url(text)


def file_mode(option: str | None, environ: Mapping[str, str]) -> int | None:
    """Return the permissions that were asked for of a new database file, or None if nothing asks for any.

    Args:
        option: permissions in octal; it beats the environment.
        environ: ``MEDIASYNC_FILE_MODE``, or ``MEDIASYNC_FILE_MODE_FILE`` with a file that holds it.

    Raises:
        ConfigurationError: if they cannot be used.

    Example:
        >>> oct(file_mode(None, {"MEDIASYNC_FILE_MODE": "0640"}))
        '0o640'
    """
    if option is not None:
        return parse_file_mode(option, "--file-mode")
    text = read_setting(FILE_MODE_VARIABLE, environ)
    return None if text is None else parse_file_mode(text, FILE_MODE_VARIABLE)


def parse_file_mode(value: object, subject: str) -> int:
    """Return the permissions of a file that a text in octal, or a number, means.

    Args:
        value: ``"0640"``, ``"640"`` or ``"0o640"``; or the number itself.
        subject: what is named if it cannot be used.

    Raises:
        ConfigurationError: if it cannot be used, or the file's owner could not read and write the file.
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
    """Return the URL of the SQLite database in a file; ``~`` is the user's home.

    Raises:
        ConfigurationError: if the path cannot be one.

    Example:
        >>> sqlite_url("/srv/my films.db")
        'sqlite:////srv/my%20films.db'
    """
    if str(path) == ":memory:":
        return "sqlite:///:memory:"
    try:
        return "sqlite:///" + quote(Path(path).expanduser().as_posix(), safe="/:")
    except UnicodeError as error:
        raise ConfigurationError(
            f"{str(path)!r} cannot be a database: its path is no text in UTF-8"
        ) from error
    except RuntimeError as error:
        raise ConfigurationError(f"{str(path)!r} cannot be a database: {error}") from error


def sqlite_path(url: str) -> Path | None:
    """Return the file of a SQLite database, or None if the URL names none.

    Example:
        >>> sqlite_path("sqlite:///films/media.db").name
        'media.db'
    """
    path = unquote(url.removeprefix("sqlite://").removeprefix("/"))
    return Path(path) if url.startswith("sqlite://") and path not in {"", ":memory:"} else None
