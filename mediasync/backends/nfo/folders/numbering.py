"""Reading the numbers of seasons and episodes from the names of files and folders. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mediasync.backends.nfo.folders.words import (
    CARDINALS,
    EPISODE_WORDS,
    ORDINALS,
    ROMAN,
    SEASON_WORDS,
    SPECIALS,
    either,
    numbered,
)
from mediasync.formats.nfo.cleaning import fold

_NUMBER_WORDS: Final = numbered(*CARDINALS, *ORDINALS)
_ROMAN_NUMBERS: Final = numbered(ROMAN)
_HAN_DIGITS: Final = numbered("一 二 三 四 五 六 七 八 九")
_SPECIALS: Final = rf"(?:{either(SPECIALS)})"

_SEASON: Final = f"(?:{either(SEASON_WORDS)})"
_EPISODE: Final = f"(?:{either(EPISODE_WORDS)})"
_START: Final = r"(?<![^\W_])"
_END: Final = r"(?![^\W_])"
_GAP: Final = r"[ ._#-]*(?:(?:n(?:o|r|[°º])\.?|№|ke-|ที่)[ ._]*)?"
"""What may stand between a word and its number."""
_ORDINAL: Final = r"(?:\.|st|nd|rd|th|e|er|re|eme|ere|de|ste|[ªº°ao]|:[ae]|-?(?:и|я|ии|ыи|ои)|ος|οσ|η)?"
_HAN: Final = r"(\d{1,4}|[一二三四五六七八九十]{1,3})"


def _patterns(*sources: str) -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, sources))


_SEASON_NAMES: Final = _patterns(
    rf"{_SEASON}{_GAP}(\d{{1,4}}){_END}",
    rf"(\d{{1,4}}){_ORDINAL}[ ._-]*{_SEASON}{_END}",
    rf"s[ ._-]?(\d{{1,4}}){_END}(?![ ._-]*e\d)",
    rf"第[ ]*{_HAN}[ ]*(?:季|期|部|シーズン)",
    rf"{_SEASON}[ ._-]+({either(_NUMBER_WORDS)}){_END}",
    rf"(?:(?:the|die|la)[ ._-]+)?({either(numbered(*ORDINALS))})[ ._-]+{_SEASON}{_END}",
)
_SEASON_ALONE: Final = _patterns(
    rf"{_SEASON}[ ._-]+({either(_ROMAN_NUMBERS)})",
    r"t(?:emp\.?[ ]*)?(\d{1,2})",
    r"제?[ ]*(\d{1,2})[ ]*기",
    r"(\d{1,2})期",
)
"""Names that mean a season only if they hold nothing else."""
_MAY_NAME_SEASON: Final = re.compile(rf"{_SEASON}|第|기|期|{_START}[st](?:emp)?[ ._-]*\d")
_SPECIALS_NAME: Final = re.compile(
    rf"(?:{_SEASON}[ ._-]*)?(?:0{{1,2}}[ ._-]+)?{_SPECIALS}(?:[ ._]*\((?:19|20)\d\d\))?"
)
_SPECIALS_OF: Final = re.compile(r"(.+?)[ ._-]+specials(?:[ ._]*\((?:19|20)\d\d\))?")

_MORE: Final = (
    r"(?:[ ._]*(?:[-–—+&,~]|\b(?:and|und|et|to)\b)?[ ._]*(?:s\d{1,4})?[ ._]*ep?[ ._]*\d{1,4}"
    r"|[-–—+&~](?:\d{1,2}x)?\d{1,4}(?![^\W_]))*"
)
_MORE_CROSSED: Final = r"((?:[ ._]*[-–—+&~]?[ ._]*(?:\d{1,2})?x\d{2,3}|[-–—+&]\d{2,3})*)(?!\d)"
_CERTAIN: Final = re.compile(rf"{_START}[st](\d{{1,4}})[ ._-]*x?(?:{_EPISODE}|e)[ ._-]*(\d{{1,4}})({_MORE})")
_UNCERTAIN: Final = (
    re.compile(rf"(?<!\d)(\d{{1,2}})x(\d{{1,3}}){_MORE_CROSSED}"),
    re.compile(rf"{_START}cap[ ._]{{0,2}}(\d{{1,2}})(\d\d)(?!\d)()"),
)
_BETWEEN: Final = re.compile(r"[ ._,-]*")
_EPISODE_SPELT: Final = _patterns(
    rf"{_START}e(\d{{1,4}})((?:[ ._]*[-–—&+]?[ ._]*e\d{{1,4}}|[-–—&+]\d{{2,4}})*){_END}",
    rf"{_START}{_EPISODE}{_GAP}(\d{{1,4}})((?:(?:[-–—]|[ ]?[&+][ ]?)\d{{1,4}})*){_END}",
    rf"{_START}(\d{{1,4}}){_ORDINAL}[ ._-]*{_EPISODE}{_END}()",
    rf"第[ ]*{_HAN}[ ]*[集話话回]()",
    r"제?[ ]*(\d{1,4})[ ]*[화회話话集]()",
    rf"{_START}{_EPISODE}[ ._-]+({either(_NUMBER_WORDS)}){_END}()",
)
"""The number of an episode beside a word for it."""
_MORE_BARE: Final = r"((?:(?:[-–—]|[ ]?[&+][ ]?)\d{1,3}(?!\d))*)"
_EPISODE_BARE: Final = _patterns(
    rf"^[(\[#]?(\d{{1,3}}){_MORE_BARE}(?:v\d)?(?=$|[ ._]*[-.)_\]][ ._]*\D|[ ]+\D)",
    rf"[ ._]-[ ._]+((?!(?:19|20)\d\d)\d{{1,4}}){_MORE_BARE}(?:v\d)?(?=$|[ ._]+-[ ._]|[ ._]*[\[(])",
    r"^((?!(?:19|20)\d\d)\d{4})()$",
)
"""The number of an episode without a word."""
_SEASON_AGAIN: Final = re.compile(r"s\d+")
_ONE_MORE: Final = re.compile(
    r"([ ._]*)(?:[-–—+&,~]|and|und|et|to)?[ ._]*(ep?[ ._]*|\d{0,2}x)?(?<!\d)(\d+)(?!\d*[xe])"
)
_MOST_IN_ONE_FILE: Final = 99


@dataclass(frozen=True, slots=True)
class SeasonName:
    """The season in the name of a folder or file.

    Attributes:
        number: the number of the season, 0 for the specials.
        plain: whether the name holds nothing else (``Season 2``), while ``Open Season 2`` may be a title.
        title: the letters before the season (``open``).
    """

    number: int
    plain: bool
    title: str = ""


@dataclass(frozen=True, slots=True)
class EpisodeName:
    """The episodes in the name of a file.

    Attributes:
        season: the number of their season.
        episodes: their own numbers.
        certain: whether the name cannot mean anything else (``S01E02``), while ``1x02`` may be a title.
        title: the letters before the numbers.
    """

    season: int
    episodes: tuple[int, ...]
    certain: bool
    title: str = ""


@lru_cache(maxsize=256)
def season_name(name: str) -> SeasonName | None:
    """Return the season in the name of a folder, None if there is none.

    Words of some twenty languages are known. The name may still be the title of a film or show.

    Example:
        >>> season_name("Staffel 1"), season_name("Open Season 2")
        (SeasonName(number=1, plain=True, title=''), SeasonName(number=2, plain=False, title='open'))
        >>> season_name("Specials"), season_name("Dark (2017)")
        (SeasonName(number=0, plain=True, title=''), None)
    """
    folded = fold(name).strip()
    if _SPECIALS_NAME.fullmatch(folded):
        return SeasonName(0, True)
    if match := _SPECIALS_OF.fullmatch(folded):
        return SeasonName(0, False, letters(match[1]))
    if not _MAY_NAME_SEASON.search(folded):
        return None
    for pattern in (*_SEASON_NAMES, *_SEASON_ALONE):
        if match := pattern.fullmatch(folded):
            return SeasonName(_number(match[1]), True)
    for match in _seasons_in(folded):
        return SeasonName(_number(match[1]), False, letters(folded[: match.start()]))
    return None


def season_of_show(name: str) -> SeasonName | None:
    """Return the season in the name of a folder in a show's folder, where a bare number may be one.

    Example:
        >>> season_of_show("02"), season_of_show("Season 2")
        (SeasonName(number=2, plain=False, title=''), SeasonName(number=2, plain=True, title=''))
    """
    if found := season_name(name):
        return found
    return SeasonName(int(name), False) if re.fullmatch(r"\d{1,4}", name) else None


def _seasons_in(folded: str) -> Iterator[re.Match[str]]:
    for pattern in _SEASON_NAMES:
        for match in pattern.finditer(folded):
            if match.start() == 0 or folded[match.start() - 1] in " ._-[(":
                yield match


def season_of_nfo(stem: str, season: int | None) -> int | None:
    """Return the season in the name of an NFO file that can only describe a season, None if there is none.

    Args:
        stem: the name without suffix.
        season: the season of its folder, if any. A file there may name that season in any language.

    Example:
        >>> [season_of_nfo(stem, None) for stem in ("season01", "season-specials", "Season 2", "S21")]
        [1, 0, 2, None]
        >>> season_of_nfo("Staffel 3", 3)
        3
    """
    found = season_name(stem)
    if found is None or not found.plain or re.fullmatch(r"[st][ ._-]?\d+", fold(stem)):
        return None
    return found.number if found.number == season or fold(stem).startswith("season") else None


def letters(text: str) -> str:
    """Return the letters and digits of a title, to compare it with the title before a number.

    Example:
        >>> letters("Les Revenants (2012)"), season_name("les.revenants.S02").title
        ('lesrevenants2012', 'lesrevenants')
    """
    return re.sub(r"[\W_]+", "", fold(text))


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    if number := _NUMBER_WORDS.get(text) or _ROMAN_NUMBERS.get(text):
        return number
    tens, ten, ones = text.rpartition("十")
    return (_HAN_DIGITS.get(tens, 1) * 10 if ten else 0) + _HAN_DIGITS.get(ones, 0)


@lru_cache(maxsize=256)
def episode_name(stem: str) -> EpisodeName | None:
    """Return the season and the episodes in the name of a file, None if it does not have both.

    A number behind the episode's is another episode only if it follows directly and can be one: a title may
    begin with a number.

    Example:
        >>> episode_name("Dark S01E01-E03").episodes, episode_name("Dark 1x02").season
        ((1, 2, 3), 1)
        >>> episode_name("Dark - S01E05 - 30 Days").episodes
        (5,)
    """
    folded = fold(stem)
    if match := _CERTAIN.search(folded):
        return _episode_name(folded, match, certain=True)
    if spelt := _spelt(folded):
        return spelt
    match = next((found for pattern in _UNCERTAIN if (found := pattern.search(folded))), None)
    return _episode_name(folded, match, certain=False) if match else None


def _episode_name(folded: str, match: re.Match[str], *, certain: bool) -> EpisodeName:
    episodes = _episodes(match[2], match[3], folded[match.end() :])
    return EpisodeName(int(match[1]), episodes, certain, letters(folded[: match.start()]))


def _spelt(folded: str) -> EpisodeName | None:
    """Read a season and an episode behind it, each with a word: ``Staffel 1, Folge 3``."""
    for season in _seasons_in(folded) if _MAY_NAME_SEASON.search(folded) else ():
        between = _BETWEEN.match(folded, season.end())
        place = between.end() if between else season.end()
        for pattern in _EPISODE_SPELT:
            if match := pattern.match(folded, place):
                episodes = _episodes(match[1], match[2], folded[match.end() :])
                return EpisodeName(_number(season[1]), episodes, True, letters(folded[: season.start()]))
    return None


def name_of_episode(stem: str, season: int | None, show: str = "") -> EpisodeName | None:
    """Return the season and the episodes in the name of a file, with the folder's season if it has none.

    Args:
        stem: the name without suffix.
        season: the season of the folder, if any.
        show: the show's title. The number of an episode may follow it directly.

    Example:
        >>> name_of_episode("E07", 2) == EpisodeName(2, (7,), certain=False), name_of_episode("E07", None)
        (True, None)
        >>> name_of_episode("103 - Three", 1).episodes, name_of_episode("Dark.07", 1, "Dark").episodes
        ((3,), (7,))
    """
    if found := episode_name(stem):
        return found
    if season is None:
        return None
    rest = _behind_title(stem, show) if show else ""
    episodes = episodes_in_season(rest) or episodes_in_season(stem)
    if season and len(episodes) == 1 and re.match(r"\d{3,4}(?!\d)", rest or stem):
        hundreds, number = divmod(episodes[0], 100)
        if hundreds == season and number:  # "103 - Three" in the folder of season 1
            episodes = (number,)
    return EpisodeName(season, episodes, certain=False) if episodes else None


def same_episodes(name: EpisodeName, show: str) -> tuple[int, tuple[int, ...], str]:
    """Return a key that is the same for the names of all files of the same episodes of a show.

    Example:
        >>> names = [name_of_episode("E07 - Seven", 2), name_of_episode("Dark S02E07", None)]
        >>> [same_episodes(name, "Dark") for name in names if name]
        [(2, (7,), ''), (2, (7,), '')]
    """
    return name.season, name.episodes, "" if name.title == letters(show) else name.title


def _behind_title(stem: str, show: str) -> str:
    """Return the rest of a name behind the show's title; empty if it does not begin with the title."""
    title = letters(show)
    for gap in re.finditer(r"[\W_]+", stem):
        if letters(stem[: gap.start()]) == title:
            return stem[gap.end() :]
    return ""


@lru_cache(maxsize=256)
def episodes_in_season(stem: str) -> tuple[int, ...]:
    """Return the numbers of the episodes in the name of a file in a season's folder; empty if there are none.

    Example:
        >>> [episodes_in_season(stem) for stem in ("E07 - Seven", "Episode 9", "08 - Eight", "Pilot")]
        [(7,), (9,), (8,), ()]
    """
    folded = fold(stem)
    patterns = (*_EPISODE_SPELT, *_EPISODE_BARE)
    match = next((found for pattern in patterns if (found := pattern.search(folded))), None)
    return _episodes(match[1], match[2], folded[match.end() :]) if match else ()


def _episodes(first_text: str, more: str, rest: str) -> tuple[int, ...]:
    """Return the numbers from the first to the last episode."""
    first = last = _number(first_text)
    width = len(first_text)
    for spaced, marked, digits in _ONE_MORE.findall(_SEASON_AGAIN.sub("", more)):
        number = int(digits)
        ends = re.match(r"$|[ ._]+-|[ ._]*[\[(]", rest)
        if marked:
            counts = not spaced or len(digits) >= width  # "S01E02 E3 Expo" is one episode
        else:
            counts = bool(ends) if number > last + 1 or len(digits) < width else number == last + 1
        if counts and last < number <= first + _MOST_IN_ONE_FILE:
            last = number
    return tuple(range(first, last + 1))
