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
    │   ├── PersonInUse               a person whom credits still point at
    │   └── ConfigurationError        a source, a database URL or an option that cannot be used
    ├── LifecycleError                a MediaSync that is not open, is open already, or is another loop's
    ├── DatabaseError                 the database failed
    │   ├── DatabaseMissing           there is no database where one was expected
    │   ├── DatabaseUnreachable       the server does not answer, or the connection to it was lost
    │   ├── DatabaseLocked            another process held a lock for too long
    │   ├── WriteConflict             other transactions were in the way, again and again
    │   ├── EncodingUnsupported       the encoding of a PostgreSQL database is not UTF8
    │   ├── DatabaseReadOnly          a write to a database that only reads
    │   ├── DatabaseCorrupt           the file is damaged or is no database
    │   ├── DiskFull                  no room is left
    │   ├── DataError                 the database refused one value or row
    │   ├── CommitUnknown             a commit whose outcome cannot be told
    │   └── SchemaError
    │       ├── SchemaTooNew          written by a newer mediasync
    │       ├── SchemaOutdated        an older schema, and upgrading was switched off
    │       └── SchemaForeign         a database that is not mediasync's
    └── SourceError                   a source could not be read (`source_id` names it)
        ├── SourceUnreachable         no answer, or the folder is not there
        ├── SourceUnauthorised        the token or password is missing, wrong or revoked (401)
        ├── SourceForbidden           the token may not read this (403)
        ├── SourceMismatch            what answers is no server of this kind
        ├── SourceBusy                still starting, or asks for fewer requests, for too long (429, 503)
        └── SourceUnreadable          an answer or a file that is not what it should be
            ├── LibraryUnreadable     one library could not be read; others of the source may be
            └── RequestRefused        one request was answered with an error (`status` tells which)
"""

from __future__ import annotations

from typing import Final

_SHOWN: Final = 200
"""How much of an id a message shows."""


class MediaSyncError(Exception):
    """The root of all errors of this package."""


class UsageError(MediaSyncError):
    """The call or its arguments are wrong."""


class InvalidId(UsageError, ValueError):
    """An id, or a source's name, that cannot be one."""


class InvalidItem(UsageError, ValueError):
    """An item that cannot be stored as it is.

    Attributes:
        item_id: the item's id.
        reason: which field is wrong, and how.
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
    """A person whom credits still point at."""


class ConfigurationError(UsageError):
    """A source, a database URL or an option that cannot be used.

    Attributes:
        source_id: the source whose own settings are wrong, or what stands for it where it has no id; None if
            it is not about the settings of one source.
    """

    def __init__(self, message: str, *, source_id: str | None = None) -> None:
        super().__init__(message)
        self.source_id = source_id


class LifecycleError(MediaSyncError):
    """A `MediaSync` that is not open, is open already, is closing, or belongs to another event loop."""


class DatabaseError(MediaSyncError):
    """The database failed."""


class DatabaseMissing(DatabaseError):
    """There is no database where one was expected."""


class DatabaseUnreachable(DatabaseError):
    """The server does not answer or refuses the connection, or the connection to it was lost."""


class DatabaseLocked(DatabaseError):
    """Another process held a lock for longer than the configured time."""


class WriteConflict(DatabaseError):
    """Other transactions were in the way, and still were when it had been tried again several times."""


class EncodingUnsupported(DatabaseError):
    """The encoding of a PostgreSQL database is not UTF8, so it could not store or compare every text."""


class DatabaseReadOnly(DatabaseError):
    """A write to a database that can only be read."""


class DatabaseCorrupt(DatabaseError):
    """The file is damaged, or is no database."""


class DiskFull(DatabaseError):
    """No room is left for the database."""


class DataError(DatabaseError):
    """The database refused a value or a row: an error of the data, not of the surroundings."""


class CommitUnknown(DatabaseError):
    """The connection was lost during a commit, and what is stored does not tell whether it happened."""


class SchemaError(DatabaseError):
    """The schema of the database is not one that this version can use."""


class SchemaTooNew(SchemaError):
    """The database was written by a newer version of mediasync."""


class SchemaOutdated(SchemaError):
    """The database has an older schema, and upgrading it was switched off."""


class SchemaForeign(SchemaError):
    """The database holds tables that are not mediasync's."""


class SourceError(MediaSyncError):
    """A source could not be read.

    Attributes:
        source_id: the id of the source.
    """

    def __init__(self, source_id: str, reason: str) -> None:
        super().__init__(f"source {source_id!r}: {reason}")
        self.source_id = source_id
        self.reason = reason


class SourceUnreachable(SourceError):
    """The source did not answer, or its folder is not there."""


class SourceUnauthorised(SourceError):
    """The source asks for a token or password, or does not take the one it was given."""


class SourceForbidden(SourceError):
    """The source knows the token, and the token may not read what was asked for."""


class SourceMismatch(SourceError):
    """What answers at the source's address is no server of the source's kind."""


class SourceBusy(SourceError):
    """The source is still starting or asks for fewer requests, and did so for longer than was waited."""


class SourceUnreadable(SourceError):
    """The source answered, but not with what it should."""


class LibraryUnreadable(SourceUnreadable):
    """One library could not be read. The other libraries of the source may well be readable.

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
