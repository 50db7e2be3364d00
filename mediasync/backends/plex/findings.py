"""From an item's entry in a listing and its details to what is told of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mediasync.backends.base import Finding, Found, Unreadable
from mediasync.backends.json_record import JsonRecord
from mediasync.backends.plex.answers import usable_key
from mediasync.backends.plex.parse import NoItem, change_token, merge_listed, parse_full_item, parse_item
from mediasync.backends.plex.people import PEOPLE_LISTS, lists_fewer
from mediasync.vocabulary import Completeness, MediaType

_SETTLING_SECONDS: Final = 60
PARENTS: Final = frozenset({MediaType.SHOW, MediaType.SEASON})
_HAVE_PEOPLE: Final = frozenset({MediaType.MOVIE, MediaType.SHOW, MediaType.EPISODE})


@dataclass(frozen=True, slots=True)
class Listed:
    """One item that a listing names.

    Attributes:
        key: its ``ratingKey``.
        kind: what it is.
        entry: as it stands in the listing.
        parent: the key of its season or show.
        token: its change token; None if it is to be read again in any case.
    """

    key: str
    kind: MediaType
    entry: Mapping[str, Any]
    parent: str | None
    token: str | None


def listed_item(
    kind: MediaType, entry: Mapping[str, Any], is_known: Callable[[str], bool], now: float
) -> Listed | Unreadable | str:
    """Tell what an entry of a listing names.

    Args:
        kind: what was asked for.
        entry: what came.
        is_known: tells whether a show or season of this key was listed or is stored.
        now: seconds since 1970. What changed within the last minute may change again in the same second,
            which its change token could not tell: it gets none.

    Returns:
        The item; or why an item that has a key cannot be read; or, in words, why the entry is none.
    """
    record = JsonRecord(entry)
    key = usable_key(entry)
    found_type = record.text("type") or kind
    if key is None:
        if key_text := record.key("ratingKey"):
            return Unreadable(key_text, "its ratingKey is none that a request can name")
        return f"{record.text('title') or 'an entry'} has no ratingKey"
    if found_type != kind:
        return f"{key} is of type {found_type!r}, though only items of type {str(kind)!r} were asked for"
    parent = _parent(kind, record, is_known)
    updated = record.integer("updatedAt")
    settled = updated is not None and abs(now - updated) > _SETTLING_SECONDS
    return Listed(key, kind, entry, parent, change_token(record, parent) if settled else None)


def is_no_item(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry is one that Plex puts among the items and that is none: "All episodes"."""
    address = entry.get("key")
    return (
        entry.get("ratingKey") is None and isinstance(address, str) and address.endswith("/allLeaves")
    ) or entry.get("type") == "collection"


def full_finding(item: Listed, details: Mapping[str, Any], *, refreshing: bool) -> Finding:
    """Tell of an item whose details came.

    Its people count as a preview, and the item is read again next time, if the details name fewer than the
    listing did, or nobody while the server refreshes the library or has only just changed the item.

    Args:
        item: as it is listed.
        details: what came.
        refreshing: whether its library is being refreshed.
    """
    record = JsonRecord(merge_listed(details, item.entry))
    told = record.text("type") or item.kind
    if told != item.kind:
        return Unreadable(
            item.key, f"it is listed as of type {str(item.kind)!r}, and its details are of {told!r}"
        )
    try:
        found = parse_full_item(item.kind, record, parent=item.parent, token=item.token)
    except NoItem as error:
        return Unreadable(item.key, str(error))
    doubt = ""
    if lists_fewer(record.data, item.entry):
        doubt = "its details name fewer people than the listing does"
    elif refreshing and names_nobody(item, record.data):
        doubt = "it has no people, and its library was being refreshed"
    elif item.token is None and names_nobody(item, record.data):
        doubt = "it has no people, and was changed within the last minute, or has no time of change"
    if doubt:
        found.completeness, found.change_token = Completeness.PREVIEW, None
        record.problems.append(f"{doubt}: its people stay as they are, and it is read again next time")
    return Found(found, tuple(record.problems))


def names_nobody(item: Listed, details: Mapping[str, Any]) -> bool:
    """Tell whether the details of an item that may have people name none."""
    return item.kind in _HAVE_PEOPLE and not any(details.get(tag) for tag in PEOPLE_LISTS)


def failed_findings(item: Listed, reason: str, *, stored: bool) -> Iterator[Finding]:
    """Tell of an item whose details did not come.

    A show or season that is not stored is saved from the listing, without people: what it holds could not be
    saved without it.
    """
    if item.kind in PARENTS and not stored:
        record = JsonRecord(item.entry)
        try:
            found = parse_item(item.kind, record, parent=item.parent)
        except NoItem as error:
            reason = f"{reason}; in the listing, {error}"
        else:
            yield Found(found, tuple(record.problems))
    yield Unreadable(item.key, reason)


def _parent(kind: MediaType, record: JsonRecord, is_known: Callable[[str], bool]) -> str | None:
    parent = record.key("parentRatingKey")
    if kind is MediaType.EPISODE:
        show = record.key("grandparentRatingKey")
        return parent if parent and (show is None or is_known(parent)) else show
    return parent if kind is MediaType.SEASON else None
