"""A person at a terminal: starts the command there, reads the screen, and types."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

_CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SECONDS: Final = 60.0

# The terminal becomes the controlling one, so that Ctrl-C reaches the command.
_TAKE_TERMINAL: Final = "import fcntl, termios\nfcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
_PROGRAM: Final = "import sys\nfrom mediasync.cli import main\nsys.exit(main())\n"


class Terminal:
    """A pseudo-terminal in which one command runs.

    Attributes:
        screen: all that the command has shown so far, without colours.
        process: the command.
    """

    def __init__(self, master: int, slave: int, process: asyncio.subprocess.Process) -> None:
        self.screen = ""
        self.process = process
        self._master = master
        self._slave = slave
        self._seen = 0
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    async def expect(self, text: str) -> None:
        """Wait until the command has shown a text, after what was last waited for."""
        try:
            async with asyncio.timeout(_SECONDS):
                while (place := self.screen.find(text, self._seen)) < 0:
                    await self._changed.wait()
                    self._changed.clear()
        except TimeoutError:
            raise AssertionError(f"{text!r} was not shown:\n{self.screen[self._seen :]}") from None
        self._seen = place + len(text)

    def type(self, text: str) -> None:
        """Type a line, and press Enter."""
        os.write(self._master, f"{text}\n".encode())

    async def answer_hidden(self, question: str, text: str) -> None:
        """Wait for a question whose answer is not shown, and answer it."""
        await self.expect(question)
        # What is typed before the terminal stops to echo is lost. There is no event for that.
        while self.shows_what_is_typed:
            await asyncio.sleep(0.01)
        self.type(text)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._master, b"\x03")

    async def answer(self, question: str, text: str) -> None:
        """Wait for a question, and answer it."""
        await self.expect(question)
        self.type(text)

    @property
    def shows_what_is_typed(self) -> bool:
        """Whether the terminal echoes."""
        return bool(termios.tcgetattr(self._slave)[3] & termios.ECHO)

    async def ended(self) -> int:
        """Wait for the end of the command, and return its exit code."""
        async with asyncio.timeout(_SECONDS):
            code = await self.process.wait()
        self._read()
        return code

    def _read(self) -> None:
        os.set_blocking(self._master, False)
        try:
            while data := os.read(self._master, 65_536):
                text = data.decode("utf-8", "replace").replace("\r\n", "\n")
                self.screen += _CONTROL.sub("", text)
        except BlockingIOError:
            pass
        self._changed.set()


@asynccontextmanager
async def terminal(
    *arguments: str, environment: Mapping[str, str], code: str = ""
) -> AsyncIterator[Terminal]:
    """Run ``mediasync``, or Python code instead, in a terminal; at the end it is killed if it still runs."""
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _TAKE_TERMINAL + (code or _PROGRAM),
        *arguments,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**environment, "TERM": "xterm", "COLUMNS": "200"},
        start_new_session=True,
    )
    screen = Terminal(master, slave, process)
    try:
        yield screen
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        asyncio.get_running_loop().remove_reader(master)
        os.close(slave)
        os.close(master)
