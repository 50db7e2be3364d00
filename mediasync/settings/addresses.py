"""Addresses of servers and folders, and the ids that sources without a name get of them."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mediasync.text import without_secrets
from mediasync.vocabulary import SourceKind

DEFAULT_PORTS: Final = {
    SourceKind.PLEX: 32400,
    SourceKind.JELLYFIN: 8096,
    SourceKind.EMBY: 8096,
    SourceKind.KODI: 8080,
}
"""The port of a server whose URL begins with ``http://`` and names none."""

_NOT_IN_A_URL: Final = re.compile(r"[\s\x00-\x20\x7f\\]")


def server_url(url: str, kind: SourceKind) -> str:
    """Return the address of a server, in one way of writing it.

    Args:
        url: as it was given.
        kind: of the server. With ``http`` and without a port it is `DEFAULT_PORTS`; with ``https`` 443.

    Raises:
        ValueError: if it is none, or holds what does not belong there; the message does not repeat it.

    Example:
        >>> server_url("http://NAS/", SourceKind.JELLYFIN)
        'http://nas:8096'
    """
    if "@" in url:
        raise ValueError(
            "a user name and a password do not belong into a URL: give username, and the password as "
            "MEDIASYNC_<SOURCE>_PASSWORD or in a file"
        )
    if "?" in url or "#" in url or without_secrets(url) != url:
        raise ValueError(
            "a URL takes no '?' and no '#', and a token does not belong into it: give it as "
            "MEDIASYNC_<SOURCE>_TOKEN or in a file"
        )
    if _NOT_IN_A_URL.search(url) or not url.isprintable():
        raise ValueError("the URL holds white space or '\\'")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        # What urllib says repeats what was given.
        raise ValueError("the URL names no host and port that can be: write https://HOST:PORT/BASE") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("the URL names no server: write https://HOST:PORT/BASE")
    if port is None and parts.scheme == "http":
        port = DEFAULT_PORTS[kind]
    place = f"[{host}]" if ":" in host else host
    usual = parts.scheme == "https" and port == 443
    return f"{parts.scheme}://{place}{'' if port is None or usual else f':{port}'}{parts.path.rstrip('/')}"


def server_id(kind: SourceKind, url: str) -> str:
    """Return the id of a server that was given no name.

    It is the kind, the host, the port where it is not the usual one, and the path where there is one.

    Args:
        kind: of the server.
        url: as `server_url` returns it.

    Raises:
        ValueError: if no name can be made of the host.

    Example:
        >>> server_id(SourceKind.JELLYFIN, "https://media.example.com/jellyfin")
        'jellyfin-media-example-com-jellyfin'
        >>> server_id(SourceKind.KODI, "http://127.0.0.1:8081")
        'kodi-127-0-0-1-8081'
    """
    parts = urlsplit(url)
    usual = DEFAULT_PORTS[kind] if parts.scheme == "http" else 443
    port = "" if parts.port in (None, usual) else str(parts.port)
    return "-".join(filter(None, (kind, slug(parts.hostname or "", "host"), port, _slug(parts.path))))


def label(folder: Path) -> str:
    """Return the name of a folder, from wherever it is named.

    Raises:
        ValueError: if there is none.
    """
    try:
        return folder.resolve().name or "root"
    except (OSError, RuntimeError) as error:
        raise ValueError(f"names no folder: {error}") from None


def slug(name: str, what: str) -> str:
    """Return a name as a part of a source's id.

    Args:
        name: of which accents are dropped, and each run of other characters than letters and digits becomes
            one ``-``.
        what: it is the name of.

    Raises:
        ValueError: if nothing is left of it.

    Example:
        >>> slug("Séries (HD)", "folder")
        'series-hd'
    """
    if found := _slug(name):
        return found
    text = "nfo:FOLDER" if what == "folder" else "KIND+URL"
    raise ValueError(f"no name can be made of the {what} {name!r}: give the source one, NAME={text}")


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
