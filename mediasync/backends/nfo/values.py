"""The values in the elements of an NFO file: dates, numbers, ratings, ids and pictures. Pure."""

from __future__ import annotations

import contextlib
import math
import re
from datetime import date
from typing import Final
from urllib.parse import unquote

from mediasync.backends.nfo.document import Node
from mediasync.models import Rating
from mediasync.vocabulary import MediaType

_YEAR_FIRST: Final = re.compile(r"(\d{4})[-./ ](\d{1,2})[-./ ](\d{1,2})(?!\d)")
_YEAR_FIRST_DENSE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})([-./ ])(\d{1,2})\2(\d{4})(?!\d)")
_MONTH_NAMED: Final = re.compile(r"(?:(\d{1,2})\.? +)?([A-Za-z]{3,9})\.?(?: +(\d{1,2}),?)? +(\d{4})(?!\d)")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBER: Final = re.compile(r"[+-]?\d+")
_YEAR: Final = re.compile(r"(?<!\d)(1[89]\d\d|2[01]\d\d)(?!\d)")
_HOURS: Final = re.compile(r"(\d+)\s*h(?:ours?|rs?|\b|(?=\d))\s*(?:(\d+)\s*m?)?", re.IGNORECASE)
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_MINUTES: Final = re.compile(r"(\d+)(?:[.,]\d+)?\s*(?:m|$)", re.IGNORECASE)
_EMPTY_DATES: Final = frozenset({"0", "-1", "n/a", "unknown"})
_MAX_LENGTH_SECONDS: Final = 1_000_000

_PROVIDER_ALIASES: Final = {
    "themoviedb": "tmdb",
    "moviedb": "tmdb",
    "thetvdb": "tvdb",
    "imdbid": "imdb",
    "tmdbid": "tmdb",
    "tvdbid": "tvdb",
}
_ID_ELEMENTS: Final = {
    f"{provider}{suffix}": provider
    for provider in (
        "imdb",
        "tmdb",
        "tvdb",
        "tvmaze",
        "tvrage",
        "trakt",
        "wikidata",
        "zap2it",
        "anidb",
        "anilist",
    )
    for suffix in ("id", "_id")
}
_IMDB: Final = re.compile(r"tt\d{5,10}")
_TITLE_URLS: Final = (
    (
        "imdb",
        None,
        re.compile(r"imdb\.(?:com|de|fr|es|it)/(?:[a-z-]+/)?(?:title/|Title\?)(tt\d{5,10})", re.IGNORECASE),
    ),
    ("tmdb", MediaType.MOVIE, re.compile(r"themoviedb\.org/movie/(\d+)", re.IGNORECASE)),
    ("tmdb", MediaType.SHOW, re.compile(r"themoviedb\.org/tv/(\d+)(?!\S{0,200}/season/)", re.IGNORECASE)),
    (
        "tvdb",
        MediaType.SHOW,
        re.compile(r"thetvdb\.com/(?:dereferrer/series/|\?\S{0,200}?\b(?:series)?id=)(\d+)", re.IGNORECASE),
    ),
    ("tvmaze", MediaType.SHOW, re.compile(r"tvmaze\.com/shows/(\d+)", re.IGNORECASE)),
)
_PERSON_URLS: Final = (
    ("tmdb", re.compile(r"themoviedb\.org/person/(\d+)", re.IGNORECASE)),
    ("imdb", re.compile(r"imdb\.com/name/(nm\d+)", re.IGNORECASE)),
    ("tvdb", re.compile(r"thetvdb\.com/people/(\d+)", re.IGNORECASE)),
)
_NO_ID: Final = frozenset({"", "0", "-1", "none", "null"})

_IMAGE_KINDS: Final = {
    "poster": "poster",
    "fanart": "fanart",
    "background": "fanart",
    "banner": "banner",
    "clearlogo": "clearlogo",
    "logo": "clearlogo",
    "clearart": "clearart",
    "landscape": "landscape",
    "thumb": "thumb",
    "discart": "discart",
    "keyart": "keyart",
}


def parse_date(text: str) -> date | None:
    """Return the day that *text* names, ``None`` if it names none.

    Understood are ``2001-02-03`` (also with ``.``, ``/`` and a time after it), ``20010203``, ``03.02.2001``,
    ``3 Feb 2001`` and ``Feb 3, 2001``. Of two numbers before a year the first is the day unless it cannot be.

    Example:
        >>> parse_date("2001-02-03T10:00:00Z"), parse_date("31/12/1999"), parse_date("0000-00-00")
        (datetime.date(2001, 2, 3), datetime.date(1999, 12, 31), None)
    """
    text = text.strip()
    if match := _YEAR_FIRST.match(text) or _YEAR_FIRST_DENSE.match(text):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _DAY_FIRST.match(text):
        year, first, second = int(match[4]), int(match[1]), int(match[3])
        return _day(year, second, first) or _day(year, first, second)
    if (match := _MONTH_NAMED.match(text)) and match[2][:3].lower() in _MONTHS:
        month = _MONTHS.index(match[2][:3].lower()) + 1
        return _day(int(match[4]), month, int(match[1] or match[3] or 0))
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year > 1 else None
    except ValueError:
        return None


def parse_premiere(node: Node, problems: list[str]) -> date | None:
    """Return the day of the first release or broadcast; an impossible one is a problem."""
    for name in ("premiered", "releasedate", "aired", "firstaired"):
        for text in (child.text for child in node.all(name)):
            if found := parse_date(text):
                return found
            if (
                text
                and text.strip("0-/. :T")
                and text.lower() not in _EMPTY_DATES
                and not _YEAR.fullmatch(text)
            ):
                problems.append(f"<{name}>: {_shortened(text)} is no date")
    return None


def parse_year(text: str) -> int | None:
    """Return the year in *text*, ``None`` if there is none.

    Example:
        >>> parse_year("1999-2003"), parse_year("0")
        (1999, None)
    """
    match = _YEAR.search(text)
    return int(match[1]) if match else None


def parse_number(text: str) -> int | None:
    """Return the whole number that *text* begins with.

    Example:
        >>> parse_number(" 07 "), parse_number("2.0"), parse_number("two")
        (7, 2, None)
    """
    match = _NUMBER.match(text.strip())
    return int(match[0]) if match and len(match[0]) <= 9 else None


def parse_count(text: str) -> int | None:
    """Return *text* as a number that is not negative; ``1,234`` and ``1.234`` are one number.

    Example:
        >>> parse_count("1,234"), parse_count("-1")
        (1234, None)
    """
    digits = re.sub(r"(?<=\d)[,. '](?=\d{3}\b)", "", text.strip())
    return int(digits) if digits.isdecimal() and len(digits) <= 12 else None


def parse_decimal(text: str) -> float | None:
    """Return *text* as a number; a comma may be the decimal point.

    Example:
        >>> parse_decimal("7,5")
        7.5
    """
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def parse_runtime(node: Node) -> int | None:
    """Return the length in seconds: ``<runtime>`` in minutes, else that of the video stream.

    Example:
        >>> parse_runtime(Node("movie", children=[Node("runtime", text="1h 40m")]))
        6000
    """
    seconds = _length(node.first("runtime"))
    if not seconds:
        for info in node.all("fileinfo"):
            for details in info.all("streamdetails"):
                for video in details.all("video"):
                    seconds = seconds or parse_number(video.first("durationinseconds")) or 0
    return seconds if 0 < seconds <= _MAX_LENGTH_SECONDS else None


def _length(text: str) -> int:
    if match := _CLOCK.match(text):
        return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
    if match := _HOURS.match(text):
        return int(match[1][:6]) * 3600 + int((match[2] or "0")[:6]) * 60
    if match := _MINUTES.match(text):
        return int(match[1][:6]) * 60
    return 0


def parse_ratings(node: Node, problems: list[str]) -> list[Rating]:
    """Return the ratings on a scale of 0 to 10, the default one first.

    Read are ``<ratings>`` of newer files, ``<rating>`` and ``<votes>`` of older ones, and ``<criticrating>``
    (0 to 100).
    """
    found: list[tuple[bool, Rating]] = []
    for group in node.all("ratings"):
        for child in group.all("rating"):
            name = child.attributes.get("name") or "default"
            value, votes = child.first("value") or child.text, child.first("votes")
            rating = _rating(name, value, child.attributes.get("max", "10"), votes, problems)
            if rating:
                found.append((child.attributes.get("default", "").lower() == "true", rating))
    names = {rating.name for _, rating in found}
    if not found:
        for child in node.all("rating"):
            rating = _rating(
                "default",
                child.first("value") or child.text,
                child.attributes.get("max", "10"),
                node.first("votes"),
                problems,
            )
            if rating and "default" not in names:
                names.add("default")
                found.append((True, rating))
    if "critics" not in names and (
        critics := _rating("critics", node.first("criticrating"), "100", "", problems)
    ):
        found.append((False, critics))
    return [rating for _, rating in sorted(found, key=lambda pair: not pair[0])]


def _rating(name: str, value: str, maximum: str, votes: str, problems: list[str]) -> Rating | None:
    number = parse_decimal(value)
    top = parse_decimal(maximum) or 10.0
    count = parse_count(votes)
    if number is None:
        if value:
            problems.append(f"rating {_shortened(value)} is no number")
        return None
    if number == 0 and not count:
        return None
    scaled = number * 10 / top
    if not 0 <= scaled <= 10:
        problems.append(f"rating {_shortened(value)} is not between 0 and {top:g}")
        return None
    return Rating(name=name, value=round(scaled, 4), votes=count)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


def parse_genres(node: Node) -> list[str]:
    """Return the genres, each once, in the order of the file; one element may hold several.

    Example:
        >>> parse_genres(Node("movie", children=[Node("genre", text="Drama / Crime / Drama")]))
        ['Drama', 'Crime']
    """
    parts = (part.strip() for child in node.all("genre") for part in re.split(r"\s/\s", child.text))
    return list(dict.fromkeys(part for part in parts if part))


def parse_provider_ids(node: Node) -> dict[str, str]:
    """Return the ids of the item at public providers; ``<uniqueid>`` wins over the older elements.

    Example:
        >>> parse_provider_ids(Node("movie", children=[Node("id", text="tt0113277")]))
        {'imdb': 'tt0113277'}
    """
    ids: dict[str, str] = {}
    for child in node.all("uniqueid"):
        _put(ids, child.attributes.get("type", ""), child.text)
    for child in node.children:
        if provider := _ID_ELEMENTS.get(child.name):
            _put(ids, provider, child.text)
        elif child.name == "id":
            for name, value in child.attributes.items():
                if name in {"imdb", "tmdb", "tvdb"}:
                    _put(ids, name, value)
            if _IMDB.fullmatch(child.text):
                _put(ids, "imdb", child.text)
    return ids


def _put(ids: dict[str, str], provider: str, value: str) -> None:
    key = provider.strip().lower()
    key = _PROVIDER_ALIASES.get(key, key)
    value = value.strip()
    if key == "imdb" and (match := re.search(r"tt\d{5,10}|nm\d{5,10}", value)):
        value = match[0]
    if key and value.lower() not in _NO_ID:
        ids.setdefault(key, value)


def provider_ids_in_text(text: str, kind: MediaType) -> dict[str, str]:
    """Return the ids in the addresses of providers' pages that *text* names.

    Example:
        >>> provider_ids_in_text("https://www.themoviedb.org/movie/603-the-matrix", MediaType.MOVIE)
        {'tmdb': '603'}
    """
    ids: dict[str, str] = {}
    for provider, only, pattern in _TITLE_URLS:
        if only in {None, kind} and (match := pattern.search(text)):
            ids.setdefault(provider, match[1])
    return ids


def parse_person_ids(node: Node) -> dict[str, str]:
    """Return the ids of the person that an element names: its attributes, children and profile address."""
    ids: dict[str, str] = {}
    for name, value in node.attributes.items():
        if provider := _ID_ELEMENTS.get(name):
            _put(ids, provider, value)
    for child in node.children:
        if provider := _ID_ELEMENTS.get(child.name):
            _put(ids, provider, child.text)
        elif child.name == "uniqueid":
            _put(ids, child.attributes.get("type", ""), child.text)
    for child in node.all("profile"):
        for provider, pattern in _PERSON_URLS:
            if match := pattern.search(child.text):
                _put(ids, provider, match[1])
    return ids


def image_reference(text: str) -> str | None:
    """Return the address of a picture, ``None`` if *text* is not an address that others can open.

    The ``image://`` wrapper that Kodi puts round an address is taken off. Paths of the machine that wrote the
    file are no use to anyone else.

    Example:
        >>> image_reference("image://https%3a%2f%2fimage.tmdb.org%2ft%2fp%2foriginal%2fa.jpg/")
        'https://image.tmdb.org/t/p/original/a.jpg'
    """
    text = text.strip()
    if text.startswith("image://"):
        text = unquote(text.removeprefix("image://")).rstrip("/")
    return text if re.match(r"https?://[^\s/]", text) and not re.search(r"\s", text) else None


def parse_images(node: Node, kind: MediaType) -> dict[str, str]:
    """Return the first picture of each kind that the file gives an address for."""
    images: dict[str, str] = {}

    def put(name: str, text: str) -> None:
        if (reference := image_reference(text)) and name:
            images.setdefault(name, reference)

    plain = "thumb" if kind is MediaType.EPISODE else "poster"
    for child in node.all("thumb"):
        if "season" not in child.attributes:
            aspect = child.attributes.get("aspect", "").lower()
            put(_IMAGE_KINDS.get(aspect, "") if aspect else plain, child.text)
    for child in node.all("fanart"):
        for thumb in child.all("thumb"):
            put("fanart", _joined(child.attributes.get("url", ""), thumb.text))
        if not child.children:
            put("fanart", child.text)
    for child in node.all("art"):
        for picture in child.children:
            put(_IMAGE_KINDS.get(picture.name, ""), picture.text)
    return images


def _joined(base: str, text: str) -> str:
    return text if "://" in text or not base else f"{base.rstrip('/')}/{text.lstrip('/')}"


def parse_added(node: Node) -> str | None:
    """Return when the item was added, as the text that the file has."""
    text = node.first("dateadded")
    with contextlib.suppress(ValueError):
        return text if text and int(text[:4]) > 1 else None
    return None
