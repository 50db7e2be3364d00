"""Single values of one entry: keys, provider ids, ratings, pictures, dates. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, Final

from mediasync.backends.json_record import JsonRecord
from mediasync.models import Rating
from mediasync.text import without_secrets
from mediasync.vocabulary import MediaType

_KEY: Final = re.compile(r"[\w-]+", re.ASCII)
_PROVIDERS: Final = {
    "imdb": "imdb",
    "tmdb": "tmdb",
    "themoviedb": "tmdb",
    "tvdb": "tvdb",
    "thetvdb": "tvdb",
}
_PLEX_GUID: Final = re.compile(r"plex://\w+/(\w+)")
_LEGACY_GUID: Final = re.compile(r"com\.plexapp\.agents\.(\w+)://([^/?#]+)(/[^?#]+)?")
_PREFIXED_ID: Final = re.compile(r"(anidb|imdb|tmdb|tvdb)\d?-(\w+)")
_WHOLE_ITEMS: Final = frozenset({MediaType.MOVIE, MediaType.SHOW})
_IMAGES: Final = {"thumb": "poster", "art": "fanart", "banner": "banner"}
_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_LATEST: Final = 253_402_300_799
_MILLISECONDS: Final = 1000


def usable_key(entry: Mapping[str, Any], name: str = "ratingKey") -> str | None:
    """Return the key of an entry if the path of a request can hold it, else None.

    Example:
        >>> usable_key({"ratingKey": 55}), usable_key({"ratingKey": "55,56"})
        ('55', None)
    """
    key = JsonRecord(entry).key(name)
    return key if key and _KEY.fullmatch(key) else None


def parse_provider_ids(record: JsonRecord, kind: MediaType) -> dict[str, str]:
    """Return an item's ids at public providers.

    The list ``Guid`` is read first, then ``guid``: Plex's own id of the item, or an older agent's. An older
    agent's guid of a season or an episode names the *show*, so it is not used.

    Example:
        >>> film = JsonRecord({"guid": "com.plexapp.agents.imdb://tt0113277?lang=en"})
        >>> parse_provider_ids(film, MediaType.MOVIE)
        {'imdb': 'tt0113277'}
        >>> episode = JsonRecord({"guid": "com.plexapp.agents.thetvdb://121361/1/2?lang=en"})
        >>> parse_provider_ids(episode, MediaType.EPISODE)
        {}
    """
    ids: dict[str, str] = {}
    for entry in record.records("Guid"):
        scheme, _, value = (entry.text("id") or "").partition("://")
        value = value.partition("?")[0]
        if scheme and value:
            ids.setdefault(_PROVIDERS.get(scheme, scheme), value)
    guid = record.text("guid") or ""
    if match := _PLEX_GUID.match(guid):
        ids.setdefault("plex", match[1])
    elif (match := _LEGACY_GUID.match(guid)) and kind in _WHOLE_ITEMS and not match[3]:
        if provider := _PROVIDERS.get(match[1]):
            ids.setdefault(provider, match[2])
        elif prefixed := _PREFIXED_ID.fullmatch(match[2]):
            ids.setdefault(prefixed[1], prefixed[2])
    return ids


def parse_ratings(record: JsonRecord) -> list[Rating]:
    """Return the ratings, the item's main one first.

    The address of a rating's picture begins with the name of the rater. Rotten Tomatoes has two ratings: the
    critics' and the audience's (``rottentomatoes_audience``). Ratings without a picture are called
    ``critics`` and ``audience``.

    Example:
        >>> parse_ratings(JsonRecord({"rating": 8.4, "ratingImage": "rottentomatoes://image.rating.ripe",
        ...                       "audienceRating": "9.4"}))
        [Rating(name='rottentomatoes', value=8.4, votes=None), Rating(name='audience', value=9.4, votes=None)]
    """
    found: dict[str, Rating] = {}

    def add(source: JsonRecord, field: str, image: str, *, audience: bool) -> None:
        value = source.number(field)
        if value is None:
            return
        name = (source.title(image) or "").partition("://")[0]
        if not name:
            name = "audience" if audience else "critics"
        elif audience and name == "rottentomatoes":
            name = "rottentomatoes_audience"
        if 0 <= value <= 10:
            found.setdefault(name, Rating(name=name, value=value))
        else:
            source.note(f"{field} {value:g} is not a rating from 0 to 10")

    add(record, "rating", "ratingImage", audience=False)
    add(record, "audienceRating", "audienceRatingImage", audience=True)
    for entry in record.records("Rating"):
        add(entry, "value", "image", audience=entry.text("type") == "audience")
    return list(found.values())


def parse_images(record: JsonRecord, kind: MediaType) -> dict[str, str]:
    """Return the pictures: paths on the server, without a token, or public addresses."""
    images: dict[str, str] = {}
    for field, name in _IMAGES.items():
        if path := record.text(field):
            plain = "thumb" if kind is MediaType.EPISODE and field == "thumb" else name
            images[plain] = without_secrets(path)
    return images


def parse_files(record: JsonRecord) -> list[str]:
    """Return the files of all versions and parts of an item."""
    files = [part.text("file") for media in record.records("Media") for part in media.records("Part")]
    return [file for file in files if file]


def parse_path(record: JsonRecord) -> str | None:
    """Return an item's first file, or a show's first folder."""
    folders = [location.text("path") for location in record.records("Location")]
    return next((path for path in [*parse_files(record), *folders] if path), None)


def parse_runtime(record: JsonRecord) -> int | None:
    """Return the running time in seconds; Plex gives milliseconds."""
    length = record.integer("duration")
    return (length + _MILLISECONDS // 2) // _MILLISECONDS if length and length > 0 else None


def parse_premiere(record: JsonRecord) -> date | None:
    """Return the day of release or first broadcast.

    Example:
        >>> parse_premiere(JsonRecord({"originallyAvailableAt": "1995-12-15 00:00:00"}))
        datetime.date(1995, 12, 15)
    """
    value = record.data.get("originallyAvailableAt")
    if isinstance(value, int) and not isinstance(value, bool):
        moment = parse_time(record, "originallyAvailableAt")
        return moment.date() if moment else None
    text = record.text("originallyAvailableAt") or ""
    with suppress(ValueError):
        if match := _DATE.match(text):
            return date(*map(int, match.groups()))
    if text.strip():
        record.note(f"originallyAvailableAt {text!r} is not a date")
    return None


def parse_time(record: JsonRecord, field: str) -> datetime | None:
    """Return a time given as seconds since 1970; None where it is absent or negative."""
    seconds = record.integer(field)
    if seconds is None or seconds < 0:
        return None
    if seconds > _LATEST:
        record.note(f"{field} {seconds} is not a time")
        return None
    return datetime.fromtimestamp(seconds, UTC)
