"""The four kinds of item, and how Kodi is asked for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mediasync.backends.kodi.parse import (
    EPISODE_PROPERTIES,
    MOVIE_PROPERTIES,
    SEASON_PROPERTIES,
    SHOW_PROPERTIES,
)


@dataclass(frozen=True, slots=True)
class KodiKind:
    """One kind of item.

    Attributes:
        name: of the kind; the first half of the items' keys.
        method: lists them.
        plural: the name of the list in its answer.
        id_name: the name of the id in a record, and of the parameter of *details*.
        details: the method that gives one of them.
        details_name: the name of the record in its answer.
        properties: what is asked for of each.
    """

    name: str
    method: str
    plural: str
    id_name: str
    details: str
    details_name: str
    properties: tuple[str, ...]

    def key(self, record: Mapping[str, Any]) -> str | None:
        """Return the key of a record, None if it has no usable id.

        Example:
            >>> MOVIES.key({"movieid": 7})
            'movie/7'
        """
        value = record.get(self.id_name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return f"{self.name}/{value}"
        return None

    def id_of(self, key: str) -> int | None:
        """Return the id in a key of this kind, None if it is none."""
        name, _, number = key.partition("/")
        return int(number) if name == self.name and number.isascii() and number.isdecimal() else None


def _kind(name: str, words: str, id_name: str, properties: tuple[str, ...]) -> KodiKind:
    plural = f"{words.lower()}s"
    details = f"VideoLibrary.Get{words}Details"
    return KodiKind(
        name, f"VideoLibrary.Get{words}s", plural, id_name, details, f"{words.lower()}details", properties
    )


MOVIES: Final = _kind("movie", "Movie", "movieid", MOVIE_PROPERTIES)
SHOWS: Final = _kind("show", "TVShow", "tvshowid", SHOW_PROPERTIES)
SEASONS: Final = _kind("season", "Season", "seasonid", SEASON_PROPERTIES)
EPISODES: Final = _kind("episode", "Episode", "episodeid", EPISODE_PROPERTIES)
