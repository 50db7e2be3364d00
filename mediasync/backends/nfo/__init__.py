"""Folders of NFO files: `NfoBackend`, which is imported when it is used."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediasync.backends.nfo.backend import NfoBackend

__all__ = ["NfoBackend"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name != "NfoBackend":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from mediasync.backends.nfo.backend import NfoBackend

        return NfoBackend
