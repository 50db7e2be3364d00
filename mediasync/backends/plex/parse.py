"""Parsing: one entry of a Plex answer to an item. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from mediasync.backends.json_record import JsonRecord
from mediasync.backends.plex.people import PEOPLE_LISTS, parse_credits
from mediasync.backends.plex.values import (
    parse_files,
    parse_images,
    parse_path,
    parse_premiere,
    parse_provider_ids,
    parse_ratings,
    parse_runtime,
    parse_time,
)
from mediasync.models import Episode, MediaItem, Movie, Season, Show
from mediasync.vocabulary import Completeness, MediaType

PARSER_VERSION: Final = "2"
"""The version of this reading. Raise it when the same answer makes another item: all are read again then."""

_COMPARED: Final = (
    *("guid", "Guid", "index", "parentIndex", "title", "titleSort", "originalTitle", "summary", "tagline"),
    *("year", "originallyAvailableAt", "duration", "contentRating", "addedAt", "Genre", "Location"),
    *("rating", "ratingImage", "audienceRating", "audienceRatingImage", "Rating", "thumb", "art", "banner"),
    *PEOPLE_LISTS,
)
"""The fields of an entry in a listing that are compared, beside its files."""

_CLASSES: Final[dict[MediaType, type[MediaItem]]] = {
    MediaType.MOVIE: Movie,
    MediaType.SHOW: Show,
    MediaType.SEASON: Season,
    MediaType.EPISODE: Episode,
}


class NoItem(ValueError):
    """An entry that cannot be made an item; the message says why."""


def parse_item(kind: MediaType, record: JsonRecord, *, parent: str | None = None) -> MediaItem:
    """Make an item of an entry, without its people.

    Args:
        kind: what it is.
        record: of a listing or of details; problems are noted in it.
        parent: the key of its season or show.

    Raises:
        NoItem: if it has no key or no title.

    Example:
        >>> parse_item(MediaType.MOVIE, JsonRecord({"ratingKey": "55", "title": "Heat", "year": 1995})).year
        1995
    """
    key = record.key("ratingKey")
    number = record.integer("index")
    title = record.data.get("title")
    if title is not None and not isinstance(title, str):
        raise NoItem("its title is no text")
    if not (title and title.strip()) and kind is MediaType.SEASON and number is not None:
        title = f"Season {number}" if number else "Specials"
    if not key:
        raise NoItem("it has no ratingKey")
    if not title or not title.strip():
        raise NoItem("it has no title")
    fields: dict[str, Any] = {}
    if kind is MediaType.SEASON:
        fields = {"parent_remote_id": parent, "season_number": number}
    elif kind is MediaType.EPISODE:
        fields = {
            "parent_remote_id": parent,
            "season_number": record.integer("parentIndex"),
            "episode_number": number,
        }
    return _CLASSES[kind](
        remote_id=key,
        title=title,
        original_title=record.text("originalTitle") or None,
        sort_title=record.text("titleSort") or None,
        overview=record.text("summary") or None,
        tagline=record.text("tagline") or None,
        year=record.integer("year") or None,
        premiere_date=parse_premiere(record),
        runtime_seconds=parse_runtime(record),
        content_rating=record.text("contentRating") or None,
        ratings=parse_ratings(record),
        genres=[genre for tag in record.records("Genre") if (genre := tag.text("tag"))],
        provider_ids=parse_provider_ids(record, kind),
        images=parse_images(record, kind),
        path=parse_path(record),
        added_at=parse_time(record, "addedAt"),
        changed_at=parse_time(record, "updatedAt"),
        **fields,
    )


def parse_full_item(
    kind: MediaType, record: JsonRecord, *, parent: str | None, token: str | None
) -> MediaItem:
    """Make an item of its details, with its people.

    What cannot be read of the lists of people makes a preview of them, and the item is read again next time.

    Args:
        kind: what it is.
        record: the details.
        parent: the key of its season or show.
        token: its change token.

    Raises:
        NoItem: if it has no key or no title.
    """
    item = parse_item(kind, record, parent=parent)
    item.credits, whole = parse_credits(record)
    item.completeness = Completeness.FULL if whole else Completeness.PREVIEW
    item.change_token = token if whole else None
    return item


def change_token(record: JsonRecord, parent: str | None) -> str | None:
    """Return what tells a changed item from an unchanged one; None where the server says too little.

    ``updatedAt`` is what Plex moves, though not always: beside it stands all that the entry says of what is
    stored, from the guid (a key can be given to another film) to genres, pictures and the first people.
    """
    updated = record.integer("updatedAt")
    if updated is None:
        return None
    told = [parent, [record.data.get(name) for name in _COMPARED], parse_files(record)]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    digest = blake2b(text.encode(), digest_size=8).hexdigest()
    return f"{PARSER_VERSION}:{updated}:{digest}"


def merge_listed(full: Mapping[str, Any], listed: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's details, with what they were asked to leave out, from its entry in the listing."""
    merged = dict(full)
    for name in ("Media", "Guid"):
        if name not in merged and name in listed:
            merged[name] = listed[name]
    return merged
