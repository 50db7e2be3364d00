"""The queries of a fake Plex: the filters, orders and tags of a section."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from mediasync.models import MediaItem
from mediasync.testing.library import MediaLibrary
from mediasync.testing.plex_entries import LISTS, PlexEntries, epoch, listed, tag_id
from mediasync.vocabulary import MediaType

TYPES: Final = {"1": MediaType.MOVIE, "2": MediaType.SHOW, "3": MediaType.SEASON, "4": MediaType.EPISODE}
"""The type of item for each value of ``type=``."""

COLLECTIONS: Final = "18"
"""The ``type=`` of collections; a catalogue has none."""

_SHAPE: Final = frozenset(
    {
        "type",
        "sort",
        "limit",
        "includeguids",
        "includemeta",
        "includeadvanced",
        "includedetails",
        "includecollections",
        "includeexternalmedia",
        "excludeelements",
        "excludefields",
        "skiprefresh",
        "checkfiles",
    }
)
"""Parameters for the form of the answer, not for its items."""

_OPERATOR_TITLES: Final = {
    "tag": {"=": "is", "!=": "is not"},
    "integer": {"=": "is", "!=": "is not", ">>=": "is greater than", "<<=": "is less than"},
    "string": {
        "=": "contains",
        "!=": "does not contain",
        "==": "is",
        "!==": "is not",
        "<=": "begins with",
        ">=": "ends with",
    },
    "date": {">>=": "is after", "<<=": "is before"},
}

_TAGS: Final = {"genre": "Genre", **{filter_name: name for name, (filter_name, _) in LISTS.items()}}
_NUMBERS: Final[dict[str, Callable[[MediaItem], int | None]]] = {
    "year": lambda item: item.year,
    "index": lambda item: getattr(item, "episode_number", None) or getattr(item, "season_number", None),
}
_DATES: Final[dict[str, Callable[[MediaItem], int | None]]] = {
    "addedAt": lambda item: epoch(item.added_at),
    "updatedAt": lambda item: epoch(item.changed_at),
}
_STRINGS: Final[dict[str, Callable[[MediaItem], str]]] = {
    "title": lambda item: item.title,
    "contentRating": lambda item: item.content_rating or "",
}
_ORDERS: Final[dict[str, Callable[[MediaItem], Any]]] = {
    "titleSort": lambda item: item.sort_title or item.title,
    "id": lambda item: int(item.remote_id),
    "year": lambda item: item.year or 0,
    "originallyAvailableAt": lambda item: item.premiere_date.isoformat() if item.premiere_date else "",
    "addedAt": lambda item: epoch(item.added_at) or 0,
    "updatedAt": lambda item: epoch(item.changed_at) or 0,
}
_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "": operator.eq,
    "!": operator.ne,
    ">>": operator.gt,
    "<<": operator.lt,
}
_TEXT_COMPARISONS: Final[dict[str, Callable[[str, str], bool]]] = {
    "": lambda text, part: part in text,
    "!": lambda text, part: part not in text,
    "=": operator.eq,
    "!=": operator.ne,
    "<": str.startswith,
    ">": str.endswith,
}


class UnknownQueryError(Exception):
    """A parameter that the fake does not understand; the message names it."""


def genre_key(name: str) -> str:
    """Return the key of a genre's tag."""
    return str(int.from_bytes(blake2b(name.encode(), digest_size=4).digest()))


class Query:
    """One query for the items of a section.

    Args:
        entries: the entries of the catalogue.
        parameters: the values of each query parameter.

    Raises:
        UnknownQueryError: if a parameter is not supported.
    """

    def __init__(self, entries: PlexEntries, parameters: Mapping[str, Sequence[str]]) -> None:
        self._entries = entries
        self._tests: list[Callable[[MediaItem], bool]] = []
        self.sort = ""
        self.limit: int | None = None
        for name, values in parameters.items():
            if name == "sort":
                self.sort = values[0]
            elif name == "limit":
                if not values[0].isdecimal():
                    raise UnknownQueryError(f"limit={values[0]}")
                self.limit = int(values[0])
            elif not name.lower().startswith("x-plex-") and name.lower() not in _SHAPE:
                self._tests.append(self._test(name, values))

    def select(self, items: Iterable[MediaItem]) -> list[MediaItem]:
        """Return those of *items* that pass the filters, in the order of the query."""
        found = [item for item in items if all(test(item) for test in self._tests)]
        for part in reversed(self.sort.split(",") if self.sort else []):
            name, _, direction = part.partition(":")
            order = _ORDERS.get(name.rpartition(".")[2])
            if order is None or direction not in {"", "asc", "desc"}:
                raise UnknownQueryError(f"sort={part}")
            found.sort(key=order, reverse=direction == "desc")
        return found if self.limit is None else found[: self.limit]

    def _test(self, name: str, values: Sequence[str]) -> Callable[[MediaItem], bool]:
        prefix = name.rstrip("=!<>")
        sign = name[len(prefix) :]
        field = prefix.rpartition(".")[2]
        if field in _STRINGS and sign in _TEXT_COMPARISONS:
            read, compare = _STRINGS[field], _TEXT_COMPARISONS[sign]
            wanted = [value.casefold() for value in values]
            return lambda item: any(compare(read(item).casefold(), value) for value in wanted)
        if (numbers := _NUMBERS.get(field) or _DATES.get(field)) and sign in _COMPARISONS:
            return _number_test(numbers, _COMPARISONS[sign], name, values)
        if sign in {"", "!"}:
            if field == "guid":
                return lambda item: (self._entries.guid(item) in values) != bool(sign)
            if field in _TAGS:
                keys = {key for value in values for key in value.split(",")}
                return lambda item: bool(keys & self._tag_keys(item, field)) != bool(sign)
        raise UnknownQueryError(f"{name}={','.join(values)}")

    def _tag_keys(self, item: MediaItem, field: str) -> set[str]:
        return {text for key, title in tags_of(item, field) for text in (key, title)}


def _number_test(
    read: Callable[[MediaItem], int | None],
    compare: Callable[[Any, Any], bool],
    name: str,
    values: Sequence[str],
) -> Callable[[MediaItem], bool]:
    try:
        wanted = [int(value) for text in values for value in text.split(",")]
    except ValueError:
        raise UnknownQueryError(f"{name}={','.join(values)}") from None

    def test(item: MediaItem) -> bool:
        number = read(item)
        return number is not None and any(compare(number, value) for value in wanted)

    return test


def tags_of(item: MediaItem, field: str) -> list[tuple[str, str]]:
    """Return an item's tags for one filter, as (key, title)."""
    if field == "genre":
        return [(genre_key(genre), genre) for genre in item.genres]
    name = _TAGS[field]
    return [(str(tag_id(credit.person, name)), credit.person.name) for credit in listed(item, name)]


def is_tag(field: str) -> bool:
    """Return whether a section can list all tags of this filter."""
    return field in _TAGS


def choices(items: Iterable[MediaItem], field: str, section: str) -> list[dict[str, Any]]:
    """Return all tags of *items* for one filter, as a section answers them."""
    found = dict(sorted({tag for item in items for tag in tags_of(item, field)}, key=lambda tag: tag[1]))
    return [
        {"key": key, "title": title, "fastKey": f"/library/sections/{section}/all?{field}={key}"}
        for key, title in found.items()
    ]


def meta(library: MediaLibrary) -> dict[str, Any]:
    """Return a section's answer to ``includeMeta=1``: its filters, orders and fields."""
    kinds = ["1"] if library.kind == "movies" else ["2", "3", "4"]
    return {
        "Type": [_meta_type(library.id, number, active=number == kinds[0]) for number in kinds],
        "FieldType": [
            {
                "type": kind,
                "Operator": [{"key": key, "title": title} for key, title in operators.items()],
            }
            for kind, operators in _OPERATOR_TITLES.items()
        ],
    }


def _meta_type(section: str, number: str, *, active: bool) -> dict[str, Any]:
    kind = str(TYPES[number])
    prefix = "" if kind == MediaType.MOVIE else f"{kind}."
    fields = {
        **dict.fromkeys(_STRINGS, "string"),
        **dict.fromkeys(_NUMBERS, "integer"),
        **dict.fromkeys(_DATES, "date"),
        **dict.fromkeys(_TAGS, "tag"),
    }
    return {
        "key": f"/library/sections/{section}/all?type={number}",
        "type": kind,
        "title": f"{kind.title()}s",
        "active": active,
        "Filter": [
            {
                "filter": name,
                "filterType": "string",
                "key": f"/library/sections/{section}/{name}",
                "title": name.title(),
                "type": "filter",
            }
            for name in _TAGS
        ],
        "Sort": [
            {"key": name, "descKey": f"{name}:desc", "defaultDirection": "asc", "title": name}
            for name in _ORDERS
            if name != "id"
        ],
        "Field": [
            {"key": f"{prefix}{name}", "title": name.title(), "type": type_} for name, type_ in fields.items()
        ],
    }
