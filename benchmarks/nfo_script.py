"""The yardstick for NFO folders: a plain script that a good programmer writes in half an hour.

It walks the folder, parses each file with ElementTree, and writes the loader's tables by ``executemany``. It
follows no rule of the format beyond the files of this benchmark, checks nothing, and reads every file in each
run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, parse

from benchmarks.clock import Stopwatch
from benchmarks.data import SOURCE_ID, CreditRow, MovieRow
from benchmarks.loader import load, open_database


def run(folder: str, path: str) -> dict[str, Any]:
    """Read a folder, and write what it holds.

    Args:
        folder: the folder.
        path: the path of the database, new or not.
    """
    watch = Stopwatch()
    with closing(open_database(Path(path))) as connection:
        load(connection, _films(folder))
    return {**watch.read()}


def _films(folder: str) -> Iterator[MovieRow]:
    for place, _, names in os.walk(folder):
        if "movie.nfo" in names:
            root = parse(os.path.join(place, "movie.nfo")).getroot()
            key = f"{SOURCE_ID}:{os.path.relpath(place, folder)}"
            title, year = root.findtext("title") or "", int(root.findtext("year") or 0)
            yield MovieRow(key, title, year, tuple(_credits(root)))


def _credits(root: Element) -> Iterator[CreditRow]:
    order = 0
    for actor in root.iter("actor"):
        name = actor.findtext("name") or ""
        yield _credit(name, actor.findtext("thumb"), "actor", actor.findtext("role"), order)
        order += 1
    for tag, kind in (("director", "director"), ("credits", "writer")):
        for element in root.iter(tag):
            yield _credit(element.text or "", None, kind, None, order)
            order += 1


def _credit(name: str, image: str | None, kind: str, role: str | None, order: int) -> CreditRow:
    return CreditRow(f"{SOURCE_ID}:name:{name.lower()}", name, image, kind, role, order)
