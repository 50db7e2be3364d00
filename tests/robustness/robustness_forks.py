"""Children of the process in `robustness_children`, seen from the tests."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PATIENCE = 60.0


class Child:
    """One forked process: a byte tells it to continue, and it prints lines.

    Attributes:
        pid: its process id.
        lines: all whole lines that it has told so far.
    """

    def __init__(self, server: ForkServer, pid: int, given: int, output: int, errors: Path) -> None:
        self._server = server
        self.pid = pid
        self._given = given
        self._output = output
        self._errors = errors
        self._rest = b""
        self._ended = False
        self.lines: list[str] = []

    def tell(self) -> None:
        """Let it continue."""
        os.write(self._given, b"!")

    def _receive(self, patience: float) -> bool:
        ready, _, _ = select.select([self._output], [], [], patience)
        if not ready:
            return False
        data = os.read(self._output, 1 << 20)
        self._ended = not data
        *whole, self._rest = (self._rest + data).split(b"\n")
        self.lines += [line.decode() for line in whole]
        return True

    def wait_for_lines(self, number: int) -> list[str]:
        """Return its lines as soon as there are at least this many, or it has ended."""
        end = time.monotonic() + PATIENCE
        while len(self.lines) < number and not self._ended:
            if not self._receive(max(0.0, end - time.monotonic())):
                raise AssertionError(f"it hangs, after telling {self.lines[-3:]}; {self.kill_and_tell()}")
        return self.lines

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill_and_tell(self) -> str:
        """Kill it, and return what it wrote to its standard error."""
        self.kill()
        return self._errors.read_text()[-3000:]

    def wait(self) -> int:
        """Wait for its end and return its exit code, negative for a signal."""
        end = time.monotonic() + PATIENCE
        while not self._ended:
            if not self._receive(max(0.0, end - time.monotonic())):
                raise AssertionError(f"it does not end; {self.kill_and_tell()}")
        os.close(self._output)
        os.close(self._given)
        return int(self._server.ask({"wait": self.pid}))

    @property
    def errors(self) -> str:
        """Its standard error."""
        return self._errors.read_text()


class ForkServer:
    """The process that forks children; starting a child takes a few milliseconds."""

    script = "robustness_children.py"

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._children = 0
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        script = Path(__file__).with_name(self.script)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self._process = subprocess.Popen(
            [sys.executable, str(script), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment,
        )
        theirs.close()
        self._socket = ours

    def ask(self, order: dict[str, Any], descriptors: list[int] | None = None) -> Any:
        """Send an order and return the answer."""
        socket.send_fds(self._socket, [json.dumps(order).encode()], descriptors or [])
        answer = self._socket.recv(65536)
        assert answer, "the process that forks has ended"
        return json.loads(answer)

    def run(self, task: str, **arguments: Any) -> Child:
        """Start one of the tasks in a child."""
        self._children += 1
        errors = Path(self._folder.name) / str(self._children)
        given_read, given_write = os.pipe()
        output_read, output_write = os.pipe()
        errors_write = os.open(errors, os.O_CREAT | os.O_WRONLY)
        theirs = [given_read, output_write, errors_write]
        pid = self.ask({"task": task, "arguments": arguments}, theirs)
        for descriptor in theirs:
            os.close(descriptor)
        return Child(self, pid, given_write, output_read, errors)

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait(timeout=30)
        self._folder.cleanup()
