"""Whole rows of a mirror, read from one database and written unchanged into another.

Rows are identified by their text ids: storage keys belong to one database, and the other engine may make them
in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mediasync.database.session import Session
from mediasync.repositories.changes import DELETE_CHANGES, ChangeRepository, Extent
from mediasync.repositories.credits import DELETE_CREDITS
from mediasync.repositories.item_reading import SELECT_EXTERNAL_IDS, SELECT_IMAGES
from mediasync.repositories.items import (
    DELETE_EXTERNAL_IDS,
    DELETE_GENRES,
    DELETE_IMAGES,
    DELETE_ITEM_LIBRARIES,
    DELETE_RATINGS,
    DELETE_REKEYED,
    INSERT_EXTERNAL_IDS,
    INSERT_GENRES,
    INSERT_IMAGES,
    INSERT_ITEM_LIBRARIES,
    INSERT_RATINGS,
    INSERT_REKEYED,
    OWN_COLUMNS,
    typed,
)
from mediasync.repositories.keys import new_keys
from mediasync.repositories.person_rows import PROVIDER_IDS
from mediasync.text import words_of_item, words_of_name

Row = tuple[Any, ...]

# The columns of every copied row begin with its id, the time of its creation and the time of its last change.

_SOURCE: Final = "SELECT s.id, s.created_at, s.updated_at, s.kind, s.name, s.server_id, s.watermark"
COPY_SOURCES_PAGE: Final = f"{_SOURCE} FROM source s WHERE s.id > :above ORDER BY s.id LIMIT :limit"
COPY_SOURCES_FIND: Final = f"{_SOURCE} FROM @list(:ids) k JOIN source s ON s.id = k.id"
COPY_SOURCES_WRITE: Final = """
INSERT INTO source (id, created_at, updated_at, kind, name, server_id, watermark)
SELECT r.id, r.created_at, r.updated_at, r.kind, r.name, r.server_id, r.watermark
FROM @rows(:rows, id text, created_at integer, updated_at integer, kind text, name text, server_id text,
    watermark text) r
WHERE true
ON CONFLICT (id) DO UPDATE
SET updated_at = excluded.updated_at, kind = excluded.kind, name = excluded.name,
    server_id = excluded.server_id, watermark = excluded.watermark
"""

_LIBRARY: Final = "SELECT l.id, l.created_at, l.updated_at, s.id AS source_id, l.remote_id, l.title, l.kind"
COPY_LIBRARIES_PAGE: Final = f"""
{_LIBRARY} FROM library l JOIN source s ON s.source_key = l.source_key
WHERE l.id > :above ORDER BY l.id LIMIT :limit
"""
COPY_LIBRARIES_FIND: Final = f"""
{_LIBRARY} FROM @list(:ids) k JOIN library l ON l.id = k.id JOIN source s ON s.source_key = l.source_key
"""
COPY_LIBRARIES_WRITE: Final = """
INSERT INTO library (source_key, id, created_at, updated_at, remote_id, title, kind)
SELECT s.source_key, r.id, r.created_at, r.updated_at, r.remote_id, r.title, r.kind
FROM @rows(:rows, id text, created_at integer, updated_at integer, source_id text, remote_id text, title text,
    kind text) r
JOIN source s ON s.id = r.source_id
WHERE true
ON CONFLICT (id) DO UPDATE
SET updated_at = excluded.updated_at, source_key = excluded.source_key, remote_id = excluded.remote_id,
    title = excluded.title, kind = excluded.kind
"""

_PERSON: Final = f"""
SELECT p.id, p.created_at, p.updated_at, s.id AS source_id, p.name, p.image_path, {PROVIDER_IDS},
    p.uncredited_since, p.replaced
"""
COPY_PEOPLE_PAGE: Final = f"""
{_PERSON} FROM person p JOIN source s ON s.source_key = p.source_key
WHERE p.id > :above ORDER BY p.id LIMIT :limit
"""
COPY_PEOPLE_FIND: Final = f"""
{_PERSON} FROM @list(:ids) k JOIN person p ON p.id = k.id JOIN source s ON s.source_key = p.source_key
"""
COPY_PEOPLE_WRITE: Final = """
INSERT INTO person (person_key, source_key, id, created_at, updated_at, name, image_path, uncredited_since,
    replaced)
SELECT r.person_key, s.source_key, r.id, r.created_at, r.updated_at, r.name, r.image_path,
    r.uncredited_since, r.replaced
FROM @rows(:rows, person_key integer, id text, created_at integer, updated_at integer, source_id text,
    name text, image_path text, provider_ids text, uncredited_since integer, replaced text) r
JOIN source s ON s.id = r.source_id
WHERE true
ON CONFLICT (id) DO UPDATE
SET updated_at = excluded.updated_at, source_key = excluded.source_key, name = excluded.name,
    image_path = excluded.image_path, uncredited_since = excluded.uncredited_since,
    replaced = excluded.replaced, given_by = NULL
"""
COPY_WORDS_DELETE: Final = """
DELETE FROM person_word WHERE (word, person_key) IN (
    SELECT r.word, p.person_key
    FROM @rows(:rows, person_id text, word text) r JOIN person p ON p.id = r.person_id
)
"""
COPY_WORDS_INSERT: Final = """
INSERT INTO person_word (word, person_key)
SELECT r.word, p.person_key FROM @rows(:rows, person_id text, word text) r JOIN person p ON p.id = r.person_id
WHERE true
ON CONFLICT (word, person_key) DO NOTHING
"""

COPY_PERSON_IDS_SELECT: Final = """
SELECT p.id AS person_id, x.provider, x.value
FROM @list(:ids) k JOIN person p ON p.id = k.id JOIN person_external_id x ON x.person_key = p.person_key
"""
COPY_PERSON_IDS_DELETE: Final = """
DELETE FROM person_external_id WHERE person_key IN (
    SELECT p.person_key FROM @list(:ids) k JOIN person p ON p.id = k.id
)
"""
COPY_PERSON_IDS_INSERT: Final = """
INSERT INTO person_external_id (person_key, provider, value)
SELECT p.person_key, r.provider, r.value
FROM @rows(:rows, person_id text, provider text, value text) r JOIN person p ON p.id = r.person_id
"""

COPY_ALIASES_SELECT: Final = """
SELECT a.id AS alias, p.id AS person_id, a.shared
FROM @list(:ids) k JOIN person p ON p.id = k.id JOIN person_alias a ON a.person_key = p.person_key
"""
COPY_ALIASES_DELETE: Final = """
DELETE FROM person_alias WHERE person_key IN (
    SELECT p.person_key FROM @list(:ids) k JOIN person p ON p.id = k.id
)
"""
COPY_ALIASES_INSERT: Final = """
INSERT INTO person_alias (id, person_key, shared)
SELECT r.alias, p.person_key, r.shared
FROM @rows(:rows, alias text, person_id text, shared integer) r JOIN person p ON p.id = r.person_id
WHERE true
ON CONFLICT (id) DO UPDATE SET person_key = excluded.person_key, shared = excluded.shared
"""

_ITEM: Final = f"""
SELECT i.id, i.created_at, i.updated_at, l.id AS library_id, p.id AS parent_id,
    {", ".join(f"i.{column}" for column in OWN_COLUMNS)}
"""
_ABOVE_ITEM: Final = """
JOIN library l ON l.library_key = i.library_key
LEFT JOIN media_item p ON p.item_key = i.parent_key
"""
COPY_ITEMS_PAGE: Final = f"""
{_ITEM} FROM media_item i {_ABOVE_ITEM}
WHERE i.id > :above
  AND CASE i.media_type WHEN 'season' THEN 'season' WHEN 'episode' THEN 'episode' ELSE '' END = :level
ORDER BY i.id LIMIT :limit
"""
COPY_ITEMS_FIND: Final = f"{_ITEM} FROM @list(:ids) k JOIN media_item i ON i.id = k.id {_ABOVE_ITEM}"
COPY_ITEMS_WRITE: Final = f"""
INSERT INTO media_item
    (library_key, parent_key, item_key, id, created_at, updated_at, {", ".join(OWN_COLUMNS)})
SELECT l.library_key, p.item_key, r.item_key, r.id, r.created_at, r.updated_at,
    {", ".join(f"r.{column}" for column in OWN_COLUMNS)}
FROM @rows(:rows, item_key integer, id text, created_at integer, updated_at integer, library_id text,
    parent_id text, {typed(OWN_COLUMNS)}) r
JOIN library l ON l.id = r.library_id
LEFT JOIN media_item p ON p.id = r.parent_id
WHERE true
ON CONFLICT (id) DO UPDATE
SET library_key = excluded.library_key, parent_key = excluded.parent_key, updated_at = excluded.updated_at,
    {", ".join(f"{column} = excluded.{column}" for column in OWN_COLUMNS)}
"""
COPY_GENRES_SELECT: Final = """
SELECT i.id AS item_id, x.position, x.name FROM @list(:ids) k
JOIN media_item i ON i.id = k.id JOIN item_genre x ON x.item_key = i.item_key
"""
COPY_RATINGS_SELECT: Final = """
SELECT i.id AS item_id, x.position, x.name, x.value, x.votes FROM @list(:ids) k
JOIN media_item i ON i.id = k.id JOIN item_rating x ON x.item_key = i.item_key
"""
COPY_CREDITS_SELECT: Final = """
SELECT i.id AS item_id, c.sort_order, p.id AS person_id, c.person_type, c.role FROM @list(:ids) k
JOIN media_item i ON i.id = k.id
JOIN credit c ON c.item_key = i.item_key
JOIN person p ON p.person_key = c.person_key
"""
COPY_CREDITS_INSERT: Final = """
INSERT INTO credit (item_key, sort_order, person_key, person_type, role)
SELECT i.item_key, r.sort_order, p.person_key, r.person_type, r.role
FROM @rows(:rows, item_id text, sort_order integer, person_id text, person_type text, role text) r
JOIN media_item i ON i.id = r.item_id
JOIN person p ON p.id = r.person_id
"""

COPY_ITEM_LIBRARIES_SELECT: Final = """
SELECT i.id AS item_id, (SELECT v.id FROM library v WHERE v.library_key = x.library_key) AS library_id
FROM @list(:ids) k JOIN media_item i ON i.id = k.id JOIN item_library x ON x.item_key = i.item_key
"""
COPY_REKEYED_SELECT: Final = """
SELECT r.current_id, r.id AS item_id FROM @list(:ids) k JOIN item_rekeyed r ON r.id = k.id
"""

COPY_ITEM_WORDS_DELETE: Final = """
DELETE FROM item_word WHERE (word, place, item_key) IN (
    SELECT r.word, r.place, i.item_key
    FROM @rows(:rows, item_id text, word text, place integer) r JOIN media_item i ON i.id = r.item_id
)
"""
COPY_ITEM_WORDS_INSERT: Final = """
INSERT INTO item_word (word, place, item_key)
SELECT r.word, r.place, i.item_key
FROM @rows(:rows, item_id text, word text, place integer) r JOIN media_item i ON i.id = r.item_id
WHERE true
ON CONFLICT (word, place, item_key) DO NOTHING
"""

# The id of a run is a number, and is passed as text here. A problem may end after the run that first had it
# was copied: the number of ended problems then differs, and the run is written again with its problems.
_RUN: Final = """
SELECT r.run_key, r.started_at, coalesce(r.finished_at, r.started_at) AS updated_at, s.id AS source_id,
    r.status, r.finished_at, r.seen, r.saved, r.unchanged, r.failed, r.error, r.selection, r.series,
    (SELECT count(*) FROM run_problem p
     WHERE p.series = r.series AND p.from_run = r.run_key AND p.until_run IS NOT NULL) AS ended_problems
"""
COPY_RUNS_PAGE: Final = f"""
{_RUN} FROM sync_run r JOIN source s ON s.source_key = r.source_key
WHERE r.run_key > :after ORDER BY r.run_key LIMIT :limit
"""
COPY_RUNS_FIND: Final = f"""
{_RUN} FROM @list(:ids) k
JOIN sync_run r ON r.run_key = CAST(k.id AS bigint)
JOIN source s ON s.source_key = r.source_key
"""
COPY_RUNS_WRITE: Final = """
INSERT INTO sync_run
    (run_key, source_key, status, started_at, finished_at, seen, saved, unchanged, failed, error, selection,
    series)
SELECT r.id, s.source_key, r.status, r.started_at, r.finished_at, r.seen, r.saved, r.unchanged, r.failed,
    r.error, r.selection, r.series
FROM @rows(:rows, id integer, started_at integer, updated_at integer, source_id text, status text,
    finished_at integer, seen integer, saved integer, unchanged integer, failed integer, error text,
    selection text, series integer, ended_problems integer) r
JOIN source s ON s.id = r.source_id
WHERE true
ON CONFLICT (run_key) DO UPDATE
SET source_key = excluded.source_key, status = excluded.status, finished_at = excluded.finished_at,
    seen = excluded.seen, saved = excluded.saved, unchanged = excluded.unchanged, failed = excluded.failed,
    error = excluded.error, selection = excluded.selection, series = excluded.series
"""
COPY_PROBLEMS_SELECT: Final = """
SELECT p.series, p.from_run, p.position, p.until_run, p.kind, p.subject, p.reason
FROM @list(:ids) k
JOIN sync_run r ON r.run_key = CAST(k.id AS bigint)
JOIN run_problem p ON p.series = r.series AND p.from_run = r.run_key
"""
COPY_PROBLEMS_DELETE: Final = """
DELETE FROM run_problem WHERE (series, from_run) IN (
    SELECT r.series, r.run_key FROM @list(:ids) k JOIN sync_run r ON r.run_key = CAST(k.id AS bigint)
)
"""
COPY_PROBLEMS_INSERT: Final = """
INSERT INTO run_problem (series, from_run, position, until_run, kind, subject, reason)
SELECT r.series, r.from_run, r.position, r.until_run, r.kind, r.subject, r.reason
FROM @rows(:rows, series integer, from_run integer, position integer, until_run integer, kind text,
    subject text, reason text) r
"""
COPY_RUN_LIBRARIES_SELECT: Final = """
SELECT x.run_key, l.id AS library_id, x.counted, x.seen, x.unseen, x.previews, x.complete, x.reason
FROM @list(:ids) k
JOIN sync_run_library x ON x.run_key = CAST(k.id AS bigint)
JOIN library l ON l.library_key = x.library_key
"""
COPY_RUN_LIBRARIES_DELETE: Final = """
DELETE FROM sync_run_library WHERE run_key IN (SELECT CAST(k.id AS bigint) FROM @list(:ids) k)
"""
COPY_RUN_LIBRARIES_INSERT: Final = """
INSERT INTO sync_run_library (run_key, library_key, counted, seen, unseen, previews, complete, reason)
SELECT r.run_key, l.library_key, r.counted, r.seen, r.unseen, r.previews, r.complete, r.reason
FROM @rows(:rows, run_key integer, library_id text, counted integer, seen integer, unseen integer,
    previews integer, complete integer, reason text) r
JOIN library l ON l.id = r.library_id
"""

# A change keeps its number, so whoever follows the log goes on with the copy.
_CHANGE: Final = """
SELECT c.number, c.changed_at, c.changed_at AS updated_at, c.run_key, c.reason, c.entity, c.entity_id, c.what,
    c.before, c.other_id
"""
COPY_CHANGES_PAGE: Final = f"{_CHANGE} FROM change c WHERE c.number > :after ORDER BY c.number LIMIT :limit"
COPY_CHANGES_FIND: Final = f"{_CHANGE} FROM @list(:ids) k JOIN change c ON c.number = CAST(k.id AS bigint)"
COPY_CHANGES_WRITE: Final = """
INSERT INTO change
    (number, changed_at, run_key, reason, entity, entity_id, what, before, other_id)
SELECT r.number, r.changed_at, r.run_key, r.reason, r.entity, r.entity_id, r.what, r.before, r.other_id
FROM @rows(:rows, number integer, changed_at integer, updated_at integer, run_key integer, reason text,
    entity text, entity_id text, what text, before text, other_id text) r
WHERE true
ON CONFLICT (number) DO UPDATE
SET run_key = excluded.run_key, reason = excluded.reason, entity = excluded.entity,
    entity_id = excluded.entity_id, what = excluded.what, before = excluded.before,
    other_id = excluded.other_id
"""
COPY_EXTENT: Final = "UPDATE change_counter SET newest = :newest, pruned = :pruned"

_COUNT: Final = "SELECT count(*) AS number FROM {view} v"
_WALK: Final = "SELECT v.* FROM {view} v WHERE v.id > :above ORDER BY v.id LIMIT :limit"
_BELOW: Final = """
SELECT v.* FROM @list(:ids) k JOIN {view} v ON v.media_item_id = k.id ORDER BY v.media_item_id, v.{order}
"""
COMPARE_RUNS: Final = "SELECT v.* FROM sync_runs v WHERE v.id > :after ORDER BY v.id LIMIT :limit"
COMPARE_CHANGES: Final = """
SELECT v.* FROM changes v WHERE v.number > :after ORDER BY v.number LIMIT :limit
"""
COMPARE_PROBLEMS: Final = """
SELECT v.* FROM @list(:ids) k JOIN sync_run_problems v ON v.run_id = CAST(k.id AS bigint)
ORDER BY v.run_id, v.position, v.kind, v.subject, v.reason
"""
COMPARE_RUN_LIBRARIES: Final = """
SELECT v.* FROM @list(:ids) k JOIN sync_run_libraries v ON v.run_id = CAST(k.id AS bigint)
ORDER BY v.run_id, v.library_id
"""
COMPARE_FINGERPRINTS: Final = """
SELECT i.id, i.item_fingerprint, i.credits_fingerprint, i.change_token
FROM @list(:ids) k JOIN media_item i ON i.id = k.id ORDER BY i.id
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of another table that belong to rows of a kind and are written with them.

    Attributes:
        read: the query that reads them in the origin, or a function that computes them from the rows.
        delete: the statement that deletes them before they are written again. Its parameter is the ids of the
            rows, or what the function computes from the stored ones.
        insert: the statement that inserts them.
    """

    read: str | Callable[[Sequence[Row]], list[Row]]
    delete: str
    insert: str


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows that are copied page by page, after the rows of the kinds before it.

    Attributes:
        view: the public view that shows them.
        noun: what messages call one of them.
        page: the query for the next rows, in the order of their ids.
        find: the query for rows with given ids, with the same columns.
        write: the statement that inserts rows, or updates those that exist.
        size: the number of rows in a page.
        start: a value before the first id.
        level: the kind of items. Their parents are of other levels, which are copied before.
        has_keys: whether rows are written with a storage key before the id.
        parts: what belongs to the rows.
    """

    view: str
    noun: str
    page: str
    find: str
    write: str
    size: int
    start: str | int = ""
    level: str = ""
    has_keys: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A public view that is compared row by row.

    Attributes:
        view: its name.
        page: the query for its next rows, in the order of their ids.
        start: a value before the first id.
        below: what is compared with each page: names, and queries for the rows that belong to given ids.
    """

    view: str
    page: str
    start: str | int = ""
    below: tuple[tuple[str, str], ...] = ()


def _words(people: Sequence[Row]) -> list[Row]:
    return [(row[0], word) for row in people for word in words_of_name(row[4])]


_OWN: Final = 5
_TITLE_COLUMNS: Final = tuple(
    _OWN + OWN_COLUMNS.index(column) for column in ("media_type", "title", "original_title", "year")
)


def _item_words(items: Sequence[Row]) -> list[Row]:
    return [
        (row[0], word, where)
        for row in items
        for word, where, _ in words_of_item(0, *(row[column] for column in _TITLE_COLUMNS))
    ]


_PARTS_OF_ITEMS: Final = (
    Part(_item_words, COPY_ITEM_WORDS_DELETE, COPY_ITEM_WORDS_INSERT),
    Part(SELECT_EXTERNAL_IDS, DELETE_EXTERNAL_IDS, INSERT_EXTERNAL_IDS),
    Part(COPY_GENRES_SELECT, DELETE_GENRES, INSERT_GENRES),
    Part(COPY_RATINGS_SELECT, DELETE_RATINGS, INSERT_RATINGS),
    Part(SELECT_IMAGES, DELETE_IMAGES, INSERT_IMAGES),
    Part(COPY_CREDITS_SELECT, DELETE_CREDITS, COPY_CREDITS_INSERT),
    Part(COPY_ITEM_LIBRARIES_SELECT, DELETE_ITEM_LIBRARIES, INSERT_ITEM_LIBRARIES),
    Part(COPY_REKEYED_SELECT, DELETE_REKEYED, INSERT_REKEYED),
)

KINDS: Final = (
    Kind("sources", "source", COPY_SOURCES_PAGE, COPY_SOURCES_FIND, COPY_SOURCES_WRITE, size=500),
    Kind("libraries", "library", COPY_LIBRARIES_PAGE, COPY_LIBRARIES_FIND, COPY_LIBRARIES_WRITE, size=500),
    Kind(
        "people",
        "person",
        COPY_PEOPLE_PAGE,
        COPY_PEOPLE_FIND,
        COPY_PEOPLE_WRITE,
        size=2_000,
        has_keys=True,
        parts=(
            Part(_words, COPY_WORDS_DELETE, COPY_WORDS_INSERT),
            Part(COPY_PERSON_IDS_SELECT, COPY_PERSON_IDS_DELETE, COPY_PERSON_IDS_INSERT),
            Part(COPY_ALIASES_SELECT, COPY_ALIASES_DELETE, COPY_ALIASES_INSERT),
        ),
    ),
    *(
        Kind(
            "media_items",
            "item",
            COPY_ITEMS_PAGE,
            COPY_ITEMS_FIND,
            COPY_ITEMS_WRITE,
            size=200,
            level=level,
            has_keys=True,
            parts=_PARTS_OF_ITEMS,
        )
        for level in ("", "season", "episode")
    ),
    Kind(
        "sync_runs",
        "run",
        COPY_RUNS_PAGE,
        COPY_RUNS_FIND,
        COPY_RUNS_WRITE,
        size=20,
        start=0,
        parts=(
            Part(COPY_PROBLEMS_SELECT, COPY_PROBLEMS_DELETE, COPY_PROBLEMS_INSERT),
            Part(COPY_RUN_LIBRARIES_SELECT, COPY_RUN_LIBRARIES_DELETE, COPY_RUN_LIBRARIES_INSERT),
        ),
    ),
    Kind("changes", "change", COPY_CHANGES_PAGE, COPY_CHANGES_FIND, COPY_CHANGES_WRITE, size=1_000, start=0),
)
"""What is copied, in this order."""

_ORDERS: Final = {
    "external_ids": "provider",
    "genres": "position",
    "ratings": "position",
    "images": "kind",
    "media_people": "sort_order",
    "item_libraries": "library_id",
}
COMPARISONS: Final = (
    *(Comparison(view, _WALK.format(view=view)) for view in ("sources", "libraries", "people")),
    Comparison(
        "media_items",
        _WALK.format(view="media_items"),
        below=(
            ("fingerprints", COMPARE_FINGERPRINTS),
            *((view, _BELOW.format(view=view, order=order)) for view, order in _ORDERS.items()),
        ),
    ),
    Comparison(
        "sync_runs",
        COMPARE_RUNS,
        start=0,
        below=(("sync_run_problems", COMPARE_PROBLEMS), ("sync_run_libraries", COMPARE_RUN_LIBRARIES)),
    ),
    Comparison("changes", COMPARE_CHANGES, start=0),
)
"""How a copy is compared with its origin: every public view except those that count rows of others, and the
fingerprints, which no view shows."""


class CopyRepository:
    """Reads whole rows, and writes them unchanged.

    Args:
        session: a snapshot, or an open transaction for the methods that write.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def read_page(self, kind: Kind, after: str | int) -> list[Row]:
        """Return the next rows of a kind after the id *after*, in the order of their ids."""
        params = {**_behind(after), "level": kind.level, "limit": kind.size}
        return await self._fetch(kind.page, params)

    async def find(self, kind: Kind, rows: Sequence[Row]) -> dict[Any, Row]:
        """Return the stored rows with the ids of *rows*, by id."""
        found = await self._fetch(kind.find, {"ids": _ids(rows)})
        return {row[0]: row for row in found}

    async def read_parts(self, kind: Kind, rows: Sequence[Row]) -> list[list[Row]]:
        """Return the rows that belong to *rows*, for each part of the kind."""
        ids = _ids(rows)
        return [
            await self._fetch(part.read, {"ids": ids}) if isinstance(part.read, str) else part.read(rows)
            for part in kind.parts
        ]

    async def write(
        self, kind: Kind, rows: Sequence[Row], parts: Sequence[Sequence[Row]], *, replaced: Sequence[Row]
    ) -> None:
        """Write rows and the rows that belong to them.

        Args:
            kind: the kind of the rows.
            rows: rows with different ids.
            parts: the rows that belong to them, as `read_parts` returned them.
            replaced: the older rows that the target has for some of the ids.
        """
        written = list(rows)
        if kind.has_keys:
            keys = new_keys(self._session, [row[0] for row in rows])
            written = [(key, *row) for key, row in zip(keys, rows, strict=True)]
        await self._session.execute(kind.write, {"rows": written})
        for part, of_part in zip(kind.parts, parts, strict=True):
            if replaced:
                of_replaced = (
                    {"rows": part.read(replaced)} if callable(part.read) else {"ids": _ids(replaced)}
                )
                await self._session.execute(part.delete, of_replaced)
            if of_part:
                await self._session.execute(part.insert, {"rows": list(of_part)})

    async def continue_numbers(self, statement: str | None) -> None:
        """Make the engine number later runs after the copied ones, with *statement* if it needs one."""
        if statement is not None:
            await self._session.fetch_all(statement)

    async def set_extent(self, extent: Extent) -> None:
        """Delete the changes that the origin has pruned, and number later ones after the copied ones."""
        if await ChangeRepository(self._session).find_extent() == extent:
            return
        await self._session.execute(DELETE_CHANGES, {"last": extent.pruned})
        await self._session.execute(COPY_EXTENT, extent._asdict())

    async def count(self, views: Sequence[str]) -> dict[str, int]:
        """Return how many rows each view has."""
        return {
            view: number
            for view in views
            for (number,) in await self._session.fetch_all(_COUNT.format(view=view))
        }

    async def compare_page(self, comparison: Comparison, after: str | int, limit: int) -> list[Row]:
        """Return the next rows of a view after the id *after*, in the order of ids, with times as text."""
        found = await self._fetch(comparison.page, {**_behind(after), "limit": limit})
        return [tuple(map(_plain, row)) for row in found]

    async def compare_below(self, query: str, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that belong to rows of a view, in order."""
        return await self._fetch(query, {"ids": _ids(rows)})

    async def _fetch(self, query: str, params: Mapping[str, Any]) -> list[Row]:
        """Return rows as plain tuples, which can be compared and given to another engine."""
        return list(map(tuple, await self._session.fetch_all(query, params)))


def _behind(after: str | int) -> Mapping[str, str | int]:
    return {"after" if isinstance(after, int) else "above": after}


def _ids(rows: Sequence[Row]) -> list[str]:
    return [str(row[0]) for row in rows]


def _plain(value: Any) -> Any:
    """Return a time as SQLite's views show it, and anything else as it is."""
    if not isinstance(value, datetime):
        return value
    rounded = value.astimezone(UTC) + timedelta(microseconds=500)
    return f"{rounded.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
