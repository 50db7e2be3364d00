"""Kodi over JSON-RPC."""

from mediasync.backends.kodi.backend import KodiBackend

__all__ = ["KodiBackend"]
