"""mediasync: movie and TV libraries with their full cast and crew, mirrored into one SQL database."""

import logging

from mediasync.app import MediaSync, copy_mirror
from mediasync.cores import one_core_left_free
from mediasync.errors import MediaSyncError
from mediasync.models import (
    AnyMediaItem,
    Credit,
    Episode,
    FilmographyCredit,
    Library,
    LibraryRun,
    MediaItem,
    Movie,
    Person,
    Rating,
    Season,
    Show,
    Source,
    SyncRun,
)
from mediasync.reports import CheckReport, CopyReport, Flaw, SaveReport, SaveResult, SaveStatus, SyncReport
from mediasync.services.running import Sync, SyncAll
from mediasync.sources import SourceConfig
from mediasync.vocabulary import Completeness, MediaType, PersonType, RunStatus, SourceKind

# Whoever uses the package decides where its log goes; without a word from them it goes nowhere.
logging.getLogger(__name__).addHandler(logging.NullHandler())

__all__ = [
    "AnyMediaItem",
    "CheckReport",
    "Completeness",
    "CopyReport",
    "Credit",
    "Episode",
    "FilmographyCredit",
    "Flaw",
    "Library",
    "LibraryRun",
    "MediaItem",
    "MediaSync",
    "MediaSyncError",
    "MediaType",
    "Movie",
    "Person",
    "PersonType",
    "Rating",
    "RunStatus",
    "SaveReport",
    "SaveResult",
    "SaveStatus",
    "Season",
    "Show",
    "Source",
    "SourceConfig",
    "SourceKind",
    "Sync",
    "SyncAll",
    "SyncReport",
    "SyncRun",
    "copy_mirror",
    "one_core_left_free",
]
