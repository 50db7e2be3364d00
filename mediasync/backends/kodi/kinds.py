"""The four kinds of item, and the methods and properties by which Kodi is asked for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mediasync.backends.kodi.values import parse_id


@dataclass(frozen=True, slots=True)
class KodiKind:
    """One kind of item.

    Attributes:
        name: the first half of the items' keys.
        method: the method that lists the items.
        plural: the name of the list in its answer.
        id_name: the name of the id, in a record and as a parameter of *details*.
        details: the method that returns one item.
        details_name: the name of the record in its answer.
        properties: what is asked for. Kodi refuses a request for a property that the kind does not have.
    """

    name: str
    method: str
    plural: str
    id_name: str
    details: str
    details_name: str
    properties: tuple[str, ...]

    def key(self, record: Mapping[str, Any]) -> str | None:
        """Return the key of a record, or None if it has no usable id.

        Example:
            >>> MOVIES.key({"movieid": 7})
            'movie/7'
        """
        number = parse_id(record, self.id_name)
        return f"{self.name}/{number}" if number else None

    def id_of(self, key: str) -> int | None:
        """Return the id in a key, or None if the key is not of this kind.

        Example:
            >>> MOVIES.id_of("movie/7"), MOVIES.id_of("show/7")
            (7, None)
        """
        name, _, number = key.partition("/")
        return int(number) if name == self.name and number.isascii() and number.isdecimal() else None


def _kind(name: str, words: str, id_name: str, properties: str) -> KodiKind:
    return KodiKind(
        name,
        f"VideoLibrary.Get{words}s",
        f"{words.lower()}s",
        id_name,
        f"VideoLibrary.Get{words}Details",
        f"{words.lower()}details",
        tuple(properties.split()),
    )


MOVIES: Final = _kind(
    "movie",
    "Movie",
    "movieid",
    "title originaltitle sorttitle year premiered plot tagline mpaa genre ratings runtime cast director "
    "writer uniqueid imdbnumber file dateadded art",
)
SHOWS: Final = _kind(
    "show",
    "TVShow",
    "tvshowid",
    "title originaltitle sorttitle year premiered plot mpaa genre ratings cast uniqueid imdbnumber file "
    "dateadded art",
)
SEASONS: Final = _kind("season", "Season", "seasonid", "season tvshowid art")
EPISODES: Final = _kind(
    "episode",
    "Episode",
    "episodeid",
    "title originaltitle season episode tvshowid seasonid firstaired plot ratings runtime cast director "
    "writer uniqueid file dateadded art",
)
