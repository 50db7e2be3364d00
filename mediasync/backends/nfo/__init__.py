"""Folders of NFO files: `NfoBackend`."""

from mediasync.backends.nfo.backend import NfoBackend

__all__ = ["NfoBackend"]
