"""Finds out which kind of server answers, if it is not the expected one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from mediasync.backends.transport import Transport

NAMES: Final = {"plex": "a Plex Media Server", "jellyfin": "Jellyfin", "emby": "Emby", "kodi": "Kodi"}


async def find_other_kind(transport: Transport, own: str) -> str | None:
    """Return which other server answers, as the end of "what answers is …"; None if it is not known.

    The requests carry no token.

    Args:
        transport: an open transport.
        own: the expected kind.

    Example::

        if other := await find_other_kind(transport, "plex"):
            raise SourceMismatch("home", f"what answers is {other}")
    """
    kind = await find_kind(transport)
    if kind is None or kind == own:
        return None
    return f'{NAMES[kind]} (write {kind}+{transport.base_url}, or kind = "{kind}")'


async def find_kind(transport: Transport) -> str | None:
    """Return which kind of server answers: ``plex``, ``jellyfin``, ``emby``, ``kodi``; None if none of them.

    The requests carry no token.

    Args:
        transport: an open transport.
    """
    answer = await transport.probe("GET", "/identity")
    if answer is not None and (b"machineIdentifier" in answer.content or "x-plex-protocol" in answer.headers):
        return "plex"
    realm = "" if answer is None else answer.headers.get("www-authenticate", "").lower()
    if "xbmc" in realm or "kodi" in realm:
        return "kodi"
    for prefix in ("", "/emby"):
        info = _object(await transport.probe("GET", f"{prefix}/System/Info/Public"))
        if "Id" in info and "Version" in info:
            return "jellyfin" if str(info.get("ProductName", "")).startswith("Jellyfin") else "emby"
    ping = {"jsonrpc": "2.0", "id": 1, "method": "JSONRPC.Ping"}
    return "kodi" if "jsonrpc" in _object(await transport.probe("POST", "/jsonrpc", ping)) else None


def _object(answer: httpx.Response | None) -> Mapping[str, Any]:
    if answer is None:
        return {}
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, Mapping) else {}
