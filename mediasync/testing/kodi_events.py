"""What a fake Kodi announces at the port of its notifications."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from mediasync.models import MediaItem
from mediasync.testing.announcing import AnnouncesChanges
from mediasync.testing.library import CatalogueChange
from mediasync.vocabulary import MediaType

_TYPES: Final = {MediaType.MOVIE: "movie", MediaType.SHOW: "tvshow", MediaType.EPISODE: "episode"}


class KodiEvents(AnnouncesChanges):
    """Announces items that are added as a scan does, and items that change as a refresh does.

    Kodi announces nothing about seasons.

    Attributes:
        events_port: the port of the notifications, once the server runs.
    """

    events_port: int = 0
    _scanning = False

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.events_port = await self.open_port()
        return self

    def close_listeners(self, code: int = 1001, reason: str = "") -> None:
        """Close the connection of every listener as Kodi 20 does: what closes it is the text of a message."""
        frame = code.to_bytes(2, "big") + reason.encode()
        text = bytes([0x88, len(frame)]) + frame
        for listener in self.listeners:
            listener.send(bytes([0x81, len(text)]) + text)
            listener.drop()

    def number_of(self, item: MediaItem) -> int:
        """Return Kodi's id of an item."""
        raise NotImplementedError

    @contextmanager
    def scan(self) -> Iterator[None]:
        """Let all changes in the body be found by one scan, which is announced before and after it."""
        self._notify("OnScanStarted", None)
        self._scanning = True
        try:
            yield
        finally:
            self._scanning = False
            self._notify("OnScanFinished", None)

    def announce_change(self, change: CatalogueChange) -> None:
        """Announce a change. An item is updated twice: when its details are stored, and when it was added."""
        if change.item.media_type not in _TYPES:
            return
        if change.kind == "added" and not self._scanning:
            with self.scan():
                self.announce_change(change)
            return
        item = {"id": self.number_of(change.item), "type": _TYPES[change.item.media_type]}
        transaction = {"transaction": True} if self._scanning else {}
        if change.kind != "added":
            self._notify("OnRemove", {**item, **transaction})
        if change.kind != "removed":
            self._notify("OnUpdate", {"item": item, **transaction})
            self._notify("OnUpdate", {"item": item, "added": True, **transaction})

    def announce_play(self, item: MediaItem, playcount: int = 1) -> None:
        """Announce that an item was played, which does not change it."""
        place = {"id": self.number_of(item), "type": _TYPES[item.media_type]}
        self._notify("OnUpdate", {"item": place, "playcount": playcount})

    def _notify(self, name: str, data: dict[str, Any] | None) -> None:
        params = {"data": data, "sender": "xbmc"}
        self.announce({"jsonrpc": "2.0", "method": f"VideoLibrary.{name}", "params": params})
