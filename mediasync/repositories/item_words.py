"""The words of titles, by which items are found.

The table has no foreign key to the items, because each deletion of an item would then scan it. So the code
that deletes items or changes titles must also delete their words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mediasync.database.session import Session
from mediasync.text import StoredWord, words_of_item

WORD_COLUMNS: Final = "word text, place integer, item_key integer"

# Reads the titles of items, from which their stored words are computed.
SELECT_TITLES: Final = """
SELECT i.item_key, i.media_type, i.title, i.original_title, i.sort_title, i.year
FROM @list(:ids) l JOIN media_item i ON i.id = l.id
"""

# Reads the titles of items and of everything below them, before they are deleted together.
SELECT_TITLES_BELOW: Final = """
WITH RECURSIVE below (item_key) AS (
    SELECT i.item_key FROM @list(:ids) l JOIN media_item i ON i.id = l.id
    UNION
    SELECT i.item_key FROM below b JOIN media_item i ON i.parent_key = b.item_key
)
SELECT i.item_key, i.media_type, i.title, i.original_title, i.sort_title, i.year
FROM below b JOIN media_item i ON i.item_key = b.item_key
"""

# Stores new words of items whose titles changed.
INSERT_ITEM_WORDS: Final = f"""
INSERT INTO item_word (word, place, item_key)
SELECT r.word, r.place, r.item_key FROM @rows(:words, {WORD_COLUMNS}) r
WHERE true
ON CONFLICT (word, place, item_key) DO NOTHING
"""

# Deletes words of items whose titles changed, or that are deleted.
DELETE_ITEM_WORDS: Final = f"""
DELETE FROM item_word WHERE (word, place, item_key) IN (
    SELECT r.word, r.place, r.item_key FROM @rows(:words, {WORD_COLUMNS}) r
)
"""


async def find_item_words(
    session: Session, item_ids: Sequence[str], *, below: bool = False
) -> set[StoredWord]:
    """Return the words of the stored titles of items.

    Args:
        session: an open transaction.
        item_ids: the ids of the items.
        below: include the words of everything below the items.
    """
    query = SELECT_TITLES_BELOW if below else SELECT_TITLES
    rows: list[Any] = await session.fetch_all(query, {"ids": list(item_ids)})
    return {word for row in rows for word in words_of_item(*row)}


async def replace_item_words(session: Session, old: set[StoredWord], new: set[StoredWord]) -> None:
    """Replace the words of stored items. Only the differences are written."""
    if removed := sorted(old - new):
        await session.execute(DELETE_ITEM_WORDS, {"words": removed})
    if added := sorted(new - old):
        await session.execute(INSERT_ITEM_WORDS, {"words": added})
