"""Undoing a run: the inverse of its changes, as a run of its own that can be undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from mediasync.aio import batched, finish
from mediasync.changes import Change, WriteContext
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import DataError, UsageError
from mediasync.inverse import Inverse, InverseKind, invert
from mediasync.models import SyncRun
from mediasync.reports import UndoReport
from mediasync.repositories.changes import ChangeRepository
from mediasync.repositories.items import MediaRepository
from mediasync.repositories.people import PeopleRepository
from mediasync.repositories.runs import RunRepository
from mediasync.saving.missing import bring_back, mark_missing
from mediasync.saving.outbox import Outbox
from mediasync.saving.reverting import Reverting
from mediasync.saving.writer import Writer
from mediasync.services import MediaService
from mediasync.syncing.leases import Leases
from mediasync.syncing.recorder import RunRecorder
from mediasync.syncing.tally import Tally
from mediasync.vocabulary import MEDIA_KINDS, EntityKind, MediaType, RunStatus

_CHANGES_PER_PAGE: Final = 500
_ENTITIES_PER_PAGE: Final = 100
_ALL: Final = 2**62

Key = tuple[EntityKind, str]


@dataclass(slots=True)
class _Undoing:
    """What one undo has found and done so far.

    Attributes:
        run: the run that is undone.
        first: the number of its first change.
        context: why things are written; None in a dry run.
        undone: (id, what was done) of each entity.
        refused: (id, reason) of each entity that was left as it is.
    """

    run: SyncRun
    first: int
    context: WriteContext | None = None
    undone: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


class UndoService:
    """Undoes runs.

    Args:
        database: an open database.
        writer: the task that writes to it.
        media: reads the stored source.
    """

    def __init__(self, database: Database, writer: Writer, media: MediaService) -> None:
        self._database = database
        self._writer = writer
        self._media = media
        self._leases = Leases(database, database.options.lease_seconds)

    async def undo(self, run_id: int, *, dry: bool) -> UndoReport:
        """Undo a run, under the lease of its source; see `mediasync.MediaSync.undo`."""
        undoing = await self._begin(run_id)
        kinds = await self._find_kinds(undoing)
        if dry:
            await self._undo_all(undoing, kinds)
            return UndoReport(run_id, None, tuple(undoing.undone), tuple(undoing.refused))
        async with self._leases.hold(undoing.run.source_id, 0, _tell_nobody) as lease:
            tally = Tally(undoing.run.source_id, _tell_nobody, lease=lease, selection=f"undo {run_id}")
            recorder = RunRecorder(self._writer, self._media)
            await finish(recorder.start(tally))
            undoing.context = WriteContext(tally.run_id, tally.fence, "undo")
            try:
                await self._undo_all(undoing, kinds)
            except BaseException as error:
                await finish(recorder.fail(tally, error))
                raise
            tally.seen = len(undoing.undone) + len(undoing.refused)
            tally.saves.saved = len(undoing.undone)
            tally.unreadable = undoing.refused
            run = await finish(recorder.finish(tally, RunStatus.SUCCEEDED))
        return UndoReport(run_id, run, tuple(undoing.undone), tuple(undoing.refused))

    async def _begin(self, run_id: int) -> _Undoing:
        async with self._database.read(snapshot=True) as session:
            run = await RunRepository(session).find(run_id)
            changes = ChangeRepository(session)
            extent = await changes.find_extent()
            page = await changes.find_page_of_run(run_id, 0, 1)
            kept = await changes.find_time(extent.pruned + 1)
        if run is None:
            raise UsageError(f"there is no run {run_id}")
        if run.status is RunStatus.RUNNING:
            raise UsageError(f"run {run_id} is still running: wait for its end, or cancel it")
        if extent.pruned and (kept is None or run.started_at is None or run.started_at <= kept):
            raise UsageError(
                f"run {run_id} cannot be undone: its first changes are no longer kept in the change log"
            )
        return _Undoing(run, page.first if page else extent.newest + 1)

    async def _find_kinds(self, undoing: _Undoing) -> dict[Key, InverseKind]:
        """Return what is to be done about each entity that the run changed."""
        keys: dict[Key, None] = {}
        after = undoing.first - 1
        async with self._database.read(snapshot=True) as session:
            changes = ChangeRepository(session)
            while page := await changes.find_page_of_run(undoing.run.id, after, _CHANGES_PER_PAGE):
                keys |= dict.fromkeys((change.entity, change.entity_id) for change in page.changes)
                after = page.last
            kinds: dict[Key, InverseKind] = {}
            for some in batched(keys, _ENTITIES_PER_PAGE):
                for key, inverse in (await _invert(session, undoing, some)).items():
                    if inverse.kind is not InverseKind.NOTHING:
                        kinds[key] = inverse.kind
                    elif inverse.refusal:
                        undoing.refused.append((key[1], inverse.refusal))
        return kinds

    async def _undo_all(self, undoing: _Undoing, kinds: Mapping[Key, InverseKind]) -> None:
        """Bring removed items back first, then give values and credits back, and hide added items last."""
        await self._in_pages(undoing, await self._by_level(kinds, InverseKind.SHOW), _show)
        await self._in_pages(undoing, [key for key in kinds if kinds[key] is InverseKind.FIELDS], _give_back)
        added = await self._by_level(kinds, InverseKind.HIDE)
        await self._in_pages(undoing, added[::-1], _hide)

    async def _by_level(self, kinds: Mapping[Key, InverseKind], kind: InverseKind) -> list[Key]:
        """Return the items of one kind, parents before their children."""
        keys = [key for key in kinds if kinds[key] is kind]
        levels: dict[str, int] = {}
        for some in batched(keys, _ENTITIES_PER_PAGE):
            ids = [item_id for _, item_id in some]
            async with self._database.read(snapshot=True) as session:
                states = await MediaRepository(session).find_states(ids)
                levels |= {state.id: MediaType(state.media_type).level for state in states.values()}
                for change in await _changes_of(session, [one for one in ids if one not in states], 0):
                    found = (change.before or {}).get("media_type")
                    if found in MEDIA_KINDS:
                        levels[change.entity_id] = MEDIA_KINDS[found].level
        return sorted(keys, key=lambda key: (levels.get(key[1], 0), key[1]))

    async def _in_pages(self, undoing: _Undoing, keys: Sequence[Key], act: _Act) -> None:
        for page in batched(keys, _ENTITIES_PER_PAGE):
            if undoing.context is None:
                async with self._database.read(snapshot=True) as session:
                    await _undo_page(session, None, undoing=undoing, page=page, act=act)
                continue
            done = len(undoing.undone), len(undoing.refused)
            try:
                await self._record(undoing.context, undoing, page, act)
            except DataError:
                # One of them cannot be stored. Each gets a transaction of its own.
                del undoing.undone[done[0] :], undoing.refused[done[1] :]
                for key in page:
                    try:
                        await self._record(undoing.context, undoing, [key], act)
                    except DataError as error:
                        undoing.refused.append((key[1], str(error)))

    async def _record(self, context: WriteContext, undoing: _Undoing, page: Sequence[Key], act: _Act) -> None:
        await self._writer.record(partial(_undo_page, undoing=undoing, page=page, act=act), context)


async def _undo_page(
    session: Session, outbox: Outbox | None, *, undoing: _Undoing, page: Sequence[Key], act: _Act
) -> None:
    """Undo what the run did to some entities, as far as nobody has changed them since."""
    inverses = await _invert(session, undoing, page)
    allowed = {key: inverse for key, inverse in inverses.items() if not inverse.refusal}
    undoing.refused += [(key[1], one.refusal) for key, one in inverses.items() if one.refusal]
    if outbox is None:
        undoing.undone += [(key[1], _DONE[inverse.kind]) for key, inverse in allowed.items()]
    elif allowed:
        await act(_Page(session, outbox, undoing), allowed)


async def _invert(session: Session, undoing: _Undoing, keys: Sequence[Key]) -> dict[Key, Inverse]:
    """Return the inverse of what the run did to each of some entities, by what is logged now."""
    found: dict[Key, list[Change]] = {key: [] for key in keys}
    for change in await _changes_of(session, [entity_id for _, entity_id in keys], undoing.first - 1):
        key = change.entity, change.entity_id
        if key in found and (found[key] or change.run_id == undoing.run.id):
            found[key].append(change)
    return {key: invert(undoing.run.id, changes) for key, changes in found.items() if changes}


async def _changes_of(session: Session, ids: Sequence[str], after: int) -> Sequence[Change]:
    if not ids:
        return ()
    page = await ChangeRepository(session).find_page_of_entities(sorted(set(ids)), after, _ALL)
    return page.changes if page else ()


_DONE: Final = {
    InverseKind.SHOW: "back",
    InverseKind.FIELDS: "changed back",
    InverseKind.HIDE: "removed",
}


@dataclass(slots=True)
class _Page:
    """One transaction of an undo."""

    session: Session
    outbox: Outbox
    undoing: _Undoing

    def note(self, entity_id: str, kind: InverseKind) -> None:
        self.undoing.undone.append((entity_id, _DONE[kind]))

    def refuse(self, entity_id: str, reason: str) -> None:
        self.undoing.refused.append((entity_id, reason))

    async def reverting(self, inverses: Mapping[Key, Inverse]) -> Reverting:
        """Return what gives earlier values back, with the names of people who may no longer be stored."""
        ids = {one[0] for inverse in inverses.values() for one in inverse.fields.get("credits") or ()}
        names = {
            change.entity_id: change.before["name"]
            for change in await _changes_of(self.session, list(ids), 0)
            if change.before and isinstance(change.before.get("name"), str)
        }
        return Reverting(self.session, self.outbox, self.undoing.context or WriteContext(), names)


_Act = Callable[[_Page, Mapping[Key, Inverse]], Awaitable[None]]


async def _show(page: _Page, inverses: Mapping[Key, Inverse]) -> None:
    ids = [item_id for _, item_id in inverses]
    states = await MediaRepository(page.session).find_states(ids, lock=True)
    back = await bring_back(page.session, page.outbox, [one for one in ids if one in states])
    await PeopleRepository(page.session).show_people_of(back)
    reverting = await page.reverting(inverses)
    for (_, item_id), inverse in inverses.items():
        try:
            if item_id not in states:
                await reverting.recreate_item(item_id, inverse.fields)
        except UsageError as error:
            page.refuse(item_id, str(error))
        else:
            page.note(item_id, InverseKind.SHOW)


async def _give_back(page: _Page, inverses: Mapping[Key, Inverse]) -> None:
    reverting = await page.reverting(inverses)
    revert = {
        EntityKind.ITEM: reverting.revert_item,
        EntityKind.PERSON: reverting.revert_person,
        EntityKind.LIBRARY: reverting.revert_library,
        EntityKind.SOURCE: reverting.revert_source,
    }
    for (entity, entity_id), inverse in inverses.items():
        try:
            await revert[entity](entity_id, inverse.fields)
        except UsageError as error:
            page.refuse(entity_id, str(error))
        else:
            page.note(entity_id, InverseKind.FIELDS)


async def _hide(page: _Page, inverses: Mapping[Key, Inverse]) -> None:
    ids = [item_id for _, item_id in inverses]
    run_id = page.undoing.context.run_id if page.undoing.context else None
    marked = set(await mark_missing(page.session, page.outbox, ids, run_id))
    for item_id in ids:
        if item_id in marked:
            page.note(item_id, InverseKind.HIDE)
        else:
            page.refuse(item_id, "items below it, which others added, are still there")


def _tell_nobody(_: object) -> None:
    return
