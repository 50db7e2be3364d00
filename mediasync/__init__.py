"""mediasync: movie and TV libraries with their full cast and crew, mirrored into one SQL database."""

from __future__ import annotations

# Names are imported when they are first used, so that the command can handle Ctrl-C before the rest of the
# package is imported. Type checkers know this constant by its name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from mediasync.app import MediaSync, copy_mirror
    from mediasync.changes import Change, WriteContext
    from mediasync.errors import MediaSyncError
    from mediasync.filters import Credited, Facet, ItemFilter, ItemSort, PersonFilter
    from mediasync.history import CreditChange, CreditChangeKind, Difference, FieldChange, HistoryEntry
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
    from mediasync.reports import (
        CheckReport,
        CopyReport,
        Counts,
        Failure,
        Flaw,
        LibraryCounts,
        RemovedSource,
        RenamedSource,
        SaveReport,
        SaveResult,
        SaveStatus,
        SourceSummary,
        SyncCounts,
        SyncReport,
    )
    from mediasync.settings.source import SourceConfig
    from mediasync.summaries import ItemSummary, Page, PersonSummary
    from mediasync.syncing.handles import Sync, SyncAll
    from mediasync.vocabulary import (
        ChangeKind,
        Completeness,
        EntityKind,
        MediaType,
        PersonType,
        RunStatus,
        SourceKind,
    )

_HOMES = {
    "AnyMediaItem": "mediasync.models",
    "Change": "mediasync.changes",
    "ChangeKind": "mediasync.vocabulary",
    "CheckReport": "mediasync.reports",
    "Completeness": "mediasync.vocabulary",
    "CopyReport": "mediasync.reports",
    "Counts": "mediasync.reports",
    "Credit": "mediasync.models",
    "CreditChange": "mediasync.history",
    "CreditChangeKind": "mediasync.history",
    "Credited": "mediasync.filters",
    "Difference": "mediasync.history",
    "EntityKind": "mediasync.vocabulary",
    "Episode": "mediasync.models",
    "Facet": "mediasync.filters",
    "Failure": "mediasync.reports",
    "FieldChange": "mediasync.history",
    "FilmographyCredit": "mediasync.models",
    "Flaw": "mediasync.reports",
    "HistoryEntry": "mediasync.history",
    "ItemFilter": "mediasync.filters",
    "ItemSort": "mediasync.filters",
    "ItemSummary": "mediasync.summaries",
    "Library": "mediasync.models",
    "LibraryCounts": "mediasync.reports",
    "LibraryRun": "mediasync.models",
    "MediaItem": "mediasync.models",
    "MediaSync": "mediasync.app",
    "MediaSyncError": "mediasync.errors",
    "MediaType": "mediasync.vocabulary",
    "Movie": "mediasync.models",
    "Page": "mediasync.summaries",
    "Person": "mediasync.models",
    "PersonFilter": "mediasync.filters",
    "PersonSummary": "mediasync.summaries",
    "PersonType": "mediasync.vocabulary",
    "Rating": "mediasync.models",
    "RemovedSource": "mediasync.reports",
    "RenamedSource": "mediasync.reports",
    "RunStatus": "mediasync.vocabulary",
    "SaveReport": "mediasync.reports",
    "SaveResult": "mediasync.reports",
    "SaveStatus": "mediasync.reports",
    "Season": "mediasync.models",
    "Show": "mediasync.models",
    "Source": "mediasync.models",
    "SourceConfig": "mediasync.settings.source",
    "SourceKind": "mediasync.vocabulary",
    "SourceSummary": "mediasync.reports",
    "Sync": "mediasync.syncing.handles",
    "SyncAll": "mediasync.syncing.handles",
    "SyncCounts": "mediasync.reports",
    "SyncReport": "mediasync.reports",
    "SyncRun": "mediasync.models",
    "WriteContext": "mediasync.changes",
    "copy_mirror": "mediasync.app",
}

__all__ = [
    "AnyMediaItem",
    "Change",
    "ChangeKind",
    "CheckReport",
    "Completeness",
    "CopyReport",
    "Counts",
    "Credit",
    "CreditChange",
    "CreditChangeKind",
    "Credited",
    "Difference",
    "EntityKind",
    "Episode",
    "Facet",
    "Failure",
    "FieldChange",
    "FilmographyCredit",
    "Flaw",
    "HistoryEntry",
    "ItemFilter",
    "ItemSort",
    "ItemSummary",
    "Library",
    "LibraryCounts",
    "LibraryRun",
    "MediaItem",
    "MediaSync",
    "MediaSyncError",
    "MediaType",
    "Movie",
    "Page",
    "Person",
    "PersonFilter",
    "PersonSummary",
    "PersonType",
    "Rating",
    "RemovedSource",
    "RenamedSource",
    "RunStatus",
    "SaveReport",
    "SaveResult",
    "SaveStatus",
    "Season",
    "Show",
    "Source",
    "SourceConfig",
    "SourceKind",
    "SourceSummary",
    "Sync",
    "SyncAll",
    "SyncCounts",
    "SyncReport",
    "SyncRun",
    "WriteContext",
    "copy_mirror",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        import importlib

        home = _HOMES.get(name)
        if home is not None:
            value = globals()[name] = getattr(importlib.import_module(home), name)
            return value
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
