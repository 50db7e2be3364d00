"""The rows of servers: the time of a whole sync, its memory, and its cost compared with bare reading."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.clock import median_ratio
from benchmarks.figures import Figure, Row, column
from benchmarks.folders import write_library
from benchmarks.lab import Lab, Runs, remove
from benchmarks.serving import Server, fake, real_kodi

CREDITS = 18
FEW_CREDITS = 5
KODI_CREDITS = 17
NFO_CREDITS = 17
_CREDITS_PER_PERSON = 4.5

_KINDS = {"plex": "Plex", "jellyfin": "Jellyfin", "emby": "Emby", "kodi": "Kodi", "nfo": "NFO files"}


@contextmanager
def _source(
    lab: Lab, kind: str, films: int, credits_each: int
) -> Iterator[tuple[dict[str, str], Server | None]]:
    """Run a fake, or write a folder; yield the backend's settings, and the server if there is one."""
    lab.say(f"  {kind}: {films:,} films × {credits_each}")
    if kind == "nfo":
        folder = lab.folder("library")
        write_library(folder, films, credits_each)
        yield {"root": str(folder)}, None
        shutil.rmtree(folder)
    else:
        people = int(films * credits_each / _CREDITS_PER_PERSON) + credits_each
        with fake(kind=kind, films=films, credits_each=credits_each, people=people) as server:
            yield server.told["connection"], server


def _first_and_again(lab: Lab, kind: str, films: int, credits_each: int, rounds: int) -> Runs:
    """Sync into a new database, then again into the same one."""
    runs: Runs = {"first": [], "again": []}
    with _source(lab, kind, films, credits_each) as (connection, server):
        for _ in range(rounds):
            path = lab.path(f"sync-{kind}")
            for name, saved in (("first", films), ("again", 0)):
                run = _sync(lab, kind, connection, path, saved, films * credits_each)
                counted = server.ask("count") if server else {"requests": 0, "cpu": 0.0}
                runs[name].append({**run, "requests": counted["requests"], "server_cpu": counted["cpu"]})
            remove(path)
    return runs


def _sync(
    lab: Lab, kind: str, connection: dict[str, str], path: Path, saved: int, stored: int
) -> dict[str, Any]:
    return lab.call(
        "sync", kind=kind, connection=connection, path=str(path), saved=saved, credits_stored=stored
    )


def _throughput(kind: str) -> Callable[[Lab, Row], list[Figure]]:
    def measure(lab: Lab, row: Row) -> list[Figure]:
        films = lab.options.films
        runs = _first_and_again(lab, kind, films, CREDITS, lab.options.rounds)
        return [
            _speed(row.name, f"{row.what}, {films:,} films × {CREDITS}", row.unit, runs["first"], films),
            _speed(f"{row.name}-resync", "the same again, unchanged", row.unit, runs["again"], films),
            _cost(row.name, runs["first"], films),
        ]

    return measure


def _speed(name: str, what: str, unit: str, runs: list[dict[str, Any]], films: int) -> Figure:
    seconds = statistics.median(column(runs, "wall"))
    parts = [f"{films * CREDITS / seconds:,.0f} credits/s", f"peak {max(column(runs, 'peak_mb')):.0f} MB"]
    if requests := runs[-1]["requests"]:
        parts.append(f"{requests:,} requests")
    detail = {key: column(runs, key) for key in runs[0]}
    return Figure(name, f"{what}: {', '.join(parts)}", films / seconds, unit, detail=detail)


def _cost(name: str, runs: list[dict[str, Any]], films: int) -> Figure:
    each = [run["cpu"] / (films * CREDITS) * 1_000_000 for run in runs]
    what = "the first sync: processor time for one credit, from the bytes to the committed row"
    return Figure(f"{name}-credit", what, statistics.median(each), "µs", detail={"each": each})


def _memory(kind: str) -> Callable[[Lab, Row], list[Figure]]:
    def measure(lab: Lab, row: Row) -> list[Figure]:
        sizes = lab.options.films, lab.options.big_films
        small, big = (_first_and_again(lab, kind, films, FEW_CREDITS, 1) for films in sizes)
        peaks = [run["peak_mb"] for runs in (big, small) for run in (*runs["first"], *runs["again"])]
        figure = row.figure(peaks[0], peaks=peaks)
        figure.what += (
            f", {sizes[1]:,} films × {FEW_CREDITS} (again, unchanged: {peaks[1]:.0f} MB;"
            f" {sizes[0]:,} films: {peaks[2]:.0f} and {peaks[3]:.0f} MB)"
        )
        return [figure]

    return measure


def _ratio(
    name: str, measured: Callable[[Lab], Runs], dividend: str, divisor: str
) -> Callable[[Lab, Row], list[Figure]]:
    def measure(lab: Lab, row: Row) -> list[Figure]:
        runs = lab.once(name, measured)
        walls, others = column(runs[dividend], "wall"), column(runs[divisor], "wall")
        cpu = median_ratio(column(runs[dividend], "cpu"), column(runs[divisor], "cpu"))
        return [row.figure(median_ratio(walls, others), cpu_ratio=cpu, wall=walls, other_wall=others)]

    return measure


def _slow_jellyfin(lab: Lab) -> Runs:
    films = lab.options.slow_films
    runs: Runs = {name: [] for name in ("bare", "first", "again", "changed")}
    sizes = {"films": films, "credits_each": CREDITS, "people": films * 4}
    with fake(kind="jellyfin", slow=True, **sizes) as server:
        connection = server.told["connection"]
        for _ in range(lab.options.rounds):
            path = lab.path("sync-slow")
            reading = {"connection": connection, "library": server.told["library"], "films": films}
            runs["bare"].append(lab.call("read_jellyfin", **reading))
            for name, saved in (("first", films), ("again", 0), ("changed", -(-films // 100))):
                if name == "changed":
                    server.ask("change")
                runs[name].append(_sync(lab, "jellyfin", connection, path, saved, films * CREDITS))
    return runs


def _real_kodi(lab: Lab) -> Runs:
    films = lab.options.slow_films
    runs: Runs = {name: [] for name in ("bare", "first", "again", "scan", "nfo")}
    folder = lab.folder("library")
    write_library(folder, films, KODI_CREDITS)
    with real_kodi(folder) as server:
        connection = server.told["connection"]
        for _ in range(lab.options.rounds):
            path, beside = lab.path("sync-kodi"), lab.path("beside-kodi")
            runs["bare"].append(lab.call("read_kodi", connection=connection, films=films))
            for name, saved in (("first", films), ("again", 0)):
                runs[name].append(_sync(lab, "kodi", connection, path, saved, films * KODI_CREDITS))
            runs["nfo"].append(_sync(lab, "nfo", {"root": str(folder)}, beside, films, films * KODI_CREDITS))
        runs["scan"].append({"wall": server.told["first_scan"]})
    return runs


def _nfo_and_kodi(lab: Lab, row: Row) -> list[Figure]:
    runs = lab.once("kodi", _real_kodi)
    ours, [scan] = column(runs["nfo"], "wall"), column(runs["scan"], "wall")
    return [row.figure(statistics.median(ours) / scan, wall=ours, scan=scan)]


def _nfo_and_script(lab: Lab) -> Runs:
    return _nfo_runs(lab, lab.options.slow_films, parse=True)


def _many_nfo_and_script(lab: Lab) -> Runs:
    return _nfo_runs(lab, lab.options.films)


def _nfo_runs(lab: Lab, films: int, *, parse: bool = False) -> Runs:
    runs: Runs = {name: [] for name in ("script", "script again", "first", "again", "parse")}
    folder = lab.folder("nfo")
    write_library(folder, films, NFO_CREDITS)
    root = str(folder)
    for _ in range(lab.options.rounds):
        ours, theirs = lab.path("nfo"), lab.path("nfo-script")
        runs["script"].append(lab.call("load_nfo", folder=root, path=str(theirs)))
        runs["first"].append(_sync(lab, "nfo", {"root": root}, ours, films, films * NFO_CREDITS))
        lab.compare("nfo", ours, theirs)
        runs["script again"].append(lab.call("load_nfo", folder=root, path=str(theirs)))
        runs["again"].append(_sync(lab, "nfo", {"root": root}, ours, 0, films * NFO_CREDITS))
        if parse:
            runs["parse"].append(lab.call("parse_nfo", folder=root, films=films))
        remove(ours)
        remove(theirs)
    shutil.rmtree(folder)
    return runs


def _nfo_parse(lab: Lab, row: Row) -> list[Figure]:
    each = column(lab.once("nfo-script", _nfo_and_script)["parse"], "ms_each")
    return [row.figure(statistics.median(each), ms_each=each)]


ROWS = (
    *(Row(kind, f"{name}: first sync", _throughput(kind), unit="items/s") for kind, name in _KINDS.items()),
    Row(
        "nfo-first",
        f"NFO films × {NFO_CREDITS}: first sync ÷ a plain script that loads the same files",
        _ratio("nfo-script", _nfo_and_script, "first", "script"),
        2.5,
        1.5,
    ),
    Row(
        "nfo-unchanged",
        "the same: unchanged resync ÷ the script's second run",
        _ratio("nfo-script", _nfo_and_script, "again", "script again"),
        0.5,
        0.25,
    ),
    Row(
        "nfo-first-many",
        "the first sync of ten times as many films ÷ the script",
        _ratio("many-nfo-script", _many_nfo_and_script, "first", "script"),
        2.0,
        1.2,
    ),
    Row("nfo-parse", "the same: one file, from its bytes to what is found", _nfo_parse, 0.4, 0.2, "ms"),
    Row(
        "nfo-kodi",
        f"NFO films × {KODI_CREDITS}: first sync ÷ a real Kodi's scan of the same folder",
        _nfo_and_kodi,
        1 / 10,
        1 / 30,
    ),
    Row(
        "jellyfin-first",
        "a Jellyfin as slow as a real one: first sync ÷ bare reading of the same pages",
        _ratio("jellyfin", _slow_jellyfin, "first", "bare"),
        1.15,
        1.05,
    ),
    Row(
        "jellyfin-unchanged",
        "the same: unchanged resync ÷ first sync",
        _ratio("jellyfin", _slow_jellyfin, "again", "first"),
        1 / 50,
        1 / 100,
    ),
    Row(
        "jellyfin-changed",
        "the same: resync with 1 % of the films changed ÷ first sync",
        _ratio("jellyfin", _slow_jellyfin, "changed", "first"),
        1 / 25,
    ),
    Row(
        "kodi-first",
        "a real Kodi: first sync ÷ the bare call that lists all films with their casts",
        _ratio("kodi", _real_kodi, "first", "bare"),
        4,
        2,
    ),
    Row(
        "kodi-unchanged",
        "the same: unchanged resync ÷ the bare call",
        _ratio("kodi", _real_kodi, "again", "bare"),
    ),
    *(
        Row(f"{kind}-memory", f"{name}: peak memory of a first sync", _memory(kind), unit="MB", big=True)
        for kind, name in _KINDS.items()
    ),
)
