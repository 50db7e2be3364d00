"""The inbox: what events say has to be looked into, until somebody has looked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import UsageError
from mediasync.hints import DueTarget, Hint, HintKind
from mediasync.ids import check_source_id, make_id
from mediasync.repositories.inbox import InboxRepository, TargetRow
from mediasync.repositories.items import ItemState, MediaRepository
from mediasync.repositories.times import to_datetime
from mediasync.syncing.debounce import (
    MOST_ATTEMPTS,
    MOST_SEARCHES,
    MOST_TARGETS,
    note_event,
    note_failure,
    note_look,
    quiet_ms,
)
from mediasync.text import check_texts
from mediasync.validation import MAX_ID_BYTES

KEY: Final = "key"
PROVIDER: Final = "provider"
SOURCE: Final = "source"

_WHOLE: Final = (SOURCE, "", "")


@dataclass(frozen=True, slots=True)
class Batch:
    """What one worker looks into now.

    Attributes:
        source_id: the source.
        looked_at: when the worker began, in milliseconds since 1970, UTC.
        rows: what it looks into.
        keys: the source's own keys of the items that are read, also of those that provider ids name.
        homes: the full ids of the libraries of stored items, by these keys.
        unknown: the provider ids that no stored item has.
        keys_of: the keys of the stored items that each provider's id names.
    """

    source_id: str
    looked_at: int
    rows: tuple[TargetRow, ...] = ()
    keys: frozenset[str] = frozenset()
    homes: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[TargetRow, ...] = ()
    keys_of: Mapping[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)

    @property
    def whole(self) -> TargetRow | None:
        """The row that asks for a sync of the whole source."""
        return next((row for row in self.rows if row.named_by == SOURCE), None)

    @property
    def item_rows(self) -> tuple[TargetRow, ...]:
        """The rows that name items."""
        return tuple(row for row in self.rows if row.named_by != SOURCE)


@dataclass(slots=True)
class Outcome:
    """What a run of single items could not settle.

    Attributes:
        absent: why items were not read, by the source's own keys.
        undecided: whether items were found that may be stored under other keys, which only a whole listing
            decides.
    """

    absent: dict[str, str] = field(default_factory=dict)
    undecided: bool = False


Dropped = tuple[str, str]
"""The name of a target that is not looked into any more, and the reason."""


class Inbox:
    """The due targets of a mirror.

    Args:
        database: an open database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watchers: list[Callable[[], None]] = []

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have *wake* called after each hint of this process. Return what ends that."""
        self._watchers.append(wake)
        return lambda: self._watchers.remove(wake)

    async def hint(self, source_id: str, hints: Iterable[Hint]) -> int:
        """Note what events say; see `mediasync.MediaSync.hint`."""
        check_source_id(source_id)
        named = [one for hint in hints for one in _named(source_id, hint)]
        if not named:
            return 0

        async def work(session: Session) -> None:
            repository = InboxRepository(session)
            rows = {row.name: row for row in await repository.list_targets(source_id, lock=True)}
            quiet = quiet_ms(len(rows.keys() | {name for name, _, _ in named}))
            for name, kind, wait in named:
                rows[name] = note_event(name, kind, rows.get(name), session.now, wait, quiet)
            if len(rows) > MOST_TARGETS:
                longest = max(row.ripe_at for row in rows.values()) - session.now
                whole = note_event(_WHOLE, HintKind.SOURCE, rows.get(_WHOLE), session.now, longest, quiet)
                await repository.delete_all(source_id)
                rows = {_WHOLE: whole}
                await repository.upsert(source_id, [whole])
            else:
                await repository.upsert(source_id, [rows[name] for name in {name for name, _, _ in named}])

        await self._database.write(work)
        for wake in list(self._watchers):
            wake()
        return len({name for name, _, _ in named})

    async def list_due(self, source_id: str | None = None) -> list[DueTarget]:
        """Return what waits; see `mediasync.MediaSync.list_due`."""
        async with self._database.read(snapshot=True) as session:
            repository = InboxRepository(session)
            sources = await repository.list_sources() if source_id is None else [source_id]
            found = [_due_target(one, row) for one in sources for row in await repository.list_targets(one)]
        return sorted(found, key=lambda due: (due.due_at, due.source_id, due.remote_id, due.provider_id))

    async def find_next(self) -> dict[str, int]:
        """Return when the next target of each source is due, in milliseconds since 1970, UTC."""
        async with self._database.read() as session:
            return await InboxRepository(session).find_next()

    async def take(self, source_id: str, *, everything: bool = False) -> Batch:
        """Return what is to be looked into now. The caller holds the lease of the source.

        If anything is due, everything comes whose wait is over.

        Args:
            source_id: the source.
            everything: also what is not due yet, for a sync of the whole source.
        """
        async with self._database.read(snapshot=True) as session:
            repository = InboxRepository(session)
            rows = await repository.list_targets(source_id)
            now = session.now
            if not everything:
                is_due = any(row.due_at <= now for row in rows)
                rows = [row for row in rows if _is_ripe(row, now)] if is_due else []
            return await _resolved(session, repository, Batch(source_id, now, tuple(rows)))

    async def settle(self, batch: Batch, outcome: Outcome) -> list[Dropped]:
        """Note that the items of a batch were looked into. Return what is given up.

        An item that is stored and that the source did not have is suspected to be removed. So is what only a
        listing decides: the sync of the source is brought forward.
        """
        done: list[TargetRow] = []
        later: list[TargetRow] = []
        dropped: list[Dropped] = []
        needs_sync = outcome.undecided or any(row.kind != HintKind.REMOVED for row in batch.unknown)
        for row in batch.item_rows:
            keys = batch.keys_of.get(row.name, ())
            absent = [key for key in keys if key in outcome.absent]
            if any(key in batch.homes for key in absent):
                needs_sync = True
                done.append(row)
            elif not absent or row.kind == HintKind.REMOVED:
                done.append(row)
            elif row.attempts + 1 >= MOST_SEARCHES:
                done.append(row)
                dropped.append((row.target, outcome.absent[absent[0]]))
            else:
                later.append(row)

        async def work(session: Session) -> None:
            repository = InboxRepository(session)
            await _finish(repository, batch, done)
            await repository.postpone(batch.source_id, [note_failure(row, session.now) for row in later])
            if needs_sync:
                rows = {row.name: row for row in await repository.list_targets(batch.source_id, lock=True)}
                whole = note_event(
                    _WHOLE, HintKind.SOURCE, rows.get(_WHOLE), session.now, 0, quiet_ms(len(rows))
                )
                await repository.upsert(batch.source_id, [whole])

        await self._database.write(work)
        return dropped

    async def settle_all(self, batch: Batch) -> None:
        """Note that a sync of the whole source has looked into a batch."""
        if batch.rows:
            await self._database.write(lambda session: _finish(InboxRepository(session), batch, batch.rows))

    async def fail(self, batch: Batch, rows: Collection[TargetRow], reason: str) -> list[Dropped]:
        """Note that targets could not be looked into. Return those that are given up."""
        if not rows:
            return []
        gone = [row for row in rows if row.attempts + 1 >= MOST_ATTEMPTS]
        later = [row for row in rows if row not in gone]

        async def work(session: Session) -> None:
            repository = InboxRepository(session)
            await repository.delete(batch.source_id, gone)
            await repository.postpone(batch.source_id, [note_failure(row, session.now) for row in later])

        await self._database.write(work)
        return [(row.target or batch.source_id, reason) for row in gone]

    async def put_off(self, source_id: str, row: TargetRow, due_at: int) -> None:
        """Put a target off until *due_at*, in milliseconds since 1970, UTC."""
        await self._database.write(
            lambda session: InboxRepository(session).postpone(source_id, [row._replace(due_at=due_at)])
        )


async def _finish(repository: InboxRepository, batch: Batch, rows: Collection[TargetRow]) -> None:
    left = {row.name: waiting for row in rows if (waiting := note_look(row, batch.looked_at)) is not None}
    await repository.postpone(batch.source_id, list(left.values()))
    await repository.delete(batch.source_id, [row for row in rows if row.name not in left])


def _is_ripe(row: TargetRow, now: int) -> bool:
    """Return whether a target is looked into as soon as any of its source is."""
    # What failed, and the whole source, which is put off on purpose, wait for their own time.
    patient = row.attempts or row.named_by == SOURCE
    return row.due_at <= now if patient else row.ripe_at <= now or row.due_at <= now


async def _resolved(session: Session, repository: InboxRepository, batch: Batch) -> Batch:
    """Return a batch with the keys of its items."""
    ids = {pair for row in batch.rows if row.named_by == PROVIDER for pair in [_pair(row.target)]}
    found = await repository.find_keys(batch.source_id, ids) if ids else {}
    keys_of: dict[tuple[str, str, str], tuple[str, ...]] = {}
    unknown: list[TargetRow] = []
    for row in batch.item_rows:
        if row.named_by == KEY:
            keys_of[row.name] = (row.target,)
            continue
        named = found.get(_pair(row.target), [])
        keys = tuple(key for media_type, key in named if row.media_type in ("", media_type))
        if keys:
            keys_of[row.name] = keys
        else:
            unknown.append(row)
    every_key = frozenset(key for named_keys in keys_of.values() for key in named_keys)
    states: Mapping[str, ItemState] = {}
    current = {make_id(batch.source_id, key): key for key in sorted(every_key)}
    if current:
        states, _ = await MediaRepository(session).find_current_states(list(current))
    homes = {
        current[current_id]: state.library_id
        for current_id, state in states.items()
        if state.library_id and not state.missing
    }
    return Batch(batch.source_id, batch.looked_at, batch.rows, every_key, homes, tuple(unknown), keys_of)


def _pair(provider_id: str) -> tuple[str, str]:
    provider, _, value = provider_id.partition(":")
    return provider, value


def _named(source_id: str, hint: Hint) -> list[tuple[tuple[str, str, str], str, int]]:
    """Return the names of the targets of a hint, each with what it says and how long it waits, in ms.

    Raises:
        UsageError: if an id cannot be one.
    """
    if not 0 <= hint.seconds < 86_400:
        raise UsageError(f"a hint waits {hint.seconds} seconds: write a number from 0 to 86,400, a day")
    wait = round(hint.seconds * 1000)
    if hint.kind is HintKind.SOURCE:
        return [(_WHOLE, hint.kind, wait)]
    names: list[tuple[str, str, str]] = []
    for key in hint.remote_ids:
        check_texts(f"a hint about source {source_id!r}", {"remote_id": key})
        if not key or len(make_id(source_id, key).encode()) > MAX_ID_BYTES:
            raise UsageError(f"{key[:80]!r} cannot be the key of an item: it is empty or too long")
        names.append((KEY, key, ""))
    for provider_id in hint.provider_ids:
        check_texts(f"a hint about source {source_id!r}", {"provider_id": provider_id})
        provider, value = (part.strip() for part in _pair(provider_id))
        if not provider or not value or len(provider_id.encode()) > MAX_ID_BYTES:
            raise UsageError(f"{provider_id[:80]!r} is not an id at a provider: write it like tmdb:603")
        names.append((PROVIDER, f"{provider.lower()}:{value}", hint.media_type))
    return [(name, hint.kind, wait) for name in dict.fromkeys(names)]


def _due_target(source_id: str, row: TargetRow) -> DueTarget:
    return DueTarget(
        source_id,
        HintKind(row.kind),
        row.target if row.named_by == KEY else "",
        row.target if row.named_by == PROVIDER else "",
        _time(row.due_at),
        _time(row.first_at),
        row.attempts,
    )


def _time(milliseconds: int) -> datetime:
    time = to_datetime(milliseconds)
    assert time is not None
    return time
