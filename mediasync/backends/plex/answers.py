"""What every answer of a Plex server has in common. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mediasync.backends.json_record import JsonRecord, expect_record
from mediasync.errors import SourceUnreadable
from mediasync.models import Library
from mediasync.vocabulary import MediaType

SECTION_KINDS: Final = {
    "movie": ("movies", (MediaType.MOVIE,)),
    "show": ("shows", (MediaType.SHOW, MediaType.SEASON, MediaType.EPISODE)),
}
"""The types of section that are mirrored: the kind of library, and what it holds, parents first."""

_KEY: Final = re.compile(r"[\w-]+", re.ASCII)


def open_container(answer: Any, source_id: str, request: str) -> JsonRecord:
    """Return the ``MediaContainer`` of a decoded answer.

    Args:
        answer: as decoded.
        source_id: named by the error.
        request: what was asked: ``GET /identity``.

    Raises:
        SourceUnreadable: if it has none.
    """
    outer = expect_record(answer, source_id, request)
    container = outer.data.get("MediaContainer")
    if isinstance(container, Mapping):
        return JsonRecord(container)
    if "_children" in outer.data:
        raise SourceUnreadable(
            source_id,
            f"{request} was answered in a shape that Plex gave up in 2016; update the server to 1.3 or newer",
        )
    raise SourceUnreadable(
        source_id, f"{request} was answered without a MediaContainer, which every answer of a Plex server has"
    )


def list_entries(container: JsonRecord, name: str, source_id: str, request: str) -> list[Mapping[str, Any]]:
    """Return the entries of a container; one that is no object is returned as an empty one.

    Raises:
        SourceUnreadable: if they are no list, or are missing though the container says that there are some.
    """
    entries = container.data.get(name)
    if entries is None and not container.integer("size"):
        return []
    if not isinstance(entries, list):
        raise SourceUnreadable(
            source_id, f"{request} was answered without the list of {name} that it says it holds"
        )
    return [entry if isinstance(entry, Mapping) else {} for entry in entries]


def usable_key(entry: Mapping[str, Any]) -> str | None:
    """Return the ``ratingKey`` of an entry if a request can name it, else None.

    Example:
        >>> usable_key({"ratingKey": 55}), usable_key({"ratingKey": "55,56"})
        ('55', None)
    """
    key = JsonRecord(entry).key("ratingKey")
    return key if key and _KEY.fullmatch(key) else None


def parse_sections(container: JsonRecord, source_id: str, request: str) -> list[tuple[Library, bool]]:
    """Return the libraries of films and shows, and whether each is being refreshed, in the server's order.

    Raises:
        SourceUnreadable: if one of them has no type, or no key.
    """
    found = []
    for section in map(JsonRecord, list_entries(container, "Directory", source_id, request)):
        section_type = section.title("type")
        if section_type is None:
            raise SourceUnreadable(source_id, f"{request} names a library without a type that can be read")
        if section_type not in SECTION_KINDS:
            continue
        kind, _ = SECTION_KINDS[section_type]
        key = section.key("key")
        if key is None or not _KEY.fullmatch(key):
            raise SourceUnreadable(source_id, f"{request} names a library without a usable key")
        library = Library.model_validate(
            {"id": key, "source_id": source_id, "title": section.text("title") or "", "kind": kind}
        )
        found.append((library, bool(section.flag("refreshing"))))
    return found
