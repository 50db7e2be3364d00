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
from dataclasses import dataclass, field
from typing import Final

from mediasync.aio import Signal, finish
from mediasync.backends.nfo.folders.files import NfoFile
from mediasync.backends.nfo.loading import Failed, Loaded
from mediasync.backends.nfo.parser_process import READY, Answer, Request, write_message

_LOG: Final = logging.getLogger(__name__)
_REQUESTS_AT_ONCE: Final = 2
"""A process has its next request before the event loop has time for its answer."""
_PROGRAM: Final = "mediasync.backends.nfo.parser_process"


def count_spare_cores() -> int:
    """Return how many cores the machine has besides the one that the event loop uses."""
    return (os.cpu_count() or 1) - 1


@dataclass(eq=False, slots=True)
class _Process:
    """A process that can take requests.

    Attributes:
        process: the process.
        free: how many more requests it can take.
        reading: held by the one that reads the next answer. Answers come in the order of the requests.
        is_ending: whether it was killed. Then nobody knows whose answer comes next.
    """

    process: asyncio.subprocess.Process
    free: int = _REQUESTS_AT_ONCE
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_ending: bool = False

    @property
    def output(self) -> asyncio.StreamReader:
        """What the process writes."""
        assert self.process.stdout is not None
        return self.process.stdout


class ParserProcesses:
    """Reads and parses files in other processes, which start when they are first asked for, or before.

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
        self._processes: set[_Process] = set()
        self._moved = Signal()
        self._to_start = count

    @property
    def are_running(self) -> bool:
        """Whether a process can read files now."""
        return bool(self._processes)

    @property
    def are_started(self) -> bool:
        """Whether processes were started, whatever has become of them."""
        return bool(self._starting)

    def start(self) -> None:
        """Start the processes that are not running yet, without waiting for them."""
        while self._to_start:
            self._to_start -= 1
            self._starting.add(asyncio.create_task(self._start()))

    async def parse(self, files: Sequence[NfoFile]) -> list[Loaded | Failed] | None:
        """Return the outcome of each file, or None if no process can read them.

        None can until the first has started. If a process fails, the caller reads its files, and the other
        processes go on.
        """
        self.start()
        while (process := self._find_least_busy()) and not process.free:
            await self._moved.next().wait()
        if process is None:
            return None
        process.free -= 1
        request: Request = [(file.path, file.kind) for file in files]
        try:
            answer = await _ask(process, request)
        except (OSError, EOFError, pickle.UnpicklingError):
            is_first = self._drop(process)
            status = await _end(process)
            if is_first:
                _LOG.warning(
                    "a process that reads NFO files ended (status %s); its files are read again", status
                )
            return None
        except BaseException:  # its answer would be taken for that to the next request
            self._to_start += self._drop(process)
            await finish(_end(process))
            raise
        process.free += 1
        self._moved.set()
        return answer

    def _find_least_busy(self) -> _Process | None:
        return max(self._processes, key=lambda process: process.free, default=None)

    def _drop(self, process: _Process) -> bool:
        """Give a process no more requests. Return whether it was given any until now."""
        is_first = process in self._processes
        self._processes.discard(process)
        self._moved.set()
        return is_first

    async def _start(self) -> None:
        path = os.pathsep.join(place for place in sys.path if place)
        process = None
        try:
            process = _Process(
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", _PROGRAM, self._root, str(self._size_limit)),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    env={**os.environ, "PYTHONPATH": path},
                    start_new_session=True,  # Ctrl-C ends the sync, which ends the process
                )
            )
            if await process.output.readexactly(len(READY)) != READY:
                raise EOFError(f"{sys.executable} is not Python")
        except (OSError, EOFError, NotImplementedError) as error:
            # A frozen program has no Python of its own, and some event loops start no processes.
            _LOG.debug("no process was started that reads NFO files: %s", error)
        except BaseException:
            if process is not None:
                await _end(process)
            raise
        else:
            self._processes.add(process)
            self._moved.set()
            return
        if process is not None:
            await _end(process)

    async def close(self) -> None:
        """End all processes."""
        await finish(self._close())

    async def _close(self) -> None:
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        for process in list(self._processes):
            self._drop(process)
            await _end(process)


async def _end(running: _Process) -> int:
    """Kill a process, and return its exit status."""
    process = running.process
    running.is_ending = True
    if process.returncode is None:
        with suppress(ProcessLookupError):
            if sys.platform == "win32":
                process.kill()
            else:
                # `process.kill` may take the exit status from the event loop (python/cpython#87744).
                os.kill(process.pid, signal.SIGKILL)
    async with running.reading:
        # The event loop reports the exit after the end of the output (python/cpython#119710). It does not
        # read the output while nobody takes what it has read before.
        with suppress(OSError):
            await running.output.read()
    return await process.wait()


async def _ask(running: _Process, request: Request) -> Answer:
    """Return the answer to a request, after the answers to earlier requests.

    Raises:
        OSError, EOFError, pickle.UnpicklingError: if the process does not give it.
    """
    sink = running.process.stdin
    assert sink is not None
    sink.write(write_message(request))
    async with running.reading:
        if running.is_ending:
            raise EOFError("an earlier request to this process was given up")
        await sink.drain()
        length = int.from_bytes(await running.output.readexactly(4), "big")
        answer: Answer = pickle.loads(await running.output.readexactly(length))  # noqa: S301
        return answer
