"""Random calls, alone and concurrent, cancelled at random points, compared with the model."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import pytest
from contract.model import (
    DeleteItem,
    DeletePeopleOfItem,
    DeletePerson,
    Model,
    Operation,
    SaveItem,
    SavePeopleOfItem,
    Step,
    UpsertPeople,
    explain,
    iso,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from support.engines import POSTGRES, SQLITE_FILE, SQLITE_MEMORY, Engine
from support.mirror import Clock, prepared, rows, written

from mediasync import Credit, MediaItem, MediaSync, Movie, Person, SaveReport, Season, Show
from mediasync.errors import PersonInUse, UnknownItem, UnknownParent
from mediasync.repositories.person_rows import PROVIDER_IDS

pytestmark = pytest.mark.slow

MOVIE_KEYS = ["1", "2", "3"]
PERSON_IDS = ["home:a", "home:b", "home:c", "home:name:ann lee", "home:name:bo"]
ITEM_IDS = [f"home:{key}" for key in (*MOVIE_KEYS, "s", "s-1")]

people = st.one_of(
    st.builds(
        Person,
        remote_id=st.sampled_from("abc"),
        name=st.sampled_from(["Ann", "Bo", " Bo ", "Ćelia O'Neil", "三船 敏郎"]),
        image_path=st.sampled_from([None, None, "i", "j"]),
        provider_ids=st.sampled_from([{}, {}, {"imdb": "1"}, {"imdb": "2", "tmdb": "3"}]),
    ),
    st.builds(
        Person,
        name=st.sampled_from(["Ann Lee", "ANN  lee", "Bo"]),
        image_path=st.sampled_from([None, "i"]),
    ),
)
one_credit = st.builds(
    Credit,
    person=people,
    person_type=st.sampled_from(["actor", "director", "Key Grip"]),
    role=st.sampled_from([None, "", "Neo", " Neo", "Trinity"]),
    sort_order=st.sampled_from([None, None, 0, 0, 1, 5, -1]),
)
credit_lists = st.lists(one_credit, max_size=4)
common = {
    "title": st.sampled_from(["A", "B"]),
    "year": st.sampled_from([None, 1999]),
    "overview": st.sampled_from([None, "", "O"]),
    "change_token": st.sampled_from([None, "t", "u"]),
    "credits": st.one_of(st.none(), credit_lists, credit_lists, credit_lists),
    "completeness": st.sampled_from([None, None, None, "full", "preview"]),
}
movies = st.builds(Movie, remote_id=st.sampled_from(MOVIE_KEYS), **common)
items = st.one_of(
    movies,
    movies,
    movies,
    st.builds(Show, remote_id=st.just("s"), **common),
    st.builds(Season, remote_id=st.just("s-1"), parent_remote_id=st.just("s"), **common),
)
every_operation: st.SearchStrategy[Operation] = st.one_of(
    st.builds(SaveItem, items),
    st.builds(SaveItem, items),
    st.builds(SaveItem, items),
    st.builds(SavePeopleOfItem, st.sampled_from(ITEM_IDS), credit_lists.map(tuple)),
    st.builds(DeletePeopleOfItem, st.sampled_from(ITEM_IDS)),
    st.builds(DeleteItem, st.sampled_from(ITEM_IDS)),
    st.builds(UpsertPeople, st.lists(people, min_size=1, max_size=3).map(tuple)),
    st.builds(DeletePerson, st.sampled_from(PERSON_IDS)),
)
operations = st.deferred(lambda: every_operation)  # its repr is short


class Mirror(RuleBasedStateMachine):
    """Drives a mirror in its own event loop, and compares it with the model after every step.

    Attributes:
        engine: what holds the database.
        options: of each `MediaSync` that uses it; concurrent operations are spread over them in turn.
        steps_per_check: after so many steps the database is checked.
    """

    engine: ClassVar[Engine] = SQLITE_MEMORY
    options: ClassVar[list[dict[str, Any]]] = [{}]
    steps_per_check: ClassVar[int] = 1

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="mediasync-"))
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.model = Model()
        url = self.engine.new_mirror_url(self.folder)
        self.mirrors = [MediaSync(url, clock=self.clock, readers=2, **options) for options in self.options]
        self.ms = self.mirrors[0]
        self.compared = 0

    @initialize()
    def start(self) -> None:
        self.runner.run(self._start())

    async def _start(self) -> None:
        for ms in self.mirrors:
            await ms.open()
        await prepared(self.ms)

    def teardown(self) -> None:
        try:
            self.runner.run(self._close())
        finally:
            self.runner.close()
            shutil.rmtree(self.folder)

    async def _close(self) -> None:
        for ms in self.mirrors:
            await ms.close()

    @rule(operation=operations)
    def one(self, operation: Operation) -> None:
        self.runner.run(self._at_once([operation], cancelled=[None], strict=True))

    @rule(chosen=st.lists(operations, min_size=2, max_size=4))
    def several_at_once(self, chosen: list[Operation]) -> None:
        self.runner.run(self._at_once(chosen, cancelled=[None] * len(chosen)))

    @rule(
        item=items,
        versions=st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), credit_lists), min_size=2, max_size=4),
    )
    def one_item_at_once(self, item: MediaItem, versions: list[tuple[str, list[Credit]]]) -> None:
        chosen = [
            SaveItem(item.model_copy(update={"title": title, "credits": given})) for title, given in versions
        ]
        self.runner.run(self._at_once(chosen, cancelled=[None] * len(chosen)))

    @rule(
        chosen=st.lists(
            st.tuples(operations, st.one_of(st.none(), st.integers(0, 12))), min_size=1, max_size=4
        )
    )
    def some_cancelled(self, chosen: list[tuple[Operation, int | None]]) -> None:
        self.runner.run(
            self._at_once([operation for operation, _ in chosen], cancelled=[turns for _, turns in chosen])
        )

    @rule(given=st.lists(items, max_size=4), concurrency=st.sampled_from([1, 2, 100]), other=operations)
    def a_stream_beside_another(self, given: list[MediaItem], concurrency: int, other: Operation) -> None:
        self.runner.run(self._stream(given[:3], concurrency, other, None))

    @rule(given=st.lists(items, min_size=1, max_size=4), turns=st.integers(0, 20))
    def a_stream_cancelled(self, given: list[MediaItem], turns: int) -> None:
        self.runner.run(self._stream(given, 2, None, turns))

    @rule()
    def everything_again(self) -> None:
        """Saving everything that was read again writes nothing."""
        self.runner.run(self._again())

    async def _again(self) -> None:
        self.clock.tick()
        found = await self.ms.media.find_media_items(ITEM_IDS)
        seen = await self._seen()
        report = SaveReport()
        for library in ("movies", "shows"):
            mine = [item for item in found if item.library_id == f"home:{library}"]
            await self.ms.media.save_media_items(mine, library_id=library, source_id="home", report=report)
        # A list that was given with other spellings of its people is written once, in those now stored.
        after = await self._seen()
        assert {name: after[name] for name in ("media_people", "tokens")} == {
            name: seen[name] for name in ("media_people", "tokens")
        }
        assert [row[:-1] for row in after["media_items"]] == [row[:-1] for row in seen["media_items"]]
        assert after["people"] == seen["people"]
        changes = await written(self.ms)
        for library in ("movies", "shows"):
            mine = [item for item in found if item.library_id == f"home:{library}"]
            again = await self.ms.media.save_media_items(mine, library_id=library, source_id="home")
            assert (again.saved, again.failed) == (0, [])
        assert await written(self.ms) == changes
        for item in found:
            known = SaveItem(item.model_copy(update={"credits": item.credits}))
            self.model.now = self.clock.now
            known.apply(self.model)
        assert self.model.views() == after

    async def _at_once(
        self, chosen: list[Operation], cancelled: list[int | None], *, strict: bool = False
    ) -> None:
        self.model.now = self.clock.tick()
        tasks = [
            asyncio.create_task(self._call(operation, number)) for number, operation in enumerate(chosen)
        ]
        await self._cancel(tasks, cancelled)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        steps = []
        for operation, answer in zip(chosen, answers, strict=True):
            if isinstance(answer, asyncio.CancelledError):
                steps.append(Step(operation, optional=True))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                steps.append(Step(operation, answer))
        await self._compare(steps, strict=strict)

    async def _stream(
        self, given: list[MediaItem], concurrency: int, other: Operation | None, turns: int | None
    ) -> None:
        self.model.now = self.clock.tick()
        call = self.ms.media.save_media_items(
            given, library_id="movies", source_id="home", concurrency=concurrency
        )
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(call)]
        if other is not None:
            tasks.append(asyncio.create_task(self._call(other, 1)))
        await self._cancel(tasks, [turns, None])
        report, *answers = await asyncio.gather(*tasks, return_exceptions=True)
        was_cancelled = isinstance(report, asyncio.CancelledError)
        if isinstance(report, BaseException) and not was_cancelled:
            raise report
        keys = [item.remote_id for item in given]
        if not was_cancelled and len(set(keys)) == len(keys):
            assert report.saved + report.unchanged + len(report.failed) == len(keys)
        # A season that waits for its show is given up if a newer one comes: the last one wins.
        steps = [
            Step(
                SaveItem(item),
                optional=was_cancelled or (isinstance(item, Season) and item.remote_id in keys[place:]),
                stream=0,
            )
            for place, item in enumerate(given, start=1)
        ]
        if other is not None:
            [answer] = answers
            if isinstance(answer, BaseException):
                raise answer
            steps.append(Step(other, answer))
        await self._compare(steps, library="movies")

    async def _cancel(self, tasks: list[asyncio.Task[Any]], turns: list[int | None]) -> None:
        for turn in range(max((number for number in turns if number is not None), default=-1) + 1):
            for task, number in zip(tasks, turns, strict=False):
                if number == turn:
                    task.cancel()
            await asyncio.sleep(0)

    async def _call(self, operation: Operation, number: int) -> Any:
        ms = self.mirrors[number % len(self.mirrors)]
        media, folk = ms.media, ms.people
        try:
            match operation:
                case SaveItem(item):
                    given = item.model_copy(deep=True)
                    result = await media.save_media_item(given, library_id="movies", source_id="home")
                    return result.status.value
                case SavePeopleOfItem(item_id, given):
                    return (await media.save_media_people(item_id, given)).status.value
                case DeletePeopleOfItem(item_id):
                    return await media.delete_media_people(item_id)
                case DeleteItem(item_id):
                    return await media.delete_media_item(item_id)
                case UpsertPeople(given):
                    return await folk.upsert_batch(given, source_id="home")
                case DeletePerson(person_id):
                    return await folk.delete(person_id)
        except UnknownParent:
            return "orphan"
        except UnknownItem:
            return "unknown item"
        except PersonInUse:
            return "in use"

    async def _seen(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return what the public views show, in the shape of `Model.views`."""
        ms = self.ms
        return {
            "media_items": sorted(
                await rows(
                    ms,
                    "SELECT id, parent_id, title, year, overview, completeness, created_at, updated_at "
                    "FROM media_items",
                )
            ),
            "media_people": sorted(
                await rows(
                    ms,
                    "SELECT media_item_id, person_id, person_type, coalesce(role, '') AS role, sort_order "
                    "FROM media_people",
                )
            ),
            "people": sorted(
                (
                    person_id,
                    name,
                    image or "",
                    tuple(sorted(json.loads(ids or "{}").items())),
                    created,
                    updated,
                )
                for person_id, name, image, ids, created, updated in await rows(
                    ms, "SELECT id, name, image_path, provider_ids, created_at, updated_at FROM people"
                )
            ),
            "behind": sorted(
                (
                    person_id,
                    name,
                    image,
                    tuple(sorted(json.loads(ids or "{}").items())),
                    bool(hidden),
                    giver or "",
                    len((replaced or "").split()),
                )
                for person_id, name, image, ids, hidden, giver, replaced in await rows(
                    ms,
                    f"SELECT p.id AS person_id, p.name, p.image_path, {PROVIDER_IDS}, "
                    "p.uncredited_since IS NOT NULL AS hidden, i.id AS giver, p.replaced "
                    "FROM person p LEFT JOIN media_item i ON i.item_key = p.given_by",
                )
            ),
            "tokens": sorted(
                (f"home:{key}", token)
                for key, token in (await ms.media.find_change_tokens("home:movies")).items()
                if token
            ),
        }

    async def _compare(self, steps: list[Step], *, strict: bool = False, library: str = "") -> None:
        for ms in self.mirrors:
            await ms.people.upsert_batch([])  # behind this, nothing of a cancelled call is under way
        seen = await self._seen()
        after = explain(self.model, steps, seen, strict=strict)
        assert after is not None, f"no serial order of {steps} on {self.model.views()} gives {seen}"
        times = {row[0]: row[-2:] for row in seen["people"]}
        for person_id, stored in after.people.items():
            if stored.hidden:
                continue
            for name, shown in zip(("created", "updated"), times[person_id], strict=True):
                if iso(getattr(stored, name)) != shown:
                    # In another order that gives the same rows, the person was written, or was not.
                    old = self.model.people.get(person_id)
                    possible = {self.model.now} if old is None else {self.model.now, getattr(old, name)}
                    [moment] = [moment for moment in possible if iso(moment) == shown]
                    setattr(stored, name, moment)
        self.model = after
        self.compared += 1
        if self.compared % self.steps_per_check == 0:
            assert (await self.ms.check()).flaws == ()


LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


class FileMirror(Mirror):
    engine = SQLITE_FILE


class PostgresMirror(Mirror):
    """Two processes' worth of connections, each with several transactions at once."""

    engine = POSTGRES
    options: ClassVar[list[dict[str, Any]]] = [{"writers": 2}, {"writers": 4}]


TestInMemory = Mirror.TestCase
TestInMemory.settings = settings(max_examples=400 if LONG else 20, stateful_step_count=30)
TestInFile = FileMirror.TestCase
TestInFile.settings = settings(max_examples=400 if LONG else 20, stateful_step_count=25)
TestOnPostgres = PostgresMirror.TestCase
TestOnPostgres.settings = settings(max_examples=400 if LONG else 15, stateful_step_count=20)
