"""The laboratory: options, temporary files, and the measurements that several rows share."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import postgres, worker
from benchmarks.data import movies_for

PROCESSES = 4
SMALL_SHARE = 0.4
"""The share of the library's movies that the small library has."""

Runs = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Options:
    """The options of the command line."""

    credits: int = 300_000
    big_credits: int = 1_000_000
    rival_movies: int = 2_000
    films: int = 10_000
    big_films: int = 100_000
    slow_films: int = 1_000
    rounds: int = 3
    starts: int = 11


@dataclass
class Lab:
    """One run of the benchmarks.

    Attributes:
        options: the options of the command line.
        directory: the folder for the databases.
        wanted: the names of the rows to measure.
        problems: why the figures are not valid: rows that differ, wrong results.
        skipped: the reasons why rows were not measured, by name.
        compared: how many rows were found equal, by comparison.
    """

    options: Options
    directory: Path
    wanted: frozenset[str] = frozenset()
    problems: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    compared: dict[str, dict[str, int]] = field(default_factory=dict)
    _measured: dict[str, Runs | worker.WorkerFailedError] = field(default_factory=dict)
    _stored: dict[int, Path] = field(default_factory=dict)

    @property
    def movies(self) -> int:
        """The number of movies in the library of most rows."""
        return movies_for(self.options.credits)

    @property
    def big_movies(self) -> int:
        """The number of movies in the library of the big rows."""
        return movies_for(self.options.big_credits)

    @property
    def rest_reads(self) -> int:
        """The number of reads at rest: enough for a 99th percentile, but few for a tiny library."""
        return min(1500, max(self.movies, 20))

    @property
    def page_calls(self) -> int:
        """How often each page of the website is asked for: enough for a 95th percentile, as above."""
        return min(40, max(self.big_movies // 10, 5))

    @property
    def typing_step(self) -> int:
        """Of what people type, every so many of the beginnings are searched for; all in a large library."""
        return 1 if self.big_movies >= 1_000 else 10

    def say(self, words: str) -> None:
        """Report progress."""
        print(words, file=sys.stderr, flush=True)

    def call(self, task: str, **parameters: Any) -> dict[str, Any]:
        """Run one task in a child process."""
        result = worker.call(task, **parameters)
        if "wall" in result:
            what = parameters.get("movies", parameters.get("kind", ""))
            self.say(f"  {task} {what}: {result['wall']:.2f} s, CPU {result['cpu']:.2f} s")
        return result

    def path(self, name: str) -> Path:
        """Return the path for a new database; an older one is deleted."""
        path = self.directory / f"{name}.db"
        remove(path)
        return path

    def folder(self, name: str) -> Path:
        """Return a new empty folder."""
        path = self.directory / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path

    def copy_of_stored(self, movies: int, name: str) -> Path:
        """Return a copy of a database in which mediasync has stored *movies*."""
        return self.copy(self.stored(movies), name)

    def stored(self, movies: int) -> Path:
        """Return a database in which mediasync has stored *movies*; do not write to it."""
        if movies not in self._stored:
            path = self.path(f"stored-{movies}")
            self.call("save_stream", path=str(path), movies=movies)
            self.keep_stored(movies, path)
        return self._stored[movies]

    def keep_stored(self, movies: int, path: Path) -> None:
        """Remember *path* as a database with *movies*."""
        self._stored[movies] = path

    def copy(self, original: Path, name: str) -> Path:
        """Return a copy of a closed database, which must have no other files beside it."""
        wal = Path(f"{original}-wal")
        if wal.exists() and wal.stat().st_size:
            self.problems.append(f"{original.name} was closed with a write-ahead log left beside it")
        return Path(shutil.copy(original, self.path(name)))

    def compare(self, name: str, ours: Path, theirs: Path) -> None:
        """Compare mediasync's rows with the loader's; a difference is a problem of the whole run."""
        self.note_comparison(name, self.call("compare", ours=str(ours), theirs=str(theirs)))

    def note_comparison(self, name: str, result: dict[str, Any]) -> None:
        """Remember the result of a comparison, and report it."""
        self.compared[name] = result["counts"]
        self.problems += [f"{name}: {problem}" for problem in result["problems"]]
        self.say(f"  compared {name}: {'DIFFERENT' if result['problems'] else 'equal'} {result['counts']}")

    def saves(self) -> Runs:
        """Return the timings of the main library: all sides in turn, in alternating order."""
        return self.once("saves", _measure_saves)

    def small_saves(self) -> Runs:
        """Return the timings of a smaller library."""
        return self.once("small saves", _measure_small_saves)

    def postgres(self) -> Runs:
        """Return the timings on PostgreSQL, and those of its yardstick."""
        return self.once("postgres", _measure_postgres)

    def scale(self) -> Runs:
        """Return the timings of the big library and of a library a tenth of its size."""
        return self.once("scale", _measure_scale)

    def once(self, name: str, measure: Callable[[Lab], Runs]) -> Runs:
        """Run a measurement that several rows share. They share a failure too: it is not tried again."""
        if name not in self._measured:
            try:
                self._measured[name] = measure(self)
            except worker.WorkerFailedError as error:
                self._measured[name] = error
        result = self._measured[name]
        if isinstance(result, worker.WorkerFailedError):
            raise result
        return result


def remove(path: Path) -> None:
    """Delete a database with the files that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


Step = Callable[[], dict[str, Any]]


def _measure_saves(lab: Lab) -> Runs:
    runs: Runs = {}
    ours, tasks, theirs = (lab.directory / f"{name}.db" for name in ("mediasync", "tasks", "loader"))
    again_path = lab.directory / "again.db"
    our_stream, their_stream = (lab.directory / f"{name}-stream.db" for name in ("mediasync", "loader"))

    def load(path: Path = theirs, **parameters: Any) -> Step:
        return lambda: lab.call("load", path=str(path), movies=lab.movies, **parameters)

    def save(path: Path, **parameters: Any) -> Step:
        return lambda: lab.call("save", path=str(path), movies=lab.movies, **parameters)

    def resave() -> dict[str, Any]:
        return lab.call("resave", path=str(ours), movies=lab.movies)

    product = lab.wanted & {"cold", "cold-cpu", "cold-floor", "cold-least", "resync", "changed"}
    for number in range(lab.options.rounds):
        lab.say(f"round {number + 1} of {lab.options.rounds}, {lab.movies:,} movies")
        for path in (ours, tasks, theirs, our_stream, their_stream):
            remove(path)
        cold: dict[str, Step] = {"loader cold": load()}
        if product:
            cold["cold"] = save(ours)
        if "tasks" in lab.wanted:
            cold["tasks"] = save(tasks, how="tasks")
        if "stream" in lab.wanted:
            cold["loader stream"] = load(their_stream, models="stream")
            cold["stream"] = lambda: lab.call("save_stream", path=str(our_stream), movies=lab.movies)
        _run(runs, cold, reverse=number % 2 == 1)
        for row, movies in (("cold-floor", 0), ("cold-least", lab.movies)):
            if row in lab.wanted:
                _run(runs, {row: _write_again(lab, ours, again_path, movies)})
        if number == 0:
            _compare_cold(lab, ours, tasks, theirs)
        again: dict[str, Step] = {}
        if lab.wanted & {"loader", "resync", "changed"}:
            again["loader resync"] = load()
        if "resync" in lab.wanted:
            again["resync"] = resave
        _run(runs, again, reverse=number % 2 == 1)
        if "changed" in lab.wanted:
            _run(runs, {"changed": save(ours, changed=True)})
            if number == 0:
                load(changed=True)()
                lab.compare("changed", ours, theirs)
    return runs


def _measure_small_saves(lab: Lab) -> Runs:
    runs: Runs = {}
    movies = max(int(lab.movies * SMALL_SHARE), 1)
    paths = {"load": lab.directory / "small-loader.db", "save": lab.directory / "small.db"}
    again_path = lab.directory / "small-again.db"

    def step(task: str, path: Path) -> Step:
        return lambda: lab.call(task, path=str(path), movies=movies)

    for number in range(lab.options.rounds):
        for path in paths.values():
            remove(path)
        _run(runs, {task: step(task, path) for task, path in paths.items()}, reverse=number % 2 == 1)
        for row, made in (("cold-small-floor", 0), ("cold-small-least", movies)):
            if row in lab.wanted:
                _run(runs, {row: _write_again(lab, paths["save"], again_path, made)})
    return runs


def _write_again(lab: Lab, mirror: Path, path: Path, movies: int) -> Step:
    def write() -> dict[str, Any]:
        remove(path)
        return lab.call("write_again", mirror=str(mirror), path=str(path), movies=movies)

    return write


def _compare_cold(lab: Lab, ours: Path, tasks: Path, theirs: Path) -> None:
    if ours.exists():
        lab.compare("cold", ours, theirs)
        lab.keep_stored(lab.movies, lab.copy(ours, f"stored-{lab.movies}"))
    if tasks.exists():
        lab.compare("tasks", tasks, theirs)


def _measure_postgres(lab: Lab) -> Runs:
    runs: Runs = {}
    with postgres.server() as new_database:
        for number in range(lab.options.rounds):
            lab.say(f"PostgreSQL, round {number + 1} of {lab.options.rounds}, {lab.movies:,} movies")
            ours = new_database("ours")
            steps = {
                "yardstick": _step(lab, "load_postgres", ours),
                "cold": _step(lab, "save", ours),
                "sqlite": _step(lab, "save", str(lab.path("beside"))),
            }
            _run(runs, steps, reverse=number % 2 == 1)
            if number == 0:
                lab.note_comparison("postgres", lab.call("compare_postgres", path=ours))
            _run(runs, {"resync": _step(lab, "resave_postgres", ours)})
            for count in (1, PROCESSES):
                together = _save_together(lab, new_database("together"), count)
                runs.setdefault(f"{count} processes", []).append(together)
    return runs


def _step(lab: Lab, task: str, path: str) -> Step:
    return lambda: lab.call(task, path=path, movies=lab.movies)


def _save_together(lab: Lab, url: str, count: int) -> dict[str, Any]:
    """Save libraries of one source, each in its own process with one writing connection."""
    each = max(lab.movies // PROCESSES, 1)
    worker.call("save", path=url, movies=1)
    shares = [("save", {"path": url, "movies": each, "first": n * each, "writers": 1}) for n in range(count)]
    wall = max(result["wall"] for result in worker.call_together(*shares))
    lab.say(f"  {count} processes, {each:,} movies each: {wall:.2f} s")
    return {"wall": wall, "per_second": count * each / wall}


def _measure_scale(lab: Lab) -> Runs:
    runs: Runs = {}
    small, big = (lab.directory / f"scale-{name}.db" for name in ("small", "big"))
    small_movies = max(lab.big_movies // 10, 1)
    for number in range(lab.options.rounds):
        lab.say(f"scale, round {number + 1} of {lab.options.rounds}, {lab.big_movies:,} movies")
        remove(small)
        remove(big)
        steps: dict[str, Step] = {
            "small": lambda: lab.call("save", path=str(small), movies=small_movies),
            "big": lambda: lab.call("save", path=str(big), movies=lab.big_movies),
        }
        _run(runs, steps, reverse=number % 2 == 1)
    for run in runs["small"]:
        run["per_credit"] = run["wall"] / small_movies
    for run in runs["big"]:
        run["per_credit"] = run["wall"] / lab.big_movies
    lab.keep_stored(lab.big_movies, big)
    return runs


def _run(runs: Runs, steps: dict[str, Step], *, reverse: bool = False) -> None:
    for name in reversed(steps) if reverse else steps:
        runs.setdefault(name, []).append(steps[name]())
