"""The files by which mediasync is run at home, as the tests read them."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml

from mediasync.cli.parser import app

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
PORT: Final = 8765


def instructions(stage: int = -1) -> list[tuple[str, str]]:
    """Return the instructions of a stage of the Dockerfile, each as its word and the rest."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = text.replace("\\\n", " ").splitlines()
    stages: list[list[tuple[str, str]]] = []
    for line in filter(str.strip, lines):
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, " ".join(rest.split())))
    return stages[stage]


def only(word: str, stage: int = -1) -> str:
    """Return the rest of the one instruction of a kind."""
    [rest] = [rest for found, rest in instructions(stage) if found == word]
    return rest


def compose(*names: str) -> dict[str, Any]:
    """Return a compose file."""
    document: dict[str, Any] = yaml.safe_load((ROOT.joinpath(*names)).read_text(encoding="utf-8"))
    return document


def unit(name: str) -> list[tuple[str, str, str]]:
    """Return the settings of a systemd unit, in order: section, name and value."""
    section, found = "", []
    for line in (DEPLOY / "systemd" / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.append((section, key, value))
    return found


def program(name: str) -> str:
    """Return the path of a program; the test is skipped where it is not installed."""
    beside = Path(sys.executable).parent / name
    if path := shutil.which(name) or shutil.which(f"/usr/sbin/{name}") or (beside.exists() and str(beside)):
        return str(path)
    pytest.skip(f"{name} is not installed here")


def check_command(words: list[str]) -> None:
    """Check that a command line of mediasync can be parsed: the command exists, and has the options."""
    if words[:1] == ["serve"]:
        pytest.importorskip("mediasync.cli.serve")
    group: Any = typer.main.get_command(app)
    name, *arguments = words
    assert name in group.commands, words
    command = group.commands[name].load()
    while hasattr(command, "commands") and arguments:
        command = command.commands[arguments.pop(0)]
    command.make_context(name, arguments)


def shell_lines(text: str) -> Iterator[list[str]]:
    """Yield the words of each line of a block of shell commands."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            yield shlex.split(line, comments=True)
