"""What a shell offers while somebody types: names and ids that begin with what is there already.

Each statement returns pairs of a value and of what it is. They walk an index from ``:low`` to ``:high`` and
stop early, so that an answer comes at once from a large library, too.
"""

from __future__ import annotations

from typing import Final

# Lists the ids of the sources.
SOURCES: Final = """
SELECT s.id, s.kind FROM source s WHERE s.id >= :low AND s.id < :high ORDER BY s.id LIMIT :limit
"""

# Lists the titles of the libraries.
LIBRARY_TITLES: Final = """
SELECT DISTINCT coalesce(nullif(l.title, ''), l.id), l.kind FROM library l
WHERE coalesce(nullif(l.title, ''), l.id) >= :low AND coalesce(nullif(l.title, ''), l.id) < :high
ORDER BY 1 LIMIT :limit
"""

# Lists the ids of the libraries.
LIBRARY_IDS: Final = """
SELECT l.id, l.title FROM library l WHERE l.id >= :low AND l.id < :high ORDER BY l.id LIMIT :limit
"""

# Lists the titles of movies and shows. No index serves the condition on the type, so that of titles is used.
TITLES: Final = """
SELECT i.title, i.media_type FROM media_item i
WHERE i.title >= :low AND i.title < :high AND i.media_type NOT IN ('season', 'episode')
      AND i.missing_since IS NULL
ORDER BY i.title LIMIT :limit
"""

# Lists the ids of items.
ITEM_IDS: Final = """
SELECT i.id, i.title FROM media_item i
WHERE i.id >= :low AND i.id < :high AND i.missing_since IS NULL ORDER BY i.id LIMIT :limit
"""

# Lists the ids of items that their source no longer has, those that were found missing last first. It walks
# the index of missing items, which is mostly empty; that of ids would read all items.
REMOVED_IDS: Final = """
SELECT i.id, i.title FROM media_item i
WHERE i.missing_since IS NOT NULL AND i.id || '' >= :low AND i.id || '' < :high
ORDER BY i.missing_since DESC LIMIT :limit
"""

# Lists the names of people.
NAMES: Final = """
SELECT p.name, s.id FROM person p JOIN source s ON s.source_key = p.source_key
WHERE p.name >= :low AND p.name < :high AND p.uncredited_since IS NULL ORDER BY p.name LIMIT :limit
"""

# Lists the ids of people.
PERSON_IDS: Final = """
SELECT p.id, p.name FROM person p
WHERE p.id >= :low AND p.id < :high AND p.uncredited_since IS NULL ORDER BY p.id LIMIT :limit
"""

# Lists the genres, each by one step along the index.
GENRES: Final = """
WITH RECURSIVE step (name, number) AS (
    SELECT min(g.name), 1 FROM item_genre g WHERE g.name >= :low AND g.name < :high
    UNION ALL
    SELECT (SELECT min(g.name) FROM item_genre g WHERE g.name > s.name AND g.name < :high), s.number + 1
    FROM step s WHERE s.name IS NOT NULL AND s.number < :limit
)
SELECT s.name, 'genre' FROM step s WHERE s.name IS NOT NULL
"""
