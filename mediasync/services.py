"""The services that a mirror offers: each saves and reads."""

from __future__ import annotations

from mediasync.database.database import Database
from mediasync.library.answers import LibraryReads
from mediasync.library.browsing import BrowsingReads
from mediasync.library.doctor import DoctorReads
from mediasync.library.lists import LibraryLists
from mediasync.library.media import MediaReads
from mediasync.library.people import PeopleReads
from mediasync.library.search import LibrarySearch
from mediasync.library.works import WorksReads
from mediasync.saving.media import MediaSaves
from mediasync.saving.people import PeopleSaves
from mediasync.saving.writer import Writer


class MediaService(MediaSaves, MediaReads):
    """Saves items with their people and credits, and reads them.

    Saves of different items run concurrently and share transactions; saves of one item happen one after
    the other, so the deletion and insertion of its credits is never interleaved with another's.

    Args:
        database: an open database.
        writer: the task that writes to it.
    """

    def __init__(self, database: Database, writer: Writer) -> None:
        MediaSaves.__init__(self, database, writer)
        MediaReads.__init__(self, database)


class PeopleService(PeopleSaves, PeopleReads):
    """Saves and reads people, their credits and their filmographies.

    Args:
        database: an open database.
        writer: the task that writes to it.
    """

    def __init__(self, database: Database, writer: Writer) -> None:
        PeopleSaves.__init__(self, database, writer)
        PeopleReads.__init__(self, database)


class LibraryService(LibraryReads, LibraryLists, LibrarySearch, WorksReads, DoctorReads, BrowsingReads):
    """Answers questions about the mirror: ``ms.library``.

    Args:
        database: an open database.
    """
