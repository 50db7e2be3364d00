"""The child processes: each measurement begins with a clean heap, undisturbed by the garbage of others.

``python -m benchmarks.worker TASK PARAMETERS`` takes the parameters as JSON, and prints the result as one
line of JSON.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Protocol

Result = dict[str, Any]

_BEFORE_FORKS: Final = ("mediasync.web", "benchmarks.pages", "benchmarks.product", "benchmarks.syncing")
"""What most tasks import."""

_forking = False


class WorkerFailedError(Exception):
    """A child process did not finish its task."""


class _Child(Protocol):
    """The process of one task."""

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""

    def result(self) -> Result:
        """Return the result of a task that ended well."""

    def end(self) -> None:
        """Kill it if it still runs, and give back what it holds."""


def fork_from_here() -> None:
    """Fork the processes of tasks from this one, which has imported what most of them need.

    A task then starts in milliseconds, but not with a clean heap: this shows that the benchmarks work, and
    its figures say little.
    """
    global _forking
    for module in _BEFORE_FORKS:
        importlib.import_module(module)
    _forking = True


def call(task: str, **parameters: Any) -> Result:
    """Run one task in its own process."""
    return call_together((task, parameters))[0]


def call_together(*tasks: tuple[str, dict[str, Any]]) -> list[Result]:
    """Run tasks at the same time, each in its own process; if one fails, terminate the others."""
    start: type[_Forked] | type[_Started] = _Forked if _forking else _Started
    children: list[_Child] = [start(task, parameters) for task, parameters in tasks]
    try:
        while any(child.poll() is None for child in children):
            if any(child.poll() for child in children):
                break
            time.sleep(0.02)
        for (task, _), child in zip(tasks, children, strict=True):
            if code := child.poll():
                raise WorkerFailedError(f"{task} ended with exit code {code}")
        return [child.result() for child in children]
    finally:
        for child in children:
            child.end()


class _Started:
    """A new Python."""

    def __init__(self, task: str, parameters: dict[str, Any]) -> None:
        command = [sys.executable, "-m", "benchmarks.worker", task, json.dumps(parameters)]
        root = Path(__file__).resolve().parent.parent
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)

    def poll(self) -> int | None:
        return self._process.poll()

    def result(self) -> Result:
        result: Result = json.loads(self._process.communicate()[0].splitlines()[-1])
        return result

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


class _Forked:
    """A fork of this process."""

    def __init__(self, task: str, parameters: dict[str, Any]) -> None:
        context = multiprocessing.get_context("fork")
        self._answer, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_send_result, args=(theirs, task, parameters))
        self._process.start()
        theirs.close()

    def poll(self) -> int | None:
        return self._process.exitcode

    def result(self) -> Result:
        result: Result = self._answer.recv()
        return result

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._answer.close()


def _send_result(answer: Connection, task: str, parameters: dict[str, Any]) -> None:
    answer.send(TASKS[task](**parameters))


def _load(path: str, movies: int, *, models: str = "", changed: bool = False) -> Result:
    from benchmarks import loader
    from benchmarks.clock import Stopwatch
    from benchmarks.data import build_model, build_models, change_movies, stream_movies

    rows = stream_movies(movies)
    if changed:
        rows = change_movies(rows)
    given: Any = (
        list(rows) if not models else build_models(rows) if models == "list" else map(build_model, rows)
    )
    write: Any = loader.load_models if models else loader.load
    connection = loader.open_database(Path(path))
    watch = Stopwatch()
    write(connection, given)
    connection.close()
    return {**watch.read()}


def _load_while_read(path: str, movies: int, signals: str) -> Result:
    from benchmarks import loader
    from benchmarks.clock import Stopwatch
    from benchmarks.data import make_movies
    from benchmarks.meeting import Meeting

    meeting = Meeting(signals)
    rows = make_movies(movies)
    connection = loader.open_database(Path(path))
    meeting.tell("ready")
    meeting.wait_for("go")
    watch = Stopwatch()
    meeting.tell("begun")
    loader.load(connection, rows)
    meeting.tell("done")
    connection.close()
    return {**watch.read()}


def _load_postgres(path: str, movies: int) -> Result:
    from benchmarks import postgres

    return postgres.load(path, movies)


def _compare_postgres(path: str) -> Result:
    from benchmarks import postgres

    return asyncio.run(postgres.compare(path))


def _compare(ours: str, theirs: str) -> Result:
    from benchmarks.compare import compare

    return compare(ours, theirs)


def _write_again(**parameters: Any) -> Result:
    from benchmarks.floor import write_again

    return write_again(**parameters)


def _filmographies(path: str) -> Result:
    from benchmarks.compare import filmographies

    return filmographies(path)


def _rival(name: str, path: str, movies: int) -> Result:
    from benchmarks import rivals

    return asyncio.run(rivals.run(name, path, movies))


def _load_nfo(**parameters: Any) -> Result:
    from benchmarks import nfo_script

    return nfo_script.run(**parameters)


def _parse_nfo(**parameters: Any) -> Result:
    from benchmarks import syncing

    return syncing.parse_nfo(**parameters)


def _save_while_read(**parameters: Any) -> Result:
    from benchmarks import product

    return product.save_while_read(**parameters)


def _save_recipes(**parameters: Any) -> Result:
    from benchmarks import recipes

    return recipes.save_library(**parameters)


def _time_recipes(path: str) -> Result:
    from benchmarks import recipes

    return recipes.time_recipes(path)


def _async(module: str, function: str) -> Callable[..., Result]:
    def run(**parameters: Any) -> Result:
        work = getattr(importlib.import_module(f"benchmarks.{module}"), function)
        result: Result = asyncio.run(work(**parameters))
        return result

    return run


# Imported lazily, so that the loader is measured without the rest, and memory without the rivals.
TASKS: dict[str, Callable[..., Result]] = {
    "load": _load,
    "load_while_read": _load_while_read,
    "compare": _compare,
    "write_again": _write_again,
    "filmographies": _filmographies,
    "rival": _rival,
    "load_postgres": _load_postgres,
    "compare_postgres": _compare_postgres,
    "resave_postgres": _async("product", "resave_postgres"),
    "save": _async("product", "save"),
    "resave": _async("product", "resave"),
    "rows_written": _async("written", "rows_written"),
    "save_stream": _async("product", "save_stream"),
    "save_while_read": _save_while_read,
    "read_aside": _async("product", "read_aside"),
    "read_within": _async("product", "read_within"),
    "read_pages": _async("pages", "read_pages"),
    "ask_who": _async("pages", "ask_who"),
    "save_searched": _async("searching", "save_searched"),
    "search_typed": _async("searching", "search_typed"),
    "time_site": _async("site", "time_site"),
    "loop_steps": _async("pages", "loop_steps"),
    "fill_to_examine": _async("doctor", "fill_to_examine"),
    "examine": _async("doctor", "examine"),
    "save_recipes": _save_recipes,
    "time_recipes": _time_recipes,
    "log_share": _async("changelog", "share"),
    "history": _async("changelog", "history"),
    "sync": _async("syncing", "sync"),
    "read_jellyfin": _async("syncing", "read_jellyfin"),
    "read_kodi": _async("syncing", "read_kodi"),
    "folder_events": _async("events", "of_folder"),
    "webhooks": _async("events", "of_webhook"),
    "load_nfo": _load_nfo,
    "parse_nfo": _parse_nfo,
}


def main() -> None:
    """Run the task that the arguments name."""
    task, parameters = sys.argv[1:]
    result = TASKS[task](**json.loads(parameters))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
