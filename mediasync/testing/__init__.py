"""Fake media servers over real HTTP on loopback, for tests of code that syncs.

They serve a `Catalogue`, which you can change while they run, and can answer with faults. They need the extra
``testing``.
"""

from mediasync.testing.emby import FakeEmby
from mediasync.testing.faults import Fault
from mediasync.testing.generator import hard_catalogue, make_catalogue
from mediasync.testing.jellyfin import FakeJellyfin
from mediasync.testing.kodi import FakeKodi
from mediasync.testing.library import Catalogue, MediaLibrary
from mediasync.testing.messages import Request, Response
from mediasync.testing.plex import FakePlex
from mediasync.testing.server import FakeServer

__all__ = [
    "Catalogue",
    "FakeEmby",
    "FakeJellyfin",
    "FakeKodi",
    "FakePlex",
    "FakeServer",
    "Fault",
    "MediaLibrary",
    "Request",
    "Response",
    "hard_catalogue",
    "make_catalogue",
]
