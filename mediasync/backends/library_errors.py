"""Errors that concern one library and not the whole source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mediasync.backends.transport import NoAnswerInTime
from mediasync.errors import LibraryUnreadable, SourceForbidden, SourceUnreadable
from mediasync.models import Library


@contextmanager
def naming(library: Library) -> Iterator[None]:
    """Return a context in which errors that may concern only this library are raised with its name.

    If the server is unreachable or busy, or refuses the token, that probably concerns all libraries. Such
    errors pass unchanged, and the next library shows whether the source as a whole has failed.

    Raises:
        LibraryUnreadable: for a request that was refused, forbidden or not answered in time, or an unreadable
            answer.

    Example::

        with naming(library):
            async for finding in self._read(library):
                yield finding
    """
    try:
        yield
    except (SourceUnreadable, SourceForbidden, NoAnswerInTime) as error:
        raise LibraryUnreadable(error.source_id, library.full_id, library.title, error.reason) from error
