"""The writer: it commits waiting saves together, and answers each caller after the commit."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar, cast

from mediasync.aio import Signal, finish
from mediasync.changes import API, Fence, WriteContext
from mediasync.database.database import Database
from mediasync.database.session import Session
from mediasync.errors import (
    CommitUnknown,
    DatabaseError,
    DatabaseUnreachable,
    DataError,
    LeaseLost,
    LifecycleError,
    UnknownParent,
    UsageError,
)
from mediasync.garbage import deferred
from mediasync.reports import SaveResult, SaveStatus
from mediasync.repositories.leases import LeaseRepository
from mediasync.rows import NormalItem, PersonRow, merge_people
from mediasync.saving.outbox import Outbox
from mediasync.saving.plan import find_stored
from mediasync.saving.store import CREDITS_PER_PART, ITEMS_PER_PART, Outcome, end_of_part, save_group

_log: Final = logging.getLogger("mediasync.saving")

T = TypeVar("T")

MAX_GROUP_ITEMS: Final = 3_000
MAX_GROUP_CREDITS: Final = 60_000
MAX_GROUP_SECONDS: Final = 0.5
"""A transaction that takes longer is committed with the items saved so far; the rest makes the next one."""

_BULK_ITEMS: Final = 100
"""A group of so many saves is a bulk save, whoever asked for them."""

_MAX_GATHERING_SECONDS: Final = 0.02
_ANSWERS_PER_TURN: Final = 500


@dataclass(slots=True, eq=False)
class Save:
    """One item that waits to be saved.

    Attributes:
        item: the item in normal form.
        done: called once: with the result after the commit, or with the error.
        context: why it is saved.
        abandoned: whether its caller has stopped waiting. A save that has not begun is then dropped.
        answered: whether ``done`` was called.
    """

    item: NormalItem
    done: Callable[[Save, SaveResult | Exception], None]
    context: WriteContext = API
    abandoned: bool = False
    answered: bool = False

    def answer(self, outcome: SaveResult | Exception) -> None:
        """Call ``done`` with the outcome, unless it was called before."""
        if not self.answered:
            self.answered = True
            self.done(self, outcome)


@dataclass(slots=True, eq=False)
class _Operation:
    work: Callable[[Session], Awaitable[Any]]
    future: asyncio.Future[Any]


class Claimed:
    """The claims that a group of saves makes about people.

    They are collected when they are first asked for: most groups end before another one is taken.

    Args:
        group: saves that are written together, or that wait. More may come at its end.
    """

    def __init__(self, group: list[Save]) -> None:
        self.group = group
        self._collected = 0
        self._rows: dict[str, PersonRow | None] = {}
        self._names: dict[str, str] = {}
        self._identified: set[str] = set()

    def _collect(self) -> None:
        for save in self.group[self._collected :]:
            self._add(save.item)
        self._collected = len(self.group)

    def _add(self, item: NormalItem) -> None:
        rows = self._rows
        for credit in item.credits:
            row = credit[:4]
            known = rows.setdefault(row[0], row)
            if known is not row and known is not None and known != row:
                rows[row[0]] = merge_people(known, row) if _agree(known, row) else None
        for person_id, name in item.derived.items():
            if self._names.setdefault(name, person_id) != person_id:
                self._names[name] = ""  # two people share the name, so any third differs from one of them
            if person_id != name:
                self._identified.add(person_id.partition(":")[0])

    def precedes(self, item: NormalItem) -> bool:
        """Return whether *item* must wait until the people of the group are stored.

        That is so if both name people by provider ids, because the source has no ids for them.
        """
        self._collect()
        return any(
            person_id != name and person_id.partition(":")[0] in self._identified
            for person_id, name in (item.derived.items() if self._identified else ())
        )

    def differs_from(self, item: NormalItem) -> bool:
        """Return whether *item* contradicts the group about any person, so that their order matters."""
        self._collect()
        names = self._names
        if names and any(names.get(name, known) != known for known, name in item.derived.items()):
            return True
        rows = self._rows
        if not rows:
            return False
        for credit in item.credits:
            if credit[0] in rows:
                known = rows[credit[0]]
                if known is None or (known != credit[:4] and not _agree(known, credit[:4])):
                    return True
        return False


def _agree(first: PersonRow, second: PersonRow) -> bool:
    return all(one == other or not one or not other for one, other in zip(first, second, strict=True))


class Writer:
    """Takes saves and other writes in turn, and commits waiting saves as one transaction.

    It runs in tasks of its own, so a cancelled caller disturbs nobody's transaction. A save that comes when
    nothing else waits is committed at once. Saves that come while a transaction runs make the next one. When
    the database refuses the data of a group, the group is split until the refused item stands alone. When
    the connection, the disk or the server fails, the whole group fails.

    Args:
        database: an open database.

    Attributes:
        committed: set after each commit.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Save | _Operation] = deque()
        self._wake = asyncio.Event()
        self._gathering = asyncio.Lock()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._under_way: set[str] = set()
        self._claimed: list[Claimed] = []
        self._ended_tasks = 0
        self._groups = 0
        self._alone = False
        self._holds = 0
        self.committed = Signal()

    @property
    def keep_changes(self) -> float:
        """For how many days changes are kept in the change log."""
        return self._database.options.keep_changes

    @property
    def keep_removed(self) -> float:
        """For how many days removed items are kept."""
        return self._database.options.keep_removed

    @property
    def waiting(self) -> int:
        """How many saves and other writes wait for their turn."""
        return len(self._waiting)

    async def give_way(self) -> None:
        """Let threads and other tasks go on. Work that computes in the event loop calls it now and then."""
        await self._database.give_way()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Accept writes and begin none of them until the block ends."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            self._wake.set()

    def start(self) -> None:
        """Start one task for each transaction that can run at the same time."""
        self._tasks = [
            asyncio.create_task(self._run(), name=f"mediasync writer {number}")
            for number in range(1, self._database.writers + 1)
        ]

    async def close(self, patience: float) -> None:
        """Refuse new writes, go on with accepted ones for *patience* seconds, and fail the rest."""
        if not self._tasks:
            return
        self._closing = True
        self._wake.set()
        await finish(self._stop(patience))

    async def _stop(self, patience: float) -> None:
        _, late = await asyncio.wait(self._tasks, timeout=patience)
        if late:
            self._database.give_up_waiting()
            for task in late:
                task.cancel()
            await asyncio.wait(late)
        for task in self._tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def submit(self, save: Save) -> None:
        """Accept one item; its ``done`` is called later.

        Raises:
            LifecycleError: if the writer is being closed, or the database is not open.
        """
        self._accept(save)

    async def save(self, item: NormalItem, context: WriteContext = API) -> SaveResult:
        """Save one item, and return after its commit.

        Cancelled, the item is wholly saved or not at all.

        Raises:
            LifecycleError, InvalidItem, DatabaseError: why it is not saved.
        """
        future: asyncio.Future[SaveResult] = asyncio.get_running_loop().create_future()

        def done(_: Save, outcome: SaveResult | Exception) -> None:
            if future.done():
                return
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        save = Save(item, done, context)
        self._accept(save)
        try:
            return await future
        except asyncio.CancelledError:
            save.abandoned = True
            raise

    async def run(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run *work* in a transaction of its own, in turn with the saves, and return what it returns."""
        operation = _Operation(work, asyncio.get_running_loop().create_future())
        self._accept(operation)
        result: T = await operation.future
        return result

    async def record(self, work: Callable[[Session, Outbox], Awaitable[T]], context: WriteContext = API) -> T:
        """Run *work* as `run` does, and log the changes that it puts into its outbox.

        Args:
            work: changes what the public views show.
            context: why.

        Raises:
            LeaseLost: if the lease of the context has ended; nothing is written.
        """

        async def recorded(session: Session) -> T:
            if context.fence is not None:
                await LeaseRepository(session).require(context.fence)
            outbox = Outbox(session, context)
            result = await work(session, outbox)
            await outbox.write()
            return result

        return await self.run(recorded)

    def _accept(self, job: Save | _Operation) -> None:
        self._database.check_open()
        if self._closing or not self._tasks or self._ended_tasks:
            raise LifecycleError("the database is being closed: nothing more is saved")
        self._waiting.append(job)
        self._wake.set()

    async def _run(self) -> None:
        try:
            while True:
                # One at a time: another one that took saves meanwhile would end the gathering with a few.
                async with self._gathering:
                    await self._gather()
                    job = self._next()
                if job is None:
                    if self._closing and not self._waiting:
                        return
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                try:
                    if isinstance(job, _Operation):
                        await self._operate(job)
                    else:
                        with deferred() if len(job) >= _BULK_ITEMS else nullcontext():
                            await self._commit(job)
                finally:
                    self._ended(job)
        except asyncio.CancelledError:
            if not self._closing:
                # Only the end of the event loop cancels this task: then nobody else closes what it uses, and
                # the threads of open connections would keep the interpreter from ending.
                await finish(self._database.close())
            raise
        finally:
            self._ended_tasks += 1
            self._fail_waiting()

    async def _gather(self) -> None:
        """Wait a moment for more saves, as long as they keep coming."""
        clock = asyncio.get_running_loop().time
        end = clock() + _MAX_GATHERING_SECONDS
        waiting = 0
        while waiting < len(self._waiting) < ITEMS_PER_PART and isinstance(self._waiting[0], Save):
            waiting = len(self._waiting)
            await asyncio.sleep(0)
            if clock() > end:
                break

    def _next(self) -> _Operation | list[Save] | None:
        """Take the next job: a group of saves or, if nothing else is being written, an operation."""
        while self._waiting and isinstance(save := self._waiting[0], Save) and save.abandoned:
            self._waiting.popleft()
            save.answer(_given_up())
        if not self._waiting or self._alone or self._holds:
            return None
        if isinstance(self._waiting[0], _Operation):
            if self._groups:
                return None
            self._alone = True
            return cast(_Operation, self._waiting.popleft())
        group = self._take_group()
        if not group:
            return None
        self._groups += 1
        self._under_way.update(save.item.id for save in group)
        if self._database.writers > 1:
            self._claimed.append(Claimed(group))
        return group

    def _ended(self, job: _Operation | list[Save]) -> None:
        if isinstance(job, _Operation):
            self._alone = False
        else:
            self._groups -= 1
            self._under_way.difference_update(save.item.id for save in job)
            self._claimed = [claimed for claimed in self._claimed if claimed.group is not job]
        self._wake.set()

    def _fail_waiting(self) -> None:
        error = LifecycleError("the database was closed before this was saved; nothing of it is stored")
        while self._waiting:
            job = self._waiting.popleft()
            if isinstance(job, Save):
                job.answer(error)
            elif not job.future.done():
                job.future.set_exception(error)

    async def _operate(self, operation: Any) -> None:
        if operation.future.cancelled():
            return
        try:
            result = await self._database.write(operation.work)
            self.committed.set()
        except Exception as error:
            if not operation.future.done():
                operation.future.set_exception(error)
        except BaseException:
            if not operation.future.done():
                operation.future.set_exception(_closed_meanwhile())
            raise
        else:
            if not operation.future.done():
                operation.future.set_result(result)

    def _take_group(self) -> list[Save]:
        """Take waiting saves of different ids, in turn.

        A second save of an id waits for the first, and a child waits for its parent. So does a save that
        contradicts an earlier one about a person: the order of writing decides which claim is stored, and it
        must be the order in which the saves came.

        Take at most half of a long queue: while this group commits, the rest and the callers' next items form
        the next group.

        Where other transactions write at the same time, a group is one part. Its transaction then locks items
        first and people after them, each in one order, and new people only briefly. With several parts it
        would lock items again after people, and two transactions could deadlock.
        """
        waiting = len(self._waiting)
        if self._database.has_concurrent_writers:
            largest, most_credits = ITEMS_PER_PART, CREDITS_PER_PART
        else:
            largest, most_credits = MAX_GROUP_ITEMS, MAX_GROUP_CREDITS
        most = largest if waiting >= largest else max(ITEMS_PER_PART, waiting // 2)
        group: dict[str, Save] = {}
        later: list[Save] = []
        held = set(self._under_way)
        put_off = Claimed(later)
        claimed = [*self._claimed, put_off]
        number_of_credits = 0
        while self._waiting and len(group) < most and number_of_credits < most_credits:
            job = self._waiting[0]
            if isinstance(job, _Operation):
                break
            self._waiting.popleft()
            if job.abandoned:
                job.answer(_given_up())
                continue
            beside = claimed if self._claimed or later else ()
            if beside and any(other.precedes(job.item) for other in beside):
                self._waiting.appendleft(job)
                break
            if (
                job.item.id in group
                or job.item.id in held
                or job.item.parent_id in held
                or (beside and any(other.differs_from(job.item) for other in beside))
            ):
                held.add(job.item.id)
                later.append(job)
                continue
            group[job.item.id] = job
            number_of_credits += len(job.item.credits)
        self._waiting.extendleft(reversed(later))
        return list(group.values())

    async def _commit(self, group: list[Save]) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            changed = await self._without_stored(group)
            if changed:
                await self._write(changed)
            _log.debug(
                "a group of %d items, %d of them new or changed: %.3f s",
                len(group),
                len(changed),
                clock() - began,
            )
        except Exception as error:
            _answer(group, error)
        except BaseException:
            _answer(group, _closed_meanwhile())
            raise

    async def _without_stored(self, group: list[Save]) -> list[Save]:
        """Answer the saves of unchanged items. They need this read, and no transaction."""
        changed = []
        items = [save.item for save in group]
        start = 0
        while start < len(items):
            end = end_of_part(items, start)
            if start:
                await self._database.give_way()
            async with self._database.read() as session:
                stored = await find_stored(session, items[start:end])
            part, start = group[start:end], end
            for save in part:
                if save.item.id in stored:
                    save.item.stored_id = stored[save.item.id]
                    _succeed(save, SaveStatus.UNCHANGED)
                else:
                    changed.append(save)
        return changed

    async def _write(self, group: list[Save]) -> None:
        while group:
            try:
                outcomes = await self._database.write(partial(_save, group=group))
                self.committed.set()
            except _LeasesEnded as ended:
                for save in group:
                    if (fence := save.context.fence) is not None and fence in ended.fences:
                        save.answer(LeaseLost(fence.source_id))
                group = [save for save in group if not save.answered]
            except (DataError, UsageError) as error:
                if len(group) == 1:
                    group[0].answer(error)
                    return
                middle = len(group) // 2
                await self._write(group[:middle])
                group = group[middle:]
            except CommitUnknown as error:
                group = await self._look(group, error)
            except DatabaseError as error:
                _answer(group, error)
                return
            else:
                parents = {save.item.id for save in group[len(outcomes) :]}
                again = []
                for number, (save, outcome) in enumerate(zip(group, outcomes, strict=False), start=1):
                    if number % _ANSWERS_PER_TURN == 0:
                        await self._database.give_way()
                    if isinstance(outcome, UnknownParent) and save.item.parent_id in parents:
                        again.append(save)
                    elif isinstance(outcome, Exception):
                        save.answer(outcome)
                    else:
                        _succeed(save, SaveStatus.SAVED if outcome else SaveStatus.UNCHANGED)
                group = group[len(outcomes) :] + again

    async def _look(self, group: list[Save], error: CommitUnknown) -> list[Save]:
        """Read whether a commit took effect whose answer was lost, and answer the saves that did.

        Returns:
            The saves that are not stored. Saving them again is safe even if the server is still committing:
            the second save waits for the commit, finds the item stored, and writes nothing.
        """
        clock = asyncio.get_running_loop().time
        deadline, pause = clock() + self._database.options.lock_timeout, 0.05
        while True:
            try:
                async with self._database.read() as session:
                    stored = await find_stored(session, [save.item for save in group])
            except (DatabaseError, LifecycleError) as failure:
                if clock() > deadline or not isinstance(failure, DatabaseUnreachable):
                    _answer(group, error)
                    return []
                await asyncio.sleep(pause)
                pause = min(2 * pause, 1.0)
            else:
                break
        missing = []
        for save in group:
            if save.item.id in stored:
                self.committed.set()
                save.item.stored_id = stored[save.item.id]
                _succeed(save, SaveStatus.SAVED)
            else:
                missing.append(save)
        return missing


def _answer(group: list[Save], error: Exception) -> None:
    for save in group:
        save.answer(error)


def _given_up() -> LifecycleError:
    return LifecycleError("the save was given up before it was begun; nothing of it is stored")


def _closed_meanwhile() -> LifecycleError:
    return LifecycleError("the database was closed while this was saved; look whether it is stored")


class _LeasesEnded(Exception):
    """Leases under which a group would have been written have ended."""

    def __init__(self, fences: set[Fence]) -> None:
        super().__init__(fences)
        self.fences = fences


async def _save(session: Session, group: list[Save]) -> list[Outcome]:
    fences = {save.context.fence for save in group if save.context.fence is not None}
    if fences and (ended := await LeaseRepository(session).keep(fences)):
        raise _LeasesEnded(ended)
    clock = asyncio.get_running_loop().time
    end = clock() + MAX_GROUP_SECONDS
    items, contexts = [save.item for save in group], [save.context for save in group]
    return await save_group(session, items, contexts, lambda: clock() > end)


def _succeed(save: Save, status: SaveStatus) -> None:
    item = save.item
    save.answer(SaveResult(item.stored_id or item.id, status, tuple(item.problems), item.repeats))
