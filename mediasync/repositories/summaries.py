"""Reading items and people without their lists, each page by one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mediasync.database.session import Session
from mediasync.repositories.building import in_slices, select_list
from mediasync.repositories.flaws import note_flaw, read_model
from mediasync.repositories.times import to_datetime
from mediasync.summaries import ItemSummary, PersonSummary

ITEM_SUMMARY: Final = {
    "id": "i.id",
    "source_id": "s.id",
    "library_id": "l.id",
    "parent_id": "parent.id",
    **{
        name: f"i.{name}"
        for name in (
            "media_type",
            "title",
            "original_title",
            "year",
            "premiere_date",
            "runtime_seconds",
            "season_number",
            "episode_number",
        )
    },
    "show_id": "CASE i.media_type WHEN 'season' THEN parent.id WHEN 'episode' THEN upper.id END",
    "show_title": "CASE i.media_type WHEN 'season' THEN parent.title WHEN 'episode' THEN upper.title END",
    "rating": "(SELECT r.value FROM item_rating r WHERE r.item_key = i.item_key AND r.position = 0)",
    "poster": "(SELECT m.path FROM item_image m WHERE m.item_key = i.item_key AND m.kind = 'poster')",
    "completeness": "i.completeness",
    "added_at": "i.added_at",
    "added_text": "i.added_text",
    "created_at": "i.created_at",
    "updated_at": "i.updated_at",
}
"""The columns of an `ItemSummary` of an item *i*, by name; `ITEM_SUMMARY_JOINS` has the tables."""

ITEM_SUMMARY_JOINS: Final = """
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
LEFT JOIN media_item parent ON parent.item_key = i.parent_key
LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
"""

# Reads items without their lists, in the order asked for.
SELECT_ITEM_SUMMARIES: Final = f"""
SELECT {select_list(ITEM_SUMMARY)}
FROM @list(:ids) g JOIN media_item i ON i.id = g.id {ITEM_SUMMARY_JOINS}
WHERE i.missing_since IS NULL ORDER BY g.n @oneplan
"""

_PERSON_SUMMARY: Final = {
    "id": "p.id",
    "source_id": "s.id",
    "name": "p.name",
    "image_path": "nullif(p.image_path, '')",
    "works": "coalesce(b.works, 0)",
    "first_year": "b.first_year",
    "last_year": "b.last_year",
    "known_for": "b.title",
    "known_for_year": "b.year",
}

# Reads people, with the number and years of their movies and shows and the best known of these, in the order
# asked for.
SELECT_PERSON_SUMMARIES: Final = f"""
WITH work AS (
    SELECT g.n, c.person_key, coalesce(upper.item_key, parent.item_key, i.item_key) AS item_key,
           min(c.sort_order) AS billing, min(i.year) AS first_year, max(i.year) AS last_year
    FROM @list(:ids) g
    JOIN person p ON p.id = g.id
    JOIN credit c ON c.person_key = p.person_key
    JOIN media_item i ON i.item_key = c.item_key
    LEFT JOIN media_item parent ON parent.item_key = i.parent_key
    LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
    WHERE i.missing_since IS NULL
    GROUP BY g.n, c.person_key, coalesce(upper.item_key, parent.item_key, i.item_key)
), ranked AS (
    SELECT w.n, w.person_key, i.title, i.year,
           count(*) OVER (PARTITION BY w.person_key) AS works,
           min(coalesce(w.first_year, i.year)) OVER (PARTITION BY w.person_key) AS first_year,
           max(coalesce(w.last_year, i.year)) OVER (PARTITION BY w.person_key) AS last_year,
           row_number() OVER (
               PARTITION BY w.person_key
               ORDER BY r.votes DESC NULLS LAST, w.billing, i.year NULLS LAST, i.id
           ) AS place
    FROM work w
    JOIN media_item i ON i.item_key = w.item_key
    LEFT JOIN item_rating r ON r.item_key = i.item_key AND r.position = 0
), best AS MATERIALIZED (
    SELECT * FROM ranked r WHERE r.place = 1
), named AS (
    SELECT b.n, b.person_key, b.works, b.first_year, b.last_year, b.title, b.year FROM best b
    UNION ALL
    SELECT g.n, p.person_key, NULL, NULL, NULL, NULL, NULL FROM @list(:ids) g JOIN person p ON p.id = g.id
    WHERE p.person_key NOT IN (SELECT b.person_key FROM best b)
)
SELECT {select_list(_PERSON_SUMMARY)}
FROM named b
JOIN person p ON p.person_key = b.person_key
JOIN source s ON s.source_key = p.source_key
WHERE p.uncredited_since IS NULL ORDER BY b.n @oneplan
"""


class SummaryReader:
    """Reads items and people without their lists.

    Args:
        session: a snapshot, or an open transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find_items(self, item_ids: Sequence[str]) -> list[ItemSummary]:
        """Return the items that are stored, in the order asked for."""
        rows = await self._session.fetch_all(SELECT_ITEM_SUMMARIES, {"ids": list(dict.fromkeys(item_ids))})
        return await in_slices(rows, item_summaries)

    async def find_people(self, person_ids: Sequence[str]) -> list[PersonSummary]:
        """Return the people who are credited, in the order asked for.

        The work grows with the number of their credits.
        """
        ids = {"ids": list(dict.fromkeys(person_ids))}
        rows = await self._session.fetch_all(SELECT_PERSON_SUMMARIES, ids)
        return await in_slices(rows, person_summaries)


def item_summaries(rows: Sequence[Sequence[Any]]) -> list[ItemSummary]:
    """Return the summaries of rows with the columns `ITEM_SUMMARY`. Rows that cannot be read are left out."""
    made = (_item_summary(dict(zip(ITEM_SUMMARY, row, strict=True))) for row in rows)
    return [summary for summary in made if summary is not None]


def person_summaries(rows: Sequence[Sequence[Any]]) -> list[PersonSummary]:
    """Return the summaries of rows of people. Rows that cannot be read are left out."""
    made = (
        read_model(PersonSummary, f"person {row[0]}", dict(zip(_PERSON_SUMMARY, row, strict=True)))
        for row in rows
    )
    return [summary for summary in made if summary is not None]


def _item_summary(stored: Mapping[str, Any]) -> ItemSummary | None:
    subject = f"media item {stored['id']}"
    values = dict(stored)
    added_text = values.pop("added_text")
    for name in ("added_at", "created_at", "updated_at"):
        at = values[name]
        values[name] = to_datetime(at)
        if at is not None and values[name] is None:
            note_flaw(subject, f"the stored {name} cannot be read and is left out ({at!r} is not a time)")
    values["added_at"] = values["added_at"] or added_text
    return read_model(ItemSummary, subject, values)
