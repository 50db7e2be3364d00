"""URLs of PostgreSQL databases."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from mediasync.errors import ConfigurationError

_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def parse_url(url: str) -> tuple[dict[str, Any], str]:
    """Return the driver's options, and the name of the database in messages, without secrets.

    Raises:
        ConfigurationError: if the URL cannot be read, or has an unknown parameter.

    Example:
        >>> parse_url("postgresql://me:secret@db:5433/media")[1]
        'database postgresql://db:5433/media'
    """
    parts, port = _split(url)
    options = _options_of_query(parts.query)
    if parts.username is not None:
        options["user"] = unquote(parts.username)
    if parts.password is not None:
        options["password"] = unquote(parts.password)
    if database := unquote(parts.path.removeprefix("/")):
        options["database"] = database
    host = options.setdefault("host", parts.hostname or "localhost")
    if port:
        options.setdefault("port", port)
    return options, f"database postgresql://{host}{f':{port}' if port else ''}/{database}"


def _split(url: str) -> tuple[SplitResult, int | None]:
    """Return the parts of a URL, and its port."""
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")
        # An "@" behind the host, for example, is the end of a password that contains a slash.
        readable = "@" not in parts.path + parts.query and not parts.fragment
    except ValueError:
        readable = False
    if not readable:  # the message quotes nothing, because any part may belong to the password
        raise ConfigurationError(
            "the database URL cannot be read: write postgresql://user:password@host:port/database, and "
            "encode everything but letters and digits in the user and the password as %XX (/ as %2F)"
        )
    return parts, port


def _options_of_query(query: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in parse_qsl(query):
        if name == "host":
            options["host"] = value
        elif name == "port" and value.isdigit():
            options["port"] = int(value)
        elif name == "sslmode":
            if value not in _SSL_MODES:
                raise ConfigurationError(f"sslmode must be one of {', '.join(_SSL_MODES)}")
            options["ssl"] = value
        elif name == "application_name":
            options["server_settings"] = {name: value}
        else:
            raise ConfigurationError(
                f"a PostgreSQL URL takes no {name!r}: only host, port, sslmode and application_name"
            )
    return options
