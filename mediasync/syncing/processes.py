"""Names for work in progress, by which another process can tell whether the work has ended."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

_AT_WORK: Final[set[str]] = set()
"""The names of the work that this process is doing."""


@contextmanager
def at_work() -> Iterator[str]:
    """Return a context during which this process does a piece of work; its value is the name of the work.

    The name holds the machine, the process with the time of its start, and a random part.
    """
    name = "\n".join((*_place(), str(os.getpid()), _started(os.getpid()), uuid4().hex))
    _AT_WORK.add(name)
    try:
        yield name
    finally:
        _AT_WORK.discard(name)


def has_ended(name: str) -> bool:
    """Return whether work is proved to have ended, by the name that `at_work` gave it.

    Nothing can be proved about work of another machine or container, unless this machine was restarted since.
    """
    host, boot, namespace, pid, started, _ = name.split("\n")
    here = _place()
    if host == here[0] and boot and here[1] and boot != here[1]:
        return True
    if (host, boot, namespace) != here:
        return False
    if int(pid) == os.getpid() and started == _started(os.getpid()):
        return name not in _AT_WORK
    return _is_gone(int(pid), started)


def describe(name: str) -> str:
    """Return who does a piece of work, in words, by the name that `at_work` gave it.

    Example:
        >>> describe("\\n".join(["nas", "", "", "4711", "", "ab"]))
        'process 4711 of nas'
    """
    host, _, _, pid, *_ = name.split("\n")
    return f"process {pid} of {host}"


def _is_gone(pid: int, started: str) -> bool:
    if os.name == "nt":
        return False  # on Windows, signal 0 would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    now = _started(pid)
    return bool(started and now) and started != now


def _place() -> tuple[str, str, str]:
    """Return the host, the id of its boot, and its namespace of process ids; unknown parts are empty."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    try:
        return socket.gethostname(), boot.read_text().strip(), os.readlink("/proc/self/ns/pid")
    except OSError:
        return socket.gethostname(), "", ""


def _started(pid: int) -> str:
    """Return when a process began, in clock ticks since boot; empty if unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return fields[19]
