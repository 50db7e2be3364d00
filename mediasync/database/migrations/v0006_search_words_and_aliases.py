"""Version 6: search by the words of titles, aliases of people, and problems recorded once for several runs.

Also: an item in several libraries, items whose key changed, and people without credits.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mediasync.database.session import Session

STATEMENTS: Final = (
    """
    CREATE TABLE item_library (
        item_key    INTEGER NOT NULL REFERENCES media_item (item_key) ON DELETE CASCADE,
        library_key INTEGER NOT NULL REFERENCES library (library_key) ON DELETE CASCADE,
        id          TEXT    NOT NULL,
        PRIMARY KEY (item_key, library_key)
    ) WITHOUT ROWID
    """,
    "ALTER TABLE sync_run ADD COLUMN owner TEXT",
    "CREATE INDEX item_library_of_library ON item_library (library_key, id)",
    """
    CREATE TABLE item_rekeyed (
        current_id  TEXT    NOT NULL PRIMARY KEY,
        id          TEXT    NOT NULL UNIQUE REFERENCES media_item (id) ON DELETE CASCADE
    ) WITHOUT ROWID
    """,
    "DROP TABLE person_word",
    """
    CREATE TABLE person_word (
        word        TEXT    NOT NULL,
        person_key  INTEGER NOT NULL,
        PRIMARY KEY (word, person_key)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE item_word (
        word        TEXT    NOT NULL,
        place       INTEGER NOT NULL,
        item_key    INTEGER NOT NULL,
        PRIMARY KEY (word, place, item_key)
    ) WITHOUT ROWID
    """,
    "DROP INDEX media_item_of_library",
    """
    CREATE INDEX media_item_of_library ON media_item (library_key, media_type, id, completeness)
    """,
    "CREATE INDEX media_item_by_title ON media_item (title)",
    "CREATE INDEX media_item_by_path ON media_item (substr(path, 1, 200)) WHERE path IS NOT NULL",
    """
    CREATE INDEX media_item_by_added ON media_item
        (strftime('%Y-%m-%dT%H:%M:%fZ', added_at / 1000.0, 'unixepoch'))
    """,
    """
    CREATE INDEX media_item_by_created ON media_item
        (strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch'))
    """,
    """
    CREATE INDEX media_item_by_updated ON media_item
        (strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch'))
    """,
    "ALTER TABLE person ADD COLUMN uncredited_since INTEGER",
    "ALTER TABLE person ADD COLUMN given_by INTEGER",
    "ALTER TABLE person ADD COLUMN replaced TEXT",
    "CREATE INDEX person_given_by ON person (given_by) WHERE given_by IS NOT NULL",
    "CREATE INDEX person_uncredited ON person (person_key) WHERE uncredited_since IS NOT NULL",
    """
    CREATE TABLE person_alias (
        id          TEXT    NOT NULL PRIMARY KEY,
        person_key  INTEGER NOT NULL REFERENCES person (person_key) ON DELETE CASCADE,
        shared      INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID
    """,
    "CREATE INDEX person_alias_of_person ON person_alias (person_key)",
    "ALTER TABLE sync_run ADD COLUMN selection TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE sync_run ADD COLUMN series INTEGER",
    "UPDATE sync_run SET series = run_key WHERE status <> 'running'",
    """
    CREATE TABLE run_problem (
        series      INTEGER NOT NULL,
        from_run    INTEGER NOT NULL,
        position    INTEGER NOT NULL,
        until_run   INTEGER,
        kind        TEXT    NOT NULL,
        subject     TEXT    NOT NULL,
        reason      TEXT    NOT NULL,
        PRIMARY KEY (series, from_run, position)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX run_problem_until ON run_problem (series, until_run)",
    """
    INSERT INTO run_problem (series, from_run, position, kind, subject, reason)
    SELECT run_key, run_key, position, kind, subject, reason FROM sync_run_problem
    """,
    "DROP TABLE sync_run_problem",
)

PEOPLE_PAGE: Final = """
SELECT person_key, name FROM person WHERE person_key > :after ORDER BY person_key LIMIT 5000
"""
TITLES_PAGE: Final = """
SELECT item_key, media_type, title, original_title, year FROM media_item
WHERE item_key > :after ORDER BY item_key LIMIT 5000
"""
# Only people of NFO files have ids that are derived from their provider ids.
PEOPLE_WITH_IDS_PAGE: Final = """
SELECT p.person_key, p.id, p.name, p.provider_ids
FROM person p JOIN source s ON s.source_key = p.source_key
WHERE s.kind = 'nfo' AND p.provider_ids <> '' AND p.person_key > :after
ORDER BY p.person_key LIMIT 5000
"""
INSERT_ALIASES: Final = """
INSERT INTO person_alias (id, person_key)
SELECT r.id, r.person_key FROM @rows(:rows, id text, person_key integer) r
WHERE NOT EXISTS (SELECT 1 FROM person p WHERE p.id = r.id)
ON CONFLICT (id) DO UPDATE
SET shared = CASE WHEN person_alias.person_key = excluded.person_key THEN person_alias.shared ELSE 1 END
"""
MARK_UNCREDITED_PEOPLE: Final = """
UPDATE person SET uncredited_since = :now
WHERE NOT EXISTS (SELECT 1 FROM credit c WHERE c.person_key = person.person_key)
"""


async def upgrade(session: Session) -> None:
    """Upgrade a database of version 5."""
    for statement in STATEMENTS:
        await session.execute(statement)
    await _fill_words_of_names(session)
    await _fill_words_of_titles(session)
    await session.execute(MARK_UNCREDITED_PEOPLE, {"now": session.now})
    await _fill_aliases(session)


async def _fill_words_of_names(session: Session) -> None:
    after = -1
    while page := await session.fetch_all(PEOPLE_PAGE, {"after": after}):
        rows = [(word, key) for key, name in page for word in _words_of_name(name)]
        await session.insert("person_word", "word text, person_key integer", sorted(rows))
        after = page[-1][0]


async def _fill_words_of_titles(session: Session) -> None:
    after = -1
    while page := await session.fetch_all(TITLES_PAGE, {"after": after}):
        words = {word for row in page for word in _words_of_item(*row)}
        await session.insert("item_word", "word text, place integer, item_key integer", sorted(words))
        after = page[-1][0]


async def _fill_aliases(session: Session) -> None:
    after = -1
    while page := await session.fetch_all(PEOPLE_WITH_IDS_PAGE, {"after": after}):
        rows = []
        for key, person_id, name, ids in page:
            source_id = person_id.partition(":")[0]
            aliases = (f"{source_id}:{made}" for made in (*_keys_of_ids(ids), _key_of_name(name)))
            rows += [(alias, key) for alias in aliases if alias != person_id]
        await session.execute(INSERT_ALIASES, {"rows": sorted(rows)})
        after = page[-1][0]


# How version 6 derived keys of people from their provider ids and names

_PREFERRED_PROVIDERS: Final = ("tmdb", "imdb", "tvdb")
_MAX_KEY_BYTES: Final = 200
_HASHED_PREFIX_BYTES: Final = 100


def _keys_of_ids(text: str) -> Iterator[str]:
    try:
        ids = json.loads(text)
    except ValueError:
        return
    if not isinstance(ids, dict):
        return
    for provider in (*_PREFERRED_PROVIDERS, *sorted(ids.keys() - set(_PREFERRED_PROVIDERS))):
        value = ids.get(provider)
        if value and isinstance(value, str):
            yield _bounded(f"{provider}:{value}")


def _key_of_name(name: str) -> str:
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return _bounded("name:" + " ".join(folded.split()))


def _bounded(key: str) -> str:
    encoded = key.encode("utf-8", "surrogatepass")
    if len(encoded) <= _MAX_KEY_BYTES:
        return key
    prefix = encoded[:_HASHED_PREFIX_BYTES].decode("utf-8", "ignore")
    return f"{prefix}#{hashlib.sha256(encoded).hexdigest()}"


# How version 6 folded names and titles for search

_NOT_WORD: Final = re.compile(r"[\W_]+")
_SELECTORS: Final = frozenset((0x034F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
"""Signs that choose between forms of the letter before them."""

_SEPARATE_LETTERS: Final = {
    "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ŋ": "n", "ĸ": "k", "ə": "a", "ɛ": "e", "ɔ": "o",
    "ʼ": " ", "ʻ": None, "ʽ": None, "ʾ": None, "ʿ": None, "ـ": None,
}  # fmt: skip
"""Letters that Unicode does not decompose, and what people type for them.

Half rings and the like, which transliterations write, are left out. The letter apostrophe separates, as the
apostrophe does.
"""

_LONGEST_WORD: Final = 64
"""Words are cut to so many characters: an index of PostgreSQL takes no key of several thousand bytes."""

_LONGEST_KEY: Final = 200

_ARTICLES: Final = frozenset({
    "a", "an", "the", "der", "die", "das", "ein", "eine", "le", "la", "les", "l", "un", "une", "el", "los",
    "las", "il", "lo", "gli", "een", "het", "de", "den", "det", "en", "ett",
})  # fmt: skip
"""What titles begin with in English, German, French, Spanish, Italian, Dutch and the Nordic languages."""

_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Letters of scripts whose words are written without spaces: Thai, Khmer, Burmese, Han, kana, hangul."""


class _Letters(dict[int, "int | str | None"]):
    """What `str.translate` makes of each character of a name, worked out when it is first met."""

    def __missing__(self, code: int) -> int | str | None:
        char = chr(code)
        made: int | str | None = " "
        if char in _SEPARATE_LETTERS:
            made = _SEPARATE_LETTERS[char]
        elif unicodedata.combining(char) or code in _SELECTORS:
            made = None
        elif char.isalnum():
            made = _without_stroke(char)
        elif unicodedata.category(char) in {"Mn", "Mc"}:
            made = code
        self[code] = made
        return made


def _without_stroke(char: str) -> str | None:
    """Return the letter that Unicode's name of a letter says it is a variant of: "l" for "ł", "o" for "ø"."""
    name, separator, _ = unicodedata.name(char, "").partition(" WITH ")
    if not separator:
        return char
    try:
        letter = unicodedata.normalize("NFKD", unicodedata.lookup(name))[0]
    except KeyError:
        return char
    return _SEPARATE_LETTERS.get(letter, letter) if letter.isalpha() else char


_LETTERS: Final = _Letters()


def _words_of_name(name: str) -> list[str]:
    return sorted({word[:_LONGEST_WORD] for word in _letters(name).split()})


def _words_of_title(title: str) -> list[str]:
    words: set[str] = set()
    for word in _letters(title).split():
        words.add(word[:_LONGEST_WORD])
        if not word.isascii() and _UNSPACED.search(word):
            whole = unicodedata.normalize("NFC", word)[:_LONGEST_WORD]
            ends = (whole[first:] for first in range(1, len(whole)) if _UNSPACED.match(whole, first))
            words.update(unicodedata.normalize("NFKD", end)[:_LONGEST_WORD] for end in ends)
    return sorted(words)


def _title_key(title: str) -> str:
    words = _letters(title).split()
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    elif (
        len(words) > 1 and words[-1] in _ARTICLES and _letters(title.rpartition(",")[2]).split() == words[-1:]
    ):
        words = words[:-1]
    return "".join(words)[:_LONGEST_KEY]


def _letters(text: str) -> str:
    if text.isascii():
        return _NOT_WORD.sub(" ", text.lower())
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return folded.translate(_LETTERS)


_RANKS: Final = {"movie": 0, "show": 1, "episode": 2, "season": 3}
_YEARS: Final = 10_000
_WHOLE: Final = "="


def _place(media_type: str, year: int | None) -> int:
    known = year if isinstance(year, int) else 0  # other hands may have stored a text
    return _RANKS.get(media_type, len(_RANKS)) * _YEARS + max(0, min(known, _YEARS - 1))


def _whole_title(title: str) -> str:
    return _WHOLE + (_title_key(title) or title.strip().casefold()[:200])


def _words_of_item(
    item_key: int, media_type: str, title: str, original_title: str | None, year: int | None
) -> set[tuple[str, int, int]]:
    where = _place(media_type, year)
    titles = (title, original_title) if original_title and original_title != title else (title,)
    return {
        (word, where, item_key) for text in titles for word in (_whole_title(text), *_words_of_title(text))
    }
