"""One history: workers sync sources that change, and are paused, killed, cancelled and cut off meanwhile."""

from __future__ import annotations

import asyncio
import gc
import random as global_random
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from math import inf
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest import mock

from simulation.content import Seen
from simulation.driver import Driver
from simulation.loop import MOST_STEPS, PROCESS, WORLD, Process, SimulatedLoop
from simulation.observer import Observer
from simulation.served import KINDS, Served
from simulation.shelf import REFUSED, Shelf, ShelfBackend

from mediasync import Library, MediaSync, RunStatus, Source
from mediasync.backends.base import Backend
from mediasync.database.sqlite import connection
from mediasync.errors import CommitUnknown, DatabaseError, LeaseLost, MediaSyncError, SourceError, SourceHeld
from mediasync.syncing import leases
from mediasync.testing import make_movie

START: Final = 1_700_000_000_000
LEASE_SECONDS: Final = 0.4
API_LIBRARY: Final = {"source_id": "api", "library_id": "notes"}

# What is written after 'refused' stands in a credit has to be refused by the database itself.
_REFUSE: Final = f"""
CREATE TRIGGER refuse AFTER INSERT ON credit WHEN NEW.role = '{REFUSED}'
BEGIN SELECT RAISE(ABORT, 'refused'); END
"""

# How often each of them happens, in relation to the others. A history has only about half of the
# disturbances: where everything is disturbed, hardly any sync succeeds.
_EVENTS: Final = {"change": 9, "pause": 3, "kill": 1, "cancel": 2, "commit": 3, "statement": 1}


@dataclass(eq=False)
class Worker:
    """A process with a mirror of its own.

    Attributes:
        process: what runs it.
        random: decides what it does.
        over: done when it has ended, or was killed.
        syncs: its syncs that run.
        seen: what the latest run of each source was shown.
        at_work: the names under which it holds leases.
        found_dead: whether others can tell that it was killed.
        fault: what happens to one of its next statements, and after how many.
    """

    process: Process
    random: Random
    over: asyncio.Future[None]
    syncs: set[asyncio.Future[Any]] = field(default_factory=set)
    seen: dict[str, Seen] = field(default_factory=dict)
    at_work: set[str] = field(default_factory=set)
    found_dead: bool = False
    fault: tuple[str, int] | None = None

    def note_seen(self, backend: Backend) -> None:
        """Note what a sync is shown that begins now, if the backend tells it."""
        self.seen.pop(backend.source.id, None)
        if isinstance(backend, ShelfBackend):
            self.seen[backend.source.id] = backend.seen


class History:
    """Runs what follows from a seed.

    Args:
        seed: decides everything.
        folder: where the database is put.

    Attributes:
        told: what happened, line by line, each with its time.
        trace: a digest of everything that ran, when it is over.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        self.file = folder / "media.db"
        self.file.write_bytes(_template())
        self.random = Random(f"{seed} events")
        self.loop = SimulatedLoop(seed)
        self.told: list[str] = []
        self.trace = ""
        self.sources: list[Shelf | Served] = [Shelf("one", Random(f"{seed} one"))]
        self._events = {
            event: weight
            for event, weight in _EVENTS.items()
            if event == "change" or self.random.random() < 0.5
        }
        self._per_second = self.random.uniform(4, 16)
        self._troubled = self.random.random() * 0.7
        second, kind = self.random.random(), self.random.choice(KINDS)
        if second < 0.25:
            self.sources.append(Shelf("two", Random(f"{seed} two")))
        elif second < 0.5:
            self.sources.append(Served("two", Random(f"{seed} two"), kind))
        self.driver = Driver(self)
        self.observer = Observer(
            self.file, self.now, self.has_ended, {source.id: source.lists for source in self.sources}
        )
        self.workers: list[Worker] = []
        self.excuses = 0
        """How often something happened for which a sync may lose its lease or its database."""
        self._seed = seed
        self._names = 0
        self._saves = 0
        self._held: dict[str, Worker] = {}

    def now(self) -> int:
        """Return the time by the clock of all hosts, in milliseconds since 1970."""
        return START + int(self.loop.time() * 1000)

    def tell(self, text: str) -> None:
        self.told.append(f"{self.loop.time():9.4f}  {PROCESS.get().number}  {text}")

    # What takes the place of the surroundings

    @contextmanager
    def work(self) -> Iterator[str]:
        """Take the place of `mediasync.syncing.processes.at_work`."""
        self._names += 1
        worker = self.worker()
        name = f"host {worker.process.number}\n\n\n{worker.process.number}\n\n{self._names}"
        worker.at_work.add(name)
        self._held[name] = worker
        try:
            yield name
        finally:
            worker.at_work.discard(name)

    def has_ended(self, name: str) -> bool:
        """Take the place of `mediasync.syncing.processes.has_ended`."""
        worker = self._held[name]
        if worker.process.killed:
            return worker.found_dead
        return worker.process in (PROCESS.get(), WORLD) and name not in worker.at_work

    def before(self, process: Process, sql: str, raw: sqlite3.Connection) -> None:
        """Let a statement fail, if that is due. A rollback does not: it needs no disk."""
        worker = self.workers[process.number - 1]
        if sql in ("ROLLBACK", "SELECT 1"):
            return
        match worker.fault:
            case "statement", 0:
                self._fail(worker, f"fails: {' '.join(sql.split())[:60]}")
                raise _broken_disk()
            case "statement", left:
                worker.fault = ("statement", left - 1)
            case "refused", _ if sql == "COMMIT":
                self._fail(worker, "the commit fails")
                raise _broken_disk()
            case "lost before", _ if sql == "COMMIT":
                self._fail(worker, "the connection is lost before the commit")
                raw.rollback()
                raise CommitUnknown("the connection was lost")

    def after(self, process: Process, sql: str) -> None:
        """Look at what was committed, and lose the answer if that is due."""
        if sql != "COMMIT":
            return
        worker = self.workers[process.number - 1]
        self.observer.committed(worker.seen.get)
        if worker.fault is not None and worker.fault[0] == "lost after":
            self._fail(worker, "the connection is lost after the commit")
            raise CommitUnknown("the connection was lost")

    def _fail(self, worker: Worker, text: str) -> None:
        worker.fault = None
        self.excuses += 1
        self.tell(text)

    # The workers

    def worker(self) -> Worker:
        """Return the worker whose code runs."""
        return self.workers[PROCESS.get().number - 1]

    def start(self, work: Callable[[MediaSync], Coroutine[Any, Any, None]]) -> Worker:
        """Start a worker."""
        number = len(self.workers) + 1
        worker = Worker(Process(number), Random(f"{self._seed} {number}"), self.loop.create_future())
        self.workers.append(worker)
        task = self.loop.create_task(self._run(work), context=worker.process.run_in())

        def ended(task: asyncio.Task[None]) -> None:
            if not worker.over.done():
                worker.over.set_result(None)
                if not task.cancelled() and (error := task.exception()) is not None:
                    self.observer.note("a worker failed", repr(error))

        task.add_done_callback(ended)
        return worker

    async def _run(self, work: Callable[[MediaSync], Coroutine[Any, Any, None]]) -> None:
        ms = MediaSync(
            f"sqlite:///{self.file}", clock=self.now, readers=2, lease_seconds=LEASE_SECONDS, client_id="sim"
        )
        try:
            async with ms:
                await work(ms)
        except DatabaseError as error:
            if not self.excuses:
                raise
            self.tell(f"gives up: {error}")

    async def rounds(self, ms: MediaSync) -> None:
        """Do what a worker does: sync a source or all of them, and save items of its own."""
        worker = self.worker()
        for _ in range(worker.random.randint(1, 3)):
            await asyncio.sleep(worker.random.random() * 0.2)
            chosen = self.sources if worker.random.random() < 0.3 else [worker.random.choice(self.sources)]
            parts = [self._sync(ms, worker, source) for source in chosen]
            if worker.random.random() < 0.5:
                parts.append(self._save(ms, worker))
            await asyncio.gather(*parts)

    async def _sync(self, ms: MediaSync, worker: Worker, source: Shelf | Served) -> None:
        trouble = source.trouble(worker.random) if worker.random.random() < self._troubled else ""
        backend = source.backend(trouble)
        excuses = self.excuses
        worker.note_seen(backend)
        self.tell(f"syncs {source.id}" + (f", with trouble: {trouble}" if trouble else ""))
        sync = asyncio.ensure_future(_to_end(ms.sync(backend, wait_if_busy=worker.random.choice((0, 1, 60)))))
        worker.syncs.add(sync)
        try:
            report = await sync
        except asyncio.CancelledError:
            outcome, allowed = "cancelled", sync.cancelled()
        except SourceHeld as error:
            outcome, allowed = str(error), True
        except SourceError as error:
            outcome, allowed = str(error), bool(trouble)
        except (LeaseLost, DatabaseError) as error:
            outcome, allowed = repr(error), self.excuses != excuses or self._anybody_paused()
        else:
            outcome, allowed = f"{report.run.status}, {report.saved} saved, {report.failed} failed", True
        finally:
            worker.syncs.discard(sync)
        self.tell(f"synced {source.id}: {outcome}")
        if not allowed:
            self.observer.note("a sync failed that nothing disturbed", outcome)
        self._look()

    def _look(self) -> None:
        """Note what is shown now, and check that nothing is removed without proof."""
        self.observer.snapshot()
        left = {source.id: source.left for source in self.sources if isinstance(source, Shelf)}
        for item_id, key in self.observer.removed():
            if key not in left.get(item_id.partition(":")[0], {key}):
                self.observer.note("an item is removed that the source has never lost", item_id)

    def _anybody_paused(self) -> bool:
        return any(worker.process.paused_until > self.loop.time() for worker in self.workers)

    async def _save(self, ms: MediaSync, worker: Worker) -> None:
        """Save items, some of them twice, and look whether they are stored when the call returns."""
        saved: dict[str, str] = {}
        given = []
        for _ in range(worker.random.randint(1, 3)):
            self._saves += 1
            key = f"{worker.process.number}-{worker.random.randrange(2)}"
            saved[key] = f"save {self._saves}"
            given.append(make_movie(key, title=saved[key], provider_ids={"tmdb": key}))
        try:
            report = await ms.media.save_media_items(given, **API_LIBRARY)
        except DatabaseError as error:
            self.tell(f"not saved: {error!r}")
            if not self.excuses:
                self.observer.note("a save failed that nothing disturbed", repr(error))
            return
        self.tell(f"saved {saved}: {report.saved}, {report.failed}")
        stored = self.observer.by_key("api")
        for key, title in saved.items():
            if stored.get(key, {}).get("title") != title:
                self.observer.note("a save was answered that is not stored", f"{key}: {title}")

    # What disturbs them

    async def _disturb(self) -> None:
        while True:
            await asyncio.sleep(self.random.expovariate(self._per_second))
            [event] = self.random.choices(list(self._events), list(self._events.values()))
            alive = [worker for worker in self.workers if not worker.over.done()]
            if not alive:
                return
            worker = self.random.choice(alive)
            match event:
                case "change":
                    source = self.random.choice(self.sources)
                    self.tell(f"{source.id}: {source.change()}")
                case "pause":
                    seconds = self.random.random() * 3 * LEASE_SECONDS
                    self.excuses += 1
                    self.tell(f"pause {worker.process.number} for {seconds:.3f} s")
                    worker.process.paused_until = self.loop.time() + seconds
                case "kill":
                    self._kill(worker)
                case "cancel":
                    for sync in list(worker.syncs):
                        self.tell(f"cancel a sync of {worker.process.number}")
                        sync.cancel()
                case "commit":
                    worker.fault = (self.random.choice(("refused", "lost before", "lost after")), 0)
                case "statement":
                    worker.fault = ("statement", self.random.randrange(40))

    def _kill(self, worker: Worker) -> None:
        self.tell(f"kill {worker.process.number}")
        worker.process.killed = True
        worker.process.paused_until = inf
        worker.found_dead = self.random.random() < 0.5
        self.driver.kill(worker.process)
        worker.over.set_result(None)
        if self.random.random() < 0.7:
            self.start(self.rounds)

    # From the beginning to the end

    async def _live(self) -> None:
        for _ in range(self.random.choice((2, 2, 3))):
            self.start(self.rounds)
        disturbing = asyncio.create_task(self._disturb())
        while left := [worker.over for worker in self.workers if not worker.over.done()]:
            await asyncio.wait(left)
        disturbing.cancel()
        with suppress(asyncio.CancelledError):
            await disturbing
        self.tell("it is quiet")
        for source in self.sources:
            source.heal()
        await self.start(self._last).over

    async def _last(self, ms: MediaSync) -> None:
        """Sync all sources undisturbed, and check the whole mirror."""
        worker = self.worker()
        for source in self.sources:
            for _ in range(source.calm_syncs):
                backend = source.backend("")
                worker.note_seen(backend)
                try:
                    report = await ms.sync(backend)
                except MediaSyncError as error:
                    self.observer.note("a sync failed that nothing disturbed", repr(error))
                    return
                if report.failed:
                    self.observer.note("a sync failed that nothing disturbed", report.failed)
            self._look()
            await source.check(ms, self.observer)
        if flaws := (await ms.check()).flaws:
            self.observer.note("the check of the database finds flaws", flaws)
        if running := await ms.list_runs(status=RunStatus.RUNNING):
            self.observer.note("a run that has ended is shown as running", running)

    async def _bury(self) -> None:
        """Let the tasks of killed workers end. Their connections are closed, so they do nothing."""
        for worker in self.workers:
            worker.process.paused_until = -inf
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in left:
                task.cancel()
            await asyncio.wait(left)

    def run(self) -> None:
        """Run it, and raise `Broken` if anything does not hold."""
        state = global_random.getstate()
        global_random.seed(self._seed)
        gc.disable()  # it would end forgotten generators at times that no seed decides
        try:
            with (
                mock.patch.object(connection, "connect", self.driver.connect),
                mock.patch.object(connection, "_FETCHES", {}),  # else it matters what ran before
                mock.patch.object(leases, "at_work", self.work),
                mock.patch.object(leases, "has_ended", self.has_ended),
            ):
                try:
                    self.loop.run_until_complete(self._live())
                    self.observer.check_log()
                finally:
                    self.observer.is_over = True
                    self.trace = self.loop.trace()
                    self.loop.most_steps += MOST_STEPS
                    self.loop.run_until_complete(self._bury())
                    self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            global_random.setstate(state)
            gc.enable()
            self.driver.close()
            self.observer.close()
            self.loop.close()
        if self.observer.broken is not None:
            raise self.observer.broken


async def _to_end(sync: Any) -> Any:
    return await sync


def _broken_disk() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR"
    return error


@cache
def _template() -> bytes:
    """Return a database with all tables and one source that nobody syncs."""

    async def make(url: str) -> None:
        async with MediaSync(url, clock=lambda: START) as ms:
            await ms.media.save_source(Source(id="api", kind="plex", name="Api"))
            await ms.media.save_library(Library(id="notes", source_id="api", kind="movies"))

    with TemporaryDirectory() as folder:
        file = Path(folder) / "media.db"
        asyncio.run(make(f"sqlite:///{file}"))
        raw = sqlite3.connect(file)
        raw.execute(_REFUSE)
        raw.close()
        return file.read_bytes()
