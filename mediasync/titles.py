"""The words of an item's titles, as they are stored to find it by.

Each item has one for each word of its title and its original title, and one for each of the two as a whole.
"""

from __future__ import annotations

from typing import Final

from mediasync.names import title_key, words_of_title
from mediasync.vocabulary import MediaType

StoredWord = tuple[str, int, int]
"""A word, the place of its item in answers, and the item's storage key."""

_RANKS: Final[dict[str, int]] = {
    MediaType.MOVIE: 0,
    MediaType.SHOW: 1,
    MediaType.EPISODE: 2,
    MediaType.SEASON: 3,
}
_YEARS: Final = 10_000
_WHOLE: Final = "="


def place(media_type: str, year: int | None) -> int:
    """Return where an item stands in answers: movies, shows, episodes and seasons in turn, each by year."""
    known = year if isinstance(year, int) else 0  # other hands may have stored a text
    return _RANKS.get(media_type, len(_RANKS)) * _YEARS + max(0, min(known, _YEARS - 1))


def whole(title: str) -> str:
    """Return the word that stands for a title as a whole; no word of a title looks like it."""
    return _WHOLE + (title_key(title) or title.strip().casefold()[:200])


def words_of_item(
    item_key: int, media_type: str, title: str, original_title: str | None, year: int | None
) -> set[StoredWord]:
    """Return the rows of an item in the index of words."""
    where = place(media_type, year)
    titles = (title, original_title) if original_title and original_title != title else (title,)
    return {(word, where, item_key) for text in titles for word in (whole(text), *words_of_title(text))}
