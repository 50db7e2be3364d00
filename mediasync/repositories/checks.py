"""Checks of a database: queries that find violations of what must always hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from mediasync.aio import batched
from mediasync.database.session import Session
from mediasync.reports import CheckReport, Flaw
from mediasync.repositories.changes import ChangeRepository
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.flaws import collecting_flaws
from mediasync.repositories.item_reading import ITEMS_AT_ONCE, ItemReader
from mediasync.repositories.runs import RunRepository
from mediasync.repositories.sources import SourceRepository
from mediasync.sorting import name_sort_key, title_sort_key
from mediasync.text import searchable_words, words_of_item
from mediasync.validation import MAX_ID_BYTES, MAX_NAME_BYTES, MAX_PROVIDER_BYTES, InvalidValue, check_length
from mediasync.vocabulary import MEDIA_KINDS

# Finds items whose credits are not numbered from 0 without gaps.
ORDERS_NOT_DENSE: Final = """
SELECT i.id AS subject, 'its credits are not numbered 0 to ' || (count(*) - 1) AS reason
FROM credit c JOIN media_item i ON i.item_key = c.item_key
GROUP BY i.item_key, i.id HAVING min(c.sort_order) <> 0 OR max(c.sort_order) <> count(*) - 1
ORDER BY i.id
"""

# Finds credits that are stored twice in one item.
CREDITS_REPEATED: Final = """
SELECT i.id AS subject,
    'the credit of ' || p.id || ' as ' || c.person_type || ' stands ' || count(*) || ' times' AS reason
FROM credit c JOIN media_item i ON i.item_key = c.item_key JOIN person p ON p.person_key = c.person_key
GROUP BY i.id, p.id, c.person_type, coalesce(c.role, '') HAVING count(*) > 1
ORDER BY i.id, p.id
"""

# Finds items whose completeness contradicts their credits.
COMPLETENESS_MISFIT: Final = """
SELECT i.id AS subject, 'its completeness is ' || i.completeness || ', but it has '
    || CASE WHEN i.completeness = 'none' THEN 'credits' ELSE 'no credits' END AS reason
FROM media_item i
WHERE (i.completeness = 'none' AND EXISTS (SELECT 1 FROM credit c WHERE c.item_key = i.item_key))
   OR (i.completeness = 'preview' AND NOT EXISTS (SELECT 1 FROM credit c WHERE c.item_key = i.item_key))
ORDER BY i.id
"""

# Finds items whose columns of provider ids differ from their external ids.
PROVIDER_IDS_DIFFER: Final = """
SELECT i.id AS subject, 'its ' || x.provider || ' id differs from its external ids' AS reason
FROM media_item i
JOIN (SELECT 'imdb' AS provider UNION ALL SELECT 'tmdb' UNION ALL SELECT 'tvdb') x ON true
LEFT JOIN item_external_id e ON e.item_key = i.item_key AND e.provider = x.provider
WHERE coalesce(e.value, '') <>
    coalesce(CASE x.provider WHEN 'imdb' THEN i.imdb_id WHEN 'tmdb' THEN i.tmdb_id ELSE i.tvdb_id END, '')
ORDER BY i.id
"""

# Finds items whose rating, by which lists are sorted, is not the main one of their ratings.
RATINGS_DIFFER: Final = """
SELECT i.id AS subject, 'the rating by which it is sorted is not its main rating' AS reason
FROM media_item i LEFT JOIN item_rating r ON r.item_key = i.item_key AND r.position = 0
WHERE coalesce(i.rating, -1) <> coalesce(r.value, -1)
ORDER BY i.id
"""
_PARENTS: Final = ", ".join(
    f"('{media_type}', '{parent}')"
    for media_type, kind in MEDIA_KINDS.items()
    for parent in sorted(kind.parents)
)

# Finds items below a parent of the wrong type.
PARENTS_MISFIT: Final = f"""
SELECT i.id AS subject, 'a ' || i.media_type || ' cannot be below a ' || p.media_type AS reason
FROM media_item i JOIN media_item p ON p.item_key = i.parent_key
WHERE (i.media_type, p.media_type) NOT IN (VALUES {_PARENTS})
ORDER BY i.id
"""

# Finds ids that do not begin with the id of their source.
IDS_MISFIT: Final = """
SELECT p.id AS subject, 'its id does not begin with its source, ' || s.id AS reason
FROM person p JOIN source s ON s.source_key = p.source_key
WHERE substr(p.id, 1, length(s.id) + 1) <> s.id || ':'
UNION ALL
SELECT i.id AS subject, 'its id does not begin with its source, ' || s.id AS reason
FROM media_item i JOIN library l ON l.library_key = i.library_key JOIN source s ON s.source_key = l.source_key
WHERE substr(i.id, 1, length(s.id) + 1) <> s.id || ':'
"""

# Finds credits of people of another source.
SOURCES_MIXED: Final = """
SELECT i.id AS subject, 'it has a credit of ' || p.id || ', who is of another source' AS reason
FROM credit c
JOIN media_item i ON i.item_key = c.item_key
JOIN library l ON l.library_key = i.library_key
JOIN person p ON p.person_key = c.person_key
WHERE p.source_key <> l.source_key
ORDER BY i.id
"""

# Finds people who are credited but marked as having no credits.
CREDITED_NOT_SHOWN: Final = """
SELECT p.id AS subject, 'credits point at this person, who is marked as having none' AS reason
FROM person p
WHERE p.uncredited_since IS NOT NULL AND EXISTS (
    SELECT 1 FROM credit c JOIN media_item i ON i.item_key = c.item_key
    WHERE c.person_key = p.person_key AND i.missing_since IS NULL
)
ORDER BY p.id
"""

# Finds texts that may be longer than a save allows. A character has up to four bytes.
LONG_TEXTS: Final = """
SELECT x.id AS subject, 'id' AS what, x.id AS text, 'id' AS limited_as
FROM media_item x WHERE length(x.id) > :id_characters
UNION ALL
SELECT x.id, 'remote_id', x.remote_id, 'id' FROM media_item x WHERE length(x.remote_id) > :id_characters
UNION ALL
SELECT x.id, 'id', x.id, 'id' FROM library x WHERE length(x.id) > :id_characters
UNION ALL
SELECT x.id, 'id', x.id, 'id' FROM person x WHERE length(x.id) > :id_characters
UNION ALL
SELECT x.id, 'name', x.name, 'name' FROM person x WHERE length(x.name) > :name_characters
UNION ALL
SELECT i.id, 'a genre', x.name, 'name'
FROM item_genre x JOIN media_item i ON i.item_key = x.item_key WHERE length(x.name) > :name_characters
UNION ALL
SELECT i.id, 'the id of a provider', x.value, 'name'
FROM item_external_id x JOIN media_item i ON i.item_key = x.item_key WHERE length(x.value) > :name_characters
UNION ALL
SELECT i.id, 'the name of a provider', x.provider, 'provider'
FROM item_external_id x JOIN media_item i ON i.item_key = x.item_key
WHERE length(x.provider) > :provider_characters
"""

# Reads a page of people with their names, to compute their words.
PEOPLE_PAGE: Final = """
SELECT person_key, id, name FROM person WHERE person_key > :after ORDER BY person_key LIMIT 1000
"""

# Finds words of names that are not stored.
PERSON_WORDS_MISSING: Final = """
SELECT r.word, r.person_key FROM @rows(:words, word text, person_key integer) r
WHERE NOT EXISTS (SELECT 1 FROM person_word w WHERE w.word = r.word AND w.person_key = r.person_key)
"""

# Counts the stored words of names.
PERSON_WORDS_COUNT: Final = "SELECT count(*) AS words FROM person_word"

# Reads a page of the stored words of names, to find superfluous ones.
PERSON_WORDS_PAGE: Final = """
SELECT w.word, w.person_key, p.id, p.name
FROM person_word w LEFT JOIN person p ON p.person_key = w.person_key
WHERE (w.word, w.person_key) > (:word, :after) ORDER BY w.word, w.person_key LIMIT 1000
"""

# Reads a page of items with their titles, to compute their words.
ITEMS_PAGE: Final = """
SELECT item_key, id, media_type, title, original_title, sort_title, year FROM media_item
WHERE item_key > :after ORDER BY item_key LIMIT 500
"""

# Reads a page of items with what they are sorted by.
ITEM_SORT_KEYS: Final = """
SELECT item_key, id, sort_key, title, sort_title FROM media_item
WHERE item_key > :after ORDER BY item_key LIMIT 1000
"""

# Reads a page of people with what they are sorted by.
PERSON_SORT_KEYS: Final = """
SELECT person_key, id, sort_key, name FROM person WHERE person_key > :after ORDER BY person_key LIMIT 1000
"""

# Finds words of titles that are not stored.
ITEM_WORDS_MISSING: Final = """
SELECT r.word, r.item_key FROM @rows(:words, word text, place integer, item_key integer) r
WHERE NOT EXISTS (
    SELECT 1 FROM item_word w WHERE w.word = r.word AND w.place = r.place AND w.item_key = r.item_key
)
"""

# Counts the stored words of titles.
ITEM_WORDS_COUNT: Final = "SELECT count(*) AS words FROM item_word"

# Reads a page of the stored words of titles, to find superfluous ones.
ITEM_WORDS_PAGE: Final = """
SELECT w.word, w.place, w.item_key, i.id, i.media_type, i.title, i.original_title, i.sort_title, i.year
FROM item_word w LEFT JOIN media_item i ON i.item_key = w.item_key
WHERE (w.word, w.place, w.item_key) > (:word, :place, :after)
ORDER BY w.word, w.place, w.item_key LIMIT 1000
"""

# Finds aliases of a person that are ids of other people.
ALIASES_OWNED: Final = """
SELECT a.id, 'an alias of ' || q.id || ' is the id of somebody else' AS reason
FROM person_alias a
JOIN person p ON p.id = a.id
JOIN person q ON q.person_key = a.person_key
WHERE a.shared = 0
"""

# Finds a change log with gaps, or one that its counter does not describe.
CHANGES_MISCOUNTED: Final = """
SELECT 'the change log' AS subject,
    'it holds ' || found.changes || ' changes up to number ' || found.newest || ', and not those from number '
        || (counter.pruned + 1) || ' to ' || counter.newest AS reason
FROM (SELECT count(*) AS changes, coalesce(max(number), 0) AS newest FROM change) found
CROSS JOIN change_counter counter
WHERE found.changes <> counter.newest - counter.pruned
   OR (found.changes > 0 AND found.newest <> counter.newest)
"""

_CHECKS: Final = (
    ("dense orders", ORDERS_NOT_DENSE),
    ("repeated credits", CREDITS_REPEATED),
    ("completeness", COMPLETENESS_MISFIT),
    ("provider ids", PROVIDER_IDS_DIFFER),
    ("ratings", RATINGS_DIFFER),
    ("parents", PARENTS_MISFIT),
    ("ids", IDS_MISFIT),
    ("sources", SOURCES_MIXED),
    ("people without credits", CREDITED_NOT_SHOWN),
    ("aliases of people", ALIASES_OWNED),
    ("change log", CHANGES_MISCOUNTED),
)

_ALL: Final = 2**53
_CHANGES_AT_ONCE: Final = 1_000
_VALUES: Final = "values"
_NAMES: Final = "search words"
_TITLES: Final = "words of titles"
_LIMITS: Final = "limits"
_SORT_KEYS: Final = "sort keys"
_BYTES_PER_CHARACTER: Final = 4
_MOST_BYTES: Final = {"id": MAX_ID_BYTES, "name": MAX_NAME_BYTES, "provider": MAX_PROVIDER_BYTES}


class CheckRepository:
    """Runs the checks.

    Args:
        session: a snapshot.
        integrity_checks: the engine's own checks of its storage, as (name, query for (subject, reason)).
    """

    def __init__(self, session: Session, integrity_checks: tuple[tuple[str, str], ...]) -> None:
        self._session = session
        self._checks = (*integrity_checks, *_CHECKS)

    async def run(self) -> CheckReport:
        """Run all checks, and return the flaws that they found."""
        flaws: list[Flaw] = []
        for name, query in self._checks:
            rows = await self._session.fetch_all(query)
            flaws += [Flaw(name, str(subject), reason) for subject, reason in rows]
        flaws += await self._check_values()
        flaws += await self._check_limits()
        flaws += await self._check_names()
        flaws += await self._check_titles()
        flaws += await self._check_sort_keys(ITEM_SORT_KEYS, title_sort_key)
        flaws += await self._check_sort_keys(PERSON_SORT_KEYS, name_sort_key)
        return CheckReport(
            (*(name for name, _ in self._checks), _VALUES, _LIMITS, _NAMES, _TITLES, _SORT_KEYS), tuple(flaws)
        )

    async def _check_values(self) -> list[Flaw]:
        """Read every row as all readers do, and return the values that they would leave out."""
        items, credit_lists = ItemReader(self._session), CreditRepository(self._session)
        with collecting_flaws() as found:
            await SourceRepository(self._session).list_sources()
            await SourceRepository(self._session).list_libraries()
            await RunRepository(self._session).list_runs(None, _ALL)
            after = -1
            while page := await self._session.fetch_all(ITEMS_PAGE, {"after": after}):
                for ids in batched([row[1] for row in page], ITEMS_AT_ONCE):
                    counts = {item.id or "": n for item, n in await items.find_items_with_counts(ids)}
                    await credit_lists.read_lists(counts)
                after = page[-1][0]
            number, log = 0, ChangeRepository(self._session)
            while (changes := await log.find_page(number, _CHANGES_AT_ONCE)) is not None:
                number = changes.last
        return [Flaw(_VALUES, subject, reason) for subject, reason in dict.fromkeys(found)]

    async def _check_limits(self) -> list[Flaw]:
        """Find texts that could not be saved again, because they were stored before lengths were limited."""
        most = {f"{name}_characters": size // _BYTES_PER_CHARACTER for name, size in _MOST_BYTES.items()}
        flaws: list[Flaw] = []
        for subject, what, text, limit in await self._session.fetch_all(LONG_TEXTS, most):
            if not isinstance(text, str):
                continue  # reading it fails, which the check of values reports
            try:
                check_length(what, text, _MOST_BYTES[limit])
            except InvalidValue as error:
                flaws.append(Flaw(_LIMITS, subject, str(error)))
        return sorted(flaws, key=lambda flaw: (flaw.subject, flaw.reason))

    # Words are computed page by page, and a query finds those that are not stored. The stored words are only
    # read if there are more of them than were computed.

    async def _check_names(self) -> list[Flaw]:
        flawed: dict[str, str] = {}
        after, computed = -1, 0
        while page := await self._session.fetch_all(PEOPLE_PAGE, {"after": after}):
            words = [(word, key) for key, _, name in page for word in searchable_words(name)]
            missing = {key for _, key in await self._missing(PERSON_WORDS_MISSING, words)}
            flawed |= {person_id: name for key, person_id, name in page if key in missing}
            computed += len(words) - len(missing)
            after = page[-1][0]
        if await self._count(PERSON_WORDS_COUNT) > computed:
            word, after = "", -1
            while page := await self._session.fetch_all(PERSON_WORDS_PAGE, {"word": word, "after": after}):
                for one, key, person_id, name in page:
                    if person_id is None:
                        flawed[f"person {key}"] = one
                    elif one not in searchable_words(name):
                        flawed[person_id] = name
                if (word, after) == page[-1][:2]:  # a word that is not a text sorts after all texts
                    break
                word, after = page[-1][:2]
        return _flaws(_NAMES, flawed)

    async def _check_titles(self) -> list[Flaw]:
        flawed: dict[str, str] = {}
        after, computed = -1, 0
        while page := await self._session.fetch_all(ITEMS_PAGE, {"after": after}):
            words = [word for key, _, *title in page for word in words_of_item(key, *title)]
            missing = {key for _, key in await self._missing(ITEM_WORDS_MISSING, words)}
            flawed |= {item_id: title for key, item_id, _, title, *_ in page if key in missing}
            computed += len(words) - len(missing)
            after = page[-1][0]
        if await self._count(ITEM_WORDS_COUNT) > computed:
            behind = {"word": "", "place": -1, "after": -1}
            while page := await self._session.fetch_all(ITEM_WORDS_PAGE, behind):
                for word, where, key, item_id, *title in page:
                    if item_id is None:
                        flawed[f"item {key}"] = word
                    elif (word, where, key) not in words_of_item(key, *title):
                        flawed[item_id] = title[1]
                before, behind = behind, dict(zip(behind, page[-1], strict=False))
                if behind == before:
                    break
        return _flaws(_TITLES, flawed)

    async def _check_sort_keys(self, query: str, sort_key: Callable[..., str]) -> list[Flaw]:
        flaws: list[Flaw] = []
        after = -1
        while page := await self._session.fetch_all(query, {"after": after}):
            flaws += [
                Flaw(_SORT_KEYS, subject, f"it is not sorted by {names[0]!r}")
                for _, subject, stored, *names in page
                if all(isinstance(name, str | None) for name in names) and stored != sort_key(*names)
            ]
            after = page[-1][0]
        return flaws

    async def _missing(self, query: str, words: list[Any]) -> list[Any]:
        return await self._session.fetch_all(query, {"words": words}) if words else []

    async def _count(self, query: str) -> int:
        [(number,)] = await self._session.fetch_all(query)
        return int(number)


def _flaws(check: str, names: Mapping[str, str]) -> list[Flaw]:
    return [
        Flaw(check, subject, f"the words by which {name!r} is found are not those of the name")
        for subject, name in sorted(names.items())
    ]
