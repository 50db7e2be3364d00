"""The numbers of seasons and episodes in the names of files and folders. Pure: nothing is opened here."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_SEASON_WORDS: Final = (
    *("season", "series", "serie", "saison", "staffel", "temporada", "tempada", "stagione", "seizoen"),
    *("sezon", "sezonul", "sezona", "sezóna", "sezonas", "sæson", "säsong", "sesong", "kausi", "hooaeg"),
    *("série", "séria", "řada", "évad", "þáttaröð", "denboraldia", "mùa", "musim"),
    *("сезон", "сезона", "σεζόν", "κύκλος", "עונה", "الموسم", "موسم", "فصل"),
    *("シーズン", "시즌", "ซีซั่น", "ซีซัน", "ฤดูกาล", "सीज़न"),
)
_EPISODE_WORDS: Final = (
    *("episode", "épisode", "episodio", "episódio", "episod", "epizoda", "epizóda", "ep", "folge"),
    *("capítulo", "capitulo", "capítol", "aflevering", "avsnitt", "afsnit", "odcinek", "díl", "osa", "jakso"),
    *("rész", "bölüm", "серия", "серія", "эпизод", "епизод", "επεισόδιο", "פרק", "الحلقة", "tập"),
)
_SPECIALS: Final = frozenset(
    {
        *(
            "special",
            "specials",
            "season specials",
            "season-specials",
            "spéciaux",
            "hors-série",
            "hors série",
        ),
        *("especial", "especiales", "especiais", "speciali", "specialer", "specialavsnitt", "spesial"),
        *("speciály", "specjalne", "odcinki specjalne", "különkiadások", "özel bölümler", "erikoisjaksot"),
        *("спецвыпуски", "спешлы", "特典", "特別編", "特别篇", "特別篇", "스페셜"),
    }
)
_NUMBER_WORDS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_HAN_DIGITS: Final = {digit: value for value, digit in enumerate("一二三四五六七八九", 1)}


def _either(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(_folded(word)) for word in sorted(words, key=len, reverse=True))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


_SEASON: Final = f"(?:{_either(_SEASON_WORDS)})"
_EPISODE: Final = f"(?:{_either(_EPISODE_WORDS)})"
_START: Final = r"(?<![^\W_])"
_END: Final = r"(?![^\W_])"
_ORDINAL: Final = r"(?:\.|st|nd|rd|th|e|er|re|ème|eme|[ªºao]|:[ae]|-?(?:й|я|ий|ый|ой))?"
_HAN: Final = r"(\d{1,4}|[一二三四五六七八九十]{1,3})"

_SEASON_NAMES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_SEASON}[ ._#-]*(\d{{1,4}}){_END}",
        rf"(\d{{1,4}}){_ORDINAL}[ ._-]*{_SEASON}{_END}",
        rf"s[ ._-]?(\d{{1,4}}){_END}(?![ ._-]*e\d)",
        rf"第[ ]*{_HAN}[ ]*(?:季|期|部|シーズン)",
        rf"{_SEASON}[ ._-]+({'|'.join(_NUMBER_WORDS)}){_END}",
    )
)

_MAY_NAME_SEASON: Final = re.compile(rf"{_SEASON}|第|{_START}s[ ._-]?\d")

_MORE: Final = (
    r"(?:[ ._]*[-+&,~]?[ ._]*(?:s\d{1,4})?[ ._]*ep?[ ._]*\d{1,4}|[-+&](?:\d{1,2}x)?\d{2,4}(?![^\W_]))*"
)
_CERTAIN: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_START}s(\d{{1,4}})[ ._-]*x?e(?:p(?:isode)?)?[ ._-]*(\d{{1,4}})({_MORE})",
        rf"{_SEASON}[ ._#-]*(\d{{1,4}})[ ._,-]*{_EPISODE}[ ._#-]*(\d{{1,4}}){_END}()",
        rf"(\d{{1,4}}){_ORDINAL}[ ._-]*{_SEASON}[ ._,-]*(\d{{1,4}}){_ORDINAL}[ ._-]*{_EPISODE}{_END}()",
        r"第[ ]*(\d{1,3})[ ]*[季期部][ ._-]*第[ ]*(\d{1,4})[ ]*[集話话回]()",
        r"시즌[ ._-]*(\d{1,3})[ ._,-]*(?:제)?(\d{1,4})[ ]*[화회]()",
    )
)
_UNCERTAIN: Final = re.compile(r"(?<!\d)(\d{1,2})x(\d{1,3})((?:[-+&](?:\d{1,2}x)?\d{2,3})*)(?!\d)")
_IN_SEASON: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_START}e(\d{{1,4}})((?:[ ._]*-?[ ._]*e\d{{1,4}})*){_END}",
        rf"{_START}{_EPISODE}[ ._#-]*(\d{{1,4}})((?:-\d{{1,4}})*){_END}",
        rf"{_START}(\d{{1,4}}){_ORDINAL}[ ._-]*{_EPISODE}{_END}()",
        r"第[ ]*(\d{1,4})[ ]*[集話话回]()",
        r"(\d{1,4})[ ]*[화회話话集]()",
        r"^#?(\d{1,3})((?:-\d{1,3})*)(?=$|[ ._]*[-.)_\]][ ._]*\D|[ ]+\D)",
        r"[ ._]-[ ._]+(\d{1,3})((?:-\d{1,3})*)(?=$|[ ._]+-[ ._]|[ ._]*[\[(])",
    )
)
_MOST_IN_ONE_FILE: Final = 99


@dataclass(frozen=True, slots=True)
class SeasonName:
    """What the name of a folder or file says of a season.

    Attributes:
        number: of the season, 0 for the specials.
        plain: whether the name says nothing else (``Season 2``; ``Open Season 2`` may be a title).
        title: the letters before it (``open``).
    """

    number: int
    plain: bool
    title: str = ""


@dataclass(frozen=True, slots=True)
class EpisodeName:
    """What a file's name says of the episodes in it.

    Attributes:
        season: their season.
        episodes: their numbers.
        certain: whether the name can mean nothing else (``S01E02``; ``1x02`` may be a title).
        title: the letters before the numbers.
    """

    season: int
    episodes: tuple[int, ...]
    certain: bool
    title: str = ""


@lru_cache(maxsize=256)
def season_name(name: str) -> SeasonName | None:
    """Read the number of a season from the name of a folder, ``None`` if it names none.

    Words of some twenty languages are known. Any name may still be the title of a film or show.

    Example:
        >>> season_name("Staffel 1"), season_name("Open Season 2")
        (SeasonName(number=1, plain=True, title=''), SeasonName(number=2, plain=False, title='open'))
        >>> season_name("Specials"), season_name("Dark (2017)")
        (SeasonName(number=0, plain=True, title=''), None)
    """
    folded = _folded(name).strip()
    if folded in _SPECIALS:
        return SeasonName(0, True)
    if not _MAY_NAME_SEASON.search(folded):
        return None
    for pattern in _SEASON_NAMES:
        if match := pattern.fullmatch(folded):
            return SeasonName(_number(match[1]), True)
    for pattern in _SEASON_NAMES:
        for match in pattern.finditer(folded):
            if match.start() == 0 or folded[match.start() - 1] in " ._-[(":
                return SeasonName(_number(match[1]), False, _letters(folded[: match.start()]))
    return None


def season_of_nfo(stem: str, season: int | None) -> int | None:
    """Read the season from the name of an NFO file that can describe nothing but a season.

    Args:
        stem: the name without suffix.
        season: the season of its folder, if it is in one: its own name in any language will do there.

    Example:
        >>> [season_of_nfo(stem, None) for stem in ("season01", "season-specials", "Season 2", "S21")]
        [1, 0, 2, None]
        >>> season_of_nfo("Staffel 3", 3)
        3
    """
    found = season_name(stem)
    if found is None or not found.plain or re.fullmatch(r"s[ ._-]?\d+", _folded(stem)):
        return None
    return found.number if found.number == season or _folded(stem).startswith("season") else None


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def _number(text: str) -> int:
    if text in _NUMBER_WORDS:
        return _NUMBER_WORDS.index(text) + 1
    if text.isdecimal():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    return (_HAN_DIGITS.get(tens, 1) * 10 if ten else 0) + _HAN_DIGITS.get(ones, 0)


@lru_cache(maxsize=256)
def episode_name(stem: str) -> EpisodeName | None:
    """Read season and episodes from a file's name, ``None`` if it has not both.

    A number behind the episode's is one more episode only if it follows at once and can be one: a title may
    begin with a number.

    Example:
        >>> episode_name("Dark S01E01-E03").episodes, episode_name("Dark 1x02").season
        ((1, 2, 3), 1)
        >>> episode_name("Dark - S01E05 - 30 Days").episodes
        (5,)
    """
    folded = _folded(stem)
    match = next((found for pattern in _CERTAIN if (found := pattern.search(folded))), None)
    certain = match is not None
    match = match or _UNCERTAIN.search(folded)
    if match is None:
        return None
    episodes = _episodes(match[2], match[3], folded[match.end() :])
    return EpisodeName(int(match[1]), episodes, certain, _letters(folded[: match.start()]))


def name_of_episode(stem: str, season: int | None) -> EpisodeName | None:
    """Read season and episodes from a file's name, with the season of its folder where the name has none.

    Example:
        >>> name_of_episode("E07", 2) == EpisodeName(2, (7,), certain=False), name_of_episode("E07", None)
        (True, None)
        >>> name_of_episode("103 - Three", 1).episodes
        (3,)
    """
    if found := episode_name(stem):
        return found
    episodes = episodes_in_season(stem) if season is not None else ()
    if season and len(episodes) == 1 and re.match(r"\d{3,4}(?!\d)", stem):
        hundreds, rest = divmod(episodes[0], 100)
        if hundreds == season and rest:  # "103 - Three" in the folder of season 1
            episodes = (rest,)
    return EpisodeName(season or 0, episodes, certain=False) if episodes else None


@lru_cache(maxsize=256)
def episodes_in_season(stem: str) -> tuple[int, ...]:
    """Read the episodes' numbers from the name of a file in a season's folder; empty if it has none.

    Example:
        >>> [episodes_in_season(stem) for stem in ("E07 - Seven", "Episode 9", "08 - Eight", "Pilot")]
        [(7,), (9,), (8,), ()]
    """
    folded = _folded(stem)
    match = next((found for pattern in _IN_SEASON if (found := pattern.search(folded))), None)
    return _episodes(match[1], match[2], folded[match.end() :]) if match else ()


def _episodes(first_digits: str, more: str, rest: str) -> tuple[int, ...]:
    """Return the numbers from the first to the last episode."""
    first = last = int(first_digits)
    for marked, digits in re.findall(
        r"(e[p ._]*|\d{1,2}x)?(?<!\d)(\d+)(?!\d*[xe])", re.sub(r"s\d+", "", more)
    ):
        number = int(digits)
        follows = number == last + 1
        alone = len(digits) == len(first_digits) and re.match(r"$|[ ._]+-|[ ._]*[\[(]", rest)
        if last < number <= first + _MOST_IN_ONE_FILE and (marked or follows or alone):
            last = number
    return tuple(range(first, last + 1))
