"""mediasync: movie and TV libraries with their full cast and crew, mirrored into one SQL database."""

from mediasync.app import MediaSync, copy_mirror
from mediasync.errors import MediaSyncError
from mediasync.models import (
    Credit,
    Episode,
    FilmographyCredit,
    Library,
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
from mediasync.services.sync import Sync
from mediasync.vocabulary import Completeness, MediaType, PersonType, RunStatus, SourceKind

__all__ = [
    "CheckReport",
    "Completeness",
    "CopyReport",
    "Credit",
    "Episode",
    "FilmographyCredit",
    "Flaw",
    "Library",
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
    "SourceKind",
    "Sync",
    "SyncReport",
    "SyncRun",
    "copy_mirror",
]
