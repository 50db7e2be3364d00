"""The filters and orders of a fake Kodi's video library."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from posixpath import basename, dirname
from typing import Any, Final

from mediasync.models import MediaItem
from mediasync.testing.kodi_records import Records

Fields = Mapping[str, Any]

_FIELDS: Final[dict[str, Callable[[Fields], Any]]] = {
    "title": lambda fields: fields["title"],
    "originaltitle": lambda fields: fields["originaltitle"],
    "plot": lambda fields: fields["plot"],
    "tagline": lambda fields: fields["tagline"],
    "mpaarating": lambda fields: fields["mpaa"],
    "year": lambda fields: fields["year"],
    "rating": lambda fields: fields["rating"],
    "time": lambda fields: fields["runtime"],
    "genre": lambda fields: fields["genre"],
    "director": lambda fields: fields["director"],
    "writers": lambda fields: fields["writer"],
    "dateadded": lambda fields: fields["dateadded"],
    "airdate": lambda fields: fields["premiered"],
    "playcount": lambda fields: fields["playcount"],
    "tvshow": lambda fields: fields.get("showtitle", fields["title"]),
    "season": lambda fields: fields.get("season", -1),
    "episode": lambda fields: fields.get("episode", -1),
    "filename": lambda fields: basename(fields["file"]),
    "path": lambda fields: f"{dirname(fields['file'])}/",
}
"""The value of an item that each field of a rule tests."""

_ORDERS: Final[dict[str, Callable[[Fields], Any]]] = {
    "label": lambda fields: fields["title"].casefold(),
    "title": lambda fields: fields["title"].casefold(),
    "sorttitle": lambda fields: (fields["sorttitle"] or fields["title"]).casefold(),
    "year": lambda fields: fields["year"],
    "date": lambda fields: fields["premiered"],
    "dateadded": lambda fields: fields["dateadded"],
    "rating": lambda fields: fields["rating"],
    "file": lambda fields: fields["file"],
    "path": lambda fields: fields["file"],
    "season": lambda fields: fields.get("season", -1),
    "episode": lambda fields: (fields.get("season", -1), fields.get("episode", -1)),
}
"""The sort key of each sort method."""

SORTS: Final = frozenset({"none", *_ORDERS})
"""The sort methods."""

_ARTICLES: Final = ("the ", "a ", "an ")

_OPERATORS: Final[dict[str, tuple[Callable[[Any, Any], bool], bool]]] = {
    "is": (operator.eq, True),
    "isnot": (operator.eq, False),
    "contains": (lambda value, part: str(part) in str(value), True),
    "doesnotcontain": (lambda value, part: str(part) in str(value), False),
    "startswith": (lambda value, part: str(value).startswith(str(part)), True),
    "endswith": (lambda value, part: str(value).endswith(str(part)), True),
    "greaterthan": (operator.gt, True),
    "lessthan": (operator.lt, True),
    "after": (operator.gt, True),
    "before": (operator.lt, True),
}
"""How each operator compares, and the expected result; a negated operator holds if no value matches."""


class UnknownRuleError(Exception):
    """A filter that the fake does not understand."""


def passes(records: Records, number: int, item: MediaItem, rule: Any) -> bool:
    """Return whether an item matches a rule.

    Args:
        records: the records of the catalogue.
        number: the item's id.
        item: the item in the catalogue.
        rule: the value of ``filter``; every item matches None.

    Raises:
        UnknownRuleError: if the rule is not supported.
    """
    match rule:
        case None:
            return True
        case {"and": list(rules)}:
            return all(passes(records, number, item, inner) for inner in rules)
        case {"or": list(rules)}:
            return any(passes(records, number, item, inner) for inner in rules)
        case {"actor": str(name)} if len(rule) == 1:
            return records.credits_itself(item, [name])
        case {"genre": str(name)} if len(rule) == 1:
            return name in item.genres
        case {"year": int(year)} if len(rule) == 1:
            return item.year == year
        case {"field": "actor", "operator": "is" | "isnot" as sign, "value": value}:
            return records.credits_itself(item, _values(value)) == bool(sign == "is")
        case {"field": str(field), "operator": str(sign), "value": value} if (
            field in _FIELDS and sign in _OPERATORS
        ):
            compare, wanted = _OPERATORS[sign]
            found = [_comparable(one) for one in _values(_FIELDS[field](records.fields(number, item)))]
            given = [_comparable(one, found) for one in _values(value)]
            return any(compare(one, other) for one in found for other in given) == wanted
    raise UnknownRuleError


def ordered(
    records: Records, items: Iterable[tuple[int, MediaItem]], sort: Mapping[str, Any]
) -> list[tuple[int, MediaItem]]:
    """Return the items in the given order.

    Args:
        records: the records of the catalogue.
        items: the items with their ids.
        sort: ``method``, one of `SORTS`; ``order``; and ``ignorearticle``.
    """
    order = _ORDERS[sort["method"]]
    skip = bool(sort.get("ignorearticle"))

    def key(pair: tuple[int, MediaItem]) -> Any:
        value = order(records.fields(*pair))
        return _without_article(value) if skip and isinstance(value, str) else value

    return sorted(items, key=key, reverse=sort.get("order") == "descending")


def _without_article(text: str) -> str:
    return next((text.removeprefix(article) for article in _ARTICLES if text.startswith(article)), text)


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _comparable(value: Any, others: Iterable[Any] = ()) -> Any:
    """Return a value for comparison: texts without case, or as numbers if the *others* are numbers."""
    if not isinstance(value, str):
        return value
    if any(isinstance(other, int | float) for other in others):
        try:
            return float(value)
        except ValueError:
            raise UnknownRuleError from None
    return value.casefold()
