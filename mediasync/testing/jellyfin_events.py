"""What a fake Jellyfin or Emby sends over its WebSocket."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any

from mediasync.models import MediaItem
from mediasync.testing.announcing import AnnouncesChanges
from mediasync.testing.jellyfin_rows import digest
from mediasync.testing.library import CatalogueChange, parent_of
from mediasync.testing.listeners import Listener

_LISTS = {"added": "ItemsAdded", "updated": "ItemsUpdated", "removed": "ItemsRemoved"}
_FOLDERS = {"added": "FoldersAddedTo", "removed": "FoldersRemovedFrom"}


class JellyfinEvents(AnnouncesChanges):
    """Gathers changes, and reports them after some time of calm, to users but not to API keys.

    Attributes:
        calm_seconds: for how long nothing may change before the changes are reported. A real server waits 30
            (``LibraryUpdateDuration``).
        keep_alive_seconds: after how long a silent client is disconnected.
    """

    calm_seconds: float = 0.01
    keep_alive_seconds: float = 60
    _sent = 0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._gathered: dict[str, dict[str, None]] = {}
        self._calm: asyncio.TimerHandle | None = None
        self._patience: dict[Listener, asyncio.TimerHandle] = {}

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._calm is not None:
            self._calm.cancel()
        await super().__aexit__(kind, error, trace)

    def item_id(self, key: str) -> str:
        """Return the server's id of the item with this key in the catalogue."""
        raise NotImplementedError

    def library_id(self, key: str) -> str:
        """Return the server's id of a library."""
        raise NotImplementedError

    def announce_change(self, change: CatalogueChange) -> None:
        """Gather a change, and begin to wait for calm anew."""
        library = self.library_id(change.library.id)
        self._note(_LISTS[change.kind], self.item_id(change.item.remote_id))
        self._note("CollectionFolders", library)
        if folders := _FOLDERS.get(change.kind):
            self._note(folders, self._folder_of(change.item, library))
            self._note("ItemsUpdated", library)
        if self._calm is not None:
            self._calm.cancel()
        self._calm = asyncio.get_running_loop().call_later(self.calm_seconds, self._report)

    def is_told(self, listener: Listener) -> bool:
        """Return whether a listener is a user."""
        return bool(listener.user)

    def listened(self, listener: Listener) -> None:
        """Tell a client how long it may be silent."""
        listener.send(self._message("ForceKeepAlive", self.keep_alive_seconds))
        self._be_patient(listener)

    def heard(self, listener: Listener, message: str) -> None:
        """Answer a client that says that it is still there."""
        if json.loads(message).get("MessageType") == "KeepAlive":
            listener.send(self._message("KeepAlive"))
            self._be_patient(listener)

    def left(self, listener: Listener) -> None:
        """Forget a client."""
        self._patience.pop(listener).cancel()

    def _be_patient(self, listener: Listener) -> None:
        if listener in self._patience:
            self._patience[listener].cancel()
        loop = asyncio.get_running_loop()
        self._patience[listener] = loop.call_later(self.keep_alive_seconds, listener.drop)

    def _folder_of(self, item: MediaItem, library: str) -> str:
        parent = parent_of(item)
        return library if parent is None else self.item_id(parent)

    def _note(self, name: str, key: str) -> None:
        self._gathered.setdefault(name, {})[key] = None

    def _report(self) -> None:
        names = ("FoldersAddedTo", "FoldersRemovedFrom", *_LISTS.values(), "CollectionFolders")
        data: dict[str, Any] = {name: list(self._gathered.get(name, ())) for name in names}
        self._gathered = {}
        self.announce(json.loads(self._message("LibraryChanged", {**data, "IsEmpty": False})))

    def _message(self, kind: str, data: Any = None) -> str:
        self._sent += 1
        message = {"MessageId": digest("message", self._sent), "Data": data, "MessageType": kind}
        return json.dumps({name: value for name, value in message.items() if value is not None})
