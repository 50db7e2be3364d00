"""Parsing the values of an item in an NFO file: dates, numbers, ratings, ids and pictures. Pure."""

from __future__ import annotations

import contextlib
import math
import re
from datetime import date
from typing import Final
from urllib.parse import unquote

from mediasync.formats.nfo import marks
from mediasync.formats.nfo.dates import parse_date
from mediasync.formats.nfo.elements import IDS
from mediasync.formats.nfo.nodes import Node, first_text, make_node
from mediasync.formats.nfo.records import NfoRating
from mediasync.vocabulary import MediaType

_NUMBER: Final = re.compile(r"[+-]?\d+")
_YEAR: Final = re.compile(r"(?<!\d)(1[89]\d\d|2[01]\d\d)(?!\d)")
_YEAR_OR_MONTH: Final = re.compile(r"(?:1[89]|2[01])\d\d(?:-\d\d)?")
_DATES: Final = ("premiered", "releasedate", "aired", "firstaired")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_BEFORE_LENGTH: Final = re.compile(r"\s*(?:P(?:0D)?T|ca\.?|approx\.?|[~≈]|[^\W\d]{1,20}:)?\s*", re.IGNORECASE)
_PART_OF_LENGTH: Final = re.compile(
    r"\s{0,9}(?:[,&]|and\b|und\b)?\s{0,9}(\d+)(?:[.,](\d{1,6}))?\s{0,9}([^\W\d]{1,12}|')?\.?", re.IGNORECASE
)
_HOURS: Final = (
    *("h", "std", "stu", "uur", "or", "ó", "godz", "tim", "tun", "saat", "ч", "год", "ώρ"),
    *("時", "시", "小时", "小時"),
)
_MINUTES: Final = ("m", "'", "perc", "dk", "dak", "м", "хв", "λεπ", "phút", "分", "분")
_SECONDS: Final = ("s", "с", "秒", "초")
_UNITS: Final = ((_HOURS, 3600), (_MINUTES, 60), (_SECONDS, 1))
_GENRES: Final = re.compile(r"\s/\s|[|;\r\n、，]|,(?![^,]*&)")
_RATING: Final = re.compile(
    r"(\d{1,6}(?:[.,]\d{1,9})?)\s{0,9}(%|/\s{0,9}(\d{1,6}))?"
    r"(?:\s{0,9}\(([\d,. ']{1,20})(?:\s[^\W\d]{1,12})?\))?"
)
_EMPTY_DATES: Final = frozenset({"0", "-1", "n/a", "unknown"})
_MAX_LENGTH_SECONDS: Final = 1_000_000

_PROVIDER_ALIASES: Final = {
    "themoviedb": "tmdb",
    "moviedb": "tmdb",
    "tmdbmovie": "tmdb",
    "tmdbshow": "tmdb",
    "tmdbtv": "tmdb",
    "thetvdb": "tvdb",
}
_IMDB: Final = re.compile(r"tt\d{5,10}", re.IGNORECASE)
_IMDB_PERSON: Final = re.compile(r"nm\d{5,10}", re.IGNORECASE)
_IMDB_NUMBER: Final = re.compile(r"\d{7,8}")
_NUMERIC: Final = frozenset({"tmdb", "tvdb", "tvmaze", "tvrage"})
_TITLE_URLS: Final = (
    (
        "imdb",
        None,
        re.compile(
            r"imdb\.(?:com|de|fr|es|it)/(?:[a-z-]+/)?(?:title/|Title\?)(tt\d{5,10}|\d{7,8})", re.IGNORECASE
        ),
    ),
    ("tmdb", MediaType.MOVIE, re.compile(r"(?:themoviedb|tmdb)\.org/movie/(\d+)", re.IGNORECASE)),
    (
        "tmdb",
        MediaType.SHOW,
        re.compile(r"(?:themoviedb|tmdb)\.org/tv/(\d+)(?!\S{0,200}/season/)", re.IGNORECASE),
    ),
    (
        "tvdb",
        MediaType.SHOW,
        re.compile(
            r"thetvdb\.com/(?:(?:dereferrer/)?series/(?=\d+(?![\w-]))|(?:index\.php)?\?\S{0,200}?\b(?:series)?id=)(\d+)",
            re.IGNORECASE,
        ),
    ),
    ("tvmaze", MediaType.SHOW, re.compile(r"tvmaze\.com/shows/(\d+)", re.IGNORECASE)),
)
_PERSON_URLS: Final = (
    ("tmdb", re.compile(r"themoviedb\.org/person/(\d+)", re.IGNORECASE)),
    ("imdb", re.compile(r"imdb\.com/name/(nm\d+)", re.IGNORECASE)),
    ("tvdb", re.compile(r"thetvdb\.com/people/(\d+)", re.IGNORECASE)),
)
_BARE_IMDB: Final = re.compile(r"(?<![a-z0-9])tt\d{7,8}(?![a-z0-9])", re.IGNORECASE)
_ID_NAMES: Final = frozenset({*IDS, "id", "ids"})
_PERSON_ID_NAMES: Final = _ID_NAMES | {"uniqueid", "profile"}
_ADDRESS: Final = re.compile(r"https?://[^\s/]\S*")
_LAST_NUMBER: Final = re.compile(r".*/(\d+)", re.DOTALL)
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


def parse_premiere(node: Node, problems: list[str]) -> date | None:
    """Return the date of the first release or broadcast. An impossible date becomes a problem."""
    for name in _DATES:
        for text in (child.text for child in node.findall(name)):
            if found := parse_date(text):
                return found
            if (
                text
                and text.strip("0-/. :T")
                and text.lower() not in _EMPTY_DATES
                and not _YEAR_OR_MONTH.fullmatch(text)
            ):
                problems.append(f"<{name}>: {_shortened(text)} is not a date")
    return None


def parse_year(text: str) -> int | None:
    """Return the year in *text*, None if there is none.

    Example:
        >>> parse_year("1999-2003"), parse_year("0")
        (1999, None)
    """
    match = _YEAR.search(text)
    return int(match[1]) if match else None


def parse_release_year(node: Node, premiere: date | None) -> int | None:
    """Return the year that the file states, else the year of the first release, even without a day.

    Example:
        >>> from mediasync.formats.nfo.nodes import make_node
        >>> parse_release_year(make_node("movie", children=[make_node("premiered", "1999-05")]), None)
        1999
    """
    stated = parse_year(first_text(node, "year"))
    if stated or premiere:
        return stated or (premiere.year if premiere else None)
    return next(filter(None, map(parse_year, (child.text for child in node if child.tag in _DATES))), None)


def parse_number(text: str) -> int | None:
    """Return the whole number at the beginning of *text*, None if there is none.

    Example:
        >>> parse_number(" 07 "), parse_number("2.0"), parse_number("two")
        (7, 2, None)
    """
    if text.isdigit() and text.isascii():
        return int(text) if len(text) <= 9 else None
    match = _NUMBER.match(text.strip())
    return int(match[0]) if match and len(match[0]) <= 9 else None


def parse_count(text: str) -> int | None:
    """Return *text* as a number of 0 or more; ``1,234``, ``1.234`` and ``1 234 votes`` mean the same.

    Example:
        >>> parse_count("1,234"), parse_count("-1")
        (1234, None)
    """
    digits = re.sub(r"(?<=\d)[,. '\u00a0\u202f](?=\d{3}\b)", "", text.strip(" \r\n\t()"))
    digits = re.sub(r"\s*[^\W\d]+$", "", digits[:100])
    return int(digits) if digits.isdecimal() and len(digits) <= 12 else None


def parse_decimal(text: str) -> float | None:
    """Return *text* as a number, None if it is not one. A comma may be the decimal point.

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
    """Return the length in seconds: of ``<runtime>``, in minutes if it has no unit, else of the video stream.

    Example:
        >>> from mediasync.formats.nfo.nodes import make_node
        >>> parse_runtime(make_node("movie", children=[make_node("runtime", "1h 40m")]))
        6000
    """
    seconds = _length(first_text(node, "runtime"))
    if not seconds:
        for info in node.findall("fileinfo"):
            for details in info.findall("streamdetails"):
                for video in details.findall("video"):
                    seconds = seconds or parse_number(first_text(video, "durationinseconds")) or 0
    return seconds if 0 < seconds <= _MAX_LENGTH_SECONDS else None


def _length(text: str) -> int:
    if match := _CLOCK.match(text):
        return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
    before = _BEFORE_LENGTH.match(text)
    position = before.end() if before else 0
    seconds, unit = 0, 0
    while match := _PART_OF_LENGTH.match(text, position):
        number, fraction, word = match.groups()
        smaller = _unit(word.lower()) if word else max(unit // 60, 1) if unit else 60
        if not smaller or (unit and smaller >= unit) or len(number) > 6:
            break
        unit, position = smaller, match.end()
        seconds += int(number) * unit
        if fraction and unit == 3600:
            seconds += int(float(f"0.{fraction}") * unit)
    return seconds


def _unit(word: str) -> int:
    return next((seconds for words, seconds in _UNITS if word.startswith(words)), 0)


def parse_ratings(node: Node, problems: list[str]) -> list[NfoRating]:
    """Return the ratings on a scale of 0 to 10, the default one first.

    Newer files have ``<ratings>``, older ones ``<rating>`` and ``<votes>``. ``<criticrating>`` goes from 0 to
    100.
    """
    found: list[tuple[bool, NfoRating]] = []
    for group in node.findall("ratings"):
        for child in group.findall("rating"):
            name = child.get("name") or "default"
            value, votes = first_text(child, "value") or child.text, first_text(child, "votes")
            rating = _rating(name, value, child.get("max", "10"), votes, problems)
            if rating:
                found.append((child.get("default", "").lower() == "true", rating))
    if not found:
        votes = first_text(node, "votes")
        older = (
            _rating(
                "default",
                first_text(child, "value") or child.text,
                child.get("max", "10"),
                votes,
                problems,
            )
            for child in node.findall("rating")
        )
        if rating := next(filter(None, older), None):
            found.append((True, rating))
    if all(rating.name != "critics" for _, rating in found) and (
        critics := _rating("critics", first_text(node, "criticrating"), "100", "", problems)
    ):
        found.append((False, critics))
    return [rating for _, rating in sorted(found, key=lambda pair: not pair[0])]


def _rating(name: str, value: str, maximum: str, votes: str, problems: list[str]) -> NfoRating | None:
    if not value:
        return None
    match = _RATING.fullmatch(value.strip())
    if match:
        value, maximum = match[1], "100" if match[2] == "%" else match[3] or maximum
        votes = votes or match[4] or ""
    number = parse_decimal(value)
    top = parse_decimal(maximum) or 10.0
    count = parse_count(votes)
    if number is None:
        problems.append(f"rating {_shortened(value)} is not a number")
        return None
    if number == 0 and not count:
        return None
    scaled = number * 10 / top
    if not 0 <= scaled <= 10:
        problems.append(f"rating {_shortened(value)} is not between 0 and {top:g}")
        return None
    return NfoRating(name, round(scaled, 4), count)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


def parse_genres(node: Node) -> list[str]:
    """Return each genre once, in the order of the file. One element may hold several.

    Example:
        >>> from mediasync.formats.nfo.nodes import make_node
        >>> parse_genres(make_node("movie", children=[make_node("genre", "Drama / Crime / Drama")]))
        ['Drama', 'Crime']
    """
    wrapped = (child for wrapper in node.findall("genres") for child in (wrapper, *wrapper.findall("genre")))
    texts = (child.text for child in (*node.findall("genre"), *wrapped))
    parts = (part.strip() for text in texts for part in _GENRES.split(text))
    return list(dict.fromkeys(part for part in parts if part))


def parse_provider_ids(node: Node) -> dict[str, str]:
    """Return the item's ids at public providers. ``<uniqueid>`` wins over the older elements.

    Example:
        >>> from mediasync.formats.nfo.nodes import make_node
        >>> parse_provider_ids(make_node("movie", children=[make_node("id", "tt0113277")]))
        {'imdb': 'tt0113277'}
    """
    ids: dict[str, str] = {}
    for child in node.findall("uniqueid"):
        _put(ids, child.get("type", ""), child.text, _IMDB)
    for child in node:
        if child.tag in _ID_NAMES:
            _put_child(ids, child, _IMDB)
    return ids


def _put_child(ids: dict[str, str], child: Node, imdb: re.Pattern[str]) -> None:
    """Add the id in an element of an item or a person, whatever the element is called."""
    if provider := IDS.get(child.tag):
        bare = child.tag == provider
        if not bare or _looks_like_id(provider, child.text, imdb):
            _put(ids, provider, child.text, imdb)
    elif child.tag == "id":
        for name, value in child.items():
            if name in {"imdb", "tmdb", "tvdb"}:
                _put(ids, name, value, imdb)
        _put(ids, child.get("moviedb", "") or child.get("type", ""), child.text, imdb)
        if imdb.fullmatch(child.text):
            _put(ids, "imdb", child.text, imdb)
    elif child.tag == "ids":
        for one in child:
            if one.tag == "entry":
                _put(ids, first_text(one, "key"), first_text(one, "value"), imdb)
            else:
                _put_child(ids, one, imdb)


def _looks_like_id(provider: str, text: str, imdb: re.Pattern[str]) -> bool:
    """Whether the text of an element like ``<imdb>`` is an id and not a rating."""
    if provider == "imdb":
        return bool(imdb.search(text) or _IMDB_NUMBER.fullmatch(text))
    return text.isdecimal() or "://" in text if provider in _NUMERIC else bool(text)


def _put(ids: dict[str, str], provider: str, value: str, imdb: re.Pattern[str]) -> None:
    """Add an id, unless the value is not an id or the provider has one already.

    Args:
        ids: the ids found so far.
        provider: the provider in the file's words; empty if the file does not say.
        value: the id, or an address that holds it.
        imdb: the pattern of IMDb ids.
    """
    value = value.strip()
    key = re.sub(r"[\s_-]+", "", provider).lower()
    key = _PROVIDER_ALIASES.get(key, _PROVIDER_ALIASES.get(key.removesuffix("id"), IDS.get(key, key)))
    if key in {"imdb", ""} and (match := imdb.search(value)):
        key, value = "imdb", match[0].lower()
    elif key == "imdb" and _IMDB_NUMBER.fullmatch(value):
        value = imdb.pattern[:2] + value
    elif key and "://" in value and (number := _LAST_NUMBER.match(value)):
        value = number[1]
    if key and value.lower() not in _NO_ID:
        ids.setdefault(key, value)


def provider_ids_in_text(text: str, kind: MediaType) -> dict[str, str]:
    """Return the ids in addresses of providers' pages in *text*, and a bare IMDb id.

    Example:
        >>> provider_ids_in_text("https://www.themoviedb.org/movie/603-the-matrix", MediaType.MOVIE)
        {'tmdb': '603'}
    """
    ids: dict[str, str] = {}
    for provider, only, pattern in _TITLE_URLS:
        if only in {None, kind} and (match := pattern.search(text)):
            _put(ids, provider, match[1], _IMDB)
    if "imdb" not in ids and len(bare := {found.lower() for found in _BARE_IMDB.findall(text)}) == 1:
        ids["imdb"] = bare.pop()
    return ids


def parse_person_ids(node: Node) -> dict[str, str]:
    """Return a person's ids from the attributes and children of the element and from the profile address."""
    ids: dict[str, str] = {}
    if _PERSON_ID_NAMES.isdisjoint([child.tag for child in node]) and not node.keys():
        return ids
    for name, value in node.items():
        if provider := IDS.get(name):
            _put(ids, provider, value, _IMDB_PERSON)
    for child in node:
        if child.tag == "uniqueid":
            _put(ids, child.get("type", ""), child.text, _IMDB_PERSON)
        else:
            _put_child(ids, child, _IMDB_PERSON)
    for child in node.findall("profile"):
        for provider, pattern in _PERSON_URLS:
            if match := pattern.search(child.text):
                _put(ids, provider, match[1], _IMDB_PERSON)
    return ids


def image_reference(text: str) -> str | None:
    """Return the address of a picture, None if *text* is not an address that other machines can open.

    The ``image://`` wrapper that Kodi puts around an address is removed.

    Example:
        >>> image_reference("image://https%3a%2f%2fimage.tmdb.org%2ft%2fp%2foriginal%2fa.jpg/")
        'https://image.tmdb.org/t/p/original/a.jpg'
    """
    text = text.strip()
    if text.startswith("image://"):
        text = unquote(text.removeprefix("image://")).rstrip("/")
    return text if _ADDRESS.fullmatch(text) else None


def parse_images(node: Node, kind: MediaType) -> dict[str, str]:
    """Return the first address of a picture of each kind."""
    images: dict[str, str] = {}

    def put(name: str, text: str) -> None:
        if (reference := image_reference(text)) and name:
            images.setdefault(name, reference)

    plain = "thumb" if kind is MediaType.EPISODE else "poster"
    for child in node.findall("thumb"):
        if child.get("season") is None:
            aspect = child.get("aspect", "").lower()
            put(_IMAGE_KINDS.get(aspect, "") if aspect else plain, child.text)
    for child in node.findall("fanart"):
        for thumb in child.findall("thumb"):
            put("fanart", _joined(child.get("url", ""), thumb.text))
        if not len(child):
            put("fanart", child.text)
    for child in node.findall("art"):
        for picture in child:
            put(_IMAGE_KINDS.get(picture.tag, ""), picture.text)
    return images


def _joined(base: str, text: str) -> str:
    return text if "://" in text or not base else f"{base.rstrip('/')}/{text.lstrip('/')}"


def parse_added(node: Node) -> str | None:
    """Return the time when the item was added, as text and as the file has it."""
    text = first_text(node, "dateadded")
    with contextlib.suppress(ValueError):
        return text if text and int(text[:4]) > 1 else None
    return None


# The values that an export marked; see `mediasync.formats.nfo.marks`.


def exact_number(exact: str | None, number: int | None) -> int | None:
    """Return an exact number, for which an empty text means that there is none, else *number*.

    Example:
        >>> exact_number("", 1995), exact_number("-5", None), exact_number(None, 1995)
        (None, -5, 1995)
    """
    if exact is None or not re.fullmatch(r"(?:-?\d{1,10})?", exact):
        return number
    return int(exact) if exact else None


def exact_date(exact: str | None) -> date | None:
    """Return an exact date in ISO form, None if there is none."""
    with contextlib.suppress(ValueError):
        return date.fromisoformat(exact) if exact else None
    return None


def exact_genres(node: Node) -> list[str]:
    """Return each genre once; one with an exact value is not split.

    Example:
        >>> from mediasync.formats.nfo.nodes import make_node
        >>> exact_genres(make_node("movie", children=[make_node("genre", "A / B", {"exact": "A%20/%20B"})]))
        ['A / B']
    """
    found: dict[str, None] = {}
    for child in node.findall("genre"):
        exact = marks.exact_value(child)
        given = parse_genres(make_node(node.tag, children=[child])) if exact is None else [exact]
        found |= dict.fromkeys(given)
    return list(found)


def exact_provider_ids(node: Node, found: dict[str, str]) -> dict[str, str]:
    """Return the ids of an item; those with exact values are not interpreted."""
    exact: dict[str, str] = {}
    others: list[Node] = []
    for child in node:
        if child.tag == "uniqueid" and (mark := child.get(marks.EXACT)):
            exact |= {
                provider: value
                for provider, value in marks.decode_pairs(mark).items()
                if marks.unless_edited(value, child.text)
            }
        else:
            others.append(child)
    return (parse_provider_ids(make_node(node.tag, children=others)) | exact) if exact else found


def exact_ratings(node: Node) -> list[NfoRating]:
    """Return the ratings if all of them have exact values, else an empty list."""
    found: list[NfoRating] = []
    for child in (rating for group in node.findall("ratings") for rating in group.findall("rating")):
        pairs = marks.decode_pairs(child.get(marks.EXACT, ""))
        value, votes = parse_decimal(pairs.get("value", "")), pairs.get("votes", "")
        if (
            not pairs.get("name")
            or value is None
            or not 0 <= value <= 10
            or not re.fullmatch(r"\d{0,16}", votes)
        ):
            return []
        found.append(NfoRating(pairs["name"], value, int(votes) if votes else None))
    return found
