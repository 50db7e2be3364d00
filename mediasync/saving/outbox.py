"""The outbox: collects what one transaction changes, and logs it before the commit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from mediasync.changes import API, WriteContext
from mediasync.claims import StoredPerson
from mediasync.database.session import Session
from mediasync.models import Library, Source
from mediasync.repositories.changes import ChangeRepository, LoggedChange
from mediasync.repositories.times import to_text
from mediasync.rows import VALUE_COLUMNS, NormalItem, PersonRow, stored_provider_ids
from mediasync.vocabulary import ChangeKind, Completeness, EntityKind

Image = dict[str, Any]
"""Values of an entity by the names of the views' columns."""

StoredList = Sequence[tuple[str | StoredPerson, str, str]]
"""(the person or the person's id, person type, role or '') of each credit of an item, in billing order."""

_TIMES: Final = ("added_at", "changed_at")


class Outbox:
    """Collects the changes that one transaction makes.

    The changes are kept in memory until `write`, which is the last thing that the transaction does: from
    there on other transactions that log changes have to wait.

    Args:
        session: the open transaction.
        context: why it writes.
    """

    def __init__(self, session: Session, context: WriteContext = API) -> None:
        self._repository = ChangeRepository(session)
        self._context = context
        self._contexts: dict[str, WriteContext] = {}
        self._changes: list[LoggedChange] = []

    def assign(self, items: Iterable[NormalItem], contexts: Iterable[WriteContext]) -> None:
        """Note why each of several items is written."""
        for item, context in zip(items, contexts, strict=True):
            if context is not self._context:
                self._contexts[item.id] = context

    async def find_item_images(self, item_ids: Sequence[str]) -> dict[str, Image]:
        """Return what the views show of items before they are written, besides their credits."""
        return await self._repository.find_item_images(item_ids) if item_ids else {}

    @asynccontextmanager
    async def comparing(self, item_ids: Sequence[str]) -> AsyncIterator[None]:
        """Note which fields of stored items the statements inside change."""
        old = await self.find_item_images(item_ids)
        yield
        new = await self.find_item_images(item_ids)
        for item_id in old:
            self.change_item(item_id, changed_fields(old[item_id], new[item_id]))

    def add(
        self,
        entity: EntityKind,
        entity_id: str,
        what: ChangeKind,
        before: Mapping[str, Any] | None = None,
        *,
        item_id: str | None = None,
        other_id: str | None = None,
    ) -> None:
        """Note one change.

        Args:
            entity: what kind of thing changed.
            entity_id: its text id.
            what: what happened to it.
            before: its values before; of a changed one only the fields that changed.
            item_id: the item whose save made the change, if that is another entity.
            other_id: the person that a merged person became.
        """
        if what is ChangeKind.CHANGED and not before:
            return
        context = self._contexts.get(item_id or entity_id, self._context)
        text = None if before is None else _json(before)
        self._changes.append(
            LoggedChange(entity.value, entity_id, what.value, context.reason, context.run_id, text, other_id)
        )

    def add_item(self, item_id: str) -> None:
        """Note that an item is new."""
        self.add(EntityKind.ITEM, item_id, ChangeKind.ADDED)

    def bring_back_item(self, item_id: str, *, saved: str) -> None:
        """Note that an item is shown again, because the item *saved*, which may stand below it, is."""
        self.add(EntityKind.ITEM, item_id, ChangeKind.BACK, item_id=saved)

    def change_item(self, item_id: str, before: Image) -> None:
        """Note that fields of an item changed, which were *before*; nothing if there are none."""
        self.add(EntityKind.ITEM, item_id, ChangeKind.CHANGED, before)

    def remove_item(self, item_id: str, image: Image, credits_stored: StoredList) -> None:
        """Note that an item is no longer shown, of which this is or was stored."""
        before = {**image, "credits": credits_image(credits_stored)}
        self.add(EntityKind.ITEM, item_id, ChangeKind.REMOVED, before)

    def save_source(self, before: Source | None, after: Source | None) -> None:
        """Note that a source is new, or changed."""
        if after is not None:
            self._save(EntityKind.SOURCE, after.id, _source_image(before), _source_image(after))

    def save_library(self, before: Library | None, after: Library | None) -> None:
        """Note that a library is new, or changed."""
        if after is not None:
            self._save(EntityKind.LIBRARY, after.full_id, _library_image(before), _library_image(after))

    def remove_source(self, source: Source) -> None:
        """Note that a source was deleted."""
        self.add(EntityKind.SOURCE, source.id, ChangeKind.REMOVED, _source_image(source))

    def remove_library(self, library: Library) -> None:
        """Note that a library was deleted."""
        self.add(EntityKind.LIBRARY, library.full_id, ChangeKind.REMOVED, _library_image(library))

    def _save(self, entity: EntityKind, entity_id: str, old: Image, new: Image) -> None:
        if old:
            self.add(entity, entity_id, ChangeKind.CHANGED, changed_fields(old, new))
        else:
            self.add(entity, entity_id, ChangeKind.ADDED)

    def change_person(self, before: StoredPerson, after: StoredPerson, *, item_id: str | None = None) -> None:
        """Note that a person's own fields changed, if any did."""
        old, new = person_image(before.row), person_image(after.row)
        self.add(
            EntityKind.PERSON,
            before.row[0],
            ChangeKind.CHANGED,
            changed_fields(old, new),
            item_id=item_id,
        )

    def add_person(self, person_id: str) -> None:
        """Note that a person is shown whom no item brought."""
        self.add(EntityKind.PERSON, person_id, ChangeKind.ADDED)

    def remove_person(self, row: PersonRow, *, item_id: str | None = None) -> None:
        """Note that a person is no longer shown."""
        self.add(EntityKind.PERSON, row[0], ChangeKind.REMOVED, person_image(row), item_id=item_id)

    def merge_person(self, row: PersonRow, into: str) -> None:
        """Note that a person turned out to be another one."""
        self.add(EntityKind.PERSON, row[0], ChangeKind.MERGED, person_image(row), other_id=into)

    async def write(self) -> None:
        """Log the changes, as the last statements of the transaction."""
        await self._repository.append(self._changes)
        self._changes = []


def changed_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Image:
    """Return the old values of those fields of *new* that differ.

    Example:
        >>> changed_fields({"title": "Alien", "year": 1979}, {"title": "Alien", "year": 1980})
        {'year': 1979}
    """
    return {name: old[name] for name, value in new.items() if old[name] != value}


def item_image(item: NormalItem, completeness: Completeness) -> Image:
    """Return what the views show of an item after its save, besides its libraries and credits."""
    return {
        "parent_id": item.parent_id,
        "remote_id": item.remote_id,
        "media_type": str(item.media_type),
        **dict(zip(VALUE_COLUMNS, item.values, strict=True)),
        "completeness": completeness.value,
        "provider_ids": dict(item.external_ids),
        "genres": list(item.genres),
        "ratings": [list(rating) for rating in item.ratings],
        "images": dict(item.images),
    }


def credits_image(credits_stored: StoredList) -> list[list[str | None]]:
    """Return a stored credit list as the log holds it: the person's id, the person type, the role."""
    return [
        [person if isinstance(person, str) else person.row[0], kind, role or None]
        for person, kind, role in credits_stored
    ]


def person_image(row: PersonRow) -> Image:
    """Return what the view shows of a person."""
    _, name, image_path, provider_ids = row
    return {
        "name": name,
        "image_path": image_path or None,
        "provider_ids": stored_provider_ids(provider_ids) if provider_ids else {},
    }


def _source_image(source: Source | None) -> Image:
    if source is None:
        return {}
    return {"kind": str(source.kind), "name": source.name, "server_id": source.server_id}


def _library_image(library: Library | None) -> Image:
    return {} if library is None else {"title": library.title, "kind": str(library.kind)}


def _json(before: Mapping[str, Any]) -> str:
    values = dict(before)
    for name in _TIMES:
        if isinstance(at := values.get(name), int) and (text := to_text(at)) is not None:
            values[name] = text
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
