"""Every error that mediasync raises on purpose.

::

    MediaSyncError
    ├── UsageError                    the call or its arguments are wrong
    │   ├── InvalidId                 an id or a source's name that cannot be one
    │   ├── InvalidItem               an item that cannot be stored as it is (id, field and reason)
    │   │   └── UnknownParent         an item whose parent is not stored
    │   ├── UnknownSource             a source that is not stored
    │   ├── UnknownLibrary            a library that is not stored
    │   ├── UnknownItem               a media item that is not stored
    │   ├── PersonInUse               a person who still has credits
    │   ├── ChangesPruned             changes that are no longer kept
    │   ├── UnknownRun                a run that is not recorded
    │   ├── TooLongAgo                a point in time before the changes that are kept
    │   ├── ConfigurationError        a source, a database URL or an option that cannot be used
    │   └── HookUnreadable            a webhook that no known program has posted
    ├── LifecycleError                a MediaSync that is not open, already open, or of another event loop
    ├── DatabaseError                 the database failed
    │   ├── DatabaseMissing           there is no database where one was expected
    │   ├── DatabaseUnreachable       the server does not answer, or the connection to it was lost
    │   ├── DatabaseLocked            another process held a lock for too long
    │   ├── WriteConflict             other transactions got in the way several times in a row
    │   ├── EncodingUnsupported       the encoding of a PostgreSQL database is not UTF8
    │   ├── DatabaseReadOnly          a write to a read-only database
    │   ├── DatabaseCorrupt           the file is damaged or not a database
    │   ├── DiskFull                  no room is left
    │   ├── DataError                 the database refused one value or row
    │   ├── CommitUnknown             a commit whose outcome is unknown
    │   └── SchemaError
    │       ├── SchemaTooNew          written by a newer mediasync
    │       ├── SchemaOutdated        an older schema, and upgrading was switched off
    │       └── SchemaForeign         a database that is not mediasync's
    ├── LeaseError                    the lease of a source (`source_id` names it)
    │   ├── SourceHeld                another worker syncs the source
    │   └── LeaseLost                 the lease ended before its run did; the run writes nothing more
    ├── ExportFailed                  the files of an export could not be written
    ├── NotNotified                   somebody could not be told about a run
    └── SourceError                   a source could not be read (`source_id` names it)
        ├── SourceUnreachable         no answer, or the folder is not there
        ├── SourceUnauthorised        the token or password is missing, wrong or revoked (401)
        ├── SourceForbidden           the token may not read this (403)
        ├── SourceMismatch            a different kind of server answered
        ├── SourceBusy                still starting, or asks for fewer requests, for too long (429, 503)
        └── SourceUnreadable          an answer or a file is malformed
            ├── LibraryUnreadable     one library could not be read; others of the source may be
            └── RequestRefused        one request was answered with an error (see `status`)
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

_SHOWN: Final = 200
"""How many characters of an id a message shows."""


class MediaSyncError(Exception):
    """The root of all errors of this package."""


class UsageError(MediaSyncError):
    """The call or its arguments are wrong."""


class InvalidId(UsageError, ValueError):
    """A text that cannot be an id, or cannot name a source."""


class InvalidItem(UsageError, ValueError):
    """An item that cannot be stored as it is.

    Attributes:
        item_id: its id.
        reason: which field is wrong, and why.
    """

    def __init__(self, item_id: str, reason: str) -> None:
        shown = item_id if len(item_id) <= _SHOWN else f"{item_id[:_SHOWN]}…"
        super().__init__(f"{shown}: {reason}")
        self.item_id = item_id
        self.reason = reason


class UnknownSource(UsageError):
    """A source that is not stored."""


class UnknownLibrary(UsageError):
    """A library that is not stored."""


class UnknownItem(UsageError):
    """A media item that is not stored."""


class UnknownParent(InvalidItem):
    """An item whose parent is neither stored nor part of the same call."""


class PersonInUse(UsageError):
    """A person who still has credits, and so cannot be deleted."""


class ChangesPruned(UsageError):
    """Changes that are no longer kept.

    Attributes:
        after: the number after which changes were asked for.
        pruned: the highest number that was pruned. The oldest kept change is the one after it.
    """

    def __init__(self, after: int, pruned: int) -> None:
        super().__init__(
            f"the changes {after + 1} to {pruned} are no longer kept: read the views anew, and go on with "
            f"the changes after {pruned}"
        )
        self.after = after
        self.pruned = pruned


class UnknownRun(UsageError):
    """A run that is not recorded."""


class TooLongAgo(UsageError):
    """A point in time before the changes that are kept, so what was shown then cannot be rebuilt.

    Attributes:
        earliest: the time of the first change that is kept: what was shown since then is known.
    """

    def __init__(self, point: str, earliest: datetime | None) -> None:
        since = f": it begins at {earliest.isoformat()}" if earliest else ""
        super().__init__(f"the change log no longer reaches back to {point}{since}")
        self.earliest = earliest


class ConfigurationError(UsageError):
    """A source, a database URL or an option that cannot be used.

    Attributes:
        source_id: the source whose settings are wrong, or its text where it has no id; None if the error is
            not about the settings of one source.
    """

    def __init__(self, message: str, *, source_id: str | None = None) -> None:
        super().__init__(message)
        self.source_id = source_id


class HookUnreadable(UsageError):
    """The body of a webhook is not what any known program posts. The message says what is wrong in it."""


class LifecycleError(MediaSyncError):
    """A `MediaSync` that is not open, already open, closing, or used from another event loop."""


class DatabaseError(MediaSyncError):
    """The database failed."""


class DatabaseMissing(DatabaseError):
    """There is no database where one was expected."""


class DatabaseUnreachable(DatabaseError):
    """The server does not answer or refuses the connection, or the connection to it was lost."""


class DatabaseLocked(DatabaseError):
    """Another process held a lock for longer than the configured time."""


class WriteConflict(DatabaseError):
    """Other transactions got in the way, and still did after several retries."""


class EncodingUnsupported(DatabaseError):
    """The encoding of a PostgreSQL database is not UTF8, so it cannot store or compare every text."""


class DatabaseReadOnly(DatabaseError):
    """A write to a read-only database."""


class DatabaseCorrupt(DatabaseError):
    """The file is damaged, or is not a database."""


class DiskFull(DatabaseError):
    """The disk is full."""


class DataError(DatabaseError):
    """The database refused a value or a row. The data is wrong; the database works."""


class CommitUnknown(DatabaseError):
    """The connection was lost during a commit, and the stored rows do not show whether it succeeded."""


class SchemaError(DatabaseError):
    """This version cannot use the schema of the database."""


class SchemaTooNew(SchemaError):
    """The database was written by a newer version of mediasync."""


class SchemaOutdated(SchemaError):
    """The database has an older schema, and upgrading it was switched off."""


class SchemaForeign(SchemaError):
    """The database holds tables that are not mediasync's."""


class LeaseError(MediaSyncError):
    """A source cannot be synced because of its lease, which one worker at a time holds.

    Attributes:
        source_id: the id of the source.
        reason: why not, without the source's id.
    """

    def __init__(self, source_id: str, reason: str) -> None:
        super().__init__(f"source {source_id!r}: {reason}")
        self.source_id = source_id
        self.reason = reason


class SourceHeld(LeaseError):
    """Another worker syncs the source.

    Attributes:
        holder: the worker, in words: its host and process.
    """

    def __init__(self, source_id: str, holder: str) -> None:
        super().__init__(source_id, f"{holder} is syncing it")
        self.holder = holder


class LeaseLost(LeaseError):
    """The lease of a run ended before the run did, so the run writes nothing more."""

    def __init__(self, source_id: str) -> None:
        super().__init__(
            source_id,
            "this run was paused for longer than its lease lasts, so another worker may be syncing the "
            "source: it writes nothing more. What it saved stays; sync again",
        )


class ExportFailed(MediaSyncError):
    """The files of an export could not be written."""


class NotNotified(MediaSyncError):
    """Somebody could not be told about a run.

    Attributes:
        address: the scheme and the host of the webhook; the rest of its URL is a secret.
        reason: why not.
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address
        self.reason = reason


class SourceError(MediaSyncError):
    """A source could not be read.

    Attributes:
        source_id: the id of the source.
        reason: why not, without the source's id.
    """

    def __init__(self, source_id: str, reason: str) -> None:
        super().__init__(f"source {source_id!r}: {reason}")
        self.source_id = source_id
        self.reason = reason


class SourceUnreachable(SourceError):
    """The source did not answer, or its folder does not exist."""


class SourceUnauthorised(SourceError):
    """The source requires a token or password, or rejects the one it was given."""


class SourceForbidden(SourceError):
    """The source accepts the token, but the token may not read what was requested."""


class SourceMismatch(SourceError):
    """A different kind of server answered at the source's address."""


class SourceBusy(SourceError):
    """The source is still starting, or asks for fewer requests, and waiting for it took too long."""


class SourceUnreadable(SourceError):
    """The source sent a malformed answer, or one of its files is malformed."""


class LibraryUnreadable(SourceUnreadable):
    """One library could not be read. The other libraries of the source may be readable.

    Attributes:
        library_id: the id of the library, with the source's id before it.
    """

    def __init__(self, source_id: str, library_id: str, title: str, reason: str) -> None:
        name = f"{title!r} ({library_id})" if title else library_id
        super().__init__(source_id, f"the library {name} could not be read: {reason}")
        self.library_id = library_id


class RequestRefused(SourceUnreadable):
    """The source answered one request with an error.

    Attributes:
        status: the HTTP status; 0 for an error that came with status 200 (JSON-RPC).
    """

    def __init__(self, source_id: str, reason: str, *, status: int) -> None:
        super().__init__(source_id, reason)
        self.status = status
