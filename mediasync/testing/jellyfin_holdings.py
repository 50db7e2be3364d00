"""The content of a fake Jellyfin: a catalogue with the server's keys, without the data that it loses."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from mediasync.models import Credit, Episode, MediaItem, Person, Season
from mediasync.testing.jellyfin_rows import (
    TYPES,
    CreditRow,
    PersonRow,
    Row,
    credit_rows,
    digest,
    item_record,
    sort_name,
)
from mediasync.testing.library import Catalogue

_COLLECTION_TYPES: Final = {"movies": "movies", "shows": "tvshows"}
_CREDITS_MORE_EACH_READ: Final = 6


class JellyfinHoldings:
    """The content of the server.

    Args:
        catalogue: the content.
        version: the version of Jellyfin whose behaviour to imitate.

    Attributes:
        catalogue, version: as given.
        server_id: the server's own id.
        kinds: see `FakeJellyfin`.
        scanning, scan_ends_after: see `FakeJellyfin`.
        scans: how many scans have ended.
        deleted: the ids of deleted libraries.
    """

    def __init__(self, catalogue: Catalogue, version: Literal["12.0", "10.11"]) -> None:
        self.catalogue = catalogue
        self.version = version
        self.server_id = digest("server", version)
        self.kinds: dict[str, str | None] = {}
        self.scanning = False
        self.scan_ends_after: int | None = None
        self.scans = 1
        self.deleted: set[str] = set()
        self._read_in_scan: dict[str, int] = {}
        self._people: dict[str, PersonRow] = {}
        self._person_ids: dict[str, str] = {}
        self._by_key: dict[str, MediaItem] = {}
        self._listed: tuple[object, list[Row]] = (None, [])
        self._listed_people: tuple[object, list[Row]] = (None, [])

    @property
    def old(self) -> bool:
        """Whether it behaves like 10.11."""
        return self.version == "10.11"

    # Content

    def item_id(self, key: str) -> str:
        """Return the server's id of the item with this key in the catalogue."""
        return digest("item", key)

    def library_id(self, key: str) -> str:
        """Return the server's id of a library."""
        return digest("library", key)

    def person_row(self, person: Person) -> PersonRow:
        """Return the server's person for a person of the catalogue: one for each name."""
        known = self._person_ids.get(person.remote_id or "")
        if known is None:
            known = digest("person", person.name.strip().lower())
            self._person_ids[person.remote_id or ""] = known
        return self._people.setdefault(known, PersonRow(known, person.name, person))

    def credits(self, item: MediaItem) -> list[CreditRow]:
        """Return an item's credits as the server answers them while no scan is running."""
        return credit_rows(item.credits or [], self.person_row, all_roles=not self.old)

    def etag(self, item: MediaItem) -> str:
        """Return an item's Etag: it changes with the item, not with the item's people."""
        partial = 0 if self.old else self._shown_in_scan(item)
        return digest("etag", item.remote_id, item.change_token, partial)

    def truth(self) -> Catalogue:
        """Return the expected mirror: the catalogue with the server's keys, without the lost data."""
        truth = self.catalogue.mapped(lambda item: self.item_id(item.remote_id))
        for library, own in zip(truth.libraries, self.catalogue.libraries, strict=True):
            library.id = self.library_id(own.id)
            for item, original in zip(library.items, own.items, strict=True):
                item.credits = [
                    Credit(
                        person=row.person.person.model_copy(
                            update={
                                "remote_id": row.person.id,
                                "image_path": row.person.tag
                                and f"Items/{row.person.id}/Images/Primary?tag={row.person.tag}",
                            }
                        ),
                        person_type=row.type,
                        role=row.role or None,
                        sort_order=place,
                    )
                    for place, row in enumerate(self.credits(original))
                ]
        return truth

    def record_of(self, item: MediaItem) -> dict[str, Any]:
        """Return an item of the catalogue as the server answers it, without its people."""
        return self._record(item, people=False)

    def folders(self) -> list[dict[str, Any]]:
        """Return the media folders as the server answers them."""
        folders = [
            (
                self.library_id(library.id),
                library.title,
                self.kinds.get(library.id, _COLLECTION_TYPES[library.kind]),
            )
            for library in self.catalogue.libraries
        ]
        folders.insert(1, (digest("playlists"), "Playlists", "playlists"))
        return [
            {
                "Name": title,
                "ServerId": self.server_id,
                "Id": key,
                "IsFolder": True,
                "Type": "ManualPlaylistsFolder" if kind == "playlists" else "CollectionFolder",
                **({"CollectionType": kind} if kind else {}),
            }
            for key, title, kind in folders
        ]

    def rows(self) -> list[Row]:
        """Return all items, sorted."""
        state = self.catalogue.state()
        if self._listed[0] != state:
            rows = [
                self._row(item, self.library_id(library.id))
                for library in self.catalogue.libraries
                for item in library.items
            ]
            rows.sort(key=lambda row: (row.sort, row.id))
            self.deleted |= {row.library for row in self._listed[1]}
            self._listed = state, rows
        return self._listed[1]

    def persons(self) -> list[Row]:
        """Return all people who were ever credited, sorted."""
        self.rows()
        saved = [person.save(self.catalogue.now) for person in self._people.values()]
        state = (self.catalogue.state(), len(self._people))
        if any(saved) or self._listed_people[0] != state:
            rows = [
                Row(
                    person.id,
                    "Person",
                    person.person.name,
                    "",
                    lambda _, person=person: person.record(self.server_id),  # type: ignore[misc]
                    saved_at=person.saved_at,
                )
                for person in self._people.values()
            ]
            self._listed_people = state, sorted(rows, key=lambda row: (row.sort, row.id))
        return self._listed_people[1]

    def _row(self, item: MediaItem, library_id: str) -> Row:
        for credit in item.credits or ():
            self.person_row(credit.person)
        return Row(
            self.item_id(item.remote_id),
            TYPES[item.media_type],
            item.sort_title or sort_name(item),
            library_id,
            lambda people: self._record(item, people=people),
            lambda: {credit.person.id for credit in self.credits(item)},
            item.changed_at if isinstance(item.changed_at, datetime) else None,
        )

    def _record(self, item: MediaItem, *, people: bool) -> dict[str, Any]:
        shown: list[CreditRow] = []
        if people:
            shown = self.credits(item)
            if self.scanning:
                shown = shown[: self._shown_in_scan(item)]
                self._read_in_scan[item.remote_id] = self._read_in_scan.get(item.remote_id, 0) + 1
        return item_record(item, self.server_id, self.etag(item), shown, self.item_id, self._show_of(item))

    def _show_of(self, item: MediaItem) -> MediaItem | None:
        if not isinstance(item, Season | Episode) or item.parent_remote_id is None:
            return None
        parent = self._item(item.parent_remote_id)
        return self._item(parent.parent_remote_id or "") if isinstance(parent, Season) else parent

    def _item(self, key: str) -> MediaItem:
        if key not in self._by_key:
            self._by_key = {item.remote_id: item for item in self.catalogue.items()}
        return self._by_key[key]

    # Scans

    def start_scan(self, *, ends_after: int | None = None) -> None:
        """Begin a library scan: items are listed before all their people are, and more of them at each read.

        Args:
            ends_after: after how many requests for the scheduled tasks the scan ends; None for never.
        """
        self.scanning, self.scan_ends_after = True, ends_after
        self._read_in_scan = {}

    def end_scan(self) -> None:
        """End the scan."""
        self.scanning, self.scan_ends_after = False, None
        self.scans += 1

    def _shown_in_scan(self, item: MediaItem) -> int:
        return _CREDITS_MORE_EACH_READ * self._read_in_scan.get(item.remote_id, 0) if self.scanning else 0
