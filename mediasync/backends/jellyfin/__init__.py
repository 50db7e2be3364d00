"""The backends for Jellyfin and Emby servers."""

from mediasync.backends.jellyfin.backend import JellyfinBackend
from mediasync.backends.jellyfin.emby import EmbyBackend

__all__ = ["EmbyBackend", "JellyfinBackend"]
