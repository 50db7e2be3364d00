"""The events of Kodi: what its notifications hint at, and listening to them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from mediasync.backends.kodi.kinds import EPISODES, MOVIES, SEASONS, SHOWS
from mediasync.backends.kodi.rpc import PATH
from mediasync.backends.kodi.values import parse_id
from mediasync.backends.sockets import open_socket, ping_seconds
from mediasync.backends.transport import Transport
from mediasync.backends.waiting_hints import WaitingHints
from mediasync.hints import Hint, HintKind

_KINDS: Final = {"movie": MOVIES, "tvshow": SHOWS, "season": SEASONS, "episode": EPISODES}
_OTHERS: Final = (
    *("Application", "AudioLibrary", "GUI", "Input", "Other", "PVR", "Player", "Playlist", "System"),
)
_ONLY_THE_LIBRARY: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "JSONRPC.SetConfiguration",
    "params": {"notifications": dict.fromkeys(_OTHERS, False)},
}

# Kodi 20 answers the ping of a WebSocket with a text message of two bytes that are not even text. So it is
# asked for an answer by a call.
_PING: Final = {"jsonrpc": "2.0", "id": 2, "method": "JSONRPC.Ping"}
_LARGEST_ID: Final = 2**31 - 1


class KodiEvents:
    """Follows the notifications of one Kodi, and says what they hint at. Pure.

    What changes in a scan or a cleaning is part of a transaction. It becomes one hint about the whole source,
    at the end of the scan or cleaning. A change of the play count hints at nothing.

    Example:
        >>> data = {"item": {"id": 7, "type": "movie"}, "added": True}
        >>> update = {"method": "VideoLibrary.OnUpdate", "params": {"sender": "xbmc", "data": data}}
        >>> [hint] = KodiEvents().parse_hints(update)
        >>> hint.kind, hint.remote_ids
        (<HintKind.CHANGED: 'changed'>, ('movie/7',))
    """

    def __init__(self) -> None:
        self._has_changes = False
        self._begun: set[str] = set()

    def parse_hints(self, message: Any) -> list[Hint]:
        """Return what a message hints at; whatever is not understood hints at nothing.

        Args:
            message: the decoded message. They are to be given in their order.
        """
        if not isinstance(message, Mapping):
            return []
        params = message.get("params")
        data = params.get("data") if isinstance(params, Mapping) else None
        match message.get("method"):
            case "VideoLibrary.OnUpdate":
                return self._changed(data, HintKind.CHANGED)
            case "VideoLibrary.OnRemove":
                return self._changed(data, HintKind.REMOVED)
            case "VideoLibrary.OnScanStarted" | "VideoLibrary.OnCleanStarted" as method:
                self._begun.add(method.removesuffix("Started"))
            case "VideoLibrary.OnScanFinished" | "VideoLibrary.OnCleanFinished" as method:
                return self._finished(method.removesuffix("Finished"))
            case "VideoLibrary.OnRefresh":
                return [Hint(HintKind.SOURCE)]
        return []

    def _changed(self, data: Any, kind: HintKind) -> list[Hint]:
        if not isinstance(data, Mapping):
            return []
        item = data.get("item", data)
        name = item.get("type") if isinstance(item, Mapping) else None
        found = _KINDS.get(name) if isinstance(name, str) else None
        if found is None or ("playcount" in data and data.get("added") is not True):
            return []
        if data.get("transaction") is True:
            self._has_changes = True
            return []
        number = parse_id(item, "id")
        return [Hint(kind, (f"{found.name}/{number}",))] if 0 < number <= _LARGEST_ID else []

    def _finished(self, what: str) -> list[Hint]:
        """Return the hint at the end of a scan or cleaning; none if all was heard, and nothing changed."""
        has_changes = self._has_changes or what not in self._begun
        self._has_changes = False
        self._begun.discard(what)
        return [Hint(HintKind.SOURCE)] if has_changes else []


async def read_events(transport: Transport, port: int, waiting: WaitingHints) -> None:
    """Read notifications and add what they hint at, until the connection is lost.

    Raises:
        SourceError: as `open_socket` says.
    """
    events, seconds = KodiEvents(), ping_seconds(transport.options)
    async with (
        open_socket(transport, PATH, port=port, pings=False) as socket,
        socket.repeating(_PING, seconds),
    ):
        # Kodi announces everything to everybody until it is told otherwise.
        await socket.send(_ONLY_THE_LIBRARY)
        waiting.begin()
        while True:
            message = await socket.read(within=seconds + transport.options.read_timeout)
            waiting.add(events.parse_hints(message))
            await asyncio.sleep(0)  # a server that floods does not stop other work
