"""The queries of a fake Jellyfin: the filters and orders of its listings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from mediasync.testing.jellyfin_rows import TYPES, Row
from mediasync.testing.messages import Request

KNOWN_TYPES: Final = {
    name.lower(): name
    for name in (
        *TYPES.values(),
        *("Person", "BoxSet", "Trailer", "Video", "MusicVideo", "Playlist", "Folder", "CollectionFolder"),
        *("Audio", "AudioBook", "MusicAlbum", "MusicArtist", "Book", "Photo", "Genre", "Studio"),
    )
}
"""The types of items, by their names in lower case."""

_ELSEWHERE: Final = frozenset(
    {
        *("ids", "parentid", "includeitemtypes", "personids", "searchterm", "mindatelastsaved", "fields"),
        *("startindex", "limit", "sortby", "sortorder", "recursive", "userid", "apikey", "api_key"),
        *("enableuserdata", "enableimages", "enableimagetypes", "imagetypelimit", "enabletotalrecordcount"),
        *("collapseboxsetitems", "groupitems", "seriesid"),
    }
)
"""Parameters for the place of the items and the form of the answer; none filters by a field of the items."""

_ORDERS: Final = {
    "sortname": "SortName",
    "name": "Name",
    "datecreated": "DateCreated",
    "premieredate": "PremiereDate",
    "productionyear": "ProductionYear",
    "communityrating": "CommunityRating",
    "indexnumber": "IndexNumber",
    "parentindexnumber": "ParentIndexNumber",
}

Test = Callable[[dict[str, Any]], bool]


class UnknownQueryError(Exception):
    """A parameter that the fake does not understand; the message names it."""


def wanted_types(request: Request, name: str) -> set[str]:
    """Return the types that a parameter names; unknown ones are ignored."""
    return {KNOWN_TYPES[word.lower()] for word in request.listed(name) if word.lower() in KNOWN_TYPES}


def select(rows: Iterable[Row], request: Request) -> list[Row]:
    """Return the rows that pass the filters of the query, in its order.

    Raises:
        UnknownQueryError: if the query contains an unknown filter or order.
    """
    tests = [test for name in request.query if (test := _test(name, request)) is not None]
    found = [row for row in rows if not tests or _passes(row, tests)]
    orders = request.listed("sortBy")
    directions = request.listed("sortOrder") or ["Ascending"]
    for place in reversed(range(len(orders))):
        name = orders[place].lower()
        direction = directions[min(place, len(directions) - 1)].lower()
        if name not in _ORDERS or direction not in {"ascending", "descending"}:
            raise UnknownQueryError(f"sortBy={orders[place]}&sortOrder={direction}")
        if name == "sortname" and direction == "ascending" and place == 0 and len(orders) == 1:
            break  # rows are already in this order
        found.sort(key=lambda row, name=name: _order(row, name), reverse=direction == "descending")  # type: ignore[misc]
    return found


def _order(row: Row, name: str) -> tuple[bool, Any]:
    value = row.sort if name == "sortname" else row.value(_ORDERS[name])
    return (value is not None, value if value is not None else "")


def _passes(row: Row, tests: Iterable[Test]) -> bool:
    record = row.record(False)
    return all(test(record) for test in tests)


def _test(name: str, request: Request) -> Test | None:
    values = request.listed(name, separators=",|")
    match name.lower():
        case known if known in _ELSEWHERE:
            return None
        case "years":
            return lambda record: str(record.get("ProductionYear")) in values
        case "genres":
            return lambda record: bool(set(values) & set(record.get("Genres", ())))
        case "excludeitemtypes":
            unwanted = wanted_types(request, name)
            return lambda record: record["Type"] not in unwanted
        case "mediatypes":
            return lambda record: record["MediaType"] in values
        case "namestartswith":
            prefix = request.first(name).lower()
            return lambda record: str(record["Name"]).lower().startswith(prefix)
        case "parentindexnumber" | "indexnumber":
            field = "ParentIndexNumber" if name.lower().startswith("parent") else "IndexNumber"
            return lambda record: str(record.get(field)) in values
        case "hastmdbid" | "hasimdbid" | "hastvdbid":
            provider = re.sub("^has|id$", "", name.lower()).capitalize()
            wanted = request.first(name).lower() == "true"
            return lambda record: (provider in record.get("ProviderIds", {})) == wanted
        case "ismissing" | "isplaceholder" | "isfavorite" | "isplayed":  # no item of a catalogue is one
            return None if request.first(name).lower() == "false" else lambda _: False
    raise UnknownQueryError(f"{name}={','.join(values)}")
