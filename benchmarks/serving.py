"""Media servers in their own processes: the fakes of `mediasync.testing`, and a real Kodi.

``python -m benchmarks.serving PARAMETERS`` runs a fake. It prints its address as one line of JSON, and
answers each line of standard input with another line, until the input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.worker import WorkerFailedError

ROOT = Path(__file__).resolve().parent.parent
KEY = "bench"

# The seconds that a real Jellyfin needs for one of them.
_CREDIT, _ITEM, _PERSON = 500e-6, 41e-6, 60e-6


class NotInstalledError(WorkerFailedError):
    """A program that a row needs is not installed."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        told: its address, and what it contains.
    """

    told: dict[str, Any]
    _child: subprocess.Popen[str]

    def ask(self, word: str) -> dict[str, Any]:
        """Ask a fake to ``change`` 1 % of its films, or to ``count`` its requests since the last call."""
        assert self._child.stdin is not None
        self._child.stdin.write(f"{word}\n")
        self._child.stdin.flush()
        return _heard(self._child)


def fake(**parameters: Any) -> AbstractContextManager[Server]:
    """Run a fake; the parameters are those of `_serve`."""
    return _run("-m", "benchmarks.serving", json.dumps(parameters))


def real_kodi(library: Path) -> AbstractContextManager[Server]:
    """Run a real Kodi on a folder.

    Raises:
        NotInstalledError: if Kodi is not installed.
    """
    return _run("tests/support/kodi.py", "run", str(library))


@contextmanager
def _run(*words: str) -> Iterator[Server]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, *words], stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as child:
        yield Server(_heard(child), child)


def _heard(child: subprocess.Popen[str]) -> dict[str, Any]:
    assert child.stdout is not None
    line = child.stdout.readline()
    if line:
        told: dict[str, Any] = json.loads(line)
        return told
    if child.wait() == os.EX_UNAVAILABLE:
        raise NotInstalledError("a program that it needs is not installed")
    raise WorkerFailedError(f"the server ended with exit code {child.returncode}")


async def _serve(kind: str, films: int, credits_each: int, people: int, *, slow: bool = False) -> None:
    """Serve generated films.

    Args:
        kind: the kind of the server.
        films: the number of films.
        credits_each: the number of credits of each film.
        people: the number of people to choose from.
        slow: whether the fake Jellyfin is as slow as a real one.
    """
    from mediasync.testing import FakeEmby, FakeJellyfin, FakeKodi, FakePlex, make_catalogue

    catalogue = make_catalogue(films, 0, credits_each=credits_each, people=people)
    del catalogue.libraries[1:]
    told: dict[str, Any] = {"connection": {"token": KEY}}
    server: FakeEmby | FakeJellyfin | FakeKodi | FakePlex
    if kind == "plex":
        server = FakePlex(catalogue, token=KEY)
        told["connection"]["client_id"] = KEY
    elif kind == "kodi":
        server = FakeKodi(catalogue, password=KEY)
        told["connection"] = {"password": KEY}
    else:
        jellyfin = server = (FakeEmby if kind == "emby" else FakeJellyfin)(catalogue, api_key=KEY)
        if slow:
            jellyfin.seconds_per_credit = _CREDIT
            jellyfin.seconds_per_item = _ITEM
            jellyfin.seconds_per_person = _PERSON
        told["library"] = jellyfin.library_id("1")
        jellyfin.persons()
        # Its library was scanned the day before.
        catalogue.now += timedelta(days=1)
    async with server:
        told["connection"]["url"] = server.url
        print(json.dumps(told), flush=True)
        cpu = time.process_time()
        while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if word == "change":
                for film in catalogue.libraries[0].items[::100]:
                    catalogue.edit_cast(film.remote_id, list(reversed(film.credits or [])))
            answer = {"requests": len(server.requests), "cpu": time.process_time() - cpu}
            server.requests.clear()
            cpu = time.process_time()
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(**json.loads(sys.argv[1])))
