"""The metadata with which datasette shows a mirror well.

Names, columns and descriptions come from ``schema.sql``, so a new view is in it by itself.
"""

from __future__ import annotations

from typing import Any, Final

from mediasync.database.schema import table_names
from mediasync.database.views import View, describe_views

_FACETS: Final = (
    "source_id",
    "library_id",
    "kind",
    "media_type",
    "completeness",
    "person_type",
    "entity",
    "what",
    "reason",
    "status",
    "provider",
)
"""Columns with few different values, wherever they occur; in views whose rows need no long search."""

_NOT_FACETED: Final = {"filmographies", "show_cast", "totals"}
"""Views that are computed from all credits unless a person or a title is given."""

_TOO_LONG: Final = {
    "overview",
    "tagline",
    "path",
    "image_path",
    "provider_ids",
    "before",
    "error",
    "server_id",
}
"""Columns by which nobody sorts: long texts, references and JSON."""

_NEWEST_FIRST: Final = {"changes": "number", "sync_runs": "id"}

_QUERIES: Final = {
    "newest_items": (
        "The newest items",
        "What the mirror got last, the newest first.",
        """
        SELECT created_at, media_type, title, year, source_id FROM media_items
        ORDER BY created_at DESC LIMIT 100
        """,
    ),
    "cast_of_title": (
        "The cast and crew of a title",
        "Everybody credited in the films, shows and episodes of this title, in the order of billing.",
        """
        SELECT i.title, i.year, p.name, c.person_type, c.role
        FROM media_items i
        JOIN media_people c ON c.media_item_id = i.id
        JOIN people p ON p.id = c.person_id
        WHERE i.title = :title
        ORDER BY i.id, c.sort_order LIMIT 1000
        """,
    ),
    "work_of_person": (
        "What a person did",
        "All credits of the people of this name, the oldest first.",
        """
        SELECT i.year, i.media_type, i.title, c.person_type, c.role, p.id AS person_id
        FROM people p
        JOIN media_people c ON c.person_id = p.id
        JOIN media_items i ON i.id = c.media_item_id
        WHERE p.name = :name
        ORDER BY i.year, i.title, c.sort_order LIMIT 1000
        """,
    ),
    "titles_of_both": (
        "What two people did together",
        "Items in which people of both names are credited.",
        """
        SELECT DISTINCT i.year, i.media_type, i.title
        FROM people p
        JOIN media_people a ON a.person_id = p.id
        JOIN media_people b ON b.media_item_id = a.media_item_id
        JOIN people q ON q.id = b.person_id
        JOIN media_items i ON i.id = a.media_item_id
        WHERE p.name = :name AND q.name = :other_name
        ORDER BY i.year, i.title LIMIT 1000
        """,
    ),
    "worked_with": (
        "With whom a person worked",
        "People in the same items as the people of this name, those with the most common items first.",
        """
        SELECT q.name, count(DISTINCT b.media_item_id) AS items
        FROM people p
        JOIN media_people a ON a.person_id = p.id
        JOIN media_people b ON b.media_item_id = a.media_item_id AND b.person_id <> a.person_id
        JOIN people q ON q.id = b.person_id
        WHERE p.name = :name
        GROUP BY q.id, q.name
        ORDER BY items DESC, q.name LIMIT 100
        """,
    ),
    "items_of_year": (
        "Films and shows of a year",
        "By title.",
        """
        SELECT title, media_type, source_id FROM media_items
        WHERE year = CAST(:year AS integer) AND media_type IN ('movie', 'show')
        ORDER BY title LIMIT 1000
        """,
    ),
    "sizes_of_libraries": (
        "How much each library lists",
        "Items by type, and how many of them have their whole credits.",
        """
        SELECT l.source_id, l.title AS library, c.media_type, sum(c.items) AS items,
               sum(CASE c.completeness WHEN 'full' THEN c.items ELSE 0 END) AS with_full_credits
        FROM library_counts c JOIN libraries l ON l.id = c.library_id
        GROUP BY l.id, l.source_id, l.title, c.media_type
        ORDER BY l.source_id, l.title, c.media_type
        """,
    ),
    "items_without_credits": (
        "Items without credits",
        "Films and episodes of which no cast and no crew is known.",
        """
        SELECT title, media_type, year, source_id FROM media_items
        WHERE completeness = 'none' AND media_type IN ('movie', 'episode')
        ORDER BY title LIMIT 1000
        """,
    ),
    "last_syncs": (
        "The last syncs",
        "With what each of them read, stored and could not store.",
        """
        SELECT id, source_id, status, started_at, finished_at, seen, saved, unchanged, failed, error
        FROM sync_runs ORDER BY id DESC LIMIT 50
        """,
    ),
    "last_changes": (
        "The last changes",
        "What the change log holds, the newest first.",
        """
        SELECT number, changed_at, entity, what, entity_id, run_id FROM changes
        ORDER BY number DESC LIMIT 200
        """,
    ),
    "removed": (
        "Removed items",
        "What the sources no longer have, the latest first.",
        """
        SELECT missing_since, media_type, title, year, source_id FROM removed_items
        ORDER BY missing_since DESC LIMIT 1000
        """,
    ),
}
"""The canned queries: a title, a sentence, and SQL over the views. Each ``:name`` becomes a field."""


def make_metadata(name: str) -> dict[str, Any]:
    """Return the metadata for datasette, as its option ``--metadata`` reads it from a JSON file.

    It describes each public view and its columns, says by which columns it can be sorted and faceted, hides
    the inner tables, and has canned queries.

    Args:
        name: what datasette calls the database: the name of its file without ``.db``.

    Example:
        >>> list(make_metadata("media")["databases"])
        ['media']
    """
    tables: dict[str, Any] = {table: {"hidden": True} for table in table_names()}
    tables |= {view.name: _describe(view) for view in describe_views()}
    queries = {
        key: {"title": title, "description": description, "sql": _dedented(sql)}
        for key, (title, description, sql) in _QUERIES.items()
    }
    return {
        "title": "mediasync",
        "description": "Movies and shows with their cast and crew, mirrored from the sources.",
        "databases": {name: {"tables": tables, "queries": queries}},
    }


def _describe(view: View) -> dict[str, Any]:
    described: dict[str, Any] = {}
    if view.description:
        described["description"] = view.description
    if columns := {name: text for name, text in view.columns.items() if text}:
        described["columns"] = columns
    if view.name not in _NOT_FACETED and (facets := [name for name in _FACETS if name in view.columns]):
        described["facets"] = facets
    described["sortable_columns"] = [name for name in view.columns if name not in _TOO_LONG]
    if newest := _NEWEST_FIRST.get(view.name):
        described["sort_desc"] = newest
    return described


def _dedented(sql: str) -> str:
    return "\n".join(line.removeprefix(" " * 8) for line in sql.strip("\n").rstrip().splitlines())
