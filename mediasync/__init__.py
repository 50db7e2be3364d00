"""mediasync: movie and TV libraries with their full cast and crew, mirrored into one SQL database."""

from __future__ import annotations

# Names are imported when they are first used, so that the command can handle Ctrl-C before the rest of the
# package is imported. Type checkers know this constant by its name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from mediasync.app import MediaSync, copy_mirror, upgrade_mirror
    from mediasync.changes import Change, WriteContext
    from mediasync.errors import MediaSyncError
    from mediasync.filters import Credited, Facet, ItemFilter, ItemSort, PersonFilter
    from mediasync.findings import CastExample, CastFinding, DoctorReport, Severity
    from mediasync.history import CreditChange, CreditChangeKind, Difference, FieldChange, HistoryEntry
    from mediasync.hits import Match, SearchAnswer, SearchHit
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
        BackupReport,
        CheckReport,
        CopyReport,
        Counts,
        ExportReport,
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
        UpgradeReport,
        VacuumReport,
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
    from mediasync.works import (
        CastMember,
        Costar,
        Filmography,
        FilmographyTitle,
        FindQuery,
        PersonPair,
        RankedPerson,
        Who,
        WorkFunction,
        WorkTitle,
    )

_HOMES = {
    "AnyMediaItem": "mediasync.models",
    "BackupReport": "mediasync.reports",
    "CastExample": "mediasync.findings",
    "CastFinding": "mediasync.findings",
    "CastMember": "mediasync.works",
    "Change": "mediasync.changes",
    "ChangeKind": "mediasync.vocabulary",
    "CheckReport": "mediasync.reports",
    "Completeness": "mediasync.vocabulary",
    "CopyReport": "mediasync.reports",
    "Costar": "mediasync.works",
    "Counts": "mediasync.reports",
    "Credit": "mediasync.models",
    "CreditChange": "mediasync.history",
    "CreditChangeKind": "mediasync.history",
    "Credited": "mediasync.filters",
    "Difference": "mediasync.history",
    "DoctorReport": "mediasync.findings",
    "EntityKind": "mediasync.vocabulary",
    "Episode": "mediasync.models",
    "ExportReport": "mediasync.reports",
    "Facet": "mediasync.filters",
    "Failure": "mediasync.reports",
    "FieldChange": "mediasync.history",
    "Filmography": "mediasync.works",
    "FilmographyCredit": "mediasync.models",
    "FilmographyTitle": "mediasync.works",
    "FindQuery": "mediasync.works",
    "Flaw": "mediasync.reports",
    "HistoryEntry": "mediasync.history",
    "ItemFilter": "mediasync.filters",
    "ItemSort": "mediasync.filters",
    "ItemSummary": "mediasync.summaries",
    "Library": "mediasync.models",
    "LibraryCounts": "mediasync.reports",
    "LibraryRun": "mediasync.models",
    "Match": "mediasync.hits",
    "MediaItem": "mediasync.models",
    "MediaSync": "mediasync.app",
    "MediaSyncError": "mediasync.errors",
    "MediaType": "mediasync.vocabulary",
    "Movie": "mediasync.models",
    "Page": "mediasync.summaries",
    "Person": "mediasync.models",
    "PersonPair": "mediasync.works",
    "PersonFilter": "mediasync.filters",
    "PersonSummary": "mediasync.summaries",
    "PersonType": "mediasync.vocabulary",
    "RankedPerson": "mediasync.works",
    "Rating": "mediasync.models",
    "RemovedSource": "mediasync.reports",
    "RenamedSource": "mediasync.reports",
    "RunStatus": "mediasync.vocabulary",
    "SaveReport": "mediasync.reports",
    "SaveResult": "mediasync.reports",
    "SaveStatus": "mediasync.reports",
    "SearchAnswer": "mediasync.hits",
    "SearchHit": "mediasync.hits",
    "Season": "mediasync.models",
    "Severity": "mediasync.findings",
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
    "UpgradeReport": "mediasync.reports",
    "VacuumReport": "mediasync.reports",
    "Who": "mediasync.works",
    "WorkFunction": "mediasync.works",
    "WorkTitle": "mediasync.works",
    "WriteContext": "mediasync.changes",
    "copy_mirror": "mediasync.app",
    "upgrade_mirror": "mediasync.app",
}

__all__ = [
    "AnyMediaItem",
    "BackupReport",
    "CastExample",
    "CastFinding",
    "CastMember",
    "Change",
    "ChangeKind",
    "CheckReport",
    "Completeness",
    "CopyReport",
    "Costar",
    "Counts",
    "Credit",
    "CreditChange",
    "CreditChangeKind",
    "Credited",
    "Difference",
    "DoctorReport",
    "EntityKind",
    "Episode",
    "ExportReport",
    "Facet",
    "Failure",
    "FieldChange",
    "Filmography",
    "FilmographyCredit",
    "FilmographyTitle",
    "FindQuery",
    "Flaw",
    "HistoryEntry",
    "ItemFilter",
    "ItemSort",
    "ItemSummary",
    "Library",
    "LibraryCounts",
    "LibraryRun",
    "Match",
    "MediaItem",
    "MediaSync",
    "MediaSyncError",
    "MediaType",
    "Movie",
    "Page",
    "Person",
    "PersonFilter",
    "PersonPair",
    "PersonSummary",
    "PersonType",
    "RankedPerson",
    "Rating",
    "RemovedSource",
    "RenamedSource",
    "RunStatus",
    "SaveReport",
    "SaveResult",
    "SaveStatus",
    "SearchAnswer",
    "SearchHit",
    "Season",
    "Severity",
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
    "UpgradeReport",
    "VacuumReport",
    "Who",
    "WorkFunction",
    "WorkTitle",
    "WriteContext",
    "copy_mirror",
    "upgrade_mirror",
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
