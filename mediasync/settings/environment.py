"""Settings from environment variables, or from the files that they name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mediasync.errors import ConfigurationError

CLIENT_ID_VARIABLE: Final = "MEDIASYNC_CLIENT_ID"
CONFIG_VARIABLE: Final = "MEDIASYNC_CONFIG"
DATABASE_VARIABLE: Final = "MEDIASYNC_DATABASE"
DEBUG_VARIABLE: Final = "MEDIASYNC_DEBUG"
FILE_MODE_VARIABLE: Final = "MEDIASYNC_FILE_MODE"
NOTIFY_URL_VARIABLE: Final = "MEDIASYNC_NOTIFY_URL"
WEB_TOKEN_VARIABLE: Final = "MEDIASYNC_WEB_TOKEN"  # noqa: S105 (a name)
PLEX_TV_VARIABLE: Final = "MEDIASYNC_PLEX_TV"

SETTINGS: Final = (
    "token",
    "username",
    "password",
    "verify",
    "headers",
    "timezone",
    "events_port",
    "include",
    "exclude",
    "compare_days",
    "every",
    "at",
    "events",
    "events_poll",
    "hook_secret",
    "wait_for_scan",
    "connect_timeout",
    "read_timeout",
    "tries",
    "concurrency",
    "patience",
    "backoff",
)
"""The settings of a source that the environment can set: ``MEDIASYNC_<SOURCE>_`` and the name in capitals."""


def source_variable(source_id: str, setting: str) -> str:
    """Return the name of the environment variable for a setting of a source.

    Example:
        >>> source_variable("plex-home", "token")
        'MEDIASYNC_PLEX_HOME_TOKEN'
    """
    return f"MEDIASYNC_{source_id.upper().replace('-', '_')}_{setting.upper()}"


def is_debugging(environ: Mapping[str, str]) -> bool:
    """Return whether the environment asks for tracebacks."""
    return environ.get(DEBUG_VARIABLE, "") not in {"", "0"}


def read_setting(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the value of the variable *name*, or the content of the file that ``{name}_FILE`` names.

    An empty variable counts as unset.

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
    """Return the content of a file, without white space around it.

    Args:
        file: contains one value.
        subject: names the setting in the message of the error.

    Raises:
        ConfigurationError: if the file cannot be read, or is empty.
    """
    try:
        content = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(
            f"{subject}: {str(file)!r} cannot be read: {error.strerror or error}"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"{subject}: {str(file)!r} cannot be read: it is not valid UTF-8") from error
    if not content:
        raise ConfigurationError(f"{subject}: {str(file)!r} is empty")
    return content
