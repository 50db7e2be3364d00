"""Shared parts of the tests of PostgreSQL's failures: data, a proxy that cuts, a pooler, processes."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit, urlunsplit

import asyncpg
from robustness_forks import ForkServer
from robustness_world import SOURCE, credit_names, movie

from mediasync import MediaSync, Movie

PATIENCE = 60.0
_COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"


def with_parts(url: str, *, user: str | None = None, password: str | None = None, **options: str) -> str:
    """Return a URL with another user or other options."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    who = quote(user or unquote(parts.username or ""), safe="")
    secret = password if user is not None else parts.password and unquote(parts.password)
    if secret:
        who += f":{quote(secret, safe='')}"
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()} | options
    return urlunsplit(parts._replace(netloc=f"{who}@{place}" if who else place, query=urlencode(query)))


async def ask(url: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run one statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql, *values)]
    finally:
        await connection.close()


async def until(url: str, condition: str) -> None:
    """Wait until *condition* holds for ``pg_stat_activity`` of the other connections."""
    async with asyncio.timeout(PATIENCE):
        connection = await asyncpg.connect(url)
        try:
            while not await connection.fetchval(
                f"SELECT {condition} FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ):
                await asyncio.sleep(0.005)
        finally:
            await connection.close()


WAITS = "count(*) FILTER (WHERE wait_event_type = 'Lock') >= {}"
IDLE = "count(*) FILTER (WHERE state <> 'idle') = 0"


async def stored_versions(ms: MediaSync, size: int = 6) -> dict[str, int]:
    """Return the version of each stored item of `robustness_world.movie`, by its key.

    Raises:
        AssertionError: if an item is no whole version: fields of one and credits of another, or a part.
    """
    async with ms._database.read(snapshot=True) as session:
        items = await session.fetch_all("SELECT id, title, year, imdb_id FROM media_items")
        listed = await session.fetch_all(
            "SELECT media_item_id, person_id, person_type, role, sort_order FROM media_people "
            "ORDER BY media_item_id, sort_order"
        )
        names = await session.fetch_all(
            "SELECT media_item_id, name FROM genres ORDER BY media_item_id, position"
        )
    credits_by_item, genres_by_item = defaultdict(list), defaultdict(list)
    for item_id, *credit in listed:
        credits_by_item[item_id].append(tuple(credit))
    for item_id, name in names:
        genres_by_item[item_id].append(name)
    found: dict[str, int] = {}
    for item_id, title, year, imdb_id in items:
        key = item_id.partition(":")[2]
        match = re.fullmatch(re.escape(key) + r" v(\d+)", title)
        assert match, f"{key} has the title {title!r}"
        version = found[key] = int(match[1])
        assert year == 1900 + version % 100
        assert imdb_id == f"tt{version}"
        assert genres_by_item.pop(item_id) == [f"genre {version}", "drama"]
        expected = [(*row, order) for order, row in enumerate(credit_names(key, version, size))]
        assert credits_by_item.pop(item_id) == expected
        assert item_id == f"{SOURCE}:{key}"
    assert not credits_by_item
    assert not genres_by_item
    return found


def renamed(key: str, version: int) -> Movie:
    """Return one version of an item, whose people all have names of that version."""
    item = movie(key, version)
    for credit in item.credits or ():
        credit.person.name = f"Person {credit.person.remote_id} v{version}"
    return item


class _Link:
    """One client's connection through the proxy.

    Attributes:
        kind: what its transaction is: ``read``, ``save``, or ``block`` if it takes a block of keys.
        cut_at_answer: the answer to its commit is not passed on.
    """

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.writers = (client, server)
        self.kind = ""
        self.cut_at_answer = False

    def cut(self) -> None:
        """Cut it on both sides."""
        for writer in self.writers:
            writer.transport.abort()


_KEY_DATA = re.compile(rb"(K\0\0\0\x0c)....(....Z)", re.DOTALL)
"""BackendKeyData with the number of the server's process, and the beginning of ReadyForQuery after it."""


class Proxy:
    """Stands between clients and a server, behind a Unix socket, and cuts connections when told to.

    Attributes:
        cut: what is done at the next commit of a transaction of the kind `of`: ``before`` cuts the connection
            instead of passing the commit on, ``after`` when the server has answered it.
        then_refuse: refuse all connections once that was done, and cut those that there are.
        refusing: refuse all connections.
        refusals: how many were refused.
        cuts: how often a commit was cut.
        arrived: set when a client connects.
        exchanges: how often a client has waited for an answer.
        names: the names of all statements that were prepared.

    Args:
        url: the URL of a database on the server.
        as_pooler: name another process than the server's to clients, as poolers do.
    """

    def __init__(self, url: str, *, as_pooler: bool = False) -> None:
        self._upstream = url
        self._as_pooler = as_pooler
        self._folder = Path(tempfile.mkdtemp(prefix="mediasync-proxy-"))
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.cut: str | None = None
        self.of = "save"
        self.then_refuse = False
        self.refusing = False
        self.refusals = 0
        self.cuts = 0
        self.arrived = asyncio.Event()
        self.exchanges = 0
        self.names: set[str] = set()

    @property
    def url(self) -> str:
        """The URL of the same database through the proxy."""
        return with_parts(self._upstream, host=str(self._folder), port="5432")

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._accept, self._folder / ".s.PGSQL.5432")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.resume()
        self.cut_all()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._server.wait_closed()
        shutil.rmtree(self._folder)

    def pause(self) -> None:
        """Stop passing data on, like a server that hangs."""
        self._flows.clear()

    def resume(self) -> None:
        """Pass on the data that was held back."""
        self._flows.set()

    def cut_all(self) -> None:
        """Cut all connections."""
        for link in self._links:
            link.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.arrived.set()
        if self.refusing:
            self.refusals += 1
            writer.transport.abort()
            return
        parts = urlsplit(self._upstream)
        options = parse_qs(parts.query)
        host = options.get("host", [parts.hostname or "localhost"])[0]
        port = int(options.get("port", [parts.port or 5432])[0])
        if host.startswith("/"):
            answers, upstream = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            answers, upstream = await asyncio.open_connection(host, port)
        link = _Link(writer, upstream)
        self._links.add(link)
        try:
            await asyncio.gather(self._ask(link, reader, upstream), self._answer(link, answers, writer))
        except (ConnectionError, EOFError):
            pass
        finally:
            link.cut()
            self._links.discard(link)

    async def _ask(self, link: _Link, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter) -> None:
        kind = b""  # the first message has none
        while True:
            head = await reader.readexactly(4)
            body = await reader.readexactly(struct.unpack("!i", head)[0] - 4)
            await self._flows.wait()
            self.exchanges += kind in (b"Q", b"S", b"H")  # a query, Sync, Flush
            if kind == b"P":
                self.names.add(body.partition(b"\0")[0].decode())
            if kind == b"P" and b"key_blocks" in body:
                link.kind = "block"
            if kind == b"Q" and body.startswith(b"BEGIN"):
                link.kind = "read" if b"READ ONLY" in body else "save"
            if kind == b"Q" and body == b"COMMIT\0" and self.cut and link.kind == self.of:
                if self.cut == "before":
                    self._cut(link)
                    return
                link.cut_at_answer = True
            upstream.write(kind + head + body)
            await upstream.drain()
            kind = await reader.readexactly(1)

    async def _answer(self, link: _Link, answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await answers.read(1 << 16):
            await self._flows.wait()
            if self._as_pooler:
                data = _KEY_DATA.sub(lambda found: found[1] + bytes(4) + found[2], data)
            if link.cut_at_answer and _COMMITTED in data:
                self._cut(link)
                return
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError("the server is gone")

    def _cut(self, link: _Link) -> None:
        self.cut = None
        self.cuts += 1
        link.cut()
        if self.then_refuse:
            self.refusing = True
            self.cut_all()


@contextmanager
def pooler(url: str, pool_size: int) -> Iterator[str]:
    """Run pgbouncer in transaction mode before a database, and yield its URL."""
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    name = parts.path.removeprefix("/")
    place = {
        "host": options.get("host", [parts.hostname or "localhost"])[0],
        "port": options.get("port", [parts.port or 5432])[0],
        "dbname": name,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password or ""),
    }
    folder = Path(tempfile.mkdtemp(prefix="mediasync-pgb-"))
    folder.chmod(0o777)
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n{name} = {' '.join(f'{key}={value}' for key, value in place.items() if value)}\n"
        f"[pgbouncer]\nlisten_addr =\nlisten_port = 5432\nunix_socket_dir = {folder}\nauth_type = any\n"
        f"pool_mode = transaction\ndefault_pool_size = {pool_size}\nmax_client_conn = 100\n"
        "log_connections = 0\nlog_disconnections = 0\n"
    )
    # It refuses to run as root.
    who: dict[str, Any] = (
        {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    )
    process = subprocess.Popen(["pgbouncer", settings], stderr=subprocess.PIPE, text=True, **who)
    try:
        assert process.stderr is not None
        told = ""
        while "process up" not in told:
            line = process.stderr.readline()
            assert line, f"pgbouncer does not start: {told}"
            told += line
        yield f"postgresql://{quote(place['user'])}@/{name}?{urlencode({'host': folder, 'port': 5432})}"
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(folder)


class PostgresForks(ForkServer):
    """The process that forks the children of `robustness_postgres_children`."""

    script = "robustness_postgres_children.py"
