"""The factories of mediasync's own backends: from the settings of a source to what reads it.

Each backend is imported when one is made: a program that reads folders does not pay for an HTTP client.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mediasync.backends.base import Backend, PictureSource
from mediasync.errors import ConfigurationError
from mediasync.settings.environment import read_value
from mediasync.settings.plex_hosts import plex_hosts
from mediasync.settings.source import SourceConfig
from mediasync.settings.source_kinds import BackendContext

if TYPE_CHECKING:
    from mediasync.backends.jellyfin import JellyfinBackend
    from mediasync.backends.plex.tokens import DeviceTokens


def make_nfo(config: SourceConfig, _: BackendContext) -> Backend:
    """Return the backend of a folder of NFO files."""
    from mediasync.backends.nfo import NfoBackend

    assert config.folder is not None
    return NfoBackend(config.folder, source=config.source, poll_seconds=config.events_poll)


def make_plex(config: SourceConfig, context: BackendContext) -> Backend:
    """Return the backend of a Plex server."""
    from mediasync.backends.plex import PlexBackend

    assert config.url is not None
    client_id, token = context.client_id(), config.read_secret("token")
    return PlexBackend(
        config.url,
        source=config.source,
        token=token,
        tokens=None if config.key_file is None else _make_tokens(config, config.key_file, token, client_id),
        options=config.http,
        client_id=client_id,
    )


def _make_tokens(config: SourceConfig, key_file: Path, token: str | None, client_id: str) -> DeviceTokens:
    from mediasync.backends.plex.cloud import PlexCloud
    from mediasync.backends.plex.device_key import DeviceKey
    from mediasync.backends.plex.tokens import DeviceTokens

    subject = f"key_file of source {config.id!r}"
    try:
        key = DeviceKey.parse(read_value(key_file, subject))
    except ConfigurationError as error:
        text = str(error) if subject in str(error) else f"{subject}: {str(key_file)!r}: {error}"
        raise ConfigurationError(text, source_id=config.id) from error
    cloud = PlexCloud(plex_hosts(os.environ), client_id, config.id)
    return DeviceTokens(cloud, key, token, config.token_file)


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
        events_port=config.events_port,
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


def make_nfo_pictures(config: SourceConfig, _: BackendContext) -> PictureSource:
    """Return what reads the pictures of a folder of NFO files."""
    from mediasync.backends.nfo.pictures import NfoPictures

    assert config.folder is not None
    return NfoPictures(config.folder, config.id)


def make_plex_pictures(config: SourceConfig, context: BackendContext) -> PictureSource:
    """Return what fetches the pictures of a Plex server."""
    from mediasync.backends.plex.pictures import PlexPictures

    assert config.url is not None
    client_id, token = context.client_id(), config.read_secret("token")
    return PlexPictures(
        config.url,
        config.id,
        token=token,
        tokens=None if config.key_file is None else _make_tokens(config, config.key_file, token, client_id),
        client_id=client_id,
        options=config.http,
    )


def make_jellyfin_pictures(config: SourceConfig, _: BackendContext) -> PictureSource:
    """Return what fetches the pictures of a Jellyfin server."""
    from mediasync.backends.jellyfin.pictures import JellyfinPictures

    assert config.url is not None
    return JellyfinPictures(config.url, config.id, options=config.http)


def make_emby_pictures(config: SourceConfig, _: BackendContext) -> PictureSource:
    """Return what fetches the pictures of an Emby server."""
    from mediasync.backends.jellyfin.pictures import EmbyPictures

    assert config.url is not None
    return EmbyPictures(config.url, config.id, token=config.read_secret("token"), options=config.http)


def make_kodi_pictures(config: SourceConfig, _: BackendContext) -> PictureSource:
    """Return what fetches the pictures of a Kodi."""
    from mediasync.backends.kodi.pictures import KodiPictures

    assert config.url is not None
    return KodiPictures(
        config.url,
        config.id,
        username=config.username,
        password=config.read_secret("password"),
        options=config.http,
    )
