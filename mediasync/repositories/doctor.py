"""Checks of cast data: queries that find what is probably wrong with it.

Each query returns one row for each case: ``source_id``, ``weight`` (cases with a higher one are shown first),
``id``, and then facts. It leaves out removed items and people whom nobody credits. Its parameters are
``source_id`` (NULL: all sources) and ``year`` (this year).
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce
from typing import Any, Final, NamedTuple

from mediasync.database.session import Session
from mediasync.vocabulary import CAST_TYPES

_CAST: Final = ", ".join(f"'{person_type}'" for person_type in sorted(CAST_TYPES))
_FIRST_FILMS: Final = 1870

_SHOWN_ITEMS: Final = """
FROM media_item i
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
WHERE i.missing_since IS NULL AND (:source_id IS NULL OR s.id = :source_id)
"""
_SHOWN_PEOPLE: Final = """
FROM person p JOIN source s ON s.source_key = p.source_key
WHERE p.uncredited_since IS NULL AND (:source_id IS NULL OR s.id = :source_id)
"""
_TITLED: Final = "i.title || coalesce(' (' || i.year || ')', '')"
_NUMBERED: Final = """
coalesce('S' || i.season_number, '') || coalesce('E' || i.episode_number || ' ', ' ') || i.title
"""

# Two people are certainly not one if a provider has an id for each of them.
_NOT_KNOWN_APART: Final = """
NOT EXISTS (
    SELECT 1 FROM person_external_id x JOIN person_external_id y ON y.provider = x.provider
    WHERE x.person_key = a.person_key AND y.person_key = b.person_key AND y.value <> x.value
)
"""

# Finds movies and shows of which nobody is credited, neither in them nor in anything below them.
NO_CREDITS: Final = f"""
SELECT s.id AS source_id, 0 AS weight, i.id AS id, {_TITLED} AS item, l.id AS library_id
{_SHOWN_ITEMS}
AND i.media_type IN ('movie', 'show')
AND NOT EXISTS (SELECT 1 FROM credit c WHERE c.item_key = i.item_key)
AND NOT EXISTS (
    SELECT 1 FROM media_item b JOIN credit c ON c.item_key = b.item_key WHERE b.parent_key = i.item_key
)
AND NOT EXISTS (
    SELECT 1 FROM media_item b
    JOIN media_item e ON e.parent_key = b.item_key
    JOIN credit c ON c.item_key = e.item_key
    WHERE b.parent_key = i.item_key
)
"""

_FILMS: Final = f"""
WITH film AS (
    SELECT i.item_key, i.library_key, s.id AS source_id, i.id AS id, {_TITLED} AS item, i.runtime_seconds,
        CASE WHEN EXISTS (
            SELECT 1 FROM credit c WHERE c.item_key = i.item_key AND c.person_type IN ({_CAST})
        ) THEN 1 ELSE 0 END AS has_cast,
        CASE WHEN EXISTS (
            SELECT 1 FROM credit c WHERE c.item_key = i.item_key AND c.person_type NOT IN ({_CAST})
        ) THEN 1 ELSE 0 END AS has_crew
    {_SHOWN_ITEMS} AND i.media_type = 'movie'
)
"""
_KINDS_WITHOUT_CAST: Final = " OR ".join(
    f"lower(g.name) LIKE '%{part}%'"
    for part in ("docu", "doku", "anim", "short", "kurz", "court", "musi", "concert", "konzert", "sport")
)

# Finds movies with a crew and no cast, in libraries whose other movies have one. Documentaries, cartoons,
# music and short films often have none.
NO_CAST: Final = f"""
{_FILMS}, usual AS (
    SELECT f.library_key FROM film f GROUP BY f.library_key
    HAVING count(*) >= 10 AND sum(f.has_cast) * 5 >= count(*) * 4
)
SELECT f.source_id, 0 AS weight, f.id, f.item
FROM film f JOIN usual u ON u.library_key = f.library_key
WHERE f.has_cast = 0 AND f.has_crew = 1 AND coalesce(f.runtime_seconds, 2400) >= 2400
AND NOT EXISTS (SELECT 1 FROM item_genre g WHERE g.item_key = f.item_key AND ({_KINDS_WITHOUT_CAST}))
"""

# Finds movies with a cast and no crew, in libraries whose other movies have one.
NO_CREW: Final = f"""
{_FILMS}, usual AS (
    SELECT f.library_key FROM film f GROUP BY f.library_key
    HAVING count(*) >= 10 AND sum(f.has_crew) * 5 >= count(*) * 4
)
SELECT f.source_id, 0 AS weight, f.id, f.item
FROM film f JOIN usual u ON u.library_key = f.library_key
WHERE f.has_cast = 1 AND f.has_crew = 0
"""

# Finds episodes without credits in shows of at least ten episodes, of which four in five have credits.
EPISODES_WITHOUT_CREDITS: Final = f"""
WITH episode AS (
    SELECT s.id AS source_id, i.id AS id, {_NUMBERED} AS item,
        coalesce(upper.item_key, parent.item_key) AS show_key,
        coalesce(upper.title, parent.title) AS show_title,
        CASE WHEN EXISTS (SELECT 1 FROM credit c WHERE c.item_key = i.item_key)
            THEN 1 ELSE 0 END AS is_credited
    FROM media_item i
    JOIN library l ON l.library_key = i.library_key
    JOIN source s ON s.source_key = l.source_key
    JOIN media_item parent ON parent.item_key = i.parent_key
    LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
    WHERE i.missing_since IS NULL AND (:source_id IS NULL OR s.id = :source_id) AND i.media_type = 'episode'
), usual AS (
    SELECT e.show_key FROM episode e GROUP BY e.show_key
    HAVING count(*) >= 10 AND sum(e.is_credited) * 5 >= count(*) * 4
)
SELECT e.source_id, 0 AS weight, e.id, e.show_title AS show_title, e.item
FROM episode e JOIN usual u ON u.show_key = e.show_key
WHERE e.is_credited = 0
"""

# Finds lengths at which the casts of a library pile up, with hardly any longer ones. The rules are told in
# docs/how-to/check-cast-data.md.
CAST_CAP: Final = f"""
WITH sized AS (
    SELECT s.id AS source_id, l.id AS library_id, i.media_type,
        coalesce(upper.item_key, parent.item_key, i.item_key) AS work_key,
        (SELECT count(*) FROM credit c WHERE c.item_key = i.item_key AND c.person_type IN ({_CAST})) AS actors
    FROM media_item i
    JOIN library l ON l.library_key = i.library_key
    JOIN source s ON s.source_key = l.source_key
    LEFT JOIN media_item parent ON parent.item_key = i.parent_key
    LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
    WHERE i.missing_since IS NULL AND (:source_id IS NULL OR s.id = :source_id)
), lengths AS (
    SELECT z.source_id, z.library_id, z.media_type, z.actors, count(*) AS items,
        count(DISTINCT z.work_key) AS works
    FROM sized z WHERE z.actors > 0 GROUP BY z.source_id, z.library_id, z.media_type, z.actors
), placed AS (
    SELECT n.source_id, n.library_id, n.media_type, n.actors, n.items, n.works,
        sum(n.items) OVER (PARTITION BY n.library_id, n.media_type) AS of_all,
        sum(n.items) OVER (PARTITION BY n.library_id, n.media_type ORDER BY n.actors DESC) - n.items AS above
    FROM lengths n
)
SELECT p.source_id, p.items AS weight, p.library_id AS id, p.media_type, p.actors, p.items,
    CAST(p.of_all AS bigint) AS of_all, CAST(p.above AS bigint) AS longer
FROM placed p
LEFT JOIN lengths a ON a.library_id = p.library_id AND a.media_type = p.media_type AND a.actors = p.actors - 1
LEFT JOIN lengths b ON b.library_id = p.library_id AND b.media_type = p.media_type AND b.actors = p.actors - 2
WHERE p.actors >= 5 AND p.works >= 20 AND p.items * 10 >= p.of_all AND p.above * 50 <= p.items
AND p.items >= 4 * coalesce(a.items, 0) AND p.items >= 4 * coalesce(b.items, 0)
"""

# Finds libraries of which more credit lists are known in part than in full.
PREVIEWS: Final = """
SELECT * FROM (
    SELECT s.id AS source_id, sum(CASE i.completeness WHEN 'preview' THEN 1 ELSE 0 END) AS weight, l.id AS id,
        CAST(sum(CASE i.completeness WHEN 'preview' THEN 1 ELSE 0 END) AS bigint) AS previews,
        CAST(sum(CASE i.completeness WHEN 'full' THEN 1 ELSE 0 END) AS bigint) AS complete
    FROM library l
    JOIN source s ON s.source_key = l.source_key
    JOIN media_item i ON i.library_key = l.library_key
    WHERE i.missing_since IS NULL AND (:source_id IS NULL OR s.id = :source_id)
    GROUP BY s.id, l.id
) n WHERE n.previews > n.complete
"""

# Finds actors of at least ten movies and shows without a picture, in sources that have pictures of at least a
# quarter of all people.
NO_PICTURE: Final = f"""
WITH usual AS (
    SELECT p.source_key, s.id AS source_id {_SHOWN_PEOPLE}
    GROUP BY p.source_key, s.id HAVING sum(CASE p.image_path WHEN '' THEN 0 ELSE 1 END) * 4 >= count(*)
), busy AS (
    SELECT u.source_id, p.person_key, p.id, p.name
    FROM usual u JOIN person p ON p.source_key = u.source_key
    WHERE p.uncredited_since IS NULL AND p.image_path = ''
    AND (SELECT count(*) FROM credit c WHERE c.person_key = p.person_key) >= 10
)
SELECT b.source_id, count(DISTINCT coalesce(upper.item_key, parent.item_key, i.item_key)) AS weight,
    b.id, b.name,
    count(DISTINCT coalesce(upper.item_key, parent.item_key, i.item_key)) AS works
FROM busy b
JOIN credit c ON c.person_key = b.person_key
JOIN media_item i ON i.item_key = c.item_key
LEFT JOIN media_item parent ON parent.item_key = i.parent_key
LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
WHERE c.person_type IN ({_CAST}) AND i.missing_since IS NULL
GROUP BY b.source_id, b.person_key, b.id, b.name
HAVING count(DISTINCT coalesce(upper.item_key, parent.item_key, i.item_key)) >= 10
"""

_LETTERS: Final = reduce(
    lambda name, mark: f"replace({name}, '{mark}', '')", (" ", "-", ".", ",", "''", "’"), "p.name"
)

# Finds people of one source whose names consist of the same words or the same letters, and are spelt
# differently. Where the source has ids of its own for people, as Plex has, names prove nothing: such people
# have to be credited in one item.
SPELLINGS: Final = f"""
WITH worded AS (
    SELECT w.person_key, min(w.word) AS low, max(w.word) AS high, count(*) AS words,
        sum(length(w.word)) AS size
    FROM person_word w GROUP BY w.person_key
), named AS (
    SELECT p.source_key, p.person_key, p.name, w.low, w.high, w.words, w.size, lower({_LETTERS}) AS letters
    FROM person p JOIN worded w ON w.person_key = p.person_key
    WHERE p.uncredited_since IS NULL
), spelt AS (
    SELECT n.source_key, min(n.name) AS name, max(n.name) AS other_name FROM named n
    GROUP BY n.low, n.high, n.words, n.size, n.source_key HAVING min(n.name) <> max(n.name)
    UNION
    SELECT n.source_key, min(n.name) AS name, max(n.name) AS other_name FROM named n
    GROUP BY n.letters, n.source_key HAVING min(n.name) <> max(n.name)
)
SELECT s.id AS source_id, 0 AS weight, a.id AS id, a.name, b.id AS other_id, b.name AS other_name
FROM spelt r
JOIN person a ON a.name = r.name AND a.source_key = r.source_key AND a.uncredited_since IS NULL
JOIN person b ON b.name = r.other_name AND b.source_key = r.source_key AND b.uncredited_since IS NULL
JOIN source s ON s.source_key = a.source_key
WHERE (:source_id IS NULL OR s.id = :source_id) AND {_NOT_KNOWN_APART} AND (
    s.kind IN ('jellyfin', 'emby', 'kodi', 'nfo') OR EXISTS (
        SELECT 1 FROM credit c JOIN credit d ON d.item_key = c.item_key
        WHERE c.person_key = a.person_key AND d.person_key = b.person_key
    )
)
ORDER BY s.id, a.id
"""

# Finds people of one source who play the same character in one show under different names.
SAME_CHARACTER: Final = f"""
WITH part AS (
    SELECT DISTINCT coalesce(upper.item_key, parent.item_key, i.item_key) AS work_key, c.role, c.person_key
    FROM media_item i
    JOIN library l ON l.library_key = i.library_key
    JOIN source s ON s.source_key = l.source_key
    JOIN credit c ON c.item_key = i.item_key
    LEFT JOIN media_item parent ON parent.item_key = i.parent_key
    LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
    WHERE i.missing_since IS NULL AND (:source_id IS NULL OR s.id = :source_id)
    AND i.media_type IN ('show', 'season', 'episode') AND c.person_type IN ({_CAST})
    AND c.role IS NOT NULL
), few AS (
    SELECT t.work_key, t.role FROM part t GROUP BY t.work_key, t.role HAVING count(*) BETWEEN 2 AND 4
), shared AS (
    SELECT t.work_key, t.role, t.person_key
    FROM few f JOIN part t ON t.work_key = f.work_key AND t.role = f.role
)
SELECT s.id AS source_id, 0 AS weight, a.id AS id, a.name, b.id AS other_id, b.name AS other_name,
    x.role, i.title AS item
FROM shared x
JOIN shared y ON y.work_key = x.work_key AND y.role = x.role AND y.person_key > x.person_key
JOIN person a ON a.person_key = x.person_key
JOIN person b ON b.person_key = y.person_key
JOIN source s ON s.source_key = a.source_key
JOIN media_item i ON i.item_key = x.work_key
WHERE a.name <> b.name AND {_NOT_KNOWN_APART}
ORDER BY s.id, a.id
"""

# Finds names with a mark that separates the names in a list.
LISTED_NAMES: Final = f"""
SELECT s.id AS source_id, 0 AS weight, p.id AS id, p.name
{_SHOWN_PEOPLE}
AND (p.name LIKE '%,%' OR p.name LIKE '%/%' OR p.name LIKE '%;%' OR p.name LIKE '%|%')
ORDER BY s.id, p.id
"""

# Finds names with a character that occurs in markup and addresses.
MARKED_NAMES: Final = f"""
SELECT s.id AS source_id, 0 AS weight, p.id AS id, p.name
{_SHOWN_PEOPLE}
AND (p.name LIKE '%<%' OR p.name LIKE '%&%;%' OR p.name LIKE '%://%' OR p.name LIKE 'www.%')
ORDER BY s.id, p.id
"""

# Finds names that stand for nobody.
PLACEHOLDERS: Final = f"""
SELECT s.id AS source_id, 0 AS weight, p.id AS id, p.name
{_SHOWN_PEOPLE}
AND lower(p.name) IN (
    'n/a', 'n.a.', 'null', 'undefined', 'unknown', 'not available', 'not applicable', 'unknown actor',
    'unknown director', 'unknown writer', 'unknown artist', 'various', 'various artists', 'various actors',
    'various directors', 'various writers', 'tba', 'tbd', 'to be announced', 'to be determined', 'unbekannt',
    'keine angabe', 'inconnu', 'desconocido', 'sconosciuto', 'et al', 'et al.', 'and others', '-', '--', '?',
    '??', '???', '.', '...'
)
"""

# Finds people between whose first and last work lie more than 90 years. Writers and composers are left out,
# because films are made of works of the dead, and so is what is taken from archives.
CAREERS: Final = f"""
WITH early AS (
    SELECT DISTINCT c.person_key FROM media_item i JOIN credit c ON c.item_key = i.item_key
    WHERE i.missing_since IS NULL AND i.year BETWEEN {_FIRST_FILMS} AND :year - 86
), long AS (
    SELECT c.person_key
    FROM early e
    JOIN credit c ON c.person_key = e.person_key
    JOIN media_item i ON i.item_key = c.item_key
    WHERE i.missing_since IS NULL AND i.year BETWEEN {_FIRST_FILMS} AND :year + 4
    GROUP BY c.person_key HAVING max(i.year) - min(i.year) > 90
), work AS (
    SELECT c.person_key, i.year, i.title
    FROM long e
    JOIN credit c ON c.person_key = e.person_key
    JOIN media_item i ON i.item_key = c.item_key
    WHERE i.missing_since IS NULL AND i.year BETWEEN {_FIRST_FILMS} AND :year + 4
    AND c.person_type IN ({_CAST}, 'director', 'editor') AND lower(coalesce(c.role, '')) NOT LIKE '%archiv%'
    AND lower(coalesce(c.role, '')) NOT LIKE 'self%' AND lower(coalesce(c.role, '')) NOT LIKE 'him%self%'
    AND lower(coalesce(c.role, '')) NOT LIKE 'her%self%'
), span AS (
    SELECT w.person_key, min(w.year) AS first_year, max(w.year) AS last_year,
        min(w.year || ' ' || w.title) AS first_item, max(w.year || ' ' || w.title) AS last_item
    FROM work w GROUP BY w.person_key
)
SELECT s.id AS source_id, n.last_year - n.first_year AS weight, p.id AS id, p.name, n.first_year, n.last_year,
    substr(n.first_item, 6) AS first_item, substr(n.last_item, 6) AS last_item
FROM span n
JOIN person p ON p.person_key = n.person_key
JOIN source s ON s.source_key = p.source_key
WHERE n.last_year - n.first_year > 90 AND (:source_id IS NULL OR s.id = :source_id)
"""

# Finds people of one source who have the same id at a provider.
SAME_PROVIDER_ID: Final = """
WITH neighbour AS (
    SELECT p.person_key, x.provider, x.value,
        lag(p.person_key) OVER (
            PARTITION BY x.provider, x.value, p.source_key ORDER BY p.person_key
        ) AS other_key
    FROM person_external_id x JOIN person p ON p.person_key = x.person_key
    WHERE p.uncredited_since IS NULL
)
SELECT s.id AS source_id, 0 AS weight, a.id AS id, a.name, b.id AS other_id, b.name AS other_name,
    min(n.provider || ':' || n.value) AS provider_id
FROM neighbour n
JOIN person a ON a.person_key = n.other_key
JOIN person b ON b.person_key = n.person_key
JOIN source s ON s.source_key = a.source_key
WHERE :source_id IS NULL OR s.id = :source_id
GROUP BY s.id, a.id, a.name, b.id, b.name
"""

# Finds people of different sources who have the same id at a provider and different names.
PROVIDER_ID_OF_TWO: Final = """
WITH neighbour AS (
    SELECT p.person_key, x.provider, x.value,
        lag(p.person_key) OVER (
            PARTITION BY x.provider, x.value ORDER BY p.source_key, p.person_key
        ) AS other_key
    FROM person_external_id x JOIN person p ON p.person_key = x.person_key
    WHERE p.uncredited_since IS NULL
)
SELECT s.id AS source_id, 0 AS weight, a.id AS id, a.name, b.id AS other_id, b.name AS other_name,
    min(n.provider || ':' || n.value) AS provider_id
FROM neighbour n
JOIN person a ON a.person_key = n.other_key
JOIN person b ON b.person_key = n.person_key
JOIN source s ON s.source_key = a.source_key
JOIN source t ON t.source_key = b.source_key
WHERE s.source_key <> t.source_key AND lower(a.name) <> lower(b.name)
AND (:source_id IS NULL OR s.id = :source_id OR t.id = :source_id)
GROUP BY s.id, a.id, a.name, b.id, b.name ORDER BY s.id, a.id
"""

# Finds people of one source and one name who are credited in the same item.
SAME_NAME: Final = f"""
WITH neighbour AS (
    SELECT p.person_key,
        lag(p.person_key) OVER (PARTITION BY p.name, p.source_key ORDER BY p.person_key) AS other_key
    FROM person p WHERE p.uncredited_since IS NULL
)
SELECT s.id AS source_id, count(DISTINCT i.item_key) AS weight, a.id AS id, a.name, b.id AS other_id,
    min({_TITLED}) AS item
FROM neighbour n
JOIN person a ON a.person_key = n.other_key
JOIN person b ON b.person_key = n.person_key
JOIN source s ON s.source_key = a.source_key
JOIN credit c ON c.person_key = a.person_key
JOIN credit d ON d.person_key = b.person_key AND d.item_key = c.item_key
JOIN media_item i ON i.item_key = c.item_key
WHERE (:source_id IS NULL OR s.id = :source_id) AND i.missing_since IS NULL AND {_NOT_KNOWN_APART}
GROUP BY s.id, a.id, a.name, b.id
"""

_LAST_RUNS: Final = """
SELECT s.id AS source_id, 0 AS weight, p.subject AS id, p.reason, r.run_key AS run_id
FROM source s
JOIN sync_run r ON r.run_key = (
    SELECT max(o.run_key) FROM sync_run o
    WHERE o.source_key = s.source_key AND o.selection = '' AND o.series IS NOT NULL
)
JOIN run_problem p ON p.series = r.series
WHERE (:source_id IS NULL OR s.id = :source_id)
AND p.from_run <= r.run_key AND (p.until_run IS NULL OR p.until_run > r.run_key)
"""

# Finds what the last sync of each whole source could not read or store.
UNREAD: Final = f"{_LAST_RUNS} AND p.kind = 'failure'"

# Finds what the last sync of each whole source could read only in part.
READ_IN_PART: Final = f"{_LAST_RUNS} AND p.kind = 'problem'"

# Finds items of years before there were films, or too far ahead to be planned.
IMPOSSIBLE_YEARS: Final = f"""
SELECT s.id AS source_id, 0 AS weight, i.id AS id, i.media_type, i.title, i.year
{_SHOWN_ITEMS} AND (i.year < {_FIRST_FILMS} OR i.year >= :year + 5)
"""

# Finds seasons and episodes that do not stand below a show.
NO_SHOW: Final = f"""
SELECT s.id AS source_id, 0 AS weight, i.id AS id, i.media_type, {_NUMBERED} AS item
FROM media_item i
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
LEFT JOIN media_item parent ON parent.item_key = i.parent_key
LEFT JOIN media_item upper ON upper.item_key = parent.parent_key
WHERE i.missing_since IS NULL AND (:source_id IS NULL OR s.id = :source_id)
AND i.media_type IN ('season', 'episode')
AND coalesce(CASE parent.media_type WHEN 'show' THEN parent.item_key END, upper.item_key) IS NULL
"""

# Finds movies and shows that a source has twice: with the same id at a provider; or with the same title, year
# and people, and without ids that tell them apart.
DUPLICATES: Final = f"""
WITH known AS (
    SELECT i.item_key, lag(i.item_key) OVER (
        PARTITION BY x.provider, x.value, i.media_type, l.source_key ORDER BY i.item_key
    ) AS other_key
    FROM item_external_id x
    JOIN media_item i ON i.item_key = x.item_key
    JOIN library l ON l.library_key = i.library_key
    WHERE x.provider IN ('imdb', 'tmdb', 'tvdb') AND i.media_type IN ('movie', 'show')
    AND i.missing_since IS NULL
), titled AS (
    SELECT i.item_key, lag(i.item_key) OVER (
        PARTITION BY lower(i.title), i.year, i.media_type, l.source_key ORDER BY i.item_key
    ) AS other_key
    FROM media_item i JOIN library l ON l.library_key = i.library_key
    WHERE i.year IS NOT NULL AND i.media_type IN ('movie', 'show') AND i.missing_since IS NULL
), pair AS (
    SELECT k.item_key, k.other_key FROM known k WHERE k.other_key IS NOT NULL
    UNION
    SELECT t.item_key, t.other_key FROM titled t
    WHERE t.other_key IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM item_external_id x JOIN item_external_id y ON y.provider = x.provider
        WHERE x.item_key = t.item_key AND y.item_key = t.other_key AND y.value <> x.value
    ) AND EXISTS (
        SELECT 1 FROM credit c JOIN credit d ON d.person_key = c.person_key
        WHERE c.item_key = t.item_key AND d.item_key = t.other_key
    )
)
SELECT s.id AS source_id, 0 AS weight, i.id AS id, {_TITLED} AS item, j.id AS other_id,
    i.path, j.path AS other_path
FROM pair r
JOIN media_item i ON i.item_key = r.other_key
JOIN media_item j ON j.item_key = r.item_key
JOIN library l ON l.library_key = i.library_key
JOIN source s ON s.source_key = l.source_key
WHERE :source_id IS NULL OR s.id = :source_id
"""

_SAME_WORKS: Final = """
WITH known AS (
    SELECT i.item_key, l.source_key,
        lag(i.item_key) OVER same AS other_key, lag(l.source_key) OVER same AS other_source
    FROM item_external_id x
    JOIN media_item i ON i.item_key = x.item_key
    JOIN library l ON l.library_key = i.library_key
    WHERE x.provider IN ('imdb', 'tmdb', 'tvdb') AND i.media_type IN ('movie', 'show')
    AND i.missing_since IS NULL
    WINDOW same AS (PARTITION BY x.provider, x.value, i.media_type ORDER BY l.source_key, i.item_key)
), pair AS (
    SELECT DISTINCT k.other_key AS item_key, k.item_key AS other_key FROM known k
    WHERE k.other_source <> k.source_key
)
"""
_OF_SAME_WORKS: Final = """
FROM pair r
JOIN media_item i ON i.item_key = r.item_key
JOIN media_item j ON j.item_key = r.other_key
JOIN library l ON l.library_key = i.library_key
JOIN library m ON m.library_key = j.library_key
JOIN source s ON s.source_key = l.source_key
JOIN source t ON t.source_key = m.source_key
WHERE (:source_id IS NULL OR s.id = :source_id OR t.id = :source_id)
"""

# Finds movies and shows whose year differs by more than one between two sources.
YEARS_DIFFER: Final = f"""
{_SAME_WORKS}
SELECT s.id AS source_id, abs(i.year - j.year) AS weight, i.id AS id, i.title AS item, i.year,
    j.id AS other_id, j.year AS other_year
{_OF_SAME_WORKS} AND abs(i.year - j.year) > 1
"""

# Finds movies and shows with different titles and nobody in common in two sources, if most titles of the two
# libraries are the same: libraries in two languages have hardly any in common.
TITLES_DIFFER: Final = f"""
{_SAME_WORKS}, usual AS (
    SELECT i.library_key, j.library_key AS other_key
    FROM pair r
    JOIN media_item i ON i.item_key = r.item_key
    JOIN media_item j ON j.item_key = r.other_key
    GROUP BY i.library_key, j.library_key
    HAVING count(*) >= 20
    AND sum(CASE WHEN lower(i.title) = lower(j.title) THEN 1 ELSE 0 END) * 5 >= count(*) * 4
)
SELECT s.id AS source_id, 0 AS weight, i.id AS id, i.title AS name, j.id AS other_id, j.title AS other_name,
    i.original_title, j.original_title AS other_original_title
{_OF_SAME_WORKS} AND lower(i.title) <> lower(j.title) AND EXISTS (
    SELECT 1 FROM usual u WHERE u.library_key = i.library_key AND u.other_key = j.library_key
)
AND EXISTS (SELECT 1 FROM credit c WHERE c.item_key = i.item_key)
AND EXISTS (SELECT 1 FROM credit d WHERE d.item_key = j.item_key)
AND NOT EXISTS (
    SELECT 1 FROM credit c
    JOIN person p ON p.person_key = c.person_key
    JOIN credit d ON d.item_key = j.item_key
    JOIN person q ON q.person_key = d.person_key
    WHERE c.item_key = i.item_key AND lower(q.name) = lower(p.name)
)
ORDER BY s.id, i.id
"""


def _people_differ(condition: str, least: int) -> str:
    """Return the query for items with nobody in common in two sources, among the people of a condition."""
    first, second = (
        f"{alias}.item_key = {item}.item_key AND {condition.format(alias)}"
        for alias, item in (("c", "i"), ("d", "j"))
    )
    names = (
        "(SELECT CAST(@arrays(n.name) AS text) FROM (SELECT p.name FROM credit {0} "
        "JOIN person p ON p.person_key = {0}.person_key WHERE {1} ORDER BY {0}.sort_order) n)"
    )
    return f"""
    {_SAME_WORKS}
    SELECT s.id AS source_id, 0 AS weight, i.id AS id, {_TITLED} AS item, j.id AS other_id,
        {names.format("c", first)} AS names, {names.format("d", second)} AS other_names
    {_OF_SAME_WORKS} AND i.media_type = 'movie'
    AND (SELECT count(*) FROM credit c WHERE {first}) >= {least}
    AND (SELECT count(*) FROM credit d WHERE {second}) >= {least}
    AND NOT EXISTS (
        SELECT 1 FROM credit c
        JOIN person p ON p.person_key = c.person_key
        JOIN credit d ON {second}
        JOIN person q ON q.person_key = d.person_key
        WHERE {first} AND lower(q.name) = lower(p.name)
    )
    ORDER BY s.id, i.id
    """


# Finds movies of whose first ten actors none is in the first ten of the same movie in another source.
CASTS_DIFFER: Final = _people_differ(f"{{0}}.sort_order < 10 AND {{0}}.person_type IN ({_CAST})", 3)

# Finds movies that have other directors in another source.
DIRECTORS_DIFFER: Final = _people_differ("{0}.person_type = 'director'", 1)

_EXAMPLES: Final = """
SELECT * FROM (
    SELECT n.*, count(*) OVER (PARTITION BY n.source_id) AS cases,
        row_number() OVER (PARTITION BY n.source_id ORDER BY n.weight DESC, n.id) AS place
    FROM ({query}) n
) z WHERE z.place <= :limit ORDER BY z.source_id, z.place
"""


class Case(NamedTuple):
    """A row of a check.

    Attributes:
        source_id: the source that it is about.
        id: the id of the item, person or library.
        facts: the other values, in the order of the query.
    """

    source_id: str
    id: str
    facts: tuple[Any, ...]


class DoctorRepository:
    """Runs the queries of checks.

    Args:
        session: a snapshot.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._year = datetime.fromtimestamp(session.now / 1000, UTC).year

    async def find_cases(self, query: str, source_id: str | None) -> list[Case]:
        """Return all cases that a query finds."""
        rows = await self._session.fetch_all(query, {"source_id": source_id, "year": self._year})
        return [Case(row[0], row[2], tuple(row[3:])) for row in rows]

    async def find_examples(self, query: str, source_id: str | None, limit: int) -> list[tuple[int, Case]]:
        """Return the first cases of each source that a query finds, each with the number of all of them.

        The engine counts the others, so they are not held in memory.
        """
        params = {"source_id": source_id, "year": self._year, "limit": limit}
        rows = await self._session.fetch_all(_EXAMPLES.replace("{query}", query), params)
        return [(row[-2], Case(row[0], row[2], tuple(row[3:-2]))) for row in rows]
