"""PostgreSQL that stops, hangs, refuses, cuts and is shared: nothing is lost, and what happened is said."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from robustness_forks import Child
from robustness_postgres import (
    IDLE,
    PATIENCE,
    WAITS,
    PostgresForks,
    Proxy,
    ask,
    pooler,
    stored_versions,
    until,
    with_parts,
)
from robustness_steps import run_native, stepping
from robustness_world import PLACE, SOURCE, Footprint, assert_sound, furnish, movie
from support import postgres
from support.old_databases import make_old_postgres

from mediasync import MediaSync, Person, SaveReport
from mediasync.copying.copy import CopyService
from mediasync.database.postgres import connection as postgres_connection
from mediasync.database.postgres import engine as postgres_engine
from mediasync.database.postgres.dialect import PostgresDialect
from mediasync.database.schema import CURRENT_VERSION, table_and_view_names
from mediasync.errors import (
    CommitUnknown,
    ConfigurationError,
    DatabaseError,
    DatabaseLocked,
    DatabaseMissing,
    DatabaseReadOnly,
    DatabaseUnreachable,
    EncodingUnsupported,
    LifecycleError,
    MediaSyncError,
    SchemaForeign,
    SchemaTooNew,
    UnknownSource,
)

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

READERS, WRITERS = 3, 2
POOL = {"readers": READERS, "writers": WRITERS}
SEED = int(os.environ.get("MEDIASYNC_TEST_SEED", "0")) or random.SystemRandom().randrange(10**9)
KILLS = 15
CANCELS = 200
PROCESSES = 10


@pytest.fixture(scope="module")
def server() -> postgres.Server:
    """The server of the test run."""
    if reason := postgres.is_available():
        pytest.skip(reason)
    return postgres.server()


@pytest.fixture
def url(server: postgres.Server) -> str:
    """An empty database."""
    return server.new_database()


@pytest.fixture(scope="module")
def own() -> Iterator[postgres.Server]:
    """A server that may be stopped."""
    if reason := postgres.is_available():
        pytest.skip(reason)
    if os.environ.get(postgres.URL_VARIABLE):
        pytest.skip(f"the server of {postgres.URL_VARIABLE} may not be stopped")
    server = postgres.Server()
    yield server
    server.remove()


@pytest.fixture
def own_url(own: postgres.Server) -> Iterator[str]:
    """An empty database on the server that may be stopped; it runs again afterwards."""
    yield own.new_database()
    with suppress(RuntimeError):  # it runs
        own.start()


@pytest.fixture(scope="module")
def pg_forks() -> Iterator[PostgresForks]:
    """The process that forks children."""
    forks = PostgresForks()
    yield forks
    forks.close()


@asynccontextmanager
async def furnished(url: str, **options: float) -> AsyncIterator[MediaSync]:
    """Open a database with a source and a library, and one item ``before``; closing it may not hang."""
    ms = MediaSync(url, **{**POOL, "close_timeout": 5, **options})
    await ms.open()
    try:
        await furnish(ms)
        await save(ms, "before")
        yield ms
    finally:
        async with asyncio.timeout(PATIENCE):
            await ms.close()


def name_of(url: str) -> str:
    """Return the name of the database."""
    return urlsplit(url).path.removeprefix("/")


async def save(ms: MediaSync, key: str, version: int = 1) -> str:
    return (await ms.media.save_media_item(movie(key, version), **PLACE)).status


async def use_all_connections(ms: MediaSync, version: int) -> None:
    """Read on all connections that read at once, and write on all that write."""
    everybody = asyncio.Barrier(READERS)

    async def read() -> None:
        async with ms._database.read(snapshot=True) as session:
            await everybody.wait()
            assert await session.fetch_all("SELECT count(*) AS n FROM media_items")

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(read() for _ in range(READERS)))
        await asyncio.gather(*(save(ms, f"after{n}", version) for n in range(WRITERS * 4)))
        await ms.people.upsert(Person(remote_id="ann", name=f"Ann {version}"), source_id=SOURCE)
        stored = await stored_versions(ms)
        assert all(stored[f"after{n}"] == version for n in range(WRITERS * 4))
        assert [person.name for person in await ms.people.search(f"ann {version}")] == [f"Ann {version}"]


# A server that stops


@pytest.mark.parametrize("mode", ["immediate", "fast"])
async def test_the_server_stops_in_the_middle_of_a_stream(
    own: postgres.Server, own_url: str, mode: str
) -> None:
    async with furnished(own_url) as ms:
        report = SaveReport()
        enough = asyncio.Event()
        taken = 0

        async def endless() -> AsyncGenerator[object, None]:
            nonlocal taken
            while True:  # the call only ends if the intake does
                taken += 1
                if report.saved >= 300:
                    enough.set()
                yield movie(f"m{taken}")

        async def one_by_one(worker: int) -> list[str]:
            returned: list[str] = []
            while True:
                key = f"own{worker}-{len(returned)}"
                try:
                    await save(ms, key)
                except (DatabaseUnreachable, CommitUnknown):
                    return returned
                returned.append(key)

        stream = asyncio.create_task(
            ms.media.save_media_items(endless(), concurrency=500, report=report, **PLACE)
        )
        workers = [asyncio.create_task(one_by_one(n)) for n in range(4)]
        async with asyncio.timeout(PATIENCE):
            await enough.wait()
            await asyncio.to_thread(own.stop, mode)
            with pytest.raises(DatabaseUnreachable, match=r"postgresql://.*(lost|stopping)"):
                await stream
            returned = [key for worker in workers for key in await worker]
            with pytest.raises(DatabaseUnreachable):
                await ms.people.count()
            with pytest.raises(DatabaseUnreachable):
                await ms.people.upsert(Person(remote_id="ann", name="Ann"), source_id=SOURCE)
        assert report.saved >= 300
        assert not report.failed
        taken_then = taken
        await asyncio.to_thread(own.start)
        await use_all_connections(ms, 1)
        stored = await stored_versions(ms)
        assert not set(returned) - set(stored), "a save that had returned is lost"
        assert sum(key.startswith("m") for key in stored) >= report.saved
        assert taken == taken_then
        await assert_sound(ms)


@pytest.mark.parametrize("mode", ["immediate", "fast"])
async def test_a_restart_while_nothing_runs_is_not_noticed(
    own: postgres.Server, own_url: str, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with furnished(own_url) as ms:
        for version in (1, 2):
            await use_all_connections(ms, version)
            await asyncio.to_thread(own.stop, mode)
            await asyncio.to_thread(own.start)
        assert await ms.people.count() > 0  # the very first read
        await asyncio.to_thread(own.stop, mode)
        await asyncio.to_thread(own.start)
        assert await save(ms, "first") == "saved"  # the very first write
        await use_all_connections(ms, 3)
        await assert_sound(ms)
        [(connections,)] = await ask(
            own_url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        )
        assert connections - 1 <= READERS + WRITERS
    assert [record for record in caplog.records if record.name.startswith("asyncpg")] == []


async def test_closing_while_the_server_is_gone(own: postgres.Server, own_url: str) -> None:
    await asyncio.to_thread(int)  # the thread that stops the server is no leak
    before = Footprint()
    async with furnished(own_url) as ms:
        await use_all_connections(ms, 1)
        await asyncio.to_thread(own.stop, "immediate")
    with pytest.raises(LifecycleError):
        await ms.people.count()
    await before.assert_unchanged()
    ms = MediaSync(own_url)
    with pytest.raises(DatabaseUnreachable):
        await ms.open()
    await before.assert_unchanged()


# A connection that is cut


async def test_cut_after_the_commit(url: str) -> None:
    async with Proxy(url) as proxy, furnished(proxy.url) as ms:
        proxy.cut = "after"
        assert await save(ms, "x") == "saved"
        proxy.cut = "after"
        report = await ms.media.save_media_items([movie(f"m{n}") for n in range(700)], **PLACE)
        assert proxy.cuts == 2
        assert (report.saved, report.unchanged, report.failed) == (700, 0, [])
        assert set(await stored_versions(ms)) == {"before", "x", *(f"m{n}" for n in range(700))}
        await use_all_connections(ms, 1)
        await assert_sound(ms)


async def test_cut_before_the_commit(url: str) -> None:
    async with Proxy(url) as proxy, furnished(proxy.url) as ms:
        proxy.cut = "before"
        assert await save(ms, "x") == "saved"
        proxy.cut = "before"
        assert await save(ms, "before", 2) == "saved"
        proxy.cut = "before"
        report = await ms.media.save_media_items([movie(f"m{n}") for n in range(700)], **PLACE)
        assert proxy.cuts == 3
        assert (report.saved, report.unchanged, report.failed) == (700, 0, [])
        stored = await stored_versions(ms)
        assert set(stored) == {"before", "x", *(f"m{n}" for n in range(700))}
        assert stored["before"] == 2
        await assert_sound(ms)


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_cut_at_the_commit_and_then_refused(url: str, cut: str) -> None:
    """Nothing can be looked at: then that is what is said."""
    async with Proxy(url) as proxy, furnished(proxy.url, lock_timeout=0.2) as ms:
        proxy.cut, proxy.then_refuse = cut, True
        with pytest.raises(CommitUnknown, match=r"postgresql://.*may or may not have happened"):
            await save(ms, "x")
        with pytest.raises(DatabaseUnreachable):
            await ms.people.count()
        proxy.refusing = False
        assert ("x" in await stored_versions(ms)) == (cut == "after")
        proxy.cut = cut
        report = SaveReport()
        with pytest.raises(CommitUnknown):
            await ms.media.save_media_items((movie(f"m{n}") for n in range(30)), report=report, **PLACE)
        assert report.saved == 0
        assert not report.failed
        proxy.refusing = False
        assert await save(ms, "x") == ("unchanged" if cut == "after" else "saved")
        await use_all_connections(ms, 1)
        await assert_sound(ms)


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_cut_at_the_commit_and_then_refused_for_a_while(url: str, cut: str) -> None:
    async with Proxy(url) as proxy, furnished(proxy.url) as ms, asyncio.timeout(PATIENCE):
        proxy.cut, proxy.then_refuse = cut, True
        saving = asyncio.create_task(save(ms, "x"))
        while proxy.refusals < 3:
            await asyncio.sleep(0.01)
        proxy.refusing = False
        assert await saving == "saved"
        assert set(await stored_versions(ms)) == {"before", "x"}


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_the_commit_of_an_operation_is_cut(url: str, cut: str) -> None:
    async with Proxy(url) as proxy, furnished(proxy.url) as ms:
        proxy.cut = cut
        with pytest.raises(CommitUnknown, match="look at what is stored"):
            await ms.people.upsert(Person(remote_id="ann", name="Ann"), source_id=SOURCE)
        assert proxy.cuts == 1
        assert bool(await ms.people.find_by_id("home:ann")) == (cut == "after")
        await ms.people.upsert(Person(remote_id="ann", name="Ann"), source_id=SOURCE)
        assert [person.id for person in await ms.people.search("ann")] == ["home:ann"]
        await assert_sound(ms)


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_the_commit_of_a_snapshot_is_cut(url: str, cut: str) -> None:
    """A snapshot commits nothing: nobody is told of a commit."""
    async with Proxy(url) as proxy, furnished(proxy.url) as ms:
        proxy.of, proxy.cut = "read", cut
        with pytest.raises(DatabaseUnreachable):
            await ms.media.find_by_title("before")
        assert proxy.cuts == 1
        assert await ms.people.count() > 0


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_the_commit_that_takes_a_block_of_keys_is_cut(url: str, cut: str) -> None:
    """Nothing was written then, whatever became of the block."""
    async with Proxy(url) as proxy, MediaSync(proxy.url, **POOL) as ms:
        await furnish(ms)
        proxy.of, proxy.cut = "block", cut
        with pytest.raises(DatabaseUnreachable):
            await ms.people.upsert(Person(remote_id="ann", name="Ann"), source_id=SOURCE)
        assert proxy.cuts == 1
        assert await ms.people.count() == 0
        assert await save(ms, "x") == "saved"
        await use_all_connections(ms, 1)
        await assert_sound(ms)


async def test_a_read_is_cancelled_while_the_server_hangs(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_connection, "_ROLLBACK_TIMEOUT", 0.05)
    async with Proxy(url) as proxy, furnished(proxy.url) as ms:
        proxy.pause()
        reading = asyncio.create_task(ms.people.count())
        while not ms._database._reads:
            await asyncio.sleep(0)
        reading.cancel()
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait({reading})
        assert reading.cancelled()
        proxy.resume()
        await use_all_connections(ms, 1)


async def test_closing_while_the_server_hangs(url: str) -> None:
    async with Proxy(url) as proxy, asyncio.timeout(PATIENCE):
        async with furnished(proxy.url, close_timeout=0.05) as ms:
            await use_all_connections(ms, 1)
            proxy.pause()
            tasks = [
                asyncio.create_task(ms.people.upsert(Person(remote_id="x", name="X"), source_id=SOURCE)),
                asyncio.create_task(ms.people.count()),
            ]
            while not (ms._database._reads and ms._database._writes):
                await asyncio.sleep(0)
        for task in tasks:
            with pytest.raises(LifecycleError):
                await task
    await until(url, "count(*) = 0")


@pytest.mark.parametrize("what", ["read", "write"])
async def test_closed_while_a_connection_is_being_made(url: str, what: str) -> None:
    before = Footprint()
    async with Proxy(url) as proxy:
        ms = MediaSync(proxy.url, readers=1, writers=1, close_timeout=0.05)
        await ms.open()
        await furnish(ms)
        proxy.cut_all()
        await until(url, "count(*) = 0")
        proxy.pause()
        proxy.arrived.clear()
        person = Person(remote_id="ann", name="Ann")
        engine = ms._database._engine
        if what == "read":
            task = asyncio.create_task(ms.people.count())
            connection = engine._readers[0]
        else:
            task = asyncio.create_task(ms.people.upsert(person, source_id=SOURCE))
            connection = engine._writers[0]
        async with asyncio.timeout(PATIENCE):
            await proxy.arrived.wait()
            closing = asyncio.create_task(ms.close())
            while not connection._closed:
                await asyncio.sleep(0.01)
            proxy.resume()
            await closing
            with pytest.raises(LifecycleError):
                await task
        await until(url, "count(*) = 0")
    await before.assert_unchanged()


# A server that refuses


async def test_no_room_for_connections(own: postgres.Server, own_url: str) -> None:
    role = "has_concurrent_writers"
    name = name_of(own_url)
    with suppress(asyncpg.DuplicateObjectError):
        own.run(f"CREATE ROLE {role} LOGIN")
    own.run(f"ALTER DATABASE {name} OWNER TO {role}")
    limited = with_parts(own_url, user=role)
    async with furnished(limited, readers=1, writers=1) as ms:
        own.run(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
        other = MediaSync(limited)
        with pytest.raises(DatabaseUnreachable, match=r"accepts no more connections.*53300"):
            await other.open()
        assert await ms.people.count() > 0  # those that it has, it keeps
        own.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        with pytest.raises(DatabaseUnreachable, match="accepts no more connections"):
            await ms.people.count()
        with pytest.raises(DatabaseUnreachable, match="accepts no more connections"):
            await save(ms, "x")
        own.run(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
        assert await ms.people.count() > 0
        with pytest.raises(DatabaseUnreachable, match="accepts no more connections"):
            await ms.people.upsert(Person(remote_id="ann", name="Ann"), source_id=SOURCE)
        own.run(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
        assert await save(ms, "x") == "saved"
        assert set(await stored_versions(ms)) == {"before", "x"}


async def test_a_database_that_only_reads(url: str) -> None:
    async with furnished(url) as ms:
        await ask(url, f"ALTER DATABASE {name_of(url)} SET default_transaction_read_only = on")
        await ask(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        async with MediaSync(url, **POOL) as other:
            for mirror in (ms, other):
                with pytest.raises(DatabaseReadOnly, match="default_transaction_read_only"):
                    await save(mirror, "x")
                with pytest.raises(DatabaseReadOnly):
                    await save(mirror, "before", 2)
                with pytest.raises(DatabaseReadOnly):
                    await mirror.media.save_media_items((movie(f"m{n}") for n in range(10**9)), **PLACE)
                with pytest.raises(DatabaseReadOnly):
                    await mirror.people.upsert(Person(remote_id="ann", name="Ann"), source_id=SOURCE)
                assert await save(mirror, "before") == "unchanged"
                assert await stored_versions(mirror) == {"before": 1}
                await assert_sound(mirror)


async def test_an_empty_database_that_only_reads(url: str) -> None:
    await ask(url, f"ALTER DATABASE {name_of(url)} SET default_transaction_read_only = on")
    with pytest.raises(DatabaseReadOnly):
        await MediaSync(url).open()


@asynccontextmanager
async def locked(url: str, sql: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold the locks that a statement takes."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"BEGIN; {sql}")
        yield connection
    finally:
        await connection.close()


LOCK_ITEM = "SELECT 1 FROM mediasync.media_item WHERE id = 'home:before' FOR UPDATE"


async def test_a_statement_timeout(url: str) -> None:
    async with furnished(url):
        pass
    await ask(url, f"ALTER DATABASE {name_of(url)} SET statement_timeout = '1s'")
    async with furnished(url) as ms, locked(url, LOCK_ITEM) as holder:
        with pytest.raises(DatabaseError, match="statement_timeout") as caught:
            await save(ms, "before", 2)
        assert type(caught.value) is DatabaseError
        assert await save(ms, "other") == "saved"
        await holder.execute("ROLLBACK")
        assert await save(ms, "before", 2) == "saved"


@pytest.mark.parametrize("loop_runs", [True, False])
async def test_a_session_that_the_server_ends_for_idling(url: str, loop_runs: bool) -> None:
    """As when the program computes for too long, or is suspended, in the middle of a transaction."""
    async with furnished(url):
        pass
    await ask(
        url,
        f"ALTER DATABASE {name_of(url)} SET idle_in_transaction_session_timeout = '50ms'",
    )
    async with furnished(url) as ms:

        async def idle() -> None:
            async with ms._database.read(snapshot=True) as session:
                await session.fetch_all("SELECT 1 AS one")
                ended = until(url, "count(*) FILTER (WHERE state = 'idle in transaction') = 0")
                await (asyncio.to_thread(postgres.in_thread, ended) if loop_runs else stop_loop(ended))
                await session.fetch_all("SELECT 1 AS one")

        async def stop_loop(ended: Coroutine[object, object, None]) -> None:
            postgres.in_thread(ended)

        with pytest.raises(DatabaseUnreachable, match="lost"):
            await idle()
        await use_all_connections(ms, 1)


LOCKS: dict[str, tuple[str, Callable[[MediaSync, str], Awaitable[object]]]] = {
    "an item": (LOCK_ITEM, lambda ms, url: save(ms, "before", 2)),
    "many items": (
        LOCK_ITEM,
        lambda ms, url: ms.media.save_media_items(
            (movie(f"m{n}" if n % 500 else "before", 2) for n in range(10**9)), concurrency=500, **PLACE
        ),
    ),
    "an inserted item": (
        "INSERT INTO mediasync.media_item SELECT (jsonb_populate_record(i, "
        """'{"item_key": 1, "id": "home:x", "remote_id": "x"}')).* FROM mediasync.media_item i""",
        lambda ms, url: save(ms, "x"),
    ),
    "a person": (
        "UPDATE mediasync.person SET name = name",
        lambda ms, url: ms.people.upsert(
            Person(remote_id=movie("before").credits[0].person.remote_id, name="Ann"), source_id=SOURCE
        ),
    ),
    "a table": ("LOCK TABLE mediasync.credit", lambda ms, url: save(ms, "x")),
    "the source's blocks of keys": (
        "UPDATE mediasync.source SET name = name",
        lambda ms, url: save(ms, "x"),
    ),
    "the schema": (
        "SELECT pg_advisory_xact_lock(hashtextextended('mediasync other', 0))",
        lambda ms, url: MediaSync(url, lock_timeout=0.1, postgres_schema="other").open(),
    ),
}


@pytest.mark.parametrize("what", LOCKS)
async def test_a_lock_that_another_holds(url: str, what: str) -> None:
    async with furnished(url):
        pass
    statement, work = LOCKS[what]
    async with MediaSync(url, lock_timeout=0.1, **POOL) as ms, asyncio.timeout(PATIENCE):
        async with locked(url, statement):
            working = asyncio.ensure_future(work(ms, url))
            done, _ = await asyncio.wait({working}, timeout=PATIENCE / 2)
        with pytest.raises(DatabaseLocked, match="lock_timeout"):
            await working
        assert done, "it has waited until the lock was free"
        assert await save(ms, "x") == "saved"
        stored = await stored_versions(ms)
        assert (stored["before"], stored["x"]) == (1, 1)
        await assert_sound(ms)


async def test_a_read_does_not_wait_for_writers(url: str) -> None:
    async with furnished(url) as ms, locked(url, LOCK_ITEM), asyncio.timeout(PATIENCE):
        assert (await ms.media.get_media_item("home:before")).title == "before v1"
        assert await save(ms, "before") == "unchanged"


@pytest.fixture(scope="module")
def passwords(own: postgres.Server) -> postgres.Server:
    """The server, with a user who needs a password."""
    rules = own.folder / "data" / "pg_hba.conf"
    rules.write_text(f"local all locked scram-sha-256\n{rules.read_text()}")
    own.run("SELECT pg_reload_conf()")
    own.run("CREATE ROLE locked LOGIN PASSWORD 'right'")
    return own


@pytest.mark.parametrize("password", ["wr0ng-secret", "wr0ng/secr?et#%@:", "", None])
async def test_a_wrong_password(passwords: postgres.Server, own_url: str, password: str | None) -> None:
    with pytest.raises(DatabaseUnreachable, match="user or the password") as caught:
        await MediaSync(with_parts(own_url, user="locked", password=password)).open()
    assert not password or password not in everything_told(caught.value)


def everything_told(error: BaseException | None) -> str:
    """Return the messages of an error and of what caused it."""
    told = ""
    while error is not None:
        told += f"{error!r} {error}\n"
        error = error.__cause__ or error.__context__
    return told


async def refused(url: str) -> MediaSyncError:
    with pytest.raises(MediaSyncError) as caught:
        await MediaSync(url).open()
    assert "s3cret" not in everything_told(caught.value)
    return caught.value


async def test_who_and_what_is_not_there(url: str, tmp_path: Path) -> None:
    me = urlsplit(url).username or "postgres"
    error = await refused(with_parts(url, user="nobody_at_all", password="s3cret"))
    assert type(error) is DatabaseUnreachable
    assert "nobody_at_all" in str(error)
    missing = re.sub(r"mediasync_test_\w+", "not_there", with_parts(url, user=me, password="s3cret"))
    error = await refused(missing)
    assert type(error) is DatabaseMissing
    assert "not_there" in str(error)
    for place in (
        f"postgresql://me:s3cret@/db?host={tmp_path}",
        "postgresql://me:s3cret@127.0.0.1:1/db",
        "postgresql://me:s3cret@host.invalid/db",
    ):
        error = await refused(place)
        assert type(error) is DatabaseUnreachable
        assert "database postgresql://" in str(error)


@pytest.mark.parametrize(
    "password", ["s3cret/", "12/s3cret", "12#s3cret", "12?s3cret", "s3cret#a", "12?s3cret=a"]
)
async def test_a_password_that_is_not_encoded_is_not_told(password: str) -> None:
    with pytest.raises(ConfigurationError, match="%") as caught:
        MediaSync(f"postgresql://me:{password}@host/db")
    assert "s3cret" not in everything_told(caught.value)


# Several processes


def go(children: list[Child], lines: int) -> list[str]:
    """Let all go on at once, when all are ready; return the last line that each tells."""
    for child in children:
        child.wait_for_lines(lines)
    for child in children:
        child.tell()
    told = [child.wait_for_lines(lines + 1)[-1] for child in children]
    for child in children:
        assert child.wait() == 0, child.errors
    return told


async def test_two_processes_save_the_same_items(url: str, pg_forks: PostgresForks) -> None:
    rounds, items = 12, 50
    async with furnished(url):
        pass
    children = [
        pg_forks.run("hammer", url=url, first=first, rounds=rounds, items=items) for first in (1, 1001)
    ]
    results = [json.loads(line) for line in go(children, 1)]
    for result in results:
        assert result["failed"] == []
        assert result["saved"] > rounds
    async with MediaSync(url, **POOL) as ms:
        stored = await stored_versions(ms)
        assert set(stored) == {"before", *(f"shared{n}" for n in range(items))}
        assert {version % 1000 for key, version in stored.items() if key != "before"} == {rounds}
        await assert_sound(ms)


async def test_a_deadlock_is_tried_again(url: str) -> None:
    people = [Person(remote_id=key, name=key) for key in ("p-a", "p-b")]
    async with furnished(url) as ms:
        await ms.people.upsert_batch(people, source_id=SOURCE)
        for _ in range(5):
            async with locked(url, "UPDATE mediasync.person SET name = 'z' WHERE id = 'home:p-b'") as other:
                # Whoever has waited for this long looks for deadlocks, and is the one who fails.
                await other.execute("SET deadlock_timeout = '3s'")
                for person in people:
                    person.name += "x"
                saving = asyncio.create_task(ms.people.upsert_batch(people, source_id=SOURCE))
                await until(url, WAITS.format(1))
                try:
                    await other.execute("UPDATE mediasync.person SET name = 'z' WHERE id = 'home:p-a'")
                except asyncpg.DeadlockDetectedError:  # it was: a slow machine
                    await other.execute("ROLLBACK")
                    await saving
                    continue
                await other.execute("COMMIT")
                await saving
                break
        else:
            pytest.fail("the other one was the victim every time")
        found = [(await ms.people.find_by_id(f"home:{key}")).name for key in ("p-a", "p-b")]
        assert found == [person.name for person in people]
    [(deadlocks,)] = await ask(
        url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert deadlocks >= 1


async def assert_one_version(url: str, counter: str) -> None:
    """The schema has one version, the current one, and *counter* says that it was written once."""
    assert await ask(url, "SELECT version FROM mediasync.schema_version") == [(CURRENT_VERSION,)]
    [(times,)] = await ask(url, f"SELECT {counter} FROM pg_stat_user_tables WHERE relname = 'schema_version'")
    assert times == 1


async def test_ten_processes_open_an_empty_database_at_once(url: str, pg_forks: PostgresForks) -> None:
    children = [pg_forks.run("open_each", paths=[url], save=True) for _ in range(PROCESSES)]
    told = go(children, 1)
    assert [line.split()[0] for line in told] == ["done"] * PROCESSES, told
    async with MediaSync(url, **POOL) as ms:
        assert await stored_versions(ms) == {f"of{line.split()[1]}": 1 for line in told}
        await assert_sound(ms)
    await assert_one_version(url, "n_tup_ins")


async def test_ten_processes_upgrade_a_database_at_once(url: str, pg_forks: PostgresForks) -> None:
    await make_old_postgres(url)
    children = [pg_forks.run("open_each", paths=[url], save=False) for _ in range(PROCESSES)]
    told = go(children, 1)
    assert [line.split()[0] for line in told] == ["done"] * PROCESSES, told
    async with MediaSync(url, **POOL) as ms:
        item = await ms.media.get_media_item("home:603")
        assert [one.person.name for one in item.cast] == ["Keanu Reeves", "Laurence Fishburne"]
        assert [one.name for one in await ms.people.search("敏")] == ["三船 敏郎"]
        await assert_sound(ms)
    await assert_one_version(url, "n_tup_upd")


@pytest.mark.parametrize(("name", "other"), [("user", "order"), ("select", "user")])
async def test_the_name_of_a_schema_may_be_a_reserved_word(
    url: str, name: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Upgraded, written, read, analysed, checked and copied."""
    monkeypatch.setattr(postgres_engine, "_WORTH_ANALYZING", -1)
    await make_old_postgres(url, schema=name)
    async with (
        MediaSync(url, postgres_schema=name, **POOL) as ms,
        MediaSync(url, postgres_schema=other, **POOL) as copy,
    ):
        await furnish(ms)
        large = movie("large", size=300)  # its credits come by COPY
        await ms.media.save_media_item(large, **PLACE)
        assert len((await ms.media.get_media_item("home:large")).credits) == len(large.credits)
        assert [person.name for person in await ms.people.search("敏")] == ["三船 敏郎"]
        await ms._database._engine.update_statistics()
        analyzed = await ask(
            url,
            "SELECT relname FROM pg_stat_user_tables WHERE schemaname = $1 AND analyze_count > 0",
            name,
        )
        assert ("credit",) in analyzed
        await CopyService(ms._database, copy._database, lambda *_: None).run()
        for mirror in (ms, copy):
            await assert_sound(mirror)
            assert len((await mirror.media.get_media_item("home:large")).credits) == len(large.credits)
    schemas = await ask(
        url,
        "SELECT table_schema::text, count(*) FROM information_schema.tables "
        "WHERE table_schema !~ '^pg_|^information' GROUP BY 1 ORDER BY 1",
    )
    assert schemas == sorted((schema, len(table_and_view_names())) for schema in (name, other))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "MULE_INTERNAL"])
@pytest.mark.parametrize("options", [{}, {"read_only": True}], ids=str)
async def test_a_database_that_is_not_in_utf8_is_refused(
    own: postgres.Server, encoding: str, options: dict[str, Any]
) -> None:
    name = f"in_{encoding}_{len(options)}".lower()
    own.run(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    with pytest.raises(EncodingUnsupported, match=rf"{name}.*{encoding}.*createdb --encoding UTF8"):
        await MediaSync(own.url(name), **options).open()


async def test_a_newer_schema_is_refused(url: str) -> None:
    async with MediaSync(url, **POOL):
        pass
    await ask(url, "UPDATE mediasync.schema_version SET version = 1000")
    with pytest.raises(SchemaTooNew, match="schema 1000"):
        await MediaSync(url).open()
    assert await ask(url, "SELECT version FROM mediasync.schema_version") == [(1000,)]


async def test_tables_of_others_are_refused(url: str) -> None:
    await ask(url, "CREATE TABLE person (id text)")  # in the schema "public": in nobody's way
    await ask(url, "CREATE SCHEMA others")
    await ask(url, "CREATE TABLE others.person (id text)")
    with pytest.raises(SchemaForeign):
        await MediaSync(url, postgres_schema="others").open()
    async with MediaSync(url, **POOL) as ms:
        await assert_sound(ms)
    left = await ask(
        url,
        "SELECT table_schema, count(*) FROM information_schema.tables "
        "WHERE table_schema !~ '^pg_|^information' GROUP BY 1 ORDER BY 1",
    )
    assert left == [("mediasync", len(table_and_view_names())), ("others", 1), ("public", 1)]


async def test_killed_again_and_again(url: str, pg_forks: PostgresForks) -> None:
    chance = random.Random(SEED)
    expected: dict[str, int] = {}
    async with furnished(url) as ms:
        for number in range(KILLS):
            child = pg_forks.run("save_forever", path=url, first=number * 10_000, batch=number % 2 * 300)
            lines = child.wait_for_lines(chance.randrange(1, 400))
            child.kill()
            assert child.wait() == -9, child.errors
            for key, version in (line.rsplit(" ", 1) for line in lines if " " in line):
                expected[key] = int(version)
            if number % 3 == 2:
                stored = await stored_versions(ms)
                lost = {key for key, version in expected.items() if stored.get(key, 0) < version}
                assert not lost, SEED
        assert len(expected) > KILLS
        await assert_sound(ms)
        await until(url, f"count(*) <= {READERS + WRITERS}")


# Cancelled


async def test_cancelled_at_any_step(url: str) -> None:
    chance = random.Random(SEED)
    number = 0

    async def save_new() -> None:
        await save(ms, f"new{number}")

    async def save_again() -> None:
        await save(ms, "again", number)

    async def save_many() -> None:
        await ms.media.save_media_items([movie(f"many{n}", number) for n in range(3)], **PLACE)

    async def upsert() -> None:
        await ms.people.upsert(Person(remote_id="ann", name=f"Ann {number}"), source_id=SOURCE)

    async def get_item() -> None:
        assert len((await ms.media.get_media_item("home:before")).credits) == len(movie("before").credits)

    async def count() -> None:
        assert await ms.people.count() > 0

    before = Footprint()
    with stepping() as stepper:
        async with furnished(url) as ms:
            await upsert()
            steps: dict[Callable[[], Awaitable[None]], int] = {}
            for work in (save_new, save_again, save_many, upsert, get_item, count):
                number += 1
                await run_native(stepper, work, at=10**9)
                steps[work] = stepper.count
            cancelled = 0
            first = number + 1
            for number in range(first, first + CANCELS):
                work = chance.choice(list(steps))
                at = chance.randint(1, steps[work])
                late = chance.random() < 0.5
                async with asyncio.timeout(PATIENCE):
                    cancelled += await run_native(stepper, work, at, late=late)
                    if number % 5 == 0:
                        await stored_versions(ms)
                        await until(url, IDLE)
                        await until(url, f"count(*) <= {READERS + WRITERS}")
                if number % 50 == 0:
                    await use_all_connections(ms, number)
                    await assert_sound(ms)
            assert cancelled > CANCELS / 4, SEED
            await upsert()  # after what was cancelled and may still be on its way
            ann = await ms.people.find_by_id("home:ann")
            assert ann.name == f"Ann {number}"
            assert ann in await ms.people.search(ann.name)
    await until(url, "count(*) = 0")
    await before.assert_unchanged()


async def test_a_begin_that_is_cancelled_leaves_no_transaction_open(url: str) -> None:
    """The server gets the BEGIN before it is told that nobody wants it any more."""
    async with Proxy(url) as proxy, furnished(proxy.url, readers=1) as ms:
        assert await ms.people.count() > 0
        for _ in range(10):
            reading = asyncio.create_task(ms.people.count())
            while not ms._database._reads:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait({reading})
            assert reading.cancelled()
            await until(url, IDLE)


async def test_nothing_is_rolled_back_where_no_transaction_is_open(
    own: postgres.Server, own_url: str
) -> None:
    """The server would warn of it in its log."""
    log = own.folder / "data" / "log"
    before = len(log.read_text())

    async def get_item() -> None:
        await ms.media.get_media_item("home:before")

    async def save_again() -> None:
        await save(ms, "again", number)

    with stepping() as stepper:
        async with furnished(own_url, readers=1, writers=1, lock_timeout=0.1) as ms:
            number = 0
            for work in (get_item, save_again):
                number += 1
                await run_native(stepper, work, at=10**9)
                for step in range(1, stepper.count + 1):
                    for late in (False, True):
                        number += 1
                        await run_native(stepper, work, step, late=late)
            with pytest.raises(UnknownSource):
                await ms.people.upsert(Person(remote_id="ann", name="Ann"), source_id="nowhere")
            async with locked(own_url, LOCK_ITEM):
                with pytest.raises(DatabaseLocked):
                    await save(ms, "before", 2)
            assert await save(ms, "before", 2) == "saved"
    async with Proxy(own_url) as proxy, furnished(proxy.url, readers=1) as ms:
        for _ in range(10):  # before and after the server has begun
            reading = asyncio.create_task(ms.people.count())
            while not ms._database._reads:
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait({reading})
    warnings = [line for line in log.read_text()[before:].splitlines() if "WARNING" in line]
    assert warnings == []


async def test_a_connection_cut_off_between_two_steps_of_the_driver_was_closed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with furnished(url, writers=1) as ms:
        prepare = asyncpg.Connection._get_statement

        async def prepare_and_cut_off(raw: asyncpg.Connection, query: str, *args: Any, **options: Any) -> Any:
            statement = await prepare(raw, query, *args, **options)
            if "INSERT" in query:
                ms._database.give_up_waiting()
            return statement

        monkeypatch.setattr(asyncpg.Connection, "_get_statement", prepare_and_cut_off)
        with pytest.raises(LifecycleError, match="was closed before this was done"):
            await save(ms, "late")


async def test_a_read_is_cancelled_in_the_middle_of_its_query(url: str) -> None:
    async with furnished(url, readers=1, writers=1) as ms:
        async with locked(url, "LOCK TABLE mediasync.media_item"), asyncio.timeout(PATIENCE):
            for _ in range(3):
                reading = asyncio.create_task(ms.media.get_media_item("home:before"))
                await until(url, WAITS.format(1))
                reading.cancel()
                await asyncio.wait({reading})
                assert reading.cancelled()
                await until(url, "count(*) FILTER (WHERE wait_event_type = 'Lock') = 0")
                assert await ms.people.count() > 0
        assert (await ms.media.get_media_item("home:before")).title == "before v1"


async def test_closing_cuts_a_read_and_a_save_short(url: str) -> None:
    before = Footprint()
    async with furnished(url, lock_timeout=600):
        pass
    async with locked(url, "LOCK TABLE mediasync.credit"), asyncio.timeout(PATIENCE):
        ms = MediaSync(url, lock_timeout=600, close_timeout=0.05, **POOL)
        await ms.open()
        reading = asyncio.create_task(ms.media.get_media_item("home:before"))
        saving = [asyncio.create_task(save(ms, f"m{n}")) for n in range(5)]
        await until(url, WAITS.format(2))
        await ms.close()
        for task in (reading, *saving):
            with pytest.raises(LifecycleError):
                await task
    await until(url, "count(*) = 0")  # the server looks for them when their locks are free
    async with MediaSync(url, **POOL) as again:
        assert await stored_versions(again) == {"before": 1}
        await assert_sound(again)
    await before.assert_unchanged()


async def test_closing_between_the_queries_of_a_read(url: str) -> None:
    async with furnished(url, close_timeout=0.05) as ms, asyncio.timeout(PATIENCE):
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(ms._database.read(snapshot=True))
            await session.fetch_all("SELECT count(*) AS n FROM media_items")
            await ms.close()
            for use in (session.fetch_all, session.execute):
                with pytest.raises(LifecycleError):
                    await use("SELECT 1 AS one")
            with pytest.raises(LifecycleError):
                await stack.aclose()
        await until(url, "count(*) = 0")


# Connections to the server itself


async def test_an_item_with_its_cast_takes_one_exchange(url: str) -> None:
    async with Proxy(url) as proxy, furnished(proxy.url, readers=1) as ms:
        item = await ms.media.get_media_item("home:before")
        before = proxy.exchanges
        assert await ms.media.get_media_item("home:before") == item
        assert proxy.exchanges == before + 1
        assert len(await ms.people.find_by_media_item("home:before")) == len(item.credits or [])
        assert proxy.exchanges <= before + 3


async def test_a_query_whose_connection_is_lost_is_asked_again(url: str) -> None:
    async with Proxy(url) as proxy, furnished(proxy.url, readers=1) as ms:
        number = await ms.people.count()
        proxy.pause()
        asked = asyncio.create_task(ms.people.count())
        await until(url, "count(*) FILTER (WHERE state <> 'idle') = 0")
        proxy.cut_all()
        proxy.resume()
        assert await asked == number


# A pooler between


async def test_no_statement_is_kept_behind_what_looks_like_a_pooler(url: str) -> None:
    async with Proxy(url, as_pooler=True) as proxy, furnished(proxy.url) as ms:
        for _ in range(2):
            await save(ms, "again")
            assert (await ms.media.get_media_item("home:again")).id
            assert await ms.media.find_by_title("again")
        assert proxy.names == {""}
    async with Proxy(url) as proxy, MediaSync(proxy.url, **POOL) as ms:
        assert (await ms.media.get_media_item("home:again")).id
        assert proxy.names > {""}


async def test_behind_pgbouncer(server: postgres.Server, url: str) -> None:
    if shutil.which("pgbouncer") is None:
        pytest.skip("no pgbouncer on the PATH")
    library = Path(__file__).parents[2] / "examples" / "library"
    async with MediaSync(url, **POOL) as ms:
        direct = await ms.sync(f"nfo:{library}")
    other = server.new_database()
    with pooler(other, pool_size=2) as pooled:
        async with furnished(pooled) as ms:
            report = await ms.sync(f"nfo:{library}")
            assert (report.run.status, report.run.saved) == (direct.run.status, direct.run.saved)
            assert report.run.saved > 0
            again = await ms.sync(f"nfo:{library}")
            assert again.run.saved == 0
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(
                    ms.media.save_media_items([movie(f"m{n}") for n in range(1200)], **PLACE),
                    *(save(ms, f"own{n}") for n in range(100)),
                    *(ms.media.get_media_item("home:before") for _ in range(100)),
                    *(ms.people.count() for _ in range(100)),
                )
            with pytest.raises(DatabaseLocked):
                async with locked(other, LOCK_ITEM), MediaSync(pooled, lock_timeout=0.1) as impatient:
                    await save(impatient, "before", 2)
            assert await save(ms, "before", 2) == "saved"
            counts = [number for *_, number in await ms.media.count_by_library()]
            assert sum(counts) == direct.run.saved + 1301
            await assert_sound(ms)


# Words


@pytest.mark.parametrize("state", ["25P03", "25P04", "57P01", "57P03", "57P05", "53300", "08006"])
def test_what_ends_a_connection_is_said_so(state: str) -> None:
    error = asyncpg.PostgresError.new({"C": state, "M": "because", "S": "FATAL"})
    translated = PostgresDialect.translate_error(error, "it")
    assert type(translated) is DatabaseUnreachable
    assert state in str(translated)


@pytest.mark.parametrize(
    "flaw", ["host:99999/db", "a..b/db", "host/db?sslmode=yes", "host/db?password=s3cret"]
)
async def test_a_url_that_cannot_be_used(flaw: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MediaSync(f"postgresql://me:s3cret@{flaw}")
    assert "s3cret" not in everything_told(caught.value)
