"""The benchmarks run at tiny sizes, find both sides' rows equal, and would notice if they were not.

No figure is held against anything: how fast a machine is says nothing about whether the program is right.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import postgres

from benchmarks.postgres import URL_VARIABLE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent

FIGURES = [
    "loader",
    "loader-resync",
    "loader-models",
    "cold",
    "cold-cpu",
    "cold-small",
    "cold-floor",
    "cold-small-floor",
    "cold-least",
    "cold-small-least",
    "stream",
    "tasks",
    "resync",
    "changed",
    "written",
    "changes-cold",
    "changes-changed",
    "history-time",
    "history-disk",
    "read-aside",
    "read-aside-both",
    "read-aside-floor",
    "read-within",
    "steps",
    "postgres-cold",
    "postgres-resync",
    "postgres-sqlite",
    "postgres-processes",
    "rival-databases",
    "rival-orm",
    "rival-core",
    "rival-loader",
    "rival-mediasync",
    "plex",
    "plex-resync",
    "plex-credit",
    "jellyfin",
    "jellyfin-resync",
    "jellyfin-credit",
    "emby",
    "emby-resync",
    "emby-credit",
    "kodi",
    "kodi-resync",
    "kodi-credit",
    "nfo",
    "nfo-resync",
    "nfo-credit",
    "nfo-first",
    "nfo-unchanged",
    "nfo-first-many",
    "nfo-parse",
    "nfo-kodi",
    "jellyfin-first",
    "jellyfin-unchanged",
    "jellyfin-changed",
    "kodi-first",
    "kodi-unchanged",
    "plex-memory",
    "jellyfin-memory",
    "emby-memory",
    "kodi-memory",
    "nfo-memory",
    "event-to-row",
    "start-version",
    "start-help",
    "start-show",
    "scale",
    "memory",
    "filmography",
    "pages",
    "pages-postgres",
    "site",
    "site-postgres",
    "doctor",
    "doctor-postgres",
    "recipes",
    "recipes-postgres",
    "who",
    "who-all",
    "who-postgres",
    "who-postgres-all",
    "search",
    "search-within",
    "search-postgres",
]
PROMISES = {
    "cold",
    "cold-cpu",
    "cold-small",
    "stream",
    "tasks",
    "resync",
    "changed",
    "written",
    "changes-cold",
    "changes-changed",
    "history-time",
    "history-disk",
    "read-aside",
    "read-within",
    "postgres-cold",
    "postgres-resync",
    "jellyfin-first",
    "jellyfin-unchanged",
    "jellyfin-changed",
    "kodi-first",
    "nfo-first",
    "nfo-unchanged",
    "nfo-first-many",
    "nfo-parse",
    "nfo-kodi",
    "event-to-row",
    "start-version",
    "start-help",
    "start-show",
    "scale",
    "memory",
    "filmography",
    "steps",
    "pages",
    "pages-postgres",
    "site",
    "site-postgres",
    "recipes",
    "recipes-postgres",
    "who",
    "who-postgres",
    "search",
    "search-within",
    "search-postgres",
}
NEED_KODI = {"kodi-first", "kodi-unchanged", "nfo-kodi"}
ALIKE = {"jellyfin-memory", "emby-memory", "kodi-memory", "nfo-memory"}
"""Measured by what measures `plex-memory`, of servers that other rows are measured of."""


SECONDS = 900
"""After which the benchmarks are ended. They start 100 processes, which takes minutes on a busy machine."""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the root of the checkout."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def work(task: str, **parameters: Any) -> dict[str, Any]:
    """Run one task of the benchmarks."""
    done = run("benchmarks.worker", task, json.dumps(parameters))
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def running_server() -> dict[str, str]:
    """Return what makes all rows use the server of the tests, instead of starting one each."""
    if postgres.is_available() is not None or not postgres.server().is_own:
        return {}
    return {URL_VARIABLE: postgres.server().url("postgres")}


@pytest.mark.timeout(SECONDS)
def test_every_row_is_measured_and_both_sides_hold_the_same() -> None:
    rows = [line.split()[0] for line in run("benchmarks", "--list").stdout.splitlines()]
    sizes = ["--credits", "600", "--big-credits", "1500", "--rival-movies", "20", "--rounds", "1"]
    sizes += ["--films", "20", "--big-films", "40", "--slow-films", "20", "--starts", "1", "--forked"]
    only = ",".join(row for row in rows if row not in ALIKE)
    done = run("benchmarks", *sizes, "--only", only, "--json", **running_server())
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)

    figures = {figure["name"]: figure for figure in document["figures"]}
    assert document["problems"] == []
    assert document["skipped"].keys() in (set(), NEED_KODI)
    assert list(figures) == [name for name in FIGURES if name not in {*document["skipped"], *ALIKE}]
    assert set(rows) >= ALIKE
    assert set(document["compared"]) == {"cold", "tasks", "changed", "postgres", "nfo"}
    for name, counts in document["compared"].items():
        assert counts["media_items"] == (20 if name == "nfo" else 40)
        assert counts["media_people"] == (340 if name == "nfo" else 600)
    for name, figure in figures.items():
        assert math.isfinite(figure["value"])
        assert figure["value"] > 0
        assert (figure["verdict"] in {"GOAL", "ok", "MISS"}) == (name in PROMISES)


def test_table_has_one_line_for_each_figure() -> None:
    done = run("benchmarks", "--credits", "150", "--rounds", "1", "--only", "loader")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["row", "loader", "loader-resync", "loader-models"]


def test_rows_of_a_real_kodi_are_skipped_where_there_is_none() -> None:
    done = run("benchmarks", "--slow-films", "1", "--only", "kodi-first", "--json", PATH="")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["figures"] == []
    assert "SKIPPED: kodi-first: a program that it needs is not installed" in done.stderr
    assert "python tests/support/kodi.py install" in done.stderr


def test_an_unknown_row_is_refused() -> None:
    done = run("benchmarks", "--only", "cold,colder")
    assert done.returncode != 0
    assert "no such row: colder" in done.stderr


def test_a_difference_of_one_role_is_found(tmp_path: Path) -> None:
    ours, theirs = (str(tmp_path / name) for name in ("ours.db", "theirs.db"))
    for path in (ours, theirs):
        work("load", path=path, movies=10)
    assert work("compare", ours=ours, theirs=theirs)["problems"] == []

    with closing(sqlite3.connect(ours)) as connection, connection:
        connection.execute("UPDATE media_people SET role = 'Neo' WHERE id = 7")
    problems = work("compare", ours=ours, theirs=theirs)["problems"]
    assert len(problems) == 2
    assert "only mediasync has" in problems[0]
    assert "only the loader has" in problems[1]


def test_a_missing_credit_is_found(tmp_path: Path) -> None:
    ours, theirs = (str(tmp_path / name) for name in ("ours.db", "theirs.db"))
    for path in (ours, theirs):
        work("load", path=path, movies=10)
    with closing(sqlite3.connect(ours)) as connection, connection:
        connection.execute("DELETE FROM media_people WHERE id = 7")
    problems = work("compare", ours=ours, theirs=theirs)["problems"]
    assert problems[0] == "media_people: 149 rows, but the loader has 150"
