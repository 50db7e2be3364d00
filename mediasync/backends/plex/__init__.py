"""The backend for Plex Media Server."""

from mediasync.backends.plex.backend import PlexBackend

__all__ = ["PlexBackend"]
