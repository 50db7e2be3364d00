"""Comparing what was typed with names and titles. Nothing here reads the database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from typing import Final

from mediasync.text import romanised, title_key, words_in_order

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"

_YEAR: Final = re.compile(r"(?:18[89]|19\d|20\d|21[0-4])\d")

SMALL_WORDS: Final = frozenset({
    "a", "an", "the", "der", "die", "das", "ein", "eine", "le", "la", "les", "l", "un", "une", "el", "los",
    "las",
    "il", "lo", "gli", "een", "het", "de", "den", "det", "en", "ett", "and", "und", "et", "y", "e", "i", "og",
    "och", "of", "s", "d",
})  # fmt: skip
"""Articles, and words for "and": a title is found with or without them."""

_SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv", "junior", "senior"})

_UNITS: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_ROMANS: Final = [
    "i",
    "ii",
    "iii",
    "iv",
    "v",
    "vi",
    "vii",
    "viii",
    "ix",
    "x",
    "xi",
    "xii",
    "xiii",
    "xiv",
    "xv",
    "xvi",
    "xvii",
    "xviii",
    "xix",
    "xx",
]
_TENS: Final = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_NUMBERS: Final[dict[str, str]] = {
    **{word: str(number) for number, word in enumerate(_UNITS)},
    **{word: str(number) for number, word in enumerate(_ROMANS, 1)},
    **{word: str(number) for word, number in _TENS.items()},
    "hundred": "100",
    "first": "1", "second": "2", "third": "3",
    "1st": "1", "2nd": "2", "3rd": "3",
}  # fmt: skip
_FORMS: Final[dict[str, list[str]]] = {}
for _word, _number in _NUMBERS.items():
    _FORMS.setdefault(_number, [_number]).append(_word)

_DIGITS_FOR: Final = {
    "a": "4", "b": "8", "e": "3", "g": "69", "i": "1", "l": "1", "o": "0", "s": "5", "t": "7", "v": "7",
    "z": "2",
}  # fmt: skip
"""Digits that stand for letters, as in "Se7en" and "M3GAN"."""

_NICKNAMES: Final = (
    "robert bob rob bobby robbie", "william bill will billy willy", "richard dick rick richie ricky",
    "james jim jimmy jamie", "john johnny jack jon", "michael mike mick mickey", "thomas tom tommy",
    "joseph joe joey", "charles charlie chuck", "edward ed eddie ted ned", "anthony tony", "david dave",
    "daniel dan danny", "matthew matt", "christopher chris", "andrew andy drew", "benjamin ben benny",
    "samuel sam sammy", "nicholas nick nicky nicolas", "steven stephen steve", "gregory greg", "patrick pat",
    "lawrence larry laurence", "kenneth ken kenny", "timothy tim", "alexander alex", "frederick fred freddie",
    "elizabeth liz beth betty lizzie", "katherine catherine kathryn kate cathy kathy katie",
    "jennifer jen jenny",
    "margaret maggie meg peggy", "susan sue susie", "deborah debbie deb", "barbara barb",
    "jessica jess jessie",
    "rebecca becky", "victoria vicky", "samantha sam", "alexandra alex", "gim kim", "i yi lee ri",
    "bak bag park pak",
    "choe choi", "jeong jung chung", "jo cho", "gang kang", "yu yoo", "u woo", "o oh", "im lim rim",
    "sin shin",
    "an ahn", "heo hur", "no noh roh", "ryu yoo ryoo", "bae pae", "gwak kwak", "gu koo ku", "yun yoon",
    "jun joon",
    "hyeon hyun", "yeong young", "seong sung", "eun un",
)  # fmt: skip
"""Short forms of first names, and the ways in which Korean syllables are written in Latin letters."""

_NICKNAMES_OF: Final[dict[str, set[str]]] = {}
for _line in _NICKNAMES:
    for _word in _line.split():
        _NICKNAMES_OF.setdefault(_word, set()).update(set(_line.split()) - {_word})

_KOREAN: Final = re.compile(
    r"(?:kk|tt|pp|ss|jj|ch|[gndrlmbsjktph])?(?:yae|yeo|wae|eo|ae|oe|ui|eu|ya|ye|wa|wo|we|wi|yo|yu|[aeiou])(?:ng|[gkntdlmbp])?"
)
_KOREAN_SPELLINGS: Final = (
    (("yeo", "yu"), ("eo", "u")), (("yeo", "yo"), ("eo", "o")),
    (("^g", "k"), ("^b", "p"), ("^d", "t"), ("^j", "ch"), ("yeo", "yu"), ("eo", "u")),
    ((r"(?<!n)g$", "k"), ("^u", "woo"), ("u", "oo")), ((r"(?<!n)g$", "k"), ("^i", "yi")), (("eu", "u"),),
)  # fmt: skip
"""How a Korean syllable in the official spelling is written in names."""

_SPELLINGS: Final = (
    ("f", "ph"), ("ph", "f"), ("k", "c"), ("c", "k"), ("k", "ch"), ("ch", "k"), ("ks", "x"), ("x", "ks"),
    ("kw", "qu"),
    ("q", "k"), ("s", "z"), ("z", "s"), ("y", "i"), ("i", "y"), ("y", "ie"), ("v", "w"), ("w", "v"), ("sh",
    "sch"),
    ("sh", "ch"), ("j", "y"), ("y", "j"), ("j", "zh"), ("oe", "o"), ("ue", "u"), ("ae", "a"), ("ou", "u"),
    ("u", "ou"),
    ("ee", "ea"), ("ea", "ee"), ("ai", "ay"), ("ey", "y"), ("ks", "cks"), ("g", "j"), ("j", "g"), ("t", "th"),
    ("th", "t"),
)  # fmt: skip
"""How one sound is written in different ways."""

_SOUNDS: Final = (
    (re.compile(r"ph|pf"), "f"), (re.compile(r"sch|sh|tch|ch(?=[ei])|cz|sz"), "s"),
    (re.compile(r"ck|q|kh|ch"), "k"),
    (re.compile(r"c(?=[eiy])"), "s"), (re.compile(r"c|g(?=h)"), "k"), (re.compile(r"x"), "ks"),
    (re.compile(r"[zj]"), "s"), (re.compile(r"w"), "v"), (re.compile(r"th|d"), "t"),
    (re.compile(r"(?<=.)[aeiouyh]"), ""), (re.compile(r"^[aeiouyh]"), "a"), (re.compile(r"(.)\1+"), r"\1"),
)  # fmt: skip
ENOUGH_LIKE: Final = 0.66
"""Names that are less like what was typed than this are not found."""


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed.

    Attributes:
        text: as it was typed.
        words: its folded words, in order.
        latin: the same in Latin letters.
        year: the year at its end; None without one.
    """

    text: str
    words: tuple[str, ...]
    latin: tuple[str, ...]
    year: int | None


def parse_query(text: str) -> Query:
    """Return what is searched for. At most twelve words count."""
    words = tuple(words_in_order(text)[:12])
    latin = tuple(part for word in words for part in romanised(word))[:16]
    year = int(words[-1]) if len(words) > 1 and _YEAR.fullmatch(words[-1]) else None
    return Query(text, words, latin, year)


def number_forms(word: str) -> list[str]:
    """Return the other ways to write a number.

    Example:
        >>> number_forms("2")
        ['two', 'ii', 'second', '2nd']
    """
    return [form for form in _FORMS.get(_NUMBERS.get(word, word), ()) if form != word]


def digit_forms(word: str) -> list[str]:
    """Return a word with one letter as a digit, and with its digits as letters.

    Example:
        >>> digit_forms("se7en"), "se7en" in digit_forms("seven")
        (['seten', 'seven'], True)
    """
    if len(word) < 3 or word.isdigit():
        return []
    digits = [at for at, letter in enumerate(word) if letter.isdigit()]
    if not word[0].isalpha() or not word[-1].isalpha():
        return []
    if not digits:
        return [
            word[:at] + digit + word[at + 1 :]
            for at, letter in enumerate(word)
            if 0 < at < len(word) - 1
            for digit in _DIGITS_FOR.get(letter, "")
        ]
    choices = [
        [letter for letter, of in _DIGITS_FOR.items() if char in of] or [char] if char.isdigit() else [char]
        for char in word
    ]
    if len(digits) > 2:
        return []
    return ["".join(letters) for letters in product(*choices)]


def other_forms(word: str) -> list[str]:
    """Return other spellings of a word: of a first name, a number, a Korean syllable, or a sound.

    Example:
        >>> other_forms("byeong")[:3], other_forms("2")[:2]
        (['byung', 'byong', 'pyung'], ['two', 'ii'])
    """
    spelt = [*sorted(_NICKNAMES_OF.get(word, ())), *number_forms(word)]
    if 2 <= len(word) <= 7 and _KOREAN.fullmatch(word):
        for rule in _KOREAN_SPELLINGS:
            changed = word
            for pattern, by in rule:
                changed = re.sub(pattern, by, changed)
            spelt.append(changed)
    if len(word) > 3:
        words = (word, word[:-1]) if word.endswith("s") else (word,)
        spelt += [one.replace(sound, by) for one in words for sound, by in _SPELLINGS if sound in one]
        spelt += words[1:]
    return list(dict.fromkeys(form for form in spelt if form != word))


def joined_forms(first: str, second: str) -> list[str]:
    """Return two words as one, also in other spellings."""
    firsts, seconds = [first, *other_forms(first)[:6]], [second, *other_forms(second)[:6]]
    return list(dict.fromkeys(one + other for one in firsts for other in seconds))


def title_keys(words: Sequence[str]) -> list[str]:
    """Return the keys of whole titles that these words may be, with other ways to write numbers."""
    choices = [
        [word, *number_forms(word)] if word in _NUMBERS or word in _FORMS else [word] for word in words
    ]
    while len(choices) > 0 and _size(choices) > 64:
        longest = max(range(len(choices)), key=lambda n: len(choices[n]))
        choices[longest] = choices[longest][:1]
    keys = [title_key(" ".join(some)) for some in product(*choices)]
    for n, (tens, unit) in enumerate(pairwise(words)):
        if tens in _TENS and unit in _UNITS[1:10]:
            number = str(_TENS[tens] + _UNITS.index(unit))
            keys.append(title_key(" ".join([*words[:n], number, *words[n + 2 :]])))
    if len(words) <= 3:
        keys += [
            title_key(" ".join([*words[:n], form, *words[n + 1 :]]))
            for n, word in enumerate(words)
            for form in digit_forms(word)
        ]
    if len(words) > 1 and words[-1] in SMALL_WORDS:
        keys.append(title_key(" ".join(words[:-1])))
    without_and = [word for word in words if word not in ("and", "und", "et", "y", "og", "och")]
    if len(without_and) not in (0, len(words)):
        keys.append(title_key(" ".join(without_and)))
    return list(dict.fromkeys(key for key in keys if key))


def _size(choices: Sequence[Sequence[str]]) -> int:
    size = 1
    for some in choices:
        size *= len(some)
    return size


def one_edit(word: str, within: int | None = None) -> set[str]:
    """Return all words that one wrong, missing, added or swapped letter makes of a word.

    Args:
        word: the word.
        within: the letters up to this place may be wrong; None for all.
    """
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)][: None if within is None else within + 1]
    return {
        *(a + b[1:] for a, b in parts if b),
        *(a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1),
        *(a + letter + b[1:] for a, b in parts if b for letter in _LETTERS),
        *(a + letter + b for a, b in parts for letter in _LETTERS),
    } - {word, ""}


def same_word(typed: str, own: str) -> bool:
    """Return whether two words are the same, whatever the kind of numerals, with digits for letters."""
    if typed == own:
        return True
    if (typed in _NUMBERS or own in _NUMBERS) and _NUMBERS.get(typed, typed) == _NUMBERS.get(own, own):
        return True
    if len(typed) != len(own) or len(typed) < 3 or (typed.isalpha() and own.isalpha()):
        return False
    return all(
        a == b or a in _DIGITS_FOR.get(b, "") or b in _DIGITS_FOR.get(a, "")
        for a, b in zip(typed, own, strict=True)
    )


def begins(typed: str, own: str) -> bool:
    """Return whether a word begins with what was typed."""
    return own.startswith(typed) or same_word(typed, own)


@lru_cache(maxsize=4096)
def own_words(text: str) -> tuple[str, ...]:
    """Return the words of a stored name, in Latin letters."""
    words = words_in_order(text)
    if text.isascii() or all(map(str.isascii, words)):
        return tuple(words)
    return tuple(part for word in words for part in romanised(word))


@lru_cache(maxsize=4096)
def sound(word: str) -> str:
    """Return roughly how a word sounds: its consonants, with alike ones as one.

    Example:
        >>> sound("saoirse") == sound("sersha"), sound("philip") == sound("filip")
        (True, True)
    """
    for pattern, by in _SOUNDS:
        word = pattern.sub(by, word)
    return word


@lru_cache(maxsize=1024)
def _forms_of(word: str) -> frozenset[str]:
    return frozenset(other_forms(word))


class Likeness:
    """How much names are like what was typed.

    Args:
        words: the typed words, in Latin letters.
        of_titles: whether titles are compared, which may be longer than what was typed.
    """

    def __init__(self, words: Sequence[str], *, of_titles: bool) -> None:
        from rapidfuzz.distance import Indel  # only forgiving searches need it

        self._ratio = Indel.normalized_similarity
        typed = [word for word in words if word not in SMALL_WORDS] if of_titles else list(words)
        self._words = typed or list(words)
        self._joined = "".join(self._words)
        self._sorted = "".join(sorted(self._words))
        self._of_titles = of_titles
        self._known: dict[tuple[str, str], float] = {}

    def rough(self, own: Sequence[str]) -> float:
        """Return a quick estimate of the likeness."""
        return max(self._ratio(self._joined, "".join(own)), self._ratio(self._sorted, "".join(sorted(own))))

    def of(self, own: Sequence[str]) -> float:
        """Return the likeness of the words of a name or a title, from 0 to 1."""
        if self._of_titles:
            own = [word for word in own if word not in SMALL_WORDS] or own
        parts = [*own, *(a + b for a, b in pairwise(own))]
        if not parts:
            return 0.0
        best = [max(self._word(word, part) for part in parts) for word in self._words]
        for n, (a, b) in enumerate(zip(self._words, self._words[1:], strict=False)):
            joined = max(self._word(a + b, part) for part in parts)
            if joined > max(best[n], best[n + 1]):
                best[n] = best[n + 1] = joined
        lengths = [max(len(word), 2) for word in self._words]
        cover = sum(one * length for one, length in zip(best, lengths, strict=True)) / sum(lengths)
        typed = [*self._words, *(a + b for a, b in zip(self._words, self._words[1:], strict=False))]
        counted = [word for word in own if len(word) > 1 and word not in _SUFFIXES] or list(own)
        back = sum(max(self._word(one, word) for one in typed) * len(word) for word in counted) / sum(
            map(len, counted)
        )
        share = 0.15 if self._of_titles else 0.35
        whole = self._ratio(self._joined, "".join(own))
        return max((1 - share) * cover + share * back, 0.98 * whole)

    def _word(self, typed: str, own: str) -> float:
        key = (typed, own)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._compare(typed, own)
        return found

    def _compare(self, typed: str, own: str) -> float:
        if same_word(typed, own):
            return 1.0
        if own in _forms_of(typed):
            return 0.9
        ratio = self._ratio(typed, own)
        if typed and own.startswith(typed):
            ratio = max(ratio, 0.75 + 0.2 * len(typed) / len(own))
        heard = self._ratio(sound(typed), sound(own))
        return max(ratio, 0.5 * ratio + 0.5 * heard if len(typed) > 2 and len(own) > 2 else ratio)


def likest(
    likeness: Likeness, named: Iterable[tuple[int, Sequence[Sequence[str]]]], most: int
) -> dict[int, float]:
    """Return the keys of the names that are most like what was typed, with their likeness.

    Args:
        likeness: compares.
        named: the keys of rows, and the words of each of their names.
        most: if there are more rows, a quick estimate chooses so many.
    """
    rows = list(named)
    if len(rows) > most:
        estimated = sorted(rows, key=lambda row: max(map(likeness.rough, row[1]), default=0.0), reverse=True)
        rows = estimated[:most]
    found = {key: max(map(likeness.of, names), default=0.0) for key, names in rows}
    return {key: score for key, score in found.items() if score >= ENOUGH_LIKE}
