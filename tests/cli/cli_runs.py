"""Shared parts of the tests of the command line: running commands, their results, and files to read."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mediasync

ROOT = Path(mediasync.__file__).parents[1]


@dataclass(frozen=True)
class Ended:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output, which is one JSON object and nothing else."""
        return json.loads(self.out)


Run = Callable[..., Ended]
Beside = Callable[..., Awaitable[Ended]]


def process_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which a new process imports the same package as this one."""
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}", **(more or {})}


def write_movie(root: Path, name: str, content: str) -> Path:
    """Write the NFO file of a film."""
    return write(root / "movies" / name / "movie.nfo", f"<movie>{content}</movie>")


def write(file: Path, content: str) -> Path:
    """Write a file, with its folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file
