"""The methods of a fake Kodi's video library, with the errors that a real one answers."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from mediasync.models import Episode, MediaItem, Season
from mediasync.testing.kodi_queries import SORTS, UnknownRuleError, ordered, passes
from mediasync.testing.kodi_records import ICON_OF_SEASONS, Ids, People, Records
from mediasync.testing.library import Catalogue
from mediasync.vocabulary import MediaType

_LARGEST: Final = 2**31 - 1
_JSON_TYPES: Final = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_SHARED: Final = (
    "title plot votes rating playcount originaltitle cast lastplayed fanart thumbnail file dateadded "
    "uniqueid art userrating ratings runtime"
)
_FILMS: Final = (
    f"{_SHARED} genre year director trailer tagline plotoutline writer studio mpaa country imdbnumber set "
    "showlink streamdetails top250 sorttitle resume setid tag premiered"
)
_TVSHOWS: Final = (
    f"{_SHARED} genre year studio mpaa episode imdbnumber premiered sorttitle episodeguide season "
    "watchedepisodes tag"
)
_SEASONS: Final = (
    "season showtitle playcount episode fanart thumbnail tvshowid watchedepisodes art userrating title"
)
_EPISODES: Final = (
    f"{_SHARED} writer firstaired director productioncode season episode showtitle streamdetails resume "
    "tvshowid specialsortseason specialsortepisode seasonid"
)


class Refusal(Exception):
    """An error of JSON-RPC.

    Attributes:
        error: the error object of the answer.
    """

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.error: dict[str, Any] = {"code": code, "message": message}
        if data is not None:
            self.error["data"] = dict(data)


class Kind(NamedTuple):
    """One type of item, and how Kodi names it."""

    media_type: MediaType
    word: str
    properties: frozenset[str]
    parents: tuple[str, ...] = ()

    @property
    def listing_params(self) -> tuple[str, ...]:
        """The parameters of a listing, in the order in which they may be given by position."""
        return (*self.parents, "properties", "limits", "sort", "filter")

    @property
    def details_params(self) -> tuple[str, ...]:
        """The parameters of a request for details, in the same way."""
        return (self.id_name, "properties")

    @property
    def id_name(self) -> str:
        """The name of the field with its id."""
        return f"{self.word.lower()}id"


KINDS: Final = (
    Kind(MediaType.MOVIE, "Movie", frozenset(_FILMS.split())),
    Kind(MediaType.SHOW, "TVShow", frozenset(_TVSHOWS.split())),
    Kind(MediaType.SEASON, "Season", frozenset(_SEASONS.split()), ("tvshowid",)),
    Kind(MediaType.EPISODE, "Episode", frozenset(_EPISODES.split()), ("tvshowid", "season")),
)


class VideoLibrary:
    """The video library of one Kodi.

    Args:
        roles_matter: whether it is Kodi 19 or later.
    """

    def __init__(self, *, roles_matter: bool) -> None:
        self._roles_matter = roles_matter
        self._ids = Ids()
        self._records: tuple[object, Records] | None = None

    def number_of(self, catalogue: Catalogue, item: MediaItem) -> int:
        """Return Kodi's id of an item."""
        return self._ids.id_of(catalogue, item)

    def records(self, catalogue: Catalogue, timezone: str) -> Records:
        """Return a builder for the records of a catalogue in its present state."""
        state = (catalogue.state(), timezone)
        if self._records is None or self._records[0] != state:
            people, zone = People(catalogue), ZoneInfo(timezone)
            records = Records(catalogue, self._ids, people, zone, roles_matter=self._roles_matter)
            self._records = state, records
        return self._records[1]

    def list_items(
        self, kind: Kind, method: str, params: Mapping[str, Any], catalogue: Catalogue, timezone: str
    ) -> dict[str, Any]:
        """Answer ``Get…s``."""
        _check_names(method, params, set(kind.listing_params))
        properties = _properties(method, kind, params)
        start, end = _limits(method, params)
        records = self.records(catalogue, timezone)
        sort = _sort(method, params)
        items: Collection[tuple[int, MediaItem]] = self._ids.of(catalogue, kind.media_type).items()
        if params.keys() & {*kind.parents, "filter"}:
            items = [pair for pair in items if self._wanted(method, pair, params, records, catalogue)]
        if sort is not None:
            items = ordered(records, items, sort)
        total = len(items)
        nothing = "end" in params.get("limits", {}) and not start and not end
        end = min(end or total, total)
        start = min(start, end)
        page = () if nothing else itertools.islice(items, start, end)
        found = [records.record(number, item, properties, kind.id_name) for number, item in page]
        plural = f"{kind.word.lower()}s"
        return {plural: found, "limits": {"end": end, "start": start, "total": total}}

    def details(
        self, kind: Kind, method: str, params: Mapping[str, Any], catalogue: Catalogue, timezone: str
    ) -> dict[str, Any]:
        """Answer ``Get…Details``."""
        _check_names(method, params, set(kind.details_params))
        if kind.id_name not in params:
            raise _invalid(method, {"message": "Missing parameter", "name": kind.id_name, "type": "integer"})
        number = params[kind.id_name]
        _check_integer(method, number, 1, {"name": kind.id_name})
        properties = _properties(method, kind, params)
        item = self._ids.of(catalogue, kind.media_type).get(number)
        if item is None:
            raise Refusal(-32602, "Invalid params.")
        record = self.records(catalogue, timezone).record(number, item, properties, kind.id_name)
        if isinstance(item, Episode):
            record["label"] = item.title
        elif isinstance(item, Season):
            record.pop("watchedepisodes", None)
            if "art" in record:
                record["art"] = {"icon": ICON_OF_SEASONS, **record["art"]}
        return {f"{kind.word.lower()}details": record}

    def _wanted(
        self,
        method: str,
        pair: tuple[int, MediaItem],
        params: Mapping[str, Any],
        records: Records,
        catalogue: Catalogue,
    ) -> bool:
        number, item = pair
        show_id, season = params.get("tvshowid", -1), params.get("season", -1)
        if season != -1 and show_id == -1:
            raise Refusal(-32602, "Invalid params.")
        if show_id != -1 and self._ids.id_of(catalogue, records.show_of(item)) != show_id:
            return False
        if season not in {-1, getattr(item, "season_number", None)}:
            return False
        try:
            return passes(records, number, item, params.get("filter"))
        except UnknownRuleError:
            message = "Received value does not match any of the union type definitions"
            raise _invalid(method, {"message": message, "name": "filter", "type": "object"}) from None


def _invalid(method: str, stack: Mapping[str, Any]) -> Refusal:
    return Refusal(-32602, "Invalid params.", {"method": method, "stack": dict(stack)})


def _check_names(method: str, params: Mapping[str, Any], known: set[str]) -> None:
    if set(params) - known:
        raise Refusal(-32602, "Invalid params.", {"message": "Too many parameters", "method": method})


def _properties(method: str, kind: Kind, params: Mapping[str, Any]) -> list[str]:
    given = params.get("properties", [])
    if not isinstance(given, list):
        message = f"Invalid type {_JSON_TYPES[type(given)]} received"
        raise _invalid(method, {"message": message, "name": "properties", "type": "array"})
    for index, name in enumerate(given):
        if name not in kind.properties:
            stack = {
                "message": f"array element at index {index} does not match",
                "name": "Item.Fields.Base",
                "property": {"message": _NO_ENUM, "type": "string"},
                "type": "array",
            }
            raise _invalid(method, stack)
    return given


def _limits(method: str, params: Mapping[str, Any]) -> tuple[int, int]:
    limits = params.get("limits", {})
    for name in ("start", "end"):
        if name in limits:
            _check_integer(
                method, limits[name], 0, {"name": name}, outer={"name": "limits", "type": "object"}
            )
    return limits.get("start", 0), limits.get("end", 0)


def _sort(method: str, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
    sort: Mapping[str, Any] = params.get("sort", {})
    for name, known, default in (("method", SORTS, "none"), ("order", _DIRECTIONS, "ascending")):
        if sort.get(name, default) not in known:
            wrong = {"message": _NO_ENUM, "name": name, "type": "string"}
            raise _invalid(method, {"name": "sort", "type": "object", "property": wrong})
    return None if sort.get("method", "none") == "none" else sort


def _check_integer(
    method: str,
    value: Any,
    least: int,
    property_: Mapping[str, Any],
    *,
    outer: Mapping[str, Any] | None = None,
) -> None:
    message = ""
    if not isinstance(value, int) or isinstance(value, bool):
        message = f"Invalid type {_JSON_TYPES[type(value)]} received"
    elif not least <= value <= _LARGEST:
        message = (
            f"Value between {least} (inclusive) and {_LARGEST} (inclusive) expected but {value} received"
        )
    if message:
        inner = {"message": message, **property_, "type": "integer"}
        raise _invalid(method, inner if outer is None else {**outer, "property": inner})


def words(values: Iterable[Any]) -> list[str]:
    """Return the texts among *values*."""
    return [value for value in values if isinstance(value, str)]


_NO_ENUM: Final = "Received value does not match any of the defined enum values"
_DIRECTIONS: Final = frozenset({"ascending", "descending"})
