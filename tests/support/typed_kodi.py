"""What was typed into the library ``tests/data/nfo/kodi``, as Kodi keeps it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mediasync import MediaItem

LIBRARY: Final = Path(__file__).parent.parent / "data" / "nfo" / "kodi"
MANIFEST: Final = json.loads((LIBRARY / "manifest.json").read_text("utf-8"))

People = list[tuple[str, str, str | None]]


def typed_people(entry: Mapping[str, Any]) -> People:
    """Return type, name and role of everybody in an entry of the manifest, as Kodi keeps them.

    The cast stands by order, who has none or a negative one behind all others; each role of a person is there
    once, and nobody without a name.
    """

    def order(actor: Mapping[str, Any]) -> tuple[bool, int]:
        given = actor.get("order")
        return (given is None or given < 0, given or 0)

    cast = [
        ("actor", actor["name"].strip(), (actor.get("role") or "").strip() or None)
        for actor in sorted(entry["cast"], key=order)
        if actor["name"].strip()
    ]
    return [
        *dict.fromkeys(cast),
        *(("director", name, None) for name in entry.get("directors", ())),
        *(("writer", name, None) for name in entry.get("writers", ())),
    ]


def folded(people: People) -> People:
    """Return people without what Kodi, or the mirror, does not tell apart.

    Names that differ in case are one person to Kodi, spelt as at first sight, and to the mirror NFC and NFD
    are one as well. An underscore stands for any letter: the typed "Tom_Hanks" is Tom Hanks to Kodi. It cuts
    names after 255 bytes.
    """
    return [(kind, _folded(name), role) for kind, name, role in people]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).lower().replace("_", " ")[:255]


def people_of(item: MediaItem) -> People:
    """Return type, name and role of an item's people, in order."""
    return [(str(credit.person_type), credit.person.name, credit.role) for credit in item.credits or ()]
