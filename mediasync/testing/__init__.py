"""Parts for tests: fake servers, a backend in memory, factories, a recording sink, a clock, held writes.

The fake servers speak real HTTP on loopback. They serve a `Catalogue`, which can be changed while they run,
and answer with faults when told to. Only they need the extra ``testing``: each name is imported when it is
first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mediasync.testing.backend import FakeBackend, Step
    from mediasync.testing.clock import FakeClock
    from mediasync.testing.database import count_waiting_writes, database_of, hold_writes
    from mediasync.testing.emby import FakeEmby
    from mediasync.testing.factories import (
        make_cast,
        make_credit,
        make_episode,
        make_movie,
        make_person,
        make_season,
        make_show,
    )
    from mediasync.testing.faults import Fault
    from mediasync.testing.generator import hard_catalogue, make_catalogue
    from mediasync.testing.jellyfin import FakeJellyfin
    from mediasync.testing.kodi import FakeKodi
    from mediasync.testing.library import Catalogue, CatalogueChange, MediaLibrary
    from mediasync.testing.listeners import Listener
    from mediasync.testing.messages import Request, Response
    from mediasync.testing.plex import FakePlex
    from mediasync.testing.plex_tv import FakePlexTv
    from mediasync.testing.recording import RecordingSink
    from mediasync.testing.server import FakeServer

_HOMES = {
    "Catalogue": "library",
    "CatalogueChange": "library",
    "FakeBackend": "backend",
    "FakeClock": "clock",
    "FakeEmby": "emby",
    "FakeJellyfin": "jellyfin",
    "FakeKodi": "kodi",
    "FakePlex": "plex",
    "FakePlexTv": "plex_tv",
    "FakeServer": "server",
    "Fault": "faults",
    "Listener": "listeners",
    "MediaLibrary": "library",
    "RecordingSink": "recording",
    "Request": "messages",
    "Response": "messages",
    "Step": "backend",
    "count_waiting_writes": "database",
    "database_of": "database",
    "hard_catalogue": "generator",
    "hold_writes": "database",
    "make_cast": "factories",
    "make_catalogue": "generator",
    "make_credit": "factories",
    "make_episode": "factories",
    "make_movie": "factories",
    "make_person": "factories",
    "make_season": "factories",
    "make_show": "factories",
}

__all__ = [
    "Catalogue",
    "CatalogueChange",
    "FakeBackend",
    "FakeClock",
    "FakeEmby",
    "FakeJellyfin",
    "FakeKodi",
    "FakePlex",
    "FakePlexTv",
    "FakeServer",
    "Fault",
    "Listener",
    "MediaLibrary",
    "RecordingSink",
    "Request",
    "Response",
    "Step",
    "count_waiting_writes",
    "database_of",
    "hard_catalogue",
    "hold_writes",
    "make_cast",
    "make_catalogue",
    "make_credit",
    "make_episode",
    "make_movie",
    "make_person",
    "make_season",
    "make_show",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        import importlib

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
