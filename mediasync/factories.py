"""The factories of mediasync's own backends: from the settings of a source to what reads it.

Each backend is imported when one is made: a program that reads folders does not pay for an HTTP client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediasync.backends.base import Backend
from mediasync.settings.source import SourceConfig
from mediasync.settings.source_kinds import BackendContext

if TYPE_CHECKING:
    from mediasync.backends.jellyfin import JellyfinBackend


def make_nfo(config: SourceConfig, _: BackendContext) -> Backend:
    """Return the backend of a folder of NFO files."""
    from mediasync.backends.nfo import NfoBackend

    assert config.folder is not None
    return NfoBackend(config.folder, source=config.source, poll_seconds=config.events_poll)


def make_plex(config: SourceConfig, context: BackendContext) -> Backend:
    """Return the backend of a Plex server."""
    from mediasync.backends.plex import PlexBackend

    assert config.url is not None
    return PlexBackend(
        config.url,
        source=config.source,
        token=config.read_secret("token"),
        options=config.http,
        client_id=context.client_id(),
    )


def make_jellyfin(config: SourceConfig, context: BackendContext) -> Backend:
    """Return the backend of a Jellyfin server."""
    from mediasync.backends.jellyfin import JellyfinBackend

    return _make_jellyfin(JellyfinBackend, config, context)


def make_emby(config: SourceConfig, context: BackendContext) -> Backend:
    """Return the backend of an Emby server."""
    from mediasync.backends.jellyfin import EmbyBackend

    return _make_jellyfin(EmbyBackend, config, context)


def make_kodi(config: SourceConfig, _: BackendContext) -> Backend:
    """Return the backend of a Kodi."""
    from mediasync.backends.kodi import KodiBackend

    assert config.url is not None
    return KodiBackend(
        config.url,
        source=config.source,
        username=config.username,
        password=config.read_secret("password"),
        options=config.http,
        timezone=config.timezone,
    )


def _make_jellyfin(backend: type[JellyfinBackend], config: SourceConfig, context: BackendContext) -> Backend:
    assert config.url is not None
    return backend(
        config.url,
        source=config.source,
        token=config.read_secret("token"),
        username=config.username,
        password=config.read_secret("password"),
        options=config.http,
        client_id=context.client_id(),
        wait_for_scan=config.wait_for_scan,
    )
