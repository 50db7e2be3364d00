"""Version 9: items and people are listed in the order in which people sort titles and names."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from mediasync.database.migrations.v0006_search_words_and_aliases import _letters as fold

if TYPE_CHECKING:
    from mediasync.database.session import Session

COLUMNS: Final = (
    "ALTER TABLE media_item ADD COLUMN sort_key TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE media_item ADD COLUMN rating REAL",
    "ALTER TABLE person ADD COLUMN sort_key TEXT NOT NULL DEFAULT ''",
    "DROP INDEX media_item_by_added",
    "DROP INDEX media_item_by_updated",
)
INDEXES: Final = (
    "CREATE INDEX media_item_by_sort_key ON media_item (media_type, sort_key, id)",
    "CREATE INDEX media_item_by_year ON media_item (media_type, year, id)",
    "CREATE INDEX media_item_by_rating ON media_item (media_type, rating, id)",
    """
    CREATE INDEX media_item_by_added ON media_item
        (strftime('%Y-%m-%dT%H:%M:%fZ', added_at / 1000.0, 'unixepoch'), id)
    """,
    """
    CREATE INDEX media_item_by_updated ON media_item
        (strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch'), id)
    """,
    "CREATE INDEX person_by_sort_key ON person (sort_key, id)",
)

TITLES_PAGE: Final = """
SELECT item_key, title, sort_title FROM media_item WHERE item_key > :after ORDER BY item_key LIMIT 5000
"""
PEOPLE_PAGE: Final = """
SELECT person_key, name FROM person WHERE person_key > :after ORDER BY person_key LIMIT 5000
"""
FILL_SORT_KEYS: Final = """
UPDATE media_item SET sort_key = r.sort_key
FROM @rows(:rows, item_key integer, sort_key text) r WHERE media_item.item_key = r.item_key
"""
FILL_SORT_KEYS_OF_PEOPLE: Final = """
UPDATE person SET sort_key = r.sort_key
FROM @rows(:rows, person_key integer, sort_key text) r WHERE person.person_key = r.person_key
"""
FILL_RATINGS: Final = """
UPDATE media_item SET rating = r.value
FROM item_rating r WHERE r.item_key = media_item.item_key AND r.position = 0
"""


async def add_sort_keys(session: Session) -> None:
    """Add the columns that lists are sorted by, fill them, and make their indexes."""
    for statement in COLUMNS:
        await session.execute(statement)
    await session.execute(FILL_RATINGS)
    after = -1
    while page := await session.fetch_all(TITLES_PAGE, {"after": after}):
        rows = [(key, _title_sort_key(title, sort_title)) for key, title, sort_title in page]
        await session.execute(FILL_SORT_KEYS, {"rows": rows})
        after = page[-1][0]
    after = -1
    while page := await session.fetch_all(PEOPLE_PAGE, {"after": after}):
        rows = [(key, _name_sort_key(name)) for key, name in page]
        await session.execute(FILL_SORT_KEYS_OF_PEOPLE, {"rows": rows})
        after = page[-1][0]
    for statement in INDEXES:
        await session.execute(statement)


# How version 9 sorted titles and names

_LONGEST_KEY: Final = 200
_LONGEST_NUMBER: Final = 99

_ARTICLES: Final = frozenset({
    "a", "an", "the", "der", "die", "das", "ein", "eine", "le", "la", "les", "un", "une", "el", "los", "las",
    "una", "il", "lo", "gli", "een", "het", "de", "den", "det",
})  # fmt: skip
"""The articles of English, German, French, Spanish, Italian, Dutch and the Nordic languages, but for "l'"."""

_ENGLISH: Final = frozenset({
    "again", "alone", "and", "another", "by", "fighting", "for", "hard", "is", "laughing", "like", "my", "of",
    "or", "screaming", "to", "trying", "with", "you", "young", "your",
})  # fmt: skip
"""Words that show that the word before is not an article: "Die Hard", "Den of Thieves"."""

_NAMES: Final = {
    "a": frozenset({"and", "as", "bout", "for", "is", "la", "nous", "to", "x"}),
    "de": frozenset({"gaulle", "niro", "palma"}),
    "el": frozenset({"paso"}),
    "la": frozenset({"confidential", "la", "paz"}),
    "las": frozenset({"palmas", "vegas"}),
    "le": frozenset({"mans"}),
    "los": frozenset({"alamos", "angeles"}),
}
"""Words that make a name or a phrase with the word before, which is then not an article: "Los Angeles"."""

_FIRST: Final = re.compile(r"\W*(?:(\w+)\s+(?=\W*(\w+))|l['’]\s*(?=\w))", re.IGNORECASE)
_LAST: Final = re.compile(r",\s*(?:(\w+)|l['’])\s*$", re.IGNORECASE)
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBER: Final = re.compile(r"\d+")


def _title_sort_key(title: str, sort_title: str | None = None) -> str:
    if sort_title and (key := _key(sort_title)):
        return key
    return _key(_without_article(title)) or _key(title) or title.strip().casefold()[:_LONGEST_KEY]


def _name_sort_key(name: str) -> str:
    return _key(name) or name.strip().casefold()[:_LONGEST_KEY]


def _without_article(title: str) -> str:
    if first := _FIRST.match(title):
        if first[1] is None:
            return title[first.end() :]
        article, following = first[1].lower(), first[2].lower()
        if (
            article in _ARTICLES
            and following not in _NAMES.get(article, ())
            and (article in {"a", "an", "the"} or following not in _ENGLISH)
        ):
            return title[first.end() :]
    if (last := _LAST.search(title)) and (last[1] is None or last[1].lower() in _ARTICLES):
        return title[: last.start()]
    return title


def _key(text: str) -> str:
    if text.isascii() and text.replace(" ", "").isalpha():
        return " ".join(text.lower().split())[:_LONGEST_KEY]
    words = " ".join(fold(_THOUSANDS.sub("", text) if "," in text else text).split())
    return _NUMBER.sub(_padded, words)[:_LONGEST_KEY]


def _padded(number: re.Match[str]) -> str:
    digits = (
        "".join(str(unicodedata.digit(digit)) for digit in number[0]).lstrip("0")[:_LONGEST_NUMBER] or "0"
    )
    return f"{len(digits):02}{digits}"
