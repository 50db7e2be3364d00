"""Reading a whole fake or recorded server in a test."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mediasync import MediaItem, Person, Source
from mediasync.backends.base import (
    Enumerated,
    Finding,
    Found,
    FoundPerson,
    NothingStored,
    Remark,
    Stored,
    Unchanged,
    Unreadable,
    Watermark,
)
from mediasync.backends.jellyfin import EmbyBackend, JellyfinBackend
from mediasync.models import Library
from mediasync.settings.http import HttpOptions
from mediasync.testing import Catalogue, Request

DATA = Path(__file__).parent.parent / "data" / "jellyfin"
VERSIONS = ("12.0", "10.11")
QUICK = HttpOptions(tries=2, backoff=0.001, patience=5)
KEY = "fixture-api-key"


def recorded(version: str) -> dict[str, dict[str, Any]]:
    """Return what a real server answered, by the names of the calls."""
    with gzip.open(DATA / f"{version}.json.gz", "rt", encoding="utf-8") as file:
        return {call["name"]: call for call in json.load(file)}


def jellyfin(url: str, **options: Any) -> JellyfinBackend:
    """Return a backend that does not wait long for anything."""
    given = {"token": KEY, "options": QUICK, "scan_poll": 0.001, **options}
    return JellyfinBackend(url, source=Source(id="jf", kind="jellyfin"), **given)


def emby(url: str, **options: Any) -> EmbyBackend:
    """The same, for Emby."""
    given = {"token": KEY, "options": QUICK, "scan_poll": 0.001, **options}
    return EmbyBackend(url, source=Source(id="emby", kind="emby"), **given)


@dataclass
class Memory:
    """A mirror in memory: what a sync would have stored of the items that were read before.

    Attributes:
        items: by key, the last that was read of each.
        people: by key.
        watermark: the last that was told.
    """

    items: dict[str, MediaItem] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    watermark: str = ""

    @property
    def tokens(self) -> dict[str, str]:
        return {key: item.change_token or "" for key, item in self.items.items()}

    async def find_people(self, remote_ids: Sequence[str]) -> dict[str, Person]:
        return {key: self.people[key] for key in remote_ids if key in self.people}

    async def find_items_crediting(self, remote_ids: Sequence[str]) -> set[str]:
        return {
            key
            for key, item in self.items.items()
            if any(credit.person.remote_id in remote_ids for credit in item.credits or ())
        }

    def take(self, findings: Sequence[Finding]) -> None:
        """Store what was found."""
        for finding in findings:
            if isinstance(finding, FoundPerson):
                self.people[finding.person.remote_id or ""] = finding.person
            if isinstance(finding, Watermark):
                self.watermark = finding.text
            if isinstance(finding, Found):
                self.items[finding.item.remote_id] = finding.item
                for credit in finding.item.credits or ():
                    self.people.setdefault(credit.person.remote_id or "", credit.person)


@dataclass
class Reading:
    """What was read, in order."""

    libraries: list[Library] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def of(self, kind: type) -> list[Any]:
        return [finding for finding in self.findings if isinstance(finding, kind)]

    @property
    def items(self) -> dict[str, MediaItem]:
        return {found.item.remote_id: found.item for found in self.of(Found)}

    @property
    def unchanged(self) -> set[str]:
        return {found.remote_id for found in self.of(Unchanged)}

    @property
    def unreadable(self) -> dict[str, str]:
        return {found.remote_id: found.reason for found in self.of(Unreadable)}

    @property
    def remarks(self) -> list[str]:
        return [found.text for found in self.of(Remark)]

    @property
    def people(self) -> dict[str, Person]:
        return {found.person.remote_id: found.person for found in self.of(FoundPerson)}

    @property
    def ends(self) -> list[Enumerated]:
        return self.of(Enumerated)


async def read(
    backend: JellyfinBackend, stored: Stored | None = None, *, only: Collection[str] | None = None
) -> Reading:
    """Read every library; an item that is found twice fails the test, and so does an end that is not last."""
    reading = Reading()
    stored = NothingStored() if stored is None else stored
    async with backend.open():
        reading.libraries = await backend.fetch_libraries()
        for library in reading.libraries:
            async for finding in backend.iter_items(library, stored, only=only):
                reading.findings.append(finding)
            assert isinstance(reading.findings[-1], Enumerated)
    named = [found.item.remote_id for found in reading.of(Found)] + sorted(reading.unchanged)
    assert len(named) == len(set(named)), "an item was found twice"
    assert len(reading.ends) == len(reading.libraries)
    if isinstance(stored, Memory):
        stored.take(reading.findings)
    return reading


def credits_of(item: MediaItem) -> list[tuple[str, str | None, str, str | None, str | None]]:
    """Return what is compared of an item's credits; they must be numbered as they stand."""
    assert item.credits is not None
    assert [credit.sort_order for credit in item.credits] == list(range(len(item.credits)))
    return [
        (
            str(credit.person_type),
            credit.person.remote_id,
            credit.person.name,
            credit.role,
            credit.person.image_path,
        )
        for credit in item.credits
    ]


def all_credits(items: Collection[MediaItem]) -> dict[str, list[Any]]:
    """Return the credits of items by the items' keys."""
    return {item.remote_id: credits_of(item) for item in items}


def true_credits(truth: Catalogue) -> dict[str, list[Any]]:
    """Return the credits that a server tells of a catalogue."""
    told = {}
    for item in truth.items():
        for place, credit in enumerate(item.credits or ()):
            credit.sort_order = place
        item.credits = item.credits or []
        told[item.remote_id] = credits_of(item)
    return told


def of_type(requests: Sequence[Request], kind: str) -> list[Request]:
    """Return the listings of one type, with or without people."""
    return [request for request in requests if request.first("includeItemTypes") == kind]


def with_people(requests: Sequence[Request]) -> list[Request]:
    """Return the requests that ask for people."""
    return [request for request in requests if "People" in request.first("fields")]
