"""Which classes implement which protocols. mypy checks this module; nothing runs it.

A class that no longer fits its protocol is an error here, even if no test happens to use the difference.
"""

from __future__ import annotations

from pathlib import Path

from mediasync.backends.base import Backend, NothingStored, ReportsEvents, ReportsWaits, Stored, WaitsForScan
from mediasync.backends.jellyfin import EmbyBackend, JellyfinBackend
from mediasync.backends.kodi import KodiBackend
from mediasync.backends.nfo import NfoBackend
from mediasync.backends.plex import PlexBackend
from mediasync.models import Source
from mediasync.testing import FakeBackend

_PLEX = PlexBackend("http://plex", source=Source(id="plex", kind="plex"), token=None, client_id="typing")
_JELLYFIN = JellyfinBackend("http://jellyfin", source=Source(id="jellyfin", kind="jellyfin"))
_EMBY = EmbyBackend("http://emby", source=Source(id="emby", kind="emby"))
_KODI = KodiBackend("http://kodi", source=Source(id="kodi", kind="kodi"))
_NFO = NfoBackend(Path("films"), source=Source(id="nfo", kind="nfo"))

BACKENDS: tuple[Backend, ...] = (_PLEX, _JELLYFIN, _EMBY, _KODI, _NFO, FakeBackend())
REPORT_WAITS: tuple[ReportsWaits, ...] = (_PLEX, _JELLYFIN, _EMBY, _KODI)
REPORT_EVENTS: tuple[ReportsEvents, ...] = (_PLEX, _JELLYFIN, _EMBY, _KODI)
WAIT_FOR_SCANS: tuple[WaitsForScan, ...] = (_JELLYFIN, _EMBY)
STORED: tuple[Stored, ...] = (NothingStored(),)
