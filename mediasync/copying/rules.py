"""What the schema does not say about copying. Everything else is derived from ``schema.sql``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mediasync.database.tables import Reference
from mediasync.text import searchable_words, words_of_item

NOT_COPIED: Final = {
    "schema_version": "each database has its own",
    "lease": "says which worker syncs a source into this database",
    "due_target": "says what workers will read into this database",
    "change_counter": "the service writes it last, so that numbers continue after the copied changes",
}
"""Tables that are not copied, each with the reason."""

KEPT_COLUMNS: Final = {
    ("source", "key_blocks"): "counts the blocks of storage keys that writers of this database have taken",
    ("sync_run", "fence"): "is the number of a lease of this database",
}
"""Columns that are not copied: a row of the target keeps its own value. Each with the reason."""

CLEARED_COLUMNS: Final = {
    ("person", "given_by"): "has the storage key of an item, and items are copied after people",
}
"""Columns that are not copied: they are NULL in every copied row. Each with the reason."""

KEYS_OF_WRITERS: Final = {
    "person": "keys come from blocks of a source, so that people of one source are neighbours",
    "media_item": "keys come from blocks of a source, so that items of one source are neighbours",
}
"""Tables whose storage keys are drawn from the session, not made by the engine. Each with the reason."""

PAGE_SIZES: Final = {
    "media_item": 200,
    "person": 2_000,
    "sync_run": 200,
}
"""How many rows of a table are copied at a time. The default suits tables to which few rows belong."""


@dataclass(frozen=True, slots=True)
class Description:
    """What reports and messages call the rows of a table, and which of their times are compared.

    Attributes:
        view: the public view that shows them. Reports name the number of copied rows by it.
        noun: what messages call one of them.
        created: the column with the time when it was made.
        changed: the columns with the time of its last change; the first that is not NULL counts.
    """

    view: str
    noun: str
    created: str = "created_at"
    changed: tuple[str, ...] = ("updated_at",)


DESCRIPTIONS: Final = {
    "source": Description("sources", "source"),
    "library": Description("libraries", "library"),
    "person": Description("people", "person"),
    "media_item": Description("media_items", "item"),
    "sync_run": Description("sync_runs", "run", "started_at", ("finished_at", "started_at")),
    "run_problem": Description("sync_run_problems", "problem"),
    "change": Description("changes", "change", "changed_at", ("changed_at",)),
}
"""Descriptions by table. A table without one is called by its own name."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A table whose rows are computed from those that they belong to.

    Such a table has neither a foreign key nor an index that finds the rows of an owner.

    Attributes:
        column: the column that refers to the owner.
        reference: what it refers to.
        rows: returns the rows that belong to a copied row, with the owner's id in place of its storage key.
    """

    column: str
    reference: Reference
    rows: Callable[[Mapping[str, Any]], Iterable[tuple[Any, ...]]]


def _name_words(person: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [(word, person["id"]) for word in searchable_words(person["name"])]


def _title_words(item: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    titles = (item[column] for column in ("media_type", "title", "original_title", "sort_title", "year"))
    return [(word, place, item["id"]) for word, place, _ in words_of_item(0, *titles)]


COMPUTED: Final = {
    "person_word": Computed("person_key", Reference("person", "person_key"), _name_words),
    "item_word": Computed("item_key", Reference("media_item", "item_key"), _title_words),
}
"""Tables whose rows are computed, by name."""

NOT_COMPARED: Final = {
    "library_counts": "counts rows of other views",
    "totals": "counts rows of other views",
    "credits_flat": "shows rows of other views together",
    "filmographies": "groups rows of other views",
    "show_cast": "groups rows of other views",
}
"""Views that are not compared, each with the reason."""

HIDDEN: Final = (
    "fingerprints",
    "media_items",
    """
    SELECT i.id, i.item_fingerprint, i.credits_fingerprint, i.change_token
    FROM media_item i WHERE i.id > :after AND i.id <= :last
    """,
)
"""What is compared although no view shows it: a name, the view whose rows have it, and the query."""

OWNERS_IN_VIEWS: Final = {
    "source_id": "sources",
    "library_id": "libraries",
    "person_id": "people",
    "media_item_id": "media_items",
    "run_id": "sync_runs",
}
"""What the rows of a view belong to, by the name of its first column."""

OWNERS_OF_VIEWS: Final = {"removed_media_people": "removed_items"}
"""What the rows of a view belong to that the name of its first column does not say."""
