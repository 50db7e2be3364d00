"""Parsing dates as NFO files write them, in some twenty languages. Pure."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from mediasync.formats.nfo.cleaning import fold

_MONTH_NAMES: Final = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "januar februar marts april maj juni juli august september oktober november december",
    "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta"
    " lokakuuta marraskuuta joulukuuta",
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "ledna února března dubna května června července srpna září října listopadu prosince",
    "január február március április május június július augusztus szeptember október november december",
    "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου"
    " νοεμβρίου δεκεμβρίου",
)
_SHORTEST: Final = 3


def _months() -> dict[str, int]:
    """Return the number of each month by its names, and by the abbreviations that mean no other month."""
    numbers: dict[str, set[int]] = {}
    for row in _MONTH_NAMES:
        for number, name in enumerate(fold(row).split(), 1):
            for length in range(_SHORTEST, len(name) + 1):
                numbers.setdefault(name[:length], set()).add(number)
    months = {word: min(found) for word, found in numbers.items() if len(found) == 1}
    for row in reversed(_MONTH_NAMES):
        months |= {name: number for number, name in enumerate(fold(row).split(), 1)}
    return months | {name[:3]: number for number, name in enumerate(_MONTH_NAMES[0].split(), 1)}


_MONTHS: Final = _months()
_WORD: Final = r"[^\W\d_]{3,15}"
_GAP: Final = r"(?:\s{1,3}|\s?-\s?)(?:(?:of|de|del|d')\s{1,3})?"
_YEAR_FIRST: Final = re.compile(
    r"(\d{4})\s?(?:[-./ ]|年|년)\s?(\d{1,2})\s?(?:[-./ ]|月|월)\s?(\d{1,2})(?!\d)"
)
_YEAR_FIRST_DENSE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})([-./ ])\s?(\d{1,2})\2\s?(\d{4})(?!\d)")
_HALF_OF_DAY: Final = re.compile(r"\d\s{0,3}[ap]\.?\s?m\b", re.IGNORECASE)
_WEEKDAY: Final = re.compile(
    r"^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?|[^\W\d_]{2,15}\.?,)\s{1,3}", re.IGNORECASE
)
_DAY_AND_MONTH: Final = re.compile(
    rf"(\d{{1,2}})(?:\.|st|nd|rd|th|er|[ºª])?(?:{_GAP}|(?<=\.))({_WORD})\.?,?{_GAP}(\d{{4}})(?!\d)",
    re.IGNORECASE,
)
_MONTH_AND_DAY: Final = re.compile(
    rf"({_WORD})\.?{_GAP}(\d{{1,2}})(?:st|nd|rd|th)?,?{_GAP}(?:\d\d?:[\d:]{{2,5}}\s(?:\S{{1,6}}\s)?)?(\d{{4}})(?!\d)",
    re.IGNORECASE,
)
_YEAR_AND_MONTH: Final = re.compile(rf"(\d{{4}})\.?,?\s({_WORD})\.?\s(\d{{1,2}})(?!\d)")


def parse_date(text: str) -> date | None:
    """Return the date in *text*, None if there is none.

    It may be written ``2001-02-03`` (also with ``.`` or ``/``, or a time after it), ``20010203``,
    ``03.02.2001``, ``3 Feb 2001`` or ``Feb 3, 2001``, with or without a weekday. The first of two numbers
    before a year is the day if it can be, but the month if a time with AM or PM follows.

    Example:
        >>> parse_date("2001-02-03T10:00:00Z"), parse_date("31/12/1999"), parse_date("0000-00-00")
        (datetime.date(2001, 2, 3), datetime.date(1999, 12, 31), None)
        >>> parse_date("7/8/2017"), parse_date("7/8/2017 4:00:00 PM"), parse_date("8 de julio de 2017")
        (datetime.date(2017, 8, 7), datetime.date(2017, 7, 8), datetime.date(2017, 7, 8))
    """
    text = text.strip()[:100]
    if match := _YEAR_FIRST.match(text) or _YEAR_FIRST_DENSE.match(text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _DAY_FIRST.match(text):
        year, first, second = int(match[4]), int(match[1]), int(match[3])
        if _HALF_OF_DAY.search(text, match.end(), match.end() + 30):
            first, second = second, first
        return _day(year, second, first) or _day(year, first, second)
    text = fold(_WEEKDAY.sub("", text, count=1))
    if match := _DAY_AND_MONTH.match(text):
        return _named_day(match[3], match[2], match[1])
    if match := _MONTH_AND_DAY.match(text):
        return _named_day(match[3], match[1], match[2])
    if match := _YEAR_AND_MONTH.match(text):
        return _named_day(match[1], match[2], match[3])
    return None


def _named_day(year: str, month: str, day: str) -> date | None:
    return _day(int(year), _MONTHS.get(month, 0), int(day))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year > 1 else None
    except ValueError:
        return None
