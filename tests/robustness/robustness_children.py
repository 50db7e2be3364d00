"""Processes that work on a database, forked from one that has imported everything already.

Run as a script, this is the process that forks: it never starts a thread or an event loop itself.
"""

from __future__ import annotations

import array
import asyncio
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

import databases.backends.sqlite  # noqa: F401  (else imported at the first use, perhaps as another user)
from robustness_world import PLACE, furnish, movie, plain, stored_version, url_of

from mediasync import MediaSync
from mediasync.database.sqlite import engine as engine_module
from mediasync.errors import MediaSyncError
from mediasync.saving import source_removal
from mediasync.text import prepare_words


class Out:
    """Writes lines at once, unbuffered, so that what was written is there whatever happens next."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, *words: object) -> None:
        os.write(self._descriptor, (" ".join(map(str, words)) + "\n").encode())


async def save_forever(out: Out, path: str, first: int, workers: int = 8, batch: int = 0) -> None:
    """Open a database, and save until killed; print each item and version after its save has returned."""
    async with MediaSync(url_of(path)) as ms:
        await furnish(ms)
        out.tell("open")

        async def one_by_one(worker: int) -> None:
            version = first
            while True:
                version += 1
                for key in (f"own{worker}-{version}", f"again{worker}"):
                    await ms.media.save_media_item(movie(key, version), **PLACE)
                    out.tell(key, version)

        async def in_bulk() -> None:
            version = first
            while True:
                version += 1
                keys = [f"bulk{n}" for n in range(batch)]
                report = await ms.media.save_media_items([movie(key, version) for key in keys], **PLACE)
                assert not report.failed, report.failed
                for key in keys:
                    out.tell(key, version)

        async with asyncio.TaskGroup() as group:
            for worker in range(workers):
                group.create_task(one_by_one(worker))
            if batch:
                group.create_task(in_bulk())


async def rename_forever(out: Out, path: str) -> None:
    """Rename the only source until killed; print its name after each renaming has returned."""
    async with MediaSync(url_of(path)) as ms:
        out.tell("open")
        [source] = await ms.media.list_sources()
        old, number = source.id, 0
        while True:
            number += 1
            new = f"name-{os.getpid()}-{number}"
            await ms.rename_source(old, new)
            out.tell(new)
            old = new


async def remove_source(out: Out, path: str, constants: dict[str, int]) -> None:
    """Remove a source; print a line before each of its transactions, and further ones until killed."""
    for constant, value in constants.items():
        setattr(source_removal, constant, value)
    async with MediaSync(url_of(path)) as ms:
        record = ms._writer.record

        async def telling(*arguments: Any) -> Any:
            out.tell("step")
            return await record(*arguments)

        ms._writer.record = telling  # type: ignore[method-assign]
        await ms.remove_source("fake")
        while True:
            out.tell("removed")


async def save_for(
    out: Out, path: str, name: str, seconds: float, own: int, shared: int, constants: dict[str, float]
) -> None:
    """Save *own* items of this process and *shared* ones of all, round after round without a pause."""
    for constant, value in constants.items():
        setattr(engine_module, constant, value)
    async with MediaSync(url_of(path)) as ms:
        await furnish(ms)
        out.tell("ready")
        await asyncio.to_thread(sys.stdin.buffer.read, 1)
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        version = 0

        def items():
            nonlocal version
            while clock() < end:
                version += 1
                for n in range(own):
                    yield movie(f"{name}-{n}", version)
                for n in range(shared):
                    yield movie(f"shared-{n}", version)

        report = await ms.media.save_media_items(items(), **PLACE)
        out.tell(
            json.dumps(
                {
                    "name": name,
                    "version": version,
                    "saved": report.saved,
                    "failed": report.failed[:5],
                    "longest_wait": ms._database.longest_wait,
                    "seconds": clock() - end + seconds,
                }
            )
        )


async def open_each(out: Out, paths: list[str], save: bool) -> None:
    """Open one database after another, each on demand; print whether it could be opened."""
    name = os.getpid()
    for path in paths:
        out.tell("ready")
        sys.stdin.buffer.read(1)
        try:
            async with MediaSync(url_of(path), readers=1) as ms:
                if save:
                    await furnish(ms)
                    await ms.media.save_media_item(movie(f"of{name}"), **PLACE)
                await ms.people.count()
        except Exception:
            out.tell("failed", traceback.format_exc().replace("\n", " | "))
        else:
            out.tell("done", name)


async def be_interrupted(out: Out, path: str, how: str) -> None:
    """Begin a big save, and end the process in the middle of it, in one of several ways."""
    if how in ("left open", "left open, raising"):
        ms = MediaSync(url_of(path))
        await ms.open()
        KEPT.append(ms)
        await furnish(ms)
        save = asyncio.create_task(ms.media.save_media_items((movie(f"m{n}") for n in range(10**6)), **PLACE))
        await _some_saved(ms)
        assert not save.done()
        if how == "left open, raising":
            raise SystemExit(7)
        return
    if how == "left open at once":
        ms = MediaSync(url_of(path))
        await ms.open()
        KEPT.append(ms)
        raise SystemExit(7)
    async with MediaSync(url_of(path)) as ms:
        await furnish(ms)
        main = asyncio.current_task()
        assert main is not None

        async def end() -> None:
            await _some_saved(ms)
            out.tell("middle")
            match how:
                case "cancelled":
                    main.cancel()
                case "all cancelled":
                    for task in asyncio.all_tasks():
                        task.cancel()

        def broken():
            for n in range(10**6):
                yield movie(f"m{n}")
                if how == "raising" and n == 3_000:
                    raise ValueError("of the items")
                if how == "exiting" and n == 3_000:
                    raise SystemExit(7)

        ending = asyncio.create_task(end())
        try:
            await ms.media.save_media_items(broken(), **PLACE)
        finally:
            ending.cancel()


KEPT: list[MediaSync] = []


async def _some_saved(ms: MediaSync) -> None:
    while sum(number for *_, number in await ms.media.count_by_library()) < 500:
        await asyncio.sleep(0)


async def poll_lists(out: Out, path: str, key: str) -> None:
    """Read one item through the public views until told to stop; print how many whole versions were seen."""
    connection = plain(path)
    seen: set[int | None] = set()
    out.tell("ready")
    os.set_blocking(sys.stdin.fileno(), False)
    looks = 0
    while sys.stdin.buffer.read(1) is None:
        looks += 1
        seen.add(stored_version(connection, key))
    connection.close()
    out.tell("looks", looks, "versions", len(seen - {None}))


async def upgrade(out: Out, path: str) -> None:
    """Make a database of version 1 and upgrade it; print when the upgrade begins, and when it ends."""
    out.tell("upgrading")
    async with MediaSync(url_of(path)):
        out.tell("upgraded")


async def fail_to_save(out: Out, path: str) -> None:
    """Save one item and print the error, for example as a user who may not write."""
    try:
        async with MediaSync(url_of(path)) as ms:
            await ms.media.save_media_item(movie("x"), **PLACE)
    except MediaSyncError as error:
        out.tell(type(error).__name__, error)
    else:
        out.tell("saved")


async def read_as_nobody(out: Out, path: str) -> None:
    """Read a database as a user who may not write its folder."""
    prepare_words()  # that user may not read the packages, either
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    try:
        async with MediaSync(url_of(path), read_only=True) as ms:
            out.tell("people", await ms.people.count())
    except MediaSyncError as error:
        out.tell(type(error).__name__, error)
    await fail_to_save(out, path)


TASKS: dict[str, Callable[..., Any]] = {
    task.__name__: task
    for task in (
        save_forever,
        rename_forever,
        remove_source,
        save_for,
        open_each,
        be_interrupted,
        poll_lists,
        upgrade,
        fail_to_save,
        read_as_nobody,
    )
}


def _become(task: str, arguments: dict[str, Any], descriptors: list[int]) -> None:
    given, output, errors = descriptors
    os.dup2(given, 0)
    os.dup2(errors, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asyncio.run(TASKS[task](Out(output), **arguments))


def serve(connection: socket.socket) -> None:
    """Fork a child for each message; print its process id, and its status when it has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        message, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(12))
        if not message:
            return None
        order = json.loads(message)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            connection.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())
            continue
        descriptors = array.array("i")
        for *_, data in ancillary:
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
        child = os.fork()
        if not child:
            connection.close()
            # As if it were a program of its own: it returns from here, and the interpreter ends.
            return _become(order["task"], order["arguments"], list(descriptors))
        for descriptor in descriptors:
            os.close(descriptor)
        connection.send(json.dumps(child).encode())


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
