"""Single values of Kodi's records: ids, provider ids, ratings, pictures, dates. Pure.

Kodi has values that mean "nothing": 0 for a year or a length, -1 for a number, an empty text, a date in 1601.
All of them become None.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from mediasync.backends.json_record import JsonRecord
from mediasync.models import Rating
from mediasync.text import without_secrets

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NO_YEAR: Final = 1601
_IMDB: Final = re.compile(r"tt\d+")
_LARGEST_COUNT: Final = 2**31 - 1

_WRAPPER: Final = "image://"
_BUILT_IN: Final = re.compile(r"(image://)?Default\w*\.png/?")
_WEB: Final = re.compile(r"(?i)https?://(?P<host>\[[^\]\s]+\]|[^/\s?#:@]+)(:\d+)?/\S*")
_LOCAL_NAMES: Final = (".local", ".lan", ".home", ".internal", ".localdomain", ".home.arpa")


def parse_id(record: Mapping[str, Any], name: str) -> int:
    """Return an id, or 0 if there is none that can be used.

    Example:
        >>> parse_id({"movieid": 7}, "movieid"), parse_id({"movieid": -1}, "movieid")
        (7, 0)
    """
    value = record.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def parse_text(record: JsonRecord, key: str) -> str | None:
    """Return a text, or None if it is empty."""
    return record.text(key) or None


def parse_number(record: JsonRecord, key: str) -> int | None:
    """Return a number from 0 to 2,147,483,647, or None for any other."""
    number = record.integer(key)
    return number if number is not None and 0 <= number <= _LARGEST_COUNT else None


def parse_count(record: JsonRecord, key: str) -> int | None:
    """Return a number from 1 to 2,147,483,647, or None for any other."""
    return parse_number(record, key) or None


def parse_path(record: JsonRecord) -> str | None:
    """Return the item's file or folder, without a user name or password in it."""
    path = record.text("file")
    return without_secrets(path) if path else None


def parse_date(record: JsonRecord, key: str) -> date | None:
    """Return the day of release or first broadcast."""
    text = record.text(key)
    if not text or text.startswith("0000"):
        return None
    try:
        parsed = date.fromisoformat(text) if _DATE.fullmatch(text) else datetime.fromisoformat(text).date()
    except ValueError:
        record.note(f"{key} {text!r} is not a date")
        return None
    return parsed if parsed.year > _NO_YEAR else None


def parse_added(record: JsonRecord, zone: ZoneInfo | None) -> datetime | str | None:
    """Return when an item was added, or Kodi's own text if the zone of its clock is not known."""
    text = record.text("dateadded")
    if not text or zone is None:
        return text or None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return text
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)


def parse_provider_ids(record: JsonRecord) -> dict[str, str]:
    """Return the ids at public providers. Kodi calls a provider without a name ``unknown``."""
    ids = record.mapping("uniqueid")
    default = ids.get("unknown") or record.key("imdbnumber") or ""
    if "imdb" not in ids and _IMDB.fullmatch(default):
        ids["imdb"] = default
        ids.pop("unknown", None)
    return ids


def parse_ratings(record: JsonRecord) -> list[Rating]:
    """Return the ratings, the default one first. A rating of 0 without votes is not a rating."""
    given = record.record("ratings")
    if given is None:
        return []
    ratings: list[tuple[bool, Rating]] = []
    for name in given.data:
        entry = given.record(name)
        value = entry.number("rating") if entry else None
        if entry is None or value is None:
            continue
        votes = parse_number(entry, "votes")
        if value == 0 and not votes:
            continue
        if not name or not math.isfinite(value) or not 0 <= value <= 10:
            given.note(f"{name!r}: {value:g} is not a rating from 0 to 10")
            continue
        ratings.append((not entry.flag("default"), Rating(name=name, value=value, votes=votes)))
    return [rating for _, rating in sorted(ratings, key=lambda pair: pair[0])]


def parse_images(record: JsonRecord) -> dict[str, str]:
    """Return an item's own pictures, without those of its show, season or set (``tvshow.poster``)."""
    art = record.record("art")
    if art is None:
        return {}
    images = {kind: art.text(kind) or "" for kind in art.data if "." not in kind}
    return {kind: reference for kind, text in images.items() if (reference := image_reference(text))}


@lru_cache(maxsize=8192)
def image_reference(text: str) -> str | None:
    """Return the reference by which a picture is stored: its public address, else Kodi's own form.

    Kodi writes the source of a picture as ``image://`` + source, percent-encoded, + ``/``. A source that only
    Kodi can open (a file, a share, a server at home) keeps this form: Kodi serves it at ``/image/`` + the
    reference, percent-encoded once more. Kodi's own icons are not pictures of an item or a person.

    Example:
        >>> image_reference("image://https%3a%2f%2fimage.tmdb.org%2ft%2fp%2foriginal%2fa.jpg/")
        'https://image.tmdb.org/t/p/original/a.jpg'
        >>> image_reference("image://smb%3a%2f%2fme%3asecret%40nas%2ffilms%2fHeat%2fposter.jpg/")
        'image://smb%3a%2f%2fnas%2ffilms%2fHeat%2fposter.jpg/'
        >>> image_reference("image://DefaultVideo.png/")
    """
    text = text.strip()
    if not text or _BUILT_IN.fullmatch(text):
        return None
    source = text
    if text.startswith(_WRAPPER):
        source = unquote(text.removeprefix(_WRAPPER).removesuffix("/"))
    return without_secrets(source if _is_public(source) else text)


def _is_public(source: str) -> bool:
    """Return whether *source* is an address that others can open, too."""
    match = _WEB.fullmatch(source)
    if match is None or "\ufffd" in source:
        return False
    host = match["host"].strip("[]").lower()
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_LOCAL_NAMES)
