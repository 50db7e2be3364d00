"""The safeguards of a sync, each with a way to switch it off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from unittest import mock

from mediasync.database.database import Database
from mediasync.database.sqlite.connection import SQLiteConnection, WriterCache
from mediasync.database.sqlite.engine import SQLiteEngine
from mediasync.reports import SaveStatus
from mediasync.repositories.changes import ChangeRepository
from mediasync.repositories.leases import LeaseRepository
from mediasync.repositories.people import PeopleRepository
from mediasync.repositories.recognition import RecognitionRepository
from mediasync.repositories.sources import SourceRepository
from mediasync.saving import plan, store, writer
from mediasync.saving.outbox import Outbox
from mediasync.saving.writer import Save, Writer
from mediasync.syncing.leases import Leases
from mediasync.syncing.reader import Reading
from mediasync.syncing.recognition import Recognition
from mediasync.syncing.recorder import RunRecorder
from mediasync.syncing.removal import _Candidates
from mediasync.syncing.tally import LibraryTally, Tally
from mediasync.vocabulary import Completeness


@dataclass(frozen=True)
class Safeguard:
    """What keeps a promise.

    Attributes:
        name: as the docs name it.
        off: a context in which it does not work.
    """

    name: str
    off: Callable[[], Any]


def _instead(owner: Any, name: str, made: Callable[[Any], Any]) -> Any:
    """Return a context in which a method is replaced by what *made* makes of it."""
    return mock.patch.object(owner, name, made(getattr(owner, name)))


# Leases


def without_fence_check() -> Any:
    async def keep(_self: LeaseRepository, _fences: Any) -> set[Any]:
        return set()

    return mock.patch.object(LeaseRepository, "keep", keep)


def without_lease_check() -> Any:
    def made(take: Any) -> Any:
        async def take_anyhow(self: Any, source_id: str, holder: str, duration: int, _: Any) -> Any:
            return await take(self, source_id, holder, duration, lambda _: True)

        return take_anyhow

    return _instead(LeaseRepository, "take", made)


def without_renewal() -> Any:
    async def never(_self: Leases, _lease: Any) -> None:
        await asyncio.get_running_loop().create_future()

    return mock.patch.object(Leases, "_renew", never)


# Answers and order


def answering_before_the_commit() -> Any:
    def made(write: Any) -> Any:
        async def answer_first(self: Writer, group: list[Save]) -> None:
            for save in group:
                writer._succeed(save, SaveStatus.SAVED)
            await write(self, group)

        return answer_first

    return _instead(Writer, "_write", made)


def without_looking_after_an_unknown_commit() -> Any:
    async def believe(_self: Writer, group: list[Save], _error: Any) -> list[Save]:
        for save in group:
            writer._succeed(save, SaveStatus.SAVED)
        return []

    return mock.patch.object(Writer, "_look", believe)


def without_order_of_one_item() -> Any:
    def made(take_group: Any) -> Any:
        def newest_first(self: Writer) -> list[Save]:
            saves = [job for job in self._waiting if isinstance(job, Save)]
            if len(saves) == len(self._waiting):
                self._waiting.reverse()
            return take_group(self)

        return newest_first

    return _instead(Writer, "_take_group", made)


# What is written together


def without_rollback() -> Any:
    async def commit(_self: SQLiteEngine, connection: SQLiteConnection) -> None:
        if await connection.settled():
            await connection.run("COMMIT")

    return mock.patch.object(SQLiteEngine, "_roll_back", commit)


@contextmanager
def with_log_of_its_own() -> Iterator[None]:
    """Write the log of each transaction in another one that follows it."""
    write = Database.write

    async def put_off(self: Outbox) -> None:
        session = self._repository._session
        session.put_off = [*getattr(session, "put_off", ()), *self._changes]  # type: ignore[attr-defined]
        self._changes = []

    async def write_both(self: Database, work: Any) -> Any:
        sessions: list[Any] = []

        async def noted(session: Any) -> Any:
            sessions[:] = [session]
            return await work(session)

        result = await write(self, noted)
        if changes := [change for session in sessions for change in getattr(session, "put_off", ())]:
            await write(self, lambda session: ChangeRepository(session).append(changes))
        return result

    with mock.patch.object(Outbox, "write", put_off), mock.patch.object(Database, "write", write_both):
        yield


@contextmanager
def hiding_people_later() -> Iterator[None]:
    """Hide people whose last credit is gone in another transaction that follows."""
    write, note_removed = Database.write, PeopleRepository.note_removed

    async def put_off(self: PeopleRepository, removed: Any) -> list[Any]:
        self._session.removed = [*getattr(self._session, "removed", ()), *removed]  # type: ignore[attr-defined]
        return []

    async def write_both(self: Database, work: Any) -> Any:
        sessions: list[Any] = []

        async def noted(session: Any) -> Any:
            sessions[:] = [session]
            return await work(session)

        async def hide(session: Any) -> None:
            outbox = Outbox(session)
            for person in await note_removed(PeopleRepository(session), removed):
                outbox.remove_person(person.row)
            await outbox.write()

        result = await write(self, noted)
        if removed := [one for session in sessions for one in getattr(session, "removed", ())]:
            await write(self, hide)
        return result

    with (
        mock.patch.object(PeopleRepository, "note_removed", put_off),
        mock.patch.object(Database, "write", write_both),
    ):
        yield


def with_tokens_before_items() -> Any:
    def made(write: Any) -> Any:
        async def tokens_first(self: Writer, group: list[Save]) -> None:
            rows = [(save.item.stored_id or save.item.id, save.item.change_token) for save in group]
            sql = """
                UPDATE media_item SET change_token = r.token FROM @rows(:rows, id text, token text) r
                WHERE media_item.id = r.id
            """
            await self._database.write(lambda session: session.execute(sql, {"rows": rows}))
            await write(self, group)

        return tokens_first

    return _instead(Writer, "_write", made)


def with_watermark_before_data() -> Any:
    async def store_watermark(tally: Tally, session: Any) -> None:
        await SourceRepository(session).set_watermark(tally.source_id, tally.watermark)

    def made(items: Any) -> Any:
        async def watermark_first(self: Reading) -> AsyncGenerator[Any, None]:
            async for item in items(self):
                await self._stored.database.write(partial(store_watermark, self._tally))
                yield item

        return watermark_first

    return _instead(Reading, "items", made)


def with_watermark_of_any_run() -> Any:
    def made(finish: Any) -> Any:
        async def always(
            self: RunRecorder, tally: Tally, status: Any, error: Any = None, watermark: str = "", **more: Any
        ) -> Any:
            return await finish(self, tally, status, error, watermark or tally.watermark, **more)

        return always

    return _instead(RunRecorder, "finish", made)


# What is believed


@contextmanager
def with_previews_as_lists() -> Iterator[None]:
    """Let a preview replace a full list."""
    make_plan = plan.make_plan

    def replacing(item: Any, state: Any) -> Any:
        if state is not None and item.completeness is Completeness.PREVIEW:
            state = state._replace(completeness=Completeness.PREVIEW)
        return make_plan(item, state)

    with mock.patch.object(plan, "make_plan", replacing), mock.patch.object(store, "make_plan", replacing):
        yield


def with_recognition_at_sight() -> Any:
    def made(sort: Any) -> Any:
        async def at_once(self: Recognition, page: Any, library_id: str, stored: Any) -> Any:
            items = list(page)
            ready = await sort(self, items, library_id, stored)
            waiting = [item for item in items if item not in ready]
            evidence = [self._present_evidence(item, library_id) for item in waiting]
            async with self._database.read(snapshot=True) as session:
                found = await RecognitionRepository(session).find_matches(self._source_id, evidence)
            taken = {match.place: match.item_id for match in found}
            if taken:
                await self._sink.take_over(
                    [(item_id, waiting[place].remote_id, library_id) for place, item_id in taken.items()]
                )
            return ready

        return at_once

    return _instead(Recognition, "_sort", made)


def without_guard() -> Any:
    return mock.patch.object(_Candidates, "reason", return_value="")


def believing_every_listing() -> Any:
    return mock.patch.object(LibraryTally, "is_complete", True)


def without_counting() -> Any:
    return mock.patch.object(LibraryTally, "is_complete", property(lambda self: self.enumerated.complete))


# SQLite


def keeping_the_cache() -> Any:
    """Keep what the writer remembers, whatever was rolled back or written by others."""
    return mock.patch.object(WriterCache, "clear")


def taking_the_lock_late() -> Any:
    def made(run: Any) -> Any:
        async def deferred(self: SQLiteConnection, sql: str, params: Any = None) -> int:
            return await run(self, "BEGIN" if sql == "BEGIN IMMEDIATE" else sql, params)

        return deferred

    return _instead(SQLiteConnection, "run", made)


SAFEGUARDS: Final = [
    Safeguard("each write checks the number of its lease", without_fence_check),
    Safeguard("a lease that is held is not given away", without_lease_check),
    Safeguard("a lease is renewed while its run lasts", without_renewal),
    Safeguard("a save is answered after its commit", answering_before_the_commit),
    Safeguard("a commit whose answer was lost is looked up", without_looking_after_an_unknown_commit),
    Safeguard("saves of one item keep their order", without_order_of_one_item),
    Safeguard("a transaction that fails is rolled back", without_rollback),
    Safeguard("changes are logged in the transaction that makes them", with_log_of_its_own),
    Safeguard("people are hidden in the transaction that takes their last credit", hiding_people_later),
    Safeguard("change tokens are committed with their items", with_tokens_before_items),
    Safeguard("a watermark is committed after its data", with_watermark_before_data),
    Safeguard("only a run without gaps stores a watermark", with_watermark_of_any_run),
    Safeguard("a preview never replaces a full list", with_previews_as_lists),
    Safeguard("items are recognised after everything was listed", with_recognition_at_sight),
    Safeguard("only a complete listing removes items", believing_every_listing),
    Safeguard("a listing that is shorter than its count removes nothing", without_counting),
    Safeguard("a library that suddenly lists nothing removes nothing", without_guard),
    Safeguard("the writer forgets what was rolled back, or changed by others", keeping_the_cache),
    Safeguard("a transaction takes the write lock when it begins", taking_the_lock_late),
]
