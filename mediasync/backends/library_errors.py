"""Which errors are one library's and not the whole source's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import LibraryUnreadable, SourceForbidden, SourceUnreadable
from mediasync.models import Library


@contextmanager
def naming(library: Library) -> Iterator[None]:
    """Return a context in which a library is read; an error that may be this library's alone names it.

    That a server is gone, busy or refuses the token is likely to be so for all libraries: those errors pass
    as they are, and the sync finds out by the next library.

    Raises:
        LibraryUnreadable: in place of an answer that is an error, forbidden, late or not readable.

    Example::

        with naming(library):
            async for finding in self._read(library):
                yield finding
    """
    try:
        yield
    except (SourceUnreadable, SourceForbidden, NoAnswerInTime) as error:
        raise LibraryUnreadable(error.source_id, library.full_id, library.title, error.reason) from error
