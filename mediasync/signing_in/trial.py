"""Trying a source before it is written into the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from mediasync.models import Library
from mediasync.settings.source import SourceConfig
from mediasync.source_syncs import make_backend


@dataclass(frozen=True, slots=True)
class Trial:
    """What a source says of itself.

    Attributes:
        name: its name for people; empty if it has none.
        libraries: the libraries that it lets us read.
    """

    name: str
    libraries: tuple[Library, ...]


async def try_source(config: SourceConfig, *, client_id: str | None = None) -> Trial:
    """Open a source, and list its libraries. No item is read.

    Args:
        config: the source.
        client_id: identifies this installation; by default that of `mediasync.settings.installation`.

    Raises:
        ConfigurationError: if the source cannot be used.
        SourceError: if it cannot be opened; the message says why.
    """
    backend = make_backend(config, client_id=client_id)
    async with backend.open():
        return Trial(backend.source.name, tuple(await backend.fetch_libraries()))
