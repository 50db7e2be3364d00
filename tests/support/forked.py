"""The command ``mediasync`` as a process that starts in a few milliseconds.

Imports take half a second of each start. Here one process, the server, imports what the commands need once,
and each start is a fork of it. The fork takes over the streams, the environment, the folder and the arguments
of a small program that stands in for the command. That program ends with the exit code of the fork. If it is
killed, the fork ends, too.

Run as a script with the path of a socket, this is the server. It never starts a thread or an event loop
itself.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

_STREAMS: Final = ("stdin", "stdout", "stderr")

_STAND_IN: Final = """\
#!{python} -IS
import json, os, signal, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect({path!r})
order = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(connection, [len(order).to_bytes(4, "big")], [0, 1, 2])
connection.sendall(order)
status = int.from_bytes(connection.recv(4), "big", signed=True)
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
os._exit(status)
"""

IS_POSSIBLE: Final = hasattr(os, "pidfd_open")
"""Whether one call can wait for the end of a process and of a connection."""


@contextmanager
def forking(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a server, and yield the text of the program that stands in for the command.

    Args:
        folder: where its socket is put.
        environment: in which the server is started; what Python reads when it starts is taken from there.
    """
    path = folder / "forks"
    process = subprocess.Popen(
        [sys.executable, __file__, str(path)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield _STAND_IN.format(python=sys.executable, path=str(path))
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


def _import_commands() -> None:
    for room in ("cli", "backends", "library", "repositories", "saving", "syncing"):
        package = importlib.import_module(f"mediasync.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for name in ("mediasync.factories", "databases.backends.sqlite", "anyascii"):
        importlib.import_module(name)


def _serve(path: str) -> None:
    """Fork for each connection until standard input ends. Only the fork that becomes the command returns."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nothing waits for the forks that wait for commands
        print("ready", flush=True)
        while sys.stdin not in select.select([sys.stdin, listening], [], [])[0]:
            connection, _ = listening.accept()
            if not os.fork():
                break
            connection.close()
        else:
            os._exit(0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, streams, _, _ = socket.recv_fds(connection, 4, len(_STREAMS))
    order = connection.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
    if command := os.fork():
        for stream in streams:
            os.close(stream)
        _wait(command, connection)
    connection.close()
    _become(order, streams)


def _wait(command: int, connection: socket.socket) -> NoReturn:
    """Send the exit code of the command; end the command if the stand-in has ended."""
    ended = os.pidfd_open(command)
    if ended not in select.select([ended, connection], [], [])[0]:
        os.kill(command, signal.SIGTERM)
    _, status = os.waitpid(command, 0)
    with suppress(OSError):
        connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
    os._exit(0)


def _become(order: bytes, streams: list[int]) -> None:
    """Take over streams, arguments, environment and folder."""
    arguments, environment, folder = json.loads(order)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    kinds = {name: (getattr(sys, name).encoding, getattr(sys, name).errors) for name in _STREAMS}
    for number, name in enumerate(_STREAMS):
        encoding, errors = kinds[name]
        buffering = 1 if name == "stderr" or os.isatty(number) else -1
        mode = "w" if number else "r"
        for attribute in (name, f"__{name}__"):
            setattr(sys, attribute, os.fdopen(number, mode, buffering, encoding, errors, closefd=False))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    more = [place for place in environment.get("PYTHONPATH", "").split(os.pathsep) if place not in sys.path]
    sys.path[:1] = [folder, *filter(None, more)]
    sys.argv[1:] = arguments


def _end(code: int) -> NoReturn:
    """End as Python does, but without taking all modules apart, which takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _import_commands()
    gc.freeze()  # what forks share is not copied for each of them
    _serve(sys.argv[1])
    _end(importlib.import_module("mediasync.cli").main())
