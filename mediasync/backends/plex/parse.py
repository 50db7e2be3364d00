"""From the entries of Plex answers to libraries, items and findings. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from mediasync.backends.base import Finding, Found, Unreadable
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.plex.people import PEOPLE_LISTS, lists_fewer, names_nobody, parse_credits
from mediasync.backends.plex.values import (
    parse_files,
    parse_images,
    parse_path,
    parse_premiere,
    parse_provider_ids,
    parse_ratings,
    parse_runtime,
    parse_time,
    usable_key,
)
from mediasync.errors import SourceUnreadable
from mediasync.models import Episode, Library, MediaItem, Movie, Season, Show
from mediasync.vocabulary import Completeness, MediaType

PARSER_VERSION: Final = "2"
"""Part of every change token. Raise it when the same answer gives a different item: all items are then read
again."""

SECTION_TYPES: Final = {
    "movie": ("movies", (MediaType.MOVIE,)),
    "show": ("shows", (MediaType.SHOW, MediaType.SEASON, MediaType.EPISODE)),
}
"""The types of section that are mirrored: the kind of library, and the kinds of item in it, parents first."""

KINDS_OF_LIBRARY: Final = dict(SECTION_TYPES.values())
"""The kinds of item in each kind of library, parents first."""

PARENTS: Final = frozenset({MediaType.SHOW, MediaType.SEASON})

_HAVE_PEOPLE: Final = frozenset({MediaType.MOVIE, MediaType.SHOW, MediaType.EPISODE})
_SETTLING_SECONDS: Final = 60
_COMPARED: Final = (
    *("guid", "Guid", "index", "parentIndex", "title", "titleSort", "originalTitle", "summary", "tagline"),
    *("year", "originallyAvailableAt", "duration", "contentRating", "addedAt", "Genre", "Location"),
    *("rating", "ratingImage", "audienceRating", "audienceRatingImage", "Rating", "thumb", "art", "banner"),
    *PEOPLE_LISTS,
)
"""The fields of a listed entry that its change token covers, besides its files."""

_CLASSES: Final[dict[MediaType, type[MediaItem]]] = {
    MediaType.MOVIE: Movie,
    MediaType.SHOW: Show,
    MediaType.SEASON: Season,
    MediaType.EPISODE: Episode,
}


class NotAnItem(ValueError):
    """An entry that cannot become an item. The message says why."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An item as a listing names it.

    Attributes:
        key: its ``ratingKey``.
        kind: its kind.
        entry: its entry in the listing.
        parent: the key of its season or show.
        token: its change token; None if it must be read again whatever the mirror holds.
    """

    key: str
    kind: MediaType
    entry: Mapping[str, Any]
    parent: str | None
    token: str | None


def parse_library(section: JsonRecord, source_id: str) -> Library | None:
    """Return a library of films or shows, or None for a section of another type.

    Raises:
        SourceUnreadable: if the section has no type or no key.
    """
    section_type = section.title("type")
    if section_type is None:
        raise SourceUnreadable(
            source_id, "GET /library/sections names a library without a type that can be read"
        )
    if section_type not in SECTION_TYPES:
        return None
    key = usable_key(section.data, "key")
    if key is None:
        raise SourceUnreadable(source_id, "GET /library/sections names a library without a usable key")
    kind, _ = SECTION_TYPES[section_type]
    return Library.model_validate(
        {"id": key, "source_id": source_id, "title": section.text("title") or "", "kind": kind}
    )


def is_placeholder(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is not an item: "All episodes", which Plex adds to seasons, or a collection."""
    address = entry.get("key")
    return (
        entry.get("ratingKey") is None and isinstance(address, str) and address.endswith("/allLeaves")
    ) or entry.get("type") == "collection"


def parse_listed(
    kind: MediaType, entry: Mapping[str, Any], is_known: Callable[[str], bool], now: float
) -> Listed | Unreadable | str:
    """Parse an entry of a listing.

    Args:
        kind: the kind that was asked for.
        entry: the entry.
        is_known: whether the show or season with this key was listed or is stored.
        now: seconds since 1970. An item that changed within the last minute gets no change token: it may
            change again within the same second, which its token could not show.

    Returns:
        The item; why it cannot be read, if at least its key can; or a description of an entry without a key
        or of the wrong kind.
    """
    record = JsonRecord(entry)
    key = usable_key(entry)
    found_type = record.text("type") or kind
    if key is None:
        if key_text := record.key("ratingKey"):
            return Unreadable(key_text, "its ratingKey cannot be used in a request")
        return f"{record.text('title') or 'an entry'} has no ratingKey"
    if found_type != kind:
        return f"{key} is of type {found_type!r}, though only items of type {str(kind)!r} were asked for"
    parent = _parent(kind, record, is_known)
    updated = record.integer("updatedAt")
    settled = updated is not None and abs(now - updated) > _SETTLING_SECONDS
    return Listed(key, kind, entry, parent, change_token(record, parent) if settled else None)


def change_token(record: JsonRecord, parent: str | None) -> str | None:
    """Return a text that differs when a listed item has changed; None if the server says too little.

    Plex does not move ``updatedAt`` with every change. So the token also covers every stored field that the
    entry holds: the guid (a key can be given to another film), genres, pictures and the first people.
    """
    updated = record.integer("updatedAt")
    if updated is None:
        return None
    covered = [parent, [record.data.get(name) for name in _COMPARED], parse_files(record)]
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"))
    digest = blake2b(text.encode(), digest_size=8).hexdigest()
    return f"{PARSER_VERSION}:{updated}:{digest}"


def parse_details(item: Listed, details: Mapping[str, Any], *, refreshing: bool) -> Finding:
    """Return the finding for an item whose details were read.

    Its people count as a preview, and the next sync reads it again, if the details name fewer people than the
    listing did, or nobody while the server refreshes the library or has only just changed the item.

    Args:
        item: the item as it is listed.
        details: its details.
        refreshing: whether the server refreshes the library.
    """
    record = JsonRecord(merge_listed(details, item.entry))
    found_type = record.text("type") or item.kind
    if found_type != item.kind:
        return Unreadable(
            item.key, f"it is listed as of type {str(item.kind)!r}, and its details are of {found_type!r}"
        )
    try:
        found = parse_full_item(item.kind, record, parent=item.parent, token=item.token)
    except NotAnItem as error:
        return Unreadable(item.key, str(error))
    doubt = ""
    if lists_fewer(record.data, item.entry):
        doubt = "its details name fewer people than the listing does"
    elif refreshing and lacks_people(item, record.data):
        doubt = "it has no people, and its library was being refreshed"
    elif item.token is None and lacks_people(item, record.data):
        doubt = "it has no people, and was changed within the last minute, or has no time of change"
    if doubt:
        found.completeness, found.change_token = Completeness.PREVIEW, None
        record.problems.append(f"{doubt}: its people stay as they are, and it is read again next time")
    return Found(found, tuple(record.problems))


def lacks_people(item: Listed, details: Mapping[str, Any]) -> bool:
    """Return whether the details name nobody, of an item that may have people."""
    return item.kind in _HAVE_PEOPLE and names_nobody(details)


def failed_finding(item: Listed, reason: str, *, stored: bool) -> Found | Unreadable:
    """Return the finding for an item whose details could not be read.

    A show or season that is not stored is saved from its listed entry, without people, because the items in
    it could not be saved without it.
    """
    if item.kind in PARENTS and not stored:
        record = JsonRecord(item.entry)
        try:
            found = parse_item(item.kind, record, parent=item.parent)
        except NotAnItem as error:
            reason = f"{reason}; in the listing, {error}"
        else:
            return Found(found, tuple(record.problems), failure=reason)
    return Unreadable(item.key, reason)


def parse_full_item(
    kind: MediaType, record: JsonRecord, *, parent: str | None, token: str | None
) -> MediaItem:
    """Make an item of its details, with its people.

    If part of the lists of people cannot be read, the people are a preview and the item has no change token.

    Args:
        kind: the kind of item to make.
        record: the details. Problems are noted in it.
        parent: the key of its season or show.
        token: its change token.

    Raises:
        NotAnItem: if it has no key or no title.
    """
    item = parse_item(kind, record, parent=parent)
    item.credits, whole = parse_credits(record)
    item.completeness = Completeness.FULL if whole else Completeness.PREVIEW
    item.change_token = token if whole else None
    return item


def parse_item(kind: MediaType, record: JsonRecord, *, parent: str | None = None) -> MediaItem:
    """Make an item of an entry, without its people.

    Args:
        kind: the kind of item to make.
        record: an entry of a listing, or details. Problems are noted in it.
        parent: the key of its season or show.

    Raises:
        NotAnItem: if it has no key or no title.

    Example:
        >>> parse_item(MediaType.MOVIE, JsonRecord({"ratingKey": "55", "title": "Heat", "year": 1995})).year
        1995
    """
    key = record.key("ratingKey")
    number = record.integer("index")
    title = record.data.get("title")
    if title is not None and not isinstance(title, str):
        raise NotAnItem("its title is not a text")
    if not (title and title.strip()) and kind is MediaType.SEASON and number is not None:
        title = f"Season {number}" if number else "Specials"
    if not key:
        raise NotAnItem("it has no ratingKey")
    if not title or not title.strip():
        raise NotAnItem("it has no title")
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


def merge_listed(details: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's details, with the fields that only its listed entry has: files and guids."""
    merged = dict(details)
    for name in ("Media", "Guid"):
        if name not in merged and name in entry:
            merged[name] = entry[name]
    return merged


def _parent(kind: MediaType, record: JsonRecord, is_known: Callable[[str], bool]) -> str | None:
    parent = record.key("parentRatingKey")
    if kind is MediaType.EPISODE:
        show = record.key("grandparentRatingKey")
        return parent if parent and (show is None or is_known(parent)) else show
    return parent if kind is MediaType.SEASON else None
