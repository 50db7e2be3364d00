"""The rows of starting: the time that the command takes as a whole process."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.clock import processor_time_of_children
from benchmarks.figures import Figure, Row, column
from benchmarks.lab import Lab
from benchmarks.worker import WorkerFailedError

_ROOT = Path(__file__).resolve().parent.parent
_TITLE = "SELECT title FROM media_items GROUP BY title HAVING count(*) = 1 ORDER BY title LIMIT 1"


def _start(*arguments: str) -> Callable[[Lab, Row], list[Figure]]:
    def measure(lab: Lab, row: Row) -> list[Figure]:
        return [_measured(lab, row, *arguments)]

    return measure


def _show(lab: Lab, row: Row) -> list[Figure]:
    path = lab.stored(lab.big_movies)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        [title] = connection.execute(_TITLE).fetchone()
    return [_measured(lab, row, "show", title, "--database", str(path))]


def _measured(lab: Lab, row: Row, *arguments: str) -> Figure:
    runs: dict[str, list[dict[str, float]]] = {"mediasync": [], "empty": []}
    for _ in range(lab.options.starts):
        runs["mediasync"].append(_run("-m", "mediasync", *arguments))
        runs["empty"].append(_run("-c", "pass"))
    (wall, cpu), (empty_wall, _) = (
        [statistics.median(column(each, key)) for key in ("wall", "cpu")] for each in runs.values()
    )
    lab.say(f"  {row.name}: {wall:.3f} s, CPU {cpu:.3f} s; Python that does nothing: {empty_wall:.3f} s")
    return row.figure(wall, **runs)


def _run(*arguments: str) -> dict[str, float]:
    began, cpu = time.perf_counter(), processor_time_of_children()
    done = subprocess.run([sys.executable, *arguments], cwd=_ROOT, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise WorkerFailedError(f"{' '.join(arguments)} ended with exit code {done.returncode}")
    return {"wall": time.perf_counter() - began, "cpu": processor_time_of_children() - cpu}


ROWS = (
    Row("start-version", "mediasync --version, the whole process", _start("--version"), 0.25, 0.15, "s"),
    Row("start-help", "mediasync --help, the whole process", _start("--help"), 0.25, 0.15, "s"),
    Row(
        "start-show",
        "mediasync show TITLE in the big library, the whole process",
        _show,
        0.5,
        0.3,
        "s",
        big=True,
    ),
)
