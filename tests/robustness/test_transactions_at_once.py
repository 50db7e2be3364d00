"""PostgreSQL: commits of another process between two statements of a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from support.engines import POSTGRES
from support.items import MOVIES, SHOWS, credit, movie, person, season, show
from support.mirror import Clock, rows, write

from mediasync import MediaSync
from mediasync.changes import API
from mediasync.database.session import Session
from mediasync.errors import PersonInUse, UnknownParent
from mediasync.repositories.credits import CreditRepository, RemovedCredit
from mediasync.repositories.items import MediaRepository
from mediasync.repositories.people import PeopleRepository
from mediasync.repositories.runs import RunRepository
from mediasync.saving.normal import normal_item
from mediasync.saving.store import ITEMS_PER_PART, save_group
from mediasync.testing import database_of

pytestmark = pytest.mark.slow


@pytest.fixture
def url(tmp_path: Path) -> str:
    return POSTGRES.new_url(tmp_path)


@pytest.fixture
async def other(ms: MediaSync, url: str, clock: Clock) -> AsyncIterator[MediaSync]:
    """A second process's mirror on the same database."""
    async with MediaSync(url, clock=clock) as mirror:
        yield mirror


class Meanwhile:
    """Runs something once, before or after the first call of a method."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.done = False

    def before(self, cls: type, method: str, what: Callable[[], Awaitable[Any]]) -> None:
        self._put(cls, method, what, first=True)

    def after(self, cls: type, method: str, what: Callable[[], Awaitable[Any]]) -> None:
        self._put(cls, method, what, first=False)

    def _put(self, cls: type, method: str, what: Callable[[], Awaitable[Any]], *, first: bool) -> None:
        original = getattr(cls, method)

        async def patched(*args: Any, **options: Any) -> Any:
            run, self.done = not self.done, True
            if run and first:
                await what()
            result = await original(*args, **options)
            if run and not first:
                await what()
            return result

        self._monkeypatch.setattr(cls, method, patched)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    return Meanwhile(monkeypatch)


class Held:
    """A transaction of *ms* that has done *work* and is not committed before `commit`."""

    def __init__(self, ms: MediaSync, work: Callable[[Session], Awaitable[Any]]) -> None:
        self._ms = ms
        self._work = work
        self._worked, self._release = asyncio.Event(), asyncio.Event()

    async def begin(self) -> None:
        self._task = asyncio.create_task(database_of(self._ms).write(self._hold))
        await self._worked.wait()

    async def _hold(self, session: Session) -> None:
        await self._work(session)
        self._worked.set()
        await self._release.wait()

    async def commit_when_waited_for(self, waiting: asyncio.Task[Any]) -> None:
        while not waiting.done() and not await rows(
            self._ms,
            "SELECT pid FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()",
        ):
            await asyncio.sleep(0)
        assert not waiting.done(), "it waits for the other transaction"
        await self.commit()

    async def commit(self) -> None:
        self._release.set()
        await self._task


async def names(ms: MediaSync) -> dict[str, str]:
    return dict(await rows(ms, "SELECT id, name FROM people ORDER BY id"))  # type: ignore[arg-type]


async def test_a_parent_deleted_while_its_child_is_saved(
    ms: MediaSync, other: MediaSync, meanwhile: Meanwhile
) -> None:
    await ms.media.save_media_item(show(), **SHOWS)
    meanwhile.before(MediaRepository, "insert_items", lambda: other.media.delete_media_item("home:s"))
    with pytest.raises(UnknownParent):
        await ms.media.save_media_item(season(), **SHOWS)
    assert meanwhile.done
    assert await rows(ms, "SELECT id FROM media_items") == []


async def test_a_parent_deleted_while_a_child_is_moved_to_it(
    ms: MediaSync, other: MediaSync, meanwhile: Meanwhile
) -> None:
    await ms.media.save_media_items([show(), show("t"), season()], **SHOWS)
    meanwhile.before(MediaRepository, "upsert_items", lambda: other.media.delete_media_item("home:t"))
    with pytest.raises(UnknownParent):
        await ms.media.save_media_item(season(parent="t"), **SHOWS)
    assert meanwhile.done
    assert await rows(ms, "SELECT id, parent_id FROM media_items ORDER BY id") == [
        ("home:s", None),
        ("home:s-1", "home:s"),
    ]


async def test_a_child_waits_for_the_deletion_of_its_parent(ms: MediaSync, other: MediaSync) -> None:
    await ms.media.save_media_item(show(), **SHOWS)
    held = Held(other, lambda session: MediaRepository(session).delete_items(["home:s"]))
    await held.begin()
    saving = asyncio.create_task(ms.media.save_media_item(season(), **SHOWS))
    await held.commit_when_waited_for(saving)
    with pytest.raises(UnknownParent):
        await saving
    assert await rows(ms, "SELECT id FROM media_items") == []


@pytest.mark.parametrize("name", ["Ann", "Ann Lee"])
@pytest.mark.parametrize("before", ["upsert_rows", "add_words"])
async def test_a_person_deleted_while_a_credit_is_saved(
    ms: MediaSync, other: MediaSync, meanwhile: Meanwhile, name: str, before: str
) -> None:
    await ms.people.upsert(person("a", "Ann"), source_id="home")
    if before == "upsert_rows":
        meanwhile.after(PeopleRepository, "_find", lambda: other.people.delete("home:a"))
    else:
        meanwhile.before(PeopleRepository, "add_words", lambda: delete_at_once(other))
    await ms.media.save_media_item(movie(credits=[credit("a", name)]), **MOVIES)
    assert meanwhile.done
    assert [one.person.name for one in await ms.people.find_by_media_item("home:1")] == [name]
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize("number", [60, 250], ids=["inserted", "copied"])
async def test_a_person_deleted_before_the_credits_of_many_items_are_saved(
    ms: MediaSync, other: MediaSync, meanwhile: Meanwhile, number: int
) -> None:
    await ms.people.upsert(person("a", "Ann"), source_id="home")
    meanwhile.after(PeopleRepository, "_find", lambda: other.people.delete("home:a"))
    items = [movie(f"{n}", credits=[credit("a", "Ann"), credit(f"b{n}", f"Bo {n}")]) for n in range(number)]
    report = await ms.media.save_media_items(items, **MOVIES)
    assert meanwhile.done
    assert (report.saved, report.failed) == (number, [])
    assert await ms.media.count_credits() == 2 * number
    assert (await ms.check()).flaws == ()


@pytest.mark.parametrize("number", [20, 100, 400])
async def test_new_rows_are_inserted_in_the_order_of_ids(ms: MediaSync, number: int) -> None:
    """Whatever the order in which the server joins its input: otherwise two transactions deadlock."""
    items = [movie(f"{n:03}", credits=[credit(f"p{n:03}", f"Name {n}")]) for n in reversed(range(number))]
    await ms.media.save_media_items(items, **MOVIES)
    for table in ("person", "media_item"):
        found = await rows(ms, f"SELECT xmin::text AS writer, id FROM mediasync.{table} ORDER BY ctid")
        assert len(found) == number
        for writer in {writer for writer, _ in found}:  # a busy machine makes several transactions of them
            ids = [item_id for by, item_id in found if by == writer]
            assert ids == sorted(ids), table


async def test_rows_for_which_others_may_wait_are_written_late(
    ms: MediaSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credits of stored people are written before new people, for whom another transaction may wait."""
    await ms.people.upsert(person("a", "Ann"), source_id="home")
    steps: list[tuple[str, int]] = []

    def note(cls: type, method: str) -> None:
        original = getattr(cls, method)

        async def noted(self: Any, given: Any, *rest: Any) -> Any:
            steps.append((method, len(given)))
            return await original(self, given, *rest)

        monkeypatch.setattr(cls, method, noted)

    note(CreditRepository, "insert")
    note(PeopleRepository, "_insert")
    note(PeopleRepository, "add_words")
    items = [movie(f"{n}", credits=[credit("a", "Ann"), credit(f"b{n}", "Bo")]) for n in range(60)]
    await ms.media.save_media_items(items, **MOVIES)
    assert steps == [("insert", 60), ("_insert", 60), ("add_words", 60), ("insert", 60)]


async def delete_at_once(other: MediaSync) -> None:
    """Begin to delete a person; if the person's row is locked, the deletion waits."""
    deleting = asyncio.create_task(other.people.delete("home:a"))
    while not deleting.done() and not await rows(
        other,
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
    ):
        await asyncio.sleep(0)
    if not deleting.done():
        deleting.add_done_callback(lambda task: task.exception())


async def test_a_person_who_gets_a_credit_is_not_deleted(ms: MediaSync, other: MediaSync) -> None:
    await ms.people.upsert(person("a", "Ann"), source_id="home")
    await ms.media.save_media_item(movie(), **MOVIES)

    async def work(session: Session) -> None:
        await session.execute(
            "INSERT INTO credit (item_key, sort_order, person_key, person_type) "
            "SELECT i.item_key, 0, p.person_key, 'actor' FROM media_item i, mediasync.person p"
        )
        await session.execute("UPDATE media_item SET completeness = 'full'")

    held = Held(ms, work)
    await held.begin()
    deleting = asyncio.create_task(other.people.delete("home:a"))
    await held.commit_when_waited_for(deleting)
    with pytest.raises(PersonInUse):
        await deleting
    assert (await ms.check()).flaws == ()


CREDIT_ANN = """
INSERT INTO credit (item_key, sort_order, person_key, person_type)
SELECT i.item_key, 0, p.person_key, 'actor' FROM media_item i JOIN person p ON p.id = 'home:a'
WHERE i.id = 'home:3'
"""


@pytest.mark.parametrize("others", [["2"], []])
async def test_a_credit_is_removed_while_another_transaction_credits_the_person(
    ms: MediaSync, other: MediaSync, others: list[str]
) -> None:
    """The removal waits for that transaction only if the person has no other credit."""
    for key in ["1", *others]:
        await ms.media.save_media_item(movie(key, credits=[credit("a", "Ann")]), **MOVIES)
    await ms.media.save_media_item(movie("3"), **MOVIES)

    async def work(session: Session) -> None:
        await session.execute(CREDIT_ANN)
        await session.execute("UPDATE media_item SET completeness = 'full' WHERE id = 'home:3'")

    held = Held(ms, work)
    await held.begin()
    removing = asyncio.create_task(other.media.delete_media_item("home:1"))
    if others:
        assert await removing
        await held.commit()
    else:
        await held.commit_when_waited_for(removing)
        assert await removing
    assert await names(ms) == {"home:a": "Ann"}
    assert (await ms.check()).flaws == ()


async def test_two_transactions_remove_the_last_credits_of_a_person(ms: MediaSync, other: MediaSync) -> None:
    for key in ("1", "2"):
        await ms.media.save_media_item(movie(key, credits=[credit("a", "Ann")]), **MOVIES)

    async def work(session: Session) -> None:
        [(item_id, item_key)] = (await MediaRepository(session).lock_below("home:1")).items()
        lists = await CreditRepository(session).find_stored_lists([item_id])
        await MediaRepository(session).delete_items([item_id])
        removed = [RemovedCredit(person.row[0], person.key, item_key) for person, *_ in lists[item_id]]
        await PeopleRepository(session).note_removed(removed)

    held = Held(ms, work)
    await held.begin()
    removing = asyncio.create_task(other.media.delete_media_item("home:2"))
    await held.commit_when_waited_for(removing)
    assert await removing
    assert await names(ms) == {}
    assert (await ms.check()).flaws == ()


async def test_the_words_of_a_person_who_is_renamed_and_deleted_at_once_are_deleted(
    ms: MediaSync, other: MediaSync
) -> None:
    await ms.people.upsert(person("a", "Ann"), source_id="home")

    async def rename(session: Session) -> None:
        await PeopleRepository(session).upsert(("home:a", "Zoë", "", ""))

    held = Held(ms, rename)
    await held.begin()
    deleting = asyncio.create_task(other.people.delete("home:a"))
    await held.commit_when_waited_for(deleting)
    assert await deleting
    assert await rows(ms, "SELECT word FROM mediasync.person_word") == []
    assert (await ms.check()).flaws == ()


async def test_two_items_that_name_people_differently_are_serialised(
    ms: MediaSync, other: MediaSync, meanwhile: Meanwhile
) -> None:
    """Of two items that name the same people differently, the last commit wins for all of them."""
    await ms.people.upsert_batch([person("a", "Ann"), person("b", "Bo")], source_id="home")
    theirs = movie("2", credits=[credit("a", "Other Ann"), credit("b", "Other Bo")])
    meanwhile.after(PeopleRepository, "_find", lambda: other.media.save_media_item(theirs, **MOVIES))
    await ms.media.save_media_item(movie("1", credits=[credit("a", "Ann"), credit("b", "New Bo")]), **MOVIES)
    assert meanwhile.done
    assert await names(ms) == {"home:a": "Ann", "home:b": "New Bo"}
    assert (await ms.check()).flaws == ()


async def test_data_of_a_person_from_another_transaction_is_not_lost(
    ms: MediaSync, other: MediaSync, meanwhile: Meanwhile
) -> None:
    await ms.people.upsert(person("a", "Ann"), source_id="home")
    theirs = person("a", "Anne", image_path="i", provider_ids={"imdb": "1"})
    meanwhile.after(PeopleRepository, "_find", lambda: other.people.upsert(theirs, source_id="home"))
    await ms.people.upsert(person("a", "Annie", provider_ids={"tmdb": "2"}), source_id="home")
    found = await ms.people.find_by_id("home:a")
    assert found is not None
    assert (found.name, found.image_path, found.provider_ids) == ("Annie", "i", {"imdb": "1", "tmdb": "2"})
    assert (await ms.check()).flaws == (), "the words are those of the name"


async def test_a_person_who_is_new_to_two_transactions(
    ms: MediaSync, other: MediaSync, meanwhile: Meanwhile
) -> None:
    await ms.people.upsert(person("z", "Zoe"), source_id="home")  # a block of keys is taken
    theirs = person("b", "Bea", image_path="i")
    meanwhile.after(PeopleRepository, "_find", lambda: other.people.upsert(theirs, source_id="home"))
    await ms.media.save_media_item(
        movie(credits=[credit("a", "Ann"), credit("b", "Bo"), credit("c", "Cy")]), **MOVIES
    )
    assert meanwhile.done
    assert await rows(ms, "SELECT id, name, image_path FROM people ORDER BY id") == [
        ("home:a", "Ann", None),
        ("home:b", "Bo", "i"),
        ("home:c", "Cy", None),
        ("home:z", "Zoe", None),
    ]
    assert await rows(ms, "SELECT person_id FROM media_people ORDER BY sort_order") == [
        ("home:a",),
        ("home:b",),
        ("home:c",),
    ]
    assert (await ms.check()).flaws == ()


async def test_a_person_who_is_stored_and_deleted_by_another(
    ms: MediaSync, other: MediaSync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The insertion conflicts with the person, who is deleted before the conflict is examined."""
    await ms.people.upsert(person("z", "Zoe"), source_id="home")  # a block of keys is taken
    find = PeopleRepository._find
    steps = [
        lambda: write(
            other,
            "INSERT INTO person (source_key, id, name, created_at, updated_at) "
            "SELECT source_key, 'home:a', 'Other', 0, 0 FROM source",
        ),
        lambda: other.people.delete("home:a"),
    ]

    async def _find(self: Any, query: str, ids: Any) -> Any:
        if len(steps) == 1:
            await steps.pop()()
        found = await find(self, query, ids)
        if len(steps) == 2:
            await steps.pop(0)()
        return found

    monkeypatch.setattr(PeopleRepository, "_find", _find)
    assert await ms.people.upsert(person("a", "Ann"), source_id="home") == "home:a"
    assert steps == []
    assert await names(ms) == {"home:a": "Ann", "home:z": "Zoe"}


async def test_two_syncs_of_a_source_begin_one_after_the_other(ms: MediaSync, other: MediaSync) -> None:
    first: list[int] = []

    async def work(session: Session) -> None:
        first.append(await RunRepository(session).start("home", 1))

    held = Held(ms, work)
    await held.begin()
    starting = asyncio.create_task(
        database_of(other).write(lambda session: RunRepository(session).start("home", 2))
    )
    await held.commit_when_waited_for(starting)
    second = await starting
    assert await rows(ms, "SELECT run_key, status FROM sync_run ORDER BY run_key") == [
        (first[0], "interrupted"),
        (second, "running"),
    ]


@pytest.mark.parametrize("spellings", [("Ann", "Anna"), ("Anna", "Ann")])
async def test_a_group_waits_for_an_earlier_group_with_other_data_of_a_person(
    ms: MediaSync, other: MediaSync, spellings: tuple[str, str]
) -> None:
    """Another process holds up the first group, while the groups after the second one are committed."""
    await ms.media.save_media_item(movie("0"), **MOVIES)
    held = Held(other, lambda session: MediaRepository(session).find_states(["home:0"], lock=True))
    await held.begin()
    size = ITEMS_PER_PART
    given = [
        movie(f"{n}", title="New", credits=[credit("a", spellings[n // size]), credit(f"own {n}")])
        for n in range(2 * size)
    ]
    given += [movie(f"{n}") for n in range(2 * size, 3 * size)]
    saving = asyncio.create_task(ms.media.save_media_items(given, **MOVIES))
    last = given[-1].remote_id
    while not await rows(other, "SELECT id FROM media_items WHERE remote_id = :key", key=last):
        await asyncio.sleep(0)
    await held.commit()
    assert (await saving).saved == len(given)
    assert await rows(ms, "SELECT name FROM people WHERE id = 'home:a'") == [(spellings[1],)]


async def test_an_item_is_put_below_another_that_is_deleted(ms: MediaSync, other: MediaSync) -> None:
    """The deletion locks and logs what was put there before it had the lock."""
    await ms.media.save_media_item(show("s"), **SHOWS)
    normal = normal_item(season("s1", parent="s", season_number=1, title="New"), "home", "home:shows")

    async def work(session: Session) -> None:
        assert await save_group(session, [normal], [API], lambda: False) == [True]

    held = Held(ms, work)
    await held.begin()
    number = max([change.number async for change in ms.changes(follow=False)], default=0)
    deleting = asyncio.create_task(other.media.delete_media_item("home:s"))
    await held.commit_when_waited_for(deleting)
    assert await deleting
    logged = [change async for change in ms.changes(after=number, follow=False)]
    assert [(change.entity_id, change.what) for change in logged] == [
        ("home:s1", "added"),
        ("home:s1", "removed"),
        ("home:s", "removed"),
    ]
    assert await rows(ms, "SELECT word FROM mediasync.item_word") == []
    assert (await ms.check()).flaws == ()
