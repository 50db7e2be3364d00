"""One search over titles and people, which forgives misspellings."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from mediasync.database.database import Database

if TYPE_CHECKING:
    from mediasync.hits import SearchAnswer
    from mediasync.library.searching import Searcher


class LibrarySearch:
    """Searches titles and people.

    Args:
        database: an open database.
    """

    _database: Database
    _searcher: Searcher | None = None

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(
        self, text: str, *, kinds: Collection[str] | None = None, limit: int = 10
    ) -> SearchAnswer:
        """Find titles and people by what somebody types, the best first.

        Case, accents, punctuation, articles and the order of words do not matter, nor does the kind of
        numerals. A year at the end prefers items of that year. If too little is found, words may be joined,
        split, left out or misspelt: `SearchHit.match` is then `Match.SIMILAR`. The same human from several
        sources is one hit, and so is the same film.

        Args:
            text: words or their beginnings, of a title, an original title, a sort title or a name.
            kinds: some of ``movie``, ``show``, ``season``, ``episode`` and ``person``; None for all.
            limit: at most so many titles, and so many people.

        Raises:
            UsageError: if the text holds a character that no database stores.

        Example:
            >>> (await ms.library.search("al pacno")).people[0].summary.name  # doctest: +SKIP
            'Al Pacino'
        """
        if self._searcher is None:
            from mediasync.library.searching import Searcher  # most commands do not search

            self._searcher = Searcher(self._database)
        return await self._searcher.search(text, kinds, limit)
