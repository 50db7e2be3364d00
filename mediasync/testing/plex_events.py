"""What a fake Plex sends over its WebSocket, or as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mediasync.testing.announcing import AnnouncesChanges
from mediasync.testing.library import CatalogueChange
from mediasync.testing.listeners import Listener
from mediasync.testing.plex_entries import epoch
from mediasync.vocabulary import MediaType

STREAM: Final = "/:/eventsource/notifications"
_TYPES: Final = {MediaType.MOVIE: 1, MediaType.SHOW: 2, MediaType.SEASON: 3, MediaType.EPISODE: 4}
_STATES: Final = {
    0: "created",
    1: "queued",
    2: "matching",
    3: "loading",
    4: "processing",
    5: "",
    9: "deleted",
}
_WITH_AGENT: Final = (0, 1, 2, 3, 4, 5)
_WITHOUT_AGENT: Final = (0, 1)
_DELETED: Final = 9
_PROCESSED: Final = 5


class PlexEvents(AnnouncesChanges):
    """Reports each step of the work on an item.

    Attributes:
        notification_paths: at which paths clients can listen.
        without_agent: the ids of libraries without an agent, whose items are never reported as processed.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.notification_paths = {"/:/websockets/notifications", "/:/websocket/notifications", STREAM}
        self.without_agent: set[str] = set()
        self._streams: set[Listener] = set()

    def announce_change(self, change: CatalogueChange) -> None:
        """Report the steps of a change: a new item, a refreshed one, or one that was deleted."""
        if change.kind == "removed":
            self._announce_state(change, _DELETED)
            return
        if change.kind == "added":
            without_agent = change.library.id in self.without_agent
            for state in _WITHOUT_AGENT if without_agent else _WITH_AGENT:
                self._announce_state(change, state)
            return
        for event, progress in (("started", 0), ("updated", 50), ("ended", 100)):
            self._announce_refresh(change, event, progress)
        self._announce_state(change, _PROCESSED)

    def stream_listener(self) -> Listener:
        """Return a listener that gets server-sent events."""
        listener = Listener()
        self._streams.add(listener)
        return listener

    def listened(self, listener: Listener) -> None:
        """Begin a stream with a sign of life."""
        if listener in self._streams:
            listener.send("event: ping\ndata: {}\n\n")

    def left(self, listener: Listener) -> None:
        """Forget a client."""
        self._streams.discard(listener)

    def encode(self, listener: Listener, message: Mapping[str, Any]) -> str:
        """Return a message: whole for a WebSocket; for a stream each entry as an event of its own."""
        if listener not in self._streams:
            return super().encode(listener, message)
        container = message["NotificationContainer"]
        name = {"timeline": "TimelineEntry", "activity": "ActivityNotification"}[container["type"]]
        return "".join(
            f"event: {container['type']}\ndata: {json.dumps({name: entry})}\n\n" for entry in container[name]
        )

    def _announce_state(self, change: CatalogueChange, state: int) -> None:
        entry = {
            "identifier": "com.plexapp.plugins.library",
            "sectionID": change.library.id,
            "itemID": change.item.remote_id,
            "type": _TYPES[change.item.media_type],
            "title": change.item.title,
            "state": state,
            "metadataState": _STATES[state],
            "updatedAt": epoch(change.item.changed_at),
        }
        entries = [{name: value for name, value in entry.items() if value not in (None, "")}]
        self.announce({"NotificationContainer": {"type": "timeline", "size": 1, "TimelineEntry": entries}})

    def _announce_refresh(self, change: CatalogueChange, event: str, progress: int) -> None:
        activity = {
            "uuid": f"activity-{change.item.remote_id}",
            "type": "library.refresh.items",
            "cancellable": False,
            "userID": 1,
            "title": "Refreshing",
            "subtitle": change.item.title,
            "progress": progress,
            "Context": {"key": f"/library/metadata/{change.item.remote_id}"},
        }
        notification = {"event": event, "uuid": activity["uuid"], "Activity": activity}
        container = {"type": "activity", "size": 1, "ActivityNotification": [notification]}
        self.announce({"NotificationContainer": container})
