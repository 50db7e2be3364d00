"""Version 9: words of sort titles are stored, and words of other scripts in Latin letters."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from mediasync.database.migrations import v0006_search_words_and_aliases as v0006

if TYPE_CHECKING:
    from mediasync.database.session import Session

# Reads a page of people with their names.
PEOPLE_PAGE: Final = """
SELECT p.person_key, p.name FROM person p WHERE p.person_key > :after ORDER BY p.person_key LIMIT 2000
"""

# Reads a page of items with their titles.
TITLES_PAGE: Final = """
SELECT i.item_key, i.media_type, i.title, i.original_title, i.sort_title, i.year FROM media_item i
WHERE i.item_key > :after ORDER BY i.item_key LIMIT 1000
"""

# Stores words of names.
INSERT_WORDS: Final = """
INSERT INTO person_word (word, person_key)
SELECT r.word, r.person_key FROM @rows(:words, word text, person_key integer) r
WHERE true
ON CONFLICT (word, person_key) DO NOTHING
"""

# Stores words of titles.
INSERT_ITEM_WORDS: Final = """
INSERT INTO item_word (word, place, item_key)
SELECT r.word, r.place, r.item_key FROM @rows(:words, word text, place integer, item_key integer) r
WHERE true
ON CONFLICT (word, place, item_key) DO NOTHING
"""

_SEMITIC: Final = str.maketrans({
    "ا": "a", "أ": "a", "آ": "a", "إ": "i", "ى": "a", "ة": "a", "ع": "a", "و": "o", "ي": "i", "ئ": "i",
    "ؤ": "o", "ء": None, "א": "a", "ע": "a", "ו": "o", "י": "i", "ה": "h", "ש": "sh",
})  # fmt: skip
_SIGN: Final = re.compile(r"(?<=[^\W\d_])[!$@](?=[^\W\d_])")
_LETTER_OF: Final = {"!": "i", "$": "s", "@": "a"}
_KANA: Final = re.compile("[\u3040-\u30ff]+")
_GREEK: Final = (("γγ", "νγ"), ("μπ", "b"))
_ARABIC_ARTICLE: Final = re.compile("^ال(?=..)")
_SYLLABLE: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]")
_LONGEST_WORD: Final = 64


async def add_words(session: Session) -> None:
    """Add the words by which version 9 finds names and titles, and version 8 did not."""
    await _add_words_of_names(session)
    await _add_words_of_titles(session)


async def _add_words_of_names(session: Session) -> None:
    after = -1
    while page := await session.fetch_all(PEOPLE_PAGE, {"after": after}):
        words = [
            (word, key)
            for key, name in page
            if not name.isascii() or _SIGN.search(name)
            for word in sorted(_searchable(name))
        ]
        if words:
            await session.execute(INSERT_WORDS, {"words": sorted(words)})
        after = page[-1][0]


async def _add_words_of_titles(session: Session) -> None:
    after = -1
    while page := await session.fetch_all(TITLES_PAGE, {"after": after}):
        words: set[tuple[str, int, int]] = set()
        for key, media_type, title, original_title, sort_title, year in page:
            stored = v0006._words_of_item(key, media_type, title, original_title, year)
            words |= _words_of_item(key, media_type, title, original_title, sort_title, year) - stored
        if words:
            await session.execute(INSERT_ITEM_WORDS, {"words": sorted(words)})
        after = page[-1][0]


def _words_of_item(
    item_key: int,
    media_type: str,
    title: str,
    original_title: str | None,
    sort_title: str | None,
    year: int | None,
) -> set[tuple[str, int, int]]:
    where = v0006._place(media_type, year)
    titles = (title, original_title) if original_title and original_title != title else (title,)
    words = {word for text in titles for word in (v0006._whole_title(text), *_searchable(text))}
    if sort_title and sort_title not in titles:
        added = [word for word in _searchable(sort_title) if word not in words and word[0] != "0"]
        if added:
            words.update(added, (v0006._whole_title(sort_title),))
    return {(word, where, item_key) for word in words}


def _searchable(text: str) -> set[str]:
    words = set(v0006._words_of_title(text))
    spelt = _SIGN.sub(lambda sign: _LETTER_OF[sign[0]], text)
    if spelt != text:
        words |= _searchable(spelt)
    for word in v0006._letters(text).split():
        if not word.isascii():
            words.update(_romanised(word[:_LONGEST_WORD]))
    return words


def _romanised(word: str) -> list[str]:
    from anyascii import anyascii  # only names in other scripts need it

    composed = _KANA.sub(r" \g<0> ", _ARABIC_ARTICLE.sub("al ", unicodedata.normalize("NFC", word)))
    for letters, latin_letters in _GREEK:
        composed = composed.replace(letters, latin_letters)
    latin = anyascii(composed.translate(_SEMITIC))
    return [part.lower()[:_LONGEST_WORD] for part in _SYLLABLE.findall(latin)]
