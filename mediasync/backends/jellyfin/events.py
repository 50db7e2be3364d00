"""The events of Jellyfin and Emby: what their messages hint at, and listening to them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

from mediasync.backends.sockets import Socket
from mediasync.backends.waiting_hints import LONGEST_KEY, WaitingHints
from mediasync.hints import Hint, HintKind

_KEEP_ALIVE: Final = {"MessageType": "KeepAlive"}
_SHORTEST_KEEP_ALIVE: Final = 0.1
_LONGEST_KEEP_ALIVE: Final = 3600.0
_UUID: Final = re.compile(r"[0-9a-fA-F]{32}")
_FOLDERS: Final = ("FoldersAddedTo", "FoldersRemovedFrom", "CollectionFolders")


def parse_hints(message: Any) -> list[Hint]:
    """Return what a message hints at. Pure; whatever is not understood hints at nothing.

    ``LibraryChanged`` alone is about the library. Its lists name folders, too; libraries are left out here,
    because they are not items. If nothing but folders is named, the whole source is hinted at.

    Args:
        message: the decoded message.

    Example:
        >>> data = {"ItemsAdded": ["0f1e2d3c4b5a69788796a5b4c3d2e1f0"], "ItemsRemoved": []}
        >>> [hint] = parse_hints({"MessageType": "LibraryChanged", "Data": data})
        >>> hint.kind, hint.remote_ids
        (<HintKind.CHANGED: 'changed'>, ('0f1e2d3c4b5a69788796a5b4c3d2e1f0',))
    """
    if not isinstance(message, Mapping) or message.get("MessageType") != "LibraryChanged":
        return []
    data = message.get("Data")
    if not isinstance(data, Mapping):
        return []
    libraries = set(_keys(data, "CollectionFolders"))
    changed = dict.fromkeys([*_keys(data, "ItemsAdded"), *_keys(data, "ItemsUpdated")])
    removed = dict.fromkeys(_keys(data, "ItemsRemoved"))
    hints = []
    for kind, keys in ((HintKind.CHANGED, changed), (HintKind.REMOVED, removed)):
        if items := tuple(key for key in keys if key not in libraries):
            hints.append(Hint(kind, items))
    if not hints and (changed or removed or any(_keys(data, name) for name in _FOLDERS)):
        return [Hint(HintKind.SOURCE)]
    return hints


def find_keep_alive(message: Any) -> float | None:
    """Return after how many seconds of silence the server closes the connection; None if it does not say.

    Example:
        >>> find_keep_alive({"MessageType": "ForceKeepAlive", "Data": 60})
        60.0
    """
    if not isinstance(message, Mapping) or message.get("MessageType") != "ForceKeepAlive":
        return None
    seconds = message.get("Data")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    return min(max(float(seconds), _SHORTEST_KEEP_ALIVE), _LONGEST_KEEP_ALIVE)


async def read_events(socket: Socket, waiting: WaitingHints) -> None:
    """Read messages and add what they hint at, until the connection is lost.

    The server says how long it puts up with silence (``ForceKeepAlive``), and a message ``KeepAlive`` is sent
    after half of that, again and again.

    Raises:
        SourceError: as `Socket.read` says.
    """
    waiting.begin()
    async with AsyncExitStack() as keeping:
        while True:
            message = await socket.read()
            if (seconds := find_keep_alive(message)) is not None:
                await keeping.aclose()
                await keeping.enter_async_context(socket.repeating(_KEEP_ALIVE, seconds / 2))
            waiting.add(parse_hints(message))
            await asyncio.sleep(0)  # a server that floods does not stop other work


def _keys(data: Mapping[str, Any], name: str) -> list[str]:
    """Return the ids in a list as the backend writes them: those of Jellyfin have 32 small hex digits."""
    values = data.get(name)
    keys = []
    for value in values if isinstance(values, list) else ():
        key = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        short = key.replace("-", "")
        if _UUID.fullmatch(short):
            key = short.lower()
        if key.isascii() and key.isalnum() and len(key) <= LONGEST_KEY:
            keys.append(key)
    return keys
