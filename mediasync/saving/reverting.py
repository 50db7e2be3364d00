"""Giving stored items and people earlier values back, inside a caller's transaction.

An ordinary save cannot do this: a value that is missing never replaces one that is there, and a credit list
that is only a part never replaces a whole one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mediasync.changes import WriteContext
from mediasync.database.session import Session
from mediasync.errors import InvalidItem, UnknownItem
from mediasync.ids import make_id, split_id
from mediasync.models import ITEM_MODELS, AnyMediaItem, Credit, Person
from mediasync.repositories.credits import CreditRepository
from mediasync.repositories.items import MediaRepository
from mediasync.repositories.people import PeopleRepository
from mediasync.repositories.recognition import RecognitionRepository
from mediasync.repositories.sources import SourceRepository
from mediasync.saving.missing import hide_uncredited
from mediasync.saving.normal import normal_credits, normal_item
from mediasync.saving.outbox import Outbox, credits_image
from mediasync.saving.store import replace_credits, save_group
from mediasync.vocabulary import Completeness

_OF_PLACE: Final = frozenset({"remote_id", "library_id", "libraries"})
_OF_CREDITS: Final = frozenset({"credits", "completeness"})
_TIMES: Final = ("added", "changed")

Fields = Mapping[str, Any]
"""Values by the names of the views' columns, as the change log has them."""


class Reverting:
    """Gives stored items and people earlier values back.

    Args:
        session: an open transaction.
        outbox: where the changes are logged.
        context: why they are made.
        names: the names of people who may no longer be stored, by id.
    """

    def __init__(
        self, session: Session, outbox: Outbox, context: WriteContext, names: Mapping[str, str]
    ) -> None:
        self._session = session
        self._outbox = outbox
        self._context = context
        self._names = names
        self._media = MediaRepository(session)

    async def revert_item(self, item_id: str, fields: Fields) -> None:
        """Give a shown item earlier values back.

        Raises:
            UnknownItem: if it is not stored, or not shown.
            InvalidItem: if the values do not fit what is stored now.
        """
        if not _OF_PLACE.isdisjoint(fields):
            await self._move(item_id, fields)
        own = {name: value for name, value in fields.items() if name not in _OF_PLACE | _OF_CREDITS}
        if own:
            found = await self._media.find_items([item_id])
            if not found:
                raise UnknownItem(f"media item {item_id!r} is not stored")
            await self._save(await self._with_fields(found[0], own))
        if not _OF_CREDITS.isdisjoint(fields):
            await self._revert_credits(item_id, fields)

    async def recreate_item(self, item_id: str, image: Fields) -> None:
        """Store an item again that was deleted.

        Args:
            item_id: its id.
            image: everything that was stored of it.

        Raises:
            InvalidItem: if it cannot be stored again under its id.
        """
        source_id, _ = split_id(item_id)
        media_type, remote_id = image.get("media_type"), image.get("remote_id")
        if media_type not in ITEM_MODELS or not isinstance(remote_id, str):
            raise InvalidItem(item_id, "the log does not hold enough of it to store it again")
        if make_id(source_id, remote_id) != item_id:
            raise InvalidItem(
                item_id, "it was deleted, and its key had changed before: it cannot get its id back"
            )
        model = ITEM_MODELS[media_type](remote_id=remote_id, title="", library_id=image.get("library_id"))
        own = {name: value for name, value in image.items() if name not in _OF_PLACE | _OF_CREDITS}
        await self._save(await self._with_fields(model, own))
        await self._revert_credits(item_id, image)
        others = [(item_id, library_id) for library_id in image.get("libraries") or ()]
        await self._media.add_libraries(others)

    async def revert_person(self, person_id: str, fields: Fields) -> None:
        """Give a person earlier values back.

        Raises:
            UnknownItem: if the person is not stored.
        """
        changed = await PeopleRepository(self._session).rewrite(person_id, fields)
        if changed is None:
            raise UnknownItem(f"person {person_id!r} is not stored")
        self._outbox.change_person(*changed)

    async def revert_library(self, library_id: str, fields: Fields) -> None:
        """Give a library an earlier title or kind back."""
        repository = SourceRepository(self._session)
        stored = await repository.find_library(library_id)
        if stored is None:
            return
        values = {name: fields[name] for name in ("title", "kind") if fields.get(name)}
        await repository.upsert_library(stored.model_copy(update=values))
        self._outbox.save_library(stored, await repository.find_library(library_id))

    async def revert_source(self, source_id: str, fields: Fields) -> None:
        """Give a source an earlier name back. Its server stays: it is the one that answers."""
        repository = SourceRepository(self._session)
        stored = await repository.find_source(source_id)
        if stored is None or not fields.get("name"):
            return
        await repository.upsert_source(stored.model_copy(update={"name": fields["name"]}))
        self._outbox.save_source(stored, await repository.find_source(source_id))

    async def _save(self, item: AnyMediaItem) -> None:
        source_id, library_id = item.library_id.partition(":")[0] if item.library_id else "", item.library_id
        normal = normal_item(item, source_id, library_id or "")
        [outcome] = await save_group(self._session, [normal], [self._context], lambda: False)
        if isinstance(outcome, Exception):
            raise outcome

    async def _with_fields(self, item: AnyMediaItem, fields: Fields) -> AnyMediaItem:
        known = type(item).model_fields.keys() - {"parent_id", "ratings"}
        values = {name: value for name, value in fields.items() if name in known}
        for name in _TIMES:
            if f"{name}_at" in fields or f"{name}_text" in fields:
                values[f"{name}_at"] = fields.get(f"{name}_at") or fields.get(f"{name}_text")
        if "ratings" in fields:
            names = ("name", "value", "votes")
            values["ratings"] = [dict(zip(names, rating, strict=True)) for rating in fields["ratings"]]
        if parent_id := fields.get("parent_id"):
            above = await self._media.find_items([parent_id])
            if not above:
                raise InvalidItem(item.id or item.remote_id, f"{parent_id!r}, which stood above it, is gone")
            values["parent_remote_id"] = above[0].remote_id
        document = item.model_dump(exclude={"cast", "crew", "credits", "completeness"})
        return type(item).model_validate({**document, **values})

    async def _move(self, item_id: str, fields: Fields) -> None:
        states = await self._media.find_states([item_id], lock=True)
        if item_id not in states:
            raise UnknownItem(f"media item {item_id!r} is not stored")
        state = states[item_id]
        home = fields.get("library_id") or state.library_id
        recognition = RecognitionRepository(self._session)
        async with self._outbox.comparing([item_id]):
            if "remote_id" in fields:
                key = (item_id, fields["remote_id"], home)
                await recognition.take_over(split_id(item_id)[0], [key])
            elif home != state.library_id:
                await recognition.move([(item_id, home)], [])
            if "libraries" in fields:
                listed = set(fields["libraries"])
                left = [(item_id, one) for one in state.library_ids - listed if one != home]
                await recognition.move([], left)
                await self._media.add_libraries([(item_id, one) for one in sorted(listed - {home})])

    async def _revert_credits(self, item_id: str, fields: Fields) -> None:
        states = await self._media.find_states([item_id], lock=True)
        state = states[item_id]
        lists = await CreditRepository(self._session).find_stored_lists([item_id])
        stored = credits_image(lists[item_id])
        wanted = [list(one) for one in fields.get("credits", stored)]
        completeness = Completeness(fields.get("completeness", state.completeness))
        if completeness is Completeness.NONE:
            if state.completeness is not Completeness.NONE:
                await self._media.delete_media_people(item_id)
                before: dict[str, Any] = {"completeness": state.completeness.value}
                if stored:
                    before["credits"] = stored
                self._outbox.change_item(item_id, before)
                await hide_uncredited(self._session, self._outbox, lists, {item_id: state.key})
            return
        given = normal_credits(item_id, await self._credits(item_id, wanted))
        await replace_credits(self._session, item_id, given, state, self._outbox)
        if completeness is Completeness.PREVIEW:
            await self._media.set_completeness(item_id, completeness)
            self._outbox.change_item(item_id, {"completeness": Completeness.FULL.value})

    async def _credits(self, item_id: str, wanted: Sequence[Sequence[Any]]) -> list[Credit]:
        ids = list(dict.fromkeys(person_id for person_id, _, _ in wanted))
        stored = await PeopleRepository(self._session).find_by_ids(ids)
        people = {person.id: person for person in stored.values()}
        for person_id in ids:
            if person_id not in people:
                name = self._names.get(person_id)
                if name is None:
                    raise InvalidItem(item_id, f"the person {person_id!r} of its credits is no longer known")
                people[person_id] = Person(remote_id=split_id(person_id)[1], name=name)
        return [
            Credit(person=people[person_id], person_type=kind, role=role, sort_order=order)
            for order, (person_id, kind, role) in enumerate(wanted)
        ]
