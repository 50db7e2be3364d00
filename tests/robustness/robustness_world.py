"""What the tests of robustness share: items whose every version is known, and what a process holds."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support import old_databases

from mediasync import Credit, Library, MediaSync, Movie, Person, Source

SOURCE = "home"
LIBRARY = "movies"
PLACE = {"library_id": LIBRARY, "source_id": SOURCE}
_TYPES = ("actor", "director", "writer")


def url_of(path: Path | str) -> str:
    """Return the URL of a database file."""
    return f"sqlite:////{str(path).lstrip('/')}"


def credit_names(key: str, version: int = 1, size: int = 6) -> list[tuple[str, str, str]]:
    """Return (person's id, person_type, role) of each credit of one version of an item, in order."""
    return [
        (f"{SOURCE}:p{(hash_of(key) + version * 7 + n) % 97}", _TYPES[n % 3], f"{key} v{version} #{n}")
        for n in range(size + version % 3)
    ]


def hash_of(key: str) -> int:
    """Return a number for a text, the same in every process."""
    return sum(ord(character) * (position + 1) for position, character in enumerate(key))


def movie(key: str, version: int = 1, size: int = 6) -> Movie:
    """Return one version of an item; its title, year, genres and credits all tell the version."""
    return Movie(
        remote_id=key,
        title=f"{key} v{version}",
        year=1900 + version % 100,
        genres=[f"genre {version}", "drama"],
        provider_ids={"imdb": f"tt{version}"},
        credits=[
            Credit(
                person=Person(remote_id=person_id.partition(":")[2], name=f"Person {person_id}"),
                person_type=kind,
                role=role,
            )
            for person_id, kind, role in credit_names(key, version, size)
        ],
    )


async def furnish(ms: MediaSync) -> None:
    """Save the source and the library that all items are of."""
    await ms.media.save_source(Source(id=SOURCE, kind="jellyfin", name="Home"))
    await ms.media.save_library(Library(id=LIBRARY, source_id=SOURCE, title="Movies", kind="movies"))


def plain(path: Path | str) -> sqlite3.Connection:
    """Open a database as any other program would."""
    return sqlite3.connect(path, isolation_level=None, timeout=10)


def stored_version(connection: sqlite3.Connection, key: str, size: int = 6) -> int | None:
    """Return which version of an item the public views show, or None if it is not there.

    Raises:
        AssertionError: if what is there is no whole version: fields of one and credits of another, or a part.
    """
    item_id = f"{SOURCE}:{key}"
    connection.execute("BEGIN")
    try:
        found = connection.execute("SELECT title, year, imdb_id FROM media_items WHERE id = ?", (item_id,))
        fields = found.fetchall()
        listed = connection.execute(
            "SELECT person_id, person_type, role, sort_order FROM media_people WHERE media_item_id = ?"
            " ORDER BY sort_order",
            (item_id,),
        ).fetchall()
        genres = connection.execute(
            "SELECT name FROM genres WHERE media_item_id = ? ORDER BY position", (item_id,)
        ).fetchall()
    finally:
        connection.execute("COMMIT")
    if not fields:
        assert not listed, f"{key} is not there, but credits of it are"
        assert not genres, f"{key} is not there, but genres of it are"
        return None
    [(title, year, imdb_id)] = fields
    match = re.fullmatch(re.escape(key) + r" v(\d+)", title)
    assert match, f"{key} has the title {title!r}"
    version = int(match[1])
    assert year == 1900 + version % 100
    assert imdb_id == f"tt{version}"
    assert genres == [(f"genre {version}",), ("drama",)]
    assert listed == [(*row, order) for order, row in enumerate(credit_names(key, version, size))]
    return version


async def assert_sound(ms: MediaSync) -> None:
    """Let the database check itself."""
    report = await ms.check()
    assert report.flaws == ()


def engine_of(ms: MediaSync):
    """Return what holds the connections: the tests of leaks look inside."""
    return ms._database._engine


def assert_idle(ms: MediaSync) -> None:
    """All readers are back in the pool, and no transaction is left open on any connection."""
    engine = engine_of(ms)
    assert engine._free.qsize() == len(engine._readers)
    assert not engine._turn.locked()
    for connection in (*engine._readers, engine._writer):
        if connection is not None:
            assert not connection.raw.in_transaction
    assert ms._database._reads == 0


@asynccontextmanager
async def watched(path: Path, **options: object) -> AsyncIterator[tuple[MediaSync, sqlite3.Connection]]:
    """Open and furnish a database, and look on from outside.

    Every connection has then opened all the files that it ever will, so that leaks can be told from them.
    The outer connection stays open as long: SQLite keeps a file open that is closed while others use it.
    """
    async with MediaSync(url_of(path), **options) as ms:
        await furnish(ms)
        connection = plain(path)
        try:
            stored_version(connection, "nothing")
            async with AsyncExitStack() as stack:
                for _ in engine_of(ms)._readers:
                    session = await stack.enter_async_context(ms._database.read(snapshot=True))
                    await session.fetch_all("SELECT count(*) AS n FROM media_items")
            yield ms, connection
        finally:
            connection.close()


@dataclass(frozen=True)
class Footprint:
    """The threads, tasks and files that this process holds."""

    threads: frozenset[threading.Thread] = field(default_factory=lambda: frozenset(threading.enumerate()))
    files: Counter[str] = field(default_factory=lambda: open_files())
    tasks: frozenset[asyncio.Task] = field(default_factory=lambda: frozenset(asyncio.all_tasks()))

    async def assert_unchanged(self) -> None:
        """Nothing is held that was not held then; what was told to end gets the time to."""
        for _ in range(1000):
            left = asyncio.all_tasks() - self.tasks
            if not left:
                break
            await asyncio.wait(left, timeout=0.01)
        assert asyncio.all_tasks() <= self.tasks, f"tasks: {asyncio.all_tasks() - self.tasks}"
        for thread in set(threading.enumerate()) - self.threads:
            thread.join(timeout=10)
            assert not thread.is_alive(), f"a thread is left: {thread}"
        left_open = open_files() - self.files
        assert not left_open, f"files: {dict(left_open)}"


def open_files() -> Counter[str]:
    """Return what this process' file descriptors point at, where the system tells."""
    folder = "/proc/self/fd"
    found: Counter[str] = Counter()
    if os.path.isdir(folder):
        for name in os.listdir(folder):
            try:
                found[os.readlink(f"{folder}/{name}")] += 1
            except OSError:
                continue  # the descriptor of the listing itself
    return found


OLD_VERSION = old_databases.OLDEST


def make_old_file_with_people(path: Path, people: int = 400) -> None:
    """Make a database of the oldest version that can be upgraded, with some people."""
    connection = plain(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN")
    for statement in old_databases.sqlite_dump(OLD_VERSION).split(";\n"):
        if statement.startswith("CREATE"):
            connection.execute(statement)
    connection.execute("INSERT INTO schema_version VALUES (?, 0)", [OLD_VERSION])
    connection.execute("INSERT INTO source VALUES (1, 'home', 'jellyfin', 'Home', NULL, 0, 0, 0, NULL)")
    connection.execute("INSERT INTO library VALUES (1, 1, 'home:movies', 'movies', 'Movies', 'movies', 0, 0)")
    connection.executemany(
        "INSERT INTO person VALUES (?, 1, 'home:old' || ?, 'Old Person ' || ?, '', '', 0, 0)",
        [(n, n, n) for n in range(1, people + 1)],
    )
    connection.execute("COMMIT")
    connection.close()
