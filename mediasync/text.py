"""Text: folding names and titles for search, removing secrets, and checking what a database can store."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from mediasync.errors import UsageError
from mediasync.vocabulary import MEDIA_KINDS

_NOT_WORD: Final = re.compile(r"[\W_]+")
_SELECTORS: Final = frozenset((0x034F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
"""Variation selectors: they choose the form of the letter before them."""


_SEPARATE_LETTERS: Final = {
    "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ŋ": "n", "ĸ": "k", "ə": "a", "ɛ": "e", "ɔ": "o",
    "ʼ": " ", "ʻ": None, "ʽ": None, "ʾ": None, "ʿ": None, "ـ": None,
}  # fmt: skip
"""Letters that Unicode does not decompose, and what people type for them.

Half rings and similar marks of transliterations are dropped. The letter apostrophe separates words, like the
apostrophe.
"""

_LONGEST_WORD: Final = 64
"""The length to which words are cut, because PostgreSQL cannot index values of several thousand bytes."""

_LONGEST_KEY: Final = 200

_ARTICLES: Final = frozenset({
    "a", "an", "the", "der", "die", "das", "ein", "eine", "le", "la", "les", "l", "un", "une", "el", "los",
    "las", "il", "lo", "gli", "een", "het", "de", "den", "det", "en", "ett",
})  # fmt: skip
"""The articles of English, German, French, Spanish, Italian, Dutch and the Nordic languages."""

_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Letters of scripts whose words are written without spaces: Thai, Khmer, Burmese, Han, kana, hangul."""


class _Letters(dict[int, "int | str | None"]):
    """A table for `str.translate` that folds letters, filled as characters occur."""

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
    """Return the base letter according to a letter's Unicode name: "l" for "ł", "o" for "ø"."""
    name, separator, _ = unicodedata.name(char, "").partition(" WITH ")
    if not separator:
        return char
    try:
        letter = unicodedata.normalize("NFKD", unicodedata.lookup(name))[0]
    except KeyError:
        return char
    return _SEPARATE_LETTERS.get(letter, letter) if letter.isalpha() else char


_LETTERS: Final = _Letters()


def words_of_name(name: str) -> list[str]:
    """Return the distinct words of a name, sorted, with accents and case folded.

    Words consist of letters, digits and combining marks of any script; everything else separates them.
    Accents are dropped ("é" becomes "e"), and so are strokes and hooks ("ø" becomes "o"). Letters with a
    common spelling in plain letters are spelt that way ("æ" becomes "ae"), compatibility forms are replaced
    ("ﬁ" becomes "fi"), and case is folded fully ("ß" becomes "ss").

    Example:
        >>> words_of_name("Renée O'Connor-Zellweger")
        ['connor', 'o', 'renee', 'zellweger']
        >>> words_of_name("Łukasz Simlat")
        ['lukasz', 'simlat']
        >>> words_of_name("三船 敏郎")
        ['三船', '敏郎']
    """
    return sorted({word[:_LONGEST_WORD] for word in _letters(name).split()})


def words_of_title(title: str) -> list[str]:
    """Return the words that a title is found by, sorted, folded like those of a name.

    A search matches the beginnings of words. In a script without spaces a word may begin at any letter.

    Example:
        >>> words_of_title("WALL·E")
        ['e', 'wall']
        >>> words_of_title("七人の侍")
        ['の侍', '七人の侍', '人の侍', '侍']
    """
    words: set[str] = set()
    for word in _letters(title).split():
        words.add(word[:_LONGEST_WORD])
        if not word.isascii() and _UNSPACED.search(word):
            words.update(_ends(word))
    return sorted(words)


def _ends(word: str) -> list[str]:
    """Return the ends of a word in a script without spaces, at each of which a search may begin."""
    whole = unicodedata.normalize("NFC", word)[:_LONGEST_WORD]
    ends = (whole[first:] for first in range(1, len(whole)) if _UNSPACED.match(whole, first))
    return [unicodedata.normalize("NFKD", end)[:_LONGEST_WORD] for end in ends]


def title_key(title: str) -> str:
    """Return the folded letters and digits of a title, which are equal for different spellings of it.

    Spaces and punctuation are ignored, and so is an article at the start or, after a comma, at the end.

    Example:
        >>> title_key("The Godfather"), title_key("Godfather, The"), title_key("WALL·E")
        ('godfather', 'godfather', 'walle')
    """
    words = _letters(title).split()
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    elif (
        len(words) > 1 and words[-1] in _ARTICLES and _letters(title.rpartition(",")[2]).split() == words[-1:]
    ):
        words = words[:-1]
    return "".join(words)[:_LONGEST_KEY]


def fold(text: str) -> str:
    """Return a text with its letters folded as in `words_of_name`, and spaces in place of everything else.

    Example:
        >>> fold("Amélie!")
        'amelie '
    """
    return _letters(text)


def _letters(text: str) -> str:
    if text.isascii():
        lower = text.lower()
        if lower.replace(" ", "").isalpha() and "  " not in lower:
            return lower  # as most names are
        return _NOT_WORD.sub(" ", lower)
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return folded.translate(_LETTERS)


_SEMITIC: Final = str.maketrans({
    "ا": "a", "أ": "a", "آ": "a", "إ": "i", "ى": "a", "ة": "a", "ع": "a", "و": "o", "ي": "i", "ئ": "i",
    "ؤ": "o", "ء": None, "א": "a", "ע": "a", "ו": "o", "י": "i", "ה": "h", "ש": "sh",
})  # fmt: skip
"""Letters of Arabic and Hebrew that stand for vowels, and how names are spelt with them in Latin letters."""

_SIGN: Final = re.compile(r"(?<=[^\W\d_])[!$@](?=[^\W\d_])")
_LETTER_OF: Final = {"!": "i", "$": "s", "@": "a"}
_KANA: Final = re.compile("[\u3040-\u30ff]+")
_GREEK: Final = (("γγ", "νγ"), ("μπ", "b"))
_ARABIC_ARTICLE: Final = re.compile("^ال(?=..)")
_SYLLABLE: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]")


def words_in_order(text: str) -> list[str]:
    """Return the folded words of a text in its order.

    Example:
        >>> words_in_order("Amélie & l'été")
        ['amelie', 'l', 'ete']
    """
    return [word[:_LONGEST_WORD] for word in _letters(text).split()]


def romanised(word: str) -> list[str]:
    """Return a folded word of another script in Latin letters, by syllables where the script has them.

    Example:
        >>> romanised("송강호"), romanised("константин"), romanised("matrix")
        (['song', 'gang', 'ho'], ['konstantin'], ['matrix'])
    """
    if word.isascii():
        return [word]
    from anyascii import anyascii  # only names in other scripts need it

    composed = _KANA.sub(r" \g<0> ", _ARABIC_ARTICLE.sub("al ", unicodedata.normalize("NFC", word)))
    for letters, latin_letters in _GREEK:
        composed = composed.replace(letters, latin_letters)
    latin = anyascii(composed.translate(_SEMITIC))
    return [part.lower()[:_LONGEST_WORD] for part in _SYLLABLE.findall(latin)]


def prepare_words() -> None:
    """Import what words of other scripts need, which takes 30 ms, so that no save stops for it."""
    romanised("я")


def searchable_words(text: str) -> list[str]:
    """Return the words that a name or a title is found by, sorted.

    These are its folded words, the ends of words in scripts without spaces, and the words of other scripts in
    Latin letters. A sign between letters that stands for a letter counts as both.

    Example:
        >>> searchable_words("Юрий Яковлев")
        ['yakovlev', 'yurii', 'юрии', 'яковлев']
    """
    if "!" in text or "$" in text or "@" in text:
        spelt = _SIGN.sub(lambda sign: _LETTER_OF[sign[0]], text)
        if spelt != text:
            return sorted({*searchable_words(spelt), *words_of_title(text)})
    letters = _letters(text)
    words = set(letters.split())
    if len(letters) > _LONGEST_WORD:
        words = {word[:_LONGEST_WORD] for word in words}
    if not letters.isascii():
        for word in [word for word in words if not word.isascii()]:
            words.update(romanised(word))
            if _UNSPACED.search(word):
                words.update(_ends(word))
    return sorted(words)


StoredWord = tuple[str, int, int]
"""A word, the position of its item in search results, and the item's storage key."""

_RANKS: Final[dict[str, int]] = {media_type: kind.rank for media_type, kind in MEDIA_KINDS.items()}
_YEARS: Final = 10_000
_WHOLE: Final = "="


def place(media_type: str, year: int | None) -> int:
    """Return the position of an item in search results: by the rank of its type, then by year."""
    known = year if isinstance(year, int) else 0  # another program may have stored a text
    return _RANKS.get(media_type, len(_RANKS)) * _YEARS + max(0, min(known, _YEARS - 1))


def whole(title: str) -> str:
    """Return the word that stands for a whole title. It cannot be equal to a word of a title."""
    return _WHOLE + (title_key(title) or title.strip().casefold()[:200])


def words_of_item(
    item_key: int,
    media_type: str,
    title: str,
    original_title: str | None,
    sort_title: str | None,
    year: int | None,
) -> set[StoredWord]:
    """Return an item's rows of the search index.

    Of the sort title, only the words are added that the titles lack. Servers write numbers in it with leading
    zeros; these are left out.
    """
    where = place(media_type, year)
    titles = (title, original_title) if original_title and original_title != title else (title,)
    words = {word for text in titles for word in (whole(text), *searchable_words(text))}
    if sort_title and sort_title not in titles:
        added = [word for word in searchable_words(sort_title) if word not in words and word[0] != "0"]
        if added:
            words.update(added, (whole(sort_title),))
    return {(word, where, item_key) for word in words}


# In Kodi's "image://video@…" the part before "@" is not a user name.
_USERINFO: Final = re.compile(
    r"(?i)(?<![a-z0-9+.-])(?!image://[^/\s?#:@%]*@)([a-z][a-z0-9+.-]*://)[^/\s?#]*@"
)
# An unencoded password may contain any character. A port is a number, followed by a slash.
_RAW_PASSWORD: Final = re.compile(
    r"(?i)([a-z][a-z0-9+.-]*://)[^/\s?#:@\[]*:(?!//|\d{1,5}(?:[/?#\s]|$))[^@\r\n]*?@"
)
_ENCODED_USERINFO: Final = re.compile(
    r"(?i)([a-z][a-z0-9+.-]*%(?:25)*3a%(?:25)*2f%(?:25)*2f)(?:(?!%(?:25)*2f)[^/\s])*%(?:25)*40"
)
_NAMES: Final = (
    r"[\w-]*(?:token|authorization|api[_-]?key|password|passwd|secret|signature)|auth|cookie|pwd|pw|sig"
)
_SECRET_PARAMETER: Final = re.compile(rf"(?i)([?&;|#])(?:{_NAMES})=[^&;#|\s]*")
_ENCODED_PARAMETER: Final = re.compile(
    rf"(?i)(%(?:25)*(?:3f|26|3b|7c|23))(?:{_NAMES})%(?:25)*3d(?:(?!%(?:25)*(?:26|3b|7c|23))[^&;#|\s/])*"
)
_LEFT_OVER: Final = re.compile(r"[?&;|]+(?=$|#)|([?|#&;])[&;]+|#$")
_ENCODED_LEFT_OVER: Final = re.compile(
    r"(?i)(?:%(?:25)*(?:3f|26|3b|7c|23))+(?=$|[&/#|])|(%(?:25)*(?:3f|7c|23|26|3b))(?:%(?:25)*(?:26|3b))+"
)


def without_secrets(text: str) -> str:
    """Return a path or a URL without user name, password and token parameters.

    This includes Kodi's forms: HTTP headers after ``|``, and a URL percent-encoded inside another.

    Example:
        >>> without_secrets("smb://me:secret@nas/films/Heat.mkv")
        'smb://nas/films/Heat.mkv'
        >>> without_secrets("https://host/photo.jpg?X-Plex-Token=abc&width=300")
        'https://host/photo.jpg?width=300'
    """
    if "@" not in text and "%" not in text and ("=" not in text or not _SECRET_PARAMETER.search(text)):
        return text
    for userinfo in (_RAW_PASSWORD, _USERINFO, _ENCODED_USERINFO):
        text = userinfo.sub(r"\1", text)
    for parameter, left_over in (
        (_ENCODED_PARAMETER, _ENCODED_LEFT_OVER),
        (_SECRET_PARAMETER, _LEFT_OVER),
    ):
        shorter = parameter.sub(r"\1", text)
        text = text if shorter == text else left_over.sub(r"\1", shorter)
    return text


_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """Return a text that can be stored and shown: without secrets, and with characters that no database
    stores replaced."""
    return _UNSTORABLE.sub("\ufffd", without_secrets(text))


def check_texts(subject: str, texts: Mapping[str, str | None]) -> None:
    """Raise `UsageError` if one of *texts* cannot be stored. The keys are used in the message."""
    for label, text in texts.items():
        if flaw := find_text_flaw(text or ""):
            raise UsageError(f"{subject}: {label} {flaw}")


def find_text_flaw(text: str) -> str | None:
    """Return why no database stores *text*, or None if it can be stored."""
    if "\0" in text:
        return "contains a NUL character, which no database stores"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "contains a byte that is not UTF-8, or half of a surrogate pair, which is not a character"
    return None
