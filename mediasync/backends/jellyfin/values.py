"""Single values of Jellyfin's and Emby's JSON: provider ids, ratings, pictures, dates. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from mediasync.backends.json_record import JsonRecord
from mediasync.models import Rating
from mediasync.vocabulary import MediaType

TICKS_PER_SECOND: Final = 10_000_000

_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", re.ASCII
)
_IMAGE_KINDS: Final = {
    "Primary": "poster",
    "Logo": "clearlogo",
    "Banner": "banner",
    "Thumb": "landscape",
    "Art": "clearart",
    "Disc": "discart",
}


def parse_time(text: str) -> datetime | str | None:
    """Return a time with its zone; the text itself if it has no zone or is not a time; None for "never".

    The servers write seven digits after the second's decimal point, and the year 1 for "never".

    Example:
        >>> parse_time("2026-11-22T15:05:42.2401096Z")
        datetime.datetime(2026, 11, 22, 15, 5, 42, 240109, tzinfo=datetime.timezone.utc)
        >>> parse_time("0001-01-01T00:00:00.0000000Z") is None
        True
    """
    match = _TIME.fullmatch(text)
    if match is None or not match[8]:
        return text or None
    if match[1] == "0001":
        return None
    fraction = (match[7] or "")[:6].ljust(6, "0")
    zone = "+00:00" if match[8] == "Z" else match[8]
    try:
        moment = datetime.fromisoformat(f"{text[:19]}.{fraction}{zone}")
    except ValueError:
        return text
    return moment.astimezone(UTC) if moment.utcoffset() == timedelta() else moment


def parse_date(text: str) -> date | None:
    """Return the day of a premiere as the server writes it; None if it is not a date.

    Example:
        >>> parse_date("2017-01-10T00:00:00.0000000Z")
        datetime.date(2017, 1, 10)
    """
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return day if day.year > 1 else None


def parse_ticks(ticks: int | None) -> int | None:
    """Return a running time in whole seconds; None if there is none.

    Example:
        >>> parse_ticks(81_600_000_000)
        8160
    """
    return round(ticks / TICKS_PER_SECOND) or None if ticks and ticks > 0 else None


def parse_ratings(community: float | None, critics: float | None, problems: list[str]) -> list[Rating]:
    """Return the ratings on a scale of 0 to 10: the community's, then the critics', which come in percent.

    Example:
        >>> [(rating.name, rating.value) for rating in parse_ratings(7.9, 83, [])]
        [('community', 7.9), ('critics', 8.3)]
    """
    ratings: list[Rating] = []
    for name, value, scale in (("community", community, 1.0), ("critics", critics, 10.0)):
        if value is None:
            continue
        if 0 <= value <= 10 * scale:
            ratings.append(Rating(name=name, value=value / scale))
        else:
            problems.append(f"the rating of the {name} is {value}, which is outside 0 to {10 * scale:g}")
    return ratings


def parse_provider_ids(record: JsonRecord) -> dict[str, str]:
    """Return the ids at public providers, by the provider's name in lower case."""
    if not record.data.get("ProviderIds"):
        return {}
    return {name.lower(): value for name, value in record.mapping("ProviderIds").items()}


def image_reference(item_id: str, kind: str, tag: str, index: int | None = None) -> str:
    """Return the reference by which a picture is stored: its path on the server, with its content's tag.

    Example:
        >>> image_reference("4f07", "Primary", "9b76")
        'Items/4f07/Images/Primary?tag=9b76'
    """
    place = "" if index is None else f"/{index}"
    return f"Items/{item_id}/Images/{kind}{place}?tag={tag}"


def parse_images(record: JsonRecord, item_id: str, kind: MediaType) -> dict[str, str]:
    """Return references to an item's own pictures, by kind."""
    images: dict[str, str] = {}
    for name, tag in record.mapping("ImageTags").items():
        if name in _IMAGE_KINDS:
            still = kind is MediaType.EPISODE and name == "Primary"
            images["thumb" if still else _IMAGE_KINDS[name]] = image_reference(item_id, name, tag)
    for tag in record.texts("BackdropImageTags")[:1]:
        images["fanart"] = image_reference(item_id, "Backdrop", tag, 0)
    return images
