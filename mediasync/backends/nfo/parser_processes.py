"""Processes that read and parse NFO files, so that many files use more than one processor core."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from mediasync.aio import Signal, finish
from mediasync.backends.nfo.folders.files import NfoFile
from mediasync.backends.nfo.loading import Failed, Loaded
from mediasync.backends.nfo.parser_process import READY, Answer, Request, write_message

_LOG: Final = logging.getLogger(__name__)
_PROGRAM: Final = "mediasync.backends.nfo.parser_process"


def count_spare_cores() -> int:
    """Return how many cores the machine has besides the one that the event loop uses."""
    return (os.cpu_count() or 1) - 1


class ParserProcesses:
    """Reads and parses files in other processes, which are started when they are first asked for.

    It is not `multiprocessing`: that would import the program's main module again in each process, and a
    script that is not written for that would run a second time.

    Args:
        root: the real path of the root.
        size_limit: of one file, in bytes.
        count: how many processes.
    """

    def __init__(self, root: str, size_limit: int, count: int) -> None:
        self._root = root
        self._size_limit = size_limit
        self._starting: set[asyncio.Task[None]] = set()
        self._processes: set[asyncio.subprocess.Process] = set()
        self._idle: list[asyncio.subprocess.Process] = []
        self._moved = Signal()
        self._to_start = count

    async def parse(self, files: Sequence[NfoFile]) -> list[Loaded | Failed] | None:
        """Return the outcome of each file, or None if no process can read them.

        None can until the first has started. If a process fails, the caller reads its files, and the other
        processes go on.
        """
        while self._to_start:
            self._to_start -= 1
            self._starting.add(asyncio.create_task(self._start()))
        while self._processes and not self._idle:
            await self._moved.next().wait()
        if not self._idle:
            return None
        process = self._idle.pop()
        request: Request = [(file.path, file.kind) for file in files]
        try:
            answer = await _ask(process, request)
        except (OSError, EOFError, pickle.UnpicklingError):
            status = await self._end(process)
            _LOG.warning("a process that reads NFO files ended (status %s); its files are read again", status)
            return None
        except BaseException:  # its answer would be taken for that to the next request
            self._to_start += 1
            await finish(self._end(process))
            raise
        self._offer(process)
        return answer

    def _offer(self, process: asyncio.subprocess.Process) -> None:
        self._idle.append(process)
        self._moved.set()

    async def _start(self) -> None:
        path = os.pathsep.join(place for place in sys.path if place)
        process = None
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", _PROGRAM, self._root, str(self._size_limit)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C ends the sync, which ends the process
            )
            assert process.stdout is not None
            if await process.stdout.readexactly(len(READY)) != READY:
                raise EOFError(f"{sys.executable} is not Python")
        except (OSError, EOFError, NotImplementedError) as error:
            # A frozen program has no Python of its own, and some event loops start no processes.
            _LOG.debug("no process was started that reads NFO files: %s", error)
        except BaseException:
            if process is not None:
                await self._end(process)
            raise
        else:
            self._processes.add(process)
            self._offer(process)
            return
        if process is not None:
            await self._end(process)

    async def _end(self, process: asyncio.subprocess.Process) -> int:
        """Kill a process, and return its exit status."""
        self._processes.discard(process)
        self._moved.set()
        _kill(process)
        return await process.wait()

    async def close(self) -> None:
        """End all processes."""
        await finish(self._close())

    async def _close(self) -> None:
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        self._idle.clear()
        for process in list(self._processes):
            await self._end(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            # `process.kill` may take the exit status from the event loop (python/cpython#87744).
            os.kill(process.pid, signal.SIGKILL)


async def _ask(process: asyncio.subprocess.Process, request: Request) -> Answer:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(write_message(request))
    await process.stdin.drain()
    length = int.from_bytes(await process.stdout.readexactly(4), "big")
    answer: Answer = pickle.loads(await process.stdout.readexactly(length))  # noqa: S301
    return answer
