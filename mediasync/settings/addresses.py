"""Addresses of servers and folders, and the ids of sources that were given no name."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mediasync.text import without_secrets

_NOT_IN_A_URL: Final = re.compile(r"[\s\x00-\x20\x7f\\]")


def server_url(url: str, default_port: int | None = None) -> str:
    """Return the address of a server in canonical form.

    Args:
        url: as it was given.
        default_port: the port of an ``http://`` URL that has none. Without one the URL stays without a port.

    Raises:
        ValueError: if it is not the address of a server, or contains a password or a token; the message does
            not repeat it.

    Example:
        >>> server_url("http://NAS/", 8096)
        'http://nas:8096'
    """
    if not isinstance(url, str):
        raise ValueError("the URL is not a text: write https://HOST:PORT/BASE")  # noqa: TRY004
    if "@" in url:
        raise ValueError(
            "a user name and a password do not belong in a URL: give username, and the password as "
            "MEDIASYNC_<SOURCE>_PASSWORD or in a file"
        )
    if "?" in url or "#" in url or without_secrets(url) != url:
        raise ValueError(
            "a URL must not contain '?', '#' or a token: give the token as MEDIASYNC_<SOURCE>_TOKEN or in a "
            "file"
        )
    if _NOT_IN_A_URL.search(url) or not url.isprintable():
        raise ValueError("the URL contains white space or '\\'")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        # The message of urllib repeats what was given.
        raise ValueError("the URL has no valid host and port: write https://HOST:PORT/BASE") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("the URL does not name a server: write https://HOST:PORT/BASE")
    if port is None and parts.scheme == "http":
        port = default_port
    place = f"[{host}]" if ":" in host else host
    usual = parts.scheme == "https" and port == 443
    return f"{parts.scheme}://{place}{'' if port is None or usual else f':{port}'}{parts.path.rstrip('/')}"


def server_id(kind: str, url: str, default_port: int | None) -> str:
    """Return the id of a server that was given no name.

    It is made of the kind, the host, the port unless it is the default, and the path.

    Args:
        kind: the name of the kind of source.
        url: as `server_url` returns it.
        default_port: the port of the kind.

    Raises:
        ValueError: if nothing is left of the host's name.

    Example:
        >>> server_id("jellyfin", "https://media.example.com/jellyfin", 8096)
        'jellyfin-media-example-com-jellyfin'
        >>> server_id("kodi", "http://127.0.0.1:8081", 8080)
        'kodi-127-0-0-1-8081'
    """
    parts = urlsplit(url)
    usual = default_port if parts.scheme == "http" else 443
    port = "" if parts.port in (None, usual) else str(parts.port)
    host = _required_slug(parts.hostname or "", "host", "KIND+URL")
    return "-".join(filter(None, (kind, host, port, slug(parts.path))))


def label(folder: Path) -> str:
    """Return the name of a folder, also if it is given as ``.``.

    Raises:
        ValueError: if the path cannot be resolved.
    """
    try:
        return folder.resolve().name or "root"
    except (OSError, RuntimeError) as error:
        raise ValueError(f"is not the path of a folder: {error}") from None


def folder_id(kind: str, name: str) -> str:
    """Return the id of a folder that was given no name: the kind and the folder's own name.

    Accents are dropped, and each run of characters other than letters and digits becomes one ``-``.

    Raises:
        ValueError: if nothing is left of the folder's name.

    Example:
        >>> folder_id("nfo", "Séries (HD)")
        'nfo-series-hd'
    """
    return f"{kind}-{_required_slug(name, 'folder', f'{kind}:FOLDER')}"


def _required_slug(name: str, what: str, how_to_write: str) -> str:
    if found := slug(name):
        return found
    raise ValueError(f"no name can be made of the {what} {name!r}: give it a name, NAME={how_to_write}")


def slug(name: str) -> str:
    """Return a name as lower-case letters, digits and ``-``; empty if nothing is left of it.

    Example:
        >>> slug("Séries (HD)")
        'series-hd'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
