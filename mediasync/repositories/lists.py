"""Lists of items and people: filtered, sorted, page by page, and counted.

A page costs the same wherever it is in the list. There are two ways to read one:

- Some condition of the filter holds for few rows, and an index finds those. They are all read, filtered and
  sorted. A first query, the probe, counts the rows of each such condition up to `RARE`.
- Otherwise an index is walked in the order of the list, beginning after the last row of the page before. Rows
  that the filter leaves out are skipped.

Columns of conditions are written ``~i.year``. In a walk they are hidden from the planner, so that it walks
the index of the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from mediasync.database.session import Session
from mediasync.filters import Credited, Facet, ItemFilter, ItemSort, PersonFilter
from mediasync.models import Credit
from mediasync.repositories.building import in_slices, select_list
from mediasync.repositories.credits import CREDIT, credits_of
from mediasync.repositories.summaries import (
    ITEM_SUMMARY,
    ITEM_SUMMARY_JOINS,
    SummaryReader,
    item_summaries,
)
from mediasync.sorting import name_sort_key
from mediasync.summaries import ItemSummary, PersonSummary
from mediasync.text import fold
from mediasync.vocabulary import MediaType

RARE: Final = 2_000
"""A condition is rare if at most so many rows meet it."""

Place = tuple[Any, str]
"""The place of a row in a list: the value that it is sorted by, or None, and its id."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_AFTER_ALL: Final = "\U0010ffff"
_FIRST_TIME: Final = -62135596800000

_HIDDEN: Final = re.compile(r"~(\w\.(?:media_type))\b|~(\w\.\w+)")

_OF_SOURCE: Final = """IN (
    SELECT l.library_key FROM library l JOIN source s ON s.source_key = l.source_key WHERE s.id = :source_id
)"""
_LIBRARY: Final = "(SELECT l.library_key FROM library l WHERE l.id = :library_id)"


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a filter.

    Attributes:
        where: holds for a row. Columns that have an index are written with ``~``.
        params: the parameters of all texts.
        keys: a query for the storage keys of the rows for which it holds, by an index; None if there is none.
        few: whether these are always few.
        sorts: the orders whose indexes find the rows for which it holds.
        bound: what finds them there, if it is not *where*.
    """

    where: str
    params: Mapping[str, Any] = field(default_factory=dict)
    keys: str | None = None
    few: bool = False
    sorts: frozenset[ItemSort] = frozenset()
    bound: str | None = None

    def hidden(self, sort: ItemSort | None) -> str:
        """Return the condition for a walk in the order of *sort*."""
        if sort is not None and self.bounds(sort):
            return self.bound or self.plain
        return _HIDDEN.sub(lambda found: f"({found[1]} || '')" if found[1] else f"+{found[2]}", self.where)

    def bounds(self, sort: ItemSort) -> bool:
        """Return whether the index of an order finds the rows for which the condition holds."""
        return sort in self.sorts

    @property
    def plain(self) -> str:
        """The condition as an engine may use any index for it."""
        return self.where.replace("~", "")


class _Order(NamedTuple):
    """How items are sorted.

    Attributes:
        column: the value of an item *i*.
        key: the expression that the index holds; ``{}`` stands for the value.
        of_types: whether the index has the type of the item first.
        lowest: a value below all others, as the index holds it; None if it needs none.
        is_optional: whether the value may be NULL.
    """

    column: str
    key: str = "{}"
    of_types: bool = True
    lowest: str | None = None
    is_optional: bool = True


_ORDERS: Final = {
    ItemSort.TITLE: _Order("i.sort_key", is_optional=False),
    ItemSort.YEAR: _Order("i.year", lowest=str(-(2**63) + 1)),
    ItemSort.RATING: _Order("i.rating", lowest="-1.0"),
    ItemSort.ADDED: _Order("i.added_at", "@time({})", of_types=False, lowest=f"@time({_FIRST_TIME})"),
    ItemSort.CHANGED: _Order(
        "i.updated_at", "@time({})", of_types=False, lowest=f"@time({_FIRST_TIME})", is_optional=False
    ),
}

_OF_TYPES: Final = frozenset(sort for sort, order in _ORDERS.items() if order.of_types)


def _person(name: str) -> str:
    return f"""(
    SELECT p.person_key FROM person p WHERE p.id = :{name}
    UNION ALL SELECT a.person_key FROM person_alias a WHERE a.id = :{name} AND a.shared = 0
)"""


# Reads the names of all genres, each by one look into their index.
SELECT_GENRES: Final = """
WITH RECURSIVE step (name) AS (
    SELECT min(g.name) FROM item_genre g
    UNION ALL
    SELECT (SELECT min(g.name) FROM item_genre g WHERE g.name > s.name) FROM step s WHERE s.name IS NOT NULL
)
SELECT s.name FROM step s WHERE s.name IS NOT NULL
"""


def _folded(genre: str) -> str:
    return " ".join(fold(genre).split()) or genre


def item_conditions(given: ItemFilter, genres: Sequence[str] = ()) -> list[Condition]:
    """Return the conditions of a filter of items *i*.

    Args:
        given: the filter.
        genres: its genre as the sources spell it; as it was given if there are none.
    """
    fields = _conditions_of_fields(given, genres)
    return [*_conditions_of_place(given), *fields, *_conditions_of_people(given)]


def _conditions_of_place(given: ItemFilter) -> Iterator[Condition]:
    if given.source_id is not None:
        yield Condition(
            f"~i.library_key {_OF_SOURCE}",
            {
                "source_id": given.source_id,
                "source_low": f"{given.source_id}:",
                "source_high": f"{given.source_id};",  # the character after the colon
            },
            "SELECT k.item_key FROM media_item k WHERE k.id >= :source_low AND k.id < :source_high",
        )
    if given.library_id is not None:
        yield Condition(
            f"(~i.library_key = {_LIBRARY} OR EXISTS (SELECT 1 FROM item_library x "
            f"WHERE x.item_key = i.item_key AND x.library_key = {_LIBRARY}))",
            {"library_id": given.library_id},
            f"SELECT k.item_key FROM media_item k WHERE k.library_key = {_LIBRARY} "
            f"UNION ALL SELECT x.item_key FROM item_library x WHERE x.library_key = {_LIBRARY}",
        )
    if given.media_types:
        listed = _listed(given.media_types)
        yield Condition(
            f"~i.media_type IN ({listed})",
            keys=f"SELECT k.item_key FROM media_item k WHERE k.media_type IN ({listed})",
            sorts=_OF_TYPES,
            bound="true",
        )


def _conditions_of_fields(given: ItemFilter, genres: Sequence[str]) -> Iterator[Condition]:
    of_types = f"SELECT k.item_key FROM media_item k WHERE k.media_type IN ({_listed(given.media_types)})"
    years = {"year_from": (">=", given.year_from), "year_to": ("<=", given.year_to)}
    known = {name: year for name, (_, year) in years.items() if year is not None}
    if known:
        yield Condition(
            " AND ".join(f"~i.year {years[name][0]} :{name}" for name in known),
            known,
            of_types + "".join(f" AND k.year {years[name][0]} :{name}" for name in known),
            sorts=frozenset({ItemSort.YEAR}),
        )
    if given.min_rating is not None:
        yield Condition(
            "~i.rating >= :min_rating",
            {"min_rating": given.min_rating},
            f"{of_types} AND k.rating >= :min_rating",
            sorts=frozenset({ItemSort.RATING}),
        )
    if given.completeness is not None:
        yield Condition("i.completeness = :completeness", {"completeness": str(given.completeness)})
    if given.genre is not None:
        spelt = {f"genre{number}": name for number, name in enumerate(genres or (given.genre,))}
        is_one = f"g.name IN ({', '.join(f':{name}' for name in spelt)})"
        yield Condition(
            f"EXISTS (SELECT 1 FROM item_genre g WHERE g.item_key = i.item_key AND {is_one})",
            spelt,
            f"SELECT g.item_key FROM item_genre g WHERE {is_one}",
        )
    yield from _conditions_of_providers(given)
    for name, column, sorts in (
        ("added_since", "added_at", {ItemSort.ADDED}),
        ("changed_since", "updated_at", {ItemSort.CHANGED}),
        ("created_since", "created_at", ()),
    ):
        if (since := getattr(given, name)) is not None:
            yield Condition(
                f"i.{column} >= :{name}",
                {name: -((_EPOCH - since) // _MILLISECOND)},  # rounded up
                f"SELECT k.item_key FROM media_item k WHERE @time(k.{column}) >= @time(:{name})",
                sorts=frozenset(sorts),
                bound=f"@time(i.{column}) >= @time(:{name})",
            )


def _conditions_of_providers(given: ItemFilter) -> Iterator[Condition]:
    of_provider = "EXISTS (SELECT 1 FROM item_external_id x WHERE x.item_key = i.item_key AND x.provider = "
    if given.provider_id is not None:
        provider, _, value = given.provider_id.partition(":")
        yield Condition(
            f"{of_provider}:provider AND x.value = :value_of_provider)",
            {"provider": provider, "value_of_provider": value},
            "SELECT x.item_key FROM item_external_id x "
            "WHERE x.provider = :provider AND x.value = :value_of_provider",
        )
    if given.with_provider is not None:
        yield Condition(
            f"{of_provider}:with_provider)",
            {"with_provider": given.with_provider},
            "SELECT x.item_key FROM item_external_id x WHERE x.provider = :with_provider",
        )
    if given.without_provider is not None:
        yield Condition(f"NOT {of_provider}:without_provider)", {"without_provider": given.without_provider})


def _conditions_of_people(given: ItemFilter) -> Iterator[Condition]:
    with_people: Sequence[Any] = tuple(given.with_people)
    for number, one in enumerate(with_people):
        credit, params = _credit_of(one, f"person{number}")
        yield Condition(
            f"EXISTS (SELECT 1 FROM credit c WHERE c.item_key = i.item_key AND {credit})",
            params,
            f"SELECT c.item_key FROM credit c WHERE {credit}",
        )
    for number, one in enumerate(given.without_people, len(with_people)):
        credit, params = _credit_of(one, f"person{number}")
        yield Condition(
            f"NOT EXISTS (SELECT 1 FROM credit c WHERE c.item_key = i.item_key AND {credit})", params
        )


def _credit_of(one: Any, name: str) -> tuple[str, dict[str, Any]]:
    assert isinstance(one, Credited)
    credit, params = f"c.person_key IN {_person(name)}", {name: one.person_id}
    if one.person_type is not None:
        credit += f" AND c.person_type = :{name}_type"
        params[f"{name}_type"] = str(one.person_type)
    return credit, params


def person_conditions(given: PersonFilter) -> list[Condition]:
    """Return the conditions of a filter of people *p*."""
    found = []
    if given.source_id is not None:
        of_source = "source_key = (SELECT s.source_key FROM source s WHERE s.id = :source_id)"
        found.append(
            Condition(
                f"~p.{of_source}",
                {"source_id": given.source_id},
                f"SELECT k.person_key FROM person k WHERE k.{of_source}",
            )
        )
    if given.name_prefix is not None:
        low = name_sort_key(given.name_prefix)
        found.append(
            Condition(
                "p.sort_key >= :name_low AND p.sort_key < :name_high",
                {"name_low": low, "name_high": low + _AFTER_ALL},
            )
        )
    if given.has_image is not None:
        found.append(Condition(f"p.image_path {'<>' if given.has_image else '='} ''"))
    if not given.item_id is given.person_type is given.library_id is None:
        found.append(_credit_condition(given))
    if given.min_works is not None:
        found.append(
            Condition(
                # Subqueries, not joins: without statistics PostgreSQL reads all items for each person.
                """(
    SELECT count(DISTINCT (
        SELECT coalesce(
            (SELECT coalesce(u.parent_key, u.item_key) FROM media_item u WHERE u.item_key = w.parent_key),
            w.item_key
        )
        FROM media_item w WHERE w.item_key = c.item_key AND w.missing_since IS NULL
    ))
    FROM credit c WHERE c.person_key = p.person_key
) >= :min_works""",
                {"min_works": given.min_works},
            )
        )
    return found


def _credit_condition(given: PersonFilter) -> Condition:
    params: dict[str, Any] = {}
    wanted = "w.missing_since IS NULL"
    if given.person_type is not None:
        wanted += " AND c.person_type = :person_type"
        params["person_type"] = str(given.person_type)
    if given.library_id is not None:
        wanted += (
            f" AND (w.library_key = {_LIBRARY} OR EXISTS (SELECT 1 FROM item_library x "
            f"WHERE x.item_key = w.item_key AND x.library_key = {_LIBRARY}))"
        )
        params["library_id"] = given.library_id
    listed = f"FROM credit c JOIN media_item w ON w.item_key = c.item_key WHERE {wanted}"
    keys = None
    if given.item_id is not None:
        listed += " AND w.id = :item_id"
        params["item_id"] = given.item_id
        keys = f"SELECT c.person_key {listed}"
    return Condition(
        f"EXISTS (SELECT 1 {listed} AND c.person_key = p.person_key)", params, keys, few=keys is not None
    )


def _listed(media_types: Any) -> str:
    return ", ".join(f"'{media_type}'" for media_type in (*media_types,) or (*MediaType,))


def _all(conditions: Sequence[str]) -> str:
    return "".join(f" AND {condition}" for condition in conditions)


def _direction(descending: bool) -> tuple[str, str]:
    return ("DESC", "<") if descending else ("ASC", ">")


# Every statement of this module is made of a filter and a sort. These are the makers.


def probe(conditions: Sequence[Condition], key: str) -> str:
    """Return the query that counts the rows of conditions that have *keys*, each up to ``:most``."""
    counts = (
        f"(SELECT count(*) FROM (SELECT k.{key} FROM ({one.keys}) k LIMIT :most) n) AS n{number}"
        for number, one in enumerate(conditions)
    )
    return f"SELECT {', '.join(counts)}"


def walk_items(
    conditions: Sequence[Condition],
    media_types: Sequence[MediaType],
    sort: ItemSort,
    descending: bool,
    after: Place | None,
) -> str:
    """Return the query for the next ``:limit`` items in the order of an index."""
    order = _ORDERS[sort]
    column = order.key.format(order.column)
    direction, beyond = _direction(descending)
    wanted = _all([one.hidden(sort) for one in conditions])
    is_known = any(one.bounds(sort) and one.bound != "true" for one in conditions)
    phases = []
    if after is None or after[0] is not None:
        if after is not None:
            phases.append((0, f"({column}, i.id) {beyond} ({order.key.format(':value')}, :id)"))
        else:
            # An index begins with the rows whose value is NULL.
            phases.append((0, f"{column} > {order.lowest}" if order.lowest else "true"))
    if order.is_optional and not is_known:
        continues = after is not None and after[0] is None
        phases.append((1, f"{column} IS NULL" + (f" AND i.id {beyond} :id" if continues else "")))
    types = [f"i.media_type = '{one}' AND " for one in media_types or MediaType] if order.of_types else [""]
    parts = [
        f"""SELECT * FROM (
    SELECT i.item_key, i.id AS item_id, {order.column} AS value, {phase} AS phase
    FROM media_item i
    WHERE {of_type}{place}{wanted} AND i.missing_since IS NULL
    ORDER BY {f"@onlynull({column})" if phase else column} {direction}, i.id {direction} LIMIT :limit
) of_{number}"""
        for number, (of_type, (phase, place)) in enumerate((one, two) for one in types for two in phases)
    ]
    if not parts:  # the list ends with the items whose value is known
        return "SELECT i.item_key, i.id AS item_id, i.year AS value, 0 AS phase FROM media_item i WHERE false"
    return f"""SELECT f.item_key, f.item_id, f.value, f.phase FROM ({" UNION ALL ".join(parts)}) f
ORDER BY f.phase, f.value {direction}, f.item_id {direction} LIMIT :limit"""


def sort_items(
    conditions: Sequence[Condition], few: Condition, sort: ItemSort, descending: bool, after: Place | None
) -> str:
    """Return the query for the next ``:limit`` of the few items that a condition finds."""
    column = _ORDERS[sort].column
    direction, beyond = _direction(descending)
    if after is None:
        place = "true"
    elif after[0] is None:
        place = f"{column} IS NULL AND i.id {beyond} :id"
    else:
        place = f"({column} {beyond} :value OR ({column} = :value AND i.id {beyond} :id) OR {column} IS NULL)"
    return f"""SELECT i.item_key, i.id AS item_id, {column} AS value,
    CASE WHEN {column} IS NULL THEN 1 ELSE 0 END AS phase
{_of_few_items(conditions, few)} AND {place}
ORDER BY phase, value {direction}, item_id {direction} LIMIT :limit"""


def _of_few_items(conditions: Sequence[Condition], few: Condition, joins: str = "") -> str:
    # CROSS: SQLite keeps this order
    return f"""FROM (SELECT DISTINCT k.item_key FROM ({few.keys}) k) d CROSS JOIN media_item i {joins}
WHERE i.item_key = d.item_key{_all([one.hidden(None) for one in conditions])} AND i.missing_since IS NULL"""


def _of_all_items(conditions: Sequence[Condition], joins: str = "") -> str:
    return f"FROM media_item i {joins} WHERE true{_all([one.plain for one in conditions])}"


def _of_removed_items(conditions: Sequence[Condition], joins: str = "") -> str:
    wanted = _all([one.hidden(None) for one in conditions])
    return f"FROM media_item i {joins} WHERE i.missing_since IS NOT NULL{wanted}"


def count_items(conditions: Sequence[Condition], few: Condition | None) -> str:
    """Return the query that counts items.

    Removed items, which are few, are counted apart, so that an index alone may count all.
    """
    if few is not None:
        return f"SELECT count(*) AS items {_of_few_items(conditions, few)}"
    return (
        f"SELECT (SELECT count(*) {_of_all_items(conditions)}) "
        f"- (SELECT count(*) {_of_removed_items(conditions)}) AS items"
    )


def page_of_items(rows: str, descending: bool, total: str | None) -> str:
    """Return the query for the summaries of the rows of *rows*.

    If *total* counts all items, their number is in each row, and there is a row even if the page is empty.
    """
    direction, _ = _direction(descending)
    columns = {**ITEM_SUMMARY, "sorted_by": "f.value", "place": "f.phase"}
    page = f"""SELECT {select_list(columns)}
FROM ({rows}) f CROSS JOIN media_item i {ITEM_SUMMARY_JOINS}
WHERE i.item_key = f.item_key"""
    if total is None:
        return f"{page} ORDER BY f.phase, f.value {direction}, f.item_id {direction}"
    return f"""SELECT t.items AS total, r.* FROM ({total}) t LEFT JOIN ({page}) r ON true
ORDER BY r.place, r.sorted_by {direction}, r.id {direction}"""


_FACETS: Final = {
    Facet.TYPE: ("i.media_type", ""),
    Facet.YEAR: ("i.year", ""),
    Facet.DECADE: ("i.year / 10 * 10", ""),
    Facet.GENRE: ("g.name", "JOIN item_genre g ON g.item_key = i.item_key"),
    Facet.SOURCE: (
        "s.id",
        "JOIN library l ON l.library_key = i.library_key JOIN source s ON s.source_key = l.source_key",
    ),
    Facet.LIBRARY: ("l.id", "JOIN library l ON l.library_key = i.library_key"),
}
_FURTHER_LIBRARIES: Final = (
    "l.id",
    "JOIN item_library m ON m.item_key = i.item_key JOIN library l ON l.library_key = m.library_key",
)


def count_items_by(facet: Facet, conditions: Sequence[Condition], few: Condition | None) -> str:
    """Return the query that counts items by a facet, by its values."""
    counted = []
    for value, joins in (_FACETS[facet], *([_FURTHER_LIBRARIES] if facet is Facet.LIBRARY else [])):
        sources = (
            [("", _of_all_items(conditions, joins)), ("-", _of_removed_items(conditions, joins))]
            if few is None
            else [("", _of_few_items(conditions, few, joins))]
        )
        counted += [
            f"SELECT {shown} AS value, {sign}count(*) AS items {source} GROUP BY {shown}"
            for sign, source in sources
            for shown in (f"coalesce({value}, NULL)" if sign else value,)  # hides it from the planner
        ]
    return (
        f"SELECT c.value, CAST(sum(c.items) AS bigint) AS items FROM ({' UNION ALL '.join(counted)}) c "
        "WHERE c.value IS NOT NULL GROUP BY c.value HAVING sum(c.items) > 0 ORDER BY c.value"
    )


def page_of_people(
    conditions: Sequence[Condition],
    few: Condition | None,
    descending: bool,
    after: Place | None,
    total: str | None,
) -> str:
    """Return the query for the ids and sort keys of the next ``:limit`` people, and for the number of all."""
    direction, beyond = _direction(descending)
    place = "true" if after is None else f"(p.sort_key, p.id) {beyond} (:value, :id)"
    source = (
        f"FROM person p WHERE {place}{_all([one.hidden(None) for one in conditions])}"
        if few is None
        else f"{_of_few_people(conditions, few)} AND {place}"
    )
    page = f"""SELECT p.id, p.sort_key {source} AND p.uncredited_since IS NULL
ORDER BY p.sort_key {direction}, p.id {direction} LIMIT :limit"""
    if total is None:
        return page
    return f"""SELECT t.people AS total, r.* FROM ({total}) t LEFT JOIN ({page}) r ON true
ORDER BY r.sort_key {direction}, r.id {direction}"""


def _of_few_people(conditions: Sequence[Condition], few: Condition) -> str:
    return f"""FROM (SELECT DISTINCT k.person_key FROM ({few.keys}) k) d CROSS JOIN person p
WHERE p.person_key = d.person_key{_all([one.hidden(None) for one in conditions])}"""


def count_people(conditions: Sequence[Condition], few: Condition | None) -> str:
    """Return the query that counts people."""
    if few is not None:
        return f"SELECT count(*) AS people {_of_few_people(conditions, few)} AND p.uncredited_since IS NULL"
    wanted = _all([one.plain for one in conditions])
    hidden = _all([one.hidden(None) for one in conditions])
    return (
        f"SELECT (SELECT count(*) FROM person p WHERE true{wanted}) "
        f"- (SELECT count(*) FROM person p WHERE p.uncredited_since IS NOT NULL{hidden}) AS people"
    )


# Reads a page of the credits of an item, in billing order.
SELECT_CAST: Final = f"""
SELECT {CREDIT}
FROM media_item i
JOIN credit c ON c.item_key = i.item_key AND c.sort_order > :after
JOIN person p ON p.person_key = c.person_key
WHERE i.id = :id AND i.missing_since IS NULL AND (:person_type IS NULL OR c.person_type = :person_type)
ORDER BY c.sort_order LIMIT :limit
"""

# Counts the credits of an item; no row if it is not stored.
COUNT_CAST: Final = """
SELECT (
    SELECT count(*) FROM credit c
    WHERE c.item_key = i.item_key AND (:person_type IS NULL OR c.person_type = :person_type)
) AS credits
FROM media_item i WHERE i.id = :id AND i.missing_since IS NULL
"""

# Reads the items that have an id at a public provider, without their lists.
SELECT_BY_PROVIDER_ID: Final = f"""
SELECT {select_list(ITEM_SUMMARY)}
FROM item_external_id x CROSS JOIN media_item i {ITEM_SUMMARY_JOINS}
WHERE x.provider = :provider AND x.value = :value AND i.item_key = x.item_key AND i.missing_since IS NULL
ORDER BY i.id
"""


class Rows(NamedTuple):
    """A part of a list as it was read.

    Attributes:
        found: the entries that can be read.
        last: the place of the last row; None if there is none.
        full: whether there were as many rows as asked for.
        total: how many rows the whole list has, if that was asked for.
    """

    found: list[Any]
    last: Place | None
    full: bool
    total: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a list is read.

    Attributes:
        conditions: all conditions of the filter.
        few: the condition whose rows are read; None if an index is walked.
    """

    conditions: Sequence[Condition]
    few: Condition | None

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of all conditions."""
        return {name: value for one in self.conditions for name, value in one.params.items()}


class ListReader:
    """Reads lists of items and people.

    Args:
        session: a snapshot, or an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def plan_items(self, given: ItemFilter, sort: ItemSort | None) -> Plan:
        """Find out how a list of items is read best. *sort* is None for counts."""
        conditions = item_conditions(given, await self._spellings_of(given.genre))
        candidates = [one for one in conditions if sort is None or not one.bounds(sort)]
        return await self._plan(candidates, conditions, "item_key")

    async def plan_people(self, given: PersonFilter) -> Plan:
        """Find out how a list of people is read best."""
        conditions = person_conditions(given)
        return await self._plan(conditions, conditions, "person_key")

    async def _spellings_of(self, genre: str | None) -> list[str]:
        """Return a genre as the sources spell it. Case, accents and punctuation do not matter."""
        if genre is None:
            return []
        names = [name for (name,) in await self._session.fetch_all(SELECT_GENRES, {})]
        return [name for name in names if _folded(name) == _folded(genre)]

    async def _plan(self, candidates: Sequence[Condition], conditions: Sequence[Condition], key: str) -> Plan:
        for one in candidates:
            if one.few:
                return Plan(conditions, one)
        counted = [one for one in candidates if one.keys is not None]
        if not counted:
            return Plan(conditions, None)
        params = {name: value for one in counted for name, value in one.params.items()}
        [numbers] = await self._session.fetch_all(probe(counted, key), {**params, "most": RARE + 1})
        fewest, one = min(zip(numbers, counted, strict=True), key=lambda pair: int(pair[0]))
        return Plan(conditions, one if fewest <= RARE else None)

    async def list_items(
        self,
        given: ItemFilter,
        plan: Plan,
        *,
        sort: ItemSort,
        descending: bool,
        after: Place | None,
        limit: int,
        with_total: bool,
    ) -> Rows:
        """Return a page of items."""
        media_types: Any = given.media_types
        if plan.few is not None:
            rows = sort_items(plan.conditions, plan.few, sort, descending, after)
        else:
            rows = walk_items(plan.conditions, media_types, sort, descending, after)
        total = count_items(plan.conditions, plan.few) if with_total else None
        query = page_of_items(rows, descending, total)
        found = await self._session.fetch_all(query, {**plan.params, **_place(after), "limit": limit})
        number = int(found[0][0]) if with_total else None
        shown = [row[1:] if with_total else row for row in found]
        shown = [row for row in shown if row[0] is not None]
        last = (shown[-1][-2], shown[-1][0]) if shown else None
        items: list[ItemSummary] = await in_slices([row[:-2] for row in shown], item_summaries)
        return Rows(items, last, len(shown) == limit, number)

    async def list_people(
        self,
        plan: Plan,
        *,
        descending: bool,
        after: Place | None,
        limit: int,
        with_total: bool,
    ) -> Rows:
        """Return a page of people."""
        total = count_people(plan.conditions, plan.few) if with_total else None
        query = page_of_people(plan.conditions, plan.few, descending, after, total)
        found = await self._session.fetch_all(query, {**plan.params, **_place(after), "limit": limit})
        number = int(found[0][0]) if with_total else None
        shown = [row[1:] if with_total else row for row in found]
        shown = [row for row in shown if row[0] is not None]
        people: list[PersonSummary] = (
            await SummaryReader(self._session).find_people([row[0] for row in shown]) if shown else []
        )
        last = (shown[-1][1], shown[-1][0]) if shown else None
        return Rows(people, last, len(shown) == limit, number)

    async def count_items(self, plan: Plan) -> int:
        """Return how many items there are."""
        [(number,)] = await self._session.fetch_all(count_items(plan.conditions, plan.few), plan.params)
        return int(number)

    async def count_people(self, plan: Plan) -> int:
        """Return how many people there are."""
        [(number,)] = await self._session.fetch_all(count_people(plan.conditions, plan.few), plan.params)
        return int(number)

    async def count_items_by(self, facet: Facet, plan: Plan) -> list[tuple[Any, int]]:
        """Return how many items there are of each value of a facet, by value."""
        query = count_items_by(facet, plan.conditions, plan.few)
        return [(value, int(number)) for value, number in await self._session.fetch_all(query, plan.params)]

    async def list_cast(
        self, item_id: str, person_type: str | None, *, after: int, limit: int
    ) -> list[Credit | None]:
        """Return a page of the credits of an item; None in place of one that cannot be read."""
        params = {"id": item_id, "person_type": person_type, "after": after, "limit": limit}
        return await in_slices(await self._session.fetch_all(SELECT_CAST, params), credits_of)

    async def count_cast(self, item_id: str, person_type: str | None) -> int | None:
        """Return how many credits an item has; None if it is not stored."""
        rows = await self._session.fetch_all(COUNT_CAST, {"id": item_id, "person_type": person_type})
        return int(rows[0][0]) if rows else None

    async def find_by_provider_id(self, provider: str, value: str) -> list[ItemSummary]:
        """Return the items that have an id at a public provider, by id."""
        rows = await self._session.fetch_all(SELECT_BY_PROVIDER_ID, {"provider": provider, "value": value})
        return await in_slices(rows, item_summaries)


def _place(after: Place | None) -> dict[str, Any]:
    if after is None:
        return {}
    return {"id": after[1]} if after[0] is None else {"value": after[0], "id": after[1]}
