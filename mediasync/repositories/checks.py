"""What must hold in every database, as queries for what breaks it."""

from __future__ import annotations

from typing import Final

from mediasync.dialects.base import Session
from mediasync.names import words_of_name
from mediasync.reports import CheckReport, Flaw

ORDERS_NOT_DENSE: Final = """
SELECT i.id AS subject, 'its credits are not numbered 0 to ' || (count(*) - 1) AS reason
FROM credit c JOIN media_item i ON i.item_key = c.item_key
GROUP BY i.item_key, i.id HAVING min(c.sort_order) <> 0 OR max(c.sort_order) <> count(*) - 1
ORDER BY i.id
"""
CREDITS_REPEATED: Final = """
SELECT i.id AS subject,
    'the credit of ' || p.id || ' as ' || c.person_type || ' stands ' || count(*) || ' times' AS reason
FROM credit c JOIN media_item i ON i.item_key = c.item_key JOIN person p ON p.person_key = c.person_key
GROUP BY i.id, p.id, c.person_type, coalesce(c.role, '') HAVING count(*) > 1
ORDER BY i.id, p.id
"""
COMPLETENESS_MISFIT: Final = """
SELECT i.id AS subject, 'its completeness is ' || i.completeness || ', but it has '
    || CASE WHEN i.completeness = 'none' THEN 'credits' ELSE 'no credits' END AS reason
FROM media_item i
WHERE (i.completeness = 'none' AND EXISTS (SELECT 1 FROM credit c WHERE c.item_key = i.item_key))
   OR (i.completeness = 'preview' AND NOT EXISTS (SELECT 1 FROM credit c WHERE c.item_key = i.item_key))
ORDER BY i.id
"""
PROVIDER_IDS_DIFFER: Final = """
SELECT i.id AS subject, 'its ' || x.provider || ' id differs from its external ids' AS reason
FROM media_item i
JOIN (SELECT 'imdb' AS provider UNION ALL SELECT 'tmdb' UNION ALL SELECT 'tvdb') x ON true
LEFT JOIN item_external_id e ON e.item_key = i.item_key AND e.provider = x.provider
WHERE coalesce(e.value, '') <>
    coalesce(CASE x.provider WHEN 'imdb' THEN i.imdb_id WHEN 'tmdb' THEN i.tmdb_id ELSE i.tvdb_id END, '')
ORDER BY i.id
"""
PARENTS_MISFIT: Final = """
SELECT i.id AS subject, 'a ' || i.media_type || ' cannot be below a ' || p.media_type AS reason
FROM media_item i JOIN media_item p ON p.item_key = i.parent_key
WHERE NOT ((i.media_type = 'season' AND p.media_type = 'show')
        OR (i.media_type = 'episode' AND p.media_type IN ('season', 'show')))
ORDER BY i.id
"""
IDS_MISFIT: Final = """
SELECT p.id AS subject, 'its id does not begin with its source, ' || s.id AS reason
FROM person p JOIN source s ON s.source_key = p.source_key
WHERE substr(p.id, 1, length(s.id) + 1) <> s.id || ':'
UNION ALL
SELECT i.id AS subject, 'its id does not begin with its source, ' || s.id AS reason
FROM media_item i JOIN library l ON l.library_key = i.library_key JOIN source s ON s.source_key = l.source_key
WHERE substr(i.id, 1, length(s.id) + 1) <> s.id || ':'
"""
SOURCES_MIXED: Final = """
SELECT i.id AS subject, 'it has a credit of ' || p.id || ', who is of another source' AS reason
FROM credit c
JOIN media_item i ON i.item_key = c.item_key
JOIN library l ON l.library_key = i.library_key
JOIN person p ON p.person_key = c.person_key
WHERE p.source_key <> l.source_key
ORDER BY i.id
"""
PEOPLE_PAGE: Final = """
SELECT person_key, id, name FROM person WHERE person_key > :after ORDER BY person_key LIMIT 2000
"""
ALL_WORDS: Final = "SELECT person_key, word FROM person_word"

_CHECKS: Final = (
    ("dense orders", ORDERS_NOT_DENSE),
    ("repeated credits", CREDITS_REPEATED),
    ("completeness", COMPLETENESS_MISFIT),
    ("provider ids", PROVIDER_IDS_DIFFER),
    ("parents", PARENTS_MISFIT),
    ("ids", IDS_MISFIT),
    ("sources", SOURCES_MIXED),
)


class CheckRepository:
    """Looks for what must not be.

    Args:
        session: a snapshot.
        integrity_checks: the engine's own checks of its storage: a name, and a query for (subject, reason).
    """

    def __init__(self, session: Session, integrity_checks: tuple[tuple[str, str], ...]) -> None:
        self._session = session
        self._checks = (*integrity_checks, *_CHECKS)

    async def run(self) -> CheckReport:
        """Run all checks."""
        flaws: list[Flaw] = []
        for name, query in self._checks:
            rows = await self._session.fetch_all(query)
            flaws += [Flaw(name, str(subject), reason) for subject, reason in rows]
        flaws += await self._check_words()
        return CheckReport((*(name for name, _ in self._checks), "search words"), tuple(flaws))

    async def _check_words(self) -> list[Flaw]:
        flaws: list[Flaw] = []
        words: dict[int, set[str]] = {}
        for key, word in await self._session.fetch_all(ALL_WORDS):
            words.setdefault(key, set()).add(word)
        after = -1
        while page := await self._session.fetch_all(PEOPLE_PAGE, {"after": after}):
            flaws += [
                Flaw(
                    "search words",
                    person_id,
                    f"the words by which {name!r} is found are not those of the name",
                )
                for key, person_id, name in page
                if words.get(key, set()) != set(words_of_name(name))
            ]
            after = page[-1][0]
        return flaws
